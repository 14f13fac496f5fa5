# SPDX-License-Identifier: Apache-2.0
"""`servanda report`: a report of the record as a file that people already use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from servanda.cli.asking import ask_home, home_option, json_option, parse_pairs
from servanda.cli.printing import emit, say
from servanda.operations.errors import Refusal
from servanda.operations.reporting import KINDS
from servanda.proof.canonical import decode, encode
from servanda.proof.errors import ProofError
from servanda.reports.proving import proof_problems

FORMS = ("pdf", "xlsx", "csv", "parquet", "json")
FOLDERS = frozenset({"csv", "parquet"})
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@home_option
@click.argument("kind", type=click.Choice(sorted(KINDS)))
@click.option("--format", "form", type=click.Choice(FORMS), default="pdf", show_default=True)
@click.option("--language", help="One of the agreement's languages; its first if not given.")
@click.option("--period", help="2014, 2014-04 or 2014-04-01/2014-06-30; the whole record if not given.")
@click.option("--party", help="Whose holdings: for inventory-changes, inventory-listing, material-balance.")
@click.option("--place", help="Only this place and what lies within it.")
@click.option("--item", help="Only this kind and what is part of it.")
@click.option("--count", type=FILE, help="A physical count (JSON) for material-balance; see spec/accountancy.md.")
@click.option("--errors", type=FILE, help="Errors of measuring (JSON) for material-balance.")
@click.option("--plan", metavar="ENTRY", help="The plan of the inspection: for inspection.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="File to write; for csv and parquet a folder. KIND-PERIOD-LANGUAGE here if not given.",
)
def report(home: Path, passphrase_file: Path | None, kind: str, form: str, output: Path | None, **asked: Any) -> None:
    """The report KIND, every figure with the entries that it follows from."""
    asked["kind"], asked["item"] = asked.pop("item"), None
    arguments = {name: _json(value) if isinstance(value, Path) else value for name, value in asked.items()}
    data = ask_home(home, passphrase_file, "report", report=kind, **arguments)
    target = output or Path(_name(data) + ("" if form in FOLDERS else f".{form}"))
    for path in write_report(data, form, target):
        say(str(path))
    if data["banner"]:
        click.echo(data["banner"], err=True)


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except ValueError as error:
        raise Refusal(f"{file} is not JSON: {error}", "usage") from error


def _name(data: Mapping[str, Any]) -> str:
    return "-".join([data["kind"], *(data["period"] or ()), data["language"]])


def write_report(data: Mapping[str, Any], form: str, target: Path) -> list[Path]:
    """Write a report document in one form; returns the files written.

    Raises:
        Refusal: a folder is needed and there is a file, or the other way round (`usage`).
    """
    if form not in FOLDERS:
        if target.is_dir():
            raise Refusal(f"{target} is a folder; --output names a file", "usage")
        target.write_bytes(_file(data, form))
        return [target]
    if target.exists() and not target.is_dir():
        raise Refusal(f"{target} is a file; for {form} --output names a folder", "usage")
    target.mkdir(parents=True, exist_ok=True)
    from servanda.presentation.tables import csv_files, parquet_files

    files = csv_files(data) if form == "csv" else parquet_files(data)
    for name, content in files.items():
        (target / name).write_bytes(content)
    return [target / name for name in files]


def _file(data: Mapping[str, Any], form: str) -> bytes:
    if form == "json":
        return encode(dict(data))
    if form == "xlsx":
        from servanda.presentation.workbook import workbook_of

        return workbook_of(data)
    from servanda.presentation.pdf import pdf_of

    return pdf_of(data)


@click.command("check-summary")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "keys", multiple=True, metavar="PARTY=KEY", help="The key of a party's centre, in hexadecimal.")
@click.option(
    "--home", type=click.Path(file_okay=False, path_type=Path), help="Derive it anew from this centre's record."
)
@click.option(
    "--passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File whose first line is the passphrase of the centre's keyring.",
)
@json_option
def check_summary(
    file: Path, keys: tuple[str, ...], home: Path | None, passphrase_file: Path | None, as_json: bool
) -> None:
    """Check FILE, a public summary as JSON: its entries lie under signed checkpoints; with --home, totals follow."""
    try:
        summary: Any = decode(file.read_bytes())
    except ProofError as error:
        raise Refusal(f"{file} is not canonical JSON: {error}", "malformed") from error
    given = parse_pairs(keys, "=")
    found = proof_problems(summary, given)
    if home is not None:
        found += ask_home(home, passphrase_file, "check-summary", summary=summary)
    derived = home is not None and not found
    if not emit({"derived-anew": derived, "problems": found, "verified": not found}, as_json):
        for problem in found:
            say(problem)
        if not found:
            say("every entry cited lies under a signed checkpoint" + _KEYS[len(given) > 0])
            say("the totals follow from this centre's record" if derived else _NOT_DERIVED)
    if found:
        raise click.exceptions.Exit(1)


_KEYS = {False: "; compare the keys with those that the parties publish", True: " by the keys given"}
_NOT_DERIVED = "that the totals follow from them was not derived: that takes the record (--home)"
COMMANDS = (report, check_summary)
