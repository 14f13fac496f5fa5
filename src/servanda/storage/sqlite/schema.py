# SPDX-License-Identifier: Apache-2.0
"""What do the tables of a store look like, which version are they, and where in them does an entry or a node live?

A *place* is one integer that holds a journal's id in its upper bits and a number within the journal in the lower
`NUMBER_BITS`. As primary key of a rowid table it keeps each journal together and in order, so that appends go to the
end of its range and one lookup walks one tree of integers.
"""

from __future__ import annotations

import apsw

from servanda.operations.errors import StoreDamaged

APPLICATION_ID = 0x53455256
"""`SERV` in the header of the file: SQLite's own field for "whose file is this"."""

SCHEMA_VERSION = 2
"""Kept in SQLite's `user_version`, where no setting of a centre can collide with it."""

NUMBER_BITS = 40
"""Room for 2**39 entries and their nodes in a journal, and for 2**22 journals."""

TABLES = """
CREATE TABLE journals (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE entries (place INTEGER PRIMARY KEY, leaf BLOB NOT NULL, held_at TEXT NOT NULL) STRICT;
CREATE TABLE nodes (place INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
CREATE TABLE checkpoints (
    journal INTEGER NOT NULL REFERENCES journals, size INTEGER NOT NULL, note BLOB NOT NULL,
    PRIMARY KEY (journal, size)
) STRICT;
CREATE TABLE receipts (
    journal INTEGER NOT NULL REFERENCES journals, by TEXT NOT NULL, kind INTEGER NOT NULL,
    size INTEGER NOT NULL, line BLOB NOT NULL,
    PRIMARY KEY (journal, by, kind)
) STRICT;
CREATE TABLE forks (
    journal INTEGER NOT NULL REFERENCES journals, name TEXT NOT NULL, proof BLOB NOT NULL,
    PRIMARY KEY (journal, name)
) STRICT;
CREATE TABLE openings (
    journal INTEGER NOT NULL REFERENCES journals, number INTEGER NOT NULL, disclosure TEXT NOT NULL,
    PRIMARY KEY (journal, number, disclosure)
) STRICT, WITHOUT ROWID;
CREATE TABLE packs (digest TEXT PRIMARY KEY, pack BLOB NOT NULL) STRICT;
CREATE TABLE drafts (identifier TEXT PRIMARY KEY, state TEXT NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
"""

ADVANCES = """
CREATE TABLE advances (
    journal INTEGER NOT NULL REFERENCES journals, number INTEGER NOT NULL,
    leaf BLOB NOT NULL, note BLOB NOT NULL, held_at TEXT NOT NULL,
    PRIMARY KEY (journal, number)
) STRICT;
CREATE TABLE advance_receipts (
    by TEXT NOT NULL, number INTEGER NOT NULL, receipt BLOB NOT NULL,
    PRIMARY KEY (by, number)
) STRICT;
CREATE TABLE handings (
    number INTEGER NOT NULL, party TEXT NOT NULL, disclosure TEXT NOT NULL, held_at TEXT NOT NULL,
    PRIMARY KEY (number, party, disclosure)
) STRICT, WITHOUT ROWID;
"""

MIGRATIONS = {1: ADVANCES}
"""What leads from a version to the next one. Tables are added; none that holds what was said is ever changed."""

APPEND_ONLY = ("journals", "entries", "nodes")


def place(journal: int, number: int) -> int:
    """The place of `number` in the journal with this id.

    Raises:
        OverflowError: the number is negative or does not fit into `NUMBER_BITS`.
    """
    if not 0 <= number < 1 << NUMBER_BITS:
        raise OverflowError(f"{number} is outside of what a journal can hold")
    return journal << NUMBER_BITS | number


def node_place(journal: int, level: int, index: int) -> int:
    """The place of the node (level, index): its rank in the order in which nodes become complete.

    Entry n completes one node on each level from 0 to the number of times that 2 divides n, and n entries complete
    2n - popcount(n) nodes. So appended nodes are neighbours, whatever their level.

    Raises:
        OverflowError: level or index is negative, or too large.
    """
    if not (0 <= level < NUMBER_BITS and index >= 0):
        raise OverflowError(f"level {level}, index {index} is no node")
    before = ((index + 1) << level) - 1
    return place(journal, 2 * before - before.bit_count() + level)


def create(connection: apsw.Connection) -> None:
    """Create the tables, in one transaction, and bring them into the main file.

    Raises:
        apsw.Error: as SQLite reports it; nothing is created then.
    """
    with connection:
        connection.execute(TABLES)
        for version in sorted(MIGRATIONS):
            connection.execute(MIGRATIONS[version])
        for table in APPEND_ONLY:
            for verb in ("UPDATE", "DELETE"):
                connection.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END"
                )
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", SCHEMA_VERSION)
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)


def check(connection: apsw.Connection) -> None:
    """Check that an existing file is a store of this version; one of an earlier version is brought to it.

    An empty file is refused, not filled: a centre that starts over on a store which lost its content would sign a
    second history.

    Raises:
        StoreDamaged: it is empty, another program's file, or of another version.
        apsw.Error: as SQLite reports it.
    """
    path = connection.db_filename("main")
    application, version = connection.pragma("application_id"), connection.pragma("user_version")
    if not application and not connection.execute("SELECT count(*) FROM sqlite_schema").get:
        raise StoreDamaged(
            f"{path}: the file is empty: restore a copy of the store, or delete the file if it never held anything"
        )
    if application != APPLICATION_ID:
        raise StoreDamaged(f"{path}: this SQLite file belongs to another program: name the centre's own file")
    if version in MIGRATIONS:
        version = _migrate(connection)
    if version != SCHEMA_VERSION:
        raise StoreDamaged(
            f"{path}: the store has version {version}, and this program reads version {SCHEMA_VERSION}: "
            "run the version of Servanda that wrote it"
        )


def _migrate(connection: apsw.Connection) -> int:
    """Bring a store to this version, one version after the other, in one transaction; returns its version then."""
    connection.execute("BEGIN IMMEDIATE")
    version = connection.pragma("user_version")  # another process may have done it meanwhile
    try:
        while version in MIGRATIONS:
            connection.execute(MIGRATIONS[version])
            version += 1
            connection.pragma("user_version", version)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return int(version)
