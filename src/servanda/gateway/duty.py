# SPDX-License-Identifier: Apache-2.0
"""A centre on duty: it answers the line and the control socket, and delivers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from servanda.assembly import Station
from servanda.gateway.control import ControlServer
from servanda.gateway.line import line_app
from servanda.gateway.local import LocalServer
from servanda.gateway.rounds import Rounds
from servanda.gateway.server import LineServer
from servanda.gateway.taxii import collections_server
from servanda.gateway.watchkeeping import Watchkeeping
from servanda.operations.delivery import Delivery
from servanda.operations.desk import CHANGING
from servanda.operations.door import CentreDoor
from servanda.operations.fetching import Fetcher
from servanda.operations.link_tests import link_round
from servanda.operations.relaying import Relay


class Duty:
    """Everything that runs while a station is on duty."""

    def __init__(self, station: Station, taxii: tuple[str, int] | None = None) -> None:
        """Prepare; `start` begins. Host and port are those of `centre.json`; those of `taxii` are for its readers."""
        self.station = station
        self._incoming, self._outgoing = station.contexts()
        self._courier = station.courier(self._outgoing)
        self.delivery = Delivery(station.centre, self._courier, sorted(station.cards))
        self.watchkeeping = Watchkeeping(station, self._courier, self.delivery.released)
        self.delivery.on_alarm = self.watchkeeping.alarm
        self.rounds = Rounds(self._tasks())
        relay = Relay(station.centre, self._courier)
        door = CentreDoor(
            station.centre,
            self._received,
            relay=relay,
            on_heard=self.delivery.heard,
            on_words=self.watchkeeping.orderwire.hear,
            tables=station.tables,
        )
        self._cart = station.courier(self._outgoing)  # its own lines: a table does not hold up an alert
        self.fetcher = Fetcher(station.centre, station.tables, self._cart, self._said)
        settings = station.settings
        self.server = LineServer(line_app(door), settings.host, settings.port, self._incoming)
        self.notices = station.notices()
        self.taxii: LocalServer | None = collections_server(station, *taxii) if taxii else None
        self.control = ControlServer(station.home / "control.sock", self.handle)

    def _tasks(self) -> list[Callable[[], object]]:
        """What is done in every round."""
        return [
            self.delivery.alarm_round,
            partial(link_round, self.station.centre, self.delivery.released),
            *self.watchkeeping.tasks(),
        ]

    def _received(self) -> None:
        self.delivery.received()
        self.rounds.changed()
        self.notices.changed()

    def handle(self, request: Mapping[str, Any]) -> Any:
        """Carry out a request from the control socket."""
        command = request.get("command")
        if command == "lines":
            return self.delivery.view()
        if command == "line-status":
            request = {**request, "transport": self.delivery.view()}
        if command == "orderwire":
            return self.watchkeeping.say(request)
        if command == "table-fetch":
            return self.fetcher.ask(request)
        if command == "webhooks":
            return self.notices.view()
        if command == "export":
            self.delivery.compare_all()
        result = self.station.handle(request)
        if command == "watch":
            return self.watchkeeping.complete(result, self.delivery.view())
        if command == "meet":
            self.station.trust(result, self._incoming, self._outgoing)
            self.delivery.add(result)
        if command in CHANGING:
            self._said()
        return result

    def _said(self) -> None:
        """An entry of ours has been released."""
        self.delivery.released()
        self.rounds.changed()
        self.notices.changed()

    def start(self) -> None:
        """Listen, then deliver."""
        self.watchkeeping.check()
        self.server.start()
        if self.taxii is not None:
            self.taxii.start()
        self.control.start()
        self.delivery.start()
        self.watchkeeping.start()
        self.rounds.start()
        self.notices.start()

    def stop(self) -> None:
        """End delivery, then stop listening."""
        self.notices.stop()
        self.rounds.stop()
        self.watchkeeping.stop()
        self.delivery.stop()
        self.control.stop()
        if self.taxii is not None:
            self.taxii.stop()
        self.server.stop()
        self._courier.close()
        self._cart.close()
