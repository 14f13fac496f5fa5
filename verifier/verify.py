# SPDX-License-Identifier: Apache-2.0
"""Does this dossier hold, and what follows from it? A second reading of spec/, in one program.

It needs the Python standard library and the package `cryptography`, and imports nothing of Servanda. To be read from
the top, with spec/ beside it: each part rests on those before it, and names its pages.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import struct
import sys
import zlib
from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate, pairwise
from math import perm
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

try:
    from cryptography.hazmat.primitives.asymmetric import mldsa
except ImportError:  # an older `cryptography`: those signatures are then reported as not checked
    mldsa = None  # type: ignore[assignment]

ENTRY_TYPE, MANIFEST_TYPE = (f"application/vnd.servanda.{x}.v1+json" for x in ("entry", "manifest"))
MAX_INTEGER, MAX_LEAF, MAX_FILE = 2**53 - 1, 262_144, 2**32 - 1
Json = Any


class Malformed(Exception):
    """What breaks a rule: why, and the code, if it is not the one of the step in hand."""


def must(holds: object, why: str, code: str = "") -> None:
    if not holds:
        raise Malformed(why, code)


# --------------------------------------------------------------- canonical JSON, base64, dates (canonical-json, entry)


def read_number(text: str) -> int:
    whole = len(text) < 18 and text.removeprefix("-").isdigit() and abs(int(text)) <= MAX_INTEGER
    must(whole, f"{text[:40]} is no integer allowed")
    return int(text)


def read_members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members, names = dict(pairs), "".join(name for name, _ in pairs)
    must(len(members) == len(pairs) and names.isascii() and names.isprintable(), "a name stands twice, or is not ASCII")
    return members


READ = json.JSONDecoder(
    object_pairs_hook=read_members, parse_int=read_number, parse_float=read_number, parse_constant=read_number
).decode
WRITE = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def encode(value: Json) -> bytes:
    """The one byte form of a value: with names in ASCII and integers only, this is RFC 8785."""
    return WRITE(value).encode()


def decode(text: bytes, canonical: bool = True) -> Json:
    """The value of a canonical text. Duplicate names, order, escapes: all show when it is written again."""
    try:
        value = READ(text.decode())
        again = encode(value)  # finds lone surrogates
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not JSON: {str(error)[:120]}", "") from error
    must(again == text or not canonical, "JSON, but not in its canonical form")
    if canonical and text.count(b"{") + text.count(b"[") > 32:
        bare = re.sub(rb'"(\\.|[^"\\])*"', b"", text)
        must(max(accumulate((c in b"{[") - (c in b"}]") for c in bare)) <= 32, "nested deeper than 32")
    return value


def from_base64(text: str, size: int | None = None, url: bool = False) -> bytes:
    if url:
        must(re.fullmatch(r"[A-Za-z0-9_-]*", text), "not base64url")
        text = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Malformed("not base64", "") from error
    must(base64.b64encode(raw).decode() == text and size in (None, len(raw)), "base64 of another form or length")
    return raw


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


DATE_PART = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?)?)?|\.\.")
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{3})?Z")
Span = tuple[date | None, date | None, bool]


@lru_cache(maxsize=4096)
def read_span(text: str) -> Span:
    """The first and last day of a date expression, None if unknown, and whether they exist (entry)."""
    parts, days = [DATE_PART.fullmatch(x) for x in text.split("/")], []
    must(len(parts) <= 2 and text != ".." and all(parts), f"not a date expression: {text[:40]!a}")
    try:
        for part in filter(None, parts):
            (year, month, day), end = (int(x or 1) for x in part.groups()[:3]), int(part[2] or 12)
            first, last = date(year, month, day), date(year, end, day if part[3] else monthrange(year, end)[1])
            days.append((first, last) if part[1] else (None, None))
            if part[4] and not TIME.fullmatch(part[0]):
                return None, None, False
    except ValueError:
        return None, None, False
    begin, until = days[0][0], days[-1][1]
    return begin, until, not (begin and until and until < begin)


def read_date(text: str) -> date:
    must(read_span(text)[2], f"a day that does not exist: {text[:40]!a}")
    return date.fromisoformat(text)


def read_time(text: str) -> datetime:
    must(TIME.fullmatch(text) and read_date(text[:10]), f"not a time: {text[:40]!a}")
    return datetime.fromisoformat(text)


# ------------------------------------------------------------------------------- field schemas, shapes (pack and all)

TYPES: dict[str, type] = {"object": dict, "array": list, "string": str, "integer": int, "number": int, "boolean": bool}
TYPES["null"] = type(None)
BOUNDS = {str: ("minLength", "maxLength"), list: ("minItems", "maxItems"), int: ("minimum", "maximum")}
KEYWORDS: dict[str, type] = {
    "type": str, "properties": dict, "required": list, "additionalProperties": bool, "items": dict, "uniqueItems": bool,
    "enum": list, "const": object, "pattern": str, "title": str, "description": str,
    **{x: int for names in BOUNDS.values() for x in names},
}  # fmt: skip


def ascending(values: Sequence[Any]) -> bool:
    return all(a < b for a, b in pairwise(values))


def misfit(schema: Json, value: Json, where: str, sealed: bool = False) -> str:
    """What in the value does not fit the field schema; empty if it fits. `any-of`, `date` are ours, for the shapes."""
    if "any-of" in schema:
        faults = [misfit(s, value, where, sealed) for s in schema["any-of"]]
        return "" if "" in faults else faults[0]
    kind = type(value)
    if "type" in schema and kind is not TYPES[schema["type"]]:
        return f"{where} is not of type {schema['type']}"
    if "enum" in schema or "const" in schema:
        options = [schema["enum"]] if "enum" in schema else []
        for allowed in options + ([[schema["const"]]] if "const" in schema else []):
            alike = (x for x in allowed if type(x) is kind)
            if not any(x == value if kind is str else encode(x) == encode(value) for x in alike):
                return f"{where} is none of the values allowed"
    if kind in BOUNDS:
        (low, high), size = BOUNDS[kind], value if kind is int else len(value)
        if not schema.get(low, size) <= size <= schema.get(high, size):
            return f"{where} is out of bounds"
    if kind is str and "pattern" in schema and not pattern(schema["pattern"]).fullmatch(value):
        return f"{where} does not match {schema['pattern']}"
    if kind is str and "date" in schema:
        try:  # ours too: a day that exists, or a date expression, which need not
            exists = read_span(value)[2]
        except Malformed as error:
            return f"{where}: {error.args[0]}"
        if not exists and schema["date"] == "day":
            return f"{where} is a day that does not exist"
    if kind is list:
        if schema.get("uniqueItems") and len({encode(x) for x in value}) < len(value):
            return f"{where} repeats an item"
        for i, x in enumerate(value if "items" in schema else ()):
            if bad := misfit(schema["items"], x, f"[{i}]", sealed):
                return where + bad
    if kind is dict:
        known, seals = schema.get("properties", {}), sealed and "_sd" in value
        if seals and (misfit(SHAPES["seals"], value["_sd"], where) or not ascending(value["_sd"])):
            return f"{where}._sd is no sorted list of digests"
        missing = [] if seals else [x for x in schema.get("required", ()) if x not in value]  # `_sd` lifts `required`
        more = value.keys() - known.keys() - ({"_sd"} if seals else set())
        if missing or (more and schema.get("additionalProperties") is False):
            return f"{where} lacks the members {missing}, or has {sorted(more)}"
        for name, x in value.items():
            if name in known and (bad := misfit(known[name], x, name, sealed)):
                return f"{where}.{bad}"
    return ""


@lru_cache(maxsize=1024)
def pattern(text: str) -> re.Pattern[str]:
    """A pattern of the subset, matching the whole string (pack, Field schema)."""
    anchored = len(text) > 1 and text[0] + text[-1] == "^$"
    must(anchored and "(?" not in text and not re.search(r"\\[A-Za-z0-9\s]", text), f"the pattern {text[:60]!a}")
    try:
        return re.compile(text[1:-1])
    except (re.error, OverflowError, RecursionError) as error:
        raise Malformed(f"the pattern {text[:60]!a} cannot be read", "") from error


def check_schema(schema: Json, where: str) -> None:
    """A field schema uses the subset and nothing else (pack, Field schema)."""
    known = isinstance(schema, dict) and all(KEYWORDS.get(x) in (type(v), object) for x, v in schema.items())
    must(known and schema.get("type", "null") in TYPES, f"{where} has what the subset has not")
    must(("properties" in schema) == (schema.get("additionalProperties") is False), f"{where}: additionalProperties")
    must(all(isinstance(x, str) for x in schema.get("required", ())), f"{where}.required is not a list of names")
    pattern(schema.get("pattern", "^$"))
    for inner in [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]:
        check_schema(inner, where)


def check_rows(form: Json, where: str) -> None:
    """The schema of a row is flat, and fits the effect; `table` and `groups` join the format's fields (pack, Rows)."""
    check_schema(form["rows"], where)
    kinds = {name: part.get("type") for name, part in form["rows"].get("properties", {}).items()}
    must(form["rows"].get("type") == "object" and kinds, f"{where}: no object with members")
    must(all(kind in ("string", "integer", "boolean") for kind in kinds.values()), f"{where} are not flat")
    own = form["fields"].get("properties", {})
    must(not {"table", "groups"} & own.keys(), f"{where}: the fields state `table` or `groups`")
    if form["effect"] in ("custody.table", "custody.found-table"):
        wanted = {"kind": "string", "place": "string", "serial": "string", "amount": "integer"}
        must({"kind", "place"} <= kinds.keys(), f"{where} lack `kind` or `place`")
        must(all(kinds.get(name, kind) == kind for name, kind in wanted.items()), f"{where}: a wrong type")
    own |= {"table": {}, "groups": {}}


def read_shapes(words: dict[str, str], notation: str) -> dict[str, Json]:
    """The shapes of the notation, one a line, as field schemas.

    {name:shape name?:shape} is an object, open if it ends in `...`; [shape] a list; =a,b one of these values; | or;
    (n..m) bounds what stands before it; a word names a type of JSON, a word of `words`, or a shape further up.
    """
    shapes: dict[str, Json] = {name: {"type": name} for name in TYPES}
    shapes |= {name: {"type": "string", "pattern": f"^{text}$"} for name, text in words.items()}
    shapes |= {"mark": {"type": "integer", "minimum": -1000, "maximum": 1000}}
    shapes |= {"date": {**shapes["day"], "date": "day"}, "when": {"type": "string", "date": "expression"}}

    def read_shape(tokens: list[str]) -> Json:
        head = tokens.pop(0)
        if head == "{":
            shape: Json = {"type": "object", "properties": {}, "required": []}
            while (name := tokens.pop(0)) not in ("}", "...}"):
                required = tokens.pop(0) == ":"
                shape["required"] += [name] if required else []
                shape["properties"][name] = read_shape(tokens)
            shape |= {"additionalProperties": False} if name == "}" else {}
        elif head == "[":
            shape = {"type": "array", "items": read_shape(tokens)}
            tokens.pop(0)
        elif head[0] == "=":
            shape = {"enum": [int(x) if x.isdigit() else x for x in head[1:].split(",")]}
        else:
            shape = shapes[head]
        if tokens and tokens[0][0] == "(":
            least, most = tokens.pop(0)[1:-1].split("..")
            low, high = BOUNDS[TYPES[shape["type"]]]
            shape = {**shape, low: int(least), high: int(most or MAX_INTEGER)}
        if tokens and tokens[0] == "|":
            tokens.pop(0)
            shape = {"any-of": [shape, read_shape(tokens)]}
        return shape

    for line in re.split(r"\n(?! )| ; ", notation.strip()):
        name, *tokens = re.findall(r"=[\w,-]+|\(\d+\.\.\d*\)|\.\.\.}|\?:|[\w.-]+|\S", line)
        shapes[name] = read_shape(tokens)
    return shapes


