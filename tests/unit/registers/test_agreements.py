# SPDX-License-Identifier: Apache-2.0
"""The life of an agreement: what must be there before it is in force, and what ends it."""

from __future__ import annotations

from typing import Any

import pytest

from servanda.agreement.dates import instant_seconds
from servanda.journal.state import Entry
from servanda.operations.errors import Refusal
from servanda.registers.agreements.fold import AgreementsRegister, digest_of
from servanda.registers.agreements.views import document_row, history, side_by_side
from tests.rig.parley import accept, clauses, talks, text_of
from tests.rig.pen import insert, leaf_by_hand, refer
from tests.rig.world import World

NOW = instant_seconds("2014-06-01T00:00:00Z")


def offer(world: World, party: str, content: dict[str, Any], *named: str, form: str = "text", **members: Any) -> Entry:
    return world.say(party, form, content, named=list(named), **members)


def row(world: World, party: str = "ash", name: str = "pact", at: str = "2014-06-01T00:00:00Z") -> dict[str, Any]:
    register = world.centres[party].agreements
    return document_row(register, register.documents[name], instant_seconds(at))


def everywhere(world: World, at: str = "2014-06-01T00:00:00Z") -> dict[str, Any]:
    """The document as every centre has it: it must be the same."""
    rows = [row(world, party, at=at) for party in world.centres]
    assert all(other == rows[0] for other in rows)
    return rows[0]


def concluded(world: World, **members: Any) -> Entry:
    first = offer(world, "ash", {**text_of("pact"), **members}, *(p for p in world.centres if p != "ash"))
    world.sync()
    for party in world.centres:
        if party != "ash":
            accept(world, party, first)
            world.sync()
    return first


def test_nothing_is_in_force_until_every_named_party_has_accepted_the_same_digest() -> None:
    world = talks("ash", "birch", "cedar")
    first = offer(world, "ash", text_of("pact"), "birch", "cedar")
    world.sync()
    assert everywhere(world)["state"] == "proposed"
    accept(world, "birch", first)
    world.sync()
    told = everywhere(world)
    assert told["state"] == "proposed"
    assert told["missing"] == [{"party": "cedar", "text": str(first.place), "what": "acceptance"}]
    accept(world, "cedar", first)
    world.sync()
    told = everywhere(world)
    assert (told["state"], told["missing"], told["parties"]) == ("in-force", [], ["ash", "birch", "cedar"])
    assert told["standing"] == [digest_of(text_of("pact"))]


def test_accepted_by_all_and_not_receipted_by_the_others_is_not_in_force() -> None:
    world = talks("ash", "birch", "cedar")
    first = offer(world, "ash", text_of("pact"), "birch")
    world.deliver("ash", "birch")
    accept(world, "birch", first)
    world.deliver("birch", "ash")
    told = row(world)
    assert told["state"] == "proposed"
    assert told["missing"] == [{"party": "cedar", "text": str(first.place), "what": "receipt"}]
    world.sync()
    assert everywhere(world)["state"] == "in-force"


@pytest.mark.parametrize(("outcome", "state"), [("confirmed", "in-force"), ("failed", "failed")])
def test_a_conditional_acceptance_has_no_effect_until_its_condition_is_confirmed(outcome: str, state: str) -> None:
    world = talks("ash", "birch", "cedar")
    first = offer(world, "ash", text_of("pact"), "birch")
    world.sync()
    condition = {"confirmer": "cedar", "text": "only if the use of force is renounced"}
    accepted = accept(world, "birch", first, condition)
    world.sync()
    told = everywhere(world)
    assert told["state"] == "proposed"
    assert told["parties"] == []
    assert told["missing"] == [
        {
            "acceptance": str(accepted.place),
            "condition": condition["text"],
            "party": "cedar",
            "text": str(first.place),
            "what": "condition",
        }
    ]
    assert told["texts"][0]["accepted-by"][0]["condition"]["text"] == condition["text"]
    world.say("cedar", "condition", {"outcome": outcome}, refers_to=[accepted.place])
    world.sync()
    assert everywhere(world)["state"] == state


