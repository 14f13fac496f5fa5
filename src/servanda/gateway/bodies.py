# SPDX-License-Identifier: Apache-2.0
"""What does a counterpart's centre send us, byte for byte? Bodies and queries, read strictly (spec/line.md)."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from servanda.line.push import PushError, read_body, write_body
from servanda.operations.errors import Refusal
from servanda.operations.ports import Push, PushReply
from servanda.operations.receiving import BYTES_MAX, LEAVES_MAX
from servanda.proof.canonical import encode
from servanda.proof.encodings import encode_base64
from servanda.proof.notes import NOTE_BYTES_MAX

BODY_BYTES_MAX = BYTES_MAX + 2 * NOTE_BYTES_MAX
"""The most bytes that are read of one body: the leaves, and the checkpoint with the escapes of JSON."""

_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,14})\Z")


class Malformed(Refusal):
    """A body or a query that does not have the form of spec/line.md. The door never hears of it."""

    code = "malformed"


def read_push(journal: str, body: bytes) -> Push:
    """Return the push that a body is.

    Raises:
        Malformed: it is none.
        Refusal: more leaves or bytes than one push may have (code `over-size`).
    """
    # Counted before it is cut: a body of nothing but newlines must not become millions of leaves.
    if body.endswith(b"\n") and body.count(b"\n") > LEAVES_MAX + 1:
        raise Refusal(f"more than {LEAVES_MAX} leaves", "over-size")
    try:
        first, leaves, checkpoint = read_body(body)
    except PushError as error:
        raise Malformed(str(error)) from error
    if sum(map(len, leaves)) > BYTES_MAX:
        raise Refusal(f"leaves of more than {BYTES_MAX} bytes", "over-size")
    return Push(journal, first, leaves, checkpoint)


def read_numbers(query: bytes, *names: str) -> list[int]:
    """Return the numbers that a query gives for `names`, each once and none other.

    Raises:
        Malformed: it does not, or a number is not decimal of up to 15 digits.
    """
    try:
        pairs = parse_qsl(query.decode("ascii"), strict_parsing=True, max_num_fields=len(names))
    except ValueError as error:
        raise Malformed("the query cannot be read") from error
    found = dict(pairs)
    if len(pairs) != len(names) or found.keys() != set(names) or not all(map(_NUMBER.match, found.values())):
        raise Malformed(f"the query does not give {' and '.join(names)} as decimal numbers")
    return [int(found[name]) for name in names]


def write_push(push: Push) -> bytes:
    """Return the body of a pull's answer: the form of a push.

    Raises:
        Refusal: a leaf is no line, as one that came in a bundle may be (code `malformed`).
    """
    try:
        return write_body(push.first, push.leaves, push.checkpoint)
    except PushError as error:
        raise Refusal(f"{push.journal} cannot be sent over the line: {error}", "malformed") from error


def write_reply(reply: PushReply) -> bytes:
    """Return the body of the answer to a push."""
    return encode({"receipt": reply.receipt.decode(), "size": reply.size})


def write_path(path: list[bytes]) -> bytes:
    """Return the body of a consistency path: one base64 hash a line."""
    return "".join([encode_base64(node) + "\n" for node in path]).encode()
