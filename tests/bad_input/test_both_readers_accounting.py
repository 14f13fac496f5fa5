# SPDX-License-Identifier: Apache-2.0
"""Odd things said of discrepancies, seals, sites, books and shipments: both readers come to the same verdict."""

from __future__ import annotations

from typing import Any

import pytest

from servanda.operations.bundles import export_bundle
from tests.dossier.forgery import pins_of, verdicts
from tests.rig.depot import depot_world
from tests.rig.pen import insert, leaf_by_hand, refer
from tests.rig.world import World, held, row

Content = dict[str, Any]
KEYED = {"keys": ["short:ash/3:ash/3/0"], "reason": "theft", "words": "w"}
SEAL = {"lot": "ash/3/0", "seal": "1", "action": "applied"}
BOOK = {"kind": "cargo", "place": "store", "standing": "counted", "quantity": {"basis": "not-stated", "unit": "g"}}
CLEAR = {"lots": [held("ash/3/0", 5)], "method": "fire", "place": "works", "evidence": [], "residue": []}
SHIP = {"carrier": "c", "expected": "2014-02-01", "seals": []}


def keyed(**change: Any) -> Content:
    return {**KEYED, **change}


# name: (format, content); all by ash, whose entry 3 has declared 5 grams of cargo
SAID: dict[str, tuple[str, Content]] = {
    "no keys": ("attempt", keyed(keys=[])),
    "1,001 keys": ("attempt", keyed(keys=KEYED["keys"] * 1001)),
    "a key without entry": ("attempt", keyed(keys=["short"])),
    "a key with a leading zero": ("attempt", keyed(keys=["short:ash/03"])),
    "a key with a line break": ("attempt", keyed(keys=["short:ash/3\n"])),
    "a key of two slashes": ("attempt", keyed(keys=["a/b/c:ash/3"])),
    "a key whose code is long": ("attempt", keyed(keys=["a" * 33 + ":ash/3"])),
    "a key in capitals": ("attempt", keyed(keys=["SHORT:ash/3"])),
    "a key of digits of another script": ("attempt", keyed(keys=["short:ash/٣"])),
    "a key with half a lot": ("attempt", keyed(keys=["short:ash/3:ash/3"])),
    "no reason": ("attempt", {k: v for k, v in KEYED.items() if k != "reason"}),
    "a reason that is no id": ("attempt", keyed(reason="Theft!")),
    "no words": ("rejoin", keyed(words="")),
    "4,001 words": ("rejoin", keyed(words="x" * 4001)),
    "a closing of nothing": ("conclude", keyed(keys=[])),
    "a question to nobody": ("query", {"owner": "", "reason": "theft", "subject": "s", "words": "w"}),
    "a question without subject": ("query", {"owner": "birch", "reason": "theft", "subject": "", "words": "w"}),
    "a seal that expires on no day": ("fasten", {**SEAL, "expires": "2014-02-30"}),
    "a seal that expires in the year 0": ("fasten", {**SEAL, "expires": "0000-01-01"}),
    "a seal that expires some time": ("fasten", {**SEAL, "expires": "soon"}),
    "a seal of a kind that is no id": ("fasten", {**SEAL, "kind": "Wire!"}),
    "a seal of a kind that the pack has not": ("fasten", {**SEAL, "kind": "glue"}),
    "a look at nothing": ("look", {"by": "x", "checks": []}),
    "a look by nobody": ("look", {"by": "", "checks": [{"seal": "1", "result": "intact"}]}),
    "a look with another result": ("look", {"by": "x", "checks": [{"seal": "1", "result": "fine"}]}),
    "a stay of nothing": ("stay", {"seals": []}),
    "a stay until no day": ("stay", {"seals": ["1"], "until": "2014-02-30"}),
    "a stay without end": ("stay", {"seals": ["1"]}),
    "a shipment expected on no day": ("ship", {**SHIP, "expected": "2014-02-30"}),
    "a shipment by nobody": ("ship", {**SHIP, "carrier": ""}),
    "a shipment with an empty seal": ("ship", {**SHIP, "seals": [""]}),
    "a recount of nothing": ("recount", {"counts": []}),
    "a recount of no lot's name": ("recount", {"counts": [held("cargo", 5)]}),
    "a recount for no reason": ("recount", {"counts": [held("ash/3/0", 5)], "reason": ""}),
    "access that is ajar": ("gate", {"place": "store", "state": "ajar", "reason": "r"}),
    "access to nowhere": ("gate", {"place": "", "state": "open", "reason": "r"}),
    "access without reason": ("gate", {"place": "store", "state": "open", "reason": ""}),
    "a book of nothing": ("book", {"of": "ash", "rows": []}),
    "a book with another standing": ("book", {"of": "ash", "rows": [{**BOOK, "standing": "lent"}]}),
    "a book of somebody badly named": ("book", {"of": "Ash", "rows": [BOOK]}),
    "an identity with both": ("clear", {**CLEAR, "identity": [{"lot": "ash/3/0", "serial": "1", "finding": "ash/3"}]}),
    "an identity with neither": ("clear", {**CLEAR, "identity": [{"lot": "ash/3/0"}]}),
    "an identity with an empty serial": ("clear", {**CLEAR, "identity": [{"lot": "ash/3/0", "serial": ""}]}),
    "an identity by an entry of no number": ("clear", {**CLEAR, "identity": [{"lot": "ash/3/0", "finding": "ash/0"}]}),
    "an identity by a later entry": ("clear", {**CLEAR, "identity": [{"lot": "ash/3/0", "finding": "ash/4"}]}),
    "an empty list of identities": ("clear", {**CLEAR, "identity": []}),
    "a method that the pack has not": ("clear", {**CLEAR, "method": "prayer"}),
    "a destruction that offers more than there is": ("clear", {**CLEAR, "lots": [held("ash/3/0", 6)], "method": "x"}),
    "a destruction of one lot twice": ("clear", {**CLEAR, "lots": [held("ash/3/0", 5)] * 2, "method": "x"}),
}  # fmt: skip


