# SPDX-License-Identifier: Apache-2.0
"""CAP files of others: what cannot be taken is refused with a code; what can becomes a draft and never an entry."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servanda.interchange.cap import cap_out
from servanda.interchange.capdraft import Wish, cap_draft
from servanda.interchange.capfile import read_cap
from servanda.interchange.errors import InterchangeError
from servanda.interchange.xmlfile import XML_BYTES_MAX
from servanda.operations.desk import dispatch
from servanda.operations.drafting import parse_draft, release_draft, send_alone, submit_draft
from servanda.operations.errors import Refusal
from tests.rig.packs import channel
from tests.rig.world import World
from tests.unit.interchange.files import cap_file, cap_info

URGENT = {"class": "urgent", "text": "Boats adrift"}
LAUGHS = (
    b"""<!DOCTYPE alert [<!ENTITY a "ha">%s]><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">&z;</alert>"""
    % b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(25))
)
BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "cap"),
    "no XML": (b"Boats adrift", "cap"),
    "a billion laughs": (LAUGHS, "cap"),
    "an external entity": (
        b'<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + cap_file(note="&x;"),
        "cap",
    ),
    "an external document type": (b'<!DOCTYPE alert SYSTEM "http://127.0.0.1/x.dtd"><alert/>', "cap"),
    "an unknown entity": (cap_file(note="&boats;"), "cap"),
    "too large": (cap_file(note="a" * XML_BYTES_MAX), "over-size"),
    "deep nesting": (b"<alert>" * 20_000, "cap"),
    "too many elements": (cap_file("<info/>" * 20_000), "cap"),
    "an unknown encoding": (b'<?xml version="1.0" encoding="klingon"?><alert/>', "cap"),
    "a wrong encoding": (b'<?xml version="1.0" encoding="utf-32"?><alert/>', "cap"),
    "no namespace": (b"<alert/>", "cap"),
    "another namespace": (cap_file().replace(b"cap:1.2", b"cap:1.3"), "cap"),
    "CAP 1.1": (cap_file().replace(b"cap:1.2", b"cap:1.1"), "cap-version"),
    "CAP 1.0": (b'<alert xmlns="http://www.incident.com/cap/1.0"/>', "cap-version"),
    "another element": (cap_file().replace(b"alert", b"alarm"), "cap"),
    "an unknown element": (cap_file(colour="red"), "cap"),
    "an element of nobody": (cap_file('<x xmlns="urn:x"/>'), "cap"),
    "no sender": (cap_file(sender=""), "cap"),
    "a sender with a space": (cap_file(sender="a b"), "cap"),
    "an identifier with a comma": (cap_file(identifier="a,b"), "cap"),
    "a member twice": (cap_file("<sender>c</sender>"), "cap"),
    "status System": (cap_file(status="System"), "cap-status"),
    "status Draft": (cap_file(status="Draft"), "cap-status"),
    "an unknown status": (cap_file(status="Real"), "cap-status"),
    "no status": (cap_file(status=""), "cap"),
    "an unknown type": (cap_file(msgType="Poke"), "cap"),
    "an unknown scope": (cap_file(scope="Secret"), "cap"),
    "no such time": (cap_file(sent="2026-02-30T10:00:00+01:00"), "cap-time"),
    "a time in Zulu": (cap_file(sent="2026-02-03T10:00:00Z"), "cap-time"),
    "a time before all times": (cap_file(sent="0001-01-01T00:00:00+14:00"), "cap-time"),
    "an end before it was sent": (cap_file(cap_info(expires="2026-01-01T08:59:59+00:00")), "cap-time"),
    "an end before it takes effect": (
        cap_file(cap_info(effective="2026-01-03T00:00:00+00:00", expires="2026-01-02T00:00:00+00:00")),
        "cap-time",
    ),
    "an onset that is none": (cap_file(cap_info(onset="soon")), "cap-time"),
    "no category": (cap_file(cap_info(category="")), "cap"),
    "an unknown category": (cap_file(cap_info(category="Cyber")), "cap"),
    "an unknown urgency": (cap_file(cap_info(urgency="Now")), "cap"),
    "no event": (cap_file(cap_info(event=" ")), "cap"),
    "a language that is none": (cap_file(cap_info(language="en US")), "cap"),
    "an update of nothing": (cap_file(msgType="Update"), "cap"),
}

