# SPDX-License-Identifier: Apache-2.0
"""How an entry is judged: steps 1 to 8 of spec/entry.md, in its order and by its numbers. Step 9 is `acts.py`.

The verdict depends on the author's earlier entries and on what its heads and references cover, and on nothing else, so
every centre comes to the same one. The steps read a `RecordState`; they change nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from servanda.agreement.dates import DateExpressionError, NoSuchDateError, instant_seconds, parse_span
from servanda.agreement.effects import EFFECTS, effect_validators, performs_validator
from servanda.agreement.formats import UNDER_NO_PACK, Format
from servanda.agreement.pack import Pack
from servanda.agreement.tables import table_problem
from servanda.journal.frame import CitedReceipt, Frame, FrameError, parse_frame
from servanda.journal.identity import Identity, IdentityError, parse_identity
from servanda.journal.receipting import receipt_time
from servanda.journal.state import JournalState, Prepared, RecordState
from servanda.proof.checkpoints import Checkpoint
from servanda.proof.envelope import ENTRY_TYPE, EnvelopeError, Signature, pae, parse_envelope
from servanda.proof.keys import key_id
from servanda.proof.merkle import leaf_hash
from servanda.proof.notes import KIND_COSIGNATURE

_EFFECT_SHAPES = effect_validators()
_PERFORMS_SHAPE = performs_validator()
ROOT_FORMATS = frozenset({"identity", "branch"})


class Inadmissible(Exception):
    """The entry has no effect. `code` is the stable code of the step that failed."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Waiting(Exception):
    """Something that the entry needs is not held yet; it has no effect until it is."""


class Judged(NamedTuple):
    """What the steps found out on the way, for the record: the entry's past and its format."""

    cut: Mapping[str, int]
    form: Format


def prepare(leaf: bytes) -> Prepared:
    """Steps 1 and 2: parse the leaf. What fails is kept as a code, not raised: the leaf still has its number."""
    prepared = Prepared(leaf, leaf_hash(leaf))
    # 1. unreadable: an envelope of entry type, within the size limit.
    try:
        envelope = parse_envelope(leaf)
    except EnvelopeError as error:
        prepared.code, prepared.reason = "unreadable", str(error)
        return prepared
    if envelope.payload_type != ENTRY_TYPE:
        prepared.code, prepared.reason = "unreadable", f"payload type {envelope.payload_type} is not that of an entry"
        return prepared
    prepared.envelope = envelope
    # 2. frame, version.
    try:
        prepared.frame = parse_frame(envelope.payload)
    except FrameError as error:
        prepared.code, prepared.reason = error.code, str(error)
    return prepared


def check_place(record: RecordState, journal: JournalState, number: int, frame: Frame) -> None:
    """Step 3. misplaced: agreement, party and number are those of where the leaf lies."""
    if (frame.agreement, frame.party, frame.number) != (record.agreement, journal.party, number):
        raise Inadmissible(
            "misplaced",
            f"says {frame.party}/{frame.number} of agreement {frame.agreement[:12]}…, lies at {journal.party}/{number}",
        )


def check_signatures(record: RecordState, journal: JournalState, number: int, prepared: Prepared) -> Identity | None:
    """Step 4. signature: exactly those that author and releaser call for, by the identity that holds for this number.

    Returns:
        The identity that the entry states, if it is one.
    """
    frame, envelope = prepared.frame, prepared.envelope
    assert frame is not None
    assert envelope is not None
    before = journal.identities.before(number)
    stated: Identity | None = None
    if before is None and number > 1:
        raise Inadmissible("identity", "entry 1 states no identity: nobody can sign in this journal")
    if frame.format == "identity" or number == 1:
        if frame.format != "identity":
            raise Inadmissible("identity", "entry 1 of a journal is an identity entry")
        if frame.heads or frame.receipts or frame.refers_to or frame.to or frame.pack or frame.act != "notify":
            raise Inadmissible(
                "identity", "an identity entry addresses, cites and refers to nothing, and names no pack"
            )
        if frame.format_version != 1:
            raise Inadmissible("identity", f"version {frame.format_version} of identity entries is not known")
        try:
            stated = parse_identity(frame.content, number, frame.released_at)
        except IdentityError as error:
            raise Inadmissible("identity", str(error)) from error
    message = pae(envelope.payload_type, envelope.payload)
    if frame.author == "root":
        if frame.releaser is not None or frame.format not in ROOT_FORMATS:
            raise Inadmissible("signature", "the root keys sign identity and branch entries, alone")
        _check_root(record, before, stated, envelope.signatures, message)
        return stated
    if stated is not None:
        raise Inadmissible("identity", "an identity entry is signed by the root keys")
    assert before is not None
    keys = _signing_keys(journal, before, frame)
    if [signature.keyid for signature in envelope.signatures] != [key_id(key) for key in keys]:
        raise Inadmissible("signature", "the signatures are not those of author and releaser, in that order")
    for key, signature in zip(keys, envelope.signatures, strict=True):
        if not record.check(key, message, signature.sig):
            raise Inadmissible("signature", f"the signature by key {signature.keyid} does not verify")
    return None


