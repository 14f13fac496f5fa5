# SPDX-License-Identifier: Apache-2.0
"""The shape of a pack as one JSON Schema (spec/pack.md). Data only; `rules.py` judges what its parts say together."""

from __future__ import annotations

from typing import Any

from servanda.agreement.formats import RELEASES

_ID = {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,31}$"}
_OBLIGATION_ID = {"type": "string", "pattern": "^([a-z][a-z0-9-]{0,31}|[A-Z][A-Z0-9-]{0,31})$"}
_LANGUAGE = {"type": "string", "pattern": "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"}
_DATE = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_WORD = {"type": "string", "minLength": 1, "maxLength": 500}
_DIGEST = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_TEXTS = {
    "type": "object",
    "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 4000},
    "propertyNames": _LANGUAGE,
}
_PARTIES = {"type": "array", "items": _ID, "uniqueItems": True, "maxItems": 64}


def _object(optional: tuple[str, ...] = (), **members: Any) -> dict[str, Any]:
    members = {name.rstrip("_").replace("_", "-"): schema for name, schema in members.items()}
    return {
        "type": "object",
        "properties": members,
        "required": [name for name in members if name not in optional],
        "additionalProperties": False,
    }


def _list(items: dict[str, Any], least: int = 0, most: int = 1000) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    # One schema with two types, not a choice of two schemas: what is wrong with 0 minutes is then said in words.
    return {**schema, "type": [schema["type"], "null"]}


def _rule(name: str, **members: Any) -> dict[str, Any]:
    return _object(rule={"const": name}, **members)


def _degrees(most: int) -> dict[str, Any]:
    """A coordinate in millionths of a degree."""
    return {"type": "integer", "minimum": -most * 1_000_000, "maximum": most * 1_000_000}


_DAYS = {"type": "integer", "minimum": 1, "maximum": 36_500}
_MINUTES = {"type": "integer", "minimum": 1, "maximum": 5_256_000}
_COUNT = {"type": "integer", "minimum": 1, "maximum": 1_000_000}
_DUE = {
    "oneOf": [
        _rule("fixed", date=_DATE),
        _rule("days-after", event=_ID, days={"type": "integer", "minimum": 0, "maximum": 36500}),
        _rule("before", event=_ID, days={"type": "integer", "minimum": 0, "maximum": 36500}),
        _rule("recurring", first=_DATE, every={"enum": ["day", "week", "month", "year"]}, until=_or_null(_DATE)),
        _rule("share", date=_DATE, part=_COUNT, of=_COUNT),
        _rule("triggered", trigger=_ID, hours={"type": "integer", "minimum": 0, "maximum": 876_000}),
        _rule("continuous"),
        _rule("unstated", text=_TEXTS),
    ]
}
_EVENT = {
    "oneOf": [_object(id=_ID, names=_TEXTS, date=_DATE), _object(id=_ID, names=_TEXTS, format=_ID)],
}

