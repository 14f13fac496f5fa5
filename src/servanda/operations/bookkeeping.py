# SPDX-License-Identifier: Apache-2.0
"""What the desk may ask about handovers, seals, sites and books: each register's numbers beside those of custody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from servanda.operations.centre import Centre
from servanda.operations.discrepancies import day_asked, handovers_at, refused_postings
from servanda.registers.custody.containers import containers_document
from servanda.registers.custody.views import balances_document
from servanda.registers.seals.views import seals_document
from servanda.registers.sites.views import access

Arguments = Mapping[str, Any]
Sums = dict[str, dict[str, int]]
"""Account to unit to amount."""


def _handovers(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    at = day_asked(centre, arguments)
    return {"at": at.isoformat(), "handovers": handovers_at(centre, at).document()}


def _seals(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    """Every seal; with `lot` those of one lot, with `site` those on lots that are there now, or within it."""
    at = day_asked(centre, arguments)
    seals = seals_document(centre.seals, at, refused_postings(centre))
    lot, site = arguments.get("lot"), arguments.get("site")
    if lot:
        seals = [seal for seal in seals if seal["lot"] == lot]
    if site:
        below = {place for place in _places(centre) if site in _chain(centre, place)}
        there = {row["lot"] for row in balances_document(centre.custody)["lots"] if row["place"] in below}
        seals = [seal for seal in seals if seal["lot"] in there]
    return {"at": at.isoformat(), "seals": seals}


def _places(centre: Centre) -> dict[str, dict[str, Any]]:
    record = centre.record
    pack = record.packs[record.in_force(record.whole) or record.agreement]
    return {place["id"]: place for place in pack.data["places"]}


def _chain(centre: Centre, place: str | None) -> list[str]:
    """A place and all that it lies within."""
    places, found = _places(centre), []
    while place is not None and place in places:
        found.append(place)
        place = places[place].get("within")
    return found


def _sites(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    """Every place: where it lies, what each party says of access, what is there and what lies within it."""
    here: defaultdict[str, Sums] = defaultdict(dict)
    below: defaultdict[str, Sums] = defaultdict(dict)
    not_stated: defaultdict[str, int] = defaultdict(int)
    sealed = 0
    for lot in balances_document(centre.custody)["lots"]:
        if lot["place"] is None:
            sealed += lot.get("rows", 1)
            continue
        if lot["amount"] is None:
            not_stated[lot["place"]] += lot.get("rows", 1)
            continue
        amount = lot["amount"] * lot.get("rows", 1)
        _add(here[lot["place"]], lot, amount)
        for place in _chain(centre, lot["place"]):
            _add(below[place], lot, amount)
    said = access(centre.sites)
    return {
        "sites": [
            {
                "access": [
                    {
                        "entry": str(statement.place),
                        "event-at": statement.frame.event_at,
                        "party": party,
                        "reason": statement.content["reason"],
                        "state": statement.content["state"],
                    }
                    for party, statement in sorted(said.get(place, {}).items())
                ],
                "coordinates": row.get("coordinates"),
                "here": here[place],
                "lots-not-stated": not_stated[place],
                "place": place,
                "with-all-within": below[place],
                "within": row.get("within"),
            }
            for place, row in sorted(_places(centre).items())
        ],
        "lots-at-sealed-places": sealed,
    }


def _add(sums: Sums, lot: Mapping[str, Any], amount: int) -> None:
    units = sums.setdefault(lot["account"], {})
    units[lot["unit"]] = units.get(lot["unit"], 0) + amount


def _containers(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    """Every container that is not empty and in no other, with what is in it at every level."""
    centre.custody.settle()
    return {"containers": containers_document(centre.custody.book)}


def _books(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    """Whose holdings, by kind: what custody shows, and every party's own statement, in columns of its own."""
    parties = sorted(centre.record.journals)
    wanted = arguments.get("of")
    rows: dict[tuple[str, str], dict[str, Any]] = {}

    def column(of: str, kind: str, unit: str, name: str) -> dict[str, Any]:
        row = rows.setdefault((of, kind), {"columns": {}, "kind": kind, "of": of, "unit": unit})
        empty: dict[str, Any] = {"amount": None, "entries": [], "lots": 0, "not-stated": 0}
        found: dict[str, Any] = row["columns"].setdefault(name, empty)
        return found

    for lot in balances_document(centre.custody)["lots"]:
        account, _, holder = lot["account"].partition("/")
        of = holder.partition("/")[0]
        if of not in parties or lot["kind"] is None:
            continue
        found = column(of, lot["kind"], lot["unit"], f"accounts: {account}")
        found["lots"] += lot.get("rows", 1)
        _count(found, lot["amount"], lot.get("rows", 1))
    for (of, party), said in sorted(centre.books.latest().items()):
        for item in said.content["rows"]:
            found = column(of, item["kind"], item["quantity"]["unit"], f"{party}: {item['standing']}")
            found["entries"] = [str(said.place)]
            _count(found, item["quantity"].get("amount"), 1)
    return {"books": [row for (of, _), row in sorted(rows.items()) if wanted in (None, of)]}


def _count(column: dict[str, Any], amount: int | None, times: int) -> None:
    if amount is None:
        column["not-stated"] += times
    else:
        column["amount"] = (column["amount"] or 0) + amount * times


COMMANDS: dict[str, Callable[[Centre, Arguments], Any]] = {
    "handovers": _handovers,
    "seals": _seals,
    "sites": _sites,
    "books": _books,
    "containers": _containers,
}
