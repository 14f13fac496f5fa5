# SPDX-License-Identifier: Apache-2.0
"""When the disk is full nothing is numbered, nothing is receipted, nothing is lost; with space, all goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from servanda.operations.bundles import export_bundle, import_bundle
from servanda.operations.centre import Centre
from servanda.operations.desk import dispatch
from servanda.operations.errors import StoreFull
from servanda.operations.ports import Push
from servanda.operations.receiving import receive
from servanda.storage.sqlite.store import SqliteStore
from tests.bad_input.whole import refused, state_of
from tests.rig.packs import lake
from tests.rig.world import SteppedClock, World, found, signers_of

LONG = {"text": "x" * 60_000}


class FillingWorld:
    """Ash on a memory store, birch on a disk that can be made full."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "record.db"
        self.world = World(lake(), adopted=False)
        self.store = SqliteStore(self.file)
        self.world.centres["birch"] = found("birch", self.world.pack, self.store, SteppedClock())
        self.world.sync()
        for party in ("ash", "birch"):
            self.world.say(party, "adopt", {"pack": self.world.pack.digest})
        self.world.sync()

    def disk_of(self, pages: int | None) -> Centre:
        """Birch opened again on a disk that holds so many pages of 4,096 bytes; None for as many as it likes."""
        self.store.close()
        self.store = SqliteStore(self.file, pages)
        centre = Centre("birch", self.world.pack, self.store, signers_of("birch"), self.world.clock)
        self.world.centres["birch"] = centre
        return centre

    def pages_used(self) -> int:
        return self.file.stat().st_size // 4096 + 8


@pytest.fixture
def filling(tmp_path: Path):  # type: ignore[no-untyped-def]
    world = FillingWorld(tmp_path)
    yield world
    world.store.close()


def test_an_entry_that_finds_no_space_is_not_released(filling: FillingWorld) -> None:
    birch = filling.disk_of(None)
    birch = filling.disk_of(filling.pages_used())
    identifier = None
    with refused(birch, "store-full"):
        for _ in range(4):  # a draft may still find space, its release does not
            identifier = dispatch(birch, {"command": "draft", "draft": draft()})
            dispatch(birch, {"command": "submit", "identifier": identifier})
            dispatch(birch, {"command": "release", "identifier": identifier, "officer": "chief"})
            pytest.fail("there was space")
    assert StoreFull.exit_status == 3
    before, reopened = state_of(birch), filling.disk_of(None)
    assert state_of(reopened) == before
    assert filling.world.say("birch", "note", LONG).place.number == 3
    filling.world.sync()
    assert filling.world.centres["ash"].record.journals["birch"].size == 3
    assert dispatch(reopened, {"command": "audit"}) == []


def draft() -> dict[str, object]:
    return {"format": "note", "subject": "", "event-at": "2014-01-10", "author": "desk", "content": LONG}


def test_entries_that_find_no_space_are_not_receipted(filling: FillingWorld) -> None:
    ash = filling.world.centres["ash"]
    for _ in range(3):
        filling.world.say("ash", "note", LONG)
    birch = filling.disk_of(filling.pages_used())
    push = Push("ash", 3, tuple(ash.store.leaves("ash", 3, 10)), ash.note_at(5))
    with refused(birch, "store-full"):
        receive(birch, push, "ash")
    with refused(birch, "store-full"):
        import_bundle(birch, export_bundle(ash, "courier"))
    before, reopened = state_of(birch), filling.disk_of(None)
    assert state_of(reopened) == before
    filling.world.sync()
    assert reopened.record.journals["ash"].size == 5
    assert {(r.by, r.size) for r in ash.store.receipts("ash")} == {("birch", 5)}


def test_a_full_disk_still_reads_and_exports(filling: FillingWorld) -> None:
    birch = filling.disk_of(filling.pages_used())
    with refused(birch, "store-full"):
        for _ in range(10):
            filling.world.say("birch", "note", LONG)
            pytest.fail("there was space")
    assert dispatch(birch, {"command": "status"})["party"] == "birch"
    assert dispatch(birch, {"command": "audit"}) == []
    assert export_bundle(birch, "backup")
