# SPDX-License-Identifier: Apache-2.0
"""Canonical JSON: one text for each value, and nothing else is read."""

from __future__ import annotations

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from servanda.proof import canonical
from servanda.proof.canonical import CanonicalError
from servanda.proof.errors import ProofError
from tests.unit.proof.values import VALUES

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def nested(depth: int, innermost: object) -> object:
    """A value at `depth`, inside depth - 1 lists."""
    for _ in range(depth - 1):
        innermost = [innermost]
    return innermost


@given(VALUES)
def test_encoding_agrees_with_the_reference_encoder(value):
    assert canonical.encode(value) == rfc8785.dumps(value)


@given(VALUES)
def test_decoding_gives_the_value_back(value):
    decoded = canonical.decode(canonical.encode(value))
    assert decoded == value
    assert repr(decoded) == repr(canonical.decode(canonical.encode(decoded)))  # True is not 1


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_canonical(data):
    try:
        value = canonical.decode(data)
    except CanonicalError:
        return
    assert canonical.encode(value) == data


@given(VALUES, st.data())
def test_a_changed_text_is_refused_or_another_value(value, data):
    text = canonical.encode(value)
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.binary(max_size=2)) + text[at + 1 :]
    if changed == text:
        return
    try:
        assert canonical.encode(canonical.decode(changed)) == changed
    except CanonicalError:
        return


@given(ANY_JSON)
def test_encode_and_decode_refuse_the_same_values(value):
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        encoded = canonical.encode(value)
    except CanonicalError:
        with pytest.raises(CanonicalError):
            canonical.decode(text.encode("utf-8", "surrogatepass"))
    else:
        assert canonical.decode(encoded) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" 1",
        b"1 ",
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b"-0",
        b"0.0",
        b"1.5",
        b"1e2",
        b"1E400",
        b"01",
        b"NaN",
        b"9007199254740992",
        b"-9007199254740992",
        b"18446744073709551616",
        b"9" * 400,
        b"9" * 5_000,
        b'"\\u0041"',
        b'"\\/"',
        b'"\\u00E9"',
        b'"\\u000A"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b'"\xc0\xaf"',
        b'"\n"',
        b"\xef\xbb\xbf1",
        b'{"\xc3\xa9":1}',
        b'{"\\n":1}',
        b'{"\x7f":1}',
        b"[1,]",
        b"1 2",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1".decode().encode("utf-16"),
    ],
)
def test_a_text_that_is_not_canonical_is_refused(data):
    with pytest.raises(CanonicalError) as caught:
        canonical.decode(data)
    assert isinstance(caught.value, ProofError)


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        2**53,
        -(2**53),
        "\ud800",
        ["\udfff"],
        {"\u00e9": 1},
        {"\n": 1},
        {"\x7f": 1},
        {1: 2},
        {None: 2},
        b"bytes",
        {1, 2},
        [[{"a": 1.0}]],
        object(),
        10**400,
    ],
)
def test_a_value_without_a_canonical_form_is_refused(value):
    with pytest.raises(CanonicalError):
        canonical.encode(value)


@pytest.mark.parametrize("innermost", [7, "x", [], {}, None])
def test_a_value_may_lie_32_deep_and_no_deeper(innermost):
    whole = nested(32, innermost)
    assert canonical.decode(canonical.encode(whole)) == whole
    with pytest.raises(CanonicalError):
        canonical.encode([whole])
    with pytest.raises(CanonicalError):
        canonical.decode(json.dumps([whole], separators=(",", ":")).encode())


def test_a_tuple_is_written_as_a_list():
    assert canonical.encode({"a": (1, ("b",))}) == b'{"a":[1,["b"]]}'
    with pytest.raises(CanonicalError):
        canonical.encode((1.5,))


def test_a_value_that_holds_itself_is_refused():
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(CanonicalError):
        canonical.encode(loop)


def test_the_largest_and_smallest_integers_are_read():
    assert canonical.decode(b"[-9007199254740991,0,9007199254740991]") == [-(2**53) + 1, 0, 2**53 - 1]


def test_names_are_sorted_and_may_hold_any_printable_ascii():
    assert canonical.encode({"~": 1, " ": 2, '"': 3, "\\": 4, "A": 5, "a": 6}) == (
        b'{" ":2,"\\"":3,"A":5,"\\\\":4,"a":6,"~":1}'
    )
