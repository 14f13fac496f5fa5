# SPDX-License-Identifier: Apache-2.0
"""A CAP message as a draft: never an entry, for a person decides what becomes of it.

The tables are in docs/reference/interchange.md.

A message that updates, cancels, accepts or rejects refers to something. Only what it names by our own identifiers, and
what is held, becomes a reference of the draft; any other is information, with the reference kept as stated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from servanda.agreement.formats import Format
from servanda.agreement.pack import Pack
from servanda.interchange.cap import cap_reference
from servanda.interchange.capfile import CapAlert, CapInfo, utc_text
from servanda.interchange.errors import InterchangeError
from servanda.interchange.marking import MEANINGS, unmarked
from servanda.journal.state import Entry
from servanda.registers.alerts.cases import QUESTIONS
from servanda.registers.alerts.fold import AlertsRegister

SUBJECT_MAX = 500
REASON_MAX = 4000
_LANGUAGE_DEFAULT = "en"


class Wish(NamedTuple):
    """What whoever brings the file says about the draft that is to become of it."""

    party: str
    """Whose centre drafts it."""
    author: str
    form: str
    """Id of a format of the pack that opens a case."""
    alert_class: str
    to: tuple[str, ...]
    members: Mapping[str, str] = {}
    """Further members of the content."""
    text: str | None = None
    """Which member of the content takes the text; None for the only one that can."""


def cap_draft(register: AlertsRegister, pack: Pack, alert: CapAlert, wish: Wish) -> dict[str, Any]:
    """The JSON value of a draft.

    Raises:
        InterchangeError: the format opens no case or has no place for the text, or there is no such class
            (`cap-format`).
    """
    form = _format(pack, wish.form)
    if wish.alert_class not in pack.alert_classes:
        known = ", ".join(sorted(pack.alert_classes)) or "none"
        raise InterchangeError(f"no class of alerts {wish.alert_class!r}; the pack has {known}", "cap-format")
    about = held_references(register, alert)
    if alert.kind in ("Ack", "Error") and about and about[0].place.party != wish.party:
        return _acknowledgement(alert, about, wish)
    if alert.kind == "Cancel" and about:
        closing = _closing(register, pack, about[0], wish)
        if closing is not None:
            return _shared(alert, wish, closing) | {
                "content": {"reason": _plain(alert)[:REASON_MAX]},
                "refers-to": [str(about[0].place)],
                "to": list(wish.to),
            }
    case = [entry for entry in about if entry.place in register.case_of] if alert.kind != "Alert" else []
    content: dict[str, Any] = {"class": wish.alert_class, **wish.members}
    content[_text_member(form, wish)] = _plain(alert, as_information=alert.kind != "Alert" and not case)
    return _shared(alert, wish, form) | {
        "content": content,
        "precedence": pack.alert_classes[wish.alert_class]["precedence"],
        "refers-to": [str(entry.place) for entry in case[:1]],
        "to": list(wish.to),
    }


def held_references(register: AlertsRegister, alert: CapAlert) -> list[Entry]:
    """The entries held that the message names: by sender, identifier and time, all three as we would write them.

    What is said in an exercise or a test is never about an actual entry, nor the other way round.
    """
    named = {str(reference) for reference in alert.references}
    agreement = register.record.agreement
    wanted = {reference.identifier for reference in alert.references}
    return [
        entry
        for entry in register.record.log
        if entry.frame is not None
        and entry.admissible
        and entry.frame.status == alert.status
        and f"{agreement}/{entry.place}" in wanted
        and cap_reference(agreement, entry) in named
    ]


def _format(pack: Pack, name: str) -> Format:
    found = [form for (identifier, _), form in sorted(pack.formats.items()) if identifier == name]
    if not found or found[-1].effect not in QUESTIONS - {"alerts.coded"}:
        fit = sorted({form.identifier for form in pack.formats.values() if form.effect in QUESTIONS - {"alerts.coded"}})
        raise InterchangeError(
            f"{name!r} is no format for an alert or inquiry; the pack has {', '.join(fit) or 'none'}", "cap-format"
        )
    return found[-1]


def _text_member(form: Format, wish: Wish) -> str:
    """Which member of the content takes the text of the message."""
    properties = form.fields.get("properties", {})
    free = [
        name
        for name, field in properties.items()
        if name not in ("class", "answer-by", "stix", "stix-sha256")
        and field.get("type") == "string"
        and not {"enum", "const", "pattern"} & field.keys()
        and name not in wish.members
    ]
    chosen = wish.text or ("text" if "text" in free else free[0] if len(free) == 1 else None)
    if chosen is None or chosen not in free:
        raise InterchangeError(
            f"format {form.identifier}: which member takes the text? It has {', '.join(sorted(free)) or 'none'}",
            "cap-format",
        )
    return chosen


def _closing(register: AlertsRegister, pack: Pack, entry: Entry, wish: Wish) -> Format | None:
    """The pack's format for closing a case, if the entry named is in an open case that this party has opened."""
    opening = register.case_of.get(entry.place)
    if opening is None or opening.party != wish.party or register.cases[opening].closures:
        return None
    found = [form for _, form in sorted(pack.formats.items()) if form.effect == "alerts.closure"]
    return found[-1] if found else None


