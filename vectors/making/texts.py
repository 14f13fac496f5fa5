# SPDX-License-Identifier: Apache-2.0
"""Cases of canonical JSON and of the signed envelope."""

from __future__ import annotations

import hashlib
from typing import Any

from making.case import Case, Cases, shown
from making.keys import ed25519, text_of
from servanda.keyring.memory import MemorySigner
from servanda.proof.canonical import encode
from servanda.proof.envelope import ADVANCE_TYPE, ENTRY_TYPE, MANIFEST_TYPE, pae
from servanda.proof.keys import key_id

_EXAMPLE: dict[str, Any] = {"amount": 19800000, "kind": "sulphur-mustard", "remarks": "Ed è subito sera"}
_LARGE = 2**53 - 1


def _nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


_NOT_CANONICAL: list[tuple[str, str, bytes]] = [
    ("white-space", "A space after a colon.", b'{"a": 1}'),
    ("newline-at-end", "A newline after the value.", b'{"a":1}\n'),
    ("members-unsorted", "Members in another order.", b'{"b":1,"a":2}'),
    ("duplicate-name", "Two members of one name.", b'{"a":1,"a":1}'),
    ("fraction", "A number with a fraction.", b"[1.5]"),
    ("whole-fraction", "An integer written as a fraction.", b"[1.0]"),
    ("exponent", "An integer written with an exponent.", b"[1e3]"),
    ("minus-zero", "Zero with a sign.", b"[-0]"),
    ("leading-zero", "A number with a leading zero.", b"[01]"),
    ("too-large", "2^53, one more than the largest integer.", b"[9007199254740992]"),
    ("too-small", "-2^53, one less than the smallest integer.", b"[-9007199254740992]"),
    ("huge", "A number of 400 digits.", b"[" + b"9" * 400 + b"]"),
    ("not-a-number", "A literal that JSON does not have.", b"[NaN]"),
    ("escaped-letter", "A letter written as an escape.", b'"\\u0041"'),
    ("escaped-solidus", "An escape that JSON has and JCS does not use.", b'"\\/"'),
    ("escaped-accent", "A character beyond ASCII written as an escape.", b'"\\u00e8"'),
    ("long-escape", "A newline written with its code.", b'"\\u000a"'),
    ("upper-case-escape", "An escape in upper case.", b'"\\u001F"'),
    ("raw-control", "A control character as it is.", b'"\x01"'),
    ("byte-order-mark", "A byte order mark before the value.", b"\xef\xbb\xbf{}"),
    ("lone-surrogate", "An escape that is half of a pair.", b'"\\ud800"'),
    ("encoded-surrogate", "Half of a pair in UTF-8.", b'"\xed\xa0\x80"'),
    ("invalid-utf-8", "A byte that is no UTF-8.", b'"\xff"'),
    ("overlong-utf-8", "A solidus in two bytes.", b'"\xc0\xaf"'),
    ("accent-in-name", "A member name beyond ASCII.", '{"è":1}'.encode()),
    ("delete-in-name", "DEL in a member name.", b'{"\x7f":1}'),
    ("newline-in-name", "An escaped newline in a member name.", b'{"\\n":1}'),
    ("depth-33", "Lists nested 33 deep.", _nested(33)),
    ("trailing-comma", "A comma after the last item.", b"[1,]"),
    ("two-values", "Two values.", b"{}{}"),
    ("empty", "No value at all.", b""),
    ("cut", "A text that ends too early.", b'{"a":[1,2'),
    ("single-quotes", "Quotes that are not those of JSON.", b"{'a':1}"),
]


