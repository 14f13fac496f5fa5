# SPDX-License-Identifier: Apache-2.0
"""What each entry does once its rules are kept (spec/inspections.md, Postings 3 to 10)."""

from __future__ import annotations

import re
from typing import Any

from servanda.journal.frame import Frame
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry
from servanda.journal.threads import within
from servanda.proof.canonical import encode
from servanda.proof.encodings import decode_hash
from servanda.proof.sealing import digests_of, disclosure_digest, parse_disclosure
from servanda.proof.tables import Row, TableError, verify_row
from servanda.registers.inspections.book import Book, Post, first, inspects, is_inspected, same_status
from servanda.registers.inspections.inspection import (
    Finding,
    OpenedTable,
    Opening,
    Plan,
    Request,
    Undeclared,
    time_of,
)
from servanda.registers.inspections.population import FormError, Ranges, ranges_of, united
from servanda.registers.inspections.rules import instant_of
from servanda.verification.selection import commitment, draw_id

_SECRET = re.compile(r"[0-9a-f]{64}\Z")


def commit(book: Book, entry: Entry, frame: Frame) -> Post:
    """Postings 3: a party binds itself to a secret, for this draw and no other."""
    found, content, party = book.plan_for(entry, frame), frame.content, entry.place.party
    if found.terms is None:
        raise Refused("no-plan", f"{found.place} looks at everything: there is nothing to draw")
    if party not in found.mandate.sides:
        raise Refused("not-in-draw", f"{party} takes no part in the draw of {found.place}")
    if party in found.commitments:
        raise Refused("committed", f"{party} has committed already, in {found.commitments[party].place}")
    if content["draw"] != draw_id(found.terms).hex() or any(
        content[name] != found.content[name] for name in ("sample", "algorithm")
    ):
        raise Refused("differs", f"the draw, its sample or its algorithm is not that of {found.place}")
    if len(digests_of(content)) != 1 or "secret" in content:
        raise Refused("not-sealed", "the secret is sealed until all have committed, and nothing else is")
    revealing = [each for each, _ in found.reveals.values()] + [each for each, _ in found.spent.values()]
    if any(within(entry.past, each.place) for each in revealing):
        raise Refused("after-reveal", f"a secret of the draw of {found.place} was known before this commitment")

    def post() -> None:
        found.commitments[party] = entry
        book.commitments[entry.place] = found

    return post


def reveal(book: Book, entry: Entry, frame: Frame) -> Post:
    """Postings 4: the secret, once all have committed."""
    found = book.commitments.get(first(frame) or entry.place)
    party = entry.place.party
    if found is None or party in found.reveals or party in found.spent:
        return lambda: None
    own = found.commitments[party]
    assert own.frame is not None
    opened = [text for text in frame.content["disclosures"] if disclosure_digest(text) in digests_of(own.frame.content)]
    if not opened:
        return lambda: None
    missing = set(found.mandate.sides) - found.committed_in(entry.past)
    if missing:
        raise Refused("early-reveal", f"{', '.join(sorted(missing))} has not committed in the draw of {found.place}")
    name, value = parse_disclosure(opened[0])[1:]
    secret = bytes.fromhex(value) if isinstance(value, str) and _SECRET.match(value) else b""
    assert found.terms is not None
    bound = own.frame.content["commitment"]
    if name != "secret" or not secret or commitment(draw_id(found.terms), party, secret).hex() != bound:
        raise Refused("bad-secret", f"what {own.place} sealed is not the secret that it commits to")
    same_status(frame, found.entry)

    def post() -> None:
        found.reveals[party] = (entry, secret)

    return post


def findings(book: Book, entry: Entry, frame: Frame) -> Post:
    """Postings 6: what was found, of items that were drawn."""
    found = _reportable(book, entry, frame)
    if not found.drawn_in(entry.past):
        raise Refused("draw-open", f"the draw of {found.place} is not over: not all have revealed")
    told = _told(entry, frame.content)
    for item in told:
        if not found.was_drawn(item):
            raise Refused("not-drawn", f"{item} was not drawn in {found.place}; a finding is about what was drawn")
        if item in found.findings:
            raise Refused("found-before", f"{item} has a finding in {found.findings[item].entry.place}; correct that")

    def post() -> None:
        found.findings.update(told)

    return post


def _told(entry: Entry, content: dict[str, Any]) -> dict[str, Finding]:
    told = {
        each["item"]: Finding(entry, each["outcome"], tuple(each["evidence"]), each["note"])
        for each in content["findings"]
    }
    if len(told) != len(content["findings"]):
        raise Refused("found-before", "an item is named twice")
    return told


def _reportable(book: Book, entry: Entry, frame: Frame) -> Plan:
    found = book.plan_for(entry, frame)
    inspects(entry, found.mandate)
    if found.report is not None:
        raise Refused("reported", f"{found.place} was reported in {found.report.place}")
    return found


