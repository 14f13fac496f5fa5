# SPDX-License-Identifier: Apache-2.0
"""Offers, acceptances, refusals and conditions at random, against the definitions read out word by word.

What is settled never becomes undone: a larger cut never loses `settled` or `effective`.
"""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from servanda.journal.state import Entry
from servanda.operations.citing import cite_if_it_helps
from tests.rig.pen import refer, write
from tests.rig.settlement import Reading, join, sees
from tests.rig.world import World, three

PARTIES = ("ash", "birch", "cedar", "dogwood")
Step = tuple[str, int, int, int]
ACTS = ["open", "accept", "decide", "deliver"] * 3 + ["offer", "sync"] * 2 + ["refuse", "cite"]
STEPS = st.lists(st.tuples(st.sampled_from(ACTS), *[st.integers(0, 30)] * 3), min_size=25, max_size=60)


class Talk:
    """Parties who offer and answer, sometimes as if they had not heard."""

    def __init__(self, parties: int, quorum: Any, random: Random) -> None:
        self.world: World = three(*PARTIES[:parties], quorum=quorum)
        self.parties, self.random, self.quorum = PARTIES[:parties], random, quorum
        for party in self.parties:
            self.world.say(party, "note", {"text": "all heads"})
        self.offers: list[Entry] = []
        self.acceptances: list[Entry] = []

    def run(self, steps: list[Step]) -> None:
        for name, who, a, b in steps:
            getattr(self, name)(self.parties[who % len(self.parties)], a, b)
        self.world.sync()

    def _write(self, party: str, form: str, content: dict[str, Any], *refers: Entry, **members: Any) -> Entry | None:
        if self.random.random() < 0.25:
            members["heads"] = []
        return write(self.world.centres[party], form, content, refers_to=[refer(e) for e in refers], **members)

    def _pick(self, party: str, among: list[Entry], a: int) -> Entry | None:
        held = [e for e in among if self.world.centres[party].record.entry(e.place)]
        return held[a % len(held)] if held else None

    def open(self, party: str, a: int, b: int) -> None:
        others = [name for name in self.parties if name != party]
        entry = self._write(party, "proposal", {"text": "o"}, named=sorted(others[a % len(others) :][: 1 + b % 3]))
        self.offers += [entry] if entry else []

    def offer(self, party: str, a: int, b: int) -> None:
        first = self._pick(party, [e for e in self.offers if e.frame and e.frame.thread is None], a)
        if first is None or first.frame is None:
            return
        members = {first.place.party, *(first.frame.named or ())}
        named = sorted(members - {party}) if b % 6 else [name for name in self.parties if name != party][:1]
        thread = self._pick(party, self.offers, b) if b % 7 == 0 else first
        assert thread is not None
        entry = self._write(party, "proposal", {"text": "o"}, named=named, thread=refer(thread))
        self.offers += [entry] if entry else []

    def _offer_to(self, party: str, a: int) -> Entry | None:
        mine = [e for e in self.offers if e.frame and party in (e.frame.named or ())]
        return self._pick(party, self.offers if a % 9 == 0 else mine, -1 - a)

    def accept(self, party: str, a: int, b: int) -> None:
        offer = self._offer_to(party, a)
        confirmer = self.parties[b % len(self.parties)]
        condition = {"confirmer": confirmer, "text": "if"} if b % 2 == 0 else None
        if offer is not None:
            content = {"extent": "full", "received": [], "condition": condition}
            entry = self._write(party, "accept", content, offer)
            self.acceptances += [entry] if entry else []

    def refuse(self, party: str, a: int, b: int) -> None:
        offer = self._offer_to(party, a)
        if offer is not None:
            self._write(party, "refuse", {"reason": "r"}, offer)

    def decide(self, party: str, a: int, b: int) -> None:
        mine = [
            e for e in self.acceptances if e.frame and (e.frame.content["condition"] or {}).get("confirmer") == party
        ]
        acceptance = self._pick(party, mine if a % 5 else self.acceptances, a)
        if acceptance is not None:
            self._write(party, "condition", {"outcome": ("failed", "confirmed")[b % 3 > 0]}, acceptance)

    def deliver(self, party: str, a: int, b: int) -> None:
        others = [name for name in self.parties if name != party]
        self.world.deliver(party, others[a % len(others)])

    def cite(self, party: str, a: int, b: int) -> None:
        cite_if_it_helps(self.world.centres[party])

    def sync(self, party: str, a: int, b: int) -> None:
        self.world.sync()


@settings(max_examples=60)
@given(STEPS, st.sampled_from([(2, "all"), (3, "all"), (4, "all"), (4, 2), (4, 1)]), st.randoms(use_true_random=False))
def test_verdicts_and_settlement_are_those_of_the_definitions(
    steps: list[Step], setting: tuple[int, Any], random: Random
) -> None:
    parties, quorum = setting if setting != (4, 1) else (3, 1)
    talk = Talk(parties, quorum, random)
    talk.run(steps)
    record = talk.world.centres["ash"].record
    reading, growing = Reading(talk.parties, quorum, record.log), Reading(talk.parties, quorum)
    for entry in record.log:
        if entry.frame is not None and entry.code != "reference":
            assert entry.code == growing.judge(entry.place.party, entry.frame, entry.past), entry.reason
        growing.add(entry)
    cuts = _cuts(record.log, random)
    for offer in reading.offers(record.whole):
        known = record.threads.offers[offer.place]
        before = [False, False]
        for cut in cuts:
            if not sees(cut, offer.place):
                continue
            assert record.threads.crossed(known, cut) == reading.crossed(offer, cut)
            assert record.threads.accepted(known, cut) == reading.accepted(offer, cut)
            now = [record.settled(known, cut), record.effective(known, cut)]
            assert now == [reading.settled(offer, cut), reading.effective(offer, cut)]
            assert [was and not holds for was, holds in zip(before, now, strict=True)] == [False, False]
            before = now


