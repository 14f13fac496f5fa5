# SPDX-License-Identifier: Apache-2.0
"""Where is it kept? In one SQLite file, synced at every commit, to which entries are only ever appended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from servanda.operations.errors import HeadMoved
from servanda.operations.ports import StoredAdvance, StoredDraft, StoredHanding, StoredReceipt
from servanda.storage.sqlite.database import Database, Row
from servanda.storage.sqlite.schema import NUMBER_BITS, node_place, place

_NUMBER_MAX = (1 << NUMBER_BITS) - 1

_PUT_ENTRY = "INSERT INTO entries (place, leaf, held_at) VALUES (?, ?, ?)"
_PUT_NODE = "INSERT INTO nodes (place, hash) VALUES (?, ?)"
_PUT_CHECKPOINT = (
    "INSERT INTO checkpoints (journal, size, note) VALUES (?, ?, ?) "
    "ON CONFLICT (journal, size) DO UPDATE SET note = excluded.note"
)
_PUT_RECEIPT = (
    "INSERT INTO receipts (journal, by, kind, size, line) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (journal, by, kind) DO UPDATE SET size = excluded.size, line = excluded.line "
    "WHERE excluded.size >= receipts.size"
)
_PUT_PACK = "INSERT INTO packs (digest, pack) VALUES (?, ?) ON CONFLICT DO NOTHING"
_PUT_FORK = "INSERT INTO forks (journal, name, proof) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_PUT_OPENING = "INSERT INTO openings (journal, number, disclosure) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_PUT_ADVANCE = (
    "INSERT INTO advances (journal, number, leaf, note, held_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_DROP_ADVANCES = "DELETE FROM advances WHERE journal = ? AND number = ?"
_PUT_ADVANCE_RECEIPT = "INSERT INTO advance_receipts (by, number, receipt) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_PUT_HANDING = (
    "INSERT INTO handings (number, party, disclosure, held_at) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (number, party, disclosure) DO UPDATE SET held_at = excluded.held_at"
)
_PUT_DRAFT = (
    "INSERT INTO drafts (identifier, state, body) VALUES (?, ?, ?) "
    "ON CONFLICT (identifier) DO UPDATE SET state = excluded.state, body = excluded.body"
)
_PUT_SETTING = (
    "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


class _Tables:
    """The few questions that readers and the writer share."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._ids: dict[str, int] = {}

    def journal_id(self, journal: str) -> int | None:
        """The id that stands for a journal in the tables, or None if it is not known here."""
        known = self._ids.get(journal)
        if known is None:
            found = self.database.rows("SELECT id FROM journals WHERE name = ?", (journal,))
            if not found:
                return None
            known = int(found[0][0])
            if not self.database.writing:  # What is not committed may yet be undone, and its id given to another.
                self._ids[journal] = known
        return known

    def size(self, journal_id: int) -> int:
        """The number of the last entry held, or 0."""
        last = self.database.rows(
            "SELECT place FROM entries WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT 1",
            (place(journal_id, 0), place(journal_id, _NUMBER_MAX)),
        )
        return int(last[0][0]) & _NUMBER_MAX if last else 0


