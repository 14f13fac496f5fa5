# SPDX-License-Identifier: Apache-2.0
"""Parties who say what they like and read late: every reader of the same entries sees the same pages of the dialogue.

Nothing is checked before release here: what breaks a rule is in the record, and no reader lets it have effect. Readers
look at pages on the way, so that whatever a page keeps for the next reader is tried as well.
"""

from __future__ import annotations

import json
from datetime import date
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from servanda.agreement.dates import instant_seconds
from servanda.journal.record import Record
from servanda.journal.state import Entry
from servanda.operations.citing import cite_if_it_helps
from servanda.registers.agreements.fold import AgreementsRegister, digest_of
from servanda.registers.agreements.views import agreements_document, history
from servanda.registers.commitments.fold import CommitmentsRegister
from servanda.registers.commitments.views import commitment_row, commitments_document
from servanda.registers.dialogue.accounts import account_document, sources_document
from servanda.registers.dialogue.contacts import bodies_document, meetings_document
from servanda.registers.dialogue.fold import DialogueRegister
from servanda.registers.dialogue.tasks import requests_document, tasks_document
from servanda.registers.dialogue.topics import topic_document, topics_document
from tests.rig.parley import contact, statement, talks, task, text_of
from tests.rig.pen import refer, write
from tests.rig.replica import leaves_of, prepared, remembered

PARTIES = ("ash", "birch", "cedar")
DAY = date(2014, 2, 1)
NOW = instant_seconds("2014-02-01T12:00:00Z")
Step = tuple[str, int, int, int]
TOPICS = ("fish", "nets", "crabs", "ice")
DAYS = ("2013-06-17", "2013-09-05/2013-09-06", "2013-02-30", "2014-01-10", "2014-03-01", "2012")


