# SPDX-License-Identifier: Apache-2.0
"""Who has receipted what, what has been waiting since when, and why."""

from __future__ import annotations

from typing import Any

from servanda.agreement.dates import instant_seconds
from servanda.line.watch import OFF_DUTY, UNDER_WAY, LineNews, Outlook, undelivered_entries, watch_list
from servanda.operations.desk import dispatch
from servanda.operations.receipts import receipted_size
from tests.rig.packs import channel, lake
from tests.rig.world import World


def receipted(world: World) -> dict[str, int]:
    return {party: receipted_size(world.centres["ash"], party) for party in world.centres}


def watched(world: World) -> dict[str, tuple[int, str | None]]:
    record = world.centres["ash"].record
    return {w.party: (w.undelivered, w.since) for w in watch_list(record, "ash", receipted(world))}


def test_every_entry_that_a_counterpart_has_not_receipted_is_on_the_list_with_its_age() -> None:
    world = World(lake(("ash", "birch", "cedar")))
    assert watched(world) == {"birch": (0, None), "cedar": (0, None)}
    first = world.say("ash", "note", {"text": "one"})
    world.say("ash", "note", {"text": "two"})
    world.deliver("ash", "cedar")
    assert first.frame is not None
    assert watched(world) == {"birch": (2, first.frame.released_at), "cedar": (0, None)}


def two_waiting() -> tuple[World, int]:
    world = World(lake(("ash", "birch", "cedar")))
    first = world.say("ash", "note", {"text": "one"}, precedence="flash")
    world.say("ash", "note", {"text": "two"}, status="exercise")
    world.deliver("ash", "cedar")
    assert first.frame is not None
    return world, instant_seconds(first.frame.released_at)


def test_it_says_by_which_route_and_why_and_when_it_becomes_an_alarm() -> None:
    world, released = two_waiting()
    record = world.centres["ash"].record
    news = {"birch": LineNews("relay cedar", "address: gone"), "cedar": LineNews("address", "")}
    for age, alarm in ((0, False), (600, False), (601, True)):
        birch, cedar = watch_list(record, "ash", receipted(world), Outlook(released + age, 600, news))
        assert (birch.route, birch.reason, birch.alarm) == ("relay cedar", "address: gone", alarm)
        assert (cedar.route, cedar.reason, cedar.alarm) == ("address", "", False)


def test_each_undelivered_entry_is_named_with_place_precedence_status_age_and_reason() -> None:
    world, released = two_waiting()
    record = world.centres["ash"].record
    before = record.journals["ash"].size - 2
    news = {"birch": LineNews("address", "")}
    found = list(undelivered_entries(record, "ash", receipted(world), Outlook(released + 700, 600, news)))
    assert [(u.party, u.entry, u.precedence, u.status, u.reason) for u in found] == [
        ("birch", f"ash/{before + 1}", "flash", "actual", UNDER_WAY),
        ("birch", f"ash/{before + 2}", "routine", "exercise", UNDER_WAY),
    ]
    assert found[0].age == 700
    assert found[0].alarm
    assert [u.reason for u in undelivered_entries(record, "ash", receipted(world), Outlook())] == [OFF_DUTY] * 2


def test_a_clock_that_has_been_set_back_gives_no_age_below_zero() -> None:
    world, released = two_waiting()
    found = undelivered_entries(world.centres["ash"].record, "ash", receipted(world), Outlook(released - 3600))
    assert {(u.age, u.alarm) for u in found} == {(0, False)}


def asked(world: World, command: str) -> Any:
    return dispatch(world.centres["ash"], {"command": command})


def test_the_desk_gets_the_list_with_the_time_that_the_pack_allows() -> None:
    world = World(channel(("ash", "birch"), **{"alarm-minutes": 1}))
    assert asked(world, "undelivered") == []
    world.alone("ash", "warn", {"class": "urgent", "text": "x"}, precedence="flash", to=["birch"])
    [item] = asked(world, "undelivered")
    assert (item["party"], item["precedence"], item["format"], item["alarm"]) == ("birch", "flash", "warn", False)
    world.clock.seconds += 61
    assert asked(world, "undelivered")[0]["alarm"]
    assert asked(world, "status")["watch"][0]["alarm"]
    world.deliver("ash", "birch")
    assert asked(world, "undelivered") == []
    assert asked(world, "status")["watch"][0]["reason"] == ""
