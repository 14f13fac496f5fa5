# SPDX-License-Identifier: Apache-2.0
"""What the two documents describe of the dialogue itself, on the replay of both."""

from __future__ import annotations

from functools import cache
from typing import Any

from servanda.operations.desk import dispatch
from servanda.operations.pages import as_text
from servanda.operations.reading import Reading
from servanda.operations.reviewtext import review_blocks
from tests.rig.world import World
from tests.seeds.test_agreements import pack
from tests.worked_example.replayed import replayed


@cache
def review(contact: str = "june-meeting") -> dict[str, Any]:
    centre = replayed("us-ru-2013")[0].centres["rus"]
    document: dict[str, Any] = dispatch(centre, {"command": "review", "contact": contact})
    return document


@cache
def reading() -> Reading:
    return Reading(replayed("us-ru-2013")[0].centres["rus"])


def topic(name: str, contact: str = "june-meeting") -> dict[str, Any]:
    (found,) = [row for row in review(contact)["topics"] if row["topic"] == name]
    return found


CHAIN = [
    ("a-los-cabos", "2012", "unnamed-official", None, "usa"),
    ("a-moscow", "2013-04", "unnamed-official", None, "usa"),
    ("obama-syria", "2013-06-17", "on-record", "Barack Obama", "usa"),
    ("a-corner", "2013-09-05/2013-09-06", "unnamed-official", None, "usa"),
    ("a-avenue", "2013-09-05/2013-09-06", "unnamed-official", None, "usa"),
    ("a-indeed", "2013-09-05/2013-09-06", "on-record", "Vladimir Putin", "rus"),
    ("a-instruct", "2013-09-05/2013-09-06", "on-record", "Vladimir Putin", "rus"),
    ("a-london", "2013-09-09", "on-record", "John Kerry", "usa"),
    ("a-call", "2013-09-09", "on-record", "Sergey Lavrov", "rus"),
    ("a-announcement", "2013-09-09", "on-record", "Sergey Lavrov", "rus"),
    ("a-interviews", "2013-09-09", "on-record", "Barack Obama", "usa"),
    ("a-refusal", "2013-09-10", "reporter", None, "rus"),
    ("a-condition", "2013-09-10", "on-record", "Vladimir Putin", "rus"),
    ("a-geneva", "2013-09-12", "press", None, None),
]
"""Step of the replay, the date of what is spoken of, manner of attribution, speaker, whose side speaks."""


def test_A8_the_chain_of_the_september_claim_is_returned_in_order_each_with_who_said_it_and_how_it_is_known() -> None:
    """000: “discussions about securing Syria’s chemical arms going back months”; “though agreement could not be
    reached”; “you exhausted another diplomatic route”.

    From Los Cabos in 2012 to Geneva on Thursday, in order of what is spoken of; each earlier record bears on
    the claim, that of June corroborates it from the other document. An avenue for cooperation is a position,
    and no agreement.
    """
    world, entered = replayed("us-ru-2013")
    documents = [
        dispatch(centre, {"command": "account", "phrase": "securing chemical weapons"})
        for centre in world.centres.values()
    ]
    assert documents[0] == documents[1]
    rows = {row["entry"]: row for row in documents[0]["chain"]}
    order = list(rows)
    claim = entered["claim"]
    for step, on, manner, speaker, party in CHAIN:
        row = rows[entered[step]]
        assert (row["on"], row["manner"], row["speaker"].get("name")) == (on, manner, speaker), step
        assert row["speaker"].get("party") == party, step
        assert claim in row["bears-on"] or any(
            link["account"] == claim and link["relation"] == "corroborates" for link in row["links"]
        ), step
    places = [order.index(entered[step]) for step, *_ in CHAIN]
    assert places == sorted(places)
    assert rows[entered["a-corner"]]["flags"] == ["weekday-contradicts"]
    assert rows[entered["obama-syria"]]["source"] == "review" != rows[claim]["source"]
    assert rows[entered["a-avenue"]]["counts-as"] == "position of usa"
    los_cabos = rows[entered["los-cabos"]]
    assert [row["outcome"] for row in los_cabos["outcomes"]] == ["not-agreed"]
    agreed = [
        row
        for row in rows.values()
        if row["kind"] == "contact"
        and any(o["outcome"] == "agreed" for o in row["outcomes"] if o["topic"] == "securing-chemical-weapons")
    ]
    assert {row["entry"] for row in agreed} == {entered["framework-usa"], entered["framework-rus"]}


