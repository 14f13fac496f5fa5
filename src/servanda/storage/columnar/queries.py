# SPDX-License-Identifier: Apache-2.0
"""Who holds what, and where is this piece? The register's lots beside the rows that are held, through DuckDB.

A lot of the balances document stands for consecutive rows; what it does not say (kind, place, amount) stands in the
rows, if this centre holds them. What neither says is null: sealed is shown as sealed, never as zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from servanda.storage.columnar.likeness import skeleton
from servanda.storage.columnar.sealing import ROW, SKELETON, literal
from servanda.storage.columnar.store import ColumnarTables

BY = ("party", "kind", "site", "state", "account", "unit")
"""By what holdings may be told apart."""
_LOTS = pa.schema(
    [
        ("id", pa.int64()),
        ("lot", pa.string()),
        ("root", pa.string()),
        ("first", pa.int64()),
        ("last", pa.int64()),
        ("account", pa.string()),
        ("kind", pa.string()),
        ("site", pa.string()),
        ("unit", pa.string()),
        ("amount", pa.int64()),
        ("basis", pa.string()),
        ("least", pa.int64()),
        ("most", pa.int64()),
    ]
)


class Found(NamedTuple):
    """Where a serial stands."""

    root: str
    row: int
    serial: str
    exact: bool
    """Whether it is the serial asked for, or one that could be read as it."""


class Holdings:
    """The lots of a balances document, with what the rows held here say of them; ask as often as you like."""

    def __init__(
        self, duck: Any, tables: ColumnarTables, lots: Iterable[Mapping[str, Any]], roots: Mapping[str, str]
    ) -> None:
        """Put lots and rows together.

        Args:
            duck: an engine.
            tables: the tables held here.
            lots: `lots` of the balances document (spec/custody.md).
            roots: the root of the table of each entry that has one.
        """
        self._duck = duck
        arrow = _arrow(lots, roots, {facts.root for facts in tables.tables()})
        duck.register("lots", arrow)
        duck.execute(f"CREATE TABLE runs AS {_runs(tables, sorted(set(arrow['root'].to_pylist()) - {None}))}")
        duck.execute(_PIECES)
        _weigh(duck, tables)
        duck.execute(_NAMED)

    def by(self, names: Sequence[str], only: Mapping[str, str | None] | None = None) -> list[dict[str, Any]]:
        """The balances by `names` (some of `BY`) and unit: how many lots, their sum, and what is not known."""
        where, values = _where(only or {})
        group = ", ".join(dict.fromkeys([*(f'"{name}"' for name in names), "unit"]))
        self._duck.execute(_SUMS.format(group=group, where=where), values)
        columns = [column[0] for column in self._duck.description]
        rows = [dict(zip(columns, line, strict=True)) for line in self._duck.fetchall()]
        return [{**row, "amount": None if row["amount"] is None else int(row["amount"])} for row in rows]

    def lots(self, only: Mapping[str, str | None]) -> list[dict[str, Any]]:
        """The lots of which a balance is the sum: name of the first row, and how many rows."""
        where, values = _where(only)
        query = (
            "SELECT regexp_replace(lot, '/[0-9]+$', '') || '/' || first, last - first + 1 "  # noqa: S608
            f"FROM named WHERE {where} ORDER BY id, first"
        )
        return [{"lot": lot, "rows": rows} for lot, rows in self._duck.execute(query, values).fetchall()]


def _where(only: Mapping[str, str | None]) -> tuple[str, list[str | None]]:
    return " AND ".join(["true", *(f'"{name}" IS NOT DISTINCT FROM ?' for name in only)]), [*only.values()]


def _arrow(lots: Iterable[Mapping[str, Any]], roots: Mapping[str, str], held: set[str]) -> pa.Table:
    columns: dict[str, list[Any]] = {name: [] for name in _LOTS.names}
    for number, lot in enumerate(lots):
        entry, _, row = lot["lot"].rpartition("/")
        root = roots.get(entry)
        values = {
            "id": number,
            "lot": lot["lot"],
            "root": root if root in held else None,
            "first": int(row),
            "last": int(row) + lot.get("rows", 1) - 1,
            "account": lot["account"],
            "kind": lot["kind"],
            "site": lot["place"],
            "unit": lot["unit"],
            "amount": lot["amount"],
            "basis": lot["basis"],
            "least": lot.get("from"),
            "most": lot.get("to"),
        }
        for name, column in columns.items():
            column.append(values[name])
    return pa.table({name: pa.array(column, _LOTS.field(name).type) for name, column in columns.items()})


def _runs(tables: ColumnarTables, roots: Sequence[str]) -> str:
    """The runs of the tables that are asked for; of one without, every row is a run of its own."""
    parts = [
        "SELECT NULL::VARCHAR AS root, 0::BIGINT AS first, 0::BIGINT AS last, NULL::VARCHAR AS kind, "
        "NULL::VARCHAR AS place, NULL::BIGINT AS least, NULL::BIGINT AS most WHERE false"
    ]
    for root in roots:
        folder = tables.path(root)
        if pq.read_metadata(folder / "runs.parquet").num_rows:
            parts.append(f"SELECT '{root}', * FROM read_parquet({literal(folder / 'runs.parquet')})")  # noqa: S608
            continue
        names = pq.read_schema(folder / "rows.parquet").names
        kind, place = (name if name in names else "NULL" for name in ("kind", "place"))
        amount = "amount, amount" if "amount" in names else "NULL, NULL"
        parts.append(
            f"SELECT '{root}', file_row_number, file_row_number, {kind}, {place}, {amount} "  # noqa: S608
            f"FROM read_parquet({literal(folder / 'rows.parquet')}, file_row_number = true)"
        )
    return " UNION ALL ".join(parts)


_PIECES = """
CREATE TABLE pieces AS
SELECT l.id, l.lot, l.root, l.first, l.last, l.account, l.kind, l.site, l.unit, l.basis, l.amount AS each,
       l.least AS low, l.most AS high, NULL::BIGINT AS weighed
