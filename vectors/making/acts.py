# SPDX-License-Identifier: Apache-2.0
"""Cases of steps 7 to 9: pack, content, and what each act asks of the past."""

from __future__ import annotations

import hashlib
from typing import Any

from making.case import Cases
from making.packs import pack
from making.records import FULL, THREE, YES, add_record, talk, text
from making.world import World
from servanda.proof.sealing import disclose, seal


def misfits(cases: Cases) -> None:
    """Step 7: pack, format, act, release, sender, addressee."""
    world = talk(("note", "alert", "bulletin", "question"))
    world.say("ash", "note", text("Without a pack."), pack=None)
    world.say("ash", "note", text("By another pack."), pack="00" * 32)
    world.say("ash", "adopt", {"pack": world.agreement}, pack=world.agreement)
    world.say("ash", "rumour", text("A format that there is not."))
    world.say("ash", "note", text("A version that there is not."), format_version=2)
    world.say("ash", "citation", {}, format_version=2)
    world.say("ash", "note", text("Another act."), act="answer")
    keys = world.journals["ash"].keys
    world.say("ash", "note", text("By one officer."), author="duty", releaser=None, signers=[keys.officers["duty"]])
    world.say("ash", "note", text("By the centre."), author="centre", releaser=None, signers=[keys.centre])
    world.say("ash", "alert", text("By two officers."), author="desk", releaser="chief")
    world.say("birch", "bulletin", text("Which ash alone may send."))
    world.say("ash", "note", text("To a stranger."), to=["oak"])
    world.say("ash", "bulletin", text("Which ash may send."), to=["birch"])
    add_record(
        cases,
        "step-7",
        "Packs, formats, acts, releases, senders and addressees that are not those of the pack.",
        world,
        "#step 7",
    )
    world = World(pack(), adopted=False)
    world.say("ash", "note", text("Before any pack is in force."))
    world.say("ash", "citation", {})
    world.say("ash", "adopt", {"pack": world.agreement})
    world.say("ash", "note", text("Before birch has adopted it."))
    world.say("birch", "adopt", {"pack": world.agreement}, to=["ash", "oak"])
    add_record(cases, "before-the-pack", "Entries that need a pack while none is in force.", world, "pack#In force")


def contents(cases: Cases) -> None:
    """Step 8: the content, and what a reveal opens."""
    world = talk(("note", "report", "declare"))
    row: dict[str, Any] = {"kind": "cargo", "place": "store", "quantity": {"basis": "not-stated", "unit": "g"}}
    misfits: list[dict[str, Any]] = [{}, {"text": 1}, {"text": "", "more": ""}, {"_sd": []}, {"_sd": ["short"]}]
    for content in misfits:
        world.say("ash", "note", content)
    full = {"extent": "full", "obligation": "FIXED"}
    for performs in (
        [],
        [{**full, "extent": "some"}],
        [{**full, "done": 1, "of": 2}],
        [{**full, "extent": "part", "done": 2, "of": 1}],
    ):
        world.say("ash", "report", {"text": "", "performs": performs})
    quantities: list[dict[str, Any]] = [
        {"basis": "stated", "unit": "g"},
        {"amount": -1, "basis": "stated", "unit": "g"},
        {"amount": 1, "basis": "not-stated", "unit": "g"},
    ]
    for quantity in quantities:
        world.say("ash", "declare", {"lots": [{**row, "quantity": quantity}]})
    world.say("ash", "declare", {"lots": []})
    world.say("ash", "citation", {"text": ""})
    world.say("ash", "declare", {"lots": [row]})
    add_record(cases, "step-8", "Contents that do not fit their format, or the shape of its effect.", world, "#step 8")
    world = talk(("note",))
    sealed, openings = seal(text("The raft leaks."), {"text": hashlib.sha256(b"raft").digest()})
    note = world.say("ash", "note", sealed)
    other = disclose(hashlib.sha256(b"other").digest(), "text", "The raft floats.")
    world.say("ash", "reveal", {"disclosures": [other]}, refers=[note])
    world.say("birch", "reveal", {"disclosures": openings}, refers=[note])
    world.say("ash", "reveal", {"disclosures": openings})
    add_record(cases, "reveal", "Openings that answer to no digest, of another's entry, of none.", world, "#step 8")


def tables(cases: Cases) -> None:
    """Step 9: who says that it holds the rows of a table."""
    world = World(pack(("ash", "birch"), formats=("list", "note")))
    root = hashlib.sha256(b"").hexdigest()
    table = {"root": root, "rows": 0, "secret": None, "servanda-table": 1}
    listed = world.say("ash", "list", {"table": table})
    note = world.say("ash", "note", text("No table."))
    world.say("birch", "held", {}, refers=[listed])
    world.say("ash", "held", {}, refers=[listed, listed])
    world.say("birch", "held", {})
    world.say("birch", "held", {}, refers=[listed, note])
    world.say("birch", "held", {"root": root}, refers=[listed])
    corrected = world.say("ash", "correct", {"content": {"table": table}, "reason": "Again."}, refers=[listed])
    world.say("birch", "held", {}, refers=[corrected])
    add_record(cases, "step-9-held", "Tables that are held, and what is no table.", world, "#step 9")


