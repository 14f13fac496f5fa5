# SPDX-License-Identifier: Apache-2.0
"""Where offers may lapse, can the others free a lot that nobody answers for, and never one that was accepted?"""

from __future__ import annotations

from typing import Any

from tests.unit.verifier.build import Ref, World
from tests.unit.verifier.cases import accounts, declare, discrepancies, hand_over, state_of, verify

PARTIES = ("ana", "ben", "cas", "dan", "eva")


def world_with(lapse: bool = True) -> tuple[World, Ref, Ref]:
    """Five parties, of which two of the three others suffice, and an offer of ana's to ben."""
    world = World(PARTIES, settlement={"quorum": 2, "liars": 0, "lapse": lapse})
    d = declare(world, "ana", 10)
    return world, d, hand_over(world, "ana", "ben", (f"{d}/0", 10))


def lapse(world: World, party: str, offer: Ref, **changes: Any) -> Ref:
    return world.say(party, "lapse", {"reason": "no answer"}, **{"refers-to": [offer], **changes})


def test_a_lot_returns_when_a_quorum_of_the_others_declares_the_offer_lapsed() -> None:
    world, d, o = world_with()
    first = lapse(world, "cas", o)
    assert accounts(verify(world)) == {"transit/ana/ben": 10}
    lapse(world, "dan", o)
    moved = world.say("ana", "move", {"lot": f"{d}/0", "place": "port"})
    late = world.accept("ben", o)
    found = verify(world)
    assert accounts(found) == {"held/ana": 10}
    assert discrepancies(found) == []
    assert [state_of(found, x) for x in (first, moved, late)] == ["admissible", "admissible", "accept"]


def test_who_may_declare_it_lapsed() -> None:
    world, d, o = world_with()
    plan = world.offer("ana", "plan", {}, ["ben"])
    said = [lapse(world, p, x) for p, x in (("ana", o), ("ben", o), ("cas", plan), ("cas", d), ("dan", o), ("dan", o))]
    world.accept("ben", o)
    said.append(lapse(world, "cas", o))
    said.append(lapse(world, "eva", o, sees={"ana": int(o.number)}))
    codes = ["lapse"] * 4 + ["admissible", "lapse", "lapse", "admissible"]
    assert [state_of(verify(world), x) for x in said] == codes


def test_a_pack_without_it_lets_nothing_lapse() -> None:
    world, _, o = world_with(lapse=False)
    said = lapse(world, "cas", o)
    assert state_of(verify(world), said) == "lapse"


def test_receipts_do_not_settle_what_may_lapse_but_entries_that_cover_it_do() -> None:
    world, _, o = world_with()
    world.accept("ben", o)
    world.cite("ana", ["cas", "dan", "eva"])
    world.cite("ben", ["cas", "dan", "eva"])
    assert accounts(verify(world)) == {"transit/ana/ben": 10}
    world.cite("cas", [])
    assert accounts(verify(world)) == {"transit/ana/ben": 10}
    world.cite("dan", [])
    assert accounts(verify(world)) == {"held/ben": 10}


def test_who_declared_it_lapsed_attests_nothing() -> None:
    world, _, o = world_with()
    lapse(world, "cas", o)
    world.accept("ben", o)
    world.cite("cas", [])
    world.cite("dan", [])
    assert accounts(verify(world)) == {"transit/ana/ben": 10}
    assert ("not-settled", str(o), None) in discrepancies(verify(world))
    world.cite("eva", [])
    assert accounts(verify(world)) == {"held/ben": 10}


def test_another_offer_settles_by_receipts_as_before() -> None:
    world, _, _ = world_with()
    world.accept("ben", world.offer("ana", "plan", {}, ["ben"]))
    world.cite("ana", ["cas", "dan"])
    world.cite("ben", ["cas", "dan"])
    assert verify(world).counts["offers with effect"] == 1


def test_between_two_parties_nothing_lapses() -> None:
    world = World(settlement={"quorum": "all", "liars": 0, "lapse": True})
    d = declare(world, "ana", 10)
    world.accept("ben", hand_over(world, "ana", "ben", (f"{d}/0", 10)))
    assert accounts(verify(world)) == {"held/ben": 10}
