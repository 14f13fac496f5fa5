# SPDX-License-Identifier: Apache-2.0
"""Cases of destruction: carried by a quorum of witnesses, by a method of the pack, of lots known before."""

from __future__ import annotations

from typing import Any

from making.case import Case, Cases
from making.packs import TEXT, fields, form, listed, pack
from making.records import FULL
from making.settlements import Moment, bundled, moment
from making.world import World

_PARTIES = ("ash", "birch", "cedar", "dogwood")
_GRAMS = {"amount": 10, "basis": "stated", "unit": "g"}
_QUANTITY = fields(("amount",), amount={"type": "integer"}, basis=TEXT, unit=TEXT)
_ROW = fields(kind=TEXT, place=TEXT, quantity=_QUANTITY)
_BEFORE = fields(("serial", "finding"), lot=TEXT, serial=TEXT, finding=TEXT)
_SCUTTLE = form(
    "scuttle", "offer", "custody.destroy", method=TEXT, place=TEXT, evidence=listed(TEXT), residue=listed(_ROW),
    lots=listed(fields(lot=TEXT, quantity=_QUANTITY)), identity=listed(_BEFORE),
)  # fmt: skip
_SCUTTLE["fields"]["required"] = [name for name in _SCUTTLE["fields"]["required"] if name != "identity"]
_QUORUM = {"may-send": ["ash"], "quorum": 2, "witnesses": ["birch", "cedar", "dogwood"]}
_FINDING = form("finding", effect="custody.finding", findings=listed(fields(outcome=TEXT, subject=TEXT)))


def _world() -> World:
    value = pack(_PARTIES, ("declare",))
    formats = [*value["formats"], _SCUTTLE | _QUORUM, _FINDING]
    methods = [{"id": name, "names": {"en": name}} for name in ("burning", "sinking")]
    return World({**value, "formats": formats, "methods": methods})


def _offered(world: World, **members: Any) -> str:
    """A boat's cargo and a boat, declared; the cargo is offered to be destroyed."""
    boat = {"kind": "boat", "place": "store", "quantity": {"amount": 1, "basis": "stated", "unit": "piece"}}
    rows = [{"kind": "cargo", "place": "store", "quantity": _GRAMS}, {**boat, "serial": "A-1"}]
    lot = world.say("ash", "declare", {"lots": rows}) + "/0"
    content = {
        "evidence": [],
        "lots": [{"lot": lot, "quantity": _GRAMS}],
        "method": "burning",
        "place": "harbour",
        "residue": [{"kind": "slag", "place": "harbour", "quantity": {**_GRAMS, "amount": 14}}],
        **members,
    }
    return world.say("ash", "scuttle", content, named=list(_PARTIES[1:]))


def _answered(**answers: str) -> Moment:
    """The record after each of the witnesses named has said `yes` or `no`, in the order given."""
    world = _world()
    offer = _offered(world)
    for party, answer in answers.items():
        if answer == "yes":
            world.say(party, "accept", FULL, refers=[offer])
        else:
            world.say(party, "refuse", {"reason": "not seen"}, refers=[offer])
    return moment(world)


def _settled() -> list[Case]:
    cases = Cases("settlement", "settlement")
    one, two = _answered(birch="yes"), _answered(birch="yes", dogwood="yes")
    refused = _answered(birch="no", cedar="no")
    effect = "The registers stated take it to have effect."
    for name, sentence, now, misread, wrong in (
        ("witnesses-one", "One of three witnesses has accepted, two are needed.", one, two, effect),
        ("witnesses-two", "Two of three witnesses have accepted, two are needed.", two, one,
         "The registers stated wait for the third."),
        ("witness-against", "Two of three witnesses have accepted, then the third refuses.",
         _answered(birch="yes", cedar="yes", dogwood="no"), refused, "The registers stated take it to be refused."),
        ("witness-first-against", "One of three witnesses refuses, then the two others accept.",
         _answered(cedar="no", birch="yes", dogwood="yes"), refused, "The registers stated take it to be refused."),
        ("witnesses-refuse", "Two of three witnesses have refused: no two are left to carry it.", refused,
         _answered(birch="no"), "The registers stated take it to be open."),
    ):  # fmt: skip
        cases.good(name, sentence, bundled(now, now.documents), {"offers": now.offers}, "#What follows")
        cases.bad(f"{name}-misread", f"{sentence} {wrong}", bundled(now, misread.documents), "#What follows")
    return cases.made


def _known() -> list[Case]:
    cases = Cases("custody", "custody")
    boat = [{"lot": "ash/3/1", "quantity": {"amount": 1, "basis": "stated", "unit": "piece"}}]
    for name, sentence, members, code in (
        ("method", "A destruction by a method that the pack has not.", {"method": "magic"}, "posting/method"),
        ("identity-serial", "A destruction of a lot with a serial that it was not declared with.",
         {"identity": [{"lot": "ash/3/1", "serial": "A-2"}], "lots": boat}, "posting/identity"),
        ("identity-declared", "A destruction of a lot with the serial that it was declared with.",
         {"identity": [{"lot": "ash/3/1", "serial": "A-1"}], "lots": boat}, "unanswered"),
        ("identity-finding", "A destruction of a lot that was found before, by an entry that is a finding.",
         {"identity": [{"finding": "cedar/3", "lot": "ash/3/0"}]}, "unanswered"),
        ("identity-no-finding", "A destruction of a lot, and an entry that is no finding.",
         {"identity": [{"finding": "cedar/2", "lot": "ash/3/0"}]}, "posting/identity"),
        ("identity-other-lot", "A destruction that says what is known of a lot which stays.",
         {"identity": [{"lot": "ash/3/1", "serial": "A-1"}]}, "posting/identity"),
    ):  # fmt: skip
        world = _world()
        world.say("cedar", "finding", {"findings": [{"outcome": "present-matching", "subject": "ash/3/0"}]})
        _offered(world, **members)
        now = moment(world)
        balances = now.documents["custody"]
        if [row["code"] for row in balances["discrepancies"]] != [code]:
            raise ValueError(f"{name}: not what was meant")
        cases.good(name, sentence, bundled(now, now.documents), balances, "#Postings 6")
        row = {**balances["discrepancies"][0], "code": "unanswered" if code != "unanswered" else "posting/identity"}
        changed = {**now.documents, "custody": {**balances, "discrepancies": [row]}}
        wrong = "The registers stated take it the other way round."
        cases.bad(f"{name}-misread", f"{sentence} {wrong}", bundled(now, changed), "#Postings 6")
    return cases.made


def cases() -> list[Case]:
    """Everything of this module."""
    return [*_settled(), *_known()]
