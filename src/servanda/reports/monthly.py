# SPDX-License-Identifier: Apache-2.0
"""The monthly progress report: what was declared, moved, destroyed, found and due, with the entries behind it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from servanda.registers.custody.views import declared, figures, movements, statements
from servanda.reports.document import AMOUNT, DATE, DECIMAL, INTEGER, Amount, Column, Report, Row, Section, in_order
from servanda.reports.sources import Sources, amount_of_rows

KIND = "monthly-progress"


def monthly_progress(sources: Sources) -> Report:
    """The report over the period of `sources`, or over the whole record."""
    sections = [
        _cumulative(sources),
        _declared(sources),
        _movements(sources),
        _destroyed(sources),
        _totals(sources),
        _figures(sources),
        _findings(sources),
        _obligations(sources),
        _discrepancies(sources),
        _issues(sources),
    ]
    words = sources.words
    return sources.report(KIND, sections, [words["limit-complete"], words["limit-all"], words["limit-cut"]])


def columns(sources: Sources, *wanted: tuple[str, str]) -> list[Column]:
    """Columns with the titles that the language gives for their ids."""
    return [Column(identifier, sources.words[identifier], kind) for identifier, kind in wanted]


def section(sources: Sources, name: str, wanted: list[Column], rows: list[Row], *, note: str = "") -> Section:
    """A section whose title and words for no rows come from the language."""
    none = sources.words["none-in-period" if name in _OF_PERIOD and sources.period else "none"]
    notes = [sources.words[note]] if note else []
    return Section(name, sources.words[f"s-{name}"], wanted, rows, none, notes)


_OF_PERIOD = frozenset({"movements", "destroyed", "figures", "findings"})


def _cumulative(sources: Sources) -> Section:
    by_unit: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for lot in sources.balances["lots"]:
        if lot["account"] != "found" and not lot["account"].startswith("corrected/"):
            by_unit[lot["unit"]].append(lot)
    rows = []
    for unit, lots in sorted(by_unit.items()):
        gone = [lot for lot in lots if lot["account"].startswith("destroyed/")]
        whole, done = total(lots), total(gone)
        open_ended = any(lot["amount"] is None for lot in lots)
        share = "" if open_ended or not whole else share_text(done, whole)
        made = total([lot for lot in gone if lot["basis"] == "derived"])
        cells = (
            sources.named("units", unit),
            Amount(whole, unit, "at-least" if open_ended else "exact"),
            Amount(done, unit, "at-least" if any(lot["amount"] is None for lot in gone) else "exact"),
            Amount(made, unit),
            share,
        )
        rows.append(Row(cells, sources.entries_of(lots)))
    wanted = columns(
        sources,
        ("unit", "text"),
        ("declared", AMOUNT),
        ("destroyed", AMOUNT),
        ("of-which-derived", AMOUNT),
        ("share", DECIMAL),
    )
    return section(sources, "cumulative", wanted, rows)


def total(lots: list[dict[str, Any]]) -> int:
    """The sum of the amounts that are known; a lot that stands for several rows counts for each."""
    return sum((lot["amount"] or 0) * lot.get("rows", 1) for lot in lots)


def share_text(done: int, whole: int) -> str:
    """`done` of `whole` in per cent with two decimals, rounded down: what is not all is never shown as all."""
    whole_percent, hundredths = divmod(10_000 * done // whole, 100)
    return f"{whole_percent}.{hundredths:02d}"


def _declared(sources: Sources) -> Section:
    grouped: dict[tuple[str, str, str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in declared(sources.custody):
        key = (row["entry"], row["kind"], row["place"], row["quantity"]["unit"], row["quantity"]["basis"])
        grouped[key].append(row)
    rows = []
    for (entry, kind, place, unit, basis), found in sorted(grouped.items()):
        cells = (
            sources.named("parties", entry.partition("/")[0]),
            sources.named("items", kind),
            sources.named("places", place),
            len(found),
            _added([row["quantity"] for row in found], unit),
            sources.words[f"basis-{basis}"],
        )
        rows.append(Row(cells, in_order([entry, *sources.corrections.get(entry, ())])))
    rows += _by_table(sources)
    wanted = columns(
        sources,
        ("party", "text"),
        ("kind", "text"),
        ("place", "text"),
        ("lots", INTEGER),
        ("amount", AMOUNT),
        ("basis", "text"),
    )
    return section(sources, "declared", wanted, rows)


def _added(quantities: list[dict[str, Any]], unit: str) -> Amount:
    """The sum of quantities of one basis."""
    basis = quantities[0]["basis"]
    if basis == "range":
        low, high = (sum(quantity[end] for quantity in quantities) for end in ("from", "to"))
        return Amount(low, unit, "exact", high)
    return Amount(None if basis == "not-stated" else sum(quantity["amount"] for quantity in quantities), unit)


def _by_table(sources: Sources) -> list[Row]:
    """What was declared by table: a row for each kind, place and amount of its groups."""
    rows = []
    for entry, groups in sorted(sources.groups.items()):
        for group in groups:
            each = group["each"]
            basis = "sealed" if each is None else "range" if isinstance(each, dict) else "stated"
            cells = (
                sources.named("parties", entry.partition("/")[0]),
                sources.named("items", group["kind"]),
                sources.named("places", group["place"]),
                group["rows"],
                amount_of_rows(each, group["rows"], group["unit"]),
                sources.words[f"basis-{basis}"],
            )
            rows.append(Row(cells, [entry]))
    return rows


def _moved(sources: Sources, effect: str) -> list[tuple[dict[str, Any], str, list[Amount], list[str]]]:
    """Offers of the period: the offer, its kinds, its amounts, its entries."""
    kinds = sources.kinds
    found = []
    for moved in movements(sources.custody, effect):
        if not sources.in_period(moved["entry"]):
            continue
        chosen = [part for selection in moved.get("tables", ()) for part in sources.selected(selection)]
        names = {sources.named("items", kinds[row["lot"]]) for row in moved["lots"] if row["lot"] in kinds}
        names |= {sources.named("items", kind) for kind, _, _ in chosen}
        sums: dict[str, int | None] = {}
        for row in moved["lots"]:
            quantity = row["quantity"]
            _add(sums, quantity["unit"], quantity.get("amount"))
        for _, amount, _ in chosen:
            _add(sums, amount.unit, None if amount.to is not None else amount.amount)
        behind = [*(row["lot"].rpartition("/")[0] for row in moved["lots"])]
        behind += [selection["table"] for selection in moved.get("tables", ())]
        entries = in_order([*sources.offer_entries(moved["entry"]), *behind])
        found.append((moved, "; ".join(sorted(names)), [Amount(a, u) for u, a in sorted(sums.items())], entries))
    return found


def _add(sums: dict[str, int | None], unit: str, amount: int | None) -> None:
    known = sums.get(unit, 0)
    sums[unit] = None if known is None or amount is None else known + amount


def _moved_rows(sources: Sources, effect: str) -> list[Row]:
    """A row for each amount of each offer with an effect; third, whom it names: receiver, witnesses."""
    return [
        Row(
            (
                moved["event-at"],
                sources.named("parties", moved["from"]),
                ", ".join(sources.named("parties", name) for name in moved["named"]),
                kinds,
                amount,
                sources.named("places", moved["place"]),
                sources.words[f"state-{moved['state']}"],
            ),
            entries,
        )
        for moved, kinds, amounts, entries in _moved(sources, effect)
        for amount in amounts
    ]


def _movements(sources: Sources) -> Section:
    rows = _moved_rows(sources, "custody.offer")
    wanted = columns(
        sources,
        ("event-at", DATE),
        ("from", "text"),
        ("receiver", "text"),
        ("kind", "text"),
        ("amount", AMOUNT),
        ("place", "text"),
        ("state", "text"),
    )
    return section(sources, "movements", wanted, rows)


def _destroyed(sources: Sources) -> Section:
    rows = _moved_rows(sources, "custody.destroy")
    wanted = columns(
        sources,
        ("event-at", DATE),
        ("party", "text"),
        ("witnesses", "text"),
        ("kind", "text"),
        ("amount", AMOUNT),
        ("place", "text"),
        ("state", "text"),
    )
    return section(sources, "destroyed", wanted, rows)


def account_text(sources: Sources, account: str) -> str:
    """An account in words: `held: Syria`, `on its way: Syria, Denmark and Norway`."""
    state, *parties = account.split("/")
    names = ", ".join(sources.named("parties", party) for party in parties)
    return sources.words[f"c-{state}"] + (f": {names}" if names else "")


def _totals(sources: Sources) -> Section:
    behind: dict[tuple[str, str], list[str]] = defaultdict(list)
    for lot in sources.balances["lots"]:
        behind[lot["account"], lot["unit"]] += sources.entries_of([lot])
    rows = []
    for account in sources.balances["accounts"]:
        name, unit = account["account"], account["unit"]
        cells = (
            account_text(sources, name),
            Amount(account["stated"], unit),
            Amount(account["derived"], unit),
            account["unstated"] + account.get("sealed", 0) + account.get("range", {}).get("lots", 0),
        )
        rows.append(Row(cells, in_order(behind[name, unit])))
    wanted = columns(sources, ("account", "text"), ("stated", AMOUNT), ("derived", AMOUNT), ("unstated", INTEGER))
    return section(sources, "totals", wanted, rows)


def _figures(sources: Sources) -> Section:
    rows = []
    for figure in figures(sources.custody):
        if not sources.in_period(str(figure.entry)):
            continue
        data, value = figure.data, figure.data["value"]
        amount = Amount(value.get("amount", value.get("from")), data["unit"], value["qualifier"], value.get("to"))
        cells = (
            sources.named("items", data["subject"]),
            data["basis"],
            data["as-of"],
            amount,
            data["source"],
            data["grade"],
        )
        rows.append(Row(cells, [str(figure.entry)]))
    wanted = columns(
        sources,
        ("subject", "text"),
        ("basis", "text"),
        ("as-of", DATE),
        ("value", AMOUNT),
        ("source", "text"),
        ("grade", "text"),
    )
    rows.sort(key=lambda row: [str(cell) for cell in row.cells[:3]])
    return section(sources, "figures", wanted, rows, note="figures-note")


def _findings(sources: Sources) -> Section:
    counted: Counter[str] = Counter()
    behind: dict[str, list[str]] = defaultdict(list)
    for entry, content in statements(sources.custody, "custody.finding"):
        if sources.in_period(entry):
            for finding in content["findings"]:
                counted[finding["outcome"]] += 1
                behind[finding["outcome"]].append(entry)
    words = sources.words
    rows = [
        Row((words[f"o-{name}"], words["yes" if name == "present-matching" else "no"], number), in_order(behind[name]))
        for name, number in sorted(counted.items(), key=lambda item: (item[0] != "present-matching", item[0]))
    ]
    wanted = columns(sources, ("outcome", "text"), ("verified", "text"), ("count", INTEGER))
    return section(sources, "findings", wanted, rows, note="findings-note")


def _obligations(sources: Sources) -> Section:
    known = {entry["id"]: entry for entry in sources.pack.data["obligations"]}
    rows = []
    for row in sources.judged["obligations"]:
        low, high = row["days-late-min"], row["days-late-max"]
        days = "" if low is None and high is None else str(low) if low == high else f"{_bound(low)} … {_bound(high)}"
        cells = (
            row["id"],
            sources.named("obligations", row["id"]),
            ", ".join(known[row["id"]]["obligors"]),
            row["due"],
            sources.words[f"d-{row['status']}"],
            sources.words[f"p-{row['outcome']}"],
            row["met-on"],
            days,
        )
        rows.append(Row(cells, row["evidence"]))
    wanted = columns(
        sources,
        ("known-as", "text"),
        ("obligation", "text"),
        ("owed-by", "text"),
        ("due", DATE),
        ("deadline", "text"),
        ("performance", "text"),
        ("met-on", DATE),
        ("days", DECIMAL),
    )
    return section(sources, "obligations", wanted, rows, note="obligations-note")


def _bound(days: int | None) -> str:
    return "?" if days is None else str(days)


def _discrepancies(sources: Sources) -> Section:
    rows = [
        Row((item["code"], item["lot"] or "", item["entry"]), [item["entry"]])
        for item in sources.balances["discrepancies"]
    ]
    wanted = columns(sources, ("discrepancy", "text"), ("lot", "text"), ("entry", "text"))
    return section(sources, "discrepancies", wanted, rows)


def _issues(sources: Sources) -> Section:
    rows = [
        Row((issue["issue"], issue["count"], sources.words[f"issue-{issue['state']}"]), [entry])
        for entry, content in statements(sources.custody, "custody.issue")
        for issue in content["issues"]
    ]
    wanted = columns(sources, ("issue", "text"), ("count", INTEGER), ("state", "text"))
    return section(sources, "issues", wanted, rows)
