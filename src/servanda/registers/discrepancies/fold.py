# SPDX-License-Identifier: Apache-2.0
"""The discrepancies fold: what is said about each key (spec/discrepancies.md, Effects).

Which discrepancies there are the other registers say, each for itself; here is only what parties write about them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from servanda.agreement.pack import Pack
from servanda.journal.frame import Place
from servanda.journal.record import Record
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry
from servanda.journal.statements import Statement, Statements
from servanda.journal.threads import within

SAID = ("discrepancy.attempt", "discrepancy.reply", "discrepancy.close")


class Key(NamedTuple):
    """The identity of a discrepancy: which entry raised it, what kind, which lot."""

    entry: Place
    code: str
    lot: str | None

    def __str__(self) -> str:
        """As entries write it."""
        return f"{self.code}:{self.entry}" + (f":{self.lot}" if self.lot else "")

    @property
    def order(self) -> tuple[Any, ...]:
        """By entry, code, lot; none first, and rows as numbers."""
        party, number, row = (self.lot or "/-1/-1").split("/")
        return (*self.entry, self.code, party, int(number), int(row))


def parse_key(text: str) -> Key:
    """Read a key; the shape of the effect has been checked before.

    Raises:
        ValueError: it is none.
    """
    code, place, *lot = text.split(":")
    party, number = place.split("/")
    return Key(Place(party, int(number)), code, lot[0] if lot else None)


class DiscrepanciesRegister:
    """What is said about each discrepancy. Call `catch_up` after the record has judged more entries."""

    def __init__(self, record: Record) -> None:
        """Start empty; nothing of the record is folded yet."""
        self.record = record
        self.statements = Statements(record, ("discrepancy.open", *SAID), _rule)

    def catch_up(self) -> None:
        """Fold every entry of the record's log that has not been folded yet."""
        self.statements.catch_up()

    def check(self, entry: Entry) -> Refused | None:
        """Why an admissible entry would have no effect here, or None. Nothing is changed."""
        return self.statements.check(entry)

    def about(self) -> dict[Key, list[Statement]]:
        """Everything said, by key; of each key by place."""
        found: dict[Key, list[Statement]] = {}
        for statement in self.statements.of(*SAID):
            for text in statement.content["keys"]:
                found.setdefault(parse_key(text), []).append(statement)
        return found


def _rule(record: Record, pack: Pack, statement: Statement) -> None:
    content = statement.content
    if content["reason"] not in pack.reasons:
        known = ", ".join(sorted(pack.reasons)) or "none"
        raise Refused("reason", f"{content['reason']} is no reason of the pack, which has {known}")
    if statement.effect == "discrepancy.open":
        if content["owner"] not in pack.parties or content["owner"] == statement.party:
            raise Refused("owner", f"{content['owner']} is no other party, who could be asked to act")
        return
    keys = content["keys"]
    for text in keys:
        _check_key(record, statement, parse_key(text))
    if len(set(keys)) < len(keys):
        raise Refused("twice", "a discrepancy is named twice")


def _check_key(record: Record, statement: Statement, key: Key) -> None:
    raised = record.entry(key.entry)
    if raised is None or raised.frame is None or not within(statement.judged.past, key.entry):
        raise Refused("unknown-entry", f"{key.entry} is not in the past of what is said about it")
    if key.code == "question" and (key.lot or record.effect_of(raised) != "discrepancy.open"):
        raise Refused("unknown-question", f"{key.entry} opens no question")
    if raised.frame.status != statement.frame.status:
        raise Refused("status", f"{key.entry} has status {raised.frame.status}, not {statement.frame.status}")
