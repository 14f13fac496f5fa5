# SPDX-License-Identifier: Apache-2.0
"""The sites fold: what each party says of access to each place (spec/sites.md)."""

from __future__ import annotations

from servanda.agreement.pack import Pack
from servanda.journal.record import Record
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry
from servanda.journal.statements import Statement, Statements


class SitesRegister:
    """Access to places. Call `catch_up` after the record has judged more entries."""

    def __init__(self, record: Record) -> None:
        """Start empty; nothing of the record is folded yet."""
        self.record = record
        self.statements = Statements(record, ("sites.access",), _rule)

    def catch_up(self) -> None:
        """Fold every entry of the record's log that has not been folded yet."""
        self.statements.catch_up()

    def check(self, entry: Entry) -> Refused | None:
        """Why an admissible entry would have no effect here, or None. Nothing is changed."""
        return self.statements.check(entry)


def _rule(record: Record, pack: Pack, statement: Statement) -> None:
    if statement.content["place"] not in pack.places:
        raise Refused("place", f"{statement.content['place']} is no place of the pack")
