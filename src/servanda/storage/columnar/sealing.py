# SPDX-License-Identifier: Apache-2.0
"""From a file to a sealed table: rows in order, their texts hashed, the tree, the index of serials (spec/tables.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from servanda.operations.errors import Refusal
from servanda.proof.tables import TableTree
from servanda.storage.columnar.checking import ROW_BYTES_MAX, canonical_texts
from servanda.storage.columnar.engine import engine
from servanda.storage.columnar.hashing import CHUNK_ROWS, Hasher
from servanda.storage.columnar.likeness import skeletons
from servanda.storage.columnar.staging import AT, ROW_GROUP, Progress

ROW, SKELETON = "servanda:row", "servanda:skeleton"
"""Columns of the index: the row's number in the table, and the skeleton of its serial."""
PAIRS_MAX = 1000
"""How many pairs of like serials are listed; all of them are counted."""


class Pair(NamedTuple):
    """Two serials that are one, or that one person could read as one, and the rows of the file they stand in."""

    first: str
    first_at: int
    second: str
    second_at: int


class Serials(NamedTuple):
    """What the index of serials found."""

    duplicates: list[Pair]
    alike: list[Pair]
    alike_count: int


def order_of(members: Sequence[str], *, lots: bool, measured: bool) -> list[str]:
    """By what rows are sorted: kind, place, amount where it stands in clear, serial; as in the file without lots."""
    wanted = ["kind", "place", *(["amount"] if measured else []), "serial"] if lots else []
    return [name for name in wanted if name in members]


def lay_down(
    staged: Path | Sequence[Path], rows: Path, index: Path | None, order: Sequence[str], left_out: Sequence[int],
    secret: bytes, count: int, progress: Progress,
) -> TableTree:  # fmt: skip
    """Sort staged rows, write them to `rows` in their final order, hash them, and write the unsorted `index`.

    Raises:
        Refusal: a row is larger than a row may be (`over-size`).
    """
    files = [staged] if isinstance(staged, Path) else [*staged]
    schema = pq.read_schema(files[0])
    final = pa.schema([field for field in schema if field.name != AT])
    done = 0
    with (
        engine(rows.parent) as duck,
        Hasher(secret, count) as hasher,
        pq.ParquetWriter(rows, final, compression="zstd", write_page_index=False) as writer,
        _Index(index) as indexing,
    ):
        for chunk in _chunks(_sorted(duck, files, order, left_out), schema):
            plain = chunk.select(final.names)
            texts = canonical_texts(plain)
            longest = pc.max(pc.binary_length(texts)).as_py() or 0
            if longest > ROW_BYTES_MAX:
                place = pc.index(pc.greater(pc.binary_length(texts), ROW_BYTES_MAX), True).as_py()
                at = chunk.column(AT)[place].as_py()
                raise Refusal(f"row {at}: {longest} bytes as JSON; a row has at most {ROW_BYTES_MAX}", "over-size")
            hasher.add(texts)
            writer.write_batch(plain, row_group_size=ROW_GROUP)
            indexing.add(chunk, done)
            done += chunk.num_rows
            progress("seal", done, count)
        return hasher.tree()


def _sorted(
    duck: Any, files: Sequence[Path], order: Sequence[str], left_out: Sequence[int]
) -> Iterator[pa.RecordBatch]:
    by = f" ORDER BY {', '.join(map(quoted, order))}" if order else ""
    where = f' WHERE "{AT}" NOT IN ({", ".join(map(str, sorted(left_out)))})' if left_out else ""
    query = f"SELECT * FROM read_parquet([{', '.join(map(literal, files))}]){where}{by}"  # noqa: S608
    yield from duck.sql(query).to_arrow_reader(CHUNK_ROWS)


