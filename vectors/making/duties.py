# SPDX-License-Identifier: Apache-2.0
"""Cases of obligations: the document that follows from a record at a date, and one that follows from a misreading."""

from __future__ import annotations

from typing import Any

from making.case import Case, Cases
from making.packs import obligation, pack
from making.records import FULL
from making.settlements import bundled, moment
from making.world import World

_FIXED = {"date": "2014-03-01", "rule": "fixed"}
_EVENTS = [
    {"date": "2014-01-01", "id": "start", "names": {"en": "start"}},
    {"format": "note", "id": "first-note", "names": {"en": "first note"}},
]
_RULES = [
    obligation("FIXED", _FIXED),
    obligation("AFTER", {"days": 30, "event": "start", "rule": "days-after"}),
    obligation("BEFORE", {"days": 10, "event": "start", "rule": "before"}),
    obligation("EVENTUAL", {"days": 5, "event": "first-note", "rule": "days-after"}, absence="not-stated"),
    obligation("SHARE", {"date": "2014-03-01", "of": 2, "part": 1, "rule": "share"}),
    obligation("MONTHLY", {"every": "month", "first": "2014-01-15", "rule": "recurring", "until": None}),
    obligation("ALWAYS", {"rule": "continuous"}),
    obligation("SOME-DAY", {"rule": "unstated", "text": {"en": "without delay"}}),
    obligation("ON-ALERT", {"hours": 48, "rule": "triggered", "trigger": "alert"}),
    obligation("FUTURE", {"date": "2027-03-01", "rule": "fixed"}),
]
_FORMATS = ("note", "report", "alert")


def _world(rules: list[dict[str, Any]] = _RULES, more: tuple[str, ...] = (), **members: Any) -> World:
    parties = members.pop("parties", ("ash", "birch"))
    return World(pack(parties, (*_FORMATS, *more), obligations=rules, events=_EVENTS, **members))


def _report(world: World, day: str, *performed: tuple[str, int, int], by: str = "ash", **members: Any) -> str:
    """A report that something is done: (obligation, done, of), 1 of 1 standing for all of it."""
    performs = [
        {"extent": "full", "obligation": name}
        if (done, of) == (1, 1)
        else {"done": done, "extent": "part", "obligation": name, "of": of}
        for name, done, of in performed
    ]
    return world.say(by, "report", {"performs": performs, "text": ""}, event_at=day, **members)


def _full(world: World, day: str, *names: str, **members: Any) -> str:
    return _report(world, day, *((name, 1, 1) for name in names), **members)


def _add(cases: Cases, name: str, sentence: str, world: World, misread: dict[str, dict[str, Any]], wrong: str) -> None:
    """Two cases: the document that follows, and one in which the members of rows are as `misread` says."""
    now = moment(world)
    document = now.documents["obligations"]
    rows = [{**row, **misread.get(row["id"], {})} for row in document["obligations"]]
    if rows == document["obligations"]:
        raise ValueError(f"{name}: the misreading makes no difference")
    cases.good(name, sentence, bundled(now, now.documents), document, "#Judgement at a date T")
    stated = {**now.documents, "obligations": {**document, "obligations": rows}}
    cases.bad(f"{name}-misread", f"{sentence} {wrong}", bundled(now, stated), "#Judgement at a date T")


def _absent(cases: Cases) -> None:
    sentence = "Nothing has been said: every rule without evidence."
    wrong = "What depends on an event that has not occurred is said to be overdue."
    _add(cases, "nothing-said", sentence, _world(), {"EVENTUAL": {"status": "overdue"}}, wrong)
    world = _world()
    world.say("ash", "note", {"text": "The event."}, event_at="2014-02-10")
    world.say("ash", "note", {"text": "An earlier day, said later."}, event_at="2014-02-05/2014-02-07")
    world.say("birch", "note", {"text": "No day at all."}, event_at="2014-01-32")
    world.say("birch", "note", {"text": "An open end."}, event_at="2014-01-01/..")
    world.say("birch", "alert", {"text": "The trigger."}, event_at="2014-02-10")
    sentence = "Events that are entries, and a trigger: the deadlines that follow, and nothing done."
    wrong = "The event is said to be that of the first entry."
    _add(
        cases,
        "events-and-triggers",
        sentence,
        world,
        {"EVENTUAL": {"due": "2014-02-15", "first-due": "2014-02-15"}},
        wrong,
    )


