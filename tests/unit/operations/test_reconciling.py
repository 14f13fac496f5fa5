# SPDX-License-Identifier: Apache-2.0
"""Balances, change lists and listings from a record with handovers, splits, corrections, losses and a count."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servanda.journal.state import Entry
from servanda.operations.desk import dispatch
from servanda.operations.errors import Refusal
from servanda.operations.reconciling import wrong_in, wrong_in_history
from servanda.proof.canonical import encode
from servanda.registers.custody.accountancy import Area, change_lines, inventory_changes, states_in, sums_of
from servanda.registers.custody.changes import changes_of, states_after
from servanda.registers.custody.fold import CustodyRegister
from servanda.registers.custody.views import balances_document
from servanda.verification.evaluations import holds
from tests.rig.depot import accept, depot_world
from tests.rig.tables import group, handover, part, rows, table
from tests.rig.world import World, three

DAY = "2026-01-01"


def quantity(amount: int | None, unit: str = "g") -> dict[str, Any]:
    return {"basis": "not-stated", "unit": unit} if amount is None else {
        "amount": amount, "basis": "stated", "unit": unit,
    }  # fmt: skip


def row(amount: int | None, place: str = "store", kind: str = "salt", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "place": place, "quantity": quantity(amount, "piece" if kind == "boat" else "g"), **more}


def boats(*serials: str) -> list[dict[str, Any]]:
    return [row(1, kind="boat", serial=serial) for serial in serials]


def offer(world: World, lots: dict[str, int], unit: str = "g", receiver: str = "birch") -> Entry:
    named = [{"lot": lot, "quantity": quantity(amount, unit)} for lot, amount in lots.items()]
    content = {"lots": named, "receiver": receiver, "place": "works"}
    return world.say("ash", "handover", content, named=[receiver])


def asked(world: World, party: str = "ash", command: str = "reconcile", **arguments: Any) -> Any:
    return dispatch(world.centres["ash"], {"command": command, "party": party, **arguments})


@pytest.fixture(scope="module")
def world() -> World:
    """ash declares 1,000 g and 3 boats, splits, ships 300 g of which 250 arrive, loses 5 g; then corrects."""
    world = depot_world()
    salt = world.say("ash", "declare", {"lots": [row(1000), row(40, "harbour")]})
    fleet = world.say("ash", "declare", {"lots": boats("B-1", "B-2", "B-3")})
    parts = world.say("ash", "split", {"lot": f"{salt.place}/0", "parts": [row(300), row(5)]})
    world.sync()
    sent = offer(world, {f"{parts.place}/0": 300})
    world.sync()
    accept(world, "birch", sent, {"lot": f"{parts.place}/0", "quantity": quantity(250)})
    world.say("ash", "loss", {"lots": [f"{parts.place}/1"], "reason": "spilt"})
    world.sync()
    mended = {"lots": [row(1000), row(45, "harbour"), row(7, "harbour")]}
    world.say("ash", "correct", {"content": mended, "reason": "typed wrong"}, refers_to=(salt.place,))
    world.say("ash", "move", {"lot": f"{fleet.place}/0", "place": "harbour"})
    world.sync()
    return world


def amounts(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {row["type"]: row["amount"] for row in rows}


def test_the_book_says_what_came_and_went_by_type(world: World) -> None:
    found = asked(world)
    salt = next(balance for balance in found["balances"] if balance["unit"] == "g")
    assert amounts(salt["increases"]) == {"declared": 1047, "rearranged": 1000, "corrected": 45}
    assert amounts(salt["decreases"]) == {"rearranged": 1000, "shipped": 300, "lost": 5, "corrected": 40}
    assert salt["book"] == 747
    assert (salt["ending"], salt["muf"]) == (None, None)
    assert found["ending"] == {"basis": "book", "day": None, "entry": None}
    assert wrong_in(found) == []


def test_the_receivers_book_has_what_arrived_and_not_what_is_in_dispute(world: World) -> None:
    salt = asked(world, "birch")["balances"][0]
    assert (amounts(salt["increases"]), salt["decreases"], salt["book"]) == ({"received": 250}, [], 250)


def test_a_place_is_an_area_and_moving_into_it_is_an_increase(world: World) -> None:
    found = asked(world, place="harbour", kind="boat")
    assert amounts(found["balances"][0]["increases"]) == {"moved-in": 1}
    found = asked(world, place="shore", kind="boat")
    assert amounts(found["balances"][0]["increases"]) == {"declared": 3}, "the harbour and the store are on the shore"
    assert amounts(asked(world, place="store", kind="boat")["balances"][0]["decreases"]) == {"moved-out": 1}


def test_changes_lead_to_what_the_custody_register_holds(world: World) -> None:
    record = world.centres["ash"].record
    register = CustodyRegister(record)
    register.catch_up()
    held: dict[tuple[str, str, str], int] = {}
    for lot in balances_document(register)["lots"]:
        if lot["account"] == "held/ash":
            key = (lot["kind"], lot["place"], lot["unit"])
            held[key] = held.get(key, 0) + lot["amount"]
    assert sums_of(states_in(states_after(changes_of(record)), Area("ash"))) == held


def test_a_count_that_agrees_leaves_nothing_and_one_that_does_not_names_kind_and_place(world: World) -> None:
    groups = [
        {"kind": "salt", "place": "store", "unit": "g", "each": 695},
        {"kind": "salt", "place": "harbour", "unit": "g", "each": 52},
        {"kind": "boat", "place": "store", "unit": "piece", "each": 1, "rows": 2},
        {"kind": "boat", "place": "harbour", "unit": "piece", "each": 1},
    ]
    found = asked(world, count={"groups": groups})
    assert [balance["muf"] for balance in found["balances"]] == [0, 0]
    assert wrong_in(found) == []
    short = asked(world, count={"groups": [groups[0] | {"each": 690}, *groups[1:2], groups[2] | {"rows": 1}]})
    assert [balance["muf"] for balance in short["balances"]] == [5, 2]
    assert short["balances"][1]["differences"] == [
        {"book": 1, "counted": 0, "difference": 1, "kind": "boat", "place": "harbour"},
        {"book": 2, "counted": 1, "difference": 1, "kind": "boat", "place": "store"},
    ]
    assert wrong_in(short) == ["piece: pieces must add up, and do not: 2"], "grams are measured, not counted"


def test_pieces_that_add_up_by_number_and_differ_by_place_are_still_wrong(world: World) -> None:
    found = asked(
        world, kind="boat", count={"groups": [{"kind": "boat", "place": "store", "unit": "piece", "each": 3}]}
    )
    assert found["balances"][0]["muf"] == 0
    assert wrong_in(found) == ["piece: pieces must add up, and do not: 0"]


def test_a_count_by_name_names_each_piece_that_differs(world: World) -> None:
    groups = [
        {"kind": "boat", "place": "store", "unit": "piece", "each": 2},
        {"kind": "boat", "place": "harbour", "unit": "piece", "each": 1},
    ]
    found = asked(world, kind="boat", count={"groups": groups, "names": ["B-1", "B-2", "B-9"]})
    fleet = next(line["lot"] for line in found["lines"] if line["serial"] == "B-3")
    assert found["names"] == {"missing": [fleet], "unrecorded": ["B-9"]}
    assert wrong_in(found) == [f"in the book and not counted: {fleet}", "counted and not in the book: B-9"]


def test_measurement_errors_judge_a_difference_and_can_be_computed_anew(world: World) -> None:
    groups = [
        {"kind": "salt", "place": "store", "unit": "g", "each": 690},
        {"kind": "salt", "place": "harbour", "unit": "g", "each": 52},
    ]
    exact = {"errors": [{"kind": "salt", "random": "0.0001", "systematic": "0"}]}
    rough = {"sigmas": 2, "errors": [{"part": "ending", "random": "0.01", "systematic": "0.005", "shared": "scale"}]}
    found = asked(world, kind="salt", count={"groups": groups}, errors=exact)
    assert wrong_in(found) == ["g: 5 is more than measuring explains"]
    assert holds(found["balances"][0]["evaluation"])
    found = asked(world, kind="salt", count={"groups": groups}, errors=rough)
    assert wrong_in(found) == []
    assert found["balances"][0]["evaluation"]["result"]["muf"] == "5"


def test_the_count_sets_when_its_report_and_the_next_count_are_due(world: World) -> None:
    found = asked(world, count={"groups": [], "day": DAY})
    assert found["due"] == {"next-count": "2027-03-01", "report": "2026-01-16"}
    found = asked(world, count={"groups": [], "day": DAY}, **{"report-days": 30, "count-months": 1})
    assert found["due"] == {"next-count": "2026-02-01", "report": "2026-01-31"}


def test_every_line_has_its_hash_and_a_correction_cites_the_line_it_takes_back(world: World) -> None:
    found = asked(world, command="inventory-changes", codes={"shipped": "SD", "received": "RD"})
    lines = [line for report in found["reports"] for line in report["lines"]]
    assert [line["line"] for line in lines] == list(range(1, len(lines) + 1))
    for line in lines:
        bare = {name: value for name, value in line.items() if name != "hash"}
        assert line["hash"] == hashlib.sha256(encode(bare)).hexdigest()
    taken, given, late = (next(line for line in lines if line["correction"] == mark) for mark in "DAL")
    assert taken["corrects"] == {"hash": lines[1]["hash"], "line": 2}
    assert (lines[1]["lot"], taken["amount"], given["amount"], late["amount"]) == (taken["lot"], 40, 45, 7)
    assert [line["code"] for line in lines if line["type"] == "shipped"] == ["SD"]
    assert encode(found) == encode(asked(world, command="inventory-changes", codes={"shipped": "SD", "received": "RD"}))


def test_a_month_without_changes_has_its_report_and_numbers_have_no_gaps(world: World) -> None:
    record = world.centres["ash"].record
    area = Area("ash")
    lines = change_lines(record, changes_of(record), area, {})
    found = inventory_changes(area, lines, date(2026, 2, 1), date(2026, 4, 30))
    assert [(report["number"], report["from"], report["lines"]) for report in found["reports"]] == [
        (2, "2026-02-01", []),
        (3, "2026-03-01", []),
        (4, "2026-04-01", []),
    ]
    assert inventory_changes(area, [], date(2026, 2, 1), date(2026, 4, 30))["reports"] == []


def test_the_listing_is_every_lot_held_with_its_serial(world: World) -> None:
    found = asked(world, command="inventory-listing", kind="boat")
    assert [(line["serial"], line["place"]) for line in found["lines"]] == [
        ("B-1", "harbour"), ("B-2", "store"), ("B-3", "store"),
    ]  # fmt: skip


def test_what_is_not_stated_is_never_counted_as_nothing() -> None:
    world = depot_world()
    world.say("ash", "declare", {"lots": [row(100), row(None)]})
    found = asked(world, count={"groups": [{"kind": "salt", "place": "store", "unit": "g", "each": 100}]})
    balance = found["balances"][0]
    assert (balance["book"], balance["muf"]) == (None, None)
    assert balance["differences"] == [
        {"book": None, "counted": 100, "difference": None, "kind": "salt", "place": "store"}
    ]


def test_an_offer_refused_returns_and_adds_up_to_nothing() -> None:
    world = depot_world()
    made = world.say("ash", "declare", {"lots": [row(100)]})
    sent = offer(world, {f"{made.place}/0": 100})
    world.sync()
    world.say("birch", "refuse", {"reason": "full"}, refers_to=(sent.place,))
    world.sync()
    balance = asked(world)["balances"][0]
    assert amounts(balance["decreases"]) == {"shipped": 100}
    assert amounts(balance["increases"]) == {"declared": 100, "returned": 100}
    assert balance["book"] == 100


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"place": "moon"}, "no place 'moon'"),
        ({"kind": "gold"}, "no kind 'gold'"),
        ({"period": "soon"}, "no period"),
        ({"count": {"groups": [{"kind": "salt"}]}}, "the count is not usable"),
        ({"count": {"groups": [], "day": "yesterday"}}, "the count is not usable"),
        ({"count": {"groups": [], "names": ["a", "a"]}}, "counted twice"),
        ({"count": {"groups": []}, "errors": {}}, "the measurement errors"),
        ({"count": {"groups": []}, "errors": {"errors": [{"random": "0,1", "systematic": "0"}]}}, "not a number"),
        ({"codes": {"shipped": 5}}, "codes are an object of texts"),
    ],
)
def test_bad_questions_are_refused_in_words(world: World, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        asked(world, **arguments)


def test_an_unknown_party_is_refused_by_name(world: World) -> None:
    with pytest.raises(Refusal, match="no party 'oak'"):
        asked(world, "oak")


@settings(max_examples=12, deadline=None)
@given(st.lists(st.sampled_from(["declare", "split", "ship", "short", "lose", "move"]), min_size=1, max_size=7))
def test_whatever_happens_beginning_and_changes_lead_to_the_book(steps: list[str]) -> None:
    world = depot_world()
    lots: dict[str, int] = {}
    for step in ["declare", *steps]:
        lot, amount = next(iter(lots.items()), ("", 0))
        if step == "declare" or not lot:
            made = world.say("ash", "declare", {"lots": [row(100), row(60, "harbour")]})
            lots |= {f"{made.place}/0": 100, f"{made.place}/1": 60}
        elif step == "split" and amount > 10:
            made = world.say("ash", "split", {"lot": lot, "parts": [row(10)]})
            lots |= {lot: amount - 10, f"{made.place}/0": 10}
        elif step in ("ship", "short"):
            sent = offer(world, {lot: lots.pop(lot)})
            world.sync()
            part = [{"lot": lot, "quantity": quantity(amount - 1)}] if step == "short" else []
            accept(world, "birch", sent, *part)
            world.sync()
        elif step == "lose":
            world.say("ash", "loss", {"lots": [lot], "reason": "r"})
            lots.pop(lot)
        elif step == "move":
            world.say("ash", "move", {"lot": lot, "place": "harbour"})
    world.sync()
    register = CustodyRegister(world.centres["ash"].record)
    register.catch_up()
    accounts = {row["account"]: row["stated"] for row in balances_document(register)["accounts"]}
    for party in ("ash", "birch"):
        balances = asked(world, party)["balances"]
        assert (balances[0]["book"] if balances else 0) == accounts.get(f"held/{party}", 0)


def tabled() -> World:
    """ash declares 1,000 boats by table, ships 200 of which 190 arrive, loses 10, mends one row; then counts."""
    world = three("ash", "birch")
    table_ = world.say("ash", "table", table(group(600), group(400, place="works")))
    world.sync()
    sent = world.say("ash", "handover", handover("birch", rows(table_, (100, 299))), named=["birch"], to=["birch"])
    world.sync()
    world.say("birch", "accept", part(rows(table_, (100, 289))), refers_to=[sent.place])
    world.sync()
    world.say("ash", "loss", {"lots": [], "tables": [rows(table_, (595, 604))], "reason": "sunk"})
    deleted = {"lot": f"{table_.place}/700", "hash": "0" * 64, "addition": 0}
    world.say("ash", "table", table(group(2), deletions=[deleted], supplements=str(table_.place), reason="typed wrong"))
    world.sync()
    return world


def test_rows_of_a_table_are_told_as_runs_and_add_up() -> None:
    world = tabled()
    found = asked(world)
    (balance,) = found["balances"]
    assert amounts(balance["increases"]) == {"declared": 1001, "corrected": 1}
    assert amounts(balance["decreases"]) == {"shipped": 200, "lost": 10, "corrected": 1}
    assert balance["book"] == 791
    assert amounts(asked(world, "birch")["balances"][0]["increases"]) == {"received": 190}
    taken, given = (next(line for line in found["lines"] if line["correction"] == mark) for mark in "DA")
    brought = next(line for line in found["lines"] if line["line"] == taken["corrects"]["line"])
    assert (brought["lot"].split("/")[2], brought["rows"], brought["hash"]) == ("600", 400, taken["corrects"]["hash"])
    assert (given["lot"].split("/")[2], given["rows"], given["amount"]) == ("0", 1, 1)
    listed = asked(world, command="inventory-listing")["lines"]
    assert sum(line["rows"] for line in listed) == sum(line["amount"] for line in listed) == 791


def test_changes_of_tables_lead_to_what_the_custody_register_holds() -> None:
    world = tabled()
    record = world.centres["ash"].record
    for party in ("ash", "birch"):
        held: dict[tuple[str, str, str], int] = {}
        for lot in balances_document(world.centres["ash"].custody)["lots"]:
            if lot["account"] == f"held/{party}":
                key = (lot["kind"], lot["place"], lot["unit"])
                held[key] = held.get(key, 0) + lot["amount"] * lot.get("rows", 1)
        assert sums_of(states_in(states_after(changes_of(record)), Area(party))) == held


def test_a_count_that_a_party_states_is_the_ending_and_the_one_before_the_beginning() -> None:
    world = tabled()
    groups = [group(397), group(394, place="works")]
    first = world.say("ash", "count", {"basis": "counted", "groups": groups})
    assert asked(world)["ending"]["entry"] == str(first.place)
    assert [balance["muf"] for balance in asked(world)["balances"]] == [0]
    world.say("ash", "count", {"basis": "restated", "groups": []})
    world.say("ash", "table", table(group(9)))
    second = world.say("ash", "count", {"basis": "counted", "groups": [group(405), group(394, place="works")]})
    found = asked(world)
    assert (found["beginning"]["entry"], found["ending"]["entry"]) == (str(first.place), str(second.place))
    (balance,) = found["balances"]
    assert (balance["beginning"], balance["book"], balance["ending"], balance["muf"]) == (791, 800, 799, 1)
    assert [(row["place"], row["difference"]) for row in balance["differences"]] == [("store", 1)]


def test_what_is_sealed_is_told_and_in_no_sum() -> None:
    world = three("ash", "birch")
    world.say("ash", "table", table(group(10), group(5, place=None), group(3, "cargo", each=None)))
    found = asked(world, place="store")
    assert found["sealed"] == 5
    assert {balance["unit"]: balance["book"] for balance in found["balances"]} == {"piece": 10, "g": None}


def test_eight_million_rows_are_balanced_by_their_runs() -> None:
    world = three("ash", "birch")
    made = world.say("ash", "table", table(group(8_670_000)))
    world.say("ash", "loss", {"lots": [], "tables": [rows(made, (1_000_000, 1_999_999))], "reason": "r"})
    found = asked(world)
    assert found["balances"][0]["book"] == 7_670_000
    assert [line["rows"] for line in found["lines"]] == [8_670_000, 1_000_000]


def test_a_small_loss_that_repeats_shows_in_the_history_and_in_no_single_period() -> None:
    world = three("ash", "birch")
    world.say("ash", "table", table(group(1, "cargo", each=100_000)))
    for counted in (100_000, 99_900, 99_800, 99_700, 99_600, 99_500, 99_400):
        world.say("ash", "count", {"basis": "counted", "groups": [group(1, "cargo", each=counted)]})
    errors = {"errors": [{"random": "0.0004", "systematic": "0.0004", "shared": "scale"}], "goal": 500}
    found = asked(world, command="balance-history", errors=errors)
    (row_,) = found["evaluations"]
    result = row_["evaluation"]["result"]
    assert holds(row_["evaluation"])
    assert [period["muf"] for period in result["periods"]] == ["100"] * 6
    assert not any(period["test"]["alarm"] for period in result["periods"])
    assert [one["reaches-goal"] for one in result["cumulative"]] == [False] * 4 + [True] * 2
    assert result["page"]["alarm"] is not None
    wrong = wrong_in_history(found)
    assert "g: Page's test exceeds its limit in period" in wrong[-1]
    assert any("together are more than measuring explains" in line for line in wrong)


def test_a_history_without_two_counts_or_without_errors_is_refused() -> None:
    world = three("ash", "birch")
    with pytest.raises(Refusal, match="two counts"):
        asked(world, command="balance-history", errors={"errors": []})
    for _ in range(2):
        world.say("ash", "count", {"basis": "counted", "groups": [group(1, "cargo", each=9)]})
    with pytest.raises(Refusal, match="errors of measuring"):
        asked(world, command="balance-history")
    with pytest.raises(Refusal, match="no uncertainty of its own"):
        asked(world, command="balance-history", errors={"errors": []})
