# SPDX-License-Identifier: Apache-2.0
"""What the register shows: draws, inspections at a time, one inspection as a report (spec/inspections.md)."""

from __future__ import annotations

from typing import Any

from servanda.agreement.dates import instant_text
from servanda.journal.frame import Place
from servanda.journal.state import Entry
from servanda.registers.inspections.clocks import Due, Part, Standing, comments_due, report_due, standing
from servanda.registers.inspections.escrow import (
    Shown,
    asked,
    by_place,
    handed,
    incomplete,
    nothing,
    rows_open,
    seen_items,
)
from servanda.registers.inspections.fold import InspectionsRegister
from servanda.registers.inspections.inspection import Discrepancy, Mandate, Plan, frame_of, time_of
from servanda.registers.inspections.outcomes import detection_of, outcomes_of
from servanda.verification.selection import draw_id


def draws_document(register: InspectionsRegister) -> dict[str, Any]:
    """Every draw, as the record has it without any clock."""
    return {
        "draws": [_draw(register.plans[place]) for place in sorted(register.plans)],
        "servanda-draws": 1,
    }


def _draw(plan: Plan) -> dict[str, Any]:
    found = plan.sample()
    return {
        "committed": sorted(plan.commitments),
        "draw": draw_id(plan.terms).hex() if plan.terms else None,
        "drawn": found[1] if found else None,
        "plan": str(plan.place),
        "revealed": sorted(plan.reveals),
        "seed": found[0].hex() if found else None,
        "spent": sorted(plan.spent),
    }


def inspections_document(register: InspectionsRegister, now: int, shown: Shown = nothing) -> dict[str, Any]:
    """All inspections at a time.

    Args:
        register: the folded register.
        now: seconds since 1970.
        shown: rows of tables whose openings the reader holds beside the record.
    """
    return {
        "at": instant_text(now),
        "discrepancies": [
            {"code": each.code, "entry": str(each.entry), "item": each.item}
            for each in open_discrepancies(register, shown)
        ],
        "inspections": [plan_document(register, register.plans[place], now) for place in sorted(register.plans)],
        "mandates": [_mandate(register, register.mandates[place]) for place in sorted(register.mandates)],
        "requests": [_request(register, place, now) for place in sorted(register.requests)],
        "servanda-inspections": 1,
        "tables": [_table(register, name, shown) for name in sorted(register.tables)],
        "undeclared": [_undeclared(register, place, shown) for place in sorted(register.undeclared)],
    }


def open_discrepancies(register: InspectionsRegister, shown: Shown = nothing) -> list[Discrepancy]:
    """Rules that were not met, places that were not complete, items that no opening has shown."""
    found = list(register.discrepancies)
    for table in register.tables.values():
        found += [Discrepancy(place, "not-complete", where) for place, where in incomplete(table)]
    for place, told in register.undeclared.items():
        for seen in seen_items(register, told, shown):
            if seen.state != "shown":
                code = "not-in-root" if seen.state == "open" else "contradicted"
                found.append(Discrepancy(place, code, seen.item["serial"]))
    return sorted(set(found), key=lambda each: (each.entry, each.code, each.item or ""))


def _mandate(register: InspectionsRegister, mandate: Mandate) -> dict[str, Any]:
    content = mandate.content
    names = ("from", "inspected", "inspector", "kinds", "limits", "places", "tables", "until")
    return {
        **{name: content[name] for name in names},
        "beside": content["beside"],
        "in-force": register.holds(mandate, register.record.whole),
        "mandate": str(mandate.entry.place),
        "status": frame_of(mandate.entry).status,
    }


