# SPDX-License-Identifier: Apache-2.0
"""A centre on duty: it answers the line and the control socket, and delivers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from servanda.assembly import Station
from servanda.gateway.control import ControlServer
from servanda.gateway.line import line_app
from servanda.gateway.local import LocalServer
from servanda.gateway.rounds import Rounds
from servanda.gateway.server import LineServer
from servanda.gateway.taxii import collections_server
from servanda.operations.delivery import Delivery
from servanda.operations.desk import CHANGING
from servanda.operations.door import CentreDoor


class Duty:
    """Everything that runs while a station is on duty."""

    def __init__(self, station: Station, taxii: tuple[str, int] | None = None) -> None:
        """Prepare; `start` begins. Host and port are those of `centre.json`; those of `taxii` are for its readers."""
        self.station = station
        self._incoming, self._outgoing = station.contexts()
        self._courier = station.courier(self._outgoing)
        self.delivery = Delivery(station.centre, self._courier, sorted(station.cards))
        self.rounds = Rounds(self._tasks())
        door = CentreDoor(station.centre, self._received)
        settings = station.settings
        self.server = LineServer(line_app(door), settings.host, settings.port, self._incoming)
        self.notices = station.notices()
        self.taxii: LocalServer | None = collections_server(station, *taxii) if taxii else None
        self.control = ControlServer(station.home / "control.sock", self.handle)

    def _tasks(self) -> list[Callable[[], object]]:
        """What is done in every round."""
        return []

    def _received(self) -> None:
        self.delivery.received()
        self.rounds.changed()
        self.notices.changed()

    def handle(self, request: Mapping[str, Any]) -> Any:
        """Carry out a request from the control socket."""
        command = request.get("command")
        if command == "lines":
            return {p: {"up": line.up, "trouble": line.trouble} for p, line in self.delivery.lines.items()}
        if command == "webhooks":
            return self.notices.view()
        if command == "export":
            self.delivery.compare_all()
        result = self.station.handle(request)
        if command == "meet":
            self.station.trust(result, self._incoming, self._outgoing)
            self.delivery.add(result)
        if command in CHANGING:
            self.delivery.released()
            self.rounds.changed()
            self.notices.changed()
        return result

    def start(self) -> None:
        """Listen, then deliver."""
        self.server.start()
        if self.taxii is not None:
            self.taxii.start()
        self.control.start()
        self.delivery.start()
        self.rounds.start()
        self.notices.start()

    def stop(self) -> None:
        """End delivery, then stop listening."""
        self.notices.stop()
        self.rounds.stop()
        self.delivery.stop()
        self.control.stop()
        if self.taxii is not None:
            self.taxii.stop()
        self.server.stop()
        self._courier.close()
