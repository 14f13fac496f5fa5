# SPDX-License-Identifier: Apache-2.0
"""Two texts compared: the words that differ are shown, both texts can be read back, and no text takes for ever."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from servanda.registers.agreements.differences import Effort, clause_differences, word_differences
from tests.rig.parley import clauses

TEXTS = st.lists(st.sampled_from(["the ", "fish", " ", "boat, ", "not ", "agreed.", "\n", "ж"]), max_size=25).map(
    "".join
)


@given(old=TEXTS, new=TEXTS, cells=st.sampled_from([0, 40, 10_000]))
def test_both_texts_can_be_read_back_from_their_differences(old: str, new: str, cells: int) -> None:
    words = word_differences(old, new, Effort(cells))
    assert "".join(word["text"] for word in words if word["op"] != "added") == old
    assert "".join(word["text"] for word in words if word["op"] != "removed") == new
    assert all(word["text"] for word in words)
    assert all(a["op"] != b["op"] for a, b in pairwise(words))


def test_only_the_words_that_differ_are_marked() -> None:
    words = word_differences("It meets again in spring, at sea.", "It meets again in May, at sea.")
    assert [(word["op"], word["text"]) for word in words] == [
        ("same", "It meets again in "),
        ("removed", "spring"),
        ("added", "May"),
        ("same", ", at sea."),
    ]


def test_clauses_are_changed_added_removed_or_moved() -> None:
    old = clauses(a="One.", b="Two.", c="Three.", d="Four.")
    new = clauses(a="One.", c="Three!", e="Five.", b="Two.")
    told = {row["id"]: (row["change"], row["moved"]) for row in clause_differences(old, new)}
    assert told["a"] == ("same", False)
    assert told["e"] == ("added", False)
    assert told["d"] == ("removed", False)
    assert (told["b"][0], told["c"][0]) == ("same", "changed")
    assert told["b"][1] != told["c"][1], "one of the two that changed places has moved"


def test_a_hostile_text_is_shown_whole_and_not_compared_for_ever() -> None:
    effort = Effort()
    old, new = "a b " * 5000 + "a", "b a " * 5000 + "c"
    words = word_differences("x " + old, "y " + new, effort)
    assert [word["op"] for word in words] == ["removed", "added"]
    assert effort.cells > 0
