# SPDX-License-Identifier: Apache-2.0
"""What fits the shape of an effect fits it for both readers, and what does not fits it for neither."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servanda.agreement.dialogue import DIALOGUE_EFFECTS
from servanda.agreement.effects import EFFECTS, effect_validators
from tests.dossier.forgery import stand_alone

EXAMPLES = {
    "^[a-z][a-z0-9-]{0,31}$": ("ash", "a", "a-1"),
    "^([a-z][a-z0-9-]{0,31}|[A-Z][A-Z0-9-]{0,31})$": ("O17", "o"),
    "^[0-9a-f]{64}$": ("0" * 64,),
    "^[a-z][a-z0-9-]{0,31}/[1-9][0-9]{0,15}$": ("ash/12",),
    "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$": ("en", "zh-Hant"),
    "^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$": ("1.a",),
}
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1, 1001, 2**53 - 1, "", " ", "x", "x" * 501, "Ash", "ash/0", "2013-02-30",
    "0000-01-01", "2013", "2013-06-17", "../2013", "2013-13/..", "now", "closed", "authentic",
    [], [None], {}, {"_sd": ["A" * 43]}, "a" * 33, "en\n",
)  # fmt: skip
VALIDATORS = effect_validators()


def fitting(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that fit one of our shapes."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema["type"]
    if kind == "object":
        required = {name: fitting(schema["properties"][name]) for name in schema["required"]}
        optional = {name: fitting(part) for name, part in schema["properties"].items() if name not in required}
        return st.fixed_dictionaries(required, optional=optional)
    if kind == "array":
        least = schema.get("minItems", 0)
        return st.lists(fitting(schema["items"]), min_size=least, max_size=max(least, 2))
    if kind == "integer":
        return st.sampled_from([schema["minimum"], schema["maximum"], 1])
    if kind == "boolean":
        return st.booleans()
    if schema.get("format") == "date":
        return st.sampled_from(["2013-06-17", "2016-02-29"])
    if schema.get("format") == "date-expression":
        return st.sampled_from(["2012", "2013-06", "2013-09-05/2013-09-06", "2013-02-30", "../2013-06-17"])
    if "pattern" in schema:
        return st.sampled_from(EXAMPLES[schema["pattern"]])
    return st.sampled_from(["x" * max(schema["minLength"], 1), "Ж" * 3, "two words"])


def spots(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a value, to be changed."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [spot for key, part in inside for spot in [(value, key), *spots(part)]]


@pytest.mark.parametrize("effect", sorted(DIALOGUE_EFFECTS))
@given(data=st.data())
def test_both_readers_judge_the_shape_of_an_effect_alike(effect: str, data: st.DataObject) -> None:
    reader = stand_alone()
    act, shape = reader.EFFECTS[effect]
    assert act == EFFECTS[effect].act
    content = data.draw(fitting(EFFECTS[effect].shape))
    assert VALIDATORS[effect].problem(content) is None
    assert reader.misfit(shape, content, "content") == ""
    changed = copy.deepcopy(content)
    container, key = data.draw(st.sampled_from(spots(changed)))
    if isinstance(container, dict) and data.draw(st.booleans()):
        del container[key]
    else:
        container[key] = data.draw(st.sampled_from(ODD))
    assert (VALIDATORS[effect].problem(changed) is None) == (reader.misfit(shape, changed, "content") == "")


def test_every_effect_has_a_shape_with_both_readers() -> None:
    assert set(EFFECTS) == set(stand_alone().EFFECTS)
