# SPDX-License-Identifier: Apache-2.0
"""A centre off duty: each command is a process that opens the home with the passphrase, and closes it again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.journeys.terminal import Operator, free_port, pack_file, refused, servanda, spoken


@pytest.fixture(scope="module")
def ash(folder: Path) -> Operator:
    operator = Operator(folder, "ash", pack_file(folder))
    operator.speaks = servanda
    operator.init()
    return operator


def test_whatever_is_asked_of_it_is_done_by_opening_the_home(ash: Operator) -> None:
    entry = ash.says("adopt", {"pack": ash.reads("status")["agreement"]})
    assert entry == "ash/2"
    assert ash.reads("show", entry)["admissible"]
    assert ash.reads("audit") == {"wrong": []}
    assert "ash: 2 entries" in ash.does("rebuild")
    assert not (ash.home / "control.sock").exists()


def test_lines_are_for_centres_on_duty(ash: Operator) -> None:
    ash.refused(3, "not-running", "lines")


def kept(home: Path) -> dict[str, bytes]:
    """Every file of a home but those that a reader may touch."""
    return {f.name: f.read_bytes() for f in home.iterdir() if f.is_file() and not f.name.startswith("record.db-")}


def test_a_home_is_made_once(ash: Operator) -> None:
    before = kept(ash.home)
    root = ash.folder / "ash-root.txt"
    arguments = ("--pack", ash.pack, "--party", "ash", "--port", free_port(), "--root-passphrase-file", root)
    assert "already holds a centre" in ash.refused(2, "home", "init", *arguments)
    assert kept(ash.home) == before


def test_what_init_cannot_use_makes_no_home(ash: Operator, tmp_path: Path) -> None:
    root, empty, broken = ash.folder / "ash-root.txt", tmp_path / "empty.txt", tmp_path / "pack.json"
    empty.write_text("")
    broken.write_text("{}")
    home = ("--home", tmp_path / "new", "--port", free_port())
    given = (*home, "--passphrase-file", ash.secret, "--root-passphrase-file", root)
    stranger = spoken("init", *given, "--pack", ash.pack, "--party", "elm")
    assert "ash, birch" in refused(stranger, 2, "party")
    without = spoken("init", *home, "--passphrase-file", empty, "--pack", ash.pack, "--party", "ash")
    refused(without, 2, "passphrase")
    asked = spoken("init", *home, "--pack", ash.pack, "--party", "ash")
    refused(asked, 2, "passphrase")
    malformed = spoken("init", *given, "--pack", broken, "--party", "ash")
    assert (malformed.returncode, "Traceback" in malformed.stderr) == (2, False)
    assert all(line.startswith("pack: ") for line in malformed.stderr.splitlines())
    assert not (tmp_path / "new").exists()


def test_a_home_that_is_none_and_a_passphrase_that_is_wrong(ash: Operator, tmp_path: Path) -> None:
    refused(spoken("status", "--home", tmp_path / "nowhere"), 2, "home")
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("incorrect horse\n")
    refused(servanda("status", "--passphrase-file", wrong, home=ash.home), 2, "keyring")
    refused(servanda("status", home=ash.home), 2, "passphrase")
    wrong.write_bytes(b"\xff\xfe\n")
    refused(servanda("status", "--passphrase-file", wrong, home=ash.home), 2, "passphrase")
    (tmp_path / "centre.json").write_text("{}")
    refused(spoken("status", "--home", tmp_path), 2, "home")


def test_a_damaged_record_stops_the_centre(ash: Operator, tmp_path: Path) -> None:
    broken = Operator(tmp_path, "ash", ash.pack)
    broken.speaks = servanda
    shutil.copytree(ash.home, broken.home)
    record = broken.home / "record.db"
    data = bytearray(record.read_bytes())
    at = data.index(b'"payloadType"') - 100
    data[at] ^= 1
    record.write_bytes(bytes(data))
    broken.refused(4, "store-damaged", "status")
    record.write_bytes(b"no database at all" * 1000)
    broken.refused(4, "store-damaged", "status")
    record.unlink()
    broken.refused(4, "store-damaged", "status")
    (broken.home / "keyring.json").write_text("{}")
    broken.refused(2, "keyring", "status")
