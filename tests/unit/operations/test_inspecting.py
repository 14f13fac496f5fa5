# SPDX-License-Identifier: Apache-2.0
"""What an officer asks about inspections, from the size of the sample to the proof of the draw."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from servanda.operations.casework import place_of
from servanda.operations.desk import dispatch
from servanda.operations.drafting import release_draft, submit_draft
from servanda.operations.errors import Refusal
from servanda.operations.inspecting import replayed
from tests.rig.visits import Visits


def ask(visits: Visits, party: str, command: str, **arguments: Any) -> Any:
    message = {"command": command, **{name.replace("_", "-"): value for name, value in arguments.items()}}
    return dispatch(visits.world.centres[party], message)


def step(visits: Visits, party: str, plan: str, **arguments: Any) -> dict[str, Any]:
    found: dict[str, Any] = ask(visits, party, "inspection-draw", plan=plan, officer="desk", **arguments)
    if found["draft"]:
        submit_draft(visits.world.centres[party], found["draft"])
        release_draft(visits.world.centres[party], found["draft"], "chief")
        visits.sync()
    return found


def planned(visits: Visits, **arguments: Any) -> str:
    mandate = visits.mandate()
    wanted: dict[str, Any] = {"tables": [f"{visits.table}:0-9,12-19"], "miss": "1/10", "defects": 3} | arguments
    found = ask(visits, "birch", "inspection-plan", mandate=str(mandate.place), officer="desk", **wanted)
    submit_draft(visits.world.centres["birch"], found["draft"])
    entry = release_draft(visits.world.centres["birch"], found["draft"], "chief")
    visits.sync()
    return str(entry.place)


def test_the_published_sizes_stand_beside_one_another() -> None:
    found = ask(Visits(), "birch", "inspection-size", population=300, defects=6, miss="0.10")
    assert (found["exact"], found["approximate"], found["improved"], found["miss"]) == (95, 96, 95, "1/10")
    goal = ask(Visits(), "birch", "inspection-size", population=300, goal=17, each=3, miss="0.10")
    assert (goal["defects"], goal["exact"]) == (6, 95)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"population": 3, "defects": 4, "miss": "1/20"}, "inspections/sample-size"),
        ({"population": 3, "defects": 1, "miss": "1/20", "sample": 4}, "inspections/sample-size"),
        ({"population": 3, "goal": 1, "each": 0, "miss": "1/20"}, "inspections/sample-size"),
        ({"population": 3, "defects": 1, "miss": "0,05"}, "inspections/sample-size"),
        ({"tables": ["ash/3:9-0"], "defects": 1, "miss": "1/20"}, "usage"),
        ({"tables": ["ash/3:x"], "defects": 1, "miss": "1/20"}, "usage"),
        ({"defects": 1, "miss": "1/20"}, "usage"),
    ],
)
def test_numbers_that_do_not_go_together_are_refused(arguments: dict[str, Any], code: str) -> None:
    with pytest.raises(Refusal) as caught:
        ask(Visits(), "birch", "inspection-size", **arguments)
    assert caught.value.code == code


def test_each_side_is_told_its_next_step_until_the_sample_is_there() -> None:
    visits = Visits()
    plan = planned(visits)
    assert step(visits, "birch", plan)["does"] == "commit"
    assert step(visits, "birch", plan)["waits-for"] == ["ash"]
    assert step(visits, "ash", plan)["does"] == "commit"
    assert step(visits, "ash", plan)["does"] == "reveal"
    assert step(visits, "ash", plan)["waits-for"] == ["birch"]
    assert step(visits, "birch", plan)["does"] == "reveal"
    assert step(visits, "birch", plan)["drawn"] == step(visits, "ash", plan)["drawn"]
    assert len(step(visits, "ash", plan)["drawn"]) == len(set(step(visits, "ash", plan)["drawn"]))


def test_nobody_reveals_before_the_others_have_receipted_its_commitment() -> None:
    visits = Visits()
    plan = planned(visits)
    step(visits, "ash", plan)
    visits.cut = True
    step(visits, "birch", plan)
    waits = step(visits, "birch", plan)
    assert (waits["why"], waits["waits-for"]) == ("receipt", ["ash"])
    assert step(visits, "birch", plan, now=True)["does"] == "reveal"


def test_a_draft_that_waits_for_its_release_is_not_made_twice() -> None:
    visits = Visits()
    plan = planned(visits)
    first = ask(visits, "ash", "inspection-draw", plan=plan, officer="desk")
    assert ask(visits, "ash", "inspection-draw", plan=plan, officer="desk")["draft"] == first["draft"]


def test_the_draw_is_repeated_from_its_proof_alone_and_a_change_is_noticed() -> None:
    visits = Visits()
    plan = planned(visits)
    with pytest.raises(Refusal, match="nothing is drawn"):
        ask(visits, "ash", "inspection-proof", plan=plan)
    for party in ("ash", "birch", "ash", "birch"):
        step(visits, party, plan)
    proof = ask(visits, "ash", "inspection-proof", plan=plan)
    assert replayed(proof) == ask(visits, "birch", "inspection-draw", plan=plan, officer="desk")["drawn"]
    for change in ("secret", "seed", "drawn", "sample", "missing"):
        other = copy.deepcopy(proof)
        if change == "secret":
            other["secrets"][0]["secret"] = "00" * 32
        elif change == "seed":
            other["seed"] = "00" * 32
        elif change == "drawn":
            other["drawn"].reverse()
        elif change == "sample":
            other["terms"]["strata"][0]["sample"] -= 1
        else:
            del other["secrets"][0]
        with pytest.raises(Refusal) as caught:
            replayed(other)
        assert caught.value.code == "draw-proof"
    for broken in ({}, [], None, {**proof, "terms": None}, {**proof, "secrets": [1]}):
        with pytest.raises(Refusal) as caught:
            replayed(broken)
        assert caught.value.code == "usage"


def test_the_books_stand_beside_what_was_found() -> None:
    visits = Visits()
    lots = {"lots": [{"kind": "boat", "place": "store", "quantity": {"amount": 1, "basis": "stated", "unit": "piece"}}]}
    declared = visits.say("ash", "declare", lots)
    plan = planned(visits, tables=[], lots=[f"{declared.place}/0"], defects=1, all=True)
    entry = visits.world.centres["birch"].record.entry(place_of(plan))
    assert entry is not None
    visits.found(entry, {f"{declared.place}/0": "seen-from-distance"})
    shown = ask(visits, "ash", "inspection", plan=plan)
    assert shown["books"] == [
        {"account": "held/ash", "item": f"{declared.place}/0", "outcome": "seen-from-distance", "place": "store"}
    ]
    assert shown["inspection"]["outcomes"]["verified"] == {"absent-as-claimed": 0, "present-matching": 0}