def correct(book: Book, entry: Entry, frame: Frame) -> Post:
    """Postings 6: findings are corrected item for item; nothing else of these entries is."""
    target = book.record.entry(frame.refers_to[0].place)
    effect = book.record.effect_of(target) if target else None
    if target is None or effect is None or not effect.startswith("inspection."):
        return lambda: None
    assert target.frame is not None
    found = book.plans.get(first(target.frame) or target.place)
    if effect != "inspection.finding" or found is None:
        raise Refused("correction", f"{target.place} is not corrected: say it anew")
    told = _told(entry, frame.content["content"])
    same = {item for item, each in found.findings.items() if each.entry.place == target.place or item in told}
    before = {each["item"] for each in target.frame.content["findings"]}
    if set(told) != before or not before <= same:
        raise Refused("correction", f"a correction of {target.place} is about the same items")

    def post() -> None:
        found.findings.update(told)

    return post


def undeclared(book: Book, entry: Entry, frame: Frame) -> Post:
    """Postings 7: found, but not in the root."""
    content, at = frame.content, first(frame) or entry.place
    if at in book.plans:
        found = book.plans[at]
        inspects(entry, found.mandate)
        same_status(frame, found.entry)
    elif at in book.mandates and book.holds(book.mandates[at], entry.past):
        book.mandate_for(entry, frame)
    else:
        raise Refused("no-plan", "it refers first to no plan and to no mandate in force")
    table = book.table_in(content["table"], entry.past)
    if table.root != content["root"]:
        raise Refused("unknown-table", f"{content['table']} has another root")
    searched = _rows_of(table, content["searched"])

    def post() -> None:
        book.tables.setdefault(table.name, table)
        book.undeclared[entry.place] = Undeclared(entry, table.name, searched, content["items"])

    return post


def _rows_of(table: OpenedTable, rows: list[list[int]]) -> Ranges:
    try:
        ranges = ranges_of((first_row, last) for first_row, last in rows)
    except FormError as error:
        raise Refused("rows", f"{table.name}: {error}") from error
    if ranges and ranges[-1][1] >= table.rows:
        raise Refused("rows", f"{table.name} has the rows 0 to {table.rows - 1}, no row {ranges[-1][1]}")
    return ranges


def request(book: Book, entry: Entry, frame: Frame) -> Post:
    """Postings 8: which rows the inspector asks to see, and by when."""
    content, held = frame.content, book.mandate_for(entry, frame)
    table = book.table_in(content["table"], entry.past)
    if not table.name.startswith(f"{held.content['inspected']}/"):
        raise Refused("unknown-table", f"{table.name} is no table by {held.content['inspected']}")
    if held.content["tables"] and table.name not in held.content["tables"]:
        raise Refused("outside-mandate", f"{held.entry.place} does not name the table {table.name}")
    rows, place = _rows_of(table, content["rows"]), content.get("place")
    if bool(rows) == (place is not None) or (place is not None) != (content["basis"] == "place"):
        raise Refused("rows", "either rows are asked for, or all of a place, with basis `place`")
    by, minutes = instant_of(content["by"], "too-short"), held.content["limits"]["opening-minutes"]
    if by - time_of(entry) < 60 * minutes:
        raise Refused("too-short", f"rows are asked for {minutes} minutes ahead by {held.entry.place}")

    def post() -> None:
        book.tables.setdefault(table.name, table)
        book.requests[entry.place] = Request(entry, table.name, rows, place, by)

    return post


def opening(book: Book, entry: Entry, frame: Frame) -> Post:
    """Postings 9: rows of a table that its author opens, each with its proof."""
    content = frame.content
    table = book.table_in(content["table"], entry.past)
    if not table.name.startswith(f"{entry.place.party}/"):
        raise Refused("not-own-table", f"{table.name} is not by {entry.place.party}, who opens only its own")
    proved: dict[int, Row] = {}
    for each in content["openings"]:
        try:
            proved[each["row"]] = verify_row(encode(each), decode_hash(table.root), table.rows)
        except TableError as error:
            raise Refused("opening", f"row {each['row']} of {table.name}: {error}") from error
    handed, complete = _rows_of(table, content["rows"]), content.get("complete")
    rows = united(handed, [(row, row) for row in proved])
    if not rows and complete is None:
        raise Refused("rows", "it opens no row, and says of no place that it is complete")

    def post() -> None:
        kept = book.tables.setdefault(table.name, table)
        kept.openings.append(Opening(entry, rows, frozenset(proved), complete, first(frame)))
        for row, value in proved.items():
            kept.opened.setdefault(row, (entry.place, value))

    return post


def report(book: Book, entry: Entry, frame: Frame) -> Post:
    """Postings 10: the inspector's report."""
    found = _reportable(book, entry, frame)
    if not found.drawn_in(entry.past) and time_of(entry) <= instant_of(found.content["reveal-by"], "draw-open"):
        raise Refused("draw-open", f"the draw of {found.place} is open until {found.content['reveal-by']}")

    def post() -> None:
        found.report = entry
        book.reports[entry.place] = found

    return post


def comment(book: Book, entry: Entry, frame: Frame) -> Post:
    """Postings 10: what the inspected party says of the report; it is annexed."""
    found = book.reports.get(first(frame) or entry.place)
    if found is None or found.report is None:
        raise Refused("no-report", "it refers first to no report of an inspection")
    same_status(frame, found.entry)
    if not is_inspected(entry, found.mandate):
        raise Refused("not-inspected", f"{found.mandate.content['inspected']} was inspected, not {entry.place.party}")
    return lambda: found.comments.append(entry)