def canonical_json() -> list[Case]:
    """`input.json` is read; `expected.json` is a loose text of the same value, whose canonical form is the input."""
    cases = Cases("canonical-json", "canonical-json")
    good: list[tuple[str, str, Any]] = [
        ("example", "The example of the page.", _EXAMPLE),
        ("null", "The shortest kind of text: one of the three literals.", None),
        ("empty-containers", "An empty list, an empty object and an empty string.", {"a": [], "b": {}, "c": ""}),
        ("integer-bounds", "The largest and the smallest integer, zero and minus one.", [_LARGE, -_LARGE, 0, -1]),
        (
            "control-characters",
            "Every character below 0x20, in the escapes that JCS uses.",
            "".join(map(chr, range(32))),
        ),
        (
            "no-escape",
            "Characters that JCS writes as they are: solidus, DEL, line separators.",
            "/\x7f\u0080\u2028\u2029",
        ),
        ("quote-and-backslash", "The two printable characters that are escaped.", 'say "\\"'),
        ("astral", "Characters beyond the basic plane, in UTF-8.", "\U0001f54a \U0010ffff"),
        (
            "member-order",
            "Members are sorted by the code of their characters.",
            {"b": 1, "B": 2, "a-": 3, "a": 4, "": 5},
        ),
        ("member-names", "A name may hold every printable ASCII character.", {"".join(map(chr, range(32, 127))): True}),
    ]
    for name, sentence, value in good:
        cases.good(name, sentence, {"input.json": encode(value)}, value)
    deep: Any = []
    for _ in range(31):
        deep = [deep]
    cases.good("depth-32", "Lists nested 32 deep.", {"input.json": _nested(32)}, deep, "#restriction 3")
    restricted = {"accent-in-name": 1, "delete-in-name": 1, "newline-in-name": 1, "depth-33": 3}
    restricted |= dict.fromkeys(
        ("fraction", "exponent", "minus-zero", "too-large", "too-small", "huge", "whole-fraction"), 2
    )
    for name, sentence, text in _NOT_CANONICAL:
        rule = f"#restriction {restricted[name]}" if name in restricted else ""
        cases.bad(name, sentence, {"input.json": text}, rule)
    return cases.made


def _sealed(payload: bytes, signers: list[MemorySigner], kind: str = ENTRY_TYPE) -> dict[str, Any]:
    message = pae(kind, payload)
    return {
        "payload": text_of(payload),
        "payloadType": kind,
        "signatures": [
            {"keyid": key_id(s.public), "sig": text_of(s.sign(message)), "type": "ed25519"} for s in signers
        ],
    }


def _result(value: dict[str, Any], payload: bytes) -> dict[str, Any]:
    return {
        "payload-sha256": hashlib.sha256(payload).hexdigest(),
        "payloadType": value["payloadType"],
        "signed-sha256": hashlib.sha256(pae(value["payloadType"], payload)).hexdigest(),
        "signed-by": [signature["keyid"] for signature in value["signatures"]],
    }


def envelope() -> list[Case]:
    """`input.json` is the envelope; every signature is by one of the keys in `keys.json`, and verifies."""
    cases = Cases("envelope", "envelope")
    people = [ed25519("envelope", str(number)) for number in range(17)]
    one, two = people[0], people[1]
    payload = encode(_EXAMPLE)

    def files(value: Any, raw: bytes | None = None) -> dict[str, bytes]:
        keys = [text_of(signer.public) for signer in people]
        return {"input.json": encode(value) if raw is None else raw, "keys.json": shown(keys)}

    plain, both = _sealed(payload, [one]), _sealed(payload, [one, two])
    for name, sentence, value, body in [
        ("one-signature", "One payload, one signature.", plain, payload),
        (
            "two-signatures",
            "Two signatures, in the order in which they are asked for and not in that of their key ids.",
            both,
            payload,
        ),
        ("sixteen-signatures", "As many signatures as there may be.", _sealed(payload, people[:16]), payload),
        ("manifest-type", "The payload type of manifests.", _sealed(payload, [one], MANIFEST_TYPE), payload),
        ("advance-type", "The payload type of advance receipts.", _sealed(payload, [one], ADVANCE_TYPE), payload),
        ("payload-not-json", "The payload of an envelope is any bytes.", _sealed(b"\x00\xff\n", [one]), b"\x00\xff\n"),
        ("payload-empty", "The payload may be empty.", _sealed(b"", [one]), b""),
    ]:
        cases.good(name, sentence, files(value), _result(value, body))
    _bad_forms(cases, files, plain, both, people)
    _bad_signatures(cases, files, payload, one, two)
    return cases.made


