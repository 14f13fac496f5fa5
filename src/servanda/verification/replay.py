# SPDX-License-Identifier: Apache-2.0
"""A whole draw from what was said: terms, commitments, secrets in; seeds and rows out (spec/draw.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from servanda.verification.errors import VerificationError
from servanda.verification.selection import (
    ALGORITHM,
    commitment,
    draw_id,
    draw_rows,
    joint_seed,
    stratum_seed,
)


class DrawnStratum(NamedTuple):
    """What was drawn of one stratum, in the order of the draw."""

    seed: bytes
    positions: tuple[int, ...]
    rows: tuple[tuple[str, int], ...]
    """The table and the row at each position."""


class Replayed(NamedTuple):
    """A draw as it follows from its terms and secrets."""

    draw: bytes
    seed: bytes
    strata: Mapping[str, DrawnStratum]


def replay(terms: Mapping[str, Any], commitments: Mapping[str, bytes], secrets: Mapping[str, bytes]) -> Replayed:
    """Return the draw.

    Args:
        terms: as on the page; only its members `algorithm`, `parties` and `strata` are looked at.
        commitments: of each party, 32 bytes.
        secrets: of each party, 32 bytes.

    Raises:
        VerificationError: another algorithm; a party of the terms has no commitment or no secret, or a stranger has; a
            secret is not what was committed to; a sample is larger than its population; a stratum stands twice.
    """
    if terms["algorithm"] != ALGORITHM:
        raise VerificationError(f"the draw is by {terms['algorithm']!r}; {ALGORITHM} is known here")
    name, parties = draw_id(terms), sorted(terms["parties"])
    for said, what in ((commitments, "commitment"), (secrets, "secret")):
        if sorted(said) != parties:
            raise VerificationError(f"there is a {what} of {', '.join(sorted(said))}; it takes {', '.join(parties)}")
    for party in parties:
        if commitment(name, party, secrets[party]) != commitments[party]:
            raise VerificationError(f"the secret of {party} is not the one it committed to in this draw")
    seed = joint_seed(name, secrets)
    strata: dict[str, DrawnStratum] = {}
    for stratum in terms["strata"]:
        if stratum["stratum"] in strata:
            raise VerificationError(f"the stratum {stratum['stratum']} stands twice")
        strata[stratum["stratum"]] = _drawn(stratum_seed(seed, stratum["stratum"]), stratum)
    return Replayed(name, seed, strata)


def _drawn(seed: bytes, stratum: Mapping[str, Any]) -> DrawnStratum:
    ranges: list[Sequence[int]] = []
    tables: list[str] = []
    for selection in stratum["population"]:
        ranges += selection["rows"]
        tables += [selection["table"]] * len(selection["rows"])
    population = sum(last - first + 1 for first, last in ranges)
    positions = draw_rows(seed, population, stratum["sample"])
    return DrawnStratum(seed, tuple(positions), tuple(_named(ranges, tables, positions)))


def _named(ranges: Sequence[Sequence[int]], tables: Sequence[str], positions: Sequence[int]) -> list[tuple[str, int]]:
    """The table and row of each position: ranges in their order, those of one table after another's."""
    order = sorted(range(len(positions)), key=positions.__getitem__)
    found: dict[int, tuple[str, int]] = {}
    begin = at = 0
    for index in order:
        while positions[index] - begin > ranges[at][1] - ranges[at][0]:
            begin += ranges[at][1] - ranges[at][0] + 1
            at += 1
        found[index] = (tables[at], ranges[at][0] + positions[index] - begin)
    return [found[index] for index in range(len(positions))]
