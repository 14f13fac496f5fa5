# SPDX-License-Identifier: Apache-2.0
"""Is this a row of the table that was sealed? Salted rows in a Merkle tree (spec/sealing.md, sealed table)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from servanda.proof import canonical
from servanda.proof.canonical import CanonicalError, JsonValue
from servanda.proof.encodings import EncodingError, decode_base64, decode_hash, encode_base64
from servanda.proof.errors import ProofError
from servanda.proof.merkle import (
    Frontier,
    MerkleError,
    Nodes,
    inclusion_path,
    leaf_hash,
    node_hash,
    root_at,
    verify_inclusion,
)

SECRET_BYTES = 32
"""The length of a table's secret."""

_SALT_BYTES = 32
_SALT_LABEL = b"servanda/table-row/v1"
_MEMBERS = {"path", "row", "salt", "value"}

BLOCK_LEVEL = 8
"""A table's tree is kept from this level up; what lies below, 256 rows, is computed again when it is needed."""

BLOCK_ROWS = 1 << BLOCK_LEVEL
"""Rows of a block."""

Row: TypeAlias = dict[str, JsonValue]
"""One row: a JSON object."""


class TableError(ProofError):
    """A table cannot be sealed, or an opening does not prove a row of it."""


def row_salt(secret: bytes, index: int) -> bytes:
    """Return the salt of row `index`, from 0: `HMAC-SHA-256(secret, "servanda/table-row/v1" || be64(index))`.

    Args:
        secret: 32 random bytes that are used for nothing else.
        index: 0 to 2^53 - 1.

    Raises:
        TableError: the secret has another length or the index is out of range.
    """
    if len(secret) != SECRET_BYTES or not 0 <= index <= canonical.INTEGER_MAX:
        raise TableError(f"the secret is not {SECRET_BYTES} bytes, or the row is out of range")
    return hmac.digest(secret, _SALT_LABEL + index.to_bytes(8, "big"), "sha256")


def row_leaf(salt: bytes, row: Row) -> bytes:
    """Return the leaf of a row: `salt || canonical JSON`.

    Raises:
        TableError: the row is not an object that has a canonical form.
    """
    if not isinstance(row, dict):
        raise TableError("a row is not an object")
    try:
        return salt + canonical.encode(row)
    except CanonicalError as error:
        raise TableError(f"a row: {error}") from error


def table_root(secret: bytes, rows: Iterable[Row]) -> tuple[bytes, int]:
    """Return the root hash of a table and the number of its rows.

    Raises:
        TableError: the secret is not 32 bytes, or a row is not an object that has a canonical form.
    """
    frontier = Frontier()
    for index, row in enumerate(rows):
        frontier.append(leaf_hash(row_leaf(row_salt(secret, index), row)))
    return frontier.root(), frontier.size


def row_hashes(secret: bytes, first: int, texts: Sequence[bytes]) -> list[bytes]:
    """Return the leaf hashes of rows `first`, `first + 1`, … from their canonical texts: as `row_leaf`, in bulk.

    HMAC is written out (RFC 2104) with its padded keys made once: a call of the library for each row costs twice that.

    Raises:
        TableError: the secret has another length or a row is out of range.
    """
    row_salt(secret, first)  # the secret's length, and the first index
    row_salt(secret, first + max(0, len(texts) - 1))
    sha256 = hashlib.sha256
    padded = secret.ljust(sha256().block_size, b"\0")
    inner = bytes(byte ^ 0x36 for byte in padded) + _SALT_LABEL
    outer = bytes(byte ^ 0x5C for byte in padded)
    return [
        sha256(b"\0" + sha256(outer + sha256(inner + index.to_bytes(8, "big")).digest()).digest() + text).digest()
        for index, text in enumerate(texts, start=first)
    ]


def block_nodes(hashes: Sequence[bytes]) -> list[bytes]:
    """Return the roots of all complete blocks that leaf hashes make; the first begins a block."""
    level: Sequence[bytes] = hashes[: len(hashes) - len(hashes) % BLOCK_ROWS]
    sha256 = hashlib.sha256
    for _ in range(BLOCK_LEVEL):
        level = [sha256(b"\1" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=True)]
    return [*level]


