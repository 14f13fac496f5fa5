# SPDX-License-Identifier: Apache-2.0
"""The rules a pack must keep (spec/pack.md): first its shape, then what its parts say of one another.

Problems are yielded as (path, reason); a path such as `obligations[3].due` lets the compiler find file and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any
from zoneinfo import available_timezones

import jsonschema_rs

from servanda.agreement.accounting import accounting_problems, broken_chain, quorum_problems
from servanda.agreement.effects import EFFECTS, PERFORMS
from servanda.agreement.fields import APART, row_problems, schema_problems
from servanda.agreement.formats import ACTS, BUILT_IN
from servanda.agreement.shape import PACK_SHAPE
from servanda.agreement.tables import NAMING

Found = Iterator[tuple[str, str]]
REQUIRED_LISTS = ("parties", "units", "items", "places", "events", "formats", "obligations", "bodies", "alerts")
LISTS = (*REQUIRED_LISTS, "codes", "topics", "scales", "reasons", "methods", "seals", "thresholds")
OPENS_LOTS = frozenset({"custody.table", "custody.found-table"})
"""Effects of which every row of a table opens a lot."""
_ROWS_OF_LOTS = (
    ("kind", "string", True),
    ("place", "string", True),
    ("serial", "string", False),
    ("amount", "integer", False),
)
_PACK_ACTS = frozenset({"notify", "inquire", "answer", "offer"})


def pack_problems(data: object) -> Found:
    """Every rule that `data` breaks. If its shape is wrong only that is reported: the rest could not be judged."""
    validator = jsonschema_rs.Draft202012Validator(PACK_SHAPE)
    shaped = True
    for error in validator.iter_errors(data):
        shaped = False
        yield _path(error.instance_path), error.message[:300]
    if not shaped or not isinstance(data, dict):
        return
    yield from _text_problems(data)
    yield from _identifier_problems(data)
    yield from _date_problems(data)
    yield from _settlement_problems(data)
    yield from _item_problems(data)
    yield from accounting_problems(data)
    for index, form in enumerate(data["formats"]):
        yield from _format_problems(data, form, f"formats[{index}]")
    for index, obligation in enumerate(data["obligations"]):
        yield from _obligation_problems(data, obligation, f"obligations[{index}]")
    yield from _body_problems(data)
    yield from _dialogue_problems(data)
    yield from _line_problems(data)


def _path(steps: list[str | int]) -> str:
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def _ids(data: dict[str, Any], name: str) -> set[str]:
    return {entry["id"] for entry in data[name]}


_TEXTS = {
    "parties": ("names", "role"),
    "units": ("names",),
    "items": ("names",),
    "places": ("names",),
    "events": ("names",),
    "formats": ("names", "purpose"),
    "obligations": ("names", "text"),
    "bodies": ("names", "cadence"),
    "alerts": ("names",),
    "codes": ("texts",),
    "topics": ("names",),
    "scales": ("names",),
    "reasons": ("names",),
    "methods": ("names",),
    "seals": ("names",),
}


def _text_problems(data: dict[str, Any]) -> Found:
    languages = data["languages"]
    texts = [("title", data["title"])]
    for name, members in _TEXTS.items():
        for index, entry in enumerate(data.get(name, ())):
            texts += [(f"{name}[{index}].{member}", entry[member]) for member in members]
    texts += [
        (f"obligations[{index}].due.text", entry["due"]["text"])
        for index, entry in enumerate(data["obligations"])
        if entry["due"]["rule"] == "unstated"
    ]
    texts += [
        (f"bodies[{index}].offices[{row}].office", office["office"])
        for index, body in enumerate(data["bodies"])
        for row, office in enumerate(body.get("offices", ()))
    ]
    texts += [
        (f"scales[{index}].marks[{row}].names", mark["names"])
        for index, scale in enumerate(data.get("scales", ()))
        for row, mark in enumerate(scale["marks"])
    ]
    for path, text in texts:
        if text is None:
            continue
        for language in languages:
            if not text.get(language):
                yield path, f"has no text in `{language}`"
        for language in sorted(set(text) - set(languages)):
            yield path, f"has a text in `{language}`, which is not among the pack's languages"


def _identifier_problems(data: dict[str, Any]) -> Found:
    for name in (*REQUIRED_LISTS, "topics", "scales", "reasons", "methods", "seals"):
        seen: set[object] = set()
        for index, entry in enumerate(data.get(name, ())):
            key = (entry["id"], entry["version"]) if name == "formats" else entry["id"]
            if key in seen:
                yield f"{name}[{index}].id", f"`{entry['id']}` is already used in {name}"
            seen.add(key)


def _date_problems(data: dict[str, Any]) -> Found:
    dates = [(f"time.holidays[{i}]", day) for i, day in enumerate(data["time"]["holidays"])]
    dates += [(f"events[{i}].date", e["date"]) for i, e in enumerate(data["events"]) if "date" in e]
    every = [(f"bodies[{i}].every", body.get("every", {})) for i, body in enumerate(data["bodies"])]
    dates += [(f"{path}.first", rhythm["first"]) for path, rhythm in every if "first" in rhythm]
    for index, entry in enumerate(data["obligations"]):
        for member in ("date", "first", "until"):
            if entry["due"].get(member) is not None:
                dates.append((f"obligations[{index}].due.{member}", entry["due"][member]))
    for path, text in dates:
        try:
            date.fromisoformat(text)
        except ValueError:
            yield path, f"`{text}` is not a date that exists"
    if data["time"]["zone"] not in available_timezones():
        yield "time.zone", f"`{data['time']['zone']}` is not a time zone"


def _settlement_problems(data: dict[str, Any]) -> Found:
    quorum, liars = data["settlement"]["quorum"], data["settlement"]["liars"]
    others = len(data["parties"]) - 2
    if quorum != "all" and not (2 * quorum > others + liars and quorum <= max(others, 1)):
        yield (
            "settlement.quorum",
            f"{quorum} of {others} other parties with {liars} liars can settle two histories; 2q > n + f is needed",
        )


def _item_problems(data: dict[str, Any]) -> Found:
    units, items = _ids(data, "units"), {item["id"]: item for item in data["items"]}
    for index, item in enumerate(data["items"]):
        path = f"items[{index}]"
        if item["unit"] not in units:
            yield f"{path}.unit", f"unit `{item['unit']}` is not among the units"
        chain, step = {item["id"]}, item["within"]
        while step is not None:
            if step not in items:
                yield f"{path}.within", f"item `{step}` is not among the items"
                break
            if step in chain:
                yield f"{path}.within", f"`{item['id']}` is within itself"
                break
            if items[step]["unit"] != item["unit"]:
                yield f"{path}.within", f"`{step}` is counted in `{items[step]['unit']}`, not in `{item['unit']}`"
            chain.add(step)
            step = items[step]["within"]


def _parties_named(data: dict[str, Any], names: list[str], path: str) -> Found:
    known = _ids(data, "parties")
    for name in names:
        if name not in known:
            yield path, f"`{name}` is not among the parties"


def _format_problems(data: dict[str, Any], form: dict[str, Any], path: str) -> Found:
    if (form["id"], 1) in BUILT_IN:
        yield f"{path}.id", f"`{form['id']}` is a built-in format"
    if form["act"] not in _PACK_ACTS:
        listed = ", ".join(sorted(_PACK_ACTS))
        yield (
            f"{path}.act",
            f"a pack's format rests on one of {listed}; built-in formats serve the other acts of {len(ACTS)}",
        )
    effect = form["effect"]
    if effect is not None and effect not in EFFECTS:
        yield f"{path}.effect", f"`{effect}` is not an effect (the pages of spec/ list them)"
    elif effect is not None:
        if EFFECTS[effect].act != form["act"]:
            yield f"{path}.act", f"effect `{effect}` rests on `{EFFECTS[effect].act}`, not on `{form['act']}`"
        declared = set(form["fields"].get("properties", {}))
        needed = set(EFFECTS[effect].shape["required"])
        if "groups" in needed and "rows" not in form:
            yield path, f"effect `{effect}` needs `rows`, the schema of a row"
        for name in sorted(needed - declared - set(APART)):
            yield f"{path}.fields", f"effect `{effect}` needs the member `{name}`"
        if effect in NAMING and not {"lot", "tables"} & declared:
            yield f"{path}.fields", f"effect `{effect}` needs the member `lot` or `tables`"
    if form["performs"] and "performs" not in form["fields"].get("properties", {}):
        yield f"{path}.fields", f"a format that performs has the member `performs` (at most {PERFORMS['maxItems']})"
    yield from _parties_named(data, form["may-send"], f"{path}.may-send")
    yield from _parties_named(data, form["witnesses"], f"{path}.witnesses")
    if form["witnesses"] and form["act"] != "offer":
        yield f"{path}.witnesses", "only an offer has witnesses"
    yield from quorum_problems(form, path)
    for reason in schema_problems(form["fields"]):
        yield f"{path}.fields", reason
    if form["fields"].get("type") != "object":
        yield f"{path}.fields", "the content of an entry is an object"
    if "rows" in form:
        yield from _rows_problems(form, path)


def _rows_problems(form: dict[str, Any], path: str) -> Found:
    """What is wrong with the schema of a table's row (spec/pack.md, Rows of a table)."""
    for reason in row_problems(form["rows"]):
        where, _, why = reason.partition(": ")
        yield f"{path}.{where}", why
    members = form["rows"].get("properties")
    if not isinstance(members, dict):
        return
    for name in sorted(set(APART) & set(form["fields"].get("properties", {}))):
        yield f"{path}.fields", f"`{name}` is part of every format that has `rows`; leave it out of the field schema"
    if form["effect"] in OPENS_LOTS:
        types = {name: part.get("type") for name, part in members.items() if isinstance(part, dict)}
        for name, kind, needed in _ROWS_OF_LOTS:
            if needed and name not in types:
                yield f"{path}.rows", f"effect `{form['effect']}` needs the member `{name}` in a row"
            elif types.get(name, kind) != kind:
                yield f"{path}.rows.{name}", f"with effect `{form['effect']}`, `{name}` is of type {kind}"