@pytest.fixture
def world() -> World:
    found = depot_world()
    found.say("ash", "declare", {"lots": [row(5)]})
    found.sync()
    return found


def agreed(world: World) -> list[tuple[str, str]]:
    found = verdicts(export_bundle(world.centres["birch"], "dossier", "2026-01-04T00:00:00Z"), pins_of(world))
    assert (found.ours, found.alone) == ("", "")
    assert found.report is not None
    ours = [(item["entry"], item["code"]) for item in found.report.inadmissible]
    assert ours == [(item["entry"], item["code"]) for item in found.shown["inadmissible"]]
    return ours


@pytest.mark.parametrize("name", SAID, ids=str)
def test_is_read_alike_when_said(name: str, world: World) -> None:
    form, content = SAID[name]
    ash = world.centres["ash"]
    act = world.pack.formats[form, 1].act
    named = ["birch", "cedar", "dune"] if form == "clear" else ["birch"]
    members = {"named": named} if act == "offer" else {}
    entry = insert(ash, leaf_by_hand(ash, format=form, act=act, content=content, **members))
    assert entry is not None
    world.sync()
    assert {place for place, _ in agreed(world)} <= {str(entry.place)}


REASONS: dict[str, Content] = {
    "in part, without reason": {"extent": "part"},
    "in part, for a reason of its own": {"extent": "part", "reason": "mood"},
    "in part, for no id": {"extent": "part", "reason": "Mood!"},
    "in part, for a reason": {"extent": "part", "reason": "theft"},
    "in full, for a reason": {"extent": "full", "received": [], "reason": "theft"},
}


@pytest.mark.parametrize("name", REASONS, ids=str)
def test_an_acceptance_and_its_reason_are_read_alike(name: str, world: World) -> None:
    content = {"lots": [held("ash/3/0", 5)], "receiver": "birch", "place": "store"}
    offer = world.say("ash", "handover", content, named=("birch",))
    world.sync()
    birch = world.centres["birch"]
    answer = {"condition": None, "received": [held("ash/3/0", 4)]} | REASONS[name]
    entry = insert(birch, leaf_by_hand(birch, format="accept", act="accept", content=answer, refers_to=[refer(offer)]))
    assert entry is not None
    world.sync()
    assert bool(agreed(world)) == (not entry.admissible)
    assert entry.admissible == (name == "in part, for a reason")
