# SPDX-License-Identifier: Apache-2.0
"""A CAP 1.2 file as a value (OASIS Standard, 1 July 2010): read strictly, by the tables of its section 3.2.

Nothing of the file is fetched, executed or verified: addresses stay text, and an XML signature is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from servanda.interchange.errors import InterchangeError
from servanda.interchange.xmlfile import Node, read_xml

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"
STATUSES = {"Actual": "actual", "Exercise": "exercise", "Test": "test"}
MESSAGE_TYPES = ("Alert", "Update", "Cancel", "Ack", "Error")
SCOPES = ("Public", "Restricted", "Private")
CATEGORIES = (
    *("Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"),
)
URGENCIES = ("Immediate", "Expected", "Future", "Past", "Unknown")
SEVERITIES = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
CERTAINTIES = ("Observed", "Likely", "Possible", "Unlikely", "Unknown")

_REQUIRED, _OPTIONAL, _MANY = "one", "at most one", "any number"
_ALERT = {
    **dict.fromkeys(("identifier", "sender", "sent", "status", "msgType", "scope"), _REQUIRED),
    **dict.fromkeys(("source", "restriction", "addresses", "note", "references", "incidents"), _OPTIONAL),
    **dict.fromkeys(("code", "info"), _MANY),
}
_INFO = {
    **dict.fromkeys(("event", "urgency", "severity", "certainty"), _REQUIRED),
    **dict.fromkeys(("language", "audience", "effective", "onset", "expires", "senderName"), _OPTIONAL),
    **dict.fromkeys(("headline", "description", "instruction", "web", "contact"), _OPTIONAL),
    **dict.fromkeys(("category", "responseType", "eventCode", "parameter", "resource", "area"), _MANY),
}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)
_FORBIDDEN = re.compile(r"[\s,<&]")


class CapReference(NamedTuple):
    """One earlier message, as `<references>` names it."""

    sender: str
    identifier: str
    sent: str

    def __str__(self) -> str:
        """`sender,identifier,sent`."""
        return ",".join(self)


class CapInfo(NamedTuple):
    """One `<info>` block; what it does not say is an empty text."""

    language: str
    categories: tuple[str, ...]
    event: str
    urgency: str
    severity: str
    certainty: str
    effective: str
    onset: str
    expires: str
    headline: str
    description: str
    instruction: str
    details: tuple[tuple[str, str], ...]
    """Everything else, name and value, in the order of the file."""


class CapAlert(NamedTuple):
    """One CAP message."""

    identifier: str
    sender: str
    sent: str
    status: str
    """`actual`, `exercise` or `test`."""
    kind: str
    """`Alert`, `Update`, `Cancel`, `Ack` or `Error`."""
    scope: str
    source: str
    note: str
    references: tuple[CapReference, ...]
    references_as_stated: str
    incidents: str
    infos: tuple[CapInfo, ...]
    signed: bool
    """Whether it carries an XML signature, which nobody here has verified."""


def instant_of(text: str) -> datetime:
    """A time of CAP, with its zone, as UTC.

    Raises:
        InterchangeError: not of the form of section 3.3.2, or no such time (`cap-time`).
    """
    if not _TIME.fullmatch(text):
        raise InterchangeError(f"{text[:60]!r} is no time of CAP, as in 2003-04-02T14:39:01-05:00", "cap-time")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InterchangeError(f"there is no such time as {text}", "cap-time") from error


def utc_text(text: str) -> str:
    """A time of CAP as entries write times: `2003-04-02T19:39:01Z`."""
    return f"{instant_of(text).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def read_cap(data: bytes) -> CapAlert:
    """The message of a CAP 1.2 file.

    Raises:
        InterchangeError: `over-size`; `cap-version` for CAP 1.0 and 1.1; `cap-status` for System, Draft and unknown
            ones; `cap-time` for times that are none, or an end before the beginning; `cap` for everything else.
    """
    # 1. The root element and its namespace.
    root = _root(data)
    # 2. Which elements, how often.
    _check_children(root, _ALERT)
    # 3. The values of 3.2.1.
    status = root.one("status")
    if status not in STATUSES:
        raise InterchangeError(
            f"the status is {status[:60]!r}; taken are {', '.join(STATUSES)}, and no System or Draft", "cap-status"
        )
    kind, scope = _one_of(root, "msgType", MESSAGE_TYPES), _one_of(root, "scope", SCOPES)
    for name in ("identifier", "sender"):
        if not root.one(name) or _FORBIDDEN.search(root.one(name)):
            raise InterchangeError(f"<{name}> is empty, or has a space, a comma, < or & in it", "cap")
    sent = root.one("sent")
    stated = root.one("references")
    alert = CapAlert(
        identifier=root.one("identifier"),
        sender=root.one("sender"),
        sent=sent,
        status=STATUSES[status],
        kind=kind,
        scope=scope,
        source=root.one("source"),
        note=root.one("note"),
        references=tuple(_references(stated)),
        references_as_stated=stated,
        incidents=root.one("incidents"),
        infos=tuple(_info(node, instant_of(sent)) for node in root.all("info")),
        signed=any(child.namespace == SIGNATURE for child in root.children),
    )
    # 4. What an update, a cancellation, an acknowledgement and a rejection refer to.
    if kind != "Alert" and not stated:
        raise InterchangeError(f"a message of type {kind} has no <references>", "cap")
    return alert


def _root(data: bytes) -> Node:
    root = read_xml(data, "cap")
    if root.name != "alert" or root.namespace != NAMESPACE:
        older = re.fullmatch(
            r"(?:urn:oasis:names:tc:emergency:|http://www.incident.com/)cap[:/](1\.[01])", root.namespace
        )
        if root.name == "alert" and older:
            raise InterchangeError(f"CAP {older[1]}; only CAP 1.2 is taken", "cap-version")
        raise InterchangeError(f"the root element is {root.name[:60]!r}, not <alert> of {NAMESPACE}", "cap")
    return root


def _check_children(node: Node, table: dict[str, str]) -> None:
    counts: dict[str, int] = {}
    for child in node.children:
        if child.namespace == SIGNATURE and node.name == "alert":
            continue
        if child.namespace != NAMESPACE or child.name not in table:
            raise InterchangeError(f"<{child.name[:60]}> has no place in <{node.name}>", "cap")
        counts[child.name] = counts.get(child.name, 0) + 1
    for name, often in table.items():
        count = counts.get(name, 0)
        if (often == _REQUIRED and count != 1) or (often == _OPTIONAL and count > 1):
            raise InterchangeError(f"<{node.name}> has {count} of <{name}>, not {often}", "cap")


def _one_of(node: Node, name: str, values: tuple[str, ...]) -> str:
    value = node.one(name)
    if value not in values:
        raise InterchangeError(f"<{name}> is {value[:60]!r}, none of {', '.join(values)}", "cap")
    return value


def _references(stated: str) -> Iterator[CapReference]:
    """The references that have the form of the standard; others stay in the text as stated."""
    for word in stated.split():
        parts = word.split(",")
        if len(parts) == 3:
            yield CapReference(*parts)


def _info(node: Node, sent: datetime) -> CapInfo:
    _check_children(node, _INFO)
    categories = tuple(child.text for child in node.all("category"))
    if not categories or not set(categories) <= set(CATEGORIES):
        raise InterchangeError(f"<category> is none of {', '.join(CATEGORIES)}, or missing", "cap")
    language = node.one("language") or "en-US"
    if not _LANGUAGE.fullmatch(language):
        raise InterchangeError(f"{language[:60]!r} is no language tag", "cap")
    effective, onset, expires = (node.one(name) for name in ("effective", "onset", "expires"))
    start = instant_of(effective) if effective else sent
    if onset:
        instant_of(onset)
    if expires and instant_of(expires) < max(start, sent):
        raise InterchangeError(f"it expires at {expires}, before it was sent or took effect", "cap-time")
    if not node.one("event"):
        raise InterchangeError("<event> is empty", "cap")
    return CapInfo(
        language=language,
        categories=categories,
        event=node.one("event"),
        urgency=_one_of(node, "urgency", URGENCIES),
        severity=_one_of(node, "severity", SEVERITIES),
        certainty=_one_of(node, "certainty", CERTAINTIES),
        effective=effective,
        onset=onset,
        expires=expires,
        headline=node.one("headline"),
        description=node.one("description"),
        instruction=node.one("instruction"),
        details=tuple(_details(node)),
    )


def _details(info: Node) -> Iterator[tuple[str, str]]:
    """What the block says besides; the content of a resource is left out, its description is not."""
    for name in ("senderName", "audience", "web", "contact"):
        if info.one(name):
            yield name, info.one(name)
    for child in info.children:
        if child.name in ("responseType",):
            yield child.name, child.text
        elif child.name in ("eventCode", "parameter"):
            yield f"{child.name} {child.one('valueName')}", child.one("value")
        elif child.name == "resource":
            said = [child.one(name) for name in ("resourceDesc", "mimeType", "uri", "digest")]
            left = ["content left out"] if child.one("derefUri") else []
            yield child.name, ", ".join(part for part in [*said, *left] if part)
        elif child.name == "area":
            yield child.name, "; ".join(_area(child))


def _area(area: Node) -> Iterator[str]:
    for child in area.children:
        match child.name:
            case "areaDesc":
                yield child.text
            case "geocode":
                yield f"{child.one('valueName')} {child.one('value')}"
            case _:
                yield f"{child.name} {child.text}"
