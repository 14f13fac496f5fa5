# SPDX-License-Identifier: Apache-2.0
"""A report as PDF, XLSX, CSV, Parquet: the same figures in each, with their entries, and nothing that runs."""

from __future__ import annotations

import copy
import csv
import io
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pypdfium2
import pytest

from servanda.cli.report import write_report
from servanda.operations.desk import dispatch
from servanda.operations.errors import Refusal
from servanda.presentation.cells import shown_cell
from servanda.presentation.pdf import pages_of, pdf_of
from servanda.presentation.tables import csv_files, parquet_files
from servanda.presentation.workbook import LINKED_MAX, workbook_of
from servanda.reports.summary import place_names, told
from tests.worked_example.replayed import replayed

FORMULAS = ["=1+1", "+1+1", "@SUM(A1)", "-2+3", "\t=1", '=HYPERLINK("http://x")', "\uff1d1"]


@cache
def made(kind: str = "monthly-progress", language: str = "en", period: str | None = "2014-06") -> dict[str, Any]:
    found: dict[str, Any] = dispatch(
        replayed("syria-2013")[0].centres["opcw"],
        {"command": "report", "report": kind, "language": language, "period": period},
    )
    return found


@cache
def text_of(kind: str, language: str) -> str:
    document = pypdfium2.PdfDocument(pdf_of(made(kind, language)))
    return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def squeezed(text: str) -> str:
    """Text without the breaks that a narrow cell makes."""
    return "".join(text.replace("\u200b", "").split())


def test_the_pdf_prints_every_entry_with_its_leaf_hash_and_every_cell_of_every_row() -> None:
    report, text = made(), squeezed(text_of("monthly-progress", "en"))
    for cited in report["annex"]:
        assert squeezed(cited["entry"]) in text
        assert cited["leaf"] in text
    for section in report["sections"]:
        for row in section["rows"]:
            for cell in row["cells"]:
                assert squeezed(shown_cell(report, cell)) in text, (section["id"], cell)


def test_every_page_of_the_pdf_says_that_it_is_an_exercise() -> None:
    document = pypdfium2.PdfDocument(pdf_of(made()))
    assert len(document) > 2
    assert all("EXERCISE" in page.get_textpage().get_text_bounded() for page in document)


def test_the_pdf_is_of_the_standard_for_archives_and_the_same_every_time() -> None:
    content = pdf_of(made())
    assert b"<pdfaid:part>2" in content
    assert content == pdf_of(made())


def test_what_looks_like_markup_is_text() -> None:
    report = copy.deepcopy(made())
    words = '#panic("x") *b* $x$ <a> [c] \\ #link("http://x")[y]'
    report["sections"][1]["rows"][0]["cells"][0] = words
    document = pypdfium2.PdfDocument(pdf_of(report))
    text = "".join(page.get_textpage().get_text_bounded() for page in document)
    assert squeezed(words) in squeezed(text)


def test_arabic_is_shaped_and_set_from_the_right() -> None:
    document = pypdfium2.PdfDocument(pdf_of(made("monthly-progress", "ar")))
    page = document[0]
    found = page.get_textpage().search("2014-06-01")
    assert found.get_next() is not None, "a date is not turned round"
    assert len(pages_of(made("monthly-progress", "ar"), 20)) == len(document)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_no_form_of_a_public_summary_tells_a_place(language: str, tmp_path: Path) -> None:
    names, report = place_names(replayed("syria-2013")[0].pack), made("public-summary", language, None)
    for form in ("json", "csv", "parquet", "xlsx", "pdf"):
        write_report(report, form, tmp_path / form)
    texts = [(tmp_path / "json").read_text()]
    texts += [path.read_text() for path in (tmp_path / "csv").iterdir()]
    for path in (tmp_path / "parquet").iterdir():
        texts += [str(row) for row in duckdb.read_parquet(str(path)).fetchall()]
    with zipfile.ZipFile(tmp_path / "xlsx") as book:
        texts += [book.read(name).decode() for name in book.namelist()]
    pages = pypdfium2.PdfDocument(tmp_path / "pdf")
    texts += [page.get_textpage().get_text_bounded() for page in pages]
    texts.append((tmp_path / "pdf").read_bytes().decode("latin-1"))
    assert [name for text in texts for name in told(text, names)] == []


def sheet_of(report: dict[str, Any], number: int) -> Any:
    book = openpyxl.load_workbook(io.BytesIO(workbook_of(report)))
    return book.worksheets[number]


