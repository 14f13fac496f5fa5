# SPDX-License-Identifier: Apache-2.0
"""Which clock runs, which has run out, and what is due now (spec/alerts.md, Clocks, What is due). The time comes in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from servanda.agreement.dates import instant_seconds
from servanda.journal.frame import Place
from servanda.journal.record import Record
from servanda.journal.state import Entry
from servanda.registers.alerts.cases import Case, Question
from servanda.registers.alerts.fold import AlertsRegister


class Clock(NamedTuple):
    """One clock of one question for one addressee. All times in seconds since 1970."""

    name: str
    """`acknowledge`, `answer` or `meeting`."""
    question: Place
    party: str
    """Whose silence it measures."""
    start: int
    due: int
    stopped: int | None
    closed: bool
    """Whether the closure of the case stopped it."""

    def state(self, now: int) -> str:
        """`running`, `overdue`, `met`, `late`, or `stopped` by the closure before it was due."""
        if self.stopped is None or self.stopped > now:
            return "running" if now <= self.due else "overdue"
        if self.closed and self.stopped <= self.due:
            return "stopped"
        return "met" if self.stopped <= self.due else "late"


class Action(NamedTuple):
    """An escalation entry that a centre owes now."""

    clock: Clock
    action: str
    """`reminder` or `escalation`."""
    step: int
    contact: str | None


def released(entry: Entry) -> int:
    """When the entry was released by its author's clock, seconds since 1970."""
    assert entry.frame is not None
    return instant_seconds(entry.frame.released_at)


def provision(record: Record, entry: Entry, party: str) -> int:
    """When the entry was provided to a party: the earliest receipt that the record cites, else its release.

    A party may date its receipts as it likes. But none counts as made before the release of what it is for, or after
    that of the entry which cites it: so a date in the future does not put off the clock of who gave it.
    """
    received = record.attestations.bounded_by(entry.place, party)
    return released(entry) if received is None else max(received, released(entry))


def acknowledgement(question: Question, party: str, dispositions: Sequence[str]) -> Entry | None:
    """The party's first acknowledgement with one of these dispositions."""
    for entry in question.acknowledgements.get(party, ()):
        if entry.frame is not None and entry.frame.content["disposition"] in dispositions:
            return entry
    return None


def assessment(question: Question, answer: Entry) -> tuple[Entry, str, str] | None:
    """The latest assessment of an answer."""
    found = question.assessments.get(answer.place)
    return found[-1] if found else None


def clocks_of(register: AlertsRegister, question: Question) -> Iterator[Clock]:
    """Every clock of a question, by party."""
    assert question.entry.frame is not None
    case = register.cases[question.case]
    for party in sorted(question.entry.frame.to):
        start = provision(register.record, question.entry, party)
        failed = _failed(question, party)
        yield _acknowledge(case, question, party, start)
        first = _first_answer(case, question, party, start)
        if first is not None:
            yield _answer_anew(register.record, case, question, party, failed) or first
        meeting = _meeting(case, question, party, first, failed)
        if meeting is not None:
            yield meeting


class _Failed(NamedTuple):
    """An answer whose latest assessment is not `sufficient`."""

    nth: int
    """Which of the party's answers it is."""
    told: Entry
    """The assessment."""


def _failed(question: Question, party: str) -> list[_Failed]:
    found = []
    for index, answer in enumerate(question.answers.get(party, ())):
        told = assessment(question, answer)
        if told is not None and told[1] != "sufficient":
            found.append(_Failed(index, told[0]))
    return found


def _clock(case: Case, name: str, question: Question, party: str, times: tuple[int, int], ends: list[Entry]) -> Clock:
    """A clock that the first of `ends` stops, or the closure of the case."""
    start, due = times
    stop = min((released(entry) for entry in ends), default=None)
    closure = min((released(entry) for entry in case.closures), default=None)
    closed = closure is not None and (stop is None or closure < stop)
    return Clock(name, question.place, party, start, due, closure if closed else stop, closed)


def _acknowledge(case: Case, question: Question, party: str, start: int) -> Clock:
    read = acknowledgement(question, party, ("accepted", "rejected"))
    ends = [entry for entry in (read, *question.answers.get(party, ())[:1]) if entry is not None]
    times = (start, start + 60 * question.clocking.acknowledge)
    return _clock(case, "acknowledge", question, party, times, ends)


