# SPDX-License-Identifier: Apache-2.0
"""Two counts side by side, thresholds, shipments that do not arrive; faults known from other systems, each tried.

The numbers are those of public issue trackers: open mSupply (#…), OpenBoxes (OpenBoxes #…).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from servanda.journal.state import Entry
from servanda.operations.bundles import export_bundle
from servanda.operations.desk import dispatch
from servanda.operations.discrepancies import discrepancies_at
from servanda.operations.errors import Refusal
from tests.dossier.forgery import pins_of, verdicts
from tests.rig.depot import accept, depot_world
from tests.rig.pen import insert as write_by_hand
from tests.rig.pen import leaf_by_hand, refer
from tests.rig.world import World, accounts, codes, grams, held, row

BOATS = {"amount": 12, "basis": "stated", "unit": "piece"}


def offered(world: World, *rows: dict[str, Any]) -> Entry:
    """A handover from ash to birch of whole lots."""
    declared = world.say("ash", "declare", {"lots": list(rows)})
    world.sync()
    lots = [{"lot": f"{declared.place}/{i}", "quantity": item["quantity"]} for i, item in enumerate(rows)]
    offer = world.say("ash", "handover", {"lots": lots, "receiver": "birch", "place": "works"}, named=("birch",))
    world.sync()
    return offer


def recount(world: World, party: str, offer: Entry, amount: int, **more: Any) -> Entry:
    (item,) = offer.frame.content["lots"]  # type: ignore[union-attr]
    counted = {**item["quantity"], "amount": amount}
    content = {"counts": [{"lot": item["lot"], "quantity": counted}], **({"reason": "miscount"} | more)}
    made = world.say(party, "recount", content, refers_to=(offer.place,))
    world.sync()
    return made


def taken(world: World, offer: Entry, amount: int) -> Entry:
    (item,) = offer.frame.content["lots"]  # type: ignore[union-attr]
    made = accept(world, "birch", offer, {"lot": item["lot"], "quantity": {**item["quantity"], "amount": amount}})
    world.sync()
    return made


def shown(world: World, at: str = "2014-01-10") -> dict[str, Any]:
    (item,) = dispatch(world.centres["cedar"], {"command": "handovers", "at": at})["handovers"]
    return item  # type: ignore[no-any-return]


def raised(world: World, at: str = "2014-01-10") -> dict[str, str | None]:
    rows = discrepancies_at(world.centres["cedar"], date.fromisoformat(at))["discrepancies"]
    return {item["key"]: item["class"] for item in rows}


def boats(**more: Any) -> dict[str, Any]:
    return {"kind": "boat", "place": "store", "quantity": BOATS, **more}


def test_both_sides_counts_stand_beside_what_was_stated_and_what_was_received() -> None:
    world = depot_world()
    offer = offered(world, row(100))
    recount(world, "ash", offer, 100)
    counted = recount(world, "birch", offer, 80)
    acceptance = taken(world, offer, 80)
    (lot,) = shown(world)["lots"]
    assert lot == {
        "lot": "ash/3/0", "unit": "g", "stated": 100, "giver": 100, "receiver": 80, "received": 80,
        "difference": -20, "class": "significant",
    }  # fmt: skip
    assert raised(world) == {
        f"difference:{counted.place}:ash/3/0": "significant",
        f"short:{acceptance.place}:{acceptance.place}/0": "significant",
    }


@pytest.mark.parametrize(
    ("received", "word"), [(90, "minor"), (89, "significant"), (99, "minor")], ids=["a tenth", "more", "a hundredth"]
)
def test_below_the_threshold_a_difference_is_recorded_and_only_classed(received: int, word: str) -> None:
    world = depot_world()
    acceptance = taken(world, offered(world, row(100)), received)
    assert raised(world) == {f"short:{acceptance.place}:{acceptance.place}/0": word}
    assert accounts(world.centres["cedar"])["disputed/ash/birch"] == 100 - received


def test_of_pieces_any_difference_is_significant() -> None:
    world = depot_world()
    acceptance = taken(world, offered(world, boats()), 11)
    assert raised(world) == {f"short:{acceptance.place}:{acceptance.place}/0": "significant"}


def test_a_shipment_that_does_not_arrive_is_overdue_and_returns_nothing() -> None:
    world = depot_world()
    offer = offered(world, row(100))
    content = {"carrier": "MV Reed", "expected": "2014-01-20", "seals": ["0001"]}
    notice = world.say("ash", "ship", content, refers_to=(offer.place,))
    world.sync()
    assert f"shipment-overdue:{notice.place}" not in raised(world, "2014-01-22")
    assert raised(world, "2014-01-23")[f"shipment-overdue:{notice.place}"] is None
    for centre in world.centres.values():
        assert accounts(centre) == {"transit/ash/birch": 100}
    assert shown(world, "2014-01-23")["shipments"][0]["overdue"] is True
    accept(world, "birch", offer)
    world.sync()
    assert shown(world, "2015-01-01")["shipments"][0]["overdue"] is False
    assert raised(world, "2015-01-01") == {}


def test_a_refusal_has_its_reason_and_gives_back() -> None:
    world = depot_world()
    offer = offered(world, row(100))
    with pytest.raises(Refusal) as caught:
        world.say("birch", "refuse", {"reason": ""}, refers_to=(offer.place,))
    assert caught.value.code == "content"
    world.say("birch", "refuse", {"reason": "wet"}, refers_to=(offer.place,))
    world.sync()
    assert accounts(world.centres["ash"]) == {"held/ash": 100}
    assert shown(world)["state"] == "refused"


SHIP = {"carrier": "c", "expected": "2014-02-01", "seals": []}
COUNT = {"counts": [held("ash/3/0", 100)]}
REFUSED: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "a shipment of no offer": ("ash", "ship", SHIP, "no-offer"),
    "a shipment by the receiver": ("birch", "ship", SHIP, "not-giver"),
    "a count by a stranger": ("cedar", "recount", COUNT, "not-side"),
    "a count of another lot": ("birch", "recount", {"counts": [held("ash/3/1", 5)]}, "not-offered"),
    "a count of a lot twice": ("birch", "recount", {"counts": [held("ash/3/0", 100)] * 2}, "twice"),
    "a count that counts nothing": ("birch", "recount", {"counts": [held("ash/3/0", None)]}, "not-counted"),
    "a count that differs without reason": ("birch", "recount", {"counts": [held("ash/3/0", 99)]}, "reason"),
    "a count with a reason of one's own": ("birch", "recount", {**COUNT, "reason": "mood"}, "reason"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_breaks_a_rule_is_refused_before_release(name: str) -> None:
    party, form, content, reason = REFUSED[name]
    world = depot_world()
    offer = offered(world, row(100))
    with pytest.raises(Refusal) as caught:
        world.say(party, form, content, refers_to=() if reason == "no-offer" else (offer.place,))
    assert caught.value.code == f"handovers/{reason}"


def test_a_shipment_of_what_has_arrived_is_refused() -> None:
    world = depot_world()
    offer = offered(world, row(100))
    accept(world, "birch", offer)
    world.sync()
    with pytest.raises(Refusal) as caught:
        world.say("ash", "ship", SHIP, refers_to=(offer.place,))
    assert caught.value.code == "handovers/not-open"


def test_a_day_that_does_not_exist_is_no_expected_arrival_for_either_reader() -> None:
    world = depot_world()
    offer = offered(world, row(100))
    ash = world.centres["ash"]
    content = {**SHIP, "expected": "2014-02-30"}
    made = write_by_hand(ash, leaf_by_hand(ash, format="ship", content=content, refers_to=[refer(offer)]))
    assert made is not None
    assert made.code == "content"
    world.sync()
    found = verdicts(export_bundle(ash, "dossier", "2026-01-04T00:00:00Z"), pins_of(world))
    assert (found.ours, found.alone) == ("", "")


# --- Faults known from other systems ---


def test_a_second_partial_receipt_rolls_nothing_back_openboxes_586() -> None:
    world = depot_world()
    offer = offered(world, row(100))
    first = taken(world, offer, 60).place
    with pytest.raises(Refusal, match="already answered"):
        taken(world, offer, 30)
    settled = world.say("ash", "resolve", {"lots": [held(f"{first}/0", 40)], "holder": "ash"}, named=("birch",))
    world.sync()
    accept(world, "birch", settled)
    world.sync()
    second = {"lots": [held(f"{first}/0", 40)], "receiver": "birch", "place": "works"}
    again = world.say("ash", "handover", second, named=("birch",))
    world.sync()
    taken(world, again, 25)
    assert accounts(world.centres["cedar"]) == {"held/birch": 60 + 25, "disputed/ash/birch": 15}


def test_another_pack_size_hides_no_shortage_msupply_12332() -> None:
    """Twelve pieces offered as one crate of twelve; twelve crates counted would be twelve of something else."""
    world = depot_world()
    offer = offered(world, boats())
    counts = [{"lot": "ash/3/0", "quantity": {"amount": 12, "basis": "stated", "unit": "g"}}]
    with pytest.raises(Refusal) as caught:
        world.say("birch", "recount", {"counts": counts, "reason": "miscount"}, refers_to=(offer.place,))
    assert caught.value.code == "handovers/unit"
    with pytest.raises(Refusal, match="not in piece"):
        accept(world, "birch", offer, {"lot": "ash/3/0", "quantity": {"amount": 12, "basis": "stated", "unit": "g"}})
    taken(world, offer, 1)  # one crate, if that is what the receiver takes it for, is one piece of twelve
    (lot,) = shown(world)["lots"]
    assert (lot["difference"], lot["class"]) == (-11, "significant")


@pytest.mark.parametrize(("counted", "difference"), [(90, -10), (110, 10), (100, 0)])
def test_a_difference_has_the_right_sign_msupply_12461(counted: int, difference: int) -> None:
    world = depot_world()
    offer = offered(world, row(100))
    made = recount(world, "birch", offer, counted)
    (lot,) = shown(world)["lots"]
    assert lot["difference"] == difference
    assert (f"difference:{made.place}:ash/3/0" in raised(world)) == bool(difference)


def test_more_than_was_offered_is_counted_but_not_received() -> None:
    world = depot_world()
    offer = offered(world, row(100))
    counted = recount(world, "birch", offer, 110)
    with pytest.raises(Refusal, match="more is received"):
        taken(world, offer, 110)
    accept(world, "birch", offer)
    world.sync()
    assert accounts(world.centres["cedar"]) == {"held/birch": 100}
    assert raised(world) == {f"difference:{counted.place}:ash/3/0": "minor"}


def test_receiving_all_at_once_does_not_hide_what_was_counted_openboxes_129() -> None:
    world = depot_world()
    offer = offered(world, row(100))
    counted = recount(world, "birch", offer, 70)
    acceptance = accept(world, "birch", offer)  # "in full", against the receiver's own count
    world.sync()
    assert raised(world) == {
        f"difference:{counted.place}:ash/3/0": "significant",
        f"received-differs:{acceptance.place}:ash/3/0": None,
    }


@pytest.mark.parametrize("amount", [-1, True, 1.5, "5", 2**53])
def test_nothing_negative_or_fractional_is_received_msupply_10936(amount: Any) -> None:
    world = depot_world()
    offer = offered(world, row(100))
    with pytest.raises((Refusal, ValueError)) as caught:
        accept(world, "birch", offer, {"lot": "ash/3/0", "quantity": {**grams(1), "amount": amount}})
    assert getattr(caught.value, "code", "content") in ("content", "accept", "draft", "frame")
    assert accounts(world.centres["ash"]) == {"transit/ash/birch": 100}


def test_a_seal_that_has_expired_is_flagged_where_it_is_relied_on_msupply_12333() -> None:
    world = depot_world()
    offer = offered(world, row(100))
    seal = {"lot": "ash/3/0", "seal": "0001", "expires": "2014-01-15"}
    world.say("ash", "fasten", {**seal, "action": "applied"})
    world.say("ash", "ship", {**SHIP, "seals": ["0001"]}, refers_to=(offer.place,))
    world.sync()
    seen = {"by": "a clerk", "checks": [{"seal": "0001", "result": "intact"}]}
    look = world.say("birch", "look", seen, event_at="2014-01-16")
    world.sync()
    assert f"seals/expired:{look.place}:ash/3/0" in raised(world)
    assert codes(world.centres["cedar"]) == ["unanswered"]
    assert shown(world, "2014-01-15")["shipments"][0]["seals"] == [{"seal": "0001", "state": "in use"}]
    assert shown(world, "2014-01-16")["shipments"][0]["seals"] == [{"seal": "0001", "state": "expired"}]
