# SPDX-License-Identifier: Apache-2.0
"""What was not verified is in no number that says what was, in any document or on any screen."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from servanda.cli import inspecting
from servanda.journal.state import Entry
from servanda.registers.inspections.clocks import standing
from servanda.registers.inspections.inspection import Finding, Plan
from servanda.registers.inspections.outcomes import CAMERA, DIFFERS, NOT_VERIFIED, VERIFIED, Outcomes
from servanda.registers.inspections.views import inspections_document, plan_document
from tests.rig.visits import Visits

SAID = [name for name in (*VERIFIED, *DIFFERS, *CAMERA, *NOT_VERIFIED) if name != "none"]
APART = [name for name in NOT_VERIFIED if name != "none"]


@cache
def drawn() -> tuple[Visits, Entry]:
    visits = Visits()
    return visits, visits.drawn(sample=15, defects=3)


def document(outcomes: list[str]) -> dict[str, Any]:
    """The document of an inspection whose first items had these outcomes."""
    visits, entry = drawn()
    plan: Plan = visits.planned(entry)
    sample = plan.sample()
    assert sample is not None
    told = dict(zip(sample[1], outcomes, strict=False))
    plan.findings = {item: Finding(entry, outcome, (), "") for item, outcome in told.items()}
    return plan_document(visits.register(), plan, visits.now())


def without(found: dict[str, Any]) -> dict[str, Any]:
    """All of it but the object of what was not verified, and the findings themselves, one by one."""
    outcomes = {name: value for name, value in found["outcomes"].items() if name != "not-verified"}
    return {**found, "outcomes": outcomes, "findings": None, "detection": None}


@given(st.lists(st.sampled_from(SAID), max_size=15))
def test_each_item_is_counted_once_in_its_own_class(outcomes: list[str]) -> None:
    found = document(outcomes)["outcomes"]
    classes = {"verified": VERIFIED, "differs": DIFFERS, "by-camera": CAMERA, "not-verified": NOT_VERIFIED}
    assert {name: set(counts) for name, counts in found.items()} == {n: set(c) for n, c in classes.items()}
    for counts in found.values():
        for name, count in counts.items():
            assert count == (15 - len(outcomes) if name == "none" else outcomes.count(name))


@given(st.lists(st.sampled_from(SAID), max_size=12), st.lists(st.sampled_from(APART), max_size=3))
def test_what_is_not_verified_changes_nothing_that_says_what_is(before: list[str], more: list[str]) -> None:
    assert without(document(before)) == without(document(before + more))


@given(st.lists(st.sampled_from(SAID), max_size=15))
def test_what_is_not_verified_never_raises_the_probability_achieved(outcomes: list[str]) -> None:
    better = ["present-matching" if outcome in APART else outcome for outcome in outcomes]
    worse, found = document(outcomes)["detection"], document(better)["detection"]
    assert worse["assured"] <= worse["independent"] <= worse["planned"]
    assert worse["independent"] <= found["independent"]
    assert worse["assured"] <= found["assured"]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 5), st.integers(0, 5))
def test_the_screen_counts_them_apart(seen: int, denied: int) -> None:
    document(["present-matching"] * seen + ["access-denied"] * denied)
    visits, _ = drawn()
    data = inspections_document(visits.register(), visits.now())
    shown = CliRunner().invoke(_printing(data)).output
    row = next(line for line in shown.splitlines() if "15 of 20" in line).split()
    at = row.index("drawn")
    assert (row[at + 1], row[at + 2]) == (str(seen), str(15 - seen))


def _printing(data: dict[str, Any]) -> Any:
    import click

    @click.command()
    def printing() -> None:
        inspecting.print_inspections(json.loads(json.dumps(data)))

    return printing


def test_outcomes_have_no_arithmetic() -> None:
    visits, entry = drawn()
    plan = visits.planned(entry)
    found = standing(visits.register().record, plan, visits.now())
    assert found.state == "drawn"
    for name in ("__add__", "__radd__", "__int__", "__len__", "__iter__"):
        assert not hasattr(Outcomes, name)
