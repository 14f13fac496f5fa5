# SPDX-License-Identifier: Apache-2.0
"""Did a centre say two things? Two signed checkpoints that no one journal has (spec/journal.md, proof of a fork)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from servanda.proof import canonical
from servanda.proof.canonical import CanonicalError
from servanda.proof.checkpoints import Checkpoint, CheckpointError, parse_checkpoint, verify_checkpoint
from servanda.proof.encodings import EncodingError, decode_hash
from servanda.proof.errors import ProofError
from servanda.proof.merkle import MerkleError, roots_of_path
from servanda.proof.notes import Note, NoteError, parse_note

_MEMBERS = {"consistency", "first", "second", "servanda-fork"}
_VERSION = 1


class ForkError(ProofError):
    """Bytes are not a proof of a fork, or what they hold proves none."""


class ForkProof(NamedTuple):
    """Two signed notes of one origin, the older or equal one first, and the path that convicts: hashes of 32 bytes."""

    first: bytes
    second: bytes
    consistency: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Return the canonical JSON of the proof.

        Raises:
            ForkError: a note is not UTF-8.
        """
        try:
            return canonical.encode(
                {
                    "consistency": [item.hex() for item in self.consistency],
                    "first": self.first.decode(),
                    "second": self.second.decode(),
                    "servanda-fork": _VERSION,
                }
            )
        except UnicodeDecodeError as error:
            raise ForkError("a note is not UTF-8") from error


def parse_fork_proof(data: bytes) -> ForkProof:
    """Return the proof that the bytes are. Nothing in it is verified here.

    Raises:
        ForkError: they have another form.
    """
    try:
        value = canonical.decode(data)
    except CanonicalError as error:
        raise ForkError(f"a proof of a fork: {error}") from error
    if not isinstance(value, dict) or value.keys() != _MEMBERS:
        raise ForkError("a proof of a fork has exactly consistency, first, second and servanda-fork")
    if type(value["servanda-fork"]) is not int or value["servanda-fork"] != _VERSION:
        raise ForkError("not a proof of a fork, version 1")
    first, second, path = value["first"], value["second"], value["consistency"]
    if not isinstance(first, str) or not isinstance(second, str) or not isinstance(path, list):
        raise ForkError("a member of the proof has a wrong type")
    try:
        return ForkProof(first.encode(), second.encode(), tuple([decode_hash(item) for item in path]))
    except EncodingError as error:
        raise ForkError(f"the path: {error}") from error


def verify_fork_proof(proof: ForkProof, origin_keys: Sequence[bytes]) -> tuple[Checkpoint, Checkpoint]:
    """Return the two checkpoints, if they prove that their journal forked.

    Args:
        proof: what is claimed.
        origin_keys: the raw Ed25519 centre keys of the party, present and past; each note is signed by any of them.

    Raises:
        ForkError: it proves nothing.
    """
    first = _checkpoint(proof.first, origin_keys)
    second = _checkpoint(proof.second, origin_keys)
    if first.origin != second.origin:
        raise ForkError("the checkpoints are of two journals")
    if first.size > second.size:
        raise ForkError("the first checkpoint is of a larger tree than the second")
    if first.size == second.size:
        if proof.consistency or first.root == second.root:
            raise ForkError("of one size: the path is empty and the roots differ")
        return first, second
    try:
        older, newer = roots_of_path(first.size, second.size, proof.consistency)
    except MerkleError as error:
        raise ForkError(str(error)) from error
    if newer != second.root:
        raise ForkError("the path does not lead to the second root")
    if older == first.root:
        raise ForkError("the first tree is the beginning of the second: no fork")
    return first, second


def _checkpoint(data: bytes, origin_keys: Sequence[bytes]) -> Checkpoint:
    try:
        note = parse_note(data)
        checkpoint = parse_checkpoint(note.text)
    except (NoteError, CheckpointError) as error:
        raise ForkError(f"a checkpoint: {error}") from error
    if not any(_signed(note, public) for public in origin_keys):
        raise ForkError("a checkpoint is signed by none of the centre keys")
    return checkpoint


def _signed(note: Note, public: bytes) -> bool:
    try:
        verify_checkpoint(note, public)
    except CheckpointError:
        return False
    return True
