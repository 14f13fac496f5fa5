# SPDX-License-Identifier: Apache-2.0
"""Is this leaf in that tree, and is the older tree a beginning of the newer? RFC 6962 trees with SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from servanda.proof.errors import ProofError

HASH_BYTES = 32
"""The length of every hash here."""

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of the empty tree (RFC 6962 section 2.1)."""

Nodes: TypeAlias = Callable[[int, int], bytes]
"""`nodes(level, index)` gives the hash of complete subtree number `index` of 2^level leaves; level 0: leaf hashes."""


class MerkleError(ProofError):
    """A proof does not prove what it should, or a place lies outside the tree."""


def leaf_hash(leaf: bytes) -> bytes:
    """Return `SHA-256(0x00 || leaf)` (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return `SHA-256(0x01 || left || right)` (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: all that appending needs. `size` is the number of leaves."""

    __slots__ = ("_edge", "size")

    def __init__(self) -> None:
        self.size = 0
        # The roots of the complete subtrees that the tree is made of, largest first: one for each bit of the size.
        self._edge: list[bytes] = []

    @classmethod
    def from_nodes(cls, size: int, nodes: Nodes) -> Frontier:
        """Return the right edge of a stored tree of that size."""
        frontier = cls()
        frontier.size = size
        frontier._edge = _complete_subtrees(0, size, nodes)
        return frontier

    def append(self, leaf_hash: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf by its hash; return the nodes it completes as (level, index, hash), from level 0 upwards."""
        index = self.size
        finished = [(0, index, leaf_hash)]
        node, level = leaf_hash, 0
        while index & 1:
            node = node_hash(self._edge.pop(), node)
            level += 1
            index >>= 1
            finished.append((level, index, node))
        self._edge.append(node)
        self.size += 1
        return finished

    def root(self) -> bytes:
        """Return the root of the tree as it stands."""
        return _fold(self._edge)

    def copy(self) -> Frontier:
        """Return an independent copy."""
        twin = Frontier()
        twin.size = self.size
        twin._edge = self._edge.copy()
        return twin


def root_at(size: int, nodes: Nodes) -> bytes:
    """Return the root of the tree of the first `size` leaves: MTH of RFC 6962 section 2.1."""
    return _fold(_complete_subtrees(0, size, nodes))


def inclusion_path(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """Return the path of the leaf `index` (from 0) in the tree of `size` leaves: PATH of RFC 6962 section 2.1.1.

    Raises:
        MerkleError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise MerkleError(f"leaf {index} does not lie in a tree of {size}")
    path = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_root_between(middle, end, nodes))
            end = middle
        else:
            path.append(_root_between(start, middle, nodes))
            start = middle
    path.reverse()
    return path


def consistency_path(first: int, second: int, nodes: Nodes) -> list[bytes]:
    """Return PROOF(first, D[second]) of RFC 6962 section 2.1.2; it is empty if the sizes are equal or `first` is 0.

    Raises:
        MerkleError: `first` is not between 0 and `second`.
    """
    if not 0 <= first <= second:
        raise MerkleError(f"a tree of {first} is not a beginning of one of {second}")
    if first in (0, second):
        return []
    path = []
    start, end = 0, second
    while end != first:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_root_between(middle, end, nodes))
            end = middle
        else:
            path.append(_root_between(start, middle, nodes))
            start = middle
    if start:  # the older tree itself is known to the reader only when it is this whole subtree
        path.append(_root_between(start, end, nodes))
    path.reverse()
    return path


