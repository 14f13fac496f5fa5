# SPDX-License-Identifier: Apache-2.0
"""Lines of a demonstration that can be cut: each way from one centre to another runs through a port of its own."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

_CHUNK = 64 * 1024


class Wire:
    """One way from one centre to another. Cut, it accepts nothing and drops what it has."""

    def __init__(self, target: int) -> None:
        """Listen on a free port of loopback, for the port `target`."""
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self.whole = True
        threading.Thread(target=self._accept, name="wire", daemon=True).start()

    def cut(self) -> None:
        """From here on nothing passes; what was under way is torn."""
        with self._guard:
            self.whole = False
            torn, self._open = self._open, set()
        for one in torn:
            _end(one)

    def mend(self) -> None:
        """Let everything pass again."""
        with self._guard:
            self.whole = True

    def close(self) -> None:
        """Cut it for good."""
        self.cut()
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target), timeout=5) if self.whole else None
            except OSError:
                far = None
            if far is None or not self._keep(near, far):
                _end(near)
                continue
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _keep(self, near: socket.socket, far: socket.socket) -> bool:
        for one in (near, far):
            one.settimeout(None)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._guard:
            if self.whole:
                self._open |= {near, far}
            else:
                _end(far)
            return self.whole

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                sink.sendall(data)
        for one in (source, sink):
            _end(one)
        with self._guard:
            self._open -= {source, sink}


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


class Wires:
    """All ways between the centres of a demonstration."""

    def __init__(self, ports: dict[str, int]) -> None:
        """One wire for each ordered pair of parties; `ports` gives the port at which each party's centre listens."""
        self._wires = {(a, b): Wire(ports[b]) for a in ports for b in ports if a != b}

    def port(self, source: str, target: str) -> int:
        """The port at which `source` reaches `target`."""
        return self._wires[source, target].port

    def cut(self, one: str, other: str) -> None:
        """Cut both ways between two centres."""
        for pair in ((one, other), (other, one)):
            self._wires[pair].cut()

    def mend(self, one: str, other: str) -> None:
        """Mend both ways between two centres."""
        for pair in ((one, other), (other, one)):
            self._wires[pair].mend()

    def close(self) -> None:
        """Cut everything for good."""
        for wire in self._wires.values():
            wire.close()
