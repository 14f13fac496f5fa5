# SPDX-License-Identifier: Apache-2.0
"""Every relative link leads somewhere, with its anchor; what README and ARCHITECTURE name is there."""

from __future__ import annotations

import importlib
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.documents.codes import ROOT, SOURCE

_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
_NAMED = re.compile(r"`([a-z0-9_.]+):([A-Za-z0-9_.]+)`")
_TEST = re.compile(r"`(tests/[^`:]+)(?:::(\w+))?`")


def pages() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in sorted(set(listed.stdout.split())) if (ROOT / name).is_file()]


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors that headings make: lowercase, spaces to hyphens, other signs dropped."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return frozenset(
        re.sub(r"[^\w -]", "", re.sub(r"\[(.+?)\]\(.*?\)", r"\1", head)).lower().replace(" ", "-") for head in heads
    )


def dead(page: Path) -> list[str]:
    found = []
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for link in _LINK.findall(re.sub(r"`[^`\n]*`", "", text)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        there = target.exists() and target.is_relative_to(ROOT)
        if not there or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            found.append(link)
    return found


def test_every_relative_link_leads_somewhere() -> None:
    assert {str(page.relative_to(ROOT)): links for page in pages() if (links := dead(page))} == {}


def test_a_dead_link_and_a_dead_anchor_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.documents.test_links.ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "# One head, two\n[a](page.md#one-head-two) [b](no.md) [c](#none) `[d](no.md)` [e](https://example.org)\n"
    )
    assert dead(page) == ["no.md", "#none"]


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "STYLE.md", "docs/explanation/requirements.md"])
def test_every_module_and_function_named_is_there(name: str) -> None:
    named = [(module, path) for module, path in _NAMED.findall((ROOT / name).read_text()) if not module.endswith(".py")]
    for module, path in named:
        found: object = importlib.import_module(f"servanda.{module}")
        for step in path.split("."):
            found = getattr(found, step)
    assert named or name == "STYLE.md"


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "SECURITY.md", "docs/explanation/requirements.md"])
def test_every_test_that_is_named_is_there(name: str) -> None:
    named = _TEST.findall((ROOT / name).read_text())
    assert named
    for place, function in named:
        assert (ROOT / place).exists(), place
        if function:
            assert f"def {function}(" in (ROOT / place).read_text(), function


def test_the_table_of_floors_has_every_room() -> None:
    table = (ROOT / "ARCHITECTURE.md").read_text().split("## The floors")[1].split("## ")[0]
    rows = [line.split("|")[2] for line in table.splitlines() if re.match(r"\| \d", line)]
    told = {name.rstrip("/") for row in rows for name in re.findall(r"`([a-z./]+)`", row)}
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir() and (path / "__init__.py").is_file()}
    assert told == rooms


def test_the_floors_stand_in_the_order_of_the_contract() -> None:
    contract = (ROOT / ".importlinter").read_text().split("layers =")[1].split("[importlinter")[0].split("\n\n")[0]
    floors = [set(re.findall(r"[a-z]+", line)) for line in contract.strip().splitlines()]
    table = (ROOT / "ARCHITECTURE.md").read_text().split("## The floors")[1].split("## ")[0]
    rows = [line.split("|")[2] for line in table.splitlines() if re.match(r"\| \d", line)]
    told = [{name.split("/")[0].removesuffix(".py") for name in re.findall(r"`([a-z./]+)`", row)} for row in rows]
    assert told == floors
