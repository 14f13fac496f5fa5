# SPDX-License-Identifier: Apache-2.0
"""The watch list: what a counterpart's centre has not receipted, since when, and what its journal waits for.

Non-receipt cannot be proved; what is shown is only what this centre can prove of the other one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from servanda.journal.state import RecordState


class Watched(NamedTuple):
    """One counterpart, as far as the record and the receipts tell."""

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


def watch_list(record: RecordState, party: str, receipted: Mapping[str, int]) -> list[Watched]:
    """The watch list of `party`'s centre, sorted by counterpart.

    Args:
        record: what is held.
        party: whose centre looks.
        receipted: counterpart to the size of our journal that it has receipted.
    """
    own = record.journals[party]
    found = []
    for other, state in sorted(record.journals.items()):
        if other == party:
            continue
        size = receipted.get(other, 0)
        oldest = own.entries[size] if size < len(own.entries) else None
        since = oldest.frame.released_at if oldest and oldest.frame else None
        found.append(Watched(other, size, own.size - size, since, state.size, state.waiting))
    return found
