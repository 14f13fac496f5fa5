# SPDX-License-Identifier: Apache-2.0
"""The file for the next meeting of a body: where each topic stands, what was promised, what is overdue.

It puts together what the registers say at one day; it judges nothing of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from servanda.journal.named import Item
from servanda.operations.centre import Centre
from servanda.operations.drafting import pack_of
from servanda.operations.errors import Refusal
from servanda.registers.agreements.views import document_row
from servanda.registers.commitments.views import commitment_row
from servanda.registers.dialogue.contacts import body_row, contact_row
from servanda.registers.dialogue.rows import all_topics, row_of, source_row, topic_names, topic_within, topics_below
from servanda.registers.dialogue.tasks import task_row
from servanda.registers.dialogue.topics import KINDS, issue_rows
from servanda.registers.obligations.views import obligations_document

Arguments = Mapping[str, Any]
MEETINGS_MAX = 10
"""How many contacts of a body the file lists, the latest; it says how many there are."""
ATTRIBUTED_MAX = 8
"""How many attributed statements of a topic the file quotes, the latest; it says how many there are."""


def brief_document(centre: Centre, body: str, day: date) -> dict[str, Any]:
    """The file for a body as it stands on a day.

    Its topics are those on the agenda of its next meeting, else of its latest contacts, with all that is part of
    them; without an agenda anywhere, every topic.

    Raises:
        Refusal: the pack has no such body (`unknown-body`).
    """
    known = pack_of(centre).bodies
    if body not in known:
        raise Refusal(f"no body {body!r}; the pack has {', '.join(known) or 'none'}", "unknown-body")
    register = centre.dialogue
    row = body_row(register, body, day)
    names = list(dict.fromkeys(item.content["contact"] for item in reversed(register.index.row("body", body))))
    contacts = [contact_row(register, name) for name in reversed(names[:MEETINGS_MAX])]
    topics = _topics(centre, row, names[:MEETINGS_MAX])
    documents = _documents(centre, day, topics)
    rows = [_topic(centre, topic) for topic in topics]
    return {
        "servanda-brief": 1,
        "at": day.isoformat(),
        "body": row,
        "meetings": contacts,
        "meetings-in-all": len(names),
        "topics": rows,
        "documents": documents,
        "commitments": _commitments(centre, day, documents),
        "tasks": _tasks(centre, day, topics),
        "obligations": _obligations(centre, day),
        "sources": _sources(centre, rows),
        "names": {topic: _names(topic_names(register, topic)) for topic in topics},
        "parties": {party["id"]: party["names"] for party in pack_of(centre).data["parties"]},
        "status": contacts[0]["status"] if contacts else "actual",
    }


def _topics(centre: Centre, row: Mapping[str, Any], latest: Collection[str]) -> list[str]:
    register = centre.dialogue
    basis = row["next"]["basis"] if row["next"] else None
    items = [i for name in {*latest, basis} - {None} for i in register.index.row("contact", str(name))]
    agenda = [t for item in items if item.content["contact"] == basis for t in item.content["agenda"]]
    agenda = agenda or [topic for item in items for topic in item.content["agenda"]]
    wanted = {part for topic in agenda for part in topics_below(register, topic)}
    return [topic for topic in all_topics(register) if not agenda or topic in wanted]


def _names(texts: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {text["language"]: text["text"] for text in texts}


def _topic(centre: Centre, topic: str) -> dict[str, Any]:
    """Where one topic stands: the last outcome, the latest of each side's words, open issues, what is proposed."""
    register = centre.dialogue
    index = register.index
    attributed = [item for item in index.row("statement", topic) if "position" in item.content]
    return {
        "topic": topic,
        "within": topic_within(register, topic),
        "last-outcome": _last_outcome(centre, topic),
        "positions": _latest(index.row("position", topic)),
        "not-agreed": [row for row in issue_rows(register, topic) if row["open"]],
        "attributed": [row_of(item) for item in attributed[-ATTRIBUTED_MAX:]],
        "attributed-in-all": len(attributed),
        "consequences": [
            {**row_of(item), "stances": [row_of(one) for one in index.row("stance", item.content["consequence"])]}
            for item in index.row("consequence-topic", topic)
        ],
    }


def _last_outcome(centre: Centre, topic: str) -> dict[str, Any] | None:
    """What came of a topic at the last contact that anybody reported on it."""
    for item in reversed(centre.dialogue.index.row("contact-topic", topic)):
        if any(outcome["topic"] == topic for outcome in item.content["outcomes"]):
            contact = contact_row(centre.dialogue, item.content["contact"])
            for outcome in contact["outcomes"]:
                if outcome["topic"] == topic:
                    return {**outcome, "contact": contact["contact"], "on": contact["on"]}
    return None


def _latest(positions: Iterable[Item]) -> dict[str, dict[str, Any]]:
    """The latest position of each kind by each party, in the order in which they are read."""
    found = {(item.content["kind"], item.party): item for item in positions}
    return {
        kind: {party: row_of(item) for (what, party), item in sorted(found.items(), key=_key) if what == kind}
        for kind in KINDS
        if any(what == kind for what, _ in found)
    }


def _key(one: tuple[tuple[str, str], Item]) -> tuple[str, str]:
    return one[0]


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
    register = centre.agreements
    names = sorted({name for topic in topics for name in register.by_topic.get(topic, ())})
    kept = ("document", "kind", "title", "state", "missing", "until", "days-left", "warning", "parties", "topics")
    rows = [document_row(register, register.documents[name], _seconds(day)) for name in names]
    return [{member: row[member] for member in kept} for row in rows]


def _commitments(centre: Centre, day: date, documents: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the documents on these topics promise."""
    register = centre.commitments
    wanted = {row["document"] for row in documents}
    opened = {name: register.items[register.names.first(name)] for name in register.names.openings}
    names = [name for name, item in opened.items() if item.content.get("document") in wanted]
    rows = [commitment_row(register, name, day) for name in names]
    return sorted(rows, key=lambda row: (row["due"] or "9999", row["entry"]))


def _tasks(centre: Centre, day: date, topics: Iterable[str]) -> list[dict[str, Any]]:
    """The tasks on these topics that are still to be done, or of which the parties do not say the same."""
    register = centre.dialogue
    names = {item.content["task"] for topic in topics for item in register.index.row("task-topic", topic)}
    rows = [task_row(register, name, day) for name in sorted(names)]
    found = [row for row in rows if row["state"] in ("open", "overdue", "disputed")]
    return sorted(found, key=lambda row: (row["due"] or "9999", row["task"]))


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
