# SPDX-License-Identifier: Apache-2.0
"""Commands for the programs of others: CAP 1.2 and STIX 2.1, out and in."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from servanda.cli.asking import ask_home, home_option, json_option, parse_pairs
from servanda.cli.printing import emit, plain, table
from servanda.operations.errors import Refusal

FILE_BYTES_MAX = 1024 * 1024
"""No file of either kind may be larger; of a larger one no more than this is read."""
F = TypeVar("F", bound=Callable[..., Any])


@click.group()
def cap() -> None:
    """Common Alerting Protocol 1.2: an entry as a file, a file as a draft."""


@click.group()
def stix() -> None:
    """STIX 2.1: the technical indicators that an entry carries, apart from its text."""


def _out_options(function: F) -> F:
    return click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the file here.")(
        home_option(function)
    )


def _in_options(function: F) -> F:
    """What every draft made of a file needs to be told."""
    for option in (
        click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the draft here instead."),
        click.option("--set", "members", multiple=True, metavar="NAME=TEXT", help="A further member of the content."),
        click.option("--to", multiple=True, required=True, metavar="PARTY", help="Whom it addresses; repeat for each."),
        click.option("--as", "officer", required=True, help="The officer who drafts it."),
        click.option("--format", "form", required=True, help="Format of the pack."),
        click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
    ):
        function = option(function)
    return home_option(function)


@cap.command("out")
@_out_options
@click.argument("entry")
def cap_out(home: Path, passphrase_file: Path | None, output: Path | None, entry: str) -> None:
    """ENTRY (party/number) of a case as a CAP 1.2 file."""
    _write(ask_home(home, passphrase_file, "cap-out", entry=entry), output)


@cap.command("in")
@_in_options
@click.option("--class", "alert_class", required=True, help="Class of alerts of the pack.")
@click.option("--text", help="Which member of the content takes the text, if the format has several.")
def cap_in(
    home: Path,
    passphrase_file: Path | None,
    file: Path,
    form: str,
    officer: str,
    to: tuple[str, ...],
    members: tuple[str, ...],
    output: Path | None,
    alert_class: str,
    text: str | None,
) -> None:
    """A CAP 1.2 FILE as a draft: never more than that."""
    data = ask_home(
        home,
        passphrase_file,
        "cap-in",
        **{"class": alert_class},
        file=_read(file),
        format=form,
        officer=officer,
        to=list(to),
        members=parse_pairs(members, "="),
        text=text,
        keep=output is None,
    )
    _keep(data, output)


@stix.command("out")
@_out_options
@click.argument("entry")
def stix_out(home: Path, passphrase_file: Path | None, output: Path | None, entry: str) -> None:
    """The bundle that ENTRY (party/number) carries, marked with agreement and status; no other word of the entry."""
    _write(ask_home(home, passphrase_file, "stix-out", entry=entry), output)


@stix.command("in")
@_in_options
@click.option("--subject", required=True, help="Subject of the entry; technical, for it travels with the bundle.")
@click.option("--refers-to", multiple=True, metavar="ENTRY", help="An entry that it refers to; repeat for each.")
@click.option("--event-at", help="Date expression; today if not given.")
@click.option("--exercise-at", metavar="TIME", help="It is part of an exercise, whose own time this is.")
@click.option("--test", "is_test", is_flag=True, help="It is a test.")
def stix_in(
    home: Path,
    passphrase_file: Path | None,
    file: Path,
    form: str,
    officer: str,
    to: tuple[str, ...],
    members: tuple[str, ...],
    output: Path | None,
    subject: str,
    refers_to: tuple[str, ...],
    event_at: str | None,
    exercise_at: str | None,
    is_test: bool,
) -> None:
    """A STIX 2.1 bundle in FILE as a draft of a format with a member `stix`."""
    if is_test and exercise_at:
        raise Refusal("give --test or --exercise-at, not both", "usage")
    data = ask_home(
        home,
        passphrase_file,
        "stix-in",
        file=_read(file),
        format=form,
        officer=officer,
        to=list(to),
        members=parse_pairs(members, "="),
        subject=subject,
        refers_to=list(refers_to),
        event_at=event_at,
        exercise_at=exercise_at,
        status="test" if is_test else "exercise" if exercise_at else "actual",
        keep=output is None,
    )
    _keep(data, output)


@click.command()
@home_option
@json_option
def webhooks(home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Who is told by webhook, how many notices wait, and what went wrong. Needs the centre on duty."""
    data = ask_home(home, passphrase_file, "webhooks")
    if not emit(data, as_json):
        rows = [(hook["name"], hook["url"], hook["waiting"], hook["trouble"]) for hook in data]
        table("Webhooks", ["name", "url", "waiting", "trouble"], rows, right=(2,))


def _read(file: Path) -> str:
    """A file as base64, if it is of a size that could be taken."""
    with file.open("rb") as opened:
        data = opened.read(FILE_BYTES_MAX + 1)
    if len(data) > FILE_BYTES_MAX:
        raise Refusal(f"{file} is larger than {FILE_BYTES_MAX} bytes", "over-size")
    return base64.b64encode(data).decode()


def _write(data: dict[str, str], output: Path | None) -> None:
    """The file of an entry; what is not actual is said once more beside it."""
    if output is None:
        # On a terminal nothing may move the cursor; into a pipe goes the file as it is.
        shown = "\n".join(map(plain, data["file"].split("\n"))) if sys.stdout.isatty() else data["file"]
        click.echo(shown, nl=False)
    else:
        output.write_text(data["file"], encoding="utf-8")
    if data["mark"]:
        click.echo(f"[{data['mark']}]", err=True)


def _keep(data: dict[str, Any], output: Path | None) -> None:
    """The identifier of the draft, or the draft as a file for `servanda draft` and `servanda send`."""
    if output is None:
        click.echo(data["identifier"])
    else:
        output.write_text(json.dumps(data["draft"], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


COMMANDS = (cap, stix, webhooks)
