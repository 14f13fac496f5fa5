# SPDX-License-Identifier: Apache-2.0
"""Rows that another centre hands over: laid down part by part, and kept only if they give the root (spec/tables.md).

Parts stay when a transfer breaks off, and the next one goes on after them. Nothing is believed: what does not give the
root that the signed entry states is thrown away.
"""

from __future__ import annotations

import gzip
import io
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pa_json
import pyarrow.parquet as pq

from servanda.operations.errors import Refusal
from servanda.operations.tables import TableFacts
from servanda.proof.canonical import CanonicalError, decode, encode
from servanda.proof.tables import SECRET_BYTES
from servanda.storage.columnar.checking import ROW_BYTES_MAX, canonical_texts
from servanda.storage.columnar.hashing import CHUNK_ROWS
from servanda.storage.columnar.sealing import lay_down, sort_serials
from servanda.storage.columnar.staging import AT, Progress
from servanda.storage.columnar.store import ColumnarTables

PART_ROWS = CHUNK_ROWS
"""Rows of a part; the last may be shorter."""
PART_BYTES_MAX = PART_ROWS * ROW_BYTES_MAX // 16
"""The most bytes of a part: 16 MiB; rows of more than 256 bytes go into shorter parts."""
FETCHING = ".fetching-"
HEADER_BYTES_MAX = 65_536
_TYPES = {"string": pa.string(), "integer": pa.int64(), "boolean": pa.bool_()}


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line of a table file: what the rows after it are, and the secret with which they give the root."""

    facts: TableFacts
    secret: str

    def encode(self) -> bytes:
        """The line, canonical JSON without its newline."""
        return encode({"facts": msgspec.to_builtins(self.facts), "secret": self.secret})


def read_header(line: bytes) -> Header:
    """Read the first line of a table file.

    Raises:
        Refusal: it is none (`table-file`).
    """
    try:
        header = msgspec.convert(decode(line), Header)
        if len(bytes.fromhex(header.secret)) != SECRET_BYTES or not set(header.facts.members.values()) <= _TYPES.keys():
            raise ValueError("its secret is not 32 bytes, or a member of a row has another type")
    except (CanonicalError, msgspec.ValidationError, ValueError) as error:
        raise Refusal(f"not a table file: its first line: {error}", "table-file") from error
    return header


class Receiving:
    """One table that is coming in."""

    def __init__(self, tables: ColumnarTables, header: Header) -> None:
        """Go on with what has come in before of the same table under the same secret."""
        self._tables, self.header = tables, header
        self._folder = tables.folder / f"{FETCHING}{header.facts.root}"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = self._folder / "header"
        if not kept.is_file() or kept.read_bytes() != header.encode():
            self.drop()
            self._folder.mkdir(mode=0o700)
            kept.write_bytes(header.encode())
            kept.chmod(0o600)
        self.schema = pa.schema([(name, _TYPES[kind]) for name, kind in sorted(header.facts.members.items())])

    def drop(self) -> None:
        """Throw away what has come in."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def parts(self) -> list[Path]:
        """The parts that are here, in order."""
        return sorted(self._folder.glob("part-*.parquet"))

    @property
    def held(self) -> int:
        """How many rows have come in."""
        return sum(pq.read_metadata(part).num_rows for part in self.parts())

    def add(self, lines: bytes) -> int:
        """Take the next rows, one a line; returns how many there are now.

        Raises:
            Refusal: they are not rows of this table in canonical JSON (`table-file`); what came before stays.
        """
        first = self.held
        rows = self._rows(lines, first)
        at = pa.array(range(first, first + rows.num_rows), pa.int64())
        part = self._folder / f"part-{first:010d}.parquet"
        making = part.with_suffix(".tmp")
        pq.write_table(pa.table([*rows.columns, at], schema=self.schema.append(pa.field(AT, pa.int64()))), making)
        making.rename(part)
        return first + int(rows.num_rows)

    def _rows(self, lines: bytes, first: int) -> pa.RecordBatch:
        if not lines.endswith(b"\n") or len(lines) > PART_BYTES_MAX or not self.schema.names:
            raise Refusal(f"rows from {first}: no whole lines, or too many of them", "table-file")
        try:
            table = pa_json.read_json(
                io.BytesIO(lines),
                read_options=pa_json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
                parse_options=pa_json.ParseOptions(explicit_schema=self.schema, unexpected_field_behavior="error"),
            )
            rows = table.select(self.schema.names).combine_chunks().to_batches()[0]
        except (pa.ArrowException, KeyError, IndexError) as error:
            raise Refusal(f"rows from {first}: {str(error)[:200]}", "table-file") from error
        texts = canonical_texts(rows)
        if b"\n".join(texts.to_pylist()) + b"\n" != lines:
            raise Refusal(f"rows from {first}: not the canonical JSON of rows with these members", "table-file")
        if (pc.max(pc.binary_length(texts)).as_py() or 0) > ROW_BYTES_MAX:
            raise Refusal(f"rows from {first}: a row of more than {ROW_BYTES_MAX} bytes", "table-file")
        return rows

    def finish(self, progress: Progress = lambda stage, done, of: None) -> TableFacts:
        """Compute the root from the rows and the secret, and keep the table if it is the one that it should be.

        Raises:
            Refusal: it is another one (`table-root`): nothing is kept, not the parts either.
        """
        facts, secret = self.header.facts, bytes.fromhex(self.header.secret)
        with self._tables.making() as making:
            index = making / "index.parquet" if "serial" in facts.members else None
            rows = making / "rows.parquet"
            if not self.parts():
                pq.write_table(
                    self.schema.append(pa.field(AT, pa.int64())).empty_table(), self._folder / "part-0.parquet"
                )
            tree = lay_down(self.parts(), rows, index, (), (), secret, facts.rows, progress)
            if tree.root().hex() != facts.root or tree.size != facts.rows:
                self.drop()
                raise Refusal(
                    f"{tree.size} rows give the root {tree.root().hex()[:16]}…, not {facts.root[:16]}… of {facts.rows} "
                    "rows: this is not the table of the entry, and nothing of it is kept",
                    "table-root",
                )
            if index is not None:
                sort_serials(index, making / "serials.parquet", facts.rows, progress)
            self._tables.finish(making, facts, secret, tree)
        self.drop()
        return facts


