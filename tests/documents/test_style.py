# SPDX-License-Identifier: Apache-2.0
"""STYLE.md lists what is over the wanted numbers, and nothing that no longer is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.documents.codes import ROOT

FUNCTION_LINES_WANTED, MODULE_LINES_WANTED = 40, 400


def over() -> Iterator[str]:
    """Modules and functions of src and tools that are over what is wanted."""
    for path in sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "tools").rglob("*.py")]):
        name, text = path.relative_to(ROOT).as_posix(), path.read_text()
        if text.count("\n") > MODULE_LINES_WANTED:
            yield name
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1] if len(node.body) > 1 and ast.get_docstring(node) else node.body[0]
                if (node.body[-1].end_lineno or 0) - first.lineno + 1 > FUNCTION_LINES_WANTED:
                    yield f"{name}:{node.name}"


def test_the_known_exceptions_are_those_that_there_are() -> None:
    section = (ROOT / "STYLE.md").read_text().split("## Known exceptions")[1]
    assert set(re.findall(r"^\| `([^`]+)` \|", section, flags=re.MULTILINE)) == set(over())


def test_the_numbers_are_those_that_are_refused() -> None:
    tidy = (ROOT / "tools" / "tidy.py").read_text()
    limits = re.search(r"FUNCTION_LINES_MAX, MODULE_LINES_MAX, CLASS_LINES_MAX = (\d+), (\d+), (\d+)", tidy)
    assert limits
    style = (ROOT / "STYLE.md").read_text()
    assert f"| a function, docstring apart | {FUNCTION_LINES_WANTED} lines | {limits[1]} |" in style
    assert f"| a module | {MODULE_LINES_WANTED} lines | {limits[2]} |" in style
    assert f"| a class | | {limits[3]} lines |" in style