WORDS = {
    "id": "[a-z][a-z0-9-]{0,31}", "duty": "([a-z][a-z0-9-]{0,31}|[A-Z][A-Z0-9-]{0,31})", "hash": "[0-9a-f]{64}",
    "day": "[0-9]{4}-[0-9]{2}-[0-9]{2}", "tag": "[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", "key": "[0-9a-f]{32}",
    "lot": "[a-z][a-z0-9-]{0,31}/[1-9][0-9]{0,15}/(0|[1-9][0-9]{0,15})", "seal": "[A-Za-z0-9_-]{43}",
    "code": "[A-Z][A-Z0-9-]{0,31}", "entry": "[a-z][a-z0-9-]{0,31}/[1-9][0-9]{0,15}", "salt": "[A-Za-z0-9+/]{43}=",
    "item": "[a-z][a-z0-9-]{0,31}(/[1-9][0-9]{0,15}/(0|[1-9][0-9]{0,15}))?", "ratio": "[1-9][0-9]{0,8}/[1-9][0-9]{0,8}",
    "clause": "[A-Za-z0-9][A-Za-z0-9.-]{0,31}",
    "discrepancy": "[a-z][a-z-]{0,31}(/[a-z][a-z-]{0,31})?:[a-z][a-z0-9-]{0,31}/[1-9][0-9]{0,15}"
    "(:[a-z][a-z0-9-]{0,31}/[1-9][0-9]{0,15}/(0|[1-9][0-9]{0,15}))?",
    "instant": "[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z",
}  # fmt: skip
NOTATION = """
any {...} ; amount integer(0..) ; count integer(1..) ; text string(1..4000) ; seals [seal](1..) ; ids [{id:id ...}]
weekday =monday,tuesday,wednesday,thursday,friday,saturday,sunday
act =notify,acknowledge,inquire,answer,offer,accept,refuse,correct,reveal
reference {leaf:hash number:count party:id}
envelope {payload:string payloadType:string signatures:[{keyid:key sig:string type:=ed25519}](1..16)}
frame {version:=1 agreement:hash pack:hash|null party:id number:count format:id format-version:count act:act
 status:=actual,exercise,test precedence:=routine,priority,immediate,flash to:[id] subject:string(0..500)
 event-at:string remarks:string(0..4000) language:tag(0..64) released-at:string
 exercise-at:string|null author:id releaser:id|null
 as-stated:null|{text:string(1..500) weekday:null|weekday} content:any
 refers-to:[reference](0..256) heads:[{party:id root:hash size:count}] named:[id]|null thread:reference|null
 receipts:[{by:id cosignature:string size:amount}]}
pair {ed25519:string ml-dsa-44:string}
identity {centre:pair names:any receipt:pair tls:[hash] root:{keys:[{public:string type:=ed25519}](1..16)
 threshold:integer(1..16)} officers:[{custody:=centre,token,officer id:id public:string type:=ed25519
 roles:[=author,release,watch]}] encryption?:{age-x25519:string}}
quantity {amount:amount basis:=stated,derived unit:string}|{basis:=not-stated unit:string}
quantity quantity|{basis:=range from:amount to:amount unit:string}
table {root:hash rows:integer(0..4294967295) secret:hash|null servanda-table:=1} ; at integer(0..4294967294)
groups [{each:null|integer(1..)|{from:amount to:amount} kind:string|null place:string|null unit:string
 rows:integer(1..4294967295)}](0..1000)
tables [{count:integer(0..4294967295) rows:[[at](2..2)](0..20000) table:entry}](1..1000)
lot-row {lot:lot quantity:quantity ...} ; row {kind:string place:string quantity:quantity ...}
lots [lot-row] ; rows [{kind:string place:string quantity:quantity serial?:string(1..80) ...}](1..1000)
adopt {pack:hash} ; branch {root:hash size:amount} ; citation {} ; held {} ; refuse {reason:text} ; lapse {reason:text}
acknowledge {disposition:=opened,accepted,rejected reason:string(0..4000)} ; condition {outcome:=confirmed,failed}
link-test {} ; link-answer {} ; contacts {contacts:[{id:id reach:string(0..500) title:string(1..200)}](1..50)}
escalation {action:=reminder,escalation clock:=acknowledge,answer,meeting contact:null|id party:id
 step:integer(0..1000)}
regime {formats:[id](0..1000) reason:text since:day state:=applied,suspended,voluntary}
accept {condition:null|{confirmer:id text:text} extent:=full,part received:[{lot:lot quantity:quantity}]
 reason?:id tables?:tables}
correct {content:any reason:text} ; reveal {disclosures:[string]}
performs [{extent:=full obligation:duty}|{done:amount extent:=part obligation:duty of:count}](1..50)
custody.declare {lots:rows ...} ; custody.found {lots:rows ...} ; custody.found-table {table:table groups:groups ...}
custody.table {table:table groups:groups deletions?:[{addition?:at hash:hash lot:lot}](1..1000) reason?:text
 supplements?:entry ...}
custody.inventory {basis:=counted,restated groups:groups places?:[string](1..1000) ...}
custody.repack {lots:[lot](0..1000) parts:[row](1..1000) tables?:tables ...}
custody.split {lot:lot parts:[row](1..1000) ...} ; custody.merge {lots:[lot](2..1000) kind:string place:string ...}
custody.move {lot?:lot place:string tables?:tables ...}
custody.condition {lot?:lot condition:text tables?:tables ...} ; custody.contest {reason:text ...}
custody.seal {lot?:lot seal:text action:=applied,checked,broken,removed tables?:tables kind?:id
 expires?:date ...}
custody.loss {lots:[lot] reason:text tables?:tables ...} ; custody.consume {lots:[lot] reason:text tables?:tables ...}
custody.offer {lots:[lot-row](0..1000) receiver:id place:string tables?:tables ...}
custody.resolve {lots:lots holder:id tables?:tables ...}
before {lot:lot serial:string(1..80)}|{lot:lot finding:entry}
custody.destroy {lots:lots method:text place:string evidence:[hash] residue:[row](0..100)
 identity?:[before](0..1000) tables?:tables ...}
custody.pack {container:lot lots:[lot](1..1000) ...} ; custody.unpack {container:lot lots:[lot](1..1000) ...}
custody.shipment {carrier:text expected:date seals:[text](0..1000) ...}
custody.recount {counts:[lot-row](1..1000) reason?:id ...}
result =intact,damaged,broken,missing,other-seal
seals.check {by:text checks:[{seal:text result:result ...}](1..1000) ...}
seals.stay {seals:[text](1..1000) until?:date ...}
sites.access {place:string state:=open,notified,restricted,denied,closed reason:text ...}
standing =declared,counted,accepted,under-scrutiny,pending,excluded,disputed,rejected
books.state {of:id rows:[{kind:string place:string standing:standing quantity:quantity ...}](1..1000) ...}
discrepancy.open {owner:id reason:id subject:text words:text ...}
discrepancy.attempt {keys:[discrepancy](1..1000) reason:id words:text ...}
discrepancy.reply {keys:[discrepancy](1..1000) reason:id words:text ...}
discrepancy.close {keys:[discrepancy](1..1000) reason:id words:text ...}
qualifier =exact,about,at-least,at-most,less-than,more-than
custody.figure {figures:[{as-of:when basis:text grade:text source:text subject:text unit:text
 value:{amount:amount qualifier:qualifier}|{from:amount qualifier:qualifier to:amount} ...}](1..100) ...}
outcome =present-matching,present-serials-not-shown,present-serials-differ,seen-from-distance,absent-as-claimed
outcome outcome|=access-denied,not-attempted,sealed-camera
custody.finding {findings:[{outcome:outcome subject:text ...}] ...}
custody.issue {issues:[{count:amount issue:text state:=open,closed ...}] ...}
obligations.extend {obligation:duty due:date ...} ; obligations.supersede {obligation:duty by:duty ...}
obligations.suspend {obligations:[duty] state:=suspended,resumed reason:text ...}
alerts.alert {class:id answer-by?:instant ...} ; alerts.inquiry {class:id answer-by?:instant ...} ; alerts.answer {...}
alerts.coded {word:code number:integer(1..9999) ...} ; alerts.closure {reason:text ...} ; alerts.meeting {on:date ...}
alerts.assessment {assessment:=sufficient,insufficient,irrelevant reason:text ...} ; line.exchange {round:id ...}
evidence [hash](0..1000) ; ranges [[amount](2..2)](0..20000) ; names [string](0..1000) ; note string(0..4000)
inspection.mandate {inspector:id inspected:id beside:[{party:id side:=inspector,inspected ...}](0..62) places:names
 kinds:names tables:[entry](0..100) from:date until:date limits:{draw-minutes:integer(1..5256000)
 opening-minutes:integer(1..5256000) report-days:integer(0..36500) comment-days:integer(0..36500) ...} ...}
inspection.plan {population:{lots:[lot](0..10000) places:names
 tables:[{count:amount root:hash rows:ranges(1..20000) table:entry ...}](0..100) ...} sample:amount defects:amount
 miss:ratio goal?:{amount:amount each:amount unit:string ...} algorithm:id begins:date ends:date commit-by?:instant
 reveal-by?:instant ...}
inspection.commit {draw:hash commitment:hash sample:amount algorithm:id ...}
inspection.report {summary:text evidence:evidence ...}
inspection.finding {findings:[{item:item outcome:outcome evidence:evidence note:note ...}](1..1000) ...}
inspection.undeclared {table:entry root:hash searched:ranges
 items:[{serial:string(1..80) kind?:text place?:text evidence:evidence note:note ...}](1..1000) ...}
inspection.request {table:entry rows:ranges place?:text basis:=place,row,sample by:instant ...}
inspection.opening {table:entry openings:[{path:[hash](0..64) row:amount salt:salt value:object}](0..1000) rows:ranges
 complete?:text ...} ; inspection.comment {text:text evidence:evidence ...}
titles [{language:tag(0..64) text:text ...}](1..50) ; topics [id](0..100) ; duties [duty](0..100)
person {office:string(1..500) name?:string(1..200) party?:id ...} ; clause-ids [clause](0..1000)
stated {text:string(1..500) weekday?:weekday date?:when ...} ; clauses [{id:clause text:string(1..20000) ...}](1..1000)
relation =corroborates,repeats,differs,contradicts,bears-on
dialogue.topic {topic:id names:titles within?:id ...}
dialogue.position {topic:id kind:=position,reservation,common-ground words?:text contact?:id ...}
dialogue.issue {topic:id issue:id state:=not-agreed,closed text:text ...}
dialogue.contact {contact:id kind:=summit,meeting,conversation,telephone,letter,press-conference,interview,other
 state:=planned,held,postponed,cancelled participants:[person](0..200) agenda:topics outcomes:[{topic:id
 outcome:=agreed,agreed-in-part,not-agreed,noted,deferred text?:note ...}](0..100) body?:id place?:string(0..500)
 minutes?:{from:count to:count ...} ...}
dialogue.task {task:id text:text by:person to:[person](0..50) topics:topics due?:date contact?:id serves?:duties
 after-tasks?:topics after-obligations?:duties ...}
dialogue.progress {task:id state:=done,dropped,open text:note ...}
dialogue.consequence {consequence:id text:text forum:string(0..500) topics:topics ...}
dialogue.stance {consequence:id who:string(1..500) stance:=supports,refuses,abstains party?:id words?:note ...}
dialogue.request {text:text topics:topics answer-by?:date body?:id ...}
dialogue.response {outcome:=fulfilled,in-part,declined,more-time text:note ...}
dialogue.source {source:id title:text medium:string(1..500) published:when stated?:stated
 file?:{sha256:hash size:amount ...} text?:string(1..100000) ...}
dialogue.statement {speaker:person manner:=on-record,named-official,unnamed-official,press,reporter
 medium:string(1..500) quoted:boolean on:when topics:[id](1..100) links:[{relation:relation to:entry ...}](0..100)
 words?:text stated?:stated source?:id contact?:id position?:id ...}
dialogue.link {from:entry relation:relation to:entry text:note ...}
agreement.text {document:id kind:=agreement,statement,minutes,report title:titles authentic:[tag(0..64)](1..50)
 texts:[{language:tag(0..64) status:=draft,machine,checked,authentic clauses:clauses ...}](1..50)
 amends:[hash](0..8) topics:topics from?:date until?:date warn-days?:[integer(1..36500)](0..10) contact?:id ...}
agreement.extend {document:id until:date ...} ; agreement.accede {document:id ...}
agreement.terminate {document:id on:date reason:text ...} ; agreement.withdraw {document:id on:date reason:text ...}
agreement.suspend {document:id clauses:clause-ids state:=suspended,resumed since:date reason:text ...}
agreement.declare {document:id kind:=reservation,declaration,objection clauses:clause-ids text:text ...}
agreement.translation {document:id digest:hash language:tag(0..64) status:=draft,machine,checked clauses:clauses ...}
commitments.enter {commitment:id text:text owners:[id](1..64) scale:id due?:date document?:id clause?:clause ...}
commitments.mark {commitment:id mark:mark as-of:date text:text
 evidence:[{text:text place?:entry sha256?:hash ...}](0..100) recalibrates?:entry ...}
commitments.reply {mark:entry text:text ...}
due {rule:=fixed date:day ...}|{rule:=days-after,before event:id days:integer(0..100000) ...}|{rule:=continuous ...}
 |{rule:=recurring first:day every:=day,week,month,year until:day|null ...}|{rule:=unstated text:any ...}
 |{rule:=share date:day part:amount of:count ...}|{rule:=triggered trigger:id hours:amount ...}
pack {servanda-pack:=1 id:id edition:string title:any languages:[string](1..) replaces:hash|null bodies:ids alerts:ids
 codes?:[any] line?:any topics?:[any] scales?:[any] reasons?:ids methods?:ids seals?:ids thresholds?:[any]
 discrepancies?:any parties:[{id:id names:any role:any ...}](2..64)
 places:ids units:[{id:id exponent:amount ...}]
 time:{zone:string days:=calendar,working holidays:[day] basis:=event,receipt ...}
 settlement:{quorum:=all|amount liars:amount lapse?:boolean ...} items:[{id:id unit:id within:id|null ...}]
 events:[{id:id date:day ...}|{id:id format:id ...}] formats:[{id:id version:amount act:act effect:string|null
 fields:any names:any purpose:any release:=two,one,centre may-send:[id] performs:boolean witnesses:[id]
 quorum?:count ...}](1..)
 obligations:[{id:duty obligors:[id] judged-by:[id] due:due absence:=overdue,not-stated ...}]}
fork {consistency:[hash](0..64) first:string second:string servanda-fork:=1}
manifest {agreement:hash as-of:string exporter:id files:[{path:string sha256:hash size:amount}] servanda-bundle:=1
 journals:[{party:id root:hash size:amount}] purpose:=courier,backup,dossier
 registers:{}|{custody:hash obligations:hash}}
opening {disclosure:any|string entry:reference}
row-opening {entry:reference opening:{path:[hash](0..64) row:amount salt:salt value:object}}
"""
SHAPES = read_shapes(WORDS, NOTATION)
OFFERS = {"custody.offer", "custody.destroy", "custody.resolve", "obligations.extend", "obligations.supersede"}
OFFERS |= {"seals.stay", "discrepancy.close"}
OFFERS |= {f"agreement.{x}" for x in ("text", "extend", "accede", "terminate")}
ACTS_OF = {**dict.fromkeys(OFFERS, "offer"), "alerts.inquiry": "inquire", "alerts.answer": "answer"}
ACTS_OF |= {"inspection.mandate": "offer", "inspection.request": "inquire", "inspection.opening": "answer"}
ACTS_OF |= {"dialogue.request": "inquire", "dialogue.response": "answer"}
EFFECTS = {x: (ACTS_OF.get(x, "notify"), shape) for x, shape in SHAPES.items() if "." in x}
SIGNED = {  # entry, Built-in formats: who signs them; their act is their own name, or `accept`, or `notify`
    "identity": "root", "adopt": "two", "branch": "root", "citation": "centre", "acknowledge": "one", "accept": "two",
    "refuse": "two", "condition": "two", "lapse": "two", "correct": "two", "reveal": "two",
    "link-test": "centre", "link-answer": "centre", "escalation": "centre", "held": "centre", "contacts": "two",
    "regime": "two",
}  # fmt: skip
ACTS = {**{x: x for x in SHAPES["act"]["enum"]}, "adopt": "accept", "link-test": "inquire", "link-answer": "answer"}
BUILT_IN: dict[str, Json] = {
    name: {
        "act": ACTS.get(name, "notify"), "release": by, "fields": SHAPES[name], "version": 1, "effect": None,
        "may-send": [], "performs": False, "built-in": True,
    } for name, by in SIGNED.items()
}  # fmt: skip


def fitting(name: str, value: Json) -> Json:
    bad = misfit(SHAPES[name], value, name)
    must(not bad, bad)
    return value


# ------------------------------------------------------------- signatures, envelopes, trees, notes (envelope, journal)


@lru_cache(maxsize=4096)
def load_key(public: bytes) -> Any:
    return (ed25519.Ed25519PublicKey if len(public) == 32 else mldsa.MLDSA44PublicKey).from_public_bytes(public)


def verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        load_key(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_envelope(raw: bytes, kind: str) -> tuple[bytes, bytes, dict[str, bytes]]:
    """Of an envelope of the given type: its payload, what is signed (the PAE), signatures by key id (envelope)."""
    must(len(raw) <= MAX_LEAF, f"{len(raw)} bytes, more than {MAX_LEAF}")
    value = fitting("envelope", decode(raw))
    must(value["payloadType"] == kind, "an envelope of another type")
    payload, rows = from_base64(value["payload"]), value["signatures"]
    signatures = {s["keyid"]: from_base64(s["sig"], 64) for s in rows}
    must(len(signatures) == len(rows), "one key signs twice")
    return payload, b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload), signatures


def key_id(public: bytes) -> str:
    return digest(public).hex()[:32]


