# SPDX-License-Identifier: Apache-2.0
"""A listener for programs of this machine: plain HTTP on a loopback address, in a thread of its own."""

from __future__ import annotations

import ipaddress

from starlette.types import ASGIApp

from servanda.gateway.server import LineServer, _config, _Server
from servanda.operations.errors import Refusal

KEEP_ALIVE_SECONDS = 30
CONNECTIONS_MAX = 32


class LocalServer(LineServer):
    """Like the server of the line, without TLS; so it listens nowhere but on this machine."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        """Prepare to serve.

        Raises:
            Refusal: the address is not one of this machine alone (`not-local`).
        """
        if not is_loopback(host):
            raise Refusal(
                f"{host} is not a loopback address; without TLS it listens on this machine only, as on 127.0.0.1; "
                "put a proxy with TLS before it if others are to read",
                "not-local",
            )
        self._where, self._socket, self._thread = (host, port), None, None
        self._server = _Server(
            _config(app, http="h11", timeout_keep_alive=KEEP_ALIVE_SECONDS, limit_concurrency=CONNECTIONS_MAX)
        )


def is_loopback(host: str) -> bool:
    """Whether an address, not a name, is one of this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def address_of(text: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:7110` or `[::1]:7110`.

    Raises:
        Refusal: not of that form (`usage`).
    """
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdecimal() or not 0 <= int(port) <= 65535 or not host:
        raise Refusal(f"{text[:80]!r} is not HOST:PORT, as in 127.0.0.1:7110", "usage")
    return host.removeprefix("[").removesuffix("]"), int(port)
