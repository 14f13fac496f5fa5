# SPDX-License-Identifier: Apache-2.0
"""What an entry must keep to have effect in the dialogue register (spec/dialogue.md, Rules, numbered as there)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from servanda.journal.frame import Place
from servanda.journal.named import Item
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry
from servanda.journal.threads import within

if TYPE_CHECKING:
    from servanda.registers.dialogue.fold import DialogueRegister

Rule = Callable[["DialogueRegister", Entry, Item], None]
_ELISION = "[…]"


def check_rules(register: DialogueRegister, entry: Entry, item: Item, corrected: Item | None) -> None:
    """Apply all rules to an item; `entry` is what brings it, an entry of its own or a correction.

    Raises:
        Refused: with the code of the first rule broken.
    """
    _check_names(register, entry, item, corrected)
    rule = _RULES.get(item.effect)
    if rule is not None:
        rule(register, entry, item)


def _check_names(register: DialogueRegister, entry: Entry, item: Item, corrected: Item | None) -> None:
    """All of dialogue: whatever is named is known; then 1: what is opened is not known yet."""
    pack, content = register.pack_of(item.frame), item.content
    for topic in _topics_named(item):
        if topic not in pack.topics and not register.names["topic"].known(topic, entry.past):
            raise Refused("unknown-topic", f"no topic {topic}; the pack or a `topic` entry before this one names it")
    if "body" in content and content["body"] not in pack.bodies:
        raise Refused("unknown-body", f"no body {content['body']}; the pack has {_list(pack.bodies)}")
    for kind, name in _names_named(item):
        if not register.names[kind].known(name, entry.past):
            raise _unknown(kind, f"no {kind} {name} in the past of this entry")
    for name in [*content.get("serves", ()), *content.get("after-obligations", ())]:
        if name not in pack.obligations:
            raise Refused("unknown-obligation", f"no obligation {name} in the pack")
    for party in _parties_named(item):
        if party not in pack.parties:
            raise Refused("unknown-party", f"{party} is not a party of the pack; outsiders have no `party`")
    kind = item.effect.partition(".")[2]
    if corrected is None and kind in ("topic", "task", "source", "consequence"):
        name = content[kind]
        in_pack = kind == "topic" and name in pack.topics
        if in_pack or register.names[kind].known(name, entry.past):
            raise Refused("known-already", f"the {kind} {name} is there already; choose another id")


def _unknown(kind: str, words: str) -> Refused:
    if kind == "contact":
        return Refused("unknown-contact", words)
    if kind == "source":
        return Refused("unknown-source", words)
    return Refused("unknown-task", words) if kind == "task" else Refused("unknown-consequence", words)


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _topics_named(item: Item) -> Iterator[str]:
    content = item.content
    yield from content.get("topics", ())
    yield from content.get("agenda", ())
    yield from (outcome["topic"] for outcome in content.get("outcomes", ()) if isinstance(outcome, dict))
    if "within" in content:
        yield content["within"]
    if "topic" in content and item.effect != "dialogue.topic":
        yield content["topic"]


def _names_named(item: Item) -> Iterator[tuple[str, str]]:
    """Names of contacts, sources, tasks and consequences that an item refers to."""
    content, own = item.content, item.effect.partition(".")[2]
    for kind in ("contact", "source", "task", "consequence"):
        if kind in content and kind != own:
            yield kind, content[kind]
    yield from (("task", name) for name in content.get("after-tasks", ()))


def _parties_named(item: Item) -> Iterator[str]:
    content = item.content
    people: list[dict[str, Any]] = (
        [*content.get("participants", ()), *content.get("to", ())]
        if item.effect
        in (
            "dialogue.contact",
            "dialogue.task",
        )
        else []
    )
    people += [content[name] for name in ("by", "speaker") if isinstance(content.get(name), dict)]
    yield from (person["party"] for person in people if "party" in person)
    yield from (content[name] for name in ("party", "position") if isinstance(content.get(name), str))


# 2. Contact.
def _contact(register: DialogueRegister, entry: Entry, item: Item) -> None:
    minutes = item.content.get("minutes")
    if minutes is not None and minutes["to"] < minutes["from"]:
        raise Refused("minutes", f"from {minutes['from']} to {minutes['to']} minutes: it ends before it begins")


# 3. Task.
def _task(register: DialogueRegister, entry: Entry, item: Item) -> None:
    content = item.content
    if not content["to"]:
        raise Refused("no-owner", f"the task {content['task']} is given to nobody; `to` names who is to do it")
    circle = find_circle(register, item, entry)
    if circle:
        raise Refused("circle", f"a circle: {' after '.join(circle)}")


def find_circle(register: DialogueRegister, item: Item, entry: Entry | None = None) -> list[str]:
    """The circle that a task closes, as `task/ID` and `obligation/ID`, from the task back to itself; empty if none.

    Args:
        register: what is known.
        item: the task.
        entry: only tasks in its past count; all that there are without it.
    """

    def after(node: str) -> Iterator[str]:
        kind, _, name = node.partition("/")
        if kind == "obligation":
            serving = [other for other in register.index.row("serves", name) if _seen(other, entry)]
            serving += [item] if name in item.content.get("serves", ()) else []
            yield from (f"task/{other.content['task']}" for other in serving)
            return
        tasks = [item] if name == item.content["task"] else _tasks(register, name, entry)
        for task in tasks:
            yield from (f"task/{other}" for other in task.content.get("after-tasks", ()))
            yield from (f"obligation/{other}" for other in task.content.get("after-obligations", ()))

    start = f"task/{item.content['task']}"
    path, left, seen = [start], [list(after(start))], {start}
    while left:
        if not left[-1]:
            left.pop()
            path.pop()
            continue
        node = left[-1].pop()
        if node == start:
            return [*path, start]
        if node not in seen:
            seen.add(node)
            path.append(node)
            left.append(list(after(node)))
    return []


def _tasks(register: DialogueRegister, name: str, entry: Entry | None) -> list[Item]:
    places = register.names["task"].openings.get(name, ())
    return [register.items[place] for place in places if _seen(register.items[place], entry)]


def _seen(item: Item, entry: Entry | None) -> bool:
    return entry is None or within(entry.past, item.place)


# 4. Response.
def _response(register: DialogueRegister, entry: Entry, item: Item) -> None:
    asked = register.items.get(item.frame.refers_to[0].place) if item.frame.refers_to else None
    if asked is None or asked.effect != "dialogue.request":
        raise Refused("no-request", "a response refers first to the request that it answers")
    if item.party not in asked.frame.to:
        raise Refused("not-asked", f"{asked.place} does not address {item.party}")


# 5. Source.
def _source(register: DialogueRegister, entry: Entry, item: Item) -> None:
    file, text = item.content.get("file"), item.content.get("text")
    if file is None or text is None:
        return
    raw = text.encode()
    if len(raw) != file["size"] or hashlib.sha256(raw).hexdigest() != file["sha256"]:
        raise Refused("source-hash", f"the text has {len(raw)} bytes and another hash than the file that is named")


# 6. Statement, link.
def _statement(register: DialogueRegister, entry: Entry, item: Item) -> None:
    content = item.content
    for link in content["links"]:
        _account(register, entry, link["to"])
    words, source = content.get("words"), content.get("source")
    if words is None or source is None or not content["quoted"]:
        return
    known = [register.items[place] for place in register.names["source"].openings[source]]
    texts = [other.content["text"] for other in known if "text" in other.content and within(entry.past, other.place)]
    if texts and not any(occurs(words, text) for text in texts):
        raise Refused("not-in-source", f"the words quoted are not in the text of {source}: {words[:80]!r}")


def occurs(words: str, text: str) -> bool:
    """Whether words occur in a text: white space counts as one space, `[…]` stands for anything left out."""
    whole, at = " ".join(text.split()), 0
    parts = [" ".join(part.split()) for part in words.split(_ELISION)]
    for part in filter(None, parts):
        at = whole.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return any(parts)


def _link(register: DialogueRegister, entry: Entry, item: Item) -> None:
    _account(register, entry, item.content["from"])
    _account(register, entry, item.content["to"])


def place_in(text: str) -> Place:
    """The place that `party/number` names; the shape has seen to its form."""
    party, _, number = text.rpartition("/")
    return Place(party, int(number))


def _account(register: DialogueRegister, entry: Entry, text: str) -> None:
    found = register.items.get(place_in(text))
    accounts = ("dialogue.statement", "dialogue.contact")
    if found is None or found.effect not in accounts or not within(entry.past, found.place):
        raise Refused("unknown-account", f"{text} is no statement or contact in the past of this entry")


_RULES: dict[str, Rule] = {
    "dialogue.contact": _contact,
    "dialogue.task": _task,
    "dialogue.response": _response,
    "dialogue.source": _source,
    "dialogue.statement": _statement,
    "dialogue.link": _link,
}