def _obligation_problems(data: dict[str, Any], obligation: dict[str, Any], path: str) -> Found:
    yield from _parties_named(data, obligation["obligors"], f"{path}.obligors")
    yield from _parties_named(data, obligation["judged-by"], f"{path}.judged-by")
    due = obligation["due"]
    if due["rule"] in ("days-after", "before") and due["event"] not in _ids(data, "events"):
        yield f"{path}.due.event", f"event `{due['event']}` is not among the events"
    if due["rule"] == "triggered" and due["trigger"] not in _ids(data, "formats"):
        yield f"{path}.due.trigger", f"format `{due['trigger']}` is not among the formats"
    if due["rule"] == "share" and due["part"] > due["of"]:
        yield f"{path}.due.part", f"{due['part']}/{due['of']} is more than the whole"


def _body_problems(data: dict[str, Any]) -> Found:
    bodies = {body["id"]: body for body in data["bodies"]}
    for index, body in enumerate(data["bodies"]):
        yield from _parties_named(data, body["members"], f"bodies[{index}].members")
        step = broken_chain(bodies, body)
        if step is not None:
            yield f"bodies[{index}].within", f"`{step}` is not a body, or the body is within itself"
    for index, event in enumerate(data["events"]):
        if "format" in event and event["format"] not in _ids(data, "formats"):
            yield f"events[{index}].format", f"format `{event['format']}` is not among the formats"


