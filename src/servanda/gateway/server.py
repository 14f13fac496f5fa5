# SPDX-License-Identifier: Apache-2.0
"""Who stands at the other end of the socket? An HTTPS server in a thread, which tells the app the client's key."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from typing import Any

import httptools
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from servanda.gateway.line import PEER_KEY
from servanda.operations.errors import Refusal
from servanda.proof.certificates import CertificateError, spki_sha256

STOP_SECONDS = 3
"""How long requests under way may take to finish when the server stops."""

log = logging.getLogger(__name__)

_JOINED_BYTES_MAX = 64 * 1024
_FAREWELL_SECONDS = 0.2
_HEAD_BYTES_MAX = 64 * 1024


def _config(app: ASGIApp, **own: Any) -> uvicorn.Config:
    """What every listener keeps to: no web sockets, no trust in a proxy's headers, no word about the program."""
    return uvicorn.Config(
        app,
        loop="asyncio",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        **own,
    )


class LineServer:
    """One listening socket and the thread that serves it, with TLS 1.3 and certificates on both sides."""

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        context: ssl.SSLContext,
        *,
        keep_alive_seconds: int = 600,
        connections_max: int = 256,
    ) -> None:
        """Prepare to serve.

        Args:
            app: what answers; `servanda.gateway.line.line_app`.
            host: name or address to listen on.
            port: port to listen on; 0 for any free one.
            context: for the server's side, of TLS 1.3 and with client certificates required.
            keep_alive_seconds: how long a connection may be idle between two requests.
            connections_max: above this many connections a request is answered with 503.
        """
        self._where = (host, port)
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._server = _Server(
            _config(
                app,
                http=_PeerProtocol,
                date_header=False,
                timeout_keep_alive=keep_alive_seconds,
                limit_concurrency=connections_max,
                ssl_context_factory=lambda _config, _default: context,
            )
        )

    @property
    def port(self) -> int:
        """The port it listens on, the actual one if it was given as 0."""
        if self._socket is None:
            return self._where[1]
        port: int = self._socket.getsockname()[1]
        return port

    def start(self) -> None:
        """Listen, and serve in a thread of its own; requests are answered when this returns.

        Raises:
            Refusal: the address cannot be listened on (code `cannot-listen`).
        """
        host, port = self._where
        try:
            self._socket = _listen(host, port)
        except OSError as error:
            raise Refusal(f"cannot listen on {host} port {port}: {error}", "cannot-listen") from error
        self._where = (host, self.port)
        self._thread = threading.Thread(target=self._run, args=(self._socket,), name="line-server", daemon=True)
        self._thread.start()
        self._server.up.wait()

    def stop(self) -> None:
        """Finish requests under way, close all connections, and end the thread. May be called twice."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._socket = None

    def _run(self, listening: socket.socket) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[listening]))
        except Exception:
            log.exception("the server of the line has died: our bug")
        finally:
            listening.close()
            self._server.up.set()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named: asyncio sets TCP_NODELAY only then, and without it an answer waits 40 ms for an ACK.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
    except BaseException:
        listening.close()
        raise
    return listening


class _Server(uvicorn.Server):
    """Says when it is up, and leaves no connection behind."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class _PeerProtocol(HttpToolsProtocol):
    """HTTP/1.1 that puts the hash of the client's key into the state of every request of its connection."""

    _ending = False
    _head_bytes = 0
    """How much has come in since the last request was whole, without its body."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_Joining(transport, self.loop))  # type: ignore[arg-type]
        tls = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        self.app_state = {**self.app_state, PEER_KEY: certificate and _key_of(certificate)}

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > _HEAD_BYTES_MAX and not self.transport.is_closing():
            # The parser keeps whatever it is given of a head that does not end.
            self.send_400_response("More header than a request may have.")

    def on_headers_complete(self) -> None:
        self._head_bytes = 0
        if sum(name == b"host" for name, _ in self.headers) != 1:
            raise httptools.HttpParserError("a request names its host once (RFC 9112 section 3.2)")
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        self.transport.flush()  # type: ignore[attr-defined]
        super().on_response_complete()
        if self._ending:
            self.loop.call_later(_FAREWELL_SECONDS, self.transport.abort)

    def shutdown(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            # Closing politely would wait for the other side's farewell, which comes only when it next reads.
            self.transport.abort()
        else:
            self._ending = True
            super().shutdown()


class _Joining:
    """A transport that sends a header together with its body: one TLS record, one packet, instead of two of each."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send `data` with the next write or flush, at the latest in the next turn of the loop."""
        if not self._held and data:
            self._loop.call_soon(self.flush)
        self._held += data
        if len(self._held) > _JOINED_BYTES_MAX:
            self.flush()

    def flush(self) -> None:
        """Send what is held."""
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)

    def close(self) -> None:
        """Send what is held, then close."""
        self.flush()
        self._transport.close()


def _key_of(certificate: bytes) -> str | None:
    """By what an identity pins this certificate, or None if it cannot be read."""
    try:
        return spki_sha256(certificate)
    except CertificateError:
        return None
