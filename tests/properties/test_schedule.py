# SPDX-License-Identifier: Apache-2.0
"""Whatever is said, in whatever order it arrives, whenever it is asked: the schedule answers what looking at every
question answers.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from servanda.agreement.dates import instant_seconds
from servanda.operations.centre import Centre
from servanda.operations.citing import cite_provision
from servanda.operations.errors import Refusal
from servanda.operations.escalating import escalate
from servanda.registers.alerts.clocks import due_actions
from servanda.registers.alerts.schedule import Schedule
from tests.rig.packs import channel
from tests.rig.world import START, World

PARTIES = ("ash", "birch", "cedar")
MINUTE = 60


@cache
def _founded() -> World:
    return World(channel(PARTIES))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["warn", "ask", "tell", "assess", "acknowledge", "meet", "close", "deliver", "cite", "escalate", "wait"]
        ),
        st.integers(0, 5),
        st.integers(0, 5),
    ),
    max_size=14,
)


def act(w: World, step: str, one: int, two: int) -> None:
    party, other = PARTIES[one % 3], PARTIES[(one + 1 + two % 2) % 3]
    centre = w.centres[party]
    entries = [entry for case in centre.alerts.cases.values() for entry in case.entries]
    target = [entries[two % len(entries)].place] if entries else ["ash/1"]
    content: dict[str, Any] = {"class": "urgent", "text": "t"}
    match step:
        case "warn":
            w.alone(party, "warn", content, to=[other], precedence="flash")
        case "ask":
            by = instant_seconds(w.clock()) + MINUTE * (two + 1)
            at = (START.fromtimestamp(by, START.tzinfo)).strftime("%Y-%m-%dT%H:%M:%SZ")
            w.say(party, "ask", content | {"answer-by": at}, to=[other], precedence="flash")
        case "tell":
            w.say(party, "tell", {"text": "t"}, refers_to=target, to=[other])
        case "assess":
            told = {"assessment": ("insufficient", "sufficient")[two % 2], "reason": "r"}
            w.say(party, "assess", told, refers_to=target, to=[other])
        case "acknowledge":
            disposition = ("opened", "accepted", "rejected")[two % 3]
            w.alone(party, "acknowledge", {"disposition": disposition, "reason": ""}, refers_to=target, to=[other])
        case "meet":
            w.say(party, "meet", {"on": "2027-01-01"}, refers_to=target, to=[other])
        case "close":
            w.say(party, "close", {"reason": "r"}, refers_to=target, to=[other])
        case "deliver":
            w.deliver(party, other)
        case "cite":
            cite_provision(centre)
        case "escalate":
            escalate(centre, limit=1)
        case "wait":
            w.clock.seconds += MINUTE * (1, 3, 6, 20, 61, 130)[one]


def both(centre: Centre, schedule: Schedule, contacts: tuple[str, ...], now: int) -> None:
    plain = due_actions(centre.alerts, centre.party, contacts, now)
    assert sorted(schedule.due(contacts, now)) == sorted(plain)
    if schedule.next is not None and schedule.next > now:
        assert plain == []
        assert due_actions(centre.alerts, centre.party, contacts, schedule.next - 1) == []
        assert due_actions(centre.alerts, centre.party, contacts, schedule.next) != []
    elif schedule.next is None:
        assert due_actions(centre.alerts, centre.party, contacts, now + 10**7) == []


@given(steps=STEPS)
@settings(max_examples=120)
def test_the_schedule_answers_what_looking_at_every_question_answers(steps: list[tuple[str, int, int]]) -> None:
    w = _founded().clone()
    for number, (step, one, two) in enumerate(steps):
        try:
            act(w, step, one, two)
        except Refusal:
            w.clock.seconds += 1  # what fits no case is refused, and changes nothing
        for centre in w.centres.values():
            # In other rounds only: between two looks more than one thing may have happened.
            if (number + one) % 2:
                both(centre, centre.schedule, ("first", "second")[: number % 3], instant_seconds(w.clock()))
    for centre in w.centres.values():
        for minutes in (0, 5, 11, 70, 200, 3):  # the last time lies before the one before: clocks are set back
            both(centre, centre.schedule, ("first",), instant_seconds(w.clock()) + MINUTE * minutes)
