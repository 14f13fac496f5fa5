# SPDX-License-Identifier: Apache-2.0
"""The postings of each effect: rules first, then what is written (spec/custody.md, Postings 2 to 8 and 10).

Every function has one line `book.from_here_on_write()`; above it nothing has been posted.
"""

from __future__ import annotations

from typing import Any

from servanda.agreement.effects import INTEGER_MAX
from servanda.agreement.pack import Pack
from servanda.journal.frame import Frame, Place
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry
from servanda.journal.threads import within
from servanda.registers.custody.book import Book
from servanda.registers.custody.lots import Declaration, Lot, LotName, Quantity, named_lots
from servanda.registers.custody.rules import (
    check_offered,
    check_place,
    checked_row,
    exists,
    holder_in,
    open_offer,
)


def _declare(book: Book, entry: Entry, frame: Frame, pack: Pack, account: str) -> None:
    rows = frame.content["lots"]
    quantities = [checked_row(pack, row) for row in rows]
    check_serials(book, entry.place.party, rows)
    book.from_here_on_write()
    names = [LotName(*entry.place, row) for row in range(len(rows))]
    for name, row, quantity in zip(names, rows, quantities, strict=True):
        book.open(name, row, quantity, account, None)
        enter_serial(book, name, row)
    book.holdings.declarations[entry.place] = Declaration(list(rows), names)


def check_serials(book: Book, party: str, rows: list[dict[str, Any]]) -> None:
    """Raise `Refused` with reason `duplicate-serial` if a serial of one kind occurs twice in what `party` declared."""
    seen: set[tuple[str, str]] = set()
    for row in rows:
        key = (row["kind"], row.get("serial", ""))
        if key[1] and (key in seen or party in book.holdings.serials.get(key, {})):
            raise Refused("duplicate-serial")
        seen.add(key)


def enter_serial(book: Book, name: LotName, row: dict[str, Any]) -> None:
    """Remember the serial of a row that has been declared."""
    if "serial" in row:
        book.holdings.serials.setdefault((row["kind"], row["serial"]), {})[name.party] = name


