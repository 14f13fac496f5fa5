# SPDX-License-Identifier: Apache-2.0
"""The chain of accounts: who said what of a matter, how attributed, in which source, and how the accounts are linked.

It finds, orders and flags. It does not say which account is right, and a position in it is not an agreement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from servanda.agreement.dates import stated_flags
from servanda.journal.frame import Place
from servanda.journal.named import Item
from servanda.registers.dialogue.contacts import contact_row
from servanda.registers.dialogue.fold import DialogueRegister
from servanda.registers.dialogue.keys import words_of
from servanda.registers.dialogue.rows import all_topics, row_of, source_row, topic_names, topics_below
from servanda.registers.dialogue.rules import occurs, place_in

CHAIN_MAX = 500
"""How many accounts a page carries; it says if there are more."""
ACCOUNTS = ("dialogue.statement", "dialogue.contact")


def account_document(register: DialogueRegister, phrase: str) -> dict[str, Any]:
    """The accounts that a phrase finds and all that are linked with them, by the date of what they speak of.

    The phrase finds a topic by id or name (with what is part of it), else the statements that have all its words.
    """
    topics = matching_topics(register, phrase)
    found = _found(register, phrase, topics)
    chain = sorted(_linked(register, found), key=lambda item: item.order)
    shown = chain[:CHAIN_MAX]
    sources = {item.content["source"] for item in shown if "source" in item.content}
    return {
        "chain": [account_row(register, item) for item in shown],
        "in-all": len(chain),
        "phrase": phrase,
        "servanda-account": 1,
        "sources": [source_row(item) for name in sorted(sources) if (item := register.opening("source", name))],
        "topics": topics,
    }


def matching_topics(register: DialogueRegister, phrase: str) -> list[str]:
    """The topics whose id or name in any language has the phrase, with all that is part of them."""
    wanted = " ".join(phrase.casefold().split())
    hits = []
    for topic in all_topics(register):
        names = [text["text"].casefold() for text in topic_names(register, topic)]
        if wanted and (wanted == topic or any(wanted in name for name in names)):
            hits.append(topic)
    return list(dict.fromkeys(name for hit in hits for name in topics_below(register, hit)))


def _found(register: DialogueRegister, phrase: str, topics: list[str]) -> list[Item]:
    index = register.index
    if topics:
        rows = [item for topic in topics for kind in ("statement", "contact-topic") for item in index.row(kind, topic)]
        return [item for item in rows if item.effect in ACCOUNTS]
    words = sorted(words_of(phrase), key=lambda word: len(index.row("word", word)))
    if not words:
        return []
    found = {item.place: item for item in index.row("word", words[0])}
    for word in words[1:]:
        places = {item.place for item in index.row("word", word)}
        found = {place: item for place, item in found.items() if place in places}
    return list(found.values())


class Link(NamedTuple):
    """A link of an account with another one, seen from the one: does it go out, or come in?"""

    outward: bool
    account: str
    relation: str
    by: str
    entry: str
    """The entry that says so: the statement that goes out, or a link by itself."""

    def told(self) -> dict[str, str]:
        """As shown."""
        return {"account": self.account, "by": self.by, "entry": self.entry, "relation": self.relation}


def _linked(register: DialogueRegister, found: list[Item]) -> list[Item]:
    """What is found and all that is linked with it, over as many links as it takes, each once."""
    chain = {item.place: item for item in found}
    left = list(chain)
    while left and len(chain) < 10 * CHAIN_MAX:
        for link in links_of(register, left.pop()):
            place = place_in(link.account)
            if place in register.items and place not in chain:
                chain[place] = register.items[place]
                left.append(place)
    return list(chain.values())


def links_of(register: DialogueRegister, place: Place) -> list[Link]:
    """All links of an account, those that it states first."""
    own, name = register.items[place], str(place)
    links = [Link(True, link["to"], link["relation"], own.party, name) for link in own.content.get("links", ())]
    for item in register.index.row("link", name):
        content, entry = item.content, str(item.place)
        if item.effect == "dialogue.link":
            outward = content["from"] == name
            other = content["to"] if outward else content["from"]
            links.append(Link(outward, other, content["relation"], item.party, entry))
        else:
            relations = [link["relation"] for link in content["links"] if link["to"] == name]
            links += [Link(False, entry, relation, item.party, entry) for relation in relations]
    return links


def account_row(register: DialogueRegister, item: Item) -> dict[str, Any]:
    """One account: speaker, attribution, dates with their flags, source, links; and as what it counts."""
    links = links_of(register, item.place)
    row = row_of(item)
    shared = {
        "bears-on": [link.account for link in links if link.outward and link.relation == "bears-on"],
        "kind": item.effect.partition(".")[2],
        "links": [link.told() for link in links if link.outward],
        "links-from": [link.told() for link in links if not link.outward],
    }
    if item.effect == "dialogue.contact":
        whole = contact_row(register, item.content["contact"])
        return {**row, **shared, "counts-as": "contact", "differs": whole["differs"], "on": item.frame.event_at}
    content = item.content
    flags = [*stated_flags(content["on"], content.get("stated")), *row["flags"]]
    counts = f"position of {content['position']}" if "position" in content else "account"
    return {
        **row,
        **shared,
        "counts-as": counts,
        "flags": list(dict.fromkeys(flags)),
        "in-source": in_source(register, item),
        "words": content.get("words"),
    }


def in_source(register: DialogueRegister, item: Item) -> bool | None:
    """Whether the words are in the text of the source; None if they are no quotation, or the record has no text."""
    content = item.content
    if "source" not in content or "words" not in content or not content["quoted"]:
        return None
    source = register.opening("source", content["source"])
    text = source.content.get("text") if source else None
    return occurs(content["words"], text) if text is not None else None


def sources_document(register: DialogueRegister, texts: Mapping[str, str]) -> dict[str, Any]:
    """Every source, how often it is cited, and the quotations that are not in its text, where a text is at hand.

    Args:
        register: what is known.
        texts: texts of files at hand by the SHA-256 of their bytes, besides those that the record has.
    """
    rows = []
    for name in sorted(register.names["source"].openings):
        item = register.opening("source", name)
        assert item is not None
        digest = item.content.get("file", {}).get("sha256")
        text = item.content.get("text", texts.get(digest))
        cited = register.index.row("cites", name)
        quotes = [other for other in cited if other.content["quoted"] and "words" in other.content]
        missing = [other for other in quotes if text is not None and not occurs(other.content["words"], text)]
        rows.append(
            {
                **source_row(item),
                "checked": text is not None,
                "cited": len(cited),
                "not-found": [{"entry": str(other.place), "words": other.content["words"]} for other in missing],
                "quotations": len(quotes),
            }
        )
    known = {row["file"]["sha256"] for row in rows if "file" in row}
    return {"servanda-sources": 1, "sources": rows, "unknown-files": sorted(set(texts) - known)}
