# SPDX-License-Identifier: Apache-2.0
"""The seals fold: which entries speak of seals (spec/seals.md, Effects). What they mean together is in `views.py`."""

from __future__ import annotations

from servanda.agreement.pack import Pack
from servanda.journal.record import Record
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry
from servanda.journal.statements import Statement, Statements


class SealsRegister:
    """The life of seals. Call `catch_up` after the record has judged more entries."""

    def __init__(self, record: Record) -> None:
        """Start empty; nothing of the record is folded yet."""
        self.record = record
        self.statements = Statements(record, ("custody.seal", "seals.check", "seals.stay"), _any)

    def catch_up(self) -> None:
        """Fold every entry of the record's log that has not been folded yet."""
        self.statements.catch_up()

    def check(self, entry: Entry) -> Refused | None:
        """Nothing said of a seal is left out: what does not fit is shown, with the step that it does not fit."""
        return self.statements.check(entry)


def _any(record: Record, pack: Pack, statement: Statement) -> None:
    """Every statement is a step of a seal's life, fitting or not."""
