# SPDX-License-Identifier: Apache-2.0
"""Up to where a forked journal still has effect (spec/settlement.md, Forks)."""

from __future__ import annotations

from collections.abc import Mapping

from servanda.journal.record import Record
from servanda.proof.forks import ForkError, parse_fork_proof, verify_fork_proof


def fork_limits(record: Record, forks: Mapping[str, Mapping[str, bytes]]) -> dict[str, int]:
    """For each journal with a valid proof of a fork, the greatest number that enough others uphold.

    Args:
        record: everything held, judged as if there were no fork.
        forks: journal to name to proof; a proof that does not hold is passed over.
    """
    return {
        journal: _upheld(record, journal)
        for journal, proofs in forks.items()
        if any(_disputed(record, journal, proof) > _decided(record, journal) for proof in proofs.values())
    }


def _disputed(record: Record, journal: str, proof: bytes) -> int:
    """The size at which a proof shows two histories of the journal; 0 if it proves nothing."""
    state = record.journals.get(journal)
    if state is None:
        return 0
    keys = [identity.centre.ed25519 for identity in state.identities.up_to(state.size)]
    try:
        first, _ = verify_fork_proof(parse_fork_proof(proof), keys)
    except ForkError:
        return 0
    return first.size if first.origin == state.origin else 0


def _decided(record: Record, journal: str) -> int:
    """Up to which size the root keys have named the history that stands: they decide no fork that comes after it."""
    state = record.journals.get(journal)
    return max(
        (
            int(entry.frame.content["size"])
            for entry in (state.entries if state else ())
            if entry.admissible and entry.frame is not None and entry.frame.format == "branch"
        ),
        default=0,
    )


def _upheld(record: Record, journal: str) -> int:
    force = record.in_force(record.whole) or record.agreement
    pack = record.packs[force]
    needed = max(1, pack.quorum(len(pack.parties) - 2))
    upheld = record.attestations.upholding(journal)
    for party, state in record.journals.items():
        if party != journal and state.entries:
            covered = state.entries[-1].heads.get(journal, 0)
            upheld[party] = max(upheld.get(party, 0), covered)
    sizes = sorted(upheld.values(), reverse=True)
    return sizes[needed - 1] if len(sizes) >= needed else 0
