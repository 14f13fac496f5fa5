# SPDX-License-Identifier: Apache-2.0
"""Under which keys an item of the dialogue register is found again: a literal table by effect."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from servanda.journal.named import Item

Key = tuple[str, str]
NAMED_BY: dict[str, str] = {
    "dialogue.topic": "topic",
    "dialogue.contact": "contact",
    "dialogue.task": "task",
    "dialogue.source": "source",
    "dialogue.consequence": "consequence",
}
"""Effect to the member of its content that gives a name, which is also the kind of name."""
KEPT: dict[str, tuple[str, ...]] = {
    **{effect: (name,) for effect, name in NAMED_BY.items()},
    "dialogue.task": ("task", "serves", "after-tasks", "after-obligations"),
    "dialogue.source": ("source", "text", "file"),
}
"""What no correction changes: other entries have been judged by it, and a correction need not be in their past."""
WORD = re.compile(r"\w+")


def keys_of(item: Item) -> Iterator[Key]:
    """All keys of an item; every item is under `("effect", …)` as well."""
    yield "effect", item.effect
    yield from _KEYS[item.effect](item)


def words_of(text: str) -> set[str]:
    """The words of a text in one case, for finding: not for showing."""
    return set(WORD.findall(text.casefold()))


def _topics(item: Item, kind: str) -> Iterator[Key]:
    return ((kind, topic) for topic in item.content["topics"])


def _topic(item: Item) -> Iterator[Key]:
    if "within" in item.content:
        yield "parts", item.content["within"]


def _position(item: Item) -> Iterator[Key]:
    yield "position", item.content["topic"]
    yield "cell", cell_of(item.content["topic"], item.party, item.content["kind"])
    if "contact" in item.content:
        yield "said-at", item.content["contact"]


def cell_of(topic: str, party: str, kind: str) -> str:
    """The name of a cell of the matrix of topics."""
    return f"{topic} {party} {kind}"


def _issue(item: Item) -> Iterator[Key]:
    yield "issue", item.content["topic"]


def _contact(item: Item) -> Iterator[Key]:
    content = item.content
    yield "contact", content["contact"]
    if "body" in content:
        yield "body", content["body"]
        yield f"body-{content['state']}", content["body"]
    for topic in {*content["agenda"], *(outcome["topic"] for outcome in content["outcomes"])}:
        yield "contact-topic", topic


def _task(item: Item) -> Iterator[Key]:
    yield from _topics(item, "task-topic")
    if "contact" in item.content:
        yield "tasked-at", item.content["contact"]
    for obligation in item.content.get("serves", ()):
        yield "serves", obligation


def _progress(item: Item) -> Iterator[Key]:
    yield "progress", item.content["task"]


def _stance(item: Item) -> Iterator[Key]:
    yield "stance", item.content["consequence"]


def _consequence(item: Item) -> Iterator[Key]:
    return _topics(item, "consequence-topic")


def _request(item: Item) -> Iterator[Key]:
    yield from _topics(item, "request-topic")
    if "body" in item.content:
        yield "request-body", item.content["body"]


def _response(item: Item) -> Iterator[Key]:
    yield "response", str(item.frame.refers_to[0].place)


def _source(item: Item) -> Iterator[Key]:
    return iter(())


def _statement(item: Item) -> Iterator[Key]:
    content, speaker = item.content, item.content["speaker"]
    yield from _topics(item, "statement")
    for name, kind in (("source", "cites"), ("contact", "about")):
        if name in content:
            yield kind, content[name]
    for link in content["links"]:
        yield "link", link["to"]
    told = (content.get("words", ""), content["medium"], speaker.get("name", ""), speaker["office"])
    for word in words_of(" ".join(told)):
        yield "word", word


def _link(item: Item) -> Iterator[Key]:
    yield "link", item.content["from"]
    yield "link", item.content["to"]


_KEYS: dict[str, Callable[[Item], Iterator[Key]]] = {
    "dialogue.topic": _topic,
    "dialogue.position": _position,
    "dialogue.issue": _issue,
    "dialogue.contact": _contact,
    "dialogue.task": _task,
    "dialogue.progress": _progress,
    "dialogue.consequence": _consequence,
    "dialogue.stance": _stance,
    "dialogue.request": _request,
    "dialogue.response": _response,
    "dialogue.source": _source,
    "dialogue.statement": _statement,
    "dialogue.link": _link,
}
