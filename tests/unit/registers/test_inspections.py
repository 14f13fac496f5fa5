# SPDX-License-Identifier: Apache-2.0
"""Each rule of spec/inspections.md, kept and broken."""

from __future__ import annotations

from typing import Any

import pytest

from servanda.operations.errors import Refusal
from servanda.registers.inspections.views import draws_document, report_document
from tests.rig.visits import Visits, secret_of


def refused(code: str, act: Any, *arguments: Any, **members: Any) -> None:
    with pytest.raises(Refusal) as caught:
        act(*arguments, **members)
    assert caught.value.code == f"inspections/{code}", caught.value


def test_a_mandate_holds_once_all_have_accepted_it() -> None:
    visits = Visits()
    refused("no-mandate", visits.plan, visits.mandate(accepted=False))
    visits.plan(visits.mandate())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"inspected": "birch"}, "party"),
        ({"beside": [{"party": "ash", "side": "inspector"}]}, "party"),
        ({"inspected": "cedar"}, "party"),
        ({"from": "2027-01-01"}, "period"),
        ({"places": ["moon"]}, "place"),
        ({"kinds": ["tank"]}, "kind"),
    ],
)
def test_a_mandate_that_does_not_hang_together_is_refused(changes: dict[str, Any], code: str) -> None:
    refused(code, Visits().mandate, **changes)


def population(visits: Visits, **changes: Any) -> dict[str, Any]:
    return {"population": visits.plan_content()["population"] | changes}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"begins": "2025-12-31"}, "period"),
        ({"ends": "2027-01-01"}, "period"),
        ({"begins": "2026-01-04"}, "period"),
        ({"sample": 21}, "sample-size"),
        ({"sample": 0}, "sample-size"),
        ({"defects": 21}, "sample-size"),
        ({"defects": 0}, "sample-size"),
        ({"sample": 4, "defects": 2, "miss": "1/20"}, "sample-size"),
        ({"miss": "1/1"}, "miss"),
        ({"goal": {"amount": 11, "each": 2, "unit": "piece"}, "defects": 5}, "goal"),
        ({"goal": {"amount": 11, "each": 0, "unit": "piece"}}, "goal"),
        ({"algorithm": "dice"}, "algorithm"),
        ({"algorithm": "all", "commit-by": None, "reveal-by": None}, "sample-size"),
        ({"algorithm": "all", "sample": 20}, "too-short"),
        ({"commit-by": None}, "too-short"),
        ({"commit-by": "2026-01-01T00:10:00Z"}, "too-short"),
        ({"reveal-by": "2026-01-01T02:10:00Z"}, "too-short"),
        ({"commit-by": "2026-02-30T00:00:00Z"}, "too-short"),
    ],
)
def test_a_plan_that_does_not_keep_its_rules_is_refused(changes: dict[str, Any], code: str) -> None:
    visits = Visits()
    refused(code, visits.plan, visits.mandate(), **changes)


def test_what_is_inspected_must_be_known_and_within_the_mandate() -> None:
    visits = Visits()
    wide, narrow = visits.mandate(), visits.mandate(places=["store"], tables=["ash/99"])
    selected = visits.plan_content()["population"]["tables"][0]

    def listed(code: str, mandate: Any = wide, **changes: Any) -> None:
        refused(code, visits.plan, mandate, **population(visits, **changes))

    listed("population", tables=[])
    listed("population", places=["store", "store"])
    listed("population", tables=[selected | {"count": 19}])
    listed("population", tables=[selected | {"rows": [[0, 9], [10, 19]]}])
    listed("population", tables=[selected | {"rows": [[19, 0]]}])
    listed("population", lots=[f"{visits.table}/3"])
    listed("unknown-table", tables=[selected | {"root": "00" * 32}])
    listed("unknown-table", tables=[selected | {"rows": [[1, 20]]}])
    listed("unknown-table", tables=[selected | {"table": "ash/999"}])
    listed("unknown-item", lots=["ash/999/0"])
    listed("place", places=["moon"])
    listed("outside-mandate", narrow)
    listed("outside-mandate", narrow, tables=[], places=["works"])


