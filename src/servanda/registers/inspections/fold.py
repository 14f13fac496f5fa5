# SPDX-License-Identifier: Apache-2.0
"""The inspections fold: entries in, mandates, plans, draws, findings and openings out (spec/inspections.md, Postings).

What depends on the time is computed in `clocks.py`, `escrow.py` and `views.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from servanda.journal.frame import Frame
from servanda.journal.record import Record
from servanda.journal.refusal import Refused, refusal_of
from servanda.journal.state import Entry
from servanda.registers.inspections import postings, rules
from servanda.registers.inspections.book import Book, Post
from servanda.registers.inspections.inspection import SPENDING, Discrepancy


class InspectionsRegister(Book):
    """All inspections of an agreement. Call `catch_up` after the record has judged more entries."""

    def __init__(self, record: Record) -> None:
        """Start empty; nothing of the record is folded yet."""
        super().__init__(record)
        self.position = 0

    def catch_up(self) -> None:
        """Fold every entry of the record's log that has not been folded yet."""
        while self.position < len(self.record.log):
            self.apply(self.record.log[self.position])
            self.position += 1

    def apply(self, entry: Entry) -> None:
        """Fold one judged entry. An inadmissible one changes nothing here."""
        if not entry.admissible or entry.frame is None:
            return
        try:
            self._judge(entry, entry.frame)()
        except Refused as refused:
            self.discrepancies.append(Discrepancy(entry.place, f"inspections/{refused.reason}"))
            if refused.reason in SPENDING:
                plan = self.commitments[entry.frame.refers_to[0].place]
                plan.spent.setdefault(entry.place.party, (entry, refused.reason))

    def check(self, entry: Entry) -> Refused | None:
        """Why an admissible entry would have no effect here, or None. Nothing is changed."""
        assert entry.frame is not None
        return refusal_of(self._judge, entry, entry.frame)

    def _judge(self, entry: Entry, frame: Frame) -> Post:
        """What folding the entry will do, once all its rules have been found kept.

        Raises:
            Refused: a rule is broken.
        """
        rule = _RULES.get(self.record.effect_of(entry) or frame.format)
        return rule(self, entry, frame) if rule else lambda: None


_RULES: dict[str, Callable[[Book, Entry, Frame], Post]] = {
    "inspection.mandate": rules.mandate,
    "inspection.plan": rules.plan,
    "inspection.commit": postings.commit,
    "inspection.finding": postings.findings,
    "inspection.undeclared": postings.undeclared,
    "inspection.request": postings.request,
    "inspection.opening": postings.opening,
    "inspection.report": postings.report,
    "inspection.comment": postings.comment,
    "reveal": postings.reveal,
    "correct": postings.correct,
}
