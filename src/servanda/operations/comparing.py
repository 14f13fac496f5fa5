# SPDX-License-Identifier: Apache-2.0
"""Comparing heads: what two centres hold of a third one's journal, and the proof if it showed them two histories."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress

from servanda.journal.state import JournalState, RecordState, Tree
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal
from servanda.operations.ports import Courier, Push
from servanda.operations.receipts import take_receipts
from servanda.proof.checkpoints import Checkpoint, CheckpointError, verify_checkpoint
from servanda.proof.forks import ForkError, ForkProof, parse_fork_proof, verify_fork_proof
from servanda.proof.merkle import MerkleError, consistency_path, leaf_hash, roots_of_path
from servanda.proof.notes import Note, NoteError, parse_note

PathFrom = Callable[[int, int], Sequence[bytes]]
"""Gives the consistency path between two sizes in the other centre's copy, starting with a node of the older tree."""


def whole_path(tree: Tree, first: int, second: int) -> list[bytes]:
    """The consistency path that always starts with a node of the older tree (spec/journal.md, Proof of a fork).

    Raises:
        Refusal: the sizes are not within the tree.
    """
    if not 0 < first <= second <= tree.size:
        raise Refusal(f"no path from {first} to {second}: {tree.size} are held", "gap")
    path = consistency_path(first, second, tree.node)
    return [tree.root(first), *path] if first & (first - 1) == 0 and first < second else path


def held_note(centre: Centre, journal: str) -> bytes:
    """The newest signed checkpoint that we hold of a journal; our own is signed now."""
    if journal == centre.party:
        return centre.note_at(centre.journal.size)
    note = centre.store.checkpoint(journal)
    if note is None:
        raise Refusal(f"no checkpoint of {journal} is held", "wrong-journal")
    return note


def compare(centre: Centre, journal: str, theirs: bytes, path: PathFrom) -> ForkProof | None:
    """Compare another centre's checkpoint of a journal with ours.

    Returns:
        None if one extends the other; else the proof that the journal's party has signed two histories.

    Raises:
        Refusal: their note is not signed by that party's centre key, or their path proves nothing.
    """
    state = centre.record.journals[journal]
    ours = held_note(centre, journal)
    keys = [identity.centre.ed25519 for identity in state.identities.up_to(state.size)]
    mine = _checked(parse_note(ours), keys, state)
    other = _checked(_note(theirs), keys, state)
    if other.size == mine.size:
        proof = ForkProof(ours, theirs, ()) if other.root != mine.root else None
    elif other.size < mine.size:
        agreed = state.tree.root(other.size) == other.root
        proof = None if agreed else ForkProof(theirs, ours, tuple(whole_path(state.tree, other.size, mine.size)))
    else:
        hashes = tuple(path(mine.size, other.size))
        proof = _against_longer(mine, other, hashes, ours, theirs)
    if proof is not None:
        verify_fork_proof(proof, keys)
    return proof


def _note(data: bytes) -> Note:
    try:
        return parse_note(data)
    except NoteError as error:
        raise Refusal(f"their checkpoint: {error}", "checkpoint") from error


def _checked(note: Note, keys: Sequence[bytes], state: JournalState) -> Checkpoint:
    for key in keys:
        try:
            checkpoint = verify_checkpoint(note, key)
        except CheckpointError:
            continue
        if checkpoint.origin == state.origin and checkpoint.size > 0:
            return checkpoint
    raise Refusal(f"the note is not a checkpoint signed by the centre of {state.party}", "checkpoint")


def _against_longer(
    mine: Checkpoint, other: Checkpoint, hashes: tuple[bytes, ...], ours: bytes, theirs: bytes
) -> ForkProof | None:
    try:
        first, second = roots_of_path(mine.size, other.size, list(hashes))
    except MerkleError as error:
        raise Refusal(f"their path: {error}", "checkpoint") from error
    if second != other.root:
        raise Refusal("their path does not lead to their checkpoint", "checkpoint")
    return None if first == mine.root else ForkProof(ours, theirs, hashes)


