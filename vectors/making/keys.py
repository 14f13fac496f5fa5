# SPDX-License-Identifier: Apache-2.0
"""With what are the vectors signed? With keys whose seeds are the hashes of their names, the same in every run."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from servanda.keyring.memory import MemorySigner
from servanda.proof.keys import verify_mldsa44


class Signatures:
    """ML-DSA-44 signatures, made once and kept: the library makes others each time, so they cannot be made again."""

    def __init__(self, path: Path, *, may_sign: bool) -> None:
        """Read those kept in `path`; new ones are made only if `may_sign`."""
        self.path = path
        self.may_sign = may_sign
        self.kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        self.used: set[str] = set()

    def sign(self, signer: MemorySigner, message: bytes) -> bytes:
        """The signature kept for this key and message, verified; or a new one.

        Raises:
            LookupError: none is kept, and none may be made.
        """
        name = hashlib.sha256(signer.public + message).hexdigest()
        if name not in self.kept:
            if not self.may_sign:
                raise LookupError(f"no ML-DSA-44 signature {name} is kept in {self.path.name}; write the vectors anew")
            self.kept[name] = base64.b64encode(signer.sign(message)).decode()
        self.used.add(name)
        signature = base64.b64decode(self.kept[name])
        verify_mldsa44(signer.public, message, signature)
        return signature

    def text(self) -> bytes:
        """The file as it should be: every signature that was used, and no other."""
        return (json.dumps({name: self.kept[name] for name in sorted(self.used)}, indent=0) + "\n").encode()


def ed25519(*parts: str) -> MemorySigner:
    """The Ed25519 key of a name: its seed is the SHA-256 of the parts, joined by slashes."""
    return MemorySigner.from_seed("ed25519", hashlib.sha256("/".join(("vectors", *parts)).encode()).digest())


def mldsa44(*parts: str) -> MemorySigner:
    """The ML-DSA-44 key of a name, from a seed made like that of `ed25519`."""
    return MemorySigner.from_seed("ml-dsa-44", hashlib.sha256("/".join(("vectors", *parts)).encode()).digest())


class Keys(NamedTuple):
    """All keys of one party, as one identity entry states them."""

    centre: MemorySigner
    centre_mldsa44: MemorySigner
    receipt: MemorySigner
    receipt_mldsa44: MemorySigner
    officers: dict[str, MemorySigner]
    roots: tuple[MemorySigner, ...]


def keys_of(party: str, generation: str = "1") -> Keys:
    """The keys of a party; another generation shares none with the one before."""
    name = (party, generation)
    return Keys(
        centre=ed25519(*name, "centre"),
        centre_mldsa44=mldsa44(*name, "centre"),
        receipt=ed25519(*name, "receipt"),
        receipt_mldsa44=mldsa44(*name, "receipt"),
        officers={officer: ed25519(*name, officer) for officer in ("chief", "desk", "duty")},
        roots=(ed25519(*name, "root", "1"), ed25519(*name, "root", "2")),
    )


def text_of(raw: bytes) -> str:
    """Base64 of RFC 4648 section 4."""
    return base64.b64encode(raw).decode()
