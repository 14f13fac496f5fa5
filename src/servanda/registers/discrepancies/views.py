# SPDX-License-Identifier: Apache-2.0
"""Discrepancies judged at a date, and their document, which both sides compute alike (spec/discrepancies.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from servanda.agreement.dues import add_days
from servanda.agreement.pack import Pack
from servanda.journal.order import day_of, in_order
from servanda.journal.record import Record
from servanda.journal.state import Entry
from servanda.journal.statements import Statement
from servanda.journal.threads import within
from servanda.proof.canonical import encode
from servanda.registers.discrepancies.fold import DiscrepanciesRegister, Key


class Raised(NamedTuple):
    """A discrepancy as a register shows it: by rule, whether or not anybody has said anything about it."""

    key: Key
    owners: tuple[str, ...]
    sides: tuple[str, ...]
    significant: bool | None = None
    """None where no count is concerned."""
    since: date | None = None
    """From when it is one, if not from the day of the entry: a shipment is overdue some time after its notice."""


def questions(register: DiscrepanciesRegister) -> list[Raised]:
    """The questions that parties have opened, and the entries that this register has refused."""
    found = [
        Raised(Key(said.place, "question", None), (said.content["owner"],), (said.content["owner"], said.party))
        for said in register.statements.of("discrepancy.open")
    ]
    return found + [
        Raised(Key(place, f"discrepancy/{reason}", None), (place.party,), (place.party,))
        for place, reason in register.statements.refused
    ]


def discrepancies_document(register: DiscrepanciesRegister, raised: Iterable[Raised], at: date) -> dict[str, Any]:
    """The discrepancies document at the date `at`, of a register that has caught up.

    Args:
        register: caught up.
        raised: what every register shows as a discrepancy in the whole record at that date.
        at: T.
    """
    about = register.about()
    present = {item.key: item for item in raised}
    rows = [_row(register.record, item, about.get(key, []), at, present=True) for key, item in present.items()]
    for key, said in about.items():
        if key not in present:
            gone = Raised(key, (key.entry.party,), (key.entry.party,))
            rows.append(_row(register.record, gone, said, at, present=False))
    rows.sort(key=lambda row: row[0].order)
    return {"at": at.isoformat(), "discrepancies": [row for _, row in rows], "servanda-discrepancies": 1}


def discrepancies_bytes(register: DiscrepanciesRegister, raised: Iterable[Raised], at: date) -> bytes:
    """Canonical bytes of the discrepancies document."""
    return encode(discrepancies_document(register, raised, at))


def _row(
    record: Record, item: Raised, said: Sequence[Statement], at: date, *, present: bool
) -> tuple[Key, dict[str, Any]]:
    by_place = {statement.place: statement for statement in said}
    told = [by_place[entry.place] for entry in in_order(statement.entry for statement in said)]
    entry = record.entry(item.key.entry)
    dated = day_of(record, entry) if entry is not None and entry.frame is not None else None
    opened = item.since or dated
    closing = _closing(record, item, told)
    waiting, due = _clock(record, item, told, opened)
    if closing is not None or not present:
        state = "closed"
    elif not waiting:
        state = "replied"
    else:
        state = "overdue" if due is not None and at > due else "open"
    return item.key, {
        "cause": "present" if present else "gone",
        "class": None if item.significant is None else "significant" if item.significant else "minor",
        "closed-by": str(closing.place) if closing else None,
        "code": item.key.code,
        "due": due.isoformat() if due else None,
        "entry": str(item.key.entry),
        "key": str(item.key),
        "lot": item.key.lot,
        "opened": opened.isoformat() if opened else None,
        "owners": sorted(item.owners),
        "reasons": sorted({last.content["reason"] for last in {one.party: one for one in told}.values()}),
        "said": [_said(statement) for statement in told],
        "sides": sorted(set(item.sides)),
        "state": state,
    }


def _said(statement: Statement) -> dict[str, str]:
    return {
        "act": statement.effect.rpartition(".")[2],
        "by": statement.party,
        "entry": str(statement.place),
        "reason": statement.content["reason"],
        "words": statement.content["words"],
    }


def _closing(record: Record, item: Raised, told: Sequence[Statement]) -> Statement | None:
    """The offer by which all sides, at least two parties, have closed it, unless an attempt was made after that."""
    attempts = [said.entry.past for said in told if said.effect == "discrepancy.attempt"]
    closing: Statement | None = None
    for said in told:
        offer = record.threads.offers.get(said.place)
        if offer is None or not offer.signatories >= set(item.sides) or not record.effective(offer, record.whole):
            continue
        if not any(record.effective(offer, past) for past in attempts):
            closing = said
    return closing


def _clock(record: Record, item: Raised, told: Sequence[Statement], opened: date | None) -> tuple[bool, date | None]:
    """Whether an owner is yet to reply, and by when an owner had to, or has to."""
    replies = [said for said in told if said.effect == "discrepancy.reply" and said.party in item.owners]
    attempts = [said for said in told if said.effect == "discrepancy.attempt" and said.party not in item.owners]
    unanswered = [said for said in attempts if not any(within(reply.entry.past, said.place) for reply in replies)]
    start = day_of(record, unanswered[-1].entry) if unanswered else opened
    pack = _pack(record, record.entry(item.key.entry))
    days = pack.discrepancy_days(item.key.code)
    due = None if days is None or start is None else add_days(start, days, pack.holidays, working=pack.working_days)
    return bool(unanswered) or not replies, due


def _pack(record: Record, entry: Entry | None) -> Pack:
    named = entry.frame.pack if entry is not None and entry.frame is not None else None
    return record.packs[named or record.in_force(record.whole) or record.agreement]
