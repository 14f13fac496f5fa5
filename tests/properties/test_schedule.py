# SPDX-License-Identifier: Apache-2.0
"""Whatever is said, in whatever order it arrives, whenever it is asked: the schedule answers what looking at every
question answers.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from servanda.agreement.dates import instant_seconds
from servanda.journal.frame import Place
from servanda.operations.centre import Centre
from servanda.operations.citing import cite_provision
from servanda.operations.errors import Refusal
from servanda.operations.escalating import escalate
from servanda.registers.alerts.clocks import due_actions
from servanda.registers.alerts.schedule import Schedule
from tests.rig.packs import channel
from tests.rig.world import START, World

PARTIES = ("ash", "birch")
MINUTE = 60


@cache
def _founded() -> World:
    return World(channel(PARTIES))


TIMED = ("cite", "escalate", "wait", "wait")
KINDS = ("warn", "ask", "tell", "tell", "assess", "assess", "acknowledge", "acknowledge", "meet", "close", *TIMED)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.integers(0, 5),
        st.integers(0, 5),
        st.booleans(),
    ),
    min_size=6,
    max_size=20,
)


def targets(centre: Centre, step: str) -> list[Place]:
    """What a step of this centre could refer to, most of it fitting."""
    register, me = centre.alerts, centre.party
    asked = [p for p, q in register.questions.items() if q.entry.frame is not None and me in q.entry.frame.to]
    answers = [p for p, question in register.answer_to.items() if question.party == me]
    cases = [p for p, case in register.cases.items() if me in case.sides]
    return {"tell": asked, "acknowledge": asked, "assess": answers}.get(step, cases) or [Place("ash", 1)]


def act(w: World, step: str, one: int, two: int) -> None:
    party, other = PARTIES[one % 2], PARTIES[1 - one % 2]
    centre, content = w.centres[party], {"class": "urgent", "text": "t"}
    found = targets(centre, step)
    about: dict[str, Any] = {"refers_to": [found[two % len(found)]], "to": [other]}
    match step:
        case "warn":
            w.alone(party, "warn", content, to=[other], precedence="flash")
        case "ask":
            by = START + timedelta(seconds=w.clock.seconds + MINUTE * (two * 10 + 1))
            asked = content | {"answer-by": by.strftime("%Y-%m-%dT%H:%M:%SZ")}
            w.say(party, "ask", asked, to=[other], precedence="flash")
        case "tell":
            w.say(party, "tell", {"text": "t"}, **about)
        case "assess":
            w.say(party, "assess", {"assessment": ("insufficient", "sufficient")[two % 2], "reason": "r"}, **about)
        case "acknowledge":
            disposition = ("opened", "accepted", "rejected")[two % 3]
            w.alone(party, "acknowledge", {"disposition": disposition, "reason": ""}, **about)
        case "meet":
            w.say(party, "meet", {"on": "2027-01-01"}, **about)
        case "close":
            w.say(party, "close", {"reason": "r"}, **about)
        case "cite":
            cite_provision(centre)
        case "escalate":
            escalate(centre, limit=1)
        case "wait":
            w.clock.seconds += MINUTE * (1, 3, 6, 20, 61, 130)[one]


def both(centre: Centre, schedule: Schedule, contacts: tuple[str, ...], now: int) -> None:
    plain = due_actions(centre.alerts, centre.party, contacts, now)
    schedule.look_ahead(now % 3)
    assert sorted(schedule.due(contacts, now)) == sorted(plain)
    if schedule.next is not None and schedule.next > now:
        assert plain == []
        assert due_actions(centre.alerts, centre.party, contacts, schedule.next - 1) == []
        assert due_actions(centre.alerts, centre.party, contacts, schedule.next) != []
    elif schedule.next is not None:
        assert plain != []
    else:
        assert due_actions(centre.alerts, centre.party, contacts, now + 10**7) == []


@given(steps=STEPS)
@settings(max_examples=150)
def test_the_schedule_answers_what_looking_at_every_question_answers(steps: list[tuple[str, int, int, bool]]) -> None:
    w = _founded().clone()
    for number, (step, one, two, look) in enumerate(steps):
        try:
            act(w, step, one, two)
        except Refusal:
            w.clock.seconds += 1  # what fits no case is refused, and changes nothing
        if two:
            w.deliver(PARTIES[one % 2], PARTIES[1 - one % 2])
        for centre in w.centres.values():
            if look:  # between two looks more than one thing may have happened
                both(centre, centre.schedule, ("first", "second")[: number // 8], instant_seconds(w.clock()))
    for centre in w.centres.values():
        for minutes in (0, 5, 11, 70, 200, 3):  # the last time lies before the one before: clocks are set back
            both(centre, centre.schedule, ("first",), instant_seconds(w.clock()) + MINUTE * minutes)
