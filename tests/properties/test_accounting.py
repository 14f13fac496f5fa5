# SPDX-License-Identifier: Apache-2.0
"""Histories of handovers, counts, seals, attempts and destructions: what holds whatever anybody does, in any order.

Every reader shows the same documents; no account gains or loses; whatever is in dispute is on the list; nothing is
closed by one side; nothing is destroyed without a quorum of its witnesses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from random import Random
from typing import Any, cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from servanda.journal.record import Record
from servanda.operations.bookkeeping import COMMANDS
from servanda.operations.bundles import export_bundle
from servanda.operations.centre import Centre
from servanda.operations.citing import cite_if_it_helps
from servanda.operations.discrepancies import discrepancies_at
from servanda.operations.errors import Refusal
from servanda.registers.books.fold import BooksRegister
from servanda.registers.custody.containers import containers_document
from servanda.registers.custody.fold import CustodyRegister
from servanda.registers.custody.views import balances_document
from servanda.registers.discrepancies.fold import DiscrepanciesRegister
from servanda.registers.handovers.fold import HandoversRegister
from servanda.registers.seals.fold import SealsRegister
from servanda.registers.sites.fold import SitesRegister
from tests.dossier.forgery import pins_of, verdicts
from tests.rig.depot import accept, depot_world
from tests.rig.replica import leaves_of, prepared, remembered
from tests.rig.world import World, held, row

PARTIES = ("ash", "birch", "cedar", "dune")
AT = date(2014, 2, 1)
CRATE = {"kind": "boat", "place": "store", "quantity": {"amount": 1, "basis": "stated", "unit": "piece"}}
PARTY, NUMBER = st.sampled_from(PARTIES), st.integers(0, 30)


class Reader:
    """A record and the registers of accounting, fed with leaves one at a time."""

    def __init__(self, world: World) -> None:
        self.record = Record(world.pack, remembered)
        self.registers = [
            CustodyRegister(self.record), HandoversRegister(self.record), SealsRegister(self.record),
            SitesRegister(self.record), BooksRegister(self.record), DiscrepanciesRegister(self.record),
        ]  # fmt: skip
        self.custody, self.handovers, self.seals, self.sites, self.books, self.discrepancies = self.registers

    def feed(self, party: str, leaf: bytes) -> None:
        self.record.add_leaves(party, [prepared(leaf)])
        self.record.judge()
        for register in self.registers:
            register.catch_up()


def documents(reader: Any) -> list[Any]:
    asked = {"at": AT.isoformat()}
    return [discrepancies_at(reader, AT), *(COMMANDS[name](reader, asked) for name in sorted(COMMANDS))]


class Accounting(RuleBasedStateMachine):
    """Four parties; ash alone destroys, and the others are its witnesses."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World = depot_world()
        self.effective: dict[str, set[Any]] = {party: set() for party in PARTIES}

    def attempt(self, party: str, form: str, content: dict[str, Any], **members: Any) -> None:
        """Say it, if the party's own centre lets it: what is refused changes nothing."""
        with suppress(Refusal):
            self.world.say(party, form, content, **members)

    def lots(self, party: str, start: str) -> list[dict[str, Any]]:
        rows = balances_document(self.world.centres[party].custody)["lots"]
        return [lot for lot in rows if lot["account"].startswith(start) and lot["basis"] == "stated"]

    def offers(self, party: str, form: str) -> list[Any]:
        record = self.world.centres[party].record
        return [e for e in record.log if e.frame is not None and e.frame.format == form and e.admissible]

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def declares(self, party: str, a: int, b: int) -> None:
        self.attempt(party, "declare", {"lots": [row(a), row(b, place="works")]})

    @rule(party=PARTY, a=NUMBER)
    def hands_over(self, party: str, a: int) -> None:
        mine = self.lots(party, f"held/{party}")
        if mine:
            lot, receiver = mine[a % len(mine)], PARTIES[(PARTIES.index(party) + 1 + a % 3) % 4]
            content = {
                "lots": [{"lot": lot["lot"], "quantity": self.quantity(lot)}],
                "receiver": receiver,
                "place": "harbour",
            }
            self.attempt(party, "handover", content, named=(receiver,))

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def counts(self, party: str, a: int, b: int) -> None:
        offers = self.offers(party, "handover")
        if offers:
            offer = offers[a % len(offers)]
            lot = offer.frame.content["lots"][0]["lot"]
            content = {"counts": [held(lot, b)], "reason": ("theft", "miscount")[b % 2]}
            self.attempt(party, "recount", content, refers_to=(offer.place,))
            shipment = {"carrier": "c", "expected": "2014-01-15", "seals": ["s1"]}
            self.attempt(party, "ship", shipment, refers_to=(offer.place,))

    @rule(party=PARTY, a=NUMBER)
    def destroys(self, party: str, a: int) -> None:
        mine = [lot for lot in self.lots("ash", "held/ash") if lot["unit"] == "g"]
        if mine:
            lot = mine[a % len(mine)]
            content = {"lots": [held(lot["lot"], lot["amount"])], "method": "fire", "place": "works", "evidence": []}
            self.attempt("ash", "clear", {**content, "residue": [row(a, "ash-slag")]}, named=PARTIES[1:])

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def answers(self, party: str, a: int, b: int) -> None:
        record = self.world.centres[party].record
        open_ = [
            offer
            for offer in record.threads.offers.values()
            if party in offer.named and offer.place not in record.journals[party].answered
        ]
        for offer in open_[: 1 + a % 3]:
            entry = record.entry(offer.place)
            assert entry is not None
            assert entry.frame is not None
            if b % 5 == 0:
                self.attempt(party, "refuse", {"reason": "r"}, refers_to=(offer.place,))
            elif b % 3 == 0 and entry.frame.format == "handover":
                received = [
                    {**item, "quantity": {**item["quantity"], "amount": (b + i) % (item["quantity"]["amount"] + 1)}}
                    for i, item in enumerate(entry.frame.content["lots"])
                ]
                accept(self.world, party, entry, *received)
            else:
                accept(self.world, party, entry)

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def handles_seals(self, party: str, a: int, b: int) -> None:
        mine = self.lots(party, f"held/{party}")
        action = ("applied", "checked", "broken", "removed")[b % 4]
        if mine:
            content = {"lot": mine[a % len(mine)]["lot"], "seal": f"s{a % 3}", "action": action}
            self.attempt(party, "fasten", content, event_at=f"2014-01-{10 + b % 20}")
        look = {"by": "x", "checks": [{"seal": f"s{b % 3}", "result": ("intact", "missing")[a % 2]}]}
        self.attempt(party, "look", look)

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def states(self, party: str, a: int, b: int) -> None:
        state = ("open", "denied", "closed")[a % 3]
        self.attempt(party, "gate", {"place": ("store", "works")[b % 2], "state": state, "reason": "r"})
        line = {"kind": "cargo", "place": "store", "standing": "counted", "quantity": row(b)["quantity"]}
        self.attempt(party, "book", {"of": PARTIES[a % 4], "rows": [line]})

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def talks_about_a_discrepancy(self, party: str, a: int, b: int) -> None:
        shown = discrepancies_at(self.world.centres[party], AT)["discrepancies"]
        if not shown:
            return
        item = shown[a % len(shown)]
        content = {"keys": [item["key"]], "reason": ("damage", "paperwork")[b % 2], "words": "w"}
        form = ("attempt", "rejoin", "conclude")[b % 3]
        others = [side for side in item["sides"] if side != party] or [p for p in PARTIES if p != party][:1]
        named = others[: 1 + a % 3] if form == "conclude" else None
        self.attempt(party, form, content, **({"named": tuple(named)} if named else {}))

    @rule(a=NUMBER, b=NUMBER)
    def everybody_answers_everything(self, a: int, b: int) -> None:
        self.world.sync()
        for party in PARTIES:
            self.answers(party, a, b)
        self.world.sync()

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def something_is_handed_over_and_answered(self, party: str, a: int, b: int) -> None:
        self.declares(party, 5 + a, 5 + b)
        self.hands_over(party, a)
        self.world.sync()
        self.counts(PARTIES[a % 4], a, b)
        self.everybody_answers_everything(2, b)

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def something_is_talked_about_and_closed(self, party: str, a: int, b: int) -> None:
        self.talks_about_a_discrepancy(party, a, 3 * b + 2)
        self.everybody_answers_everything(2, 1 + 5 * (b % 2))
        self.talks_about_a_discrepancy(party, a, b)

    @rule(a=NUMBER, b=NUMBER)
    def something_is_destroyed(self, a: int, b: int) -> None:
        self.declares("ash", 1 + a, b)
        self.destroys("ash", a)
        self.world.sync()
        for index, witness in enumerate(PARTIES[1:]):
            self.answers(witness, 2, 5 if b % 3 == index else 1)
        self.world.sync()

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def packs_and_moves(self, party: str, a: int, b: int) -> None:
        if a % 4 == 0:
            self.attempt(party, "declare", {"lots": [CRATE, CRATE, row(a), row(b)]})
        mine = self.lots(party, f"held/{party}")
        crates = [lot["lot"] for lot in mine if lot["unit"] == "piece"]
        if not crates:
            return
        crate, other = crates[a % len(crates)], mine[b % len(mine)]["lot"]
        self.attempt(party, ("box", "unbox")[b % 5 == 0], {"container": crate, "lots": [other]})
        self.attempt(party, "move", {"lot": (crate, other)[a % 2], "place": ("works", "store")[b % 2]})

    @rule(party=PARTY, a=NUMBER, b=NUMBER)
    def hands_over_a_container(self, party: str, a: int, b: int) -> None:
        book = self.world.centres[party].custody.book
        tops = [top for top in containers_document(book) if top["account"] == f"held/{party}"]
        if not tops:
            return
        top = tops[a % len(tops)]
        lots = list(_levels(top))[: None if b % 4 else 1]
        named = [{"lot": x["lot"], "quantity": self.quantity(x)} for x in lots]
        receiver = PARTIES[(PARTIES.index(party) + 1 + a % 3) % 4]
        content = {"lots": named, "receiver": receiver, "place": "harbour"}
        self.attempt(party, "handover", content, named=(receiver,))
        self.everybody_answers_everything(2, b)

    @staticmethod
    def quantity(lot: dict[str, Any]) -> dict[str, Any]:
        return {"amount": lot["amount"], "basis": "stated", "unit": lot["unit"]}

    @rule(party=PARTY, a=NUMBER)
    def asks(self, party: str, a: int) -> None:
        content = {"owner": PARTIES[a % 4], "reason": "paperwork", "subject": "s", "words": "w"}
        self.attempt(party, "query", content)

    @rule(party=PARTY, a=NUMBER)
    def delivers(self, party: str, a: int) -> None:
        self.world.deliver(party, [name for name in PARTIES if name != party][a % 3])
        cite_if_it_helps(self.world.centres[party])

    @rule()
    def exchanges_everything(self) -> None:
        self.world.sync()

    @invariant()
    def every_centre_keeps_its_books(self) -> None:
        for centre in self.world.centres.values():
            record = centre.record
            now = {p for p, offer in record.threads.offers.items() if record.effective(offer, record.whole)}
            assert self.effective[centre.party] <= now  # what is settled never becomes undone
            self.effective[centre.party] = now
            check_sums(centre)
            check_containers(centre)
            check_closures(centre)

    def teardown(self) -> None:
        self.world.sync()
        centres = list(self.world.centres.values())
        shown = documents(centres[0])
        assert all(documents(centre) == shown for centre in centres)
        leaves = leaves_of(centres[0])
        order = [party for party, kept in leaves.items() for _ in kept]
        Random(len(order)).shuffle(order)
        reader, given = Reader(self.world), dict.fromkeys(leaves, 0)
        for party in order:
            reader.feed(party, leaves[party][given[party]])
            given[party] += 1
        assert documents(cast("Centre", reader)) == shown
        found = verdicts(export_bundle(centres[0], "dossier", "2026-01-04T00:00:00Z"), pins_of(self.world))
        assert (found.ours, found.alone) == ("", "")


