# SPDX-License-Identifier: Apache-2.0
"""The lake agreement with reasons, thresholds, clocks, kinds of seals, nested places, witnesses by quorum."""

from __future__ import annotations

from functools import cache
from typing import Any

from servanda.agreement.pack import Pack, pack_of
from servanda.journal.state import Entry
from tests.rig.packs import fields, listed, pack_data
from tests.rig.world import World

_TEXT: dict[str, Any] = {"type": "string"}
_QUANTITY = {**fields(amount={"type": "integer"}, basis=_TEXT, unit=_TEXT), "required": ["basis", "unit"]}
_ROW = fields(kind=_TEXT, place=_TEXT, quantity=_QUANTITY, serial=_TEXT)
_HELD = fields(lot=_TEXT, quantity=_QUANTITY)
PARTIES = ("ash", "birch", "cedar", "dune")


def _format(name: str, effect: str, act: str = "notify", optional: tuple[str, ...] = (), **members: Any) -> Any:
    shape = fields(**members)
    texts = {"en": name}
    return {
        **{"id": name, "version": 1, "act": act, "effect": effect, "names": texts, "purpose": texts, "release": "two"},
        **{"may-send": [], "performs": False, "witnesses": []},
        "fields": {**shape, "required": [n for n in shape["required"] if n not in optional]},
    }


_DESTROY = {
    **{"lots": listed(_HELD), "method": _TEXT, "place": _TEXT, "evidence": listed(_TEXT), "residue": listed(_ROW)},
    "identity": listed({**fields(lot=_TEXT, serial=_TEXT, finding=_TEXT), "required": ["lot"]}),
}
_KEYED = {"keys": listed(_TEXT), "reason": _TEXT, "words": _TEXT}
_BOOK_ROW = fields(kind=_TEXT, place=_TEXT, quantity=_QUANTITY, standing=_TEXT)
FORMATS = [
    _format("clear", "custody.destroy", "offer", ("identity",), **_DESTROY)
    | {"may-send": ["ash"], "witnesses": ["birch", "cedar", "dune"], "quorum": 2},
    _format("box", "custody.pack", container=_TEXT, lots=listed(_TEXT)),
    _format("unbox", "custody.unpack", container=_TEXT, lots=listed(_TEXT)),
    _format("ship", "custody.shipment", carrier=_TEXT, expected=_TEXT, seals=listed(_TEXT)),
    _format("recount", "custody.recount", optional=("reason",), counts=listed(_HELD), reason=_TEXT),
    _format(
        "fasten", "custody.seal", optional=("kind", "expires"),
        lot=_TEXT, seal=_TEXT, action=_TEXT, kind=_TEXT, expires=_TEXT,
    ),
    _format("look", "seals.check", by=_TEXT, checks=listed(fields(seal=_TEXT, result=_TEXT))),
    _format("stay", "seals.stay", "offer", ("until",), seals=listed(_TEXT), until=_TEXT),
    _format("gate", "sites.access", place=_TEXT, state=_TEXT, reason=_TEXT),
    _format("book", "books.state", of=_TEXT, rows=listed(_BOOK_ROW)),
    _format("query", "discrepancy.open", owner=_TEXT, reason=_TEXT, subject=_TEXT, words=_TEXT),
    _format("attempt", "discrepancy.attempt", **_KEYED),
    _format("rejoin", "discrepancy.reply", **_KEYED),
    _format("conclude", "discrepancy.close", "offer", **_KEYED),
]  # fmt: skip


def _named(**ids: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": name.replace("_", "-"), "names": {"en": name}, **more} for name, more in ids.items()]


def depot_data(parties: tuple[str, ...] = PARTIES, **changes: Any) -> dict[str, Any]:
    """The JSON value of the pack."""
    data = pack_data(parties)
    places = [
        {"id": "shore", "names": {"en": "shore"}, "coordinates": [-33_868_800, 151_209_300]},
        *({**place, "within": "shore"} for place in data["places"] if place["id"] != "works"),
        *(place for place in data["places"] if place["id"] == "works"),
    ]
    return {
        **data,
        "formats": [*data["formats"], *FORMATS],
        "places": places,
        "reasons": _named(miscount={}, damage={}, theft={}, paperwork={}),
        "methods": _named(m={}, fire={}, cutting={}),
        "seals": _named(wire={"use": "seal", "days": 30}, barcode={"use": "tag", "days": None}),
        "thresholds": [{"item": "cargo", "part": 1, "of": 10}],
        "discrepancies": {"days": 15, "shipment-days": 2, "codes": [{"code": "question", "days": 5}]},
        **changes,
    }


def depot(parties: tuple[str, ...] = PARTIES, **changes: Any) -> Pack:
    """The pack."""
    return pack_of(depot_data(parties, **changes))


@cache
def _adopted(parties: tuple[str, ...]) -> World:
    return World(depot(parties))


def depot_world(*parties: str) -> World:
    """A world of its own in which the agreement is in force: ash, birch, cedar, dune, if nobody else is named."""
    return _adopted(parties or PARTIES).clone()


def accept(world: World, party: str, offer: Entry, *received: dict[str, Any], **members: Any) -> Entry:
    """Accept in full, or in part if something is named as received."""
    content = {"condition": None, "extent": "part" if received else "full", "received": list(received)}
    content |= {"reason": "miscount"} if received else {}
    return world.say(party, "accept", content, refers_to=(offer.place,), **members)