class Tree:
    """The Merkle tree of RFC 6962 over leaf hashes; gives the root at every size in logarithmic time (journal)."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.levels = [list(leaves)]
        while len(below := self.levels[-1]) > 1:
            self.levels.append([digest(b"\1" + below[i] + below[i + 1]) for i in range(0, len(below) - 1, 2)])

    def root(self, size: int) -> bytes:
        root, start = b"", size
        for level in (x for x in range(size.bit_length()) if size >> x & 1):
            start -= 1 << level
            peak = self.levels[level][start >> level]
            root = digest(b"\1" + peak + root) if root else peak
        return root or digest(b"")


def roots_of_path(first: int, second: int, path: list[bytes]) -> tuple[bytes, bytes]:
    """The two roots that a consistency path leads to: RFC 9162 section 2.1.4.2, the path starting with a node."""
    old, new = first - 1, second - 1
    while old & 1:
        old, new = old >> 1, new >> 1
    root1 = root2 = path[0]
    for node in path[1:]:
        must(new, "a consistency path that is too long")
        if old & 1 or old == new:
            root1, root2 = digest(b"\1" + node + root1), digest(b"\1" + node + root2)
            while old and not old & 1:
                old, new = old >> 1, new >> 1
        else:
            root2 = digest(b"\1" + root2 + node)
        old, new = old >> 1, new >> 1
    must(not new, "a consistency path that is too short")
    return root1, root2


def root_of_row(row: Json, size: int) -> bytes:
    """The root to which the opening of a row leads: RFC 9162 section 2.1.3.2 (sealing, Sealed table)."""
    index, last, root = row["row"], size - 1, digest(b"\0" + from_base64(row["salt"]) + encode(row["value"]))
    must(index <= last, f"there is no row {index} in a table of {size}")
    for node in map(bytes.fromhex, row["path"]):
        must(last, "an inclusion path that is too long")
        root = digest(b"\1" + (node + root if index & 1 or index == last else root + node))
        while index == last and index and not index & 1:
            index, last = index >> 1, last >> 1
        index, last = index >> 1, last >> 1
    must(not last, "an inclusion path that is too short")
    return root


NOTE_LINE = r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})\n"
NOTE = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n\n((?:" + NOTE_LINE + "){1,64})")


class Note(NamedTuple):
    """A signed checkpoint: C2SP signed-note around C2SP tlog-checkpoint, without extension lines (journal)."""

    origin: str
    size: int
    root: bytes
    lines: Sequence[tuple[str, bytes]] = ()  # key name; key id and signature

    def line_holds(self, name: str, raw: bytes, kind: int, public: bytes) -> bool | None:
        """Whether a signature line of this kind and key verifies; None if it cannot be told (no ML-DSA here)."""
        text = f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()
        if len(raw) != {1: 68, 4: 76, 6: 2432}[kind] or (kind != 1 and raw[4] > 127):
            return False
        if kind == 1:
            return verifies(public, raw[4:], text)
        if kind == 4:
            return verifies(public, raw[12:], b"cosignature/v1\ntime %d\n" % int.from_bytes(raw[4:12], "big") + text)
        names = [bytes([len(x.encode()) & 255]) + x.encode() for x in (name, self.origin)]
        signed = b"subtree/v1\n\0" + names[0] + raw[4:12] + names[1] + struct.pack(">QQ", 0, self.size) + self.root
        return verifies(public, raw[12:], signed) if mldsa is not None else None


def read_note(raw: bytes) -> Note:
    found: Any = NOTE.fullmatch(raw.decode(errors="replace"))
    must(found, "not the note of a checkpoint")
    rows = [(name, from_base64(text)) for name, text in re.findall(NOTE_LINE, found[4])]
    return Note(found[1], int(found[2]), from_base64(found[3], 32), rows)


def note_key(name: str, kind: int, public: bytes) -> bytes:
    return digest(name.encode() + b"\n" + bytes([kind]) + public)[:4]


# -------------------------------------------------------------------------------------------------- container (bundle)

NAME = re.compile(r"(?!.*\.\.)(?=.{1,200}$)[a-z0-9-]+(/[a-z0-9.-]+)*(\.[a-z]+)?")
LOCAL, CENTRAL, END = (struct.Struct(x) for x in ("<IHHHHHIIIHH", "<IHHHHHHIIIHHHHHII", "<IHHHHIIH"))


class Problem(NamedTuple):
    """One thing that is wrong: where, and what."""

    where: str
    what: str
    entry: str | None = None
    offset: int | None = None  # in the file `where`
    archive_offset: int | None = None

    def __str__(self) -> str:
        byte = "" if self.offset is None else f", byte {self.offset} (archive byte {self.archive_offset})"
        return f"{self.where}{byte}{f', entry {self.entry}' if self.entry else ''}: {self.what}"


class Member(NamedTuple):
    name: str
    at: int  # where its bytes begin in the archive
    crc: int  # as its header claims
    data: bytes

    def mendings(self) -> Iterator[tuple[int, int]]:
        """Where a single changed byte would explain why the checksum does not match, and by which bits.

        CRC-32 is linear: the difference of checksums is that of one byte, carried over the zeros after it. Walked back.
        """
        table = [zlib.crc32(bytes([d])) ^ zlib.crc32(b"\0") for d in range(256)]
        by_top, rest = {row >> 24: d for d, row in enumerate(table)}, zlib.crc32(self.data) ^ self.crc
        for position in range(len(self.data) - 1 if rest else -1, -1, -1):
            d = by_top[rest >> 24]
            if d and rest == table[d]:
                yield position, d
            rest = ((rest ^ table[d]) << 8 | d) & 0xFFFFFFFF


def read_archive(raw: bytes) -> list[Member]:
    """Every file of the archive, after comparing each byte of it with the archive written anew (bundle, Container).

    A file that does not match its checksum is passed on: its digest is judged later, when the entry can be named.
    """
    members: list[Member] = []
    written, rows, at = [], [], 0
    while raw[at : at + 4] == b"PK\3\4" and len(raw) >= at + LOCAL.size and len(members) < 65_534:
        crc, size, _, length = LOCAL.unpack_from(raw, at)[6:10]
        begin = at + LOCAL.size + length
        label = raw[at + LOCAL.size : begin].decode("ascii", "replace")
        members.append(Member(label, begin, crc, raw[begin : begin + size]))
        name, size = label.encode("ascii", "replace"), len(members[-1].data)
        facts = (20, 0, 0, 0, 0x21, crc, size, size, len(name))
        written.append((at, LOCAL.pack(0x04034B50, *facts, 0) + name))
        rows.append(CENTRAL.pack(0x02014B50, 20, *facts, 0, 0, 0, 0, 0, at) + name)
        at = begin + size
    end = END.pack(0x06054B50, 0, 0, len(members), len(members), sum(map(len, rows)), at & MAX_FILE, 0)
    for start, wanted in [*written, (at, b"".join(rows) + end)]:
        found = raw[start : start + len(wanted) + (start == at)]  # nothing follows the last
        differ = (i for i, (a, b) in enumerate(zip(found, wanted, strict=False)) if a != b)
        must(found == wanted, f"byte {start + next(differ, len(found))} is not as written anew from the files")
    names = [m.name for m in members]
    must(all(map(NAME.fullmatch, names)), "a file has a name that none may have")
    must(names == ["manifest.json", *sorted({*names} - {"manifest.json"})], "its files are not in order, or twice")
    return members


# ------------------------------------------------------------------------------------------------- agreements (pack)


class Pack:
    """An agreement as data, with what judging needs (pack). Texts in languages are not looked at."""

    def __init__(self, name: str, value: Json) -> None:
        fitting("pack", value)
        self.digest, self.replaces, self.time, settlement = name, value["replaces"], value["time"], value["settlement"]
        lists = ("parties", "units", "items", "places", "events", "formats", "obligations")
        by_id = {x: {row["id"]: row for row in value[x]} for x in lists}
        must(all(len(by_id[x]) == len(value[x]) for x in lists), "an id stands twice in its list")
        self.parties, self.items, self.places = frozenset(by_id["parties"]), by_id["items"], by_id["places"]
        self.units = by_id["units"]
        self.events, self.formats, self.obligations = by_id["events"], by_id["formats"], by_id["obligations"]
        self.quorum = MAX_INTEGER if settlement["quorum"] == "all" else settlement["quorum"]
        self.lapse: bool = settlement.get("lapse", False)
        self.reasons, self.methods = ({x["id"] for x in value.get(name, ())} for name in ("reasons", "methods"))
        must(2 * self.quorum > len(self.parties) - 2 + settlement["liars"], "its quorum is too small")
        for x in value["formats"]:
            check_schema(x["fields"], f"fields of {x['id']}")
            must(
                "rows" in x or x["effect"] not in ("custody.table", "custody.found-table", "custody.inventory"),
                "no rows",
            )
            if "rows" in x:  # Rows of a table
                check_rows(x, f"rows of {x['id']}")
            effect = EFFECTS.get(x["effect"], ("", None)) if x["effect"] else (x["act"], None)
            must(x["id"] not in BUILT_IN and effect[0] == x["act"], f"the format {x['id']}: a reserved name, or effect")
        dated = [*value["events"], *(x["due"] for x in value["obligations"])]
        for text in [*self.time["holidays"], *(x[m] for x in dated for m in ("date", "first") if m in x)]:
            read_date(text)
        must(all(x["unit"] in by_id["units"] for x in value["items"]), "an item has an unknown unit")

    def is_within(self, kind: str, broader: str) -> bool:
        """Whether a kind is the other one, or a part of it."""
        seen: set[str] = set()
        while kind != broader and kind in self.items and kind not in seen:
            seen.add(kind)
            kind = self.items[kind]["within"] or ""
        return kind == broader


# ----------------------------------------------------------------------------- entries, steps 1 to 4 (entry, identity)


@dataclass(slots=True, eq=False)
class Entry:
    """One leaf of a journal, and what became of it. It is also a view, which contains its past: what it covers."""

    party: str
    number: int
    leaf: str = ""
    start: int = 0  # where it begins in entries.jsonl
    frame: Json = None
    signed: str = ""  # root, centre, one or two
    early: tuple[str, str] | None = None  # what steps 1 to 4 say: code and why
    status: str = "waiting"  # waiting, inadmissible, suspended or admissible
    code: str = ""  # of the step in hand, then of the one that failed
    why: str = ""
    heads: dict[str, int] = field(default_factory=dict)  # effective heads after it
    beyond: int = 0  # how much it contains of a journal of which it has no head
    pack: Any = None  # the one in force in its past
    format: Json = None
    effect: str = ""

    @property
    def name(self) -> str:
        return f"{self.party}/{self.number}"

    def sees(self, party: str) -> int:
        """Up to which number it contains a journal."""
        return self.number - 1 if party == self.party else self.heads.get(party, self.beyond)

    def has(self, other: Entry) -> bool:
        return other.number <= self.sees(other.party)

    def count(self, rows: list[Entry]) -> int:
        """How many of the entries, all of one journal and in order, it contains."""
        return bisect_right(rows, self.sees(rows[0].party), key=lambda e: e.number) if rows else 0


WHOLE = Entry("", 0, beyond=MAX_INTEGER)  # the whole record, where the past of an entry may stand


class Identity(NamedTuple):
    number: int
    released: float
    roots: dict[str, bytes]
    threshold: int
    centre: tuple[bytes, bytes]  # Ed25519 and ML-DSA-44
    receipt: tuple[bytes, bytes]
    officers: dict[str, tuple[bytes, list[str]]]


def read_identity(f: Json) -> Identity:
    """What an identity entry states, by the rules of its page (identity)."""
    c = fitting("identity", f["content"])
    must(not any(f[m] for m in ("pack", "to", "heads", "receipts", "refers-to")), "it rests on more than identities")
    must((f["act"], f["format-version"]) == ("notify", 1), "of another act or version")
    roots, threshold = [from_base64(k["public"], 32) for k in c["root"]["keys"]], c["root"]["threshold"]
    officers = {o["id"]: (from_base64(o["public"], 32), o["roles"]) for o in c["officers"]}
    pairs = ((from_base64(c[w]["ed25519"], 32), from_base64(c[w]["ml-dsa-44"], 1312)) for w in ("centre", "receipt"))
    centre, receipt = pairs
    named = len(officers) == len(c["officers"]) and not {"root", "centre"} & {*officers}
    must(named, "two officers share an id, or one is called root or centre")
    must(all(ascending(roles) for _, roles in officers.values()), "roles are not sorted")
    sealed = [from_base64(c["encryption"]["age-x25519"], 32)] if "encryption" in c else []
    keys = [*roots, *centre, *receipt, *(public for public, _ in officers.values()), *sealed]
    must(len({*keys}) == len(keys), "a public key stands twice")
    must(threshold <= len(roots) and all(isinstance(x, str) for x in c["names"].values()), "the threshold, or a name")
    released, by_id = read_time(f["released-at"]).timestamp(), {key_id(k): k for k in roots}
    return Identity(f["number"], released, by_id, threshold, centre, receipt, officers)


class Journal:
    """What one party said: its leaves, tree and identities, each entry judged by steps 1 to 4."""

    def __init__(self, agreement: str, party: str, data: bytes) -> None:
        self.agreement, self.party, self.origin = agreement, party, f"servanda/{agreement}/{party}"
        *leaves, rest = data.split(b"\n")
        hashes, starts = [digest(b"\0" + x) for x in leaves], accumulate((len(x) + 1 for x in leaves), initial=0)
        self.whole, self.tree, self.size = not rest and leaves, Tree(hashes), len(leaves)
        self.entries = [Entry(party, i + 1, h.hex(), at) for i, (h, at) in enumerate(zip(hashes, starts, strict=False))]
        self.identities: list[Identity] = []
        self.former: set[str] = set()  # the ids of all officers stated so far
        claims = []
        for e, leaf in zip(self.entries, leaves, strict=True):
            try:
                signed, signatures = self.steps_1_to_3(e, leaf)
                claims += [(e, key, sig, signed) for key, sig in self.step_4(e, e.frame, signed, signatures)]
            except Malformed as bad:
                e.early = bad.args[1] or e.code, bad.args[0]
        parts = [claims[i : i + 256] for i in range(0, len(claims), 256)]
        with ThreadPoolExecutor() as pool:  # verifying releases the lock
            for wrong in pool.map(lambda part: [e for e, *claim in part if not verifies(*claim)], parts):
                for e in wrong:
                    e.early = "signature", "a signature does not verify"
        self.centre_keys = {note_key(self.origin, 1, x.centre[0]): x.centre[0] for x in self.identities}
        self.receipt_keys: dict[bytes, list[tuple[int, bytes, int, Identity | None]]] = {}
        for i, x in enumerate(self.identities):
            for kind, public in zip((4, 6), x.receipt, strict=True):
                if not i or public not in self.identities[i - 1].receipt:
                    retired = next((y for y in self.identities[i:] if public not in y.receipt), None)
                    rows = self.receipt_keys.setdefault(note_key(f"{self.origin}/receipt", kind, public), [])
                    rows.append((kind, public, x.number, retired))

    def steps_1_to_3(self, e: Entry, leaf: bytes) -> tuple[bytes, dict[str, bytes]]:
        e.code = "unreadable"
        payload, signed, signatures = read_envelope(leaf, ENTRY_TYPE)
        e.code = "frame"
        f = decode(payload)
        version = f.get("version") if isinstance(f, dict) else None
        must(type(version) is not int or version < 2, f"version {version}", "version")
        fitting("frame", f)
        for parties in ([h["party"] for h in f["heads"]], [r["by"] for r in f["receipts"]], f["to"], f["named"] or []):
            must(ascending(parties), f"parties that are not sorted: {parties}")
        must(f["party"] not in f["to"], "it is addressed to its own author")
        offered = f["named"] is not None if f["act"] == "offer" else (f["named"], f["thread"]) == (None, None)
        must(offered, "named and thread belong to offers")
        must((f["status"] == "exercise") == (f["exercise-at"] is not None), "exercise-at belongs to exercises")
        read_time(f["released-at"])
        read_time(f["exercise-at"] or f["released-at"])
        read_span(f["event-at"])
        for r in f["receipts"]:
            from_base64(r["cosignature"], 76)
        e.code, e.frame = "misplaced", f
        placed = (f["agreement"], f["party"], f["number"]) == (self.agreement, e.party, e.number)
        must(placed, f"it says {f['party']}/{f['number']}")
        return signed, signatures

    def step_4(self, e: Entry, f: Json, signed: bytes, signatures: dict[str, bytes]) -> Iterable[tuple[bytes, bytes]]:
        """Step 4, but for the signatures of officers and centres: keys and signatures, to be verified together."""
        now: Any = self.identities[-1] if self.identities else None
        e.code, states, author, releaser = "identity", f["format"] == "identity", f["author"], f["releaser"]
        must(states or (now and e.number > 1), "no identity holds for this number")
        must(not states or author == "root", "an identity entry is signed by root keys")
        if author == "root":
            must(releaser is None and f["format"] in ("identity", "branch"), "not for root keys", "signature")
            groups = [x for x in (now, read_identity(f) if states else None) if x]
            e.signed, e.code, keys = "root", "signature", {k: key for x in groups for k, key in x.roots.items()}
            must(ascending([*signatures]) and signatures.keys() <= keys.keys(), "not by root keys, or not sorted")
            must(all(len(signatures.keys() & x.roots.keys()) >= x.threshold for x in groups), "not by the threshold")
            must(all(verifies(keys[k], sig, signed) for k, sig in signatures.items()), "a signature does not verify")
            self.identities += groups[-1:] if states else []
            self.former.update(*(x.officers for x in groups))
            return []
        e.code = "signature"
        if author == "centre":
            must(releaser is None, "a centre signs alone")
            e.signed, wanted = "centre", [now.centre[0]]
        else:
            people = [(author, {"author"}), (releaser, {"release"})]
            people = people if releaser else [(author, {"watch", "release"})]
            for x in (x for x, _ in people if x not in now.officers):
                must(False, x, "retired-key" if x in self.former else "unknown-key")
            must(all(roles & {*now.officers[x][1]} for x, roles in people), f"{author}, {releaser}", "wrong-role")
            must(author != releaser, author, "own-release")
            e.signed, wanted = "two" if releaser else "one", [now.officers[x][0] for x, _ in people]
        must([*signatures] == [key_id(k) for k in wanted], "not the keys that author and releaser call for")
        return zip(wanted, signatures.values(), strict=True)

    def identity_at(self, size: int) -> Identity | None:
        """The identity for a checkpoint of this size (identity, rule 3)."""
        return next((x for x in reversed(self.identities) if x.number <= size), None)

    def receipt_holds(self, name: str, raw: bytes, note: Note, head: int) -> bool | None:
        """Whether this party receipted the note, by its identities up to `head` (identity, rule 4)."""
        answers: set[bool | None] = set()
        stamp = int.from_bytes(raw[4:12], "big")
        keys = self.receipt_keys.get(raw[:4], []) if name == f"{self.origin}/receipt" else []
        for kind, public, start, retired in keys:
            if start <= head and (retired is None or retired.number > head or stamp <= retired.released):
                answers.add(note.line_holds(name, raw, kind, public))
        return True if True in answers else None if None in answers else False


# ------------------------------------------------------- the record: steps 5 to 9, what is settled (entry, settlement)


@dataclass(slots=True, eq=False)
class Offer:
    entry: Entry
    thread: Entry  # the thread's first offer
    members: frozenset[str]  # the author and those it names
    outside: frozenset[str]  # the other parties: those outside S
    needed: int  # how many of them must attest: q
    witnesses: frozenset[str]  # of whom a quorum suffices
    quorum: int
    may_lapse: bool
    accepts: dict[str, Entry] = field(default_factory=dict)
    refusals: dict[str, Entry] = field(default_factory=dict)
    lapses: dict[str, Entry] = field(default_factory=dict)
    rivals: list[Entry] = field(default_factory=list)  # offers to resolve a dispute that it has crossed
    rows: Any = None  # once custody has taken it: the lots that it locks, and the row of each

    def carried_by(self, parties: set[str] | frozenset[str]) -> bool:
        """Whether these are all that it names, but for witnesses, of whom a quorum suffices."""
        needed = self.members - self.witnesses - {self.entry.party}
        return needed <= parties and len(self.witnesses & parties) >= self.quorum


class Record:
    """All journals together. An entry is judged when its past has been; the order does not matter otherwise."""

    def __init__(self, agreement: str, packs: dict[str, Pack], journals: dict[str, Journal], cuts: Json) -> None:
        self.agreement, self.packs, self.journals, self.cuts = agreement, packs, journals, cuts
        self.done = dict.fromkeys(journals, 0)  # how many entries of each journal are judged
        self.admitted: dict[str, list[Entry]] = {party: [] for party in journals}  # the admissible entries, in order
        self.conflicts: dict[Entry, tuple[str, int]] = {}  # heads that contradict a journal held
        self.adopted: dict[tuple[str, str | None], Entry] = {}  # by party and pack replaced
        self.cited: dict[tuple[str, str], list[tuple[int, int, int]]] = {}  # by journal, party: size, entry, time stamp
        self.offers: dict[Entry | None, Offer] = {}
        self.threads: dict[Entry, dict[str, list[Entry]]] = {}  # by first offer, then by author
        self.decided: dict[Entry, Entry] = {}  # acceptance: its condition entry
        self.corrections: dict[Entry, Json] = {}  # entry: its latest corrected content
        self.branches, self.memo = set[str](), dict[Entry, bool]()  # the latter: has_effect, for one view
        self.custody, self.draws = Balances(self), Draws(self)
        for e in (e for journal in journals.values() for e in journal.entries):
            e.status, e.code, e.why, e.effect, e.pack, e.format = "waiting", "", "", "", None, None
        while sum([self.advance(journal) for journal in journals.values()]):
            self.memo.clear()

    def advance(self, journal: Journal) -> int:
        """Judges the next entries of a journal as far as what they rest on has been judged; returns how many."""
        start = self.done[journal.party]
        while (n := self.done[journal.party]) < journal.size:
            e, before = journal.entries[n], journal.entries[n - 1].heads if n else {}
            e.heads = before
            self.memo.clear()
            try:
                self.judge(e, journal, e.frame)
                e.code = ""
            except Malformed as bad:
                e.why, e.code = bad.args[0], bad.args[1] or e.code
                if e.code == "waiting":
                    e.code = ""
                    break
                e.status, e.heads = "inadmissible", before if e.code in ("heads", "reference") else e.heads
            self.done[journal.party] = n + 1
        return self.done[journal.party] - start

    def judge(self, e: Entry, journal: Journal, f: Json) -> None:
        must(not e.early, *(e.early or ("", ""))[::-1])
        e.code = "heads"
        self.step_5(e, f)
        if any(e.sees(p) > k or (e.party == p and e.number > k) for p, k in self.cuts.items()):
            e.status = "suspended"  # settlement, Forks
            return
        e.code = "receipt"
        receipts = [self.step_6(e, journal, r) for r in f["receipts"]]
        e.code = "pack"
        self.step_7(e, f)
        e.code = "content"
        check_content(e.format, f["content"])
        e.code = f["act"] if f["act"] in ("offer", "acknowledge") else f["format"] if f["format"] in BUILT_IN else ""
        first = self.at(f["refers-to"][0]) if f["refers-to"] else None
        if e.code in RULES:  # step 9; what the entry says is taken into account there
            RULES[e.code](self, e, f["content"], first)
        e.status = "admissible"
        self.admitted[e.party].append(e)
        for by, row in receipts:
            self.cited.setdefault((e.party, by), []).append(row)
        self.custody.post(e, first)
        self.draws.post(e, first)

    def at(self, reference: Json) -> Entry:
        return self.journals[reference["party"]].entries[int(reference["number"]) - 1]

    def step_5(self, e: Entry, f: Json) -> None:
        before, heads = e.heads, {h["party"]: h["size"] for h in f["heads"]}
        for party, size in heads.items():
            must(party != e.party and size > before.get(party, 0), f"{party} has not grown, or is its own")
        for h in f["heads"]:
            party, size, other = h["party"], h["size"], self.journals.get(h["party"])
            held = other.tree.root(size).hex() if other and size <= other.size else ""
            must(held, f"it rests on {party}/{size}, which is not here", "waiting")
            if held != h["root"]:
                self.conflicts[e] = party, size
                must(False, f"it rests on another root of {party} at {size}: one of the two is false", "waiting")
        for party, size in heads.items():
            must(self.done[party] >= size, f"it rests on {party}/{size}, which waits itself", "waiting")
        e.heads = before | heads if heads else before
        for party, size in heads.items():
            covered = self.journals[party].entries[size - 1].heads
            must(all(n <= e.sees(p) for p, n in covered.items()), f"its past is not closed: {party}/{size} covers more")
        for r in [*f["refers-to"], *([f["thread"]] if f["thread"] else [])]:
            covers = r["number"] <= e.sees(r["party"]) and self.at(r).leaf == r["leaf"]
            must(covers, f"{r['party']}/{r['number']} is not covered, or another entry", "reference")

    def step_6(self, e: Entry, journal: Journal, r: Json) -> tuple[str, tuple[int, int, int]]:
        raw, by, size = from_base64(r["cosignature"], 76), r["by"], r["size"]
        last, other = self.cited.get((e.party, by), [(0, 0, 0)])[-1][0], self.journals.get(by)
        must(last < size < e.number, f"{by} at {size}: not newer than the one cited, or not less than the number")
        note = Note(journal.origin, size, journal.tree.root(size))
        good = other and other is not journal and other.receipt_holds(f"{other.origin}/receipt", raw, note, e.sees(by))
        must(good, f"{by} at {size}: does not verify")
        return by, (size, e.number, int.from_bytes(raw[4:12], "big"))

    def in_force(self, v: Entry) -> Pack | None:
        """The pack in force in a view (pack, In force)."""
        pack, following = None, self.packs.get(self.agreement)
        while following:
            for party in following.parties | (pack.parties if pack else frozenset()):
                e = self.adopted.get((party, pack.digest if pack else None))
                if not e or not v.has(e) or e.frame["content"]["pack"] != following.digest:
                    return pack
            pack = following
            chosen = {e.frame["content"]["pack"] for p in pack.parties if (e := self.adopted.get((p, pack.digest)))}
            following = self.packs[chosen.pop()] if len(chosen) == 1 else None
        return pack

    def step_7(self, e: Entry, f: Json) -> None:
        e.pack = pack = self.in_force(e)
        packless = f["format"] in ("identity", "adopt", "branch")
        named = f["pack"] is None if packless else pack and f["pack"] == pack.digest
        must(named, "not the pack in force in its past, or null is called for")
        if f["format"] == "adopt" and not misfit(SHAPES["hash"], f["content"].get("pack"), ""):  # or it fails step 8
            adopted: Any = self.packs.get(f["content"]["pack"])
            must(adopted, f"the pack {f['content']['pack'][:12]} is not here", "waiting")
            must((adopted.replaces is None) == (adopted.digest == self.agreement), "a first pack of another agreement")
            must((e.party, adopted.replaces) not in self.adopted, "a second adoption")
        form: Any = BUILT_IN.get(f["format"]) or (pack and pack.formats.get(f["format"]))
        must(form and form["version"] == f["format-version"], f["format"], "format")
        e.format, e.effect = form, form["effect"] or ""
        must(f["act"] == form["act"], f"{f['act']} where the format says {form['act']}", "act")
        must(e.signed == form["release"], f"signed by {e.signed} where the format says {form['release']}", "release")
        may = packless or not pack or (e.party in pack.parties and e.party in (form["may-send"] or pack.parties))
        must(may, e.party, "sender")
        known = (pack or self.packs[self.agreement]).parties
        must({*f["to"], *(f["named"] or ())} <= known, "not a party of the pack", "addressee")

    # settlement, Rules for step 9: each checks, then takes the entry into account

    def rule_adopt(self, e: Entry, c: Json, first: Any) -> None:
        self.adopted[e.party, self.packs[c["pack"]].replaces] = e

    def rule_branch(self, e: Entry, c: Json, first: Any) -> None:
        holds = c["size"] < e.number and self.journals[e.party].tree.root(c["size"]).hex() == c["root"]
        must(holds, "not the root of this journal at that size")
        self.branches.add(e.party)

    def rule_reveal(self, e: Entry, c: Json, first: Any) -> None:
        must(first and first.party == e.party, "it refers to no entry of its author")
        digests = sealed_digests(first.frame)
        for text in c["disclosures"]:
            must(digest_of(text) in digests and is_disclosure(text), "no digest answers, or it is no disclosure")

    def rule_acknowledge(self, e: Entry, c: Json, first: Any) -> None:
        must(first and all(r["party"] != e.party for r in e.frame["refers-to"]), "it refers to none, or its own")

    def rule_offer(self, e: Entry, c: Json, first: Any) -> None:
        named, thread, members = e.frame["named"], e, frozenset([e.party, *e.frame["named"]])
        witnessed = members >= {*e.format["witnesses"]}
        must(named and e.party not in named and witnessed, "it names nobody, or its author, or not the witnesses")
        must(e.effect != "custody.offer" or named == [c["receiver"]], "named is not exactly the receiver")
        if e.frame["thread"]:
            thread = self.at(e.frame["thread"])
            must(thread in self.offers and self.offers[thread].thread is thread, "its thread is no first offer")
            must(members == self.offers[thread].members, "not all the members, or others")
            must(e.frame["format"] == thread.frame["format"], "another format")
        outside, may_lapse = e.pack.parties - members, e.pack.lapse and e.effect == "custody.offer"
        enough = e.format.get("quorum", 0)
        some = members & {*e.format["witnesses"]} if enough else frozenset()
        must(not enough or thread is e, "a thread of what a quorum carries")
        self.offers[e] = Offer(e, thread, members, outside, min(len(outside), e.pack.quorum), some, enough, may_lapse)
        self.threads.setdefault(thread, {}).setdefault(e.party, []).append(e)

    def rule_answer(self, e: Entry, c: Json, first: Any) -> None:
        o: Any = self.offers.get(first)
        must(o and e.party in first.frame["named"], "no offer that names the author")
        must(e.party not in {*o.accepts, *o.refusals}, "it has answered before")
        if e.frame["format"] == "refuse":
            o.refusals[e.party] = e
            return
        must(not (self.superseded(o, e) or self.crossed(o, e) or self.lapsed(o, e)), "superseded, crossed or lapsed")
        if c["extent"] == "part":
            must(first.effect == "custody.offer", "part of what cannot be parted")
        check_received(c, first.frame["content"] if c["extent"] == "part" else {"lots": []})
        reasons = e.pack.reasons if c["extent"] == "part" else ()
        must(c["reason"] in reasons if "reason" in c else not reasons, "the reason of a difference")
        bound = c["condition"] and (c["condition"]["confirmer"] not in e.pack.parties or first.effect[:8] == "custody.")
        must(not bound, "its condition")
        o.accepts[e.party] = e

    def rule_lapse(self, e: Entry, c: Json, first: Any) -> None:
        o: Any = self.offers.get(first)
        must(e.pack.lapse and o and first.effect == "custody.offer", "no offer that may lapse")
        must(e.party not in o.members and e.party not in o.lapses, "it is of the offer, or has declared it before")
        must(not any(map(e.has, o.accepts.values())), "it has seen an acceptance")
        o.lapses[e.party] = e

    def rule_condition(self, e: Entry, c: Json, first: Any) -> None:
        accepts = first and first.status == "admissible" and first.frame["format"] == "accept"
        must(accepts and (first.frame["content"]["condition"] or {}).get("confirmer") == e.party, "not its to confirm")
        must(first not in self.decided, "decided before")
        self.decided[first] = e

    def rule_correct(self, e: Entry, c: Json, first: Any) -> None:
        own = first and first.party == e.party and first.status == "admissible"
        must(own and first.frame["format"] not in BUILT_IN, "not of its own")
        must(first.frame["act"] in ("notify", "inquire", "answer"), "of an act that is not corrected")
        check_content(first.format, c["content"])
        self.corrections[first] = c["content"]

    # settlement, What follows: each of these is said of a view

    def superseded(self, o: Offer, v: Entry) -> bool:
        """Whether a later offer of the thread, in the view, covers it."""
        return any((n := v.count(rows)) and rows[n - 1].has(o.entry) for rows in self.threads[o.thread].values())

    def crossed(self, o: Offer, v: Entry) -> bool:
        """Whether another offer of the thread, in the view, neither covers it nor is covered by it."""
        others = [rows for party, rows in self.threads[o.thread].items() if party != o.entry.party]
        after = [rows[n] for rows in others if (n := o.entry.count(rows)) < len(rows)]
        return any(v.has(x) and not x.has(o.entry) for x in after)  # if the first covers it, so do the later ones

    def refused(self, o: Offer, v: Entry) -> bool:
        against = {party for party, x in o.refusals.items() if v.has(x)}
        return bool(against) and not o.carried_by(o.members - against)

    def accepted(self, o: Offer, v: Entry) -> bool:
        return o.carried_by({p for p, x in o.accepts.items() if v.has(x)}) and not self.crossed(o, v)

    def lapsed(self, o: Offer, v: Entry) -> bool:
        said = sum(v.has(x) for party, x in o.lapses.items() if party in o.outside) if o.may_lapse else 0
        return said > 0 and said >= o.needed

    def attests(self, party: str, e: Entry, o: Offer, v: Entry) -> bool:
        """Whether a party outside attests an entry of a thread: by a receipt cited, or by an entry that covers it."""
        if o.may_lapse:
            n = v.count(rows := self.admitted.get(party, []))
            return n > 0 and rows[n - 1].has(e) and not (party in o.lapses and v.has(o.lapses[party]))
        cited = self.cited.get((e.party, party), [])
        i = bisect_left(cited, (e.number,))
        return i < len(cited) and cited[i][1] <= v.sees(e.party)

    def has_effect(self, o: Offer, v: Entry = WHOLE) -> bool:
        """Whether it is settled in the view, every condition is confirmed there, and no rival has crossed it there."""
        if o.entry not in self.memo:
            firm = [
                e for e in (o.entry, *o.accepts.values())
                if v.has(e) and sum(self.attests(p, e, o, v) for p in o.outside) >= o.needed
            ]  # fmt: skip
            good = o.entry in firm and o.carried_by({e.party for e in firm}) and not self.crossed(o, v)
            said = [self.decided.get(e) for e in o.accepts.values() if e.frame["content"]["condition"]]
            confirmed = all(x and v.has(x) and x.frame["content"]["outcome"] == "confirmed" for x in said)
            self.memo[o.entry] = good and confirmed and not any(map(v.has, o.rivals))
        return self.memo[o.entry]


def rule_held(record: Record, e: Entry, c: Json, first: Any) -> None:
    for x in map(record.at, e.frame["refers-to"]):
        said = x.frame["content"] if x and x.status == "admissible" else {}
        said = said["content"] if said and x.frame["act"] == "correct" else said
        must(isinstance(said.get("table"), dict), "it refers to an entry without a table")
    must(e.frame["refers-to"], "it refers to no table")


RULES = {
    "adopt": Record.rule_adopt, "branch": Record.rule_branch, "reveal": Record.rule_reveal, "offer": Record.rule_offer,
    "accept": Record.rule_answer, "refuse": Record.rule_answer, "lapse": Record.rule_lapse,
    "condition": Record.rule_condition, "correct": Record.rule_correct, "acknowledge": Record.rule_acknowledge,
    "held": rule_held,
}  # fmt: skip


def check_content(form: Json, c: Json) -> None:
    """Step 8, but for disclosures: the format's schema, the shape of its effect, its evidence (obligations)."""
    bad = misfit(form["fields"], c, "content", sealed="built-in" not in form)
    must(not bad, bad)
    fitting(form["effect"] or "any", c)
    if form is BUILT_IN["regime"]:
        must(len({*c["formats"]}) == len(c["formats"]), "a format is named twice")
    check_tables(form, c)
    if form["performs"] and "performs" in c:
        rows = fitting("performs", c["performs"])
        must(all(p.get("done", 0) <= p.get("of", 0) for p in rows), "more is done than there is")
        must(len({p["obligation"] for p in rows}) == len(rows), "an obligation occurs twice")


