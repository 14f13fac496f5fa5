# SPDX-License-Identifier: Apache-2.0
"""The agreements fold: documents, the texts offered for them, and their life (spec/dialogue.md, Agreements).

What an offer comes to is decided by `journal`; here it is only asked, of the past for rules, of the whole for views.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from servanda.journal.frame import Place
from servanda.journal.named import Item, item_of
from servanda.journal.record import Record
from servanda.journal.refusal import Refused, refusal_of
from servanda.journal.state import Entry
from servanda.journal.threads import Cut, within
from servanda.proof.canonical import encode
from servanda.registers.agreements.rules import RULES


def digest_of(content: dict[str, Any]) -> str:
    """The digest of a text: SHA-256 of the canonical JSON of its content."""
    return hashlib.sha256(encode(content)).hexdigest()


@dataclass(slots=True)
class Document:
    """One document: every text offered for it, and everything else that was said of its life, as the fold met them."""

    name: str
    texts: dict[Place, Item] = field(default_factory=dict)
    digests: dict[str, list[Place]] = field(default_factory=dict)
    changes: dict[Place, Item] = field(default_factory=dict)
    """Extensions, accessions, terminations: offers, too."""
    notices: dict[Place, Item] = field(default_factory=dict)
    """Suspensions, withdrawals, declarations, translations."""


class AgreementsRegister:
    """Texts and their life. Call `catch_up` after the record has judged more entries."""

    def __init__(self, record: Record) -> None:
        """Start empty; nothing of the record is folded yet."""
        self.record = record
        self.position = 0
        self.documents: dict[str, Document] = {}
        self.document_of: dict[Place, str] = {}
        """Place of every entry that the register has, to the document that it is about."""
        self.digests: dict[Place, str] = {}
        """Digest of every text, by its place."""
        self.versions: dict[str, int] = {}
        """How often anything has been said that changes what a document's page shows, but for receipts and days."""
        self.rows: dict[str, tuple[tuple[int, str], dict[str, Any]]] = {}
        """What the views keep of a document's page: by its name, the version and day, and the row."""
        self.by_topic: dict[str, set[str]] = {}
        self.by_contact: dict[str, set[str]] = {}
        self.discrepancies: list[tuple[Place, str]] = []

    def catch_up(self) -> None:
        """Fold every entry of the record's log that has not been folded yet."""
        while self.position < len(self.record.log):
            entry = self.record.log[self.position]
            self.position += 1
            if not entry.admissible or entry.frame is None:
                continue
            self._heard(entry)
            try:
                item = self._judged(entry)
            except Refused as refused:
                self.discrepancies.append((entry.place, f"agreement/{refused.reason}"))
                continue
            if item is not None:
                self._post(item)

    def _heard(self, entry: Entry) -> None:
        """An answer to an offer, or a decision on a condition, changes what the page of its document shows."""
        assert entry.frame is not None
        for reference in entry.frame.refers_to[:1]:
            name = self.document_of.get(reference.place)
            if name is None:
                answered = self.record.threads.acceptances.get(reference.place)
                name = self.document_of.get(answered.place) if answered else None
            if name is not None:
                self.versions[name] += 1

    def check(self, entry: Entry) -> Refused | None:
        """Why an admissible entry would have no effect here, or None. Nothing is changed."""
        return refusal_of(self._judged, entry)

    def _judged(self, entry: Entry) -> Item | None:
        """What the entry adds; None if it is not of this register.

        Raises:
            Refused: a rule is broken.
        """
        frame = entry.frame
        assert frame is not None
        if frame.format == "correct":
            place = frame.refers_to[0].place
            known = self.documents[self.document_of[place]].notices.get(place) if place in self.document_of else None
            if known is None:
                return None
            effect, content = known.effect, frame.content["content"]
            if content.get("document") != known.content["document"]:
                raise Refused("other-document", f"a correction of {place} is about {known.content['document']}")
            item = item_of(known.entry, effect, content)
            item.corrected = entry.place
        else:
            found = self.record.effect_of(entry)
            if found is None or not found.startswith("agreement."):
                return None
            effect = found
            item = item_of(entry, effect, frame.content)
        document = self.documents.get(item.content["document"], Document(item.content["document"]))
        RULES[effect](self, document, entry, item)
        return item

    def _post(self, item: Item) -> None:
        name = item.content["document"]
        document = self.documents.setdefault(name, Document(name))
        self.document_of[item.place] = name
        self.versions[name] = self.versions.get(name, 0) + 1
        if item.effect == "agreement.text":
            document.texts[item.place] = item
            self.digests[item.place] = digest = digest_of(item.content)
            document.digests.setdefault(digest, []).append(item.place)
            for topic in item.content["topics"]:
                self.by_topic.setdefault(topic, set()).add(name)
            if "contact" in item.content:
                self.by_contact.setdefault(item.content["contact"], set()).add(name)
        elif item.effect in ("agreement.extend", "agreement.accede", "agreement.terminate"):
            document.changes[item.place] = item
        else:
            document.notices[item.place] = item

    def effective(self, place: Place, cut: Cut) -> bool:
        """Whether the offer at `place` has effect within `cut`."""
        return within(cut, place) and self.record.effective(self.record.threads.offers[place], cut)

    def concluded(self, document: Document, cut: Cut) -> list[Item]:
        """The texts of a document that have effect within `cut`, in order of place."""
        return [document.texts[place] for place in sorted(document.texts) if self.effective(place, cut)]

    def standing(self, document: Document, cut: Cut) -> list[Item]:
        """Of these, those that no other of them amends."""
        texts = self.concluded(document, cut)
        amended = {digest for item in texts for digest in item.content["amends"]}
        return [item for item in texts if self.digests[item.place] not in amended]

    def parties(self, document: Document, cut: Cut) -> frozenset[str]:
        """Who is bound by it within `cut`: the signatories of its texts with effect, and who acceded."""
        found: set[str] = set()
        for item in self.concluded(document, cut):
            found |= self.record.threads.offers[item.place].signatories
        found |= {item.party for item in self.changed(document, "agreement.accede", cut)}
        return frozenset(found)

    def changed(self, document: Document, effect: str, cut: Cut) -> Iterator[Item]:
        """The extensions, accessions or terminations that have effect within `cut`, in order of place."""
        for place in sorted(document.changes):
            if document.changes[place].effect == effect and self.effective(place, cut):
                yield document.changes[place]

    def text_with(self, document: Document, digest: str, cut: Cut) -> Item | None:
        """The text of that digest which is offered within `cut`, or None."""
        places = [place for place in document.digests.get(digest, ()) if within(cut, place)]
        return document.texts[min(places)] if places else None
