# SPDX-License-Identifier: Apache-2.0
"""The three documents of accountancy: inventory changes, physical inventory, material balance (spec/accountancy.md).

Each is canonical JSON and a function of the record, an area and its dates. An area is what one party holds, perhaps
only at some places, perhaps only of some kinds.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from servanda.agreement.effects import INTEGER_MAX
from servanda.journal.frame import Place
from servanda.journal.record import Record
from servanda.journal.state import Entry
from servanda.journal.threads import within
from servanda.proof.canonical import encode
from servanda.registers.custody.changes import Change, State

INCREASES = ("declared", "found", "received", "returned", "residue", "resolved", "moved-in")
DECREASES = ("shipped", "destroyed", "consumed", "lost", "moved-out")
BOTH = ("rearranged", "corrected")
"""Types of inventory change. `rearranged`: split, merged, packed anew; within an area its lines cancel out."""


class Area(NamedTuple):
    """What a balance is drawn for."""

    party: str
    places: frozenset[str] | None = None
    """None: everywhere."""
    kinds: frozenset[str] | None = None
    """None: of every kind."""

    def has(self, state: State | None) -> bool:
        """Whether a lot in this state is in the area: in transit, in dispute or gone it is not."""
        return (
            state is not None
            and state.account == f"held/{self.party}"
            and (self.places is None or state.place in self.places)
            and (self.kinds is None or state.kind in self.kinds)
        )


class Count(NamedTuple):
    """A physical inventory: complete for its places."""

    entry: Place | None
    """The entry that states it; None if it was brought from a file."""
    day: date
    places: frozenset[str] | None
    amounts: Mapping[tuple[str, str, str], int | None]
    """(kind, place, unit) to the amount counted; None if the count does not state it."""
    names: frozenset[str] | None = None
    """Every lot seen, by name or serial, where the count names them."""
    past: Mapping[str, int] | None = None
    """What the count's author knew then."""

    def after(self, record: Record, cause: Place) -> bool:
        """Whether what took effect with the entry at `cause` came after this count."""
        if self.past is not None:
            return not within(self.past, cause)
        return day_of(record, cause) > self.day


def day_of(record: Record, place: Place) -> date:
    """The day of an entry by the clock it was released by, that of the exercise where it carries one."""
    entry = record.entry(place)
    assert entry is not None
    assert entry.frame is not None
    return date.fromisoformat((entry.frame.exercise_at or entry.frame.released_at)[:10])


def counts_of(record: Record, party: str) -> list[Count]:
    """Return the physical counts that a party has stated (`custody.inventory`, basis `counted`), in their order."""
    found = []
    for entry in record.log:
        if entry.place.party == party and record.effect_of(entry) == "custody.inventory":
            assert entry.frame is not None
            if entry.frame.content["basis"] == "counted":
                found.append(_count(record, entry, entry.frame.content))
    return found


def _count(record: Record, entry: Entry, content: Mapping[str, Any]) -> Count:
    places = content["places"]
    return Count(
        entry.place,
        day_of(record, entry.place),
        None if places is None else frozenset(places),
        amounts_of(content["groups"]),
        past=entry.past,
    )


def amounts_of(groups: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], int | None]:
    """Return the amount by kind, place and unit of groups (spec/tables.md): rows times each, None where sealed."""
    sums: dict[tuple[str, str, str], int | None] = {}
    for group in groups:
        key = (group["kind"], group["place"], group["unit"])
        sums[key] = _plus(sums.get(key, 0), None if group["each"] is None else group["each"] * group["rows"])
    return sums


