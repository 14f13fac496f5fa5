# SPDX-License-Identifier: Apache-2.0
"""Rows that another centre hands over: kept whole if they give the root, and not at all if they do not."""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec
import pytest

from servanda.assembly.tablelines import HomeTables
from servanda.assembly.tables import import_table
from servanda.operations.errors import Refusal
from servanda.proof.tables import verify_row
from servanda.storage.columnar import receiving
from servanda.storage.columnar.making import seal_table
from servanda.storage.columnar.receiving import Header, Receiving, read_table_file, table_lines, write_table_file
from servanda.storage.columnar.store import ColumnarTables
from tests.unit.columnar.goods import NAMES, SECRET, boats, csv_file, form

ROWS = 700


@pytest.fixture
def here(tmp_path: Path) -> ColumnarTables:
    """The author's tables: one of boats."""
    tables = ColumnarTables(tmp_path / "here" / "tables")
    seal_table(tables, csv_file(tmp_path / "b.csv", *boats(ROWS)), form(), NAMES, SECRET)
    return tables


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """The receiver's home, without tables."""
    return tmp_path / "there"


def header_of(tables: ColumnarTables) -> Header:
    (facts,) = tables.tables()
    return Header(facts, tables.secret(facts.root).hex())


def test_a_table_file_is_taken_and_opens_the_same_rows(here: ColumnarTables, there: Path, tmp_path: Path) -> None:
    (facts,) = here.tables()
    file = tmp_path / "t.servanda-table"
    file.write_bytes(write_table_file(here, facts.root))
    assert import_table(there, file, facts.root, ()) == facts
    taken = ColumnarTables(there / "tables")
    for row in (0, 255, 256, 511, 512, ROWS - 1):
        opening = taken.opening(facts.root, row)
        assert opening == here.opening(facts.root, row)
        verify_row(opening, bytes.fromhex(facts.root), ROWS)
    assert taken.lines(facts.root, 0, ROWS) == here.lines(facts.root, 0, ROWS)
    assert not list((there / "tables").glob(".*-*"))


def test_a_line_that_breaks_costs_one_part(here: ColumnarTables, there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "PART_ROWS", 256)
    header, tables = header_of(here), ColumnarTables(there / "tables")
    first = Receiving(tables, header)
    assert first.add(table_lines(here, header.facts.root, 0)) == 256
    assert tables.tables() == []
    again = Receiving(tables, header)  # another process, later
    assert again.held == 256
    while again.held < ROWS:
        again.add(table_lines(here, header.facts.root, again.held))
    assert again.finish() == header.facts
    assert tables.tables() == [header.facts]


def test_rows_under_another_header_begin_anew(here: ColumnarTables, there: Path) -> None:
    header, tables = header_of(here), ColumnarTables(there / "tables")
    Receiving(tables, header).add(table_lines(here, header.facts.root, 0))
    other = Header(header.facts, "11" * 32)
    assert Receiving(tables, other).held == 0


