# SPDX-License-Identifier: Apache-2.0
"""The tables of a home as the line needs them. Arrow and DuckDB are imported when the first table is asked for."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from servanda.operations.errors import Refusal

if TYPE_CHECKING:
    from servanda.storage.columnar.receiving import Receiving


class HomeTables:
    """Rows out of a home and into it."""

    def __init__(self, home: Path) -> None:
        """Those below `tables` of this home."""
        self._folder = home / "tables"

    def has(self, root: str) -> bool:
        """Whether the table is held."""
        return (self._folder / root / "table.json").is_file()

    def header(self, root: str) -> bytes:
        """The first line of its table file."""
        from servanda.storage.columnar.receiving import Header
        from servanda.storage.columnar.store import ColumnarTables

        tables = ColumnarTables(self._folder)
        facts = tables.facts(root)
        if facts is None:
            raise Refusal(f"no rows of {root[:16]}… are held here", "no-table")
        return Header(facts, tables.secret(root).hex()).encode()

    def part(self, root: str, first: int) -> bytes:
        """The rows from `first` on, as many as go into one part, packed with gzip."""
        from servanda.storage.columnar.receiving import table_lines
        from servanda.storage.columnar.store import ColumnarTables

        return gzip.compress(table_lines(ColumnarTables(self._folder), root, first), 1, mtime=0)

    def incoming(self, root: str, rows: int, header: bytes) -> Packed:
        """Begin to take a table, or go on."""
        from servanda.storage.columnar.receiving import Receiving, read_header
        from servanda.storage.columnar.store import ColumnarTables

        told = read_header(header)
        if (told.facts.root, told.facts.rows) != (root, rows):
            raise Refusal(f"this is another table than the one of {rows} rows with root {root[:16]}…", "table-root")
        return Packed(Receiving(ColumnarTables(self._folder), told))


class Packed:
    """A table that is coming in, in packed parts."""

    def __init__(self, receiving: Receiving) -> None:
        """Unpack for `receiving`."""
        self._receiving = receiving

    @property
    def held(self) -> int:
        """How many rows have come in."""
        return self._receiving.held

    @property
    def rows(self) -> int:
        """How many there are to be."""
        return self._receiving.header.facts.rows

    def add(self, packed: bytes) -> int:
        """Take the next part; never more than a part is unpacked."""
        from servanda.storage.columnar.receiving import PART_BYTES_MAX

        try:
            unpacker = zlib.decompressobj(31)  # gzip, and nothing else
            lines = unpacker.decompress(packed, PART_BYTES_MAX + 1)
        except zlib.error as error:
            raise Refusal(f"a part of a table that cannot be unpacked: {error}", "table-file") from error
        if not unpacker.eof or unpacker.unused_data:
            raise Refusal("a part of a table that is too long, or cut", "table-file")
        return self._receiving.add(lines) if lines else self._receiving.held

    def finish(self) -> object:
        """Compute the root and keep the table."""
        return self._receiving.finish()
