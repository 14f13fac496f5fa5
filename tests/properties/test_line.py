# SPDX-License-Identifier: Apache-2.0
"""Parties who test, answer, suspend and keep silent as they please: does every reader see the same line?

What is written here by hand nobody checks before it is signed; it arrives in any order that the references allow.
"""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from servanda.agreement.dates import instant_seconds
from servanda.journal.state import Entry
from servanda.line.link_tests import LinkTests, link_tests_bytes, statistics
from servanda.line.regimes import Regimes, regimes_bytes
from servanda.line.silence import STATUSES, WORDS, Line, silences
from servanda.operations.centre import Centre
from servanda.operations.link_tests import ANSWER_SECONDS, answer_link_tests, schedule_link_test
from servanda.registers.alerts.fold import AlertsRegister
from servanda.registers.alerts.views import alerts_document
from tests.rig.packs import channel
from tests.rig.pen import refer, write
from tests.rig.replica import Replica, leaves_of
from tests.rig.world import World

PARTIES = ("ash", "birch", "cedar")
FORMATS = ("warn", "ask", "none-such")
STATES = ("applied", "suspended", "voluntary")
DAYS = ("2026-01-01", "2025-06-01", "2027-01-01", "2026-02-30")
EXERCISE_AT = "2014-01-10T12:00:00Z"


@cache
def _founded() -> World:
    w = World(channel(PARTIES))
    for party in PARTIES:
        w.say(party, "note", {"text": "all heads"})
    w.sync()
    return w


class Talk:
    """What the parties do. Numbers of a step pick among what there is at that moment."""

    def __init__(self) -> None:
        self.world = _founded().clone()
        self.tests: list[Entry] = []
        self.alerts: list[Entry] = []

    def run(self, steps: list[tuple[str, int, int, int]]) -> None:
        for name, who, a, b in steps:
            getattr(self, name)(self.world.centres[PARTIES[who]], a, b)

    def _write(self, centre: Centre, form: str, content: dict[str, Any], status: int = 0, **members: Any) -> Entry:
        marked = STATUSES[status % 3]
        members |= {"status": marked, "exercise_at": EXERCISE_AT if marked == "exercise" else None}
        if form in ("link-test", "link-answer"):
            members |= {"author": "centre", "releaser": None}
        entry = write(centre, form, content, **members)
        assert entry is not None
        return entry

    def _to(self, centre: Centre, a: int) -> list[str]:
        others = [party for party in PARTIES if party != centre.party]
        return [others, others[:1], others[1:], []][a % 4]

    def test(self, centre: Centre, a: int, b: int) -> None:
        self.tests.append(self._write(centre, "link-test", {}, b, to=self._to(centre, a)))

    def schedule(self, centre: Centre, a: int, b: int) -> None:
        self.world.clock.seconds += 60 * a
        schedule_link_test(centre)

    def answer(self, centre: Centre, a: int, b: int) -> None:
        self.world.clock.seconds += a
        answer_link_tests(centre)

    def forge(self, centre: Centre, a: int, b: int) -> None:
        held = [test for test in self.tests if centre.record.entry(test.place)]
        told = dict.fromkeys(t.place for t in (held[a % len(held)], held[b % len(held)])) if held and a % 5 else {}
        references = [refer(entry) for place in told for entry in held if entry.place == place]
        self._write(centre, "link-answer", {}, b, refers_to=references)

    def regime(self, centre: Centre, a: int, b: int) -> None:
        formats = [name for index, name in enumerate(FORMATS) if a >> index & 1]
        content = {"formats": formats, "reason": "r", "since": DAYS[b % 4], "state": STATES[a % 3]}
        self._write(centre, "regime", content, b)

    def warn(self, centre: Centre, a: int, b: int) -> None:
        content = {"class": "urgent", "text": "t"}
        to = self._to(centre, a % 3)
        self.alerts.append(
            self._write(centre, "warn", content, b, to=to, precedence="flash", releaser=None, author="duty")
        )

    def read(self, centre: Centre, a: int, b: int) -> None:
        held = [
            alert for alert in self.alerts if alert.place.party != centre.party and centre.record.entry(alert.place)
        ]
        if held:
            content = {"disposition": ("opened", "accepted", "rejected")[b % 3], "reason": ""}
            told = [refer(held[a % len(held)])]
            self._write(centre, "acknowledge", content, b, refers_to=told, releaser=None, author="duty")

    def wait(self, centre: Centre, a: int, b: int) -> None:
        self.world.clock.seconds += 60 * b

    def deliver(self, centre: Centre, a: int, b: int) -> None:
        self.world.deliver(centre.party, [party for party in PARTIES if party != centre.party][a % 2])

    def sync(self, centre: Centre, a: int, b: int) -> None:
        self.world.sync()


