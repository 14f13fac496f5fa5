# SPDX-License-Identifier: Apache-2.0
"""Three parties, clocks that are wrong, and whatever they may write: is every clock what spec/alerts.md says, read word
by word, and are the documents the same bytes in whatever order the entries arrive?
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from servanda.agreement.pack import Pack, pack_of
from servanda.journal.frame import Place
from servanda.journal.state import Entry
from servanda.operations.centre import Centre
from servanda.registers.alerts.clocks import clocks_of
from servanda.registers.alerts.fold import AlertsRegister
from servanda.registers.alerts.views import alerts_bytes
from tests.properties.literal import Read, Reading
from tests.rig.packs import ALERTS, CHANNEL, pack_data
from tests.rig.pen import refer, write
from tests.rig.replica import Replica, leaves_of
from tests.rig.world import START, World

PARTIES = ("ash", "birch", "cedar")
BASE = int(START.timestamp())
MINUTE = 60
WAITS = (0, 1, 4, 9, 11, 35, 61, 130)
SKEWS = (0, 0, 0, -45, -700, 400, 5000)
CLASSES = ("urgent", "meet-only", "urgent", "notice", "none")
FLASH = ALERTS[0]


@cache
def _pack() -> Pack:
    """The channel's pack, with a class that calls for a meeting and gives no time for an answer."""
    meeting = {**FLASH, "id": "meet-only", "answer-minutes": None, "acknowledge-minutes": 1}
    codes = [{"word": "LAKE", "number": 7, "class": "urgent", "texts": {"en": "Boats adrift"}}]
    data = pack_data(PARTIES)
    return pack_of(data | {"alerts": [*ALERTS, meeting], "codes": codes, "formats": [*data["formats"], *CHANNEL]})


@cache
def _founded() -> World:
    w = World(_pack())
    for party in PARTIES:
        w.say(party, "note", {"text": "all heads"})
    w.sync()
    return w


def instant(seconds: int, thousandths: int = 0) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{thousandths:03}Z"


