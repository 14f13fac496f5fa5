# SPDX-License-Identifier: Apache-2.0
"""The life of one lot: every entry that opened, moved, offered, took or judged it, who signed, and who has it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from servanda.journal.frame import Frame, Place
from servanda.journal.record import Record
from servanda.journal.state import Entry
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal
from servanda.operations.reporting import cut_record, sizes_at
from servanda.operations.rowopenings import table_of
from servanda.registers.custody.containers import outer
from servanda.registers.custody.fold import CustodyRegister
from servanda.registers.custody.lots import Lot, parse_lot_name
from servanda.registers.custody.views import balances_document

LOT = re.compile(r"([a-z][a-z0-9-]{0,31})/([1-9][0-9]{0,15})/(0|[1-9][0-9]{0,15})\Z")


def _holdings(centre: Centre, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What `servanda holdings` adds up: the lots of the balances document, and which entry has which table."""
    record, custody = centre.record, centre.custody
    if arguments.get("as-of"):
        record = _record_at(centre, str(arguments["as-of"]))
        custody = CustodyRegister(record)
        custody.catch_up()
    document: Any = balances_document(custody)
    return {
        "discrepancies": len(document["discrepancies"]),
        "lots": document["lots"],
        "roots": {str(entry.place): table["root"] for entry, table in _tables(centre, record)},
    }


def _record_at(centre: Centre, text: str) -> Record:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Refusal(f"{text!r} is not a date (YYYY-MM-DD)", "usage") from error
    return cut_record(centre.record, sizes_at(centre.record, day))


def _tables(centre: Centre, record: Record) -> Iterator[tuple[Entry, Mapping[str, Any]]]:
    for entry in record.log:
        if entry.admissible and entry.frame is not None:
            table = table_of(centre, entry)
            if table is not None:
                yield entry, table


def _trace(centre: Centre, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The life of lots: those named, those of the rows found (root and row), those declared under the serial."""
    centre.custody.settle()
    names: dict[str, None] = dict.fromkeys(map(str, arguments.get("lots", ())))
    rows = {(str(root), int(row)) for root, row in arguments.get("rows", ())}
    roots = {str(entry.place): str(table["root"]) for entry, table in _tables(centre, centre.record)}
    for place, root in roots.items():
        names |= dict.fromkeys(f"{place}/{row}" for own, row in sorted(rows) if own == root)
    if arguments.get("serial"):
        names |= dict.fromkeys(_declared_as(centre, str(arguments["serial"])))
    return {"lots": [{**_life(centre, name), "root": roots.get(name.rpartition("/")[0])} for name in names]}


def _declared_as(centre: Centre, serial: str) -> list[str]:
    """Lots that entries declare, row by row in clear, under a serial."""
    found = []
    for entry in centre.record.log:
        frame = entry.frame
        if entry.admissible and frame is not None and frame.act == "notify":
            lots = frame.content.get("lots")
            for row, lot in enumerate(lots if isinstance(lots, list) else ()):
                if isinstance(lot, dict) and lot.get("serial") == serial:
                    found.append(f"{entry.place}/{row}")
    return found


def _life(centre: Centre, name: str) -> dict[str, Any]:
    match = LOT.match(name)
    if match is None:
        raise Refusal(f"{name!r} is no name of a lot, as in prs/12/0", "usage")
    place, row = Place(match[1], int(match[2])), int(match[3])
    about: list[Entry] = []
    told: set[Place] = set()
    packed = centre.custody.holdings.find(parse_lot_name(name))
    for entry in centre.record.log:
        frame = entry.frame
        if frame is None:
            continue
        named = entry.place == place or _names(frame.content, name, str(place), row) or _carried(centre, entry, packed)
        follows = frame.format != "held" and any(reference.place in told for reference in frame.refers_to)
        if named or follows:
            about.append(entry)
        if named and entry.place != place:
            told.add(entry.place)
    receipts = {party: centre.store.receipts(party) for party in {entry.place.party for entry in about}}
    life = []
    for entry in about:
        assert entry.frame is not None
        by = sorted({r.by for r in receipts[entry.place.party] if r.size >= entry.place.number})
        life.append({**_event(entry, entry.frame), "effect": centre.record.effect_of(entry), "receipted-by": by})
    lot = centre.custody.holdings.find(parse_lot_name(name))
    now = lot and {"account": lot.account, "kind": lot.kind, "place": lot.place, "ended": lot.ended}
    return {"lot": name, "life": life, "now": now}


def _carried(centre: Centre, entry: Entry, lot: Lot | None) -> bool:
    """Whether the entry moves a container in which the lot is, at whatever depth."""
    if lot is None or not lot.packed or centre.record.effect_of(entry) != "custody.move" or entry.frame is None:
        return False
    boxes = outer(centre.custody.book, lot, entry.past)
    return any(_names(entry.frame.content, str(box), str(box.place), box.row) for box in boxes)


def _event(entry: Entry, frame: Frame) -> dict[str, Any]:
    return {
        "entry": str(entry.place),
        "leaf": entry.hash.hex(),
        "event-at": frame.event_at,
        "released-at": frame.released_at,
        "status": frame.status,
        "format": frame.format,
        "act": frame.act,
        "subject": frame.subject,
        "author": frame.author,
        "releaser": frame.releaser,
        "code": entry.code,
    }


def _names(content: Mapping[str, Any], name: str, table: str, row: int) -> bool:
    """Whether a content names a lot, in clear, where effects name lots, or selects the row that it is."""
    for member, value in content.items():
        if value == name:
            return True
        if member == "tables" and isinstance(value, list):
            if any(isinstance(one, dict) and one.get("table") == table and _has(one.get("rows"), row) for one in value):
                return True
        elif isinstance(value, list):
            for item in value:
                if item == name or (isinstance(item, dict) and (name in item.values())):
                    return True
    return False


def _has(ranges: Any, row: int) -> bool:
    if not isinstance(ranges, list):
        return False
    at = bisect_right(ranges, [row, 2**53]) - 1
    return at >= 0 and bool(ranges[at][0] <= row <= ranges[at][1])


COMMANDS = {"holdings": _holdings, "trace": _trace}
