# SPDX-License-Identifier: Apache-2.0
"""A published record replayed between the centres of a demonstration, step by step, in date order."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from servanda.assembly import read_pack
from servanda.cli.centres import Centres, Step, patiently
from servanda.operations.errors import Refusal
from servanda.operations.replay import draft_of, remember, with_sources
from servanda.operations.verifying import verify_bundle

AS_OF = "2026-01-04T00:00:00Z"


def texts_in(folder: Path) -> dict[str, str]:
    """The text files of a folder, by the SHA-256 of their bytes."""
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path.read_text("utf-8") for path in folder.glob("*.txt")}


class Demonstration:
    """A replay of `example` between one centre for every party of `pack`."""

    def __init__(self, base: Path, pack: Path, example: Path, sources: Path | None = None) -> None:
        """Read pack and steps; nothing is made yet.

        Args:
            base: folder for the homes.
            pack: folder of the pack.
            example: folder of the example.
            sources: folder with the files of sources, if they are at hand.
        """
        self.centres = Centres(base, read_pack(pack))
        self.pack = self.centres.pack
        texts = texts_in(sources) if sources else {}
        steps = tomllib.loads((example / "replay.toml").read_text())["step"]
        self.steps = [with_sources(step, texts) for step in steps]
        listing = example / "show.toml"
        listed = tomllib.loads(listing.read_text()) if listing.is_file() else {}
        self.subjects: list[str] = listed.get("figures", [])
        self.pages: list[dict[str, str]] = listed.get("page", [])
        """Commands whose output is shown, each asked after the step that it names, or at the end."""
        self.as_of: str = listed.get("as-of", AS_OF)
        self.as_json = False
        self.shown: dict[str, Any] = {}
        """Command to what it printed, or with `as_json` to its data."""
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
        draft = draft_of(item, entered, "desk-1")
        entry = patiently(lambda: self.centres.enter(item["party"], draft))
        remember(item, draft, entry, entered)
        for addressee in item.get("to", []):
            patiently(partial(self.centres.ask, addressee, "acknowledge", entries=[entry], officer="watch-1"))
        for page in self.pages:
            if page.get("after") == item["id"]:
                self._show(page)

    def _show(self, page: Mapping[str, str]) -> None:
        """Type a command as its reader would, at one of the centres on duty."""
        words = [*shlex.split(page["command"]), "--home", str(self.centres.home(page["party"]))]
        done = subprocess.run(
            [sys.executable, "-m", "servanda", *words, *(["--json"] if self.as_json else [])],
            env={**os.environ, "SERVANDA_PASSPHRASE": self.centres.passphrase},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Refusal(f"`servanda {page['command']}` ended with {done.returncode}: {done.stderr.strip()}", "replay")
        self.shown[page["command"]] = json.loads(done.stdout) if self.as_json else done.stdout

    def conclude(self, as_of: str) -> dict[str, Any]:
        """Registers, receipts and dossier from one centre, and the dossier verified."""
        party = self.witness
        for page in self.pages:
            if "after" not in page:
                self._show(page)
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
                "pages": self.shown,
            },
        }
