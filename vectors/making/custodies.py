# SPDX-License-Identifier: Apache-2.0
"""Cases of custody: the balances document that follows from a record, and one that follows from a misreading."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from making.case import Case, Cases
from making.packs import pack
from making.records import FULL
from making.settlements import Moment, bundled, moment
from making.world import World

_FORMATS = ("declare", "handover")
Change = Callable[[dict[str, Any]], Any]


def grams(amount: int | None) -> dict[str, Any]:
    """A quantity in grams, or one not stated."""
    return (
        {"basis": "not-stated", "unit": "g"} if amount is None else {"amount": amount, "basis": "stated", "unit": "g"}
    )


def cargo(amount: int | None, kind: str = "cargo", **members: Any) -> dict[str, Any]:
    """A row of a declaration, a part, a residue."""
    return {"kind": kind, "place": "store", "quantity": grams(amount), **members}


def _boat(serial: str) -> dict[str, Any]:
    return cargo(None, "boat", quantity={"amount": 1, "basis": "stated", "unit": "piece"}, serial=serial)


def held(lot: str, amount: int | None) -> dict[str, Any]:
    """A lot and its quantity, as offers name it."""
    return {"lot": lot, "quantity": grams(amount)}


def _world(*formats: str, parties: tuple[str, ...] = ("ash", "birch")) -> World:
    return World(pack(parties, (*_FORMATS, *formats)))


def _declare(world: World, *rows: dict[str, Any], party: str = "ash", form: str = "declare") -> str:
    """A declaration by `party`: entry 3 is the first; lots are `ash/3/0` and so on."""
    return world.say(party, form, {"lots": list(rows)})


def _hand(world: World, *lots: dict[str, Any], by: str = "ash", to: str = "birch", place: str = "harbour") -> str:
    return world.say(by, "handover", {"lots": list(lots), "place": place, "receiver": to}, named=[to])


def _part(*received: dict[str, Any]) -> dict[str, Any]:
    return {"condition": None, "extent": "part", "received": list(received)}


def add_balances(cases: Cases, name: str, sentence: str, world: World, rule: str, misread: Change, wrong: str) -> None:
    """Two cases: the balances that follow, and those that an exporter states who reads a rule otherwise."""
    now: Moment = moment(world)
    balances = now.documents["custody"]
    changed = {
        **balances,
        **{key: [dict(row) for row in balances[key]] for key in ("accounts", "discrepancies", "lots")},
    }
    misread(changed)
    changed["accounts"] = _accounts(changed["lots"])
    if changed == balances or _accounts(balances["lots"]) != balances["accounts"]:
        raise ValueError(f"{name}: the misreading makes no difference")
    cases.good(name, sentence, bundled(now, now.documents), balances, rule)
    stated = {**now.documents, "custody": changed}
    cases.bad(f"{name}-misread", f"{sentence} {wrong}", bundled(now, stated), rule)


def _accounts(lots: list[dict[str, Any]]) -> list[dict[str, Any]]:
    sums: dict[tuple[str, str], dict[str, Any]] = {}
    for lot in lots:
        blank = {"account": lot["account"], "derived": 0, "stated": 0, "unit": lot["unit"], "unstated": 0}
        row, rows = sums.setdefault((lot["account"], lot["unit"]), blank), lot.get("rows", 1)
        if lot["basis"] == "range":
            ends = row.setdefault("range", {"from": 0, "lots": 0, "to": 0})
            row["range"] = {name: ends[name] + rows * lot.get(name, 1) for name in ends}
            continue
        member = "unstated" if lot["basis"] == "not-stated" else lot["basis"]
        row[member] = row.get(member, 0) + rows * (1 if lot["amount"] is None else lot["amount"])
    return [row for _, row in sorted(sums.items())]


def shown_as(name: str, **members: Any) -> Change:
    """A misreading: this lot is otherwise."""

    def change(balances: dict[str, Any]) -> None:
        row = next(row for row in balances["lots"] if row["lot"] == name)
        row.update(members)

    return change


def without(code: str) -> Change:
    """A misreading: discrepancies with this code are left out."""

    def change(balances: dict[str, Any]) -> None:
        balances["discrepancies"] = [row for row in balances["discrepancies"] if row["code"] != code]

    return change


def with_amount(lot: str, amount: int, basis: str = "stated") -> Change:
    """A misreading: this lot has another amount."""

    def change(balances: dict[str, Any]) -> None:
        shown_as(lot, amount=amount, basis=basis)(balances)

    return change


def _declared(cases: Cases) -> None:
    world = _world("found")
    _declare(world, cargo(700), cargo(None, "salt"), _boat("A-1"))
    _declare(world, cargo(50, "slag"), party="birch")
    _declare(world, cargo(5), party="birch", form="found")
    for row in (cargo(1, "gold"), cargo(1, "boat"), {**cargo(1), "place": "cave"}):
        _declare(world, cargo(1), row)
    wrong = "Stated is the account of the finder for what was found."
    sentence = "Lots declared, one without a quantity; one is found; a kind, a unit and a place that there are not."
    add_balances(cases, "declared", sentence, world, "#Postings 2", shown_as("birch/4/0", account="held/birch"), wrong)
    world = _world()
    _declare(world, _boat("A-1"))
    _declare(world, _boat("A-1"), _boat("A-2"))
    _declare(world, _boat("A-3"), _boat("A-3"))
    _declare(world, _boat("A-1"), party="birch")
    sentence = "A serial twice by one party, in two declarations and in one; and once by each party."
    wrong = "Left out is the discrepancy between the two parties."
    add_balances(cases, "serials", sentence, world, "#Postings 2", without("duplicate-serial"), wrong)


def _divided(cases: Cases) -> None:
    world = _world("split", "merge")
    _declare(world, cargo(700), cargo(300), cargo(90))
    world.say("ash", "split", {"lot": "ash/3/0", "parts": [cargo(200, "salt"), cargo(100)]})
    world.say("ash", "split", {"lot": "ash/3/1", "parts": [cargo(300)]})
    world.say("ash", "split", {"lot": "ash/3/2", "parts": [cargo(91)]})
    world.say("ash", "split", {"lot": "ash/3/2", "parts": [cargo(1, "slag")]})
    world.say("ash", "merge", {"kind": "cargo", "lots": ["ash/3/0", "ash/4/0"], "place": "harbour"})
    world.say("ash", "merge", {"kind": "cargo", "lots": ["ash/4/1", "ash/5/0"], "place": "store"})
    world.say("ash", "merge", {"kind": "salt", "lots": ["ash/4/1", "ash/8/0"], "place": "store"})
    world.say("ash", "merge", {"kind": "cargo", "lots": ["ash/4/1", "ash/4/0"], "place": "store"})
    sentence = (
        "Splits and merges; refused are too much, another kind, two pools, a narrower kind, a lot that has ended."
    )
    wrong = "Left out is that two lots were of different pools."
    add_balances(cases, "split-and-merged", sentence, world, "#Postings 3 and 4", without("posting/pool"), wrong)
    world = _world("split", "merge")
    _declare(world, cargo(700), cargo(400), cargo(None), cargo(80))
    world.say("ash", "split", {"lot": "ash/3/0", "parts": [cargo(200)]})
    world.say("ash", "split", {"lot": "ash/3/0", "parts": [cargo(None)]})
    world.say("ash", "split", {"lot": "ash/3/1", "parts": [cargo(None), cargo(100)]})
    world.say("ash", "split", {"lot": "ash/6/0", "parts": [cargo(350)]})
    world.say("ash", "split", {"lot": "ash/3/2", "parts": [cargo(10)]})
    world.say("ash", "split", {"lot": "ash/3/3", "parts": [cargo(None)]})
    world.say("ash", "split", {"lot": "ash/3/3", "parts": [cargo(30)]})
    world.say("ash", "merge", {"kind": "cargo", "lots": ["ash/3/3", "ash/9/0"], "place": "store"})
    sentence = "Parts without a quantity: what can be derived, and what cannot; a pool that is exceeded."
    wrong = "Left out is the discrepancy of the pool."
    add_balances(cases, "not-stated", sentence, world, "#Postings 3", without("pool-exceeded"), wrong)


def _handed(cases: Cases) -> None:
    world = _world("move")
    _declare(world, cargo(10), cargo(20), cargo(30), cargo(40), cargo(50))
    world.say("birch", "accept", FULL, refers=[_hand(world, held("ash/3/0", 10))])
    world.say("birch", "refuse", {"reason": "no room"}, refers=[_hand(world, held("ash/3/1", 20))])
    _hand(world, held("ash/3/2", 30))
    world.say("ash", "move", {"lot": "ash/3/2", "place": "harbour"})
    world.say("ash", "move", {"lot": "ash/3/0", "place": "store"})
    world.say("ash", "move", {"lot": "ash/9/0", "place": "store"})
    _hand(world, held("ash/3/3", 41))
    _hand(world, held("ash/3/3", 40), held("ash/3/3", 40))
    world.say("birch", "move", {"lot": "ash/3/0", "place": "store"})
    world.say("birch", "accept", FULL, refers=[_hand(world, held("ash/3/4", 50), place="cave")])
    sentence = "Offers: accepted, refused, open; of another quantity, of a lot twice; moves by who may and who may not."
    wrong = "The lot on its way is said to be with its receiver."
    add_balances(
        cases,
        "handed-over",
        sentence,
        world,
        "#Postings 5",
        shown_as("ash/3/2", account="held/birch"),
        wrong,
    )
    world = _world("resolve")
    _declare(world, cargo(100), cargo(None), cargo(30), cargo(40))
    offer = _hand(world, *(held(f"ash/3/{row}", amount) for row, amount in enumerate((100, None, 30, 40))))
    received = _part(held("ash/3/0", 90), held("ash/3/1", 5), held("ash/3/2", 0), held("ash/3/3", 40))
    world.say("birch", "accept", received, refers=[offer])
    rest = {"holder": "ash", "lots": [held("birch/3/0", 10)]}
    resolved = world.say("birch", "resolve", rest, named=["ash"])
    world.say("ash", "accept", FULL, refers=[resolved])
    world.say("birch", "resolve", rest, named=["ash"])
    world.say("birch", "resolve", {"holder": "oak", "lots": [held("birch/3/2", 30)]}, named=["ash"])
    world.say("birch", "resolve", {"holder": "ash", "lots": [held("birch/3/2", 30)]}, named=["ash"])
    sentence = "Received in part: the rest is in dispute, and one dispute is resolved."
    wrong = "A lot of which nothing was received is said to have become the receiver's."
    add_balances(
        cases,
        "received-in-part",
        sentence,
        world,
        "#Postings 5 and 7",
        shown_as("birch/3/2", account="held/birch"),
        wrong,
    )
    world = _world(parties=("ash", "birch", "cedar"))
    _declare(world, cargo(10))
    world.say("birch", "accept", FULL, refers=[_hand(world, held("ash/3/0", 10))])
    _hand(world, held("ash/3/0", 10), by="birch", to="cedar")
    sentence = "Accepted and not attested by the third party: the receiver cannot pass it on."
    wrong = "Left out is that the receiver tried."
    add_balances(cases, "not-settled", sentence, world, "#Postings 1", without("posting/not-custodian"), wrong)


def _ended(cases: Cases) -> None:
    world = _world("destroy", "loss", "consume")
    _declare(world, cargo(10), cargo(20), cargo(30), cargo(40), cargo(50))
    method = {"evidence": ["3f" * 32], "method": "burnt", "place": "store"}

    def burn(lot: str, amount: int, *residue: dict[str, Any]) -> str:
        content = {**method, "lots": [held(lot, amount)], "residue": list(residue)}
        return world.say("ash", "destroy", content, named=["birch"])

    done = burn("ash/3/0", 10, cargo(2, "slag"))
    world.say("birch", "accept", FULL, refers=[done])
    world.say("birch", "refuse", {"reason": "not seen"}, refers=[burn("ash/3/1", 20)])
    burn("ash/3/2", 30, cargo(1, "slag"))
    world.say("ash", "loss", {"lots": ["ash/3/3"], "reason": "storm"})
    world.say("ash", "consume", {"lots": ["ash/3/4"], "reason": "eaten"})
    world.say("ash", "loss", {"lots": ["ash/3/0"], "reason": "storm"})
    world.say("ash", "consume", {"lots": ["ash/3/3"], "reason": "eaten"})
    _hand(world, held("ash/4/0", 2))
    world.say("ash", "loss", {"lots": ["ash/4/0"], "reason": "storm"})
    sentence = "Destroyed with a residue, not witnessed, still open; lost, used up; lost on the way."
    wrong = "The residue of the destruction that is still open is said to be there."
    add_balances(cases, "destroyed-and-lost", sentence, world, "#Postings 6 and 8", _residue, wrong)


def _residue(balances: dict[str, Any]) -> None:
    row = next(row for row in balances["lots"] if row["lot"] == "ash/4/0")
    balances["lots"].append({**row, "account": "held/ash", "amount": 1, "lot": "ash/6/0"})


def _corrected(cases: Cases) -> None:
    world = _world("split", "contest")
    first = _declare(world, cargo(10), cargo(20), cargo(30))
    world.say(
        "ash",
        "correct",
        {"content": {"lots": [cargo(11), cargo(20), cargo(30), cargo(40)]}, "reason": "weighed"},
        refers=[first],
    )
    world.say("ash", "split", {"lot": "ash/3/1", "parts": [cargo(5)]})
    world.say(
        "ash", "correct", {"content": {"lots": [cargo(11), cargo(25)]}, "reason": "weighed again"}, refers=[first]
    )
    world.say("ash", "correct", {"content": {"lots": [cargo(1, "gold")]}, "reason": "dug"}, refers=[first])
    split = world.say("ash", "split", {"lot": "ash/3/2", "parts": [cargo(3)]})
    world.say("ash", "correct", {"content": {"lot": "ash/3/2", "parts": [cargo(4)]}, "reason": "no"}, refers=[split])
    world.say("birch", "contest", {"reason": "never seen"}, refers=[first])
    sentence = "A declaration is corrected in time, with a row more, and too late; a split is not; a party contests."
    wrong = "The correction that came too late is said to hold."
    add_balances(cases, "corrected", sentence, world, "#Postings 9 and 10", with_amount("ash/3/1", 25), wrong)


def cases() -> list[Case]:
    """`bundle.servanda` is a dossier; `expected.json` is its balances document."""
    cases = Cases("custody", "custody")
    for group in (_declared, _divided, _handed, _ended, _corrected):
        group(cases)
    return cases.made
