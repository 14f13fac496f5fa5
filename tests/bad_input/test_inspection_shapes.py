# SPDX-License-Identifier: Apache-2.0
"""Both readers judge the shape of every inspection entry alike, whatever is done to one member of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servanda.agreement.effects import EFFECTS, effect_validators
from tests.dossier.forgery import stand_alone
from tests.rig.inspecting import EXAMPLES

TEXTS = (
    ["", "a", "A/1", "ash/0", "ash/01/2", "ash/1/00", "1/0", "01/2", "9999999999/1", "2026-02-30", "0000-01-01"],
    ["2026-01-02T24:00:00Z", "x" * 81, "x" * 4001, "\N{GREEK SMALL LETTER ALPHA}" * 4000],
)
OTHERS: list[Any] = [None, True, False, 0, 1, -1, 2**53 - 1, 5_256_001, 36_501, [], {}, [[0, 1, 2]], [[1]], [{}]]
ODD = st.sampled_from([*TEXTS[0], *TEXTS[1], *OTHERS, [["a", 1]], {"_sd": ["A" * 43]}])


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every member and item within a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in inner:
        yield (*at, name)
        yield from paths(member, (*at, name))


def both(effect: str, content: dict[str, Any]) -> tuple[bool, bool]:
    ours = effect_validators()[effect].problem(content) is None
    reader = stand_alone()
    theirs = reader.misfit(reader.EFFECTS[effect][1], content, "content") == ""
    return ours, theirs


@pytest.mark.parametrize("effect", sorted(EXAMPLES))
def test_what_has_the_shape_is_taken_by_both(effect: str) -> None:
    assert both(effect, EXAMPLES[effect]) == (True, True)
    assert EFFECTS[effect].act == stand_alone().EFFECTS[effect][0]


@given(st.data())
def test_what_is_changed_anywhere_is_judged_alike_by_both(data: st.DataObject) -> None:
    effect = data.draw(st.sampled_from(sorted(EXAMPLES)))
    content = copy.deepcopy(EXAMPLES[effect])
    *way, last = data.draw(st.sampled_from(sorted(paths(content), key=repr)))
    holder: Any = content
    for step in way:
        holder = holder[step]
    done = data.draw(st.sampled_from(["drop", "put", "add"]))
    if done == "drop":
        del holder[last]
    elif done == "put" or not isinstance(holder, dict):
        holder[last] = data.draw(ODD)
    else:
        holder["unheard-of"] = data.draw(ODD)
    ours, theirs = both(effect, content)
    assert ours == theirs
