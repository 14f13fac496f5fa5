# SPDX-License-Identifier: Apache-2.0
"""The public summary: totals and no locations, with the entries they follow from named by hash alone.

No text that an entry carries goes into it. A kind whose name tells a place is counted in the broader kind, and whoever
makes the file looks through all of it for names of places once more (`places_told`).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from servanda.agreement.pack import Pack
from servanda.reports.document import AMOUNT, INTEGER, Amount, Report, Row, Section, in_order
from servanda.reports.monthly import columns, section, total
from servanda.reports.sources import Sources

KIND = "public-summary"


def public_summary(sources: Sources) -> Report:
    """Totals by ledger and by kind, deadlines and discrepancies counted; nothing that tells a place."""
    sections = [_ledgers(sources), _kinds(sources), _deadlines(sources), _discrepancies(sources)]
    words = sources.words
    limits = [words["limit-public"], words["limit-complete"], words["limit-all"], words["limit-cut"]]
    report = sources.report(KIND, sections, limits, plain=True)
    names = place_names(sources.pack)
    heading = sources.pack.data["id"] if told(report.heading, names) else report.heading
    return replace(
        report, heading="" if told(heading, names) else heading, words={**words, "annex-note": words["proof-note"]}
    )


def place_names(pack: Pack) -> list[str]:
    """What may tell a place of the pack: its id, its names, and of these what stands before a comma or a bracket."""
    found = set()
    for place in pack.data["places"]:
        for text in (place["id"], *place["names"].values()):
            found.add(text)
            found.add(re.split(r"[,،(]", text)[0].strip())
    return sorted(found - set(pack.parties), key=lambda name: (-len(name), name))


def told(text: str, names: list[str]) -> list[str]:
    """The names that stand in a text as whole words, whatever their case."""
    return [name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE)]


def places_told(data: Any, pack: Pack) -> list[str]:
    """The names of places that stand anywhere in JSON data but for the report's own words."""
    text = "\n".join(_texts({name: value for name, value in data.items() if name != "words"}))
    return told(text, place_names(pack))


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from _texts(value)
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value)


def _public_kinds(sources: Sources) -> dict[str, str | None]:
    """For each kind the one that it is counted in: itself, or the nearest broader one whose name tells no place."""
    items = {item["id"]: item for item in sources.pack.data["items"]}
    names = place_names(sources.pack)
    found: dict[str, str | None] = {}
    for identifier in items:
        step: str | None = identifier
        while step is not None and told("\n".join([step, *items[step]["names"].values()]), names):
            step = items[step]["within"]
        found[identifier] = step
    return found


def _classes(sources: Sources, key: Any) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    """Lots by what `key` gives, the class of their account, and unit."""
    grouped: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for lot in sources.balances["lots"]:
        grouped[key(lot), lot["account"].partition("/")[0], lot["unit"]].append(lot)
    return grouped


def _amount(lots: list[dict[str, Any]], unit: str) -> Amount:
    known = total(lots)
    if all(lot["amount"] is None for lot in lots):
        return Amount(None, unit)
    return Amount(known, unit, "at-least" if any(lot["amount"] is None for lot in lots) else "exact")


def _ledgers(sources: Sources) -> Section:
    rows = [
        Row(
            (sources.named("units", unit), sources.words[f"c-{state}"], _amount(lots, unit)),
            sources.entries_of(lots),
        )
        for (_, state, unit), lots in sorted(_classes(sources, lambda lot: lot["unit"]).items())
    ]
    wanted = columns(sources, ("unit", "text"), ("class", "text"), ("amount", AMOUNT))
    return section(sources, "accounts-public", wanted, rows)


def _kinds(sources: Sources) -> Section:
    public = _public_kinds(sources)
    rows = [
        Row(
            (
                sources.named("items", kind) if kind else sources.words["kind-withheld"],
                sources.words[f"c-{state}"],
                _amount(lots, unit),
            ),
            sources.entries_of(lots),
        )
        for (kind, state, unit), lots in sorted(_classes(sources, lambda lot: public.get(lot["kind"]) or "").items())
    ]
    wanted = columns(sources, ("kind", "text"), ("class", "text"), ("amount", AMOUNT))
    return section(sources, "kinds", wanted, rows)


def _deadlines(sources: Sources) -> Section:
    counted: Counter[str] = Counter()
    behind: dict[str, list[str]] = defaultdict(list)
    for row in sources.judged["obligations"]:
        counted[row["status"]] += 1
        behind[row["status"]] += row["evidence"]
    rows = [
        Row((sources.words[f"d-{name}"], number), in_order(behind[name])) for name, number in sorted(counted.items())
    ]
    return section(
        sources, "deadlines", columns(sources, ("deadline", "text"), ("count", INTEGER)), rows, note="obligations-note"
    )


def _discrepancies(sources: Sources) -> Section:
    counted: Counter[str] = Counter()
    behind: dict[str, list[str]] = defaultdict(list)
    for item in sources.balances["discrepancies"]:
        counted[item["code"]] += item.get("rows", 1)
        behind[item["code"]].append(item["entry"])
    rows = [Row((code, number), in_order(behind[code])) for code, number in sorted(counted.items())]
    return section(sources, "discrepancy-counts", columns(sources, ("discrepancy", "text"), ("count", INTEGER)), rows)
