# SPDX-License-Identifier: Apache-2.0
"""Judging the proof of a fork by the identities in a bundle (spec/journal.md, Proof of a fork)."""

from __future__ import annotations

from servanda.operations.bundles import read_bundle, unjudged_record
from servanda.operations.comparing import fork_in


def verify_fork(bundle: bytes, proof: bytes) -> dict[str, object]:
    """Who has signed which two histories.

    Raises:
        Refusal: the proof does not hold (`fork`), or the bundle has no identity of that party.
    """
    state, first, second = fork_in(unjudged_record(read_bundle(bundle)), proof)
    return {
        "party": state.party,
        "first-size": first.size,
        "first-root": first.root.hex(),
        "second-size": second.size,
        "second-root": second.root.hex(),
    }