class _SqliteWriter:
    """Collects the statements of one transaction, so that reads meanwhile still see the committed state."""

    def __init__(self, tables: _Tables) -> None:
        self._tables = tables
        self._statements: list[tuple[str, Sequence[Row]]] = []
        self._sizes: dict[int, int] = {}
        self._over = False

    def finish(self) -> list[tuple[str, Sequence[Row]]]:
        """What was collected; nothing more is taken after this."""
        self._over = True
        return self._statements

    def _put(self, statement: str, rows: Sequence[Row]) -> None:
        self._statements.append((statement, rows))

    def _id(self, journal: str) -> int:
        """The journal's id; a new one is inserted at once, since a journal without entries shows in no read."""
        self._check_open()
        known = self._tables.journal_id(journal)
        if known is None:
            inserted = self._tables.database.rows("INSERT INTO journals (name) VALUES (?) RETURNING id", (journal,))
            known = int(inserted[0][0])
        return known

    def _check_open(self) -> None:
        if self._over:
            raise RuntimeError("this transaction is over: nothing written to it now would be kept")

    def append(
        self,
        journal: str,
        first: int,
        leaves: Sequence[bytes],
        nodes: Sequence[tuple[int, int, bytes]],
        held_at: str,
    ) -> None:
        number = self._id(journal)
        size = self._sizes.get(number)
        if size is None:
            size = self._tables.size(number)
        if first != size + 1:
            raise HeadMoved(f"journal {journal}: asked to append entry {first}, but {size} entries are held")
        self._put(_PUT_ENTRY, [(place(number, first + i), leaf, held_at) for i, leaf in enumerate(leaves)])
        self._put(_PUT_NODE, [(node_place(number, level, index), value) for level, index, value in nodes])
        self._sizes[number] = size + len(leaves)

    def put_checkpoint(self, journal: str, size: int, note: bytes) -> None:
        self._put(_PUT_CHECKPOINT, [(self._id(journal), size, note)])

    def put_receipt(self, receipt: StoredReceipt) -> None:
        journal = self._id(receipt.journal)
        self._put(_PUT_RECEIPT, [(journal, receipt.by, receipt.kind, receipt.size, receipt.line)])

    def put_pack(self, digest: str, pack: bytes) -> None:
        self._check_open()
        self._put(_PUT_PACK, [(digest, pack)])

    def put_fork(self, journal: str, name: str, proof: bytes) -> None:
        self._put(_PUT_FORK, [(self._id(journal), name, proof)])

    def put_opening(self, journal: str, number: int, disclosure: str) -> None:
        self._put(_PUT_OPENING, [(self._id(journal), number, disclosure)])

    def put_advance(self, advance: StoredAdvance) -> None:
        self._put(_PUT_ADVANCE, [(self._id(advance.journal), *advance[1:])])

    def drop_advances(self, journal: str, numbers: Sequence[int]) -> None:
        known = self._id(journal)
        self._put(_DROP_ADVANCES, [(known, number) for number in numbers])

    def put_advance_receipt(self, by: str, number: int, receipt: bytes) -> None:
        self._check_open()
        self._put(_PUT_ADVANCE_RECEIPT, [(by, number, receipt)])

    def put_handing(self, handing: StoredHanding) -> None:
        self._check_open()
        self._put(_PUT_HANDING, [tuple(handing)])

    def put_draft(self, draft: StoredDraft) -> None:
        self._check_open()
        self._put(_PUT_DRAFT, [tuple(draft)])

    def put_setting(self, name: str, value: bytes) -> None:
        self._check_open()
        self._put(_PUT_SETTING, [(name, value)])


