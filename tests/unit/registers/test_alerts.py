# SPDX-License-Identifier: Apache-2.0
"""Cases, layers and clocks of the alerts register (spec/alerts.md), through the ordinary operations."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from servanda.agreement.dates import instant_seconds
from servanda.journal.state import Entry
from servanda.operations.drafting import Draft, send_alone
from servanda.operations.errors import Refusal
from servanda.registers.alerts.clocks import due_actions
from servanda.registers.alerts.fold import AlertsRegister
from servanda.registers.alerts.views import alerts_bytes, alerts_document
from tests.rig.packs import channel
from tests.rig.world import World

MINUTE = 60
URGENT = {"class": "urgent", "text": "t"}


@cache
def _founded(*parties: str) -> World:
    return World(channel(parties or ("ash", "birch")))


def world(*parties: str) -> World:
    return _founded(*parties).clone()


def warn(w: World, party: str = "ash", to: tuple[str, ...] = ("birch",), **members: Any) -> Entry:
    content = URGENT | members.pop("content", {})
    return w.alone(party, "warn", content, to=to, precedence="flash", **members)


def acknowledge(w: World, party: str, entry: Entry, disposition: str = "accepted", reason: str = "") -> Entry:
    return w.alone(
        party, "acknowledge", {"disposition": disposition, "reason": reason}, refers_to=[entry.place], to=["ash"]
    )


def shown(w: World, party: str = "ash", minutes: float = 0) -> dict[str, Any]:
    """The alerts document of a party's centre, so many minutes after its latest entry was released."""
    centre = w.centres[party]
    return alerts_document(centre.alerts, now(w, minutes))


def now(w: World, minutes: float = 0) -> int:
    return instant_seconds(w.clock()) + int(minutes * MINUTE)


def clocks(document: dict[str, Any]) -> dict[str, str]:
    return {clock["clock"]: clock["state"] for case in document["cases"] for clock in case["clocks"]}


def refused(w: World, party: str, form: str, content: dict[str, Any], **members: Any) -> str:
    before = w.centres[party].journal.size
    with pytest.raises(Refusal) as caught:
        w.say(party, form, content, **members)
    assert w.centres[party].journal.size == before
    return caught.value.code


def test_each_layer_is_a_fact_of_its_own() -> None:
    w = world()
    alert = warn(w)
    (case,) = shown(w)["cases"]
    (layer,) = case["questions"][0]["layers"]
    assert {name for name, value in layer.items() if value} == {"party", "released"}
    w.sync()
    w.alone("ash", "alert", {"text": "cites the receipt"})
    w.sync()
    for disposition in ("opened", "accepted"):
        acknowledge(w, "birch", alert, disposition)
    answer = w.say("birch", "tell", {"text": "a"}, refers_to=[alert.place], to=["ash"])
    w.sync()
    w.say("ash", "assess", {"assessment": "sufficient", "reason": "r"}, refers_to=[answer.place], to=["birch"])
    w.say("ash", "close", {"reason": "done"}, refers_to=[alert.place], to=["birch"])
    w.sync()
    (case,) = shown(w)["cases"]
    (layer,) = case["questions"][0]["layers"]
    assert all(layer.values())
    assert layer["received"] > layer["released"]
    assert layer["acknowledged"]["disposition"] == "accepted"
    assert layer["assessed"]["assessment"] == "sufficient"
    assert case["state"] == "closed"
    assert clocks(shown(w, minutes=1000)) == {"acknowledge": "met", "answer": "met"}
    assert alerts_bytes(w.centres["ash"].alerts, 0) == alerts_bytes(w.centres["birch"].alerts, 0)


