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
from servanda.registers.custody.containers import below, check_loose, check_whole
from servanda.registers.custody.holdings import Declaration
from servanda.registers.custody.lots import Lot, LotName, Pool, Quantity, parse_lot_name
from servanda.registers.custody.rows import Named, named
from servanda.registers.custody.rules import (
    check_offered,
    check_open,
    check_place,
    checked_row,
    exists,
    open_offer,
    standing,
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
    party, content, what = entry.place.party, frame.content, named("custody.split", frame.content)
    lots = book.held(what, entry)
    check_loose(book, lots, entry)
    quantities = [checked_row(pack, part) for part in content["parts"]]
    check_open(lots)
    if not all(pack.within(part["kind"], lot.kind or "") for part in content["parts"] for lot in lots):
        raise Refused("kind")
    amounts = [quantity.amount for quantity in quantities]
    stated = [amount for amount in amounts if amount is not None]
    whole = lots[0].quantity.amount
    if whole is not None and len(stated) == len(amounts):
        if sum(stated) > whole:
            raise Refused("overdrawn", content["lot"])
        rest: int | None = whole - sum(stated)
    else:
        rest = None
    book.from_here_on_write()
    (lot,) = book.taken(what)
    pool = book.pool_of(lot)
    for row, (part, quantity) in enumerate(zip(content["parts"], quantities, strict=True)):
        book.open(LotName(*entry.place, row), part, quantity, f"held/{party}", pool)
    lot.quantity = Quantity(rest, lot.quantity.unit)
    lot.ended = rest == 0


def merge(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Postings 4: lots of one pool become one."""
    party, content, what = entry.place.party, frame.content, named("custody.merge", frame.content)
    lots = book.held(what, entry)
    check_loose(book, lots, entry)
    if content["kind"] not in pack.items:
        raise Refused("kind")
    check_place(pack, content["place"])
    check_open(lots)
    if what.twice:
        raise Refused("lot-closed")
    if len({id(lot.pool) if lot.pool else name for name, lot in zip(what.lots, lots, strict=True)}) > 1:
        raise Refused("pool")
    if not all(pack.within(lot.kind or "", content["kind"]) for lot in lots):
        raise Refused("kind")
    amounts = [lot.quantity.amount for lot in lots]
    total = None if None in amounts else sum(amount for amount in amounts if amount is not None)
    if total is not None and total > INTEGER_MAX:
        raise Refused("overdrawn")
    book.from_here_on_write()
    lots = book.taken(what)
    name, quantity = LotName(*entry.place, 0), Quantity(total, lots[0].quantity.unit)
    book.open(name, content, quantity, f"held/{party}", lots[0].pool)
    for lot in lots:
        lot.ended = True


def repack(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Postings 4: lots of any pools become others, and nothing is more or less than before."""
    party, content, what = entry.place.party, frame.content, named("custody.repack", frame.content)
    lots, parts = book.held(what, entry), content["parts"]
    check_loose(book, lots, entry)
    quantities = [checked_row(pack, part) for part in parts]
    check_open(lots)
    if what.twice:
        raise Refused("lot-closed")
    everything = [*quantities, *(lot.quantity for lot in lots)]
    if any(quantity.amount is None for quantity in everything):
        raise Refused("not-stated")
    if len({quantity.unit for quantity in everything}) > 1:
        raise Refused("unit")
    if not all(pack.within(lot.kind or "", kind) for kind in {p["kind"] for p in parts} for lot in lots):
        raise Refused("kind")
    total = sum(quantity.amount or 0 for quantity in quantities)
    if total != book.amount(what):
        raise Refused("sum", f"the parts are {total}, the lots {book.amount(what)}")
    book.from_here_on_write()
    for lot in book.taken(what):
        lot.ended = True
        if lot.pool is not None:
            lot.pool.repacked += lot.quantity.amount or 0
    pool = Pool(LotName(*entry.place, 0), total)
    for row, (part, quantity) in enumerate(zip(parts, quantities, strict=True)):
        book.open(LotName(*entry.place, row), part, quantity, f"held/{party}", pool)


def move(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """A held lot is at another place."""
    what = named("custody.move", frame.content)
    check_whole(book, what, book.held(what, entry), entry, moves=True)
    check_place(pack, frame.content["place"])
    book.from_here_on_write()
    lots = book.taken(what)
    inner = dict.fromkeys(name for lot in lots for name in below(book, lot.name, entry.past))
    for lot in [*lots, *book.taken(Named([*inner]))]:
        lot.place = frame.content["place"]


def state(book: Book, entry: Entry, frame: Frame, effect: str) -> None:
    """Figures, findings, issues, seals, conditions and contests move nothing; they stand beside the accounts."""
    if effect in ("custody.seal", "custody.condition"):
        book.held(named(effect, frame.content), entry, unlocked=False)
    book.from_here_on_write()
    book.holdings.statements[entry.place] = (effect, frame.content)
    if effect == "custody.contest":
        _contest(book, entry, frame)


def _contest(book: Book, entry: Entry, frame: Frame) -> None:
    for reference in frame.refers_to:
        place = reference.place
        target = book.record.entry(place)
        if target is None or target.frame is None or not target.admissible:
            continue  # what an inadmissible entry says may have any form
        declared, rows = book.holdings.declarations.get(place), book.holdings.tables.get(place)
        opened = [name for name in declared.lots if name.place == place] if declared else []
        what = named(book.record.effect_of(target), target.frame.content)
        for name in (*opened, *what.lots):
            book.discrepancy(entry.place, "contested", name)
        for lot in rows.lots if rows else ():
            book.discrepancy(entry.place, "contested", lot.name, lot.rows)
        for one in what.selections:
            for first, last in one.ranges:
                book.discrepancy(entry.place, "contested", LotName(*one.table, first), last - first + 1)


def offer(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Postings 5: lots are on their way to a receiver until it has answered."""
    what = _offered(book, entry, frame, pack, "custody.offer")
    book.from_here_on_write()
    for lot in _lock(book, entry, what, "custody.offer"):
        lot.account = f"transit/{entry.place.party}/{frame.content['receiver']}"


def _offered(book: Book, entry: Entry, frame: Frame, pack: Pack, effect: str) -> Named:
    content, what = frame.content, named(effect, frame.content)
    lots = book.held(what, entry)
    check_whole(book, what, lots, entry)
    for row in content["residue"] if effect == "custody.destroy" else ():
        checked_row(pack, row)
    check_place(pack, content["place"])
    for lot, item in zip(lots, content["lots"], strict=False):  # rows selected come after and state nothing
        check_offered(lot, item["quantity"])
    if what.twice:
        raise Refused("locked")
    return what


def _lock(book: Book, entry: Entry, what: Named, effect: str) -> list[Lot]:
    lots = book.taken(what)
    for lot in lots:
        lot.offers += (entry.place,)
    book.holdings.offers[entry.place] = effect
    return lots


def destroy(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Postings 6: lots are locked until the witnesses have answered."""
    what = _offered(book, entry, frame, pack, "custody.destroy")
    if pack.methods and frame.content["method"] not in pack.methods:
        raise Refused("method", f"the pack has {', '.join(sorted(pack.methods))}")
    for item in frame.content.get("identity", ()):
        _check_identity(book, entry, pack, item, what)
    book.from_here_on_write()
    for lot in _lock(book, entry, what, "custody.destroy"):
        lot.destruction = entry.place


def _check_identity(book: Book, entry: Entry, pack: Pack, item: dict[str, str], what: Named) -> None:
    """What is known of a lot before it is destroyed: the serial it was declared with, or a finding in the past."""
    if "serial" in item:
        declared = (book.holdings.serials.get((kind, item["serial"]), {}) for kind in pack.items)
        known = any(str(name) == item["lot"] for lots_of in declared for name in lots_of.values())
    else:
        party, _, number = item["finding"].partition("/")
        place = Place(party, int(number))
        known = within(entry.past, place) and book.effect_at(place) == "custody.finding"
    lot = parse_lot_name(item["lot"])
    if not known or not (lot in what.lots or any(one.has(lot) for one in what.selections)):
        raise Refused("identity", item["lot"])


def resolve(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Postings 7: one side proposes where a disputed lot goes."""
    party, content, what = entry.place.party, frame.content, named("custody.resolve", frame.content)
    done: set[LotName] = set()
    for index, lot in enumerate(book.lots(what, entry.past)):
        name = what.lots[index] if index < len(what.lots) else None
        if not exists(book.record, lot, entry.past):
            raise Refused("unknown-lot", str(lot.name))
        standing_there = standing(book.record, lot, entry.past)
        disputants = set(standing_there.disputants) if standing_there else set()
        if not disputants or {party, *(frame.named or ())} != disputants:
            raise Refused("not-custodian", str(lot.name))
        if open_offer(book.record, lot, entry.past) is not None or (name or lot.name) in done:
            raise Refused("locked", str(lot.name))
        if name is not None:
            check_offered(lot, content["lots"][index]["quantity"])
            done.add(name)
        if content["holder"] not in disputants:
            raise Refused("holder")
    if what.twice:
        raise Refused("locked")
    book.from_here_on_write()
    _cross(book, entry, _lock(book, entry, what, "custody.resolve"))


def _cross(book: Book, entry: Entry, lots: list[Lot]) -> None:
    """Find offers to resolve on these lots that the entry does not cover, and that do not cover it."""
    for other in {place for lot in lots for place in lot.offers if not within(entry.past, place)} - {entry.place}:
        covering = book.record.entry(other)
        if covering is None or within(covering.past, entry.place):
            continue
        for lot in {id(lot): lot for lot in (*lots, *book.lots_of(other))}.values():
            lot.crossed.setdefault(entry.place, []).append(other)
            lot.crossed.setdefault(other, []).append(entry.place)


def loss(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Postings 8: lots are lost; one in transit stays on the line of who sent it."""
    party, what = entry.place.party, named("custody.loss", frame.content)
    check_whole(book, what, book.held(what, entry, unlocked=False), entry)
    book.from_here_on_write()
    for lot in book.taken(what):
        locked = open_offer(book.record, lot, entry.past)
        if locked is not None and book.effect_at(locked) == "custody.offer":
            book.discrepancy(entry.place, "loss-in-transit", lot.name, lot.rows)
            continue
        lot.gone = entry.place
        if not lot.account.startswith("destroyed/"):  # an open destruction may have come to its end meanwhile
            lot.account = f"lost/{party}"


def consume(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Postings 8: lots are used up."""
    party, what = entry.place.party, named("custody.consume", frame.content)
    check_whole(book, what, book.held(what, entry), entry)
    book.from_here_on_write()
    for lot in book.taken(what):
        lot.account, lot.gone = f"consumed/{party}", entry.place


def refuse(book: Book, frame: Frame) -> None:
    """Postings 5 to 7: a refusal returns what was offered."""
    book.from_here_on_write()
    place = frame.refers_to[0].place
    if place not in book.holdings.offers:
        return
    if book.record.threads.refused(book.record.threads.offers[place], book.record.whole):
        book.give_back(place)
