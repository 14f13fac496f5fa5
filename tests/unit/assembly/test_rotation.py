# SPDX-License-Identifier: Apache-2.0
"""Keys and officers change under the root threshold, and everybody else follows from the journal alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from servanda.assembly import CHEAP, Founding, Rotation, Station, found_centre
from servanda.assembly import station as opened
from servanda.keyring.errors import KeyringError
from servanda.operations.errors import Refusal
from servanda.operations.ports import Push
from servanda.operations.receiving import receive
from tests.rig.packs import lake
from tests.rig.world import World

OFFICERS = {"desk": ("author",), "chief": ("author", "release"), "duty": ("watch",)}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    found_centre(Founding(tmp_path / "ash", lake(), "ash", "pass", "root", OFFICERS, cost=CHEAP))
    return tmp_path / "ash"


@pytest.fixture
def station(home: Path) -> Iterator[Station]:
    opened = Station(home, "pass")
    yield opened
    opened.close()


def speak(station: Station, releaser: str = "chief") -> str:
    draft = {"format": "adopt", "subject": "", "event-at": "2026-01-01", "author": "desk"}
    draft |= {"content": {"pack": station.settings.agreement}}
    identifier = station.handle({"command": "draft", "draft": draft})
    station.handle({"command": "submit", "identifier": identifier})
    return str(station.handle({"command": "release", "identifier": identifier, "officer": releaser})["entry"])


def test_renewed_keys_sign_what_comes_after_and_survive_a_restart(home: Path) -> None:
    station = Station(home, "pass")
    before = station.centre.signers.centre.public
    station.rotate("root", Rotation(renew=("centre", "receipt", "desk", "root")))
    assert speak(station) == "ash/3"
    station.close()
    again = Station(home, "pass")
    assert again.centre.signers.centre.public != before
    assert [entry.code for entry in again.centre.record.log] == [None, None, None]
    again.rotate("root", Rotation(renew=("centre",)))  # signed by the root keys that were renewed
    again.close()


def test_a_retired_officer_signs_nothing_more(station: Station) -> None:
    station.rotate("root", Rotation(officers={"chief-2": ("release",)}, retire=("chief",)))
    with pytest.raises(Refusal) as refused:
        speak(station, "chief")
    assert refused.value.code == "unknown-key"
    assert speak(station, "chief-2") == "ash/3"


def test_counterparts_follow_a_rotation_from_the_journal_alone(station: Station) -> None:
    station.rotate("root", Rotation(renew=("centre", "chief")))
    speak(station)
    other = World(lake(), adopted=False).centres["birch"]
    leaves = tuple(station.store.leaves("ash", 1, 3))
    receive(other, Push("ash", 1, leaves, station.centre.note_at(3)))
    assert [entry.code for entry in other.record.journals["ash"].entries] == [None, None, None]


def test_a_push_that_ends_before_a_rotation_is_proved_by_the_key_of_its_time(station: Station) -> None:
    station.rotate("root", Rotation(officers={"chief-2": ("release",)}))
    station.rotate("root", Rotation(renew=("centre",)))
    speak(station)
    other = World(lake(), adopted=False).centres["birch"]
    for first in range(1, 5):
        leaves = tuple(station.store.leaves("ash", first, 1))
        receive(other, Push("ash", first, leaves, station.centre.note_at(first)), "ash")
    assert [entry.code for entry in other.record.journals["ash"].entries] == [None] * 4


def test_nothing_changes_without_the_root_passphrase(station: Station) -> None:
    with pytest.raises(KeyringError):
        station.rotate("guess", Rotation(renew=("centre",)))
    assert station.centre.journal.size == 1
    assert speak(station) == "ash/2"


def test_an_officer_who_is_not_there_is_not_retired(station: Station) -> None:
    with pytest.raises(Refusal, match="no officer nobody"):
        station.rotate("root", Rotation(retire=("nobody",)))


def test_a_rotation_that_was_refused_or_broken_off_may_be_begun_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = Station(home, "pass")
    with pytest.raises(Refusal):
        station.rotate("root", Rotation(renew=("centre", "root"), subject="x" * 501))
    station.close()

    def broken_off(*arguments: object) -> NoReturn:
        raise KeyboardInterrupt

    station = Station(home, "pass")
    with monkeypatch.context() as patch:
        patch.setattr(opened, "state_identity", broken_off)
        with pytest.raises(KeyboardInterrupt):
            station.rotate("root", Rotation(renew=("centre", "root")))
    station.close()
    station = Station(home, "pass")
    before = station.centre.signers.centre.public
    assert station.rotate("root", Rotation(renew=("centre", "root"))).place.number == 2
    assert station.centre.signers.centre.public != before
    station.close()
    station = Station(home, "pass")
    assert speak(station) == "ash/3"
    station.close()


def test_the_root_keys_name_the_history_that_stands(station: Station) -> None:
    entry = station.name_branch("root")
    assert entry.frame is not None
    assert (entry.code, entry.frame.format, entry.frame.content["size"]) == (None, "branch", 1)
