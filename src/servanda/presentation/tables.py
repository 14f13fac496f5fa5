# SPDX-License-Identifier: Apache-2.0
"""A report document as flat tables: a CSV or a Parquet file for each section, and one for the entries cited.

An amount becomes four columns: the whole number of smallest steps, the unit, the qualifier, and the text as people read
it. Each row has its entries and their leaf hashes.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from servanda.presentation.cells import shown_cell
from servanda.reports.document import AMOUNT, INTEGER

BETWEEN = "; "
"""Between the entries of a row, and between their hashes."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet may take for the beginning of a formula."""


class Flat(NamedTuple):
    """A flat table: names and types (`BIGINT`, `VARCHAR`, `VARCHAR[]`) of its columns, and its rows."""

    name: str
    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Any]]


def flat_tables(report: Mapping[str, Any]) -> list[Flat]:
    """Every section of a report document as a flat table, and the entries cited."""
    leaves = {cited["entry"]: cited["leaf"] for cited in report["annex"]}
    found = [_flat(report, section, leaves) for section in report["sections"]]
    heads = ("entry", "leaf", "event-at", "format", "subject", "status")
    entries = [[cited[head] for head in heads] for cited in report["annex"]]
    journals = [[j["party"], j["entries"], j["root"]] for j in report["complete"]]
    return [
        *found,
        Flat("entries", [(head, "VARCHAR") for head in heads], entries),
        Flat("record", [("party", "VARCHAR"), ("entries", "BIGINT"), ("root", "VARCHAR")], journals),
    ]


def _flat(report: Mapping[str, Any], section: Mapping[str, Any], leaves: Mapping[str, str]) -> Flat:
    columns: list[tuple[str, str]] = []
    for column in section["columns"]:
        name, kind = column["id"], column["kind"]
        if kind == AMOUNT:
            columns += [(name, "BIGINT"), (f"{name}-to", "BIGINT"), (f"{name}-unit", "VARCHAR")]
            columns += [(f"{name}-qualifier", "VARCHAR"), (f"{name}-text", "VARCHAR")]
        else:
            columns.append((name, "BIGINT" if kind == INTEGER else "VARCHAR"))
    columns += [("entries", "VARCHAR[]"), ("leaves", "VARCHAR[]"), ("status", "VARCHAR")]
    rows = []
    for row in section["rows"]:
        cells: list[Any] = []
        for column, cell in zip(section["columns"], row["cells"], strict=True):
            if column["kind"] == AMOUNT and cell is None:
                cells += [None] * 5
            elif column["kind"] == AMOUNT:
                cells += [cell["amount"], cell.get("to"), cell["unit"], cell["qualifier"], shown_cell(report, cell)]
            else:
                cells.append(cell)
        rows.append([*cells, row["entries"], [leaves.get(name, "") for name in row["entries"]], report["status"]])
    return Flat(section["id"], columns, rows)


def csv_files(report: Mapping[str, Any]) -> dict[str, bytes]:
    """File name to content, as in RFC 4180, UTF-8. What would begin a formula has an apostrophe before it."""
    found = {}
    for flat in flat_tables(report):
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow([name for name, _ in flat.columns])
        writer.writerows([_csv_cell(cell) for cell in row] for row in flat.rows)
        found[f"{flat.name}.csv"] = text.getvalue().encode()
    return found


def _csv_cell(cell: Any) -> Any:
    if isinstance(cell, list):
        return BETWEEN.join(cell)
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) and not _is_number(cell) else cell


def _is_number(text: str) -> bool:
    return text[1:].replace(".", "", 1).isascii() and text[1:].replace(".", "", 1).isdigit() and text[0] in "+-"


def parquet_files(report: Mapping[str, Any]) -> dict[str, bytes]:
    """File name to content, typed; lists stay lists."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="servanda-") as folder, duckdb.connect() as engine:
        for flat in flat_tables(report):
            target = Path(folder) / f"{flat.name}.parquet"
            typed = ", ".join(f'"{name}" {kind}' for name, kind in flat.columns)
            engine.execute(f"CREATE OR REPLACE TABLE flat ({typed})")
            if flat.rows:
                marks = ", ".join("?" * len(flat.columns))
                engine.executemany(f"INSERT INTO flat VALUES ({marks})", flat.rows)  # noqa: S608
            engine.table("flat").write_parquet(str(target))
            found[target.name] = target.read_bytes()
    return found
