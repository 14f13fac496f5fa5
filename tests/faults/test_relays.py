# SPDX-License-Identifier: Apache-2.0
"""When the direct line is down a relay carries; what it says is proved like everything else, whatever it is up to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from servanda.operations import delivery
from servanda.operations.door import CentreDoor
from servanda.operations.errors import LineDown
from servanda.operations.ports import RawAnswer
from servanda.operations.routing import Route
from servanda.proof.canonical import decode, encode
from servanda.proof.notes import KIND_COSIGNATURE, KIND_MLDSA44
from tests.rig.network import Network, eventually, network, skewed

THREE, FOUR = ("ash", "birch", "cedar"), ("ash", "birch", "cedar", "dove")
CEDAR, DOVE, ADDRESS = Route("relay", "cedar"), Route("relay", "dove"), Route("address")


def cut(net: Network, one: str, other: str) -> None:
    for proxy in net.between(one, other):
        proxy.break_off()


def in_use(net: Network, party: str, other: str) -> Route | None:
    return net.sites[party].delivery.lines[other].in_use


def test_what_the_direct_line_does_not_carry_goes_by_the_relay_and_returns_when_it_heals() -> None:
    with network(THREE) as net:
        eventually(net.delivered)
        cut(net, "ash", "birch")
        for number in range(3):
            net.say("ash", f"by relay {number}", precedence="flash")
            net.say("birch", f"by relay {number}")
        eventually(net.delivered)
        net.check_whole()
        line = net.sites["ash"].delivery.lines["birch"]
        eventually(lambda: line.in_use == CEDAR)
        assert line.trouble.startswith("address: ")
        assert "courier" not in line.trouble
        for proxy in net.between("ash", "birch"):
            proxy.heal()
        eventually(lambda: in_use(net, "ash", "birch") == in_use(net, "birch", "ash") == ADDRESS)
        assert line.trouble == ""
        net.say("ash", "direct again")
        eventually(net.delivered)
        net.check_whole()


def test_by_a_relay_the_post_quantum_receipts_come_as_well() -> None:
    with network(THREE) as net:
        cut(net, "ash", "birch")
        net.say("ash")
        eventually(net.delivered)
        centre = net.world.centres["ash"]

        def receipted() -> bool:
            with centre.lock:
                found = [r.size for r in centre.store.receipts("ash") if (r.by, r.kind) == ("birch", KIND_MLDSA44)]
                return found == [centre.journal.size]

        eventually(receipted)


def test_from_a_relay_comes_what_the_other_side_cannot_push_with_the_receipts_on_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery, "CATCH_UP_SECONDS", 0.1)
    with network(THREE) as net:
        eventually(net.delivered)
        cut(net, "ash", "birch")
        net.proxies["cedar", "ash"].break_off()  # what birch pushes reaches cedar and goes no further
        said = net.say("birch", "to be fetched")
        ash, birch = net.world.centres["ash"], net.world.centres["birch"]
        eventually(lambda: ash.record.entry(said.place) is not None)
        with ash.lock, birch.lock:
            assert ash.store.leaves("birch", 1, 100) == birch.store.leaves("birch", 1, 100)
        assert net.undelivered("birch", "ash") == [str(said.place)]  # for ash cannot say so to birch


def test_a_flash_entry_does_not_wait_while_a_silent_direct_line_is_tried_again() -> None:
    with network(THREE, timeout=2) as net:
        eventually(net.delivered)
        for proxy in net.between("ash", "birch"):
            proxy.silent = True
        net.say("ash", "finds out")
        line = net.sites["ash"].delivery.lines["birch"]
        eventually(lambda: line.in_use == CEDAR)
        eventually(lambda: line.prober is not None)
        begun = time.monotonic()
        net.say("ash", "urgent", precedence="flash")
        eventually(lambda: net.receipted("ash", "birch") == net.world.centres["ash"].journal.size)
        assert time.monotonic() - begun < 1.5


def test_when_nothing_carries_each_route_says_why_and_only_the_courier_is_left() -> None:
    with network(THREE) as net:
        eventually(net.delivered)
        cut(net, "ash", "birch")
        net.proxies["cedar", "birch"].break_off()
        said = net.say("ash")
        line = net.sites["ash"].delivery.lines["birch"]
        eventually(lambda: not line.up)
        address, relay, courier = line.trouble.split("; ")
        assert address.startswith("address: ")
        assert relay == "relay cedar: birch does not answer its relay (line-down)"
        assert courier == "only the courier is left"
        assert net.undelivered("ash", "birch") == [str(said.place)]
        assert net.undelivered("ash", "cedar") == []
        net.proxies["cedar", "birch"].heal()
        eventually(lambda: net.receipted("ash", "birch") == net.world.centres["ash"].journal.size)


def test_who_is_no_relay_in_the_pack_is_not_asked() -> None:
    with network(THREE, relays=()) as net:
        cut(net, "ash", "birch")
        net.say("ash")
        line = net.sites["ash"].delivery.lines["birch"]
        eventually(lambda: not line.up)
        assert [route["route"] for route in line.view()["routes"]] == ["address"]
        eventually(lambda: net.receipted("ash", "cedar") == net.world.centres["ash"].journal.size)


def test_an_alarm_is_raised_once_for_each_outage() -> None:
    with network(THREE, relays=()) as net:
        site = net.sites["ash"]
        for outage in range(2):
            eventually(lambda: net.delivered("ash", "birch"))
            cut(net, "ash", "birch")
            net.say("ash")
            eventually(lambda: net.undelivered("ash", "cedar") == [])
            site.delivery.check_alarms()
            assert len(site.alarms) == outage
            eventually(lambda: not site.delivery.lines["birch"].up)
            site.centre.clock = skewed(601)
            for _ in range(3):
                site.delivery.check_alarms()
            assert len(site.alarms) == outage + 1
            party, reason = site.alarms[-1]
            assert party == "birch"
            assert "address: " in reason
            site.centre.clock = skewed(0)
            for proxy in net.between("ash", "birch"):
                proxy.heal()
            eventually(lambda: net.delivered("ash", "birch"))
            site.delivery.check_alarms()


# Relays that do not do what they should. Dove is the next relay in the pack's order, and an honest one.

Tamper = Callable[["BadRelay", str, str, str, str, bytes], RawAnswer]


class BadRelay:
    """Cedar's door, behind which requests to be carried fare otherwise; everything else is in order."""

    def __init__(self, door: CentreDoor, tamper: Tamper) -> None:
        self.door, self.tamper = door, tamper
        self.kept: list[Any] = []
        self.calls = self.active = 0
        self.released = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.door, name)

    def relay(self, peer: str, to: str, journal: str, what: str, body: bytes) -> RawAnswer:
        self.calls += 1
        self.active += 1
        try:
            return self.tamper(self, peer, to, journal, what, body)
        finally:
            self.active -= 1


