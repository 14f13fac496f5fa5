# SPDX-License-Identifier: Apache-2.0
"""Does this dossier hold, and what follows from it? A second reading of spec/, in one program.

It needs the Python standard library and the package `cryptography`, and imports nothing of Servanda. To be read from
the top: bytes, signatures, container, packs, the steps by which an entry is judged, what is settled, custody,
obligations, forks, the dossier. Comments cite the page of spec/ and the rule.
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
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

try:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

    HAVE_ML_DSA = True
except ImportError:  # an older `cryptography`: those signatures are then reported as not checked
    HAVE_ML_DSA = False

ENTRY_TYPE = "application/vnd.servanda.entry.v1+json"
MANIFEST_TYPE = "application/vnd.servanda.manifest.v1+json"
MAX_INTEGER = 2**53 - 1
MAX_LEAF = 262_144
MAX_FILE = 2**32 - 1
Json = Any
Key = tuple[str, int]  # (party, number) of an entry


class Malformed(Exception):
    """Bytes that are not what their page of the specification asks for."""


# --------------------------------------------------------------- canonical JSON, base64, dates (canonical-json, entry)


def refuse(text: str) -> NoReturn:
    raise Malformed(f"{text} is not allowed in canonical JSON")


def read_integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        refuse(f"the number {text[:20]}")
    return int(text)


def read_members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    for name, _ in pairs:
        if not (name.isascii() and name.isprintable()):
            refuse(f"the member name {name!a}")
    if len(dict(pairs)) < len(pairs):
        refuse("a name that stands twice")
    return dict(pairs)


def encode(value: Json) -> bytes:
    """The one byte form of a value: with names in ASCII and integers only, this is RFC 8785."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def too_deep(value: Json, left: int = 32) -> bool:
    if left == 0:
        return True
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(too_deep(x, left - 1) for x in inner)


def parse(text: bytes) -> Json:
    """The value of a JSON text in any form, with names and numbers as canonical JSON has them."""
    try:
        value = json.loads(
            text.decode(),
            object_pairs_hook=read_members,
            parse_int=read_integer,
            parse_float=refuse,
            parse_constant=refuse,
        )
        encode(value)  # finds lone surrogates
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not JSON: {str(error)[:120]}") from error
    return value


def decode(text: bytes) -> Json:
    """The value of a canonical text. Duplicate names, order, escapes: all show when it is written again."""
    value = parse(text)
    if encode(value) != text:
        raise Malformed("JSON, but not in its canonical form")
    if text.count(b"{") + text.count(b"[") > 31 and too_deep(value):
        raise Malformed("nested deeper than 32")
    return value


def from_base64(text: str, size: int | None = None) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Malformed("not base64") from error
    if base64.b64encode(raw).decode() != text or (size is not None and len(raw) != size):
        raise Malformed("base64 of another form or length")
    return raw


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?Z")
DATE_PART = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?)?)?")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def read_time(text: str) -> datetime:
    try:
        if TIME.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise Malformed(f"not a time: {text[:40]!a}")


class Span(NamedTuple):
    """The days a date expression stands for; None: unknown. `exists` is false for a date such as 2013-02-30."""

    first: date | None
    last: date | None
    exists: bool = True


def read_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Malformed(f"not a date: {text[:40]!a}") from error


@lru_cache(maxsize=4096)
def read_span(text: str) -> Span:
    """A date expression (entry, 'Date expression')."""
    parts = text.split("/")
    matches = [DATE_PART.fullmatch(p) for p in parts]
    unknown = [p == ".." for p in parts]
    if len(parts) > 2 or (len(parts) == 1 and unknown[0]):
        raise Malformed("not a date expression")
    spans = []
    for match, is_unknown in zip(matches, unknown, strict=True):
        if match is None and not is_unknown:
            raise Malformed("not a date expression")
        spans.append(Span(None, None) if match is None else days_of(match))
    first, last = spans[0].first, spans[-1].last
    backward = first is not None and last is not None and last < first
    return Span(first, last, all(s.exists for s in spans) and not backward)


def days_of(match: re.Match[str]) -> Span:
    year, month, day, time = match.groups()
    try:
        if time:
            datetime.fromisoformat(match.group(0))
        if day:
            return Span(date(int(year), int(month), int(day)), date(int(year), int(month), int(day)))
        if month:
            after = date(int(year) + (month == "12"), int(month) % 12 + 1, 1)
            return Span(date(int(year), int(month), 1), after - timedelta(days=1))
        return Span(date(int(year), 1, 1), date(int(year), 12, 31))
    except (ValueError, OverflowError):
        return Span(None, None, exists=False)


# ------------------------------------------------------------- signatures, envelopes, trees, notes (envelope, journal)


@lru_cache(maxsize=4096)
def ed25519_key(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)


