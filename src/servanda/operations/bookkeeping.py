# SPDX-License-Identifier: Apache-2.0
"""What the desk may ask about handovers, seals, sites and books: each register's numbers beside those of custody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from servanda.operations.centre import Centre
from servanda.operations.discrepancies import day_asked, handovers_at, refused_postings
from servanda.operations.errors import Refusal
from servanda.registers.custody.containers import below, containers_document
from servanda.registers.custody.lots import LotName, parse_lot_name
from servanda.registers.custody.views import balances_document
from servanda.registers.seals.views import lives, seals_document
from servanda.registers.sites.views import access

Arguments = Mapping[str, Any]
Sums = dict[str, dict[str, int]]
"""Account to unit to amount."""


def _handovers(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    """Every handover; the seals that a shipment names with what has become of each."""
    at = day_asked(centre, arguments)
    known = lives(centre.seals, refused_postings(centre))
    document = handovers_at(centre, at).document()
    for item in document:
        for shipment in item["shipments"]:
            states = (
                (number, known[number].state(at) if number in known else "unknown") for number in shipment["seals"]
            )
            shipment["seals"] = [{"seal": number, "state": state} for number, state in states]
    return {"at": at.isoformat(), "handovers": document}


def _seals(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    """Every seal; or those of one `lot`, of a `container` and all in it, of the lots at a `site` and within it."""
    at = day_asked(centre, arguments)
    seals = seals_document(centre.seals, at, refused_postings(centre))
    lot, site, container = (arguments.get(name) for name in ("lot", "site", "container"))
    if lot:
        seals = [seal for seal in seals if seal["lot"] == lot]
    if container:
        inside = set(below(centre.custody.book, lot_name(container), centre.record.whole))
        seals = [seal for seal in seals if seal["lot"] in {container, *map(str, inside)}]
    if site:
        places = _places(centre)
        seals = [seal for seal in seals if site in _chain(places, _place_of(centre, seal["lot"]))]
    return {"at": at.isoformat(), "seals": seals}


def lot_name(text: str) -> LotName:
    """Read the name of a lot.

    Raises:
        Refusal: it is none (`usage`).
    """
    try:
        return parse_lot_name(text)
    except ValueError as error:
        raise Refusal(f"{text!r} is no name of a lot (party/number/row)", "usage") from error


def _place_of(centre: Centre, lot: str | None) -> str | None:
    found = centre.custody.holdings.find(lot_name(lot)) if lot else None
    return None if found is None else found.place


def _places(centre: Centre) -> dict[str, dict[str, Any]]:
    record = centre.record
    pack = record.packs[record.in_force(record.whole) or record.agreement]
    return {place["id"]: place for place in pack.data["places"]}


def _chain(places: Mapping[str, Mapping[str, Any]], place: str | None) -> list[str]:
    """A place and all that it lies within."""
    found = []
    while place is not None and place in places:
        found.append(place)
        place = places[place].get("within")
    return found


def _sites(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    """Every place: where it lies, what each party says of access, what is there and what lies within it."""
    here: defaultdict[str, Sums] = defaultdict(dict)
    within: defaultdict[str, Sums] = defaultdict(dict)
    not_stated: defaultdict[str, int] = defaultdict(int)
    sealed, places = 0, _places(centre)
    for lot in balances_document(centre.custody)["lots"]:
        if lot["place"] is None:
            sealed += lot.get("rows", 1)
            continue
        if lot["amount"] is None:
            not_stated[lot["place"]] += lot.get("rows", 1)
            continue
        amount = lot["amount"] * lot.get("rows", 1)
        _add(here[lot["place"]], lot, amount)
        for place in _chain(places, lot["place"]):
            _add(within[place], lot, amount)
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
                "with-all-within": within[place],
                "within": row.get("within"),
            }
            for place, row in sorted(places.items())
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
