# SPDX-License-Identifier: Apache-2.0
"""What does a counterpart's centre send us, byte for byte? Bodies and queries, read strictly (spec/line.md)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from servanda.operations.errors import Refusal
from servanda.operations.ports import WORDS_CHARACTERS_MAX, Push, PushReply, Words
from servanda.operations.receiving import BYTES_MAX, LEAVES_MAX
from servanda.proof.canonical import CanonicalError, decode, encode
from servanda.proof.encodings import encode_base64
from servanda.proof.notes import NOTE_BYTES_MAX

BODY_BYTES_MAX = BYTES_MAX + 2 * NOTE_BYTES_MAX
"""The most bytes that are read of one body: the leaves, and the checkpoint with the escapes of JSON."""

WORDS_BYTES_MAX = 8 * 1024
"""The most bytes of one message of the orderwire."""

_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,14})\Z")


class Malformed(Refusal):
    """A body or a query that does not have the form of spec/line.md. The door never hears of it."""

    code = "malformed"


def read_push(journal: str, body: bytes) -> Push:
    """Return the push that a body is: a line of canonical JSON `{"checkpoint":note,"from":n}`, then the leaves.

    Raises:
        Malformed: it is none.
        Refusal: more leaves or bytes than one push may have (code `over-size`).
    """
    if not body.endswith(b"\n"):
        raise Malformed("the body does not end in a newline")
    # Counted before it is cut: a body of nothing but newlines must not become millions of leaves.
    if body.count(b"\n") > LEAVES_MAX + 1:
        raise Refusal(f"more than {LEAVES_MAX} leaves", "over-size")
    head, *leaves = body[:-1].split(b"\n")
    if not all(leaves):
        raise Malformed("a leaf of no bytes")
    if sum(map(len, leaves)) > BYTES_MAX:
        raise Refusal(f"leaves of more than {BYTES_MAX} bytes", "over-size")
    first, checkpoint = _read_head(head)
    return Push(journal, first, tuple(leaves), checkpoint)


def _read_head(line: bytes) -> tuple[int, bytes]:
    try:
        head: Any = decode(line)
    except CanonicalError as error:
        raise Malformed(f"the first line is not canonical JSON: {error}") from error
    if not isinstance(head, dict) or head.keys() != {"checkpoint", "from"}:
        raise Malformed("the first line is not an object with the members checkpoint and from")
    first, checkpoint = head["from"], head["checkpoint"]
    if type(first) is not int or first < 1 or not isinstance(checkpoint, str):
        raise Malformed("checkpoint is not a text, or from not a number from 1 on")
    return first, checkpoint.encode()


def read_words(body: bytes) -> Words:
    """Return the words that a body is: a line of canonical JSON `{"officer":id,"text":text}`.

    Raises:
        Malformed: it is none.
    """
    if not body.endswith(b"\n"):
        raise Malformed("the body does not end in a newline")
    try:
        told: Any = decode(body[:-1])
    except CanonicalError as error:
        raise Malformed(f"the line is not canonical JSON: {error}") from error
    if not isinstance(told, dict) or told.keys() != {"officer", "text"}:
        raise Malformed("the line is not an object with the members officer and text")
    officer, text = told["officer"], told["text"]
    if not isinstance(officer, str) or not isinstance(text, str) or not 0 < len(text) <= WORDS_CHARACTERS_MAX:
        raise Malformed(f"officer is no name, or text has not 1 to {WORDS_CHARACTERS_MAX:,} characters")
    return Words(officer, text)


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
    """Return the body of a pull's answer: the form of a push."""
    head = encode({"checkpoint": push.checkpoint.decode(), "from": push.first})
    return b"\n".join([head, *push.leaves, b""])


def write_reply(reply: PushReply) -> bytes:
    """Return the body of the answer to a push."""
    return encode({"receipt": reply.receipt.decode(), "size": reply.size})


def write_path(path: list[bytes]) -> bytes:
    """Return the body of a consistency path: one base64 hash a line."""
    return "".join([encode_base64(node) + "\n" for node in path]).encode()
