# SPDX-License-Identifier: Apache-2.0
"""When does anything fall due next? The answer of `due_actions`, without looking at every question every time.

A question is looked at when something about it has changed (`AlertsRegister.touched`), and when its next action falls
due. Closed cases and met clocks cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush, nsmallest

from servanda.journal.frame import Place
from servanda.registers.alerts.clocks import Action, openings_of
from servanda.registers.alerts.fold import AlertsRegister

SPARE = 1000
"""How many stale items the heap may hold beside twice the true ones."""


class Schedule:
    """What one party's centre owes, and when it will owe more."""

    def __init__(self, register: AlertsRegister, party: str) -> None:
        """Look at a register for `party`; its `touched` is emptied by this schedule alone."""
        self._register = register
        self._party = party
        self._contacts: tuple[str, ...] = ()
        self._now = 0
        self._wake: dict[Place, int] = {}
        self._heap: list[tuple[int, Place]] = []
        register.touched.update(register.questions)

    def due(self, contacts: Sequence[str], now: int) -> list[Action]:
        """What `due_actions` answers, by question.

        Args:
            contacts: ids of the party's own contacts, in the order in which they are called.
            now: seconds since 1970. If it is earlier than at the last call, everything is looked at anew.
        """
        if now < self._now or tuple(contacts) != self._contacts:
            self._register.touched.update(self._register.questions)
        self._contacts, self._now = tuple(contacts), now
        for place in self._register.touched:
            self._look(place)
        self._register.touched.clear()
        ready = set()
        while self._heap and self._heap[0][0] <= now:
            wake, place = heappop(self._heap)
            if self._wake.get(place) == wake:
                ready.add(place)
                del self._wake[place]
        return [action for place in sorted(ready) for action in self._look(place)]

    def look_ahead(self, count: int) -> bool:
        """Look at up to `count` questions of which something has changed; whether there are more.

        A burst of thousands is looked at in pieces, so that whoever holds a lock meanwhile need not hold it long.
        """
        for _ in range(min(count, len(self._register.touched))):
            self._look(self._register.touched.pop())
        return bool(self._register.touched)

    @property
    def next(self) -> int | None:
        """When something falls due next, as of the last call of `due`; None if nothing will."""
        while self._heap and self._wake.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def urgent(self, count: int) -> list[Place]:
        """The questions whose next action falls due first, as of the last call of `due`."""
        return nsmallest(count, self._wake, key=lambda place: (self._wake[place], place))

    def _look(self, place: Place) -> list[Action]:
        """What is owed about a question now; its next time is entered."""
        question = self._register.questions[place]
        openings = list(openings_of(self._register, question, self._party, self._contacts))
        times = [o.since for o in openings if o.until is None or o.until >= max(o.since, self._now)]
        if not times:
            self._wake.pop(place, None)
        elif self._wake.get(place) != min(times):
            self._wake[place] = min(times)
            heappush(self._heap, (min(times), place))
            if len(self._heap) > 2 * len(self._wake) + SPARE:
                self._heap = [(wake, question) for question, wake in self._wake.items()]
                heapify(self._heap)
        return [opening.action for opening in openings if opening.owed(self._now)]
