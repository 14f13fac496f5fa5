# SPDX-License-Identifier: Apache-2.0
"""`servanda table`: large declarations from a file into the record's custody, and single rows out of them.

What works on rows is imported where it is used: Arrow and DuckDB are slow to import, and most commands need neither.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from servanda.cli.asking import ask_home, home_option, json_option, read_json
from servanda.cli.printing import emit, plain, say, table
from servanda.operations.errors import Refusal, TryLater
from servanda.proof.canonical import decode, encode

Progress = Callable[[str, int, int], None]
PAUSE_SECONDS = 0.2
"""How long between two looks at how far a table is."""
_FILE = click.Path(dir_okay=False, path_type=Path)
_GIVEN = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("table")
def table_() -> None:
    """Declarations of any size: seal a file, open single rows, hand the rows to others."""


@contextmanager
def progress_bar(show: bool) -> Iterator[Progress]:
    """A bar on the standard error for each stage; silent where nobody looks."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    if not show or not console.is_terminal:
        yield lambda stage, done, of: None
        return
    columns = (TextColumn("{task.description:<6}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def told(stage: str, done: int, of: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=of or None)
            bars.update(tasks[stage], completed=done, total=of or None)

        yield told


@table_.command()
@home_option
@click.argument("file", type=_GIVEN)
@click.option("--format", "form", help="A format with rows; else the one that the draft names.")
@click.option("--draft", "draft_file", type=_GIVEN, help="The rest of the entry, JSON as for `servanda draft`.")
@click.option("--sealed", default="", metavar="LIST", help="What the groups do not say: kind, place, amount.")
@click.option("--public", is_flag=True, help="State the secret in the entry: whoever is given the rows can check them.")
@click.option(
    "--quarantine", type=_FILE, metavar="FILE", help="Leave wrong rows out, and write them here with reasons."
)
@json_option
def seal(
    home: Path,
    passphrase_file: Path | None,
    file: Path,
    form: str | None,
    draft_file: Path | None,
    sealed: str,
    public: bool,
    quarantine: Path | None,
    as_json: bool,
) -> None:
    """Seal the rows of FILE (.csv, .xlsx, .parquet) into a table; with --draft, keep the draft of its entry."""
    from servanda.assembly.tables import seal_into

    draft = read_json(draft_file) if draft_file else {}
    name = form or draft.get("format")
    if not isinstance(name, str):
        raise Refusal("name the format: --format, or `format` in the draft", "usage")
    hidden = tuple(part.strip() for part in sealed.split(",") if part.strip())
    strange = set(hidden) - {"kind", "place", "amount"}
    if strange:
        raise Refusal(f"--sealed takes kind, place and amount, not {', '.join(sorted(strange))}", "usage")
    pack = ask_home(home, passphrase_file, "pack")
    with progress_bar(not as_json) as progress:
        made, content = seal_into(
            home, file, pack, name, sealed=hidden, public=public, quarantine=quarantine, progress=progress
        )
    found: dict[str, Any] = {
        "root": made.facts.root,
        "rows": made.facts.rows,
        "groups": len(content["groups"]) if "groups" in content else None,
        "left-out": made.left_out,
        "alike": [pair._asdict() for pair in made.alike],
        "alike-count": made.alike_count,
        "draft": None,
    }
    if draft_file:
        whole = {**draft, "format": name, "content": {**draft.get("content", {}), **content}}
        found["draft"] = ask_home(home, passphrase_file, "draft", draft=whole)
    if emit({**found, "content": content}, as_json):
        return
    _tell_sealed(found, made.wrong, quarantine)


def _tell_sealed(found: Mapping[str, Any], wrong: Sequence[Any], quarantine: Path | None) -> None:
    groups = f", {_counted(found['groups'], 'group')}" if found["groups"] else ""
    say(f"root {found['root']}, {_counted(found['rows'], 'row')}{groups}")
    for one in wrong:
        say(f"left out: row {one.at}{', column ' + one.column if one.column else ''}: {one.reason}")
    if found["left-out"]:
        say(f"{_counted(found['left-out'], 'row')} left out: {quarantine}")
    for pair in found["alike"][:20]:
        say(f"alike: {pair['first']!r} in row {pair['first_at']} and {pair['second']!r} in row {pair['second_at']}")
    if found["alike-count"]:
        say(
            f"{_counted(found['alike-count'], 'pair')} of serials could be read as one: look at them before you release"
        )
    if found["draft"]:
        say(f"draft {found['draft']}")


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


@table_.command("list")
@home_option
@json_option
def list_(home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Tables of the record: rows, whether they are held here, and who says that it holds them."""
    from servanda.assembly.tables import tables_at

    declared = ask_home(home, passphrase_file, "tables")
    held = {facts.root: facts for facts in tables_at(home).tables()}
    for row in declared:
        row["held-here"] = row["root"] in held
    said = {row["root"] for row in declared}
    undeclared = [{"root": root, "rows": facts.rows, "format": facts.format} for root, facts in held.items()]
    undeclared = [row for row in undeclared if row["root"] not in said]
    if emit({"declared": declared, "in-no-entry": undeclared}, as_json):
        return
    heads = ["entry", "rows", "root", "secret", "rows held here", "others who hold them", "subject"]
    rows = [
        (
            row["entry"],
            f"{row['rows']:,}",
            row["root"][:16] + "…",
            "stated" if row["secret"] else "sealed",
            "yes" if row["held-here"] else "no",
            ", ".join(row["held-by"]) or "nobody says so",
            row["subject"],
        )
        for row in declared
    ]
    table("Tables of the record", heads, rows, right=(1,))
    for row in undeclared:
        say(f"held here and in no entry: {row['root']}, {row['rows']:,} rows of {row['format']}")


def _root_of(home: Path, passphrase_file: Path | None, name: str) -> tuple[str, dict[str, Any] | None]:
    """The root of a table that is named by its entry (`party/number`) or by its root, and the entry if it is that."""
    from servanda.assembly.tables import tables_at

    if "/" in name:
        entry: dict[str, Any] = ask_home(home, passphrase_file, "table-entry", entry=name)
        return entry["table"]["root"], entry
    found = [facts.root for facts in tables_at(home).tables() if facts.root.startswith(name) and len(name) >= 8]
    if len(found) != 1:
        raise Refusal(f"{name!r} names no table: give an entry, as prs/12, or the root of one held here", "no-table")
    return found[0], None


@table_.command("open")
@home_option
@click.argument("entry")
@click.argument("row", type=click.IntRange(0))
@click.argument("file", type=_FILE)
def open_(home: Path, passphrase_file: Path | None, entry: str, row: int, file: Path) -> None:
    """Write the opening of one ROW of the table in ENTRY (party/number) into FILE: the row, its salt, and the proof."""
    from servanda.assembly.tables import tables_at

    root, found = _root_of(home, passphrase_file, entry)
    if found is None:
        raise Refusal("an opening says of which entry: name it, as prs/12", "usage")
    opening = decode(tables_at(home).opening(root, row))
    file.write_bytes(encode({"entry": found["entry"], "opening": opening}) + b"\n")
    say(f"{file}: row {row} of {entry}")


@table_.command()
@home_option
@click.argument("file", type=_GIVEN)
@click.option("--keep", is_flag=True, help="Keep what it proves: it goes into bundles with --openings.")
@json_option
def check(home: Path, passphrase_file: Path | None, file: Path, keep: bool, as_json: bool) -> None:
    """Check the openings in FILE, one a line, against the signed entries. Exit status 1 if one proves nothing."""
    found, wrong = [], []
    for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        try:
            found.append(ask_home(home, passphrase_file, "table-check", opening=line, keep=keep or None))
        except Refusal as error:
            if error.code not in ("opening", "no-table"):
                raise
            wrong.append({"line": number, "reason": str(error)})
    if not emit({"proved": found, "wrong": wrong}, as_json):
        for row in found:
            say(f"{row['entry']} row {row['row']}: {json.dumps(row['value'], ensure_ascii=False)}")
        for fault in wrong:
            say(f"line {fault['line']}: {fault['reason']}")
    if wrong:
        raise click.exceptions.Exit(1)


@table_.command()
@home_option
@click.argument("name", metavar="TABLE")
@click.argument("file", type=_FILE)
@click.option("--to", multiple=True, metavar="KEY", required=True, help="A public key of age, age1…; repeat for more.")
def secret(home: Path, passphrase_file: Path | None, name: str, file: Path, to: tuple[str, ...]) -> None:
    """Back up the secret of TABLE (entry or root) into FILE, encrypted to keys that are kept elsewhere."""
    from servanda.assembly.tables import secret_file

    root, _ = _root_of(home, passphrase_file, name)
    file.write_bytes(secret_file(home, root, to))
    ask_home(home, passphrase_file, "table-backed-up", root=root, to=", ".join(to))
    say(f"{file}: the secret of {root[:16]}…, for {len(to)} {'key' if len(to) == 1 else 'keys'}")


@table_.command()
@home_option
@click.argument("name", metavar="TABLE")
@click.argument("file", type=_FILE)
@click.option("--to", multiple=True, metavar="PARTY", help="Encrypt a .servanda-table to this party; repeat for more.")
def export(home: Path, passphrase_file: Path | None, name: str, file: Path, to: tuple[str, ...]) -> None:
    """Write TABLE (entry or root) into FILE: .servanda-table for a courier, or .csv or .parquet for programs."""
    from servanda.assembly.tables import export_table

    root, _ = _root_of(home, passphrase_file, name)
    keys = ask_home(home, passphrase_file, "encryption-keys", to=list(to)) if to else []
    changed = export_table(home, root, file, [bytes.fromhex(key) for key in keys])
    say(f"{file}: {file.stat().st_size:,} bytes")
    if changed:
        say(f"{changed:,} cells begin like a formula: an apostrophe stands before them")


@table_.command("import")
@home_option
@click.argument("entry")
@click.argument("file", type=_GIVEN)
def import_(home: Path, passphrase_file: Path | None, entry: str, file: Path) -> None:
    """Take the rows of the table in ENTRY (party/number) from FILE, if they give its root; says so in an entry."""
    from servanda.assembly.tables import import_table

    root, _ = _root_of(home, passphrase_file, entry)
    if file.read_bytes()[:21] == b"age-encryption.org/v1":
        ask_home(home, passphrase_file, "table-import", file=str(file.absolute()), root=root)
    else:
        with progress_bar(show=True) as progress:
            import_table(home, file, root, (), progress)
    say(f"the rows of {entry} are held here: {plain(root[:16])}…")
    say(f"said in {ask_home(home, passphrase_file, 'table-held', entries=[entry])}")


@table_.command()
@home_option
@click.argument("entry")
def fetch(home: Path, passphrase_file: Path | None, entry: str) -> None:
    """Fetch the rows of the table in ENTRY (party/number) from its author's centre; says so in an entry.

    The centre does it while it is on duty. Broken off, it goes on where it was when it is asked again.
    """
    told = ask_home(home, passphrase_file, "table-fetch", entry=entry)
    with progress_bar(show=True) as progress:
        while told["state"] == "fetching":
            progress("fetch", told["rows"], told["of"])
            time.sleep(PAUSE_SECONDS)
            told = ask_home(home, passphrase_file, "table-fetch", entry=entry, told=True)
    if told["state"] == "failed":
        code, _, reason = told["trouble"].partition(": ")
        raise TryLater(reason, code) if code in ("line-down", "no-route", "busy") else Refusal(reason, code)
    say(f"the rows of {entry} are held here, {told['of']:,} of them; said in {told['said']}")


COMMANDS = (table_,)
