# SPDX-License-Identifier: Apache-2.0
"""Two centres that no network joins: cards and bundles go back and forth on a stick, and that is enough."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.terminal import Operator, pack_file, spoken

NOWHERE = "https://127.0.0.1:9"
"""An address at which nobody listens: the port of the discard service."""


@pytest.fixture(scope="module")
def pair(folder: Path) -> Iterator[tuple[Operator, Operator]]:
    """Two centres on duty that cannot reach one another."""
    operators = [Operator(folder, party, pack_file(folder)) for party in ("ash", "birch")]
    for operator in operators:
        operator.init("--address", NOWHERE)
        operator.serve()
    yield operators[0], operators[1]
    for operator in operators:
        operator.dies()


def carried(sender: Operator, receiver: Operator, stick: Path) -> dict[str, int]:
    """One walk with a stick: how many entries of each party were new at the other end."""
    file = stick / f"{sender.party}.servanda"
    sender.does("export", file, "--purpose", "courier")
    new: dict[str, int] = receiver.reads("import", file)["entries"]
    assert receiver.reads("import", file)["entries"] == dict.fromkeys(new, 0)
    return new


def test_what_is_carried_by_hand_arrives_as_over_a_line(pair: tuple[Operator, Operator], tmp_path: Path) -> None:
    ash, birch = pair
    ash.meets(birch)
    birch.meets(ash)
    digest = ash.reads("status")["agreement"]
    for operator in pair:
        operator.says("adopt", {"pack": digest})
    assert not any(line["up"] for operator in pair for line in operator.reads("lines").values())
    assert carried(ash, birch, tmp_path) == {"ash": 1}
    assert carried(birch, ash, tmp_path) == {"birch": 1}
    entry = ash.says("note", {"text": "the bridge is out"}, to=["birch"])
    assert carried(ash, birch, tmp_path) == {"ash": 1}
    shown = birch.reads("show", entry)
    assert (shown["admissible"], shown["frame"]["content"]["text"]) == (True, "the bridge is out")
    said = birch.does("acknowledge", entry, "--as", "watch-1").strip()
    assert carried(birch, ash, tmp_path) == {"birch": 1}
    assert ash.reads("show", entry)["acknowledged-by"] == [said]
    dossier = tmp_path / "dossier.servanda"
    ash.does("export", dossier)
    pins = [f"--party={operator.party}={operator.fingerprint}" for operator in pair]
    assert spoken("verify", dossier, *pins).returncode == 0
    backup = tmp_path / "backup.servanda"
    ash.does("export", backup, "--purpose", "backup")
    assert spoken("verify", backup, *pins).returncode == 0


def test_a_stick_for_another_agreement_is_refused(pair: tuple[Operator, Operator], tmp_path: Path) -> None:
    ash, _ = pair
    other = Operator(tmp_path, "ash", pack_file(tmp_path, liars=1))
    other.init()
    stick = tmp_path / "x.servanda"
    other.does("export", stick, "--purpose", "courier")
    before = ash.reads("status")
    ash.refused(2, "agreement", "import", stick)
    ash.refused(2, "agreement", "meet", other.card(), "--fingerprint", other.fingerprint)
    stick.write_bytes(stick.read_bytes()[:500])
    ash.refused(2, "bundle", "import", stick)
    assert ash.reads("status") == before
