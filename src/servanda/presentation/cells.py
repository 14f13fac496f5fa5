# SPDX-License-Identifier: Apache-2.0
"""A cell of a report as the text that people read, the same in every form of the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from servanda.reports.numbers import amount_text, integer_text


def shown_cell(report: Mapping[str, Any], cell: Any) -> str:
    """The text of a cell; empty if there is nothing."""
    if cell is None:
        return ""
    if isinstance(cell, dict):
        return amount_text(cell, report["units"], report["words"], report["language"])
    if isinstance(cell, int):
        return integer_text(cell, report["language"])
    return str(cell)
