# SPDX-License-Identifier: Apache-2.0
"""The signed envelope: one byte form, strict limits, and the bytes that are signed."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as SecondOpinion

from servanda.proof import canonical
from servanda.proof.envelope import (
    ENTRY_TYPE,
    ENVELOPE_BYTES_MAX,
    MANIFEST_TYPE,
    Envelope,
    EnvelopeError,
    Signature,
    pae,
    parse_envelope,
)

SIGNATURES = st.lists(
    st.builds(
        Signature,
        keyid=st.binary(min_size=16, max_size=16).map(bytes.hex),
        sig=st.binary(min_size=64, max_size=64),
        type=st.just("ed25519"),
    ),
    min_size=1,
    max_size=16,
    unique_by=lambda signature: signature.keyid,
)
ENVELOPES = st.builds(
    Envelope,
    payload=st.binary(max_size=200),
    payload_type=st.sampled_from([ENTRY_TYPE, MANIFEST_TYPE]),
    signatures=SIGNATURES.map(tuple),
)
GOOD = Envelope(
    b'{"act":"notify"}',
    ENTRY_TYPE,
    (Signature("0" * 32, bytes(64), "ed25519"), Signature("1" * 32, bytes(64), "ed25519")),
)


def form(**changes):
    """The JSON value of a good envelope, with members replaced."""
    value = {
        "payload": base64.b64encode(b"hello").decode(),
        "payloadType": ENTRY_TYPE,
        "signatures": [signature_form()],
    }
    value.update(changes)
    return value


def signature_form(**changes):
    value = {"keyid": "ab" * 16, "sig": base64.b64encode(bytes(64)).decode(), "type": "ed25519"}
    value.update(changes)
    return value


def text(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@given(ENVELOPES)
def test_what_is_encoded_is_canonical_and_parses_back(envelope):
    data = envelope.encode()
    assert parse_envelope(data) == envelope
    assert canonical.encode(canonical.decode(data)) == data


@given(ENVELOPES)
def test_the_signed_bytes_agree_with_another_implementation(envelope):
    theirs = SecondOpinion.from_dict(json.loads(envelope.encode()) | {"signatures": []})
    assert theirs.pae() == pae(envelope.payload_type, envelope.payload)


@given(st.text(max_size=20), st.binary(max_size=20))
def test_the_signed_bytes_count_bytes_not_characters(payload_type, payload):
    kind = payload_type.encode("utf-8", "ignore").decode()
    theirs = SecondOpinion(payload, kind, {})
    if kind.isascii():  # theirs counts characters of the type
        assert theirs.pae() == pae(kind, payload)
    assert pae(kind, payload).startswith(b"DSSEv1 %d " % len(kind.encode()))


@given(st.binary(max_size=80))
def test_any_bytes_are_refused(data):
    with pytest.raises(EnvelopeError):
        parse_envelope(data)


@given(ENVELOPES, st.data())
def test_a_changed_envelope_is_refused_or_another_one(envelope, data):
    whole = envelope.encode()
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:at] + data.draw(st.binary(max_size=2)) + whole[at + 1 :]
    try:
        parsed = parse_envelope(changed)
    except EnvelopeError:
        return
    assert parsed.encode() == changed


def test_the_good_form_is_read():
    parsed = parse_envelope(text(form()))
    assert parsed.payload == b"hello"
    assert parsed.signatures == (Signature("ab" * 16, bytes(64), "ed25519"),)


@pytest.mark.parametrize(
    "value",
    [
        form(payload="aGVsbG8"),
        form(payload="aGVsbG9="),
        form(payload="aGVsbG8= "),
        form(payload="aGVs\nbG8="),
        form(payload="_-__"),
        form(payload=None),
        form(payloadType="application/json"),
        form(payloadType=7),
        form(extra=1),
        form(signatures=[]),
        form(signatures=None),
        form(signatures=[signature_form(keyid=f"{index:032x}") for index in range(17)]),
        form(signatures=[signature_form(), signature_form()]),
        form(signatures=[signature_form(keyid="AB" * 16)]),
        form(signatures=[signature_form(keyid="ab" * 16 + "\n")]),
        form(signatures=[signature_form(keyid="ab" * 15)]),
        form(signatures=[signature_form(type="ml-dsa-44")]),
        form(signatures=[signature_form(type="Ed25519")]),
        form(signatures=[signature_form(sig=base64.b64encode(bytes(63)).decode())]),
        form(signatures=[signature_form(sig="")]),
        form(signatures=[signature_form(extra="")]),
        form(signatures=[{"keyid": "ab" * 16, "type": "ed25519"}]),
        {"payload": "", "payloadType": ENTRY_TYPE},
        [form()],
        None,
    ],
)
def test_a_wrong_member_is_refused(value):
    with pytest.raises(EnvelopeError):
        parse_envelope(text(value))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[" * 100_000,
        b'{"payload":' * 5_000,
        text(form()) + b"\n",
        b" " + text(form()),
        text(form()).replace(b":", b": ", 1),
        text(form()).replace(b'"payload"', b'"p\\u0061yload"'),
        text(form()).replace(b'"payload":', b'"payload":"","payload":'),
        text(form()).replace(b"application/", b"application\\/"),
        b'{"payloadType":"' + ENTRY_TYPE.encode() + b'","payload":"","signatures":' + text([signature_form()]) + b"}",
    ],
)
def test_another_text_of_an_envelope_is_refused(data):
    with pytest.raises(EnvelopeError):
        parse_envelope(data)


def test_an_envelope_is_at_most_262144_bytes():
    fixed = len(GOOD._replace(payload=b"").encode())
    longest = (ENVELOPE_BYTES_MAX - fixed) // 4 * 3
    assert ENVELOPE_BYTES_MAX - 4 < len(GOOD._replace(payload=bytes(longest)).encode()) <= ENVELOPE_BYTES_MAX
    too_long = GOOD._replace(payload=bytes(longest + 3))
    with pytest.raises(EnvelopeError):
        too_long.encode()
    with pytest.raises(EnvelopeError):
        parse_envelope(text(form(payload=base64.b64encode(bytes(longest + 300)).decode())))


@pytest.mark.parametrize(
    "envelope",
    [
        GOOD._replace(payload_type="text/plain"),
        GOOD._replace(signatures=()),
        GOOD._replace(signatures=GOOD.signatures[:1] * 2),
        GOOD._replace(signatures=(Signature("0" * 32, bytes(65), "ed25519"),)),
    ],
)
def test_an_envelope_against_the_rules_is_not_written(envelope):
    with pytest.raises(EnvelopeError):
        envelope.encode()
