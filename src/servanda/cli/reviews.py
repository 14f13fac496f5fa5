# SPDX-License-Identifier: Apache-2.0
"""`servanda review` and `servanda brief`: what came of a meeting, and the file for the next one, from the record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from servanda.cli.asking import F, ask_home, home_option, json_option
from servanda.cli.printing import emit, plain
from servanda.operations.brieftext import brief_blocks
from servanda.operations.errors import Refusal
from servanda.operations.pages import Block, as_html, as_markdown, as_text
from servanda.operations.reviewtext import review_blocks

FORMS = ("text", "markdown", "html", "pdf")


def page_options(function: F) -> F:
    """`--language`, `--as` and `--output`."""
    function = click.option(
        "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; else the terminal."
    )(function)
    function = click.option(
        "--as", "form", type=click.Choice(FORMS), default="text", show_default=True, help="Form of the page."
    )(function)
    return click.option(
        "--language", default="en", show_default=True, help="Language of the pack in which the page is written."
    )(function)


@click.command()
@click.argument("contact")
@home_option
@page_options
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
    if not emit(document, as_json):
        _show(review_blocks(document, language), document["status"], language, form, output)


def _show(blocks: Sequence[Block], status: str, language: str, form: str, output: Path | None) -> None:
    if output is None and form == "pdf":
        raise Refusal("a PDF goes into a file: give --output FILE", "usage")
    page = page_of(blocks, status, language, form)
    if output is not None:
        output.write_bytes(page)
    else:
        click.echo("\n".join(map(plain, page.decode().split("\n"))), nl=False)


def page_of(blocks: Sequence[Block], status: str, language: str, form: str) -> bytes:
    """A page in one of the forms."""
    if form == "pdf":
        from servanda.presentation.page import pdf_of_page

        return pdf_of_page(blocks, language, "" if status == "actual" else status.upper())
    if form == "html":
        return as_html(blocks, blocks[0].cells[0], language).encode()
    return (as_markdown(blocks) if form == "markdown" else as_text(blocks)).encode()


@click.command()
@click.argument("body")
@home_option
@click.option("--on", help="Day (YYYY-MM-DD) on which it stands; today if not given.")
@page_options
@json_option
def brief(
    body: str,
    home: Path,
    passphrase_file: Path | None,
    on: str | None,
    language: str,
    form: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """The file for the next meeting of BODY: where each topic stands, what was promised, what is overdue."""
    document = ask_home(home, passphrase_file, "brief", body=body, on=on)
    if not emit(document, as_json):
        _show(brief_blocks(document, language), document["status"], language, form, output)


COMMANDS = (review, brief)
