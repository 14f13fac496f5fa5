# SPDX-License-Identifier: Apache-2.0
"""Where do private keys rest? In one file, encrypted under a passphrase with Argon2id and ChaCha20-Poly1305.

```
{"cipher":"chacha20-poly1305","kdf":{"iterations":3,"lanes":1,"memory":65536,"name":"argon2id","salt":"…"},
 "nonce":"…","sealed":"…","servanda-keyring":1}
```

Canonical JSON. `sealed`, once decrypted, is canonical JSON too: `{"keys":{name:{"algorithm":…,"private":…}},
"secrets":{name:…}}`. All members but `sealed` are its associated data, so none can be exchanged.
"""

from __future__ import annotations

import os
import secrets
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from servanda.keyring.errors import KeyringError
from servanda.keyring.memory import MemorySigner
from servanda.proof import canonical

FILE_BYTES_MAX = 4 * 1024 * 1024
"""A larger file is no keyring, and is not read."""

NAME_CHARACTERS_MAX = 128

_NONCE_BYTES = 12
_SALT_BYTES = 16
_KEY_BYTES = 32


class Cost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one guess at a passphrase costs (RFC 9106). Bounded, so that a hostile file cannot exhaust the machine."""

    memory: Annotated[int, msgspec.Meta(ge=8, le=1024 * 1024)] = 64 * 1024
    """In KiB; at least 8 for each lane, at most 1 GiB."""
    iterations: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3
    lanes: Annotated[int, msgspec.Meta(ge=1, le=16)] = 1


class _Kdf(Cost, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: Literal["argon2id"] = "argon2id"
    salt: bytes


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    version: Literal[1] = msgspec.field(default=1, name="servanda-keyring")
    cipher: Literal["chacha20-poly1305"] = "chacha20-poly1305"
    kdf: _Kdf
    nonce: bytes
    sealed: bytes

    def encode(self) -> bytes:
        """The bytes of the file."""
        return canonical.encode(msgspec.to_builtins(self))

    def associated(self) -> bytes:
        """The members that are authenticated without being encrypted."""
        members = msgspec.to_builtins(self)
        del members["sealed"]
        return canonical.encode(members)


class _Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    algorithm: str
    private: bytes


class _Content(msgspec.Struct, forbid_unknown_fields=True):
    keys: dict[str, _Key]
    secrets: dict[str, bytes]


class Keyring:
    """Named private keys and secrets. What is added or put is on disk only after `save`."""

    def __init__(self, path: Path, content: _Content, kdf: _Kdf, key: bytes, on_disk: bytes) -> None:
        """Use `create_keyring` or `open_keyring`."""
        self._path = path
        self._content = content
        self._kdf = kdf
        self._key = key
        self._on_disk = on_disk
        self._signers: dict[str, MemorySigner] = {}

    def names(self) -> list[str]:
        """The names of the keys, sorted."""
        return sorted(self._content.keys)

    def signer(self, name: str) -> MemorySigner:
        """The signer with this name.

        Raises:
            KeyringError: there is none.
        """
        if name not in self._signers:
            key = self._content.keys.get(name)
            if key is None:
                raise KeyringError(
                    f"{self._path}: no key named {name!r}; there are: {', '.join(self.names()) or 'none'}"
                )
            self._signers[name] = MemorySigner.from_seed(key.algorithm, key.private)
        return self._signers[name]

    def add(self, name: str, algorithm: str) -> MemorySigner:
        """Make a new random key. Keys are never replaced: a rotated key is still needed to read what it signed.

        Raises:
            KeyringError: the name is taken or no printable ASCII, or the algorithm is not `ed25519` or `ml-dsa-44`.
        """
        if name in self._content.keys:
            raise KeyringError(f"{self._path}: there is a key named {name!r} already: choose another name")
        self._check_name(name)
        signer = MemorySigner.generate(algorithm)
        self._content.keys[name] = _Key(algorithm, signer.seed())
        self._signers[name] = signer
        return signer

    def put_secret(self, name: str, value: bytes) -> None:
        """Insert or replace a secret that is not a signing key, such as the private key of TLS.

        Raises:
            KeyringError: the name is no printable ASCII.
        """
        self._check_name(name)
        self._content.secrets[name] = value

    def secret_names(self) -> list[str]:
        """The names of the secrets, sorted."""
        return sorted(self._content.secrets)

    def secret(self, name: str) -> bytes:
        """The secret with this name.

        Raises:
            KeyringError: there is none.
        """
        try:
            return self._content.secrets[name]
        except KeyError as error:
            raise KeyringError(f"{self._path}: no secret named {name!r}") from error

    def save(self) -> None:
        """Write the keyring: wholly or not at all, and durably.

        Raises:
            KeyringError: the file cannot be written, or is not the one that was opened (another process has saved).
        """
        if _read(self._path) != self._on_disk:
            raise KeyringError(f"{self._path}: it has changed since it was opened: open it again and repeat")
        self._on_disk = _write(self._path, self._content, self._kdf, self._key)

    def change_passphrase(self, new: str) -> None:
        """Encrypt under a new passphrase, at the same cost, and save. Older copies of the file keep their old one.

        Raises:
            KeyringError: the passphrase is empty, or as `save` raises it; the old passphrase is then still in force.
        """
        before = self._kdf, self._key
        cost = Cost(self._kdf.memory, self._kdf.iterations, self._kdf.lanes)
        self._kdf, self._key = _new_key(self._path, new, cost)
        try:
            self.save()
        except KeyringError:
            self._kdf, self._key = before
            raise

    def _check_name(self, name: str) -> None:
        if not (name.isascii() and name.isprintable() and 1 <= len(name) <= NAME_CHARACTERS_MAX):
            raise KeyringError(
                f"{self._path}: {name!r} is no name: take 1 to {NAME_CHARACTERS_MAX} printable ASCII characters"
            )


def create_keyring(path: Path, passphrase: str, names: Mapping[str, str], cost: Cost | None = None) -> Keyring:
    """Make a keyring with new random keys, and save it.

    Args:
        path: the file, which must not exist; it is created for its owner's eyes only.
        passphrase: any characters; those that look alike and are (Unicode NFC) count as the same.
        names: name of each key to its algorithm, `ed25519` or `ml-dsa-44`.
        cost: of a guess; the default takes 64 MiB and a fraction of a second. Cheaper ones are for tests.

    Raises:
        KeyringError: the file exists or cannot be written, the passphrase is empty, or a name or algorithm is refused.
    """
    path = Path(os.path.realpath(path))
    kdf, key = _new_key(path, passphrase, cost or Cost())
    keyring = Keyring(path, _Content({}, {}), kdf, key, b"")
    for name, algorithm in names.items():
        keyring.add(name, algorithm)
    try:
        # Reserves the name, so that of two who create it at the same time one fails; `save` expects this empty file.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as error:
        raise KeyringError(f"{path}: the file exists: open it, or choose another name") from error
    except OSError as error:
        raise KeyringError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        keyring.save()
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return keyring


def open_keyring(path: Path, passphrase: str) -> Keyring:
    """Read and decrypt a keyring. Takes the time and memory that it was created with.

    Raises:
        KeyringError: there is no such file, the passphrase is wrong, or the file is damaged or no keyring.
    """
    path = Path(os.path.realpath(path))
    data = _read(path)
    try:
        file = msgspec.convert(canonical.decode(data), type=_File)
        if file.encode() != data:
            raise msgspec.ValidationError("base64 is not in its one form")
    except (canonical.CanonicalError, msgspec.ValidationError) as error:
        raise KeyringError(f"{path}: damaged or no keyring ({error}): restore it from a copy") from error
    key = _derive(path, passphrase, file.kdf)
    try:
        clear = ChaCha20Poly1305(key).decrypt(file.nonce, file.sealed, file.associated())
        content = msgspec.json.decode(clear, type=_Content)
    except (InvalidTag, ValueError) as error:
        raise KeyringError(
            f"{path}: the passphrase is wrong or the file is damaged: try again, or restore it from a copy"
        ) from error
    return Keyring(path, content, file.kdf, key, data)


def _new_key(path: Path, passphrase: str, cost: Cost) -> tuple[_Kdf, bytes]:
    """A fresh salt with the key that it gives."""
    if not passphrase:
        raise KeyringError(f"{path}: the passphrase is empty: choose one")
    salt = secrets.token_bytes(_SALT_BYTES)
    kdf = _Kdf(cost.memory, cost.iterations, cost.lanes, salt=salt)
    return kdf, _derive(path, passphrase, kdf)


def _derive(path: Path, passphrase: str, kdf: _Kdf) -> bytes:
    try:
        # NFC as in RFC 8265 section 4.2: keyboards differ in how they compose one and the same letter.
        secret = unicodedata.normalize("NFC", passphrase).encode()
        derivation = Argon2id(
            salt=kdf.salt, length=_KEY_BYTES, iterations=kdf.iterations, lanes=kdf.lanes, memory_cost=kdf.memory
        )
        return derivation.derive(secret)
    except (ValueError, MemoryError) as error:
        raise KeyringError(f"{path}: no key can be derived from this passphrase and file: {error}") from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError as error:
        raise KeyringError(f"{path}: there is no keyring: create one, or name the right file") from error
    except OSError as error:
        raise KeyringError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > FILE_BYTES_MAX:
        raise KeyringError(f"{path}: no keyring: it is larger than {FILE_BYTES_MAX} bytes")
    return data


def _write(path: Path, content: _Content, kdf: _Kdf, key: bytes) -> bytes:
    """Encrypt under a fresh nonce and replace the file; return its bytes."""
    blank = _File(kdf=kdf, nonce=secrets.token_bytes(_NONCE_BYTES), sealed=b"")
    clear = canonical.encode(msgspec.to_builtins(content))
    sealed = ChaCha20Poly1305(key).encrypt(blank.nonce, clear, blank.associated())
    data = msgspec.structs.replace(blank, sealed=sealed).encode()
    if len(data) > FILE_BYTES_MAX:
        raise KeyringError(f"{path}: it would be larger than {FILE_BYTES_MAX} bytes: put less into it")
    try:
        replace_file(path, data)
    except OSError as error:
        raise KeyringError(f"{path}: cannot be written: {error.strerror}") from error
    return data


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` in the place of a file, for its owner's eyes: after a crash either the old or the new bytes are there.

    Raises:
        OSError: it cannot be written; the old bytes are there.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
