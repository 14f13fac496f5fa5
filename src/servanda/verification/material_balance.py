# SPDX-License-Identifier: Apache-2.0
"""Does what came, went and is left add up, and if not, is the difference more than measuring explains?

MUF (material unaccounted for) = (beginning + receipts - shipments) - ending. Every figure is a measurement
`amount (1 + r + s)`: r is its own random error, s a systematic one that it may share with others. All variances follow
from this one model, in fractions, term by term; roots come last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from servanda.verification.errors import VerificationError
from servanda.verification.exact import root

SIGNS = {"beginning": 1, "receipt": 1, "shipment": -1, "ending": -1}
"""The parts of a balance, and how they count in MUF."""

PLACES = 12
"""Decimal places of everything that is a square root."""


class Measurement(NamedTuple):
    """One measured figure. Two terms with one `name` are the same measurement, with the same random error."""

    name: str
    amount: Fraction
    """In any unit, the same throughout a balance."""
    random: Fraction
    """Relative standard deviation of the random error; 0 for what is counted."""
    systematic: Fraction
    """Relative standard deviation of the systematic error."""
    shared: str
    """Measurements with the same word here have the same systematic error; an empty one shares it with none."""


class Term(NamedTuple):
    """A measurement in its part of one balance."""

    part: str
    """One of `SIGNS`."""
    measurement: Measurement


class Balance(NamedTuple):
    """One period's balance. Amounts in the unit of the measurements, `sigma` rounded to `PLACES` decimals."""

    parts: Mapping[str, Fraction]
    """The sum of each part."""
    book: Fraction
    """Beginning + receipts - shipments."""
    muf: Fraction
    variance: Fraction
    sigma: Fraction


class Judged(NamedTuple):
    """Is a difference within so many standard deviations? Decided exactly, by squares."""

    difference: Fraction
    limit: Fraction
    """Rounded to `PLACES` decimals, for reading."""
    alarm: bool
    """The difference is greater, in amount, than the unrounded limit."""


def balance(terms: Iterable[Term]) -> Balance:
    """Return the balance of one period.

    Raises:
        VerificationError: a part is unknown, a figure or an error is negative, or one name means two measurements.
    """
    listed = list(terms)
    _check(listed)
    parts = dict.fromkeys(SIGNS, Fraction(0))
    for term in listed:
        parts[term.part] += term.measurement.amount
    muf = sum((SIGNS[part] * amount for part, amount in parts.items()), Fraction(0))
    variance = covariance(listed, listed)
    return Balance(parts, muf + parts["ending"], muf, variance, root(variance, PLACES))


def covariance(one: Sequence[Term], other: Sequence[Term]) -> Fraction:
    """Return the covariance of the MUF of two balances; of one with itself, its variance.

    Random errors meet in the measurements that both contain, as the inventory between two periods; systematic errors
    in all that share them.
    """
    first, second = _coefficients(one), _coefficients(other)
    found = Fraction(0)
    for measurement, factor in first.items():
        found += factor * second.get(measurement, 0) * (measurement.amount * measurement.random) ** 2
    left, right = _systematic(first), _systematic(second)
    return found + sum((left[shared] * right.get(shared, 0) for shared in left), Fraction(0))


def exceeds(difference: Fraction, variance: Fraction, sigmas: Fraction) -> Judged:
    """Return whether a difference exceeds `sigmas` standard deviations.

    Raises:
        VerificationError: the variance or the number of deviations is negative.
    """
    if variance < 0 or sigmas < 0:
        raise VerificationError("a variance and a number of standard deviations are not negative")
    bound = sigmas**2 * variance
    return Judged(difference, root(bound, PLACES), difference**2 > bound)


class Periods(NamedTuple):
    """Balances of consecutive periods, looked at together."""

    balances: tuple[Balance, ...]
    covariances: tuple[tuple[Fraction, ...], ...]
    cumulative: tuple[tuple[Fraction, Fraction], ...]
    """After each period: the sum of MUF so far, and its variance."""
    innovations: tuple[tuple[Fraction, Fraction], ...]
    """For each period: MUF less what the periods before let expect of it, and the variance of that."""
    standardised: tuple[Fraction, ...]
    """SITMUF: the innovations in units of their standard deviations, rounded to `PLACES` decimals."""


