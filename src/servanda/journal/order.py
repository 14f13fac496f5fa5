# SPDX-License-Identifier: Apache-2.0
"""In which order entries of several journals are told, and on which day each was made: the same for every reader."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from servanda.agreement.dates import NoSuchDateError, parse_span
from servanda.journal.state import Entry, RecordState
from servanda.journal.threads import within


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Entries, each after those in its past; where that leaves a choice, by release and place."""
    chains: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=_number, reverse=True):
        chains.setdefault(entry.place.party, []).append(entry)
    found: list[Entry] = []
    # An entry comes after the earlier ones of its journal: only the first that is left of each can be the next.
    while heads := [chain[-1] for chain in chains.values() if chain]:
        free = (head for head in heads if not any(within(head.past, other.place) for other in heads))
        chosen = min(free, key=_key)
        chains[chosen.place.party].pop()
        found.append(chosen)
    return found


def _number(entry: Entry) -> int:
    return entry.place.number


def _key(entry: Entry) -> tuple[str, str, int]:
    assert entry.frame is not None
    return (entry.frame.released_at, *entry.place)


def day_of(record: RecordState, entry: Entry) -> date | None:
    """The day of an entry by the time basis of its pack (spec/discrepancies.md, State at a date T).

    Returns:
        For basis `event` the last day that the author attests, None if it is not known or does not exist; for basis
        `receipt` that of the earliest receipt which the record cites, else that of the release.
    """
    frame = entry.frame
    assert frame is not None
    pack = record.packs[frame.pack or record.agreement]
    if pack.data["time"]["basis"] == "event":
        try:
            return parse_span(frame.event_at).last
        except NoSuchDateError:
            return None
    seconds = record.attestations.earliest(entry.place)
    return (
        date.fromisoformat(frame.released_at[:10]) if seconds is None else datetime.fromtimestamp(seconds, UTC).date()
    )
