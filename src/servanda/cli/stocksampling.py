# SPDX-License-Identifier: Apache-2.0
"""The stockpile's inspections: of each declarer's table a sample, drawn by both sides, looked at, and reported."""

from __future__ import annotations

from functools import partial
from typing import Any

from servanda.cli.centres import Step, patiently
from servanda.cli.stockpile import CUSTODIAN, ONE_SHORT_IN, Stockpile
from servanda.cli.stockrows import Declared
from servanda.operations.errors import TryLater

ONE_DENIED_IN = 200
MISS = "1/20"
FINDINGS_AT_ONCE = 1000


class StockInspections:
    """Six inspections, one method a phase."""

    def __init__(self, show: Stockpile) -> None:
        """Nothing is drawn yet."""
        self.show = show
        self.drawn: dict[str, list[str]] = {}
        self.plans: dict[str, str] = {}

    def draw(self, step: Step) -> None:
        """Of each declarer's table a sample is drawn by lot: both sides commit to a secret, then both reveal."""
        with self.show.phase("samples drawn jointly") as tell:
            for party in self.show.declarers:
                step(f"{party}: joint draw")
                self._draw(party, self.show.declared[party])
            tell(f"{sum(map(len, self.drawn.values())):,} pieces; one in {ONE_SHORT_IN:,} missing is missed once in 20")

    def _draw(self, party: str, declared: Declared) -> None:
        mandate = self.show.enter(CUSTODIAN, "mandate", f"Inspection of {party}", self._mandate(party), named=[party])
        self.show.accept(party, mandate)
        wanted = {
            "begins": self.show.begun[:10],
            "commit-by": self.show.instant(minutes=10),
            "defects": max(1, declared.rows // ONE_SHORT_IN),
            "ends": self.show.day(5),
            "exercise-at": self.show.instant(),
            "miss": MISS,
            "officer": "desk-1",
            "reveal-by": self.show.instant(minutes=20),
            "tables": [declared.entry],
        }
        planned = patiently(partial(self.show.centres.ask, CUSTODIAN, "inspection-plan", mandate=mandate, **wanted))
        self.plans[party] = self.show.release(CUSTODIAN, planned["draft"])
        for step in ("commit", "reveal"):
            for side in (CUSTODIAN, party):
                self.show.release(side, patiently(partial(self._step, side, self.plans[party], step)))
        self.drawn[party] = patiently(partial(self._sample, self.plans[party]))

    def _step(self, side: str, plan: str, step: str) -> str:
        """The draft of a side's next step in a draw, once it is that one."""
        found = self.show.centres.ask(
            side, "inspection-draw", plan=plan, officer="desk-1", **{"exercise-at": self.show.instant()}
        )
        if found["does"] != step:
            raise TryLater(f"{side} waits for {', '.join(found['waits-for'])} in the draw of {plan}")
        return str(found["draft"])

    def _sample(self, plan: str) -> list[str]:
        drawn = self.show.centres.ask(CUSTODIAN, "inspection-draw", plan=plan, officer="desk-1")["drawn"]
        if drawn is None:
            raise TryLater(f"the secrets of {plan} have not all arrived")
        return list(drawn)

    def inspect(self, step: Step) -> None:
        """Each piece drawn is looked at: most are there and match, to some access is denied, the short ones are not."""
        with self.show.phase("inspected") as tell:
            denied = 0
            for party, items in self.drawn.items():
                step(f"{party}: inspection")
                found = [{"evidence": [], "item": item, "note": "", "outcome": self._outcome()} for item in items]
                denied += sum(finding["outcome"] == "access-denied" for finding in found)
                for first in range(0, len(found), FINDINGS_AT_ONCE):
                    findings = {"findings": found[first : first + FINDINGS_AT_ONCE]}
                    self.show.enter(CUSTODIAN, "findings", f"Findings at {party}", findings, **self._about(party))
                report = {"evidence": [], "summary": "What was drawn was looked for; see the findings."}
                self.show.enter(CUSTODIAN, "inspection-report", f"Inspection of {party}", report, **self._about(party))
            tell(f"{sum(map(len, self.drawn.values())):,} findings, {denied} times access denied")

    def _about(self, party: str) -> dict[str, list[str]]:
        return {"refers-to": [self.plans[party]]}

    def _outcome(self) -> str:
        return "access-denied" if self.show.chance.randrange(ONE_DENIED_IN) == 0 else "present-matching"

    def inspections(self) -> list[tuple[str, int, int, int, str, str]]:
        """Of each inspection: whom, how many drawn, verified and not verified, detection planned and assured."""
        found = []
        for party, plan in self.plans.items():
            seen = self.show.centres.ask(CUSTODIAN, "inspection", plan=plan, at=self.show.instant())["inspection"]
            outcomes, detection = seen["outcomes"], seen["detection"]
            verified, other = (sum(outcomes[name].values()) for name in ("verified", "not-verified"))
            found.append((party, seen["sample"], verified, other, detection["planned"], detection["assured"]))
        return found

    def _mandate(self, party: str) -> dict[str, Any]:
        limits = {"comment-days": 10, "draw-minutes": 1, "opening-minutes": 60, "report-days": 5}
        return {
            "beside": [],
            "from": self.show.begun[:10],
            "inspected": party,
            "inspector": CUSTODIAN,
            "kinds": [],
            "limits": limits,
            "places": [],
            "tables": [self.show.declared[party].entry],
            "until": self.show.day(30),
        }
