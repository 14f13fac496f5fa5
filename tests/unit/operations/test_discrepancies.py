# SPDX-License-Identifier: Apache-2.0
"""One process for whatever does not fit (spec/discrepancies.md): clocks, right of reply, closed by both."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from servanda.journal.state import Entry
from servanda.operations.desk import dispatch
from servanda.operations.discrepancies import discrepancies_at
from servanda.operations.errors import Refusal
from tests.rig.depot import accept, depot_world
from tests.rig.world import World, held, row

DAY = date(2014, 1, 10)
"""The day of all entries here, unless they say another."""


def rows_at(world: World, at: str = "2014-01-10", party: str = "dune") -> dict[str, dict[str, Any]]:
    document = discrepancies_at(world.centres[party], date.fromisoformat(at))
    return {item["key"]: item for item in document["discrepancies"]}


def states(world: World, at: str = "2014-01-10") -> dict[str, str]:
    return {key: item["state"] for key, item in rows_at(world, at).items()}


def short(world: World, received: int = 5, stated: int = 10) -> Entry:
    """A handover from ash to birch of which something is missing; the acceptance."""
    declared = world.say("ash", "declare", {"lots": [row(stated)]})
    world.sync()
    content = {"lots": [held(f"{declared.place}/0", stated)], "receiver": "birch", "place": "works"}
    offer = world.say("ash", "handover", content, named=("birch",))
    world.sync()
    acceptance = accept(world, "birch", offer, held(f"{declared.place}/0", received))
    world.sync()
    return acceptance


def said(keys: list[str], words: str = "w", reason: str = "miscount") -> dict[str, Any]:
    return {"keys": keys, "reason": reason, "words": words}


def test_a_shortage_appears_by_itself_at_every_party_alike_with_its_owner_and_its_clock() -> None:
    world = depot_world()
    acceptance = short(world)
    key = f"short:{acceptance.place}:{acceptance.place}/0"
    documents = [discrepancies_at(centre, date(2014, 1, 25)) for centre in world.centres.values()]
    assert all(document == documents[0] for document in documents)
    (item,) = documents[0]["discrepancies"]
    assert item == {
        "cause": "present", "class": "significant", "closed-by": None, "code": "short", "due": "2014-01-25",
        "entry": str(acceptance.place), "key": key, "lot": f"{acceptance.place}/0", "opened": "2014-01-10",
        "owners": ["ash"], "reasons": [], "said": [], "sides": ["ash", "birch"], "state": "open",
    }  # fmt: skip
    assert states(world, "2014-01-26") == {key: "overdue"}


def test_the_owner_replies_and_a_new_attempt_starts_the_clock_anew() -> None:
    world = depot_world()
    key = f"short:{(place := short(world).place)}:{place}/0"
    world.say("birch", "attempt", said([key], "where are five?"), event_at="2014-01-20")
    world.sync()
    assert rows_at(world)[key]["due"] == "2014-02-04"
    world.say("ash", "rejoin", said([key], "still on the truck", "paperwork"), event_at="2014-01-22")
    world.sync()
    assert states(world, "2014-03-01") == {key: "replied"}
    world.say("birch", "attempt", said([key], "the truck is empty"), event_at="2014-03-01")
    world.sync()
    assert states(world, "2014-03-16") == {key: "open"}
    assert states(world, "2014-03-17") == {key: "overdue"}
    words = [(s["act"], s["by"], s["words"]) for s in rows_at(world)[key]["said"]]
    assert words == [
        ("attempt", "birch", "where are five?"),
        ("reply", "ash", "still on the truck"),
        ("attempt", "birch", "the truck is empty"),
    ]
    assert rows_at(world)[key]["reasons"] == ["miscount", "paperwork"]


def test_it_is_closed_by_both_or_not_at_all() -> None:
    world = depot_world()
    key = f"short:{(place := short(world).place)}:{place}/0"
    world.say("birch", "conclude", said([key]), named=("cedar",))  # without ash, whose number it is
    world.sync()
    stranger = next(e for e in world.centres["cedar"].record.log if e.frame and e.frame.format == "conclude")
    accept(world, "cedar", stranger)
    offer = world.say("birch", "conclude", said([key], "five were lost at sea", "damage"), named=("ash",))
    world.sync()
    assert states(world) == {key: "open"}
    accept(world, "ash", offer)
    world.sync()
    closed = rows_at(world, "2015-01-01")[key]
    assert (closed["state"], closed["closed-by"], closed["cause"]) == ("closed", str(offer.place), "present")
    world.say("birch", "attempt", said([key], "not lost after all"))
    world.sync()
    assert rows_at(world)[key]["state"] == "open"


def test_an_attempt_made_in_ignorance_of_the_acceptance_does_not_open_it_again() -> None:
    world = depot_world()
    key = f"short:{(place := short(world).place)}:{place}/0"
    offer = world.say("birch", "conclude", said([key]), named=("ash",))
    world.sync()
    world.say("cedar", "attempt", said([key], "I ask as well"))
    accept(world, "ash", offer)
    world.sync()
    assert states(world) == {key: "closed"}


def test_what_settles_the_accounts_closes_it_and_what_was_said_stays() -> None:
    world = depot_world()
    key = f"short:{(place := short(world).place)}:{place}/0"
    world.say("birch", "attempt", said([key], "where?"))
    world.sync()
    settled = world.say("birch", "resolve", {"lots": [held(f"{place}/0", 5)], "holder": "ash"}, named=("ash",))
    world.sync()
    accept(world, "ash", settled)
    world.sync()
    closed = rows_at(world)[key]
    assert (closed["state"], closed["cause"], closed["closed-by"]) == ("closed", "gone", None)
    assert [s["words"] for s in closed["said"]] == ["where?"]


def test_a_question_about_no_account_takes_the_same_way() -> None:
    world = depot_world()
    content = {"owner": "ash", "reason": "paperwork", "subject": "the fourth hangar", "words": "what is in it?"}
    asked = world.say("cedar", "query", content)
    world.sync()
    key = f"question:{asked.place}"
    assert (rows_at(world)[key]["owners"], rows_at(world)[key]["due"]) == (["ash"], "2014-01-15")
    world.say("ash", "rejoin", said([key], "boats"))
    world.sync()
    assert states(world) == {key: "replied"}
    offer = world.say("cedar", "conclude", said([key], "seen"), named=("ash",))
    world.sync()
    accept(world, "ash", offer)
    world.sync()
    assert states(world) == {key: "closed"}


REFUSED: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "reason": ("birch", "attempt", said(["short:birch/3:birch/3/0"], reason="mood"), {}),
    "unknown-entry": ("birch", "attempt", said(["short:birch/99:birch/3/0"]), {}),
    "unknown-question": ("birch", "attempt", said(["question:birch/3"]), {}),
    "twice": ("birch", "attempt", said(["short:birch/3:birch/3/0"] * 2), {}),
    "status": ("birch", "attempt", said(["short:birch/3:birch/3/0"]), {"status": "exercise"}),
    "owner": ("birch", "query", {"owner": "birch", "reason": "theft", "subject": "s", "words": "w"}, {}),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_breaks_a_rule_is_refused_before_release(reason: str) -> None:
    world = depot_world()
    assert str(short(world).place) == "birch/3"
    party, form, content, members = REFUSED[reason]
    with pytest.raises(Refusal) as caught:
        world.say(party, form, content, **members)
    assert caught.value.code == f"discrepancy/{reason}"


def test_no_reason_no_entry_neither_for_one_nor_in_bulk() -> None:
    """Open mSupply #12329: a bulk action bypassed the reason that single entries had to give."""
    world = depot_world()
    key = f"short:{(place := short(world).place)}:{place}/0"
    for form in ("attempt", "rejoin", "conclude"):
        members = {"named": ("ash",)} if form == "conclude" else {}
        for content in ({"keys": [key], "words": "w"}, said([key], reason="")):
            with pytest.raises(Refusal) as caught:
                world.say("birch", form, content, **members)
            assert caught.value.code == "content"
    declared = world.say("ash", "declare", {"lots": [row(1), row(2)]})
    both = [f"{declared.place}/0", f"{declared.place}/1"]
    for form in ("loss", "consume"):
        with pytest.raises(Refusal) as caught:
            world.say("ash", form, {"lots": both, "reason": ""})
        assert caught.value.code == "content"
    content = {"lots": [held(both[0], 1), held(both[1], 2)], "receiver": "birch", "place": "works"}
    offer = world.say("ash", "handover", content, named=("birch",))
    world.sync()
    nothing = [held(both[0], 0), held(both[1], 0)]
    for reason in ({}, {"reason": "mood"}):
        answer = {"condition": None, "extent": "part", "received": nothing, **reason}
        with pytest.raises(Refusal, match="`reason`, one of damage, miscount, paperwork, theft") as caught:
            world.say("birch", "accept", answer, refers_to=(offer.place,))
        assert caught.value.code == "accept"


def test_the_desk_lists_filters_and_shows_one() -> None:
    world = depot_world()
    key = f"short:{(place := short(world).place)}:{place}/0"
    ash = world.centres["ash"]
    listed = dispatch(ash, {"command": "discrepancies", "at": "2014-06-01", "states": ["overdue"]})
    assert [item["key"] for item in listed["discrepancies"]] == [key]
    assert dispatch(ash, {"command": "discrepancies", "at": "2014-06-01", "states": ["closed"]})["discrepancies"] == []
    assert dispatch(ash, {"command": "discrepancy", "key": key, "at": "2014-01-11"})["state"] == "open"
    for wrong, code in (("short", "usage"), ("short:ash/1", "no-discrepancy")):
        with pytest.raises(Refusal) as caught:
            dispatch(ash, {"command": "discrepancy", "key": wrong})
        assert caught.value.code == code
    with pytest.raises(Refusal, match="not a date"):
        dispatch(ash, {"command": "discrepancies", "at": "yesterday"})
