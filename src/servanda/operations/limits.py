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
        if any(_proves(record, journal, proof) for proof in proofs.values()) and not _branch_named(record, journal)
    }


def _proves(record: Record, journal: str, proof: bytes) -> bool:
    state = record.journals.get(journal)
    if state is None:
        return False
    keys = [identity.centre.ed25519 for identity in state.identities.up_to(state.size)]
    try:
        first, _ = verify_fork_proof(parse_fork_proof(proof), keys)
    except ForkError:
        return False
    return first.origin == state.origin


def _branch_named(record: Record, journal: str) -> bool:
    return any(
        entry.admissible and entry.frame is not None and entry.frame.format == "branch"
        for entry in record.journals[journal].entries
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
