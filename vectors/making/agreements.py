# SPDX-License-Identifier: Apache-2.0
"""Cases of packs and of identities."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from making.case import Case, Cases, shown
from making.keys import Keys, ed25519, keys_of, text_of
from making.packs import FORMATS, fields, obligation, pack
from making.world import World, identity_content
from servanda.proof.canonical import encode
from servanda.proof.merkle import leaf_hash

_RULES = [
    obligation("FIXED", {"date": "2014-03-01", "rule": "fixed"}),
    obligation("AFTER", {"days": 30, "event": "start", "rule": "days-after"}),
    obligation("BEFORE", {"days": 10, "event": "first-note", "rule": "before"}),
    obligation("MONTHLY", {"every": "month", "first": "2014-01-15", "rule": "recurring", "until": None}),
    obligation("share", {"date": "2014-03-01", "of": 2, "part": 1, "rule": "share"}),
    obligation("ON-ALERT", {"hours": 24, "rule": "triggered", "trigger": "alert"}),
    obligation("ALWAYS", {"rule": "continuous"}),
    obligation("SOME-DAY", {"rule": "unstated", "text": {"en": "without delay"}}, absence="not-stated"),
]
_EVENTS = [
    {"date": "2014-01-01", "id": "start", "names": {"en": "start"}},
    {"format": "note", "id": "first-note", "names": {"en": "first note"}},
]


def _pack() -> dict[str, Any]:
    text = encode(pack(formats=("note", "alert", "declare", "handover"), obligations=_RULES, events=_EVENTS))
    value: dict[str, Any] = json.loads(text)
    return value


def _with_rows(**members: Any) -> dict[str, Any]:
    """A pack in which `declare` and `note` may have a table; `members` replace or add members of a row."""
    value, row = _pack(), fields(("serial", "amount", "shown"), **{**_ROW, **members})
    value["formats"][2] |= {"effect": "custody.table", "rows": row}
    value["formats"][0]["rows"] = fields(word={"type": "string"})
    return value


_ROW: dict[str, Any] = {
    "amount": {"minimum": 1, "type": "integer"},
    "kind": {"type": "string"},
    "place": {"type": "string"},
    "serial": {"maxLength": 40, "minLength": 1, "type": "string"},
    "shown": {"type": "boolean"},
}


def packs() -> list[Case]:
    """`pack.json` is a compiled pack."""
    cases = Cases("pack", "pack")
    small = pack()
    languages = json.loads(encode(small).replace(b'{"en":"Lake"}', b'{"en":"Lake","fr":"Lac"}'))
    for name in ("parties", "formats"):
        for row in languages[name]:
            for member in ("names", "role", "purpose"):
                if member in row:
                    row[member]["fr"] = row[member]["en"]
    nested = {"formats": [{**FORMATS["note"], "fields": _FIELDS}]}
    lapsing = pack(("ash", "birch", "cedar"), settlement={"lapse": True, "liars": 0, "quorum": "all"})
    five = pack(("ash", "birch", "cedar", "dogwood", "elm"), settlement={"liars": 0, "quorum": 2})
    holidays = {"basis": "receipt", "days": "working", "holidays": ["2014-01-06"], "zone": "Asia/Damascus"}
    for case, sentence, value in [
        ("small", "Two parties and one format.", small),
        ("rules", "Every due rule, an event by date and one by format, custody.", _pack()),
        ("two-languages", "Every text in both languages.", {**languages, "languages": ["en", "fr"]}),
        ("field-schema", "Every keyword of the field schema.", {**small, **nested}),
        ("quorum", "Five parties, of whom two others attest: 2q > n + f.", five),
        ("lapsing", "An agreement whose offers of custody may lapse.", lapsing),
        ("working-days", "Working days, holidays, and the receipt as basis.", {**small, "time": holidays}),
        ("rows", "A format whose content may have a table, and the schema of its rows.", _with_rows()),
        (
            "replaces",
            "A pack that replaces another.",
            {**small, "edition": "2", "replaces": hashlib.sha256(encode(small)).hexdigest()},
        ),
    ]:
        text = encode(value)
        expected = {
            "digest": hashlib.sha256(text).hexdigest(),
            "formats": sorted(item["id"] for item in value["formats"]),
            "obligations": sorted(item["id"] for item in value["obligations"]),
            "parties": sorted(item["id"] for item in value["parties"]),
        }
        cases.good(case, sentence, {"pack.json": text}, expected)
    for case, sentence, change in _BROKEN:
        broken = _pack()
        change(broken)
        cases.bad(case, sentence, {"pack.json": encode(broken)})
    for case, sentence, change in _BROKEN_ROWS:
        broken = _with_rows()
        change(broken)
        cases.bad(case, sentence, {"pack.json": encode(broken)}, "pack#Rows of a table")
    cases.bad("not-canonical", "A pack with white space.", {"pack.json": json.dumps(small).encode()}, "canonical-json")
    return cases.made


_FIELDS: dict[str, Any] = fields(
    list={
        "items": {"maximum": 9, "minimum": 0, "type": "integer"},
        "maxItems": 5,
        "minItems": 1,
        "type": "array",
        "uniqueItems": True,
    },
    text={"maxLength": 8, "minLength": 1, "pattern": "^[a-z]+$", "title": "a word", "type": "string"},
    choice={"description": "one of two", "enum": ["a", "b"], "type": "string"},
    always={"const": True, "type": "boolean"},
    none={"type": "null"},
    inner=fields(("b",), a={"type": "integer"}, b={"type": "string"}),
)

Change = Callable[[dict[str, Any]], Any]


def _set(*path: Any, to: Any) -> Change:
    def change(value: dict[str, Any]) -> None:
        here: Any = value
        for step in path[:-1]:
            here = here[step]
        here[path[-1]] = to

    return change


def _drop(*path: Any) -> Change:
    def change(value: dict[str, Any]) -> None:
        here: Any = value
        for step in path[:-1]:
            here = here[step]
        del here[path[-1]]

    return change


def _again(member: str) -> Change:
    return lambda value: value[member].append(value[member][0])


def _note_fields(**text: Any) -> Change:
    return _set("formats", 0, "fields", "properties", "text", to=text)


def _row_member(name: str, schema: dict[str, Any]) -> Change:
    return _set("formats", 2, "rows", "properties", name, to=schema)


def _note_rows(name: str) -> Change:
    return _set("formats", 0, "fields", "properties", name, to={"type": "string"})


_BROKEN: list[tuple[str, str, Change]] = [
    ("version", "A pack of another version.", _set("servanda-pack", to=2)),
    ("member-missing", "A member is missing.", _drop("bodies")),
    ("more-members", "A member that packs have not.", _set("colour", to="green")),
    ("one-party", "An agreement with oneself.", _drop("parties", 1)),
    ("no-format", "No format.", _set("formats", to=[])),
    ("party-twice", "Two parties of one id.", _again("parties")),
    ("item-twice", "Two items of one id.", _again("items")),
    ("obligation-twice", "Two obligations of one id.", _again("obligations")),
    ("party-id", "A party whose id has a capital letter.", _set("parties", 0, "id", to="Ash")),
    ("text-missing", "A text that lacks one of the languages.", _set("languages", to=["en", "fr"])),
    ("text-empty", "A text without characters.", _set("parties", 0, "names", "en", to="")),
    ("built-in-name", "A format with the name of a built-in one.", _set("formats", 3, "id", to="accept")),
    ("effect-unknown", "An effect that there is not.", _set("formats", 0, "effect", to="custody.steal")),
    ("effect-act", "An effect under an act that is not its own.", _set("formats", 2, "act", to="offer")),
    ("sender-unknown", "A sender who is no party.", _set("formats", 0, "may-send", to=["oak"])),
    ("witness-unknown", "A witness who is no party.", _set("formats", 3, "witnesses", to=["oak"])),
    ("release-root", "A format that root keys release.", _set("formats", 0, "release", to="root")),
    ("schema-ref", "A field schema with `$ref`.", _note_fields(**{"$ref": "#", "type": "string"})),
    ("schema-any-of", "A field schema with a combinator.", _note_fields(anyOf=[{"type": "string"}], type="string")),
    ("schema-format", "A field schema with `format`.", _note_fields(format="date", type="string")),
    ("schema-open", "An object that takes any member.", _drop("formats", 0, "fields", "additionalProperties")),
    ("pattern-loose", "A pattern that is not anchored.", _note_fields(pattern="[a-z]+", type="string")),
    ("pattern-look-around", "A pattern with look-around.", _note_fields(pattern="^(?=a).*$", type="string")),
    ("pattern-back-reference", "A pattern that refers back.", _note_fields(pattern=r"^(a)\1$", type="string")),
    ("pattern-class", "A pattern with a letter after a backslash.", _note_fields(pattern=r"^\d+$", type="string")),
    ("unit-unknown", "An item in a unit that there is not.", _set("items", 2, "unit", to="kg")),
    ("within-unknown", "A kind within one that there is not.", _set("items", 1, "within", to="goods")),
    ("within-itself", "A kind within itself.", _set("items", 0, "within", to="salt")),
    ("date-unreal", "A due date that does not exist.", _set("obligations", 0, "due", "date", to="2014-02-30")),
    ("rule-unknown", "A due rule that there is not.", _set("obligations", 0, "due", "rule", to="soon")),
    ("rule-member", "A due rule with a member missing.", _drop("obligations", 1, "due", "days")),
    ("event-unknown", "A deadline after an event that there is not.", _set("obligations", 1, "due", "event", to="end")),
    ("trigger-unknown", "A trigger that is no format.", _set("obligations", 5, "due", "trigger", to="siren")),
    ("obligor-unknown", "An obligor who is no party.", _set("obligations", 0, "obligors", to=["oak"])),
    ("lapse-word", "A lapse that is neither true nor false.", _set("settlement", "lapse", to="maybe")),
    ("zone-unknown", "A time zone that there is not.", _set("time", "zone", to="Lake/Shore")),
    ("quorum-small", "A quorum that is too small: 2q = n + f.", _set("settlement", to={"liars": 2, "quorum": 1})),
]  # fmt: skip


_BROKEN_ROWS: list[tuple[str, str, Change]] = [
    ("rows-nested", "Rows with a list in them.", _row_member("shown", {"items": {"type": "string"}, "type": "array"})),
    ("rows-null", "Rows with a member that is nothing.", _row_member("shown", {"type": "null"})),
    ("rows-empty", "Rows without members.", _set("formats", 0, "rows", to=fields())),
    ("rows-no-object", "Rows that are words.", _set("formats", 0, "rows", to={"type": "string"})),
    ("rows-open", "Rows that take any member.", _drop("formats", 2, "rows", "additionalProperties")),
    (
        "rows-pattern",
        "Rows with a pattern that is not anchored.",
        _row_member("serial", {"pattern": "a", "type": "string"}),
    ),
    ("rows-none", "A declaration by table whose rows have no schema.", _drop("formats", 2, "rows")),
    ("rows-no-kind", "Rows that open lots of no kind.", _set("formats", 2, "rows", to=fields(place=_ROW["place"]))),
    ("rows-serial", "Rows that open lots whose serial is a number.", _row_member("serial", {"type": "integer"})),
    ("rows-amount", "Rows that open lots whose amount is a word.", _row_member("amount", {"type": "string"})),
    ("rows-table-stated", "A field schema that states `table` as well.", _note_rows("table")),
    ("rows-groups-stated", "A field schema that states `groups` as well.", _note_rows("groups")),
]


def identity() -> list[Case]:
    """`entries.jsonl` holds identity entries of the party and agreement in `journal.json`; all are admissible."""
    cases = Cases("identity", "identity")
    one, two = keys_of("ash"), keys_of("ash", "2")
    kept = two._replace(roots=one.roots)
    shared = two._replace(roots=(one.roots[0], two.roots[0]))
    single = one._replace(roots=one.roots[:1])
    lone = identity_content(single, 1)
    bare = identity_content(one, officers=[], tls=["3f" * 32])
    sealing = identity_content(one, encryption={"age-x25519": _x25519("1")})
    renewed = identity_content(kept, encryption={"age-x25519": _x25519("2")})
    good: list[tuple[str, str, list[tuple[Keys, dict[str, Any]]], list[int]]] = [
        ("first", "Entry 1, signed by both of its root keys.", [(one, {})], [2]),
        ("one-root-key", "One root key, threshold one.", [(single, {"content": lone})], [1]),
        ("no-officers", "No officers; a key of the line.", [(one, {"content": bare})], [2]),
        ("operational-keys", "All keys but the root are replaced.", [(one, {}), (kept, {})], [2, 2]),
        ("encryption", "A key to which bundles are encrypted.", [(one, {"content": sealing})], [2]),
        (
            "encryption-later",
            "A later identity states such a key, the next one another, the last one none.",
            [(one, {}), (one, {"content": sealing}), (kept, {"content": renewed}), (kept, {})],
            [2, 2, 2, 2],
        ),
        ("root-keys", "The root is replaced: signed by the old and by the new keys.", [(one, {}), (two, {})], [2, 2]),
        (
            "shared-root-key",
            "A key of the old root stays in the new one and signs once for both.",
            [(one, {}), (shared, {})],
            [2, 2],
        ),
    ]
    for name, sentence, steps, expected in good:
        world = _identified(steps)
        cases.good(
            name,
            sentence,
            _files(world),
            {"fingerprint": leaf_hash(world.journals["ash"].leaves[0]).hex(), "thresholds": expected},
        )
    _bad_contents(cases, one)
    _bad_signers(cases, one, two)
    return cases.made


def _x25519(name: str) -> str:
    """A public key for encryption: an identity only states it, so any 32 bytes will do."""
    return text_of(hashlib.sha256(f"vectors/ash/encryption/{name}".encode()).digest())


def _identified(steps: list[tuple[Keys, dict[str, Any]]]) -> World:
    world = World(pack(), founded=False)
    for keys, members in steps:
        world.identify("ash", keys, **members)
    return world


def _files(world: World) -> dict[str, bytes]:
    leaves = world.journals["ash"].leaves
    return {
        "entries.jsonl": b"".join(leaf + b"\n" for leaf in leaves),
        "journal.json": shown({"agreement": world.agreement, "party": "ash"}),
    }


def _bad_contents(cases: Cases, keys: Keys) -> None:
    root = [{"public": text_of(key.public), "type": "ed25519"} for key in keys.roots]
    desk = identity_content(keys)["officers"][1]
    for name, sentence, path, value in [
        ("threshold-zero", "A threshold of zero.", ("root", "threshold"), 0),
        ("threshold-over", "A threshold greater than the number of keys.", ("root", "threshold"), 3),
        ("root-key-twice", "A root key stands twice.", ("root", "keys"), [root[0], root[0], root[1]]),
        ("no-root-keys", "No root key.", ("root", "keys"), []),
        ("root-key-type", "A root key of another type.", ("root", "keys"), [*root, {**root[0], "type": "ed448"}]),
        ("officer-twice", "Two officers of one id.", ("officers",), [desk, {**desk, "public": text_of(bytes(32))}]),
        ("officer-root", "An officer called root.", ("officers",), [{**desk, "id": "root"}]),
        ("officer-centre", "An officer called centre.", ("officers",), [{**desk, "id": "centre"}]),
        ("officer-key-of-root", "An officer with a root key.", ("officers",), [{**desk, "public": root[0]["public"]}]),
        (
            "officer-key-short",
            "An officer with a key of 31 bytes.",
            ("officers",),
            [{**desk, "public": text_of(bytes(31))}],
        ),
        ("roles-unsorted", "Roles in another order.", ("officers",), [{**desk, "roles": ["release", "author"]}]),
        ("role-unknown", "A role that there is not.", ("officers",), [{**desk, "roles": ["admin"]}]),
        ("custody-unknown", "A key that lives elsewhere.", ("officers",), [{**desk, "custody": "cloud"}]),
        (
            "receipt-key-of-centre",
            "The receipt key is the centre's.",
            ("receipt", "ed25519"),
            text_of(keys.centre.public),
        ),
        (
            "ml-dsa-short",
            "An ML-DSA-44 key of 1,311 bytes.",
            ("centre", "ml-dsa-44"),
            text_of(keys.centre_mldsa44.public[:-1]),
        ),
        ("tls-upper-case", "A hash in upper case.", ("tls",), ["3F" * 32]),
        ("name-number", "A display name that is no text.", ("names",), {"en": 1}),
        ("more-members", "A member that identities have not.", ("note",), ""),
        ("encryption-null", "No key for encryption, said by null and not by absence.", ("encryption",), None),
        ("encryption-empty", "An encryption member without a key.", ("encryption",), {}),
        (
            "encryption-more-members",
            "A second key for encryption, of another kind.",
            ("encryption",),
            {"age-x25519": _x25519("1"), "age-x448": _x25519("2")},
        ),
        (
            "encryption-short",
            "An X25519 key of 31 bytes.",
            ("encryption",),
            {"age-x25519": text_of(bytes(range(31)))},
        ),
        (
            "encryption-as-age-writes-it",
            "The key as a text of age, and not in base64.",
            ("encryption",),
            {"age-x25519": "age1" + "q" * 58},
        ),
        (
            "encryption-key-of-centre",
            "The key for encryption is the centre's.",
            ("encryption",),
            {"age-x25519": text_of(keys.centre.public)},
        ),
    ]:
        content = identity_content(keys)
        _set(*path, to=value)(content)
        cases.bad(name, sentence, _files(_identified([(keys, {"content": content})])))
    content = identity_content(keys)
    del content["receipt"]
    cases.bad("receipt-missing", "No receipt key.", _files(_identified([(keys, {"content": content})])))


def _bad_signers(cases: Cases, one: Keys, two: Keys) -> None:
    def signed(signers: list[Any], keys: Keys = one, first: bool = False, **members: Any) -> dict[str, bytes]:
        world = _identified([(one, {})] if first else [])
        world.say("ash", "identity", identity_content(keys), signers=signers, **members)
        return _files(world)

    world = World(pack())
    birch = world.journals["birch"].leaves[0]
    by_id = sorted(one.roots, key=lambda root: hashlib.sha256(root.public).hexdigest())
    head = {"party": "birch", "root": leaf_hash(birch).hex(), "size": 1}
    for name, sentence, files, rule in [
        ("under-threshold", "One signature where two are needed.", signed(by_id[:1]), "#1"),
        ("signers-unsorted", "Signatures in another order than that of the key ids.", signed(by_id[::-1]), "#1"),
        (
            "signed-by-stranger",
            "Signed by one key that the entry does not state.",
            signed([by_id[0], ed25519("stranger")]),
            "#1",
        ),
        ("signed-by-centre", "Signed by the centre alone.", signed([one.centre], author="centre"), "#1"),
        (
            "without-old-root",
            "New root keys that the old ones did not sign.",
            signed(sorted(two.roots, key=lambda r: hashlib.sha256(r.public).hexdigest()), two, True),
            "#2",
        ),
        ("without-new-root", "New root keys that did not sign themselves.", signed(by_id, two, True), "#2"),
        ("addressed", "An identity entry that is addressed to somebody.", signed(by_id, to=["birch"]), ""),
        ("heads", "An identity entry that rests on another journal.", signed(by_id, one, True, heads=[head]), ""),
        ("under-a-pack", "An identity entry that names a pack.", signed(by_id, pack=world.agreement), ""),
        ("format-version-2", "An identity entry of another version.", signed(by_id, format_version=2), ""),
        ("misplaced", "Entry 1 says that it is entry 2.", signed(by_id, number=2), "entry#step 3"),
        ("other-agreement", "Entry 1 of another agreement.", signed(by_id, agreement="00" * 32), "entry#step 3"),
        ("replayed", "Entry 1 stands there twice.", _replayed(one), "entry#step 3"),
        ("no-identity", "Entry 1 adopts a pack and states no identity.", _adopting(), "#1"),
    ]:
        cases.bad(name, sentence, files, rule)


def _adopting() -> dict[str, bytes]:
    world = _identified([])
    world.say("ash", "adopt", {"pack": world.agreement})
    return _files(world)


def _replayed(keys: Keys) -> dict[str, bytes]:
    world = _identified([(keys, {})])
    world.put("ash", world.journals["ash"].leaves[0])
    return _files(world)


def cases() -> list[Case]:
    """Everything of this module."""
    return [*packs(), *identity()]
