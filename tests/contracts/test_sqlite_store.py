# SPDX-License-Identifier: Apache-2.0
"""Does the SQLite store stay whole when processes die, disks fill or fail, and files are damaged or not its own?"""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from servanda.operations.errors import HeadMoved, Refusal, StoreDamaged, StoreFull, TryLater
from servanda.operations.ports import StoredAdvance, StoredHanding
from servanda.storage.sqlite import database
from servanda.storage.sqlite.schema import NUMBER_BITS, SCHEMA_VERSION, node_place, place
from servanda.storage.sqlite.store import SqliteStore

TIME = "2013-09-21T08:00:00.000Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "centre.sqlite"


def append(store: SqliteStore, first: int, *leaves: bytes) -> None:
    with store.transaction() as writer:
        writer.append("syr", first, leaves, [(0, first - 1 + i, leaf) for i, leaf in enumerate(leaves)], TIME)


def filled(path: Path, count: int = 20) -> None:
    """A closed store with `count` entries of 1 kB, each committed by itself."""
    with closing(SqliteStore(path)) as store:
        for number in range(1, count + 1):
            append(store, number, bytes([number]) * 1000)


class TestPlaces:
    def test_nodes_are_numbered_in_the_order_in_which_they_become_complete(self) -> None:
        order = [(level, (n >> level) - 1) for n in range(1, 300) for level in range(9) if n % (1 << level) == 0]
        assert [node_place(0, level, index) for level, index in order] == list(range(len(order)))

    def test_journals_have_separate_ranges(self) -> None:
        assert node_place(3, 0, 0) == place(3, 0) == 3 << NUMBER_BITS
        with pytest.raises(OverflowError):
            place(3, 1 << NUMBER_BITS)


class TestOpening:
    def test_a_missing_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(Refusal, match="not a folder") as caught:
            SqliteStore(tmp_path / "none" / "centre.sqlite")
        assert caught.value.code == "store-path"

    def test_only_the_owner_can_read_the_files(self, path: Path) -> None:
        with closing(SqliteStore(path)) as store:
            append(store, 1, b"a")
            assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}

    def test_it_is_in_wal_mode_and_synced_at_each_commit(self, path: Path) -> None:
        with closing(SqliteStore(path)) as store:
            assert store._database.rows("PRAGMA journal_mode") == [("wal",)]
            assert store._database.rows("PRAGMA synchronous") == [(2,)]

    def test_another_thread_than_its_creator_may_use_it(self, path: Path) -> None:
        with closing(SqliteStore(path)) as store:
            thread = threading.Thread(target=append, args=(store, 1, b"a"))
            thread.start()
            thread.join()
            assert store.leaves("syr", 1, 9) == [b"a"]

    @pytest.mark.parametrize("version", [0, SCHEMA_VERSION + 1])
    def test_another_version_is_refused_by_number(self, path: Path, version: int) -> None:
        filled(path, 1)
        with closing(apsw.Connection(str(path))) as connection:
            connection.pragma("user_version", version)
        with pytest.raises(StoreDamaged, match=f"version {version}, .* version {SCHEMA_VERSION}"):
            SqliteStore(path)

    def test_a_store_of_the_first_version_is_brought_to_this_one_and_keeps_everything(self, path: Path) -> None:
        filled(path, 3)
        with closing(apsw.Connection(str(path))) as connection:
            for table in ("advances", "advance_receipts", "handings"):
                connection.execute(f"DROP TABLE {table}")
            connection.pragma("user_version", 1)
        with closing(SqliteStore(path)) as store, store.transaction() as writer:
            writer.put_advance(StoredAdvance("syr", 9, b"leaf", b"note", TIME))
            writer.put_advance_receipt("opcw", 1, b"envelope")
            writer.put_handing(StoredHanding(1, "opcw", "disclosure", ""))
        with closing(SqliteStore(path)) as store:
            assert store._database.rows("PRAGMA user_version") == [(SCHEMA_VERSION,)]
            assert store.leaves("syr", 1, 9) == [bytes([number]) * 1000 for number in (1, 2, 3)]
            assert [advance.number for advance in store.advances("syr")] == [9]
            assert len(store.handings()) == len(store.advance_receipts("opcw")) == 1

    def test_a_migration_that_fails_leaves_the_old_version_whole(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        filled(path, 1)
        with closing(apsw.Connection(str(path))) as connection:
            connection.pragma("user_version", 1)  # the tables are there already: creating them fails
        with pytest.raises(StoreDamaged):
            SqliteStore(path)
        with closing(apsw.Connection(str(path))) as connection:
            assert connection.pragma("user_version") == 1

    def test_another_programs_file_is_refused_and_left_alone(self, path: Path) -> None:
        with closing(apsw.Connection(str(path))) as connection:
            connection.execute("CREATE TABLE theirs (x)")
        with pytest.raises(StoreDamaged, match="another program"):
            SqliteStore(path)
        with closing(apsw.Connection(str(path))) as connection:
            assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]


