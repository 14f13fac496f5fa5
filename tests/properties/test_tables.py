# SPDX-License-Identifier: Apache-2.0
"""Tables among parties without manners: rows selected in bulk, received in part, corrected, counted, in any order.

Every reader comes to the same bytes: every centre, whoever is given the entries one by one in another order, one that
keeps an object for every single row, and the stand-alone verifier, which asks for the state of a lot in a view instead.
No piece is ever made or lost on the way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servanda.journal.frame import Place
from servanda.operations.bundles import export_bundle
from servanda.registers.custody import bytable
from servanda.registers.custody.lots import LotName, Quantity
from servanda.registers.custody.rows import TableRows
from tests.dossier.forgery import pins_of, verdicts
from tests.properties.test_disorder import KINDS, PLACES, Disorder
from tests.rig.ledger import payload_of
from tests.rig.pen import refer
from tests.rig.replica import documents, in_order, leaves_of, rebuilt
from tests.rig.tables import group, rows, table
from tests.rig.world import grams, row

PARTIES = ("ash", "birch", "cedar")
Step = tuple[str, int, int, int, int]


class Tables(Disorder):
    """Their tables have pieces, which nobody splits or repacks, and grams, which they do."""

    def __init__(self, parties: tuple[str, ...], random: Random) -> None:
        super().__init__(parties, random)
        self.tables: list[Any] = []
        for party in parties:
            self.declare_table(party, 1, 2, 3)
        self.world.sync()

    def _groups(self, a: int, b: int, c: int) -> list[dict[str, Any]]:
        pieces = group(1 + a % 6, None if b % 9 == 0 else "boat", None if c % 7 == 0 else PLACES[a % 2])
        each = None if a % 8 == 0 else {"from": 1, "to": 9} if a % 8 == 1 else 1 + b % 5
        return [pieces, group(1 + b % 3, KINDS[c % 2], PLACES[b % 2], each), group(1 + c % 4, "boat", "store")]

    def declare_table(self, party: str, a: int, b: int, c: int) -> None:
        """A declaration by table, or what was found."""
        entry = self._write(party, "table-found" if c % 9 == 0 else "table", table(*self._groups(a, b, c)), 3)
        self.tables += [entry] if entry else []

    def amend(self, party: str, a: int, b: int, c: int) -> None:
        """A further table that deletes rows of others, its own or not, some of them not there."""
        names = [f"{self._table(party, a).place}/{n}" for n in (b % 10, (b + c) % 12)[: 1 + c % 2]]
        lines = [{"hash": "0" * 64, "lot": n, **({"addition": i} if a % 3 else {})} for i, n in enumerate(names)]
        supplements = {"supplements": str(self._table(party, b).place)} if c % 4 == 0 else {}
        content = table(*self._groups(a, b, c)[2:], deletions=lines, reason="r", **supplements)
        entry = self._write(party, "table", content, 2)
        self.tables += [entry] if entry else []

    def _table(self, party: str, a: int) -> Any:
        mine = [entry for entry in self.tables if entry.place.party == party]
        among = mine if mine and a % 4 else self.tables
        return among[-1 - a % len(among)]

    def _select(self, party: str, a: int, b: int, c: int) -> list[dict[str, Any]]:
        first, second = self._table(party, a), self._table(party, c)
        size, start = first.frame.content["table"]["rows"] - (a % 6 > 0), b % 5
        ranges = [(start, min(start + c % 4, max(start, size)))]
        chosen = [rows(first, *ranges, *(((ranges[0][1] + 2, size),) if size > ranges[0][1] + 2 else ()))]
        if second is not first and b % 3 == 0:
            chosen.append(rows(second, (0, c % 3)))
        return chosen

    def bulk(self, party: str, a: int, b: int, c: int) -> None:
        """One act on many rows, and sometimes on a lot besides."""
        selected = {"tables": self._select(party, a, b, c)}
        lots = [self._lot(party, a)] if c % 3 == 0 else []
        forms: list[tuple[str, dict[str, Any]]] = [
            ("move", {"place": PLACES[c % 2], **selected}),
            ("loss", {"lots": lots, "reason": "r", **selected}),
            ("consume", {"lots": lots, "reason": "r", **selected}),
            ("state", {"condition": "dry", **selected}),
            ("move", {"lot": self._lot(party, c), "place": PLACES[a % 2], **selected}),
        ]
        self._write(party, *forms[b % 5])

    def repack(self, party: str, a: int, b: int, c: int) -> None:
        """Grams of rows and lots together, sometimes the right sum."""
        found = self._table(party, a)
        groups = found.frame.content["groups"]
        first = sum(one["rows"] for one in groups[:1])
        each = groups[1]["each"] if len(groups) > 1 else 1
        total = each if isinstance(each, int) else 4
        content = {"lots": [], "parts": [row(total - b % 2)], "tables": [rows(found, (first, first))]}
        self._write(party, "repack", content, 1)

    def offer_rows(self, party: str, a: int, b: int, c: int) -> None:
        """A handover of rows and sometimes of a lot."""
        receiver = self._other(party, b)
        lots = [self._held(party, self._lot(party, a), b)] if c % 3 == 0 else []
        content = {"lots": lots, "receiver": receiver, "place": PLACES[c % 2], "tables": self._select(party, a, b, c)}
        entry = self._write(party, "handover", content, named=[receiver])
        self.offers += [entry] if entry and entry.admissible else []
        self._heard(party, c)

    def _heard(self, party: str, c: int) -> None:
        """Mostly the others hear of an offer, and one of them answers."""
        if c % 4:
            self.world.sync(cite=c % 3 > 0)
            for other in self.parties:
                self.accept(other, self.random.randrange(40), self.random.randrange(40), self.random.randrange(40))

    def destroy_rows(self, party: str, a: int, b: int, c: int) -> None:
        """A destruction of rows, witnessed by one other."""
        content = {
            "lots": [],
            "method": "m",
            "place": "works",
            "evidence": [],
            "residue": [row(b % 5, "ash-slag")] if c % 3 else [],
            "tables": self._select(party, a, b, c),
        }
        entry = self._write(party, "destroy", content, len(content["residue"]), named=[self._other(party, c)])
        self.offers += [entry] if entry and entry.admissible else []
        self._heard(party, c)

    def resolve_rows(self, party: str, a: int, b: int, c: int) -> None:
        """Rows in dispute go to one of the two."""
        tables = self.world.centres[party].custody.holdings.tables
        disputed = [lot for own in tables.values() for lot in own.lots if party in lot.disputants]
        if not disputed:
            return
        lot = disputed[a % len(disputed)]
        other = next(name for name in lot.disputants if name != party)
        some = rows(lot.name.place, (lot.name.row, lot.name.row + b % lot.rows))
        some["table"] = f"{lot.name.party}/{lot.name.number}"
        content = {"lots": [], "holder": (party, other)[c % 2], "tables": [some]}
        entry = self._write(party, "resolve", content, named=[other])
        self.offers += [entry] if entry and entry.admissible else []
        self._heard(party, c)

    def cross_rows(self, party: str, a: int, b: int, c: int) -> None:
        """Both sides of a dispute propose at once, without having heard of one another."""
        self.world.sync()
        for name in self.parties:
            self.resolve_rows(name, a, b, 0)

    def accept(self, party: str, a: int, b: int, c: int) -> None:
        """An answer to an offer; of rows some are received, or none, or all."""
        record = self.world.centres[party].record
        mine = [e for e in self.offers if party in (e.frame.named or ()) and record.entry(e.place)]
        fresh = [e for e in mine if e.place not in record.journals[party].answered]
        mine = fresh if fresh and a % 8 else mine
        if not mine or "tables" not in mine[a % len(mine)].frame.content:
            super().accept(party, a, b, c)
            return
        offer = mine[a % len(mine)]
        content: dict[str, Any] = {"extent": "full", "received": [], "condition": None}
        if offer.frame.format == "handover" and b % 3:
            content |= {"extent": "part", "tables": [_some(one, b + c) for one in offer.frame.content["tables"]]}
            for item in offer.frame.content["lots"]:
                amount = c % (item["quantity"].get("amount", 9) + 1)
                content["received"].append({"lot": item["lot"], "quantity": grams(amount)})
        form, content = ("refuse", {"reason": "r"}) if c % 7 == 0 else ("accept", content)
        entry = self._write(party, form, content, len(content.get("received", ())), refers_to=[refer(offer)])
        self.acceptances += [entry] if entry else []

    def count(self, party: str, a: int, b: int, c: int) -> None:
        """A complete count that may be wrong."""
        groups = [
            group(1 + a % 6, "boat", PLACES[b % 2]),
            group(1 + c % 2, "cargo", PLACES[b % 2], None if c % 5 else 3),
        ]
        content: dict[str, Any] = {"basis": "counted", "groups": groups[: a % 3]}
        self._write(party, "count", content | ({"places": [PLACES[b % 2]]} if c % 2 else {}))


def _some(selection: dict[str, Any], number: int) -> dict[str, Any]:
    """Part of a selection: none, the first row of each range, or all but that."""
    ranges = [tuple(one) for one in selection["rows"]]
    kept = {0: [], 1: [(a, a) for a, _ in ranges], 2: [(a + 1, b) for a, b in ranges if b > a]}[number % 3]
    return rows(selection["table"], *kept)


class SingleRows(TableRows):
    """A lot for every row from the beginning: what the page says, word by word."""

    def __init__(self, place: Place, content: dict[str, Any], account: str, quantities: Iterable[Quantity]) -> None:
        groups = [{**one, "rows": 1} for one in content["groups"] for _ in range(one["rows"])]
        each = [q for one, q in zip(content["groups"], quantities, strict=True) for _ in range(one["rows"])]
        super().__init__(place, {"groups": groups}, account, each)


@contextmanager
def single_rows() -> Iterator[None]:
    """Every table in an object for each row."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bytable, "TableRows", SingleRows)
        yield


