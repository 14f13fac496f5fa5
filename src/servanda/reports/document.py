# SPDX-License-Identifier: Apache-2.0
"""What every report is: sections of rows, each with the entries it follows from, and an annex with their leaf hashes.

One document, as canonical JSON, is what all forms are made of (docs/reference/reports.md). It is a function of the
record, the period and the language: no clock is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from servanda.proof.canonical import encode

TEXT, AMOUNT, INTEGER, DATE, DECIMAL = "text", "amount", "integer", "date", "decimal"
"""Kinds of column. `amount`: an integer of a unit's smallest steps; `decimal`: an exact decimal number, as a text."""


class Column(NamedTuple):
    """A column: its id (stable, the same in every language), its title, and the kind of its cells."""

    identifier: str
    title: str
    kind: str = TEXT


class Amount(NamedTuple):
    """An amount in the unit's smallest step (None: not stated), or a range of them, with its qualifier."""

    amount: int | None
    unit: str
    qualifier: str = "exact"
    to: int | None = None

    def data(self) -> dict[str, Any]:
        """As JSON."""
        found: dict[str, Any] = {"amount": self.amount, "qualifier": self.qualifier, "unit": self.unit}
        return found if self.to is None else {**found, "to": self.to}


Cell = str | int | Amount | None


class Row(NamedTuple):
    """The cells of a row, and the entries (`party/number`) from which its figures follow."""

    cells: Sequence[Cell]
    entries: Sequence[str]


@dataclass(frozen=True)
class Section:
    """One table of a report. Where it has no rows, `none` says so in words."""

    identifier: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    none: str
    notes: Sequence[str] = ()


class Cited(NamedTuple):
    """An entry as the annex lists it."""

    entry: str
    leaf: str
    event_at: str
    format: str
    subject: str
    status: str


@dataclass(frozen=True)
class Report:
    """A report before it is rendered."""

    kind: str
    language: str
    title: str
    heading: str
    """The agreement's title."""
    status: str
    """`actual`, `exercise`, `test`, or `mixed`: of the entries that the report rests on."""
    banner: str
    agreement: str
    pack: str
    period: tuple[str, str] | None
    day: str
    """The end of the period; without one, the last day that an entry claims for an event."""
    complete: Sequence[tuple[str, int, str]]
    """Party, how many entries of its journal the report rests on, and their root."""
    digests: dict[str, str]
    units: dict[str, dict[str, Any]]
    sections: Sequence[Section]
    annex: Sequence[Cited]
    limits: Sequence[str]
    words: dict[str, str]
    facts: Sequence[tuple[str, str]] = ()
    proof: dict[str, Any] | None = field(default=None)


def document(report: Report) -> dict[str, Any]:
    """The report as JSON data (docs/reference/reports.md)."""
    found: dict[str, Any] = {
        "agreement": report.agreement,
        "annex": [
            {
                "entry": cited.entry,
                "event-at": cited.event_at,
                "format": cited.format,
                "leaf": cited.leaf,
                "status": cited.status,
                "subject": cited.subject,
            }
            for cited in report.annex
        ],
        "banner": report.banner,
        "day": report.day,
        "complete": [{"entries": size, "party": party, "root": root} for party, size, root in report.complete],
        "digests": report.digests,
        "facts": [{"title": title, "value": value} for title, value in report.facts],
        "heading": report.heading,
        "kind": report.kind,
        "language": report.language,
        "limits": list(report.limits),
        "pack": report.pack,
        "period": list(report.period) if report.period else None,
        "sections": [_section(section) for section in report.sections],
        "servanda-report": 1,
        "status": report.status,
        "title": report.title,
        "units": report.units,
        "words": report.words,
    }
    return found if report.proof is None else {**found, "proof": report.proof}


def report_bytes(report: Report) -> bytes:
    """Canonical bytes of the document."""
    return encode(document(report))


def _section(section: Section) -> dict[str, Any]:
    return {
        "columns": [{"id": c.identifier, "kind": c.kind, "title": c.title} for c in section.columns],
        "id": section.identifier,
        "none": section.none,
        "notes": list(section.notes),
        "rows": [{"cells": [_cell(cell) for cell in row.cells], "entries": list(row.entries)} for row in section.rows],
        "title": section.title,
    }


def _cell(cell: Cell) -> Any:
    return cell.data() if isinstance(cell, Amount) else cell


def in_order(entries: Iterable[str]) -> list[str]:
    """Names of entries, each once, by party and number."""
    return sorted(set(entries), key=lambda name: (name.partition("/")[0], int(name.partition("/")[2])))
