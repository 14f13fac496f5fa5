# SPDX-License-Identifier: Apache-2.0
"""With what is it signed? With a private key in this process: from a keyring, or made for tests and simulation."""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from servanda.keyring.errors import KeyringError

SEED_BYTES = 32
"""Length of a private key: the seed of RFC 8032 section 5.1.5 and the seed ξ of FIPS 204 algorithm 1."""


class MemorySigner:
    """The `Signer` port over one private key in memory."""

    def __init__(self, algorithm: str, key: Ed25519PrivateKey | MLDSA44PrivateKey) -> None:
        self._algorithm = algorithm
        self._key = key
        self._public = key.public_key().public_bytes_raw()

    @classmethod
    def from_seed(cls, algorithm: str, seed: bytes) -> MemorySigner:
        """The signer that a seed of 32 bytes determines.

        Raises:
            KeyringError: the algorithm is neither `ed25519` nor `ml-dsa-44`, or the seed has another length.
        """
        if len(seed) != SEED_BYTES:
            raise KeyringError(f"a private key has {SEED_BYTES} bytes, not {len(seed)}")
        if algorithm == "ed25519":
            return cls(algorithm, Ed25519PrivateKey.from_private_bytes(seed))
        if algorithm == "ml-dsa-44":
            return cls(algorithm, MLDSA44PrivateKey.from_seed_bytes(seed))
        raise KeyringError(f"no algorithm {algorithm!r}: choose ed25519 or ml-dsa-44")

    @classmethod
    def generate(cls, algorithm: str) -> MemorySigner:
        """A signer with a new random key.

        Raises:
            KeyringError: the algorithm is neither `ed25519` nor `ml-dsa-44`.
        """
        return cls.from_seed(algorithm, secrets.token_bytes(SEED_BYTES))

    @property
    def algorithm(self) -> str:
        """`ed25519` or `ml-dsa-44`."""
        return self._algorithm

    @property
    def public(self) -> bytes:
        """The raw public key (32 or 1,312 bytes)."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """The raw signature (64 bytes; or 2,420 bytes, different each time and with an empty context)."""
        return self._key.sign(message)

    def seed(self) -> bytes:
        """The private key. Only the keyring asks for it, to encrypt it."""
        return self._key.private_bytes_raw()