def test_two_counter_proposals_that_cross_end_in_neither_being_in_force() -> None:
    world = talks()
    first = offer(world, "ash", text_of("pact", c1="All fish."), "birch")
    world.sync()
    thread = str(first.place)
    mine = offer(world, "ash", text_of("pact", c1="Half of the fish."), "birch", thread=thread)
    theirs = offer(world, "birch", text_of("pact", c1="No fish."), "ash", thread=thread)
    world.sync()
    told = everywhere(world)
    assert {text["entry"]: text["state"] for text in told["texts"]} == {
        str(first.place): "superseded",
        str(mine.place): "crossed",
        str(theirs.place): "crossed",
    }
    assert told["state"] == "crossed"
    for party, entry in (("ash", theirs), ("birch", mine)):
        with pytest.raises(Refusal) as refused:
            accept(world, party, entry)
        assert refused.value.code == "accept"
    register = world.centres["ash"].agreements
    versions = side_by_side(register, register.documents["pact"])
    assert [version["party"] for version in versions] == ["ash", "birch"]
    words = versions[1]["differences"][0]["clauses"][0]["words"]
    assert words[0] == {"op": "removed", "text": "Half of the"}
    assert words[1] == {"op": "added", "text": "No"}


def test_an_amendment_accepted_by_all_but_one_is_shown_as_such_by_every_centre() -> None:
    world = talks("ash", "birch", "cedar")
    concluded(world)
    changed = text_of("pact", c1="They fish in summer.") | {"amends": [digest_of(text_of("pact"))]}
    amendment = offer(world, "birch", changed, "ash", "cedar")
    world.sync()
    accept(world, "ash", amendment)
    world.sync()
    told = everywhere(world)
    assert told["state"] == "in-force"
    assert told["standing"] == [digest_of(text_of("pact"))]
    (pending,) = told["pending"]
    assert [by["party"] for by in pending["accepted-by"]] == ["ash"]
    assert pending["missing"] == [{"party": "cedar", "what": "acceptance"}]
    accept(world, "cedar", amendment)
    world.sync()
    assert everywhere(world)["standing"] == [digest_of(changed)]


@pytest.mark.parametrize(
    ("zone", "last", "after"),
    [
        ("UTC", "2013-06-16T23:59:59Z", "2013-06-17T00:00:00Z"),
        ("Europe/Moscow", "2013-06-16T19:59:59Z", "2013-06-16T20:00:00Z"),
        ("America/New_York", "2013-06-17T03:59:59Z", "2013-06-17T04:00:00Z"),
    ],
)
def test_it_expires_at_midnight_of_the_packs_zone_at_every_centre(zone: str, last: str, after: str) -> None:
    world = talks(zone=zone)
    concluded(world, until="2013-06-16", **{"warn-days": [30, 90]})
    assert everywhere(world, at=last)["state"] == "in-force"
    assert everywhere(world, at=last)["warning"]
    assert everywhere(world, at=after)["state"] == "expired"
    assert not everywhere(world, at="2013-01-01T12:00:00Z")["warning"]


def test_what_has_expired_is_extended_by_all_its_parties() -> None:
    world = talks()
    concluded(world, until="2013-06-16")
    extension = offer(world, "ash", {"document": "pact", "until": "2020-06-16"}, "birch", form="extend")
    world.sync()
    assert everywhere(world)["state"] == "expired"
    accept(world, "birch", extension)
    world.sync()
    told = everywhere(world)
    assert (told["state"], told["until"]) == ("in-force", "2020-06-16")


def test_accession_suspension_in_part_reservation_and_termination() -> None:
    world = talks("ash", "birch", "cedar")
    first = offer(world, "ash", text_of("pact", c1="One.", c2="Two."), "birch")
    world.sync()
    accept(world, "birch", first)
    world.sync()
    joining = offer(world, "cedar", {"document": "pact"}, "ash", "birch", form="accede")
    world.sync()
    for party in ("ash", "birch"):
        accept(world, party, joining)
        world.sync()
    assert everywhere(world)["parties"] == ["ash", "birch", "cedar"]
    world.say(
        "cedar", "declare", {"document": "pact", "kind": "reservation", "clauses": ["c2"], "text": "Not at night."}
    )
    notice = {"document": "pact", "clauses": ["c1"], "state": "suspended", "since": "2014-05-01", "reason": "Ice."}
    world.say("birch", "suspend", notice)
    world.sync()
    told = everywhere(world)
    assert told["state"] == "suspended-in-part"
    assert told["suspended"][0]["clauses"] == ["c1"]
    assert told["declarations"][0]["party"] == "cedar"
    world.say("birch", "suspend", {**notice, "state": "resumed"})
    ending = {"document": "pact", "on": "2014-05-31", "reason": "Done."}
    end = offer(world, "ash", ending, "birch", "cedar", form="terminate")
    world.sync()
    for party in ("birch", "cedar"):
        accept(world, party, end)
        world.sync()
    assert everywhere(world)["state"] == "terminated"
    register = world.centres["birch"].agreements
    told_of = [event["what"] for event in history(register, register.documents["pact"])]
    assert told_of[0] == "text offered"
    assert "declare" in told_of
    assert told_of[-1].endswith("accepted")


