# SPDX-License-Identifier: Apache-2.0
"""How does a request reach a counterpart's centre? Over one kept-open HTTPS connection to each (spec/line.md)."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import httptools

from servanda.operations.errors import LineDown
from servanda.operations.ports import Push, PushReply
from servanda.proof.certificates import spki_sha256
from servanda.proof.notes import NOTE_BYTES_MAX
from servanda.transport.wire import (
    ERROR_BYTES_MAX,
    bad_answer,
    raise_failure,
    read_path,
    read_pull,
    read_reply,
    write_push,
)

PULL_BYTES_MAX = 64 * 2**20
"""The most bytes that are read of a pull's answer."""

PACK_BYTES_MAX = 16 * 2**20
"""The most bytes that are read of a pack."""

SLOWEST_BYTES_PER_SECOND = 64 * 1024
"""What moves on the line earns a call more time, at this rate: a great push over a thin line must be possible."""

_CHUNK = 64 * 1024
_HEAD_BYTES_MAX = 64 * 1024
_SLACK_SECONDS = 0.05


class _Request(NamedTuple):
    method: str
    target: str
    body: bytes
    limit: int
    """The most bytes that are read of a good answer."""


class _Broken(Exception):
    """The connection ended before the answer was whole; what is asked may be asked again, all of it is idempotent."""


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
        self._lines: dict[str, _Line] = {}
        self._closed = False

    def push(self, party: str, push: Push) -> PushReply:
        """Hand leaves of our own journal to `party`'s centre."""
        target = f"/v1/journals/{quote(push.journal, safe='')}/entries"
        return read_reply(self._ask(party, _Request("POST", target, write_push(push), NOTE_BYTES_MAX)))

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

    def receipt(self, party: str, journal: str, note: bytes) -> bytes:
        """Ask `party`'s centre for both of its receipt lines over `note`."""
        target = f"/v1/journals/{quote(journal, safe='')}/receipt"
        return self._ask(party, _Request("POST", target, note, NOTE_BYTES_MAX))

    def pack(self, party: str, digest: str) -> bytes:
        """The pack with this digest from `party`'s centre; the caller compares it with the digest."""
        return self._ask(party, _Request("GET", f"/v1/packs/{quote(digest, safe='')}", b"", PACK_BYTES_MAX))

    def close(self) -> None:
        """End all connections and refuse further calls; calls under way fail with `LineDown` at once."""
        self._closed = True
        for line in list(self._lines.values()):
            if line.kept is not None:
                line.kept.interrupt()
            with line.lock:
                line.drop()

    def _get(self, party: str, journal: str, what: str, limit: int) -> bytes:
        return self._ask(party, _Request("GET", f"/v1/journals/{quote(journal, safe='')}/{what}", b"", limit))

    def _ask(self, party: str, request: _Request) -> bytes:
        line = self._lines.setdefault(party, _Line())
        deadline = _Deadline(self._seconds)
        if not line.lock.acquire(timeout=self._seconds):
            raise LineDown(f"the line to {party} is busy with another request")
        try:
            status, body = self._exchange(party, line, request, deadline)
        finally:
            line.lock.release()
        if status != 200:
            raise_failure(status, body)
        return body

    def _exchange(self, party: str, line: _Line, request: _Request, deadline: _Deadline) -> tuple[int, bytes]:
        pins = self._pins(party)
        if line.kept is not None and line.kept.key not in pins:
            line.drop()  # its key has been withdrawn since
        if line.kept is not None:
            with suppress(_Broken):
                return line.exchange(request, deadline)
        routes = self._routes(party)
        trouble = LineDown(f"no route to {party} is known", "no-route")
        for left, route in zip(range(len(routes), 0, -1), routes, strict=True):
            if self._closed:
                raise LineDown("this courier is closed")
            try:
                line.kept = self._connect(party, route, pins, deadline.remaining() / left)
                return line.exchange(request, deadline)
            except (_Broken, LineDown) as error:
                if trouble.code != "wrong-key":  # that is what a person must see, whatever the other routes say
                    trouble = error if isinstance(error, LineDown) else LineDown(f"{route}: {error}")
        raise trouble

    def _connect(self, party: str, route: str, pins: frozenset[str], seconds: float) -> _Connection:
        try:
            parts = urlsplit(route)
            where = (parts.hostname or "", parts.port or 443)
        except ValueError as error:
            raise LineDown(f"{route} is no route: {error}", "no-route") from error
        if parts.scheme != "https" or not where[0] or parts.path not in ("", "/") or parts.query or parts.username:
            raise LineDown(f"{route} is no route: https://host:port", "no-route")
        try:
            tls = _handshake(where, self._context, seconds)
        except ssl.SSLCertVerificationError as error:
            raise LineDown(f"{route} shows a certificate that is none of {party}'s", "wrong-key") from error
        except OSError as error:
            raise LineDown(f"{route}: {error}") from error
        key = _key_of(tls)
        if key not in pins:
            tls.close()
            raise LineDown(f"{route} shows a key that the identity of {party} does not state", "wrong-key")
        return _Connection(tls, key, parts.netloc)


