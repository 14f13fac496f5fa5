# SPDX-License-Identifier: Apache-2.0
"""A counterpart that signs one history after the other costs one proof, and one look at everything."""

from __future__ import annotations

import pytest

from servanda.operations.door import CentreDoor
from servanda.operations.errors import Conflict
from tests.rig.pen import leaf_by_hand, push_by_hand
from tests.rig.world import three


def test_a_thousand_histories_are_one_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    w = three("ash", "birch")
    ash, birch = w.centres["ash"], w.centres["birch"]
    leaves = ash.store.leaves("ash", 1, ash.journal.size)
    others = [leaf_by_hand(ash, content={"text": f"history {n}"}) for n in range(5)]
    w.say("ash", "note", {"text": "the one that is held"})
    w.sync()
    reloads: list[int] = []
    reload = birch.reload
    monkeypatch.setattr(birch, "reload", lambda: (reloads.append(1), reload())[1])
    door = CentreDoor(birch, lambda: None)
    for other in others:
        push = push_by_hand(ash.journal.origin, [*leaves, other], ash.signers.centre)
        with pytest.raises(Conflict):
            door.push("ash", push)
    assert len(birch.store.forks()["ash"]) == 1
    assert len(reloads) == 1
