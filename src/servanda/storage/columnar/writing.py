# SPDX-License-Identifier: Apache-2.0
"""The rows of a table for the programs of others: CSV that no spreadsheet computes, or Parquet as it is."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pyarrow.parquet as pq

from servanda.operations.errors import Refusal
from servanda.storage.columnar.staging import neutral


def write_rows(rows: Path, file: Path) -> int:
    """Write rows to `file` by its ending; returns how many cells were given an apostrophe.

    Raises:
        Refusal: the ending is neither `.csv` nor `.parquet` (`table-file`).
    """
    if file.suffix == ".parquet":
        shutil.copyfile(rows, file)
        return 0
    if file.suffix != ".csv":
        raise Refusal(f"{file.name}: a table is written to .csv, .parquet or .servanda-table", "table-file")
    source, changed = pq.ParquetFile(rows), 0
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(source.schema_arrow.names)
        for batch in source.iter_batches():
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                cells = [neutral(value) for value in values]
                changed += sum(
                    cell.startswith("'") and cell != value for cell, value in zip(cells, values, strict=True)
                )
                writer.writerow(cells)
    return changed