class TableTree:
    """The tree of a table above its blocks: enough for the root and, with one block's rows, for any inclusion path.

    `levels[k]` holds the nodes of level `BLOCK_LEVEL + k`; `tail` the leaf hashes after the last complete block.
    """

    def __init__(self, blocks: Sequence[bytes], tail: Sequence[bytes]) -> None:
        """Build the upper levels from the roots of the complete blocks."""
        self.size = len(blocks) * BLOCK_ROWS + len(tail)
        self.levels: list[list[bytes]] = [[*blocks]]
        self.tail = [*tail]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            self.levels.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])

    def root(self) -> bytes:
        """Return the root of the table."""
        return root_at(self.size, nodes_of_block(self.upper, {self.size // BLOCK_ROWS: self.tail}))

    def upper(self, level: int, index: int) -> bytes:
        """Return a node of level `BLOCK_LEVEL` or above."""
        return self.levels[level - BLOCK_LEVEL][index]


def nodes_of_block(upper: Callable[[int, int], bytes], blocks: Mapping[int, Sequence[bytes]]) -> Nodes:
    """Return the nodes of a tree of which the upper levels are kept, and the leaf hashes of some blocks are at hand."""

    def node(level: int, index: int) -> bytes:
        if level >= BLOCK_LEVEL:
            return upper(level, index)
        first = index << level
        hashes = blocks[first // BLOCK_ROWS]
        start = first % BLOCK_ROWS
        part = [*hashes[start : start + (1 << level)]]
        while len(part) > 1:
            part = [node_hash(part[i], part[i + 1]) for i in range(0, len(part), 2)]
        return part[0]

    return node


def opening_of(secret: bytes, index: int, text: bytes, path: Sequence[bytes]) -> bytes:
    """Return the opening of row `index` whose canonical text and inclusion path are given, as canonical JSON.

    Raises:
        TableError: the secret has another length, or the text is not a row.
    """
    try:
        return canonical.encode(
            {
                "path": [item.hex() for item in path],
                "row": index,
                "salt": encode_base64(row_salt(secret, index)),
                "value": canonical.decode(text),
            }
        )
    except CanonicalError as error:
        raise TableError(f"a row: {error}") from error


def open_row(secret: bytes, rows: Iterable[Row], index: int) -> bytes:
    """Return the opening of row `index`, from 0, as canonical JSON. All rows are read.

    Raises:
        TableError: there is no such row, or the table cannot be sealed.
    """
    frontier, nodes, opened = Frontier(), {}, None
    for number, row in enumerate(rows):
        if number == index:
            opened = row
        for level, place, node in frontier.append(leaf_hash(row_leaf(row_salt(secret, number), row))):
            nodes[level, place] = node
    if opened is None:
        raise TableError(f"no row {index} in a table of {frontier.size}")
    path = inclusion_path(index, frontier.size, lambda level, place: nodes[level, place])
    opening: Row = {
        "path": [item.hex() for item in path],
        "row": index,
        "salt": encode_base64(row_salt(secret, index)),
        "value": opened,
    }
    try:
        return canonical.encode(opening)
    except CanonicalError as error:
        raise TableError(f"a row: {error}") from error


def verify_row(opening: bytes, root: bytes, rows: int) -> Row:
    """Return the row that an opening proves to be in the table of that root and number of rows.

    Raises:
        TableError: the opening has another form, or does not prove it.
    """
    try:
        value = canonical.decode(opening)
        if not isinstance(value, dict) or value.keys() != _MEMBERS:
            raise TableError("an opening has exactly path, row, salt and value")
        path, index, salt, row = value["path"], value["row"], value["salt"], value["value"]
        if (
            not isinstance(path, list)
            or type(index) is not int
            or not isinstance(salt, str)
            or not isinstance(row, dict)
        ):
            raise TableError("a member of the opening has a wrong type")
        salt_bytes = decode_base64(salt)
        if len(salt_bytes) != _SALT_BYTES:
            raise TableError(f"the salt is not {_SALT_BYTES} bytes")
        leaf = leaf_hash(row_leaf(salt_bytes, row))
        verify_inclusion(leaf, index, rows, [decode_hash(item) for item in path], root)
    except (CanonicalError, EncodingError, MerkleError) as error:
        raise TableError(f"the opening: {error}") from error
    return row
