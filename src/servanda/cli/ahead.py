# SPDX-License-Identifier: Apache-2.0
"""Commands about entries that went ahead of a backlog."""

from __future__ import annotations

from pathlib import Path

import click

from servanda.cli.asking import ask_home, home_option, json_option
from servanda.cli.printing import emit, mark, say, table


@click.command()
@home_option
@json_option
def advances(home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Urgent entries that went ahead of a backlog: held here, and ours at other centres."""
    data = ask_home(home, passphrase_file, "advances")
    if emit(data, as_json):
        return
    if data["held"]:
        table(
            "Held here ahead of their places: INCOMPLETE, without effect until they lie there",
            ["entry", "precedence", "format", "signature", "entries missing before it", "held since", "subject"],
            [
                (
                    held["entry"],
                    held["frame"]["precedence"],
                    held["frame"]["format"],
                    held["signature"],
                    held["missing"],
                    held["held-at"],
                    mark(held["frame"]["status"]) + held["frame"]["subject"],
                )
                for held in data["held"]
            ],
            right=(4,),
        )
    for sent in data["sent"]:
        say(f"{sent['entry']} is at {sent['party']} since {sent['held-at']}, ahead of {sent['ahead-of']} entries")
    if not (data["held"] or data["sent"]):
        say("nothing is ahead of its place")


COMMANDS = (advances,)
