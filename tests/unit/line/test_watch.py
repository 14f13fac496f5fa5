# SPDX-License-Identifier: Apache-2.0
"""Who has receipted what, and what has been waiting since when."""

from __future__ import annotations

from servanda.line.watch import watch_list
from servanda.operations.receipts import receipted_size
from tests.rig.packs import lake
from tests.rig.world import World


def watched(world: World) -> dict[str, tuple[int, str | None]]:
    centre = world.centres["ash"]
    receipted = {party: receipted_size(centre, party) for party in world.centres}
    return {w.party: (w.undelivered, w.since) for w in watch_list(centre.record, "ash", receipted)}


def test_every_entry_that_a_counterpart_has_not_receipted_is_on_the_list_with_its_age() -> None:
    world = World(lake(("ash", "birch", "cedar")))
    assert watched(world) == {"birch": (0, None), "cedar": (0, None)}
    first = world.say("ash", "note", {"text": "one"})
    world.say("ash", "note", {"text": "two"})
    world.deliver("ash", "cedar")
    assert first.frame is not None
    assert watched(world) == {"birch": (2, first.frame.released_at), "cedar": (0, None)}
