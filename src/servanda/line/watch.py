# SPDX-License-Identifier: Apache-2.0
"""The watch list: what a counterpart's centre has not receipted, since when and why, and what its journal waits for.

Non-receipt cannot be proved; what is shown is only what this centre can prove of the other one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from servanda.agreement.dates import instant_seconds
from servanda.journal.state import JournalState, RecordState

UNDER_WAY = "under way"
OFF_DUTY = "the centre is off duty: nothing is delivered"


class LineNews(NamedTuple):
    """What delivery says of one line."""

    route: str | None
    """The route in use, or None while none works."""
    trouble: str
    """What is wrong, route by route; empty if nothing is."""


class Outlook(NamedTuple):
    """What the watch goes by beside the record."""

    now: int | None = None
    """Seconds since 1970 by the centre's clock; None if nobody asks for ages."""
    alarm_seconds: int = 600
    """How old an undelivered entry may become before it is an alarm."""
    news: Mapping[str, LineNews] = {}
    """Counterpart to what delivery says of its line; a counterpart is missing where nothing delivers to it."""


class Watched(NamedTuple):
    """One counterpart, as far as the record, the receipts and delivery tell."""

    party: str
    receipted: int
    """Up to which entry of ours its centre has receipted; 0 for none."""
    undelivered: int
    """How many entries of ours it has not receipted."""
    since: str | None
    """When the oldest of them was released, RFC 3339, or None."""
    held: int
    """How many entries of its journal we hold."""
    waiting: str
    """Why its next entry cannot be judged yet; empty if nothing waits."""
    route: str | None = None
    """The route in use to its centre; None if none works."""
    reason: str = ""
    """Why entries are undelivered; empty if none is."""
    alarm: bool = False
    """Whether the oldest has been undelivered for longer than the agreement allows."""


class Undelivered(NamedTuple):
    """One entry of ours that one counterpart has not receipted."""

    party: str
    entry: str
    precedence: str | None
    status: str | None
    format: str | None
    released: str | None
    """RFC 3339."""
    age: int | None
    """Seconds since then, by this centre's clock."""
    route: str | None
    reason: str
    alarm: bool


NO_OUTLOOK = Outlook()


def watch_list(
    record: RecordState, party: str, receipted: Mapping[str, int], outlook: Outlook = NO_OUTLOOK
) -> list[Watched]:
    """The watch list of `party`'s centre, sorted by counterpart.

    Args:
        record: what is held.
        party: whose centre looks.
        receipted: counterpart to the size of our journal that it has receipted.
        outlook: the time, and what delivery says.
    """
    own = record.journals[party]
    found = []
    for other, state in sorted(record.journals.items()):
        if other == party:
            continue
        size = receipted.get(other, 0)
        since = _released(own, size + 1)
        count = own.size - size
        route, reason = _line(outlook, other)
        late = _late(_age(outlook, since), outlook)
        found.append(
            Watched(other, size, count, since, state.size, state.waiting, route, reason if count else "", late)
        )
    return found


def undelivered_entries(
    record: RecordState, party: str, receipted: Mapping[str, int], outlook: Outlook
) -> Iterator[Undelivered]:
    """Every entry of `party` that a counterpart has not receipted; by counterpart and number. Arguments as above."""
    own = record.journals[party]
    for other in sorted(record.journals):
        if other == party:
            continue
        route, reason = _line(outlook, other)
        for number in range(receipted.get(other, 0) + 1, own.size + 1):
            entry = own.entries[number - 1] if number <= len(own.entries) else None
            frame = entry.frame if entry else None
            age = _age(outlook, frame.released_at if frame else None)
            yield Undelivered(
                party=other,
                entry=f"{party}/{number}",
                precedence=frame.precedence if frame else None,
                status=frame.status if frame else None,
                format=frame.format if frame else None,
                released=frame.released_at if frame else None,
                age=age,
                route=route,
                reason=reason,
                alarm=_late(age, outlook),
            )


def _line(outlook: Outlook, other: str) -> LineNews:
    news = outlook.news.get(other, LineNews(None, OFF_DUTY))
    return news if news.trouble else LineNews(news.route, UNDER_WAY)


def _released(own: JournalState, number: int) -> str | None:
    entry = own.entries[number - 1] if number <= len(own.entries) else None
    return entry.frame.released_at if entry and entry.frame else None


def _age(outlook: Outlook, released: str | None) -> int | None:
    if outlook.now is None or released is None:
        return None
    return max(0, outlook.now - instant_seconds(released))


def _late(age: int | None, outlook: Outlook) -> bool:
    return age is not None and age > outlook.alarm_seconds
