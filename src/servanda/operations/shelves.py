# SPDX-License-Identifier: Apache-2.0
"""The collections that TAXII clients poll: which entries are in them, and since when.

A client asks for what came after the last time that it saw. So the order in which entries came into a collection is
kept in the store, with times that only grow, and no later entry ever gets an earlier one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from servanda.interchange.errors import InterchangeError
from servanda.interchange.stix import Bundle, carried, check_attachment
from servanda.interchange.taxii import COLLECTIONS, Row, Shelf, collection_of
from servanda.journal.frame import Place
from servanda.journal.record import Record
from servanda.operations.centre import Centre

ORDER = "taxii/order"
"""Setting that holds what has come into the collections: party, number and microseconds since 1970, in order."""
SLOT = 1000
"""Microseconds that lie between two entries: more than a bundle has objects."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Shelves:
    """Both collections of a centre, brought up to date whenever somebody asks."""

    def __init__(self, centre: Centre) -> None:
        """Read the order; nothing is on the shelves until `rows` is called."""
        self._centre = centre
        kept = centre.store.setting(ORDER)
        self._order: list[tuple[str, int, int]] = msgspec.json.decode(kept or b"[]", type=list[tuple[str, int, int]])
        self._record: Record | None = None
        self._position = 0
        self._shelves: dict[str, Shelf] = {}

    def rows(self, alias: str) -> Sequence[Row]:
        """The rows of a collection, with everything that the record has judged by now."""
        with self._centre.lock:
            self._catch_up()
            return list(self._shelves[alias].rows)

    def _catch_up(self) -> None:
        record = self._centre.record
        if self._record is not record:  # at first, and after a fork has been proven
            self._record, self._position = record, 0
            self._shelves = {alias: Shelf() for alias in COLLECTIONS}
            for party, number, added in self._order:
                self._put(Place(party, number), added)
        known = {(party, number) for party, number, _ in self._order}
        found: dict[Place, Bundle] = {}
        while self._position < len(record.log):
            entry = record.log[self._position]
            self._position += 1
            bundle = self._bundle(entry.place) if entry.place not in known else None
            if bundle is not None:
                found[entry.place] = bundle
        if found:
            self._keep(found)

    def _keep(self, found: Mapping[Place, Bundle]) -> None:
        """Give the new entries their times, and keep them before anybody is told of them."""
        moment = datetime.fromisoformat(self._centre.clock().replace("Z", "+00:00"))
        added = max((moment - _EPOCH) // timedelta(microseconds=1), self._order[-1][2] + SLOT if self._order else 0)
        order = [*self._order, *((*place, added + SLOT * index) for index, place in enumerate(found))]
        with self._centre.store.transaction() as writer:
            writer.put_setting(ORDER, msgspec.json.encode(order))
        for party, number, at in order[len(self._order) :]:
            self._put(Place(party, number), at)
        self._order = order

    def _put(self, place: Place, added: int) -> None:
        bundle, entry = self._bundle(place), self._centre.record.entry(place)
        if bundle is not None and entry is not None and entry.frame is not None:
            status = entry.frame.status
            self._shelves[collection_of(status)].add(bundle, self._centre.record.agreement, status, added)

    def _bundle(self, place: Place) -> Bundle | None:
        """The bundle of an admissible entry; one that cannot be taken is shown there, and is in no collection."""
        entry = self._centre.record.entry(place)
        if entry is None or not entry.admissible or entry.frame is None:
            return None
        try:
            return check_attachment(carried(entry.frame.format, entry.frame.content))
        except InterchangeError:
            return None
