# SPDX-License-Identifier: Apache-2.0
"""A courier within one process: every centre's door is knocked at by a function call."""

from __future__ import annotations

from collections.abc import Mapping

from servanda.operations.centre import Centre
from servanda.operations.door import CentreDoor
from servanda.operations.ports import Push, PushReply
from servanda.operations.receipts import take_receipts


class WalkingCourier:
    """Carries the requests of one party to the doors of others."""

    def __init__(self, sender: str, centres: Mapping[str, Centre]) -> None:
        self._sender = sender
        self._doors = {party: CentreDoor(centre, lambda: None) for party, centre in centres.items()}

    def push(self, party: str, push: Push, by: str | None = None) -> PushReply:
        return self._doors[party].push(self._sender, push)

    def pull(self, party: str, journal: str, first: int, limit: int) -> Push:
        return self._doors[party].pull(self._sender, journal, first, limit)

    def checkpoint(self, party: str, journal: str) -> bytes:
        return self._doors[party].checkpoint(self._sender, journal)

    def consistency(self, party: str, journal: str, first: int, second: int) -> list[bytes]:
        return self._doors[party].consistency(self._sender, journal, first, second)

    def receipt(self, party: str, journal: str, note: bytes, by: str | None = None) -> bytes:
        return self._doors[party].receipt(self._sender, journal, note)


def exchange_quantum(centres: Mapping[str, Centre]) -> None:
    """Every centre has its journal countersigned by all others with ML-DSA-44, as a quiet line does."""
    for party, centre in centres.items():
        courier = WalkingCourier(party, centres)
        size = centre.journal.size
        for other in centres:
            if other != party:
                lines = courier.receipt(other, party, centre.note_at(size, quantum=True))
                take_receipts(centre, party, other, size, lines)
