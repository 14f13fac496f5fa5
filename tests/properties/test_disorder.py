# SPDX-License-Identifier: Apache-2.0
"""Parties who post what they like, read late and deliver when they please: does every reader still see the same?

No centre checks what its own party writes here; only signatures and numbers are right. This is where a rule that looks
at what has arrived, instead of at the past of the entry that asks, shows.
"""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from servanda.journal.state import Entry
from servanda.operations.citing import cite_if_it_helps
from tests.rig.pen import refer, write
from tests.rig.replica import Replica, documents, in_order, leaves_of, rebuilt
from tests.rig.world import World, grams, row, three

PARTIES = ("ash", "birch", "cedar")
KINDS = ("cargo", "salt")
PLACES = ("harbour", "store")
Step = tuple[str, int, int, int, int]


class Disorder:
    """Parties without manners. Numbers of a step pick among what there is at that moment."""

    def __init__(self, parties: tuple[str, ...], random: Random) -> None:
        self.world: World = three(*parties)
        self.parties = parties
        self.random = random
        self.lots: list[str] = []
        self.offers: list[Entry] = []
        self.acceptances: list[Entry] = []
        self.declarations: list[Entry] = []
        self.written: list[Entry] = []
        for party in parties:
            lots = [row(12), row(7, "salt")]
            self.declarations.append(self.world.say(party, "declare", {"lots": lots}))
            self.lots += [f"{self.declarations[-1].place}/{index}" for index in range(2)]
        self.world.sync()
        for party in parties:
            self.world.say(party, "note", {"text": "all heads"})

    def _other(self, party: str, number: int) -> str:
        others = [name for name in self.parties if name != party]
        return others[number % len(others)]

    def run(self, steps: list[Step]) -> None:
        for name, who, a, b, c in steps:
            getattr(self, name)(self.parties[who % len(self.parties)], a, b, c)

    def _write(self, party: str, form: str, content: dict[str, Any], rows: int = 0, **members: Any) -> Entry | None:
        if self.random.random() < 0.3:
            members["heads"] = []  # as if it had heard nothing since its last entry
        entry = write(self.world.centres[party], form, content, **members)
        if entry is not None:
            self.lots += [f"{entry.place}/{index}" for index in range(rows)]
            self.written.append(entry)
        return entry

    def _lot(self, party: str, a: int) -> str:
        lots = self.world.centres[party].custody.holdings.lots
        mine = [str(name) for name, lot in lots.items() if party in {holder.party for holder in lot.holders}]
        known = mine if a % 8 and mine else self.lots
        return known[a % len(known)] if known else "ash/1/0"

    def _held(self, party: str, lot: str, b: int) -> dict[str, Any]:
        lots = self.world.centres[party].custody.holdings.lots
        amount = next((known.quantity.amount for name, known in lots.items() if str(name) == lot), b)
        return {"lot": lot, "quantity": grams(amount if b % 8 else b)}

    def declare(self, party: str, a: int, b: int, c: int) -> None:
        rows = [row(None if a % 7 == 0 else a, KINDS[b % 2])] + ([row(b) | {"serial": str(c % 3)}] if c % 3 else [])
        entry = self._write(party, "found" if c % 11 == 0 else "declare", {"lots": rows}, len(rows))
        self.declarations += [entry] if entry else []

    def split(self, party: str, a: int, b: int, c: int) -> None:
        parts = [row(None if c % 9 == 0 else c % 6, KINDS[b % 2]), row(b % 4)]
        self._write(party, "split", {"lot": self._lot(party, a), "parts": parts}, 2)

    def merge(self, party: str, a: int, b: int, c: int) -> None:
        lots = [self._lot(party, a), self._lot(party, b)]
        self._write(party, "merge", {"lots": lots, "kind": "cargo", "place": "store"}, 1)

    def remark(self, party: str, a: int, b: int, c: int) -> None:
        lot = self._lot(party, a)
        forms: list[tuple[str, dict[str, Any]]] = [
            ("move", {"lot": lot, "place": PLACES[c % 2]}),
            ("seal", {"lot": lot, "seal": "s", "action": "applied"}),
            ("loss", {"lots": [lot], "reason": "r"}),
            ("consume", {"lots": [lot], "reason": "r"}),
        ]
        self._write(party, *forms[b % 4])

    def offer(self, party: str, a: int, b: int, c: int) -> None:
        receiver = self._other(party, b)
        lots = [self._held(party, self._lot(party, a), b)] + (
            [self._held(party, self._lot(party, c), c)] if c % 4 == 0 else []
        )
        content = {"lots": lots, "receiver": receiver, "place": PLACES[c % 2]}
        entry = self._write(party, "handover", content, named=[receiver])
        self.offers += [entry] if entry and entry.admissible else []

    def destroy(self, party: str, a: int, b: int, c: int) -> None:
        named = [other for other in self.parties if other != party][: 1 + c % 2]
        content = {
            "lots": [self._held(party, self._lot(party, a), b)],
            "method": "m",
            "place": "works",
            "evidence": [],
            "residue": [row(b % 5, "ash-slag")] if c % 3 else [],
        }
        entry = self._write(party, "destroy", content, len(content["residue"]), named=named)
        self.offers += [entry] if entry and entry.admissible else []

    def resolve(self, party: str, a: int, b: int, c: int) -> None:
        lots = self.world.centres[party].custody.holdings.lots.values()
        disputed = [lot for lot in lots if party in lot.disputants]
        if not disputed:
            return
        lot = disputed[a % len(disputed)]
        other = next(name for name in lot.disputants if name != party)
        content = {
            "lots": [{"lot": str(lot.name), "quantity": grams(lot.quantity.amount)}],
            "holder": (party, other)[b % 2],
        }
        entry = self._write(party, "resolve", content, named=[other])
        self.offers += [entry] if entry and entry.admissible else []

    def accept(self, party: str, a: int, b: int, c: int) -> None:
        record = self.world.centres[party].record
        mine = [e for e in self.offers if e.frame and party in (e.frame.named or ()) and record.entry(e.place)]
        fresh = [e for e in mine if e.place not in record.journals[party].answered]
        mine = fresh if fresh and a % 8 else mine
        if not mine:
            return
        offer = mine[a % len(mine)]
        assert offer.frame is not None
        received: list[dict[str, Any]] = []
        if offer.frame.format == "handover" and b % 3 == 0:
            for item in offer.frame.content["lots"]:
                limit = item["quantity"].get("amount", 9)
                received.append({"lot": item["lot"], "quantity": grams(0 if c % 3 == 0 else c % (limit + 1))})
        content = {"extent": "part" if received else "full", "received": received, "condition": None}
        form, content = ("refuse", {"reason": "r"}) if c % 5 == 0 else ("accept", content)
        entry = self._write(party, form, content, len(received), refers_to=[refer(offer)])
        self.acceptances += [entry] if entry else []

    def correct(self, party: str, a: int, b: int, c: int) -> None:
        mine = [e for e in self.declarations if e.place.party == party and e.admissible and e.frame]
        if not mine:
            return
        target = mine[a % len(mine)]
        assert target.frame is not None
        rows = list(target.frame.content["lots"])
        rows[0] = row(b, KINDS[c % 2])
        rows = rows[:1] if c % 3 == 0 else [*rows, row(c)]
        content = {"content": {"lots": rows}, "reason": "r"}
        self._write(party, "correct", content, len(rows), refers_to=[refer(target)])

    def contest(self, party: str, a: int, b: int, c: int) -> None:
        record = self.world.centres[party].record
        known = [e for e in self.written if record.entry(e.place)]
        if known:
            self._write(party, "contest", {"reason": "r"}, refers_to=[refer(known[-1 - a % len(known)])])

    def deliver(self, party: str, a: int, b: int, c: int) -> None:
        other = self._other(party, a)
        source = self.world.centres[party]
        held = self.world.centres[other].record.journals[party].size
        self.world.deliver(party, other, max(held, source.journal.size - b % 3))

    def look(self, party: str, a: int, b: int, c: int) -> None:
        documents(self.world.centres[party])

    def cite(self, party: str, a: int, b: int, c: int) -> None:
        cite_if_it_helps(self.world.centres[party])

    def sync(self, party: str, a: int, b: int, c: int) -> None:
        self.world.sync()


