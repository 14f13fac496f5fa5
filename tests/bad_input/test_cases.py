# SPDX-License-Identifier: Apache-2.0
"""A counterpart's own program joins cases where it should not: no exercise answers what is actual, nobody is upset."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from servanda.agreement.dates import instant_seconds
from servanda.journal.state import Entry
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal
from servanda.operations.escalating import escalate
from servanda.registers.alerts.views import alerts_bytes, alerts_document
from tests.rig.packs import channel
from tests.rig.pen import insert, leaf_by_hand
from tests.rig.world import World

URGENT = {"class": "urgent", "text": "t"}
AT_EXERCISE = "2014-01-10T12:00:00Z"


@cache
def _founded(*parties: str) -> World:
    return World(channel(parties or ("ash", "birch")))


def world(*parties: str) -> World:
    return _founded(*parties).clone()


def warn(w: World, party: str = "ash", to: tuple[str, ...] = ("birch",), **members: Any) -> Entry:
    return w.alone(party, "warn", URGENT, to=to, precedence="flash", **members)


def forced(centre: Centre, form: str, act: str, content: dict[str, Any], first: Entry | None, **members: Any) -> Entry:
    """An entry that the centre's own checks would not let out."""
    status = members.pop("status", "actual")
    alone = form in ("acknowledge", "escalation", "warn")
    refers = [{"party": first.place.party, "number": first.place.number, "leaf": first.hash.hex()}] if first else []
    signers = {"author": "centre" if form == "escalation" else "duty", "releaser": None} if alone else {}
    leaf = leaf_by_hand(
        centre,
        format=form,
        act=act,
        content=content,
        refers_to=refers,
        status=status,
        exercise_at=AT_EXERCISE if status == "exercise" else None,
        **signers,
        **members,
    )
    entry = insert(centre, leaf)
    assert entry is not None
    assert entry.admissible, entry.reason
    return entry


def document(w: World, party: str = "ash") -> dict[str, Any]:
    return alerts_document(w.centres[party].alerts, instant_seconds(w.clock()))


def codes(w: World, party: str = "ash") -> dict[str, str]:
    return {item["entry"]: item["code"] for item in document(w, party)["discrepancies"]}


JOINING = {
    "acknowledge": ("acknowledge", {"disposition": "accepted", "reason": ""}),
    "tell": ("answer", {"text": "t"}),
    "warn": ("notify", URGENT),
    "meet": ("notify", {"on": "2030-01-01"}),
    "note": ("notify", {"text": "t"}),
    "escalation": (
        "notify",
        {"action": "escalation", "clock": "acknowledge", "contact": None, "party": "birch", "step": 1},
    ),
}


@pytest.mark.parametrize("form", sorted(JOINING))
@pytest.mark.parametrize(("asked", "said"), [("actual", "exercise"), ("exercise", "actual"), ("actual", "test")])
def test_an_entry_of_another_status_stays_outside_the_case(form: str, asked: str, said: str) -> None:
    w = world()
    alert = warn(w, status=asked)
    w.sync()
    before = document(w)["cases"]
    act, content = JOINING[form]
    precedence = "flash" if form == "warn" else "routine"
    joins = forced(w.centres["birch"], form, act, content, alert, status=said, to=["ash"], precedence=precedence)
    w.sync(cite=False)
    # What claims to be part of a case is named; a note that only mentions it is none of its business.
    assert codes(w) == ({} if form == "note" else {str(joins.place): "alerts/status"})
    (case,) = document(w)["cases"]
    assert case["log"] == before[0]["log"]
    assert [clock["state"] for clock in case["clocks"]] == ["running"] * len(case["clocks"])
    assert all(not layer["acknowledged"] for question in case["questions"] for layer in question["layers"])
    assert alerts_bytes(w.centres["birch"].alerts, 0) == alerts_bytes(w.centres["ash"].alerts, 0)


def test_an_actual_answer_is_not_assessed_and_an_actual_case_not_closed_by_way_of_exercise() -> None:
    w = world()
    alert = warn(w)
    w.sync()
    answer = w.say("birch", "tell", {"text": "t"}, refers_to=[alert.place], to=["ash"])
    w.sync()
    told = {"assessment": "insufficient", "reason": "r"}
    made = [
        forced(w.centres["ash"], "assess", "notify", told, answer, status="exercise", to=["birch"]),
        forced(w.centres["ash"], "close", "notify", {"reason": "r"}, alert, status="exercise", to=["birch"]),
    ]
    w.sync()
    assert codes(w, "birch") == {str(entry.place): "alerts/status" for entry in made}
    assert document(w, "birch")["cases"][0]["state"] == "open"


def test_one_acknowledgement_of_what_is_actual_and_what_is_exercise_counts_for_neither() -> None:
    w = world()
    actual, exercise = warn(w), warn(w, status="exercise")
    w.sync()
    with pytest.raises(Refusal) as caught:
        w.alone(
            "birch",
            "acknowledge",
            {"disposition": "accepted", "reason": ""},
            refers_to=[actual.place, exercise.place],
            to=["ash"],
        )
    assert caught.value.code == "alerts/status"


def test_commitments_of_different_status_are_rounds_of_their_own() -> None:
    w = world()
    w.say("ash", "swap", {"round": "one", "list": "a"}, to=["birch"], seal=("list",))
    w.say("birch", "swap", {"round": "one", "list": "b"}, to=["ash"], seal=("list",), status="exercise")
    w.sync()
    for party in ("ash", "birch"):
        rounds = document(w, party)["rounds"]
        assert [(found["status"], found["state"]) for found in rounds] == [("actual", "open"), ("exercise", "open")]


def test_a_party_drawn_into_a_case_by_a_follow_up_says_its_escalations_once() -> None:
    """A follow-up may address who is no side of the case: its clock runs, so what is due about it can be said."""
    w = world("ash", "birch", "cedar")
    alert = warn(w)
    w.sync()
    warn(w, to=("cedar",), refers_to=[alert.place])
    w.sync()
    w.clock.seconds += 3600
    cedar = w.centres["cedar"]
    made = escalate(cedar)
    assert {entry.frame.content["clock"] for entry in made if entry.frame} == {"acknowledge", "answer"}
    assert escalate(cedar) == []
    w.sync()
    for party in w.centres:
        assert codes(w, party) == {}
