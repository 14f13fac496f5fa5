# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: three lines, one form, signed under the origin's own name."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from servanda.proof.checkpoints import (
    Checkpoint,
    CheckpointError,
    parse_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from servanda.proof.notes import Note, NoteSignature, parse_note

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = PRIVATE.public_key().public_bytes_raw()
CHECKPOINT = Checkpoint("servanda/6b1f/syr", 3, bytes(range(32)))
ROOT = base64.b64encode(bytes(32)).decode()
CHECKPOINTS = st.builds(
    Checkpoint,
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="+"), min_size=1, max_size=12),
    st.integers(0, 2**53 - 1),
    st.binary(min_size=32, max_size=32),
)


@given(CHECKPOINTS)
def test_a_checkpoint_is_read_as_it_was_written(checkpoint):
    assert parse_checkpoint(checkpoint.text()) == checkpoint


@given(CHECKPOINTS)
def test_a_signed_checkpoint_verifies_after_a_journey_as_a_note(checkpoint):
    note = Note(checkpoint.text(), (sign_checkpoint(checkpoint, PRIVATE.sign, PUBLIC),))
    assert verify_checkpoint(parse_note(note.encode()), PUBLIC) == checkpoint


@given(st.text(max_size=60))
def test_any_text_is_refused(text):
    with pytest.raises(CheckpointError):
        parse_checkpoint(text)


@given(CHECKPOINTS, st.data())
def test_a_changed_text_is_refused_or_another_checkpoint(checkpoint, data):
    text = checkpoint.text()
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.text(max_size=2)) + text[at + 1 :]
    try:
        parsed = parse_checkpoint(changed)
    except CheckpointError:
        return
    assert parsed.text() == changed


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"a\n1\n{ROOT}",
        f"a\n1\n{ROOT}\n\n",
        f"a\n1\n{ROOT}\nextension\n",
        f"\n1\n{ROOT}\n",
        f"a b\n1\n{ROOT}\n",
        f"a+b\n1\n{ROOT}\n",
        f"a\r\n1\n{ROOT}\n",
        f"a\n01\n{ROOT}\n",
        f"a\n+1\n{ROOT}\n",
        f"a\n-1\n{ROOT}\n",
        f"a\n1 \n{ROOT}\n",
        f"a\n\u0661\n{ROOT}\n",
        f"a\n\n{ROOT}\n",
        f"a\n{2**53}\n{ROOT}\n",
        f"a\n{'1' * 5_000}\n{ROOT}\n",
        f"a\n1\n{ROOT[:-1]}\n",
        f"a\n1\n{ROOT[:-2]}B=\n",
        f"a\n1\n{ROOT} \n",
        f"a\n1\n{base64.b64encode(bytes(31)).decode()}\n",
        f"a\n1\n{base64.b64encode(bytes(33)).decode()}\n",
        "a\n1\n\u00e9\n",
    ],
)
def test_a_text_of_another_form_is_refused(text):
    with pytest.raises(CheckpointError):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "checkpoint",
    [
        CHECKPOINT._replace(origin="a\n7"),
        CHECKPOINT._replace(origin=""),
        CHECKPOINT._replace(size=-1),
        CHECKPOINT._replace(size=2**53),
        CHECKPOINT._replace(root=bytes(31)),
    ],
)
def test_a_checkpoint_that_could_not_be_read_is_not_written_or_signed(checkpoint):
    with pytest.raises(CheckpointError):
        checkpoint.text()
    with pytest.raises(CheckpointError):
        sign_checkpoint(checkpoint, PRIVATE.sign, PUBLIC)


def test_a_checkpoint_is_signed_by_its_own_journal_alone():
    line = sign_checkpoint(CHECKPOINT, PRIVATE.sign, PUBLIC)
    stranger = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
    their_public = stranger.public_key().public_bytes_raw()
    forged = sign_checkpoint(CHECKPOINT, stranger.sign, PUBLIC)
    renamed = NoteSignature("servanda/6b1f/opcw", line.key_id, line.signature)
    for text, lines, public in [
        (CHECKPOINT._replace(size=4).text(), (line,), PUBLIC),
        (CHECKPOINT.text(), (line,), their_public),
        (CHECKPOINT.text(), (forged,), PUBLIC),
        (CHECKPOINT.text(), (renamed,), PUBLIC),
        (CHECKPOINT.text(), (line, forged), PUBLIC),
        (CHECKPOINT.text(), (line,), PUBLIC[:-1]),
        ("not a checkpoint\n", (line,), PUBLIC),
    ]:
        with pytest.raises(CheckpointError):
            verify_checkpoint(Note(text, lines), public)