def _levels(top: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield top
    for inner in top["contents"]:
        yield from _levels(inner)


def check_containers(centre: Centre) -> None:
    """Nothing is in two containers or in itself; what is in one is where it is and held by the same."""
    seen: set[str] = set()
    for top in containers_document(centre.custody.book):
        for level in _levels(top):
            assert level["lot"] not in seen
            seen.add(level["lot"])
            inner = level["contents"]
            total: Counter[str] = Counter({one["unit"]: 0 for one in inner})
            for one in inner:
                total.update({one["unit"]: one["amount"]})
                total.update(one["within"])
                assert (one["account"], one["place"]) == (level["account"], level["place"])
            assert dict(total) == level["within"]


def check_sums(centre: Centre) -> None:
    record, total = centre.record, Counter[str]()
    for entry in record.log:
        effect, frame = record.effect_of(entry), entry.frame
        if frame is not None and effect == "custody.declare":
            total.update(_sum(frame.content["lots"]))
        if frame is not None and effect == "custody.destroy":
            offer = record.threads.offers[entry.place]
            if record.effective(offer, record.whole):
                total.update(_sum(frame.content["residue"]))
                assert len(offer.acceptances.keys() & {"birch", "cedar", "dune"}) >= 2
            else:
                lots = {item["lot"] for item in frame.content["lots"]}
                assert not [
                    x
                    for x in balances_document(centre.custody)["lots"]
                    if x["lot"] in lots
                    and x["account"].startswith("destroyed/")
                    and not _destroyed_by_another(record, entry, lots)
                ]
    document = balances_document(centre.custody)
    shown: Counter[str] = Counter()
    for account in document["accounts"]:
        shown.update({account["unit"]: account["stated"] + account["derived"]})
    assert +shown == +total
    disputed = {lot["lot"] for lot in document["lots"] if lot["account"].startswith("disputed/")}
    assert disputed == {item["lot"] for item in document["discrepancies"] if item["code"] == "short"}
    listed = {item["lot"] for item in discrepancies_at(centre, AT)["discrepancies"] if item["code"] == "short"}
    assert disputed <= listed


def _sum(rows: list[dict[str, Any]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for item in rows:
        total.update({item["quantity"]["unit"]: item["quantity"]["amount"]})
    return total


def _destroyed_by_another(record: Record, entry: Any, lots: set[str]) -> bool:
    return any(
        record.effective(record.threads.offers[other.place], record.whole)
        for other in record.log
        if other is not entry and record.effect_of(other) == "custody.destroy" and other.frame is not None
        if lots & {item["lot"] for item in other.frame.content["lots"]}
    )


def check_closures(centre: Centre) -> None:
    for item in discrepancies_at(centre, AT)["discrepancies"]:
        if item["closed-by"] is not None:
            party, number = item["closed-by"].split("/")
            entry = centre.record.journals[party].entries[int(number) - 1]
            offer = centre.record.threads.offers[entry.place]
            signed = {offer.author, *offer.acceptances}
            assert set(item["sides"]) <= signed
            assert len(signed) >= 2
        if item["cause"] == "present" and item["closed-by"] is None:
            assert item["state"] in ("open", "replied", "overdue")


TestAccounting = Accounting.TestCase
TestAccounting.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
