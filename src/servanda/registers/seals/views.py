# SPDX-License-Identifier: Apache-2.0
"""The life of each seal at a date, and the steps that do not fit (spec/seals.md, Life)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from servanda.agreement.pack import Pack
from servanda.journal.frame import Place
from servanda.journal.order import day_of, in_order
from servanda.journal.statements import Statement
from servanda.registers.seals.fold import SealsRegister

_BAD = frozenset({"damaged", "broken", "missing", "other-seal"})


class Step(NamedTuple):
    """One step of a seal's life."""

    entry: Place
    act: str
    """`applied`, `checked`, `broken`, `removed`, or the result of a check by whoever looked."""
    day: date | None
    by: str
    """The party, and who looked if a check says it."""
    lot: str | None
    faults: tuple[str, ...]


@dataclass
class Seal:
    """One seal as far as it has been told."""

    number: str
    lot: str | None = None
    kind: str | None = None
    holds: date | None = None
    """The last day on which it holds; None: without end, or never applied."""
    applied: bool = False
    by: str | None = None
    """Who applied it."""
    ended: bool = False
    stays: list[tuple[Place, date | None]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def state(self, at: date) -> str:
        """`in use`, `expired`, `broken`, `removed`, or `unknown` if nobody has applied it."""
        if self.ended:
            return next(step.act for step in reversed(self.steps) if step.act in ("broken", "removed"))
        if not self.applied:
            return "unknown"
        return "expired" if self.holds is not None and at > self.holds else "in use"


def lives(register: SealsRegister, without: Collection[Place] = ()) -> dict[str, Seal]:
    """Every seal by its number; `without` the entries that custody has refused."""
    statements = {said.place: said for said in register.statements.of("custody.seal", "seals.check")}
    found: dict[str, Seal] = {}
    for said in register.statements.of("seals.stay"):
        if register.record.effective(register.record.threads.offers[said.place], register.record.whole):
            until = said.content.get("until")
            for number in said.content["seals"]:
                seal = found.setdefault(number, Seal(number))
                seal.stays.append((said.place, date.fromisoformat(until) if until else None))
    for entry in in_order(said.entry for said in statements.values() if said.place not in without):
        said = statements[entry.place]
        if said.effect == "custody.seal":
            number = said.content["seal"]
            _handled(register, found.setdefault(number, Seal(number)), said)
        else:
            for check in said.content["checks"]:
                _looked_at(register, found.setdefault(check["seal"], Seal(check["seal"])), said, check["result"])
    return found


def _handled(register: SealsRegister, seal: Seal, said: Statement) -> None:
    """A step by the custodian."""
    content, day = said.content, day_of(register.record, said.entry)
    lot, action = _lot_of(content), content["action"]
    faults: list[str] = []
    if action == "applied":
        if seal.applied:
            faults.append(_misfit("seals/used-twice"))
        else:
            pack = _pack(register, said)
            if "kind" in content and content["kind"] not in pack.seal_kinds:
                faults.append(_misfit("seals/kind"))
            seal.applied, seal.by, seal.lot, seal.kind = True, said.party, lot, content.get("kind")
            seal.holds = _holds(pack, content, day)
    else:
        faults += _step_faults(seal, action, day)
        if seal.applied and lot != seal.lot:
            faults.append(_misfit("seals/other-lot"))
        seal.ended = seal.ended or (seal.applied and action in ("broken", "removed"))
    seal.steps.append(Step(said.place, action, day, said.party, lot, tuple(faults)))


def _lot_of(content: dict[str, Any]) -> str | None:
    """The lot that is sealed; of rows selected from a table, the first."""
    if "lot" in content:
        return str(content["lot"])
    rows = content.get("tables", ())
    return f"{rows[0]['table']}/{rows[0]['rows'][0][0]}" if rows else None


def _step_faults(seal: Seal, action: str, day: date | None) -> Iterator[str]:
    if not seal.applied:
        yield _misfit("seals/unknown")
        return
    if seal.ended:
        yield _misfit("seals/ended")
        return
    if action == "checked":
        if seal.holds is not None and day is not None and day > seal.holds:
            yield _misfit("seals/expired")
        return
    if any(until is None or day is None or day <= until for _, until in seal.stays):
        yield _misfit("seals/agreed-to-stay")
    if action == "broken":
        yield _misfit("seals/broken")


def _looked_at(register: SealsRegister, seal: Seal, said: Statement, result: str) -> None:
    """A step by anybody: it changes nothing, but says what was found."""
    day = day_of(register.record, said.entry)
    faults = []
    if not seal.applied:
        faults.append(_misfit("seals/unknown"))
    elif seal.ended and result == "intact":
        faults.append(_misfit("seals/ended"))
    elif not seal.ended and result in _BAD:
        faults.append(_misfit("seals/broken"))
    elif result == "intact" and seal.holds is not None and day is not None and day > seal.holds:
        faults.append(_misfit("seals/expired"))
    by = f"{said.party}: {said.content['by']}"
    seal.steps.append(Step(said.place, result, day, by, seal.lot, tuple(faults)))


def _holds(pack: Pack, content: dict[str, Any], day: date | None) -> date | None:
    if "expires" in content:
        return date.fromisoformat(content["expires"])
    days = pack.seal_kinds.get(content.get("kind", ""), {}).get("days")
    return None if days is None or day is None else day + timedelta(days)


def _pack(register: SealsRegister, said: Statement) -> Pack:
    return register.record.packs[said.frame.pack or register.record.agreement]


def _misfit(code: str) -> str:
    """The code of a step that does not fit."""
    return code


class Fault(NamedTuple):
    """A step that does not fit."""

    code: str
    entry: Place
    lot: str | None
    owner: str
    """Who applied the seal; who made the step, if nobody did before."""


def faults(register: SealsRegister, without: Collection[Place] = ()) -> list[Fault]:
    """Every step that does not fit, each once for an entry and a lot."""
    found = {
        Fault(word, step.entry, seal.lot or step.lot, seal.by or step.entry.party)
        for seal in lives(register, without).values()
        for step in seal.steps
        for word in step.faults
    }
    return sorted(found, key=lambda fault: (fault.entry, fault.code, fault.lot or ""))


def seals_document(register: SealsRegister, at: date, without: Collection[Place] = ()) -> list[dict[str, Any]]:
    """Every seal with its life, by its number."""
    return [
        {
            "agreed-to-stay": [
                {"entry": str(place), "until": until.isoformat() if until else None} for place, until in seal.stays
            ],
            "holds-until": seal.holds.isoformat() if seal.holds else None,
            "kind": seal.kind,
            "lot": seal.lot,
            "seal": number,
            "state": seal.state(at),
            "steps": [
                {
                    "act": step.act,
                    "by": step.by,
                    "entry": str(step.entry),
                    "faults": list(step.faults),
                    "lot": step.lot,
                    "on": step.day.isoformat() if step.day else None,
                }
                for step in seal.steps
            ],
        }
        for number, seal in sorted(lives(register, without).items())
    ]
