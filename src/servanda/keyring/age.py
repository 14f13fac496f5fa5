# SPDX-License-Identifier: Apache-2.0
"""What only some may read: files in the format age-encryption.org/v1, for X25519 recipients (spec/bundle.md)."""

from __future__ import annotations

import secrets as chance
from collections.abc import Iterable, Sequence

import pyrage  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from servanda.operations.errors import Refusal

SECRET_BYTES = 32
HEADER = b"age-encryption.org/v1\n"
"""With what every such file begins, whatever its name."""

HEADER_BYTES_MAX, STANZAS_MAX = 16_384, 80
"""How long the header of a file may be, and for how many it may be: the library's time grows with their square."""

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def new_secret() -> bytes:
    """A new random private key (RFC 7748)."""
    return chance.token_bytes(SECRET_BYTES)


def public_of(secret: bytes) -> bytes:
    """The public key that belongs to a private one."""
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def is_encrypted(data: bytes) -> bool:
    """Whether bytes are such a file, as far as their beginning tells."""
    return data.startswith(HEADER)


def encrypt(data: bytes, publics: Sequence[bytes]) -> bytes:
    """Return a file that whoever has a private key to one of `publics` can open, and nobody else.

    Raises:
        Refusal: there is no recipient, or a key is none (`no-encryption`).
    """
    for key in publics:
        _check_public(key)
    try:
        encrypted: bytes = pyrage.encrypt(
            data, [pyrage.x25519.Recipient.from_str(_bech32("age", key)) for key in publics]
        )
    except (pyrage.RecipientError, pyrage.EncryptError) as error:
        raise Refusal(f"nothing can be encrypted so: {error}", "no-encryption") from error
    return encrypted


def _check_public(key: bytes) -> None:
    # With a point of small order the secret would be known to all (RFC 7748 section 6.1); the library panics at it.
    try:
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(key))
    except ValueError as error:
        raise Refusal("nothing can be encrypted to a key of small order", "no-encryption") from error


def decrypt(data: bytes, secrets: Iterable[bytes], bytes_max: int) -> bytes:
    """Return what is in a file.

    Raises:
        Refusal: no private key opens it, it is damaged, or larger than `bytes_max` (`encrypted`).
    """
    if len(data) > bytes_max:
        raise Refusal(f"an encrypted file of more than {bytes_max} bytes", "encrypted")
    header, whole, _ = data[:HEADER_BYTES_MAX].partition(b"\n--- ")
    if not whole or header.count(b"\n-> ") > STANZAS_MAX:
        raise Refusal("an encrypted file whose header is cut off or too long", "encrypted")
    identities = [pyrage.x25519.Identity.from_str(_bech32("age-secret-key-", secret).upper()) for secret in secrets]
    try:
        clear: bytes = pyrage.decrypt(data, identities)
    except pyrage.DecryptError as error:
        raise Refusal(
            f"the file cannot be opened: it is for somebody else, or damaged on the way ({error})", "encrypted"
        ) from error
    return clear


def public_of_text(text: str) -> bytes:
    """The public key that a text such as `age1…` stands for.

    Raises:
        Refusal: it is none (`no-encryption`).
    """
    try:
        pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise Refusal(f"{text[:80]!r} is no public key of age, age1…", "no-encryption") from error
    bits = 0
    values = [_ALPHABET.index(letter) for letter in text.lower().removeprefix("age1")[:-6]]
    for value in values:
        bits = bits << 5 | value
    return (bits >> len(values) * 5 % 8).to_bytes(SECRET_BYTES, "big")


def _bech32(prefix: str, data: bytes) -> str:
    """Bytes as age writes keys: Bech32 (BIP 173), without its limit of 90 characters."""
    bits = int.from_bytes(data, "big") << (-len(data) * 8 % 5)
    count = (len(data) * 8 + 4) // 5
    values = [bits >> 5 * (count - 1 - index) & 31 for index in range(count)]
    spread = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = _polymod([*spread, *values, 0, 0, 0, 0, 0, 0]) ^ 1
    values += [check >> 5 * (5 - index) & 31 for index in range(6)]
    return f"{prefix}1{''.join(_ALPHABET[value] for value in values)}"


def _polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for index, generator in enumerate(_GENERATOR):
            check ^= generator if top >> index & 1 else 0
    return check
