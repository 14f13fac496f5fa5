# SPDX-License-Identifier: Apache-2.0
"""Tables as entries commit to them, and rows selected of them; and the balances that both programs find."""

from __future__ import annotations

import hashlib
from typing import Any

from servanda.operations.bundles import export_bundle
from servanda.registers.custody.views import balances_document
from tests.dossier.forgery import pins_of, verdicts
from tests.rig.world import World

Content = dict[str, Any]


def root(rows: int, word: str = "x") -> str:
    """A root: that of the empty tree without rows, else any."""
    return hashlib.sha256(f"{word}{rows}".encode() if rows else b"").hexdigest()


def commitment(rows: int) -> Content:
    return {"root": root(rows), "rows": rows, "secret": "0" * 64, "servanda-table": 1}


def group(rows: int, kind: str | None = "boat", place: str | None = "store", each: Any = 1, unit: str = "") -> Content:
    units = {"boat": "piece", None: "piece"}
    return {"each": each, "kind": kind, "place": place, "rows": rows, "unit": unit or units.get(kind, "g")}


def table(*groups: Content, **more: Any) -> Content:
    """A declaration by table; without groups it is a nil declaration."""
    return {"groups": list(groups), "table": commitment(sum(one["rows"] for one in groups)), **more}


def rows(entry: Any, *ranges: tuple[int, int]) -> Content:
    """A selection of the rows of the table in an entry."""
    count = sum(last - first + 1 for first, last in ranges)
    return {"count": count, "rows": [list(one) for one in ranges], "table": str(getattr(entry, "place", entry))}


def handover(receiver: str, *selected: Content, lots: tuple[Content, ...] = (), place: str = "harbour") -> Content:
    return {"lots": list(lots), "place": place, "receiver": receiver, "tables": list(selected)}


def part(*selected: Content, received: tuple[Content, ...] = ()) -> Content:
    return {"condition": None, "extent": "part", "received": list(received), "tables": list(selected)}


def balances(world: World) -> Content:
    """The balances document, after both programs have found it in a dossier of everything."""
    world.sync()
    document: Content = balances_document(world.centres["birch"].custody)
    found = verdicts(export_bundle(world.centres["birch"], "dossier", "2026-01-04T00:00:00Z"), pins_of(world))
    assert found.shown["registers"]["custody"] == document
    assert (found.ours, found.alone) == ("", "")
    return document


def holdings(document: Content) -> list[tuple[Any, ...]]:
    """Lot, how many rows, account, place of every lot that is shown."""
    return [(lot["lot"], lot.get("rows", 1), lot["account"], lot["place"]) for lot in document["lots"]]


def faults(document: Content) -> list[tuple[Any, ...]]:
    """Code, entry, lot and how many rows of every discrepancy; kind and place instead, where a count differs."""
    return [
        (
            one["code"],
            one["entry"],
            *((one["kind"], one["place"]) if "kind" in one else (one["lot"], one.get("rows", 1))),
        )
        for one in document["discrepancies"]
    ]
