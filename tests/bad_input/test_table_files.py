# SPDX-License-Identifier: Apache-2.0
"""Files of tables with something wrong in them: refused whole with row and column named, or taken without it."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path
from typing import Any

import pytest

from servanda.operations.errors import Refusal, TryLater
from servanda.storage.columnar.making import Sealed, seal_table
from servanda.storage.columnar.store import ColumnarTables
from tests.unit.columnar.goods import NAMES, SECRET, boats, csv_file, form, parquet_file, xlsx_file

HEAD = "kind,place,serial,amount,note"
GOOD = "boat,store,B-1,1,calm"


def seal(tmp_path: Path, file: Path, **more: Any) -> Sealed:
    return seal_table(ColumnarTables(tmp_path / "tables"), file, form(), NAMES, SECRET, **more)


CELLS = {
    "thousands with a comma": (
        'boat,store,B-2,"1,000",x',
        "amount",
        "separator of thousands: write digits alone, 1000",
    ),
    "thousands with a point": ("boat,store,B-2,1.000,x", "amount", "separator of thousands"),
    "thousands with a space": ("boat,store,B-2,1 000,x", "amount", "separator of thousands"),
    "a decimal comma": ('boat,store,B-2,"1,5",x', "amount", "decimal comma"),
    "a fraction": ("boat,store,B-2,1.5,x", "amount", "fraction"),
    "an exponent": ("boat,store,B-2,1e3,x", "amount", "exponent"),
    "a negative piece": ("boat,store,B-2,-1,x", "amount", "negative"),
    "no piece": ("boat,store,B-2,0,x", "amount", "less than 1"),
    "too much": ("boat,store,B-2,10001,x", "amount", "more than 10000"),
    "a number with a unit": ("boat,store,B-2,5 kg,x", "amount", "has a unit"),
    "zeros before a number": ("boat,store,B-2,007,x", "amount", "no zeros before it"),
    "a formula": ("boat,store,=1+1,1,x", "serial", "like a formula"),
    "a formula by a plus": ("boat,store,+B-2,1,x", "serial", "like a formula"),
    "a formula by a minus": ("boat,store,-B-2,1,x", "serial", "like a formula"),
    "a formula by an at": ("boat,store,B-2,1,@SUM(A1)", "note", "like a formula"),
    "a formula behind a tab": ("boat,store,B-2,1,\t=1+1", "note", "unseen character U+0009"),
    "writing turned round": ("boat,store,B-\u202e2,1,x", "serial", "unseen character U+202E"),
    "a serial that is missing": ("boat,store,,1,x", "serial", "is empty"),
    "a serial that is short": ("boat,store,B,1,x", "serial", "less than 3"),
    "a place that was not declared": ("boat,moon,B-2,1,x", "place", "not a place of the pack"),
    "a kind that there is not": ("ship,store,B-2,1,x", "kind", "not an item of the pack"),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_wrong_cell_is_named_by_row_and_column(name: str, tmp_path: Path) -> None:
    line, column, words = CELLS[name]
    file = csv_file(tmp_path / "b.csv", HEAD, GOOD, line, "boat,store,B-3,1,x")
    with pytest.raises(Refusal) as refused:
        seal(tmp_path, file)
    assert refused.value.code == "table-row"
    assert f"b.csv: row 3, column {column}: " in str(refused.value)
    assert words in str(refused.value)
    assert ColumnarTables(tmp_path / "tables").tables() == []
    sealed = seal(tmp_path, file, quarantine=tmp_path / "wrong.csv")
    assert (sealed.facts.rows, sealed.left_out, sealed.wrong[0].at) == (2, 1, 3)
    rows = list(csv.DictReader((tmp_path / "wrong.csv").read_text().splitlines()))
    assert [(row["row"], row["column"]) for row in rows] == [("3", column)]
    assert words in rows[0]["reason"]
    assert not any(value.startswith(("=", "+", "-", "@", "\t")) for row in rows for value in row.values())


def test_one_bad_row_of_many_is_counted_and_nothing_is_taken(tmp_path: Path) -> None:
    lines = boats(70_000)
    lines[66_000] = "boat,store,"
    lines[69_000] = "boat,nowhere,B-x"
    with pytest.raises(Refusal, match=r"row 66001, column serial: is empty.*1 more of 70,000 rows are wrong"):
        seal(tmp_path, csv_file(tmp_path / "b.csv", *lines))
    assert ColumnarTables(tmp_path / "tables").tables() == []
    sealed = seal(tmp_path, tmp_path / "b.csv", quarantine=tmp_path / "wrong.csv")
    assert (sealed.facts.rows, sealed.left_out) == (69_998, 2)


def test_a_serial_twice_is_refused_with_both_rows(tmp_path: Path) -> None:
    file = csv_file(
        tmp_path / "b.csv", HEAD, GOOD, "boat,harbour,B-2,1,x", "boat,harbour,B-1,2,x", "salt,store,B-1,9,x"
    )
    with pytest.raises(Refusal, match=r"serial 'B-1' stands in row 2 and in row 4|row 4 and in row 2") as refused:
        seal(tmp_path, file)
    assert refused.value.code == "table-serial"
    sealed = seal(tmp_path, file, quarantine=tmp_path / "wrong.csv")
    assert (sealed.facts.rows, sealed.left_out) == (2, 2)


def test_serials_that_look_alike_are_flagged_and_taken(tmp_path: Path) -> None:
    alike = ["boat,store,B-10,1,x", "boat,store,b-1O,1,x", "boat,store,В-1 0,1,x", "boat,store,B-11,1,x"]
    sealed = seal(tmp_path, csv_file(tmp_path / "b.csv", HEAD, *alike))
    assert sealed.facts.rows == 4
    assert sealed.alike_count == 2
    assert {serial for pair in sealed.alike for serial in (pair.first, pair.second)} == {"B-10", "b-1O", "В-1 0"}


COLUMNS = {
    "a column that there is not": ("kind,place,serial,colour", "row 1, column 4: 'colour' is not a member"),
    "a column twice": ("kind,place,serial,kind", "row 1, column 4: 'kind' stands there twice"),
    "a column that is missing": ("kind,place,note", "there is no column serial"),
    "semicolons": ("kind;place;serial", "separated by semicolons"),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_wrong_columns_are_named(name: str, tmp_path: Path) -> None:
    head, words = COLUMNS[name]
    line = ",".join("boat" for _ in head.split(",")) if "," in head else "boat;store;B-1"
    with pytest.raises(Refusal, match=words):
        seal(tmp_path, csv_file(tmp_path / "b.csv", head, line))


FILES = {
    "empty.csv": b"",
    "latin.csv": "kind,place,serial\nboat,store,B-\xe4\n".encode("latin-1"),
    "latin-head.csv": "kind,place,s\xe4rial\n".encode("latin-1"),
    "cells.csv": b"kind,place,serial\nboat,store,B-1\nboat,store,1,000\n",
    "few.csv": b"kind,place,serial\nboat,store\n",
    "no.xlsx": b"PK\x03\x04 no workbook",
    "no.parquet": b"PAR1 no parquet PAR1",
    "table.ods": b"",
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_no_table_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    with pytest.raises(Refusal, match=name) as refused:
        seal(tmp_path, tmp_path / name)
    assert refused.value.code == "table-file"


def test_a_row_with_a_cell_too_many_is_named(tmp_path: Path) -> None:
    file = csv_file(tmp_path / "b.csv", "kind,place,serial", "boat,store,B-1", "boat,store,1,000")
    with pytest.raises(Refusal, match=r"row 3: has 4 cells, not 3.*a number with a comma"):
        seal(tmp_path, file)


def test_a_workbook_is_read_and_its_formulas_are_refused(tmp_path: Path) -> None:
    head = ["kind", "place", "serial", "amount"]
    good = xlsx_file(tmp_path / "g.xlsx", head, ["boat", "store", "B-1", 5], ["boat", "store", "B-2", 7.0])
    assert seal(tmp_path, good).facts.rows == 2
    formula = xlsx_file(tmp_path / "f.xlsx", head, ["boat", "store", "B-1", "=1+1"], formula=True)
    with pytest.raises(Refusal, match=r"f\.xlsx: sheet1\.xml, cell D2: is a formula") as refused:
        seal(tmp_path, formula)
    assert refused.value.code == "table-formula"
    for wrong, words in [("=1+1", "like a formula"), ("1,5", "decimal comma"), (1.5, "fraction"), (-2, "negative")]:
        column = "serial" if wrong == "=1+1" else "amount"
        cells = ["boat", "store", wrong, 1] if column == "serial" else ["boat", "store", "B-1", wrong]
        with pytest.raises(Refusal, match=rf"row 2, column {column}: .*{words}"):
            seal(tmp_path, xlsx_file(tmp_path / "w.xlsx", head, cells))
    with pytest.raises(Refusal, match="merged"):
        seal(tmp_path, xlsx_file(tmp_path / "m.xlsx", head, ["boat", "store", "B-1", 1], ["", "", "", ""], merged=True))
    with pytest.raises(Refusal, match=r"row 2, column 5: a value under no name"):
        seal(tmp_path, xlsx_file(tmp_path / "n.xlsx", head, ["boat", "store", "B-1", 1, 9]))


def test_a_workbook_that_claims_to_be_huge_is_not_unpacked(tmp_path: Path) -> None:
    file = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"x")
        archive.filelist[0].file_size = 1 << 32 - 1
    with pytest.raises(Refusal):
        seal(tmp_path, file)


def test_a_parquet_file_is_read_and_fractions_are_refused_by_column(tmp_path: Path) -> None:
    columns = {"kind": ["boat"], "place": ["store"], "serial": ["B-1"]}
    assert seal(tmp_path, parquet_file(tmp_path / "g.parquet", **columns, amount=[3], shown=[True])).facts.rows == 1
    with pytest.raises(Refusal, match=r"column amount: holds double"):
        seal(tmp_path, parquet_file(tmp_path / "f.parquet", **columns, amount=[3.5]))
    with pytest.raises(Refusal, match=r"row 2, column serial: .*like a formula"):
        seal(tmp_path, parquet_file(tmp_path / "w.parquet", **{**columns, "serial": ["=B-1"]}))


def test_two_tables_are_not_made_at_once(tmp_path: Path) -> None:
    tables = ColumnarTables(tmp_path / "tables")
    with tables.making(), pytest.raises(TryLater):
        seal(tmp_path, csv_file(tmp_path / "b.csv", HEAD, GOOD))
    assert seal(tmp_path, tmp_path / "b.csv").facts.rows == 1


def test_a_row_over_the_limit_is_refused_by_number(tmp_path: Path) -> None:
    wide = form({**{f"note-{i}": {"type": "string"} for i in range(5)}}, ())
    file = csv_file(tmp_path / "b.csv", "note-0,note-1", "a,b", f"{'x' * 3000},{'y' * 3000}")
    with pytest.raises(Refusal, match=r"row 3: 60\d\d bytes"):
        seal_table(ColumnarTables(tmp_path / "tables"), file, wide, None, SECRET)


def test_nothing_to_declare_is_a_table_of_no_rows(tmp_path: Path) -> None:
    sealed = seal(tmp_path, csv_file(tmp_path / "b.csv", HEAD))
    assert sealed.facts.rows == 0
    assert sealed.facts.root == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
