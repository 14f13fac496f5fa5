# SPDX-License-Identifier: Apache-2.0
"""How discrepancies, handovers, seals, sites and books look on a terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from servanda.cli import bookkeeping
from servanda.operations.desk import dispatch
from tests.rig.depot import accept, depot_world
from tests.rig.world import World, held, row

COMMANDS = {command.name: command for command in bookkeeping.COMMANDS}


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    """A world behind the commands: 120 tonnes shipped, 100 arrived, a seal broken. The key of what is short."""
    world: World = depot_world()
    stated = 120_000_000
    declared = world.say("ash", "declare", {"lots": [row(stated)]}).place
    lot = f"{declared}/0"
    world.sync()
    content = {"lots": [held(lot, stated)], "receiver": "birch", "place": "works"}
    offer = world.say("ash", "handover", content, named=("birch",))
    world.say("ash", "fasten", {"lot": lot, "seal": "A-1", "action": "applied", "kind": "wire"})
    ship = {"carrier": "MV Reed \x1b[31m", "expected": "2014-01-15", "seals": ["A-1"]}
    world.say("ash", "ship", ship, refers_to=(offer.place,))
    world.say("ash", "gate", {"place": "store", "state": "open", "reason": "r"})
    world.sync()
    world.say("birch", "look", {"by": "pier clerk", "checks": [{"seal": "A-1", "result": "damaged"}]})
    counts = {"counts": [held(lot, 100_000_000)], "reason": "miscount"}
    world.say("birch", "recount", counts, refers_to=(offer.place,))
    taken = accept(world, "birch", offer, held(lot, 100_000_000)).place
    found = f"short:{taken}:{taken}/0"
    said = {"keys": [found], "reason": "miscount", "words": "Where are twenty tonnes?"}
    world.say("birch", "attempt", said)
    line = {"kind": "cargo", "place": "store", "standing": "disputed", "quantity": {"basis": "not-stated", "unit": "g"}}
    world.say("cedar", "book", {"of": "birch", "rows": [line]})
    world.sync()

    def ask(home: object, passphrase: object, command: str, **arguments: Any) -> Any:
        return dispatch(world.centres["dune"], {"command": command, **{k: v for k, v in arguments.items() if v}})

    monkeypatch.setattr(bookkeeping, "ask_home", ask)
    return found


def run(*arguments: str) -> str:
    result = CliRunner().invoke(COMMANDS[arguments[0]], [*arguments[1:]], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output
    return result.output


def test_the_list_says_who_must_act_and_one_is_shown_with_everybodys_words(key: str) -> None:
    shown = run("discrepancies", "--home", "h", "--at", "2014-01-26", "--state", "overdue")
    assert key in shown
    assert "significant" in shown
    assert "no finding against anybody" in shown
    for arguments in (("--home", "h", "--at", "2014-01-12", "show", key), ("show", key, "--home", "h")):
        one = run("discrepancies", *arguments)
        assert "birch (attempt, miscount): Where are twenty tonnes?" in one
        assert "to act       ash, by 2014-01-25" in one
    listed = json.loads(run("discrepancies", "--home", "h", "--at", "2014-01-26", "--json"))
    assert listed["servanda-discrepancies"] == 1


def test_a_handover_shows_both_counts_and_the_sign_of_the_difference(key: str) -> None:
    shown = run("handovers", "--home", "h", "--at", "2014-01-26")
    assert "−20 t" in shown
    assert "100 t" in shown
    assert "MV Reed \\u001b[31m" in shown


def test_seals_sites_and_books_are_shown(key: str) -> None:
    assert "birch: pier clerk" in run("seals", "--home", "h", "--at", "2014-01-26")
    sites = run("sites", "--home", "h")
    assert "−33.868800, 151.209300" in sites
    assert "ash: open" in sites
    books = run("books", "--home", "h")
    assert "cedar: disputed" in books
    assert "not stated" in books
    assert "never added to one another" in books


def test_what_is_packed_in_what_is_shown_level_by_level(monkeypatch: pytest.MonkeyPatch) -> None:
    world = depot_world()
    crate = {"kind": "boat", "place": "store", "quantity": {"amount": 1, "basis": "stated", "unit": "piece"}}
    lots = world.say("ash", "declare", {"lots": [crate, crate, row(70_000_000), row(None)]}).place
    world.say("ash", "box", {"container": f"{lots}/1", "lots": [f"{lots}/2", f"{lots}/3"]})
    world.say("ash", "box", {"container": f"{lots}/0", "lots": [f"{lots}/1"]})

    def ask(home: object, passphrase: object, command: str, **arguments: Any) -> Any:
        return dispatch(world.centres["ash"], {"command": command})

    monkeypatch.setattr(bookkeeping, "ask_home", ask)
    lines = [line for line in run("containers", "--home", "h").splitlines() if "ash/3/" in line]
    assert [line.split()[0] for line in lines] == ["ash/3/0", "ash/3/1", "ash/3/2", "ash/3/3"]
    assert "70 t; 1 pc and 1 not stated" in lines[0]
    assert "70 t and 1 not stated" in lines[1]


def test_without_a_home_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SERVANDA_HOME", raising=False)
    for arguments in ([], ["show", "short:ash/1"]):
        result = CliRunner().invoke(COMMANDS["discrepancies"], arguments)
        assert result.exit_code == 2
        assert "--home" in result.output
