# SPDX-License-Identifier: Apache-2.0
"""The alerts fold: entries in, cases out (spec/alerts.md, Cases).

An entry joins a case by what it refers to, and that lies in its past; so entries may come in any order in which each
follows its past. What depends on the time is computed in `clocks.py` and `views.py`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from servanda.agreement.dates import DateExpressionError, check_instant, instant_seconds
from servanda.journal.frame import Frame, Place
from servanda.journal.record import Record
from servanda.journal.refusal import Refused, refusal_of
from servanda.journal.state import Entry
from servanda.journal.threads import within
from servanda.proof.sealing import digests_of
from servanda.registers.alerts.cases import (
    QUESTIONS,
    Case,
    Clocking,
    Discrepancy,
    Question,
    Round,
    clocking_of,
)


class AlertsRegister:
    """Open and closed cases. Call `catch_up` after the record has judged more entries."""

    def __init__(self, record: Record) -> None:
        """Start empty; nothing of the record is folded yet."""
        self.record = record
        self.position = 0
        self.cases: dict[Place, Case] = {}
        self.questions: dict[Place, Question] = {}
        self.case_of: dict[Place, Place] = {}
        """Every entry that is in a case, to the case's opening."""
        self.answer_to: dict[Place, Place] = {}
        """Answer to the question that it answers."""
        self.discrepancies: list[Discrepancy] = []
        self.rounds: dict[tuple[str, str], Round] = {}
        """By name and status."""
        self._commitments: dict[Place, Round] = {}
        self.touched: set[Place] = set()
        """Questions of which something has changed since `Schedule` last looked: it empties this."""
        self.clocked: dict[str, list[tuple[int, Place]]] = {}
        """Of each journal the entries at whose provision a clock starts: number, and the question; by number."""
        self._provided: dict[tuple[str, str], tuple[int, int]] = {}
        """Journal and party to the size and time of the latest receipt that the journal has cited from it."""

    def catch_up(self) -> None:
        """Fold every entry of the record's log that has not been folded yet."""
        while self.position < len(self.record.log):
            entry = self.record.log[self.position]
            self.position += 1
            if entry.admissible and entry.frame is not None:
                self._cited(entry, entry.frame)
                try:
                    self._judge(entry, entry.frame)()
                except Refused as refused:
                    self.discrepancies.append(Discrepancy(entry.place, f"alerts/{refused.reason}"))

    def check(self, entry: Entry) -> Refused | None:
        """Why an admissible entry would fit no case, or None. Nothing is changed."""
        assert entry.frame is not None
        return refusal_of(self._judge, entry, entry.frame)

    def _judge(self, entry: Entry, frame: Frame) -> Callable[[], None]:
        """What folding the entry will do, once all its rules have been found kept.

        Raises:
            Refused: a rule is broken.
        """
        effect = self.record.effect_of(entry)
        if effect in QUESTIONS:
            return self._question(entry, frame, effect)
        rule = _RULES.get(effect or frame.format)
        if rule is not None:
            return rule(self, entry, frame)
        case = self._case_referred(frame)
        if case is None or case.status != frame.status:
            return lambda: None
        return lambda: self._join(entry, case)

    def _cited(self, entry: Entry, frame: Frame) -> None:
        """Receipts that an entry cites date the provision of what they newly cover."""
        for receipt in frame.receipts:
            key = (entry.place.party, receipt.by)
            size, stamp = self._provided.get(key, (0, 0))
            # A receipt that is dated before the last one may move the provision of everything that it covers.
            since = size if receipt.timestamp >= stamp else 0
            self._provided[key] = (receipt.size, receipt.timestamp)
            self.touched.update(
                question for _, question in self.clocked_between(entry.place.party, since, receipt.size)
            )

    def clocked_between(self, journal: str, after: int, upto: int) -> list[tuple[int, Place]]:
        """Entries of a journal with `after` < number <= `upto` at whose provision a clock starts, and the questions."""
        found = self.clocked.get(journal, [])
        return found[bisect_right(found, after, key=_number) : bisect_right(found, upto, key=_number)]

    def _clock(self, entry: Entry, question: Place) -> None:
        self.clocked.setdefault(entry.place.party, []).append((entry.place.number, question))
        self.touched.add(question)

    def _join(self, entry: Entry, case: Case) -> None:
        self.case_of[entry.place] = case.opening
        case.entries.append(entry)

    def _enter(self, entry: Entry, case: Case, entries: list[Entry]) -> None:
        entries.append(entry)
        self.touched.update(case.questions)
        self._join(entry, case)

    def _case_referred(self, frame: Frame) -> Case | None:
        first = frame.refers_to[0].place if frame.refers_to else None
        opening = self.case_of.get(first) if first else None
        return self.cases[opening] if opening else None

    def _case(self, entry: Entry, frame: Frame, reason: str, words: str) -> Case:
        case = self._case_referred(frame)
        if case is None:
            raise Refused(reason, words)
        _same_status(case, frame)
        if self.closed(case, entry):
            raise Refused("case-closed", f"the case {case.opening} is closed")
        return case

    def closed(self, case: Case, entry: Entry) -> bool:
        """Whether the past of an entry contains a closure of the case."""
        return any(within(entry.past, closure.place) for closure in case.closures)

    # 1. Question.
    def _question(self, entry: Entry, frame: Frame, effect: str) -> Callable[[], None]:
        pack = self.record.packs[frame.pack or self.record.agreement]
        if effect == "alerts.coded":
            word, number = frame.content["word"], frame.content["number"]
            code = pack.codes.get((word, number))
            if code is None:
                raise Refused("unknown-code", f"{word} {number} is not in the book of the pack in force")
            name = code["class"]
        else:
            name = frame.content["class"]
        alert = pack.alert_classes.get(name)
        if alert is None:
            known = ", ".join(sorted(pack.alert_classes)) or "none"
            raise Refused("unknown-class", f"no class of alerts {name!r}; the pack has {known}")
        if not frame.to:
            raise Refused("nobody-addressed", "an alert or inquiry addresses at least one party")
        if frame.precedence != alert["precedence"]:
            raise Refused("precedence", f"class {name} has precedence {alert['precedence']}, not {frame.precedence}")
        answer_by = frame.content.get("answer-by")
        if answer_by is not None and not _exists(answer_by):
            raise Refused("no-such-date", f"the answer is due at {answer_by}, which does not exist")
        if answer_by is not None and instant_seconds(answer_by) <= instant_seconds(frame.released_at):
            raise Refused("deadline-past", f"the answer is due at {answer_by}, which is not after its release")
        case = self._case_referred(frame)
        if case is not None:
            if entry.place.party not in case.sides:
                raise Refused("not-in-case", f"{entry.place.party} is no side of the case {case.opening}")
            _same_status(case, frame)
            if self.closed(case, entry):
                raise Refused("case-closed", f"the case {case.opening} is closed; open another one")
        due = instant_seconds(answer_by) if answer_by else None
        return lambda: self._ask(entry, frame, case, clocking_of(alert), due)

    def _ask(self, entry: Entry, frame: Frame, case: Case | None, clocking: Clocking, due: int | None) -> None:
        if case is None:
            case = self.cases[entry.place] = Case(entry.place, frozenset({entry.place.party, *frame.to}), frame.status)
        case.questions.append(entry.place)
        self.questions[entry.place] = Question(entry, case.opening, clocking, due)
        self._clock(entry, entry.place)
        self._join(entry, case)

    # 2. Answer.
    def _answer(self, entry: Entry, frame: Frame) -> Callable[[], None]:
        question = self.questions.get(frame.refers_to[0].place) if frame.refers_to else None
        if question is None:
            raise Refused("no-question", "an answer refers first to the alert or inquiry that it answers")
        assert question.entry.frame is not None
        if entry.place.party not in question.entry.frame.to:
            raise Refused("not-asked", f"{question.place} does not address {entry.place.party}")
        case = self._case(entry, frame, "no-question", "")

        def post() -> None:
            question.answers.setdefault(entry.place.party, []).append(entry)
            self.answer_to[entry.place] = question.place
            self.touched.add(question.place)
            self._join(entry, case)

        return post

    # 3. Assessment.
    def _assess(self, entry: Entry, frame: Frame) -> Callable[[], None]:
        answer = frame.refers_to[0].place if frame.refers_to else None
        asked = self.answer_to.get(answer) if answer else None
        if asked is None or answer is None:
            raise Refused("no-answer", "an assessment refers first to the answer that it assesses")
        question = self.questions[asked]
        if question.place.party != entry.place.party:
            raise Refused("not-the-asker", f"{answer} answers a question by {question.place.party}, who assesses it")
        case = self._case(entry, frame, "no-answer", "")
        told = (entry, frame.content["assessment"], frame.content["reason"])

        def post() -> None:
            question.assessments.setdefault(answer, []).append(told)
            self._clock(entry, asked)
            self._join(entry, case)

        return post

    # 4. Meeting.
    def _meet(self, entry: Entry, frame: Frame) -> Callable[[], None]:
        case = self._case(entry, frame, "no-case", "a meeting refers first to an entry of its case")
        if entry.place.party not in case.sides:
            raise Refused("not-in-case", f"{entry.place.party} is no side of the case {case.opening}")
        if frame.content["on"] < frame.released_at[:10]:
            raise Refused("deadline-past", f"the meeting is on {frame.content['on']}, before its notice")
        return lambda: self._enter(entry, case, case.meetings)

    # 5. Closure.
    def _close(self, entry: Entry, frame: Frame) -> Callable[[], None]:
        case = self._case(entry, frame, "no-case", "a closure refers first to an entry of the case that it closes")
        if case.opening.party != entry.place.party:
            raise Refused("not-own-case", f"{case.opening.party} opened the case {case.opening}, and closes it")
        return lambda: self._enter(entry, case, case.closures)

    # 6. Acknowledgement, escalation.
    def _acknowledge(self, entry: Entry, frame: Frame) -> Callable[[], None]:
        asked = [self.questions[r.place] for r in frame.refers_to if r.place in self.questions]
        asked = [q for q in asked if q.entry.frame is not None and entry.place.party in q.entry.frame.to]
        cases = list(dict.fromkeys(self.case_of[r.place] for r in frame.refers_to if r.place in self.case_of))
        for opening in cases:
            _same_status(self.cases[opening], frame)

        def post() -> None:
            for question in asked:
                question.acknowledgements.setdefault(entry.place.party, []).append(entry)
                self.touched.add(question.place)
            for opening in reversed(cases):  # what refers to it belongs to the first
                self._join(entry, self.cases[opening])

        return post

    def _escalate(self, entry: Entry, frame: Frame) -> Callable[[], None]:
        question = self.questions.get(frame.refers_to[0].place) if frame.refers_to else None
        if question is None:
            raise Refused("no-question", "an escalation refers first to the question whose clock it is about")
        case = self.cases[question.case]
        assert question.entry.frame is not None
        # A follow-up may address who is no side of the case; its clock runs all the same, and its centre says so.
        if entry.place.party not in {question.place.party, *question.entry.frame.to}:
            raise Refused("not-asked", f"{question.place} is neither by {entry.place.party} nor addressed to it")
        _same_status(case, frame)

        def post() -> None:
            question.escalations.append(entry)
            self.touched.add(question.place)  # only this one: thousands in a case would each be looked at again
            self._join(entry, case)

        return post


