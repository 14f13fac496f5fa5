# SPDX-License-Identifier: Apache-2.0
"""The order of a case's log, whatever dates a counterpart writes, and its cost (spec/alerts.md, Alerts document)."""

from __future__ import annotations

import itertools
import random
from typing import Any, NamedTuple

import pytest

from servanda.journal.frame import Place
from servanda.journal.order import in_order
from servanda.journal.state import Entry
from servanda.journal.threads import within

PARTIES = ("ash", "birch", "cedar")


class Dated(NamedTuple):
    """As much of a frame as the order goes by."""

    released_at: str


def entry(party: str, number: int, seconds: int, heads: dict[str, int]) -> Entry:
    dated: Any = Dated(f"2026-01-01T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.000Z")
    return Entry(Place(party, number), b"", b"", dated, None, "", heads)


def by_the_letter(entries: list[Entry]) -> list[Entry]:
    """Each after its past, else by release and place: the rule as it is written, at whatever cost."""
    left = sorted(entries, key=lambda item: (item.frame.released_at, *item.place))  # type: ignore[union-attr]
    found: list[Entry] = []
    while left:
        chosen = next(e for e in left if not any(within(e.past, other.place) for other in left if other is not e))
        left.remove(chosen)
        found.append(chosen)
    return found


@pytest.mark.parametrize("seed", range(20))
def test_the_order_is_that_of_the_rule(seed: int) -> None:
    chance = random.Random(seed)
    made: list[Entry] = []
    sizes, heads = dict.fromkeys(PARTIES, 0), {party: dict.fromkeys(PARTIES, 0) for party in PARTIES}
    for _ in range(30):
        party = chance.choice(PARTIES)
        for other in PARTIES:
            if other != party and chance.random() < 0.3:
                heads[party][other] = chance.randint(heads[party][other], sizes[other])
        sizes[party] += 1
        seen = {other: size for other, size in heads[party].items() if other != party and size}
        made.append(entry(party, sizes[party], chance.randint(0, 40), seen))
    for several in (made, made[::-1], [e for e in made if e.place.number % 3]):
        assert [e.place for e in in_order(several)] == [e.place for e in by_the_letter(several)]


def test_dates_that_run_backwards_do_not_make_a_long_case_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = itertools.count()

    def counted(cut: Any, place: Place) -> bool:
        next(looks)
        return within(cut, place)

    monkeypatch.setattr("servanda.journal.order.within", counted)
    count = 2_000
    made = [entry("ash", number, 80_000 - number, {}) for number in range(1, count + 1)]
    made += [entry("birch", number, number, {"ash": number}) for number in range(1, count + 1)]
    assert len(in_order(made)) == 2 * count
    assert next(looks) < 10 * len(made)
