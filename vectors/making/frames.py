# SPDX-License-Identifier: Apache-2.0
"""Cases of an entry's frame alone: step 2 of the way in which an entry is judged."""

from __future__ import annotations

import json
from typing import Any

from making.case import Case, Cases
from making.keys import text_of
from servanda.proof.canonical import encode

_A, _B = "6b" * 32, "77" * 32
_REFERENCE = {"leaf": _B, "number": 6, "party": "opcw"}
_FRAME: dict[str, Any] = {
    "act": "notify",
    "agreement": _A,
    "as-stated": None,
    "author": "desk-1",
    "content": {"text": "Nothing new."},
    "event-at": "2013-10-23",
    "exercise-at": None,
    "format": "note",
    "format-version": 1,
    "heads": [{"party": "opcw", "root": _B, "size": 7}],
    "language": "en",
    "named": None,
    "number": 12,
    "pack": _A,
    "party": "syr",
    "precedence": "routine",
    "receipts": [{"by": "opcw", "cosignature": text_of(bytes(76)), "size": 11}],
    "refers-to": [_REFERENCE],
    "released-at": "2026-11-23T09:30:00Z",
    "releaser": "release-1",
    "remarks": "",
    "status": "actual",
    "subject": "A note",
    "thread": None,
    "to": ["opcw"],
    "version": 1,
}
_OFFER = {"act": "offer", "named": ["opcw", "usa"], "thread": _REFERENCE}
_EXERCISE = {"exercise-at": "2013-10-23T12:00:00Z", "status": "exercise"}


def _stated(weekday: str | None, text: str = "on that day") -> dict[str, Any]:
    return {"as-stated": {"text": text, "weekday": weekday}}


_GOOD: list[tuple[str, str, dict[str, Any], list[str]]] = [
    ("plain", "An ordinary entry.", {}, []),
    (
        "lists-empty",
        "It cites, addresses and refers to nothing.",
        {"heads": [], "receipts": [], "refers-to": [], "to": []},
        [],
    ),
    ("exercise", "An exercise has its own clock.", _EXERCISE, []),
    (
        "exercise-milliseconds",
        "Times may have three decimals.",
        {**_EXERCISE, "exercise-at": "2013-10-23T12:00:00.250Z"},
        [],
    ),
    ("offer", "An offer that answers another names parties and its thread.", _OFFER, []),
    ("offer-to-nobody", "Whom an offer names is judged at step 9.", {"act": "offer", "named": []}, []),
    (
        "longest-texts",
        "A subject of 500 and remarks of 4,000 characters, counted as code points.",
        {"remarks": "r" * 4000, "subject": "\U0001f54a" * 500},
        [],
    ),
    ("references-256", "As many references as there may be.", {"refers-to": [_REFERENCE] * 256}, []),
    ("language-region", "A language tag with subtags.", {"language": "zh-Hans-CN"}, []),
    ("year", "A date that is a year.", {"event-at": "2013"}, []),
    ("month", "A date that is a month.", {"event-at": "2013-10"}, []),
    ("instant", "A date that is an instant.", {"event-at": "2013-10-23T12:00:00Z"}, []),
    ("interval", "An interval of a month and a day.", {"event-at": "2013-09/2013-10-23"}, []),
    ("interval-open", "An interval whose end is unknown.", {"event-at": "2013-09-01/.."}, []),
    ("interval-begun", "An interval whose beginning is unknown.", {"event-at": "../2013-09-01"}, []),
    ("weekday-fits", "The weekday is that of the date.", {**_stated("wednesday")}, []),
    (
        "weekday-contradicts",
        "A weekday that contradicts the date is flagged, not refused.",
        {**_stated("tuesday")},
        ["weekday-contradicts"],
    ),
    ("weekday-unknown", "The source names no weekday.", {**_stated(None)}, []),
    (
        "date-unreal",
        "A date that does not exist is flagged, not refused.",
        {"event-at": "2013-02-30"},
        ["date-does-not-exist"],
    ),
    ("month-unreal", "So is a month.", {"event-at": "2013-13"}, ["date-does-not-exist"]),
]