def _performed(cases: Cases) -> None:
    world = _world()
    _full(world, "2014-03-01", "FIXED", "MONTHLY")
    _full(world, "2014-02-01", "AFTER", "ALWAYS", "FUTURE")
    _full(world, "2013-12-20/2013-12-24", "BEFORE", "SOME-DAY")
    world.say("ash", "note", {"text": "The event."}, event_at="2014-02-10")
    _full(world, "2014-02-14/..", "EVENTUAL")
    _report(world, "2014-04-01", ("SHARE", 1, 3))
    _report(world, "2014-05", ("SHARE", 2, 4))
    first = world.say("birch", "alert", {"text": "A trigger."}, event_at="2014-02-10")
    last = world.say("birch", "alert", {"text": "The last trigger."}, event_at="2014-02-20")
    _full(world, "2014-02-11", "ON-ALERT", refers=[first])
    _full(world, "2014-02-23", "ON-ALERT", refers=[last])
    sentence = "Done on the day, late, early, perhaps late, in part and then enough, and after the last trigger."
    wrong = "What was done before the deadline or after it, nobody knows, is said to be met."
    _add(cases, "done", sentence, world, {"BEFORE": {"status": "met"}}, wrong)
    world = _world([obligation("SHARE", {"date": "2014-03-01", "of": 4, "part": 3, "rule": "share"}), *_RULES[:2]])
    _report(world, "2014-01-10", ("SHARE", 1, 4), ("AFTER", 1, 2))
    _report(world, "2014-03-02", ("SHARE", 2, 4), ("FIXED", 9, 10))
    _report(world, "2014-06-30", ("SHARE", 8, 10))
    _report(world, "2014-07-01", ("SHARE", 1, 1))
    sentence = "Shares: what had been done when it was due, and what has been done at last."
    wrong = "The extent stated is that of the last evidence before the deadline."
    _add(cases, "shares", sentence, world, {"SHARE": {"extent": [1, 4]}}, wrong)


def _dated(cases: Cases) -> None:
    names = [f"D{number}" for number in range(7)]
    days = ["2014-02", "2014-03", "2014", "../2014-03-01", "2014-02-30", "2014-03-01T23:59:59Z", "2014-03-02/.."]
    world = _world([obligation(name, _FIXED) for name in names])
    for name, day in zip(names, days, strict=True):
        _full(world, day, name)
    sentence = "A month before, the month of the deadline, a year, an open beginning, no day, an instant, an open end."
    wrong = "A day that does not exist is said to be the last of its month."
    read = {"evidence": ["ash/7"], "outcome": "met", "status": "met"}
    _add(cases, "intervals", sentence, world, {"D4": read}, wrong)
    calendar = {"basis": "event", "days": "working", "holidays": ["2014-01-06", "2014-01-07"], "zone": "UTC"}
    rules = [
        obligation("AFTER", {"days": 5, "event": "start", "rule": "days-after"}),
        obligation("BEFORE", {"days": 3, "event": "start", "rule": "before"}),
        obligation("FIXED", {"date": "2014-01-05", "rule": "fixed"}),
        obligation("NONE", {"days": 0, "event": "start", "rule": "days-after"}),
    ]
    world = _world(rules, time=calendar)
    _full(world, "2014-01-10", "AFTER")
    sentence = "Working days, two holidays, a deadline on a Sunday, and no days at all."
    wrong = "The holidays are not left out."
    _add(cases, "working-days", sentence, world, {"AFTER": {"due": "2014-01-08", "first-due": "2014-01-08"}}, wrong)


