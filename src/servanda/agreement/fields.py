# SPDX-License-Identifier: Apache-2.0
"""Field schemas: the subset of JSON Schema that a pack may use, and the validator made from one (spec/pack.md)."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import jsonschema_rs

from servanda.agreement.dates import DateExpressionError, NoSuchDateError, parse_span

_TYPES = frozenset({"object", "array", "string", "integer", "boolean", "null"})
_ALLOWED: dict[str, frozenset[str]] = {
    "object": frozenset({"properties", "required", "additionalProperties"}),
    "array": frozenset({"items", "minItems", "maxItems", "uniqueItems"}),
    "string": frozenset({"minLength", "maxLength", "pattern"}),
    "integer": frozenset({"minimum", "maximum"}),
    "boolean": frozenset(),
    "null": frozenset(),
}
ROW_TYPES = ("string", "integer", "boolean")
"""What a member of a table's row may be."""
APART = ("table", "groups")
"""Members that any content has whose format has `rows`; spec/tables.md gives their shape, not the format's schema."""
_EVERYWHERE = frozenset({"type", "enum", "const", "title", "description"})
_ANCHORED = re.compile(r"\^(?:[^\\]|\\.)*\$", re.DOTALL)
"""Begins with ^ and ends with a $ that is not itself escaped."""
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength")
SEALS: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"},
    "minItems": 1,
    "uniqueItems": True,
}


def _is_date_expression(text: str) -> bool:
    """Whether a text is a date expression; one whose days do not exist is kept as stated (spec/entry.md)."""
    try:
        parse_span(text)
    except NoSuchDateError:
        return True
    except DateExpressionError:
        return False
    return True


_FORMATS = {"date-expression": _is_date_expression}


def schema_problems(schema: object, where: str = "fields") -> Iterator[str]:
    """Every reason why `schema` is not a field schema; none if it is one. `where` is a path for the messages."""
    if not isinstance(schema, dict):
        yield f"{where}: a field schema is an object"
        return
    kind = schema.get("type")
    if kind not in _TYPES:
        yield f"{where}: `type` is one of {', '.join(sorted(_TYPES))}"
        return
    for name in sorted(set(schema) - _EVERYWHERE - _ALLOWED[kind]):
        yield f"{where}: `{name}` is not part of field schemas for type {kind}"
    for name in _COUNTS:
        value = schema.get(name, 0)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            yield f"{where}: `{name}` is a count"
    for name in ("minimum", "maximum"):
        if not isinstance(schema.get(name, 0), int) or isinstance(schema.get(name), bool):
            yield f"{where}: `{name}` is an integer"
    if "enum" in schema and not (isinstance(schema["enum"], list) and schema["enum"]):
        yield f"{where}: `enum` is a list of at least one value"
    if kind == "object":
        yield from _object_problems(schema, where)
    elif kind == "array":
        if "items" not in schema:
            yield f"{where}: a list says what its `items` are"
        else:
            yield from schema_problems(schema["items"], f"{where}.items")
    elif kind == "string" and "pattern" in schema:
        yield from _pattern_problems(schema["pattern"], where)


def _object_problems(schema: dict[str, Any], where: str) -> Iterator[str]:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        yield f"{where}: an object states its `properties`"
        return
    if schema.get("additionalProperties") is not False:
        yield f"{where}: `additionalProperties` is false, so that nothing unsaid can be sent"
    required = schema.get("required", [])
    if not isinstance(required, list) or any(not isinstance(n, str) for n in required):
        yield f"{where}: `required` is a list of member names"
        return
    for name in required:
        if name not in properties:
            yield f"{where}: `{name}` is required but not among the properties"
    for name, part in properties.items():
        if not re.fullmatch(r"[\x20-\x7e]{1,64}", name) or name in ("_sd", "..."):
            yield f"{where}: `{name}` is not a member name (1 to 64 printable ASCII characters, not `_sd`)"
        yield from schema_problems(part, f"{where}.{name}")