def test_a_clock_that_runs_out_is_overdue_and_then_late() -> None:
    w = world()
    alert = warn(w)
    assert clocks(shown(w, minutes=9)) == {"acknowledge": "running", "answer": "running"}
    assert clocks(shown(w, minutes=11)) == {"acknowledge": "overdue", "answer": "running"}
    assert clocks(shown(w, minutes=61)) == {"acknowledge": "overdue", "answer": "overdue", "meeting": "running"}
    w.sync()
    w.clock.seconds += 700
    acknowledge(w, "birch", alert)
    w.sync()
    assert clocks(shown(w))["acknowledge"] == "late"


def test_opening_stops_no_clock_and_rejecting_stops_both() -> None:
    w = world()
    alert = warn(w)
    w.sync()
    acknowledge(w, "birch", alert, "opened")
    assert set(clocks(shown(w, "birch")).values()) == {"running"}
    acknowledge(w, "birch", alert, "rejected", "not for us")
    assert set(clocks(shown(w, "birch")).values()) == {"met"}


def test_an_insufficient_answer_starts_the_clock_anew_and_calls_for_a_meeting() -> None:
    w = world()
    question = w.say("ash", "ask", URGENT, to=["birch"], precedence="flash")
    w.sync()
    answer = w.say("birch", "tell", {"text": "no"}, refers_to=[question.place], to=["ash"])
    w.sync()
    assert clocks(shown(w))["answer"] == "met"
    w.say("ash", "assess", {"assessment": "insufficient", "reason": "r"}, refers_to=[answer.place], to=["birch"])
    w.sync()
    assert clocks(shown(w, minutes=59))["answer"] == "running"
    assert clocks(shown(w, minutes=61))["answer"] == "overdue"
    assert clocks(shown(w, minutes=121))["meeting"] == "overdue"
    w.say("birch", "meet", {"on": "2026-01-02"}, refers_to=[question.place], to=["ash"])
    second = w.say("birch", "tell", {"text": "more"}, refers_to=[question.place], to=["ash"])
    w.sync()
    assert clocks(shown(w, minutes=500)) == {"acknowledge": "met", "answer": "met", "meeting": "met"}
    assert shown(w)["cases"][0]["questions"][0]["layers"][0]["answered"]["entry"] == str(second.place)


def test_two_meetings_named_at_once_stop_the_clock_alike_on_both_sides() -> None:
    w = world()
    question = w.say("ash", "ask", URGENT, to=["birch"], precedence="flash")
    w.sync()
    w.clock.seconds += 61 * MINUTE
    for party, other in (("ash", "birch"), ("birch", "ash")):
        w.say(party, "meet", {"on": "2026-01-02"}, refers_to=[question.place], to=[other])
    w.sync()
    at = now(w)
    assert alerts_bytes(w.centres["ash"].alerts, at) == alerts_bytes(w.centres["birch"].alerts, at)


def assessed(w: World, asker: Entry, *told: str) -> list[Entry]:
    """Answers of birch, one for each assessment by ash; "" is none."""
    answers = []
    for word in told:
        answers.append(w.say("birch", "tell", {"text": "t"}, refers_to=[asker.place], to=["ash"]))
        w.sync()
        if word:
            about = {"assessment": word, "reason": "r"}
            w.say("ash", "assess", about, refers_to=[answers[-1].place], to=["birch"])
            w.sync()
    return answers


def test_an_insufficient_supplement_to_an_answer_nobody_has_assessed_starts_the_clock_anew() -> None:
    w = world()
    question = w.say("ash", "ask", URGENT, to=["birch"], precedence="flash")
    w.sync()
    assessed(w, question, "", "insufficient")
    assert clocks(shown(w, minutes=59))["answer"] == "running"
    assert clocks(shown(w, minutes=61))["answer"] == "overdue"
    assessed(w, question, "sufficient")
    assert clocks(shown(w, minutes=500))["answer"] == "met"