def test_A9_every_kind_of_contact_is_on_record_with_its_length_place_and_contradicting_dates() -> None:
    """000: “meeting in a corner for 20-30 minutes last Friday (Sept. 5)”; “a telephone conversation”; “Kerry
    will meet with Lavrov in Geneva on Thursday”.

    Summit, corner, call, press conference, interview and a meeting to come. 5 September 2013 was a Thursday:
    both days are kept, and the contradiction is flagged. Geneva's Thursday agrees with its date, and has no
    flag.
    """
    kinds = {said.content["contact"]: said.content["kind"] for said in reading().of("dialogue.contact")}
    assert kinds["g20-corner"] == "conversation"
    assert kinds["kerry-lavrov-call"] == "telephone"
    assert kinds["london-press-conference"] == "press-conference"
    assert kinds["putin-interview"] == "interview"
    (corner, _) = review("g20-corner")["accounts"]
    assert corner["minutes"] == {"from": 20, "to": 30}
    assert (corner["on"], corner["stated"]["text"]) == ("2013-09-05/2013-09-06", "last Friday (Sept. 5)")
    said = [row for row in topic("securing-chemical-weapons", "g20-corner")["words"] if row["flags"]]
    assert {flag for row in said for flag in row["flags"]} == {"weekday-contradicts"}
    (geneva, *_) = [said for said in reading().of("dialogue.contact") if said.content["contact"] == "geneva"]
    assert (geneva.content["state"], geneva.frame.event_at, geneva.flags) == ("planned", "2013-09-12", ())


def test_B3_the_working_group_lies_within_the_commission() -> None:
    """002: “to set up a working group on ICT (information and communication technologies)… within the Bilateral
    Presidential Commission”.

    Bodies nest, in the parties' languages; the statement that sets the group up is in effect, and what it sets
    up is a commitment of both.
    """
    bodies = {body["id"]: body for body in pack().data["bodies"]}
    assert bodies["ict-working-group"]["within"] == "presidential-commission"
    assert bodies["nrrc-channel"]["within"] == "ict-working-group"
    (text,) = [text for text in review()["texts"] if text["document"] == "building-trust"]
    assert text["state"] == "in effect"
    group = next(row for row in text["sets-up"] if row["clause"] == "working-group")
    assert group["owners"] == ["rus", "usa"]


def test_B4_each_format_of_the_dialogue_has_members_a_cadence_in_words_and_its_next_meeting() -> None:
    """002: “Set up VP-PM format”; “Revive 2+2 format”; “regular dialogue” between National Security Councils;
    “bilateral summit in Moscow”.

    Members and offices, the cadence as it is stated, and the next date where there is one, overdue once it has
    passed: the summit on 3 and 4 September.
    """
    bodies = {body["id"]: body for body in pack().data["bodies"]}
    for name in ("vp-pm", "two-plus-two", "security-councils", "moscow-summit"):
        assert bodies[name]["members"] == ["rus", "usa"]
        assert set(bodies[name]["cadence"]) == {"en", "ru"}
    centre = replayed("us-ru-2013")[0].centres["usa"]
    for day, overdue in (("2013-09-02", False), ("2013-09-05", True)):
        rows = dispatch(centre, {"command": "bodies", "on": day})["bodies"]
        (row,) = [row for row in rows if row["body"] == "moscow-summit"]
        assert (row["next"]["on"], row["overdue"]) == ("2013-09-04", overdue)
    summit = review()["next"][0]
    assert (summit["body"], summit["on"], summit["place"]) == ("moscow-summit", "2013-09-03/2013-09-04", "Moscow")
    assert summit["stated"]["text"] == "09.03.13-09.04.13"


def test_B5_the_program_of_action_is_a_register_of_commitments_each_tied_to_its_clause() -> None:
    """002: “This extensive program of action requires a seal interaction at all levels.”

    Eight commitments of both parties, each with the text and the clause that sets it up; a date only where one
    is stated.
    """
    rows = [row for text in review()["texts"] for row in text["sets-up"]]
    assert len(rows) == 8
    clauses = {clause["id"] for text in review()["texts"] for clause in text["clauses"]}
    assert all(row["owners"] == ["rus", "usa"] and row["clause"] in clauses for row in rows)
    assert {row["commitment"]: row["due"] for row in rows if row["due"]} == {"moscow-summit": "2013-09-04"}
    centre = replayed("us-ru-2013")[0].centres["usa"]
    register = dispatch(centre, {"command": "commitments", "on": "2013-09-05"})["commitments"]
    assert {row["commitment"] for row in register} == {row["commitment"] for row in rows}
    assert [row["commitment"] for row in register if row["overdue"]] == ["moscow-summit"]


