# SPDX-License-Identifier: Apache-2.0
"""Everything that the custody fold knows: lots, tables, declarations, discrepancies, statements (spec/custody.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from servanda.journal.frame import Place
from servanda.registers.custody.lots import Lot, LotName
from servanda.registers.custody.rows import TableRows


@dataclass(slots=True)
class Declaration:
    """The rows of a declaration as last corrected, and the lot of each."""

    rows: list[dict[str, Any]]
    lots: list[LotName]


class Discrepancy(NamedTuple):
    """Something that does not fit: where it arose, what kind, which lot."""

    entry: Place
    code: str
    lot: LotName | None
    rows: int = 0
    """How many rows of a table, the first of them `lot`; 0 if a lot was named by its name."""
    about: tuple[str, str] | tuple[()] = ()
    """Kind and place, where a count differs from the book."""


class Figure(NamedTuple):
    """A published figure beside others: never added up, never corrected by another."""

    entry: Place
    party: str
    data: dict[str, Any]


class Count(NamedTuple):
    """One kind at one place in a complete count: what was counted, and what the book had, None if not exactly known."""

    kind: str
    place: str
    unit: str
    counted: int | None
    book: int | None


@dataclass(slots=True)
class Inventory:
    """A complete count: the places it covers (None: all), and what it says of each kind there."""

    places: frozenset[str] | None
    counts: list[Count]
    sealed: bool
    """Whether the book had something of which kind or place is sealed."""


@dataclass
class Holdings:
    """Everything that the custody fold knows."""

    lots: dict[LotName, Lot] = field(default_factory=dict)
    """Every lot that is not a row of a table."""
    tables: dict[Place, TableRows] = field(default_factory=dict)
    """The rows of every declaration by table."""
    contents: dict[LotName, set[LotName]] = field(default_factory=dict)
    """Container to everything that was ever put into it."""
    inventories: dict[Place, Inventory] = field(default_factory=dict)
    declarations: dict[Place, Declaration] = field(default_factory=dict)
    serials: dict[tuple[str, str], dict[str, LotName]] = field(default_factory=dict)
    """(kind, serial) to the lot of each declarer."""
    discrepancies: set[Discrepancy] = field(default_factory=set)
    offers: dict[Place, str] = field(default_factory=dict)
    """Posted offers that have not had their effect: place to effect."""
    statements: dict[Place, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """Figures, findings, issues, seals and conditions: place to (effect, content), as last corrected."""

    def find(self, name: LotName) -> Lot | None:
        """The lot of that name, or the lot of several rows that this row is part of."""
        rows = self.tables.get(name.place)
        return self.lots.get(name) if rows is None else rows.at(name.row)

    def every(self) -> list[Lot]:
        """All lots, ended ones too, by party, number and row."""
        found = [*self.lots.values(), *(lot for rows in self.tables.values() for lot in rows.lots)]
        return sorted(found, key=lambda lot: lot.name)
