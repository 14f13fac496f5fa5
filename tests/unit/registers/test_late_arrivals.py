# SPDX-License-Identifier: Apache-2.0
"""What arrives late is judged by its own past: nothing that has been handed over is written by its giver again."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from servanda.journal.state import Entry
from servanda.registers.custody.views import balances_bytes, open_discrepancies
from tests.rig.pen import refer, write
from tests.rig.replica import Replica, leaves_of
from tests.rig.world import World, accounts, codes, held, row, three

FULL = {"extent": "full", "received": [], "condition": None}


def two() -> World:
    return three("ash", "birch")


def offered(world: World, lot: str, amount: int, giver: str, receiver: str) -> Entry:
    content = {"lots": [held(lot, amount)], "receiver": receiver, "place": "harbour"}
    return world.say(giver, "handover", content, named=[receiver])


def accepted(world: World, receiver: str, offer: Entry) -> Entry:
    return world.say(receiver, "accept", FULL, refers_to=[offer.place])


def late_leaf(world: World, form: str, content: dict[str, Any]) -> Entry:
    """An entry of ash whose past is what ash's centre held when it last heard from anybody."""
    entry = write(world.centres["ash"], form, content)
    assert entry is not None
    assert entry.admissible
    return entry


def same_in_every_order(world: World, **after: tuple[str, int]) -> bytes:
    """Balances of a reader who gets whole journals in any order; they must not differ. Returns them."""
    leaves = leaves_of(world.centres["ash"])
    found = set()
    for order in permutations(leaves):
        replica = Replica([world.pack])
        for size in (2, 3, 4, 5, 99):
            for party in order:
                have = replica.record.journals[party].size
                replica.feed(party, leaves[party][have:size])
                replica.documents()
        found.add(balances_bytes(replica.custody))
    for party in leaves:
        replica = Replica([world.pack])
        for other in sorted(leaves, key=lambda name: name == party):
            replica.feed(other, leaves[other])
        found.add(balances_bytes(replica.custody))
    assert len(found) == 1
    return found.pop()


class TestAGiverWhoPretendsNotToKnow:
    """Ash hands a lot over, waits until birch has passed it on, and writes it again with an old past."""

    @pytest.fixture
    def passed_on(self) -> tuple[World, str]:
        world = three()
        lot = f"{world.say('ash', 'declare', {'lots': [row(10)]}).place}/0"
        offer = offered(world, lot, 10, "ash", "birch")
        for other in ("birch", "cedar"):
            world.deliver("ash", other)
        accepted(world, "birch", offer)
        world.sync()
        offered(world, lot, 10, "birch", "cedar")
        world.deliver("birch", "cedar")
        return world, lot

    def test_everybody_refuses_a_split_of_what_was_under_offer_when_it_was_written(self) -> None:
        world = three("ash", "birch")
        lot = f"{world.say('ash', 'declare', {'lots': [row(10)]}).place}/0"
        offer = offered(world, lot, 10, "ash", "birch")
        world.deliver("ash", "birch")
        accepted(world, "birch", offer)
        offered(world, lot, 10, "birch", "ash")  # birch passes it on before ash has heard of the acceptance
        late_leaf(world, "split", {"lot": lot, "parts": [row(10)]})
        world.deliver("ash", "birch")
        assert accounts(world.centres["birch"]) == {"transit/birch/ash": 10}
        assert "posting/locked" in codes(world.centres["birch"])
        world.sync()
        same_in_every_order(world)

    def test_a_loss_of_what_is_with_somebody_else_by_now_changes_no_account(self) -> None:
        world = three("ash", "birch")
        lot = f"{world.say('ash', 'declare', {'lots': [row(10)]}).place}/0"
        offer = offered(world, lot, 10, "ash", "birch")
        world.deliver("ash", "birch")
        accepted(world, "birch", offer)
        offered(world, lot, 10, "birch", "ash")
        late_leaf(world, "loss", {"lots": [lot], "reason": "storm"})
        world.deliver("ash", "birch")
        assert accounts(world.centres["birch"]) == {"transit/birch/ash": 10}
        assert "loss-in-transit" in codes(world.centres["birch"])

    def test_the_lot_stays_with_who_received_it(self, passed_on: tuple[World, str]) -> None:
        world, lot = passed_on
        before = accounts(world.centres["cedar"])
        write(world.centres["ash"], "move", {"lot": lot, "place": "works"})
        world.sync()
        assert accounts(world.centres["cedar"]) == before == {"transit/birch/cedar": 10}
        same_in_every_order(world)


def test_two_witnesses_refuse_and_the_custodian_knows_of_one_refusal() -> None:
    world = three()
    lot = f"{world.say('ash', 'declare', {'lots': [row(10)]}).place}/0"
    content = {"lots": [held(lot, 10)], "method": "m", "place": "works", "evidence": [], "residue": []}
    offer = world.say("ash", "destroy", content, named=["birch", "cedar"])
    world.deliver("ash", "birch")
    world.deliver("ash", "cedar")
    for witness in ("birch", "cedar"):
        world.say(witness, "refuse", {"reason": "not seen"}, refers_to=[offer.place])
    world.deliver("cedar", "ash")
    world.say("ash", "move", {"lot": lot, "place": "harbour"})  # covers the refusal of cedar alone
    world.sync()
    same_in_every_order(world)
    assert codes(world.centres["birch"]) == []


