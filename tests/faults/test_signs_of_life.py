# SPDX-License-Identifier: Apache-2.0
"""After an outage of any length, delivery goes on within a second of the first sign of life of the other side."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from servanda.operations import routing
from servanda.operations.errors import LineDown
from servanda.transport.https import HttpsCourier
from tests.line.parts import PUSH, Line, ScriptedCentre, courier_to
from tests.rig.network import Network, eventually, keys_of, network

WITHIN_SECONDS = 1.0


def long_outage(net: Network, party: str, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause of a line has grown as if it had been down for weeks."""
    monkeypatch.setattr(routing, "PAUSE_SECONDS_MAX", 1e6)
    line = net.sites[party].delivery.lines[other]
    eventually(lambda: not line.up and bool(line.trouble) and line.asking_since is None)
    for state in line.order():
        for _ in range(20):
            state.failed("down for weeks", time.monotonic())
    assert line.rest(time.monotonic()) > 1e4


def heard(net: Network, party: str) -> list[float]:
    """When the first sign of life of a counterpart reached a centre."""
    times: list[float] = []
    delivery = net.sites[party].delivery
    before = delivery.heard

    def hear(other: str) -> None:
        times.append(time.monotonic())
        before(other)

    net.sites[party].door._on_heard = hear
    return times


def test_a_counterpart_that_comes_back_after_weeks_gets_everything_within_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with network() as net:
        net.sites["birch"].stop()
        net.say("ash", "while birch is away")
        long_outage(net, "ash", "birch", monkeypatch)
        signs = heard(net, "ash")
        net.restart("birch")
        eventually(lambda: net.receipted("ash", "birch") == net.world.centres["ash"].journal.size)
        assert time.monotonic() - signs[0] < WITHIN_SECONDS


def test_a_network_that_heals_after_weeks_is_noticed_when_one_side_has_something_to_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with network() as net:
        for proxy in net.between("ash", "birch"):
            proxy.break_off()
        net.say("ash", "while the line is cut")
        net.say("birch", "so both notice")
        long_outage(net, "ash", "birch", monkeypatch)
        long_outage(net, "birch", "ash", monkeypatch)
        signs = heard(net, "ash")
        for proxy in net.between("ash", "birch"):
            proxy.heal()
        net.say("birch", "good morning")  # what is released is tried at once
        eventually(net.delivered)
        assert time.monotonic() - signs[0] < WITHIN_SECONDS
        net.check_whole()


def test_a_call_that_hangs_in_a_dead_connection_is_made_anew_when_the_other_side_is_heard() -> None:
    with network(timeout=60) as net:
        eventually(net.delivered)
        line = net.sites["ash"].delivery.lines["birch"]
        eventually(lambda: line.up)
        net.proxies["ash", "birch"].silent = True
        net.say("ash", "into the void")
        eventually(lambda: line.stands_still(time.monotonic()))
        net.proxies["ash", "birch"].heal()
        signs = heard(net, "ash")
        net.say("birch", "are you there?")
        eventually(net.delivered)
        assert time.monotonic() - signs[0] < WITHIN_SECONDS


def hurried(courier: HttpsCourier) -> tuple[float, str]:
    """How long a push hangs that is broken off, and with which code it fails."""
    codes: list[str] = []

    def push() -> None:
        try:
            courier.push("birch", PUSH)
        except LineDown as error:
            codes.append(error.code)

    thread = threading.Thread(target=push)
    thread.start()
    eventually(lambda: courier.hurry("birch", 0.05))
    begun = time.monotonic()
    while thread.is_alive():  # it may have begun anew: once more on a fresh connection
        courier.hurry("birch", 0.05)
        thread.join(0.05)
    return time.monotonic() - begun, codes[0]


def test_a_call_is_broken_off_while_it_connects() -> None:
    ash, birch = keys_of("ash"), keys_of("birch")
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        first = [socket.socket() for _ in range(4)]  # enough that the next ones are not even turned away
        for one in first:
            one.setblocking(False)
            one.connect_ex(address)
        courier = courier_to(f"https://127.0.0.1:{address[1]}", ash.client(birch), birch.spki, seconds=30)
        seconds, code = hurried(courier)
        assert (seconds < 2, code) == (True, "line-down")
        courier.close()
        for one in first:
            one.close()


def test_a_call_is_broken_off_while_it_shakes_hands_and_while_it_waits_for_an_answer() -> None:
    ash, birch = keys_of("ash"), keys_of("birch")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        courier = courier_to(f"https://127.0.0.1:{mute.getsockname()[1]}", ash.client(birch), birch.spki, seconds=30)
        seconds, code = hurried(courier)
        assert (seconds < 2, code) == (True, "line-down")
        courier.close()
    with ScriptedCentre(birch.server(ash), close=False) as centre:
        courier = courier_to(centre.url, ash.client(birch), birch.spki, seconds=30)
        seconds, code = hurried(courier)
        assert (seconds < 2, code) == (True, "line-down")
        courier.close()


def test_where_nothing_stands_still_nothing_is_broken_off() -> None:
    line = Line(keys_of("syr"), keys_of("opcw"))
    courier = line.courier()
    assert not courier.hurry("opcw", 0)
    courier.push("opcw", PUSH)
    kept = courier._lines["opcw"].kept
    assert not courier.hurry("opcw", 0)
    courier.push("opcw", PUSH)
    assert courier._lines["opcw"].kept is kept
    courier.close()
    line.server.stop()


def test_a_counterpart_that_is_merely_slow_is_broken_off_less_and_less_often() -> None:
    net = Network()
    try:
        asked: list[float] = []
        delivery = net.sites["ash"].delivery
        line = delivery.lines["birch"]
        delivery._courier = type("Slow", (), {"hurry": lambda self, party, seconds: asked.append(seconds) or True})()
        line.asking_since = time.monotonic() - 100
        for _ in range(4):
            delivery.heard("birch")
        assert asked == [0.5, 1.0, 2.0, 4.0]
        delivery.heard("nobody")
    finally:
        net.stop()
