# SPDX-License-Identifier: Apache-2.0
"""Runs the console blocks of a document as its reader would type them, in one shell, one command after the other.

A command must end with status 0. Lines shown below it must appear in its output, in this order; `…` in such a line
stands for anything, and runs of spaces count as one. A command that only reads is repeated until they do: delivery
takes a moment. Ports 7101 to 7109 become free ones.
"""

from __future__ import annotations

import os
import re
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
READS = re.compile(
    r"servanda (status|undelivered|lines|log|show|receipts|accounting|obligations|audit|line|regime"
    r"|alerts|case|contacts|orderwire|watch|review|brief|reconcile) "
)
PATIENCE_SECONDS = 60.0
SENTINEL = "--end of command--"


class Step(NamedTuple):
    """One command of a document, and what is shown below it."""

    line: int
    command: str
    shown: tuple[str, ...]


def steps_of(path: Path) -> list[Step]:
    """The commands in the blocks marked `console`."""
    found: list[tuple[int, list[str], list[str]]] = []
    inside = False
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and line.startswith("$ "):
            found.append((number, [line[2:]], []))
        elif inside and line.startswith(">") and not found[-1][2]:
            found[-1][1].append(line[2:])
        elif inside and line.strip():
            found[-1][2].append(line)
    return [Step(number, "\n".join(command), tuple(shown)) for number, command, shown in found]


class Reader:
    """A shell in the checkout, with a home, a temporary folder and ports of its own."""

    def __init__(self, folder: Path) -> None:
        ports = dict(zip(range(7101, 7110), _free_ports(9), strict=True))
        self._port = lambda match: str(ports.get(int(match[0]), match[0]))
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "LANG": "C.UTF-8",
            "NORTH_PORT": str(ports[7101]),
            "SOUTH_PORT": str(ports[7102]),
        } | ({"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {})
        self._shell = subprocess.Popen(
            ["bash"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._shell.pid, number)
                self._shell.wait(timeout=20)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        assert self._shell.stdin
        assert self._shell.stdout
        self._shell.stdin.close()
        self._shell.stdout.close()

    def type(self, step: Step) -> None:
        """Run one step, and hold its status and output against the document."""
        command = re.sub(r"\b71\d\d\b", self._port, step.command)
        shown = [re.sub(r"\b71\d\d\b", self._port, line) for line in step.shown]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            status, output = self._run(command, deadline)
            missing = next(_missing(shown, output), None)
            if status == 0 and missing is None:
                return
            if not READS.match(command) or time.monotonic() > deadline:
                raise AssertionError(
                    f"line {step.line}: $ {step.command}\nstatus {status}, missing {missing!r} in:\n"
                    + "\n".join(output)
                )

    def _run(self, command: str, deadline: float) -> tuple[int, list[str]]:
        assert self._shell.stdin
        assert self._shell.stdout
        self._shell.stdin.write(f"{command}\nprintf '\\n%s %s\\n' '{SENTINEL}' $?\n".encode())
        self._shell.stdin.flush()
        text = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._shell.stdout, selectors.EVENT_READ)
            while not (found := re.search(rf"\n{SENTINEL} (\d+)\n".encode(), text)):
                if not selector.select(deadline + 30 - time.monotonic()):
                    raise AssertionError(f"no end of: {command}\n{text.decode(errors='replace')}")
                part = os.read(self._shell.stdout.fileno(), 65536)
                if not part:
                    raise AssertionError(f"the shell ended at: {command}\n{text.decode(errors='replace')}")
                text += part
        return int(found[1]), text[: found.start()].decode(errors="replace").splitlines()


def _missing(shown: list[str], output: list[str]) -> Iterator[str]:
    """Shown lines that do not follow in the output."""
    left = iter(" ".join(line.split()) for line in output)
    for line in shown:
        wanted = ".*".join(re.escape(part) for part in " ".join(line.split()).split("…"))
        if not any(re.fullmatch(wanted, found) for found in left):
            yield line


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports
