# SPDX-License-Identifier: Apache-2.0
"""Entries written by hand: whatever a counterpart's own program might put into its journal, well signed or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from servanda.journal.acceptance import prepare
from servanda.journal.state import Entry, Tree
from servanda.operations.centre import Centre
from servanda.operations.drafting import Draft, compose
from servanda.operations.ports import Push, Signer
from servanda.proof.canonical import encode
from servanda.proof.checkpoints import Checkpoint, sign_checkpoint
from servanda.proof.envelope import ENTRY_TYPE, Envelope, Signature, pae
from servanda.proof.keys import key_id
from servanda.proof.merkle import leaf_hash
from servanda.proof.notes import Note


def frame_value(centre: Centre, **members: Any) -> dict[str, Any]:
    """The JSON value of a frame that could be released now, with `members` (underscores for hyphens) put in its place.

    Without members it is a note by two officers.
    """
    draft = Draft(format="note", subject="", event_at="2014-01-10", author="desk", content={"text": "by hand"})
    value: dict[str, Any] = msgspec.to_builtins(compose(centre, draft, "chief"))
    return value | {name.replace("_", "-"): member for name, member in members.items()}


def seal_by_hand(value: object, signers: Sequence[Signer], payload_type: str = ENTRY_TYPE) -> bytes:
    """The leaf of any payload, signed by `signers` in this order."""
    payload = value if isinstance(value, bytes) else encode(value)  # type: ignore[arg-type]
    message = pae(payload_type, payload)
    signatures = tuple(Signature(key_id(s.public), s.sign(message), s.algorithm) for s in signers)
    return Envelope(payload, payload_type, signatures).encode()


def leaf_by_hand(centre: Centre, **members: Any) -> bytes:
    """A leaf with `members` in its frame, signed by those whom the frame names."""
    value = frame_value(centre, **members)
    if value["author"] == "centre":
        return seal_by_hand(value, [centre.signers.centre])
    officers = centre.signers.officers
    return seal_by_hand(value, [officers[name] for name in (value["author"], value["releaser"]) if name is not None])


def insert(centre: Centre, leaf: bytes) -> Entry | None:
    """Put a leaf into the centre's own journal, under a signed checkpoint, with no question asked.

    Returns:
        The entry as the centre judges it; None if it cannot judge it.
    """
    prepared = prepare(leaf)
    number = centre.journal.size + 1
    nodes, root = centre.journal.tree.extended([prepared.hash])
    checkpoint = Checkpoint(centre.journal.origin, number, root)
    signature = sign_checkpoint(checkpoint, centre.signers.centre.sign, centre.signers.centre.public)
    with centre.store.transaction() as writer:
        writer.append(centre.party, number, [leaf], nodes, centre.clock())
        writer.put_checkpoint(centre.party, number, Note(checkpoint.text(), (signature,)).encode())
    centre.absorb(centre.party, [prepared])
    return centre.journal.entries[number - 1] if len(centre.journal.entries) >= number else None


def write(centre: Centre, form: str, content: dict[str, Any], **members: Any) -> Entry | None:
    """Insert an entry of a format of the pack in force, whatever custody says to it."""
    pack = centre.record.packs[centre.record.in_force(centre.record.whole) or centre.record.agreement]
    act = pack.formats[form, 1].act
    return insert(centre, leaf_by_hand(centre, format=form, act=act, content=content, **members))


def push_by_hand(origin: str, leaves: Sequence[bytes], signer: Signer) -> Push:
    """A whole journal under a checkpoint signed by `signer`, from entry 1 on."""
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf_hash(leaf))
    checkpoint = Checkpoint(origin, tree.size, tree.root())
    note = Note(checkpoint.text(), (sign_checkpoint(checkpoint, signer.sign, signer.public),))
    return Push(origin.rpartition("/")[2], 1, tuple(leaves), note.encode())


def refer(entry: Entry) -> dict[str, Any]:
    """The reference to an entry, as JSON value."""
    return {"leaf": entry.hash.hex(), "number": entry.place.number, "party": entry.place.party}
