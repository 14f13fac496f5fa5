# SPDX-License-Identifier: Apache-2.0
"""The tree roots published with Certificate Transparency's reference implementations, sizes 0 to 8.

data/merkle-proofs.json holds some of the proofs in that tree that transparency-dev/merkle publishes as test data.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from servanda.proof.merkle import (
    Frontier,
    consistency_path,
    inclusion_path,
    leaf_hash,
    root_at,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
# The beginnings of the roots; the last one in full.
ROOTS = [
    "e3b0c442",
    "6e340b9c",
    "fac54203",
    "aeb6bcfe",
    "d37ee418",
    "4e3bbb1f",
    "76e67dad",
    "ddb89be4",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.fixture(scope="module")
def nodes():
    frontier, known = Frontier(), {}
    for leaf in LEAVES:
        known |= {(level, index): node for level, index, node in frontier.append(leaf_hash(leaf))}
    return lambda level, index: known[level, index]


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_the_published_ones(size, nodes):
    assert root_at(size, nodes).hex().startswith(ROOTS[size])
    assert Frontier.from_nodes(size, nodes).root() == root_at(size, nodes)


@pytest.mark.parametrize("size", range(1, 9))
def test_every_proof_in_the_published_tree_verifies(size, nodes):
    for index in range(size):
        path = inclusion_path(index, size, nodes)
        verify_inclusion(leaf_hash(LEAVES[index]), index, size, path, root_at(size, nodes))
    for first in range(size + 1):
        path = consistency_path(first, size, nodes)
        verify_consistency(first, size, path, root_at(first, nodes), root_at(size, nodes))


PROOFS = json.loads((Path(__file__).parent / "data" / "merkle-proofs.json").read_text("utf-8"))


@pytest.mark.parametrize("case", PROOFS["inclusion"])
def test_a_published_inclusion_proof_is_ours_and_verifies(case, nodes):
    path = [base64.b64decode(item) for item in case["proof"]]
    leaf, root = base64.b64decode(case["leafHash"]), base64.b64decode(case["root"])
    assert inclusion_path(case["leafIdx"], case["treeSize"], nodes) == path
    verify_inclusion(leaf, case["leafIdx"], case["treeSize"], path, root)


@pytest.mark.parametrize("case", PROOFS["consistency"])
def test_a_published_consistency_proof_is_ours_and_verifies(case, nodes):
    path = [base64.b64decode(item) for item in case["proof"]]
    roots = base64.b64decode(case["root1"]), base64.b64decode(case["root2"])
    assert consistency_path(case["size1"], case["size2"], nodes) == path
    verify_consistency(case["size1"], case["size2"], path, *roots)
