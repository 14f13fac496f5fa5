# SPDX-License-Identifier: Apache-2.0
"""Where pages arrive in tests: a mail server and an HTTP sink on the loopback that keep what they are given."""

from __future__ import annotations

import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Mailbox:
    """A mail server that takes every message, or refuses each with 451."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.refusing = False
        mailbox = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 mailbox\r\n")
                while line := self.rfile.readline():
                    verb = line[:4].upper()
                    if verb == b"DATA":
                        self.wfile.write(b"354 go on\r\n")
                        mailbox._take(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
                    if verb == b"QUIT":
                        self.wfile.write(b"221 bye\r\n")
                        return
                    refused = mailbox.refusing and verb == b"MAIL"
                    self.wfile.write(b"451 not now\r\n" if refused else b"250 fine\r\n")

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Session)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def _take(self, mail: str) -> None:
        self.mails.append(mail)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=centre@example.org&to=watch@example.org&mode=insecure&pass=SECRET"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class Sink:
    """An HTTP server that keeps the bodies of what is posted, and answers as it is told."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.status = 200
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sink.bodies.append(self.rfile.read(int(self.headers["content-length"])).decode())
                self.send_response(sink.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"json://user:SECRET@127.0.0.1:{self._server.server_address[1]}/token-SECRET"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
