# SPDX-License-Identifier: Apache-2.0
"""The example drafts of the packs, entered between centres: what the registers show, and what the formats refuse."""

from __future__ import annotations

import copy
import hashlib
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from servanda.agreement.dates import instant_seconds
from servanda.assembly import read_pack
from servanda.journal.frame import Place
from servanda.journal.state import Entry
from servanda.operations.drafting import parse_draft, release_draft, send_alone, submit_draft, write_draft
from servanda.operations.errors import Refusal
from servanda.operations.sealing import draft_reveal
from servanda.registers.alerts.clocks import due_actions
from servanda.registers.alerts.views import alerts_bytes
from servanda.registers.obligations.views import obligations_document
from tests.rig.stories import EXAMPLES, STORIES, alerts_of, drafts_of, enter, founded, told
from tests.rig.world import World

HOUR = 60
ICT, LAUNCH, UNUSUAL = "ict-incidents-2013", "launch-notification-1988", "unusual-activities"


def case_of(world: World, entry: Entry, minutes: float = 0, party: str = "") -> dict[str, Any]:
    document = alerts_of(world, party or entry.place.party, minutes)
    (case,) = [case for case in document["cases"] if any(line["entry"] == str(entry.place) for line in case["log"])]
    return case


def clocks(case: dict[str, Any], entry: Entry) -> dict[str, str]:
    return {clock["clock"]: clock["state"] for clock in case["clocks"] if clock["entry"] == str(entry.place)}


def edited(name: str, stem: str, **content: Any) -> tuple[str, dict[str, Any]]:
    """Who sends an example, and the draft with other members in its content (None: left out)."""
    draft = copy.deepcopy(drafts_of(name)[stem])
    for member, value in content.items():
        member = member.replace("_", "-")
        draft["content"].pop(member, None)
        if value is not None:
            draft["content"][member] = value
    return stem.split("-")[1], draft


def refused(world: World, party: str, draft: dict[str, Any]) -> str:
    before = world.centres[party].journal.size
    with pytest.raises(Refusal) as caught:
        enter(world, party, draft)
    assert world.centres[party].journal.size == before
    return caught.value.code


@pytest.mark.parametrize("name", STORIES)
def test_every_example_is_admissible_and_every_centre_computes_the_same_cases(name: str) -> None:
    world, entries = told(name)
    assert len(entries) == len(drafts_of(name))
    for centre in world.centres.values():
        assert all(centre.record.entry(entry.place).admissible for entry in entries.values())
    now = instant_seconds(world.clock())
    assert len({alerts_bytes(centre.alerts, now) for centre in world.centres.values()}) == 1
    document = alerts_of(world, world.pack.parties[0])
    assert document["discrepancies"] == []
    assert {case["status"] for case in document["cases"]} == {"exercise"}


def test_an_ict_case_goes_from_a_code_word_to_closure_in_one_log() -> None:
    world, entries = told(ICT)
    opening = entries["02-rus-short-message"]
    case = case_of(world, opening, party="usa")
    inside = [stem for stem in entries if "02" <= stem < "13"]
    assert [line["entry"] for line in case["log"]] == [str(entries[stem].place) for stem in inside]
    assert (case["state"], case["class"], case["sides"]) == ("closed", "ict-urgent", ["rus", "usa"])
    assert clocks(case, entries["05-rus-inquiry"]) == {"acknowledge": "met", "answer": "met", "meeting": "met"}
    assert alerts_of(world, "usa")["activations"] == {"exercise": {"ict-urgent": 1}}


def test_indicators_and_goodwill_are_in_no_case() -> None:
    world, entries = told(ICT)
    (case,) = alerts_of(world, "usa")["cases"]
    logged = {line["format"] for line in case["log"]}
    assert logged.isdisjoint({"technical-indicators", "goodwill", "report", "list-exchange"})
    stix = entries["01-rus-technical-indicators"].frame.content
    assert hashlib.sha256(stix["stix"].encode()).hexdigest() == stix["stix-sha256"]
    assert json.loads(stix["stix"])["type"] == "bundle"


def test_an_insufficient_answer_starts_the_clock_of_its_class_anew() -> None:
    world, entries = told(ICT, "08")
    inquiry = entries["05-rus-inquiry"]
    minutes = world.pack.alert_classes["ict-inquiry"]
    assert clocks(case_of(world, inquiry, minutes["answer-minutes"] - 1), inquiry)["answer"] == "running"
    late = case_of(world, inquiry, minutes["answer-minutes"] + 1)
    assert clocks(late, inquiry) == {"acknowledge": "met", "answer": "overdue", "meeting": "running"}


