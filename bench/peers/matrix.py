# SPDX-License-Identifier: Apache-2.0
"""Two Matrix homeservers (Synapse) on loopback that federate: from A's request to the event in B's running long poll.

Each server has its own process, SQLite file, signing key and self-signed certificate, and the other verifies the
server's signature on every event. The certificates are not verified, because none of them leads to an authority.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import queue
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from bench.peers.processes import MESSAGE, Absent, Measured, free_port, program, run, serving

RELEASE = "1.163.2"
INSTALLED = (sys.executable, "/opt/venvs/matrix-synapse/bin/python", "/usr/bin/python3")
"""Interpreters that may have Synapse already, after what SYNAPSE_PYTHON names: this one, those of Debian packages."""
WAIT = 30
"""Seconds that one request or one event may take before the measurement is given up."""
SECRET = "bench"
UNLIMITED = {"per_second": 100_000, "burst_count": 100_000}
SETTINGS = (
    "Synapse, two servers, federation over TLS on loopback (certificates not verified), client over HTTP, rate limits "
    "lifted; SQLite in WAL mode with its default of synchronous=FULL; the sending server signs the event, the other "
    "verifies it; not encrypted end to end; no receipt by a person or signed by the server; messages/s: one request "
    "after the other"
)


def matrix(folder: Path, count: int) -> Measured:
    """Send until the event of the room is in the long poll of the user at the other server."""
    python, version = _synapse(folder)
    with ExitStack() as running:
        try:
            ash, birch = (_start(running, python, folder / name) for name in ("ash", "birch"))
            return Measured(version, SETTINGS, *_exchange(ash, birch, count))
        except (OSError, http.client.HTTPException, queue.Empty) as error:
            raise Absent(f"the two servers did not exchange messages: {error!r}") from error


def _synapse(folder: Path) -> tuple[str, str]:
    """An interpreter with Synapse, and its version: what is installed, or else a fresh virtual environment."""
    for python in (os.environ.get("SYNAPSE_PYTHON", sys.executable), *INSTALLED):
        with suppress(Absent, OSError):
            return python, _version(python)
    made = folder / "synapse"
    python = str(made / "bin" / "python")
    run(sys.executable, "-m", "venv", str(made))
    run(python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", f"matrix-synapse=={RELEASE}")
    return python, _version(python)


def _version(python: str) -> str:
    return run(python, "-W", "ignore", "-c", "import synapse.app.homeserver as h, synapse; print(synapse.__version__)")


class _User(NamedTuple):
    port: int
    name: str
    token: str

    def ask(self, wire: http.client.HTTPConnection, method: str, path: str, content: Any = None) -> Any:
        return _ask(wire, method, f"/_matrix/client/v3{path}", content, self.token)

    def wire(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)


def _ask(wire: http.client.HTTPConnection, method: str, path: str, content: Any, token: str | None = None) -> Any:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    wire.request(method, path, None if content is None else json.dumps(content).encode(), headers)
    answer = wire.getresponse()
    body = answer.read()
    if answer.status != http.client.OK:
        raise Absent(f"{method} {path.partition('?')[0]}: {answer.status} {body[:200].decode(errors='replace')}")
    return json.loads(body)


def _start(running: ExitStack, python: str, folder: Path) -> _User:
    """A server of its own, serving until the stack is left, with one registered user."""
    folder.mkdir()
    federation, client = free_port(), free_port()
    certificate = ("-subj", "/CN=localhost", "-keyout", "tls.key", "-out", "tls.crt")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    run(program("openssl"), "req", "-x509", "-nodes", "-days", "2", *curve, *certificate, folder=folder)
    (folder / "homeserver.yaml").write_text(json.dumps(_configuration(folder, federation, client)))
    (folder / "log.yaml").write_text(json.dumps(_LOGGING))
    command = [python, "-W", "ignore", "-m", "synapse.app.homeserver", "-c", "homeserver.yaml"]
    run(*command, "--generate-keys", folder=folder)
    running.enter_context(serving(command, client, folder))
    return _register(client, folder.name)


_LOGGING = {
    "version": 1,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"level": "WARNING", "handlers": ["console"]},
    "disable_existing_loggers": False,
}


def _configuration(folder: Path, federation: int, client: int) -> dict[str, object]:
    """The server's settings; JSON is also YAML."""
    local = {"bind_addresses": ["127.0.0.1"], "type": "http"}
    return {
        "server_name": f"localhost:{federation}",
        "listeners": [
            {**local, "port": federation, "tls": True, "resources": [{"names": ["federation"]}]},
            {**local, "port": client, "tls": False, "resources": [{"names": ["client"]}]},
        ],
        "tls_certificate_path": str(folder / "tls.crt"),
        "tls_private_key_path": str(folder / "tls.key"),
        "federation_verify_certificates": False,
        "ip_range_blacklist": [],
        "trusted_key_servers": [],
        "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
        "signing_key_path": str(folder / "signing.key"),
        "media_store_path": str(folder / "media"),
        "log_config": str(folder / "log.yaml"),
        "registration_shared_secret": SECRET,
        "report_stats": False,
        **_no_limits(),
    }


