# SPDX-License-Identifier: Apache-2.0
"""A page as blocks, and the three ways to show them: on a terminal, as Markdown, as HTML.

Every text may come from a counterpart. Markdown and HTML are escaped; for the terminal `cli.printing.plain` does it.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

WIDTH = 110
_STYLE = (
    "body{max-width:60em;margin:2em auto;font:1em/1.5 serif}"
    "table{border-collapse:collapse}td,th{border:1px solid #999;padding:.2em .5em}"
)
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|])")


class Block(NamedTuple):
    """One block: `heading` with its level, `text`, `item`, `quote`, or `row` of a table whose first row is its head."""

    kind: str
    cells: tuple[str, ...]
    level: int = 0


def heading(level: int, words: str) -> Block:
    """A heading, 1 to 4."""
    return Block("heading", (words,), level)


def text(words: str) -> Block:
    """A paragraph."""
    return Block("text", (words,))


def item(words: str) -> Block:
    """An item of a list."""
    return Block("item", (words,))


def quote(words: str) -> Block:
    """Words of somebody else."""
    return Block("quote", (words,))


def row(*cells: str) -> Block:
    """A row of a table."""
    return Block("row", cells)


def as_text(blocks: Iterable[Block]) -> str:
    """For a terminal, wrapped at 110 columns."""
    lines: list[str] = []
    for kind, group in grouped(blocks):
        if kind == "row":
            lines += _table([block.cells for block in group])
        else:
            for block in group:
                lines += _lines(block)
    return "\n".join(lines).strip("\n") + "\n"


def _lines(block: Block) -> list[str]:
    words = block.cells[0]
    if block.kind == "heading":
        under = {1: "=", 2: "-"}.get(block.level)
        return ["", words, *([under * min(len(words), WIDTH)] if under else [])]
    first, rest = {"item": ("  - ", "    "), "quote": ("  | ", "  | ")}.get(block.kind, ("", ""))
    return textwrap.wrap(words, WIDTH, initial_indent=first, subsequent_indent=rest) or [first.rstrip()]


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(one, widths, strict=True)).rstrip() for one in rows]


def as_markdown(blocks: Iterable[Block]) -> str:
    """As CommonMark with tables; what could be read as markup is escaped."""
    return "\n\n".join(_markdown(kind, list(group)) for kind, group in grouped(blocks)) + "\n"


def _markdown(kind: str, group: list[Block]) -> str:
    cells = [tuple(_SPECIAL.sub(r"\\\1", " ".join(cell.split())) for cell in block.cells) for block in group]
    if kind == "row":
        rows = [f"| {' | '.join(one)} |" for one in cells]
        return "\n".join([rows[0], "|" + "---|" * len(cells[0]), *rows[1:]])
    if kind == "item":
        return "\n".join(f"- {one[0]}" for one in cells)
    if kind == "quote":
        return "\n>\n".join(f"> {one[0]}" for one in cells)
    return "\n\n".join(
        "#" * block.level + (" " if block.level else "") + one[0] for block, one in zip(group, cells, strict=True)
    )


def as_html(blocks: Iterable[Block], title: str, language: str) -> str:
    """As one page of HTML that loads nothing from anywhere."""
    body = "\n".join(_html(kind, list(group)) for kind, group in grouped(blocks))
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
    begin = f'<!doctype html>\n<html lang="{html.escape(language)}">\n<head>{head}</head>\n<body>'
    return f"{begin}\n{body}\n</body>\n</html>\n"


def _html(kind: str, group: list[Block]) -> str:
    cells = [tuple(html.escape(cell) for cell in block.cells) for block in group]
    if kind == "row":
        head, *rows = cells
        lines = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in one) + "</tr>" for one in rows]
        return "\n".join(
            ["<table>", "<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>", *lines, "</table>"]
        )
    if kind == "item":
        return "<ul>\n" + "\n".join(f"<li>{one[0]}</li>" for one in cells) + "\n</ul>"
    tag = {"quote": "blockquote", "text": "p"}
    return "\n".join(
        f"<{tag.get(kind, f'h{block.level}')}>{one[0]}</{tag.get(kind, f'h{block.level}')}>"
        for block, one in zip(group, cells, strict=True)
    )


def grouped(blocks: Iterable[Block]) -> Iterator[tuple[str, Iterator[Block]]]:
    """Blocks of one kind that follow one another."""
    return groupby(blocks, key=lambda block: block.kind)