def _first_answer(case: Case, question: Question, party: str, start: int) -> Clock | None:
    minutes, due = question.clocking.answer, question.answer_by
    if due is None:
        if minutes is None:
            return None
        due = start + 60 * minutes
    return _until_answered(case, question, party, (start, due), 0)


def _answer_anew(record: Record, case: Case, question: Question, party: str, failed: Sequence[_Failed]) -> Clock | None:
    """The answer clock that the last failed assessment has started.

    An answer after the one that failed stops it, even if the assessment was not yet provided: it answers both.
    """
    minutes = question.clocking.answer
    if minutes is None or not failed:
        return None
    start = provision(record, failed[-1].told, party)
    return _until_answered(case, question, party, (start, start + 60 * minutes), failed[-1].nth + 1)


def _until_answered(case: Case, question: Question, party: str, times: tuple[int, int], index: int) -> Clock:
    """An answer clock that the party's answer number `index`, counted from 0, or its rejection stops."""
    rejected = acknowledgement(question, party, ("rejected",))
    answer = question.answers.get(party, [])[index : index + 1]
    ends = answer if rejected is None else [*answer, rejected]
    return _clock(case, "answer", question, party, times, ends)


def _meeting(
    case: Case, question: Question, party: str, first: Clock | None, failed: Sequence[_Failed]
) -> Clock | None:
    minutes = question.clocking.meeting
    if minutes is None:
        return None
    starts = [released(one.told) for one in failed]
    if first is not None and (first.stopped is None or first.stopped > first.due):
        starts.append(first.due)
    if not starts:
        return None
    start = min(starts)
    ends = [entry for entry in case.meetings if released(entry) >= start]
    return _clock(case, "meeting", question, party, (start, start + 60 * minutes), ends)


class Opening(NamedTuple):
    """A span of time in which an action is owed, unless it has been made."""

    action: Action
    since: int
    until: int | None
    """Included; None if it stays owed until it is made."""

    def owed(self, now: int) -> bool:
        """Whether the action is owed at `now`."""
        return self.since <= now and (self.until is None or now <= self.until)


def due_actions(register: AlertsRegister, party: str, contacts: Sequence[str], now: int) -> list[Action]:
    """The escalation entries that `party`'s centre owes at `now` and has not made. Looks at every question.

    Args:
        register: caught up.
        party: whose centre asks.
        contacts: ids of the party's own contacts, in the order in which they are called.
        now: seconds since 1970, by that centre's clock.
    """
    return [
        opening.action
        for question in register.questions.values()
        for opening in openings_of(register, question, party, contacts)
        if opening.owed(now)
    ]


def openings_of(register: AlertsRegister, question: Question, party: str, contacts: Sequence[str]) -> Iterator[Opening]:
    """When `party`'s centre will owe which escalation entries about a question, as far as the record tells now."""
    assert question.entry.frame is not None
    if party != question.place.party and party not in question.entry.frame.to:
        return
    for clock in clocks_of(register, question):
        if party in (question.place.party, clock.party):
            yield from _openings(question, clock, party, contacts)


def _openings(question: Question, clock: Clock, party: str, contacts: Sequence[str]) -> Iterator[Opening]:
    done = {
        entry.frame.content["step"]
        for entry in question.escalations
        if entry.place.party == party and entry.frame is not None
        if (entry.frame.content["clock"], entry.frame.content["party"]) == (clock.name, clock.party)
        if released(entry) >= clock.start
    }
    clocking = question.clocking
    last = None if clock.stopped is None else clock.stopped - 1
    if clocking.remind is not None and 0 not in done:
        action = Action(clock, "reminder", 0, contacts[0] if contacts else None)
        since = max(clock.start, clock.due - 60 * clocking.remind)
        yield Opening(action, since, clock.due if last is None else min(clock.due, last))
    for step in range(1, max(1, len(contacts)) + 1):
        if step not in done:
            action = Action(clock, "escalation", step, contacts[step - 1] if contacts else None)
            since = max(clock.start, clock.due + 1, clock.due + 60 * clocking.escalate * (step - 1))
            yield Opening(action, since, last)