def test_B7_cooperation_against_terrorism_is_requests_and_responses_with_nothing_operational() -> None:
    """002: “Deepen cooperation between CT agencies and conduct joint operations.”; “Mentions GICNT.”

    A request is an inquiry, a response its answer, with one of four outcomes; neither format has a place for
    anything but a text. The pledge itself is a commitment, and GICNT a topic that was noted.
    """
    between = World(pack(), status="exercise")
    asked = between.say(
        "usa", "ct-request", {"text": "Please confirm receipt.", "topics": ["counter-terrorism"]}, to=["rus"]
    )
    between.sync()
    answer = {"outcome": "more-time", "text": "Within a week."}
    replied = between.say("rus", "ct-response", answer, to=["usa"], refers_to=[asked.place])
    between.sync()
    for centre in between.centres.values():
        assert centre.record.entry(replied.place).admissible
        (case,) = dispatch(centre, {"command": "requests", "on": "2013-07-01"})["requests"]
        assert case["entry"] == str(asked.place)
        assert case["responses"]["rus"][0]["outcome"] == "more-time"
    fields = {form["id"]: set(form["fields"]["properties"]) for form in pack().data["formats"]}
    assert fields["ct-request"] == {"text", "topics", "answer-by", "body", "source", "note"}
    assert fields["ct-response"] == {"outcome", "text", "source", "note"}
    assert topic("gicnt")["same"] == "noted"
    assert topic("joint-operations")["same"] == "agreed"


def test_B8_what_was_not_agreed_is_open_and_says_so_with_each_side_s_words() -> None:
    """002: “No BMD/arms control deal”; “for legally-binding” guarantees; “nuclear reductions”.

    Both report missile defence as not agreed; the issues stay open by name, and what had been said before
    stands beside.
    """
    found = topic("bmd")
    assert found["same"] == topic("arms-control")["same"] == "not-agreed"
    assert {issue["issue"] for issue in found["issues"]} == {"bmd-deal", "legally-binding-guarantees"}
    assert {said["words"] for said in found["said-before"]} == {"cosmetic change", "for legally-binding"}


def test_B9_for_each_topic_both_sides_words_stand_side_by_side_with_common_ground_and_reservation() -> None:
    """002: “agree to disagree, but both want Geneva-2”; Iran; DPRK.

    Syria is not agreed and Geneva-2 is; on Iran each side has its own words; of the DPRK only one side is
    known, and the register says so.
    """
    assert (topic("syria")["same"], topic("geneva-2")["same"]) == ("not-agreed", "agreed")
    kinds = {(row["party"], row["kind"]) for row in topic("syria")["positions"]}
    assert kinds == {("usa", "reservation"), ("rus", "reservation")}
    assert [row["words"] for row in topic("iran")["positions"]] == [
        "cautious optimism",
        "With election in Iran we hope there are new opportunities.",
    ]
    assert list(topic("dprk")["outcomes"]) == ["rus"]
    assert "dprk" in review()["bottom-line"]["one-side-only"]


def test_B10_the_statement_of_june_corroborates_the_claim_of_september_from_another_document() -> None:
    """002: “securing chemical weapons and ensuring that they're neither used nor are they subject to
    proliferation”.

    It is on record in June, with its source; in September a link says that it corroborates the claim of the
    other document.
    """
    june = next(
        said for said in topic("securing-chemical-weapons")["words"] if said["speaker"]["name"] == "Barack Obama"
    )
    assert "securing chemical weapons" in june["words"]
    links = {(link.content["from"], link.content["relation"]): link for link in reading().of("dialogue.link")}
    link = links[june["entry"], "corroborates"]
    claim = next(said for said in reading().of("dialogue.statement") if str(said.place) == link.content["to"])
    assert "going back months" in claim.content["words"]
    sources = {str(said.place): said.content["source"] for said in reading().of("dialogue.statement")}
    assert (sources[june["entry"]], sources[str(claim.place)]) == ("review", "back-channel")


def test_B11_the_review_has_bottom_line_texts_topics_quotations_expected_and_not_and_sources() -> None:
    """002: the review itself: “Bottom-line”, per statement, per topic, with quotations; “Expected”,
    “Unexpected”; “Sources”.

    One document for both centres, made from the record; as a page in either language of the pack. The wrong
    month of the sources is kept as stated, and flagged.
    """
    other = dispatch(replayed("us-ru-2013")[0].centres["usa"], {"command": "review", "contact": "june-meeting"})
    assert other == review()
    heads = [block.cells[0] for block in review_blocks(review()) if block.kind == "heading" and block.level == 2]
    assert heads == [
        "Bottom line",
        "Texts, and what each sets up",
        "By topic",
        "Expected: on record before",
        "Not on record before",
        "What follows, and when",
        "Sources",
    ]
    flagged = {
        row["source"]: row["stated"]["text"] for row in review()["sources"] if "stated-otherwise" in row["flags"]
    }
    assert flagged == {"bloomberg": "09.17.13", "reuters": "09.17.13", "bbc": "09.17.13", "new-york-times": "09.18.13"}
    assert "Итог" in as_text(review_blocks(review(), "ru"))