class SqliteStore:
    """The `Store` port on one SQLite file in WAL mode. One thread uses it at a time, not necessarily its creator."""

    def __init__(self, path: Path, pages_max: int | None = None) -> None:
        """Open the store, and create it if there is no such file.

        Args:
            path: the file; its folder must exist. The file is created for its owner's eyes only.
            pages_max: most pages of 4,096 bytes that the file may have, for tests of a full disk.

        Raises:
            Refusal: the folder does not exist (code `store-path`).
            StoreFull: there is no space to create the store.
            StoreDamaged: the file cannot be opened, is no store, is empty, or has another version.
            TryLater: another process is writing for too long (code `store-busy`).
        """
        self._database = Database(path, pages_max)
        self._tables = _Tables(self._database)

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[_SqliteWriter]:
        """One atomic unit of work; see the port. Other processes that write wait meanwhile.

        Raises:
            StoreFull: no space left; the old state is whole.
            StoreDamaged: the file cannot be read or written as expected, now or at an earlier call.
            TryLater: another process is writing for too long (code `store-busy`).
            RuntimeError: a transaction is open already.
        """
        with self._database.transaction(durable=durable):
            writer = _SqliteWriter(self._tables)
            try:
                yield writer
            finally:
                statements = writer.finish()
            for statement, rows in statements:
                self._database.execute_many(statement, rows)

    def journals(self) -> dict[str, int]:
        """Size held of every journal that has entries."""
        known = self._database.rows("SELECT name, id FROM journals ORDER BY id")
        sizes = {name: self._tables.size(number) for name, number in known}
        return {name: size for name, size in sizes.items() if size}

    def leaves(self, journal: str, first: int, limit: int) -> list[bytes]:
        """Up to `limit` leaves from number `first` on, in order."""
        start = max(first, 1)
        end = min(start + limit - 1, _NUMBER_MAX)
        number = self._tables.journal_id(journal)
        if number is None or end < start:
            return []
        statement = "SELECT leaf FROM entries WHERE place BETWEEN ? AND ? ORDER BY place"
        return [leaf for (leaf,) in self._database.rows(statement, (place(number, start), place(number, end)))]

    def held_at(self, journal: str, number: int) -> str | None:
        """When this centre came to hold an entry, or None."""
        known = self._tables.journal_id(journal)
        if known is None or not 1 <= number <= _NUMBER_MAX:
            return None
        found = self._database.rows("SELECT held_at FROM entries WHERE place = ?", (place(known, number),))
        return str(found[0][0]) if found else None

    def node(self, journal: str, level: int, index: int) -> bytes:
        """Hash of the complete subtree of 2**level leaves with the given index.

        Raises:
            KeyError: that subtree is not complete here.
        """
        known = self._tables.journal_id(journal)
        if known is None:
            raise KeyError((level, index))
        try:
            where = node_place(known, level, index)
        except OverflowError as error:
            raise KeyError((level, index)) from error
        found = self._database.rows("SELECT hash FROM nodes WHERE place = ?", (where,))
        if not found:
            raise KeyError((level, index))
        value: bytes = found[0][0]
        return value

    def _of_journal(self, statement: str, journal: str, *more: int) -> list[Row]:
        """The rows of a statement whose first parameter is the id of a journal."""
        number = self._tables.journal_id(journal)
        return [] if number is None else self._database.rows(statement, (number, *more))

    def checkpoint(self, journal: str, size: int | None = None) -> bytes | None:
        """The checkpoint note held at a size, by default the newest one (greatest size); None if there is none."""
        if size is not None:
            statement = "SELECT note FROM checkpoints WHERE journal = ? AND size = ?"
            found = self._of_journal(statement, journal, size)
        else:
            statement = "SELECT note FROM checkpoints WHERE journal = ? ORDER BY size DESC LIMIT 1"
            found = self._of_journal(statement, journal)
        return found[0][0] if found else None

    def receipts(self, journal: str) -> list[StoredReceipt]:
        """All receipts held on a journal, sorted by (by, kind)."""
        statement = "SELECT by, kind, size, line FROM receipts WHERE journal = ? ORDER BY by, kind"
        return [StoredReceipt(journal, *row) for row in self._of_journal(statement, journal)]

    def packs(self) -> dict[str, bytes]:
        """All packs held, by digest."""
        return dict(self._database.rows("SELECT digest, pack FROM packs ORDER BY digest"))

    def forks(self) -> dict[str, dict[str, bytes]]:
        """All proofs of forks held: journal to name to proof."""
        proofs: dict[str, dict[str, bytes]] = {}
        statement = "SELECT j.name, f.name, proof FROM forks f JOIN journals j ON j.id = f.journal ORDER BY 1, 2"
        for journal, name, proof in self._database.rows(statement):
            proofs.setdefault(journal, {})[name] = proof
        return proofs

    def openings(self, journal: str) -> list[tuple[int, str]]:
        """All openings held for a journal: (number, disclosure), sorted."""
        statement = "SELECT number, disclosure FROM openings WHERE journal = ? ORDER BY number, disclosure"
        return [(number, disclosure) for number, disclosure in self._of_journal(statement, journal)]

    def advances(self, journal: str) -> list[StoredAdvance]:
        """All entries of a journal that are held ahead of their place, by number."""
        statement = "SELECT number, leaf, note, held_at FROM advances WHERE journal = ? ORDER BY number"
        return [StoredAdvance(journal, *row) for row in self._of_journal(statement, journal)]

    def advance_receipts(self, by: str) -> dict[int, bytes]:
        """All advance receipts held that a party gave on our entries: number to envelope, by number."""
        statement = "SELECT number, receipt FROM advance_receipts WHERE by = ? ORDER BY number"
        return dict(self._database.rows(statement, (by,)))

    def handings(self, party: str | None = None) -> list[StoredHanding]:
        """All openings that are or were to be handed, to one party or to all; sorted."""
        chosen, bindings = ("WHERE party = ?", (party,)) if party is not None else ("", ())
        statement = f"SELECT number, party, disclosure, held_at FROM handings {chosen} ORDER BY 1, 2, 3"  # noqa: S608
        return [StoredHanding(*row) for row in self._database.rows(statement, bindings)]

    def drafts(self) -> list[StoredDraft]:
        """All drafts, by identifier."""
        rows = self._database.rows("SELECT identifier, state, body FROM drafts ORDER BY identifier")
        return [StoredDraft(*row) for row in rows]

    def draft(self, identifier: str) -> StoredDraft | None:
        """The draft of that identifier, or None."""
        rows = self._database.rows("SELECT identifier, state, body FROM drafts WHERE identifier = ?", (identifier,))
        return StoredDraft(*rows[0]) if rows else None

    def setting(self, name: str) -> bytes | None:
        """A named value, or None."""
        found = self._database.rows("SELECT value FROM settings WHERE name = ?", (name,))
        return found[0][0] if found else None

    def close(self) -> None:
        """Release the file and its locks."""
        self._database.close()