def bundle_of(characters: int, filling: str = "x") -> dict[str, str]:
    """Content with a bundle of so many characters: the example's, with a long description."""
    stix = json.loads(drafts_of(ICT)["01-rus-technical-indicators"]["content"]["stix"])
    stix["objects"][0]["description"] = ""
    empty = json.dumps(stix, separators=(",", ":"))
    text = empty.replace('"description":""', f'"description":"{filling * (characters - len(empty))}"')
    assert len(text) == characters
    return {"stix": text, "stix_sha256": hashlib.sha256(text.encode()).hexdigest()}


def test_the_largest_bundle_fits_an_entry_and_one_character_more_does_not() -> None:
    world = founded(ICT).clone()
    assert enter(world, *edited(ICT, "01-rus-technical-indicators", **bundle_of(131_072))).admissible
    draft = edited(ICT, "01-rus-technical-indicators", **bundle_of(131_073))
    assert refused(world, *draft) in ("content", "over-size")


def test_a_bundle_too_large_in_bytes_is_refused_and_leaves_no_trace() -> None:
    draft = edited(ICT, "01-rus-technical-indicators", **bundle_of(131_072, "ж"))
    assert refused(founded(ICT).clone(), *draft) == "over-size"


def test_lists_are_opened_once_both_sides_have_committed_and_not_before() -> None:
    early, entries = told(ICT, "14")
    with pytest.raises(Refusal, match="has not committed in round authorities-2099"):
        reveal(early.clone(), entries["14-rus-list-exchange"])
    world, entries = told(ICT)
    world = world.clone()
    for stem in ("14-rus-list-exchange", "15-usa-list-exchange"):
        assert "list" not in entries[stem].frame.content
        reveal(world, entries[stem])
    assert [found["state"] for found in alerts_of(world, "usa")["rounds"]] == ["complete"]


def reveal(world: World, entry: Entry) -> Entry:
    centre = world.centres[entry.place.party]
    identifier = write_draft(centre, draft_reveal(centre, entry.place, ["list"], "desk"))
    submit_draft(centre, identifier)
    shown = release_draft(centre, identifier, "chief")
    world.sync()
    return shown


def test_a_report_is_evidence_and_the_undertaking_goes_on() -> None:
    world, entries = told(ICT)
    document = obligations_document(world.centres["usa"].obligations, date(2099, 2, 1))
    rows = {row["id"]: row for row in document["obligations"]}
    assert rows["CERT-CHANNEL"]["status"] == "continuing"
    assert rows["CERT-CHANNEL"]["evidence"] == [str(entries["16-rus-report"].place)]
    assert (rows["WORKING-GROUP"]["status"], rows["WORKING-GROUP"]["outcome"]) == ("not-stated", "none")


def test_the_relay_of_the_variant_can_send_none_of_the_formats() -> None:
    world = World(read_pack(EXAMPLES / "urgent-alert" / "pack"), status="exercise")
    for stem, draft in drafts_of(ICT).items():
        draft = draft | {"refers-to": [], "to": ["usa"]}
        if draft["format"] != "acknowledge":
            assert refused(world, "relay", draft) in ("sender", "alerts/no-question", "alerts/no-answer"), stem
    assert enter(world, "rus", drafts_of(ICT)["02-rus-short-message"]).admissible


def test_a_correction_and_a_short_message_stay_in_the_case_of_the_launch() -> None:
    world, entries = told(LAUNCH)
    case = case_of(world, entries["01-usa-icbm-launch"], party="rus")
    inside = [stem for stem in entries if stem < "10"]
    assert [line["entry"] for line in case["log"]] == [str(entries[stem].place) for stem in inside]
    assert case["state"] == "closed"
    asked = case_of(world, entries["15-usa-clarification-without-notification"])
    assert clocks(asked, entries["15-usa-clarification-without-notification"]) == {
        "acknowledge": "met",
        "answer": "met",
        "meeting": "met",
    }


def hours_ahead(world: World, place: Place, receiver: str) -> float:
    """From provision to the planned date, as the page of the pack reckons; by the notification as last corrected."""
    record = world.centres[receiver].record
    entry = record.entry(place)
    corrections = [
        later
        for later in record.journals[place.party].entries
        if later.frame and later.frame.format == "correct" and later.frame.refers_to[0].place == place
    ]
    last = corrections[-1] if corrections else entry
    content = corrections[-1].frame.content["content"] if corrections else entry.frame.content
    provided = record.attestations.earliest_by(last.place, receiver)
    assert provided is not None
    begins = datetime.fromisoformat(content["planned-date"]).replace(tzinfo=UTC).timestamp()
    return (begins - provided) / 3600


