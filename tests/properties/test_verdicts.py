# SPDX-License-Identifier: Apache-2.0
"""Whatever lies under a valid checkpoint is stored, numbered and shown, with the same verdict at every centre."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from servanda.operations.centre import Centre
from tests.rig.faulty import FAULTS, scene
from tests.rig.pen import insert
from tests.rig.replica import Replica, documents, in_order, leaves_of, rebuilt
from tests.rig.world import row

CASES = [(code, fault) for code, faults in FAULTS.items() for fault in faults]
WRITTEN = st.lists(
    st.one_of(st.sampled_from(CASES), st.sampled_from(["note", "declare", "birch", "cedar"])), max_size=8
)


def verdicts(centre: Centre) -> dict[str, list[str]]:
    return {party: [e.code or "" for e in state.entries] for party, state in centre.record.journals.items()}


@settings(max_examples=25)
@given(WRITTEN, st.randoms(use_true_random=False))
def test_every_centre_comes_to_the_same_verdict_in_every_order_of_arrival(
    written: list[tuple[str, str] | str], random: Random
) -> None:
    there = scene()
    world, ash = there.world, there.ash
    begun = ash.journal.size
    for what in written:
        match what:
            case "note":
                world.say("ash", "note", {"text": "x"})
            case "declare":
                world.say("ash", "declare", {"lots": [row(1)]})
            case "birch" | "cedar":
                world.say(what, "note", {"text": "x"})
                world.deliver(what, "ash")
            case (code, fault):
                insert(ash, FAULTS[code][fault](there))
    world.sync()
    leaves = leaves_of(ash)
    expected = verdicts(ash)
    assert (
        len(expected["ash"])
        == len(leaves["ash"])
        == ash.journal.size
        >= begun + sum(w not in ("birch", "cedar") for w in written)
    )
    for centre in world.centres.values():
        assert leaves_of(centre) == leaves
        assert verdicts(centre) == expected
        assert all(entry.reason for entry in centre.record.log if not entry.admissible)
        assert documents(centre) == rebuilt(ash).documents()
    order = [party for party, held in leaves.items() for _ in held]
    random.shuffle(order)
    shuffled: Replica = in_order([world.pack], leaves, order)
    assert shuffled.verdicts() == expected
    assert shuffled.documents() == documents(ash)


@settings(max_examples=15)
@given(st.lists(st.sampled_from(CASES), min_size=1, max_size=4))
def test_without_the_inadmissible_entries_the_registers_would_be_the_same(faults: list[tuple[str, str]]) -> None:
    there = scene()
    before = documents(there.ash)
    # An entry that fails step 6 or later moves the effective heads; what must not be covered yet therefore goes first.
    for code, fault in sorted(faults, key=lambda case: case != ("reference", "an entry that it does not cover")):
        entry = insert(there.ash, FAULTS[code][fault](there))
        assert entry is not None
        assert not entry.admissible
    assert documents(there.ash) == before
