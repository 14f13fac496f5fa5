# SPDX-License-Identifier: Apache-2.0
"""Odd things that a party may well sign: whatever they are worth, both readers must come to the same verdict.

If they did not, one hostile entry would make every honest dossier fail in one of the two.
"""

from __future__ import annotations

from typing import Any

import pytest

from servanda.operations.bundles import export_bundle
from tests.dossier.forgery import PARTIES, pins_of, verdicts
from tests.rig.packs import lake
from tests.rig.pen import frame_value, insert, leaf_by_hand, refer, seal_by_hand
from tests.rig.world import World, grams, held, row

Content = dict[str, Any]
DIGEST = "A" * 43
BOAT = {"kind": "boat", "place": "store", "quantity": {"amount": 1, "basis": "stated", "unit": "piece"}}
DESTROY = {"lots": [held("ash/3/0", 5)], "method": "fire", "place": "store", "evidence": [], "residue": []}
HANDOVER = {"lots": [held("ash/3/0", 5)], "receiver": "birch", "place": "store"}
FULL = {"condition": None, "extent": "full", "received": []}
FIGURE = {"as-of": "2014", "basis": "b", "grade": "g", "source": "s", "subject": "x", "unit": "g"}


def lots(**change: Any) -> Content:
    return {"lots": [{**row(5), **change}]}


def quantity(**members: Any) -> Content:
    return lots(quantity=members)


def performs(**members: Any) -> Content:
    return {"text": "x", "performs": [{"extent": "full", "obligation": "FIXED", **members}]}


def figure(**members: Any) -> Content:
    return {"figures": [{**FIGURE, **members}]}