def change_lines(
    record: Record, changes: Iterable[Change], area: Area, codes: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the lines of an area's inventory change list, numbered from 1 without gaps, each with its hash.

    Args:
        record: whose entries the changes come from.
        changes: in the order of the record.
        area: lines are what goes into it and out of it.
        codes: an agreement's own code for a type; the type itself where it has none.
    """
    lines: list[dict[str, Any]] = []
    last: dict[str, dict[str, Any]] = {}
    for change in changes:
        for type_, state, sign, correction in _sides(change, area):
            lot = str(change.lot)
            entry = record.entry(change.entry)
            assert entry is not None
            assert entry.frame is not None
            corrected = last.get(lot) if correction == "D" else None
            line: dict[str, Any] = {
                "amount": state.amount,
                "code": codes.get(type_, type_),
                "correction": correction,
                "corrects": {"hash": corrected["hash"], "line": corrected["line"]} if corrected else None,
                "day": day_of(record, change.cause).isoformat(),
                "direction": "increase" if sign > 0 else "decrease",
                "entry": str(change.entry),
                "event-at": entry.frame.event_at,
                "from": change.before.account if change.before else None,
                "kind": state.kind,
                "line": len(lines) + 1,
                "lot": lot,
                "on": str(change.cause),
                "place": state.place,
                "serial": state.serial,
                "to": change.after.account if change.after else None,
                "type": type_,
                "unit": state.unit,
            }
            line["hash"] = hashlib.sha256(encode(line)).hexdigest()
            lines.append(line)
            last[lot] = line
    return lines


def _sides(change: Change, area: Area) -> Iterable[tuple[str, State, int, str | None]]:
    """`(type, state, sign, correction)` of each line that a change makes in an area: none, one or two."""
    before, after = change.before, change.after
    was, now = area.has(before), area.has(after)
    if was and now and before is not None and after is not None:
        same = before._replace(account="", serial=None) == after._replace(account="", serial=None)
        if same or (before.amount, before.kind, before.unit) == (after.amount, after.kind, after.unit):
            return  # within the area, or merely elsewhere in it
    kind = _type(change)
    corrected = change.effect == "correct"
    if was and before is not None:
        yield ("moved-out" if kind == "moved" else kind), before, -1, "D" if corrected else None
    if now and after is not None:
        late = corrected and before is None
        yield (
            ("moved-in" if kind == "moved" else "declared" if late else kind),
            after,
            1,
            ("L" if late else "A" if corrected else None),
        )


def _type(change: Change) -> str:
    before, after, effect = change.before, change.after, change.effect
    if effect == "correct":
        return "corrected"
    if before is None:
        opened = {"custody.declare": "declared", "custody.found": "found", "custody.destroy": "residue"}
        return opened.get(effect, "rearranged")
    if after is None:
        return "rearranged" if before.account.startswith("held/") else "lost"
    if before.account == after.account:
        return "moved" if before.place != after.place else "rearranged"
    kind = after.account.split("/")[0]
    if kind != "held":
        return {"transit": "shipped"}.get(kind, kind)
    if before.account.startswith("transit/"):
        return "returned" if before.account.split("/")[1] == after.account.split("/")[1] else "received"
    return "resolved"


def inventory_changes(area: Area, lines: Sequence[Mapping[str, Any]], first: date, last: date) -> dict[str, Any]:
    """Return the inventory change document of a period: one report for every calendar month that it touches.

    Reports are numbered from the month of the area's first line, without gaps: a month in which nothing changed has
    its report too, without lines. Before the first line there are none.
    """
    begin = date.fromisoformat(str(lines[0]["day"])) if lines else last + timedelta(1)
    reports = []
    for number, month in enumerate(_months(begin, last), start=1):
        end = _end(month)
        if end >= first:
            within_month = [line for line in lines if month.isoformat() <= str(line["day"]) <= end.isoformat()]
            reports.append({"from": month.isoformat(), "lines": within_month, "number": number, "to": end.isoformat()})
    return {"area": area_data(area), "reports": reports, "servanda-inventory-changes": 1}


def inventory_listing(area: Area, day: date, states: Mapping[str, State]) -> dict[str, Any]:
    """Return the physical inventory listing: every lot of the area on a day, by name, each line with its hash."""
    lines: list[dict[str, Any]] = []
    for lot, state in sorted(states.items(), key=lambda item: _lot_order(item[0])):
        line: dict[str, Any] = {
            "amount": state.amount,
            "kind": state.kind,
            "line": len(lines) + 1,
            "lot": lot,
            "place": state.place,
            "serial": state.serial,
            "unit": state.unit,
        }
        line["hash"] = hashlib.sha256(encode(line)).hexdigest()
        lines.append(line)
    return {"area": area_data(area), "day": day.isoformat(), "lines": lines, "servanda-inventory-listing": 1}


def states_in(changes: Iterable[Change], area: Area) -> dict[str, State]:
    """Return the lots of an area after these changes, and how they are."""
    states: dict[str, State] = {}
    for change in changes:
        if area.has(change.after) and change.after is not None:
            states[str(change.lot)] = change.after
        else:
            states.pop(str(change.lot), None)
    return states


def sums_of(states: Iterable[State]) -> dict[tuple[str, str, str], int | None]:
    """Return the amount by kind, place and unit; None where one is not stated."""
    sums: dict[tuple[str, str, str], int | None] = {}
    for state in states:
        key = (state.kind, state.place, state.unit)
        sums[key] = _plus(sums.get(key, 0), state.amount)
    return sums


def material_balances(
    area: Area,
    beginning: Mapping[tuple[str, str, str], int | None],
    lines: Sequence[Mapping[str, Any]],
    ending: Mapping[tuple[str, str, str], int | None] | None,
    book: Mapping[tuple[str, str, str], int | None],
) -> list[dict[str, Any]]:
    """Return one balance for each unit: beginning, changes by type, book ending, counted ending, MUF, differences.

    MUF is null without a count, and where something is not stated.
    """
    units = sorted({key[2] for key in (*beginning, *(ending or ()), *book)} | {str(line["unit"]) for line in lines})
    found = []
    for unit in units:
        rows: defaultdict[tuple[str, str], int | None] = defaultdict(int)
        for line in lines:
            if line["unit"] == unit:
                key = (str(line["direction"]), str(line["type"]))
                rows[key] = _plus(rows[key], line["amount"])
        start = _total(beginning, unit)
        up = _sum(amount for (direction, _), amount in rows.items() if direction == "increase")
        down = _sum(amount for (direction, _), amount in rows.items() if direction == "decrease")
        computed = None if start is None or up is None or down is None else start + up - down
        counted = None if ending is None else _total(ending, unit)
        found.append(
            {
                "beginning": _stated(start),
                "book": _stated(computed),
                "decreases": _typed(rows, "decrease"),
                "differences": _differences(book, ending, unit),
                "ending": _stated(counted),
                "increases": _typed(rows, "increase"),
                "muf": None if computed is None or counted is None else _stated(computed - counted),
                "unit": unit,
            }
        )
    return found


def _differences(
    book: Mapping[tuple[str, str, str], int | None], ending: Mapping[tuple[str, str, str], int | None] | None, unit: str
) -> list[dict[str, Any]]:
    """Each kind and place in which book and count differ, or which one of them does not state."""
    if ending is None:
        return []
    rows = []
    for key in sorted(key for key in {*book, *ending} if key[2] == unit):
        told, seen = book.get(key, 0), ending.get(key, 0)
        if told != seen or told is None:
            difference = None if told is None or seen is None else told - seen
            rows.append({"book": told, "counted": seen, "difference": difference, "kind": key[0], "place": key[1]})
    return rows


def area_data(area: Area) -> dict[str, Any]:
    """The area as documents state it."""
    return {"kinds": _names(area.kinds), "party": area.party, "places": _names(area.places)}


def _names(names: Collection[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)


def _typed(rows: Mapping[tuple[str, str], int | None], direction: str) -> list[dict[str, Any]]:
    return [{"amount": _stated(rows[key]), "type": key[1]} for key in sorted(rows) if key[0] == direction]


def _total(sums: Mapping[tuple[str, str, str], int | None], unit: str) -> int | None:
    return _sum(amount for key, amount in sums.items() if key[2] == unit)


def _sum(amounts: Iterable[int | None]) -> int | None:
    total: int | None = 0
    for amount in amounts:
        total = _plus(total, amount)
    return total


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _stated(amount: int | None) -> int | None:
    return amount if amount is not None and abs(amount) <= INTEGER_MAX else None


def _lot_order(name: str) -> tuple[str, int, int]:
    party, number, row = name.split("/")
    return party, int(number), int(row)


def _months(first: date, last: date) -> Iterable[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = _end(month) + timedelta(1)


def _end(month: date) -> date:
    return (month.replace(day=28) + timedelta(4)).replace(day=1) - timedelta(1)
