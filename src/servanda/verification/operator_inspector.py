# SPDX-License-Identifier: Apache-2.0
"""Do the operator's figures and the inspector's, for the same items, differ by more than measuring explains?

Item by item, and over the stratum: the differences of the sample, taken as those of all items.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from servanda.verification.errors import VerificationError
from servanda.verification.material_balance import Judged, exceeds


class Pair(NamedTuple):
    """One item: what the operator states, what the inspector measured, in the same unit."""

    name: str
    operator: Fraction
    inspector: Fraction


class Errors(NamedTuple):
    """Relative standard deviations of one side's measuring."""

    random: Fraction
    systematic: Fraction


class Difference(NamedTuple):
    """The stratum as a whole, and each item of the sample."""

    stratum: Judged
    """`difference` is D = (N / n) x the sum of operator less inspector."""
    items: tuple[tuple[str, Judged], ...]


def compare(
    pairs: Sequence[Pair], population: int, operator: Errors, inspector: Errors, sigmas: Fraction
) -> Difference:
    """Return D and the one-item tests.

    Random errors are each item's own; each side's systematic error is the same for all its items. The sampling itself
    adds no variance: D is judged by what it would be if every item were as stated.

    Args:
        pairs: the n items of the sample, 1 or more.
        population: N, at least n.
        operator: the operator's errors.
        inspector: the inspector's errors.
        sigmas: how many standard deviations are an alarm.

    Raises:
        VerificationError: no item, more items than the stratum has, a negative figure or error.
    """
    _check(pairs, population, operator, inspector)
    factor = Fraction(population, len(pairs))
    random = sum(
        (pair.operator**2 * operator.random**2 + pair.inspector**2 * inspector.random**2 for pair in pairs), Fraction(0)
    )
    stated = sum((pair.operator for pair in pairs), Fraction(0))
    measured = sum((pair.inspector for pair in pairs), Fraction(0))
    systematic = (stated * operator.systematic) ** 2 + (measured * inspector.systematic) ** 2
    return Difference(
        exceeds(factor * (stated - measured), factor**2 * (random + systematic), sigmas),
        tuple(
            (pair.name, exceeds(pair.operator - pair.inspector, _variance(pair, operator, inspector), sigmas))
            for pair in pairs
        ),
    )


def _variance(pair: Pair, operator: Errors, inspector: Errors) -> Fraction:
    return pair.operator**2 * (operator.random**2 + operator.systematic**2) + pair.inspector**2 * (
        inspector.random**2 + inspector.systematic**2
    )


def _check(pairs: Sequence[Pair], population: int, operator: Errors, inspector: Errors) -> None:
    if not 1 <= len(pairs) <= population:
        raise VerificationError(f"a sample of {len(pairs)} of a stratum of {population} items is not possible")
    if len({pair.name for pair in pairs}) < len(pairs):
        raise VerificationError("an item stands twice in the sample")
    if any(min(pair.operator, pair.inspector) < 0 for pair in pairs) or min(*operator, *inspector) < 0:
        raise VerificationError("figures and errors are not negative")
