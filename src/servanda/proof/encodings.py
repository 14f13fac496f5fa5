# SPDX-License-Identifier: Apache-2.0
"""How are bytes written as text? Base64, base64url and hexadecimal, each in its one form (spec/README.md)."""

from __future__ import annotations

import base64
import re

from servanda.proof.errors import ProofError

_HASH = re.compile(r"[0-9a-f]{64}\Z")


class EncodingError(ProofError):
    """A text is not the one form of any bytes."""


def encode_base64(data: bytes) -> str:
    """Return the base64 of RFC 4648 section 4, with padding."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Return the bytes of a base64 text.

    Raises:
        EncodingError: encoding the bytes again would not give the same characters.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise EncodingError("not base64") from error
    # The standard decoder takes stray bits in the last character.
    if encode_base64(data) != text:
        raise EncodingError("not the one form of its base64")
    return data


def encode_base64url(data: bytes) -> str:
    """Return the base64url of RFC 4648 section 5, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Return the bytes of a base64url text without padding.

    Raises:
        EncodingError: encoding the bytes again would not give the same characters.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
    except ValueError as error:
        raise EncodingError("not base64url") from error
    if encode_base64url(data) != text:
        raise EncodingError("not the one form of its base64url")
    return data


def decode_hash(text: object) -> bytes:
    """Return the 32 bytes of a hash in 64 lowercase hexadecimal characters.

    Raises:
        EncodingError: it is anything else.
    """
    if not isinstance(text, str) or not _HASH.match(text):
        raise EncodingError("not a hash in 64 lowercase hexadecimal characters")
    return bytes.fromhex(text)
