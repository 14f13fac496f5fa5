# SPDX-License-Identifier: Apache-2.0
"""What has run out is said: reminders and escalations that this centre owes by now (spec/alerts.md, What is due).

Everything follows from the record and the time: a centre that was down says at its start what fell due meanwhile, and
what stands in its journal is not said again.
"""

from __future__ import annotations

import logging

from servanda.agreement.dates import instant_seconds
from servanda.journal.state import Entry
from servanda.operations.centre import Centre
from servanda.operations.drafting import Draft, send_alone
from servanda.operations.errors import Refusal
from servanda.registers.alerts.clocks import Action

AT_ONCE = 100
"""How many entries are released at most under one hold of the lock: arrivals must not wait for thousands of them."""

log = logging.getLogger(__name__)


def escalate(centre: Centre, limit: int = AT_ONCE) -> list[Entry]:
    """Release the escalation entries that are due; the caller holds the centre's lock.

    Returns:
        The entries; each that names a contact calls for a page to it. As many as `limit`: then call again.

    Raises:
        StoreFull, Stopped: from the store; what was released before stands.
    """
    if centre.record.in_force(centre.record.whole) is None:
        return []
    now = instant_seconds(centre.clock())
    made: list[Entry] = []
    for action in centre.schedule.due(centre.contacts.identifiers(centre.party), now):
        if len(made) >= limit:
            break
        entry = _release(centre, action)
        if entry is not None:
            made.append(entry)
    return made


def _our_turn(centre: Centre, action: Action) -> bool:
    """Whether our own silence has lasted so long since the question came, if no cited receipt says when it came.

    Until then its clock starts at the release, and what was long under way would be escalated as soon as it is here.
    """
    clock = action.clock
    held_at = centre.store.held_at(*clock.question)
    if clock.party != centre.party or held_at is None:
        return True
    since = instant_seconds(centre.clock()) - max(0, instant_seconds(held_at) - clock.start)
    if action.action == "reminder":
        return since >= clock.due - 60 * (centre.alerts.questions[clock.question].clocking.remind or 0)
    return since > clock.due


def _release(centre: Centre, action: Action) -> Entry | None:
    clock = action.clock
    question = centre.alerts.questions[clock.question].entry
    frame = question.frame
    assert frame is not None
    if centre.exercising and frame.status == "actual":
        return None  # an exercise clock says nothing about an actual deadline
    if not _our_turn(centre, action):
        return None
    other = clock.party if question.place.party == centre.party else question.place.party
    day = frame.exercise_at[:10] if frame.exercise_at else centre.clock()[:10]
    draft = Draft(
        format="escalation",
        subject=f"{action.action.capitalize()}: {clock.name} clock of {question.place} for {clock.party}",
        event_at=day,
        author="centre",
        content={
            "action": action.action,
            "clock": clock.name,
            "contact": action.contact,
            "party": clock.party,
            "step": action.step,
        },
        to=(other,),
        refers_to=(str(question.place),),
        precedence=frame.precedence,
        status=frame.status,
        exercise_at=frame.exercise_at,
    )
    try:
        return send_alone(centre, draft)
    except Refusal as error:
        log.error("%s of %s cannot be said: %s: %s", action.action, question.place, error.code, error)
        return None
