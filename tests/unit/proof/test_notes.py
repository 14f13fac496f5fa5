# SPDX-License-Identifier: Apache-2.0
"""Signed notes and verifier keys: one byte form, and every line of a known key must verify."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from servanda.proof.notes import (
    KIND_COSIGNATURE,
    KIND_ED25519,
    KIND_MLDSA44,
    NOTE_BYTES_MAX,
    Note,
    NoteError,
    NoteSignature,
    VerifierKey,
    note_key_id,
    parse_note,
    parse_signature_lines,
    parse_verifier_key,
    verify_note_ed25519,
)

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))
KEY = VerifierKey("example.org/log", KIND_ED25519, PRIVATE.public_key().public_bytes_raw())

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), max_size=30)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="+"), min_size=1, max_size=12)
SIGNATURES = st.builds(NoteSignature, NAMES, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=70))
NOTES = st.builds(Note, WORDS.map(lambda text: text + "\n"), st.lists(SIGNATURES, min_size=1, max_size=4).map(tuple))
LINE = "— name AAAAAAA=\n"


def signed(text, *, key=KEY, private=PRIVATE):
    return NoteSignature(key.name, note_key_id(*key), private.sign(text.encode()))


@given(NOTES)
def test_a_note_is_read_as_it_was_written(note):
    assert parse_note(note.encode()) == note


@given(st.lists(SIGNATURES, min_size=1, max_size=4).map(tuple))
def test_signature_lines_that_stand_alone_are_read(signatures):
    assert parse_signature_lines("".join(item.line() for item in signatures).encode()) == signatures


@given(st.binary(max_size=80))
def test_any_bytes_are_refused_or_a_note(data):
    for parse in (parse_note, parse_signature_lines):
        with pytest.raises(NoteError):
            parse(data)


@given(NOTES, st.data())
def test_a_changed_note_is_refused_or_another_one(note, data):
    whole = note.encode()
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:at] + data.draw(st.binary(max_size=2) | st.just(b"\n\n")) + whole[at + 1 :]
    try:
        parsed = parse_note(changed)
    except NoteError:
        return
    assert parsed.encode() == changed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "text\n",
        "text\n\n",
        "text\n" + LINE,
        "text\n\n" + LINE[:-1],
        "text\n\n" + LINE + "\n",
        "text\n\n" + LINE + "rest\n",
        "text\n\n" + LINE.replace("—", "-"),
        "text\n\n" + LINE.replace("— ", "—"),
        "text\n\n" + LINE.replace("name", ""),
        "text\n\n" + LINE.replace("name", "na+me"),
        "text\n\n" + LINE.replace("name", "na\u00a0me"),
        "text\n\n" + LINE.replace("name", "na\u2028me"),
        "text\n\n" + LINE.replace("name ", "name  "),
        "text\n\n" + LINE.replace("AAAAAAA=", "AAAAAA=="),
        "text\n\n" + LINE.replace("AAAAAAA=", "AAAAAAA"),
        "text\n\n" + LINE.replace("AAAAAAA=", "AAAAAAB="),
        "text\n\n" + LINE.replace("AAAAAAA=", "AAAA_AA="),
        "text\n\n" + LINE.replace("AAAAAAA=", "AAAAAAA= x"),
        "text\n\n" + LINE.replace("\n", "\r\n"),
        "te\txt\n\n" + LINE,
        "te\0xt\n\n" + LINE,
        "text\n\n" + LINE * 201,
        "text" * 2**18 + "\n\n" + LINE,
    ],
)
def test_a_text_that_is_not_a_signed_note_is_refused(text):
    with pytest.raises(NoteError):
        parse_note(text.encode())


def test_a_note_that_is_not_utf8_is_refused():
    with pytest.raises(NoteError):
        parse_note(b"\xff\n\n" + LINE.encode())


def test_200_signatures_and_a_mebibyte_are_read():
    assert len(parse_note(("text\n\n" + LINE * 200).encode()).signatures) == 200
    whole = ("\n\n" + LINE).encode()
    assert parse_note(b"x" * (NOTE_BYTES_MAX - len(whole)) + whole)


@pytest.mark.parametrize(
    "note",
    [
        Note("no newline", (NoteSignature("name", bytes(4), b"x"),)),
        Note("a\rb\n", (NoteSignature("name", bytes(4), b"x"),)),
        Note("a\ud800\n", (NoteSignature("name", bytes(4), b"x"),)),
        Note("a\n", ()),
        Note("a\n", (NoteSignature("name", bytes(4), b"x"),) * 201),
        Note("a\n", (NoteSignature("na me", bytes(4), b"x"),)),
        Note("a\n", (NoteSignature("name\n", bytes(4), b"x"),)),
        Note("a\n", (NoteSignature("", bytes(4), b"x"),)),
        Note("a\n", (NoteSignature("name", bytes(3), b"xx"),)),
        Note("a\n", (NoteSignature("name", bytes(4), b""),)),
        Note("a" * NOTE_BYTES_MAX + "\n", (NoteSignature("name", bytes(4), b"x"),)),
    ],
)
def test_a_note_that_could_not_be_read_is_not_written(note):
    with pytest.raises(NoteError):
        note.encode()


@given(NAMES, st.sampled_from([(KIND_ED25519, 32), (KIND_COSIGNATURE, 32), (KIND_MLDSA44, 1312)]), st.data())
def test_a_verifier_key_is_read_as_it_was_written(name, form, data):
    kind, length = form
    public = data.draw(st.binary(min_size=32, max_size=32)) * (length // 32)
    key = VerifierKey(name, kind, public)
    assert parse_verifier_key(key.encode()) == key


@given(st.text(max_size=60) | st.text(st.sampled_from("Aa0+/="), max_size=60))
def test_any_text_is_no_verifier_key(text):
    with pytest.raises(NoteError):
        parse_verifier_key(text)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("example", "exomple"),
        lambda text: text.upper(),
        lambda text: "+".join(text.split("+", 2)[:2]),
        lambda text: text + "=",
        lambda text: text[:-4],
        lambda text: "+" + text.split("+", 1)[1],
        lambda text: "\ud800" + text,
        lambda text: text.split("+", 2)[0] + "+" + text.split("+", 2)[1] + "+",
    ],
)
def test_a_changed_verifier_key_is_refused(change):
    with pytest.raises(NoteError):
        parse_verifier_key(change(KEY.encode()))


@pytest.mark.parametrize("key", [KEY._replace(kind=2), KEY._replace(kind=KIND_MLDSA44), KEY._replace(name="a b")])
def test_a_verifier_key_of_another_form_is_not_written(key):
    with pytest.raises(NoteError):
        key.encode()


def test_lines_of_other_keys_are_ignored():
    other = NoteSignature("example.org/other", note_key_id(*KEY), bytes(64))
    same_name = NoteSignature(KEY.name, bytes(4), bytes(64))
    verify_note_ed25519(Note("text\n", (other, same_name, signed("text\n"))), KEY)


def test_every_line_of_the_key_must_verify():
    good = signed("text\n")
    for lines in [(), (signed("other\n"),), (good, signed("other\n")), (good._replace(signature=bytes(64)),)]:
        with pytest.raises(NoteError):
            verify_note_ed25519(Note("text\n", lines), KEY)


def test_a_key_of_another_type_verifies_no_note():
    key = KEY._replace(kind=KIND_COSIGNATURE)
    with pytest.raises(NoteError):
        verify_note_ed25519(Note("text\n", (signed("text\n", key=key),)), key)
