# SPDX-License-Identifier: Apache-2.0
"""Offers and what became of them (spec/settlement.md). What is settled never becomes undone by a late arrival.

Every question is asked of a *cut*: how many entries of each journal are looked at. A cut is closed under past, so
the answer is the same at every centre; a larger cut never takes away `settled` or `effective`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from servanda.journal.frame import Place

Cut = Mapping[str, int]


def within(cut: Cut, place: Place) -> bool:
    """Whether the entry at `place` is among those looked at."""
    return cut.get(place.party, 0) >= place.number


@dataclass(slots=True)
class Acceptance:
    """One party's acceptance, and the condition it rests on, if any."""

    place: Place
    confirmer: str | None = None
    decided: tuple[Place, bool] | None = None
    """The confirmer's first entry on the condition, and whether it said confirmed."""


@dataclass(slots=True)
class Offer:
    """One version of an offer, with everything that has been said of it."""

    place: Place
    thread: Place
    named: tuple[str, ...]
    past: Cut
    format: tuple[str, int]
    witnesses: frozenset[str] = frozenset()
    """Those of the named of whom `quorum` suffice."""
    quorum: int | None = None
    acceptances: dict[str, Acceptance] = field(default_factory=dict)
    refusals: dict[str, Place] = field(default_factory=dict)
    lapses: dict[str, Place] = field(default_factory=dict)
    """Where parties outside the signatories have declared it lapsed."""
    crossed: list[Place] = field(default_factory=list)
    later: list[Place] = field(default_factory=list)
    """Offers of the same thread that cover this one."""

    @property
    def author(self) -> str:
        """The party that makes the offer."""
        return self.place.party

    @property
    def signatories(self) -> frozenset[str]:
        """The author and those whom the offer names."""
        return frozenset((self.author, *self.named))

    def carried_by(self, parties: Collection[str]) -> bool:
        """Whether these acceptances suffice: of all that it names, or of a quorum of the witnesses and all others."""
        if self.quorum is None:
            return all(name in parties for name in self.named)
        witnesses = self.witnesses.intersection(parties)
        return len(witnesses) >= self.quorum and all(n in parties for n in self.named if n not in self.witnesses)


class Attestations:
    """Which receipts the entries of each journal cite: by whom, up to which size, from which entry on."""

    def __init__(self) -> None:
        self._cited: dict[str, dict[str, list[tuple[int, int]]]] = {}
        self._stamped: dict[str, dict[str, list[tuple[int, int]]]] = {}
        """Journal to party to (size, timestamp), both growing: of two receipts the earlier one is left out if the other
        says that more was held no later."""
        self._bounded: dict[str, dict[str, list[tuple[int, int]]]] = {}
        """The same, no timestamp later than the release of the entry that cites it."""

    def cite(self, place: Place, by: str, size: int, timestamp: int, released: int) -> None:
        """The entry at `place` cites a receipt by `by` on its own journal to `size`.

        Args:
            place: where the citing entry stands.
            by: who gave the receipt.
            size: up to which number.
            timestamp: when, by that party's clock, in seconds since 1970.
            released: when the citing entry was released, by its author's clock: the receipt is not younger.
        """
        insort(self._cited.setdefault(place.party, {}).setdefault(by, []), (place.number, size))
        _push(self._stamped.setdefault(place.party, {}).setdefault(by, []), size, timestamp)
        _push(self._bounded.setdefault(place.party, {}).setdefault(by, []), size, min(timestamp, released))

    def earliest(self, place: Place) -> int | None:
        """The earliest timestamp among all cited receipts that cover the entry at `place`, or None."""
        found = [self.earliest_by(place, by) for by in self._stamped.get(place.party, {})]
        return min((stamp for stamp in found if stamp is not None), default=None)

    def earliest_by(self, place: Place, by: str) -> int | None:
        """The earliest timestamp among the cited receipts by one party that cover the entry at `place`, or None."""
        return _first(self._stamped.get(place.party, {}).get(by, []), place.number)

    def bounded_by(self, place: Place, by: str) -> int | None:
        """As `earliest_by`, but no receipt counts as later than the release of the entry that cites it."""
        return _first(self._bounded.get(place.party, {}).get(by, []), place.number)

    def newest(self, journal: str, by: str, number: int) -> int:
        """The greatest size that entries 1 to `number` of `journal` cite from `by`; 0 if none."""
        cited = self._cited.get(journal, {}).get(by, [])
        index = bisect_right(cited, (number, 1 << 62))
        return cited[index - 1][1] if index else 0

    def attesting(self, place: Place, cut: Cut, outside: frozenset[str]) -> int:
        """How many parties outside `outside` attest the entry at `place` within `cut`."""
        cited = self._cited.get(place.party, {})
        number = cut.get(place.party, 0)
        return sum(1 for by in cited if by not in outside and self.newest(place.party, by, number) >= place.number)

    def upholding(self, journal: str) -> dict[str, int]:
        """The greatest size that any entry of `journal` cites from each party."""
        return {by: cited[-1][1] for by, cited in self._cited.get(journal, {}).items()}


