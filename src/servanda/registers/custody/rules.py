# SPDX-License-Identifier: Apache-2.0
"""What must hold before something is posted: custody is the right to write (spec/custody.md, Postings 1).

A rule looks at the past of the entry that asks, not at everything that has arrived since: so every centre answers
alike.
"""

from __future__ import annotations

from typing import Any

from servanda.agreement.pack import Pack
from servanda.journal.frame import Place
from servanda.journal.refusal import Refused
from servanda.journal.state import RecordState
from servanda.journal.threads import Cut, within
from servanda.registers.custody.lots import Holder, Lot, Quantity, quantity_of, quantity_of_group


def standing(record: RecordState, lot: Lot, cut: Cut) -> Holder | None:
    """Who holds the lot within `cut`, or between whom it is in dispute there; None if nobody, or it does not exist."""
    for holder in reversed(lot.holders):
        if holder.offer is None:
            return holder if exists(record, lot, cut) else None
        if within(cut, holder.offer) and has_effect(record, holder.offer, cut):
            return holder
    return None


def has_effect(record: RecordState, offer: Place, cut: Cut) -> bool:
    """Whether the offer at that place has effect within `cut`."""
    return record.effective(record.threads.offers[offer], cut)


def open_offer(record: RecordState, lot: Lot, cut: Cut) -> Place | None:
    """The offer that locks the lot within `cut`: it is there, not refused there, and has no effect there."""
    for place in lot.offers:
        offer = record.threads.offers[place]
        if not within(cut, place) or record.threads.refused(offer, cut) or record.lapsed(offer, cut):
            continue
        if not has_effect(record, place, cut) and not crossed(lot, place, cut):
            return place
    return None


def crossed(lot: Lot, offer: Place, cut: Cut) -> bool:
    """Whether an offer to resolve and one by the other side, neither covering the other, are both within `cut`.

    They void one another, as crossed offers of one thread do: if both were accepted the lot would have two holders.
    """
    return any(within(cut, other) for other in lot.crossed.get(offer, ()))


def check_held(record: RecordState, lot: Lot, party: str, cut: Cut, *, unlocked: bool = True) -> None:
    """Check that `party` may write the lot within `cut`.

    Raises:
        Refused: `unknown-lot`, `not-custodian`, `lot-closed` or `locked`, in this order.
    """
    text = str(lot.name)
    holder = standing(record, lot, cut)
    if holder is None and not exists(record, lot, cut):
        raise Refused("unknown-lot", text)
    gone = (lot.gone is not None and within(cut, lot.gone)) or destroyed(record, lot, cut)
    if holder is None or holder.party != party or gone:
        raise Refused("not-custodian", text)
    if lot.ended and (lot.emptied is None or has_effect(record, lot.emptied, cut)):
        raise Refused("lot-closed", text)
    if unlocked and open_offer(record, lot, cut) is not None:
        raise Refused("locked", text)


def exists(record: RecordState, lot: Lot, cut: Cut) -> bool:
    """Whether the lot has come into being within `cut`."""
    return within(cut, lot.name.place) and (lot.made_by is None or has_effect(record, lot.made_by, cut))


def destroyed(record: RecordState, lot: Lot, cut: Cut) -> bool:
    """Whether an offer to destroy the lot has effect within `cut`."""
    return lot.destruction is not None and within(cut, lot.destruction) and has_effect(record, lot.destruction, cut)


def checked_row(pack: Pack, row: dict[str, Any]) -> Quantity:
    """The quantity of a row whose kind, unit and place the pack knows.

    Raises:
        Refused: `kind`, `unit`, `range` or `place`, in this order.
    """
    item = pack.items.get(row["kind"])
    if item is None:
        raise Refused("kind")
    if item["unit"] != row["quantity"]["unit"]:
        raise Refused("unit")
    quantity = quantity_of(row["quantity"])
    _check_bounds(quantity)
    check_place(pack, row["place"])
    return quantity


def checked_group(pack: Pack, group: dict[str, Any]) -> Quantity:
    """The quantity of each row of a group whose kind, unit and place the pack knows, where they are not sealed.

    Raises:
        Refused: `kind`, `unit`, `range` or `place`, in this order.
    """
    kind, unit = group["kind"], group["unit"]
    if kind is not None and kind not in pack.items:
        raise Refused("kind")
    if unit not in pack.units or (kind is not None and pack.items[kind]["unit"] != unit):
        raise Refused("unit")
    quantity = quantity_of_group(group)
    _check_bounds(quantity)
    if group["place"] is not None:
        check_place(pack, group["place"])
    return quantity


def _check_bounds(quantity: Quantity) -> None:
    if quantity.bounds is not None and quantity.bounds[0] >= quantity.bounds[1]:
        raise Refused("range")


def check_place(pack: Pack, place: str) -> None:
    """Raise `Refused` with reason `place` unless the pack knows the place."""
    if place not in pack.places:
        raise Refused("place")


def check_offered(lot: Lot, data: dict[str, Any]) -> None:
    """Raise `Refused` with reason `quantity` unless an offer states the lot's own quantity."""
    if quantity_of(data) != lot.quantity:
        raise Refused("quantity", str(lot.name))


def check_open(lots: list[Lot]) -> None:
    """Raise `Refused` with reason `sealed` if the kind or the amount of one of the lots is sealed: it stays whole."""
    if any(lot.kind is None or lot.quantity.sealed for lot in lots):
        raise Refused("sealed")