# name: (format, content); all by ash, whose entry 3 has declared 5 grams of cargo
SAID: dict[str, tuple[str, Content]] = {
    "a kind that is no id": ("declare", lots(kind="Cargo!")),
    "a kind that the pack has not": ("declare", lots(kind="whales")),
    "no kind": ("declare", lots(kind="")),
    "no place": ("declare", lots(place="")),
    "a place that the pack has not": ("declare", lots(place="moon")),
    "a unit that is no id": ("declare", quantity(basis="not-stated", unit="G")),
    "a unit of another kind": ("declare", quantity(amount=1, basis="stated", unit="piece")),
    "an amount that is not stated": ("declare", quantity(amount=1, basis="not-stated", unit="g")),
    "a stated amount that is none": ("declare", quantity(basis="stated", unit="g")),
    "an unknown basis": ("declare", quantity(amount=1, basis="guessed", unit="g")),
    "a derived amount": ("declare", quantity(amount=1, basis="derived", unit="g")),
    "the largest amount": ("declare", quantity(amount=2**53 - 1, basis="stated", unit="g")),
    "the largest amount twice": ("declare", {"lots": [{**row(5), "quantity": grams(2**53 - 1)}] * 2}),
    "nothing of something": ("declare", quantity(amount=0, basis="stated", unit="g")),
    "no lots": ("declare", {"lots": []}),
    "1,001 lots": ("declare", {"lots": [row(1)] * 1001}),
    "an empty serial": ("declare", {"lots": [{**BOAT, "serial": ""}]}),
    "a serial of 81 characters": ("declare", {"lots": [{**BOAT, "serial": "x" * 81}]}),
    "a serial of 80 characters beyond the first plane": ("declare", {"lots": [{**BOAT, "serial": "\U0001f6a2" * 80}]}),
    "a serial twice": ("declare", {"lots": [{**BOAT, "serial": "x"}] * 2}),
    "something found": ("found", lots()),
    "a split into nothing": ("split", {"lot": "ash/3/0", "parts": []}),
    "a split into too much": ("split", {"lot": "ash/3/0", "parts": [row(6)]}),
    "a split into all": ("split", {"lot": "ash/3/0", "parts": [row(5)]}),
    "a split into zero": ("split", {"lot": "ash/3/0", "parts": [row(0)]}),
    "a split into a broader kind": ("split", {"lot": "ash/3/0", "parts": [row(1, "boat")]}),
    "a split into what is not stated": ("split", {"lot": "ash/3/0", "parts": [row(None, "salt")]}),
    "a merge of one": ("merge", {"lots": ["ash/3/0"], "kind": "cargo", "place": "store"}),
    "a merge of one, twice": ("merge", {"lots": ["ash/3/0", "ash/3/0"], "kind": "cargo", "place": "store"}),
    "a merge with what does not exist": ("merge", {"lots": ["ash/3/0", "ash/3/1"], "kind": "", "place": ""}),
    "a move to nowhere": ("move", {"lot": "ash/3/0", "place": ""}),
    "a move of what does not exist": ("move", {"lot": "ash/3/99999999999999", "place": "store"}),
    "a lot with a leading zero": ("move", {"lot": "ash/03/0", "place": "store"}),
    "a lot of entry 0": ("move", {"lot": "ash/0/0", "place": "store"}),
    "a lot of somebody unknown": ("move", {"lot": "elm/3/0", "place": "store"}),
    "a lot with a line break": ("move", {"lot": "ash/3/0\n", "place": "store"}),
    "a lot of a later entry": ("move", {"lot": "ash/9/0", "place": "store"}),
    "a seal that is none": ("seal", {"lot": "ash/3/0", "seal": "", "action": "applied"}),
    "a seal of an unknown action": ("seal", {"lot": "ash/3/0", "seal": "7", "action": "licked"}),
    "a loss of nothing": ("loss", {"lots": [], "reason": "x"}),
    "a loss without reason": ("loss", {"lots": ["ash/3/0"], "reason": ""}),
    "a loss of 1,001 lots": ("loss", {"lots": [f"ash/3/{n}" for n in range(1001)], "reason": "x"}),
    "a loss of one lot twice": ("loss", {"lots": ["ash/3/0", "ash/3/0"], "reason": "x"}),
    "consumption of nothing": ("consume", {"lots": [], "reason": "x"}),
    "consumption of one lot twice": ("consume", {"lots": ["ash/3/0", "ash/3/0"], "reason": "x"}),
    "destruction of nothing": ("destroy", {**DESTROY, "lots": []}),
    "destruction with 1,001 hashes": ("destroy", {**DESTROY, "evidence": ["0" * 64] * 1001}),
    "destruction with half a hash": ("destroy", {**DESTROY, "evidence": ["0" * 32]}),
    "destruction with 101 residues": ("destroy", {**DESTROY, "residue": [row(1)] * 101}),
    "destruction with a strange residue": ("destroy", {**DESTROY, "residue": [row(1, "Slag!")]}),
    "destruction at no place": ("destroy", {**DESTROY, "place": ""}),
    "a handover to nobody": ("handover", {**HANDOVER, "receiver": ""}),
    "a handover to itself": ("handover", {**HANDOVER, "receiver": "ash"}),
    "a handover to somebody else than it names": ("handover", {**HANDOVER, "receiver": "cedar"}),
    "a handover to nowhere": ("handover", {**HANDOVER, "place": ""}),
    "a handover of less": ("handover", {**HANDOVER, "lots": [held("ash/3/0", 4)]}),
    "a handover of one lot twice": ("handover", {**HANDOVER, "lots": [held("ash/3/0", 5)] * 2}),
    "a resolution of nothing": ("resolve", {"lots": [], "holder": "birch"}),
    "a resolution of what is not disputed": ("resolve", {"lots": [held("ash/3/0", 5)], "holder": "birch"}),
    "a resolution for somebody unknown": ("resolve", {"lots": [held("ash/3/0", 5)], "holder": "elm"}),
    "an extension to no day": ("extend", {"obligation": "FIXED", "due": "2014-02-30"}),
    "an extension to the year 0": ("extend", {"obligation": "FIXED", "due": "0000-01-01"}),
    "an extension of what is not owed": ("extend", {"obligation": "NONE", "due": "2014-02-28"}),
    "an extension of something badly named": ("extend", {"obligation": "Fixed", "due": "2014-02-28"}),
    "a supersession by itself": ("supersede", {"obligation": "FIXED", "by": "FIXED"}),
    "a suspension of nothing": ("suspend", {"obligations": [], "state": "suspended", "reason": "x"}),
    "a suspension of another's duty": ("suspend", {"obligations": ["FIXED"] * 3, "state": "suspended", "reason": "x"}),
    "a performance of nothing": ("report", {"text": "x", "performs": []}),
    "a performance of 51 duties": ("report", {"text": "x", "performs": performs()["performs"] * 51}),
    "a performance in full and in part": ("report", performs(done=1, of=2)),
    "a performance of more than all": ("report", performs(extent="part", done=3, of=2)),
    "a performance of nothing of nothing": ("report", performs(extent="part", done=0, of=0)),
    "a performance of what is not owed": ("report", performs(obligation="NONE")),
    "the same performance twice": ("report", {"text": "x", "performs": performs()["performs"] * 2}),
    "sealed": ("note", {"_sd": [DIGEST]}),
    "sealed beside what is open": ("note", {"_sd": [DIGEST], "text": "x"}),
    "sealed twice": ("note", {"_sd": [DIGEST, DIGEST]}),
    "sealed out of order": ("note", {"_sd": ["B" * 43, DIGEST]}),
    "sealed by nothing": ("note", {"_sd": []}),
    "sealed by something else": ("note", {"_sd": "x", "text": "x"}),
    "sealed by a short digest": ("note", {"_sd": ["A" * 42]}),
    "sealed deep within": ("declare", lots(_sd=[DIGEST])),
    "sealed out of order deep within": ("declare", lots(_sd=["B" * 43, DIGEST])),
    "all lots sealed": ("declare", {"_sd": [DIGEST]}),
    "an empty text": ("note", {"text": ""}),
    "nothing at all": ("note", {}),
    "a text as long as an entry holds": ("note", {"text": "x" * 100_000}),
    "a question": ("question", {"text": "?"}),
    "a contest of nothing": ("contest", {"reason": "x"}),
    "a contest without reason": ("contest", {"reason": ""}),
}  # fmt: skip