def test_only_the_inspector_plans_and_finds() -> None:
    visits = Visits()
    mandate = visits.mandate()
    content = visits.plan_content()
    refused("not-inspector", visits.say, "ash", "visit", content, refers_to=(mandate.place,), to=("birch",))


def test_all_commit_all_reveal_and_both_draw_the_same() -> None:
    visits = Visits()
    plan = visits.drawn()
    ash, birch = (draws_document(visits.register(at)) for at in ("ash", "birch"))
    assert ash == birch
    drawn = ash["draws"][0]["drawn"]
    assert len(drawn) == len(set(drawn)) == 5
    assert all(item.startswith(f"{visits.table}/") for item in drawn)
    assert visits.view(plan)["draw"]["state"] == "drawn"


def test_a_party_beside_takes_part_and_its_secret_counts() -> None:
    visits = Visits(parties=("ash", "birch", "cedar"))
    plan = visits.plan(visits.mandate())
    own = {party: visits.commit(party, plan) for party in ("ash", "birch", "cedar")}
    for party in ("ash", "birch"):
        visits.reveal(party, own[party])
    assert visits.planned(plan).sample() is None
    visits.reveal("cedar", own["cedar"])
    assert visits.planned(plan).sample() is not None


def test_what_is_committed_to_is_the_plan_and_nothing_else() -> None:
    visits = Visits()
    plan = visits.plan(visits.mandate())
    refused("differs", visits.commit, "ash", plan, sample=6)
    refused("differs", visits.commit, "ash", plan, draw="00" * 32)
    content = visits.commit_content("ash", plan, secret_of(1))
    members = {"refers_to": (plan.place,), "to": ("birch",)}
    refused("not-sealed", visits.say, "ash", "bind", content, **members)
    visits.commit("ash", plan)
    refused("committed", visits.commit, "ash", plan)


def test_nobody_reveals_before_all_have_committed() -> None:
    visits = Visits()
    plan = visits.plan(visits.mandate())
    own = visits.commit("ash", plan)
    refused("early-reveal", visits.reveal, "ash", own)
    visits.reveal("ash", own, forged=True)
    refused("after-reveal", visits.commit, "birch", plan)
    view = visits.view(plan)
    assert "inspections/early-reveal" in visits.codes()
    assert (view["draw"]["denied"], view["draw"]["forfeit"]) == (True, False)
    assert view["outcomes"]["not-verified"]["access-denied"] == 20


def test_a_secret_that_is_not_the_one_committed_to_is_a_refusal() -> None:
    visits = Visits()
    plan = visits.plan(visits.mandate())
    bad = visits.commit_content("ash", plan, secret_of(1)) | {"secret": secret_of(2).hex()}
    own = visits.say("ash", "bind", bad, refers_to=(plan.place,), to=("birch",), seal=("secret",))
    theirs = visits.commit("birch", plan)
    refused("bad-secret", visits.reveal, "ash", own)
    visits.reveal("ash", own, forged=True)
    visits.reveal("birch", theirs)
    draw = visits.view(plan)["draw"]
    assert (draw["state"], draw["denied"], draw["drawn"]) == ("failed", True, None)


def test_who_is_silent_is_named_when_its_time_is_over_and_not_before() -> None:
    visits = Visits()
    plan = visits.plan(visits.mandate())
    visits.commit("birch", plan)
    before, after = visits.view(plan, 1)["draw"], visits.view(plan, 3)
    assert (before["state"], before["denied"]) == ("committing", False)
    assert (after["draw"]["denied"], after["draw"]["forfeit"]) == (True, False)
    assert {part["party"]: part["state"] for part in after["draw"]["parties"]} == {
        "ash": "refused",
        "birch": "released",
    }
    assert after["outcomes"]["not-verified"]["access-denied"] == 20
    assert (after["detection"]["independent"], after["detection"]["assured"]) == ("0.000000000000",) * 2