ACTS = ["declare", "declare", "split", "merge", "remark", "remark", "offer", "offer", "offer", "destroy", "resolve"]
ACTS += ["accept"] * 5 + ["correct", "contest", "deliver", "deliver", "deliver", "look", "cite", "sync", "sync"]
NUMBERS = st.integers(0, 40)
STEPS = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 2), NUMBERS, NUMBERS, NUMBERS), min_size=5, max_size=60
)


@settings(max_examples=80)
@given(STEPS, st.sampled_from([2, 3]), st.randoms(use_true_random=False))
def test_every_reader_of_the_same_entries_sees_the_same_in_whatever_order_they_came(
    steps: list[Step], parties: int, random: Random
) -> None:
    disorder = Disorder(PARTIES[:parties], random)
    disorder.run(steps)
    disorder.world.sync()
    centres = disorder.world.centres
    leaves = leaves_of(centres["ash"])
    expected = rebuilt(centres["ash"])
    for centre in centres.values():
        assert leaves_of(centre) == leaves
        assert documents(centre) == expected.documents()
    order = [party for party, held in leaves.items() for _ in held]
    for _ in range(2):
        random.shuffle(order)
        replica: Replica = in_order([disorder.world.pack], leaves, order)
        assert replica.verdicts() == expected.verdicts()
        assert replica.documents() == expected.documents()
