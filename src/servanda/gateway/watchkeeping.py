# SPDX-License-Identifier: Apache-2.0
"""What a centre on duty does for the people at the line: it escalates, pages, and watches over the roster."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from servanda.agreement.dates import instant_seconds
from servanda.assembly import Station
from servanda.line.roster import EMPTY, Roster, warning
from servanda.operations.citing import at_rest, cite_provision
from servanda.operations.errors import Refusal
from servanda.operations.escalating import AT_ONCE, escalate
from servanda.operations.orderwire import Orderwire, said_view
from servanda.operations.paging import Paging
from servanda.operations.ports import Courier, StoredReceipt, Words
from servanda.operations.standing import officer_on_duty, span_view

LOOKED_AT_ONCE = 500
"""How many questions are looked at under one hold of the lock after a burst."""
BATCHES_IN_A_ROUND = 5
"""How many times `AT_ONCE` entries are released in one round: a flood of alerts must not hold up the pages."""
log = logging.getLogger(__name__)


class Watchkeeping:
    """The watch of one centre on duty."""

    def __init__(self, station: Station, courier: Courier, released: Callable[[], None]) -> None:
        """Prepare; `start` begins.

        Args:
            station: whose watch it is.
            courier: carries the orderwire.
            released: called when our journal has grown.
        """
        self._station, self._centre, self._released = station, station.centre, released
        self.orderwire = Orderwire(station.centre, courier)
        self.paging = Paging(station.centre, station.pager, self._officer)
        self._trouble = ""
        self._told = ""
        self._undated: tuple[int, list[StoredReceipt]] | None = None
        """Size of the record's log, and receipts, that were found to date nothing: they are not looked at again."""

    def check(self) -> None:
        """Settings that cannot be used are told before the centre is on duty.

        Raises:
            Refusal: `paging.toml` or `roster.toml` cannot be used (`paging`, `roster`).
        """
        self._station.pager.contacts()
        self._station.roster.roster()

    def start(self) -> None:
        """Begin to page."""
        self.paging.start()

    def stop(self) -> None:
        """End paging."""
        self.paging.stop()

    def tasks(self) -> list[Callable[[], object]]:
        """What is done in every round, in this order."""
        return [self.escalate_due, self.cite, self.paging.collect, self.look_at_roster]

    def escalate_due(self) -> None:
        """Release what is due, some at a time: between them others may have the lock. What is left waits a round."""
        more = True
        while more:
            with self._centre.lock:
                more = self._centre.schedule.look_ahead(LOOKED_AT_ONCE)
        for _ in range(BATCHES_IN_A_ROUND):
            with self._centre.lock:
                made = escalate(self._centre)
            if made:
                self._released()
            if len(made) < AT_ONCE:
                return

    def cite(self) -> None:
        """Cite receipts that date the provision of questions."""
        with self._centre.lock:
            centre = self._centre
            state = (len(centre.record.log), centre.store.receipts(centre.party))
            if state == self._undated:
                return
            cited = cite_provision(centre)
            if cited is None and at_rest(centre):
                self._undated = state
        if cited is not None:
            self._released()

    def alarm(self, party: str, _reason: str) -> None:
        """Delivery has found that something is undelivered for too long; it has logged why."""
        self.paging.alarm(party, self._status())

    def _status(self) -> str:
        return "exercise" if self._centre.exercising else "actual"

    def look_at_roster(self) -> None:
        """Warn of a gap before it bites: once in the log, once by a page."""
        with self._centre.lock:
            gap = warning(self._roster(), instant_seconds(self._centre.clock()))
        if gap is None:
            return
        told = span_view(gap)
        key = told["from"] or f"before {told['to']}"
        if key != self._told:
            self._told = key
            log.warning("nobody is on the roster from %s to %s", told["from"] or "now", told["to"] or "further notice")
        self.paging.gap(key, self._status())

    def _roster(self) -> Roster:
        """The roster; the empty one, and one line in the log, if the file cannot be used."""
        try:
            found, trouble = self._station.roster.roster(), ""
        except Refusal as error:
            found, trouble = EMPTY, str(error)
        if trouble and trouble != self._trouble:
            log.error("roster: %s", trouble)
        self._trouble = trouble
        return found

    def _officer(self) -> str | None:
        return officer_on_duty(self._centre, self._roster())[0]

    def say(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out a request of the orderwire: say something, or show the last messages.

        Raises:
            Refusal: an argument is missing, or the message is not allowed.
            TryLater: the line is down; nothing is kept.
        """
        party, text = str(request.get("party", "")), request.get("text")
        if text is not None:
            self.orderwire.say(party, Words(str(request.get("officer", "")), str(text)))
        return {"party": party, "messages": [said_view(said) for said in self.orderwire.last(party)]}

    def complete(self, view: dict[str, Any], lines: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The watch's screen with what only the process on duty knows: lines with their routes, and pages."""
        return {**view, "lines": dict(lines), "paging": self.paging.view()}
