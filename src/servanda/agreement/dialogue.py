# SPDX-License-Identifier: Apache-2.0
"""The shape of what dialogue, agreements and commitments say (spec/dialogue.md), as JSON Schemas by effect.

A member whose name ends in `?` in the specification MAY be left out: a pack's field schema cannot say null.
"""

from __future__ import annotations

from typing import Any

_ID = {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,31}$"}
_DUTY = {"type": "string", "pattern": "^([a-z][a-z0-9-]{0,31}|[A-Z][A-Z0-9-]{0,31})$"}
_HASH = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_PLACE = {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,31}/[1-9][0-9]{0,15}$"}
_TAG = {"type": "string", "pattern": "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", "maxLength": 64}
_CLAUSE_ID = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$"}
_DAY = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "format": "date", "not": {"pattern": "^0000"}}
_WHEN = {"type": "string", "format": "date-expression"}
"""A date expression of spec/entry.md: `fields.FieldValidator` knows the format. One that does not exist is kept."""
_BOOLEAN = {"type": "boolean"}
_WEEKDAY = {"enum": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]}


def _text(least: int = 1, most: int = 4000) -> dict[str, Any]:
    return {"type": "string", "minLength": least, "maxLength": most}


def _count(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


def _object(members: dict[str, Any], may: dict[str, Any] | None = None) -> dict[str, Any]:
    """An open object that has `members` and may have `may`."""
    return {"type": "object", "properties": {**members, **(may or {})}, "required": sorted(members)}


def _list(items: dict[str, Any], least: int, most: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


INTEGER_MAX = 2**53 - 1
_NOTE, _LINE = _text(0), _text(0, 500)
_NAMES = _list(_object({"language": _TAG, "text": _text()}), 1, 50)
_TOPICS = _list(_ID, 0, 100)
_PERSON = _object({"office": _text(1, 500)}, {"name": _text(1, 200), "party": _ID})
_STATED = _object({"text": _text(1, 500)}, {"weekday": _WEEKDAY, "date": _WHEN})
_RELATION = {"enum": ["corroborates", "repeats", "differs", "contradicts", "bears-on"]}
_CLAUSES = _list(_object({"id": _CLAUSE_ID, "text": _text(1, 20_000)}), 1, 1000)
_CLAUSE_IDS = _list(_CLAUSE_ID, 0, 1000)
_OUTCOME = _object(
    {"topic": _ID, "outcome": {"enum": ["agreed", "agreed-in-part", "not-agreed", "noted", "deferred"]}},
    {"text": _NOTE},
)
_LENGTH = _count(1, INTEGER_MAX)
CONTACTS = ["summit", "meeting", "conversation", "telephone", "letter", "press-conference", "interview", "other"]

_DIALOGUE: dict[str, tuple[str, dict[str, Any]]] = {
    "dialogue.topic": ("notify", _object({"topic": _ID, "names": _NAMES}, {"within": _ID})),
    "dialogue.position": (
        "notify",
        _object(
            {"topic": _ID, "kind": {"enum": ["position", "reservation", "common-ground"]}},
            {"words": _text(), "contact": _ID},
        ),
    ),
    "dialogue.issue": (
        "notify",
        _object({"topic": _ID, "issue": _ID, "state": {"enum": ["not-agreed", "closed"]}, "text": _text()}),
    ),
    "dialogue.contact": (
        "notify",
        _object(
            {
                "contact": _ID,
                "kind": {"enum": CONTACTS},
                "state": {"enum": ["planned", "held", "postponed", "cancelled"]},
                "participants": _list(_PERSON, 0, 200),
                "agenda": _TOPICS,
                "outcomes": _list(_OUTCOME, 0, 100),
            },
            {"body": _ID, "place": _LINE, "minutes": _object({"from": _LENGTH, "to": _LENGTH})},
        ),
    ),
    "dialogue.task": (
        "notify",
        _object(
            {"task": _ID, "text": _text(), "by": _PERSON, "to": _list(_PERSON, 0, 50), "topics": _TOPICS},
            {
                "due": _DAY,
                "contact": _ID,
                "serves": _list(_DUTY, 0, 100),
                "after-tasks": _list(_ID, 0, 100),
                "after-obligations": _list(_DUTY, 0, 100),
            },
        ),
    ),
    "dialogue.progress": (
        "notify",
        _object({"task": _ID, "state": {"enum": ["done", "dropped", "open"]}, "text": _NOTE}),
    ),
    "dialogue.consequence": (
        "notify",
        _object({"consequence": _ID, "text": _text(), "forum": _LINE, "topics": _TOPICS}),
    ),
    "dialogue.stance": (
        "notify",
        _object(
            {"consequence": _ID, "who": _text(1, 500), "stance": {"enum": ["supports", "refuses", "abstains"]}},
            {"party": _ID, "words": _NOTE},
        ),
    ),
    "dialogue.request": ("inquire", _object({"text": _text(), "topics": _TOPICS}, {"answer-by": _DAY, "body": _ID})),
    "dialogue.response": (
        "answer",
        _object({"outcome": {"enum": ["fulfilled", "in-part", "declined", "more-time"]}, "text": _NOTE}),
    ),
    "dialogue.source": (
        "notify",
        _object(
            {"source": _ID, "title": _text(), "medium": _text(1, 500), "published": _WHEN},
            {
                "stated": _STATED,
                "file": _object({"sha256": _HASH, "size": _count(0, INTEGER_MAX)}),
                "text": _text(1, 100_000),
            },
        ),
    ),
    "dialogue.statement": (
        "notify",
        _object(
            {
                "speaker": _PERSON,
                "manner": {"enum": ["on-record", "named-official", "unnamed-official", "press", "reporter"]},
                "medium": _text(1, 500),
                "quoted": _BOOLEAN,
                "on": _WHEN,
                "topics": _list(_ID, 1, 100),
                "links": _list(_object({"relation": _RELATION, "to": _PLACE}), 0, 100),
            },
            {"words": _text(), "stated": _STATED, "source": _ID, "contact": _ID, "position": _ID},
        ),
    ),
    "dialogue.link": ("notify", _object({"from": _PLACE, "relation": _RELATION, "to": _PLACE, "text": _NOTE})),
}

_AGREEMENT: dict[str, tuple[str, dict[str, Any]]] = {
    "agreement.text": (
        "offer",
        _object(
            {
                "document": _ID,
                "kind": {"enum": ["agreement", "statement", "minutes", "report"]},
                "title": _NAMES,
                "authentic": _list(_TAG, 1, 50),
                "texts": _list(
                    _object(
                        {
                            "language": _TAG,
                            "status": {"enum": ["draft", "machine", "checked", "authentic"]},
                            "clauses": _CLAUSES,
                        }
                    ),
                    1,
                    50,
                ),
                "amends": _list(_HASH, 0, 8),
                "topics": _TOPICS,
            },
            {"from": _DAY, "until": _DAY, "warn-days": _list(_count(1, 36_500), 0, 10), "contact": _ID},
        ),
    ),
    "agreement.extend": ("offer", _object({"document": _ID, "until": _DAY})),
    "agreement.accede": ("offer", _object({"document": _ID})),
    "agreement.terminate": ("offer", _object({"document": _ID, "on": _DAY, "reason": _text()})),
    "agreement.suspend": (
        "notify",
        _object(
            {
                "document": _ID,
                "clauses": _CLAUSE_IDS,
                "state": {"enum": ["suspended", "resumed"]},
                "since": _DAY,
                "reason": _text(),
            }
        ),
    ),
    "agreement.withdraw": ("notify", _object({"document": _ID, "on": _DAY, "reason": _text()})),
    "agreement.declare": (
        "notify",
        _object(
            {
                "document": _ID,
                "kind": {"enum": ["reservation", "declaration", "objection"]},
                "clauses": _CLAUSE_IDS,
                "text": _text(),
            }
        ),
    ),
    "agreement.translation": (
        "notify",
        _object(
            {
                "document": _ID,
                "digest": _HASH,
                "language": _TAG,
                "status": {"enum": ["draft", "machine", "checked"]},
                "clauses": _CLAUSES,
            }
        ),
    ),
}

_COMMITMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "commitments.enter": (
        "notify",
        _object(
            {"commitment": _ID, "text": _text(), "owners": _list(_ID, 1, 64), "scale": _ID},
            {"due": _DAY, "document": _ID, "clause": _CLAUSE_ID},
        ),
    ),
    "commitments.mark": (
        "notify",
        _object(
            {
                "commitment": _ID,
                "mark": _count(-1000, 1000),
                "as-of": _DAY,
                "text": _text(),
                "evidence": _list(_object({"text": _text()}, {"place": _PLACE, "sha256": _HASH}), 0, 100),
            },
            {"recalibrates": _PLACE},
        ),
    ),
    "commitments.reply": ("notify", _object({"mark": _PLACE, "text": _text()})),
}

DIALOGUE_EFFECTS: dict[str, tuple[str, dict[str, Any]]] = {**_DIALOGUE, **_AGREEMENT, **_COMMITMENTS}
"""Effect to the act that it needs and the shape of its content."""
