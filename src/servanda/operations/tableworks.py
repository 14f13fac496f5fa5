# SPDX-License-Identifier: Apache-2.0
"""What the record says of tables: which entry has which, who says that it holds it, which rows have been opened.

Rows and secrets are not here, but in a `TableStore` beside the record; what is here needs the record alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from servanda.journal.frame import Reference
from servanda.journal.state import Entry
from servanda.operations.backups import BACKED_UP
from servanda.operations.casework import place_of
from servanda.operations.centre import Centre
from servanda.operations.couriering import encryption_keys
from servanda.operations.drafting import Draft, parse_draft, send_alone
from servanda.operations.rowopenings import (
    check_opening,
    entry_with_table,
    keep_row_openings,
    parse_row_opening,
    table_of,
)
from servanda.operations.sealing import opened_content
from servanda.proof.canonical import JsonValue, decode


def allowed(centre: Centre, root: str, party: str) -> bool:
    """Whether a party may have the rows of a table: the draft of an entry with it was to be opened to that party."""
    for stored in centre.store.drafts():
        if stored.state == "released":
            draft = parse_draft(decode(stored.body))
            table = draft.content.get("table")
            if isinstance(table, dict) and table.get("root") == root and party in draft.open_to:
                return True  # the entry is there: its state is set in one transaction with it
    return False


def _tables(centre: Centre, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    holders = _holders(centre)
    found = []
    for entry in centre.record.log:
        table = table_of(centre, entry) if entry.admissible else None
        if table is not None and entry.frame is not None:
            view = {"entry": str(entry.place), "format": entry.frame.format, "subject": entry.frame.subject}
            found.append({**view, **table, "held-by": sorted(holders.get(str(entry.place), set()))})
    return found


def _holders(centre: Centre) -> dict[str, set[str]]:
    """Who says that it holds the table of which entry: the author, and who has said so in its own entries."""
    holders: dict[str, set[str]] = {}
    for entry in centre.record.log:
        if entry.admissible and entry.frame is not None and entry.frame.format == "held":
            for reference in entry.frame.refers_to:
                holders.setdefault(str(reference.place), set()).add(entry.place.party)
    return holders


def _entry(centre: Centre, arguments: Mapping[str, Any]) -> dict[str, Any]:
    entry, table = entry_with_table(centre, arguments["entry"])
    assert entry.frame is not None
    content = opened_content(centre, entry)
    return {
        "entry": msgspec.to_builtins(Reference(entry.place.party, entry.place.number, entry.hash.hex())),
        "format": entry.frame.format,
        "groups": content.get("groups"),
        "table": table,
    }


def _check(centre: Centre, arguments: Mapping[str, Any]) -> dict[str, Any]:
    opening = parse_row_opening(arguments["opening"].encode())
    row = check_opening(centre, opening)
    if arguments.get("keep"):
        keep_row_openings(centre, [opening])
    return {"entry": str(opening.entry.place), "row": opening.opening["row"], "value": row}


def _backed_up(centre: Centre, arguments: Mapping[str, Any]) -> None:
    with centre.store.transaction() as writer:
        writer.put_setting(BACKED_UP + arguments["root"], str(arguments["to"]).encode())


def _keys(centre: Centre, arguments: Mapping[str, Any]) -> list[str]:
    return [key.hex() for key in encryption_keys(centre, sorted({*map(str, arguments["to"])}))]


def state_held(centre: Centre, places: list[str]) -> Entry:
    """Say in an entry of the centre's own that the rows of these entries' tables are held here, whole and checked."""
    frames = [entry.frame for place in places if (entry := centre.record.entry(place_of(place))) is not None]
    traffic = next((frame for frame in frames if frame is not None and frame.status != "actual"), None)
    draft = Draft(
        format="held",
        subject=f"Tables held: {', '.join(places)}"[:500],
        event_at=centre.clock()[:10],
        author="centre",
        to=tuple(sorted({place_of(place).party for place in places} - {centre.party})),
        refers_to=tuple(places),
        status=traffic.status if traffic else "actual",
        exercise_at=traffic.exercise_at if traffic else None,
    )
    return send_alone(centre, draft)


def _held(centre: Centre, arguments: Mapping[str, Any]) -> str:
    places = [*map(str, arguments["entries"])]
    for place in places:
        entry_with_table(centre, place)
    return str(state_held(centre, places).place)


COMMANDS: dict[str, Callable[[Centre, Mapping[str, Any]], JsonValue | Any]] = {
    "tables": _tables,
    "table-entry": _entry,
    "table-check": _check,
    "table-backed-up": _backed_up,
    "table-held": _held,
    "encryption-keys": _keys,
}
CHANGING = frozenset({"table-held"})
"""Commands after which deliveries have something to do."""
