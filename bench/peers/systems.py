# SPDX-License-Identifier: Apache-2.0
"""One function for each system: sends `count` messages one after the other and returns the seconds that each took.

A system that is not installed, or does not come up, raises `Absent`; nothing is guessed.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import statistics
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path

from bench.peers import nncp
from bench.peers.matrix import matrix
from bench.peers.processes import MESSAGE, Absent, Measured, free_port, program, run, serving, timed

HERE = Path(__file__).parent


def hypercore(folder: Path, count: int) -> Measured:
    """Append until the replica has stored the block (npm `hypercore`)."""
    node, npm = program("node"), program("npm")
    run(npm, "install", "--silent", "--prefix", str(folder), "hypercore")
    shutil.copy(HERE / "hypercore.mjs", folder / "hypercore.mjs")
    version = json.loads((folder / "node_modules/hypercore/package.json").read_text())["version"]
    taken = json.loads(run(node, "hypercore.mjs", str(folder), str(count), folder=folder))
    settings = "TCP on loopback, one process, signed Merkle log, no flush to disk asked for; no receipt, one signer"
    return Measured(version, settings, taken)


def nats(folder: Path, count: int) -> Measured:
    """Publish to a stream on file storage until the server acknowledges."""
    server, port = program("nats-server"), free_port()
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

    with serving([server, "-js", "-sd", str(folder), "-a", "127.0.0.1", "-p", str(port)], port, folder):
        try:
            taken = asyncio.run(publish())
        except client.errors.Error as error:
            raise Absent(f"nats-server: {error!r}") from error
    settings = "JetStream on file, sync_interval at its default of 2 minutes: not flushed before the answer; unsigned"
    return Measured(run(server, "--version").split()[-1], settings, taken)


def git(folder: Path, count: int) -> Measured:
    """A commit signed with an SSH Ed25519 key, pushed to a bare repository."""
    tool = program("git")
    run(program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key"))
    run(tool, "init", "-q", "--bare", "other.git", folder=folder)
    run(tool, "init", "-q", "-b", "main", "own", folder=folder)
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
        run(tool, "config", name, value, folder=own)
        run(tool, "config", name, value, folder=folder / "other.git")
    run(tool, "remote", "add", "other", str(folder / "other.git"), folder=own)

    def send(index: int) -> None:
        (own / "message").write_text(f"{index}\n{MESSAGE}\n")
        run(tool, "add", "message", folder=own)
        run(tool, "commit", "-q", "-m", str(index), folder=own)
        run(tool, "push", "-q", "other", "main", folder=own)

    version = run(tool, "--version").split()[-1]
    return Measured(version, "signed commit and push, core.fsync=all, local repository", timed(send, count))


def medallion(folder: Path, count: int) -> Measured:
    """Post one STIX object to a TAXII 2.1 server, and poll at once until it is there (in memory, unsigned).

    Its memory backend goes through all objects for each request, so that the figure belongs to a number of objects:
    it is given for the first tenth of the messages and for the last.
    """
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
    with serving(command, port, folder):
        url = f"http://127.0.0.1:{port}/root/collections/{collection}/objects/"
        taken = timed(lambda _: _post_and_poll(url), count)
        begun = time.perf_counter()
        for _ in range(count):
            _ask("POST", url, _stix()[1])
        rate = count / (time.perf_counter() - begun)
    tenth = max(1, count // 10)
    first, last = statistics.median(taken[:tenth]) * 1e3, statistics.median(taken[-tenth:]) * 1e3
    settings = (
        "memory backend, its own server, Basic authentication, no TLS, nothing flushed or signed; its cost grows "
        f"with the number of objects: p50 {first:.1f} ms over the first {tenth}, {last:.1f} ms over the last {tenth} "
        f"of {count}; messages/s: posted only, at {count} to {2 * count} objects"
    )
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
    """The identifier of a new object with the message, and the request that posts it."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    identifier = f"indicator--{uuid.UUID(bytes=os.urandom(16), version=4)}"
    indicator = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": identifier,
        "created": now,
        "modified": now,
        "name": "bench",
        "description": MESSAGE,
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


SYSTEMS: dict[str, Callable[[Path, int], Measured]] = {
    "hypercore": hypercore,
    "NATS JetStream": nats,
    "medallion (TAXII 2.1)": medallion,
    "git, signed commit and push": git,
    "NNCP, a call for each message": nncp.called,
    "NNCP, a call held open": nncp.held,
    "Matrix, federated": matrix,
}
