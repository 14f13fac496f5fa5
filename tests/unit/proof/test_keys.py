# SPDX-License-Identifier: Apache-2.0
"""Signatures by raw public keys: they verify, or there is one error whatever was wrong."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from servanda.proof import keys
from servanda.proof.keys import SignatureInvalid, key_id, verify_ed25519, verify_mldsa44

ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
MLDSA44 = MLDSA44PrivateKey.from_seed_bytes(bytes(range(32)))
CASES = [
    pytest.param(verify_ed25519, ED25519, keys.ED25519_PUBLIC_BYTES, keys.ED25519_SIGNATURE_BYTES, id="ed25519"),
    pytest.param(verify_mldsa44, MLDSA44, keys.MLDSA44_PUBLIC_BYTES, keys.MLDSA44_SIGNATURE_BYTES, id="ml-dsa-44"),
]


@pytest.mark.parametrize(("verify", "private", "public_bytes", "signature_bytes"), CASES)
def test_a_signature_verifies_for_its_key_and_message_alone(verify, private, public_bytes, signature_bytes):
    public = private.public_key().public_bytes_raw()
    signature = private.sign(b"message")
    assert (len(public), len(signature)) == (public_bytes, signature_bytes)
    verify(public, b"message", signature)
    flipped = bytes([signature[0] ^ 1]) + signature[1:]
    other = bytes([public[0] ^ 1]) + public[1:]
    for wrong in [
        (public, b"messagE", signature),
        (public, b"message", flipped),
        (public, b"message", signature + b"\0"),
        (public, b"message", signature[:-1]),
        (public, b"message", b""),
        (other, b"message", signature),
        (public[:-1], b"message", signature),
        (public + b"\0", b"message", signature),
        (b"", b"message", signature),
    ]:
        with pytest.raises(SignatureInvalid):
            verify(*wrong)


@given(public=st.binary(max_size=40), message=st.binary(max_size=10), signature=st.binary(max_size=70))
def test_any_bytes_are_refused(public, message, signature):
    for verify in (verify_ed25519, verify_mldsa44):
        with pytest.raises(SignatureInvalid):
            verify(public, message, signature)


@given(public=st.binary(min_size=32, max_size=32), signature=st.binary(min_size=64, max_size=64))
def test_any_bytes_of_the_right_length_are_refused(public, signature):
    with pytest.raises(SignatureInvalid):
        verify_ed25519(public, b"message", signature)


def test_a_signature_with_a_context_is_not_ours():
    signature = MLDSA44.sign(b"message", b"context")
    with pytest.raises(SignatureInvalid):
        verify_mldsa44(MLDSA44.public_key().public_bytes_raw(), b"message", signature)


def test_the_key_id_is_32_characters_of_the_sha256():
    assert key_id(b"key") == hashlib.sha256(b"key").hexdigest()[:32]