def ed25519_holds(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        ed25519_key(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def ml_dsa_holds(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id(public: bytes) -> str:
    return sha256(public)[:32]


class Envelope(NamedTuple):
    payload: bytes
    signed: bytes  # what the signatures are over: DSSE's PAE
    signatures: list[tuple[str, bytes]]  # (key id, signature)


def read_envelope(raw: bytes, kind: str) -> Envelope:
    """An envelope of the given type (envelope)."""
    if len(raw) > MAX_LEAF:
        raise Malformed(f"{len(raw)} bytes, more than {MAX_LEAF}")
    value = decode(raw)
    if bad := misfit(ENVELOPE, value, "envelope"):
        raise Malformed(bad)
    if value["payloadType"] != kind:
        raise Malformed("an envelope of another type")
    payload = from_base64(value["payload"])
    signatures = [(s["keyid"], from_base64(s["sig"], 64)) for s in value["signatures"]]
    if len({key for key, _ in signatures}) < len(signatures):
        raise Malformed("one key signs twice")
    return Envelope(payload, b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload), signatures)


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """The Merkle tree of RFC 6962 over leaf hashes; gives the root at every size in logarithmic time."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.levels = [list(leaves)]
        while len(below := self.levels[-1]) > 1:
            self.levels.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])

    def root(self, size: int) -> bytes:
        if size == 0:
            return hashlib.sha256(b"").digest()
        peaks, start = [], 0
        for level in range(size.bit_length() - 1, -1, -1):
            if size >> level & 1:
                peaks.append(self.levels[level][start >> level])
                start += 1 << level
        root = peaks.pop()
        while peaks:
            root = node_hash(peaks.pop(), root)
        return root


def roots_of_path(first: int, second: int, path: list[bytes]) -> tuple[bytes, bytes]:
    """The two roots that a consistency path leads to: RFC 9162 section 2.1.4.2, the path starting with a node."""
    old, new = first - 1, second - 1
    while old & 1:
        old, new = old >> 1, new >> 1
    root1 = root2 = path[0]
    for node in path[1:]:
        if new == 0:
            raise Malformed("a consistency path that is too long")
        if old & 1 or old == new:
            root1, root2 = node_hash(node, root1), node_hash(node, root2)
            while old and not old & 1:
                old, new = old >> 1, new >> 1
        else:
            root2 = node_hash(root2, node)
        old, new = old >> 1, new >> 1
    if new:
        raise Malformed("a consistency path that is too short")
    return root1, root2


NOTE_TEXT = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n")
NOTE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")


class Note(NamedTuple):
    """A signed checkpoint: C2SP signed-note around C2SP tlog-checkpoint, without extension lines."""

    text: bytes
    origin: str
    size: int
    root: bytes
    lines: list[tuple[str, bytes]]  # (key name, key id and signature)


def read_note(raw: bytes) -> Note:
    try:
        text, _, tail = raw.decode().rpartition("\n\n")
    except ValueError as error:
        raise Malformed("a note that is not UTF-8") from error
    head = NOTE_TEXT.fullmatch(text + "\n")
    rows = tail.split("\n")
    if head is None or rows.pop() != "" or not 1 <= len(rows) <= 64:
        raise Malformed("not the note of a checkpoint")
    lines = []
    for row in rows:
        match = NOTE_LINE.fullmatch(row)
        if match is None:
            raise Malformed("a note with a line that is no signature")
        lines.append((match[1], from_base64(match[2])))
    return Note((text + "\n").encode(), head[1], int(head[2]), from_base64(head[3], 32), lines)


def note_key(name: str, kind: int, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def checkpoint_text(origin: str, size: int, root: bytes) -> bytes:
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n".encode()


def cosigned(name: str, stamp: int, note: Note) -> bytes:
    """The message of an ML-DSA-44 cosignature (C2SP tlog-cosignature, type 0x06)."""
    size1, size2 = bytes([len(name.encode()) & 255]), bytes([len(note.origin.encode()) & 255])
    names = size1 + name.encode() + struct.pack(">Q", stamp) + size2 + note.origin.encode()
    return b"subtree/v1\n\x00" + names + struct.pack(">QQ", 0, note.size) + note.root


LINE_LENGTHS = {1: 68, 4: 76, 6: 2432}  # key id, time stamp unless kind 1, signature


def line_holds(name: str, raw: bytes, kind: int, public: bytes, note: Note) -> bool | None:
    """Whether a signature line of this kind and key verifies; None if this program cannot tell (no ML-DSA here)."""
    if len(raw) != LINE_LENGTHS[kind]:
        return False
    if kind == 1:
        return ed25519_holds(public, raw[4:], note.text)
    stamp = int.from_bytes(raw[4:12], "big")
    if stamp >= 2**63:
        return False
    if kind == 4:
        return ed25519_holds(public, raw[12:], b"cosignature/v1\ntime %d\n" % stamp + note.text)
    return ml_dsa_holds(public, raw[12:], cosigned(name, stamp, note)) if HAVE_ML_DSA else None


# -------------------------------------------------------------------------------------------------- container (bundle)

NAME = re.compile(r"[a-z0-9-]+(/[a-z0-9.-]+)*(\.[a-z]+)?")
LOCAL = struct.Struct("<IHHHHHIIIHH")
CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")
END = struct.Struct("<IHHHHIIH")


class Member(NamedTuple):
    name: str
    at: int  # where its bytes begin in the archive
    crc: int  # as its header claims
    data: bytes


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where, and what."""

    where: str
    what: str
    entry: str | None = None
    offset: int | None = None  # in the file `where`
    archive_offset: int | None = None

    def __str__(self) -> str:
        place = self.where + (f", byte {self.offset}" if self.offset is not None else "")
        place += f" (archive byte {self.archive_offset})" if self.archive_offset is not None else ""
        return f"{place}{f', entry {self.entry}' if self.entry else ''}: {self.what}"


class Broken(Exception):
    """The archive cannot be read further."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def local_header(name: bytes, crc: int, size: int) -> bytes:
    return LOCAL.pack(0x04034B50, 20, 0, 0, 0, 0x21, crc, size, size, len(name), 0) + name


def directory(members: list[Member], crcs: list[int], start: int) -> bytes:
    """The central directory and end record, written anew."""
    rows, at = [], 0
    for m, crc in zip(members, crcs, strict=True):
        name, size = m.name.encode(), len(m.data)
        rows.append(
            CENTRAL.pack(0x02014B50, 20, 20, 0, 0, 0, 0x21, crc, size, size, len(name), 0, 0, 0, 0, 0, at) + name
        )
        at = m.at + size
    size = sum(map(len, rows))
    return b"".join(rows) + END.pack(0x06054B50, 0, 0, len(rows), len(rows), size, start, 0)


def first_difference(a: bytes, b: bytes) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def read_archive(raw: bytes) -> list[Member]:
    """Every file of the archive, after comparing each byte of it with the archive written anew (bundle, Container).

    A file that does not match its checksum is passed on: its digest is judged later, when the entry can be named.
    """
    members: list[Member] = []
    at = 0
    while raw[at : at + 4] == b"PK\x03\x04":
        if at + LOCAL.size > len(raw):
            raise Broken(Problem("archive", "it ends within a header", archive_offset=at))
        crc, size, _, length = LOCAL.unpack_from(raw, at)[6:10]
        begin = at + LOCAL.size + length
        name = raw[at + LOCAL.size : begin]
        label = name.decode("ascii", "replace")
        wanted = local_header(name, crc, size)
        if raw[at:begin] != wanted or begin + size > len(raw):
            bad = at + first_difference(raw[at:begin], wanted)
            raise Broken(Problem("archive", f"the header of {label!a} has another form", archive_offset=bad))
        if len(name) > 200 or b".." in name or not NAME.fullmatch(label):
            raise Broken(Problem("archive", f"a file may not be called {label!a}", archive_offset=at + LOCAL.size))
        members.append(Member(label, begin, crc, raw[begin : begin + size]))
        at = begin + size
    check_directory(raw, members, at)
    names = [m.name for m in members]
    if names[:1] != ["manifest.json"]:
        raise Broken(Problem("archive", "manifest.json does not come first", archive_offset=0))
    for a, b in pairwise(["", *names[1:]]):
        if a >= b or b == "manifest.json":
            raise Broken(Problem("archive", f"{b!a} stands after {a!a}: not sorted, or twice"))
    return members


def check_directory(raw: bytes, members: list[Member], at: int) -> None:
    if len(members) >= 65_535:
        raise Broken(Problem("archive", "too many files"))
    tail = raw[at:]
    wanted = directory(members, [m.crc for m in members], at)
    if tail == wanted:
        return
    true = [zlib.crc32(m.data) for m in members]
    if tail == directory(members, true, at):
        m = next(m for m, crc in zip(members, true, strict=True) if crc != m.crc)
        header = m.at - len(m.name) - LOCAL.size
        raise Broken(
            Problem("archive", f"the checksum in the header of {m.name} is damaged", archive_offset=header + 14)
        )
    bad = at + first_difference(tail, wanted)
    raise Broken(Problem("archive", "its directory is not the one of the files before it", archive_offset=bad))


def one_damaged_byte(member: Member) -> Iterator[tuple[int, int]]:
    """Where a single changed byte would explain why the checksum does not match, and by which bits.

    CRC-32 is linear: the difference of the checksums is that of one byte, carried over the zeros after it. Walked back.
    """
    table = [zlib.crc32(bytes([d])) ^ zlib.crc32(b"\0") for d in range(256)]
    by_top = {row >> 24: d for d, row in enumerate(table)}
    rest = zlib.crc32(member.data) ^ member.crc
    for position in range(len(member.data) - 1, -1, -1):
        d = by_top[rest >> 24]
        if d and rest == table[d]:
            yield position, d
        rest = ((rest ^ table[d]) << 8 | d) & 0xFFFFFFFF


# ------------------------------------------------------------------------------------- field schemas and shapes (pack)

TYPES: dict[str, type] = {"object": dict, "array": list, "string": str, "integer": int, "number": int, "boolean": bool}
KEYWORDS = {
    "type": str, "properties": dict, "required": list, "additionalProperties": bool, "items": dict, "minItems": int,
    "maxItems": int, "uniqueItems": bool, "enum": list, "const": object, "minimum": int, "maximum": int,
    "minLength": int, "maxLength": int, "pattern": str, "title": str, "description": str,
}  # fmt: skip


def is_type(value: Json, name: str) -> bool:
    return value is None if name == "null" else type(value) is TYPES[name]


def same(a: Json, b: Json) -> bool:
    return type(a) is type(b) and (a == b if isinstance(a, str) else encode(a) == encode(b))


def misfit(schema: Json, value: Json, where: str, sealed: bool = False) -> str:
    """What in the value does not fit the field schema; empty if it fits. `any-of` is ours, for the shapes below."""
    if "any-of" in schema:
        faults = [misfit(s, value, where, sealed) for s in schema["any-of"]]
        return "" if "" in faults else faults[0]
    if "type" in schema and not is_type(value, schema["type"]):
        return f"{where} is not of type {schema['type']}"
    if "const" in schema and not same(value, schema["const"]):
        return f"{where} is not {schema['const']!a}"
    if "enum" in schema and not any(same(value, x) for x in schema["enum"]):
        return f"{where} is none of the values allowed"
    if isinstance(value, str):
        small, large, size = schema.get("minLength", 0), schema.get("maxLength", MAX_FILE), len(value)
        if "pattern" in schema and not pattern(schema["pattern"]).fullmatch(value):
            return f"{where} does not match {schema['pattern']}"
    elif isinstance(value, list):
        small, large, size = schema.get("minItems", 0), schema.get("maxItems", MAX_FILE), len(value)
        if schema.get("uniqueItems") and len({encode(x) for x in value}) < size:
            return f"{where} repeats an item"
    elif type(value) is int:
        small, large, size = schema.get("minimum", -MAX_INTEGER), schema.get("maximum", MAX_INTEGER), value
    else:
        small = large = size = 0
    if not small <= size <= large:
        return f"{where} is out of bounds"
    if isinstance(value, list) and "items" in schema:
        return next((m for i, x in enumerate(value) if (m := misfit(schema["items"], x, f"{where}[{i}]", sealed))), "")
    return misfit_members(schema, value, where, sealed) if isinstance(value, dict) else ""


def misfit_members(schema: Json, value: dict[str, Json], where: str, sealed: bool) -> str:
    has_sealed = sealed and "_sd" in value
    if has_sealed and (bad := misfit(SEALED, value["_sd"], f"{where}._sd") or unsorted(value["_sd"], f"{where}._sd")):
        return bad
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value and not has_sealed:  # pack: the presence of _sd lifts `required`
            return f"{where} has no {name}"
    for name, x in value.items():
        if name == "_sd" and has_sealed:
            continue
        if name not in known:
            if schema.get("additionalProperties", True) is False:
                return f"{where} has a member {name!a}"
        elif bad := misfit(known[name], x, f"{where}.{name}", sealed):
            return bad
    return ""


def unsorted(values: list[str], where: str) -> str:
    return "" if all(a < b for a, b in pairwise(values)) else f"{where} is not sorted, or repeats"


@lru_cache(maxsize=1024)
def pattern(text: str) -> re.Pattern[str]:
    """A pattern of the subset, matching the whole string."""
    inner = text[1:-1]
    if not (text.startswith("^") and text.endswith("$") and len(text) > 1):
        raise Malformed(f"the pattern {text[:60]!a} is not anchored")
    if "(?" in inner or re.search(r"\\[A-Za-z0-9\s]", inner):
        raise Malformed(f"the pattern {text[:60]!a} is outside the subset")
    try:
        return re.compile(inner)
    except (re.error, OverflowError, RecursionError) as error:
        raise Malformed(f"the pattern {text[:60]!a} cannot be read") from error


def check_schema(schema: Json, where: str) -> None:
    """A field schema uses the subset and nothing else (pack, Field schema)."""
    if not isinstance(schema, dict):
        raise Malformed(f"{where} is not a schema")
    for name, value in schema.items():
        wanted = KEYWORDS.get(name)
        if wanted is None or not (wanted is object or type(value) is wanted):
            raise Malformed(f"{where} has {name!a} where the subset has none, or of another type")
    if schema.get("type", "null") not in {*TYPES, "null"}:
        raise Malformed(f"{where} has an unknown type")
    if ("properties" in schema) != (schema.get("additionalProperties") is False):
        raise Malformed(f"{where}: properties stand together with additionalProperties false")
    if not all(isinstance(x, str) for x in schema.get("required", ())):
        raise Malformed(f"{where}.required is not a list of names")
    if "pattern" in schema:
        pattern(schema["pattern"])
    for name, inner in schema.get("properties", {}).items():
        check_schema(inner, f"{where}.{name}")
    if "items" in schema:
        check_schema(schema["items"], f"{where}[]")


def obj(needed: dict[str, Json], may: dict[str, Json] | None = None, exact: bool = True) -> dict[str, Json]:
    shape = {"type": "object", "properties": {**needed, **(may or {})}, "required": list(needed)}
    return {**shape, "additionalProperties": False} if exact else shape


def some(items: Json, least: int = 0, most: int = MAX_LEAF) -> dict[str, Json]:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def word(regex: str) -> dict[str, Json]:
    return {"type": "string", "pattern": f"^{regex}$"}


def one_of(*values: Json) -> dict[str, Json]:
    return {"enum": list(values)}


def either(*shapes: Json) -> dict[str, Json]:
    return {"any-of": list(shapes)}


STRING, OBJECT, NULL = {"type": "string"}, {"type": "object"}, {"type": "null"}
TEXT = {"type": "string", "minLength": 1, "maxLength": 4000}
NATURAL = {"type": "integer", "minimum": 0}
POSITIVE = {"type": "integer", "minimum": 1}
HASH, PARTY, ID = word("[0-9a-f]{64}"), word("[a-z][a-z0-9-]{0,31}"), word("[a-z][a-z0-9-]{0,31}")
OBLIGATION = word("([a-z][a-z0-9-]{0,31}|[A-Z][A-Z0-9-]{0,31})")
DATE = word("[0-9]{4}-[0-9]{2}-[0-9]{2}")
SEALED = some(word("[A-Za-z0-9_-]{43}"), 1)
REFERENCE = obj({"leaf": HASH, "number": POSITIVE, "party": PARTY})
SIGNATURE = obj({"keyid": word("[0-9a-f]{32}"), "sig": STRING, "type": {"const": "ed25519"}})
ENVELOPE = obj({"payload": STRING, "payloadType": STRING, "signatures": some(SIGNATURE, 1, 16)})
ACTS = ("notify", "acknowledge", "inquire", "answer", "offer", "accept", "refuse", "correct", "reveal")
AS_STATED = obj({"text": {"type": "string", "minLength": 1, "maxLength": 500}, "weekday": one_of(None, *WEEKDAYS)})
FRAME = obj({
    "version": {"const": 1}, "agreement": HASH, "pack": either(NULL, HASH), "party": PARTY, "number": POSITIVE,
    "format": ID, "format-version": POSITIVE, "act": one_of(*ACTS), "status": one_of("actual", "exercise", "test"),
    "precedence": one_of("routine", "priority", "immediate", "flash"), "to": some(PARTY),
    "subject": {"type": "string", "maxLength": 500}, "remarks": {"type": "string", "maxLength": 4000},
    "language": word("[a-z]{2,3}(-[A-Za-z0-9]{2,8})*"), "event-at": STRING,
    "as-stated": either(NULL, AS_STATED),
    "released-at": STRING, "exercise-at": either(NULL, STRING), "author": ID, "releaser": either(NULL, ID),
    "refers-to": some(REFERENCE, 0, 256), "heads": some(obj({"party": PARTY, "root": HASH, "size": POSITIVE})),
    "receipts": some(obj({"by": PARTY, "cosignature": STRING, "size": NATURAL})),
    "named": either(NULL, some(PARTY)), "thread": either(NULL, REFERENCE), "content": OBJECT,
})  # fmt: skip
LOT = word("[a-z][a-z0-9-]{0,31}/[1-9][0-9]{0,15}/(0|[1-9][0-9]{0,15})")
QUANTITY = either(
    obj({"amount": NATURAL, "basis": one_of("stated", "derived"), "unit": STRING}),
    obj({"basis": {"const": "not-stated"}, "unit": STRING}),
)
OFFICER = obj({
    "custody": one_of("centre", "token", "officer"), "id": ID, "public": STRING,
    "roles": some(one_of("author", "release", "watch")),
    "type": {"const": "ed25519"},
})  # fmt: skip
PAIR = obj({"ed25519": STRING, "ml-dsa-44": STRING})
ROOT_KEYS = some(obj({"public": STRING, "type": {"const": "ed25519"}}), 1, 16)
IDENTITY = obj({
    "centre": PAIR, "names": OBJECT, "officers": some(OFFICER), "receipt": PAIR, "tls": some(HASH),
    "root": obj({"keys": ROOT_KEYS, "threshold": {"type": "integer", "minimum": 1, "maximum": 16}}),
})  # fmt: skip
RECEIVED = some(obj({"lot": LOT, "quantity": QUANTITY}))
BUILT_IN: dict[str, tuple[str, str, Json]] = {  # entry, Built-in formats: act, signed by, content
    "identity": ("notify", "root", IDENTITY),
    "adopt": ("accept", "two", obj({"pack": HASH})),
    "branch": ("notify", "root", obj({"root": HASH, "size": NATURAL})),
    "citation": ("notify", "centre", obj({})),
    "acknowledge": ("acknowledge", "one", obj({
        "disposition": one_of("accepted", "rejected"), "reason": {"type": "string", "maxLength": 4000}})),
    "accept": ("accept", "two", obj({
        "condition": either(NULL, obj({"confirmer": PARTY, "text": TEXT})), "extent": one_of("full", "part"),
        "received": RECEIVED})),
    "refuse": ("refuse", "two", obj({"reason": TEXT})),
    "condition": ("notify", "two", obj({"outcome": one_of("confirmed", "failed")})),
    "lapse": ("notify", "two", obj({"reason": TEXT})),
    "correct": ("correct", "two", obj({"content": OBJECT, "reason": TEXT})),
    "reveal": ("reveal", "two", obj({"disclosures": some(STRING)})),
}  # fmt: skip


def least(**members: Json) -> dict[str, Json]:
    """The shape of an effect: at least these members (custody, obligations)."""
    return obj({name.replace("_", "-"): shape for name, shape in members.items()}, exact=False)


ROW = least(kind=STRING, place=STRING, quantity=QUANTITY)
DECLARED = obj(ROW["properties"], {"serial": {"type": "string", "minLength": 1, "maxLength": 80}}, exact=False)
LOT_ROW = least(lot=LOT, quantity=QUANTITY)
QUALIFIER = one_of("exact", "about", "at-least", "at-most", "less-than", "more-than")
VALUE = either(
    least(amount=NATURAL, qualifier=QUALIFIER),
    obj({"from": NATURAL, "qualifier": QUALIFIER, "to": NATURAL}, exact=False),
)
FIGURE = least(as_of=STRING, basis=TEXT, grade=TEXT, source=TEXT, subject=TEXT, unit=TEXT, value=VALUE)
OUTCOME = one_of(
    "present-matching", "present-serials-not-shown", "present-serials-differ", "seen-from-distance",
    "absent-as-claimed", "access-denied", "not-attempted", "sealed-camera")  # fmt: skip
EFFECTS: dict[str, tuple[str, Json]] = {
    "custody.declare": ("notify", least(lots=some(DECLARED, 1, 1000))),
    "custody.split": ("notify", least(lot=LOT, parts=some(ROW, 1, 1000))),
    "custody.merge": ("notify", least(lots=some(LOT, 2, 1000), kind=STRING, place=STRING)),
    "custody.move": ("notify", least(lot=LOT, place=STRING)),
    "custody.seal": ("notify", least(lot=LOT, seal=TEXT, action=one_of("applied", "checked", "broken", "removed"))),
    "custody.condition": ("notify", least(lot=LOT, condition=TEXT)),
    "custody.loss": ("notify", least(lots=some(LOT), reason=TEXT)),
    "custody.consume": ("notify", least(lots=some(LOT), reason=TEXT)),
    "custody.found": ("notify", least(lots=some(DECLARED, 1, 1000))),
    "custody.offer": ("offer", least(lots=some(LOT_ROW, 1, 1000), receiver=PARTY, place=STRING)),
    "custody.destroy": ("offer", least(
        lots=some(LOT_ROW), method=TEXT, place=STRING, evidence=some(HASH), residue=some(ROW, 0, 100))),
    "custody.resolve": ("offer", least(lots=some(LOT_ROW), holder=PARTY)),
    "custody.contest": ("notify", least(reason=TEXT)),
    "custody.figure": ("notify", least(figures=some(FIGURE, 1, 100))),
    "custody.finding": ("notify", least(findings=some(least(outcome=OUTCOME, subject=TEXT)))),
    "custody.issue": ("notify", least(issues=some(least(count=NATURAL, issue=TEXT, state=one_of("open", "closed"))))),
    "obligations.extend": ("offer", least(obligation=OBLIGATION, due=DATE)),
    "obligations.supersede": ("offer", least(obligation=OBLIGATION, by=OBLIGATION)),
    "obligations.suspend": ("notify", least(
        obligations=some(OBLIGATION), state=one_of("suspended", "resumed"), reason=TEXT)),
}  # fmt: skip
PERFORMS = some(either(
    obj({"extent": {"const": "full"}, "obligation": OBLIGATION}),
    obj({"done": NATURAL, "extent": {"const": "part"}, "obligation": OBLIGATION, "of": POSITIVE}),
), 1, 50)  # fmt: skip

DAYS = {"type": "integer", "minimum": 0, "maximum": 100_000}
DUE = {
    "fixed": least(date=DATE), "days-after": least(event=ID, days=DAYS), "before": least(event=ID, days=DAYS),
    "recurring": least(first=DATE, every=one_of("day", "week", "month", "year"), until=either(NULL, DATE)),
    "share": least(date=DATE, part=NATURAL, of=POSITIVE), "triggered": least(trigger=ID, hours=NATURAL),
    "continuous": OBJECT, "unstated": least(text=OBJECT),
}  # fmt: skip
FORMAT = least(
    id=ID, version=NATURAL, act=one_of(*ACTS), effect=either(NULL, one_of(*EFFECTS)), names=OBJECT, purpose=OBJECT,
    release=one_of("two", "one", "centre"), may_send=some(PARTY),
    performs={"type": "boolean"}, witnesses=some(PARTY), fields=OBJECT,
)  # fmt: skip
PACK = obj({
    "servanda-pack": {"const": 1}, "id": ID, "edition": STRING, "title": OBJECT,
    "languages": some(STRING, 1),
    "replaces": either(NULL, HASH), "parties": some(least(id=PARTY, names=OBJECT, role=OBJECT), 2, 64),
    "time": least(
        zone=STRING, days=one_of("calendar", "working"), holidays=some(DATE), basis=one_of("event", "receipt")),
    "settlement": obj(
        {"quorum": either({"const": "all"}, NATURAL), "liars": NATURAL}, {"lapse": {"type": "boolean"}}, exact=False),
    "units": some(least(id=ID, exponent=NATURAL)),
    "items": some(least(id=ID, unit=ID, within=either(NULL, ID))), "places": some(least(id=ID)),
    "events": some(either(least(id=ID, date=DATE), least(id=ID, format=ID))), "formats": some(FORMAT, 1),
    "obligations": some(least(
        id=OBLIGATION, obligors=some(PARTY), judged_by=some(PARTY), due=OBJECT,
        absence=one_of("overdue", "not-stated"))),
    "bodies": some(least(id=ID)), "alerts": some(least(id=ID)),
})  # fmt: skip


class Pack:
    """An agreement as data, with what judging needs (pack). Texts in languages are not looked at."""

    def __init__(self, digest: str, value: Json) -> None:
        if bad := misfit(PACK, value, "pack"):
            raise Malformed(bad)
        lists = {
            name: value[name] for name in ("parties", "units", "items", "places", "events", "formats", "obligations")
        }
        by_id = {name: {x["id"]: x for x in rows} for name, rows in lists.items()}
        if any(len(by_id[name]) < len(rows) for name, rows in lists.items()):
            raise Malformed("an id stands twice in its list")
        self.digest, self.replaces, self.value = digest, value["replaces"], value
        self.parties, self.items, self.places = frozenset(by_id["parties"]), by_id["items"], by_id["places"]
        self.events, self.formats, self.time = by_id["events"], by_id["formats"], value["time"]
        self.obligations: list[Json] = [by_id["obligations"][i] for i in sorted(by_id["obligations"])]
        quorum, others = value["settlement"]["quorum"], len(self.parties) - 2
        self.quorum = None if quorum == "all" else quorum
        self.lapse: bool = value["settlement"].get("lapse", False)
        if self.quorum is not None and 2 * self.quorum <= others + value["settlement"]["liars"]:
            raise Malformed("its quorum is too small")
        for x in value["formats"]:
            check_schema(x["fields"], f"fields of {x['id']}")
            if x["id"] in BUILT_IN or (x["effect"] and EFFECTS[x["effect"]][0] != x["act"]):
                raise Malformed(f"the format {x['id']} has a reserved name, or an effect of another act")
        for x in value["obligations"]:
            if bad := misfit(DUE.get(str(x["due"].get("rule")), one_of()), x["due"], f"due of {x['id']}"):
                raise Malformed(bad)
        dated = [*value["events"], *(x["due"] for x in value["obligations"])]
        for text in [*self.time["holidays"], *(x[m] for x in dated for m in ("date", "first") if m in x)]:
            read_date(text)
        if any(x["unit"] not in by_id["units"] for x in value["items"]):
            raise Malformed("an item has an unknown unit")

    def needed(self, outside: int) -> int:
        """How many of the parties outside must attest (settlement, What follows: q)."""
        return outside if self.quorum is None else min(self.quorum, outside)

    def is_within(self, kind: str, broader: str) -> bool:
        """Whether a kind is the other one, or a part of it."""
        seen: set[str] = set()
        while kind != broader and kind in self.items and kind not in seen:
            seen.add(kind)
            kind = self.items[kind]["within"] or ""
        return kind == broader


# ----------------------------------------------------------------------------- entries, steps 1 to 4 (entry, identity)


class Refused(Exception):
    """An entry is inadmissible, with the code of the step that fails."""

    def __init__(self, code: str, why: str = "") -> None:
        super().__init__(code)
        self.code, self.why = code, why


class Waits(Exception):
    """Something the entry rests on is not held, or is itself not judged yet."""


def need(holds: object, code: str, why: str = "") -> None:
    if not holds:
        raise Refused(code, why)


@dataclass(slots=True, eq=False)
class Entry:
    """One leaf of a journal, and what became of it."""

    party: str
    number: int
    leaf: str
    start: int  # where it begins in entries.jsonl
    frame: Json = None
    signed: str = ""  # root, centre, one or two
    early: Refused | None = None  # what steps 1 to 4 say
    status: str = "waiting"  # waiting, inadmissible, suspended or admissible
    code: str = ""
    why: str = ""
    heads: dict[str, int] = field(default_factory=dict)  # effective heads after it
    pack: Pack | None = None  # the one in force in its past
    format: Json = None  # the pack's format, if it is not a built-in one
    posting: str = ""  # why custody refused it

    @property
    def name(self) -> str:
        return f"{self.party}/{self.number}"

    def sees(self, party: str) -> int:
        """Its past: up to which number it covers a journal."""
        return self.number - 1 if party == self.party else self.heads.get(party, 0)


class Whole:
    """The whole record, where a past may stand."""

    def sees(self, _: str) -> int:
        return MAX_INTEGER


View = Entry | Whole
WHOLE = Whole()


class Identity(NamedTuple):
    number: int
    released: datetime
    roots: dict[str, bytes]
    threshold: int
    centre: tuple[bytes, bytes]
    receipt: tuple[bytes, bytes]
    officers: dict[str, tuple[bytes, list[str]]]


def read_identity(f: Json) -> Identity:
    """The identity that an entry states (identity; step 4)."""
    c = f["content"]
    if bad := misfit(IDENTITY, c, "content"):
        raise Malformed(bad)
    rests = any(f[m] for m in ("to", "heads", "receipts", "refers-to"))
    if rests or f["pack"] is not None or (f["act"], f["format-version"]) != ("notify", 1):
        raise Malformed("an identity entry rests on nothing but identities")
    roots = [from_base64(k["public"], 32) for k in c["root"]["keys"]]
    officers = {o["id"]: (from_base64(o["public"], 32), o["roles"]) for o in c["officers"]}
    pairs = [(from_base64(c[w]["ed25519"], 32), from_base64(c[w]["ml-dsa-44"], 1312)) for w in ("centre", "receipt")]
    if len(officers) < len(c["officers"]) or {"root", "centre"} & set(officers):
        raise Malformed("two officers share an id, or one is called root or centre")
    if any(unsorted(roles, "roles") for _, roles in officers.values()):
        raise Malformed("roles are not sorted")
    keys = [*roots, *pairs[0], *pairs[1], *(public for public, _ in officers.values())]
    if len(set(keys)) < len(keys):
        raise Malformed("a public key stands twice")
    if c["root"]["threshold"] > len(roots) or not all(isinstance(x, str) for x in c["names"].values()):
        raise Malformed("the threshold or the names are wrong")
    by_id = {key_id(public): public for public in roots}
    threshold = c["root"]["threshold"]
    return Identity(f["number"], read_time(f["released-at"]), by_id, threshold, pairs[0], pairs[1], officers)


def check_frame(f: Json) -> None:
    """What the shape of a frame cannot say (entry)."""
    parties = [h["party"] for h in f["heads"]], [r["by"] for r in f["receipts"]], f["to"], f["named"] or []
    if bad := next(
        (b for p, w in zip(parties, ("heads", "receipts", "to", "named"), strict=True) if (b := unsorted(p, w))), ""
    ):
        raise Malformed(bad)
    if f["party"] in f["to"]:
        raise Malformed("it is addressed to its own author")
    if (f["act"] == "offer") != (f["named"] is not None) or (f["thread"] is not None and f["act"] != "offer"):
        raise Malformed("named and thread belong to offers")
    if (f["status"] == "exercise") != (f["exercise-at"] is not None):
        raise Malformed("exercise-at belongs to exercises")
    for text in (f["released-at"], f["exercise-at"] or f["released-at"]):
        read_time(text)
    read_span(f["event-at"])
    for r in f["receipts"]:
        from_base64(r["cosignature"], 76)


def open_leaf(e: Entry, raw: bytes, agreement: str) -> Envelope:
    """Steps 1 to 3."""
    try:
        envelope = read_envelope(raw, ENTRY_TYPE)
    except Malformed as bad:
        raise Refused("unreadable", str(bad)) from bad
    try:
        f = decode(envelope.payload)
        if isinstance(f, dict) and type(f.get("version")) is int and f["version"] > 1:
            raise Refused("version", f"version {f['version']}")
        if bad_member := misfit(FRAME, f, "frame"):
            raise Malformed(bad_member)
        check_frame(f)
    except Malformed as bad:
        raise Refused("frame", str(bad)) from bad
    e.frame = f
    place = (agreement, e.party, e.number)
    need((f["agreement"], f["party"], f["number"]) == place, "misplaced", f"it says {f['party']}/{f['number']}")
    return envelope


Claim = tuple[bytes, bytes, bytes]  # a signature to verify: public key, signature, message


def signatures_hold(claims: list[tuple[Entry, Claim]]) -> list[bool]:
    return [ed25519_holds(*claim) for _, claim in claims]


class Journal:
    """What one party said: its leaves, tree and identities, each entry judged by steps 1 to 4."""

    def __init__(self, agreement: str, party: str, data: bytes) -> None:
        self.party, self.origin = party, f"servanda/{agreement}/{party}"
        self.leaves = data.split(b"\n")
        self.whole_lines = self.leaves.pop() == b""
        hashes = [leaf_hash(leaf) for leaf in self.leaves]
        self.tree, self.size = Tree(hashes), len(hashes)
        self.entries: list[Entry] = []
        self.identities: list[Identity] = []
        self.former: set[str] = set()  # ids of all officers stated so far
        claims: list[tuple[Entry, Claim]] = []
        at = 0
        for n, leaf in enumerate(self.leaves, 1):
            e = Entry(party, n, hashes[n - 1].hex(), at)
            self.entries.append(e)
            at += len(leaf) + 1
            try:
                claims += [(e, claim) for claim in self.step_4(e, open_leaf(e, leaf, agreement))]
            except Refused as refused:
                e.early = refused
        parts = [claims[i : i + 256] for i in range(0, len(claims), 256)]
        with ThreadPoolExecutor() as pool:  # verifying releases the lock
            for part, good in zip(parts, pool.map(signatures_hold, parts), strict=True):
                for (e, _), holds in zip(part, good, strict=True):
                    if not holds and e.early is None:
                        e.early = Refused("signature", "a signature does not verify")
        self.receipt_keys = self.key_history()
        self.centre_keys = {note_key(self.origin, 1, x.centre[0]): x.centre[0] for x in self.identities}

    @property
    def fingerprint(self) -> str:
        return self.entries[0].leaf if self.entries else ""

    def step_4(self, e: Entry, envelope: Envelope) -> list[Claim]:
        """Step 4, but for the signatures of officers and centres, which it hands back to be verified together."""
        f, now = e.frame, self.identities[-1] if self.identities else None
        need(e.number > 1 or f["format"] == "identity", "identity", "entry 1 is no identity entry")
        need(e.number == 1 or now, "signature", "no identity holds for this number")
        if f["author"] == "root":
            need(f["releaser"] is None and f["format"] in ("identity", "branch"), "signature", "not for root keys")
            e.signed = "root"
            self.check_root_signatures(f, now, envelope)
            return []
        need(f["format"] != "identity", "identity", "an identity entry is signed by root keys")
        assert now is not None
        wanted = [now.centre[0]] if f["author"] == "centre" else self.officers_of(e, now)
        if f["author"] == "centre":
            need(f["releaser"] is None, "signature", "a centre signs alone")
            e.signed = "centre"
        stated = [key for key, _ in envelope.signatures]
        need(stated == [key_id(k) for k in wanted], "signature", "not the keys that author and releaser call for")
        return [(k, sig, envelope.signed) for k, (_, sig) in zip(wanted, envelope.signatures, strict=True)]

    def officers_of(self, e: Entry, now: Identity) -> list[bytes]:
        author, releaser = e.frame["author"], e.frame["releaser"]
        people = [author] if releaser is None else [author, releaser]
        for who in people:
            need(who in now.officers, "retired-key" if who in self.former else "unknown-key", who)
        roles = [set(now.officers[who][1]) for who in people]
        e.signed = "one" if releaser is None else "two"
        if releaser is None:
            need(roles[0] & {"watch", "release"}, "wrong-role", author)
        else:
            need("author" in roles[0] and "release" in roles[1], "wrong-role", f"{author}, {releaser}")
            need(author != releaser, "own-release", author)
        return [now.officers[who][0] for who in people]

    def check_root_signatures(self, f: Json, now: Identity | None, envelope: Envelope) -> None:
        """Rules 1 and 2 of identity, and a branch by the root keys that hold."""
        groups = [] if now is None else [now]
        if f["format"] == "identity":
            try:
                groups.append(read_identity(f))
            except Malformed as bad:
                raise Refused("identity", str(bad)) from bad
        keys = {k: public for g in groups for k, public in g.roots.items()}
        stated = [key for key, _ in envelope.signatures]
        need(not unsorted(stated, "keys") and set(stated) <= set(keys), "signature", "not by root keys, or not sorted")
        for g in groups:
            need(len(set(stated) & set(g.roots)) >= g.threshold, "signature", "fewer root keys than the threshold")
        need(all(ed25519_holds(keys[k], s, envelope.signed) for k, s in envelope.signatures), "signature", "root key")
        if f["format"] == "identity":
            self.identities.append(groups[-1])
            self.former |= set(groups[-1].officers)

    def identity_at(self, size: int) -> Identity | None:
        """The identity for a checkpoint of this size (identity, rule 3)."""
        i = bisect_right(self.identities, size, key=lambda x: x.number)
        return self.identities[i - 1] if i else None

    def key_history(self) -> dict[bytes, list[ReceiptKey]]:
        """By the key id of a signature line: the receipt keys, and when each was stated and retired."""
        name, runs = f"{self.origin}/receipt", []
        for place, kind in ((0, 4), (1, 6)):
            last: ReceiptKey | None = None
            for x in self.identities:
                if last is None or last.public != x.receipt[place]:
                    if last is not None:
                        runs.append(last._replace(end=x.number, until=x.released))
                    last = ReceiptKey(kind, x.receipt[place], x.number)
            runs += [last] if last else []
        found: dict[bytes, list[ReceiptKey]] = {}
        for run in runs:
            found.setdefault(note_key(name, run.kind, run.public), []).append(run)
        return found

    def receipt_holds(self, raw: bytes, note: Note, head: int) -> bool | None:
        """Whether this party receipted the note, by its identities up to `head` (identity, rule 4)."""
        stamp, answers = int.from_bytes(raw[4:12], "big"), []
        for key in self.receipt_keys.get(raw[:4], []):
            current = key.end is None or key.end > head
            if key.start <= head and (current or (key.until is not None and stamp <= key.until.timestamp())):
                answers.append(line_holds(f"{self.origin}/receipt", raw, key.kind, key.public, note))
        return True if True in answers else None if None in answers else False


class ReceiptKey(NamedTuple):
    kind: int
    public: bytes
    start: int  # the identity entry that states it
    end: int | None = None  # the one that no longer does
    until: datetime | None = None


# ------------------------------------------------------- the record: steps 5 to 9, what is settled (entry, settlement)


@dataclass(slots=True, eq=False)
class Offer:
    entry: Entry
    effect: str
    thread: Key
    members: frozenset[str]  # the author and those it names
    accepts: dict[str, Entry] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)  # who refused, in which entry
    lapses: dict[str, int] = field(default_factory=dict)  # who declared it lapsed, in which entry
    posted: bool = False  # custody took it

    @property
    def key(self) -> Key:
        return self.entry.party, self.entry.number

    @property
    def content(self) -> Json:
        return self.entry.frame["content"]

    @property
    def pack(self) -> Pack:
        assert self.entry.pack is not None  # an offer is judged by a pack
        return self.entry.pack

    @property
    def outside(self) -> frozenset[str]:
        """The other parties: those outside S."""
        return self.pack.parties - self.members

    @property
    def may_lapse(self) -> bool:
        return self.pack.lapse and self.effect == "custody.offer"


class Record:
    """All journals together. An entry is judged when its past has been; the order does not matter otherwise."""

    def __init__(
        self, agreement: str, packs: dict[str, Pack], journals: dict[str, Journal], cuts: dict[str, int]
    ) -> None:
        self.agreement, self.packs, self.journals, self.cuts = agreement, packs, journals, cuts
        self.done = dict.fromkeys(journals, 0)  # how many entries of each journal are judged
        self.conflicts: dict[str, tuple[Entry, str, int]] = {}  # heads that contradict a journal held
        self.adopted: dict[tuple[str, str | None], tuple[int, str]] = {}  # (party, pack replaced): entry, pack
        self.cited: dict[tuple[str, str], tuple[list[int], list[int]]] = {}  # (journal, by): sizes, entries
        self.stamps: dict[str, list[tuple[int, int]]] = {}  # journal: (size, time stamp) of receipts cited
        self.offers: dict[Key, Offer] = {}
        self.acceptances: dict[Key, Offer] = {}  # by the accepting entry
        self.threads: dict[Key, dict[str, list[Offer]]] = {}
        self.decided: dict[Key, tuple[Entry, str]] = {}  # acceptance: its condition entry, outcome
        self.admitted: dict[str, list[Entry]] = {party: [] for party in journals}  # the admissible entries, in order
        self.corrections: dict[Key, Json] = {}  # entry: its latest corrected content
        self.branches: set[str] = set()
        self.memo: dict[Key, bool] = {}
        self.custody = Custody(self)
        for journal in journals.values():
            for e in journal.entries:
                e.status, e.code, e.why, e.heads, e.pack, e.format, e.posting = "waiting", "", "", {}, None, None, ""
        while sum(self.advance(journal) for journal in journals.values()):
            continue

    def advance(self, journal: Journal) -> bool:
        """Judges the next entries of a journal as far as what they rest on has been judged."""
        start = n = self.done[journal.party]
        while n < journal.size:
            e = journal.entries[n]
            before = journal.entries[n - 1].heads if n else {}
            self.memo.clear()
            e.heads = before
            try:
                self.judge(e, journal, before)
            except Refused as refused:
                e.status, e.code, e.why = "inadmissible", refused.code, refused.why
            except Waits as waits:
                e.why = str(waits)
                break
            n += 1
            self.done[journal.party] = n
        return n > start

    def judge(self, e: Entry, journal: Journal, before: dict[str, int]) -> None:
        if e.early is not None:
            raise e.early
        self.step_5(e, before)
        if any(e.sees(p) > k or (e.party == p and e.number > k) for p, k in self.cuts.items()):
            e.status = "suspended"  # settlement, Forks
            return
        stamps = self.step_6(e, journal)
        self.step_7(e)
        self.step_8(e)
        self.step_9(e)
        e.status = "admissible"
        self.admit(e, stamps)

    def step_5(self, e: Entry, before: dict[str, int]) -> None:
        f, after = e.frame, dict(before)
        for h in f["heads"]:
            need(h["party"] != e.party, "heads", "it states its own journal")
            need(h["size"] > before.get(h["party"], 0), "heads", f"{h['party']} has not grown")
            after[h["party"]] = h["size"]
        for h in f["heads"]:
            other = self.journals.get(h["party"])
            if other is None or h["size"] > other.size:
                raise Waits(f"it rests on {h['party']}/{h['size']}, which is not here")
            if other.tree.root(h["size"]).hex() != h["root"]:
                self.conflicts[e.name] = (e, h["party"], h["size"])
                raise Waits(f"it rests on another root of {h['party']} at {h['size']}: one of the two is false")
        for h in f["heads"]:
            if self.done[h["party"]] < h["size"]:
                raise Waits(f"it rests on {h['party']}/{h['size']}, which waits itself")
        for h in f["heads"]:
            for party, size in self.journals[h["party"]].entries[h["size"] - 1].heads.items():
                limit = e.number - 1 if party == e.party else after.get(party, 0)
                need(size <= limit, "heads", f"its past is not closed: {h['party']}/{h['size']} covers {party}/{size}")
        seen = replace(e, heads=after)
        for r in [*f["refers-to"], *([f["thread"]] if f["thread"] else [])]:
            need(r["number"] <= seen.sees(r["party"]), "reference", f"{r['party']}/{r['number']} is not covered")
            need(self.at(r).leaf == r["leaf"], "reference", f"{r['party']}/{r['number']} is another entry")
        e.heads = after if f["heads"] else before

    def at(self, reference: Json) -> Entry:
        return self.journals[str(reference["party"])].entries[int(reference["number"]) - 1]

    def step_6(self, e: Entry, journal: Journal) -> list[tuple[str, int, int]]:
        found = []
        for r in e.frame["receipts"]:
            raw, by, size = from_base64(r["cosignature"], 76), r["by"], r["size"]
            need(size < e.number, "receipt", f"{by} at {size}: not less than the number")
            earlier = self.cited.get((e.party, by), ([0], []))[0]
            need(size > earlier[-1], "receipt", f"{by} at {size}: not newer than the one cited")
            root = journal.tree.root(size)
            note = Note(checkpoint_text(journal.origin, size, root), journal.origin, size, root, [])
            receipter = self.journals.get(by) if by != e.party else None
            good = receipter is not None and receipter.receipt_holds(raw, note, e.sees(by))
            need(good, "receipt", f"{by} at {size}: does not verify")
            found.append((by, size, int.from_bytes(raw[4:12], "big")))
        return found

    def in_force(self, v: View) -> Pack | None:
        """The pack in force in a view (pack, In force)."""
        pack: Pack | None = None
        following: Pack | None = self.packs.get(self.agreement)
        while following is not None:
            replaced = None if pack is None else pack.digest
            for party in following.parties | (pack.parties if pack else frozenset()):
                number, digest = self.adopted.get((party, replaced), (MAX_INTEGER + 1, ""))
                if number > v.sees(party) or digest != following.digest:
                    return pack
            pack = following
            chosen = {self.adopted[p, pack.digest][1] for p in pack.parties if (p, pack.digest) in self.adopted}
            following = self.packs[chosen.pop()] if len(chosen) == 1 else None
        return pack

    def step_7(self, e: Entry) -> None:
        f = e.frame
        pack = e.pack = self.in_force(e)
        if f["format"] in ("identity", "adopt", "branch"):
            need(f["pack"] is None, "pack", "null is called for")
            if f["format"] == "adopt" and re.fullmatch("[0-9a-f]{64}", str(f["content"].get("pack"))):
                self.check_adoption(e, f["content"]["pack"])  # what names no digest fails step 8
        else:
            need(pack is not None and f["pack"] == pack.digest, "pack", "not the pack in force in its past")
        if f["format"] in BUILT_IN:
            act, release, _ = BUILT_IN[f["format"]]
            need(f["format-version"] == 1, "format", "version")
        else:
            e.format = pack.formats.get(f["format"]) if pack else None
            need(e.format and e.format["version"] == f["format-version"], "format", f["format"])
            act, release = e.format["act"], e.format["release"]
        need(f["act"] == act, "act", f"{f['act']} where the format says {act}")
        need(e.signed == release, "release", f"signed by {e.signed} where the format says {release}")
        if f["pack"] is not None and pack:
            may = e.format["may-send"] if e.format else []
            need(e.party in pack.parties and e.party in (may or pack.parties), "sender", e.party)
        known = (pack or self.packs[self.agreement]).parties
        need(set(f["to"]) | set(f["named"] or ()) <= known, "addressee", "not a party of the pack")

    def check_adoption(self, e: Entry, digest: str) -> None:
        if digest not in self.packs:
            raise Waits(f"the pack {digest[:12]} is not here")
        replaced = self.packs[digest].replaces
        need((replaced is None) == (digest == self.agreement), "pack", "a first pack of another agreement")
        need((e.party, replaced) not in self.adopted, "pack", "a second adoption")

    def step_8(self, e: Entry) -> None:
        f = e.frame
        bad = (
            misfit(BUILT_IN[f["format"]][2], f["content"], "content")
            if e.format is None
            else misfit_format(e.format, f["content"])
        )
        need(not bad, "content", bad)
        if e.format and e.format["effect"] == "custody.offer":
            need(f["named"] == [f["content"]["receiver"]], "offer", "named is not exactly the receiver")
        if f["format"] == "reveal":
            opened = self.first_reference(e)
            need(opened and opened.party == e.party, "reveal", "it refers to no entry of its author")
            digests = sealed_digests(opened.frame["content"]) if opened and opened.frame else set()
            for disclosure in f["content"]["disclosures"]:
                need(digest_of(disclosure) in digests, "reveal", "no digest answers")
                need(is_disclosure(disclosure), "reveal", "not the text of a salt, a name and a value")

    def first_reference(self, e: Entry) -> Entry | None:
        return self.at(e.frame["refers-to"][0]) if e.frame["refers-to"] else None

    def step_9(self, e: Entry) -> None:
        """The rules of settlement, Rules for step 9. A reference is in the past already (step 5)."""
        f, first, act = e.frame, self.first_reference(e), e.frame["act"]
        target = (first.party, first.number) if first else ("", 0)
        if act == "offer":
            self.check_offer(e)
        elif act == "acknowledge":
            need(
                first and all(r["party"] != e.party for r in f["refers-to"]),
                "acknowledge",
                "it refers to none, or its own",
            )
        elif f["format"] in ("accept", "refuse"):
            offer = self.offers.get(target)
            need(offer and e.party in offer.entry.frame["named"], f["format"], "no offer that names the author")
            assert offer is not None
            need(e.party not in offer.accepts and e.party not in offer.refusals, f["format"], "it has answered before")
            if f["format"] == "accept":
                self.check_accept(e, offer)
        elif f["format"] == "lapse":
            self.check_lapse(e, self.offers.get(target))
        elif f["format"] == "condition":
            accepted = first.frame["content"] if first and target in self.acceptances else {}
            need(
                accepted.get("condition") and accepted["condition"]["confirmer"] == e.party,
                "condition",
                "not its to confirm",
            )
            need(target not in self.decided, "condition", "decided before")
        elif f["format"] == "correct":
            need(
                first and first.party == e.party and first.status == "admissible" and first.format,
                "correct",
                "not of its own",
            )
            assert first is not None
            need(first.frame["act"] in ("notify", "inquire", "answer"), "correct", "of an act that is not corrected")
            bad = misfit_format(first.format, f["content"]["content"])
            need(not bad, "correct", bad)

    def check_offer(self, e: Entry) -> None:
        f, named = e.frame, set(e.frame["named"])
        need(named and e.party not in named, "offer", "it names nobody, or its author")
        need(set(e.format["witnesses"]) <= named | {e.party}, "offer", "it does not name the witnesses")
        if f["thread"]:
            first = self.offers.get((f["thread"]["party"], f["thread"]["number"]))
            need(first and first.thread == first.key, "offer", "its thread is no first offer")
            assert first is not None
            need({e.party} | named == first.members, "offer", "not all the members, or others")
            need(f["format"] == first.entry.frame["format"], "offer", "another format")

    def check_lapse(self, e: Entry, offer: Offer | None) -> None:
        need(e.pack and e.pack.lapse, "lapse", "the pack lets no offer lapse")
        need(offer and offer.effect == "custody.offer", "lapse", "no custody offer")
        assert offer is not None
        need(e.party not in offer.members, "lapse", "it is of the offer")
        need(e.party not in offer.lapses, "lapse", "declared before")
        seen = any(a.number <= e.sees(a.party) for a in offer.accepts.values())
        need(not seen, "lapse", "it has seen an acceptance")

    def check_accept(self, e: Entry, offer: Offer) -> None:
        c, pack = e.frame["content"], e.pack
        custody = offer.effect.startswith("custody.")
        need(not self.superseded(offer, e) and not self.crossed(offer, e), "accept", "superseded, or crossed")
        need(not self.lapsed(offer, e), "accept", "lapsed")
        if c["extent"] == "full":
            need(not c["received"], "accept", "received stands with part")
        else:
            need(offer.effect == "custody.offer", "accept", "part of what cannot be parted")
            lots = offer.content["lots"]
            need([x["lot"] for x in lots] == [x["lot"] for x in c["received"]], "accept", "not the lots offered")
            for a, b in ((x["quantity"], y["quantity"]) for x, y in zip(lots, c["received"], strict=True)):
                fits = b["basis"] == "stated" and a["unit"] == b["unit"]
                need(fits and b["amount"] <= a.get("amount", MAX_INTEGER), "accept", "a quantity that was not offered")
        if c["condition"]:
            need(pack and c["condition"]["confirmer"] in pack.parties and not custody, "accept", "its condition")

    def admit(self, e: Entry, stamps: list[tuple[str, int, int]]) -> None:
        """Takes an admissible entry into account."""
        self.admitted[e.party].append(e)
        f, first = e.frame, self.first_reference(e)
        for by, size, stamp in stamps:
            sizes, numbers = self.cited.setdefault((e.party, by), ([0], [0]))
            sizes.append(size)
            numbers.append(e.number)
            self.stamps.setdefault(e.party, []).append((size, stamp))
        target = (first.party, first.number) if first else ("", 0)
        if f["act"] == "offer":
            key = (f["thread"]["party"], f["thread"]["number"]) if f["thread"] else (e.party, e.number)
            offer = Offer(e, e.format["effect"] or "", key, frozenset([e.party, *f["named"]]))
            self.offers[offer.key] = offer
            self.threads.setdefault(key, {}).setdefault(e.party, []).append(offer)
        elif f["format"] == "accept":
            self.offers[target].accepts[e.party] = e
            self.acceptances[e.party, e.number] = self.offers[target]
        elif f["format"] == "refuse":
            self.offers[target].refusals[e.party] = e.number
        elif f["format"] == "lapse":
            self.offers[target].lapses[e.party] = e.number
        elif f["format"] == "condition":
            self.decided[target] = (e, f["content"]["outcome"])
        elif f["format"] == "adopt":
            digest = f["content"]["pack"]
            self.adopted[e.party, self.packs[digest].replaces] = (e.number, digest)
        elif f["format"] == "branch":
            c, journal = f["content"], self.journals[e.party]
            if c["size"] <= journal.size and journal.tree.root(c["size"]).hex() == c["root"]:
                self.branches.add(e.party)
        self.custody.post(e)
        if f["format"] == "correct":
            self.corrections[target] = f["content"]["content"]

    # settlement, What follows: each of these is said of a view V

    def superseded(self, offer: Offer, v: View) -> bool:
        """Whether a later offer of the thread, in the view, covers it."""
        for offers in self.threads[offer.thread].values():
            i = bisect_right(offers, v.sees(offers[0].entry.party), key=lambda o: o.entry.number)
            if i and offers[i - 1] is not offer and offers[i - 1].entry.sees(offer.entry.party) >= offer.entry.number:
                return True
        return False

    def crossed(self, offer: Offer, v: View) -> bool:
        """Whether another offer of the thread, in the view, neither covers it nor is covered by it."""
        for party, offers in self.threads[offer.thread].items():
            i = bisect_right(offers, offer.entry.sees(party), key=lambda o: o.entry.number)
            if party == offer.entry.party or i == len(offers):
                continue
            first = offers[i].entry  # the first it does not cover; if that one covers it, so do the later ones
            if first.number <= v.sees(party) and first.sees(offer.entry.party) < offer.entry.number:
                return True
        return False

    def refused(self, offer: Offer, v: View) -> bool:
        return any(number <= v.sees(party) for party, number in offer.refusals.items())

    def accepted(self, offer: Offer, v: View) -> bool:
        answers = (offer.accepts.get(party) for party in offer.entry.frame["named"])
        return all(a is not None and a.number <= v.sees(a.party) for a in answers) and not self.crossed(offer, v)

    def lapsed(self, offer: Offer, v: View) -> bool:
        """Whether enough of the other parties declared it lapsed, where the pack lets them."""
        outside = offer.outside if offer.may_lapse else frozenset()
        said = sum(offer.lapses.get(party, MAX_INTEGER + 1) <= v.sees(party) for party in outside)
        return said > 0 and said >= offer.pack.needed(len(outside))

    def attests(self, party: str, e: Entry, offer: Offer, v: View) -> bool:
        """Whether a party outside attests an entry of a thread: by a receipt cited, or by an entry that covers it."""
        if offer.may_lapse:
            rows = self.admitted.get(party, [])
            i = bisect_right(rows, v.sees(party), key=lambda x: x.number)
            covers = i > 0 and rows[i - 1].sees(e.party) >= e.number
            return covers and offer.lapses.get(party, MAX_INTEGER + 1) > v.sees(party)
        sizes, numbers = self.cited.get((e.party, party), ([], []))
        i = bisect_left(sizes, e.number)
        return i < len(sizes) and numbers[i] <= v.sees(e.party)

    def settled(self, offer: Offer, v: View) -> bool:
        if not self.accepted(offer, v):
            return False
        outside = offer.outside
        for e in [offer.entry, *offer.accepts.values()]:
            if sum(self.attests(party, e, offer, v) for party in outside) < offer.pack.needed(len(outside)):
                return False
        return True

    def has_effect(self, offer: Offer, v: View) -> bool:
        if offer.key not in self.memo:
            self.memo[offer.key] = self.settled(offer, v) and all(self.confirmed(a, v) for a in offer.accepts.values())
        return self.memo[offer.key]

    def confirmed(self, a: Entry, v: View) -> bool:
        if a.frame["content"]["condition"] is None:
            return True
        e, outcome = self.decided.get((a.party, a.number), (None, ""))
        return e is not None and e.number <= v.sees(e.party) and outcome == "confirmed"


def misfit_format(f: Json, content: Json) -> str:
    """What in a content does not fit a format of a pack: its schema, the shape of its effect, its evidence (step 8)."""
    bad = misfit(f["fields"], content, "content", sealed=True)
    if not bad and f["effect"]:
        bad = misfit(EFFECTS[f["effect"]][1], content, "content")
    if not bad and f["performs"] and "performs" in content:
        bad = misfit(PERFORMS, content["performs"], "performs")
        if not bad and any(p.get("done", 0) > p.get("of", 0) for p in content["performs"]):
            bad = "performs: more is done than there is"
        if not bad and len({p["obligation"] for p in content["performs"]}) < len(content["performs"]):
            bad = "performs: an obligation occurs twice"
    try:
        if not bad and f["effect"] == "obligations.extend":
            read_date(content["due"])
        for figure in content["figures"] if not bad and f["effect"] == "custody.figure" else []:
            read_span(figure["as-of"])
    except Malformed as error:
        return str(error)
    return bad


def sealed_digests(value: Json) -> set[str]:
    """Every digest that stands under `_sd` in a content (sealing)."""
    if isinstance(value, list):
        return set().union(*map(sealed_digests, value))
    if not isinstance(value, dict):
        return set()
    own = {x for x in value["_sd"] if isinstance(x, str)} if isinstance(value.get("_sd"), list) else set()
    return own.union(*map(sealed_digests, value.values()))


def is_disclosure(text: str) -> bool:
    """Whether it is base64url of the JSON text of a salt of 128 bits or more, a name and a value (sealing)."""
    try:
        value = parse(from_base64url(text))
        if not isinstance(value, list) or len(value) != 3 or value[1] in ("_sd", "..."):
            return False
        return isinstance(value[1], str) and len(from_base64url(value[0])) >= 16
    except (Malformed, TypeError):
        return False


def from_base64url(text: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise Malformed("not base64url")
    return from_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))


def digest_of(disclosure: str) -> str:
    hashed = hashlib.sha256(disclosure.encode()).digest()
    return base64.urlsafe_b64encode(hashed).decode().rstrip("=")


# --------------------------------------------------------------------------------------------------- custody (custody)


@dataclass(slots=True, eq=False)
class State:
    """A lot from one entry on, until the next state or an offer changes it."""

    party: str
    number: int
    account: str
    amount: int | None
    unit: str
    kind: str
    place: str
    ended: bool = False
    offers: dict[str, list[tuple[int, Offer, int]]] = field(default_factory=dict)  # by author: number, offer, row


@dataclass(slots=True, eq=False)
class Pool:
    total: int | None
    lots: list[Lot] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Lot:
    party: str
    number: int
    row: int
    pool: Pool
    born: Offer | None  # it exists where this offer has effect; else where its entry is
    states: list[State]

    @property
    def name(self) -> str:
        return f"{self.party}/{self.number}/{self.row}"


SHOWN_ONLY = {f"custody.{x}" for x in ("figure", "finding", "issue", "seal", "condition", "contest")}


def lots_named(effect: str, c: Json) -> list[str]:
    """The lots a content names, in its order."""
    what = effect.removeprefix("custody.")
    if what in ("split", "move", "seal", "condition"):
        return [c["lot"]]
    if what in ("merge", "loss", "consume"):
        return list(c["lots"])
    return [x["lot"] for x in c["lots"]] if what in ("offer", "destroy", "resolve") else []


def rows_of(effect: str, c: Json) -> list[Json]:
    member = {
        "custody.declare": "lots",
        "custody.found": "lots",
        "custody.split": "parts",
        "custody.destroy": "residue",
    }
    return list(c[member[effect]]) if effect in member else []


class Custody:
    """Who holds what, by the postings of the record."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.lots: dict[str, Lot] = {}
        self.opened: dict[Key, list[Lot]] = {}  # by the entry that names them
        self.declared: dict[Key, list[tuple[Lot, Json]]] = {}  # a declaration's rows, as corrected
        self.serials: dict[tuple[str, str], dict[str, Lot]] = {}  # (kind, serial): by party
        self.raised: set[tuple[str, int, str, str]] = set()  # party, number, code, lot

    def note(self, e: Entry | Lot, code: str, lot: str = "") -> None:
        self.raised.add((e.party, e.number, code, lot))

    # a lot, as a view shows it

    def exists(self, lot: Lot | None, v: View) -> bool:
        if lot is None:
            return False
        return self.record.has_effect(lot.born, v) if lot.born else lot.number <= v.sees(lot.party)

    def situation(self, lot: Lot, v: View) -> tuple[State, Offer | None]:
        """The state of a lot in a view, and the open offer that locks it. Its states follow one another causally."""
        s = lot.states[bisect_left(lot.states, True, key=lambda x: x.number > v.sees(x.party)) - 1]
        lock, effective = None, []
        for author, rows in s.offers.items():
            i = bisect_right(rows, v.sees(author), key=lambda x: x[0])
            if i:  # an earlier one was refused, or lapsed, in its author's past, or this one would not stand
                _, offer, row = rows[i - 1]
                if self.record.has_effect(offer, v):
                    effective.append((offer.key, row))
                elif not self.record.refused(offer, v) and not self.record.lapsed(offer, v):
                    lock = offer
        if effective:
            key, row = min(effective)
            return self.outcome(s, self.record.offers[key], row), None
        if lock and lock.effect == "custody.offer":
            s = replace(s, account=f"transit/{lock.entry.party}/{lock.content['receiver']}")
        return s, lock

    def outcome(self, s: State, offer: Offer, row: int) -> State:
        """Rules 5 to 7: where a lot is when an offer of it has effect."""
        c = offer.content
        if offer.effect == "custody.destroy":
            return replace(s, account=f"destroyed/{offer.entry.party}", offers={})
        if offer.effect == "custody.resolve":
            return replace(s, account=f"held/{c['holder']}", offers={})
        answer = offer.accepts[c["receiver"]].frame["content"]
        amount = s.amount if answer["extent"] == "full" else answer["received"][row]["quantity"]["amount"]
        ended = amount == 0 and answer["extent"] == "part"
        return replace(s, account=f"held/{c['receiver']}", amount=amount, place=c["place"], ended=ended, offers={})

    def find(self, name: str, e: Entry) -> Lot:
        lot = self.lots.get(name)
        need(self.exists(lot, e), "unknown-lot")
        assert lot is not None
        return lot

    def open(
        self, e: Entry, row: int, account: str, x: Json, pool: Pool | None = None, born: Offer | None = None
    ) -> Lot:
        q = x["quantity"]
        state = State(e.party, e.number, account, q.get("amount"), q["unit"], x["kind"], x["place"])
        lot = Lot(e.party, e.number, row, pool or Pool(q.get("amount")), born, [state])
        lot.pool.lots.append(lot)
        self.lots[lot.name] = lot
        self.opened.setdefault((e.party, e.number), []).append(lot)
        return lot

    def push(self, lot: Lot, e: Entry, s: State, **changes: Any) -> State:
        lot.states.append(replace(s, party=e.party, number=e.number, **changes))
        return lot.states[-1]

    # postings

    def post(self, e: Entry) -> None:
        f, first = e.frame, self.record.first_reference(e)
        effect = (e.format or {}).get("effect") or ""
        names: list[str] = []
        try:
            if f["format"] == "accept":
                self.take_rest(e)
            elif f["format"] == "correct" and first and (first.format["effect"] or "").startswith("custody."):
                self.correct(e, first, first.format["effect"])
            elif effect.startswith("custody."):
                names = lots_named(effect, f["content"])
                self.apply(e, effect, f["content"], names)
        except Refused as refused:
            e.posting = refused.code
            self.note(e, f"posting/{refused.code}", names[0] if len(set(names)) == 1 else "")

    def apply(self, e: Entry, effect: str, c: Json, names: list[str]) -> None:
        """Rule 1, then what the effect says."""
        found = [] if effect == "custody.resolve" else [self.check_lot(n, e, effect) for n in names]
        if effect in ("custody.merge", "custody.move", "custody.offer", "custody.destroy"):
            self.check_row(e, c.get("kind") if effect == "custody.merge" else None, None, c["place"])
        for x in rows_of(effect, c):
            self.check_row(e, x["kind"], x["quantity"]["unit"], x["place"])
        if effect in ("custody.declare", "custody.found"):
            self.declare(e, effect, c)
        elif effect == "custody.split":
            self.split(e, c, found[0][0], found[0][1])
        elif effect == "custody.merge":
            self.merge(e, c, [(lot, s) for lot, s, _ in found])
        elif effect == "custody.move":
            self.push(found[0][0], e, found[0][1], place=c["place"])
        elif effect in ("custody.offer", "custody.destroy", "custody.resolve"):
            if effect == "custody.resolve":
                found = [self.check_disputed(n, e) for n in names]
            self.offer(e, effect, c, [(lot, s) for lot, s, _ in found])
        elif effect in ("custody.loss", "custody.consume"):
            for lot, s, lock in found:
                if s.account.startswith("transit/"):
                    self.note(e, "loss-in-transit", lot.name)
                else:  # under an open destruction the offer stays: when it has effect, the lot is destroyed
                    account = ("lost/" if effect == "custody.loss" else "consumed/") + e.party
                    self.push(lot, e, s, account=account, offers=s.offers if lock else {})
        elif effect == "custody.contest":
            for r in e.frame["refers-to"]:
                t = self.record.at(r)
                inner = (t.format or {}).get("effect") or ""
                named = lots_named(inner, t.frame["content"]) if t.status == "admissible" else []
                opens = inner in ("custody.declare", "custody.found")
                for name in {*named, *(x.name for x in self.opened.get((t.party, t.number), []) if opens)}:
                    self.note(e, "contested", name)

    def check_lot(self, name: str, e: Entry, effect: str) -> tuple[Lot, State, Offer | None]:
        lot = self.find(name, e)
        s, lock = self.situation(lot, e)
        need(s.account == f"held/{e.party}" or s.account.startswith(f"transit/{e.party}/"), "not-custodian")
        need(not s.ended, "lot-closed")
        need(not lock or effect in ("custody.seal", "custody.condition", "custody.loss"), "locked")
        return lot, s, lock

    def check_disputed(self, name: str, e: Entry) -> tuple[Lot, State, Offer | None]:
        lot = self.find(name, e)
        s, lock = self.situation(lot, e)
        kind, *two = s.account.split("/")
        others = [p for p in two if p != e.party]
        need(kind == "disputed" and e.party in two and e.frame["named"] == others, "not-custodian")
        need(not lock, "locked")
        return lot, s, lock

    def check_row(self, e: Entry, kind: str | None, unit: str | None, place: str) -> None:
        assert e.pack is not None
        need(kind is None or kind in e.pack.items, "kind")
        need(unit is None or kind is None or e.pack.items[kind]["unit"] == unit, "unit")
        need(place in e.pack.places, "place")

    def check_serials(self, e: Entry, rows: list[Json]) -> None:
        keys = [(x["kind"], x["serial"]) for x in rows if "serial" in x]
        fresh = all(e.party not in self.serials.get(k, {}) for k in keys)
        need(fresh and len(set(keys)) == len(keys), "duplicate-serial")

    def take_serial(self, x: Json, lot: Lot) -> None:
        if "serial" in x:
            holders = self.serials.setdefault((x["kind"], x["serial"]), {})
            holders[lot.party] = lot
            for other in holders.values() if len(holders) > 1 else ():
                self.note(other, "duplicate-serial", other.name)

    def declare(self, e: Entry, effect: str, c: Json) -> None:
        self.check_serials(e, c["lots"])
        account = f"held/{e.party}" if effect == "custody.declare" else "found"
        rows = [(self.open(e, i, account, x), x) for i, x in enumerate(c["lots"])]
        for lot, x in rows:
            self.take_serial(x, lot)
        if effect == "custody.declare":
            self.declared[e.party, e.number] = rows

    def split(self, e: Entry, c: Json, lot: Lot, s: State) -> None:
        assert e.pack is not None
        need(all(e.pack.is_within(x["kind"], s.kind) for x in c["parts"]), "kind")
        amounts = [x["quantity"].get("amount") for x in c["parts"]]
        rest = None
        if s.amount is not None and None not in amounts:
            rest = s.amount - sum(amounts)
            need(rest >= 0, "overdrawn")
        self.push(lot, e, s, amount=rest, ended=rest == 0)
        for i, x in enumerate(c["parts"]):
            self.open(e, i, f"held/{e.party}", x, lot.pool)

    def merge(self, e: Entry, c: Json, found: list[tuple[Lot, State]]) -> None:
        assert e.pack is not None
        need(len({lot.name for lot, _ in found}) == len(found), "lot-closed")
        need(len({id(lot.pool) for lot, _ in found}) == 1, "pool")
        need(all(e.pack.is_within(s.kind, c["kind"]) for _, s in found), "kind")
        amounts = [s.amount for _, s in found]
        known = [a for a in amounts if a is not None]
        need(len(known) < len(amounts) or sum(known) <= MAX_INTEGER, "overdrawn")
        quantity = {"unit": found[0][1].unit} | ({"amount": sum(known)} if len(known) == len(amounts) else {})
        for lot, s in found:
            self.push(lot, e, s, ended=True)
        row = {"kind": c["kind"], "place": c["place"], "quantity": quantity}
        self.open(e, 0, f"held/{e.party}", row, found[0][0].pool)

    def offer(self, e: Entry, effect: str, c: Json, found: list[tuple[Lot, State]]) -> None:
        if effect != "custody.resolve":
            self.check_quantities(c, found)
        need(len({lot.name for lot, _ in found}) == len(found), "locked")
        if effect == "custody.resolve":
            self.check_quantities(c, found)
            need(all(c["holder"] in s.account.split("/")[1:] for _, s in found), "holder")
        offer = self.record.offers[e.party, e.number]
        offer.posted = True
        for i, (lot, s) in enumerate(found):
            state = s if lot.states[-1] is s else self.push(lot, e, s)
            state.offers.setdefault(e.party, []).append((e.number, offer, i))
        for i, x in enumerate(c["residue"] if effect == "custody.destroy" else ()):
            self.open(e, i, f"held/{e.party}", x, born=offer)

    def check_quantities(self, c: Json, found: list[tuple[Lot, State]]) -> None:
        for (_, s), x in zip(found, c["lots"], strict=True):
            need((s.amount, s.unit) == (x["quantity"].get("amount"), x["quantity"]["unit"]), "quantity")

    def take_rest(self, e: Entry) -> None:
        """Rule 5: what was offered and not received is in dispute, from when the offer has effect."""
        offer, answer = self.record.acceptances[e.party, e.number], e.frame["content"]
        if not offer.posted or answer["extent"] != "part":
            return
        c, giver = offer.content, offer.entry.party
        for i, (x, y) in enumerate(zip(c["lots"], answer["received"], strict=True)):
            whole, part, lot = x["quantity"].get("amount"), y["quantity"]["amount"], self.lots[x["lot"]]
            if whole != part:
                s, _ = self.situation(lot, e)
                q = {"unit": s.unit} | ({} if whole is None else {"amount": whole - part})
                row = {"kind": s.kind, "place": s.place, "quantity": q}  # what did not come stayed
                self.open(e, i, f"disputed/{giver}/{e.party}", row, lot.pool, offer)

    def correct(self, e: Entry, first: Entry, effect: str) -> None:
        """Rule 9."""
        if effect in SHOWN_ONLY:
            return
        current = self.declared.get((first.party, first.number))
        if current is None:  # another effect, or a declaration that was not posted
            self.note(e, "late-correction")
            return
        rows = e.frame["content"]["content"]["lots"]
        for x in rows:
            self.check_row(e, x["kind"], x["quantity"]["unit"], x["place"])
        self.check_serials(e, rows[len(current) :])
        for i, (lot, old) in enumerate(current):
            if i >= len(rows):
                self.note(e, "late-correction", lot.name)
            elif encode(rows[i]) != encode(old):
                s, lock = self.situation(lot, e)
                now, q = (s.amount, s.unit, s.kind, s.place), old["quantity"]
                before = (q.get("amount"), q["unit"], old["kind"], old["place"])
                if s.account == f"held/{e.party}" and not s.ended and not lock and now == before:
                    q = rows[i]["quantity"]
                    changes = {
                        "amount": q.get("amount"),
                        "unit": q["unit"],
                        "kind": rows[i]["kind"],
                        "place": rows[i]["place"],
                    }
                    self.push(lot, e, s, **changes)
                    lot.pool.total = q.get("amount")
                    current[i] = (lot, rows[i])
                else:
                    self.note(e, "late-correction", lot.name)
        for i, x in enumerate(rows[len(current) :], len(current)):
            current.append((self.open(e, i, f"held/{e.party}", x), x))
            self.take_serial(x, current[-1][0])

    # the document

    def document(self) -> dict[str, Json]:
        """The balances document."""
        live: dict[str, State] = {}
        for lot in sorted(self.lots.values(), key=lambda x: (x.party, x.number, x.row)):
            if self.exists(lot, WHOLE):
                s, _ = self.situation(lot, WHOLE)
                if not s.ended:
                    live[lot.name] = s
        lots: list[Json] = []
        accounts: dict[tuple[str, str], Json] = {}
        for name, s in live.items():
            basis, amount = "stated", s.amount
            if amount is None:
                amount = self.derived(self.lots[name].pool, live)
                basis = "not-stated" if amount is None else "derived"
            lots.append({
                "account": s.account, "amount": amount, "basis": basis, "kind": s.kind, "lot": name,
                "place": s.place, "unit": s.unit,
            })  # fmt: skip
            blank = {"account": s.account, "derived": 0, "stated": 0, "unit": s.unit, "unstated": 0}
            row = accounts.setdefault((s.account, s.unit), blank)
            if amount is None:
                row["unstated"] += 1
            else:
                row[basis] += amount
        found = sorted(self.discrepancies(live))
        for row in accounts.values():  # what canonical JSON cannot say is null
            row.update({k: None for k in ("stated", "derived") if row[k] > MAX_INTEGER})
        return {
            "accounts": [accounts[k] for k in sorted(accounts)],
            "discrepancies": [{"code": c, "entry": f"{p}/{n}", "lot": lot or None} for p, n, c, lot in found],
            "lots": lots,
            "servanda-balances": 1,
        }

    def derived(self, pool: Pool, live: dict[str, State]) -> int | None:
        """What the only lot of a pool that is not stated must be, given the pool's total."""
        amounts = [live[x.name].amount for x in pool.lots if x.name in live]
        known = [a for a in amounts if a is not None]
        if pool.total is None or len(known) != len(amounts) - 1 or sum(known) > pool.total:
            return None
        return pool.total - sum(known)

    def discrepancies(self, live: dict[str, State]) -> set[tuple[str, int, str, str]]:
        found = {x for x in self.raised if not (x[2] == "contested" and not self.exists(self.lots.get(x[3]), WHOLE))}
        for name, s in live.items():
            if s.account.startswith("disputed/"):
                found.add((self.lots[name].party, self.lots[name].number, "short", name))
        for offer in self.record.offers.values():
            if offer.effect.startswith("custody."):
                e, accepted = offer.entry, self.record.accepted(offer, WHOLE)
                over = self.record.refused(offer, WHOLE) or self.record.lapsed(offer, WHOLE) or not offer.posted
                if not over and not self.record.has_effect(offer, WHOLE):
                    found.add((e.party, e.number, "not-settled" if accepted else "unanswered", ""))
        for pool in {id(x.pool): x.pool for x in self.lots.values()}.values():
            known = [a for x in pool.lots if x.name in live and (a := live[x.name].amount) is not None]
            if pool.total is not None and sum(known) > pool.total:
                found.add((pool.lots[0].party, pool.lots[0].number, "pool-exceeded", pool.lots[0].name))
        return found


# ------------------------------------------------------------------------------------------- obligations (obligations)


class Evidence(NamedTuple):
    entry: Entry
    first: date | None
    last: date | None
    done: int
    of: int
    full: bool

    def order(self) -> tuple[date, date, str, int]:
        """By last day, first day, party, number; unknown counts as latest."""
        return self.last or date.max, self.first or date.max, self.entry.party, self.entry.number


def end_of(due: date, days: int, sign: int, time: Json) -> date | None:
    """A date so many days after (or before) another; working days leave out Saturdays, Sundays and holidays."""
    holidays = {read_date(x) for x in time["holidays"]} if time["days"] == "working" else set()
    try:
        if time["days"] == "calendar":
            return due + timedelta(days=sign * days)
        while days:
            due += timedelta(days=sign)
            days -= due.weekday() < 5 and due not in holidays
    except OverflowError:
        return None
    return due


class Obligations:
    """What is due, and what the record shows, at a date."""

    def __init__(self, record: Record, at: date) -> None:
        self.record, self.at = record, at
        self.pack = record.in_force(WHOLE)
        self.evidence: dict[str, list[Evidence]] = {}
        self.by_format: dict[str, list[Entry]] = {}
        self.suspensions: dict[tuple[str, str], str] = {}  # (obligation, party): its latest notice
        self.earliest = {party: self.receipt_days(rows) for party, rows in record.stamps.items()}
        self.offers: dict[tuple[str, str], Json] = {}  # (effect, obligation): content of the last with effect
        for _, offer in sorted(record.offers.items()):
            if offer.effect in ("obligations.extend", "obligations.supersede") and record.has_effect(offer, WHOLE):
                self.offers[offer.effect, offer.content["obligation"]] = offer.content
        for journal in record.journals.values():
            for e in journal.entries:
                if e.status == "admissible" and e.format:
                    self.take(e)

    @staticmethod
    def receipt_days(rows: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
        """Sizes in order, and for each the earliest time stamp of a receipt of that size or more."""
        rows, stamps, low = sorted(rows), [], 2**64
        for _, stamp in reversed(rows):
            low = min(low, stamp)
            stamps.append(low)
        return [size for size, _ in rows], stamps[::-1]

    def interval(self, e: Entry) -> Span:
        """The days of an entry (obligations, Evidence)."""
        if self.pack is None or self.pack.time["basis"] == "event":
            return read_span(e.frame["event-at"])
        sizes, stamps = self.earliest.get(e.party, ([], []))
        i = bisect_left(sizes, e.number)
        last = None
        if i < len(sizes) and stamps[i] < 253_402_300_800:  # the year 10000
            last = datetime.fromtimestamp(stamps[i], UTC).date()
        return Span(read_time(e.frame["released-at"]).date(), last)

    def take(self, e: Entry) -> None:
        self.by_format.setdefault(e.frame["format"], []).append(e)
        content = self.record.corrections.get((e.party, e.number), e.frame["content"])
        if e.format["effect"] == "obligations.suspend":
            for x in e.frame["content"]["obligations"]:
                self.suspensions[x, e.party] = e.frame["content"]["state"]
        span = self.interval(e)
        if not e.format["performs"] or not span.exists:
            return
        best: dict[str, Evidence] = {}
        for p in content.get("performs", ()):
            full = p["extent"] == "full"
            x = Evidence(e, span.first, span.last, 1 if full else p["done"], 1 if full else p["of"], full)
            old = best.setdefault(p["obligation"], x)
            if not old.full and (full or x.done * old.of > old.done * x.of):
                best[p["obligation"]] = x
        for name, x in best.items():
            self.evidence.setdefault(name, []).append(x)

    def event_day(self, name: str) -> date | None:
        assert self.pack is not None
        event = self.pack.events.get(name)
        if event is None or "date" in event:
            return None if event is None else read_date(event["date"])
        spans = [(read_span(e.frame["event-at"]), e) for e in self.by_format.get(event["format"], ())]
        known = [(s.last, s.first or date.max, e.party, e.number) for s, e in spans if s.last and s.exists]
        return min(known)[0] if known else None

    def trigger(self, due: Json) -> Evidence | None:
        """The last entry of the trigger format, by its last day; one whose last day is not known sets no date."""
        spans = [(e, self.interval(e)) for e in self.by_format.get(due["trigger"], ())]
        found = [Evidence(e, s.first, s.last, 1, 1, True) for e, s in spans if s.last and s.exists]
        return max(found, key=Evidence.order) if found else None

    def rule_day(self, due: Json, trigger: Evidence | None) -> date | None:
        """The due date by the rule alone."""
        assert self.pack is not None
        if due["rule"] in ("fixed", "share"):
            return read_date(due["date"])
        if due["rule"] == "recurring":
            return read_date(due["first"])
        if due["rule"] in ("days-after", "before"):
            day = self.event_day(due["event"])
            return day and end_of(day, due["days"], 1 if due["rule"] == "days-after" else -1, self.pack.time)
        if trigger and trigger.last:
            calendar = {"days": "calendar", "holidays": []}
            return end_of(trigger.last, min(due["hours"] // 24, 10**6), 1, calendar)
        return None

    def row(self, o: Json) -> Json:
        """One obligation, judged."""
        due, name = o["due"], o["id"]
        part, of = (due["part"], due["of"]) if due["rule"] == "share" else (1, 1)
        judged_by = o["judged-by"] or [x.entry.party for x in self.evidence.get(name, ())]
        all_ = sorted((x for x in self.evidence.get(name, ()) if x.entry.party in judged_by), key=Evidence.order)
        trigger = self.trigger(due) if due["rule"] == "triggered" else None
        if due["rule"] == "triggered":  # only what refers to the trigger counts
            mark = trigger.entry if trigger else None
            refs = [(x, [self.record.at(r) for r in x.entry.frame["refers-to"]]) for x in all_]
            all_ = [x for x, entries in refs if any(e is mark for e in entries)]
        complete = [x for x in all_ if x.full or x.done * of >= part * x.of]
        own = self.rule_day(due, trigger)
        extension = self.offers.get(("obligations.extend", name))
        day = read_date(extension["due"]) if extension else own
        shown = (all_ if due["rule"] == "recurring" else complete)[:1]
        late = [(x - day).days if x and day else None for x in shown[0][1:3]] if shown else [None, None]
        by_day = [x for x in all_ if day and (x.last or date.max) >= day] or all_[-1:] if day else []
        met_on = None
        if shown:
            by_event = self.pack is not None and self.pack.time["basis"] == "event"
            met_on = shown[0].entry.frame["event-at"] if by_event else text_of(shown[0].last)
        return {
            "days-late": late[0] if late[0] == late[1] else None, "days-late-min": late[0], "days-late-max": late[1],
            "due": text_of(day), "first-due": text_of(own), "evidence": [x.entry.name for x in all_],
            "extent": [by_day[0].done, by_day[0].of] if by_day else None,
            "extent-latest": [all_[-1].done, all_[-1].of] if all_ else None,
            "id": name, "met-on": met_on, "outcome": self.outcome(all_, [x for x in shown if x in complete], day),
            "status": self.status(o, day, all_, complete, trigger),
            "superseded-by": self.offers.get(("obligations.supersede", name), {}).get("by"),
        }  # fmt: skip

    @staticmethod
    def outcome(all_: list[Evidence], complete: list[Evidence], day: date | None) -> str:
        if complete:
            first = complete[0].first
            return "met-late" if first and day and first > day else "met"
        return "partly-met" if all_ else "none"

    def status(self, o: Json, day: date | None, all_: list[Evidence], complete: list[Evidence], trigger: object) -> str:
        """The table of obligations, Judgement at a date T."""
        rule, name = o["due"]["rule"], o["id"]
        if ("obligations.supersede", name) in self.offers:
            return "superseded"
        if any(self.suspensions.get((name, party)) == "suspended" for party in o["obligors"]):
            return "suspended"
        if rule in ("recurring", "continuous"):
            return "recurring" if rule == "recurring" else "continuing"
        if rule == "unstated":
            return "met" if complete else "not-stated"
        if rule == "triggered" and not trigger:
            return "not-triggered"
        if day is None:
            return "pending"
        if complete:
            first, last = complete[0][1:3]
            return "met" if last and last <= day else "missed" if first and first > day else "disputed"
        if self.at <= day:
            return "extended" if ("obligations.extend", name) in self.offers else "due"
        return "partly-met" if all_ else str(o["absence"])

    def document(self) -> dict[str, Json]:
        rows = [self.row(o) for o in self.pack.obligations] if self.pack else []
        return {"at": text_of(self.at), "obligations": rows, "servanda-obligations": 1}


def text_of(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


# ----------------------------------------------------------------------------------------- forks (journal, settlement)

FORK = obj({"consistency": some(HASH, 0, 64), "first": STRING, "second": STRING, "servanda-fork": {"const": 1}})


def forked_party(raw: bytes, journals: dict[str, Journal]) -> str:
    """Whose fork a proof proves; Malformed if it proves none (journal, Proof of a fork)."""
    value = decode(raw)
    if bad := misfit(FORK, value, "proof"):
        raise Malformed(bad)
    first, second = (read_note(value[name].encode()) for name in ("first", "second"))
    journal = next((j for j in journals.values() if j.origin == first.origin), None)
    if journal is None or first.origin != second.origin:
        raise Malformed("its notes are not of one journal that is here")
    for note in (first, second):
        own = [(raw, journal.centre_keys.get(raw[:4])) for name, raw in note.lines if name == note.origin]
        if not any(public and line_holds(note.origin, raw, 1, public, note) for raw, public in own):
            raise Malformed(f"the note of size {note.size} is not signed by a centre key of {journal.party}")
    path = [bytes.fromhex(x) for x in value["consistency"]]
    if first.size == second.size and first.root != second.root and not path:
        return journal.party
    if not 0 < first.size < second.size or not path:
        raise Malformed("it proves no fork")
    root1, root2 = roots_of_path(first.size, second.size, path)
    if root2 != second.root or root1 == first.root:
        raise Malformed("it proves no fork")
    return journal.party


def upheld(record: Record, party: str) -> int:
    """Up to which number the entries of a forked journal have effect (settlement, Forks)."""
    pack = record.in_force(WHOLE) or record.packs[record.agreement]
    quorum = len(pack.parties) - 2 if pack.quorum is None else pack.quorum
    sizes = {by: found[0][-1] for (journal, by), found in record.cited.items() if journal == party}
    for other, n in record.done.items():
        if other != party and n:
            head = record.journals[other].entries[n - 1].heads.get(party, 0)
            sizes[other] = max(head, sizes.get(other, 0))
    order = sorted(sizes.values(), reverse=True)
    return order[max(1, quorum) - 1] if len(order) >= max(1, quorum) else 0


# ------------------------------------------------------------------------------------------------ the dossier (bundle)

MANIFEST = obj({
    "agreement": HASH, "as-of": STRING, "exporter": PARTY,
    "files": some(obj({"path": STRING, "sha256": HASH, "size": NATURAL})),
    "journals": some(obj({"party": PARTY, "root": HASH, "size": NATURAL})), "servanda-bundle": {"const": 1},
    "purpose": one_of("courier", "backup", "dossier"),
    "registers": either(obj({}), obj({"custody": HASH, "obligations": HASH})),
})  # fmt: skip
OPENING = {**obj({"disclosure": {}, "entry": REFERENCE})}
PLACE = re.compile(
    r"packs/(?P<pack>[0-9a-f]{64})\.json|proofs/(?P<proof>[a-z0-9.-]+)\.json|openings/(?P<opening>[a-z][a-z0-9-]{0,31})\.jsonl"
    r"|journals/(?P<party>[a-z][a-z0-9-]{0,31})/(entries\.jsonl|checkpoint\.txt|receipts/(?P<by>[a-z][a-z0-9-]{0,31})\.txt)"
)


class Dossier:
    """One bundle, verified from outside in. `problems` is empty if all of it holds, else in the order found."""

    def __init__(self, raw: bytes, pins: dict[str, str], expect: dict[str, int], allow_unpinned: bool) -> None:
        self.problems: list[Problem] = []
        self.unchecked: list[str] = []
        self.counts: dict[str, int] = {}
        self.packs: dict[str, Pack] = {}
        self.journals: dict[str, Journal] = {}
        self.forks: dict[str, int] = {}
        self.record: Record | None = None
        self.registers: dict[str, Json] = {}
        self.pins, self.expect, self.allow_unpinned = pins, expect, allow_unpinned
        try:
            self.files = {m.name: m for m in read_archive(raw)}
            self.manifest, self.envelope = self.read_manifest()
            self.read_contents()
            self.check_outside()
            self.check_record()
        except Broken as broken:
            self.problems.append(broken.problem)

    def wrong(self, where: str, what: str, entry: str | None = None, offset: int | None = None) -> None:
        at = None if offset is None else self.files[where].at + offset
        self.problems.append(Problem(where, what, entry, offset, at))

    def count(self, what: str, by: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + by

    # the files and their digests

    def read_manifest(self) -> tuple[Json, Envelope]:
        member = self.files["manifest.json"]
        try:
            envelope = read_envelope(member.data, MANIFEST_TYPE)
            m = decode(envelope.payload)
            if bad := misfit(MANIFEST, m, "manifest"):
                raise Malformed(bad)
            if bad := unsorted([x["path"] for x in m["files"]], "files") or unsorted(
                [x["party"] for x in m["journals"]], "journals"
            ):
                raise Malformed(bad)
            read_time(m["as-of"])
            if (m["purpose"] == "courier") != (m["registers"] == {}):
                raise Malformed("registers belong to backups and dossiers")
            if zlib.crc32(member.data) != member.crc:
                raise Malformed("it does not match its checksum")
        except Malformed as bad_manifest:
            place = None if zlib.crc32(member.data) == member.crc else next(one_damaged_byte(member), (None, 0))[0]
            at = None if place is None else member.at + place
            raise Broken(Problem("manifest.json", str(bad_manifest), None, place, at)) from bad_manifest
        return m, envelope

    def read_contents(self) -> None:
        """Every file: listed, of a known name, with the digest listed; then packs and journals are read."""
        listed = {x["path"]: x for x in self.manifest["files"]}
        for name in sorted({*self.files, *listed} - {"manifest.json"}):
            if name not in self.files or name not in listed:
                self.wrong(name, "listed in the manifest, but not here" if name in listed else "here, but not listed")
            elif not PLACE.fullmatch(name):
                self.wrong(name, "a file that a bundle does not have")
        agreement = self.manifest["agreement"]
        for name, member in self.files.items():
            match = PLACE.fullmatch(name)
            if match and name.endswith("/entries.jsonl"):
                self.journals[match["party"]] = Journal(agreement, match["party"], member.data)
        for name, member in self.files.items():
            if name in listed:
                self.check_digest(member, listed[name])
        for name, member in self.files.items():
            if name.startswith("packs/"):
                self.read_pack(name, member.data)
        if agreement not in self.packs:
            raise Broken(Problem(f"packs/{agreement}.json", "the first pack is not here, or cannot be read"))

    def check_digest(self, member: Member, listed: Json) -> None:
        self.count("files")
        if sha256(member.data) == listed["sha256"] and len(member.data) == listed["size"]:
            if zlib.crc32(member.data) != member.crc:
                self.wrong(member.name, "it does not match its checksum")
            return
        match = PLACE.fullmatch(member.name)
        party = match["party"] if match and member.name.endswith("/entries.jsonl") else None
        what = "it does not have the digest that the manifest gives"
        if zlib.crc32(member.data) != member.crc and len(member.data) == listed["size"]:
            for place, bits in one_damaged_byte(member):
                mended = bytearray(member.data)
                mended[place] ^= bits
                lines = member.data.count(b"\n", 0, place)
                if sha256(bytes(mended)) == listed["sha256"]:
                    entry = f"{party}/{lines + 1}" if party else None
                    self.wrong(
                        member.name, f"this byte was {mended[place]:#04x} when the manifest was signed", entry, place
                    )
                    return
        if party:
            self.blame(party, what, next((x["size"] for x in self.manifest["journals"] if x["party"] == party), 0))
        else:
            self.wrong(member.name, what)

    def blame(self, party: str, what: str, claimed: int = 0) -> None:
        """A journal is not what someone signed: names the entry that was changed, as far as the rest of it tells."""
        journal = self.journals[party]
        proven, denied = 0, journal.size
        for other in self.journals.values():
            for e in other.entries if other is not journal else ():
                for h in e.frame["heads"] if e.frame else ():
                    if h["party"] == party and h["size"] <= journal.size:
                        if journal.tree.root(h["size"]).hex() == h["root"]:
                            proven = max(proven, h["size"])
                        else:
                            denied = min(denied, h["size"])
        number, offset = proven + 1, None
        bad = next((e for e in journal.entries[proven:] if e.early), None)
        if bad is not None and bad.early is not None:
            number, offset, why = bad.number, bad.start, f"{bad.early.code} {bad.early.why}"
        elif claimed > journal.size:
            number, why = journal.size + 1, f"the entries from {journal.size + 1} to {claimed} are missing"
        else:
            why = f"somewhere in the entries {number} to {max(number, denied)}"
        self.wrong(f"journals/{party}/entries.jsonl", f"{what}: {why.strip()}", f"{party}/{number}", offset)

    def read_pack(self, name: str, data: bytes) -> None:
        digest = name[len("packs/") : -len(".json")]
        try:
            if sha256(data) != digest:
                raise Malformed("a pack is named by its digest, this one is not")
            self.packs[digest] = Pack(digest, decode(data))
            self.count("packs")
        except Malformed as bad:
            self.wrong(name, str(bad))

    # the journals against those who signed them

    def check_outside(self) -> None:
        """Fingerprints, the manifest's signature, sizes and roots, checkpoints."""
        m = self.manifest
        for party, journal in self.journals.items():
            self.check_journal(party, journal)
        exporter = self.journals.get(m["exporter"])
        identity = exporter.identity_at(exporter.size) if exporter else None
        keys = [
            (identity.centre[0], s) for k, s in self.envelope.signatures if identity and k == key_id(identity.centre[0])
        ]
        if len(self.envelope.signatures) != 1 or not any(ed25519_holds(k, s, self.envelope.signed) for k, s in keys):
            self.wrong("manifest.json", f"not signed by the centre of {m['exporter']}, the exporter, alone")
        for row in m["journals"]:
            if row["party"] not in self.journals:
                self.wrong("manifest.json", f"it lists the journal of {row['party']}, which is not here")
        for party in sorted(set(self.pins) - set(self.journals)):
            self.unchecked.append(f"the journal of {party} is not in this bundle")
        for party, least_size in self.expect.items():
            size = self.journals[party].size if party in self.journals else 0
            if size < least_size:
                where = f"journals/{party}/entries.jsonl"
                self.problems.append(
                    Problem(where, f"{size} entries, at least {least_size} expected", f"{party}/{size + 1}")
                )

    def check_journal(self, party: str, journal: Journal) -> None:
        where = f"journals/{party}/entries.jsonl"
        if not journal.whole_lines or not journal.size:
            self.wrong(where, "no entries, or the last line is not ended", f"{party}/{journal.size + 1}")
        if party not in self.pins:
            if not self.allow_unpinned:
                self.wrong(where, f"no fingerprint was given for it; it would be {journal.fingerprint}", f"{party}/1")
            self.unchecked.append(f"the journal of {party}: no fingerprint given, so who speaks there is not known")
        elif self.pins[party] != journal.fingerprint:
            self.wrong(where, f"its fingerprint is {journal.fingerprint}, not the one given", f"{party}/1", 0)
        row = next((x for x in self.manifest["journals"] if x["party"] == party), None)
        root = journal.tree.root(journal.size).hex()
        if row is None or (row["size"], row["root"]) != (journal.size, root):
            self.blame(party, "not the size and root that the manifest gives", row["size"] if row else 0)
        self.check_checkpoint(party, journal, root)

    def check_checkpoint(self, party: str, journal: Journal, root: str) -> None:
        where = f"journals/{party}/checkpoint.txt"
        identity = journal.identity_at(journal.size)
        try:
            if where not in self.files:
                raise Malformed("it is missing")
            note = read_note(self.files[where].data)
            if note.origin != journal.origin:
                raise Malformed(f"its origin is {note.origin!a}")
            if (note.size, note.root.hex()) != (journal.size, root):
                self.blame(party, f"the entries are not those of the checkpoint (size {note.size})", note.size)
                return
            if identity is None:
                raise Malformed("no identity gives a centre key for it")
        except Malformed as bad:
            self.wrong(where, str(bad), f"{party}/{journal.size}")
            return
        keys = {
            note_key(note.origin, k, public): (k, public) for k, public in zip((1, 6), identity.centre, strict=True)
        }
        found = {1: 0, 6: 0}
        for name, raw in note.lines:
            kind, public = keys.get(raw[:4], (0, b"")) if name == note.origin else (0, b"")
            holds = line_holds(name, raw, kind, public, note) if kind else None
            if holds:
                found[kind] += 1
            elif holds is False:
                self.wrong(where, "a signature of the centre does not verify", f"{party}/{journal.size}")
            else:
                self.unchecked.append(
                    f"{where}: a signature line that is not by the centre's keys, or not checkable here"
                )
        if not found[1]:
            self.wrong(where, "no Ed25519 signature of the centre", f"{party}/{journal.size}")
        if not found[6]:
            self.unchecked.append(f"{where}: no ML-DSA-44 signature verified")
        self.count("checkpoint signatures", found[1] + found[6])

    # what is said in the journals

    def check_record(self) -> None:
        agreement = self.manifest["agreement"]
        record = Record(agreement, self.packs, self.journals, {})
        for name, member in self.files.items():
            if name.startswith("proofs/"):
                try:
                    party = forked_party(member.data, self.journals)
                    if party not in self.forks:
                        self.forks[party] = upheld(record, party)
                    self.count("proofs of forks")
                except Malformed as bad:
                    self.wrong(name, str(bad))
        cuts = {party: k for party, k in self.forks.items() if party not in record.branches}
        if cuts:
            record = Record(agreement, self.packs, self.journals, cuts)
        record.memo.clear()
        self.record = record
        for e, party, size in record.conflicts.values():
            if party not in self.forks:
                start = self.journals[e.party].entries[e.number - 1].start
                what = f"it saw another root of {party} at {size} than the journal here has: one of the two is false"
                self.wrong(f"journals/{e.party}/entries.jsonl", what, e.name, start)
        for name, member in self.files.items():
            match = PLACE.fullmatch(name)
            if match and match["by"]:
                self.check_receipts(name, match["party"], match["by"], member.data)
            elif match and match["opening"]:
                self.check_openings(name, member.data)
        self.check_registers(record)
        self.count_entries(record)

    def check_receipts(self, where: str, party: str, by: str, data: bytes) -> None:
        journal, receipter = self.journals.get(party), self.journals.get(by)
        if journal is None or by == party:
            return self.wrong(where, "a receipt on no journal that is here, or of a party on its own")
        try:
            note = read_note(data)
        except Malformed as bad:
            return self.wrong(where, str(bad))
        if note.origin != journal.origin or not 0 < note.size <= journal.size:
            return self.wrong(where, f"not on this journal up to {journal.size}: {note.origin[-60:]!a} at {note.size}")
        if journal.tree.root(note.size) != note.root:
            return self.blame(party, f"{by} receipted another root at {note.size}")
        if receipter is None:
            return self.unchecked.append(f"{where}: the journal of {by} is not here")
        for name, raw in note.lines:
            holds = name == f"{receipter.origin}/receipt" and receipter.receipt_holds(raw, note, receipter.size)
            if holds is None:
                self.unchecked.append(f"{where}: a receipt that cannot be checked here (ML-DSA-44)")
            elif not holds:
                return self.wrong(where, f"a line that is no receipt of {by}", f"{party}/{note.size}")
            else:
                self.count("receipts in notes")
        return None

    def check_openings(self, where: str, data: bytes) -> None:
        *lines, rest = data.split(b"\n")
        if rest:
            self.wrong(where, "the last line is not ended", offset=len(data) - len(rest))
        at = 0
        for line in lines:
            try:
                value = decode(line)
                if bad := misfit(OPENING, value, "opening"):
                    raise Malformed(bad)
                r = value["entry"]
                journal = self.journals.get(r["party"])
                if journal is None or r["number"] > journal.size or journal.entries[r["number"] - 1].leaf != r["leaf"]:
                    raise Malformed(f"it opens {r['party']}/{r['number']}, which is not here, or another entry")
                self.check_opening(where, value["disclosure"], journal.entries[r["number"] - 1])
            except Malformed as bad_line:
                self.wrong(where, str(bad_line), offset=at)
            at += len(line) + 1

    def check_opening(self, where: str, disclosure: Json, e: Entry) -> None:
        if not isinstance(disclosure, str):
            self.unchecked.append(f"{where}: an opening of {e.name} that is no disclosure of a field")
        elif not e.frame or digest_of(disclosure) not in sealed_digests(e.frame["content"]):
            raise Malformed(f"no digest in {e.name} answers to it")
        else:
            self.count("openings")

    def check_registers(self, record: Record) -> None:
        at = read_time(self.manifest["as-of"]).date()
        self.registers = {"custody": record.custody.document(), "obligations": Obligations(record, at).document()}
        for name, digest in self.manifest["registers"].items():
            found = sha256(encode(self.registers[name]))
            if found != digest:
                self.wrong("manifest.json", f"its {name} register is {digest[:12]}…, the record gives {found[:12]}…")
            else:
                self.count("registers recomputed")

    def count_entries(self, record: Record) -> None:
        sealed = 0
        opened = self.counts.get("openings", 0)
        for journal in self.journals.values():
            for e in journal.entries:
                self.count(f"entries {e.status}")
                if e.frame:
                    self.count("signatures of entries", 2 if e.signed == "two" else 1)
                    self.count("receipts in entries", len(e.frame["receipts"]) if e.status == "admissible" else 0)
                    sealed += len(sealed_digests(e.frame["content"]))
                    opened += (
                        len(e.frame["content"]["disclosures"]) if e.frame["format"] == "reveal" and not e.code else 0
                    )
        self.count("offers", len(record.offers))
        self.count("offers with effect", sum(record.has_effect(o, WHOLE) for o in record.offers.values()))
        if sealed > opened:
            self.unchecked.append(f"{sealed - opened} sealed fields that nothing here opens")


# ------------------------------------------------------------------------------------------------------------ printing


def flags_of(e: Entry) -> list[str]:
    """What is flagged in an entry's dates, and corrected by nobody (entry, Date expression)."""
    f, found = e.frame, []
    span = read_span(f["event-at"])
    if not span.exists:
        found.append("date-does-not-exist")
    weekday = (f["as-stated"] or {}).get("weekday")
    one_day = span.first if span.first == span.last and "/" not in f["event-at"] else None
    if weekday and one_day and WEEKDAYS[one_day.weekday()] != weekday:
        found.append("weekday-contradicts")
    return found


def report_of(d: Dossier) -> dict[str, Json]:
    """All that was found, as one JSON value."""
    entries = [e for j in d.journals.values() for e in j.entries] if d.record else []
    manifest = getattr(d, "manifest", {})
    return {
        "agreement": manifest.get("agreement"),
        "checked": d.counts,
        "complete": [
            {"as-of": manifest["as-of"], "entries": j.size, "journal": p} for p, j in sorted(d.journals.items())
        ],
        "flagged": [{"entry": e.name, "flag": x} for e in entries if e.frame for x in flags_of(e)],
        "forks": d.forks,
        "inadmissible": [
            {"code": e.code, "entry": e.name, "why": e.why} for e in entries if e.status == "inadmissible"
        ],
        "not-checked": d.unchecked,
        "problems": [{**vars(p), "text": str(p)} for p in d.problems],
        "registers": d.registers,
        "suspended": [e.name for e in entries if e.status == "suspended"],
        "verified": not d.problems,
        "waiting": [{"entry": e.name, "why": e.why} for e in entries if e.status == "waiting"],
    }


def lines_of(r: dict[str, Json]) -> Iterable[str]:
    """The same for a reader."""
    yield f"agreement {r['agreement']}"
    for x in r["complete"]:
        yield f"complete to entry {x['entries']} of journal {x['journal']}, as of {x['as-of']}"
    yield "checked: " + ", ".join(f"{n} {what}" for what, n in sorted(r["checked"].items()))
    for title, rows in (
        ("inadmissible (shown, without effect)", [f"{x['entry']} {x['code']} {x['why']}" for x in r["inadmissible"]]),
        ("waiting (incomplete, without effect)", [f"{x['entry']} {x['why']}" for x in r["waiting"]]),
        ("suspended by a fork", [f"{p} from entry {k + 1} on" for p, k in r["forks"].items()] + r["suspended"]),
        ("dates flagged", [f"{x['entry']} {x['flag']}" for x in r["flagged"]]),
        ("not checked", r["not-checked"]),
    ):
        if rows:
            yield f"{title}:"
            yield from (f"  {row}".rstrip() for row in rows)
    if r["registers"]:
        yield from lines_of_registers(r["registers"]["custody"], r["registers"]["obligations"])


def lines_of_registers(custody: Json, obligations: Json) -> Iterable[str]:
    totals: dict[str, list[int]] = {}
    yield "balances (stated, derived, lots without an amount):"
    for x in custody["accounts"]:
        stated, derived = (f"over {MAX_INTEGER}" if x[k] is None else x[k] for k in ("stated", "derived"))
        yield f"  {x['account']:32} {stated:>18} {derived:>18} {x['unstated']:>6}  {x['unit']}"
        old = totals.get(x["unit"], [0, 0, 0])
        totals[x["unit"]] = [
            a + b for a, b in zip(old, (x["stated"] or 0, x["derived"] or 0, x["unstated"]), strict=True)
        ]
    for unit, (stated, derived, unstated) in sorted(totals.items()):
        yield f"  {'total':32} {stated:>18} {derived:>18} {unstated:>6}  {unit}"
    if custody["discrepancies"]:
        yield "discrepancies:"
        yield from (f"  {x['code']:28} {x['entry']:16} {x['lot'] or ''}".rstrip() for x in custody["discrepancies"])
    yield f"obligations at {obligations['at']}:"
    for x in obligations["obligations"]:
        late = "" if x["days-late"] is None else f"{x['days-late']:+d} days"
        cells = f"{x['due'] or '-':10}  {x['met-on'] or '-':22} {late:>11}  {', '.join(x['evidence'])}"
        yield f"  {x['id']:12} {x['status']:13} {x['outcome']:10} {cells}".rstrip()


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Verifies a dossier and recomputes what follows from it. "
        "Exit status: 0 verified, 1 something is wrong, 2 usage or unreadable input."
    )
    parser.add_argument("dossier", type=Path)
    parser.add_argument(
        "--party", action="append", default=[], metavar="P=FINGERPRINT", help="the fingerprint compared in person"
    )
    parser.add_argument(
        "--expect", action="append", default=[], metavar="P>=N", help="a journal has at least so many entries"
    )
    parser.add_argument(
        "--fork", type=Path, metavar="PROOF.json", help="a proof of a fork to check against the dossier's keys"
    )
    parser.add_argument("--allow-unpinned", action="store_true", help="accept journals whose fingerprint is not given")
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    parser.add_argument(
        "--first-only", action="store_true", help="print the first thing that is wrong, and nothing else"
    )
    options = parser.parse_args(argv)
    for text in options.party:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}=[0-9a-f]{64}", text):
            parser.error(f"--party {text!a}: not PARTY=FINGERPRINT")
    for text in options.expect:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}>=[0-9]{1,15}", text):
            parser.error(f"--expect {text!a}: not PARTY>=NUMBER")
    return options


def check_fork_file(d: Dossier, raw: bytes) -> str:
    """What a proof of a fork outside the dossier says, by the keys in it."""
    if d.record is None:
        return "proof of a fork: not checked"
    try:
        party = forked_party(raw, d.journals)
    except Malformed as bad:
        d.problems.append(Problem("proof of a fork", str(bad)))
        return f"proof of a fork: refused, {bad}"
    return f"proof of a fork: {party} signed two histories; its entries are upheld to {party}/{upheld(d.record, party)}"


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    try:
        for path in (options.dossier, options.fork):
            if path and path.stat().st_size > MAX_FILE:
                raise OSError(f"{path}: larger than 4 GiB")
        raw, proof = options.dossier.read_bytes(), options.fork.read_bytes() if options.fork else None
    except OSError as error:
        print(f"cannot read: {error}", file=sys.stderr)
        return 2
    pins = dict(x.split("=", 1) for x in options.party)
    expect = {p: int(n) for p, n in (x.split(">=", 1) for x in options.expect)}
    try:
        d = Dossier(raw, pins, expect, options.allow_unpinned)
    except Exception as error:  # noqa: BLE001 - nothing known leads here; a bundle that did would not be verified either
        print(f"NOT VERIFIED: this program failed on it ({type(error).__name__}: {str(error)[:200]})")
        return 1
    said = check_fork_file(d, proof) if proof is not None else None
    report = report_of(d)
    if options.json:
        print(json.dumps({**report, "fork": said}, indent=1, sort_keys=True))
        return 1 if d.problems else 0
    if not options.first_only:
        for line in [*lines_of(report), *([said] if said else [])]:
            print(line)
    for problem in d.problems[: 1 if options.first_only else None]:
        print(f"WRONG {problem}")
    print("VERIFIED" if not d.problems else f"NOT VERIFIED: {len(d.problems)} problem(s)")
    return 1 if d.problems else 0


if __name__ == "__main__":
    sys.exit(main())
