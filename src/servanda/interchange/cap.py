# SPDX-License-Identifier: Apache-2.0
"""An entry as a CAP 1.2 message (OASIS Standard, 1 July 2010). The tables are in docs/reference/interchange.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from typing import Any

from servanda.agreement.dates import instant_seconds
from servanda.agreement.pack import Pack
from servanda.interchange.capfile import NAMESPACE
from servanda.interchange.errors import InterchangeError
from servanda.interchange.marking import MARKS, MEANINGS, marked
from servanda.journal.frame import Frame, Place
from servanda.journal.record import Record
from servanda.journal.state import Entry
from servanda.registers.alerts.cases import QUESTIONS, Case
from servanda.registers.alerts.fold import AlertsRegister

STATUS = {"actual": "Actual", "exercise": "Exercise", "test": "Test"}
URGENCY = {"flash": "Immediate", "immediate": "Immediate", "priority": "Expected", "routine": "Unknown"}
"""Precedence says how soon the reader is to act, which is what CAP means by urgency; routine says nothing of it."""
SEVERITY = CERTAINTY = "Unknown"
"""Nothing in an entry's frame says how great or how certain a threat is."""
CATEGORY = "Other"
"""CAP wants one; a class of alerts names none."""
UPDATES = frozenset({"alerts.answer", "alerts.assessment", "alerts.meeting"})
ANSWERS = {"accepted": "Ack", "rejected": "Error"}
APART = frozenset({"stix", "stix-sha256", "_sd", "class", "answer-by", "word", "number"})
"""Members of a content that are no text for people, or are told in a place of their own."""

_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def cap_identifier(agreement: str, place: Place) -> str:
    """By which name an entry goes in CAP: agreement and place, without space, comma or sign of XML."""
    return f"{agreement}/{place}"


def cap_sender(agreement: str, party: str) -> str:
    """By which name a party goes in CAP: unique, since the agreement's digest is."""
    return f"{party}@{agreement}"


def cap_time(instant: str) -> str:
    """A time as CAP writes it: whole seconds, and `-00:00` for UTC (section 3.3.2)."""
    moment = datetime.fromtimestamp(instant_seconds(instant), UTC)
    return f"{moment.replace(tzinfo=None).isoformat(timespec='seconds')}-00:00"


def cap_reference(agreement: str, entry: Entry) -> str:
    """How `<references>` names an entry."""
    assert entry.frame is not None
    sender, identifier = cap_sender(agreement, entry.place.party), cap_identifier(agreement, entry.place)
    return f"{sender},{identifier},{cap_time(entry.frame.released_at)}"


def cap_out(register: AlertsRegister, entry: Entry) -> bytes:
    """The CAP 1.2 file of an entry.

    Raises:
        InterchangeError: CAP has no message for it (`cap-none`): it is inadmissible, in no case, or of a kind that CAP
            does not know, as a notice that an entry was opened.
    """
    frame = entry.frame
    if frame is None or not entry.admissible:
        raise InterchangeError(f"{entry.place} is inadmissible: {entry.code}", "cap-none")
    kind, about = _kind(register, entry, frame)
    case = register.cases.get(register.case_of.get(entry.place, entry.place))
    return _document(_alert(register.record, entry, frame, kind, about, case))


def _kind(register: AlertsRegister, entry: Entry, frame: Frame) -> tuple[str, list[Entry]]:
    """Type of message, and the entries to which it refers."""
    effect = register.record.effect_of(entry)
    said = _held(register.record, [reference.place for reference in frame.refers_to])
    case = register.cases.get(register.case_of[entry.place]) if entry.place in register.case_of else None
    if frame.format == "acknowledge":
        kind = ANSWERS.get(frame.content["disposition"])
        if kind is None:
            raise InterchangeError(
                "CAP knows acceptance and rejection, and no notice that an entry was opened", "cap-none"
            )
        return kind, said
    if case is None:
        raise InterchangeError(f"{entry.place} is in no case", "cap-none")
    if effect in QUESTIONS and case.opening == entry.place:
        return "Alert", []
    if effect == "alerts.closure":
        return "Cancel", _held(register.record, case.questions)
    if effect in QUESTIONS or effect in UPDATES or frame.format == "correct":
        return "Update", said
    raise InterchangeError(f"CAP has no message for the format {frame.format}", "cap-none")


def _held(record: Record, places: list[Place]) -> list[Entry]:
    return [entry for entry in map(record.entry, places) if entry is not None and entry.frame is not None]


def _alert(
    record: Record, entry: Entry, frame: Frame, kind: str, about: list[Entry], case: Case | None
) -> Iterator[tuple[str, Any]]:
    """The elements of `<alert>`, in the order of the schema."""
    agreement = record.agreement
    yield "identifier", cap_identifier(agreement, entry.place)
    yield "sender", cap_sender(agreement, entry.place.party)
    yield "sent", cap_time(frame.released_at)
    yield "status", STATUS[frame.status]
    yield "msgType", kind
    yield "source", "servanda"
    if frame.to:
        yield "scope", "Private"
        yield "addresses", " ".join(cap_sender(agreement, party) for party in frame.to)
    else:
        yield "scope", "Restricted"
        yield "restriction", f"Parties to the agreement {agreement}"
    if MARKS[frame.status]:
        yield "code", MARKS[frame.status]
    note = " ".join(part for part in (MEANINGS[frame.status], _note(frame)) if part)
    if note:
        yield "note", note
    if about:
        yield "references", " ".join(cap_reference(agreement, other) for other in about)
    if case is not None:
        yield "incidents", cap_identifier(agreement, case.opening)
    if kind not in ("Ack", "Error"):
        pack = record.packs[frame.pack or agreement]
        for language in _languages(pack, frame):
            yield "info", list(_info(pack, frame, entry, language))