def _check_root(
    record: RecordState,
    before: Identity | None,
    stated: Identity | None,
    signatures: tuple[Signature, ...],
    message: bytes,
) -> None:
    # spec/identity.md 1 and 2: by the threshold of the root before, and of the root that is stated.
    judges = [identity for identity in (before, stated) if identity is not None]
    known = {keyid: key for identity in judges for keyid, key in identity.root_by_id.items()}
    ids = [signature.keyid for signature in signatures]
    if ids != sorted(ids):
        raise Inadmissible("signature", "signatures of root keys are sorted by key id")
    for signature in signatures:
        if signature.keyid not in known or not record.check(known[signature.keyid], message, signature.sig):
            raise Inadmissible("signature", f"the signature by key {signature.keyid} is not by a root key")
    for identity in judges:
        count = sum(1 for keyid in ids if keyid in identity.root_by_id)
        if count < identity.threshold:
            raise Inadmissible("signature", f"{count} root keys have signed, {identity.threshold} are needed")


def _signing_keys(journal: JournalState, identity: Identity, frame: Frame) -> list[bytes]:
    if frame.author == "centre":
        if frame.releaser is not None:
            raise Inadmissible("signature", "what the centre authors has no releaser")
        return [identity.centre.ed25519]
    if frame.releaser is None:
        return [_officer_key(journal, identity, frame.number, frame.author, ("watch", "release"))]
    if frame.releaser == frame.author:
        raise Inadmissible("own-release", f"officer {frame.author} released own text")
    return [
        _officer_key(journal, identity, frame.number, frame.author, ("author",)),
        _officer_key(journal, identity, frame.number, frame.releaser, ("release",)),
    ]


def _officer_key(journal: JournalState, identity: Identity, number: int, name: str, roles: tuple[str, ...]) -> bytes:
    officer = identity.officers.get(name)
    if officer is None:
        if any(name in earlier.officers for earlier in journal.identities.up_to(number - 1)):
            raise Inadmissible("retired-key", f"officer {name} is retired")
        raise Inadmissible("unknown-key", f"no officer {name} in the identity of {journal.party}")
    if not officer.roles.intersection(roles):
        raise Inadmissible("wrong-role", f"officer {name} has not the role {' or '.join(roles)}")
    return officer.public


def check_heads(record: RecordState, journal: JournalState, number: int, frame: Frame) -> Mapping[str, int]:
    """Step 5. heads, reference: what the author had is growing, true, closed under past, and covers all references.

    Returns:
        The effective heads of the entry.
    """
    before = journal.heads_after(number - 1)
    heads = before
    if frame.heads:
        heads = dict(before)
        for head in frame.heads:
            if head.party == journal.party or head.size <= before.get(head.party, 0):
                raise Inadmissible("heads", f"the head of {head.party} is its own, or has not grown")
            heads[head.party] = head.size
        for head in frame.heads:
            other = record.journals.get(head.party)
            if other is None or len(other.entries) < head.size:
                raise Waiting(f"entry {head.party}/{head.size} is not held or not judged yet")
            if other.tree.root(head.size).hex() != head.root:
                raise Waiting(f"the journal of {head.party} is held with another root at size {head.size}")
        for head in frame.heads:
            for party, size in record.journals[head.party].heads_after(head.size).items():
                limit = number - 1 if party == journal.party else heads.get(party, 0)
                if size > limit:
                    raise Inadmissible(
                        "heads", f"covers {head.party}/{head.size} but not {party}/{size}, which that covers"
                    )
    for reference in frame.refers_to if frame.thread is None else (*frame.refers_to, frame.thread):
        limit = number - 1 if reference.party == journal.party else heads.get(reference.party, 0)
        entry = record.entry(reference.place) if reference.number <= limit else None
        if entry is None or entry.hash.hex() != reference.leaf:
            raise Inadmissible("reference", f"refers to {reference.place}, which its past does not contain")
    return heads


