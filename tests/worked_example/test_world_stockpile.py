# SPDX-License-Identifier: Apache-2.0
"""The stockpile's demonstration, small: everything that it does with millions of pieces it does here with 12,000."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from servanda.cli.main import servanda
from servanda.cli.stockrows import Declared, count_of, joined, without

PIECES = 12_000


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict:
    home = tmp_path_factory.mktemp("stock") / "run"
    arguments = ["demo", "world-stockpile", "--pieces", str(PIECES), "--home", str(home), "--json"]
    done = CliRunner().invoke(servanda, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output[-2000:]
    return json.loads(done.stdout)


def test_every_piece_ends_somewhere_and_both_programs_verify_it(result: dict) -> None:
    assert result["verified"]
    assert result["independent"] == 0
    states: dict[str, int] = {}
    for row in result["balances"]:
        states[row["state"]] = states.get(row["state"], 0) + row["amount"]
    assert sum(states.values()) == PIECES
    assert set(states) == {"held", "destroyed", "disputed"}


def test_what_did_not_come_is_in_dispute_and_each_of_it_is_a_discrepancy(result: dict) -> None:
    disputed = sum(row["amount"] for row in result["balances"] if row["state"] == "disputed")
    assert 0 < disputed == result["discrepancies"]


def test_half_is_destroyed_but_for_what_was_short(result: dict) -> None:
    destroyed = sum(row["amount"] for row in result["balances"] if row["state"] == "destroyed")
    disputed = sum(row["amount"] for row in result["balances"] if row["state"] == "disputed")
    assert abs(PIECES // 2 - destroyed - disputed) <= 6 * 35


def test_what_was_not_looked_at_is_not_among_the_verified(result: dict) -> None:
    for _party, drawn, verified, other, planned, assured in result["inspections"]:
        assert drawn == verified + other
        assert float(planned) >= 0.95
        assert float(assured) <= float(planned)
    assert {phase["name"] for phase in result["phases"]} >= {"declared and sealed", "samples drawn jointly"}


def test_parts_of_a_declaration_are_disjoint_and_take_something_of_every_group() -> None:
    declared = Declared("a/3", "", 40, [{"rows": 12}, {"rows": 28}])
    first, second = declared.part(0, 1, 4), declared.part(1, 2, 4)
    assert (first, second) == ([[0, 2], [12, 18]], [[3, 5], [19, 25]])
    assert declared.part(0, 4, 4) == [[0, 39]]


def test_single_rows_are_taken_out_of_ranges() -> None:
    assert without([[0, 9], [20, 20]], [0, 4, 5, 9, 20]) == [[1, 3], [6, 8]]
    assert count_of(without([[0, 9]], [3])) == 9
    assert joined([[0, 1], [2, 3], [5, 5]]) == [[0, 3], [5, 5]]
