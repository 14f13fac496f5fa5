# SPDX-License-Identifier: Apache-2.0
"""Commands about what does not fit, what is on its way, seals, sites, and the parties' books side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from servanda.cli.asking import ask_home, home_option, json_option
from servanda.cli.printing import amount_text, emit, say, table

STATES = ("open", "replied", "overdue", "closed")
AT = click.option("--at", help="Judge at this date (YYYY-MM-DD); today if not given.")


@click.group(invoke_without_command=True)
@click.pass_context
@click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--home", envvar="SERVANDA_HOME", type=click.Path(file_okay=False, path_type=Path))
@AT
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only these; repeatable.")
@json_option
def discrepancies(
    context: click.Context,
    home: Path | None,
    passphrase_file: Path | None,
    at: str | None,
    states: tuple[str, ...],
    as_json: bool,
) -> None:
    """What does not fit and every open question: who must act, by when, what both sides say.

    `servanda discrepancies show KEY` shows one.
    """
    if context.invoked_subcommand is not None:  # what is given here may be left out there
        given = {"home": home, "passphrase_file": passphrase_file, "at": at}
        context.default_map = {"show": {name: value for name, value in given.items() if value is not None}}
        return
    if home is None:
        raise click.UsageError("give --home, the folder of the centre, or set SERVANDA_HOME")
    data = ask_home(home, passphrase_file, "discrepancies", at=at, states=list(states) or None)
    if emit(data, as_json):
        return
    rows = [
        (row["key"], row["class"] or "", row["state"], ", ".join(row["owners"]), row["due"], ", ".join(row["reasons"]))
        for row in data["discrepancies"]
    ]
    table(f"Discrepancies on {data['at']}", ["key", "class", "state", "to act", "due", "reasons given"], rows)
    counted = {state: sum(row["state"] == state for row in data["discrepancies"]) for state in STATES}
    click.echo(", ".join(f"{number} {state}" for state, number in counted.items()))
    click.echo("A discrepancy says which statements do not agree. It is no finding against anybody.")


@discrepancies.command("show")
@home_option
@AT
@click.argument("key")
@json_option
def show_discrepancy(home: Path, passphrase_file: Path | None, at: str | None, key: str, as_json: bool) -> None:
    """One discrepancy by its KEY: both sides' words, in their order."""
    data = ask_home(home, passphrase_file, "discrepancy", key=key, at=at)
    if emit(data, as_json):
        return
    say(f"{data['key']}: {data['state']}{' (' + data['class'] + ')' if data['class'] else ''}")
    say(f"raised by    {data['entry']} on {data['opened'] or 'a day that is not known'}")
    say(f"to act       {', '.join(data['owners'])}, by {data['due'] or 'no date: the agreement sets no clock'}")
    say(f"sides        {', '.join(data['sides'])}")
    say(f"cause        {'still there' if data['cause'] == 'present' else 'gone from the record as it stands'}")
    say(f"closed by    {data['closed-by'] or 'nobody yet' if data['cause'] == 'present' else data['closed-by'] or '—'}")
    for said in data["said"]:
        say(f"{said['entry']}  {said['by']} ({said['act']}, {said['reason']}): {said['words']}")


@click.command()
@home_option
@AT
@json_option
def handovers(home: Path, passphrase_file: Path | None, at: str | None, as_json: bool) -> None:
    """Every handover: what the giver states, what each side counted, what was received, how far it has come."""
    data = ask_home(home, passphrase_file, "handovers", at=at)
    if emit(data, as_json):
        return
    units = _units(home, passphrase_file)
    rows = [
        (
            item["entry"],
            f"{item['giver']} to {item['receiver']}",
            row["lot"],
            *(_number(row[name], row["unit"], units) for name in ("stated", "giver", "receiver", "received")),
            _signed(row["difference"], row["unit"], units),
            row["class"] or "",
            item["state"],
        )
        for item in data["handovers"]
        for row in item["lots"]
    ]
    rows += [
        (
            item["entry"],
            f"{item['giver']} to {item['receiver']}",
            f"rows of {row['table']}",
            *(f"{row['offered']:,} rows", "", ""),
            "" if row["received"] is None else f"{row['received']:,} rows",
            f"−{row['offered'] - row['received']:,} rows" if row["received"] not in (None, row["offered"]) else "",
            "significant" if row["received"] not in (None, row["offered"]) else "",
            item["state"],
        )
        for item in data["handovers"]
        for row in item["tables"]
    ]
    heads = ["offer", "from, to", "lot", "stated", "giver counted", "receiver counted", "received", "difference"]
    table(f"Handovers on {data['at']}", [*heads, "class", "state"], rows, right=(3, 4, 5, 6, 7))
    moving = [
        (item["entry"], s["entry"], s["carrier"], s["expected"], _seals(s["seals"]), "OVERDUE" * s["overdue"])
        for item in data["handovers"]
        for s in item["shipments"]
    ]
    table("Shipments", ["offer", "notice", "carrier", "expected", "seals", ""], moving)