def check_tables(form: Json, c: Json) -> None:
    """What no shape says of a table, of its groups, and of rows selected (tables)."""
    effect, empty = form["effect"] or "", digest(b"").hex()
    for name in ("table", "groups") if "rows" in form else ():
        must(name not in c or not misfit(SHAPES[name], c[name], name), f"no {name}")
    if "table" in c and ("rows" in form or effect.endswith("table")):
        must(c["table"]["rows"] or c["table"]["root"] == empty, "the root of no rows is another")
        must(sum(g["rows"] for g in c.get("groups", ())) == c["table"]["rows"] or "groups" not in c, "other rows")
    must(effect != "custody.table" or ("deletions" in c) == ("reason" in c), "deletions or reason alone")
    if effect.startswith("custody.") and "tables" in EFFECTS[effect][1]["properties"]:
        needed = effect in ("custody.move", "custody.seal", "custody.condition", "custody.offer", "custody.repack")
        must(not needed or "tables" in c or "lot" in c or c.get("lots"), "it names no lot")
        check_selections(c.get("tables", ()), 1)


def check_selections(selections: Sequence[Json], least: int) -> None:
    must(len({x["table"] for x in selections}) == len(selections), "a table is named twice")
    must(sum(len(x["rows"]) for x in selections) <= 20_000, "more than 20,000 ranges")
    for x in selections:
        good = len(x["rows"]) >= least and all(a <= b for a, b in x["rows"])
        must(good and all(a[1] + 1 < b[0] for a, b in pairwise(x["rows"])), "no ascending ranges")
        must(sum(b - a + 1 for a, b in x["rows"]) == x["count"], "the count is another")


def check_received(c: Json, offered: Json) -> None:
    """Of an acceptance in part: how much, and which of the rows, of what was offered; else nothing."""
    pairs = [(x["lot"], x["quantity"]) for x in offered["lots"]]
    must([x for x, _ in pairs] == [x["lot"] for x in c["received"]], "not the lots offered")
    for (_, a), b in zip(pairs, (x["quantity"] for x in c["received"]), strict=True):
        fits = b["basis"] == "stated" and a["unit"] == b["unit"]
        must(fits and b["amount"] <= a.get("amount", MAX_INTEGER), "a quantity that was not offered")
    selections = offered.get("tables")
    must((selections is None) == ("tables" not in c), "tables stands with part of an offer that has it")
    check_selections(c.get("tables", ()), 0)
    must([x["table"] for x in c.get("tables", ())] == [x["table"] for x in selections or ()], "not the tables offered")
    for a, b in zip(selections or (), c.get("tables", ()), strict=True):
        inside = ((row_range(a["rows"], x), y) for x, y in b["rows"])
        must(all(x and y <= x[1] for x, y in inside), "rows that were not offered")


def row_range(ranges: list[list[int]], row: int) -> list[int] | None:
    """Of ascending ranges, the one that has the row."""
    i = bisect_right(ranges, [row, MAX_INTEGER]) - 1
    return ranges[i] if i >= 0 and row <= ranges[i][1] else None


def sealed_digests(frame: Json) -> set[str]:
    """Every digest that stands under `_sd` in a content (sealing)."""
    found, left = [], [frame["content"]] if frame else []
    while left:
        value = left.pop()
        own = value.get("_sd") if isinstance(value, dict) else None
        found += [x for x in own if isinstance(x, str)] if isinstance(own, list) else []
        left += value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return {*found}


def is_disclosure(text: str) -> bool:
    """Whether it is base64url of the JSON text of a salt of 128 bits or more, a name and a value (sealing)."""
    try:
        salt, name, _ = decode(from_base64(text, url=True), canonical=False)
        return isinstance(name, str) and name not in ("_sd", "...") and len(from_base64(salt, url=True)) >= 16
    except (Malformed, TypeError, ValueError):
        return False


def digest_of(disclosure: str) -> str:
    return base64.urlsafe_b64encode(digest(disclosure.encode())).decode().rstrip("=")


# --------------------------------------------------------------------------------------------------- custody (custody)


Amount = tuple[int | None, str, tuple[int, int] | None, bool]  # amount, unit, range, whether it is sealed


@dataclass(slots=True)
class State:
    """A lot from one entry on, until the next state or an offer changes it."""

    entry: Entry
    account: str
    amount: Amount
    kind: str | None
    place: str | None
    ended: bool = False
    offers: dict[str, list[Entry]] = field(default_factory=dict)  # by author
    accepted: Entry | None = None  # for a row in dispute, what did not accept it
    later: dict[Entry, dict[str, list[Entry]]] = field(
        default_factory=dict
    )  # by offer: those on what it left in dispute
    box: str = ""  # the lot in which it was put


@dataclass(slots=True, eq=False)
class Pool:
    total: int | None
    opener: str  # its first lot
    repacked: int = 0
    stated: int = 0  # when all is posted: the amounts stated, and how many lots have none
    unstated: int = 0

    def rest(self) -> int | None:
        """What the total leaves to its lots that are not stated; None if it is not known, negative if exceeded."""
        return None if self.total is None else self.total - self.repacked - self.stated


@dataclass(slots=True, eq=False)
class Lot:
    """A lot, or consecutive rows of a table that are alike so far."""

    name: str
    entry: Entry
    row: int
    pool: Pool | None  # None for rows of which nothing has been split off
    born: Offer | None  # it exists where this offer has effect; else where its entry is
    states: list[State]
    rows: int = 1


