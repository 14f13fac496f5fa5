# SPDX-License-Identifier: Apache-2.0
"""The custody fold: entries in, lots and discrepancies out (spec/custody.md, Postings).

Entries come in any order in which each follows its past; the result is the same. A posting that breaks a rule is
refused whole and leaves a discrepancy.
"""

from __future__ import annotations

from collections.abc import Callable

from servanda.agreement.pack import Pack
from servanda.journal.frame import Frame
from servanda.journal.record import Record
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry
from servanda.registers.custody import bytable, containers, postings
from servanda.registers.custody.book import Book, Checked
from servanda.registers.custody.corrections import STATEMENTS, correct
from servanda.registers.custody.holdings import Holdings
from servanda.registers.custody.inventory import count
from servanda.registers.custody.rows import named


class CustodyRegister:
    """Who holds what. Call `catch_up` after the record has judged more entries."""

    def __init__(self, record: Record) -> None:
        """Start empty; nothing of the record is folded yet."""
        self.record = record
        self.book = Book(record)
        self.position = 0

    @property
    def holdings(self) -> Holdings:
        """Everything that has been posted."""
        return self.book.holdings

    def catch_up(self) -> None:
        """Fold every entry of the record's log that has not been folded yet."""
        while self.position < len(self.record.log):
            self.apply(self.record.log[self.position])
            self.position += 1

    def settle(self) -> None:
        """Post every offer that has effect in the whole record."""
        for place in list(self.holdings.offers):
            self.book.settle(place, self.record.whole)

    def apply(self, entry: Entry) -> None:
        """Fold one judged entry. An inadmissible one changes nothing here."""
        frame = entry.frame
        if frame is None or not entry.admissible:
            return
        refused = self.refusal(entry)
        if refused is not None:
            lot = named(self.record.effect_of(entry), frame.content).only
            self.book.discrepancy(entry.place, f"posting/{refused.reason}", lot)

    def check(self, entry: Entry) -> Refused | None:
        """Why the posting of an admissible entry would be refused, or None. Nothing is posted."""
        self.book.only_checking = True
        try:
            return self.refusal(entry)
        except Checked:
            return None
        finally:
            self.book.only_checking = False

    def refusal(self, entry: Entry) -> Refused | None:
        """Post an admissible entry, or say why its posting is refused; then nothing of it has been posted."""
        frame = entry.frame
        assert frame is not None
        effect = self.record.effect_of(entry)
        pack = self.record.packs[frame.pack or self.record.agreement]
        try:
            if effect in STATEMENTS:
                postings.state(self.book, entry, frame, effect)
            elif effect in _POSTINGS:
                _POSTINGS[effect](self.book, entry, frame, pack)
            elif frame.format == "refuse":
                postings.refuse(self.book, frame)
            elif frame.format == "correct":
                correct(self.book, entry, frame, pack)
        except Refused as refused:
            return refused
        return None


Posting = Callable[[Book, Entry, Frame, Pack], None]
_POSTINGS: dict[str | None, Posting] = {
    "custody.declare": postings.declare,
    "custody.found": postings.found,
    "custody.table": bytable.table,
    "custody.found-table": bytable.found_table,
    "custody.inventory": count,
    "custody.split": postings.split,
    "custody.merge": postings.merge,
    "custody.repack": postings.repack,
    "custody.move": postings.move,
    "custody.pack": containers.pack,
    "custody.unpack": containers.unpack,
    "custody.loss": postings.loss,
    "custody.consume": postings.consume,
    "custody.offer": postings.offer,
    "custody.destroy": postings.destroy,
    "custody.resolve": postings.resolve,
}
