# SPDX-License-Identifier: Apache-2.0
"""What the stand-alone verifier's lines are spent on, part by part: `.venv/bin/python -m bench.verifier_lines`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROGRAM = Path(__file__).resolve().parents[1] / "verifier" / "verify.py"


class Part(NamedTuple):
    """One part of the program, under its heading."""

    title: str
    lines: int
    blank: int
    statements: int
    """Without docstrings. The formatter gives each a line of its own."""


def parts(text: str) -> Iterator[Part]:
    """The parts of the program, in order."""
    lines = text.splitlines()
    starts = [
        node.lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.stmt) and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    heads = [(0, "imports, constants")]
    heads += [(n, line.strip("# -")) for n, line in enumerate(lines) if re.match(r"# -{10,}", line)]
    for (first, title), (last, _) in zip(heads, [*heads[1:], (len(lines), "")], strict=True):
        inside = lines[first:last]
        blank = sum(not line.strip() for line in inside)
        yield Part(title, len(inside), blank, sum(first < start <= last for start in starts))


if __name__ == "__main__":
    found = list(parts(PROGRAM.read_text()))
    for part in (*found, Part("all", *(sum(column) for column in list(zip(*found, strict=True))[1:]))):
        print(f"| {part.title} | {part.lines} | {part.blank} | {part.statements} |")
