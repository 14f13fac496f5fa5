# SPDX-License-Identifier: Apache-2.0
"""Draft, review, release: nothing leaves a centre that a second officer has not released (where its format says so)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Any, get_args

import msgspec

from servanda.agreement.formats import UNDER_NO_PACK, Format
from servanda.agreement.pack import Pack
from servanda.journal.acceptance import Inadmissible, check_content
from servanda.journal.frame import AsStated, Frame, FrameError, Head, Place, Precedence, Reference, Status, frame_of
from servanda.journal.state import Entry
from servanda.operations.attachments import check_attachments
from servanda.operations.backups import check_backed_up
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal
from servanda.operations.ports import Signer, StoredDraft
from servanda.operations.receipts import citable
from servanda.proof.canonical import CanonicalError, decode, encode
from servanda.proof.envelope import ENTRY_TYPE, Envelope, EnvelopeError, Signature, pae
from servanda.proof.keys import key_id
from servanda.proof.sealing import SealingError, seal

SALT_BYTES = 16
LAST_DRAFT = "drafts/last"
"""Setting that holds the number of the newest draft."""
PLACE = re.compile(r"([a-z][a-z0-9-]{0,31})/([1-9][0-9]{0,15})")


class Draft(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """What an officer writes. Number, heads, receipts and times of release are the centre's to add."""

    format: str
    subject: str
    event_at: str
    author: str
    content: dict[str, Any] = msgspec.field(default_factory=dict)
    format_version: int = 1
    to: tuple[str, ...] = ()
    named: tuple[str, ...] | None = None
    thread: str | None = None
    refers_to: tuple[str, ...] = ()
    precedence: str = "routine"
    status: str = "actual"
    exercise_at: str | None = None
    as_stated: AsStated | None = None
    remarks: str = ""
    language: str = "en"
    seal: tuple[str, ...] = ()
    """Members of `content` that the entry carries sealed; their openings stay with the centre."""
    open_to: tuple[str, ...] = ()
    """Parties among those addressed or named to which openings, or a table's rows, are handed; nobody if empty."""


class DraftView(msgspec.Struct, frozen=True):
    """A draft with its identifier and state."""

    identifier: str
    state: str
    draft: Draft


def parse_draft(data: object) -> Draft:
    """Read a draft from its JSON value.

    Raises:
        Refusal: a member is missing, unknown or of the wrong type.
    """
    try:
        return msgspec.convert(data, Draft)
    except msgspec.ValidationError as error:
        raise Refusal(f"this is not a draft: {error}", "draft") from error


def write_draft(centre: Centre, draft: Draft) -> str:
    """Keep a new draft; returns its identifier.

    Raises:
        Refusal: its author is no officer with the role `author`, or it could not be sent as it stands.
    """
    _officer(centre, draft.author, "author" if _format(centre, draft).release == "two" else "watch")
    check_attachments(draft.format, draft.content)
    sealed, _ = _sealed(draft)
    _check_open_to(draft)
    _check_addressees(centre, draft)
    _check_content(centre, draft, sealed)
    last = int(centre.store.setting(LAST_DRAFT) or b"0") + 1
    identifier = f"d{last}"
    with centre.store.transaction() as writer:
        writer.put_draft(_stored(identifier, "draft", draft))
        writer.put_setting(LAST_DRAFT, str(last).encode())
    return identifier


def submit_draft(centre: Centre, identifier: str) -> None:
    """The author hands a draft to review; from here on only a releasing officer acts on it."""
    view = draft_at(centre, identifier, ("draft",))
    _store(centre, identifier, "submitted", view.draft)


def withdraw_draft(centre: Centre, identifier: str) -> None:
    """Take a draft back before release. It stays in the store, marked."""
    view = draft_at(centre, identifier, ("draft", "submitted"))
    _store(centre, identifier, "withdrawn", view.draft)


def draft_at(centre: Centre, identifier: str, states: Sequence[str] | None = None) -> DraftView:
    """The draft of that identifier.

    Raises:
        Refusal: there is none, or it is not in one of `states`.
    """
    stored = centre.store.draft(identifier)
    if stored is None:
        raise Refusal(f"no draft {identifier}; `servanda drafts` lists them", "no-draft")
    if states is not None and stored.state not in states:
        raise Refusal(f"draft {identifier} is {stored.state}; this needs {' or '.join(states)}", "draft-state")
    return DraftView(identifier, stored.state, parse_draft(decode(stored.body)))


