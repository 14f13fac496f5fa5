# SPDX-License-Identifier: Apache-2.0
"""Cases of tables: rows that are lots, selected in bulk, received in part, corrected by line, counted, repacked."""

from __future__ import annotations

import hashlib
from typing import Any

from making.case import Case, Cases
from making.custodies import add_balances, cargo, grams, held, shown_as, with_amount, without
from making.packs import TEXT, fields, form, listed, pack
from making.records import FULL, add_record
from making.world import World

_NUMBER: dict[str, Any] = {"type": "integer"}
_SELECTED = listed(fields(count=_NUMBER, rows=listed(listed(_NUMBER)), table=TEXT))
_QUANTITY = fields(("amount", "from", "to"), amount=_NUMBER, basis=TEXT, unit=TEXT, **{"from": _NUMBER, "to": _NUMBER})
_ROW = fields(kind=TEXT, place=TEXT, quantity=_QUANTITY)
_LOTS = listed(fields(lot=TEXT, quantity=_QUANTITY))
_ITEM = fields(("serial",), kind=TEXT, place=TEXT, serial=TEXT)
_LINES = listed(fields(("addition",), addition=_NUMBER, hash=TEXT, lot=TEXT))


def _form(
    name: str, act: str, effect: str, optional: tuple[str, ...] = (), *, rows: bool = False, **members: Any
) -> dict[str, Any]:
    found = form(name, act, effect) | {"fields": fields(optional, **members)}
    return found | {"rows": _ITEM} if rows else found


_FORMATS = [
    _form("table", "notify", "custody.table", ("deletions", "reason", "supplements"), rows=True,
          deletions=_LINES, reason=TEXT, supplements=TEXT),
    _form("table-found", "notify", "custody.found-table", rows=True),
    _form("count", "notify", "custody.inventory", ("places",), rows=True, basis=TEXT, places=listed(TEXT)),
    _form("declare", "notify", "custody.declare", lots=listed(_ROW)),
    _form("split", "notify", "custody.split", lot=TEXT, parts=listed(_ROW)),
    _form("repack", "notify", "custody.repack", ("tables",), lots=listed(TEXT), parts=listed(_ROW), tables=_SELECTED),
    _form("move", "notify", "custody.move", ("lot", "tables"), lot=TEXT, place=TEXT, tables=_SELECTED),
    _form("loss", "notify", "custody.loss", ("tables",), lots=listed(TEXT), reason=TEXT, tables=_SELECTED),
    _form("handover", "offer", "custody.offer", ("tables",), lots=_LOTS, receiver=TEXT, place=TEXT, tables=_SELECTED),
    _form("destroy", "offer", "custody.destroy", ("tables",), lots=_LOTS, method=TEXT, place=TEXT,
          evidence=listed(TEXT), residue=listed(_ROW), tables=_SELECTED),
    _form("resolve", "offer", "custody.resolve", ("tables",), lots=_LOTS, holder=TEXT, tables=_SELECTED),
    form("contest", effect="custody.contest", reason=TEXT),
]  # fmt: skip


def _world() -> World:
    value = pack(("ash", "birch"), ("declare",))
    return World({**value, "formats": _FORMATS})


def _group(rows: int, kind: str | None = "boat", place: str | None = "store", each: Any = 1, unit: str = "") -> Any:
    return {"each": each, "kind": kind, "place": place, "rows": rows, "unit": unit or ("piece" if each == 1 else "g")}


def _table(*groups: dict[str, Any], **more: Any) -> dict[str, Any]:
    rows = sum(group["rows"] for group in groups)
    root = hashlib.sha256(str(rows).encode() if rows else b"").hexdigest()
    return {"groups": list(groups), "table": {"root": root, "rows": rows, "secret": None, "servanda-table": 1}, **more}


def _rows(table: str, *ranges: tuple[int, int]) -> dict[str, Any]:
    count = sum(last - first + 1 for first, last in ranges)
    return {"count": count, "rows": [list(one) for one in ranges], "table": table}


def _hand(world: World, *selected: dict[str, Any], lots: tuple[dict[str, Any], ...] = ()) -> str:
    content = {"lots": list(lots), "place": "harbour", "receiver": "birch", "tables": list(selected)}
    return world.say("ash", "handover", content, named=["birch"])


def _part(*selected: dict[str, Any], received: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"condition": None, "extent": "part", "received": list(received), "tables": list(selected)}


