# SPDX-License-Identifier: Apache-2.0
"""Rows of tables are lots like any other: selected in bulk, received in part, corrected, counted (spec/tables.md).

Every document here was found by both programs.
"""

from __future__ import annotations

from typing import Any

import pytest

from servanda.operations.errors import Refusal
from servanda.registers.custody.views import balances_bytes
from tests.rig.pen import write
from tests.rig.tables import balances, faults, group, handover, holdings, part, rows, table
from tests.rig.world import World, held, row, three

FULL: dict[str, Any] = {"extent": "full", "received": [], "condition": None}


@pytest.fixture
def world() -> World:
    return three("ash", "birch")


def accounts(document: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(one["account"], one["unit"]): one["stated"] for one in document["accounts"]}


def hand(world: World, content: dict[str, Any], answer: dict[str, Any] | None = None) -> Any:
    """An offer by ash to birch; with an answer, accepted so."""
    offer = world.say("ash", "handover", content, named=["birch"], to=["birch"])
    world.sync()
    if answer is not None:
        world.say("birch", "accept", answer, refers_to=[offer.place])
        world.sync()
    return offer


def test_a_table_opens_a_lot_for_each_row_and_shows_rows_that_are_alike_as_one(world: World) -> None:
    t = world.say("ash", "table", table(group(3), group(2, place="works"), group(4, "cargo", each=25)))
    document = balances(world)
    assert holdings(document) == [
        (f"{t.place}/0", 3, "held/ash", "store"),
        (f"{t.place}/3", 2, "held/ash", "works"),
        (f"{t.place}/5", 4, "held/ash", "store"),
    ]
    assert accounts(document) == {("held/ash", "g"): 100, ("held/ash", "piece"): 5}
    assert [lot["amount"] for lot in document["lots"]] == [1, 1, 25]


def test_two_groups_that_say_the_same_are_shown_as_one(world: World) -> None:
    t = world.say("ash", "table", table(group(3), group(2)))
    assert holdings(balances(world)) == [(f"{t.place}/0", 5, "held/ash", "store")]


def test_eight_million_rows_are_a_few_lots(world: World) -> None:
    t = world.say("ash", "table", table(group(8_000_000)))
    hand(world, handover("birch", rows(t, (1_000_000, 2_999_999))), FULL)
    document = balances(world)
    assert holdings(document) == [
        (f"{t.place}/0", 1_000_000, "held/ash", "store"),
        (f"{t.place}/1000000", 2_000_000, "held/birch", "harbour"),
        (f"{t.place}/3000000", 5_000_000, "held/ash", "store"),
    ]
    assert len(world.centres["ash"].custody.holdings.tables[t.place].lots) == 3


def test_what_is_sealed_is_shown_as_sealed_and_counted_apart(world: World) -> None:
    world.say("ash", "table", table(group(3, None, None), group(2, "cargo", None, each=None)))
    document = balances(world)
    assert [(lot["kind"], lot["place"], lot["amount"], lot["basis"]) for lot in document["lots"]] == [
        (None, None, 1, "stated"),
        ("cargo", None, None, "sealed"),
    ]
    grams_held = next(one for one in document["accounts"] if one["unit"] == "g")
    assert grams_held == {"account": "held/ash", "derived": 0, "sealed": 2, "stated": 0, "unit": "g", "unstated": 0}


def test_a_range_is_never_added_up_as_exact(world: World) -> None:
    world.say("ash", "table", table(group(3, "cargo", each={"from": 10, "to": 20})))
    world.say(
        "ash", "declare", {"lots": [{**row(None), "quantity": {"basis": "range", "from": 5, "to": 9, "unit": "g"}}]}
    )
    document = balances(world)
    assert document["accounts"] == [
        {
            "account": "held/ash",
            "derived": 0,
            "range": {"from": 35, "lots": 4, "to": 69},
            "stated": 0,
            "unit": "g",
            "unstated": 0,
        }
    ]
    assert [(lot["basis"], lot["amount"], lot["from"], lot["to"]) for lot in document["lots"]] == [
        ("range", None, 10, 20),
        ("range", None, 5, 9),
    ]


