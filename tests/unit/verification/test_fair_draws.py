# SPDX-License-Identifier: Apache-2.0
"""Is every selection as likely as every other, and can a party that holds back its secret gain by it? Over many seeds.

The seeds are hashes of numbers, so that every run sees the same ones. Each test has a control that it must reject.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import combinations
from math import comb, exp

from servanda.verification.sampling import miss_probability
from servanda.verification.selection import commitment, draw_id, draw_rows, joint_seed

RUNS = 14_000
NOT_BY_CHANCE, UNREMARKABLE = 1e-9, 1e-3
DRAW = draw_id({"algorithm": "servanda-draw-1", "parties": ["host", "visitor"]})


def secrets(name: str, runs: int = RUNS) -> Iterator[bytes]:
    return (hashlib.sha256(f"{name}/{run}".encode()).digest() for run in range(runs))


def by_chance(counts: Iterable[int]) -> float:
    """The chance of a chi-square as great as this one if all are equally likely; exact for an odd number of cells."""
    cells = list(counts)
    assert len(cells) % 2 == 1
    expected = sum(cells) / len(cells)
    half = sum((cell - expected) ** 2 / expected for cell in cells) / 2
    term = total = 1.0
    for k in range(1, (len(cells) - 1) // 2):
        term *= half / k
        total += term
    return exp(-half) * total


def subsets(select: Callable[[bytes, int, int], list[int]], seeds: Iterable[bytes]) -> list[int]:
    """How often each of the 35 threes of seven is selected."""
    seen = Counter(tuple(sorted(select(seed, 7, 3))) for seed in seeds)
    return [seen[three] for three in combinations(range(7), 3)]


def by_remainder(seed: bytes, population: int, count: int) -> list[int]:
    """The structure of RFC 3797 with a short word: what a remainder does, made large enough to see."""
    left, drawn = list(range(population)), []
    for step in range(count):
        salt = step.to_bytes(2, "big")
        word = hashlib.sha256(salt + seed + salt).digest()[0] & 0x0F
        drawn.append(left.pop(word % len(left)))
    return drawn


def test_every_subset_is_drawn_as_often_as_every_other() -> None:
    assert by_chance(subsets(draw_rows, secrets("seed"))) > UNREMARKABLE


def test_a_selector_with_the_bias_of_a_remainder_is_rejected() -> None:
    assert by_chance(subsets(by_remainder, secrets("seed"))) < NOT_BY_CHANCE


def test_every_place_in_the_order_falls_on_every_position_alike() -> None:
    draws = [draw_rows(seed, 11, 4) for seed in secrets("order")]
    for step in range(4):
        counts = Counter(drawn[step] for drawn in draws)
        assert by_chance(counts[position] for position in range(11)) > UNREMARKABLE


def test_the_number_of_defects_in_a_draw_has_the_distribution_that_sample_sizes_rest_on() -> None:
    found = Counter(sum(position < 5 for position in draw_rows(seed, 20, 6)) for seed in secrets("defects"))
    expected = {k: RUNS * comb(5, k) * comb(15, 6 - k) / comb(20, 6) for k in range(6)}
    merged = {k: (found[k], expected[k]) for k in range(4)} | {4: (found[4] + found[5], expected[4] + expected[5])}
    half = sum((seen - wanted) ** 2 / wanted for seen, wanted in merged.values()) / 2
    assert exp(-half) * (1 + half) > UNREMARKABLE


def test_a_party_that_chooses_its_secret_after_the_others_commitment_moves_nothing() -> None:
    """It takes, of eight, the secret that looks best beside the commitment; the seed does not depend on that."""

    def seeds() -> Iterator[bytes]:
        for run, secret in enumerate(secrets("visitor")):
            seen = commitment(DRAW, "visitor", secret)
            chosen = min(secrets(f"host/{run}", 8), key=lambda own: joint_seed(DRAW, {"host": own, "visitor": seen}))
            yield joint_seed(DRAW, {"host": chosen, "visitor": secret})

    assert by_chance(subsets(draw_rows, seeds())) > UNREMARKABLE


def test_a_party_that_knew_the_others_secret_would_move_everything_and_is_seen() -> None:
    """The control: without commitments the last to speak chooses the draw."""

    def seeds() -> Iterator[bytes]:
        for run, secret in enumerate(secrets("visitor", 4_000)):
            own = secrets(f"host/{run}", 8)
            known = [joint_seed(DRAW, {"host": one, "visitor": secret}) for one in own]
            yield min(known, key=lambda seed: 0 in draw_rows(seed, 7, 3))

    assert by_chance(subsets(draw_rows, seeds())) < NOT_BY_CHANCE


POPULATION, DEFECTS, SAMPLE = 30, 6, 5


def caught(seed: bytes) -> bool:
    return any(position < DEFECTS for position in draw_rows(seed, POPULATION, SAMPLE))


def passed(refuses: Callable[[bytes], bool], redraw: bool = False) -> int:
    """In how many runs a host with six defects ends with a draw that is done and shows none of them.

    The host reveals last and knows the seed. If it refuses, every item counts as access denied: it has not passed.
    """
    done = 0
    for seed, other in zip(secrets("first"), secrets("second"), strict=True):
        if not refuses(seed):
            done += not caught(seed)
        elif redraw:
            done += not caught(other)
    return done


def test_a_host_that_refuses_what_would_show_its_defects_passes_no_more_often() -> None:
    honest = passed(lambda seed: False)
    assert passed(caught) == honest
    assert passed(lambda seed: seed[0] < 64) < honest, "refusing for any other reason only loses draws"
    expected = RUNS * float(miss_probability(POPULATION, DEFECTS, SAMPLE))
    assert abs(honest - expected) < 4 * expected**0.5


def test_with_a_redraw_after_a_refusal_the_host_would_pass_far_more_often() -> None:
    """The control: the rule that the page refuses."""
    honest, gained = passed(lambda seed: False), passed(caught, redraw=True)
    miss = miss_probability(POPULATION, DEFECTS, SAMPLE)
    assert gained > honest + 20 * honest**0.5
    assert abs(gained - RUNS * float(1 - (1 - miss) ** 2)) < 4 * gained**0.5


def test_an_inspector_that_forfeits_draws_sees_a_chosen_item_no_more_often() -> None:
    """It wants position 0, reveals last, and forfeits every draw without it: it has seen it in no more draws."""
    draws = [draw_rows(seed, POPULATION, SAMPLE) for seed in secrets("inspector")]
    kept = [drawn for drawn in draws if 0 in drawn]
    assert sum(0 in drawn for drawn in kept) == sum(0 in drawn for drawn in draws)
    expected = RUNS * float(Fraction(SAMPLE, POPULATION))
    assert abs(len(kept) - expected) < 4 * expected**0.5
