# SPDX-License-Identifier: Apache-2.0
"""Centres that can be killed at every write: what a process leaves behind is copied at that moment, and opened again.

A kill is not an exception: nothing that the program would do on its way out may help it. So the files are copied first,
as they lie on the disk with a transaction half written, and only then is the stack left; what the old process does to
its own files afterwards concerns nobody.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import apsw

from servanda.journal.acceptance import prepare
from servanda.storage.sqlite.database import Row
from servanda.storage.sqlite.store import SqliteStore, _SqliteWriter

BEFORE, WITHIN, WRITTEN, COMMITTED, ANSWERING, LOST, POWER = (
    "before the write",
    "after the first of its statements",
    "before it is committed",
    "before memory knows of it",
    "before the answer leaves",
    "and the answer is lost on the way",
    "and the power fails",
)
TABLE = re.compile(r"INTO (\w+)")
LEFT_OUT = re.compile(r"lock|control\.sock|.*-shm")
"""What a home holds only for the processes that have it open."""


class Death(BaseException):
    """The process of a party ends here. No `except Exception` hears of it."""

    def __init__(self, party: str, image: Path) -> None:
        super().__init__(f"{party} dies")
        self.party, self.image = party, image


class Write(NamedTuple):
    """One write that a centre makes: a transaction of its record, or a file that is replaced."""

    party: str
    by: str
    """The function that writes, as ARCHITECTURE.md names functions."""
    what: str
    """The tables written, or the file; with the format of the entry if it is one of the party's own."""
    statements: int
    durable: bool
    answered: str
    """`""` if more is written before the request is answered, else who waits for the answer: `us` or `them`."""

    def moments(self) -> list[str]:
        """When the process can die over it."""
        moments = [BEFORE, *([WITHIN, WRITTEN] if self.statements else [])]
        return [*moments, COMMITTED, *([ANSWERING] if self.answered else [])]

    def outcomes(self, following: Write | None) -> list[str]:
        """The moments after which the world is in another state.

        The last of those at which nothing of the write is on the disk; the last at which all of it is, unless what
        follows is a write by the same centre, and its first moments are the same; and whatever else may befall it.
        """
        outcomes = [WRITTEN if self.statements else BEFORE]
        if following is None or following.party != self.party:
            outcomes.append(ANSWERING if self.answered else COMMITTED)
        outcomes += [LOST] if self.answered == "them" else []
        return outcomes + ([] if self.durable else [POWER])


class Open(NamedTuple):
    """A write under way."""

    number: int
    party: str
    by: str


Choice = Callable[[Open, str, Path], bool]
"""Whether the process of a home dies at this moment of a write."""


def never(write: Open, moment: str, home: Path) -> bool:
    return False


