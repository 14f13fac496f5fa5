# SPDX-License-Identifier: Apache-2.0
"""The calendar of an agreement: contacts with their days, and everything that is to be done by a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from servanda.agreement.dates import day_in_zone
from servanda.journal.named import span_of
from servanda.operations.casework import instant_of
from servanda.operations.centre import Centre
from servanda.operations.dialogue import COMMANDS as DIALOGUE
from servanda.operations.drafting import pack_of
from servanda.registers.dialogue.contacts import meetings_document

ALL = 1_000_000
SPAN_DAYS = 31
"""A contact whose days are not known more closely than this has no place in a calendar."""


def calendar_document(centre: Centre, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Contacts and deadlines, each with its days; contacts whose days are not known closely enough are named apart."""
    now = instant_of(centre, arguments)
    day = day_in_zone(now, pack_of(centre).data["time"]["zone"])
    rows: list[dict[str, Any]] = []
    left_out: list[str] = []
    for contact in meetings_document(centre.dialogue, day, None, ALL)["contacts"]:
        span = span_of(contact["on"])
        first, last = (span.first, span.last) if span else (None, None)
        if first is None or last is None or (last - first).days > SPAN_DAYS:
            left_out.append(contact["contact"])
        else:
            rows.append(_meeting(contact, first, last))
    rows += _due(centre, arguments)
    rows.sort(key=lambda row: (row["first"], row["name"]))
    return {
        "servanda-calendar": 1,
        "agreement": centre.record.agreement,
        "at": day.isoformat(),
        "title": pack_of(centre).data["title"],
        "events": rows,
        "left-out": left_out,
    }


def _meeting(contact: Mapping[str, Any], first: date, last: date) -> dict[str, Any]:
    accounts = list(contact["accounts"].values())
    names = [who.get("name", who["office"]) for who in accounts[0]["participants"]]
    place = f", {contact['place']}" if contact["place"] else ""
    entries = ", ".join(account["entry"] for account in accounts)
    return {
        "name": f"contact-{contact['contact']}",
        "kind": "meeting",
        "first": first.isoformat(),
        "last": last.isoformat(),
        "summary": f"{contact['kind']} ({', '.join(names)}){place}" if names else f"{contact['kind']}{place}",
        "note": f"{contact['contact']}: {contact['state']}. Entries {entries}.",
        "state": contact["state"],
        "status": contact["status"],
    }


def _due(centre: Centre, arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    status = _status(centre)
    for row in DIALOGUE["due"](centre, {"at": arguments["at"]} if arguments.get("at") else {})["due"]:
        if row["what"] == "meeting":
            continue  # the contact that is planned stands there itself
        who = f" ({', '.join(row['who'])})" if row["who"] else ""
        yield {
            "name": f"{row['what']}-{row['name'].replace('/', '-')}",
            "kind": "deadline",
            "first": row["on"],
            "last": row["on"],
            "summary": f"{row['what']}: {row['text']}{who}",
            "note": f"{row['name']}: {row['state']}.",
            "state": row["state"],
            "status": status,
        }


def _status(centre: Centre) -> str:
    """That of the latest adoption: what is due under an agreement adopted in an exercise is part of the exercise."""
    adopted = [e.frame.status for e in centre.record.log if e.frame is not None and e.frame.format == "adopt"]
    return adopted[-1] if adopted else "actual"


COMMANDS = {"calendar": calendar_document}