def _cuts(log: list[Entry], random: Random) -> list[dict[str, int]]:
    """Ever larger sets of entries, each closed under past, up to the whole."""
    cut: dict[str, int] = {}
    cuts = [cut]
    entries = list(log)
    random.shuffle(entries)
    for entry in entries:
        cut = join(cut, entry.present)
        cuts.append(cut)
    return [*(cut for cut in cuts if random.random() < 25 / len(cuts)), cuts[-1]]


@settings(max_examples=15)
@given(STEPS, st.randoms(use_true_random=False))
def test_heads_never_decrease_and_cover_whatever_is_referred_to(steps: list[Step], random: Random) -> None:
    talk = Talk(3, "all", random)
    talk.run(steps)
    for centre in talk.world.centres.values():
        for state in centre.record.journals.values():
            before: dict[str, int] = {}
            for entry in state.entries:
                heads = dict(entry.heads)
                assert all(heads.get(party, 0) >= size for party, size in before.items())
                before = heads
                if entry.frame is None or not entry.admissible:
                    continue
                for reference in entry.frame.refers_to:
                    assert sees(entry.past, reference.place)
                    referred = centre.record.entry(reference.place)
                    assert referred is not None
                    assert all(entry.past.get(party, 0) >= size for party, size in referred.past.items())
                for party, size in heads.items():
                    covered = centre.record.journals[party].heads_after(size)
                    assert all(entry.past.get(other, 0) >= reached for other, reached in covered.items())


def test_the_random_talks_reach_what_they_are_about() -> None:
    seen: set[str] = set()
    for seed in range(40):
        random = Random(seed)
        talk = Talk(2 + seed % 3, "all", random)
        talk.run([(random.choice(ACTS), *(random.randrange(31) for _ in range(3))) for _ in range(60)])  # type: ignore[misc]
        record = talk.world.centres["ash"].record
        seen |= {f"code {entry.code}" for entry in record.log}
        for offer in record.threads.offers.values():
            seen |= {"crossed"} if record.threads.crossed(offer, record.whole) else set()
            seen |= {"settled"} if record.settled(offer, record.whole) else set()
            seen |= {"effective"} if record.effective(offer, record.whole) else set()
            seen |= {f"conditions {record.threads.conditions_met(offer, record.whole)}"}
    wanted = {"crossed", "settled", "effective", "conditions True", "conditions False", "conditions None"}
    assert seen >= wanted | {f"code {code}" for code in ("None", "offer", "accept", "refuse", "condition", "reference")}


class TestWhoMustAttest:
    """Ash offers, birch accepts; cedar is the only other party, and must have receipted both."""

    def test_a_receipt_on_the_acceptance_does_not_stand_for_one_on_the_offer(self) -> None:
        world = three()
        offer = world.say("ash", "proposal", {"text": "o"}, named=["birch"])
        world.deliver("ash", "birch")
        full = {"extent": "full", "received": [], "condition": None}
        world.say("birch", "accept", full, refers_to=[offer.place])
        world.deliver("birch", "cedar")  # cedar receipts it, though it waits for the offer
        world.say("birch", "note", {"text": "cites the receipt by cedar"})
        world.deliver("birch", "ash")
        world.say("ash", "note", {"text": "cites the receipt by birch alone"})
        record = world.centres["ash"].record
        known = record.threads.offers[offer.place]
        assert [record.threads.accepted(known, record.whole), record.settled(known, record.whole)] == [True, False]
        world.deliver("ash", "cedar")
        assert cite_if_it_helps(world.centres["ash"]) is not None
        assert record.settled(known, record.whole)

    def test_a_receipt_on_the_offer_does_not_stand_for_one_on_the_acceptance(self) -> None:
        world = three()
        offer = world.say("ash", "proposal", {"text": "o"}, named=["birch"])
        world.deliver("ash", "birch")
        world.deliver("ash", "cedar")
        full = {"extent": "full", "received": [], "condition": None}
        world.say("birch", "accept", full, refers_to=[offer.place])
        world.say("ash", "note", {"text": "cites both"})
        world.deliver("ash", "birch")
        world.deliver("birch", "ash")
        world.say("birch", "note", {"text": "cites the receipt by ash alone"})
        record = world.centres["birch"].record
        known = record.threads.offers[offer.place]
        assert [record.threads.accepted(known, record.whole), record.settled(known, record.whole)] == [True, False]
        world.deliver("birch", "cedar")
        assert cite_if_it_helps(world.centres["birch"]) is not None
        assert record.settled(known, record.whole)
