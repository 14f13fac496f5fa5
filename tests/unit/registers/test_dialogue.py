# SPDX-License-Identifier: Apache-2.0
"""Topics, contacts, tasks, requests and accounts: kept in each side's own words, linked, flagged, never decided."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import pytest

from servanda.operations.errors import Refusal
from servanda.registers.dialogue.accounts import account_document
from servanda.registers.dialogue.contacts import bodies_document, meetings_document, step
from servanda.registers.dialogue.fold import DialogueRegister
from servanda.registers.dialogue.rules import occurs
from servanda.registers.dialogue.tasks import requests_document, task_row, tasks_document
from servanda.registers.dialogue.topics import topic_document, topics_document
from tests.rig.parley import contact, person, statement, talks, task
from tests.rig.world import World

DAY = date(2013, 9, 11)


def register(world: World, party: str = "ash") -> DialogueRegister:
    return world.centres[party].dialogue


def position(words: str, kind: str = "position", topic: str = "fish") -> dict[str, Any]:
    return {"topic": topic, "kind": kind, "words": words}


def test_each_partys_position_stands_in_its_own_words_and_its_history() -> None:
    world = talks()
    world.say("ash", "position", position("All the fish are ours."), event_at="2013-06-17")
    world.say("ash", "position", position("Half of them are ours."), event_at="2013-08-09")
    world.say("ash", "position", position("An earlier word, entered late."), event_at="2012-06-18")
    world.say("birch", "position", position("None are yours."), event_at="2013-06-17")
    world.say("birch", "position", position("Nobody wants an empty lake.", "common-ground"), event_at="2013-06-17")
    world.sync()
    for party in ("ash", "birch"):
        cells = next(row for row in topics_document(register(world, party))["topics"] if row["topic"] == "fish")[
            "cells"
        ]
        assert cells["ash"]["position"]["words"] == "Half of them are ours."
        assert cells["birch"]["position"]["words"] == "None are yours."
        assert cells["birch"]["common-ground"]["words"] == "Nobody wants an empty lake."
        assert cells["ash"]["common-ground"] is None
        told = topic_document(register(world, party), "fish")
        assert [row["said-on"] for row in told["positions"]["position"]["ash"]] == [
            "2012-06-18",
            "2013-06-17",
            "2013-08-09",
        ]
        assert told["parts"] == ["nets"]


def test_an_issue_is_open_while_one_party_says_that_it_is_not_agreed() -> None:
    world = talks()
    issue = {"topic": "fish", "issue": "guarantees", "state": "not-agreed", "text": "No legally binding guarantees."}
    world.say("ash", "issue", issue, event_at="2013-06-17")
    world.say("birch", "issue", issue, event_at="2013-06-17")
    world.say("ash", "issue", {**issue, "state": "closed"}, event_at="2013-09-04")
    world.sync()
    (told,) = topic_document(register(world), "fish")["issues"]
    assert told["open"]
    world.say("birch", "issue", {**issue, "state": "closed"}, event_at="2013-09-05")
    world.sync()
    (told,) = topic_document(register(world), "fish")["issues"]
    assert not told["open"]


def outcome(word: str, topic: str = "fish") -> dict[str, str]:
    return {"topic": topic, "outcome": word}


def test_what_one_side_reports_as_agreed_is_its_account_and_no_joint_outcome() -> None:
    world = talks()
    ours = contact("corner", minutes={"from": 20, "to": 30}, outcomes=[outcome("agreed")], agenda=["fish"])
    world.say(
        "ash", "contact", ours, event_at="2013-09-05", as_stated={"text": "last Friday (Sept. 5)", "weekday": "friday"}
    )
    world.sync()
    (row,) = meetings_document(register(world), DAY)["contacts"]
    assert row["flags"] == ["weekday-contradicts"]
    assert not row["outcomes"][0]["same"]
    world.say("birch", "contact", {**ours, "outcomes": [outcome("noted")]}, event_at="2013-09-06")
    world.sync()
    (row,) = meetings_document(register(world, "birch"), DAY)["contacts"]
    assert row["differs"] == ["date", "outcomes"]
    assert {party: by["outcome"] for party, by in row["outcomes"][0]["by"].items()} == {
        "ash": "agreed",
        "birch": "noted",
    }
    assert not row["outcomes"][0]["same"]
    world.say("birch", "contact", ours, event_at="2013-09-05")
    world.sync()
    (row,) = meetings_document(register(world), DAY)["contacts"]
    assert row["outcomes"][0]["same"]
    assert row["differs"] == []


def test_bodies_nest_and_say_when_they_meet_next_and_what_is_overdue() -> None:
    world = talks()

    def bodies(day: date) -> dict[str, Any]:
        return {row["body"]: row for row in bodies_document(register(world), day)["bodies"]}

    assert bodies(date(2013, 1, 1))["commission"]["next"] == {"basis": "cadence", "on": "2013-01-31"}
    assert bodies(date(2013, 1, 1))["group"]["depth"] == 1
    world.say("ash", "contact", contact("first", body="commission"), event_at="2013-08-31")
    assert bodies(date(2014, 2, 28))["commission"]["next"]["on"] == "2014-02-28"
    assert not bodies(date(2014, 2, 28))["commission"]["overdue"]
    assert bodies(date(2014, 3, 1))["commission"]["overdue"]
    world.say("birch", "contact", contact("second", body="commission", state="planned"), event_at="2014-04-10")
    world.sync()
    told = bodies(date(2014, 3, 1))["commission"]
    assert told["next"] == {"basis": "second", "on": "2014-04-10"}
    assert not told["overdue"]
    assert bodies(date(2014, 5, 1))["commission"]["overdue"]


def test_steps_of_a_cadence_end_with_the_month() -> None:
    assert step(date(2012, 1, 31), 1, "month") == date(2012, 2, 29)
    assert step(date(2012, 2, 29), 1, "year") == date(2013, 2, 28)
    assert step(date(2012, 12, 31), 2, "week") == date(2013, 1, 14)


def test_a_task_is_open_overdue_done_late_or_disputed_by_the_entries_that_show_it() -> None:
    world = talks()
    world.say("ash", "task", task("shape-it", due="2013-09-12"), event_at="2013-09-05")
    assert task_row(register(world), "shape-it", date(2013, 9, 12))["state"] == "open"
    assert task_row(register(world), "shape-it", date(2013, 9, 13))["state"] == "overdue"
    world.say("ash", "progress", {"task": "shape-it", "state": "done", "text": "Geneva"}, event_at="2013-09-14")
    told = task_row(register(world), "shape-it", date(2013, 9, 20))
    assert (told["state"], told["done-on"]) == ("done-late", "2013-09-14")
    world.sync()
    world.say("birch", "progress", {"task": "shape-it", "state": "open", "text": "Not to us."})
    world.sync()
    assert task_row(register(world), "shape-it", date(2013, 9, 20))["state"] == "disputed"
    assert len(tasks_document(register(world, "birch"), DAY, open_only=True)["tasks"]) == 1


def test_tasks_and_obligations_that_refer_to_each_other_in_a_circle_are_refused_or_flagged() -> None:
    world = talks()
    world.say("ash", "task", task("one"))
    world.say("ash", "task", task("two", **{"after-tasks": ["one"], "serves": ["FIXED"]}))
    with pytest.raises(Refusal) as refused:
        world.say("ash", "task", task("three", **{"serves": ["SHARE"], "after-obligations": ["SHARE"]}))
    assert refused.value.code == "dialogue/circle"
    assert "task/three after obligation/SHARE after task/three" in str(refused.value)
    world.sync()
    world.say("ash", "task", task("x", **{"serves": ["AFTER"], "after-obligations": ["BEFORE"]}))
    world.say("birch", "task", task("y", **{"serves": ["BEFORE"], "after-obligations": ["AFTER"]}))
    world.sync()
    for party in ("ash", "birch"):
        told = task_row(register(world, party), "x", DAY)
        assert told["circle"] == ["task/x", "obligation/BEFORE", "task/y", "obligation/AFTER", "task/x"]


def test_a_request_waits_for_its_answer() -> None:
    world = talks()
    content = {"text": "Please send the list of boats.", "topics": ["fish"], "answer-by": "2013-09-10"}
    request = world.say("ash", "request", content, to=["birch"])
    world.sync()
    (told,) = requests_document(register(world, "birch"), DAY)["requests"]
    assert (told["overdue"], told["waiting-for"]) == (True, ["birch"])
    world.say("birch", "response", {"outcome": "declined", "text": "No list."}, refers_to=[request.place], to=["ash"])
    world.sync()
    (told,) = requests_document(register(world), DAY)["requests"]
    assert (told["overdue"], told["waiting-for"]) == (False, [])
    with pytest.raises(Refusal, match="does not address"):
        world.say("ash", "response", {"outcome": "declined", "text": ""}, refers_to=[request.place])


ARTICLE = "He could turn over every single bit of his weapons\nto the international community in the next week."


def source(**members: Any) -> dict[str, Any]:
    return {"source": "paper", "title": "Article", "medium": "a paper", "published": "2013-09-10", **members}


def test_a_quote_that_is_not_in_its_source_is_an_error_and_nothing_is_lost() -> None:
    world = talks()
    raw = ARTICLE.encode()
    file = {"sha256": hashlib.sha256(raw).hexdigest(), "size": len(raw)}
    with pytest.raises(Refusal) as refused:
        world.say("ash", "source", source(text=ARTICLE, file={**file, "size": 3}))
    assert refused.value.code == "dialogue/source-hash"
    world.say("ash", "source", source(text=ARTICLE, file=file))
    good = "every single bit of his weapons to […] in the next week."
    world.say("ash", "statement", statement(good, source="paper"))
    with pytest.raises(Refusal) as refused:
        world.say("ash", "statement", statement("every single bit of his arms", source="paper"))
    assert refused.value.code == "dialogue/not-in-source"
    world.say("ash", "statement", statement("He offered it, more or less.", source="paper", quoted=False))
    told = account_document(register(world), "fish")
    assert [row["in-source"] for row in told["chain"]] == [True, None]
    assert told["sources"][0]["has-text"]


@pytest.mark.parametrize(
    ("words", "found"), [("a b", True), ("b  c", True), ("a […] d", True), ("d […] a", False), ("[…]", False)]
)
def test_words_occur_with_white_space_as_one_and_elisions_in_order(words: str, found: bool) -> None:
    assert occurs(words, "a\nb c\t d") == found


def test_the_chain_of_accounts_is_in_order_with_its_sources_links_and_flags() -> None:
    world = talks()
    wrong = {"text": "09.17.13", "date": "2013-09-17"}
    world.say("ash", "source", source(source="wire", published="2013-06-17", stated=wrong))
    june = world.say("ash", "statement", statement("We share an interest.", on="2013-06-17", source="wire"))
    corner = statement(
        "They agreed that could be an avenue.",
        on="2013-09-05/2013-09-06",
        stated={"text": "last Friday (Sept. 5)", "weekday": "friday", "date": "2013-09-05"},
        speaker=person("senior official", party="ash"),
        manner="unnamed-official",
        position="ash",
        quoted=False,
        links=[{"relation": "repeats", "to": str(june.place)}],
    )
    claim = world.say("ash", "statement", corner, event_at="2013-09-10")
    early = world.say("birch", "statement", statement("It was discussed before.", on="2012-06", topics=["nets"]))
    world.sync()
    link = {"from": str(june.place), "relation": "bears-on", "to": str(claim.place), "text": "the other document"}
    world.say("birch", "link", link)
    world.sync()
    for party in ("ash", "birch"):
        told = account_document(register(world, party), "fishing")
        assert [row["entry"] for row in told["chain"]] == [str(e.place) for e in (early, june, claim)]
        assert told["chain"][1]["bears-on"] == [str(claim.place)]
        assert told["chain"][2]["flags"] == ["weekday-contradicts"]
        assert told["chain"][2]["counts-as"] == "position of ash"
        assert told["chain"][2]["links"][0]["relation"] == "repeats"
        assert told["sources"][0]["flags"] == ["stated-otherwise"]
    found = account_document(register(world), "avenue")
    assert [row["entry"] for row in found["chain"]] == [str(june.place), str(claim.place)], "what is linked comes too"
    assert account_document(register(world), "no such words")["chain"] == []
    positions = topic_document(register(world), "fish")
    assert [row["words"] for row in positions["attributed"]] == ["They agreed that could be an avenue."]
    assert positions["outcomes"] == []


def test_a_date_that_does_not_exist_is_kept_and_flagged() -> None:
    world = talks()
    world.say("ash", "statement", statement("On that day.", on="2013-02-30"))
    (row,) = account_document(register(world), "fish")["chain"]
    assert row["on"] == "2013-02-30"
    assert row["flags"] == ["date-does-not-exist"]


FISH = [{"language": "en", "text": "Fish"}]
REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "an unknown topic": ("position", position("x", topic="whales"), "unknown-topic"),
    "a topic opened twice": (
        "topic",
        {"topic": "fish", "names": [{"language": "en", "text": "Fish"}]},
        "known-already",
    ),
    "a topic within none": (
        "topic",
        {"topic": "crabs", "names": [{"language": "en", "text": "Crabs"}], "within": "whales"},
        "unknown-topic",
    ),
    "an unknown body": ("contact", contact("a", body="senate"), "unknown-body"),
    "a meeting that ends before it begins": ("contact", contact("a", minutes={"from": 3, "to": 2}), "minutes"),
    "a party that is none": ("contact", contact("a", participants=[person("x", party="fir")]), "unknown-party"),
    "a task with no owner": ("task", task("t", to=[]), "no-owner"),
    "a task after none": ("task", task("t", **{"after-tasks": ["u"]}), "unknown-task"),
    "a task for no obligation": ("task", task("t", serves=["O99"]), "unknown-obligation"),
    "progress of no task": ("progress", {"task": "t", "state": "done", "text": ""}, "unknown-task"),
    "a stance on nothing": ("stance", {"consequence": "c", "who": "x", "stance": "refuses"}, "unknown-consequence"),
    "an unknown source": ("statement", statement("x", source="paper"), "unknown-source"),
    "an unknown contact": ("statement", statement("x", contact="corner"), "unknown-contact"),
    "a link to nothing": (
        "statement",
        statement("x", links=[{"relation": "repeats", "to": "ash/1"}]),
        "unknown-account",
    ),
    "a response to nothing": ("response", {"outcome": "declined", "text": ""}, "no-request"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_breaks_a_rule_is_refused_before_release_with_its_code(name: str) -> None:
    form, content, code = REFUSED[name]
    world = talks()
    with pytest.raises(Refusal) as refused:
        world.say("ash", form, content)
    assert refused.value.code == f"dialogue/{code}"


def test_a_correction_replaces_the_words_and_not_the_name() -> None:
    world = talks()
    said = world.say("ash", "position", position("Al the fish."))
    fixed = {"content": position("All the fish.", topic="nets"), "reason": "misspelt"}
    world.say("ash", "correct", fixed, refers_to=[said.place])
    assert topic_document(register(world), "fish")["movement"] == []
    (row,) = topic_document(register(world), "nets")["positions"]["position"]["ash"]
    assert row["words"] == "All the fish."
    assert row["corrected-by"] == "ash/4"
    opened = world.say("ash", "task", task("one"))
    with pytest.raises(Refusal) as refused:
        world.say("ash", "correct", {"content": task("two"), "reason": "x"}, refers_to=[opened.place])
    assert refused.value.code == "dialogue/renamed"
