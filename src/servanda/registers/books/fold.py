# SPDX-License-Identifier: Apache-2.0
"""The books fold: what each party says of what a party has (spec/handovers.md, Books)."""

from __future__ import annotations

from servanda.agreement.pack import Pack
from servanda.journal.record import Record
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry
from servanda.journal.statements import Statement, Statements


class BooksRegister:
    """Each party's book of each party. Call `catch_up` after the record has judged more entries."""

    def __init__(self, record: Record) -> None:
        """Start empty; nothing of the record is folded yet."""
        self.record = record
        self.statements = Statements(record, ("books.state",), _rule)

    def catch_up(self) -> None:
        """Fold every entry of the record's log that has not been folded yet."""
        self.statements.catch_up()

    def check(self, entry: Entry) -> Refused | None:
        """Why an admissible entry would have no effect here, or None. Nothing is changed."""
        return self.statements.check(entry)

    def latest(self) -> dict[tuple[str, str], Statement]:
        """(whose holdings, by whom) to the latest statement."""
        return {(said.content["of"], said.party): said for said in self.statements.of("books.state")}


def _rule(record: Record, pack: Pack, statement: Statement) -> None:
    content = statement.content
    if content["of"] not in pack.parties:
        raise Refused("party", f"{content['of']} is not a party of the pack")
    seen: set[tuple[str, str, str]] = set()
    for row in content["rows"]:
        item = pack.items.get(row["kind"])
        if item is None:
            raise Refused("kind", f"{row['kind']} is no kind of the pack")
        if item["unit"] != row["quantity"]["unit"]:
            raise Refused("unit", f"{row['kind']} is counted in {item['unit']}, not in {row['quantity']['unit']}")
        if row["place"] not in pack.places:
            raise Refused("place", f"{row['place']} is no place of the pack")
        key = (row["kind"], row["place"], row["standing"])
        if key in seen:
            raise Refused("twice", f"{', '.join(key)} stands there twice")
        seen.add(key)
