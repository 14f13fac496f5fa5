# SPDX-License-Identifier: Apache-2.0
"""A review as a page: blocks that a terminal, Markdown or HTML can show. The document: `reviewing.review_document`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from servanda.operations.pages import Block, heading, item, quote, row, text
from servanda.operations.words import words_for

Document = Mapping[str, Any]


class _Page:
    """One review in one language."""

    def __init__(self, document: Document, language: str) -> None:
        self.document, self.language, self.words = document, language, words_for(language)
        self._shown: set[str] = set()

    def say(self, texts: Mapping[str, str]) -> str:
        """The text in the page's language, else in English, else in any."""
        return texts.get(self.language) or texts.get("en") or next(iter(texts.values()), "")

    def topic(self, topic: str) -> str:
        return self.say(self.document["names"].get(topic, {})) or topic

    def party(self, party: str) -> str:
        return self.say(self.document["parties"].get(party, {})) or party

    def topics(self, topics: Iterable[str]) -> str:
        return "; ".join(self.topic(topic) for topic in topics)

    def blocks(self) -> Iterator[Block]:
        yield from self._head()
        yield from self._bottom_line()
        yield heading(2, self.words["signed"])
        yield from [] if self.document["texts"] else [text(self.words["no-texts"])]
        for document in self.document["texts"]:
            yield from self._text(document)
        yield heading(2, self.words["by-topic"])
        for topic in self.document["topics"]:
            yield from self._topic(topic)
        yield from self._expected()
        yield from self._follow()
        yield from self._sources()
        yield text(self.words["limits"])

    def _head(self) -> Iterator[Block]:
        document, words = self.document, self.words
        names = ", ".join(person(who) for who in document["participants"])
        yield heading(
            1, f"{words['review']}: {words[document['kind']]} {words['of']} {names}, {document['accounts'][0]['on']}"
        )
        if document["status"] != "actual":
            yield text(words[document["status"]])
        for account in document["accounts"]:
            parts = [f"{words['as-reported-by']} {self.party(account['party'])} ({account['entry']})", account["on"]]
            parts += [f"{words['as-stated']}: “{account['stated']['text']}”"] if account["stated"] else []
            parts += [account["place"]] if account.get("place") else []
            if "minutes" in account:
                parts.append(f"{account['minutes']['from']}-{account['minutes']['to']} {words['minutes']}")
            parts += [account["note"]] if account.get("note") else []
            yield item(" · ".join(parts))

    def _bottom_line(self) -> Iterator[Block]:
        line, words = self.document["bottom-line"], self.words
        yield heading(2, words["bottom-line"])
        titles = {known["document"]: self.say(known["title"]) for known in self.document["texts"]}
        if line["texts"]:
            yield item(f"{words['texts']}: {'; '.join(titles[name] for name in line['texts'])}")
        for kind in ("not-agreed", "agreed-in-part", "agreed", "noted", "deferred"):
            if line[kind]:
                yield item(f"{words[kind]}: {self.topics(line[kind])}")
        for kind in ("reported-differently", "one-side-only"):
            if line[kind]:
                yield item(f"{words[kind]}: {self.topics(line[kind])}")
        if line["open-issues"]:
            yield item(f"{words['open-issues']}: {' '.join(line['open-issues'])}")
        if self.document["next"]:
            planned = self.document["next"][0]
            yield item(f"{words['next']}: {planned['on']}, {self._planned(planned)}")
        for comment in self.document["comments"]:
            yield self._comment(comment)

    def _text(self, document: Document) -> Iterator[Block]:
        words = self.words
        yield heading(3, self.say(document["title"]))
        tongues = ", ".join(f"{tag} ({words[state]})" for tag, state in document["languages"].items())
        yield text(
            f"{words[document['state']]} ({', '.join(document['parties'])}) · {document['entry']} · "
            f"{words['languages']}: {tongues} · SHA-256 {document['digest'][:16]}…"
        )
        for earlier in document["earlier"]:
            stated = f" (“{earlier['stated']['text']}”)" if earlier["stated"] else ""
            yield item(f"{words['earlier']} {earlier['until']}{stated} · {earlier['entry']}")
            yield item(f"{words['no-until']}" if document["until"] is None else document["until"])
        set_up = {row["clause"]: row for row in document["sets-up"]}
        for clause in document["clauses"]:
            yield quote(self.say(clause["text"]))
            if clause["id"] in set_up:
                yield item(f"{words['sets-up']}: {self._commitment(set_up[clause['id']])}")
        for said in document["declarations"]:
            yield item(f"{words[said['kind']]}, {said['party']} ({said['entry']}): {said['text']}")
        yield from [text(document["note"])] if document["note"] else []

    def _commitment(self, commitment: Document) -> str:
        words = self.words
        due = f"{words['due']} {commitment['due']}" if commitment["due"] else words["no-date"]
        marks = ", ".join(f"{party} {mark}" for party, mark in commitment["marks"].items()) or words["no-marks"]
        owners = ", ".join(commitment["owners"])
        return f"{commitment['text']} ({owners}; {due}; {marks}; {commitment['entry']})"

    def _topic(self, topic: Document) -> Iterator[Block]:
        words = self.words
        yield heading(3 if topic["within"] is None else 4, self.topic(topic["topic"]))
        notes = {said["text"] for said in topic["outcomes"].values()}
        if topic["same"] and len(notes) == 1:
            yield item(f"{words[topic['same']]} ({words['all-report']}){_after(notes.pop())}")
        else:
            for party, said in topic["outcomes"].items():
                yield item(f"{self.party(party)} · {words[said['outcome']]}{_after(said['text'])}")
        for said in topic["words"]:
            yield quote(self._said(said))
        for position in topic["positions"]:
            if not position["also-quoted"]:
                own = f"“{position['words']}”" if position["words"] else position["note"]
                yield item(f"{words[position['kind']]}, {self.party(position['party'])}: {own} ({position['entry']})")
        for said in topic["said-before"]:
            yield item(f"{words['before']}, {self._said(said)}")
        for issue in topic["issues"]:
            yield item(f"{words['open']}: {issue['text']} ({issue['by']}; {issue['entry']})")
        for comment in topic["comments"]:
            yield self._comment(comment)

    def _said(self, said: Document) -> str:
        words = self.words
        who = f"{person(said['speaker'])}, {words[said['manner']]}, {said['medium']}"
        if said["entry"] in self._shown:
            return f"{person(said['speaker'])}: “{said['words'][:48].rstrip()}…” ({words['above']}: {said['entry']})"
        self._shown.add(said["entry"])
        said_words = f"“{said['words']}”" if said["quoted"] else f"[{words['account']}] {said['words']}"
        flags = "".join(f" [! {words.get(flag, flag)}]" for flag in said["flags"])
        note = f" {said['note']}" if said["note"] else ""
        return f"{who}: {said_words}{note} ({said['entry']}){flags}"

    def _comment(self, said: Document) -> Block:
        return item(f"{self.words['comment']}, {self._said(said)}")

    def _expected(self) -> Iterator[Block]:
        yield heading(2, self.words["expected"])
        for topic in self.document["topics"]:
            if topic["before"]:
                yield item(f"{self.topic(topic['topic'])} ({', '.join(topic['before'][:4])})")
        yield heading(2, self.words["unexpected"])
        yield text(self.topics(self.document["not-on-record-before"]))
        yield text(self.words["unexpected-note"])

    def _follow(self) -> Iterator[Block]:
        words = self.words
        yield heading(2, words["follow"])
        for planned in self.document["next"]:
            stated = f" ({words['as-stated']}: “{planned['stated']['text']}”)" if planned["stated"] else ""
            note = f". {planned['note']}" if planned["note"] else ""
            yield item(f"{planned['on']}{stated}: {self._planned(planned)} · {planned['entry']}{note}")
        if not self.document["tasks"]:
            yield item(f"{words['tasks']}: {words['no-tasks']}")
        for task in self.document["tasks"]:
            to = ", ".join(person(who) for who in task["to"])
            state = ", ".join(f"{party} {words[said['state']]}" for party, said in task["progress"].items())
            due = task["due"] or words["no-date"]
            by = f"{words['by']} {person(task['by'])}, {words['to']} {to}"
            yield item(f"{task['text']} ({by}; {words['due']}: {due}) {state or words['open']} · {task['entry']}")

    def _planned(self, planned: Document) -> str:
        body = self.say(self.document["bodies"].get(planned["body"], {})) if planned["body"] else ""
        place = f", {planned['place']}" if planned["place"] and planned["place"] not in body else ""
        return f"{body or self.words[planned['kind']]}{place}"

    def _sources(self) -> Iterator[Block]:
        words = self.words
        yield heading(2, words["sources"])
        yield row(words["source"], words["published"], words["as-stated"], words["flags"], "SHA-256")
        for source in self.document["sources"]:
            cited = f" ({words['cited-by']} {source['cited-by']})" if source["cited-by"] else ""
            yield row(
                f"{source['title']}{cited}",
                source["published"],
                source["stated"]["text"] if source["stated"] else "—",
                "; ".join(words.get(flag, flag) for flag in source["flags"]) or "—",
                f"{source['file']['sha256'][:16]}…" if source["file"] else "—",
            )
        yield text(words["kept"])


def _after(note: str) -> str:
    return f": {note}" if note else ""


def person(who: Mapping[str, Any]) -> str:
    """A person as a page names one: the name, else the office."""
    return who.get("name") or str(who["office"])


def review_blocks(document: Document, language: str = "en") -> list[Block]:
    """The review as blocks, in one of the pack's languages.

    Args:
        document: the review document.
        language: what the page adds of its own is in it, and names and texts where they have it.
    """
    return list(_Page(document, language).blocks())
