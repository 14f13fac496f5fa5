# SPDX-License-Identifier: Apache-2.0
"""A published record replayed between the centres of a demonstration, step by step, in date order."""

from __future__ import annotations

import base64
import tomllib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from servanda.assembly import read_pack
from servanda.cli.centres import Centres, Step, patiently
from servanda.operations.replay import draft_of
from servanda.operations.verifying import verify_bundle


class Demonstration:
    """A replay of `example` between one centre for every party of `pack`."""

    def __init__(self, base: Path, pack: Path, example: Path) -> None:
        """Read pack and steps; nothing is made yet."""
        self.centres = Centres(base, read_pack(pack))
        self.pack = self.centres.pack
        self.steps = tomllib.loads((example / "replay.toml").read_text())["step"]
        listing = example / "show.toml"
        self.subjects: list[str] = tomllib.loads(listing.read_text())["figures"] if listing.is_file() else []
        self.dossier = base / "dossier.servanda"

    @property
    def length(self) -> int:
        """How many things the replay does."""
        return len(self.pack.parties) + len(self.steps) + 1

    @property
    def witness(self) -> str:
        """The party whose centre shows the result: the one that most formats name as witness, else the first."""
        named = [party for form in self.pack.data["formats"] for party in form["witnesses"]]
        return max(self.pack.parties, key=named.count)

    def start(self, step: Step) -> None:
        """Make all centres, exchange cards, and put them on duty."""
        self.centres.found(step)
        self.centres.introduce()
        self.centres.start(step)

    def replay(self, step: Step) -> None:
        """Adopt the pack everywhere, then enter every step, delivered and acknowledged."""
        self.centres.adopt(step, self.steps[0]["date"], self.steps[0]["clock"])
        entered: dict[str, str] = {}
        for item in self.steps:
            step(f"{item['date']} {item['party']}: {item['subject']}")
            self._replay_step(item, entered)
        step("receipts")
        patiently(self.centres.all_receipted)

    def _replay_step(self, item: Mapping[str, Any], entered: dict[str, str]) -> None:
        entry = patiently(lambda: self.centres.enter(item["party"], draft_of(item, entered, "desk-1")))
        entered[item["id"]] = entry
        for addressee in item.get("to", []):
            patiently(partial(self.centres.ask, addressee, "acknowledge", entries=[entry], officer="watch-1"))

    def conclude(self, as_of: str) -> dict[str, Any]:
        """Registers, receipts and dossier from one centre, and the dossier verified."""
        party = self.witness
        accounting = self.centres.ask(party, "accounting")
        obligations = self.centres.ask(party, "obligations", at=as_of[:10])
        self.dossier.write_bytes(
            base64.b64decode(self.centres.ask(party, "export", purpose="dossier", **{"as-of": as_of}))
        )
        report = verify_bundle(self.dossier.read_bytes(), self.centres.fingerprints)
        rows = [{key.replace("-", "_"): value for key, value in row.items()} for row in obligations["obligations"]]
        return {
            "accounting": accounting,
            "obligations": obligations,
            "receipts": self.centres.ask(party, "receipts"),
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
                "fingerprints": self.centres.fingerprints,
                "wrong": report.wrong,
            },
        }
