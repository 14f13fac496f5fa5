# SPDX-License-Identifier: Apache-2.0
"""Who has done its part of a draw by when, and what follows from a refusal (spec/inspections.md, The draw at time T).

The time comes in. What a party that has failed says later undoes nothing; a receipt that comes on record, and shows
that it was given late what it waited for, gives it its time.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from servanda.agreement.dates import SECONDS_MAX, instant_seconds
from servanda.journal.record import Record
from servanda.journal.state import Entry
from servanda.registers.inspections.inspection import INSPECTED, INSPECTOR, Plan, frame_of, time_of

FAILED = frozenset({"late", "refused", "early-reveal", "bad-secret"})
"""States of a party that let its side down."""


class Part(NamedTuple):
    """What one party has done in a draw. Times in seconds since 1970."""

    party: str
    side: str
    state: str
    """`waiting`, `done`, `late`, `refused`, `early-reveal`, `bad-secret`, or `released`."""
    commitment: Entry | None
    commit_due: int
    reveal: Entry | None
    reveal_due: int
    provided: int | None
    """When what it last waited for was provided to it, by its receipt on record; None if that is not proved."""


class Standing(NamedTuple):
    """A draw at a time."""

    state: str
    """`all`, `committing`, `revealing`, `drawn` or `failed`."""
    denied: bool
    """The inspected side has failed."""
    forfeit: bool
    """The inspector's side has failed."""
    parts: list[Part]


class Due(NamedTuple):
    """A day by which something is due, and what became of it."""

    on: date
    state: str
    """`waiting`, `met`, `late` or `overdue`."""
    entry: Entry | None


def provided(record: Record, entry: Entry, party: str) -> int | None:
    """When an entry was provided to a party, by the earliest receipt on record; None without one, and in exercises."""
    frame = frame_of(entry)
    if frame.status == "exercise" or party == entry.place.party:
        return None
    received = record.attestations.bounded_by(entry.place, party)
    return None if received is None else max(received, instant_seconds(frame.released_at))


def standing(record: Record, plan: Plan, now: int) -> Standing:
    """What a draw has come to."""
    if plan.terms is None:
        return Standing("all", False, False, [])
    dues = {party: _commit_due(record, plan, party) for party in plan.parties}
    in_time = {
        party for party, entry in plan.commitments.items() if time_of(entry) <= dues[party] and party in plan.parties
    }
    parts = [_part(record, plan, party, now, dues, in_time) for party in plan.parties]
    failed = {part.side for part in parts if part.state in FAILED}
    if failed:
        state = "failed"
    elif in_time != set(plan.parties):
        state = "committing"
    else:
        state = "drawn" if plan.sample() else "revealing"
    return Standing(state, INSPECTED in failed, INSPECTOR in failed, parts)


def _minutes(plan: Plan) -> int:
    return 60 * int(plan.mandate.content["limits"]["draw-minutes"])


def _commit_due(record: Record, plan: Plan, party: str) -> int:
    had = provided(record, plan.entry, party)
    return max(instant_seconds(plan.content["commit-by"]), 0 if had is None else had + _minutes(plan))


def _part(record: Record, plan: Plan, party: str, now: int, dues: dict[str, int], in_time: set[str]) -> Part:
    side = plan.mandate.sides[party]
    commitment = plan.commitments.get(party)
    reveal = plan.reveals[party][0] if party in plan.reveals else None
    others = [provided(record, entry, party) for other, entry in plan.commitments.items() if other != party]
    had = [at for at in others if at is not None]
    by = max([instant_seconds(plan.content["reveal-by"]), *(at + _minutes(plan) for at in had)])

    def part(state: str) -> Part:
        waited_for = max(had, default=None) if commitment else provided(record, plan.entry, party)
        return Part(party, side, state, commitment, dues[party], reveal, by, waited_for)

    if party in plan.spent:
        return part(plan.spent[party][1])
    if commitment is None:
        return part("refused" if now > dues[party] else "waiting")
    if party not in in_time:
        return part("late")
    if reveal is not None:
        return part("done" if time_of(reveal) <= by else "late")
    absent = [other for other in plan.parties if other not in in_time]
    if absent:
        gone = any(other in plan.commitments or now > dues[other] for other in absent)
        return part("released" if gone else "waiting")
    if set(plan.spent):
        return part("released")
    return part("refused" if now > by else "waiting")


def day_of(seconds: int) -> date:
    """The day of an instant, UTC."""
    return datetime.fromtimestamp(min(seconds, SECONDS_MAX), UTC).date()


def later(day: date, days: int) -> date:
    """So many calendar days later, at most the last day that a date can say."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max


def report_due(plan: Plan, now: int) -> Due:
    """The report: `report-days` after the inspection ends."""
    on = later(date.fromisoformat(plan.content["ends"]), plan.mandate.content["limits"]["report-days"])
    return _due(on, plan.report, now)


def comments_due(record: Record, plan: Plan, now: int) -> Due | None:
    """The comments of the inspected party: `comment-days` after it was provided with the report; None before that."""
    if plan.report is None:
        return None
    had = provided(record, plan.report, plan.mandate.content[INSPECTED])
    begun = day_of(time_of(plan.report) if had is None else had)
    on = later(begun, plan.mandate.content["limits"]["comment-days"])
    return _due(on, plan.comments[0] if plan.comments else None, now)


def _due(on: date, entry: Entry | None, now: int) -> Due:
    if entry is not None:
        return Due(on, "met" if day_of(time_of(entry)) <= on else "late", entry)
    return Due(on, "overdue" if day_of(now) > on else "waiting", None)
