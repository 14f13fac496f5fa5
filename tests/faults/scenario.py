# SPDX-License-Identifier: Apache-2.0
"""What happens in the harbour: every kind of write that a centre knows, in steps that may be carried out again."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from servanda.agreement.pack import pack_of
from servanda.assembly import Rotation
from servanda.operations.ports import Push
from servanda.proof.canonical import encode
from tests.faults.harbour import PACK, PARTIES, ROOT_PASS, Harbour, expect_conflict
from tests.rig.packs import pack_data
from tests.rig.pen import leaf_by_hand, push_by_hand
from tests.rig.world import held, row

FULL: dict[str, Any] = {"extent": "full", "received": [], "condition": None}
AMENDED = pack_of(pack_data(PARTIES) | {"replaces": PACK.digest, "edition": "2"})
Step = Callable[[Harbour], None]


def meet(harbour: Harbour) -> None:
    """Everybody takes everybody's card."""
    for party in PARTIES:
        for other in PARTIES:
            station = harbour.stations[party]
            if other != party and other not in station.cards:
                card = encode(harbour.ask(other, "card"))
                harbour.ask(party, "meet", card=card.decode(), fingerprint=harbour.fingerprints[other])


def adopt(harbour: Harbour) -> None:
    """Everybody adopts the agreement."""
    for party in PARTIES:
        harbour.say(party, f"adoption by {party}", "adopt", {"pack": PACK.digest})
    harbour.settle()


def declare(harbour: Harbour) -> None:
    """One party declares what it has, with one member sealed in another entry; a draft is taken back."""
    harbour.say("ash", "declaration", "declare", {"lots": [row(10), row(5)]})
    harbour.say(
        "ash", "where it lies", "note", {"text": "in the third shed"}, to=["birch"], seal=["text"], open_to=["birch"]
    )
    drafts = {d["draft"]["subject"]: d for d in harbour.ask("ash", "drafts", all=True)}
    if "taken back" not in drafts:
        note = {
            "format": "note",
            "subject": "taken back",
            "event-at": "2014",
            "author": "desk",
            "content": {"text": ""},
        }
        harbour.ask("ash", "draft", draft=note)
        drafts = {d["draft"]["subject"]: d for d in harbour.ask("ash", "drafts", all=True)}
    if drafts["taken back"]["state"] == "draft":
        harbour.ask("ash", "withdraw", identifier=drafts["taken back"]["identifier"])
    harbour.deliver("ash", "birch")
    harbour.deliver("ash", "cedar")


def hand_over(harbour: Harbour) -> None:
    """Custody of a lot changes hands: offer, acceptance, citations of the third party's receipts."""
    lot = f"{harbour.place('ash', 'declaration')}/0"
    content = {"lots": [held(lot, 10)], "receiver": "birch", "place": "harbour"}
    offer = harbour.say("ash", "handover", "handover", content, named=["birch"])
    harbour.deliver("ash", "birch")
    harbour.say("birch", "taken over", "accept", FULL, refers_to=[offer])
    harbour.settle()
    assert harbour.ask("cedar", "show", entry=offer)["offer"]["effective"]


def countersign(harbour: Harbour) -> None:
    """The line is quiet: post-quantum signatures over everything; and a person acknowledges."""
    for party, other in (("ash", "birch"), ("birch", "ash"), ("cedar", "ash")):
        harbour.quantum(party, other)
    declared = str(harbour.place("ash", "declaration"))
    if not harbour.ask("birch", "show", entry=declared)["acknowledged-by"]:
        harbour.ask("birch", "acknowledge", entries=[declared], officer="duty")
    harbour.deliver("birch", "ash")


def rotate(harbour: Harbour) -> None:
    """One party changes all of its keys, and goes on with the new ones."""
    if harbour.place("birch", "all keys renewed") is None:
        station = harbour.stations["birch"]
        rotation = Rotation(renew=("centre", "receipt", "root", "desk", "chief"), subject="all keys renewed")
        harbour.act("birch", lambda: station.rotate(ROOT_PASS, rotation))
    harbour.say("birch", "still the same", "note", {"text": "under new keys"})
    harbour.settle()
    harbour.quantum("ash", "birch")


def amend(harbour: Harbour) -> None:
    """An amended pack: brought by one, fetched over the line by another, carried on a stick to the third."""
    if AMENDED.digest not in harbour.centre("ash").record.packs:
        harbour.ask("ash", "bring", pack=base64.b64encode(encode(AMENDED.data)).decode())
    harbour.say("ash", "amendment by ash", "adopt", {"pack": AMENDED.digest})
    harbour.say("ash", "said after it", "note", {"text": "still under the old one"})
    harbour.deliver("ash", "cedar")
    harbour.catch_up("cedar", "ash")
    harbour.stick("ash", "birch")
    for party in ("birch", "cedar"):
        harbour.say(party, f"amendment by {party}", "adopt", {"pack": AMENDED.digest})
    harbour.settle()
    opened = harbour.ask("birch", "show", entry=str(harbour.place("ash", "where it lies")))
    assert opened["opened"] == {"text": "in the third shed"}
    assert all(harbour.ask(party, "status")["pack"] == AMENDED.digest for party in PARTIES)


def fork(harbour: Harbour) -> None:
    """A copy of one centre has spoken: the proof is kept by all, and the root keys name the history that stands."""
    said = harbour.say("cedar", "said here", "note", {"text": "one history"})
    harbour.deliver("cedar", "ash")
    if not harbour.ask("ash", "status")["forks"]:
        second = second_history(harbour, int(said.partition("/")[2]))
        expect_conflict(lambda: harbour.act("ash", lambda: harbour.door("ash").push("cedar", second)))
    for party in ("birch", "cedar"):
        harbour.stick("ash", party)
    if not any(e.frame and e.frame.format == "branch" for e in harbour.centre("cedar").journal.entries):
        harbour.act("cedar", lambda: harbour.stations["cedar"].name_branch(ROOT_PASS))
    harbour.settle()


def second_history(harbour: Harbour, number: int) -> Push:
    """What a copy of cedar's centre says in the place of entry `number`; of this nothing is noted down."""
    cedar = harbour.centre("cedar")
    other = leaf_by_hand(cedar, number=number, content={"text": "another history"}, heads=[], receipts=[])
    leaves = [*harbour.stations["cedar"].store.leaves("cedar", 1, number - 1), other]
    return push_by_hand(cedar.journal.origin, leaves, cedar.signers.centre)


STEPS: dict[str, Step] = {
    "cards": meet,
    "adoption": adopt,
    "declaration": declare,
    "handover": hand_over,
    "countersignature": countersign,
    "rotation": rotate,
    "amendment": amend,
    "fork": fork,
}
"""In this order."""
