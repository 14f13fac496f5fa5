# SPDX-License-Identifier: Apache-2.0
"""What a mandate and a plan must keep (spec/inspections.md, Postings 1 and 2)."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import perm
from typing import Any

from servanda.agreement.dates import DateExpressionError, check_instant, instant_seconds
from servanda.journal.frame import Frame, Place
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry
from servanda.journal.threads import within
from servanda.registers.inspections.book import Book, Post
from servanda.registers.inspections.inspection import (
    ALL,
    INSPECTED,
    INSPECTOR,
    Mandate,
    Plan,
    terms_of,
    time_of,
)
from servanda.registers.inspections.population import FormError, Population, population_of
from servanda.verification.selection import ALGORITHM

SAMPLE_MAX = 20_000


def mandate(book: Book, entry: Entry, frame: Frame) -> Post:
    """Postings 1: who inspects whom."""
    content, pack = frame.content, book.pack_of(frame)
    sides = {content[INSPECTOR]: INSPECTOR, content[INSPECTED]: INSPECTED}
    sides |= {each["party"]: each["side"] for each in content["beside"]}
    if len(sides) != 2 + len(content["beside"]) or set(sides) != {entry.place.party, *(frame.named or ())}:
        raise Refused("party", "inspector, inspected and those beside them are different, and all but the author named")
    if content["from"] > content["until"]:
        raise Refused("period", f"from {content['from']} until {content['until']} is no period")
    check_places(pack.places, content["places"])
    for kind in content["kinds"]:
        if kind not in pack.items:
            raise Refused("kind", f"{kind} is no kind of the pack")

    def post() -> None:
        book.mandates[entry.place] = Mandate(entry, sides)

    return post


def check_places(known: frozenset[str], places: list[str]) -> None:
    """Raise `Refused` with `place` if one is not declared in the pack."""
    for place in places:
        if place not in known:
            raise Refused("place", f"{place} is no place of the pack: a site is declared before it is inspected")


def plan(book: Book, entry: Entry, frame: Frame) -> Post:
    """Postings 2: what is inspected, how large the sample is, and how it is drawn."""
    content = frame.content
    held = book.mandate_for(entry, frame)
    period = (held.content["from"], content["begins"], content["ends"], held.content["until"])
    if list(period) != sorted(period):
        raise Refused("period", f"{period[1]} to {period[2]} is not within the mandate, {period[0]} to {period[3]}")
    try:
        listed = population_of(content["population"])
    except FormError as error:
        raise Refused("population", str(error)) from error
    _check_listed(book, entry, frame, held, listed)
    check_size(content, listed.size)
    _check_draw(entry, content, held)
    for earlier in book.plans.values():
        _check_redraw(entry, held, listed, earlier)
    made = Plan(entry, held, listed, terms_of(entry.place, content, sorted(held.sides)))

    def post() -> None:
        book.plans[entry.place] = made

    return post


def _check_listed(book: Book, entry: Entry, frame: Frame, held: Mandate, listed: Population) -> None:
    allowed = held.content
    for selection in listed.tables:
        table = book.table_in(selection.table, entry.past)
        if table.root != selection.root or table.rows <= selection.ranges[-1][1]:
            raise Refused("unknown-table", f"{selection.table} has another root, or {table.rows} rows only")
        if allowed["tables"] and selection.table not in allowed["tables"]:
            raise Refused("outside-mandate", f"{held.entry.place} does not name the table {selection.table}")
    check_places(book.pack_of(frame).places, list(listed.places))
    for place in listed.places:
        if allowed["places"] and place not in allowed["places"]:
            raise Refused("outside-mandate", f"{held.entry.place} does not name the place {place}")
    for lot in listed.lots:
        party, number, _ = lot.split("/")
        made_by = book.record.entry(Place(party, int(number)))
        if made_by is None or not made_by.admissible or not within(entry.past, made_by.place):
            raise Refused("unknown-item", f"{lot}: no such entry was known then")


def check_size(content: dict[str, Any], population: int) -> None:
    """Whether the sample finds one of D with the probability that the plan states, exactly.

    Raises:
        Refused: `miss`, `goal` or `sample-size`.
    """
    miss, sample, defects = Fraction(content["miss"]), content["sample"], content["defects"]
    if miss >= 1:
        raise Refused("miss", f"a probability of {content['miss']} of missing everything is no plan")
    goal = content.get("goal")
    if goal is not None and (not goal["each"] or defects != -(-goal["amount"] // goal["each"])):
        raise Refused("goal", f"{goal['amount']} at {goal['each']} each are not {defects} items")
    if not 1 <= defects <= population:
        raise Refused("sample-size", f"{defects} of {population} items cannot be missing")
    if not 1 <= sample <= population:
        raise Refused("sample-size", f"a sample of {sample} is larger than its population of {population}, or nothing")
    if content["algorithm"] != ALL and sample > SAMPLE_MAX:
        raise Refused("sample-size", f"a draw is of {SAMPLE_MAX} items at most, not {sample}")
    if content["algorithm"] == ALL and sample != population:
        raise Refused("sample-size", f"a plan that looks at everything has a sample of {population}, not {sample}")
    if content["algorithm"] == ALL:
        return
    few, other = sorted((defects, sample))
    if perm(population - other, few) * miss.denominator > miss.numerator * perm(population, few):
        raise Refused(
            "sample-size",
            f"a sample of {sample} misses {defects} of {population} more often than {content['miss']}; "
            "`servanda inspect plan` says how many are needed",
        )


def _check_draw(entry: Entry, content: dict[str, Any], held: Mandate) -> None:
    stated = [content[name] for name in ("commit-by", "reveal-by") if name in content]
    if content["algorithm"] == ALL:
        if stated:
            raise Refused("too-short", "who looks at everything draws nothing: no commit-by and no reveal-by")
        return
    if content["algorithm"] != ALGORITHM:
        raise Refused("algorithm", f"{content['algorithm']} is not {ALGORITHM}")
    minutes = held.content["limits"]["draw-minutes"]
    times = [time_of(entry), *(instant_of(text, "too-short") for text in stated)]
    if len(times) != 3 or any(b - a < 60 * minutes for a, b in pairwise(times)):
        raise Refused("too-short", f"each step of the draw has {minutes} minutes by {held.entry.place}")


def instant_of(text: str, reason: str) -> int:
    """Seconds since 1970 of an instant in a content.

    Raises:
        Refused: with that reason; the instant does not exist.
    """
    try:
        return instant_seconds(check_instant(text))
    except DateExpressionError as error:
        raise Refused(reason, str(error)) from error


def _check_redraw(entry: Entry, held: Mandate, listed: Population, earlier: Plan) -> None:
    """Who has left its part of a draw undone, or does not like what was drawn, chooses no other draw of the same."""
    if earlier.mandate.entry.place != held.entry.place or not within(entry.past, earlier.place):
        return
    if not earlier.population.shares(listed):
        return
    if earlier.report is None or not within(entry.past, earlier.report.place):
        raise Refused("redraw", f"{earlier.place} has items in common with this plan, and is not reported yet")
    if earlier.terms is None:
        return
    committed, revealed = earlier.committed_in(entry.past), earlier.revealed_in(entry.past)
    ours = {party for party, side in held.sides.items() if side == INSPECTOR}
    whole = committed == set(held.sides)
    if not ours <= committed or (whole and not ours <= revealed):
        raise Refused(
            "redraw",
            f"{', '.join(sorted(ours))} left undone what was theirs in the draw of {earlier.place}, "
            "which has items in common with this plan",
        )
