# SPDX-License-Identifier: Apache-2.0
"""What was said under an agreement, put side by side from the registers of dialogue, agreements and commitments.

The registers judge, order and find; this only hands a review what it quotes, each with its place and its flags.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from servanda.agreement.dates import stated_flags
from servanda.journal.frame import Frame, Place
from servanda.journal.named import Item, first_day
from servanda.journal.threads import Cut
from servanda.operations.centre import Centre
from servanda.registers.agreements.fold import Document, digest_of
from servanda.registers.dialogue.contacts import latest_accounts
from servanda.registers.dialogue.rows import all_topics, pack_in_force, topic_names, topic_within
from servanda.registers.dialogue.topics import issue_rows


class Said(NamedTuple):
    """One entry of the dialogue: where it stands, what its format does, what it says now."""

    place: Place
    effect: str
    frame: Frame
    content: Mapping[str, Any]

    @property
    def clock(self) -> str:
        """When it was said by the clock that it goes by: the exercise's, or that of its release."""
        return self.frame.exercise_at or self.frame.released_at

    @property
    def digest(self) -> str:
        """The digest of a text: what `amends` and translations name."""
        return digest_of(dict(self.content))

    @property
    def stated(self) -> dict[str, Any] | None:
        """The date in the source's own words."""
        said = self.frame.as_stated
        return {"text": said.text, "weekday": said.weekday} if said else None

    @property
    def flags(self) -> tuple[str, ...]:
        """What is odd about its dates: of the entry, and of what it speaks of."""
        understood = self.content.get("on", self.content.get("published"))
        own = stated_flags(understood, self.content.get("stated")) if understood else ()
        return tuple(sorted({*self.frame.flags, *own}))


def _said(items: Iterable[Item]) -> list[Said]:
    return [Said(item.place, item.effect, item.frame, item.content) for item in items]


class Reading:
    """What a centre's registers hold, by what a review asks for."""

    def __init__(self, centre: Centre) -> None:
        """Read what the centre's registers have folded so far."""
        self.dialogue, self.agreements = centre.dialogue, centre.agreements
        self.commitments = centre.commitments
        self.record = centre.record
        self.pack: Mapping[str, Any] = pack_in_force(self.dialogue).data
        self.parties = [party["id"] for party in self.pack["parties"]]

    def row(self, kind: str, name: str) -> list[Said]:
        """What the register of dialogue finds under a key, by date (`registers.dialogue.keys`)."""
        return _said(self.dialogue.index.row(kind, name))

    def of(self, effect: str) -> list[Said]:
        """What was said of the dialogue with one effect, by date."""
        return self.row("effect", effect)

    def by_party(self, said: Iterable[Said]) -> list[Said]:
        """The same, the pack's first party first."""
        return sorted(said, key=lambda one: self.parties.index(one.place.party))

    def accounts(self, contact: str) -> dict[str, Said]:
        """The latest account of a contact by each party, in the pack's order of parties."""
        latest = latest_accounts(self.dialogue, contact)
        return {party: _said([latest[party]])[0] for party in self.parties if party in latest}

    def contacts_after(self, day: str) -> list[Said]:
        """The contacts that begin after the first day of a date expression, by date."""
        row = self.dialogue.index.row("effect", "dialogue.contact")
        return _said(row[bisect_right(row, first_day(day), key=lambda item: item.order[0]) :])

    def past(self, place: Place) -> Cut:
        """What the author of an entry had when it was made."""
        entry = self.record.entry(place)
        assert entry is not None
        return entry.past

    @cached_property
    def topics(self) -> dict[str, str | None]:
        """Every topic to the one that it lies within: the pack's in its order, then those that entries opened."""
        return {topic: topic_within(self.dialogue, topic) for topic in all_topics(self.dialogue)}

    def topic_names(self, topic: str) -> dict[str, str]:
        """The names of a topic, by language."""
        return {row["language"]: row["text"] for row in topic_names(self.dialogue, topic)}

    def open_issues(self, topic: str) -> list[dict[str, str]]:
        """Issues of a topic of which the latest word of any party is that they are not agreed."""
        return [
            {"issue": row["issue"], "text": row["text"], "by": ", ".join(by), "entry": row["by"][by[0]][-1]["entry"]}
            for row in issue_rows(self.dialogue, topic)
            if row["open"] and (by := [party for party in self.parties if party in row["by"]])
        ]

    def texts_at(self, contact: str) -> list[Said]:
        """The texts offered at a contact, in the order in which they were offered."""
        documents = [self.agreements.documents[name] for name in self.agreements.by_contact.get(contact, ())]
        found = [item for one in documents for item in one.texts.values() if item.content.get("contact") == contact]
        return sorted(_said(found), key=lambda said: (said.clock, said.place))

    def document(self, name: str) -> Document:
        """Everything about one document."""
        return self.agreements.documents[name]

    def notices(self, document: str, effect: str) -> list[Said]:
        """What was notified about a document with one effect, by place."""
        notices = self.document(document).notices
        return _said(notices[place] for place in sorted(notices) if notices[place].effect == effect)

    def documents_on(self, topic: str) -> list[Said]:
        """Texts of the documents on a topic, and what was notified about them."""
        documents = [self.document(name) for name in sorted(self.agreements.by_topic.get(topic, ()))]
        return _said(item for one in documents for kept in (one.texts, one.notices) for item in kept.values())

    @cached_property
    def _promised(self) -> dict[str, list[Said]]:
        found: dict[str, list[Said]] = {}
        names = self.commitments.names
        for said in _said(self.commitments.items[names.first(name)] for name in names.openings):
            found.setdefault(said.content.get("document", ""), []).append(said)
        return found

    def promised_in(self, document: str) -> list[Said]:
        """The commitments that name a document, in the order in which they were entered."""
        return sorted(self._promised.get(document, ()), key=lambda said: (said.clock, said.place))

    def marks(self, commitment: str) -> dict[str, int]:
        """The latest mark of each party for a commitment."""
        register = self.commitments
        return {
            party: register.marks(commitment, party)[-1].content["mark"]
            for party in sorted(register.markers.get(commitment, ()))
        }

    def clauses(self, text: Said) -> list[dict[str, Any]]:
        """The clauses of a text: each with its wording by language, translations included."""
        wordings: dict[str, dict[str, str]] = {}
        for version in text.content["texts"]:
            wordings[version["language"]] = {clause["id"]: clause["text"] for clause in version["clauses"]}
        for said in self.notices(text.content["document"], "agreement.translation"):
            if said.content["digest"] == text.digest:
                clauses = {clause["id"]: clause["text"] for clause in said.content["clauses"]}
                wordings.setdefault(said.content["language"], clauses)
        first = text.content["texts"][0]["clauses"]
        return [
            {"id": clause["id"], "text": {tag: said[clause["id"]] for tag, said in wordings.items()}}
            for clause in first
        ]

    def offer_state(self, place: Place) -> str:
        """`in effect`, `crossed`, `refused`, `accepted` (not settled, or a condition open), or `offered`."""
        threads, whole = self.record.threads, self.record.whole
        offer = threads.offers[place]
        if self.record.effective(offer, whole):
            return "in effect"
        if threads.crossed(offer, whole):
            return "crossed"
        if threads.refused(offer, whole):
            return "refused"
        return "accepted" if threads.accepted(offer, whole) else "offered"
