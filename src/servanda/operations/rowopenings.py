# SPDX-License-Identifier: Apache-2.0
"""Single rows out of sealed tables: an opening names the entry whose table it is a row of, and proves itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from servanda.journal.frame import Reference
from servanda.journal.state import Entry
from servanda.operations.casework import place_of
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal
from servanda.operations.sealing import opened_content
from servanda.proof.canonical import CanonicalError, decode, encode
from servanda.proof.tables import TableError, verify_row

OPENINGS = "row-openings/"
"""Settings that hold the openings of rows of one party's tables: lines of canonical JSON."""


class RowOpening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row, opened, and the entry whose table it is a row of (spec/bundle.md)."""

    entry: Reference
    opening: dict[str, Any]

    def encode(self) -> bytes:
        """The line, canonical JSON without its newline."""
        return encode(msgspec.to_builtins(self))


def parse_row_opening(line: bytes) -> RowOpening:
    """Read an opening of a row.

    Raises:
        Refusal: it is none (`opening`).
    """
    try:
        return msgspec.convert(decode(line), RowOpening)
    except (CanonicalError, msgspec.ValidationError) as error:
        raise Refusal(f"not an opening of a row, as `servanda table open` writes it: {error}", "opening") from error


def table_of(centre: Centre, entry: Entry) -> Mapping[str, Any] | None:
    """The table of an entry, or of the content by which it corrects another; None if it has none that is shown."""
    if entry.frame is None:
        return None
    content = entry.frame.content
    if entry.frame.act != "correct" and "table" not in content and "_sd" not in content:
        return None  # nearly every entry: nothing of it need be opened to see that it has none
    if "table" not in content:
        content = opened_content(centre, entry)
    table = content.get("table", (content.get("content") or {}).get("table") if entry.frame.act == "correct" else None)
    return table if isinstance(table, dict) and "root" in table else None


def entry_with_table(centre: Centre, text: str) -> tuple[Entry, Mapping[str, Any]]:
    """The entry at `party/number`, and its table.

    Raises:
        Refusal: no such entry is held, or it has no table (`no-table`).
    """
    entry = centre.record.entry(place_of(text))
    table = table_of(centre, entry) if entry is not None and entry.admissible else None
    if entry is None or table is None:
        raise Refusal(
            f"{text} is no entry with a table that is held here; `servanda table list` names them", "no-table"
        )
    return entry, table


def check_opening(centre: Centre, opening: RowOpening) -> dict[str, Any]:
    """The row that an opening proves to be in the table of a signed entry.

    Raises:
        Refusal: the entry is not held as it is named, or the opening does not prove it (`opening`).
    """
    entry, table = entry_with_table(centre, str(opening.entry.place))
    if entry.hash.hex() != opening.entry.leaf:
        raise Refusal(f"{entry.place} is another entry here than the one that was opened", "opening")
    try:
        return verify_row(encode(opening.opening), bytes.fromhex(table["root"]), table["rows"])
    except TableError as error:
        raise Refusal(f"this is no row of the table of {entry.place}: {error}", "opening") from error


def row_openings(centre: Centre, party: str) -> list[RowOpening]:
    """The openings of rows of one party's tables that are kept here."""
    kept = centre.store.setting(OPENINGS + party) or b""
    return [parse_row_opening(line) for line in kept.splitlines()]


def keep_row_openings(centre: Centre, openings: Iterable[RowOpening]) -> int:
    """Keep openings that prove rows of entries held here; returns how many were new.

    Raises:
        Refusal: one proves nothing; none is kept then.
    """
    fresh: dict[str, set[bytes]] = {}
    for opening in openings:
        check_opening(centre, opening)
        fresh.setdefault(opening.entry.party, set()).add(opening.encode())
    count = 0
    with centre.store.transaction() as writer:  # one for all parties: kept whole, or not at all
        for party, lines in fresh.items():
            before = set((centre.store.setting(OPENINGS + party) or b"").splitlines())
            count += len(lines - before)
            writer.put_setting(OPENINGS + party, b"".join(line + b"\n" for line in sorted(before | lines)))
    return count


def proves(centre: Centre, opening: RowOpening) -> bool:
    """Whether an opening proves a row of an entry that is held here."""
    try:
        check_opening(centre, opening)
    except Refusal:
        return False
    return True


def opening_problem(opening: RowOpening, entry: Entry | None) -> str | None:
    """Why an opening proves nothing, by the entry at its place alone; None if it proves a row (spec/bundle.md)."""
    if entry is None or entry.frame is None or not entry.admissible or entry.hash.hex() != opening.entry.leaf:
        return f"{opening.entry.place} is not the entry whose row it opens"
    said = entry.frame.content["content"] if entry.frame.act == "correct" else entry.frame.content
    table = said.get("table")
    if not isinstance(table, dict):
        return f"{opening.entry.place} has no table"
    try:
        verify_row(encode(opening.opening), bytes.fromhex(table["root"]), table["rows"])
    except (TableError, ValueError, KeyError, TypeError) as error:
        return f"no row of the table of {opening.entry.place}: {error}"
    return None
