# SPDX-License-Identifier: Apache-2.0
"""The file for the next meeting as a page of blocks. The document is `briefing.brief_document`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from servanda.operations.pages import Block, heading, item, quote, row, text
from servanda.operations.reviewtext import person
from servanda.operations.words import words_for

Document = Mapping[str, Any]


class _Page:
    """One file in one language."""

    def __init__(self, document: Document, language: str) -> None:
        self.document, self.language, self.words = document, language, words_for(language)

    def say(self, texts: Mapping[str, str]) -> str:
        """The text in the page's language, else in English, else in any."""
        return texts.get(self.language) or texts.get("en") or next(iter(texts.values()), "")

    def party(self, party: str) -> str:
        return self.say(self.document["parties"].get(party, {})) or party

    def blocks(self) -> Iterator[Block]:
        words = self.words
        yield heading(1, f"{words['brief']}: {self.say(self.document['body']['names'])}, {self.document['at']}")
        if self.document["status"] != "actual":
            yield text(words[self.document["status"]])
        yield from self._body()
        yield heading(2, words["stands"])
        for topic in self.document["topics"]:
            yield from self._topic(topic)
        yield from self._documents()
        yield from self._promised()
        yield from self._obligations()
        yield from self._sources()
        yield text(words["limits"])

    def _body(self) -> Iterator[Block]:
        words, body = self.words, self.document["body"]
        following = body["next"]
        if following:
            late = f" · {words['overdue']}" if body["overdue"] else ""
            yield item(f"{words['next']}: {following['on']} ({following['basis']}){late}")
        else:
            yield item(f"{words['next']}: {words['no-date']}")
        if body["last"]:
            yield item(f"{words['last']}: {body['last']['on']} ({body['last']['contact']})")
        if body["cadence"]:
            yield item(f"{words['cadence']}: {self.say(body['cadence'])}")
        offices = "; ".join(f"{self.party(one['party'])}: {self.say(one['office'])}" for one in body["offices"])
        yield from [item(offices)] if offices else []
        for meeting in self.document["meetings"]:
            yield item(f"{meeting['on']} {words[meeting['kind']]}, {words.get(meeting['state'], meeting['state'])}")

    def _topic(self, topic: Document) -> Iterator[Block]:
        words = self.words
        yield heading(3 if topic["within"] is None else 4, self.say(self.document["names"][topic["topic"]]))
        last = topic["last-outcome"]
        if last:
            yield item(f"{words['last']}: {last['on']}, {last['contact']} · {self._outcome(last)}")
        for kind, parties in topic["positions"].items():
            for party, one in parties.items():
                own = " ".join([*([f"“{one['words']}”"] if "words" in one else []), one.get("note", "")]).rstrip()
                yield quote(f"{words[kind]}, {self.party(party)}, {one['said-on']}: {own} ({one['entry']})")
        quoted = {one.get("words") for parties in topic["positions"].values() for one in parties.values()}
        for one in topic["attributed"]:
            if one.get("words") not in quoted:
                yield quote(self._said(one))
        if topic["attributed-in-all"] > len(topic["attributed"]):
            yield item(f"{words['in-all']}: {topic['attributed-in-all']}")
        for issue in topic["not-agreed"]:
            yield item(f"{words['open']}: {issue['text']} ({', '.join(issue['by'])})")
        for measure in topic["consequences"]:
            stances = ", ".join(f"{one['who']} {words[one['stance']]}" for one in measure["stances"])
            yield item(f"{words['proposed']}: {measure['text']} ({measure['forum']}; {stances}; {measure['entry']})")
        if not (last or topic["positions"] or topic["attributed"] or topic["not-agreed"]):
            yield item(words["nothing"])

    def _outcome(self, last: Document) -> str:
        said = {(one["outcome"], one["text"]) for one in last["by"].values()}
        if last["same"] and len(said) == 1:
            outcome, note = said.pop()
            return f"{self.words[outcome]} ({self.words['all-report']})" + (f": {note}" if note else "")
        return "; ".join(
            f"{self.party(party)}: {self.words[one['outcome']]}" + (f" ({one['text']})" if one["text"] else "")
            for party, one in last["by"].items()
        )

    def _said(self, said: Document) -> str:
        own = f"“{said['words']}”" if said["quoted"] else f"[{self.words['account']}] {said.get('words', '')}"
        who = f"{person(said['speaker'])}, {self.words[said['manner']]}, {said['medium']}"
        return f"{who}, {said['said-on']}: {own} ({said['entry']})"

    def _documents(self) -> Iterator[Block]:
        words = self.words
        yield heading(2, words["texts-now"])
        for one in self.document["documents"]:
            title = self.say({row_["language"]: row_["text"] for row_ in one["title"]})
            until = f", {words['until']} {one['until']}" if one["until"] else f", {words['no-until']}"
            left = f" · {words['days-left']}: {one['days-left']}" if one["warning"] else ""
            yield item(f"{title}: {words[one['state']]}{until}{left}")
        yield from [] if self.document["documents"] else [item(words["nothing"])]

    def _promised(self) -> Iterator[Block]:
        words = self.words
        yield heading(2, words["promised"])
        for one in self.document["commitments"]:
            due = f"{words['due']} {one['due']}" if one["due"] else words["no-date"]
            late = f", {words['overdue']}" if one["overdue"] else ""
            marks = {**one["marks"]["owners"], **one["marks"]["others"]}
            shown = ", ".join(f"{party} {mark['latest']['mark']}" for party, mark in marks.items()) or words["no-marks"]
            yield item(f"{one['text']} ({', '.join(one['owners'])}; {due}{late}; {shown}; {one['entry']})")
        for task in self.document["tasks"]:
            to = ", ".join(person(who) for who in task["to"])
            due = f"{words['due']} {task['due']}" if task["due"] else words["no-date"]
            by = f"{words['by']} {person(task['by'])}, {words['to']} {to}"
            yield item(f"{task['text']} ({by}; {due}) {words.get(task['state'], task['state'])} · {task['entry']}")
        yield from [] if self.document["commitments"] or self.document["tasks"] else [item(words["nothing"])]

    def _obligations(self) -> Iterator[Block]:
        words = self.words
        if not self.document["obligations"]:
            return
        yield heading(2, words["due-now"])
        yield row(words["obligation"], words["by"], words["due"], words["state"])
        for one in self.document["obligations"]:
            state = words.get(one["status"], one["status"])
            yield row(self.say(one["names"]), ", ".join(one["obligors"]), one["due"] or "—", state)

    def _sources(self) -> Iterator[Block]:
        words = self.words
        if not self.document["sources"]:
            return
        yield heading(2, words["sources"])
        yield row(words["source"], words["published"], words["as-stated"], words["flags"])
        for source in self.document["sources"]:
            flags = "; ".join(words.get(flag, flag) for flag in source["flags"]) or "—"
            stated = source["stated"]["text"] if "stated" in source else "—"
            yield row(source["title"], source["published"], stated, flags)


def brief_blocks(document: Document, language: str = "en") -> list[Block]:
    """The file as blocks, in one of the pack's languages."""
    return list(_Page(document, language).blocks())
