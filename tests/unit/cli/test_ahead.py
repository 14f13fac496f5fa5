# SPDX-License-Identifier: Apache-2.0
"""Can nobody take an entry that is ahead of its place for one that lies there?"""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from servanda.cli import ahead
from servanda.operations.advancing import Ahead, advances_document
from tests.rig.ahead import alarm, first_push, routine, world
from tests.rig.world import DirectCourier


def printed(monkeypatch: pytest.MonkeyPatch, data: dict[str, Any], *arguments: str) -> str:
    monkeypatch.setattr(ahead, "ask_home", lambda *_, **__: data)
    done = CliRunner().invoke(ahead.advances, ["--home", ".", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_both_sides_are_told_what_is_where(monkeypatch: pytest.MonkeyPatch) -> None:
    w = world()
    routine(w, 3)
    push = first_push(w, 1)
    number = alarm(w)
    Ahead(w.centres["ash"], DirectCourier(w.centres)).send("birch", push)
    here = printed(monkeypatch, advances_document(w.centres["birch"]))
    assert "INCOMPLETE" in here
    assert f"ash/{number}" in here
    assert "verified" in here
    there = printed(monkeypatch, advances_document(w.centres["ash"]))
    assert f"ash/{number} is at birch since" in there
    assert "ahead of 3 entries" in there
    assert '"missing": 3' in printed(monkeypatch, advances_document(w.centres["birch"]), "--json")


def test_an_exercise_is_marked_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    w = world()
    w.status = "exercise"
    routine(w, 2)
    push = first_push(w, 1)
    alarm(w)
    Ahead(w.centres["ash"], DirectCourier(w.centres)).send("birch", push)
    assert "[EXERCISE]" in printed(monkeypatch, advances_document(w.centres["birch"]))


def test_nothing_is_said_to_be_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(monkeypatch, {"held": [], "sent": []}) == "nothing is ahead of its place\n"
