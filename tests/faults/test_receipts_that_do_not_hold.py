# SPDX-License-Identifier: Apache-2.0
"""A counterpart spoils its own receipts: what we cannot cite any more must not keep us from speaking."""

from __future__ import annotations

from typing import Any

import pytest

from servanda.operations.centre import Signers
from servanda.operations.founding import identity_content
from servanda.proof.keys import key_id
from tests.rig.pen import frame_value, insert, seal_by_hand, write
from tests.rig.world import ROLES, World, held, roots_of, row, signer, three

FULL: dict[str, Any] = {"extent": "full", "received": [], "condition": None}


def rotate_receipt_key(world: World, party: str, released_at: str) -> None:
    """The party states another receipt key, in an entry that it dates as it likes."""
    centre = world.centres[party]
    fresh = signer(party, "fresh", "receipt")
    quantum = signer(party, "fresh", "receipt", algorithm="ml-dsa-44")
    before = centre.signers
    centre.signers = Signers(before.centre, before.centre_mldsa44, fresh, quantum, before.officers)
    content = identity_content(centre.signers, roots_of(party), 2, ROLES, {"en": party})
    value = frame_value(
        centre,
        act="notify",
        author="root",
        content=content,
        format="identity",
        heads=[],
        pack=None,
        receipts=[],
        released_at=released_at,
        releaser=None,
    )
    signing = sorted(roots_of(party)[:2], key=lambda root: key_id(root.public))
    entry = insert(centre, seal_by_hand(value, signing))
    assert entry is None or entry.admissible


def test_a_receipt_by_a_key_that_was_retired_with_an_early_date_is_left_out() -> None:
    world = three("ash", "birch")
    world.say("ash", "note", {"text": "x"})
    world.deliver("ash", "birch")  # ash now holds a receipt by birch that it has not cited
    rotate_receipt_key(world, "birch", "2000-01-01T00:00:00Z")
    world.deliver("birch", "ash")
    entry = world.say("ash", "note", {"text": "still speaking"})
    assert entry.frame is not None
    assert entry.frame.receipts == ()
    world.deliver("ash", "birch")
    cited = world.say("ash", "note", {"text": "and citing the new key"}).frame
    assert cited is not None
    assert [receipt.by for receipt in cited.receipts] == ["birch"]
    world.sync()


def test_a_receipt_by_a_key_that_is_stated_behind_an_entry_that_waits_is_left_out() -> None:
    world = three("ash", "birch")
    nowhere = [{"party": "ash", "root": "00" * 32, "size": 1_000_000}]
    assert write(world.centres["birch"], "note", {"text": "waits for ever"}, heads=nowhere) is None
    rotate_receipt_key(world, "birch", "2026-01-01T00:10:00Z")
    world.say("ash", "note", {"text": "x"})
    world.deliver("birch", "ash")
    world.deliver("ash", "birch")
    entry = world.say("ash", "note", {"text": "still speaking"})
    assert entry.frame is not None
    assert entry.frame.receipts == ()


@pytest.mark.parametrize("spoiled", [False, True], ids=["good", "spoiled"])
def test_no_citation_is_released_over_and_over_for_receipts_that_cannot_be_cited(spoiled: bool) -> None:
    world = three()
    lot = f"{world.say('ash', 'declare', {'lots': [row(10)]}).place}/0"
    world.sync()
    content = {"lots": [held(lot, 10)], "receiver": "birch", "place": "harbour"}
    offer = world.say("ash", "handover", content, named=["birch"])
    world.deliver("ash", "cedar")
    world.deliver("ash", "birch")
    world.say("birch", "accept", FULL, refers_to=[offer.place])
    if spoiled:
        rotate_receipt_key(world, "cedar", "2000-01-01T00:00:00Z")
        world.deliver("cedar", "ash")
    before = world.centres["ash"].journal.size
    world.sync()
    assert world.centres["ash"].journal.size == before + (not spoiled)
    world.say("ash", "note", {"text": "brings a new receipt by cedar"})
    world.sync()
    record = world.centres["ash"].record
    assert record.effective(record.threads.offers[offer.place], record.whole)
