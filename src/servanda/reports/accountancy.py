# SPDX-License-Identifier: Apache-2.0
"""Inventory change report, physical inventory listing, material balance report: spec/accountancy.md, as reports.

They take the documents of accountancy as they are and compute nothing anew: every amount in them is in the document.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from servanda.reports.document import AMOUNT, DATE, DECIMAL, INTEGER, Amount, Column, Report, Row, Section, in_order
from servanda.reports.monthly import account_text, columns, section
from servanda.reports.sources import Sources

CHANGES, LISTING, BALANCE = "inventory-changes", "inventory-listing", "material-balance"


def change_report(sources: Sources, document: Mapping[str, Any]) -> Report:
    """The inventory changes document as a report."""
    months, lines = [], []
    for report in document["reports"]:
        entries = in_order(line["entry"] for line in report["lines"])
        months.append(Row((report["number"], report["from"], report["to"], len(report["lines"])), entries))
        lines += [(report["number"], line) for line in report["lines"]]
    wanted = columns(sources, ("report-number", INTEGER), ("since", DATE), ("until", DATE), ("line-count", INTEGER))
    sections = [section(sources, "months", wanted, months), _change_lines(sources, lines)]
    sections.append(_hashes(sources, [line for _, line in lines]))
    return _report(sources, CHANGES, document, sections, [])


def _change_lines(sources: Sources, lines: Sequence[tuple[int, Mapping[str, Any]]]) -> Section:
    rows = []
    for number, line in lines:
        amount = Amount(line["amount"], line["unit"])
        up = line["direction"] == "increase"
        other = line["from"] if up else line["to"]
        cells = (
            number,
            line["line"],
            line["day"],
            _change_text(sources, line),
            sources.named("items", line["kind"]),
            sources.named("places", line["place"]),
            line["lot"],
            line["serial"] or "",
            amount if up else None,
            None if up else amount,
            account_text(sources, other) if other else "",
            _correction_text(sources, line),
        )
        rows.append(Row(cells, in_order([line["entry"], line["on"]])))
    wanted = columns(
        sources,
        ("report-number", INTEGER),
        ("line", INTEGER),
        ("day", DATE),
        ("change", "text"),
        ("kind", "text"),
        ("place", "text"),
        ("lot", "text"),
        ("serial", "text"),
        ("increase", AMOUNT),
        ("decrease", AMOUNT),
        ("account", "text"),
        ("correction", "text"),
    )
    return section(sources, "lines", wanted, rows)


def _change_text(sources: Sources, line: Mapping[str, Any]) -> str:
    """The type in words, and the agreement's code where it has one of its own."""
    words = sources.words.get(f"t-{line['type']}", line["type"])
    return words if line["code"] == line["type"] else f"{line['code']}: {words}"


def _correction_text(sources: Sources, line: Mapping[str, Any]) -> str:
    if line["correction"] is None:
        return ""
    corrected = line["corrects"]["line"] if line["corrects"] else "?"
    return sources.words[f"correction-{line['correction']}"].format(corrected)


def _hashes(sources: Sources, lines: Iterable[Mapping[str, Any]]) -> Section:
    rows = []
    for line in lines:
        corrects = line.get("corrects")
        entries = [line["entry"]] if "entry" in line else [line["lot"].rpartition("/")[0]]
        rows.append(Row((line["line"], line["hash"], corrects["hash"] if corrects else ""), entries))
    wanted = columns(sources, ("line", INTEGER), ("hash", "text"), ("corrects", "text"))
    return section(sources, "hashes", wanted, rows)


def listing_report(sources: Sources, document: Mapping[str, Any]) -> Report:
    """The inventory listing document as a report."""
    rows = []
    for line in document["lines"]:
        cells = (
            line["line"],
            line["lot"],
            line["serial"] or "",
            sources.named("items", line["kind"]),
            sources.named("places", line["place"]),
            Amount(line["amount"], line["unit"]),
        )
        rows.append(Row(cells, in_order(sources.entries_of_lot(line["lot"]))))
    wanted = columns(
        sources,
        ("line", INTEGER),
        ("lot", "text"),
        ("serial", "text"),
        ("kind", "text"),
        ("place", "text"),
        ("amount", AMOUNT),
    )
    sections = [section(sources, "lines", wanted, rows), _hashes(sources, document["lines"])]
    limits = [sources.words["limit-listing"]]
    return _report(sources, LISTING, document, sections, limits)


