# SPDX-License-Identifier: Apache-2.0
"""A destruction is carried by a quorum of its witnesses (spec/settlement.md): who may stop it, and who no longer."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from servanda.agreement.errors import PackError
from servanda.journal.state import Entry
from servanda.operations.bundles import export_bundle
from servanda.operations.errors import Refusal
from tests.dossier.forgery import pins_of, verdicts
from tests.rig.depot import accept, depot, depot_data, depot_world
from tests.rig.pen import insert, leaf_by_hand, refer
from tests.rig.world import World, accounts, codes, held, row

WITNESSES = ("birch", "cedar", "dune")


def offered(world: World, **change: Any) -> Entry:
    declared = world.say("ash", "declare", {"lots": [row(5)]})
    content = {"lots": [held(f"{declared.place}/0", 5)], "method": "fire", "place": "works", "evidence": []}
    made = world.say("ash", "clear", {**content, "residue": [row(9, "ash-slag")], **change}, named=WITNESSES)
    world.sync()
    return made


def alike(world: World) -> None:
    """Both readers verify the dossier: they compute the same accounts."""
    found = verdicts(export_bundle(world.centres["birch"], "dossier", "2026-01-04T00:00:00Z"), pins_of(world))
    assert (found.ours, found.alone) == ("", "")


def test_two_of_three_witnesses_carry_it_and_one_does_not() -> None:
    world = depot_world()
    offer = offered(world)
    accept(world, "birch", offer)
    world.sync()
    assert accounts(world.centres["dune"]) == {"held/ash": 5}
    assert codes(world.centres["dune"]) == ["unanswered"]
    accept(world, "dune", offer)
    world.sync()
    for centre in world.centres.values():
        assert accounts(centre) == {"destroyed/ash": 5, "held/ash": 9}
        assert codes(centre) == []
    alike(world)


def test_a_witness_who_refuses_afterwards_is_shown_and_undoes_nothing() -> None:
    world = depot_world()
    offer = offered(world)
    accept(world, "birch", offer)
    accept(world, "dune", offer)
    world.sync()
    refusal = world.say("cedar", "refuse", {"reason": "I saw none of it"}, refers_to=(offer.place,))
    world.sync()
    assert refusal.admissible
    assert accounts(world.centres["ash"]) == {"destroyed/ash": 5, "held/ash": 9}
    alike(world)


def test_one_refusal_leaves_it_open_and_two_give_the_lot_back() -> None:
    world = depot_world()
    offer = offered(world)
    world.say("birch", "refuse", {"reason": "no"}, refers_to=(offer.place,))
    world.sync()
    assert codes(world.centres["ash"]) == ["unanswered"]
    alike(world)
    world.say("cedar", "refuse", {"reason": "no"}, refers_to=(offer.place,))
    world.sync()
    assert codes(world.centres["ash"]) == []
    world.say("ash", "move", {"lot": "ash/3/0", "place": "works"})
    world.sync()
    alike(world)


@pytest.mark.parametrize("order", list(permutations(WITNESSES)))
def test_in_whatever_order_they_answer_nothing_settled_is_undone(order: tuple[str, ...]) -> None:
    world = depot_world()
    offer = offered(world)
    answered = []
    for party in order:
        if party == "cedar":
            world.say(party, "refuse", {"reason": "no"}, refers_to=(offer.place,))
        else:
            accept(world, party, offer)
        world.sync(cite=False)
        answered.append(accounts(world.centres["ash"]).get("destroyed/ash", 0))
    assert answered == sorted(answered)
    world.sync()
    assert accounts(world.centres["ash"]) == {"destroyed/ash": 5, "held/ash": 9}


def test_a_witness_who_has_not_accepted_makes_no_rival_offer_in_the_thread() -> None:
    world = depot_world()
    offer = offered(world)
    birch = world.centres["birch"]
    rival = offer.frame.content  # type: ignore[union-attr]
    members = {"named": ["ash", "cedar", "dune"], "thread": refer(offer), "refers_to": [refer(offer)]}
    made = insert(birch, leaf_by_hand(birch, format="clear", act="offer", content=rival, **members))
    assert made is not None
    assert made.code == "sender"
    world.sync()
    alike(world)


def test_who_destroys_offers_it_once() -> None:
    world = depot_world()
    offer = offered(world)
    with pytest.raises(Refusal, match="offered once"):
        world.say("ash", "clear", offer.frame.content, named=WITNESSES, thread=str(offer.place))  # type: ignore[union-attr]


def test_a_destruction_that_leaves_out_a_witness_is_no_destruction() -> None:
    world = depot_world()
    with pytest.raises(Refusal, match="witnesses are not named: dune"):
        world.say("ash", "clear", {"lots": [], "method": "fire", "place": "works", "evidence": [], "residue": []},
                  named=("birch", "cedar"))  # fmt: skip


def test_a_method_that_the_pack_has_not_is_refused() -> None:
    with pytest.raises(Refusal, match="method: the pack has cutting, fire, m") as caught:
        offered(depot_world(), method="magic")
    assert caught.value.code == "posting/method"


IDENTITIES: dict[str, tuple[dict[str, str], bool]] = {
    "the serial it was declared with": ({"lot": "ash/3/0", "serial": "AB 1"}, True),
    "another serial": ({"lot": "ash/3/0", "serial": "AB 2"}, False),
    "another lot": ({"lot": "ash/3/1", "serial": "AB 1"}, False),
    "a finding": ({"lot": "ash/3/0", "finding": "birch/3"}, True),
    "an entry that is no finding": ({"lot": "ash/3/0", "finding": "ash/3"}, False),
    "an entry that is not there": ({"lot": "ash/3/0", "finding": "birch/99"}, False),
    "an entry of nobody": ({"lot": "ash/3/0", "finding": "elm/1"}, False),
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_what_is_known_of_a_lot_before_it_is_destroyed_is_looked_up_alike(name: str) -> None:
    identity, good = IDENTITIES[name]
    world = depot_world()
    boat = {"kind": "boat", "place": "store", "quantity": {"amount": 1, "basis": "stated", "unit": "piece"}}
    world.say("ash", "declare", {"lots": [{**boat, "serial": "AB 1"}]})
    world.say("birch", "finding", {"findings": [{"outcome": "present-matching", "subject": "ash/3/0"}]})
    world.sync()
    content = {
        "lots": [{"lot": "ash/3/0", "quantity": boat["quantity"]}], "method": "cutting", "place": "works",
        "evidence": ["0" * 64], "residue": [], "identity": [identity],
    }  # fmt: skip
    ash = world.centres["ash"]
    insert(ash, leaf_by_hand(ash, format="clear", act="offer", content=content, named=list(WITNESSES)))
    world.sync()
    assert codes(ash) == (["unanswered"] if good else ["posting/identity"])
    alike(world)


WRONG = {
    "more than there are": {"quorum": 4},
    "who destroys is a witness": {"may-send": ["birch"]},
    "anybody may destroy": {"may-send": []},
    "of something else than a destruction": {"effect": "custody.resolve"},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_pack_whose_quorum_makes_no_sense_is_refused(name: str) -> None:
    data = depot_data()
    formats = [form | WRONG[name] if form["id"] == "clear" else form for form in data["formats"]]
    with pytest.raises(PackError):
        depot(formats=formats)