def test_a_seal_recorded_before_the_giver_heard_that_nothing_arrived() -> None:
    world = two()
    lot = f"{world.say('ash', 'declare', {'lots': [row(10)]}).place}/0"
    offer = offered(world, lot, 10, "ash", "birch")
    world.deliver("ash", "birch")
    part = {"extent": "part", "received": [held(lot, 0)], "condition": None}
    world.say("birch", "accept", part, refers_to=[offer.place])
    assert accounts(world.centres["birch"]) == {"disputed/ash/birch": 10}
    world.say("ash", "seal", {"lot": lot, "seal": "4711", "action": "applied"})
    world.sync()
    same_in_every_order(world)
    assert codes(world.centres["birch"]) == ["short"]


class TestLossUnderAnOpenDestruction:
    """The lot is not in transit: it is lost, and destroyed if the witness says so."""

    @pytest.mark.parametrize("witnessed", [True, False])
    def test_it_is_lost_until_the_witness_has_signed(self, witnessed: bool) -> None:
        world = two()
        lot = f"{world.say('ash', 'declare', {'lots': [row(10)]}).place}/0"
        content = {"lots": [held(lot, 10)], "method": "m", "place": "works", "evidence": [], "residue": []}
        offer = world.say("ash", "destroy", content, named=["birch"])
        world.deliver("ash", "birch")
        if witnessed:
            accepted(world, "birch", offer)
            assert accounts(world.centres["birch"]) == {"destroyed/ash": 10}
        world.say("ash", "loss", {"lots": [lot], "reason": "fire"})
        world.sync()
        assert accounts(world.centres["birch"]) == {"destroyed/ash" if witnessed else "lost/ash": 10}
        same_in_every_order(world)


class TestResolvesThatCross:
    """Giver and receiver each propose, neither having seen the other's proposal."""

    @pytest.fixture
    def disputed(self) -> tuple[World, str]:
        world = two()
        lot = f"{world.say('ash', 'declare', {'lots': [row(10)]}).place}/0"
        offer = offered(world, lot, 10, "ash", "birch")
        world.sync()
        part = {"extent": "part", "received": [held(lot, 4)], "condition": None}
        acceptance = world.say("birch", "accept", part, refers_to=[offer.place])
        world.sync()
        return world, f"{acceptance.place}/0"

    def test_they_void_one_another_even_if_both_are_accepted(self, disputed: tuple[World, str]) -> None:
        world, rest = disputed
        proposals = {
            party: world.say(party, "resolve", {"lots": [held(rest, 6)], "holder": party}, named=[other])
            for party, other in (("ash", "birch"), ("birch", "ash"))
        }
        world.sync()
        for party, other in (("ash", "birch"), ("birch", "ash")):
            accepted(world, party, proposals[other])
        world.sync()
        assert accounts(world.centres["ash"])["disputed/ash/birch"] == 6
        same_in_every_order(world)

    def test_after_that_either_may_propose_again(self, disputed: tuple[World, str]) -> None:
        world, rest = disputed
        for party, other in (("ash", "birch"), ("birch", "ash")):
            world.say(party, "resolve", {"lots": [held(rest, 6)], "holder": party}, named=[other])
        world.sync()
        again = world.say("ash", "resolve", {"lots": [held(rest, 6)], "holder": "birch"}, named=["birch"])
        world.sync()
        accepted(world, "birch", again)
        world.sync()
        assert accounts(world.centres["ash"]) == {"held/birch": 10}
        same_in_every_order(world)


class TestContest:
    def test_it_opens_a_discrepancy_on_each_lot_that_is_named_or_declared(self) -> None:
        world = two()
        declared = world.say("ash", "declare", {"lots": [row(10), row(5)]})
        split = world.say("ash", "split", {"lot": f"{declared.place}/0", "parts": [row(1)]})
        world.sync()
        world.say("birch", "contest", {"reason": "r"}, refers_to=[declared.place])
        contest = world.say("birch", "contest", {"reason": "r"}, refers_to=[split.place])
        found = [(str(d.entry), str(d.lot)) for d in open_discrepancies(world.centres["birch"].custody)]
        assert found == [
            ("birch/3", f"{declared.place}/0"),
            ("birch/3", f"{declared.place}/1"),
            (str(contest.place), f"{declared.place}/0"),
        ]

    @pytest.mark.parametrize("lots", [[5], ["no lot"], [{"lot": 7}], "text", [{"lot": "a/b/c"}], [None]])
    def test_what_an_inadmissible_entry_says_opens_nothing_and_breaks_nothing(self, lots: object) -> None:
        world = two()
        bad = write(world.centres["ash"], "declare", {"lots": lots})
        assert bad is not None
        assert bad.code == "content"
        write(world.centres["ash"], "contest", {"reason": "r"}, refers_to=[refer(bad)])
        world.sync()
        assert codes(world.centres["birch"]) == []


def test_the_place_given_by_a_contest_does_not_depend_on_whether_the_lot_had_arrived() -> None:
    world = three()
    bad = write(world.centres["ash"], "move", {"lot": "birch/3/0", "place": "works"})
    assert bad is not None
    world.deliver("ash", "cedar")
    world.say("cedar", "contest", {"reason": "r"}, refers_to=[bad.place])
    world.say("birch", "declare", {"lots": [row(1)]})
    world.sync()
    same_in_every_order(world)
    assert codes(world.centres["ash"]) == ["posting/unknown-lot", "contested"]
