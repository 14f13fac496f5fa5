# SPDX-License-Identifier: Apache-2.0
"""A reader: a record and its registers without store or keys, fed with leaves in whatever order a test likes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache, lru_cache

from servanda.agreement.pack import Pack
from servanda.journal.acceptance import prepare
from servanda.journal.record import Record
from servanda.journal.state import Prepared
from servanda.operations.centre import Centre
from servanda.operations.parallel import signature_holds
from servanda.registers.custody.fold import CustodyRegister
from servanda.registers.custody.views import balances_bytes
from servanda.registers.obligations.fold import ObligationsRegister
from servanda.registers.obligations.views import obligations_bytes

AT = date(2014, 6, 1)
remembered = lru_cache(maxsize=100_000)(signature_holds)


@cache
def prepared(leaf: bytes) -> Prepared:
    """Steps 1 and 2, once for each leaf in a test run."""
    return prepare(leaf)


class Replica:
    """Everything that follows from the leaves given so far."""

    def __init__(self, packs: Sequence[Pack], limits: Mapping[str, int] | None = None) -> None:
        self.record = Record(packs[0], remembered, limits)
        for pack in packs[1:]:
            self.record.add_pack(pack)
        self.custody = CustodyRegister(self.record)
        self.obligations = ObligationsRegister(self.record)

    def feed(self, party: str, leaves: Iterable[bytes]) -> None:
        """Hold more leaves, judge and fold what can be."""
        self.record.add_leaves(party, [prepared(leaf) for leaf in leaves])
        self.record.judge()
        self.custody.catch_up()
        self.obligations.catch_up()

    def documents(self) -> tuple[bytes, bytes]:
        """Balances and obligations, in bytes."""
        return balances_bytes(self.custody), obligations_bytes(self.obligations, AT)

    def verdicts(self) -> dict[str, list[str]]:
        """The code of every judged entry ("" if admissible), by party."""
        return {party: [entry.code or "" for entry in state.entries] for party, state in self.record.journals.items()}


def leaves_of(centre: Centre) -> dict[str, list[bytes]]:
    """Every leaf that a centre holds."""
    return {party: centre.store.leaves(party, 1, size) for party, size in centre.store.journals().items()}


def rebuilt(centre: Centre) -> Replica:
    """A reader of everything that a centre holds, from the beginning."""
    replica = Replica([centre.pack, *(p for d, p in sorted(centre.record.packs.items()) if d != centre.pack.digest)])
    for party, leaves in sorted(leaves_of(centre).items()):
        replica.feed(party, leaves)
    return replica


def in_order(packs: Sequence[Pack], leaves: Mapping[str, Sequence[bytes]], order: Iterable[str]) -> Replica:
    """A reader who is given the next leaf of each party named in `order`, one at a time, and looks after each."""
    replica, given = Replica(packs), dict.fromkeys(leaves, 0)
    for party in order:
        replica.feed(party, leaves[party][given[party] : given[party] + 1])
        given[party] += 1
        replica.documents()
    return replica


def documents(centre: Centre) -> tuple[bytes, bytes]:
    """What a centre itself shows."""
    return balances_bytes(centre.custody), obligations_bytes(centre.obligations, AT)
