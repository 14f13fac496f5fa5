# SPDX-License-Identifier: Apache-2.0
"""Contents of inspection entries that have the right shape, for tests to start from."""

from __future__ import annotations

from typing import Any

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
