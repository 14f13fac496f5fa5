# SPDX-License-Identifier: Apache-2.0
"""What a desk officer asks of the dialogue: topics, accounts, meetings, tasks, texts, commitments, what is due.

The commands are merged into those of the desk (`operations.desk`): plain JSON values in, plain JSON values out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from servanda.agreement.dates import day_in_zone
from servanda.journal.record import Record
from servanda.operations.casework import instant_of, place_of
from servanda.operations.centre import Centre
from servanda.operations.drafting import Draft, pack_of, write_draft
from servanda.operations.errors import Refusal
from servanda.registers.agreements.differences import Effort, text_differences
from servanda.registers.agreements.fold import Document, digest_of
from servanda.registers.agreements.views import agreements_document, document_row, history, side_by_side, warnings
from servanda.registers.commitments.views import commitment_row, commitments_document, yearly_report
from servanda.registers.dialogue.accounts import account_document, matching_topics, sources_document
from servanda.registers.dialogue.contacts import SHOWN, bodies_document, meetings_document
from servanda.registers.dialogue.rows import all_topics
from servanda.registers.dialogue.tasks import requests_document, tasks_document
from servanda.registers.dialogue.topics import topic_document, topics_document
from servanda.registers.obligations.views import obligations_document

Arguments = Mapping[str, Any]
TEXTS = frozenset({"statement", "minutes", "report"})
"""Kinds of documents that `texts` lists; agreements are another page."""
_OPEN = frozenset({"due", "overdue", "extended", "partly-met", "not-stated"})
"""States of an obligation in which something is still to be done by a date."""


def _day(centre: Centre, arguments: Arguments) -> date:
    """The day asked about, or today in the time zone of the pack in force.

    Raises:
        Refusal: the argument `on` is no date.
    """
    on = arguments.get("on")
    if on is None:
        return day_in_zone(instant_of(centre, arguments), pack_of(centre).data["time"]["zone"])
    try:
        return date.fromisoformat(str(on))
    except ValueError as error:
        raise Refusal(f"{on!r} is not a date (YYYY-MM-DD)", "usage") from error


def _topics(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    return topics_document(centre.dialogue)


def _topic(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    name, register = str(arguments["topic"]), centre.dialogue
    known = all_topics(register)
    found = [name] if name in known else matching_topics(register, name)
    if not found:
        raise Refusal(f"no topic {name!r}; there are {', '.join(known) or 'none'}", "unknown-topic")
    documents = sorted(centre.agreements.by_topic.get(found[0], ()))
    now = instant_of(centre, arguments)
    return {
        **topic_document(register, found[0]),
        "documents": [_brief_document(centre, document, now) for document in documents],
        "also": found[1:],
    }


def _brief_document(centre: Centre, name: str, now: int) -> dict[str, Any]:
    row = document_row(centre.agreements, centre.agreements.documents[name], now)
    return {member: row[member] for member in ("document", "kind", "missing", "parties", "state", "title", "until")}


def _account(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    return account_document(centre.dialogue, str(arguments["phrase"]))


def _sources(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    texts = {hashlib.sha256(text.encode()).hexdigest(): text for text in arguments.get("texts", ())}
    return sources_document(centre.dialogue, texts)


def _meetings(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    body = arguments.get("body")
    known = pack_of(centre).bodies
    if body is not None and body not in known:
        raise Refusal(f"no body {body!r}; the pack has {', '.join(known) or 'none'}", "unknown-body")
    limit = int(arguments.get("limit", SHOWN))
    return meetings_document(centre.dialogue, _day(centre, arguments), body, limit)


def _bodies(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    return bodies_document(centre.dialogue, _day(centre, arguments))


def _tasks(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    return tasks_document(centre.dialogue, _day(centre, arguments), open_only=bool(arguments.get("open")))


def _requests(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    return requests_document(centre.dialogue, _day(centre, arguments))


def _texts(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    register = centre.agreements
    document = agreements_document(register, instant_of(centre, arguments), TEXTS)
    effort = Effort()
    rows = [
        {**row, "side-by-side": side_by_side(register, register.documents[row["document"]], effort)}
        for row in document["documents"]
    ]
    return {**document, "documents": rows}


def _commitments(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    if arguments.get("year") is not None:
        return yearly_report(centre.commitments, int(arguments["year"]))
    day, name = _day(centre, arguments), arguments.get("commitment")
    if name is None:
        return commitments_document(centre.commitments, day, arguments.get("party"))
    if name not in centre.commitments.names.openings:
        raise Refusal(f"no commitment {name!r}; `servanda commitments` lists them", "unknown-commitment")
    row = commitment_row(centre.commitments, str(name), day, history=True)
    return {"at": day.isoformat(), "commitments": [row], "in-all": 1, "servanda-commitments": 1}


def packs_of(record: Record) -> list[dict[str, Any]]:
    """The agreement itself, as packs: who has adopted which, who is missing, which one is in force."""
    adopted: dict[str, set[str]] = {}
    for party, journal in record.journals.items():
        for _, digest in journal.adoptions:
            adopted.setdefault(digest, set()).add(party)
    force = record.in_force(record.whole)
    rows = []
    for digest, pack in sorted(record.packs.items()):
        before = record.packs[pack.replaces].parties if pack.replaces in record.packs else ()
        parties = {*pack.parties, *before}
        rows.append(
            {
                "adopted-by": sorted(adopted.get(digest, ())),
                "digest": digest,
                "edition": pack.data["edition"],
                "in-force": digest == force,
                "missing": sorted(parties - adopted.get(digest, set())),
                "replaces": pack.replaces,
                "title": pack.data["title"],
            }
        )
    return rows


def _agreement_status(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    now, register = instant_of(centre, arguments), centre.agreements
    name = arguments.get("document")
    if name is not None:
        document = _document(centre, name)
        row = document_row(register, document, now)
        return {"documents": [{**row, "side-by-side": side_by_side(register, document)}], "packs": []}
    return {**agreements_document(register, now), "packs": packs_of(centre.record), "warnings": warnings(register, now)}


def _document(centre: Centre, name: object) -> Document:
    found = centre.agreements.documents.get(str(name))
    if found is None or not found.texts:
        known = ", ".join(sorted(centre.agreements.documents)) or "none"
        raise Refusal(f"no text of {name!r} was offered; documents are {known}", "unknown-document")
    return found


def _agreement_diff(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    (old_name, old), (new_name, new) = (_text(centre, str(arguments[side])) for side in ("old", "new"))
    return {
        "languages": text_differences(old, new, arguments.get("language")),
        "new": new_name,
        "old": old_name,
        "servanda-differences": 1,
        "terms": {
            member: [old.get(member), new.get(member)]
            for member in ("authentic", "from", "kind", "until")
            if old.get(member) != new.get(member)
        },
    }


def _text(centre: Centre, name: str) -> tuple[str, dict[str, Any]]:
    """The content of a text by its place, or by the beginning of its digest.

    Raises:
        Refusal: nothing, or more than one text, has that name.
    """
    register = centre.agreements
    if "/" in name:
        place = place_of(name)
        document = register.documents.get(register.document_of.get(place, ""))
        if document is not None and place in document.texts:
            return str(place), document.texts[place].content
        raise Refusal(f"{name} is no text that was offered; `servanda agreement status` lists them", "unknown-document")
    hits = {
        digest: document.texts[min(places)]
        for document in register.documents.values()
        for digest, places in document.digests.items()
        if len(name) >= 6 and digest.startswith(name)
    }
    if len(hits) != 1:
        raise Refusal(f"{len(hits)} texts have a digest that begins with {name!r}; give more of it", "unknown-document")
    item = next(iter(hits.values()))
    return str(item.place), item.content


def _agreement_history(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    document = _document(centre, arguments["document"])
    return {"document": document.name, "history": history(centre.agreements, document), "servanda-history": 1}


def _agreement_accept(centre: Centre, arguments: Arguments) -> str:
    """Draft the acceptance of a text that has been read: the digest is compared before anything is written.

    Raises:
        Refusal: it is another text (`other-digest`).
    """
    place, content = _text(centre, str(arguments["entry"]))
    digest, given = digest_of(content), str(arguments["digest"])
    if len(given) < 16 or not digest.startswith(given):
        raise Refusal(
            f"{place} has the digest {digest}, not {given}: it is another text than the one read", "other-digest"
        )
    condition = arguments.get("condition")
    if condition is not None:
        condition = {"confirmer": condition["confirmer"], "text": condition["text"]}
    day = instant_of(centre, arguments)
    status = centre.record.entry(place_of(place))
    assert status is not None
    assert status.frame is not None
    draft = Draft(
        format="accept",
        subject=f"Acceptance of {content['document']}, digest {digest[:16]}",
        event_at=day_in_zone(day, "UTC").isoformat(),
        author=str(arguments["officer"]),
        content={"extent": "full", "received": [], "condition": condition},
        refers_to=(place,),
        to=tuple(sorted(set(status.frame.to) - {centre.party} | {status.place.party})),
        status=status.frame.status,
        exercise_at=centre.clock() if status.frame.status == "exercise" else None,
    )
    return write_draft(centre, draft)


def _due(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    day = _day(centre, arguments)
    rows = sorted(_due_rows(centre, day, instant_of(centre, arguments)), key=lambda row: (row["on"], row["what"]))
    return {"at": day.isoformat(), "due": rows, "servanda-due": 1}


def _due_rows(centre: Centre, day: date, now: int) -> Iterator[dict[str, Any]]:
    """Everything that is to be done by a day: tasks, obligations, requests, meetings, ends of documents."""
    for task in tasks_document(centre.dialogue, day, open_only=True)["tasks"]:
        if task["due"] is not None:
            who = [person["office"] for person in task["to"]]
            yield _due_row(task["due"], "task", task["task"], who, task["state"], task["text"])
    names = pack_of(centre).obligations
    for row in obligations_document(centre.obligations, day)["obligations"]:
        if row["due"] is not None and row["status"] in _OPEN:
            text = next(iter(names[row["id"]]["names"].values()))
            yield _due_row(row["due"], "obligation", row["id"], names[row["id"]]["obligors"], row["status"], text)
    for request in requests_document(centre.dialogue, day)["requests"]:
        if request["waiting-for"] and "answer-by" in request:
            state = "overdue" if request["overdue"] else "open"
            yield _due_row(
                request["answer-by"], "answer", request["entry"], request["waiting-for"], state, request["text"]
            )
    for body in bodies_document(centre.dialogue, day)["bodies"]:
        if body["next"] is not None:
            state = "overdue" if body["overdue"] else "open"
            text = next(iter(body["names"].values()))
            yield _due_row(body["next"]["on"], "meeting", body["body"], body["members"], state, text)
    for ending in warnings(centre.agreements, now):
        yield _due_row(ending["until"], "expiry", ending["document"], [], ending["state"], "ends unless extended")


def _due_row(on: str, what: str, name: str, who: list[str], state: str, text: str) -> dict[str, Any]:
    return {"name": name, "on": on, "state": state, "text": text, "what": what, "who": who}


COMMANDS: dict[str, Callable[[Centre, Arguments], Any]] = {
    "topics": _topics,
    "topic": _topic,
    "account": _account,
    "sources": _sources,
    "meetings": _meetings,
    "bodies": _bodies,
    "tasks": _tasks,
    "requests": _requests,
    "texts": _texts,
    "commitments": _commitments,
    "agreement-status": _agreement_status,
    "agreement-diff": _agreement_diff,
    "agreement-history": _agreement_history,
    "agreement-accept": _agreement_accept,
    "due": _due,
}
