# SPDX-License-Identifier: Apache-2.0
"""Who else is told that an entry is there: the list of webhooks, what they are sent, and its signature.

The signature is that of Standard Webhooks 1.0.0: HMAC-SHA256 over id, time and body, as `v1,` and base64. What is sent
names an entry, and says nothing of what stands in it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import tomllib
from typing import Any, NamedTuple

import msgspec

from servanda.interchange.errors import InterchangeError
from servanda.interchange.marking import MARKS
from servanda.journal.state import Entry

WEBHOOKS_MAX = 32
SECRET_BYTES = (24, 64)
"""What Standard Webhooks asks of a secret: from 24 to 64 bytes."""

URL_CHARACTERS_MAX = 2000
_URL = re.compile(
    r"(?:https://[A-Za-z0-9.-]{1,253}|https://\[[0-9A-Fa-f:.]{2,45}\]|http://(?:127\.0\.0\.1|localhost|\[::1\]))"
    r"(?::[1-9][0-9]{0,4})?(?:/[!-\"$-~]*)?"
)
"""Any printable sign may stand in the path but `#`; neither name nor password before the host."""


class _Listed(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    url: str
    secret: str
    formats: tuple[str, ...] = ()
    precedences: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()


class _File(msgspec.Struct, forbid_unknown_fields=True):
    webhook: tuple[_Listed, ...] = ()


class Webhook(NamedTuple):
    """One receiver. Empty `formats`, `precedences` and `statuses` mean all of them."""

    name: str
    url: str
    secret: bytes
    formats: frozenset[str] = frozenset()
    precedences: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()

    def wants(self, entry: Entry) -> bool:
        """Whether it is told of this entry: an admissible one of the formats and precedences that it names."""
        frame = entry.frame
        return (
            frame is not None
            and entry.admissible
            and (not self.formats or frame.format in self.formats)
            and (not self.precedences or frame.precedence in self.precedences)
            and (not self.statuses or frame.status in self.statuses)
        )


class Notice(NamedTuple):
    """What is posted about one entry."""

    identifier: str
    """The same however often it is sent: who receives it twice can tell."""
    body: bytes


def read_webhooks(text: str) -> list[Webhook]:
    """The webhooks of `webhooks.toml`.

    Raises:
        InterchangeError: what is wrong with it (`webhooks`).
    """
    try:
        listed = msgspec.convert(tomllib.loads(text), _File).webhook
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise InterchangeError(f"webhooks.toml: {error}", "webhooks") from error
    names = [one.name for one in listed]
    if len(set(names)) != len(names) or len(names) > WEBHOOKS_MAX:
        raise InterchangeError(f"webhooks.toml: each name once, at most {WEBHOOKS_MAX}", "webhooks")
    return [_webhook(one) for one in listed]


def _webhook(one: _Listed) -> Webhook:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", one.name):
        raise InterchangeError(f"webhooks.toml: {one.name[:60]!r} is no name, as in duty-room", "webhooks")
    _check_url(one)
    try:
        secret = base64.b64decode(one.secret.removeprefix("whsec_"), validate=True)
    except ValueError as error:
        raise InterchangeError(f"webhooks.toml: {one.name}: the secret is not whsec_ and base64", "webhooks") from error
    if not SECRET_BYTES[0] <= len(secret) <= SECRET_BYTES[1]:
        raise InterchangeError(f"webhooks.toml: {one.name}: a secret has 24 to 64 bytes", "webhooks")
    for values, known in ((one.precedences, ("routine", "priority", "immediate", "flash")), (one.statuses, MARKS)):
        strange = sorted(set(values) - set(known))
        if strange:
            raise InterchangeError(
                f"webhooks.toml: {one.name}: {strange[0][:60]!r} is none of {', '.join(known)}", "webhooks"
            )
    return Webhook(
        one.name, one.url, secret, frozenset(one.formats), frozenset(one.precedences), frozenset(one.statuses)
    )


def _check_url(one: _Listed) -> None:
    """HTTPS, or HTTP to this machine itself; no name or password within."""
    if len(one.url) > URL_CHARACTERS_MAX or not _URL.fullmatch(one.url):
        raise InterchangeError(
            f"webhooks.toml: {one.name}: the url is https://…, or http:// on this machine", "webhooks"
        )


def notice_of(agreement: str, entry: Entry, own: bool) -> Notice:
    """What is posted about an admissible entry: where it lies and how urgent it is, and no word of it."""
    frame = entry.frame
    assert frame is not None
    data: dict[str, Any] = {
        "agreement": agreement,
        "entry": str(entry.place),
        "format": frame.format,
        "precedence": frame.precedence,
        "status": MARKS[frame.status] or "ACTUAL",
    }
    value = {
        "type": f"entry.{'released' if own else 'received'}.{frame.status}",
        "timestamp": frame.released_at,
        "data": data,
    }
    named = hashlib.sha256(f"{agreement} {entry.place} {entry.hash.hex()}".encode()).hexdigest()
    return Notice(f"msg_{named[:32]}", json.dumps(value, separators=(",", ":"), sort_keys=True).encode())


def signature(secret: bytes, identifier: str, timestamp: int, body: bytes) -> str:
    """The value of the header `webhook-signature`."""
    signed = b".".join((identifier.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