@pytest.mark.parametrize(("planned", "ahead"), [("2026-01-02", False), ("2026-01-03", True)])
def test_whether_a_launch_was_notified_a_day_ahead_is_read_from_the_record(planned: str, ahead: bool) -> None:
    world = founded(LAUNCH).clone()
    party, draft = edited(LAUNCH, "01-usa-icbm-launch", planned_date=planned)
    launch = enter(world, party, draft)
    enter(world, party, edited(LAUNCH, "21-rus-goodwill")[1] | {"to": ["rus"]})  # it cites the receipt
    assert (hours_ahead(world, launch.place, "rus") >= 24) is ahead
    _, correction = edited(LAUNCH, "08-usa-correct-date")
    correction["content"]["content"]["planned-date"] = "2026-01-05" if not ahead else "2026-01-01"
    enter(world, party, correction | {"refers-to": [str(launch.place)]})
    enter(world, party, edited(LAUNCH, "21-rus-goodwill")[1] | {"to": ["rus"]})
    assert (hours_ahead(world, launch.place, "rus") >= 24) is not ahead


def test_every_notification_is_evidence_of_a_duty_that_never_ends() -> None:
    world, entries = told(LAUNCH)
    document = obligations_document(world.centres["rus"].obligations, date(2099, 3, 1))
    (row,) = document["obligations"]
    assert row["status"] == "continuing"
    launches = {str(entry.place) for stem, entry in entries.items() if "bm-launch" in stem}
    assert set(row["evidence"]) == launches
    assert len(launches) == 3


def test_a_request_without_reply_calls_for_a_meeting_after_48_hours_and_a_second() -> None:
    world = founded(UNUSUAL).clone()
    request = enter(world, *edited(UNUSUAL, "01-ukr-request"))
    enter(world, "ukr", drafts_of(UNUSUAL)["14-ukr-statement"])  # it cites the receipt, from which the hours run
    due = {clock["clock"]: clock for clock in case_of(world, request)["clocks"]}["answer"]
    received = world.centres["ukr"].record.attestations.earliest_by(request.place, "blr")
    assert instant_seconds(due["due"]) - received == 48 * 3600
    assert clocks(case_of(world, request, 48 * HOUR - 1), request)["answer"] == "running"
    assert clocks(case_of(world, request, 48 * HOUR), request) == {
        "acknowledge": "overdue",
        "answer": "overdue",
        "meeting": "running",
    }
    assert clocks(case_of(world, request, 96 * HOUR, "blr"), request)["meeting"] == "overdue"
    now = instant_seconds(world.clock()) + 48 * 3600
    owed = {action.clock.name for action in due_actions(world.centres["blr"].alerts, "blr", ["watch"], now)}
    assert owed == {"acknowledge", "answer"}
    assert due_actions(world.centres["rus"].alerts, "rus", ["watch"], now) == []


def test_the_meeting_and_the_second_reply_are_within_their_clocks() -> None:
    world, entries = told(UNUSUAL)
    request = entries["01-ukr-request"]
    case = case_of(world, request, 1000 * HOUR, "rus")
    assert clocks(case, request) == {"acknowledge": "met", "answer": "met", "meeting": "met"}
    assert case["sides"] == ["blr", "ukr"]
    (layer,) = case["questions"][0]["layers"]
    assert layer["assessed"]["assessment"] == "sufficient"
    assert alerts_of(world, "blr")["activations"] == {"exercise": {"unusual-activity": 2}}


BUNDLE = drafts_of(ICT)["01-rus-technical-indicators"]["content"]["stix"]