def _acknowledgement(alert: CapAlert, about: list[Entry], wish: Wish) -> dict[str, Any]:
    reason = alert.note or (_plain(alert) if alert.infos else "")
    if alert.kind == "Error" and not reason:
        reason = "Rejected, without a reason stated"
    return {
        **_status(alert),
        "format": "acknowledge",
        "author": wish.author,
        "subject": f"Acknowledged: {', '.join(str(entry.place) for entry in about)}"[:SUBJECT_MAX],
        "event-at": utc_text(alert.sent)[:10],
        "content": {
            "disposition": "accepted" if alert.kind == "Ack" else "rejected",
            "reason": _bare(reason, alert.status)[:REASON_MAX],
        },
        "refers-to": [str(entry.place) for entry in about],
        "to": sorted({entry.place.party for entry in about}),
    }


def _status(alert: CapAlert) -> dict[str, Any]:
    return {"status": alert.status, "exercise-at": utc_text(alert.sent) if alert.status == "exercise" else None}


def _shared(alert: CapAlert, wish: Wish, form: Format) -> dict[str, Any]:
    """What every draft but an acknowledgement has."""
    info = alert.infos[0] if alert.infos else None
    subject = unmarked((info.headline or info.event) if info else f"CAP {alert.kind}", alert.status)
    return {
        **_status(alert),
        "format": form.identifier,
        "format-version": form.version,
        "author": wish.author,
        "subject": " ".join(subject.split())[:SUBJECT_MAX] or f"CAP {alert.kind}",
        "event-at": utc_text(info.onset if info and info.onset else alert.sent),
        "language": _language(info),
    }


def _language(info: CapInfo | None) -> str:
    if info is None:
        return _LANGUAGE_DEFAULT
    first, *rest = info.language.split("-")
    fits = 2 <= len(first) <= 3 and all(2 <= len(part) <= 8 for part in rest)
    return "-".join([first.lower(), *rest]) if fits else _LANGUAGE_DEFAULT


def _bare(text: str, status: str) -> str:
    return text.removeprefix(MEANINGS[status]).strip() if MEANINGS[status] else text


def _plain(alert: CapAlert, *, as_information: bool = False) -> str:
    """What the message says, as plain text; nothing of it is left out but the content of resources."""
    return "\n".join(line for line in _lines(alert, as_information) if line)


def _lines(alert: CapAlert, as_information: bool) -> Iterator[str]:
    several = len(alert.infos) > 1
    for info in alert.infos:
        if several:
            yield f"[{info.language}] {info.headline or info.event}"
        yield unmarked(info.description, alert.status)
        if info.instruction:
            yield f"Instruction: {info.instruction}"
        judged = f"urgency {info.urgency}, severity {info.severity}, certainty {info.certainty}"
        yield f"Event: {unmarked(info.event, alert.status)} ({', '.join(info.categories)}); {judged}"
        for name in ("effective", "onset", "expires"):
            if getattr(info, name):
                yield f"{name}: {getattr(info, name)}"
        yield from (f"{name}: {value}" for name, value in info.details)
    if alert.note:
        yield f"Note: {_bare(alert.note, alert.status)}"
    if alert.source:
        yield f"Source: {alert.source}"
    signed = "; its XML signature has not been verified" if alert.signed else ""
    stated = f"CAP {alert.kind} {alert.identifier} from {alert.sender}, sent {alert.sent}, {alert.scope}{signed}"
    yield f"Taken from {stated}."
    if alert.references_as_stated:
        what = "It refers to messages that are not held here, as stated" if as_information else "References as stated"
        yield f"{what}: {alert.references_as_stated}"
    if alert.incidents:
        yield f"Incidents as stated: {alert.incidents}"
