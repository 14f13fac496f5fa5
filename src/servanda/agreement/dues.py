# SPDX-License-Identifier: Apache-2.0
"""When something is due: the arithmetic of due rules (spec/pack.md), in calendar or working days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

Events = Callable[[str], date | None]
"""Gives the day of an event by its id, or None while it has not occurred."""


def add_days(start: date, days: int, holidays: frozenset[date], *, working: bool) -> date:
    """The day that lies `days` (negative: before) from `start`, counting working days only if `working`.

    Working days are Monday to Friday without the agreement's own list of holidays.
    """
    if not working:
        return start + timedelta(days)
    step = timedelta(1 if days >= 0 else -1)
    day, left = start, abs(days)
    while left:
        day += step
        if day.weekday() < 5 and day not in holidays:
            left -= 1
    return day


def due_date(rule: dict[str, Any], events: Events, holidays: frozenset[date], *, working: bool) -> date | None:
    """The due date of a rule, or None if it has none (yet).

    Rules `triggered` and `continuous` have none of their own; `recurring` gives its first date.
    """
    match rule["rule"]:
        case "fixed" | "share":
            return date.fromisoformat(rule["date"])
        case "recurring":
            return date.fromisoformat(rule["first"])
        case "days-after" | "before" as kind:
            start = events(rule["event"])
            days = rule["days"] if kind == "days-after" else -rule["days"]
            return None if start is None else add_days(start, days, holidays, working=working)
    return None