# what is wrong: (pack, example, members of the content that are changed or, by None, left out)
REFUSED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "an alert that does not say what is asked": (ICT, "04-rus-urgent-alert", {"what_is_asked": None}),
    "an inquiry silent on what follows from silence": (ICT, "05-rus-inquiry", {"consequence_if_unanswered": None}),
    "an inquiry whose consequence is left empty": (ICT, "05-rus-inquiry", {"consequence_if_unanswered": ""}),
    "an inquiry addressed to nobody competent": (ICT, "05-rus-inquiry", {"competent_authority": None}),
    "a severity that is not on the scale": (ICT, "05-rus-inquiry", {"severity": "6-fatal"}),
    "an alert of a class for inquiries": (ICT, "04-rus-urgent-alert", {"class": "ict-inquiry"}),
    "an alert of a class for notices": (ICT, "04-rus-urgent-alert", {"class": "ict-notice"}),
    "a time that is no instant": (ICT, "05-rus-inquiry", {"answer_by": "tomorrow"}),
    "indicators within an inquiry": (ICT, "05-rus-inquiry", {"stix": BUNDLE}),
    "indicators without their digest": (ICT, "01-rus-technical-indicators", {"stix_sha256": None}),
    "an answer that does not say how much it answers": (ICT, "07-usa-answer-in-part", {"extent": None}),
    "an assessment of another kind": (ICT, "08-rus-assessment-insufficient", {"assessment": "evasive"}),
    "a meeting on a day that does not exist": (ICT, "09-usa-meeting", {"on": "2099-02-30"}),
    "a launch without impact areas": (LAUNCH, "01-usa-icbm-launch", {"impact_areas": None}),
    "a launch without a date": (LAUNCH, "01-usa-icbm-launch", {"planned_date": None}),
    "a launch area that is not in the notification": (LAUNCH, "01-usa-icbm-launch", {"launch_area": None}),
    "a state of a launch that is neither": (LAUNCH, "01-usa-icbm-launch", {"state": "likely"}),
    "a quadrant that is no sector of 90 degrees": (
        LAUNCH,
        "10-rus-slbm-launch-from-a-sea",
        {"launch_area": {"water": "Sea", "quadrant": "north"}},
    ),
    "a request that asks for nothing": (UNUSUAL, "01-ukr-request", {"asked": []}),
    "a request that asks one thing twice": (UNUSUAL, "01-ukr-request", {"asked": ["location", "location"]}),
    "a request that asks for something else": (UNUSUAL, "01-ukr-request", {"asked": ["intentions"]}),
    "a request that shortens the 48 hours": (UNUSUAL, "01-ukr-request", {"answer_by": "2099-03-02T09:00:00Z"}),
    "a reply that does not say what it leaves out": (UNUSUAL, "03-blr-reply-in-part", {"not_given": None}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_is_refused_before_anybody_could_misread_it(what: str) -> None:
    name, stem, content = REFUSED[what]
    party, draft = edited(name, stem, **content)
    # What it refers to is not there; but that is looked at after the content.
    assert refused(founded(name).clone(), party, draft | {"refers-to": []}) == "content"


POINT = {"latitude": 1, "longitude": 2}
AREAS: dict[str, dict[str, Any]] = {
    "two points": {"polygons": [{"points": [POINT, POINT]}], "circles": []},
    "a latitude beyond the pole": {
        "polygons": [{"points": [POINT, POINT, POINT | {"latitude": 90_000_001}]}],
        "circles": [],
    },
    "a longitude beyond 180 degrees": {
        "polygons": [{"points": [POINT, POINT, POINT | {"longitude": -180_000_001}]}],
        "circles": [],
    },
    "a coordinate that is no integer": {
        "polygons": [{"points": [POINT, POINT, POINT | {"latitude": "1"}]}],
        "circles": [],
    },
    "no radius": {"polygons": [], "circles": [{"centre": POINT, "unit": "km"}]},
    "a radius of nothing": {"polygons": [], "circles": [{"centre": POINT, "radius": 0, "unit": "km"}]},
    "a radius without unit": {"polygons": [], "circles": [{"centre": POINT, "radius": 5}]},
    "a radius in another unit": {"polygons": [], "circles": [{"centre": POINT, "radius": 5, "unit": "mile"}]},
    "a circle without centre": {"polygons": [], "circles": [{"radius": 5, "unit": "km"}]},
    "one list only": {"polygons": []},
}


@pytest.mark.parametrize("what", AREAS)
def test_an_area_that_nobody_could_draw_is_refused(what: str) -> None:
    party, draft = edited(LAUNCH, "01-usa-icbm-launch", impact_areas=AREAS[what])
    assert refused(founded(LAUNCH).clone(), party, draft) == "content"


@pytest.mark.parametrize("unit", ["km", "nautical-mile"])
def test_the_smallest_and_the_outermost_area_can_be_notified(unit: str) -> None:
    pole = {"latitude": -90_000_000, "longitude": 180_000_000}
    areas = {"polygons": [{"points": [pole, POINT, POINT]}], "circles": [{"centre": pole, "radius": 1, "unit": unit}]}
    party, draft = edited(LAUNCH, "01-usa-icbm-launch", impact_areas=areas)
    assert enter(founded(LAUNCH).clone(), party, draft).admissible


@pytest.mark.parametrize(
    ("name", "stem", "code"),
    [
        (ICT, "02-rus-short-message", "alerts/unknown-code"),
        (LAUNCH, "06-usa-short-message", "alerts/unknown-code"),
        (UNUSUAL, "08-blr-short-message", "alerts/unknown-code"),
    ],
)
def test_a_code_word_that_is_not_in_the_book_is_refused(name: str, stem: str, code: str) -> None:
    party, draft = edited(name, stem, number=77)
    assert refused(founded(name).clone(), party, draft | {"refers-to": []}) == code


@pytest.mark.parametrize("stem", ["04-rus-urgent-alert", "05-rus-inquiry", "13-usa-goodwill"])
def test_one_officer_alone_sends_no_words_of_their_own(stem: str) -> None:
    world, (party, draft) = founded(ICT).clone(), edited(ICT, stem)
    with pytest.raises(Refusal) as caught:
        send_alone(world.centres[party], parse_draft(draft | {"author": "duty", "refers-to": []}))
    assert caught.value.code == "release"
