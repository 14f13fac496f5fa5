# SPDX-License-Identifier: Apache-2.0
"""What a relay is not to carry, and whom the receiver does not take it from: a refusal with a code, nothing carried."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import pytest

from servanda.operations.door import CentreDoor
from servanda.operations.errors import LineDown, Refusal, ServandaError, TryLater
from servanda.operations.ports import Push, RawAnswer
from servanda.operations.relaying import Relay
from servanda.operations.routing import Route, pack_today, relays_of, routes_between
from servanda.storage.memory.store import MemoryStore
from tests.rig.packs import channel, lake
from tests.rig.world import SteppedClock, World, found

FOUR = ("ash", "birch", "cedar", "dove")


GOOD = RawAnswer(200, b"{}")


class Noting:
    """A courier that notes what it is to forward, and answers as it is told."""

    def __init__(self, answer: RawAnswer | ServandaError = GOOD) -> None:
        self.answer = answer
        self.calls: list[tuple[object, ...]] = []

    def forward(self, *call: object) -> RawAnswer:
        self.calls.append(call)
        if isinstance(self.answer, ServandaError):
            raise self.answer
        return self.answer


@cache
def _world(*relays: str) -> World:
    routes = [{"kind": "address"}, *({"kind": "relay", "by": by} for by in relays), {"kind": "courier"}]
    return World(channel(FOUR, routes=routes))


def world(*relays: str) -> World:
    return _world(*relays).clone()


def relay(courier: Any, *relays: str, party: str = "cedar") -> Relay:
    return Relay(world(*relays).centres[party], courier)


@pytest.mark.parametrize(
    ("peer", "to", "journal", "code"),
    [
        ("ash", "birch", "birch", "wrong-journal"),
        ("ash", "birch", "dove", "wrong-journal"),
        ("dove", "birch", "ash", "wrong-journal"),  # dove is a relay, and asks to have it carried on
        ("ash", "elm", "ash", "no-relay"),
        ("ash", "ash", "ash", "no-relay"),
        ("ash", "cedar", "ash", "no-relay"),
    ],
    ids=["another's journal", "a third journal", "from a relay", "to nobody", "to the sender", "to the relay itself"],
)
def test_what_is_not_to_be_carried_is_refused_before_anything_is_sent(
    peer: str, to: str, journal: str, code: str
) -> None:
    courier = Noting()
    with pytest.raises(Refusal) as caught:
        relay(courier, "cedar", "dove").carry(peer, to, journal, "entries", b"x")
    assert caught.value.code == code
    assert courier.calls == []


def test_a_centre_that_the_pack_does_not_name_carries_nothing() -> None:
    courier = Noting()
    for relays in ((), ("dove",)):
        with pytest.raises(Refusal) as caught:
            relay(courier, *relays).carry("ash", "birch", "ash", "entries", b"x")
        assert caught.value.code == "no-relay"
    door = CentreDoor(world("cedar").centres["cedar"], lambda: None)
    with pytest.raises(Refusal) as caught:
        door.relay("ash", "birch", "ash", "entries", b"x")
    assert caught.value.code == "no-relay"
    assert courier.calls == []


@pytest.mark.parametrize("status", [200, 400, 404, 409, 413, 429, 503])
def test_what_is_carried_and_what_comes_back_are_not_changed(status: int) -> None:
    courier = Noting(RawAnswer(status, b"\x00 any bytes"))
    for what in ("entries", "receipt"):
        answer = relay(courier, "cedar").carry("ash", "birch", "ash", what, b"\xff body")
        assert answer == RawAnswer(status, b"\x00 any bytes")
    assert courier.calls == [("birch", "ash", "entries", b"\xff body"), ("birch", "ash", "receipt", b"\xff body")]


@pytest.mark.parametrize(
    "answer", [LineDown("10.0.0.7 refused", "wrong-key"), RawAnswer(403, b"{}"), RawAnswer(500, b"")]
)
def test_an_end_that_does_not_answer_is_told_as_such_and_not_by_which_address(answer: Any) -> None:
    with pytest.raises(LineDown) as caught:
        relay(Noting(answer), "cedar").carry("ash", "birch", "ash", "entries", b"x")
    assert caught.value.code == "relay-down"
    assert "10.0.0.7" not in str(caught.value)


def test_one_caller_has_one_request_to_one_end_under_way_and_others_are_not_held_up() -> None:
    begun, go = threading.Event(), threading.Event()

    class Waiting(Noting):
        def forward(self, *call: object) -> RawAnswer:
            if not begun.is_set():
                begun.set()
                go.wait(10)
            return super().forward(*call)

    courier = Waiting()
    carrying = relay(courier, "cedar")
    first = threading.Thread(target=carrying.carry, args=("ash", "birch", "ash", "entries", b"1"))
    first.start()
    assert begun.wait(10)
    with pytest.raises(TryLater) as caught:
        carrying.carry("ash", "birch", "ash", "entries", b"2")
    assert caught.value.code == "busy"
    carrying.carry("ash", "dove", "ash", "entries", b"3")
    carrying.carry("birch", "ash", "birch", "entries", b"4")
    go.set()
    first.join(10)
    carrying.carry("ash", "birch", "ash", "entries", b"5")
    assert [call[3] for call in courier.calls] == [b"3", b"4", b"1", b"5"]


def test_a_failure_of_the_carrier_does_not_leave_it_busy() -> None:
    courier = Noting(LineDown("x"))
    carrying = relay(courier, "cedar")
    for _ in range(2):
        with pytest.raises(LineDown):
            carrying.carry("ash", "birch", "ash", "entries", b"x")


def push_of_ash(net: World) -> Push:
    net.say("ash", "note", {"text": "calm"})
    ash = net.centres["ash"]
    return Push(
        "ash", ash.journal.size, tuple(ash.store.leaves("ash", ash.journal.size, 1)), ash.note_at(ash.journal.size)
    )


@pytest.mark.parametrize("bringer", ["cedar", "dove"])
def test_a_journal_is_taken_from_a_relay_of_the_pack_and_from_no_other_party(bringer: str) -> None:
    net = world("cedar")
    push, birch, heard = push_of_ash(net), net.centres["birch"], []
    door = CentreDoor(birch, lambda: None, on_heard=heard.append)
    if bringer == "cedar":
        assert door.push("cedar", push).size == push.first
        assert heard == ["ash"]  # a sign of life, though through another
    else:
        with pytest.raises(Refusal) as caught:
            door.push("dove", push)
        assert caught.value.code == "wrong-journal"
        assert birch.record.journals["ash"].size == push.first - 1
        assert heard == []


def test_not_even_a_relay_brings_us_our_own_journal_or_leaves_that_nothing_proves() -> None:
    net = world("cedar")
    push = push_of_ash(net)
    for centre, changed, code in (
        ("ash", push, "wrong-journal"),
        ("birch", push._replace(checkpoint=b"x"), "checkpoint"),
        ("birch", push._replace(journal="elm"), "wrong-journal"),
        ("birch", push._replace(first=push.first + 1), "gap"),
    ):
        with pytest.raises(Refusal) as caught:
            CentreDoor(net.centres[centre], lambda: None).push("cedar", changed)
        assert caught.value.code == code


def test_a_relay_cannot_introduce_a_party_that_has_not_been_met() -> None:
    routes = [{"kind": "address"}, {"kind": "relay", "by": "cedar"}]
    pack = channel(FOUR, routes=routes)
    clock = SteppedClock()
    birch, forged = found("birch", pack, MemoryStore(), clock), found("ash", pack, MemoryStore(), clock)
    push = Push("ash", 1, tuple(forged.store.leaves("ash", 1, 1)), forged.note_at(1))
    with pytest.raises(Refusal) as caught:
        CentreDoor(birch, lambda: None).push("cedar", push)
    assert caught.value.code == "wrong-journal"
    assert birch.record.journals["ash"].size == 0


def test_the_routes_of_a_line_are_those_of_the_pack_without_its_own_ends() -> None:
    pack = channel(
        FOUR,
        routes=[
            {"kind": "relay", "by": "cedar"},
            {"kind": "address"},
            {"kind": "relay", "by": "ash"},
            {"kind": "courier"},
        ],
    )
    assert relays_of(pack) == {"cedar", "ash"}
    assert routes_between(pack, "ash", "birch") == (Route("relay", "cedar"), Route("address"), Route("courier"))
    assert routes_between(pack, "birch", "cedar") == (Route("address"), Route("relay", "ash"), Route("courier"))
    assert [route.name for route in routes_between(pack, "birch", "dove")] == [
        "relay cedar",
        "address",
        "relay ash",
        "courier",
    ]


def test_before_a_pack_is_in_force_the_first_one_names_the_routes() -> None:
    net = World(lake(("ash", "birch")), adopted=False)
    assert pack_today(net.centres["ash"]) is net.centres["ash"].pack
    assert routes_between(net.pack, "ash", "birch") == (Route("address"), Route("courier"))
