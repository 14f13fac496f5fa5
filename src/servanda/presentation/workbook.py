# SPDX-License-Identifier: Apache-2.0
"""A report document as XLSX: a sheet for each section, numbers as numbers, every row with links to the list of entries.

Nothing is ever written as a formula, whatever its text begins with.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import xlsxwriter  # type: ignore[import-untyped]

from servanda.presentation.cells import shown_cell
from servanda.reports.document import AMOUNT, INTEGER
from servanda.reports.numbers import RIGHT_TO_LEFT

LINKED_MAX = 6
"""So many entries of a row get a cell with a link each; the rest are counted. The list of entries has them all."""
DIGITS_MAX = 15
"""A spreadsheet keeps fifteen digits; longer amounts are written as text."""
ENTRIES_SHEET = "Entries"
WIDTH_LEAST, WIDTH_MOST, LINE_POINTS = 9, 42, 15
OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}


class _Styles(NamedTuple):
    text: Any
    head: Any
    title: Any
    banner: Any
    mono: Any
    link: Any


def workbook_of(report: Mapping[str, Any]) -> bytes:
    """The XLSX of a report document. The same document gives the same bytes."""
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, OPTIONS)
    book.set_properties(
        {
            "title": f"{report['title']}: {report['heading']}",
            "author": "Servanda",
            "created": datetime.fromisoformat(f"{report['day']}T00:00:00").replace(tzinfo=UTC),
        }
    )
    writer = _Writer(book, report)
    writer.cover()
    for number, section in enumerate(report["sections"], start=1):
        writer.section(number, section)
    writer.entries()
    book.close()
    return made.getvalue()


class _Writer:
    """Writes the sheets of one report."""

    def __init__(self, book: Any, report: Mapping[str, Any]) -> None:
        self.book, self.report, self.words = book, report, report["words"]
        plain = {"valign": "top", "text_wrap": True, "quote_prefix": True}
        mono = {**plain, "font_name": "DejaVu Sans Mono", "font_size": 9}
        self.styles = _Styles(
            text=book.add_format(plain),
            head=book.add_format({**plain, "bold": True, "bottom": 1, "bg_color": "#E8EDF4"}),
            title=book.add_format({"bold": True, "font_size": 16}),
            banner=book.add_format({"bold": True, "font_color": "#A11212", "bg_color": "#FBE9E9"}),
            mono=book.add_format(mono),
            link=book.add_format({**mono, "font_color": "#1F4E9A", "underline": 1}),
        )
        self.numbers: dict[str, Any] = {}
        self.right_to_left = str(report["language"]).split("-")[0] in RIGHT_TO_LEFT
        self.rows = {cited["entry"]: row for row, cited in enumerate(report["annex"], start=1)}

    def sheet(self, name: str) -> Any:
        """A sheet as every sheet is: landscape, one page wide, the banner and the title above and below."""
        sheet = self.book.add_worksheet(name)
        if self.right_to_left:
            sheet.right_to_left()
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_header("&L" + _escaped(self.report["title"]) + "&R" + _escaped(self.report["banner"]))
        sheet.set_footer("&L" + str(self.report["agreement"])[:32] + "&R&P / &N")
        return sheet

    def cover(self) -> None:
        """The first sheet: what the report is, what it rests on, what it does not say."""
        report, words, sheet = self.report, self.words, self.sheet("Report")
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 14)
        sheet.set_column(2, 2, 76)
        sheet.write_string(0, 0, report["title"], self.styles.title)
        sheet.write_string(1, 0, report["heading"])
        row = 2
        if report["banner"]:
            sheet.merge_range(row, 0, row, 2, report["banner"], self.styles.banner)
            row += 1
        period = words["whole-record"]
        if report["period"]:
            period = words["to"].format(*(f"\u2066{day}\u2069" for day in report["period"]))
        facts = [(words["period"], period), (words["agreement"], report["agreement"]), (words["pack"], report["pack"])]
        facts += [(fact["title"], fact["value"]) for fact in report["facts"]]
        for name, digest in sorted(report["digests"].items()):
            facts.append((f"{words['register']}: {words['register-' + name]}", digest))
        for title, value in facts:
            row += 1
            sheet.write_string(row, 0, title, self.styles.text)
            sheet.merge_range(row, 1, row, 2, "", self.styles.mono)
            sheet.write_string(row, 1, value, self.styles.mono)
        row += 2
        for column, title in enumerate((words["party"], words["entry-count"], words["root"])):
            sheet.write_string(row, column, title, self.styles.head)
        for journal in report["complete"]:
            row += 1
            sheet.write_string(row, 0, journal["party"], self.styles.mono)
            sheet.write_number(row, 1, journal["entries"], self.number("#,##0"))
            sheet.write_string(row, 2, journal["root"], self.styles.mono)
        row += 2
        sheet.write_string(row, 0, words["limits"], self.styles.head)
        for limit in report["limits"]:
            row += 1
            sheet.merge_range(row, 0, row, 2, "", self.styles.text)
            sheet.write_string(row, 0, limit, self.styles.text)
            sheet.set_row(row, 30)

    def section(self, number: int, section: Mapping[str, Any]) -> None:
        """One table, on a sheet named by its id, which is the same in every language."""
        sheet = self.sheet(f"{number} {section['id']}"[:31])
        sheet.write_string(0, 0, section["title"], self.styles.title)
        for row, note in enumerate(section["notes"], start=1):
            sheet.write_string(row, 0, note)
        top = len(section["notes"]) + 2
        columns = section["columns"]
        widths = self.widths(section)
        for column, told in enumerate(columns):
            sheet.write_string(top, column, told["title"], self.styles.head)
            sheet.set_column(column, column, widths[column])
        sheet.set_row(top, LINE_POINTS * _lines([told["title"] for told in columns], widths))
        wide = min(max((len(row["entries"]) for row in section["rows"]), default=1), LINKED_MAX + 1)
        for offset in range(max(wide, 1)):
            sheet.write_string(
                top, len(columns) + offset, self.words["entries"] if not offset else "", self.styles.head
            )
        sheet.set_column(len(columns), len(columns) + wide, 11)
        sheet.freeze_panes(top + 1, 0)
        sheet.repeat_rows(top)
        if not section["rows"]:
            sheet.write_string(top + 1, 0, section["none"])
        for line, row in enumerate(section["rows"], start=top + 1):
            for column, (told, cell) in enumerate(zip(columns, row["cells"], strict=True)):
                self.cell(sheet, line, column, told["kind"], cell)
            sheet.set_row(line, LINE_POINTS * _lines([shown_cell(self.report, cell) for cell in row["cells"]], widths))
            self.links(sheet, line, len(columns), row["entries"])

    def widths(self, section: Mapping[str, Any]) -> list[int]:
        """The width of each column, in characters: as its longest cell asks, within bounds."""
        found = []
        for column, told in enumerate(section["columns"]):
            cells = [len(shown_cell(self.report, row["cells"][column])) for row in section["rows"]]
            asked = max([*cells, min(len(told["title"]), 16)], default=0) + 2
            found.append(min(max(asked, WIDTH_LEAST), WIDTH_MOST))
        return found

    def cell(self, sheet: Any, row: int, column: int, kind: str, cell: Any) -> None:
        """A number where it is one that a spreadsheet can hold exactly enough, else the text."""
        if kind == INTEGER and isinstance(cell, int) and abs(cell) < 10**DIGITS_MAX:
            sheet.write_number(row, column, cell, self.number("#,##0"))
        elif kind == AMOUNT and _fits(cell):
            unit = self.report["units"].get(cell["unit"], {"exponent": 0, "symbol": cell["unit"]})
            decimals = _decimals(cell["amount"], unit["exponent"])
            style = self.number(_pattern(cell, unit["symbol"], decimals, self.words))
            sheet.write_number(row, column, cell["amount"] / 10 ** unit["exponent"], style)
        else:
            sheet.write_string(row, column, shown_cell(self.report, cell), self.styles.text)

    def number(self, pattern: str) -> Any:
        """The format for a number pattern, made once."""
        if pattern not in self.numbers:
            self.numbers[pattern] = self.book.add_format(
                {"num_format": pattern, "valign": "top", "align": "right", "indent": 1}
            )
        return self.numbers[pattern]

    def links(self, sheet: Any, row: int, column: int, entries: Sequence[str]) -> None:
        """A cell with a link for each entry, into the list of entries."""
        for offset, entry in enumerate(entries[:LINKED_MAX]):
            target = f"internal:'{ENTRIES_SHEET}'!A{self.rows[entry] + 1}" if entry in self.rows else ""
            if target:
                sheet.write_url(row, column + offset, target, self.styles.link, entry)
            else:
                sheet.write_string(row, column + offset, entry, self.styles.mono)
        if len(entries) > LINKED_MAX:
            more = self.words["and-more"].format(len(entries) - LINKED_MAX)
            sheet.write_string(row, column + LINKED_MAX, more, self.styles.text)

    def entries(self) -> None:
        """The last sheet: every entry cited, with its leaf hash."""
        sheet, words = self.sheet(ENTRIES_SHEET), self.words
        heads = ("entry", "leaf", "event-at", "format", "subject", "status")
        for column, (head, width) in enumerate(zip(heads, (14, 70, 23, 24, 50, 10), strict=True)):
            sheet.write_string(0, column, words[head], self.styles.head)
            sheet.set_column(column, column, width)
        for cited in self.report["annex"]:
            for column, head in enumerate(heads):
                style = self.styles.text if head == "subject" else self.styles.mono
                sheet.write_string(self.rows[cited["entry"]], column, cited[head], style)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)


def _lines(texts: Sequence[str], widths: Sequence[int]) -> int:
    """How many lines the longest of some texts takes, each in its column."""
    return max((-(-len(text) // (width - 2)) for text, width in zip(texts, widths, strict=True)), default=1) or 1


def _escaped(text: str) -> str:
    """Text in a header of a page, where `&` begins a command and 255 characters are all there is room for."""
    return text.replace("&", "&&")[:110]


def _fits(cell: Any) -> bool:
    return (
        isinstance(cell, dict)
        and "to" not in cell
        and cell["amount"] is not None
        and (abs(cell["amount"]) < 10**DIGITS_MAX)
    )


def _decimals(amount: int, exponent: int) -> int:
    """How many decimals an amount has when it is shifted."""
    while exponent and amount % 10 == 0:
        amount, exponent = amount // 10, exponent - 1
    return exponent


def _pattern(cell: Mapping[str, Any], symbol: str, decimals: int, words: Mapping[str, str]) -> str:
    """A number pattern with unit and qualifier as quoted text: the cell stays a number."""
    number = "#,##0" + ("." + "0" * decimals if decimals else "")
    before, after = "", ""
    if cell["qualifier"] != "exact":
        before, after = words[f"q-{cell['qualifier']}"].split("{}")
    quoted = [_quoted(before), number, _quoted(f"\u00a0{symbol}{after}")]
    return "".join(quoted)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', "'") + '"' if text else ""