@pytest.fixture
def world() -> World:
    found = World(lake(PARTIES))
    found.say("ash", "declare", {"lots": [row(5)]})
    found.sync()
    return found


def agreed(world: World) -> list[tuple[str, str]]:
    """Both readers find nothing wrong in the dossier, and the same entries inadmissible; those, with their codes."""
    found = verdicts(export_bundle(world.centres["birch"], "dossier", "2026-01-04T00:00:00Z"), pins_of(world))
    assert (found.ours, found.alone) == ("", "")
    assert found.report is not None
    ours = [(item["entry"], item["code"]) for item in found.report.inadmissible]
    assert ours == [(item["entry"], item["code"]) for item in found.shown["inadmissible"]]
    assert set(found.report.waiting) == {item["entry"] for item in found.shown["waiting"]} == set()
    return ours


def put(world: World, form: str, content: Content, **members: Any) -> str:
    """An entry by hand into ash's journal, delivered to all; its place."""
    ash = world.centres["ash"]
    act = world.pack.formats[form, 1].act
    if act == "offer":
        members.setdefault("named", ["birch"])
    entry = insert(ash, leaf_by_hand(ash, format=form, act=act, content=content, **members))
    assert entry is not None
    world.sync()
    return str(entry.place)


@pytest.mark.parametrize("name", SAID, ids=str)
def test_is_read_alike_when_said(name: str, world: World) -> None:
    form, content = SAID[name]
    place = put(world, form, content)
    assert {entry for entry, _ in agreed(world)} <= {place}


OFFERED = [
    name for name, (form, _) in SAID.items() if form in ("destroy", "handover", "resolve", "extend", "supersede")
]


@pytest.mark.parametrize("name", OFFERED)
def test_is_read_alike_when_accepted_and_settled(name: str, world: World) -> None:
    form, content = SAID[name]
    put(world, form, content)
    birch = world.centres["birch"]
    (offer,) = [entry for entry in birch.record.journals["ash"].entries if entry.place.number == 4]
    accept = leaf_by_hand(birch, format="accept", act="accept", content=FULL, refers_to=[refer(offer)])
    insert(birch, accept)
    world.sync()
    assert {code for _, code in agreed(world)} <= {"content", "offer", "accept"}


CORRECTABLE = [name for name, (form, _) in SAID.items() if form in ("declare", "note", "report")]


@pytest.mark.parametrize("name", CORRECTABLE, ids=str)
def test_is_read_alike_when_it_corrects(name: str, world: World) -> None:
    form, content = SAID[name]
    sound = {"declare": {"lots": [row(5)]}, "note": {"text": "x"}, "report": performs()}[form]
    first = world.say("ash", form, sound)
    world.sync()
    ash = world.centres["ash"]
    correction = {"content": content, "reason": "x"}
    insert(ash, leaf_by_hand(ash, format="correct", act="correct", content=correction, refers_to=[refer(first)]))
    world.sync()
    assert {code for _, code in agreed(world)} <= {"content", "correct"}


