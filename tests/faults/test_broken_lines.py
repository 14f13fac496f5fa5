# SPDX-License-Identifier: Apache-2.0
"""A line that is cut, silent, slow, torn or out of step: nothing is lost, nothing comes twice, nothing goes unseen."""

from __future__ import annotations

from typing import Any

import pytest

from servanda.operations.errors import LineDown, Refused
from servanda.operations.ports import Push, PushReply
from tests.rig.network import Network, eventually, network


def speak(net: Network, *parties: str, times: int = 3) -> None:
    for number in range(times):
        for party in parties or tuple(net.sites):
            net.say(party, f"{party} says {number}")


def settled(net: Network) -> None:
    """Everything arrives; and what was said is there once, in order, on both sides."""
    eventually(net.delivered)
    net.check_whole()
    for party in net.sites:
        for other in net.others(party):
            assert net.undelivered(party, other) == []


def test_over_a_whole_line_entries_are_receipted_at_once() -> None:
    with network() as net:
        eventually(lambda: net.sites["ash"].delivery.lines["birch"].up)
        speak(net)
        settled(net)


@pytest.mark.parametrize("how", ["cut", "silent"])
def test_while_a_line_is_broken_the_watch_list_names_every_entry_and_afterwards_none(how: str) -> None:
    with network() as net:
        speak(net)
        settled(net)
        for proxy in net.between("ash", "birch"):
            proxy.break_off() if how == "cut" else setattr(proxy, "silent", True)
        said = [str(net.say("ash", f"broken {n}").place) for n in range(5)]
        net.say("birch", "broken as well")
        assert net.undelivered("ash", "birch") == said
        line = net.sites["ash"].delivery.lines["birch"]
        eventually(lambda: not line.up)
        assert line.trouble.startswith("address: ")
        assert line.trouble.endswith("only the courier is left")
        for proxy in net.between("ash", "birch"):
            proxy.heal()
        settled(net)


def test_a_delay_keeps_the_order() -> None:
    with network() as net:
        for proxy in net.proxies.values():
            proxy.delay = 0.05
        speak(net)
        settled(net)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_with_thirty_percent_of_the_connections_torn_in_mid_stream_everything_arrives(seed: int) -> None:
    with network(seed=seed) as net:
        for proxy in net.proxies.values():
            proxy.doom = 0.3
        for _ in range(5):
            for proxy in net.proxies.values():  # what was connected must connect anew
                proxy.break_off()
                proxy.cut = False
            speak(net, times=2)
            eventually(net.delivered)
        assert sum(proxy.torn for proxy in net.proxies.values()) > 0
        settled(net)


@pytest.mark.parametrize("seed", [1, 2])
def test_after_thirty_percent_of_all_pieces_were_lost_nothing_is_lost(seed: int) -> None:
    with network(seed=seed) as net:
        for proxy in net.proxies.values():
            proxy.loss = 0.3
        speak(net, times=8)
        eventually(lambda: sum(proxy.torn for proxy in net.proxies.values()) > 5)
        for party, other in (("ash", "birch"), ("birch", "ash")):
            missing = net.world.centres[party].journal.size - net.receipted(party, other)
            assert len(net.undelivered(party, other)) <= missing
        for proxy in net.proxies.values():
            proxy.heal()
        settled(net)


def test_one_counterpart_stopped_and_started_again_gets_everything_and_its_own_goes_out() -> None:
    with network() as net:
        speak(net)
        settled(net)
        net.sites["birch"].stop()
        said = [str(net.say("ash", f"while birch is down {n}").place) for n in range(5)]
        eventually(lambda: not net.sites["ash"].delivery.lines["birch"].up)
        assert net.undelivered("ash", "birch") == said
        with net.world.centres["birch"].lock:
            net.world.say("birch", "note", {"text": "written off duty"})
        net.restart("birch")
        settled(net)


@pytest.mark.parametrize("skew", [-3600, 3600])
def test_a_clock_that_is_an_hour_wrong_changes_nothing_about_delivery(skew: int) -> None:
    with network(skew={"birch": skew}) as net:
        for proxy in net.between("ash", "birch"):
            proxy.break_off()
        speak(net)
        for party, other in (("ash", "birch"), ("birch", "ash")):
            assert len(net.undelivered(party, other)) == 3
        for proxy in net.between("ash", "birch"):
            proxy.heal()
        settled(net)


class Wrapped:
    """A courier whose pushes are tampered with; everything else it hands on."""

    def __init__(self, courier: Any) -> None:
        self.courier = courier

    def __getattr__(self, name: str) -> Any:
        return getattr(self.courier, name)


class Doubling(Wrapped):
    """Hands every push over twice."""

    def push(self, party: str, push: Push, by: str | None = None) -> PushReply:
        first: PushReply = self.courier.push(party, push, by)
        assert self.courier.push(party, push, by).size == first.size
        return first


class Reordering(Wrapped):
    """Cuts a push into its leaves, and hands the last over first, under their common checkpoint; then all of it."""

    refused = 0

    def push(self, party: str, push: Push, by: str | None = None) -> PushReply:
        if len(push.leaves) > 1:
            last = push._replace(first=push.first + len(push.leaves) - 1, leaves=push.leaves[-1:])
            with pytest.raises(Refused) as caught:
                self.courier.push(party, last, by)
            assert caught.value.code == "gap"
            type(self).refused += 1
        reply: PushReply = self.courier.push(party, push, by)
        if len(push.leaves) > 1:  # and what is old by now arrives once more
            assert self.courier.push(party, push._replace(leaves=push.leaves[:1]), by).size == reply.size
        return reply


class Forgetful(Wrapped):
    """Every other answer to a push is lost on the way back: what has arrived is sent again."""

    count = 0

    def push(self, party: str, push: Push, by: str | None = None) -> PushReply:
        reply: PushReply = self.courier.push(party, push, by)
        type(self).count += 1
        if type(self).count % 2:
            raise LineDown("the answer is lost")
        return reply


def test_what_is_handed_over_twice_is_there_once() -> None:
    with network(wrap=lambda _party, courier: Doubling(courier)) as net:
        speak(net, times=5)
        settled(net)


def test_what_comes_before_its_turn_is_refused_and_comes_again_in_its_turn() -> None:
    net = Network(wrap=lambda _party, courier: Reordering(courier))
    speak(net, times=5)
    net.start()
    try:
        settled(net)
        assert Reordering.refused >= 2
    finally:
        net.stop()


def test_an_answer_that_is_lost_brings_the_same_entries_again() -> None:
    with network(wrap=lambda _party, courier: Forgetful(courier)) as net:
        speak(net, times=5)
        settled(net)
        assert Forgetful.count >= 4
