# SPDX-License-Identifier: Apache-2.0
"""Is what is due judged as spec/obligations.md says? Expected values are written by hand here."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.verifier.build import World, make_pack, obligation
from tests.unit.verifier.cases import verify

FIXED = {"rule": "fixed", "date": "2014-01-10"}
FULL = {"extent": "full", "obligation": "O1"}


def half(done: int, of: int = 10) -> dict[str, Any]:
    return {"done": done, "extent": "part", "obligation": "O1", "of": of}


def world_with(due: Any, parties: tuple[str, ...] = ("ana", "ben"), **changes: Any) -> World:
    time = {"zone": "Etc/UTC", "days": "calendar", "holidays": [], "basis": "event"}
    pack_changes = {k: changes.pop(k) for k in ("events",) if k in changes}
    time |= changes.pop("time", {})
    rows = [obligation("O1", due, **changes), obligation("O2", FIXED)]
    return World(parties, pack=make_pack(list(parties), obligations=rows, time=time, **pack_changes))


def report(world: World, on: str, *performs: Any, by: str = "ana", **changes: Any) -> Any:
    return world.say(by, "report", {"text": "x", "performs": list(performs)}, **{"event-at": on, **changes})


def judged(world: World, at: str = "2026-01-04T00:00:00Z") -> dict[str, Any]:
    found = verify(world, world.bundle(world.files(), **{"as-of": at}))
    assert found.problems == []
    rows = found.registers["obligations"]["obligations"]
    assert [x["id"] for x in rows] == ["O1", "O2"]
    row: dict[str, Any] = rows[0]
    return row


def test_a_whole_row_is_as_written_by_hand() -> None:
    world = world_with(FIXED)
    report(world, "2014-01-20", half(4))
    report(world, "2014-01-25/2014-01-30", FULL)
    assert judged(world) == {
        "days-late": None, "days-late-max": 20, "days-late-min": 15, "due": "2014-01-10",
        "evidence": ["ana/4", "ana/5"],
        "extent": [4, 10], "extent-latest": [1, 1], "first-due": "2014-01-10", "id": "O1",
        "met-on": "2014-01-25/2014-01-30", "outcome": "met-late", "status": "missed", "superseded-by": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("on", "status", "outcome"),
    [
        ("2014-01-10", "met", "met"),
        ("2014-01-11", "missed", "met-late"),
        ("2014-01", "disputed", "met"),
        ("../2014-01-10", "met", "met"),
        ("2014-01-11/..", "missed", "met-late"),
        ("2014-01-09/..", "disputed", "met"),
        ("2014-02-30", "overdue", "none"),
    ],
)
def test_dates_are_judged_by_the_days_they_stand_for(on: str, status: str, outcome: str) -> None:
    world = world_with(FIXED)
    report(world, on, FULL)
    row = judged(world)
    assert (row["status"], row["outcome"]) == (status, outcome)


@pytest.mark.parametrize(
    ("at", "evidence", "absence", "status"),
    [
        ("2014-01-10T23:59:59Z", [], "overdue", "due"),
        ("2014-01-11T00:00:00Z", [], "overdue", "overdue"),
        ("2014-01-11T00:00:00Z", [], "not-stated", "not-stated"),
        ("2014-01-11T00:00:00Z", [half(9)], "overdue", "partly-met"),
        ("2014-01-11T00:00:00Z", [half(10)], "overdue", "met"),
    ],
)
def test_without_complete_evidence_the_date_decides(at: str, evidence: Any, absence: str, status: str) -> None:
    world = world_with(FIXED, absence=absence)
    if evidence:
        report(world, "2014-01-05", *evidence)
    assert judged(world, at)["status"] == status


@pytest.mark.parametrize(
    ("due", "day"),
    [
        ({"rule": "days-after", "event": "start", "days": 10}, "2014-01-11"),
        ({"rule": "before", "event": "start", "days": 1}, "2013-12-31"),
        ({"rule": "share", "date": "2014-03-01", "part": 1, "of": 5}, "2014-03-01"),
        ({"rule": "recurring", "first": "2014-02-01", "every": "month", "until": None}, "2014-02-01"),
        ({"rule": "days-after", "event": "first-note", "days": 1}, None),
        ({"rule": "continuous"}, None),
        ({"rule": "unstated", "text": {"en": "x"}}, None),
        ({"rule": "triggered", "trigger": "watch-note", "hours": 24}, None),
    ],
)
def test_each_rule_gives_its_date(due: Any, day: str | None) -> None:
    texts = {"en": "x"}
    start = {"id": "start", "names": texts, "date": "2014-01-01"}
    world = world_with(due, events=[start, {"id": "first-note", "names": texts, "format": "watch-note"}])
    assert judged(world)["due"] == day


def test_working_days_leave_out_week_ends_and_holidays() -> None:
    due = {"rule": "days-after", "event": "start", "days": 5}  # Thursday 2 is a holiday; 4 and 5 a week end
    assert judged(world_with(due, time={"days": "working", "holidays": ["2014-01-02"]}))["due"] == "2014-01-09"


def test_an_event_has_its_date_from_the_first_entry_of_its_format_by_event_date() -> None:
    events = [{"id": "noted", "names": {"en": "x"}, "format": "watch-note"}]
    world = world_with({"rule": "days-after", "event": "noted", "days": 1}, events=events)
    assert judged(world)["status"] == "pending"
    world.say("ana", "watch-note", {}, author="night", releaser=None, **{"event-at": "2014-06-05"})
    world.say("ben", "watch-note", {}, author="night", releaser=None, **{"event-at": "2014-05-05"})
    assert judged(world)["due"] == "2014-05-06"


def test_a_trigger_counts_only_what_refers_to_it() -> None:
    world = world_with({"rule": "triggered", "trigger": "watch-note", "hours": 24})
    report(world, "2014-06-05", FULL)
    row = judged(world)
    assert (row["status"], row["outcome"], row["evidence"]) == ("not-triggered", "none", [])
    note = world.say("ben", "watch-note", {}, author="night", releaser=None, **{"event-at": "2014-06-05"})
    row = judged(world)
    assert (row["status"], row["due"], row["evidence"]) == ("overdue", "2014-06-06", [])
    report(world, "2014-06-06", FULL, **{"refers-to": [note]})
    assert judged(world)["status"] == "met"


def test_a_share_is_complete_at_its_share() -> None:
    for done, status in ((2, "met"), (1, "partly-met")):
        world = world_with({"rule": "share", "date": "2014-03-01", "part": 1, "of": 5})
        report(world, "2014-02-01", half(done))
        assert judged(world)["status"] == status


def test_an_extension_with_effect_moves_the_date_and_a_supersession_ends_it() -> None:
    world = world_with(FIXED)
    for day in ("2027-01-01", "2026-06-01"):
        o = world.offer("ana", "extend", {"obligation": "O1", "due": day}, ["ben"])
        world.accept("ben", o)
    world.offer("ana", "extend", {"obligation": "O1", "due": "2030-01-01"}, ["ben"])
    row = judged(world)
    assert (row["status"], row["due"], row["first-due"]) == ("extended", "2026-06-01", "2014-01-10")
    world.accept("ben", world.offer("ana", "supersede", {"obligation": "O1", "by": "O2"}, ["ben"]))
    assert [judged(world)[x] for x in ("status", "superseded-by")] == ["superseded", "O2"]


def test_the_obligor_suspends_and_resumes_nobody_else() -> None:
    world = world_with(FIXED)
    notice = {"obligations": ["O1"], "reason": "r"}
    world.say("ben", "suspend", {**notice, "state": "suspended"})
    assert judged(world)["status"] == "overdue"
    world.say("ana", "suspend", {**notice, "state": "suspended"})
    assert judged(world)["status"] == "suspended"
    world.say("ana", "suspend", {**notice, "state": "resumed"})
    assert judged(world)["status"] == "overdue"


def test_only_the_parties_named_give_evidence_and_a_correction_replaces_it() -> None:
    world = world_with(FIXED, **{"judged-by": ["ben"]})
    report(world, "2014-01-05", FULL)
    assert judged(world)["outcome"] == "none"
    said = report(world, "2014-01-05", FULL, by="ben")
    assert judged(world)["outcome"] == "met"
    new = {"content": {"text": "x", "performs": [half(3)]}, "reason": "r"}
    world.say("ben", "correct", new, act="correct", **{"refers-to": [said]})
    assert [judged(world)[x] for x in ("outcome", "extent-latest")] == ["partly-met", [3, 10]]


def test_by_receipt_an_entry_lies_between_its_release_and_the_first_receipt_cited() -> None:
    world = world_with({"rule": "fixed", "date": "2026-01-03"}, time={"basis": "receipt"})
    report(world, "2014-01-05", FULL)
    assert [judged(world)[x] for x in ("status", "met-on")] == ["disputed", None]
    receipt = world.receipt("ana", "ben", 4, stamp=1_767_398_400)  # 2026-01-03
    world.cite("ana", [], receipts=[receipt])
    row = judged(world)
    assert [row[x] for x in ("status", "met-on", "days-late-min", "days-late-max")] == ["met", "2026-01-03", -1, 0]


def test_what_recurs_is_judged_by_its_first_evidence() -> None:
    world = world_with({"rule": "recurring", "first": "2014-02-01", "every": "month", "until": None})
    report(world, "2014-03-03", FULL)
    report(world, "2014-02-03", FULL)
    row = judged(world)
    expected = ["recurring", "met-late", "2014-02-03", 2]
    assert [row[x] for x in ("status", "outcome", "met-on", "days-late")] == expected
