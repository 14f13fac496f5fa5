# SPDX-License-Identifier: Apache-2.0
"""Rows of tables as lots: consecutive rows that are alike are one `Lot`, split where an entry tells them apart.

A table of millions of rows is as many lots as there are differences between its rows (spec/tables.md, Rows as lots).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from servanda.journal.frame import Place
from servanda.registers.custody.lots import Holder, Lot, LotName, Quantity, parse_lot_name

Range = tuple[int, int]
"""The first and the last row."""


class Selection(NamedTuple):
    """Rows of one table; ranges ascend and do not touch."""

    table: Place
    ranges: Sequence[Range]

    def has(self, name: LotName) -> bool:
        """Whether the lot of that name is among the rows."""
        if name.place != self.table:
            return False
        index = bisect_right(self.ranges, (name.row, 2**53)) - 1
        return index >= 0 and self.ranges[index][1] >= name.row


class Named(NamedTuple):
    """The lots that an entry is about: those it names, in its order, then the rows it selects."""

    lots: Sequence[LotName] = ()
    selections: Sequence[Selection] = ()

    def has(self, name: LotName) -> bool:
        """Whether the lot of that name is named or selected."""
        return name in self.lots or any(one.has(name) for one in self.selections)

    @property
    def only(self) -> LotName | None:
        """The one lot that is named; None if there are none or several."""
        counted = sum(last - first + 1 for one in self.selections for first, last in one.ranges)
        different = set(self.lots)
        if len(different) + counted != 1:
            return None
        if different:
            return different.pop()
        return next(LotName(*one.table, first) for one in self.selections for first, _ in one.ranges)

    @property
    def twice(self) -> bool:
        """Whether a lot is named twice, or named and selected."""
        if len(set(self.lots)) < len(self.lots):
            return True
        return any(one.has(name) for name in self.lots for one in self.selections)


_ONE = frozenset({"custody.split", "custody.move", "custody.seal", "custody.condition"})
_NAMES = frozenset({"custody.merge", "custody.repack", "custody.loss", "custody.consume"})
_BOXES = frozenset({"custody.pack", "custody.unpack"})
_HELD = frozenset({"custody.offer", "custody.destroy", "custody.resolve"})


def named(effect: str | None, content: dict[str, Any]) -> Named:
    """What an entry names. Only the effect says which members are names of lots."""
    texts: list[str] = []
    if effect in _ONE:
        texts = [content["lot"]] if "lot" in content else []
    elif effect in _NAMES:
        texts = content["lots"]
    elif effect in _HELD:
        texts = [item["lot"] for item in content["lots"]]
    elif effect in _BOXES:
        texts = [content["container"], *content["lots"]]
    else:
        return Named()
    names_only = effect in _BOXES or effect in ("custody.split", "custody.merge")
    rows = () if names_only else content.get("tables", ())
    return Named([parse_lot_name(text) for text in texts], selections(rows))


def selections(rows: Iterable[dict[str, Any]]) -> list[Selection]:
    """Selections as an entry or an acceptance writes them."""
    return [Selection(parse_place(one["table"]), [(first, last) for first, last in one["rows"]]) for one in rows]


def parse_place(text: str) -> Place:
    """Read `party/number`; the shape of the effect has been checked before."""
    party, number = text.split("/")
    return Place(party, int(number))


class Declared(NamedTuple):
    """What a declaration says of a row in clear; None: sealed."""

    kind: str | None
    place: str | None
    quantity: Quantity


class TableRows:
    """The rows of one table, in order. Rows whose addition took no effect are not there."""

    def __init__(self, place: Place, content: dict[str, Any], account: str, quantities: Iterable[Quantity]) -> None:
        """Open a lot for each group of a declaration, and remember the groups.

        Args:
            place: of the declaration.
            content: what it says; its groups add up to its table.
            account: in which account all of them are.
            quantities: of the rows of each group.
        """
        self.declared: list[tuple[int, Declared]] = []
        """The first row of each group, ascending, and what was declared of its rows."""
        self.lots: list[Lot] = []
        holders = (Holder(place.party, None),) if account.startswith("held/") else ()
        row = 0
        for group, quantity in zip(content["groups"], quantities, strict=True):
            self.declared.append((row, Declared(group["kind"], group["place"], quantity)))
            self.lots.append(
                Lot(
                    name=LotName(*place, row),
                    kind=group["kind"],
                    quantity=quantity,
                    place=group["place"],
                    account=account,
                    pool=None,
                    holders=holders,
                    rows=group["rows"],
                )
            )
            row += group["rows"]
        self._starts = [lot.name.row for lot in self.lots]

    def as_declared(self, row: int) -> Declared:
        """What was declared of a row, which is there."""
        return self.declared[bisect_right(self.declared, row, key=lambda group: group[0]) - 1][1]

    def there(self, ranges: Iterable[Range]) -> list[Range]:
        """Those of the rows that are there."""
        own = joined((lot.name.row, _end(lot) - 1) for lot in self.lots)
        return [(max(a, c), min(b, d)) for a, b in ranges for c, d in own if a <= d and c <= b]

    def drop(self, ranges: Sequence[Range]) -> None:
        """Rows that open no lot after all."""
        gone = {lot.name for lot in self.carve(ranges)}
        self.lots = [lot for lot in self.lots if lot.name not in gone]
        self._starts = [lot.name.row for lot in self.lots]

    def at(self, row: int) -> Lot | None:
        """The lot that the row is part of."""
        index = bisect_right(self._starts, row) - 1
        return self.lots[index] if index >= 0 and row < _end(self.lots[index]) else None

    def over(self, ranges: Iterable[Range]) -> Iterator[Lot | None]:
        """Every lot that has one of the rows, ascending; None where a row is not there."""
        for first, last in ranges:
            index = max(bisect_right(self._starts, first) - 1, 0)
            if index < len(self.lots) and _end(self.lots[index]) <= first:
                index += 1
            row = first
            while row <= last:
                if index >= len(self.lots) or self.lots[index].name.row > row:
                    yield None
                    return
                yield self.lots[index]
                row = _end(self.lots[index])
                index += 1

    def carve(self, ranges: Sequence[Range]) -> list[Lot]:
        """The lots of exactly these rows: whatever reaches beyond is split at the bounds. The rows are there."""
        if not ranges:
            return []
        start = bisect_right(self._starts, ranges[0][0]) - 1
        stop = bisect_right(self._starts, ranges[-1][1])
        pieces, taken, bounds = [], [], iter(ranges)
        first, last = next(bounds)
        for whole in self.lots[start:stop]:
            lot: Lot | None = whole
            while lot is not None:
                while last < lot.name.row:
                    first, last = next(bounds, (2**53, 2**53))
                rest = None
                if lot.name.row < first < _end(lot):
                    rest = _cut(lot, first)
                elif first <= lot.name.row:
                    if last + 1 < _end(lot):
                        rest = _cut(lot, last + 1)
                    taken.append(lot)
                pieces.append(lot)
                lot = rest
        self.lots[start:stop] = pieces
        self._starts[start:stop] = [lot.name.row for lot in pieces]
        return taken


def _end(lot: Lot) -> int:
    return lot.name.row + lot.rows


def _cut(lot: Lot, row: int) -> Lot:
    """Shorten the lot so that it ends before `row`; the rest, otherwise the same."""
    rest = replace(lot, name=lot.name._replace(row=row), rows=_end(lot) - row, crossed=dict(lot.crossed))
    lot.rows = row - lot.name.row
    return rest


def joined(ranges: Iterable[Range]) -> list[Range]:
    """The same rows in ascending ranges that do not touch."""
    found: list[Range] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found
