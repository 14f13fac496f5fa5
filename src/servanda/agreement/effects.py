# SPDX-License-Identifier: Apache-2.0
"""The effects that a format may have, and the shape of content that each needs.

They are those of spec/custody.md, spec/obligations.md, spec/alerts.md and spec/dialogue.md. The shapes are JSON
Schemas; a pack's field schema may ask for more, never for less.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from servanda.agreement.dialogue import DIALOGUE_EFFECTS
from servanda.agreement.fields import SEALS, FieldValidator

INTEGER_MAX = 2**53 - 1
ROWS_MAX, RANGES_MAX = 2**32 - 1, 20_000
_AMOUNT = {"type": "integer", "minimum": 0, "maximum": INTEGER_MAX}
_ID = {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,31}$"}
_OBLIGATION_ID = {"type": "string", "pattern": "^([a-z][a-z0-9-]{0,31}|[A-Z][A-Z0-9-]{0,31})$"}
_TEXT = {"type": "string", "minLength": 1, "maxLength": 4000}
_HASH = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
LOT: dict[str, Any] = {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,31}/[1-9][0-9]{0,15}/(0|[1-9][0-9]{0,15})$"}
_DATE = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "format": "date", "not": {"pattern": "^0000"}}
"""A day that exists: registers compute with it."""
_NAME = {"type": "string"}
"""A kind, place or unit: whether the pack has it is for the posting to say, so that a wrong one is a discrepancy."""

QUANTITY: dict[str, Any] = {
    "oneOf": [
        {
            "type": "object",
            "properties": {"amount": _AMOUNT, "basis": {"enum": ["stated", "derived"]}, "unit": _NAME},
            "required": ["amount", "basis", "unit"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"basis": {"const": "not-stated"}, "unit": _NAME},
            "required": ["basis", "unit"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"basis": {"const": "range"}, "from": _AMOUNT, "to": _AMOUNT, "unit": _NAME},
            "required": ["basis", "from", "to", "unit"],
            "additionalProperties": False,
        },
    ]
}


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": sorted(members)}


def _optional(shape: dict[str, Any], **members: Any) -> dict[str, Any]:
    """The shape with members that may be left out; a field schema has no other way to say that there is no value."""
    return {**shape, "properties": {**shape["properties"], **members}}


def _list(items: Any, least: int = 1, most: int = 1000) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def _any(items: Any) -> dict[str, Any]:
    """A list of which the specification says no more than that it is one."""
    return {"type": "array", "items": items}


_HELD = _object(lot=LOT, quantity=QUANTITY)
_PLACED = _object(kind=_NAME, place=_NAME, quantity=QUANTITY)
_DECLARED = {
    **_PLACED,
    "properties": {**_PLACED["properties"], "serial": {"type": "string", "minLength": 1, "maxLength": 80}},
}
_TABLE = {
    **_object(
        root=_HASH,
        rows={"type": "integer", "minimum": 0, "maximum": ROWS_MAX},
        secret={"oneOf": [{"type": "null"}, _HASH]},
        **{"servanda-table": {"const": 1}},
    ),
    "additionalProperties": False,
}
_EACH = {
    "oneOf": [
        {"type": "null"},
        {**_AMOUNT, "minimum": 1},
        {**_object(**{"from": _AMOUNT, "to": _AMOUNT}), "additionalProperties": False},
    ]
}
_SEALABLE = {"oneOf": [{"type": "null"}, _NAME]}
_GROUP = {
    **_object(
        each=_EACH,
        kind=_SEALABLE,
        place=_SEALABLE,
        rows={"type": "integer", "minimum": 1, "maximum": ROWS_MAX},
        unit=_NAME,
    ),
    "additionalProperties": False,
}
_ROW_NUMBER = {"type": "integer", "minimum": 0, "maximum": ROWS_MAX - 1}
_RANGE = _list(_ROW_NUMBER, 2, 2)
_ENTRY = {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,31}/[1-9][0-9]{0,15}$"}
SELECTIONS: dict[str, Any] = _list(
    {
        **_object(
            count={"type": "integer", "minimum": 0, "maximum": ROWS_MAX},
            rows=_list(_RANGE, 0, RANGES_MAX),
            table=_ENTRY,
        ),
        "additionalProperties": False,
    }
)
"""What effects select of tables (spec/tables.md); what no schema can say of it is in `agreement.tables`."""
_DELETION = {
    **_optional(_object(hash=_HASH, lot=LOT), addition=_ROW_NUMBER),
    "additionalProperties": False,
}
_QUALIFIER = {"enum": ["exact", "about", "at-least", "at-most", "less-than", "more-than"]}
_VALUE = {
    "oneOf": [
        {**_object(amount=_AMOUNT, qualifier=_QUALIFIER), "additionalProperties": False},
        {**_object(**{"from": _AMOUNT, "to": _AMOUNT, "qualifier": _QUALIFIER}), "additionalProperties": False},
    ]
}
_FIGURE = _object(**dict.fromkeys(("basis", "grade", "source", "subject", "as-of", "unit"), _TEXT), value=_VALUE)
_OUTCOMES = [
    "present-matching",
    "present-serials-not-shown",
    "present-serials-differ",
    "seen-from-distance",
    "absent-as-claimed",
    "access-denied",
    "not-attempted",
    "sealed-camera",
]


SEAL_RESULTS = ("intact", "damaged", "broken", "missing", "other-seal")
ACCESS_STATES = ("open", "notified", "restricted", "denied", "closed")
STANDINGS = ("declared", "counted", "accepted", "under-scrutiny", "pending", "excluded", "disputed", "rejected")
_PLACE = "[a-z][a-z0-9-]{0,31}/[1-9][0-9]{0,15}"
_KEY = {
    "type": "string",
    "pattern": f"^[a-z][a-z-]{{0,31}}(/[a-z][a-z-]{{0,31}})?:{_PLACE}(:{_PLACE}/(0|[1-9][0-9]{{0,15}}))?$",
}
"""The identity of a discrepancy (spec/discrepancies.md): code, entry, lot."""
_KEYED = {"keys": _list(_KEY), "reason": _ID, "words": _TEXT}
_IDENTITY = {
    "oneOf": [
        {**_object(lot=LOT, serial={"type": "string", "minLength": 1, "maxLength": 80}), "additionalProperties": False},
        {**_object(lot=LOT, finding={"type": "string", "pattern": f"^{_PLACE}$"}), "additionalProperties": False},
    ]
}
_WORD = {"type": "string", "pattern": "^[A-Z][A-Z0-9-]{0,31}$"}
INSTANT = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"


def _question(**members: Any) -> dict[str, Any]:
    """What may say by when it is to be answered; without it the class of the alert says so."""
    return _optional(_object(**members), **{"answer-by": {"type": "string", "pattern": INSTANT}})


class Effect(NamedTuple):
    """One effect: the act it needs, and the shape of its content."""

    act: str
    shape: dict[str, Any]


_ITEM = {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,31}(/[1-9][0-9]{0,15}/(0|[1-9][0-9]{0,15}))?$"}
_INSTANT = {"type": "string", "pattern": INSTANT}
_MINUTES = {"type": "integer", "minimum": 1, "maximum": 5_256_000}
_DAYS = {"type": "integer", "minimum": 0, "maximum": 36_500}
_SIDE = {"enum": ["inspector", "inspected"]}
_EVIDENCE = _list(_HASH, 0)
_ROWS = _list({"type": "array", "items": _AMOUNT, "minItems": 2, "maxItems": 2}, 0, 20_000)
_SELECTED = _object(count=_AMOUNT, root=_HASH, rows={**_ROWS, "minItems": 1}, table=_ENTRY)
_MISS = {"type": "string", "pattern": "^[1-9][0-9]{0,8}/[1-9][0-9]{0,8}$"}


_INSPECTIONS = {
    "inspection.mandate": Effect(
        "offer",
        _object(
            **{"from": _DATE, "until": _DATE, "inspector": _ID, "inspected": _ID},
            beside=_list(_object(party=_ID, side=_SIDE), 0, 62),
            places=_list(_NAME, 0),
            kinds=_list(_NAME, 0),
            tables=_list(_ENTRY, 0, 100),
            limits=_object(
                **dict.fromkeys(("draw-minutes", "opening-minutes"), _MINUTES),
                **dict.fromkeys(("report-days", "comment-days"), _DAYS),
            ),
        ),
    ),
    "inspection.plan": Effect(
        "notify",
        _optional(
            _object(
                population=_object(lots=_list(LOT, 0, 10_000), places=_list(_NAME, 0), tables=_list(_SELECTED, 0, 100)),
                sample=_AMOUNT,
                defects=_AMOUNT,
                miss=_MISS,
                algorithm=_ID,
                begins=_DATE,
                ends=_DATE,
            ),
            goal=_object(amount=_AMOUNT, each=_AMOUNT, unit=_NAME),
            **dict.fromkeys(("commit-by", "reveal-by"), _INSTANT),
        ),
    ),
    "inspection.commit": Effect("notify", _object(draw=_HASH, commitment=_HASH, sample=_AMOUNT, algorithm=_ID)),
    "inspection.finding": Effect(
        "notify",
        _object(
            findings=_list(
                _object(
                    item=_ITEM,
                    outcome={"enum": _OUTCOMES},
                    evidence=_EVIDENCE,
                    note={"type": "string", "maxLength": 4000},
                )
            )
        ),
    ),
    "inspection.undeclared": Effect(
        "notify",
        _object(
            table=_ENTRY,
            root=_HASH,
            searched=_ROWS,
            items=_list(
                _optional(
                    _object(
                        serial={"type": "string", "minLength": 1, "maxLength": 80},
                        evidence=_EVIDENCE,
                        note={"type": "string", "maxLength": 4000},
                    ),
                    kind=_TEXT,
                    place=_TEXT,
                )
            ),
        ),
    ),
    "inspection.request": Effect(
        "inquire",
        _optional(
            _object(table=_ENTRY, rows=_ROWS, basis={"enum": ["place", "row", "sample"]}, by=_INSTANT), place=_TEXT
        ),
    ),
    "inspection.opening": Effect(
        "answer",
        _optional(
            _object(
                table=_ENTRY,
                openings=_list(
                    {
                        **_object(
                            path=_list(_HASH, 0, 64),
                            row=_AMOUNT,
                            salt={"type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$"},
                            value={"type": "object"},
                        ),
                        "additionalProperties": False,
                    },
                    0,
                ),
                rows=_ROWS,
            ),
            complete=_TEXT,
        ),
    ),
    "inspection.report": Effect("notify", _object(summary=_TEXT, evidence=_EVIDENCE)),
    "inspection.comment": Effect("notify", _object(text=_TEXT, evidence=_EVIDENCE)),
}
"""spec/inspections.md"""


def _selecting(shape: dict[str, Any], **members: Any) -> dict[str, Any]:
    """The shape of content that may select rows beside the lots that it names; also with members to be left out."""
    return _optional(shape, tables=SELECTIONS, **members)


EFFECTS: dict[str, Effect] = {
    "custody.declare": Effect("notify", _object(lots=_list(_DECLARED))),
    "custody.split": Effect("notify", _object(lot=LOT, parts=_list(_PLACED))),
    "custody.merge": Effect("notify", _object(lots=_list(LOT, 2), kind=_NAME, place=_NAME)),
    "custody.repack": Effect("notify", _selecting(_object(lots=_list(LOT, 0), parts=_list(_PLACED)))),
    "custody.move": Effect("notify", _selecting(_object(place=_NAME), lot=LOT)),
    "custody.seal": Effect(
        "notify",
        _selecting(
            _object(seal=_TEXT, action={"enum": ["applied", "checked", "broken", "removed"]}),
            lot=LOT,
            kind=_ID,
            expires=_DATE,
        ),
    ),
    "custody.condition": Effect("notify", _selecting(_object(condition=_TEXT), lot=LOT)),
    "custody.loss": Effect("notify", _selecting(_object(lots=_any(LOT), reason=_TEXT))),
    "custody.consume": Effect("notify", _selecting(_object(lots=_any(LOT), reason=_TEXT))),
    "custody.found": Effect("notify", _object(lots=_list(_DECLARED))),
    "custody.table": Effect(
        "notify",
        _optional(
            _object(table=_TABLE, groups=_list(_GROUP, 0)),
            deletions=_list(_DELETION),
            reason=_TEXT,
            supplements=_ENTRY,
        ),
    ),
    "custody.found-table": Effect("notify", _object(table=_TABLE, groups=_list(_GROUP, 0))),
    "custody.inventory": Effect(
        "notify",
        _optional(
            _object(basis={"enum": ["counted", "restated"]}, groups=_list(_GROUP, 0)),
            places=_list(_NAME),
        ),
    ),
    "custody.offer": Effect("offer", _selecting(_object(lots=_list(_HELD, 0), receiver=_ID, place=_NAME))),
    "custody.destroy": Effect(
        "offer",
        _selecting(
            _object(
                lots=_any(_HELD),
                method=_TEXT,
                place=_NAME,
                evidence=_any(_HASH),
                residue=_list(_PLACED, 0, 100),
            ),
            identity=_list(_IDENTITY, 0),
        ),
    ),
    "custody.resolve": Effect("offer", _selecting(_object(lots=_any(_HELD), holder=_ID))),
    "custody.contest": Effect("notify", _object(reason=_TEXT)),
    "custody.figure": Effect("notify", _object(figures=_list(_FIGURE, 1, 100))),
    "custody.finding": Effect("notify", _object(findings=_any(_object(outcome={"enum": _OUTCOMES}, subject=_TEXT)))),
    "custody.issue": Effect(
        "notify", _object(issues=_any(_object(count=_AMOUNT, issue=_TEXT, state={"enum": ["open", "closed"]})))
    ),
    "custody.pack": Effect("notify", _object(container=LOT, lots=_list(LOT))),
    "custody.unpack": Effect("notify", _object(container=LOT, lots=_list(LOT))),
    "custody.shipment": Effect("notify", _object(carrier=_TEXT, expected=_DATE, seals=_list(_TEXT, 0))),
    "custody.recount": Effect("notify", _optional(_object(counts=_list(_HELD)), reason=_ID)),
    "seals.check": Effect(
        "notify", _object(by=_TEXT, checks=_list(_object(seal=_TEXT, result={"enum": list(SEAL_RESULTS)})))
    ),
    "seals.stay": Effect("offer", _optional(_object(seals=_list(_TEXT)), until=_DATE)),
    "sites.access": Effect("notify", _object(place=_NAME, state={"enum": list(ACCESS_STATES)}, reason=_TEXT)),
    "books.state": Effect(
        "notify",
        _object(
            of=_ID, rows=_list(_object(kind=_NAME, place=_NAME, standing={"enum": list(STANDINGS)}, quantity=QUANTITY))
        ),
    ),
    "discrepancy.open": Effect("notify", _object(owner=_ID, reason=_ID, subject=_TEXT, words=_TEXT)),
    "discrepancy.attempt": Effect("notify", _object(**_KEYED)),
    "discrepancy.reply": Effect("notify", _object(**_KEYED)),
    "discrepancy.close": Effect("offer", _object(**_KEYED)),
    "alerts.alert": Effect("notify", _question(**{"class": _ID})),
    "alerts.coded": Effect("notify", _object(word=_WORD, number={"type": "integer", "minimum": 1, "maximum": 9999})),
    "alerts.inquiry": Effect("inquire", _question(**{"class": _ID})),
    "alerts.answer": Effect("answer", _object()),
    "alerts.assessment": Effect(
        "notify", _object(assessment={"enum": ["sufficient", "insufficient", "irrelevant"]}, reason=_TEXT)
    ),
    "alerts.meeting": Effect("notify", _object(on=_DATE)),
    "alerts.closure": Effect("notify", _object(reason=_TEXT)),
    "line.exchange": Effect("notify", _object(round=_ID)),
    "obligations.extend": Effect("offer", _object(obligation=_OBLIGATION_ID, due=_DATE)),
    "obligations.supersede": Effect("offer", _object(obligation=_OBLIGATION_ID, by=_OBLIGATION_ID)),
    "obligations.suspend": Effect(
        "notify",
        _object(obligations=_any(_OBLIGATION_ID), state={"enum": ["suspended", "resumed"]}, reason=_TEXT),
    ),
    **_INSPECTIONS,
    **{name: Effect(act, shape) for name, (act, shape) in DIALOGUE_EFFECTS.items()},
}

PERFORMS: dict[str, Any] = _list(
    {
        "oneOf": [
            {**_object(extent={"const": "full"}, obligation=_OBLIGATION_ID), "additionalProperties": False},
            {
                **_object(
                    done=_AMOUNT,
                    extent={"const": "part"},
                    obligation=_OBLIGATION_ID,
                    of={**_AMOUNT, "minimum": 1},
                ),
                "additionalProperties": False,
            },
        ]
    },
    1,
    50,
)


def effect_validators() -> dict[str, FieldValidator]:
    """A validator for each effect's shape, by name."""
    return {name: FieldValidator(effect.shape, sealable=False, dates=True) for name, effect in EFFECTS.items()}


def performs_validator() -> FieldValidator:
    """A validator for the member `performs`."""
    return FieldValidator(PERFORMS, sealable=False)


__all__ = ["EFFECTS", "LOT", "PERFORMS", "QUANTITY", "SEALS", "Effect", "effect_validators", "performs_validator"]
