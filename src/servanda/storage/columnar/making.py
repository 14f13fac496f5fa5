# SPDX-License-Identifier: Apache-2.0
"""A file becomes a table that is held: read, sorted, sealed, indexed, and named by its root. Or nothing happens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from servanda.agreement.formats import Format
from servanda.operations.errors import Refusal
from servanda.operations.tables import TableFacts
from servanda.storage.columnar.checking import Fault, Names, RowChecker
from servanda.storage.columnar.sealing import Pair, Serials, lay_down, order_of, sort_serials
from servanda.storage.columnar.staging import Progress, Quarantine, Wrong, quarantine_at, stage
from servanda.storage.columnar.store import ColumnarTables

NOTHING_FOUND = Serials([], [], 0)


class Sealed(NamedTuple):
    """A table that has been made."""

    facts: TableFacts
    alike: list[Pair]
    """Serials that one person could read as one; at most 1,000 of them."""
    alike_count: int
    left_out: int
    wrong: list[Wrong]
    """The first rows that were left out."""


def seal_table(
    tables: ColumnarTables,
    source: Path,
    form: Format,
    names: Names | None,
    secret: bytes,
    *,
    measured: bool = True,
    quarantine: Path | None = None,
    progress: Progress = lambda stage, done, of: None,
) -> Sealed:
    """Read a file into a table, and keep it.

    Args:
        tables: where it is kept.
        source: a file of CSV, XLSX or Parquet.
        form: the format whose `rows` say what a row is.
        names: kinds and places of the pack, where rows open lots; else None, and the order of the file stays.
        secret: 32 random bytes.
        measured: whether rows are sorted by amount within kind and place.
        quarantine: a file for rows that are wrong, which are left out then.
        progress: told how far it is.

    Raises:
        Refusal: the file or a row of it is wrong, or a serial stands there twice (`table-serial`); nothing is kept.
    """
    assert form.rows is not None
    checker = RowChecker(form, names)
    order = order_of(checker.members, lots=names is not None, measured=measured)
    with tables.making() as making, quarantine_at(quarantine, checker.members) as apart:
        staged = making / "staged.parquet"
        count = stage(source, checker, staged, apart, progress)
        index = making / "index.parquet" if "serial" in checker.members else None
        tree = lay_down(staged, making / "rows.parquet", index, order, (), secret, count, progress)
        found = NOTHING_FOUND
        if index is not None:
            found = sort_serials(index, making / "serials.parquet", count, progress)
            if found.duplicates:
                twice = _leave_out(source, found.duplicates, apart)
                tree = lay_down(staged, making / "rows.parquet", index, order, twice, secret, count, progress)
                found = sort_serials(index, making / "serials.parquet", count, progress)
        members = {name: form.rows["properties"][name]["type"] for name in checker.members}
        facts = TableFacts(tree.root().hex(), tree.size, form.identifier, form.version, members)
        tables.finish(making, facts, secret, tree)
    return Sealed(facts, found.alike, found.alike_count, apart.count, apart.shown)


def _leave_out(source: Path, duplicates: Sequence[Pair], apart: Quarantine) -> list[int]:
    """The rows in which serials stand twice: all of them, for nobody can say here which one is meant.

    Raises:
        Refusal: there is no quarantine.
    """
    first = duplicates[0]
    reason = f"serial {first.first!r} stands in row {first.first_at} and in row {first.second_at}"
    if not apart.given:
        more = f"; {len(duplicates) - 1:,} more stand twice" if len(duplicates) > 1 else ""
        raise Refusal(f"{source.name}: column serial: {reason}{more}. Nothing was taken; mend the file", "table-serial")
    rows: dict[int, tuple[str, int]] = {}
    for pair in duplicates:
        rows[pair.first_at] = (pair.first, pair.second_at)
        rows[pair.second_at] = (pair.second, pair.first_at)
    for at, (serial, other) in sorted(rows.items()):
        apart.put(at, [Fault(0, "serial", f"{serial!r} stands in row {other} as well")], {"serial": serial})
    return sorted(rows)
