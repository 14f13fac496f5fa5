# SPDX-License-Identifier: Apache-2.0
"""A centre is killed at each of its writes, at every moment of it: nothing receipted is lost, nothing is counted twice.

The table is not written down here. A scenario runs once, and every write that any centre makes in it is counted; then,
for each write, the world is set back to the step that made it, and the centre dies there.
"""

from __future__ import annotations

import ast
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pytest

import servanda
from servanda.journal.state import Tree
from servanda.keyring.memory import MemorySigner
from servanda.proof.merkle import leaf_hash
from servanda.storage.sqlite.store import SqliteStore
from tests.faults.harbour import PARTIES, Harbour, Told, found_homes, quick_and_mortal
from tests.faults.mortal import ANSWERING, COMMITTED, LOST, POWER, Fate, Open, Write, dump
from tests.faults.scenario import STEPS

MEMORY = Path("/dev/shm")
"""A disk that costs no time: what is looked at here is what lies in the files, not when they reach the platter."""
SOURCE = Path(servanda.__file__).parent


class Stage(NamedTuple):
    """The world before a step, and the writes that the step makes if nobody dies."""

    homes: dict[str, Path]
    told: Told
    writes: list[Write]
    first: int
    """How many writes all steps before it make."""


class Looker:
    """Looks at what lies on the disk at every moment of every write, and whenever a receipt is signed."""

    def __init__(self, fate: Fate) -> None:
        self.fate = fate
        self.torn: list[str] = []
        self.seen: set[tuple[int, str]] = set()
        self.further_back: set[int] = set()
        """Writes over which a power failure takes away more than themselves."""
        self.before: dict[str, object] = {}
        self.receipts: list[tuple[str, int, bool]] = []
        self.sign = MemorySigner.sign

    def look(self, write: Open, moment: str, home: Path) -> bool:
        """Nobody dies; what a process would find that starts now is compared with what is committed."""
        if moment == LOST:
            return False
        if moment == "before the write":
            self.before = kept(home)
        expected = kept(home) if moment in (COMMITTED, ANSWERING) else self.before
        image = self.fate.image(home, power=moment == POWER)
        found = kept(image)
        shutil.rmtree(image)
        if moment == POWER:
            if found != self.before:
                self.further_back.add(write.number)
            return False
        if found != expected:
            self.torn.append(f"{write.by} by {write.party}, {moment}")
        self.seen.add((write.number, moment))
        return False

    def signed(self, signer: MemorySigner, message: bytes) -> bytes:
        """A key signs; if it is over what a centre holds, a power failure at this moment must leave it there."""
        if message.startswith(b"cosignature/v1\n"):
            origin, size, _ = message.decode().split("\n")[2:5]
            self._covered(origin, int(size), None)
        elif message.startswith(b"subtree/v1\n\0"):
            rest = message[len(b"subtree/v1\n\0") :]
            rest = rest[1 + rest[0] + 8 :]
            origin, rest = rest[1 : 1 + rest[0]].decode(), rest[1 + rest[0] :]
            self._covered(origin, int.from_bytes(rest[8:16], "big"), rest[16:])
        return self.sign(signer, message)

    def _covered(self, origin: str, size: int, root: bytes | None) -> None:
        journal = origin.rpartition("/")[2]
        image = self.fate.image(self.fate.asked[-1], power=True)
        with closing(SqliteStore(image / "record.db")) as store:
            held = store.leaves(journal, 1, size)
        tree = Tree()
        for leaf in held:
            tree.append(leaf_hash(leaf))
        self.receipts.append((journal, size, len(held) == size and root in (None, tree.root())))
        shutil.rmtree(image)


def kept(home: Path) -> dict[str, object]:
    """Everything that a process which starts now would find in a home."""
    return dump(home / "record.db") | {file.name: file.read_bytes() for file in home.glob("*.json")}


class Quay(NamedTuple):
    """The scenario as it went with nobody dying."""

    fate: Fate
    fingerprints: dict[str, str]
    stages: dict[str, Stage]
    looker: Looker


@pytest.fixture(scope="module")
def quay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quay]:
    base = MEMORY if MEMORY.is_dir() else tmp_path_factory.getbasetemp()
    with tempfile.TemporaryDirectory(dir=base) as name:
        folder = Path(name)
        for part in ("run", "stages"):
            (folder / part).mkdir()
        fate = Fate(folder / "stages")
        with quick_and_mortal(fate):
            fingerprints = found_homes(folder)
            looker = Looker(fate)
            fate.writes.clear()
            harbour = Harbour({party: folder / party for party in PARTIES}, Told(), fingerprints, fate)
            fate.choice = looker.look
            stages = {}
            with mock.patch.object(MemorySigner, "sign", lambda signer, message: looker.signed(signer, message)):
                for name, step in STEPS.items():
                    homes = {party: fate.image(harbour.stations[party].home) for party in PARTIES}
                    told, first = harbour.told.copy(), len(fate.writes)
                    harbour.run(step)
                    stages[name] = Stage(homes, told, fate.writes[first:], first)
            harbour.close()
            fate.folder = folder / "run"
            yield Quay(fate, fingerprints, stages, looker)


def writers() -> set[str]:
    """Every function of the program that opens a transaction, or saves a keyring, found in its source."""
    found = set()
    for file in SOURCE.rglob("*.py"):
        module = ".".join(file.relative_to(SOURCE).with_suffix("").parts)
        if module.startswith(("storage.", "keyring.", "interchange.")):  # the last touches no disk (.importlinter)
            continue
        for name, function in functions(ast.parse(file.read_text())):
            calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
            attributes = {call.attr for call in calls if isinstance(call, ast.Attribute)}
            saves = any(
                isinstance(call, ast.Attribute)
                and call.attr == "save"
                and isinstance(call.value, ast.Name | ast.Attribute)
                for call in calls
            )
            if "transaction" in attributes or saves:
                found.add(f"{module}:{name}")
    return found


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    yield f"{node.name}.{inner.name}", inner


