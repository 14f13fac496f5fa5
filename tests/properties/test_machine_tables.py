# SPDX-License-Identifier: Apache-2.0
"""Three parties at work on tables: bulk acts, parts, corrections, repacking, counts, entries on their way in pieces.

After every step every centre's accounts add up to what was brought in, no row is anywhere twice, and no two parties may
write the same one. Each chooses what its own centre's balances allow, so nothing it says may be refused anywhere.
"""

from __future__ import annotations

from collections import Counter
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
from tests.rig.ledger import brought_in, payload_of
from tests.rig.replica import documents, in_order, leaves_of, rebuilt
from tests.rig.settlement import Reading
from tests.rig.tables import group, rows, table
from tests.rig.world import World, held, row, three

PARTIES = ("ash", "birch", "cedar")
PARTY, NUMBER = st.sampled_from(PARTIES), st.integers(0, 20)
FULL: dict[str, Any] = {"extent": "full", "received": [], "condition": None}
Lot = dict[str, Any]


def span(lot: Lot) -> tuple[str, int, int]:
    """The table, the first and the last row of what a line of the document shows."""
    table_of, _, first = lot["lot"].rpartition("/")
    return table_of, int(first), int(first) + lot.get("rows", 1) - 1


class Rows(RuleBasedStateMachine):
    """All amounts are stated, so that they add up."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World = three()
        self.tables: dict[str, Entry] = {}
        self.offers: list[Entry] = []
        self.locked: set[tuple[str, int]] = set()
        """Rows that are offered to be destroyed: their account does not show it."""
        for party in PARTIES:
            self.declares(party, 3, 5)
        self.world.sync()

    def mine(self, party: str, account: str | None = None) -> list[Lot]:
        """Lines of the party's own centre in one account, but for what is offered to be destroyed."""
        shown = balances_document(self.world.centres[party].custody)["lots"]
        return [
            lot for lot in shown if lot["account"].startswith(account or f"held/{party}") and not self.is_locked(lot)
        ]

    def is_locked(self, lot: Lot) -> bool:
        """Whether one of its rows, or the lot, is offered to be destroyed."""
        table_of, first, last = span(lot)
        return any((table_of, n) in self.locked for n in range(first, last + 1))

    def line(self, party: str, a: int, account: str | None = None, *, tables: bool = True) -> Lot | None:
        """One line, of rows of a table or of another lot."""
        lots = [lot for lot in self.mine(party, account) if (span(lot)[0] in self.tables) == tables]
        return lots[a % len(lots)] if lots else None

    @staticmethod
    def some(lot: Lot, a: int, b: int) -> dict[str, Any]:
        """Some of its rows: one range, or two."""
        table_of, first, last = span(lot)
        start = first + a % (last - first + 1)
        end = start + b % (last - start + 1)
        more = ((end + 2, last),) if end + 2 <= last and a % 2 else ()
        return rows(table_of, (start, end), *more)

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def declares(self, party: str, a: int, b: int) -> None:
        groups = [group(1 + a, "boat"), group(1 + b % 5, ("cargo", "salt")[a % 2], "store", 1 + b)]
        more = {"supplements": sorted(self.tables)[0]} if party == "ash" and self.tables and b % 3 == 0 else {}
        if more and not more["supplements"].startswith("ash/"):
            more = {}
        entry = self.world.say(party, "table", table(*groups[: 1 + (b % 4 > 0)], **more))
        self.tables[str(entry.place)] = entry

    @rule(party=PARTY, a=NUMBER)
    def finds(self, party: str, a: int) -> None:
        entry = self.world.say(party, "table-found", table(group(1 + a % 3)))
        self.tables[str(entry.place)] = entry

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def corrects_a_line(self, party: str, a: int, b: int) -> None:
        """A row that is as it was declared is deleted, another one added in its place or not, and one comes late."""
        lot = self.line(party, a)
        if lot is None or not lot["lot"].startswith(f"{party}/"):
            return
        table_of, first, last = span(lot)
        name = f"{table_of}/{first + b % (last - first + 1)}"
        if (lot["kind"], lot["place"], lot["amount"]) != self.as_declared(table_of, int(name.rpartition("/")[2])):
            return
        line = {"hash": "0" * 64, "lot": name} | ({"addition": 0} if b % 3 else {})
        entry = self.world.say(party, "table", table(group(1 + b % 2, place="works"), deletions=[line], reason="r"))
        self.tables[str(entry.place)] = entry

    def as_declared(self, table_of: str, number: int) -> tuple[str, str, int] | None:
        frame, first = self.tables[table_of].frame, 0
        assert frame is not None
        for one in frame.content["groups"]:
            if first <= number < first + one["rows"]:
                return one["kind"], one["place"], one["each"]
            first += one["rows"]
        return None

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def acts_in_bulk(self, party: str, a: int, b: int) -> None:
        lot = self.line(party, a)
        if lot is not None:
            selected = {"tables": [self.some(lot, a, b)]}
            form = ("move", "loss", "consume", "state", "move")[b % 5]
            content: dict[str, Any] = {
                "move": {"place": ("works", "store")[a % 2]},
                "state": {"condition": "dry"},
            }.get(form, {"lots": [], "reason": "r"})
            self.world.say(party, form, content | selected)

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def splits_a_row(self, party: str, a: int, b: int) -> None:
        lot = self.line(party, a, tables=b % 3 > 0)
        if lot is not None and lot["unit"] == "g":
            table_of, first, last = span(lot)
            name = f"{table_of}/{first + b % (last - first + 1)}"
            self.world.say(party, "split", {"lot": name, "parts": [row(b % (lot["amount"] + 1), lot["kind"], "works")]})

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def repacks(self, party: str, a: int, b: int) -> None:
        lot, other = self.line(party, a), self.line(party, b, tables=False)
        if lot is None or lot["unit"] != "g" or lot["kind"] == "ash-slag":
            return
        selected = self.some(lot, a, b)
        total, names = selected["count"] * lot["amount"], []
        if other is not None and other["unit"] == "g" and other["kind"] != "ash-slag":
            names, total = [other["lot"]], total + other["amount"]
        parts = [row(total // 3), row(total - total // 3, place="works")]
        self.world.say(party, "repack", {"lots": names, "parts": parts, "tables": [selected]})

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def offers_rows(self, party: str, a: int, b: int) -> None:
        lot, other = self.line(party, a), self.line(party, b, tables=False)
        if lot is None:
            return
        receiver = [name for name in PARTIES if name != party][a % 2]
        names = [held(other["lot"], other["amount"])] if other is not None and b % 2 and other["unit"] == "g" else []
        content = {"lots": names, "receiver": receiver, "place": "harbour", "tables": [self.some(lot, a, b)]}
        self.offers.append(self.world.say(party, "handover", content, named=[receiver]))

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def offers_destruction(self, party: str, a: int, b: int) -> None:
        lot = self.line(party, a)
        if lot is None:
            return
        selected = self.some(lot, a, b)
        content = {
            "lots": [],
            "method": "m",
            "place": "works",
            "evidence": [],
            "residue": [row(b, "ash-slag")] if b % 3 else [],
            "tables": [selected],
        }
        self.locked |= {(selected["table"], n) for first, last in selected["rows"] for n in range(first, last + 1)}
        self.offers.append(
            self.world.say(party, "destroy", content, named=[n for n in PARTIES if n != party][: 1 + a % 2])
        )

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def proposes_to_resolve(self, party: str, a: int, b: int) -> None:
        disputed = [lot for lot in self.mine(party, f"disputed/{party}/") if span(lot)[0] in self.tables]
        if disputed:  # only the giver proposes here, so that no two proposals cross
            lot = disputed[a % len(disputed)]
            selected, sides = self.some(lot, a, b), lot["account"].split("/")[1:]
            self.locked |= {(selected["table"], n) for first, last in selected["rows"] for n in range(first, last + 1)}
            content = {"lots": [], "holder": sides[a % 2], "tables": [selected]}
            self.offers.append(self.world.say(party, "resolve", content, named=[sides[1]]))

    @precondition(lambda self: self.offers)
    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def answers(self, party: str, a: int, b: int) -> None:
        record = self.world.centres[party].record
        mine = [
            offer
            for offer in self.offers
            if offer.frame is not None
            and party in (offer.frame.named or ())
            and record.entry(offer.place) is not None
            and offer.place not in record.journals[party].answered
        ]
        if not mine:
            return
        frame = mine[a % len(mine)].frame
        assert frame is not None
        refers = [mine[a % len(mine)].place]
        if b % 5 == 0:
            self.world.say(party, "refuse", {"reason": "r"}, refers_to=refers)
            return
        answer = FULL
        if frame.format == "handover" and b % 2:
            arrived = [self.arrived(one, b) for one in frame.content["tables"]]
            counted = [held(x["lot"], b % (x["quantity"]["amount"] + 1)) for x in frame.content["lots"]]
            answer = FULL | {"extent": "part", "received": counted, "tables": arrived}
        self.world.say(party, "accept", answer, refers_to=refers)

    @staticmethod
    def arrived(one: dict[str, Any], b: int) -> dict[str, Any]:
        """What came of a selection: nothing, all but the first rows, or the first rows."""
        ranges = [tuple(x) for x in one["rows"]]
        kept = {0: [], 1: [(x + 1, y) for x, y in ranges if y > x], 2: [(x, x) for x, _ in ranges]}[b % 3]
        return rows(one["table"], *kept)

    @precondition(lambda self: self.offers)
    @rule(b=NUMBER)
    def everybody_answers_everything(self, b: int) -> None:
        self.world.sync()
        for party in PARTIES:
            for number in range(3):
                self.answers(party, number, b)
        self.world.sync()

    @rule(party=PARTY)
    def counts_what_is_there(self, party: str) -> None:
        """A true count finds nothing."""
        shown = balances_document(self.world.centres[party].custody)["lots"]
        groups = [
            group(x.get("rows", 1), x["kind"], x["place"], x["amount"], x["unit"])
            for x in shown
            if x["account"] == f"held/{party}" and x["amount"]
        ]
        self.world.say(party, "count", {"basis": "counted", "groups": groups})

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
        writers: dict[tuple[str, int], str] = {}
        for party, centre in self.world.centres.items():
            document = balances_document(centre.custody)
            self.check_accounts(centre, document)
            assert not [one for one in document["discrepancies"] if one["code"] not in EXPECTED]
            assert documents(centre) == rebuilt(centre).documents()
            for lot in document["lots"]:
                table_of, first, last = span(lot)
                for number in range(first, last + 1) if lot["account"] == f"held/{party}" else ():
                    assert writers.setdefault((table_of, number), party) == party

    def check_accounts(self, centre: Centre, document: dict[str, Any]) -> None:
        """The sums of all accounts are what was brought in; no row stands in two lines."""
        names = [(table_of, n) for table_of, a, b in map(span, document["lots"]) for n in range(a, b + 1)]
        assert len(set(names)) == len(names)
        judged = {party: len(state.entries) for party, state in centre.record.journals.items()}
        leaves = {party: centre.store.leaves(party, 1, size) for party, size in judged.items()}
        reading = Reading(PARTIES, "all", centre.record.log)
        expected = brought_in(
            leaves, lambda party, number: reading.effective(reading.said[Place(party, number)], judged), {}
        )
        for said in (payload_of(leaf) for journal in leaves.values() for leaf in journal):
            for one in said["content"]["groups"] if said["format"] in ("table", "table-found") else ():
                expected[one["unit"]] += one["rows"] * one["each"]
        found: Counter[str] = Counter()
        for account in document["accounts"]:
            assert account["unstated"] == 0
            found[account["unit"]] += account["stated"] + account["derived"]
        assert found == expected
        assert all(lot["amount"] >= 0 for lot in document["lots"])

    def teardown(self) -> None:
        self.world.sync()
        centres = list(self.world.centres.values())
        leaves, shown = leaves_of(centres[0]), documents(centres[0])
        assert all(documents(centre) == shown and leaves_of(centre) == leaves for centre in centres)
        order = [party for party, held_leaves in leaves.items() for _ in held_leaves]
        Random(len(leaves["ash"])).shuffle(order)
        assert in_order([self.world.pack], leaves, order).documents() == shown


EXPECTED = {"short", "unanswered", "not-settled"}
"""What a record may have in which everybody does only what may be done."""
TestRows = Rows.TestCase
TestRows.settings = settings(max_examples=20, stateful_step_count=30)
