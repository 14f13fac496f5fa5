# SPDX-License-Identifier: Apache-2.0
"""From the folder that an author writes (TOML, JSON field schemas) to the canonical bytes of a pack (spec/pack.md).

The folder comes in as a mapping of names to bytes; whoever calls has read the disk.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import Any

from servanda.agreement.errors import PackError, Problem
from servanda.agreement.pack import Pack, pack_of
from servanda.agreement.rules import LISTS, REQUIRED_LISTS, pack_problems, split_path
from servanda.proof.canonical import CanonicalError, encode

_OPTIONAL: dict[str, dict[str, Any]] = {
    "items": {"within": None},
    "formats": {"effect": None, "may-send": [], "performs": False, "witnesses": [], "version": 1, "release": "two"},
    "obligations": {"judged-by": [], "absence": "overdue"},
    "bodies": {"within": None, "cadence": None},
    "alerts": {"answer-minutes": None},
    "topics": {"within": None},
    "seals": {"days": None},
}


def compile_pack(files: Mapping[str, bytes]) -> Pack:
    """Compile a pack folder.

    Args:
        files: name within the folder (`pack.toml`, `fields/notice.json`) to content.

    Raises:
        PackError: with every problem found, by file and line.
    """
    problems: list[Problem] = []
    data: dict[str, Any] = {}
    origin: dict[str, list[tuple[str, int]]] = {name: [] for name in LISTS}
    if "pack.toml" not in files:
        raise PackError([Problem("pack.toml", 0, "missing: a pack folder has a file pack.toml")])
    for name in sorted(files):
        if name.endswith(".toml"):
            _merge(name, files[name], data, origin, problems)
    _complete(data, files, origin, problems)
    if not problems:
        for path, reason in pack_problems(data):
            file, line = _locate_in_rows(path, files, data) or _locate(path, files, origin)
            problems.append(Problem(file, line, f"{path}: {reason}" if path else reason))
    if not problems:
        try:
            encode(data)
        except CanonicalError as error:
            problems.append(Problem("pack.toml", 0, str(error)))
    if problems:
        raise PackError(problems)
    return pack_of(data)


def _merge(
    name: str,
    text: bytes,
    data: dict[str, Any],
    origin: dict[str, list[tuple[str, int]]],
    problems: list[Problem],
) -> None:
    try:
        part = tomllib.loads(text.decode())
    except UnicodeDecodeError as error:
        problems.append(Problem(name, 0, f"not UTF-8: {error}"))
        return
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is one; so is what `int` says of 5,000 digits
        match = re.search(r"line (\d+)", str(error))
        problems.append(Problem(name, int(match[1]) if match else 0, str(error)))
        return
    problems += [
        Problem(name, _line_with(text, str(value)), f"{value} is a date of TOML: write it as a text, in quotes")
        for value in _times(part)
    ]
    for key, value in part.items():
        if key in LISTS and isinstance(value, list) and isinstance(data.get(key, []), list):
            origin[key] += [(name, index) for index in range(len(value))]
            data.setdefault(key, []).extend(value)
        elif key in data:
            problems.append(Problem(name, _line_of_top(text, key), f"`{key}` is given in another file as well"))
        else:
            data[key] = value
            origin[key] = [(name, 0)]


def _times(value: object) -> Iterator[date | time]:
    """Dates and times, which TOML has and JSON has not (a `datetime` is a `date`)."""
    if isinstance(value, date | time):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _times(inner)


def _line_with(text: bytes, words: str) -> int:
    """The first line on which some words stand without quotes, or 0."""
    bare = re.compile(rf"(?<![\"'\w]){re.escape(words[:8])}")
    lines = text.decode().splitlines()
    return next((number for number, line in enumerate(lines, start=1) if bare.search(line)), 0)


def _complete(
    data: dict[str, Any],
    files: Mapping[str, bytes],
    origin: dict[str, list[tuple[str, int]]],
    problems: list[Problem],
) -> None:
    data["servanda-pack"] = 1
    data.setdefault("replaces", None)
    if isinstance(data.get("time"), dict):
        data["time"].setdefault("holidays", [])
    if isinstance(data.get("discrepancies"), dict):
        data["discrepancies"].setdefault("codes", [])
    for name in (*REQUIRED_LISTS, *(name for name in ("topics", "seals") if name in data)):
        for entry in _entries(data, name):
            for member, default in _OPTIONAL.get(name, {}).items():
                if isinstance(entry, dict):
                    entry.setdefault(member, default)
    for entry in _entries(data, "obligations"):
        if isinstance(entry, dict) and isinstance(entry.get("due"), dict) and entry["due"].get("rule") == "recurring":
            entry["due"].setdefault("until", None)
    for index, entry in enumerate(_entries(data, "formats")):
        if not isinstance(entry, dict):
            continue
        schema = f"fields/{entry.get('id')}.json"
        if "fields" not in entry and schema not in files:
            file, line = _locate(f"formats[{index}]", files, origin)
            problems.append(Problem(file, line, f"format `{entry.get('id')}` has no field schema {schema}"))
        for member in ("fields", "rows"):
            _take_schema(entry, member, files, problems)
    known = {str(entry.get("id")) for entry in _entries(data, "formats") if isinstance(entry, dict)}
    problems += [
        Problem(name, 0, "no format has this name: its rows would be nobody's")
        for name in sorted(files)
        if (match := re.fullmatch(r"rows/(.+)\.json", name)) and known and match[1] not in known
    ]


def _take_schema(entry: dict[str, Any], member: str, files: Mapping[str, bytes], problems: list[Problem]) -> None:
    """Read a schema of a format from its own file, `fields/<id>.json` or `rows/<id>.json`."""
    schema = f"{member}/{entry.get('id')}.json"
    if member in entry or schema not in files:
        return
    try:
        entry[member] = json.loads(files[schema], object_pairs_hook=_members)
    except json.JSONDecodeError as error:
        problems.append(Problem(schema, error.lineno, f"not JSON: {error.msg}"))
    except UnicodeDecodeError as error:
        problems.append(Problem(schema, 0, f"not UTF-8: {error}"))
    except (ValueError, RecursionError) as error:
        problems.append(Problem(schema, 0, f"not a field schema: {error}"))


def _entries(data: dict[str, Any], name: str) -> list[Any]:
    """The list of that name, empty if it is missing; also if it is none, which the shape will say."""
    value = data.setdefault(name, [])
    return value if isinstance(value, list) else []


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        name = next(name for index, (name, _) in enumerate(pairs) if name in dict(pairs[:index]))
        raise ValueError(f"the member `{name}` stands there twice")
    return members


def _line_of_top(text: bytes, key: str) -> int:
    """The line of a key of the whole file: of its first table, or of what is set before any table."""
    word, before_tables = rf"\"?{re.escape(key)}\"?\s*", True
    for number, line in enumerate(text.decode(errors="replace").splitlines(), start=1):
        if re.match(rf"\s*\[{{1,2}}\s*{word}[\].]", line) or (before_tables and re.match(rf"\s*{word}[.=]", line)):
            return number
        before_tables = before_tables and not line.lstrip().startswith("[")
    return 1


def _line_of(text: bytes, key: str, start: int = 0) -> int:
    lines = text.decode(errors="replace").splitlines()
    for number in range(start, len(lines)):
        if number > start and lines[number].startswith("[["):
            break
        if re.match(rf"\s*\[?\"?{re.escape(key)}\"?[\].\s=]", lines[number]):
            return number + 1
    return start + 1


def _locate(path: str, files: Mapping[str, bytes], origin: dict[str, list[tuple[str, int]]]) -> tuple[str, int]:
    """File and line of a path: the table in its list, then the key within the table."""
    steps = split_path(path)
    if len(steps) < 2 or not isinstance(steps[1], int) or steps[0] not in LISTS:
        return _locate_single(steps, files, origin)
    name, nth = origin[str(steps[0])][steps[1]]
    lines = files[name].decode().splitlines()
    heads = [number for number, line in enumerate(lines) if line.strip() == f"[[{steps[0]}]]"]
    if nth >= len(heads):
        return name, 0
    keys = [step for step in steps[2:] if isinstance(step, str)]
    line = heads[nth]
    for key in keys:
        line = _line_of(files[name], key, line) - 1
    return name, line + 1


def _locate_in_rows(path: str, files: Mapping[str, bytes], data: dict[str, Any]) -> tuple[str, int] | None:
    """File and line of `formats[2].rows.serial`, if the schema of the rows stands in its own file; else None."""
    match = re.fullmatch(r"formats\[(\d+)\]\.rows(?:\.(.+))?", path)
    name = f"rows/{data['formats'][int(match[1])]['id']}.json" if match else ""
    if match is None or name not in files:
        return None
    lines = files[name].decode().splitlines()
    member = f"{json.dumps(match[2])}" if match[2] else "{"
    return name, next((number for number, line in enumerate(lines, start=1) if member in line), 1)


def _locate_single(
    steps: list[str | int], files: Mapping[str, bytes], origin: dict[str, list[tuple[str, int]]]
) -> tuple[str, int]:
    """File and line of what a pack has once, such as `line.routes[1]`: the table, the key, the row of a list."""
    top = str(steps[0]) if steps else ""
    name = origin[top][0][0] if origin.get(top) else "pack.toml"
    begin = _line_of_top(files[name], top) - 1 if top else 0
    if len(steps) < 2:
        return name, begin + 1
    key, row = str(steps[1]), steps[2] if len(steps) > 2 and isinstance(steps[2], int) else None
    lines = files[name].decode().splitlines()
    tables = [number for number, line in enumerate(lines) if line.strip() == f"[[{top}.{key}]]"]
    if row is not None and row < len(tables):
        return name, tables[row] + 1
    line = _line_of(files[name], key, begin) - 1
    if row is not None:
        end = next((n for n in range(line + 1, len(lines)) if not lines[n].lstrip().startswith("{")), len(lines))
        line = line + 1 + row if line + 1 + row < end else line
    return name, line + 1
