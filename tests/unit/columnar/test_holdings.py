# SPDX-License-Identifier: Apache-2.0
"""Balances from lots and rows are what adding up single rows gives; serials are found, and what looks like them."""

from __future__ import annotations

import tempfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servanda.assembly.tables import balances_by, rows_of_serial, value_of_row
from servanda.operations.errors import Refusal
from servanda.proof.canonical import decode
from servanda.storage.columnar.making import seal_table
from servanda.storage.columnar.store import ColumnarTables
from tests.unit.columnar.goods import NAMES, SECRET, csv_file, form

ROWS = 400
ACCOUNTS = ("held/ash", "held/birch", "transit/ash/birch", "disputed/ash/birch", "found")


@cache
def home() -> tuple[Path, str, list[dict[str, Any]]]:
    """A home with one table of boats and salt, its root, and its rows in their order."""
    folder = Path(tempfile.mkdtemp(prefix="servanda-test-"))
    lines = ["kind,place,serial,amount"]
    for number in range(ROWS):
        kind, place = ("boat", "salt")[number % 2], ("store", "harbour")[number % 3 // 2]
        amount = 1 if kind == "boat" else 1 + number % 7
        lines.append(f"{kind},{place},S-{number * 7919 % 100_003:06d},{amount}")
    tables = ColumnarTables(folder / "tables")
    facts = seal_table(tables, csv_file(folder / "b.csv", *lines), form(), NAMES, SECRET, measured=False).facts
    rows = [decode(line) for line in tables.lines(facts.root, 0, ROWS).splitlines()]
    assert all(isinstance(row, dict) for row in rows)
    return folder, facts.root, rows  # type: ignore[return-value]


@st.composite
def segments(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Lots of a balances document: consecutive rows, some of them saying less than others."""
    cuts = sorted(draw(st.sets(st.integers(1, ROWS - 1), max_size=6)))
    lots = []
    for first, after in zip([0, *cuts], [*cuts, ROWS], strict=True):
        sealed = draw(st.sampled_from([(), ("kind",), ("place",), ("kind", "place"), ("kind", "place", "amount")]))
        lot = {
            "lot": f"ash/3/{first}",
            "account": draw(st.sampled_from(ACCOUNTS)),
            "unit": "piece",
            "rows": after - first,
        }
        lot["kind"] = None if "kind" in sealed else "boat"
        lot["place"] = None if "place" in sealed else "moon"
        lot |= {"amount": None, "basis": "sealed"} if "amount" in sealed else {"amount": 5, "basis": "stated"}
        lots.append(lot)
    return lots


@settings(max_examples=25)
@given(segments())
def test_balances_are_the_sums_of_single_rows(lots: list[dict[str, Any]]) -> None:
    folder, root, rows = home()
    amounts, counts = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    for lot in lots:
        first = int(lot["lot"].rpartition("/")[2])
        for row in rows[first : first + lot["rows"]]:
            key = (lot["account"], lot["kind"] or row["kind"], lot["place"] or row["place"])
            counts[key] += 1
            amounts[key] += row["amount"] if lot["amount"] is None else lot["amount"]
    found = balances_by(folder, lots, {"ash/3": root}, ["account", "kind", "site"], explain=True)
    assert {(r["account"], r["kind"], r["site"]): (r["lots"], r["amount"]) for r in found} == {
        key: (counts[key], amounts[key]) for key in counts
    }
    for row in found:
        assert sum(lot["rows"] for lot in row["from-lots"]) == row["lots"]


def test_what_nobody_here_can_open_is_shown_as_sealed_and_not_as_zero() -> None:
    lot = {"lot": "elm/9/0", "account": "held/elm", "unit": "g", "rows": 50, "kind": None, "place": None}
    found = balances_by(
        home()[0], [{**lot, "amount": None, "basis": "sealed"}], {"elm/9": "00" * 32}, ["party", "site"]
    )
    assert [(r["party"], r["site"], r["lots"], r["amount"], r["sealed"]) for r in found] == [
        ("elm", None, 50, None, 50)
    ]


def test_ranges_and_what_is_not_stated_stand_apart() -> None:
    common = {"account": "held/elm", "unit": "g", "kind": "salt", "place": "store"}
    lots = [
        {**common, "lot": "elm/9/0", "rows": 4, "amount": None, "basis": "range", "from": 2, "to": 3},
        {**common, "lot": "elm/10/0", "amount": None, "basis": "not-stated"},
        {**common, "lot": "elm/10/1", "amount": 7, "basis": "stated"},
    ]
    (row,) = balances_by(home()[0], lots, {}, ["party"])
    assert (row["lots"], row["amount"], row["from"], row["to"], row["not-stated"]) == (6, 7, 8, 12, 1)


def test_some_balances_only_and_by_what_there_is() -> None:
    folder, root, rows = home()
    lot = {"lot": "ash/3/0", "account": "held/ash", "unit": "piece", "rows": ROWS, "kind": None, "place": None}
    lots = [{**lot, "amount": 1, "basis": "stated"}]
    (row,) = balances_by(folder, lots, {"ash/3": root}, ["state"], ["kind=boat", "site=store"])
    assert row["lots"] == sum(r["kind"] == "boat" and r["place"] == "store" for r in rows)
    with pytest.raises(Refusal, match="not by colour"):
        balances_by(folder, lots, {}, ["colour"])
    with pytest.raises(Refusal, match="not by colour"):
        balances_by(folder, lots, {}, ["kind"], ["colour=red"])


@given(st.integers(0, ROWS - 1))
def test_a_serial_is_found_with_its_row(row: int) -> None:
    folder, root, rows = home()
    found = rows_of_serial(folder, rows[row]["serial"])
    assert found[0] == {"root": root, "row": row, "serial": rows[row]["serial"], "exact": True}
    assert value_of_row(folder, root, f"ash/3/{row}") == rows[row]


def test_what_looks_like_the_serial_asked_for_is_named() -> None:
    folder, _, rows = home()
    serial = next(row["serial"] for row in rows if "0" in row["serial"])
    (found,) = rows_of_serial(folder, serial.lower().replace("0", "O"))
    assert (found["serial"], found["exact"]) == (serial, False)
    assert rows_of_serial(folder, "S-999999x") == []
