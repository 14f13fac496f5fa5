# SPDX-License-Identifier: Apache-2.0
"""How much of a table is open, what was asked for, and what was found outside it (spec/inspections.md, Openings).

A reader may hold openings beside the record; those that prove a row of the table come in as `shown`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from servanda.journal.frame import Place
from servanda.proof.tables import Row
from servanda.registers.inspections.book import Book
from servanda.registers.inspections.inspection import OpenedTable, Opening, Request, Undeclared, time_of
from servanda.registers.inspections.population import Ranges, common, count_of, has_row, united

Shown = Callable[[str], Mapping[int, Row]]
"""Of a table named `party/number`, the rows whose openings the reader holds beside the record, each proved by one."""


def nothing(table: str) -> Mapping[int, Row]:
    """A reader that holds no openings beside the record."""
    return {}


class Asked(NamedTuple):
    """A request at a time."""

    state: str
    """`met`, `met-late`, `waiting` or `overdue`."""
    listed: int
    """Rows asked for by row that openings list."""
    not_declared: int | None
    """Rows that count as not declared, None where all rows of a place do, of which nobody else knows how many."""


class SeenItem(NamedTuple):
    """One item found and not in the root."""

    item: Mapping[str, Any]
    state: str
    """`open`, `shown` by a later opening, or `contradicted` by a row that was among those searched."""
    row: int | None


def rows_open(table: OpenedTable, shown: Shown) -> dict[int, Row]:
    """Every row of which this reader holds a proof."""
    return {**shown(table.name), **{row: value for row, (_, value) in table.opened.items()}}


def handed(table: OpenedTable, known: Mapping[int, Row]) -> int:
    """How many rows its author says it has handed, of which this reader holds no proof."""
    said = united(*(each.rows for each in table.openings))
    return count_of(said) - sum(has_row(said, row) for row in known)


def by_place(table: OpenedTable, known: Mapping[int, Row]) -> list[dict[str, Any]]:
    """Rows by place: as declared in clear, and those open; null is what is not known to lie anywhere."""
    declared: dict[str | None, int] = {}
    for group in table.groups:
        declared[group.get("place")] = declared.get(group.get("place"), 0) + int(group["rows"])
    opened: dict[str | None, int] = {}
    for value in known.values():
        place = value.get("place")
        name = place if isinstance(place, str) else None
        opened[name] = opened.get(name, 0) + 1
    said = {each.complete for each in table.openings if each.complete is not None}
    names = sorted({*declared, *opened, *said} - {None}, key=str)
    return [
        {
            "complete": place in said,
            "declared": declared.get(place),
            "open": opened.get(place, 0),
            "place": place,
        }
        for place in [*names, *([None] if None in declared or None in opened else [])]
    ]


def incomplete(table: OpenedTable) -> list[tuple[Place, str]]:
    """Openings of a row at a place of which its author had said before that all rows were open; and that place."""
    found: list[tuple[Place, str]] = []
    said: set[str] = set()
    opened_by: dict[Place, list[Row]] = {}
    for place, value in table.opened.values():
        opened_by.setdefault(place, []).append(value)
    for each in table.openings:
        places = {value.get("place") for value in opened_by.get(each.entry.place, [])}
        found += [(each.entry.place, place) for place in sorted(said) if place in places]
        said |= {each.complete} if each.complete is not None else set()
    return found


def asked(book: Book, request: Request, now: int) -> Asked:
    """What has become of a request. Rows not opened by its time count as not declared until they are."""
    answers = [each for each in book.tables[request.table].openings if each.answers == request.entry.place]
    if request.place is not None:
        said = [each for each in answers if each.complete == request.place]
        state = _state(request, said[0] if said else None, now)
        return Asked(state, 0, None if state == "overdue" else 0)
    rows: Ranges = ()
    done = None
    for each in answers:
        rows = united(rows, each.rows)
        if done is None and common(rows, request.rows) == count_of(request.rows):
            done = each
    listed = common(rows, request.rows)
    state = _state(request, done, now)
    return Asked(state, listed, count_of(request.rows) - listed if state == "overdue" else 0)


def _state(request: Request, done: Opening | None, now: int) -> str:
    if done is not None:
        return "met" if time_of(done.entry) <= request.by else "met-late"
    return "overdue" if now > request.by else "waiting"


def seen_items(book: Book, found: Undeclared, shown: Shown) -> list[SeenItem]:
    """What was found and not in the root, each with what has been opened since."""
    table = book.tables[found.table]
    known = rows_open(table, shown)
    serials: dict[object, list[int]] = {}
    for row, value in known.items():
        serials.setdefault(value.get("serial"), []).append(row)
    answering = [each.proved for each in table.openings if each.answers == found.entry.place]
    seen = []
    for item in found.items:
        rows = sorted(serials.get(item["serial"], ()))
        searched = [row for row in rows if has_row(found.searched, row)]
        fitting = [
            row
            for row in rows
            if any(row in proved for proved in answering)
            and item.get("kind", known[row].get("kind")) == known[row].get("kind")
        ]
        if searched:
            seen.append(SeenItem(item, "contradicted", searched[0]))
        else:
            seen.append(SeenItem(item, "shown" if fitting else "open", fitting[0] if fitting else None))
    return seen
