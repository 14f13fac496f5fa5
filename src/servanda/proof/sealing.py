# SPDX-License-Identifier: Apache-2.0
"""What did this sealed member say? Salted disclosures of RFC 9901 section 4.2 (spec/sealing.md, sealed field)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, NoReturn

from servanda.proof import canonical
from servanda.proof.canonical import DEPTH_MAX, CanonicalError, JsonValue
from servanda.proof.encodings import EncodingError, decode_base64url, encode_base64url
from servanda.proof.errors import ProofError

SALT_BYTES_MIN = 16
"""The least length of a salt."""

SEALS = "_sd"
"""The member that lists the digests of sealed members."""

_RESERVED = frozenset({SEALS, "..."})
_DIGEST = re.compile(r"[A-Za-z0-9_-]{43}\Z")


class SealingError(ProofError):
    """A text is not a disclosure, or it does not open what it is said to open."""


class Disclosure(NamedTuple):
    """What an opening says: its salt (base64url), and the name and value of one member."""

    salt: str
    name: str
    value: JsonValue


def disclose(salt: bytes, name: str, value: JsonValue) -> str:
    """Return the opening of a member: base64url of the canonical JSON of `[salt, name, value]`.

    Args:
        salt: at least 16 random bytes that are used for nothing else.
        name: the member's name.
        value: the member's value.

    Raises:
        SealingError: the salt is short, the name is `_sd` or `...`, or name or value have no canonical form.
    """
    disclosure = Disclosure(encode_base64url(salt), name, value)
    _check(disclosure)
    return encode_base64url(canonical.encode(list(disclosure)))


def parse_disclosure(text: str) -> Disclosure:
    """Return what an opening says. Its JSON text may have any form; its values are those of canonical JSON.

    Raises:
        SealingError: the text is not a disclosure of a member by spec/sealing.md.
    """
    try:
        parts = _decode_json(decode_base64url(text))
    except (EncodingError, ValueError, RecursionError) as error:
        raise SealingError(f"not a disclosure: {error}") from error
    if not isinstance(parts, list) or len(parts) != 3:
        raise SealingError("not a disclosure of salt, name and value")
    disclosure = Disclosure(*parts)
    _check(disclosure)
    return disclosure


def disclosure_digest(text: str) -> str:
    """Return the digest that stands for a disclosure: base64url of the SHA-256 of its characters as they stand.

    Raises:
        SealingError: the text is not ASCII.
    """
    try:
        return encode_base64url(hashlib.sha256(text.encode("ascii")).digest())
    except UnicodeEncodeError as error:
        raise SealingError("a disclosure is not ASCII") from error


def seal(content: dict[str, JsonValue], openings: Mapping[str, bytes]) -> tuple[dict[str, JsonValue], list[str]]:
    """Return the content with members sealed, and their openings in the order of `openings`.

    Args:
        content: an object; members that are sealed already stay so.
        openings: the name of each member to seal, with a salt of its own.

    Raises:
        SealingError: a member is not there, or cannot be sealed.
    """
    missing = openings.keys() - content.keys()
    if missing:
        raise SealingError(f"no such member: {', '.join(sorted(missing))}")
    disclosures = [disclose(salt, name, content[name]) for name, salt in openings.items()]
    sealed = {name: value for name, value in content.items() if name not in openings}
    digests = {disclosure_digest(text) for text in disclosures}.union(_digests(content))
    if digests:
        sealed[SEALS] = [*sorted(digests)]
    return sealed, disclosures


def unseal(content: dict[str, JsonValue], disclosures: Iterable[str]) -> dict[str, JsonValue]:
    """Return the content with the opened members in place of their digests, at whatever depth these stand.

    Digests that no disclosure opens stay. One disclosure may be given twice; it may stand for one member alone.

    Raises:
        SealingError: a disclosure is none, opens nothing in this content, or gives a member that the object has.
    """
    closed = {disclosure_digest(text): parse_disclosure(text) for text in disclosures}
    used: set[str] = set()
    opened = _open(content, closed, used, 1)
    if len(used) != len(closed):
        raise SealingError("a disclosure opens nothing in this content")
    if not isinstance(opened, dict):
        raise SealingError("the content is not an object")
    return opened


def _open(value: JsonValue, closed: Mapping[str, Disclosure], used: set[str], depth: int) -> JsonValue:
    if depth > DEPTH_MAX:
        raise SealingError(f"nested more than {DEPTH_MAX} deep")
    if isinstance(value, list):
        return [_open(member, closed, used, depth + 1) for member in value]
    if not isinstance(value, dict):
        return value
    members = {name: _open(member, closed, used, depth + 1) for name, member in value.items() if name != SEALS}
    unopened: list[JsonValue] = []
    for digest in _digests(value):
        disclosure = closed.get(digest)
        if disclosure is None:
            unopened.append(digest)
            continue
        if disclosure.name in members:
            raise SealingError(f"a disclosure gives the member {disclosure.name!r} again")
        if digest in used:  # refused at once: openings within openings could multiply without end
            raise SealingError("one digest stands in two places")
        used.add(digest)
        members[disclosure.name] = _open(disclosure.value, closed, used, depth + 1)
    if unopened or (SEALS in value and not value[SEALS]):
        members[SEALS] = unopened
    return members


def _digests(value: Mapping[str, JsonValue]) -> list[str]:
    found = value.get(SEALS, [])
    if not isinstance(found, list):
        raise SealingError("the digests are not a list")
    digests = [digest for digest in found if isinstance(digest, str) and _DIGEST.match(digest)]
    if len(digests) != len(found) or digests != sorted(set(digests)):
        raise SealingError("the digests are not a sorted list of SHA-256 in base64url without repetition")
    return digests


def _check(disclosure: Disclosure) -> None:
    salt, name, value = disclosure
    try:
        salt_bytes = len(decode_base64url(salt)) if isinstance(salt, str) else 0
        canonical.encode({name: value})  # as in the object where it will stand
    except (EncodingError, CanonicalError, TypeError) as error:
        raise SealingError(f"a disclosure: {error}") from error
    if salt_bytes < SALT_BYTES_MIN:
        raise SealingError(f"a disclosure's salt is not at least {SALT_BYTES_MIN} bytes as base64url")
    if name in _RESERVED:
        raise SealingError(f"no member is named {name!r}")


def _decode_json(data: bytes) -> Any:
    # Any form is taken, but not two members of one name, nor numbers that canonical JSON has not.
    return json.loads(data.decode(), object_pairs_hook=_members, parse_float=_refuse, parse_constant=_refuse)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("two members of one name")
    return members


def _refuse(number: str) -> NoReturn:
    raise ValueError(f"no number of canonical JSON: {number[:30]}")


def digests_of(value: JsonValue) -> set[str]:
    """Every digest of a sealed member that stands in `value`, at any depth."""
    found: set[str] = set()
    if isinstance(value, dict):
        sealed = value.get("_sd")
        if isinstance(sealed, list):
            found.update(digest for digest in sealed if isinstance(digest, str))
        for member in value.values():
            found |= digests_of(member)
    elif isinstance(value, list):
        for item in value:
            found |= digests_of(item)
    return found
