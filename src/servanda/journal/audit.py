# SPDX-License-Identifier: Apache-2.0
"""Re-derive everything from the leaves and compare it with what is kept: stores rot, and memory may lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from servanda.journal.acceptance import prepare
from servanda.journal.record import Record
from servanda.proof.checkpoints import Checkpoint, CheckpointError, verify_checkpoint
from servanda.proof.merkle import leaf_hash
from servanda.proof.notes import NoteError, parse_note

Leaves = Callable[[str, int, int], Sequence[bytes]]
"""Leaves of a journal: (party, first number, how many)."""
NoteOf = Callable[[str], bytes | None]
AT_ONCE = 1000


def audit_record(record: Record, leaves: Leaves, note_of: NoteOf) -> list[str]:
    """Compare a record with its leaves and checkpoints.

    Args:
        record: what is in memory.
        leaves: where the leaves are kept.
        note_of: the newest checkpoint kept of a journal.

    Returns:
        What is wrong, each with the entry that it concerns; empty if everything hangs together.
    """
    again = Record(record.packs[record.agreement], record.check, record.limits)
    for pack in record.packs.values():
        again.add_pack(pack)
    wrong = []
    for party, state in sorted(record.journals.items()):
        kept: list[bytes] = []
        for first in range(1, state.size + 1, AT_ONCE):
            kept += leaves(party, first, min(AT_ONCE, state.size - first + 1))
        wrong += [
            f"entry {party}/{number} has rotted: its bytes no longer have the hash under which they were receipted"
            for number, leaf in enumerate(kept, start=1)
            if leaf_hash(leaf) != state.tree.node(0, number - 1)
        ]
        if len(kept) != state.size:
            wrong.append(f"the journal of {party} is kept to {len(kept)}, not to {state.size}")
        again.add_leaves(party, [prepare(leaf) for leaf in kept])
    again.judge()
    for party, state in sorted(record.journals.items()):
        wrong += _verdicts(record, again, party)
        if state.size:
            wrong += _checkpoint(again, party, note_of(party))
    return wrong


def _verdicts(record: Record, again: Record, party: str) -> list[str]:
    before, after = record.journals[party].entries, again.journals[party].entries
    wrong = [
        f"entry {a.place} was judged {a.code or 'admissible'}, and is {b.code or 'admissible'} when judged anew"
        for a, b in zip(before, after, strict=False)
        if a.code != b.code
    ]
    if len(before) != len(after):
        wrong.append(f"{len(before)} entries of {party} were judged, {len(after)} when judged anew")
    return wrong


def _checkpoint(record: Record, party: str, note: bytes | None) -> list[str]:
    state = record.journals[party]
    identity = state.identities.latest
    if note is None or identity is None:
        return [f"the journal of {party} has no checkpoint or no identity"]
    try:
        keys = [known.centre.ed25519 for known in state.identities.up_to(state.size)]
        checkpoint = _verified(note, keys)
    except (NoteError, CheckpointError) as error:
        return [f"the checkpoint of {party}: {error}"]
    if checkpoint != Checkpoint(state.origin, checkpoint.size, state.tree.root(min(checkpoint.size, state.size))):
        return [f"the checkpoint of {party} at size {checkpoint.size} is not that of its entries"]
    return []


def _verified(note: bytes, keys: Sequence[bytes]) -> Checkpoint:
    parsed = parse_note(note)
    for key in keys[:-1]:
        try:
            return verify_checkpoint(parsed, key)
        except CheckpointError:
            continue
    return verify_checkpoint(parsed, keys[-1])