WORLD = World(channel())
WISH = Wish(party="ash", author="desk", form="ask", alert_class="urgent", to=("birch",))


@pytest.fixture(scope="module")
def met() -> World:
    """The lake's direct line, with one alert by ash that birch holds."""
    world = World(channel())
    world.alone("ash", "warn", URGENT, to=["birch"], precedence="flash")
    world.sync()
    return world


def taken(world: World, party: str, file: bytes, **members: Any) -> dict[str, Any]:
    arguments = {"format": "ask", "class": "urgent", "officer": "desk", "to": ["birch" if party == "ash" else "ash"]}
    request = {"command": "cap-in", "file": base64.b64encode(file).decode(), **arguments, **members}
    found: dict[str, Any] = dispatch(world.centres[party], request)
    return found


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_taken_is_refused_with_its_code_at_once_and_leaves_nothing(name: str, met: World) -> None:
    file, code = BAD[name]
    begun = time.monotonic()
    with pytest.raises(Refusal) as refused:
        taken(met, "ash", file)
    assert time.monotonic() - begun < 5
    assert refused.value.code == code
    assert len(str(refused.value)) < 400
    assert [draft.state for draft in met.centres["ash"].store.drafts()] == ["released"]


@given(st.one_of(st.binary(), st.text().map(str.encode), st.text().map(lambda text: cap_file(note=text))))
def test_any_bytes_are_a_message_or_give_our_own_error(data: bytes) -> None:
    try:
        found = read_cap(data).identifier
    except InterchangeError as error:
        found = error.code
    assert found in ("m1", "cap", "cap-status", "cap-time", "cap-version", "over-size")


@given(
    st.sampled_from(["identifier", "sender", "sent", "status", "msgType", "scope", "references", "incidents"]),
    st.text(alphabet=st.characters(exclude_characters="<&", exclude_categories=["Cs", "Cc"])),
)
def test_any_value_of_any_element_is_taken_or_gives_our_own_error(name: str, value: str) -> None:
    try:
        alert = read_cap(cap_file(**{name: value}))
    except InterchangeError:
        return
    draft = cap_draft(WORLD.centres["ash"].alerts, WORLD.pack, alert, WISH)
    assert parse_draft(draft).format == "ask"