def test_an_inspector_that_does_not_reveal_forfeits_and_draws_no_other_of_the_same() -> None:
    visits = Visits()
    mandate = visits.mandate()
    plan = visits.plan(mandate)
    own = {party: visits.commit(party, plan) for party in ("ash", "birch")}
    visits.reveal("ash", own["ash"])
    draw = visits.view(plan, 5)["draw"]
    assert (draw["denied"], draw["forfeit"], draw["drawn"]) == (False, True, None)
    refused("redraw", visits.plan, mandate)
    visits.world.clock.seconds += 5 * 3600
    said = {"summary": "nothing", "evidence": []}
    visits.say("birch", "visit-report", said, refers_to=(plan.place,), to=("ash",))
    refused("redraw", visits.plan, mandate)
    apart = population(visits, tables=[], places=["store"])
    visits.plan(mandate, sample=1, defects=1, **apart)


def test_an_inspector_that_was_refused_may_draw_again_after_it_has_reported() -> None:
    visits = Visits()
    mandate = visits.mandate()
    plan = visits.plan(mandate)
    own = {party: visits.commit(party, plan) for party in ("ash", "birch")}
    visits.reveal("birch", own["birch"])
    refused("redraw", visits.plan, mandate)
    visits.world.clock.seconds += 5 * 3600
    said = {"summary": "denied", "evidence": []}
    visits.say("birch", "visit-report", said, refers_to=(plan.place,), to=("ash",))
    visits.plan(mandate)


def test_a_reveal_that_comes_late_undoes_nothing() -> None:
    visits = Visits()
    plan = visits.plan(visits.mandate())
    own = {party: visits.commit(party, plan) for party in ("ash", "birch")}
    visits.reveal("birch", own["birch"])
    visits.world.clock.seconds += 5 * 3600
    visits.reveal("ash", own["ash"])
    view = visits.view(plan)
    assert view["draw"]["drawn"] is not None
    assert (view["draw"]["state"], view["draw"]["denied"]) == ("failed", True)
    assert view["detection"]["assured"] == "0.000000000000"


def test_who_was_given_the_plan_late_has_its_time_all_the_same() -> None:
    visits = Visits()
    mandate = visits.mandate()
    visits.cut = True
    plan = visits.plan(mandate)
    visits.world.clock.seconds += 90 * 60
    visits.cut = False
    visits.sync()
    visits.say("birch", "note", {"text": "cites the receipt"}, to=("ash",))
    part = next(p for p in visits.view(plan)["draw"]["parties"] if p["party"] == "ash")
    assert part["provided"] is not None
    assert part["commit-due"] > visits.planned(plan).content["commit-by"]


def test_findings_are_about_what_was_drawn_and_said_once() -> None:
    visits = Visits()
    plan = visits.plan(visits.mandate())
    own = {party: visits.commit(party, plan) for party in ("ash", "birch")}
    refused("draw-open", visits.found, plan, {f"{visits.table}/0": "present-matching"})
    for party in own:
        visits.reveal(party, own[party])
    drawn = visits.planned(plan).sample()[1]
    other = next(f"{visits.table}/{row}" for row in range(20) if f"{visits.table}/{row}" not in drawn)
    refused("not-drawn", visits.found, plan, {other: "present-matching"})
    visits.found(plan, {drawn[0]: "present-matching"})
    refused("found-before", visits.found, plan, {drawn[0]: "access-denied"})
    visits.found(plan, {drawn[1]: "access-denied", drawn[2]: "not-attempted"})
    view = visits.view(plan)
    assert view["outcomes"]["verified"] == {"present-matching": 1, "absent-as-claimed": 0}
    assert view["outcomes"]["not-verified"]["none"] == 2
    detection = view["detection"]
    assert detection["assured"] < detection["independent"] < detection["planned"]


