# SPDX-License-Identifier: Apache-2.0
"""Entries with one fault each, by the code that the step of spec/entry.md gives it.

Every one is written by ash in a world that `scene` has prepared, under ash's own keys and valid checkpoints.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from servanda.journal.state import Entry
from servanda.operations.centre import Centre
from servanda.operations.founding import identity_content
from servanda.proof.canonical import encode
from servanda.proof.envelope import MANIFEST_TYPE
from servanda.proof.keys import key_id
from servanda.proof.sealing import disclose, seal
from tests.rig.pen import frame_value, insert, leaf_by_hand, refer, seal_by_hand
from tests.rig.world import ROLES, World, held, roots_of, row, signer, three

FULL: dict[str, Any] = {"extent": "full", "received": [], "condition": None}
SALT = bytes(range(16))
STRANGER = signer("stranger")


class Scene(NamedTuple):
    """What lies in the journals before the faulty entry is written."""

    world: World
    entries: dict[str, Entry]

    @property
    def ash(self) -> Centre:
        return self.world.centres["ash"]

    def ref(self, name: str) -> dict[str, Any]:
        return refer(self.entries[name])


def _rotated(world: World) -> None:
    """Ash retires the officer `old`, whom an identity entry has stated before."""
    centre = world.centres["ash"]
    old = {"custody": "centre", "id": "old", "roles": ["author", "release"], "type": "ed25519"}
    old["public"] = base64.b64encode(STRANGER.public).decode()
    for officers in ([old], []):
        content = identity_content(centre.signers, roots_of("ash"), 2, ROLES, {"en": "ash"})
        content["officers"] += officers
        members = {"act": "notify", "author": "root", "format": "identity", "pack": None, "releaser": None}
        value = frame_value(centre, content=content, heads=[], receipts=[], **members)
        insert(centre, seal_by_hand(value, sorted(roots_of("ash")[:2], key=lambda root: key_id(root.public))))


@cache
def _prepared() -> Scene:
    world = three()
    _rotated(world)
    say, found = world.say, {}
    found["declared"] = say("ash", "declare", {"lots": [row(10), row(5)]})
    lot = f"{found['declared'].place}/0"
    sealed, openings = seal({"text": "secret"}, {"text": SALT})
    found["sealed"] = insert_note(world, sealed)
    found["revealed"] = say("ash", "reveal", {"disclosures": openings}, refers_to=[found["sealed"].place])
    found["question"] = say("ash", "question", {"text": "?"})
    found["note"] = say("birch", "note", {"text": "by birch"})
    world.sync()
    for name, named in (("to-ash", ["ash"]), ("to-both", ["ash", "cedar"]), ("elsewhere", ["cedar"])):
        found[name] = say("birch", "proposal", {"text": name}, named=named)
    found["handover"] = say(
        "ash", "handover", {"lots": [held(lot, 10)], "receiver": "birch", "place": "store"}, named=["birch"]
    )
    world.sync()
    birch_lot = say("birch", "declare", {"lots": [row(8)]})
    world.sync()
    content = {"lots": [held(f"{birch_lot.place}/0", 8)], "receiver": "ash", "place": "store"}
    found["of custody"] = say("birch", "handover", content, named=["ash"])
    found["answered"] = say("birch", "proposal", {"text": "a"}, named=["ash"])
    found["declined"] = say("birch", "proposal", {"text": "d"}, named=["ash"])
    found["old version"] = say("birch", "proposal", {"text": "v1"}, named=["ash"])
    world.sync()
    old = str(found["old version"].place)
    found["new version"] = say("birch", "proposal", {"text": "v2"}, named=["ash"], thread=old)
    found["acceptance"] = say("ash", "accept", FULL, refers_to=[found["answered"].place])
    found["refusal"] = say("ash", "refuse", {"reason": "no"}, refers_to=[found["declined"].place])
    found["mine"] = say("ash", "proposal", {"text": "m"}, named=["birch"])
    world.sync()
    condition = FULL | {"condition": {"confirmer": "ash", "text": "if ash says so"}}
    found["conditional"] = say("birch", "accept", condition, refers_to=[found["mine"].place])
    condition = FULL | {"condition": {"confirmer": "cedar", "text": "if cedar says so"}}
    found["for cedar"] = say("cedar", "accept", condition, refers_to=[found["elsewhere"].place])
    world.sync()
    found["decided"] = say("ash", "condition", {"outcome": "confirmed"}, refers_to=[found["conditional"].place])
    found["acknowledged"] = world.alone(
        "ash", "acknowledge", {"disposition": "accepted", "reason": ""}, refers_to=[found["note"].place]
    )
    found["correction"] = say(
        "ash", "correct", {"content": {"text": "??"}, "reason": "r"}, refers_to=[found["question"].place]
    )
    world.sync()
    thread = say("birch", "proposal", {"text": "cross"}, named=["ash", "cedar"])
    world.sync()
    found["cross 1"] = say("birch", "proposal", {"text": "1"}, named=["ash", "cedar"], thread=str(thread.place))
    found["cross 2"] = say("cedar", "proposal", {"text": "2"}, named=["ash", "birch"], thread=str(thread.place))
    world.sync()
    world.say("ash", "note", {"text": "covers all"})
    world.sync()
    for party in ("cedar", "birch"):  # birch covers what cedar writes; ash holds both and has covered neither
        found[f"fresh {party}"] = say(party, "note", {"text": "fresh"})
        world.sync(cite=False)
    return Scene(world, found)


def insert_note(world: World, content: dict[str, Any]) -> Entry:
    entry = insert(world.centres["ash"], leaf_by_hand(world.centres["ash"], content=content))
    assert entry is not None
    assert entry.admissible, entry.reason
    return entry


def scene() -> Scene:
    """A scene of its own, in which ash may write anything next."""
    prepared = _prepared()
    return Scene(prepared.world.clone(), prepared.entries)


Writer = Callable[[Scene], bytes]


def by_hand(**members: Any) -> Writer:
    """A leaf with these members; text `@name` in a reference stands for the reference to that entry of the scene."""

    def leaf(scene: Scene) -> bytes:
        return leaf_by_hand(scene.ash, **{name: resolved(scene, value) for name, value in members.items()})

    return leaf


def resolved(scene: Scene, value: Any) -> Any:
    if isinstance(value, str) and value.startswith("@"):
        return scene.ref(value[1:])
    if isinstance(value, str) and value.startswith("lot@"):
        return f"{scene.entries[value[4:]].place}/0"
    if isinstance(value, list):
        return [resolved(scene, item) for item in value]
    if isinstance(value, dict):
        return {name: resolved(scene, item) for name, item in value.items()}
    return value


def entry(form: str, act: str, content: dict[str, Any], *refers: str, **members: Any) -> Writer:
    return by_hand(format=form, act=act, content=content, refers_to=[f"@{name}" for name in refers], **members)


def offer(
    form: str = "proposal", content: dict[str, Any] | None = None, named: Any = ("birch",), **members: Any
) -> Writer:
    return entry(form, "offer", content or {"text": "o"}, named=list(named), **members)


def accept(target: str, **members: Any) -> Writer:
    return entry("accept", "accept", FULL | members, target)


def correct(target: str, content: dict[str, Any] | None = None) -> Writer:
    return entry("correct", "correct", {"content": content or {"text": "new"}, "reason": "r"}, target)


def changed(change: Callable[[dict[str, Any]], Any]) -> Writer:
    """A note whose frame `change` has spoiled."""

    def leaf(scene: Scene) -> bytes:
        value = frame_value(scene.ash)
        value = change(value) or value
        officers = scene.ash.signers.officers
        return seal_by_hand(value, [officers["desk"], officers["chief"]])

    return leaf


def signed_by(*names: str, **members: Any) -> Writer:
    """A note signed by others than its frame names, in this order."""

    def leaf(scene: Scene) -> bytes:
        keys = {**scene.ash.signers.officers, "stranger": STRANGER, "centre": scene.ash.signers.centre}
        return seal_by_hand(frame_value(scene.ash, **members), [keys[name] for name in names])

    return leaf


def under_roots(count: int, **members: Any) -> Writer:
    def leaf(scene: Scene) -> bytes:
        value = frame_value(scene.ash, author="root", releaser=None, **members)
        return seal_by_hand(value, sorted(roots_of("ash")[:count], key=lambda root: key_id(root.public)))

    return leaf


def branch(scene: Scene, size: int, root: str | None = None) -> bytes:
    tree = scene.ash.journal.tree
    content = {"size": size, "root": root or tree.root(min(size, tree.size)).hex()}
    return under_roots(2, format="branch", act="notify", pack=None, content=content)(scene)


def spoiled_signature(scene: Scene) -> bytes:
    leaf = leaf_by_hand(scene.ash)
    at = leaf.index(b'"sig":"') + 10
    return leaf[:at] + (b"B" if leaf[at : at + 1] == b"A" else b"A") + leaf[at + 1 :]


def receipt(by: str, size: int, cosignature: str | None = None) -> list[dict[str, Any]]:
    return [{"by": by, "cosignature": cosignature or base64.b64encode(bytes(76)).decode(), "size": size}]


def again(scene: Scene) -> bytes:
    """A receipt that has been cited before."""
    cited = [c for e in scene.ash.journal.entries if e.frame for c in e.frame.receipts if c.by == "birch"][-1]
    return leaf_by_hand(scene.ash, receipts=receipt("birch", cited.size, cited.cosignature))


def on_another_size(scene: Scene) -> bytes:
    """A receipt of one size cited for another."""
    frame = frame_value(scene.ash)
    fresh = next(r for r in frame["receipts"] if r["by"] == "birch")
    return leaf_by_hand(scene.ash, receipts=receipt("birch", fresh["size"] - 1, fresh["cosignature"]))


def head(scene: Scene, party: str, size: int) -> dict[str, Any]:
    return {"party": party, "root": scene.ash.record.journals[party].tree.root(size).hex(), "size": size}


def covering_one_only(scene: Scene) -> bytes:
    """Covers what birch wrote after it had seen cedar's last entry, but not that."""
    return leaf_by_hand(scene.ash, heads=[head(scene, "birch", scene.entries["fresh birch"].place.number)])