def _no_limits() -> dict[str, object]:
    """No rate is limited: the limits would be measured instead of the system."""
    single = ("rc_message", "rc_registration", "rc_joins_per_room", "rc_room_creation")
    several = {
        "rc_login": ("address", "account", "failed_attempts"),
        "rc_joins": ("local", "remote"),
        "rc_invites": ("per_room", "per_user", "per_issuer"),
    }
    federation = {"window_size": 1000, "sleep_limit": 100_000, "sleep_delay": 0, "reject_limit": 100_000}
    return {
        **dict.fromkeys(single, UNLIMITED),
        **{name: dict.fromkeys(parts, UNLIMITED) for name, parts in several.items()},
        "rc_federation": {**federation, "concurrent": 100},
    }


def _register(port: int, name: str) -> _User:
    """A user, by the secret that the server's owner holds."""
    wire, path = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT), "/_synapse/admin/v1/register"
    nonce = _ask(wire, "GET", path, None)["nonce"]
    signed = "\0".join((nonce, name, SECRET, "notadmin")).encode()
    code = hmac.new(SECRET.encode(), signed, hashlib.sha1).hexdigest()
    wanted = {"nonce": nonce, "username": name, "password": SECRET, "admin": False, "mac": code}
    made = _ask(wire, "POST", path, wanted)
    wire.close()
    return _User(port, made["user_id"], made["access_token"])


def _exchange(ash: _User, birch: _User, count: int) -> tuple[list[float], float]:
    """Seconds of each message, sent when the one before has arrived; and messages a second without that wait."""
    wire, other = ash.wire(), birch.wire()
    room = ash.ask(wire, "POST", "/createRoom", {"preset": "private_chat", "invite": [birch.name]})["room_id"]
    birch.ask(other, "POST", f"/rooms/{quote(room)}/join", {})
    poll = _Poll(birch, room)

    def send(name: str) -> None:
        content = {"msgtype": "m.text", "body": f"{name} {MESSAGE}"[: len(MESSAGE)]}
        ash.ask(wire, "PUT", f"/rooms/{quote(room)}/send/m.room.message/{name}", content)

    def arrived(name: str) -> float:
        begun = time.perf_counter()
        send(name)
        return poll.await_message(name) - begun

    try:
        taken = [arrived(f"single{index}") for index in range(count)]
        begun = time.perf_counter()
        for index in range(count):
            send(f"burst{index}")
        rate = count / (poll.await_message(f"burst{count - 1}") - begun)
    finally:
        poll.end()
        wire.close()
        other.close()
    return taken, rate


class _Poll:
    """B's long poll: asks again as soon as it is answered, and notes when each message came."""

    def __init__(self, user: _User, room: str) -> None:
        self._user, self._room, self._ended = user, room, False
        self._came: queue.Queue[tuple[str, float]] = queue.Queue()
        self._wire = user.wire()
        since = user.ask(self._wire, "GET", "/sync?timeout=0")["next_batch"]
        self._thread = threading.Thread(target=self._ask_again, args=(since,), daemon=True)
        self._thread.start()

    def await_message(self, name: str) -> float:
        """When the message came; raises `queue.Empty` when it does not."""
        deadline = time.perf_counter() + WAIT
        while True:
            first, when = self._came.get(timeout=max(0.0, deadline - time.perf_counter()))
            if first == name:
                return when

    def end(self) -> None:
        """Stop asking; the request under way is answered within a second."""
        self._ended = True
        self._thread.join(WAIT)
        self._wire.close()

    def _ask_again(self, since: str) -> None:
        wanted = json.dumps({"room": {"timeline": {"limit": 1000}}, "presence": {"types": []}})
        # Whoever awaits a message notices that none comes, and says so.
        with suppress(Absent, OSError, http.client.HTTPException):
            while not self._ended:
                question = urlencode({"since": since, "timeout": 1000, "filter": wanted})
                answer = self._user.ask(self._wire, "GET", f"/sync?{question}")
                when, since = time.perf_counter(), answer["next_batch"]
                room = answer.get("rooms", {}).get("join", {}).get(self._room, {})
                for event in room.get("timeline", {}).get("events", []):
                    if event["type"] == "m.room.message":
                        self._came.put((event["content"]["body"].split()[0], when))