def check_receipts(
    record: RecordState, journal: JournalState, number: int, frame: Frame, heads: Mapping[str, int]
) -> None:
    """Step 6. receipt: each cited receipt verifies, is on an earlier size, and newer than the one cited before."""
    for cited in frame.receipts:
        if cited.by == journal.party or not journal.cited.get(cited.by, 0) < cited.size < number:
            raise Inadmissible("receipt", f"the receipt by {cited.by} to size {cited.size} is its own, stale or ahead")
        root = journal.tree.root(cited.size)
        checkpoint = Checkpoint(journal.origin, cited.size, root)
        if not receipt_holds(record, checkpoint, cited, heads.get(cited.by, 0)):
            raise Inadmissible("receipt", f"the receipt by {cited.by} to size {cited.size} does not verify")


def receipt_holds(record: RecordState, checkpoint: Checkpoint, cited: CitedReceipt, covered: int) -> bool:
    """Whether a receipt verifies for an entry that covers its party's journal up to `covered`.

    spec/identity.md 4: by the current receipt key, or by one retired no earlier than the timestamp.
    """
    name = f"{record.origin(cited.by)}/receipt"
    other = record.journals.get(cited.by)
    identities = other.identities.up_to(covered) if other else []
    raw = base64.b64decode(cited.cosignature)
    for index, identity in enumerate(identities):
        if index + 1 < len(identities) and identities[index + 1].receipt.ed25519 == identity.receipt.ed25519:
            continue
        timestamp = receipt_time(checkpoint, name, KIND_COSIGNATURE, identity.receipt.ed25519, raw)
        if timestamp is None:
            continue
        if index + 1 == len(identities) or timestamp <= instant_seconds(identities[index + 1].released_at):
            return True
    return False


def check_pack(record: RecordState, frame: Frame, cut: Mapping[str, int]) -> tuple[Pack, Format]:
    """Step 7. pack, format, act, release, sender, addressee: by the pack that is in force in the past.

    Returns:
        The pack by which names are judged, and the entry's format.
    """
    force = record.in_force(cut)
    if frame.format in UNDER_NO_PACK:
        if frame.pack is not None:
            raise Inadmissible("pack", f"a {frame.format} entry names no pack")
    elif frame.pack is None or frame.pack != force:
        raise Inadmissible("pack", f"judged by pack {frame.pack}, but {force or 'none'} is in force in its past")
    pack = record.packs[force or record.agreement]
    form = pack.formats.get((frame.format, frame.format_version))
    if form is None:
        raise Inadmissible("format", f"format {frame.format} version {frame.format_version} is not in the pack")
    if form.act != frame.act:
        raise Inadmissible("act", f"format {frame.format} rests on {form.act}, not on {frame.act}")
    released = "root" if frame.author == "root" else "centre" if frame.author == "centre" else None
    released = released or ("one" if frame.releaser is None else "two")
    if released != form.release:
        raise Inadmissible("release", f"format {frame.format} is released by {form.release}, not by {released}")
    if form.may_send and frame.party not in form.may_send:
        raise Inadmissible("sender", f"{frame.party} may not send {frame.format}")
    for party in (*frame.to, *(frame.named or ())):
        if party not in pack.parties:
            raise Inadmissible("addressee", f"{party} is not a party of the pack")
    return pack, form


def check_content(frame: Frame, form: Format) -> None:
    """Step 8. content: the format's fields, the shape of its effect, `performs`, dates and seals."""
    reason = form.validator.problem(frame.content)
    if reason is None and form.effect in EFFECTS:
        reason = _EFFECT_SHAPES[form.effect].problem(frame.content)
    if reason is None and form.performs and "performs" in frame.content:
        reason = _PERFORMS_SHAPE.problem(frame.content["performs"])
        if reason is None and any(p["extent"] == "part" and p["done"] > p["of"] for p in frame.content["performs"]):
            reason = "performs: more is done than there is"
        named = [p["obligation"] for p in frame.content["performs"]] if reason is None else []
        if len(set(named)) != len(named):
            reason = "performs: an obligation occurs twice"
    if reason is None:
        reason = table_problem(frame.content, form.effect, has_rows=form.rows is not None)
    if reason is None and form.effect == "custody.figure":
        reason = _figures_problem(frame.content)
    if reason is not None:
        raise Inadmissible("content", reason)


def _figures_problem(content: dict[str, Any]) -> str | None:
    """What is wrong with the dates of figures: each is a date expression; one that does not exist is kept as stated."""
    try:
        for figure in content["figures"]:
            with suppress(NoSuchDateError):
                parse_span(figure["as-of"])
    except DateExpressionError as error:
        return f"as-of: {error}"
    return None