class _Line:
    """What is kept of the line to one party: at most one connection, used under the lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.kept: _Connection | None = None

    def exchange(self, request: _Request, deadline: _Deadline) -> tuple[int, bytes]:
        """Ask over the kept connection; it is dropped if it fails or the other side wants it closed."""
        connection = self.kept
        assert connection is not None
        keep = False
        try:
            status, body, keep = connection.exchange(request, deadline)
        finally:
            if not keep:
                self.drop()
        return status, body

    def drop(self) -> None:
        if self.kept is not None:
            self.kept.close()
            self.kept = None


class _Deadline:
    """When a call ends: after so many seconds, and what the bytes moved have earned."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._credit = PULL_BYTES_MAX

    def earn(self, moved: int) -> None:
        earning = min(moved, self._credit)
        self._credit -= earning
        self._end += earning / SLOWEST_BYTES_PER_SECOND

    def remaining(self) -> float:
        """Seconds left.

        Raises:
            LineDown: none.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise LineDown("no answer in time")
        return left

    def bind(self, tls: ssl.SSLSocket) -> None:
        """Let the next operation on a socket end with this deadline."""
        left = self.remaining()
        # Each change is a system call, and between two short exchanges hardly anything changes.
        if abs((tls.gettimeout() or 0) - left) > _SLACK_SECONDS:
            tls.settimeout(left)


class _Connection:
    """One TLS connection and one exchange at a time over it."""

    def __init__(self, tls: ssl.SSLSocket, key: str, host: str) -> None:
        self.key = key
        self._tls = tls
        self._host = host

    def exchange(self, request: _Request, deadline: _Deadline) -> tuple[int, bytes, bool]:
        """Send a request and read its answer: status, body, and whether the connection can be kept.

        Raises:
            _Broken: the connection ended.
            LineDown: no answer in time, or not one of HTTP.
        """
        with _failures():
            self._send(request, deadline)
            return self._receive(request, deadline)

    def interrupt(self) -> None:
        """Wake the thread that waits on this connection; callable from any thread."""
        with suppress(OSError):
            socket.socket.shutdown(self._tls, socket.SHUT_RDWR)

    def close(self) -> None:
        with suppress(OSError):
            self._tls.close()

    def _send(self, request: _Request, deadline: _Deadline) -> None:
        head = f"{request.method} {request.target} HTTP/1.1\r\nhost: {self._host}\r\n"
        if request.method == "POST":
            head += f"content-length: {len(request.body)}\r\n"
        # Header and body leave in one piece: one record, one packet where it fits.
        rest = memoryview(head.encode("ascii") + b"\r\n" + request.body)
        while rest:
            deadline.bind(self._tls)
            sent = self._tls.send(rest[:_CHUNK])
            deadline.earn(sent)
            rest = rest[sent:]

    def _receive(self, request: _Request, deadline: _Deadline) -> tuple[int, bytes, bool]:
        answer = _Answer(request.limit)
        while not answer.whole:
            deadline.bind(self._tls)
            data = self._tls.recv(_CHUNK)
            if not data:
                raise _Broken("the answer was cut off")
            deadline.earn(len(data))
            answer.feed(data)
        return answer.status, bytes(answer.body), answer.keep


class _Answer:
    """One answer as it comes in; the parser calls the methods that begin with `on_`."""

    def __init__(self, limit: int) -> None:
        self.status, self.keep, self.whole = 0, False, False
        self.body = bytearray()
        self._limit = limit
        self._head_bytes = 0
        self._measured = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take what has come in.

        Raises:
            LineDown: it is not one answer of stated length, or longer than it may be.
        """
        if not self.status:
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_BYTES_MAX:
                raise bad_answer("more header than an answer may have")
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            raise error.__context__ or error from None
        except httptools.HttpParserError as error:
            raise bad_answer(str(error) or type(error).__name__) from error

    def on_message_begin(self) -> None:
        """Another answer begins."""
        if self.whole:
            raise bad_answer("more than one answer to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of the answer."""
        self._measured = self._measured or name.lower() in (b"content-length", b"transfer-encoding")

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self.status = self._parser.get_status_code()
        if self.status < 200 or not self._measured:
            raise bad_answer("of no stated length")
        self.keep = self._parser.should_keep_alive()
        if self.status != 200:
            self._limit = ERROR_BYTES_MAX

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if len(self.body) + len(body) > self._limit:
            raise bad_answer(f"more than {self._limit} bytes")
        self.body += body

    def on_message_complete(self) -> None:
        """The answer is whole."""
        self.whole = True


@contextmanager
def _failures() -> Iterator[None]:
    """What goes wrong on a connection, in the two classes that matter here."""
    try:
        yield
    except TimeoutError as error:
        raise LineDown("no answer in time") from error
    except OSError as error:
        raise _Broken(str(error) or type(error).__name__) from error


def _handshake(where: tuple[str, int], context: ssl.SSLContext, seconds: float) -> ssl.SSLSocket:
    plain = socket.create_connection(where, timeout=seconds)
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A line may be silent for days: what lies between must not forget it, and its death must show.
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_KEEPIDLE"):
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
        return context.wrap_socket(plain)
    except BaseException:
        plain.close()
        raise


def _key_of(tls: ssl.SSLSocket) -> str:
    certificate = tls.getpeercert(binary_form=True)
    try:
        return spki_sha256(certificate or b"")
    except ValueError:
        return ""
