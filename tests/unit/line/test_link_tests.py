# SPDX-License-Identifier: Apache-2.0
"""Link tests between machines: asked at the interval, answered once, measured; and what a bad counterpart may try."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
import pytest

from servanda.journal.state import Entry
from servanda.line.link_tests import LinkTests, link_tests_bytes, link_tests_document, statistics
from servanda.operations import link_tests as machine
from servanda.operations.citing import cite_if_it_helps
from servanda.operations.desk import dispatch
from servanda.operations.drafting import Draft, send_alone
from servanda.operations.errors import Refusal, ServandaError
from servanda.operations.link_tests import answer_link_tests, link_round, schedule_link_test
from tests.rig.packs import channel
from tests.rig.pen import refer, write
from tests.rig.world import World, held, row

MINUTE = 60
HOUR = 60 * MINUTE


@cache
def _founded(parties: tuple[str, ...], minutes: int | None) -> World:
    return World(channel(parties, **{"link-test-minutes": minutes}))


def world(*parties: str, minutes: int | None = 60) -> World:
    return _founded(parties or ("ash", "birch"), minutes).clone()


def asked(w: World, party: str = "ash", *to: str, **members: Any) -> Entry:
    """A link test by hand; it is not delivered."""
    members = {"subject": "", "event_at": "2026-01-01", "status": "test"} | members
    return send_alone(w.centres[party], Draft(format="link-test", author="centre", to=to or ("birch",), **members))


def answered(w: World, party: str = "birch") -> list[Entry]:
    return answer_link_tests(w.centres[party])


def forged(w: World, party: str, *tests: Entry, **members: Any) -> Entry:
    """A link answer that a counterpart's own program put into its journal, whatever our rules say to it."""
    members = {"author": "centre", "releaser": None, "status": "test"} | members
    entry = write(w.centres[party], "link-answer", {}, refers_to=[refer(test) for test in tests], **members)
    assert entry is not None
    assert entry.admissible, entry.reason
    return entry


def found(w: World, party: str = "ash") -> dict[str, Any]:
    return link_tests_document(w.centres[party].link_tests)


def codes(w: World, party: str = "ash") -> dict[str, str]:
    return {item["entry"]: item["code"] for item in found(w, party)["discrepancies"]}


def refers(entry: Entry) -> list[str]:
    assert entry.frame is not None
    return [str(reference.place) for reference in entry.frame.refers_to]


# The fold.


def test_a_test_is_answered_by_the_machine_and_measured_on_both_sides() -> None:
    w = world()
    test = asked(w)
    w.sync()
    w.clock.seconds += 20
    (answer,) = answered(w)
    w.sync()
    for party in ("ash", "birch"):
        (shown,) = found(w, party)["tests"]
        assert shown["answers"] == [
            {"entry": str(answer.place), "party": "birch", "response": shown_response(answer, test)}
        ]
        assert shown_response(answer, test) >= 20
    assert answer.frame is not None
    assert (answer.frame.author, answer.frame.releaser, answer.frame.to) == ("centre", None, ("ash",))
    assert link_tests_bytes(w.centres["ash"].link_tests) == link_tests_bytes(w.centres["birch"].link_tests)


def shown_response(answer: Entry, test: Entry) -> int:
    return machine.instant_seconds(frame(answer).released_at) - machine.instant_seconds(frame(test).released_at)


def frame(entry: Entry) -> Any:
    assert entry.frame is not None
    return entry.frame


def test_each_addressee_answers_for_itself() -> None:
    w = world("ash", "birch", "cedar")
    asked(w, "ash", "birch", "cedar")
    w.sync()
    answered(w, "birch")
    w.sync()
    assert [answer["party"] for answer in found(w, "cedar")["tests"][0]["answers"]] == ["birch"]
    assert [str(test.entry) for test in w.centres["cedar"].link_tests.unanswered("cedar")] == ["ash/3"]
    answered(w, "cedar")
    w.sync()
    assert [answer["party"] for answer in found(w)["tests"][0]["answers"]] == ["birch", "cedar"]


def test_what_answers_nothing_or_answers_again_or_was_not_asked_has_no_effect_and_is_shown() -> None:
    w = world("ash", "birch", "cedar")
    test = asked(w)
    w.sync()
    note = w.say("birch", "note", {"text": "no test"})
    nothing = forged(w, "birch")
    other = forged(w, "birch", note)
    marked = forged(w, "birch", test, status="actual")
    first = forged(w, "birch", test)
    again = forged(w, "birch", test)
    meddling = forged(w, "cedar", test)
    w.sync()
    assert codes(w) == {
        str(nothing.place): "link/no-test",
        str(other.place): "link/no-test",
        str(marked.place): "link/status",
        str(again.place): "link/answered",
        str(meddling.place): "link/not-tested",
    }
    assert [answer["entry"] for answer in found(w)["tests"][0]["answers"]] == [str(first.place)]