def test_the_exact_amount_comes_later_by_correction(world: World) -> None:
    vague = {**row(None), "quantity": {"basis": "range", "from": 5, "to": 9, "unit": "g"}}
    d = world.say("ash", "declare", {"lots": [vague]})
    world.say("ash", "correct", {"content": {"lots": [row(7)]}, "reason": "weighed"}, refers_to=[d.place])
    document = balances(world)
    assert accounts(document) == {("held/ash", "g"): 7}
    assert faults(document) == []


def test_rows_received_change_hands_and_the_others_are_in_dispute_under_their_own_names(world: World) -> None:
    t = world.say("ash", "table", table(group(10)))
    offer = hand(world, handover("birch", rows(t, (2, 7))))
    document = balances(world)
    assert holdings(document)[1] == (f"{t.place}/2", 6, "transit/ash/birch", "store")
    answer = world.say("birch", "accept", part(rows(t, (2, 3), (6, 7))), refers_to=[offer.place])
    document = balances(world)
    assert holdings(document) == [
        (f"{t.place}/0", 2, "held/ash", "store"),
        (f"{t.place}/2", 2, "held/birch", "harbour"),
        (f"{t.place}/4", 2, "disputed/ash/birch", "store"),
        (f"{t.place}/6", 2, "held/birch", "harbour"),
        (f"{t.place}/8", 2, "held/ash", "store"),
    ]
    assert faults(document) == [("short", str(answer.place), f"{t.place}/4", 2)]
    assert accounts(document)["disputed/ash/birch", "piece"] == 2


def test_nothing_received_leaves_every_row_in_dispute_until_both_have_settled_it(world: World) -> None:
    t = world.say("ash", "table", table(group(4)))
    hand(world, handover("birch", rows(t, (0, 3))), part(rows(t)))
    document = balances(world)
    assert [one[2] for one in holdings(document)] == ["disputed/ash/birch"]
    settle = {"lots": [], "tables": [rows(t, (0, 1))], "holder": "ash"}
    offer = world.say("birch", "resolve", settle, named=["ash"], to=["ash"])
    world.sync()
    world.say("ash", "accept", FULL, refers_to=[offer.place])
    document = balances(world)
    assert holdings(document) == [
        (f"{t.place}/0", 2, "held/ash", "store"),
        (f"{t.place}/2", 2, "disputed/ash/birch", "store"),
    ]
    world.say("ash", "move", {"place": "works", "tables": [rows(t, (0, 1))]})
    assert holdings(balances(world))[0][3] == "works"


def test_crossed_proposals_lock_no_row_also_after_the_rows_have_been_told_apart(world: World) -> None:
    t = world.say("ash", "table", table(group(4)))
    hand(world, handover("birch", rows(t, (0, 3))), part(rows(t)))
    whole = {"lots": [], "tables": [rows(t, (0, 3))]}
    mine = world.say("ash", "resolve", {**whole, "holder": "ash"}, named=["birch"])
    yours = world.say("birch", "resolve", {**whole, "holder": "birch"}, named=["ash"])
    world.sync()
    again = {"lots": [], "holder": "ash", "tables": [rows(t, (2, 2))]}
    offer = world.say("birch", "resolve", again, named=["ash"])
    world.sync()
    world.say("ash", "accept", FULL, refers_to=[offer.place])
    document = balances(world)
    assert [(one[1], one[2]) for one in holdings(document)] == [
        (2, "disputed/ash/birch"),
        (1, "held/ash"),
        (1, "disputed/ash/birch"),
    ]
    assert {one[:2] for one in faults(document)} >= {("unanswered", str(mine.place)), ("unanswered", str(yours.place))}


def test_a_refusal_gives_the_rows_back(world: World) -> None:
    t = world.say("ash", "table", table(group(4)))
    offer = hand(world, handover("birch", rows(t, (1, 2))))
    world.say("birch", "refuse", {"reason": "not agreed"}, refers_to=[offer.place])
    assert holdings(balances(world)) == [(f"{t.place}/0", 4, "held/ash", "store")]