def verify_inclusion(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Verify that a leaf is in a tree: RFC 9162 section 2.1.3.2, whose steps are numbered here.

    Raises:
        MerkleError: it is not proved.
    """
    # 1. The leaf lies in the tree.
    if not 0 <= index < size:
        raise MerkleError(f"leaf {index} does not lie in a tree of {size}")
    _check_hashes(path)
    # 2. and 3.
    fn, sn, r = index, size - 1, leaf_hash
    # 4.
    for p in path:
        # 4.1.
        if sn == 0:
            raise MerkleError("the inclusion path is too long")
        # 4.2.
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            r = node_hash(r, p)
        # 4.3.
        fn >>= 1
        sn >>= 1
    # 5.
    if sn != 0:
        raise MerkleError("the inclusion path is too short")
    if r != root:
        raise MerkleError("the inclusion path leads to another root")


def verify_consistency(first: int, second: int, path: Sequence[bytes], first_root: bytes, second_root: bytes) -> None:
    """Verify that the tree of `first` leaves is the beginning of that of `second`: RFC 9162 section 2.1.4.2.

    The section speaks of 0 < first < second. With equal sizes the roots are equal and the path is empty; every tree
    begins with the empty one, and the path is empty.

    Raises:
        MerkleError: it is not proved.
    """
    if not 0 <= first <= second:
        raise MerkleError(f"a tree of {first} is not a beginning of one of {second}")
    if first in (0, second):
        if path:
            raise MerkleError("the consistency path should be empty")
        if first_root != (EMPTY_ROOT if first == 0 else second_root):
            raise MerkleError("the older root is another one")
        if second == 0 and second_root != EMPTY_ROOT:
            raise MerkleError("the root of the empty tree is another one")
        return
    # 1. The path is not empty.
    if not path:
        raise MerkleError("the consistency path is empty")
    # 2. A complete older tree is a node of the newer one, and the path omits it.
    if first & (first - 1) == 0:
        path = [first_root, *path]
    # 3. to 6., and of 7. that the path has the right length.
    fr, sr = roots_of_path(first, second, path)
    # 7.
    if fr != first_root:
        raise MerkleError("the consistency path leads to another older root")
    if sr != second_root:
        raise MerkleError("the consistency path leads to another newer root")


def roots_of_path(first: int, second: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Return the older and the newer root that a path leads to: steps 3 to 7 of RFC 9162 section 2.1.4.2.

    The path always starts with a node of the older tree: where `first` is a power of two, its root has been prepended
    (spec/journal.md, proof of a fork).

    Raises:
        MerkleError: not 0 < first < second, or the path has not the length that leads to the roots.
    """
    if not 0 < first < second:
        raise MerkleError(f"no path leads from a tree of {first} to one of {second}")
    if not path:
        raise MerkleError("the consistency path is empty")
    _check_hashes(path)
    # 3.
    fn, sn = first - 1, second - 1
    # 4.
    while fn & 1:
        fn >>= 1
        sn >>= 1
    # 5.
    fr = sr = path[0]
    # 6.
    for c in path[1:]:
        # 6.1.
        if sn == 0:
            raise MerkleError("the consistency path is too long")
        # 6.2.
        if fn & 1 or fn == sn:
            fr = node_hash(c, fr)
            sr = node_hash(c, sr)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            sr = node_hash(sr, c)
        # 6.3.
        fn >>= 1
        sn >>= 1
    # 7., without the comparison, which is the caller's.
    if sn != 0:
        raise MerkleError("the consistency path is too short")
    return fr, sr


def _split(width: int) -> int:
    """The largest power of two smaller than the width: k of RFC 6962 section 2.1."""
    return 1 << ((width - 1).bit_length() - 1)


def _complete_subtrees(start: int, end: int, nodes: Nodes) -> list[bytes]:
    # `start` is a multiple of the largest power of two within the width, as in every subtree of RFC 6962.
    parts = []
    while start < end:
        level = (end - start).bit_length() - 1
        parts.append(nodes(level, start >> level))
        start += 1 << level
    return parts


def _root_between(start: int, end: int, nodes: Nodes) -> bytes:
    return _fold(_complete_subtrees(start, end, nodes))


def _fold(parts: Sequence[bytes]) -> bytes:
    if not parts:
        return EMPTY_ROOT
    root = parts[-1]
    for part in reversed(parts[:-1]):
        root = node_hash(part, root)
    return root


def _check_hashes(path: Iterable[bytes]) -> None:
    if any(len(item) != HASH_BYTES for item in path):
        raise MerkleError(f"a hash of the path is not {HASH_BYTES} bytes")
