# SPDX-License-Identifier: Apache-2.0
"""The agreement of the vectors: a lake with boats, watched by its neighbours. Nothing in it is real."""

from __future__ import annotations

from typing import Any

TEXT: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "integer"}


def fields(optional: tuple[str, ...] = (), **members: Any) -> dict[str, Any]:
    """An object schema; all members but the `optional` ones are required."""
    required = sorted(set(members) - set(optional))
    return {"additionalProperties": False, "properties": members, "required": required, "type": "object"}


def listed(items: dict[str, Any]) -> dict[str, Any]:
    """A list schema."""
    return {"items": items, "type": "array"}


_QUANTITY = fields(("amount",), amount=NUMBER, basis=TEXT, unit=TEXT)
_ROW = fields(("serial",), kind=TEXT, place=TEXT, quantity=_QUANTITY, serial=TEXT)
_HELD = fields(lot=TEXT, quantity=_QUANTITY)
_PERFORMS = listed(fields(("done", "of"), done=NUMBER, extent=TEXT, obligation=TEXT, of=NUMBER))


def form(name: str, act: str = "notify", effect: str | None = None, **members: Any) -> dict[str, Any]:
    """One format of a pack."""
    return {
        "act": act,
        "effect": effect,
        "fields": fields(("performs", "note"), **members),
        "id": name,
        "may-send": [],
        "names": {"en": name},
        "performs": "performs" in members,
        "purpose": {"en": name},
        "release": "two",
        "version": 1,
        "witnesses": [],
    }


_LOTS = {"lots": listed(_HELD)}
FORMATS: dict[str, dict[str, Any]] = {
    item["id"]: item
    for item in (
        form("note", text=TEXT),
        form("report", text=TEXT, performs=_PERFORMS),
        form("list") | {"rows": fields(word=TEXT)},
        form("alert", text=TEXT) | {"release": "one"},
        form("bulletin", text=TEXT) | {"may-send": ["ash"]},
        form("question", "inquire", text=TEXT),
        form("reply", "answer", text=TEXT),
        form("proposal", "offer", text=TEXT),
        form("treaty", "offer", text=TEXT) | {"witnesses": ["cedar"]},
        form("declare", effect="custody.declare", lots=listed(_ROW)),
        form("found", effect="custody.found", lots=listed(_ROW)),
        form("split", effect="custody.split", lot=TEXT, parts=listed(_ROW)),
        form("merge", effect="custody.merge", lots=listed(TEXT), kind=TEXT, place=TEXT),
        form("move", effect="custody.move", lot=TEXT, place=TEXT),
        form("seal", effect="custody.seal", lot=TEXT, seal=TEXT, action=TEXT),
        form("loss", effect="custody.loss", lots=listed(TEXT), reason=TEXT),
        form("consume", effect="custody.consume", lots=listed(TEXT), reason=TEXT),
        form("contest", effect="custody.contest", reason=TEXT),
        form("handover", "offer", "custody.offer", receiver=TEXT, place=TEXT, **_LOTS),
        form(
            "destroy", "offer", "custody.destroy", method=TEXT, place=TEXT, evidence=listed(TEXT),
            residue=listed(_ROW), **_LOTS,
        ),
        form("resolve", "offer", "custody.resolve", holder=TEXT, **_LOTS),
        form("extend", "offer", "obligations.extend", obligation=TEXT, due=TEXT),
        form("supersede", "offer", "obligations.supersede", obligation=TEXT, by=TEXT),
        form("suspend", effect="obligations.suspend", obligations=listed(TEXT), state=TEXT, reason=TEXT),
    )
}  # fmt: skip
"""Every format that a case may put into its pack."""

ITEMS = [
    {"id": "cargo", "names": {"en": "cargo"}, "unit": "g", "within": None},
    {"id": "salt", "names": {"en": "salt"}, "unit": "g", "within": "cargo"},
    {"id": "slag", "names": {"en": "slag"}, "unit": "g", "within": None},
    {"id": "boat", "names": {"en": "boat"}, "unit": "piece", "within": None},
]


def obligation(name: str, due: dict[str, Any], **members: Any) -> dict[str, Any]:
    """One obligation of a pack."""
    return {
        "absence": "overdue",
        "due": due,
        "id": name,
        "instrument": "lake",
        "judged-by": [],
        "names": {"en": name},
        "obligors": ["ash"],
        "source": "lake",
        "text": {"en": name},
        **members,
    }


def pack(parties: tuple[str, ...] = ("ash", "birch"), formats: tuple[str, ...] = ("note",), **members: Any) -> Any:
    """The JSON value of a pack with the formats named; `members` replace others of its members."""
    custody = any((FORMATS[name]["effect"] or "").startswith("custody.") for name in formats)
    return {
        "alerts": [],
        "bodies": [],
        "edition": "1",
        "events": [],
        "formats": [FORMATS[name] for name in formats],
        "id": "lake",
        "items": ITEMS if custody else [],
        "languages": ["en"],
        "obligations": [],
        "parties": [{"id": name, "names": {"en": name}, "role": {"en": "party"}} for name in parties],
        "places": [{"id": name, "names": {"en": name}} for name in ("harbour", "store")] if custody else [],
        "replaces": None,
        "servanda-pack": 1,
        "settlement": {"liars": 0, "quorum": "all"},
        "time": {"basis": "event", "days": "calendar", "holidays": [], "zone": "UTC"},
        "title": {"en": "Lake"},
        "units": [
            {"exponent": 6, "id": "g", "names": {"en": "gram"}, "symbol": "t"},
            {"exponent": 0, "id": "piece", "names": {"en": "piece"}, "symbol": "pc"},
        ]
        if custody
        else [],
        **members,
    }