FOUNDING = {"assembly.founding:found_centre"}
"""Makes a home; before it is through, there is no centre that could have said anything (see test_founding)."""

ELSEWHERE = {
    "operations.advancing:_conflict": (
        "tests/unit/operations/test_advancing.py",
        "test_two_entries_for_one_place_in_advance_are_proved_a_fork",
    ),
    "operations.advancing:keep_advance_receipt": (
        "tests/unit/operations/test_sending_ahead.py",
        "test_a_receipt_is_still_shown_after_its_key_was_renewed",
    ),
    "operations.advancing:take_advance": (
        "tests/unit/operations/test_advancing.py",
        "test_it_is_durable_before_the_receipt_is_signed",
    ),
    "operations.notices:Telling._keep": (
        "tests/interchange/test_webhooks.py",
        "test_a_crash_between_sending_and_keeping_sends_again_under_the_same_identifier",
    ),
    "operations.paging:Paging._keep": (
        "tests/unit/operations/test_paging.py",
        "test_a_crash_between_collecting_and_sending_loses_no_page",
    ),
    "operations.shelves:Shelves._keep": (
        "tests/interchange/test_taxii.py",
        "test_a_restart_changes_neither_order_nor_times_and_later_entries_come_later",
    ),
    "operations.rowopenings:keep_row_openings": (
        "tests/unit/operations/test_tableworks.py",
        "test_an_opened_row_is_proved_kept_and_travels",
    ),
    "operations.standing:hand_over": (
        "tests/unit/operations/test_standing.py",
        "test_a_hand_over_is_kept_with_names_time_note_and_open_cases",
    ),
    "operations.tableworks:_backed_up": (
        "tests/unit/operations/test_tableworks.py",
        "test_a_sealed_table_is_released_when_its_secret_is_backed_up_and_a_public_one_at_once",
    ),
}
"""Writes that the scenario does not make, and the test that stands for each: nobody is killed at each of their moments
here. Each is one transaction of the store, as all are, and none is an entry."""
ELSEWHERE_TABLES = {"advances", "advance_receipts"}

OWN = {
    "of accept",
    "of acknowledge",
    "of adopt",
    "of branch",
    "of citation",
    "of declare",
    "of handover",
    "of identity",
    "of note",
}


def test_every_function_that_writes_is_in_the_table(quay: Quay) -> None:
    reached = {write.by for stage in quay.stages.values() for write in stage.writes}
    assert reached == writers() - FOUNDING - ELSEWHERE.keys()
    root = Path(__file__).parents[2]
    for place, function in ELSEWHERE.values():
        assert f"def {function}(" in (root / place).read_text()
    assert writers() >= FOUNDING


def test_every_kind_of_write_is_in_the_table(quay: Quay) -> None:
    writes = [write for stage in quay.stages.values() for write in stage.writes]
    assert {write.what[write.what.index("of ") :] for write in writes if " of " in write.what} == OWN
    tables = {table for write in writes for table in write.what.partition(" of ")[0].split()}
    schema = set(dump(quay.stages["fork"].homes["ash"] / "record.db"))
    assert tables == (schema - {"journals", "nodes"} - ELSEWHERE_TABLES) | {"keyring.json", "root.json"}
    assert {write.answered for write in writes} == {"", "us", "them"}
    assert not all(write.durable for write in writes)


def test_at_every_moment_a_write_is_whole_or_not_there(quay: Quay) -> None:
    writes = [write for stage in quay.stages.values() for write in stage.writes]
    assert quay.looker.seen == {(n, moment) for n, write in enumerate(writes) for moment in write.moments()}
    assert quay.looker.torn == []


def test_when_a_receipt_is_signed_not_even_a_power_failure_takes_away_what_it_covers(quay: Quay) -> None:
    assert len(quay.looker.receipts) > 30
    assert [receipt for receipt in quay.looker.receipts if not receipt[2]] == []


@pytest.mark.parametrize("name", STEPS)
def test_whoever_dies_goes_on_and_all_agree(name: str, quay: Quay) -> None:
    stage = quay.stages[name]
    for number, (write, following) in enumerate(zip_longest(stage.writes, stage.writes[1:])):
        for outcome in write.outcomes(following):
            if outcome != POWER or stage.first + number in quay.looker.further_back:
                dies_there(quay, name, number, outcome)


def dies_there(quay: Quay, name: str, number: int, moment: str) -> None:
    """The step begins again from where it began, with a death at one moment of one of its writes."""
    stage, fate = quay.stages[name], quay.fate
    fate.writes.clear()
    fate.deaths.clear()
    fate.choice = lambda write, at, home: (write.number, at) == (number, moment) and not fate.deaths
    harbour = Harbour(stage.homes, stage.told, quay.fingerprints, fate)
    write = stage.writes[number]
    try:
        harbour.run(STEPS[name])
        assert fate.deaths == [(write.party, write.by, moment)]
        harbour.heal(write.party)
        harbour.check_agreed()
    except BaseException as error:
        error.add_note(f"step {name}, write {number}: {write}, {moment}")
        raise
    finally:
        harbour.close()
        for left in fate.folder.iterdir():
            shutil.rmtree(left)
