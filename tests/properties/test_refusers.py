# SPDX-License-Identifier: Apache-2.0
"""Does it pay to refuse? The rules as they are, thousands of draws, and adversaries that know all that can be known.

ash hides one item of ten, three are drawn. It wins a draw if the item was not drawn and nothing was denied: with an
honest ash that happens in seven of ten. Entries are made without signatures, which say nothing of chance; the register
that folds them is the real one. All secrets come from counters, so every run is the same.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from functools import cache
from math import sqrt
from typing import Any

import msgspec
import pytest

from servanda.journal.frame import Frame, Place, Reference
from servanda.journal.state import Entry
from servanda.proof.sealing import disclose, disclosure_digest
from servanda.registers.inspections.clocks import standing
from servanda.registers.inspections.fold import InspectionsRegister
from servanda.registers.inspections.inspection import Plan
from servanda.registers.inspections.outcomes import outcomes_of
from servanda.verification.selection import commitment, draw_id, draw_rows, joint_seed, stratum_seed
from tests.rig.visits import HOUR, Visits, secret_of

ITEMS, SAMPLE, DRAWS = 10, 3, 2000
HONEST = 1 - SAMPLE / ITEMS
HIDDEN = 4
SIGMAS = 4.5


class Table:
    """A register with a mandate in force, to which entries can be given one by one."""

    def __init__(self) -> None:
        visits = Visits(rows=ITEMS)
        self.mandate = visits.mandate()
        self.template = visits.plan(self.mandate, sample=SAMPLE, defects=1, miss="7/10")
        self.register: InspectionsRegister = visits.register()
        assert self.template.frame is not None
        self.frame: Frame = self.template.frame
        self.begun = visits.now()
        self.name = visits.table
        self.register.plans.clear()
        self.number = 1000

    def say(self, party: str, form: str, content: dict[str, Any], about: Entry, *, hours: float = 0) -> Entry:
        """One entry more, that covers all that was said before."""
        from servanda.agreement.dates import instant_text

        self.number += 1
        pack = self.register.record.packs[self.register.record.agreement]
        act = next(f.act for f in pack.formats.values() if f.identifier == form)
        frame = msgspec.structs.replace(
            self.frame,
            act=act,
            content=content,
            format=form,
            number=self.number,
            party=party,
            refers_to=(Reference(about.place.party, about.place.number, "00" * 32),),
            released_at=instant_text(self.begun + int(hours * HOUR)),
        )
        other = "birch" if party == "ash" else "ash"
        entry = Entry(Place(party, self.number), b"", b"", frame, None, "", {other: self.number})
        self.register.apply(entry)
        return entry

    def plan(self) -> Plan:
        self.register.plans.clear()
        entry = self.say("birch", "visit", self.frame.content, self.mandate)
        return self.register.plans[entry.place]

    def commit(self, party: str, plan: Plan, secret: bytes, *, hours: float = 0.5) -> tuple[Entry, str]:
        assert plan.terms is not None
        name = draw_id(plan.terms)
        opening = disclose(secret[:16], "secret", secret.hex())
        content = {
            "_sd": [disclosure_digest(opening)],
            "draw": name.hex(),
            "commitment": commitment(name, party, secret).hex(),
            "sample": SAMPLE,
            "algorithm": plan.content["algorithm"],
        }
        return self.say(party, "bind", content, plan.entry, hours=hours), opening

    def reveal(self, party: str, committed: tuple[Entry, str], *, hours: float = 2.5) -> None:
        own, opening = committed
        self.say(party, "reveal", {"disclosures": [opening]}, own, hours=hours)


def drawn_with(plan: Plan, ours: bytes, theirs: bytes) -> list[int]:
    """What ash knows once it has seen the inspector's secret."""
    assert plan.terms is not None
    seed = joint_seed(draw_id(plan.terms), {"ash": ours, "birch": theirs})
    return draw_rows(stratum_seed(seed, "items"), ITEMS, SAMPLE)


Adversary = Callable[[Table, Plan, int, bytes], None]


def honest(table: Table, plan: Plan, nth: int, theirs: bytes) -> None:
    own, other = table.commit("ash", plan, secret_of("ash", nth)), table.commit("birch", plan, theirs)
    table.reveal("birch", other)
    table.reveal("ash", own)


def refuses_if_hit(table: Table, plan: Plan, nth: int, theirs: bytes) -> None:
    secret = secret_of("ash", nth)
    own, other = table.commit("ash", plan, secret), table.commit("birch", plan, theirs)
    table.reveal("birch", other)
    if HIDDEN not in drawn_with(plan, secret, theirs):
        table.reveal("ash", own)


def chooses_after_seeing(table: Table, plan: Plan, nth: int, theirs: bytes) -> None:
    secret = secret_of("ash", nth)
    own, other = table.commit("ash", plan, secret), table.commit("birch", plan, theirs)
    table.reveal("birch", other)
    for attempt in range(50):
        better = secret if attempt == 0 else secret_of("ash", nth, attempt)
        if HIDDEN not in drawn_with(plan, better, theirs):
            opening = own[1] if attempt == 0 else disclose(better[:16], "secret", better.hex())
            content = {"disclosures": [opening]}
            table.say("ash", "reveal", content, own[0], hours=2.5)
            return


def commits_after_seeing(table: Table, plan: Plan, nth: int, theirs: bytes) -> None:
    other = table.commit("birch", plan, theirs)
    table.reveal("birch", other)
    for attempt in range(50):
        secret = secret_of("ash", nth, attempt)
        if HIDDEN not in drawn_with(plan, secret, theirs):
            table.reveal("ash", table.commit("ash", plan, secret))
            return


