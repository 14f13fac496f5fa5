# SPDX-License-Identifier: Apache-2.0
"""Commands that need no centre: check a pack, verify a bundle or the proof of a fork."""

from __future__ import annotations

import re
from pathlib import Path

import click

from servanda.agreement.errors import PackError
from servanda.assembly import read_pack
from servanda.cli.asking import json_option, parse_pairs, text_of
from servanda.cli.printing import emit, say, table
from servanda.operations.errors import Refusal
from servanda.operations.forkcheck import verify_fork
from servanda.operations.verifying import Report, verify_bundle
from servanda.proof.canonical import encode


@click.command()
@click.argument("pack", type=click.Path(exists=True, path_type=Path))
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the compiled pack here.")
@json_option
def check(pack: Path, output: Path | None, as_json: bool) -> None:
    """Check PACK (a folder, or a compiled file): every mistake with file, line and reason; else its digest."""
    try:
        compiled = read_pack(pack)
    except PackError as error:
        problems = [problem._asdict() for problem in error.problems]
        if not emit({"problems": problems}, as_json):
            for problem in error.problems:
                click.echo(str(problem))
        raise click.exceptions.Exit(1) from error
    if output is not None:
        output.write_bytes(encode(compiled.data))
    data = compiled.data
    counts = {name: len(data[name]) for name in ("parties", "formats", "items", "obligations", "bodies", "alerts")}
    if not emit({"digest": compiled.digest, "id": data["id"], **counts}, as_json):
        click.echo(f"{data['id']} edition {data['edition']}: {', '.join(f'{n} {name}' for name, n in counts.items())}")
        click.echo(f"digest {compiled.digest}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--party", "parties", multiple=True, metavar="PARTY=FINGERPRINT", help="Fingerprint compared in person.")
@click.option(
    "--parties",
    "listing",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with one PARTY=FINGERPRINT a line.",
)
@click.option("--expect", multiple=True, metavar="PARTY>=N", help="The journal must be complete to entry N at least.")
@click.option(
    "--fork",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A proof of a fork, judged by the identities in FILE.",
)
@json_option
def verify(
    file: Path,
    parties: tuple[str, ...],
    listing: Path | None,
    expect: tuple[str, ...],
    fork: Path | None,
    as_json: bool,
) -> None:
    """Verify FILE, a bundle, offline: everything is derived anew from its entries and the parties' fingerprints."""
    lines = tuple(line.strip() for line in text_of(listing, "usage").splitlines() if line.strip()) if listing else ()
    fingerprints = parse_pairs(lines + parties, "=")
    expected = {}
    for party, size in parse_pairs(expect, ">=").items():
        if not re.fullmatch("[0-9]{1,15}", size):
            raise Refusal(f"{size!r} is not a number of entries", "usage")
        expected[party] = int(size)
    try:
        report = verify_bundle(file.read_bytes(), fingerprints, expected)
    except Refusal as error:
        if not emit({"verified": False, "wrong": [str(error)]}, as_json):
            click.echo(f"not verified: {error}")
        raise click.exceptions.Exit(1) from error
    if fork is not None:
        _judge_fork(file, fork, report, as_json)
        return
    if not emit(report_data(report), as_json):
        print_report(report)
    if not report.verified:
        raise click.exceptions.Exit(1)


def _judge_fork(file: Path, fork: Path, report: Report, as_json: bool) -> None:
    """Print whose fork the proof proves; it is judged by the identities in a bundle that itself verifies."""
    wrong = [*report.wrong, *(f"no fingerprint was given for {party}" for party in report.unpinned)]
    proof: dict[str, object] = {}
    if not wrong:
        try:
            proof = verify_fork(file.read_bytes(), fork.read_bytes())
        except Refusal as error:
            wrong = [str(error)]
    if wrong:
        if not emit({"fork": False, "wrong": wrong}, as_json):
            click.echo("\n".join(f"no fork is proven: {line}" for line in wrong))
        raise click.exceptions.Exit(1)
    if not emit({"fork": True, **proof}, as_json):
        click.echo(f"fork proven: the centre of {proof['party']} signed two histories,")
        click.echo(f"  size {proof['first-size']} root {proof['first-root']}")
        click.echo(f"  size {proof['second-size']} root {proof['second-root']}, which does not extend the first")


def report_data(report: Report) -> dict[str, object]:
    """A report as JSON data."""
    import msgspec

    data: dict[str, object] = msgspec.to_builtins(report)
    return {"verified": report.verified, **data}


def print_report(report: Report) -> None:
    """A report as sentences."""
    for line in report.wrong:
        say(f"WRONG: {line}")
    for party in report.unpinned:
        say(f"WRONG: no fingerprint was given for {party}: its journal could be anybody's")
    say(f"{report.entries} entries of {len(report.complete)} journals, {len(report.receipts)} receipts")
    for party, size in sorted(report.complete.items()):
        say(f"complete to entry {size} of journal {party}, as of {report.as_of}")
    if report.inadmissible:
        table(
            "Inadmissible entries (shown, without effect)",
            ["entry", "code", "reason"],
            [(i["entry"], i["code"], i["reason"]) for i in report.inadmissible],
        )
    for place, reason in report.waiting.items():
        say(f"waiting from {place} on: {reason}")
    for line in report.not_checked:
        say(f"not checked: {line}")
    click.echo("It is proven that these records agree and who signed them; not that any declaration was complete.")
    click.echo("verified" if report.verified else "NOT VERIFIED")


COMMANDS = (check, verify)
