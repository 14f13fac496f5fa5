# SPDX-License-Identifier: Apache-2.0
"""Who may read our indicators with a TAXII client? A TAXII 2.1 server that can be read and nothing else.

It listens on this machine only, without TLS, apart from the line: who reads here is a program of ours with a token, and
no counterpart. What it answers and to which parameters: docs/reference/interchange.md.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from servanda.assembly import Station
from servanda.gateway.local import LocalServer
from servanda.interchange.errors import InterchangeError
from servanda.interchange.taxii import (
    COLLECTIONS,
    MEDIA_TYPE,
    Page,
    Row,
    collection_resource,
    envelope,
    manifest,
    select,
    versions,
)
from servanda.operations.errors import Refusal, ServandaError
from servanda.operations.shelves import Shelves

TOKEN_CHARACTERS_MIN = 20
TOKEN_SCHEMES = ("bearer", "token")
"""Schemes that carry a token alone: RFC 6750, and what clients of TAXII send."""
QUERY_BYTES_MAX = 8192
ROOT = "servanda"
log = logging.getLogger(__name__)

_ACCEPTED = re.compile(
    r"\s*(?:\*/\*|application/\*|application/taxii\+json\s*(?:;\s*version\s*=\s*\"?2\.1\"?\s*)?)(?:;\s*q=.*)?", re.I
)
_PATH = re.compile(
    rf"/{ROOT}/collections/(?P<id>[^/]+)/(?P<what>objects|manifest)?/?(?P<object>[^/]*)/?(?P<versions>versions/?)?"
)


class _Answer(Exception):
    """What is answered instead of the resource: status, title, further headers."""

    def __init__(self, status: int, title: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(title)
        self.status = status
        self.headers = headers


def taxii_app(rows: Callable[[str], Sequence[Row]], tokens: Mapping[str, str], title: str) -> ASGIApp:
    """Return the ASGI application.

    Args:
        rows: gives the rows of a collection by its alias; may block.
        tokens: name to token; each reader has one.
        title: of the agreement, as discovery shows it.
    """
    return _TaxiiApp(rows, tokens, title)


class _TaxiiApp:
    def __init__(self, rows: Callable[[str], Sequence[Row]], tokens: Mapping[str, str], title: str) -> None:
        self._rows = rows
        self._digests = {name: _digest(token) for name, token in tokens.items()}
        self._title = title

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, headers = 200, list[tuple[bytes, bytes]]()
        try:
            body, page = await self._read(scope)
            if page is not None and page.rows:
                first, last = page.rows[0].added, page.rows[-1].added
                headers += [(b"x-taxii-date-added-first", first.encode()), (b"x-taxii-date-added-last", last.encode())]
        except _Answer as answer:
            status, headers, body = answer.status, list(answer.headers), _error(answer.status, str(answer))
        except InterchangeError as error:
            status, body = 400, _error(400, str(error), error.code)
        except ServandaError as error:
            status, body = 503, _error(503, str(error), error.code)
        except Exception:
            log.exception("a request of a TAXII client failed: our bug")
            status, body = 500, _error(500, "an error of this centre; its log says more", "bug")
        data = json.dumps(body).encode()
        headers += [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"%d" % len(data))]
        if scope["method"] not in ("GET", "HEAD"):
            headers.append((b"connection", b"close"))  # a body may be unread: what follows here is no other request
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else data})

    async def _read(self, scope: Scope) -> tuple[dict[str, Any], Page | None]:
        # 1. Who asks? Before anything else is looked at.
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        self._check_token(headers.get(b"authorization", ""))
        # 2. What may be asked for, and in which form?
        if scope["method"] not in ("GET", "HEAD"):
            raise _Answer(405, "these collections can be read and not written", (b"allow", b"GET, HEAD"))
        accept = headers.get(b"accept", "")
        if not any(_ACCEPTED.fullmatch(part) for part in accept.split(",")):
            raise _Answer(406, f"accept {MEDIA_TYPE}")
        if len(scope["query_string"]) > QUERY_BYTES_MAX:
            raise _Answer(414, f"a query of more than {QUERY_BYTES_MAX} bytes")
        # 3. The resource.
        path = scope["path"]
        if path in ("/taxii2/", "/taxii2"):
            return self._discovery(), None
        if path in (f"/{ROOT}/", f"/{ROOT}"):
            return {"title": self._title, "versions": [MEDIA_TYPE], "max_content_length": 1}, None
        if path in (f"/{ROOT}/collections/", f"/{ROOT}/collections"):
            return {"collections": [collection_resource(alias) for alias in COLLECTIONS]}, None
        return await self._collection(path, scope["query_string"])

    def _check_token(self, header: str) -> None:
        scheme, _, given = header.partition(" ")
        name, token = None, given.strip()
        if scheme.lower() == "basic":
            try:
                name, _, token = base64.b64decode(token, validate=True).decode().partition(":")
            except ValueError:
                name, token = None, ""
        digest, found = _digest(token), False
        for known, kept in self._digests.items():
            # Every one is compared, and in constant time: how long it takes says nothing.
            found |= hmac.compare_digest(digest, kept) and (scheme.lower() in TOKEN_SCHEMES or name == known)
        if not found:
            raise _Answer(401, "a token is needed", (b"www-authenticate", b'Basic realm="servanda", Bearer'))

    def _discovery(self) -> dict[str, Any]:
        return {
            "title": self._title,
            "description": "Indicators, for reading. EXERCISE and TEST are in a collection of their own.",
            "default": f"/{ROOT}/",
            "api_roots": [f"/{ROOT}/"],
        }

    async def _collection(self, path: str, query_string: bytes) -> tuple[dict[str, Any], Page | None]:
        found = _PATH.fullmatch(path)
        alias = next((a for a, (i, *_) in COLLECTIONS.items() if found and found["id"] in (a, i)), None)
        if found is None or alias is None or (found["object"] and found["what"] != "objects"):
            raise _Answer(404, "there is nothing at this address")
        if found["what"] is None:
            return collection_resource(alias), None
        query = _query(query_string)
        wanted = found["object"] or None
        if found["versions"]:
            if wanted is None:
                raise _Answer(404, "there is nothing at this address")
            query = {"match[version]": "all"} | query
        rows = await asyncio.to_thread(self._rows, alias)
        if wanted is not None and not any(row.identifier == wanted for row in rows):
            raise _Answer(404, "there is no such object in this collection")
        page = select(rows, query, wanted)
        if found["versions"]:
            return versions(page), page
        return (manifest(page) if found["what"] == "manifest" else envelope(page)), page


def _query(text: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError as error:
        raise InterchangeError(f"the query cannot be read: {error}", "taxii") from error
    if len(dict(pairs)) != len(pairs):
        raise InterchangeError("a parameter stands there twice", "taxii")
    return dict(pairs)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()


def _error(status: int, title: str, word: str = "") -> dict[str, Any]:
    return {"title": title, "http_status": str(status)} | ({"error_code": word} if word else {})


def collections_server(station: Station, host: str, port: int) -> LocalServer:
    """The listener of a station's collections, not yet started.

    Raises:
        Refusal: the readers' file is missing or wrong, or the address is not one of this machine alone.
    """
    try:
        tokens = read_tokens(station.taxii_tokens())
    except InterchangeError as error:
        raise Refusal(str(error), error.code) from error
    titles = station.centre.pack.data["title"]
    app = taxii_app(Shelves(station.centre).rows, tokens, titles[station.centre.pack.data["languages"][0]])
    return LocalServer(app, host, port)


def read_tokens(text: str) -> dict[str, str]:
    """The readers of `taxii-tokens`: one a line, name and token with a space between; `#` begins a comment.

    Raises:
        InterchangeError: a line has not that form, or a token is short (`tokens`).
    """
    tokens: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"([a-z][a-z0-9-]{0,31}) +([!-~]{1,200})", line)
        if match is None or match[1] in tokens or len(match[2]) < TOKEN_CHARACTERS_MIN:
            raise InterchangeError(
                f"taxii-tokens, line {number}: a name, a space, and a token of at least {TOKEN_CHARACTERS_MIN} "
                "characters; each name once",
                "tokens",
            )
        tokens[match[1]] = match[2]
    if not tokens:
        raise InterchangeError("taxii-tokens names no reader", "tokens")
    return tokens
