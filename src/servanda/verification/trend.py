# SPDX-License-Identifier: Apache-2.0
"""Do small differences add up in one direction? Cumulative sums, which remember what one look at a time forgets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from servanda.verification.errors import VerificationError


class Cusum(NamedTuple):
    """The two cumulative sums after each value, and the first value (from 0) at which one exceeds the limit."""

    upper: tuple[Fraction, ...]
    lower: tuple[Fraction, ...]
    alarm: int | None


class Page(NamedTuple):
    """Page's statistic after each value, and the first value (from 0) at which it exceeds the limit."""

    statistic: tuple[Fraction, ...]
    alarm: int | None


def cusum(values: Sequence[Fraction], target: Fraction, slack: Fraction, limit: Fraction) -> Cusum:
    """Return the tabular two-sided CUSUM (Montgomery & Runger, section 16): both sums begin at 0.

    `S+ = max(0, x - (target + K) + S+)`, `S- = max(0, (target - K) - x + S-)`, alarm above H.

    Args:
        values: x, in their order.
        target: the value expected.
        slack: K, 0 or more.
        limit: H, above 0.

    Raises:
        VerificationError: K is negative, or H not above 0.
    """
    _check(slack, limit)
    upper: list[Fraction] = []
    lower: list[Fraction] = []
    above = below = Fraction(0)
    for value in values:
        above = max(Fraction(0), value - (target + slack) + above)
        below = max(Fraction(0), (target - slack) - value + below)
        upper.append(above)
        lower.append(below)
    return Cusum(tuple(upper), tuple(lower), _first(max(pair) > limit for pair in zip(upper, lower, strict=True)))


def page(values: Sequence[Fraction], slack: Fraction, limit: Fraction, start: Fraction | None = None) -> Page:
    """Return Page's one-sided test: `S = max(0, S + x - K)`, alarm above H. Each step adds to the statistic before it.

    Args:
        values: x in their order, in units of their standard deviation (SITMUF).
        slack: K, 0 or more.
        limit: H, above 0.
        start: S before the first value. If none is given it is K, so that S is first the first value itself, or 0.

    Raises:
        VerificationError: K is negative, or H not above 0.
    """
    _check(slack, limit)
    statistic: list[Fraction] = []
    held = Fraction(slack if start is None else start)
    for value in values:
        held = max(Fraction(0), held + value - slack)
        statistic.append(held)
    return Page(tuple(statistic), _first(value > limit for value in statistic))


def _check(slack: Fraction, limit: Fraction) -> None:
    if slack < 0 or limit <= 0:
        raise VerificationError("K is 0 or more and H is above 0")


def _first(alarms: Iterable[bool]) -> int | None:
    return next((at for at, alarm in enumerate(alarms) if alarm), None)