def test_a_late_answer_that_does_not_suffice_does_not_put_off_the_meeting() -> None:
    w = world()
    question = w.say("ash", "ask", URGENT, to=["birch"], precedence="flash")
    w.sync()
    w.say("ash", "note", {"text": "cites the receipt"})
    w.clock.seconds += 100 * MINUTE
    (before,) = (clock["start"] for clock in shown(w)["cases"][0]["clocks"] if clock["clock"] == "meeting")
    assessed(w, question, "insufficient")
    (after,) = (clock["start"] for clock in shown(w)["cases"][0]["clocks"] if clock["clock"] == "meeting")
    assert before == after


def test_who_is_addressed_by_a_follow_up_escalates_though_it_is_no_side_of_the_case() -> None:
    w = world("ash", "birch", "cedar")
    alert = warn(w)
    w.sync()
    follow_up = warn(w, "birch", to=("cedar",), refers_to=[alert.place])
    w.sync()
    content = {"action": "escalation", "clock": "acknowledge", "contact": None, "party": "cedar", "step": 1}
    said: dict[str, Any] = {"author": "centre", "refers_to": [follow_up.place]}
    entry = w.alone("cedar", "escalation", content, to=["birch"], **said)
    assert w.centres["cedar"].alerts.case_of[entry.place] == alert.place
    with pytest.raises(Refusal) as caught:
        w.alone("ash", "escalation", content, to=["birch"], **said)
    assert caught.value.code == "alerts/not-asked"


def test_an_acknowledgement_of_two_cases_is_listed_in_both_and_what_follows_it_in_the_first() -> None:
    w = world()
    first, second = warn(w), warn(w)
    w.sync()
    places = [second.place, first.place]
    read = w.alone("birch", "acknowledge", {"disposition": "accepted", "reason": ""}, refers_to=places, to=["ash"])
    listed = {case["case"]: [line["entry"] for line in case["log"]] for case in shown(w, "birch")["cases"]}
    assert all(str(read.place) in log for log in listed.values())
    assert w.centres["birch"].alerts.case_of[read.place] == second.place


def test_an_exercise_neither_answers_nor_closes_nor_counts_with_what_is_actual() -> None:
    w = world()
    alert = warn(w)
    w.sync()
    drill: dict[str, Any] = {"refers_to": [alert.place], "status": "exercise"}
    before = shown(w, "birch", minutes=500)["cases"]
    for form, content in (("tell", {"text": "t"}), ("meet", {"on": "2027-01-01"})):
        assert refused(w, "birch", form, content, to=["ash"], **drill) == "alerts/status"
    assert refused(w, "ash", "close", {"reason": "r"}, **drill) == "alerts/status"
    assert refused(w, "ash", "ask", URGENT, to=["birch"], precedence="flash", **drill) == "alerts/status"
    with pytest.raises(Refusal) as caught:
        w.alone("birch", "acknowledge", {"disposition": "accepted", "reason": ""}, to=["ash"], **drill)
    assert caught.value.code == "alerts/status"
    w.say("birch", "note", {"text": "t"}, **drill)
    (case,), (then,) = shown(w, "birch", minutes=500)["cases"], before
    assert [clock["state"] for clock in case["clocks"]] == [clock["state"] for clock in then["clocks"]]
    assert case["log"] == then["log"]
    assert case["questions"] == then["questions"]
    warn(w, status="exercise")
    assert shown(w)["activations"] == {"actual": {"urgent": 1}, "exercise": {"urgent": 1}}


def test_the_closure_stops_what_still_runs() -> None:
    w = world()
    alert = warn(w)
    w.say("ash", "close", {"reason": "a mistake of ours"}, refers_to=[alert.place], to=["birch"])
    assert set(clocks(shown(w, minutes=500)).values()) == {"stopped"}


def test_a_follow_up_is_a_question_of_its_own_in_the_same_case() -> None:
    w = world()
    alert = warn(w)
    w.sync()
    back = w.say("birch", "ask", URGENT, to=["ash"], precedence="flash", refers_to=[alert.place])
    (case,) = shown(w, "birch")["cases"]
    assert [question["entry"] for question in case["questions"]] == [str(alert.place), str(back.place)]
    assert shown(w, "birch")["activations"] == {"actual": {"urgent": 1}}


