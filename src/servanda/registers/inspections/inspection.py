# SPDX-License-Identifier: Apache-2.0
"""What the inspections register keeps: mandates, plans with their draws, openings of tables, items found outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from servanda.agreement.dates import instant_seconds
from servanda.journal.frame import Frame, Place
from servanda.journal.state import Entry
from servanda.journal.threads import Cut, within
from servanda.proof.sealing import digests_of
from servanda.proof.tables import Row
from servanda.registers.inspections.population import Population, Ranges
from servanda.verification.selection import ALGORITHM, draw_id, draw_rows, joint_seed, stratum_seed

INSPECTOR, INSPECTED = "inspector", "inspected"
ALL = "all"
"""The algorithm of a plan that looks at everything: nothing is drawn."""


SPENDING = frozenset({"early-reveal", "bad-secret"})
"""Why a reveal does not count, although its secret is known: its author can reveal no more in this draw."""


class Discrepancy(NamedTuple):
    """An entry of which a rule is not met, or an item that is not in the root."""

    entry: Place
    code: str
    item: str | None = None


def frame_of(entry: Entry) -> Frame:
    """The frame of an admissible entry."""
    assert entry.frame is not None
    return entry.frame


def time_of(entry: Entry) -> int:
    """The time by which an entry is judged: its exercise clock if it has one, else its release. Seconds since 1970."""
    frame = frame_of(entry)
    return instant_seconds(frame.exercise_at or frame.released_at)


class Mandate(NamedTuple):
    """An offer that says who may inspect whom. It holds where the offer has effect."""

    entry: Entry
    sides: dict[str, str]
    """All who take part, to the side on which they stand."""

    @property
    def content(self) -> dict[str, Any]:
        """What it says."""
        return frame_of(self.entry).content


class Finding(NamedTuple):
    """What was found of one item."""

    entry: Entry
    outcome: str
    evidence: tuple[str, ...]
    note: str


@dataclass
class Plan:
    """One inspection: its list, its draw, and what came of it."""

    entry: Entry
    mandate: Mandate
    population: Population
    terms: dict[str, Any] | None
    """The terms of its draw (spec/draw.md); None where everything is looked at."""
    commitments: dict[str, Entry] = field(default_factory=dict)
    reveals: dict[str, tuple[Entry, bytes]] = field(default_factory=dict)
    spent: dict[str, tuple[Entry, str]] = field(default_factory=dict)
    """Who revealed early or badly: the entry, and the reason."""
    findings: dict[str, Finding] = field(default_factory=dict)
    report: Entry | None = None
    comments: list[Entry] = field(default_factory=list)
    _sample: tuple[bytes, list[str]] | None = None
    _drawn: frozenset[str] = frozenset()

    @property
    def place(self) -> Place:
        """Where the plan stands."""
        return self.entry.place

    @property
    def content(self) -> dict[str, Any]:
        """What it says."""
        return frame_of(self.entry).content

    @property
    def parties(self) -> list[str]:
        """All who take part in the draw, sorted."""
        return sorted(self.mandate.sides)

    def committed_in(self, cut: Cut) -> set[str]:
        """Who has committed within `cut`."""
        return {party for party, entry in self.commitments.items() if within(cut, entry.place)}

    def revealed_in(self, cut: Cut) -> set[str]:
        """Who has validly revealed within `cut`."""
        return {party for party, (entry, _) in self.reveals.items() if within(cut, entry.place)}

    def drawn_in(self, cut: Cut) -> bool:
        """Whether it is settled within `cut` which items are looked at."""
        return self.terms is None or self.revealed_in(cut) == set(self.mandate.sides)

    @property
    def drawn(self) -> bool:
        """Whether it is settled, by all that is known, which items are looked at."""
        return self.terms is None or set(self.reveals) == set(self.mandate.sides)

    def sample(self) -> tuple[bytes, list[str]] | None:
        """The seed and the items drawn, in the order of the draw; None until all have revealed, or if all is looked at.

        What was computed once stays: secrets are never taken back.
        """
        if self.terms is None or set(self.reveals) != set(self.mandate.sides):
            return None
        if self._sample is None:
            seed = joint_seed(draw_id(self.terms), {party: secret for party, (_, secret) in self.reveals.items()})
            positions = draw_rows(stratum_seed(seed, STRATUM), self.population.size, self.content["sample"])
            self._sample = seed, self.population.items(positions)
            self._drawn = frozenset(self._sample[1])
        return self._sample

    def was_drawn(self, item: str) -> bool:
        """Whether an item is among those to be looked at; False while nothing is drawn."""
        if self.terms is None:
            return self.population.has(item)
        return self.sample() is not None and item in self._drawn


STRATUM = "items"
"""A plan has one stratum."""


def terms_of(place: Place, content: dict[str, Any], parties: list[str]) -> dict[str, Any] | None:
    """The terms of a plan's draw, None if it looks at everything."""
    if content["algorithm"] == ALL:
        return None
    listed = content["population"]
    stratum = {
        "lots": listed["lots"],
        "places": listed["places"],
        "population": listed["tables"],
        "sample": content["sample"],
        "stratum": STRATUM,
    }
    return {"algorithm": ALGORITHM, "parties": parties, "plan": str(place), "strata": [stratum]}


def sealed_digest(entry: Entry) -> str | None:
    """The digest of the one sealed member of a commitment, None if it has not exactly one."""
    found = digests_of(frame_of(entry).content)
    return found.pop() if len(found) == 1 else None


@dataclass
class Opening:
    """An entry that opens rows of a table."""

    entry: Entry
    rows: Ranges
    """Those it opens and those it says are handed beside the record."""
    proved: frozenset[int]
    """Those it opens."""
    complete: str | None
    answers: Place | None
    """What it refers to first."""


@dataclass
class OpenedTable:
    """A table of which rows have been opened, asked for or searched."""

    name: str
    root: str
    rows: int
    groups: list[dict[str, Any]]
    opened: dict[int, tuple[Place, Row]] = field(default_factory=dict)
    """Rows that the record proves: by which entry first, and what they say."""
    openings: list[Opening] = field(default_factory=list)


class Request(NamedTuple):
    """Rows, or all rows of a place, that an inspector asks to see by a time."""

    entry: Entry
    table: str
    rows: Ranges
    place: str | None
    by: int


class Undeclared(NamedTuple):
    """Items seen and not found among the rows of a table that were open."""

    entry: Entry
    table: str
    searched: Ranges
    items: list[dict[str, Any]]
