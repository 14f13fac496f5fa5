# SPDX-License-Identifier: Apache-2.0
"""Sample sizes: published numbers, a sweep against a second way of computing them, and what a draw was worth."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servanda.verification.errors import VerificationError
from servanda.verification.exact import rational, rounded
from servanda.verification.sampling import (
    achieved,
    approximate_sample,
    defects_for,
    miss_bounds,
    miss_decimal,
    miss_probability,
    sample_sizes,
    smallest_sample,
)

TABLE = [
    (10, 1, ".10", 9, 9, 9),
    (10, 1, ".05", 10, 10, 10),
    (50, 5, ".05", 22, 23, 22),
    (100, 1, ".05", 95, 95, 95),
    (100, 10, ".05", 25, 26, 25),
    (100, 10, ".50", 7, 7, 7),
    (200, 10, ".05", 51, 52, 51),
    (300, 6, ".10", 95, 96, 95),
    (500, 5, ".10", 184, 185, 184),
    (840, 8, ".05", 262, 263, 262),
    (1000, 10, ".05", 258, 259, 258),
    (1000, 50, ".05", 57, 59, 57),
    (2855, 28, ".05", 289, 290, 289),
    (10000, 50, ".05", 581, 582, 581),
]
SWEPT, BETAS = 300, [Fraction(n, 20) for n in (1, 2, 10, 16)]
small = st.integers(1, 60)
chances = st.builds(Fraction, st.integers(1, 19), st.just(20))


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_the_table_of_sample_sizes(row: tuple[int, int, str, int, int, int]) -> None:
    assert sample_sizes(row[0], row[1], Fraction(row[2])) == row[3:]


def test_one_in_a_thousand_at_95_in_100_takes_950() -> None:
    assert smallest_sample(1000, 1, Fraction(1, 20)) == 950


def test_ninety_ninety_of_ten_is_nine_and_not_the_22_of_an_endless_population() -> None:
    assert smallest_sample(10, 1, Fraction(1, 10)) == 9


def test_fifty_in_ten_thousand_takes_581_and_not_the_598_of_drawing_with_replacement() -> None:
    n, chance = 0, Fraction(1)
    while chance > Fraction(1, 20):
        n, chance = n + 1, chance * Fraction(9950, 10000)
    assert n == 598
    assert smallest_sample(10000, 50, Fraction(1, 20)) == 581


@pytest.mark.parametrize(("defects", "per_cent"), [(60, "78.31"), (69, "82.78")])
def test_125_of_5000_detect_as_published(defects: int, per_cent: str) -> None:
    assert rounded(100 * (1 - miss_probability(5000, defects, 125)), 2) == per_cent


def test_a_test_that_fails_once_in_five_misses_twice_as_often() -> None:
    assert rounded(miss_probability(100, 10, 25), 6) == "0.047887"
    assert rounded(miss_probability(100, 10, 25, Fraction(4, 5)), 6) == "0.098223"


def swept(miss: Fraction) -> dict[tuple[int, int], tuple[int, int, int]]:
    """Every N to 300 and every D, by a table of binomials and whole powers, one step down at a time."""
    above, below = miss.numerator, miss.denominator
    binomials = [[comb(n, k) for k in range(n + 1)] + [0] * (SWEPT - n) for n in range(SWEPT + 1)]
    found = {}
    for population in range(1, SWEPT + 1):
        exact = approximate = improved = population
        for defects in range(1, population + 1):
            bound = above * binomials[population][defects]
            while exact and binomials[population - exact + 1][defects] * below <= bound:
                exact -= 1
            bound = above * population**defects
            while approximate and (population - approximate + 1) ** defects * below <= bound:
                approximate -= 1
            twice = 2 * population - defects + 1
            bound = above * twice**defects
            while improved and max(twice - 2 * improved + 2, 0) ** defects * below <= bound:
                improved -= 1
            found[population, defects] = exact, approximate, improved
    return found


@pytest.fixture(scope="module")
def sweep() -> dict[Fraction, dict[tuple[int, int], tuple[int, int, int]]]:
    return {miss: swept(miss) for miss in BETAS}


def test_over_the_whole_sweep_the_approximation_is_0_to_3_above_the_exact_size(
    sweep: dict[Fraction, dict[tuple[int, int], tuple[int, int, int]]],
) -> None:
    cases = [sizes for table in sweep.values() for sizes in table.values()]
    assert len(cases) == 180_600
    assert Counter(approximate - exact for exact, approximate, _ in cases) == {0: 75697, 1: 63880, 2: 39189, 3: 1834}
    assert {improved - exact for exact, _, improved in cases} == {0, 1}


def test_one_case_in_forty_of_the_sweep_comes_out_alike_by_our_way(
    sweep: dict[Fraction, dict[tuple[int, int], tuple[int, int, int]]],
) -> None:
    for miss, table in sweep.items():
        for place, sizes in list(table.items())[::41]:
            assert sample_sizes(*place, miss) == sizes, (place, miss)


@given(small, st.data(), chances, chances)
def test_the_least_sample_is_enough_and_one_less_is_not(
    population: int, data: st.DataObject, miss: Fraction, test: Fraction
) -> None:
    defects = data.draw(st.integers(1, population))
    if (1 - test) ** defects > miss:
        with pytest.raises(VerificationError, match="no sample suffices"):
            smallest_sample(population, defects, miss, test)
        return
    n = smallest_sample(population, defects, miss, test)
    assert miss_probability(population, defects, n, test) <= miss
    assert n == 1 or miss_probability(population, defects, n - 1, test) > miss


@given(small, st.data(), chances)
def test_the_chance_is_that_of_counting_all_draws(population: int, data: st.DataObject, test: Fraction) -> None:
    defects, drawn = data.draw(st.integers(0, population)), data.draw(st.integers(0, population))
    hidden = data.draw(st.integers(0, drawn))
    counted = sum(
        Fraction(comb(defects, k) * comb(population - defects, drawn - k), comb(population, drawn))
        * (1 - test) ** max(0, k - hidden)
        for k in range(min(defects, drawn) + 1)
    )
    assert miss_probability(population, defects, drawn, test, hidden) == counted
    low, high = miss_bounds(population, defects, drawn, test, hidden)
    assert low <= counted <= high
    assert high - low < Fraction(1, 2**96)


@pytest.mark.parametrize("defects", [1, 1000, 8670, 86_700, 8_000_000])
def test_at_the_size_of_the_worlds_stockpile_bounds_and_approximation_hold(defects: int) -> None:
    population, miss = 8_670_000, Fraction(1, 20)
    n = smallest_sample(population, defects, miss)
    assert miss_bounds(population, defects, n)[1] <= miss or miss_probability(population, defects, n) == miss
    assert miss_bounds(population, defects, n - 1)[0] > miss
    assert 0 <= approximate_sample(population, defects, miss) - n <= 3
    assert smallest_sample(population, max(defects, 10), miss, Fraction(9, 10)) >= n * (defects > 1)


def test_a_power_that_meets_the_bound_exactly_is_not_rounded_up() -> None:
    assert approximate_sample(100, 2, Fraction(1, 4)) == 50
    assert approximate_sample(1000, 3, Fraction(1, 8)) == 500
    assert approximate_sample(100, 2, Fraction(1, 4) - Fraction(1, 10**40)) == 51


def test_defects_are_the_goal_by_the_mean_rounded_up() -> None:
    assert defects_for(Fraction(8), Fraction(2)) == 4
    assert defects_for(Fraction(8), rational("1.999")) == 5


def test_items_not_looked_at_are_taken_off_and_denied_ones_are_held_for_the_worst() -> None:
    found = achieved(100, 10, 25, missed=3, denied=2)
    assert found.planned == 1 - miss_decimal(100, 10, 25)
    assert found.independent == 1 - miss_decimal(100, 10, 20)
    assert found.assured < found.independent < found.planned
    at_most_two = sum(Fraction(comb(10, k) * comb(90, 22 - k), comb(100, 22)) for k in range(3))
    assert rounded(found.assured, 12) == rounded(1 - at_most_two, 12)
    assert achieved(100, 10, 25, denied=25).assured == 0
    assert achieved(100, 10, 25).assured == achieved(100, 10, 25).planned


@pytest.mark.parametrize(
    "ask",
    [
        lambda: sample_sizes(0, 1, Fraction(1, 20)),
        lambda: sample_sizes(2**32, 1, Fraction(1, 20)),
        lambda: sample_sizes(10, 11, Fraction(1, 20)),
        lambda: sample_sizes(10, 0, Fraction(1, 20)),
        lambda: sample_sizes(10, 1, Fraction(0)),
        lambda: sample_sizes(10, 1, Fraction(1)),
        lambda: smallest_sample(10, 1, Fraction(1, 20), Fraction(0)),
        lambda: smallest_sample(10, 1, Fraction(1, 20), Fraction(9, 10)),
        lambda: miss_probability(10, 1, 11),
        lambda: achieved(10, 1, 5, missed=3, denied=3),
        lambda: defects_for(Fraction(0), Fraction(1)),
        lambda: rational("0,05"),
        lambda: rational("1e-2"),
        lambda: rational("1/0"),
        lambda: rational(0.05),
    ],
)
def test_what_has_no_answer_is_refused(ask: object) -> None:
    with pytest.raises(VerificationError):
        ask()  # type: ignore[operator]