PACK_SHAPE: dict[str, Any] = _object(
    servanda_pack={"const": 1},
    id=_ID,
    edition=_WORD,
    languages={**_list(_LANGUAGE, 1, 50), "uniqueItems": True},
    title=_TEXTS,
    replaces=_or_null(_DIGEST),
    parties=_list(_object(id=_ID, names=_TEXTS, role=_TEXTS), 2, 64),
    time=_object(
        zone=_WORD,
        days={"enum": ["calendar", "working"]},
        holidays={**_list(_DATE, 0, 10_000), "uniqueItems": True},
        basis={"enum": ["event", "receipt"]},
    ),
    settlement=_object(
        quorum={"anyOf": [{"const": "all"}, {"type": "integer", "minimum": 0, "maximum": 64}]},
        liars={"type": "integer", "minimum": 0, "maximum": 64},
        lapse={"type": "boolean"},
        optional=("lapse",),
    ),
    units=_list(_object(id=_ID, names=_TEXTS, symbol=_WORD, exponent={"type": "integer", "minimum": 0, "maximum": 15})),
    items=_list(_object(id=_ID, names=_TEXTS, unit=_ID, within=_or_null(_ID)), 0, 10_000),
    places=_list(
        _object(
            id=_ID,
            names=_TEXTS,
            within=_ID,
            coordinates={
                "type": "array",
                "prefixItems": [_degrees(90), _degrees(180)],
                "minItems": 2,
                "maxItems": 2,
            },
            optional=("within", "coordinates"),
        ),
        0,
        10_000,
    ),
    events=_list(_EVENT),
    formats=_list(
        _object(
            id=_ID,
            version={"type": "integer", "minimum": 1, "maximum": 1_000_000},
            act=_WORD,
            effect=_or_null(_WORD),
            names=_TEXTS,
            purpose=_TEXTS,
            release={"enum": [release for release in RELEASES if release != "root"]},
            may_send=_PARTIES,
            performs={"type": "boolean"},
            witnesses=_PARTIES,
            quorum={"type": "integer", "minimum": 1, "maximum": 64},
            fields={"type": "object"},
            rows={"type": "object"},
            optional=("rows", "quorum"),
        ),
        1,
    ),
    obligations=_list(
        _object(
            id=_OBLIGATION_ID,
            names=_TEXTS,
            text=_TEXTS,
            instrument=_WORD,
            obligors={**_PARTIES, "minItems": 1},
            due=_DUE,
            absence={"enum": ["overdue", "not-stated"]},
            judged_by=_PARTIES,
            source=_WORD,
        ),
        0,
        10_000,
    ),
    bodies=_list(
        _object(
            id=_ID,
            names=_TEXTS,
            members={**_PARTIES, "minItems": 1},
            within=_or_null(_ID),
            cadence=_or_null(_TEXTS),
            every=_object(
                count={"type": "integer", "minimum": 1, "maximum": 1000},
                unit={"enum": ["day", "week", "month", "year"]},
                first=_DATE,
                optional=("first",),
            ),
            offices=_list(_object(party=_ID, office=_TEXTS), 0, 200),
            optional=("every", "offices"),
        )
    ),
    alerts=_list(
        _object(
            id=_ID,
            names=_TEXTS,
            precedence={"enum": ["routine", "priority", "immediate", "flash"]},
            acknowledge_minutes=_MINUTES,
            answer_minutes=_or_null(_MINUTES),
            meeting_minutes=_MINUTES,
            remind_minutes=_MINUTES,
            escalate_minutes=_MINUTES,
            optional=("meeting-minutes", "remind-minutes", "escalate-minutes"),
        )
    ),
    codes=_list(
        _object(
            word={"type": "string", "pattern": "^[A-Z][A-Z0-9-]{0,31}$"},
            number={"type": "integer", "minimum": 1, "maximum": 9999},
            texts=_TEXTS,
            class_=_ID,
        ),
        0,
        10_000,
    ),
    line=_object(
        link_test_minutes=_or_null(_MINUTES),
        alarm_minutes=_MINUTES,
        contacts_days={"type": "integer", "minimum": 1, "maximum": 36_500},
        routes=_list(_object(kind={"enum": ["address", "courier", "relay"]}, by=_ID, optional=("by",)), 1, 64),
    ),
    topics=_list(_object(id=_ID, names=_TEXTS, within=_or_null(_ID)), 0, 10_000),
    scales=_list(
        _object(
            id=_ID,
            names=_TEXTS,
            marks=_list(_object(value={"type": "integer", "minimum": -1000, "maximum": 1000}, names=_TEXTS), 1, 100),
        ),
        0,
        100,
    ),
    reasons=_list(_object(id=_ID, names=_TEXTS)),
    methods=_list(_object(id=_ID, names=_TEXTS)),
    seals=_list(_object(id=_ID, names=_TEXTS, use={"enum": ["seal", "tag"]}, days=_or_null(_DAYS))),
    thresholds=_list(_object(item=_ID, part={**_COUNT, "minimum": 0}, of=_COUNT), 0, 10_000),
    discrepancies=_object(
        days=_DAYS,
        shipment_days=_DAYS,
        codes=_list(_object(code={"type": "string", "pattern": "^[a-z][a-z/-]{0,63}$"}, days=_DAYS)),
    ),
    optional=("codes", "line", "topics", "scales", "reasons", "methods", "seals", "thresholds", "discrepancies"),
)
