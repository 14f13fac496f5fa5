# SPDX-License-Identifier: Apache-2.0
"""Cost of an append and of a proof as a journal grows: flat, and logarithmic."""

from __future__ import annotations

import hashlib
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import floors
from servanda.journal.state import Tree
from servanda.proof.merkle import inclusion_path, verify_inclusion
from servanda.storage.sqlite.store import SqliteStore

BATCH = 1000


def measure(sizes: list[int]) -> dict[str, Any]:
    """Append leaves to a tree and its SQLite nodes; at each size time 200 single appends, proofs and their checks."""
    tree = Tree()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "record.db")
        for size in sizes:
            while tree.size < size - 200:
                _append(store, tree, min(BATCH, size - 200 - tree.size))
            taken = []
            for _ in range(200):
                begun = time.perf_counter()
                _append(store, tree, 1)
                taken.append(time.perf_counter() - begun)
            append, append99 = floors.ranked(taken)
            proof, check = _proofs(store, tree)
            found[f"append and commit at {size}, microseconds p50 / p99"] = f"{append * 1e6:.0f} / {append99 * 1e6:.0f}"
            found[f"inclusion proof from the store at {size}, microseconds"] = round(proof * 1e6, 1)
            found[f"its verification at {size}, microseconds"] = round(check * 1e6, 1)
        store.close()
    return found


def _append(store: SqliteStore, tree: Tree, count: int) -> None:
    leaves = [(tree.size + offset).to_bytes(8, "big") * 16 for offset in range(count)]
    hashes = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    nodes, _ = tree.extended(hashes)
    with store.transaction() as writer:
        writer.append("ash", tree.size + 1, leaves, nodes, "2026-01-01T00:00:00.000Z")
    for hashed in hashes:
        tree.append(hashed)


def _proofs(store: SqliteStore, tree: Tree) -> tuple[float, float]:
    size, root = tree.size, tree.root()
    state = {"index": 0}

    def node(level: int, index: int) -> bytes:
        return store.node("ash", level, index)

    def prove() -> list[bytes]:
        state["index"] = (state["index"] * 6364136223846793005 + 1442695040888963407) % size
        return inclusion_path(state["index"], size, node)

    proof = floors.median(prove, 500)
    path = prove()
    leaf = tree.node(0, state["index"])
    return proof, floors.median(lambda: verify_inclusion(leaf, state["index"], size, path, root), 500)


if __name__ == "__main__":
    print(measure([1_000, 10_000, 100_000, 1_000_000]))
