# SPDX-License-Identifier: Apache-2.0
"""Did this key sign these bytes? Ed25519 (RFC 8032) and ML-DSA-44 (FIPS 204), from raw public keys."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from servanda.proof.errors import ProofError

ED25519_PUBLIC_BYTES = 32
"""The length of a raw Ed25519 public key."""

ED25519_SIGNATURE_BYTES = 64
"""The length of an Ed25519 signature."""

MLDSA44_PUBLIC_BYTES = 1_312
"""The length of a raw ML-DSA-44 public key."""

MLDSA44_SIGNATURE_BYTES = 2_420
"""The length of an ML-DSA-44 signature."""

# Parsing a key costs a good part of a verification, and a centre meets the same few keys again and again.
_KEYS_CACHED = 1_024


class SignatureInvalid(ProofError):
    """The signature is not one of this key over these bytes, or the key is none."""


@lru_cache(maxsize=_KEYS_CACHED)
def key_id(public: bytes) -> str:
    """Return the key id: the first 32 hexadecimal characters of the SHA-256 of the raw public key (spec/README.md)."""
    return hashlib.sha256(public).hexdigest()[:32]


def verify_ed25519(public: bytes, message: bytes, signature: bytes) -> None:
    """Verify an Ed25519 signature (RFC 8032 section 5.1.7) by a raw public key of 32 bytes.

    Raises:
        SignatureInvalid: it does not verify, for whatever reason, malformed keys included.
    """
    try:
        _ed25519(public).verify(signature, message)
    except (InvalidSignature, ValueError, UnsupportedAlgorithm) as error:
        raise SignatureInvalid("the Ed25519 signature does not verify") from error


def verify_mldsa44(public: bytes, message: bytes, signature: bytes) -> None:
    """Verify an ML-DSA-44 signature (FIPS 204, empty context) by a raw public key of 1,312 bytes.

    Raises:
        SignatureInvalid: it does not verify, for whatever reason, malformed keys included.
    """
    try:
        _mldsa44(public).verify(signature, message)
    except (InvalidSignature, ValueError, UnsupportedAlgorithm) as error:
        raise SignatureInvalid("the ML-DSA-44 signature does not verify") from error


@lru_cache(maxsize=_KEYS_CACHED)
def _ed25519(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)


@lru_cache(maxsize=_KEYS_CACHED)
def _mldsa44(public: bytes) -> MLDSA44PublicKey:
    return MLDSA44PublicKey.from_public_bytes(public)
