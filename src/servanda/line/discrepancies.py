# SPDX-License-Identifier: Apache-2.0
"""Entries of the line's own formats that keep no rule of spec/alerts.md: they are shown, and have no effect."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from servanda.journal.frame import Place


class Discrepancy(NamedTuple):
    """An entry, its status, and the rule that it does not keep."""

    entry: Place
    code: str
    status: str


def discrepancies_document(found: Iterable[Discrepancy]) -> list[dict[str, str]]:
    """Discrepancies by place and code, as the documents of the line have them."""
    return [{"code": item.code, "entry": str(item.entry), "status": item.status} for item in sorted(set(found))]
