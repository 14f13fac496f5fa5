# SPDX-License-Identifier: Apache-2.0
"""Cases of lots within lots: what is packed goes with its container, by the rules of custody 12."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from making.case import Case, Cases
from making.packs import TEXT, form, listed, pack
from making.records import FULL
from making.settlements import bundled, moment
from making.world import World

_PIECE = {"amount": 1, "basis": "stated", "unit": "piece"}
_CRATE = {"kind": "boat", "place": "store", "quantity": _PIECE}
_OUTER, _INNER, _SALT, _MORE = (f"ash/3/{row}" for row in range(4))
_FORMATS = [
    form("box", effect="custody.pack", container=TEXT, lots=listed(TEXT)),
    form("unbox", effect="custody.unpack", container=TEXT, lots=listed(TEXT)),
]
Change = Callable[[dict[str, Any]], None]


def _grams(amount: int) -> dict[str, Any]:
    return {"amount": amount, "basis": "stated", "unit": "g"}


def _world() -> World:
    """Salt in an inner crate, that one in an outer crate, with more salt beside it."""
    value = pack(("ash", "birch"), ("declare", "handover", "move", "loss", "split"))
    world = World({**value, "formats": [*value["formats"], *_FORMATS]})
    rows = [_CRATE, _CRATE, *({"kind": "salt", "place": "store", "quantity": _grams(n)} for n in (70, 30))]
    world.say("ash", "declare", {"lots": rows})
    world.say("ash", "box", {"container": _INNER, "lots": [_SALT]})
    world.say("ash", "box", {"container": _OUTER, "lots": [_INNER, _MORE]})
    return world


def _handed(world: World, *lots: str) -> str:
    quantities = {_OUTER: _PIECE, _INNER: _PIECE, _SALT: _grams(70), _MORE: _grams(30)}
    rows = [{"lot": lot, "quantity": quantities[lot]} for lot in lots]
    return world.say("ash", "handover", {"lots": rows, "place": "harbour", "receiver": "birch"}, named=["birch"])


def _place(lot: str, place: str) -> Change:
    def change(balances: dict[str, Any]) -> None:
        row = next(row for row in balances["lots"] if row["lot"] == lot)
        if row["place"] == place:
            raise ValueError(f"{lot} is there")
        row["place"] = place

    return change


def _no_discrepancy(balances: dict[str, Any]) -> None:
    if not balances["discrepancies"]:
        raise ValueError("nothing was refused")
    balances["discrepancies"] = []


def _add(cases: Cases, name: str, sentence: str, world: World, misread: Change, wrong: str) -> None:
    now = moment(world)
    balances = now.documents["custody"]
    changed = {**balances, **{key: [dict(row) for row in balances[key]] for key in ("discrepancies", "lots")}}
    misread(changed)
    cases.good(name, sentence, bundled(now, now.documents), balances, "#Postings 12")
    stated = {**now.documents, "custody": changed}
    cases.bad(f"{name}-misread", f"{sentence} {wrong}", bundled(now, stated), "#Postings 12")


def cases() -> list[Case]:
    """Everything of this module."""
    cases = Cases("custody", "custody")
    carried = "The registers stated take it to be carried out."
    world = _world()
    world.say("ash", "move", {"lot": _OUTER, "place": "harbour"})
    sentence = "A crate is moved; what is in the crate within it moves as well."
    _add(
        cases, "packed-moves", sentence, world, _place(_SALT, "store"), "The registers stated leave that where it was."
    )
    for name, sentence, lots in (
        ("packed-container", "A crate is offered without what is in it.", (_OUTER,)),
        ("packed-part", "A crate is offered without what is in the crate within it.", (_OUTER, _INNER, _MORE)),
        ("packed-content", "What is in a crate is offered without the crate.", (_SALT,)),
    ):
        world = _world()
        _handed(world, *lots)
        _add(cases, name, sentence, world, _no_discrepancy, carried)
    world = _world()
    part = {"condition": None, "extent": "part", "received": [
        {"lot": _OUTER, "quantity": _PIECE}, {"lot": _INNER, "quantity": {**_PIECE, "amount": 0}},
        {"lot": _SALT, "quantity": _grams(60)}, {"lot": _MORE, "quantity": _grams(30)},
    ]}  # fmt: skip
    world.say("birch", "accept", part, refers=[_handed(world, _OUTER, _INNER, _SALT, _MORE)])
    world.say("birch", "move", {"lot": _SALT, "place": "store"})
    sentence = "A crate within a crate does not arrive; what was in it does, is loose, and is moved."
    wrong = "The registers stated take it to be still packed."
    _add(cases, "packed-loose", sentence, world, _place(_SALT, "harbour"), wrong)
    world = _world()
    world.say("birch", "accept", FULL, refers=[_handed(world, _OUTER, _INNER, _SALT, _MORE)])
    world.say("birch", "move", {"lot": _SALT, "place": "store"})
    sentence = "Crates are handed over with all that is in them, which stays in them."
    _add(cases, "packed-handed-over", sentence, world, _no_discrepancy, carried)
    for name, sentence, form_of, content in (
        ("packed-cycle", "A crate is put into the one that is in it.", "box", {"container": _INNER, "lots": [_OUTER]}),
        ("packed-twice", "What is in a crate is put into another.", "box", {"container": _OUTER, "lots": [_SALT]}),
        ("packed-in-salt", "A crate is put into what is no crate.", "box", {"container": _MORE, "lots": [_OUTER]}),
        ("packed-elsewhere", "Something is taken out of where it is not.", "unbox",
         {"container": _OUTER, "lots": [_SALT]}),
        ("packed-lost", "A crate is lost without what is in it.", "loss", {"lots": [_OUTER], "reason": "sank"}),
        ("packed-split", "What is in a crate is divided.", "split",
         {"lot": _SALT, "parts": [{"kind": "salt", "place": "store", "quantity": _grams(1)}]}),
    ):  # fmt: skip
        world = _world()
        world.say("ash", form_of, content)
        _add(cases, name, sentence, world, _no_discrepancy, carried)
    return cases.made
