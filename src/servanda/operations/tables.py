# SPDX-License-Identifier: Apache-2.0
"""Tables beside the record: the port to where their rows are kept, and what is done with them (spec/tables.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import msgspec


class TableFacts(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """What is known of a table that is held, besides its rows and its secret."""

    root: str
    rows: int
    format: str
    format_version: int
    members: dict[str, str]
    """The members of a row, sorted, each with its type: `string`, `integer` or `boolean`."""
    servanda_table_file: int = 1


class GroupFacts(NamedTuple):
    """Consecutive rows of one kind and place."""

    kind: str
    place: str
    least: int | None
    most: int | None
    """Least and greatest amount; None where rows have none."""
    rows: int


class TableStore(Protocol):
    """Where rows are kept, once, beside the record. All reads are of whole, checked tables."""

    def tables(self) -> list[TableFacts]:
        """All tables held, by root."""

    def facts(self, root: str) -> TableFacts | None:
        """The table with that root, or None."""

    def secret(self, root: str) -> bytes:
        """A table's secret, 32 bytes.

        Raises:
            Refusal: the table is not held (`no-table`).
        """

    def opening(self, root: str, index: int) -> bytes:
        """The opening of one row, canonical JSON.

        Raises:
            Refusal: the table is not held, or has no such row (`no-table`, `no-row`).
        """

    def lines(self, root: str, first: int, limit: int) -> bytes:
        """The canonical texts of up to `limit` rows from `first` on, each followed by a newline."""

    def groups(self, root: str, *, by_amount: bool) -> list[GroupFacts]:
        """Consecutive rows of one kind and place (and amount), in the order of the rows."""


GROUPS_MAX = 1000
"""The most groups that an entry may have (spec/tables.md)."""


def table_content(
    facts: TableFacts, secret: bytes | None, groups: Sequence[GroupFacts] | None, units: dict[str, str],
    sealed: frozenset[str],
) -> dict[str, Any]:  # fmt: skip
    """The members `table` and `groups` of an entry's content.

    Args:
        facts: the table.
        secret: its secret, if everybody may know it; else None.
        groups: consecutive rows, in their order; None where rows are no lots.
        units: the unit of each kind.
        sealed: which of `kind`, `place`, `amount` the groups do not say.
    """
    content: dict[str, Any] = {
        "table": {
            "root": facts.root,
            "rows": facts.rows,
            "secret": None if secret is None else secret.hex(),
            "servanda-table": 1,
        }
    }
    if groups is None:
        return content
    merged: list[dict[str, Any]] = []
    for group in groups:
        each: int | None = 1 if group.least is None else group.least if group.least == group.most else None
        said = {
            "each": None if "amount" in sealed else each,
            "kind": None if "kind" in sealed else group.kind,
            "place": None if "place" in sealed else group.place,
            "rows": group.rows,
            "unit": units[group.kind],
        }
        if merged and {**merged[-1], "rows": 0} == {**said, "rows": 0}:
            merged[-1]["rows"] += group.rows
        else:
            merged.append(said)
    content["groups"] = merged
    return content
