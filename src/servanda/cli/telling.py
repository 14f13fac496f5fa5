# SPDX-License-Identifier: Apache-2.0
"""`servanda demo NAME` for a story: narrated as it happens, and the case as both sides have it in the end."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from servanda.cli.printing import emit, plain, table
from servanda.cli.screen import LAYERS, LEGEND, WIDTH, layer_cells, moment
from servanda.cli.story import Story


def tell_story(base: Path, example: Path, keep: bool, as_json: bool) -> bool:
    """Play the story of `example` between centres below `base`; returns whether everything came out as it should."""
    story = Story(base, example)
    tell = (lambda _: None) if as_json else say_lines
    try:
        tell(f"EXERCISE. {story.pack.data['title']['en']}. Invented throughout; every line of it is an exercise.")
        tell(f"Clocks run {story.script['pace']} times as fast.")
        story.start(lambda _="": None)
        story.play(tell)
        result = story.conclude()
        if not emit(result | {"homes": str(base)}, as_json):
            _print(story, result)
            _print_where(story, result, keep)
    except BaseException:
        story.stop()
        raise
    (story.leave if keep else story.stop)()
    return bool(result["identical"] and result["verified"])


def say_lines(text: str) -> None:
    """Print lines whose parts may come from a counterpart, as they are told."""
    for line in text.split("\n"):
        indent = " " * (len(line) - len(line.lstrip()))
        for part in textwrap.wrap(plain(line), WIDTH, subsequent_indent=indent, break_on_hyphens=False) or [""]:
            click.echo(part)


def _print(story: Story, result: Mapping[str, Any]) -> None:
    for side, case in result["sides"].items():
        _print_case(side, case)
    same = "the same, byte for byte" if result["identical"] else "NOT THE SAME"
    names = " and ".join(result["sides"])
    click.echo(f"What {names} see of all cases at {result['at']}: {same}.")


def _print_case(side: str, case: Mapping[str, Any]) -> None:
    mark = "" if case["status"] == "actual" else f"{case['status'].upper()}. "
    rows = [
        (
            line["at"][11:19],
            line["entry"],
            line["precedence"],
            line["format"],
            line["subject"],
            " and ".join(line["by"]),
        )
        for line in case["log"]
    ]
    title = f"{mark}Case {case['case']} as the centre of {side} has it: {case['subject']} ({case['state']})"
    table(title, ["at", "entry", "precedence", "format", "subject", "signed by"], rows)
    now = str(case["log"][-1]["at"])
    closed = moment(case["closed"]["at"] if case["closed"] else None, now)
    layers = [
        (question["entry"], layer["party"], *layer_cells(layer, now), closed)
        for question in case["questions"]
        for layer in question["layers"]
    ]
    table(f"{mark}Who has done what: each a fact of its own", ["question", "to", *LAYERS], layers)
    click.echo("\n".join(LEGEND) + "\nNone of these is agreement.\n")
    clocks = [
        (c["entry"], c["party"], c["clock"], c["due"].replace("T", " "), c["state"], ", ".join(c["escalations"]))
        for c in case["clocks"]
    ]
    table(f"{mark}Clocks", ["question", "of", "clock", "due", "state", "escalated by"], clocks)


def _print_where(story: Story, result: Mapping[str, Any], keep: bool) -> None:
    verified = "verified" if result["verified"] else "NOT VERIFIED"
    side = next(iter(result["sides"]))
    click.echo(f"{result['entries']} entries; servanda verify: {verified}")
    click.echo(
        f"\ncentres      {story.base}/<party>   (passphrase {story.centres.passphrase!r}, for this exercise only)"
    )
    click.echo(f"dossier      {story.dossier}")
    click.echo(f"fingerprints {story.base / 'fingerprints.txt'}")
    click.echo("\nGo on with, for example:")
    click.echo(f"  export SERVANDA_PASSPHRASE={story.centres.passphrase}")
    click.echo(f"  ./run servanda case --home {story.base}/{side} {result['case']}")
    click.echo(f"  ./run servanda watch --home {story.base}/{side} --once")
    if keep:
        click.echo(f"The centres are on duty; end them with: kill $(cat {story.base}/*/pid)")