class Fate:
    """Counts writes, and decides who dies over which."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writes: list[Write] = []
        self.choice: Choice = never
        self.deaths: list[tuple[str, str, str]] = []
        self.synced: dict[Path, int] = {}
        self.asked: list[Path] = []
        """The homes whose centres are at work on a request now; the last is the one that runs."""
        self._pending: list[list[int]] = []
        self._dead = False
        self._images = 0

    def reach(self, moment: str, write: Open, home: Path) -> None:
        """The process of `home` is at this moment of a write."""
        if self._dead or not self.choice(write, moment, home):
            return
        self._dead = True  # What the stack writes on its way out is written by nobody.
        self.deaths.append((write.party, write.by, moment))
        image = self.image(home, power=moment == POWER)
        raise Death(write.party, image)

    def revived(self) -> None:
        self._dead = False

    def image(self, home: Path, *, power: bool = False) -> Path:
        """The home as it lies on the disk: whatever was written, or after a power failure whatever was synced."""
        self._images += 1
        copy = self.folder / f"{home.name.partition('.')[0]}.{self._images}"
        copy_home(home, copy)
        if power:
            os.truncate(copy / "record.db-wal", self.synced[home])
        return copy

    def begin(self, home: Path, by: str, durable: bool) -> Open:
        party = home.name.partition(".")[0]
        self.writes.append(Write(party, by, "", 0, durable, ""))
        number = len(self.writes) - 1
        if self._pending:
            self._pending[-1].append(number)
        return Open(number, party, by)

    def describe(self, write: Open, what: str, statements: int) -> None:
        self.writes[write.number] = self.writes[write.number]._replace(what=what, statements=statements)

    @contextmanager
    def request(self, home: Path, waiting: str) -> Iterator[None]:
        """A request to a centre, from its beginning until its answer leaves."""
        self._pending.append([])
        self.asked.append(home)
        try:
            yield
        except Exception:  # A refusal is an answer too.
            self._answer(home, waiting)
            raise
        except Death:
            self._pending.pop()
            raise
        else:
            self._answer(home, waiting)
        finally:
            self.asked.pop()

    def _answer(self, home: Path, waiting: str) -> None:
        numbers = self._pending.pop()
        if numbers:
            last = self.writes[numbers[-1]]
            self.writes[numbers[-1]] = last._replace(answered=waiting)
            self.reach(ANSWERING, Open(numbers[-1], last.party, last.by), home)

    def loses(self, number: int) -> bool:
        """Whether the answer to the request that made this write last is lost on the way."""
        write = self.writes[number]
        if self._dead or write.answered != "them":
            return False
        if not self.choice(Open(number, write.party, write.by), LOST, self.folder):
            return False
        self.deaths.append((write.party, write.by, LOST))
        return True


def copy_home(home: Path, copy: Path) -> None:
    """The files of a home, without what belongs to the processes that have it open."""
    copy.mkdir()
    for file in home.iterdir():
        if not LEFT_OUT.fullmatch(file.name):
            shutil.copyfile(file, copy / file.name)


def dump(record: Path) -> dict[str, list[Row]]:
    """Every row of a record that is committed, by table."""
    connection = apsw.Connection(str(record), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall()) for table in sorted(tables)}
    finally:
        connection.close()


def writer_of(depth: int) -> str:
    """The function of the program that has asked for a write: the nearest on the stack that is no store."""
    frame = sys._getframe(depth)
    while True:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith("servanda.") and not name.startswith(("servanda.storage.", "servanda.keyring.")):
            return f"{name.removeprefix('servanda.')}:{frame.f_code.co_qualname}"
        assert frame.f_back is not None
        frame = frame.f_back


class MortalStore(SqliteStore):
    """A store whose every write is counted, and may be the last thing that its process does."""

    def __init__(self, path: Path, fate: Fate) -> None:
        super().__init__(path)
        self._fate, self._home, self._log = fate, path.parent, Path(f"{path}-wal")
        self._fate.synced[self._home] = self._log.stat().st_size
        self._write: Open | None = None
        self._statements: list[tuple[str, Sequence[Row]]] = []
        # The two calls of a transaction that reach the file; see storage.sqlite.store and storage.sqlite.database.
        self._execute_many, self._rows = self._database.execute_many, self._database.rows
        self._database.execute_many = self._watched_statement  # type: ignore[method-assign]
        self._database.rows = self._watched_rows  # type: ignore[method-assign]

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[_SqliteWriter]:
        write = self._fate.begin(self._home, writer_of(3), durable)
        self._fate.reach(BEFORE, write, self._home)
        self._write, self._statements = write, []
        try:
            with super().transaction(durable=durable) as writer:
                yield writer
        finally:
            self._write = None
        self._fate.describe(write, self._what(), len(self._statements))
        if durable:
            self._fate.synced[self._home] = self._log.stat().st_size
        else:
            self._fate.reach(POWER, write, self._home)
        self._fate.reach(COMMITTED, write, self._home)

    def _watched_statement(self, statement: str, rows: Sequence[Row]) -> None:
        self._execute_many(statement, rows)
        self._statements.append((statement, rows))
        if self._write is not None and len(self._statements) == 1:
            self._fate.reach(WITHIN, self._write, self._home)

    def _watched_rows(self, statement: str, bindings: Row = ()) -> list[Row]:
        if statement == "COMMIT" and self._write is not None:
            self._fate.reach(WRITTEN, self._write, self._home)
        return self._rows(statement, bindings)

    def _what(self) -> str:
        """The tables written; of an entry of our own also its format."""
        names = [TABLE.search(statement) for statement, _ in self._statements]
        tables = sorted({name[1] for name in names if name is not None} - {"nodes"})
        _, rows = next(((s, r) for s, r in self._statements if "INTO entries" in s), ("", []))
        frame = prepare(rows[0][1]).frame if rows else None
        mine = frame is not None and frame.party == self._home.name.partition(".")[0]
        return " ".join(tables) + (f" of {frame.format}" if mine and frame is not None else "")


def mortal_file(fate: Fate, replace: Callable[[Path, bytes], None]) -> Callable[[Path, bytes], None]:
    """The replacement of a file beside the record, as a write like any other."""

    def replaced(path: Path, data: bytes) -> None:
        write = fate.begin(path.parent, writer_of(2), True)
        fate.describe(write, path.name, 0)
        fate.reach(BEFORE, write, path.parent)
        replace(path, data)
        fate.reach(COMMITTED, write, path.parent)

    return replaced
