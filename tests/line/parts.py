# SPDX-License-Identifier: Apache-2.0
"""Two centres for the tests of the line: keys, a door that notes what it is asked, and a scripted bad centre."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from servanda.gateway.line import line_app
from servanda.gateway.server import LineServer
from servanda.keyring.tls import make_tls
from servanda.operations.openings import OpeningLine
from servanda.operations.ports import Advance, Push, PushReply, RawAnswer, Words
from servanda.proof.canonical import encode
from servanda.proof.certificates import spki_sha256
from servanda.transport.https import HttpsCourier
from servanda.transport.tls import client_context, server_context

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
NOTE = "servanda/6b1f/syr\n3\nqKx0=\n\n— servanda/6b1f/syr Az3grlgtzP==\n".encode()
RECEIPT = "— servanda/6b1f/opcw/receipt jWbPPwAAAABkGFDL\n".encode()
CARRIED = RawAnswer(200, encode({"receipt": RECEIPT.decode(), "size": 4}))
PUSH = Push("syr", 3, (b'{"payload":"eyJ9"}', "{'Ed è subito sera'}".encode()), NOTE)


class Keys(NamedTuple):
    """A centre's TLS key and certificate."""

    key_pem: bytes
    certificate_pem: bytes

    @property
    def der(self) -> bytes:
        return ssl.PEM_cert_to_DER_cert(self.certificate_pem.decode())

    @property
    def spki(self) -> str:
        return spki_sha256(self.der)

    def server(self, *pinned: Keys) -> ssl.SSLContext:
        return server_context(*self, [other.der for other in pinned])

    def client(self, *pinned: Keys) -> ssl.SSLContext:
        return client_context(*self, [other.der for other in pinned])


def make_keys(name: str) -> Keys:
    return Keys(*make_tls(name, NOW))


class NotingDoor:
    """Knows some peers, notes every call, and answers as it is told: `answer` may raise."""

    def __init__(self, peers: dict[str, str]) -> None:
        self.peers = peers
        self.calls: list[tuple[object, ...]] = []
        self.judged: Callable[[], object] = lambda: None
        """Called when a push is to be judged."""
        self.answer: Callable[[], object] = lambda: None

    def _note(self, *call: object) -> object:
        self.calls.append(call)
        return self.answer()

    def peer_of(self, spki_sha256: str) -> str | None:
        return self.peers.get(spki_sha256)

    def push(self, peer: str, push: Push) -> PushReply:
        return self._note("push", peer, push) or PushReply(push.first + len(push.leaves) - 1, RECEIPT)  # type: ignore[return-value]

    def judge(self) -> None:
        self.judged()

    def advance(self, peer: str, advance: Advance) -> bytes:
        return self._note("advance", peer, advance) or b"{}"  # type: ignore[return-value]

    def openings(self, peer: str, openings: Sequence[OpeningLine]) -> frozenset[str]:
        return self._note("openings", peer, openings) or frozenset({"d"})  # type: ignore[return-value]

    def pull(self, peer: str, journal: str, first: int, limit: int) -> Push:
        return self._note("pull", peer, journal, first, limit) or Push(journal, first, PUSH.leaves, NOTE)  # type: ignore[return-value]

    def checkpoint(self, peer: str, journal: str) -> bytes:
        return self._note("checkpoint", peer, journal) or NOTE + RECEIPT  # type: ignore[return-value]

    def consistency(self, peer: str, journal: str, first: int, second: int) -> list[bytes]:
        return self._note("consistency", peer, journal, first, second) or [b"\x01" * 32, b"\xff" * 32]  # type: ignore[return-value]

    def receipt(self, peer: str, journal: str, note: bytes) -> bytes:
        return self._note("receipt", peer, journal, note) or RECEIPT + RECEIPT  # type: ignore[return-value]

    def pack(self, peer: str, digest: str) -> bytes:
        return self._note("pack", peer, digest) or b'{"pack":1}'  # type: ignore[return-value]

    def relay(self, peer: str, to: str, journal: str, what: str, body: bytes) -> RawAnswer:
        return self._note("relay", peer, to, journal, what, body) or CARRIED  # type: ignore[return-value]

    def orderwire(self, peer: str, words: Words) -> None:
        self._note("orderwire", peer, words)


class Line:
    """A door behind a server on loopback, and the keys of both sides."""

    def __init__(self, syr: Keys, opcw: Keys, *also_trusted: Keys) -> None:
        self.syr, self.opcw = syr, opcw
        self.door = NotingDoor({syr.spki: "syr"})
        self._context = opcw.server(syr, *also_trusted)
        self.server = LineServer(line_app(self.door), "127.0.0.1", 0, self._context)
        self.server.start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server.port}"

    def courier(self, keys: Keys | None = None, seconds: float = 30) -> HttpsCourier:
        return courier_to(self.url, (keys or self.syr).client(self.opcw), self.opcw.spki, seconds)

    def connect(self, keys: Keys | None = None) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.server.port), timeout=30)
        return (keys or self.syr).client(self.opcw).wrap_socket(plain)

    def restart(self) -> None:
        port = self.server.port
        self.server.stop()
        self.server = LineServer(line_app(self.door), "127.0.0.1", port, self._context)
        self.server.start()


def courier_to(url: str, context: ssl.SSLContext, pin: str, seconds: float = 30) -> HttpsCourier:
    return HttpsCourier(lambda _party: [url], lambda _party: frozenset([pin]), context, seconds)


class ScriptedCentre:
    """Listens with TLS and answers request n with `answers[n]`, byte for byte; then says nothing, or closes."""

    def __init__(self, context: ssl.SSLContext, *answers: bytes, close: bool = True) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listening.getsockname()[1]}"
        self.connections = 0
        self._context, self._answers, self._close = context, list(answers), close
        self._open: list[ssl.SSLSocket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> ScriptedCentre:
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listening.close()
        for connection in self._open:
            connection.close()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            try:
                connection = self._context.wrap_socket(plain, server_side=True)
            except OSError:
                plain.close()
                continue
            self.connections += 1
            self._open.append(connection)
            with suppress(OSError):  # the other side may have seen enough before all is sent
                if connection.recv(65536) and self._answers:
                    connection.sendall(self._answers.pop(0))
            if self._close:
                connection.close()