def pieces(document: dict[str, Any]) -> int:
    """All that is in any account."""
    assert all(one["unstated"] == 0 and "sealed" not in one for one in document["accounts"] if one["unit"] == "piece")
    return sum(one["stated"] for one in document["accounts"] if one["unit"] == "piece")


def pieces_brought_in(leaves: dict[str, list[bytes]], document: dict[str, Any]) -> int:
    """Every row of a table in pieces, but for additions whose deletion came too late: from the entries alone."""
    refused, late = set(), set()
    for one in document["discrepancies"]:
        if one["code"].startswith("posting/"):
            refused.add(one["entry"])
        elif one["code"] == "late-correction" and one["lot"]:
            table_of, _, first = one["lot"].rpartition("/")
            late |= {(one["entry"], f"{table_of}/{int(first) + n}") for n in range(one.get("rows", 1))}
    total = 0
    for party, held in leaves.items():
        for number, leaf in enumerate(held, start=1):
            said, entry = payload_of(leaf), f"{party}/{number}"
            if said["format"] in ("table", "table-found") and entry not in refused:
                units = [one["unit"] for one in said["content"]["groups"] for _ in range(one["rows"])]
                for line in said["content"].get("deletions", ()):
                    if "addition" in line and (entry, line["lot"]) in late:
                        units[line["addition"]] = ""
                total += units.count("piece")
    return total