def test_a_short_message_has_the_class_of_the_book() -> None:
    w = world()
    w.alone("ash", "code", {"word": "LAKE", "number": 7}, to=["birch"], precedence="flash")
    assert shown(w)["cases"][0]["class"] == "urgent"


@pytest.mark.parametrize(
    ("form", "content", "members", "code"),
    [
        ("ask", {"class": "none", "text": "t"}, {"precedence": "flash"}, "unknown-class"),
        ("ask", URGENT, {"precedence": "flash", "to": []}, "nobody-addressed"),
        ("ask", URGENT, {"precedence": "routine"}, "precedence"),
        ("ask", URGENT | {"answer-by": "2025-12-31T00:00:00Z"}, {"precedence": "flash"}, "deadline-past"),
        ("ask", URGENT | {"answer-by": "2026-02-30T00:00:00Z"}, {"precedence": "flash"}, "no-such-date"),
        ("tell", {"text": "t"}, {}, "no-question"),
        ("tell", {"text": "t"}, {"refers_to": ["ash/1"]}, "no-question"),
        ("assess", {"assessment": "sufficient", "reason": "r"}, {"refers_to": ["ash/1"]}, "no-answer"),
        ("meet", {"on": "2026-02-01"}, {}, "no-case"),
        ("close", {"reason": "r"}, {"refers_to": ["ash/1"]}, "no-case"),
        ("swap", {"round": "one", "list": "open to all"}, {}, "not-sealed"),
    ],
)
def test_what_fits_no_case_is_refused_and_gets_no_number(
    form: str, content: dict[str, Any], members: dict[str, Any], code: str
) -> None:
    assert refused(world(), "ash", form, content, **({"to": ["birch"]} | members)) == f"alerts/{code}"


def test_an_unknown_code_word_is_refused() -> None:
    w = world()
    draft = Draft(
        format="code",
        subject="s",
        event_at="2026-01-01",
        author="duty",
        content={"word": "SEA", "number": 7},
        to=("birch",),
        precedence="flash",
    )
    with pytest.raises(Refusal, match="SEA 7 is not in the book"):
        send_alone(w.centres["ash"], draft)


def test_only_those_concerned_answer_assess_and_close() -> None:
    w = world("ash", "birch", "cedar")
    alert = warn(w)
    w.sync()
    assert refused(w, "cedar", "tell", {"text": "t"}, refers_to=[alert.place], to=["ash"]) == "alerts/not-asked"
    assert refused(w, "birch", "close", {"reason": "r"}, refers_to=[alert.place]) == "alerts/not-own-case"
    assert refused(w, "cedar", "meet", {"on": "2026-02-01"}, refers_to=[alert.place]) == "alerts/not-in-case"
    assert refused(w, "birch", "meet", {"on": "2025-12-31"}, refers_to=[alert.place]) == "alerts/deadline-past"
    answer = w.say("birch", "tell", {"text": "t"}, refers_to=[alert.place], to=["ash"])
    told = {"assessment": "sufficient", "reason": "r"}
    assert refused(w, "birch", "assess", told, refers_to=[answer.place]) == "alerts/not-the-asker"
    w.sync()
    w.say("ash", "close", {"reason": "r"}, refers_to=[alert.place])
    w.sync()
    assert refused(w, "birch", "tell", {"text": "t"}, refers_to=[alert.place]) == "alerts/case-closed"
    assert refused(w, "ash", "close", {"reason": "r"}, refers_to=[alert.place]) == "alerts/case-closed"
    assert refused(w, "ash", "ask", URGENT, to=["birch"], precedence="flash", refers_to=[alert.place]) == (
        "alerts/case-closed"
    )


