# SPDX-License-Identifier: Apache-2.0
"""Reports of a centre: the record cut where the period ends, folded, and handed to the template of the kind."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from servanda.journal.acceptance import prepare
from servanda.journal.record import Record
from servanda.journal.state import Entry
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal
from servanda.registers.custody.fold import CustodyRegister
from servanda.registers.obligations.fold import ObligationsRegister
from servanda.reports.document import Report, document
from servanda.reports.monthly import KIND as MONTHLY
from servanda.reports.monthly import monthly_progress
from servanda.reports.proving import proof_of, proof_problems
from servanda.reports.sources import Period, Sources
from servanda.reports.summary import KIND as SUMMARY
from servanda.reports.summary import places_told, public_summary

KINDS: dict[str, Callable[[Sources], Report]] = {MONTHLY: monthly_progress, SUMMARY: public_summary}
_PERIOD = re.compile(r"(\d{4})(?:-(\d{2}))?|(\d{4}-\d{2}-\d{2})/(\d{4}-\d{2}-\d{2})", re.ASCII)


def report(centre: Centre, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a report: `kind`, and optionally `language` and `period`.

    Raises:
        Refusal: no such kind, language or period (`usage`).
    """
    kind = arguments["kind"]
    if kind not in KINDS:
        raise Refusal(f"no report {kind!r}; there are {', '.join(sorted(KINDS))}", "usage")
    languages = centre.pack.data["languages"]
    language = arguments.get("language") or languages[0]
    if language not in languages:
        raise Refusal(f"the agreement has no language {language!r}; it has {', '.join(languages)}", "usage")
    period = period_of(arguments.get("period"))
    cut = centre.record if period is None else cut_record(centre.record, sizes_at(centre.record, period[1]))
    made = KINDS[kind](folded(cut, language, period))
    return _proven(centre, made) if kind == SUMMARY else document(made)


def _proven(centre: Centre, made: Report) -> dict[str, Any]:
    """A public summary with its proof, once it has been looked through for places.

    Raises:
        Refusal: a name of a place stands in it (`place-told`).
    """
    names = places_told(document(made), centre.record.packs[made.pack])
    if names:
        raise Refusal(
            f"the summary would tell {names[0]!r}, which names a place; rename the kind or unit", "place-told"
        )
    notes = {}
    for party, state in centre.record.journals.items():
        note = centre.note_at(state.size) if party == centre.party else centre.store.checkpoint(party)
        if state.size and note is not None:
            notes[party] = note
    return document(replace(made, proof=proof_of(centre.record, notes, [cited.entry for cited in made.annex])))


def check_summary(centre: Centre, arguments: Mapping[str, Any]) -> list[str]:
    """What is wrong with a public summary (`summary`) by this centre's record; nothing if it follows from it.

    The record is cut where the summary says that its own ended, and the summary made anew.
    """
    summary = arguments["summary"]
    keys: dict[str, str] = {}
    for party in centre.record.journals:
        key = centre.record.centre_key(party, [])
        keys |= {party: key.hex()} if key else {}
    found = proof_problems(summary, keys)
    try:
        sizes = {told["party"]: int(told["entries"]) for told in summary["complete"]}
        period = period_of("/".join(summary["period"]) if summary["period"] else None)
        anew = document(public_summary(folded(cut_record(centre.record, sizes), summary["language"], period)))
    except (KeyError, TypeError, ValueError) as error:
        return [*found, f"the file is no public summary: {error!r}"]
    wrong = sorted(
        name for name in anew.keys() | summary.keys() if name != "proof" and anew.get(name) != summary.get(name)
    )
    return [*found, *(f"`{name}` is not what follows from the record" for name in wrong)]


def period_of(text: str | None) -> Period | None:
    """`2014`, `2014-04` or `2014-04-01/2014-06-30` as first and last day; None for the whole record.

    Raises:
        Refusal: it is none of these, or ends before it begins (`usage`).
    """
    if not text:
        return None
    match = _PERIOD.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        if match[3]:
            first, last = date.fromisoformat(match[3]), date.fromisoformat(match[4])
        else:
            year, months = int(match[1]), (int(match[2]),) * 2 if match[2] else (1, 12)
            first = date(year, months[0], 1)
            last = date(year, months[1], calendar.monthrange(year, months[1])[1])
        if last < first:
            raise ValueError
    except (ValueError, calendar.IllegalMonthError) as error:
        raise Refusal(f"{text!r} is no period: give 2014, 2014-04, or 2014-04-01/2014-06-30", "usage") from error
    return first, last


def folded(record: Record, language: str, period: Period | None) -> Sources:
    """What a report is made from: a record that ends where the period ends, and its registers."""
    custody, obligations = CustodyRegister(record), ObligationsRegister(record)
    custody.catch_up()
    obligations.catch_up()
    return Sources(record, custody, obligations, language, period)


def sizes_at(record: Record, last: date) -> dict[str, int]:
    """How many entries of each journal there were at the end of a day, by the clock that they were released by.

    Each journal is cut before its first entry of a later day. The clock is that of the exercise where entries carry
    one, and entries without it are then taken for what they follow; else it is `released-at`.
    """
    exercise = any(entry.frame is not None and entry.frame.exercise_at for entry in record.log)
    return {party: _upto(state.entries, last, exercise) for party, state in record.journals.items()}


def cut_record(record: Record, sizes: Mapping[str, int]) -> Record:
    """The record of the first entries of each journal; the record itself if these are all."""
    if all(sizes.get(party, 0) >= len(state.entries) for party, state in record.journals.items()):
        return record
    cut = Record(record.packs[record.agreement], lambda key, message, signature: True, record.limits)
    for pack in record.packs.values():
        cut.add_pack(pack)
    for party, state in record.journals.items():  # signatures were verified when these entries were judged
        cut.add_leaves(party, [prepare(entry.leaf) for entry in state.entries[: sizes.get(party, 0)]])
    cut.judge()
    return cut


def _upto(entries: list[Entry], last: date, exercise: bool) -> int:
    for count, entry in enumerate(entries):
        clock = entry.frame and (entry.frame.exercise_at if exercise else entry.frame.released_at)
        if clock and clock[:10] > last.isoformat():
            return count
    return len(entries)


COMMANDS = {"check-summary": check_summary, "report": report}
