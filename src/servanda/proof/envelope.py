# SPDX-License-Identifier: Apache-2.0
"""What did keys sign together? The signed envelope, DSSE 1.0.0 in one byte form (spec/envelope.md)."""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from servanda.proof.errors import ProofError

ENTRY_TYPE = "application/vnd.servanda.entry.v1+json"
"""The payload type of an entry."""

MANIFEST_TYPE = "application/vnd.servanda.manifest.v1+json"
"""The payload type of a bundle's manifest."""

ADVANCE_TYPE = "application/vnd.servanda.advance.v1+json"
"""The payload type of an advance receipt (spec/line.md)."""

ENVELOPE_BYTES_MAX = 262_144
"""The size of the largest envelope, in bytes."""

SIGNATURES_MAX = 16
"""How many signatures an envelope carries at most; at least it carries one."""

_PAYLOAD_TYPES = frozenset({ENTRY_TYPE, MANIFEST_TYPE, ADVANCE_TYPE})
_SIGNATURE_BYTES = {"ed25519": 64}
_KEY_ID = re.compile(r"[0-9a-f]{32}\Z")


class EnvelopeError(ProofError):
    """Bytes are not a signed envelope, or an envelope breaks a rule of its page."""


class Signature(NamedTuple):
    """One signature of an envelope: key id, raw signature bytes and algorithm. It is claimed, not verified."""

    keyid: str
    sig: bytes
    type: str


class Envelope(NamedTuple):
    """A payload, its type and who claims to have signed it."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """Return the canonical JSON of the envelope (spec/envelope.md).

        Raises:
            EnvelopeError: the envelope breaks a rule of its page.
        """
        signatures = [_SignatureForm(*signature) for signature in self.signatures]
        form = _EnvelopeForm(self.payload, self.payload_type, signatures)
        _check(form)
        data = _encoder.encode(form)
        if len(data) > ENVELOPE_BYTES_MAX:
            raise EnvelopeError(f"larger than {ENVELOPE_BYTES_MAX} bytes")
        return data


class _SignatureForm(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    # Fields stand in the order of canonical JSON; msgspec writes bytes as base64 of RFC 4648 section 4.
    keyid: str
    sig: bytes
    type: str


class _EnvelopeForm(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    payload: bytes
    payload_type: str = msgspec.field(name="payloadType")
    signatures: list[_SignatureForm]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_EnvelopeForm)


def parse_envelope(data: bytes) -> Envelope:
    """Return the envelope that the bytes are (spec/envelope.md). No signature is verified here.

    Raises:
        EnvelopeError: the bytes are anything else than the one form of an envelope.
    """
    if len(data) > ENVELOPE_BYTES_MAX:
        raise EnvelopeError(f"larger than {ENVELOPE_BYTES_MAX} bytes")
    try:
        form = _decoder.decode(data)
    except (ValueError, RecursionError) as error:  # msgspec's and Unicode errors are ValueErrors
        raise EnvelopeError(f"not an envelope: {error}") from error
    _check(form)
    # Order, white space, duplicate members, foreign escapes and stray base64 bits all show here.
    if _encoder.encode(form) != data:
        raise EnvelopeError("not in canonical form")
    signatures = tuple([Signature(item.keyid, item.sig, item.type) for item in form.signatures])
    return Envelope(form.payload, form.payload_type, signatures)


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that are signed: the pre-authentication encoding of DSSE 1.0.0, `protocol.md`."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _check(form: _EnvelopeForm) -> None:
    if form.payload_type not in _PAYLOAD_TYPES:
        raise EnvelopeError("unknown payload type")
    if not 1 <= len(form.signatures) <= SIGNATURES_MAX:
        raise EnvelopeError(f"not 1 to {SIGNATURES_MAX} signatures")
    seen = set()
    for item in form.signatures:
        if not _KEY_ID.match(item.keyid):
            raise EnvelopeError("a key id is not 32 lowercase hexadecimal characters")
        if _SIGNATURE_BYTES.get(item.type) != len(item.sig):
            raise EnvelopeError("a signature is of an unknown type or a wrong length")
        seen.add(item.keyid)
    if len(seen) != len(form.signatures):
        raise EnvelopeError("one key signs twice")
