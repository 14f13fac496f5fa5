# SPDX-License-Identifier: Apache-2.0
"""Meetings and deadlines as an iCalendar file (RFC 5545), for the calendar programs of others. All days, no hours."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from icalendar import Calendar
from icalendar import Event as Component

from servanda.interchange.marking import MARKS, MEANINGS, marked

PRODUCT = "-//Servanda//Calendar//EN"
STATES = {"planned": "TENTATIVE", "postponed": "TENTATIVE", "cancelled": "CANCELLED"}
"""State of a contact to that of an event; whatever else there is stands (`CONFIRMED`)."""


class Event(NamedTuple):
    """One line of the calendar. The same thing has the same `name` in every file, so that a program can follow it."""

    name: str
    kind: str
    first: date
    last: date
    summary: str
    note: str
    state: str
    status: str
    """`actual`, `exercise` or `test`."""


def calendar_file(events: Iterable[Event], agreement: str, title: str, at: datetime) -> bytes:
    """The file. The same events, agreement, title and instant give the same bytes.

    Args:
        events: what it contains.
        agreement: digest of the agreement, part of every name.
        title: how a program may call the calendar.
        at: as of when, in UTC.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", title)
    for event in sorted(events, key=lambda event: (event.first, event.name)):
        calendar.add_component(_component(event, agreement, at))
    made: bytes = calendar.to_ical()
    return made


def _component(event: Event, agreement: str, at: datetime) -> Component:
    component = Component()
    component.add("uid", f"{event.name}@{agreement[:32]}.servanda.invalid")
    component.add("dtstamp", at)
    component.add("dtstart", event.first)
    component.add("dtend", event.last + timedelta(days=1))
    component.add("summary", marked(event.summary, event.status))
    component.add("description", " ".join(text for text in (MEANINGS[event.status], event.note) if text))
    component.add("status", STATES.get(event.state, "CONFIRMED"))
    component.add("categories", [word for word in (event.kind.upper(), MARKS[event.status]) if word])
    component.add("transp", "OPAQUE" if event.kind == "meeting" else "TRANSPARENT")
    return component