def answering(status: int, value: Any) -> Tamper:
    return lambda *_: RawAnswer(status, encode(value))


def dropping(bad: BadRelay, peer: str, to: str, journal: str, what: str, body: bytes) -> RawAnswer:
    raise LineDown("lost", "relay-down")


def delaying(bad: BadRelay, *request: Any) -> RawAnswer:
    bad.released.wait(3)
    return bad.door.relay(*request)


def replaying(bad: BadRelay, peer: str, to: str, journal: str, what: str, body: bytes) -> RawAnswer:
    """Carries the first request again and again instead of what it is given."""
    bad.kept = bad.kept or [body]
    return bad.door.relay(peer, to, journal, what, bad.kept[0])


def altering(bad: BadRelay, peer: str, to: str, journal: str, what: str, body: bytes) -> RawAnswer:
    at = body.find(b'"payload":"') + 60
    if at < 60:  # a push without leaves: nothing there to alter
        return bad.door.relay(peer, to, journal, what, body)
    return bad.door.relay(peer, to, journal, what, body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :])


def truncating(bad: BadRelay, peer: str, to: str, journal: str, what: str, body: bytes) -> RawAnswer:
    return bad.door.relay(peer, to, journal, what, b"\n".join(body.split(b"\n")[:-2]) + b"\n")


def cutting_the_answer(bad: BadRelay, *request: Any) -> RawAnswer:
    answer = bad.door.relay(*request)
    return RawAnswer(answer.status, answer.body[:-20])


def answering_as_before(bad: BadRelay, peer: str, to: str, journal: str, what: str, body: bytes) -> RawAnswer:
    """Carries nothing, and answers with birch's receipt over what it held long ago."""
    return RawAnswer(200, encode({"receipt": bad.kept[0][1], "size": bad.kept[0][0]}))


def misdirecting(bad: BadRelay, peer: str, to: str, journal: str, what: str, body: bytes) -> RawAnswer:
    """Carries it to dove, whose receipt is good, but not birch's."""
    return bad.door.relay(peer, "dove", journal, what, body)


def to_itself(bad: BadRelay, peer: str, to: str, journal: str, what: str, body: bytes) -> RawAnswer:
    return bad.door.relay(peer, "cedar", journal, what, body)


def by_another_relay(bad: BadRelay, peer: str, to: str, journal: str, what: str, body: bytes) -> RawAnswer:
    """Asks dove to carry it on."""
    courier = bad.door._relay._courier  # type: ignore[union-attr]
    answer = courier._answer("dove", "dove>birch", chained(to, journal, what, body), 1)
    bad.kept.append(answer)
    return answer  # type: ignore[no-any-return]


def chained(to: str, journal: str, what: str, body: bytes) -> Any:
    from servanda.transport.connection import Request

    return Request("POST", f"/v1/relay/{to}/journals/{journal}/{what}", body, 10_000)