_BAD: list[tuple[str, str, dict[str, Any]]] = [
    ("more-members", "A member that frames have not.", {"colour": "green"}),
    ("version-zero", "Version 0.", {"version": 0}),
    ("version-text", "A version that is no integer.", {"version": "1"}),
    ("number-zero", "Entry 0.", {"number": 0}),
    ("number-text", "A number that is no integer.", {"number": "12"}),
    ("agreement-upper-case", "A digest in upper case.", {"agreement": _A.upper()}),
    ("pack-short", "A digest of 63 characters.", {"pack": _A[:-1]}),
    ("party-upper-case", "A party whose id has a capital letter.", {"party": "Syr"}),
    ("act-unknown", "An act that there is not.", {"act": "threaten"}),
    ("precedence-unknown", "A precedence that there is not.", {"precedence": "urgent"}),
    ("status-unknown", "A status that there is not.", {"status": "real"}),
    ("to-unsorted", "Addressees in another order.", {"to": ["usa", "opcw"]}),
    ("to-twice", "An addressee stands twice.", {"to": ["opcw", "opcw"]}),
    ("to-itself", "Addressed to its own author.", {"to": ["syr"]}),
    (
        "heads-unsorted",
        "Heads in another order.",
        {"heads": [{"party": p, "root": _B, "size": 7} for p in ("usa", "opcw")]},
    ),
    ("head-twice", "Two heads of one party.", {"heads": [{"party": "opcw", "root": _B, "size": n} for n in (6, 7)]}),
    ("head-member", "A head without its root.", {"heads": [{"party": "opcw", "size": 7}]}),
    ("receipt-twice", "Two receipts by one party.", {"receipts": _FRAME["receipts"] * 2}),
    (
        "receipt-short",
        "A cosignature of 75 bytes.",
        {"receipts": [{**_FRAME["receipts"][0], "cosignature": text_of(bytes(75))}]},
    ),
    ("named-missing", "An offer that names nobody: null instead of a list.", {"act": "offer"}),
    ("named-elsewhere", "A list of named parties in an act that is no offer.", {"named": ["opcw"]}),
    ("named-unsorted", "Named parties in another order.", {**_OFFER, "named": ["usa", "opcw"]}),
    ("thread-elsewhere", "A thread in an act that is no offer.", {"thread": _REFERENCE}),
    ("exercise-without-clock", "An exercise without its clock.", {"status": "exercise"}),
    ("clock-without-exercise", "An exercise clock in an actual entry.", {"exercise-at": "2013-10-23T12:00:00Z"}),
    ("released-local", "A time that is not in UTC.", {"released-at": "2026-11-23T09:30:00+01:00"}),
    ("released-minutes", "A time without seconds.", {"released-at": "2026-11-23T09:30Z"}),
    ("released-two-decimals", "A time with two decimals.", {"released-at": "2026-11-23T09:30:00.25Z"}),
    ("released-unreal", "A release on a day that does not exist.", {"released-at": "2026-02-30T09:30:00Z"}),
    ("released-day", "A day instead of a time.", {"released-at": "2026-11-23"}),
    ("event-word", "A date in words.", {"event-at": "autumn 2013"}),
    ("event-unknown", "Nothing but unknown.", {"event-at": ".."}),
    ("event-three", "Three dates.", {"event-at": "2013/2014/2015"}),
    ("event-short", "A month of one digit.", {"event-at": "2013-9"}),
    ("event-decimals", "Decimals have no place in a date expression.", {"event-at": "2013-10-23T12:00:00.250Z"}),
    ("weekday-short", "A weekday that is abbreviated.", _stated("wed")),
    ("as-stated-long", "A date in 501 characters.", _stated(None, "d" * 501)),
    (
        "as-stated-text",
        "A date in the source's words without a weekday member.",
        {"as-stated": {"text": "on that day"}},
    ),
    ("language-underscore", "A language tag with an underscore.", {"language": "en_GB"}),
    ("language-word", "A language in words.", {"language": "english"}),
    ("subject-long", "A subject of 501 characters.", {"subject": "s" * 501}),
    ("remarks-long", "Remarks of 4,001 characters.", {"remarks": "r" * 4001}),
    ("references-257", "One reference too many.", {"refers-to": [_REFERENCE] * 257}),
    (
        "reference-leaf",
        "A reference with a hash in base64.",
        {"refers-to": [{**_REFERENCE, "leaf": text_of(bytes(32))}]},
    ),
    ("author-name", "An author with a name instead of an id.", {"author": "Desk One"}),
    ("author-null", "Nobody wrote it.", {"author": None}),
    ("content-list", "A content that is a list.", {"content": []}),
]


def cases() -> list[Case]:
    """`frame.json` is the payload of an envelope; `expected.json` gives flags, or the code of the refusal."""
    cases = Cases("frame", "entry")
    for name, sentence, changes, flags in _GOOD:
        cases.good(name, sentence, {"frame.json": encode({**_FRAME, **changes})}, {"flags": flags}, "#step 2")
    code = {"code": "frame"}
    for name, sentence, changes in _BAD:
        cases.bad(name, sentence, {"frame.json": encode({**_FRAME, **changes})}, "#step 2", code)
    for member in ("remarks", "thread", "version"):
        rest = {name: value for name, value in _FRAME.items() if name != member}
        cases.bad(f"no-{member}", f"A frame without `{member}`.", {"frame.json": encode(rest)}, "#step 2", code)
    loose = json.dumps(_FRAME, sort_keys=True).encode()
    cases.bad("not-canonical", "White space in the payload.", {"frame.json": loose}, "#step 2", code)
    cases.bad("list", "A payload that is a list.", {"frame.json": encode([_FRAME])}, "#step 2", code)
    later = encode({**_FRAME, "colour": "green", "version": 2})
    sentence = "A later version: its bytes are kept, whatever members it has."
    cases.bad("version-2", sentence, {"frame.json": later}, "#step 2", {"code": "version"})
    return cases.made
