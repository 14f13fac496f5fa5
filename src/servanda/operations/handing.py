# SPDX-License-Identifier: Apache-2.0
"""Openings handed to the parties that a draft names: over the direct line, or in their own bundle (spec/line.md)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from servanda.journal.frame import Reference
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal
from servanda.operations.openings import OpeningLine, keep_openings
from servanda.operations.ports import Courier, StoredHanding
from servanda.operations.receipts import receipted_size
from servanda.operations.receiving import BYTES_MAX, LEAVES_MAX
from servanda.proof.sealing import disclosure_digest, parse_disclosure

log = logging.getLogger(__name__)


def take_openings(centre: Centre, openings: Sequence[OpeningLine], peer: str) -> frozenset[str]:
    """Keep openings of the peer's own entries; returns the digests of those that are held now.

    Raises:
        Refusal: one belongs to another party's entry (`wrong-journal`); none is kept then.
    """
    strange = next((opening.entry.place for opening in openings if opening.entry.party != peer), None)
    if strange is not None:
        raise Refusal(f"{peer} does not hand openings of {strange}", "wrong-journal")
    return keep_openings(centre, openings)


def to_hand(centre: Centre, party: str) -> list[StoredHanding]:
    """What a party is to be handed and is not known to hold, of entries that its centre has receipted."""
    size = receipted_size(centre, party)
    return [handing for handing in centre.store.handings(party) if not handing.held_at and handing.number <= size]


def outstanding(centre: Centre, party: str) -> list[dict[str, Any]]:
    """The openings that a party is to be handed and is not known to hold, for the watch: entry and member's name."""
    return [
        {"entry": f"{centre.party}/{handing.number}", "name": parse_disclosure(handing.disclosure).name}
        for handing in centre.store.handings(party)
        if not handing.held_at
    ]


def opening_of(centre: Centre, handing: StoredHanding) -> OpeningLine:
    """The line by which an opening of one of our entries is handed."""
    leaf = centre.journal.tree.node(0, handing.number - 1).hex()
    return OpeningLine(handing.disclosure, Reference(centre.party, handing.number, leaf))


def rightful(centre: Centre, parties: Iterable[str]) -> list[OpeningLine]:
    """The openings of our entries that every one of `parties` may have: a file is open to all its recipients."""
    shared: set[tuple[int, str]] | None = None
    for party in parties:
        right = {(handing.number, handing.disclosure) for handing in centre.store.handings(party)}
        shared = right if shared is None else shared & right
    return [opening_of(centre, StoredHanding(number, "", text, "")) for number, text in sorted(shared or ())]


class Hander:
    """The sending side: hands what is to be handed, again and again until the other centre says that it holds it."""

    def __init__(self, centre: Centre, courier: Courier) -> None:
        """Hand for `centre`, whose lock is taken where it is needed, by `courier`."""
        self._centre = centre
        self._courier = courier
        self._seen: dict[str, tuple[int, int]] = {}

    def hand(self, party: str, *, again: bool = False) -> int:
        """Hand a party what it may have now; returns how many openings it has come to hold.

        Args:
            party: to whom.
            again: also what it did not keep when it was last asked, though nothing has changed since.

        Raises:
            TryLater: the line is down.
        """
        with self._centre.lock:
            seen = (self._centre.journal.size, receipted_size(self._centre, party))
            if self._seen.get(party) == seen and not again:
                return 0
            batch = _batch([(handing, opening_of(self._centre, handing)) for handing in to_hand(self._centre, party)])
        count = 0
        if batch:
            try:
                held = self._courier.openings(party, [line for _, line in batch])
            except Refusal as error:
                log.warning("openings for %s: %s: %s", party, error.code, error)
                held = frozenset()
            count = self._mark([handing for handing, _ in batch if disclosure_digest(handing.disclosure) in held])
        if not count:
            self._seen[party] = seen
        return count

    def _mark(self, held: Sequence[StoredHanding]) -> int:
        if held:
            with self._centre.lock, self._centre.store.transaction() as writer:
                for handing in held:
                    writer.put_handing(handing._replace(held_at=self._centre.clock()))
        return len(held)


def _batch(wanted: Sequence[tuple[StoredHanding, OpeningLine]]) -> list[tuple[StoredHanding, OpeningLine]]:
    """As much as goes into one body."""
    size, batch = 0, []
    for handing, line in wanted[:LEAVES_MAX]:
        length = len(line.encode()) + 1
        if size + length <= BYTES_MAX:
            size += length
            batch.append((handing, line))
    return batch
