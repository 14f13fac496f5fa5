# SPDX-License-Identifier: Apache-2.0
"""Commitments as they stand, and the yearly report (spec/dialogue.md, What follows, Commitments).

Marks of owners and of others stand apart; nothing is averaged.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from datetime import date
from typing import Any

from servanda.journal.named import Item
from servanda.registers.commitments.fold import CommitmentsRegister

SHOWN = 500
"""How many commitments a page carries, by id, unless more are asked for; it says how many there are."""


def commitments_document(
    register: CommitmentsRegister, today: date, party: str | None = None, limit: int = SHOWN
) -> dict[str, Any]:
    """Commitments at a day, by id; those that `party` owns if it is given. Of marks the latest of each party."""
    names = [
        name
        for name in sorted(register.names.openings)
        if party is None or party in register.items[register.names.first(name)].content["owners"]
    ]
    rows = [commitment_row(register, name, today) for name in names[:limit]]
    return {
        "at": today.isoformat(),
        "commitments": rows,
        "discrepancies": [{"code": code, "entry": str(place)} for place, code in sorted(register.discrepancies)],
        "in-all": len(names),
        "scales": _scales(register, {row["scale"] for row in rows}),
        "servanda-commitments": 1,
    }


def commitment_row(register: CommitmentsRegister, name: str, today: date, *, history: bool = False) -> dict[str, Any]:
    """One commitment: who owns it, until when, and each party's latest mark up to a day.

    Args:
        register: what is known.
        name: its id.
        today: the day; later marks are left out.
        history: whether earlier marks are shown as well, or only how many there are.
    """
    opened = register.items[register.names.first(name)]
    owners, due = opened.content["owners"], opened.content.get("due")
    marks = {party: _marks(register, name, party, today, history) for party in sorted(register.markers.get(name, ()))}
    shown = {party: row for party, row in marks.items() if row is not None}
    return {
        **{member: opened.content.get(member) for member in ("clause", "document", "due", "text")},
        "commitment": name,
        "entered-by": opened.party,
        "entry": str(opened.place),
        "marks": {
            "others": {party: row for party, row in shown.items() if party not in owners},
            "owners": {party: row for party, row in shown.items() if party in owners},
        },
        "overdue": due is not None and today.isoformat() > due,
        "owners": owners,
        "scale": opened.content["scale"],
        "status": opened.frame.status,
    }


def _marks(register: CommitmentsRegister, name: str, party: str, today: date, history: bool) -> dict[str, Any] | None:
    """A party's latest mark up to a day, and the earlier ones or their number; None if it gave none by then."""
    row = register.marks(name, party)
    upto = bisect_right(row, today.isoformat(), key=lambda item: str(item.content["as-of"]))
    if not upto:
        return None
    earlier = [_mark_row(register, item) for item in row[: upto - 1]] if history else []
    return {"earlier": upto - 1, "history": earlier, "latest": _mark_row(register, row[upto - 1])}


def _mark_row(register: CommitmentsRegister, item: Item) -> dict[str, Any]:
    place = str(item.place)
    return {
        **{member: item.content[member] for member in ("as-of", "evidence", "mark", "text")},
        "corrected-by": str(item.corrected) if item.corrected else None,
        "entry": place,
        "recalibrates": item.content.get("recalibrates"),
        "replies": [
            {"entry": str(reply.place), "party": reply.party, "text": reply.content["text"]}
            for reply in register.index.row("reply", place)
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
    document = commitments_document(register, end, limit=len(register.names.openings))
    counts: dict[str, dict[str, Counter[str]]] = {}
    for row in document["commitments"]:
        for side in ("owners", "others"):
            for party, marks in row["marks"][side].items():
                key = counts.setdefault(row["scale"], {}).setdefault(f"{party} as {side}", Counter())
                key[str(marks["latest"]["mark"])] += 1
    made = [row for row in document["commitments"] if _marked_in(row, year)]
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


def _marked_in(row: dict[str, Any], year: int) -> bool:
    latest = [marks["latest"]["as-of"] for side in row["marks"].values() for marks in side.values()]
    return any(day.startswith(f"{year:04d}-") for day in latest)
