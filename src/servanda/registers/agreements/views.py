# SPDX-License-Identifier: Apache-2.0
"""What stands and what is missing, for each document, at an instant (spec/dialogue.md, What follows, Documents)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from servanda.agreement.dates import day_in_zone
from servanda.journal.frame import Place
from servanda.journal.named import Item
from servanda.journal.state import Entry
from servanda.journal.threads import Acceptance, Offer
from servanda.registers.agreements.differences import Effort, text_differences
from servanda.registers.agreements.fold import AgreementsRegister, Document

_LIVE = frozenset({"open", "conditional", "accepted"})
"""What an offer comes to that may still have effect."""


def agreements_document(register: AgreementsRegister, now: int, kinds: frozenset[str] | None = None) -> dict[str, Any]:
    """Every document as it stands at `now` (seconds since 1970); with `kinds` only those of these kinds."""
    names = [
        name
        for name, document in sorted(register.documents.items())
        if kinds is None or any(text.content["kind"] in kinds for text in document.texts.values())
    ]
    return {
        "documents": [document_row(register, register.documents[name], now) for name in names],
        "discrepancies": [{"code": code, "entry": str(place)} for place, code in sorted(register.discrepancies)],
        "servanda-agreements": 1,
        "today": today(register, now).isoformat(),
    }


def today(register: AgreementsRegister, now: int) -> date:
    """The day at `now` in the time zone of the pack in force: by it everything here begins and ends."""
    record = register.record
    pack = record.packs[record.in_force(record.whole) or record.agreement]
    return day_in_zone(now, pack.data["time"]["zone"])


def document_row(register: AgreementsRegister, document: Document, now: int) -> dict[str, Any]:
    """One document as it stands at `now`, without its clauses. Not to be changed: it is kept for the next reader.

    It is made anew on another day, when something is said of the document, and while only receipts are missing.
    """
    day = today(register, now)
    key = (register.versions.get(document.name, 0), day.isoformat())
    known = register.rows.get(document.name)
    if known is not None and known[0] == key:
        return known[1]
    row = _document_row(register, document, day)
    if all(text["state"] != "accepted" for text in (*row["texts"], *row["pending"])):
        register.rows[document.name] = key, row
    return row


def _document_row(register: AgreementsRegister, document: Document, day: date) -> dict[str, Any]:
    whole = register.record.whole
    standing = register.standing(document, whole)
    texts = [text_row(register, document.texts[place]) for place in sorted(document.texts)]
    shown = standing[0] if standing else document.texts[max(document.texts)] if document.texts else None
    until = last_day(register, document, standing)
    suspended = _suspended(document, day)
    warn = max(shown.content.get("warn-days", ()), default=None) if shown else None
    state = _state(register, document, day, standing, texts)
    return {
        "competing": len(standing) > 1,
        "days-left": (until - day).days if until and state in _RUNNING else None,
        "declarations": [_notice_row(item) for item in _notices(document, "agreement.declare")],
        "document": document.name,
        "from": shown.content.get("from") if shown else None,
        "kind": shown.content["kind"] if shown else None,
        "missing": _missing_of(texts, state),
        "parties": sorted(register.parties(document, whole)),
        "pending": [row for row in _pending(register, document, texts) if row["state"] in _LIVE],
        "standing": [register.digests[item.place] for item in standing],
        "state": state,
        "suspended": suspended,
        "texts": texts,
        "title": shown.content["title"] if shown else [],
        "topics": shown.content["topics"] if shown else [],
        "translations": [_notice_row(item, "clauses") for item in _notices(document, "agreement.translation")],
        "until": until.isoformat() if until else None,
        "warning": bool(warn and until and state in _RUNNING and day >= until - timedelta(days=warn)),
        "withdrawn": {item.party: item.content["on"] for item in _notices(document, "agreement.withdraw")},
    }


_RUNNING = frozenset({"in-force", "suspended", "suspended-in-part", "concluded"})


def last_day(register: AgreementsRegister, document: Document, standing: list[Item]) -> date | None:
    """The last day in force: of the standing text, or of an extension made since; None if it has no end."""
    days: list[date] = []
    for item in standing:
        if "until" not in item.content:
            return None
        days.append(date.fromisoformat(item.content["until"]))
        for longer in register.changed(document, "agreement.extend", register.record.whole):
            past = register.record.threads.offers[longer.place].past
            if past.get(item.party, 0) >= item.place.number:
                days.append(date.fromisoformat(longer.content["until"]))
    return max(days, default=None)


def _state(
    register: AgreementsRegister, document: Document, day: date, standing: list[Item], texts: list[dict[str, Any]]
) -> str:
    whole = register.record.whole
    if not standing:
        last = [row["state"] for row in texts if row["state"] != "superseded"]
        return last[0] if last and set(last) <= {"failed", "crossed", "refused"} else "proposed"
    ends = [item.content["on"] for item in register.changed(document, "agreement.terminate", whole)]
    gone = sorted(item.content["on"] for item in _notices(document, "agreement.withdraw"))
    parties = register.parties(document, whole)
    if len(gone) >= len(parties) - 1 > 0:
        ends.append(gone[len(parties) - 2])
    if ends and day.isoformat() > min(ends):
        return "terminated"
    until = last_day(register, document, standing)
    if until is not None and day > until:
        return "expired"
    if all(day.isoformat() < item.content.get("from", "") for item in standing):
        return "concluded"
    suspended = _suspended(document, day)
    if suspended:
        return "suspended" if any(not row["clauses"] for row in suspended) else "suspended-in-part"
    return "in-force"


def _notices(document: Document, effect: str) -> Iterator[Item]:
    return (document.notices[place] for place in sorted(document.notices) if document.notices[place].effect == effect)


def _suspended(document: Document, day: date) -> list[dict[str, Any]]:
    """By the latest notice of each party that has begun: what it says is suspended, and why."""
    latest: dict[str, Item] = {}
    for item in _notices(document, "agreement.suspend"):
        if item.content["since"] <= day.isoformat():
            latest[item.party] = item
    return [_notice_row(item) for item in latest.values() if item.content["state"] == "suspended"]


def _notice_row(item: Item, *without: str) -> dict[str, Any]:
    content = {name: value for name, value in item.content.items() if name not in ("document", *without)}
    return {**content, "entry": str(item.place), "party": item.party}


def _missing_of(texts: list[dict[str, Any]], state: str) -> list[dict[str, Any]]:
    """What is missing before it is in force: of the texts that may still have effect."""
    if state not in ("proposed", "failed", "crossed", "refused"):
        return []
    return [{"text": row["entry"], **missing} for row in texts if row["state"] in _LIVE for missing in row["missing"]]


def text_row(register: AgreementsRegister, item: Item) -> dict[str, Any]:
    """One text offered: who has accepted it, what became of it, what is missing."""
    offer = register.record.threads.offers[item.place]
    return {
        **offer_row(register, item),
        "amends": item.content["amends"],
        "digest": register.digests[item.place],
        "languages": [{"language": text["language"], "status": text["status"]} for text in item.content["texts"]],
        "thread": str(offer.thread),
    }


def offer_row(register: AgreementsRegister, item: Item) -> dict[str, Any]:
    """What became of an offer: its state, each acceptance with its condition, each refusal, what is missing."""
    record = register.record
    offer = record.threads.offers[item.place]
    return {
        "accepted-by": [_acceptance_row(register, offer.acceptances[party]) for party in sorted(offer.acceptances)],
        "at": item.frame.released_at,
        "by": item.party,
        "effect": item.effect,
        "entry": str(item.place),
        "missing": list(_missing(register, offer)),
        "named": list(offer.named),
        "on": item.frame.event_at,
        "refused-by": [
            {"entry": str(place), "party": party, "reason": _content(record.entry(place))["reason"]}
            for party, place in sorted(offer.refusals.items())
        ],
        "state": offer_state(register, offer),
        "status": item.frame.status,
    }


def offer_state(register: AgreementsRegister, offer: Offer) -> str:
    """`effective`, `crossed`, `refused`, `failed`, `superseded`, `accepted` (not settled), `conditional` or `open`."""
    record, whole = register.record, register.record.whole
    threads = record.threads
    if record.effective(offer, whole):
        return "effective"
    if threads.crossed(offer, whole):
        return "crossed"
    if threads.refused(offer, whole):
        return "refused"
    met = threads.conditions_met(offer, whole)
    if met is False:
        return "failed"
    if threads.accepted(offer, whole):
        return "conditional" if met is None else "accepted"
    return "superseded" if threads.superseded(offer, whole) else "open"


def _content(entry: Entry | None) -> dict[str, Any]:
    assert entry is not None
    assert entry.frame is not None
    return entry.frame.content


def _acceptance_row(register: AgreementsRegister, acceptance: Acceptance) -> dict[str, Any]:
    condition = _content(register.record.entry(acceptance.place))["condition"]
    row = {"condition": None, "entry": str(acceptance.place), "party": acceptance.place.party}
    if condition is None:
        return row
    decided = acceptance.decided
    state = "undecided" if decided is None else "confirmed" if decided[1] else "failed"
    return {**row, "condition": {**condition, "decided-in": str(decided[0]) if decided else None, "state": state}}


def _missing(register: AgreementsRegister, offer: Offer) -> Iterator[dict[str, Any]]:
    """What an offer lacks to have effect: acceptances, decisions on conditions, receipts of others."""
    record, whole = register.record, register.record.whole
    if record.effective(offer, whole):
        return
    for party in offer.named:
        if party not in offer.acceptances:
            yield {"party": party, "what": "refused" if party in offer.refusals else "acceptance"}
    for acceptance in offer.acceptances.values():
        row = _acceptance_row(register, acceptance)
        if row["condition"] is not None and row["condition"]["state"] != "confirmed":
            what = "condition" if row["condition"]["state"] == "undecided" else "condition-failed"
            told = {"condition": row["condition"]["text"], "party": row["condition"]["confirmer"]}
            yield {"acceptance": row["entry"], "what": what, **told}
    if record.threads.accepted(offer, whole) and not record.settled(offer, whole):
        for party in sorted(set(record.judged_pack(offer).parties) - offer.signatories):
            signed = [offer.place, *(acceptance.place for acceptance in offer.acceptances.values())]
            if not all(_receipted(register, party, place) for place in signed):
                yield {"party": party, "what": "receipt"}


def _receipted(register: AgreementsRegister, party: str, place: Place) -> bool:
    record = register.record
    return record.attestations.newest(place.party, party, record.whole[place.party]) >= place.number


def _pending(register: AgreementsRegister, document: Document, texts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Amendments, extensions, accessions and terminations that are offered and have no effect yet."""
    if register.concluded(document, register.record.whole):
        yield from (row for row in texts if row["state"] != "effective")
    for place in sorted(document.changes):
        item = document.changes[place]
        row = offer_row(register, item)
        if row["state"] != "effective":
            told = {name: value for name, value in item.content.items() if name in ("until", "on", "reason")}
            yield {**row, "content": told}


