# SPDX-License-Identifier: Apache-2.0
"""What a counterpart sends wrongly is refused, or stored and shown without effect; what was held stays whole."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from servanda.operations.bundles import export_bundle
from servanda.operations.centre import Centre, Signers
from servanda.operations.desk import dispatch
from servanda.operations.errors import Conflict
from servanda.operations.founding import identity_content, state_identity
from servanda.operations.ports import Push
from servanda.operations.receiving import BYTES_MAX, receive
from servanda.proof.canonical import encode
from servanda.registers.custody.views import balances_bytes
from tests.bad_input.whole import refused, state_of
from tests.dossier.forgery import pins_of, verdicts
from tests.rig.packs import lake
from tests.rig.pen import frame_value, insert, leaf_by_hand, seal_by_hand
from tests.rig.world import World, grams, roots_of, signers_of


@pytest.fixture
def world() -> World:
    return World(lake())


def push_of(world: World, first: int, leaves: tuple[bytes, ...] | None = None, size: int | None = None) -> Push:
    ash = world.centres["ash"]
    own = tuple(ash.store.leaves("ash", first, 1000)) if leaves is None else leaves
    return Push("ash", first, own, ash.note_at(size or ash.journal.size))


# ------------------------------------------------------------------------------------- numbers, places, whole messages


def test_a_number_skipped_is_refused_as_a_gap(world: World) -> None:
    for _ in range(2):
        world.say("ash", "note", {"text": "calm"})
    birch = world.centres["birch"]
    with refused(birch, "gap", "2 are held"):
        receive(birch, push_of(world, 4), "ash")
    with refused(birch, "gap"):
        receive(birch, push_of(world, 0), "ash")


def test_a_number_used_again_is_a_conflict_that_names_the_entry(world: World) -> None:
    world.say("ash", "note", {"text": "calm"})
    world.sync()
    birch, number = world.centres["birch"], world.centres["ash"].journal.size
    other = leaf_by_hand(world.centres["ash"], number=number, content={"text": "storm"})
    with refused(birch, "conflict", f"ash/{number}"):
        receive(birch, push_of(world, number, (other,)), "ash")
    with pytest.raises(Conflict) as caught:
        receive(birch, push_of(world, number, (other,)), "ash")
    assert caught.value.exit_status == 4
    assert caught.value.held == birch.store.checkpoint("ash")


def test_leaves_without_the_checkpoint_that_proves_them_are_refused(world: World) -> None:
    world.say("ash", "note", {"text": "calm"})
    birch, ash = world.centres["birch"], world.centres["ash"]
    good = push_of(world, 3)
    lines = ash.note_at(3).decode().split("\n")
    notes = {
        "checkpoint": [
            b"",
            b"\xff",
            world.centres["birch"].note_at(2),
            "\n".join([lines[0], "4", *lines[2:]]).encode(),
            "\n".join([lines[0], *lines[1:3], "", *lines[4:-1], "— x AAAA", ""]).encode().replace(b"A" * 8, b"B" * 8),
            ash.note_at(3)[:-6] + b"AAAA=\n",
            ash.note_at(3).split(b"\n\n")[0] + b"\n\n",
        ],
    }
    for code, texts in notes.items():
        for note in texts:
            if note == ash.note_at(3):
                continue
            with refused(birch, (code, "conflict")):
                receive(birch, good._replace(checkpoint=note), "ash")
    with refused(birch, ("checkpoint", "conflict")):
        receive(birch, good._replace(leaves=(*good.leaves, good.leaves[0])), "ash")
    with refused(birch, ("checkpoint", "conflict")):
        receive(birch, good._replace(leaves=(b"",)), "ash")


def test_only_a_party_itself_brings_its_journal_and_nobody_brings_ours(world: World) -> None:
    world.say("ash", "note", {"text": "calm"})
    birch, push = world.centres["birch"], push_of(world, 3)
    with refused(birch, "wrong-journal", "elm"):
        receive(birch, push, "elm")
    with refused(birch, "wrong-journal"):
        receive(birch, push._replace(journal="elm"), "elm")
    with refused(birch, "wrong-journal"):
        receive(birch, push._replace(journal="birch"))


def test_a_push_over_the_limits_is_refused(world: World) -> None:
    birch = world.centres["birch"]
    with refused(birch, "over-size"):
        receive(birch, push_of(world, 3, (b"x",) * 1001), "ash")
    with refused(birch, "over-size"):
        receive(birch, push_of(world, 3, (b"x" * (BYTES_MAX + 1),)), "ash")


# ------------------------------------------------------------------- entries that are stored and shown, without effect


def payload_with(change: Callable[[bytes], bytes]) -> Callable[[Centre], bytes]:
    """A leaf whose payload is altered as text, and signed by both officers as it stands."""

    def written(centre: Centre) -> bytes:
        officers = centre.signers.officers
        altered = change(encode(frame_value(centre)))
        assert altered != encode(frame_value(centre))
        return seal_by_hand(altered, [officers["desk"], officers["chief"]])

    return written


def by(*names: str, **members: Any) -> Callable[[Centre], bytes]:
    """A leaf signed by these officers, whatever its frame says."""
    return lambda centre: seal_by_hand(frame_value(centre, **members), [centre.signers.officers[n] for n in names])


def framed(**members: Any) -> Callable[[Centre], bytes]:
    return lambda centre: leaf_by_hand(centre, **members)


def amount(text: str) -> Callable[[Centre], bytes]:
    """A declaration of so much, as its author wrote the number."""

    def written(centre: Centre) -> bytes:
        lots = {"lots": [{"kind": "cargo", "place": "store", "quantity": {**grams(0), "amount": 424_242}}]}
        value = encode(frame_value(centre, format="declare", content=lots)).replace(b"424242", text.encode())
        return seal_by_hand(value, [centre.signers.officers["desk"], centre.signers.officers["chief"]])

    return written


def reference(**members: Any) -> list[dict[str, Any]]:
    return [{"leaf": "0" * 64, "number": 1, "party": "birch", **members}]


INADMISSIBLE: dict[str, tuple[Callable[[Centre], bytes], str]] = {
    "an unknown format": (framed(format="telegram"), "format"),
    "an unknown version of a format": (framed(format_version=9), "format"),
    "an unknown act": (framed(act="shout"), "frame"),
    "another act than the format's": (framed(act="inquire"), "act"),
    "an unknown party among the addressees": (framed(to=["elm"]), "addressee"),
    "the own party among the addressees": (framed(to=["ash"]), "frame"),
    "the name of another party": (framed(party="birch"), "misplaced"),
    "the number before": (framed(number=2), "misplaced"),
    "a number skipped": (framed(number=99), "misplaced"),
    "another agreement": (framed(agreement="0" * 64), "misplaced"),
    "another pack": (framed(pack="0" * 64), "pack"),
    "no pack": (framed(pack=None), "pack"),
    "an unknown officer": (by("desk", "chief", author="admiral"), "unknown-key"),
    "an author without the role": (by("duty", "chief", author="duty"), "wrong-role"),
    "a releaser without the role": (by("desk", "duty", releaser="duty"), "wrong-role"),
    "own text released by its author": (by("chief", author="chief", releaser="chief"), "own-release"),
    "own text released, signed by another": (by("chief", "desk", author="chief", releaser="chief"), "own-release"),
    "one signature too few": (by("desk"), "signature"),
    "one signature too many": (by("desk", "chief", "duty"), "signature"),
    "the signatures in the wrong order": (by("chief", "desk"), "signature"),
    "the signature of a stranger": (lambda c: seal_by_hand(frame_value(c), [signers_of("elm").centre]), "signature"),
    "release by one where two are needed": (framed(author="duty", releaser=None), "release"),
    "content that does not fit": (framed(content={"text": 7}), "content"),
    "a reference to what does not exist": (framed(refers_to=reference(number=99)), "reference"),
    "a reference with another hash": (framed(refers_to=reference()), "reference"),
    "a stale head": (framed(heads=[{"party": "birch", "root": "0" * 64, "size": 1}]), "heads"),
    "a receipt that does not verify": (
        framed(receipts=[{"by": "birch", "cosignature": base64.b64encode(bytes(76)).decode(), "size": 2}]),
        "receipt",
    ),
    "a member twice": (payload_with(lambda p: p[:-1] + b',"version":1}'), "frame"),
    "a member twice, with another value": (payload_with(lambda p: b'{"act":"offer",' + p[1:]), "frame"),
    "a member more": (payload_with(lambda p: p[:-1] + b',"zeal":1}'), "frame"),
    "white space": (payload_with(lambda p: p.replace(b'","', b'", "', 1)), "frame"),
    "members out of order": (payload_with(lambda p: b'{"version":1,' + p[1 : p.rindex(b',"version"')] + b"}"), "frame"),
    "a lone surrogate": (payload_with(lambda p: p.replace(b"by hand", b"by \\ud800 hand")), "frame"),
    "an escape that nobody needs": (payload_with(lambda p: p.replace(b"by hand", b"by \\u0068and")), "frame"),
    "bytes that are not UTF-8": (payload_with(lambda p: p.replace(b"by hand", b"by \xff hand")), "frame"),
    "a byte order mark": (payload_with(lambda p: b"\xef\xbb\xbf" + p), "frame"),
    "nothing": (payload_with(lambda p: b""), "frame"),
    "a list": (payload_with(lambda p: b"[]"), "frame"),
    "nesting without end": (payload_with(lambda p: b"[" * 5000 + b"]" * 5000), "frame"),
    "a newer version": (payload_with(lambda p: p.replace(b'"version":1}', b'"version":2}')), "version"),
    "a version in a string": (payload_with(lambda p: p.replace(b'"version":1}', b'"version":"1"}')), "frame"),
    "half a gram": (amount("0.5"), "frame"),
    "a whole number with a fraction": (amount("424242.0"), "frame"),
    "an exponent": (amount("4e2"), "frame"),
    "an integer of 54 bits": (amount("9007199254740992"), "frame"),
    "an integer of 5,000 digits": (amount("9" * 5000), "frame"),
    "minus zero": (amount("-0"), "frame"),
    "less than nothing": (amount("-1"), "content"),
    "a leading zero": (amount("0424242"), "frame"),
    "not a number": (amount("NaN"), "frame"),
    "a date in words": (framed(event_at="soon"), "frame"),
    "an instant that does not exist": (framed(released_at="2026-02-30T00:00:00.000Z"), "frame"),
    "a payload of another type": (
        lambda c: seal_by_hand(b"{}", [c.signers.officers["desk"]], "application/vnd.servanda.manifest.v1+json"),
        "unreadable",
    ),
    "no envelope": (lambda c: b"{}", "unreadable"),
    "no JSON": (lambda c: b"over and out", "unreadable"),
    "an envelope with white space": (lambda c: leaf_by_hand(c).replace(b'":"', b'": "', 1), "unreadable"),
    "an envelope over the limit": (lambda c: b'{"payload":"' + b"A" * 262_200 + b'"}', "unreadable"),
}  # fmt: skip


LINE_BREAKS: dict[str, tuple[Callable[[Centre], bytes], str]] = {
    "a language with a line break": (framed(language="en\n"), "frame"),
    "a party with a line break": (framed(to=["birch\n"]), "frame"),
    "a receipt with a line break": (
        framed(receipts=[{"by": "birch", "cosignature": base64.b64encode(bytes(76)).decode() + "\n", "size": 2}]),
        "frame",
    ),
}
NAMES = [*INADMISSIBLE, *LINE_BREAKS]


@pytest.mark.parametrize("name", NAMES)
def test_has_no_effect_here_nor_there_and_both_show_why(name: str, world: World) -> None:
    written, code = {**INADMISSIBLE, **LINE_BREAKS}[name]
    ash, birch = world.centres["ash"], world.centres["birch"]
    before = {party: balances_bytes(centre.custody) for party, centre in world.centres.items()}
    entry = insert(ash, written(ash))
    assert entry is not None
    assert (entry.code, bool(entry.reason)) == (code, True)
    world.sync()
    for party, centre in world.centres.items():
        shown = dispatch(centre, {"command": "show", "entry": str(entry.place)})
        assert (shown["admissible"], shown["code"], shown["reason"]) == (False, code, entry.reason)
        assert balances_bytes(centre.custody) == before[party]
        assert dispatch(centre, {"command": "audit"}) == []
    found = verdicts(export_bundle(birch, "dossier"), pins_of(world))
    assert (found.ours, found.alone) == ("", "")
    assert found.report is not None
    assert [(item["entry"], item["code"]) for item in found.report.inadmissible] == [(str(entry.place), code)]
    assert [(item["entry"], item["code"]) for item in found.shown["inadmissible"]] == [(str(entry.place), code)]
    # The journal goes on behind it.
    assert world.say("ash", "note", {"text": "calm"}).admissible
    world.sync()
    assert birch.record.journals["ash"].size == entry.place.number + 1
    assert birch.journal.size == 2


def test_a_retired_key_signs_nothing_more(world: World) -> None:
    ash, birch = world.centres["ash"], world.centres["birch"]
    world.say("ash", "note", {"text": "calm"})
    roles = {"chief": ("author", "release"), "duty": ("watch",)}
    content = identity_content(ash.signers, roots_of("ash"), 2, roles, {"en": "ash"})
    state_identity(ash, content, roots_of("ash")[:2])
    with refused(ash, "unknown-key", "desk"):
        world.say("ash", "note", {"text": "still here"})
    entry = insert(ash, leaf_by_hand(ash))
    assert entry is not None
    assert entry.code == "retired-key"
    world.sync()
    judged = birch.record.entry(entry.place)
    assert judged is not None
    assert (judged.code, "desk" in judged.reason) == ("retired-key", True)


def test_a_centre_with_another_keyring_does_not_write(world: World) -> None:
    ash = world.centres["ash"]
    other: Signers = signers_of("ash", "stolen")
    opened = Centre("ash", world.pack, ash.store, other, world.clock)
    world.centres["ash"] = opened
    with refused(opened, ("signature", "wrong-key")):
        world.say("ash", "note", {"text": "it is me"})


def test_a_note_by_a_retired_centre_key_is_refused(world: World) -> None:
    ash, birch = world.centres["ash"], world.centres["birch"]
    old = ash.signers
    fresh = signers_of("ash", "new")
    content = identity_content(fresh, roots_of("ash"), 2, {"chief": ("author", "release")}, {"en": "ash"})
    size = ash.journal.size
    ash.signers = fresh
    state_identity(ash, content, roots_of("ash")[:2])
    world.sync()
    assert birch.record.journals["ash"].size == size + 1
    leaf = leaf_by_hand(ash, author="centre", releaser=None, format="citation", content={})
    assert insert(ash, leaf) is not None
    ash.signers = old
    with refused(birch, "checkpoint"):
        receive(birch, push_of(world, size + 2), "ash")


# --------------------------------------------------------------------------------------------------------------- dates


@pytest.mark.parametrize(
    ("event_at", "weekday", "flags"),
    [
        ("2013-02-30", None, ["date-does-not-exist"]),
        ("2013-02-29/2013-03-01", None, ["date-does-not-exist"]),
        ("2013-13", None, ["date-does-not-exist"]),
        ("2013-10-23", "monday", ["weekday-contradicts"]),
        ("2013-10-23", "wednesday", []),
        ("2013-10", "monday", []),
        ("../2013-10-23", "monday", []),
    ],
)
def test_dates_are_kept_as_stated_flagged_and_shown(
    event_at: str, weekday: str | None, flags: list[str], world: World
) -> None:
    as_stated = {"text": "the day after the storm", "weekday": weekday}
    draft = {
        "format": "note",
        "subject": "",
        "event-at": event_at,
        "author": "desk",
        "content": {"text": "so it is said"},
    }
    identifier = dispatch(world.centres["ash"], {"command": "draft", "draft": {**draft, "as-stated": as_stated}})
    dispatch(world.centres["ash"], {"command": "submit", "identifier": identifier})
    said = dispatch(world.centres["ash"], {"command": "release", "identifier": identifier, "officer": "chief"})
    world.sync()
    for centre in world.centres.values():
        shown = dispatch(centre, {"command": "show", "entry": said["entry"]})
        assert (shown["admissible"], shown["flags"]) == (True, flags)
        assert (shown["frame"]["event-at"], shown["frame"]["as-stated"]) == (event_at, as_stated)


def test_no_deadline_is_judged_by_a_date_that_does_not_exist(world: World) -> None:
    performs = {"text": "done", "performs": [{"extent": "full", "obligation": "FIXED"}]}
    world.say("ash", "report", performs, event_at="2014-02-30")
    world.sync()
    rows = dispatch(world.centres["birch"], {"command": "obligations", "at": "2014-02-28"})["obligations"]
    fixed = next(item for item in rows if item["id"] == "FIXED")
    assert (fixed["status"], fixed["evidence"], fixed["met-on"]) == ("due", [], None)


def test_whatever_is_refused_leaves_no_trace_for_the_next_who_opens_the_store(world: World) -> None:
    birch = world.centres["birch"]
    before = state_of(birch)
    with pytest.raises(Conflict):
        receive(birch, push_of(world, 2, (leaf_by_hand(world.centres["ash"], number=2),)), "ash")
    assert state_of(world.reopened("birch")) == before