def test_an_answer_answers_besides_its_first_only_what_that_party_tested_with_the_same_status() -> None:
    w = world("ash", "birch", "cedar")
    first = asked(w)
    exercise = asked(w, status="exercise", exercise_at="2014-01-10T12:00:00Z")
    again, elsewhere = asked(w), asked(w, "cedar")
    note = w.say("ash", "note", {"text": "no test"})
    w.sync()
    forged(w, "birch", again, first, exercise, elsewhere, note, first)
    w.sync()
    shown = {test["entry"]: bool(test["answers"]) for test in found(w)["tests"]}
    assert shown == {
        str(first.place): True,
        str(exercise.place): False,
        str(again.place): True,
        str(elsewhere.place): False,
    }
    assert codes(w) == {}


def test_our_own_centre_is_refused_an_answer_that_would_have_no_effect() -> None:
    w = world()
    test = asked(w)
    w.sync()
    draft = Draft(format="link-answer", subject="", event_at="2026-01-01", author="centre", status="test", to=("ash",))
    with pytest.raises(Refusal) as caught:
        send_alone(w.centres["birch"], draft)
    assert caught.value.code == "link/no-test"
    answered(w)
    again = msgspec.structs.replace(draft, refers_to=(str(test.place),))
    with pytest.raises(Refusal) as caught:
        send_alone(w.centres["birch"], again)
    assert caught.value.code == "link/answered"


def test_a_clock_that_is_behind_makes_a_response_below_zero_that_is_shown_and_not_measured() -> None:
    w = world()
    asked(w)
    w.sync()
    w.clock.seconds -= HOUR
    answered(w)
    w.sync()
    history = w.centres["ash"].link_tests.history("ash", "birch")
    assert history[0].answer is not None
    assert history[0].answer.response < -3000
    assert statistics(history) == (1, 1, 0, None, None)


def test_the_history_has_count_median_and_worst() -> None:
    w = world()
    for delay in (40, 20, 80, 30):
        asked(w)
        w.sync()
        w.clock.seconds += delay
        answered(w)
        w.sync()
    asked(w)
    told = statistics(w.centres["ash"].link_tests.history("ash", "birch"))
    responses = [t.answer.response for t in w.centres["ash"].link_tests.history("ash", "birch") if t.answer]
    assert (told.tests, told.answered, told.measured) == (5, 4, 4)
    assert (told.median, told.worst) == (sorted(responses)[1], max(responses))
    assert statistics([]) == (0, 0, 0, None, None)


def test_a_fold_made_anew_is_the_same() -> None:
    w = world()
    for _ in range(3):
        asked(w)
        w.sync()
        w.clock.seconds += 20
        answered(w)
        w.sync()
    forged(w, "birch")
    w.sync()
    for centre in w.centres.values():
        anew = LinkTests(centre.record)
        anew.catch_up()
        before = link_tests_bytes(centre.link_tests)
        assert link_tests_bytes(anew) == before
        centre.reload()
        assert link_tests_bytes(centre.link_tests) == before


# Answering.


def test_nobody_answers_twice_not_even_after_a_restart() -> None:
    w = world()
    asked(w)
    w.sync()
    assert len(answered(w)) == 1
    w.clock.seconds += HOUR
    assert answered(w) == []
    assert answer_link_tests(w.reopened("birch")) == []


def test_a_restart_before_the_answer_does_not_lose_the_test() -> None:
    w = world()
    test = asked(w)
    w.sync()
    (answer,) = answer_link_tests(w.reopened("birch"))
    assert refers(answer) == [str(test.place)]


def test_tests_that_came_together_are_answered_by_one_entry_the_newest_first() -> None:
    w = world()
    tests = [asked(w) for _ in range(4)]
    w.sync()
    (answer,) = answered(w)
    assert refers(answer) == [str(test.place) for test in (tests[3], *tests[:3])]
    w.sync()
    assert all(shown["answers"] for shown in found(w)["tests"])


def test_a_flood_of_tests_makes_our_journal_grow_by_one_entry_in_ten_seconds() -> None:
    w = world()
    before = w.centres["birch"].journal.size
    began = w.clock.seconds
    for _ in range(60):
        asked(w)
        w.deliver("ash", "birch")
        link_round(w.centres["birch"], lambda: None)
    grown = w.centres["birch"].journal.size - before - 1  # its own scheduled test
    assert 1 <= grown <= (w.clock.seconds - began) / machine.ANSWER_SECONDS + 1


def test_more_tests_than_one_answer_may_refer_to_are_answered_by_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "ANSWERED_AT_ONCE", 3)
    w = world()
    tests = [asked(w) for _ in range(7)]
    w.sync()
    rounds = []
    for _ in range(4):
        rounds += [refers(answer) for answer in answered(w)]
        w.clock.seconds += machine.ANSWER_SECONDS
    assert [len(told) for told in rounds] == [3, 3, 1]
    assert rounds[0][0] == str(tests[-1].place)
    assert {place for told in rounds for place in told} == {str(test.place) for test in tests}


