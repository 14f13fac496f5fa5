# SPDX-License-Identifier: Apache-2.0
"""How many items must be looked at, and what was the chance of finding something once they were? Exact.

A stratum has `population` items N, of which at least `defects` D are not what they should be; n are drawn without
replacement. `miss` (beta) is the chance that is allowed that none of the D is noticed. `test` (q) is the chance that
one defect is noticed when its item is looked at; 1 is a test that never fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil, comb, perm
from typing import NamedTuple

from servanda.verification.errors import VerificationError
from servanda.verification.exact import compare_power, guessed_root_complement, power_within

POPULATION_MAX = 2**32 - 1
"""As many as a table may have rows (spec/tables.md)."""

CERTAIN = Fraction(1)
_EXACT_TERMS = 64
_BITS = 192


class SampleSizes(NamedTuple):
    """The sample size by three methods, side by side. The exact one is the one to use."""

    exact: int
    """The least n whose chance of missing is at most `miss`, by the hypergeometric distribution."""
    approximate: int
    """N (1 - beta^(1/D)), rounded up. Never less than the exact one."""
    improved: int
    """(N - (D - 1)/2) (1 - beta^(1/D)), rounded up."""


def defects_for(goal: Fraction, mean: Fraction) -> int:
    """Return how many items a quantity stands for: goal / mean, rounded up.

    Args:
        goal: the quantity that must not go missing unnoticed, above 0, in any unit.
        mean: the mean content of one item, above 0, in the same unit.

    Raises:
        VerificationError: one of them is not above 0.
    """
    if goal <= 0 or mean <= 0:
        raise VerificationError("a goal quantity and a mean content are above 0")
    return ceil(Fraction(goal) / Fraction(mean))


def sample_sizes(population: int, defects: int, miss: Fraction) -> SampleSizes:
    """Return the three sample sizes for a test that never fails.

    Raises:
        VerificationError: D is not within 1 to N, N is too large, or `miss` is not between 0 and 1.
    """
    approximate = approximate_sample(population, defects, miss)
    return SampleSizes(
        _least_below(population, defects, miss, approximate), approximate, improved_sample(population, defects, miss)
    )


def smallest_sample(population: int, defects: int, miss: Fraction, test: Fraction = CERTAIN) -> int:
    """Return the least number of items to draw so that all defects are missed with a chance of at most `miss`.

    Raises:
        VerificationError: as for `sample_sizes`; or no sample is large enough for a test that fails so often.
    """
    n = _least_below(population, defects, miss, approximate_sample(population, defects, miss))
    if test == CERTAIN:
        return n
    _check_test(test)
    if compare_power(1 - test, defects, miss) > 0:
        raise VerificationError(
            f"no sample suffices: with a test that notices {test} of the defects, looking at all {population} items "
            f"misses all {defects} more often than {miss}; allow more, or use a better test"
        )
    return _least_above(population, defects, miss, test, n)


def approximate_sample(population: int, defects: int, miss: Fraction) -> int:
    """Return N (1 - beta^(1/D)), rounded up: decided by integers, never by a rounded root.

    Raises:
        VerificationError: as for `sample_sizes`.
    """
    _check(population, defects, miss)
    return _rounded_up(2 * population, defects, miss)


def improved_sample(population: int, defects: int, miss: Fraction) -> int:
    """Return (N - (D - 1)/2) (1 - beta^(1/D)), rounded up.

    Raises:
        VerificationError: as for `sample_sizes`.
    """
    _check(population, defects, miss)
    return _rounded_up(2 * population - defects + 1, defects, miss)


def miss_probability(population: int, defects: int, drawn: int, test: Fraction = CERTAIN, hidden: int = 0) -> Fraction:
    """Return the exact chance that of `defects` none is noticed in a draw of `drawn`. Long where all three are large.

    Args:
        population: N, 1 to `POPULATION_MAX`.
        defects: D, 0 to N.
        drawn: n, 0 to N.
        test: q, above 0 to 1.
        hidden: so many items of the draw are not looked at, and are those that would have shown a defect.

    Raises:
        VerificationError: a value is out of range.
    """
    _check_draw(population, defects, drawn, test, hidden)
    few, other = sorted((defects, drawn))  # the distribution is the same with the two exchanged
    if test == CERTAIN and not hidden:
        return Fraction(perm(population - other, few), perm(population, few))
    fails = 1 - test
    unnoticed = sum(
        comb(other, k) * comb(population - other, few - k) * fails ** max(0, k - hidden) for k in range(few + 1)
    )
    return Fraction(unnoticed) / comb(population, few)


def miss_bounds(
    population: int, defects: int, drawn: int, test: Fraction = CERTAIN, hidden: int = 0, bits: int = _BITS
) -> tuple[Fraction, Fraction]:
    """Return two fractions that hold `miss_probability` between them, less than 2^-(bits/2) apart; fast for any size.

    Raises:
        VerificationError: a value is out of range.
    """
    _check_draw(population, defects, drawn, test, hidden)
    fails = 1 - test
    weighted_low = weighted_high = total_low = total_high = 0
    for k, low, high in _terms(population, defects, drawn, bits):
        unnoticed_low, unnoticed_high = power_within(fails.numerator, fails.denominator, max(0, k - hidden), bits)
        weighted_low += low * unnoticed_low >> bits
        weighted_high += -(-high * unnoticed_high >> bits)
        total_low += low
        total_high += high
    return Fraction(weighted_low, total_high), min(Fraction(weighted_high, total_low), CERTAIN)


def miss_decimal(population: int, defects: int, drawn: int, test: Fraction = CERTAIN, hidden: int = 0) -> Fraction:
    """Return the chance of missing, correctly rounded (half up) to 12 places.

    Raises:
        VerificationError: a value is out of range.
    """
    scale, bits = 10**12, _BITS
    while bits <= 4 * _BITS and min(defects, drawn) > _EXACT_TERMS:
        low, high = miss_bounds(population, defects, drawn, test, hidden, bits)
        ends = {_half_up(low * scale), _half_up(high * scale)}
        if len(ends) == 1:
            return Fraction(ends.pop(), scale)
        bits *= 2
    return Fraction(_half_up(miss_probability(population, defects, drawn, test, hidden) * scale), scale)


class Achieved(NamedTuple):
    """The chance of noticing at least one of D defects, after the fact. Fractions with 12 decimal places."""

    planned: Fraction
    """As drawn: if every item had been looked at."""
    independent: Fraction
    """If what kept items from being looked at had nothing to do with what they were."""
    assured: Fraction
    """If every denied item was denied because it would have shown a defect. The number to rely on."""


def achieved(
    population: int, defects: int, drawn: int, *, missed: int = 0, denied: int = 0, test: Fraction = CERTAIN
) -> Achieved:
    """Return the detection probability of a sample of which not every item was looked at.

    Args:
        population: N.
        defects: D.
        drawn: n, all items of the draw.
        missed: items of the draw not looked at for a reason of the inspector's own, such as time.
        denied: items of the draw that the inspected party kept from being looked at, or could not show.
        test: q, above 0 to 1.

    Raises:
        VerificationError: a value is out of range, or more was missed and denied than drawn.
    """
    if missed < 0 or denied < 0 or missed + denied > drawn:
        raise VerificationError(f"of {drawn} drawn, {missed} missed and {denied} denied is not possible")
    return Achieved(
        1 - miss_decimal(population, defects, drawn, test),
        1 - miss_decimal(population, defects, drawn - missed - denied, test),
        1 - miss_decimal(population, defects, drawn - missed, test, denied),
    )


def _half_up(value: Fraction) -> int:
    return int((2 * value + 1) // 2)


def _check(population: int, defects: int, miss: Fraction) -> None:
    _check_draw(population, defects, 0, CERTAIN, 0)
    if not defects:
        raise VerificationError("0 defects cannot be looked for; state how many there would have to be, 1 or more")
    if not 0 < miss < 1:
        raise VerificationError(f"the chance of missing that is allowed is between 0 and 1, not {miss}")


def _check_draw(population: int, defects: int, drawn: int, test: Fraction, hidden: int) -> None:
    if not 1 <= population <= POPULATION_MAX:
        raise VerificationError(f"a population has 1 to {POPULATION_MAX} items, not {population}")
    if not 0 <= defects <= population:
        raise VerificationError(f"{defects} defects in a population of {population}: 0 to {population} are possible")
    if not 0 <= drawn <= population:
        raise VerificationError(f"a sample of {drawn} is larger than its population of {population}, or negative")
    if not 0 <= hidden <= drawn:
        raise VerificationError(f"{hidden} items hidden of {drawn} drawn is not possible")
    _check_test(test)


def _check_test(test: Fraction) -> None:
    if not 0 < test <= 1:
        raise VerificationError(f"the chance that the test notices a defect is above 0 and at most 1, not {test}")


def _enough(population: int, defects: int, drawn: int, miss: Fraction, test: Fraction) -> bool:
    """Is the chance of missing at most `miss`? Bounds decide where they can, the whole fraction where they cannot."""
    if drawn == population:
        return compare_power(1 - test, defects, miss) <= 0
    bits = _BITS
    while bits <= 4 * _BITS and min(defects, drawn) > _EXACT_TERMS:
        low, high = miss_bounds(population, defects, drawn, test, 0, bits)
        if high <= miss:
            return True
        if low > miss:
            return False
        bits *= 2
    if test == CERTAIN:
        few, other = sorted((defects, drawn))
        return perm(population - other, few) * miss.denominator <= miss.numerator * perm(population, few)
    return miss_probability(population, defects, drawn, test) <= miss


def _least_below(population: int, defects: int, miss: Fraction, enough: int) -> int:
    """The least sufficient sample, from one that suffices downwards: doubling steps, then halving.

    The approximation always suffices, for each factor (N-n-i)/(N-i) of the exact chance is at most (N-n)/N.
    """
    step = 1
    while enough > step and _enough(population, defects, enough - step, miss, CERTAIN):
        enough -= step
        step *= 2
    low = max(enough - step, 0)  # does not suffice
    while enough - low > 1:
        middle = (low + enough) // 2
        if _enough(population, defects, middle, miss, CERTAIN):
            enough = middle
        else:
            low = middle
    return enough


def _least_above(population: int, defects: int, miss: Fraction, test: Fraction, low: int) -> int:
    """The least sufficient sample for a test that may fail; less than `low` never suffices."""
    if _enough(population, defects, low, miss, test):
        return low
    step = 1
    high = min(low + step, population)
    while not _enough(population, defects, high, miss, test):
        low, step = high, step * 2
        high = min(high + step, population)
    while high - low > 1:
        middle = (low + high) // 2
        if _enough(population, defects, middle, miss, test):
            high = middle
        else:
            low = middle
    return high


def _rounded_up(twice: int, defects: int, miss: Fraction) -> int:
    """The least n with n >= (twice / 2) (1 - miss^(1/D)): the guess is settled by exact powers."""
    n = max(int(guessed_root_complement(miss, defects) * twice / 2), 0)
    while not _reaches(twice, n, defects, miss):
        n += 1
    while n > 0 and _reaches(twice, n - 1, defects, miss):
        n -= 1
    return n


def _reaches(twice: int, n: int, defects: int, miss: Fraction) -> bool:
    rest = Fraction(twice - 2 * n, twice)
    return rest <= 0 or compare_power(rest, defects, miss) <= 0


def _terms(population: int, defects: int, drawn: int, bits: int) -> Iterator[tuple[int, int, int]]:
    """`(k, low, high)`: bounds of C(D,k) C(N-D,n-k), all in one unknown unit in which the greatest is 2^bits.

    Terms fall on both sides of the greatest. All that are too small to count are one member at the end of their side.
    """
    first, last = max(0, drawn + defects - population), min(defects, drawn)
    mode = min(max((drawn + 1) * (defects + 1) // (population + 2), first), last)
    rest = population - defects - drawn
    yield mode, 1 << bits, 1 << bits
    low = high = 1 << bits
    for k in range(mode, last):
        over, under = (defects - k) * (drawn - k), (k + 1) * (rest + k + 1)
        low, high = low * over // under, -(-high * over // under)
        if not low:
            yield k + 1, 0, high * (last - k)
            break
        yield k + 1, low, high
    low = high = 1 << bits
    for k in range(mode, first, -1):
        over, under = k * (rest + k), (defects - k + 1) * (drawn - k + 1)
        low, high = low * over // under, -(-high * over // under)
        if not low:
            yield first, 0, high * (k - first)
            break
        yield k - 1, low, high