def not_grown(scene: Scene) -> bytes:
    return leaf_by_hand(scene.ash, heads=[head(scene, "birch", scene.ash.journal.entries[-1].heads["birch"])])


def own_head(scene: Scene) -> bytes:
    return leaf_by_hand(scene.ash, heads=[head(scene, "ash", 2)])


def reference(name: str = "note", **changes: Any) -> Writer:
    def leaf(scene: Scene) -> bytes:
        return leaf_by_hand(scene.ash, heads=[], refers_to=[scene.ref(name) | changes])

    return leaf


def itself(scene: Scene) -> bytes:
    number = scene.ash.journal.size + 1
    return leaf_by_hand(scene.ash, refers_to=[{"leaf": "00" * 32, "number": number, "party": "ash"}])


def without(value: dict[str, Any], name: str) -> None:
    del value[name]


HELD: list[dict[str, Any]] = [{"lot": "lot@of custody", "quantity": {"amount": 8, "basis": "stated", "unit": "g"}}]


def received(**changes: Any) -> Writer:
    """A partial acceptance of birch's handover with a changed item."""

    def leaf(scene: Scene) -> bytes:
        frame = scene.entries["of custody"].frame
        assert frame is not None
        item = {
            "lot": frame.content["lots"][0]["lot"],
            "quantity": {"amount": 3, "basis": "stated", "unit": "g"},
        } | changes
        return accept("of custody", extent="part", received=[item])(scene)

    return leaf