def row_problems(schema: dict[str, Any]) -> Iterator[str]:
    """Every reason why `schema` is not the schema of a table's row: flat, of words, numbers and yes or no.

    Each begins with the path of what is at fault, from `rows` on (spec/pack.md, Rows of a table).
    """
    yield from schema_problems(schema, "rows")
    properties = schema.get("properties")
    if schema.get("type") != "object" or not isinstance(properties, dict) or not properties:
        yield "rows: a row is an object with at least one member"
        return
    for name, part in properties.items():
        if isinstance(part, dict) and part.get("type") not in ROW_TYPES:
            yield f"rows.{name}: a member of a row is of type {', '.join(ROW_TYPES)}; a table is flat"


def _pattern_problems(pattern: object, where: str) -> Iterator[str]:
    if not isinstance(pattern, str) or not _ANCHORED.fullmatch(pattern):
        yield f"{where}: a `pattern` is anchored, ^…$"
        return
    if "(?" in pattern or re.search(r"\\[A-Za-z0-9\s]", pattern):
        yield f"{where}: a `pattern` has no look-around, back-reference or letter escape"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # `[[` and `--` mean something else to other engines
            re.compile(pattern)
        jsonschema_rs.Draft202012Validator(_whole_match({"type": "string", "pattern": pattern}))
    except (re.error, ValueError, FutureWarning, OverflowError, RecursionError) as error:
        reason = str(error).partition("\n")[0][:200]
        yield f"{where}: `pattern` is not a regular expression that all engines read alike: {reason}"


def _whole_match(schema: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema searches: without the brackets `^a|b$` would let pass whatever begins with a (spec/pack.md)."""
    return {**schema, "pattern": f"^(?:{schema['pattern'][1:-1]})$"}


def whole_matches(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a row, ready for a validator: patterns match the whole string."""
    parts = {n: _whole_match(p) if "pattern" in p else p for n, p in schema["properties"].items()}
    return {**schema, "properties": parts}


def _with_seals(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with `_sd` allowed in every object; a sealed object need not have what it requires."""
    kind = schema.get("type")
    if kind == "array":
        return {**schema, "items": _with_seals(schema["items"])}
    if kind == "string" and "pattern" in schema:
        return _whole_match(schema)
    if kind != "object":
        return schema
    widened = {name: _with_seals(part) for name, part in schema["properties"].items()}
    whole = {**schema, "properties": {**widened, "_sd": SEALS}}
    if required := whole.pop("required", None):
        whole["if"] = {"required": ["_sd"]}
        whole["else"] = {"required": required}
    return whole


def _seals_unsorted(value: object) -> bool:
    """Whether digests of sealed members stand out of order somewhere: no schema can say that (spec/sealing.md)."""
    if isinstance(value, dict):
        seals = value.get("_sd")
        if isinstance(seals, list) and any(str(a) > str(b) for a, b in pairwise(seals)):
            return True
        return any(_seals_unsorted(part) for part in value.values() if isinstance(part, dict | list))
    return isinstance(value, list) and any(_seals_unsorted(part) for part in value if isinstance(part, dict | list))


class FieldValidator:
    """Checks content against one schema. Build it once per schema; checking takes microseconds."""

    def __init__(
        self, schema: dict[str, Any], *, sealable: bool = True, dates: bool = False, apart: tuple[str, ...] = ()
    ) -> None:
        """Build the validator.

        Args:
            schema: the field schema.
            sealable: whether members may stand sealed in any object.
            dates: whether `format` is looked at (`date`, `date-expression`); no field schema of a pack has it.
            apart: members that may stand there as well and are judged elsewhere.
        """
        whole = _with_seals(schema) if sealable else schema
        if apart:
            whole = {**whole, "properties": {**whole["properties"], **dict.fromkeys(apart, True)}}
        self._validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=dates, formats=_FORMATS)
        self._sealable = sealable

    def problem(self, content: object) -> str | None:
        """None if `content` fits, else the first reason with the path of the member at fault."""
        if self._sealable and _seals_unsorted(content):
            return "_sd: the digests are not sorted"
        if self._validator.is_valid(content):
            return None
        error = next(iter(self._validator.iter_errors(content)))
        path = ".".join(str(step) for step in error.instance_path)
        return f"{path or 'content'}: {error.message[:300]}"
