# SPDX-License-Identifier: Apache-2.0
"""The tables of one centre in one folder: each in a folder of its own, by its root, whole or not there.

    tables/<root>/table.json     what is known of it
                  secret         32 bytes, its owner's alone
                  rows.parquet   the rows in their order, groups of 8,192
                  nodes.bin      the tree from level 8 up, then the leaf hashes after the last whole block
                  runs.parquet   consecutive rows of one kind and place
                  serials.parquet  serials in order, with the rows where they stand
    tables/.making-…             one that is being made; swept away by the next

A folder gets its name when all in it is on the disk: whoever is killed before leaves nothing, after it everything.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from servanda.operations.errors import Refusal, Stopped, TryLater
from servanda.operations.tables import GroupFacts, TableFacts
from servanda.proof.canonical import encode
from servanda.proof.merkle import inclusion_path
from servanda.proof.tables import BLOCK_LEVEL, BLOCK_ROWS, TableTree, nodes_of_block, opening_of, row_hashes
from servanda.storage.columnar.checking import canonical_texts
from servanda.storage.columnar.engine import engine
from servanda.storage.columnar.runs import write_runs
from servanda.storage.columnar.sealing import literal
from servanda.storage.columnar.staging import ROW_GROUP

HASH = 32
MAKING = ".making-"


class ColumnarTables:
    """The tables kept below one folder."""

    def __init__(self, folder: Path) -> None:
        """Keep tables below `folder`, which is made when the first one comes."""
        self.folder = folder

    def tables(self) -> list[TableFacts]:
        """All tables held, by root."""
        if not self.folder.is_dir():
            return []
        return [read_facts(path) for path in sorted(self.folder.iterdir()) if not path.name.startswith(".")]

    def facts(self, root: str) -> TableFacts | None:
        """The table with that root, or None."""
        path = self.folder / root
        return read_facts(path) if len(root) == 2 * HASH and path.is_dir() else None

    def path(self, root: str) -> Path:
        """The folder of a table.

        Raises:
            Refusal: it is not held (`no-table`).
        """
        if self.facts(root) is None:
            raise Refusal(f"no rows of a table with root {root[:16]}… are held here", "no-table")
        return self.folder / root

    def secret(self, root: str) -> bytes:
        """A table's secret, 32 bytes."""
        return (self.path(root) / "secret").read_bytes()

    def opening(self, root: str, index: int) -> bytes:
        """The opening of one row: its text, and the path from its block upwards."""
        path, secret = self.path(root), self.secret(root)
        rows = _rows(path / "rows.parquet", (path / "rows.parquet").stat().st_mtime_ns)
        size = rows.metadata.num_rows
        if not 0 <= index < size:
            raise Refusal(f"the table has rows 0 to {size - 1}, not {index}", "no-row")
        block = index // BLOCK_ROWS
        first = block * BLOCK_ROWS
        texts = _texts(rows, first, BLOCK_ROWS)
        nodes = _NodesFile(path / "nodes.bin", size)
        blocks = {block: row_hashes(secret, first, texts)}
        if block != size // BLOCK_ROWS:
            blocks[size // BLOCK_ROWS] = nodes.tail()
        way = inclusion_path(index, size, nodes_of_block(nodes.node, blocks))
        return opening_of(secret, index, texts[index - first], way)

    def lines(self, root: str, first: int, limit: int) -> bytes:
        """The canonical texts of up to `limit` rows from `first` on, each followed by a newline."""
        path = self.path(root) / "rows.parquet"
        return b"".join(text + b"\n" for text in _texts(_rows(path, path.stat().st_mtime_ns), first, limit))

    def groups(self, root: str, *, by_amount: bool) -> list[GroupFacts]:
        """Consecutive rows of one kind and place (and amount), in the order in which they were sealed: sorted."""
        path = self.path(root) / "rows.parquet"
        measured = "amount" in pq.read_schema(path).names
        amounts = "min(amount), max(amount)" if measured else "NULL, NULL"
        by = "kind, place" + (", amount" if by_amount and measured else "")
        query = (
            f"SELECT kind, place, {amounts}, count(*) FROM read_parquet({literal(path)}) GROUP BY {by} ORDER BY {by}"  # noqa: S608
        )
        with engine() as duck:
            return [GroupFacts(*row) for row in duck.execute(query).fetchall()]

    @contextmanager
    def making(self) -> Iterator[Path]:
        """A folder in which a table is made, alone; what is left of one that was killed is swept away first."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise TryLater(f"another table is being made in {self.folder}", "busy") from error
            for left in self.folder.glob(f"{MAKING}*"):
                shutil.rmtree(left)
            path = Path(tempfile.mkdtemp(prefix=MAKING, dir=self.folder))
            try:
                yield path
            finally:
                shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(lock)

    def finish(self, making: Path, facts: TableFacts, secret: bytes, tree: TableTree) -> None:
        """Give a table that has been made its name: from here on it is held."""
        write_nodes(making / "nodes.bin", tree)
        (making / "table.json").write_bytes(msgspec.json.encode(facts, order="sorted"))
        with open(making / "secret", "wb", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.write(secret)
        write_runs(making / "rows.parquet", making / "runs.parquet")
        keep = ("table.json", "secret", "rows.parquet", "nodes.bin", "serials.parquet", "runs.parquet")
        for path in making.iterdir():
            if path.name in keep:
                _sync(path)
            elif path.is_file():
                path.unlink()
            else:
                shutil.rmtree(path)
        _sync(making)
        if not (self.folder / facts.root).is_dir():
            making.rename(self.folder / facts.root)
        _sync(self.folder)


def read_facts(path: Path) -> TableFacts:
    """What is known of the table in a folder.

    Raises:
        Stopped: it cannot be read (`store-damaged`).
    """
    try:
        return msgspec.json.decode((path / "table.json").read_bytes(), type=TableFacts)
    except (OSError, msgspec.MsgspecError) as error:
        raise Stopped(f"{path / 'table.json'} cannot be read: {error}", "store-damaged") from error


@lru_cache(maxsize=8)
def _rows(path: Path, changed: int) -> pq.ParquetFile:
    """The file of rows, opened once; `changed` tells another file of the same name apart."""
    return pq.ParquetFile(path, memory_map=True)


def _texts(rows: pq.ParquetFile, first: int, limit: int) -> list[bytes]:
    """The canonical texts of some rows, of the row groups in which they lie."""
    last = min(first + limit, rows.metadata.num_rows)
    if last <= first:
        return []
    groups = list(range(first // ROW_GROUP, (last - 1) // ROW_GROUP + 1))
    table: pa.Table = rows.read_row_groups(groups, use_threads=False)
    part = table.slice(first - groups[0] * ROW_GROUP, last - first).combine_chunks()
    if part.num_rows > BLOCK_ROWS:
        texts: list[bytes] = canonical_texts(part.to_batches()[0]).to_pylist()
        return texts
    # For one block, starting the engine's functions costs more than they save.
    return [encode({name: value for name, value in row.items() if value is not None}) for row in part.to_pylist()]


def level_sizes(size: int) -> list[int]:
    """How many nodes each level of a table of `size` rows has, from `BLOCK_LEVEL` up."""
    sizes = [size // BLOCK_ROWS]
    while sizes[-1] > 1:
        sizes.append(sizes[-1] // 2)
    return sizes


def write_nodes(path: Path, tree: TableTree) -> None:
    """Write the tree above its blocks, level by level, then the leaf hashes after the last block."""
    with path.open("wb") as file:
        for level in tree.levels:
            file.write(b"".join(level))
        file.write(b"".join(tree.tail))


class _NodesFile:
    def __init__(self, path: Path, size: int) -> None:
        self._path, self._size = path, size
        self._sizes = level_sizes(size)

    def node(self, level: int, index: int) -> bytes:
        before = sum(self._sizes[: level - BLOCK_LEVEL])
        return self._read((before + index) * HASH, HASH)

    def tail(self) -> list[bytes]:
        length = self._size % BLOCK_ROWS * HASH
        data = self._read(sum(self._sizes) * HASH, length)
        return [data[i : i + HASH] for i in range(0, length, HASH)]

    def _read(self, at: int, length: int) -> bytes:
        with self._path.open("rb") as file:
            file.seek(at)
            data = file.read(length)
        if len(data) != length:
            raise Stopped(f"{self._path} is shorter than its table", "store-damaged")
        return data


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
