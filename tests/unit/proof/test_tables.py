# SPDX-License-Identifier: Apache-2.0
"""Sealed tables: every row opens alone, and no other row passes for it."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servanda.proof import canonical
from servanda.proof.merkle import EMPTY_ROOT
from servanda.proof.tables import TableError, open_row, row_leaf, row_salt, table_root, verify_row
from tests.unit.proof.values import NAMES, VALUES

SECRET = bytes(range(32))
ROWS = st.lists(st.dictionaries(NAMES, VALUES, max_size=3), min_size=1, max_size=12)
THREE = [{"place": "latakia", "rounds": 3}, {"place": "homs", "rounds": 0}, {"place": "homs", "rounds": 0}]


@given(ROWS, st.data())
def test_every_row_opens_alone(rows, data):
    root, count = table_root(SECRET, rows)
    index = data.draw(st.integers(0, len(rows) - 1))
    assert count == len(rows)
    assert verify_row(open_row(SECRET, rows, index), root, count) == rows[index]


@given(st.binary(max_size=60), st.integers(-1, 5))
def test_any_bytes_are_refused(data, rows):
    with pytest.raises(TableError):
        verify_row(data, EMPTY_ROOT, rows)


@given(ROWS, st.data())
def test_a_changed_opening_is_refused(rows, data):
    root, count = table_root(SECRET, rows)
    opening = open_row(SECRET, rows, data.draw(st.integers(0, len(rows) - 1)))
    at = data.draw(st.integers(0, len(opening) - 1))
    changed = opening[:at] + data.draw(st.binary(max_size=2)) + opening[at + 1 :]
    if changed != opening:
        with pytest.raises(TableError):
            verify_row(changed, root, count)


def test_the_salt_and_leaf_are_those_of_the_specification():
    salt = hmac.new(SECRET, b"servanda/table-row/v1" + bytes(7) + b"\x02", hashlib.sha256).digest()
    assert row_salt(SECRET, 2) == salt
    assert row_leaf(salt, {"b": 1, "a": 2}) == salt + b'{"a":2,"b":1}'


def test_a_table_of_no_rows_has_the_root_of_the_empty_tree():
    assert table_root(SECRET, []) == (EMPTY_ROOT, 0)


def test_equal_rows_have_different_leaves():
    root, count = table_root(SECRET, THREE)
    assert open_row(SECRET, THREE, 1) != open_row(SECRET, THREE, 2)
    assert table_root(bytes(32), THREE) != (root, count)


def opening(**changes):
    value = canonical.decode(open_row(SECRET, THREE, 1))
    value.update(changes)
    return canonical.encode(value)


@pytest.mark.parametrize(
    "changes",
    [
        {"row": 0},
        {"row": 2},
        {"row": -1},
        {"row": True},
        {"row": "1"},
        {"row": 3},
        {"value": THREE[0]},
        {"value": []},
        {"value": None},
        {"salt": base64.b64encode(bytes(32)).decode()},
        {"salt": base64.b64encode(bytes(31)).decode()},
        {"salt": "?"},
        {"salt": None},
        {"path": []},
        {"path": None},
        {"path": [None]},
        {"path": ["00" * 31]},
        {"path": ["AA" * 32]},
        {"path": ["aa" * 32 + "\n"]},
        {"extra": 1},
    ],
)
def test_an_opening_with_another_member_is_refused(changes):
    root, count = table_root(SECRET, THREE)
    assert verify_row(opening(), root, count) == THREE[1]
    with pytest.raises(TableError):
        verify_row(opening(**changes), root, count)


def test_an_opening_is_of_one_table():
    root, count = table_root(SECRET, THREE)
    for other in [(bytes(32), count), (root, count + 2), (root, 1), (root, 0), (root[:-1], count)]:
        with pytest.raises(TableError):
            verify_row(opening(), *other)


def test_what_cannot_be_sealed_is_refused():
    deep = {"a": 1}
    for _ in range(31):
        deep = {"a": deep}
    for secret, rows in [(SECRET[:-1], THREE), (SECRET, [["list"]]), (SECRET, [{"a": 1.5}]), (SECRET, [deep])]:
        with pytest.raises(TableError):
            table_root(secret, rows)
    with pytest.raises(TableError):
        open_row(SECRET, [deep["a"]], 0)
    for index in (-1, 3):
        with pytest.raises(TableError):
            open_row(SECRET, THREE, index)
    for index in (-1, 2**53):
        with pytest.raises(TableError):
            row_salt(SECRET, index)
