# SPDX-License-Identifier: Apache-2.0
"""Consecutive rows of one kind and place, kept beside the rows: most questions need no more than these."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from servanda.storage.columnar.engine import engine
from servanda.storage.columnar.sealing import literal

RUNS_MAX = 100_000
"""More than so many are no help: then the rows themselves are read."""
SCHEMA = pa.schema(
    [
        ("first", pa.int64()),
        ("last", pa.int64()),
        ("kind", pa.string()),
        ("place", pa.string()),
        ("least", pa.int64()),
        ("most", pa.int64()),
    ]
)


def write_runs(rows: Path, runs: Path) -> None:
    """Write the runs of a table whose rows have kind and place; none, if they do not lie together or are too many."""
    names = pq.read_schema(rows).names
    found: pa.Table = SCHEMA.empty_table()
    if "kind" in names and "place" in names:
        amounts = "min(amount), max(amount)" if "amount" in names else "NULL::BIGINT, NULL::BIGINT"
        query = (
            "SELECT min(file_row_number), max(file_row_number), kind, place, "  # noqa: S608
            f"{amounts}, count(*) FROM read_parquet({literal(rows)}, file_row_number = true) "
            "GROUP BY kind, place ORDER BY 1"
        )
        with engine(rows.parent) as duck:
            lines = duck.execute(query).fetchmany(RUNS_MAX + 1)
        if len(lines) <= RUNS_MAX and all(last - first + 1 == count for first, last, *_, count in lines):
            columns = [[line[at] for line in lines] for at in range(6)]
            found = pa.table([pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)
    pq.write_table(found, runs)
