# SPDX-License-Identifier: Apache-2.0
"""The discrepancies of every register, joined with what the parties have said about each (spec/discrepancies.md).

Registers never import one another: here they meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from servanda.journal.frame import Place
from servanda.journal.record import Record
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal
from servanda.registers.custody.lots import parse_lot_name
from servanda.registers.custody.views import balances_document
from servanda.registers.discrepancies.fold import Key, parse_key
from servanda.registers.discrepancies.views import Raised, discrepancies_document, questions
from servanda.registers.handovers.views import Handovers
from servanda.registers.seals.views import faults
from servanda.registers.sites.views import differing

Arguments = Mapping[str, Any]


def day_asked(centre: Centre, arguments: Arguments) -> date:
    """The date `at` of a request, or today by the centre's clock.

    Raises:
        Refusal: it is no date (`usage`).
    """
    text = arguments.get("at") or centre.clock()[:10]
    try:
        return date.fromisoformat(text)
    except (ValueError, TypeError) as error:
        raise Refusal(f"{text!r} is not a date (YYYY-MM-DD)", "usage") from error


def refused_postings(centre: Centre) -> frozenset[Place]:
    """The entries of which custody has carried out nothing: other registers leave them out as well."""
    return frozenset(item.entry for item in centre.custody.holdings.discrepancies if item.code.startswith("posting/"))


def kinds_of_lots(centre: Centre) -> dict[str, str]:
    """The kind of each lot that an offer of custody names, where it is not sealed."""
    named = (item["lot"] for entry in centre.handovers.offers if entry.frame for item in entry.frame.content["lots"])
    found = {name: centre.custody.holdings.find(parse_lot_name(name)) for name in named}
    return {name: lot.kind for name, lot in found.items() if lot is not None and lot.kind is not None}


def handovers_at(centre: Centre, at: date) -> Handovers:
    """The handovers read at a date."""
    return Handovers(centre.handovers, at, kinds_of_lots(centre), refused_postings(centre))


def raised_at(centre: Centre, at: date) -> list[Raised]:
    """Every discrepancy that any register shows at a date."""
    return [*_of_custody(centre, at), *_of_the_rest(centre, at), *questions(centre.discrepancies)]


def discrepancies_at(centre: Centre, at: date) -> dict[str, Any]:
    """The discrepancies document."""
    return discrepancies_document(centre.discrepancies, raised_at(centre, at), at)


def _of_custody(centre: Centre, at: date) -> Iterator[Raised]:
    shortages = handovers_at(centre, at).shortages()
    for item in balances_document(centre.custody)["discrepancies"]:
        party, _, number = item["entry"].partition("/")
        key = Key(Place(party, int(number)), item["code"], item["lot"])
        owners, sides = _concerned(centre.record, key)
        grave = shortages.get(item["lot"], True) if item["code"] == "short" else None
        yield Raised(key, owners, sides, grave)


def _of_the_rest(centre: Centre, at: date) -> Iterator[Raised]:
    for found in handovers_at(centre, at).differences():
        key = Key(found.entry, found.code, found.lot)
        yield Raised(key, (found.owner,), found.sides, found.significant, found.since)
    for fault in faults(centre.seals, refused_postings(centre)):
        yield Raised(Key(fault.entry, fault.code, fault.lot), (fault.owner,), (fault.owner, fault.entry.party))
    for other in differing(centre.sites):
        yield Raised(Key(other.entry, other.code, None), (other.entry.party,), other.parties)
    for place, reason in centre.books.statements.refused:
        yield Raised(Key(place, f"books/{reason}", None), (place.party,), (place.party,))


def _concerned(record: Record, key: Key) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Owners and sides of what custody shows, by the table of the page."""
    author = key.entry.party
    offer = record.threads.offers.get(key.entry) or record.threads.acceptances.get(key.entry)
    if key.code == "short" and offer is not None:
        return (offer.author,), (offer.author, author)
    if key.code in ("unanswered", "not-settled") and offer is not None:
        silent = [name for name in offer.named if name not in offer.acceptances and name not in offer.refusals]
        owners = silent if key.code == "unanswered" else [author]
        return tuple(owners or [author]), tuple(offer.signatories)
    if key.code == "contested" and key.lot is not None:
        party = key.lot.partition("/")[0]
        return (party,), (party, author)
    return (author,), (author,)


def _discrepancies(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    document = discrepancies_at(centre, day_asked(centre, arguments))
    states = arguments.get("states")
    if states:
        rows = [row for row in document["discrepancies"] if row["state"] in states]
        document = {**document, "discrepancies": rows}
    return document


def _discrepancy(centre: Centre, arguments: Arguments) -> dict[str, Any]:
    wanted = str(arguments["key"])
    try:
        parse_key(wanted)
    except ValueError as error:
        raise Refusal(f"{wanted!r} is no key (code:party/number or code:party/number:lot)", "usage") from error
    rows: list[dict[str, Any]] = discrepancies_at(centre, day_asked(centre, arguments))["discrepancies"]
    for row in rows:
        if row["key"] == wanted:
            return row
    raise Refusal(f"no discrepancy {wanted}; `servanda discrepancies` lists them", "no-discrepancy")


COMMANDS: dict[str, Callable[[Centre, Arguments], Any]] = {
    "discrepancies": _discrepancies,
    "discrepancy": _discrepancy,
}
