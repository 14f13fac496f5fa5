# SPDX-License-Identifier: Apache-2.0
"""Receipts given and received: "my centre holds this journal to this size, durably" (spec/journal.md, Receipt)."""

from __future__ import annotations

import base64

from servanda.agreement.dates import instant_seconds
from servanda.journal.acceptance import receipt_holds
from servanda.journal.frame import CitedReceipt
from servanda.journal.receipting import receipt_time
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal
from servanda.operations.ports import StoredReceipt
from servanda.proof.checkpoints import Checkpoint
from servanda.proof.cosignatures import cosign
from servanda.proof.notes import (
    KIND_COSIGNATURE,
    KIND_MLDSA44,
    NoteError,
    note_key_id,
    parse_signature_lines,
)

KINDS = (KIND_COSIGNATURE, KIND_MLDSA44)


def receipt_name(centre: Centre, party: str) -> str:
    """The key name of a party's receipt key."""
    return f"{centre.record.origin(party)}/receipt"


def give_receipt(centre: Centre, journal: str, size: int, kinds: tuple[int, ...] = (KIND_COSIGNATURE,)) -> bytes:
    """Signature lines of our receipt over `journal` at `size`, which the store must already hold."""
    state = centre.record.journals[journal]
    checkpoint = Checkpoint(state.origin, size, state.tree.root(size))
    signers = {KIND_COSIGNATURE: centre.signers.receipt, KIND_MLDSA44: centre.signers.receipt_mldsa44}
    lines = [
        cosign(
            checkpoint,
            name=receipt_name(centre, centre.party),
            kind=kind,
            timestamp=instant_seconds(centre.clock()),
            sign=signers[kind].sign,
            public=signers[kind].public,
        ).line()
        for kind in kinds
    ]
    return "".join(lines).encode()


def check_receipts(centre: Centre, journal: str, by: str, size: int, lines: bytes) -> list[StoredReceipt]:
    """The receipts by `by` among signature lines, each verified by its newest receipt keys.

    Raises:
        Refusal: a line is malformed, or by that party's key and does not verify.
    """
    state = centre.record.journals[journal]
    other = centre.record.journals[by].identities.latest
    if other is None or not 0 < size <= state.size:
        return []
    checkpoint = Checkpoint(state.origin, size, state.tree.root(size))
    name = receipt_name(centre, by)
    publics = {KIND_COSIGNATURE: other.receipt.ed25519, KIND_MLDSA44: other.receipt.mldsa44}
    found = []
    try:
        for signature in parse_signature_lines(lines):
            for kind, public in publics.items():
                if signature.name == name and signature.key_id == note_key_id(name, kind, public):
                    if receipt_time(checkpoint, name, kind, public, signature.key_id + signature.signature) is None:
                        raise Refusal(f"a receipt by {by} on {journal} to size {size} does not verify", "receipt")
                    found.append(StoredReceipt(journal, by, kind, size, signature.line().encode()))
    except NoteError as error:
        raise Refusal(f"receipt by {by} on {journal} to size {size}: {error}", "receipt") from error
    return found


def take_receipts(centre: Centre, journal: str, by: str, size: int, lines: bytes) -> int:
    """Verify and keep receipts; returns how many were kept.

    Raises:
        Refusal: see `check_receipts`.
    """
    receipts = check_receipts(centre, journal, by, size, lines)
    if receipts:
        # A receipt lost in a power failure is asked for again; waiting for the disk here would only slow every release.
        with centre.store.transaction(durable=False) as writer:
            for receipt in receipts:
                writer.put_receipt(receipt)
    return len(receipts)


def receipted_size(centre: Centre, by: str, kind: int = KIND_COSIGNATURE) -> int:
    """The size of our own journal that `by` has receipted; 0 if none."""
    return max((r.size for r in centre.store.receipts(centre.party) if r.by == by and r.kind == kind), default=0)


def citable(centre: Centre) -> tuple[CitedReceipt, ...]:
    """Receipts on our own journal that are newer than those we have cited, for the next entry's frame.

    Only those that hold for what the entry will cover: a counterpart may have retired the key meanwhile, and dated that
    as it liked. What cannot be cited must not keep us from speaking.
    """
    record, found = centre.speaking, []
    for receipt in centre.store.receipts(centre.party):
        if receipt.kind != KIND_COSIGNATURE or receipt.size <= record.journals[centre.party].cited.get(receipt.by, 0):
            continue
        if receipt.size > centre.journal.size:
            continue
        signature = parse_signature_lines(receipt.line)[0]
        raw = base64.b64encode(signature.key_id + signature.signature).decode()
        cited = CitedReceipt(by=receipt.by, cosignature=raw, size=receipt.size)
        checkpoint = Checkpoint(centre.journal.origin, receipt.size, centre.journal.tree.root(receipt.size))
        if receipt_holds(record, checkpoint, cited, len(record.journals[receipt.by].entries)):
            found.append(cited)
    return tuple(sorted(found, key=lambda cited: cited.by))
