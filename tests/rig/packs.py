# SPDX-License-Identifier: Apache-2.0
"""A small agreement for tests: a lake with boats, watched by a commission. Nothing in it is real."""

from __future__ import annotations

from typing import Any

from servanda.agreement.pack import Pack, pack_of

_QUANTITY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "amount": {"type": "integer"},
        "basis": {"type": "string"},
        "from": {"type": "integer"},
        "to": {"type": "integer"},
        "unit": {"type": "string"},
    },
    "required": ["basis", "unit"],
    "additionalProperties": False,
}
_TEXT = {"type": "string"}


_OPTIONAL = {"deletions", "performs", "serial", "supplements", "tables"}


def fields(optional: tuple[str, ...] = (), **members: Any) -> dict[str, Any]:
    """An object schema that requires all members but some that are always optional, and those named."""
    return {
        "type": "object",
        "properties": members,
        "required": sorted(set(members) - _OPTIONAL - set(optional)),
        "additionalProperties": False,
    }


def listed(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_ROW = fields(kind=_TEXT, place=_TEXT, quantity=_QUANTITY, serial=_TEXT)
_HELD = fields(lot=_TEXT, quantity=_QUANTITY)
_PERFORMS = listed(
    {
        "type": "object",
        "properties": {
            "obligation": _TEXT,
            "extent": _TEXT,
            "done": {"type": "integer"},
            "of": {"type": "integer"},
        },
        "required": ["obligation", "extent"],
        "additionalProperties": False,
    }
)


_INTEGER = {"type": "integer"}
_TABLES = listed(fields(count=_INTEGER, rows=listed(listed(_INTEGER)), table=_TEXT))
_ITEM = fields(("serial",), kind=_TEXT, place=_TEXT, serial={"type": "string", "minLength": 1, "maxLength": 40})
_DELETED = listed(fields(("addition",), addition=_INTEGER, hash=_TEXT, lot=_TEXT))


def _format(
    name: str, act: str = "notify", effect: str | None = None, optional: tuple[str, ...] = (), **members: Any
) -> dict[str, Any]:
    return {
        "id": name,
        "version": 1,
        "act": act,
        "effect": effect,
        "names": {"en": name},
        "purpose": {"en": name},
        "release": "two",
        "may-send": [],
        "performs": "performs" in members,
        "witnesses": [],
        "fields": fields(optional, **members),
    }


def _by_table(name: str, effect: str, optional: tuple[str, ...] = (), **members: Any) -> dict[str, Any]:
    return _format(name, "notify", effect, optional, **members) | {"rows": _ITEM}


FORMATS = [
    _format("note", text=_TEXT),
    _format("report", text=_TEXT, performs=_PERFORMS),
    _format("alert", text=_TEXT) | {"release": "one"},
    _format("question", "inquire", text=_TEXT),
    _format("reply", "answer", text=_TEXT),
    _format("proposal", "offer", text=_TEXT),
    _format("declare", effect="custody.declare", lots=listed(_ROW)),
    _format("found", effect="custody.found", lots=listed(_ROW)),
    _format("split", effect="custody.split", lot=_TEXT, parts=listed(_ROW)),
    _format("merge", effect="custody.merge", lots=listed(_TEXT), kind=_TEXT, place=_TEXT),
    _format("move", "notify", "custody.move", ("lot",), lot=_TEXT, place=_TEXT, tables=_TABLES),
    _format("seal", "notify", "custody.seal", ("lot",), lot=_TEXT, seal=_TEXT, action=_TEXT, tables=_TABLES),
    _format("loss", effect="custody.loss", lots=listed(_TEXT), reason=_TEXT, tables=_TABLES),
    _format("consume", effect="custody.consume", lots=listed(_TEXT), reason=_TEXT, tables=_TABLES),
    _format("repack", effect="custody.repack", lots=listed(_TEXT), parts=listed(_ROW), tables=_TABLES),
    _format("state", "notify", "custody.condition", ("lot",), lot=_TEXT, condition=_TEXT, tables=_TABLES),
    _by_table("table", "custody.table", ("reason",), deletions=_DELETED, reason=_TEXT, supplements=_TEXT),
    _by_table("table-found", "custody.found-table"),
    _by_table("count", "custody.inventory", ("places",), basis=_TEXT, places=listed(_TEXT)),
    _format("finding", effect="custody.finding", findings=listed(fields(outcome=_TEXT, subject=_TEXT))),
    _format("contest", effect="custody.contest", reason=_TEXT),
    _format("handover", "offer", "custody.offer", lots=listed(_HELD), receiver=_TEXT, place=_TEXT, tables=_TABLES),
    _format(
        "destroy",
        "offer",
        "custody.destroy",
        lots=listed(_HELD),
        method=_TEXT,
        place=_TEXT,
        evidence=listed(_TEXT),
        residue=listed(_ROW),
        tables=_TABLES,
    ),
    _format(
        "scuttle",
        "offer",
        "custody.destroy",
        lots=listed(_HELD),
        method=_TEXT,
        place=_TEXT,
        evidence=listed(_TEXT),
        residue=listed(_ROW),
    )
    | {"witnesses": ["birch"]},
    _format("order", text=_TEXT) | {"may-send": ["ash"]},
    _format("resolve", "offer", "custody.resolve", lots=listed(_HELD), holder=_TEXT, tables=_TABLES),
    _format("extend", "offer", "obligations.extend", obligation=_TEXT, due=_TEXT),
    _format("supersede", "offer", "obligations.supersede", obligation=_TEXT, by=_TEXT),
    _format("suspend", effect="obligations.suspend", obligations=listed(_TEXT), state=_TEXT, reason=_TEXT),
]


def _obligation(name: str, due: dict[str, Any], absence: str = "overdue", obligor: str = "ash") -> dict[str, Any]:
    return {
        "id": name,
        "names": {"en": name},
        "text": {"en": name},
        "instrument": "test",
        "obligors": [obligor],
        "due": due,
        "absence": absence,
        "judged-by": [],
        "source": "test",
    }


OBLIGATIONS = [
    _obligation("FIXED", {"rule": "fixed", "date": "2014-03-01"}),
    _obligation("AFTER", {"rule": "days-after", "event": "start", "days": 30}),
    _obligation("BEFORE", {"rule": "before", "event": "start", "days": 10}),
    _obligation("SHARE", {"rule": "share", "date": "2014-03-01", "part": 1, "of": 2}),
    _obligation("MONTHLY", {"rule": "recurring", "first": "2014-01-15", "every": "month", "until": None}),
    _obligation("ALWAYS", {"rule": "continuous"}),
    _obligation("SOME-DAY", {"rule": "unstated", "text": {"en": "without delay"}}),
    _obligation("ON-ALERT", {"rule": "triggered", "trigger": "alert", "hours": 24}),
    _obligation("EVENTUAL", {"rule": "days-after", "event": "first-note", "days": 5}, "not-stated"),
]


def pack_data(parties: tuple[str, ...] = ("ash", "birch"), quorum: Any = "all", liars: int = 0) -> dict[str, Any]:
    """The JSON value of the test pack for the given parties."""
    return {
        "servanda-pack": 1,
        "id": "lake",
        "edition": "1",
        "languages": ["en"],
        "title": {"en": "Lake"},
        "replaces": None,
        "parties": [{"id": name, "names": {"en": name}, "role": {"en": "party"}} for name in parties],
        "time": {"zone": "UTC", "days": "calendar", "holidays": [], "basis": "event"},
        "settlement": {"quorum": quorum, "liars": liars},
        "units": [
            {"id": "g", "names": {"en": "gram"}, "symbol": "t", "exponent": 6},
            {"id": "piece", "names": {"en": "piece"}, "symbol": "pc", "exponent": 0},
        ],
        "items": [
            {"id": "cargo", "names": {"en": "cargo"}, "unit": "g", "within": None},
            {"id": "salt", "names": {"en": "salt"}, "unit": "g", "within": "cargo"},
            {"id": "ash-slag", "names": {"en": "slag"}, "unit": "g", "within": None},
            {"id": "boat", "names": {"en": "boat"}, "unit": "piece", "within": None},
        ],
        "places": [{"id": name, "names": {"en": name}} for name in ("harbour", "store", "works")],
        "events": [
            {"id": "start", "names": {"en": "start"}, "date": "2014-01-01"},
            {"id": "first-note", "names": {"en": "first note"}, "format": "note"},
        ],
        "formats": FORMATS,
        "obligations": OBLIGATIONS,
        "bodies": [],
        "alerts": [],
    }


def lake(parties: tuple[str, ...] = ("ash", "birch"), **settlement: Any) -> Pack:
    """The test pack."""
    return pack_of(pack_data(parties, **settlement))


def _asked(form: dict[str, Any]) -> dict[str, Any]:
    """A question's format, whose content may say by when it is to be answered."""
    fields_of = form["fields"]
    return {**form, "fields": {**fields_of, "required": [n for n in fields_of["required"] if n != "answer-by"]}}


_ASKING = {"class": _TEXT, "text": _TEXT, "answer-by": _TEXT}
CHANNEL = [
    _asked(_format("warn", effect="alerts.alert", **_ASKING) | {"release": "one"}),
    _asked(_format("ask", "inquire", "alerts.inquiry", **_ASKING)),
    _format("code", effect="alerts.coded", word=_TEXT, number={"type": "integer"}) | {"release": "one"},
    _format("tell", "answer", "alerts.answer", text=_TEXT),
    _format("assess", effect="alerts.assessment", assessment=_TEXT, reason=_TEXT),
    _format("meet", effect="alerts.meeting", on=_TEXT),
    _format("close", effect="alerts.closure", reason=_TEXT),
    _format("swap", effect="line.exchange", round=_TEXT, list=_TEXT),
]
_CLASS = {"names": {"en": "c"}, "precedence": "flash", "acknowledge-minutes": 10, "answer-minutes": 60}
ALERTS = [
    _CLASS | {"id": "urgent", "meeting-minutes": 120, "remind-minutes": 5, "escalate-minutes": 3},
    _CLASS | {"id": "notice", "precedence": "routine", "answer-minutes": None},
]


def channel(parties: tuple[str, ...] = ("ash", "birch"), **line: Any) -> Pack:
    """The test pack with a direct line: classes of alerts, a book of codes, link tests, routes."""
    data = pack_data(parties)
    relays = [{"kind": "relay", "by": party} for party in parties[2:]]
    return pack_of(
        data
        | {
            "alerts": ALERTS,
            "codes": [{"word": "LAKE", "number": 7, "class": "urgent", "texts": {"en": "Boats adrift"}}],
            "formats": [*data["formats"], *CHANNEL],
            "line": {
                "alarm-minutes": 10,
                "contacts-days": 365,
                "link-test-minutes": 60,
                "routes": [{"kind": "address"}, *relays, {"kind": "courier"}],
            }
            | line,
        }
    )
