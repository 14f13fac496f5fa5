# SPDX-License-Identifier: Apache-2.0
"""Does what a party holds add up? Balances over a period from the record, beside a count and measurement errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from servanda.agreement.pack import Pack
from servanda.journal.record import Record
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal
from servanda.operations.measuring import evaluated, sequenced
from servanda.operations.periods import period_of
from servanda.registers.custody.accountancy import (
    Area,
    Count,
    Held,
    Sums,
    amounts_of,
    area_data,
    change_lines,
    counts_of,
    day_of,
    inventory_changes,
    inventory_listing,
    material_balances,
    sealed_in,
    states_in,
    sums_of,
)
from servanda.registers.custody.changes import Change, State, changes_of, states_after
from servanda.verification.material_balance import item_differences

REPORT_DAYS, COUNT_MONTHS = 15, 14
"""When the report of a count is due, and how far apart counts are at most, where the agreement says nothing else."""


class Asked(NamedTuple):
    """What is wanted, read from the arguments."""

    area: Area
    first: date
    last: date
    beginning: Count | None
    ending: Count | None


def reconcile(centre: Centre, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The material balance of `party`, optionally of one `place` and `kind`, over a `period` (spec/accountancy.md).

    Further arguments: `count` (a physical count as data), `errors` (measurement errors as data), `codes` (the
    agreement's own codes for types of change), `report-days`, `count-months`.

    Raises:
        Refusal: a name the pack does not have, a period or file in another form, an error out of range (`usage`).
    """
    record = centre.record
    changes = changes_of(record)
    asked = _asked(record, centre.pack, changes, arguments)
    codes = _mapping(arguments, "codes")
    before = [change for change in changes if not _after(record, change, asked.beginning, asked.first)]
    through = [change for change in changes if _until(record, change, asked)]
    skipped = len(change_lines(record, before, asked.area, codes))
    lines = change_lines(record, through, asked.area, codes)[skipped:]
    states = states_after(through)
    held = states_in(states, asked.area)
    start = sums_of(states_in(states_after(before), asked.area))
    if asked.beginning is not None:
        start = _within(asked.beginning, asked.area)
    ending = None if asked.ending is None else _within(asked.ending, asked.area)
    balances = material_balances(asked.area, start, lines, ending, sums_of(held))
    for balance in balances:
        unit = balance["unit"]
        balance["items"] = _unit(centre.pack, unit)["exponent"] == 0
        balance["evaluation"] = evaluated(arguments.get("errors"), unit, start, lines, ending)
    return {
        "area": area_data(asked.area),
        "balances": balances,
        "beginning": _boundary(asked.beginning),
        "due": _due(arguments, asked),
        "ending": _boundary(asked.ending),
        "lines": lines,
        "names": _names(asked.ending, held),
        "period": {"from": asked.first.isoformat(), "to": asked.last.isoformat()},
        "sealed": sealed_in(states, asked.area),
        "servanda-material-balance": 1,
    }