class TestAppendOnly:
    @pytest.mark.parametrize("table", ["journals", "entries", "nodes"])
    @pytest.mark.parametrize("statement", ["UPDATE {} SET rowid = rowid", "DELETE FROM {}"])
    def test_rows_cannot_be_changed_or_deleted(self, path: Path, table: str, statement: str) -> None:
        filled(path, 1)
        with (
            closing(apsw.Connection(str(path))) as connection,
            pytest.raises(apsw.ConstraintError, match="append-only"),
        ):
            connection.execute(statement.format(table))


class TestTwoProcesses:
    def test_the_second_sees_what_the_first_committed_and_cannot_append_at_its_old_head(self, path: Path) -> None:
        with closing(SqliteStore(path)) as one, closing(SqliteStore(path)) as two:
            append(one, 1, b"a")
            assert two.leaves("syr", 1, 9) == [b"a"]
            append(two, 2, b"b")
            with pytest.raises(HeadMoved):
                append(one, 2, b"other")
            assert one.leaves("syr", 1, 9) == [b"a", b"b"]

    def test_the_second_reads_but_cannot_begin_while_the_first_writes(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database, "BUSY_MILLISECONDS", 1)
        with closing(SqliteStore(path)) as one, closing(SqliteStore(path)) as two:
            append(one, 1, b"a")
            with one.transaction() as writer:
                writer.append("syr", 2, [b"b"], [], TIME)
                with pytest.raises(TryLater, match="another process") as caught:
                    append(two, 2, b"other")
                assert caught.value.code == "store-busy"
                assert two.leaves("syr", 1, 9) == [b"a"]
            append(two, 3, b"c")
            assert one.leaves("syr", 1, 9) == [b"a", b"b", b"c"]

    def test_a_waiting_writer_goes_on_when_the_first_is_done(self, path: Path) -> None:
        with closing(SqliteStore(path)) as one, closing(SqliteStore(path)) as two:
            with one.transaction() as writer:
                waiting = threading.Thread(target=append, args=(two, 2, b"b"))
                waiting.start()
                writer.append("syr", 1, [b"a"], [], TIME)
            waiting.join()
            assert one.leaves("syr", 1, 9) == [b"a", b"b"]


KILLED = """
import os, signal, sys
from pathlib import Path
import apsw
from servanda.storage.sqlite.store import SqliteStore

path, moment = Path(sys.argv[1]), sys.argv[2]
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
armed = []
if moment == "at the commit":  # all rows are written by then, and the commit is next
    apsw.connection_hooks.append(lambda connection: connection.set_commit_hook(lambda: bool(armed and die())))
store = SqliteStore(path)
with store.transaction() as writer:
    writer.append("syr", 1, [b"a"], [(0, 0, b"h")], "t")
with store.transaction() as writer:
    # More than the page cache holds, so that SQLite writes to the file before the commit.
    writer.append("syr", 2, [os.urandom(10_000)] * 500, [], "t")
    writer.put_setting("mode", b"new")
    armed.append(True)
    if moment == "inside":
        die()
if moment == "after":
    die()
"""


