# SPDX-License-Identifier: Apache-2.0
"""An urgent entry ahead of a backlog, and the receipt for it alone (spec/line.md, Ahead of a backlog).

Numbers and order stay as they are: the ordinary push brings the entry once more, in its place, and there it must be the
same one under the same root.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from servanda.agreement.dates import DateExpressionError, check_instant
from servanda.journal.acceptance import Inadmissible, check_signatures, prepare
from servanda.journal.frame import Frame
from servanda.journal.state import JournalState, Prepared, Tree
from servanda.operations.centre import Centre
from servanda.operations.comparing import compare, keep_proof, whole_path
from servanda.operations.errors import Conflict, Refusal, TryLater
from servanda.operations.ports import Advance, Courier, Push, StoredAdvance
from servanda.operations.receipts import receipted_size
from servanda.proof.canonical import CanonicalError, decode, encode
from servanda.proof.checkpoints import Checkpoint, CheckpointError, parse_checkpoint, verify_checkpoint
from servanda.proof.envelope import ADVANCE_TYPE, Envelope, EnvelopeError, Signature, pae, parse_envelope
from servanda.proof.forks import ForkProof
from servanda.proof.keys import SignatureInvalid, key_id, verify_ed25519
from servanda.proof.merkle import MerkleError, inclusion_path, verify_inclusion
from servanda.proof.notes import KIND_ED25519, Note, NoteError, note_key_id, parse_note

URGENT = ("flash", "immediate")
"""Precedences that may go ahead, the most urgent first."""

ADVANCES_MAX = 64
"""How many entries of one journal a centre holds ahead of their places."""

ADVANCES_BYTES_MAX = 2 * 1024 * 1024
"""How many bytes of leaves of one journal a centre holds ahead of their places."""

ROUND_MAX = 8
"""How many entries go ahead of one push; the rest of what a centre may hold is kept for what is released later."""

GO_ON = frozenset({"advances-full", "earlier-identity"})
"""Codes by which the other centre says that it can take nothing in advance now: no reason to wait with the push."""

log = logging.getLogger(__name__)


def take_advance(centre: Centre, advance: Advance, peer: str) -> bytes:
    """Keep an entry ahead of its place, and return our advance receipt over it. Idempotent.

    Numbered as it happens: 1 whose journal, 2 what it says, 3 the checkpoint, 4 inclusion, 5 what is held already,
    6 limits, 7 durable, 8 receipt.

    Raises:
        Refusal: not the peer's journal, not an urgent entry of this place, or not proved.
        TryLater: an identity that comes before it is not held, or too much is held in advance already.
        Conflict: what is held proves that the journal has two histories; the proof is kept.
    """
    # 1. Whose journal: only the party itself brings what has no place yet.
    state = centre.record.journals.get(advance.journal)
    if state is None or advance.journal == centre.party or advance.journal != peer:
        raise Refusal(f"{peer} does not bring the journal of {advance.journal}", "wrong-journal")
    if advance.journal in centre.record.limits:  # else each history that it signs would be one more proof to keep
        raise Refusal(f"a fork of the journal of {advance.journal} is proven: nothing goes ahead in it", "fork")
    # 2. What it says: an urgent entry of this agreement that lies there.
    prepared = _urgent(centre, advance)
    # 3. The checkpoint ends with it, and is signed by the centre key that holds for its number.
    note, checkpoint = _checked(centre, state, advance)
    # 4. Inclusion.
    try:
        verify_inclusion(prepared.hash, advance.number - 1, advance.number, advance.path, checkpoint.root)
    except MerkleError as error:
        raise Refusal(f"entry {advance.journal}/{advance.number}: {error}", "inclusion") from error
    # 5. What is held already must belong to the same history.
    known = _held_already(centre, state, advance, note)
    if known is None:
        # 6. Limits.
        _check_room(centre, advance)
        # 7. Durable before anything is signed.
        known = StoredAdvance(advance.journal, advance.number, advance.leaf, note.encode(), centre.clock())
        with centre.store.transaction() as writer:
            writer.put_advance(known)
    # 8. The receipt says what we hold, and since when.
    return _receipt(centre, known, prepared)


def _urgent(centre: Centre, advance: Advance) -> Prepared:
    prepared = prepare(advance.leaf)
    frame = prepared.frame
    if frame is None:
        raise Refusal(f"not an entry: {prepared.reason}", "advance")
    if (frame.agreement, frame.party, frame.number) != (centre.record.agreement, advance.journal, advance.number):
        raise Refusal(f"the entry does not lie at {advance.journal}/{advance.number}", "advance")
    if frame.precedence not in URGENT:
        raise Refusal(f"only entries of precedence {' or '.join(URGENT)} go ahead", "advance")
    return prepared


def _checked(centre: Centre, state: JournalState, advance: Advance) -> tuple[Note, Checkpoint]:
    identity = state.identities.for_size(advance.number)
    try:
        note = parse_note(advance.checkpoint)
        stated = parse_checkpoint(note.text)
        if stated.origin != state.origin or stated.size != advance.number:
            raise Refusal(f"not a checkpoint of {advance.journal} at {advance.number}", "checkpoint")
        known = identity and (state.origin, note_key_id(state.origin, KIND_ED25519, identity.centre.ed25519))
        if identity is None or known not in [(line.name, line.key_id) for line in note.signatures]:
            raise TryLater(
                f"no identity of {advance.journal} held here gives the key of that checkpoint; push what comes before",
                "earlier-identity",
            )
        checkpoint = verify_checkpoint(note, identity.centre.ed25519)
    except (NoteError, CheckpointError) as error:
        raise Refusal(f"checkpoint of {advance.journal}: {error}", "checkpoint") from error
    return Note(note.text, tuple(line for line in note.signatures if (line.name, line.key_id) == known)[:1]), checkpoint


def _held_already(centre: Centre, state: JournalState, advance: Advance, note: Note) -> StoredAdvance | None:
    if advance.number <= state.size:
        proof = compare(centre, advance.journal, note.encode(), lambda _first, _second: ())
        if proof is not None:
            raise _conflict(centre, advance.journal, advance.number, proof)
        raise Refusal(f"{advance.journal}/{advance.number} lies in its place already", "in-place")
    for known in centre.store.advances(advance.journal):
        if known.number == advance.number:
            if parse_note(known.note).text != note.text:
                raise _conflict(centre, advance.journal, known.number, ForkProof(known.note, note.encode(), ()))
            return known
    return None


def _conflict(centre: Centre, journal: str, number: int, proof: ForkProof) -> Conflict:
    """The error for two histories, after its proof has been kept; what was held in advance has done its work then."""
    name = keep_proof(centre, journal, proof)
    with centre.store.transaction() as writer:
        writer.drop_advances(journal, [number])
    return Conflict(f"{journal} has two histories at {number}: {name} proves it", proof.first)


def _check_room(centre: Centre, advance: Advance) -> None:
    held = centre.store.advances(advance.journal)
    size = sum(len(known.leaf) for known in held) + len(advance.leaf)
    if len(held) >= ADVANCES_MAX or size > ADVANCES_BYTES_MAX:
        raise TryLater(
            f"{len(held)} entries of {advance.journal} are held in advance; push what comes before", "advances-full"
        )


def _receipt(centre: Centre, known: StoredAdvance, prepared: Prepared) -> bytes:
    payload = encode(_stated(centre, centre.party, known.journal, known.number, prepared.hash, known.held_at))
    signer = centre.signers.receipt
    signature = Signature(key_id(signer.public), signer.sign(pae(ADVANCE_TYPE, payload)), signer.algorithm)
    return Envelope(payload, ADVANCE_TYPE, (signature,)).encode()


def _stated(centre: Centre, by: str, journal: str, number: int, leaf: bytes, held_at: str) -> dict[str, Any]:
    return {
        "agreement": centre.record.agreement,
        "by": by,
        "held-at": held_at,
        "journal": journal,
        "leaf": leaf.hex(),
        "number": number,
    }


def settle_advances(centre: Centre, state: JournalState, note: Note, fresh: Sequence[Prepared]) -> list[int]:
    """Compare what was held in advance with leaves that come into their places, under a checkpoint that holds.

    Returns:
        Numbers of the entries held in advance that may be let go once the leaves are durable.

    Raises:
        Conflict: the journal has another history now than its centre signed then; the proof is kept.
    """
    placed = []
    for known in centre.store.advances(state.party):
        if not state.size < known.number <= state.size + len(fresh):
            continue
        root = state.tree.extended([item.hash for item in fresh[: known.number - state.size]])[1]
        if parse_checkpoint(parse_note(known.note).text).root != root:
            raise _conflict(centre, state.party, known.number, _proof_in_place(state, known, note.encode(), fresh))
        placed.append(known.number)
    return placed


def _proof_in_place(state: JournalState, known: StoredAdvance, note: bytes, fresh: Sequence[Prepared]) -> ForkProof:
    branch = Tree()
    for hashed in (*state.tree.levels[0], *(item.hash for item in fresh)):
        branch.append(hashed)
    if branch.size == known.number:
        return ForkProof(known.note, note, ())
    return ForkProof(known.note, note, tuple(whole_path(branch, known.number, branch.size)))


class Ahead:
    """The sending side: what goes ahead of which push, and what came back."""

    def __init__(self, centre: Centre, courier: Courier) -> None:
        """Send for `centre`, whose lock is taken where it is needed, by `courier`."""
        self._centre = centre
        self._courier = courier
        self._refused: set[tuple[str, int]] = set()

    def send(self, party: str, push: Push) -> int:
        """Send to `party` what is urgent behind `push`, which goes next; returns for how many a receipt was kept.

        What is refused goes in its place and is not tried again. That the other centre can take nothing in advance now
        is no reason to wait with the push.

        Raises:
            TryLater: the line is down.
            Conflict: the other centre holds another history of our journal.
        """
        with self._centre.lock:
            chosen = [
                self._advance(n) for n in urgent_behind(self._centre, party, push) if (party, n) not in self._refused
            ]
        kept = 0
        for advance in chosen:
            try:
                receipt = self._courier.advance(party, advance)
                with self._centre.lock:
                    keep_advance_receipt(self._centre, party, advance.number, receipt)
                kept += 1
            except Refusal as error:
                log.warning("entry %d ahead of its place to %s: %s: %s", advance.number, party, error.code, error)
                self._refused.add((party, advance.number))
            except TryLater as error:
                if error.code not in GO_ON:
                    raise
                break
        return kept

    def _advance(self, number: int) -> Advance:
        centre = self._centre
        path = inclusion_path(number - 1, number, centre.journal.tree.node)
        leaf = centre.store.leaves(centre.party, number, 1)[0]
        return Advance(centre.party, number, leaf, tuple(path), centre.note_at(number))


def urgent_behind(centre: Centre, party: str, push: Push) -> list[int]:
    """Numbers of our entries that go ahead of `push` to a party: flash before immediate, the newest first.

    Only what is newer than all that went ahead before it: the room that a counterpart gives is for what is new. Nothing
    goes past an identity that the party has not receipted, for without it nothing behind it can be checked; entry 1 it
    has from our card.
    """
    journal, last = centre.journal, push.first + len(push.leaves) - 1
    identity = journal.identities.latest
    if last >= journal.size or identity is None or identity.number > max(1, receipted_size(centre, party)):
        return []
    sent = {n for n in centre.store.advance_receipts(party) if n > last}
    found: list[int] = []
    for precedence in URGENT:
        numbers = [
            entry.place.number
            for entry in journal.entries[last:]
            if entry.frame is not None and entry.frame.precedence == precedence
        ]
        newest = max(sent.intersection(numbers), default=0)
        found += [number for number in reversed(numbers) if number > newest]
    return found[: min(ROUND_MAX, max(0, ADVANCES_MAX - len(sent)))]


def keep_advance_receipt(centre: Centre, by: str, number: int, receipt: bytes) -> None:
    """Verify and keep the advance receipt by a party on our entry `number`.

    Raises:
        Refusal: it is not one by its receipt key over that entry (`receipt`).
    """
    _check_receipt(centre, by, number, receipt)
    with centre.store.transaction(durable=False) as writer:  # one that is lost in a power failure is asked for again
        writer.put_advance_receipt(by, number, receipt)


def _check_receipt(centre: Centre, by: str, number: int, receipt: bytes) -> None:
    identity = centre.record.journals[by].identities.latest
    leaf = centre.journal.tree.node(0, number - 1)
    try:
        envelope = parse_envelope(receipt)
        told = decode(envelope.payload)
        held_at = check_instant(str(told.get("held-at"))) if isinstance(told, dict) else ""
        stated = _stated(centre, by, centre.party, number, leaf, held_at)
        if envelope.payload_type != ADVANCE_TYPE or envelope.payload != encode(stated):
            raise Refusal(f"the advance receipt by {by} is for something else than our entry {number}", "receipt")
        signatures = envelope.signatures
        if identity is None or [s.keyid for s in signatures] != [key_id(identity.receipt.ed25519)]:
            raise Refusal(f"the advance receipt is not signed by the receipt key of {by}", "receipt")
        verify_ed25519(identity.receipt.ed25519, pae(ADVANCE_TYPE, envelope.payload), signatures[0].sig)
    except (EnvelopeError, CanonicalError, DateExpressionError, SignatureInvalid) as error:
        raise Refusal(f"the advance receipt by {by}: {error}", "receipt") from error


def advances_document(centre: Centre) -> dict[str, Any]:
    """What is held here ahead of its place, and what of ours lies at other centres ahead of a backlog."""
    return {
        "held": [_held_view(centre, known) for known in centre.advances],
        "sent": [
            {"entry": f"{centre.party}/{number}", "party": party, "held-at": held_at, "ahead-of": number - size - 1}
            for party, state in sorted(centre.record.journals.items())
            if party != centre.party and state.size
            for size in (receipted_size(centre, party),)
            for number, receipt in centre.store.advance_receipts(party).items()
            if number > size
            for held_at in (_stated_time(receipt),)
        ],
    }


def _stated_time(receipt: bytes) -> str:
    """Since when, by a receipt that was verified when it was kept; its key may have been renewed since."""
    told = decode(parse_envelope(receipt).payload)
    return str(told["held-at"]) if isinstance(told, dict) else ""


def _held_view(centre: Centre, known: StoredAdvance) -> dict[str, Any]:
    state, prepared = centre.record.journals[known.journal], prepare(known.leaf)
    frame: Frame | None = prepared.frame
    return {
        "entry": f"{known.journal}/{known.number}",
        "leaf": prepared.hash.hex(),
        "held-at": known.held_at,
        "complete": False,
        "missing": known.number - state.size - 1,
        "signature": _signature(centre, state, known.number, prepared),
        "frame": msgspec.to_builtins(frame),
    }


def _signature(centre: Centre, state: JournalState, number: int, prepared: Prepared) -> str:
    """Whether the entry is signed as its author and releaser call for, by the identities held: `verified` or a code."""
    try:
        check_signatures(centre.record, state, number, prepared)
    except Inadmissible as error:
        return error.code
    return "verified"


def _advances(centre: Centre, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return advances_document(centre)


COMMANDS: dict[str, Callable[[Centre, Mapping[str, Any]], Any]] = {"advances": _advances}
"""Commands of the desk, by name."""
