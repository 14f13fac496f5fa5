# SPDX-License-Identifier: Apache-2.0
"""Writes docs/reference/seed-coverage.md from the acceptance tests in tests/seeds; `--check` only compares.

A test is named `test_<row>_…`; the first sentence of its docstring says where in the two source documents the row
stands, the rest what the software does about it.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests" / "seeds"
PAGE = ROOT / "docs" / "reference" / "seed-coverage.md"
HEAD = """# What the source documents describe, and the test that shows it

Made from the acceptance tests by [tools/coverage.py](../../tools/coverage.py); do not edit.

Servanda was drawn from two published texts of 2013: **000**, an article of September on earlier discussions about
securing Syria's chemical weapons, and **002**, a review of the meeting of two Presidents in June. Each thing that they
describe has a row here, and each row a test that anybody can run: `.venv/bin/pytest tests/seeds`. The two texts as a
record: [examples/us-ru-2013](../../examples/us-ru-2013/README.md).

| row | in the document | what the software does | test |
|---|---|---|---|
"""
_NAME = re.compile(r"test_([AB]\d+)_")


class Row(NamedTuple):
    """One row of the page."""

    row: str
    said: str
    done: str
    test: str


def rows() -> list[Row]:
    """The rows, by letter and number.

    Raises:
        ValueError: a test says nothing of its row, or a row has two tests.
    """
    found: dict[str, Row] = {}
    for path in sorted(TESTS.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            match = _NAME.match(node.name) if isinstance(node, ast.FunctionDef) else None
            if match is None or not isinstance(node, ast.FunctionDef):
                continue
            said, _, done = (ast.get_docstring(node) or "").partition("\n\n")
            if not done or match[1] in found:
                raise ValueError(f"{path.name}: {node.name} needs a docstring of two parts, and a row of its own")
            where = f"[{path.name}](../../tests/seeds/{path.name}) `{node.name}`"
            found[match[1]] = Row(match[1], " ".join(said.split()), " ".join(done.split()), where)
    return [found[key] for key in sorted(found, key=lambda key: (key[0], int(key[1:])))]


def page() -> str:
    """The page as it should be."""
    return HEAD + "".join(f"| {row.row} | {row.said} | {row.done} | {row.test} |\n" for row in rows())


def main(arguments: list[str]) -> int:
    """Write the page, or compare it; returns the exit status."""
    if "--check" in arguments:
        same = PAGE.is_file() and PAGE.read_text() == page()
        print("" if same else f"{PAGE} is not what the tests say; run tools/coverage.py", end="" if same else "\n")
        return 0 if same else 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