class Scene:
    """What the parties do, each by its own clock. The numbers of a step pick among what there is at that moment."""

    def __init__(self) -> None:
        self.world = _founded().clone()
        self.skew = dict.fromkeys(PARTIES, 0)
        self.entries: dict[Place, Entry] = {}
        self.turn = 0
        for party, centre in self.world.centres.items():
            centre.clock = lambda party=party: self.time(party)  # type: ignore[misc]

    def time(self, party: str) -> str:
        self.world.clock()
        return instant(BASE + self.world.clock.seconds + 10**4 + self.skew[party], self.world.clock.seconds % 1000)

    def run(self, steps: list[tuple[str, int, int, int]]) -> None:
        for name, who, a, b in steps:
            getattr(self, name)(self.world.centres[PARTIES[who]], a, b)
            if a % 4:  # what is said mostly gets through, so that there is something to answer
                self.sync(self.world.centres[PARTIES[who]], a, b)

    def write(self, centre: Centre, form: str, content: dict[str, Any], **members: Any) -> None:
        alone = form in ("warn", "code", "acknowledge")
        members |= {"author": "duty", "releaser": None} if alone else {}
        self.turn += 1
        if self.turn % 7 == 0:
            members |= {"status": "exercise", "exercise_at": "2014-01-10T12:00:00Z"}
        if form == "escalation":
            members |= {"author": "centre", "releaser": None}
        entry = write(centre, form, content, **members)
        assert entry is not None
        assert entry.admissible, entry.code
        self.entries[entry.place] = entry

    def held(self, centre: Centre, *forms: str) -> list[Entry]:
        return [
            entry
            for place, entry in sorted(self.entries.items())
            if centre.record.entry(place) and entry.frame is not None and (not forms or entry.frame.format in forms)
        ]

    def pick(self, centre: Centre, a: int, *forms: str) -> list[dict[str, Any]]:
        """A reference to an entry that mostly fits; now and then to none, or to any."""
        found = self.held(centre, *(forms if a % 8 else ()))
        return [refer(found[a % len(found)])] if found else []

    def others(self, centre: Centre, a: int) -> list[str]:
        others = [party for party in PARTIES if party != centre.party]
        return [others, others[:1], others[1:], others, others[:1], []][a % 6]

    def ask(self, centre: Centre, a: int, b: int) -> None:
        name = CLASSES[b % 5]
        content: dict[str, Any] = {"class": name, "text": "t"}
        if a % 5 == 0:
            content["answer-by"] = instant(BASE + self.world.clock.seconds + 10**4 + MINUTE * (b - 2))[:19] + "Z"
        follow = self.pick(centre, b) if a % 4 == 1 else []
        form = ("ask", "warn")[b % 2]
        precedence = "routine" if name == "notice" else "flash"
        self.write(centre, form, content, to=self.others(centre, a), precedence=precedence, refers_to=follow)

    def code(self, centre: Centre, a: int, b: int) -> None:
        content = {"word": "LAKE", "number": 7 + (b % 9 == 0)}
        self.write(centre, "code", content, to=self.others(centre, a), precedence="flash")

    def asked(self, centre: Centre, a: int) -> list[dict[str, Any]]:
        """A reference to a question that addresses the centre; now and then to whatever there is."""
        asked = [
            q.entry for q in centre.alerts.questions.values() if q.entry.frame and centre.party in q.entry.frame.to
        ]
        return [refer(asked[a % len(asked)])] if asked and a % 9 else self.pick(centre, a)

    def tell(self, centre: Centre, a: int, b: int) -> None:
        self.write(centre, "tell", {"text": "t"}, refers_to=self.asked(centre, a))

    def assess(self, centre: Centre, a: int, b: int) -> None:
        told = {"assessment": ("insufficient", "sufficient", "irrelevant")[b % 3], "reason": "r"}
        answers = [place for place, asked in centre.alerts.answer_to.items() if asked.party == centre.party]
        about = [refer(self.entries[answers[a % len(answers)]])] if answers and a % 9 else self.pick(centre, a, "tell")
        self.write(centre, "assess", told, refers_to=about)

    def meet(self, centre: Centre, a: int, b: int) -> None:
        self.write(centre, "meet", {"on": ("2026-01-01", "2027-01-01")[b % 2]}, refers_to=self.pick(centre, a))

    def close(self, centre: Centre, a: int, b: int) -> None:
        self.write(centre, "close", {"reason": "r"}, refers_to=self.pick(centre, a, "ask", "warn", "code"))

    def escalate(self, centre: Centre, a: int, b: int) -> None:
        content = {"action": "escalation", "clock": "answer", "contact": None, "party": "ash", "step": 1}
        self.write(centre, "escalation", content, refers_to=self.pick(centre, a, "ask", "warn", "code"))

    def acknowledge(self, centre: Centre, a: int, b: int) -> None:
        found = [entry for entry in self.held(centre, "ask", "warn", "code") if entry.place.party != centre.party]
        chosen = {found[n % len(found)].place: found[n % len(found)] for n in (a, b)} if found else {}
        if chosen:
            content = {"disposition": ("opened", "accepted", "rejected")[b % 3], "reason": ""}
            self.write(centre, "acknowledge", content, refers_to=[refer(entry) for entry in chosen.values()])

    def note(self, centre: Centre, a: int, b: int) -> None:
        """Whatever it is about, its frame cites the receipts that have come meanwhile."""
        self.write(centre, "note", {"text": "t"}, refers_to=self.pick(centre, a))

    def wait(self, centre: Centre, a: int, b: int) -> None:
        self.world.clock.seconds += MINUTE * WAITS[a % len(WAITS)]

    def wander(self, centre: Centre, a: int, b: int) -> None:
        self.skew[centre.party] = SKEWS[a % len(SKEWS)]

    def deliver(self, centre: Centre, a: int, b: int) -> None:
        self.world.deliver(centre.party, [party for party in PARTIES if party != centre.party][a % 2])

    def sync(self, centre: Centre, a: int, b: int) -> None:
        for one in PARTIES:
            for other in PARTIES:
                if one != other:
                    self.world.deliver(one, other)


