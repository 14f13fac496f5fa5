# SPDX-License-Identifier: Apache-2.0
"""The dialogue fold: topics, positions, contacts, tasks, requests, accounts (spec/dialogue.md).

Every rule is asked of an entry and its past, so entries may come in any order in which each follows its past. What
depends on the time is computed in the views.
"""

from __future__ import annotations

from typing import Any

from servanda.agreement.pack import Pack
from servanda.journal.frame import Frame, Place
from servanda.journal.named import Index, Item, Names, item_of
from servanda.journal.record import Record
from servanda.journal.refusal import Refused, refusal_of
from servanda.journal.state import Entry
from servanda.registers.dialogue.keys import KEPT, NAMED_BY, keys_of
from servanda.registers.dialogue.rules import check_rules


class DialogueRegister:
    """Everything said and met. Call `catch_up` after the record has judged more entries."""

    def __init__(self, record: Record) -> None:
        """Start empty; nothing of the record is folded yet."""
        self.record = record
        self.position = 0
        self.items: dict[Place, Item] = {}
        self.index = Index()
        self.names: dict[str, Names] = {kind: Names() for kind in sorted(set(NAMED_BY.values()))}
        """By kind: topic, contact, task, source, consequence."""
        self.open_tasks: set[str] = set()
        """Tasks that are neither done nor dropped by the latest word of all who spoke."""
        self.discrepancies: list[tuple[Place, str]] = []

    def catch_up(self) -> None:
        """Fold every entry of the record's log that has not been folded yet."""
        while self.position < len(self.record.log):
            entry = self.record.log[self.position]
            self.position += 1
            refused = self._apply(entry) if entry.admissible and entry.frame is not None else None
            if refused is not None:
                self.discrepancies.append((entry.place, f"dialogue/{refused.reason}"))

    def check(self, entry: Entry) -> Refused | None:
        """Why an admissible entry would have no effect here, or None. Nothing is changed."""
        return refusal_of(self._judged, entry)

    def item(self, place: Place) -> Item | None:
        """What the entry at `place` says, if the register has it."""
        return self.items.get(place)

    def opening(self, kind: str, name: str) -> Item | None:
        """The entry that is shown for a name, the first by party and number; None if only the pack has it."""
        return self.items[self.names[kind].first(name)] if name in self.names[kind].openings else None

    def pack_of(self, frame: Frame) -> Pack:
        """The pack by which an entry is judged."""
        return self.record.packs[frame.pack or self.record.agreement]

    def _judged(self, entry: Entry) -> tuple[Item, Item | None] | None:
        """What the entry adds, and the item that it corrects; None if it is not of this register.

        Raises:
            Refused: a rule is broken.
        """
        frame = entry.frame
        assert frame is not None
        if frame.format == "correct":
            corrected = self.items.get(frame.refers_to[0].place)
            if corrected is None:
                return None
            content: dict[str, Any] = frame.content["content"]
            for member in KEPT.get(corrected.effect, ()):
                if content.get(member) != corrected.content.get(member):
                    raise Refused("renamed", f"`{member}` of {corrected.place} stays as it is when it is corrected")
            item = item_of(corrected.entry, corrected.effect, content)
            item.corrected = entry.place
            check_rules(self, entry, item, corrected)
            return item, corrected
        effect = self.record.effect_of(entry)
        if effect is None or not effect.startswith("dialogue."):
            return None
        item = item_of(entry, effect, frame.content)
        check_rules(self, entry, item, None)
        return item, None

    def _apply(self, entry: Entry) -> Refused | None:
        try:
            judged = self._judged(entry)
        except Refused as refused:
            return refused
        if judged is None:
            return None
        item, corrected = judged
        if corrected is not None:
            self.index.remove(corrected, keys_of(corrected))
        elif item.effect in NAMED_BY:
            kind = NAMED_BY[item.effect]
            self.names[kind].open(item.content[kind], item.place)
        self.items[item.place] = item
        self.index.add(item, keys_of(item))
        if item.effect in ("dialogue.task", "dialogue.progress"):
            self._weigh(item.content["task"])
        return None

    def _weigh(self, task: str) -> None:
        """Whether a task is still open, after something was said of it."""
        said = {item.content["state"] for item in self.latest_progress(task).values()}
        (self.open_tasks.discard if said in ({"done"}, {"dropped"}) else self.open_tasks.add)(task)

    def latest_progress(self, task: str) -> dict[str, Item]:
        """The latest word of each party on a task, by the number of its entry."""
        latest: dict[str, Item] = {}
        for item in self.index.row("progress", task):
            known = latest.get(item.party)
            if known is None or known.place.number < item.place.number:
                latest[item.party] = item
        return latest