def _chunks(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Batches of any size as chunks of one size; only the last is shorter."""
    waiting: list[pa.RecordBatch] = []
    held = 0
    for batch in batches:
        waiting.append(batch)
        held += batch.num_rows
        while held >= CHUNK_ROWS:
            table = pa.Table.from_batches(waiting).combine_chunks()
            whole = table.slice(0, CHUNK_ROWS).cast(schema).combine_chunks().to_batches()[0]
            rest = table.slice(CHUNK_ROWS)
            waiting, held = rest.to_batches(), rest.num_rows
            yield whole
    if held:
        yield pa.Table.from_batches(waiting).cast(schema).combine_chunks().to_batches()[0]


class _Index:
    """Writes the unsorted index: skeleton, serial, kind, the row and where it stood; nothing without a path."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> _Index:
        if self._path is not None:
            text, number = pa.string(), pa.int64()
            fields = [(SKELETON, text), ("serial", text), ("kind", text), (ROW, number), (AT, number)]
            self._schema = pa.schema(fields)
            self._writer = pq.ParquetWriter(self._path, self._schema, compression="lz4")
        return self

    def __exit__(self, *error: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def add(self, chunk: pa.RecordBatch, first: int) -> None:
        if self._writer is None:
            return
        serials, names = chunk.column("serial"), chunk.schema.names
        kinds = chunk.column("kind") if "kind" in names else pa.nulls(chunk.num_rows, pa.string())
        numbers = pa.array(range(first, first + chunk.num_rows), pa.int64())
        columns = [skeletons(serials), serials, kinds, numbers, chunk.column(AT)]
        part = pa.RecordBatch.from_arrays(columns, schema=self._schema)
        self._writer.write_batch(part.filter(pc.is_valid(serials)))


def sort_serials(index: Path, serials: Path, count: int, progress: Progress) -> Serials:
    """Sort the index by skeleton and serial into `serials`; neighbours tell what is twice there, or alike."""
    duplicates: list[Pair] = []
    alike: list[Pair] = []
    alike_count, done = 0, 0
    kept = pa.schema([(SKELETON, pa.string()), ("serial", pa.string()), (ROW, pa.int64())])
    query = f'SELECT * FROM read_parquet({literal(index)}) ORDER BY "{SKELETON}", serial, kind, "{ROW}"'  # noqa: S608
    last: pa.RecordBatch | None = None
    with engine(index.parent) as duck, pq.ParquetWriter(serials, kept, compression="zstd") as writer:
        for batch in duck.sql(query).to_arrow_reader(CHUNK_ROWS):
            window = batch if last is None else pa.Table.from_batches([last, batch]).combine_chunks().to_batches()[0]
            if window.num_rows > 1:
                before, after = window.slice(0, window.num_rows - 1), window.slice(1)
                same = pc.equal(before.column("serial"), after.column("serial"))
                kinds = pc.equal(pc.fill_null(before.column("kind"), ""), pc.fill_null(after.column("kind"), ""))
                twice = pc.and_(same, kinds)
                like = pc.and_(pc.equal(before.column(SKELETON), after.column(SKELETON)), pc.invert(same))
                duplicates += _pairs(before, after, twice)
                alike_count += pc.sum(like).as_py() or 0
                alike += _pairs(before, after, like)[: max(0, PAIRS_MAX - len(alike))]
            writer.write_batch(batch.select(kept.names), row_group_size=ROW_GROUP)
            last = batch.slice(batch.num_rows - 1)
            done += batch.num_rows
            progress("index", done, count)
    return Serials(duplicates, alike, alike_count)


def _pairs(before: pa.RecordBatch, after: pa.RecordBatch, mask: pa.Array) -> list[Pair]:
    left, right = before.filter(mask), after.filter(mask)
    columns = [left.column("serial"), left.column(AT), right.column("serial"), right.column(AT)]
    return [Pair(*values) for values in zip(*(column.to_pylist() for column in columns), strict=True)]


def quoted(name: str) -> str:
    """A name of a column in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(path: Path | str) -> str:
    """A text in SQL."""
    return "'" + str(path).replace("'", "''") + "'"
