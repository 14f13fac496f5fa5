# SPDX-License-Identifier: Apache-2.0
"""Whom does a party's centre call? The latest list that it has stated (spec/alerts.md, Contacts)."""

from __future__ import annotations

from typing import NamedTuple

from servanda.agreement.dates import instant_seconds
from servanda.journal.frame import Place
from servanda.journal.record import Record
from servanda.journal.state import Entry

DAY_SECONDS = 86_400


class Contact(NamedTuple):
    """One function that is called, not a person."""

    identifier: str
    title: str
    reach: str


class Contacts(NamedTuple):
    """The list of one party, in the order in which it is called."""

    party: str
    entry: Place
    released: int
    """Seconds since 1970."""
    status: str
    contacts: tuple[Contact, ...]

    def age_days(self, now: int) -> int:
        """Whole days since it was stated; 0 if that lies ahead."""
        return max(0, now - self.released) // DAY_SECONDS

    def stale(self, now: int, days: int) -> bool:
        """Whether it was stated more than `days` before `now` (seconds since 1970)."""
        return now - self.released > days * DAY_SECONDS


class ContactsBook:
    """The latest contacts of every party. Call `catch_up` after the record has judged more entries."""

    def __init__(self, record: Record) -> None:
        """Start empty; nothing of the record is read yet."""
        self._record = record
        self._position = 0
        self._latest: dict[str, Contacts] = {}

    def catch_up(self) -> None:
        """Read every entry of the record's log that has not been read yet."""
        for entry in self._record.log[self._position :]:
            if entry.admissible and entry.frame is not None and entry.frame.format == "contacts":
                told, before = _read(entry), self._latest.get(entry.place.party)
                # An exercise must not change who is called when it is not one.
                if before is None or told.status == "actual" or before.status != "actual":
                    self._latest[entry.place.party] = told
        self._position = len(self._record.log)

    def of(self, party: str) -> Contacts | None:
        """The party's latest list, or None if it has stated none."""
        return self._latest.get(party)

    def identifiers(self, party: str) -> tuple[str, ...]:
        """The ids of its list in order; none if it has stated none."""
        found = self._latest.get(party)
        return tuple(contact.identifier for contact in found.contacts) if found else ()


def _read(entry: Entry) -> Contacts:
    frame = entry.frame
    assert frame is not None
    contacts = tuple(Contact(item["id"], item["title"], item["reach"]) for item in frame.content["contacts"])
    return Contacts(entry.place.party, entry.place, instant_seconds(frame.released_at), frame.status, contacts)
