# SPDX-License-Identifier: Apache-2.0
"""Who may ask our centre for what over the line? The HTTP interface of spec/line.md before a `Door`.

A plain ASGI application without a framework, for the time from a push to its receipt is what alerts wait for.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from starlette.types import ASGIApp, Receive, Scope, Send

from servanda.gateway.bodies import (
    ADVANCE_BYTES_MAX,
    BODY_BYTES_MAX,
    WORDS_BYTES_MAX,
    Malformed,
    read_advance,
    read_numbers,
    read_openings,
    read_push,
    read_words,
    write_held,
    write_path,
    write_push,
    write_reply,
)
from servanda.operations.errors import Conflict, Refusal, ServandaError, Stopped, TryLater
from servanda.operations.openings import OpeningLine
from servanda.operations.ports import Advance, Push, PushReply, RawAnswer, Words
from servanda.operations.receiving import LEAVES_MAX
from servanda.proof.canonical import JsonValue, encode
from servanda.proof.notes import NOTE_BYTES_MAX

PEER_KEY = "peer_key"
"""Where the server puts the SHA-256 of the client certificate's key: `scope["state"][PEER_KEY]`, a text or None."""

BODY_SECONDS = 180.0
"""How long a body may take to come in; 8 MiB at about 400 kbit/s."""

LIGHT_LEAVES = 20
"""A push of at most so many leaves stays in the thread of the event loop: the way over costs more than it saves."""

RELAYED_AT_ONCE = 8
"""How many requests are carried for others at the same time; each waits for the centre at the other end."""

log = logging.getLogger(__name__)

_PATH = re.compile(
    rb"/v1/(?:(?:relay/(?P<to>[a-z][a-z0-9-]{0,31})/)?"
    rb"journals/(?P<journal>[a-z][a-z0-9-]{0,31})/(?P<what>entries|checkpoint|consistency|receipt|advance)"
    rb"|(?P<openings>openings)|(?P<orderwire>orderwire)|packs/(?P<digest>[0-9a-f]{64})"
    rb"|tables/(?P<table>[0-9a-f]{64}))\Z"
)
_STATUS = {
    "over-size": 413,
    "wrong-journal": 404,
    "no-pack": 404,
    "no-table": 404,
    "no-such-path": 404,
    "stranger": 403,
    "slow": 408,
    "busy": 429,
    "advances-full": 429,
    "too-many": 429,
}
_CLOSING = frozenset({403, 408, 413})  # the body may be unread: what follows on this connection is not another request
_JSON, _TEXT, _GZIP = b"application/json", b"text/plain; charset=utf-8", b"application/gzip"


class Door(Protocol):
    """What a counterpart's centre may ask of ours. Blocking; raises the `ServandaError` family and nothing else."""

    def peer_of(self, spki_sha256: str) -> str | None:
        """The party that shows itself with this TLS key (lowercase hexadecimal), or None for a stranger."""

    def push(self, peer: str, push: Push) -> PushReply:
        """Take leaves; they are durable before this returns."""

    def judge(self) -> None:
        """Judge what has come in; called when the receipt is on its way."""

    def advance(self, peer: str, advance: Advance) -> bytes:
        """Take one entry ahead of its place; it is durable before this returns. The advance receipt, an envelope."""

    def openings(self, peer: str, openings: Sequence[OpeningLine]) -> frozenset[str]:
        """Take openings; they are durable before this returns. The digests of those that are held."""

    def pull(self, peer: str, journal: str, first: int, limit: int) -> Push:
        """Leaves of a journal from number `first` on, under a checkpoint with receipts."""

    def checkpoint(self, peer: str, journal: str) -> bytes:
        """The newest signed note of a journal with the receipts held."""

    def consistency(self, peer: str, journal: str, first: int, second: int) -> list[bytes]:
        """The path between two sizes, hashes of 32 bytes, starting with a node of the older tree."""

    def receipt(self, peer: str, journal: str, note: bytes) -> bytes:
        """Both receipt lines over a signed note."""

    def pack(self, peer: str, digest: str) -> bytes:
        """The canonical bytes of a pack."""

    def table(self, peer: str, root: str, first: int | None) -> bytes:
        """The header of a table, or its rows from `first` on, packed; slow, and called beside all others."""

    def relay(self, peer: str, to: str, journal: str, what: str, body: bytes) -> RawAnswer:
        """The answer of another party's centre to a request of the peer; slow, and called beside all others."""

    def orderwire(self, peer: str, words: Words) -> None:
        """Take words of the peer's watch for ours; they are no entry and are not kept on disk."""


class _Answer(NamedTuple):
    status: int
    kind: bytes
    body: bytes


