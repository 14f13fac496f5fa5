# SPDX-License-Identifier: Apache-2.0
"""Two centres on loopback, each a process, killed with SIGKILL in the middle of their writes again and again.

What a process has left is looked at in its files before it is started again: there nothing has been delivered anew yet.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from servanda.assembly import CHEAP, Founding, found_centre, read_pack
from servanda.cli.duty import OFFICERS
from servanda.proof.checkpoints import parse_checkpoint
from servanda.proof.notes import parse_note
from servanda.storage.sqlite.store import SqliteStore
from tests.faults.mortal import ANSWERING, BEFORE, COMMITTED, WITHIN, WRITTEN, copy_home
from tests.journeys.terminal import PASSPHRASE, Operator, eventually, free_port, pack_file
from tests.rig.world import row

COMMIT, RECEIVE = "operations.centre:Centre.commit", "operations.receiving:receive"
KEEP, COUNTERSIGN = "operations.receipts:take_receipts", "operations.receiving:countersign"


class Point(NamedTuple):
    """Where a process dies."""

    by: str
    nth: int
    moment: str


POINTS = {
    "ash": [
        Point("operations.drafting:write_draft", 2, WITHIN),
        Point(COMMIT, 1, WRITTEN),
        Point(KEEP, 1, WRITTEN),
        Point(COMMIT, 2, COMMITTED),
        Point(COMMIT, 1, ANSWERING),
        Point(KEEP, 2, COMMITTED),
    ],
    "birch": [
        Point(RECEIVE, 1, BEFORE),
        Point(RECEIVE, 2, WITHIN),
        Point(RECEIVE, 1, WRITTEN),
        Point(RECEIVE, 1, COMMITTED),
        Point(RECEIVE, 2, ANSWERING),
        Point(COUNTERSIGN, 1, ANSWERING),
    ],
}
"""For each party one after the other: the sender over its entries and receipts, the receiver over what comes in."""


class Kept(NamedTuple):
    """What lies in the files of a centre."""

    leaves: dict[str, list[bytes]]
    receipts: dict[tuple[str, str], int]
    """By journal and party: the size that it has receipted."""


class MortalOperator(Operator):
    """Puts the centre on duty again whenever it has died, to die at the next point."""

    def __init__(self, folder: Path, party: str, pack: Path, told: dict[tuple[str, int], bytes]) -> None:
        super().__init__(folder, party, pack)
        self.points = list(POINTS[party])
        self.told = told
        self.killed = 0

    def init(self, *more: object) -> None:
        """Make the centre, with keys that a passphrase guards at no cost: they are taken out at every start."""
        port = free_port()
        address = (f"https://127.0.0.1:{port}",)
        pack = read_pack(self.pack)
        making = Founding(
            self.home, pack, self.party, PASSPHRASE, "r", OFFICERS, port=port, addresses=address, cost=CHEAP
        )
        self.fingerprint = found_centre(making)

    def serve(self) -> None:
        """On duty, and doomed if there are points left. A centre may die before it says that it is on duty."""
        command = [sys.executable, "-m", "servanda"]
        if self.points:
            point = self.points[0]
            command = [sys.executable, "-m", "tests.faults.launcher", point.by, str(point.nth), point.moment]
        command += ["serve", "--home", str(self.home), "--passphrase-file", str(self.secret)]
        with (self.folder / f"{self.party}.log").open("a") as log:
            self.duty = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.duty.stdout is not None
        assert self.duty.stdout.readline() or self.duty.wait() == -signal.SIGKILL, self.log()

    def is_dead(self) -> bool:
        return self.duty is not None and self.duty.poll() is not None

    def bury(self) -> None:
        assert self.duty is not None
        assert self.duty.stdout is not None
        assert self.duty.wait() == -signal.SIGKILL, self.log()
        self.duty.stdout.close()
        self.duty = None
        self.points.pop(0)
        self.killed += 1

    def kept(self) -> Kept:
        """What lies in the files; every checkpoint in them has the only root for its size.

        A dead centre's are looked at in a copy, so that the next start finds them as they were left; those of a living
        one are asked through SQLite, because a copy of what is being written would be of no one moment.
        """
        place = self.home
        if self.duty is None:
            place = self.folder / f"{self.party}-{self.killed}"
            copy_home(self.home, place)
        with closing(SqliteStore(place / "record.db")) as store:
            journals = store.journals()
            leaves = {journal: store.leaves(journal, 1, size) for journal, size in journals.items()}
            receipts = {(r.journal, r.by): r.size for j in journals for r in store.receipts(j)}
            for (note,) in store._database.rows("SELECT note FROM checkpoints"):
                checkpoint = parse_checkpoint(parse_note(note).text)
                key = (checkpoint.origin, checkpoint.size)
                assert self.told.setdefault(key, checkpoint.root) == checkpoint.root, f"two roots for {key}"
        return Kept(leaves, receipts)

    def asks(self, command: str, *arguments: object) -> Any:
        """A command, or None if the centre dies over it."""
        done = self.run(command, *arguments)
        if done.returncode:
            assert (done.returncode, "Traceback" in done.stderr) == (3, False), done.stderr
            return None
        return done.stdout

    def insists(self, subject: str, form: str, content: dict[str, Any]) -> bool:
        """Draft, submit, release, from where the desk shows it to be; whether it is released."""
        shown = self.asks("drafts", "--all", "--json")
        if shown is None:
            return False
        found = next((d for d in json.loads(shown) if d["draft"]["subject"] == subject), None)
        if found is None:
            self.asks("draft", self.writes(form, content, subject=subject))
        elif found["state"] == "draft":
            self.asks("submit", found["identifier"])
        elif found["state"] == "submitted":
            self.asks("release", found["identifier"], "--as", "release-1")
        return found is not None and found["state"] == "released"


Pair = tuple[MortalOperator, MortalOperator]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("k")
    pack, told = pack_file(folder), {}  # type: ignore[var-annotated]
    ash, birch = (MortalOperator(folder, party, pack, told) for party in POINTS)
    for operator in (ash, birch):
        operator.init()
    ash.meets(birch)
    birch.meets(ash)
    for operator in (ash, birch):
        operator.says("adopt", {"pack": ash.reads("status")["agreement"]})
        operator.serve()
    yield ash, birch
    for operator in (ash, birch):
        operator.dies()


def tend(pair: Pair) -> None:
    """Whoever has died is looked at, and put on duty again."""
    for operator, other in (pair, pair[::-1]):
        if operator.is_dead():
            operator.bury()
            left, alive = operator.kept(), other.kept()
            mine, theirs = operator.party, other.party
            # What has left this centre is still here, and so is whatever it has receipted.
            seen = alive.leaves.get(mine, [])
            assert left.leaves[mine][: len(seen)] == seen
            held = left.leaves.get(theirs, [])
            assert len(held) >= alive.receipts.get((theirs, mine), 0)
            assert alive.leaves[theirs][: len(held)] == held
            operator.serve()


def agreed(pair: Pair) -> bool:
    """Both hold and have receipted everything of each other, with both signatures."""
    shown = [one.asks("status", "--json") for one in pair]
    if None in shown:
        return False
    journals = [{j["party"]: j for j in json.loads(text)["journals"]} for text in shown]
    return all(
        one[other.party]["judged"] == there[other.party]["judged"] == there[me.party]["receipted-quantum"]
        for one, there, me, other in ((*journals, *pair), (*journals[::-1], *pair[::-1]))
    )


def test_nothing_is_lost_and_nothing_is_counted_twice_however_often_a_centre_is_killed(pair: Pair) -> None:
    ash, birch = pair
    said = 0

    def alive_and_done() -> bool:
        tend(pair)
        done = [one.insists(f"{one.party} {said}", "declare", {"lots": [row(1_000_000)]}) for one in pair]
        return all(done) and agreed(pair)

    while ash.points or birch.points:
        said += 1
        assert said <= 30, f"never reached: {ash.points} {birch.points}"
        eventually(alive_and_done)
    assert (ash.killed, birch.killed) == tuple(map(len, POINTS.values()))
    logs = [one.reads("log", "--limit", "1000") for one in pair]
    subjects = sorted(entry["frame"]["subject"] for entry in logs[0] if entry["frame"]["format"] == "declare")
    assert subjects == sorted(f"{one.party} {number}" for one in pair for number in range(1, said + 1))
    assert sorted(logs[0], key=lambda entry: str(entry["entry"])) == sorted(logs[1], key=lambda e: str(e["entry"]))
    assert all(entry["admissible"] for entry in logs[0])
    books = [one.reads("accounting") for one in pair]
    assert books[0] == books[1]
    assert sum(lot["amount"] for lot in books[0]["lots"]) == 2 * said * 1_000_000
    assert [one.reads("audit") for one in pair] == [{"wrong": []}] * 2
    for one in pair:
        one.does("rebuild")
    assert [one.reads("accounting") for one in pair] == books
    assert [one.kept().leaves for one in pair] == [ash.kept().leaves] * 2
    assert "Traceback" not in ash.log() + birch.log()


def test_what_came_of_it_is_verified_by_whoever_has_the_fingerprints(pair: Pair, tmp_path: Path) -> None:
    pins = [f"--party={one.party}={one.fingerprint}" for one in pair]
    for one in pair:
        file = tmp_path / f"{one.party}.servanda"
        one.does("export", file)
        assert one.speaks("verify", file, *pins).returncode == 0
