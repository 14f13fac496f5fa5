# SPDX-License-Identifier: Apache-2.0
"""Commands of the watch: alerts and cases, the live screen, contacts, roster and hand-over, pages, orderwire."""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from servanda.assembly import pager_at, read_settings
from servanda.cli.asking import ask_home, home_option, json_option, text_of
from servanda.cli.printing import emit, mark, plain, say, table
from servanda.cli.screen import LEGEND, case_lines, screen, whole, within
from servanda.operations.errors import Refusal, ServandaError
from servanda.operations.paging import page_text

REFRESH_SECONDS, OFF_DUTY_SECONDS = 1.0, 10.0
"""How often the screen is renewed; off duty each look opens the home, and whoever would put it on duty must get in."""


@click.command()
@home_option
@click.option("--at", help="As of this instant (RFC 3339, UTC); now if not given.")
@json_option
def alerts(home: Path, passphrase_file: Path | None, at: str | None, as_json: bool) -> None:
    """Alerts and inquiries: cases, what each party has done about them, and the clocks."""
    data = ask_home(home, passphrase_file, "alerts", at=at)
    if emit(data, as_json):
        return
    if data["cases"]:
        click.echo("\n".join(LEGEND))
    for case in data["cases"]:
        click.echo("\n".join(case_lines(case, data["at"])))
    for status, counted in data["activations"].items():
        for name, count in counted.items():
            say(f"{mark(status)}class {name}: opened {count} times")
    for item in data["discrepancies"]:
        say(f"{item['entry']} fits no case: {item['code']}")
    if not data["cases"]:
        click.echo("no case")


@click.command()
@home_option
@click.argument("entry")
@json_option
def case(home: Path, passphrase_file: Path | None, entry: str, as_json: bool) -> None:
    """The case in which ENTRY (party/number) is: its log and layers, one line a fact, each with time and signer."""
    data = ask_home(home, passphrase_file, "case", entry=entry)
    if emit(data, as_json):
        return
    say(f"{mark(data['status'])}{data['case']} {data['class']}, {data['state']}: {data['subject']}")
    say(f"{mark(data['status'])}between {', '.join(data['sides'])}, opened by {data['opened-by']}")
    for fact in data["facts"]:
        signed = f" [{', '.join(fact['by'])}]" if fact["by"] else ""
        words = f": {fact['words']}" if fact["words"] else ""
        say(f"{mark(data['status'])}{fact['at']}  {fact['entry']}  {fact['what']}{signed}{words}")


@click.command()
@home_option
@click.argument("entry")
@click.option("--as", "officer", required=True, help="The watch officer who has opened it.")
def opened(home: Path, passphrase_file: Path | None, entry: str, officer: str) -> None:
    """A person here has opened ENTRY (party/number). This accepts nothing and stops no clock."""
    click.echo(ask_home(home, passphrase_file, "opened", entry=entry, officer=officer)["entry"])


@click.command()
@home_option
@click.option("--once", is_flag=True, help="Print the screen once and end.")
@json_option
def watch(home: Path, passphrase_file: Path | None, once: bool, as_json: bool) -> None:
    """The watch's screen, live: what waits, clocks, layers, what is not delivered, lines, who is on duty, pages."""
    data = ask_home(home, passphrase_file, "watch")
    if emit(data, as_json):
        return
    if once:
        click.echo("\n".join(screen(data)))
        return
    _live(home, passphrase_file, data)