def test_numbers_of_the_workbook_are_numbers_and_each_row_links_to_its_entries() -> None:
    report = made()
    book = openpyxl.load_workbook(io.BytesIO(workbook_of(report)))
    entries = book["Entries"]
    listed = {entries.cell(row, 1).value: entries.cell(row, 2).value for row in range(2, entries.max_row + 1)}
    assert listed == {cited["entry"]: cited["leaf"] for cited in report["annex"]}
    for number, section in enumerate(report["sections"], start=1):
        sheet, top, wide = book.worksheets[number], len(section["notes"]) + 3, len(section["columns"])
        for line, row in enumerate(section["rows"], start=top + 1):
            for offset, entry in enumerate(row["entries"][:LINKED_MAX]):
                cell = sheet.cell(line, wide + 1 + offset)
                assert cell.value == entry
                target = cell.hyperlink.location.partition("!")[2]
                assert entries[target].value == entry
            for column, (told_of, value) in enumerate(zip(section["columns"], row["cells"], strict=True), start=1):
                exact = isinstance(value, dict) and value["amount"] is not None and "to" not in value
                if told_of["kind"] == "integer" or exact:
                    assert isinstance(sheet.cell(line, column).value, int | float)


def test_an_amount_too_long_for_a_spreadsheet_is_written_as_text() -> None:
    report = copy.deepcopy(made())
    section = report["sections"][0]
    section["rows"][0]["cells"][1]["amount"] = 2**53 - 1
    cell = sheet_of(report, 1).cell(4, 2)
    assert cell.value == shown_cell(report, section["rows"][0]["cells"][1])
    assert "9,007,199,254.740991" in cell.value


@pytest.mark.parametrize("words", FORMULAS)
def test_no_form_of_a_report_carries_a_formula(words: str) -> None:
    report = copy.deepcopy(made())
    section = report["sections"][1]
    section["rows"][0]["cells"][0] = words
    report["annex"][0]["subject"] = words
    book = openpyxl.load_workbook(io.BytesIO(workbook_of(report)))
    for sheet in book.worksheets:
        assert [cell.value for line in sheet.iter_rows() for cell in line if cell.data_type == "f"] == []
    cell = sheet_of(report, 2).cell(4, 1)
    assert (cell.data_type, cell.value, cell.quotePrefix) == ("s", words, True)
    files = csv_files(report)
    for name in ("declared.csv", "entries.csv"):
        cells = [cell for row in csv.reader(io.StringIO(files[name].decode(), newline="")) for cell in row]
        assert f"'{words}" in cells
        assert words not in cells


def test_an_amount_that_is_not_there_is_empty_in_every_form(tmp_path: Path) -> None:
    centre = replayed("syria-2013")[0].centres["opcw"]
    report = dispatch(centre, {"command": "report", "report": "inventory-changes", "party": "syr", "period": "2013-11"})
    lines = list(csv.DictReader(io.StringIO(csv_files(report)["lines.csv"].decode(), newline="")))
    assert [(line["increase"], line["decrease"]) for line in lines] == [("", "1230"), ("1260", "")]
    for form in ("pdf", "xlsx", "parquet"):
        write_report(report, form, tmp_path / form)


def test_a_negative_number_in_a_csv_file_stays_a_number() -> None:
    days = [row["days"] for row in csv.DictReader(io.StringIO(csv_files(made())["obligations.csv"].decode()))]
    assert "-16" in days


def test_csv_and_parquet_hold_the_whole_smallest_steps_with_entries_and_hashes(tmp_path: Path) -> None:
    report = made()
    leaves = {cited["entry"]: cited["leaf"] for cited in report["annex"]}
    table = list(csv.DictReader(io.StringIO(csv_files(report)["movements.csv"].decode(), newline="")))
    (tmp_path / "movements.parquet").write_bytes(parquet_files(report)["movements.parquet"])
    typed = duckdb.read_parquet(str(tmp_path / "movements.parquet"))
    names = typed.columns
    rows = [dict(zip(names, row, strict=True)) for row in typed.fetchall()]
    section = next(section for section in report["sections"] if section["id"] == "movements")
    assert len(rows) == len(table) == len(section["rows"]) > 0
    for flat, line, row in zip(rows, table, section["rows"], strict=True):
        amount = row["cells"][4]
        assert (flat["amount"], flat["amount-unit"]) == (amount["amount"], amount["unit"])
        assert line["amount"] == ("" if amount["amount"] is None else str(amount["amount"]))
        assert flat["entries"] == row["entries"]
        assert flat["leaves"] == [leaves[name] for name in row["entries"]]
        assert line["leaves"].split("; ") == flat["leaves"]
        assert flat["status"] == "exercise"


def test_the_workbook_is_the_same_every_time_and_reads_from_the_right_in_arabic() -> None:
    assert workbook_of(made()) == workbook_of(made())
    book = openpyxl.load_workbook(io.BytesIO(workbook_of(made("monthly-progress", "ar"))))
    assert all(sheet.sheet_view.rightToLeft for sheet in book.worksheets)


def test_a_file_is_not_written_over_a_folder_nor_a_folder_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("")
    with pytest.raises(Refusal, match="is a file"):
        write_report(made(), "csv", tmp_path / "there")
    with pytest.raises(Refusal, match="is a folder"):
        write_report(made(), "pdf", tmp_path)
