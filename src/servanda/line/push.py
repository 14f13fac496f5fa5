# SPDX-License-Identifier: Apache-2.0
"""The body of a push, which is also the answer to a pull: a head, then one leaf a line (spec/line.md).

How much a body may hold is for whoever reads it: a push has limits, and a pull may bring a whole journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from servanda.proof.canonical import CanonicalError, decode, encode
from servanda.proof.errors import ProofError


class PushError(ProofError):
    """Bytes are not the body of a push."""


class PushBody(NamedTuple):
    """What a body says; nothing in it is verified."""

    first: int
    """The number of the first leaf, from 1 on."""
    leaves: tuple[bytes, ...]
    checkpoint: bytes
    """The note that is to prove the leaves."""


def read_body(body: bytes) -> PushBody:
    """Return what a body says: a line of canonical JSON `{"checkpoint":note,"from":n}`, then the leaves.

    Raises:
        PushError: it has another form.
    """
    if not body.endswith(b"\n"):
        raise PushError("the body does not end in a newline")
    line, *leaves = body[:-1].split(b"\n")
    if not all(leaves):
        raise PushError("a leaf of no bytes")
    try:
        head: Any = decode(line)
    except CanonicalError as error:
        raise PushError(f"the first line is not canonical JSON: {error}") from error
    if not isinstance(head, dict) or head.keys() != {"checkpoint", "from"}:
        raise PushError("the first line is not an object with the members checkpoint and from")
    first, checkpoint = head["from"], head["checkpoint"]
    if type(first) is not int or first < 1 or not isinstance(checkpoint, str):
        raise PushError("checkpoint is not a text, or from not a number from 1 on")
    return PushBody(first, tuple(leaves), checkpoint.encode())


def write_body(first: int, leaves: Sequence[bytes], checkpoint: bytes) -> bytes:
    """Return the body that says so.

    Raises:
        PushError: a leaf is empty or holds a newline, so that it cannot stand on a line.
    """
    body = b"\n".join([encode({"checkpoint": checkpoint.decode(), "from": first}), *leaves, b""])
    if not all(leaves) or body.count(b"\n") != len(leaves) + 1:
        raise PushError("a leaf is no line")
    return body
