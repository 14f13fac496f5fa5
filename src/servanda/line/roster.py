# SPDX-License-Identifier: Apache-2.0
"""Who is on duty, and when is nobody? The roster of the watch: a centre's own, no part of the record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

SHIFTS_MAX = 5_000
DAY_SECONDS = 86_400


class RosterError(ValueError):
    """The data is no roster."""


class Shift(NamedTuple):
    """One officer's turn; seconds since 1970, `until` not included."""

    since: int
    until: int
    officer: str


class Span(NamedTuple):
    """A stretch of time in which nobody, or more than one officer, is on the roster."""

    since: int
    """0: ever before, until the first shift."""
    until: int | None
    """None: until further notice, after the last shift."""
    officers: tuple[str, ...] = ()


class Roster(NamedTuple):
    """Shifts, by beginning."""

    shifts: tuple[Shift, ...]

    def on_duty(self, now: int) -> Shift | None:
        """The shift that runs at `now`, the one that began last if there are several."""
        running = [shift for shift in self.shifts if shift.since <= now < shift.until]
        return running[-1] if running else None

    def next_shift(self, now: int) -> Shift | None:
        """The first shift that begins after `now`."""
        return next((shift for shift in self.shifts if shift.since > now), None)

    def gaps(self) -> list[Span]:
        """Where nobody is on duty between the first shift and ever after; the last one has no end."""
        found, end = [], self.shifts[0].until if self.shifts else None
        for shift in self.shifts[1:]:
            if end is not None and shift.since > end:
                found.append(Span(end, shift.since))
            end = max(end or 0, shift.until)
        return [*found, Span(end, None)] if end is not None else []

    def next_gap(self, now: int) -> Span | None:
        """The gap at `now`, or the next one; None only if there is no roster."""
        if not self.shifts:
            return None
        if now < self.shifts[0].since:
            return Span(0, self.shifts[0].since)
        return next(gap for gap in self.gaps() if gap.until is None or gap.until > now)

    def overlaps(self) -> list[Span]:
        """Where a shift begins before an earlier one has ended."""
        found, longest = [], None
        for shift in self.shifts:
            if longest is not None and shift.since < longest.until:
                found.append(Span(shift.since, min(longest.until, shift.until), (longest.officer, shift.officer)))
            if longest is None or shift.until > longest.until:
                longest = shift
        return found

    def unfit(self, roles: Mapping[str, frozenset[str]]) -> dict[str, str]:
        """Officers on the roster who are unknown to the identity, or have not the role, and which of the two."""
        found = {}
        for name in sorted({shift.officer for shift in self.shifts}):
            if name not in roles:
                found[name] = "unknown"
            elif not roles[name] & {"watch", "release"}:
                found[name] = "without the role watch"
        return found


EMPTY = Roster(())


def roster_of(data: Mapping[str, Any]) -> Roster:
    """The roster that a TOML document is: `[[shifts]]` with `officer`, `from`, `to` (UTC).

    Raises:
        RosterError: it is none.
    """
    if data.keys() != {"shifts"} or not isinstance(data["shifts"], list):
        raise RosterError("a roster has [[shifts]] and nothing else")
    if len(data["shifts"]) > SHIFTS_MAX:
        raise RosterError(f"more than {SHIFTS_MAX} shifts; leave out the past ones")
    return Roster(tuple(sorted(_shift(number, item) for number, item in enumerate(data["shifts"], start=1))))


def _shift(number: int, item: Any) -> Shift:
    if not isinstance(item, dict) or item.keys() != {"officer", "from", "to"}:
        raise RosterError(f"shift {number} has not exactly officer, from and to")
    if not isinstance(item["officer"], str) or not item["officer"]:
        raise RosterError(f"shift {number}: officer is no name")
    since, until = (_seconds(number, name, item[name]) for name in ("from", "to"))
    if until <= since:
        raise RosterError(f"shift {number} of {item['officer']} does not end after it begins")
    return Shift(since, until, item["officer"])


def _seconds(number: int, name: str, value: Any) -> int:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise RosterError(
            f"shift {number}: {name} is no time in UTC, without quotes and with Z, as in 2026-11-27T08:00:00Z"
        )
    if value.utcoffset() != timedelta(0):
        raise RosterError(f"shift {number}: {name} is not in UTC; write it with Z")
    return int(value.astimezone(UTC).timestamp())


def warning(roster: Roster, now: int, ahead: int = DAY_SECONDS) -> Span | None:
    """The gap that is there or begins within `ahead` seconds, if there is a roster at all."""
    gap = roster.next_gap(now)
    return gap if gap is not None and gap.since <= now + ahead else None