def test_rows_and_lots_are_destroyed_by_one_offer(world: World) -> None:
    t = world.say("ash", "table", table(group(5), group(2, "cargo", each=9)))
    d = world.say("ash", "declare", {"lots": [row(10)]})
    content = {
        "lots": [held(f"{d.place}/0", 10), held(f"{t.place}/6", 9)],
        "tables": [rows(t, (0, 1), (3, 4))],
        "method": "fire",
        "place": "works",
        "evidence": [],
        "residue": [row(30, "ash-slag")],
    }
    offer = world.say("ash", "destroy", content, named=["birch"], to=["birch"])
    world.sync()
    world.say("birch", "accept", FULL, refers_to=[offer.place])
    document = balances(world)
    assert accounts(document) == {
        ("destroyed/ash", "g"): 19,
        ("destroyed/ash", "piece"): 4,
        ("held/ash", "g"): 39,
        ("held/ash", "piece"): 1,
    }


def test_every_bulk_act_keeps_the_rules_of_a_single_one(world: World) -> None:
    t = world.say("ash", "table", table(group(6)))
    hand(world, handover("birch", rows(t, (4, 5))), FULL)
    bad = [
        world_write(world, "loss", {"lots": [], "reason": "x", "tables": [rows(t, (3, 4))]}),
        world_write(world, "move", {"place": "moon", "tables": [rows(t, (0, 1))]}),
        world_write(world, "consume", {"lots": [], "reason": "x", "tables": [rows(t, (0, 6))]}),
        world_write(world, "consume", {"lots": [], "reason": "x", "tables": [rows("ash/9", (0, 0))]}),
        world_write(world, "seal", {"seal": "7", "action": "applied", "tables": [rows(t, (5, 5))]}),
    ]
    document = balances(world)
    assert faults(document) == [
        ("posting/not-custodian", bad[0], None, 1),
        ("posting/place", bad[1], None, 1),
        ("posting/not-custodian", bad[2], None, 1),
        ("posting/unknown-lot", bad[3], "ash/9/0", 1),
        ("posting/not-custodian", bad[4], f"{t.place}/5", 1),
    ]
    assert [one[1:3] for one in holdings(document)] == [(4, "held/ash"), (2, "held/birch")]


def world_write(world: World, form: str, content: dict[str, Any], **members: Any) -> str:
    """An entry by hand into the journal of ash, whatever its own centre says of it; its place."""
    entry = write(world.centres["ash"], form, content, **members)
    assert entry is not None
    assert entry.admissible, entry.reason
    return str(entry.place)


def test_a_row_named_and_selected_is_named_twice(world: World) -> None:
    t = world.say("ash", "table", table(group(6)))
    boat = {"lot": f"{t.place}/2", "quantity": {"amount": 1, "basis": "stated", "unit": "piece"}}
    bad = world_write(world, "handover", handover("birch", rows(t, (0, 3)), lots=(boat,)), named=["birch"])
    assert faults(balances(world)) == [("posting/locked", bad, None, 1)]


def test_a_row_is_split_like_any_lot_and_what_is_sealed_stays_whole(world: World) -> None:
    t = world.say("ash", "table", table(group(3, "cargo", each=10), group(1, "cargo", each=None), group(1, None)))
    s = world.say("ash", "split", {"lot": f"{t.place}/1", "parts": [row(4, "salt")]})
    bad = [world_write(world, "split", {"lot": f"{t.place}/{n}", "parts": [row(1)]}) for n in (3, 4)]
    offered = handover("birch", lots=(held(f"{t.place}/3", None),))
    del offered["tables"]
    quantity = world_write(world, "handover", offered, named=["birch"])
    document = balances(world)
    assert [(lot["lot"], lot.get("rows", 1), lot["amount"]) for lot in document["lots"]] == [
        (f"{t.place}/0", 1, 10),
        (f"{t.place}/1", 1, 6),
        (f"{t.place}/2", 1, 10),
        (f"{t.place}/3", 1, None),
        (f"{t.place}/4", 1, 1),
        (f"{s.place}/0", 1, 4),
    ]
    assert faults(document) == [
        *(("posting/sealed", entry, f"{t.place}/{n}", 1) for entry, n in zip(bad, (3, 4), strict=True)),
        ("posting/quantity", quantity, f"{t.place}/3", 1),
    ]


