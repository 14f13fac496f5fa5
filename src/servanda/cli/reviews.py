# SPDX-License-Identifier: Apache-2.0
"""`servanda review`: the review of a meeting, from the record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from servanda.cli.asking import ask_home, home_option, json_option
from servanda.cli.printing import emit, plain
from servanda.operations.pages import as_html, as_markdown, as_text
from servanda.operations.reviewtext import review_blocks

FORMS = ("text", "markdown", "html")


@click.command()
@click.argument("contact")
@home_option
@click.option("--language", default="en", show_default=True, help="Language of the pack in which the page is written.")
@click.option("--as", "form", type=click.Choice(FORMS), default="text", show_default=True, help="Form of the page.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; else the terminal.")
@json_option
def review(
    contact: str,
    home: Path,
    passphrase_file: Path | None,
    language: str,
    form: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """What came of the meeting CONTACT: texts and what each sets up, topics with the words of each side, what was open.

    It is made from the record, quotes what was entered with its place, and decides nothing.
    """
    document = ask_home(home, passphrase_file, "review", contact=contact)
    if emit(document, as_json):
        return
    page = page_of(document, language, form)
    if output is None:
        click.echo("\n".join(map(plain, page.split("\n"))), nl=False)
    else:
        output.write_text(page, encoding="utf-8")


def page_of(document: Mapping[str, Any], language: str, form: str) -> str:
    """The page of a review in one of the forms."""
    blocks = review_blocks(document, language)
    if form == "html":
        return as_html(blocks, blocks[0].cells[0], language)
    return as_markdown(blocks) if form == "markdown" else as_text(blocks)


COMMANDS = (review,)
