# SPDX-License-Identifier: Apache-2.0
"""Tasks with what shows that they are done, and requests with what was answered (spec/dialogue.md, Tasks)."""

from __future__ import annotations

from datetime import date
from typing import Any

from servanda.journal.named import Item, span_of
from servanda.registers.dialogue.fold import DialogueRegister
from servanda.registers.dialogue.rows import row_of
from servanda.registers.dialogue.rules import find_circle

SHOWN = 500
"""How many tasks a page carries unless more are asked for; it says how many there are."""
_ARROWS = ("serves", "after-tasks", "after-obligations")


def tasks_document(
    register: DialogueRegister, today: date, *, open_only: bool = False, limit: int = SHOWN
) -> dict[str, Any]:
    """Tasks by their due day, those without one last: the first `limit` that are open, or the last of all by date."""
    if open_only:
        names = sorted(register.open_tasks, key=lambda name: (_due(register, name), name))
        shown = names[:limit]
    else:
        names = list(dict.fromkeys(item.content["task"] for item in register.index.row("effect", "dialogue.task")))
        shown = names[-limit:]
    rows = [task_row(register, name, today) for name in shown]
    return {
        "at": today.isoformat(),
        "in-all": len(names),
        "servanda-tasks": 1,
        "tasks": sorted(rows, key=lambda row: (row["due"] or "9999", row["task"])),
    }


def _due(register: DialogueRegister, name: str) -> str:
    item = register.opening("task", name)
    return str(item.content.get("due", "9999")) if item else "9999"


def task_row(register: DialogueRegister, name: str, today: date) -> dict[str, Any]:
    """One task: who was told by whom, by when, at which contact, and the entries that show what became of it."""
    item = register.opening("task", name)
    assert item is not None
    latest = register.latest_progress(name)
    due = item.content.get("due")
    state, done_on = _state(list(latest.values()), due, today)
    arrows = any(item.content.get(name) for name in _ARROWS)
    row = row_of(item)
    return {
        **{member: row.get(member) for member in ("by", "contact", "entry", "party", "status", "text", "to", "topics")},
        **{member: row.get(member, []) for member in _ARROWS},
        "circle": find_circle(register, item) if arrows else [],
        "done-on": done_on,
        "due": due,
        "openings": [str(place) for place in register.names["task"].openings[name]],
        "shown-by": {party: row_of(latest[party]) for party in sorted(latest)},
        "state": state,
        "task": name,
    }


def _state(said: list[Item], due: str | None, today: date) -> tuple[str, str | None]:
    """By the latest word of each party: `open`, `overdue`, `done`, `done-late`, `dropped` or `disputed`."""
    states = {item.content["state"] for item in said}
    if not states or states == {"open"}:
        return ("overdue" if due is not None and today.isoformat() > due else "open"), None
    if states == {"done"}:
        days = [span.last for item in said if (span := span_of(item.frame.event_at)) and span.last]
        on = min(days).isoformat() if days else None
        return ("done-late" if due is not None and on is not None and on > due else "done"), on
    return ("dropped" if states == {"dropped"} else "disputed"), None


def requests_document(register: DialogueRegister, today: date) -> dict[str, Any]:
    """Requests, each with its responses by party, and whether an answer is overdue."""
    return {
        "at": today.isoformat(),
        "requests": [_request(register, item, today) for item in register.index.row("effect", "dialogue.request")],
        "servanda-requests": 1,
    }


def _request(register: DialogueRegister, item: Item, today: date) -> dict[str, Any]:
    responses: dict[str, list[dict[str, Any]]] = {}
    for response in register.index.row("response", str(item.place)):
        responses.setdefault(response.party, []).append(row_of(response))
    final = {
        party
        for party, rows in responses.items()
        if any(row["outcome"] in ("fulfilled", "in-part", "declined") for row in rows)
    }
    due = item.content.get("answer-by")
    waiting = sorted(set(item.frame.to) - final)
    return {
        **row_of(item),
        "overdue": bool(waiting) and due is not None and today.isoformat() > due,
        "responses": responses,
        "subject": item.frame.subject,
        "to": list(item.frame.to),
        "waiting-for": waiting,
    }
