# SPDX-License-Identifier: Apache-2.0
"""What may stand in a cell of a table that is read in, and what does it mean? By spec/pack.md, Rows of a table.

A cell is a text, however its file kept it; an empty one is a member left out. The reasons are for the person who made
the file: what is wrong, and what to do. `storage/columnar/checking.py` says the same of whole columns at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from servanda.agreement.formats import Format

INTEGER_MAX = 2**53 - 1
INTEGER = r"^(0|-?[1-9][0-9]*)$"
"""An integer as it is written in canonical JSON; 16 digits at most are looked at."""
FORMULA = r"^[=+\-@]"
"""How a cell begins that a spreadsheet would compute."""
UNSEEN = "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
"""Characters that a reader does not see: controls, line breaks, marks of direction, spaces without width."""
BOOLEANS = {"true": True, "false": False, "TRUE": True, "FALSE": False}

_INTEGER, _FORMULA, _UNSEEN = re.compile(INTEGER), re.compile(FORMULA), re.compile(UNSEEN)
_SEPARATED = re.compile(r"[+-]?[0-9]{1,3}([ ,.'\u00a0\u202f][0-9]{3})+\Z")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+\Z")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")
_EXPONENT = re.compile(r"[+-]?[0-9]+[eE][+-]?[0-9]+\Z")
_MEASURED = re.compile(r"[+-]?[0-9][0-9.,]* ?[^\W\d_]+\.?\Z")


class CellError(ValueError):
    """A cell cannot mean what its column says."""


def column_schema(form: Format, name: str) -> dict[str, Any]:
    """The schema of a member of a row, with what the effect asks of it besides: an amount is at least 1."""
    assert form.rows is not None
    schema: dict[str, Any] = form.rows["properties"][name]
    if name == "amount" and schema["type"] == "integer":
        return {**schema, "minimum": max(1, schema.get("minimum", 1))}
    return schema


def cell_value(text: str, schema: Mapping[str, Any]) -> str | int | bool:
    """The value of a cell that is not empty.

    Raises:
        CellError: the reason, and what to do about it.
    """
    kind = schema["type"]
    value = _string(text) if kind == "string" else _integer(text) if kind == "integer" else _boolean(text)
    if kind == "integer":
        assert isinstance(value, int)
        if value < schema.get("minimum", value):
            least = schema["minimum"]
            raise CellError(
                f"the number {value} is less than {least}{': a negative amount is no amount' if value < 0 else ''}"
            )
        if value > schema.get("maximum", value):
            raise CellError(f"the number {value} is more than {schema['maximum']}")
    if kind == "string":
        assert isinstance(value, str)
        _check_text(value, schema)
    allowed = [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())]
    if allowed and not any(type(value) is type(option) and value == option for option in allowed):
        raise CellError(f"{text!r} is none of {', '.join(map(repr, allowed[:10]))}")
    return value


def _check_text(value: str, schema: Mapping[str, Any]) -> None:
    if len(value) < schema.get("minLength", 0):
        raise CellError(f"{value!r} has less than {schema['minLength']} characters")
    if len(value) > schema.get("maxLength", len(value)):
        raise CellError(f"{value[:40]!r}… has more than {schema['maxLength']} characters")
    if "pattern" in schema and not re.fullmatch(schema["pattern"][1:-1], value):
        raise CellError(f"{value!r} does not match {schema['pattern']}")


def _string(text: str) -> str:
    if _FORMULA.match(text):
        raise CellError(
            f"{text[:40]!r} begins like a formula: a spreadsheet would compute it; write it without the first character"
        )
    unseen = _UNSEEN.search(text)
    if unseen:
        raise CellError(f"there is an unseen character U+{ord(unseen[0]):04X} at place {unseen.start() + 1}: remove it")
    return text


def _integer(text: str) -> int:
    if _INTEGER.match(text):
        if len(text) > 17 or abs(int(text)) > INTEGER_MAX:
            raise CellError(f"{text[:40]} is greater than {INTEGER_MAX}")
        return int(text)
    if _SEPARATED.match(text):
        raise CellError(f"{text!r} has a separator of thousands: write digits alone, {re.sub('[^0-9+-]', '', text)}")
    if _DECIMAL_COMMA.match(text):
        raise CellError(f"{text!r} has a decimal comma: amounts are whole numbers of the smallest unit")
    if _DECIMAL.match(text) or _EXPONENT.match(text):
        raise CellError(f"{text!r} is a fraction or has an exponent: amounts are whole numbers of the smallest unit")
    if text.strip() != text:
        raise CellError(f"{text!r} has a space before or after the number: remove it")
    if re.fullmatch(r"[+-]?0[0-9]+|\+[0-9]+|-0", text):
        raise CellError(f"{text!r} is no number as it is written here: no plus, no zeros before it")
    if _MEASURED.match(text):
        raise CellError(f"{text!r} has a unit: the unit stands in the group, and the cell has the number alone")
    raise CellError(f"{text[:40]!r} is no whole number")


def _boolean(text: str) -> bool:
    if text not in BOOLEANS:
        raise CellError(f"{text[:40]!r} is neither true nor false")
    return BOOLEANS[text]