ANSWERS: dict[str, Content] = {
    "in full, with a list": {**FULL, "received": [held("ash/3/0", 5)]},
    "in part, of less": {**FULL, "extent": "part", "received": [held("ash/3/0", 4)]},
    "in part, of all": {**FULL, "extent": "part", "received": [held("ash/3/0", 5)]},
    "in part, of nothing": {**FULL, "extent": "part", "received": [held("ash/3/0", 0)]},
    "in part, of more": {**FULL, "extent": "part", "received": [held("ash/3/0", 6)]},
    "in part, of what is not stated": {**FULL, "extent": "part", "received": [held("ash/3/0", None)]},
    "in part, of no lot": {**FULL, "extent": "part"},
    "in part, of another lot": {**FULL, "extent": "part", "received": [held("ash/3/1", 5)]},
    "in part, of no lot's name": {**FULL, "extent": "part", "received": [held("cargo", 5)]},
    "in part, derived": {
        **FULL,
        "extent": "part",
        "received": [{"lot": "ash/3/0", "quantity": {"amount": 4, "basis": "derived", "unit": "g"}}],
    },
    "in part, in another unit": {
        **FULL,
        "extent": "part",
        "received": [{"lot": "ash/3/0", "quantity": {"amount": 4, "basis": "stated", "unit": "G"}}],
    },
    "in half": {**FULL, "extent": "half"},
    "on condition": {**FULL, "condition": {"confirmer": "cedar", "text": "x"}},
    "on a condition of somebody unknown": {**FULL, "condition": {"confirmer": "elm", "text": "x"}},
    "on a condition without text": {**FULL, "condition": {"confirmer": "cedar", "text": ""}},
    "with a member more": {**FULL, "joy": True},
    "sealed": {**FULL, "_sd": [DIGEST]},
    "sealed alone": {"_sd": [DIGEST]},
}


@pytest.mark.parametrize("form", ["handover", "destroy", "proposal"])
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_read_alike(name: str, form: str, world: World) -> None:
    put(world, form, {"handover": HANDOVER, "destroy": DESTROY, "proposal": {"text": "x"}}[form])
    birch = world.centres["birch"]
    offer = birch.record.journals["ash"].entries[3]
    insert(birch, leaf_by_hand(birch, format="accept", act="accept", content=ANSWERS[name], refers_to=[refer(offer)]))
    world.sync()
    assert {code for _, code in agreed(world)} <= {"content", "accept"}


BUILT_IN: dict[str, tuple[str, str, Content, dict[str, Any]]] = {
    "a refusal without reason": ("refuse", "refuse", {"reason": ""}, {}),
    "a refusal of what was not offered": ("refuse", "refuse", {"reason": "x"}, {}),
    "an acceptance of what was not offered": ("accept", "accept", FULL, {}),
    "a condition of nothing": ("condition", "notify", {"outcome": "confirmed"}, {}),
    "a condition with another outcome": ("condition", "notify", {"outcome": "maybe"}, {}),
    "a branch without a fork": ("branch", "notify", {"root": "0" * 64, "size": 1}, {"pack": None}),
    "a branch by officers": ("branch", "notify", {"root": "0" * 64, "size": 0}, {}),
    "an adoption of nothing": ("adopt", "accept", {"pack": ""}, {"pack": None}),
    "an adoption once more": ("adopt", "accept", {"pack": "this"}, {"pack": None}),
    "an adoption under a pack": ("adopt", "accept", {"pack": "this"}, {}),
    "a citation of nothing": ("citation", "notify", {}, {"author": "centre", "releaser": None}),
    "a citation with content": ("citation", "notify", {"x": 1}, {"author": "centre", "releaser": None}),
    "a citation by officers": ("citation", "notify", {}, {}),
    "an acknowledgement of nothing": (
        "acknowledge",
        "acknowledge",
        {"disposition": "accepted", "reason": ""},
        {"author": "duty", "releaser": None},
    ),
    "an acknowledgement of the own": (
        "acknowledge",
        "acknowledge",
        {"disposition": "accepted", "reason": "x"},
        {"author": "duty", "releaser": None, "refers_to": "own"},
    ),
    "a rejection without reason": (
        "acknowledge",
        "acknowledge",
        {"disposition": "rejected", "reason": ""},
        {"author": "duty", "releaser": None, "refers_to": "others"},
    ),
    "a correction of nothing": ("correct", "correct", {"content": {}, "reason": "x"}, {}),
    "a correction with nothing": ("correct", "correct", {"content": {}, "reason": "x"}, {"refers_to": "own"}),
    "a correction of another's entry": ("correct", "correct", {"content": {}, "reason": "x"}, {"refers_to": "others"}),
    "a revelation of nothing": ("reveal", "reveal", {"disclosures": []}, {"refers_to": "own"}),
    "a revelation of what was not sealed": ("reveal", "reveal", {"disclosures": ["WyJhIl0"]}, {"refers_to": "own"}),
    "a lapse of nothing": ("lapse", "notify", {"reason": "x"}, {}),
    "an identity by officers": ("identity", "notify", {}, {"pack": None}),
}  # fmt: skip


