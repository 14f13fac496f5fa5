# SPDX-License-Identifier: Apache-2.0
"""Does a signer in memory give the keys and signatures that its seed determines?"""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from servanda.keyring.errors import KeyringError
from servanda.keyring.memory import MemorySigner


def test_ed25519_is_rfc_8032_section_7_1_test_2() -> None:
    signer = MemorySigner.from_seed(
        "ed25519", bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    )
    assert signer.public.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert signer.sign(b"\x72").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


def test_ml_dsa_44_signs_with_an_empty_context() -> None:
    signer = MemorySigner.from_seed("ml-dsa-44", b"\x07" * 32)
    assert signer.public == MemorySigner.from_seed("ml-dsa-44", b"\x07" * 32).public
    MLDSA44PublicKey.from_public_bytes(signer.public).verify(signer.sign(b"m"), b"m", b"")


@pytest.mark.parametrize("algorithm", ["ed25519", "ml-dsa-44"])
def test_generated_keys_differ_and_can_be_made_again_from_their_seed(algorithm: str) -> None:
    one, two = MemorySigner.generate(algorithm), MemorySigner.generate(algorithm)
    assert one.public != two.public
    again = MemorySigner.from_seed(algorithm, one.seed())
    assert (again.public, again.algorithm) == (one.public, algorithm)


@pytest.mark.parametrize(("algorithm", "length"), [("ed25519", 31), ("ml-dsa-44", 33), ("ed25519", 0), ("rsa", 32)])
def test_other_algorithms_and_lengths_are_refused(algorithm: str, length: int) -> None:
    with pytest.raises(KeyringError):
        MemorySigner.from_seed(algorithm, bytes(length))


def test_a_signer_does_not_show_its_key() -> None:
    assert (b"\x07" * 4).hex() not in repr(MemorySigner.from_seed("ed25519", b"\x07" * 32))
