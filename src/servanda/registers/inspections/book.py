# SPDX-License-Identifier: Apache-2.0
"""All that has been posted, and what the rules ask of it (spec/inspections.md, Postings).

Every rule looks at the past of the entry that asks, so entries may come in any order in which each follows its past.
"""

from __future__ import annotations

from collections.abc import Callable

from servanda.agreement.pack import Pack
from servanda.journal.frame import Frame, Place
from servanda.journal.record import Record
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry
from servanda.journal.threads import Cut, within
from servanda.registers.inspections.inspection import (
    INSPECTED,
    INSPECTOR,
    Discrepancy,
    Mandate,
    OpenedTable,
    Plan,
    Request,
    Undeclared,
    frame_of,
)

Post = Callable[[], None]
"""What is written once all rules have been found kept."""


class Book:
    """Mandates, plans with their draws, openings of tables, items found outside."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.mandates: dict[Place, Mandate] = {}
        self.plans: dict[Place, Plan] = {}
        self.commitments: dict[Place, Plan] = {}
        self.reports: dict[Place, Plan] = {}
        self.tables: dict[str, OpenedTable] = {}
        self.requests: dict[Place, Request] = {}
        self.undeclared: dict[Place, Undeclared] = {}
        self.discrepancies: list[Discrepancy] = []

    def pack_of(self, frame: Frame) -> Pack:
        """The pack by which an entry is judged."""
        return self.record.packs[frame.pack or self.record.agreement]

    def holds(self, mandate: Mandate, cut: Cut) -> bool:
        """Whether a mandate has effect within `cut`."""
        place = mandate.entry.place
        return within(cut, place) and self.record.effective(self.record.threads.offers[place], cut)

    def mandate_for(self, entry: Entry, frame: Frame) -> Mandate:
        """The mandate in force to which an entry of its inspector refers first.

        Raises:
            Refused: `no-mandate`, `not-inspector` or `status`.
        """
        mandate = self.mandates.get(first(frame) or entry.place)
        if mandate is None or not self.holds(mandate, entry.past):
            raise Refused("no-mandate", "it refers first to no mandate that all have accepted, and that is settled")
        inspects(entry, mandate)
        same_status(frame, mandate.entry)
        return mandate

    def plan_for(self, entry: Entry, frame: Frame) -> Plan:
        """The posted plan to which an entry refers first.

        Raises:
            Refused: `no-plan` or `status`.
        """
        plan = self.plans.get(first(frame) or entry.place)
        if plan is None:
            raise Refused("no-plan", "it refers first to no inspection plan that stands")
        same_status(frame, plan.entry)
        return plan

    def table_in(self, name: str, cut: Cut) -> OpenedTable:
        """The table of an admissible entry within `cut`, as it was committed to.

        Raises:
            Refused: `unknown-table`.
        """
        party, _, number = name.partition("/")
        place = Place(party, int(number))
        entry = self.record.entry(place) if within(cut, place) else None
        content = entry.frame.content if entry and entry.admissible and entry.frame else {}
        table = content.get("table")
        if not isinstance(table, dict) or type(table.get("rows")) is not int or not isinstance(table.get("root"), str):
            raise Refused("unknown-table", f"{name} is no entry with a table that was known then")
        groups = content.get("groups")
        return self.tables.get(name) or OpenedTable(
            name, table["root"], table["rows"], groups if isinstance(groups, list) else []
        )


def first(frame: Frame) -> Place | None:
    """The place to which an entry refers first."""
    return frame.refers_to[0].place if frame.refers_to else None


def inspects(entry: Entry, mandate: Mandate) -> None:
    """Raise `Refused` with `not-inspector` unless the author of an entry is the inspector of the mandate."""
    inspector = mandate.content[INSPECTOR]
    if entry.place.party != inspector:
        raise Refused("not-inspector", f"{inspector} inspects by {mandate.entry.place}, not {entry.place.party}")


def is_inspected(entry: Entry, mandate: Mandate) -> bool:
    """Whether the author of an entry is the party that the mandate lets inspect."""
    return bool(entry.place.party == mandate.content[INSPECTED])


def same_status(frame: Frame, other: Entry) -> None:
    """An exercise says nothing about what is actual, nor the other way round."""
    if frame.status != frame_of(other).status:
        raise Refused("status", f"{other.place} has status {frame_of(other).status}, not {frame.status}")