def _note(frame: Frame) -> str:
    at = f"The exercise's own time is {frame.exercise_at}." if frame.exercise_at else ""
    reason = str(frame.content.get("reason", "")) if frame.format == "acknowledge" else ""
    return " ".join(part for part in (at, reason) if part)


def _languages(pack: Pack, frame: Frame) -> list[str]:
    """The pack's languages; the entry's own is added if the pack has not even its first part."""
    known: list[str] = list(pack.data["languages"])
    return known if _own(known, frame.language) else [*known, frame.language]


def _own(known: list[str], language: str) -> str | None:
    """Which of the languages is that of the text."""
    if language in known:
        return language
    return next((one for one in known if one.split("-")[0] == language.split("-")[0]), None)


def _info(pack: Pack, frame: Frame, entry: Entry, language: str) -> Iterator[tuple[str, Any]]:
    """The elements of one `<info>`: names in its language, and free text only if it is written in that language."""
    first = pack.data["languages"][0]
    code = pack.codes.get((str(frame.content.get("word")), frame.content.get("number", 0)))
    own = (_own(list(pack.data["languages"]), frame.language) or frame.language) == language
    yield "language", frame.language if own else language
    yield "category", CATEGORY
    yield "event", marked(_name(pack, frame, language, first), frame.status)
    yield "urgency", URGENCY[frame.precedence]
    yield "severity", SEVERITY
    yield "certainty", CERTAINTY
    if _is_instant(frame.event_at):
        yield "onset", cap_time(frame.event_at)
    party: Any = next((p for p in pack.data["parties"] if p["id"] == entry.place.party), {"names": {}})
    yield "senderName", party["names"].get(language) or party["names"].get(first) or entry.place.party
    if own:
        yield "headline", marked(frame.subject or frame.format, frame.status)
    text = [code["texts"].get(language, "")] if code else []
    text += [_description(frame.content), frame.remarks] if own else []
    described = "\n".join(part for part in text if part)
    if described:
        yield "description", marked(described, frame.status)
    for name, value in _parameters(frame, entry):
        yield "parameter", [("valueName", f"servanda:{name}"), ("value", value)]


def _name(pack: Pack, frame: Frame, language: str, first: str) -> str:
    form: Any = next(
        (f for f in pack.data["formats"] if (f["id"], f["version"]) == (frame.format, frame.format_version)), {}
    )
    names = form.get("names", {})
    return str(names.get(language) or names.get(first) or frame.format)


def _is_instant(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text) is not None and instant_exists(text)


def instant_exists(text: str) -> bool:
    """Whether there is such a time; an entry may carry one that does not exist, flagged."""
    try:
        instant_seconds(text)
    except ValueError:
        return False
    return True


def _description(content: dict[str, Any]) -> str:
    """The texts of a content for a reader: one alone as it is, several each with its name."""
    told = {name: value for name, value in content.items() if name not in APART}
    if [*told] == ["text"] and isinstance(told["text"], str):
        return told["text"]
    return "\n".join(f"{name}: {_value(value)}" for name, value in sorted(told.items()))


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(part)}" for name, part in sorted(value.items()) if name not in APART)
    if isinstance(value, list):
        return "; ".join(_value(part) for part in value)
    return str(value)


def _parameters(frame: Frame, entry: Entry) -> Iterator[tuple[str, str]]:
    yield "entry", str(entry.place)
    yield "leaf", entry.hash.hex()
    yield "format", frame.format
    yield "act", frame.act
    yield "precedence", frame.precedence
    yield "status", MARKS[frame.status] or "ACTUAL"
    yield "event-at", frame.event_at
    for name in ("class", "answer-by", "word", "number", "stix-sha256"):
        if name in frame.content:
            yield name, str(frame.content[name])
    if "_sd" in frame.content:
        yield "sealed-members", str(len(frame.content["_sd"]))


def _document(elements: Iterator[tuple[str, Any]]) -> bytes:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<alert xmlns="{NAMESPACE}">', *_lines(elements, 1), "</alert>"]
    return ("\n".join(lines) + "\n").encode()


def _lines(elements: Any, depth: int) -> Iterator[str]:
    space = "  " * depth
    for name, value in elements:
        if isinstance(value, str):
            text = escape(_UNFIT.sub("\ufffd", value), quote=False).replace("\r", "&#13;")
            yield f"{space}<{name}>{text}</{name}>"
        else:
            yield f"{space}<{name}>"
            yield from _lines(value, depth + 1)
            yield f"{space}</{name}>"
