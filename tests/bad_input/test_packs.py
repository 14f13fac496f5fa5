# SPDX-License-Identifier: Apache-2.0
"""`servanda check` on a pack that is wrong somewhere: file, line and reason, exit status 1, whatever is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from servanda.cli.main import servanda

PACK = """id = "lake"
edition = "1"
languages = ["en"]
title = { en = "Lake" }

[time]
zone = "UTC"
days = "calendar"
holidays = ["2014-05-01"]
basis = "event"

[settlement]
quorum = 1
liars = 0

[[parties]]
id = "ash"
names = { en = "Ash" }
role = { en = "owner" }

[[parties]]
id = "birch"
names = { en = "Birch" }
role = { en = "carrier" }

[[parties]]
id = "cedar"
names = { en = "Cedar" }
role = { en = "witness" }

[[units]]
id = "g"
symbol = "t"
exponent = 6
names = { en = "gram" }

[[units]]
id = "piece"
symbol = "pc"
exponent = 0
names = { en = "piece" }

[[events]]
id = "start"
date = "2014-01-01"
names = { en = "start" }
"""
THINGS = """[[items]]
id = "cargo"
unit = "g"
names = { en = "cargo" }

[[items]]
id = "salt"
unit = "g"
within = "cargo"
names = { en = "salt" }

[[items]]
id = "boat"
unit = "piece"
names = { en = "boat" }

[[places]]
id = "store"
names = { en = "store" }

[[bodies]]
id = "board"
members = ["ash", "birch"]
names = { en = "board" }
"""
FORMATS = """[[formats]]
id = "note"
act = "notify"
names = { en = "note" }
purpose = { en = "to say something" }

[[formats]]
id = "declare"
act = "notify"
effect = "custody.table"
may-send = ["ash"]
names = { en = "declaration" }
purpose = { en = "to declare" }
"""
DUTIES = """[[obligations]]
id = "O1"
instrument = "treaty, article 1"
obligors = ["ash"]
source = "test"
names = { en = "list" }
text = { en = "a list" }
due = { rule = "days-after", event = "start", days = 30 }

[[obligations]]
id = "O2"
instrument = "treaty, article 2"
obligors = ["birch"]
judged-by = ["cedar"]
source = "test"
names = { en = "half" }
text = { en = "half of it" }
due = { rule = "share", date = "2014-03-01", part = 1, of = 2 }
"""
ALERTS = """[[alerts]]
id = "urgent"
precedence = "flash"
acknowledge-minutes = 15
answer-minutes = 240
meeting-minutes = 1440
remind-minutes = 5
escalate-minutes = 10
names = { en = "urgent" }

[[alerts]]
id = "notice"
precedence = "routine"
acknowledge-minutes = 60
names = { en = "notice" }

[[codes]]
word = "LANTERN"
number = 1
class = "urgent"
texts = { en = "A boat is adrift." }