FROM lots l WHERE l.root IS NULL OR (l.kind IS NOT NULL AND l.site IS NOT NULL AND l.basis <> 'sealed')
UNION ALL
SELECT l.id, l.lot, l.root, greatest(l.first, r.first), least(l.last, r.last), l.account, coalesce(l.kind, r.kind),
       coalesce(l.site, r.place), l.unit,
       CASE WHEN l.basis <> 'sealed' THEN l.basis WHEN r.least IS NULL THEN 'sealed'
            WHEN r.least = r.most THEN 'opened' ELSE 'rows' END,
       CASE WHEN l.basis <> 'sealed' THEN l.amount WHEN r.least = r.most THEN r.least END, l.least, l.most, NULL
FROM lots l JOIN runs r ON l.root = r.root AND l.first <= r.last AND l.last >= r.first
WHERE NOT (l.kind IS NOT NULL AND l.site IS NOT NULL AND l.basis <> 'sealed')
"""
_SUMS = """
SELECT * FROM (
  SELECT {group}, sum(last - first + 1)::BIGINT AS lots,
         sum(CASE WHEN basis = 'rows' THEN weighed ELSE each * (last - first + 1) END) AS amount,
         sum(low * (last - first + 1))::BIGINT AS "from", sum(high * (last - first + 1))::BIGINT AS "to",
         sum(CASE WHEN basis = 'sealed' THEN last - first + 1 ELSE 0 END)::BIGINT AS sealed,
         sum(CASE WHEN basis = 'not-stated' THEN last - first + 1 ELSE 0 END)::BIGINT AS "not-stated"
  FROM named WHERE {where} GROUP BY {group}
) ORDER BY ALL
"""
_NAMED = """
CREATE VIEW named AS
SELECT *, split_part(account, '/', 1) AS state, nullif(split_part(account, '/', 2), '') AS party FROM pieces
"""


def _weigh(duck: Any, tables: ColumnarTables) -> None:
    """Sum the amounts of rows that differ within a run, where the lot says nothing of them."""
    for (root,) in duck.execute("SELECT DISTINCT root FROM pieces WHERE basis = 'rows'").fetchall():
        path = tables.path(root) / "rows.parquet"
        duck.execute(
            "CREATE OR REPLACE TABLE weights AS SELECT p.first AS start, sum(r.amount)::BIGINT AS weight "  # noqa: S608
            f"FROM read_parquet({literal(path)}, file_row_number = true) r ASOF JOIN "
            f"(SELECT first, last FROM pieces WHERE basis = 'rows' AND root = '{root}') p "
            "ON r.file_row_number >= p.first WHERE r.file_row_number <= p.last GROUP BY p.first"
        )
        duck.execute(
            "UPDATE pieces SET weighed = weights.weight FROM weights "  # noqa: S608
            f"WHERE pieces.first = weights.start AND pieces.basis = 'rows' AND pieces.root = '{root}'"
        )


def find_serial(tables: ColumnarTables, serial: str) -> list[Found]:
    """Where a serial stands in the tables held here, and where one stands that could be read as it."""
    wanted = skeleton(serial)
    found = []
    for facts in tables.tables():
        path = tables.path(facts.root) / "serials.parquet"
        if path.is_file():
            found += [Found(facts.root, row, text, text == serial) for text, row in _look_up(path, wanted)]
    return sorted(found, key=lambda one: (not one.exact, one.root, one.row))


def _look_up(path: Path, wanted: str) -> list[tuple[str, int]]:
    """Serial and row of one skeleton: the groups that can have it, found by halving, are read and no others."""
    file = pq.ParquetFile(path, memory_map=True)
    count = file.metadata.num_row_groups
    low, high = 0, count
    while low < high:  # the first group whose greatest skeleton is not before the one wanted
        middle = (low + high) // 2
        if file.metadata.row_group(middle).column(0).statistics.max < wanted:
            low = middle + 1
        else:
            high = middle
    found: list[tuple[str, int]] = []
    for group in range(low, count):
        if file.metadata.row_group(group).column(0).statistics.min > wanted:
            break
        table = file.read_row_group(group, columns=[SKELETON, "serial", ROW], use_threads=False)
        skeletons = table[SKELETON].to_pylist()
        found += [
            (table["serial"][at].as_py(), table[ROW][at].as_py()) for at, text in enumerate(skeletons) if text == wanted
        ]
    return found
