# SPDX-License-Identifier: Apache-2.0
"""What the alerts register keeps: cases, their questions, and what has been said about each (spec/alerts.md, Cases)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from servanda.journal.frame import Place
from servanda.journal.state import Entry

QUESTIONS = frozenset({"alerts.alert", "alerts.inquiry", "alerts.coded"})


class Clocking(NamedTuple):
    """An alert class as the pack of the question has it; minutes, None where it has none."""

    identifier: str
    acknowledge: int
    answer: int | None
    meeting: int | None
    remind: int | None
    escalate: int


@dataclass
class Question:
    """An alert, an inquiry or a short message, and what each party it addresses has done about it."""

    entry: Entry
    case: Place
    clocking: Clocking
    answer_by: int | None
    """Seconds since 1970, or None."""
    acknowledgements: dict[str, list[Entry]] = field(default_factory=dict)
    answers: dict[str, list[Entry]] = field(default_factory=dict)
    assessments: dict[Place, list[tuple[Entry, str, str]]] = field(default_factory=dict)
    """Answer to its assessments: (entry, assessment, reason)."""
    escalations: list[Entry] = field(default_factory=list)

    @property
    def place(self) -> Place:
        """Where the question stands."""
        return self.entry.place


@dataclass
class Case:
    """One case: its questions and all entries about it."""

    opening: Place
    sides: frozenset[str]
    status: str
    """`actual`, `exercise` or `test`: of every entry in it."""
    questions: list[Place] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    meetings: list[Entry] = field(default_factory=list)
    closures: list[Entry] = field(default_factory=list)


class Discrepancy(NamedTuple):
    """An entry that fits no case, and why."""

    entry: Place
    code: str


@dataclass
class Round:
    """A simultaneous exchange: what each party has committed to, and what it has revealed."""

    name: str
    status: str
    sides: dict[Place, frozenset[str]] = field(default_factory=dict)
    """Commitment to its author and those whom it addresses."""
    committed: dict[str, Place] = field(default_factory=dict)
    revealed: dict[str, Place] = field(default_factory=dict)

    @property
    def parties(self) -> set[str]:
        """Everybody who commits or is addressed by who does."""
        return {party for sides in self.sides.values() for party in sides}


def clocking_of(alert: dict[str, Any]) -> Clocking:
    """The clocks of a pack's alert class (spec/pack.md)."""
    acknowledge = alert["acknowledge-minutes"]
    return Clocking(
        identifier=alert["id"],
        acknowledge=acknowledge,
        answer=alert["answer-minutes"],
        meeting=alert.get("meeting-minutes"),
        remind=alert.get("remind-minutes"),
        escalate=alert.get("escalate-minutes", acknowledge),
    )
