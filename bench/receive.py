# SPDX-License-Identifier: Apache-2.0
"""Entries received and verified per second: two signatures each, batches of 100, SQLite with full sync."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from bench import floors
from bench.journals import absorb, leaves, moved_to_sqlite, two_parties
from servanda.operations.ports import Push
from servanda.operations.receiving import receive

BATCH = 100


def measure(entries: int = 10_000) -> dict[str, Any]:
    """Receive `entries` entries; rates per second, and the ratio to the raw rate of the signature library."""
    world = two_parties()
    sender = world.centres["ash"]
    made = list(leaves(sender, entries))
    first = sender.journal.size + 1
    absorb(sender, made)
    pushes = [
        Push("ash", first + at, tuple(made[at : at + BATCH]), sender.note_at(first + at + BATCH - 1))
        for at in range(0, entries, BATCH)
    ]
    with tempfile.TemporaryDirectory() as folder:
        receiver = moved_to_sqlite(world.centres["birch"], Path(folder) / "record.db")
        taken = []
        for push in pushes:
            begun = time.perf_counter()
            receive(receiver, push, "ash")
            taken.append((time.perf_counter() - begun) / BATCH)
        assert receiver.journal is not None
        assert all(entry.admissible for entry in receiver.record.journals["ash"].entries)
        receiver.store.close()
    one_core, all_cores = floors.verify_seconds(), floors.verify_seconds_all_cores()
    p50, p99 = floors.ranked(taken)
    return {
        "entries received per second (p50 of batches of 100)": round(1 / p50),
        "p99 of a batch, per entry, microseconds": round(p99 * 1e6),
        "raw verifications per second, one core": round(1 / one_core),
        "raw verifications per second, all cores": round(1 / all_cores),
        "signatures verified / raw rate of one core": round(2 * one_core / p50, 2),
        "signatures verified / raw rate of all cores": round(2 * all_cores / p50, 2),
    }


if __name__ == "__main__":
    print(measure())