def proof_in_push(centre: Centre, push: Push) -> ForkProof | None:
    """The proof of a fork that a conflicting push may carry: its checkpoint against ours, its leaves against ours."""
    state = centre.record.journals[push.journal]
    branch = Tree()
    for leaf in centre.store.leaves(push.journal, 1, push.first - 1) if push.first > 1 else []:
        branch.append(leaf_hash(leaf))
    for leaf in push.leaves:
        branch.append(leaf_hash(leaf))
    if branch.size + 1 < push.first or state.size == 0:
        return None
    return compare(centre, push.journal, push.checkpoint, lambda first, second: whole_path(branch, first, second))


def proven_party(record: RecordState, encoded: bytes) -> str:
    """Whose fork a proof proves, by the centre keys that the record holds.

    Raises:
        Refusal: it does not hold, or is about a journal that is not held (`fork`).
    """
    return fork_in(record, encoded)[0].party


def fork_in(record: RecordState, encoded: bytes) -> tuple[JournalState, Checkpoint, Checkpoint]:
    """The journal whose fork a proof proves, and the two checkpoints that its centre has signed.

    Raises:
        Refusal: as `proven_party`.
    """
    try:
        proof = parse_fork_proof(encoded)
        origin = proof.first.partition(b"\n")[0].decode()
        state = next((state for state in record.journals.values() if state.origin == origin), None)
        if state is None or not state.size:
            raise Refusal("the proof is about a journal that is not held, or about another agreement", "fork")
        keys = [identity.centre.ed25519 for identity in state.identities.up_to(state.size)]
        first, second = verify_fork_proof(proof, keys)
    except (ForkError, UnicodeDecodeError) as error:
        raise Refusal(f"the proof does not hold: {error}", "fork") from error
    return state, first, second


def keep_proof(centre: Centre, journal: str, proof: ForkProof) -> str:
    """Keep a proof of a fork, and let the journal have effect only as far as the others uphold it; returns its name.

    One that disputes no more than a proof held already adds nothing, and is not kept: who signs a thousand histories
    must not fill the store with them, nor have everything derived anew for each.
    """
    for known, kept in sorted(centre.forks.get(journal, {}).items()):
        if _disputed(parse_fork_proof(kept)) >= _disputed(proof):
            return known
    encoded = proof.encode()
    name = f"fork-{journal}-{hashlib.sha256(encoded).hexdigest()[:16]}"
    with centre.store.transaction() as writer:
        writer.put_fork(journal, name, encoded)
    centre.reload()
    return name


def _disputed(proof: ForkProof) -> int:
    """The size at which a proof that has been verified shows two histories."""
    return size_of(proof.first)


def exchange_heads(centre: Centre, courier: Courier, peer: str) -> dict[str, str]:
    """Compare with `peer` the heads of every journal that both hold; proofs found are kept.

    The centre's lock is not held while the other centre is asked.

    Returns:
        journal to the name of the proof kept, for journals that have forked.
    """
    found = {}
    for journal, state in sorted(centre.record.journals.items()):
        if journal == centre.party or not state.size:
            continue
        try:
            theirs = courier.checkpoint(peer, journal)
        except Refusal:
            continue  # they hold nothing of it yet
        mine, other = state.size, size_of(theirs)
        path = courier.consistency(peer, journal, mine, other) if other > mine else []
        with centre.lock:
            if state.size != mine:
                continue  # it has grown meanwhile: compare next time
            if other == mine:
                _learn(centre, journal, theirs)
            proof = compare(centre, journal, theirs, lambda _first, _second, path=path: path)  # type: ignore[misc]
            if proof is not None:
                found[journal] = keep_proof(centre, journal, proof)
    return found


def _learn(centre: Centre, journal: str, theirs: bytes) -> None:
    """Keep the receipts that come with a checkpoint of a journal: who else holds it, for the dossier."""
    size = size_of(theirs)
    for by in centre.record.journals:
        if by != journal:
            with suppress(Refusal):
                take_receipts(centre, journal, by, size, theirs.partition(b"\n\n")[2])


def size_of(note: bytes) -> int:
    """The size that a checkpoint note states, not yet verified; 0 if it states none."""
    lines = note.split(b"\n", 3)
    return int(lines[1]) if len(lines) > 2 and lines[1].isdigit() and len(lines[1]) < 17 else 0
