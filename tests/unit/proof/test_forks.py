# SPDX-License-Identifier: Apache-2.0
"""Proofs of a fork: they convict a centre that said two things, and nobody else."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from servanda.proof import canonical
from servanda.proof.checkpoints import Checkpoint, sign_checkpoint
from servanda.proof.forks import ForkError, ForkProof, parse_fork_proof, verify_fork_proof
from servanda.proof.merkle import Frontier, consistency_path, leaf_hash, root_at
from servanda.proof.notes import Note

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))
RETIRED = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes([2]) * 32)
ORIGIN = "servanda/6b1f/syr"
KEYS = [key.public_key().public_bytes_raw() for key in (RETIRED, PRIVATE)]
PROOFS = st.builds(
    ForkProof,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=9).map(str.encode),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=9).map(str.encode),
    st.lists(st.binary(min_size=32, max_size=32), max_size=3).map(tuple),
)


def tree(branch, at=0):
    """Nodes of a journal of 40 leaves, another one from leaf `at` on if `branch` differs."""
    frontier, nodes = Frontier(), {}
    for number in range(40):
        leaf = b"%s %d" % (branch if number >= at else b"", number)
        nodes |= {(level, index): node for level, index, node in frontier.append(leaf_hash(leaf))}
    return lambda level, index: nodes[level, index]


HONEST = tree(b"")
OTHER = tree(b"other", at=2)


def note(size, nodes, *, private=PRIVATE, origin=ORIGIN):
    checkpoint = Checkpoint(origin, size, root_at(size, nodes))
    line = sign_checkpoint(checkpoint, private.sign, private.public_key().public_bytes_raw())
    return Note(checkpoint.text(), (line,)).encode()


def path(first, second, nodes):
    """The path of the specification: it always starts with a node of the older tree."""
    proof = tuple(consistency_path(first, second, nodes))
    return (root_at(first, nodes), *proof) if first & (first - 1) == 0 else proof


def fork(first=7, second=9):
    return ForkProof(note(first, OTHER), note(second, HONEST), path(first, second, HONEST))


def equal_fork(size=7):
    return ForkProof(note(size, OTHER), note(size, HONEST), ())


@given(st.data())
def test_a_fork_is_proved_for_any_two_sizes_at_which_the_trees_differ(data):
    second = data.draw(st.integers(3, 40))
    first = data.draw(st.integers(3, second))
    proof = fork(first, second) if first < second else equal_fork(second)
    checkpoints = verify_fork_proof(parse_fork_proof(proof.encode()), KEYS)
    assert [item.size for item in checkpoints] == [first, second]
    assert [item.root for item in checkpoints] == [root_at(first, OTHER), root_at(second, HONEST)]


@given(st.data())
def test_an_honest_journal_is_never_convicted(data):
    second = data.draw(st.integers(1, 40))
    first = data.draw(st.integers(0, second))
    consistency = path(first, second, HONEST) if 0 < first < second else ()
    with pytest.raises(ForkError):
        verify_fork_proof(ForkProof(note(first, HONEST), note(second, HONEST), consistency), KEYS)


@given(st.data())
def test_no_made_up_path_convicts_an_honest_journal(data):
    second = data.draw(st.integers(2, 12))
    first = data.draw(st.integers(1, second - 1))
    sources = [root_at(size, nodes) for size in range(1, 13) for nodes in (HONEST, OTHER)]
    consistency = tuple(data.draw(st.lists(st.sampled_from(sources), max_size=5)))
    with pytest.raises(ForkError):
        verify_fork_proof(ForkProof(note(first, HONEST), note(second, HONEST), consistency), KEYS)


@given(PROOFS)
def test_a_proof_is_read_as_it_was_written(proof):
    assert parse_fork_proof(proof.encode()) == proof


@given(PROOFS)
def test_any_notes_prove_nothing(proof):
    with pytest.raises(ForkError):
        verify_fork_proof(proof, KEYS)


@given(st.binary(max_size=60))
def test_any_bytes_are_refused(data):
    with pytest.raises(ForkError):
        parse_fork_proof(data)


@given(st.data())
def test_a_changed_proof_proves_nothing(data):
    whole = data.draw(st.sampled_from([fork().encode(), equal_fork().encode()]))
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    with pytest.raises(ForkError):
        verify_fork_proof(parse_fork_proof(changed), KEYS)


def test_a_key_that_was_retired_convicts_as_well():
    proof = ForkProof(note(7, OTHER, private=RETIRED), note(7, HONEST), ())
    verify_fork_proof(proof, KEYS)
    with pytest.raises(ForkError):
        verify_fork_proof(proof, KEYS[1:])


@pytest.mark.parametrize(
    "proof",
    [
        fork()._replace(second=note(9, HONEST, private=STRANGER)),
        fork()._replace(first=note(7, OTHER, private=STRANGER)),
        fork()._replace(first=note(7, OTHER, origin="servanda/6b1f/usa")),
        fork()._replace(consistency=()),
        fork()._replace(consistency=fork().consistency[:-1]),
        fork()._replace(consistency=(*fork().consistency, bytes(32))),
        fork()._replace(consistency=path(7, 9, OTHER)),
        fork()._replace(consistency=(bytes(31), *fork().consistency[1:])),
        ForkProof(note(9, HONEST), note(7, OTHER), path(7, 9, HONEST)),
        ForkProof(note(0, HONEST), note(7, HONEST), ()),
        equal_fork()._replace(consistency=(bytes(32),)),
        equal_fork()._replace(first=equal_fork().second),
        fork()._replace(first=b"not a note"),
        fork()._replace(first=Note("not a checkpoint\n", ()).text.encode()),
    ],
)
def test_what_does_not_convict_is_refused(proof):
    with pytest.raises(ForkError):
        verify_fork_proof(proof, KEYS)


def test_without_keys_nothing_is_proved():
    with pytest.raises(ForkError):
        verify_fork_proof(fork(), [])


@pytest.mark.parametrize(
    "changes",
    [
        {"servanda-fork": 2},
        {"servanda-fork": True},
        {"servanda-fork": "1"},
        {"first": None},
        {"second": 7},
        {"consistency": None},
        {"consistency": ["00"]},
        {"consistency": ["AA" * 32]},
        {"consistency": [None]},
        {"extra": 1},
    ],
)
def test_a_proof_of_another_form_is_refused(changes):
    value = canonical.decode(fork().encode())
    value.update(changes)
    with pytest.raises(ForkError):
        parse_fork_proof(canonical.encode(value))


def test_a_note_that_is_not_text_is_not_written():
    with pytest.raises(ForkError):
        ForkProof(b"\xff", b"", ()).encode()
