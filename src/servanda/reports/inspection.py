# SPDX-License-Identifier: Apache-2.0
"""The report of one inspection: what was drawn, what was found, what was not verified, with the comments annexed.

It takes the document of `registers.inspections.views:report_document` as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from servanda.reports.document import DATE, DECIMAL, INTEGER, Report, Row, Section, in_order
from servanda.reports.monthly import columns, section
from servanda.reports.sources import Sources

KIND = "inspection"
CLASSES = ("verified", "differs", "by-camera", "not-verified")


def inspection_report(sources: Sources, document: Mapping[str, Any]) -> Report:
    """The report of the inspection that `document` is about, at the time that it states."""
    plan, words = document["inspection"], sources.words
    sections = [
        _outcomes(sources, plan),
        _findings(sources, plan),
        _detection(sources, plan),
        _parts(sources, plan),
        _undeclared(sources, document),
        _texts(sources, document),
        _time_limits(sources, plan),
    ]
    facts = [
        (words["inspector"], sources.named("parties", plan["inspector"])),
        (words["inspected"], sources.named("parties", plan["inspected"])),
        (words["mandate"], plan["mandate"]),
        (words["plan"], f"{plan['plan']}: {plan['subject']}"),
        (words["visit"], words["to"].format(plan["begins"], plan["ends"])),
        (words["sample"], words["of"].format(plan["sample"], plan["items"])),
        (words["draw"], words.get(f"draw-{_state(plan)}", _state(plan))),
    ]
    limits = [words["limit-inspection"], words["limit-complete"], words["limit-cut"]]
    return sources.report(KIND, sections, limits, facts=facts)


def _state(plan: Mapping[str, Any]) -> str:
    draw = plan["draw"]
    return "denied" if draw["denied"] else "forfeit" if draw["forfeit"] else str(draw["state"])


def _about(plan: Mapping[str, Any], *more: str) -> list[str]:
    return in_order([plan["plan"], *(finding["entry"] for finding in plan["findings"]), *more])


def _outcomes(sources: Sources, plan: Mapping[str, Any]) -> Section:
    """Every outcome that occurs, in its class; the classes are never added to one another."""
    rows = []
    for name in CLASSES:
        for outcome, number in sorted(plan["outcomes"][name].items()):
            if number:
                behind = [finding["entry"] for finding in plan["findings"] if finding["outcome"] == outcome]
                cells = (sources.words[f"k-{name}"], sources.words[f"o-{outcome}"], number)
                rows.append(Row(cells, in_order(behind or [plan["plan"]])))
    wanted = columns(sources, ("outcome-class", "text"), ("outcome", "text"), ("count", INTEGER))
    return section(sources, "outcomes", wanted, rows)


def _findings(sources: Sources, plan: Mapping[str, Any]) -> Section:
    rows = [
        Row(
            (
                sources.named("places", finding["item"]),
                sources.words[f"o-{finding['outcome']}"],
                finding["note"],
                " ".join(finding["evidence"]),
            ),
            [finding["entry"]],
        )
        for finding in plan["findings"]
    ]
    wanted = columns(sources, ("item", "text"), ("outcome", "text"), ("note", "text"), ("evidence", "text"))
    return section(sources, "inspected", wanted, rows)


def _detection(sources: Sources, plan: Mapping[str, Any]) -> Section:
    told = plan["detection"]
    cells = (plan["defects"], told["planned"], told["independent"], told["assured"])
    wanted = columns(
        sources, ("defects", INTEGER), ("planned", DECIMAL), ("independent", DECIMAL), ("assured", DECIMAL)
    )
    return section(sources, "detection", wanted, [Row(cells, _about(plan))])


def _parts(sources: Sources, plan: Mapping[str, Any]) -> Section:
    rows = []
    for part in plan["draw"]["parties"]:
        stated = [part[name]["entry"] for name in ("commitment", "reveal") if part[name]]
        cells = (
            sources.named("parties", part["party"]),
            sources.words["inspector" if part["side"] == "inspector" else "inspected"],
            part["state"],
            part["commitment"]["at"] if part["commitment"] else "",
            part["reveal"]["at"] if part["reveal"] else "",
        )
        rows.append(Row(cells, in_order([plan["plan"], *stated])))
    wanted = columns(
        sources, ("party", "text"), ("side", "text"), ("state", "text"), ("commitment", DATE), ("reveal", DATE)
    )
    return section(sources, "parts", wanted, rows)


def _undeclared(sources: Sources, document: Mapping[str, Any]) -> Section:
    rows = [
        Row((item["serial"], item["kind"] or "", item["place"] or "", item["note"], item["state"]), [told["entry"]])
        for told in document["undeclared"]
        for item in told["items"]
    ]
    wanted = columns(
        sources, ("serial", "text"), ("kind", "text"), ("place", "text"), ("note", "text"), ("state", "text")
    )
    return section(sources, "undeclared", wanted, rows)


def _texts(sources: Sources, document: Mapping[str, Any]) -> Section:
    told = [document["report"]] if document["report"] else []
    rows = [
        Row(
            (sources.named("parties", text["by"]), text["at"], text["text"], " ".join(text["evidence"])),
            [text["entry"]],
        )
        for text in [*told, *document["annex"]]
    ]
    wanted = columns(sources, ("party", "text"), ("day", DATE), ("text", "text"), ("evidence", "text"))
    return section(sources, "texts", wanted, rows)


def _time_limits(sources: Sources, plan: Mapping[str, Any]) -> Section:
    rows = [
        Row(
            (sources.words[f"w-{name}"], plan[name]["due"], sources.words[f"l-{plan[name]['state']}"]),
            in_order([plan["plan"], *([plan[name]["entry"]] if plan[name]["entry"] else [])]),
        )
        for name in ("report", "comments")
        if plan[name]
    ]
    return section(sources, "time-limits", columns(sources, ("what", "text"), ("due", DATE), ("state", "text")), rows)
