# SPDX-License-Identifier: Apache-2.0
"""Centres in one process that speak over real sockets, each pair of them through a proxy that can break."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from servanda.agreement.pack import Pack
from servanda.assembly import read_clock
from servanda.gateway.line import line_app
from servanda.gateway.server import LineServer
from servanda.journal.state import Entry
from servanda.operations.centre import Centre
from servanda.operations.delivery import Delivery
from servanda.operations.door import CentreDoor
from servanda.operations.founding import identity_content, state_identity
from servanda.operations.linework import undelivered
from servanda.operations.ports import Courier
from servanda.operations.receipts import receipted_size
from servanda.operations.relaying import Relay
from servanda.storage.memory.store import MemoryStore
from servanda.transport.https import HttpsCourier
from tests.line.parts import Keys, make_keys
from tests.rig.packs import channel
from tests.rig.proxy import Proxy
from tests.rig.world import ROLES, SteppedClock, World, roots_of, signers_of

PATIENCE_SECONDS = 20.0
TIMEOUT_SECONDS = 1.0
"""How long a courier of these centres waits for an answer."""


@cache
def keys_of(party: str) -> Keys:
    return make_keys(party)


class Founded(World):
    """A world whose identities state TLS keys."""

    def __init__(self, pack: Pack) -> None:
        self.pack, self.clock, self.status = pack, SteppedClock(), "actual"
        self.centres = {party: self._found(party) for party in pack.parties}
        self.sync()
        for party in pack.parties:
            self.say(party, "adopt", {"pack": pack.digest})
        self.sync()

    def _found(self, party: str) -> Centre:
        centre = Centre(party, self.pack, MemoryStore(), signers_of(party), self.clock)
        content = identity_content(centre.signers, roots_of(party), 2, ROLES, {"en": party}, tls=[keys_of(party).spki])
        state_identity(centre, content, roots_of(party)[:2])
        return centre


@cache
def _founded(parties: tuple[str, ...], relays: tuple[str, ...]) -> Founded:
    routes = [{"kind": "address"}, *({"kind": "relay", "by": by} for by in relays), {"kind": "courier"}]
    return Founded(channel(parties, routes=routes))


class Site:
    """One party's centre on duty: what listens, and what delivers."""

    def __init__(self, network: Network, party: str) -> None:
        self.network, self.party = network, party
        self.centre = network.world.centres[party]
        self.courier: Courier = self._courier()
        self.delivery = Delivery(self.centre, self.courier, network.others(party))
        self.door = CentreDoor(
            self.centre,
            self.delivery.received,
            relay=Relay(self.centre, self.courier),
            on_heard=self.delivery.heard,
        )
        self.alarms: list[tuple[str, str]] = []
        self.delivery.on_alarm = lambda *alarm: self.alarms.append(alarm)
        trusted = [keys_of(other) for other in network.others(party)]
        port = network.ports.get(party, 0)
        self.server = LineServer(line_app(network.gate(self)), "127.0.0.1", port, keys_of(party).server(*trusted))
        self.server.start()
        network.ports[party] = self.server.port
        for other in network.others(party):
            network.proxies[other, party].target = self.server.port

    def _courier(self) -> Courier:
        trusted = [keys_of(other) for other in self.network.others(self.party)]
        courier = HttpsCourier(
            lambda other: [self.network.proxies[self.party, other].url],
            lambda other: frozenset([keys_of(other).spki]),
            keys_of(self.party).client(*trusted),
            self.network.timeout,
        )
        return self.network.wrap(self.party, courier)

    def stop(self) -> None:
        self.courier.close()  # type: ignore[attr-defined]
        self.delivery.stop()
        self.server.stop()


