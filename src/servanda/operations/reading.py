# SPDX-License-Identifier: Apache-2.0
"""What was said under an agreement, read across the registers: each entry of the dialogue, as last corrected.

The registers judge; this only puts side by side, by place, what a review or a brief quotes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from servanda.agreement.dates import stated_flags
from servanda.journal.frame import Frame, Place
from servanda.journal.record import Record
from servanda.journal.threads import Cut
from servanda.proof.canonical import encode

ROOMS = ("dialogue.", "agreement.", "commitments.")


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
        """The SHA-256 of the canonical content: what `amends` and translations name."""
        return hashlib.sha256(encode(dict(self.content))).hexdigest()

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


class Reading:
    """Everything that was said, in the order of the clock that each entry goes by, then of party and number."""

    def __init__(self, record: Record, refused: Collection[Place] = ()) -> None:
        """Read a record.

        Args:
            record: the record.
            refused: entries that a register refused: they have no effect, and are not read.
        """
        self.record = record
        pack = record.packs[record.in_force(record.whole) or record.agreement]
        self.pack: Mapping[str, Any] = pack.data
        self.parties = [party["id"] for party in self.pack["parties"]]
        corrected: dict[Place, tuple[int, Mapping[str, Any]]] = {}
        found: list[tuple[str, Place, str, Frame]] = []
        for entry in record.log:
            if not entry.admissible or entry.frame is None or entry.place in refused:
                continue
            if entry.frame.format == "correct":
                target = entry.frame.refers_to[0].place
                if entry.place.number > corrected.get(target, (0, {}))[0]:
                    corrected[target] = (entry.place.number, entry.frame.content["content"])
            effect = record.effect_of(entry) or ""
            if effect.startswith(ROOMS):
                found.append((entry.frame.exercise_at or entry.frame.released_at, entry.place, effect, entry.frame))
        self.all = [
            Said(place, effect, frame, corrected.get(place, (0, frame.content))[1])
            for _, place, effect, frame in sorted(found, key=lambda row: row[:2])
        ]

    def of(self, effect: str) -> list[Said]:
        """What was said with one effect."""
        return [said for said in self.all if said.effect == effect]

    def by_party(self, said: Iterable[Said]) -> list[Said]:
        """The same, the pack's first party first."""
        return sorted(said, key=lambda one: self.parties.index(one.place.party))

    def past(self, place: Place) -> Cut:
        """What the author of an entry had when it was made."""
        entry = self.record.entry(place)
        assert entry is not None
        return entry.past

    @cached_property
    def topics(self) -> dict[str, str | None]:
        """Every topic to the one that it lies within: the pack's in its order, then those that entries opened."""
        found = {topic["id"]: topic["within"] for topic in self.pack.get("topics", ())}
        for said in self.of("dialogue.topic"):
            found.setdefault(said.content["topic"], said.content.get("within"))
        return found

    def topic_names(self, topic: str) -> dict[str, str]:
        """The names of a topic, by language."""
        for known in self.pack.get("topics", ()):
            if known["id"] == topic:
                return dict(known["names"])
        for said in self.of("dialogue.topic"):
            if said.content["topic"] == topic:
                return {row["language"]: row["text"] for row in said.content["names"]}
        return {}

    def open_issues(self, topic: str) -> list[dict[str, str]]:
        """Issues of a topic of which the latest word of any party is that they are not agreed."""
        latest: dict[tuple[str, str], Said] = {}
        for said in self.of("dialogue.issue"):
            if said.content["topic"] == topic:
                latest[said.content["issue"], said.place.party] = said
        found: dict[str, dict[str, str]] = {}
        for (issue, party), said in latest.items():
            if said.content["state"] == "not-agreed":
                row = found.setdefault(issue, {"issue": issue, "text": said.content["text"], "entry": str(said.place)})
                row["by"] = f"{row['by']}, {party}" if "by" in row else party
        return list(found.values())

    def document_topics(self, document: str) -> list[str]:
        """The topics of the texts of a document."""
        return sorted(
            {
                topic
                for said in self.of("agreement.text")
                if said.content["document"] == document
                for topic in said.content["topics"]
            }
        )

    def clauses(self, text: Said) -> list[dict[str, Any]]:
        """The clauses of a text: each with its wording by language, translations included."""
        wordings: dict[str, dict[str, str]] = {}
        for version in text.content["texts"]:
            wordings[version["language"]] = {clause["id"]: clause["text"] for clause in version["clauses"]}
        for said in self.of("agreement.translation"):
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


__all__ = ["Reading", "Said"]
