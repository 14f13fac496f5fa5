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
from servanda.registers.custody.changes import Change, Runs, State
from servanda.registers.custody.lots import LotName

INCREASES = ("declared", "found", "received", "returned", "residue", "resolved", "moved-in")
DECREASES = ("shipped", "destroyed", "consumed", "lost", "moved-out")
BOTH = ("rearranged", "corrected")
"""Types of inventory change. `rearranged`: split, merged, packed anew; within an area its lines cancel out."""


Sums = dict[tuple[str, str, str], int | None]
"""By kind, place (each empty if sealed) and unit; None where something is not stated."""


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
    amounts: Sums
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
    places = content.get("places")
    return Count(
        entry.place,
        day_of(record, entry.place),
        None if places is None else frozenset(places),
        amounts_of(content["groups"]),
        past=entry.past,
    )


def amounts_of(groups: Iterable[Mapping[str, Any]]) -> Sums:
    """Return the amount by kind, place and unit of groups (spec/tables.md); None where sealed or a range."""
    sums: Sums = {}
    for group in groups:
        key = (group["kind"], group["place"], group["unit"])
        exact = isinstance(group["each"], int)
        sums[key] = _plus(sums.get(key, 0), group["each"] * group["rows"] if exact else None)
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
    last: defaultdict[Place, Runs[dict[str, Any]]] = defaultdict(Runs)
    for change in changes:
        for type_, state, sign, correction in _sides(change, area):
            lot = str(change.lot)
            entry = record.entry(change.entry)
            assert entry is not None
            assert entry.frame is not None
            row, brought = change.lot.row, last[change.lot.place]
            corrected = next((line for _, _, line in brought.clipped(row, row)), None) if correction == "D" else None
            line: dict[str, Any] = {
                "amount": _stated(_times(state.amount, change.rows)),
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
                "rows": change.rows,
                "serial": state.serial,
                "to": change.after.account if change.after else None,
                "type": type_,
                "unit": state.unit,
            }
            line["hash"] = hashlib.sha256(encode(line)).hexdigest()
            lines.append(line)
            brought.put(row, row + change.rows - 1, line)
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
    corrected = change.effect == "correct" or (after is not None and after.account.startswith("corrected/"))
    if was and before is not None:
        yield ("moved-out" if kind == "moved" else kind), before, -1, "D" if corrected else None
    if now and after is not None:
        late = change.effect == "correct" and before is None
        mark = "L" if late else "A" if corrected or change.addition else None
        yield "declared" if late else "moved-in" if kind == "moved" else kind, after, 1, mark


def _type(change: Change) -> str:
    before, after, effect = change.before, change.after, change.effect
    if effect == "correct" or change.addition:
        return "corrected"
    if before is None:
        return _OPENED.get(effect, "rearranged")
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


_OPENED = {
    "custody.declare": "declared",
    "custody.table": "declared",
    "custody.found": "found",
    "custody.destroy": "residue",
}


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


Held = list[tuple[LotName, int, State]]
"""Lot, rows, state of each row."""


def inventory_listing(area: Area, day: date, held: Held) -> dict[str, Any]:
    """Return the physical inventory listing: every lot of the area on a day, by name, each line with its hash."""
    lines: list[dict[str, Any]] = []
    for lot, rows, state in held:
        line: dict[str, Any] = {
            "amount": _stated(_times(state.amount, rows)),
            "kind": state.kind,
            "line": len(lines) + 1,
            "lot": str(lot),
            "place": state.place,
            "rows": rows,
            "serial": state.serial,
            "unit": state.unit,
        }
        line["hash"] = hashlib.sha256(encode(line)).hexdigest()
        lines.append(line)
    return {"area": area_data(area), "day": day.isoformat(), "lines": lines, "servanda-inventory-listing": 1}


def states_in(states: Held, area: Area) -> Held:
    """Return those of the lots that are in an area."""
    return [one for one in states if area.has(one[2])]


def sealed_in(states: Held, area: Area) -> int:
    """Return of how many rows the area's party holds it cannot be told whether they are in the area: sealed ones."""
    everywhere = Area(area.party)
    return sum(
        rows
        for _, rows, state in states
        if everywhere.has(state)
        and ((area.places is not None and state.place is None) or (area.kinds is not None and state.kind is None))
    )


def sums_of(held: Held) -> Sums:
    """Return the amount by kind, place and unit; None where one is not stated."""
    sums: Sums = {}
    for _, rows, state in held:
        key = (state.kind or "", state.place or "", state.unit)
        sums[key] = _plus(sums.get(key, 0), _times(state.amount, rows))
    return sums


def material_balances(
    area: Area,
    beginning: Sums,
    lines: Sequence[Mapping[str, Any]],
    ending: Sums | None,
    book: Sums,
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


def _differences(book: Sums, ending: Sums | None, unit: str) -> list[dict[str, Any]]:
    """Each kind and place in which book and count differ, or which one of them does not state."""
    if ending is None:
        return []
    rows = []
    for key in sorted(key for key in {*book, *ending} if key[2] == unit):
        told, seen = book.get(key, 0), ending.get(key, 0)
        if told != seen or told is None:
            difference = None if told is None or seen is None else told - seen
            named = {"kind": key[0] or None, "place": key[1] or None}
            rows.append({"book": told, "counted": seen, "difference": difference, **named})
    return rows


def area_data(area: Area) -> dict[str, Any]:
    """The area as documents state it."""
    return {"kinds": _names(area.kinds), "party": area.party, "places": _names(area.places)}


def _names(names: Collection[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)


def _typed(rows: Mapping[tuple[str, str], int | None], direction: str) -> list[dict[str, Any]]:
    return [{"amount": _stated(rows[key]), "type": key[1]} for key in sorted(rows) if key[0] == direction]


def _total(sums: Sums, unit: str) -> int | None:
    return _sum(amount for key, amount in sums.items() if key[2] == unit)


def _sum(amounts: Iterable[int | None]) -> int | None:
    total: int | None = 0
    for amount in amounts:
        total = _plus(total, amount)
    return total


def _times(amount: int | None, rows: int) -> int | None:
    return None if amount is None else amount * rows


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _stated(amount: int | None) -> int | None:
    return amount if amount is not None and abs(amount) <= INTEGER_MAX else None


def _months(first: date, last: date) -> Iterable[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = _end(month) + timedelta(1)


def _end(month: date) -> date:
    return (month.replace(day=28) + timedelta(4)).replace(day=1) - timedelta(1)