class Reader(Replica):
    """A reader that also folds what belongs to the line."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.alerts = AlertsRegister(self.record)
        self.tests = LinkTests(self.record)
        self.regimes = Regimes(self.record)

    def feed(self, party: str, leaves: Any) -> None:
        super().feed(party, leaves)
        for fold in (self.alerts, self.tests, self.regimes):
            fold.catch_up()


def shown(reader: Reader, now: int, receipted: int) -> dict[tuple[str, str, str], list[Any]]:
    """Every kind of silence on every line, as its reader sees it at a time with a receipt up to some entry."""
    cases = alerts_document(reader.alerts, now)["cases"]
    return {
        (own, party, status): silences(
            Line(
                record=reader.record,
                own=own,
                party=party,
                receipted=receipted,
                receipt_at=now,
                tests=reader.tests,
                regimes=reader.regimes,
                cases=cases,
                now=now,
                patience=10,
            ),
            status,
        )
        for own in PARTIES
        for party in PARTIES
        if own != party
        for status in STATUSES
    }


NUMBERS = st.integers(0, 40)
ACTS = ["test", "test", "schedule", "answer", "answer", "forge", "forge", "regime", "warn", "warn", "read", "read"]
ACTS += ["wait", "deliver", "deliver", "deliver", "sync"]
STEPS = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 2), NUMBERS, NUMBERS), min_size=5, max_size=40)


@settings(max_examples=60)
@given(STEPS, st.randoms(use_true_random=False))
def test_every_reader_of_the_same_entries_sees_the_same_line_in_whatever_order_they_came(
    steps: list[tuple[str, int, int, int]], random: Random
) -> None:
    talk = Talk()
    talk.run(steps)
    talk.world.sync()
    now = instant_seconds(talk.world.clock()) + 60 * random.randrange(100)
    centres = talk.world.centres
    leaves = leaves_of(centres["ash"])
    expected = Reader([talk.world.pack])
    for party in PARTIES:
        expected.feed(party, leaves[party])
    receipted = random.randrange(min(map(len, leaves.values())) + 1)
    before = shown(expected, now, receipted)
    for centre in centres.values():
        assert link_tests_bytes(centre.link_tests) == link_tests_bytes(expected.tests)
        assert regimes_bytes(centre.regimes) == regimes_bytes(expected.regimes)
        centre.reload()
        assert link_tests_bytes(centre.link_tests) == link_tests_bytes(expected.tests)
        assert regimes_bytes(centre.regimes) == regimes_bytes(expected.regimes)
    order = [party for party, held in leaves.items() for _ in held]
    for _ in range(2):
        random.shuffle(order)
        reader, given_to = Reader([talk.world.pack]), dict.fromkeys(PARTIES, 0)
        for party in order:
            reader.feed(party, leaves[party][given_to[party] : given_to[party] + 1])
            given_to[party] += 1
            shown(reader, now, 0)
        assert link_tests_bytes(reader.tests) == link_tests_bytes(expected.tests)
        assert regimes_bytes(reader.regimes) == regimes_bytes(expected.regimes)
        assert shown(reader, now, receipted) == before


@settings(max_examples=60)
@given(STEPS)
def test_whatever_is_said_the_kinds_of_silence_hold_together(steps: list[tuple[str, int, int, int]]) -> None:
    talk = Talk()
    talk.run(steps)
    order = list(WORDS)
    for centre in talk.world.centres.values():
        now = instant_seconds(talk.world.clock())
        reader = Reader([talk.world.pack])
        for party, leaves in leaves_of(centre).items():
            reader.feed(party, leaves)
        for (own, _, status), found in shown(reader, now, 4).items():
            kinds = [one.kind for one in found]
            assert kinds == sorted(set(kinds), key=order.index)
            assert ("nothing-outstanding" in kinds) == (len(kinds) == 1 and kinds[0] == order[-1])
            for one in found:
                assert one.kind == order[-1] or one.evidence
                told = [e for e in one.evidence if e.what in ("unreceipted", "question", "notice")]
                assert all(e.status == status or _of_the_line(reader, str(e.entry)) for e in told), (own, one)


def _of_the_line(reader: Reader, entry: str) -> bool:
    """Whether an entry is a link test or an answer to one: they belong to the line, and to all traffic on it."""
    party, _, number = entry.partition("/")
    frame = reader.record.journals[party].entries[int(number) - 1].frame
    return frame is not None and frame.format in ("link-test", "link-answer")


@settings(max_examples=60)
@given(STEPS)
def test_no_machine_answers_a_test_twice_and_none_answers_faster_than_its_pace(
    steps: list[tuple[str, int, int, int]],
) -> None:
    talk = Talk()
    talk.run([step for step in steps if step[0] != "forge"])
    talk.world.sync()
    for centre in talk.world.centres.values():
        assert not centre.link_tests.discrepancies
        given_at: dict[tuple[str, str], int] = {}
        for entry in centre.record.log:
            frame = entry.frame
            if frame is None or frame.format != "link-answer":
                continue
            pair, at = (entry.place.party, frame.to[0]), instant_seconds(frame.released_at)
            assert at - given_at.get(pair, 0) >= ANSWER_SECONDS
            given_at[pair] = at
        for by in PARTIES:
            for of in PARTIES:
                told = statistics(centre.link_tests.history(by, of))
                assert told.measured == told.answered <= told.tests
