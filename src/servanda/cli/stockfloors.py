# SPDX-License-Identifier: Apache-2.0
"""What the same bytes cost a program that does nothing else: floors for the phases of the stockpile's demonstration."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from servanda.proof.tables import block_nodes, row_hashes

SAMPLE_ROWS = 2**18


def parsing(file: Path) -> float:
    """Seconds to read a CSV file into columns, once, as it is streamed."""
    import pyarrow.csv as csv

    begun = time.perf_counter()
    with csv.open_csv(file) as reader:
        for _ in reader:
            pass
    return time.perf_counter() - begun


def hashing(rows: int) -> float:
    """Seconds to salt and hash so many rows, and the tree over them, on one core, by the fastest way that we have."""
    texts = [b'{"kind":"projectile","place":"site-01","serial":"A-%07d"}' % row for row in range(SAMPLE_ROWS)]
    begun = time.perf_counter()
    block_nodes(row_hashes(bytes(32), 0, texts))
    return (time.perf_counter() - begun) * rows / SAMPLE_ROWS


def copying(file: Path, target: Path) -> float:
    """Seconds to copy a file and to hash what was copied."""
    begun = time.perf_counter()
    target.write_bytes(file.read_bytes())
    with target.open("rb") as copied:
        hashlib.file_digest(copied, "sha256")
    taken = time.perf_counter() - begun
    target.unlink()
    return taken


def grouping(files: list[Path]) -> float:
    """Seconds of the engine's plain group-by over all rows, by kind and place."""
    import duckdb

    named = ", ".join(f"'{file}'" for file in files)
    with duckdb.connect() as duck:
        query = f"SELECT kind, place, count(*) FROM read_parquet([{named}]) GROUP BY ALL"  # noqa: S608
        duck.execute(query).fetchall()
        begun = time.perf_counter()
        duck.execute(query).fetchall()
        return time.perf_counter() - begun


def make_rows(file: Path, letter: str, rows: int, sites: list[str], kinds: list[str], seed: int) -> None:
    """Write so many rows of serial, kind and place to a CSV file, the same ones for the same seed."""
    import duckdb

    named, placed = ", ".join(f"'{kind}'" for kind in kinds), ", ".join(f"'{site}'" for site in sites)
    mixed = f"((i + {seed}) * 2654435761 + {seed * 40503 + 977}) % 4294967296"
    query = (
        f"COPY (SELECT '{letter}-' || lpad(CAST(i AS VARCHAR), 7, '0') AS serial, "  # noqa: S608
        f"list_extract([{named}], CAST(1 + ({mixed}) // 65536 % {len(kinds)} AS INTEGER)) AS kind, "
        f"list_extract([{placed}], CAST(1 + ({mixed}) // 7919 % {len(sites)} AS INTEGER)) AS place "
        f"FROM range({rows}) AS t(i)) TO '{file}' (HEADER, DELIMITER ',')"
    )
    with duckdb.connect() as duck:
        duck.execute(query)
