# SPDX-License-Identifier: Apache-2.0
"""Texts that two readers might read differently are refused by both: dates, identifiers, patterns."""

from __future__ import annotations

import pytest

from servanda.agreement.dates import DateExpressionError, check_instant, parse_span
from servanda.agreement.effects import effect_validators
from servanda.agreement.fields import FieldValidator, schema_problems
from tests.dossier.forgery import stand_alone

OTHER_DIGITS = "\uff12\uff10\uff11\uff14"


@pytest.mark.parametrize("text", [OTHER_DIGITS, "2014\n", " 2014", "2014-1-1", "../..x", "2014/2015/2016", "..", ""])
def test_a_text_that_is_no_date_expression_is_none_to_either_reader(text: str) -> None:
    with pytest.raises(DateExpressionError):
        parse_span(text)
    with pytest.raises(stand_alone().Malformed):
        stand_alone().read_span(text)


@pytest.mark.parametrize(
    "text",
    [
        f"{OTHER_DIGITS}-01-01T00:00:00Z",
        "2014-01-01T00:00:00Z\n",
        "2014-01-01T24:00:00Z",
        "2014-02-30T00:00:00Z",
        "now",
    ],
)
def test_a_text_that_is_no_instant_is_none_to_either_reader(text: str) -> None:
    with pytest.raises(DateExpressionError):
        check_instant(text)
    with pytest.raises(stand_alone().Malformed):
        stand_alone().read_time(text)


@pytest.mark.parametrize(("name", "fits"), [("O17", True), ("o17", True), ("o-17", True), ("Oo", False), ("oO", False)])
def test_an_obligation_is_named_as_a_pack_names_it(name: str, fits: bool) -> None:
    content = {"obligation": name, "due": "2014-01-01"}
    assert (effect_validators()["obligations.extend"].problem(content) is None) == fits
    assert (stand_alone().misfit(stand_alone().EFFECTS["obligations.extend"][1], content, "content") == "") == fits


TEXTS = ("a", "b", "ax", "xb", "a|b", "", "a\n", "\na", "ab", ".", "ä")


@pytest.mark.parametrize("pattern", ["^a$", "^a|b$", "^(a|b)$", "^.$", "^[^a]$", "^a*$", "^\\.$", "^a\\|b$", "^$"])
def test_a_pattern_matches_whole_texts_and_the_same_for_both_readers(pattern: str) -> None:
    schema = {"type": "string", "pattern": pattern}
    assert list(schema_problems(schema)) == []
    stand_alone().check_schema(schema, "fields")
    ours = [FieldValidator(schema).problem(text) is None for text in TEXTS]
    assert ours == [stand_alone().misfit(schema, text, "content") == "" for text in TEXTS]


UNANCHORED = ("a", "^a", "a$", "^a\\$", "^\\", "")
BEYOND = ("^\\d$", "^(?=a)$", "^(a)\\1$", "^a\\ b$", "^[[a]$", "^[a&&b]$", "^a{,5}$")
BROKEN = ("^(a$", "^[b-a]$", "^a{2,1}$", "^a{99999999999}$", "^" + "(" * 300 + ")" * 300 + "$")


@pytest.mark.parametrize("pattern", [*UNANCHORED, *BEYOND, *BROKEN, 7])
def test_a_pattern_outside_the_subset_is_no_field_schema(pattern: object) -> None:
    problems = list(schema_problems({"type": "string", "pattern": pattern}))
    assert problems
    assert all("\n" not in problem and len(problem) < 400 for problem in problems)