class TestKilledProcess:
    @pytest.mark.parametrize(("moment", "size"), [("inside", 1), ("at the commit", 1), ("after", 501)])
    def test_exactly_the_committed_is_there_after_a_kill(self, path: Path, moment: str, size: int) -> None:
        child = subprocess.run([sys.executable, "-c", KILLED, str(path), moment], check=False)
        assert child.returncode == -signal.SIGKILL
        with closing(SqliteStore(path)) as store:
            assert store.journals() == {"syr": size}
            assert store.setting("mode") == (b"new" if moment == "after" else None)
            assert store.node("syr", 0, 0) == b"h"
            append(store, size + 1, b"next")
            assert store.leaves("syr", size + 1, 9) == [b"next"]

    def test_a_log_cut_anywhere_leaves_whole_transactions_only(self, path: Path, tmp_path: Path) -> None:
        log = Path(f"{path}-wal")
        with closing(SqliteStore(path)) as store:
            for number in range(1, 9):
                with store.transaction() as writer:
                    writer.append("syr", number, [bytes([number]) * 3000], [(0, number - 1, b"h")], TIME)
                    writer.put_setting("size", bytes([number]))
            main, whole = path.read_bytes(), log.read_bytes()
        seen = set()
        for cut in range(0, len(whole) + 1, 997):
            copy = tmp_path / "copy.sqlite"
            copy.write_bytes(main)
            Path(f"{copy}-wal").write_bytes(whole[:cut])
            with closing(SqliteStore(copy)) as store:
                size = store.journals().get("syr", 0)
                assert (store.setting("size") or b"\0") == bytes([size])
                assert len(store.leaves("syr", 1, 99)) == size
                seen.add(size)
            copy.unlink()
        assert {0, 1, 7} <= seen


class TestDiskFull:
    def test_the_old_state_is_whole_and_smaller_writes_still_work(self, path: Path) -> None:
        with closing(SqliteStore(path, pages_max=60)) as store:
            append(store, 1, b"a")
            with pytest.raises(StoreFull, match="no space left"):
                append(store, 2, *[b"x" * 4000] * 100)
            assert store.journals() == {"syr": 1}
            append(store, 2, b"b")
        with closing(SqliteStore(path)) as store:
            assert store.leaves("syr", 1, 9) == [b"a", b"b"]
            append(store, 3, *[b"x" * 4000] * 100)

    def test_a_store_that_has_no_space_from_the_start_leaves_no_file(self, path: Path) -> None:
        with pytest.raises(StoreFull):
            SqliteStore(path, pages_max=3)
        assert list(path.parent.iterdir()) == []
        SqliteStore(path).close()


class Fault:
    """Which result code the next write or sync of a log returns, if any."""

    code: int | None = None


class FaultyFile(apsw.VFSFile):
    def __init__(self, name: str | apsw.URIFilename | None, flags: list[int], fault: Fault, on: str) -> None:
        super().__init__("unix", name, flags)
        self._on = on if isinstance(name, str) and name.endswith("-wal") else ""
        self._fault = fault

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._on == "write" and self._fault.code is not None:
            raise apsw.exception_for(self._fault.code)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        if self._on == "sync" and self._fault.code is not None:
            raise apsw.exception_for(self._fault.code)
        super().xSync(flags)


@pytest.fixture
def faulty() -> Iterator[Callable[[str], Fault]]:
    """Make stores opened from now on fail where it is asked for."""
    systems: list[apsw.VFS] = []
    fault = Fault()

    class FaultySystem(apsw.VFS):
        def __init__(self, on: str) -> None:
            super().__init__("faulty", "unix", makedefault=True)
            self._on = on

        def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
            return FaultyFile(name, flags, fault, self._on)

    def arm(on: str) -> Fault:
        systems.append(FaultySystem(on))
        return fault

    yield arm
    for system in systems:
        system.unregister()


class TestFailingDisk:
    def test_no_space_for_the_log_is_full_and_may_be_repeated(self, path: Path, faulty: Callable[[str], Fault]) -> None:
        fault = faulty("write")
        with closing(SqliteStore(path)) as store:
            append(store, 1, b"a")
            fault.code = apsw.SQLITE_FULL
            with pytest.raises(StoreFull):
                append(store, 2, b"b")
            assert store.leaves("syr", 1, 9) == [b"a"]
            fault.code = None
            append(store, 2, b"b")
            assert store.leaves("syr", 1, 9) == [b"a", b"b"]

    @pytest.mark.parametrize(("on", "code"), [("sync", apsw.SQLITE_IOERR_FSYNC), ("write", apsw.SQLITE_IOERR_WRITE)])
    def test_after_a_failed_write_or_sync_nothing_is_written_until_it_is_opened_again(
        self, path: Path, faulty: Callable[[str], Fault], on: str, code: int
    ) -> None:
        fault = faulty(on)
        with closing(SqliteStore(path)) as store:
            append(store, 1, b"a")
            fault.code = code
            with pytest.raises(StoreDamaged):
                append(store, 2, b"b")
            fault.code = None
            with pytest.raises(StoreDamaged):
                append(store, 2, b"b")
            assert store.leaves("syr", 1, 1) == [b"a"]
        with closing(SqliteStore(path)) as store:
            append(store, store.journals()["syr"] + 1, b"c")
            assert store.leaves("syr", 1, 9)[-1] == b"c"


