# SPDX-License-Identifier: Apache-2.0
"""A page of blocks as PDF/A, set by Typst from the template `page.typ`, with the fonts that lie beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import typst

from servanda.operations.pages import Block, grouped
from servanda.presentation.pdf import HERE, STANDARD


def pdf_of_page(blocks: Sequence[Block], language: str, banner: str = "") -> bytes:
    """The PDF of a page. The same blocks give the same bytes: no date, no font of the machine goes into it.

    Args:
        blocks: the page; its first block is its title.
        language: the page's, for whoever has it read aloud.
        banner: what stands on top of every page.
    """
    made: bytes = _compiled(blocks, language, banner, "pdf")
    return made


def images_of_page(blocks: Sequence[Block], language: str, banner: str = "") -> list[bytes]:
    """Every page as a PNG image."""
    made = _compiled(blocks, language, banner, "png")
    return made if isinstance(made, list) else [made]


def _compiled(blocks: Sequence[Block], language: str, banner: str, form: str) -> Any:
    compiler: Any = typst  # its overloads know no form that is computed
    page = {"title": blocks[0].cells[0], "banner": banner, "language": language, "groups": _groups(blocks)}
    return compiler.compile(
        (HERE / "page.typ").read_bytes(),
        font_paths=[HERE / "fonts"],
        ignore_system_fonts=True,
        format=form,
        ppi=60.0 if form == "png" else None,
        pdf_standards=[STANDARD] if form == "pdf" else [],
        sys_inputs={"page": json.dumps(page, ensure_ascii=False)},
        timestamp=0,
    )


def _groups(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    return [
        {"kind": kind, "blocks": [{"cells": block.cells, "level": block.level} for block in group]}
        for kind, group in grouped(blocks)
    ]
