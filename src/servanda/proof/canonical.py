# SPDX-License-Identifier: Apache-2.0
"""Which bytes does a JSON value have? One text for each value; no other is read (spec/canonical-json.md)."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from servanda.proof.errors import ProofError

JsonValue: TypeAlias = "bool | int | str | list[JsonValue] | dict[str, JsonValue] | None"
"""What canonical JSON can say: no floats, integers within `INTEGER_MAX`, member names of printable ASCII."""

INTEGER_MAX = 2**53 - 1
"""The largest integer; the smallest is its negative (RFC 7493 section 2.2)."""

DEPTH_MAX = 32
"""How deep values nest; the outermost value is at depth 1."""

_PLAIN = frozenset({str, bool, type(None)})

_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder()


class CanonicalError(ProofError):
    """A text is not canonical JSON, or a value has no canonical form."""


def encode(value: JsonValue) -> bytes:
    """Return the canonical text of a value: RFC 8785 with the restrictions of spec/canonical-json.md.

    Raises:
        CanonicalError: the value holds something else than null, booleans, integers within 2^53 - 1, strings of whole
            characters, lists, tuples (written as lists) and dictionaries with names of printable ASCII, or is nested
            more than 32 deep.
    """
    _check(value)
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError as error:
        raise CanonicalError("a string holds a lone surrogate") from error


def decode(data: bytes) -> JsonValue:
    """Return the value of a canonical text.

    Raises:
        CanonicalError: the text is not, byte for byte, the canonical form of a value (spec/canonical-json.md).
    """
    try:
        value: JsonValue = _decoder.decode(data)
    except (ValueError, RecursionError) as error:  # msgspec's and Unicode errors are ValueErrors
        raise CanonicalError(f"not JSON: {error}") from error
    _check(value)
    # White space, order, duplicate names and foreign escapes all show here, for the decoder lets them pass.
    if _encoder.encode(value) != data:
        raise CanonicalError("not the canonical form of the value it decodes to")
    return value


def _check(value: Any, depth: int = 1) -> None:
    kind = type(value)
    if kind is dict:
        _check_names(value)
        members = value.values()
    elif kind is list or kind is tuple:  # a tuple is written as a list
        members = value
    elif kind is int:
        if not -INTEGER_MAX <= value <= INTEGER_MAX:
            raise CanonicalError("an integer is beyond 2^53 - 1")
        return
    elif kind in _PLAIN:
        return
    else:
        raise CanonicalError(f"no canonical form for a {kind.__name__}")
    if members and depth == DEPTH_MAX:
        raise CanonicalError(f"nested more than {DEPTH_MAX} deep")
    for member in members:
        if type(member) is not str:  # most members are; the call is what costs
            _check(member, depth + 1)


def _check_names(value: dict[Any, Any]) -> None:
    try:
        names = "".join(value)
    except TypeError as error:
        raise CanonicalError("a member name is not a string") from error
    if not (names.isascii() and names.isprintable()):
        raise CanonicalError("a member name is not printable ASCII")
