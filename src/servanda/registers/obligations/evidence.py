# SPDX-License-Identifier: Apache-2.0
"""What the record shows of performance: which entry says what of which obligation, and when (spec/obligations.md)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from servanda.agreement.dates import NoSuchDateError, parse_span
from servanda.journal.frame import Frame, Place
from servanda.journal.record import Record
from servanda.journal.state import Entry


class Evidence(NamedTuple):
    """One statement of performance. Days are None where the date expression says unknown."""

    entry: Place
    obligation: str
    first: date | None
    last: date | None
    stated: str
    """`event-at` as the author states it, or the last day if the basis is receipt."""
    done: int
    of: int
    refers_to: tuple[Place, ...]

    @property
    def order(self) -> tuple[date, date, Place]:
        """Last day, first day, place; an unknown day counts as latest."""
        return self.last or date.max, self.first or date.max, self.entry

    def complete(self, part: int, of: int) -> bool:
        """Whether at least `part`/`of` is done."""
        return self.done * of >= part * self.of


def evidence_of(record: Record, entry: Entry, frame: Frame, content: dict[str, Any], *, basis: str) -> list[Evidence]:
    """The evidence in one admissible entry, with `content` as last corrected.

    Args:
        record: gives the receipts cited for basis `receipt`.
        entry: the entry.
        frame: its frame.
        content: its content, or that of its latest correction.
        basis: `event` or `receipt`.
    """
    performs = content.get("performs")
    if not performs:
        return []
    if basis == "event":
        try:
            first, last = parse_span(frame.event_at)
        except NoSuchDateError:
            return []
        stated = frame.event_at
    else:
        first = date.fromisoformat(frame.released_at[:10])
        last = receipted_day(record, entry.place)
        stated = last.isoformat() if last else ""
    return [
        Evidence(
            entry=entry.place,
            obligation=item["obligation"],
            first=first,
            last=last,
            stated=stated,
            done=item.get("done", 1),
            of=item.get("of", 1),
            refers_to=tuple(reference.place for reference in frame.refers_to),
        )
        for item in performs
    ]


def receipted_day(record: Record, place: Place) -> date | None:
    """The day of the earliest cited receipt that covers the entry, or None."""
    seconds = record.attestations.earliest(place)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).date()
