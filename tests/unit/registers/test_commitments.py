# SPDX-License-Identifier: Apache-2.0
"""Commitments: marks by the owner and by others stand apart, with their history and with replies."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from servanda.operations.errors import Refusal
from servanda.registers.commitments.views import commitment_row, commitments_document, yearly_report
from tests.rig.parley import talks
from tests.rig.world import World

PROMISE = {
    "commitment": "tell-of-boats",
    "text": "Each side tells the other of new boats.",
    "owners": ["ash"],
    "scale": "implementation",
    "due": "2013-12-31",
}


def mark(value: int, on: str, **members: Any) -> dict[str, Any]:
    return {"commitment": "tell-of-boats", "mark": value, "as-of": on, "text": "So far.", "evidence": [], **members}


def promised() -> World:
    world = talks()
    world.say("ash", "commitment", PROMISE)
    world.sync()
    return world


def document(world: World, party: str = "ash", on: date = date(2014, 2, 1)) -> dict[str, Any]:
    return commitment_row(world.centres[party].commitments, "tell-of-boats", on, history=True)


def test_the_owners_marks_and_the_others_stand_apart_with_history_and_reply() -> None:
    world = promised()
    world.say("ash", "mark", mark(3, "2013-10-01"))
    first = world.say("birch", "mark", mark(1, "2013-10-02", evidence=[{"text": "one list", "place": "ash/3"}]))
    world.sync()
    world.say("ash", "reply", {"mark": str(first.place), "text": "There were two lists."})
    world.sync()
    again = mark(2, "2014-01-10", recalibrates=str(first.place), text="Two lists, one late.")
    world.say("birch", "mark", again)
    world.sync()
    for party in ("ash", "birch"):
        row = document(world, party)
        assert row["marks"]["owners"]["ash"]["latest"]["mark"] == 3
        told = row["marks"]["others"]["birch"]
        history = [*told["history"], told["latest"]]
        assert [told["mark"] for told in history] == [1, 2]
        assert history[0]["replies"][0]["text"] == "There were two lists."
        assert history[1]["recalibrates"] == str(first.place)
        assert row["overdue"]
        (page,) = commitments_document(world.centres[party].commitments, date(2014, 2, 1))["commitments"]
        assert page["marks"]["others"]["birch"]["earlier"] == 1
    assert document(world, on=date(2013, 12, 31))["marks"]["others"]["birch"]["latest"]["mark"] == 1
    report = yearly_report(world.centres["ash"].commitments, 2013)
    assert report["counts"] == {"implementation": {"ash as owners": {"3": 1}, "birch as others": {"1": 1}}}
    assert report["marked-this-year"] == ["tell-of-boats"]


@pytest.mark.parametrize(
    ("form", "content", "code"),
    [
        ("commitment", PROMISE, "known-already"),
        ("commitment", {**PROMISE, "commitment": "other", "scale": "stars"}, "unknown-scale"),
        ("commitment", {**PROMISE, "commitment": "other", "owners": ["fir"]}, "unknown-party"),
        ("mark", mark(4, "2013-10-01"), "off-scale"),
        ("mark", {**mark(1, "2013-10-01"), "commitment": "other"}, "unknown-commitment"),
        ("mark", mark(1, "2013-10-01", recalibrates="ash/3"), "unknown-mark"),
        ("reply", {"mark": "ash/3", "text": "x"}, "unknown-mark"),
    ],
)
def test_what_breaks_a_rule_is_refused_before_release(form: str, content: dict[str, Any], code: str) -> None:
    world = promised()
    with pytest.raises(Refusal) as refused:
        world.say("ash", form, content)
    assert refused.value.code == f"commitments/{code}"


def test_only_an_owner_replies_and_only_to_another() -> None:
    world = promised()
    own = world.say("ash", "mark", mark(0, "2013-10-01"))
    with pytest.raises(Refusal) as refused:
        world.say("ash", "reply", {"mark": str(own.place), "text": "x"})
    assert refused.value.code == "commitments/not-owner"
    world.sync()
    with pytest.raises(Refusal) as refused:
        world.say("birch", "reply", {"mark": str(own.place), "text": "x"})
    assert refused.value.code == "commitments/not-owner"
