# SPDX-License-Identifier: Apache-2.0
"""Judging the proof of a fork by the identities in a bundle (spec/journal.md, Proof of a fork)."""

from __future__ import annotations

from servanda.operations.bundles import parse_origin, read_bundle, record_of
from servanda.operations.errors import Refusal
from servanda.proof.forks import ForkError, parse_fork_proof, verify_fork_proof


def verify_fork(bundle: bytes, proof: bytes) -> dict[str, object]:
    """Who has signed which two histories.

    Raises:
        Refusal: the proof does not hold (`fork`), or the bundle has no identity of that party.
    """
    record = record_of(read_bundle(bundle))
    try:
        parsed = parse_fork_proof(proof)
        state = record.journals.get(parse_origin(parsed.first))
        if state is None:
            raise Refusal("the proof is about a journal that the bundle does not hold", "fork")
        keys = [identity.centre.ed25519 for identity in state.identities.up_to(state.size)]
        first, second = verify_fork_proof(parsed, keys)
    except ForkError as error:
        raise Refusal(f"the proof does not hold: {error}", "fork") from error
    if first.origin != state.origin:
        raise Refusal("the proof is about another agreement", "fork")
    return {
        "party": state.party,
        "first-size": first.size,
        "first-root": first.root.hex(),
        "second-size": second.size,
        "second-root": second.root.hex(),
    }