def sequence(periods: Sequence[Sequence[Term]]) -> Periods:
    """Return MUF, its covariances, the cumulative MUF and SITMUF for periods in their order.

    The covariance matrix is V = L D L^T with L unit lower triangular; the innovations are L^-1 MUF, with variances D.

    Raises:
        VerificationError: as for `balance`; or a period has no uncertainty of its own, so that SITMUF is not defined.
    """
    _check([term for period in periods for term in period])
    balances = tuple(balance(period) for period in periods)
    matrix = [[covariance(one, other) for other in periods] for one in periods]
    lower, diagonal = decompose(matrix)
    innovations: list[Fraction] = []
    for at, row in enumerate(lower):
        expected = sum((row[k] * innovations[k] for k in range(at)), Fraction(0))
        innovations.append(balances[at].muf - expected)
    cumulative, total = [], Fraction(0)
    for at, one in enumerate(balances):
        total += one.muf
        cumulative.append((total, sum((sum(row[: at + 1], Fraction(0)) for row in matrix[: at + 1]), Fraction(0))))
    return Periods(
        balances,
        tuple(tuple(row) for row in matrix),
        tuple(cumulative),
        tuple(zip(innovations, diagonal, strict=True)),
        tuple(_signed_root(e * abs(e) / d) for e, d in zip(innovations, diagonal, strict=True)),
    )


def decompose(matrix: Sequence[Sequence[Fraction]]) -> tuple[list[list[Fraction]], list[Fraction]]:
    """Return L (unit lower triangular) and the diagonal D of `matrix` = L D L^T, exactly.

    Raises:
        VerificationError: the matrix is not positive definite.
    """
    lower: list[list[Fraction]] = []
    diagonal: list[Fraction] = []
    for i, row in enumerate(matrix):
        line = [Fraction(0)] * i
        for j in range(i):
            known = sum((line[k] * lower[j][k] * diagonal[k] for k in range(j)), Fraction(0))
            line[j] = (row[j] - known) / diagonal[j]
        pivot = row[i] - sum((line[k] ** 2 * diagonal[k] for k in range(i)), Fraction(0))
        if pivot <= 0:
            raise VerificationError(
                f"period {i + 1} has no uncertainty of its own: SITMUF is not defined; state its measurement errors, "
                "or judge it as items, where the difference must be 0"
            )
        lower.append([*line, Fraction(1)])
        diagonal.append(pivot)
    return lower, diagonal


def shipper_receiver(shipped: Measurement, received: Measurement, sigmas: Fraction) -> Judged:
    """Return shipped less received, two measurements of one transfer, and whether measuring explains it.

    Raises:
        VerificationError: an amount or an error is negative.
    """
    terms = [Term("receipt", shipped), Term("shipment", received)]
    _check(terms)
    return exceeds(shipped.amount - received.amount, covariance(terms, terms), sigmas)


class Items(NamedTuple):
    """Items by name: nothing is estimated, so every difference is one to explain."""

    missing: tuple[str, ...]
    """In the book and not found."""
    unrecorded: tuple[str, ...]
    """Found and not in the book."""


def item_differences(book: Collection[str], counted: Iterable[str]) -> Items:
    """Return every item in which book and count differ; both empty if the balance is 0 item by item.

    Raises:
        VerificationError: an item was counted twice.
    """
    seen: set[str] = set()
    for name in counted:
        if name in seen:
            raise VerificationError(f"{name} was counted twice")
        seen.add(name)
    known = set(book)
    return Items(tuple(sorted(known - seen)), tuple(sorted(seen - known)))


def _coefficients(terms: Iterable[Term]) -> dict[Measurement, int]:
    found: defaultdict[Measurement, int] = defaultdict(int)
    for term in terms:
        found[term.measurement] += SIGNS[term.part]
    return found


def _systematic(coefficients: Mapping[Measurement, int]) -> dict[tuple[str, str], Fraction]:
    """What each systematic error of relative size 1 standard deviation does to MUF, by who shares it."""
    found: defaultdict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for measurement, factor in coefficients.items():
        key = ("shared", measurement.shared) if measurement.shared else ("own", measurement.name)
        found[key] += factor * measurement.amount * measurement.systematic
    return found


def _check(terms: Iterable[Term]) -> None:
    known: dict[str, Measurement] = {}
    for part, measurement in terms:
        if part not in SIGNS:
            raise VerificationError(f"{part!r} is no part of a balance; parts are {', '.join(SIGNS)}")
        if min(measurement.amount, measurement.random, measurement.systematic) < 0:
            raise VerificationError(f"{measurement.name}: an amount and its errors are not negative")
        if known.setdefault(measurement.name, measurement) != measurement:
            raise VerificationError(f"{measurement.name} is the name of two different measurements")


def _signed_root(value: Fraction) -> Fraction:
    return root(value, PLACES) if value >= 0 else -root(-value, PLACES)
