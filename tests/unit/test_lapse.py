# SPDX-License-Identifier: Apache-2.0
"""A custody offer that nobody answers: where the pack allows it, enough other parties may declare it lapsed."""

from __future__ import annotations

from typing import Any

import pytest

from servanda.agreement.pack import pack_of
from servanda.operations.errors import Refusal
from tests.rig.packs import pack_data
from tests.rig.world import World, accounts, codes, held, row

ACCEPT: dict[str, Any] = {"extent": "full", "received": [], "condition": None}
PARTIES = ("ash", "birch", "cedar", "elm", "fir")


@pytest.fixture
def world() -> World:
    data = pack_data(PARTIES, quorum=2)
    data["settlement"]["lapse"] = True
    return World(pack_of(data))


def offered(world: World) -> tuple[str, str]:
    lot = f"{world.say('ash', 'declare', {'lots': [row(100)]}).place}/0"
    content = {"lots": [held(lot, 100)], "receiver": "birch", "place": "harbour"}
    offer = world.say("ash", "handover", content, named=["birch"])
    world.sync()
    return lot, str(offer.place)


def lapse(world: World, party: str, offer: str) -> None:
    world.say(party, "lapse", {"reason": "no answer"}, refers_to=[offer])


def test_an_unanswered_offer_stays_with_the_giver_until_enough_others_declare_it_lapsed(world: World) -> None:
    lot, offer = offered(world)
    lapse(world, "cedar", offer)
    world.sync()
    assert accounts(world.centres["fir"]) == {"transit/ash/birch": 100}
    lapse(world, "elm", offer)
    world.sync()
    for centre in world.centres.values():
        assert accounts(centre) == {"held/ash": 100}
        assert codes(centre) == []
    world.say("ash", "move", {"lot": lot, "place": "works"})


def test_no_acceptance_settles_after_the_lapse(world: World) -> None:
    _, offer = offered(world)
    world.say("birch", "accept", ACCEPT, refers_to=[offer])  # not yet delivered to anybody
    lapse(world, "cedar", offer)
    lapse(world, "elm", offer)
    world.sync()
    for centre in world.centres.values():
        assert accounts(centre) == {"held/ash": 100}


def test_who_has_seen_the_acceptance_cannot_declare_a_lapse(world: World) -> None:
    _, offer = offered(world)
    world.say("birch", "accept", ACCEPT, refers_to=[offer])
    world.sync()
    with pytest.raises(Refusal) as refused:
        lapse(world, "cedar", offer)
    assert refused.value.code == "lapse"
    assert accounts(world.centres["elm"]) == {"held/birch": 100}


def test_one_lapse_does_not_stop_a_settlement_that_the_others_uphold(world: World) -> None:
    _, offer = offered(world)
    world.say("birch", "accept", ACCEPT, refers_to=[offer])
    lapse(world, "cedar", offer)
    world.sync()
    for centre in world.centres.values():
        assert accounts(centre) == {"held/birch": 100}


@pytest.mark.parametrize("party", ["ash", "birch"])
def test_neither_side_of_the_offer_declares_it_lapsed(world: World, party: str) -> None:
    _, offer = offered(world)
    with pytest.raises(Refusal, match="side"):
        lapse(world, party, offer)


def test_a_pack_that_says_nothing_of_lapsing_lets_nothing_lapse() -> None:
    world = World(pack_of(pack_data(PARTIES, quorum=2)))
    _, offer = offered(world)
    with pytest.raises(Refusal) as refused:
        lapse(world, "cedar", offer)
    assert refused.value.code == "lapse"