def overstating(bad: BadRelay, *request: Any) -> RawAnswer:
    answer: Any = decode(bad.door.relay(*request).body)
    return RawAnswer(200, encode({**answer, "size": answer["size"] + 1}))


BAD: dict[str, tuple[Tamper, str | tuple[str, ...]]] = {
    "drops": (dropping, "lost"),
    "delays": (delaying, "no answer in time"),
    "replays": (replaying, ""),
    "alters a byte": (altering, "conflict"),
    "leaves out the last entry": (truncating, ""),
    "truncates the answer": (cutting_the_answer, "an answer that cannot be read"),
    "answers with an older receipt": (answering_as_before, "the answer holds no new receipt by birch"),
    "forwards to the wrong party": (misdirecting, "the answer holds no new receipt by birch"),
    "forwards to itself": (to_itself, "no-relay: "),
    "forwards to another relay": (by_another_relay, "wrong-journal: cedar does not bring the journal of ash"),
    "overstates what is held": (overstating, ("receipt: ", "the answer holds no new receipt by birch")),
    "says that it is held": (answering(200, {"receipt": "", "size": 4}), "receipt: "),
    "says that birch refuses": (answering(400, {"code": "checkpoint", "message": "never"}), "checkpoint: never"),
    "says that there is a fork": (answering(409, {"code": "conflict", "held": "x", "message": "m"}), "conflict: m"),
    "answers nonsense": (answering(200, []), "an answer that cannot be read"),
    "answers a status of its own": (answering(302, {}), "HTTP 302"),
}


@pytest.fixture(scope="module")
def crooked() -> Iterator[tuple[Network, BadRelay]]:
    """Four centres; ash and birch have no direct line, cedar is a bad relay and dove a good one."""
    bad: list[BadRelay] = []

    def gate(door: CentreDoor) -> BadRelay:
        bad.append(BadRelay(door, dropping))
        return bad[0]

    with network(FOUR, gates={"cedar": gate}) as net:
        cut(net, "ash", "birch")
        yield net, bad[0]
        bad[0].released.set()


@pytest.mark.parametrize("name", BAD)
def test_a_relay_that_does_otherwise_is_named_and_the_next_takes_over(
    name: str, crooked: tuple[Network, BadRelay], caplog: pytest.LogCaptureFixture
) -> None:
    net, bad = crooked
    ash, line = net.world.centres["ash"], net.sites["ash"].delivery.lines["birch"]
    bad.released.set()  # what the case before has held back
    eventually(lambda: not bad.active and net.delivered("ash", "birch"))
    bad.released.clear()
    with ash.lock:
        receipts = [r for r in ash.store.receipts("ash") if (r.by, r.kind) == ("birch", KIND_COSIGNATURE)]
    bad.tamper, reason = BAD[name]
    bad.calls, bad.kept = 0, [(r.size, r.line.decode()) for r in receipts] if bad.tamper is answering_as_before else []
    for _ in range(20):
        eventually(lambda: line.prober is None)
        for state in line.order():
            state.worked()  # as if nothing had ever gone wrong
        for number in range(3):
            net.say("ash", f"past a bad relay {number}")
        eventually(lambda: net.receipted("ash", "birch") == ash.journal.size)
        if bad.calls:  # else a failure from before was noticed only now
            break
    assert bad.calls > 0
    if reason:  # else what arrives is in order, and what does not arrive follows by the next relay
        eventually(lambda: line.in_use == DOVE)
        reasons = (reason,) if isinstance(reason, str) else reason
        assert any(f"relay cedar: {one}" in line.trouble for one in reasons)
    net.say("birch", "and back")
    eventually(lambda: net.delivered("ash", "birch"))
    net.check_whole("ash", "birch")
    assert "our bug" not in caplog.text


def test_a_relay_that_serves_a_spoiled_copy_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    class Spoiling(BadRelay):
        def pull(self, peer: str, journal: str, first: int, limit: int) -> Any:
            push = self.door.pull(peer, journal, first, limit)
            if journal != "birch" or not push.leaves:
                return push
            self.calls += 1
            return push._replace(leaves=(push.leaves[0].replace(b"A", b"B", 1), *push.leaves[1:]))

    spoiling: list[Spoiling] = []

    def gate(door: CentreDoor) -> Spoiling:
        spoiling.append(Spoiling(door, dropping))
        return spoiling[0]

    monkeypatch.setattr(delivery, "CATCH_UP_SECONDS", 0.1)
    with network(FOUR, gates={"cedar": gate}) as net:
        eventually(net.delivered)
        for party in ("birch", "cedar", "dove"):
            net.proxies[party, "ash"].break_off()  # ash can only fetch
        net.proxies["ash", "birch"].break_off()
        said = net.say("birch", "fetched from dove in the end")
        eventually(lambda: net.world.centres["ash"].record.entry(said.place) is not None)
        with net.world.centres["ash"].lock:
            assert net.world.centres["ash"].record.entry(said.place).leaf == said.leaf  # type: ignore[union-attr]