def _same_status(case: Case, frame: Frame) -> None:
    """An exercise says nothing about an actual case, nor the other way round."""
    if frame.status != case.status:
        raise Refused("status", f"the case {case.opening} has status {case.status}, not {frame.status}")


def _commit(register: AlertsRegister, entry: Entry, frame: Frame) -> Callable[[], None]:
    if not digests_of(frame.content):
        raise Refused("not-sealed", "what is exchanged is sealed until all have committed")

    def post() -> None:
        name = frame.content["round"]
        found = register.rounds.setdefault((name, frame.status), Round(name, frame.status))
        found.sides[entry.place] = frozenset({entry.place.party, *frame.to})
        if found.committed.setdefault(entry.place.party, entry.place) == entry.place:
            register._commitments[entry.place] = found

    return post


def _reveal(register: AlertsRegister, entry: Entry, frame: Frame) -> Callable[[], None]:
    found = register._commitments.get(frame.refers_to[0].place)
    if found is None or found.status != frame.status:
        return lambda: None
    held = {party: place for party, place in found.committed.items() if within(entry.past, place)}
    missing = {name for place in held.values() for name in found.sides[place]} - held.keys()
    if missing:
        raise Refused("round-open", f"{', '.join(sorted(missing))} has not committed in round {found.name}")

    def post() -> None:
        found.revealed.setdefault(entry.place.party, entry.place)

    return post


def _number(item: tuple[int, Place]) -> int:
    return item[0]


def _exists(instant: str) -> bool:
    try:
        check_instant(instant)
    except DateExpressionError:
        return False
    return True


Rule = Callable[[AlertsRegister, Entry, Frame], Callable[[], None]]
_RULES: dict[str, Rule] = {
    "alerts.answer": AlertsRegister._answer,
    "alerts.assessment": AlertsRegister._assess,
    "alerts.meeting": AlertsRegister._meet,
    "alerts.closure": AlertsRegister._close,
    "acknowledge": AlertsRegister._acknowledge,
    "escalation": AlertsRegister._escalate,
    "line.exchange": _commit,
    "reveal": _reveal,
}
