# SPDX-License-Identifier: Apache-2.0
"""The dialogue of 2013: its data, held against the two source files where they are at hand, and the review of it."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from servanda.cli.reviews import page_of
from servanda.operations.brieftext import brief_blocks
from servanda.operations.desk import dispatch
from servanda.operations.errors import Refusal
from servanda.operations.pages import as_html, as_markdown, as_text
from servanda.operations.replay import draft_of
from servanda.operations.reviewtext import review_blocks
from servanda.proof.canonical import encode
from tests.worked_example.replayed import replayed

ROOT = Path(__file__).resolve().parents[2]
STEPS: list[dict[str, Any]] = tomllib.loads((ROOT / "examples/us-ru-2013/replay.toml").read_text())["step"]
FORMATS = {step["format"] for step in STEPS}
HASHES = {
    step["content"]["source"]: step["content"]["file"]["sha256"]
    for step in STEPS
    if step["format"] == "source" and "file" in step["content"]
}
SOURCES = os.environ.get("SERVANDA_SOURCES")


def plain(text: str) -> str:
    return " ".join(text.split())


@cache
def files() -> dict[str, str]:
    """Source to text, for the files of the folder that have the hashes on record."""
    folder = Path(SOURCES) if SOURCES else Path()
    found = {hashlib.sha256(path.read_bytes()).hexdigest(): path.read_text() for path in folder.glob("*.txt")}
    return {source: plain(found[digest]) for source, digest in HASHES.items() if digest in found}


def quoted() -> Iterator[tuple[str, str, str]]:
    """Step, source and words of everything that is taken from a source to the letter."""
    for step in STEPS:
        content = step.get("content", {})
        for words in [content.get("words")] if content.get("words") else []:
            yield step["id"], content["source"], words
        for text in content.get("texts", []):
            for clause in text["clauses"]:
                if not clause["text"].startswith("[Summary]"):
                    yield step["id"], content["source"], clause["text"].removeprefix("[As reported] ")
        if "as-stated" in step:
            yield step["id"], content["source"], step["as-stated"]["text"]


@cache
def review() -> dict[str, Any]:
    document: dict[str, Any] = ask("usa", "review", contact="june-meeting")
    return document


def ask(party: str, command: str, **arguments: Any) -> Any:
    return dispatch(replayed("us-ru-2013")[0].centres[party], {"command": command, **arguments})


def page(language: str = "en") -> str:
    return plain(as_text(review_blocks(review(), language)).replace("  | ", " "))


@pytest.mark.skipif(not SOURCES, reason="the two source files are not part of this repository; see the example's page")
def test_every_quotation_stands_in_its_source_to_the_letter() -> None:
    assert set(files()) == {"review", "back-channel"}
    assert [where for where in quoted() if plain(where[2]) not in files()[where[1]]] == []


@pytest.mark.skipif(not SOURCES, reason="the two source files are not part of this repository; see the example's page")
def test_with_the_files_attached_the_register_itself_finds_every_quotation_and_refuses_one_that_is_not_there() -> None:
    world, entered = replayed("us-ru-2013", sources=Path(str(SOURCES)))
    chain = dispatch(world.centres["usa"], {"command": "account", "phrase": "securing chemical weapons"})["chain"]
    assert {row["in-source"] for row in chain if row["kind"] == "statement" and row["quoted"]} == {True}
    step = next(step for step in STEPS if step["id"] == "a-geneva")
    forged = {**step, "content": {**step["content"], "quoted": True, "words": "Obama agreed to the plan."}}
    centre = world.centres["usa"]
    identifier = dispatch(centre, {"command": "draft", "draft": draft_of(forged, entered, "desk")})
    dispatch(centre, {"command": "submit", "identifier": identifier})
    with pytest.raises(Refusal, match="Obama agreed") as caught:
        dispatch(centre, {"command": "release", "identifier": identifier, "officer": "chief"})
    assert caught.value.code == "dialogue/not-in-source"


def test_whatever_is_said_names_a_source_that_is_on_record() -> None:
    known = {step["content"]["source"] for step in STEPS if step["format"] == "source"}
    said = [step for step in STEPS if step["format"] not in ("accept", "translation")]
    assert [step["id"] for step in said if step["content"]["source"] not in known] == []
    assert len(list(quoted())) > 100


def test_no_entry_of_the_replay_is_inadmissible_and_every_one_is_an_exercise() -> None:
    world, _ = replayed("us-ru-2013")
    for centre in world.centres.values():
        assert [entry.reason for entry in centre.record.log if not entry.admissible] == []
        assert {e.frame.status for e in centre.record.log if e.frame and e.frame.format in FORMATS} == {"exercise"}


def test_both_centres_make_the_same_review_to_the_byte() -> None:
    assert encode(review()) == encode(ask("rus", "review", contact="june-meeting"))


def test_the_bottom_line_follows_from_the_record() -> None:
    line = review()["bottom-line"]
    assert line["not-agreed"] == ["arms-control", "bmd", "syria"]
    assert {"vp-pm", "two-plus-two", "security-councils", "ict-security", "geneva-2"} <= set(line["agreed"])
    assert line["one-side-only"] == ["dprk", "securing-chemical-weapons"]
    assert line["texts"] == ["expansion-of-cooperation", "building-trust", "combating-terrorism", "threat-reduction"]


def test_what_was_expected_and_what_was_not_is_read_from_what_was_on_record_before() -> None:
    assert {"two-plus-two", "ict-security", "counter-terrorism", "bmd", "threat-reduction"} <= set(review()["expected"])
    assert {"security-councils", "vp-pm", "moscow-summit"} <= set(review()["not-on-record-before"])


SUBSTANCE = [
    "No BMD/arms control deal, but hope remains it might be resolved at the September summit",
    "We have reached an understanding on a positive agenda in relations between our countries",
    "no explicit tasking of Ryabkov and Gottemoeller",
    "cosmetic change",
    "for legally-binding",
    "to discuss the whole spectrum of the bilateral and international issues in greater detail",
    "2013-09-03/2013-09-04",
    "09.03.13-09.04.13",
    "2013-09-05/2013-09-06",
    "Maybe executive agreements on BMD cooperation and nuclear reductions?",
    "Set up VP-PM format for economic cooperation.",
    "have been calling for this since 2008",
    "Revive 2+2 format (meetings of defense and foreign policy chiefs).",
    "R. Gates came up with some creative ideas",
    "Establish “regular dialogue” between National Security Councils.",
    "Unexpected and important for both CT and arms control.",
    "We have decided to set up a working group on ICT",
    "exchange information through the existing direct communication channel",
    "facilitate exchange of urgent alerts to avoid misunderstand and conflict escalation",
    "We recognize that ICT threats",
    "Expected, but lacks substance, except for pledge for joint operations.",
    "Deepen cooperation between CT agencies and conduct joint operations.",
    "Mentions GICNT.",
    "Seriously concerned about use of modern information and communication technologies by terrorists",
    "expired on 06.16.13",
    "Modified in response to the Russians’ objections",
    "no end date is stated",
    "moves us out of a cold war mind-set",
    "gave the United States too large a role in Russia’s affairs",
    "cautious optimism",
    "With election in Iran we hope there are new opportunities.",
    "Agreed to agree",
    "We have agreed to activate the efforts.",
    "With respect to Syria, we do have differing perspectives on the problem",
    "securing chemical weapons and ensuring that they're neither used nor are they subject to proliferation",
    "Our positions do not fully coincide, but we are united by the common intention to end the violence",
    "including the Geneva talks",
    "eat the organs",
    "both want Geneva-2",
    "Bloomberg (cited by review) 2013-06-17 09.17.13 the date as stated is another one",
    "Reuters (cited by review) 2013-06-17 09.17.13 the date as stated is another one",
    "BBC (cited by review) 2013-06-17 09.17.13 the date as stated is another one",
    "New York Times (cited by review) 2013-06-18 09.18.13 the date as stated is another one",
]


@pytest.mark.parametrize("words", SUBSTANCE)
def test_nothing_of_substance_in_the_document_is_missing_from_the_review(words: str) -> None:
    assert words in page()


def test_the_review_is_written_in_the_pack_s_other_language_too() -> None:
    assert "Итог" in page("ru")
    assert "Мы решили создать рабочую группу по ИКТ" in page("ru")
    assert "Формат «2+2»" in page("ru")


def test_a_language_that_the_pack_does_not_have_is_given_english() -> None:
    assert page("fr") == page("en")


def test_markup_in_somebody_s_words_does_nothing_in_markdown_or_html() -> None:
    document = {
        **review(),
        "comments": [{**review()["comments"][0], "entry": "usa/999", "words": "<b>*x*</b> | [a](b)"}],
    }
    blocks = review_blocks(document)
    assert r"\<b\>\*x\*\</b\> \| \[a\](b)" in as_markdown(blocks)
    assert "&lt;b&gt;*x*&lt;/b&gt;" in as_html(blocks, "x", "en")
    assert "<script" not in as_html(blocks, "x", "en")


@pytest.mark.parametrize("contact", ["no-such", "moscow-summit"])
def test_only_what_is_reported_as_held_has_a_review(contact: str) -> None:
    with pytest.raises(Refusal, match=contact) as caught:
        ask("usa", "review", contact=contact)
    assert caught.value.code == "unknown-contact"


def test_an_avenue_for_cooperation_is_a_position_and_nowhere_an_agreement() -> None:
    avenue = [step for step in STEPS if re.search("avenue", str(step.get("content")))]
    assert {step["format"] for step in avenue} == {"account", "contact", "position"}
    for step in avenue:
        outcomes = step["content"].get("outcomes", [])
        assert all(row["outcome"] == "noted" for row in outcomes if "avenue" in row.get("text", ""))
    texts = [step for step in STEPS if step["format"] == "joint-text"]
    assert not [step for step in texts if "securing-chemical-weapons" in step["content"]["topics"]]


@pytest.mark.parametrize(("language", "words"), [("en", "Bottom line"), ("ru", "Источники")])
def test_as_a_pdf_it_has_the_same_words_and_the_same_bytes_each_time(language: str, words: str) -> None:
    made = page_of(review_blocks(review(), language), "exercise", language, "pdf")
    assert made == page_of(review_blocks(review(), language), "exercise", language, "pdf")
    text = "\n".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(made))
    assert words in text
    assert "EXERCISE" in text
    assert "We have agreed to activate the efforts." in plain(text)


def file_for_september(party: str, on: str = "2013-09-02") -> dict[str, Any]:
    """As it was when the record ended with June."""
    centre = replayed("us-ru-2013", "r-syria")[0].centres[party]
    document: dict[str, Any] = dispatch(centre, {"command": "brief", "body": "moscow-summit", "on": on})
    return document


def test_the_file_for_september_says_where_each_topic_stands_what_was_promised_and_what_is_due() -> None:
    document = file_for_september("usa")
    assert encode(document) == encode(file_for_september("rus"))
    assert document["body"]["next"] == {"basis": "moscow-summit", "on": "2013-09-04"}
    topics = {row["topic"]: row for row in document["topics"]}
    assert {"bmd", "iran", "dprk", "syria", "geneva-2", "securing-chemical-weapons", "vp-pm"} <= set(topics)
    assert {issue["issue"] for issue in topics["bmd"]["not-agreed"]} == {"bmd-deal", "legally-binding-guarantees"}
    assert set(topics["iran"]["positions"]["common-ground"]) == {"rus", "usa"}
    assert [row["due"] for row in document["commitments"] if row["due"]] == ["2013-09-04"]
    assert {row["document"]: row["state"] for row in document["documents"]} == {
        "building-trust": "in-force",
        "combating-terrorism": "in-force",
        "expansion-of-cooperation": "in-force",
        "threat-reduction": "in-force",
    }
    assert {row["id"]: row["status"] for row in document["obligations"]}["SUMMIT"] == "due"


def test_once_the_summit_s_days_have_passed_the_file_says_so() -> None:
    document = file_for_september("usa", "2013-09-06")
    assert document["body"]["overdue"]
    assert [row["commitment"] for row in document["commitments"] if row["overdue"]] == ["moscow-summit"]


def test_the_file_is_a_page_in_either_language() -> None:
    for language, words in (("en", "No deal on ballistic missile defence."), ("ru", "Состояние по каждой теме")):
        assert words in plain(as_text(brief_blocks(file_for_september("usa"), language)))


def test_a_body_that_the_pack_does_not_have_and_a_day_that_is_none_are_refused() -> None:
    for arguments, code in (({"body": "g8"}, "unknown-body"), ({"body": "vp-pm", "on": "soon"}, "usage")):
        with pytest.raises(Refusal) as caught:
            ask("usa", "brief", **arguments)
        assert caught.value.code == code
