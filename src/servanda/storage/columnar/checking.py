# SPDX-License-Identifier: Apache-2.0
"""Are these rows what the agreement's schema says? Whole columns at once (spec/pack.md, Rows of a table).

What is right is decided here, by the column; why a cell is wrong is said by `agreement.cells`, for that cell alone. A
property holds the two to one another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from servanda.agreement.cells import (
    BOOLEANS,
    FORMULA,
    INTEGER,
    INTEGER_MAX,
    CellError,
    cell_value,
    column_schema,
)
from servanda.agreement.formats import Format

ROW_BYTES_MAX = 4096
"""The most bytes of a row's canonical text (spec/tables.md)."""
_TYPES = {"string": pa.string(), "integer": pa.int64(), "boolean": pa.bool_()}


class Fault(NamedTuple):
    """What is wrong in one row."""

    row: int
    """Within its batch, from 0."""
    column: str
    """Empty if it is the row as a whole."""
    reason: str


class Names(NamedTuple):
    """What the pack knows: kinds with their units, and places. Rows of formats that open lots may name no others."""

    units: Mapping[str, str]
    places: frozenset[str]


class RowChecker:
    """Checks batches of rows against one format's `rows`."""

    def __init__(self, form: Format, names: Names | None) -> None:
        """Check rows of `form`; with `names`, also that kinds, places and units are those of the pack."""
        assert form.rows is not None
        self.members: tuple[str, ...] = tuple(sorted(form.rows["properties"]))
        """Sorted, as the members stand in canonical JSON."""
        self.required = frozenset(form.rows.get("required", ()))
        self._schemas = {name: column_schema(form, name) for name in self.members}
        self._names = names
        self.schema = pa.schema([(name, _TYPES[self._schemas[name]["type"]]) for name in self.members])
        """The types that checked rows have."""

    def bad(self, cells: pa.RecordBatch) -> pa.Array:
        """Which rows of a batch of texts (null: empty) are wrong; one boolean a row."""
        found = pa.array([False] * cells.num_rows, pa.bool_())
        for name in self.members:
            if name in cells.schema.names:
                found = pc.or_(found, pc.fill_null(self._bad_cells(name, cells.column(name)), False))
        for name in self.required:
            empty = pc.is_null(cells.column(name)) if name in cells.schema.names else pa.scalar(True)
            found = pc.or_(found, empty)
        if self._names is not None and "unit" in cells.schema.names and "kind" in cells.schema.names:
            found = pc.or_(found, pc.fill_null(self._foreign_units(cells), False))
        return found

    def _foreign_units(self, cells: pa.RecordBatch) -> pa.Array:
        assert self._names is not None
        kinds = pa.array([*self._names.units], pa.string())
        units = pa.array([*self._names.units.values()], pa.string())
        wanted = pc.take(units, pc.index_in(cells.column("kind"), value_set=kinds))
        return pc.not_equal(wanted, cells.column("unit"))

    def _bad_cells(self, name: str, cells: pa.Array) -> pa.Array:
        schema = self._schemas[name]
        if schema["type"] == "string":
            bad = pc.or_(pc.match_substring_regex(cells, FORMULA), pc.match_substring_regex(cells, _RE2_UNSEEN))
            length = pc.utf8_length(cells)
            bad = pc.or_(bad, pc.less(length, schema.get("minLength", 0)))
            bad = pc.or_(bad, pc.greater(length, schema.get("maxLength", 1 << 30)))
            if "pattern" in schema:
                whole = f"^(?:{schema['pattern'][1:-1]})$"
                bad = pc.or_(bad, pc.invert(pc.match_substring_regex(cells, whole)))
        elif schema["type"] == "integer":
            bad = self._bad_integers(cells, schema)
        else:
            bad = pc.invert(pc.is_in(cells, value_set=pa.array([*BOOLEANS])))
        for options in [schema["enum"]] if "enum" in schema else []:
            bad = pc.or_(bad, pc.invert(pc.is_in(cells, value_set=_texts(options, schema["type"]))))
        if "const" in schema:
            bad = pc.or_(bad, pc.invert(pc.is_in(cells, value_set=_texts([schema["const"]], schema["type"]))))
        if self._names is not None and name in ("kind", "place"):
            known = self._names.units.keys() if name == "kind" else self._names.places
            bad = pc.or_(bad, pc.invert(pc.is_in(cells, value_set=pa.array([*known], pa.string()))))
        return bad

    def _bad_integers(self, cells: pa.Array, schema: Mapping[str, Any]) -> pa.Array:
        written = pc.and_(pc.match_substring_regex(cells, INTEGER), pc.less_equal(pc.utf8_length(cells), 17))
        numbers = pc.cast(pc.if_else(written, cells, pa.scalar("0")), pa.int64())
        least = max(-INTEGER_MAX, schema.get("minimum", -INTEGER_MAX))
        most = min(INTEGER_MAX, schema.get("maximum", INTEGER_MAX))
        outside = pc.or_(pc.less(numbers, least), pc.greater(numbers, most))
        return pc.or_(pc.invert(written), pc.and_(written, outside))

    def faults(self, cells: pa.RecordBatch, row: int) -> Iterator[Fault]:
        """Everything that is wrong in one row, cell by cell, in words."""
        values: dict[str, Any] = {}
        for name in self.members:
            text = cells.column(name)[row].as_py() if name in cells.schema.names else None
            if text is None:
                if name in self.required:
                    yield Fault(row, name, "is empty, and a row must have it")
                continue
            try:
                values[name] = cell_value(text, self._schemas[name])
            except CellError as error:
                yield Fault(row, name, str(error))
        if self._names is None:
            return
        kind, place, unit = values.get("kind"), values.get("place"), values.get("unit")
        if kind is not None and kind not in self._names.units:
            yield Fault(row, "kind", f"{kind!r} is not an item of the pack")
        if place is not None and place not in self._names.places:
            yield Fault(row, "place", f"{place!r} is not a place of the pack: it has not been declared")
        counted = self._names.units.get(kind) if kind is not None else None
        if unit is not None and counted is not None and unit != counted:
            yield Fault(row, "unit", f"{unit!r}, but {kind} is counted in {counted!r}")

    def typed(self, cells: pa.RecordBatch) -> pa.RecordBatch:
        """Good rows with the types of their members; a column that the file has not is empty."""
        columns = []
        for name in self.members:
            kind = self.schema.field(name).type
            if name not in cells.schema.names:
                columns.append(pa.nulls(cells.num_rows, kind))
            elif pa.types.is_boolean(kind):
                columns.append(pc.equal(pc.utf8_lower(cells.column(name)), "true"))
            else:
                columns.append(pc.cast(cells.column(name), kind))
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