ATTACKS = {
    "another row": lambda lines: lines.replace(b"B-000005", b"B-900005"),
    "a row less": lambda lines: lines[: lines.rindex(b"\n", 0, -1) + 1],
    "a row twice": lambda lines: lines + lines[lines.rindex(b"\n", 0, -1) + 1 :],
    "two rows the other way round": lambda lines: b"".join(
        [*reversed(lines.splitlines(keepends=True)[:2]), *lines.splitlines(keepends=True)[2:]]
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_other_rows_give_another_root_and_nothing_is_kept(attack: str, here: ColumnarTables, there: Path) -> None:
    header, tables = header_of(here), ColumnarTables(there / "tables")
    incoming = Receiving(tables, header)
    incoming.add(ATTACKS[attack](table_lines(here, header.facts.root, 0)))
    with pytest.raises(Refusal) as refused:
        incoming.finish()
    assert refused.value.code == "table-root"
    assert tables.tables() == []
    assert Receiving(tables, header).held == 0


def test_another_secret_gives_another_root(here: ColumnarTables, there: Path) -> None:
    header = header_of(here)
    incoming = Receiving(ColumnarTables(there / "tables"), Header(header.facts, "11" * 32))
    incoming.add(table_lines(here, header.facts.root, 0))
    with pytest.raises(Refusal, match="give the root"):
        incoming.finish()


LINES = {
    "white space": b'{"kind": "boat","place":"store","serial":"B-1"}\n',
    "another order": b'{"place":"store","kind":"boat","serial":"B-1"}\n',
    "a member more": b'{"colour":"red","kind":"boat","place":"store","serial":"B-1"}\n',
    "a member twice": b'{"kind":"boat","kind":"boat","place":"store","serial":"B-1"}\n',
    "a number for a text": b'{"kind":7,"place":"store","serial":"B-1"}\n',
    "a fraction": b'{"amount":1.5,"kind":"boat","place":"store","serial":"B-1"}\n',
    "no object": b"[]\n",
    "no JSON": b"boat\n",
    "no end": b'{"kind":"boat","place":"store","serial":"B-1"}',
    "nothing": b"",
    "an empty line": b"\n",
    "a lone surrogate": b'{"kind":"\\ud800","place":"store","serial":"B-1"}\n',
    "an escape that canonical JSON has not": b'{"kind":"bo\\u0061t","place":"store","serial":"B-1"}\n',
}


@pytest.mark.parametrize("name", LINES)
def test_lines_that_are_no_rows_are_refused_and_what_came_before_stays(
    name: str, here: ColumnarTables, there: Path
) -> None:
    header = header_of(here)
    incoming = Receiving(ColumnarTables(there / "tables"), header)
    incoming.add(table_lines(here, header.facts.root, 0)[:0] or b'{"kind":"boat","place":"store","serial":"B-0"}\n')
    with pytest.raises(Refusal) as refused:
        incoming.add(LINES[name])
    assert refused.value.code == "table-file"
    assert incoming.held == 1


@pytest.mark.parametrize("cut", [0, 1, 40, 200, -9, -1])
def test_a_table_file_that_is_cut_is_refused_and_nothing_is_kept(
    cut: int, here: ColumnarTables, there: Path, tmp_path: Path
) -> None:
    (facts,) = here.tables()
    file = tmp_path / "t.servanda-table"
    file.write_bytes(write_table_file(here, facts.root)[:cut])
    with pytest.raises(Refusal):
        import_table(there, file, facts.root, ())
    assert ColumnarTables(there / "tables").tables() == []


def test_the_table_of_another_entry_is_refused_before_its_rows_are_read(
    here: ColumnarTables, there: Path, tmp_path: Path
) -> None:
    (facts,) = here.tables()
    file = tmp_path / "t.servanda-table"
    file.write_bytes(write_table_file(here, facts.root))
    with pytest.raises(Refusal, match="not 2222"):
        import_table(there, file, "22" * 32, ())


def test_a_file_that_unpacks_without_end_is_read_part_by_part(here: ColumnarTables) -> None:
    bomb = gzip.compress(header_of(here).encode() + b"\n" + b"x" * (receiving.PART_BYTES_MAX + 5))
    parts = read_table_file(bomb)
    next(parts)
    with pytest.raises(Refusal, match="without an end"):
        next(parts)


def test_headers_of_another_form_are_refused(here: ColumnarTables) -> None:
    good = msgspec.to_builtins(header_of(here))
    for changes in (
        {"secret": "11"},
        {"secret": "zz" * 32},
        {"extra": 1},
        {"facts": {**good["facts"], "members": {"a": "object"}}},
        {"facts": {**good["facts"], "rows": "7"}},
        {"facts": None},
    ):
        with pytest.raises(Refusal):
            receiving.read_header(receiving.encode({**good, **changes}))


def test_what_the_line_brings_is_unpacked_within_bounds(here: ColumnarTables, there: Path) -> None:
    (facts,) = here.tables()
    source, target = HomeTables(here.folder.parent), HomeTables(there)
    incoming = target.incoming(facts.root, ROWS, source.header(facts.root))
    for wrong in (
        b"",
        b"no gzip",
        gzip.compress(b"x" * (receiving.PART_BYTES_MAX + 5)),
        source.part(facts.root, 0)[:-4],
    ):
        with pytest.raises(Refusal):
            incoming.add(wrong)
    assert incoming.add(source.part(facts.root, 0)) == ROWS == incoming.rows
    incoming.finish()
    assert target.has(facts.root)
    with pytest.raises(Refusal, match="another table"):
        target.incoming("22" * 32, ROWS, source.header(facts.root))
