# SPDX-License-Identifier: Apache-2.0
"""The body of a push has one form, and whatever does not have it is said to have none."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from servanda.line.push import PushBody, PushError, read_body, write_body

HEAD = b'{"checkpoint":"note","from":3}'
LEAF = st.binary(min_size=1).filter(lambda leaf: b"\n" not in leaf)


@given(st.integers(1, 2**53 - 1), st.lists(LEAF, max_size=5), st.text(st.characters(codec="utf-8"), max_size=50))
def test_what_is_written_is_read_back(first: int, leaves: list[bytes], note: str) -> None:
    checkpoint = note.encode()
    body = write_body(first, leaves, checkpoint)
    assert read_body(body) == PushBody(first, tuple(leaves), checkpoint)
    assert body.count(b"\n") == len(leaves) + 1


@given(st.binary())
@example(HEAD + b"\n")
@example(HEAD + b"\nleaf\n")
def test_a_body_that_is_read_is_written_back_to_the_byte(body: bytes) -> None:
    try:
        read = read_body(body)
    except PushError:
        return
    assert write_body(read.first, read.leaves, read.checkpoint) == body


@pytest.mark.parametrize("leaf", [b"", b"\n", b"two\nlines", b"ended\n"])
def test_a_leaf_that_is_no_line_cannot_be_written(leaf: bytes) -> None:
    with pytest.raises(PushError):
        write_body(1, [b"{}", leaf], b"note")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        HEAD,
        HEAD + b"\n\n",
        HEAD + b"\n\nleaf\n",
        HEAD + b"\nleaf",
        HEAD.replace(b",", b", ") + b"\n",
        b'{"checkpoint":"note","from":0}\n',
        b'{"checkpoint":"note","from":true}\n',
        b'{"checkpoint":"note","from":"3"}\n',
        b'{"checkpoint":null,"from":3}\n',
        b'{"checkpoint":"note","from":3,"to":4}\n',
        b'{"from":3}\n',
        b'["note",3]\n',
    ],
)
def test_another_form_is_no_push(body: bytes) -> None:
    with pytest.raises(PushError):
        read_body(body)
