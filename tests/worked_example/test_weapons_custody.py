# SPDX-License-Identifier: Apache-2.0
"""Weapons of two sides under custody: nothing is lost between offer and receipt, and no count is called verified."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from servanda.operations.desk import dispatch
from servanda.proof.canonical import encode
from tests.rig.tables import group, handover, rows, table
from tests.rig.world import World
from tests.worked_example.replayed import replayed

NAME = "weapons-custody"


@pytest.fixture(scope="module")
def world() -> World:
    return replayed(NAME)[0]


@pytest.fixture(scope="module")
def entered() -> dict[str, str]:
    return replayed(NAME)[1]


def ask(world: World, command: str, party: str = "side-b", **arguments: Any) -> Any:
    return dispatch(world.centres[party], {"command": command, **arguments})


def sections(report: dict[str, Any]) -> dict[str, list[list[Any]]]:
    return {s["id"]: [row["cells"] for row in s["rows"]] for s in report["sections"]}


def test_nothing_is_inadmissible_and_no_posting_is_refused(world: World) -> None:
    for centre in world.centres.values():
        assert [entry.reason for entry in centre.record.log if not entry.admissible] == []
        assert [item for item in ask(world, "accounting")["discrepancies"] if "posting" in item["code"]] == []


def test_524_offered_and_522_received_leave_two_in_dispute(world: World) -> None:
    accounts = {(a["account"], a["unit"]): a["stated"] for a in ask(world, "accounting")["accounts"]}
    assert accounts["disputed/side-a/mission", "piece"] == 2
    assert accounts["destroyed/mission", "piece"] == 522
    assert accounts["held/side-a", "piece"] == 2855 + 96 + 1
    assert accounts["held/side-b", "piece"] == 2855
    assert accounts["found", "piece"] == 12
    declared = sum(row["quantity"]["amount"] for row in ask(world, "accounting")["declared"])
    assert declared == sum(amount for amount in accounts.values() if amount)


def test_security_is_extended_and_keeps_its_first_date(world: World) -> None:
    judged = {row["id"]: row for row in ask(world, "obligations", at="2099-06-30")["obligations"]}
    assert judged["SECURITY"]["due"] == "2099-07-20"
    assert judged["SECURITY"]["first-due"] == "2099-07-09"


def test_the_short_receipt_is_one_discrepancy_from_open_to_closed_by_both(
    world: World, entered: dict[str, str]
) -> None:
    twin = world.clone()
    found = ask(twin, "discrepancies", at="2099-06-25")["discrepancies"]
    key = next(item["key"] for item in found if item["code"] == "short")
    assert next(item["owners"] for item in found if item["key"] == key) == ["side-a"]
    words = {"keys": [key], "reason": "not-arrived", "words": "Two rifles were left at site 1."}
    twin.say("mission", "attempt", words)
    twin.sync()
    twin.say("side-a", "reply", words)
    twin.sync()
    offer = twin.say("side-a", "closure", words, named=("mission",))
    twin.sync()
    twin.say("mission", "accept", {"condition": None, "extent": "full", "received": []}, refers_to=(offer.place,))
    twin.sync()
    item = next(i for i in ask(twin, "discrepancies", at="2099-06-25")["discrepancies"] if i["key"] == key)
    assert (item["state"], item["closed-by"]) == ("closed", str(offer.place))
    accounts = {a["account"]: a["stated"] for a in ask(twin, "accounting")["accounts"]}
    assert accounts["disputed/side-a/mission"] == 2, "closing a discrepancy moves no account"


def test_the_monthly_report_is_the_one_that_everybody_computes(world: World) -> None:
    twin = world.clone()
    made = ask(twin, "report", "mission", report="monthly-progress", period="2099-06", language="es")
    made_of = sections(made)
    assert [cell["amount"] for row in made_of["movements"] for cell in row if isinstance(cell, dict)] == [524]
    digest = hashlib.sha256(encode(made)).hexdigest()
    entry = twin.say(
        "mission",
        "monthly-report",
        {"month": "2099-06", "report": digest, "summary": "522 of 524 received."},
        to=("side-a", "side-b"),
        exercise_at="2099-07-01T09:00:00Z",
        event_at="2099-07-01",
    )
    twin.sync()
    stated = twin.centres["side-a"].record.entry(entry.place)
    assert stated is not None
    assert stated.frame is not None
    anew = ask(twin, "report", "side-a", report="monthly-progress", period="2099-06", language="es")
    assert stated.frame.content["report"] == hashlib.sha256(encode(anew)).hexdigest()


def test_a_site_may_be_designated_under_seal(world: World) -> None:
    form = next(form for form in world.pack.data["formats"] if form["id"] == "site-designation")
    assert set(form["fields"]["properties"]) >= {"site", "location", "latitude", "longitude"}


def test_the_pack_names_no_country_and_each_side_has_the_same_rules(world: World) -> None:
    data = world.pack.data
    assert data["parties"][0]["role"]["en"].split(";")[0] in data["parties"][1]["role"]["en"]
    for form in data["formats"]:
        assert ("side-a" in form["may-send"]) == ("side-b" in form["may-send"]), form["id"]


def test_weapons_registered_by_table_are_counted_row_by_row_in_every_report(world: World) -> None:
    twin = world.clone()
    groups = [group(3000, "rifle", "site-a02", unit="piece"), group(40, "mortar", "site-a02", unit="piece")]
    registered = twin.say("side-a", "table-registration", table(*groups), exercise_at="2099-09-01T09:00:00Z")
    twin.sync()
    chosen = rows(registered, (100, 599), (3000, 3009))
    offer = twin.say("side-a", "handover", handover("mission", chosen, place="mission-store"), named=("mission",))
    twin.sync()
    came = [rows(registered, (100, 598), (3000, 3009))]
    content = {"condition": None, "extent": "part", "reason": "not-arrived", "received": [], "tables": came}
    twin.say("mission", "accept", content, refers_to=(offer.place,))
    twin.sync()
    report = ask(twin, "report", report="monthly-progress")
    found = sections(report)
    moved = [row for row in found["movements"] if row[3] == "Mortars; Rifles and carbines"]
    assert [row[4]["amount"] for row in moved] == [510]
    totals = {row[0]: row[1]["amount"] for row in found["totals"] if row[1]["unit"] == "piece"}
    assert totals["held: Monitoring mission"] == 509
    assert totals["disputed: First side, Monitoring mission"] == 2 + 1
    assert totals["held: First side"] == 2855 + 96 + 1 + 3040 - 510
    assert [row[3:5] for row in found["declared"] if row[2] == "First side, site 2"] == [
        [3000, {"amount": 3000, "qualifier": "exact", "unit": "piece"}],
        [40, {"amount": 40, "qualifier": "exact", "unit": "piece"}],
    ]
    behind = next(row["entries"] for row in report["sections"][4]["rows"] if row["cells"][0].startswith("held: Monit"))
    assert {str(registered.place), str(offer.place)} <= set(behind)
    summary = ask(twin, "report", report="public-summary")
    kinds = {(row[0], row[1]): row[2]["amount"] for row in sections(summary)["kinds"]}
    assert kinds["Mortars", "held"] == 40


def test_a_complete_count_that_differs_is_a_discrepancy(world: World) -> None:
    twin = world.clone()
    counted = {
        "basis": "counted",
        "groups": [group(2850, "small-arm", "site-b01", unit="piece")],
        "places": ["site-b01"],
    }
    twin.say("side-b", "count", counted, exercise_at="2099-09-01T09:00:00Z")
    twin.sync()
    codes = [item["code"] for item in ask(twin, "accounting")["discrepancies"]]
    assert "inventory" in codes
