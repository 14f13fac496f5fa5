# SPDX-License-Identifier: Apache-2.0
"""`servanda calendar`: meetings and deadlines as an iCalendar file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from servanda.cli.asking import ask_home, home_option, json_option
from servanda.cli.printing import emit, mark, say, table


@click.command()
@home_option
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="iCalendar file to write.")
@click.option("--at", help="Instant (YYYY-MM-DDTHH:MM:SSZ) at which it stands; now if not given.")
@click.option("--language", default="en", show_default=True, help="Language of the title.")
@json_option
def calendar(
    home: Path, passphrase_file: Path | None, output: Path | None, at: str | None, language: str, as_json: bool
) -> None:
    """Meetings, planned and held, and everything that is to be done by a day: as a table, or an iCalendar file.

    Run it again to bring the file up to date: each event keeps its name, so that a calendar program follows it.
    """
    data = ask_home(home, passphrase_file, "calendar", at=at)
    if output is not None:
        output.write_bytes(file_of(data, language))
    if emit(data, as_json):
        return
    if output is None:
        rows = [(_days(row), row["kind"], mark(row["status"]) + row["summary"], row["state"]) for row in data["events"]]
        table("Calendar", ["days", "kind", "what", "state"], rows)
    if data["left-out"]:
        say(f"left out, because their days are not known closely enough: {', '.join(data['left-out'])}")


def _days(row: Mapping[str, str]) -> str:
    return row["first"] if row["first"] == row["last"] else f"{row['first']} to {row['last']}"


def file_of(data: Mapping[str, Any], language: str) -> bytes:
    """The iCalendar file of a calendar document."""
    from servanda.interchange.ical import Event, calendar_file

    events = [
        Event(
            row["name"],
            row["kind"],
            date.fromisoformat(row["first"]),
            date.fromisoformat(row["last"]),
            row["summary"],
            row["note"],
            row["state"],
            row["status"],
        )
        for row in data["events"]
    ]
    title = data["title"].get(language) or next(iter(data["title"].values()))
    stamp = datetime.combine(date.fromisoformat(data["at"]), datetime.min.time(), UTC)
    return calendar_file(events, data["agreement"], title, stamp)


COMMANDS = (calendar,)
