# SPDX-License-Identifier: Apache-2.0
"""Reports of a centre: the record cut where the period ends, folded, and handed to the template of the kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from servanda.agreement.dates import instant_seconds
from servanda.journal.acceptance import prepare
from servanda.journal.record import Record
from servanda.journal.state import Entry
from servanda.operations.casework import place_of
from servanda.operations.centre import EXERCISE_EXEMPT, Centre
from servanda.operations.errors import Refusal
from servanda.operations.periods import period_of
from servanda.operations.reconciling import changes_document, listing_document, reconcile
from servanda.registers.custody.fold import CustodyRegister
from servanda.registers.inspections.fold import InspectionsRegister
from servanda.registers.inspections.views import report_document as inspection_document
from servanda.registers.obligations.fold import ObligationsRegister
from servanda.reports import accountancy
from servanda.reports.document import Report, document
from servanda.reports.inspection import KIND as INSPECTION
from servanda.reports.inspection import inspection_report
from servanda.reports.monthly import KIND as MONTHLY
from servanda.reports.monthly import monthly_progress
from servanda.reports.proving import proof_of, proof_problems
from servanda.reports.sources import Period, Sources
from servanda.reports.summary import KIND as SUMMARY
from servanda.reports.summary import places_told, public_summary

PLAIN: dict[str, Callable[[Sources], Report]] = {MONTHLY: monthly_progress, SUMMARY: public_summary}
"""Kinds that take the record alone."""
ACCOUNTS: dict[str, tuple[Callable[..., dict[str, Any]], Callable[[Sources, Mapping[str, Any]], Report]]] = {
    accountancy.CHANGES: (changes_document, accountancy.change_report),
    accountancy.LISTING: (listing_document, accountancy.listing_report),
    accountancy.BALANCE: (reconcile, accountancy.balance_report),
}
"""Kinds that take an area, with the document of accountancy that each is made from."""
KINDS = (*PLAIN, *ACCOUNTS, INSPECTION)


def report(centre: Centre, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a `report` of some kind; optionally `language` and `period`.

    The kinds of accountancy take the arguments of `reconcile`, above all `party` (there `kind` is a kind of item);
    `inspection` takes the entry of the `plan`.

    Raises:
        Refusal: no such kind, language, period, party or plan (`usage`).
    """
    kind = arguments["report"]
    if kind not in KINDS:
        raise Refusal(f"no report {kind!r}; there are {', '.join(sorted(KINDS))}", "usage")
    languages = centre.pack.data["languages"]
    language = arguments.get("language") or languages[0]
    if language not in languages:
        raise Refusal(f"the agreement has no language {language!r}; it has {', '.join(languages)}", "usage")
    period = period_of(arguments.get("period"))
    cut = centre.record if period is None else cut_record(centre.record, sizes_at(centre.record, period[1]))
    sources = folded(cut, language, period)
    if kind in ACCOUNTS:
        computed, template = ACCOUNTS[kind]
        _needs(arguments, "party", kind)
        return document(template(sources, computed(centre, arguments)))
    if kind == INSPECTION:
        _needs(arguments, "plan", kind)
        now = f"{period[1]}T23:59:59Z" if period else centre.clock()
        return document(inspection_report(sources, _inspected(cut, arguments["plan"], instant_seconds(now))))
    made = PLAIN[kind](sources)
    return _proven(centre, made) if kind == SUMMARY else document(made)


def _needs(arguments: Mapping[str, Any], name: str, kind: str) -> None:
    if not arguments.get(name):
        raise Refusal(f"the report {kind} needs `{name}`", "usage")


def _inspected(record: Record, name: str, now: int) -> dict[str, Any]:
    """The report document of the inspection whose plan is the entry `name`."""
    register = InspectionsRegister(record)
    register.catch_up()
    plan = register.plans.get(place_of(name))
    if plan is None:
        raise Refusal(f"{name} is no plan of an inspection that is posted; `servanda log` shows entries", "usage")
    return inspection_document(register, plan, now)


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


def folded(record: Record, language: str, period: Period | None) -> Sources:
    """What a report is made from: a record that ends where the period ends, and its registers."""
    custody, obligations = CustodyRegister(record), ObligationsRegister(record)
    custody.catch_up()
    obligations.catch_up()
    return Sources(record, custody, obligations, language, period)


def sizes_at(record: Record, last: date) -> dict[str, int]:
    """How many entries of each journal there were at the end of a day, by the clock that they were released by.

    Each journal is cut before its first entry of a later day. The clock is that of the exercise where entries carry
    one, and entries without it are then taken for what they follow; else it is `released-at`. What an entry says of
    keys, packs and receipts is not about the time, and cuts nothing.
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
        if entry.frame is None or entry.frame.format in EXERCISE_EXEMPT:
            continue
        clock = entry.frame.exercise_at if exercise else entry.frame.released_at
        if clock and clock[:10] > last.isoformat():
            return count
    return len(entries)


COMMANDS = {"check-summary": check_summary, "report": report}
