# SPDX-License-Identifier: Apache-2.0
"""Who else holds this journal to this size, and since when? C2SP tlog-cosignature, both types."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from servanda.proof.checkpoints import Checkpoint
from servanda.proof.errors import ProofError
from servanda.proof.keys import (
    ED25519_SIGNATURE_BYTES,
    MLDSA44_SIGNATURE_BYTES,
    SignatureInvalid,
    verify_ed25519,
    verify_mldsa44,
)
from servanda.proof.merkle import HASH_BYTES
from servanda.proof.notes import KEY_ID_BYTES, KIND_COSIGNATURE, KIND_MLDSA44, NoteSignature, note_key_id

TIMESTAMP_MAX = 2**63 - 1
"""The largest timestamp, in seconds since the Epoch (tlog-cosignature, format)."""

_TIMESTAMP_BYTES = 8
_SIGNATURE_BYTES = {KIND_COSIGNATURE: ED25519_SIGNATURE_BYTES, KIND_MLDSA44: MLDSA44_SIGNATURE_BYTES}
_MLDSA44_LABEL = b"subtree/v1\n\0"


class CosignatureError(ProofError):
    """Bytes are not a cosignature, or a cosignature does not verify."""


class Cosignature(NamedTuple):
    """A key ID of 4 bytes, a time in seconds since the Epoch, and a signature. It is claimed, not verified."""

    key_id: bytes
    timestamp: int
    signature: bytes

    def encode(self) -> bytes:
        """Return the bytes that stand, as base64, in a note's signature line.

        Raises:
            CosignatureError: the timestamp is not 0 to 2^63 - 1.
        """
        return self.key_id + _encode_timestamp(self.timestamp) + self.signature


def parse_cosignature(data: bytes, kind: int) -> Cosignature:
    """Return the cosignature of type 0x04 or 0x06 that the bytes of a signature line are.

    Raises:
        CosignatureError: the type is another, the length is wrong or the timestamp exceeds 2^63 - 1.
    """
    start = KEY_ID_BYTES + _TIMESTAMP_BYTES
    if len(data) != start + _signature_bytes(kind):
        raise CosignatureError("a cosignature of a wrong length")
    timestamp = int.from_bytes(data[KEY_ID_BYTES:start], "big")
    if timestamp > TIMESTAMP_MAX:
        raise CosignatureError("the timestamp exceeds 2^63 - 1")
    return Cosignature(data[:KEY_ID_BYTES], timestamp, data[start:])


def ed25519_message(checkpoint: Checkpoint, timestamp: int) -> bytes:
    """Return the bytes that a cosignature of type 0x04 signs (tlog-cosignature, Ed25519 signed message).

    Raises:
        CheckpointError: the checkpoint has no text.
        CosignatureError: the timestamp is not 0 to 2^63 - 1.
    """
    _encode_timestamp(timestamp)
    return f"cosignature/v1\ntime {timestamp}\n{checkpoint.text()}".encode()


def mldsa44_message(cosigner_name: str, timestamp: int, origin: str, start: int, end: int, root: bytes) -> bytes:
    """Return the bytes that a cosignature of type 0x06 signs (tlog-cosignature, ML-DSA-44 signed message).

    Args:
        cosigner_name: the key name, 1 to 255 bytes of UTF-8.
        timestamp: seconds since the Epoch; 0 if `start` is not 0.
        origin: the origin line without its newline, 1 to 255 bytes of UTF-8.
        start: the first leaf of the subtree; 0 for a checkpoint.
        end: the leaf after the last one; the size for a checkpoint.
        root: the root hash of the subtree, 32 bytes.

    Raises:
        CosignatureError: an argument is out of its range.
    """
    if not 0 <= start <= end < 2**64 or (start and timestamp):
        raise CosignatureError("not a subtree, or a subtree with a timestamp")
    if len(root) != HASH_BYTES:
        raise CosignatureError(f"the root is not {HASH_BYTES} bytes")
    span = start.to_bytes(8, "big") + end.to_bytes(8, "big")
    names = _encode_name(cosigner_name) + _encode_timestamp(timestamp) + _encode_name(origin)
    return _MLDSA44_LABEL + names + span + root


def cosign(
    checkpoint: Checkpoint, *, name: str, kind: int, timestamp: int, sign: Callable[[bytes], bytes], public: bytes
) -> NoteSignature:
    """Return a cosignature of type 0x04 or 0x06 on a checkpoint, as a note's signature.

    Args:
        checkpoint: what is cosigned.
        name: the key name of the cosigner.
        kind: `KIND_COSIGNATURE` or `KIND_MLDSA44`.
        timestamp: seconds since the Epoch.
        sign: makes a signature of that algorithm over the bytes it is given.
        public: the raw public key that belongs to it.

    Raises:
        CheckpointError: the checkpoint has no text.
        CosignatureError: an argument is out of its range.
    """
    message = _message(checkpoint, name, kind, timestamp)
    made = Cosignature(note_key_id(name, kind, public), timestamp, sign(message))
    return NoteSignature(name, made.key_id, made.encode()[KEY_ID_BYTES:])


def verify_cosignature(checkpoint: Checkpoint, *, name: str, kind: int, public: bytes, cosignature: Cosignature) -> int:
    """Return the timestamp of a cosignature that verifies: seconds since the Epoch.

    Raises:
        CheckpointError: the checkpoint has no text.
        CosignatureError: the key ID is not that of this name, type and key, or the signature does not verify.
    """
    if cosignature.key_id != note_key_id(name, kind, public):
        raise CosignatureError("the key ID is another key's")
    message = _message(checkpoint, name, kind, cosignature.timestamp)
    verify = verify_ed25519 if kind == KIND_COSIGNATURE else verify_mldsa44
    try:
        verify(public, message, cosignature.signature)
    except SignatureInvalid as error:
        raise CosignatureError(f"the cosignature by {name} does not verify") from error
    return cosignature.timestamp


def _message(checkpoint: Checkpoint, name: str, kind: int, timestamp: int) -> bytes:
    _signature_bytes(kind)
    if kind == KIND_COSIGNATURE:
        return ed25519_message(checkpoint, timestamp)
    return mldsa44_message(name, timestamp, checkpoint.origin, 0, checkpoint.size, checkpoint.root)


def _signature_bytes(kind: int) -> int:
    try:
        return _SIGNATURE_BYTES[kind]
    except KeyError as error:
        raise CosignatureError("not a type of cosignature") from error


def _encode_timestamp(timestamp: int) -> bytes:
    if not 0 <= timestamp <= TIMESTAMP_MAX:
        raise CosignatureError("the timestamp is not 0 to 2^63 - 1")
    return timestamp.to_bytes(_TIMESTAMP_BYTES, "big")


def _encode_name(name: str) -> bytes:
    try:
        data = name.encode()
    except UnicodeEncodeError as error:
        raise CosignatureError("a name holds a lone surrogate") from error
    if not 1 <= len(data) <= 255:
        raise CosignatureError("a name is not 1 to 255 bytes")
    return bytes([len(data)]) + data
