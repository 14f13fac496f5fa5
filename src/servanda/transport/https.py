# SPDX-License-Identifier: Apache-2.0
"""How does a request reach a counterpart's centre? Over one kept-open HTTPS connection to each (spec/line.md)."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from urllib.parse import quote, urlsplit

from servanda.operations.errors import LineDown
from servanda.operations.openings import OpeningLine
from servanda.operations.ports import Advance, Push, PushReply, RawAnswer, Words
from servanda.proof.envelope import ENVELOPE_BYTES_MAX
from servanda.proof.notes import NOTE_BYTES_MAX
from servanda.transport.connection import Broken, Connection, Deadline, KeptLine, Request, handshake, key_of, words_of
from servanda.transport.wire import (
    raise_failure,
    read_held,
    read_path,
    read_pull,
    read_reply,
    write_advance,
    write_openings,
    write_push,
    write_words,
)

PULL_BYTES_MAX = 64 * 2**20
"""The most bytes that are read of a pull's answer."""

PACK_BYTES_MAX = 16 * 2**20
"""The most bytes that are read of a pack."""


class HttpsCourier:
    """Carries requests to the centres of counterparts; see `servanda.operations.ports.Courier`.

    Threads may share it: requests to one party go one after the other, those to different parties at the same time.
    `LineDown` carries `line-down`, or `wrong-key`, `no-route`, `bad-answer`, or the code of the other centre.
    """

    def __init__(
        self,
        routes: Callable[[str], Sequence[str]],
        pins: Callable[[str], frozenset[str]],
        context: ssl.SSLContext,
        timeout_seconds: float = 10,
    ) -> None:
        """Prepare; nothing is connected before it is needed.

        Args:
            routes: the addresses of a party's centre, `https://host:port`, tried in this order.
            pins: SHA-256 (lowercase hexadecimal) of the TLS keys that a party's identity states.
            context: for the calling side, as `servanda.transport.tls.client_context` makes it.
            timeout_seconds: how long a call may take, beside the time that the bytes moved earn it.
        """
        self._routes = routes
        self._pins = pins
        self._context = context
        self._seconds = timeout_seconds
        self._lines: dict[str, KeptLine] = {}
        self._closed = False

    def push(self, party: str, push: Push, by: str | None = None) -> PushReply:
        """Hand leaves of our own journal to `party`'s centre, through the relay `by` if one is named."""
        return read_reply(self._post(party, push.journal, "entries", write_push(push), by))

    def pull(self, party: str, journal: str, first: int, limit: int) -> Push:
        """Fetch leaves of any journal that `party`'s centre holds; may be empty of leaves."""
        return read_pull(
            journal, first, self._get(party, journal, f"entries?from={first}&limit={limit}", PULL_BYTES_MAX)
        )

    def checkpoint(self, party: str, journal: str) -> bytes:
        """The newest signed note with receipts that `party`'s centre holds of `journal`."""
        return self._get(party, journal, "checkpoint", NOTE_BYTES_MAX)

    def consistency(self, party: str, journal: str, first: int, second: int) -> list[bytes]:
        """A consistency path from the other centre's copy of `journal`."""
        return read_path(self._get(party, journal, f"consistency?from={first}&to={second}", NOTE_BYTES_MAX))

    def receipt(self, party: str, journal: str, note: bytes, by: str | None = None) -> bytes:
        """Ask `party`'s centre for both of its receipt lines over `note`, through the relay `by` if one is named."""
        return self._post(party, journal, "receipt", note, by)

    def forward(self, party: str, journal: str, what: str, body: bytes) -> RawAnswer:
        """Post `body` for another party to `party`'s centre, at `entries` or `receipt` of `journal`.

        Raises only `LineDown`: any answer is one.
        """
        request = Request("POST", f"/v1/journals/{quote(journal, safe='')}/{what}", body, NOTE_BYTES_MAX)
        return self._answer(party, f">{party}", request, self._seconds)

    def hurry(self, party: str, seconds: float) -> bool:
        """Break off calls to `party`'s centre, by whatever route, on which nothing has moved for so long."""
        before = time.monotonic() - seconds
        stalled = [
            line for key, line in list(self._lines.items()) if key.rpartition(">")[2] == party and line.moved < before
        ]
        return sum(line.interrupt() for line in stalled) > 0

    def advance(self, party: str, advance: Advance) -> bytes:
        """Hand one entry of our own journal ahead of its place; returns the advance receipt, an envelope."""
        target = f"/v1/journals/{quote(advance.journal, safe='')}/advance"
        return self._ask(party, Request("POST", target, write_advance(advance), ENVELOPE_BYTES_MAX))

    def openings(self, party: str, openings: Sequence[OpeningLine]) -> frozenset[str]:
        """Hand openings; returns the digests of those that `party`'s centre keeps."""
        request = Request("POST", "/v1/openings", write_openings(openings), NOTE_BYTES_MAX)
        return read_held(self._ask(party, request))

    def pack(self, party: str, digest: str) -> bytes:
        """The pack with this digest from `party`'s centre; the caller compares it with the digest."""
        return self._ask(party, Request("GET", f"/v1/packs/{quote(digest, safe='')}", b"", PACK_BYTES_MAX))

    def table(self, party: str, root: str, first: int | None = None) -> bytes:
        """The header of a table that `party`'s centre opens to us, or its rows from `first` on, packed."""
        query = "" if first is None else f"?from={first}"
        return self._ask(party, Request("GET", f"/v1/tables/{quote(root, safe='')}{query}", b"", PULL_BYTES_MAX))

    def orderwire(self, party: str, words: Words) -> None:
        """Hand words to `party`'s watch, now or not at all."""
        self._ask(party, Request("POST", "/v1/orderwire", write_words(words), NOTE_BYTES_MAX))

    def close(self) -> None:
        """End all connections and refuse further calls; calls under way fail with `LineDown` at once."""
        self._closed = True
        for line in list(self._lines.values()):
            line.interrupt()
            with line.lock:
                line.drop()

    def _get(self, party: str, journal: str, what: str, limit: int) -> bytes:
        return self._ask(party, Request("GET", f"/v1/journals/{quote(journal, safe='')}/{what}", b"", limit))

    def _post(self, party: str, journal: str, what: str, body: bytes, by: str | None) -> bytes:
        target = f"/v1/journals/{quote(journal, safe='')}/{what}"
        if by is None:
            return self._ask(party, Request("POST", target, body, NOTE_BYTES_MAX))
        target = f"/v1/relay/{quote(party, safe='')}{target.removeprefix('/v1')}"
        request = Request("POST", target, body, NOTE_BYTES_MAX)
        # On a connection of its own, and with time for two lines: the relay answers when it has been answered.
        return _body_of(self._answer(by, f"{by}>{party}", request, 2 * self._seconds))

    def _ask(self, party: str, request: Request) -> bytes:
        return _body_of(self._answer(party, party, request, self._seconds))

    def _answer(self, party: str, key: str, request: Request, seconds: float) -> RawAnswer:
        """What `party`'s centre answers, over the connection that is kept under `key`."""
        line = self._lines.setdefault(key, KeptLine())
        deadline = Deadline(seconds, line)
        if not line.lock.acquire(timeout=seconds):
            raise LineDown(f"the line to {party} is busy with another request")
        try:
            return RawAnswer(*self._exchange(party, line, request, deadline))
        finally:
            line.idle()
            line.lock.release()

    def _exchange(self, party: str, line: KeptLine, request: Request, deadline: Deadline) -> tuple[int, bytes]:
        pins = self._pins(party)
        if line.kept is not None and line.kept.key not in pins:
            line.drop()  # its key has been withdrawn since
        if line.kept is not None:
            with suppress(Broken):
                return line.exchange(request, deadline)
        routes = self._routes(party)
        trouble = LineDown(f"no route to {party} is known", "no-route")
        for left, route in zip(range(len(routes), 0, -1), routes, strict=True):
            if self._closed:
                raise LineDown("this courier is closed")
            try:
                line.kept = self._connect(party, route, pins, line, deadline.remaining() / left)
                return line.exchange(request, deadline)
            except (Broken, LineDown) as error:
                if trouble.code != "wrong-key":  # that is what a person must see, whatever the other routes say
                    trouble = error if isinstance(error, LineDown) else LineDown(f"{route}: {error}")
        raise trouble

    def _connect(self, party: str, route: str, pins: frozenset[str], line: KeptLine, seconds: float) -> Connection:
        try:
            parts = urlsplit(route)
            where = (parts.hostname or "", parts.port or 443)
        except ValueError as error:
            raise LineDown(f"{route} is no route: {error}", "no-route") from error
        if parts.scheme != "https" or not where[0] or parts.path not in ("", "/") or parts.query or parts.username:
            raise LineDown(f"{route} is no route: https://host:port", "no-route")
        try:
            tls = handshake(where, self._context, seconds, line)
        except ssl.SSLCertVerificationError as error:
            raise LineDown(f"{route} shows a certificate that is none of {party}'s", "wrong-key") from error
        except OSError as error:
            raise LineDown(f"{route}: {words_of(error)}") from error
        key = key_of(tls)
        if key not in pins:
            tls.close()
            raise LineDown(f"{route} shows a key that the identity of {party} does not state", "wrong-key")
        return Connection(tls, key, parts.netloc)


def _body_of(answer: RawAnswer) -> bytes:
    """The body of a good answer; any other is the error that it means."""
    if answer.status != 200:
        raise_failure(*answer)
    return answer.body
