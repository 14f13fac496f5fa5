# SPDX-License-Identifier: Apache-2.0
"""Killed while a table is made: the tables before are whole, the new one is whole or not there, and it can be made."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from servanda.proof.tables import verify_row
from servanda.storage.columnar import making, store
from servanda.storage.columnar.making import seal_table
from servanda.storage.columnar.store import ColumnarTables
from tests.unit.columnar.goods import NAMES, SECRET, boats, csv_file, form

CHILD = """
import os, signal, sys
from pathlib import Path
from servanda.storage.columnar import store
from servanda.storage.columnar.making import seal_table
from servanda.storage.columnar.store import ColumnarTables
from tests.unit.columnar.goods import NAMES, form

folder, source, point = sys.argv[1:]
left = [int(point.partition(":")[2])]

def die():
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)

kind = point.partition(":")[0]
if kind == "sync":
    whole = store._sync
    store._sync = lambda path: (whole(path), die())
progress = lambda stage, done, of: die() if stage == kind else None
seal_table(ColumnarTables(Path(folder)), Path(source), form(), NAMES, bytes(range(1, 33)), progress=progress)
"""
POINTS = ("read:1", "seal:1", "index:1", "sync:1", "sync:6", "sync:7", "sync:8")


class Fault(Exception):
    """What the fault table throws."""


def check_old(tables: ColumnarTables, root: str) -> None:
    """The table before is there, and opens."""
    for row in (0, 299):
        verify_row(tables.opening(root, row), bytes.fromhex(root), 300)


@pytest.mark.parametrize("point", POINTS)
def test_killed_it_is_whole_or_not_there(point: str, tmp_path: Path) -> None:
    tables = ColumnarTables(tmp_path / "tables")
    old = seal_table(tables, csv_file(tmp_path / "old.csv", *boats(300)), form(), NAMES, SECRET).facts.root
    source = csv_file(tmp_path / "new.csv", *boats(600))
    done = subprocess.run([sys.executable, "-c", CHILD, tables.folder, source, point], check=False)
    assert done.returncode == -signal.SIGKILL
    check_old(tables, old)
    roots = {facts.root for facts in tables.tables()} - {old}
    assert bool(roots) == (point == "sync:8")
    for root in roots:
        verify_row(tables.opening(root, 599), bytes.fromhex(root), 600)
    again = seal_table(tables, source, form(), NAMES, bytes(range(1, 33))).facts
    assert roots <= {again.root}
    verify_row(tables.opening(again.root, 300), bytes.fromhex(again.root), 600)
    assert not list(tables.folder.glob(".making-*"))


STEPS = [(making, "stage"), (making, "lay_down"), (making, "sort_serials"), (store, "write_nodes"), (store, "_sync")]


@pytest.mark.parametrize(("module", "name"), STEPS)
def test_whatever_fails_leaves_the_old_state_whole(
    module: object, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = ColumnarTables(tmp_path / "tables")
    old = seal_table(tables, csv_file(tmp_path / "old.csv", *boats(300)), form(), NAMES, SECRET).facts.root
    whole = getattr(module, name)

    def fail(*arguments: object, **named: object) -> object:
        whole(*arguments, **named)
        raise Fault

    with monkeypatch.context() as broken:
        broken.setattr(module, name, fail)
        with pytest.raises(Fault):
            seal_table(tables, csv_file(tmp_path / "new.csv", *boats(600)), form(), NAMES, SECRET)
    assert [facts.root for facts in tables.tables()] == [old]
    check_old(tables, old)
    assert not list(tables.folder.glob(".making-*"))
