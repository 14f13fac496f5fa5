# SPDX-License-Identifier: Apache-2.0
"""Cases of small records, with the verdict on each of their entries: all steps of the way in which one is judged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from making import acts
from making.case import Case, Cases
from making.keys import ed25519, keys_of, text_of
from making.packs import pack
from making.records import FULL, THREE, YES, add_record, talk, text
from making.world import World, envelope, identity_content
from servanda.proof.canonical import encode
from servanda.proof.envelope import MANIFEST_TYPE
from servanda.proof.sealing import seal


def _settled() -> World:
    world = talk()
    world.say("ash", "note", text("It has seen all. Heads of entries that do not hold do not count."))
    return world


def _founding(cases: Cases) -> None:
    world = talk()
    note = world.say("ash", "note", text("All is quiet."), to=["birch"])
    world.say("birch", "acknowledge", YES, refers=[note])
    world.say("ash", "alert", text("A light on the lake."), precedence="flash")
    world.say("birch", "note", text("Seen."), cite=["ash"])
    world.say("ash", "citation", {}, cite=["birch"])
    add_record(
        cases,
        "conversation",
        "Two parties meet, adopt their pack, and talk; both cite receipts.",
        world,
        "#",
        good=True,
    )
    world = World(pack(), adopted=False)
    world.online = False
    world.say("ash", "adopt", {"pack": world.agreement})
    world.say("birch", "adopt", {"pack": world.agreement})
    world.hold("ash", "birch")
    world.say("ash", "note", text("In force for me."))
    world.hold("birch", "ash", 2)
    world.say("birch", "note", text("And for me."))
    add_record(
        cases,
        "in-force",
        "The pack is in force for each party as soon as its past has both adoptions.",
        world,
        "pack#In force",
        good=True,
    )


def _acts(cases: Cases) -> None:
    world = talk(("note", "question", "reply", "proposal"))
    question = world.say("ash", "question", text("How many boats?"))
    reply = world.say("birch", "reply", text("Two."), refers=[question])
    world.say("birch", "correct", {"content": text("Three."), "reason": "counted again"}, refers=[reply])
    offer = world.say("ash", "proposal", text("One boat each."), named=["birch"])
    better = world.say("birch", "proposal", text("Two for me."), named=["ash"], thread=offer, refers=[offer])
    world.say("ash", "refuse", {"reason": "too many"}, refers=[better])
    last = world.say("ash", "proposal", text("One each, and the raft."), named=["birch"], thread=offer)
    condition = {"confirmer": "birch", "text": "if the raft floats"}
    accepted = world.say("birch", "accept", {**FULL, "condition": condition}, refers=[last])
    world.say("birch", "condition", {"outcome": "confirmed"}, refers=[accepted])
    add_record(
        cases,
        "every-act",
        "Question, answer, correction, offers in a thread, refusal, acceptance, condition.",
        world,
        "settlement#Rules for step 9",
        good=True,
    )
    world = talk(("note",))
    sealed, openings = seal(text("The raft leaks."), {"text": hashlib.sha256(b"raft").digest()})
    note = world.say("ash", "note", sealed)
    world.say("ash", "reveal", {"disclosures": openings}, refers=[note])
    add_record(
        cases, "sealed-and-revealed", "A sealed field, and the entry that opens it.", world, "#step 8", good=True
    )


def _keys_change(cases: Cases) -> None:
    world = talk()
    world.say("ash", "note", text("Signed with the first keys."))
    early = world.receipt("birch", "ash", 3)
    world.hold("birch", "ash", 3)
    world.identify("birch", keys_of("birch", "2"))
    size, _, stamp = world.journals["ash"].receipts["birch"]
    world.journals["ash"].receipts["birch"] = (size, early, stamp)
    world.say("ash", "note", text("It cites a receipt made before the receipt key was retired."), cite=["birch"])
    world.say("birch", "note", text("Signed with the second keys."))
    world.say("ash", "note", text("It cites a receipt by the second receipt key."), cite=["birch"])
    add_record(
        cases,
        "keys-changed",
        "One party changes its keys; receipts by the old key stay good to their date.",
        world,
        "identity#3 and 4",
        good=True,
    )


def _amended(cases: Cases) -> None:
    world = talk()
    later = pack(formats=("note", "alert", "report"), edition="2", replaces=world.agreement)
    digest = hashlib.sha256(encode(later)).hexdigest()
    world.packs[digest] = later
    world.say("ash", "adopt", {"pack": digest})
    world.say("ash", "note", text("Still by the first pack."))
    world.say("birch", "adopt", {"pack": digest})
    world.force = digest
    world.say("ash", "report", {"text": "By the second.", "performs": [{"extent": "full", "obligation": "FIXED"}]})
    add_record(
        cases, "amended", "A second pack takes over when both have adopted it.", world, "pack#In force", good=True
    )
    world = talk()
    world.packs[digest] = later
    other = pack(formats=("note",), edition="3", replaces=world.agreement)
    world.packs[hashlib.sha256(encode(other)).hexdigest()] = other
    world.say("ash", "adopt", {"pack": digest})
    world.say("ash", "adopt", {"pack": hashlib.sha256(encode(other)).hexdigest()})
    world.say("ash", "adopt", {"pack": world.agreement})
    world.say("birch", "adopt", {"pack": digest}, pack=world.agreement)
    world.say("birch", "note", text("By the second pack, which is not in force."), pack=digest)
    add_record(
        cases,
        "adopted-twice",
        "A second pack for the same place, the first pack again, and what names a pack that is not in force.",
        world,
        "#step 7",
    )
    world = talk()
    unknown = hashlib.sha256(b"a pack that nobody shows").hexdigest()
    world.say("ash", "adopt", {"pack": unknown})
    world.say("ash", "note", text("It waits too."))
    world.say("birch", "note", text("And so does this, whose past has them."))
    add_record(
        cases, "pack-not-held", "A party adopts a pack that is not here: its journal waits.", world, "pack#In force"
    )


def _unreadable(cases: Cases) -> None:
    world = talk()
    frame = encode(world.frame("ash", "note", text("A note.")))
    keys = world.journals["ash"].keys.officers
    signers = [keys["desk"], keys["chief"]]
    good = envelope(frame, signers)
    for leaf in (
        b"",
        b"{}",
        frame,
        good.replace(b'","payloadType', b'", "payloadType'),
        envelope(frame, signers, MANIFEST_TYPE),
    ):
        world.put("ash", leaf)
    world.say("ash", "note", text("The journal goes on."))
    add_record(
        cases, "step-1", "Leaves that are no envelopes of an entry; they are numbered all the same.", world, "#step 1"
    )
    world = _settled()
    for change in ({"version": 2}, {"version": 0}, {"to": ["ash"]}, {"colour": "green"}):
        world.say("ash", "note", text("A note."), **change)
    world.say("ash", "note", text("The journal goes on."))
    add_record(cases, "step-2", "Frames of a later version, and of none.", world, "#step 2")
    world = _settled()
    for change in ({"number": 3}, {"number": 6}, {"party": "birch"}, {"agreement": "00" * 32}):
        world.say("ash", "note", text("A note."), signers=signers, **change)
    world.put("birch", world.journals["ash"].leaves[1])
    add_record(
        cases,
        "step-3",
        "Entries that lie where they do not belong; one is another party's, replayed.",
        world,
        "#step 3",
    )


def _unsigned(cases: Cases) -> None:
    world = _settled()
    keys = world.journals["ash"].keys
    desk, chief, duty = (keys.officers[name] for name in ("desk", "chief", "duty"))

    def note(**members: Any) -> None:
        world.say("ash", "note", text("A note."), **members)

    note(author="guest", signers=[ed25519("guest"), chief])
    note(releaser="guest", signers=[desk, ed25519("guest")])
    note(author="duty", signers=[duty, chief])
    note(releaser="duty", signers=[desk, duty])
    note(author="chief", signers=[chief])
    note(signers=[chief, desk])
    note(signers=[desk])
    note(signers=[desk, chief, duty])
    note(author="root", releaser=None)
    note(author="centre", signers=[keys.centre, chief])
    world.say("ash", "alert", text("Not by an author."), author="desk", signers=[desk])
    world.say("ash", "citation", {}, signers=[keys.receipt])
    stranger = world.frame("ash", "note", text("A note."))
    forged = envelope(encode({**stranger, "subject": "other"}), [desk, chief])
    mixed = envelope(encode(stranger), [desk, chief])
    payload = mixed[: mixed.index(b',"signatures"')]
    world.put("ash", payload + forged[forged.index(b',"signatures"') :])
    note()
    add_record(
        cases,
        "step-4",
        "Officers who are none, who lack the role, who release their own; signatures too few, too many, by others.",
        world,
        "#step 4",
    )
    world = _settled()
    old = world.journals["ash"].keys
    kept = keys_of("ash", "2")._replace(roots=old.roots)
    del kept.officers["duty"]
    world.identify("ash", kept)
    world.say("ash", "alert", text("By an officer who is retired."), signers=[old.officers["duty"]])
    world.say("ash", "note", text("With keys that are retired."), signers=[old.officers["desk"], old.officers["chief"]])
    world.say("ash", "note", text("With the new keys."))
    add_record(cases, "step-4-retired", "Officers and keys of an identity that has been replaced.", world, "#step 4")


def _rootless(cases: Cases) -> None:
    world = talk()
    content = identity_content(world.journals["ash"].keys, officers=[])
    by_id = world.signers({"party": "ash", "author": "root"})
    world.say("ash", "identity", content, signers=by_id[:1])
    world.say("ash", "identity", {**content, "names": []}, signers=by_id)
    world.say("ash", "identity", content, signers=by_id, to=["birch"])
    world.say("ash", "note", text("The first identity still holds."))
    add_record(
        cases,
        "identity-refused",
        "Identity entries that do not hold leave the one before in place.",
        world,
        "identity#2",
    )


def _untrue_heads(cases: Cases) -> None:
    world = talk(parties=THREE)
    note = world.say("birch", "note", text("A note."))
    world.say("ash", "note", text("It has seen all."))
    world.say("ash", "note", text("Its own head."), heads=[world.head("ash", 2)])
    world.say("ash", "note", text("A head that has not grown."), heads=[world.head("birch", 3)])
    world.say("ash", "note", text("A head that shrinks."), heads=[world.head("birch", 2)])
    world.say("ash", "note", text("Another leaf hash."), refers_to=[{**world.reference(note), "leaf": "00" * 32}])
    world.say("ash", "note", text("A later entry."), refers_to=[{**world.reference(note), "number": 4}])
    world.say(
        "ash", "note", text("Its own later entry."), refers_to=[{"leaf": "00" * 32, "number": 20, "party": "ash"}]
    )
    world.say("ash", "note", text("A stranger."), refers_to=[{"leaf": "00" * 32, "number": 1, "party": "oak"}])
    world.say("ash", "note", text("Itself."), refers_to=[{"leaf": "00" * 32, "number": 11, "party": "ash"}])
    add_record(
        cases, "step-5", "Heads that have not grown, references to what the past does not contain.", world, "#step 5"
    )
    world = talk(parties=THREE)
    world.online = False
    world.say("cedar", "note", text("Seen by birch alone."))
    world.hold("birch", "cedar")
    seen = world.say("birch", "note", text("It has seen cedar's note."))
    world.hold("ash", "birch")
    world.say("ash", "note", text("It has birch's entry and not what that covers."))
    world.hold("ash", "cedar")
    heads = [world.head("birch", 3), world.head("cedar", 3)]
    world.say("ash", "note", text("Now it has both."), heads=heads, refers=[seen])
    add_record(cases, "past-not-closed", "A head that covers more than the entry does.", world, "#step 5")


def _missing(cases: Cases) -> None:
    world = talk()
    world.online = False
    world.say("birch", "note", text("A note that is not in the bundle."))
    world.hold("ash", "birch")
    world.say("ash", "note", text("It has seen that note."))
    world.say("ash", "note", text("It waits as well."))
    world.say("birch", "note", text("Nor is this one."))
    lost = world.journals["birch"]
    del lost.leaves[2:]
    lost.tree = type(lost.tree)()
    for leaf in lost.leaves:
        lost.tree.append(hashlib.sha256(b"\0" + leaf).digest())
    add_record(
        cases,
        "not-held",
        "An entry rests on one that is not here: it waits, and so do the later ones.",
        world,
        "#step 5",
    )


def _untrue_receipts(cases: Cases) -> None:
    world = talk(parties=THREE)

    def cite(size: int, raw: bytes, **changes: Any) -> None:
        row = {"by": "birch", "cosignature": text_of(raw), "size": size, **changes}
        world.say("ash", "note", text("It cites a receipt."), receipts=[row])

    cite(2, world.receipt("birch", "ash", 2))
    cite(2, world.receipt("birch", "ash", 2))
    cite(1, world.receipt("birch", "ash", 1))
    cite(3, world.receipt("birch", "ash", 2))
    cite(3, world.receipt("birch", "birch", 2))
    cite(3, world.receipt("cedar", "ash", 3))
    cite(9, world.receipt("birch", "ash", 8))
    raw = world.receipt("birch", "ash", 5)
    cite(5, raw[:4] + (int.from_bytes(raw[4:12], "big") + 1).to_bytes(8, "big") + raw[12:])
    cite(5, raw[:-1] + bytes([raw[-1] ^ 1]))
    cite(2, world.receipt("cedar", "ash", 2), by="ash")
    cite(2, world.receipt("cedar", "ash", 2), by="oak")
    cite(5, raw)
    add_record(
        cases, "step-6", "Receipts that are stale, ahead, by others, on other journals, changed.", world, "#step 6"
    )
    world = talk()
    old = world.journals["birch"].keys.receipt
    world.identify("birch", keys_of("birch", "2")._replace(roots=world.journals["birch"].keys.roots))
    new = world.journals["birch"].keys
    world.say("ash", "note", text("It has seen the new identity."))
    world.journals["birch"].keys = new._replace(receipt=old)
    world.hold("birch", "ash", 3)
    world.say("ash", "note", text("A receipt by the old key, made after it was retired."), cite=["birch"])
    add_record(
        cases, "receipt-retired", "A receipt by a key that had been retired when it was made.", world, "identity#4"
    )


_GROUPS: tuple[Callable[[Cases], None], ...] = (
    _founding, _acts, _keys_change, _amended, _unreadable, _unsigned, _rootless, _untrue_heads, _missing,
    _untrue_receipts, acts.misfits, acts.contents, acts.tables, acts.offers, acts.answers, acts.corrections,
)  # fmt: skip


def cases() -> list[Case]:
    """`bundle.servanda` is a record; `expected.json` gives the verdict on each entry; `_fail` if one does not hold."""
    cases = Cases("entry", "entry")
    for group in _GROUPS:
        group(cases)
    return cases.made
