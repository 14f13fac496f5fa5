# SPDX-License-Identifier: Apache-2.0
"""The centres of a demonstration: made, introduced, put on duty as processes, spoken to through control sockets."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from servanda.agreement.pack import Pack
from servanda.assembly import CHEAP, Founding, Station, found_centre, request
from servanda.operations.errors import Refusal, ServandaError, TryLater

Step = Callable[..., None]
OFFICERS = {"desk-1": ("author",), "release-1": ("release",), "watch-1": ("watch",)}
PATIENCE_SECONDS = 60.0
NOT_YET = frozenset(
    {
        "reference",
        "accept",
        "refuse",
        "pack",
        "no-mandate",
        "no-plan",
        "inspections/draw-open",
        "inspections/no-mandate",
        "inspections/no-plan",
        "posting/unknown-lot",
        "posting/not-custodian",
        "posting/locked",
        "posting/quantity",
    }
)
"""Refusals that may only mean that something has not arrived or is not settled yet."""


class Centres:
    """One process for every party, in homes below `base`."""

    def __init__(self, base: Path, pack: Pack, serving: Sequence[str] = ()) -> None:
        """Nothing is made yet.

        Args:
            base: folder for the homes.
            pack: the agreement.
            serving: further arguments of `servanda serve`.
        """
        self.base, self.pack = base, pack
        self.passphrase = secrets.token_hex(8)
        self.fingerprints: dict[str, str] = {}
        self.ports: dict[str, int] = {}
        self._serving = list(serving)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def home(self, party: str) -> Path:
        """The folder of a party's centre."""
        return self.base / party

    def ask(self, party: str, command: str, /, **arguments: Any) -> Any:
        """Ask one centre."""
        return request(self.home(party), {"command": command, **arguments})

    def found(self, step: Step) -> None:
        """Make all centres; their fingerprints are compared as their officers would in person."""
        self.ports = dict(zip(self.pack.parties, free_ports(len(self.pack.parties)), strict=True))
        for party, port in self.ports.items():
            step(f"{party}: keys and identity")
            self.fingerprints[party] = found_centre(
                Founding(
                    home=self.home(party),
                    pack=self.pack,
                    party=party,
                    passphrase=self.passphrase,
                    root_passphrase=self.passphrase,
                    officers=OFFICERS,
                    port=port,
                    addresses=(f"https://127.0.0.1:{port}",),
                    cost=CHEAP,  # the passphrase is printed, and serves one exercise
                )
            )
        lines = "".join(f"{party}={found}\n" for party, found in sorted(self.fingerprints.items()))
        (self.base / "fingerprints.txt").write_text(lines)

    def introduce(self, reached: Callable[[str, str], int] | None = None) -> None:
        """Give each centre the cards of all others.

        Args:
            reached: the port at which one party (first) reaches another (second); the other's own by default.
        """
        stations = {party: Station(self.home(party), self.passphrase) for party in self.pack.parties}
        cards = {party: station.card() for party, station in stations.items()}
        for party, station in stations.items():
            for other, card in cards.items():
                if other == party:
                    continue
                port = reached(party, other) if reached else self.ports[other]
                given = msgspec.structs.replace(card, addresses=(f"https://127.0.0.1:{port}",))
                station.meet(msgspec.json.encode(given), self.fingerprints[other])
            station.close()

    def start(self, step: Step) -> None:
        """Put every centre on duty, in a process of its own."""
        environment = {**os.environ, "SERVANDA_PASSPHRASE": self.passphrase}
        for party in self.pack.parties:
            log = (self.home(party) / "log").open("wb")
            command = [sys.executable, "-m", "servanda", "serve", "--home", str(self.home(party)), *self._serving]
            self._processes[party] = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True
            )
            log.close()
            (self.home(party) / "pid").write_text(f"{self._processes[party].pid}\n")
        for party in self.pack.parties:
            step(f"{party}: on duty")
            patiently(partial(self._on_duty, party))

    def _on_duty(self, party: str) -> None:
        if self._processes[party].poll() is not None:
            log = (self.home(party) / "log").read_text()
            raise Refusal(f"the centre of {party} did not come up: {log[-2000:]}", "serve")
        if not (self.home(party) / "control.sock").exists():
            raise TryLater(f"the centre of {party} is not on duty yet")
        self.ask(party, "status")

    def enter(self, party: str, draft: Mapping[str, Any]) -> str:
        """Draft, submit, and release by a second officer; returns the entry's place."""
        identifier = self.ask(party, "draft", draft=dict(draft))
        self.ask(party, "submit", identifier=identifier)
        released = patiently(partial(self.ask, party, "release", identifier=identifier, officer="release-1"))
        return str(released["entry"])

    def adopt(self, step: Step, event_at: str, clock: str) -> None:
        """Every party adopts the pack, as an exercise on the given day and exercise clock."""
        for party in self.pack.parties:
            step(f"{party} adopts")
            draft = {
                "format": "adopt",
                "subject": "Adoption of the pack",
                "event-at": event_at,
                "author": "desk-1",
                "content": {"pack": self.pack.digest},
                "status": "exercise",
                "exercise-at": clock,
            }
            self.enter(party, draft)

    def all_receipted(self) -> None:
        """Whether everybody's centre holds everything, post-quantum signatures included.

        Raises:
            TryLater: not yet.
        """
        for party in self.pack.parties:
            status = self.ask(party, "status")
            sizes = {journal["party"]: journal for journal in status["journals"]}
            own = sizes[party]["size"]
            for other, journal in sizes.items():
                if other != party and (journal["receipted-quantum"] < own or journal["waiting"]):
                    raise TryLater(f"{other} has not receipted all of {party}", "receipts")

    def stop(self) -> None:
        """End all processes."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def free_ports(count: int) -> list[int]:
    """Ports on loopback that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def patiently(call: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """Call again while the answer may only mean "not yet"; the last error stands in the end."""
    begun = time.monotonic()
    while True:
        try:
            return call()
        except ServandaError as error:
            waitable = isinstance(error, TryLater) or error.code in NOT_YET
            if not waitable or time.monotonic() - begun > seconds:
                raise
        except ConnectionError:
            if time.monotonic() - begun > seconds:
                raise
        time.sleep(0.02)


def judged_alone(program: Path, dossier: Path, fingerprints: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What the stand-alone verifier, which shares no code with us, says of a dossier: exit status 0 if it verifies."""
    command = [sys.executable, str(program), str(dossier), "--json"]
    for party, fingerprint in sorted(fingerprints.items()):
        command += ["--party", f"{party}={fingerprint}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)
