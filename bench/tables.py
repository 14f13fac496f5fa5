# SPDX-License-Identifier: Apache-2.0
"""A declaration of any size: what it costs beside its floors, and how fast single rows and balances come out of it.

`python -m bench.tables [ROWS]`. Ratios are taken within one run; the floors do the same work and nothing else: reading
the file, hashing the rows, the engine's plain group-by.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from bench import floors
from servanda.agreement.formats import Format
from servanda.proof.tables import block_nodes, row_hashes, verify_row
from servanda.storage.columnar.checking import Names
from servanda.storage.columnar.engine import engine
from servanda.storage.columnar.making import seal_table
from servanda.storage.columnar.queries import Holdings, find_serial
from servanda.storage.columnar.sealing import literal
from servanda.storage.columnar.store import ColumnarTables

WORLD = 8_670_000
"""Munitions and containers of the world's declared chemical stockpile (shared facts)."""
SITES = 40
KINDS = ("shell", "bomb", "rocket", "container", "mine", "cartridge")
SAMPLE = 200_000
ROWS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "kind": {"type": "string"},
        "place": {"type": "string"},
        "serial": {"type": "string", "minLength": 1, "maxLength": 40},
    },
    "required": ["kind", "place", "serial"],
    "additionalProperties": False,
}
FORM = Format("declaration", 1, "notify", "two", {}, rows=ROWS)
NAMES = Names(dict.fromkeys(KINDS, "piece"), frozenset(f"site-{site:02d}" for site in range(SITES)))


def write_file(path: Path, rows: int) -> None:
    """A CSV file of items in no order."""
    with path.open("w") as out:
        out.write("serial,kind,place\n")
        for first in range(0, rows, 100_000):
            out.writelines(
                f"S-{n * 6_700_417 % 99_999_989:08d},{KINDS[n % 6]},site-{n * 31 % SITES:02d}\n"
                for n in range(first, min(rows, first + 100_000))
            )


def cpu_seconds() -> float:
    """Processor time of this process and of those that have ended: what a busy machine cannot stretch."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def read_seconds(path: Path, clock: Callable[[], float] = time.perf_counter) -> float:
    """Time of reading all cells of a file as texts, and nothing else."""
    begun = clock()
    names = dict.fromkeys(("serial", "kind", "place"), pa.string())
    for _ in pa_csv.open_csv(path, convert_options=pa_csv.ConvertOptions(column_types=names)):
        pass
    return clock() - begun


def hash_seconds(texts: list[bytes], clock: Callable[[], float] = time.perf_counter) -> float:
    """Time, for one row, of salting and hashing rows and the tree over them, on one core: median of five."""
    taken = []
    for _ in range(5):
        begun = clock()
        block_nodes(row_hashes(bytes(32), 0, texts))
        taken.append((clock() - begun) / len(texts))
    return floors.ranked(taken)[0]


def measure(rows: int = WORLD) -> dict[str, Any]:
    """Declare, open, balance and trace; each beside its floor."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as folder:
        source, tables = Path(folder) / "items.csv", ColumnarTables(Path(folder) / "tables")
        write_file(source, rows)
        read = read_seconds(source)
        stages: dict[str, float] = {}
        begun, cpu = time.perf_counter(), cpu_seconds()
        made = seal_table(
            tables,
            source,
            FORM,
            NAMES,
            os.urandom(32),
            progress=lambda stage, *_: stages.update({stage: time.perf_counter()}),
        )
        declared, used = time.perf_counter() - begun, cpu_seconds() - cpu
        root = made.facts.root
        texts = tables.lines(root, 0, min(rows, SAMPLE)).splitlines()
        hashed = hash_seconds(texts) * rows
        floor = read_seconds(source) + hashed
        least = read_seconds(source, cpu_seconds) + hash_seconds(texts, cpu_seconds) * rows
        found: dict[str, Any] = {
            "rows": rows,
            "reading the file, seconds": round(read, 1),
            "hashing the rows on one core, seconds": round(hashed, 1),
            "declaring them, seconds": round(declared, 1),
            "declaring, as a multiple of reading and hashing": round(declared / floor, 2),
            "of it until all rows were checked / sealed / indexed": " / ".join(
                f"{stages[name] - begun:.1f}" for name in ("read", "seal", "index")
            ),
            "processor time of all processes, seconds": round(used, 1),
            "processor time, as a multiple of reading and hashing": round(used / least, 2),
            "peak memory of the main process, MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "peak memory of a hashing process, MiB": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        }
        return found | _reading(tables, root, rows)


def _reading(tables: ColumnarTables, root: str, rows: int) -> dict[str, Any]:
    state = {"row": 0}

    def next_row() -> int:
        state["row"] = (state["row"] * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % rows
        return state["row"]

    def open_and_check() -> None:
        verify_row(tables.opening(root, next_row()), bytes.fromhex(root), rows)

    serials = [tables.lines(root, next_row(), 1).split(b'"serial":"')[1][:10].decode() for _ in range(64)]

    def trace() -> None:
        assert find_serial(tables, serials[next_row() % 64])[0].exact

    # One lot in a thousand stands apart, as after a shipment of which one in a thousand is short.
    cuts = [*range(0, rows, 1000), rows]
    lots = [
        {"lot": f"ash/3/{first}", "rows": after - first, "account": ("held/ash", "disputed/ash/birch")[at % 2]}
        | {"kind": None, "place": None, "unit": "piece", "amount": 1, "basis": "stated"}
        for at, (first, after) in enumerate(pairwise(cuts))
    ]

    def balance() -> None:
        with engine() as duck:
            assert Holdings(duck, tables, lots, {"ash/3": root}).by(["party", "kind", "site", "state"])

    path = literal(tables.path(root) / "rows.parquet")

    def group() -> None:
        with engine() as duck:
            duck.execute(f"SELECT kind, place, count(*) FROM read_parquet({path}) GROUP BY kind, place").fetchall()

    opened, opened99 = floors.percentiles(open_and_check, 200)
    traced, traced99 = floors.percentiles(trace, 100)
    grouped, balanced = floors.median(group, 5), floors.median(balance, 5)
    return {
        "one row opened and checked, milliseconds p50 / p99": f"{opened * 1e3:.1f} / {opened99 * 1e3:.1f}",
        "a serial found, milliseconds p50 / p99": f"{traced * 1e3:.1f} / {traced99 * 1e3:.1f}",
        f"all balances of {len(lots):,} sealed lots by party, kind, site, state, seconds": round(balanced, 3),
        "the engine's plain group-by over all rows, seconds": round(grouped, 3),
        "balances, as a multiple of the plain group-by": round(balanced / grouped, 2),
    }


if __name__ == "__main__":
    for name, value in measure(int(sys.argv[1]) if len(sys.argv) > 1 else WORLD).items():
        print(f"{name}: {value}")
