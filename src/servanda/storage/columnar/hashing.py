# SPDX-License-Identifier: Apache-2.0
"""The leaves of a table hashed on all cores: chunks of whole blocks, each by one process, put together in order."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

import pyarrow as pa

from servanda.proof.tables import BLOCK_ROWS, TableTree, block_nodes, row_hashes

CHUNK_ROWS = 256 * BLOCK_ROWS
"""Rows that one process hashes at a time; a multiple of a block."""
WAITING_MAX = 4
"""Chunks under way at once: more would only fill memory."""
ALONE_ROWS = 3 * CHUNK_ROWS
"""Up to how many rows it is not worth starting processes."""


class Chunk(NamedTuple):
    """What hashing a chunk gives: the roots of its complete blocks, and the leaf hashes after them."""

    blocks: list[bytes]
    tail: list[bytes]


def hash_chunk(secret: bytes, first: int, texts: pa.Array) -> Chunk:
    """Hash rows `first`, … from their canonical texts; `first` begins a block."""
    hashes = row_hashes(secret, first, texts.to_pylist())
    whole = len(hashes) - len(hashes) % BLOCK_ROWS
    return Chunk(block_nodes(hashes), hashes[whole:])


class Hasher:
    """Takes texts chunk by chunk, in order; only the last may be short. Use it as a context."""

    def __init__(self, secret: bytes, rows: int) -> None:
        """Hash about `rows` rows under a table's secret."""
        self._secret = secret
        self._first = 0
        self._blocks: list[bytes] = []
        self._tail: list[bytes] = []
        self._waiting: deque[Future[Chunk]] = deque()
        cores = os.cpu_count() or 1
        self._pool = ProcessPoolExecutor(cores, get_context("spawn")) if rows > ALONE_ROWS and cores > 1 else None

    def __enter__(self) -> Hasher:
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def add(self, texts: pa.Array) -> None:
        """Add the next chunk."""
        first, self._first = self._first, self._first + len(texts)
        if self._pool is None:
            self._take(hash_chunk(self._secret, first, texts))
            return
        self._waiting.append(self._pool.submit(hash_chunk, self._secret, first, texts))
        while len(self._waiting) > WAITING_MAX:
            self._take(self._waiting.popleft().result())

    def tree(self) -> TableTree:
        """The tree of all chunks added."""
        while self._waiting:
            self._take(self._waiting.popleft().result())
        return TableTree(self._blocks, self._tail)

    def _take(self, chunk: Chunk) -> None:
        assert not self._tail
        self._blocks += chunk.blocks
        self._tail = chunk.tail
