# SPDX-License-Identifier: Apache-2.0
"""What a report is made from: a record with its registers, a period, a language; and what templates ask of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any

from servanda.agreement.dates import NoSuchDateError, parse_span
from servanda.agreement.pack import Pack
from servanda.journal.frame import Place
from servanda.journal.record import Record
from servanda.proof.canonical import encode
from servanda.registers.custody.fold import CustodyRegister
from servanda.registers.custody.views import balances_document, movements
from servanda.registers.obligations.fold import ObligationsRegister
from servanda.registers.obligations.views import obligations_document
from servanda.reports.document import Amount, Cited, Report, Section, in_order
from servanda.reports.words import LANGUAGES, words_of

Period = tuple[date, date]
_BY_TABLE = frozenset({"custody.table", "custody.found-table"})


class Sources:
    """A record, folded, with the period and the language of a report. Nothing in it changes the record."""

    def __init__(
        self,
        record: Record,
        custody: CustodyRegister,
        obligations: ObligationsRegister,
        language: str,
        period: Period | None = None,
    ) -> None:
        """Take registers that have caught up with the record; `record` ends where the period ends."""
        self.record = record
        self.custody = custody
        self.obligations = obligations
        self.language = language
        self.period = period
        self.words = words_of(language)
        self._row_entries: dict[str, list[tuple[int, int, list[str]]]] = {}
        """For each table, the offers that select rows of it: filled with `lot_entries`."""

    @cached_property
    def pack(self) -> Pack:
        """The pack in force in the whole record, else the first."""
        return self.record.packs[self.record.in_force(self.record.whole) or self.record.agreement]

    @cached_property
    def balances(self) -> dict[str, Any]:
        """The balances document."""
        return balances_document(self.custody)

    @cached_property
    def judged(self) -> dict[str, Any]:
        """The obligations document at the end of the period, or at the last day that an entry claims."""
        return obligations_document(self.obligations, self.last_day)

    @cached_property
    def last_day(self) -> date:
        """The end of the period; without one the last day that the record's entries claim for an event."""
        if self.period is not None:
            return self.period[1]
        days = [day for entry in self.record.log if entry.admissible and (day := self.day_of(entry.place))]
        return max(days, default=date(1970, 1, 1))

    def day_of(self, place: Place) -> date | None:
        """The last day of an entry's event as claimed; the first one where the last is unknown."""
        entry = self.record.entry(place)
        if entry is None or entry.frame is None:
            return None
        try:
            span = parse_span(entry.frame.event_at)
        except NoSuchDateError:
            return None
        return span.last or span.first

    def in_period(self, entry: str) -> bool:
        """Whether an entry's event falls into the period; all do where there is none."""
        if self.period is None:
            return True
        day = self.day_of(place_named(entry))
        return day is not None and self.period[0] <= day <= self.period[1]

    def named(self, table: str, identifier: str | None) -> str:
        """The name of a kind, place, unit, party or obligation in the report's language; its id if it has none."""
        if identifier is None:
            return self.words["sealed"]
        entry = self._names.get(table, {}).get(identifier)
        if entry is None:
            return identifier
        names: Mapping[str, str] = entry["names"]
        return names.get(self.language) or names[self.pack.data["languages"][0]]

    @cached_property
    def _names(self) -> dict[str, dict[str, Any]]:
        tables = ("items", "places", "units", "parties", "obligations", "formats")
        return {table: {entry["id"]: entry for entry in self.pack.data[table]} for table in tables}

    def offer_entries(self, entry: str) -> list[str]:
        """An offer and every acceptance of it."""
        offer = self.record.threads.offers.get(place_named(entry))
        return [entry, *(str(a.place) for a in offer.acceptances.values())] if offer else [entry]

    @cached_property
    def lot_entries(self) -> Mapping[str, Sequence[str]]:
        """For each lot, the offers about it with their acceptances."""
        found: dict[str, list[str]] = {}
        for effect in ("custody.offer", "custody.destroy", "custody.resolve"):
            for moved in movements(self.custody, effect):
                entries = self.offer_entries(moved["entry"])
                for row in moved["lots"]:
                    found.setdefault(row["lot"], []).extend(entries)
                for selection in moved.get("tables", ()):
                    for first, last in selection["rows"]:
                        self._row_entries.setdefault(selection["table"], []).append((first, last, entries))
        return found

    @cached_property
    def groups(self) -> dict[str, list[dict[str, Any]]]:
        """For each entry that declares by table, its groups as stated (spec/tables.md), in the order of the rows."""
        found = {}
        for entry in self.record.log:
            if entry.frame is not None and self.record.effect_of(entry) in _BY_TABLE:
                found[str(entry.place)] = list(entry.frame.content["groups"])
        return found

    def selected(self, selection: Mapping[str, Any]) -> list[tuple[str | None, Amount, int]]:
        """What a selection of rows is: kind, amount of all these rows, how many; for each group that it touches."""
        found, first = [], 0
        for group in self.groups.get(selection["table"], ()):
            last = first + group["rows"] - 1
            rows = sum(max(0, min(last, end) - max(first, begin) + 1) for begin, end in selection["rows"])
            if rows:
                found.append((group["kind"], amount_of_rows(group["each"], rows, group["unit"]), rows))
            first = last + 1
        return found

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The kind of every lot, also of those that have ended."""
        return {str(name): lot.kind for name, lot in self.custody.holdings.lots.items() if lot.kind is not None}

    def entries_of_lot(self, lot: str, rows: int = 1) -> list[str]:
        """The entry that a lot comes from, its corrections, and the offers about it.

        Args:
            lot: its name, or that of the first of several rows of a table.
            rows: how many rows it stands for.
        """
        made, _, row = lot.rpartition("/")
        found = [made, *self.corrections.get(made, ()), *self.lot_entries.get(lot, ())]
        for first, last, entries in self._row_entries.get(made, ()):
            if first < int(row) + rows and int(row) <= last:
                found += entries
        return found

    def entries_of(self, lots: Iterable[Mapping[str, Any]]) -> list[str]:
        """The entries behind lots of the balances document, each once, in their order."""
        return in_order(name for lot in lots for name in self.entries_of_lot(lot["lot"], lot.get("rows", 1)))

    @cached_property
    def corrections(self) -> dict[str, list[str]]:
        """For each entry that was corrected, the corrections."""
        found: dict[str, list[str]] = {}
        for entry in self.record.log:
            if entry.admissible and entry.frame is not None and entry.frame.format == "correct":
                found.setdefault(str(entry.frame.refers_to[0].place), []).append(str(entry.place))
        return found

    def cited(self, entries: Iterable[str], *, plain: bool = False) -> list[Cited]:
        """The annex: each entry once, with its leaf hash. With `plain` without words, which might tell a place."""
        found = []
        for name in in_order(entries):
            entry = self.record.entry(place_named(name))
            if entry is None or entry.frame is None:
                continue
            frame = entry.frame
            subject = "" if plain else frame.subject
            event, form = ("", "") if plain else (frame.event_at, frame.format)
            found.append(Cited(name, entry.hash.hex(), event, form, subject, frame.status))
        return found

    def report(
        self,
        kind: str,
        sections: Sequence[Section],
        limits: Sequence[str],
        *,
        plain: bool = False,
        facts: Sequence[tuple[str, str]] = (),
    ) -> Report:
        """Put a report together: what all kinds have in common."""
        annex = self.cited((name for s in sections for row in s.rows for name in row.entries), plain=plain)
        status = _status([cited.status for cited in annex])
        own = [] if self.language in LANGUAGES else [self.words["limit-language"]]
        data = self.pack.data
        return Report(
            kind=kind,
            language=self.language,
            title=self.words[f"kind-{kind}"],
            heading=data["title"].get(self.language) or data["title"][data["languages"][0]],
            status=status,
            banner=self.words[f"banner-{status}"] if status != "actual" else "",
            agreement=self.record.agreement,
            pack=self.pack.digest,
            period=(self.period[0].isoformat(), self.period[1].isoformat()) if self.period else None,
            day=self.last_day.isoformat(),
            complete=[
                (party, len(state.entries), state.tree.root(len(state.entries)).hex())
                for party, state in sorted(self.record.journals.items())
            ],
            digests={"custody": _digest(self.balances), "obligations": _digest(self.judged)},
            units={
                unit["id"]: {
                    "exponent": unit["exponent"],
                    "name": self.named("units", unit["id"]),
                    "symbol": unit["symbol"],
                }
                for unit in data["units"]
            },
            sections=sections,
            annex=annex,
            limits=[*limits, *own],
            words=self.words,
            facts=facts,
        )


def amount_of_rows(each: Any, rows: int, unit: str) -> Amount:
    """The amount of rows that have `each`: an amount, a range, or null where it is sealed."""
    if isinstance(each, dict):
        return Amount(each["from"] * rows, unit, "exact", each["to"] * rows)
    return Amount(None if each is None else each * rows, unit)


def place_named(entry: str) -> Place:
    """The place that `party/number` names."""
    party, _, number = entry.partition("/")
    return Place(party, int(number))


def _status(found: Sequence[str]) -> str:
    kinds = set(found)
    if not kinds:
        return "actual"
    return kinds.pop() if len(kinds) == 1 else "mixed"


def _digest(value: dict[str, Any]) -> str:
    return hashlib.sha256(encode(value)).hexdigest()