def _declared(cases: Cases) -> None:
    world = _world()
    nil = world.say("ash", "table", _table())
    sealed = [_group(4, None, None), _group(2, "cargo", None, each=None, unit="g")]
    vague = _group(3, "salt", each={"from": 10, "to": 20})
    world.say("ash", "table", _table(_group(1_445_000), _group(5), *sealed, vague, supplements=nil))
    world.say("birch", "table-found", _table(_group(3)))
    quantity = {"basis": "range", "from": 5, "to": 9, "unit": "g"}
    world.say("birch", "declare", {"lots": [cargo(None, quantity=quantity)]})
    for bad in (_group(1, "gold"), _group(1, "cargo"), _group(1, None, each=1, unit="ton"), _group(1, "boat", "cave")):
        world.say("ash", "table", _table(_group(1), bad))
    world.say("ash", "table", _table(_group(1, "salt", each={"from": 9, "to": 9})))
    world.say("ash", "table", _table(_group(1), supplements="ash/1"))
    sentence = "A nil declaration, a supplement with groups alike, sealed and in ranges; others that cannot be."
    wrong = "The amount that is sealed is said to be zero."
    add_balances(cases, "table-declared", sentence, world, "tables#Groups", with_amount("ash/4/1445009", 0), wrong)


def _received(cases: Cases) -> None:
    world = _world()
    table = world.say("ash", "table", _table(_group(10), _group(2, "cargo", each=50)))
    offer = _hand(world, _rows(table, (2, 7)), lots=(held(f"{table}/10", 50),))
    answer = _part(_rows(table, (2, 3), (6, 7)), received=(held(f"{table}/10", 45),))
    world.say("birch", "accept", answer, refers=[offer])
    some = {"holder": "ash", "lots": [], "tables": [_rows(table, (4, 4))]}
    world.say("ash", "accept", FULL, refers=[world.say("birch", "resolve", some, named=["ash"])])
    world.say("ash", "move", {"place": "harbour", "tables": [_rows(table, (0, 1), (4, 4))]})
    world.say("ash", "move", {"place": "harbour", "tables": [_rows(table, (0, 2))]})
    world.say("ash", "move", {"place": "harbour", "tables": [_rows(table, (8, 12))]})
    _hand(world, _rows(table, (8, 9)), lots=({"lot": f"{table}/8", "quantity": {**grams(1), "unit": "piece"}},))
    world.say("birch", "refuse", {"reason": "no room"}, refers=[_hand(world, _rows(table, (9, 9)))])
    _hand(world, _rows(table, (8, 8)))
    world.say("ash", "loss", {"lots": [], "reason": "storm", "tables": [_rows(table, (8, 9))]})
    sentence = (
        "Rows received in part: the others in dispute, one of them resolved; acts on what is held and what is not."
    )
    wrong = "A row that did not come is said to be back with who offered it."
    add_balances(
        cases,
        "table-received-in-part",
        sentence,
        world,
        "tables#Rows as lots",
        shown_as(f"{table}/5", account="held/ash"),
        wrong,
    )


def _corrected(cases: Cases) -> None:
    world = _world()
    table = world.say("ash", "table", _table(_group(6)))
    world.say("ash", "move", {"place": "harbour", "tables": [_rows(table, (3, 3))]})
    lines = [
        {"addition": 0, "hash": "1f" * 32, "lot": f"{table}/1"},
        {"hash": "2f" * 32, "lot": f"{table}/2"},
        {"addition": 1, "hash": "3f" * 32, "lot": f"{table}/3"},
    ]
    world.say("ash", "table", _table(_group(3, place="harbour"), deletions=lines, reason="typing"))
    for bad in ([lines[0]], [lines[1], lines[1]], [{**lines[0], "lot": f"{table}/9"}], [{**lines[2], "addition": 1}]):
        world.say("ash", "table", _table(_group(1), deletions=bad, reason="typing"))
    world.say("ash", "correct", {"content": _table(_group(7)), "reason": "typing"}, refers=[table])
    world.say("birch", "contest", {"reason": "not seen"}, refers=[table])
    sentence = (
        "Lines corrected by deletion and addition, one of them too late, and a late line; deletions that cannot be."
    )
    wrong = "What was deleted is said to be held still."
    add_balances(
        cases,
        "table-corrected",
        sentence,
        world,
        "tables#Declarations by table",
        shown_as(f"{table}/1", account="held/ash"),
        wrong,
    )