def reveals_late_if_hit(table: Table, plan: Plan, nth: int, theirs: bytes) -> None:
    secret = secret_of("ash", nth)
    own, other = table.commit("ash", plan, secret), table.commit("birch", plan, theirs)
    table.reveal("birch", other)
    table.reveal("ash", own, hours=9 if HIDDEN in drawn_with(plan, secret, theirs) else 2.5)


def grinds_before(table: Table, plan: Plan, nth: int, theirs: bytes) -> None:
    """It picks, of many secrets, the one that is best against guesses of the other's."""
    guesses = [secret_of("guess", nth, each) for each in range(5)]
    secrets = [secret_of("ash", nth, each) for each in range(10)]
    best = min(secrets, key=lambda s: sum(HIDDEN in drawn_with(plan, s, guess) for guess in guesses))
    own, other = table.commit("ash", plan, best), table.commit("birch", plan, theirs)
    table.reveal("birch", other)
    table.reveal("ash", own)


def copies(table: Table, plan: Plan, nth: int, theirs: bytes) -> None:
    """It commits to what the other has committed to, and reveals what the other reveals."""
    other = table.commit("birch", plan, theirs)
    content = other[0].frame.content if other[0].frame else {}
    own = table.say("ash", "bind", content, plan.entry, hours=0.6)
    table.reveal("birch", other)
    table.reveal("ash", (own, other[1]))


def wins(table: Table, plan: Plan) -> bool:
    """Whether the hidden item has come through: drawn without it, and nothing denied."""
    stands = standing(table.register.record, plan, table.begun + 24 * HOUR)
    found = plan.sample()
    if stands.denied:
        assert outcomes_of(plan, stands).not_verified["access-denied"] == ITEMS
    return not stands.denied and (found is None or f"{table.name}/{HIDDEN}" not in found[1])


@cache
def odds(adversary: Adversary, draws: int = DRAWS) -> float:
    table = Table()
    won = 0
    for nth in range(draws):
        plan = table.plan()
        adversary(table, plan, nth, secret_of("birch", nth))
        won += wins(table, plan)
    return won / draws


def bound(draws: int) -> float:
    return SIGMAS * sqrt(HONEST * (1 - HONEST) / draws)


def test_an_honest_party_has_the_odds_that_the_sample_size_says() -> None:
    assert abs(odds(honest) - HONEST) < bound(DRAWS)


@pytest.mark.parametrize(
    "adversary",
    [refuses_if_hit, chooses_after_seeing, commits_after_seeing, reveals_late_if_hit, grinds_before, copies],
)
def test_no_refuser_improves_its_odds(adversary: Adversary) -> None:
    draws = DRAWS // 2
    assert odds(adversary, draws) < HONEST + bound(draws)


def test_refusing_what_hits_wins_exactly_where_honesty_wins() -> None:
    """Not only on the average: draw by draw, a refusal never turns a loss into a win."""
    table = Table()
    for nth in range(500):
        theirs = secret_of("birch", nth)
        results = []
        for adversary in (honest, refuses_if_hit, reveals_late_if_hit):
            table.number = 1000  # the same names, so the same draw
            plan = table.plan()
            adversary(table, plan, nth, theirs)
            results.append(wins(table, plan))
        assert results[1] == results[2] == results[0]


def test_the_test_would_notice_a_protocol_that_draws_again_for_who_refuses() -> None:
    table = Table()
    draws, won = DRAWS // 2, 0
    for nth in range(draws):
        plan, secret = table.plan(), secret_of("ash", nth)
        if HIDDEN in drawn_with(plan, secret, secret_of("birch", nth)):
            secret = secret_of("ash", nth, "again")
        won += HIDDEN not in drawn_with(plan, secret, secret_of("birch", nth))
    assert won / draws > HONEST + bound(draws)


def test_an_inspector_that_refuses_what_misses_gets_no_second_draw() -> None:
    """birch wants item 4 in the sample, and reveals only then: it sees it no more often than by chance."""
    table = Table()
    draws, seen = DRAWS // 2, 0
    for nth in range(draws):
        plan, ours, theirs = table.plan(), secret_of("ash", nth), secret_of("birch", nth)
        own, other = table.commit("ash", plan, ours), table.commit("birch", plan, theirs)
        table.reveal("ash", own)
        if HIDDEN in drawn_with(plan, ours, theirs):
            table.reveal("birch", other)
        else:
            again = table.say("birch", "visit", table.frame.content, table.mandate, hours=0)
            assert again.place not in table.register.plans
            assert standing(table.register.record, plan, table.begun + 24 * HOUR).forfeit
        found = plan.sample()
        seen += found is not None and f"{table.name}/{HIDDEN}" in found[1]
    assert seen / draws < 1 - HONEST + bound(draws)


@pytest.mark.parametrize(("items", "sample"), [(3, 1), (5, 2), (11, 3), (17, 4), (33, 2), (100, 7)])
def test_every_item_and_every_first_place_is_as_likely_as_any_other(items: int, sample: int) -> None:
    """Chi-square of positions from joint seeds; the limit is passed by a fair draw once in a million."""
    draws = max(100 * items, 2000)
    drawn: Counter[int] = Counter()
    firsts: Counter[int] = Counter()
    for nth in range(draws):
        seed = joint_seed(hashlib.sha256(b"x").digest(), {"ash": secret_of("a", nth), "birch": secret_of("b", nth)})
        positions = draw_rows(stratum_seed(seed, "items"), items, sample)
        drawn.update(positions)
        firsts[positions[0]] += 1
    free = items - 1
    limit = free * (1 - 2 / (9 * free) + 4.753 * sqrt(2 / (9 * free))) ** 3  # Wilson and Hilferty, one in a million
    for counts, expected in ((drawn, draws * sample / items), (firsts, draws / items)):
        assert sum((counts[item] - expected) ** 2 / expected for item in range(items)) < limit