def test_a_finding_is_corrected_item_for_item() -> None:
    visits = Visits()
    plan = visits.drawn()
    drawn = visits.planned(plan).sample()[1]
    entry = visits.found(plan, {drawn[0]: "present-matching"})

    def corrected(item: str, outcome: str) -> None:
        told = [{"item": item, "outcome": outcome, "evidence": [], "note": "misread"}]
        visits.say("birch", "correct", {"content": {"findings": told}, "reason": "r"}, refers_to=(entry.place,))

    refused("correction", corrected, drawn[1], "access-denied")
    corrected(drawn[0], "present-serials-differ")
    assert visits.view(plan)["outcomes"]["differs"] == {"present-serials-differ": 1}
    assert visits.view(plan)["outcomes"]["verified"]["present-matching"] == 0


def test_everything_is_looked_at_without_a_draw() -> None:
    visits = Visits()
    places = population(visits, tables=[], places=["store", "works"])
    bare = {"algorithm": "all", "commit-by": None, "reveal-by": None}
    plan = visits.plan(visits.mandate(), sample=2, defects=1, **places, **bare)
    refused("no-plan", visits.say, "ash", "bind", {"draw": "0" * 64, "commitment": "0" * 64, "sample": 2,
            "algorithm": "all", "secret": "x"}, refers_to=(plan.place,), seal=("secret",))  # fmt: skip
    visits.found(plan, {"store": "present-matching", "works": "sealed-camera"})
    view = visits.view(plan)
    assert view["draw"]["state"] == "all"
    assert view["outcomes"]["by-camera"] == {"sealed-camera": 1}
    assert view["outcomes"]["verified"]["present-matching"] == 1


def test_the_report_and_the_comments_have_their_days_and_stand_together() -> None:
    visits = Visits()
    plan = visits.drawn()
    report = {"summary": "five boats", "evidence": []}
    assert visits.view(plan)["report"] == {"due": "2026-01-08", "entry": None, "state": "waiting"}
    assert visits.view(plan, 24 * 9)["report"]["state"] == "overdue"
    entry = visits.say("birch", "visit-report", report, refers_to=(plan.place,), to=("ash",))
    refused("reported", visits.say, "birch", "visit-report", report, refers_to=(plan.place,), to=("ash",))
    remark = {"text": "agreed", "evidence": []}
    refused("not-inspected", visits.say, "birch", "remark", remark, refers_to=(entry.place,), to=("ash",))
    refused("no-report", visits.say, "ash", "remark", remark, refers_to=(plan.place,), to=("birch",))
    assert visits.view(plan)["comments"] == {"due": "2026-01-11", "entry": None, "state": "waiting"}
    visits.say("ash", "remark", remark, refers_to=(entry.place,), to=("birch",))
    whole = report_document(visits.register(), visits.planned(plan), visits.now())
    assert whole["report"]["text"] == "five boats"
    assert [each["text"] for each in whole["annex"]] == ["agreed"]
    assert whole["inspection"]["comments"]["state"] == "met"