def _store(centre: Centre, identifier: str, state: str, draft: Draft) -> None:
    with centre.store.transaction() as writer:
        writer.put_draft(_stored(identifier, state, draft))


def _stored(identifier: str, state: str, draft: Draft) -> StoredDraft:
    try:
        return StoredDraft(identifier, state, encode(msgspec.to_builtins(draft)))
    except CanonicalError as error:
        raise Refusal(f"draft: {error}", "draft") from error


def release_draft(centre: Centre, identifier: str, releaser: str) -> Entry:
    """A second officer releases a submitted draft: it is numbered, signed by both and committed.

    Raises:
        Refusal: own text (`own-release`), wrong role, or the entry would be inadmissible; nothing has changed.
    """
    view = draft_at(centre, identifier, ("submitted",))
    if releaser == view.draft.author:
        raise Refusal(f"officer {releaser} wrote draft {identifier}: another officer releases it", "own-release")
    _officer(centre, releaser, "release")
    check_backed_up(centre, view.draft.content)
    sealed, openings = _sealed(view.draft)
    frame = compose(centre, sealed, releaser)
    leaf = seal_envelope(centre, frame, [_signer(centre, view.draft.author), _signer(centre, releaser)])
    return centre.commit(leaf, [_stored(identifier, "released", view.draft)], openings, view.draft.open_to)


def _sealed(draft: Draft) -> tuple[Draft, list[str]]:
    """The draft with its members sealed under fresh salts, and their openings."""
    if not draft.seal:
        return draft, []
    try:
        content, openings = seal(draft.content, {name: secrets.token_bytes(SALT_BYTES) for name in draft.seal})
    except SealingError as error:
        raise Refusal(f"draft: {error}", "draft") from error
    return msgspec.structs.replace(draft, content=content, seal=()), openings


def _check_open_to(draft: Draft) -> None:
    """To whom openings go is settled when the entry is written, before anything leaves (spec/line.md, Openings)."""
    if draft.open_to and not draft.seal and "table" not in draft.content:
        raise Refusal("draft: `open-to` hands openings of sealed members, and `seal` names none", "draft")
    strangers = set(draft.open_to) - {*draft.to, *(draft.named or ())}
    if strangers:
        raise Refusal(f"draft: `open-to` names {', '.join(sorted(strangers))}, not addressed or named", "draft")
    if len(set(draft.open_to)) != len(draft.open_to):
        raise Refusal("draft: `open-to` names a party twice", "draft")


def _check_addressees(centre: Centre, draft: Draft) -> None:
    parties = pack_of(centre).parties
    for party in (*draft.to, *(draft.named or ())):
        if party not in parties:
            raise Refusal(f"{party} is not a party of the pack; parties are {', '.join(sorted(parties))}", "addressee")


def _check_content(centre: Centre, draft: Draft, sealed: Draft) -> None:
    """What can be judged before release is judged now, while the author is there to mend it."""
    try:
        check_content(compose(centre, sealed, None), _format(centre, draft))
    except Inadmissible as error:
        raise Refusal(str(error), error.code) from error


def send_alone(centre: Centre, draft: Draft) -> Entry:
    """Release what one officer, or the centre itself, may send without a second one.

    Raises:
        Refusal: the format needs two officers (`release`), or the entry would be inadmissible.
    """
    release = _format(centre, draft).release
    if release == "two":
        raise Refusal(f"format {draft.format} is released by two officers: draft, submit, release", "release")
    check_attachments(draft.format, draft.content)
    signer = centre.signers.centre if draft.author == "centre" else _signer(centre, draft.author)
    _check_open_to(draft)
    check_backed_up(centre, draft.content)
    sealed, openings = _sealed(draft)
    return centre.commit(seal_envelope(centre, compose(centre, sealed, None), [signer]), (), openings, draft.open_to)


def seal_envelope(centre: Centre, frame: Frame, signers: Sequence[Signer]) -> bytes:
    """The leaf: the frame in an envelope, signed by `signers` in this order.

    Raises:
        Refusal: it would be over the size limit (`over-size`).
    """
    try:
        payload = frame.encode()
        message = pae(ENTRY_TYPE, payload)
        signatures = tuple(Signature(key_id(s.public), s.sign(message), s.algorithm) for s in signers)
        for signer, signature in zip(signers, signatures, strict=True):
            centre.checker.made(signer.public, message, signature.sig)
        return Envelope(payload, ENTRY_TYPE, signatures).encode()
    except CanonicalError as error:
        raise Refusal(f"content: {error}", "content") from error
    except EnvelopeError as error:
        raise Refusal(f"the entry is too large or malformed: {error}", "over-size") from error


