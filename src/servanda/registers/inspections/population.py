# SPDX-License-Identifier: Apache-2.0
"""The list from which is drawn: lots, places and rows of tables, each with a position (spec/inspections.md)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

Ranges = tuple[tuple[int, int], ...]
"""Rows as inclusive ranges, ascending, with at least one row between two of them."""


class FormError(ValueError):
    """Rows that are not in form, or a population that names something twice; the message says where."""


def ranges_of(rows: Iterable[Sequence[int]]) -> Ranges:
    """Rows as they stand in a content.

    Raises:
        FormError: a range is reversed, or two touch, overlap or are out of order.
    """
    ranges = tuple((first, last) for first, last in rows)
    for first, last in ranges:
        if first > last:
            raise FormError(f"the rows {first} to {last} are given backwards")
    for (_, last), (first, _) in pairwise(ranges):
        if first <= last + 1:
            raise FormError(f"the rows up to {last} and from {first} are not apart, or not in ascending order")
    return ranges


def united(*lists: Iterable[tuple[int, int]]) -> Ranges:
    """All rows of several lists of ranges, whatever their order, in form."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(each for ranges in lists for each in ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)


def count_of(ranges: Ranges) -> int:
    """How many rows there are."""
    return sum(last - first + 1 for first, last in ranges)


def common(one: Ranges, other: Ranges) -> int:
    """How many rows are in both."""
    return count_of(one) + count_of(other) - count_of(united(one, other))


def has_row(ranges: Ranges, row: int) -> bool:
    """Whether a row is among them."""
    at = bisect_right(ranges, (row, 1 << 62))
    return at > 0 and ranges[at - 1][1] >= row


class Selection(NamedTuple):
    """Rows of one table, which has that root."""

    table: str
    root: str
    ranges: Ranges


class Population(NamedTuple):
    """The list of a plan. Position i, from 0: the lots, the places, then the rows of each table in ascending order."""

    lots: tuple[str, ...]
    places: tuple[str, ...]
    tables: tuple[Selection, ...]

    @property
    def size(self) -> int:
        """N, how many items there are."""
        return len(self.lots) + len(self.places) + sum(count_of(selection.ranges) for selection in self.tables)

    def items(self, positions: Iterable[int]) -> list[str]:
        """The names of the items at these positions, each from 0 to `size` - 1."""
        named = self.lots + self.places
        flat = [(selection.table, *ends) for selection in self.tables for ends in selection.ranges]
        before = [*accumulate((last - first + 1 for _, first, last in flat), initial=len(named))]
        found = []
        for position in positions:
            if position < len(named):
                found.append(named[position])
                continue
            at = bisect_right(before, position) - 1
            table, first, _ = flat[at]
            found.append(f"{table}/{first + position - before[at]}")
        return found

    def has(self, item: str) -> bool:
        """Whether an item of that name is in the list."""
        table, _, row = item.rpartition("/")
        return (
            item in self.lots
            or item in self.places
            or any(s.table == table and row.isdecimal() and has_row(s.ranges, int(row)) for s in self.tables)
        )

    def shares(self, other: Population) -> bool:
        """Whether an item is in both lists."""
        if set(self.places) & set(other.places) or any(map(other.has, self.lots)):
            return True
        if any(map(self.has, other.lots)):
            return True
        rows = {selection.table: selection.ranges for selection in other.tables}
        return any(common(s.ranges, rows[s.table]) for s in self.tables if s.table in rows)


def population_of(content: Mapping[str, Any]) -> Population:
    """The population that a plan states.

    Raises:
        FormError: it is empty, names something twice, or the rows of a table are not in form or not as many as said.
    """
    selections = []
    for selected in content["tables"]:
        ranges = ranges_of(selected["rows"])
        if count_of(ranges) != selected["count"]:
            raise FormError(f"{selected['count']} rows of {selected['table']} are said, {count_of(ranges)} are listed")
        selections.append(Selection(selected["table"], selected["root"], ranges))
    found = Population(tuple(content["lots"]), tuple(content["places"]), tuple(selections))
    names = [*found.lots, *found.places, *(selection.table for selection in selections)]
    if len(set(names)) != len(names):
        raise FormError("a lot, place or table is named twice")
    for lot in found.lots:
        if Population((), (), found.tables).has(lot):
            raise FormError(f"{lot} is named as a lot, and is among the rows of its table")
    if not names:
        raise FormError("there is nothing in it")
    return found
