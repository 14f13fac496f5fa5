# SPDX-License-Identifier: Apache-2.0
"""Which items are drawn? From a seed that no party could choose alone, by steps that anybody can repeat (spec/draw.md).

RFC 3797 is here as published, for its example. Draws of ours have its structure, with SHA-256, without its remainder.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from servanda.proof.canonical import JsonValue, encode
from servanda.verification.errors import VerificationError

ALGORITHM = "servanda-draw-1"
"""The name of the steps below; terms of a draw state it."""

SECRET_BYTES = 32
"""The length of what each party commits to and later reveals."""

POPULATION_MAX = 2**32 - 1

_COMMITMENT = b"servanda/draw-commitment/v1\n"
_SEED = b"servanda/draw-seed/v1\n"
_STRATUM = b"servanda/draw-stratum/v1\n"


class Published(NamedTuple):
    """One step of RFC 3797: the digest, what it leaves as remainder, and whom it selects (from 1)."""

    digest: bytes
    remaining: int
    selected: int


def rfc3797(key: bytes, pool: int, count: int) -> list[Published]:
    """Return the selection of RFC 3797 section 4, with MD5, as published. For its vectors; draws use `draw_rows`.

    Args:
        key: the key string of section 4.1 and 4.2, with the slashes.
        pool: how many there are to select from, 1 to 65,535.
        count: how many are selected, 0 to `pool`.

    Raises:
        VerificationError: a number is out of range.
    """
    if not 1 <= pool <= 65_535 or not 0 <= count <= pool:
        raise VerificationError(f"{count} of a pool of {pool} cannot be selected")
    left, steps = list(range(1, pool + 1)), []
    for step in range(count):
        salt = step.to_bytes(2, "big")
        digest = hashlib.md5(salt + key + salt, usedforsecurity=False).digest()
        at = int.from_bytes(digest, "big") % len(left)
        steps.append(Published(digest, len(left), left.pop(at)))
    return steps


def draw_id(terms: Mapping[str, JsonValue]) -> bytes:
    """Return the 32 bytes that name a draw: the SHA-256 of its terms in canonical JSON.

    Raises:
        CanonicalError: the terms have no canonical form.
    """
    return hashlib.sha256(encode(dict(terms))).digest()


def commitment(draw: bytes, party: str, secret: bytes) -> bytes:
    """Return the hash by which a party binds itself to its secret for this draw, and for no other.

    Raises:
        VerificationError: the draw's name or the secret is not 32 bytes.
    """
    _check_bytes(draw, secret)
    text = encode({"draw": draw.hex(), "party": party, "secret": secret.hex()})
    return hashlib.sha256(_COMMITMENT + text).digest()


def joint_seed(draw: bytes, secrets: Mapping[str, bytes]) -> bytes:
    """Return the seed that follows from the secrets of all parties together; each of them changes all of it.

    Raises:
        VerificationError: nobody revealed anything, or something is not 32 bytes.
    """
    if not secrets:
        raise VerificationError("no seed without a secret")
    _check_bytes(draw, *secrets.values())
    pairs: list[JsonValue] = [[party, secret.hex()] for party, secret in sorted(secrets.items())]
    return hashlib.sha256(_SEED + encode({"draw": draw.hex(), "secrets": pairs})).digest()


def stratum_seed(seed: bytes, stratum: str) -> bytes:
    """Return the seed of one stratum, so that strata are drawn independently of one another and of their order."""
    return hashlib.sha256(_STRATUM + encode({"seed": seed.hex(), "stratum": stratum})).digest()


def draw_rows(seed: bytes, population: int, count: int) -> list[int]:
    """Return `count` different positions, each from 0 to `population` - 1, in the order in which they are drawn.

    A longer draw from the same seed begins with the shorter one. Time and memory grow with `count` only.

    Raises:
        VerificationError: the seed is not 32 bytes, or there are not so many.
    """
    if not 0 <= population <= POPULATION_MAX:
        raise VerificationError(f"a population has 0 to {POPULATION_MAX} items, not {population}")
    if not 0 <= count <= population:
        raise VerificationError(f"a sample of {count} is larger than its population of {population}, or negative")
    _check_bytes(seed)
    words, drawn = _words(seed), []
    moved: dict[int, int] = {}
    for step in range(count):
        at = step + _below(words, population - step)
        drawn.append(moved.get(at, at))
        moved[at] = moved.get(step, step)  # the list 0, 1, 2 … of which only what was exchanged is kept
    return drawn


def rows_at(ranges: Sequence[Sequence[int]], positions: Sequence[int]) -> list[int]:
    """Return the rows at these positions of a selection given as inclusive ranges (spec/tables.md).

    Raises:
        VerificationError: a position is not in it.
    """
    ends = list(accumulate(last - first + 1 for first, last in ranges))
    rows = []
    for position in positions:
        if not 0 <= position < (ends[-1] if ends else 0):
            raise VerificationError(f"position {position} is outside a selection of {ends[-1] if ends else 0} rows")
        at = bisect_right(ends, position)
        rows.append(ranges[at][1] - (ends[at] - 1 - position))
    return rows


def ranges_of(rows: Sequence[int]) -> list[list[int]]:
    """Return rows, in any order, as the fewest ascending inclusive ranges."""
    ranges: list[list[int]] = []
    for row in sorted(set(rows)):
        if ranges and ranges[-1][1] == row - 1:
            ranges[-1][1] = row
        else:
            ranges.append([row, row])
    return ranges


def _words(seed: bytes) -> Iterator[bytes]:
    """SHA-256 of number, seed, number: the structure of RFC 3797 section 4, with 64 bits for the number."""
    number = 0
    while True:
        salt = number.to_bytes(8, "big")
        yield hashlib.sha256(salt + seed + salt).digest()
        number += 1


def _below(words: Iterator[bytes], bound: int) -> int:
    """A number below `bound`, each with the same chance: as many leading bits as it needs, anew if not below."""
    bits = (bound - 1).bit_length()
    if not bits:
        return 0
    while True:
        number = int.from_bytes(next(words), "big") >> 256 - bits
        if number < bound:
            return number


def _check_bytes(*values: bytes) -> None:
    if any(len(value) != SECRET_BYTES for value in values):
        raise VerificationError(f"a secret, a seed and a draw's name have {SECRET_BYTES} bytes each")
