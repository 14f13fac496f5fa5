# SPDX-License-Identifier: Apache-2.0
"""Two NNCP nodes on loopback: a call for each message, and a call that is held open.

At the receiving node each packet is tossed as soon as it is in the spool, as a path unit of systemd or incron would do;
the daemon's own `-autotoss` looks once a second, and that second would be measured.
"""

from __future__ import annotations

import random
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.peers.processes import MESSAGE, Absent, Measured, free_port, program, run, running, serving

Process = subprocess.Popen[bytes]
WAIT = 30
"""Seconds after which a message counts as lost, and the measurement is given up."""
PROMISES = "file tossed as soon as its packet is there; packets encrypted and signed; acknowledged, no signed receipt"


def called(folder: Path, count: int) -> Measured:
    """Queue a file, call the other node at once, and have it in the other's folder; then wait until the call is over.

    A call ends a second after it fell silent, its shortest deadline. The message has arrived before, so that second
    is not counted; but a node cannot be called again until then.
    """
    own, other, port = _nodes(folder)

    def send(name: str) -> float:
        begun = time.perf_counter()
        own.queue(folder / "message", name)
        for _ in range(5):
            # A call that meets the end of the one before transfers nothing; whoever sends calls again, and it counts.
            with running(own.calling(1), folder / "call") as call:
                arrived = other.await_file(name, call)
                call.wait(WAIT)
            if arrived is not None:
                return arrived - begun
        raise Absent(f"{name} did not arrive in five calls")

    with serving(other.daemon(port), port, folder):
        taken = [send(f"m{index}") for index in range(count)]
    return Measured(_version(), f"a call for each message, not counting the second in which it ends; {PROMISES}", taken)


def held(folder: Path, count: int) -> Measured:
    """Queue a file while a call is held open, and have it in the other's folder.

    A call under way looks for new packets about once a second. The next message is queued at a random moment of that
    second, since one queued as soon as the one before has arrived would always wait for the whole of it.
    """
    own, other, port = _nodes(folder)
    chance = random.Random(1)

    def send(name: str, call: Process) -> float:
        time.sleep(chance.random())
        begun = time.perf_counter()
        own.queue(folder / "message", name)
        arrived = other.await_file(name, call)
        if arrived is None:
            raise Absent(f"the call ended before {name} arrived")
        return arrived - begun

    with serving(other.daemon(port), port, folder), running(own.calling(3600), folder / "call") as call:
        taken = [send(f"m{index}", call) for index in range(count)]
    settings = "a call held open, which looks for new packets about once a second; each queued at a random moment"
    return Measured(_version(), f"{settings}; {PROMISES}", taken)


def _version() -> str:
    return run(program("nncp-file"), "-version").split()[2]


class _Node(NamedTuple):
    folder: Path
    config: Path
    identity: str
    public: str

    def configure(self, neighbour: _Node, address: str | None) -> None:
        reach = f'addrs: {{main: "{address}"}}' if address else ""
        (self.folder / "incoming").mkdir()
        (self.folder / "spool").mkdir()
        mail = f"{neighbour.public}\nincoming: {self.folder}/incoming\n{reach}"
        self.config.write_text(
            f"{{spool: {self.folder}/spool\nlog: {self.folder}/log\nself: {{\n{self.identity}\n}}\nneigh: {{\n"
            f"self: {{\n{self.public}\n}}\npeer: {{\n{mail}\n}}\n}}\n}}\n"
        )

    def command(self, name: str, *rest: str) -> list[str]:
        return [program(name), "-quiet", "-cfg", str(self.config), *rest]

    def queue(self, message: Path, name: str) -> None:
        run(*self.command("nncp-file", str(message), f"peer:{name}"))

    def calling(self, deadline: int) -> list[str]:
        return self.command("nncp-call", "-onlinedeadline", str(deadline), "peer")

    def daemon(self, port: int) -> list[str]:
        return self.command("nncp-daemon", "-bind", f"127.0.0.1:{port}")

    def await_file(self, name: str, call: Process) -> float | None:
        """Toss what comes until this file is here, and tell when it was; None if the call ends before that."""
        deadline, file = time.perf_counter() + WAIT, self.folder / "incoming" / name
        while time.perf_counter() < deadline:
            ended = call.poll() is not None
            if file.is_file():
                return time.perf_counter()
            if any(self._packets()):
                run(*self.command("nncp-toss"))
            elif ended:
                return None
            else:
                time.sleep(0.001)
        raise Absent(f"{name} did not arrive")

    def _packets(self) -> Iterator[Path]:
        """Whole packets in the spool: named by their hash in Base32, with no suffix."""
        return (path for path in (self.folder / "spool").glob("*/rx/*") if re.fullmatch("[A-Z2-7]{52}", path.name))


def _nodes(folder: Path) -> tuple[_Node, _Node, int]:
    """A node that calls, one that is called, and the port it is called at."""
    port, own, other = free_port(), _node(folder / "own"), _node(folder / "other")
    own.configure(other, f"127.0.0.1:{port}")
    other.configure(own, None)
    (folder / "message").write_text(MESSAGE)
    return own, other, port


def _node(folder: Path) -> _Node:
    folder.mkdir()
    made = run(program("nncp-cfgnew"), "-nocomments")
    keys = dict(re.findall(r"^ +([a-z]+): ([A-Z2-7]{20,})$", made, re.MULTILINE))
    public = ("id", "exchpub", "signpub", "noisepub")
    return _Node(
        folder,
        folder / "nncp.hjson",
        "\n".join(f"{name}: {value}" for name, value in keys.items()),
        "\n".join(f"{name}: {keys[name]}" for name in public),
    )