ROWS = {"declare": "lots", "found": "lots", "split": "parts", "destroy": "residue", "repack": "parts"}
LOTS = {**dict.fromkeys(("split", "move", "seal", "condition"), "lot"), **dict.fromkeys(("merge", "loss"), "lots")}
LOTS |= dict.fromkeys(("consume", "offer", "destroy", "resolve", "repack"), "lots")


def lots_named(what: str, c: Json) -> list[str]:
    """The lots that a content names, in its order."""
    if what in ("pack", "unpack"):
        return [c["container"], *c["lots"]]
    named = c.get(LOTS[what], []) if what in LOTS else []
    return [named] if isinstance(named, str) else [x if isinstance(x, str) else x["lot"] for x in named]


def selected(what: str, c: Json) -> list[Json]:
    return c.get("tables", []) if what in LOTS and what not in ("split", "merge") else []


def copied(offers: dict[str, list[Entry]]) -> dict[str, list[Entry]]:
    return {party: [*entries] for party, entries in offers.items()}


def amount_of(x: Json) -> Amount:
    q = x["quantity"]
    return q.get("amount"), q["unit"], (q["from"], q["to"]) if q["basis"] == "range" else None, False


def facts_of(s: State) -> tuple[Json, ...]:
    return s.amount, s.kind, s.place


def facts(x: Json) -> dict[str, Json]:
    """Kind, place and amount of a row, or of each row of a group."""
    if "each" in x:
        ends = (x["each"]["from"], x["each"]["to"]) if isinstance(x["each"], dict) else None
        amount: Amount = (None if ends else x["each"], x["unit"], ends, x["each"] is None)
    else:
        amount = amount_of(x)
    return {"amount": amount, "kind": x["kind"], "place": x["place"]}


STATEMENTS = {"figure", "finding", "issue", "seal", "condition", "contest", "shipment", "recount"}


class Lots:
    """Every lot, and what it is in a view."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.lots: dict[str, Lot] = {}
        self.tables: dict[str, list[Lot]] = {}  # by entry: its rows, ascending
        self.declared: dict[Entry, list[tuple[Lot, Json]]] = {}  # the rows of a declaration, as corrected
        self.serials: dict[tuple[str, str], dict[str, Lot]] = {}  # (kind, serial): by party
        self.packed: dict[str, set[str]] = {}  # what was ever put into a lot
        self.raised: set[tuple[str, int, str, str, int]] = set()  # party, number, code, lot, rows (0: a lot named)
        self.counts: dict[
            Entry, tuple[Json, set[tuple[str, str, str]]]
        ] = {}  # inventory: its places; code, kind, place

    def every(self) -> list[Lot]:
        return [x for rows in [[*self.lots.values()], *self.tables.values()] for x in rows]

    def exists(self, lot: Lot | None, v: Entry) -> bool:
        return lot is not None and (self.record.has_effect(lot.born, v) if lot.born else v.has(lot.entry))

    # rows of tables: the same lot until something tells them apart

    def part(self, rows: list[Lot], at: int) -> int:
        """Part two rows; where the second one is, or would be."""
        i = bisect_left(rows, at, key=lambda x: x.row)
        if i and (x := rows[i - 1]).row + x.rows > at:
            states = [
                replace(s, offers=copied(s.offers), later={e: copied(v) for e, v in s.later.items()}) for s in x.states
            ]
            name = f"{x.entry.name}/{at}"
            rows.insert(i, Lot(name, x.entry, at, x.pool, None, states, x.row + x.rows - at))
            x.rows = at - x.row
        return i

    def find(self, name: str) -> Lot | None:
        place, _, row = name.rpartition("/")
        if place not in self.tables:
            return self.lots.get(name)
        return next(self.over(place, int(row), int(row)))

    def over(self, place: str, first: int, last: int) -> Iterator[Lot | None]:
        """The lots of exactly these rows; None, and no more, where one is not there."""
        rows = self.tables.get(place, [])
        self.part(rows, last + 1)
        i = self.part(rows, first)
        while first <= last:
            lot = rows[i] if i < len(rows) and rows[i].row == first else None
            yield lot
            first, i = first + lot.rows if lot else last + 1, i + 1

    def each_lot(self, what: str, c: Json) -> Iterator[Lot | None]:
        """The lots that a content names, then the rows that it selects."""
        yield from map(self.find, lots_named(what, c))
        for x in selected(what, c):
            for first, last in x["rows"]:
                yield from self.over(x["table"], first, last)

    def push(self, lot: Lot, e: Entry, s: State, **changes: Any) -> State:
        lot.states.append(replace(s, **{"entry": e, "offers": {}, "later": {}, **changes}))
        return lot.states[-1]


class Boxes(Lots):
    """Lots within lots: rule 12."""

    def situation(self, lot: Lot, v: Entry) -> tuple[State, Entry | None]:
        """The state of a lot in a view, and the open offer that locks it. Its states follow one another causally."""
        s = lot.states[bisect_left(lot.states, True, key=lambda x: not v.has(x.entry)) - 1]
        while True:
            offers = [self.record.offers[rows[n - 1]] for rows in s.offers.values() if (n := v.count(rows))]
            done = next((o for o in offers if self.record.has_effect(o, v)), None)
            if not done:
                break
            s = self.outcome(lot, s, done, done.entry.frame["content"])
        lock = None
        for o in offers:
            over = self.record.refused(o, v) or self.record.lapsed(o, v) or any(map(v.has, o.rivals))
            lock = lock if over else o.entry
        if lock and lock.effect == "custody.offer":
            s = replace(s, account=f"transit/{lock.party}/{lock.frame['content']['receiver']}")
        return s, lock

    def outcome(self, lot: Lot, s: State, o: Offer, c: Json) -> State:
        """Rules 5 to 7: where a lot is when an offer of it has effect."""
        if o.entry.effect != "custody.offer":
            to = f"held/{c['holder']}" if o.entry.effect == "custody.resolve" else f"destroyed/{o.entry.party}"
            return replace(s, account=to, offers={}, accepted=None)
        answer, received = o.accepts[c["receiver"]], replace(s, account=f"held/{c['receiver']}", offers={})
        received.place, said = c["place"], answer.frame["content"]
        if said["extent"] == "part" and lot.name in o.rows:
            received.amount = amount_of(said["received"][o.rows[lot.name]])
            received.ended = received.amount[0] == 0
        elif said["extent"] == "part":
            ranges = next(x["rows"] for x in said["tables"] if x["table"] == lot.entry.name)
            if not row_range(ranges, lot.row):
                account = f"disputed/{o.entry.party}/{c['receiver']}"
                return replace(s, account=account, offers=s.later.setdefault(o.entry, {}), accepted=answer)
        return received

    def open(self, e: Entry, i: int, account: str, x: Json, pool: Pool | None = None, born: Offer | None = None) -> Lot:
        name = f"{e.name}/{i}"
        pool = pool or Pool(x["quantity"].get("amount"), name)
        self.lots[name] = Lot(name, e, i, pool, born, [State(e, account, **facts(x))])
        return self.lots[name]

    def pool(self, lot: Lot) -> Pool:
        lot.pool = lot.pool or Pool(lot.states[0].amount[0], lot.name)
        return lot.pool

    def box_of(self, s: State, v: Entry) -> str:
        """The container of a lot in that state, if both are still held by one party."""
        lot = self.find(s.box) if s.box else None
        box = self.situation(lot, v)[0] if lot else s
        owners = [x.account.split("/")[1] if x.account[:5] in ("held/", "trans") else "" for x in (s, box)]
        return s.box if owners[0] and owners[0] == owners[1] and not s.ended and not box.ended else ""

    def contents(self, name: str, v: Entry) -> set[str]:
        """What is directly in a lot in a view."""
        inner = ((x, self.find(x)) for x in self.packed.get(name, ()))
        return {x for x, lot in inner if lot and self.box_of(self.situation(lot, v)[0], v) == name}

    def below(self, name: str, v: Entry) -> Iterator[str]:
        for x in self.contents(name, v):
            yield from (x, *self.below(x, v))

    def check_boxes(self, e: Entry, what: str, found: list[tuple[Lot, State, Any]]) -> None:
        """Rule 12: what is named goes with its container and its contents, or is loose."""
        names = {lot.name for lot, _, _ in found} if what not in ("split", "merge", "repack") else set()
        if what in ("split", "merge", "repack", "move", "offer", "destroy", "loss", "consume"):
            for lot, s, _ in found:
                must(self.box_of(s, e) in {"", *names}, "packed")
                must(what == "move" or self.contents(lot.name, e) <= names, "packed")

    def pack(self, e: Entry, what: str, first: tuple[Lot, State, Any], *rest: tuple[Lot, State, Any]) -> None:
        """Rule 12: into a container, or out of it."""
        (box, there, _), names, outer = first, {lot.name for lot, _, _ in rest}, {first[0].name}
        if what == "pack":
            must(there.amount[0] == 1, "container")
            s: Any = there
            while s and (name := self.box_of(s, e)):
                outer.add(name)
                lot: Any = self.find(name)
                s = self.situation(lot, e)[0]
            must(not outer & names, "cycle")
        must(len(names) == len(rest), "lot-closed")
        must(all(self.box_of(s, e) == ("" if what == "pack" else box.name) for _, s, _ in rest), "packed")
        must(what == "unpack" or all(s.place and s.place == there.place for _, s, _ in rest), "place")
        for lot, s, _ in rest:
            self.push(lot, e, s, box=box.name if what == "pack" else "")
        self.packed.setdefault(box.name, set()).update(names)


class Postings(Boxes):
    """The rules, and what is written where they are met."""

    def note(self, e: Entry, code: str, lot: str = "", rows: int = 0) -> None:
        self.raised.add((e.party, e.number, code, lot, rows))

    def split(self, e: Entry, rows: list[Json], lot: Lot, s: State) -> None:
        """Rule 3."""
        must(all(e.pack.is_within(x["kind"], s.kind) for x in rows), "kind")
        amounts, (whole, unit, *_) = [x["quantity"].get("amount") for x in rows], s.amount
        rest = None if whole is None or None in amounts else whole - sum(amounts)
        must(rest is None or rest >= 0, "overdrawn")
        self.push(lot, e, s, amount=(rest, unit, None, False), ended=rest == 0)
        for i, x in enumerate(rows):
            self.open(e, i, f"held/{e.party}", x, self.pool(lot))

    def join(self, e: Entry, what: str, c: Json, rows: list[Json], found: list[tuple[Lot, State, Any]]) -> None:
        """Rule 4: one lot, or several, in the place of others."""
        amounts, units = {s.amount[0] for _, s, _ in found}, {s.amount[1] for _, s, _ in found}
        must(len({lot.name for lot, _, _ in found}) == len(found), "lot-closed")
        if what == "merge":
            must(len({lot.pool or lot.name for lot, _, _ in found}) == 1, "pool")
        else:
            must(None not in amounts | {x["quantity"].get("amount") for x in rows}, "not-stated")
            must(len(units | {x["quantity"]["unit"] for x in rows}) == 1, "unit")
        kinds = {s.kind for _, s, _ in found}
        wider = {x["kind"] for x in rows} or {c["kind"]}
        must(all(e.pack.is_within(kind, x) for kind in kinds for x in wider), "kind")
        total = None if None in amounts else sum((s.amount[0] or 0) * lot.rows for lot, s, _ in found)
        if what == "merge":
            must(total is None or total <= MAX_INTEGER, "overdrawn")
            quantity = {"basis": "", "amount": total, "unit": units.pop()}
            rows, pool = [{"kind": c["kind"], "place": c["place"], "quantity": quantity}], found[0][0].pool
        else:
            must(sum(x["quantity"]["amount"] for x in rows) == total, "sum")
            pool = Pool(total, f"{e.name}/0")
        for lot, s, _ in found:
            self.push(lot, e, s, ended=True)
            if what == "repack" and lot.pool:
                lot.pool.repacked += s.amount[0] or 0
        for i, x in enumerate(rows):
            self.open(e, i, f"held/{e.party}", x, pool)

    def open_table(self, e: Entry, account: str, c: Json, groups: list[Json]) -> None:
        """Rule 2 for tables."""
        declares, added = account != "found", set()
        if declares and "supplements" in c:
            party, number = c["supplements"].split("/")
            posted = party == e.party and c["supplements"] in self.tables
            must(
                posted and self.record.journals[party].entries[int(number) - 1].effect == "custody.table", "supplement"
            )
        deletions = c.get("deletions", []) if declares else []
        for i, x in enumerate(deletions):
            own = x["lot"].split("/")[0] == e.party and x["lot"].rpartition("/")[0] in self.tables
            must(own and self.find(x["lot"]), "unknown-lot")
            must(x["lot"] not in {y["lot"] for y in deletions[:i]}, "lot-closed")
            new = x.get("addition")
            must(new is None or (new < c["table"]["rows"] and new not in added), "addition")
            added.add(new)
        starts = accumulate((g["rows"] for g in groups), initial=0)
        rows = [
            Lot(f"{e.name}/{i}", e, i, None, None, [State(e, account, **facts(g))], g["rows"])
            for i, g in zip(starts, groups, strict=False)
        ]
        for x in deletions:
            lot: Any = self.find(x["lot"])
            (s, lock), old = self.situation(lot, e), lot.states[0]
            loose = not self.box_of(s, e) and not self.contents(lot.name, e)
            if loose and (s.account, s.ended, lock) == (account, False, None) and facts_of(s) == facts_of(old):
                self.push(lot, e, s, account=f"corrected/{e.party}")
                continue
            self.note(e, "late-correction", lot.name)
            if "addition" in x:
                self.part(rows, x["addition"] + 1)
                del rows[self.part(rows, x["addition"])]
        self.tables[e.name] = rows

    def count(self, e: Entry, groups: list[Json], places: Json) -> None:
        """Rule 11: what was counted beside what is held, by kind, place and unit."""
        for g in groups:
            must(g["kind"] is not None, "kind")
            must(g["place"] is not None and (places is None or g["place"] in places), "place")
        must({*(places or ())} <= e.pack.places.keys(), "place")
        sums: dict[Any, list[Any]] = {}  # counted, held, and how much of both is not exact
        there = [(self.situation(x, e)[0], x.rows) for x in self.every() if self.exists(x, e)]
        held = [(s, n) for s, n in there if s.account == f"held/{e.party}" and not s.ended]
        held = [(s, n) for s, n in held if places is None or s.place in {None, *places}]
        codes = {("inventory-sealed", "", "") for s, _ in held if s.kind is None or s.place is None}
        stated = [(0, State(e, "", **facts(g)), g["rows"]) for g in groups]
        for side, s, n in [*stated, *((1, s, n) for s, n in held if s.kind is not None and s.place is not None)]:
            row = sums.setdefault((s.kind, s.place, s.amount[1]), [0, 0, 0])
            row[side] += n * (s.amount[0] or 0)
            row[2] += s.amount[0] is None
        for (kind, place, _), (counted, book, vague) in sums.items():
            if vague or counted != book:
                codes.add(("inventory-open" if vague else "inventory", kind, place))
        self.counts[e] = places, codes

    def check_lot(self, lot: Lot | None, e: Entry, what: str, c: Json, i: int) -> tuple[Lot, State, Entry | None]:
        """Rule 1, or rule 7, for one lot."""
        if lot is None or not self.exists(lot, e):
            raise Malformed("unknown-lot", "")
        s, lock = self.situation(lot, e)
        kind, *two = s.account.split("/")
        if what == "resolve":
            ours = kind == "disputed" and e.party in two and e.frame["named"] == [p for p in two if p != e.party]
            named = i < len(c["lots"])
            must(ours, "not-custodian")
            must(not lock and not (named and lot.name in [x["lot"] for x in c["lots"][:i]]), "locked")
            must(not named or s.amount == amount_of(c["lots"][i]), "quantity")
            must(c["holder"] in two, "holder")
        else:
            must(kind in ("held", "transit") and two[0] == e.party, "not-custodian")
            must(not s.ended, "lot-closed")
            must(not lock or what in ("seal", "condition", "loss"), "locked")
        return lot, s, lock

    def identified(self, e: Entry, x: Json, lots: list[Lot]) -> bool:
        """Rule 6: the serial that a lot was declared with, or a finding in the past."""
        if "serial" in x:
            owned = (self.serials.get((kind, x["serial"]), {}) for kind in e.pack.items)
            known = any(lot.name == x["lot"] for held in owned for lot in held.values())
        else:
            party, number = x["finding"].split("/")
            reference = {"party": party, "number": int(number)}
            known = int(number) <= e.sees(party) and party in self.record.journals
            t = self.record.at(reference) if known else e
            known = known and t.status == "admissible" and t.effect == "custody.finding"
        return known and self.find(x["lot"]) in lots

    def check_rows(self, e: Entry, rows: list[Json]) -> None:
        """Rule 1 for rows, and for groups: null is sealed."""
        for x in rows:
            f = facts(x)
            must(x["kind"] is None or x["kind"] in e.pack.items, "kind")
            _, unit, ends, _ = f["amount"]
            must(unit in e.pack.units if x["kind"] is None else e.pack.items[x["kind"]]["unit"] == unit, "unit")
            must(not ends or ends[0] < ends[1], "range")
            must(x["place"] is None or x["place"] in e.pack.places, "place")

    def open_rows(self, e: Entry, account: str, rows: list[Json], start: int) -> list[tuple[Lot, Json]]:
        """Rule 2: a lot for each row, and what its serial says."""
        keys = [(x["kind"], x["serial"]) for x in rows if "serial" in x]
        fresh = len({*keys}) == len(keys) and not any(e.party in self.serials.get(k, ()) for k in keys)
        must(fresh, "duplicate-serial")
        opened = [(self.open(e, i, account, x), x) for i, x in enumerate(rows, start)]
        for lot, x in opened:
            holders = self.serials.setdefault((x["kind"], x["serial"]), {}) if "serial" in x else {}
            holders[e.party] = lot
            for other in holders.values() if len(holders) > 1 else ():
                self.note(other.entry, "duplicate-serial", other.name)
        return opened

    def lock(self, e: Entry, lots: Json, found: list[tuple[Lot, State, Entry | None]]) -> None:
        """Rules 5 to 7: what is offered is locked."""
        must(all(s.amount == amount_of(x) for (_, s, _), x in zip(found, lots, strict=False)), "quantity")
        must(len({lot.name for lot, _, _ in found}) == len(found), "locked")
        o, c = self.record.offers[e], e.frame["content"] if e.effect == "custody.destroy" else {}
        must(not c or not e.pack.methods or c["method"] in e.pack.methods, "method")
        must(all(self.identified(e, x, [lot for lot, _, _ in found]) for x in c.get("identity", ())), "identity")
        o.rows = {lot.name: i for i, (lot, _, _) in enumerate(found[: len(lots)])}
        for lot, s, _ in found:
            state = s if lot.states[-1] is s or s.accepted else self.push(lot, e, s)
            for other in (x for entries in state.offers.values() for x in entries if not e.has(x)):
                o.rivals.append(other)
                self.record.offers[other].rivals.append(e)
            state.offers.setdefault(e.party, []).append(e)


class Custody(Postings):
    """Who holds what, by the postings of the record."""

    # postings: a rule that is not met is raised with its reason, before anything has changed

    def post(self, e: Entry, first: Entry | None) -> None:
        c, (register, _, what) = e.frame["content"], e.effect.partition(".")
        try:
            if e.frame["format"] == "accept" and first and c["extent"] == "part":
                self.take_rest(e, self.record.offers[first], c)
            elif e.frame["format"] == "correct" and first and first.effect.startswith("custody."):
                self.correct(e, first, c["content"])
            elif register == "custody":
                self.apply(e, what, c)
        except Malformed as bad:
            names, rows = {*lots_named(what, c)}, selected(what, c)
            names |= {f"{x['table']}/{x['rows'][0][0]}" for x in rows}
            one = len(names) == 1 and all(x["count"] == 1 for x in rows)
            self.note(e, f"posting/{bad.args[0]}", names.pop() if one else "")

    def apply(self, e: Entry, what: str, c: Json) -> None:
        """Rule 1, then what the effect says."""
        found = [self.check_lot(lot, e, what, c, i) for i, lot in enumerate(self.each_lot(what, c))]
        self.check_boxes(e, what, found)
        rows, held = c[ROWS[what]] if what in ROWS else [], f"held/{e.party}"
        groups = c["groups"] if what in ("table", "found-table", "inventory") else []
        self.check_rows(e, rows or groups)
        must(what != "merge" or c["kind"] in e.pack.items, "kind")
        must(what not in ("merge", "move", "offer", "destroy") or c["place"] in e.pack.places, "place")
        whole = all(s.kind is not None and not s.amount[3] for _, s, _ in found)
        must(what not in ("split", "merge", "repack") or whole, "sealed")
        match what:
            case "declare" | "found":
                opened = self.open_rows(e, held if what == "declare" else "found", rows, 0)
                self.declared |= {e: opened} if what == "declare" else {}
            case "table" | "found-table":
                self.open_table(e, held if what == "table" else "found", c, groups)
            case "split":
                self.split(e, rows, *found[0][:2])
            case "merge" | "repack":
                self.join(e, what, c, rows, found)
            case "move":
                nested = {x for lot, _, _ in found for x in self.below(lot.name, e)} - {lot.name for lot, _, _ in found}
                for lot, s, _ in [*found, *((x, *self.situation(x, e)) for x in map(self.find, sorted(nested)) if x)]:
                    self.push(lot, e, s, place=c["place"])
            case "pack" | "unpack":
                self.pack(e, what, *found)
            case "offer" | "destroy" | "resolve":
                self.lock(e, c["lots"], found)
                for i, x in enumerate(rows):
                    self.open(e, i, held, x, born=self.record.offers[e])
            case "loss" | "consume":
                for lot, s, lock in found:
                    if s.account.startswith("transit/"):
                        self.note(e, "loss-in-transit", lot.name, lot.rows)
                    else:  # under an open destruction the offer stays: when it has effect, the lot is destroyed
                        account = f"{'lost' if what == 'loss' else 'consumed'}/{e.party}"
                        self.push(lot, e, s, account=account, offers=s.offers if lock else {})
            case "inventory":
                self.count(e, groups, c.get("places"))
            case "contest":
                for t in (x for x in map(self.record.at, e.frame["refers-to"]) if x.status == "admissible"):
                    inner, content = t.effect.removeprefix("custody."), t.frame["content"]
                    opened_there = content["lots"] if inner in ("declare", "found") else []
                    own = {f"{t.name}/{i}" for i in range(len(opened_there))}
                    for name in {*lots_named(inner, content), *own}:
                        self.note(e, "contested", name)
                    ranges = [(x["table"], a, b) for x in selected(inner, content) for a, b in x["rows"]]
                    ranges += [(t.name, 0, content["table"]["rows"] - 1)] if inner in ("table", "found-table") else []
                    for place, a, b in ranges:
                        self.note(e, "contested", f"{place}/{a}", b - a + 1)

    def take_rest(self, e: Entry, o: Offer, answer: Json) -> None:
        """Rule 5: what was offered and not received is in dispute, from when the offer has effect."""
        for i, (name, y) in enumerate(zip(o.rows or (), answer["received"], strict=False)):
            lot: Any = self.find(name)
            whole, part = amount_of(o.entry.frame["content"]["lots"][i])[0], amount_of(y)[0]
            if whole != part:
                s, _ = self.situation(lot, e)
                quantity = {"unit": s.amount[1], "amount": None if whole is None else whole - (part or 0), "basis": ""}
                row = {"kind": s.kind, "place": s.place, "quantity": quantity}  # what did not come stayed
                self.open(e, i, f"disputed/{o.entry.party}/{e.party}", row, self.pool(lot), o)
        for x in answer.get("tables", ()) if o.rows is not None else ():
            for first, last in x["rows"]:
                [*self.over(x["table"], first, last)]

    def correct(self, e: Entry, first: Entry, c: Json) -> None:
        """Rule 9."""
        if first.effect.removeprefix("custody.") in STATEMENTS:
            return
        if first not in self.declared:  # another effect, or a declaration that was not posted
            self.note(e, "late-correction")
            return
        current, rows, held = self.declared[first], c["lots"], f"held/{e.party}"
        self.check_rows(e, rows)
        more = self.open_rows(e, held, rows[len(current) :], len(current))
        for i, (lot, old) in enumerate(current):
            new = rows[i] if i < len(rows) else None
            s, lock = self.situation(lot, e)
            as_declared = s.account == held and not s.ended and not lock and replace(s, **facts(old)) == s
            as_declared = as_declared and not self.box_of(s, e) and not self.contents(lot.name, e)
            if new and encode(new) != encode(old) and as_declared:
                self.push(lot, e, s, **facts(new))
                self.pool(lot).total, current[i] = new["quantity"].get("amount"), (lot, new)
            elif not new or encode(new) != encode(old):
                self.note(e, "late-correction", lot.name)
        current += more


class Balances(Custody):
    """What the postings of the whole record come to."""

    def document(self) -> Json:
        """The balances document."""
        accounts: dict[tuple[str, str], Json] = {}
        order = sorted(self.every(), key=lambda x: (x.entry.party, x.entry.number, x.row))
        shown = [(x, self.situation(x, WHOLE)[0]) for x in order if self.exists(x, WHOLE)]
        live = [(x, s) for x, s in shown if not s.ended]
        for pool, amount in ((x.pool, s.amount[0]) for x, s in live if x.pool):
            pool.stated += amount or 0
            pool.unstated += amount is None
        lots: list[Json] = []
        after = ""
        for x, s in live:
            row = self.row(x, s)
            what = {"account": s.account, "unit": s.amount[1]}
            account = accounts.setdefault((s.account, s.amount[1]), {**what, "derived": 0, "stated": 0, "unstated": 0})
            if row["basis"] == "range":
                sums = account.setdefault("range", {"from": 0, "lots": 0, "to": 0})
                sums.update({k: sums[k] + x.rows * row.get(k, 1) for k in sums})
            else:
                name = "unstated" if row["basis"] == "not-stated" else row["basis"]
                each = 1 if row["amount"] is None else row["amount"]
                account[name] = account.get(name, 0) + x.rows * each
            if after == x.name and {**lots[-1], "lot": 0, "rows": 0} == {**row, "lot": 0, "rows": 0}:
                lots[-1]["rows"] = lots[-1].get("rows", 1) + x.rows
            else:
                lots.append(row | ({"rows": x.rows} if x.rows > 1 else {}))
            after = f"{x.entry.name}/{x.row + x.rows}" if x.entry.name in self.tables else ""
        for sums in (y for x in accounts.values() for y in (x, x.get("range", {}))):  # what JSON cannot say is null
            sums.update({k: None for k in ("stated", "derived", "from", "to") if sums.get(k, 0) > MAX_INTEGER})
        found = [
            {
                "code": code,
                "entry": f"{p}/{n}",
                "lot": "/".join(map(str, x)) or None,
                **({"rows": k} if k > 1 else more),
            }
            for p, n, code, x, k, more in sorted(self.discrepancies(live), key=lambda d: (*d[:4], [*d[5].values()]))
        ]
        rows = [accounts[k] for k in sorted(accounts)]
        return {"accounts": rows, "discrepancies": found, "lots": lots, "servanda-balances": 1}

    def row(self, x: Lot, s: State) -> Json:
        """A lot, or each of its rows, as the document has it."""
        (amount, unit, ends, sealed), rest = s.amount, x.pool.rest() if x.pool and x.pool.unstated == 1 else None
        basis = "stated" if amount is not None else "range" if ends else "sealed" if sealed else "not-stated"
        if amount is None and rest is not None and rest >= 0:
            amount, basis = rest, "derived"
        row = {"account": s.account, "amount": amount, "basis": basis, "kind": s.kind, "lot": x.name, "place": s.place}
        return row | {"unit": unit} | ({"from": ends[0], "to": ends[1]} if ends and basis == "range" else {})

    def discrepancies(
        self, live: list[tuple[Lot, State]]
    ) -> Iterator[tuple[str, int, str, tuple[Any, ...], int, Json]]:
        """Those that are open: party, number, code, lot, and how many rows from it on."""
        for lot, s in ((x, s) for x, s in live if s.account.startswith("disputed/")):
            self.note(s.accepted or lot.entry, "short", lot.name, lot.rows if s.accepted else 0)
        for o in (o for o in self.record.offers.values() if o.rows is not None and not self.record.has_effect(o)):
            if not self.record.refused(o, WHOLE) and not self.record.lapsed(o, WHOLE):
                self.note(o.entry, "not-settled" if self.record.accepted(o, WHOLE) else "unanswered")
        for pool in (x.pool for x, _ in live if x.pool and (x.pool.rest() or 0) < 0):
            party, number, _ = pool.opener.split("/")
            self.raised.add((party, int(number), "pool-exceeded", pool.opener, 0))
        for e, (_, codes) in self.counts.items():
            later = [x for y, (x, _) in self.counts.items() if y.party == e.party and y.number > e.number]
            for code, kind, place in codes:
                if not (any(x is None or place in x for x in later) if place else later):
                    yield e.party, e.number, code, (), 1, {"kind": kind, "place": place} if place else {}
        ranges: dict[tuple[str, int, str, str], list[tuple[int, int]]] = {}
        for p, n, code, name, rows in self.raised:
            table, _, row = name.rpartition("/")
            if table in self.tables:
                ranges.setdefault((p, n, code, table), []).append((int(row), int(row) + (rows or 1)))
            elif code != "contested" or (not rows and self.exists(self.lots.get(name), WHOLE)):
                yield p, n, code, parts_of(name), 1, {}
        for (p, n, code, table), found in ranges.items():
            if code == "contested":  # of what is there
                own = [(x.row, x.row + x.rows) for x in self.tables[table]]
                found = [(max(a, c), min(b, d)) for a, b in found for c, d in own if a < d and c < b]
            for a, b in merged(found):
                yield p, n, code, (*parts_of(table), a), b - a, {}


def parts_of(name: str) -> tuple[Any, ...]:
    return tuple(int(x) if x.isdigit() else x for x in name.split("/")) if name else ()


def merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same rows, ascending, in ranges that do not touch."""
    found: list[tuple[int, int]] = []
    for a, b in sorted(ranges):
        if found and a <= found[-1][1]:
            found[-1] = (found[-1][0], max(b, found[-1][1]))
        else:
            found.append((a, b))
    return found


