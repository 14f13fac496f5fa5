# SPDX-License-Identifier: Apache-2.0
"""The reports of accountancy and of inspections: made of their documents, nothing computed and nothing left out."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any

import pytest

from servanda.operations.desk import dispatch
from servanda.operations.errors import Refusal
from servanda.presentation.cells import shown_cell
from servanda.proof.canonical import encode
from tests.worked_example.replayed import replayed

SYRIA, WEAPONS = "syria-2013", "weapons-custody"


def asked(name: str, command: str, centre: str, **arguments: Any) -> Any:
    return dispatch(replayed(name)[0].centres[centre], {"command": command, **arguments})


@cache
def made(kind: str, language: str = "en", period: str | None = None, **more: str) -> dict[str, Any]:
    found: dict[str, Any] = asked(SYRIA, "report", "opcw", report=kind, language=language, period=period, **more)
    return found


def rows(report: dict[str, Any], name: str) -> list[dict[str, Any]]:
    section = next(section for section in report["sections"] if section["id"] == name)
    ids = [column["id"] for column in section["columns"]]
    return [dict(zip(ids, row["cells"], strict=True)) | {"entries": row["entries"]} for row in section["rows"]]


@pytest.mark.parametrize("language", ["en", "fr", "ru", "ar"])
@pytest.mark.parametrize("kind", ["inventory-changes", "inventory-listing", "material-balance"])
def test_every_line_links_back_to_entries_that_the_annex_lists(kind: str, language: str) -> None:
    report = made(kind, language, "2014-04", party="dkno")
    annex = {cited["entry"] for cited in report["annex"]}
    assert sum(len(section["rows"]) for section in report["sections"]) > 0
    for section in report["sections"]:
        for row in section["rows"]:
            figures = [cell for cell in row["cells"] if isinstance(cell, dict) and cell["amount"]]
            assert row["entries"] or not figures, (section["id"], row)
            assert set(row["entries"]) <= annex
            assert all(shown_cell(report, cell) is not None for cell in row["cells"])


def test_the_change_report_has_every_line_of_the_document_with_the_hash_of_the_line() -> None:
    document = asked(SYRIA, "inventory-changes", "opcw", party="syr")
    report = made("inventory-changes", party="syr")
    lines = [line for told in document["reports"] for line in told["lines"]]
    assert [row["line"] for row in rows(report, "lines")] == [line["line"] for line in lines]
    for row, line in zip(rows(report, "hashes"), lines, strict=True):
        assert row["hash"] == line["hash"]
        plain = {name: value for name, value in line.items() if name != "hash"}
        assert row["hash"] == hashlib.sha256(encode(plain)).hexdigest()
    numbers = [row["report-number"] for row in rows(report, "months")]
    assert numbers == list(range(1, len(numbers) + 1)), "without gaps, also over months without changes"


def test_a_correction_names_the_line_that_it_takes_back() -> None:
    report = made("inventory-changes", party="syr")
    taken = [row for row in rows(report, "lines") if row["correction"].startswith("D")]
    assert [row["decrease"]["amount"] for row in taken] == [1230]
    added = [row for row in rows(report, "lines") if row["correction"].startswith("A")]
    assert [row["increase"]["amount"] for row in added] == [1260]
    hashes = {row["line"]: row for row in rows(report, "hashes")}
    brought = taken[0]["correction"].rsplit(" ", 1)[1]
    assert hashes[taken[0]["line"]]["corrects"] == hashes[int(brought)]["hash"]


def test_a_balance_with_a_count_states_muf_and_without_one_none() -> None:
    pieces = {
        "day": "2014-01-31",
        "groups": [{"each": 1, "rows": 1, "kind": "unfilled-munition", "place": "syria", "unit": "piece"}],
    }
    report = asked(
        SYRIA, "report", "opcw", report="material-balance", party="syr", period="2013-10-01/2014-01-31", count=pieces
    )
    items = {row["item"]: row["amount"]["amount"] for row in rows(report, "balance-piece")}
    assert items["Ending inventory, counted"] == 1
    assert items["Difference not accounted for (MUF)"] == items["Ending inventory by the book"] - 1
    assert rows(report, "differences")
    without = made("material-balance", party="syr")
    assert "Difference not accounted for (MUF)" not in {row["item"] for row in rows(without, "balance-piece")}


def test_an_inspection_seen_by_camera_stands_in_a_class_of_its_own() -> None:
    plan = replayed(SYRIA)[1]["site-22-plan"]
    report = made("inspection", period="2013-11", plan=plan)
    assert [(row["outcome-class"], row["count"]) for row in rows(report, "outcomes")] == [("by camera", 1)]
    assert rows(report, "detection")[0]["assured"] == "0.000000000000"
    assert rows(report, "inspected")[0]["item"] == "22nd declared site, Aleppo area"


def test_comments_of_the_inspected_party_are_annexed_to_the_report() -> None:
    plan = replayed(WEAPONS)[1]["plan"]
    report = asked(WEAPONS, "report", "side-a", report="inspection", plan=plan, period="2099-03")
    texts = [(row["party"], row["text"]) for row in rows(report, "texts")]
    assert [party for party, _ in texts] == ["Monitoring mission", "First side"]
    assert texts[1][1] == "The container can be opened on a day's notice."
    assert {row["what"]: row["state"] for row in rows(report, "time-limits")}["Report"] == "met"
    assert [row["outcome-class"] for row in rows(report, "outcomes")] == ["not verified"]
    assert json.dumps(report["facts"]).count("1 of 1") == 1


def test_a_report_without_the_party_or_the_plan_that_it_needs_is_refused() -> None:
    with pytest.raises(Refusal, match="needs `party`"):
        made("inventory-listing")
    with pytest.raises(Refusal, match="needs `plan`"):
        made("inspection")
    with pytest.raises(Refusal, match="is no plan of an inspection"):
        made("inspection", plan="syr/6")
