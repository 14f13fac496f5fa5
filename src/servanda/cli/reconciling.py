# SPDX-License-Identifier: Apache-2.0
"""`servanda reconcile`: does what a party holds add up? `servanda evaluate`: a method on its own."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from servanda.cli.asking import ask_home, home_option, json_option
from servanda.cli.printing import amount_text, emit, plain, say, table
from servanda.operations.errors import Refusal
from servanda.operations.reconciling import wrong_in, wrong_in_history
from servanda.proof.canonical import CanonicalError
from servanda.verification.errors import VerificationError
from servanda.verification.evaluations import METHODS, evaluation_bytes, holds

_DOCUMENTS = {
    "balance": "reconcile",
    "changes": "inventory-changes",
    "history": "balance-history",
    "listing": "inventory-listing",
}
_WRONG = {"balance": wrong_in, "history": wrong_in_history}


@click.command()
@click.argument("party")
@home_option
@click.option("--place", help="Only what is at this place of the pack, or at one within it.")
@click.option("--kind", help="Only items of this kind, or of one within it.")
@click.option("--period", help="`2014`, `2014-04` or `2014-04-01/2014-06-30`; the whole record if not given.")
@click.option(
    "--count", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A physical count, as JSON."
)
@click.option(
    "--errors", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Errors of measuring, TOML."
)
@click.option("--document", type=click.Choice(sorted(_DOCUMENTS)), default="balance", show_default=True)
@json_option
def reconcile(
    party: str,
    home: Path,
    passphrase_file: Path | None,
    place: str | None,
    kind: str | None,
    period: str | None,
    count: Path | None,
    errors: Path | None,
    document: str,
    as_json: bool,
) -> None:
    """Material balance of PARTY: beginning, what came and went, what was counted, and what is unaccounted for.

    Status 1 if pieces do not add up, or a difference is more than the stated errors of measuring explain. A difference
    is a question, and says nothing of what anybody did.
    """
    wanted = {"party": party, "place": place, "kind": kind, "period": period}
    wanted |= {"count": _json(count)} if count else {}
    wanted |= {"errors": _toml(errors)} if errors else {}
    found = ask_home(home, passphrase_file, _DOCUMENTS[document], **wanted)
    wrong = _WRONG[document](found) if document in _WRONG else []
    if not emit(found, as_json):
        units = {unit["id"]: unit for unit in ask_home(home, passphrase_file, "pack")["units"]}
        _SHOWN[document](found, units)
        for line in wrong:
            say(line)
    if wrong:
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--method", type=click.Choice(sorted(METHODS)), help="What to compute.")
def evaluate(file: Path, method: str | None) -> None:
    """Check that the result in FILE is what its method makes of its inputs; with --method, compute it from inputs.

    Needs no centre. What is printed has the bytes that are signed: the same on every machine.
    """
    data = _json(file)
    if method is None:
        if not holds(data):
            say("the result is not what the method makes of the inputs")
            raise click.exceptions.Exit(1)
        say(f"{data['method']}: the result follows from the inputs")
        return
    try:
        click.echo(evaluation_bytes(method, data).decode())
    except (AttributeError, TypeError, VerificationError, CanonicalError) as error:
        raise Refusal(f"{file}: {error}", "usage") from error


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise Refusal(f"{path}: not JSON: {error}", "usage") from error


def _toml(path: Path) -> Any:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Refusal(f"{path}: not TOML: {error}", "usage") from error


def _print_balance(found: Mapping[str, Any], units: Mapping[str, Any]) -> None:
    say(_area(found["area"]) + f", {found['period']['from']} to {found['period']['to']}")
    for balance in found["balances"]:
        unit = units[balance["unit"]]
        rows = [(f"beginning ({found['beginning']['basis']})", "", balance["beginning"])]
        rows += [("increase", row["type"], row["amount"]) for row in balance["increases"]]
        rows += [("decrease", row["type"], row["amount"]) for row in balance["decreases"]]
        rows += [("ending by the book", "", balance["book"])]
        counted = found["ending"]["basis"] == "counted"
        if counted:
            rows += [("ending as counted", "", balance["ending"]), ("unaccounted for", "", balance["muf"])]
        table(balance["unit"], ["", "type", "amount"], [(*row[:2], _signed(row[2], unit)) for row in rows], right=(2,))
        if not counted:
            say("No physical count: this is the book alone, and says nothing of what is there.")
        if balance["differences"]:
            rows = [
                (d["kind"], d["place"], *(_signed(d[name], unit) for name in ("book", "counted", "difference")))
                for d in balance["differences"]
            ]
            table("Differences", ["kind", "place", "book", "counted", "difference"], rows, right=(2, 3, 4))
        if balance["evaluation"]:
            _print_evaluation(balance["evaluation"])
    if found["sealed"]:
        say(f"{found['sealed']} rows held have a sealed place or kind: whether they belong here cannot be told.")
    if found["due"]:
        say(f"Report due {found['due']['report']}; next count at the latest {found['due']['next-count']}.")


def _print_evaluation(evaluation: Mapping[str, Any]) -> None:
    result, inputs = evaluation["result"], evaluation["inputs"]
    say(f"{evaluation['method']}: sigma {result['sigma']}, limit ({inputs['sigmas']} sigma) {result['test']['limit']}:")
    say("more than measuring explains" if result["test"]["alarm"] else "within what measuring explains")


def _print_changes(found: Mapping[str, Any], units: Mapping[str, Any]) -> None:
    say(_area(found["area"]))
    for report in found["reports"]:
        rows = [
            (
                line["line"],
                line["day"],
                line["code"],
                line["correction"],
                _lot(line),
                line["kind"],
                line["place"],
                ("+" if line["direction"] == "increase" else "-") + _signed(line["amount"], units[line["unit"]]),
                line["on"],
                line["hash"][:12],
            )
            for line in report["lines"]
        ]
        heads = ["line", "day", "code", "D/A/L", "lot", "kind", "place", "amount", "entry", "hash"]
        title = f"Report {report['number']}: {report['from']} to {report['to']}, {len(rows)} lines"
        table(title, heads, rows, right=(0, 7))


def _print_history(found: Mapping[str, Any], units: Mapping[str, Any]) -> None:
    say(_area(found["area"]) + f", {len(found['counts'])} counts")
    for row in found["evaluations"]:
        if row["evaluation"] is None:
            say(f"{row['unit']}: something is not stated; there is no balance.")
            continue
        result = row["evaluation"]["result"]
        rows = [
            (at + 1, one["muf"], one["sigma"], result["sitmuf"][at], result["page"]["statistic"][at])
            for at, one in enumerate(result["periods"])
        ]
        heads = ["period", "MUF", "sigma", "SITMUF", "Page"]
        table(f"{row['unit']} (smallest step): {row['evaluation']['method']}", heads, rows, right=(0, 1, 2, 3, 4))


def _print_listing(found: Mapping[str, Any], units: Mapping[str, Any]) -> None:
    rows = [
        (
            line["line"],
            _lot(line),
            line["serial"],
            line["kind"],
            line["place"],
            _signed(line["amount"], units[line["unit"]]),
            line["hash"][:12],
        )
        for line in found["lines"]
    ]
    heads = ["line", "lot", "serial", "kind", "place", "amount", "hash"]
    table(f"{_area(found['area'])}, {found['day']}", heads, rows, right=(0, 5))


_SHOWN = {"balance": _print_balance, "changes": _print_changes, "history": _print_history, "listing": _print_listing}


def _lot(line: Mapping[str, Any]) -> str:
    return line["lot"] if line["rows"] == 1 else f"{line['lot']} and {line['rows'] - 1} following"


def _signed(amount: int | None, unit: Mapping[str, Any]) -> str:
    text = amount_text(None if amount is None else abs(amount), unit)
    return f"-{text}" if amount is not None and amount < 0 else text


def _area(area: Mapping[str, Any]) -> str:
    parts = [f"held by {area['party']}"]
    parts += [f"at {', '.join(area['places'])}"] if area["places"] is not None else []
    parts += [f"kinds {', '.join(area['kinds'])}"] if area["kinds"] is not None else []
    return plain("; ".join(parts))


COMMANDS = (reconcile, evaluate)
