# SPDX-License-Identifier: Apache-2.0
"""A story played between centres: what officers do, what happens to the lines, and what each side sees in the end.

The story is data (`examples/*/story.toml`); this module knows no agreement. Everything in it has status `exercise`.
"""

from __future__ import annotations

import base64
import json
import time
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from servanda.assembly import read_clock, read_pack
from servanda.cli.centres import Centres, Step, patiently
from servanda.cli.wires import Wires
from servanda.operations.errors import Refusal, TryLater
from servanda.operations.verifying import verify_bundle

Tell = Callable[[str], None]
DESK, WATCH = "desk-1", "watch-1"
WAIT_SECONDS = 120.0


class Story:
    """One story, and the centres between which it is played."""

    def __init__(self, base: Path, example: Path) -> None:
        """Read story and pack; nothing is made yet."""
        self.script: dict[str, Any] = tomllib.loads((example / "story.toml").read_text())
        self.steps: list[dict[str, Any]] = self.script["step"]
        self.pack = read_pack(example / "pack")
        self.begun = read_clock()
        serving = ["--exercise-pace", str(self.script["pace"]), "--exercise-epoch", self.begun]
        self.centres = Centres(base, self.pack, serving)
        self.entered: dict[str, str] = {}
        self.base = base
        self.dossier = base / "dossier.servanda"
        self._wires: Wires | None = None

    def start(self, step: Step) -> None:
        """Make all centres, introduce them over lines that can be cut, and put them on duty."""
        self.centres.found(step)
        self._wires = Wires(self.centres.ports)
        self.centres.introduce(self._wires.port)
        self.centres.start(step)
        self.centres.adopt(step, self.begun[:10], self.begun[:19] + "Z")
        patiently(self.centres.all_receipted)

    def play(self, tell: Tell) -> None:
        """Play every step, and tell what is done, what is to be seen of it, and on which route it went."""
        for step in self.steps:
            if "say" in step:
                tell(f"\n{step['say']}")
            _DOING[step["do"]](self, step, tell)

    def conclude(self) -> dict[str, Any]:
        """The case as both sides see it, whether they see the same, and the verified dossier."""
        patiently(self.centres.all_receipted)
        sides = self.script["sides"]
        opening = self.entered[self.script["case"]]
        at = self.centres.ask(sides[0], "case", entry=opening)["at"]
        seen = {side: self.centres.ask(side, "case", entry=opening, at=at) for side in sides}
        documents = {side: self.centres.ask(side, "alerts", at=at) for side in sides}
        self.dossier.write_bytes(base64.b64decode(self.centres.ask(sides[0], "export", purpose="dossier")))
        report = verify_bundle(self.dossier.read_bytes(), self.centres.fingerprints)
        return {
            "at": at,
            "case": opening,
            "dossier": str(self.dossier),
            "entries": report.entries,
            "fingerprints": self.centres.fingerprints,
            "identical": len({str(document) for document in documents.values()}) == 1,
            "sides": seen,
            "verified": report.verified,
            "wrong": report.wrong,
        }

    def stop(self) -> None:
        """End all processes and lines."""
        self.centres.stop()
        self._close()

    def leave(self) -> None:
        """Leave the centres on duty, by lines that do not end with this process."""
        cards = {party: self.centres.ask(party, "card") for party in self.pack.parties}
        for party in self.pack.parties:
            for other, card in cards.items():
                if other != party:
                    fingerprint = self.centres.fingerprints[other]
                    self.centres.ask(party, "meet", card=json.dumps(card), fingerprint=fingerprint)
        self._close()

    def _close(self) -> None:
        if self._wires is not None:
            self._wires.close()

    def release(self, step: Mapping[str, Any], tell: Tell) -> None:
        """Two officers: one drafts, the other releases."""
        self._entered(step, self.centres.enter(step["party"], self._draft(step, DESK)), tell)

    def send(self, step: Mapping[str, Any], tell: Tell) -> None:
        """One officer on watch sends what needs no second one."""
        entry = self.centres.ask(step["party"], "send", draft=self._draft(step, WATCH))["entry"]
        self._entered(step, entry, tell)

    def acknowledge(self, step: Mapping[str, Any], tell: Tell) -> None:
        """A person has read it: accepted for action, or only opened."""
        disposition = "opened" if step["do"] == "opened" else step.get("disposition", "accepted")
        arguments = {"entries": [self.entered[step["of"]]], "officer": WATCH, "disposition": disposition}
        sent = patiently(lambda: self.centres.ask(step["party"], "acknowledge", **arguments))
        self._entered(step, sent["entry"], tell)

    def link_test(self, step: Mapping[str, Any], tell: Tell) -> None:
        """A test of the line, and the answer of the other centre."""
        party, other = step["party"], step["to"]
        self.centres.ask(party, "link-test", parties=[other])
        tell(f"   {self._answered(party, other)}")

    def _answered(self, party: str, other: str) -> str:
        def ask() -> str:
            (line,) = self.centres.ask(party, "line-status", party=other)["lines"]
            tests = line["link-tests"]["by-us"]
            if not tests["answered"]:
                raise TryLater("no answer yet")
            return f"answered by the centre of {other} after {tests['worst']} s of its exercise clock"

        return str(patiently(ask))

    def cut(self, step: Mapping[str, Any], tell: Tell) -> None:
        """A line is cut."""
        assert self._wires is not None
        self._wires.cut(*step["between"])

    def mend(self, step: Mapping[str, Any], tell: Tell) -> None:
        """Lines are mended."""
        assert self._wires is not None
        for one, other in step["between"]:
            self._wires.mend(one, other)

    def undelivered(self, step: Mapping[str, Any], tell: Tell) -> None:
        """What the watch list of a centre says of an entry that could not be delivered."""
        entry = self.entered[step["of"]]

        def ask() -> dict[str, Any]:
            for item in self.centres.ask(step["party"], "undelivered"):
                if item["entry"] == entry and item["party"] == step["to"] and item["reason"]:
                    return dict(item)
            raise TryLater(f"{entry} is not on the watch list yet")

        item = patiently(ask)
        tell(f"   watch list of {step['party']}: {entry} not at the centre of {step['to']}: {item['reason']}")

    def courier(self, step: Mapping[str, Any], tell: Tell) -> None:
        """A bundle on a stick: written for one party, carried, and taken in."""
        party, other = step["party"], step["to"]
        bundle = self.centres.ask(party, "export", purpose="courier", to=[other])
        stick, data = self.base / "stick.age", base64.b64decode(bundle)
        stick.write_bytes(data)
        taken = self.centres.ask(other, "import", data=bundle)
        found = ", ".join(f"{count} of {name}" for name, count in taken["entries"].items() if count)
        tell(f"   {stick}: {len(data):,} bytes; new entries taken in: {found or 'none'}")
        self._arrived(self.entered[step["of"]], other)

    def escalated(self, step: Mapping[str, Any], tell: Tell) -> None:
        """Wait until a centre has escalated a question whose clock ran out."""
        party, entry = step["party"], self.entered[step["of"]]

        def ask() -> dict[str, Any]:
            for clock in self.centres.ask(party, "case", entry=entry)["clocks"]:
                if clock["entry"] == entry and clock["state"] == "overdue" and clock["escalations"]:
                    return dict(clock)
            raise TryLater("its clock still runs")

        clock = patiently(ask, WAIT_SECONDS)
        made = self.centres.ask(party, "show", entry=clock["escalations"][-1])["frame"]["content"]
        contact = made["contact"] or "no contact stated"
        tell(f"   {clock['clock']} clock, due {clock['due']}: {made['action']} {made['step']} to {contact}")
        tell(f"   entered as {clock['escalations'][-1]}")

    def arrives(self, step: Mapping[str, Any], tell: Tell) -> None:
        """Wait until an entry is at a centre."""
        self._arrived(self.entered[step["of"]], step["to"])
        tell(f"   {self.entered[step['of']]} is at the centre of {step['to']}")

    def _draft(self, step: Mapping[str, Any], author: str) -> dict[str, Any]:
        clock = self.centres.ask(step["party"], "alerts")["at"]
        draft = {"author": author, "event-at": clock[:10], "exercise-at": clock, "status": "exercise", **step["draft"]}
        draft["refers-to"] = [self.entered[name] for name in draft.get("refers-to", [])]
        return draft

    def _entered(self, step: Mapping[str, Any], entry: str, tell: Tell) -> None:
        if "id" in step:
            self.entered[step["id"]] = entry
        if "to" not in step:
            tell(f"   {entry} is released")
            return
        begun = time.monotonic()
        self._arrived(entry, step["to"])
        taken = time.monotonic() - begun
        route = self._receipted(step["party"], step["to"], int(entry.split("/")[1]))
        if step.get("route", route) not in route:
            raise Refusal(f"{entry} went by {route}, and not by {step['route']}", "demo")
        tell(f"   {entry} is at the centre of {step['to']} after {taken:.2f} s, receipted, by {route}")

    def _arrived(self, entry: str, party: str) -> None:
        def ask() -> None:
            try:
                self.centres.ask(party, "show", entry=entry)
            except Refusal as error:
                raise TryLater(f"{entry} is not at the centre of {party}: {error}") from error

        patiently(ask, WAIT_SECONDS)

    def _receipted(self, party: str, other: str, number: int) -> str:
        def ask() -> str:
            held = [r["size"] for r in self.centres.ask(party, "receipts") if (r["journal"], r["by"]) == (party, other)]
            if max(held, default=0) < number:
                raise TryLater(f"no receipt by {other} yet")
            return str(self.centres.ask(party, "lines")[other]["route"])

        return str(patiently(ask, WAIT_SECONDS))


_DOING: dict[str, Callable[[Story, Mapping[str, Any], Tell], None]] = {
    "release": Story.release,
    "send": Story.send,
    "acknowledge": Story.acknowledge,
    "opened": Story.acknowledge,
    "link-test": Story.link_test,
    "cut": Story.cut,
    "mend": Story.mend,
    "undelivered": Story.undelivered,
    "courier": Story.courier,
    "escalated": Story.escalated,
    "arrives": Story.arrives,
}
