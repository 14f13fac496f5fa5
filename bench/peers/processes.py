# SPDX-License-Identifier: Apache-2.0
"""What every system beside ours is measured with: its programs, its servers, and the clock around a message."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

MESSAGE = "x" * 1024


class Absent(Exception):
    """This system cannot be measured here; the words say why."""


class Measured(NamedTuple):
    """What one system did."""

    version: str
    settings: str
    seconds: list[float]
    per_second: float | None = None
    """Messages a second when the next is sent without waiting for the one before; None if not measured."""


def program(name: str) -> str:
    """Where a program is, or `Absent`."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Absent(f"{name} is not installed")
    return found


def run(*command: str, folder: Path | None = None, environment: dict[str, str] | None = None) -> str:
    """What a command prints; `Absent` if it fails or takes more than ten minutes."""
    values = {**os.environ, **(environment or {})}
    try:
        done = subprocess.run(command, cwd=folder, env=values, capture_output=True, text=True, check=False, timeout=600)
    except subprocess.TimeoutExpired as error:
        raise Absent(f"{command[0]}: no end after {error.timeout:.0f} s") from error
    if done.returncode:
        raise Absent(f"{command[0]}: {done.stderr.strip()[-200:]}")
    return done.stdout.strip()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended when the block is left; what it says goes to `log`."""
    with log.open("wb") as written:
        process = subprocess.Popen(command, cwd=log.parent, stdin=subprocess.DEVNULL, stdout=written, stderr=written)
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


@contextmanager
def serving(command: list[str], port: int, folder: Path) -> Iterator[None]:
    """A server that listens when the block begins, and is ended when it is left."""
    with running(command, folder / "log") as process:
        _await_port(port, process, folder)
        yield


def _await_port(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise Absent(f"did not come up: {(folder / 'log').read_text()[-200:]}")


def timed(call: Callable[[int], object], count: int) -> list[float]:
    """The seconds that each of `count` calls took, one after the other."""
    taken = []
    for index in range(count):
        begun = time.perf_counter()
        call(index)
        taken.append(time.perf_counter() - begun)
    return taken
