# SPDX-License-Identifier: Apache-2.0
"""What was verified, and apart from it what was not (spec/inspections.md, What was verified).

The four classes are four types of value without arithmetic: nothing here, and nothing that reads a document of this
register, can add what was not verified to what was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from servanda.registers.inspections.clocks import Standing
from servanda.registers.inspections.inspection import Plan
from servanda.verification.exact import rounded
from servanda.verification.sampling import achieved

NONE = "none"
"""Drawn, and no finding says anything of it."""
DENIED = "access-denied"
VERIFIED = ("present-matching", "absent-as-claimed")
DIFFERS = ("present-serials-differ",)
CAMERA = ("sealed-camera",)
NOT_VERIFIED = ("present-serials-not-shown", "seen-from-distance", DENIED, "not-attempted", NONE)
MISSED = ("not-attempted", NONE)
"""Not looked at for a reason of the inspector's own. The rest of what is not verified was withheld, the camera too."""


@dataclass(frozen=True)
class Outcomes:
    """How many items had each outcome, by class. There is no sum over classes, on purpose."""

    verified: Mapping[str, int]
    differs: Mapping[str, int]
    by_camera: Mapping[str, int]
    not_verified: Mapping[str, int]

    def document(self) -> dict[str, dict[str, int]]:
        """One object for each class, every outcome named, whether it occurs or not."""
        return {
            "by-camera": dict(self.by_camera),
            "differs": dict(self.differs),
            "not-verified": dict(self.not_verified),
            "verified": dict(self.verified),
        }


@dataclass(frozen=True)
class Detection:
    """The probability of seeing at least one of D, decimals of 12 places."""

    planned: str
    independent: str
    assured: str


def outcomes_of(plan: Plan, now: Standing) -> Outcomes:
    """What was found of the items drawn; where the draw was denied, of the whole population."""
    told = Counter(finding.outcome for finding in plan.findings.values())
    if now.denied:
        told[DENIED] += plan.population.size - len(plan.findings)
    elif plan.drawn:
        told[NONE] += plan.content["sample"] - len(plan.findings)
    return Outcomes(*({name: told[name] for name in names} for names in (VERIFIED, DIFFERS, CAMERA, NOT_VERIFIED)))


def detection_of(plan: Plan, now: Standing) -> Detection:
    """What the sample could have shown, as planned and as it came about."""
    size, defects, sample = plan.population.size, plan.content["defects"], plan.content["sample"]
    told = Counter(finding.outcome for finding in plan.findings.values())
    seen = sum(told[name] for name in (*VERIFIED, *DIFFERS))
    missed = told["not-attempted"] + sample - len(plan.findings)
    chances = achieved(size, defects, sample, missed=missed, denied=sample - missed - seen)
    void = now.denied or now.forfeit or not plan.drawn
    zero = Fraction(0)
    return Detection(
        rounded(chances.planned, 12),
        rounded(zero if void else chances.independent, 12),
        rounded(zero if void else chances.assured, 12),
    )
