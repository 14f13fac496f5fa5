# SPDX-License-Identifier: Apache-2.0
"""Limits that reviewers should not have to count: lengths, names, licence lines, and words that do not belong.

Functions: 70 lines without the docstring; modules: 600; classes: 250. STYLE.md says what is wanted, this refuses.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FUNCTION_LINES_MAX, MODULE_LINES_MAX, CLASS_LINES_MAX = 70, 600, 250
VERIFIER = "verifier/verify.py"
VERIFIER_LINES_MAX = 2614
"""What is wanted of the stand-alone verifier is 900 lines (STYLE.md, Known exceptions); this limit only goes
down, except where it must read a new kind of entry: 1850, 30 for the rows that a format may have,
20 for the shapes of inspections, 50 for those of dialogue, 110 for discrepancies, seals, sites,
books, shipments, containers, witnesses by quorum, 210 for joint draws, which it repeats from the entries,
40 for tables that are held and rows that are opened,
280 for tables: rows that are lots, selections, corrections by line, counts and repacking, 60 for what is in what."""
LICENCE = "# SPDX-License-Identifier: Apache-2.0"
NAMES_REFUSED = re.compile(r"(^|_)(utils?|helpers?|common|misc|managers?|base)(_|\.|$)")
LEFT_UNDONE = re.compile(r"\b(TODO|FIXME|XXX)\b|NotImplementedError|assert True\b|\|\| true$")


def tracked(pattern: str) -> list[Path]:
    """Files that git tracks, or would track, below the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in sorted(set(listed.stdout.split())) if (ROOT / name).is_file()]


def length(node: ast.AST, body: list[ast.stmt]) -> int:
    """Lines from the first statement after the docstring to the last."""
    first = body[1] if len(body) > 1 and ast.get_docstring(node) else body[0]  # type: ignore[arg-type]
    return (body[-1].end_lineno or 0) - first.lineno + 1


def problems_in(path: Path) -> Iterator[str]:
    """What is refused in one Python file."""
    text, name = path.read_text(), str(path.relative_to(ROOT))
    lines = text.count("\n")
    limit = VERIFIER_LINES_MAX if name == VERIFIER else MODULE_LINES_MAX
    in_tests = name.startswith("tests/")
    if lines > limit:
        yield f"{name}: {lines} lines; {limit} at most"
    if lines and not text.startswith(LICENCE):
        yield f"{name}:1: the first line is the licence, `{LICENCE}`"
    if NAMES_REFUSED.search(path.name):
        yield f"{name}: a module is named for its subject"
    for number, line in enumerate(text.splitlines(), start=1):
        if LEFT_UNDONE.search(line) and name != "tools/tidy.py":
            yield f"{name}:{number}: something is left undone: {line.strip()[:60]}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and length(node, node.body) > FUNCTION_LINES_MAX:
            yield f"{name}:{node.lineno}: {node.name} has {length(node, node.body)} lines; {FUNCTION_LINES_MAX} at most"
        if isinstance(node, ast.ClassDef) and not in_tests and length(node, node.body) > CLASS_LINES_MAX:
            yield f"{name}:{node.lineno}: class {node.name}: {length(node, node.body)} lines; {CLASS_LINES_MAX} at most"


def main() -> int:
    """Print every problem; returns 1 if there is one."""
    found = [problem for path in tracked("*.py") for problem in problems_in(path)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