class Reader:
    """A record and the three registers, fed with leaves one after the other."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.dialogue = DialogueRegister(record)
        self.agreements = AgreementsRegister(record)
        self.commitments = CommitmentsRegister(record)

    def feed(self, party: str, leaves: list[bytes]) -> None:
        self.record.add_leaves(party, [prepared(leaf) for leaf in leaves])
        self.record.judge()
        for register in (self.dialogue, self.agreements, self.commitments):
            register.catch_up()

    def pages(self) -> dict[str, str]:
        documents: dict[str, Any] = {
            "topics": topics_document(self.dialogue),
            "topic": [topic_document(self.dialogue, topic) for topic in TOPICS],
            "account": [account_document(self.dialogue, phrase) for phrase in ("fish", "words")],
            "sources": sources_document(self.dialogue, {}),
            "meetings": meetings_document(self.dialogue, DAY),
            "bodies": bodies_document(self.dialogue, DAY),
            "tasks": tasks_document(self.dialogue, DAY),
            "open": tasks_document(self.dialogue, DAY, open_only=True),
            "requests": requests_document(self.dialogue, DAY),
            "agreements": agreements_document(self.agreements, NOW),
            "history": [history(self.agreements, d) for _, d in sorted(self.agreements.documents.items())],
            "commitments": commitments_document(self.commitments, DAY),
            "marks": [
                commitment_row(self.commitments, name, DAY, history=True)
                for name in sorted(self.commitments.names.openings)
            ],
        }
        return {name: json.dumps(page, sort_keys=True) for name, page in documents.items()}


class Talkers:
    """Parties without manners. Numbers of a step pick among what there is at that moment."""

    def __init__(self, random: Random) -> None:
        self.world = talks(*PARTIES)
        self.random = random
        self.said: dict[str, list[Entry]] = {}

    def run(self, steps: list[Step]) -> None:
        for name, who, a, b in steps:
            getattr(self, name)(PARTIES[who % 3], a, b)

    def _write(self, party: str, form: str, content: dict[str, Any], **members: Any) -> None:
        if self.random.random() < 0.1:
            members["heads"] = []
        members.setdefault("event_at", DAYS[self.random.randrange(len(DAYS))])
        entry = write(self.world.centres[party], form, content, **members)
        if entry is not None:
            self.said.setdefault(form, []).append(entry)

    def _some(self, form: str, number: int) -> Entry | None:
        said = self.said.get(form, [])
        return said[number % len(said)] if said else None

    def sync(self, party: str, a: int, b: int) -> None:
        self.world.deliver(PARTIES[a % 3], party) if PARTIES[a % 3] != party else None

    def topic(self, party: str, a: int, b: int) -> None:
        names = [{"language": "en", "text": TOPICS[a % 4]}]
        self._write(party, "topic", {"topic": TOPICS[a % 4], "names": names, "within": TOPICS[b % 4]})

    def position(self, party: str, a: int, b: int) -> None:
        self._write(party, "position", {"topic": TOPICS[a % 4], "kind": "position", "words": f"words {b}"})

    def issue(self, party: str, a: int, b: int) -> None:
        state = "closed" if b % 3 == 0 else "not-agreed"
        self._write(party, "issue", {"topic": TOPICS[a % 4], "issue": "x", "state": state, "text": f"words {b}"})

    def contact(self, party: str, a: int, b: int) -> None:
        outcomes = [{"topic": TOPICS[a % 4], "outcome": ("agreed", "noted")[b % 2]}]
        state = ("planned", "held", "cancelled")[b % 3]
        told = contact(f"c{a % 3}", outcomes=outcomes, state=state, body=("commission", "senate")[b % 7 == 0])
        self._write(party, "contact", told)

    def task(self, party: str, a: int, b: int) -> None:
        more = {"after-tasks": [f"t{b % 3}"]} if b % 2 else {"serves": ["FIXED"], "after-obligations": ["SHARE"]}
        self._write(party, "task", task(f"t{a % 3}", due="2014-01-20", **more))

    def progress(self, party: str, a: int, b: int) -> None:
        self._write(party, "progress", {"task": f"t{a % 3}", "state": ("done", "dropped", "open")[b % 3], "text": ""})

    def source(self, party: str, a: int, b: int) -> None:
        text = {"text": "words 1 and words 2"} if b % 2 else {}
        told = {"source": f"s{a % 2}", "title": "x", "medium": "x", "published": DAYS[b % 6], **text}
        self._write(party, "source", told)

    def statement(self, party: str, a: int, b: int) -> None:
        linked = self._some("statement", b)
        links = [{"relation": "repeats", "to": str(linked.place)}] if linked and b % 2 else []
        told = statement(f"words {b % 4}", topics=[TOPICS[a % 4]], on=DAYS[b % 6], links=links)
        self._write(party, "statement", told | ({"source": f"s{a % 2}"} if b % 3 == 0 else {}))

    def link(self, party: str, a: int, b: int) -> None:
        one, other = self._some("statement", a), self._some("contact", b)
        if one and other:
            told = {"from": str(one.place), "to": str(other.place), "relation": "bears-on", "text": ""}
            self._write(party, "link", told)

    def text(self, party: str, a: int, b: int) -> None:
        content = text_of(f"d{a % 2}", c1=f"words {b % 3}")
        earlier = self._some("text", b)
        if earlier is not None and earlier.frame is not None and b % 2:
            content["amends"] = [digest_of(earlier.frame.content)]
        members: dict[str, Any] = {"named": [name for name in PARTIES if name != party]}
        if earlier is not None and earlier.frame is not None and b % 3 == 0:
            thread = refer(earlier) if earlier.frame.thread is None else None
            members["thread"] = thread
        self._write(party, "text", content, **members)

    def answer(self, party: str, a: int, b: int) -> None:
        offer = self._some(("text", "extend", "terminate", "accede")[b % 4], a) or self._some("text", a)
        if offer is not None:
            bound = {"confirmer": PARTIES[b % 3], "text": "if"} if b % 5 == 0 else None
            content = {"extent": "full", "received": [], "condition": bound}
            self._write(party, "accept", content, refers_to=[refer(offer)])

    def conclude(self, party: str, a: int, b: int) -> None:
        """All hear of a text, and all but perhaps one accept it, one of them perhaps on a condition."""
        self.text(party, a, b)
        self.world.sync(cite=False)
        offer = self.said["text"][-1]
        for name in PARTIES:
            if name != offer.place.party and not (b % 6 == 0 and name == PARTIES[a % 3]):
                bound = {"confirmer": PARTIES[b % 3], "text": "if"} if b % 4 == 1 else None
                content = {"extent": "full", "received": [], "condition": bound}
                self._write(name, "accept", content, refers_to=[refer(offer)])

    def condition(self, party: str, a: int, b: int) -> None:
        accepted = self._some("accept", a)
        if accepted is not None:
            outcome = {"outcome": ("confirmed", "failed")[b % 4 == 0]}
            self._write(party, "condition", outcome, refers_to=[refer(accepted)])

    def extend(self, party: str, a: int, b: int) -> None:
        named = [name for name in PARTIES if name != party]
        self._write(party, "extend", {"document": f"d{a % 2}", "until": "2014-06-01"}, named=named)

    def suspend(self, party: str, a: int, b: int) -> None:
        told = {"document": f"d{a % 2}", "clauses": ["c1"][: b % 2], "since": "2014-01-01", "reason": "x"}
        self._write(party, "suspend", {**told, "state": ("suspended", "resumed")[b % 3 == 0]})

    def commitment(self, party: str, a: int, b: int) -> None:
        told = {"commitment": f"p{a % 2}", "text": "x", "owners": [PARTIES[b % 3]], "scale": "implementation"}
        self._write(party, "commitment", told)

    def mark(self, party: str, a: int, b: int) -> None:
        earlier = self._some("mark", b)
        again = {"recalibrates": str(earlier.place)} if earlier and b % 2 else {}
        told = {"commitment": f"p{a % 2}", "mark": b % 5, "as-of": ("2014-01-01", "2013-12-31")[b % 2], "text": "x"}
        self._write(party, "mark", {**told, "evidence": [], **again})

    def correct(self, party: str, a: int, b: int) -> None:
        form = ("position", "statement", "contact", "task", "mark", "suspend")[b % 6]
        entry = self._some(form, a)
        if entry is not None and entry.frame is not None:
            content = {**entry.frame.content}
            for name in ("words", "text", "reason"):
                if name in content:
                    content[name] = "other words"
            told = {"content": content, "reason": "x"}
            self._write(entry.place.party, "correct", told, refers_to=[refer(entry)])


STEPS = (
    *("topic", "position", "issue", "contact", "task", "progress", "source", "statement", "link", "text", "text"),
    *(
        "conclude",
        "conclude",
        "answer",
        "answer",
        "condition",
        "extend",
        "suspend",
        "commitment",
        "mark",
        "correct",
        "sync",
        "sync",
    ),
)


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(STEPS), st.integers(0, 2), st.integers(0, 11), st.integers(0, 11)), max_size=40
    ),
    random=st.randoms(use_true_random=False),
)
@settings(max_examples=25)
def test_every_reader_of_the_same_entries_sees_the_same_pages(steps: list[Step], random: Random) -> None:
    talkers = Talkers(random)
    talkers.run(steps)
    world = talkers.world
    world.sync(cite=False)
    for centre in world.centres.values():
        cite_if_it_helps(centre)
    world.sync(cite=False)
    leaves = leaves_of(world.centres["ash"])
    whole = Reader(Record(world.pack, remembered))
    for party in sorted(leaves):
        whole.feed(party, leaves[party])
    order = [party for party, row in leaves.items() for _ in row]
    random.shuffle(order)
    piecewise, given_so_far = Reader(Record(world.pack, remembered)), dict.fromkeys(leaves, 0)
    for count, party in enumerate(order):
        piecewise.feed(party, leaves[party][given_so_far[party] : given_so_far[party] + 1])
        given_so_far[party] += 1
        if count % 5 == 0:
            piecewise.pages()
    expected, found = whole.pages(), piecewise.pages()
    assert {name for name in expected if expected[name] != found[name]} == set()
