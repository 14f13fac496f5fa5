# SPDX-License-Identifier: Apache-2.0
"""One function for each system: sends `count` messages one after the other and returns the seconds that each took.

A system that is not installed, or does not come up, raises `Absent`; nothing is guessed.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

MESSAGE = "x" * 1024
HERE = Path(__file__).parent


class Absent(Exception):
    """This system cannot be measured here; the words say why."""


class Measured(NamedTuple):
    """What one system did."""

    version: str
    settings: str
    seconds: list[float]
    per_second: float | None = None
    """Messages a second when the next is sent without waiting for the one before; None if not measured."""


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Absent(f"{name} is not installed")
    return found


def _run(*command: str, folder: Path | None = None, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
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
def _serving(command: list[str], port: int, folder: Path) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        _await_port(port, process, folder)
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()


def _await_port(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise Absent(f"did not come up: {(folder / 'log').read_text()[-200:]}")


def _timed(call: Callable[[int], object], count: int) -> list[float]:
    taken = []
    for index in range(count):
        begun = time.perf_counter()
        call(index)
        taken.append(time.perf_counter() - begun)
    return taken


def hypercore(folder: Path, count: int) -> Measured:
    """Append until the replica has stored the block (npm `hypercore`)."""
    node, npm = _program("node"), _program("npm")
    _run(npm, "install", "--silent", "--prefix", str(folder), "hypercore")
    shutil.copy(HERE / "hypercore.mjs", folder / "hypercore.mjs")
    version = json.loads((folder / "node_modules/hypercore/package.json").read_text())["version"]
    taken = json.loads(_run(node, "hypercore.mjs", str(folder), str(count), folder=folder))
    settings = "TCP on loopback, one process, signed Merkle log, no flush to disk asked for; no receipt, one signer"
    return Measured(version, settings, taken)


def nats(folder: Path, count: int) -> Measured:
    """Publish to a stream on file storage until the server acknowledges."""
    server, port = _program("nats-server"), free_port()
    try:
        import nats as client
    except ImportError as error:
        raise Absent("the package nats-py is not installed") from error

    async def publish() -> list[float]:
        connection = await client.connect(f"nats://127.0.0.1:{port}")
        stream = connection.jetstream()
        await stream.add_stream(name="alerts", subjects=["alerts"])
        taken = []
        for _ in range(count):
            begun = time.perf_counter()
            await stream.publish("alerts", MESSAGE.encode())
            taken.append(time.perf_counter() - begun)
        await connection.close()
        return taken

    with _serving([server, "-js", "-sd", str(folder), "-a", "127.0.0.1", "-p", str(port)], port, folder):
        taken = asyncio.run(publish())
    settings = "JetStream on file, sync_interval at its default of 2 minutes: not flushed before the answer; unsigned"
    return Measured(_run(server, "--version").split()[-1], settings, taken)


def git(folder: Path, count: int) -> Measured:
    """A commit signed with an SSH Ed25519 key, pushed to a bare repository."""
    program = _program("git")
    _run(_program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key"))
    _run(program, "init", "-q", "--bare", "other.git", folder=folder)
    _run(program, "init", "-q", "-b", "main", "own", folder=folder)
    own = folder / "own"
    settings = {
        "user.name": "bench",
        "user.email": "bench@localhost",
        "gpg.format": "ssh",
        "user.signingkey": str(folder / "key"),
        "commit.gpgsign": "true",
        "core.fsync": "all",
        "core.fsyncMethod": "fsync",
    }
    for name, value in settings.items():
        _run(program, "config", name, value, folder=own)
        _run(program, "config", name, value, folder=folder / "other.git")
    _run(program, "remote", "add", "other", str(folder / "other.git"), folder=own)

    def send(index: int) -> None:
        (own / "message").write_text(f"{index}\n{MESSAGE}\n")
        _run(program, "add", "message", folder=own)
        _run(program, "commit", "-q", "-m", str(index), folder=own)
        _run(program, "push", "-q", "other", "main", folder=own)

    version = _run(program, "--version").split()[-1]
    return Measured(version, "signed commit and push, core.fsync=all, local repository", _timed(send, count))


def medallion(folder: Path, count: int) -> Measured:
    """Post one STIX object to a TAXII 2.1 server, and poll at once until it is there (in memory, unsigned)."""
    try:
        from medallion.version import __version__ as version
    except ImportError as error:
        raise Absent("the package medallion is not installed") from error
    port, collection = free_port(), str(uuid.UUID(bytes=os.urandom(16), version=4))
    (folder / "data.json").write_text(json.dumps(_taxii_data(port, collection)))
    backend = {
        "module": "medallion.backends.memory_backend",
        "module_class": "MemoryBackend",
        "filename": str(folder / "data.json"),
    }
    configuration = {"backend": backend, "users": {"bench": "bench"}, "taxii": {"max_page_size": 100}}
    (folder / "config.json").write_text(json.dumps(configuration))
    command = [sys.executable, "-W", "ignore", "-m", "medallion.scripts.run", "--port", str(port), "config.json"]
    with _serving(command, port, folder):
        url = f"http://127.0.0.1:{port}/root/collections/{collection}/objects/"
        taken = _timed(lambda _: _post_and_poll(url), count)
        begun = time.perf_counter()
        for _ in range(count):
            _ask("POST", url, _stix()[1])
        rate = count / (time.perf_counter() - begun)
    settings = "memory backend, its own server, Basic authentication, no TLS, nothing flushed or signed"
    return Measured(version, settings, taken, rate)


def _taxii_data(port: int, collection: str) -> dict[str, object]:
    root = f"http://127.0.0.1:{port}/root/"
    media = "application/stix+json;version=2.1"
    return {
        "discovery": {"title": "bench", "default": root, "api_roots": [root]},
        "root": {
            "information": {
                "title": "bench",
                "versions": ["application/taxii+json;version=2.1"],
                "max_content_length": 9_765_625,
            },
            "status": [],
            "collections": [
                {
                    "id": collection,
                    "title": "bench",
                    "can_read": True,
                    "can_write": True,
                    "media_types": [media],
                    "objects": [],
                    "manifest": [],
                }
            ],
        },
    }


def _stix() -> tuple[str, bytes]:
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    identifier = f"indicator--{uuid.UUID(bytes=os.urandom(16), version=4)}"
    indicator = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": identifier,
        "created": now,
        "modified": now,
        "name": "bench",
        "description": MESSAGE[:600],
        "pattern": "[file:name = 'x']",
        "pattern_type": "stix",
        "valid_from": now,
    }
    return identifier, json.dumps({"objects": [indicator]}).encode()


def _ask(method: str, url: str, body: bytes | None = None) -> bytes:
    token = base64.b64encode(b"bench:bench").decode()
    media = "application/taxii+json;version=2.1"
    headers = {"Authorization": f"Basic {token}", "Accept": media, "Content-Type": media}
    request = urllib.request.Request(url, body, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        data: bytes = answer.read()
        return data


def _post_and_poll(url: str) -> None:
    identifier, body = _stix()
    _ask("POST", url, body)
    while identifier.encode() not in _ask("GET", f"{url}?match[id]={identifier}"):
        pass


def nncp(folder: Path, count: int) -> Measured:
    """Queue a file for the other node, call its daemon over TCP, and toss it there into its folder."""
    port = free_port()
    own, other = (_nncp_node(folder / name) for name in ("own", "other"))
    for node, neighbour, address in ((own, other, f"127.0.0.1:{port}"), (other, own, None)):
        node.configure(neighbour, address)
    (folder / "message").write_text(MESSAGE)

    def send(index: int) -> None:
        _run(_program("nncp-file"), "-quiet", "-cfg", str(own.config), str(folder / "message"), f"peer:m{index}")
        _run(_program("nncp-call"), "-quiet", "-cfg", str(own.config), "-onlinedeadline", "1", "peer")
        _run(_program("nncp-toss"), "-quiet", "-cfg", str(other.config))
        if not (other.folder / "incoming" / f"m{index}").is_file():
            raise Absent(f"message {index} did not arrive")

    command = [_program("nncp-daemon"), "-quiet", "-cfg", str(other.config), "-bind", f"127.0.0.1:{port}"]
    with _serving(command, port, folder):
        taken = _timed(send, count)
    version = _run(_program("nncp-file"), "-version").split()[2]
    return Measured(version, "file, call with an online deadline of 1 s, toss; encrypted and signed packets", taken)


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


def _nncp_node(folder: Path) -> _Node:
    folder.mkdir()
    made = _run(_program("nncp-cfgnew"), "-nocomments")
    keys = dict(re.findall(r"^ +([a-z]+): ([A-Z2-7]{20,})$", made, re.MULTILINE))
    public = ("id", "exchpub", "signpub", "noisepub")
    return _Node(
        folder,
        folder / "nncp.hjson",
        "\n".join(f"{name}: {value}" for name, value in keys.items()),
        "\n".join(f"{name}: {keys[name]}" for name in public),
    )


SYSTEMS: dict[str, Callable[[Path, int], Measured]] = {
    "hypercore": hypercore,
    "NATS JetStream": nats,
    "medallion (TAXII 2.1)": medallion,
    "git, signed commit and push": git,
    "NNCP": nncp,
}
