# SPDX-License-Identifier: Apache-2.0
"""Commands about the line to each counterpart."""

from __future__ import annotations

from pathlib import Path

import click

from servanda.cli.asking import ask_home, home_option, json_option
from servanda.cli.printing import emit, mark, say, table


@click.command()
@home_option
@json_option
def undelivered(home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Every entry of ours that a counterpart's centre has not receipted: since when, and why."""
    data = ask_home(home, passphrase_file, "undelivered")
    if emit(data, as_json):
        return
    rows = [
        (
            item["party"],
            f"{mark(item['status'])}{item['entry']}",
            item["precedence"],
            item["released"],
            age_text(item["age"]) + (" ALARM" if item["alarm"] else ""),
        )
        for item in data
    ]
    table(f"Undelivered: {len(rows)}", ["to", "entry", "precedence", "released", "age"], rows)
    for party, item in {item["party"]: item for item in data}.items():
        say(f"{party}: {'by ' + item['route'] if item['route'] else 'no route works'}: {item['reason']}")


def age_text(seconds: int | None) -> str:
    """An age as people say it: `12 s`, `7 min`, `3 h 20 min`, `2 d 4 h`."""
    if seconds is None:
        return "unknown"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if not minutes:
        return f"{seconds} s"
    if not hours:
        return f"{minutes} min"
    if not days:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"


COMMANDS = (undelivered,)
