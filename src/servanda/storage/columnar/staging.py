# SPDX-License-Identifier: Apache-2.0
"""First pass over a file: every row checked and laid down with its types; what is wrong refused, or set apart."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from servanda.operations.errors import Refusal
from servanda.storage.columnar.checking import Fault, RowChecker
from servanda.storage.columnar.reading import Cells, read_cells

AT = "servanda:at"
"""The column that says in which row of its file a row stood."""
ROW_GROUP = 1 << 13
"""Rows of a row group: small enough that one row is read in a few milliseconds."""
SHOWN_MAX = 20
"""How many wrong rows are named; all of them are counted."""

Progress = Callable[[str, int, int], None]
"""Told of a stage, what is done, and of how much (0: not known)."""


class Wrong(NamedTuple):
    """A row that was left out."""

    at: int
    column: str
    reason: str


class Quarantine:
    """Where rows that are left out are written, with their reasons; nowhere, if no file is given."""

    def __init__(self, file: Path | None, members: tuple[str, ...]) -> None:
        """Begin with nothing left out."""
        self._members = members
        self._file = file.open("w", newline="", encoding="utf-8") if file else None
        self._out = csv.writer(self._file) if self._file else None
        self.count = 0
        self.shown: list[Wrong] = []
        if self._out:
            self._out.writerow(["row", "column", "reason", *members])

    @property
    def given(self) -> bool:
        """Whether wrong rows may be left out at all."""
        return self._out is not None

    def put(self, at: int, faults: list[Fault], values: dict[str, Any]) -> None:
        """Leave out a row."""
        self.count += 1
        first = faults[0] if faults else Fault(0, "", "is no row of this format")
        if len(self.shown) < SHOWN_MAX:
            self.shown.append(Wrong(at, first.column, first.reason))
        if self._out:
            for fault in faults or [first]:
                cells = [neutral(values.get(name)) for name in self._members]
                self._out.writerow([at, fault.column, neutral(fault.reason), *cells])

    def close(self) -> None:
        """Write what is left."""
        if self._file:
            self._file.close()


def neutral(value: Any) -> str:
    """A value for a cell that no spreadsheet computes: an apostrophe goes before what would begin a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


@contextmanager
def quarantine_at(file: Path | None, members: tuple[str, ...]) -> Iterator[Quarantine]:
    """A quarantine for the length of a block."""
    quarantine = Quarantine(file, members)
    try:
        yield quarantine
    finally:
        quarantine.close()


def stage(source: Path, checker: RowChecker, staged: Path, quarantine: Quarantine, progress: Progress) -> int:
    """Read `source`, check every row, and write the good ones to `staged` with the row each had; returns their number.

    Raises:
        Refusal: the file cannot be read, its columns are others, or (without a quarantine) a row is wrong: the first
            wrong row and column are named, and how many there are (`table-row`).
    """
    schema = checker.schema.append(pa.field(AT, pa.int64()))
    good, seen, wrong = 0, 0, 0
    with pq.ParquetWriter(staged, schema, compression="lz4") as writer:
        for cells in read_cells(source, checker.members):
            if not seen:
                _check_required(source, cells, checker)
            bad = checker.bad(cells.batch)
            seen += cells.batch.num_rows
            count = pc.sum(bad).as_py() or 0
            kept = cells.batch
            at = pa.array(range(cells.first, cells.first + cells.batch.num_rows), pa.int64())
            if count:
                wrong += count
                _set_apart(cells, bad, checker, quarantine)
                kept, at = kept.filter(pc.invert(bad)), at.filter(pc.invert(bad))
            if quarantine.given or not wrong:
                typed = checker.typed(kept)
                writer.write_batch(pa.RecordBatch.from_arrays([*typed.columns, at], schema=schema))
                good += kept.num_rows
            progress("read", seen, 0)
    if wrong and not quarantine.given:
        raise Refusal(_words_of(source, quarantine.shown[0], wrong, seen), "table-row")
    return good


def _check_required(source: Path, cells: Cells, checker: RowChecker) -> None:
    missing = sorted(checker.required - set(cells.batch.schema.names))
    if missing:
        raise Refusal(
            f"{source.name}: row 1: there is no column {', '.join(missing)}, which every row must have", "table-column"
        )


def _set_apart(cells: Cells, bad: pa.Array, checker: RowChecker, quarantine: Quarantine) -> None:
    for index in pc.indices_nonzero(bad).to_pylist():
        if not quarantine.given and quarantine.shown:
            return  # the first is named, the others are counted
        values = {name: cells.batch.column(name)[index].as_py() for name in cells.batch.schema.names}
        quarantine.put(cells.first + index, list(checker.faults(cells.batch, index)), values)


def _words_of(source: Path, first: Wrong, wrong: int, seen: int) -> str:
    column = f", column {first.column}" if first.column else ""
    more = f"; {wrong - 1:,} more of {seen:,} rows are wrong" if wrong > 1 else f"; the other {seen - 1:,} rows are not"
    return (
        f"{source.name}: row {first.at}{column}: {first.reason}{more}. Nothing was taken; mend the file, or leave "
        "wrong rows out with --quarantine FILE"
    )
