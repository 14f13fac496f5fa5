# SPDX-License-Identifier: Apache-2.0
"""Does any sequence of transactions, failures and reopenings leave a store equal to a plain model of it?"""

from __future__ import annotations

import shutil
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from servanda.operations.errors import HeadMoved
from servanda.operations.ports import Store, StoredAdvance, StoredDraft, StoredHanding, StoredReceipt, Writer
from servanda.storage.memory.store import MemoryStore
from servanda.storage.sqlite.store import SqliteStore

JOURNALS = st.sampled_from(["syr", "opcw", "usa"])
NAMES = st.sampled_from(["a", "b", "é", "\U0001f54a", ""])
BYTES = st.binary(max_size=3)
NUMBERS = st.integers(1, 5)
WRITES = st.one_of(
    st.tuples(st.just("append"), JOURNALS, st.lists(BYTES, max_size=4)),
    st.tuples(st.just("checkpoint"), JOURNALS, NUMBERS, BYTES),
    st.tuples(st.just("receipt"), JOURNALS, NAMES, st.sampled_from([4, 6]), NUMBERS, BYTES),
    st.tuples(st.just("pack"), NAMES, BYTES),
    st.tuples(st.just("fork"), JOURNALS, NAMES, BYTES),
    st.tuples(st.just("opening"), JOURNALS, NUMBERS, NAMES),
    st.tuples(st.just("advance"), JOURNALS, NUMBERS, BYTES),
    st.tuples(st.just("drop"), JOURNALS, st.lists(NUMBERS, max_size=2)),
    st.tuples(st.just("advance-receipt"), NAMES, NUMBERS, BYTES),
    st.tuples(st.just("handing"), NUMBERS, NAMES, NAMES, NAMES),
    st.tuples(st.just("draft"), NAMES, NAMES, BYTES),
    st.tuples(st.just("setting"), NAMES, BYTES),
)


class Model:
    """What the ports say, in the simplest form that could be wrong in other ways than the stores."""

    def __init__(self) -> None:
        self.leaves: dict[str, list[bytes]] = {}
        self.notes: dict[tuple[str, int], bytes] = {}
        self.receipts: dict[tuple[str, str, int], tuple[int, bytes]] = {}
        self.packs: dict[str, bytes] = {}
        self.forks: dict[tuple[str, str], bytes] = {}
        self.openings: set[tuple[str, int, str]] = set()
        self.advances: dict[tuple[str, int], bytes] = {}
        self.advance_receipts: dict[tuple[str, int], bytes] = {}
        self.handings: dict[tuple[int, str, str], str] = {}
        self.drafts: dict[str, StoredDraft] = {}
        self.settings: dict[str, bytes] = {}

    def write(self, writer: Writer, kind: str, *values: Any) -> None:
        """One write, to the model and to the store."""
        match kind, *values:
            case "append", journal, new:
                held = self.leaves.setdefault(journal, [])
                writer.append(
                    journal, len(held) + 1, new, nodes_between(len(held), len(held) + len(new)), str(len(held))
                )
                held += new
            case "checkpoint", journal, size, note:
                writer.put_checkpoint(journal, size, note)
                self.notes[journal, size] = note
            case "receipt", journal, by, sort, size, line:
                writer.put_receipt(StoredReceipt(journal, by, sort, size, line))
                if size >= self.receipts.get((journal, by, sort), (0, b""))[0]:
                    self.receipts[journal, by, sort] = size, line
            case "pack", digest, pack:
                writer.put_pack(digest, pack)
                self.packs.setdefault(digest, pack)
            case "fork", journal, name, proof:
                writer.put_fork(journal, name, proof)
                self.forks.setdefault((journal, name), proof)
            case "opening", journal, number, disclosure:
                writer.put_opening(journal, number, disclosure)
                self.openings.add((journal, number, disclosure))
            case _:
                self.write_more(writer, kind, *values)

    def write_more(self, writer: Writer, kind: str, *values: Any) -> None:
        match kind, *values:
            case "advance", journal, number, leaf:
                writer.put_advance(StoredAdvance(journal, number, leaf, b"note", "now"))
                self.advances.setdefault((journal, number), leaf)
            case "drop", journal, numbers:
                writer.drop_advances(journal, numbers)
                for number in numbers:
                    self.advances.pop((journal, number), None)
            case "advance-receipt", by, number, receipt:
                writer.put_advance_receipt(by, number, receipt)
                self.advance_receipts.setdefault((by, number), receipt)
            case "handing", number, party, disclosure, held_at:
                writer.put_handing(StoredHanding(number, party, disclosure, held_at))
                self.handings[number, party, disclosure] = held_at
            case "draft", identifier, state, body:
                self.drafts[identifier] = StoredDraft(identifier, state, body)
                writer.put_draft(self.drafts[identifier])
            case "setting", name, value:
                writer.put_setting(name, value)
                self.settings[name] = value