_RE2_UNSEEN = r"[\x{00}-\x{1f}\x{7f}-\x{9f}\x{61c}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{2069}\x{feff}]"
"""As `agreement.cells.UNSEEN`, in the notation of the engine."""


def _texts(options: list[Any], kind: str) -> pa.Array:
    """Allowed values as they may stand in a cell."""
    if kind == "boolean":
        return pa.array([text for text, value in BOOLEANS.items() if value in [o for o in options if type(o) is bool]])
    wanted = str if kind == "string" else int
    return pa.array([str(option) for option in options if type(option) is wanted], pa.string())


def canonical_texts(rows: pa.RecordBatch) -> pa.Array:
    """The canonical text of each row (spec/canonical-json.md), as binary; the columns are sorted by name.

    Rows hold texts without control characters, integers within 2^53 - 1 and booleans: then canonical JSON escapes two
    characters only, and a property holds this to `proof.canonical`.
    """
    pieces = []
    for name in rows.schema.names:
        column = rows.column(name)
        key = _escaped(pa.scalar(f"{name}"))
        if pa.types.is_string(column.type):
            value = pc.binary_join_element_wise(f',"{key}":"', _escaped(column), '"', "")
        elif pa.types.is_boolean(column.type):
            value = pc.binary_join_element_wise(f',"{key}":', pc.if_else(column, "true", "false"), "")
        else:
            value = pc.binary_join_element_wise(f',"{key}":', pc.cast(column, pa.string()), "")
        pieces.append(pc.fill_null(value, "") if column.null_count else value)
    joined = pc.binary_join_element_wise(*pieces, "")
    inner = pc.utf8_slice_codeunits(joined, 1)
    return pc.cast(pc.binary_join_element_wise("{", inner, "}", ""), pa.binary())


def _escaped(text: Any) -> Any:
    escaped = pc.replace_substring(pc.replace_substring(text, "\\", "\\\\"), '"', '\\"')
    return escaped.as_py() if isinstance(escaped, pa.Scalar) else escaped