def table_lines(tables: ColumnarTables, root: str, first: int) -> bytes:
    """The rows of the part that begins with row `first`: as many as go into one."""
    lines = tables.lines(root, first, PART_ROWS)
    if len(lines) > PART_BYTES_MAX:
        lines = lines[: lines.rindex(b"\n", 0, PART_BYTES_MAX) + 1]
    return lines


def write_table_file(tables: ColumnarTables, root: str, progress: Progress = lambda stage, done, of: None) -> bytes:
    """The table file of a table: gzip (RFC 1952) of the header and of all rows, one a line."""
    facts = tables.facts(root)
    assert facts is not None
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=3, mtime=0) as out:
        out.write(Header(facts, tables.secret(root).hex()).encode() + b"\n")
        first = 0
        while first < facts.rows:
            lines = table_lines(tables, root, first)
            out.write(lines)
            first += lines.count(b"\n")
            progress("write", first, facts.rows)
    return packed.getvalue()


def read_table_file(data: bytes) -> Iterator[bytes]:
    """The first line of a table file, then its rows part by part; never more than a part is unpacked at once.

    Raises:
        Refusal: it is none (`table-file`).
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            header = packed.readline(HEADER_BYTES_MAX)
            if not header.endswith(b"\n"):
                raise Refusal("not a table file: its first line is too long, or cut", "table-file")
            yield header[:-1]
            rest = b""
            while piece := packed.read(PART_BYTES_MAX - len(rest)):
                rest += piece
                cut = rest.rfind(b"\n") + 1
                if not cut:
                    raise Refusal("not a table file: a row without an end", "table-file")
                yield rest[:cut]
                rest = rest[cut:]
            if rest:
                raise Refusal("a table file that is cut: its last row has no end", "table-file")
    except (OSError, EOFError, zlib.error) as error:
        raise Refusal(f"not a table file, or one that is damaged: {error}", "table-file") from error
