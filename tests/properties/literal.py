# SPDX-License-Identifier: Apache-2.0
"""Spec/alerts.md, Cases and Clocks, read word by word from the leaves alone: slow, and without code of the registers.

Every rule looks at all entries again. What it shares with the program is the JSON of an entry and which entries are
admissible.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from tests.rig.ledger import Payload, payload_of

At = tuple[str, int]
"""A place: party and number."""
QUESTIONS = ("warn", "ask", "code")
"""Formats of the test pack that ask."""


class Read(NamedTuple):
    """A clock as the page describes it."""

    name: str
    question: At
    party: str
    start: int
    due: int
    stopped: int | None
    state: str


def seconds(instant: str) -> int:
    return math.floor(datetime.fromisoformat(instant.replace("Z", "+00:00")).timestamp())


class Reading:
    """What the page says of a set of journals."""

    def __init__(self, leaves: Mapping[str, Sequence[bytes]], admissible: set[At], pack: Mapping[str, Any]) -> None:
        self.said: dict[At, Payload] = {
            (party, number): payload_of(leaf)
            for party, held in leaves.items()
            for number, leaf in enumerate(held, start=1)
        }
        self.good = admissible
        self.classes = {one["id"]: one for one in pack["alerts"]}
        self.codes = {(code["word"], code["number"]): code["class"] for code in pack["codes"]}
        self.cases: dict[At, At] = {}
        """Entry to the opening of its case."""
        self.sides: dict[At, set[str]] = {}
        self.discrepancies: set[tuple[At, str]] = set()
        for at in self._order():
            if at in self.good:
                self._case(at)

    # The past of an entry.
    def head(self, at: At, party: str) -> int:
        """How much of a journal an entry has in its past."""
        own, number = at
        if party == own:
            return number - 1
        stated = [h["size"] for n in range(1, number + 1) for h in self.said[own, n]["heads"] if h["party"] == party]
        return max(stated, default=0)

    def covers(self, at: At, other: At) -> bool:
        return other[1] <= self.head(at, other[0])

    def _order(self) -> Iterator[At]:
        left = set(self.said)
        while left:
            ready = {at for at in left if not any(self.covers(at, other) for other in left)}
            yield from sorted(ready)
            left -= ready

    def _first(self, at: At) -> At | None:
        referred = self.said[at]["refers-to"]
        return (referred[0]["party"], referred[0]["number"]) if referred else None

    def _all(self, at: At) -> list[At]:
        return [(one["party"], one["number"]) for one in self.said[at]["refers-to"]]

    def _is(self, at: At | None, form: str) -> bool:
        return at is not None and at in self.cases and self.said[at]["format"] == form

    def asks(self, at: At | None) -> bool:
        return at is not None and at in self.cases and self.said[at]["format"] in QUESTIONS

    def closed(self, case: At, at: At) -> bool:
        return any(self._is(c, "close") and self.cases[c] == case and self.covers(at, c) for c in self.cases)

    # Cases, rules 1 to 6.
    def _case(self, at: At) -> None:
        form = self.said[at]["format"]
        fault = getattr(self, f"_rule_{form}", self._rule_other)(at)
        if fault:
            self.discrepancies.add((at, f"alerts/{fault}"))

    def class_of(self, at: At) -> Mapping[str, Any] | None:
        content = self.said[at]["content"]
        if "word" in content:
            return self.classes.get(self.codes.get((content["word"], content["number"]), ""))
        return self.classes.get(content["class"])

    def _rule_warn(self, at: At) -> str:
        told = self.class_of(at)
        frame, by, first = self.said[at], self.said[at]["content"].get("answer-by"), self._first(at)
        if told is None:
            return "unknown-code" if "word" in frame["content"] else "unknown-class"
        if not frame["to"]:
            return "nobody-addressed"
        if frame["precedence"] != told["precedence"]:
            return "precedence"
        if by is not None and seconds(by) <= seconds(frame["released-at"]):
            return "deadline-past"
        if first in self.cases:
            case = self.cases[first]
            if at[0] not in self.sides[case]:
                return "not-in-case"
            if self.strange(case, at):
                return "status"
            if self.closed(case, at):
                return "case-closed"
            self.cases[at] = case
        else:
            self.cases[at], self.sides[at] = at, {at[0], *frame["to"]}
        return ""

    _rule_ask = _rule_code = _rule_warn

    def strange(self, case: At, at: At) -> bool:
        """Whether an entry has another status than a case."""
        return bool(self.said[at]["status"] != self.said[case]["status"])

    def _open(self, at: At, first: At) -> str:
        if self.strange(self.cases[first], at):
            return "status"
        if self.closed(self.cases[first], at):
            return "case-closed"
        self.cases[at] = self.cases[first]
        return ""

    def _rule_tell(self, at: At) -> str:
        first = self._first(at)
        if first is None or not self.asks(first):
            return "no-question"
        return self._open(at, first) if at[0] in self.said[first]["to"] else "not-asked"

    def _rule_assess(self, at: At) -> str:
        first = self._first(at)
        if first is None or not self._is(first, "tell"):
            return "no-answer"
        asked = self._first(first)
        assert asked is not None
        return self._open(at, first) if asked[0] == at[0] else "not-the-asker"

    def _rule_meet(self, at: At) -> str:
        first = self._first(at)
        if first is None or first not in self.cases:
            return "no-case"
        if self.strange(self.cases[first], at):
            return "status"
        if self.closed(self.cases[first], at):
            return "case-closed"
        if at[0] not in self.sides[self.cases[first]]:
            return "not-in-case"
        if self.said[at]["content"]["on"] < self.said[at]["released-at"][:10]:
            return "deadline-past"
        return self._open(at, first)

    def _rule_close(self, at: At) -> str:
        first = self._first(at)
        if first is None or first not in self.cases:
            return "no-case"
        if self.strange(self.cases[first], at):
            return "status"
        if self.closed(self.cases[first], at):
            return "case-closed"
        return self._open(at, first) if self.cases[first][0] == at[0] else "not-own-case"

    def _rule_acknowledge(self, at: At) -> str:
        found = [self.cases[one] for one in self._all(at) if one in self.cases]
        if any(self.strange(case, at) for case in found):
            return "status"
        if found:
            self.cases[at] = found[0]
        return ""

    def _rule_escalation(self, at: At) -> str:
        first = self._first(at)
        if first is None or not self.asks(first):
            return "no-question"
        if at[0] not in (first[0], *self.said[first]["to"]):
            return "not-asked"
        if self.strange(self.cases[first], at):
            return "status"
        self.cases[at] = self.cases[first]
        return ""

    def _rule_other(self, at: At) -> str:
        first = self._first(at)
        if first in self.cases and not self.strange(self.cases[first], at):
            self.cases[at] = self.cases[first]
        return ""

    # Clocks.
    def released(self, at: At) -> int:
        return seconds(self.said[at]["released-at"])

    def provided(self, at: At, party: str) -> int:
        """The earliest cited receipt by a party, moved into the time in which it can be given; else the release."""
        found: list[int] = []
        for citing, payload in self.said.items():
            if citing[0] != at[0] or citing not in self.good:
                continue
            for receipt in payload["receipts"]:
                if receipt["by"] == party and receipt["size"] >= at[1]:
                    stamp = int.from_bytes(base64.b64decode(receipt["cosignature"])[4:12], "big")
                    found.append(max(self.released(at), min(stamp, self.released(citing))))
        return min(found, default=self.released(at))

    def clocks(self, question: At, now: int) -> list[Read]:
        found: list[Read] = []
        for party in self.said[question]["to"]:
            found += self._clocks_for(question, party, now)
        return sorted(found)

    def _clocks_for(self, question: At, party: str, now: int) -> Iterator[Read]:
        told, by = self.class_of(question), self.said[question]["content"].get("answer-by")
        assert told is not None
        mine = [at for at in sorted(self.cases) if at[0] == party]
        answers = [at for at in mine if self._is(at, "tell") and self._first(at) == question]
        read = [at for at in sorted(self.good) if at[0] == party and question in self._all(at)]
        read = [at for at in read if self.said[at]["format"] == "acknowledge" and not self.strange(question, at)]
        accepted = [at for at in read if self.said[at]["content"]["disposition"] in ("accepted", "rejected")][:1]
        rejected = [at for at in read if self.said[at]["content"]["disposition"] == "rejected"][:1]
        failed: list[tuple[At, At]] = []
        for answer in answers:
            about = [at for at in sorted(self.cases) if self._is(at, "assess") and self._first(at) == answer]
            if about and self.said[about[-1]]["content"]["assessment"] != "sufficient":
                failed.append((answer, about[-1]))
        case, start = self.cases[question], self.provided(question, party)

        def clock(name: str, start: int, due: int, ends: Sequence[At]) -> Read:
            closures = [self.released(at) for at in self.cases if self._is(at, "close") and self.cases[at] == case]
            stops = [self.released(at) for at in ends]
            stopped = min([*stops, *closures], default=None)
            if stopped is None or stopped > now:
                state = "overdue" if now > due else "running"
            elif stopped > due:
                state = "late"
            else:
                state = "met" if stopped in stops else "stopped"
            return Read(name, question, party, start, due, stopped, state)

        yield clock("acknowledge", start, start + 60 * told["acknowledge-minutes"], [*accepted, *answers[:1]])
        minutes, meeting = told["answer-minutes"], told.get("meeting-minutes")
        starts = [self.released(assessed) for _, assessed in failed]
        if minutes is not None or by is not None:
            due = seconds(by) if by is not None else start + 60 * minutes
            shown = clock("answer", start, due, [*answers[:1], *rejected])
            if shown.stopped is None or shown.stopped > due:
                starts.append(due)
            if failed and minutes is not None:
                answer, assessed = failed[-1]
                anew = self.provided(assessed, party)
                later = [at for at in answers if at > answer][:1]
                shown = clock("answer", anew, anew + 60 * minutes, [*later, *rejected])
            yield shown
        if meeting is not None and starts:
            begun = min(starts)
            held = [at for at in self.cases if self._is(at, "meet") and self.cases[at] == case]
            yield clock("meeting", begun, begun + 60 * meeting, [at for at in held if self.released(at) >= begun])
