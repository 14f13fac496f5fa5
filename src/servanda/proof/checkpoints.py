# SPDX-License-Identifier: Apache-2.0
"""How far has a journal grown, and with what root? C2SP tlog-checkpoint without extension lines (spec/journal.md)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from servanda.proof.canonical import INTEGER_MAX
from servanda.proof.encodings import EncodingError, decode_base64, encode_base64
from servanda.proof.errors import ProofError
from servanda.proof.merkle import HASH_BYTES
from servanda.proof.notes import (
    KIND_ED25519,
    Note,
    NoteError,
    NoteSignature,
    VerifierKey,
    note_key_id,
    verify_note_ed25519,
)

_SIZE = re.compile(r"(?:0|[1-9][0-9]{0,15})\Z")
_FORBIDDEN = re.compile("[\x00-\x1f\ud800-\udfff]")


class CheckpointError(ProofError):
    """A text is not a checkpoint, or a checkpoint is not signed by its journal."""


class Checkpoint(NamedTuple):
    """A tree: whose (origin), how many leaves, and its root hash of 32 bytes."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the three lines that are signed.

        Raises:
            CheckpointError: the origin cannot be a key name, the size is not 0 to 2^53 - 1, or the root not 32 bytes.
        """
        _check_origin(self.origin)
        if not 0 <= self.size <= INTEGER_MAX or len(self.root) != HASH_BYTES:
            raise CheckpointError("the size is out of range, or the root is not 32 bytes")
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint of a note's text: exactly origin, size and root (tlog-checkpoint, spec/journal.md).

    Raises:
        CheckpointError: the text is anything else; extension lines are refused.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise CheckpointError("not three lines")
    origin, size, encoded, _ = lines
    _check_origin(origin)
    if not _SIZE.match(size) or int(size) > INTEGER_MAX:
        raise CheckpointError("the size is not a decimal number up to 2^53 - 1")
    try:
        root = decode_base64(encoded)
    except EncodingError as error:
        raise CheckpointError(f"the root: {error}") from error
    if len(root) != HASH_BYTES:
        raise CheckpointError("the root is not 32 bytes")
    return Checkpoint(origin, int(size), root)


def sign_checkpoint(checkpoint: Checkpoint, sign: Callable[[bytes], bytes], public: bytes) -> NoteSignature:
    """Return the journal's own signature: type 0x01 with key name = origin (spec/journal.md).

    Args:
        checkpoint: what is signed.
        sign: makes an Ed25519 signature over the bytes it is given.
        public: the raw public key that belongs to it.

    Raises:
        CheckpointError: the checkpoint has no text.
    """
    signature = sign(checkpoint.text().encode())
    return NoteSignature(checkpoint.origin, note_key_id(checkpoint.origin, KIND_ED25519, public), signature)


def verify_checkpoint(note: Note, public: bytes) -> Checkpoint:
    """Return the checkpoint of a note that carries a valid signature of type 0x01 by its journal's centre key.

    Other signature lines are ignored.

    Raises:
        CheckpointError: the text is no checkpoint, or the signature is missing or wrong.
    """
    checkpoint = parse_checkpoint(note.text)
    try:
        verify_note_ed25519(note, VerifierKey(checkpoint.origin, KIND_ED25519, public))
    except NoteError as error:
        raise CheckpointError(str(error)) from error
    return checkpoint


def _check_origin(origin: str) -> None:
    # C2SP only recommends this form; here the origin is always the key name as well, which must have it.
    if origin.split() != [origin] or "+" in origin or _FORBIDDEN.search(origin):
        raise CheckpointError("the origin is empty, or holds spaces, a plus or control characters")