def plan_document(register: InspectionsRegister, plan: Plan, now: int) -> dict[str, Any]:
    """One inspection at a time. What was not verified stands in an object of its own, and in no sum."""
    record, content = register.record, plan.content
    stands = standing(record, plan, now)
    detection, comments = detection_of(plan, stands), comments_due(record, plan, now)
    return {
        "begins": content["begins"],
        "comments": _due(comments) if comments else None,
        "defects": content["defects"],
        "detection": {
            "assured": detection.assured,
            "independent": detection.independent,
            "planned": detection.planned,
        },
        "draw": {**_draw(plan), **_standing(stands)},
        "ends": content["ends"],
        "findings": [
            {
                "entry": str(finding.entry.place),
                "evidence": list(finding.evidence),
                "item": item,
                "note": finding.note,
                "outcome": finding.outcome,
            }
            for item, finding in sorted(plan.findings.items(), key=lambda each: _item_order(each[0]))
        ],
        "goal": content.get("goal"),
        "inspected": plan.mandate.content["inspected"],
        "inspector": plan.mandate.content["inspector"],
        "items": plan.population.size,
        "mandate": str(plan.mandate.entry.place),
        "miss": content["miss"],
        "outcomes": outcomes_of(plan, stands).document(),
        "plan": str(plan.place),
        "population": content["population"],
        "report": _due(report_due(plan, now)),
        "sample": content["sample"],
        "status": frame_of(plan.entry).status,
        "subject": frame_of(plan.entry).subject,
    }


def _item_order(item: str) -> tuple[str, int, int]:
    party, _, rest = item.partition("/")
    number, _, row = rest.partition("/")
    return party, int(number or 0), int(row or 0)


def _standing(stands: Standing) -> dict[str, Any]:
    return {
        "denied": stands.denied,
        "forfeit": stands.forfeit,
        "parties": [_part(part) for part in stands.parts],
        "state": stands.state,
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "commit-due": instant_text(part.commit_due),
        "commitment": _stated(part.commitment),
        "party": part.party,
        "provided": instant_text(part.provided) if part.provided is not None else None,
        "reveal": _stated(part.reveal),
        "reveal-due": instant_text(part.reveal_due),
        "side": part.side,
        "state": part.state,
    }


def _stated(entry: Entry | None) -> dict[str, str] | None:
    return {"at": instant_text(time_of(entry)), "entry": str(entry.place)} if entry else None


def _due(due: Due) -> dict[str, Any]:
    return {"due": due.on.isoformat(), "entry": str(due.entry.place) if due.entry else None, "state": due.state}


def _request(register: InspectionsRegister, place: Place, now: int) -> dict[str, Any]:
    request = register.requests[place]
    found = asked(register, request, now)
    return {
        "basis": frame_of(request.entry).content["basis"],
        "by": instant_text(request.by),
        "listed": found.listed,
        "not-declared": found.not_declared,
        "place": request.place,
        "request": str(place),
        "rows": [list(each) for each in request.rows],
        "state": found.state,
        "table": request.table,
    }


def _table(register: InspectionsRegister, name: str, shown: Shown) -> dict[str, Any]:
    table = register.tables[name]
    known = rows_open(table, shown)
    return {
        "handed": handed(table, known),
        "open": len(known),
        "places": by_place(table, known),
        "root": table.root,
        "rows": table.rows,
        "table": name,
    }


def _undeclared(register: InspectionsRegister, place: Place, shown: Shown) -> dict[str, Any]:
    told = register.undeclared[place]
    return {
        "entry": str(place),
        "items": [
            {
                "evidence": seen.item["evidence"],
                "kind": seen.item.get("kind"),
                "note": seen.item["note"],
                "place": seen.item.get("place"),
                "row": seen.row,
                "serial": seen.item["serial"],
                "state": seen.state,
            }
            for seen in seen_items(register, told, shown)
        ],
        "searched": [list(each) for each in told.searched],
        "table": told.table,
    }


def report_document(register: InspectionsRegister, plan: Plan, now: int, shown: Shown = nothing) -> dict[str, Any]:
    """One inspection with its report, and the comments of the inspected party annexed."""
    report = plan.report
    found = [place for place, told in register.undeclared.items() if _about(told.entry) == plan.place]
    return {
        "annex": [_text(comment, "text") for comment in plan.comments],
        "at": instant_text(now),
        "inspection": plan_document(register, plan, now),
        "mandate": _mandate(register, plan.mandate),
        "report": _text(report, "summary") if report else None,
        "servanda-inspection-report": 1,
        "undeclared": [_undeclared(register, place, shown) for place in sorted(found)],
    }


def _about(entry: Entry) -> Place | None:
    frame = frame_of(entry)
    return frame.refers_to[0].place if frame.refers_to else None


def _text(entry: Entry, member: str) -> dict[str, Any]:
    frame = frame_of(entry)
    return {
        "at": instant_text(time_of(entry)),
        "by": entry.place.party,
        "entry": str(entry.place),
        "evidence": frame.content["evidence"],
        "text": frame.content[member],
    }
