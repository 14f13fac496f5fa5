# SPDX-License-Identifier: Apache-2.0
"""What people see of cases, and the alerts document that both sides compute alike (spec/alerts.md)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from servanda.agreement.dates import instant_text
from servanda.journal.order import in_order
from servanda.journal.state import Entry
from servanda.proof.canonical import encode
from servanda.registers.alerts.cases import Case, Question, Round
from servanda.registers.alerts.clocks import Clock, acknowledgement, assessment, clocks_of
from servanda.registers.alerts.fold import AlertsRegister


def alerts_document(register: AlertsRegister, now: int) -> dict[str, Any]:
    """The alerts document of a register that has caught up, at `now` in seconds since 1970."""
    cases = [case_document(register, case, now) for _, case in sorted(register.cases.items())]
    return {
        "activations": _activations(cases),
        "at": instant_text(now),
        "cases": cases,
        "discrepancies": [
            {"code": item.code, "entry": str(item.entry)} for item in sorted(set(register.discrepancies))
        ],
        "rounds": [_round(found) for _, found in sorted(register.rounds.items())],
        "servanda-alerts": 1,
    }


def _activations(cases: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """How many cases of each status each class has opened: an exercise is never counted with what is actual."""
    found: dict[str, Counter[str]] = {}
    for case in cases:
        found.setdefault(case["status"], Counter())[case["class"]] += 1
    return {status: dict(sorted(counted.items())) for status, counted in sorted(found.items())}


def alerts_bytes(register: AlertsRegister, now: int) -> bytes:
    """Canonical bytes of the alerts document."""
    return encode(alerts_document(register, now))


def case_document(register: AlertsRegister, case: Case, now: int) -> dict[str, Any]:
    """One case as the document has it."""
    log = in_order(case.entries)
    questions = [register.questions[entry.place] for entry in log if entry.place in register.questions]
    opening = register.questions[case.opening]
    closing = {entry.place for entry in case.closures}
    closure = next((entry for entry in log if entry.place in closing), None)
    meetings = {entry.place for entry in case.meetings}
    turn = {entry.place: index for index, entry in enumerate(log)}
    escalations = {
        question.place: sorted(question.escalations, key=lambda entry: turn[entry.place]) for question in questions
    }
    frame = opening.entry.frame
    assert frame is not None
    clocks = sorted(
        (c for question in questions for c in clocks_of(register, question) if c.start <= now),
        key=lambda clock: (clock.question, clock.party, clock.name),
    )
    return {
        "case": str(case.opening),
        "class": opening.clocking.identifier,
        "clocks": [_clock(clock, escalations[clock.question], now) for clock in clocks],
        "closed": _said(closure) if closure else None,
        "log": [_line(entry) for entry in log],
        "meetings": [_said(entry) | {"on": _content(entry)["on"]} for entry in log if entry.place in meetings],
        "opened-by": case.opening.party,
        "questions": [_question(register, question) for question in questions],
        "sides": sorted(case.sides),
        "state": "closed" if closure else "open",
        "status": case.status,
        "subject": frame.subject,
    }


def _content(entry: Entry) -> dict[str, Any]:
    assert entry.frame is not None
    return entry.frame.content


def _said(entry: Entry) -> dict[str, Any]:
    frame = entry.frame
    assert frame is not None
    return {"at": frame.released_at, "by": _signers(entry), "entry": str(entry.place)}


def _signers(entry: Entry) -> list[str]:
    assert entry.frame is not None
    return [name for name in (entry.frame.author, entry.frame.releaser) if name is not None]


def _line(entry: Entry) -> dict[str, Any]:
    frame = entry.frame
    assert frame is not None
    return _said(entry) | {
        "act": frame.act,
        "format": frame.format,
        "precedence": frame.precedence,
        "subject": frame.subject,
        "to": list(frame.to),
    }


def _question(register: AlertsRegister, question: Question) -> dict[str, Any]:
    frame = question.entry.frame
    assert frame is not None
    return {
        "answer-by": frame.content.get("answer-by"),
        "entry": str(question.place),
        "layers": [_layer(register, question, party) for party in sorted(frame.to)],
        "party": question.place.party,
        "precedence": frame.precedence,
    }


def _layer(register: AlertsRegister, question: Question, party: str) -> dict[str, Any]:
    received = register.record.attestations.earliest_by(question.place, party)
    opened = acknowledgement(question, party, ("opened",))
    read = acknowledgement(question, party, ("accepted", "rejected"))
    answers = question.answers.get(party, [])
    told = assessment(question, answers[-1]) if answers else None
    frame = question.entry.frame
    assert frame is not None
    return {
        "acknowledged": read and _said(read) | {k: _content(read)[k] for k in ("disposition", "reason")},
        "answered": _said(answers[-1]) if answers else None,
        "assessed": told and _said(told[0]) | {"assessment": told[1], "reason": told[2]},
        "opened": opened and _said(opened),
        "party": party,
        "received": None if received is None else instant_text(received),
        "released": frame.released_at,
    }


def _clock(clock: Clock, escalations: list[Entry], now: int) -> dict[str, Any]:
    known = clock.stopped is not None and clock.stopped <= now
    return {
        "clock": clock.name,
        "due": instant_text(clock.due),
        "entry": str(clock.question),
        "escalations": [
            str(entry.place)
            for entry in escalations
            if (_content(entry)["clock"], _content(entry)["party"]) == (clock.name, clock.party)
        ],
        "party": clock.party,
        "start": instant_text(clock.start),
        "state": clock.state(now),
        "stopped": instant_text(clock.stopped) if known and clock.stopped is not None else None,
    }


def _round(found: Round) -> dict[str, Any]:
    committed, revealed = set(found.committed), set(found.revealed)
    state = "open" if committed != found.parties else "complete" if revealed == found.parties else "committed"
    return {
        "committed": {party: str(place) for party, place in sorted(found.committed.items())},
        "parties": sorted(found.parties),
        "revealed": {party: str(place) for party, place in sorted(found.revealed.items())},
        "round": found.name,
        "state": state,
        "status": found.status,
    }
