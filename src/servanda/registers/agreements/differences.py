# SPDX-License-Identifier: Apache-2.0
"""Two texts compared clause by clause, and within a clause word by word (spec/dialogue.md, Differences)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any

Clause = dict[str, Any]
CELLS_MAX = 2_000_000
"""How many pairs of pieces are compared for one page: well under a second."""
_PIECE = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")


class Effort:
    """How much may still be compared for one page: a hostile text must not hold up a centre.

    What is beyond it is shown as taken out and put in whole, which is right, and less helpful.
    """

    def __init__(self, cells: int = CELLS_MAX) -> None:
        """Start with `cells` pairs of pieces to be compared."""
        self.cells = cells

    def take(self, cells: int) -> bool:
        """Whether so many pairs may be compared; if so they are used up."""
        if cells > self.cells:
            return False
        self.cells -= cells
        return True


def clause_differences(
    old: Sequence[Clause], new: Sequence[Clause], effort: Effort | None = None
) -> list[dict[str, Any]]:
    """Every clause of both, in the order of the new one, what was removed after what stood before it.

    Returns:
        Rows `{"id","change","moved","words"}`; `words` is a list of `{"op","text"}`, op `same`, `removed` or `added`.
    """
    effort = effort or Effort()
    before = {clause["id"]: clause["text"] for clause in old}
    after = {clause["id"]: clause["text"] for clause in new}
    rows: list[dict[str, Any]] = []
    # Ids are not repeated, so this is quick whatever they are.
    matcher = SequenceMatcher(None, list(before), list(after), autojunk=False)
    for operation, a, b, c, d in matcher.get_opcodes():
        rows += [_row(name, before[name], None, effort) for name in list(before)[a:b] if name not in after]
        for name in list(after)[c:d]:
            moved = operation != "equal" and name in before
            rows.append(_row(name, before.get(name), after[name], effort, moved=moved))
    return rows


def _row(name: str, old: str | None, new: str | None, effort: Effort, *, moved: bool = False) -> dict[str, Any]:
    change = "added" if old is None else "removed" if new is None else "same" if old == new else "changed"
    return {"change": change, "id": name, "moved": moved, "words": word_differences(old or "", new or "", effort)}


def word_differences(old: str, new: str, effort: Effort | None = None) -> list[dict[str, str]]:
    """The pieces of two texts, words and marks with the space behind them: each kept, taken out or put in."""
    left, right = _PIECE.findall(old), _PIECE.findall(new)
    begin = 0
    while begin < min(len(left), len(right)) and left[begin] == right[begin]:
        begin += 1
    end = 0
    while end < min(len(left), len(right)) - begin and left[-1 - end] == right[-1 - end]:
        end += 1
    one, other = left[begin : len(left) - end], right[begin : len(right) - end]
    found = [("same", "".join(left[:begin]))]
    if (effort or Effort()).take(len(one) * len(other)):
        found += _compared(one, other)
    else:
        found += [("removed", "".join(one)), ("added", "".join(other))]
    found.append(("same", "".join(left[len(left) - end :])))
    return [{"op": op, "text": text} for op, text in _joined(found) if text]


def _compared(one: Sequence[str], other: Sequence[str]) -> list[tuple[str, str]]:
    """By the longest common subsequence: as many steps as the product of both lengths, never more."""
    lengths = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i in range(len(one) - 1, -1, -1):
        row, below = lengths[i], lengths[i + 1]
        for j in range(len(other) - 1, -1, -1):
            row[j] = below[j + 1] + 1 if one[i] == other[j] else max(below[j], row[j + 1])
    found, i, j = [], 0, 0
    while i < len(one) or j < len(other):
        if i < len(one) and j < len(other) and one[i] == other[j]:
            found.append(("same", one[i]))
            i, j = i + 1, j + 1
        elif j == len(other) or (i < len(one) and lengths[i + 1][j] >= lengths[i][j + 1]):
            found.append(("removed", one[i]))
            i += 1
        else:
            found.append(("added", other[j]))
            j += 1
    return found


def _joined(pieces: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Pieces with the same word about them, joined; between two that are the same, what goes before what comes."""
    gone = come = ""
    kept = ""
    for op, text in pieces:
        if op == "same":
            if gone or come:
                space = _space_behind(gone, come)
                yield "same", kept
                yield "removed", gone.removesuffix(space)
                yield "added", come.removesuffix(space)
                gone = come = ""
                kept = space
            kept += text
        elif op == "removed":
            gone += text
        else:
            come += text
    yield "same", kept
    yield "removed", gone
    yield "added", come


def _space_behind(one: str, other: str) -> str:
    """The space that ends both of two pieces: it does not differ."""
    space = one[len(one.rstrip()) :]
    return space if space and other[len(other.rstrip()) :] == space else ""


def clauses_in(content: dict[str, Any], language: str) -> list[Clause] | None:
    """The clauses of a text in one language, None if it has none in it."""
    return next((text["clauses"] for text in content["texts"] if text["language"] == language), None)


def text_differences(
    old: dict[str, Any], new: dict[str, Any], language: str | None = None, effort: Effort | None = None
) -> list[dict[str, Any]]:
    """The differences of two contents, for each language that both have, or for one."""
    effort = effort or Effort()
    tags = [text["language"] for text in new["texts"] if language in (None, text["language"])]
    pairs = [(tag, clauses_in(old, tag), clauses_in(new, tag)) for tag in tags]
    return [
        {"clauses": clause_differences(before, after, effort), "language": tag}
        for tag, before, after in pairs
        if before is not None and after is not None
    ]
