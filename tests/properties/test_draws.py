# SPDX-License-Identifier: Apache-2.0
"""Histories of joint draws by centres that do as they like: everybody sees the same, and no failure is undone."""

from __future__ import annotations

from itertools import combinations
from random import Random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from servanda.journal.state import Entry
from servanda.operations.bundles import export_bundle
from servanda.registers.inspections.clocks import FAILED
from servanda.registers.inspections.fold import InspectionsRegister
from servanda.registers.inspections.views import draws_document, inspections_document
from tests.dossier.forgery import pins_of, stand_alone
from tests.rig.replica import Replica, leaves_of, prepared
from tests.rig.visits import Visits, secret_of

PARTY = st.sampled_from(["ash", "birch"])
WHOLE = ("ash", "birch", "ash", "birch")


class Draws(RuleBasedStateMachine):
    """Both centres have been tampered with: none asks its own register before it releases."""

    def __init__(self) -> None:
        super().__init__()
        self.visits = Visits(rows=12)
        for centre in self.visits.world.centres.values():
            centre.inspections.check = lambda entry: None  # type: ignore[method-assign]
        self.mandate = self.visits.mandate()
        self.plans: list[Entry] = []
        self.commitments: dict[str, list[Entry]] = {"ash": [], "birch": []}
        self.failed: dict[tuple[str, str], tuple[str, str]] = {}

    @rule(
        begin=st.sampled_from([0, 4, 8]),
        size=st.sampled_from([4, 4, 4, 2]),
        sample=st.sampled_from([3, 3, 3, 5]),
        defects=st.sampled_from([2, 2, 2, 5]),
        minutes=st.sampled_from([240, 240, 240, 59]),
        kind=st.sampled_from(["drawn", "drawn", "all", "places", "lots"]),
    )
    def plan(self, begin: int, size: int, sample: int, defects: int, minutes: int, kind: str) -> None:
        visits = self.visits
        selected = {"count": size, "root": visits.root, "rows": [[begin, begin + size - 1]], "table": visits.table}
        listed: dict[str, Any] = {"lots": [], "places": [], "tables": [selected]}
        changes: dict[str, Any] = {"sample": sample, "defects": defects}
        if kind == "all":
            changes |= {"algorithm": "all", "commit-by": None, "reveal-by": None}
        else:
            hours = minutes / 60
            changes |= {"commit-by": visits.in_hours(hours), "reveal-by": visits.in_hours(2 * hours)}
        listed["places"] = ["store", "works"][: size % 3] if kind == "places" else []
        listed["lots"] = [f"{visits.table}/{begin + sample}"] if kind == "lots" else []
        content = visits.plan_content(population=listed, **changes)
        self.plans.append(visits.say("birch", "visit", content, refers_to=(self.mandate.place,), to=("ash",)))

    @precondition(lambda self: self.plans)
    @rule(party=PARTY, data=st.data(), bad=st.sampled_from(["", "", "", "differs", "clear", "other"]))
    def commit(self, party: str, data: st.DataObject, bad: str) -> None:
        plan = data.draw(st.sampled_from(self.plans))
        known = self.visits.register(party).plans.get(plan.place)
        if known is None or known.terms is None:
            return
        secret = secret_of(party, len(self.commitments[party]))
        content = self.visits.commit_content(party, plan, secret)
        if bad == "differs":
            content["sample"] += 1
        if bad == "other":
            content["secret"] = secret_of("another").hex()
        seal = () if bad == "clear" else ("secret",)
        other = "birch" if party == "ash" else "ash"
        entry = self.visits.say(party, "bind", content, refers_to=(plan.place,), to=(other,), seal=seal)
        if bad != "clear":
            self.commitments[party].append(entry)

    @precondition(lambda self: self.plans)
    @rule(parties=st.sampled_from([WHOLE, WHOLE, WHOLE[:3], WHOLE[1:], ("ash",), ("birch",)]))
    def go_on(self, parties: tuple[str, ...]) -> None:
        for party in parties:
            self.do_its_part(party)

    def do_its_part(self, party: str) -> None:
        """What a party does that keeps to the rules: it commits to the newest plan, then reveals."""
        register = self.visits.register(party)
        plan = next((register.plans[e.place] for e in reversed(self.plans) if e.place in register.plans), None)
        if plan is None or plan.terms is None:
            return
        if party not in plan.commitments:
            self.commitments[party].append(self.visits.commit(party, plan.entry))
        elif len(plan.commitments) == 2 and party not in plan.reveals:
            self.visits.reveal(party, plan.commitments[party])

    @precondition(lambda self: any(self.commitments.values()))
    @rule(data=st.data())
    def reveal(self, data: st.DataObject) -> None:
        party, own = data.draw(st.sampled_from([(p, e) for p, es in self.commitments.items() for e in es]))
        self.visits.reveal(party, own)

    @precondition(lambda self: self.plans)
    @rule(data=st.data(), outcome=st.sampled_from(["present-matching", "access-denied", "not-attempted"]))
    def find(self, data: st.DataObject, outcome: str) -> None:
        plan = data.draw(st.sampled_from(self.plans))
        known = self.visits.register().plans.get(plan.place)
        drawn = known.sample() if known else None
        items = [*(drawn[1] if drawn else []), f"{self.visits.table}/{data.draw(st.integers(0, 11))}"]
        self.visits.found(plan, {data.draw(st.sampled_from(items)): outcome})

    @precondition(lambda self: self.plans)
    @rule(data=st.data(), party=PARTY)
    def report(self, data: st.DataObject, party: str) -> None:
        held = self.visits.world.centres[party].record
        known = [plan for plan in self.plans if held.entry(plan.place) is not None]
        if not known:
            return
        plan = data.draw(st.sampled_from(known))
        other = "birch" if party == "ash" else "ash"
        said = {"summary": "s", "evidence": []}
        self.visits.say(party, "visit-report", said, refers_to=(plan.place,), to=(other,))

    @rule(hours=st.sampled_from([0, 0, 1, 5]))
    def time_passes(self, hours: int) -> None:
        self.visits.world.clock.seconds += hours * 3600

    @rule(cut=st.sampled_from([False, False, True]))
    def line_cut_or_whole(self, cut: bool) -> None:
        self.visits.cut = cut
        self.visits.sync()

    @invariant()
    def what_is_drawn_is_a_sample_of_what_was_planned(self) -> None:
        for centre in self.visits.world.centres.values():
            for plan in centre.inspections.plans.values():
                found = plan.sample()
                if found is None:
                    continue
                assert len(found[1]) == len(set(found[1])) == plan.content["sample"]
                assert all(plan.population.has(item) for item in found[1])
                entries = [*plan.commitments.values()], [entry for entry, _ in plan.reveals.values()]
                for reveal in entries[1]:
                    past = reveal.past
                    assert all(own.place.number <= past.get(own.place.party, 0) for own in entries[0])

    @invariant()
    def a_failure_is_undone_by_nothing_but_a_receipt_that_shows_what_came_late(self) -> None:
        if self.visits.cut:  # what the other did in time may still be on its way
            return
        for each in self.visits.document()["inspections"]:
            for part in each["draw"]["parties"]:
                key, dues = (each["plan"], part["party"]), (part["commit-due"], part["reveal-due"])
                if part["state"] in FAILED:
                    self.failed[key] = dues
                else:
                    assert self.failed.get(key, ("", "")) < dues

    @invariant()
    def two_standing_draws_never_share_an_item_until_one_is_reported(self) -> None:
        plans = self.visits.register().plans.values()
        for one, other in combinations(plans, 2):
            if one.population.shares(other.population):
                assert one.report is not None
                assert one.report.place.number < other.place.number

    def teardown(self) -> None:
        self.visits.cut = False
        self.visits.sync()
        ash, birch = (self.visits.world.centres[party] for party in ("ash", "birch"))
        expected = draws_document(birch.inspections)
        now = self.visits.now()
        whole = inspections_document(birch.inspections, now)
        assert inspections_document(ash.inspections, now) == whole
        for seed in range(3):
            other = _shuffled(self.visits, seed)
            assert inspections_document(other, now) == whole
        reader = stand_alone()
        pins = pins_of(self.visits.world)
        judged = reader.Dossier(export_bundle(birch, "dossier", None), pins, {}, False)
        assert [str(problem) for problem in judged.problems] == []
        assert judged.registers.get("draws", {"draws": [], "servanda-draws": 1}) == expected


def _shuffled(visits: Visits, seed: int) -> InspectionsRegister:
    """The register of a reader to whom the entries came in another order."""
    leaves = leaves_of(visits.world.centres["birch"])
    order = [party for party, held in leaves.items() for _ in held]
    Random(seed).shuffle(order)
    replica = Replica([visits.world.pack])
    register = InspectionsRegister(replica.record)
    at = dict.fromkeys(leaves, 0)
    for party in order:
        replica.record.add_leaves(party, [prepared(leaves[party][at[party]])])
        at[party] += 1
        replica.record.judge()
        register.catch_up()
    return register


TestDraws = Draws.TestCase
TestDraws.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
