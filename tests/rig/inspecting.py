# SPDX-License-Identifier: Apache-2.0
"""Contents of inspection entries that have the right shape, for tests to start from."""

from __future__ import annotations

from typing import Any

from servanda.agreement.pack import Pack, pack_of
from tests.rig.packs import pack_data

HASH = "ab" * 32
EXAMPLES: dict[str, dict[str, Any]] = {
    "inspection.mandate": {
        "inspector": "birch",
        "inspected": "ash",
        "beside": [{"party": "cedar", "side": "inspector"}],
        "places": ["store"],
        "kinds": ["boat"],
        "tables": ["ash/3"],
        "from": "2026-01-01",
        "until": "2026-12-31",
        "limits": {"draw-minutes": 60, "opening-minutes": 60, "report-days": 5, "comment-days": 10},
    },
    "inspection.plan": {
        "population": {
            "lots": ["ash/2/0"],
            "places": ["store"],
            "tables": [{"count": 150, "root": HASH, "rows": [[0, 99], [200, 249]], "table": "ash/3"}],
        },
        "sample": 10,
        "defects": 5,
        "miss": "1/20",
        "goal": {"amount": 10, "each": 2, "unit": "piece"},
        "algorithm": "all",
        "begins": "2026-01-02",
        "ends": "2026-01-09",
        "commit-by": "2026-01-02T00:00:00Z",
        "reveal-by": "2026-01-03T00:00:00Z",
    },
    "inspection.commit": {"draw": HASH, "commitment": HASH, "sample": 10, "algorithm": "all"},
    "inspection.finding": {
        "findings": [{"item": "ash/3/7", "outcome": "present-matching", "evidence": [HASH], "note": ""}]
    },
    "inspection.undeclared": {
        "table": "ash/3",
        "root": HASH,
        "searched": [[0, 9]],
        "items": [{"serial": "X-1", "kind": "boat", "place": "store", "evidence": [HASH], "note": ""}],
    },
    "inspection.request": {
        "table": "ash/3",
        "rows": [[0, 9]],
        "place": "store",
        "basis": "row",
        "by": "2026-01-03T00:00:00Z",
    },
    "inspection.opening": {
        "table": "ash/3",
        "openings": [{"path": [HASH], "row": 0, "salt": "A" * 43 + "=", "value": {"serial": "X-1"}}],
        "rows": [[0, 9]],
        "complete": "store",
    },
    "inspection.report": {"summary": "seen", "evidence": [HASH]},
    "inspection.comment": {"text": "agreed", "evidence": []},
}


def _object(optional: tuple[str, ...] = (), **members: Any) -> dict[str, Any]:
    required = sorted(set(members) - set(optional))
    return {"type": "object", "properties": members, "required": required, "additionalProperties": False}


def _listed(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_TEXT = {"type": "string"}
_COUNT = {"type": "integer"}
_TEXTS, _RANGES = _listed(_TEXT), _listed(_listed(_COUNT))
_SELECTED = _object(count=_COUNT, root=_TEXT, rows=_RANGES, table=_TEXT)
_ROW = _object(("place",), serial=_TEXT, kind=_TEXT, place=_TEXT)
_LIMITS = _object(**dict.fromkeys(("draw-minutes", "opening-minutes", "report-days", "comment-days"), _COUNT))
_FIELDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "permit": (
        "offer",
        "inspection.mandate",
        _object(
            **dict.fromkeys(("inspector", "inspected", "from", "until"), _TEXT),
            beside=_listed(_object(party=_TEXT, side=_TEXT)),
            places=_TEXTS,
            kinds=_TEXTS,
            tables=_TEXTS,
            limits=_LIMITS,
        ),
    ),
    "visit": (
        "notify",
        "inspection.plan",
        _object(
            ("goal", "commit-by", "reveal-by"),
            population=_object(lots=_TEXTS, places=_TEXTS, tables=_listed(_SELECTED)),
            goal=_object(amount=_COUNT, each=_COUNT, unit=_TEXT),
            **dict.fromkeys(("sample", "defects"), _COUNT),
            **dict.fromkeys(("miss", "algorithm", "begins", "ends", "commit-by", "reveal-by"), _TEXT),
        ),
    ),
    "bind": (
        "notify",
        "inspection.commit",
        _object(("secret",), draw=_TEXT, commitment=_TEXT, sample=_COUNT, algorithm=_TEXT, secret=_TEXT),
    ),
    "seen": (
        "notify",
        "inspection.finding",
        _object(findings=_listed(_object(item=_TEXT, outcome=_TEXT, evidence=_TEXTS, note=_TEXT))),
    ),
    "outside": (
        "notify",
        "inspection.undeclared",
        _object(
            table=_TEXT,
            root=_TEXT,
            searched=_RANGES,
            items=_listed(
                _object(("kind", "place"), serial=_TEXT, kind=_TEXT, place=_TEXT, evidence=_TEXTS, note=_TEXT)
            ),
        ),
    ),
    "ask-rows": (
        "inquire",
        "inspection.request",
        _object(("place",), table=_TEXT, rows=_RANGES, place=_TEXT, basis=_TEXT, by=_TEXT),
    ),
    "open-rows": (
        "answer",
        "inspection.opening",
        _object(
            ("complete",),
            table=_TEXT,
            openings=_listed(_object(path=_TEXTS, row=_COUNT, salt=_TEXT, value=_ROW)),
            rows=_RANGES,
            complete=_TEXT,
        ),
    ),
    "visit-report": ("notify", "inspection.report", _object(summary=_TEXT, evidence=_TEXTS)),
    "remark": ("notify", "inspection.comment", _object(text=_TEXT, evidence=_TEXTS)),
}


def formats() -> list[dict[str, Any]]:
    """Formats for every effect of inspections, and `list`, a declaration by a sealed table."""
    frames = {name: (act, effect, shape, None) for name, (act, effect, shape) in _FIELDS.items()}
    frames["list"] = ("notify", None, _object(text=_TEXT), _ROW)
    return [
        {
            "id": name,
            "version": 1,
            "act": act,
            "effect": effect,
            "names": {"en": name},
            "purpose": {"en": name},
            "release": "two",
            "may-send": [],
            "performs": False,
            "witnesses": [],
            "fields": shape,
            **({"rows": rows} if rows else {}),
        }
        for name, (act, effect, shape, rows) in frames.items()
    ]


def shore(parties: tuple[str, ...] = ("ash", "birch")) -> Pack:
    """The lake agreement, with inspections."""
    data = pack_data(parties)
    return pack_of(data | {"formats": [*data["formats"], *formats()]})
