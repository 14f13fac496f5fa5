# SPDX-License-Identifier: Apache-2.0
"""What is one exchange over one TLS connection, under a deadline, and how is it broken off?"""

from __future__ import annotations

import math
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from servanda.operations.errors import LineDown
from servanda.proof.certificates import spki_sha256
from servanda.transport.answer import Answer

CREDIT_BYTES = 64 * 2**20
"""How many bytes may earn a call more time."""

SLOWEST_BYTES_PER_SECOND = 64 * 1024
"""What moves on the line earns a call more time, at this rate: a great push over a thin line must be possible."""

_CHUNK = 64 * 1024
_SLACK_SECONDS = 0.05


class Request(NamedTuple):
    """One request of HTTP."""

    method: str
    target: str
    body: bytes
    limit: int
    """The most bytes that are read of a good answer."""


class Broken(Exception):
    """The connection ended before the answer was whole; what is asked may be asked again, all of it is idempotent."""


class KeptLine:
    """What is kept of the line to one party: at most one connection, used under the lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.kept: Connection | None = None
        self.moved = math.inf
        """When something last moved in the call under way; never, if there is none."""
        self._busy: socket.socket | None = None

    def uses(self, busy: socket.socket) -> None:
        """The call under way waits for this socket."""
        self._busy, self.moved = busy, time.monotonic()

    def idle(self) -> None:
        """No call is under way."""
        self._busy, self.moved = None, math.inf

    def interrupt(self) -> bool:
        """Wake the thread whose call is under way; callable from any thread. Returns whether there was one."""
        busy = self._busy
        if busy is None:
            return False
        with suppress(OSError):
            socket.socket.shutdown(busy, socket.SHUT_RDWR)
        return True

    def exchange(self, request: Request, deadline: Deadline) -> tuple[int, bytes]:
        """Ask over the kept connection; it is dropped if it fails or the other side wants it closed."""
        connection = self.kept
        assert connection is not None
        keep = False
        self.uses(connection.tls)
        try:
            status, body, keep = connection.exchange(request, deadline)
        finally:
            if not keep:
                self.drop()
        return status, body

    def drop(self) -> None:
        """Close the kept connection, if there is one."""
        if self.kept is not None:
            self.kept.close()
            self.kept = None


class Deadline:
    """When a call ends: after so many seconds, and what the bytes moved have earned."""

    def __init__(self, seconds: float, line: KeptLine) -> None:
        self._end = time.monotonic() + seconds
        self._credit = CREDIT_BYTES
        self._line = line

    def earn(self, moved: int) -> None:
        """So many bytes have moved: that is a sign of life, and worth more time."""
        if moved:
            self._line.moved = time.monotonic()
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


class Connection:
    """One TLS connection and one exchange at a time over it."""

    def __init__(self, tls: ssl.SSLSocket, key: str, host: str) -> None:
        self.key = key
        self.tls = tls
        self._host = host

    def exchange(self, request: Request, deadline: Deadline) -> tuple[int, bytes, bool]:
        """Send a request and read its answer: status, body, and whether the connection can be kept.

        Raises:
            Broken: the connection ended.
            LineDown: no answer in time, or not one of HTTP.
        """
        with _failures():
            self._send(request, deadline)
            return self._receive(request, deadline)

    def close(self) -> None:
        """End the connection."""
        with suppress(OSError):
            self.tls.close()

    def _send(self, request: Request, deadline: Deadline) -> None:
        head = f"{request.method} {request.target} HTTP/1.1\r\nhost: {self._host}\r\n"
        if request.method == "POST":
            head += f"content-length: {len(request.body)}\r\n"
        # Header and body leave in one piece: one record, one packet where it fits.
        rest = memoryview(head.encode("ascii") + b"\r\n" + request.body)
        while rest:
            deadline.bind(self.tls)
            sent = self.tls.send(rest[:_CHUNK])
            deadline.earn(sent)
            rest = rest[sent:]

    def _receive(self, request: Request, deadline: Deadline) -> tuple[int, bytes, bool]:
        answer = Answer(request.limit)
        while not answer.whole:
            deadline.bind(self.tls)
            data = self.tls.recv(_CHUNK)
            if not data:
                raise Broken("the answer was cut off")
            deadline.earn(len(data))
            answer.feed(data)
        return answer.status, bytes(answer.body), answer.keep


@contextmanager
def _failures() -> Iterator[None]:
    """What goes wrong on a connection, in the two classes that matter here."""
    try:
        yield
    except TimeoutError as error:
        raise LineDown("no answer in time") from error
    except OSError as error:
        raise Broken(words_of(error)) from error


def words_of(error: OSError) -> str:
    """What went wrong on a connection, for a watch officer: no numbers of the system, no names of its source files."""
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "the other side closed the connection during TLS"
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None)  # set only on errors that come from OpenSSL itself
        return f"TLS failed: {str(reason or 'no reason given').lower().replace('_', ' ')}"
    return error.strerror or str(error) or type(error).__name__


def handshake(where: tuple[str, int], context: ssl.SSLContext, seconds: float, line: KeptLine) -> ssl.SSLSocket:
    """Connect and shake hands; whoever interrupts the line ends that too.

    Raises:
        OSError: nobody is there, or not one whose certificate the context accepts.
    """
    plain = _connected(where, seconds, line)
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A line may be silent for days: what lies between must not forget it, and its death must show.
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_KEEPIDLE"):
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
        tls = context.wrap_socket(plain, do_handshake_on_connect=False)
    except BaseException:
        plain.close()
        raise
    try:
        line.uses(tls)
        tls.do_handshake()
    except BaseException:
        tls.close()
        raise
    return tls


def _connected(where: tuple[str, int], seconds: float, line: KeptLine) -> socket.socket:
    """As `socket.create_connection`, but a call that waits for a host which says nothing can be broken off."""
    failure = OSError("the name has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(*where, type=socket.SOCK_STREAM):
        plain = socket.socket(family, kind, protocol)
        try:
            plain.settimeout(seconds)
            line.uses(plain)
            plain.connect(address)
        except OSError as error:
            plain.close()
            failure = error
        except BaseException:
            plain.close()
            raise
        else:
            return plain
    raise failure


def key_of(tls: ssl.SSLSocket) -> str:
    """By what an identity pins the other side's certificate; empty if it cannot be read."""
    certificate = tls.getpeercert(binary_form=True)
    try:
        return spki_sha256(certificate or b"")
    except ValueError:
        return ""
