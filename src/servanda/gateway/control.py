# SPDX-License-Identifier: Apache-2.0
"""How do programs of the same machine ask a running centre? A Unix socket that only its owner can open.

One JSON object a line in, one JSON line out: `{"ok": result}` or `{"error": {"code", "exit", "message"}}`.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import msgspec

from servanda.operations.errors import Refusal, ServandaError

REQUEST_BYTES_MAX = 64 * 2**20
"""The most bytes of one request."""

PATH_BYTES_MAX = 107
"""The longest path of a Unix socket on Linux, in bytes (unix(7), sun_path)."""

STOP_SECONDS = 5.0
"""How long requests under way may take to finish when the server stops."""

BUG_EXIT = 1
"""Exit status that answers an error of ours."""

log = logging.getLogger(__name__)


class ControlServer:
    """Answers requests on a Unix socket of mode 0600, each connection in a thread of its own."""

    def __init__(self, path: Path, dispatch: Callable[[dict[str, Any]], object]) -> None:
        """Prepare to answer at `path`.

        Args:
            path: where the socket file stands while the server runs.
            dispatch: answers one request with what JSON can say; called from many threads at once.
        """
        self._path = path
        self._dispatch = dispatch
        self._listening: socket.socket | None = None
        self._threads: dict[threading.Thread, socket.socket] = {}
        self._accepting: threading.Thread | None = None

    def start(self) -> None:
        """Listen; requests are answered when this returns. A socket file that nobody listens on is replaced.

        Raises:
            Refusal: the path is too long (`path-too-long`), somebody answers there (`already-running`), or the socket
                cannot be made (`cannot-listen`).
        """
        length = len(os.fsencode(self._path))
        if length > PATH_BYTES_MAX:
            raise Refusal(
                f"{self._path} has {length} bytes, but a socket's path at most {PATH_BYTES_MAX}: choose a shorter home",
                "path-too-long",
            )
        self._clear_away()
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with suppress(OSError):
                os.fchmod(
                    listening.fileno(), 0o600
                )  # Linux makes the file with this mode: at no time may others open it
            listening.bind(str(self._path))
            self._path.chmod(0o600)
            listening.listen()
        except OSError as error:
            listening.close()
            raise Refusal(f"cannot listen at {self._path}: {error}", "cannot-listen") from error
        self._listening = listening
        self._accepting = threading.Thread(target=self._accept, args=(listening,), name="control", daemon=True)
        self._accepting.start()

    def stop(self) -> None:
        """Finish requests under way, end all connections and remove the socket file. May be called twice."""
        if self._listening is None or self._accepting is None:
            return
        self._path.unlink(missing_ok=True)
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for the next connection
        self._accepting.join()
        self._listening.close()
        self._listening = None
        for thread, connection in list(self._threads.items()):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
            thread.join(STOP_SECONDS)

    def _clear_away(self) -> None:
        if not self._path.is_socket():
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(self._path))
            except ConnectionRefusedError:
                self._path.unlink(missing_ok=True)
            except OSError as error:
                raise Refusal(f"cannot look at {self._path}: {error}", "cannot-listen") from error
            else:
                raise Refusal(f"a centre is already running at {self._path}", "already-running")

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return  # stopped
            thread = threading.Thread(target=self._serve, args=(connection,), name="control-request", daemon=True)
            self._threads[thread] = connection
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rwb") as stream, suppress(OSError):
                while answer := self._next(stream):
                    stream.write(answer + b"\n")
                    stream.flush()
        except OSError:
            log.debug("a caller has hung up before its answer")
        finally:
            self._threads.pop(threading.current_thread(), None)

    def _next(self, stream: _Lines) -> bytes:
        """The answer to the next request, or nothing if there is none to be had."""
        line = stream.readline(REQUEST_BYTES_MAX + 1)
        if len(line) > REQUEST_BYTES_MAX or not line.endswith(b"\n"):
            return b""
        try:
            return _ENCODER.encode({"ok": self._dispatch(_read(line))})
        except ServandaError as error:
            return _failure(error.code, str(error), error.exit_status)
        except Exception:
            log.exception("a request on the control socket failed: our bug")
            return _failure("bug", "an error of this centre; its log says more", BUG_EXIT)


_ENCODER = msgspec.json.Encoder()


class _Lines(Protocol):
    def readline(self, size: int, /) -> bytes: ...


def _read(line: bytes) -> dict[str, Any]:
    try:
        request = msgspec.json.decode(line)
    except ValueError as error:
        raise Refusal(f"a request that is not JSON: {error}", "malformed") from error
    if not isinstance(request, dict):
        raise Refusal("a request that is not a JSON object", "malformed")
    return request


def _failure(code: str, message: str, status: int) -> bytes:
    whole = message.encode(errors="replace").decode()
    return _ENCODER.encode({"error": {"code": code, "exit": status, "message": whole}})
