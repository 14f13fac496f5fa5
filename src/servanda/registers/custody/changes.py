# SPDX-License-Identifier: Apache-2.0
"""What changed in the accounts, one lot or run of rows and one entry at a time, in the order of the record.

The custody fold says where everything is; this says how it came there. It folds the record anew, step by step, and
compares what a step may have touched. Written for balances and inventory change lists (spec/accountancy.md).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from typing import Any, Generic, NamedTuple, TypeVar

from servanda.journal.frame import Place
from servanda.journal.record import Record
from servanda.journal.state import Entry
from servanda.registers.custody.containers import below
from servanda.registers.custody.fold import CustodyRegister
from servanda.registers.custody.lots import Lot, LotName, parse_lot_name
from servanda.registers.custody.rows import Named, Range, named

Value = TypeVar("Value")


class State(NamedTuple):
    """Where one lot is, and how much of it; or each row of a run."""

    account: str
    kind: str | None
    """None if it is sealed; the place too."""
    place: str | None
    unit: str
    amount: int | None
    """In the unit's smallest step; None if not stated, a range, or sealed."""
    serial: str | None


class Change(NamedTuple):
    """One lot, or consecutive rows of a table, in one step. `before` or `after` is None where it was or is not."""

    cause: Place
    """The entry with which it took effect: for an offer, the one that completed its acceptance."""
    entry: Place
    """The entry whose effect it is."""
    effect: str
    """The effect of `entry`, as `custody.offer`; `correct` for a correction."""
    lot: LotName
    """The first of `rows`."""
    rows: int
    before: State | None
    after: State | None
    addition: bool = False
    """Whether the entry says that the row stands in for one that it deletes."""


