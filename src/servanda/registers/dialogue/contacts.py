# SPDX-License-Identifier: Apache-2.0
"""Contacts with each side's account beside the other's, and bodies with their next dates (spec/dialogue.md)."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import Any

from servanda.journal.named import Item, span_of
from servanda.registers.dialogue.fold import DialogueRegister
from servanda.registers.dialogue.rows import pack_in_force, row_of

COMPARED = ("agenda", "kind", "minutes", "outcomes", "participants", "place", "state")
"""Members in which accounts of one contact may differ; the date is compared besides."""
SHOWN = 100
"""How many contacts a page carries unless more are asked for, the latest; it says how many there are."""


def latest_accounts(register: DialogueRegister, name: str) -> dict[str, Item]:
    """Each author's latest account of a contact: by the number of its entry, since a later one replaces."""
    latest: dict[str, Item] = {}
    for item in register.index.row("contact", name):
        known = latest.get(item.party)
        if known is None or known.place.number < item.place.number:
            latest[item.party] = item
    return dict(sorted(latest.items()))


def contact_row(register: DialogueRegister, name: str) -> dict[str, Any]:
    """One contact: the accounts side by side, in what they differ, outcomes by topic and party."""
    accounts = latest_accounts(register, name)
    shown = min(accounts.values(), key=lambda item: item.order)
    topics = sorted({outcome["topic"] for item in accounts.values() for outcome in item.content["outcomes"]})
    return {
        "accounts": {party: row_of(item) for party, item in accounts.items()},
        "body": shown.content.get("body"),
        "contact": name,
        "differs": sorted(_differing(list(accounts.values()))),
        "flags": sorted({flag for item in accounts.values() for flag in item.frame.flags}),
        "kind": shown.content["kind"],
        "on": shown.frame.event_at,
        "outcomes": [_outcome(accounts, topic) for topic in topics],
        "place": shown.content.get("place"),
        "state": _state(accounts),
        "status": shown.frame.status,
    }


def _state(accounts: dict[str, Item]) -> str:
    """What the accounts say it is, if they say the same; else `differs`."""
    states = {item.content["state"] for item in accounts.values()}
    if len(states) > 1:
        # A side that has only announced it says nothing against the one that reports it.
        states.discard("planned")
    return states.pop() if len(states) == 1 else "differs"


def _differing(items: list[Item]) -> set[str]:
    first, *others = items
    found = {name for name in COMPARED for other in others if other.content.get(name) != first.content.get(name)}
    if any(other.frame.event_at != first.frame.event_at for other in others):
        found.add("date")
    return found


def _outcome(accounts: dict[str, Item], topic: str) -> dict[str, Any]:
    by = {
        party: {"entry": str(item.place), "outcome": outcome["outcome"], "text": outcome.get("text", "")}
        for party, item in accounts.items()
        for outcome in item.content["outcomes"]
        if outcome["topic"] == topic
    }
    same = len(by) > 1 and len({row["outcome"] for row in by.values()}) == 1
    return {"by": by, "same": same, "topic": topic}


def outcome_rows(register: DialogueRegister, topic: str) -> list[dict[str, Any]]:
    """What came of a topic at each contact, by date: for each party, and whether two at least said the same."""
    names = dict.fromkeys(item.content["contact"] for item in register.index.row("contact-topic", topic))
    rows = [_outcome_at(register, name, topic) for name in names]
    return [row for row in rows if row is not None]


def last_outcome(register: DialogueRegister, topic: str) -> dict[str, Any] | None:
    """The last of these."""
    for item in reversed(register.index.row("contact-topic", topic)):
        row = _outcome_at(register, item.content["contact"], topic)
        if row is not None:
            return row
    return None


def _outcome_at(register: DialogueRegister, name: str, topic: str) -> dict[str, Any] | None:
    accounts = latest_accounts(register, name)
    outcome = _outcome(accounts, topic)
    on = min(accounts.values(), key=lambda item: item.order).frame.event_at
    return {**outcome, "contact": name, "on": on} if outcome["by"] else None


