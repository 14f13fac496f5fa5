# SPDX-License-Identifier: Apache-2.0
"""Seals, sites and books: whatever anybody says of them stands beside what the others say."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from servanda.operations.desk import dispatch
from servanda.operations.discrepancies import discrepancies_at
from servanda.operations.errors import Refusal
from tests.rig.depot import accept, depot_world
from tests.rig.world import World, accounts, row

BOAT = {"kind": "boat", "place": "store"}


def boats(amount: int | None) -> dict[str, Any]:
    stated = {"amount": amount, "basis": "stated", "unit": "piece"}
    return stated if amount is not None else {"basis": "not-stated", "unit": "piece"}


def ask(world: World, command: str, party: str = "dune", **arguments: Any) -> Any:
    return dispatch(world.centres[party], {"command": command, **arguments})


def raised(world: World, at: str = "2014-01-10") -> set[str]:
    rows = discrepancies_at(world.centres["dune"], date.fromisoformat(at))["discrepancies"]
    return {item["key"].partition(":")[0] for item in rows}


@pytest.fixture
def world() -> World:
    found = depot_world()
    found.say("ash", "declare", {"lots": [row(5), row(7, place="works")]})
    found.sync()
    return found


# --- Seals ---

STEPS: dict[str, tuple[list[tuple[str, str]], set[str], str]] = {
    "applied, checked, removed": ([("applied", ""), ("checked", ""), ("removed", "")], set(), "removed"),
    "never applied": ([("checked", "")], {"seals/unknown"}, "unknown"),
    "removed, never applied": ([("removed", "")], {"seals/unknown"}, "unknown"),
    "applied twice": ([("applied", ""), ("applied", "")], {"seals/used-twice"}, "in use"),
    "used again after removal": ([("applied", ""), ("removed", ""), ("applied", "")], {"seals/used-twice"}, "removed"),
    "broken": ([("applied", ""), ("broken", "")], {"seals/broken"}, "broken"),
    "checked after it was broken": (
        [("applied", ""), ("broken", ""), ("checked", "")],
        {"seals/broken", "seals/ended"},
        "broken",
    ),
    "found intact": ([("applied", ""), ("", "intact")], set(), "in use"),
    "found broken": ([("applied", ""), ("", "broken")], {"seals/broken"}, "in use"),
    "found missing after removal": ([("applied", ""), ("removed", ""), ("", "missing")], set(), "removed"),
    "found intact after removal": ([("applied", ""), ("removed", ""), ("", "intact")], {"seals/ended"}, "removed"),
}


@pytest.mark.parametrize("name", STEPS)
def test_every_step_is_shown_and_those_that_do_not_fit_are_discrepancies(name: str, world: World) -> None:
    steps, faults, state = STEPS[name]
    for action, result in steps:
        if action:
            world.say("ash", "fasten", {"lot": "ash/3/0", "seal": "0001", "action": action})
        else:
            world.say("cedar", "look", {"by": "inspector", "checks": [{"seal": "0001", "result": result}]})
        world.sync()
    (seal,) = ask(world, "seals")["seals"]
    assert [step["act"] for step in seal["steps"]] == [action or result for action, result in steps]
    assert (raised(world), seal["state"]) == (faults, state)


def test_a_kind_of_seal_says_how_long_it_holds(world: World) -> None:
    world.say("ash", "fasten", {"lot": "ash/3/0", "seal": "0001", "action": "applied", "kind": "wire"})
    world.say("ash", "fasten", {"lot": "ash/3/1", "seal": "0002", "action": "applied", "kind": "glue"})
    world.sync()
    first, second = ask(world, "seals", at="2014-02-09")["seals"]
    assert (first["holds-until"], first["state"], second["holds-until"]) == ("2014-02-09", "in use", None)
    assert ask(world, "seals", at="2014-02-10", lot="ash/3/0")["seals"][0]["state"] == "expired"
    assert raised(world) == {"seals/kind"}
    world.say("ash", "fasten", {"lot": "ash/3/0", "seal": "0001", "action": "checked"}, event_at="2014-02-10")
    world.sync()
    assert raised(world) == {"seals/kind", "seals/expired"}


def test_a_seal_agreed_to_stay_stays_until_the_day_agreed(world: World) -> None:
    for number in ("0001", "0002", "0003"):
        world.say("ash", "fasten", {"lot": "ash/3/0", "seal": number, "action": "applied"})
    offer = world.say("cedar", "stay", {"seals": ["0001", "0002"], "until": "2014-03-01"}, named=("ash",))
    world.sync()
    world.say("ash", "fasten", {"lot": "ash/3/0", "seal": "0003", "action": "removed"})
    accept(world, "ash", offer)
    world.sync()
    assert raised(world) == set()
    world.say("ash", "fasten", {"lot": "ash/3/0", "seal": "0001", "action": "removed"}, event_at="2014-03-01")
    world.say("ash", "fasten", {"lot": "ash/3/0", "seal": "0002", "action": "removed"}, event_at="2014-03-02")
    world.sync()
    found = {seal["seal"]: seal["steps"][-1]["faults"] for seal in ask(world, "seals")["seals"]}
    assert found == {"0001": ["seals/agreed-to-stay"], "0002": [], "0003": []}


def test_who_does_not_hold_the_lot_seals_nothing_and_every_centre_tells_the_same_life(world: World) -> None:
    with pytest.raises(Refusal, match="not-custodian"):
        world.say("birch", "fasten", {"lot": "ash/3/0", "seal": "0001", "action": "applied"})
    world.say("ash", "fasten", {"lot": "ash/3/0", "seal": "0001", "action": "applied"})
    for party in ("birch", "cedar", "dune"):  # none of them sees the others' entries
        world.say(party, "look", {"by": party, "checks": [{"seal": "0001", "result": "damaged"}]})
    world.sync()
    told = [ask(world, "seals", party) for party in world.centres]
    assert all(one == told[0] for one in told)
    assert ask(world, "seals", site="shore")["seals"] == told[0]["seals"]
    assert ask(world, "seals", site="works")["seals"] == []


# --- Sites ---


def test_a_place_shows_what_is_there_and_within_it_and_what_each_party_says_of_access(world: World) -> None:
    world.say("ash", "gate", {"place": "store", "state": "open", "reason": "as agreed"})
    denied = world.say("cedar", "gate", {"place": "store", "state": "denied", "reason": "the gate was shut"})
    world.sync()
    sites = {site["place"]: site for site in ask(world, "sites")["sites"]}
    assert sites["shore"]["coordinates"] == [-33_868_800, 151_209_300]
    assert (sites["shore"]["here"], sites["shore"]["with-all-within"]) == ({}, {"held/ash": {"g": 5}})
    assert sites["works"]["with-all-within"] == {"held/ash": {"g": 7}}
    assert [(said["party"], said["state"]) for said in sites["store"]["access"]] == [
        ("ash", "open"),
        ("cedar", "denied"),
    ]
    (item,) = discrepancies_at(world.centres["ash"], date(2014, 1, 10))["discrepancies"]
    assert (item["key"], item["sides"]) == (f"access-differs:{denied.place}", ["ash", "cedar"])
    world.say("cedar", "gate", {"place": "store", "state": "open", "reason": "it opened"})
    world.sync()
    assert raised(world) == set()


def test_a_site_that_is_not_declared_is_refused(world: World) -> None:
    with pytest.raises(Refusal, match="moon is no place of the pack") as caught:
        world.say("ash", "gate", {"place": "moon", "state": "open", "reason": "r"})
    assert caught.value.code == "sites/place"


# --- Books ---


def test_neither_partys_number_is_lost_and_none_is_added_to_anothers() -> None:
    """As reported of Nepal in 2007: 2,855 weapons stored, 524 at the perimeter, 96 pending a separate agreement."""
    world = depot_world()
    world.say("ash", "declare", {"lots": [{**BOAT, "quantity": boats(3475)}]})
    rows = [("accepted", 2855), ("excluded", 524), ("pending", 96)]
    book = [{**BOAT, "standing": standing, "quantity": boats(amount)} for standing, amount in rows]
    registered = world.say("birch", "book", {"of": "ash", "rows": book})
    own = [{**BOAT, "standing": "declared", "quantity": boats(3475)}]
    world.say("ash", "book", {"of": "ash", "rows": own})
    world.say("cedar", "book", {"of": "ash", "rows": [{**BOAT, "standing": "disputed", "quantity": boats(None)}]})
    world.sync()
    (row_of,) = ask(world, "books")["books"]
    amounts = {name: column["amount"] for name, column in row_of["columns"].items()}
    assert amounts == {
        "accounts: held": 3475,
        "ash: declared": 3475,
        "birch: accepted": 2855,
        "birch: excluded": 524,
        "birch: pending": 96,
        "cedar: disputed": None,
    }
    assert 2855 + 524 + 96 == 3475
    assert row_of["columns"]["birch: accepted"]["entries"] == [str(registered.place)]
    world.say("birch", "book", {"of": "ash", "rows": book[:1]})
    world.sync()
    (row_of,) = ask(world, "books")["books"]
    assert row_of["columns"]["ash: declared"]["amount"] == 3475
    assert "birch: pending" not in row_of["columns"]
    assert world.centres["dune"].record.entry(registered.place) is not None


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "of nobody": ({"of": "elm"}, "party"),
    "of an unknown kind": ({"kind": "whale"}, "kind"),
    "in mixed units": ({"quantity": {"amount": 1, "basis": "stated", "unit": "g"}}, "unit"),
    "at a site that is not declared": ({"place": "moon"}, "place"),
    "of negative pieces": ({"quantity": {"amount": -1, "basis": "stated", "unit": "piece"}}, "content"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_book_that_makes_no_sense_is_refused(name: str) -> None:
    change, reason = WRONG[name]
    line = {**BOAT, "standing": "counted", "quantity": boats(1)} | {k: v for k, v in change.items() if k != "of"}
    with pytest.raises(Refusal) as caught:
        depot_world().say("birch", "book", {"of": change.get("of", "ash"), "rows": [line]})
    assert caught.value.code == (reason if reason == "content" else f"books/{reason}")


def test_the_same_line_twice_is_refused_instead_of_added_up() -> None:
    line = {**BOAT, "standing": "counted", "quantity": boats(1)}
    with pytest.raises(Refusal) as caught:
        depot_world().say("birch", "book", {"of": "ash", "rows": [line, line]})
    assert caught.value.code == "books/twice"


def test_what_is_in_dispute_stays_in_the_sum_whatever_is_said_of_it() -> None:
    world = depot_world()
    world.say("ash", "declare", {"lots": [row(10)]})
    world.sync()
    lot = {"lot": "ash/3/0", "quantity": {"amount": 10, "basis": "stated", "unit": "g"}}
    offer = world.say("ash", "handover", {"lots": [lot], "receiver": "birch", "place": "works"}, named=("birch",))
    world.sync()
    accept(world, "birch", offer, {**lot, "quantity": {**lot["quantity"], "amount": 4}})
    line = {"kind": "cargo", "place": "works", "standing": "disputed", "quantity": lot["quantity"]}
    world.say("cedar", "book", {"of": "birch", "rows": [line]})
    world.sync()
    assert accounts(world.centres["dune"]) == {"held/birch": 4, "disputed/ash/birch": 6}
    columns = {row["of"]: row["columns"] for row in ask(world, "books")["books"]}
    assert columns["ash"]["accounts: disputed"]["amount"] == 6
    assert columns["birch"]["cedar: disputed"]["amount"] == 10
