# SPDX-License-Identifier: Apache-2.0
"""Sealed members: what was sealed comes back, and nothing else does."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servanda.proof import canonical
from servanda.proof.sealing import (
    Disclosure,
    SealingError,
    digests_of,
    disclose,
    disclosure_digest,
    parse_disclosure,
    seal,
    unseal,
)
from tests.unit.proof.values import NAMES, VALUES, values

SALT = bytes(range(16))
MEMBER_NAMES = NAMES.filter(lambda name: name not in {"_sd", "..."})
CONTENTS = st.dictionaries(MEMBER_NAMES, values(MEMBER_NAMES), min_size=1, max_size=5)


def disclosure_of(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


WHOLE_SALT = base64.urlsafe_b64encode(SALT).rstrip(b"=").decode()


@given(CONTENTS, st.data())
def test_what_was_sealed_comes_back(content, data):
    names = data.draw(st.lists(st.sampled_from(sorted(content)), unique=True))
    openings = {name: bytes([number]) * 16 for number, name in enumerate(names)}
    sealed, disclosures = seal(content, openings)
    assert not openings.keys() & sealed.keys()
    assert [parse_disclosure(text).name for text in disclosures] == names
    assert unseal(sealed, disclosures) == content
    assert sealed.get("_sd", []) == sorted(disclosure_digest(text) for text in disclosures)


@given(MEMBER_NAMES, VALUES, st.binary(min_size=16, max_size=40))
def test_a_disclosure_is_read_as_it_was_written(name, value, salt):
    disclosure = parse_disclosure(disclose(salt, name, value))
    assert (disclosure.name, disclosure.value) == (name, value)
    assert base64.urlsafe_b64decode(disclosure.salt + "==") == salt


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda data: base64.urlsafe_b64encode(data).decode()))
def test_any_text_is_refused(text):
    with pytest.raises(SealingError):
        parse_disclosure(text)


@pytest.mark.parametrize(
    "value",
    [
        [],
        [WHOLE_SALT, "name"],
        [WHOLE_SALT, "name", 1, 2],
        {"salt": WHOLE_SALT},
        ["short", "name", 1],
        [WHOLE_SALT[:-1], "name", 1],
        [WHOLE_SALT + "=", "name", 1],
        ["é" * 30, "name", 1],
        [None, "name", 1],
        [WHOLE_SALT, "_sd", 1],
        [WHOLE_SALT, "...", 1],
        [WHOLE_SALT, "n\u00e4me", 1],
        [WHOLE_SALT, 7, 1],
        [WHOLE_SALT, ["x"], 1],
        [WHOLE_SALT, "name", 1.5],
        [WHOLE_SALT, "name", 1.0],
        [WHOLE_SALT, "name", 2**53],
        [WHOLE_SALT, "name", float("nan")],
        [WHOLE_SALT, "name", "\ud800"],
        [WHOLE_SALT, "name", {"\u00e4": 1}],
    ],
)
def test_a_disclosure_of_another_form_is_refused(value):
    with pytest.raises(SealingError):
        parse_disclosure(disclosure_of(value))


def encoded(text):
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "text",
    [
        b'["%b","name",{"a":1,"a":2}]' % WHOLE_SALT.encode(),
        b'["%b","name",1] x' % WHOLE_SALT.encode(),
        b'\xef\xbb\xbf["%b","name",1]' % WHOLE_SALT.encode(),
        b'["%b","name","\xff"]' % WHOLE_SALT.encode(),
        b'["%b","name",%b]' % (WHOLE_SALT.encode(), b"9" * 5_000),
        b"[" * 100_000,
    ],
)
def test_a_json_text_with_two_meanings_or_none_is_refused(text):
    with pytest.raises(SealingError):
        parse_disclosure(encoded(text))


def test_a_reader_takes_any_form_of_the_json_text():
    text = encoded(b' [ "%b" ,\n "n\\u0061me", { "b" : 1 , "a" : "\\u00e9" } ]' % WHOLE_SALT.encode())
    assert parse_disclosure(text) == Disclosure(WHOLE_SALT, "name", {"a": "é", "b": 1})


@pytest.mark.parametrize(
    ("salt", "name", "value"),
    [(SALT[:15], "a", 1), (SALT, "_sd", 1), (SALT, "...", 1), (SALT, "\n", 1), (SALT, "a", 1.5)],
)
def test_what_could_not_be_read_is_not_disclosed(salt, name, value):
    with pytest.raises(SealingError):
        disclose(salt, name, value)


def test_a_member_is_opened_at_the_depth_where_its_digest_stands():
    inner, (opening,) = seal({"kind": "sulphur-mustard", "place": "latakia"}, {"place": SALT})
    content = {"lots": [{"kind": "sarin"}, inner]}
    assert unseal(content, [opening]) == {"lots": [{"kind": "sarin"}, {"kind": "sulphur-mustard", "place": "latakia"}]}
    assert content["lots"][1] == inner  # the argument is left alone


def test_a_member_within_an_opened_member_is_opened():
    inner, (inner_opening,) = seal({"place": "latakia"}, {"place": SALT})
    outer, (outer_opening,) = seal({"lot": inner}, {"lot": SALT})
    assert unseal(outer, [outer_opening]) == {"lot": inner}
    assert unseal(outer, [inner_opening, outer_opening]) == {"lot": {"place": "latakia"}}
    with pytest.raises(SealingError):
        unseal(outer, [inner_opening])


def test_digests_that_nothing_opens_stay():
    sealed, (first, second) = seal({"a": 1, "b": 2}, {"a": SALT, "b": SALT})
    assert unseal(sealed, [first]) == {"a": 1, "_sd": [disclosure_digest(second)]}
    assert unseal(sealed, []) == sealed
    assert unseal({"_sd": []}, []) == {"_sd": []}


def test_members_can_be_sealed_one_after_the_other():
    once, (first,) = seal({"a": 1, "b": 2, "c": 3}, {"a": SALT})
    twice, (second,) = seal(once, {"b": SALT})
    assert twice == {"c": 3, "_sd": sorted([disclosure_digest(first), disclosure_digest(second)])}
    assert unseal(twice, [second, first, first]) == {"a": 1, "b": 2, "c": 3}


def test_a_member_that_is_not_there_is_not_sealed():
    with pytest.raises(SealingError):
        seal({"a": 1}, {"b": SALT})
    with pytest.raises(SealingError):
        seal({"a": 1, "_sd": []}, {"_sd": SALT})


def test_a_disclosure_of_something_else_is_refused():
    sealed, _ = seal({"a": 1}, {"a": SALT})
    for other in (disclose(SALT, "a", 2), disclose(bytes(16), "a", 1), "not a disclosure", "\u00e9"):
        with pytest.raises(SealingError):
            unseal(sealed, [other])


def test_a_disclosure_of_a_member_that_is_there_is_refused():
    first, second = disclose(SALT, "a", 1), disclose(bytes(16), "a", 2)
    with pytest.raises(SealingError):
        unseal({"a": 0, "_sd": [disclosure_digest(first)]}, [first])
    with pytest.raises(SealingError):
        unseal({"_sd": sorted(map(disclosure_digest, [first, second]))}, [first, second])


def test_one_digest_in_two_places_is_not_opened():
    sealed, openings = seal({"a": 1}, {"a": SALT})
    assert unseal({"x": sealed}, openings) == {"x": {"a": 1}}
    with pytest.raises(SealingError):
        unseal({"x": sealed, "y": sealed}, openings)


@pytest.mark.parametrize(
    "digests",
    [
        "A" * 43,
        None,
        {},
        [7],
        ["A" * 42],
        ["A" * 42 + "="],
        ["A" * 43, "A" * 43],
        ["B" + "A" * 42, "A" * 43],
        ["A" * 43, None],
    ],
)
def test_digests_of_another_form_are_refused(digests):
    with pytest.raises(SealingError):
        unseal({"x": {"_sd": digests}}, [])
    with pytest.raises(SealingError):
        seal({"a": 1, "_sd": digests}, {"a": SALT})


def test_what_would_lie_deeper_than_32_is_not_opened():
    value = 1
    for _ in range(29):
        value = [value]
    opening = disclose(SALT, "a", value)
    sealed = {"_sd": [disclosure_digest(opening)]}
    opened = unseal({"x": sealed}, [opening])
    assert canonical.decode(canonical.encode(opened)) == opened
    with pytest.raises(SealingError):
        unseal({"x": [sealed]}, [opening])


def test_only_an_object_is_unsealed():
    with pytest.raises(SealingError):
        unseal([1], [])


def test_every_digest_is_found_at_any_depth():
    inner, openings = seal({"a": 1, "b": 2}, {"a": SALT, "b": SALT})
    digests = {disclosure_digest(text) for text in openings}
    assert digests_of({"lots": [inner, 7]}) == digests_of(inner) == digests
    assert digests_of({"_sd": "A" * 43, "x": [None]}) == set()
