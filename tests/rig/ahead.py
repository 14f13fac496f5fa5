# SPDX-License-Identifier: Apache-2.0
"""Backlogs, alerts in them, and the advances that go before them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from servanda.operations.errors import ServandaError
from servanda.operations.ports import Advance, Push
from servanda.operations.receipts import receipted_size
from servanda.proof.merkle import inclusion_path
from tests.rig.world import World, three


def world() -> World:
    return three("ash", "birch")


def alarm(w: World, text: str = "Ice on the lake", precedence: str = "flash", party: str = "ash") -> int:
    return w.alone(
        party, "alert", {"text": text}, to=["birch" if party == "ash" else "ash"], precedence=precedence
    ).place.number


def routine(w: World, count: int, party: str = "ash") -> None:
    for index in range(count):
        w.alone(party, "alert", {"text": f"Nothing new {index}"}, to=["birch" if party == "ash" else "ash"])


def advance(w: World, number: int, party: str = "ash", **changes: Any) -> Advance:
    centre = w.centres[party]
    path = tuple(inclusion_path(number - 1, number, centre.journal.tree.node))
    leaf = centre.store.leaves(party, number, 1)[0]
    return Advance(party, number, leaf, path, centre.note_at(number))._replace(**changes)


def first_push(w: World, count: int) -> Push:
    """What goes next to birch, as if a push held `count` leaves."""
    centre = w.centres["ash"]
    first = receipted_size(centre, "birch") + 1
    return Push("ash", first, tuple(centre.store.leaves("ash", first, count)), centre.note_at(first + count - 1))


def refused(call: Callable[[], object]) -> ServandaError:
    with pytest.raises(ServandaError) as caught:
        call()
    return caught.value