def offers(cases: Cases) -> None:
    """Step 9: offers, and their threads."""
    world = talk(("proposal", "treaty", "question"), THREE)
    world.say("ash", "proposal", text("To nobody."), named=[])
    world.say("ash", "proposal", text("To itself."), named=["ash", "birch"])
    world.say("ash", "treaty", text("Without its witness."), named=["birch"])
    first = world.say("ash", "proposal", text("To birch."), named=["birch"])
    other = world.say("ash", "question", text("Not an offer."))
    world.say("cedar", "proposal", text("Not a member."), named=["ash", "birch"], thread=first)
    world.say("birch", "proposal", text("To more than the members."), named=["ash", "cedar"], thread=first)
    world.say("birch", "treaty", text("Another format."), named=["ash", "cedar"], thread=first)
    world.say("birch", "proposal", text("In no thread."), named=["ash"], thread=other)
    second = world.say("birch", "proposal", text("In the thread."), named=["ash"], thread=first)
    world.say("ash", "proposal", text("Not the first of the thread."), named=["birch"], thread=second)
    world.say("ash", "treaty", text("With its witness."), named=["birch", "cedar"])
    add_record(
        cases,
        "step-9-offer",
        "Offers to nobody, to oneself, and in threads where they do not belong.",
        world,
        "settlement#Offer",
    )


def answers(cases: Cases) -> None:
    """Step 9: acceptances, refusals, conditions."""
    world = talk(("proposal", "question", "handover", "declare"), THREE)
    first = world.say("ash", "proposal", text("To birch."), named=["birch"])
    world.say("cedar", "accept", FULL, refers=[first])
    world.say("ash", "accept", FULL, refers=[first])
    world.say("birch", "accept", FULL)
    second = world.say("ash", "proposal", text("A better one."), named=["birch"], thread=first)
    world.say("birch", "accept", FULL, refers=[first])
    world.say("birch", "accept", {**FULL, "extent": "part"}, refers=[second])
    world.say("birch", "accept", {**FULL, "condition": {"confirmer": "oak", "text": "if"}}, refers=[second])
    accepted = world.say(
        "birch", "accept", {**FULL, "condition": {"confirmer": "cedar", "text": "if"}}, refers=[second]
    )
    world.say("birch", "accept", FULL, refers=[second])
    world.say("birch", "refuse", {"reason": "after all not"}, refers=[second])
    world.say("birch", "condition", {"outcome": "confirmed"}, refers=[accepted])
    world.say("cedar", "condition", {"outcome": "confirmed"}, refers=[second])
    world.say("cedar", "condition", {"outcome": "confirmed"}, refers=[accepted])
    world.say("cedar", "condition", {"outcome": "failed"}, refers=[accepted])
    third = world.say("ash", "proposal", text("To cedar."), named=["cedar"])
    world.say("birch", "refuse", {"reason": "not asked"}, refers=[third])
    world.say("cedar", "refuse", {"reason": "no"}, refers=[third])
    world.say("cedar", "accept", FULL, refers=[third])
    add_record(
        cases,
        "step-9-answers",
        "Acceptances, refusals and conditions by the wrong party, of the wrong entry, or a second time.",
        world,
        "settlement#Accept",
    )
    world = talk(("handover", "declare"))
    lot = {"basis": "stated", "amount": 10, "unit": "g"}
    world.say("ash", "declare", {"lots": [{"kind": "cargo", "place": "store", "quantity": lot}]})
    offer = {"lots": [{"lot": "ash/3/0", "quantity": lot}], "place": "harbour", "receiver": "birch"}
    given = world.say("ash", "handover", offer, named=["birch"])
    part = {"condition": None, "extent": "part"}
    for received in (
        [],
        [{"lot": "ash/3/1", "quantity": lot}],
        [{"lot": "ash/3/0", "quantity": {**lot, "amount": 11}}],
        [{"lot": "ash/3/0", "quantity": {**lot, "unit": "piece"}}],
        [{"lot": "ash/3/0", "quantity": {"basis": "not-stated", "unit": "g"}}],
    ):
        world.say("birch", "accept", {**part, "received": received}, refers=[given])
    world.say("birch", "accept", {**FULL, "received": offer["lots"]}, refers=[given])
    world.say("birch", "accept", {**FULL, "condition": {"confirmer": "ash", "text": "if"}}, refers=[given])
    world.say(
        "birch", "accept", {**part, "received": [{"lot": "ash/3/0", "quantity": {**lot, "amount": 9}}]}, refers=[given]
    )
    add_record(
        cases, "step-9-part", "Acceptances in part that do not list what was offered.", world, "settlement#Accept"
    )


def corrections(cases: Cases) -> None:
    """Step 9: corrections and acknowledgements."""
    world = talk(("note", "proposal", "question"))
    note = world.say("ash", "note", text("A note."))
    offer = world.say("ash", "proposal", text("An offer."), named=["birch"])
    content: dict[str, Any] = {"content": text("Better."), "reason": "a slip"}
    world.say("birch", "correct", content, refers=[note])
    world.say("ash", "correct", content)
    world.say("ash", "correct", content, refers=[offer])
    world.say("ash", "correct", {**content, "content": {}}, refers=[note])
    world.say("ash", "correct", content, refers=["ash/2"])
    right = world.say("ash", "correct", content, refers=[note])
    world.say("ash", "correct", content, refers=[right])
    world.say("ash", "acknowledge", YES)
    world.say("ash", "acknowledge", YES, refers=[note])
    world.say("birch", "acknowledge", YES, refers=["birch/2", note])
    world.say("birch", "acknowledge", YES, refers=[note])
    add_record(
        cases,
        "step-9-correct",
        "Corrections of what is not corrected, acknowledgements of one's own.",
        world,
        "settlement#Correct",
    )
