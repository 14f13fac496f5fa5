# SPDX-License-Identifier: Apache-2.0
"""The definitions of spec/settlement.md read out word by word over all entries: slow, and written a second time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from servanda.journal.frame import Frame, Place
from servanda.journal.state import Entry

Cut = Mapping[str, int]


class Said(NamedTuple):
    """An admissible entry: where, after what, with what frame."""

    place: Place
    past: Cut
    frame: Frame


def sees(cut: Cut, place: Place) -> bool:
    return cut.get(place.party, 0) >= place.number


def join(one: Cut, other: Cut) -> dict[str, int]:
    """The union of two sets closed under past is closed under past."""
    return {party: max(one.get(party, 0), other.get(party, 0)) for party in {*one, *other}}


class Reading:
    """Everything admissible that a record holds, and the questions of the page."""

    def __init__(self, parties: Iterable[str], quorum: Any, entries: Iterable[Entry] = ()) -> None:
        self.parties, self.quorum = frozenset(parties), quorum
        self.said: dict[Place, Said] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        if entry.admissible and entry.frame is not None:
            past = {party: size for party, size in entry.heads.items() if party != entry.place.party}
            self.said[entry.place] = Said(entry.place, past | {entry.place.party: entry.place.number - 1}, entry.frame)

    def within(self, cut: Cut, form: str | None = None) -> list[Said]:
        return [e for e in self.said.values() if sees(cut, e.place) and form in (None, e.frame.format)]

    def offers(self, cut: Cut) -> list[Said]:
        return [e for e in self.within(cut) if e.frame.act == "offer"]

    def answers(self, offer: Place, form: str, cut: Cut) -> list[Said]:
        return [e for e in self.within(cut, form) if e.frame.refers_to[0].place == offer]

    def thread_of(self, offer: Said) -> Place:
        return offer.frame.thread.place if offer.frame.thread else offer.place

    def members(self, offer: Said) -> set[str]:
        return {offer.place.party, *(offer.frame.named or ())}

    def crossed(self, offer: Said, cut: Cut) -> bool:
        return any(
            other.place != offer.place
            and self.thread_of(other) == self.thread_of(offer)
            and not sees(offer.past, other.place)
            and not sees(other.past, offer.place)
            for other in self.offers(cut)
        )

    def superseded(self, offer: Said, cut: Cut) -> bool:
        return any(
            self.thread_of(other) == self.thread_of(offer) and sees(other.past, offer.place)
            for other in self.offers(cut)
        )

    def accepted(self, offer: Said, cut: Cut) -> bool:
        by = {e.place.party for e in self.answers(offer.place, "accept", cut)}
        return not self.crossed(offer, cut) and by >= set(offer.frame.named or ())

    def attests(self, party: str, place: Place, cut: Cut) -> bool:
        return any(
            receipt.by == party and receipt.size >= place.number
            for e in self.within(cut)
            if e.place.party == place.party
            for receipt in e.frame.receipts
        )

    def settled(self, offer: Said, cut: Cut) -> bool:
        others = self.parties - self.members(offer)
        needed = len(others) if self.quorum == "all" else min(self.quorum, len(others))
        to_attest = [offer, *self.answers(offer.place, "accept", cut)]
        return self.accepted(offer, cut) and all(
            sum(self.attests(party, e.place, cut) for party in others) >= needed for e in to_attest
        )

    def effective(self, offer: Said, cut: Cut) -> bool:
        return self.settled(offer, cut) and all(
            self.decision(e, cut) == "confirmed"
            for e in self.answers(offer.place, "accept", cut)
            if e.frame.content["condition"] is not None
        )

    def decision(self, acceptance: Said, cut: Cut) -> str | None:
        confirmer = acceptance.frame.content["condition"]["confirmer"]
        decided = sorted(e for e in self.answers(acceptance.place, "condition", cut) if e.place.party == confirmer)
        return str(decided[0].frame.content["outcome"]) if decided else None

    def judge(self, party: str, frame: Frame, past: Cut) -> str | None:
        """Step 9 for offers, acceptances, refusals and conditions of proposals: the code, or None."""
        first = self.said.get(frame.refers_to[0].place) if frame.refers_to else None
        if first is not None and not sees(past, first.place):
            first = None
        mine = [e for e in self.within(past) if e.place.party == party]
        match frame.format:
            case "proposal":
                return None if self._may_offer(party, frame, past) else "offer"
            case "accept" | "refuse" as form:
                answered = {e.frame.refers_to[0].place for e in mine if e.frame.format in ("accept", "refuse")}
                fit = first is not None and first.frame.act == "offer" and party in (first.frame.named or ())
                if first is None or not fit or first.place in answered:
                    return form
                stale = self.superseded(first, past) or self.crossed(first, past)
                return "accept" if form == "accept" and stale else None
            case "condition":
                if first is None or first.frame.format != "accept" or first.frame.content["condition"] is None:
                    return "condition"
                decided = any(e.frame.format == "condition" and e.frame.refers_to[0].place == first.place for e in mine)
                return "condition" if first.frame.content["condition"]["confirmer"] != party or decided else None
        return None

    def _may_offer(self, party: str, frame: Frame, past: Cut) -> bool:
        if not frame.named or party in frame.named:
            return False
        if frame.thread is None:
            return True
        first = self.said.get(frame.thread.place)
        if first is None or not sees(past, first.place) or first.frame.act != "offer" or first.frame.thread is not None:
            return False
        return self.members(first) == {party, *frame.named} and first.frame.format == frame.format
