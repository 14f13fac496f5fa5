# SPDX-License-Identifier: Apache-2.0
"""What does a counterpart's centre send us, byte for byte? Bodies and queries, read strictly (spec/line.md)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from servanda.line.push import PushError, read_body, write_body
from servanda.operations.errors import Refusal
from servanda.operations.openings import OpeningLine, parse_opening
from servanda.operations.ports import WORDS_CHARACTERS_MAX, Advance, Push, PushReply, Words
from servanda.operations.receiving import BYTES_MAX, LEAVES_MAX
from servanda.proof.canonical import CanonicalError, decode, encode
from servanda.proof.encodings import EncodingError, decode_hash, encode_base64
from servanda.proof.envelope import ENVELOPE_BYTES_MAX
from servanda.proof.notes import NOTE_BYTES_MAX

BODY_BYTES_MAX = BYTES_MAX + 2 * NOTE_BYTES_MAX
"""The most bytes that are read of one body: the leaves, and the checkpoint with the escapes of JSON."""

ADVANCE_BYTES_MAX = 2 * ENVELOPE_BYTES_MAX
"""The most bytes that are read of an advance: one leaf, and the line before it."""

PATH_HASHES_MAX = 64
"""The longest inclusion path: no tree here is higher."""

WORDS_BYTES_MAX = 8 * 1024
"""The most bytes of one message of the orderwire."""

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


def read_advance(journal: str, body: bytes) -> Advance:
    """Return the advance that a body is: a line of canonical JSON `{"checkpoint":…,"number":n,"path":[…]}`, a leaf.

    Raises:
        Malformed: it is none.
    """
    head, newline, leaf = body.partition(b"\n")
    if not newline or not leaf.endswith(b"\n") or leaf.count(b"\n") != 1 or len(leaf) == 1:
        raise Malformed("the body is not two lines")
    told = _read_object(head, {"checkpoint", "number", "path"})
    number, path, checkpoint = told["number"], told["path"], told["checkpoint"]
    if type(number) is not int or number < 1 or not isinstance(checkpoint, str):
        raise Malformed("checkpoint is not a text, or number not a number from 1 on")
    if not isinstance(path, list) or len(path) > PATH_HASHES_MAX:
        raise Malformed(f"path is not a list of up to {PATH_HASHES_MAX} hashes")
    try:
        hashes = tuple(decode_hash(item) for item in path)
    except EncodingError as error:
        raise Malformed(f"path: {error}") from error
    return Advance(journal, number, leaf[:-1], hashes, checkpoint.encode())


def read_openings(body: bytes) -> list[OpeningLine]:
    """Return the openings that a body is: canonical JSON `{"disclosure":…,"entry":reference}`, one a line.

    Raises:
        Malformed: it is none.
        Refusal: more lines than one body may have (code `over-size`).
    """
    if not body.endswith(b"\n"):
        raise Malformed("the body does not end in a newline")
    if body.count(b"\n") > LEAVES_MAX:
        raise Refusal(f"more than {LEAVES_MAX} openings", "over-size")
    return [parse_opening(line, "an opening", "malformed") for line in body[:-1].split(b"\n")]


def write_held(digests: frozenset[str]) -> bytes:
    """Return the body of the answer to openings."""
    return encode({"held": [*sorted(digests)]})


def _read_object(line: bytes, members: set[str]) -> dict[str, Any]:
    try:
        told: Any = decode(line)
    except CanonicalError as error:
        raise Malformed(f"the first line is not canonical JSON: {error}") from error
    if not isinstance(told, dict) or told.keys() != members:
        raise Malformed(f"the first line is not an object with the members {' and '.join(sorted(members))}")
    return told


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
