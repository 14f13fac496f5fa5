# SPDX-License-Identifier: Apache-2.0
"""Does a file open to those for whom it was encrypted, to nobody else, and never half?"""

from __future__ import annotations

import base64

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servanda.keyring.age import HEADER, decrypt, encrypt, is_encrypted, new_secret, public_of
from servanda.operations.errors import Refusal

OURS, OTHERS, STRANGERS = (bytes([n]) * 32 for n in (1, 2, 3))
TEXT = b"What only two may read. " * 10_000
SEALED = encrypt(TEXT, [public_of(OURS), public_of(OTHERS)])
MAX = 2**30


def code(data: bytes, secrets: tuple[bytes, ...] = (OURS,), bytes_max: int = MAX) -> str:
    with pytest.raises(Refusal) as caught:
        decrypt(data, secrets, bytes_max)
    return caught.value.code


def test_each_recipient_opens_it_with_any_key_it_ever_had() -> None:
    assert is_encrypted(SEALED)
    for secrets in ((OURS,), (OTHERS,), (STRANGERS, OURS)):
        assert decrypt(SEALED, secrets, MAX) == TEXT


def test_the_text_does_not_stand_in_it() -> None:
    assert b"What only two" not in SEALED


def test_keys_are_written_as_the_library_writes_them() -> None:
    # Appendix of age-encryption.org/v1, and a round trip through the library with keys of ours and keys of its own.
    own = pyrage.x25519.Identity.generate()
    assert pyrage.decrypt(encrypt(b"x", [public_of(OURS)]), [own_of(OURS)]) == b"x"
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(encrypt(b"x", [public_of(OURS)]), [own])


def own_of(secret: bytes) -> pyrage.x25519.Identity:
    from servanda.keyring.age import _bech32

    return pyrage.x25519.Identity.from_str(_bech32("age-secret-key-", secret).upper())


def test_new_keys_differ() -> None:
    assert len({new_secret() for _ in range(5)}) == 5


def test_nobody_else_opens_it() -> None:
    assert code(SEALED, (STRANGERS,)) == "encrypted"
    assert code(SEALED, ()) == "encrypted"


@pytest.mark.parametrize("left", [30, 300, -1_000, -17, -16, -1])
def test_a_truncated_file_is_refused_whole(left: int) -> None:
    assert code(SEALED[:left]) == "encrypted"


def test_a_file_cut_between_two_chunks_is_refused() -> None:
    start = SEALED.index(b"\n--- ") + len(b"\n--- ") + 43 + 1 + 16
    assert len(SEALED) > start + 2 * (65_536 + 16)
    assert code(SEALED[: start + 65_536 + 16]) == "encrypted"


@given(at=st.integers(0, len(SEALED) - 1), bit=st.integers(0, 7))
@settings(deadline=None, max_examples=150)
def test_a_flipped_bit_anywhere_is_refused(at: int, bit: int) -> None:
    changed = bytearray(SEALED)
    changed[at] ^= 1 << bit
    # A stanza for somebody else may be damaged unseen by us only if the header's MAC still held: it does not.
    assert code(bytes(changed)) == "encrypted"


@given(data=st.binary(max_size=300))
@settings(deadline=None)
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    assert code(HEADER + data) == "encrypted"


def stanza(name: bytes, share: bytes) -> bytes:
    def text(raw: bytes) -> bytes:
        return base64.b64encode(raw).rstrip(b"=")

    return b"-> " + name + b" " + text(share) + b"\n" + text(bytes(32)) + b"\n"


END = b"--- " + base64.b64encode(bytes(32)).rstrip(b"=") + b"\n" + bytes(40)


@pytest.mark.parametrize(
    "file",
    [
        HEADER + stanza(b"X25519", bytes(32)) + END,
        HEADER + stanza(b"scrypt", bytes(16)) + END,
        HEADER + stanza(b"X25519", b"\x09" + bytes(31)) * 100_000 + END,
        HEADER + b"-> X25519 x\n" * 100_000,
        HEADER + b"-> " + b"x" * 1_000_000,
        HEADER,
    ],
    ids=["share of small order", "passphrase", "many recipients", "no end", "long line", "nothing"],
)
def test_a_hostile_header_is_refused_at_once(file: bytes) -> None:
    assert code(file) == "encrypted"


def test_a_file_over_the_limit_is_not_even_tried() -> None:
    assert code(SEALED, bytes_max=len(SEALED) - 1) == "encrypted"
    assert decrypt(SEALED, (OURS,), len(SEALED)) == TEXT


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31)])
def test_nothing_is_encrypted_to_a_key_of_small_order(key: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        encrypt(TEXT, [public_of(OURS), key])
    assert caught.value.code == "no-encryption"


def test_nothing_is_encrypted_to_nobody() -> None:
    with pytest.raises(Refusal) as caught:
        encrypt(TEXT, [])
    assert caught.value.code == "no-encryption"
