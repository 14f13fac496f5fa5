# SPDX-License-Identifier: Apache-2.0
"""Periods as people write them: a year, a month, a span of days."""

from __future__ import annotations

import calendar
import re
from datetime import date

from servanda.operations.errors import Refusal

_PERIOD = re.compile(r"(\d{4})(?:-(\d{2}))?|(\d{4}-\d{2}-\d{2})/(\d{4}-\d{2}-\d{2})", re.ASCII)


def period_of(text: str | None) -> tuple[date, date] | None:
    """`2014`, `2014-04` or `2014-04-01/2014-06-30` as first and last day; None for the whole record.

    Raises:
        Refusal: it is none of these, or ends before it begins (`usage`).
    """
    if not text:
        return None
    match = _PERIOD.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        if match[3]:
            first, last = date.fromisoformat(match[3]), date.fromisoformat(match[4])
        else:
            year, months = int(match[1]), (int(match[2]),) * 2 if match[2] else (1, 12)
            first = date(year, months[0], 1)
            last = date(year, months[1], calendar.monthrange(year, months[1])[1])
        if last < first:
            raise ValueError
    except (ValueError, calendar.IllegalMonthError) as error:
        raise Refusal(f"{text!r} is no period: give 2014, 2014-04, or 2014-04-01/2014-06-30", "usage") from error
    return first, last