def _bad_forms(
    cases: Cases, files: Any, plain: dict[str, Any], both: dict[str, Any], people: list[MemorySigner]
) -> None:
    first = plain["signatures"][0]
    payload = encode(_EXAMPLE)
    for name, sentence, value in [
        ("seventeen-signatures", "One signature too many.", _sealed(payload, people)),
        ("no-signature", "An envelope without signatures.", {**plain, "signatures": []}),
        ("key-signs-twice", "The same signature twice.", {**plain, "signatures": [first, first]}),
        ("other-type", "A payload type that is not ours.", _sealed(payload, people[:1], "application/json")),
        (
            "advance-type-version-2",
            "The payload type of an advance receipt of another version.",
            _sealed(payload, people[:1], ADVANCE_TYPE.replace(".v1+", ".v2+")),
        ),
        ("more-members", "A member that envelopes have not.", {**plain, "version": 1}),
        (
            "member-missing",
            "An envelope without its payload type.",
            {k: v for k, v in plain.items() if k != "payloadType"},
        ),
        ("signature-members", "A member that signatures have not.", {**plain, "signatures": [{**first, "cert": ""}]}),
        (
            "key-id-upper-case",
            "A key id in upper case.",
            {**plain, "signatures": [{**first, "keyid": first["keyid"].upper()}]},
        ),
        ("key-id-long", "The whole hash as key id.", {**plain, "signatures": [{**first, "keyid": first["keyid"] * 2}]}),
        (
            "unknown-algorithm",
            "A signature type that is not ours.",
            {**plain, "signatures": [{**first, "type": "ed448"}]},
        ),
        (
            "signature-short",
            "A signature of 63 bytes.",
            {**plain, "signatures": [{**first, "sig": text_of(bytes(63))}]},
        ),
        ("payload-url", "Base64 with the other alphabet.", {**plain, "payload": "__8="}),
        ("payload-unpadded", "Base64 without padding.", {**plain, "payload": plain["payload"].rstrip("=") + "AA"}),
        ("payload-stray-bits", "Base64 with bits after the last byte.", {**plain, "payload": "AB=="}),
        ("payload-line-break", "Base64 with a line break.", {**plain, "payload": "AAAA\nAAAA"}),
        ("payload-null", "A payload that is no text.", {**plain, "payload": None}),
    ]:
        cases.bad(name, sentence, files(value))
    text = encode(plain)
    cases.bad(
        "white-space", "A space between two members.", files(None, text.replace(b'","payloadType', b'", "payloadType'))
    )
    order = (
        b'{"payloadType":"%b",' % ENTRY_TYPE.encode()
        + text.replace(b',"payloadType":"%b"' % ENTRY_TYPE.encode(), b"")[1:]
    )
    cases.bad("members-unsorted", "The payload type first.", files(None, order))
    large = _sealed(bytes(196_608), people[:1])
    cases.bad("over-size", "More than 262,144 bytes.", files(large))
    cases.bad("list", "A list instead of an object.", files([both]))


def _bad_signatures(cases: Cases, files: Any, payload: bytes, one: MemorySigner, two: MemorySigner) -> None:
    plain, other = _sealed(payload, [one]), encode({"amount": 1})
    first = plain["signatures"][0]

    def signed(message: bytes, signer: MemorySigner = one) -> dict[str, Any]:
        return {**plain, "signatures": [{**first, "sig": text_of(signer.sign(message))}]}

    second = {**_sealed(payload, [one, two])["signatures"][1], "sig": first["sig"]}
    for name, sentence, value in [
        ("payload-changed", "The payload was changed after it had been signed.", {**plain, "payload": text_of(other)}),
        ("type-changed", "The payload type was changed after signing.", {**plain, "payloadType": MANIFEST_TYPE}),
        (
            "entry-as-advance",
            "An entry's signatures under the payload type of an advance receipt.",
            {**plain, "payloadType": ADVANCE_TYPE},
        ),
        (
            "signed-bare",
            "The signature is over the payload and not over its pre-authentication encoding.",
            signed(payload),
        ),
        (
            "signed-length",
            "The encoding that was signed states another length.",
            signed(pae(ENTRY_TYPE, payload + b" ")[:-1]),
        ),
        (
            "signed-by-other",
            "The key id is that of one key, the signature by another.",
            signed(pae(ENTRY_TYPE, payload), two),
        ),
        (
            "second-does-not-hold",
            "Of two signatures the second is a copy of the first.",
            {**plain, "signatures": [first, second]},
        ),
        (
            "key-unknown",
            "Signed by a key that is not among those given.",
            _sealed(payload, [ed25519("envelope", "stranger")]),
        ),
    ]:
        cases.bad(name, sentence, files(value))


def cases() -> list[Case]:
    """Everything of this module."""
    return [*canonical_json(), *envelope()]
