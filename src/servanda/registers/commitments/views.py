# SPDX-License-Identifier: Apache-2.0
"""Commitments as they stand, and the yearly report (spec/dialogue.md, What follows, Commitments).

Marks of owners and of others stand apart; nothing is averaged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from servanda.journal.named import Item
from servanda.registers.commitments.fold import CommitmentsRegister


def commitments_document(register: CommitmentsRegister, today: date, party: str | None = None) -> dict[str, Any]:
    """All commitments at a day, by id; those that `party` owns if it is given."""
    rows = [commitment_row(register, name, today) for name in sorted(register.names.openings)]
    return {
        "at": today.isoformat(),
        "commitments": [row for row in rows if party is None or party in row["owners"]],
        "discrepancies": [{"code": code, "entry": str(place)} for place, code in sorted(register.discrepancies)],
        "scales": _scales(register, {row["scale"] for row in rows}),
        "servanda-commitments": 1,
    }


def commitment_row(register: CommitmentsRegister, name: str, today: date) -> dict[str, Any]:
    """One commitment: who owns it, until when, and each party's latest mark up to a day, with what came before it."""
    commitment = register.commitment(name)
    opened, owners = commitment.opened, commitment.opened.content["owners"]
    by_party: dict[str, list[Item]] = {}
    for item in sorted(commitment.marks.values(), key=lambda item: (item.content["as-of"], item.place)):
        if item.content["as-of"] <= today.isoformat():
            by_party.setdefault(item.party, []).append(item)
    replies = sorted(commitment.replies.values(), key=lambda item: item.place)
    marks = {party: _marks(items, replies) for party, items in sorted(by_party.items())}
    due = opened.content.get("due")
    return {
        **{member: opened.content.get(member) for member in ("clause", "document", "due", "text")},
        "commitment": name,
        "entered-by": opened.party,
        "entry": str(opened.place),
        "marks": {
            "others": {party: row for party, row in marks.items() if party not in owners},
            "owners": {party: row for party, row in marks.items() if party in owners},
        },
        "overdue": due is not None and today.isoformat() > due,
        "owners": owners,
        "scale": opened.content["scale"],
        "status": opened.frame.status,
    }


def _marks(items: list[Item], replies: list[Item]) -> dict[str, Any]:
    history = [_mark_row(item, replies) for item in items]
    return {"history": history, "latest": history[-1]}


def _mark_row(item: Item, replies: Iterable[Item]) -> dict[str, Any]:
    place = str(item.place)
    return {
        **{member: item.content[member] for member in ("as-of", "evidence", "mark", "text")},
        "corrected-by": str(item.corrected) if item.corrected else None,
        "entry": place,
        "recalibrates": item.content.get("recalibrates"),
        "replies": [
            {"entry": str(reply.place), "party": reply.party, "text": reply.content["text"]}
            for reply in replies
            if reply.content["mark"] == place
        ],
    }


def _scales(register: CommitmentsRegister, names: set[str]) -> dict[str, Any]:
    record = register.record
    pack = record.packs[record.in_force(record.whole) or record.agreement]
    return {name: pack.scales[name] for name in sorted(names) if name in pack.scales}


def yearly_report(register: CommitmentsRegister, year: int) -> dict[str, Any]:
    """What the parties may offer one another as their joint report: every commitment as marked at the year's end.

    Per scale and party it counts the marks; owners' and others' apart, and no average of any.
    """
    end = date(year, 12, 31)
    document = commitments_document(register, end)
    counts: dict[str, dict[str, Counter[str]]] = {}
    for row in document["commitments"]:
        for side in ("owners", "others"):
            for party, marks in row["marks"][side].items():
                key = counts.setdefault(row["scale"], {}).setdefault(f"{party} as {side}", Counter())
                key[str(marks["latest"]["mark"])] += 1
    made = [row for row in document["commitments"] if _changed_in(row, year)]
    return {
        **{name: document[name] for name in ("at", "commitments", "scales")},
        "counts": {
            scale: {party: dict(sorted(marks.items())) for party, marks in sorted(parties.items())}
            for scale, parties in sorted(counts.items())
        },
        "marked-this-year": [row["commitment"] for row in made],
        "not-marked": [
            row["commitment"] for row in document["commitments"] if not any(row["marks"][s] for s in row["marks"])
        ],
        "servanda-commitments-report": 1,
        "year": year,
    }


def _changed_in(row: dict[str, Any], year: int) -> bool:
    return any(
        mark["as-of"].startswith(f"{year:04d}-")
        for side in row["marks"].values()
        for marks in side.values()
        for mark in marks["history"]
    )