def _push(stamps: list[tuple[int, int]], size: int, timestamp: int) -> None:
    while stamps and stamps[-1][1] >= timestamp:
        stamps.pop()
    stamps.append((size, timestamp))


def _first(stamps: list[tuple[int, int]], number: int) -> int | None:
    index = bisect_left(stamps, (number, 0))
    return stamps[index][1] if index < len(stamps) else None


class Threads:
    """All offers of a record, by place and by thread."""

    def __init__(self, attestations: Attestations) -> None:
        self.offers: dict[Place, Offer] = {}
        self.threads: dict[Place, list[Place]] = {}
        self.acceptances: dict[Place, Offer] = {}
        self._attestations = attestations

    def add(self, offer: Offer) -> None:
        """Enter an admissible offer; find which others of its thread it covers and which it has crossed."""
        for place in self.threads.setdefault(offer.thread, []):
            other = self.offers[place]
            if within(offer.past, other.place):
                other.later.append(offer.place)
            elif within(other.past, offer.place):
                offer.later.append(other.place)
            else:
                offer.crossed.append(other.place)
                other.crossed.append(offer.place)
        self.threads[offer.thread].append(offer.place)
        self.offers[offer.place] = offer

    def accept(self, offer: Offer, place: Place, confirmer: str | None) -> None:
        """Enter an admissible acceptance."""
        offer.acceptances[place.party] = Acceptance(place, confirmer)
        self.acceptances[place] = offer

    def decide(self, acceptance: Place, place: Place, *, confirmed: bool) -> None:
        """Enter the confirmer's first entry on a condition."""
        self.acceptances[acceptance].acceptances[acceptance.party].decided = (place, confirmed)

    def crossed(self, offer: Offer, cut: Cut) -> bool:
        """Whether `offer` and another of its thread, neither covering the other, are both within `cut`."""
        return any(within(cut, place) for place in offer.crossed)

    def superseded(self, offer: Offer, cut: Cut) -> bool:
        """Whether an offer of the thread that covers this one is within `cut`."""
        return any(within(cut, place) for place in offer.later)

    def refused(self, offer: Offer, cut: Cut) -> bool:
        """Whether so many that it names have refused it within `cut` that the others can no longer carry it."""
        refusing = {party for party, place in offer.refusals.items() if within(cut, place)}
        return bool(refusing) and not offer.carried_by(set(offer.named) - refusing)

    def accepted(self, offer: Offer, cut: Cut) -> bool:
        """Whether all whom it takes have accepted within `cut`, and the offer has crossed none."""
        return self.upheld(offer, cut, lambda place: within(cut, place))

    def settled(self, offer: Offer, cut: Cut, quorum: int) -> bool:
        """Whether the offer is accepted and `quorum` other parties attest it and each acceptance, within `cut`.

        Args:
            offer: the offer.
            cut: the entries that are looked at.
            quorum: how many parties outside the signatories must attest; 0 where there is nobody else.
        """
        outside = offer.signatories

        def attested(place: Place) -> bool:
            return quorum == 0 or self._attestations.attesting(place, cut, outside) >= quorum

        return self.upheld(offer, cut, attested)

    def upheld(self, offer: Offer, cut: Cut, attested: Callable[[Place], bool]) -> bool:
        """Whether the offer has crossed none, and it and the acceptances that carry it are attested, within `cut`."""
        if not within(cut, offer.place) or self.crossed(offer, cut) or not attested(offer.place):
            return False
        answers = offer.acceptances.values()
        return offer.carried_by({a.place.party for a in answers if within(cut, a.place) and attested(a.place)})

    def conditions_met(self, offer: Offer, cut: Cut) -> bool | None:
        """True if all conditions are confirmed within `cut`, False if one has failed, None if one is undecided."""
        answer: bool | None = True
        for acceptance in offer.acceptances.values():
            if acceptance.confirmer is None:
                continue
            if acceptance.decided is None or not within(cut, acceptance.decided[0]):
                answer = None
            elif not acceptance.decided[1]:
                return False
        return answer
