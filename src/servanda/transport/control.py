# SPDX-License-Identifier: Apache-2.0
"""How does a command reach the running centre of its home? Over the centre's control socket, one JSON line each way."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from servanda.operations.errors import Refusal, ServandaError, Stopped, TryLater

ANSWER_BYTES_MAX = 256 * 2**20
"""The most bytes that are read of one answer."""

PATH_BYTES_MAX = 107
"""The longest path of a Unix socket on Linux, in bytes (unix(7), sun_path)."""

_CLASSES: dict[int, type[ServandaError]] = {2: Refusal, 3: TryLater, 4: Stopped}


def ask(path: Path, request: Mapping[str, Any], timeout_seconds: float | None = None) -> Any:
    """Put one request to the centre whose control socket is at `path`, and return its result.

    Args:
        path: of the socket.
        request: what JSON can say.
        timeout_seconds: how long the centre may be silent; None for as long as it takes.

    Raises:
        ServandaError: the centre's error, with its code and exit status; `not-running` (try later) if nobody listens,
            `control` (try later) if it breaks off, `path-too-long` if there can be no socket at this path.
    """
    length = len(os.fsencode(path))
    if length > PATH_BYTES_MAX:
        raise Refusal(
            f"{path} has {length} bytes, but a socket's path at most {PATH_BYTES_MAX}: choose a shorter home",
            "path-too-long",
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_seconds)
        try:
            connection.connect(str(path))
        except OSError as error:
            raise TryLater(f"no centre is running at {path}: {error.strerror or error}", "not-running") from error
        try:
            connection.sendall(msgspec.json.encode(request) + b"\n")
            with connection.makefile("rb") as stream:
                line = stream.readline(ANSWER_BYTES_MAX)
        except OSError as error:
            raise TryLater(f"the centre did not answer: {error}", "control") from error
    return _result(line)


def _result(line: bytes) -> Any:
    if not line.endswith(b"\n"):
        raise TryLater("the centre broke off; its log says why", "control")
    try:
        answer = msgspec.json.decode(line, type=dict[str, Any])
        if "ok" in answer:
            return answer["ok"]
        told = answer["error"]
        code, status, message = str(told["code"]), int(told["exit"]), str(told["message"])
    except (ValueError, LookupError, TypeError) as error:
        raise TryLater(f"the centre's answer cannot be read: {error!r}", "control") from error
    failure = _CLASSES.get(status, ServandaError)(message, code)
    failure.exit_status = status
    raise failure
