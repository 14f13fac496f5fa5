# SPDX-License-Identifier: Apache-2.0
"""What an officer may not send is refused at the desk, with its code, before anything is numbered or kept."""

from __future__ import annotations

from typing import Any

import pytest

from servanda.operations.centre import Centre
from servanda.operations.desk import dispatch
from servanda.operations.drafting import release_draft, submit_draft, write_draft
from servanda.operations.errors import Refusal
from servanda.storage.memory.store import MemoryStore
from tests.bad_input.whole import refused
from tests.rig.packs import lake
from tests.rig.world import World, held, row, signers_of

NOTE = {"text": "calm"}


@pytest.fixture
def world() -> World:
    return World(lake())


UNSENDABLE: dict[str, tuple[str, dict[str, Any], dict[str, Any], str]] = {
    "a format that the pack has not": ("telegram", NOTE, {}, "format"),
    "a version of a format that the pack has not": ("note", NOTE, {"format_version": 2}, "format"),
    "an addressee who is no party": ("note", NOTE, {"to": ("elm",)}, "addressee"),
    "an offer that names no party": (
        "handover",
        {"lots": [held("ash/3/0", 1)], "receiver": "elm", "place": "store"},
        {"named": ("elm",)},
        "addressee",
    ),
    "an author who is no officer": ("note", NOTE, {"author": "admiral"}, "unknown-key"),
    "an author without the role": ("note", NOTE, {"author": "duty"}, "wrong-role"),
    "content with a member that the format has not": ("note", {"text": "a", "more": 1}, {}, "content"),
    "content without what the format asks for": ("note", {}, {}, "content"),
    "content of another type": ("note", {"text": 5}, {}, "content"),
    "a reference to an entry that is not held": ("note", NOTE, {"refers_to": ("birch/99",)}, "reference"),
    "a reference that is none": ("note", NOTE, {"refers_to": ("the last one",)}, "reference"),
    "an unknown precedence": ("note", NOTE, {"precedence": "whenever"}, "frame"),
    "an unknown status": ("note", NOTE, {"status": "perhaps"}, "frame"),
    "an exercise without its clock": ("note", NOTE, {"status": "exercise", "exercise_at": None}, "frame"),
    "a date in words": ("note", NOTE, {"event_at": "last Tuesday"}, "frame"),
    "a date in other digits": ("note", NOTE, {"event_at": "\uff12\uff10\uff11\uff14"}, "frame"),
    "a subject of 501 characters": ("note", NOTE, {"subject": "x" * 501}, "frame"),
    "a language that is none": ("note", NOTE, {"language": "English please"}, "frame"),
    "an offer that names nobody": ("proposal", NOTE, {"named": ()}, "offer"),
    "a notice that names somebody": ("note", NOTE, {"named": ("birch",)}, "frame"),
    "the handover of a lot that nobody declared": (
        "handover",
        {"lots": [held("ash/99/0", 1)], "receiver": "birch", "place": "store"},
        {"named": ("birch",)},
        "posting/unknown-lot",
    ),
}


@pytest.mark.parametrize("name", UNSENDABLE)
def test_refused_at_the_desk(name: str, world: World) -> None:
    form, content, members, code = UNSENDABLE[name]
    with refused(world.centres["ash"], code):
        world.say("ash", form, content, **members)


def test_the_author_does_not_release_the_own_text(world: World) -> None:
    centre = world.centres["ash"]
    identifier = write_draft(centre, world.draft("note", NOTE, author="chief"))
    submit_draft(centre, identifier)
    with refused(centre, "own-release", "chief", "another officer"):
        release_draft(centre, identifier, "chief")


@pytest.mark.parametrize(("officer", "code"), [("duty", "wrong-role"), ("admiral", "unknown-key")])
def test_who_may_not_release_does_not(officer: str, code: str, world: World) -> None:
    centre = world.centres["ash"]
    identifier = write_draft(centre, world.draft("note", NOTE))
    submit_draft(centre, identifier)
    with refused(centre, code, officer):
        release_draft(centre, identifier, officer)


def test_what_needs_two_is_not_sent_alone(world: World) -> None:
    with refused(world.centres["ash"], "release", "two officers"):
        world.alone("ash", "note", NOTE)


def test_drafts_are_released_once_and_only_when_submitted(world: World) -> None:
    centre = world.centres["ash"]
    identifier = write_draft(centre, world.draft("note", NOTE))
    with refused(centre, "draft-state", identifier):
        release_draft(centre, identifier, "chief")
    submit_draft(centre, identifier)
    release_draft(centre, identifier, "chief")
    with refused(centre, "draft-state", "released"):
        release_draft(centre, identifier, "chief")
    with refused(centre, "no-draft", "d77"):
        release_draft(centre, "d77", "chief")


def test_an_entry_over_the_limit_is_refused(world: World) -> None:
    with refused(world.centres["ash"], "over-size"):
        world.say("ash", "note", {"text": "x" * 262_144})
    longest = world.say("ash", "note", {"text": "x" * 190_000})
    assert longest.admissible