def compose(centre: Centre, draft: Draft, releaser: str | None) -> Frame:
    """The frame of a draft as it would be released now.

    Raises:
        Refusal: a member has a value that it cannot have.
    """
    form, record = _format(centre, draft), centre.speaking
    force = record.in_force(record.whole)
    value = {
        **{name: value for name, value in msgspec.to_builtins(draft).items() if name not in ("seal", "open-to")},
        "act": form.act,
        "agreement": centre.record.agreement,
        "heads": msgspec.to_builtins(grown_heads(centre)) if draft.format not in ("identity",) else [],
        "number": centre.journal.size + 1,
        "pack": None if draft.format in UNDER_NO_PACK else force,
        "party": centre.party,
        "receipts": msgspec.to_builtins(citable(centre)) if draft.format not in ("identity",) else [],
        "refers-to": [msgspec.to_builtins(reference(centre, place)) for place in draft.refers_to],
        "released-at": centre.clock(),
        "releaser": releaser,
        "thread": msgspec.to_builtins(reference(centre, draft.thread)) if draft.thread else None,
        "version": 1,
        "to": sorted(draft.to),
        "named": None if draft.named is None else sorted(draft.named),
    }
    try:
        return frame_of(value)
    except FrameError as error:
        raise Refusal(f"the entry cannot be written: {error}{_choices(str(error))}", error.code) from error


def _choices(trouble: str) -> str:
    """What may stand where something stands that may not."""
    for name, values in (("status", get_args(Status)), ("precedence", get_args(Precedence))):
        if trouble.endswith(f"`$.{name}`"):
            return f"; {name} is {', '.join(values[:-1])} or {values[-1]}"
    return ""


def grown_heads(centre: Centre) -> tuple[Head, ...]:
    """The counterpart journals that have grown since our last entry, as far as we have judged them."""
    journals = centre.speaking.journals
    before = journals[centre.party].heads_after(len(journals[centre.party].entries))
    return tuple(
        Head(party, state.tree.root(len(state.entries)).hex(), len(state.entries))
        for party, state in sorted(journals.items())
        if party != centre.party and len(state.entries) > before.get(party, 0)
    )


def reference(centre: Centre, text: str) -> Reference:
    """The reference to the entry at `party/number`.

    Raises:
        Refusal: no such entry is held.
    """
    match = PLACE.fullmatch(text)
    entry = centre.speaking.entry(Place(match[1], int(match[2]))) if match else None
    if entry is None:
        raise Refusal(f"{text!r} names no entry that is held; write party/number, as in syr/12", "reference")
    return Reference(entry.place.party, entry.place.number, entry.hash.hex())


def pack_of(centre: Centre) -> Pack:
    """The pack under which this centre writes now; before one is in force, the agreement's first."""
    record = centre.speaking
    return record.packs[record.in_force(record.whole) or record.agreement]


def _format(centre: Centre, draft: Draft) -> Format:
    pack = pack_of(centre)
    form = pack.formats.get((draft.format, draft.format_version))
    if form is None:
        known = ", ".join(sorted({name for name, _ in pack.formats}))
        raise Refusal(
            f"no format {draft.format} version {draft.format_version} in the pack in force; it has {known}", "format"
        )
    return form


def _officer(centre: Centre, name: str, role: str) -> None:
    identity = centre.journal.identities.latest
    officer = identity.officers.get(name) if identity else None
    if officer is None:
        known = ", ".join(sorted(identity.officers)) if identity else "none"
        raise Refusal(f"no officer {name} in the identity of {centre.party}; officers are {known}", "unknown-key")
    allowed = {role, "release"} if role == "watch" else {role}
    if not officer.roles & allowed:
        raise Refusal(f"officer {name} has not the role {role}", "wrong-role")


def _signer(centre: Centre, name: str) -> Signer:
    signer = centre.signers.officers.get(name)
    if signer is None:
        known = ", ".join(sorted(centre.signers.officers)) or "no officer"
        raise Refusal(f"the keyring holds no key of officer {name}; it holds those of {known}", "unknown-key")
    return signer
