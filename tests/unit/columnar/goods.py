# SPDX-License-Identifier: Apache-2.0
"""A format with rows, the names of its pack, and files of CSV, XLSX and Parquet. Nothing in it is real."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq

from servanda.agreement.formats import Format
from servanda.storage.columnar.checking import Names

SECRET = bytes(range(32))
PROPERTIES: dict[str, Any] = {
    "amount": {"type": "integer", "minimum": 1, "maximum": 10_000},
    "kind": {"type": "string"},
    "note": {"type": "string", "maxLength": 200},
    "place": {"type": "string"},
    "serial": {"type": "string", "minLength": 3, "maxLength": 20},
    "shown": {"type": "boolean"},
}
NAMES = Names({"boat": "piece", "salt": "g"}, frozenset({"harbour", "store"}))


def form(properties: dict[str, Any] = PROPERTIES, required: Sequence[str] = ("kind", "place", "serial")) -> Format:
    """A format whose rows have these members."""
    rows = {"type": "object", "properties": properties, "required": [*required], "additionalProperties": False}
    return Format("declare", 1, "notify", "two", {"type": "object", "properties": {}}, rows=rows)


def csv_file(path: Path, *lines: str) -> Path:
    """A file of CSV with these lines."""
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    return path


def boats(count: int) -> list[str]:
    """Lines of CSV: boats in two places."""
    return ["kind,place,serial", *(f"boat,{'store' if i % 3 else 'harbour'},B-{i:06d}" for i in range(count))]


def parquet_file(path: Path, **columns: Any) -> Path:
    """A Parquet file with these columns."""
    pq.write_table(pa.table(columns), path)
    return path


def xlsx_file(path: Path, *rows: Sequence[Any], formula: bool = False, merged: bool = False) -> Path:
    """A workbook, as small as one can be: numbers as numbers, texts in their cells."""
    body = []
    for number, row in enumerate(rows, start=1):
        cells = []
        for place, value in enumerate(row):
            at = f"{chr(65 + place)}{number}"
            if isinstance(value, int | float):
                cells.append(f'<c r="{at}"><v>{value}</v></c>')
            elif formula and str(value).startswith("="):
                cells.append(f'<c r="{at}"><f>{escape(value[1:])}</f><v>2</v></c>')
            else:
                cells.append(f'<c r="{at}" t="inlineStr"><is><t>{escape(str(value))}</t></is></c>')
        body.append(f'<row r="{number}">{"".join(cells)}</row>')
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rels = "http://schemas.openxmlformats.org/package/2006/relationships"
    doc = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    merges = '<mergeCells count="1"><mergeCell ref="A2:A3"/></mergeCells>' if merged else ""
    files = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/'
        'vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{rels}"><Relationship Id="r1" Type="{doc}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{doc}"><sheets>'
        '<sheet name="rows" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{rels}"><Relationship Id="r1" Type="{doc}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{"".join(body)}</sheetData>{merges}'
        "</worksheet>",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return path
