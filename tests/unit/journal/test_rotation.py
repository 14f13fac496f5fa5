# SPDX-License-Identifier: Apache-2.0
"""Every key of a party changes: what was signed before still holds, what is signed after needs the new keys."""

from __future__ import annotations

from typing import Any

import pytest

from servanda.journal.audit import audit_record
from servanda.operations import door
from servanda.operations.bundles import export_bundle, import_bundle
from servanda.operations.centre import Centre
from servanda.operations.door import CentreDoor
from servanda.operations.drafting import release_draft, submit_draft, write_draft
from servanda.operations.errors import Refusal, Stopped
from servanda.operations.founding import identity_content, state_identity
from servanda.operations.receipts import receipted_size
from servanda.operations.receiving import receive
from servanda.storage.memory.store import MemoryStore
from tests.rig.pen import push_by_hand
from tests.rig.replica import documents, rebuilt
from tests.rig.world import World, held, roots_of, row, signers_of, three

ROLES = {"desk-2": ("author",), "chief-2": ("release",), "duty": ("watch",)}
FULL: dict[str, Any] = {"extent": "full", "received": [], "condition": None}


@pytest.fixture
def world() -> World:
    return three()


def rotate(world: World, party: str) -> None:
    """New root, centre, receipt and officers' keys, under two of the old roots and two of the new."""
    centre = world.centres[party]
    fresh = signers_of(party, "2")
    officers = {name: fresh.officers[name.removesuffix("-2")] for name in ROLES}
    centre.signers = fresh._replace(officers=officers)
    content = identity_content(centre.signers, roots_of(party, "2"), 2, ROLES, {"en": party})
    state_identity(centre, content, [*roots_of(party)[:2], *roots_of(party, "2")[1:]])


def say_as_new(world: World, party: str, form: str, content: dict[str, Any], **members: Any) -> str:
    centre = world.centres[party]
    identifier = write_draft(centre, world.draft(form, content, author="desk-2", **members))
    submit_draft(centre, identifier)
    return str(release_draft(centre, identifier, "chief-2").place)


def test_a_handover_goes_through_while_everybody_changes_keys(world: World) -> None:
    lot = f"{world.say('ash', 'declare', {'lots': [row(10)]}).place}/0"
    content = {"lots": [held(lot, 10)], "receiver": "birch", "place": "harbour"}
    offer = world.say("ash", "handover", content, named=["birch"])
    world.sync()
    for party in ("ash", "birch", "cedar"):
        rotate(world, party)
        world.sync()
    say_as_new(world, "birch", "accept", FULL, refers_to=[offer.place])
    world.sync()
    for centre in world.centres.values():
        assert {entry.code for entry in centre.record.log} == {None}
        assert centre.record.effective(centre.record.threads.offers[offer.place], centre.record.whole)
        assert audit_record(centre.record, centre.store.leaves, centre.store.checkpoint) == []
        assert documents(centre) == rebuilt(centre).documents()


def test_officers_who_are_no_longer_stated_are_retired(world: World) -> None:
    rotate(world, "ash")
    with pytest.raises(Refusal) as refused:
        world.say("ash", "note", {"text": "by an old hand"})
    assert refused.value.code == "unknown-key"
    assert say_as_new(world, "ash", "note", {"text": "by a new one"})


def test_a_centre_that_is_opened_with_the_old_keys_releases_nothing(world: World) -> None:
    rotate(world, "ash")
    ash = world.centres["ash"]
    old = Centre("ash", world.pack, ash.store, signers_of("ash"), world.clock)
    old.signers = old.signers._replace(officers=ash.signers.officers)
    identifier = write_draft(old, world.draft("note", {"text": "x"}, author="desk-2"))
    submit_draft(old, identifier)
    with pytest.raises(Stopped) as stopped:
        release_draft(old, identifier, "chief-2")
    assert stopped.value.code == "wrong-key"


def test_the_new_key_signs_no_checkpoint_of_a_size_before_it_was_stated(world: World) -> None:
    ash = world.centres["ash"]
    rotate(world, "ash")
    leaves = ash.store.leaves("ash", 1, ash.journal.size - 1)
    fresh = Centre("birch", world.pack, MemoryStore(), signers_of("birch"), world.clock)
    with pytest.raises(Refusal) as refused:
        receive(fresh, push_by_hand(ash.journal.origin, leaves, ash.signers.centre), "ash")
    assert refused.value.code == "checkpoint"
    receive(fresh, push_by_hand(ash.journal.origin, leaves, signers_of("ash").centre), "ash")


def test_what_is_held_already_may_be_shown_again_under_the_old_key(world: World) -> None:
    ash, birch = world.centres["ash"], world.centres["birch"]
    old = push_by_hand(ash.journal.origin, ash.store.leaves("ash", 1, 99), ash.signers.centre)
    rotate(world, "ash")
    world.sync()
    assert receive(birch, old, "ash").reply.size == ash.journal.size


def test_a_courier_who_was_long_on_the_way_brings_nothing_new_and_breaks_nothing(world: World) -> None:
    stick = export_bundle(world.centres["cedar"], "courier")
    rotate(world, "ash")
    world.say("birch", "note", {"text": "x"})
    world.sync()
    assert import_bundle(world.centres["birch"], stick).entries == {"ash": 0, "cedar": 0}


def test_a_reader_far_behind_a_rotation_catches_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "LEAVES_MAX", 2)
    for number in range(5):
        world.say("ash", "note", {"text": str(number)})
    rotate(world, "ash")
    for number in range(5):
        say_as_new(world, "ash", "note", {"text": str(number)})
    birch, ash = world.centres["birch"], CentreDoor(world.centres["ash"], lambda: None)
    state = birch.record.journals["ash"]
    while state.size < world.centres["ash"].journal.size:
        push = ash.pull("birch", "ash", state.size + 1, 1000)
        assert push.leaves
        receive(birch, push, limits=False)
    assert {entry.code for entry in state.entries} == {None}


def test_receipts_by_a_key_that_is_retired_by_now_can_still_be_cited(world: World) -> None:
    ash = world.centres["ash"]
    world.say("ash", "note", {"text": "x"})
    world.deliver("ash", "cedar")
    assert receipted_size(ash, "cedar") == ash.journal.size
    rotate(world, "cedar")
    world.deliver("cedar", "ash")
    frame = world.say("ash", "note", {"text": "cites it"}).frame
    assert frame is not None
    assert [receipt.by for receipt in frame.receipts] == ["cedar"]


def test_receipts_by_a_retired_key_are_not_taken_any_more(world: World) -> None:
    ash, cedar = world.centres["ash"], world.centres["cedar"]
    rotate(world, "cedar")
    world.deliver("cedar", "ash")
    cedar.signers = cedar.signers._replace(receipt=signers_of("cedar").receipt)
    before = receipted_size(ash, "cedar")
    world.say("ash", "note", {"text": "x"})
    world.deliver("ash", "cedar")
    assert receipted_size(ash, "cedar") == before