# ------------------------------------------------------------------------------------------- draws (inspections, draw)


@dataclass(eq=False)
class Plan:
    """What is to be inspected, and who has committed and revealed."""

    entry: Entry
    mandate: Entry
    sides: dict[str, str]
    size: int
    terms: Json  # None where everything is looked at
    commits: dict[str, Entry] = field(default_factory=dict)
    reveals: dict[str, tuple[Entry, str]] = field(default_factory=dict)
    spent: dict[str, Entry] = field(default_factory=dict)
    report: Entry | None = None

    def done(self, v: Entry, side: str = "") -> bool:
        """Whether all, or those of a side, have revealed in a view."""
        ours = [p for p, x in self.sides.items() if side in ("", x)]
        return all(p in self.reveals and v.has(self.reveals[p][0]) for p in ours)

    def committed(self, v: Entry, side: str = "") -> bool:
        ours = [p for p, x in self.sides.items() if side in ("", x)]
        return all(p in self.commits and v.has(self.commits[p]) for p in ours)


def time_of(e: Entry) -> datetime:
    return read_time(e.frame["exercise-at"] or e.frame["released-at"]).replace(microsecond=0)


def in_form(rows: Json) -> bool:
    return all(a <= b for a, b in rows) and all(b + 1 < a for (_, b), (a, _) in pairwise(rows))


def labelled(label: str, value: Json) -> str:
    return digest(f"servanda/draw-{label}/v1\n".encode() + encode(value)).hex()


def positions(seed: bytes, size: int, count: int) -> list[int]:
    """The positions drawn (draw, Selection)."""
    drawn: list[int] = []
    moved: dict[int, int] = {}
    word = 0
    for s in range(count):
        bits, r = (size - s - 1).bit_length(), size if size - s > 1 else 0
        while r >= size - s:
            r = int.from_bytes(digest(word.to_bytes(8, "big") + seed + word.to_bytes(8, "big")), "big") >> 256 - bits
            word += 1
        drawn.append(moved.get(s + r, s + r))
        moved[s + r] = moved.get(s, s)
    return drawn


