# SPDX-License-Identifier: Apache-2.0
"""Cases of small records, with the verdict on each of their entries: all steps of the way in which one is judged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from making.case import Case, Cases
from making.dossiers import dossier, judged, verdicts
from making.keys import ed25519, keys_of, text_of
from making.packs import pack
from making.world import World, envelope, identity_content
from servanda.proof.canonical import encode
from servanda.proof.envelope import MANIFEST_TYPE
from servanda.proof.sealing import disclose, seal

_THREE = ("ash", "birch", "cedar")
_FULL: dict[str, Any] = {"condition": None, "extent": "full", "received": []}
_YES = {"disposition": "accepted", "reason": "read"}


def _add(cases: Cases, name: str, sentence: str, world: World, rule: str, *, good: bool = False) -> None:
    expected = {"verdicts": verdicts(judged(world))}
    if good:
        cases.good(name, sentence, dossier(world, {}), expected, rule)
    else:
        cases.bad(name, sentence, dossier(world, {}), rule, expected)


def _text(text: str) -> dict[str, Any]:
    return {"text": text}


def _talk(
    formats: tuple[str, ...] = ("note", "alert"), parties: tuple[str, ...] = ("ash", "birch"), **members: Any
) -> World:
    return World(pack(parties, formats, **members))


def _settled() -> World:
    world = _talk()
    world.say("ash", "note", _text("It has seen all. Heads of entries that do not hold do not count."))
    return world


def _founding(cases: Cases) -> None:
    world = _talk()
    note = world.say("ash", "note", _text("All is quiet."), to=["birch"])
    world.say("birch", "acknowledge", _YES, refers=[note])
    world.say("ash", "alert", _text("A light on the lake."), precedence="flash")
    world.say("birch", "note", _text("Seen."), cite=["ash"])
    world.say("ash", "citation", {}, cite=["birch"])
    _add(
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
    world.say("ash", "note", _text("In force for me."))
    world.hold("birch", "ash", 2)
    world.say("birch", "note", _text("And for me."))
    _add(
        cases,
        "in-force",
        "The pack is in force for each party as soon as its past has both adoptions.",
        world,
        "pack#In force",
        good=True,
    )


def _acts(cases: Cases) -> None:
    world = _talk(("note", "question", "reply", "proposal"))
    question = world.say("ash", "question", _text("How many boats?"))
    reply = world.say("birch", "reply", _text("Two."), refers=[question])
    world.say("birch", "correct", {"content": _text("Three."), "reason": "counted again"}, refers=[reply])
    offer = world.say("ash", "proposal", _text("One boat each."), named=["birch"])
    better = world.say("birch", "proposal", _text("Two for me."), named=["ash"], thread=offer, refers=[offer])
    world.say("ash", "refuse", {"reason": "too many"}, refers=[better])
    last = world.say("ash", "proposal", _text("One each, and the raft."), named=["birch"], thread=offer)
    condition = {"confirmer": "birch", "text": "if the raft floats"}
    accepted = world.say("birch", "accept", {**_FULL, "condition": condition}, refers=[last])
    world.say("birch", "condition", {"outcome": "confirmed"}, refers=[accepted])
    _add(
        cases,
        "every-act",
        "Question, answer, correction, offers in a thread, refusal, acceptance, condition.",
        world,
        "settlement#Rules for step 9",
        good=True,
    )
    world = _talk(("note",))
    sealed, openings = seal(_text("The raft leaks."), {"text": hashlib.sha256(b"raft").digest()})
    note = world.say("ash", "note", sealed)
    world.say("ash", "reveal", {"disclosures": openings}, refers=[note])
    _add(cases, "sealed-and-revealed", "A sealed field, and the entry that opens it.", world, "#step 8", good=True)


def _keys_change(cases: Cases) -> None:
    world = _talk()
    world.say("ash", "note", _text("Signed with the first keys."))
    early = world.receipt("birch", "ash", 3)
    world.hold("birch", "ash", 3)
    world.identify("birch", keys_of("birch", "2"))
    size, _, stamp = world.journals["ash"].receipts["birch"]
    world.journals["ash"].receipts["birch"] = (size, early, stamp)
    world.say("ash", "note", _text("It cites a receipt made before the receipt key was retired."), cite=["birch"])
    world.say("birch", "note", _text("Signed with the second keys."))
    world.say("ash", "note", _text("It cites a receipt by the second receipt key."), cite=["birch"])
    _add(
        cases,
        "keys-changed",
        "One party changes its keys; receipts by the old key stay good to their date.",
        world,
        "identity#3 and 4",
        good=True,
    )


def _amended(cases: Cases) -> None:
    world = _talk()
    later = pack(formats=("note", "alert", "report"), edition="2", replaces=world.agreement)
    digest = hashlib.sha256(encode(later)).hexdigest()
    world.packs[digest] = later
    world.say("ash", "adopt", {"pack": digest})
    world.say("ash", "note", _text("Still by the first pack."))
    world.say("birch", "adopt", {"pack": digest})
    world.force = digest
    world.say("ash", "report", {"text": "By the second.", "performs": [{"extent": "full", "obligation": "FIXED"}]})
    _add(cases, "amended", "A second pack takes over when both have adopted it.", world, "pack#In force", good=True)
    world = _talk()
    world.packs[digest] = later
    other = pack(formats=("note",), edition="3", replaces=world.agreement)
    world.packs[hashlib.sha256(encode(other)).hexdigest()] = other
    world.say("ash", "adopt", {"pack": digest})
    world.say("ash", "adopt", {"pack": hashlib.sha256(encode(other)).hexdigest()})
    world.say("ash", "adopt", {"pack": world.agreement})
    world.say("birch", "adopt", {"pack": digest}, pack=world.agreement)
    world.say("birch", "note", _text("By the second pack, which is not in force."), pack=digest)
    _add(
        cases,
        "adopted-twice",
        "A second pack for the same place, the first pack again, and what names a pack that is not in force.",
        world,
        "#step 7",
    )
    world = _talk()
    unknown = hashlib.sha256(b"a pack that nobody shows").hexdigest()
    world.say("ash", "adopt", {"pack": unknown})
    world.say("ash", "note", _text("It waits too."))
    world.say("birch", "note", _text("And so does this, whose past has them."))
    _add(cases, "pack-not-held", "A party adopts a pack that is not here: its journal waits.", world, "pack#In force")


def _unreadable(cases: Cases) -> None:
    world = _talk()
    frame = encode(world.frame("ash", "note", _text("A note.")))
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
    world.say("ash", "note", _text("The journal goes on."))
    _add(cases, "step-1", "Leaves that are no envelopes of an entry; they are numbered all the same.", world, "#step 1")
    world = _settled()
    for change in ({"version": 2}, {"version": 0}, {"to": ["ash"]}, {"colour": "green"}):
        world.say("ash", "note", _text("A note."), **change)
    world.say("ash", "note", _text("The journal goes on."))
    _add(cases, "step-2", "Frames of a later version, and of none.", world, "#step 2")
    world = _settled()
    for change in ({"number": 3}, {"number": 6}, {"party": "birch"}, {"agreement": "00" * 32}):
        world.say("ash", "note", _text("A note."), signers=signers, **change)
    world.put("birch", world.journals["ash"].leaves[1])
    _add(
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
        world.say("ash", "note", _text("A note."), **members)

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
    world.say("ash", "alert", _text("Not by an author."), author="desk", signers=[desk])
    world.say("ash", "citation", {}, signers=[keys.receipt])
    stranger = world.frame("ash", "note", _text("A note."))
    forged = envelope(encode({**stranger, "subject": "other"}), [desk, chief])
    mixed = envelope(encode(stranger), [desk, chief])
    payload = mixed[: mixed.index(b',"signatures"')]
    world.put("ash", payload + forged[forged.index(b',"signatures"') :])
    note()
    _add(
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
    world.say("ash", "alert", _text("By an officer who is retired."), signers=[old.officers["duty"]])
    world.say(
        "ash", "note", _text("With keys that are retired."), signers=[old.officers["desk"], old.officers["chief"]]
    )
    world.say("ash", "note", _text("With the new keys."))
    _add(cases, "step-4-retired", "Officers and keys of an identity that has been replaced.", world, "#step 4")


def _rootless(cases: Cases) -> None:
    world = _talk()
    content = identity_content(world.journals["ash"].keys, officers=[])
    by_id = world.signers({"party": "ash", "author": "root"})
    world.say("ash", "identity", content, signers=by_id[:1])
    world.say("ash", "identity", {**content, "names": []}, signers=by_id)
    world.say("ash", "identity", content, signers=by_id, to=["birch"])
    world.say("ash", "note", _text("The first identity still holds."))
    _add(
        cases,
        "identity-refused",
        "Identity entries that do not hold leave the one before in place.",
        world,
        "identity#2",
    )


def _untrue_heads(cases: Cases) -> None:
    world = _talk(parties=_THREE)
    note = world.say("birch", "note", _text("A note."))
    world.say("ash", "note", _text("It has seen all."))
    world.say("ash", "note", _text("Its own head."), heads=[world.head("ash", 2)])
    world.say("ash", "note", _text("A head that has not grown."), heads=[world.head("birch", 3)])
    world.say("ash", "note", _text("A head that shrinks."), heads=[world.head("birch", 2)])
    world.say("ash", "note", _text("Another leaf hash."), refers_to=[{**world.reference(note), "leaf": "00" * 32}])
    world.say("ash", "note", _text("A later entry."), refers_to=[{**world.reference(note), "number": 4}])
    world.say(
        "ash", "note", _text("Its own later entry."), refers_to=[{"leaf": "00" * 32, "number": 20, "party": "ash"}]
    )
    world.say("ash", "note", _text("A stranger."), refers_to=[{"leaf": "00" * 32, "number": 1, "party": "oak"}])
    world.say("ash", "note", _text("Itself."), refers_to=[{"leaf": "00" * 32, "number": 11, "party": "ash"}])
    _add(cases, "step-5", "Heads that have not grown, references to what the past does not contain.", world, "#step 5")
    world = _talk(parties=_THREE)
    world.online = False
    world.say("cedar", "note", _text("Seen by birch alone."))
    world.hold("birch", "cedar")
    seen = world.say("birch", "note", _text("It has seen cedar's note."))
    world.hold("ash", "birch")
    world.say("ash", "note", _text("It has birch's entry and not what that covers."))
    world.hold("ash", "cedar")
    heads = [world.head("birch", 3), world.head("cedar", 3)]
    world.say("ash", "note", _text("Now it has both."), heads=heads, refers=[seen])
    _add(cases, "past-not-closed", "A head that covers more than the entry does.", world, "#step 5")


def _missing(cases: Cases) -> None:
    world = _talk()
    world.online = False
    world.say("birch", "note", _text("A note that is not in the bundle."))
    world.hold("ash", "birch")
    world.say("ash", "note", _text("It has seen that note."))
    world.say("ash", "note", _text("It waits as well."))
    world.say("birch", "note", _text("Nor is this one."))
    lost = world.journals["birch"]
    del lost.leaves[2:]
    lost.tree = type(lost.tree)()
    for leaf in lost.leaves:
        lost.tree.append(hashlib.sha256(b"\0" + leaf).digest())
    _add(
        cases,
        "not-held",
        "An entry rests on one that is not here: it waits, and so do the later ones.",
        world,
        "#step 5",
    )


def _untrue_receipts(cases: Cases) -> None:
    world = _talk(parties=_THREE)

    def cite(size: int, raw: bytes, **changes: Any) -> None:
        row = {"by": "birch", "cosignature": text_of(raw), "size": size, **changes}
        world.say("ash", "note", _text("It cites a receipt."), receipts=[row])

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
    _add(cases, "step-6", "Receipts that are stale, ahead, by others, on other journals, changed.", world, "#step 6")
    world = _talk()
    old = world.journals["birch"].keys.receipt
    world.identify("birch", keys_of("birch", "2")._replace(roots=world.journals["birch"].keys.roots))
    new = world.journals["birch"].keys
    world.say("ash", "note", _text("It has seen the new identity."))
    world.journals["birch"].keys = new._replace(receipt=old)
    world.hold("birch", "ash", 3)
    world.say("ash", "note", _text("A receipt by the old key, made after it was retired."), cite=["birch"])
    _add(cases, "receipt-retired", "A receipt by a key that had been retired when it was made.", world, "identity#4")


def _misfits(cases: Cases) -> None:
    world = _talk(("note", "alert", "bulletin", "question"))
    world.say("ash", "note", _text("Without a pack."), pack=None)
    world.say("ash", "note", _text("By another pack."), pack="00" * 32)
    world.say("ash", "adopt", {"pack": world.agreement}, pack=world.agreement)
    world.say("ash", "rumour", _text("A format that there is not."))
    world.say("ash", "note", _text("A version that there is not."), format_version=2)
    world.say("ash", "citation", {}, format_version=2)
    world.say("ash", "note", _text("Another act."), act="answer")
    keys = world.journals["ash"].keys
    world.say("ash", "note", _text("By one officer."), author="duty", releaser=None, signers=[keys.officers["duty"]])
    world.say("ash", "note", _text("By the centre."), author="centre", releaser=None, signers=[keys.centre])
    world.say("ash", "alert", _text("By two officers."), author="desk", releaser="chief")
    world.say("birch", "bulletin", _text("Which ash alone may send."))
    world.say("ash", "note", _text("To a stranger."), to=["oak"])
    world.say("ash", "bulletin", _text("Which ash may send."), to=["birch"])
    _add(
        cases,
        "step-7",
        "Packs, formats, acts, releases, senders and addressees that are not those of the pack.",
        world,
        "#step 7",
    )
    world = World(pack(), adopted=False)
    world.say("ash", "note", _text("Before any pack is in force."))
    world.say("ash", "citation", {})
    world.say("ash", "adopt", {"pack": world.agreement})
    world.say("ash", "note", _text("Before birch has adopted it."))
    world.say("birch", "adopt", {"pack": world.agreement}, to=["ash", "oak"])
    _add(cases, "before-the-pack", "Entries that need a pack while none is in force.", world, "pack#In force")


def _contents(cases: Cases) -> None:
    world = _talk(("note", "report", "declare"))
    row: dict[str, Any] = {"kind": "cargo", "place": "store", "quantity": {"basis": "not-stated", "unit": "g"}}
    for content in ({}, {"text": 1}, {"text": "", "more": ""}, {"_sd": []}, {"_sd": ["short"]}):
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
    _add(cases, "step-8", "Contents that do not fit their format, or the shape of its effect.", world, "#step 8")
    world = _talk(("note",))
    sealed, openings = seal(_text("The raft leaks."), {"text": hashlib.sha256(b"raft").digest()})
    note = world.say("ash", "note", sealed)
    other = disclose(hashlib.sha256(b"other").digest(), "text", "The raft floats.")
    world.say("ash", "reveal", {"disclosures": [other]}, refers=[note])
    world.say("birch", "reveal", {"disclosures": openings}, refers=[note])
    world.say("ash", "reveal", {"disclosures": openings})
    _add(cases, "reveal", "Openings that answer to no digest, of another's entry, of none.", world, "#step 8")


def _offers(cases: Cases) -> None:
    world = _talk(("proposal", "treaty", "question"), _THREE)
    world.say("ash", "proposal", _text("To nobody."), named=[])
    world.say("ash", "proposal", _text("To itself."), named=["ash", "birch"])
    world.say("ash", "treaty", _text("Without its witness."), named=["birch"])
    first = world.say("ash", "proposal", _text("To birch."), named=["birch"])
    other = world.say("ash", "question", _text("Not an offer."))
    world.say("cedar", "proposal", _text("Not a member."), named=["ash", "birch"], thread=first)
    world.say("birch", "proposal", _text("To more than the members."), named=["ash", "cedar"], thread=first)
    world.say("birch", "treaty", _text("Another format."), named=["ash", "cedar"], thread=first)
    world.say("birch", "proposal", _text("In no thread."), named=["ash"], thread=other)
    second = world.say("birch", "proposal", _text("In the thread."), named=["ash"], thread=first)
    world.say("ash", "proposal", _text("Not the first of the thread."), named=["birch"], thread=second)
    world.say("ash", "treaty", _text("With its witness."), named=["birch", "cedar"])
    _add(
        cases,
        "step-9-offer",
        "Offers to nobody, to oneself, and in threads where they do not belong.",
        world,
        "settlement#Offer",
    )


def _answers(cases: Cases) -> None:
    world = _talk(("proposal", "question", "handover", "declare"), _THREE)
    first = world.say("ash", "proposal", _text("To birch."), named=["birch"])
    world.say("cedar", "accept", _FULL, refers=[first])
    world.say("ash", "accept", _FULL, refers=[first])
    world.say("birch", "accept", _FULL)
    second = world.say("ash", "proposal", _text("A better one."), named=["birch"], thread=first)
    world.say("birch", "accept", _FULL, refers=[first])
    world.say("birch", "accept", {**_FULL, "extent": "part"}, refers=[second])
    world.say("birch", "accept", {**_FULL, "condition": {"confirmer": "oak", "text": "if"}}, refers=[second])
    accepted = world.say(
        "birch", "accept", {**_FULL, "condition": {"confirmer": "cedar", "text": "if"}}, refers=[second]
    )
    world.say("birch", "accept", _FULL, refers=[second])
    world.say("birch", "refuse", {"reason": "after all not"}, refers=[second])
    world.say("birch", "condition", {"outcome": "confirmed"}, refers=[accepted])
    world.say("cedar", "condition", {"outcome": "confirmed"}, refers=[second])
    world.say("cedar", "condition", {"outcome": "confirmed"}, refers=[accepted])
    world.say("cedar", "condition", {"outcome": "failed"}, refers=[accepted])
    third = world.say("ash", "proposal", _text("To cedar."), named=["cedar"])
    world.say("birch", "refuse", {"reason": "not asked"}, refers=[third])
    world.say("cedar", "refuse", {"reason": "no"}, refers=[third])
    world.say("cedar", "accept", _FULL, refers=[third])
    _add(
        cases,
        "step-9-answers",
        "Acceptances, refusals and conditions by the wrong party, of the wrong entry, or a second time.",
        world,
        "settlement#Accept",
    )
    world = _talk(("handover", "declare"))
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
    world.say("birch", "accept", {**_FULL, "received": offer["lots"]}, refers=[given])
    world.say("birch", "accept", {**_FULL, "condition": {"confirmer": "ash", "text": "if"}}, refers=[given])
    world.say(
        "birch", "accept", {**part, "received": [{"lot": "ash/3/0", "quantity": {**lot, "amount": 9}}]}, refers=[given]
    )
    _add(cases, "step-9-part", "Acceptances in part that do not list what was offered.", world, "settlement#Accept")


def _corrections(cases: Cases) -> None:
    world = _talk(("note", "proposal", "question"))
    note = world.say("ash", "note", _text("A note."))
    offer = world.say("ash", "proposal", _text("An offer."), named=["birch"])
    content: dict[str, Any] = {"content": _text("Better."), "reason": "a slip"}
    world.say("birch", "correct", content, refers=[note])
    world.say("ash", "correct", content)
    world.say("ash", "correct", content, refers=[offer])
    world.say("ash", "correct", {**content, "content": {}}, refers=[note])
    world.say("ash", "correct", content, refers=["ash/2"])
    right = world.say("ash", "correct", content, refers=[note])
    world.say("ash", "correct", content, refers=[right])
    world.say("ash", "acknowledge", _YES)
    world.say("ash", "acknowledge", _YES, refers=[note])
    world.say("birch", "acknowledge", _YES, refers=["birch/2", note])
    world.say("birch", "acknowledge", _YES, refers=[note])
    _add(
        cases,
        "step-9-correct",
        "Corrections of what is not corrected, acknowledgements of one's own.",
        world,
        "settlement#Correct",
    )


_GROUPS: tuple[Callable[[Cases], None], ...] = (
    _founding, _acts, _keys_change, _amended, _unreadable, _unsigned, _rootless, _untrue_heads, _missing,
    _untrue_receipts, _misfits, _contents, _offers, _answers, _corrections,
)  # fmt: skip


def cases() -> list[Case]:
    """`bundle.servanda` is a record; `expected.json` gives the verdict on each entry; `_fail` if one does not hold."""
    cases = Cases("entry", "entry")
    for group in _GROUPS:
        group(cases)
    return cases.made
