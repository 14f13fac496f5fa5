# SPDX-License-Identifier: Apache-2.0
"""Whole columns are judged, written and hashed as single cells and rows are."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from servanda.agreement.cells import CellError, cell_value, column_schema
from servanda.proof import canonical
from servanda.proof.merkle import inclusion_path, verify_inclusion
from servanda.proof.tables import (
    BLOCK_ROWS,
    TableTree,
    block_nodes,
    nodes_of_block,
    open_row,
    opening_of,
    row_hashes,
    table_root,
)
from servanda.storage.columnar.checking import RowChecker, canonical_texts
from servanda.storage.columnar.likeness import skeleton, skeletons
from tests.unit.columnar.goods import NAMES, SECRET, form

TRICKY = st.sampled_from(
    [
        "",
        "0",
        "-1",
        "1",
        "007",
        "+5",
        "1,5",
        "1.000",
        "1 000",
        "1.5",
        "1e3",
        "9007199254740991",
        "9007199254740992",
        "true",
        "TRUE",
        "True",
        "boat",
        "salt",
        "harbour",
        "nowhere",
        "=1+1",
        "@a",
        "-b",
        "a\tb",
        "a\u202eb",
        "ÄÖ",
        "5 g",
    ]
)
CELLS = st.one_of(TRICKY, st.text(max_size=12), st.integers(-20_000, 20_000).map(str))
COLUMNS = ("kind", "place", "serial", "amount")
TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=20)
SCHEMAS = st.one_of(
    st.just({"type": "boolean"}),
    st.fixed_dictionaries(
        {"type": st.just("integer")},
        optional={"minimum": st.integers(-9, 9), "maximum": st.integers(5, 99), "enum": st.just([1, 2, 7])},
    ),
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={
            "minLength": st.integers(0, 3),
            "maxLength": st.integers(2, 9),
            "pattern": st.sampled_from(["^[a-z]+$", "^B|C$", "^[0-9]{1,4}$", "^.*$"]),
            "enum": st.just(["boat", "salt", "1"]),
        },
    ),
)


def scalar_is_good(text: str, schema: dict[str, Any]) -> bool:
    try:
        cell_value(text, schema)
    except CellError:
        return False
    return True


@given(SCHEMAS, st.lists(CELLS.filter(bool), min_size=1, max_size=8))
def test_a_column_is_judged_as_its_cells_are(schema, cells):
    declared = form({"x": schema}, ())
    checker = RowChecker(declared, None)
    batch = pa.record_batch({"x": pa.array(cells, pa.string())})
    bad = checker.bad(batch).to_pylist()
    assert bad == [not scalar_is_good(cell, column_schema(declared, "x")) for cell in cells]
    assert [bool(list(checker.faults(batch, row))) for row in range(len(cells))] == bad


@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(COLUMNS, CELLS)), max_size=9))
def test_a_row_is_wrong_exactly_if_a_reason_is_found(rows):
    checker = RowChecker(form(), NAMES)
    columns = {n: pa.array([row.get(n) or None for row in rows], pa.string()) for n in COLUMNS}
    batch = pa.record_batch(columns)
    assert checker.bad(batch).to_pylist() == [bool(list(checker.faults(batch, row))) for row in range(len(rows))]


ROWS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "a b": TEXTS,
            'q"\\': TEXTS,
            "number": st.integers(-(2**53) + 1, 2**53 - 1),
            "yes": st.booleans(),
        },
    ),
    min_size=1,
    max_size=10,
)


@given(ROWS)
def test_the_texts_of_a_batch_are_canonical_json(rows):
    types = {"a b": pa.string(), "number": pa.int64(), 'q"\\': pa.string(), "yes": pa.bool_()}
    batch = pa.record_batch({name: pa.array([row.get(name) for row in rows], kind) for name, kind in types.items()})
    assert canonical_texts(batch).to_pylist() == [canonical.encode(row) for row in rows]


@given(st.integers(0, 3 * BLOCK_ROWS + 9), st.integers(0, 2**40), st.randoms())
def test_the_tree_of_blocks_is_the_tree_of_the_rows(count, at, random):
    rows = [{"n": i} for i in range(count)]
    texts = [canonical.encode(row) for row in rows]
    hashes = row_hashes(SECRET, 0, texts)
    tree = TableTree(block_nodes(hashes), hashes[count - count % BLOCK_ROWS :])
    assert (tree.root(), tree.size) == table_root(SECRET, rows)
    if count:
        index = random.randrange(count)
        block, last = index // BLOCK_ROWS, count // BLOCK_ROWS
        blocks = {block: hashes[block * BLOCK_ROWS : (block + 1) * BLOCK_ROWS], last: tree.tail}
        blocks[block] = hashes[block * BLOCK_ROWS : (block + 1) * BLOCK_ROWS]
        path = inclusion_path(index, count, nodes_of_block(tree.upper, blocks))
        verify_inclusion(hashes[index], index, count, path, tree.root())
        assert opening_of(SECRET, index, texts[index], path) == open_row(SECRET, rows, index)


@given(st.lists(TEXTS, max_size=8))
def test_skeletons_of_a_column_are_those_of_its_serials(serials):
    assert skeletons(pa.array(serials, pa.string())).to_pylist() == [skeleton(serial) for serial in serials]


def test_case_spaces_and_look_alike_letters_leave_one_skeleton():
    assert len({skeleton(s) for s in ("AO-10", "ao-1O", "A0-10", "АО-10", "A O-l0", "Ａ0-I0", " a0-10 ")}) == 1
    assert skeleton("AO-10") != skeleton("AO-12")
