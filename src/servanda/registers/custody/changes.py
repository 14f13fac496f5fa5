# SPDX-License-Identifier: Apache-2.0
"""What changed in the accounts, one lot and one entry at a time, in the order of the record.

The custody fold says where everything is; this says how it came there. It folds the record anew, step by step, and
compares what a step may have touched. Written for balances and inventory change lists (spec/accountancy.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from servanda.journal.frame import Place
from servanda.journal.record import Record
from servanda.journal.state import Entry
from servanda.registers.custody.containers import below
from servanda.registers.custody.fold import CustodyRegister
from servanda.registers.custody.lots import Lot, LotName
from servanda.registers.custody.rows import named


class State(NamedTuple):
    """Where one lot is, and how much of it."""

    account: str
    kind: str
    """Empty if it is sealed; the place too."""
    place: str
    unit: str
    amount: int | None
    """In the unit's smallest step; None if not stated."""
    serial: str | None


class Change(NamedTuple):
    """One lot in one step. `before` or `after` is None where the lot was not, or is no more."""

    cause: Place
    """The entry with which it took effect: for an offer, the one that completed its acceptance."""
    entry: Place
    """The entry whose effect it is."""
    effect: str
    """The effect of `entry`, as `custody.offer`; `correct` for a correction."""
    lot: LotName
    before: State | None
    after: State | None


def changes_of(record: Record) -> list[Change]:
    """Return every change of a lot's account, kind, place or amount, in the order of the record's log."""
    return list(_Steps(record))


class _Steps:
    """A second fold that stops after each entry."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.register = CustodyRegister(record)
        self.known: dict[LotName, State] = {}
        self.offered: dict[Place, list[LotName]] = {}
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
            yield from self.compared(entry, place, (*self.offered.pop(place), *self.new()))

    def own(self, entry: Entry) -> Iterable[LotName]:
        """The lots that the entry itself names, opens or corrects, and what is in a container that it moves."""
        if entry.frame is None or not entry.admissible:
            return ()
        found = dict.fromkeys(self.named(entry.place))
        if self.record.effect_of(entry) == "custody.move":
            book = self.register.book
            found |= dict.fromkeys(inner for name in [*found] for inner in below(book, name, entry.past))
        if entry.frame.format == "correct" and entry.frame.refers_to:
            declared = self.register.holdings.declarations.get(entry.frame.refers_to[0].place)
            found |= dict.fromkeys(declared.lots if declared else ())
        return [*found, *self.new()]

    def named(self, place: Place) -> list[LotName]:
        """The lots that an entry names."""
        entry = self.record.entry(place)
        if entry is None or entry.frame is None:
            return []
        return list(named(self.record.effect_of(entry), entry.frame.content).lots)

    def new(self) -> list[LotName]:
        """The lots opened since this was last asked: lots are never taken away, and come last."""
        lots = self.register.holdings.lots
        found = list(islice(lots, self.lots, None))
        self.lots = len(lots)
        return found

    def compared(self, cause: Entry, place: Place, names: Iterable[LotName]) -> Iterator[Change]:
        """The changes among these lots, all of them due to the entry at `place`."""
        entry = self.record.entry(place)
        assert entry is not None
        effect = self.record.effect_of(entry) or (entry.frame.format if entry.frame else "")
        for name in dict.fromkeys(names):
            lot = self.register.holdings.lots.get(name)
            before, after = self.known.get(name), _state(lot)
            if before != after:
                yield Change(cause.place, place, effect, name, before, after)
            if after is None:
                self.known.pop(name, None)
            else:
                self.known[name] = after


def _state(lot: Lot | None) -> State | None:
    if lot is None or lot.ended:
        return None
    return State(lot.account, lot.kind or "", lot.place or "", lot.quantity.unit, lot.quantity.amount, lot.serial)
