# SPDX-License-Identifier: Apache-2.0
"""What must hold of a table, its groups and selections beyond what a schema can say (spec/tables.md).

A table is committed to by `{"root","rows","secret","servanda-table"}`; a selection names inclusive ranges of its rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from typing import Any

from servanda.agreement.effects import EFFECTS, RANGES_MAX
from servanda.agreement.fields import FieldValidator

EMPTY_ROOT = sha256(b"").hexdigest()
"""The root of a table without rows: a nil declaration (RFC 6962 section 2.1)."""
_TABLE = FieldValidator(EFFECTS["custody.found-table"].shape["properties"]["table"], sealable=False)
_GROUPS = FieldValidator(EFFECTS["custody.found-table"].shape["properties"]["groups"], sealable=False)
NAMING = frozenset({"custody.move", "custody.seal", "custody.condition"})
"""Effects of which the content names one lot, or rows of tables, or both."""


def table_problem(content: dict[str, Any], effect: str | None, *, has_rows: bool) -> str | None:
    """The first reason why content is not as spec/tables.md has it; None if it is.

    Args:
        content: fits the format's field schema and the shape of its effect.
        effect: the format's effect, if it has one.
        has_rows: whether the format has `rows`, so that any content of it may have a table.
    """
    return next(_problems(content, effect or "", has_rows), None)


def _problems(content: dict[str, Any], effect: str, has_rows: bool) -> Iterator[str]:
    if has_rows:
        for name, validator in (("table", _TABLE), ("groups", _GROUPS)):
            if name in content and (reason := validator.problem(content[name])):
                yield f"{name}: {reason}"
    opens = effect in ("custody.table", "custody.found-table")
    if opens or (has_rows and "table" in content):
        yield from _table_problems(content)
    if effect == "custody.table" and ("deletions" in content) != ("reason" in content):
        yield "deletions and reason stand together"
    if effect.startswith("custody."):
        if effect in NAMING and "lot" not in content and "tables" not in content:
            yield "neither a lot nor rows of a table are named"
        if effect in ("custody.offer", "custody.repack") and not content["lots"] and "tables" not in content:
            yield "lots: none is named, and no rows of a table"
        if "tables" in content and effect in SELECTING:
            yield from selection_problems(content["tables"])


SELECTING = frozenset(name for name, effect in EFFECTS.items() if "tables" in effect.shape["properties"])
"""Effects whose content may select rows of tables."""


def _table_problems(content: dict[str, Any]) -> Iterator[str]:
    table = content["table"]
    if table["rows"] == 0 and table["root"] != EMPTY_ROOT:
        yield "table: the root of a table without rows is that of the empty tree"
    if "groups" in content:
        rows = sum(group["rows"] for group in content["groups"])
        if rows != table["rows"]:
            yield f"groups: they have {rows} rows, the table has {table['rows']}"


def selection_problems(selections: list[dict[str, Any]], *, none: bool = False) -> Iterator[str]:
    """Every reason why what fits the shape of selections is none (spec/tables.md, Rows as lots).

    Args:
        selections: the list.
        none: whether a selection may be empty, as in an acceptance.
    """
    if len({selection["table"] for selection in selections}) != len(selections):
        yield "tables: a table is named twice"
    if sum(len(selection["rows"]) for selection in selections) > RANGES_MAX:
        yield f"tables: more than {RANGES_MAX} ranges"
    for index, selection in enumerate(selections):
        rows, where = selection["rows"], f"tables.{index}"
        if not rows and not none:
            yield f"{where}: no rows are selected"
        if any(first > last for first, last in rows):
            yield f"{where}: a range ends before it begins"
        elif any(after[0] <= before[1] + 1 for before, after in pairwise(rows)):
            yield f"{where}: ranges ascend, with at least one row between two of them"
        elif (found := sum(last - first + 1 for first, last in rows)) != selection["count"]:
            yield f"{where}: {found} rows are selected, the count is {selection['count']}"


def received_problem(answer: dict[str, Any], offered: dict[str, Any]) -> str | None:
    """Why an acceptance does not say what was received of the rows that its offer selects; None if it does.

    Args:
        answer: the content of the acceptance.
        offered: that of the offer.
    """
    if answer["extent"] != "part" or "tables" not in offered:
        return "there is no selection that could be received in part" if "tables" in answer else None
    if "tables" not in answer:
        return "what was received of the rows offered is not said"
    if reason := next(selection_problems(answer["tables"], none=True), None):
        return reason
    if [one["table"] for one in answer["tables"]] != [one["table"] for one in offered["tables"]]:
        return "tables: the offer's selections, in its order"
    for one, other in zip(answer["tables"], offered["tables"], strict=True):
        if not _within(one["rows"], other["rows"]):
            return f"tables: rows of {one['table']} that were not offered"
    return None


def _within(rows: list[list[int]], offered: list[list[int]]) -> bool:
    """Whether every range lies in one of the ranges offered; both ascend."""
    remaining = iter(offered)
    current: list[int] | None = next(remaining, None)
    for first, last in rows:
        while current is not None and current[1] < first:
            current = next(remaining, None)
        if current is None or not current[0] <= first <= last <= current[1]:
            return False
    return True
