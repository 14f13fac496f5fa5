# SPDX-License-Identifier: Apache-2.0
"""Receiving: leaves under the checkpoint that proves them, stored durably before a receipt is signed (spec/line.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from servanda.journal.acceptance import prepare
from servanda.journal.state import Entry, JournalState, Prepared
from servanda.operations.centre import Centre
from servanda.operations.errors import Conflict, Refusal
from servanda.operations.ports import Push, PushReply
from servanda.operations.receipts import KINDS, give_receipt
from servanda.proof.checkpoints import CheckpointError, parse_checkpoint, verify_checkpoint
from servanda.proof.notes import Note, NoteError, parse_note

LEAVES_MAX = 1000
BYTES_MAX = 8 * 1024 * 1024
Prepare = Callable[[Sequence[bytes]], list[Prepared]]


class Received(NamedTuple):
    """What a push led to."""

    reply: PushReply
    judged: list[Entry]
    fresh: int
    """How many of the leaves were not held before."""


def prepare_all(leaves: Sequence[bytes]) -> list[Prepared]:
    """Parse leaves one after the other (steps 1 and 2)."""
    return [prepare(leaf) for leaf in leaves]


def receive(
    centre: Centre,
    push: Push,
    peer: str | None = None,
    preparing: Prepare = prepare_all,
    *,
    limits: bool = True,
    judging: bool = True,
) -> Received:
    """Take leaves of a counterpart's journal, from that party itself or (peer None) from any carrier.

    Numbered as it happens: 1 limits, 2 whose journal, 3 what is held already, 4 the checkpoint, 5 durable, 6 receipt.

    Args:
        centre: who receives.
        push: the leaves and the checkpoint that proves them.
        peer: the party whose centre brings them; None for a carrier that need not be known.
        preparing: steps 1 and 2 for many leaves, perhaps on several cores.
        limits: whether the limits of one push over the line apply; a bundle comes as one piece.
        judging: whether the leaves are judged at once; else the caller lets the centre judge once the receipt is on
            its way, for a receipt says that they are held, and nothing of what they say.

    Raises:
        Refusal: malformed, or not proven by the checkpoint; it stays wrong.
        Conflict: another leaf is held at this place, under a valid checkpoint.
        StoreFull: no space; nothing has changed.
    """
    # 1. Limits.
    if limits and (len(push.leaves) > LEAVES_MAX or sum(map(len, push.leaves)) > BYTES_MAX):
        raise Refusal(f"more than {LEAVES_MAX} leaves or {BYTES_MAX} bytes in one push", "over-size")
    # 2. Whose journal: its own party pushes it; our own journal we take from nobody.
    state = centre.record.journals.get(push.journal)
    if state is None or push.journal == centre.party or peer not in (None, push.journal):
        raise Refusal(f"{peer or 'the carrier'} does not bring the journal of {push.journal}", "wrong-journal")
    if push.first < 1 or push.first > state.size + 1:
        raise Refusal(f"leaves from {push.first} on, but {state.size} are held; send from there", "gap")
    # 3. What is held already must be the same, byte for byte.
    overlap = state.size - push.first + 1
    _compare(centre, state, push, overlap)
    fresh = preparing(push.leaves[overlap:])
    # 4. The checkpoint proves the leaves: root, size, signature by the centre key that holds for that size.
    note = _checked_note(centre, state, push, fresh)
    # 5. Durable before anything is signed.
    judged: list[Entry] = []
    if fresh:
        nodes, _ = state.tree.extended([prepared.hash for prepared in fresh])
        with centre.store.transaction() as writer:
            writer.append(push.journal, state.size + 1, [item.leaf for item in fresh], nodes, centre.clock())
            writer.put_checkpoint(push.journal, state.size + len(fresh), note.encode())
        centre.hold(push.journal, fresh)
        judged = centre.judge() if judging else []
    # 6. The receipt is over the largest size that we hold.
    return Received(PushReply(state.size, give_receipt(centre, push.journal, state.size)), judged, len(fresh))


def _compare(centre: Centre, state: JournalState, push: Push, overlap: int) -> None:
    held = centre.store.leaves(push.journal, push.first, min(overlap, len(push.leaves))) if overlap > 0 else []
    for offset, (mine, theirs) in enumerate(zip(held, push.leaves, strict=False)):
        if mine != theirs:
            number = push.first + offset
            raise Conflict(
                f"another entry {push.journal}/{number} is held; compare checkpoints: one of the two is a fork",
                centre.store.checkpoint(push.journal) or b"",
            )


def _checked_note(centre: Centre, state: JournalState, push: Push, fresh: Sequence[Prepared]) -> Note:
    try:
        note = parse_note(push.checkpoint)
        stated = parse_checkpoint(note.text).size
        # What is held already may be shown under an earlier checkpoint, and that was signed by the key of its time.
        key = centre.record.centre_key(push.journal, fresh) if fresh else _key_at(centre, push.journal, stated)
        if key is None:
            raise Refusal(f"no identity of {push.journal} is held or sent; entry 1 states it", "identity")
        checkpoint = verify_checkpoint(note, key)
    except (NoteError, CheckpointError) as error:
        raise Refusal(f"checkpoint of {push.journal}: {error}", "checkpoint") from error
    size = state.size + len(fresh)
    if checkpoint.origin != state.origin or checkpoint.size > size:
        raise Refusal(f"checkpoint of {checkpoint.origin} at {checkpoint.size} does not end the leaves", "checkpoint")
    root = state.tree.extended([item.hash for item in fresh])[1] if fresh else state.tree.root(checkpoint.size)
    if checkpoint.root != root or (fresh and checkpoint.size < size):
        raise Conflict(
            f"the checkpoint of {push.journal} at size {checkpoint.size} has another root than the leaves",
            centre.store.checkpoint(push.journal) or b"",
        )
    return Note(note.text, tuple(s for s in note.signatures if s.name == state.origin))


def _key_at(centre: Centre, journal: str, size: int) -> bytes | None:
    identity = centre.record.identity_for_size(journal, size)
    return identity.centre.ed25519 if identity else None


def countersign(centre: Centre, journal: str, note: bytes) -> bytes:
    """Both receipt lines over a checkpoint that we hold; its ML-DSA-44 signature is kept if it carries one.

    Raises:
        Refusal: it is not a checkpoint of what we hold.
    """
    state = centre.record.journals.get(journal)
    if state is None:
        raise Refusal(f"{journal} is no party", "wrong-journal")
    checked = _checked_note(centre, state, Push(journal, state.size + 1, (), note), [])
    size = int(checked.text.split("\n")[1])
    if size != state.size:
        raise Refusal(f"{journal} is held to {state.size}, not to {size}", "gap")
    with centre.store.transaction() as writer:
        writer.put_checkpoint(journal, size, checked.encode())
    return give_receipt(centre, journal, size, KINDS)
