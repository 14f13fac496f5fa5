# SPDX-License-Identifier: Apache-2.0
"""The review of a contact, from the record: what was signed, what it sets up, what was agreed and what was not.

Everything in the document is what somebody entered, with its place; it decides nothing. What was *on record before* is
what the first report of the contact as held had in its past (spec/entry.md), whatever dates its entries claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from servanda.journal.threads import within
from servanda.operations import briefing, calendars
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal
from servanda.operations.reading import Reading, Said

OTHERS = frozenset({"reporter", "press"})
"""Manners of attribution in which nobody of the two sides speaks."""
TOPIC_ROWS = ("statement", "position", "issue", "contact-topic", "task-topic")
"""Where the register of dialogue keeps what is about a topic."""
BEFORE_MAX = 12
"""How much of what was on record before is shown for a topic: the first entries, and the latest words."""
GENERAL = 3
"""A comment on more topics than this is one on the whole."""


def review_document(reading: Reading, contact: str) -> dict[str, Any]:
    """The review of one contact that was held.

    Args:
        reading: what was said.
        contact: its id.

    Raises:
        Refusal: no contact of that id is on record, or it is not reported as held (`unknown-contact`).
    """
    accounts = reading.accounts(contact)
    held = {party: said for party, said in accounts.items() if said.content["state"] == "held"}
    if not held:
        known = sorted({said.content["contact"] for said in reading.of("dialogue.contact")})[:20]
        reason = "is planned, and not reported as held" if accounts else "is not on record"
        raise Refusal(
            f"the contact {contact!r} {reason}; on record are {', '.join(known) or 'none'}", "unknown-contact"
        )
    first = next(iter(held.values()))
    before = _Before(reading, contact, held)
    topics = [_topic(reading, topic, contact, held, before) for topic in _topics(reading, contact, held)]
    texts = [_text(reading, said) for said in reading.texts_at(contact)]
    general = [_words(said) for said in _comments(reading, contact) if len(said.content["topics"]) > GENERAL]
    return {
        "servanda-review": 1,
        "contact": contact,
        "kind": first.content["kind"],
        "status": first.frame.status,
        "participants": first.content["participants"],
        "accounts": [_account(party, said) for party, said in held.items()],
        "bottom-line": _bottom_line(topics, texts),
        "comments": general,
        "texts": texts,
        "topics": topics,
        "expected": [t["topic"] for t in topics if t["before"]],
        "not-on-record-before": [t["topic"] for t in topics if not t["before"]],
        "tasks": [_task(reading, s) for s in reading.row("tasked-at", contact)],
        "next": _next(reading, held),
        "sources": _sources(reading, contact, reading.texts_at(contact)),
        "names": {topic["topic"]: reading.topic_names(topic["topic"]) for topic in topics},
        "parties": {party["id"]: party["names"] for party in reading.pack["parties"]},
        "bodies": {body["id"]: body["names"] for body in reading.pack["bodies"]},
    }


def _account(party: str, said: Said) -> dict[str, Any]:
    kept = {name: said.content[name] for name in ("place", "minutes", "body", "note") if name in said.content}
    return {"party": party, "entry": str(said.place), "on": said.frame.event_at, "stated": said.stated, **kept}


class _Before:
    """What was on record before any party had reported a contact as held, and was not of the contact itself."""

    def __init__(self, reading: Reading, contact: str, held: Iterable[str]) -> None:
        self._reading, self._contact = reading, contact
        said = sorted(reading.row("contact", contact), key=lambda one: one.place)
        self._plans = {one.place for one in said if one.content["state"] == "planned"}
        self._cuts = [
            reading.past(next(o.place for o in said if o.place.party == party and o.content["state"] == "held"))
            for party in held
        ]

    def on(self, topic: str) -> list[Said]:
        """Of one topic, in the order of the clock."""
        found = {said.place: said for kind in TOPIC_ROWS for said in self._reading.row(kind, topic)}
        found |= {said.place: said for said in self._reading.documents_on(topic)}
        return sorted(filter(self._was, found.values()), key=lambda said: (said.clock, said.place))

    def _was(self, said: Said) -> bool:
        own = said.content.get("contact") == self._contact and said.place not in self._plans
        return not own and any(within(cut, said.place) for cut in self._cuts)


def _topics(reading: Reading, contact: str, held: Mapping[str, Said]) -> list[str]:
    """Every topic of the contact, in the order in which the pack, then the record names them."""
    found = {outcome["topic"] for said in held.values() for outcome in said.content["outcomes"]}
    found |= {topic for said in held.values() for topic in said.content["agenda"]}
    found |= {said.content["topic"] for said in reading.row("said-at", contact)}
    found |= {topic for said in reading.row("about", contact) for topic in said.content["topics"]}
    return [topic for topic in reading.topics if topic in found]


def _topic(reading: Reading, topic: str, contact: str, held: Mapping[str, Said], before: _Before) -> dict[str, Any]:
    outcomes = {
        party: {"outcome": row["outcome"], "text": row.get("text", "")}
        for party, said in held.items()
        for row in said.content["outcomes"]
        if row["topic"] == topic
    }
    kinds = {row["outcome"] for row in outcomes.values()}
    earlier = before.on(topic)
    here = [s for s in reading.row("statement", topic) if s.content.get("contact") == contact or _same_day(s, held)]
    sides = reading.by_party(s for s in here if s.content["manner"] not in OTHERS)
    comments = [s for s in here if s.content["manner"] in OTHERS and len(s.content["topics"]) <= GENERAL]
    quoted = {s.content.get("words") for s in sides}
    positions = [s for s in reading.row("said-at", contact) if s.content["topic"] == topic]
    return {
        "topic": topic,
        "within": reading.topics[topic],
        "outcomes": outcomes,
        "same": kinds.pop() if len(kinds) == 1 and len(outcomes) > 1 else None,
        "words": [_words(s) for s in sides],
        "positions": [
            {**_position(s), "also-quoted": s.content.get("words") in quoted} for s in reading.by_party(positions)
        ],
        "issues": reading.open_issues(topic),
        "before": [str(s.place) for s in earlier[:BEFORE_MAX]],
        "before-in-all": len(earlier),
        "said-before": [_words(s) for s in earlier if s.effect == "dialogue.statement"][-BEFORE_MAX:],
        "comments": [_words(s) for s in comments],
    }


def _same_day(said: Said, held: Mapping[str, Said]) -> bool:
    """Whether a statement without a contact speaks of the day of this one."""
    return "contact" not in said.content and said.content["on"] in {s.frame.event_at for s in held.values()}


def _words(said: Said) -> dict[str, Any]:
    content = said.content
    return {
        "entry": str(said.place),
        "speaker": content["speaker"],
        "manner": content["manner"],
        "medium": content["medium"],
        "words": content.get("words", ""),
        "quoted": content["quoted"],
        "position-of": content.get("position"),
        "note": content.get("note", ""),
        "flags": list(said.flags),
        "topics": content["topics"],
    }


def _position(said: Said) -> dict[str, Any]:
    content = said.content
    return {
        "party": said.place.party,
        "entry": str(said.place),
        "kind": content["kind"],
        "words": content.get("words", ""),
        "note": content.get("note", ""),
    }


def _comments(reading: Reading, contact: str) -> list[Said]:
    return [said for said in reading.row("about", contact) if said.content["manner"] in OTHERS]


def _text(reading: Reading, said: Said) -> dict[str, Any]:
    """One text offered at the contact: its state, its clauses, what each sets up, and what was said against it."""
    content, document = said.content, said.content["document"]
    languages = {text["language"]: text["status"] for text in content["texts"]}
    for other in reading.notices(document, "agreement.translation"):
        if other.content["digest"] == said.digest:
            languages.setdefault(other.content["language"], other.content["status"])
    texts = reading.document(document).texts
    return {
        "document": document,
        "entry": str(said.place),
        "digest": said.digest,
        "kind": content["kind"],
        "title": {row["language"]: row["text"] for row in content["title"]},
        "state": reading.offer_state(said.place),
        "parties": sorted([said.place.party, *(said.frame.named or ())]),
        "languages": languages,
        "authentic": content["authentic"],
        "clauses": reading.clauses(said),
        "sets-up": [_commitment(reading, s) for s in reading.promised_in(document)],
        "declarations": [
            {"party": s.place.party, "entry": str(s.place), "kind": s.content["kind"], "text": s.content["text"]}
            for s in reading.notices(document, "agreement.declare")
        ],
        "earlier": [
            {"entry": str(s.place), "until": s.content.get("until"), "stated": s.stated, "digest": s.digest}
            for item in texts.values()
            if (s := Said(item.place, item.effect, item.frame, item.content)).digest in content["amends"]
        ],
        "until": content.get("until"),
        "topics": content["topics"],
        "note": content.get("note", ""),
    }


def _commitment(reading: Reading, said: Said) -> dict[str, Any]:
    kept = {name: said.content.get(name) for name in ("commitment", "text", "owners", "due", "clause")}
    return {**kept, "entry": str(said.place), "marks": reading.marks(said.content["commitment"])}


def _bottom_line(topics: Iterable[Mapping[str, Any]], texts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    topics, texts = list(topics), list(texts)
    lines: dict[str, Any] = {
        kind: [t["topic"] for t in topics if t["same"] == kind]
        for kind in ("agreed", "agreed-in-part", "not-agreed", "noted", "deferred")
    }
    lines["one-side-only"] = [t["topic"] for t in topics if len(t["outcomes"]) == 1]
    lines["reported-differently"] = [t["topic"] for t in topics if len(t["outcomes"]) > 1 and t["same"] is None]
    lines["open-issues"] = [issue["text"] for t in topics for issue in t["issues"]]
    lines["texts"] = [text["document"] for text in texts if text["state"] == "in effect"]
    return lines


def _task(reading: Reading, said: Said) -> dict[str, Any]:
    content = said.content
    words = {
        s.place.party: {"state": s.content["state"], "text": s.content["text"], "entry": str(s.place)}
        for s in sorted(reading.row("progress", content["task"]), key=lambda one: one.place)
    }
    return {
        "task": content["task"],
        "entry": str(said.place),
        "text": content["text"],
        "by": content["by"],
        "to": content["to"],
        "due": content.get("due"),
        "progress": words,
    }


def _next(reading: Reading, held: Mapping[str, Said]) -> list[dict[str, Any]]:
    """Contacts that were planned when the next one had not been held yet, with the date and words of the plan."""
    end = max(said.frame.event_at for said in held.values())
    begun = min(said.clock for said in held.values())
    contacts = reading.contacts_after(end)
    later = [s.clock for s in contacts if s.content["state"] == "held" and s.clock > begun and s.frame.event_at > end]
    limit = min(later, default="~")
    return [
        {
            "contact": said.content["contact"],
            "kind": said.content["kind"],
            "on": said.frame.event_at,
            "stated": said.stated,
            "place": said.content.get("place", ""),
            "body": said.content.get("body"),
            "note": said.content.get("note", ""),
            "entry": str(said.place),
        }
        for said in contacts
        if said.content["state"] == "planned" and said.frame.event_at > end and said.clock < limit
    ]


def _sources(reading: Reading, contact: str, texts: Iterable[Said]) -> list[dict[str, Any]]:
    said_there = [s for kind in ("contact", "about", "said-at", "tasked-at") for s in reading.row(kind, contact)]
    used = {s.content["source"] for s in (*said_there, *texts) if "source" in s.content}
    rows = {said.content["source"]: said for said in reversed(reading.of("dialogue.source"))}
    cited = {name for name, said in rows.items() if said.content.get("cited-by") in used}
    return [
        {
            "source": name,
            "entry": str(said.place),
            "title": said.content["title"],
            "medium": said.content["medium"],
            "published": said.content["published"],
            "stated": said.content.get("stated"),
            "file": said.content.get("file"),
            "cited-by": said.content.get("cited-by"),
            "flags": list(said.flags),
            "note": said.content.get("note", ""),
        }
        for name, said in sorted(rows.items(), key=lambda one: (one[0] in cited, one[1].clock, one[1].place))
        if name in used | cited
    ]


def _review(centre: Centre, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return review_document(Reading(centre), str(arguments["contact"]))


COMMANDS = {"review": _review, **briefing.COMMANDS, **calendars.COMMANDS}
