# SPDX-License-Identifier: Apache-2.0
"""STIX 2.1 bundles that travel as a text within an entry (OASIS Standard, 10 June 2021).

A bundle has fractions and times in a form of its own, which canonical JSON does not know; so it is carried as it is,
as one text, under its SHA-256. It is read strictly: one bundle, bounded, objects of the types that the standard names
with the properties that it requires. What is exported is the bundle and a marking, never another word of the entry.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple, NoReturn

from servanda.interchange.errors import InterchangeError
from servanda.interchange.marking import MARKS, MEANINGS

MEMBER, DIGEST_MEMBER = "stix", "stix-sha256"
BUNDLE_BYTES_MAX = 128 * 1024
OBJECTS_MAX = 900
DEPTH_MAX = 24

_SDO = {
    "attack-pattern": ("name",),
    "campaign": ("name",),
    "course-of-action": ("name",),
    "grouping": ("context", "object_refs"),
    "identity": ("name",),
    "incident": ("name",),
    "indicator": ("pattern", "pattern_type", "valid_from"),
    "infrastructure": ("name",),
    "intrusion-set": ("name",),
    "location": (),
    "malware": ("is_family",),
    "malware-analysis": ("product",),
    "note": ("content", "object_refs"),
    "observed-data": ("first_observed", "last_observed", "number_observed"),
    "opinion": ("opinion", "object_refs"),
    "report": ("name", "published", "object_refs"),
    "threat-actor": ("name",),
    "tool": ("name",),
    "vulnerability": ("name",),
    "relationship": ("relationship_type", "source_ref", "target_ref"),
    "sighting": ("sighting_of_ref",),
}
"""Domain and relationship objects, and what each must have besides id, spec_version, created and modified."""
_SCO: dict[str, tuple[str, ...]] = {
    "artifact": (),
    "autonomous-system": ("number",),
    "directory": ("path",),
    "domain-name": ("value",),
    "email-addr": ("value",),
    "email-message": ("is_multipart",),
    "file": (),
    "ipv4-addr": ("value",),
    "ipv6-addr": ("value",),
    "mac-addr": ("value",),
    "mutex": ("name",),
    "network-traffic": ("protocols",),
    "process": (),
    "software": ("name",),
    "url": ("value",),
    "user-account": (),
    "windows-registry-key": (),
    "x509-certificate": (),
}
"""Observables."""
_META = {
    "extension-definition": ("created_by_ref", "name", "schema", "version", "extension_types"),
    "language-content": ("object_ref", "contents"),
    "marking-definition": (),
}
_TIMES = ("created", "modified", "valid_from", "valid_until", "first_observed", "last_observed", "published")
_IN_ORDER = (("created", "modified"), ("valid_from", "valid_until"), ("first_observed", "last_observed"))
_TEXTS = frozenset({"name", "pattern", "pattern_type", "relationship_type", "context", "content", "product", "schema"})
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)
_ID = re.compile(
    r"([a-z0-9][a-z0-9-]{1,248}[a-z0-9])--([0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})",
    re.ASCII,
)
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)?|[\[\]{}]', re.DOTALL)
"""Strings whole, ended or not, so that no bracket within one counts and no text is looked at twice."""
_NAMESPACE = uuid.UUID("0317019e-30ec-5a52-9c3e-798bbde29a37")
"""The UUID of version 5 of `servanda` in the namespace of URLs."""
_MARKING_CREATED = "2026-01-01T00:00:00.000Z"


class Bundle(NamedTuple):
    """A bundle that has been read."""

    identifier: str
    objects: tuple[dict[str, Any], ...]
    sha256: str


def wrong(message: str) -> InterchangeError:
    """What is said of a bundle that cannot be taken."""
    return InterchangeError(f"STIX: {message}", "stix")


def read_bundle(text: str) -> Bundle:
    """The bundle of a text.

    Raises:
        InterchangeError: `over-size` above 128 KiB; `stix` if it is not a bundle of STIX 2.1 objects.
    """
    # 1. Bounds and JSON.
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise wrong(f"no Unicode text: {error.reason}") from error
    if len(data) > BUNDLE_BYTES_MAX:
        raise InterchangeError(f"STIX: a bundle of {len(data)} bytes; at most {BUNDLE_BYTES_MAX}", "over-size")
    value = _json(text)
    # 2. The bundle.
    if not isinstance(value, dict) or value.get("type") != "bundle":
        raise wrong("not an object of type bundle")
    identifier = _identifier(value, "bundle")
    unknown = value.keys() - {"type", "id", "objects"}
    if unknown:
        raise wrong(f"a bundle of STIX 2.1 has no {', '.join(sorted(unknown))[:100]}")
    objects = value.get("objects")
    if not isinstance(objects, list) or not 1 <= len(objects) <= OBJECTS_MAX:
        raise wrong(f"objects is a list of 1 to {OBJECTS_MAX}")
    # 3. Each object.
    seen: set[tuple[str, str]] = set()
    for item in objects:
        if not isinstance(item, dict):
            raise wrong("an object of the bundle is no JSON object")
        _check_object(item)
        key = (item["id"], version_of(item))
        if key in seen:
            raise wrong(f"{item['id']} stands there twice")
        seen.add(key)
    return Bundle(identifier, tuple(objects), hashlib.sha256(data).hexdigest())


def carried(form: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The content in which a bundle would be: that of the entry, or what a correction puts in its place."""
    corrected = content.get("content") if form == "correct" else None
    return corrected if isinstance(corrected, dict) else content