def meetings_document(
    register: DialogueRegister, today: date, body: str | None = None, limit: int = SHOWN
) -> dict[str, Any]:
    """Contacts by date, the latest `limit`, of one body or all; how many there are; next dates of bodies."""
    index = register.index
    row = index.row("body", body) if body is not None else index.row("effect", "dialogue.contact")
    names = list(dict.fromkeys(item.content["contact"] for item in reversed(row)))
    return {
        "at": today.isoformat(),
        "contacts": [contact_row(register, name) for name in reversed(names[:limit])],
        "in-all": len(names),
        "servanda-meetings": 1,
    }


def bodies_document(register: DialogueRegister, today: date) -> dict[str, Any]:
    """Every body of the pack in force, after the one that it is within: members, offices, last and next date."""
    bodies = pack_in_force(register).bodies
    rows = [body_row(register, name, today) for name in bodies]
    ordered: list[dict[str, Any]] = []

    def below(name: str | None, depth: int) -> None:
        for row in rows:
            if row["within"] == name:
                ordered.append({**row, "depth": depth})
                below(row["body"], depth + 1)

    below(None, 0)
    return {"at": today.isoformat(), "bodies": ordered, "servanda-bodies": 1}


def body_row(register: DialogueRegister, name: str, today: date) -> dict[str, Any]:
    """One body: its last contact held, the next one planned or by its cadence, and whether that is overdue."""
    body = pack_in_force(register).bodies[name]
    held = _last_held(register, name)
    planned = _planned(register, name, min(today, held[0]) if held else today)
    following, basis = _next(body, held[0] if held else None, planned, today)
    return {
        "body": name,
        "cadence": body["cadence"],
        "every": body.get("every"),
        "last": {"contact": held[1], "on": held[0].isoformat()} if held else None,
        "members": body["members"],
        "names": body["names"],
        "next": {"basis": basis, "on": following.isoformat()} if following else None,
        "offices": body.get("offices", []),
        "overdue": following is not None and following < today,
        "within": body["within"],
    }


Dated = tuple[date, str]
"""The last day of a contact, and its name."""


def _dated(register: DialogueRegister, item: Item, state: str) -> Dated | None:
    """When a contact is, by the account that is shown, if its accounts together have that state."""
    accounts = latest_accounts(register, item.content["contact"])
    if _state(accounts) != state:
        return None
    span = span_of(min(accounts.values(), key=lambda item: item.order).frame.event_at)
    day = (span.last or span.first) if span else None
    return (day, item.content["contact"]) if day else None


def _last_held(register: DialogueRegister, body: str) -> Dated | None:
    """The last contact of a body, by its first day, that was held."""
    rows = (_dated(register, item, "held") for item in reversed(register.index.row("body-held", body)))
    return next((dated for dated in rows if dated is not None), None)


def _planned(register: DialogueRegister, body: str, since: date) -> list[Dated]:
    """The contacts of a body that are planned and not reported as held, from some day on; else the last before."""
    found: list[Dated] = []
    for item in reversed(register.index.row("body-planned", body)):
        if found and item.order[0] < since.toordinal():
            break
        dated = _dated(register, item, "planned")
        if dated is not None:
            found.append(dated)
    return found


def _next(body: dict[str, Any], last: date | None, planned: list[Dated], today: date) -> tuple[date | None, str | None]:
    """The next date and what it rests on: a contact planned, or the cadence; a plan that has passed counts last."""
    ahead = [found for found in planned if found[0] >= today]
    if ahead:
        return min(ahead)[0], min(ahead)[1]
    every = body.get("every")
    if every is not None:
        if last is not None:
            return step(last, every["count"], every["unit"]), "cadence"
        if "first" in every:
            return date.fromisoformat(every["first"]), "cadence"
    passed = [found for found in planned if last is None or found[0] > last]
    return (max(passed)[0], max(passed)[1]) if passed else (None, None)


def step(day: date, count: int, unit: str) -> date:
    """The day so many days, weeks, months or years later; the last of the month where it has no such day."""
    if unit in ("day", "week"):
        return day + timedelta(days=count * (7 if unit == "week" else 1))
    months = day.year * 12 + day.month - 1 + count * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
