# SPDX-License-Identifier: Apache-2.0
"""A date that does not exist is a statement like any other, but nothing is made due on it."""

from __future__ import annotations

import pytest

from servanda.operations.desk import dispatch
from servanda.operations.errors import Refusal
from tests.rig.packs import lake
from tests.rig.world import World


@pytest.mark.parametrize("due", ["2014-02-30", "2014-13-01", "0000-01-01"])
def test_an_obligation_is_not_extended_to_a_day_that_does_not_exist(due: str) -> None:
    world = World(lake())
    with pytest.raises(Refusal) as refused:
        world.say("ash", "extend", {"obligation": "FIXED", "due": due}, named=["birch"])
    assert refused.value.code == "content"
    assert dispatch(world.centres["birch"], {"command": "obligations", "at": "2026-01-01"})["obligations"]


def test_an_event_on_a_day_that_does_not_exist_is_kept_and_flagged() -> None:
    world = World(lake())
    entry = world.say("ash", "note", {"text": "x"}, event_at="2014-02-30")
    assert entry.frame is not None
    assert (entry.code, entry.frame.flags) == (None, ("date-does-not-exist",))
