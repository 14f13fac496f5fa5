# SPDX-License-Identifier: Apache-2.0
"""Cosignatures of both types: they bind checkpoint, name or key, and time."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from servanda.proof.checkpoints import Checkpoint
from servanda.proof.cosignatures import (
    TIMESTAMP_MAX,
    Cosignature,
    CosignatureError,
    cosign,
    ed25519_message,
    mldsa44_message,
    parse_cosignature,
    verify_cosignature,
)
from servanda.proof.notes import KIND_COSIGNATURE, KIND_ED25519, KIND_MLDSA44, Note, parse_note

CHECKPOINT = Checkpoint("servanda/6b1f/syr", 3, bytes(range(32)))
NAME = "servanda/6b1f/opcw/receipt"
TIME = 1_793_439_000
PRIVATE = {
    KIND_COSIGNATURE: Ed25519PrivateKey.from_private_bytes(bytes(32)),
    KIND_MLDSA44: MLDSA44PrivateKey.from_seed_bytes(bytes(32)),
}
KINDS = pytest.mark.parametrize("kind", [KIND_COSIGNATURE, KIND_MLDSA44])


def public_of(kind):
    return PRIVATE[kind].public_key().public_bytes_raw()


def made(kind, /, **changes):
    said = {"name": NAME, "kind": kind, "timestamp": TIME, "sign": PRIVATE[kind].sign, "public": public_of(kind)}
    return cosign(CHECKPOINT, **(said | changes))


def parsed(line, kind):
    return parse_cosignature(line.key_id + line.signature, kind)


@KINDS
def test_a_cosignature_verifies_after_a_journey_as_a_note(kind):
    note = parse_note(Note(CHECKPOINT.text(), (made(kind),)).encode())
    cosignature = parsed(note.signatures[0], kind)
    assert note.signatures[0].name == NAME
    assert verify_cosignature(CHECKPOINT, name=NAME, kind=kind, public=public_of(kind), cosignature=cosignature) == TIME


@KINDS
def test_a_cosignature_is_of_one_checkpoint_name_key_and_time(kind):
    cosignature = parsed(made(kind), kind)
    said = {"name": NAME, "kind": kind, "public": public_of(kind), "cosignature": cosignature}
    for checkpoint, changes in [
        (CHECKPOINT._replace(size=4), {}),
        (CHECKPOINT._replace(root=bytes(32)), {}),
        (CHECKPOINT._replace(origin="servanda/6b1f/usa"), {}),
        (CHECKPOINT, {"name": "servanda/6b1f/usa/receipt"}),
        (CHECKPOINT, {"public": bytes([public_of(kind)[0] ^ 1]) + public_of(kind)[1:]}),
        (CHECKPOINT, {"cosignature": cosignature._replace(timestamp=TIME + 1)}),
        (CHECKPOINT, {"cosignature": cosignature._replace(key_id=bytes(4))}),
        (CHECKPOINT, {"cosignature": cosignature._replace(signature=bytes(len(cosignature.signature)))}),
        (CHECKPOINT, {"kind": KIND_ED25519}),
    ]:
        with pytest.raises(CosignatureError):
            verify_cosignature(checkpoint, **(said | changes))


def test_the_two_types_do_not_stand_for_one_another():
    cosignature = parsed(made(KIND_COSIGNATURE), KIND_COSIGNATURE)
    said = {"name": NAME, "public": public_of(KIND_COSIGNATURE), "cosignature": cosignature}
    with pytest.raises(CosignatureError):
        verify_cosignature(CHECKPOINT, kind=KIND_MLDSA44, **said)


@given(st.binary(max_size=90), st.sampled_from([KIND_COSIGNATURE, KIND_MLDSA44, 0, 1, 255]))
def test_any_bytes_are_refused_or_a_cosignature(data, kind):
    try:
        cosignature = parse_cosignature(data, kind)
    except CosignatureError:
        return
    assert cosignature.encode() == data


@given(st.binary(min_size=4, max_size=4), st.integers(0, TIMESTAMP_MAX), st.binary(min_size=64, max_size=64))
def test_a_cosignature_is_read_as_it_was_written(key_id, timestamp, signature):
    cosignature = Cosignature(key_id, timestamp, signature)
    assert parse_cosignature(cosignature.encode(), KIND_COSIGNATURE) == cosignature


def test_a_timestamp_beyond_2_63_is_refused():
    with pytest.raises(CosignatureError):
        parse_cosignature(bytes(4) + (2**63).to_bytes(8, "big") + bytes(64), KIND_COSIGNATURE)
    for timestamp in (-1, 2**63):
        with pytest.raises(CosignatureError):
            ed25519_message(CHECKPOINT, timestamp)
        with pytest.raises(CosignatureError):
            Cosignature(bytes(4), timestamp, bytes(64)).encode()
        with pytest.raises(CosignatureError):
            made(KIND_MLDSA44, timestamp=timestamp)


def test_there_is_no_cosignature_of_another_type():
    with pytest.raises(CosignatureError):
        made(KIND_COSIGNATURE, kind=KIND_ED25519)


@pytest.mark.parametrize(
    "changes",
    [
        {"cosigner_name": ""},
        {"cosigner_name": "x" * 256},
        {"cosigner_name": "\ud800"},
        {"origin": ""},
        {"origin": "\u00e9" * 128},
        {"start": 1},
        {"start": 4, "timestamp": 0},
        {"start": -1},
        {"end": 2**64},
        {"root": bytes(31)},
    ],
)
def test_a_message_out_of_range_is_refused(changes):
    said = {"cosigner_name": NAME, "timestamp": TIME, "origin": "o", "start": 0, "end": 3, "root": bytes(32)}
    mldsa44_message(**said)
    with pytest.raises(CosignatureError):
        mldsa44_message(**(said | changes))
