# SPDX-License-Identifier: Apache-2.0
"""One DuckDB, in memory, bounded, without a network: what sorts and sums the columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

MEMORY = "768MB"
"""What the engine may take before it writes to its temporary folder."""


@contextmanager
def engine(temporary: Path | None = None, threads: int = 2) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection for the length of a block; `temporary` is where it may spill, None where nothing needs to."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "threads": threads,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "temp_directory": str(temporary) if temporary else "",
    }
    connection = duckdb.connect(":memory:", config=settings)
    try:
        yield connection
    finally:
        connection.close()
