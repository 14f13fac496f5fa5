# SPDX-License-Identifier: Apache-2.0
"""What runs out is escalated from the record alone: a restart at any moment loses no clock and says nothing twice."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from servanda.agreement.dates import instant_seconds
from servanda.journal.state import Entry
from servanda.operations.centre import Centre
from servanda.operations.escalating import escalate
from servanda.registers.alerts import schedule
from servanda.registers.alerts.clocks import due_actions
from tests.rig.packs import channel
from tests.rig.world import World

MINUTE = 60
CONTACTS = [{"id": name, "reach": "", "title": name} for name in ("watch", "deputy")]


@cache
def _founded(*parties: str) -> World:
    w = World(channel(parties or ("ash", "birch")))
    for party in w.centres:
        w.say(party, "contacts", {"contacts": CONTACTS})
    w.sync()
    return w


def world(*parties: str) -> World:
    return _founded(*parties).clone()


def warn(w: World, status: str = "actual", **members: Any) -> Entry:
    return w.alone(
        "ash", "warn", {"class": "urgent", "text": "t"}, to=("birch",), precedence="flash", status=status, **members
    )


def said(centre: Centre) -> list[tuple[str, str, int, str | None]]:
    """The escalation entries in the centre's own journal, in order."""
    frames = [entry.frame for entry in centre.journal.entries if entry.frame is not None]
    return [
        (f.content["clock"], f.content["action"], f.content["step"], f.content["contact"])
        for f in frames
        if f.format == "escalation"
    ]


def test_each_side_says_what_runs_out_to_the_other_in_its_own_journal() -> None:
    w = world()
    alert = warn(w, "exercise")
    w.sync()
    w.clock.seconds += 11 * MINUTE
    for party, other in (("ash", "birch"), ("birch", "ash")):
        (entry,) = escalate(w.centres[party])
        frame = entry.frame
        assert frame is not None
        assert (frame.author, frame.to, frame.status) == ("centre", (other,), "exercise")
        assert frame.refers_to[0].place == alert.place
        assert alert.frame is not None
        assert (frame.exercise_at, frame.precedence) == (alert.frame.exercise_at, "flash")
        assert frame.content == {
            "action": "escalation",
            "clock": "acknowledge",
            "contact": "watch",
            "party": "birch",
            "step": 1,
        }
    assert escalate(w.centres["ash"]) == []
    w.sync()
    assert w.centres["birch"].record.entry(w.centres["ash"].journal.entries[-1].place) is not None


def test_what_was_long_under_way_is_not_escalated_as_soon_as_it_is_here() -> None:
    w = world()
    warn(w)
    w.clock.seconds += 45 * MINUTE
    assert [step for clock, _, step, _ in map(_told, escalate(w.centres["ash"])) if clock == "acknowledge"] != []
    w.deliver("ash", "birch")
    assert escalate(w.centres["birch"]) == []
    w.clock.seconds += 6 * MINUTE
    assert escalate(w.centres["birch"]) == []
    w.clock.seconds += 5 * MINUTE
    assert _told(escalate(w.centres["birch"])[0]) == ("acknowledge", "escalation", 1, "watch")


def _told(entry: Entry) -> tuple[str, str, int, str | None]:
    assert entry.frame is not None
    content = entry.frame.content
    return content["clock"], content["action"], content["step"], content["contact"]


TIMES = (4, 6, 9, 11, 14, 20, 56, 61, 64, 121, 177, 190, 200)
"""Minutes after the alert at which a centre looks: between every two moments at which something falls due."""


def run_through(w: World, party: str, *, restart: bool) -> Centre:
    """A centre that looks at TIMES, each time with one entry after the other; it may die after each of them."""
    begun = w.clock.seconds
    centre = w.centres[party]
    for minutes in TIMES:
        w.clock.seconds = begun + minutes * MINUTE
        while True:
            if restart:
                centre = w.centres[party] = w.reopened(party)
            w.clock.seconds = begun + minutes * MINUTE
            if not escalate(centre, limit=1):
                break
    return centre


@pytest.mark.parametrize("party", ["ash", "birch"])
def test_a_centre_that_dies_after_every_entry_says_what_one_that_lives_says(party: str) -> None:
    w = world()
    warn(w)
    w.sync()
    twin = w.clone()
    steady, mortal = run_through(w, party, restart=False), run_through(twin, party, restart=True)
    assert said(steady) == said(mortal)
    assert len(set(said(steady))) == len(said(steady))
    # Of each of the three clocks the reminder and both contacts.
    assert len(said(steady)) == 9


@pytest.mark.parametrize("down", range(len(TIMES)))
def test_a_centre_that_was_down_escalates_at_its_start_what_fell_due_meanwhile(down: int) -> None:
    w = world()
    warn(w)
    w.sync()
    begun = w.clock.seconds
    for minutes in TIMES[:down]:
        w.clock.seconds = begun + minutes * MINUTE
        escalate(w.centres["birch"])
    before = said(w.centres["birch"])
    w.clock.seconds = begun + TIMES[-1] * MINUTE
    centre = w.reopened("birch")
    escalate(centre)
    steps = [item for item in said(centre) if item[1] == "escalation"]
    assert said(centre)[: len(before)] == before
    assert sorted(steps) == sorted(
        (clock, "escalation", step, contact)
        for clock in ("acknowledge", "answer", "meeting")
        for step, contact in ((1, "watch"), (2, "deputy"))
    )
    assert escalate(centre) == []


def test_without_contacts_the_first_step_is_said_and_names_nobody() -> None:
    w = World(channel())
    warn(w)
    w.clock.seconds += 11 * MINUTE
    (entry,) = escalate(w.centres["ash"])
    assert said(w.centres["ash"]) == [("acknowledge", "escalation", 1, None)]
    assert entry.admissible


def test_as_many_as_allowed_at_once_and_the_rest_after() -> None:
    w = world()
    for _ in range(7):
        warn(w)
    w.clock.seconds += 11 * MINUTE
    counts = [len(escalate(w.centres["ash"], limit=3)) for _ in range(4)]
    assert counts == [3, 3, 1, 0]


def test_an_exercise_clock_says_nothing_about_an_actual_deadline() -> None:
    w = world()
    warn(w)
    warn(w, "exercise")
    w.clock.seconds += 11 * MINUTE
    w.centres["ash"].exercising = True
    (entry,) = escalate(w.centres["ash"])
    assert entry.frame is not None
    assert entry.frame.status == "exercise"
    w.centres["ash"].exercising = False
    assert len(escalate(w.centres["ash"])) == 1


def test_before_a_pack_is_in_force_nothing_is_said() -> None:
    w = World(channel(), adopted=False)
    assert escalate(w.centres["ash"]) == []


def test_questions_at_rest_are_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    w = world()
    for _ in range(20):
        warn(w)
    centre, looked = w.centres["ash"], []

    def noting(register: Any, question: Any, *rest: Any) -> Any:
        looked.append(question.place)
        return original(register, question, *rest)

    original = schedule.openings_of
    monkeypatch.setattr(schedule, "openings_of", noting)
    assert escalate(centre) == []
    assert len(looked) == 20
    looked.clear()
    assert escalate(centre) == []
    assert looked == []
    fresh = warn(w)
    assert escalate(centre) == []
    assert looked == [fresh.place]
    w.clock.seconds += 200 * MINUTE
    assert len(due_actions(centre.alerts, "ash", ["watch"], instant_seconds(w.clock()))) > 20
