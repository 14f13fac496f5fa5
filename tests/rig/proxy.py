# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy on loopback that breaks what passes through it: cut, half-open, delayed, torn in mid-stream."""

from __future__ import annotations

import random
import socket
import struct
import threading
from contextlib import suppress

CHUNK = 4096
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: what is closed is reset


class Proxy:
    """Passes bytes between callers and one port until it is told otherwise; what it draws follows from the seed.

    `cut` tears every connection, the next ones at once. `silent` swallows every byte: connections are accepted and
    never answered. `delay` holds every piece back for so many seconds. `loss` is the share of pieces that are lost, and
    `doom` the share of connections that lose one: with that piece they are torn, for what TCP carries has no holes.
    """

    def __init__(self, target: int = 0, seed: int = 0) -> None:
        self.target = target
        self.cut = self.silent = False
        self.delay = self.loss = self.doom = 0.0
        self.accepted = 0
        """Connections so far."""
        self.torn = 0
        """Connections that were torn by a loss."""
        self._seed = seed
        self._closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._listening.getsockname()[1]}"

    def break_off(self) -> None:
        """Cut: whatever is open is torn, whatever comes is turned away."""
        self.cut = True
        self._tear_all()

    def heal(self) -> None:
        """Pass everything again; what was swallowed meanwhile stays lost, and its connections dead."""
        self.cut = self.silent = False
        self.delay = self.loss = self.doom = 0.0

    def close(self) -> None:
        self._closing.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listening.close()
        self._tear_all()

    def _tear_all(self) -> None:
        for connection in list(self._open):
            _reset(connection)

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listening.accept()
            except OSError:
                return
            self.accepted += 1
            if self.cut:
                _reset(caller)
                continue
            threading.Thread(target=self._pass, args=(caller, self.accepted), daemon=True).start()

    def _pass(self, caller: socket.socket, number: int) -> None:
        try:
            called = socket.create_connection(("127.0.0.1", self.target), timeout=5)
        except OSError:
            _reset(caller)
            return
        called.settimeout(None)
        pair = (caller, called)
        self._open.update(pair)
        ways = [
            threading.Thread(
                target=self._pump, args=(*ends, random.Random(f"{self._seed}/{number}/{way}")), daemon=True
            )
            for way, ends in enumerate((pair, pair[::-1]))
        ]
        for way in ways:
            way.start()
        for way in ways:
            way.join()
        self._open.difference_update(pair)
        for end in pair:
            end.close()

    def _pump(self, source: socket.socket, sink: socket.socket, chance: random.Random) -> None:
        swallowed = False
        last = chance.randrange(8) if chance.random() < self.doom else -1
        count = 0
        with suppress(OSError):
            while piece := source.recv(CHUNK):
                count += 1
                if self.delay:
                    self._closing.wait(self.delay)
                swallowed = swallowed or self.silent
                if swallowed:
                    continue  # a stream that has lost bytes is never whole again
                if count > last >= 0 or (self.loss and chance.random() < self.loss):
                    self.torn += 1
                    break
                sink.sendall(piece)
        for end in (source, sink):
            _reset(end)


def _reset(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        connection.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        connection.close()