def changes_document(centre: Centre, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The inventory change list of `party`, optionally of one `place` and `kind`, for the months of a `period`.

    Raises:
        Refusal: as for `reconcile`.
    """
    record, changes = centre.record, changes_of(centre.record)
    asked = _asked(record, centre.pack, changes, arguments)
    through = [change for change in changes if day_of(record, change.cause) <= asked.last]
    lines = change_lines(record, through, asked.area, _mapping(arguments, "codes"))
    first = asked.first if arguments.get("period") else date.min
    return inventory_changes(asked.area, lines, first, asked.last)


def listing_document(centre: Centre, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The inventory listing of `party`, optionally of one `place` and `kind`, at the end of a `period`.

    Raises:
        Refusal: as for `reconcile`.
    """
    record, changes = centre.record, changes_of(centre.record)
    asked = _asked(record, centre.pack, changes, arguments)
    through = (change for change in changes if day_of(record, change.cause) <= asked.last)
    return inventory_listing(asked.area, asked.last, states_in(states_after(through), asked.area))


def history_document(centre: Centre, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The balances between all counts of `party` (and `place`, `kind`), judged together by the `errors` given.

    Raises:
        Refusal: as for `reconcile`; fewer than two counts, or no errors (`usage`).
    """
    record, changes = centre.record, changes_of(centre.record)
    area = _asked(record, centre.pack, changes, {**arguments, "count": None, "period": None}).area
    counts = [count for count in counts_of(record, area.party) if _covers(count, area)]
    if len(counts) < 2 or arguments.get("errors") is None:
        raise Refusal("a history needs two counts of all its places on record, and the errors of measuring", "usage")
    lines = change_lines(record, changes, area, _mapping(arguments, "codes"))
    places = {str(change.cause): change.cause for change in changes}
    within = [
        [line for line in lines if one.after(record, places[line["on"]]) and not two.after(record, places[line["on"]])]
        for one, two in pairwise(counts)
    ]
    inventories = [_within(count, area) for count in counts]
    units = sorted({key[2] for inventory in inventories for key in inventory} | {line["unit"] for line in lines})
    found = {unit: sequenced(arguments["errors"], unit, inventories, within) for unit in units}
    return {
        "area": area_data(area),
        "counts": [_boundary(count) for count in counts],
        "evaluations": [{"evaluation": found[unit], "unit": unit} for unit in units],
        "servanda-balance-history": 1,
    }


def wrong_in_history(document: Mapping[str, Any]) -> list[str]:
    """Every alarm of a history: of a single period, of the sum so far, of Page's test."""
    found = []
    for row in document["evaluations"]:
        if row["evaluation"] is None:
            continue
        result = row["evaluation"]["result"]
        for at, period in enumerate(result["periods"], start=1):
            if period["test"]["alarm"]:
                found.append(f"{row['unit']}: period {at}: {period['muf']} is more than measuring explains")
            if result["cumulative"][at - 1]["alarm"]:
                total = result["cumulative"][at - 1]["difference"]
                found.append(f"{row['unit']}: to period {at}: {total} together are more than measuring explains")
        if result["page"]["alarm"] is not None:
            found.append(f"{row['unit']}: Page's test exceeds its limit in period {result['page']['alarm'] + 1}")
    return found


def wrong_in(document: Mapping[str, Any]) -> list[str]:
    """What a person must look at: items that do not add up, a difference that measuring does not explain, names."""
    found = []
    for balance in document["balances"]:
        unit, muf = balance["unit"], balance["muf"]
        if balance["items"] and (balance["differences"] or muf not in (0, None)):
            found.append(f"{unit}: pieces must add up, and do not: {muf if muf is not None else 'not stated'}")
        evaluation = balance["evaluation"]
        if evaluation and evaluation["result"]["test"]["alarm"]:
            found.append(f"{unit}: {muf} is more than measuring explains")
    names = document["names"] or {"missing": [], "unrecorded": []}
    found += [f"in the book and not counted: {name}" for name in names["missing"]]
    return found + [f"counted and not in the book: {name}" for name in names["unrecorded"]]


def _asked(record: Record, pack: Pack, changes: Sequence[Change], arguments: Mapping[str, Any]) -> Asked:
    party = arguments["party"]
    if party not in pack.parties:
        raise Refusal(f"no party {party!r}; the agreement has {', '.join(pack.parties)}", "usage")
    area = Area(party, _places(pack, arguments.get("place")), _kinds(pack, arguments.get("kind")))
    days = [day_of(record, change.cause) for change in changes] or [date(1970, 1, 1)]
    period = period_of(arguments.get("period"))
    first, last = period or (days[0], max(days))
    counts = [count for count in counts_of(record, party) if _covers(count, area)]
    brought = arguments.get("count")
    if brought is not None:
        counts.append(_brought(brought, last))
    within = [count for count in counts if first <= count.day <= last]
    earlier = [count for count in counts if count.day < first] if period else within[:-1]
    return Asked(area, first, last, earlier[-1] if earlier else None, within[-1] if within else None)


def _covers(count: Count, area: Area) -> bool:
    return count.places is None or (area.places is not None and area.places <= count.places)


def _places(pack: Pack, place: str | None) -> frozenset[str] | None:
    """A place and all within it."""
    if place is None:
        return None
    above = {item["id"]: item.get("within") for item in pack.data["places"]}
    if place not in above:
        raise Refusal(f"no place {place!r} in the pack", "usage")
    return frozenset(name for name in above if place in _upward(name, above))


def _kinds(pack: Pack, kind: str | None) -> frozenset[str] | None:
    """A kind and all within it."""
    if kind is None:
        return None
    if kind not in pack.items:
        raise Refusal(f"no kind {kind!r} in the pack", "usage")
    return frozenset(name for name in pack.items if pack.within(name, kind))


def _upward(name: str | None, above: Mapping[str, str | None]) -> Iterable[str]:
    while name is not None:
        yield name
        name = above[name]


def _unit(pack: Pack, name: str) -> Mapping[str, Any]:
    return next(unit for unit in pack.data["units"] if unit["id"] == name)


def _after(record: Record, change: Change, count: Count | None, first: date) -> bool:
    return count.after(record, change.cause) if count is not None else day_of(record, change.cause) >= first


def _until(record: Record, change: Change, asked: Asked) -> bool:
    if asked.ending is not None:
        return not asked.ending.after(record, change.cause)
    return day_of(record, change.cause) <= asked.last


def _within(count: Count, area: Area) -> Sums:
    return {
        key: amount
        for key, amount in count.amounts.items()
        if area.has(State(f"held/{area.party}", key[0], key[1], key[2], amount, None))
    }


def _brought(data: Mapping[str, Any], last: date) -> Count:
    """A count from a file: `groups` as in an inventory, `day`, and `names` of every lot or serial that was seen."""
    try:
        names = data.get("names")
        return Count(
            None,
            date.fromisoformat(data["day"]) if "day" in data else last,
            None,
            amounts_of({"each": 1, "rows": 1, **group} for group in data["groups"]),
            None if names is None else frozenset(item_differences((), names).unrecorded),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Refusal(
            f"the count is not usable: {error}; see spec/accountancy.md, Count from a file", "usage"
        ) from error


def _names(count: Count | None, held: Held) -> dict[str, list[str]] | None:
    """By name, what is in the book and not counted, and what is counted and not in the book.

    Rows of a table are named `party/number/row`, their serials are not known here.
    """
    if count is None or count.names is None:
        return None
    missing, seen = [], set()
    for first, rows, state in held:
        for row in range(first.row, first.row + rows):
            name = str(first._replace(row=row))
            found = {name, state.serial or name} & count.names
            seen |= found
            missing += [] if found else [name]
    return {"missing": missing, "unrecorded": sorted(count.names - seen)}


def _boundary(count: Count | None) -> dict[str, Any]:
    if count is None:
        return {"basis": "book", "day": None, "entry": None}
    return {"basis": "counted", "day": count.day.isoformat(), "entry": str(count.entry) if count.entry else None}


def _due(arguments: Mapping[str, Any], asked: Asked) -> dict[str, str] | None:
    """When the report on the count is due, and the next count at the latest: the agreement's numbers."""
    if asked.ending is None:
        return None
    months = asked.ending.day.month - 1 + int(arguments.get("count-months", COUNT_MONTHS))
    year, month = asked.ending.day.year + months // 12, months % 12 + 1
    after = date(year + month // 12, month % 12 + 1, 1) - timedelta(1)
    return {
        "next-count": after.replace(day=min(asked.ending.day.day, after.day)).isoformat(),
        "report": (asked.ending.day + timedelta(int(arguments.get("report-days", REPORT_DAYS)))).isoformat(),
    }


def _mapping(arguments: Mapping[str, Any], name: str) -> Mapping[str, str]:
    value = arguments.get(name) or {}
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for text in value.values()):
        raise Refusal(f"{name} are an object of texts", "usage")
    return value


COMMANDS = {
    "balance-history": history_document,
    "inventory-changes": changes_document,
    "inventory-listing": listing_document,
    "reconcile": reconcile,
}