class Runs(Generic[Value]):
    """What is known of the lots of one entry, by row: consecutive rows of which the same is known are one run."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.runs: list[tuple[int, int, Value]] = []
        self._starts: list[int] = []

    @classmethod
    def of(cls, runs: list[tuple[int, int, Value]]) -> Runs[Value]:
        """These runs, which ascend."""
        made = cls()
        made.runs, made._starts = runs, [run[0] for run in runs]
        return made

    def clipped(self, first: int, last: int) -> list[tuple[int, int, Value]]:
        """The runs within rows `first` to `last`."""
        start, stop = self._over(first, last)
        return [(max(a, first), min(b, last), value) for a, b, value in self.runs[start:stop]]

    def put(self, first: int, last: int, value: Value | None) -> None:
        """Say of rows `first` to `last` what is known now; None: they are no more."""
        start, stop = self._over(first, last)
        pieces = [] if value is None else [(first, last, value)]
        if start < stop:
            a, _, left = self.runs[start]
            _, b, right = self.runs[stop - 1]
            pieces = [(a, first - 1, left)] * (a < first) + pieces + [(last + 1, b, right)] * (b > last)
        self.runs[start:stop] = pieces
        self._starts[start:stop] = [piece[0] for piece in pieces]

    def _over(self, first: int, last: int) -> tuple[int, int]:
        start = bisect_right(self._starts, first)
        start -= start > 0 and self.runs[start - 1][1] >= first
        return start, max(start, bisect_right(self._starts, last))


def changes_of(record: Record) -> list[Change]:
    """Return every change of a lot's account, kind, place or amount, in the order of the record's log."""
    return list(_Steps(record))


def states_after(changes: Iterable[Change]) -> list[tuple[LotName, int, State]]:
    """Return what these changes lead to: lot, rows, state, by party, number and row."""
    known: defaultdict[Place, Runs[State]] = defaultdict(Runs)
    for change in changes:
        known[change.lot.place].put(change.lot.row, change.lot.row + change.rows - 1, change.after)
    return [
        (LotName(*place, first), last - first + 1, state)
        for place, runs in sorted(known.items())
        for first, last, state in runs.runs
    ]


class _Steps:
    """A second fold that stops after each entry."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.register = CustodyRegister(record)
        self.known: defaultdict[Place, Runs[State]] = defaultdict(Runs)
        self.offered: dict[Place, Named] = {}
        self.lots = 0
        self.cut: dict[str, int] = {}

    def __iter__(self) -> Iterator[Change]:
        for entry in self.record.log:
            yield from self.step(entry)

    def step(self, entry: Entry) -> Iterator[Change]:
        """Fold one entry, then what has effect with it."""
        holdings = self.register.holdings
        before = set(holdings.offers)
        self.register.apply(entry)
        self.cut[entry.place.party] = entry.place.number
        for place in holdings.offers.keys() - before:
            self.offered[place] = self.named(place)
        yield from self.compared(entry, entry.place, self.own(entry))
        for place in list(holdings.offers):
            self.register.book.settle(place, self.cut)
        gone = sorted(place for place in self.offered if place not in holdings.offers)
        for place in gone:
            touched = _ranges(self.offered.pop(place))
            yield from self.compared(
                entry, place, touched + [(name.place, (name.row, name.row)) for name in self.new()]
            )

    def own(self, entry: Entry) -> list[tuple[Place, Range]]:
        """The rows that the entry itself names, opens, deletes or corrects, and what is in a container it moves."""
        if entry.frame is None or not entry.admissible:
            return []
        what = self.named(entry.place)
        found, names = _ranges(what), self.new()
        if self.record.effect_of(entry) == "custody.move":
            book = self.register.book
            boxes = [name for name in book.holdings.contents if what.has(name)]
            names += [inner for box in boxes for inner in below(book, box, entry.past)]
        if entry.frame.format == "correct" and entry.frame.refers_to:
            declared = self.register.holdings.declarations.get(entry.frame.refers_to[0].place)
            names += declared.lots if declared else []
        if entry.place in self.register.holdings.tables:
            content = entry.frame.content
            names += [parse_lot_name(one["lot"]) for one in content.get("deletions", ())]
            found += [(entry.place, run) for run in _apart(content)]
        return found + [(name.place, (name.row, name.row)) for name in dict.fromkeys(names)]

    def named(self, place: Place) -> Named:
        """What an entry names."""
        entry = self.record.entry(place)
        if entry is None or entry.frame is None:
            return Named()
        return named(self.record.effect_of(entry), entry.frame.content)

    def new(self) -> list[LotName]:
        """The lots opened since this was last asked: lots are never taken away, and come last."""
        lots = self.register.holdings.lots
        found = list(islice(lots, self.lots, None))
        self.lots = len(lots)
        return found

    def compared(self, cause: Entry, place: Place, touched: Iterable[tuple[Place, Range]]) -> Iterator[Change]:
        """The changes among these rows, all of them due to the entry at `place`."""
        entry = self.record.entry(place)
        assert entry is not None
        effect = self.record.effect_of(entry) or (entry.frame.format if entry.frame else "")
        added = (
            _additions(entry.frame.content) if entry.frame and entry.place in self.register.holdings.tables else set()
        )
        for where, (first, last) in dict.fromkeys(touched):
            known = self.known[where]
            before, after = known.clipped(first, last), list(self.now(where, first, last))
            for a, b, was, now in _pieces(before, after):
                if was != now:
                    addition = where == place and a in added
                    yield Change(cause.place, place, effect, LotName(*where, a), b - a + 1, was, now, addition)
                    known.put(a, b, now)

    def now(self, place: Place, first: int, last: int) -> Iterator[tuple[int, int, State]]:
        """How the rows are in the fold."""
        table = self.register.holdings.tables.get(place)
        if table is None:
            lot = self.register.holdings.lots.get(LotName(*place, first))
            if lot is not None and not lot.ended:
                yield first, first, _state(lot)
            return
        for lot in table.over(table.there([(first, last)])):
            assert lot is not None
            if not lot.ended:
                yield max(first, lot.name.row), min(last, lot.name.row + lot.rows - 1), _state(lot)


def _state(lot: Lot) -> State:
    return State(lot.account, lot.kind, lot.place, lot.quantity.unit, lot.quantity.amount, lot.serial)


def _ranges(what: Named) -> list[tuple[Place, Range]]:
    found = [(name.place, (name.row, name.row)) for name in what.lots]
    return found + [(one.table, run) for one in what.selections for run in one.ranges]


def _additions(content: dict[str, Any]) -> set[int]:
    return {one["addition"] for one in content.get("deletions", ()) if one.get("addition") is not None}


def _apart(content: dict[str, Any]) -> list[Range]:
    """The rows of a new table, each that stands in for a deleted one by itself."""
    rows = content["table"]["rows"]
    bounds = sorted({0, rows} | {bound for row in _additions(content) for bound in (row, row + 1)})
    return [(a, b - 1) for a, b in pairwise(bounds)]


def _pieces(
    before: list[tuple[int, int, State]], after: list[tuple[int, int, State]]
) -> Iterator[tuple[int, int, State | None, State | None]]:
    """Both lists of runs cut at each other's bounds; where neither has a run there is no piece."""
    bounds = sorted({bound for first, last, _ in (*before, *after) for bound in (first, last + 1)})
    left, right = Runs.of(before), Runs.of(after)
    for a, b in pairwise(bounds):
        was, now = left.clipped(a, a), right.clipped(a, a)
        if was or now:
            yield a, b - 1, was[0][2] if was else None, now[0][2] if now else None
