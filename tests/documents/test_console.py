# SPDX-License-Identifier: Apache-2.0
"""Every console block of the tutorial and the how-to pages does what the page says, typed by a reader in a hurry."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.documents.console import ROOT, Reader, Step, steps_of

PAGES = sorted([*(ROOT / "docs" / "tutorial").glob("*.md"), *(ROOT / "docs" / "how-to").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_types_does_what_it_shows(page: Path) -> None:
    # Not pytest's own folder: its path is too long for the control sockets that lie in it.
    with (
        tempfile.TemporaryDirectory(prefix="docs-", ignore_cleanup_errors=True) as folder,
        Reader(Path(folder)) as reader,
    ):
        for step in steps_of(page):
            reader.type(step)


def test_the_runner_fails_when_a_command_fails_or_shows_something_else(tmp_path: Path) -> None:
    with Reader(tmp_path) as reader:
        reader.type(Step(1, "printf 'one  two\\nthree\\n'", ("one two", "th…e")))
        with pytest.raises(AssertionError, match="status 3"):
            reader.type(Step(2, "(exit 3)", ()))
        with pytest.raises(AssertionError, match="missing 'two'"):
            reader.type(Step(3, "printf 'two\\none\\n'", ("one", "two")))
        reader.type(Step(4, 'test "$NORTH_PORT" = 7101', ()))


def test_the_runner_reads_commands_over_several_lines_and_what_is_shown(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ cat <<'END'\n> a\n> END\na\n```\n```text\n$ not this\n```\n")
    assert steps_of(page) == [Step(2, "cat <<'END'\na\nEND", ("a",))]