def _live(home: Path, passphrase_file: Path | None, data: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    shown = last = screen(data)
    console = Console(highlight=False)
    with Live(Text(), console=console, auto_refresh=False, screen=True) as live:
        while True:
            live.update(Text("\n".join(within(shown, console.height)), no_wrap=True, overflow="ellipsis"), refresh=True)
            if stop.wait(REFRESH_SECONDS if "lines" in data else OFF_DUTY_SECONDS):
                return
            try:
                data = ask_home(home, passphrase_file, "watch")
            except ServandaError as error:  # what was seen last stays, under a line that says how old it is
                trouble = whole(f"NO ANSWER FROM THE CENTRE, THIS IS OLD: {error.code}: {plain(error)}")
                shown = [*trouble, "", *last]
            else:
                shown = last = screen(data)


@click.command()
@home_option
@json_option
def contacts(home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Whom each party's centre calls, as it has stated it last, and whether that is stale."""
    data = ask_home(home, passphrase_file, "contacts")
    if emit(data, as_json):
        return
    rows: list[tuple[object, ...]] = []
    for told in data:
        if not told["contacts"]:
            rows.append((told["party"], None, "has stated no contacts", None, None, None))
        age = f"{told['age-days']} days" + (", STALE" if told["stale"] else "")
        for item in told["contacts"]:
            title = mark(told["status"]) + item["title"]
            rows.append((told["party"], item["id"], title, item["reach"], told["entry"], age))
    table("Contacts, in the order in which they are called", ["party", "id", "function", "reach", "entry", "age"], rows)


@click.command()
@home_option
@click.argument("action", type=click.Choice(["set"]), required=False)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@json_option
def roster(home: Path, passphrase_file: Path | None, action: str | None, file: Path | None, as_json: bool) -> None:
    """The roster of the watch, its gaps and other faults, and the hand-overs. `roster set FILE` replaces it (TOML)."""
    if (action is None) != (file is None):
        raise Refusal("`servanda roster set FILE` replaces the roster, `servanda roster` shows it", "usage")
    if file is None:
        data = ask_home(home, passphrase_file, "roster")
    else:
        try:
            data = ask_home(home, passphrase_file, "roster-set", roster=text_of(file, "roster"))
        except Refusal as error:
            told = f"{file}: {error}; the roster stays as it was" if error.code == "roster" else str(error)
            raise Refusal(told, error.code) from error
    if not emit(data, as_json):
        print_roster(data)


def print_roster(data: Mapping[str, Any]) -> None:
    """The roster as a table, then everything that is wrong with it, then the hand-overs."""
    table("Roster", ["officer", "from", "to"], [(s["officer"], s["from"], s["to"]) for s in data["shifts"]])
    for gap in data["gaps"]:
        say(f"GAP: nobody from {gap['from']} to {gap['to'] or 'further notice'}")
    for span in data["overlaps"]:
        say(f"OVERLAP: {' and '.join(span['officers'])} from {span['from']} to {span['to']}")
    for name, reason in data["unfit"].items():
        say(f"UNFIT: {name} is {reason}")
    if data["watch"]["gap"]:
        gap = data["watch"]["gap"]
        say(f"THE NEXT GAP IS NEAR: from {gap['from'] or 'now'} to {gap['to'] or 'further notice'}")
    for made in data["handovers"]:
        note = f": {made['note']}" if made["note"] else ""
        say(f"{made['at']}  {made['giver']} to {made['taker']}, {len(made['open'])} cases open{note}")


@click.command()
@home_option
@click.option("--from", "giver", required=True, metavar="OFFICER", help="Who has the watch.")
@click.option("--to", "taker", required=True, metavar="OFFICER", help="Who takes it.")
@click.option("--note", default="", help="What the next watch must know.")
@json_option
def handover(home: Path, passphrase_file: Path | None, giver: str, taker: str, note: str, as_json: bool) -> None:
    """Hand over the watch: kept with both names, the time, and the cases that are open."""
    data = ask_home(home, passphrase_file, "handover", **{"from": giver, "to": taker, "note": note})
    if not emit(data, as_json):
        say(f"{data['taker']} has the watch since {data['at']}; open: {', '.join(data['open']) or 'nothing'}")


@click.command("page-test")
@click.option(
    "--home",
    envvar="SERVANDA_HOME",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder of the centre (or SERVANDA_HOME).",
)
@click.argument("contact", required=False)
def page_test(home: Path, contact: str | None) -> None:
    """Page CONTACT, or everybody in paging.toml, with a test page. Status 1 if an address does not take it."""
    pager, party = pager_at(home), read_settings(home).party
    known = sorted(pager.contacts())
    if not known:
        raise Refusal(f"there is no {home / 'paging.toml'}: nobody is paged", "paging")
    if contact is not None and contact not in known:
        raise Refusal(f"{contact} has no addresses in paging.toml; it has {', '.join(known)}", "paging")
    pager.prepare()  # says which addresses are of no known form
    names = [contact] if contact is not None else known
    title, body = page_text(party, "test", "routine")
    failed = False
    for name in names:
        missed = pager.send(name, None, title, body)
        failed = failed or bool(missed)
        which = ", ".join(str(index + 1) for index in missed)
        say(f"{name}: " + (f"address {which} did NOT take the page" if missed else "paged"))
    if failed:
        raise click.exceptions.Exit(1)


@click.command()
@home_option
@click.argument("party")
@click.argument("text", required=False)
@click.option("--as", "officer", help="The watch officer who speaks; needed with TEXT.")
@json_option
def orderwire(
    home: Path, passphrase_file: Path | None, party: str, text: str | None, officer: str | None, as_json: bool
) -> None:
    """Tell PARTY's watch TEXT, or show the last messages. Outside the record, kept in memory only."""
    if text is not None and officer is None:
        raise Refusal("--as OFFICER says who speaks", "usage")
    data = ask_home(home, passphrase_file, "orderwire", party=party, text=text, officer=officer)
    if not emit(data, as_json):
        click.echo("ORDERWIRE: not part of the record")
        for said in data["messages"]:
            say(f"{said['at'][:19]}Z  {said['party']}, {said['officer']}: {said['text']}")


COMMANDS = (alerts, case, opened, watch, contacts, roster, handover, page_test, orderwire)
