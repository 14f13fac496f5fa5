# SPDX-License-Identifier: Apache-2.0
"""What do we write on the line, and what do its answers say? Requests out, answers in, read strictly (spec/line.md)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NoReturn

from servanda.line.push import PushError, read_body, write_body
from servanda.operations.errors import Conflict, LineDown, Refusal, Refused
from servanda.operations.openings import OpeningLine
from servanda.operations.ports import Advance, Push, PushReply, Words
from servanda.operations.receiving import BYTES_MAX, LEAVES_MAX
from servanda.proof.canonical import CanonicalError, JsonValue, decode, encode
from servanda.proof.encodings import EncodingError, decode_base64
from servanda.proof.merkle import HASH_BYTES

ERROR_BYTES_MAX = 2**21
"""The most bytes that are read of an error: a message, and the signed note that proves a conflict."""

_CODE = re.compile(r"[a-z][a-z0-9-]{0,63}\Z")
_MESSAGE_CHARACTERS_MAX = 1_000


def bad_answer(what: str) -> LineDown:
    """The error for an answer that is not what spec/line.md says (code `bad-answer`): try later, it may be mended."""
    return LineDown(f"an answer that cannot be read: {what}", "bad-answer")


def write_push(push: Push) -> bytes:
    """Return the body of a push.

    Raises:
        Refusal: more than one push may have (code `over-size`), or a leaf is empty or holds a newline, so that it
            cannot stand on a line (code `malformed`).
    """
    if len(push.leaves) > LEAVES_MAX or sum(map(len, push.leaves)) > BYTES_MAX:
        raise Refusal(f"more than {LEAVES_MAX} leaves or {BYTES_MAX} bytes in one push", "over-size")
    try:
        return write_body(push.first, push.leaves, push.checkpoint)
    except PushError as error:
        raise Refusal(f"{push.journal} cannot be sent over the line: {error}", "malformed") from error


def write_advance(advance: Advance) -> bytes:
    """Return the body of an advance.

    Raises:
        Refusal: the leaf is empty or holds a newline (code `malformed`).
    """
    if not advance.leaf or b"\n" in advance.leaf:
        raise Refusal(f"leaf {advance.number} of {advance.journal} is no line", "malformed")
    path: list[JsonValue] = [node.hex() for node in advance.path]
    head = encode({"checkpoint": advance.checkpoint.decode(), "number": advance.number, "path": path})
    return b"\n".join([head, advance.leaf, b""])


def write_openings(openings: Sequence[OpeningLine]) -> bytes:
    """Return the body that hands openings."""
    return b"".join([opening.encode() + b"\n" for opening in openings])


def read_held(body: bytes) -> frozenset[str]:
    """Return the digests that the other centre says it holds.

    Raises:
        LineDown: it says something else (code `bad-answer`).
    """
    told = _object(body)
    held = told.get("held")
    if told.keys() != {"held"} or not isinstance(held, list) or not all(isinstance(digest, str) for digest in held):
        raise bad_answer("not a list of digests")
    return frozenset(held)


def write_words(words: Words) -> bytes:
    """Return the body of a message of the orderwire.

    Raises:
        Refusal: it has no canonical form (code `malformed`).
    """
    try:
        return encode({"officer": words.officer, "text": words.text}) + b"\n"
    except CanonicalError as error:
        raise Refusal(f"words that are no text: {error}", "malformed") from error


def read_reply(body: bytes) -> PushReply:
    """Return the answer to a push.

    Raises:
        LineDown: it is none (code `bad-answer`).
    """
    told = _object(body)
    size, receipt = told.get("size"), told.get("receipt")
    if told.keys() != {"receipt", "size"} or type(size) is not int or size < 0 or not isinstance(receipt, str):
        raise bad_answer("not a receipt and a size")
    return PushReply(size, receipt.encode())


def read_pull(journal: str, first: int, body: bytes) -> Push:
    """Return the push that answers a pull of `journal` from `first` on.

    Raises:
        LineDown: it is none, or starts elsewhere (code `bad-answer`).
    """
    try:
        start, leaves, checkpoint = read_body(body)
    except PushError as error:
        raise bad_answer(str(error)) from error
    if start != first:
        raise bad_answer(f"leaves from {start} on, and not from {first}")
    return Push(journal, first, leaves, checkpoint)


def read_path(body: bytes) -> list[bytes]:
    """Return the hashes of a consistency path.

    Raises:
        LineDown: a line is not the base64 of 32 bytes (code `bad-answer`).
    """
    *lines, rest = body.split(b"\n")
    try:
        path = [decode_base64(line.decode("ascii")) for line in lines]
    except (EncodingError, UnicodeDecodeError) as error:
        raise bad_answer(f"a path: {error}") from error
    if rest or any(len(node) != HASH_BYTES for node in path):
        raise bad_answer("a path that is not whole lines of hashes")
    return path


def raise_failure(status: int, body: bytes) -> NoReturn:
    """Raise the error that an answer other than 200 means.

    Raises:
        Conflict: 409 with a note: the other centre holds a different leaf.
        Refused: other 4xx: the other centre's answer is final. Its code and message are carried on.
        LineDown: 403 (it does not know our key, yet), 429, 5xx, and what is no error of spec/line.md.
    """
    told = _told(body)
    code, message, held = told.get("code"), told.get("message"), told.get("held")
    if not isinstance(code, str) or not _CODE.match(code):
        code = None
    words = f"HTTP {status}" if not isinstance(message, str) else _printable(message)
    if status == 409 and isinstance(held, str):
        raise Conflict(words, held.encode())
    if status in (400, 404, 409, 413) and code is not None:
        raise Refused(words, code)
    if 400 <= status < 500 and status not in (403, 408, 429):
        raise Refused(words)
    raise LineDown(words, code)


def _told(body: bytes) -> dict[str, Any]:
    try:
        return _object(body)
    except LineDown:
        return {}  # not from a centre, perhaps from something in between; the status says enough


def _object(body: bytes) -> dict[str, Any]:
    try:
        told = decode(body)
    except CanonicalError as error:
        raise bad_answer(str(error)) from error
    if not isinstance(told, dict):
        raise bad_answer("not a JSON object")
    return told


def _printable(message: str) -> str:
    """The other side's words, safe for a terminal or a log: one line, bounded."""
    return "".join([c if c.isprintable() else " " for c in message[:_MESSAGE_CHARACTERS_MAX]])
