# SPDX-License-Identifier: Apache-2.0
"""Common Alerting Protocol 1.2 as OASIS publishes it: what comes out fits its schema, what others write comes in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cap_tools.models import Alert
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.serializers import XmlSerializer

from servanda.interchange.cap import cap_out
from servanda.interchange.capdraft import Wish, cap_draft
from servanda.interchange.capfile import read_cap
from servanda.operations.drafting import parse_draft, write_draft
from tests.rig.packs import channel
from tests.rig.world import World

DATA = Path(__file__).parent / "data" / "cap"
EXAMPLES = sorted(DATA.glob("*.xml"))
WISH = Wish(party="ash", author="desk", form="ask", alert_class="urgent", to=("birch",))


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(DATA / "CAP-v1.2.xsd"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_a_message_of_the_shape_of_the_standards_examples_becomes_a_draft(file: Path, schema: etree.XMLSchema) -> None:
    schema.assertValid(etree.parse(file))
    world = World(channel())
    ash = world.centres["ash"]
    before = ash.journal.size
    alert = read_cap(file.read_bytes())
    draft = cap_draft(ash.alerts, world.pack, alert, WISH)
    identifier = write_draft(ash, parse_draft(draft))
    assert ash.store.draft(identifier) is not None
    assert ash.journal.size == before
    assert draft["subject"] == alert.infos[0].headline
    for info in alert.infos:
        for said in (info.description, info.instruction, info.event, info.severity, info.certainty):
            assert said in draft["content"]["text"]
    for name, value in ((n, v) for info in alert.infos for n, v in info.details):
        assert f"{name}: {value}" in draft["content"]["text"]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_what_another_program_writes_comes_in_as_it_was_meant(file: Path) -> None:
    theirs = XmlParser().from_bytes(file.read_bytes(), Alert)
    written = XmlSerializer().render(theirs, ns_map={None: "urn:oasis:names:tc:emergency:cap:1.2"}).encode()
    assert written != file.read_bytes()
    assert read_cap(written) == read_cap(file.read_bytes())


def test_another_program_reads_what_comes_out() -> None:
    world = World(channel())
    ash = world.centres["ash"]
    entry = world.alone("ash", "warn", {"class": "urgent", "text": "x"}, to=["birch"], precedence="flash")
    told = XmlParser().from_bytes(cap_out(ash.alerts, entry), Alert)
    assert (told.status.value, told.msg_type.value) == ("Actual", "Alert")
    assert told.addresses is not None
    assert "birch" in told.addresses


def test_an_update_that_refers_to_what_is_not_held_is_information(schema: etree.XMLSchema) -> None:
    ash = World(channel()).centres["ash"]
    draft = cap_draft(ash.alerts, ash.pack, read_cap((DATA / "update.xml").read_bytes()), WISH)
    assert draft["refers-to"] == []
    stated = "duty@centre.example,exercise-0,2013-06-17T20:30:00-07:00"
    assert f"It refers to messages that are not held here, as stated: {stated}" in draft["content"]["text"]


@pytest.mark.parametrize("status", ["actual", "exercise", "test"])
def test_every_kind_of_entry_that_cap_knows_comes_out_as_the_schema_wants_it(
    status: str, schema: etree.XMLSchema
) -> None:
    world = World(channel(), status=status)
    said: dict[str, Any] = {"to": ["birch"], "precedence": "flash"}
    hostile = 'Boats & <oars>\n"loose" \x0b\u202e]]> end'
    question = world.alone("ash", "warn", {"class": "urgent", "text": hostile}, subject=hostile[:40], **said)
    world.sync()
    accepted = {"disposition": "accepted", "reason": "on it"}
    taken = world.alone("birch", "acknowledge", accepted, refers_to=[question.place], to=["ash"])
    rejected = {"disposition": "rejected", "reason": "wrong lake"}
    refused = world.alone("birch", "acknowledge", rejected, refers_to=[question.place], to=["ash"])
    answer = world.say("birch", "tell", {"text": "None of ours"}, refers_to=[question.place], to=["ash"])
    world.sync()
    judged = {"assessment": "insufficient", "reason": "whose then?"}
    further = [
        world.say("ash", "assess", judged, refers_to=[answer.place], to=["birch"]),
        world.say("ash", "meet", {"on": "2026-02-01"}, refers_to=[question.place], to=["birch"]),
        world.say("ash", "ask", {"class": "urgent", "text": "Whose?"}, refers_to=[question.place], **said),
        world.say(
            "ash",
            "correct",
            {"content": {"class": "urgent", "text": "Two"}, "reason": "count"},
            refers_to=[question.place],
            to=["birch"],
        ),
    ]
    coded = world.alone("ash", "code", {"word": "LAKE", "number": 7}, **said)
    closed = world.say("ash", "close", {"reason": "found"}, refers_to=[question.place])
    register = world.centres["ash"].alerts
    world.sync()
    kinds = {}
    for entry in (question, taken, refused, answer, *further, coded, closed):
        file = cap_out(register, entry)
        tree = etree.fromstring(file)
        schema.assertValid(tree)
        read = read_cap(file)
        kinds[entry.place] = read.kind
        assert read.status == status
        assert read.scope in ("Private", "Restricted")
        if status != "actual":
            word = status.upper()
            assert word in read.note
            for info in read.infos:
                assert all(
                    text.startswith(f"{word}: ") for text in (info.event, info.headline, info.description) if text
                )
            assert tree.findtext("{*}code") == word
    assert [kinds[entry.place] for entry in (question, taken, refused, answer, coded, closed)] == [
        *("Alert", "Ack", "Error", "Update", "Alert", "Cancel"),
    ]
    assert {kinds[entry.place] for entry in further} == {"Update"}


LINE = World(channel())


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    subject=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100),
    status=st.sampled_from(["actual", "exercise", "test"]),
    event_at=st.sampled_from(["2014", "2014-02-30", "0033-04-03T13:00:00Z", "2014-01-01T24:00:00Z", "2014-01/.."]),
)
def test_whatever_an_entry_says_comes_out_as_the_schema_wants_it_and_comes_in_again(
    schema: etree.XMLSchema, text: str, subject: str, status: str, event_at: str
) -> None:
    world = LINE.clone()
    said = {"status": status, "to": ["birch"], "precedence": "flash", "subject": subject, "event_at": event_at}
    entry = world.alone("ash", "warn", {"class": "urgent", "text": text}, **said)
    file = cap_out(world.centres["ash"].alerts, entry)
    schema.assertValid(etree.fromstring(file))
    assert read_cap(file).status == status