def test_lots_and_rows_are_repacked_and_nothing_is_more_or_less(world: World) -> None:
    t = world.say("ash", "table", table(group(4, "cargo", each=10)))
    d = world.say("ash", "declare", {"lots": [row(5, "salt")]})
    content = {"lots": [f"{d.place}/0"], "parts": [row(20), row(15)], "tables": [rows(t, (0, 2))]}
    short = world_write(world, "repack", {**content, "parts": [row(20), row(14)]})
    narrower = world_write(world, "repack", {**content, "parts": [row(35, "salt")]})
    r = world.say("ash", "repack", content)
    document = balances(world)
    assert [(lot["lot"], lot["amount"]) for lot in document["lots"]] == [
        (f"{t.place}/3", 10),
        (f"{r.place}/0", 20),
        (f"{r.place}/1", 15),
    ]
    assert faults(document) == [("posting/sum", short, None, 1), ("posting/kind", narrower, None, 1)]


def test_a_nil_declaration_and_a_supplement(world: World) -> None:
    nil = world.say("ash", "table", table())
    more = world.say("ash", "table", table(group(2), supplements=str(nil.place)))
    bad = world_write(world, "table", table(group(1), supplements="ash/1"))
    document = balances(world)
    assert holdings(document) == [(f"{more.place}/0", 2, "held/ash", "store")]
    assert faults(document) == [("posting/supplement", bad, None, 1)]


def test_what_is_found_and_not_declared_is_held_by_nobody(world: World) -> None:
    found = world.say("birch", "table-found", table(group(2)))
    bad = world_write(world, "loss", {"lots": [f"{found.place}/0"], "reason": "x"})
    world.sync()
    document = balances(world)
    assert holdings(document) == [(f"{found.place}/0", 2, "found", "store")]
    assert ("posting/unknown-lot", bad, f"{found.place}/0", 1) in faults(document)  # ash had not heard of it


def test_a_line_is_corrected_by_deletion_and_addition_and_what_is_deleted_stays_in_sight(world: World) -> None:
    t = world.say("ash", "table", table(group(6)))
    world.say("ash", "move", {"place": "works", "tables": [rows(t, (3, 3))]})
    lines = [
        {"hash": "0" * 64, "lot": f"{t.place}/1", "addition": 0},
        {"hash": "1" * 64, "lot": f"{t.place}/2"},
        {"hash": "2" * 64, "lot": f"{t.place}/3", "addition": 1},
    ]
    c = world.say("ash", "table", table(group(3, place="harbour"), deletions=lines, reason="typing"))
    document = balances(world)
    assert holdings(document) == [
        (f"{t.place}/0", 1, "held/ash", "store"),
        (f"{t.place}/1", 2, "corrected/ash", "store"),
        (f"{t.place}/3", 1, "held/ash", "works"),
        (f"{t.place}/4", 2, "held/ash", "store"),
        (f"{c.place}/0", 1, "held/ash", "harbour"),
        (f"{c.place}/2", 1, "held/ash", "harbour"),  # a late line; 1 would stand for what has moved
    ]
    assert faults(document) == [("late-correction", str(c.place), f"{t.place}/3", 1)]
    bad = world_write(world, "move", {"place": "works", "tables": [rows(c, (0, 2))]})
    assert ("posting/unknown-lot", bad, None, 1) in faults(balances(world))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([{"hash": "0" * 64, "lot": "ash/3/9"}], "unknown-lot"),
        ([{"hash": "0" * 64, "lot": "birch/2/0"}], "unknown-lot"),
        ([{"hash": "0" * 64, "lot": "ash/3/1"}] * 2, "lot-closed"),
        ([{"hash": "0" * 64, "lot": "ash/3/1", "addition": 1}], "addition"),
        ([{"hash": "0" * 64, "lot": f"ash/3/{n}", "addition": 0} for n in (1, 2)], "addition"),
    ],
)
def test_a_correction_that_fits_nothing_is_refused_whole(world: World, lines: Any, reason: str) -> None:
    assert str(world.say("ash", "table", table(group(6))).place) == "ash/3"
    bad = world_write(world, "table", table(group(1), deletions=lines, reason="x"))
    document = balances(world)
    assert faults(document) == [(f"posting/{reason}", bad, None, 1)]
    assert [one[:3] for one in holdings(document)] == [("ash/3/0", 6, "held/ash")]


