# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a new centre for each module, and the guarantee that no process outlives its test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.terminal import Operator, pack_file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the homes of a module, with a short name: sockets have no long ones."""
    return tmp_path_factory.mktemp("h")


@pytest.fixture(scope="module")
def pair(folder: Path) -> Iterator[tuple[Operator, Operator]]:
    """Two centres that have never met, off duty."""
    pack = pack_file(folder)
    ash, birch = Operator(folder, "ash", pack), Operator(folder, "birch", pack)
    ash.init()
    birch.init()
    yield ash, birch
    for operator in (ash, birch):
        operator.dies()
