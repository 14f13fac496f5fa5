# SPDX-License-Identifier: Apache-2.0
"""Amounts at the edge: whatever a party declares, everybody else can still compute and export."""

from __future__ import annotations

import pytest

from servanda.operations.bundles import export_bundle, import_bundle
from servanda.operations.desk import dispatch
from servanda.operations.errors import Refusal
from servanda.operations.founding import fingerprint
from servanda.operations.verifying import verify_bundle
from servanda.storage.memory.store import MemoryStore
from tests.rig.packs import lake
from tests.rig.world import SteppedClock, World, found, row

MOST = 2**53 - 1


def test_a_sum_beyond_what_json_can_say_is_null_and_stops_nobody() -> None:
    world = World(lake())
    world.say("ash", "declare", {"lots": [row(MOST), row(MOST)]})
    world.sync()
    birch = world.centres["birch"]
    (account,) = dispatch(birch, {"command": "accounting"})["accounts"]
    assert (account["account"], account["stated"], account["derived"]) == ("held/ash", None, 0)
    bundle = export_bundle(birch, "dossier")
    assert verify_bundle(bundle, {party: fingerprint(birch, party) or "" for party in world.centres}).verified


def test_a_merge_back_to_the_greatest_amount_stands() -> None:
    world = World(lake())
    entry = world.say("ash", "declare", {"lots": [row(MOST)]})
    world.say("ash", "split", {"lot": f"{entry.place}/0", "parts": [row(MOST - 5)]})
    merged = world.say("ash", "merge", {"lots": [f"{entry.place}/0", "ash/4/0"], "kind": "cargo", "place": "store"})
    assert merged.admissible


def test_an_entry_of_no_party_is_refused_in_words() -> None:
    world = World(lake())
    for text in ("ash/²", "ash/" + "9" * 5000, "ash", "", "ash/0"):
        with pytest.raises(Refusal) as refused:
            dispatch(world.centres["ash"], {"command": "show", "entry": text})
        assert refused.value.code == "reference"


def test_a_bundle_does_not_introduce_a_party_that_has_not_been_met() -> None:
    world = World(lake())
    alone = found("ash", lake(), MemoryStore(), SteppedClock())
    imported = import_bundle(alone, export_bundle(world.centres["birch"], "courier"))
    assert imported.unmet == ["birch"]
    assert alone.record.journals["birch"].size == 0
