# SPDX-License-Identifier: Apache-2.0
"""The obligations fold: entries in, evidence and changes of due dates out (spec/obligations.md).

What it collects are facts with their places; everything that depends on a date or on the order of things is judged in
`views.py`, so entries may come in any order in which each follows its past.
"""

from __future__ import annotations

from bisect import insort
from datetime import date
from typing import Any

from servanda.journal.frame import Frame, Place
from servanda.journal.record import Record
from servanda.journal.state import Entry
from servanda.registers.obligations.evidence import Evidence, evidence_of

_CHANGES = frozenset({"obligations.extend", "obligations.supersede"})


def _order(item: Evidence) -> tuple[date, date, Place]:
    return item.order


class ObligationsRegister:
    """What is due. Call `catch_up` after the record has judged more entries."""

    def __init__(self, record: Record) -> None:
        """Start empty; nothing of the record is folded yet."""
        self.record = record
        self.position = 0
        self.performing: dict[Place, Entry] = {}
        self.attested: dict[str, list[Evidence]] = {}
        """Evidence by obligation, in order, dated by `event-at`: what the basis `event` is judged by."""
        self._weighed: dict[Place, list[Evidence]] = {}
        self.corrections: dict[Place, tuple[Place, dict[str, Any]]] = {}
        """Corrected entry to (its latest correction, content)."""
        self.changes: dict[str, list[Place]] = {}
        """Obligation to the offers that would extend or supersede it."""
        self.suspensions: dict[str, list[tuple[Place, str]]] = {}
        """Obligation to (notice, state)."""
        self.by_format: dict[str, list[Place]] = {}
        """Entries of the formats that events and triggers name."""

    def catch_up(self) -> None:
        """Fold every entry of the record's log that has not been folded yet."""
        while self.position < len(self.record.log):
            entry = self.record.log[self.position]
            if entry.admissible and entry.frame is not None:
                self._apply(entry, entry.frame)
            self.position += 1

    def _apply(self, entry: Entry, frame: Frame) -> None:
        effect = self.record.effect_of(entry)
        if frame.format == "correct":
            target = frame.refers_to[0].place
            known = self.corrections.get(target)
            if known is None or known[0] < entry.place:
                self.corrections[target] = (entry.place, frame.content["content"])
                self._weigh(target)
        elif effect in _CHANGES:
            self.changes.setdefault(frame.content["obligation"], []).append(entry.place)
        elif effect == "obligations.suspend":
            self._suspend(entry, frame)
        if "performs" in frame.content:
            self.performing[entry.place] = entry
            self._weigh(entry.place)
        self.by_format.setdefault(frame.format, []).append(entry.place)

    def _weigh(self, place: Place) -> None:
        """Enter the evidence of an entry by the date that it attests, in place of what it said before a correction."""
        entry = self.performing.get(place)
        if entry is None or entry.frame is None:
            return
        for old in self._weighed.pop(place, ()):
            self.attested[old.obligation].remove(old)
        corrected = self.corrections.get(place)
        content = corrected[1] if corrected else entry.frame.content
        self._weighed[place] = evidence_of(self.record, entry, entry.frame, content, basis="event")
        for item in self._weighed[place]:
            insort(self.attested.setdefault(item.obligation, []), item, key=_order)

    def _suspend(self, entry: Entry, frame: Frame) -> None:
        pack = self.record.packs[frame.pack or self.record.agreement]
        for name in frame.content["obligations"]:
            obligation = pack.obligations.get(name)
            if obligation is not None and entry.place.party in obligation["obligors"]:
                self.suspensions.setdefault(name, []).append((entry.place, frame.content["state"]))
