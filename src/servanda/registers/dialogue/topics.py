# SPDX-License-Identifier: Apache-2.0
"""Where each topic stands: a matrix by party, and one topic with its movement (spec/dialogue.md, What follows)."""

from __future__ import annotations

from typing import Any

from servanda.journal.named import Item
from servanda.registers.dialogue.contacts import last_outcome, outcome_rows
from servanda.registers.dialogue.fold import DialogueRegister
from servanda.registers.dialogue.keys import cell_of
from servanda.registers.dialogue.rows import all_topics, pack_in_force, row_of, topic_names, topic_within

KINDS = ("position", "reservation", "common-ground")


def topics_document(register: DialogueRegister) -> dict[str, Any]:
    """Every topic by every party: the latest of each kind that the party said, open issues, the latest outcome."""
    parties = pack_in_force(register).parties
    rows = []
    for topic in all_topics(register):
        cells = {party: _cell(register, topic, party) for party in parties}
        issues = issue_rows(register, topic)
        rows.append(
            {
                "cells": cells,
                "last-outcome": last_outcome(register, topic),
                "names": topic_names(register, topic),
                "not-agreed": [row for row in issues if row["open"]],
                "topic": topic,
                "within": topic_within(register, topic),
            }
        )
    return {
        "discrepancies": [{"code": code, "entry": str(place)} for place, code in sorted(register.discrepancies)],
        "parties": list(parties),
        "servanda-topics": 1,
        "topics": rows,
    }


def _cell(register: DialogueRegister, topic: str, party: str) -> dict[str, Any]:
    """The latest of each kind by a party, None if it said nothing of the kind."""
    rows = {kind: register.index.row("cell", cell_of(topic, party, kind)) for kind in KINDS}
    return {kind: row_of(row[-1]) if row else None for kind, row in rows.items()}


def issue_rows(register: DialogueRegister, topic: str) -> list[dict[str, Any]]:
    """The issues of a topic: open while the latest word of any party is `not-agreed`."""
    said: dict[str, dict[str, list[Item]]] = {}
    for item in register.index.row("issue", topic):
        said.setdefault(item.content["issue"], {}).setdefault(item.party, []).append(item)
    return [
        {
            "by": {party: [row_of(item) for item in items] for party, items in sorted(parties.items())},
            "issue": issue,
            "open": any(items[-1].content["state"] == "not-agreed" for items in parties.values()),
            "text": next(iter(parties.values()))[0].content["text"],
        }
        for issue, parties in sorted(said.items())
    ]


def topic_document(register: DialogueRegister, topic: str) -> dict[str, Any]:
    """One topic: each party's words over time, common ground, reservations, issues, outcomes, and its movement."""
    index = register.index
    positions = index.row("position", topic)
    statements = index.row("statement", topic)
    parties = pack_in_force(register).parties
    return {
        "attributed": [row_of(item) for item in statements if "position" in item.content],
        "consequences": [_consequence(register, item) for item in index.row("consequence-topic", topic)],
        "issues": issue_rows(register, topic),
        "movement": [_moved(item) for item in sorted(_concerning(register, topic), key=lambda item: item.order)],
        "names": topic_names(register, topic),
        "outcomes": outcome_rows(register, topic),
        "parts": [item.content["topic"] for item in index.row("parts", topic)]
        + [name for name, known in pack_in_force(register).topics.items() if known["within"] == topic],
        "positions": {
            kind: {
                party: [row_of(item) for item in positions if item.party == party and item.content["kind"] == kind]
                for party in parties
            }
            for kind in KINDS
        },
        "requests": [row_of(item) for item in index.row("request-topic", topic)],
        "servanda-topic": 1,
        "tasks": [row_of(item) for item in index.row("task-topic", topic)],
        "topic": topic,
        "within": topic_within(register, topic),
    }


def _consequence(register: DialogueRegister, item: Item) -> dict[str, Any]:
    stances = [row_of(other) for other in register.index.row("stance", item.content["consequence"])]
    return {**row_of(item), "stances": stances}


def _concerning(register: DialogueRegister, topic: str) -> list[Item]:
    kinds = ("position", "issue", "contact-topic", "statement", "task-topic", "consequence-topic", "request-topic")
    return [item for kind in kinds for item in register.index.row(kind, topic)]


def _moved(item: Item) -> dict[str, Any]:
    """A line of the movement: when, who, what kind of word, and the word."""
    content, kind = item.content, item.effect.partition(".")[2]
    told = content.get("words") or content.get("text")
    if kind == "contact":
        told = f"{content['kind']}, {content['state']}"
    row = {"entry": str(item.place), "kind": kind, "on": content.get("on", item.frame.event_at), "party": item.party}
    detail = content.get("kind") or content.get("state") or content.get("manner")
    return {**row, "detail": detail, "status": item.frame.status, "words": told}