Result = TypeVar("Result")


class _Call(NamedTuple, Generic[Result]):
    """One call of the door, ready to be made."""

    run: Callable[[], Result]
    light: bool
    """Whether it is short enough for the event loop's own thread."""
    after: Callable[[], None] | None = None
    """What is left to do when the answer is on its way."""
    far: bool = False
    """Whether it waits for another centre, and must not hold up what is asked of ours."""


class _Gone(Exception):
    """The other side has hung up before its request was whole."""


def line_app(door: Door) -> ASGIApp:
    """Return the ASGI application of the line; the server must set `scope["state"][PEER_KEY]`.

    Answers are those of spec/line.md. A client that shows no key, or a stranger's, gets 403 before its body is read.
    """
    return _LineApp(door)


class _LineApp:
    def __init__(self, door: Door) -> None:
        self._door = door
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="line-door")
        self._carriers = ThreadPoolExecutor(RELAYED_AT_ONCE, thread_name_prefix="line-relay")
        self._heavy = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call: _Call[_Answer] | None = None
        try:
            call = await self._read(scope, receive)
            answer = await self._make(call)
        except _Gone:
            return
        except ServandaError as error:
            answer = _failure(error)
        except Exception:
            log.exception("a request of the line failed: our bug")
            answer = _error(500, {"code": "bug", "message": "an error of this centre; its log says more"})
        headers = [(b"content-type", answer.kind), (b"content-length", b"%d" % len(answer.body))]
        if answer.status in _CLOSING:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})
        if call is not None and call.after is not None:
            await self._finish(_Call(call.after, call.light))

    async def _finish(self, call: _Call[None]) -> None:
        """What is left when the answer is on its way; if it fails, the answer stays true."""
        try:
            await self._make(call)
        except Exception:
            log.exception("what a request brought could not be judged: our bug")

    async def _read(self, scope: Scope, receive: Receive) -> _Call[_Answer]:
        key = scope.get("state", {}).get(PEER_KEY)
        peer = self._door.peer_of(key) if key is not None else None
        if peer is None:
            raise Refusal("the key of your certificate is in no identity held here", "stranger")
        found = _PATH.match(scope["raw_path"])
        method = scope["method"]
        if found is None:
            raise Refusal("there is nothing at this address", "no-such-path")
        if found["digest"] is not None and method == "GET":
            return self._pack(peer, found["digest"].decode())
        if found["table"] is not None and method == "GET":
            return self._table(peer, found["table"].decode(), scope["query_string"])
        if found["openings"] is not None and method == "POST":
            return self._openings(peer, read_openings(await _read_body(scope, receive, BODY_BYTES_MAX)))
        journal, what = (found["journal"] or b"").decode(), found["what"]
        if found["to"] is not None:
            return await self._relay(peer, found["to"].decode(), journal, scope, receive)
        if found["orderwire"] is not None and method == "POST":
            words = read_words(await _read_body(scope, receive, WORDS_BYTES_MAX))
            return _Call(lambda: self._orderwire(peer, words), light=True)
        if method == "POST" and what == b"entries":
            return self._push(peer, read_push(journal, await _read_body(scope, receive, BODY_BYTES_MAX)))
        if method == "POST" and what == b"advance":
            return self._advance(peer, read_advance(journal, await _read_body(scope, receive, ADVANCE_BYTES_MAX)))
        if method == "POST" and what == b"receipt":
            return self._receipt(peer, journal, await _read_body(scope, receive, NOTE_BYTES_MAX))
        if method == "GET" and what == b"entries":
            return self._pull(peer, journal, *read_numbers(scope["query_string"], "from", "limit"))
        if method == "GET" and what == b"checkpoint":
            return _Call(lambda: _Answer(200, _TEXT, self._door.checkpoint(peer, journal)), light=True)
        if method == "GET" and what == b"consistency":
            return self._consistency(peer, journal, *read_numbers(scope["query_string"], "from", "to"))
        raise Refusal(f"nothing here answers {method}", "no-such-path")

    async def _relay(self, peer: str, to: str, journal: str, scope: Scope, receive: Receive) -> _Call[_Answer]:
        what = scope["raw_path"].rpartition(b"/")[2].decode()
        if scope["method"] != "POST" or what not in ("entries", "receipt"):
            raise Refusal("that is not carried to others", "no-such-path")
        body = await _read_body(scope, receive, BODY_BYTES_MAX if what == "entries" else NOTE_BYTES_MAX)
        if what == "entries":
            read_push(journal, body)  # what is no push goes no further; what is one is carried as it came

        def carry() -> _Answer:
            answer = self._door.relay(peer, to, journal, what, body)
            return _Answer(answer.status, _TEXT if answer.status == 200 and what == "receipt" else _JSON, answer.body)

        return _Call(carry, light=False, far=True)

    async def _make(self, call: _Call[Result]) -> Result:
        if call.far:
            return await asyncio.get_running_loop().run_in_executor(self._carriers, call.run)
        # While a heavy call holds the door's lock, a light one would hold up the whole loop: it queues as well.
        if call.light and not self._heavy:
            return call.run()
        self._heavy += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, call.run)
        finally:
            self._heavy -= 1

    def _push(self, peer: str, push: Push) -> _Call[_Answer]:
        return _Call(
            lambda: _Answer(200, _JSON, write_reply(self._door.push(peer, push))),
            len(push.leaves) <= LIGHT_LEAVES,
            self._door.judge,
        )

    def _advance(self, peer: str, advance: Advance) -> _Call[_Answer]:
        return _Call(lambda: _Answer(200, _JSON, self._door.advance(peer, advance)), light=True)

    def _openings(self, peer: str, openings: list[OpeningLine]) -> _Call[_Answer]:
        light = len(openings) <= LIGHT_LEAVES
        return _Call(lambda: _Answer(200, _JSON, write_held(self._door.openings(peer, openings))), light)

    def _pull(self, peer: str, journal: str, first: int, limit: int) -> _Call[_Answer]:
        if first < 1 or limit < 1:
            raise Malformed("from and limit are numbers from 1 on")
        asked = min(limit, LEAVES_MAX)
        return _Call(lambda: _Answer(200, _TEXT, write_push(self._door.pull(peer, journal, first, asked))), light=False)

    def _table(self, peer: str, root: str, query: bytes) -> _Call[_Answer]:
        first = read_numbers(query, "from")[0] if query else None
        kind = _JSON if first is None else _GZIP
        return _Call(lambda: _Answer(200, kind, self._door.table(peer, root, first)), light=False, far=True)

    def _orderwire(self, peer: str, words: Words) -> _Answer:
        self._door.orderwire(peer, words)
        return _Answer(200, _JSON, b"{}")

    def _consistency(self, peer: str, journal: str, first: int, second: int) -> _Call[_Answer]:
        return _Call(
            lambda: _Answer(200, _TEXT, write_path(self._door.consistency(peer, journal, first, second))), light=True
        )

    def _receipt(self, peer: str, journal: str, note: bytes) -> _Call[_Answer]:
        return _Call(lambda: _Answer(200, _TEXT, self._door.receipt(peer, journal, note)), light=True)

    def _pack(self, peer: str, digest: str) -> _Call[_Answer]:
        return _Call(lambda: _Answer(200, _JSON, self._door.pack(peer, digest)), light=True)


