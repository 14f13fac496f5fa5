# SPDX-License-Identifier: Apache-2.0
"""What stands in this file? CSV, XLSX and Parquet as batches of texts, with the row that each had in its file.

Nothing is guessed: no types, no dialect, no dates. A cell is a text or empty; what only looks like one thing and was
stored as another (a formula, a number where a text belongs, a fraction) is left as it is, and refused later by name.
"""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineWorkbook

from servanda.operations.errors import Refusal

BATCH_ROWS = 1 << 16
"""Rows that are looked at together."""
BLOCK_BYTES = 1 << 23
"""How much of a CSV file is in memory at once."""
SHEET_BYTES_MAX = 1 << 31
"""The most that the parts of a spreadsheet may claim to be when unpacked."""
_FORMULA_CELL = re.compile(rb"<(?:\w+:)?f[\s/>]")
_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3}[0-9]{1,7})"')


class Cells(NamedTuple):
    """Rows as they stand in a file."""

    batch: pa.RecordBatch
    """Texts, null where a cell is empty; the columns are named by the file's first row."""
    first: int
    """The row of the file in which the first of them stands, from 1, the names of the columns being row 1."""


def read_cells(path: Path, members: Sequence[str]) -> Iterator[Cells]:
    """Read a file by its ending: `.csv`, `.xlsx` or `.parquet`.

    Args:
        path: the file.
        members: what columns may be called.

    Raises:
        Refusal: it is none of these (`table-file`), or its columns are not the members of a row (`table-column`).
    """
    match path.suffix.lower():
        case ".csv":
            return _csv(path, members)
        case ".xlsx":
            return _xlsx(path, members)
        case ".parquet":
            return _parquet(path, members)
    raise Refusal(f"{path.name}: a table is read from .csv, .xlsx or .parquet", "table-file")


def _check_columns(path: Path, names: Sequence[str], members: Sequence[str]) -> None:
    for place, name in enumerate(names, start=1):
        if name not in members:
            wanted = ", ".join(members)
            raise Refusal(
                f"{path.name}: row 1, column {place}: {name[:60]!r} is not a member of a row; they are {wanted}",
                "table-column",
            )
        if list(names).index(name) + 1 != place:
            raise Refusal(f"{path.name}: row 1, column {place}: {name!r} stands there twice", "table-column")


def _csv(path: Path, members: Sequence[str]) -> Iterator[Cells]:
    """RFC 4180: commas, quotation marks doubled within quotation marks, UTF-8."""
    wrong: list[Any] = []

    def note(row: Any) -> str:
        wrong.append(row)
        return "error"

    names = _csv_names(path)
    _check_columns(path, names, members)
    try:
        reader = pa_csv.open_csv(
            path,
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
            parse_options=pa_csv.ParseOptions(newlines_in_values=False, invalid_row_handler=note),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=True
            ),
        )
        first = 2
        for batch in reader:
            for part in _cut(batch):
                yield Cells(_emptied(part), first)
                first += part.num_rows
    except pa.ArrowInvalid as error:
        if wrong:
            row = wrong[0]
            at = f"row {row.number}" if row.number is not None else "a row"
            reason = f"{path.name}: {at}: has {row.actual_columns} cells, not {row.expected_columns}: {row.text[:80]!r}"
            if row.actual_columns > row.expected_columns:
                reason += "; a number with a comma, or a text with one that stands without quotation marks?"
            raise Refusal(reason, "table-file") from error
        raise Refusal(f"{path.name}: {str(error)[:300]}; a CSV file is UTF-8 with commas", "table-file") from error


def _csv_names(path: Path) -> list[str]:
    """The names of the columns: the first line."""
    with path.open("rb") as file:
        line = file.readline(1 << 16)
    if not line.strip():
        raise Refusal(f"{path.name}: is empty; the first row names the columns", "table-file")
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(f"{path.name}: row 1: not UTF-8: {error}; save it as CSV UTF-8", "table-file") from error
    if ";" in text and "," not in text:
        raise Refusal(
            f"{path.name}: row 1: separated by semicolons; write commas (and amounts without decimal commas)",
            "table-file",
        )
    import csv

    return next(csv.reader([text]))


