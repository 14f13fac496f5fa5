# SPDX-License-Identifier: Apache-2.0
"""`servanda demo`: a published record replayed between real centres, one process a party, on loopback."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from servanda.cli.asking import json_option
from servanda.cli.centres import judged_alone
from servanda.cli.demonstration import Demonstration
from servanda.cli.desk import print_accounting, print_obligations
from servanda.cli.printing import amount_text, emit, table
from servanda.cli.telling import tell_story
from servanda.operations.errors import Refusal

SHARED = Path(__file__).resolve().parents[3]
KINDS = ("replay", "story", "stock")
"""Files that make a folder of `examples/` one that can be played."""


@click.command()
@click.argument("name", default="syria-2013")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="New folder for the centres; temporary if not given.",
)
@click.option("--keep", is_flag=True, help="Leave the centres on duty.")
@click.option("--as-of", help="Instant at which the obligations are judged; else the example's own.")
@click.option(
    "--sources",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the text files of sources that the example names by hash: quotations are looked up in them.",
)
@click.option("--pieces", type=click.IntRange(600), help="How many pieces a stockpile has; else the example's own.")
@json_option
def demo(
    name: str,
    home: Path | None,
    keep: bool,
    as_of: str | None,
    sources: Path | None,
    pieces: int | None,
    as_json: bool,
) -> None:
    """Play worked example NAME between real centres.

    `syria-2013` replays a record of custody, `us-ru-2013` one of a dialogue; `urgent-alert` tells a story;
    `world-stockpile` accounts for millions of pieces, and says what each phase costs beside its floor.
    """
    pack, example = SHARED / "agreements" / name, SHARED / "examples" / name
    known = sorted(path.parent.name for kind in KINDS for path in SHARED.glob(f"examples/*/{kind}.toml"))
    if name not in known:
        raise Refusal(f"no worked example {name!r}; there are {', '.join(known) or 'none'}", "usage")
    base = home or Path(tempfile.mkdtemp(prefix="servanda-"))
    if home is not None and home.exists() and any(home.iterdir()):
        raise Refusal(f"{home} is not empty; give a new folder", "home")
    if (example / "story.toml").is_file():
        if not tell_story(base, example, keep, as_json):
            raise click.exceptions.Exit(1)
        return
    if (example / "stock.toml").is_file():
        if not _stockpile(base, example, pieces, keep, as_json):
            raise click.exceptions.Exit(1)
        return
    show = Demonstration(base, pack, example, sources)
    show.as_json = as_json
    try:
        with _progress("centres", len(show.pack.parties) * 2, as_json) as step:
            show.start(step)
        with _progress("replay", show.length, as_json) as step:
            show.replay(step)
        result = show.conclude(as_of or show.as_of)
        result["verified"] = result["verified"] and _independent(show, result)
        if not emit(result["data"] | {"verified": result["verified"], "homes": str(base)}, as_json):
            _print(show, result)
    finally:
        if not keep:
            show.centres.stop()
    if not as_json:
        _print_where(show, result, keep)
    if not result["verified"]:
        raise click.exceptions.Exit(1)


def _stockpile(base: Path, example: Path, pieces: int | None, keep: bool, as_json: bool) -> bool:
    from servanda.cli.stockpile import Stockpile  # with what works on tables, which is slow to import
    from servanda.cli.stocktelling import tell_stockpile

    settings = tomllib.loads((example / "stock.toml").read_text())
    show = Stockpile(base, example, pieces or settings["pieces"], settings["seed"])
    return tell_stockpile(show, SHARED / "verifier" / "verify.py", _progress, keep, as_json)


@contextmanager
def _progress(title: str, total: int, quiet: bool) -> Iterator[Any]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}"),
    )
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task(title, total=total, now="")
        yield lambda now="": bar.update(task, advance=1, now=now[:60])


def _independent(show: Demonstration, result: Mapping[str, Any]) -> bool:
    """Let the stand-alone verifier, which shares no code with us, judge the dossier too."""
    done = judged_alone(SHARED / "verifier" / "verify.py", show.dossier, show.centres.fingerprints)
    result["data"]["independent"] = {"status": done.returncode, "message": done.stderr.strip()[-2000:]}
    return done.returncode == 0


def _print(show: Demonstration, result: Mapping[str, Any]) -> None:
    pack = show.pack.data
    click.echo(
        f"\nEXERCISE. {pack['title']['en']}. Judged by the dates that the sources attest; exercise clock throughout.\n"
    )
    for page in show.pages:
        click.echo(f"$ servanda {page['command']}        ({page['title']})\n")
        click.echo(show.shown[page["command"]])
    if result["accounting"]["accounts"] or result["accounting"]["figures"]:
        print_accounting(result["accounting"], pack, show.subjects)
        _print_sums(result["accounting"], pack)
    print_obligations(result["obligations"], pack)
    receipts: dict[str, dict[str, int]] = {}
    for receipt in result["receipts"]:
        held = receipts.setdefault(receipt["journal"], {})
        held[receipt["by"]] = max(held.get(receipt["by"], 0), receipt["size"])
    rows = [
        (journal, result["sizes"][journal], ", ".join(f"{by} to {size}" for by, size in sorted(held.items())))
        for journal, held in sorted(receipts.items())
    ]
    table("Who holds receipts for what", ["journal", "entries", "receipted by"], rows, right=(1,))


def _print_sums(accounting: Mapping[str, Any], pack: Mapping[str, Any]) -> None:
    units = {unit["id"]: unit for unit in pack["units"]}
    rows = []
    for unit in sorted({account["unit"] for account in accounting["accounts"]}):
        mine = [account for account in accounting["accounts"] if account["unit"] == unit]
        whole = sum((a["stated"] or 0) + (a["derived"] or 0) for a in mine if a["account"] != "found")
        gone = [a for a in mine if a["account"].startswith("destroyed/")]
        stated, derived = sum(a["stated"] or 0 for a in gone), sum(a["derived"] or 0 for a in gone)
        share = f"{10000 * (stated + derived) // whole / 100:g} %" if whole else "—"
        rows.append(
            (
                unit,
                amount_text(whole, units[unit]),
                amount_text(stated + derived, units[unit]),
                share,
                amount_text(derived, units[unit]),
            )
        )
    if rows:
        heads = ["ledger", "declared", "destroyed", "of declared", "of which derived"]
        table("Declared and destroyed", heads, rows, right=(1, 2, 3, 4))
    issues = [(i["issue"], i["count"], i["state"], i["entry"]) for i in accounting["issues"]]
    table(
        "Issues about the declarations: outside every figure and share above",
        ["issue", "count", "state", "entry"],
        issues,
        right=(1,),
    )
    if rows:
        click.echo("That all that was declared is destroyed does not say that all was declared.\n")


def _print_where(show: Demonstration, result: Mapping[str, Any], keep: bool) -> None:
    data = result["data"]
    click.echo(
        f"{data['entries']} entries. servanda verify: {'verified' if result['report'].verified else 'NOT VERIFIED'}; "
        f"stand-alone verifier: {'verified' if data['independent']['status'] == 0 else 'NOT VERIFIED'}"
    )
    click.echo(
        f"\ncentres      {show.centres.base}/<party>   (passphrase {show.centres.passphrase!r}, for this exercise only)"
    )
    click.echo(f"dossier      {show.dossier}")
    click.echo(f"fingerprints {show.centres.base / 'fingerprints.txt'}")
    click.echo("\nGo on with, for example:")
    click.echo(f"  ./run servanda verify {show.dossier} --parties {show.centres.base / 'fingerprints.txt'}")
    party = show.witness
    entry = next((row["entry"] for name in ("declared", "figures") for row in data[name]), f"{party}/3")
    click.echo(f"  export SERVANDA_PASSPHRASE={show.centres.passphrase}")
    click.echo(f"  ./run servanda show --home {show.centres.base}/{party} {entry}")
    for command in [page["command"] for page in show.pages] or ["accounting"]:
        click.echo(f"  ./run servanda {command} --home {show.centres.base}/{party}")
    if keep:
        click.echo(f"The centres are on duty; end them with: kill $(cat {show.centres.base}/*/pid)")


COMMANDS = (demo,)