@given(
    subject=st.text(min_size=1, max_size=200, alphabet=st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn", "Z"])),
    text=st.text(min_size=1, max_size=500, alphabet=st.characters(exclude_categories=["Cs", "Cc", "Cn", "Z"])),
    status=st.sampled_from(["actual", "exercise", "test"]),
)
def test_out_and_in_again_says_the_same(subject: str, text: str, status: str) -> None:
    world = WORLD.clone()
    world.status = status
    entry = world.alone(
        "ash",
        "warn",
        {"class": "urgent", "text": text},
        subject=subject,
        to=["birch"],
        precedence="flash",
        language="en",
    )
    ash = world.centres["ash"]
    alert = read_cap(cap_out(ash.alerts, entry))
    draft = cap_draft(ash.alerts, ash.pack, alert, WISH)
    assert (draft["subject"], draft["status"], draft["language"]) == (subject, status, "en")
    assert draft["content"]["text"].split("\n")[0] == text
    assert draft["precedence"] == "flash"
    assert (draft["exercise-at"] is None) == (status != "exercise")


def reference_of(world: World, place: str = "ash/3") -> str:
    entry = dispatch(world.centres["birch"], {"command": "cap-out", "entry": place})
    alert = read_cap(entry["file"].encode())
    return f"{alert.sender},{alert.identifier},{alert.sent}"


def test_an_acknowledgement_of_our_own_message_becomes_one_that_the_watch_can_send(met: World) -> None:
    world = met.clone()
    opening = str(world.centres["ash"].alerts.cases.popitem()[1].opening)
    for kind, note, disposition in (("Ack", "", "accepted"), ("Error", "garbled", "rejected")):
        file = cap_file("", msgType=kind, note=note, references=reference_of(met, opening))
        with pytest.raises(Refusal, match="--output"):
            taken(world, "birch", file)
        made = taken(world, "birch", file, keep=False, officer="duty")["draft"]
        assert made["content"] == {"disposition": disposition, "reason": note}
        entry = send_alone(world.centres["birch"], parse_draft(made))
        assert entry.admissible
        assert entry.frame is not None
        assert (entry.frame.format, entry.frame.status) == ("acknowledge", "actual")
        assert [str(reference.place) for reference in entry.frame.refers_to] == [opening]


def test_an_update_of_what_is_held_is_a_follow_up_and_a_cancellation_of_ones_own_case_closes_it(met: World) -> None:
    world = met.clone()
    ash = world.centres["ash"]
    opening = str(next(iter(ash.alerts.cases)))
    for kind, form in (("Update", "ask"), ("Cancel", "close")):
        identifier = taken(world, "ash", cap_file(msgType=kind, references=reference_of(met, opening)))["identifier"]
        submit_draft(ash, identifier)
        entry = release_draft(ash, identifier, "chief")
        assert entry.frame is not None
        assert (entry.frame.format, str(entry.frame.refers_to[0].place)) == (form, opening)
        assert ash.alerts.case_of[entry.place] in ash.alerts.cases
    assert [case.closures != [] for case in ash.alerts.cases.values()] == [True]


@pytest.mark.parametrize("kind", ["Update", "Cancel", "Ack", "Error"])
def test_a_reference_to_what_is_not_held_is_kept_as_stated_and_refers_to_nothing(kind: str, met: World) -> None:
    opening = str(next(iter(met.centres["ash"].alerts.cases)))
    good = reference_of(met, opening)
    sender, identifier, sent = good.split(",")
    for stated in (
        "a@b,m0,2026-01-01T00:00:00-00:00",
        "rubbish",
        f"{sender},{identifier}9,{sent}",
        f"x{sender},{identifier},{sent}",
        f"{sender},{identifier},2020-01-01T00:00:00-00:00",
        f"{sender},{identifier.replace('ash', 'elm')},{sent}",
    ):
        made = taken(met, "birch", cap_file(msgType=kind, references=stated), keep=False)["draft"]
        assert made["format"] == "ask"
        assert made["refers-to"] == []
        assert f"as stated: {stated}" in made["content"]["text"]


def test_a_cancellation_by_who_has_not_opened_the_case_is_information_in_it(met: World) -> None:
    opening = str(next(iter(met.centres["ash"].alerts.cases)))
    made = taken(met, "birch", cap_file(msgType="Cancel", references=reference_of(met, opening)), keep=False)["draft"]
    assert (made["format"], made["refers-to"]) == ("ask", [opening])


@pytest.mark.parametrize("status", ["Exercise", "Test"])
@pytest.mark.parametrize("kind", ["Update", "Cancel", "Ack", "Error"])
def test_what_is_not_actual_says_nothing_about_an_actual_case(kind: str, status: str, met: World) -> None:
    for party in ("ash", "birch"):
        opening = str(next(iter(met.centres["ash"].alerts.cases)))
        file = cap_file(msgType=kind, status=status, references=reference_of(met, opening))
        made = taken(met, party, file, keep=False)["draft"]
        assert (made["format"], made["refers-to"], made["status"]) == ("ask", [], status.lower())


def test_what_comes_in_is_plain_text_and_a_signature_is_said_not_to_be_verified(met: World) -> None:
    signed = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo/></Signature>'
    info = cap_info(description="&lt;script&gt;alert(1)&lt;/script&gt; &amp; more", web="javascript:alert(1)")
    made = taken(met, "ash", cap_file(info + signed), keep=False)["draft"]
    assert made["content"]["text"].startswith("<script>alert(1)</script> & more\n")
    assert "its XML signature has not been verified" in made["content"]["text"]
    resource = (
        "<resource><resourceDesc>map</resourceDesc><mimeType>image/png</mimeType><derefUri>AAAA</derefUri></resource>"
    )
    made = taken(met, "ash", cap_file(cap_info().replace("</info>", resource + "</info>")), keep=False)["draft"]
    assert "resource: map, image/png, content left out" in made["content"]["text"]
    assert "AAAA" not in made["content"]["text"]


def test_a_format_class_or_member_that_does_not_fit_is_named(met: World) -> None:
    for members, word in (
        ({"format": "note"}, "no format for an alert"),
        ({"format": "code"}, "the pack has ask, warn"),
        ({"class": "loud"}, "no class of alerts 'loud'"),
        ({"text": "class"}, "which member takes the text"),
        ({"members": {"text": "mine"}}, "which member takes the text"),
    ):
        with pytest.raises(Refusal, match=word) as refused:
            taken(met, "ash", cap_file(), **members)
        assert refused.value.code == "cap-format"
    with pytest.raises(Refusal) as refused:
        taken(met, "ash", cap_file(), members={"colour": "red"})
    assert refused.value.code == "content"


def test_an_exercise_or_a_test_stays_one(met: World) -> None:
    for status, word in (("Exercise", "exercise"), ("Test", "test")):
        identifier = taken(met.clone(), "ash", cap_file(status=status))["identifier"]
        assert identifier
        made = taken(met, "ash", cap_file(status=status), keep=False)["draft"]
        assert made["status"] == word
        assert made["exercise-at"] == ("2026-01-01T09:00:00Z" if word == "exercise" else None)


def test_a_year_of_few_digits_keeps_its_form_in_and_out() -> None:
    world = WORLD.clone()
    file = cap_file(cap_info(onset="0033-04-03T15:00:00+02:00"), sent="0980-01-01T00:00:00-00:00", status="Exercise")
    made = taken(world, "ash", file, keep=False)["draft"]
    assert (made["event-at"], made["exercise-at"]) == ("0033-04-03T13:00:00Z", "0980-01-01T00:00:00Z")
    entry = world.alone("ash", "warn", URGENT, to=["birch"], precedence="flash", event_at=made["event-at"])
    assert read_cap(cap_out(world.centres["ash"].alerts, entry)).infos[0].onset == "0033-04-03T13:00:00-00:00"


def test_what_cap_has_no_message_for_is_said_so(met: World) -> None:
    world = met.clone()
    opening = str(next(iter(world.centres["ash"].alerts.cases)))
    opened = {"disposition": "opened", "reason": ""}
    entry = world.alone("birch", "acknowledge", opened, refers_to=[opening], to=["ash"])
    note = world.say("birch", "note", {"text": "calm"})
    for place, code in (
        (entry.place, "cap-none"),
        (note.place, "cap-none"),
        ("birch/1", "cap-none"),
        ("elm/1", "reference"),
    ):
        with pytest.raises(Refusal) as refused:
            dispatch(world.centres["birch"], {"command": "cap-out", "entry": str(place)})
        assert refused.value.code == code


def test_the_names_in_a_message_are_said_in_each_language_and_the_text_only_in_its_own() -> None:
    from servanda.agreement.pack import pack_of

    def both(value: Any) -> Any:
        if isinstance(value, dict) and value.keys() == {"en"}:
            return {"en": value["en"], "ru": f"{value['en']} (ru)"}
        if isinstance(value, dict):
            return {name: both(part) for name, part in value.items()}
        return [both(part) for part in value] if isinstance(value, list) else value

    world = World(pack_of(both(channel().data) | {"languages": ["en", "ru"]}))
    entry = world.alone("ash", "code", {"word": "LAKE", "number": 7}, to=["birch"], precedence="flash", language="ru")
    infos = read_cap(cap_out(world.centres["ash"].alerts, entry)).infos
    assert [(info.language, info.event, info.headline, info.description) for info in infos] == [
        ("en", "code", "", "Boats adrift"),
        ("ru", "code (ru)", "code", "Boats adrift (ru)"),
    ]
    other = world.alone("ash", "warn", URGENT, to=["birch"], precedence="flash", language="kk")
    assert [info.language for info in read_cap(cap_out(world.centres["ash"].alerts, other)).infos] == ["en", "ru", "kk"]