class Draws:
    """Inspections, as far as a draw rests on them (inspections, Postings 1 to 5 and 10)."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.mandates: dict[Entry | None, dict[str, str]] = {}
        self.plans: dict[Entry | None, Plan] = {}
        self.commits: dict[Entry | None, Plan] = {}

    def post(self, e: Entry, first: Entry | None) -> None:
        name = e.effect.removeprefix("inspection.") if e.effect else e.frame["format"]
        rule = {"mandate": self.mandate, "plan": self.plan, "commit": self.commit, "report": self.report}.get(name)
        try:
            if rule and e.effect.startswith("inspection."):
                rule(e, e.frame["content"], first)
            elif name == "reveal" and first in self.commits:
                self.reveal(e, e.frame["content"], first, self.commits[first])
        except Malformed:
            pass  # a discrepancy there, and without effect: this program does not list them

    def at(self, name: str, v: Entry) -> Json:
        """The content of an admissible entry in a view, else nothing."""
        party, number = name.split("/")[:2]
        journal: Any = self.record.journals.get(party)
        e = journal.entries[int(number) - 1] if journal and int(number) <= journal.size else None
        return e.frame["content"] if e and v.has(e) and e.status == "admissible" else None

    def mandate(self, e: Entry, c: Json, first: Any) -> None:
        sides = {c["inspector"]: "inspector", c["inspected"]: "inspected"} | {
            x["party"]: x["side"] for x in c["beside"]
        }
        must(len(sides) == 2 + len(c["beside"]) and {*sides} == {e.party, *e.frame["named"]}, "party")
        must(c["from"] <= c["until"] and {*c["places"]} <= {*e.pack.places} and {*c["kinds"]} <= {*e.pack.items}, "")
        self.mandates[e] = sides

    def plan(self, e: Entry, c: Json, first: Any) -> None:
        must(first in self.mandates and self.record.has_effect(self.record.offers[first], e), "no-mandate")
        m, listed, sides = first.frame["content"], c["population"], self.mandates[first]
        must(e.party == m["inspector"] and e.frame["status"] == first.frame["status"], "not-inspector, status")
        must(m["from"] <= c["begins"] <= c["ends"] <= m["until"], "period")
        names = [*listed["lots"], *listed["places"], *(x["table"] for x in listed["tables"])]
        must(names and len({*names}) == len(names), "population")
        for x in listed["tables"]:
            rows, table = x["rows"], (self.at(x["table"], e) or {}).get("table")
            must(in_form(rows) and sum(b - a + 1 for a, b in rows) == x["count"], "population")
            table = table if isinstance(table, dict) and type(table.get("rows")) is int else {"rows": 0}
            must(table.get("root") == x["root"] and rows[-1][1] < table["rows"], "unknown-table")
            must(x["table"] in (m["tables"] or [x["table"]]), "outside-mandate")
            named = [int(row) for name, _, row in (lot.rpartition("/") for lot in listed["lots"]) if name == x["table"]]
            must(not any(a <= row <= b for row in named for a, b in rows), "population")
        must(all(x in e.pack.places and x in (m["places"] or [x]) for x in listed["places"]), "place")
        must(all(self.at(x, e) is not None for x in listed["lots"]), "unknown-item")
        size = len(listed["lots"] + listed["places"]) + sum(x["count"] for x in listed["tables"])
        self.check_size(e, c, size, m["limits"]["draw-minutes"])
        for p in (p for p in self.plans.values() if p.mandate is first and e.has(p.entry) and self.overlap(p, listed)):
            must(p.report and e.has(p.report), "redraw")
            ours = p.committed(e, "inspector") and (not p.committed(e) or p.done(e, "inspector"))
            must(not p.terms or ours, "redraw")
        stratum = {"lots": listed["lots"], "places": listed["places"], "population": listed["tables"]}
        strata = [{**stratum, "sample": c["sample"], "stratum": "items"}]
        terms = {"algorithm": c["algorithm"], "parties": sorted(sides), "plan": e.name, "strata": strata}
        self.plans[e] = Plan(e, first, sides, size, None if c["algorithm"] == "all" else terms)

    def check_size(self, e: Entry, c: Json, size: int, minutes: int) -> None:
        (part, of), n, d, goal = map(int, c["miss"].split("/")), c["sample"], c["defects"], c.get("goal")
        must(part < of and 1 <= d <= size and 1 <= n <= size, "miss, sample-size")
        must(not goal or (goal["each"] and d == -(-goal["amount"] // goal["each"])), "goal")
        times = [c[x] for x in ("commit-by", "reveal-by") if x in c]
        if c["algorithm"] == "all":
            must(n == size and not times, "sample-size")
            return
        must(c["algorithm"] == "servanda-draw-1" and n <= 20_000 and len(times) == 2, "algorithm, sample-size")
        few, other = sorted((n, d))
        must(of * perm(size - other, few) <= part * perm(size, few), "sample-size")
        steps = pairwise([time_of(e), *map(read_time, times)])
        must(all((b - a).total_seconds() >= 60 * minutes for a, b in steps), "too-short")

    def overlap(self, p: Plan, listed: Json) -> bool:
        """Whether an item is in both lists."""

        def spans(x: Json) -> Iterator[tuple[str, int, int]]:
            yield from ((f"place {name}", 0, 0) for name in x["places"])
            yield from ((name, int(row), int(row)) for name, _, row in (lot.rpartition("/") for lot in x["lots"]))
            yield from ((t["table"], a, b) for t in x["tables"] for a, b in t["rows"])

        rows = sorted([*spans(p.entry.frame["content"]["population"]), *spans(listed)])
        return any(x[0] == y[0] and y[1] <= x[2] for x, y in pairwise(rows))  # each list is apart within itself

    def commit(self, e: Entry, c: Json, first: Any) -> None:
        p, sealed = self.plans.get(first), sealed_digests(e.frame)
        must(p and p.terms and e.party in p.sides and e.party not in p.commits, "no-plan, not-in-draw, committed")
        must(p and e.frame["status"] == first.frame["status"], "status")
        stated = (c["draw"], c["sample"], c["algorithm"])
        told = p and (digest(encode(p.terms)).hex(), first.frame["content"]["sample"], p.terms["algorithm"])
        must(stated == told and len(sealed) == 1 and "secret" not in c, "differs, not-sealed")
        must(p and not any(map(e.has, [*p.spent.values(), *(x for x, _ in p.reveals.values())])), "after-reveal")
        if p:
            p.commits[e.party] = e
            self.commits[e] = p

    def reveal(self, e: Entry, c: Json, first: Any, p: Plan) -> None:
        texts = [x for x in c["disclosures"] if digest_of(x) in sealed_digests(first.frame)]
        if not texts or e.party in p.reveals or e.party in p.spent:
            return
        _, name, secret = decode(from_base64(texts[0], url=True), canonical=False)
        draw = digest(encode(p.terms)).hex()
        bound = labelled("commitment", {"draw": draw, "party": e.party, "secret": secret}) if name == "secret" else ""
        whole = not misfit(SHAPES["hash"], secret, "") and bound == first.frame["content"]["commitment"]
        if not p.committed(e) or not whole:
            p.spent[e.party] = e
        elif e.frame["status"] == p.entry.frame["status"]:
            p.reveals[e.party] = e, secret

    def report(self, e: Entry, c: Json, first: Any) -> None:
        p: Any = self.plans.get(first)
        must(p and e.party == p.mandate.frame["content"]["inspector"] and not p.report, "no-plan, not-inspector")
        must(e.frame["status"] == first.frame["status"], "status")
        must(not p.terms or p.done(e) or read_time(first.frame["content"]["reveal-by"]) < time_of(e), "draw-open")
        p.report = e

    def document(self) -> Json:
        """The draws document."""
        rows = [self.row(self.plans[e]) for e in sorted(filter(None, self.plans), key=lambda x: (x.party, x.number))]
        return {"draws": rows, "servanda-draws": 1}

    def row(self, p: Plan) -> Json:
        draw = digest(encode(p.terms)).hex() if p.terms else None
        seed, drawn, listed = None, None, p.entry.frame["content"]["population"]
        if p.terms and p.reveals.keys() == p.sides.keys():
            secrets = [[party, secret] for party, (_, secret) in sorted(p.reveals.items())]
            seed = labelled("seed", {"draw": draw, "secrets": secrets})
            named, spans = (
                listed["lots"] + listed["places"],
                [(t["table"], *x) for t in listed["tables"] for x in t["rows"]],
            )
            before = [*accumulate((b - a + 1 for _, a, b in spans), initial=len(named))]
            drawn = []
            key = bytes.fromhex(labelled("stratum", {"seed": seed, "stratum": "items"}))
            for i in positions(key, p.size, p.entry.frame["content"]["sample"]):
                k = bisect_right(before, i) - 1
                drawn.append(named[i] if i < len(named) else f"{spans[k][0]}/{spans[k][1] + i - before[k]}")
        who = {"committed": sorted(p.commits), "revealed": sorted(p.reveals), "spent": sorted(p.spent)}
        return {"draw": draw, "drawn": drawn, "plan": p.entry.name, "seed": seed, **who}


# ------------------------------------------------------------------------------------------- obligations (obligations)


class Evidence(NamedTuple):
    entry: Entry
    first: date | None
    last: date | None
    done: int = 1
    of: int = 1
    full: bool = True

    def order(self) -> tuple[date, date, str, int]:
        """By last day, first day, party, number; unknown counts as latest."""
        return self.last or date.max, self.first or date.max, self.entry.party, self.entry.number


def moved(day: date, days: int, time: Json) -> date | None:
    """A date so many days after another, or before it; working days leave out Saturdays, Sundays and holidays."""
    free, step = {read_date(x) for x in time["holidays"]}, timedelta(days=1 if days > 0 else -1)
    try:
        if time["days"] == "calendar":
            return day + timedelta(days=days)
        for _ in range(abs(days)):
            day += step
            while day.weekday() > 4 or day in free:
                day += step
    except OverflowError:
        return None
    return day


class Obligations:
    """What is due, and what the record shows, at a date."""

    def __init__(self, record: Record, at: date) -> None:
        self.record, self.at, self.pack = record, at, record.in_force(WHOLE)
        self.evidence: dict[str, list[Evidence]] = {}
        self.by_format: dict[str, list[Entry]] = {}
        self.suspensions: dict[tuple[str, str], str] = {}  # (obligation, party): its latest notice
        self.earliest: dict[str, tuple[list[int], list[int]]] = {}  # journal: sizes, first time of a receipt on as much
        self.agreed: dict[tuple[str, str], Json] = {}  # (effect, obligation): content of the last offer with effect
        for party in record.journals:
            rows = sorted((r[0], r[2]) for (of, _), found in record.cited.items() if of == party for r in found)
            times = [*accumulate((stamp for _, stamp in reversed(rows)), min)]
            self.earliest[party] = [size for size, _ in rows], times[::-1]
        for e in (e for _, rows in sorted(record.admitted.items()) for e in rows):
            c, (first, last, exists) = e.frame["content"], self.interval(e)
            self.by_format.setdefault(e.frame["format"], []).append(e)
            if e.effect == "obligations.suspend":
                self.suspensions |= {(name, e.party): c["state"] for name in c["obligations"]}
            elif e.effect.startswith("obligations.") and record.has_effect(record.offers[e]):
                self.agreed[e.effect, c["obligation"]] = c
            for p in record.corrections.get(e, c).get("performs", ()) if e.format["performs"] and exists else ():
                extent = (1, 1, True) if p["extent"] == "full" else (p["done"], p["of"], False)
                self.evidence.setdefault(p["obligation"], []).append(Evidence(e, first, last, *extent))

    def interval(self, e: Entry) -> Span:
        """The days of an entry (obligations, Evidence)."""
        if self.pack is None or self.pack.time["basis"] == "event":
            return read_span(e.frame["event-at"])
        sizes, times = self.earliest[e.party]
        i = bisect_left(sizes, e.number)
        known = i < len(sizes) and times[i] < 253_402_300_800  # the year 10000
        last = datetime.fromtimestamp(times[i], UTC).date() if known else None
        return read_time(e.frame["released-at"]).date(), last, True

    def rule_day(self, due: Json, trigger: Evidence | None, pack: Pack) -> date | None:
        """The due date by the rule alone."""
        if "date" in due or "first" in due:
            return read_date(due.get("date") or due["first"])
        if due["rule"] in ("days-after", "before"):
            event = pack.events.get(due["event"], {})
            spans = [read_span(e.frame["event-at"]) for e in self.by_format.get(event.get("format", ""), ())]
            day = min((last for _, last, exists in spans if last and exists), default=None)
            day = read_date(event["date"]) if "date" in event else day
            return day and moved(day, due["days"] if due["rule"] == "days-after" else -due["days"], pack.time)
        calendar = {"days": "calendar", "holidays": ()}
        return moved(trigger.last, min(due["hours"] // 24, 10**6), calendar) if trigger and trigger.last else None

    def row(self, name: str, o: Json, pack: Pack) -> Json:
        """One obligation, judged (obligations, Judgement at a date T, and the document)."""
        due, rule, trigger = o["due"], o["due"]["rule"], None
        shown = [x for x in self.evidence.get(name, ()) if x.entry.party in (o["judged-by"] or [x.entry.party])]
        shown.sort(key=Evidence.order)
        if rule == "triggered":  # by the last trigger whose last day is known; only what refers to it counts
            spans = [(e, *self.interval(e)) for e in self.by_format.get(due["trigger"], ())]
            trigger = max((Evidence(*s[:3]) for s in spans if s[2] and s[3]), key=Evidence.order, default=None)
            mark = trigger.entry if trigger else None
            shown = [x for x in shown if any(self.record.at(r) is mark for r in x.entry.frame["refers-to"])]
        part, of = (due["part"], due["of"]) if rule == "share" else (1, 1)
        complete = [x for x in shown if x.full or x.done * of >= part * x.of]
        extension, own = self.agreed.get(("obligations.extend", name)), self.rule_day(due, trigger, pack)
        day = read_date(extension["due"]) if extension else own
        best = next(iter(shown if rule == "recurring" else complete), None)
        low, high = [(x - day).days if x and day else None for x in best[1:3]] if best else [None, None]
        reached = [x for x in shown if day and (x.last or date.max) >= day] or shown[-1:] if day else []
        outcome = "partly-met" if shown else "none"
        if best in complete:
            outcome = "met-late" if best and best.first and day and best.first > day else "met"
        ended = best and best.last and str(best.last)
        met_on = best.entry.frame["event-at"] if best and pack.time["basis"] == "event" else ended
        return {
            "id": name, "status": self.status(name, o, day, shown, complete, trigger), "outcome": outcome,
            "due": day and str(day), "first-due": own and str(own), "met-on": met_on,
            "days-late": low if low == high else None, "days-late-min": low, "days-late-max": high,
            "extent": [reached[0].done, reached[0].of] if reached else None,
            "extent-latest": [shown[-1].done, shown[-1].of] if shown else None,
            "superseded-by": self.agreed.get(("obligations.supersede", name), {}).get("by"),
            "evidence": [x.entry.name for x in shown],
        }  # fmt: skip

    def status(self, name: str, o: Json, day: date | None, shown: Any, complete: list[Evidence], trigger: Any) -> str:
        """The table of obligations, Judgement at a date T."""
        rule = o["due"]["rule"]
        if ("obligations.supersede", name) in self.agreed:
            return "superseded"
        if any(self.suspensions.get((name, party)) == "suspended" for party in o["obligors"]):
            return "suspended"
        if rule in ("recurring", "continuous", "unstated"):
            unstated = "met" if complete else "not-stated"
            return {"recurring": "recurring", "continuous": "continuing", "unstated": unstated}[rule]
        if day is None or (rule == "triggered" and not trigger):
            return "not-triggered" if rule == "triggered" and not trigger else "pending"
        if complete:
            first, last = complete[0][1:3]
            return "met" if last and last <= day else "missed" if first and first > day else "disputed"
        if self.at <= day:
            return "extended" if ("obligations.extend", name) in self.agreed else "due"
        return "partly-met" if shown else str(o["absence"])

    def document(self) -> Json:
        duties = sorted(self.pack.obligations.items()) if self.pack else []
        rows = [self.row(name, o, self.pack) for name, o in duties if self.pack]
        return {"at": str(self.at), "obligations": rows, "servanda-obligations": 1}


# ----------------------------------------------------------------------------------------- forks (journal, settlement)


def forked_party(raw: bytes, journals: dict[str, Journal]) -> str:
    """Whose fork a proof proves; Malformed if it proves none (journal, Proof of a fork)."""
    value = fitting("fork", decode(raw))
    first, second = (read_note(value[name].encode()) for name in ("first", "second"))
    journal: Any = next((j for j in journals.values() if j.origin == first.origin), None)
    must(journal and first.origin == second.origin, "its notes are not of one journal that is here")
    for note in (first, second):
        keys = [(name, raw, 1, journal.centre_keys.get(raw[:4])) for name, raw in note.lines if name == note.origin]
        must(any(x[3] and note.line_holds(*x) for x in keys), f"no signature of a centre holds at {note.size}")
    path = [bytes.fromhex(x) for x in value["consistency"]]
    proven = first.size == second.size and first.root != second.root and not path
    if 0 < first.size < second.size and path:
        older, newer = roots_of_path(first.size, second.size, path)
        proven = newer == second.root and older != first.root
    must(proven, "it proves no fork")
    return str(journal.party)


def upheld(record: Record, party: str) -> int:
    """Up to which number the entries of a forked journal have effect (settlement, Forks)."""
    pack = record.in_force(WHOLE) or record.packs[record.agreement]
    sizes = Counter({by: rows[-1][0] for (journal, by), rows in record.cited.items() if journal == party})
    for other, n in record.done.items():
        if other != party and n:
            sizes[other] = max(sizes[other], record.journals[other].entries[n - 1].heads.get(party, 0))
    quorum = max(1, len(pack.parties) - 2 if pack.quorum == MAX_INTEGER else pack.quorum)
    order = sorted(sizes.values(), reverse=True)
    return order[quorum - 1] if quorum <= len(order) else 0


# ------------------------------------------------------------------------------------------------ the dossier (bundle)

PLACES = {"pack": r"packs/([0-9a-f]{64})\.json", "proof": r"proofs/[a-z0-9.-]+\.json", "opening": r"openings/ID\.jsonl"}
PLACES |= {"entries": r"journals/(ID)/entries\.jsonl", "checkpoint": r"journals/ID/checkpoint\.txt"}
PLACES |= {"receipts": r"journals/(ID)/receipts/(ID)\.txt", "rows": r"rows/ID\.jsonl"}


class Dossier:
    """One bundle, verified from outside in. `problems` is empty if all of it holds, else in the order found."""

    def __init__(self, raw: bytes, pins: dict[str, str], expect: dict[str, int], allow_unpinned: bool) -> None:
        self.problems: list[Problem] = []
        self.unchecked: list[str] = []
        self.counts: Counter[str] = Counter()
        self.packs: dict[str, Pack] = {}
        self.journals: dict[str, Journal] = {}
        self.forks: dict[str, int] = {}
        self.registers: dict[str, Json] = {}
        self.record: Record | None = None
        self.files: dict[str, Member] = {}
        self.manifest: Json = {}
        with self.judging("archive"):
            self.files = {m.name: m for m in read_archive(raw)}
            if self.read_manifest(self.files["manifest.json"]):
                self.read_contents()
                for party, journal in self.journals.items():
                    self.check_journal(party, journal, pins, allow_unpinned)
                self.check_outside(pins, expect)
                if self.manifest["agreement"] in self.packs:
                    self.check_record(Record(self.manifest["agreement"], self.packs, self.journals, {}))

    def wrong(self, where: str, what: str, entry: str | None = None, offset: int | None = None) -> None:
        at = None if offset is None else self.files[where].at + offset
        self.problems.append(Problem(where, what, entry, offset, at))

    @contextmanager
    def judging(self, where: str, entry: str | None = None, offset: int | None = None) -> Iterator[None]:
        try:
            yield
        except Malformed as bad:
            self.wrong(where, bad.args[0], entry, offset)

    def read_manifest(self, m: Member) -> bool:
        with self.judging(m.name, None, next(m.mendings(), (None, 0))[0]):
            must(zlib.crc32(m.data) == m.crc, "it does not match its checksum")
            payload, self.signed, self.signatures = read_envelope(m.data, MANIFEST_TYPE)
            value = fitting("manifest", decode(payload))
            must(ascending([x["path"] for x in value["files"]]), "its files are not in order")
            must(ascending([x["party"] for x in value["journals"]]), "its journals are not in order")
            must((value["purpose"] == "courier") == (not value["registers"]), "registers, or none, against its purpose")
            read_time(value["as-of"])
            self.manifest, self.stated = value, {x["party"]: (x["size"], x["root"]) for x in value["journals"]}
        return bool(self.manifest)

    def places(self, kind: str) -> Iterator[tuple[str, Member, tuple[Any, ...]]]:
        """The files of a kind, with what their names say."""
        for name, m in self.files.items():
            if found := re.fullmatch(PLACES[kind].replace("ID", WORDS["id"]), name):
                yield name, m, found.groups()

    def read_contents(self) -> None:
        """Every file: listed, of a known name, with the digest listed; then packs and journals are read."""
        listed, agreement = {x["path"]: x for x in self.manifest["files"]}, self.manifest["agreement"]
        known = {name for kind in PLACES for name, _, _ in self.places(kind)}
        for name in sorted({*self.files, *listed} - {"manifest.json"}):
            if name not in self.files or name not in listed:
                self.wrong(name, "listed in the manifest, but not here" if name in listed else "here, but not listed")
            elif name not in known:
                self.wrong(name, "a file that a bundle does not have")
        for _, m, (party,) in self.places("entries"):
            self.journals[party] = Journal(agreement, party, m.data)
        for name in (name for name in self.files if name in listed):
            self.check_digest(self.files[name], listed[name])
        for name, m, (stated,) in self.places("pack"):
            with self.judging(name):
                must(digest(m.data).hex() == stated, "a pack is named by its digest, this one is not")
                self.packs[stated] = Pack(stated, decode(m.data))
        if agreement not in self.packs:
            self.wrong(f"packs/{agreement}.json", "the first pack is not here, or cannot be read")

    def check_digest(self, m: Member, listed: Json) -> None:
        self.counts["files"] += 1
        party = next((x for x in self.journals if m.name == f"journals/{x}/entries.jsonl"), None)
        what = "it does not have the digest that the manifest gives"
        if (digest(m.data).hex(), len(m.data)) == (listed["sha256"], listed["size"]):
            with self.judging(m.name):
                return must(zlib.crc32(m.data) == m.crc, "it does not match its checksum")
        for place, bits in m.mendings():
            mended = bytearray(m.data)
            mended[place] ^= bits
            if digest(bytes(mended)).hex() == listed["sha256"]:
                entry = f"{party}/{m.data.count(10, 0, place) + 1}" if party else None
                return self.wrong(m.name, f"{what}: this byte was {mended[place]:#04x}", entry, place)
        return self.blame(party, what) if party else self.wrong(m.name, what)

    def blame(self, party: str, what: str, claimed: int = 0) -> None:
        """A journal is not what someone signed: names the entry that was changed, as far as the rest of it tells."""
        journal, claimed = self.journals[party], claimed or self.stated.get(party, (0, ""))[0]
        others = (e.frame for other in self.journals.values() if other is not journal for e in other.entries if e.frame)
        heads = [(h["size"], h["root"]) for f in others for h in f["heads"] if h["party"] == party]
        seen = [(n, journal.tree.root(n).hex() == root) for n, root in heads if n <= journal.size]
        proven = max((n for n, holds in seen if holds), default=0)
        denied = min((n for n, holds in seen if not holds), default=journal.size)
        number, offset, why = proven + 1, None, f"somewhere in the entries {proven + 1} to {max(proven + 1, denied)}"
        if bad := next((e for e in journal.entries[proven:] if e.early), None):
            number, offset, why = bad.number, bad.start, " ".join(bad.early or ())
        elif claimed > journal.size:
            number, why = journal.size + 1, f"the entries from {journal.size + 1} to {claimed} are missing"
        self.wrong(f"journals/{party}/entries.jsonl", f"{what}: {why}", f"{party}/{number}", offset)

    def check_outside(self, pins: dict[str, str], expect: dict[str, int]) -> None:
        """The manifest's signature, and which journals there are."""
        exporter = self.journals.get(self.manifest["exporter"])
        identity = exporter.identity_at(exporter.size) if exporter else None
        key = identity.centre[0] if identity else b""
        if [*self.signatures] != [key_id(key)] or not verifies(key, self.signatures[key_id(key)], self.signed):
            self.wrong("manifest.json", f"not signed by the centre of {self.manifest['exporter']}, the exporter, alone")
        for party in self.stated.keys() - self.journals.keys():
            self.wrong("manifest.json", f"it lists the journal of {party}, which is not here")
        absent = sorted(pins.keys() - self.journals.keys())
        self.unchecked += [f"the journal of {party} is not in this bundle" for party in absent]
        for party, least in expect.items():
            size, where = self.journals[party].size if party in self.journals else 0, f"journals/{party}/entries.jsonl"
            if size < least:
                self.wrong(where, f"{size} entries, at least {least} expected", f"{party}/{size + 1}")

    def check_journal(self, party: str, journal: Journal, pins: dict[str, str], allow_unpinned: bool) -> None:
        where, size, root = f"journals/{party}/entries.jsonl", journal.size, journal.tree.root(journal.size)
        own = journal.entries[0].leaf if size else ""
        if not journal.whole:
            self.wrong(where, "no entries, or the last line is not ended", f"{party}/{size + 1}")
        if pins.get(party, own) != own:
            self.wrong(where, f"its fingerprint is {own}, not the one given", f"{party}/1", 0)
        if party not in pins:
            self.unchecked.append(f"the journal of {party}: no fingerprint given, so who speaks there is not known")
            if not allow_unpinned:
                self.wrong(where, f"no fingerprint was given for it; it would be {own}", f"{party}/1")
        if self.stated.get(party) != (size, root.hex()):
            self.blame(party, "not the size and root that the manifest gives")
        where = f"journals/{party}/checkpoint.txt"
        with self.judging(where, f"{party}/{size}"):
            must(where in self.files, "it is missing")
            note, identity = read_note(self.files[where].data), journal.identity_at(size)
            must(note.origin == journal.origin, f"its origin is {note.origin!a}")
            if (note.size, note.root) != (size, root):
                self.blame(party, f"the entries are not those of the checkpoint (size {note.size})", note.size)
                return
            pairs = [*zip((1, 6), identity.centre, strict=True)] if identity else []
            keys = {note_key(note.origin, kind, public): (kind, public) for kind, public in pairs}
            known = [(name, raw, *keys[raw[:4]]) for name, raw in note.lines if name == note.origin and raw[:4] in keys]
            found = {x[2]: note.line_holds(*x) for x in known}
            must(all(note.line_holds(*x) is not False for x in known), "a signature of the centre does not verify")
            must(found.get(1), "no Ed25519 signature of the centre")
            self.counts["checkpoint signatures"] += sum(map(bool, found.values()))
            if len(known) < len(note.lines) or not found.get(6):
                self.unchecked.append(f"{where}: no ML-DSA-44 signature verified, or a line not by the centre's keys")

    def check_record(self, record: Record) -> None:
        for name, m, _ in self.places("proof"):
            with self.judging(name):
                party = forked_party(m.data, self.journals)
                self.forks.setdefault(party, upheld(record, party))
                self.counts["proofs of forks"] += 1
        cuts = {party: k for party, k in self.forks.items() if party not in record.branches}
        self.record = record = Record(record.agreement, self.packs, self.journals, cuts) if cuts else record
        for e, (party, size) in record.conflicts.items():
            if party not in self.forks:
                what = f"it saw another root of {party} at {size} than the journal here has: one of the two is false"
                self.wrong(f"journals/{e.party}/entries.jsonl", what, e.name, e.start)
        for name, m, (party, by) in self.places("receipts"):
            with self.judging(name):
                self.check_receipts(name, party, by, m.data)
        for name, m, _ in self.places("opening"):
            self.check_openings(name, m.data)
        for name, m, _ in self.places("rows"):
            check_row_openings(self, name, m.data)
        at = read_time(self.manifest["as-of"]).date()
        self.registers = {"custody": record.custody.document(), "obligations": Obligations(record, at).document()}
        self.registers |= {"draws": record.draws.document()} if record.draws.plans else {}
        for name, stated in self.manifest["registers"].items():
            found = digest(encode(self.registers[name])).hex()
            with self.judging("manifest.json"):
                must(found == stated, f"its {name} register is {stated[:12]}…, the record gives {found[:12]}…")
                self.counts["registers recomputed"] += 1
        sealed, opened = 0, self.counts["openings"]
        for e in (e for journal in self.journals.values() for e in journal.entries):
            self.counts[f"entries {e.status}"] += 1
            self.counts["signatures of entries"] += (2 if e.signed == "two" else 1) if e.frame else 0
            sealed += len(sealed_digests(e.frame))
            if e.status == "admissible":
                self.counts["receipts in entries"] += len(e.frame["receipts"])
                opened += len(e.frame["content"]["disclosures"]) if e.frame["format"] == "reveal" else 0
        self.counts["offers"] = len(record.offers)
        self.counts["offers with effect"] = sum(map(record.has_effect, record.offers.values()))
        self.unchecked += [f"{sealed - opened} sealed fields that nothing here opens"] if sealed > opened else []

    def check_receipts(self, where: str, party: str, by: str, data: bytes) -> None:
        journal, receipter, note = self.journals.get(party), self.journals.get(by), read_note(data)
        if journal is None or by == party or note.origin != journal.origin or not 0 < note.size <= journal.size:
            return self.wrong(where, f"not on a journal here, or beyond it: {note.origin[-60:]!a} at {note.size}")
        if journal.tree.root(note.size) != note.root:
            return self.blame(party, f"{by} receipted another root at {note.size}")
        if receipter is None:
            return self.unchecked.append(f"{where}: the journal of {by} is not here")
        answers = [receipter.receipt_holds(name, raw, note, receipter.size) for name, raw in note.lines]
        self.counts["receipts in notes"] += answers.count(True)
        if None in answers:
            self.unchecked.append(f"{where}: a receipt that cannot be checked here (ML-DSA-44)")
        if False in answers:
            self.wrong(where, f"a line that is no receipt of {by}", f"{party}/{note.size}")
        return None

    def check_openings(self, where: str, data: bytes) -> None:
        at = 0
        for line in data.splitlines(keepends=True):
            with self.judging(where, offset=at):
                must(line.endswith(b"\n"), "the last line is not ended")
                value = fitting("opening", decode(line[:-1]))
                r, opened, journal = value["entry"], value["disclosure"], self.journals.get(value["entry"]["party"])
                e: Any = journal.entries[r["number"] - 1] if journal and r["number"] <= journal.size else None
                must(e and e.leaf == r["leaf"], f"{r['party']}/{r['number']} is not here, or another entry")
                if isinstance(opened, str):
                    must(digest_of(opened) in sealed_digests(e.frame), f"no digest in {e.name} answers to it")
                    self.counts["openings"] += 1
                else:
                    self.unchecked.append(f"{where}: an opening of {e.name} that is no disclosure of a field")
            at += len(line)