NOT_WORTH_A_DRAFT = ("draft", "content")


@pytest.mark.parametrize(
    "content",
    [{"text": value} for value in (0.5, 1e400, 2**53, -(2**53), "\ud800", None, ["calm"])]
    + [{"größe": "x"}, {"text": "calm", "größe": "x"}],
)
def test_values_without_a_canonical_form_or_a_place_are_refused_when_drafted(content: Any, world: World) -> None:
    with refused(world.centres["ash"], NOT_WORTH_A_DRAFT):
        world.say("ash", "note", content)
    assert world.centres["ash"].store.drafts() == [d for d in world.centres["ash"].store.drafts() if d.state != "draft"]


@pytest.mark.parametrize("amount", [0.5, 1e6, -1, 2**53, "7", None, True, [7]])
def test_quantities_are_whole_numbers_of_their_unit(amount: Any, world: World) -> None:
    lot = {"kind": "cargo", "place": "store", "quantity": {"amount": amount, "basis": "stated", "unit": "g"}}
    with refused(world.centres["ash"], NOT_WORTH_A_DRAFT):
        world.say("ash", "declare", {"lots": [lot]})


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "note",
        {},
        {"format": "note"},
        {"format": "note", "subject": "", "event-at": "2014", "author": "desk", "number": 7},
        {"format": "note", "subject": "", "event-at": "2014", "author": "desk", "content": []},
        {"format": "note", "subject": 1, "event-at": "2014", "author": "desk"},
        {"format": "note", "subject": "", "event-at": "2014", "author": "desk", "act": "shout"},
    ],
)
def test_a_draft_that_is_none_is_refused(data: Any, world: World) -> None:
    with refused(world.centres["ash"], "draft"):
        dispatch(world.centres["ash"], {"command": "draft", "draft": data})


@pytest.mark.parametrize("request_", [{}, {"command": "sing"}, {"command": ["status"]}, {"command": "show"}])
def test_a_request_that_is_none_is_refused(request_: Any, world: World) -> None:
    with refused(world.centres["ash"], "usage"):
        dispatch(world.centres["ash"], request_)


def test_a_centre_of_no_party_is_not_opened() -> None:
    with pytest.raises(Refusal, match="elm is not a party of lake; parties are ash, birch") as caught:
        Centre("elm", lake(), MemoryStore(), signers_of("elm"), lambda: "2026-01-01T00:00:00.000Z")
    assert caught.value.code == "party"


# -------------------------------------------------------------------------------------------------------------- custody


def test_what_is_not_held_cannot_be_handed_over_moved_or_destroyed(world: World) -> None:
    entry = world.say("ash", "declare", {"lots": [row(5)]})
    world.sync()
    lot, birch = f"{entry.place}/0", world.centres["birch"]
    handover = {"lots": [held(lot, 5)], "receiver": "ash", "place": "works"}
    for form, content, members in (
        ("handover", handover, {"named": ("ash",)}),
        ("move", {"lot": lot, "place": "works"}, {}),
        ("consume", {"lots": [lot], "reason": "burnt"}, {}),
    ):
        with refused(birch, "posting/not-custodian", lot):
            world.say("birch", form, content, **members)


def test_more_than_the_lot_is_neither_handed_over_nor_split_off(world: World) -> None:
    lot, ash = f"{world.say('ash', 'declare', {'lots': [row(5)]}).place}/0", world.centres["ash"]
    handover = {"lots": [held(lot, 6)], "receiver": "birch", "place": "works"}
    for form, content, members, code in (
        ("handover", handover, {"named": ("birch",)}, "posting/quantity"),
        ("split", {"lot": lot, "parts": [row(4), row(2)]}, {}, "posting/overdrawn"),
    ):
        with refused(ash, code, lot):
            world.say("ash", form, content, **members)


def test_one_serial_is_declared_once(world: World) -> None:
    boat = {"kind": "boat", "place": "harbour", "quantity": {"amount": 1, "basis": "stated", "unit": "piece"}}
    world.say("ash", "declare", {"lots": [{**boat, "serial": "B-7"}]})
    ash = world.centres["ash"]
    for lots in ([{**boat, "serial": "B-7"}], [{**boat, "serial": "B-8"}, {**boat, "serial": "B-8"}]):
        with refused(ash, "posting/duplicate-serial"):
            world.say("ash", "declare", {"lots": lots})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"quantity": {"amount": 1, "basis": "stated", "unit": "piece"}}, "posting/unit"),
        ({"quantity": {"amount": 1, "basis": "stated", "unit": "pound"}}, "posting/unit"),
        ({"kind": "whales"}, "posting/kind"),
        ({"place": "moon"}, "posting/place"),
    ],
)
def test_kinds_units_and_places_are_those_of_the_pack(change: dict[str, Any], code: str, world: World) -> None:
    with refused(world.centres["ash"], code):
        world.say("ash", "declare", {"lots": [{**row(5), **change}]})
