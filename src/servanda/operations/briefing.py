# SPDX-License-Identifier: Apache-2.0
"""The file for the next meeting of a body: where each topic stands, what was promised, what is overdue.

It puts together what the registers say at one day; it judges nothing of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from servanda.operations.centre import Centre
from servanda.operations.drafting import pack_of
from servanda.operations.errors import Refusal
from servanda.registers.agreements.views import agreements_document
from servanda.registers.commitments.views import commitments_document
from servanda.registers.dialogue.contacts import body_row, contact_row
from servanda.registers.dialogue.rows import all_topics, source_row, topics_below
from servanda.registers.dialogue.tasks import tasks_document
from servanda.registers.dialogue.topics import KINDS, topic_document
from servanda.registers.obligations.views import obligations_document

Arguments = Mapping[str, Any]
ATTRIBUTED_MAX = 8
"""How many attributed statements of a topic the file quotes, the latest; it says how many there are."""


def brief_document(centre: Centre, body: str, day: date) -> dict[str, Any]:
    """The file for a body as it stands on a day.

    Its topics are those on the agenda of its next meeting, else of all its contacts, with all that is part of them;
    without an agenda anywhere, every topic.

    Raises:
        Refusal: the pack has no such body (`unknown-body`).
    """
    known = pack_of(centre).bodies
    if body not in known:
        raise Refusal(f"no body {body!r}; the pack has {', '.join(known) or 'none'}", "unknown-body")
    register = centre.dialogue
    row = body_row(register, body, day)
    contacts = [contact_row(register, name) for name in _contacts(centre, body)]
    topics = _topics(centre, row, contacts)
    documents = _documents(centre, day, topics)
    rows = [_topic(centre, topic) for topic in topics]
    return {
        "servanda-brief": 1,
        "at": day.isoformat(),
        "body": row,
        "meetings": contacts,
        "topics": rows,
        "documents": documents,
        "commitments": _commitments(centre, day, documents, topics),
        "tasks": [
            t for t in tasks_document(register, day)["tasks"] if not t["topics"] or set(t["topics"]) & set(topics)
        ],
        "obligations": _obligations(centre, day),
        "sources": _sources(centre, rows),
        "names": {topic: _names(topic_document(register, topic)["names"]) for topic in topics},
        "parties": {party["id"]: party["names"] for party in pack_of(centre).data["parties"]},
        "status": contacts[0]["status"] if contacts else "actual",
    }


def _contacts(centre: Centre, body: str) -> list[str]:
    return list(dict.fromkeys(item.content["contact"] for item in centre.dialogue.index.row("body", body)))


def _topics(centre: Centre, row: Mapping[str, Any], contacts: Iterable[Mapping[str, Any]]) -> list[str]:
    register = centre.dialogue
    basis = row["next"]["basis"] if row["next"] else None
    items = register.index.row("body", row["body"])
    agenda = [t for item in items if item.content["contact"] == basis for t in item.content["agenda"]]
    agenda = agenda or [topic for item in items for topic in item.content["agenda"]]
    wanted = {part for topic in agenda for part in topics_below(register, topic)}
    return [topic for topic in all_topics(register) if not agenda or topic in wanted]


def _names(texts: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {text["language"]: text["text"] for text in texts}


def _topic(centre: Centre, topic: str) -> dict[str, Any]:
    """Where one topic stands: the last outcome, the latest of each side's words, open issues, what is proposed."""
    whole = topic_document(centre.dialogue, topic)
    latest = {
        kind: {party: said[-1] for party, said in whole["positions"][kind].items() if said}
        for kind in KINDS
        if any(whole["positions"][kind].values())
    }
    return {
        "topic": topic,
        "within": whole["within"],
        "last-outcome": whole["outcomes"][-1] if whole["outcomes"] else None,
        "positions": latest,
        "not-agreed": [row for row in whole["issues"] if row["open"]],
        "attributed": whole["attributed"][-ATTRIBUTED_MAX:],
        "attributed-in-all": len(whole["attributed"]),
        "consequences": whole["consequences"],
        "moves": len(whole["movement"]),
    }


def _sources(centre: Centre, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The sources of what the file quotes, and those that they cite."""
    said = [one for row in rows for one in row["attributed"]]
    said += [one for row in rows for parties in row["positions"].values() for one in parties.values()]
    used = {one["source"] for one in said if "source" in one}
    register = centre.dialogue
    items = [register.opening("source", name) for name in register.names["source"].openings]
    found = [
        item for item in items if item is not None and {item.content["source"], item.content.get("cited-by")} & used
    ]
    return [source_row(item) for item in sorted(found, key=lambda one: (one.content["source"] not in used, one.order))]


def _seconds(day: date) -> int:
    return int(datetime.fromisoformat(f"{day.isoformat()}T12:00:00+00:00").timestamp())


def _documents(centre: Centre, day: date, topics: Iterable[str]) -> list[dict[str, Any]]:
    wanted = set(topics)
    kept = ("document", "kind", "title", "state", "missing", "until", "days-left", "warning", "parties", "topics")
    rows = agreements_document(centre.agreements, _seconds(day))["documents"]
    return [{name: row[name] for name in kept} for row in rows if wanted & set(row["topics"])]


def _commitments(
    centre: Centre, day: date, documents: Iterable[Mapping[str, Any]], topics: Iterable[str]
) -> list[dict[str, Any]]:
    """What the documents on these topics promise, and what is promised without a document."""
    names = {row["document"] for row in documents} | {None}
    rows = commitments_document(centre.commitments, day)["commitments"]
    return sorted(
        (row for row in rows if row["document"] in names), key=lambda row: (row["due"] or "9999", row["entry"])
    )


def _obligations(centre: Centre, day: date) -> list[dict[str, Any]]:
    known = pack_of(centre).obligations
    kept = ("id", "due", "first-due", "status", "outcome")
    return [
        {
            **{name: row[name] for name in kept},
            "names": known[row["id"]]["names"],
            "obligors": known[row["id"]]["obligors"],
        }
        for row in obligations_document(centre.obligations, day)["obligations"]
    ]


def _brief(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    on = arguments.get("on")
    try:
        day = date.fromisoformat(str(on)) if on is not None else date.fromisoformat(centre.clock()[:10])
    except ValueError as error:
        raise Refusal(f"{on!r} is not a date (YYYY-MM-DD)", "usage") from error
    return brief_document(centre, str(arguments["body"]), day)


COMMANDS = {"brief": _brief}
