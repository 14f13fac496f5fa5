# SPDX-License-Identifier: Apache-2.0
"""The clock of a question starts at the cited receipt: it is cited soon, and once for a burst."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from servanda.agreement.dates import instant_seconds
from servanda.journal.state import Entry
from servanda.operations.citing import cite_provision
from servanda.registers.alerts.clocks import clocks_of, due_actions
from tests.rig.world import START, World
from tests.unit.operations.test_escalating import warn, world


def citations(w: World, party: str = "ash") -> int:
    entries = w.centres[party].journal.entries
    return sum(entry.frame is not None and entry.frame.format == "citation" for entry in entries)


def at(entry: Entry) -> int:
    """Seconds of the rig's clock at which an entry was released."""
    assert entry.frame is not None
    return instant_seconds(entry.frame.released_at) - int(START.timestamp())


def received(w: World) -> list[int | None]:
    centre = w.centres["ash"]
    return [centre.record.attestations.earliest_by(place, "birch") for place in centre.alerts.questions]


def test_a_receipt_on_a_question_is_cited_once_the_journal_is_at_rest() -> None:
    w = world()
    alert = warn(w)
    assert cite_provision(w.centres["ash"]) is None
    w.deliver("ash", "birch")
    w.clock.seconds = at(alert) - 1  # the receipt has just come: within the second of the release
    assert cite_provision(w.centres["ash"]) is None
    w.clock.seconds += 5
    assert received(w) == [None]
    assert cite_provision(w.centres["ash"]) is not None
    assert received(w) != [None]
    w.deliver("ash", "birch")
    w.clock.seconds += 5
    assert cite_provision(w.centres["ash"]) is None, "a citation calls for no citation"


def test_a_burst_of_alerts_calls_for_one_citation() -> None:
    w = world()
    for _ in range(30):
        alert = warn(w)
        w.deliver("ash", "birch")
        w.clock.seconds = at(alert) - 1  # the centre looks within the second of the release
        cite_provision(w.centres["ash"])
    w.clock.seconds += 5
    cite_provision(w.centres["ash"])
    assert None not in received(w)
    assert citations(w) <= 2


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_receipt_that_its_party_dates_wrongly_moves_no_clock(hours: int) -> None:
    w = world()
    skewed = w.centres["birch"]
    steady, skewed.clock = skewed.clock, lambda: _moved(w.clock(), hours)
    alert = warn(w)
    w.deliver("ash", "birch")
    skewed.clock = steady
    w.clock.seconds += 5
    cited = cite_provision(w.centres["ash"])
    assert cited is not None
    (found,) = received(w)
    assert found is not None
    assert abs(found - int(START.timestamp()) - at(alert)) > 3600, "what the party says is shown as it says it"
    w.sync()
    for centre in w.centres.values():
        question = centre.alerts.questions[alert.place]
        starts = {c.start - int(START.timestamp()) for c in clocks_of(centre.alerts, question) if c.name != "meeting"}
        assert at(alert) <= min(starts) <= max(starts) <= at(cited)


def _moved(instant: str, hours: int) -> str:
    moved = datetime.fromisoformat(instant.replace("Z", "+00:00")) + timedelta(hours=hours)
    return moved.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_question_whose_clocks_have_stopped_calls_for_none() -> None:
    w = world()
    alert = warn(w)
    w.say("ash", "close", {"reason": "r"}, refers_to=[alert.place], to=["birch"])
    w.deliver("ash", "birch")
    w.clock.seconds += 5
    assert cite_provision(w.centres["ash"]) is None


def test_an_assessment_that_starts_a_clock_anew_is_dated_too() -> None:
    w = world()
    alert = warn(w)
    w.sync()
    answer = w.say("birch", "tell", {"text": "t"}, refers_to=[alert.place], to=["ash"])
    w.sync()
    w.say("ash", "assess", {"assessment": "insufficient", "reason": "r"}, refers_to=[answer.place], to=["birch"])
    w.deliver("ash", "birch")
    w.clock.seconds += 5
    assert cite_provision(w.centres["ash"]) is not None


def foreseen(w: World, party: str = "ash") -> int:
    """When the centre's schedule next wakes, which is when looking at every question next finds something."""
    centre = w.centres[party]
    now = instant_seconds(w.clock())
    centre.schedule.due((), now)
    found = centre.schedule.next
    assert found is not None
    assert due_actions(centre.alerts, party, (), found - 1) == []
    assert due_actions(centre.alerts, party, (), found) != []
    return found


def test_a_cited_receipt_moves_what_falls_due_to_the_time_of_the_receipt() -> None:
    w = world()
    warn(w)
    before = foreseen(w)
    w.clock.seconds += 60
    w.deliver("ash", "birch")
    w.clock.seconds += 5
    assert foreseen(w) == before
    assert cite_provision(w.centres["ash"]) is not None
    assert 60 <= foreseen(w) - before <= 70


def test_an_insufficient_answer_is_foreseen_to_run_out_anew() -> None:
    w = world()
    alert = warn(w)
    w.sync()
    w.alone("birch", "acknowledge", {"disposition": "accepted", "reason": ""}, refers_to=[alert.place], to=["ash"])
    answer = w.say("birch", "tell", {"text": "t"}, refers_to=[alert.place], to=["ash"])
    w.sync()
    centre = w.centres["ash"]
    assert centre.schedule.due((), instant_seconds(w.clock())) == []
    assert centre.schedule.next is None
    w.say("ash", "assess", {"assessment": "insufficient", "reason": "r"}, refers_to=[answer.place], to=["birch"])
    first = foreseen(w)
    w.clock.seconds += 60
    w.deliver("ash", "birch")
    w.clock.seconds += 5
    assert cite_provision(centre) is not None
    assert 60 <= foreseen(w) - first <= 70
