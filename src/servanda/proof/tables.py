# SPDX-License-Identifier: Apache-2.0
"""Is this a row of the table that was sealed? Salted rows in a Merkle tree (spec/sealing.md, sealed table)."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import TypeAlias

from servanda.proof import canonical
from servanda.proof.canonical import CanonicalError, JsonValue
from servanda.proof.encodings import EncodingError, decode_base64, decode_hash, encode_base64
from servanda.proof.errors import ProofError
from servanda.proof.merkle import Frontier, MerkleError, inclusion_path, leaf_hash, verify_inclusion

SECRET_BYTES = 32
"""The length of a table's secret."""

_SALT_BYTES = 32
_SALT_LABEL = b"servanda/table-row/v1"
_MEMBERS = {"path", "row", "salt", "value"}

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
