# SPDX-License-Identifier: Apache-2.0
"""Rows of a declared table by number: parts of it, and selections as content has them (spec/tables.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from servanda.verification.selection import ranges_of

Ranges = list[list[int]]


class Declared(NamedTuple):
    """What one declarer has declared: its entry, its table, and which rows are of which kind and place."""

    entry: str
    root: str
    rows: int
    groups: list[dict[str, Any]]

    def part(self, first: int, last: int, of: int) -> Ranges:
        """From `first` to `last` of `of` equal parts of every group: so all kinds and sites are among them."""
        found, begin = [], 0
        for group in self.groups:
            size = group["rows"]
            low, high = begin + size * first // of, begin + size * last // of - 1
            if low <= high:
                found.append([low, high])
            begin += size
        return joined(found)


def joined(ranges: Sequence[Sequence[int]]) -> Ranges:
    """Ascending ranges, with at least one row between two of them."""
    found: Ranges = []
    for first, last in ranges:
        if found and found[-1][1] + 1 == first:
            found[-1][1] = last
        else:
            found.append([first, last])
    return found


def count_of(ranges: Ranges) -> int:
    """How many rows there are in ranges."""
    return sum(last - first + 1 for first, last in ranges)


def without(ranges: Ranges, rows: Sequence[int]) -> Ranges:
    """Ranges less single rows."""
    missing = set(rows)
    return ranges_of([row for first, last in ranges for row in range(first, last + 1) if row not in missing])


def selection(table: str, ranges: Ranges) -> dict[str, Any]:
    """A selection of rows of the table in an entry."""
    return {"count": count_of(ranges), "rows": ranges, "table": table}