def warnings(register: AgreementsRegister, now: int) -> list[dict[str, Any]]:
    """Documents that end soon, by their own `warn-days`, and what is offered to extend them."""
    rows = (document_row(register, document, now) for _, document in sorted(register.documents.items()))
    return [
        {name: row[name] for name in ("days-left", "document", "pending", "state", "title", "until")}
        for row in rows
        if row["warning"]
    ]


def side_by_side(
    register: AgreementsRegister, document: Document, effort: Effort | None = None
) -> list[dict[str, Any]]:
    """Where no text has effect: the latest text that each party offered, and its differences from the first shown."""
    effort = effort or Effort()
    whole = register.record.whole
    if register.concluded(document, whole):
        return []
    latest: dict[str, Item] = {}
    for place in sorted(document.texts):
        latest[place.party] = document.texts[place]
    first = next(iter(latest.values()), None)
    return [
        {
            "digest": register.digests[item.place],
            "differences": []
            if item is first or first is None
            else text_differences(first.content, item.content, effort=effort),
            "entry": str(item.place),
            "party": party,
            "texts": item.content["texts"],
        }
        for party, item in latest.items()
    ]


def history(register: AgreementsRegister, document: Document) -> list[dict[str, Any]]:
    """The life of a document as a log: who did what, when, in which entry; by time of release, then place."""
    record, rows = register.record, []
    for item in (*document.texts.values(), *document.changes.values()):
        offer = record.threads.offers[item.place]
        what = item.effect.partition(".")[2]
        answer = " in answer" if offer.thread != offer.place else ""
        amends = "amendment" if item.content.get("amends") else what
        rows.append(_event(item.entry, f"{amends} offered{answer}", digest=register.digests.get(item.place)))
        for acceptance in offer.acceptances.values():
            condition = _content(record.entry(acceptance.place))["condition"]
            words = f"accepted, on condition: {condition['text']}" if condition else "accepted"
            rows.append(_event(record.entry(acceptance.place), f"{item.place} {words}"))
            if acceptance.decided is not None:
                outcome = "confirmed" if acceptance.decided[1] else "failed"
                rows.append(_event(record.entry(acceptance.decided[0]), f"condition of {acceptance.place} {outcome}"))
        for place in offer.refusals.values():
            entry = record.entry(place)
            rows.append(_event(entry, f"{item.place} refused: {_content(entry)['reason']}"))
    for item in document.notices.values():
        rows.append(_event(item.entry, item.effect.partition(".")[2]))
    return sorted(rows, key=lambda row: (row["at"], row["entry"]))


def _event(entry: Entry | None, what: str, digest: str | None = None) -> dict[str, Any]:
    assert entry is not None
    assert entry.frame is not None
    frame = entry.frame
    row = {"at": frame.released_at, "entry": str(entry.place), "on": frame.event_at, "party": entry.place.party}
    return {**row, "digest": digest, "status": frame.status, "what": what}