def test_an_answer_has_the_status_of_its_test_and_leaves_tests_of_another_status_for_later() -> None:
    w = world()
    exercise = asked(w, status="exercise", exercise_at="2014-01-10T12:00:00Z")
    plain = asked(w)
    w.sync()
    (first,) = answered(w)
    assert (refers(first), frame(first).status) == ([str(plain.place)], "test")
    w.clock.seconds += machine.ANSWER_SECONDS
    (second,) = answered(w)
    assert (refers(second), frame(second).status) == ([str(exercise.place)], "exercise")
    assert frame(second).exercise_at == "2014-01-10T12:00:00Z"


def test_a_clock_put_back_does_not_stop_the_answers() -> None:
    w = world()
    asked(w)
    w.sync()
    answered(w)
    w.clock.seconds -= 10 * HOUR
    asked(w)
    w.sync()
    assert len(answered(w)) == 1


def test_one_counterpart_that_floods_does_not_keep_another_from_its_answer() -> None:
    w = world("ash", "birch", "cedar")
    for _ in range(3):
        asked(w, "ash", "cedar")
    asked(w, "birch", "cedar")
    w.sync()
    assert [frame(answer).to for answer in answered(w, "cedar")] == [("ash",), ("birch",)]


def test_while_a_fork_of_our_own_journal_is_open_nothing_is_answered_or_tested_over_and_over() -> None:
    w = world()
    asked(w)
    w.sync()
    centre = w.centres["birch"]
    centre.record.limits["birch"] = centre.journal.size
    assert answered(w) == []
    assert scheduled(w, "birch") is None


# Testing.


def scheduled(w: World, party: str = "ash") -> Entry | None:
    return schedule_link_test(w.centres[party])


def test_a_centre_tests_its_lines_at_the_interval_of_the_pack() -> None:
    w = world("ash", "birch", "cedar")
    first = scheduled(w)
    assert first is not None
    assert (frame(first).to, frame(first).status, frame(first).author) == (("birch", "cedar"), "test", "centre")
    assert scheduled(w) is None
    w.clock.seconds += 59 * MINUTE
    assert scheduled(w) is None
    w.clock.seconds += 2 * MINUTE
    assert scheduled(w) is not None


def test_after_a_long_time_down_one_test_is_due_and_not_one_for_each_interval() -> None:
    w = world()
    scheduled(w)
    w.clock.seconds += 500 * HOUR
    centre = w.reopened("ash")
    assert schedule_link_test(centre) is not None
    assert schedule_link_test(centre) is None


def test_a_pack_that_names_no_interval_has_no_scheduled_tests() -> None:
    w = world(minutes=None)
    assert scheduled(w) is None
    asked(w)
    w.sync()
    assert len(answered(w)) == 1


def test_nobody_is_tested_before_the_pack_is_in_force_or_anybody_is_met() -> None:
    w = World(channel(), adopted=False)
    assert scheduled(w) is None
    assert answered(w) == []
    with pytest.raises(ServandaError) as caught:
        dispatch(w.centres["ash"], {"command": "link-test"})
    assert caught.value.code == "no-line"


def test_a_test_by_hand_of_some_leaves_the_schedule_as_it_is() -> None:
    w = world("ash", "birch", "cedar")
    told = dispatch(w.centres["ash"], {"command": "link-test", "parties": ["cedar"]})
    assert told == {"entry": "ash/3", "to": ["cedar"]}
    assert scheduled(w) is not None
    assert dispatch(w.centres["ash"], {"command": "link-test"})["to"] == ["birch", "cedar"]
    with pytest.raises(Refusal) as caught:
        dispatch(w.centres["ash"], {"command": "link-test", "parties": ["ash"]})
    assert caught.value.code == "party"


def test_a_clock_put_back_does_not_stop_the_tests() -> None:
    w = world()
    scheduled(w)
    w.clock.seconds -= 10 * HOUR
    assert scheduled(w) is not None
    assert scheduled(w) is None


def test_a_round_tells_delivery_only_when_the_journal_has_grown() -> None:
    w = world()
    told: list[int] = []
    link_round(w.centres["ash"], lambda: told.append(1))
    link_round(w.centres["ash"], lambda: told.append(1))
    assert told == [1]


def test_a_citation_is_not_marked_as_a_test_because_a_test_went_before_it() -> None:
    w = world("ash", "birch", "cedar")
    lot = f"{w.say('ash', 'declare', {'lots': [row(10)]}).place}/0"
    content = {"lots": [held(lot, 10)], "receiver": "birch", "place": "harbour"}
    w.say("ash", "handover", content, named=["birch"])
    scheduled(w)
    w.sync(cite=False)
    citation = cite_if_it_helps(w.centres["ash"])
    assert citation is not None
    assert frame(citation).status == "actual"
