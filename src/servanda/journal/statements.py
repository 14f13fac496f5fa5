# SPDX-License-Identifier: Apache-2.0
"""What parties have stated by entries with certain effects, as last corrected: what most registers are folded from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from servanda.agreement.pack import Pack
from servanda.journal.frame import Frame, Place
from servanda.journal.record import Record
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry


class Statement(NamedTuple):
    """One entry with its content as last corrected. Dates, references and status stay those of the entry."""

    entry: Entry
    effect: str
    content: dict[str, Any]
    judged: Entry
    """The entry that states this content: itself, or its latest correction."""

    @property
    def frame(self) -> Frame:
        """Of the entry itself."""
        assert self.entry.frame is not None
        return self.entry.frame

    @property
    def place(self) -> Place:
        """Where the entry stands."""
        return self.entry.place

    @property
    def party(self) -> str:
        """Who states it."""
        return self.entry.place.party


Rule = Callable[[Record, Pack, Statement], None]
"""Raises `Refused` if the statement has no effect in the register."""


class Statements:
    """Statements with some effects. Call `catch_up` after the record has judged more entries.

    A statement that breaks the register's rule is left out and noted; so is a correction, and then what it would have
    corrected stands. The rule looks at the past of the entry only, so entries may come in any order that follows it.
    """

    def __init__(self, record: Record, effects: Iterable[str], rule: Rule) -> None:
        """Start empty; nothing of the record is folded yet."""
        self.record = record
        self.effects = frozenset(effects)
        self.rule = rule
        self.position = 0
        self.made: dict[Place, Statement] = {}
        self.refused: list[tuple[Place, str]] = []
        """Entry and reason."""

    def catch_up(self) -> None:
        """Fold every entry of the record's log that has not been folded yet."""
        while self.position < len(self.record.log):
            entry = self.record.log[self.position]
            self.position += 1
            try:
                statement = self._statement(entry)
                if statement is not None:
                    self._judge(statement)
                    self.made[statement.place] = statement
            except Refused as refused:
                self.refused.append((entry.place, refused.reason))

    def check(self, entry: Entry) -> Refused | None:
        """Why an admissible entry would be left out, or None. Nothing is changed."""
        try:
            statement = self._statement(entry)
            if statement is not None:
                self._judge(statement)
        except Refused as refused:
            return refused
        return None

    def of(self, *effects: str) -> Iterator[Statement]:
        """All statements with one of these effects, by place."""
        return (statement for _, statement in sorted(self.made.items()) if statement.effect in effects)

    def _statement(self, entry: Entry) -> Statement | None:
        """What an entry states, if that is among the effects of the register."""
        frame = entry.frame
        if frame is None or not entry.admissible:
            return None
        if frame.format == "correct":
            known = self.made.get(frame.refers_to[0].place)
            return None if known is None else known._replace(content=frame.content["content"], judged=entry)
        effect = self.record.effect_of(entry)
        return Statement(entry, effect, frame.content, entry) if effect in self.effects and effect else None

    def _judge(self, statement: Statement) -> None:
        frame = statement.judged.frame
        assert frame is not None
        self.rule(self.record, self.record.packs[frame.pack or self.record.agreement], statement)