def _receipted(cases: Cases) -> None:
    rules = [obligation(name, {"date": "2026-01-01", "rule": "fixed"}) for name in ("CITED", "LATE", "TWICE")]
    world = _world(rules, time={"basis": "receipt", "days": "calendar", "holidays": [], "zone": "UTC"})
    _full(world, "2013-01-01", "CITED")
    world.say("ash", "citation", {}, cite=["birch"])
    _full(world, "2013-01-01", "TWICE")
    world.minutes += 24 * 60
    _full(world, "2013-01-01", "LATE", "TWICE")
    world.say("ash", "citation", {}, cite=["birch"])
    sentence = "Judged by receipts: provided on the day, a day later, and nobody knows whether on the day."
    wrong = "Judged by the dates that the author claims, all is early."
    early = {"days-late": 0, "days-late-max": 0, "days-late-min": 0, "outcome": "met", "status": "met"}
    _add(cases, "receipts", sentence, world, {"LATE": {**early, "met-on": "2013-01-01"}}, wrong)


def _changed(cases: Cases) -> None:
    offers = ("extend", "supersede", "suspend")
    rules = [obligation(name, _FIXED) for name in ("EXTENDED", "LATER", "OFFERED", "SUSPENDED", "RESUMED", "OLD")]
    future = obligation("FUTURE", {"date": "2026-03-01", "rule": "fixed"})
    world = _world([*rules, future, obligation("FOREIGN", _FIXED, obligors=["birch"])], offers)

    def agree(form: str, name: str, **content: str) -> None:
        offer = world.say("ash", form, {"obligation": name, **content}, named=["birch"])
        world.say("birch", "accept", FULL, refers=[offer])

    agree("extend", "EXTENDED", due="2014-05-01")
    agree("extend", "EXTENDED", due="2014-04-01")
    agree("extend", "FUTURE", due="2026-06-01")
    agree("supersede", "OLD", by="EXTENDED")
    world.say("ash", "extend", {"due": "2014-06-01", "obligation": "OFFERED"}, named=["birch"])
    for state, named in (("suspended", ["SUSPENDED", "RESUMED", "OLD", "FOREIGN"]), ("resumed", ["RESUMED"])):
        world.say("ash", "suspend", {"obligations": named, "reason": "ice", "state": state})
    _full(world, "2014-04-15", "EXTENDED", "SUSPENDED")
    sentence = "Extended twice, extended and still open, offered an extension, suspended, resumed, superseded."
    wrong = "The extension that has only been offered is said to hold."
    _add(cases, "changed-by-agreement", sentence, world, {"OFFERED": {"due": "2014-06-01"}}, wrong)


def _corrected(cases: Cases) -> None:
    rules = [obligation(name, _FIXED) for name in ("RIGHT", "WRONG", "WATCHED")]
    rules[2]["judged-by"] = ["birch"]
    world = _world(rules)
    report = _full(world, "2014-02-01", "WRONG")
    for name in ("WATCHED", "RIGHT"):
        content = {"performs": [{"extent": "full", "obligation": name}], "text": ""}
        world.say("ash", "correct", {"content": content, "reason": "a slip"}, refers=[report], event_at="2014-06-01")
    _full(world, "2014-02-02", "WATCHED")
    _full(world, "2014-03-02", "WATCHED", by="birch")
    sentence = "Evidence that was corrected twice, and an obligation that one party alone judges."
    wrong = "The word of the obligor is said to count."
    _add(cases, "corrected-and-judged", sentence, world, {"WATCHED": {"status": "met"}}, wrong)


def cases() -> list[Case]:
    """`bundle.servanda` is a dossier; `expected.json` is its obligations document at the day of its `as-of`."""
    cases = Cases("obligations", "obligations")
    for group in (_absent, _performed, _dated, _receipted, _changed, _corrected):
        group(cases)
    return cases.made
