# SPDX-License-Identifier: Apache-2.0
"""Date expressions as claimed (spec/entry.md): what days they stand for, and whether those days exist.

A date is kept as stated. Nothing here corrects one: a date that does not exist, or whose weekday contradicts it,
is reported.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

_ATOM = r"\d{4}(?:-\d{2}(?:-\d{2}(?:T\d{2}:\d{2}:\d{2}Z)?)?)?"
# ASCII: `int` and `\d` take the digits of every script, the specification means 0 to 9.
_EXPRESSION = re.compile(rf"(?:{_ATOM})|(?:(?:{_ATOM}|\.\.)/(?:{_ATOM}|\.\.))", re.ASCII)
_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d{3})?Z", re.ASCII)
SECONDS_MAX = 253_402_300_799
"""31 December 9999, the last instant that the frame can say."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class DateSpan(NamedTuple):
    """The days that a date expression stands for, both included; None where the expression says unknown."""

    first: date | None
    last: date | None


class DateExpressionError(ValueError):
    """The text is not a date expression at all."""


class NoSuchDateError(ValueError):
    """The text is a date expression, but a day in it does not exist."""


@lru_cache(maxsize=4096)
def parse_span(expression: str) -> DateSpan:
    """The days that `expression` stands for.

    Raises:
        DateExpressionError: it is not of the form in spec/entry.md.
        NoSuchDateError: it is, but names a day that does not exist, or ends before it begins.
    """
    if not _EXPRESSION.fullmatch(expression):
        raise DateExpressionError(f"{expression!r} is not a date expression (YYYY, YYYY-MM, YYYY-MM-DD, or a/b)")
    begin, _, end = expression.partition("/")
    first = _bounds(begin)[0]
    last = _bounds(end or begin)[1]
    if first is not None and last is not None and last < first:
        raise NoSuchDateError(f"{expression!r} ends before it begins")
    return DateSpan(first, last)


def _bounds(atom: str) -> tuple[date | None, date | None]:
    if atom == "..":
        return None, None
    try:
        if len(atom) == 4:
            return date(int(atom), 1, 1), date(int(atom), 12, 31)
        year, month = int(atom[:4]), int(atom[5:7])
        if len(atom) == 7:
            return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
        if len(atom) > 10:
            check_instant(atom)
        day = date(year, month, int(atom[8:10]))
    except (ValueError, calendar.IllegalMonthError) as error:
        raise NoSuchDateError(f"{atom!r} does not exist") from error
    return day, day


def check_instant(text: str) -> str:
    """Return `text` if it is an instant `YYYY-MM-DDTHH:MM:SS[.mmm]Z` that exists.

    Raises:
        DateExpressionError: it is not.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise DateExpressionError(f"{text!r} is not an instant in UTC (YYYY-MM-DDTHH:MM:SSZ)")
    if not _exists(match[1]):
        raise DateExpressionError(f"{text!r} does not exist")
    if int(match[2]) > 23 or int(match[3]) > 59 or int(match[4]) > 59:
        raise DateExpressionError(f"{text!r} does not exist")
    return text


@lru_cache(maxsize=4096)
def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def instant_seconds(instant: str) -> int:
    """Whole seconds since 1970 of an instant in UTC, `YYYY-MM-DDTHH:MM:SS[.mmm]Z`."""
    return int(datetime.fromisoformat(instant.replace("Z", "+00:00")).timestamp())


def instant_text(seconds: int) -> str:
    """The instant so many whole seconds after 1970, `YYYY-MM-DDTHH:MM:SSZ`; the last one there is if it is later."""
    return datetime.fromtimestamp(min(max(seconds, 0), SECONDS_MAX), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def flags_of(expression: str, weekday: str | None) -> tuple[str, ...]:
    """What a reader must be told about a claimed date: `date-does-not-exist`, `weekday-contradicts`."""
    try:
        span = parse_span(expression)
    except NoSuchDateError:
        return ("date-does-not-exist",)
    if weekday is None or span.first is None or span.last is None or (span.last - span.first).days >= 6:
        return ()
    days = {WEEKDAYS[(span.first + timedelta(n)).weekday()] for n in range((span.last - span.first).days + 1)}
    return () if weekday in days else ("weekday-contradicts",)


def day_in_zone(seconds: int, zone: str) -> date:
    """The calendar day at an instant (seconds since 1970) in an IANA time zone: by it an agreement begins and ends."""
    return datetime.fromtimestamp(seconds, ZoneInfo(zone)).date()


def stated_flags(understood: str, stated: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What a reader must be told about a date that is given as understood and as stated (spec/dialogue.md, Stated)."""
    expressions = [understood, *([stated["date"]] if stated and "date" in stated else [])]
    spans: list[DateSpan | None] = []
    for expression in expressions:
        try:
            spans.append(parse_span(expression))
        except NoSuchDateError:
            spans.append(None)
    found = ["date-does-not-exist"] if None in spans else []
    literal = expressions[-1]
    if stated and "weekday-contradicts" in flags_of(literal, stated.get("weekday")):
        found.append("weekday-contradicts")
    if len(spans) == 2 and spans[0] is not None and spans[1] is not None and not _meet(spans[0], spans[1]):
        found.append("stated-otherwise")
    return tuple(found)


def _meet(one: DateSpan, other: DateSpan) -> bool:
    """Whether two spans have a day in common; unknown ends reach as far as they may."""
    first = max(one.first or date.min, other.first or date.min)
    return first <= min(one.last or date.max, other.last or date.max)
