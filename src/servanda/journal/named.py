# SPDX-License-Identifier: Apache-2.0
"""What entries name, for the registers of dialogue (spec/dialogue.md, Names and rows): items in order, names in a past.

A register keeps its items in an index of sorted rows, so that a page is read and not computed anew.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from servanda.agreement.dates import DateSpan, NoSuchDateError, parse_span
from servanda.journal.frame import Frame, Place
from servanda.journal.state import Entry
from servanda.journal.threads import Cut, within

Order = tuple[int, str, str, str, int]
"""First day, the expression (it may have a time), release, party, number."""
_DATED = {"dialogue.statement": "on", "commitments.mark": "as-of"}
_LATEST = 4_000_000
"""After every day that the calendar has: what has no date that exists comes last."""


@dataclass(slots=True)
class Item:
    """One entry as a register shows it: `content` is as last corrected, `order` by date, then release, then place."""

    entry: Entry
    effect: str
    content: dict[str, Any]
    order: Order
    corrected: Place | None = None

    @property
    def place(self) -> Place:
        """Where the entry lies."""
        return self.entry.place

    @property
    def party(self) -> str:
        """Whose entry it is."""
        return self.entry.place.party

    @property
    def frame(self) -> Frame:
        """Its frame; items are made of admissible entries only."""
        assert self.entry.frame is not None
        return self.entry.frame


def item_of(entry: Entry, effect: str, content: dict[str, Any]) -> Item:
    """An item of an admissible entry; a statement is dated by `on`, a mark by `as-of`, any other by `event-at`."""
    frame = entry.frame
    assert frame is not None
    dated = _DATED.get(effect)
    on = content[dated] if dated else frame.event_at
    return Item(entry, effect, content, (first_day(on), on, frame.released_at, *entry.place))


def first_day(expression: str) -> int:
    """The first day of a date expression as an ordinal, else the last; after all others if it has none."""
    span = span_of(expression)
    day = (span.first or span.last) if span else None
    return day.toordinal() if day else _LATEST


def span_of(expression: str) -> DateSpan | None:
    """The days that a date expression stands for, None if they do not exist."""
    try:
        return parse_span(expression)
    except NoSuchDateError:
        return None


def _order(item: Item) -> Order:
    return item.order


class Index:
    """Items under keys such as `("position", "syria")`, each row sorted by date."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], list[Item]] = {}

    def add(self, item: Item, keys: Iterable[tuple[str, str]]) -> None:
        """Enter an item under its keys."""
        for key in set(keys):
            insort(self._rows.setdefault(key, []), item, key=_order)

    def remove(self, item: Item, keys: Iterable[tuple[str, str]]) -> None:
        """Take an item out from under its keys, before its content or order changes."""
        for key in set(keys):
            row = self._rows[key]
            del row[bisect_left(row, item.order, key=_order)]

    def row(self, kind: str, name: str) -> list[Item]:
        """The items under a key, by date. Not to be changed."""
        return self._rows.get((kind, name), [])

    def names(self, kind: str) -> Iterator[str]:
        """The names that have items of a kind, sorted."""
        return iter(sorted(name for what, name in self._rows if what == kind and self._rows[what, name]))


class Names:
    """Which entries have opened which name, and whether a past knows it."""

    def __init__(self) -> None:
        self.openings: dict[str, list[Place]] = {}

    def open(self, name: str, place: Place) -> None:
        """The entry at `place` gives the name."""
        insort(self.openings.setdefault(name, []), place)

    def known(self, name: str, cut: Cut) -> bool:
        """Whether an entry within `cut` has given the name."""
        return any(within(cut, place) for place in self.openings.get(name, ()))

    def first(self, name: str) -> Place:
        """The opening that is shown: the first by party and number."""
        return self.openings[name][0]
