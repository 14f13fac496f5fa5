# SPDX-License-Identifier: Apache-2.0
"""What is wrong in the dialogue: a clear error before release, no effect if a counterpart sends it, nothing lost."""

from __future__ import annotations

from typing import Any

import pytest

from servanda.agreement.errors import PackError
from servanda.operations.desk import dispatch
from servanda.operations.errors import Refusal
from tests.rig.parley import body, contact, parley, statement, talks, task, text_of
from tests.rig.pen import write
from tests.rig.world import World

SOURCE = {"source": "paper", "title": "x", "medium": "x", "published": "2013-09-10", "text": "They met in a corner."}
TWO = [{"language": "en", "status": "authentic", "clauses": [{"id": "1", "text": "Yes."}]}]
RENEWED = {**text_of("pact"), "amends": ["0" * 64]}
BAD: dict[str, tuple[str, dict[str, Any], list[str] | None, str]] = {
    "a statement that its source does not have": (
        "statement",
        statement("They met in a room.", source="paper"),
        None,
        "dialogue/not-in-source",
    ),
    "a task with no owner": ("task", task("new", to=[]), None, "dialogue/no-owner"),
    "tasks in a circle": (
        "task",
        task("new", **{"serves": ["FIXED"], "after-obligations": ["FIXED"]}),
        None,
        "dialogue/circle",
    ),
    "a language without its text": (
        "text",
        {**text_of("pact"), "authentic": ["en", "ru"]},
        ["birch"],
        "agreement/language-without-text",
    ),
    "a text with a language that is not said to be authentic": (
        "text",
        {**text_of("pact"), "texts": TWO, "authentic": ["ru"]},
        ["birch"],
        "agreement/language-without-text",
    ),
    "an amendment of another digest": ("text", RENEWED, ["birch"], "agreement/unknown-text"),
    "an extension of nothing": (
        "extend",
        {"document": "pact", "until": "2020-01-01"},
        ["birch"],
        "agreement/not-concluded",
    ),
    "a mark on no scale": (
        "mark",
        {"commitment": "promise", "mark": 9, "as-of": "2014-01-01", "text": "x", "evidence": []},
        None,
        "commitments/off-scale",
    ),
    "a contact of a body that is none": ("contact", contact("new", body="senate"), None, "dialogue/unknown-body"),
}


def begun() -> World:
    world = talks()
    world.say("ash", "source", SOURCE)
    promise = {"commitment": "promise", "text": "x", "owners": ["birch"], "scale": "implementation"}
    world.say("ash", "commitment", promise)
    world.sync()
    return world


@pytest.mark.parametrize("name", BAD)
def test_it_is_refused_before_release_and_the_draft_stays(name: str) -> None:
    form, content, named, code = BAD[name]
    world = begun()
    centre, size = world.centres["ash"], world.centres["ash"].journal.size
    with pytest.raises(Refusal) as refused:
        world.say("ash", form, content, **({"named": named} if named else {}))
    assert refused.value.code == code
    assert len(str(refused.value)) > len(code)
    assert centre.journal.size == size
    assert [draft["state"] for draft in dispatch(centre, {"command": "drafts"})] == ["submitted"]


@pytest.mark.parametrize("name", BAD)
def test_sent_by_a_counterpart_it_is_kept_without_effect_and_told_alike_everywhere(name: str) -> None:
    form, content, named, code = BAD[name]
    world = begun()
    entry = write(world.centres["ash"], form, content, **({"named": named} if named else {}))
    assert entry is not None
    assert entry.admissible
    world.sync()
    for centre in world.centres.values():
        found = [*centre.dialogue.discrepancies, *centre.agreements.discrepancies, *centre.commitments.discrepancies]
        assert found == [(entry.place, code)]
        assert not centre.agreements.documents
        assert not centre.dialogue.open_tasks


@pytest.mark.parametrize("on", ["2013-02-30", "2013-09-06/2013-09-05", "2013-13"])
def test_impossible_dates_are_kept_as_stated_and_flagged(on: str) -> None:
    world = begun()
    world.say("ash", "statement", statement("x", on=on), event_at=on)
    world.say("ash", "contact", contact("c"), event_at=on)
    (row,) = dispatch(world.centres["ash"], {"command": "account", "phrase": "fish"})["chain"]
    assert row["on"] == row["said-on"] == on
    assert row["flags"] == ["date-does-not-exist"]
    (row,) = dispatch(world.centres["ash"], {"command": "meetings"})["contacts"]
    assert row["flags"] == ["date-does-not-exist"]


PACKS: dict[str, tuple[dict[str, Any], str]] = {
    "a body within itself": ({"bodies": [body("a", "b"), body("b", "a")]}, "the body is within itself"),
    "an office of a stranger": (
        {"bodies": [body("a", offices=[{"party": "fir", "office": {"en": "chair"}}])]},
        "`fir` is not a member of the body",
    ),
    "an office in no language": (
        {"bodies": [body("a", offices=[{"party": "ash", "office": {"fr": "chef"}}])]},
        "has no text in `en`",
    ),
    "a cadence that begins on no day": (
        {"bodies": [body("a", every={"count": 1, "unit": "year", "first": "2013-02-30"})]},
        "`2013-02-30` is not a date that exists",
    ),
    "a topic within itself": (
        {"topics": [{"id": "a", "names": {"en": "A"}, "within": "a"}]},
        "the topic is within itself",
    ),
    "a topic twice": ({"topics": [{"id": "a", "names": {"en": "A"}, "within": None}] * 2}, "already used"),
    "a mark twice": (
        {"scales": [{"id": "s", "names": {"en": "S"}, "marks": [{"value": 1, "names": {"en": "one"}}] * 2}]},
        "a mark stands twice",
    ),
}


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_that_says_so_is_no_pack(name: str) -> None:
    members, reason = PACKS[name]
    with pytest.raises(PackError, match=reason):
        parley(**members)
