# SPDX-License-Identifier: Apache-2.0
"""How an entry is judged: every code of spec/entry.md is reached, and an entry so marked has no effect anywhere."""

from __future__ import annotations

import pytest

from servanda.journal.acceptance import prepare
from servanda.registers.custody.views import balances_bytes
from tests.rig.faulty import FAULTS, Scene, head, ordered_by, scene
from tests.rig.pen import insert, leaf_by_hand
from tests.rig.replica import documents, rebuilt

CODES = {
    *("unreadable", "frame", "version", "misplaced", "signature", "unknown-key", "retired-key", "wrong-role"),
    *("own-release", "identity", "heads", "reference", "receipt", "pack", "format", "act", "release", "sender"),
    *("addressee", "content", "offer", "accept", "refuse", "condition", "lapse", "correct", "acknowledge", "reveal"),
    "branch",
}
CASES = [(code, fault) for code, faults in FAULTS.items() for fault in faults]


def test_no_code_is_left_out() -> None:
    assert {*FAULTS, "sender"} == CODES


@pytest.mark.parametrize(("code", "fault"), CASES, ids=[f"{code}: {fault}" for code, fault in CASES])
def test_is_judged(code: str, fault: str) -> None:
    there = scene()
    before = balances_bytes(there.world.centres["birch"].custody)
    leaf = FAULTS[code][fault](there)
    assert there.world.centres["birch"].record.candidate("ash", prepare(leaf))[0].code == code
    size = there.ash.journal.size
    insert(there.ash, leaf)
    there.world.deliver("ash", "birch")
    birch = there.world.centres["birch"]
    entry = birch.record.journals["ash"].entries[size]
    assert (entry.code, entry.leaf, bool(entry.reason)) == (code, leaf, True)
    assert birch.store.leaves("ash", size + 1, 1) == [leaf]
    assert balances_bytes(birch.custody) == before
    after = there.world.say("ash", "note", {"text": "and the journal goes on"})
    there.world.deliver("ash", "birch")
    assert birch.record.entry(after.place) is not None
    assert documents(birch) == rebuilt(birch).documents()


def test_what_only_another_may_send_is_judged_sender() -> None:
    there = scene()
    birch = there.world.centres["birch"]
    entry = insert(birch, ordered_by(birch))
    assert entry is not None
    assert entry.code == "sender"
    assert insert(there.ash, ordered_by(there.ash)).admissible  # type: ignore[union-attr]


class TestWaiting:
    """What the entry needs is not held: it has its number, is shown as incomplete, and so is what follows."""

    @pytest.fixture
    def there(self) -> Scene:
        return scene()

    @pytest.mark.parametrize(
        ("party", "ahead"),
        [("birch", 10_000), ("birch", 1), ("yew", 1)],
        ids=["a journal longer than anybody holds", "another history of a journal", "a party that nobody knows"],
    )
    def test_for_a_head(self, there: Scene, party: str, ahead: int) -> None:
        size = there.ash.journal.entries[-1].heads.get(party, 0) + ahead
        insert(there.ash, leaf_by_hand(there.ash, heads=[{"party": party, "root": "00" * 32, "size": size}]))
        insert(there.ash, leaf_by_hand(there.ash, number=there.ash.journal.size + 1))
        birch = there.world.centres["birch"]
        there.world.deliver("ash", "birch")
        state = birch.record.journals["ash"]
        assert (len(state.entries), state.size) == (there.ash.journal.size - 2, there.ash.journal.size)
        assert party in state.waiting
        assert documents(birch) == rebuilt(birch).documents()

    def test_ends_when_what_is_needed_arrives(self, there: Scene) -> None:
        cedar = there.world.centres["cedar"]
        there.world.say("birch", "note", {"text": "for ash alone"})
        there.world.deliver("birch", "ash")
        entry = there.world.say("ash", "note", {"text": "covers it"})
        there.world.deliver("ash", "cedar")
        assert cedar.record.entry(entry.place) is None
        assert cedar.record.journals["ash"].waiting.startswith("entry birch/")
        there.world.deliver("birch", "cedar")
        assert cedar.record.entry(entry.place) is not None
        assert cedar.record.journals["ash"].waiting == ""


def test_the_scene_itself_has_no_fault() -> None:
    there = scene()
    for centre in there.world.centres.values():
        assert {entry.code for entry in centre.record.log} == {None}
    size = there.ash.record.journals["cedar"].size
    entry = insert(there.ash, leaf_by_hand(there.ash, heads=[head(there, "cedar", size)]))
    assert entry is not None
    assert entry.admissible
