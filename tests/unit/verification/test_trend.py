# SPDX-License-Identifier: Apache-2.0
"""CUSUM as published, Page's test that accumulates, and operator against inspector."""

from __future__ import annotations

from fractions import Fraction

import pytest

from servanda.verification.errors import VerificationError
from servanda.verification.operator_inspector import Errors, Pair, compare
from servanda.verification.trend import cusum, page

VALUES = "102.0 94.8 98.3 98.4 102.0 98.5 99.0 97.7 100.0 98.1 101.3 98.7 101.1 98.4 97.0 96.7 100.3 101.4 97.2 101.0"
UPPER = "2.0 0 0 0 2.0 .5 0 0 0 0 1.3 0 1.1 0 0 0 .3 1.7 0 1.0"
LOWER = "0 3.2 2.9 2.5 0 0 0 .3 0 0 0 0 0 0 1.0 2.3 0 0 .8 0"


def numbers(text: str) -> tuple[Fraction, ...]:
    return tuple(Fraction(word) for word in text.split())


def test_the_published_table_of_example_16_6() -> None:
    found = cusum(numbers(VALUES), Fraction(99), Fraction(1), Fraction(10))
    assert found == (numbers(UPPER), numbers(LOWER), None)


def test_a_shift_of_either_sign_raises_the_alarm_when_the_sum_exceeds_the_limit() -> None:
    up = cusum([Fraction(102)] * 8, Fraction(99), Fraction(1), Fraction(10))
    assert (up.upper[4], up.alarm) == (10, 5)
    assert cusum([Fraction(96)] * 8, Fraction(99), Fraction(1), Fraction(10)).alarm == 5


def test_pages_statistic_adds_to_itself_and_ends_at_three_and_a_half() -> None:
    values = [Fraction("0.8")] * 10
    found = page(values, Fraction("0.5"), Fraction(3))
    assert found.statistic[-1] == Fraction("3.5")
    assert found.alarm == 8  # the ninth value: 3.2
    # What a published tool computes: the value before, in place of the statistic before. It stays at 1.1.
    assert max(Fraction(0), values[-2] + values[-1] - Fraction("0.5")) == Fraction("1.1") != found.statistic[-1]


def test_pages_statistic_may_begin_at_nothing() -> None:
    assert page([Fraction("0.8")] * 10, Fraction("0.5"), Fraction(3), Fraction(0)).statistic[-1] == 3
    assert page([Fraction(-1), Fraction(2)], Fraction("0.5"), Fraction(3)).statistic == (0, Fraction("1.5"))


@pytest.mark.parametrize(("slack", "limit"), [(-1, 1), (1, 0)])
def test_slack_and_limit_have_their_signs(slack: int, limit: int) -> None:
    with pytest.raises(VerificationError):
        cusum([], Fraction(0), Fraction(slack), Fraction(limit))
    with pytest.raises(VerificationError):
        page([], Fraction(slack), Fraction(limit))


OPERATOR, INSPECTOR = Errors(Fraction("0.01"), Fraction("0.005")), Errors(Fraction("0.02"), Fraction("0.01"))


def pairs(*figures: tuple[int, int]) -> list[Pair]:
    return [Pair(f"item-{at}", Fraction(o), Fraction(i)) for at, (o, i) in enumerate(figures)]


def test_the_difference_of_the_sample_is_taken_as_that_of_all_items() -> None:
    found = compare(pairs((100, 98), (100, 101), (100, 100)), 30, OPERATOR, INSPECTOR, Fraction(3))
    assert found.stratum.difference == 10
    assert not found.stratum.alarm
    assert not any(item.alarm for _, item in found.items)


def test_one_item_far_off_is_named() -> None:
    found = compare(pairs((100, 100), (100, 60)), 20, OPERATOR, INSPECTOR, Fraction(3))
    assert [name for name, item in found.items if item.alarm] == ["item-1"]


def test_many_items_slightly_off_show_in_the_stratum_only() -> None:
    found = compare(pairs(*[(100, 95)] * 50), 500, OPERATOR, INSPECTOR, Fraction(3))
    assert found.stratum.alarm
    assert not any(item.alarm for _, item in found.items)


def test_the_variance_of_the_stratum_keeps_systematic_errors_together() -> None:
    figures = pairs((100, 100), (50, 50))
    variance = sum(
        Fraction(amount) ** 2 * (OPERATOR.random**2 + INSPECTOR.random**2) for amount in (100, 50)
    ) + 150**2 * (OPERATOR.systematic**2 + INSPECTOR.systematic**2)
    limit = compare(figures, 4, OPERATOR, INSPECTOR, Fraction(1)).stratum.limit
    assert abs(limit**2 - 4 * variance) < Fraction(1, 10**9)


@pytest.mark.parametrize(
    ("figures", "population"), [([], 5), ([(1, 1), (1, 1)], 1), ([(-1, 1)], 5)], ids=["none", "too many", "negative"]
)
def test_what_is_no_sample_of_the_stratum_is_refused(figures: list[tuple[int, int]], population: int) -> None:
    with pytest.raises(VerificationError):
        compare(pairs(*figures), population, OPERATOR, INSPECTOR, Fraction(3))
