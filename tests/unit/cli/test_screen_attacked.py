# SPDX-License-Identifier: Apache-2.0
"""What a counterpart writes neither leaves its line on the watch's screen nor pushes the others off it."""

from __future__ import annotations

import unicodedata
from typing import Any

from servanda.cli.screen import WAITS_SHOWN, WIDTH, case_lines, fitted, marked, screen

NOW = "2026-11-27T20:00:00Z"


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def test_wide_characters_do_not_reach_the_next_line() -> None:
    """A line that wraps would begin with the counterpart's words, and without EXERCISE in front."""
    line = marked("exercise", "syr/12 " + "\u6f14" * 36 + " Nothing waits for you.")
    assert columns(line) <= WIDTH
    assert line.startswith("EXERCISE ")
    assert line.endswith("…")
    assert fitted("a" * WIDTH) == "a" * WIDTH
    assert columns(fitted("\u6f14" * 40)) == WIDTH


def test_a_flood_of_questions_pushes_no_alarm_off_the_screen() -> None:
    layer = dict.fromkeys(("acknowledged", "answered", "assessed", "opened", "received"))
    count = 5_000
    questions = [
        {"entry": f"syr/{n}", "layers": [{"party": "usa", "released": NOW, **layer}]} for n in range(1, count + 1)
    ]
    case: dict[str, Any] = {
        "case": "syr/1",
        "class": "urgent",
        "clocks": [],
        "closed": None,
        "questions": questions,
        "state": "open",
        "status": "actual",
        "subject": "s",
    }
    lines = list(case_lines(case, NOW, most=10))
    assert len(lines) == 1 + 2 * 10 + 1
    assert "4,990 more" in lines[-1]
    assert len(list(case_lines(case, NOW))) == 1 + 2 * count
    waits = [
        {"what": "open", "entry": f"syr/{n}", "status": "actual", "precedence": "flash", "subject": "s"}
        for n in range(count)
    ]
    duty = dict.fromkeys(
        ("officer", "since", "by-roster", "hand-over-due", "next-hand-over", "next-officer", "gap", "trouble", "unfit")
    )
    view = {
        "party": "usa",
        "at": NOW,
        "exercise": None,
        "duty": {**duty, "roster": True},
        "contacts-stale": [],
        "waits": waits,
        "cases": [case],
        "open-cases": 1,
        "undelivered": [],
        "lines": {"syr": {"up": False, "route": None, "trouble": "t"}},
    }
    shown = screen(view)
    assert any(f"{count - WAITS_SHOWN:,} more" in line for line in shown)
    assert len(shown) < 100
    assert "Line to syr: DOWN t" in shown[:10]