def check_attachment(content: Mapping[str, Any]) -> Bundle | None:
    """The bundle in an entry's content; None if it has none, or has it sealed.

    Raises:
        InterchangeError: it cannot be taken, or its SHA-256 is not the one stated beside it.
    """
    text = content.get(MEMBER)
    if text is None:
        return None
    if not isinstance(text, str):
        raise wrong(f"the member {MEMBER} is no text")
    bundle = read_bundle(text)
    stated = content.get(DIGEST_MEMBER)
    if stated is not None and stated != bundle.sha256:
        raise wrong(f"its SHA-256 is {bundle.sha256}, not the one stated in {DIGEST_MEMBER}")
    return bundle


def version_of(item: Mapping[str, Any]) -> str:
    """By which time TAXII and STIX tell versions of an object apart; observables have none and stand for themselves."""
    found = item.get("modified") or item.get("created")
    return found if isinstance(found, str) else ""


def out_bundle(bundle: Bundle, agreement: str, status: str) -> dict[str, Any]:
    """The bundle as it leaves: every object marked with agreement and status, the marking among the objects."""
    marking = marking_of(agreement, status)
    return {
        "type": "bundle",
        "id": f"bundle--{uuid.uuid5(_NAMESPACE, f'{agreement} {status} {bundle.sha256}')}",
        "objects": [marking, *(with_marking(item, marking["id"]) for item in bundle.objects)],
    }


def marking_of(agreement: str, status: str) -> dict[str, Any]:
    """The statement that every object carries: whose it is, and whether it is actual."""
    word = MARKS[status] or "ACTUAL"
    said = f"{MEANINGS[status]} " if MEANINGS[status] else ""
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": f"marking-definition--{uuid.uuid5(_NAMESPACE, f'{agreement} {status}')}",
        "created": _MARKING_CREATED,
        "name": word,
        "definition_type": "statement",
        "definition": {
            "statement": f"{said}Status {word}. Shared between the parties to the agreement {agreement} alone."
        },
    }


def with_marking(item: Mapping[str, Any], marking: str) -> dict[str, Any]:
    """A copy of an object that refers to one more marking; a marking itself carries none."""
    if item["type"] == "marking-definition":
        return dict(item)
    return {**item, "object_marking_refs": [*(item.get("object_marking_refs") or []), marking]}


def _check_object(item: dict[str, Any]) -> None:
    kind = item.get("type")
    known = {**_SDO, **_SCO, **_META}
    if not isinstance(kind, str) or kind not in known:
        raise wrong(f"no type of object {str(kind)[:60]!r} in STIX 2.1")
    identifier = _identifier(item, kind)
    if item.get("spec_version", "2.1" if kind in _SCO else None) != "2.1":
        raise wrong(f"{identifier}: spec_version is not 2.1")
    required = known[kind]
    if kind not in _SCO:
        required = (*required, "created", *(() if kind == "marking-definition" else ("modified",)))
    missing = [name for name in required if item.get(name) in (None, "", [])]
    if missing:
        raise wrong(f"{identifier}: {', '.join(missing)} missing")
    for name in sorted(_TEXTS & item.keys()):
        if not isinstance(item[name], str):
            raise wrong(f"{identifier}: {name} is no text")
    if kind == "malware" and not isinstance(item["is_family"], bool):
        raise wrong(f"{identifier}: is_family is neither true nor false")
    if kind == "observed-data" and not (item.get("objects") or item.get("object_refs")):
        raise wrong(f"{identifier}: neither objects nor object_refs")
    if kind == "marking-definition" and not (item.get("definition") or item.get("extensions")):
        raise wrong(f"{identifier}: neither definition nor extensions")
    _check_times(identifier, item)
    _check_references(identifier, item)


def _check_times(identifier: str, item: dict[str, Any]) -> None:
    times: dict[str, tuple[datetime, str]] = {}
    for name in _TIMES:
        if name in item:
            times[name] = _time(identifier, name, item[name])
    for first, second in _IN_ORDER:
        if first in times and second in times and times[second] < times[first]:
            raise wrong(f"{identifier}: {second} is before {first}")


def _time(identifier: str, name: str, text: object) -> tuple[datetime, str]:
    """A time to compare by: whole seconds, then the fraction as it is written."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise wrong(f"{identifier}: {name} is no time of STIX, as in 2026-01-02T03:04:05.000Z")
    try:
        return datetime.fromisoformat(match[0][:19]), (match[1] or "").rstrip("0")
    except ValueError as error:
        raise wrong(f"{identifier}: there is no such time as {match[0]}") from error


def _check_references(identifier: str, item: dict[str, Any]) -> None:
    for name, value in item.items():
        texts = [value] if name.endswith("_ref") else value if name.endswith("_refs") else []
        if not isinstance(texts, list) or not all(isinstance(one, str) and _ID.fullmatch(one) for one in texts):
            raise wrong(f"{identifier}: {name[:60]} is no identifier of STIX")


def _identifier(item: Mapping[str, Any], kind: str) -> str:
    identifier = item.get("id")
    match = _ID.fullmatch(identifier) if isinstance(identifier, str) else None
    if match is None or match[1] != kind:
        raise wrong(f"{str(identifier)[:100]!r} is no identifier of an object of type {kind}")
    return match[0]


def _json(text: str) -> Any:
    if max(_depths(text), default=0) > DEPTH_MAX:
        raise wrong(f"nested deeper than {DEPTH_MAX}")
    try:
        return json.loads(text, object_pairs_hook=_members, parse_constant=_no_number, parse_float=_fraction)
    except ValueError as error:
        raise wrong(f"not JSON: {error}") from error


def _depths(text: str) -> Iterator[int]:
    """How deep the text is nested after each bracket outside of its strings."""
    depth = 0
    for found in _BRACKETS.finditer(text):
        if found[0] in "[]{}":
            depth += 1 if found[0] in "[{" else -1
            yield depth


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands there twice")
    return members


def _fraction(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:40]} is no number of JSON")
