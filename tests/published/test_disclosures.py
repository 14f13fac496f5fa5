# SPDX-License-Identifier: Apache-2.0
"""The disclosure that RFC 9901 works out in section 4.2, and the encodings of DSSE and JCS that apply here."""

from __future__ import annotations

import pytest

from servanda.proof import canonical
from servanda.proof.canonical import CanonicalError
from servanda.proof.envelope import pae
from servanda.proof.sealing import Disclosure, disclosure_digest, parse_disclosure, unseal

TEXT = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
DIGEST = "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"


def test_the_disclosure_of_rfc_9901_is_read_and_hashed_as_it_stands():
    assert parse_disclosure(TEXT) == Disclosure("_26bc4LT-ac6q2KI6cBW5es", "family_name", "Möbius")
    assert disclosure_digest(TEXT) == DIGEST
    assert unseal({"_sd": [DIGEST]}, [TEXT]) == {"family_name": "Möbius"}


def test_the_signed_bytes_are_those_of_dsse():
    # DSSE 1.0.0, protocol.md, test vectors
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("http://example.com/HelloWorld", b"hello world") == expected


def test_strings_and_literals_are_written_as_in_rfc_8785():
    # RFC 8785 section 3.2.2, whose example's numbers are left out: they have fractions and exponents.
    value = {
        "string": '\u20ac$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    assert canonical.encode(value) == (
        b'{"literals":[null,true,false],"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


@pytest.mark.parametrize("number", [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001])
def test_the_numbers_of_rfc_8785_are_refused(number):
    # Restriction 2 of spec/canonical-json.md: the same section's numbers.
    with pytest.raises(CanonicalError):
        canonical.encode({"numbers": [number]})


@pytest.mark.parametrize("text", [b"1e+30", b"4.5", b"0.002", b"1e-27", b"333333333.3333333"])
def test_the_canonical_numbers_of_rfc_8785_are_refused(text):
    with pytest.raises(CanonicalError):
        canonical.decode(b'{"numbers":[%b]}' % text)


def test_the_names_of_the_sorting_example_of_rfc_8785_are_refused():
    # Section 3.2.3 sorts \r, 1, U+0080, U+00F6, U+20AC, U+1F600, U+FB33: all but "1" fall to restriction 1.
    for name in ("\r", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"):
        with pytest.raises(CanonicalError):
            canonical.encode({name: "x"})
    assert canonical.encode({"1": "One"}) == b'{"1":"One"}'