KINDS = [
    "ask",
    "ask",
    "code",
    "tell",
    "tell",
    "tell",
    "assess",
    "assess",
    "assess",
    "meet",
    "meet",
    "close",
    "escalate",
]
KINDS += ["close", "acknowledge", "acknowledge", "note", "wait", "wait", "wander", "deliver", "deliver", "sync", "sync"]
NUMBERS = st.integers(0, 40)
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 2), NUMBERS, NUMBERS), min_size=8, max_size=40)


class Reader(Replica):
    """A reader that also folds cases."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.alerts = AlertsRegister(self.record)

    def feed(self, party: str, leaves: Any) -> None:
        super().feed(party, leaves)
        self.alerts.catch_up()


def reader_of(scene: Scene, leaves: dict[str, list[bytes]], order: list[str]) -> Reader:
    """A reader who is given the next leaf of each party named in `order`."""
    reader, given_to = Reader([scene.world.pack]), dict.fromkeys(PARTIES, 0)
    for party in order:
        reader.feed(party, leaves[party][given_to[party] : given_to[party] + 1])
        given_to[party] += 1
    return reader


def same_clocks(scene: Scene, reader: Reader, leaves: dict[str, list[bytes]]) -> int:
    """Compare at every time at which something changes, and before and after it; returns how many clocks there are."""
    good = {(e.place.party, e.place.number) for e in reader.record.log if e.admissible}
    literal = Reading(leaves, good, scene.world.pack.data)
    register = reader.alerts
    assert {tuple(place) for place in register.case_of} == set(literal.cases)
    assert {tuple(place): tuple(case) for place, case in register.case_of.items()} == literal.cases
    assert {(tuple(found.entry), found.code) for found in register.discrepancies} == literal.discrepancies
    count = 0
    for place, question in register.questions.items():
        found = list(clocks_of(register, question))
        count += len(found)
        times = {t + d for c in found for t in (c.start, c.due, c.stopped) if t is not None for d in (-1, 0, 1)}
        for now in times:
            shown = [
                Read(c.name, (c.question.party, c.question.number), c.party, c.start, c.due, c.stopped, c.state(now))
                for c in found
            ]
            assert sorted(shown) == literal.clocks((place.party, place.number), now)
    return count


@settings(max_examples=100)
@given(STEPS)
def test_every_clock_and_every_case_is_what_the_page_says_word_by_word(steps: list[tuple[str, int, int, int]]) -> None:
    scene = Scene()
    scene.run(steps)
    for centre in scene.world.centres.values():
        leaves = leaves_of(centre)
        order = [party for party, held in leaves.items() for _ in held]
        same_clocks(scene, reader_of(scene, leaves, order), leaves)


@settings(max_examples=80)
@given(STEPS, st.randoms(use_true_random=False))
def test_in_whatever_order_the_entries_arrive_the_alerts_documents_are_the_same_bytes(
    steps: list[tuple[str, int, int, int]], random: Random
) -> None:
    scene = Scene()
    scene.run([*steps, ("sync", 0, 0, 0)])
    leaves = leaves_of(scene.world.centres["ash"])
    order = [party for party, held in leaves.items() for _ in held]
    expected = reader_of(scene, leaves, order).alerts
    times = [BASE + 10**4 + MINUTE * minutes for minutes in (0, 30, 200, 10**4)]
    documents = [alerts_bytes(expected, now) for now in times]
    for centre in scene.world.centres.values():
        if leaves_of(centre) == leaves:
            assert [alerts_bytes(centre.alerts, now) for now in times] == documents
    for _ in range(3):
        random.shuffle(order)
        found = reader_of(scene, leaves, order).alerts
        assert [alerts_bytes(found, now) for now in times] == documents
