# SPDX-License-Identifier: Apache-2.0
"""The watch is handed over from one to another, and that is kept; the roster says whose it should be."""

from __future__ import annotations

from typing import Any

import pytest

from servanda.agreement.dates import instant_seconds
from servanda.line.roster import EMPTY, Roster, Shift
from servanda.operations.errors import Refusal
from servanda.operations.standing import hand_over, handovers, officer_on_duty, roster_view, stand, watch_view
from tests.rig.world import START, World
from tests.unit.operations.test_escalating import warn, world

BEGIN = int(START.timestamp())
HOUR = 3600
# Of the rig's officers `duty` has the role watch, `chief` the role release, `desk` neither.
ROSTER = Roster((Shift(BEGIN, BEGIN + HOUR, "duty"), Shift(BEGIN + HOUR, BEGIN + 2 * HOUR, "chief")))


class Keeper:
    def __init__(self, roster: Roster) -> None:
        self.kept = roster
        self.text = ""

    def roster(self) -> Roster:
        return self.kept

    def put(self, text: str) -> None:
        self.text = text


def refused(w: World, code: str, giver: str, taker: str, roster: Roster = EMPTY, note: str = "") -> None:
    before = handovers(w.centres["ash"])
    with pytest.raises(Refusal) as caught:
        hand_over(w.centres["ash"], roster, giver, taker, note)
    assert caught.value.code == code
    assert handovers(w.centres["ash"]) == before


def test_a_hand_over_is_kept_with_names_time_note_and_open_cases() -> None:
    w = world()
    alert = warn(w)
    closed = warn(w)
    w.say("ash", "close", {"reason": "r"}, refers_to=[closed.place], to=["birch"])
    centre = w.centres["ash"]
    made = hand_over(centre, ROSTER, "duty", "chief", "mind the alert")
    assert (made.giver, made.taker, made.note, made.open) == ("duty", "chief", "mind the alert", (str(alert.place),))
    assert handovers(w.reopened("ash")) == [made]
    assert officer_on_duty(centre, ROSTER) == ("chief", made.at)


def test_who_has_not_the_watch_does_not_hand_it_over() -> None:
    w = world()
    refused(w, "handover", "chief", "duty", ROSTER)
    hand_over(w.centres["ash"], ROSTER, "duty", "chief", "")
    refused(w, "handover", "duty", "chief", ROSTER)
    hand_over(w.centres["ash"], ROSTER, "chief", "duty", "")
    assert [made.taker for made in handovers(w.centres["ash"])] == ["chief", "duty"]


def test_only_officers_of_the_watch_take_it_and_nobody_takes_it_from_oneself() -> None:
    w = world()
    refused(w, "wrong-role", "duty", "desk")
    refused(w, "unknown-key", "duty", "stranger")
    refused(w, "unknown-key", "stranger", "duty")
    refused(w, "handover", "duty", "duty")
    refused(w, "handover", "duty", "chief", note="x" * 4_001)


def test_the_screen_says_when_the_roster_has_another_officer_than_the_watch() -> None:
    w = world()
    centre = w.centres["ash"]
    view = watch_view(centre, ROSTER)
    assert (view["officer"], view["next-officer"], view["hand-over-due"]) == ("duty", "chief", False)
    assert instant_seconds(view["next-hand-over"]) == BEGIN + HOUR
    assert view["gap"] is not None, "the roster ends within a day"
    hand_over(centre, ROSTER, "duty", "chief", "")
    assert watch_view(centre, ROSTER)["hand-over-due"]
    w.clock.seconds = HOUR + 10
    assert not watch_view(centre, ROSTER)["hand-over-due"]
    w.clock.seconds = 3 * HOUR
    assert watch_view(centre, ROSTER)["next-hand-over"] is None


def test_without_a_roster_nothing_is_claimed() -> None:
    view = watch_view(world().centres["ash"], EMPTY)
    assert (view["officer"], view["gap"], view["roster"]) == (None, None, False)


def test_the_roster_is_shown_with_everything_that_is_wrong_with_it() -> None:
    wrong = Roster(
        (*ROSTER.shifts, Shift(BEGIN + HOUR, BEGIN + 2 * HOUR, "desk"), Shift(BEGIN + 5 * HOUR, BEGIN + 6 * HOUR, "x"))
    )
    view = roster_view(world().centres["ash"], wrong)
    assert view["unfit"] == {"desk": "without the role watch", "x": "unknown"}
    assert [span["officers"] for span in view["overlaps"]] == [["chief", "desk"]]
    assert [gap["to"] is None for gap in view["gaps"]] == [False, True]
    before = roster_view(world().centres["ash"], Roster((Shift(BEGIN + 90 * HOUR, BEGIN + 91 * HOUR, "duty"),)))
    assert before["next-gap"]["from"] is None


def test_the_requests_of_the_desk_say_what_is_missing() -> None:
    centre, keeper = world().centres["ash"], Keeper(ROSTER)
    requests: list[dict[str, Any]] = [{"command": "handover", "from": "duty"}, {"command": "roster-set"}]
    for request in requests:
        with pytest.raises(Refusal) as caught:
            stand(centre, keeper, request)
        assert caught.value.code == "usage"
    assert stand(centre, keeper, {"command": "handover", "from": "duty", "to": "chief"})["taker"] == "chief"
    assert stand(centre, keeper, {"command": "roster-set", "roster": "t"})["handovers"][0]["giver"] == "duty"
    assert keeper.text == "t"