[[codes]]
word = "LANTERN"
number = 2
class = "notice"
texts = { en = "The boat is safe." }
"""
LINE = """[line]
link-test-minutes = 720
alarm-minutes = 10
contacts-days = 365
routes = [
  { kind = "address" },
  { kind = "relay", by = "cedar" },
  { kind = "courier" },
]
"""
NOTE = """{
 "type": "object",
 "properties": {
  "text": {"type": "string", "maxLength": 500}
 },
 "required": ["text"],
 "additionalProperties": false
}
"""
LOTS = """{
 "type": "object",
 "properties": {
  "lots": {"type": "array", "items": {"type": "object", "properties": {}, "additionalProperties": false}}
 },
 "required": ["lots"],
 "additionalProperties": false
}
"""
ROWS = """{
 "type": "object",
 "properties": {
  "kind": {"type": "string"},
  "place": {"type": "string"},
  "serial": {"type": "string", "maxLength": 40},
  "amount": {"type": "integer", "minimum": 1},
  "shown": {"type": "boolean"}
 },
 "required": ["kind", "place"],
 "additionalProperties": false
}
"""
FOLDER = {
    "pack.toml": PACK,
    "things.toml": THINGS,
    "formats.toml": FORMATS,
    "duties.toml": DUTIES,
    "alerts.toml": ALERTS,
    "line.toml": LINE,
    "fields/note.json": NOTE,
    "fields/declare.json": LOTS,
    "rows/declare.json": ROWS,
}


def written(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name in ("fields", "rows"):
        (folder / name).mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def check(*arguments: object) -> Result:
    return CliRunner().invoke(servanda, ["check", *map(str, arguments)])


def test_the_pack_is_sound_before_anything_is_broken(tmp_path: Path) -> None:
    done = check(written(tmp_path / "p", FOLDER), "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["formats"] == 2
    compiled = tmp_path / "lake.json"
    assert check(tmp_path / "p", "--output", compiled).exit_code == 0
    again = check(compiled, "--json")
    assert json.loads(again.output) == json.loads(done.output)


# what is wrong: (file, text as it stands, text instead, words of the reason); the line is that of the text instead
BROKEN: dict[str, tuple[str, str, str, str]] = {
    "no TOML": ("pack.toml", 'edition = "1"', "edition = 1 2", "line 2"),
    "a key twice": ("pack.toml", 'edition = "1"', 'edition = "1"\nedition = "2"', "line 3"),
    "an id with a capital": ("pack.toml", 'id = "ash"', 'id = "Ash"', "Ash"),
    "a party twice": ("pack.toml", 'id = "birch"', 'id = "ash"', "already used"),
    "an unknown member": ("pack.toml", 'basis = "event"', 'basis = "event"\nmood = "calm"', "mood"),
    "an unknown basis": ("pack.toml", 'basis = "event"', 'basis = "hearsay"', "hearsay"),
    "an unknown time zone": ("pack.toml", 'zone = "UTC"', 'zone = "Atlantis"', "not a time zone"),
    "a holiday that does not exist": ("pack.toml", '["2014-05-01"]', '["2014-02-30"]', "not a date that exists"),
    "a quorum that settles two histories": ("pack.toml", "liars = 0", "liars = 1", "2q > n + f"),
    "a quorum of half a party": ("pack.toml", "quorum = 1", "quorum = 0.5", "0.5"),
    "an exponent below zero": ("pack.toml", "exponent = 0", "exponent = -1", "-1"),
    "an event without a day": ("pack.toml", 'date = "2014-01-01"', 'date = "2014"', "2014"),
    "a text that is missing": ("pack.toml", 'role = { en = "carrier" }', "role = { }", "no text in `en`"),
    "a text in another language": (
        "pack.toml",
        'role = { en = "owner" }',
        'role = { en = "owner", fr = "x" }',
        "not among the pack's languages",
    ),
    "an item of an unknown unit": ("things.toml", 'unit = "piece"', 'unit = "pound"', "`pound` is not among the units"),
    "an item within an unknown one": ("things.toml", 'within = "cargo"', 'within = "freight"', "`freight`"),
    "an item within itself": ("things.toml", 'within = "cargo"', 'within = "salt"', "within itself"),
    "an item within one of another unit": ("things.toml", 'within = "cargo"', 'within = "boat"', "counted in"),
    "a body with an unknown member": ("things.toml", '["ash", "birch"]', '["ash", "elm"]', "`elm`"),
    "a format of an unknown act": ("formats.toml", 'act = "notify"\nnames', 'act = "sing"\nnames', "rests on one of"),
    "a format of a built-in name": ("formats.toml", 'id = "note"', 'id = "accept"', "accept"),
    "an unknown effect": ("formats.toml", "custody.table", "custody.vanish", "is not an effect"),
    "an effect of another act": ("formats.toml", 'act = "notify"\neffect', 'act = "offer"\neffect', "rests on"),
    "a sender who is no party": ("formats.toml", 'may-send = ["ash"]', 'may-send = ["elm"]', "`elm`"),
    "witnesses of a notice": ("formats.toml", 'may-send = ["ash"]', 'witnesses = ["cedar"]', "only an offer"),
    "a release by three": ("formats.toml", 'may-send = ["ash"]', 'release = "three"', "three"),
    "a due rule without name": ("duties.toml", 'rule = "share", ', "", "due"),
    "an unknown due rule": ("duties.toml", '"days-after"', '"some-time"', "due"),
    "a due rule with a member more": ("duties.toml", "days = 30", "days = 30, hours = 3", "due"),
    "a due rule from an unknown event": ("duties.toml", 'event = "start"', 'event = "stop"', "`stop` is not among"),
    "a share of more than the whole": ("duties.toml", "part = 1, of = 2", "part = 3, of = 2", "more than the whole"),
    "a share by a day that does not exist": ("duties.toml", "2014-03-01", "2014-02-30", "not a date that exists"),
    "days that are no number": ("duties.toml", "days = 30", 'days = "30"', "due"),
    "an obligor who is no party": ("duties.toml", 'obligors = ["birch"]', 'obligors = ["elm"]', "`elm`"),
    "nobody obliged": ("duties.toml", 'obligors = ["birch"]', "obligors = []", "obligors"),
    "a judge who is no party": ("duties.toml", 'judged-by = ["cedar"]', 'judged-by = ["elm"]', "`elm`"),
    "an obligation twice": ("duties.toml", 'id = "O2"', 'id = "O1"', "already used"),
    "an absence that is neither": ("duties.toml", 'judged-by = ["cedar"]', 'absence = "fine"', "fine"),
    "a class twice": ("alerts.toml", 'id = "notice"', 'id = "urgent"', "already used"),
    "a class of no known precedence": ("alerts.toml", '"routine"', '"hasty"', "hasty"),
    "no minutes to acknowledge": ("alerts.toml", "acknowledge-minutes = 15\n", "", "acknowledge-minutes"),
    "zero minutes to acknowledge": ("alerts.toml", "acknowledge-minutes = 15", "acknowledge-minutes = 0", "0 is less"),
    "zero minutes to answer": ("alerts.toml", "answer-minutes = 240", "answer-minutes = 0", "0 is less"),
    "negative minutes to answer": ("alerts.toml", "answer-minutes = 240", "answer-minutes = -240", "-240 is less"),
    "negative minutes to meet": ("alerts.toml", "meeting-minutes = 1440", "meeting-minutes = -1", "-1 is less"),
    "zero minutes to remind": ("alerts.toml", "remind-minutes = 5", "remind-minutes = 0", "0 is less"),
    "negative minutes to escalate": ("alerts.toml", "escalate-minutes = 10", "escalate-minutes = -10", "-10 is less"),
    "minutes that are a text": ("alerts.toml", "answer-minutes = 240", 'answer-minutes = "240"', '"240"'),
    "a clock of more than ten years": ("alerts.toml", "= 1440", "= 5256001", "5256001 is greater"),
    "a code of an unknown class": (
        "alerts.toml",
        'class = "notice"',
        'class = "calm"',
        "`calm` is not among the alerts",
    ),
    "a code twice": ("alerts.toml", "number = 2", "number = 1", "LANTERN 1 is already in the book"),
    "a code numbered zero": ("alerts.toml", "number = 2", "number = 0", "0 is less"),
    "a code word in small letters": ("alerts.toml", '"LANTERN"\nnumber = 2', '"lantern"\nnumber = 2', "lantern"),
    "a code without text": ("alerts.toml", '{ en = "The boat is safe." }', "{ }", "no text in `en`"),
    "a code in another language": (
        "alerts.toml",
        '{ en = "The boat is safe." }',
        '{ en = "The boat is safe.", fr = "x" }',
        "not among the pack's languages",
    ),
    "a relay that is no party": ("line.toml", 'by = "cedar"', 'by = "elm"', "`elm` is not among the parties"),
    "a relay twice": (
        "line.toml",
        '{ kind = "courier" }',
        '{ kind = "relay", by = "cedar" }',
        "`relay cedar` is named twice",
    ),
    "an address twice": (
        "line.toml",
        '{ kind = "relay", by = "cedar" }',
        '{ kind = "address" }',
        "`address` is named twice",
    ),
    "a relay by nobody": ("line.toml", ', by = "cedar"', "", "says `by` which party"),
    "a courier by a party": ("line.toml", 'kind = "courier"', 'kind = "courier", by = "ash"', "and no other route"),
    "a route of an unknown kind": ("line.toml", 'kind = "courier"', 'kind = "pigeon"', "pigeon"),
    "no link test in ten years": ("line.toml", "link-test-minutes = 720", "link-test-minutes = 0", "0 is less"),
    "an alarm before anything is late": ("line.toml", "alarm-minutes = 10", "alarm-minutes = -10", "-10 is less"),
    "contacts that are never fresh": ("line.toml", "contacts-days = 365", "contacts-days = 0", "0 is less"),
    "a line without alarm": ("line.toml", "alarm-minutes = 10\n", "", "alarm-minutes"),
    "an unknown member of the line": ("line.toml", "alarm-minutes = 10", "alarm-minutes = 10\nmood = 1", "mood"),
    "a schema that is no JSON": ("fields/note.json", '"required"', "required", "not JSON"),
    "rows that are no JSON": ("rows/declare.json", '"required"', "required", "not JSON"),
    "rows within rows": (
        "rows/declare.json",
        '"shown": {"type": "boolean"}',
        '"shown": {"type": "array", "items": {"type": "string"}}',
        "a table is flat",
    ),
    "a member of rows that is nothing": (
        "rows/declare.json",
        '"shown": {"type": "boolean"}',
        '"shown": {"type": "null"}',
        "a table is flat",
    ),
    "a serial that is a number": (
        "rows/declare.json",
        '"serial": {"type": "string", "maxLength": 40}',
        '"serial": {"type": "integer"}',
        "`serial` is of type string",
    ),
    "a measure of a row with a fraction": (
        "rows/declare.json",
        '"amount": {"type": "integer", "minimum": 1}',
        '"amount": {"type": "integer", "minimum": 0.5}',
        "`minimum` is an integer",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_is_named_by_file_and_line(name: str, tmp_path: Path) -> None:
    file, old, new, words = BROKEN[name]
    assert FOLDER[file].count(old) == 1
    text = FOLDER[file].replace(old, new, 1)
    folder = written(tmp_path / "p", {**FOLDER, file: text})
    done = check(folder, "--json")
    assert done.exit_code == 1
    problems = json.loads(done.output)["problems"]
    mine = [problem for problem in problems if words in problem["reason"]]
    assert mine, problems
    assert {problem["file"] for problem in mine} == {file}
    shown = check(folder)
    assert (shown.exit_code, shown.exception.__class__) == (1, SystemExit)
    assert f"{file}:{mine[0]['line']}: " in shown.output
    assert mine[0]["line"] in place_of_change(FOLDER[file], text)


def place_of_change(before: str, after: str) -> range:
    """From the head of the table that was changed to the line after the change."""
    lines = list(zip_longest(before.splitlines(), after.splitlines()))
    changed = next(number for number, (old, new) in enumerate(lines, start=1) if old != new)
    heads = [number for number, (old, _) in enumerate(lines[:changed], start=1) if old and old.startswith("[")]
    return range(heads[-1] if heads else 1, changed + 2)


# whole files: (changes of the folder, words of the report)
BROKEN_FILES: dict[str, tuple[Mapping[str, str | bytes | None], str]] = {
    "rows that are a list": ({"rows/declare.json": "[]"}, "formats[1].rows"),
    "rows without members": (
        {"rows/declare.json": '{"type": "object", "properties": {}, "additionalProperties": false}'},
        "rows/declare.json:1: formats[1].rows: a row is an object with at least one member",
    ),
    "rows of words alone": ({"rows/declare.json": '{"type": "string"}'}, "a row is an object"),
    "rows open for more": ({"rows/declare.json": ROWS.replace("false", "true")}, "`additionalProperties` is false"),
    "rows of no kind": (
        {"rows/declare.json": ROWS.replace('"kind": {"type": "string"},', "").replace('"kind", ', "")},
        "effect `custody.table` needs the member `kind` in a row",
    ),
    "a table of no rows": (
        {"rows/declare.json": None},
        "effect `custody.table` needs `rows`",
    ),
    "rows of nobody": ({"rows/declaration.json": ROWS}, "rows/declaration.json: no format has this name"),
    "rows, and their table again": (
        {"fields/declare.json": LOTS.replace('"lots": {', '"table": {"type": "string"},\n  "lots": {')},
        "`table` is part of every format that has `rows`",
    ),
    "no pack.toml": ({"pack.toml": None}, "pack.toml: missing"),
    "a schema that is missing": ({"fields/note.json": None}, "formats.toml:1: format `note` has no field schema"),
    "a schema that is no object": ({"fields/note.json": "[]"}, "formats.toml:1: formats[0].fields"),
    "a schema of numbers": ({"fields/note.json": '{"type": "number"}'}, "`type` is one of"),
    "a schema with a reference": (
        {"fields/note.json": NOTE.replace('"maxLength": 500', '"$ref": "#"')},
        "`$ref` is not part",
    ),
    "a schema open for more": ({"fields/note.json": NOTE.replace("false", "true")}, "`additionalProperties` is false"),
    "a schema that requires what it has not": ({"fields/note.json": NOTE.replace('["text"]', '["title"]')}, "`title`"),
    "a pattern that is not anchored": (
        {"fields/note.json": NOTE.replace('"maxLength": 500', '"pattern": "a"')},
        "anchored",
    ),
    "a member twice in a schema": (
        {"fields/note.json": NOTE.replace('"maxLength": 500', '"maxLength": 500, "maxLength": 5')},
        "fields/note.json: not a field schema: the member `maxLength` stands there twice",
    ),
    "a fraction in a schema": (
        {"fields/note.json": NOTE.replace('"maxLength": 500', '"maxLength": 500.5')},
        "`maxLength` is a count",
    ),
    "5,000 digits in a schema": ({"fields/note.json": NOTE.replace("500", "9" * 5000)}, "fields/note.json"),
    "5,000 digits in TOML": ({"pack.toml": PACK.replace("quorum = 1", "quorum = " + "9" * 5000)}, "pack.toml"),
    "a schema nested without end": ({"fields/note.json": "[" * 100_000}, "fields/note.json"),
    "TOML nested without end": ({"pack.toml": "a = " + "[" * 100_000}, "pack.toml"),
    "a schema that is not UTF-8": ({"fields/note.json": b"\xff\xfe{}"}, "fields/note.json"),
    "TOML that is not UTF-8": ({"things.toml": b"id = '\xff'"}, "things.toml: not UTF-8"),
    "an effect without its members": (
        {"fields/declare.json": NOTE, "formats.toml": FORMATS.replace("custody.table", "custody.declare")},
        "needs the member `lots`",
    ),
    "the same key in two files": ({"things.toml": 'edition = "2"\n' + THINGS}, "given in another file"),
    "a list that is none": ({"things.toml": 'items = "all"\n'}, "items"),
    "a list that is none, and one": (
        {"alerts.toml": "alerts = 1\n", "codes.toml": ALERTS},
        "codes.toml:1: `alerts` is given in another file as well",
    ),
    "a text in one file and the list in a later one": (
        {"alerts.toml": 'places = "everywhere"\n' + ALERTS},
        "things.toml:17: `places` is given in another file as well",
    ),
    "a table in the place of a list": ({"things.toml": "[items]\nid = 'x'\n"}, "items"),
    "an empty pack.toml": ({"pack.toml": ""}, "pack.toml"),
    "one party": ({"pack.toml": PACK.replace('[[parties]]\nid = "ash"', '[[places]]\nid = "ash"')}, "pack.toml"),
    "no formats": ({"formats.toml": ""}, "formats"),
    "no routes": ({"line.toml": LINE[: LINE.index("routes")] + "routes = []\n"}, "line.toml:5: line.routes"),
    "routes in tables of their own, with a relay twice": (
        {
            "line.toml": LINE[: LINE.index("routes")]
            + "".join(f'[[line.routes]]\nkind = "{k}"\n\n' for k in ("address", "courier", "courier"))
        },
        "line.toml:11: line.routes[2]: the route `courier` is named twice",
    ),
    "a number in the place of a text": ({"pack.toml": PACK.replace('"Lake"', "7")}, "pack.toml"),
    "a date as TOML has it": ({"pack.toml": PACK.replace('"2014-01-01"', "2014-01-01")}, "pack.toml:45: 2014-01-01 is"),
    "an instant as TOML has it": ({"pack.toml": PACK + "at = 2014-01-01T08:00:00Z\n"}, "pack.toml:47: 2014-01-01 08"),
}


@pytest.mark.parametrize("name", BROKEN_FILES)
def test_a_broken_folder_is_reported(name: str, tmp_path: Path) -> None:
    changes, words = BROKEN_FILES[name]
    files = {file: text for file, text in {**FOLDER, **changes}.items() if text is not None}
    done = check(written(tmp_path / "p", files))
    assert (done.exit_code, done.exception.__class__) == (1, SystemExit)
    assert words in done.output
    assert all(": " in line for line in done.output.splitlines())
    assert max(map(len, done.output.splitlines())) < 700


def test_all_mistakes_are_shown_together(tmp_path: Path) -> None:
    files = {
        **FOLDER,
        "things.toml": THINGS.replace('unit = "piece"', 'unit = "pound"'),
        "duties.toml": DUTIES.replace('event = "start"', 'event = "stop"').replace('["birch"]', '["elm"]'),
    }
    done = check(written(tmp_path / "p", files))
    assert done.exit_code == 1
    assert {line.split(":")[0] for line in done.output.splitlines()} == {"things.toml", "duties.toml"}
    assert len(done.output.splitlines()) == 3


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"\xff", b'{"servanda-pack":1}', b'{"a":1,"a":2}', b"[" * 5000])
def test_a_compiled_file_that_is_no_pack_is_reported(text: bytes, tmp_path: Path) -> None:
    file = tmp_path / "pack.json"
    file.write_bytes(text)
    done = check(file)
    assert (done.exit_code, done.exception.__class__) == (1, SystemExit)
    assert done.output.startswith("pack: ")


def test_a_compiled_pack_altered_by_a_space_is_reported(tmp_path: Path) -> None:
    compiled = tmp_path / "lake.json"
    check(written(tmp_path / "p", FOLDER), "--output", compiled)
    compiled.write_bytes(compiled.read_bytes() + b"\n")
    assert check(compiled).exit_code == 1
