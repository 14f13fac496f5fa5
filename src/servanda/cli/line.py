# SPDX-License-Identifier: Apache-2.0
"""Commands about lines: their state and the kinds of silence, link tests, what each party applies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from servanda.cli.asking import ask_home, home_option, json_option
from servanda.cli.printing import emit, mark, say
from servanda.line.silence import transport_words

SHOWN = 5
"""How many link tests are printed; `--json` has more."""


@click.command()
@home_option
@click.argument("party", required=False)
@click.option("--at", help="Judge at this instant (RFC 3339, UTC); now if not given.")
@json_option
def line(home: Path, passphrase_file: Path | None, party: str | None, at: str | None, as_json: bool) -> None:
    """The line to each counterpart, or to PARTY: which kind of silence there is, since when, by which evidence."""
    data = ask_home(home, passphrase_file, "line-status", party=party, at=at)
    if not emit(data, as_json):
        for number, page in enumerate(data["lines"]):
            if number:
                click.echo()
            print_line(page, data["at"])


def print_line(page: Mapping[str, Any], at: str) -> None:
    """One line's page. Every row about exercise or test traffic begins with its mark.

    An entry of other traffic that is evidence there has its own mark besides, also if it is actual.
    """
    say(f"Line to {page['party']} at {at}: {_transport(page)}")
    for status, found in page["silence"].items():
        kinds = [silence["kind"] for silence in found]
        if status == "actual" or kinds not in (["nothing-outstanding"], ["not-met"]):
            for silence in found:
                _print_silence(silence, status)
    contact = page["last-contact"]
    if contact is not None:
        say(f"last contact  {contact['at']} by {contact['clock'].replace('ours', 'our')} clock: {contact['what']}")
    say(f"receipted     {page['receipted']} of {page['size']} entries; {_unreceipted(page['unreceipted'])}")
    if page["receipt-ahead-seconds"]:
        say(f"clocks        its newest receipt is dated {page['receipt-ahead-seconds']} s after this centre's time")
    _print_tests("by us", page["link-tests"]["by-us"])
    _print_tests("by them", page["link-tests"]["by-them"])
    for item in page["link-tests"]["discrepancies"]:
        say(f"{mark(item['status'])}no effect: {item['entry']} {item['code']}")
    for one in page["regime"]:
        say(f"{mark(one['status'])}regime  {_regime_words(one)}")


def _transport(page: Mapping[str, Any]) -> str:
    if not page["met"]:
        return "its card has not been taken"
    if page["transport"] is None:
        return "this centre is off duty"
    return transport_words(page["transport"])


def _print_silence(silence: Mapping[str, Any], status: str) -> None:
    since = f" since {silence['since']}" if silence["since"] else ""
    mark_text = mark(status)
    say(f"{mark_text}{silence['title'].upper()}{since}")
    for one in silence["evidence"]:
        own = "" if one.get("status", status) == status else f"[{one['status'].upper()}] "
        place = f"{one['entry']} " if "entry" in one else ""
        when = f" ({one['at']})" if "at" in one else ""
        say(f"  {mark_text}{own}{place}{one['words']}{when}")
    listed = sum(one["what"] in ("unreceipted", "question") for one in silence["evidence"])
    if silence["count"] > listed:
        say(f"  {mark_text}… and {silence['count'] - listed} more")
    say(f"  {mark_text}does not prove: {silence['does-not-prove']}")


def _unreceipted(waiting: Mapping[str, Any]) -> str:
    if not waiting["count"]:
        return "nothing waits"
    parts = [
        f"{count} {status if status == 'actual' else status.upper()}"
        for status, count in waiting["by-status"].items()
        if count
    ]
    return f"{', '.join(parts)} wait since {waiting['since']} ({waiting['lag-seconds']} s)"


def _print_tests(words: str, tests: Mapping[str, Any]) -> None:
    test = mark("test")
    if not tests["tests"]:
        say(f"{test}link tests {words}: none")
        return
    median = "none measured" if tests["median"] is None else f"median {tests['median']} s, worst {tests['worst']} s"
    say(f"{test}link tests {words}: {tests['tests']}, answered {tests['answered']}, {median}")
    for one in tests["history"][-SHOWN:]:
        answer = f"answered by {one['answer']} after {one['response']} s" if one["answer"] else "not answered"
        say(f"  {mark(one['status'])}{one['entry']} {one['released']} {answer}")


@click.command("link-test")
@home_option
@click.argument("parties", nargs=-1)
@json_option
def link_test(home: Path, passphrase_file: Path | None, parties: tuple[str, ...], as_json: bool) -> None:
    """Test the lines to PARTIES, or to everybody, now: their centres answer by themselves. `servanda line` shows it."""
    data = ask_home(home, passphrase_file, "link-test", parties=list(parties))
    if not emit(data, as_json):
        click.echo(f"{mark('test')}{data['entry']} to {', '.join(data['to'])}")


@click.command()
@home_option
@click.argument("party", required=False)
@json_option
def regime(home: Path, passphrase_file: Path | None, party: str | None, as_json: bool) -> None:
    """What each party, or PARTY, says it applies, suspends or applies voluntarily, since when, by which notice."""
    data = ask_home(home, passphrase_file, "regime", party=party)
    if emit(data, as_json):
        return
    for one in data["regimes"]:
        say(f"{mark(one['status'])}{one['party']}: {_regime_words(one)}")
    for item in data["discrepancies"]:
        say(f"{mark(item['status'])}to be asked about: {item['entry']} {item['code']}")
    if not data["regimes"]:
        click.echo("no party has said anything; the pack says what applies")


def _regime_words(one: Mapping[str, Any]) -> str:
    form = one["format"] or "all other formats"
    return f"{form}: {one['state']} since {one['since']}, by {one['entry']}"


COMMANDS = (line, link_test, regime)