def _dialogue_problems(data: dict[str, Any]) -> Found:
    for index, body in enumerate(data["bodies"]):
        for row, office in enumerate(body.get("offices", ())):
            if office["party"] not in body["members"]:
                yield f"bodies[{index}].offices[{row}].party", f"`{office['party']}` is not a member of the body"
    topics = {topic["id"]: topic for topic in data.get("topics", ())}
    for index, topic in enumerate(data.get("topics", ())):
        step = broken_chain(topics, topic)
        if step is not None:
            yield f"topics[{index}].within", f"`{step}` is not a topic, or the topic is within itself"
    for index, scale in enumerate(data.get("scales", ())):
        values = [mark["value"] for mark in scale["marks"]]
        if len(set(values)) != len(values):
            yield f"scales[{index}].marks", "a mark stands twice"


def _line_problems(data: dict[str, Any]) -> Found:
    classes, book = _ids(data, "alerts"), set()
    for index, code in enumerate(data.get("codes", ())):
        if code["class"] not in classes:
            yield f"codes[{index}].class", f"class `{code['class']}` is not among the alerts"
        if (code["word"], code["number"]) in book:
            yield f"codes[{index}].number", f"{code['word']} {code['number']} is already in the book"
        book.add((code["word"], code["number"]))
    seen: set[str] = set()
    for index, route in enumerate(data["line"]["routes"] if "line" in data else ()):
        path = f"line.routes[{index}]"
        if (route["kind"] == "relay") != ("by" in route):
            yield path, "a relay, and no other route, says `by` which party it goes"
            continue
        name = f"relay {route['by']}" if "by" in route else route["kind"]
        if name in seen:
            yield path, f"the route `{name}` is named twice: a list of routes has no loops"
        seen.add(name)
        if "by" in route:
            yield from _parties_named(data, [route["by"]], f"{path}.by")


def split_path(path: str) -> list[str | int]:
    """The steps of a path such as `obligations[3].due`: `["obligations", 3, "due"]`."""
    return [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]
