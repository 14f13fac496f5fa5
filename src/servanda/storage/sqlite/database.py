# SPDX-License-Identifier: Apache-2.0
"""How is the SQLite file opened, locked, committed and kept whole, and what does each of its errors mean to a caller?

On `apsw`, because it brings its own SQLite: those from 3.7.0 to 3.51.2 can corrupt a file in WAL mode, and the standard
module has whatever the machine has.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import apsw

from servanda.operations.errors import Refusal, StoreDamaged, StoreFull, TryLater
from servanda.storage.sqlite import schema

BUSY_MILLISECONDS = 10_000
"""How long to wait for another process that writes."""

Row = tuple[Any, ...]

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_FAILED_SYNCS = (apsw.SQLITE_IOERR_FSYNC, apsw.SQLITE_IOERR_DIR_FSYNC)
_DAMAGED = (
    apsw.CantOpenError,
    apsw.ConstraintError,
    apsw.CorruptError,
    apsw.IOError,
    apsw.NotADBError,
    apsw.PermissionsError,
    apsw.ProtocolError,
    apsw.ReadOnlyError,
    apsw.SQLError,
)


class Database:
    """One connection to one file, used by one thread at a time, not necessarily its creator.

    Once the file has shown itself damaged no transaction begins until it is opened again: after a failed sync, pages
    may be lost on which later ones would build.
    """

    def __init__(self, path: Path, pages_max: int | None) -> None:
        """Open `path`, and create it if there is no such file. Arguments and errors as in `SqliteStore`."""
        if not path.parent.is_dir():
            raise Refusal(f"{path.parent} is not a folder: create it before the store", "store-path")
        self._path = path
        self._writing = False
        self._stopped: str | None = None
        created = self._create_file()
        with self._classing():
            self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            with self._classing():
                self._configure(pages_max)
                (schema.create if created else schema.check)(self._connection)
        except BaseException:
            self._connection.close(force=True)
            if (
                created
            ):  # Nothing was ever in it, and the next attempt must not take it for a store that lost everything.
                for suffix in ("", "-wal", "-shm"):
                    Path(f"{path}{suffix}").unlink(missing_ok=True)
            raise

    @property
    def writing(self) -> bool:
        """Whether a transaction is open."""
        return self._writing

    def _create_file(self) -> bool:
        """Create an empty file that others cannot read (SQLite gives its side files the same mode), durably."""
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno in _NO_SPACE:
                raise StoreFull(f"{self._path}: no space left to create the store") from error
            raise StoreDamaged(f"{self._path}: cannot create the store: {error.strerror}") from error
        return True

    def _configure(self, pages_max: int | None) -> None:
        connection = self._connection
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        connection.pragma("cell_size_check", True)
        connection.pragma("trusted_schema", False)
        connection.pragma("foreign_keys", True)
        if connection.pragma("journal_mode") != "wal" and connection.pragma("journal_mode", "wal") != "wal":
            raise StoreDamaged(f"{self._path}: this file system cannot carry the store: SQLite's WAL mode is refused")
        connection.pragma("synchronous", "full")
        if pages_max is not None:
            connection.pragma("max_page_count", pages_max)

    @contextmanager
    def _classing(self) -> Iterator[None]:
        try:
            yield
        except apsw.Error as error:
            raise self._classed(error) from error

    def _classed(self, error: apsw.Error) -> Exception:
        """The error that tells a caller what to do; `error` itself where it can only be our bug."""
        if isinstance(error, apsw.FullError) or self._without_space(error):
            return StoreFull(f"{self._path}: no space left: make room and repeat; nothing was changed")
        if isinstance(error, apsw.BusyError | apsw.LockedError):
            return TryLater(f"{self._path}: another process is writing to the store", "store-busy")
        if isinstance(error, _DAMAGED):
            self._stopped = f"{self._path}: the store cannot be used as expected: {type(error).__name__} {error}"
            return StoreDamaged(self._stopped)
        return error

    def _without_space(self, error: apsw.Error) -> bool:
        """Whether a side file could not grow. A failed sync is never only that: what it should have kept is unknown."""
        return (
            isinstance(error, apsw.IOError | apsw.CantOpenError)
            and getattr(error, "extendedresult", None) not in _FAILED_SYNCS
            and hasattr(self, "_connection")
            and self._connection.system_errno in _NO_SPACE
        )

    def rows(self, statement: str, bindings: Row = ()) -> list[Row]:
        """All rows that one statement returns.

        Raises:
            StoreFull: no space left.
            StoreDamaged: the file is not as expected.
            TryLater: another process has written for `BUSY_MILLISECONDS`.
        """
        try:
            return self._connection.execute(statement, bindings).fetchall()
        except apsw.Error as error:
            raise self._classed(error) from error

    def execute_many(self, statement: str, rows: Iterable[Row]) -> None:
        """Execute one statement for each row of bindings; raises as `rows` does."""
        with self._classing():
            self._connection.executemany(statement, rows)

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """Hold the file's write lock; commit on a clean exit, and leave all as it was on any exception.

        In WAL mode a commit under `synchronous=NORMAL` is not flushed; the next one under FULL flushes it as well.

        Raises:
            RuntimeError: a transaction is open already.
            ServandaError: as `rows` does; nothing is changed then.
        """
        if self._writing:
            raise RuntimeError("a transaction is open already")
        if self._stopped is not None:
            raise StoreDamaged(self._stopped)
        self._writing = True
        try:
            if not durable:
                self.rows("PRAGMA synchronous=NORMAL")
            # At once, not at the first write: what the caller reads from here on cannot move before the commit.
            self.rows("BEGIN IMMEDIATE")
            yield
            self.rows("COMMIT")
        finally:
            self._writing = False
            # Some errors have rolled back already; closing the file does it for one that leaves us no other way.
            if self._connection.in_transaction:
                with suppress(apsw.Error):
                    self._connection.execute("ROLLBACK")
                if self._connection.in_transaction:
                    self._stopped = f"{self._path}: a transaction could not be rolled back: open the store again"
            if not durable and self._stopped is None:
                self.rows("PRAGMA synchronous=FULL")

    def close(self) -> None:
        """Release the file and its locks; raises as `rows` does."""
        with self._classing():
            self._connection.close()
