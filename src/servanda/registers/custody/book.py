# SPDX-License-Identifier: Apache-2.0
"""The book: lots and discrepancies as posted so far, and what offers do once they have effect (spec/custody.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from servanda.journal.frame import Place
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry, RecordState
from servanda.journal.threads import Cut, within
from servanda.registers.custody.holdings import Discrepancy, Holdings
from servanda.registers.custody.lots import Holder, Lot, LotName, Pool, Quantity, quantity_of
from servanda.registers.custody.rows import Named, Selection, named, selections
from servanda.registers.custody.rules import check_held, crossed, has_effect


class Checked(Exception):
    """All rules of a posting hold, and only checking was asked for."""


class Book:
    """What the postings read and write."""

    def __init__(self, record: RecordState) -> None:
        """Start empty."""
        self.record = record
        self.holdings = Holdings()
        self.only_checking = False

    def from_here_on_write(self) -> None:
        """Stands in every posting between its rules and its effects: above it, nothing has been posted."""
        if self.only_checking:
            raise Checked

    def bring_up(self, what: Named, cut: Cut) -> None:
        """Post every offer that concerns what is named and has effect, or has lapsed, within `cut`."""
        places: dict[Place, None] = {}
        for name in what.lots:
            accepted = self.record.threads.acceptances.get(name.place)
            lot = self.holdings.find(name)
            places |= dict.fromkeys(
                (name.place, *((accepted.place,) if accepted else ()), *(lot.offers if lot else ()))
            )
        for one in what.selections:
            rows = self.holdings.tables.get(one.table)
            for lot in rows.over(one.ranges) if rows else ():
                places |= dict.fromkeys(lot.offers if lot else ())
        for place in places:
            if place in self.holdings.offers:
                self.settle(place, cut)

    def lots(self, what: Named, cut: Cut) -> Iterator[Lot]:
        """The lots named and selected, with everything posted that has effect within `cut`.

        Of a table these are the lots that have one of the rows, and perhaps more; nothing is split. The lot of the
        n-th name is the n-th.

        Raises:
            Refused: `unknown-lot`, when it comes to one that is not there.
        """
        self.bring_up(what, cut)
        for name in what.lots:
            lot = self.holdings.find(name)
            if lot is None:
                raise Refused("unknown-lot", str(name))
            yield lot
        for one in what.selections:
            rows = self.holdings.tables.get(one.table)
            for lot in rows.over(one.ranges) if rows else (None,):
                if lot is None:
                    raise Refused("unknown-lot", f"not all the rows selected of {one.table.party}/{one.table.number}")
                yield lot

    def held(self, what: Named, entry: Entry, *, unlocked: bool = True) -> list[Lot]:
        """What is named, as `lots` gives it, if the author of `entry` may write all of it in its past.

        Raises:
            Refused: see `rules.check_held`.
        """
        found = []
        for lot in self.lots(what, entry.past):
            check_held(self.record, lot, entry.place.party, entry.past, unlocked=unlocked)
            found.append(lot)
        return found

    def taken(self, what: Named) -> list[Lot]:
        """Exactly what is named, in its order, for writing: rows that are not are split off. All of it is there."""
        found = []
        for name in what.lots:
            rows = self.holdings.tables.get(name.place)
            found += rows.carve([(name.row, name.row)]) if rows else [self.holdings.lots[name]]
        for one in what.selections:
            found += self.holdings.tables[one.table].carve(one.ranges)
        return found

    def amount(self, what: Named) -> int:
        """The sum of what is named, all of it there and stated; nothing is split."""
        total = sum(lot.quantity.amount or 0 for name in what.lots if (lot := self.holdings.find(name)))
        for one in what.selections:
            for first, last in one.ranges:
                for lot in self.holdings.tables[one.table].over([(first, last)]):
                    assert lot is not None
                    rows = min(last + 1, lot.name.row + lot.rows) - max(first, lot.name.row)
                    total += rows * (lot.quantity.amount or 0)
        return total

    def discrepancy(self, entry: Place, code: str, lot: LotName | None, rows: int = 0) -> None:
        """Note a discrepancy. Noting the same one twice is noting it once."""
        self.holdings.discrepancies.add(Discrepancy(entry, code, lot, rows))

    def open(self, name: LotName, row: dict[str, Any], quantity: Quantity, account: str, pool: Pool | None) -> Lot:
        """Open a lot; without a pool given it opens one of its own."""
        lot = Lot(
            name=name,
            kind=row["kind"],
            quantity=quantity,
            place=row["place"],
            account=account,
            pool=pool or Pool(name, quantity.amount),
            holders=(Holder(account.rpartition("/")[2], None),) if account.startswith("held/") else (),
            serial=row.get("serial"),
        )
        self.holdings.lots[name] = lot
        return lot

    def effect_at(self, place: Place) -> str | None:
        """The effect of the entry at `place`; None if it is not admissible or has none."""
        entry = self.record.entry(place)
        return None if entry is None else self.record.effect_of(entry)

    def content_of(self, place: Place) -> dict[str, Any]:
        """The content of the entry at `place`, which has been read."""
        entry = self.record.entry(place)
        assert entry is not None
        assert entry.frame is not None
        return entry.frame.content

    def lots_of(self, place: Place) -> list[Lot]:
        """The lots that the offer at `place` is about."""
        return self.taken(named(self.effect_at(place), self.content_of(place)))

    def pool_of(self, lot: Lot) -> Pool:
        """The pool of one lot; a row of a table comes to have one when something is split off."""
        lot.pool = lot.pool or Pool(lot.name, lot.quantity.amount)
        return lot.pool

    def give_back(self, place: Place) -> None:
        """An offer was refused, or has lapsed: what was on its way is held by its author again."""
        if self.holdings.offers.pop(place) == "custody.offer":
            for lot in self.lots_of(place):
                lot.account = f"held/{place.party}"

    def settle(self, place: Place, cut: Cut) -> None:
        """Postings 5 to 7, last sentences: post an offer if it has effect, or has lapsed, within `cut`."""
        if within(cut, place) and self.record.lapsed(self.record.threads.offers[place], cut):
            self.give_back(place)
            return
        if not within(cut, place) or not has_effect(self.record, place, cut):
            return
        if any(crossed(lot, place, cut) for lot in self.lots_of(place)):
            return
        effect = self.holdings.offers.pop(place)
        content = self.content_of(place)
        if effect == "custody.offer":
            _hand_over(self, place, content)
        elif effect == "custody.destroy":
            for lot in self.lots_of(place):
                lot.account = f"destroyed/{place.party}"
            for row, residue in enumerate(content["residue"]):
                name, quantity = LotName(*place, row), quantity_of(residue["quantity"])
                made = self.open(name, residue, quantity, f"held/{place.party}", None)
                made.made_by = place
        else:
            for lot in self.lots_of(place):
                lot.account = f"held/{content['holder']}"
                lot.holders += (Holder(content["holder"], place),)


def _hand_over(book: Book, place: Place, content: dict[str, Any]) -> None:
    receiver = content["receiver"]
    acceptance = book.record.threads.offers[place].acceptances[receiver].place
    answer, offered = book.content_of(acceptance), named("custody.offer", content)
    received, lots = book.lots_of(place), book.taken(Named(offered.lots))
    if answer["extent"] == "part":
        for row, lot in enumerate(lots):
            _keep_rest(book, lot, LotName(*acceptance, row), answer["received"][row]["quantity"]["amount"], place)
        received = [*lots, *_keep_rows(book, offered.selections, answer.get("tables", ()), receiver, place)]
    for lot in received:
        lot.account, lot.place = f"held/{receiver}", content["place"]
        lot.holders += (Holder(receiver, place),)


def _keep_rows(
    book: Book, offered: Sequence[Selection], answered: Sequence[dict[str, Any]], receiver: str, offer: Place
) -> list[Lot]:
    """Put every row that was offered and not received in dispute, under its own name; return those received."""
    received = book.taken(Named((), selections(answered)))
    arrived = {lot.name for lot in received}
    for lot in book.taken(Named((), offered)):
        if lot.name not in arrived:
            lot.account = f"disputed/{offer.party}/{receiver}"
            lot.holders += (Holder("", offer, (offer.party, receiver)),)
    return received


def _keep_rest(book: Book, lot: Lot, name: LotName, received: int, offer: Place) -> None:
    whole = lot.quantity.amount
    rest = None if whole is None else whole - received
    pool = book.pool_of(lot)
    lot.quantity = Quantity(received, lot.quantity.unit)
    if received == 0:
        lot.ended, lot.emptied = True, offer
    if rest == 0:
        return
    account = f"disputed/{offer.party}/{name.party}"
    row = {"kind": lot.kind, "place": lot.place}
    made = book.open(name, row, Quantity(rest, lot.quantity.unit), account, pool)
    made.made_by, made.holders = offer, (Holder("", None, (offer.party, name.party)),)
