# SPDX-License-Identifier: Apache-2.0
"""STIX bundles within entries: what is no bundle is refused with a code and nothing is lost; what leaves is marked."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st

from servanda.interchange.errors import InterchangeError
from servanda.interchange.stix import BUNDLE_BYTES_MAX, OBJECTS_MAX, check_attachment, out_bundle, read_bundle
from servanda.operations.desk import dispatch
from servanda.operations.errors import Refusal
from tests.rig.pen import write
from tests.rig.world import World
from tests.unit.interchange.files import INDICATOR, TIMES, address, bundle, cert_channel, indicator, malware

DEEP = json.loads('{"x":' * 40 + "1" + "}" * 40)
BAD: dict[str, tuple[str, str]] = {
    "nothing": ("", "stix"),
    "no JSON": ("indicators", "stix"),
    "a list": ("[]", "stix"),
    "a lone surrogate": ("\ud800", "stix"),
    "another object": (json.dumps(indicator()), "stix"),
    "no objects": (bundle(objects=[]), "stix"),
    "objects that are none": (bundle(objects=[1]), "stix"),
    "a version of 2.0": (bundle(spec_version="2.0"), "stix"),
    "an object of 2.0": (bundle(indicator(spec_version="2.0")), "stix"),
    "no pattern": (bundle(indicator(pattern=None)), "stix"),
    "a pattern that is no text": (bundle(indicator(pattern={"a": 1})), "stix"),
    "an unknown type": (bundle(indicator(type="omen")), "stix"),
    "a type that is none": (bundle(indicator(type=["indicator"])), "stix"),
    "an identifier of another type": (bundle(indicator(id=malware()["id"])), "stix"),
    "an identifier that is none": (bundle(indicator(id="indicator--1")), "stix"),
    "no such day": (bundle(indicator(valid_from="2026-02-30T00:00:00Z")), "stix"),
    "a time without zone": (bundle(indicator(created="2026-01-01T00:00:00")), "stix"),
    "valid until before valid from": (bundle(indicator(valid_until="2025-12-31T00:00:00Z")), "stix"),
    "modified before created": (bundle(indicator(modified="2025-01-01T00:00:00Z")), "stix"),
    "a family that is no truth value": (bundle(malware(is_family="yes")), "stix"),
    "one object twice": (bundle(indicator(), indicator()), "stix"),
    "a reference that is none": (bundle(indicator(created_by_ref="us")), "stix"),
    "references that are none": (bundle(indicator(object_marking_refs=[1])), "stix"),
    "a member twice": (bundle().replace('"type"', '"id": "x", "type"', 1), "stix"),
    "no number": (bundle(indicator(confidence=float("nan"))), "stix"),
    "a number without end": (bundle().replace("85", "1e999"), "stix"),
    "an integer of 5,000 digits": (bundle().replace("85", "9" * 5000), "stix"),
    "nesting": (bundle(indicator(x_deep=DEEP)), "stix"),
    "nesting without end": ("[" * 100_000, "stix"),
    "too many objects": (bundle(*[address(n) for n in range(OBJECTS_MAX + 1)]), "stix"),
    "too large": (bundle(indicator(description="a" * BUNDLE_BYTES_MAX)), "over-size"),
    "quotes without end": ('"\\' * 50_000, "stix"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_bundle_is_refused_with_a_code_before_anything_is_kept(name: str) -> None:
    text, code = BAD[name]
    with pytest.raises(InterchangeError) as refused:
        read_bundle(text)
    assert refused.value.code == code
    world = World(cert_channel())
    ash = world.centres["ash"]
    before = (ash.journal.size, len(ash.store.drafts()))
    with pytest.raises(Refusal) as told:
        world.say("ash", "indicators", {"stix": text})
    assert told.value.code == code
    with pytest.raises(Refusal):
        world.alone("ash", "quick", {"stix": text})
    assert (ash.journal.size, len(ash.store.drafts())) == before


@given(
    st.one_of(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["type", "id", "objects", "x"]), inner),
        ).map(json.dumps),
    )
)
def test_any_text_is_a_bundle_or_gives_our_own_error(text: str) -> None:
    with pytest.raises(InterchangeError):
        read_bundle(text)


@given(
    st.sampled_from(sorted(indicator())), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())
)
def test_an_object_with_any_member_exchanged_is_read_or_gives_our_own_error(name: str, value: Any) -> None:
    try:
        found = out_bundle(read_bundle(bundle(indicator(**{name: value}))), "0" * 64, "actual")
    except InterchangeError as error:
        found = {"code": error.code}
    assert found == {"code": "stix"} or json.loads(json.dumps(found))["objects"][1][name] == value


def test_a_bundle_travels_under_its_digest_and_comes_out_marked_and_without_a_word_of_the_entry() -> None:
    world = World(cert_channel(), status="exercise")
    text = bundle()
    digest = hashlib.sha256(text.encode()).hexdigest()
    content = {"stix": text, "stix-sha256": digest, "summary": "A political matter"}
    entry = world.say("ash", "indicators", content, subject="Most secret", remarks="Grave", to=["birch"])
    world.sync()
    birch = world.centres["birch"]
    shown = dispatch(birch, {"command": "show", "entry": str(entry.place)})
    assert shown["attachment"] == {"bundle": json.loads(text)["id"], "objects": 2, "sha256": digest}
    out = dispatch(birch, {"command": "stix-out", "entry": str(entry.place)})
    assert out["mark"] == "EXERCISE"
    for word in ("political", "secret", "Grave", "desk", "chief"):
        assert word not in out["file"]
    read = stix2.parse(out["file"])
    marking, *objects = read.objects
    assert "EXERCISE" in marking.definition.statement
    assert [item.id for item in objects] == [item["id"] for item in json.loads(text)["objects"]]
    assert all(item.object_marking_refs == [marking.id] for item in objects)
    assert out == dispatch(world.centres["ash"], {"command": "stix-out", "entry": str(entry.place)})


def test_a_digest_that_is_not_that_of_the_bundle_is_refused() -> None:
    with pytest.raises(InterchangeError, match="SHA-256"):
        check_attachment({"stix": bundle(), "stix-sha256": "0" * 64})
    with pytest.raises(InterchangeError, match="no text"):
        check_attachment({"stix": json.loads(bundle())})
    assert check_attachment({"text": "calm"}) is None


def test_a_bad_bundle_that_a_counterpart_sends_is_shown_as_such_and_goes_nowhere() -> None:
    world = World(cert_channel())
    ash, birch = world.centres["ash"], world.centres["birch"]
    entry = write(ash, "indicators", {"stix": bundle(indicator(pattern=None))})
    assert entry is not None
    assert entry.admissible
    world.deliver("ash", "birch")
    shown = dispatch(birch, {"command": "show", "entry": str(entry.place)})
    assert shown["attachment"]["problem"].startswith("stix: ")
    assert shown["frame"]["content"] == entry.frame.content  # type: ignore[union-attr]
    with pytest.raises(Refusal, match="pattern missing"):
        dispatch(birch, {"command": "stix-out", "entry": str(entry.place)})


def test_what_the_library_of_the_standard_writes_is_read() -> None:
    made = stix2.Bundle(
        stix2.Indicator(pattern="[ipv4-addr:value = '198.51.100.1']", pattern_type="stix"),
        stix2.Malware(name="worm", is_family=False),
        stix2.ObservedData(
            first_observed=TIMES["created"],
            last_observed=TIMES["created"],
            number_observed=1,
            object_refs=[address(1)["id"]],
        ),
        stix2.IPv4Address(value="198.51.100.1"),
        stix2.Relationship(INDICATOR, "indicates", malware()["id"]),
        stix2.Identity(name="CERT of the lake", identity_class="organization"),
        stix2.TLP_AMBER,
    )
    found = read_bundle(made.serialize())
    assert len(found.objects) == 7
    assert len(stix2.parse(json.dumps(out_bundle(found, "0" * 64, "test"))).objects) == 8


def test_the_bundle_of_a_correction_is_checked_and_comes_out_like_any_other() -> None:
    world = World(cert_channel())
    ash = world.centres["ash"]
    first = world.say("ash", "indicators", {"stix": bundle()})
    bad = {"content": {"stix": bundle(indicator(pattern=None))}, "reason": "mistake"}
    with pytest.raises(Refusal, match="pattern missing"):
        world.say("ash", "correct", bad, refers_to=[first.place])
    good = {"content": {"stix": bundle(malware())}, "reason": "mistake"}
    entry = world.say("ash", "correct", good, refers_to=[first.place])
    out = dispatch(ash, {"command": "stix-out", "entry": str(entry.place)})
    assert [item["type"] for item in json.loads(out["file"])["objects"]] == ["marking-definition", "malware"]
    assert dispatch(ash, {"command": "show", "entry": str(entry.place)})["attachment"]["objects"] == 1
