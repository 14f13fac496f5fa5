# SPDX-License-Identifier: Apache-2.0
"""Are lots and accounts what spec/custody.md says? Expected documents are written by hand here."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.verifier.build import World, canonical
from tests.unit.verifier.cases import (
    accounts,
    busy_world,
    declare,
    discrepancies,
    hand_over,
    lot,
    received,
    row,
    state_of,
    verify,
)


def test_a_busy_record_gives_the_document_written_by_hand() -> None:
    found = verify(busy_world())
    lots = [
        ("held/ana", 600, "stated", "ana/4/0", "depot"),
        ("held/ben", 450, "stated", "ana/4/1", "port"),
        ("held/ana", None, "not-stated", "ana/4/2", "depot"),
        ("destroyed/ben", 400, "stated", "ana/5/0", "port"),
        ("disputed/ana/ben", 50, "stated", "ben/4/1", "depot"),
        ("held/ben", 7, "stated", "ben/6/0", "depot"),
    ]
    names = (
        ("destroyed/ben", 0, 400, 0),
        ("disputed/ana/ben", 0, 50, 0),
        ("held/ana", 0, 600, 1),
        ("held/ben", 0, 457, 0),
    )
    assert found.registers["custody"] == {
        "accounts": [{"account": a, "derived": d, "stated": s, "unit": "g", "unstated": u} for a, d, s, u in names],
        "discrepancies": [{"code": "short", "entry": "ben/4", "lot": "ben/4/1"}],
        "lots": [
            {"account": a, "amount": n, "basis": b, "kind": "mustard", "lot": name, "place": p, "unit": "g"}
            for a, n, b, name, p in lots
        ],
        "servanda-balances": 1,
    }
    assert canonical(found.registers["custody"]).startswith(b'{"accounts":[{"account":"destroyed/ben","derived":0')


def test_an_offer_is_in_transit_and_locked_until_it_is_answered() -> None:
    world = World()
    d = declare(world, "ana", 10)
    hand_over(world, "ana", "ben", (f"{d}/0", 10))
    moved = world.say("ana", "move", {"lot": f"{d}/0", "place": "port"})
    found = verify(world)
    assert accounts(found) == {"transit/ana/ben": 10}
    assert discrepancies(found) == [("unanswered", "ana/5", None), ("posting/locked", str(moved), f"{d}/0")]


def test_what_the_receiver_has_but_the_giver_has_not_seen_stays_locked_for_the_giver() -> None:
    world = World()
    d = declare(world, "ana", 10)
    o = hand_over(world, "ana", "ben", (f"{d}/0", 10))
    world.accept("ben", o)
    move = {"lot": f"{d}/0", "place": "depot"}
    blind, mine = world.say("ana", "move", move, sees={}), world.say("ben", "move", move)
    seen = world.say("ana", "move", move)
    found = verify(world)
    assert accounts(found) == {"held/ben": 10}
    assert lot(found, f"{d}/0")["place"] == "depot"
    assert discrepancies(found) == [
        ("posting/locked", str(blind), f"{d}/0"),
        ("posting/not-custodian", str(seen), f"{d}/0"),
    ]
    assert state_of(found, mine) == "admissible"


@pytest.mark.parametrize(
    ("form", "content", "reason", "names"),
    [
        ("move", {"lot": "ana/4/9", "place": "port"}, "unknown-lot", "ana/4/9"),
        ("move", {"lot": "ana/4/0", "place": "moon"}, "place", "ana/4/0"),
        ("split", {"lot": "ana/4/0", "parts": [row(11)]}, "overdrawn", "ana/4/0"),
        ("split", {"lot": "ana/4/0", "parts": [row(1, "agent")]}, "kind", "ana/4/0"),
        ("split", {"lot": "ana/4/0", "parts": [row(1, "shell")]}, "unit", "ana/4/0"),
        ("merge", {"lots": ["ana/4/0", "ana/4/0"], "kind": "mustard", "place": "port"}, "lot-closed", "ana/4/0"),
        ("merge", {"lots": ["ana/4/0", "ana/4/1"], "kind": "mustard", "place": "port"}, "pool", None),
        ("declare", {"lots": [row(1, "gold")]}, "kind", None),
        ("declare", {"lots": [row(1, serial="A1"), row(1, serial="A1")]}, "duplicate-serial", None),
        ("consume", {"lots": ["ana/4/0", "ben/4/0"], "reason": "test"}, "not-custodian", None),
    ],
)
def test_a_posting_that_breaks_a_rule_is_refused_whole(form: str, content: Any, reason: str, names: str | None) -> None:
    world = World()
    declare(world, "ana", 10, 20)
    declare(world, "ben", 5)
    bad = world.say("ana", form, content)
    found = verify(world)
    assert discrepancies(found) == [(f"posting/{reason}", str(bad), names)]
    assert accounts(found) == {"held/ana": 30, "held/ben": 5}


def test_an_offer_states_the_quantity_that_the_lot_has() -> None:
    world = World()
    d = declare(world, "ana", 10, None)
    bad = [hand_over(world, "ana", "ben", (f"{d}/0", 9)), hand_over(world, "ana", "ben", (f"{d}/1", 9))]
    hand_over(world, "ana", "ben", (f"{d}/1", None))
    assert [x[:2] for x in discrepancies(verify(world))] == [
        ("posting/quantity", str(bad[0])),
        ("posting/quantity", str(bad[1])),
        ("unanswered", "ana/7"),
    ]


def test_the_only_lot_not_stated_of_a_pool_is_derived_from_the_rest() -> None:
    world = World()
    d = declare(world, "ana", 1000)
    part = {"lot": f"{d}/0", "parts": [row(None), row(300)]}
    s = world.say("ana", "split", part)
    found = verify(world)
    assert lot(found, f"{s}/0")["basis"] == "not-stated"  # two lots of the pool are without an amount
    world.say("ana", "merge", {"lots": [f"{d}/0", f"{s}/0"], "kind": "agent", "place": "depot"})
    merged = lot(verify(world), "ana/6/0")
    assert (merged["basis"], merged["amount"], merged["kind"]) == ("derived", 700, "agent")


def test_a_dispute_is_settled_by_both() -> None:
    world = World()
    d = declare(world, "ana", 10)
    world.accept("ben", hand_over(world, "ana", "ben", (f"{d}/0", 10)), received((f"{d}/0", 8)))
    content = {"lots": received((f"ben/{4}/0", 2)), "holder": "ana"}
    o = world.offer("ben", "resolve", content, ["ana"])
    assert accounts(verify(world)) == {"disputed/ana/ben": 2, "held/ben": 8}
    world.accept("ana", o)
    found = verify(world)
    assert accounts(found) == {"held/ana": 2, "held/ben": 8}
    assert discrepancies(found) == []


def test_crossed_offers_to_resolve_a_dispute_void_one_another_and_lock_nothing() -> None:
    world = World()
    d = declare(world, "ana", 10)
    world.accept("ben", hand_over(world, "ana", "ben", (f"{d}/0", 10)), received((f"{d}/0", 8)))
    rest = received((f"ben/{4}/0", 2))
    mine = world.offer("ana", "resolve", {"lots": rest, "holder": "ana"}, ["ben"])
    yours = world.offer("ben", "resolve", {"lots": rest, "holder": "ben"}, ["ana"], sees={})
    said = [world.accept("ben", mine), world.accept("ana", yours)]
    found = verify(world)
    assert [state_of(found, x) for x in said] == ["admissible", "admissible"]
    assert accounts(found) == {"disputed/ana/ben": 2, "held/ben": 8}
    assert {x[:2] for x in discrepancies(found)} >= {("not-settled", str(mine)), ("not-settled", str(yours))}
    world.accept("ben", world.offer("ana", "resolve", {"lots": rest, "holder": "ana"}, ["ben"]))
    assert accounts(verify(world)) == {"held/ana": 2, "held/ben": 8}


def test_nothing_received_ends_the_lot_and_leaves_all_of_it_in_dispute() -> None:
    world = World()
    d = declare(world, "ana", 10)
    world.accept("ben", hand_over(world, "ana", "ben", (f"{d}/0", 10)), received((f"{d}/0", 0)))
    found = verify(world)
    assert accounts(found) == {"disputed/ana/ben": 10}
    assert lot(found, f"{d}/0") is None


def test_a_declaration_is_corrected_while_the_lot_is_as_declared() -> None:
    world = World()
    d = declare(world, "ana", 10, 20, 30)
    world.say("ana", "split", {"lot": f"{d}/1", "parts": [row(5)]})
    new = {"content": {"lots": [row(12), row(21)]}, "reason": "typing"}
    c = world.say("ana", "correct", new, act="correct", **{"refers-to": [d]})
    more = {"content": {"lots": [row(12), row(20), row(30), row(1, "agent")]}, "reason": "one more"}
    m = world.say("ana", "correct", more, act="correct", **{"refers-to": [d]})
    found = verify(world)
    assert accounts(found) == {"held/ana": 12 + 20 + 30 + 1}
    assert discrepancies(found) == [("late-correction", str(c), f"{d}/1"), ("late-correction", str(c), f"{d}/2")]
    assert lot(found, f"{m}/3")["amount"] == 1


def test_loss_consumption_and_found_lots_have_accounts_of_their_own() -> None:
    world = World()
    d = declare(world, "ana", 10, 20, 40)
    hand_over(world, "ana", "ben", (f"{d}/2", 40))
    world.say("ana", "loss", {"lots": [f"{d}/0", f"{d}/2"], "reason": "fire"})
    world.say("ana", "consume", {"lots": [f"{d}/1"], "reason": "analysis"})
    world.say("ben", "found", {"lots": [row(3)]})
    found = verify(world)
    assert accounts(found) == {"consumed/ana": 20, "found": 3, "lost/ana": 10, "transit/ana/ben": 40}
    assert ("loss-in-transit", "ana/6", f"{d}/2") in discrepancies(found)


def test_one_serial_declared_by_two_parties_is_open_on_both_lots() -> None:
    world = World()
    a = world.say("ana", "declare", {"lots": [row(1, serial="S-9")]})
    b = world.say("ben", "declare", {"lots": [row(1, serial="S-9")]})
    expected = [("duplicate-serial", str(a), f"{a}/0"), ("duplicate-serial", str(b), f"{b}/0")]
    assert discrepancies(verify(world)) == expected


def test_a_contest_reverses_nothing_and_shows_on_the_lots() -> None:
    world = World()
    d = declare(world, "ana", 10)
    c = world.say("ben", "contest", {"reason": "not seen"}, **{"refers-to": [d]})
    found = verify(world)
    assert discrepancies(found) == [("contested", str(c), f"{d}/0")]
    assert accounts(found) == {"held/ana": 10}


def test_a_handover_between_two_of_three_waits_for_the_third_to_have_seen_it() -> None:
    world = World(("ana", "ben", "cas"))
    d = declare(world, "ana", 10)
    world.accept("ben", hand_over(world, "ana", "ben", (f"{d}/0", 10)))
    found = verify(world)
    assert accounts(found) == {"transit/ana/ben": 10}
    assert discrepancies(found) == [("not-settled", "ana/5", None)]
    world.cite("ana", ["cas"])
    assert accounts(verify(world)) == {"transit/ana/ben": 10}  # the acceptance is not attested
    world.cite("ben", ["ana"])
    assert accounts(verify(world)) == {"transit/ana/ben": 10}  # ana is not outside the thread
    world.cite("ben", ["cas"])
    assert accounts(verify(world)) == {"held/ben": 10}