def _cut(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for start in range(0, batch.num_rows, BATCH_ROWS):
        yield batch.slice(start, BATCH_ROWS)


def _emptied(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Texts without characters become null: an empty cell has no value."""
    columns = [pc.if_else(pc.equal(column, ""), None, column) for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _xlsx(path: Path, members: Sequence[str]) -> Iterator[Cells]:
    """The first sheet of a workbook. The library reads a sheet whole: at most 1,048,576 rows, about 0.5 kB each."""
    _refuse_formulas(path)
    try:
        book = CalamineWorkbook.from_path(path)
        sheet = book.get_sheet_by_index(0)
        start = sheet.start
        rows = iter(sheet.iter_rows())
    except (CalamineError, OSError, ValueError) as error:
        raise Refusal(f"{path.name}: not a workbook of XLSX: {str(error)[:200]}", "table-file") from error
    if start is not None and sheet.merged_cell_ranges:
        raise Refusal(f"{path.name}: has merged cells; a table has one value in each cell", "table-file")
    head = next(rows, None)
    while head is not None and not any(cell != "" for cell in head):
        head = next(rows, None)
    if head is None:
        raise Refusal(f"{path.name}: is empty; the first row names the columns", "table-file")
    names = [str(cell) for cell in head]
    while names and names[-1] == "":
        names.pop()
    _check_columns(path, names, members)
    number, waiting = 2, []
    for row in rows:
        waiting.append([_text_of(cell) for cell in row[: len(names)]])
        for place, cell in enumerate(row[len(names) :], start=len(names) + 1):
            if cell != "":
                at = number + len(waiting) - 1
                raise Refusal(f"{path.name}: row {at}, column {place}: a value under no name", "table-file")
        if len(waiting) == BATCH_ROWS:
            yield Cells(_batch_of(waiting, names), number)
            number, waiting = number + len(waiting), []
    if waiting:
        yield Cells(_batch_of(waiting, names), number)


def _batch_of(rows: list[list[str | None]], names: list[str]) -> pa.RecordBatch:
    columns = [pa.array([row[i] if i < len(row) else None for row in rows], pa.string()) for i in range(len(names))]
    return pa.RecordBatch.from_arrays(columns, names=names)


def _text_of(cell: Any) -> str | None:
    """A cell of a workbook as a text: whole numbers without their point, which every number of a workbook has."""
    if cell == "" or cell is None:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, datetime.date | datetime.time | datetime.timedelta):
        return f"\x00{cell}"  # a date of a spreadsheet is a number in disguise: refused as an unseen character
    return str(cell)


def _refuse_formulas(path: Path) -> None:
    """No cell of a workbook may compute: what it shows is not what it holds.

    Raises:
        Refusal: a formula (`table-formula`), naming the cell; or no workbook, or one that claims to be too large.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > SHEET_BYTES_MAX:
                raise Refusal(f"{path.name}: unpacks to more than {SHEET_BYTES_MAX} bytes", "over-size")
            for info in archive.infolist():
                if re.fullmatch(r"xl/worksheets/[^/]+\.xml", info.filename):
                    with archive.open(info) as sheet:
                        _scan(path, info.filename, sheet)
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError) as error:
        raise Refusal(f"{path.name}: not a workbook of XLSX: {error}", "table-file") from error


def _scan(path: Path, name: str, sheet: Any) -> None:
    kept = b""
    while data := sheet.read(1 << 20):
        window = kept + data
        found = _FORMULA_CELL.search(window)
        if found:
            cells = _CELL.findall(window, 0, found.start())
            at = cells[-1].decode() if cells else "a cell"
            raise Refusal(
                f"{path.name}: {name.rpartition('/')[2]}, cell {at}: is a formula; a table holds values: paste them",
                "table-formula",
            )
        kept = window[-4096:]


def _parquet(path: Path, members: Sequence[str]) -> Iterator[Cells]:
    try:
        file = pq.ParquetFile(path, memory_map=True)
        names = file.schema_arrow.names
    except (pa.ArrowInvalid, OSError) as error:
        raise Refusal(f"{path.name}: not a Parquet file: {str(error)[:200]}", "table-file") from error
    _check_columns(path, names, members)
    first = 2
    for batch in file.iter_batches(BATCH_ROWS):
        columns = [_texts_of(path, name, column) for name, column in zip(names, batch.columns, strict=True)]
        yield Cells(_emptied(pa.RecordBatch.from_arrays(columns, names=names)), first)
        first += batch.num_rows


def _texts_of(path: Path, name: str, column: pa.Array) -> pa.Array:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
    ):
        raise Refusal(
            f"{path.name}: column {name}: holds {kind}; a member of a row is a text, an integer or a boolean",
            "table-column",
        )
    return pc.cast(column, pa.string())