ACTS = ["declare_table", "amend", "amend", "bulk", "bulk", "bulk", "repack", "offer_rows", "offer_rows", "offer_rows"]
ACTS += ["cross_rows", "cross_rows"]
ACTS += [
    "destroy_rows",
    "resolve_rows",
    "resolve_rows",
    "split",
    "merge",
    "remark",
    "offer",
    "contest",
    "count",
    "count",
]
ACTS += ["accept"] * 6 + ["deliver", "deliver", "look", "cite", "sync", "sync"]
NUMBERS = st.integers(0, 40)
STEPS = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 2), NUMBERS, NUMBERS, NUMBERS), min_size=12, max_size=50
)


@settings(max_examples=60)
@given(STEPS, st.sampled_from([2, 3]), st.randoms(use_true_random=False))
def test_every_reader_finds_the_same_in_tables_and_no_piece_is_made_or_lost(
    steps: list[Step], parties: int, random: Random
) -> None:
    disorder = Tables(PARTIES[:parties], random)
    disorder.run(steps)
    world = disorder.world
    world.sync()
    birch = world.centres["birch"]
    leaves, expected = leaves_of(birch), rebuilt(birch).documents()
    for centre in world.centres.values():
        assert documents(centre) == expected
    document = json.loads(expected[0])
    assert pieces(document) == pieces_brought_in(leaves, document)
    order = [party for party, held in leaves.items() for _ in held]
    random.shuffle(order)
    assert in_order([world.pack], leaves, order).documents() == expected
    with single_rows():
        assert rebuilt(birch).documents() == expected
    found = verdicts(export_bundle(birch, "dossier", "2026-01-04T00:00:00Z"), pins_of(world))
    assert found.shown["registers"]["custody"] == document
    assert (found.ours, found.alone) == ("", "")


def test_rows_are_carved_as_if_each_were_alone() -> None:
    quantity = Quantity(1, "piece")
    content = {"groups": [group(1000)]}
    random = Random(7)
    whole = TableRows(Place("ash", 3), content, "held/ash", [quantity])
    place = dict.fromkeys(range(1000), "store")
    for turn in range(300):
        ranges, at = [], random.randrange(50)
        while at < 1000:
            end = min(at + random.randrange(40), 999)
            ranges.append((at, end))
            at = end + 2 + random.randrange(300)
        for lot in whole.carve(ranges):
            lot.place = str(turn)
        place |= {n: str(turn) for first, last in ranges for n in range(first, last + 1)}
    shown = {lot.name.row + n: lot.place for lot in whole.lots for n in range(lot.rows)}
    assert shown == place
    assert whole.lots[0].name == LotName("ash", 3, 0)
    assert all(whole.at(row).name.row <= row for row in range(1000))  # type: ignore[union-attr]
    assert whole.at(1000) is None
