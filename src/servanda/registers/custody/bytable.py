# SPDX-License-Identifier: Apache-2.0
"""Declarations by table: supplements, late lines, and corrections by deletion and addition (spec/custody.md, 2)."""

from __future__ import annotations

from typing import Any

from servanda.agreement.pack import Pack
from servanda.journal.frame import Frame
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry
from servanda.registers.custody.book import Book
from servanda.registers.custody.containers import check_loose
from servanda.registers.custody.lots import LotName, parse_lot_name
from servanda.registers.custody.rows import Named, TableRows, joined, parse_place
from servanda.registers.custody.rules import checked_group


def table(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Every row of the table is a lot held by its declarer; what it deletes ends, what it adds instead opens."""
    party, content = entry.place.party, frame.content
    quantities = [checked_group(pack, group) for group in content["groups"]]
    if "supplements" in content:
        earlier = parse_place(content["supplements"])
        if earlier.party != party or earlier not in book.holdings.tables or book.effect_at(earlier) != "custody.table":
            raise Refused("supplement", content["supplements"])
    deletions = _checked_deletions(book, entry, content)
    book.from_here_on_write()
    unopened = [row for name, row in deletions if not _deleted(book, entry, name) and row is not None]
    rows = TableRows(entry.place, content, f"held/{party}", quantities)
    rows.drop(joined((row, row) for row in unopened))
    book.holdings.tables[entry.place] = rows


def found_table(book: Book, entry: Entry, frame: Frame, pack: Pack) -> None:
    """Every row of the table is a lot held by nobody."""
    quantities = [checked_group(pack, group) for group in frame.content["groups"]]
    book.from_here_on_write()
    book.holdings.tables[entry.place] = TableRows(entry.place, frame.content, "found", quantities)


def _checked_deletions(book: Book, entry: Entry, content: dict[str, Any]) -> list[tuple[LotName, int | None]]:
    """What is deleted, and the row that is added instead.

    Raises:
        Refused: `unknown-lot`, `lot-closed` or `addition`.
    """
    found: dict[LotName, int | None] = {}
    added: set[int] = set()
    for deletion in content.get("deletions", ()):
        name, row = parse_lot_name(deletion["lot"]), deletion.get("addition")
        rows = book.holdings.tables.get(name.place)
        if name.party != entry.place.party or rows is None or rows.at(name.row) is None:
            raise Refused("unknown-lot", deletion["lot"])
        if name in found:
            raise Refused("lot-closed", deletion["lot"])
        if row is not None and (row >= content["table"]["rows"] or row in added):
            raise Refused("addition", f"{deletion['lot']}: row {row}")
        found[name] = row
        added |= {row} if row is not None else set()
    return list(found.items())


def _deleted(book: Book, entry: Entry, name: LotName) -> bool:
    """Move a row to what its declarer has corrected, if that party holds it as declared; else it stays as it is."""
    what = Named([name])
    try:
        (lot,) = book.held(what, entry)
        check_loose(book, [lot], entry)
    except Refused:
        lot = None
    declared = book.holdings.tables[name.place].as_declared(name.row)
    if lot is None or (lot.kind, lot.place, lot.quantity) != declared:
        book.discrepancy(entry.place, "late-correction", name)
        return False
    (lot,) = book.taken(what)
    lot.account, lot.gone = f"corrected/{name.party}", entry.place
    return True
