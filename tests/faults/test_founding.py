# SPDX-License-Identifier: Apache-2.0
"""Making a home is broken off: it is a centre's home or it is none, and says which; nothing is ever made over it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from servanda.assembly import Founding, Station, found_centre
from servanda.operations.errors import Refusal
from tests.faults.harbour import NO_COST, OFFICERS, PACK, PASS, ROOT_PASS, quick_and_mortal
from tests.faults.mortal import COMMITTED, Death, Fate, Write


def founding(home: Path) -> Founding:
    return Founding(home, PACK, "ash", PASS, ROOT_PASS, OFFICERS, cost=NO_COST)


@pytest.fixture
def fate(tmp_path: Path) -> Iterator[Fate]:
    (tmp_path / "images").mkdir()
    fate = Fate(tmp_path / "images")
    with quick_and_mortal(fate):
        yield fate


def broken_off(fate: Fate, home: Path, number: int, moment: str) -> Path:
    """What an `init` has left that was killed at this moment of one of its writes."""
    fate.writes.clear()
    fate.choice = lambda write, at, _: (write.number, at) == (number, moment)
    with pytest.raises(Death) as death:
        found_centre(founding(home))
    shutil.rmtree(home)
    fate.revived()
    fate.choice = lambda write, at, _: False
    return death.value.image


def test_a_home_whose_making_was_broken_off_is_none_and_is_left_alone(fate: Fate, tmp_path: Path) -> None:
    home = tmp_path / "ash"
    found_centre(founding(home))
    shutil.rmtree(home)
    writes: list[Write] = list(fate.writes)
    assert [write.what for write in writes if not write.statements] == ["keyring.json"] * 2 + [
        "root.json",
        "centre.json",
    ]
    assert [write.what for write in writes if write.statements] == ["packs", "checkpoints entries of identity"]
    assert writes[-1].what == "centre.json"
    for number, write in enumerate(writes):
        for moment in write.moments():
            image = broken_off(fate, home, number, moment)
            before = {file.name: file.read_bytes() for file in image.iterdir()}
            if (write.what, moment) == ("centre.json", COMMITTED):
                Station(image, PASS).close()
                expected = "already holds a centre"
            else:
                with pytest.raises(Refusal, match="holds no centre"):
                    Station(image, PASS)
                expected = "broken off"
            with pytest.raises(Refusal, match=expected):
                found_centre(founding(image))
            if expected == "broken off":
                assert {file.name: file.read_bytes() for file in image.iterdir()} == before
                shutil.rmtree(image)
                found_centre(founding(image))
                Station(image, PASS).close()
