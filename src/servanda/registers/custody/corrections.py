# SPDX-License-Identifier: Apache-2.0
"""Corrections of declarations, row by row (spec/custody.md, Postings 9)."""

from __future__ import annotations

from typing import Any

from servanda.agreement.pack import Pack
from servanda.journal.frame import Frame
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry
from servanda.registers.custody.book import Book
from servanda.registers.custody.containers import check_loose
from servanda.registers.custody.holdings import Declaration
from servanda.registers.custody.lots import LotName, Quantity, quantity_of
from servanda.registers.custody.postings import check_serials, enter_serial
from servanda.registers.custody.rows import Named
from servanda.registers.custody.rules import checked_row

STATEMENTS = frozenset(
    {
        *("custody.figure", "custody.finding", "custody.issue", "custody.seal", "custody.condition", "custody.contest"),
        *("custody.shipment", "custody.recount"),
    }
)


def correct(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Post a correction: of a statement it replaces what is shown, of a declaration its rows, of the rest nothing.

    Raises:
        Refused: a corrected row has a kind, unit, place or serial that it cannot have.
    """
    target = book.record.entry(frame.refers_to[0].place)
    assert target is not None
    effect = book.record.effect_of(target)
    content = frame.content["content"]
    if effect != "custody.declare":
        book.from_here_on_write()
    if effect in STATEMENTS:
        if target.place in book.holdings.statements:
            book.holdings.statements[target.place] = (effect, content)
    elif effect == "custody.declare" and target.place in book.holdings.declarations:
        _correct_declaration(book, entry, book.holdings.declarations[target.place], content["lots"], pack)
    elif effect is not None and effect.startswith("custody."):
        book.discrepancy(entry.place, "late-correction", None)


def _correct_declaration(
    book: Book, entry: Entry, declaration: Declaration, rows: list[dict[str, Any]], pack: Pack
) -> None:
    quantities = [checked_row(pack, row) for row in rows]
    check_serials(book, entry.place.party, rows[len(declaration.rows) :])
    book.from_here_on_write()
    for index, name in enumerate(list(declaration.lots)):
        if index >= len(rows):
            book.discrepancy(entry.place, "late-correction", name)
        elif rows[index] != declaration.rows[index]:
            _correct_row(book, entry, declaration, index, rows[index], quantities[index])
    for index in range(len(declaration.lots), len(rows)):
        name = LotName(*entry.place, index)
        book.open(name, rows[index], quantities[index], f"held/{entry.place.party}", None)
        enter_serial(book, name, rows[index])
        declaration.lots.append(name)
        declaration.rows.append(rows[index])


def _correct_row(
    book: Book, entry: Entry, declaration: Declaration, index: int, row: dict[str, Any], quantity: Quantity
) -> None:
    name, before = declaration.lots[index], declaration.rows[index]
    lot = book.holdings.lots[name]
    declared = (before["kind"], before["place"], quantity_of(before["quantity"]))
    try:
        check_loose(book, book.held(Named([name]), entry), entry)
    except Refused:
        declared = None  # type: ignore[assignment]
    if declared != (lot.kind, lot.place, lot.quantity):
        book.discrepancy(entry.place, "late-correction", name)
        return
    lot.kind, lot.place, lot.quantity = row["kind"], row["place"], quantity
    book.pool_of(lot).declared = quantity.amount
    declaration.rows[index] = row