def _counted(cases: Cases) -> None:
    world = _world()
    world.say("ash", "table", _table(_group(6), _group(2, "cargo", "harbour", each=5), _group(1, "boat", None)))
    world.say("ash", "count", {"basis": "counted", "groups": [_group(7)], "places": ["store"]})
    world.say("ash", "count", {"basis": "counted", "groups": [_group(6)], "places": ["store"]})
    world.say("ash", "count", {"basis": "restated", "groups": [_group(6), _group(1, "cargo", "harbour", each=None)]})
    world.say("ash", "count", {"basis": "counted", "groups": [_group(5)], "places": ["store"]})
    world.say("ash", "count", {"basis": "counted", "groups": [_group(1, None)], "places": ["store"]})
    world.say("ash", "count", {"basis": "counted", "groups": [_group(1)], "places": ["harbour"]})
    sentence = (
        "Complete counts: one that differs and is counted again, one that is not exact; something sealed in the book."
    )
    wrong = "A difference is left out."
    add_balances(cases, "table-counted", sentence, world, "#Inventory", without("inventory"), wrong)


def _ended(cases: Cases) -> None:
    world = _world()
    table = world.say("ash", "table", _table(_group(4, "cargo", each=10), _group(3), _group(1, None)))
    first = world.say("ash", "declare", {"lots": [cargo(5, "salt")]}) + "/0"
    world.say("ash", "repack", {"lots": [first], "parts": [cargo(20), cargo(14)], "tables": [_rows(table, (0, 2))]})
    world.say("ash", "repack", {"lots": [], "parts": [cargo(1)], "tables": [_rows(table, (7, 7))]})
    world.say("ash", "repack", {"lots": [first], "parts": [cargo(20), cargo(15)], "tables": [_rows(table, (0, 2))]})
    world.say("ash", "split", {"lot": f"{table}/3", "parts": [cargo(4, "salt")]})
    burn = {"evidence": [], "lots": [], "method": "burnt", "place": "store", "residue": [cargo(9, "slag")]}
    offer = world.say("ash", "destroy", {**burn, "tables": [_rows(table, (3, 5))]}, named=["birch"])
    world.say("birch", "accept", FULL, refers=[offer])
    world.say("ash", "loss", {"lots": [], "reason": "storm", "tables": [_rows(table, (5, 6))]})
    sentence = "Rows and a lot repacked with the same sum, and with another; a row split; rows destroyed by one offer."
    wrong = "A row of which a part was split off is said to have been destroyed whole."
    add_balances(
        cases,
        "table-repacked-and-destroyed",
        sentence,
        world,
        "#Postings 4 and 6",
        with_amount(f"{table}/3", 10),
        wrong,
    )


def _shapes(cases: Cases) -> None:
    world = _world()
    table = world.say("ash", "table", _table(_group(10)))
    good = _table(_group(3))
    for bad in (
        {**good, "groups": [_group(2)]},
        {**good, "groups": [{**_group(3), "rows": 0}]},
        {**good, "table": {**good["table"], "rows": -1}},
        {**_table(), "table": {**_table()["table"], "root": "0" * 64}},
        {**good, "groups": [{**_group(3), "each": 0}]},
        {**good, "groups": [{**_group(3), "each": -1}]},
        {**good, "groups": [{**_group(3), "unit": None}]},
        {**good, "deletions": [{"hash": "1f" * 32, "lot": f"{table}/1"}]},
        {**good, "reason": "none"},
    ):
        world.say("ash", "table", bad)
    for ranges, count in (
        ([[0, 3], [4, 5]], 6), ([[4, 5], [0, 1]], 4), ([[3, 1]], 0), ([], 0), ([[0, 3]], 5), ([[0]], 1), ([[-1, 0]], 2),
    ):  # fmt: skip
        selected = [{"count": count, "rows": ranges, "table": table}]
        world.say("ash", "move", {"place": "harbour", "tables": selected})
    world.say("ash", "move", {"place": "harbour", "tables": [_rows(table, (0, 0)), _rows(table, (2, 2))]})
    world.say("ash", "move", {"place": "harbour"})
    offer = _hand(world, _rows(table, (2, 7)))
    for answer in (
        _part(_rows(table, (2, 8))),
        _part(_rows("ash/4", (2, 3))),
        _part(),
        {**_part(), "tables": [_rows(table, (2, 3))] * 2},
        {"condition": None, "extent": "part", "received": []},
        {**FULL, "tables": [_rows(table, (2, 3))]},
    ):
        world.say("birch", "accept", answer, refers=[offer])
    add_record(
        cases,
        "tables",
        "Tables, groups and selections that do not fit; acceptances of rows not offered.",
        world,
        "tables",
    )


def cases() -> list[Case]:
    """Balances that follow from tables, and one record of contents that do not fit."""
    found, entries = Cases("custody", "custody"), Cases("entry", "entry")
    for make in (_declared, _received, _corrected, _counted, _ended):
        make(found)
    _shapes(entries)
    return [*found.made, *entries.made]