def test_an_answer_that_crosses_the_closure_stays_in_the_case_on_both_sides() -> None:
    w = world()
    alert = warn(w)
    w.sync()
    w.say("ash", "close", {"reason": "r"}, refers_to=[alert.place])
    w.say("birch", "tell", {"text": "t"}, refers_to=[alert.place], to=["ash"])
    w.sync()
    assert alerts_bytes(w.centres["ash"].alerts, 0) == alerts_bytes(w.centres["birch"].alerts, 0)
    assert not shown(w)["discrepancies"]


def actions(w: World, party: str, contacts: list[str], minutes: float) -> list[tuple[str, str, int, str | None]]:
    found = due_actions(w.centres[party].alerts, party, contacts, now(w, minutes))
    return [(action.clock.name, action.action, action.step, action.contact) for action in found]


def test_reminder_and_escalation_fall_due_on_both_sides_contact_by_contact() -> None:
    w = world()
    warn(w)
    w.sync()
    assert actions(w, "birch", ["watch", "deputy"], 3) == []
    assert actions(w, "birch", ["watch", "deputy"], 6) == [("acknowledge", "reminder", 0, "watch")]
    assert actions(w, "ash", [], 11) == [("acknowledge", "escalation", 1, None)]
    assert actions(w, "birch", ["watch", "deputy"], 14) == [
        ("acknowledge", "escalation", 1, "watch"),
        ("acknowledge", "escalation", 2, "deputy"),
    ]


def test_what_has_been_escalated_is_not_escalated_again() -> None:
    w = world()
    alert = warn(w)
    w.sync()
    w.clock.seconds += 11 * MINUTE
    content = {"action": "escalation", "clock": "acknowledge", "contact": "watch", "party": "birch", "step": 1}
    entry = w.alone("birch", "escalation", content, author="centre", refers_to=[alert.place], to=["ash"])
    assert actions(w, "birch", ["watch", "deputy"], 0) == []
    assert actions(w, "birch", ["watch", "deputy"], 4) == [("acknowledge", "escalation", 2, "deputy")]
    case = shown(w, "birch")["cases"][0]
    assert case["clocks"][0]["escalations"] == [str(entry.place)]
    acknowledge(w, "birch", alert)
    assert actions(w, "birch", ["watch", "deputy"], 40) == []


def test_nobody_reveals_before_all_have_committed() -> None:
    w = world()
    mine = w.say("ash", "swap", {"round": "one", "list": "a"}, to=["birch"], seal=("list",))
    w.sync()
    assert shown(w)["rounds"][0]["state"] == "open"
    opening = [text for _, text in w.centres["ash"].store.openings("ash")]
    assert refused(w, "ash", "reveal", {"disclosures": opening}, refers_to=[mine.place]) == "alerts/round-open"
    theirs = w.say("birch", "swap", {"round": "one", "list": "b"}, to=["ash"], seal=("list",))
    w.sync()
    for party, entry in (("ash", mine), ("birch", theirs)):
        texts = [text for _, text in w.centres[party].store.openings(party)]
        w.say(party, "reveal", {"disclosures": texts}, refers_to=[entry.place])
        assert shown(w, party)["rounds"][0]["state"] == "committed"
    w.sync()
    assert shown(w)["rounds"][0]["state"] == "complete"


def test_a_register_folded_anew_is_the_same() -> None:
    w = world("ash", "birch", "cedar")
    alert = warn(w, to=("birch", "cedar"))
    w.sync()
    acknowledge(w, "cedar", alert)
    w.say("birch", "tell", {"text": "t"}, refers_to=[alert.place], to=["ash"])
    w.sync()
    for centre in w.centres.values():
        anew = AlertsRegister(centre.record)
        anew.catch_up()
        assert alerts_bytes(anew, 10) == alerts_bytes(centre.alerts, 10)
        assert alerts_bytes(anew, 10) == alerts_bytes(w.centres["ash"].alerts, 10)
