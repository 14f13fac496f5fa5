# SPDX-License-Identifier: Apache-2.0
"""Complete counts: a physical inventory, or a restatement of the books, against the book (spec/custody.md, Inventory).

It says that there is nothing else, so what it leaves out is a difference as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from servanda.agreement.pack import Pack
from servanda.journal.frame import Frame
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry
from servanda.registers.custody.book import Book
from servanda.registers.custody.holdings import Count, Discrepancy, Holdings, Inventory
from servanda.registers.custody.lots import Lot, Quantity
from servanda.registers.custody.rules import check_held, checked_group, open_offer

Sums = dict[tuple[str, str, str], "Sum"]
"""By kind, place and unit."""


class Sum:
    """What is added up exactly, and whether something is left that cannot be."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.amount = 0
        self.exact = True

    def add(self, quantity: Quantity, rows: int) -> None:
        """Add so many rows of a quantity."""
        self.amount += rows * (quantity.amount or 0)
        self.exact = self.exact and quantity.amount is not None

    @property
    def value(self) -> int | None:
        """The amount, if all of it is known."""
        return self.amount if self.exact else None


def count(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Postings 11: compare what was counted with what the author holds in its past; no account changes.

    Raises:
        Refused: `kind`, `unit`, `range` or `place`.
    """
    groups, stated = frame.content["groups"], frame.content.get("places")
    quantities = [checked_group(pack, group) for group in groups]
    places = None if stated is None else frozenset(stated)
    for group in groups:
        if group["kind"] is None:
            raise Refused("kind")
        if group["place"] is None or (places is not None and group["place"] not in places):
            raise Refused("place")
    if places is not None and not places <= pack.places:
        raise Refused("place")
    book.from_here_on_write()
    counted: Sums = defaultdict(Sum)
    for group, quantity in zip(groups, quantities, strict=True):
        counted[group["kind"], group["place"], group["unit"]].add(quantity, group["rows"])
    booked: Sums = defaultdict(Sum)
    sealed = False
    for lot in _held(book, entry):
        if places is not None and lot.place is not None and lot.place not in places:
            continue
        if lot.kind is None or lot.place is None:
            sealed = True
        else:
            booked[lot.kind, lot.place, lot.quantity.unit].add(lot.quantity, lot.rows)
    counts = [Count(*key, counted[key].value, booked[key].value) for key in sorted({*counted, *booked})]
    book.holdings.inventories[entry.place] = Inventory(places, counts, sealed)


def _held(book: Book, entry: Entry) -> Iterator[Lot]:
    """Every lot that is in the author's own account in the entry's past; what is on its way elsewhere is not."""
    record, party, past = book.record, entry.place.party, entry.past
    for place in list(book.holdings.offers):
        book.settle(place, past)
    for lot in book.holdings.every():
        try:
            check_held(record, lot, party, past, unlocked=False)
        except Refused:
            continue
        offer = open_offer(record, lot, past)
        if offer is None or book.effect_at(offer) != "custody.offer":
            yield lot


def inventory_discrepancies(holdings: Holdings) -> Iterator[Discrepancy]:
    """What the latest count of each place found that does not fit."""
    covered: dict[str, tuple[set[str], bool]] = {}
    for place, inventory in sorted(holdings.inventories.items(), reverse=True):
        later, all_later = covered.get(place.party, (set(), False))
        for one in inventory.counts:
            if all_later or one.place in later or one.counted == one.book is not None:
                continue
            exact = None not in (one.counted, one.book)
            yield Discrepancy(place, "inventory" if exact else "inventory-open", None, about=(one.kind, one.place))
        if inventory.sealed and place.party not in covered:
            yield Discrepancy(place, "inventory-sealed", None)
        covered[place.party] = (later | (inventory.places or set()), all_later or inventory.places is None)
