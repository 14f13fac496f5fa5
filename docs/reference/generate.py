# SPDX-License-Identifier: Apache-2.0
"""Writes commands.md from the program's own help texts; `--check` only compares. Run it after changing a command."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from servanda.cli.main import servanda

PAGE = Path(__file__).with_name("commands.md")
WIDTH = 110
HEAD = """# Commands

Made from the help texts by [generate.py](generate.py); do not edit. Exit statuses and error codes: [errors](errors.md).
Environment variables and the files of a home: [home](home.md).

A command that takes `--home` asks the process on duty for that home through its control socket and needs no passphrase
then; if none is on duty it opens the home itself, with the passphrase, for this one request.
"""


def page() -> str:
    """The page as it should be."""
    parts = [HEAD, "## servanda", _help(servanda, "servanda", None)]
    root = click.Context(servanda, info_name="servanda")
    for name, command in sorted(servanda.commands.items()):
        parts += [f"## servanda {name}", _help(command, name, root)]
        if isinstance(command, click.Group):
            within = click.Context(command, info_name=name, parent=root)
            for inner, one in sorted(command.commands.items()):
                parts += [f"### servanda {name} {inner}", _help(one, inner, within)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _help(command: click.Command, name: str, parent: click.Context | None) -> str:
    context = click.Context(
        command,
        info_name=name,
        parent=parent,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    return f"```text\n{text}\n```"


def main(arguments: list[str]) -> int:
    """Write the page, or compare it; returns the exit status."""
    if "--check" in arguments:
        same = PAGE.is_file() and PAGE.read_text() == page()
        print(
            "" if same else f"{PAGE} is not what the commands say; run {Path(__file__).name}", end="" if same else "\n"
        )
        return 0 if same else 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
