# SPDX-License-Identifier: Apache-2.0
"""The centres of a demonstration: made, put on duty as processes, spoken to through their control sockets."""

from __future__ import annotations

import base64
import os
import secrets
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from servanda.assembly import CHEAP, Founding, Station, found_centre, read_pack, request
from servanda.operations.errors import Refusal, ServandaError, TryLater
from servanda.operations.replay import draft_of
from servanda.operations.verifying import verify_bundle

Step = Callable[..., None]
OFFICERS = {"desk-1": ("author",), "release-1": ("release",), "watch-1": ("watch",)}
PATIENCE_SECONDS = 60.0
NOT_YET = frozenset(
    {
        "reference",
        "accept",
        "refuse",
        "pack",
        "posting/unknown-lot",
        "posting/not-custodian",
        "posting/locked",
        "posting/quantity",
    }
)
"""Refusals that may only mean that something has not arrived or is not settled yet."""


class Demonstration:
    """One process for every party, in homes below `base`."""

    def __init__(self, base: Path, pack: Path, example: Path) -> None:
        """Read pack and steps; nothing is made yet."""
        self.base = base
        self.pack = read_pack(pack)
        self.steps = tomllib.loads((example / "replay.toml").read_text())["step"]
        listing = example / "show.toml"
        self.subjects: list[str] = tomllib.loads(listing.read_text())["figures"] if listing.is_file() else []
        self.passphrase = secrets.token_hex(8)
        self.fingerprints: dict[str, str] = {}
        self.dossier = base / "dossier.servanda"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def length(self) -> int:
        """How many things the replay does."""
        return len(self.pack.parties) + len(self.steps) + 1

    @property
    def witness(self) -> str:
        """The party whose centre shows the result: the one that most formats name as witness, else the first."""
        named = [party for form in self.pack.data["formats"] for party in form["witnesses"]]
        return max(self.pack.parties, key=named.count)

    def _home(self, party: str) -> Path:
        return self.base / party

    def ask(self, party: str, command: str, **arguments: Any) -> Any:
        """Ask one centre."""
        return request(self._home(party), {"command": command, **arguments})

    def found(self, step: Step) -> None:
        """Make all centres and introduce each to all others, as their officers would do in person."""
        ports = _free_ports(len(self.pack.parties))
        for party, port in zip(self.pack.parties, ports, strict=True):
            step(f"{party}: keys and identity")
            self.fingerprints[party] = found_centre(
                Founding(
                    home=self._home(party),
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

    def start(self, step: Step) -> None:
        """Exchange cards, then put every centre on duty."""
        stations = {party: Station(self._home(party), self.passphrase) for party in self.pack.parties}
        cards = {party: msgspec.json.encode(station.card()) for party, station in stations.items()}
        for party, station in stations.items():
            for other, card in cards.items():
                if other != party:
                    station.meet(card, self.fingerprints[other])
            station.close()
        environment = {**os.environ, "SERVANDA_PASSPHRASE": self.passphrase}
        for party in self.pack.parties:
            log = (self._home(party) / "log").open("wb")
            command = [sys.executable, "-m", "servanda", "serve", "--home", str(self._home(party))]
            self._processes[party] = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True
            )
            log.close()
            (self._home(party) / "pid").write_text(f"{self._processes[party].pid}\n")
        for party in self.pack.parties:
            step(f"{party}: on duty")
            _patiently(partial(self._on_duty, party))

    def _on_duty(self, party: str) -> None:
        if self._processes[party].poll() is not None:
            log = (self._home(party) / "log").read_text()
            raise Refusal(f"the centre of {party} did not come up: {log[-2000:]}", "serve")
        if not (self._home(party) / "control.sock").exists():
            raise TryLater(f"the centre of {party} is not on duty yet")
        self.ask(party, "status")

    def replay(self, step: Step) -> None:
        """Adopt the pack everywhere, then enter every step, delivered and acknowledged."""
        adopt = {
            "format": "adopt",
            "subject": "Adoption of the pack",
            "event-at": self.steps[0]["date"],
            "author": "desk-1",
            "content": {"pack": self.pack.digest},
            "status": "exercise",
            "exercise-at": self.steps[0]["clock"],
        }
        for party in self.pack.parties:
            step(f"{party} adopts")
            self._enter(party, adopt)
        entered: dict[str, str] = {}
        for item in self.steps:
            step(f"{item['date']} {item['party']}: {item['subject']}")
            self._replay_step(item, entered)
        step("receipts")
        _patiently(self._all_receipted)

    def _replay_step(self, item: Mapping[str, Any], entered: dict[str, str]) -> None:
        entry = _patiently(lambda: self._enter(item["party"], draft_of(item, entered, "desk-1")))
        entered[item["id"]] = entry
        for addressee in item.get("to", []):
            _patiently(partial(self._acknowledge, addressee, entry))

    def _enter(self, party: str, draft: Mapping[str, Any]) -> str:
        identifier = self.ask(party, "draft", draft=dict(draft))
        self.ask(party, "submit", identifier=identifier)
        released = _patiently(partial(self.ask, party, "release", identifier=identifier, officer="release-1"))
        return str(released["entry"])

    def _acknowledge(self, party: str, entry: str) -> str:
        return str(self.ask(party, "acknowledge", entries=[entry], officer="watch-1")["entry"])

    def _all_receipted(self) -> None:
        for party in self.pack.parties:
            status = self.ask(party, "status")
            sizes = {journal["party"]: journal for journal in status["journals"]}
            own = sizes[party]["size"]
            for other, journal in sizes.items():
                if other != party and (journal["receipted-quantum"] < own or journal["waiting"]):
                    raise TryLater(f"{other} has not receipted all of {party}", "receipts")

    def conclude(self, as_of: str) -> dict[str, Any]:
        """Registers, receipts and dossier from one centre, and the dossier verified."""
        party = self.witness
        accounting = self.ask(party, "accounting")
        obligations = self.ask(party, "obligations", at=as_of[:10])
        self.dossier.write_bytes(base64.b64decode(self.ask(party, "export", purpose="dossier", **{"as-of": as_of})))
        report = verify_bundle(self.dossier.read_bytes(), self.fingerprints)
        rows = [{key.replace("-", "_"): value for key, value in row.items()} for row in obligations["obligations"]]
        return {
            "accounting": accounting,
            "obligations": obligations,
            "receipts": self.ask(party, "receipts"),
            "sizes": report.complete,
            "report": report,
            "verified": report.verified,
            "data": {
                "obligations": rows,
                "balances": accounting["accounts"],
                "lots": accounting["lots"],
                "figures": accounting["figures"],
                "issues": accounting["issues"],
                "discrepancies": accounting["discrepancies"],
                "declared": accounting["declared"],
                "handovers": accounting["handovers"],
                "destructions": accounting["destructions"],
                "entries": report.entries,
                "dossier": str(self.dossier),
                "fingerprints": self.fingerprints,
                "wrong": report.wrong,
            },
        }

    def stop(self) -> None:
        """End all processes."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _patiently(call: Callable[[], Any]) -> Any:
    """Call again while the answer may only mean "not yet"; the last error stands after a minute."""
    begun = time.monotonic()
    while True:
        try:
            return call()
        except ServandaError as error:
            waitable = isinstance(error, TryLater) or error.code in NOT_YET
            if not waitable or time.monotonic() - begun > PATIENCE_SECONDS:
                raise
        except ConnectionError:
            if time.monotonic() - begun > PATIENCE_SECONDS:
                raise
        time.sleep(0.02)