def test_rows_are_opened_with_proof_and_only_by_who_declared_them() -> None:
    visits = Visits()
    mandate = visits.mandate()
    by = visits.in_hours(2)
    asked = {"table": visits.table, "rows": [[0, 3]], "basis": "row", "by": by}

    def request(**changes: Any) -> Any:
        return visits.say("birch", "ask-rows", asked | changes, refers_to=(mandate.place,), to=("ash",))

    refused("too-short", request, by=visits.in_hours(0.5))
    refused("rows", request, rows=[[18, 20]])
    refused("rows", request, place="store")
    refused("rows", request, rows=[], place="store")
    refused("unknown-table", request, table="ash/999")
    entry = request()
    whole = request(rows=[], place="store", basis="place")

    def opened(proved: list[int], at: Any = entry, **changes: Any) -> None:
        visits.say("ash", "open-rows", visits.opening(proved, **changes), refers_to=(at.place,), to=("birch",))

    bad = visits.opening([0])
    bad["openings"][0]["value"] = {**bad["openings"][0]["value"], "serial": "B-9"}
    refused("opening", visits.say, "ash", "open-rows", bad, refers_to=(entry.place,), to=("birch",))
    refused("rows", opened, [])
    refused("not-own-table", visits.say, "birch", "open-rows", visits.opening([0]), refers_to=(entry.place,))
    opened([0, 1])
    states = {each["request"]: each for each in visits.document(3)["requests"]}
    assert (states[str(entry.place)]["state"], states[str(entry.place)]["not-declared"]) == ("overdue", 2)
    assert (states[str(whole.place)]["state"], states[str(whole.place)]["not-declared"]) == ("overdue", None)
    opened([2], rows=[[3, 3]])
    opened([4], whole, complete="store")
    states = {each["request"]: each for each in visits.document(3)["requests"]}
    assert {each["state"] for each in states.values()} == {"met"}
    table = visits.document()["tables"][0]
    assert (table["open"], table["handed"], table["rows"]) == (4, 1, 20)
    assert table["places"] == [{"complete": True, "declared": None, "open": 4, "place": "store"}]
    assert "not-complete" not in visits.codes()
    opened([7])
    assert "not-complete" in visits.codes()


def test_what_was_found_and_is_not_in_the_root_stays_open_until_a_row_shows_it() -> None:
    visits = Visits()
    mandate = visits.mandate()
    visits.say("ash", "open-rows", visits.opening([0, 1]), refers_to=(mandate.place,), to=("birch",))

    def seen(serial: str, searched: list[list[int]], **more: Any) -> Any:
        item = {"serial": serial, "evidence": ["ab" * 32], "note": "", **more}
        content = {"table": visits.table, "root": visits.root, "searched": searched, "items": [item]}
        return visits.say("birch", "outside", content, refers_to=(mandate.place,), to=("ash",))

    refused("rows", seen, "X-1", [[0, 20]])
    unknown, late, hasty, kind = seen("X-1", [[0, 1]]), seen("B-7", [[0, 1]]), seen("B-1", [[0, 1]]), seen(
        "B-8", [[0, 1]], kind="cargo")  # fmt: skip
    visits.say("ash", "open-rows", visits.opening([7]), refers_to=(late.place,), to=("birch",))
    visits.say("ash", "open-rows", visits.opening([8]), refers_to=(kind.place,), to=("birch",))
    told = {each["entry"]: each["items"][0] for each in visits.document()["undeclared"]}
    states = [(told[str(e.place)]["state"], told[str(e.place)]["row"]) for e in (unknown, late, hasty, kind)]
    assert states == [("open", None), ("shown", 7), ("contradicted", 1), ("open", None)]
    found = [each for each in visits.document()["discrepancies"] if each["code"] in ("not-in-root", "contradicted")]
    assert [(each["code"], each["item"]) for each in found] == [
        ("not-in-root", "X-1"),
        ("contradicted", "B-1"),
        ("not-in-root", "B-8"),
    ]


def test_a_commitment_copied_from_another_does_not_hold() -> None:
    visits = Visits()
    plan = visits.plan(visits.mandate())
    theirs = visits.commit("birch", plan)
    copied = {name: theirs.frame.content[name] for name in ("draw", "commitment", "sample", "algorithm")}
    own = visits.say("ash", "bind", copied | {"secret": visits.secrets["birch"].hex()}, refers_to=(plan.place,),
                     to=("birch",), seal=("secret",))  # fmt: skip
    visits.reveal("birch", theirs)
    refused("bad-secret", visits.reveal, "ash", own)


def test_all_centres_and_every_rebuilding_see_the_same() -> None:
    visits = Visits()
    plan = visits.drawn()
    visits.found(plan, {visits.planned(plan).sample()[1][0]: "present-matching"})
    before = visits.document(2)
    visits.world.centres["ash"].reload()
    assert visits.document(2, at="ash") | {"at": ""} == before | {"at": ""}
