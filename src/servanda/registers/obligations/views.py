# SPDX-License-Identifier: Apache-2.0
"""Obligations judged at a date, and the document that any other program must compute alike (spec/obligations.md).

The register judges dates, never conduct: `status` says what became of the deadline, `outcome` what was done.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple

from servanda.agreement.dates import NoSuchDateError, parse_span
from servanda.agreement.dues import due_date
from servanda.agreement.pack import Pack
from servanda.journal.frame import Place
from servanda.proof.canonical import encode
from servanda.registers.obligations.evidence import Evidence, evidence_of, receipted_day
from servanda.registers.obligations.fold import ObligationsRegister


class Judged(NamedTuple):
    """One obligation as judged at a date."""

    status: str
    outcome: str
    due: date | None
    first_due: date | None
    met: Evidence | None
    evidence: list[Evidence]
    superseded_by: str | None


def obligations_document(register: ObligationsRegister, at: date) -> dict[str, Any]:
    """The obligations document at the date `at`."""
    record = register.record
    force = record.in_force(record.whole) or record.agreement
    pack = record.packs[force]
    evidence = register.attested if pack.data["time"]["basis"] == "event" else _receipted(register)
    rows = []
    for name in sorted(pack.obligations):
        obligation = pack.obligations[name]
        mine = [item for item in evidence.get(name, ()) if _counts(obligation, item)]
        rows.append(_row(name, judge(register, pack, obligation, mine, at)))
    return {"at": at.isoformat(), "obligations": rows, "servanda-obligations": 1}


def obligations_bytes(register: ObligationsRegister, at: date) -> bytes:
    """Canonical bytes of the obligations document."""
    return encode(obligations_document(register, at))


def _counts(obligation: dict[str, Any], evidence: Evidence) -> bool:
    judges = obligation["judged-by"]
    return not judges or evidence.entry.party in judges


def _receipted(register: ObligationsRegister) -> dict[str, list[Evidence]]:
    """All evidence by obligation, in order, dated by receipts: each later one cited may change that."""
    found: dict[str, list[Evidence]] = {}
    for place, entry in register.performing.items():
        assert entry.frame is not None
        corrected = register.corrections.get(place)
        content = corrected[1] if corrected else entry.frame.content
        for item in evidence_of(register.record, entry, entry.frame, content, basis="receipt"):
            found.setdefault(item.obligation, []).append(item)
    for row in found.values():
        row.sort(key=lambda item: item.order)
    return found


def judge(
    register: ObligationsRegister, pack: Pack, obligation: dict[str, Any], evidence: list[Evidence], at: date
) -> Judged:
    """Judge one obligation by its sorted evidence (spec/obligations.md, Judgement at a date T)."""
    rule = obligation["due"]
    trigger: Place | None = None
    if rule["rule"] == "triggered":
        own, trigger = _triggered(register, rule, pack.data["time"]["basis"])
        evidence = [item for item in evidence if trigger is not None and trigger in item.refers_to]
    else:
        own = due_date(rule, lambda name: _event(register, pack, name), pack.holidays, working=pack.working_days)
    extended, superseded_by = _changes(register, obligation["id"])
    due = extended if extended is not None else own
    part, of = (rule["part"], rule["of"]) if rule["rule"] == "share" else (1, 1)
    met = next((item for item in evidence if item.complete(part, of)), None)
    if rule["rule"] == "recurring":
        met = evidence[0] if evidence else None
    status = _status(obligation, due, met, evidence, at, trigger is not None)
    if status == "due" and extended is not None:
        status = "extended"
    if _suspended(register, obligation["id"]):
        status = "suspended"
    if superseded_by is not None:
        status = "superseded"
    outcome = _outcome(due, met, evidence)
    if rule["rule"] == "recurring" and met is not None and not met.complete(1, 1):
        outcome = "partly-met"
    return Judged(status, outcome, due, own, met, evidence, superseded_by)


def _status(
    obligation: dict[str, Any], due: date | None, met: Evidence | None, evidence: list[Evidence], at: date, fired: bool
) -> str:
    rule = obligation["due"]["rule"]
    if rule == "recurring":
        return "recurring"
    if rule == "continuous":
        return "continuing"
    if rule == "unstated":
        return "met" if met else "not-stated"
    if rule == "triggered" and not fired:
        return "not-triggered"
    if due is None:
        return "pending"
    if met is not None:
        if met.last is not None and met.last <= due:
            return "met"
        return "missed" if met.first is not None and met.first > due else "disputed"
    if at <= due:
        return "due"
    return "partly-met" if evidence else str(obligation["absence"])


def _outcome(due: date | None, met: Evidence | None, evidence: list[Evidence]) -> str:
    if met is not None:
        late = due is not None and met.first is not None and met.first > due
        return "met-late" if late else "met"
    return "partly-met" if evidence else "none"


def _event(register: ObligationsRegister, pack: Pack, name: str) -> date | None:
    event = next(item for item in pack.data["events"] if item["id"] == name)
    if "date" in event:
        return date.fromisoformat(event["date"])
    days = [span for place in register.by_format.get(event["format"], []) if (span := _last_day(register, place))]
    return min(days) if days else None


def _last_day(register: ObligationsRegister, place: Place) -> date | None:
    """The last day of an entry by its event date, as events are dated whatever the basis."""
    entry = register.record.entry(place)
    assert entry is not None
    assert entry.frame is not None
    try:
        return parse_span(entry.frame.event_at).last
    except NoSuchDateError:
        return None


def _interval_ends(register: ObligationsRegister, place: Place, basis: str) -> date | None:
    """The last day of an entry's interval by the pack's time basis."""
    return _last_day(register, place) if basis == "event" else receipted_day(register.record, place)


def _triggered(register: ObligationsRegister, rule: dict[str, Any], basis: str) -> tuple[date | None, Place | None]:
    """Due date and place of the last trigger, by its last day; hours are rounded down to whole days."""
    found = [
        (day, place)
        for place in register.by_format.get(rule["trigger"], [])
        if (day := _interval_ends(register, place, basis)) is not None
    ]
    if not found:
        return None, None
    day, place = max(found)
    return day + timedelta(hours=rule["hours"]), place


def _changes(register: ObligationsRegister, name: str) -> tuple[date | None, str | None]:
    """The date of the last extension that has effect, and the obligation that supersedes, if that has effect."""
    record = register.record
    extended, by = None, None
    for place in sorted(register.changes.get(name, [])):
        entry = record.entry(place)
        assert entry is not None
        assert entry.frame is not None
        if not record.effective(record.threads.offers[place], record.whole):
            continue
        if "by" in entry.frame.content:
            by = entry.frame.content["by"]
        else:
            extended = date.fromisoformat(entry.frame.content["due"])
    return extended, by


def _suspended(register: ObligationsRegister, name: str) -> bool:
    """Whether any obligor's latest notice says suspended."""
    latest: dict[str, tuple[Place, str]] = {}
    for place, state in register.suspensions.get(name, []):
        if place.party not in latest or latest[place.party][0] < place:
            latest[place.party] = (place, state)
    return any(state == "suspended" for _, state in latest.values())


def _row(name: str, judged: Judged) -> dict[str, Any]:
    due, met = judged.due, judged.met
    least = most = None
    if due is not None and met is not None:
        least = (met.first - due).days if met.first else None
        most = (met.last - due).days if met.last else None
    at_due = [item for item in judged.evidence if due is not None and item.last and item.last >= due]
    first = at_due[0] if at_due else (judged.evidence[-1] if judged.evidence else None)
    last = judged.evidence[-1] if judged.evidence else None
    return {
        "days-late": least if least == most else None,
        "days-late-max": most,
        "days-late-min": least,
        "due": due.isoformat() if due else None,
        "evidence": [str(item.entry) for item in judged.evidence],
        "extent": [first.done, first.of] if first and due is not None else None,
        "extent-latest": [last.done, last.of] if last else None,
        "first-due": judged.first_due.isoformat() if judged.first_due else None,
        "id": name,
        "met-on": (met.stated or None) if met else None,
        "outcome": judged.outcome,
        "status": judged.status,
        "superseded-by": judged.superseded_by,
    }


def fold(register_record: Any) -> ObligationsRegister:
    """Fold a whole record from the beginning."""
    register = ObligationsRegister(register_record)
    register.catch_up()
    return register