CONDITION = {"confirmer": "cedar", "text": "if"}
DESTROY = {"method": "m", "place": "works", "evidence": [], "residue": []}
LOT = [{"lot": "lot@declared", "quantity": {"amount": 10, "basis": "stated", "unit": "g"}}]

FAULTS: dict[str, dict[str, Writer]] = {
    "unreadable": {
        "no bytes": lambda scene: b"",
        "no JSON": lambda scene: b"\xff\xfe",
        "no envelope": lambda scene: b"{}",
        "an envelope with a space": lambda scene: leaf_by_hand(scene.ash).replace(b":", b": ", 1),
        "a manifest": lambda scene: seal_by_hand({}, [STRANGER], MANIFEST_TYPE),
        "too many bytes": lambda scene: leaf_by_hand(scene.ash)[:-1] + b" " * 262_144 + b"}",
        "nested without end": lambda scene: b"[" * 100_000,
    },
    "frame": {
        "a payload that is no JSON": lambda scene: seal_by_hand(b"{", [STRANGER]),
        "a payload that is a list": lambda scene: seal_by_hand([], [STRANGER]),
        "a payload with a space": changed(lambda v: encode(v).replace(b",", b", ", 1)),
        "a payload nested too deep": changed(lambda v: b'{"a":' + b"[" * 90_000 + b"]" * 90_000 + b"}"),
        "a member missing": changed(lambda v: without(v, "remarks")),
        "a member too many": changed(lambda v: v | {"colour": "red"}),
        "an unknown act": changed(lambda v: v | {"act": "shout"}),
        "version 0": changed(lambda v: v | {"version": 0}),
        "a version that is true": changed(lambda v: v | {"version": True}),
        "addressees out of order": changed(lambda v: v | {"to": ["cedar", "birch"]}),
        "an addressee twice": changed(lambda v: v | {"to": ["birch", "birch"]}),
        "itself among the addressees": changed(lambda v: v | {"to": ["ash"]}),
        "named parties of a note": changed(lambda v: v | {"named": ["birch"]}),
        "an offer that names null": changed(lambda v: v | {"act": "offer", "format": "proposal"}),
        "a thread of a note": changed(lambda v: v | {"thread": {"leaf": "00" * 32, "number": 1, "party": "ash"}}),
        "an exercise without its clock": changed(lambda v: v | {"status": "exercise"}),
        "a clock without an exercise": changed(lambda v: v | {"exercise-at": "2014-01-01T00:00:00Z"}),
        "a release in local time": changed(lambda v: v | {"released-at": "2014-01-01T00:00:00+02:00"}),
        "a release on no day": changed(lambda v: v | {"released-at": "2014-02-30T00:00:00Z"}),
        "a date that is none": changed(lambda v: v | {"event-at": "yesterday"}),
        "a subject of 501 characters": changed(lambda v: v | {"subject": "x" * 501}),
        "a language that is none": changed(lambda v: v | {"language": "English"}),
        "a weekday that is none": changed(lambda v: v | {"as-stated": {"text": "t", "weekday": "caturday"}}),
        "257 references": changed(
            lambda v: v | {"refers-to": [{"leaf": "00" * 32, "number": 1, "party": "ash"}] * 257}
        ),
        "heads out of order": changed(
            lambda v: v | {"heads": [{"party": p, "root": "00" * 32, "size": 1} for p in ("cedar", "birch")]}
        ),
        "a number beyond 2^53": changed(lambda v: v | {"number": 2**53 - 1, "precedence": 7}),
        "content that is a list": changed(lambda v: v | {"content": []}),
    },
    "version": {
        "version 2": changed(lambda v: v | {"version": 2}),
        "version 9 with other members": changed(lambda v: {"version": 9, "verse": "of it"}),
    },
    "misplaced": {
        "the journal of another": by_hand(party="birch"),
        "another number": by_hand(number=2),
        "another agreement": by_hand(agreement="ab" * 32),
    },
    "signature": {
        "a signature that does not verify": spoiled_signature,
        "the signatures in the wrong order": signed_by("chief", "desk"),
        "one signature too few": signed_by("desk"),
        "one signature too many": signed_by("desk", "chief", "duty"),
        "a stranger's signature": signed_by("desk", "stranger"),
        "the centre with a releaser": signed_by("centre", author="centre"),
        "an officer's key for the centre": signed_by("desk", author="centre", releaser=None),
        "a note by the root": under_roots(2),
        "a branch by too few": lambda scene: under_roots(
            1, format="branch", act="notify", pack=None, content={"size": 1, "root": "00" * 32}
        )(scene),
    },
    "unknown-key": {"an author whom nobody knows": signed_by("stranger", "chief", author="nobody")},
    "retired-key": {
        "an author who was retired": signed_by("stranger", "chief", author="old"),
        "a releaser who was retired": signed_by("desk", "stranger", releaser="old"),
    },
    "wrong-role": {
        "a releaser who may not release": signed_by("chief", "desk", author="chief", releaser="desk"),
        "an author on watch only": signed_by("duty", "chief", author="duty"),
        "an author alone who is not on watch": signed_by("desk", format="alert", releaser=None),
    },
    "own-release": {"own text": signed_by("chief", "desk", author="chief", releaser="chief")},
    "identity": {
        "an identity by officers": by_hand(format="identity", pack=None, heads=[], receipts=[], content={}),
        "an identity that addresses somebody": under_roots(2, format="identity", pack=None, to=["birch"], content={}),
    },
    "heads": {
        "its own head": own_head,
        "a head that has not grown": not_grown,
        "a past that is not closed": covering_one_only,
    },
    "reference": {
        "an entry that it does not cover": reference("fresh birch"),
        "another leaf at that place": reference("note", leaf="00" * 32),
        "an entry that nobody has written": reference("note", number=10_000),
        "a party that nobody knows": reference("note", party="yew"),
        "itself": itself,
        "a thread that it does not cover": offer(heads=[], thread={"leaf": "00" * 32, "number": 99, "party": "birch"}),
    },
    "receipt": {
        "a receipt by itself": by_hand(receipts=receipt("ash", 1)),
        "a receipt by nobody": by_hand(receipts=receipt("yew", 1)),
        "a receipt ahead of itself": by_hand(receipts=receipt("birch", 10_000)),
        "a receipt that does not verify": by_hand(receipts=receipt("birch", 12)),
        "a receipt cited before": again,
        "a receipt to another size": on_another_size,
    },
    "pack": {
        "no pack": by_hand(pack=None),
        "another pack": by_hand(pack="ab" * 32),
        "an adoption under a pack": entry("adopt", "accept", {"pack": "ab" * 32}),
        "the first pack adopted again": lambda scene: entry(
            "adopt", "accept", {"pack": scene.world.pack.digest}, pack=None
        )(scene),
    },
    "format": {
        "a format that nobody knows": by_hand(format="sonnet"),
        "a version that nobody knows": by_hand(format_version=2),
    },
    "act": {
        "a note that inquires": by_hand(act="inquire"),
        "a refusal that accepts": entry("refuse", "accept", {}, "to-ash"),
    },
    "release": {
        "a note by one": by_hand(author="duty", releaser=None),
        "an alert by two": by_hand(format="alert"),
        "a citation by two": by_hand(format="citation", content={}),
        "a note by the centre": by_hand(author="centre", releaser=None),
        "an acknowledgement by two": entry(
            "acknowledge", "acknowledge", {"disposition": "accepted", "reason": ""}, "note"
        ),
        "a branch by two": by_hand(format="branch", pack=None, content={"size": 1, "root": "00" * 32}),
    },
    "addressee": {"a stranger addressed": by_hand(to=["yew"]), "a stranger named": offer(named=("yew",))},
    "content": {
        "a field missing": by_hand(content={}),
        "a field too many": by_hand(content={"text": "x", "colour": "red"}),
        "a field of another type": by_hand(content={"text": 1}),
        "no lots declared": entry("declare", "notify", {"lots": []}),
        "a negative amount": entry(
            "declare", "notify", {"lots": [row(1) | {"quantity": {"amount": -1, "basis": "stated", "unit": "g"}}]}
        ),
        "a lot name that is none": entry("move", "notify", {"lot": "ash", "place": "works"}),
        "no reason for a refusal": entry("refuse", "refuse", {"reason": ""}, "to-ash"),
        "more done than there is": entry(
            "report",
            "notify",
            {"text": "t", "performs": [{"obligation": "SHARE", "extent": "part", "done": 3, "of": 2}]},
        ),
        "less than nothing received": received(quantity={"amount": -1, "basis": "stated", "unit": "g"}),
        "an amount that is true": received(quantity={"amount": True, "basis": "stated", "unit": "g"}),
        "a part of nothing": entry(
            "report",
            "notify",
            {"text": "t", "performs": [{"obligation": "SHARE", "extent": "part", "done": 0, "of": 0}]},
        ),
    },
    "offer": {
        "nobody named": offer(named=()),
        "itself named": offer(named=("ash", "birch")),
        "another than the receiver named": offer(
            "handover", {"lots": LOT, "receiver": "birch", "place": "store"}, ("cedar",)
        ),
        "more than the receiver named": offer(
            "handover", {"lots": LOT, "receiver": "birch", "place": "store"}, ("birch", "cedar")
        ),
        "a witness of the format not named": offer("scuttle", DESTROY | {"lots": LOT}, ("cedar",)),
        "a thread that is no offer": offer(thread="@note"),
        "a thread that is no first offer": offer(thread="@new version"),
        "a thread of others": offer(thread="@elsewhere"),
        "a thread in which it names too few": offer(thread="@to-both"),
        "a thread in which it names others": offer(thread="@to-ash", named=("cedar",)),
        "a thread of another format": offer("extend", {"obligation": "FIXED", "due": "2014-05-01"}, thread="@to-ash"),
    },
    "accept": {
        "nothing referred to": entry("accept", "accept", FULL),
        "a note": accept("note"),
        "an offer to others": accept("elsewhere"),
        "its own offer": accept("mine"),
        "an offer accepted before": accept("answered"),
        "an offer refused before": accept("declined"),
        "a version that is superseded": accept("old version"),
        "an offer that has crossed another": accept("cross 1"),
        "all, with a list of what was received": accept("of custody", received=HELD),
        "a part of what cannot be divided": accept("to-ash", extent="part"),
        "a part, with no list": accept("of custody", extent="part"),
        "a part of another lot": received(lot="ash/9/9"),
        "more than was offered": received(quantity={"amount": 9, "basis": "stated", "unit": "g"}),
        "another unit": received(quantity={"amount": 1, "basis": "stated", "unit": "piece"}),
        "an amount not stated": received(quantity={"basis": "not-stated", "unit": "g"}),
        "an amount that is derived": received(quantity={"amount": 1, "basis": "derived", "unit": "g"}),
        "custody on a condition": accept("of custody", condition=CONDITION),
        "a condition that a stranger confirms": accept("to-ash", condition=CONDITION | {"confirmer": "yew"}),
    },
    "refuse": {
        "an offer to others": entry("refuse", "refuse", {"reason": "r"}, "elsewhere"),
        "its own offer": entry("refuse", "refuse", {"reason": "withdrawn"}, "handover"),
        "an offer accepted before": entry("refuse", "refuse", {"reason": "r"}, "answered"),
        "an offer refused before": entry("refuse", "refuse", {"reason": "r"}, "declined"),
        "a note": entry("refuse", "refuse", {"reason": "r"}, "note"),
    },
    "condition": {
        "decided before": entry("condition", "notify", {"outcome": "failed"}, "conditional"),
        "for another to decide": entry("condition", "notify", {"outcome": "failed"}, "for cedar"),
        "an acceptance without a condition": entry("condition", "notify", {"outcome": "failed"}, "acceptance"),
        "a note": entry("condition", "notify", {"outcome": "failed"}, "note"),
        "nothing referred to": entry("condition", "notify", {"outcome": "failed"}),
    },
    "lapse": {"where the pack lets nothing lapse": entry("lapse", "notify", {"reason": "r"}, "to-ash")},
    "correct": {
        "an entry of another": correct("note"),
        "an offer": correct("mine"),
        "an acceptance": correct("acceptance", FULL),
        "a refusal": correct("refusal", {"reason": "r"}),
        "a reveal": correct("revealed", {"disclosures": []}),
        "a decided condition": correct("decided", {"outcome": "failed"}),
        "an acknowledgement": correct("acknowledged", {"disposition": "rejected", "reason": "r"}),
        "a correction": correct("correction", {"content": {"text": "x"}, "reason": "r"}),
        "content that does not fit": correct("question", {"colour": "red"}),
        "nothing": entry("correct", "correct", {"content": {}, "reason": "r"}),
    },
    "acknowledge": {
        "nothing": by_hand(
            format="acknowledge",
            act="acknowledge",
            author="duty",
            releaser=None,
            content={"disposition": "accepted", "reason": ""},
        ),
        "its own entry": by_hand(
            format="acknowledge",
            act="acknowledge",
            author="duty",
            releaser=None,
            refers_to=["@note", "@question"],
            content={"disposition": "accepted", "reason": ""},
        ),
    },
    "reveal": {
        "what another has sealed": entry("reveal", "reveal", {"disclosures": [disclose(SALT, "text", "x")]}, "note"),
        "what is not sealed there": entry("reveal", "reveal", {"disclosures": [disclose(SALT, "text", "x")]}, "sealed"),
        "what is no disclosure": entry("reveal", "reveal", {"disclosures": ["secret"]}, "sealed"),
        "a disclosure nested without end": entry(
            "reveal",
            "reveal",
            {
                "disclosures": [
                    base64.urlsafe_b64encode(b'["' + b"A" * 22 + b'","a",' + b"[" * 90_000).decode().rstrip("=")
                ]
            },
            "sealed",
        ),
        "nothing": entry("reveal", "reveal", {"disclosures": ["x"]}),
    },
    "branch": {
        "another root": lambda scene: branch(scene, 2, "00" * 32),
        "a size that it does not have": lambda scene: branch(scene, scene.ash.journal.size + 1),
    },
}
"""Code to what is wrong to who writes it. Code `sender` needs another author: see `ordered_by`."""


def ordered_by(centre: Centre) -> bytes:
    """An order, which the pack lets ash alone send."""
    return leaf_by_hand(centre, format="order", content={"text": "march"})