def test_a_count_says_that_there_is_nothing_else(world: World) -> None:
    t = world.say("ash", "table", table(group(6), group(2, place="works"), group(1, "cargo", each=5)))
    count = {"basis": "counted", "groups": [group(6)], "places": ["store"]}
    c = world.say("ash", "count", count)
    assert faults(balances(world)) == [("inventory", str(c.place), "cargo", "store")]
    world.say("ash", "count", {**count, "groups": [group(6), group(1, "cargo", each=5)]})
    assert faults(balances(world)) == []
    every = world.say("ash", "count", {"basis": "restated", "groups": [group(5), group(1, "cargo", each=None)]})
    assert faults(balances(world)) == [
        ("inventory", str(every.place), "boat", "store"),
        ("inventory", str(every.place), "boat", "works"),
        ("inventory-open", str(every.place), "cargo", "store"),
    ]
    hand(world, handover("birch", rows(t, (0, 0))))
    world.say("ash", "count", {**count, "groups": [group(5), group(1, "cargo", each=5)]})  # one is on its way
    assert faults(balances(world))[:1] == [("inventory", str(every.place), "boat", "works")]


def test_a_count_does_not_pass_over_what_is_sealed(world: World) -> None:
    world.say("ash", "table", table(group(6, "boat", None)))
    c = world.say("ash", "count", {"basis": "counted", "groups": [], "places": ["store"]})
    assert faults(balances(world)) == [("inventory-sealed", str(c.place), None, 1)]
    bad = world_write(world, "count", {"basis": "counted", "groups": [group(1, None)], "places": ["store"]})
    worse = world_write(world, "count", {"basis": "counted", "groups": [group(1)], "places": ["works"]})
    assert ("posting/kind", bad, None, 1) in faults(balances(world))
    assert ("posting/place", worse, None, 1) in faults(balances(world))


def test_a_contest_of_a_table_shows_on_all_its_rows_and_of_a_bulk_act_on_those_selected(world: World) -> None:
    t = world.say("ash", "table", table(group(6)))
    m = world.say("ash", "move", {"place": "works", "tables": [rows(t, (1, 2), (4, 4))]})
    world.sync()
    c = world.say("birch", "contest", {"reason": "not seen"}, refers_to=[m.place])
    d = world.say("birch", "contest", {"reason": "not seen"}, refers_to=[m.place, t.place])
    assert faults(balances(world)) == [
        ("contested", str(c.place), f"{t.place}/1", 2),
        ("contested", str(c.place), f"{t.place}/4", 1),
        ("contested", str(d.place), f"{t.place}/0", 6),
    ]


def test_a_loss_of_rows_on_their_way_moves_nothing(world: World) -> None:
    t = world.say("ash", "table", table(group(6)))
    hand(world, handover("birch", rows(t, (2, 4))))
    loss = world.say("ash", "loss", {"lots": [], "reason": "storm", "tables": [rows(t, (0, 3))]})
    document = balances(world)
    assert ("loss-in-transit", str(loss.place), f"{t.place}/2", 2) in faults(document)
    assert accounts(document) == {
        ("held/ash", "piece"): 1,
        ("lost/ash", "piece"): 2,
        ("transit/ash/birch", "piece"): 3,
    }


def test_asking_whether_an_act_would_be_refused_changes_nothing(world: World) -> None:
    t = world.say("ash", "table", table(group(100)))
    ash = world.centres["ash"]
    before, stored = balances_bytes(ash.custody), ash.custody.holdings.tables[t.place].lots
    for content in (
        {"lot": f"{t.place}/7", "place": "moon"},
        {"place": "works", "tables": [rows(t, (3, 4), (9, 100))]},
    ):
        with pytest.raises(Refusal):
            world.say("ash", "move", content)
    m = world.say("ash", "move", {"place": "store", "tables": [rows(t, (3, 4), (9, 9))]})
    assert [lot.rows for lot in stored] == [3, 2, 4, 1, 90]
    assert ash.custody.check(m) is None
    assert balances_bytes(ash.custody) == before  # they are where they were


def test_grams_are_grams(world: World) -> None:
    bad = world_write(world, "table", table(group(1, "cargo", unit="piece")))
    worse = world_write(world, "table", table(group(1, None, unit="ton")))
    range_bad = world_write(world, "table", table(group(1, "cargo", each={"from": 3, "to": 3})))
    assert faults(balances(world)) == [
        ("posting/unit", bad, None, 1),
        ("posting/unit", worse, None, 1),
        ("posting/range", range_bad, None, 1),
    ]
