# SPDX-License-Identifier: Apache-2.0
"""Rows that several pages of the dialogue register show: an item, dated as understood and as stated, with its flags."""

from __future__ import annotations

from typing import Any

import msgspec

from servanda.agreement.dates import stated_flags
from servanda.agreement.pack import Pack
from servanda.journal.named import Item
from servanda.registers.dialogue.fold import DialogueRegister


def pack_in_force(register: DialogueRegister) -> Pack:
    """The pack in force in the whole record, or the agreement's first."""
    record = register.record
    return record.packs[record.in_force(record.whole) or record.agreement]


def row_of(item: Item) -> dict[str, Any]:
    """An item as shown: whose, where, when, as stated, with what is flagged, and its content without nulls."""
    frame = item.frame
    row: dict[str, Any] = {
        **item.content,
        "corrected-by": str(item.corrected) if item.corrected else None,
        "entry": str(item.place),
        "flags": list(frame.flags),
        "language": frame.language,
        "party": item.party,
        "said-on": frame.event_at,
        "said-stated": msgspec.to_builtins(frame.as_stated) if frame.as_stated else None,
        "status": frame.status,
    }
    return row


def source_row(item: Item) -> dict[str, Any]:
    """A source, without its text: whether it has one, and what is flagged of its date."""
    content = {name: value for name, value in item.content.items() if name != "text"}
    flags = stated_flags(content["published"], content.get("stated"))
    return {**content, "entry": str(item.place), "flags": list(flags), "has-text": "text" in item.content}


def topic_names(register: DialogueRegister, topic: str) -> list[dict[str, str]]:
    """The names of a topic by language: the pack's, else those of the entry that opened it."""
    known = pack_in_force(register).topics.get(topic)
    if known is not None:
        return [{"language": language, "text": text} for language, text in sorted(known["names"].items())]
    opened = register.opening("topic", topic)
    return list(opened.content["names"]) if opened else []


def topic_within(register: DialogueRegister, topic: str) -> str | None:
    """The topic that a topic is part of, or None."""
    known = pack_in_force(register).topics.get(topic)
    if known is not None:
        within: str | None = known["within"]
        return within
    opened = register.opening("topic", topic)
    return opened.content.get("within") if opened else None


def all_topics(register: DialogueRegister) -> list[str]:
    """Every topic: the pack's in its order, then those opened by entries, sorted."""
    named = list(pack_in_force(register).topics)
    return named + sorted(name for name in register.names["topic"].openings if name not in named)


def topics_below(register: DialogueRegister, topic: str) -> list[str]:
    """A topic and all that are part of it."""
    found, left = [topic], [topic]
    parents = {name: topic_within(register, name) for name in all_topics(register)}
    while left:
        here = left.pop()
        fresh = [name for name, parent in parents.items() if parent == here and name not in found]
        found += fresh
        left += fresh
    return found
