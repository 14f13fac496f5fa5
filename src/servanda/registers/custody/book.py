# SPDX-License-Identifier: Apache-2.0
"""The book: lots and discrepancies as posted so far, and what offers do once they have effect (spec/custody.md)."""

from __future__ import annotations

from typing import Any

from servanda.journal.frame import Place
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry, RecordState
from servanda.journal.threads import Cut, within
from servanda.registers.custody.lots import (
    Discrepancy,
    Holder,
    Holdings,
    Lot,
    LotName,
    Pool,
    Quantity,
    parse_lot_name,
)
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

    def lot(self, text: str, cut: Cut) -> Lot:
        """The lot of that name, with everything posted that has effect within `cut`.

        Raises:
            Refused: `unknown-lot`.
        """
        name = parse_lot_name(text)
        accepted = self.record.threads.acceptances.get(name.place)
        lot = self.holdings.lots.get(name)
        for place in (name.place, accepted.place if accepted else None, *(lot.offers if lot else ())):
            if place is not None and place in self.holdings.offers:
                self.settle(place, cut)
        lot = self.holdings.lots.get(name)
        if lot is None:
            raise Refused("unknown-lot", text)
        return lot

    def held(self, text: str, entry: Entry, *, unlocked: bool = True) -> Lot:
        """The lot of that name, if the author of `entry` may write it in its past.

        Raises:
            Refused: see `rules.check_held`.
        """
        lot = self.lot(text, entry.past)
        return check_held(self.record, lot, entry.place.party, entry.past, unlocked=unlocked)

    def discrepancy(self, entry: Place, code: str, lot: LotName | None) -> None:
        """Note a discrepancy. Noting the same one twice is noting it once."""
        self.holdings.discrepancies.add(Discrepancy(entry, code, lot))

    def open(self, name: LotName, row: dict[str, Any], quantity: Quantity, account: str, pool: Pool | None) -> Lot:
        """Open a lot; without a pool given it opens one of its own."""
        lot = Lot(
            name=name,
            kind=row["kind"],
            quantity=quantity,
            place=row["place"],
            account=account,
            pool=pool or Pool(name, quantity.amount),
            holders=[Holder(account.rpartition("/")[2], None)] if account.startswith("held/") else [],
            serial=row.get("serial"),
        )
        self.holdings.lots[name] = lot
        return lot

    def effect_at(self, place: Place) -> str | None:
        """The effect of the entry at `place`; None if it is not admissible or has none."""
        entry = self.record.entry(place)
        return None if entry is None else self.record.effect_of(entry)

    def lots_of(self, place: Place) -> list[Lot]:
        """The lots that the offer at `place` is about."""
        entry = self.record.entry(place)
        assert entry is not None
        assert entry.frame is not None
        return [self.holdings.lots[parse_lot_name(item["lot"])] for item in entry.frame.content["lots"]]

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
        entry = self.record.entry(place)
        assert entry is not None
        assert entry.frame is not None
        content = entry.frame.content
        if effect == "custody.offer":
            _hand_over(self, place, content)
        elif effect == "custody.destroy":
            for lot in self.lots_of(place):
                lot.account = f"destroyed/{place.party}"
            for row, residue in enumerate(content["residue"]):
                quantity = Quantity(residue["quantity"].get("amount"), residue["quantity"]["unit"])
                made = self.open(LotName(*place, row), residue, quantity, f"held/{place.party}", None)
                made.made_by = place
        else:
            for lot in self.lots_of(place):
                lot.account = f"held/{content['holder']}"
                lot.holders.append(Holder(content["holder"], place))


def _hand_over(book: Book, place: Place, content: dict[str, Any]) -> None:
    receiver = content["receiver"]
    acceptance = book.record.threads.offers[place].acceptances[receiver].place
    entry = book.record.entry(acceptance)
    assert entry is not None
    assert entry.frame is not None
    answer = entry.frame.content
    for row, lot in enumerate(book.lots_of(place)):
        if answer["extent"] == "part":
            _keep_rest(book, lot, LotName(*acceptance, row), answer["received"][row]["quantity"]["amount"], place)
        lot.account, lot.place = f"held/{receiver}", content["place"]
        lot.holders.append(Holder(receiver, place))


def _keep_rest(book: Book, lot: Lot, name: LotName, received: int, offer: Place) -> None:
    whole = lot.quantity.amount
    rest = None if whole is None else whole - received
    lot.quantity = Quantity(received, lot.quantity.unit)
    if received == 0:
        lot.ended, lot.emptied = True, offer
    if rest == 0:
        return
    account = f"disputed/{offer.party}/{name.party}"
    row = {"kind": lot.kind, "place": lot.place}
    made = book.open(name, row, Quantity(rest, lot.quantity.unit), account, lot.pool)
    made.made_by, made.disputants = offer, (offer.party, name.party)
