# SPDX-License-Identifier: Apache-2.0
"""Openings of sealed members: which ones this centre holds, and how they are revealed (spec/sealing.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from servanda.journal.frame import Place
from servanda.journal.state import Entry
from servanda.operations.centre import Centre
from servanda.operations.drafting import Draft
from servanda.operations.errors import Refusal
from servanda.proof.sealing import SealingError, digests_of, disclosure_digest, parse_disclosure, unseal


def known_openings(centre: Centre, entry: Entry) -> list[str]:
    """The openings of an entry that this centre holds: its own, those handed to it, those revealed in the record."""
    if entry.frame is None:
        return []
    sealed = digests_of(entry.frame.content)
    held = [text for number, text in centre.store.openings(entry.place.party) if number == entry.place.number]
    revealed = [
        text
        for other in centre.record.journals[entry.place.party].entries
        if other.admissible and other.frame is not None and other.frame.act == "reveal"
        if other.frame.refers_to[0].place == entry.place
        for text in other.frame.content["disclosures"]
    ]
    known = {disclosure_digest(text): text for text in (*held, *revealed)}
    opened = []
    while found := sealed & known.keys():
        for digest in found:
            text = known.pop(digest)
            opened.append(text)
            sealed |= digests_of(parse_disclosure(text).value)
    return sorted(opened)


def opened_content(centre: Centre, entry: Entry) -> dict[str, Any]:
    """The content of an entry with every member in its place that this centre can open; the rest stays sealed."""
    assert entry.frame is not None
    try:
        return unseal(entry.frame.content, known_openings(centre, entry))
    except SealingError as error:
        raise Refusal(f"the openings of {entry.place} contradict it: {error}", "reveal") from error


def draft_reveal(centre: Centre, place: Place, names: Sequence[str], author: str) -> Draft:
    """The draft of an entry that opens members of one of our own entries to everybody.

    Raises:
        Refusal: it is not ours, or we hold no opening of a member with such a name.
    """
    entry = centre.record.entry(place)
    if entry is None or entry.frame is None or place.party != centre.party:
        raise Refusal(f"{place} is no entry of ours", "reveal")
    openings = {parse_disclosure(text).name: text for text in known_openings(centre, entry)}
    missing = [name for name in names if name not in openings]
    if missing:
        raise Refusal(f"no opening of {', '.join(missing)} in {place} is held", "reveal")
    return Draft(
        format="reveal",
        subject=f"Opening of {', '.join(names) or 'all'} in {place}",
        event_at=centre.clock()[:10],
        author=author,
        content={"disclosures": [openings[name] for name in (names or sorted(openings))]},
        to=entry.frame.to,
        refers_to=(str(place),),
        status=entry.frame.status,
        exercise_at=entry.frame.exercise_at,
    )