def test_a_party_that_accepts_another_digest_has_accepted_nothing() -> None:
    world = talks()
    first = offer(world, "ash", text_of("pact"), "birch")
    world.sync()
    other = {**refer(first), "leaf": "0" * 64}
    content = {"extent": "full", "received": [], "condition": None}
    leaf = leaf_by_hand(world.centres["birch"], format="accept", act="accept", content=content, refers_to=[other])
    entry = insert(world.centres["birch"], leaf)
    assert entry is not None
    assert entry.code == "reference"
    world.sync()
    assert everywhere(world)["missing"][0]["party"] == "birch"


RESERVED = {"document": "pact", "kind": "reservation", "text": "Not at night."}
BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "an authentic language without its text": ({"authentic": ["en", "ru"]}, "language-without-text"),
    "a language twice": ({"texts": text_of("pact")["texts"] * 2}, "language-twice"),
    "clauses of another number": (
        {
            "texts": [
                *text_of("pact")["texts"],
                {"language": "ru", "status": "draft", "clauses": clauses(c1="Да.", c2="Нет.")},
            ]
        },
        "clauses-differ",
    ),
    "it ends before it begins": ({"from": "2014-01-02", "until": "2014-01-01"}, "term"),
    "it amends what is not there": ({"amends": ["0" * 64]}, "unknown-text"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_text_that_breaks_a_rule_is_refused_before_release(name: str) -> None:
    change, code = BROKEN[name]
    world = talks()
    with pytest.raises(Refusal) as refused:
        offer(world, "ash", {**text_of("pact"), **change}, "birch")
    assert refused.value.code == f"agreement/{code}"
    assert not world.centres["ash"].agreements.documents


@pytest.mark.parametrize(
    ("form", "content", "named", "code"),
    [
        ("text", text_of("pact", c1="Other."), ["birch", "cedar"], "concluded"),
        ("extend", {"document": "pact", "until": "2020-01-01"}, ["birch"], "not-all-parties"),
        ("extend", {"document": "other", "until": "2020-01-01"}, ["birch"], "not-concluded"),
        ("accede", {"document": "pact"}, ["birch", "cedar"], "already-party"),
        (
            "declare",
            {"document": "pact", "kind": "reservation", "clauses": ["c9"], "text": "x"},
            None,
            "unknown-clause",
        ),
        ("withdraw", {"document": "other", "on": "2020-01-01", "reason": "x"}, None, "not-a-party"),
    ],
)
def test_what_does_not_fit_a_concluded_document_is_refused(
    form: str, content: dict[str, Any], named: list[str] | None, code: str
) -> None:
    world = talks("ash", "birch", "cedar")
    concluded(world)
    with pytest.raises(Refusal) as refused:
        world.say("ash", form, content, **({} if named is None else {"named": named}))
    assert refused.value.code == f"agreement/{code}"


def test_a_translation_stands_beside_with_its_status() -> None:
    world = talks()
    concluded(world)
    russian = {
        "document": "pact",
        "digest": digest_of(text_of("pact")),
        "language": "ru",
        "status": "machine",
        "clauses": clauses(c1="Они ловят рыбу."),
    }
    world.say("birch", "translation", russian)
    world.sync()
    (shown,) = everywhere(world)["translations"]
    assert (shown["language"], shown["status"], shown["party"]) == ("ru", "machine", "birch")
    with pytest.raises(Refusal, match="clauses"):
        world.say("birch", "translation", {**russian, "clauses": clauses(c2="Нет.")})


def test_folding_anew_gives_the_same() -> None:
    world = talks("ash", "birch", "cedar")
    concluded(world, until="2020-01-01")
    again = AgreementsRegister(world.centres["cedar"].record)
    again.catch_up()
    assert document_row(again, again.documents["pact"], NOW) == row(world, "cedar")
