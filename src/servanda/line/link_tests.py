# SPDX-License-Identifier: Apache-2.0
"""Link tests and their answers by machines: who answered which, and how long it took (spec/alerts.md, Link tests).

An answer has the test in its past, and the answers of one party come in the order of its journal; so entries may come
in any order in which each follows its past.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from servanda.agreement.dates import instant_seconds, instant_text
from servanda.journal.frame import Frame, Place
from servanda.journal.record import Record
from servanda.journal.refusal import Refused, refusal_of
from servanda.journal.state import Entry
from servanda.line.discrepancies import Discrepancy, discrepancies_document
from servanda.proof.canonical import encode


@dataclass(frozen=True, slots=True)
class LinkAnswer:
    """The answer of one party to one link test."""

    entry: Place
    response: int
    """Seconds from the release of the test to that of the answer, by the two centres' clocks: below 0 if these differ
    by more than the answer took."""

    @property
    def party(self) -> str:
        """Whose centre answered."""
        return self.entry.party


@dataclass(frozen=True, slots=True)
class LinkTest:
    """One link test."""

    entry: Place
    to: tuple[str, ...]
    status: str
    exercise_at: str | None
    released: int
    """Seconds since 1970, by the clock of the centre that tests."""


class Tested(NamedTuple):
    """A link test as one of its addressees has answered it, or not."""

    test: LinkTest
    answer: LinkAnswer | None


class Statistics(NamedTuple):
    """What a series of link tests of one party by another comes to. Times in seconds."""

    tests: int
    answered: int
    measured: int
    """Of the answered ones, those whose response is not below 0."""
    median: int | None
    """Of the measured responses; of two in the middle the lower one."""
    worst: int | None


class LinkTests:
    """Every link test in the record and its answers. Call `catch_up` after the record has judged more entries."""

    def __init__(self, record: Record) -> None:
        """Start empty; nothing of the record is folded yet."""
        self.record = record
        self.position = 0
        self.tests: dict[Place, LinkTest] = {}
        self.discrepancies: list[Discrepancy] = []
        self._answers: dict[Place, dict[str, LinkAnswer]] = {}
        self._by: dict[str, list[LinkTest]] = {}
        self._open: dict[str, dict[Place, LinkTest]] = {}
        self._given: dict[tuple[str, str], Entry] = {}

    def catch_up(self) -> None:
        """Fold every entry of the record's log that has not been folded yet."""
        while self.position < len(self.record.log):
            entry = self.record.log[self.position]
            self.position += 1
            if entry.admissible and entry.frame is not None:
                try:
                    self._judge(entry, entry.frame)()
                except Refused as refused:
                    found = Discrepancy(entry.place, f"link/{refused.reason}", entry.frame.status)
                    self.discrepancies.append(found)

    def check(self, entry: Entry) -> Refused | None:
        """Why an admissible entry would answer no link test, though that is its format, or None. Nothing is changed."""
        assert entry.frame is not None
        return refusal_of(self._judge, entry, entry.frame)

    def _judge(self, entry: Entry, frame: Frame) -> Callable[[], None]:
        if frame.format == "link-test":
            return lambda: self._test(entry, frame)
        if frame.format == "link-answer":
            return self._answer(entry, frame)
        return lambda: None

    def _test(self, entry: Entry, frame: Frame) -> None:
        test = LinkTest(
            entry.place, frame.to, frame.status, frame.exercise_at, released=instant_seconds(frame.released_at)
        )
        self.tests[entry.place] = test
        self._by.setdefault(entry.place.party, []).append(test)
        for party in frame.to:
            self._open.setdefault(party, {})[entry.place] = test

    def _answer(self, entry: Entry, frame: Frame) -> Callable[[], None]:
        party = entry.place.party
        first = self.tests.get(frame.refers_to[0].place) if frame.refers_to else None
        if first is None:
            raise Refused("no-test", "a link answer refers first to the link test that it answers")
        if party not in first.to:
            raise Refused("not-tested", f"the link test {first.entry} does not address {party}")
        if party in self._answers.get(first.entry, {}):
            raise Refused("answered", f"{party} has answered the link test {first.entry} before")
        if frame.status != first.status:
            raise Refused("status", f"the link test {first.entry} has status {first.status}, not {frame.status}")
        told = dict.fromkeys(reference.place for reference in frame.refers_to)
        # What else it refers to it answers too, where that is open to it; the rest is a mere reference.
        still = self._open.get(party, {})
        answered = [
            still[place]
            for place in told
            if place in still and (place.party, still[place].status) == (first.entry.party, first.status)
        ]
        return lambda: self._post(entry, frame, answered)

    def _post(self, entry: Entry, frame: Frame, answered: Sequence[LinkTest]) -> None:
        party, released = entry.place.party, instant_seconds(frame.released_at)
        for test in answered:
            self._answers.setdefault(test.entry, {})[party] = LinkAnswer(entry.place, released - test.released)
            del self._open[party][test.entry]
            self._given[party, test.entry.party] = entry

    def unanswered(self, party: str) -> list[LinkTest]:
        """The link tests that address `party` and that it has not answered, by place."""
        return [test for _, test in sorted(self._open.get(party, {}).items())]

    def newest_answer(self, party: str, to: str) -> Entry | None:
        """The newest entry by which `party` answered a link test of `to`."""
        return self._given.get((party, to))

    def history(self, by: str, of: str) -> list[Tested]:
        """The link tests that `by` addressed to `of`, in their order, and what became of each."""
        return [Tested(test, self._answers.get(test.entry, {}).get(of)) for test in self.by(by) if of in test.to]

    def by(self, party: str) -> Sequence[LinkTest]:
        """The link tests of a party, in their order."""
        return self._by.get(party, ())

    def answers(self, test: Place) -> list[LinkAnswer]:
        """The answers to a link test, by party."""
        return [answer for _, answer in sorted(self._answers.get(test, {}).items())]


def statistics(history: Sequence[Tested]) -> Statistics:
    """What a history comes to."""
    answers = [tested.answer for tested in history if tested.answer is not None]
    measured = sorted(answer.response for answer in answers if answer.response >= 0)
    return Statistics(
        tests=len(history),
        answered=len(answers),
        measured=len(measured),
        median=measured[(len(measured) - 1) // 2] if measured else None,
        worst=measured[-1] if measured else None,
    )


def link_tests_document(register: LinkTests) -> dict[str, Any]:
    """Every link test with its answers, and what answered none (spec/alerts.md, Link tests)."""
    return {
        "discrepancies": discrepancies_document(register.discrepancies),
        "servanda-link-tests": 1,
        "tests": [
            {
                "answers": [
                    {"entry": str(answer.entry), "party": answer.party, "response": answer.response}
                    for answer in register.answers(place)
                ],
                "entry": str(place),
                "released": instant_text(test.released),
                "status": test.status,
                "to": list(test.to),
            }
            for place, test in sorted(register.tests.items())
        ],
    }


def link_tests_bytes(register: LinkTests) -> bytes:
    """Canonical bytes of the document."""
    return encode(link_tests_document(register))