def declare(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Postings 2: a new lot for each row, held by its declarer."""
    _declare(book, entry, frame, pack, f"held/{entry.place.party}")


def found(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Postings 2: a new lot for each row, held by nobody."""
    _declare(book, entry, frame, pack, "found")


def split(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Postings 3: parts leave a lot; it keeps the rest."""
    party, content = entry.place.party, frame.content
    lot = book.held(content["lot"], entry)
    quantities = [checked_row(pack, part) for part in content["parts"]]
    if not all(pack.within(part["kind"], lot.kind) for part in content["parts"]):
        raise Refused("kind")
    amounts = [quantity.amount for quantity in quantities]
    stated = [amount for amount in amounts if amount is not None]
    whole = lot.quantity.amount
    if whole is not None and len(stated) == len(amounts):
        if sum(stated) > whole:
            raise Refused("overdrawn", content["lot"])
        rest: int | None = whole - sum(stated)
    else:
        rest = None
    book.from_here_on_write()
    for row, (part, quantity) in enumerate(zip(content["parts"], quantities, strict=True)):
        book.open(LotName(*entry.place, row), part, quantity, f"held/{party}", lot.pool)
    lot.quantity = Quantity(rest, lot.quantity.unit)
    lot.ended = rest == 0


def merge(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Postings 4: lots of one pool become one."""
    party, content = entry.place.party, frame.content
    lots = [book.held(name, entry) for name in content["lots"]]
    if content["kind"] not in pack.items:
        raise Refused("kind")
    check_place(pack, content["place"])
    if len({lot.name for lot in lots}) != len(lots):
        raise Refused("lot-closed")
    if any(lot.pool is not lots[0].pool for lot in lots):
        raise Refused("pool")
    if not all(pack.within(lot.kind, content["kind"]) for lot in lots):
        raise Refused("kind")
    amounts = [lot.quantity.amount for lot in lots]
    total = None if None in amounts else sum(amount for amount in amounts if amount is not None)
    if total is not None and total > INTEGER_MAX:
        raise Refused("overdrawn")
    book.from_here_on_write()
    book.open(LotName(*entry.place, 0), content, Quantity(total, lots[0].quantity.unit), f"held/{party}", lots[0].pool)
    for lot in lots:
        lot.ended = True


def move(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """A held lot is at another place."""
    lot = book.held(frame.content["lot"], entry)
    check_place(pack, frame.content["place"])
    book.from_here_on_write()
    lot.place = frame.content["place"]


def state(book: Book, entry: Entry, frame: Frame, effect: str) -> None:
    """Figures, findings, issues, seals, conditions and contests move nothing; they stand beside the accounts."""
    if effect in ("custody.seal", "custody.condition"):
        book.held(frame.content["lot"], entry, unlocked=False)
    book.from_here_on_write()
    book.holdings.statements[entry.place] = (effect, frame.content)
    if effect == "custody.contest":
        _contest(book, entry, frame)


def _contest(book: Book, entry: Entry, frame: Frame) -> None:
    for reference in frame.refers_to:
        target = book.record.entry(reference.place)
        if target is None or target.frame is None or not target.admissible:
            continue  # what an inadmissible entry says may have any form
        declared = book.holdings.declarations.get(reference.place)
        opened = [name for name in declared.lots if name.place == reference.place] if declared else []
        for name in (*opened, *named_lots(book.record.effect_of(target), target.frame.content)):
            book.discrepancy(entry.place, "contested", name)


def offer(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Postings 5: lots are on their way to a receiver until it has answered."""
    lots = _offered(book, entry, frame, pack)
    book.from_here_on_write()
    for lot in lots:
        lot.account = f"transit/{entry.place.party}/{frame.content['receiver']}"
    _lock(book, entry, lots, "custody.offer")


def _offered(book: Book, entry: Entry, frame: Frame, pack: Pack) -> list[Lot]:
    content = frame.content
    lots = [book.held(item["lot"], entry) for item in content["lots"]]
    for row in content.get("residue", []) if book.record.effect_of(entry) == "custody.destroy" else []:
        checked_row(pack, row)
    check_place(pack, content["place"])
    for lot, item in zip(lots, content["lots"], strict=True):
        check_offered(lot, item["quantity"])
    if len({lot.name for lot in lots}) != len(lots):
        raise Refused("locked")
    return lots


def _lock(book: Book, entry: Entry, lots: list[Lot], effect: str) -> None:
    for lot in lots:
        lot.offers.append(entry.place)
    book.holdings.offers[entry.place] = effect


def destroy(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Postings 6: lots are locked until the witnesses have answered."""
    lots = _offered(book, entry, frame, pack)
    if pack.methods and frame.content["method"] not in pack.methods:
        raise Refused("method", f"the pack has {', '.join(sorted(pack.methods))}")
    for item in frame.content.get("identity", ()):
        _check_identity(book, entry, pack, item, [str(lot.name) for lot in lots])
    book.from_here_on_write()
    _lock(book, entry, lots, "custody.destroy")
    for lot in lots:
        lot.destruction = entry.place


def _check_identity(book: Book, entry: Entry, pack: Pack, item: dict[str, str], lots: list[str]) -> None:
    """What is known of a lot before it is destroyed: the serial it was declared with, or a finding in the past."""
    if "serial" in item:
        declared = (book.holdings.serials.get((kind, item["serial"]), {}) for kind in pack.items)
        known = any(str(name) == item["lot"] for lots_of in declared for name in lots_of.values())
    else:
        party, _, number = item["finding"].partition("/")
        place = Place(party, int(number))
        known = within(entry.past, place) and book.effect_at(place) == "custody.finding"
    if item["lot"] not in lots or not known:
        raise Refused("identity", item["lot"])


def resolve(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Postings 7: one side proposes where a disputed lot goes."""
    party, lots = entry.place.party, []
    for item in frame.content["lots"]:
        lot = book.lot(item["lot"], entry.past)
        if not exists(book.record, lot, entry.past):
            raise Refused("unknown-lot", item["lot"])
        disputants = set(lot.disputants)
        if not disputants or {party, *(frame.named or ())} != disputants or holder_in(book.record, lot, entry.past):
            raise Refused("not-custodian", item["lot"])
        if open_offer(book.record, lot, entry.past) is not None or lot in lots:
            raise Refused("locked", item["lot"])
        check_offered(lot, item["quantity"])
        if frame.content["holder"] not in disputants:
            raise Refused("holder")
        lots.append(lot)
    book.from_here_on_write()
    _cross(book, entry, lots)
    _lock(book, entry, lots, "custody.resolve")


def _cross(book: Book, entry: Entry, lots: list[Lot]) -> None:
    """Find offers to resolve on these lots that the entry does not cover, and that do not cover it."""
    for other in {place for lot in lots for place in lot.offers if not within(entry.past, place)}:
        covering = book.record.entry(other)
        if covering is None or within(covering.past, entry.place):
            continue
        for lot in {id(lot): lot for lot in (*lots, *book.lots_of(other))}.values():
            lot.crossed.setdefault(entry.place, []).append(other)
            lot.crossed.setdefault(other, []).append(entry.place)


def loss(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Postings 8: lots are lost; one in transit stays on the line of who sent it."""
    party = entry.place.party
    lots = [book.held(name, entry, unlocked=False) for name in frame.content["lots"]]
    book.from_here_on_write()
    for lot in lots:
        locked = open_offer(book.record, lot, entry.past)
        if locked is not None and book.effect_at(locked) == "custody.offer":
            book.discrepancy(entry.place, "loss-in-transit", lot.name)
            continue
        lot.gone = entry.place
        if not lot.account.startswith("destroyed/"):  # an open destruction may have come to its end meanwhile
            lot.account = f"lost/{party}"


def consume(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Postings 8: lots are used up."""
    party = entry.place.party
    lots = [book.held(name, entry) for name in frame.content["lots"]]
    book.from_here_on_write()
    for lot in lots:
        lot.account, lot.gone = f"consumed/{party}", entry.place


def refuse(book: Book, frame: Frame) -> None:
    """Postings 5 to 7: a refusal returns what was offered."""
    book.from_here_on_write()
    place = frame.refers_to[0].place
    if place not in book.holdings.offers:
        return
    if book.record.threads.refused(book.record.threads.offers[place], book.record.whole):
        book.give_back(place)
