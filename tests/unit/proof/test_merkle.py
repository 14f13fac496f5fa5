# SPDX-License-Identifier: Apache-2.0
"""Merkle trees against the definitions of RFC 6962, written here as they stand there."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servanda.proof.merkle import (
    EMPTY_ROOT,
    Frontier,
    MerkleError,
    consistency_path,
    inclusion_path,
    leaf_hash,
    node_hash,
    root_at,
    roots_of_path,
    verify_consistency,
    verify_inclusion,
)

SIZES = st.integers(0, 130)


def mth(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path_of(m, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path_of(m, leaves[:k]), mth(leaves[k:])]
    return [*path_of(m - k, leaves[k:]), mth(leaves[:k])]


def proof_of(m, leaves):
    return subproof(m, leaves, True)


def subproof(m, leaves, known):
    if m == len(leaves):
        return [] if known else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], known), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def split(width):
    k = 1
    while 2 * k < width:
        k *= 2
    return k


def grown(size, salt=b""):
    """The leaves, a frontier over them and its complete subtrees by (level, index)."""
    leaves = [salt + b"leaf %d" % number for number in range(size)]
    frontier, nodes = Frontier(), {}
    for leaf in leaves:
        for level, index, node in frontier.append(leaf_hash(leaf)):
            assert (level, index) not in nodes
            nodes[level, index] = node
    return leaves, frontier, lambda level, index: nodes[level, index]


LEAVES, _, NODES = grown(130)


@given(SIZES)
def test_roots_are_those_of_the_definition(size):
    _, frontier, _ = grown(size)
    assert frontier.size == size
    assert frontier.root() == root_at(size, NODES) == mth(LEAVES[:size])


@given(SIZES, st.integers(0, 20))
def test_a_frontier_taken_up_from_stored_nodes_grows_alike(size, more):
    frontier = Frontier.from_nodes(size, NODES)
    for number in range(more):
        frontier.append(leaf_hash(b"leaf %d" % (size + number)))
    assert frontier.root() == grown(size + more)[1].root()


def test_a_copy_of_a_frontier_does_not_grow_with_it():
    frontier = Frontier.from_nodes(5, NODES)
    twin = frontier.copy()
    frontier.append(leaf_hash(b"another"))
    assert (twin.size, twin.root()) == (5, root_at(5, NODES))
    assert frontier.root() != twin.root()


@given(st.data())
def test_inclusion_paths_are_those_of_the_definition_and_verify(data):
    size = data.draw(st.integers(1, 130))
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(index, size, NODES)
    assert path == path_of(index, LEAVES[:size])
    verify_inclusion(leaf_hash(LEAVES[index]), index, size, path, mth(LEAVES[:size]))


@given(st.data())
def test_consistency_paths_are_those_of_the_definition_and_verify(data):
    second = data.draw(SIZES)
    first = data.draw(st.integers(0, second))
    path = consistency_path(first, second, NODES)
    assert path == (proof_of(first, LEAVES[:second]) if first else [])
    verify_consistency(first, second, path, mth(LEAVES[:first]), mth(LEAVES[:second]))


@given(st.data())
def test_an_altered_inclusion_proof_is_refused(data):
    size = data.draw(st.integers(1, 40))
    index = data.draw(st.integers(0, size - 1))
    leaf, path, root = leaf_hash(LEAVES[index]), inclusion_path(index, size, NODES), root_at(size, NODES)
    other_index = data.draw(st.integers(-1, size + 3).filter(lambda n: n != index))
    with pytest.raises(MerkleError):
        verify_inclusion(leaf, other_index, size, path, root)
    with pytest.raises(MerkleError):
        verify_inclusion(leaf_hash(b"another"), index, size, path, root)
    with pytest.raises(MerkleError):
        verify_inclusion(leaf, index, size, path, leaf_hash(b"another"))
    with pytest.raises(MerkleError):
        verify_inclusion(leaf, index, size, altered(data, path), root)


@given(st.data())
def test_an_altered_consistency_proof_is_refused(data):
    second = data.draw(st.integers(1, 40))
    first = data.draw(st.integers(0, second))
    path = consistency_path(first, second, NODES)
    roots = (root_at(first, NODES), root_at(second, NODES))
    with pytest.raises(MerkleError):
        verify_consistency(first, second, altered(data, path), *roots)
    with pytest.raises(MerkleError):
        verify_consistency(first, second, path, leaf_hash(b"another"), roots[1])
    if first:
        with pytest.raises(MerkleError):
            verify_consistency(first, second, path, roots[0], leaf_hash(b"another"))
    with pytest.raises(MerkleError):
        verify_consistency(second + 1, second, path, *roots)
    with pytest.raises(MerkleError):
        verify_consistency(-1, second, path, *roots)


def altered(data, path):
    """The path with one hash more, less or changed."""
    changes = [[*path, leaf_hash(b"one more")], [leaf_hash(b"one more"), *path], [*path, b"short"]]
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        changes += [path[:-1], path[1:], [*path[:at], leaf_hash(b"other"), *path[at + 1 :]]]
        changes += [[*path[:at], path[at][:-1], *path[at + 1 :]]]
    return data.draw(st.sampled_from(changes))


@given(st.data())
def test_the_roots_of_a_path_are_both_trees_roots(data):
    second = data.draw(st.integers(2, 130))
    first = data.draw(st.integers(1, second - 1))
    path = consistency_path(first, second, NODES)
    if first & (first - 1) == 0:
        path.insert(0, root_at(first, NODES))
    assert roots_of_path(first, second, path) == (root_at(first, NODES), root_at(second, NODES))


@given(st.integers(-2, 70), st.integers(-2, 70), st.lists(st.binary(min_size=31, max_size=33), max_size=9))
def test_any_path_is_refused_or_leads_to_two_hashes(first, second, path):
    try:
        roots = roots_of_path(first, second, path)
    except MerkleError:
        return
    assert [len(root) for root in roots] == [32, 32]


@pytest.mark.parametrize(("first", "second"), [(0, 5), (5, 5), (6, 5), (0, 0), (-1, 3)])
def test_no_path_leads_between_sizes_that_are_not_older_and_newer(first, second):
    with pytest.raises(MerkleError):
        roots_of_path(first, second, [EMPTY_ROOT])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_no_path_is_given_for_a_leaf_outside(index, size):
    with pytest.raises(MerkleError):
        inclusion_path(index, size, NODES)


@pytest.mark.parametrize(("first", "second"), [(4, 3), (-1, 3)])
def test_no_path_is_given_between_impossible_sizes(first, second):
    with pytest.raises(MerkleError):
        consistency_path(first, second, NODES)


def test_a_missing_path_proves_no_growth():
    for first in (3, 4):
        with pytest.raises(MerkleError):
            verify_consistency(first, 5, [], root_at(first, NODES), root_at(5, NODES))


def test_the_empty_tree_has_no_other_root():
    verify_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    for roots in [(bytes(32), EMPTY_ROOT), (EMPTY_ROOT, bytes(32)), (bytes(32), bytes(32))]:
        with pytest.raises(MerkleError):
            verify_consistency(0, 0, [], *roots)


def test_a_leaf_that_looks_like_a_node_hashes_otherwise():
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)