@click.command()
@home_option
@AT
@click.option("--lot", help="Only seals of this lot.")
@click.option("--container", help="Only seals of this container, and of all that is in it.")
@click.option("--site", help="Only seals of lots at this place, or within it.")
@json_option
def seals(
    home: Path,
    passphrase_file: Path | None,
    at: str | None,
    lot: str | None,
    container: str | None,
    site: str | None,
    as_json: bool,
) -> None:
    """Seals and tags: where they are, whether they hold, every step of their lives and what does not fit in it."""
    data = ask_home(home, passphrase_file, "seals", at=at, lot=lot, container=container, site=site)
    if emit(data, as_json):
        return
    rows = [
        (
            seal["seal"],
            seal["lot"],
            seal["kind"] or "",
            seal["state"],
            seal["holds-until"] or "",
            "; ".join(stay["until"] or "no end" for stay in seal["agreed-to-stay"]),
        )
        for seal in data["seals"]
    ]
    table(f"Seals on {data['at']}", ["seal", "lot", "kind", "state", "holds until", "agreed to stay until"], rows)
    steps = [
        (seal["seal"], step["entry"], step["on"], step["by"], step["act"], ", ".join(step["faults"]))
        for seal in data["seals"]
        for step in seal["steps"]
    ]
    table("Steps", ["seal", "entry", "on", "by", "what", "does not fit"], steps)


@click.command()
@home_option
@json_option
def sites(home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Places: where they lie, access as each party states it, and what is there, with all that lies within."""
    data = ask_home(home, passphrase_file, "sites")
    if emit(data, as_json):
        return
    units = _units(home, passphrase_file)
    rows = [
        (
            site["place"],
            site["within"] or "",
            _degrees(site["coordinates"]),
            "; ".join(f"{said['party']}: {said['state']} ({said['entry']})" for said in site["access"])
            or "nobody says",
            _sums(site["here"], units),
            _sums(site["with-all-within"], units),
            site["lots-not-stated"] or "",
        )
        for site in data["sites"]
    ]
    heads = ["place", "within", "latitude, longitude", "access", "here", "with all within", "lots not stated"]
    table("Sites", heads, rows, right=(6,))
    if data["lots-at-sealed-places"]:
        click.echo(
            f"{data['lots-at-sealed-places']} lots are at places that are sealed: they are in none of these rows."
        )


@click.command()
@home_option
@json_option
def containers(home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """What is packed in what, with the amounts at every level."""
    data = ask_home(home, passphrase_file, "containers")
    if emit(data, as_json):
        return
    units = _units(home, passphrase_file)
    rows = [row for top in data["containers"] for row in _levels(top, 0, units)]
    table("Containers", ["lot", "kind", "account", "place", "amount", "with all within"], rows, right=(4,))


def _levels(level: Mapping[str, Any], depth: int, units: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    sums = "; ".join(amount_text(amount, units.get(unit)) for unit, amount in level["within"].items())
    unknown = f" and {level['not-stated']} not stated" if level["not-stated"] else ""
    yield (
        "   " * depth + level["lot"],
        level["kind"] or "sealed",
        level["account"],
        level["place"] or "sealed",
        amount_text(level["amount"], units.get(level["unit"])),
        sums + unknown if level["contents"] else "",
    )
    for inner in level["contents"]:
        yield from _levels(inner, depth + 1, units)


@click.command()
@home_option
@click.option("--of", help="Only what this party has.")
@json_option
def books(home: Path, passphrase_file: Path | None, of: str | None, as_json: bool) -> None:
    """Each party's numbers side by side: the accounts, and what every party says. Nothing overwrites another's."""
    data = ask_home(home, passphrase_file, "books", of=of)
    if emit(data, as_json):
        return
    units = _units(home, passphrase_file)
    rows = [
        (
            row["of"],
            row["kind"],
            name,
            _number(column["amount"], row["unit"], units) or "not stated",
            f"and {column['not-stated']} not stated" if column["not-stated"] and column["amount"] is not None else "",
            ", ".join(column["entries"]) or f"{column['lots']} lot{'s' * (column['lots'] != 1)}",
        )
        for row in data["books"]
        for name, column in sorted(row["columns"].items())
    ]
    table("Books, side by side", ["of", "kind", "who says so: standing", "amount", "", "from"], rows, right=(3,))
    click.echo("These numbers are never added to one another: what is counted in one row may be counted in another.")


def _seals(seals: Sequence[Mapping[str, str]]) -> str:
    """The seals of a shipment: what is not plainly in use is said, an expired one above all."""
    return ", ".join(one["seal"] + ("" if one["state"] == "in use" else f" ({one['state'].upper()})") for one in seals)


def _units(home: Path, passphrase_file: Path | None) -> dict[str, Any]:
    return {unit["id"]: unit for unit in ask_home(home, passphrase_file, "pack")["units"]}


def _number(amount: int | None, unit: str, units: Mapping[str, Any]) -> str:
    return "" if amount is None else amount_text(amount, units.get(unit))


def _signed(amount: int | None, unit: str, units: Mapping[str, Any]) -> str:
    """A difference with its sign: positive where there is more than was stated."""
    if amount is None:
        return ""
    return f"{'+' if amount > 0 else '−' if amount < 0 else ''}{amount_text(abs(amount), units.get(unit))}"


def _sums(sums: Mapping[str, Mapping[str, int]], units: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{account} {amount_text(amount, units.get(unit))}"
        for account, by_unit in sorted(sums.items())
        for unit, amount in sorted(by_unit.items())
    )


def _degrees(coordinates: Sequence[int] | None) -> str:
    if coordinates is None:
        return ""
    return ", ".join(
        f"{'−' if part < 0 else ''}{abs(part) // 1_000_000}.{abs(part) % 1_000_000:06d}" for part in coordinates
    )


COMMANDS = (discrepancies, handovers, seals, sites, books, containers)