def check_row_openings(dossier: Dossier, where: str, data: bytes) -> None:
    """Every opened row is one of the table of the admissible entry that it names."""
    at = 0
    for line in data.splitlines(keepends=True):
        with dossier.judging(where, offset=at):
            must(line.endswith(b"\n"), "the last line is not ended")
            value = fitting("row-opening", decode(line[:-1]))
            r, journal = value["entry"], dossier.journals.get(value["entry"]["party"])
            e: Any = journal.entries[r["number"] - 1] if journal and r["number"] <= journal.size else None
            must(e and e.leaf == r["leaf"], f"{r['party']}/{r['number']} is not here, or another entry")
            said: Json = e.frame["content"] if e.status == "admissible" else {}
            table = (said["content"] if said and e.frame["act"] == "correct" else said).get("table")
            must(isinstance(table, dict), f"{e.name} has no table")
            root = root_of_row(value["opening"], table["rows"])
            must(root.hex() == table["root"], f"no row of the table of {e.name}")
            dossier.counts["opened rows"] += 1
        at += len(line)


# ------------------------------------------------------------------------------------------------------------ printing


def flags_of(e: Entry) -> Iterator[str]:
    """What is flagged in an entry's dates, and corrected by nobody (entry, Date expression)."""
    first, last, exists = read_span(e.frame["event-at"])
    weekday = (e.frame["as-stated"] or {}).get("weekday")
    if not exists:
        yield "date-does-not-exist"
    one_day = first and first == last and "/" not in e.frame["event-at"]
    if weekday and first and one_day and SHAPES["weekday"]["enum"][first.weekday()] != weekday:
        yield "weekday-contradicts"


def report_of(d: Dossier) -> dict[str, Json]:
    """All that was found, as one JSON value."""
    entries = [e for j in d.journals.values() for e in j.entries] if d.record else []
    by_status = {x: [e for e in entries if e.status == x] for x in ("inadmissible", "suspended", "waiting")}
    as_of, sizes = d.manifest.get("as-of"), sorted((party, j.size) for party, j in d.journals.items())
    return {
        "agreement": d.manifest.get("agreement"),
        "complete": [{"journal": party, "entries": size, "as-of": as_of} for party, size in sizes],
        "checked": d.counts,
        "inadmissible": [{"entry": e.name, "code": e.code, "why": e.why} for e in by_status["inadmissible"]],
        "waiting": [{"entry": e.name, "why": e.why} for e in by_status["waiting"]],
        "forks": d.forks,
        "suspended": [e.name for e in by_status["suspended"]],
        "flagged": [{"entry": e.name, "flag": x} for e in entries if e.frame for x in flags_of(e)],
        "not-checked": d.unchecked,
        "registers": d.registers,
        "problems": [{**p._asdict(), "text": str(p)} for p in d.problems],
        "verified": not d.problems,
    }


def shown(x: Any) -> str:
    """A cell; of a long list its beginning."""
    return f"{x[:8]} and {len(x) - 8:,} more" if isinstance(x, list) and len(x) > 12 else str(x)


def table(title: str, rows: Sequence[Any]) -> Iterator[str]:
    """A list of the report for a reader: a row a line, its values in columns."""
    cells = [[shown(x) for x in (row.values() if isinstance(row, dict) else [row]) if x != []] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=False)]
    yield from [f"{title}:"] if rows else []
    for row in cells:
        yield "  " + " ".join(x.ljust(n) for x, n in zip(row, widths, strict=False)).rstrip()


def lines_of(r: dict[str, Json]) -> Iterator[str]:
    """The report for a reader."""
    yield f"agreement {r['agreement']}"
    for x in r["complete"]:
        yield f"complete to entry {x['entries']} of journal {x['journal']}, as of {x['as-of']}"
    yield "checked: " + ", ".join(f"{n} {what}" for what, n in sorted(r["checked"].items()))
    for name in ("inadmissible", "waiting", "suspended", "flagged", "not-checked"):
        yield from table(name.replace("-", " "), r[name])
    yield from table("upheld, of forked journals", [f"{party}/{k}" for party, k in r["forks"].items()])
    for register in r["registers"].values():
        for name in ("accounts", "discrepancies", "draws", "obligations"):
            rows = register.get(name, [])
            yield from table(f"{name} ({', '.join(rows[0])})" if rows else "", rows)


def arguments(argv: list[str] | None) -> argparse.Namespace:
    says = "Verifies a dossier. Exit status: 0 verified, 1 something is wrong, 2 usage or unreadable input."
    parser = argparse.ArgumentParser(description=says)
    parser.add_argument("dossier", type=Path)
    parser.add_argument("--party", action="append", default=[], metavar="P=FINGERPRINT", help="compared in person")
    parser.add_argument("--expect", action="append", default=[], metavar="P>=N", help="P has at least N entries")
    parser.add_argument("--fork", type=Path, metavar="PROOF.json", help="a proof of a fork, by the keys in the dossier")
    parser.add_argument("--allow-unpinned", action="store_true", help="accept journals whose fingerprint is not given")
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    parser.add_argument("--first-only", action="store_true", help="print nothing but the first thing that is wrong")
    given = parser.parse_args(argv)
    if not all(re.fullmatch(WORDS["id"] + "=[0-9a-f]{64}", x) for x in given.party):
        parser.error("--party is PARTY=FINGERPRINT")
    if not all(re.fullmatch(WORDS["id"] + ">=[0-9]{1,15}", x) for x in given.expect):
        parser.error("--expect is PARTY>=NUMBER")
    return given


def check_fork_file(d: Dossier, raw: bytes) -> str:
    """What a proof of a fork outside the dossier says, by the keys in it."""
    try:
        must(d.record, "not checked: the record of the dossier cannot be read")
        party = forked_party(raw, d.journals)
        upheld_to = upheld(d.record, party) if d.record else 0
        return f"proof of a fork: {party} signed two histories; its entries are upheld to {party}/{upheld_to}"
    except Malformed as bad:
        d.problems.append(Problem("proof of a fork", bad.args[0]))
        return f"proof of a fork: refused, {bad.args[0]}"


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    try:
        paths = [options.dossier, *([options.fork] if options.fork else [])]
        if any(path.stat().st_size > MAX_FILE for path in paths):
            raise OSError("larger than 4 GiB")
        raw, *proofs = [path.read_bytes() for path in paths]
    except OSError as error:
        print(f"cannot read: {error}", file=sys.stderr)
        return 2
    pins = dict(x.split("=") for x in options.party)
    expect = {party: int(n) for party, n in (x.split(">=") for x in options.expect)}
    try:
        d = Dossier(raw, pins, expect, options.allow_unpinned)
        said = [check_fork_file(d, proof) for proof in proofs]
        report = report_of(d)
        lines = [] if options.first_only else [*lines_of(report), *said]
    except Exception as error:  # noqa: BLE001 - nothing known leads here; such a bundle would not be verified either
        print(f"NOT VERIFIED: this program failed on it ({type(error).__name__}: {str(error)[:200]})")
        return 1
    lines += [f"WRONG {problem}" for problem in d.problems[: 1 if options.first_only else None]]
    lines.append("VERIFIED" if not d.problems else f"NOT VERIFIED: {len(d.problems)} problem(s)")
    if options.json:
        lines = [json.dumps({**report, "fork": said[0] if said else None}, indent=1, sort_keys=True)]
    print("\n".join(lines))
    return 1 if d.problems else 0


if __name__ == "__main__":
    sys.exit(main())
