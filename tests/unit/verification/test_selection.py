# SPDX-License-Identifier: Apache-2.0
"""Draws: RFC 3797 as published, ours by the words of its page, and what a party that holds back can gain."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servanda.verification.errors import VerificationError
from servanda.verification.selection import (
    commitment,
    draw_id,
    draw_rows,
    joint_seed,
    ranges_of,
    rfc3797,
    rows_at,
    stratum_seed,
)

KEY = b"9319./2.5.8.10.12./9.18.26.34.41.45./"
DIGESTS = [
    "990DD0A5692A029A98B5E01AA28F3459",
    "3691E55CB63FCC37914430B2F70B5EC6",
    "FE814EDF564C190AC1D25753979990FA",
    "1863CCACEB568C31D7DDBDF1D4E91387",
    "F4AB33DF4889F0AF29C513905BE1D758",
    "13EAEB529F61ACFB9A29D0BA3A60DE4A",
    "992DB77C382CA2BDB9727001F3CDCCD9",
    "63AB4258ECA922976811C7F55C383CE7",
    "DFBC5AC97CED01B3A6E348E3CC63F40D",
    "31CB111C4A4EBE9287CEAE16FE51B909",
    "07FA46C122F164C215BBC72793B189A3",
    "AC52F8D75CCBE2E61AFEB3387637D501",
    "53306F73E14FC0B2FBF434218D25948E",
    "B5D1403501A81F9A47318BE7893B347C",
    "85B10B356AA06663EF1B1B407765100A",
    "3269E6CE559ABD57E2BA6AAB495EB9BD",
]
seeds = st.binary(min_size=32, max_size=32)


def test_rfc_3797_selects_as_published_with_every_digest_on_the_way() -> None:
    steps = rfc3797(KEY, 25, 16)
    assert [step.selected for step in steps[:11]] == [17, 7, 2, 16, 25, 23, 8, 24, 19, 13, 22]
    assert [step.digest.hex().upper() for step in steps] == DIGESTS
    assert [step.remaining for step in steps] == list(range(25, 9, -1))


def test_choosing_ten_takes_as_many_bits_as_published() -> None:
    pools = (20, 25, 30, 35, 40, 50, 60, 75, 100, 120)
    assert [(comb(pool, 10) - 1).bit_length() for pool in pools] == [18, 22, 25, 28, 30, 34, 37, 40, 44, 47]


def literal(seed: bytes, population: int, count: int) -> list[int]:
    """The steps of spec/draw.md one by one, with the whole list."""
    places, word = list(range(population)), 0
    for step in range(count):
        left = population - step
        bits = next(b for b in range(64) if 2**b >= left)
        value = 0
        while left > 1:
            text = f"{int.from_bytes(hashlib.sha256(word.to_bytes(8) + seed + word.to_bytes(8)).digest()):0256b}"
            word += 1
            value = int(text[:bits], 2)
            if value < left:
                break
        places[step], places[step + value] = places[step + value], places[step]
    return places[:count]


@given(seeds, st.integers(0, 80), st.data())
def test_a_draw_is_what_the_page_says_word_by_word(seed: bytes, population: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, population))
    drawn = draw_rows(seed, population, count)
    assert drawn == literal(seed, population, count)
    assert len(set(drawn)) == count
    assert all(0 <= position < population for position in drawn)
    assert draw_rows(seed, population, population)[:count] == drawn


def test_the_list_is_not_made_to_draw_from_the_largest_population() -> None:
    assert len(set(draw_rows(bytes(32), 2**32 - 1, 1000))) == 1000


def test_commitment_and_seed_are_the_bytes_of_the_page() -> None:
    draw, a, b = draw_id({"parties": ["b", "a"]}), b"a" * 32, b"b" * 32
    assert draw == hashlib.sha256(b'{"parties":["b","a"]}').digest()
    text = json.dumps({"draw": draw.hex(), "party": "blu", "secret": a.hex()}, separators=(",", ":"))
    assert commitment(draw, "blu", a) == hashlib.sha256(b"servanda/draw-commitment/v1\n" + text.encode()).digest()
    pairs = {"draw": draw.hex(), "secrets": [["blu", a.hex()], ["red", b.hex()]]}
    text = json.dumps(pairs, separators=(",", ":"))
    seed = hashlib.sha256(b"servanda/draw-seed/v1\n" + text.encode()).digest()
    assert joint_seed(draw, {"red": b, "blu": a}) == joint_seed(draw, {"blu": a, "red": b}) == seed
    text = json.dumps({"seed": seed.hex(), "stratum": "rifles"}, separators=(",", ":"))
    assert stratum_seed(seed, "rifles") == hashlib.sha256(b"servanda/draw-stratum/v1\n" + text.encode()).digest()


def test_a_commitment_copied_from_the_other_party_or_from_another_draw_is_worthless() -> None:
    draw, other, secret = draw_id({"n": 1}), draw_id({"n": 2}), b"s" * 32
    assert len({commitment(draw, "a", secret), commitment(draw, "b", secret), commitment(other, "a", secret)}) == 3


def test_secrets_exchanged_between_parties_make_another_seed() -> None:
    draw = draw_id({})
    assert joint_seed(draw, {"a": b"1" * 32, "b": b"2" * 32}) != joint_seed(draw, {"a": b"2" * 32, "b": b"1" * 32})


@given(st.lists(st.integers(0, 60), unique=True, max_size=30))
def test_ranges_and_positions_lead_to_the_same_rows(rows: list[int]) -> None:
    ranges = ranges_of(rows)
    assert [row for first, last in ranges for row in range(first, last + 1)] == sorted(rows)
    assert all(left[1] + 1 < right[0] for left, right in pairwise(ranges))
    assert rows_at(ranges, list(range(len(rows)))) == sorted(rows)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: draw_rows(bytes(32), 10, 11),
        lambda: draw_rows(bytes(32), 10, -1),
        lambda: draw_rows(bytes(32), 2**32, 1),
        lambda: draw_rows(bytes(31), 10, 1),
        lambda: joint_seed(bytes(32), {}),
        lambda: joint_seed(bytes(32), {"a": b""}),
        lambda: commitment(b"", "a", bytes(32)),
        lambda: rows_at([[0, 3]], [4]),
        lambda: rows_at([], [0]),
        lambda: rfc3797(KEY, 25, 26),
        lambda: rfc3797(KEY, 0, 0),
    ],
)
def test_what_cannot_be_drawn_is_refused(ask: object) -> None:
    with pytest.raises(VerificationError):
        ask()  # type: ignore[operator]
