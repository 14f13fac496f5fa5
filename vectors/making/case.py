# SPDX-License-Identifier: Apache-2.0
"""What is one case? A folder: one sentence, input files, and what an implementation must find."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

FAIL = "_fail"
"""A case whose name ends so must be refused; all others must be accepted."""


class Case(NamedTuple):
    """One folder `vectors/<format>/<name>/`."""

    format: str
    name: str
    files: dict[str, bytes]

    @property
    def folder(self) -> str:
        """Where it lies below `vectors/`."""
        return f"{self.format}/{self.name}"


def shown(value: Any) -> bytes:
    """JSON for people: indented, in ASCII, with a newline. On purpose not the canonical form."""
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


class Cases:
    """The cases of one format, with the page that most of them rest on."""

    def __init__(self, form: str, page: str) -> None:
        """Start without cases; `page` is a page of spec/ without its ending."""
        self.form = form
        self.page = page
        self.made: list[Case] = []

    def good(self, name: str, sentence: str, files: Mapping[str, bytes], expected: Any, rule: str = "") -> None:
        """Add a case that must be accepted with `expected` as result."""
        self._add(name, sentence, {**files, "expected.json": shown(expected)}, rule)

    def bad(self, name: str, sentence: str, files: Mapping[str, bytes], rule: str = "", expected: Any = None) -> None:
        """Add a case that must be refused; `expected` says more where a code or a verdict per entry belongs to it."""
        more = {} if expected is None else {"expected.json": shown(expected)}
        self._add(name + FAIL, sentence, {**files, **more}, rule)

    def _add(self, name: str, sentence: str, files: dict[str, bytes], rule: str) -> None:
        page, _, part = rule.partition("#") if rule else (self.page, "", "")
        page = page or self.page
        readme = f"{sentence}\n\nRule: [{page}](../../../spec/{page}.md){', ' + part if part else ''}.\n"
        case = Case(self.form, name, {"README.md": readme.encode(), **files})
        if any(case.name == other.name for other in self.made):
            raise ValueError(f"two cases are called {case.folder}")
        self.made.append(case)
