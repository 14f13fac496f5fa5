# SPDX-License-Identifier: Apache-2.0
"""`servanda new agreement`: asks, and writes the first files of a pack."""

from __future__ import annotations

from pathlib import Path

import click

from servanda.cli.printing import say
from servanda.operations.errors import Refusal
from servanda.operations.scaffolding import KITS, Answers, scaffold


@click.group()
def new() -> None:
    """Begin something new."""


@new.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--id", "identifier", help="Short name of the agreement: small letters, digits, hyphens.")
@click.option("--title", help="Its title, in the first language.")
@click.option("--party", "parties", multiple=True, metavar="ID=NAME", help="A party; once for each.")
@click.option("--language", "languages", multiple=True, help="A language of the agreement; once for each.")
@click.option("--keep", "kits", multiple=True, type=click.Choice(sorted(KITS)), help="What it keeps; once for each.")
def agreement(
    folder: Path,
    identifier: str | None,
    title: str | None,
    parties: tuple[str, ...],
    languages: tuple[str, ...],
    kits: tuple[str, ...],
) -> None:
    """Write the first files of a pack into the new FOLDER; asks for whatever no option says.

    What it writes passes `servanda check` at once. What is still to be written or translated says so in its text.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Refusal(f"{folder} is not empty; give a new folder", "home")
    answers = Answers(
        identifier or _ask("Short name (small letters, digits, hyphens)", folder.name),
        title or _ask("Title"),
        dict(_party(text) for text in parties or _several("Party (ID=NAME)", 2)),
        languages or _several("Language (such as en)", 1),
        kits or _several(f"What it keeps ({', '.join(KITS)})", 1),
    )
    for name, content in scaffold(answers).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    say(
        f"{folder} has the first files of {answers.identifier}. Next: read them, change them, `servanda check {folder}`"
    )


def _ask(question: str, default: str | None = None) -> str:
    answer: str = click.prompt(question, default=default, err=True)
    return answer


def _several(question: str, least: int) -> tuple[str, ...]:
    """Ask until an empty line, but for so many at least."""
    found: list[str] = []
    while True:
        answer = click.prompt(question, default=None if len(found) < least else "", show_default=False, err=True)
        if not answer:
            return tuple(found)
        found.append(answer.strip())


def _party(text: str) -> tuple[str, str]:
    identifier, separator, name = text.partition("=")
    if not separator or not name.strip():
        raise Refusal(f"{text!r}: a party is given as its id, an equals sign and its name", "usage")
    return identifier.strip(), name.strip()


COMMANDS = (new,)
