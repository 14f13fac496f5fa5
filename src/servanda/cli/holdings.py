# SPDX-License-Identifier: Apache-2.0
"""`servanda holdings` and `servanda trace`: who holds what, and the life of one piece, down to the signed entries."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click

from servanda.cli.asking import ask_home, home_option, json_option
from servanda.cli.printing import emit, mark, say, sum_text, table
from servanda.operations.errors import Refusal

_LOT = re.compile(r"[a-z][a-z0-9-]{0,31}/[1-9][0-9]{0,15}/(0|[1-9][0-9]{0,15})\Z")


@click.command()
@home_option
@click.option("--by", default="party,kind,site,state", show_default=True, help="Party, kind, site, state, account.")
@click.option("--where", multiple=True, metavar="NAME=VALUE", help="Only this party, kind, site, …; repeat for more.")
@click.option("--as-of", metavar="DAY", help="As the record stood at the end of this day (YYYY-MM-DD).")
@click.option("--explain", is_flag=True, help="Under each number the lots that it is the sum of, and their entries.")
@json_option
def holdings(
    home: Path,
    passphrase_file: Path | None,
    by: str,
    where: tuple[str, ...],
    as_of: str | None,
    explain: bool,
    as_json: bool,
) -> None:
    """Balances by party, kind, site and state, from the record and the rows that are held here."""
    from servanda.assembly.tables import balances_by

    data = ask_home(home, passphrase_file, "holdings", as_of=as_of)
    names = [name.strip() for name in by.split(",") if name.strip()]
    rows = balances_by(home, data["lots"], data["roots"], names, where, explain=explain)
    found = {"as-of": as_of, "balances": rows, "open-discrepancies": data["discrepancies"]}
    if emit(found, as_json):
        return
    pack = ask_home(home, passphrase_file, "pack")
    units = {unit["id"]: unit for unit in pack["units"]}
    heads = [*names, "lots", "amount", "not known"]
    lines = []
    for row in rows:
        unknown = [f"{row[name]:,} {name.replace('-', ' ')}" for name in ("sealed", "not-stated") if row[name]]
        if row["from"] is not None:
            unknown.append(f"and {row['from']:,} to {row['to']:,}")
        amount = "—" if row["amount"] is None else sum_text(row["amount"], units.get(row["unit"]))
        told = ("sealed" if row[name] is None else row[name] for name in names)
        lines.append((*told, f"{row['lots']:,}", amount, ", ".join(unknown)))
    table(f"Holdings{' at ' + as_of if as_of else ''}", heads, lines, right=(len(names), len(names) + 1))
    for row in rows if explain else ():
        say(" ".join(str(row[name]) for name in names) + ":")
        for lot in row["from-lots"]:
            say(f"  {lot['lot']} and {lot['rows'] - 1:,} more rows" if lot["rows"] > 1 else f"  {lot['lot']}")
    say("The record shows what was said and accepted; it does not prove that a declaration was complete.")
    if data["discrepancies"]:
        say(f"{data['discrepancies']:,} discrepancies are open: `servanda accounting` names them.")


@click.command()
@home_option
@click.argument("item")
@json_option
def trace(home: Path, passphrase_file: Path | None, item: str, as_json: bool) -> None:
    """The whole life of ITEM: a serial number, or the name of a lot (party/number/row)."""
    from servanda.assembly.tables import rows_of_serial, value_of_row

    if _LOT.match(item):
        found, data = [], ask_home(home, passphrase_file, "trace", lots=[item])
    else:
        found = rows_of_serial(home, item)
        exact = [[one["root"], one["row"]] for one in found if one["exact"]]
        data = ask_home(home, passphrase_file, "trace", rows=exact, serial=item)
    alike = sorted({one["serial"] for one in found if not one["exact"]})
    for lot in data["lots"]:
        lot["row"] = value_of_row(home, lot.get("root"), lot["lot"])
    if not data["lots"] and not alike:
        raise Refusal(f"{item!r} is no serial in a table that is held here, nor in the record in clear", "no-item")
    if emit({"item": item, "alike": alike, "lots": data["lots"]}, as_json):
        return
    for lot in data["lots"]:
        _print_life(lot)
    for serial in alike:
        say(f"alike, and another one: {serial!r}")


def _print_life(lot: dict[str, Any]) -> None:
    say(f"lot {lot['lot']}" + (f": {json.dumps(lot['row'], ensure_ascii=False)}" if lot["row"] else ""))
    if lot["now"]:
        now = lot["now"]
        say(f"now {now['account']}, {now['kind'] or 'kind sealed'} at {now['place'] or 'a place that is sealed'}")
    lines = [
        (
            event["entry"],
            event["event-at"],
            event["effect"] or event["act"],
            f"{event['author']}, {event['releaser'] or 'alone'}",
            ", ".join(event["receipted-by"]) or "nobody yet",
            mark(event["status"]) + event["subject"] + (f" [{event['code']}]" if event["code"] else ""),
        )
        for event in lot["life"]
    ]
    table("Its life", ["entry", "event at", "what", "signed by", "receipted by", "subject"], lines)


COMMANDS = (holdings, trace)