def balance_report(sources: Sources, document: Mapping[str, Any]) -> Report:
    """The material balance document as a report."""
    words, sections = sources.words, []
    for balance in document["balances"]:
        sections.append(_balance(sources, document, balance))
    differences = [
        Row(
            (
                sources.named("items", row["kind"]),
                sources.named("places", row["place"]),
                Amount(row["book"], balance["unit"]),
                Amount(row["counted"], balance["unit"]),
                Amount(row["difference"], balance["unit"]),
            ),
            _of_boundary(document, "ending")
            + _of_lines(document, lambda line, row=row: (line["kind"], line["place"]) == (row["kind"], row["place"])),
        )
        for balance in document["balances"]
        for row in balance["differences"]
    ]
    wanted = columns(
        sources, ("kind", "text"), ("place", "text"), ("booked", AMOUNT), ("counted", AMOUNT), ("difference", AMOUNT)
    )
    sections.append(section(sources, "differences", wanted, differences))
    sections += _names(sources, document)
    sections += _evaluations(sources, document)
    sections.append(_change_lines(sources, [(1, line) for line in document["lines"]]))
    limits = [words["limit-balance"]]
    if document["due"]:
        limits.append(words["limit-report-due"].format(document["due"]["report"], document["due"]["next-count"]))
    return _report(sources, BALANCE, document, sections, limits)


def _balance(sources: Sources, document: Mapping[str, Any], balance: Mapping[str, Any]) -> Section:
    words, unit = sources.words, balance["unit"]
    ours = [line for line in document["lines"] if line["unit"] == unit]
    every = in_order(line["entry"] for line in ours)
    before = _of_boundary(document, "beginning")
    rows = [Row((words["b-beginning"], Amount(balance["beginning"], unit)), before or every)]
    for direction, sign in (("increases", "increase"), ("decreases", "decrease")):
        for told in balance[direction]:
            behind = in_order(
                line["entry"] for line in ours if (line["direction"], line["type"]) == (sign, told["type"])
            )
            kind = words.get(f"t-{told['type']}", told["type"])
            rows.append(Row((f"{words[sign]}: {kind}", Amount(told["amount"], unit)), behind))
    rows.append(Row((words["b-book"], Amount(balance["book"], unit)), in_order([*before, *every])))
    counted = _of_boundary(document, "ending")
    if document["ending"]["basis"] == "counted":
        rows.append(Row((words["b-ending"], Amount(balance["ending"], unit)), counted))
        rows.append(Row((words["b-muf"], Amount(balance["muf"], unit)), in_order([*before, *every, *counted])))
    made = section(sources, "balance", columns(sources, ("item", "text"), ("amount", AMOUNT)), rows)
    return Section(
        f"balance-{unit}", f"{made.title}: {sources.named('units', unit)}", made.columns, made.rows, made.none
    )


def _of_boundary(document: Mapping[str, Any], name: str) -> list[str]:
    entry = document[name]["entry"]
    return [entry] if entry else []


def _of_lines(document: Mapping[str, Any], wanted: Any) -> list[str]:
    return in_order(line["entry"] for line in document["lines"] if wanted(line))


def _names(sources: Sources, document: Mapping[str, Any]) -> list[Section]:
    if document["names"] is None:
        return []
    rows = [Row((name, sources.words["n-missing"]), [name.rpartition("/")[0]]) for name in document["names"]["missing"]]
    rows += [Row((name, sources.words["n-unrecorded"]), []) for name in document["names"]["unrecorded"]]
    return [section(sources, "names", columns(sources, ("name", "text"), ("what", "text")), rows)]


def _evaluations(sources: Sources, document: Mapping[str, Any]) -> list[Section]:
    rows = []
    for balance in document["balances"]:
        if balance["evaluation"] is None:
            continue
        result = balance["evaluation"]["result"]
        cells = (
            sources.named("units", balance["unit"]),
            str(result["muf"]),
            str(result["sigma"]),
            str(result["test"]["limit"]),
            sources.words["yes" if result["test"]["alarm"] else "no"],
        )
        rows.append(Row(cells, _of_lines(document, lambda line, unit=balance["unit"]: line["unit"] == unit)))
    if not rows:
        return []
    wanted = [
        *columns(sources, ("unit", "text")),
        Column("muf", sources.words["b-muf"], DECIMAL),
        *columns(sources, ("sigma", DECIMAL), ("limit", DECIMAL), ("alarm", "text")),
    ]
    return [section(sources, "evaluation", wanted, rows)]


def _report(
    sources: Sources, kind: str, document: Mapping[str, Any], sections: Sequence[Section], limits: Sequence[str]
) -> Report:
    words, area = sources.words, document["area"]

    def listed(table: str, names: Sequence[str] | None) -> str:
        return words["all"] if names is None else ", ".join(sources.named(table, name) for name in names)

    facts = [
        (words["held-by"], sources.named("parties", area["party"])),
        (words["places"], listed("places", area["places"])),
        (words["kinds"], listed("items", area["kinds"])),
    ]
    own = [words["limit-complete"], words["limit-cut"]]
    return sources.report(kind, sections, [*limits, *own], facts=facts)
