# SPDX-License-Identifier: Apache-2.0
"""What the two documents describe of agreements: proposals, acceptance, conditions, consequences, expiry."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from servanda.agreement.pack import Pack
from servanda.assembly import read_pack
from servanda.journal.state import Entry
from servanda.operations.desk import dispatch
from servanda.operations.reading import Reading
from tests.rig.world import World
from tests.worked_example.replayed import replayed

ROOT = Path(__file__).resolve().parents[2]
CUSTODY = "[…] turn over its chemical weapons to international custody, for subsequent destruction"
CONDITION = "only if the US and those who support it on this issue pledge to renounce the use of force"


@cache
def pack() -> Pack:
    return read_pack(ROOT / "agreements" / "us-ru-2013")


def world() -> World:
    return World(pack(), status="exercise")


def proposal(text: str, document: str = "proposal") -> dict[str, Any]:
    clauses = [{"id": "1", "text": text}]
    return {
        "document": document,
        "kind": "agreement",
        "title": [{"language": "en", "text": "Potential proposal (exercise)"}],
        "authentic": ["en"],
        "texts": [{"language": "en", "status": "authentic", "clauses": clauses}],
        "amends": [],
        "topics": ["securing-chemical-weapons"],
    }


def states(between: World, offer: Entry) -> set[str]:
    """The state of an offer at each centre."""
    return {Reading(centre).offer_state(offer.place) for centre in between.centres.values()}


def accept(between: World, party: str, offer: Entry, condition: dict[str, str] | None = None) -> Entry:
    content = {"extent": "full", "received": [], "condition": condition}
    entry = between.say(party, "accept", content, refers_to=[offer.place])
    between.sync()
    return entry


def test_A4_a_text_has_effect_when_every_party_that_it_names_has_accepted_and_not_before() -> None:
    """000: “to sign the chemical weapons ban”; “reaching an international agreement to remove chemical
    weapons”.

    The pack itself is in force when the last party has adopted its digest; a text, when everybody whom it names
    has accepted it. Until then each centre shows it as offered.
    """
    between = World(pack(), adopted=False, status="exercise")
    between.sync()
    for party in ("usa", "rus"):
        assert {c.record.in_force(c.record.whole) for c in between.centres.values()} == {None}
        between.say(party, "adopt", {"pack": pack().digest})
        between.sync()
    assert {c.record.in_force(c.record.whole) for c in between.centres.values()} == {pack().digest}
    offer = between.say("rus", "joint-text", proposal(CUSTODY), named=["usa"], to=["usa"])
    between.sync()
    assert states(between, offer) == {"offered"}
    accept(between, "usa", offer)
    assert states(between, offer) == {"in effect"}


def test_A5_those_who_were_instructed_have_tasks_and_proposals_that_cross_leave_neither_in_force() -> None:
    """000: “to instruct Secretary of State [John Kerry] and Foreign Minister [Sergey Lavrov] to get in touch”;
    “should follow up on the concept to shape a potential proposal”.

    Four tasks from the corner meeting: by whom, to whom, and what each side said became of it. A
    counter-proposal takes the place of a proposal; two that cross on the line are both void.
    """
    world_, _ = replayed("us-ru-2013")
    document = dispatch(world_.centres["rus"], {"command": "review", "contact": "g20-corner"})
    tasks = {task["task"]: task for task in document["tasks"]}
    assert set(tasks) == {"instruct-kerry", "instruct-lavrov", "shape-proposal", "relay-to-lavrov"}
    instructed = tasks["instruct-kerry"]
    assert (instructed["by"]["name"], [who["name"] for who in instructed["to"]]) == ("Barack Obama", ["John Kerry"])
    assert [who["name"] for who in tasks["shape-proposal"]["to"]] == ["John Kerry", "Sergey Lavrov"]
    assert tasks["shape-proposal"]["progress"]["usa"]["state"] == "open"
    register = dispatch(world_.centres["rus"], {"command": "tasks", "on": "2013-09-10"})["tasks"]
    assert {row["task"]: row["state"] for row in register} == {
        "instruct-kerry": "done",
        "instruct-lavrov": "done",
        "relay-to-lavrov": "open",
        "shape-proposal": "open",
    }

    between = world()
    first = between.say("usa", "joint-text", proposal("First"), named=["rus"], to=["rus"])
    between.sync()
    thread = {"thread": str(first.place), "refers_to": [first.place]}
    one = between.say("usa", "joint-text", proposal("One"), named=["rus"], to=["rus"], **thread)
    other = between.say("rus", "joint-text", proposal("Other"), named=["usa"], to=["usa"], **thread)
    between.sync()
    assert states(between, one) == states(between, other) == {"crossed"}


def test_A6_an_acceptance_on_a_condition_has_no_effect_until_the_condition_is_confirmed() -> None:
    """000: “only if the US and those who support it on this issue pledge to renounce the use of force”.

    The condition names who confirms it. Until that party has, the text is accepted and not in effect, at every
    centre; if the condition fails, it stays without effect.
    """
    for outcome, state in (("confirmed", "in effect"), ("failed", "accepted")):
        between = world()
        offer = between.say("usa", "joint-text", proposal(CUSTODY), named=["rus"], to=["rus"])
        between.sync()
        accepted = accept(between, "rus", offer, {"confirmer": "usa", "text": CONDITION})
        assert states(between, offer) == {"accepted"}
        between.say("usa", "condition", {"outcome": outcome}, refers_to=[accepted.place])
        between.sync()
        assert states(between, offer) == {state}


def test_A7_a_consequence_is_recorded_with_who_supports_and_who_refuses_and_nothing_follows_from_it() -> None:
    """000: “a binding, Chapter 7, issue”; “referring Syria to the International Criminal Court”; “did not
    support a draft UN Security Council resolution”.

    Who supports it and who refuses, each in an entry of its own. No obligation of the record becomes breached,
    or missed, by it: the register has no such word for conduct.
    """
    world_, _ = replayed("us-ru-2013")
    reading = Reading(world_.centres["usa"])
    assert {said.content["consequence"] for said in reading.of("dialogue.consequence")} == {"chapter-7", "icc-referral"}
    for measure in ("chapter-7", "icc-referral"):
        stances = {
            said.content["who"]: (said.place.party, said.content["stance"])
            for said in reading.of("dialogue.stance")
            if said.content["consequence"] == measure
        }
        assert stances == {
            "France": ("usa", "supports"),
            "United Kingdom": ("usa", "supports"),
            "United States": ("usa", "supports"),
            "Russia": ("rus", "refuses"),
        }
    document = dispatch(world_.centres["usa"], {"command": "obligations", "at": "2013-09-10"})
    assert {row["status"] for row in document["obligations"]} <= {"not-stated", "continuing"}
    assert "breach" not in str(document)


def threat_reduction(between: World, at: str) -> dict[str, Any]:
    """The document as it stands at an instant: the same at both centres."""
    asked = {"command": "agreement-status", "document": "threat-reduction", "at": at}
    one, other = (dispatch(centre, asked)["documents"][0] for centre in between.centres.values())
    assert one == other
    found: dict[str, Any] = one
    return found


def test_B6_the_agreement_that_expired_is_modified_and_extended_and_keeps_its_history() -> None:
    """002: “Nunn-Lugar modified and extended”; “expired on 06.16.13”.

    The text of 17 June names the one that it amends by its digest; the date on which that one ended stays
    beside it, as stated. The new end is not stated, and none is put in its place. The objection that led to the
    change is on record.
    """
    before, _ = replayed("us-ru-2013", "ctr-accept")
    for day, state, warned in (("05-10", "in-force", False), ("06-10", "in-force", True), ("06-17", "expired", False)):
        row = threat_reduction(before, f"2013-{day}T00:00:00Z")
        assert (row["state"], row["warning"]) == (state, warned), day
    world_, _ = replayed("us-ru-2013")
    assert threat_reduction(world_, "2013-06-17T00:00:00Z")["state"] == "in-force"
    document = dispatch(world_.centres["usa"], {"command": "review", "contact": "june-meeting"})
    (text,) = [text for text in document["texts"] if text["document"] == "threat-reduction"]
    assert text["state"] == "in effect"
    (earlier,) = text["earlier"]
    assert (earlier["until"], text["until"]) == ("2013-06-16", None)
    assert "06.16.13" in earlier["stated"]["text"]
    assert [(said["party"], said["kind"]) for said in text["declarations"]] == [("rus", "objection")]
