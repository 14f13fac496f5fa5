# SPDX-License-Identifier: Apache-2.0
"""Mistakes in a pack are values, collected and shown together; only unusable bytes are an exception."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """One mistake in a pack, for its author: which file and line, what is wrong and what to do."""

    file: str
    line: int
    """1 for the first line; 0 if the whole file or folder is meant."""
    reason: str

    def __str__(self) -> str:
        """`file:line: reason`, as editors and compilers write it."""
        return f"{self.file}:{self.line}: {self.reason}" if self.line else f"{self.file}: {self.reason}"


class PackError(ValueError):
    """The bytes are not a pack that can be used; `problems` says why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(str(p) for p in problems[:5]) + (" …" if len(problems) > 5 else ""))
        self.problems = problems