@pytest.mark.parametrize("name", BUILT_IN, ids=str)
def test_a_built_in_entry_is_read_alike(name: str, world: World) -> None:
    form, act, content, members = BUILT_IN[name]
    ash = world.centres["ash"]
    if content.get("pack") == "this":
        content = {"pack": world.pack.digest}
    targets = {"own": ash.journal.entries[2], "others": ash.record.journals["birch"].entries[1]}
    if "refers_to" in members:
        members = {**members, "refers_to": [refer(targets[members["refers_to"]])]}
    insert(ash, leaf_by_hand(ash, format=form, act=act, content=content, **members))
    world.sync()
    agreed(world)


FRAMES: list[dict[str, Any]] = [
    {"subject": "x" * 500},
    {"subject": "x" * 501},
    {"subject": "\U0001f6a2" * 500},
    {"remarks": "x" * 4000},
    {"remarks": "x" * 4001},
    {"language": "e"},
    {"language": "en-GB-oxendict"},
    {"language": "en-"},
    {"event_at": "2014/2013"},
    {"event_at": "2014-01-10T25:00:00Z"},
    {"event_at": "0000"},
    {"event_at": "2014-00"},
    {"event_at": "../.."},
    {"event_at": "2014-01-10T08:00:00Z/.."},
    {"as_stated": {"text": "", "weekday": None}},
    {"as_stated": {"text": "x" * 501, "weekday": None}},
    {"as_stated": {"text": "x", "weekday": "Monday"}},
    {"released_at": "2026-01-01T00:00:00Z"},
    {"released_at": "2026-01-01T00:00:00.0Z"},
    {"released_at": "2026-01-01T23:59:60Z"},
    {"released_at": "0000-01-01T00:00:00Z"},
    {"released_at": "1969-01-01T00:00:00Z"},
    {"exercise_at": "2014-01-01T00:00:00Z"},
    {"status": "exercise", "exercise_at": None},
    {"status": "test"},
    {"to": ["birch", "birch"]},
    {"to": ["cedar", "birch"]},
    {"to": ["elm"]},
    {"named": ["birch"]},
    {"format_version": 0},
    {"format_version": 2},
    {"number": 2**53 - 1},
    {"heads": []},
    {"heads": [{"party": "birch", "root": "0" * 64, "size": 2}]},
    {"heads": [{"party": "ash", "root": "0" * 64, "size": 1}]},
    {"thread": {"leaf": "0" * 64, "number": 1, "party": "birch"}},
    {"refers_to": [{"leaf": "0" * 64, "number": 1, "party": "ash"}] * 257},
    {"author": "root", "releaser": "chief"},
    {"author": "centre"},
    {"version": 0},
    {"version": 2},
    {"version": True},
]


@pytest.mark.parametrize("members", FRAMES, ids=str)
def test_a_frame_is_read_alike(members: dict[str, Any], world: World) -> None:
    ash = world.centres["ash"]
    officers = ash.signers.officers
    insert(ash, seal_by_hand(frame_value(ash, **members), [officers["desk"], officers["chief"]]))
    world.sync()
    agreed(world)
