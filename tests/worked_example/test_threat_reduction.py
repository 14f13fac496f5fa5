# SPDX-License-Identifier: Apache-2.0
"""Counts of cooperative threat reduction: every published number is an entry, what conflicts stands side by side."""

from __future__ import annotations

import csv
import re
from fractions import Fraction
from typing import Any

import pytest

from servanda.operations.desk import dispatch
from servanda.registers.custody.views import balances_bytes
from tests.rig.world import World
from tests.worked_example.replayed import ROOT, replayed

NAME = "threat-reduction"
EXAMPLE = ROOT / "examples" / NAME
COLUMNS = ["2008-08", "2010-06", "2011-07", "2011-10", "2012-04", "2012-07", "2013-01-31"]
BESIDE_THE_TABLE = {"2010-10": 3, "2012-12": 1}
"""Cumulative figures of other days: the press of October 2010, the storage sites of December 2012."""


@pytest.fixture(scope="module")
def world() -> World:
    return replayed(NAME)[0]


@pytest.fixture(scope="module")
def data(world: World) -> dict[str, Any]:
    found: dict[str, Any] = dispatch(world.centres["rus"], {"command": "accounting"})
    return found


def published() -> dict[tuple[str, str], tuple[int, str]]:
    """Kind and date to amount and qualifier, as the page's table prints them."""
    found = {}
    page = (EXAMPLE / "README.md").read_text()
    for kind, cells in re.findall(r"^\| `([a-z-]+)`[^|]*\|(.*)\|$", page, flags=re.MULTILINE):
        for column, cell in zip(COLUMNS, cells.split("|"), strict=True):
            if match := re.fullmatch(r"\s*(about|less than|)\s*([\d,.]+)\s*", cell):
                step = 1_000_000 if kind == "chemical-agent" else 1
                amount = Fraction(match[2].replace(",", "")) * step
                found[kind, column] = (int(amount), (match[1] or "exact").replace(" ", "-"))
    return found


def test_every_number_of_the_table_is_a_figure_of_an_entry_and_nothing_else_is(data: dict[str, Any]) -> None:
    table = published()
    assert len(table) == 59
    counted = [
        f for f in data["figures"] if f["basis"].startswith(("cumulative", "derived")) and "Russia" not in f["basis"]
    ]
    beside = [f for f in counted if f["as-of"] in BESIDE_THE_TABLE]
    assert {d: sum(f["as-of"] == d for f in beside) for d in BESIDE_THE_TABLE} == BESIDE_THE_TABLE
    figures = [f for f in counted if f not in beside]
    assert {(f["subject"], f["as-of"]): (f["value"]["amount"], f["value"]["qualifier"]) for f in figures} == table
    assert len(figures) == len(table)


def test_the_two_counts_of_warheads_stand_side_by_side_with_source_and_date(data: dict[str, Any]) -> None:
    counts = {(f["value"]["amount"], f["as-of"], f["source"]) for f in data["figures"] if f["subject"] == "warhead"}
    assert {(7619, "2012-04", "T5"), (7619, "2012-07", "T6"), (7613, "2013-01-31", "T8")} <= counts
    assert any("7,619" in issue["issue"] and "7,613" in issue["issue"] for issue in data["issues"])


def test_both_days_of_the_expiry_are_kept_and_flagged(world: World, data: dict[str, Any]) -> None:
    pack = world.pack.data
    assert {event["date"] for event in pack["events"]} == {"2013-06-16", "2013-06-17"}
    assert any("06.16.13" in issue["issue"] and issue["state"] == "open" for issue in data["issues"])


def test_the_agreement_of_2013_is_superseded_and_keeps_its_date(world: World) -> None:
    document = dispatch(world.centres["usa"], {"command": "obligations", "at": "2013-07-01"})
    rows = {row["id"]: row for row in document["obligations"]}
    assert (rows["CTR-2013"]["status"], rows["CTR-2013"]["superseded-by"]) == ("superseded", "CTR-NEXT")
    assert rows["CTR-2013"]["due"] == "2013-06-17"
    assert rows["CTR-NEXT"]["status"] == "not-stated"


def test_every_figure_has_a_known_source_and_every_source_is_used(world: World, data: dict[str, Any]) -> None:
    with (EXAMPLE / "sources.csv").open(encoding="utf-8", newline="") as file:
        known = {row["key"] for row in csv.DictReader(file)}
    used = {key for figure in data["figures"] for key in figure["source"].split("; ")}
    for obligation in world.pack.data["obligations"]:
        used |= set(obligation["source"].partition("; grade ")[0].split("; "))
    for _, text in re.findall(r'^(source) = "([^"]+)"$', (EXAMPLE / "replay.toml").read_text(), flags=re.MULTILINE):
        used |= set(text.split("; "))
    assert used == known


def test_both_centres_compute_the_same_bytes_and_nothing_is_inadmissible(world: World) -> None:
    assert len({balances_bytes(centre.custody) for centre in world.centres.values()}) == 1
    for centre in world.centres.values():
        assert [entry.reason for entry in centre.record.log if not entry.admissible] == []
        assert {state.waiting for state in centre.record.journals.values()} == {""}
