# SPDX-License-Identifier: Apache-2.0
"""The status page of each line, and what each party says that it applies: gathered here, judged in `line/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from servanda.agreement.dates import instant_seconds, instant_text
from servanda.journal.state import Entry
from servanda.line.discrepancies import discrepancies_document
from servanda.line.link_tests import LinkTest, Tested, statistics
from servanda.line.regimes import Applied, regimes_document
from servanda.line.silence import STATUSES, WORDS, Line, Silence, patience_minutes, silences
from servanda.operations.casework import instant_of
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal
from servanda.proof.notes import KIND_COSIGNATURE, parse_signature_lines
from servanda.registers.alerts.views import alerts_document

HISTORY = 50
"""How many link tests of each direction the page lists; the statistics are over all of them."""


def line_status(centre: Centre, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The lines to all counterparts, or to `party`, at `at` or now.

    Raises:
        Refusal: no such counterpart, or no such instant.
    """
    now = instant_of(centre, arguments)
    wanted = arguments.get("party")
    others = [party for party in sorted(centre.record.journals) if party != centre.party]
    if wanted is not None and wanted not in others:
        raise Refusal(f"{str(wanted)[:80]!r} is no counterpart; counterparts are {', '.join(others)}", "party")
    cases = alerts_document(centre.alerts, now)["cases"]
    record = centre.record
    pack = record.packs[record.in_force(record.whole) or record.agreement]
    transport = arguments.get("transport") or {}
    lines = [
        Line(
            record=record,
            own=centre.party,
            party=party,
            receipted=size,
            receipt_at=at,
            tests=centre.link_tests,
            regimes=centre.regimes,
            cases=cases,
            now=now,
            patience=patience_minutes(pack),
            transport=transport.get(party),
        )
        for party in others
        if wanted in (None, party)
        for size, at in [_receipt(centre, party)]
    ]
    return {
        "at": instant_text(now),
        "lines": [_page(centre, line) for line in lines],
        "party": centre.party,
        "patience-minutes": patience_minutes(pack),
    }


def _receipt(centre: Centre, party: str) -> tuple[int, int | None]:
    """The newest receipt of a party on our journal: its size, and its time by that party's clock."""
    for receipt in centre.store.receipts(centre.party):
        if (receipt.by, receipt.kind) == (party, KIND_COSIGNATURE):
            signature = parse_signature_lines(receipt.line)[0].signature
            return receipt.size, int.from_bytes(signature[:8], "big")
    return 0, None


def _page(centre: Centre, line: Line) -> dict[str, Any]:
    waiting = line.unreceipted
    oldest = instant_seconds(waiting[0].frame.released_at) if waiting and waiting[0].frame else None
    ahead = (line.receipt_at or 0) - line.now
    return {
        "held": centre.record.journals[line.party].size,
        "last-contact": _last_contact(centre, line),
        "link-tests": {
            "by-them": _tests(line.tests.history(line.party, line.own)),
            "by-us": _tests(line.tests.history(line.own, line.party)),
            "discrepancies": discrepancies_document(
                item for item in line.tests.discrepancies if item.entry.party == line.party
            ),
        },
        "met": line.met,
        "party": line.party,
        "receipt-ahead-seconds": max(0, ahead),
        "receipt-at": None if line.receipt_at is None else instant_text(line.receipt_at),
        "receipted": line.receipted,
        "regime": [_applied(one, status) for status in STATUSES for one in line.regimes.of(line.party, status)],
        "silence": {status: [_silence(one) for one in silences(line, status)] for status in STATUSES},
        "size": centre.journal.size,
        "transport": dict(line.transport) if line.transport is not None else None,
        "unreceipted": {
            "by-status": {status: sum(_status(entry) == status for entry in waiting) for status in STATUSES},
            "count": len(waiting),
            "lag-seconds": 0 if oldest is None else max(0, line.now - oldest),
            "since": None if oldest is None else instant_text(oldest),
        },
    }


def _status(entry: Entry) -> str:
    return entry.frame.status if entry.frame is not None else "actual"


def _last_contact(centre: Centre, line: Line) -> dict[str, Any] | None:
    """The newest sign of the other centre: its newest entry, when it came to us, or its newest receipt."""
    found = []
    size = centre.record.journals[line.party].size
    held_at = centre.store.held_at(line.party, size) if size else None
    if held_at is not None:
        found.append((instant_text(instant_seconds(held_at)), f"{line.party}/{size} came", "ours"))
    if line.receipt_at is not None:
        found.append((instant_text(line.receipt_at), f"receipt to {line.receipted}", "theirs"))
    if not found:
        return None
    at, what, clock = max(found)
    return {"at": at, "clock": clock, "what": what}


def _tests(history: list[Tested]) -> dict[str, Any]:
    return {
        "history": [_tested(one.test, one) for one in history[-HISTORY:]],
        **statistics(history)._asdict(),
    }


def _tested(test: LinkTest, tested: Tested) -> dict[str, Any]:
    return {
        "answer": str(tested.answer.entry) if tested.answer else None,
        "entry": str(test.entry),
        "released": instant_text(test.released),
        "response": tested.answer.response if tested.answer else None,
        "status": test.status,
    }


def _applied(one: Applied, status: str) -> dict[str, Any]:
    return {
        "entry": str(one.notice.entry),
        "format": one.format,
        "reason": one.notice.reason,
        "since": one.notice.since,
        "state": one.notice.state,
        "status": status,
    }


def _silence(found: Silence) -> dict[str, Any]:
    words = WORDS[found.kind]
    return {
        "count": found.count,
        "does-not-prove": words.leaves_open,
        "evidence": [{k: v for k, v in asdict(one).items() if v is not None} for one in found.evidence],
        "kind": found.kind,
        "shows": words.shows,
        "since": found.since,
        "title": words.title,
    }


def _regime(centre: Centre, arguments: Mapping[str, Any]) -> dict[str, Any]:
    document, wanted = regimes_document(centre.regimes), arguments.get("party")
    if wanted is None:
        return document
    if wanted not in centre.record.journals:
        raise Refusal(f"{str(wanted)[:80]!r} is no party; parties are {', '.join(centre.record.journals)}", "party")
    return document | {
        "discrepancies": [one for one in document["discrepancies"] if one["entry"].startswith(f"{wanted}/")],
        "notices": [one for one in document["notices"] if one["entry"].startswith(f"{wanted}/")],
        "regimes": [one for one in document["regimes"] if one["party"] == wanted],
    }


COMMANDS: dict[str, Callable[[Centre, Mapping[str, Any]], Any]] = {"line-status": line_status, "regime": _regime}
"""Commands of the desk (`operations.desk`)."""