def nodes_between(old: int, new: int) -> list[tuple[int, int, bytes]]:
    """The subtrees complete at size `new` and not at `old`."""
    return [
        (level, index, f"{level}/{index}".encode())
        for level in range(new.bit_length())
        for index in range(old >> level, new >> level)
    ]


class StoreMachine(RuleBasedStateMachine):
    """Transactions that commit, that fail, and (on disk) reopenings, against `Model`."""

    durable = False

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.model = Model()
        self.store = self.open()

    def open(self) -> Store:
        return MemoryStore()

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(writes=st.lists(WRITES, max_size=8))
    def commit(self, writes: list[tuple[Any, ...]]) -> None:
        with self.store.transaction() as writer:
            for write in writes:
                self.model.write(writer, *write)

    @rule(writes=st.lists(WRITES, max_size=8), journal=JOURNALS, gap=st.sampled_from([-1, 1, 7]))
    def lose_the_head(self, writes: list[tuple[Any, ...]], journal: str, gap: int) -> None:
        forgotten = deepcopy(self.model)

        def write_all() -> None:
            with self.store.transaction() as writer:
                for write in writes:
                    forgotten.write(writer, *write)
                writer.append(journal, len(forgotten.leaves.get(journal, [])) + 1 + gap, [b"z"], [], "now")

        with pytest.raises(HeadMoved):
            write_all()

    @precondition(lambda self: self.durable)
    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = self.open()

    @invariant()
    def reads_equal_the_model(self) -> None:
        model, store = self.model, self.store
        assert store.journals() == {name: len(leaves) for name, leaves in model.leaves.items() if leaves}
        assert (store.packs(), store.drafts()) == (model.packs, [model.drafts[name] for name in sorted(model.drafts)])
        found = [(journal, name, proof) for journal, proofs in store.forks().items() for name, proof in proofs.items()]
        assert sorted(found) == sorted((*key, proof) for key, proof in model.forks.items())
        for name in ("a", "b", "é", "\U0001f54a", "", "none"):
            assert store.setting(name) == model.settings.get(name)
            receipts = {n: receipt for (by, n), receipt in model.advance_receipts.items() if by == name}
            assert list(store.advance_receipts(name).items()) == sorted(receipts.items())
            handings = sorted(StoredHanding(*key, at) for key, at in model.handings.items() if key[1] == name)
            assert store.handings(name) == handings
        assert store.handings() == sorted(StoredHanding(*key, at) for key, at in model.handings.items())
        for journal in ("syr", "opcw", "usa"):
            self.journal_equals_the_model(journal)

    def journal_equals_the_model(self, journal: str) -> None:
        model, store = self.model, self.store
        leaves = model.leaves.get(journal, [])
        for first, limit in ((1, 10_000), (2, 3), (len(leaves), 2)):
            start = max(first, 1) - 1
            assert store.leaves(journal, first, limit) == leaves[start : start + limit]
        for level, index, value in nodes_between(0, len(leaves)):
            assert store.node(journal, level, index) == value
        with pytest.raises(KeyError):
            store.node(journal, 0, len(leaves))
        notes = {size: note for (name, size), note in model.notes.items() if name == journal}
        assert store.checkpoint(journal) == (notes[max(notes)] if notes else None)
        assert store.receipts(journal) == [
            StoredReceipt(*key, *value) for key, value in sorted(model.receipts.items()) if key[0] == journal
        ]
        assert [(a.number, a.leaf) for a in store.advances(journal)] == sorted(
            (number, leaf) for (name, number), leaf in model.advances.items() if name == journal
        )
        assert store.openings(journal) == sorted(key[1:] for key in model.openings if key[0] == journal)


class SqliteMachine(StoreMachine):
    """The same on a file."""

    durable = True

    def open(self) -> Store:
        return SqliteStore(self.folder / "centre.sqlite")


TestMemory = StoreMachine.TestCase
TestMemory.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
TestSqlite = SqliteMachine.TestCase
TestSqlite.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
