# SPDX-License-Identifier: Apache-2.0
"""Does every store keep the sentences of the `Store` and `Writer` ports?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from servanda.operations.errors import HeadMoved, StoreDamaged
from servanda.operations.ports import Store, StoredAdvance, StoredDraft, StoredHanding, StoredReceipt, Writer
from servanda.storage.memory.store import MemoryStore
from servanda.storage.sqlite.store import SqliteStore

TIME = "2013-09-21T08:00:00.000Z"
LATER = "2013-09-22T08:00:00.000Z"
Node = tuple[int, int, bytes]


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "centre.sqlite")
    yield made
    made.close()


def nodes_of(first: int, count: int) -> list[Node]:
    """(level, index, hash) of all subtrees that entries first .. first + count - 1 complete, with made-up hashes."""
    return [
        (level, (number >> level) - 1, f"{level}/{(number >> level) - 1}".encode())
        for number in range(first, first + count)
        for level in range(number.bit_length())
        if number % (1 << level) == 0
    ]


def append(store: Store, journal: str, first: int, *leaves: bytes, at: str = TIME) -> None:
    with store.transaction() as writer:
        writer.append(journal, first, leaves, nodes_of(first, len(leaves)), at)


def transact(store: Store, write: Callable[[Writer], None]) -> None:
    with store.transaction() as writer:
        write(writer)


def everything(store: Store) -> list[object]:
    """All that can be read of journals `syr` and `opcw`, for comparing before with after."""
    found: list[object] = [store.journals(), store.packs(), store.forks(), store.drafts(), store.setting("mode")]
    for journal in ("syr", "opcw"):
        found += [store.advances(journal), store.advance_receipts(journal), store.handings(journal)]
        found += [store.leaves(journal, 1, 1000), store.receipts(journal), store.openings(journal)]
        found += [store.checkpoint(journal), [store.held_at(journal, number) for number in range(1, 20)]]
        for level, index, _ in nodes_of(1, 20):
            try:
                found.append(store.node(journal, level, index))
            except KeyError:
                found.append(None)
    return found


def fill(store: Store) -> None:
    with store.transaction() as writer:
        writer.append("syr", 1, [b"a", b"b"], nodes_of(1, 2), TIME)
        writer.put_checkpoint("syr", 2, b"note 2")
        writer.put_receipt(StoredReceipt("syr", "opcw", 4, 2, b"line\n"))
        writer.put_pack("d1", b"pack")
        writer.put_fork("opcw", "f1", b"proof")
        writer.put_opening("syr", 1, "disclosure")
        writer.put_draft(StoredDraft("d-1", "draft", b"{}"))
        writer.put_setting("mode", b"normal")
        writer.put_advance(StoredAdvance("syr", 9, b"leaf", b"note 9", TIME))
        writer.put_advance_receipt("opcw", 9, b"envelope")
        writer.put_handing(StoredHanding(1, "opcw", "disclosure", ""))


class TestAppend:
    def test_an_empty_store_holds_nothing(self, store: Store) -> None:
        assert store.journals() == {}
        assert store.leaves("syr", 1, 10) == []
        assert store.held_at("syr", 1) is None
        assert store.checkpoint("syr") is None
        assert (store.receipts("syr"), store.openings("syr"), store.drafts()) == ([], [], [])
        assert (store.packs(), store.forks(), store.setting("mode")) == ({}, {}, None)
        with pytest.raises(KeyError):
            store.node("syr", 0, 0)

    def test_leaves_are_numbered_from_first_on(self, store: Store) -> None:
        append(store, "syr", 1, b"a", b"b")
        append(store, "syr", 3, b"c", b"", b"e")
        assert store.leaves("syr", 1, 100) == [b"a", b"b", b"c", b"", b"e"]
        assert store.journals() == {"syr": 5}

    def test_two_appends_in_one_transaction_follow_each_other(self, store: Store) -> None:
        with store.transaction() as writer:
            writer.append("syr", 1, [b"a"], nodes_of(1, 1), TIME)
            writer.append("opcw", 1, [b"x"], nodes_of(1, 1), TIME)
            writer.append("syr", 2, [b"b"], nodes_of(2, 1), LATER)
            with pytest.raises(HeadMoved):
                writer.append("syr", 2, [b"again"], [], TIME)
        assert store.leaves("syr", 1, 10) == [b"a", b"b"]
        assert store.journals() == {"syr": 2, "opcw": 1}
        assert [store.held_at("syr", n) for n in (0, 1, 2, 3)] == [None, TIME, LATER, None]

    @pytest.mark.parametrize("first", [-1, 0, 1, 2, 4, 5])
    def test_a_head_that_is_not_first_minus_one_has_moved_and_nothing_changes(self, store: Store, first: int) -> None:
        append(store, "syr", 1, b"a", b"b")
        before = everything(store)

        def write(writer: Writer) -> None:
            writer.put_setting("mode", b"changed")
            writer.append("syr", first, [b"z"], [], TIME)

        with pytest.raises(HeadMoved, match=f"entry {first}, but 2 entries"):
            transact(store, write)
        assert everything(store) == before

    def test_a_journal_that_is_not_held_starts_at_one(self, store: Store) -> None:
        with pytest.raises(HeadMoved):
            append(store, "syr", 2, b"b")
        assert store.journals() == {}

    def test_no_leaves_are_still_checked_against_the_head(self, store: Store) -> None:
        append(store, "syr", 1)
        assert store.journals() == {}
        with pytest.raises(HeadMoved):
            append(store, "syr", 2)

    def test_journals_do_not_run_into_each_other(self, store: Store) -> None:
        append(store, "syr", 1, b"a", b"b", b"c")
        append(store, "opcw", 1, b"x")
        append(store, "syr", 4, b"d")
        assert store.leaves("opcw", 1, 10) == [b"x"]
        assert store.leaves("syr", 3, 10) == [b"c", b"d"]
        assert store.node("opcw", 0, 0) == b"0/0"
        with pytest.raises(KeyError):
            store.node("opcw", 0, 1)


class TestReading:
    def test_leaves_come_from_number_first_on_up_to_the_limit(self, store: Store) -> None:
        append(store, "syr", 1, b"a", b"b", b"c", b"d")
        assert store.leaves("syr", 2, 2) == [b"b", b"c"]
        assert store.leaves("syr", 4, 2) == [b"d"]
        assert store.leaves("syr", 5, 2) == []
        assert store.leaves("syr", 2**60, 2**60) == []

    def test_a_limit_or_first_below_one_is_taken_as_it_stands(self, store: Store) -> None:
        append(store, "syr", 1, b"a", b"b")
        assert store.leaves("syr", 1, 0) == store.leaves("syr", 1, -1) == []
        assert store.leaves("syr", 0, 1) == store.leaves("syr", -7, 1) == [b"a"]

    def test_every_complete_subtree_is_found_and_no_other(self, store: Store) -> None:
        count = 37
        append(store, "syr", 1, *[b"leaf"] * count)
        complete = {(level, index): value for level, index, value in nodes_of(1, count)}
        for level in range(8):
            for index in range(count + 2):
                if (level, index) in complete:
                    assert store.node("syr", level, index) == complete[level, index]
                else:
                    with pytest.raises(KeyError):
                        store.node("syr", level, index)

    @pytest.mark.parametrize(("level", "index"), [(-1, 0), (0, -1), (64, 0), (0, 2**62), (30, 2**30), (10**9, 1)])
    def test_a_node_that_cannot_exist_is_a_key_error(self, store: Store, level: int, index: int) -> None:
        append(store, "syr", 1, b"a")
        with pytest.raises(KeyError):
            store.node("syr", level, index)

    def test_reads_inside_a_transaction_see_what_was_committed_before(self, store: Store) -> None:
        fill(store)
        before = everything(store)
        with store.transaction() as writer:
            writer.append("syr", 3, [b"c"], nodes_of(3, 1), TIME)
            writer.append("opcw", 1, [b"x"], nodes_of(1, 1), TIME)
            writer.put_checkpoint("syr", 3, b"note 3")
            writer.put_opening("opcw", 1, "new")
            writer.put_setting("mode", b"changed")
            assert everything(store) == before
        assert store.journals() == {"syr": 3, "opcw": 1}


class TestCheckpoints:
    def test_the_newest_is_the_one_of_greatest_size(self, store: Store) -> None:
        for size in (1, 5, 300, 3):
            with store.transaction() as writer:
                writer.put_checkpoint("syr", size, f"note {size}".encode())
        assert store.checkpoint("syr") == b"note 300"
        assert store.checkpoint("syr", 5) == b"note 5"
        assert store.checkpoint("syr", 301) is None
        assert store.checkpoint("opcw", 1) is None
        assert store.checkpoint("opcw") is None

    def test_one_size_has_one_note_the_last_put(self, store: Store) -> None:
        for note in (b"ed25519", b"ed25519 and ml-dsa-44"):
            with store.transaction() as writer:
                writer.put_checkpoint("syr", 4, note)
        assert store.checkpoint("syr") == b"ed25519 and ml-dsa-44"

    def test_a_journal_of_size_zero_may_have_a_checkpoint_and_holds_no_entries(self, store: Store) -> None:
        with store.transaction() as writer:
            writer.put_checkpoint("syr", 0, b"empty")
        assert store.checkpoint("syr") == b"empty"
        assert store.journals() == {}


class TestReceipts:
    @pytest.mark.parametrize("together", [True, False], ids=["in one transaction", "in three transactions"])
    def test_an_older_receipt_does_not_replace_a_newer(self, store: Store, together: bool) -> None:
        receipts = [StoredReceipt("syr", "opcw", 4, size, f"{size}\n".encode()) for size in (5, 7, 6)]
        if together:
            with store.transaction() as writer:
                for receipt in receipts:
                    writer.put_receipt(receipt)
        else:
            for receipt in receipts:
                with store.transaction() as writer:
                    writer.put_receipt(receipt)
        assert store.receipts("syr") == [receipts[1]]

    def test_a_receipt_of_the_same_size_is_not_older(self, store: Store) -> None:
        for line in (b"first\n", b"second\n"):
            with store.transaction() as writer:
                writer.put_receipt(StoredReceipt("syr", "opcw", 4, 5, line))
        assert [receipt.line for receipt in store.receipts("syr")] == [b"second\n"]

    def test_each_party_and_kind_has_its_own_sorted(self, store: Store) -> None:
        signers = [("usa", 4), ("opcw", 6), ("rus", 4), ("opcw", 4)]
        receipts = [StoredReceipt("syr", by, kind, 1, b"line\n") for by, kind in signers]
        other = StoredReceipt("opcw", "syr", 4, 9, b"other\n")
        with store.transaction() as writer:
            for receipt in [*receipts, other]:
                writer.put_receipt(receipt)
        assert store.receipts("syr") == sorted(receipts)
        assert store.receipts("opcw") == [other]


class TestOtherValues:
    def test_packs_are_kept_by_digest_and_putting_again_changes_nothing(self, store: Store) -> None:
        for _ in range(2):
            with store.transaction() as writer:
                writer.put_pack("d2", b"two")
                writer.put_pack("d1", b"one")
                writer.put_pack("d1", b"one")
        assert store.packs() == {"d1": b"one", "d2": b"two"}

    def test_forks_are_kept_by_journal_and_name_and_the_first_proof_stays(self, store: Store) -> None:
        for proof in (b"first", b"second"):
            with store.transaction() as writer:
                writer.put_fork("syr", "f1", proof)
                writer.put_fork("syr", "f1", b"third")
                writer.put_fork("opcw", "f1", proof)
        assert store.forks() == {"syr": {"f1": b"first"}, "opcw": {"f1": b"first"}}

    def test_openings_are_sorted_and_kept_once(self, store: Store) -> None:
        for _ in range(2):
            with store.transaction() as writer:
                for number, disclosure in [(10, "a"), (2, "é"), (2, "z"), (2, "z")]:
                    writer.put_opening("syr", number, disclosure)
        assert store.openings("syr") == [(2, "z"), (2, "é"), (10, "a")]
        assert store.openings("opcw") == []

    def test_a_draft_is_inserted_then_replaced_and_listed_by_identifier(self, store: Store) -> None:
        first, second = StoredDraft("b", "draft", b"1"), StoredDraft("a", "draft", b"2")
        released = StoredDraft("b", "released", b"3")
        with store.transaction() as writer:
            writer.put_draft(first)
            writer.put_draft(second)
        assert store.drafts() == [second, first]
        with store.transaction() as writer:
            writer.put_draft(released)
        assert store.drafts() == [second, released]

    def test_a_setting_is_inserted_then_replaced(self, store: Store) -> None:
        for value in (b"one", b"", b"three"):
            with store.transaction() as writer:
                writer.put_setting("name", value)
            assert store.setting("name") == value
        assert store.setting("other") is None

    def test_what_a_store_hands_out_is_the_callers_to_change(self, store: Store) -> None:
        fill(store)
        before = everything(store)
        store.journals()["x"] = 1
        store.packs().clear()
        store.forks()["opcw"].clear()
        store.leaves("syr", 1, 2).clear()
        store.receipts("syr").clear()
        store.drafts().clear()
        assert everything(store) == before


class TestTransactions:
    def test_an_exception_leaves_the_old_state_whole(self, store: Store) -> None:
        fill(store)
        before = everything(store)

        def write(writer: Writer) -> None:
            writer.append("syr", 3, [b"c"], nodes_of(3, 1), TIME)
            writer.append("opcw", 1, [b"x"], nodes_of(1, 1), TIME)
            writer.put_checkpoint("syr", 3, b"note 3")
            writer.put_receipt(StoredReceipt("syr", "opcw", 4, 3, b"new\n"))
            writer.put_pack("d2", b"new")
            writer.put_fork("opcw", "f2", b"new")
            writer.put_opening("syr", 1, "new")
            writer.put_draft(StoredDraft("d-1", "released", b"new"))
            writer.put_setting("mode", b"new")
            writer.put_advance(StoredAdvance("syr", 10, b"new", b"note 10", TIME))
            writer.drop_advances("syr", [9])
            writer.put_advance_receipt("syr", 9, b"new")
            writer.put_handing(StoredHanding(1, "opcw", "disclosure", TIME))
            1 / 0

        with pytest.raises(ZeroDivisionError):
            transact(store, write)
        assert everything(store) == before
        append(store, "syr", 3, b"c")
        append(store, "opcw", 1, b"x")
        assert store.journals() == {"syr": 3, "opcw": 1}

    def test_a_journal_name_that_was_rolled_back_does_not_stand_for_another(self, store: Store) -> None:
        def write(writer: Writer) -> None:
            writer.append("syr", 1, [b"a"], nodes_of(1, 1), TIME)
            assert store.leaves("syr", 1, 1) == []
            1 / 0

        with pytest.raises(ZeroDivisionError):
            transact(store, write)
        append(store, "opcw", 1, b"x")
        append(store, "syr", 1, b"a")
        assert store.leaves("opcw", 1, 9) == [b"x"]
        assert store.leaves("syr", 1, 9) == [b"a"]

    def test_an_interrupt_leaves_the_old_state_whole_too(self, store: Store) -> None:
        def write(writer: Writer) -> None:
            writer.put_setting("mode", b"new")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            transact(store, write)
        assert store.setting("mode") is None

    def test_a_node_that_is_held_already_is_refused_with_all_the_rest(self, store: Store) -> None:
        append(store, "syr", 1, b"a")
        before = everything(store)
        with pytest.raises(StoreDamaged), store.transaction() as writer:
            writer.append("syr", 2, [b"b"], [(0, 0, b"other")], TIME)
        assert everything(store) == before

    def test_a_node_given_twice_in_one_transaction_is_refused_too(self, store: Store) -> None:
        def write(writer: Writer) -> None:
            writer.append("syr", 1, [b"a"], [(0, 0, b"one")], TIME)
            writer.append("syr", 2, [b"b"], [(0, 0, b"two")], TIME)

        with pytest.raises(StoreDamaged):
            transact(store, write)
        assert store.journals() == {}

    def test_a_second_transaction_inside_the_first_is_our_bug(self, store: Store) -> None:
        with store.transaction() as writer:
            with pytest.raises(RuntimeError, match="open already"), store.transaction():
                pass
            writer.put_setting("mode", b"new")
        assert store.setting("mode") == b"new"

    @pytest.mark.parametrize(
        "write",
        [
            lambda writer: writer.append("syr", 1, [b"a"], [], TIME),
            lambda writer: writer.put_checkpoint("syr", 1, b"note"),
            lambda writer: writer.put_receipt(StoredReceipt("syr", "opcw", 4, 1, b"line\n")),
            lambda writer: writer.put_pack("d1", b"pack"),
            lambda writer: writer.put_fork("syr", "f1", b"proof"),
            lambda writer: writer.put_opening("syr", 1, "disclosure"),
            lambda writer: writer.put_draft(StoredDraft("d-1", "draft", b"{}")),
            lambda writer: writer.put_setting("mode", b"normal"),
            lambda writer: writer.put_advance(StoredAdvance("syr", 1, b"leaf", b"note", TIME)),
            lambda writer: writer.drop_advances("syr", [9]),
            lambda writer: writer.put_advance_receipt("opcw", 1, b"envelope"),
            lambda writer: writer.put_handing(StoredHanding(1, "opcw", "disclosure", TIME)),
        ],
    )
    def test_a_writer_takes_nothing_after_its_transaction(self, store: Store, write: Callable[[Writer], None]) -> None:
        before = everything(store)
        with store.transaction() as writer:
            pass
        with pytest.raises(RuntimeError, match="over"):
            write(writer)
        with pytest.raises(ZeroDivisionError), store.transaction() as writer:
            1 / 0
        with pytest.raises(RuntimeError, match="over"):
            write(writer)
        assert everything(store) == before

    def test_closing_twice_is_allowed(self, store: Store) -> None:
        store.close()
        store.close()


def test_a_draft_is_found_by_its_identifier_alone(store: Store) -> None:
    with store.transaction() as writer:
        writer.put_draft(StoredDraft("a", "draft", b"1"))
        writer.put_draft(StoredDraft("b", "submitted", b"2"))
    assert store.draft("b") == StoredDraft("b", "submitted", b"2")
    assert store.draft("c") is None


def test_a_relaxed_transaction_is_visible_at_once_and_the_next_is_durable_again(store: Store) -> None:
    with store.transaction(durable=False) as writer:
        writer.put_setting("mode", b"relaxed")
    assert store.setting("mode") == b"relaxed"
    with store.transaction() as writer:
        writer.put_setting("mode", b"durable")
    assert store.setting("mode") == b"durable"


class TestAhead:
    """Entries ahead of their places, the receipts for them, and openings to be handed."""

    def test_advances_are_read_by_number_and_the_first_for_a_place_stays(self, store: Store) -> None:
        held = [StoredAdvance("syr", number, b"leaf", b"note", TIME) for number in (12, 3, 700)]
        with store.transaction() as writer:
            for advance in held:
                writer.put_advance(advance)
            writer.put_advance(held[0]._replace(leaf=b"another"))
        with store.transaction() as writer:
            writer.put_advance(held[1]._replace(leaf=b"another"))
        assert store.advances("syr") == sorted(held)
        assert store.advances("opcw") == []
        assert store.journals() == {}, "what is held in advance has no place"

    def test_what_lies_in_its_place_is_let_go_and_nothing_else(self, store: Store) -> None:
        with store.transaction() as writer:
            for number in (3, 12, 700):
                writer.put_advance(StoredAdvance("syr", number, b"leaf", b"note", TIME))
            writer.put_advance(StoredAdvance("opcw", 12, b"leaf", b"note", TIME))
        with store.transaction() as writer:
            writer.drop_advances("syr", [12, 13])
            writer.drop_advances("usa", [12])
        assert [advance.number for advance in store.advances("syr")] == [3, 700]
        assert [advance.number for advance in store.advances("opcw")] == [12]

    def test_a_place_that_was_let_go_can_be_held_again(self, store: Store) -> None:
        first = StoredAdvance("syr", 3, b"first", b"note", TIME)
        with store.transaction() as writer:
            writer.put_advance(first)
        with store.transaction() as writer:
            writer.drop_advances("syr", [3])
            writer.put_advance(first._replace(leaf=b"second"))
        assert store.advances("syr") == [first._replace(leaf=b"second")]

    def test_receipts_for_single_entries_are_kept_by_party_and_number(self, store: Store) -> None:
        with store.transaction() as writer:
            writer.put_advance_receipt("opcw", 12, b"twelve")
            writer.put_advance_receipt("opcw", 3, b"three")
            writer.put_advance_receipt("usa", 3, b"other")
        with store.transaction() as writer:
            writer.put_advance_receipt("opcw", 3, b"again")
        assert list(store.advance_receipts("opcw").items()) == [(3, b"three"), (12, b"twelve")]
        assert store.advance_receipts("syr") == {}

    def test_an_opening_to_be_handed_is_there_until_it_is_held_and_after_it(self, store: Store) -> None:
        wanted = [
            StoredHanding(2, "usa", "d", ""),
            StoredHanding(1, "opcw", "e", ""),
            StoredHanding(2, "opcw", "d", ""),
        ]
        with store.transaction() as writer:
            for handing in wanted:
                writer.put_handing(handing)
        with store.transaction() as writer:
            writer.put_handing(wanted[2]._replace(held_at=TIME))
        assert store.handings("opcw") == [wanted[1], wanted[2]._replace(held_at=TIME)]
        assert store.handings() == sorted([wanted[0], wanted[1], wanted[2]._replace(held_at=TIME)])
