# SPDX-License-Identifier: Apache-2.0
"""The reference says what the source says: every code, command, variable and file has its place, nothing else has."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from servanda.cli.main import servanda
from tests.documents.codes import ROOT, SOURCE, codes

REFERENCE = ROOT / "docs" / "reference"


def headings(page: Path, level: int) -> list[str]:
    return re.findall(rf"^{'#' * level} (.+)$", page.read_text(), flags=re.MULTILINE)


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", REFERENCE / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_code_in_the_source_has_a_heading_and_every_heading_is_a_code() -> None:
    told = headings(REFERENCE / "errors.md", 3)
    assert len(told) == len(set(told))
    assert set(told) == set(codes())


def test_codes_are_found_in_all_the_ways_in_which_the_source_gives_them() -> None:
    found = codes()
    ways = {
        "home": "second argument",
        "own-release": "first argument of a verdict",
        "card": "second argument on a line of its own",
        "refuse": "handed on by a function",
        "unreadable": "assigned",
        "line-down": "of a class",
        "bug": "in an answer",
        "frame": "a default",
        "posting/overdrawn": "a refused posting",
        "alerts/no-case": "a reason handed on by a function",
        "link/answered": "an entry of the line without effect",
        "not-settled": "one of two",
    }
    assert ways.keys() <= found.keys()


def test_every_verdict_of_a_step_is_in_the_list_of_steps() -> None:
    listed = set(re.findall(r"errors\.md#([a-z-]+)\)", (REFERENCE / "verdicts.md").read_text()))
    judged = {code for code, files in codes().items() if any(name.startswith("journal/") for name in files)}
    assert judged == listed - {"refused-postings", "other-discrepancies"}


def test_errors_link_to_their_discrepancies_by_the_anchors_that_headings_make() -> None:
    sections = headings(REFERENCE / "errors.md", 2)
    assert sections == [
        "Errors of a request",
        "Verdicts on an entry",
        "Refused postings",
        "Entries outside every case",
        "Entries outside the dialogue",
        "Entries without effect on an inspection",
        "Entries of the line",
        "Statements without effect",
        "Other discrepancies",
    ]


def test_every_exit_status_of_an_error_is_in_the_table() -> None:
    told = set(re.findall(r"^\| (\d+) \|", (REFERENCE / "errors.md").read_text(), flags=re.MULTILINE))
    given = set(re.findall(r"exit_status = (\d+)|sys\.exit\((\d+)\)|Exit\((\d+)\)|BUG_EXIT = (\d+)", _source()))
    assert {number for numbers in given for number in numbers if number} <= told


def test_the_page_of_commands_is_what_the_commands_say() -> None:
    # In a process of its own: a command remembers how its help was asked for first.
    done = subprocess.run([sys.executable, str(REFERENCE / "generate.py"), "--check"], check=False)
    assert done.returncode == 0


def test_every_command_has_a_heading() -> None:
    assert set(headings(REFERENCE / "commands.md", 2)) == {
        "servanda",
        *(f"servanda {name}" for name in servanda.commands),
    }


def test_the_generator_tells_a_page_that_is_behind(
    generator: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generator, "PAGE", tmp_path / "commands.md")
    assert generator.main(["--check"]) == 1
    assert "is not what the commands say" in capsys.readouterr().out
    assert generator.main([]) == 0
    assert generator.main(["--check"]) == 0


def test_every_environment_variable_of_the_source_is_told() -> None:
    told = set(re.findall(r"^\| `([A-Z_]+)`", (REFERENCE / "home.md").read_text(), flags=re.MULTILINE))
    read = set(re.findall(r"\bSERVANDA_[A-Z_]+\b", _source()))
    assert read | {"PYTHON"} == told


def test_every_file_of_a_home_is_told() -> None:
    told = set(re.findall(r"`([a-z.-]+)`", (REFERENCE / "home.md").read_text()))
    assembled = set(re.findall(r"home / \"([a-z.]+)\"", _source()))
    assert assembled
    assert assembled <= told


def test_every_member_of_a_draft_is_told() -> None:
    from servanda.operations.drafting import Draft

    page = (ROOT / "docs" / "how-to" / "write-and-release.md").read_text().split("## The members of a draft")[1]
    told = {
        name for row in re.findall(r"^\| (`.+?`) \|", page, flags=re.MULTILINE) for name in re.findall(r"`(.+?)`", row)
    }
    assert told == {field.replace("_", "-") for field in Draft.__struct_fields__}


def _source() -> str:
    return "\n".join(path.read_text() for path in SOURCE.rglob("*.py"))