def read_all(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        store.leaves("syr", 1, 1000)
        append(store, 21, b"next")


class TestDamagedFile:
    @pytest.mark.parametrize("offset", [0, 7, 15, 16, 18, 19, 21, 47, 59, 100])
    def test_a_flipped_byte_in_the_header_is_damage_not_a_traceback(self, path: Path, offset: int) -> None:
        filled(path)
        data = bytearray(path.read_bytes())
        data[offset] ^= 0xFF
        path.write_bytes(data)
        with pytest.raises(StoreDamaged):
            read_all(path)

    def test_any_flipped_byte_in_the_header_is_damage_or_without_effect(self, path: Path) -> None:
        filled(path)
        data = path.read_bytes()
        for offset in range(100):
            path.write_bytes(data[:offset] + bytes([data[offset] ^ 0xFF]) + data[offset + 1 :])
            try:
                with closing(SqliteStore(path)) as store:
                    assert [leaf[:1] for leaf in store.leaves("syr", 1, 99)] == [bytes([n]) for n in range(1, 21)]
            except StoreDamaged:
                continue

    @pytest.mark.parametrize("keep", [0, 1, 99, 100, 4096, 5000, 20_000, -4096])
    def test_a_truncated_file_is_damage_and_an_emptied_one_is_not_begun_anew(self, path: Path, keep: int) -> None:
        filled(path)
        data = path.read_bytes()
        path.write_bytes(data[:keep])
        with pytest.raises(StoreDamaged, match=path.stem):
            read_all(path)

    @pytest.mark.parametrize("kind", ["a database without tables", "a file without bytes"])
    def test_an_empty_file_says_so(self, path: Path, kind: str) -> None:
        path.touch()
        if "database" in kind:
            with closing(apsw.Connection(str(path))) as connection:
                connection.pragma("journal_mode", "wal")
        with pytest.raises(StoreDamaged, match="is empty: restore a copy"):
            SqliteStore(path)

    def test_a_page_of_noise_is_damage(self, path: Path) -> None:
        filled(path)
        data = path.read_bytes()
        for page in range(1, len(data) // 4096):
            path.write_bytes(data[: page * 4096] + b"\xa5" * 4096 + data[(page + 1) * 4096 :])
            # Not every read passes every page; none may end in anything but an answer or the word.
            try:
                read_all(path)
            except StoreDamaged:
                continue
        path.write_bytes(data[:4096] + b"\xa5" * (len(data) - 4096))
        with pytest.raises(StoreDamaged):
            read_all(path)

    def test_a_missing_table_is_damage(self, path: Path) -> None:
        filled(path, 1)
        with closing(apsw.Connection(str(path))) as connection:
            connection.execute("DROP TABLE nodes")
        with closing(SqliteStore(path)) as store, pytest.raises(StoreDamaged):
            store.node("syr", 0, 0)

    def test_a_file_that_is_a_folder_is_damage(self, path: Path) -> None:
        path.mkdir()
        with pytest.raises(StoreDamaged):
            SqliteStore(path)


def test_the_standard_module_can_read_a_copy(path: Path, tmp_path: Path) -> None:
    """An auditor needs nothing of ours to look into the file."""
    filled(path, 3)
    shutil.copy(path, tmp_path / "copy.sqlite")
    with closing(sqlite3.connect(tmp_path / "copy.sqlite")) as connection:
        rows = connection.execute("SELECT place & ((1 << 40) - 1), length(leaf) FROM entries").fetchall()
    assert rows == [(1, 1000), (2, 1000), (3, 1000)]
