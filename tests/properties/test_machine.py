# SPDX-License-Identifier: Apache-2.0
"""Three parties at work, entries on their way in pieces: after every step every centre's books are right and derivable.

The machine chooses what the acting centre's own balances allow; so nothing it posts may be refused anywhere.
"""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from servanda.journal.frame import Place
from servanda.journal.state import Entry
from servanda.operations.centre import Centre
from servanda.operations.citing import cite_if_it_helps
from servanda.registers.custody.views import balances_document
from tests.rig.ledger import brought_in
from tests.rig.replica import documents, in_order, leaves_of, rebuilt
from tests.rig.settlement import Reading
from tests.rig.world import World, held, row, three

PARTIES = ("ash", "birch", "cedar")
PARTY, NUMBER = st.sampled_from(PARTIES), st.integers(0, 20)
FULL: dict[str, Any] = {"extent": "full", "received": [], "condition": None}


class ThreeParties(RuleBasedStateMachine):
    """Grams are always stated, so that they add up; pieces are not always."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World = three()
        self.offers: list[tuple[Entry, str]] = []
        self.declarations: dict[Place, list[dict[str, Any]]] = {}
        self.corrected: dict[tuple[str, int], dict[str, int]] = {}
        self.late: set[str] = set()
        self.locked: set[str] = set()

    def lots(self, party: str, account: str | None = None, *, offered: bool = False) -> list[dict[str, Any]]:
        """Lots that the party's own centre shows in an account, without those that are offered to be destroyed."""
        rows = balances_document(self.world.centres[party].custody)["lots"]
        here = [lot for lot in rows if lot["account"].startswith(account or f"held/{party}")]
        return here if offered else [lot for lot in here if lot["lot"] not in self.locked]

    def one(self, party: str, number: int, account: str | None = None) -> dict[str, Any] | None:
        lots = self.lots(party, account)
        return lots[number % len(lots)] if lots else None

    @staticmethod
    def quantity(lot: dict[str, Any]) -> dict[str, Any]:
        if lot["basis"] != "stated":
            return {"basis": "not-stated", "unit": lot["unit"]}
        return {"amount": lot["amount"], "basis": "stated", "unit": lot["unit"]}

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def declares(self, party: str, a: int, b: int) -> None:
        boats = {"kind": "boat", "place": "harbour", "quantity": {"basis": "not-stated", "unit": "piece"}}
        rows = [row(a), row(b, "salt")] if b % 4 else [row(a), boats]
        form = "found" if a % 7 == 0 else "declare"
        entry = self.world.say(party, form, {"lots": rows})
        if form == "declare":
            self.declarations[entry.place] = rows

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def splits(self, party: str, a: int, b: int) -> None:
        lot = self.one(party, a)
        if lot is None:
            return
        if lot["unit"] == "g":
            parts = [row(b % (lot["amount"] + 1), lot["kind"], "works")]
            parts += [row(lot["amount"] - parts[0]["quantity"]["amount"], lot["kind"])] if b % 3 == 0 else []
        else:
            quantity = {"amount": b, "basis": "stated", "unit": "piece"} if b % 2 else self.quantity(lot)
            parts = [{"kind": "boat", "place": "works", "quantity": quantity}]
            if lot["basis"] == "stated" and quantity.get("amount", 0) > lot["amount"]:
                return
        self.world.say(party, "split", {"lot": lot["lot"], "parts": parts})

    @rule(party=PARTY, a=NUMBER)
    def merges(self, party: str, a: int) -> None:
        held_lots = self.world.centres[party].custody.holdings.lots
        names = {str(name): lot for name, lot in held_lots.items()}
        lot = self.one(party, a)
        if lot is None:
            return
        pool = [other for other in self.lots(party) if names[other["lot"]].pool is names[lot["lot"]].pool]
        if len(pool) > 1:
            kind = "cargo" if lot["unit"] == "g" and lot["kind"] != "ash-slag" else lot["kind"]
            self.world.say(party, "merge", {"lots": [x["lot"] for x in pool[:2]], "kind": kind, "place": "store"})

    @rule(party=PARTY, a=NUMBER)
    def offers_custody(self, party: str, a: int) -> None:
        lot = self.one(party, a)
        if lot is not None:
            receiver = [other for other in PARTIES if other != party][a % 2]
            item = {"lot": lot["lot"], "quantity": self.quantity(lot)}
            content = {"lots": [item], "receiver": receiver, "place": "harbour"}
            self.offers.append((self.world.say(party, "handover", content, named=[receiver]), "handover"))

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def offers_destruction(self, party: str, a: int, b: int) -> None:
        lot = self.one(party, a)
        if lot is None or lot["unit"] != "g":
            return
        content = {
            "lots": [held(lot["lot"], lot["amount"])],
            "method": "m",
            "place": "works",
            "evidence": [],
            "residue": [row(b, "ash-slag")] if b % 3 else [],
        }
        named = [other for other in PARTIES if other != party][: 1 + a % 2]
        self.locked.add(lot["lot"])
        self.offers.append((self.world.say(party, "destroy", content, named=named), "destroy"))

    @rule(party=PARTY, a=NUMBER)
    def proposes_to_resolve(self, party: str, a: int) -> None:
        disputed = [lot for lot in self.lots(party, "disputed/") if party in lot["account"].split("/")]
        if not disputed:
            return
        lot = disputed[a % len(disputed)]
        sides = lot["account"].split("/")[1:]
        if party == sides[0]:  # only the giver proposes here, so that no two proposals cross
            self.locked.add(lot["lot"])
            content = {"lots": [{"lot": lot["lot"], "quantity": self.quantity(lot)}], "holder": sides[a % 2]}
            self.offers.append((self.world.say(party, "resolve", content, named=[sides[1]]), "resolve"))

    @precondition(lambda self: self.offers)
    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def answers(self, party: str, a: int, b: int) -> None:
        record = self.world.centres[party].record
        mine = [
            (offer, form)
            for offer, form in self.offers
            if offer.frame is not None
            and party in (offer.frame.named or ())
            and record.entry(offer.place) is not None
            and offer.place not in record.journals[party].answered
        ]
        if not mine:
            return
        offer, form = mine[a % len(mine)]
        assert offer.frame is not None
        if b % 5 == 0:
            self.world.say(party, "refuse", {"reason": "r"}, refers_to=[offer.place])
            return
        answer = FULL
        if form == "handover" and b % 2:
            item = offer.frame.content["lots"][0]
            limit = item["quantity"].get("amount", 20)
            quantity = {"amount": b % (limit + 1), "basis": "stated", "unit": item["quantity"]["unit"]}
            answer = FULL | {"extent": "part", "received": [{"lot": item["lot"], "quantity": quantity}]}
        self.world.say(party, "accept", answer, refers_to=[offer.place])

    @precondition(lambda self: self.offers)
    @rule(b=NUMBER)
    def everybody_answers_everything(self, b: int) -> None:
        self.world.sync()
        for party in PARTIES:
            for number in range(4):
                self.answers(party, number, b)
        self.world.sync()

    @rule(party=PARTY, a=NUMBER)
    def loses_or_uses(self, party: str, a: int) -> None:
        lot = self.one(party, a)
        if lot is not None:
            form = ("loss", "consume", "move", "seal")[a % 4]
            content: dict[str, Any] = {"lots": [lot["lot"]], "reason": "r"}
            if form == "move":
                content = {"lot": lot["lot"], "place": "works"}
            elif form == "seal":
                content = {"lot": lot["lot"], "seal": "s", "action": "applied"}
            self.world.say(party, form, content)

    @precondition(lambda self: self.declarations)
    @rule(a=NUMBER, b=NUMBER)
    def corrects(self, a: int, b: int) -> None:
        place = sorted(self.declarations)[a % len(self.declarations)]
        before = self.declarations[place]
        rows = [row(b), before[1], *([row(a)] if b % 3 == 0 else [])]
        mine = {lot["lot"]: lot for lot in self.lots(place.party, offered=True)}
        lot = mine.get(f"{place}/0")
        as_declared = lot is not None and (lot["kind"], lot["place"], lot["amount"]) == (
            before[0]["kind"],
            before[0]["place"],
            before[0]["quantity"]["amount"],
        )
        if as_declared and f"{place}/0" in self.locked:
            return  # it is offered as it was declared: what is destroyed would no longer be what was offered
        entry = self.world.say(place.party, "correct", {"content": {"lots": rows}, "reason": "r"}, refers_to=[place])
        added = sum(new["quantity"]["amount"] for new in rows[2:])
        if rows[0] != before[0] and as_declared:
            added += b - before[0]["quantity"]["amount"]
        elif rows[0] != before[0]:
            self.late.add(f"{entry.place} {place}/0")
        self.corrected[entry.place] = {"g": added}
        del self.declarations[place]

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def delivers(self, party: str, a: int, b: int) -> None:
        other = [name for name in PARTIES if name != party][a % 2]
        source, target = self.world.centres[party], self.world.centres[other]
        self.world.deliver(party, other, max(target.record.journals[party].size, source.journal.size - b % 3))

    @rule(party=PARTY)
    def cites(self, party: str) -> None:
        cite_if_it_helps(self.world.centres[party])

    @rule()
    def exchanges_everything(self) -> None:
        self.world.sync()

    @invariant()
    def every_centre_has_its_books_in_order(self) -> None:
        for centre in self.world.centres.values():
            self.check_accounts(centre)
            assert documents(centre) == rebuilt(centre).documents()
            assert all(entry.admissible for entry in centre.record.log)

    def check_accounts(self, centre: Centre) -> None:
        document = balances_document(centre.custody)
        lots = document["lots"]
        assert len({lot["lot"] for lot in lots}) == len(lots)
        assert all(lot["amount"] is None or lot["amount"] >= 0 for lot in lots)
        judged = {party: len(state.entries) for party, state in centre.record.journals.items()}
        leaves = {party: centre.store.leaves(party, 1, size) for party, size in judged.items()}
        reading = Reading(PARTIES, "all", centre.record.log)
        expected = brought_in(
            leaves, lambda party, number: reading.effective(reading.said[Place(party, number)], judged), self.corrected
        )
        total = sum(a["stated"] + a["derived"] for a in document["accounts"] if a["unit"] == "g")
        assert total == expected["g"]
        assert total == sum(lot["amount"] for lot in lots if lot["unit"] == "g")
        assert not [d for d in document["discrepancies"] if d["code"].startswith(("posting/", "pool-exceeded"))]
        destroyed = {
            item["lot"]: f"destroyed/{offer.place.party}"
            for offer in reading.offers(judged)
            if offer.frame.format == "destroy" and reading.effective(offer, judged)
            for item in offer.frame.content["lots"]
        }
        assert destroyed == {x["lot"]: x["account"] for x in lots if x["account"].startswith("destroyed/")}
        late = {f"{d['entry']} {d['lot']}" for d in document["discrepancies"] if d["code"] == "late-correction"}
        assert late == {text for text in self.late if int(text.split()[0].split("/")[1]) <= judged[text.split("/")[0]]}

    def teardown(self) -> None:
        self.world.sync()
        centres = list(self.world.centres.values())
        leaves = leaves_of(centres[0])
        shown = documents(centres[0])
        assert all(documents(centre) == shown and leaves_of(centre) == leaves for centre in centres)
        random = Random(len(leaves["ash"]))
        order = [party for party, held_leaves in leaves.items() for _ in held_leaves]
        random.shuffle(order)
        assert in_order([self.world.pack], leaves, order).documents() == shown


TestThreeParties = ThreeParties.TestCase
TestThreeParties.settings = settings(max_examples=25, stateful_step_count=40)