async def _read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > limit:
            raise Refusal(f"a body of more than {limit} bytes", "over-size")
    body, more = _part(await receive(), b"", limit)
    if not more:  # the usual case: the whole body came with the request
        return body
    whole = bytearray(body)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while more:
                part, more = _part(await receive(), whole, limit)
                whole += part
    except TimeoutError as error:
        raise TryLater(f"the body did not come in within {BODY_SECONDS:.0f} seconds", "slow") from error
    return bytes(whole)


def _part(message: Any, before: bytes | bytearray, limit: int) -> tuple[bytes, bool]:
    if message["type"] != "http.request":
        raise _Gone
    body: bytes = message.get("body", b"")
    if len(before) + len(body) > limit:
        raise Refusal(f"a body of more than {limit} bytes", "over-size")
    return body, message.get("more_body", False)


def _failure(error: ServandaError) -> _Answer:
    """The answer to an error of the door: what its class asks of the other side (spec/line.md, Errors)."""
    told: dict[str, JsonValue] = {"code": error.code, "message": str(error)}
    size = getattr(error, "size", None)
    if isinstance(size, int):
        told["size"] = size
    if isinstance(error, Conflict):
        return _error(409, {**told, "held": error.held.decode(errors="replace")})
    if isinstance(error, Refusal):
        return _error(_STATUS.get(error.code, 400), told)
    if isinstance(error, (TryLater, Stopped)):
        return _error(_STATUS.get(error.code, 503), told)
    log.error("an error without a class came out of the door: %r", error)
    return _error(500, told)


def _error(status: int, told: dict[str, JsonValue]) -> _Answer:
    # A message may quote anything; what has no canonical form is replaced.
    whole = {name: v.encode(errors="replace").decode() if isinstance(v, str) else v for name, v in told.items()}
    return _Answer(status, _JSON, encode(whole))
