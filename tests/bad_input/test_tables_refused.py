# SPDX-License-Identifier: Apache-2.0
"""Tables and bulk acts that cannot be: a clear code where they are drafted; from others, shown and without effect."""

from __future__ import annotations

from typing import Any

import pytest

from servanda.operations.errors import Refusal
from servanda.registers.custody.views import balances_bytes, balances_document
from tests.rig.pen import write
from tests.rig.tables import balances, group, rows, table
from tests.rig.world import World, row, three

HELD = "ash/3"
Content = dict[str, Any]


def burn(**members: Any) -> Content:
    return {"lots": [], "method": "m", "place": "works", "evidence": [], "residue": [], **members}


# name: (format, content, code of a refused draft, words in the message)
BAD: dict[str, tuple[str, Content, str, str]] = {
    "pieces weighed in grams": ("table", table(group(3, "boat", unit="g")), "posting/unit", ""),
    "grams counted in pieces": ("table", table(group(3), group(3, "cargo", unit="piece")), "posting/unit", ""),
    "a unit that there is not": ("table", table(group(3, None, unit="ton")), "posting/unit", ""),
    "a site that was not declared": ("table", table(group(3, place="atlantis")), "posting/place", ""),
    "a negative amount": ("table", table(group(3, each=-1)), "content", "groups"),
    "half a piece": ("table", table(group(3, each="0.5")), "content", "groups"),
    "no rows in a group": ("table", {**table(group(3)), "groups": [group(3), group(0)]}, "content", "groups"),
    "fewer rows in groups": ("table", {**table(group(3)), "groups": [group(2)]}, "content", "they have 2 rows"),
    "more rows in groups": ("table", {**table(group(3)), "groups": [group(4)]}, "content", "they have 4 rows"),
    "rows of nothing": ("table", {**table(), "table": table(group(1))["table"]}, "content", "they have 0 rows"),
    "a nil declaration of something": (
        "table",
        {**table(), "table": {**table()["table"], "root": "0" * 64}},
        "content",
        "the empty tree",
    ),
    "a range that ends before it begins": (
        "table",
        table(group(1, "cargo", each={"from": 9, "to": 1})),
        "posting/range",
        "",
    ),
    "a deletion without reason": (
        "table",
        table(group(1), deletions=[{"hash": "0" * 64, "lot": f"{HELD}/0"}]),
        "content",
        "stand together",
    ),
    "a deletion of what there is not": (
        "table",
        table(group(1), deletions=[{"hash": "0" * 64, "lot": f"{HELD}/99"}], reason="r"),
        "posting/unknown-lot",
        "ash/3/99",
    ),
    "rows beyond the table": ("move", {"place": "works", "tables": [rows(HELD, (5, 10))]}, "posting/unknown-lot", HELD),
    "rows of no table": ("move", {"place": "works", "tables": [rows("ash/1", (0, 0))]}, "posting/unknown-lot", "ash/1"),
    "rows of another": ("move", {"place": "works", "tables": [rows("birch/3", (0, 0))]}, "posting/unknown-lot", ""),
    "ranges that overlap": (
        "move",
        {"place": "works", "tables": [{"count": 5, "rows": [[0, 3], [3, 3]], "table": HELD}]},
        "content",
        "ranges ascend",
    ),
    "ranges that touch": (
        "move",
        {"place": "works", "tables": [{"count": 4, "rows": [[0, 1], [2, 3]], "table": HELD}]},
        "content",
        "ranges ascend",
    ),
    "a range backwards": (
        "move",
        {"place": "works", "tables": [{"count": 1, "rows": [[3, 1]], "table": HELD}]},
        "content",
        "ends before it begins",
    ),
    "another count": (
        "loss",
        {"lots": [], "reason": "r", "tables": [{"count": 5, "rows": [[0, 3]], "table": HELD}]},
        "content",
        "4 rows are selected, the count is 5",
    ),
    "one table twice": (
        "loss",
        {"lots": [], "reason": "r", "tables": [rows(HELD, (0, 0)), rows(HELD, (2, 2))]},
        "content",
        "twice",
    ),
    "nothing at all": ("move", {"place": "works"}, "content", "neither a lot nor rows"),
    "a sum that is short": (
        "repack",
        {"lots": [], "tables": [rows(HELD, (8, 9))], "parts": [row(19)]},
        "posting/sum",
        "the parts are 19, the lots 20",
    ),
}  # fmt: skip


@pytest.fixture
def world() -> World:
    found = three("ash", "birch")
    assert str(found.say("ash", "table", table(group(8), group(2, "cargo", each=10))).place) == HELD
    found.sync()
    return found


@pytest.mark.parametrize("name", BAD)
def test_it_is_refused_where_it_is_drafted_and_nothing_has_changed(name: str, world: World) -> None:
    form, content, code, words = BAD[name]
    ash = world.centres["ash"]
    before, size = balances_bytes(ash.custody), ash.journal.size
    with pytest.raises(Refusal) as refused:
        world.say("ash", form, content)
    assert refused.value.code == code
    assert words in str(refused.value)
    assert (balances_bytes(ash.custody), ash.journal.size) == (before, size)


@pytest.mark.parametrize("name", BAD)
def test_from_a_counterpart_it_is_shown_and_has_no_effect(name: str, world: World) -> None:
    form, content, code, _ = BAD[name]
    before = balances_document(world.centres["birch"].custody)
    entry = write(world.centres["ash"], form, content)
    assert entry is not None
    after = balances(world)
    assert (after["lots"], after["accounts"]) == (before["lots"], before["accounts"])
    shown = entry.code if entry.code else after["discrepancies"][-1]["code"]
    assert shown == code


def test_a_destruction_without_quorum_destroys_no_row() -> None:
    world = three("ash", "birch", "cedar")
    t = world.say("ash", "table", table(group(8)))
    world.sync()
    offer = world.say("ash", "destroy", burn(tables=[rows(t, (2, 3))]), named=["birch", "cedar"], to=["birch", "cedar"])
    world.sync()
    world.say("birch", "accept", {"extent": "full", "received": [], "condition": None}, refers_to=[offer.place])
    document = balances(world)
    assert [lot["account"] for lot in document["lots"]] == ["held/ash"]
    assert [one["code"] for one in document["discrepancies"]] == ["unanswered"]
    world.say("cedar", "refuse", {"reason": "not seen"}, refers_to=[offer.place])
    assert [lot["account"] for lot in balances(world)["lots"]] == ["held/ash"]
    world.say("ash", "move", {"place": "works", "tables": [rows(t, (2, 3))]})  # free again
    assert [lot["place"] for lot in balances(world)["lots"]] == ["store", "works", "store"]