class Network:
    """The centres of one agreement, joined by proxies: `proxies[a, b]` is the way from a to b."""

    def __init__(
        self,
        parties: Sequence[str] = ("ash", "birch"),
        relays: Sequence[str] | None = None,
        *,
        skew: Mapping[str, float] | None = None,
        wrap: Callable[[str, Any], Any] = lambda party, courier: courier,
        gates: Mapping[str, Callable[[CentreDoor], Any]] | None = None,
        timeout: float = TIMEOUT_SECONDS,
        seed: int = 1,
    ) -> None:
        self.world = _founded(tuple(parties), tuple(parties[2:] if relays is None else relays)).clone()
        self.wrap, self.timeout, self._gates = wrap, timeout, dict(gates or {})
        self.ports: dict[str, int] = {}
        for party in parties:
            self.world.centres[party].clock = skewed((skew or {}).get(party, 0))
        pairs = [(a, b) for a in parties for b in parties if a != b]
        self.proxies = {pair: Proxy(seed=seed * 100 + index) for index, pair in enumerate(pairs)}
        self.sites = {party: Site(self, party) for party in parties}

    def others(self, party: str) -> list[str]:
        return [other for other in self.world.centres if other != party]

    def gate(self, site: Site) -> Any:
        """The door that a site's server asks: its own, or one that a test has put before it."""
        return self._gates.get(site.party, lambda door: door)(site.door)

    def start(self) -> None:
        for site in self.sites.values():
            site.delivery.start()

    def stop(self) -> None:
        for site in self.sites.values():
            site.stop()
        for proxy in self.proxies.values():
            proxy.close()

    def restart(self, party: str) -> None:
        """Begin a party's centre anew from its store, at the same port."""
        self.world.centres[party] = restarted(self.world.centres[party])
        self.sites[party] = Site(self, party)
        self.sites[party].delivery.start()

    def say(self, party: str, text: str = "x", **members: Any) -> Entry:
        """One note by two officers, released while the centre is on duty."""
        site = self.sites[party]
        with site.centre.lock:
            entry = self.world.say(party, "note", {"text": text}, **members)
        site.delivery.released()
        return entry

    def between(self, one: str, other: str) -> list[Proxy]:
        """Both ways between two parties."""
        return [self.proxies[one, other], self.proxies[other, one]]

    def receipted(self, party: str, by: str) -> int:
        with self.world.centres[party].lock:
            return receipted_size(self.world.centres[party], by)

    def undelivered(self, party: str, to: str) -> list[str]:
        """What the watch list of a party names as undelivered to another, each with a reason."""
        with self.world.centres[party].lock:
            found = [item for item in undelivered(self.world.centres[party]) if item.party == to]
        assert all(item.reason and item.age is not None for item in found)
        return [item.entry for item in found]

    def delivered(self, *parties: str) -> bool:
        """Whether every centre holds every journal to its end and has receipted it."""
        wanted = parties or tuple(self.world.centres)
        return all(
            self.receipted(party, other) == self.world.centres[party].journal.size
            and not self.world.centres[other].record.journals[party].pending  # a receipt does not wait for the verdict
            for party in wanted
            for other in wanted
            if party != other
        )

    def check_whole(self, *parties: str) -> None:
        """All these centres hold the same entries in the same order, judged alike, none lost and none twice."""
        wanted = parties or tuple(self.world.centres)
        for party in wanted:
            size = self.world.centres[party].journal.size
            own = self.world.centres[party].store.leaves(party, 1, size + 1)
            assert len(own) == size == len(set(own))
            for other in wanted:
                centre = self.world.centres[other]
                with centre.lock:
                    assert centre.store.leaves(party, 1, size + 1) == own
                    assert [entry.place.number for entry in centre.record.journals[party].entries] == [
                        *range(1, size + 1)
                    ]
                    assert all(entry.admissible for entry in centre.record.journals[party].entries)


def skewed(seconds: float) -> Callable[[], str]:
    """The real clock, wrong by so much."""

    def clock() -> str:
        at = datetime.fromisoformat(read_clock()) + timedelta(seconds=seconds)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    return clock


def restarted(centre: Centre) -> Centre:
    """A centre opened anew from the same store: nothing of its memory is left."""
    return Centre(centre.party, centre.pack, centre.store, centre.signers, centre.clock)


def eventually(look: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> float:
    """Look again until it is so; how long that took."""
    begun, pause = time.monotonic(), threading.Event()
    while not look():
        passed = time.monotonic() - begun
        assert passed < seconds, f"it did not come to pass within {seconds} seconds"
        pause.wait(0.01)
    return time.monotonic() - begun


@contextmanager
def network(*arguments: Any, **options: Any) -> Iterator[Network]:
    """A network on duty for the length of a block, every line of which has come up."""
    made = Network(*arguments, **options)
    made.start()
    try:
        eventually(lambda: all(line.up for site in made.sites.values() for line in site.delivery.lines.values()))
        yield made
    finally:
        made.stop()
