# SPDX-License-Identifier: Apache-2.0
"""Two texts compared clause by clause, and within a clause word by word (spec/dialogue.md, Differences)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

Clause = dict[str, Any]
_PIECE = re.compile(r"\s+|\w+|[^\w\s]")


def clause_differences(old: Sequence[Clause], new: Sequence[Clause]) -> list[dict[str, Any]]:
    """Every clause of both, in the order of the new one, what was removed after what stood before it.

    Returns:
        Rows `{"id","change","moved","words"}`; `words` is a list of `{"op","text"}`, op `same`, `removed` or `added`.
    """
    before = {clause["id"]: clause["text"] for clause in old}
    after = {clause["id"]: clause["text"] for clause in new}
    rows: list[dict[str, Any]] = []
    matcher = SequenceMatcher(None, list(before), list(after), autojunk=False)
    for operation, a, b, c, d in matcher.get_opcodes():
        rows += [_row(name, before[name], None) for name in list(before)[a:b] if name not in after]
        for name in list(after)[c:d]:
            moved = operation != "equal" and name in before
            rows.append(_row(name, before.get(name), after[name], moved=moved))
    return rows


def _row(name: str, old: str | None, new: str | None, *, moved: bool = False) -> dict[str, Any]:
    change = "added" if old is None else "removed" if new is None else "same" if old == new else "changed"
    return {"change": change, "id": name, "moved": moved, "words": word_differences(old or "", new or "")}


def word_differences(old: str, new: str) -> list[dict[str, str]]:
    """The pieces of two texts: words, marks and spaces, each kept, taken out or put in."""
    if old == new:
        return [{"op": "same", "text": old}] if old else []
    left, right = _PIECE.findall(old), _PIECE.findall(new)
    found: list[dict[str, str]] = []
    for operation, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if operation == "equal":
            found.append({"op": "same", "text": "".join(left[a:b])})
            continue
        if b > a:
            found.append({"op": "removed", "text": "".join(left[a:b])})
        if d > c:
            found.append({"op": "added", "text": "".join(right[c:d])})
    return found


def clauses_in(content: dict[str, Any], language: str) -> list[Clause] | None:
    """The clauses of a text in one language, None if it has none in it."""
    return next((text["clauses"] for text in content["texts"] if text["language"] == language), None)


def text_differences(old: dict[str, Any], new: dict[str, Any], language: str | None = None) -> list[dict[str, Any]]:
    """The differences of two contents, for each language that both have, or for one."""
    tags = [text["language"] for text in new["texts"] if language in (None, text["language"])]
    pairs = [(tag, clauses_in(old, tag), clauses_in(new, tag)) for tag in tags]
    return [
        {"clauses": clause_differences(before, after), "language": tag}
        for tag, before, after in pairs
        if before is not None and after is not None
    ]
