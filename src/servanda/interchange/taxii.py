# SPDX-License-Identifier: Apache-2.0
"""A TAXII 2.1 collection as rows, and the pages of it that a client asks for (OASIS Standard, 10 June 2021)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from servanda.interchange.errors import InterchangeError
from servanda.interchange.stix import Bundle, out_bundle, version_of

MEDIA_TYPE = "application/taxii+json;version=2.1"
OBJECT_TYPE = "application/stix+json;version=2.1"
LIMIT_DEFAULT, LIMIT_MAX = 100, 500
PAGE_BYTES_MAX = 4 * 1024 * 1024
COLLECTIONS = {
    "actual": ("22d3d8ae-6c0e-5d7c-9d2c-1f3c1c1f0a01", "Actual", "Indicators of entries with status actual."),
    "exercise": (
        *("22d3d8ae-6c0e-5d7c-9d2c-1f3c1c1f0a02", "EXERCISE and TEST"),
        "EXERCISE AND TEST ONLY. Nothing in this collection is happening: every object is marked EXERCISE or TEST.",
    ),
}
"""Alias to id, title and description. What is not actual is never in the first."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
_FILTERS = frozenset(
    {"added_after", "limit", "next", "match[id]", "match[type]", "match[version]", "match[spec_version]"}
)


class Row(NamedTuple):
    """One version of one object in a collection."""

    number: int
    """Its position; a page goes on at a position."""
    added: str
    """When it came into the collection, with microseconds; no two have the same time."""
    identifier: str
    version: str
    spec_version: str
    kind: str
    item: Mapping[str, Any]


class Page(NamedTuple):
    """What one request brings."""

    rows: Sequence[Row]
    more: int | None
    """The position at which the next page begins, or None."""


def collection_of(status: str) -> str:
    """In which collection the objects of an entry of this status are."""
    return "actual" if status == "actual" else "exercise"


def added_text(microseconds: int) -> str:
    """A time in microseconds since 1970 as TAXII writes it."""
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Shelf:
    """The rows of one collection; rows are only ever added."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._seen: set[tuple[str, str]] = set()

    def add(self, bundle: Bundle, agreement: str, status: str, added: int) -> None:
        """Add the objects of one entry: those whose id and version are there already are there already.

        Args:
            bundle: as read from the entry.
            agreement: digest of the agreement.
            status: of the entry.
            added: microseconds since 1970; the objects take this and the following ones, one each.
        """
        for offset, item in enumerate(out_bundle(bundle, agreement, status)["objects"]):
            key = (item["id"], version_of(item))
            if key not in self._seen:
                self._seen.add(key)
                at = added_text(added + offset)
                spec = item.get("spec_version", "2.1")
                self.rows.append(Row(len(self.rows), at, item["id"], key[1] or at, spec, item["type"], item))


def select(rows: Sequence[Row], query: Mapping[str, str], identifier: str | None = None) -> Page:
    """The page of a collection that a query asks for (sections 3.4 and 3.5 of the standard).

    Args:
        rows: of the collection, in order.
        query: parameters of the request.
        identifier: only this object, or None.

    Raises:
        InterchangeError: a parameter is unknown or has no such value (`taxii`).
    """
    unknown = query.keys() - _FILTERS
    if unknown:
        raise InterchangeError(f"no filter {', '.join(sorted(unknown))[:100]}", "taxii")
    limit = min(_number(query, "limit", LIMIT_DEFAULT, 1), LIMIT_MAX)
    first = _number(query, "next", 0, 0)
    after = query.get("added_after")
    if after is not None:
        after = _instant(after)
    found = [
        row
        for row in _versions(rows, query.get("match[version]", "last"))
        if row.number >= first
        and (after is None or row.added > after)
        and (identifier is None or row.identifier == identifier)
        and _matches(query, "match[id]", row.identifier)
        and _matches(query, "match[type]", row.kind)
        and _matches(query, "match[spec_version]", row.spec_version)
    ]
    taken = found[: _fitting(found[:limit])]
    return Page(taken, found[len(taken)].number if len(found) > len(taken) else None)


def _fitting(rows: Sequence[Row]) -> int:
    """How many of the rows one answer holds; one at least."""
    size = 0
    for count, row in enumerate(rows):
        size += len(json.dumps(row.item))
        if size > PAGE_BYTES_MAX and count:
            return count
    return len(rows)


def _number(query: Mapping[str, str], name: str, default: int, least: int) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < least:
        raise InterchangeError(f"{name} is a number from {least} on", "taxii")
    return int(text)


def _instant(text: str) -> str:
    """A time as the rows have it, so that texts can be compared."""
    if not _TIME.fullmatch(text):
        raise InterchangeError("added_after is a time, as in 2026-01-02T03:04:05.000000Z", "taxii")
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise InterchangeError(f"there is no such time as {text}", "taxii") from error
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _matches(query: Mapping[str, str], name: str, value: str) -> bool:
    return name not in query or value in query[name].split(",")


def _versions(rows: Sequence[Row], wanted: str) -> Iterable[Row]:
    """The rows whose version is wanted: `last`, `first`, `all`, or times, each of them by object."""
    words = wanted.split(",")
    if "all" in words:
        return rows
    first: dict[str, str] = {}
    last: dict[str, str] = {}
    for row in rows:
        first[row.identifier] = min(first.get(row.identifier, row.version), row.version)
        last[row.identifier] = max(last.get(row.identifier, row.version), row.version)
    return (
        row
        for row in rows
        if row.version in words
        or ("last" in words and row.version == last[row.identifier])
        or ("first" in words and row.version == first[row.identifier])
    )


def envelope(page: Page) -> dict[str, Any]:
    """The objects of a page."""
    return _more(page) | ({"objects": [row.item for row in page.rows]} if page.rows else {})


def manifest(page: Page) -> dict[str, Any]:
    """What a page holds, without the objects."""
    return _more(page) | {
        "objects": [
            {"id": row.identifier, "date_added": row.added, "version": row.version, "media_type": OBJECT_TYPE}
            for row in page.rows
        ]
    }


def versions(page: Page) -> dict[str, Any]:
    """The versions of an object on a page."""
    return _more(page) | {"versions": [row.version for row in page.rows]}


def _more(page: Page) -> dict[str, Any]:
    return {} if page.more is None else {"more": True, "next": str(page.more)}


def collection_resource(alias: str) -> dict[str, Any]:
    """How a collection describes itself."""
    identifier, title, description = COLLECTIONS[alias]
    return {
        "id": identifier,
        "title": title,
        "description": description,
        "alias": alias,
        "can_read": True,
        "can_write": False,
        "media_types": [OBJECT_TYPE],
    }
