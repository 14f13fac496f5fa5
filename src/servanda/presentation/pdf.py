# SPDX-License-Identifier: Apache-2.0
"""A report document as PDF/A, set by Typst from the one template `report.typ`, with the fonts that lie beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typst

from servanda.agreement.dates import instant_seconds
from servanda.presentation.cells import shown_cell
from servanda.reports.numbers import RIGHT_TO_LEFT

HERE = Path(__file__).parent
NAMES = frozenset({"discrepancy", "known-as", "lot", "entry", "batch", "serial"})
"""Columns whose cells are names: of lots, entries, codes."""
WEIGHTS = {"account": 1.7, "kind": 2.0, "subject": 1.6, "note": 2.0, "text": 3.0, "obligation": 2.0, "issue": 5.0}
NARROW = frozenset({"basis", "correction", "grade", "lot", "serial", "state", "unit"})
"""How the width that is left is shared among columns of text: these get more, and these less, than the others."""
STANDARD = "a-2a"
"""PDF/A-2a: for keeping, and tagged, so that it can be read aloud; nothing in it depends on the reader's machine."""


def pdf_of(report: Mapping[str, Any]) -> bytes:
    """The PDF of a report document. The same document gives the same bytes: no date, no system font goes into it."""
    made: bytes = _compiled(report, "pdf")
    return made


def pages_of(report: Mapping[str, Any], dots_per_inch: float = 60.0) -> list[bytes]:
    """Every page as a PNG image."""
    made = _compiled(report, "png", dots_per_inch)
    return made if isinstance(made, list) else [made]


def _compiled(report: Mapping[str, Any], form: str, ppi: float | None = None) -> Any:
    right_to_left = str(report["language"]).split("-")[0] in RIGHT_TO_LEFT
    compiler: Any = typst  # its overloads know no form that is computed
    return compiler.compile(
        (HERE / "report.typ").read_bytes(),
        font_paths=[HERE / "fonts"],
        ignore_system_fonts=True,
        format=form,
        ppi=ppi,
        pdf_standards=[STANDARD] if form == "pdf" else [],
        sys_inputs={
            "direction": "rtl" if right_to_left else "ltr",
            "report": json.dumps(_laid_out(report), ensure_ascii=False),
        },
        timestamp=instant_seconds(f"{report['day']}T00:00:00Z"),
    )


def _laid_out(report: Mapping[str, Any]) -> dict[str, Any]:
    """The document with every cell as the text to be set."""
    return {**report, "sections": [_section(report, section) for section in report["sections"]]}


def _section(report: Mapping[str, Any], section: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        {
            "cells": [
                {"look": _look(column), "text": shown_cell(report, cell)}
                for column, cell in zip(section["columns"], row["cells"], strict=True)
            ],
            "entries": row["entries"],
        }
        for row in section["rows"]
    ]
    columns = [{**column, "width": _weight(column["id"])} for column in section["columns"]]
    return {**section, "columns": columns, "rows": rows}


def _weight(identifier: str) -> float:
    return WEIGHTS.get(identifier, 0.7 if identifier in NARROW else 1.0)


def _look(column: Mapping[str, Any]) -> str:
    """Names in a fixed width; dates and bare numbers in one piece, from left to right in every language."""
    if column["id"] in NAMES:
        return "mono"
    return "isolated" if column["kind"] in ("date", "decimal", "integer") else "plain"
