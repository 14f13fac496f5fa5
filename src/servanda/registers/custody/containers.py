# SPDX-License-Identifier: Apache-2.0
"""Lots within lots: what is packed moves and changes hands with its container (spec/custody.md, Postings 12)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from servanda.agreement.pack import Pack
from servanda.journal.frame import Frame
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry
from servanda.journal.threads import Cut, within
from servanda.registers.custody.book import Book
from servanda.registers.custody.lots import Lot, LotName
from servanda.registers.custody.rows import Named, named
from servanda.registers.custody.rules import destroyed, has_effect, standing


def container_of(book: Book, lot: Lot, cut: Cut) -> LotName | None:
    """The container in which the lot is within `cut`: where it was last packed, if one party still holds both."""
    said = [where for place, where in lot.packed if within(cut, place)]
    name = said[-1] if said else None
    if name is None:
        return None
    book.bring_up(Named([name]), cut)
    box = book.holdings.find(name)
    holder = _holder(book, lot, cut)
    return name if box is not None and holder is not None and holder == _holder(book, box, cut) else None


def _holder(book: Book, lot: Lot, cut: Cut) -> str | None:
    """Who holds the lot within `cut`, on its way or not; None if nobody does, or it has ended."""
    holder = standing(book.record, lot, cut)
    gone = (lot.gone is not None and within(cut, lot.gone)) or destroyed(book.record, lot, cut)
    ended = lot.ended and (lot.emptied is None or has_effect(book.record, lot.emptied, cut))
    return None if holder is None or gone or ended else holder.party or None


def contents(book: Book, name: LotName, cut: Cut) -> list[LotName]:
    """The lots that are directly in a container within `cut`, sorted."""
    found = []
    for inner in sorted(book.holdings.contents.get(name, ())):
        book.bring_up(Named([inner]), cut)
        lot = book.holdings.find(inner)
        if lot is not None and container_of(book, lot, cut) == name:
            found.append(inner)
    return found


def below(book: Book, name: LotName, cut: Cut) -> Iterator[LotName]:
    """Everything in a container within `cut`, and in what is in it."""
    for inner in contents(book, name, cut):
        yield inner
        yield from below(book, inner, cut)


def check_whole(book: Book, what: Named, lots: list[Lot], entry: Entry, *, moves: bool = False) -> None:
    """Whatever is named goes with its container and with its contents, which are named as well.

    Args:
        book: the book.
        what: what the entry names.
        lots: the lots of it, as `Book.held` gives them.
        entry: the entry.
        moves: whether it is only moved: its contents need not be named, they go with it.

    Raises:
        Refused: `packed`.
    """
    for lot in lots:
        box = container_of(book, lot, entry.past)
        if box is not None and not what.has(box):
            raise Refused("packed", f"{lot.name} is in {box}, which is not named")
        missing = [] if moves else [str(n) for n in contents(book, lot.name, entry.past) if not what.has(n)]
        if missing:
            raise Refused("packed", f"{', '.join(missing)} in {lot.name} is not named")


def check_loose(book: Book, lots: list[Lot], entry: Entry) -> None:
    """Raise `Refused` with reason `packed` if one of the lots is in a container, or is one that is not empty."""
    for lot in lots:
        if container_of(book, lot, entry.past) or contents(book, lot.name, entry.past):
            raise Refused("packed", f"{lot.name} is in a container, or is one that is not empty: unpack it first")


def pack(book: Book, entry: Entry, frame: Frame, rules: Pack) -> None:
    """Postings 12: lots go into a container, a lot of one piece."""
    what = named("custody.pack", frame.content)
    box, *inner = book.held(what, entry)
    name, names = what.lots[0], what.lots[1:]
    if box.quantity.amount != 1:
        raise Refused("container", f"{name} is not one piece")
    if name in names or any(one in names for one in outer(book, box, entry.past)):
        raise Refused("cycle", f"{name} would be in itself")
    if len(set(names)) < len(names):
        raise Refused("lot-closed")
    for lot in inner:
        if container_of(book, lot, entry.past) is not None:
            raise Refused("packed", str(lot.name))
    if any(lot.place is None or lot.place != box.place for lot in inner):
        raise Refused("place", f"not all is where {name} is, {box.place or 'which is sealed'}")
    book.from_here_on_write()
    _, *taken = book.taken(what)
    for lot in taken:
        lot.packed += ((entry.place, name),)
    book.holdings.contents.setdefault(name, set()).update(names)


def unpack(book: Book, entry: Entry, frame: Frame, rules: Pack) -> None:
    """Postings 12: lots come out of the container in which they are."""
    what = named("custody.unpack", frame.content)
    _, *inner = book.held(what, entry)
    name, names = what.lots[0], what.lots[1:]
    if len(set(names)) < len(names):
        raise Refused("lot-closed")
    for lot in inner:
        if container_of(book, lot, entry.past) != name:
            raise Refused("packed", f"{lot.name} is not in {name}")
    book.from_here_on_write()
    _, *taken = book.taken(what)
    for lot in taken:
        lot.packed += ((entry.place, None),)


def outer(book: Book, lot: Lot, cut: Cut) -> Iterator[LotName]:
    """The container of a lot, that container's container, and so on."""
    name = container_of(book, lot, cut)
    while name is not None:
        yield name
        box = book.holdings.find(name)
        name = None if box is None else container_of(book, box, cut)


def containers_document(book: Book) -> list[dict[str, Any]]:
    """Every container that is not empty in the whole record and in no other: what is in it, at every level.

    `pieces` counts lots of pieces by their amounts; `amounts` sums every unit, the container's own contents and all
    below; `not-stated` counts the lots of which no exact amount is known.
    """
    whole = book.record.whole
    tops = []
    for name in sorted(book.holdings.contents):
        lot = book.holdings.find(name)
        if lot is not None and container_of(book, lot, whole) is None and contents(book, name, whole):
            tops.append(_level(book, name, whole))
    return tops


def _level(book: Book, name: LotName, cut: Cut) -> dict[str, Any]:
    lot = book.holdings.find(name)
    assert lot is not None
    inner = [_level(book, one, cut) for one in contents(book, name, cut)]
    amounts: dict[str, int] = {}
    unknown = 0
    for one in inner:
        if one["amount"] is None:
            unknown += 1
        else:
            amounts[one["unit"]] = amounts.get(one["unit"], 0) + one["amount"]
        for unit, amount in one["within"].items():
            amounts[unit] = amounts.get(unit, 0) + amount
        unknown += one["not-stated"]
    return {
        "account": lot.account,
        "amount": lot.quantity.amount,
        "contents": inner,
        "kind": lot.kind,
        "lot": str(name),
        "not-stated": unknown,
        "place": lot.place,
        "unit": lot.quantity.unit,
        "within": dict(sorted(amounts.items())),
    }
