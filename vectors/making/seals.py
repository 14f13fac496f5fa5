# SPDX-License-Identifier: Apache-2.0
"""Cases of sealed fields, sealed tables and the container of a bundle."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from typing import Any

from making.case import Case, Cases, shown
from making.keys import text_of
from servanda.proof.canonical import encode
from servanda.proof.container import write_container
from servanda.proof.encodings import encode_base64url
from servanda.proof.sealing import disclose, disclosure_digest, seal
from servanda.proof.tables import open_row, row_leaf, row_salt, table_root


def _salt(name: str, length: int = 16) -> bytes:
    return hashlib.sha256(f"vectors/salt/{name}".encode()).digest()[:length]


def sealing() -> list[Case]:
    """`disclosures.json` opens members of `content.json`; `expected.json` is the content with them in place."""
    cases = Cases("sealing", "sealing")

    def files(content: Any, disclosures: list[str]) -> dict[str, bytes]:
        return {"content.json": encode(content), "disclosures.json": shown(disclosures)}

    whole: dict[str, Any] = {"kind": "salt", "quantity": {"amount": 12, "unit": "g"}, "route": ["harbour", "store"]}
    one, opening = seal(whole, {"quantity": _salt("quantity")})
    two, openings = seal(whole, {"quantity": _salt("quantity"), "route": _salt("route", 32)})
    inner, deep = seal(whole["quantity"], {"amount": _salt("amount")})
    outer = {**whole, "quantity": inner}
    twice, around = seal(outer, {"quantity": _salt("around")})
    loose = encode_base64url(json.dumps([encode_base64url(_salt("loose")), "kind", "salt"], indent=2).encode())
    decoy = disclosure_digest(disclose(_salt("decoy"), "none", 0))
    by_hand = {"kind": "salt", "_sd": sorted([decoy, disclosure_digest(loose)])}
    for name, sentence, content, disclosures, expected in [
        ("one-field", "One sealed member, opened.", one, opening, whole),
        ("two-fields", "Two sealed members, opened; one salt is longer than it must be.", two, openings, whole),
        ("not-opened", "Two sealed members and no opening: the digests stay.", two, [], two),
        (
            "partly-opened",
            "One of two is opened; the other digest stays.",
            two,
            openings[:1],
            {**two, "quantity": whole["quantity"], "_sd": [disclosure_digest(openings[1])]},
        ),
        ("within-object", "A member of an inner object was sealed.", outer, deep, whole),
        (
            "sealed-within-sealed",
            "What an opening gives holds a digest itself; both are opened.",
            twice,
            [*around, *deep],
            whole,
        ),
        (
            "loose-json",
            "The JSON text of a disclosure need not be canonical; a digest that nothing opens stays.",
            {k: v for k, v in by_hand.items() if k != "kind"},
            [loose],
            {"_sd": [decoy], "kind": "salt"},
        ),
    ]:
        cases.good(name, sentence, files(content, disclosures), expected, "#Sealed field")
    text = opening[0]
    for name, sentence, content, disclosures in _bad_seals(whole, one, text):
        cases.bad(name, sentence, files(content, disclosures), "#Sealed field")
    return cases.made


def _bad_seals(whole: dict[str, Any], one: dict[str, Any], text: str) -> list[tuple[str, str, Any, list[str]]]:
    salt = encode_base64url(_salt("bad"))

    def raw(value: Any) -> str:
        return encode_base64url(value if isinstance(value, bytes) else encode(value))

    def under(disclosure: str, **members: Any) -> dict[str, Any]:
        return {"_sd": [disclosure_digest(disclosure)], **members}

    digest = one["_sd"][0]
    pairs = sorted([digest, disclosure_digest(raw([salt, "kind", 1]))])
    two_names = [raw([salt, "a", 1]), raw([encode_base64url(_salt("more")), "a", 2])]
    forms = [
        ("salt-short", "A salt of 15 bytes.", raw([encode_base64url(_salt("bad", 15)), "kind", 1])),
        ("salt-padded", "A salt that is not base64url without padding.", raw([salt + "==", "kind", 1])),
        ("salt-number", "A salt that is no text.", raw([1, "kind", 1])),
        ("name-sd", "The name `_sd`.", raw([salt, "_sd", []])),
        ("name-dots", "The name `...`.", raw([salt, "...", 1])),
        ("two-parts", "A disclosure of an item of a list, which is not ours.", raw([salt, "item"])),
        ("four-parts", "A disclosure of four parts.", raw([salt, "kind", 1, 2])),
        ("object", "A disclosure that is an object.", raw({"name": "kind", "salt": salt, "value": 1})),
        ("fraction", "A value with a number that we do not have.", raw(b'["%b","kind",1.5]' % salt.encode())),
        ("not-json", "A disclosure that is no JSON.", raw(b"salt")),
        ("padded", "A disclosure with padding.", raw([salt, "kind", "ab"]) + "="),
    ]
    bad: list[tuple[str, str, Any, list[str]]] = [(n, s, under(form), [form]) for n, s, form in forms]
    bad += [
        ("no-digest", "The disclosure answers to no digest.", whole, [text]),
        ("other-salt", "The salt was changed after sealing.", one, [raw([salt, "quantity", whole["quantity"]])]),
        (
            "value-changed",
            "The value was changed after sealing.",
            one,
            [raw([encode_base64url(_salt("quantity")), "quantity", 0])],
        ),
        ("digests-unsorted", "Digests in another order.", {"_sd": pairs[::-1]}, [text]),
        ("digest-twice", "A digest stands twice in one list.", {"_sd": [digest, digest]}, [text]),
        ("digest-short", "A digest of another length.", {"_sd": [digest[:40], digest]}, [text]),
        ("digests-no-list", "A digest that is not in a list.", {"_sd": digest}, [text]),
        ("member-there", "The object has a member of that name already.", {**one, "quantity": 1}, [text]),
        (
            "two-of-one-name",
            "Two disclosures give the same member.",
            {"_sd": sorted(map(disclosure_digest, two_names))},
            two_names,
        ),
    ]
    return bad


_SECRET = hashlib.sha256(b"vectors/table").digest()
_ROWS: list[dict[str, Any]] = [{"item": f"drum {row}", "kind": "salt", "weight": 100 * row} for row in range(5)]


def table() -> list[Case]:
    """`table.json` is what an entry carries; it is proved by a whole table, or for one row by `opening.json`."""
    cases = Cases("table", "sealing")

    def stated(root: bytes, rows: int) -> dict[str, bytes]:
        value = {"root": root.hex(), "rows": rows, "schema": "inventory", "servanda-table": 1}
        return {"table.json": shown(value)}

    def whole(
        rows: list[Any], root: bytes | None = None, count: int | None = None, secret: bytes = _SECRET
    ) -> dict[str, bytes]:
        found, number = table_root(secret, rows)
        head = stated(found if root is None else root, number if count is None else count)
        return {**head, "rows.json": shown(rows), "secret.txt": _SECRET.hex().encode()}

    for count in (1, 2, 5):
        openings = [json.loads(open_row(_SECRET, _ROWS[:count], row)) for row in range(count)]
        sentence = f"A table of {count} rows from its secret, and the openings of its rows."
        cases.good(f"whole-{count}", sentence, whole(_ROWS[:count]), {"openings": openings}, "#Sealed table")
    root, size = table_root(_SECRET, _ROWS)
    for row in (0, 3, 4):
        opening = open_row(_SECRET, _ROWS, row)
        files = {**stated(root, size), "opening.json": opening}
        cases.good(
            f"row-{row}-of-5", f"Row {row} of a table of 5 is opened.", files, {"value": _ROWS[row]}, "#Sealed table"
        )
    cases.bad(
        "whole-other-secret", "The root was made with another secret.", whole(_ROWS, secret=bytes(32)), "#Sealed table"
    )
    cases.bad("whole-row-less", "The table states one row more.", whole(_ROWS, count=6), "#Sealed table")
    cases.bad("whole-reordered", "The rows stand in another order.", whole(_ROWS[::-1], root=root), "#Sealed table")
    value = json.loads(open_row(_SECRET, _ROWS, 3))
    other = json.loads(open_row(_SECRET, _ROWS, 2))
    short = {**value, "salt": text_of(row_salt(_SECRET, 3)[:31])}
    bad: list[tuple[str, str, bytes]] = [
        ("row-value-changed", "Another weight.", encode({**value, "value": {**value["value"], "weight": 1}})),
        ("row-other-number", "The row is said to be another.", encode({**value, "row": 2})),
        ("row-other-salt", "The salt of another row.", encode({**value, "salt": other["salt"]})),
        ("row-other-path", "The path of another row.", encode({**value, "path": other["path"]})),
        ("row-salt-short", "A salt of 31 bytes.", encode(short)),
        ("row-outside", "A row after the last one.", encode({**value, "row": 5})),
        ("row-not-canonical", "White space in the opening.", json.dumps(value).encode()),
        ("row-more-members", "A member that openings have not.", encode({**value, "rows": 5})),
        ("row-no-object", "A row that is not an object.", encode({**value, "value": 1})),
        (
            "row-leaf-as-value",
            "The row's text instead of the row.",
            encode({**value, "value": row_leaf(b"", _ROWS[3]).decode()}),
        ),
    ]
    for name, sentence, opening in bad:
        cases.bad(name, sentence, {**stated(root, size), "opening.json": opening}, "#Sealed table")
    return cases.made


_FILES = {"manifest.json": b"{}", "journals/syr/entries.jsonl": b'{"a":1}\n', "packs/00.json": b"{}"}


def container() -> list[Case]:
    """`input.servanda` is the archive; no file in it means anything here."""
    cases = Cases("container", "bundle")
    for name, sentence, files in [
        ("three-files", "A manifest and two files.", _FILES),
        ("manifest-alone", "One file.", {"manifest.json": b"{}"}),
        ("empty-files", "Files may be empty.", {**_FILES, "proofs/a.json": b"", "proofs/b.json": b""}),
        (
            "any-bytes",
            "Files may hold the marks that archives use.",
            {**_FILES, "openings/syr.jsonl": b"PK\x01\x02PK\x03\x04PK\x05\x06" * 3},
        ),
        (
            "names",
            "Names as short, as long and as odd as they may be.",
            {**_FILES, "0": b"", "-/.-": b"", "a" * 195 + ".json": b""},
        ),
    ]:
        listed = [
            {"name": path, "sha256": hashlib.sha256(files[path]).hexdigest(), "size": len(files[path])}
            for path in sorted(files, key=lambda path: (path != "manifest.json", path))
        ]
        cases.good(name, sentence, {"input.servanda": write_container(files)}, {"files": listed}, "#Container")
    for case, sentence, archive in _bad_archives():
        cases.bad(case, sentence, {"input.servanda": archive}, "#Container")
    return cases.made


def _zipped(files: list[tuple[str, bytes]], **changes: Any) -> bytes:
    """An archive by the standard library, in the one form unless a change says otherwise."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name, data in files:
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 0, 0
            for attribute in ("compress_type", "extra", "comment", "date_time", "external_attr", "create_system"):
                if attribute in changes and name != "manifest.json":
                    setattr(entry, attribute, changes[attribute])
            archive.writestr(entry, data)
        archive.comment = changes.get("whole_comment", b"")
    return raw.getvalue()


def _bad_archives() -> list[tuple[str, str, bytes]]:
    good = write_container(_FILES)
    files = sorted(_FILES.items(), key=lambda item: (item[0] != "manifest.json", item[0]))
    manifest, journal, pack = files
    end = len(good) - 22
    at = good.index(b"journals/syr/entries.jsonl")
    crc, rows, last = struct.pack("<L", 0), good.index(b"PK\1\2"), good.rindex(b"packs/00")
    flagged = bytearray(good)
    flagged[6] = 8
    return [
        ("deflated", "A file is compressed.", _zipped(files, compress_type=zipfile.ZIP_DEFLATED)),
        ("extra-field", "A header with an extra field.", _zipped(files, extra=b"\x01\x00\x00\x00")),
        ("file-comment", "A file with a comment.", _zipped(files, comment=b"x")),
        ("archive-comment", "An archive with a comment.", _zipped(files, whole_comment=b"x")),
        ("dated", "A file with the date of another day.", _zipped(files, date_time=(2026, 1, 1, 0, 0, 0))),
        ("attributes", "A file with access rights.", _zipped(files, external_attr=0o644 << 16)),
        ("made-by-unix", "Another system in the central header.", _zipped(files, create_system=3)),
        ("unsorted", "Files in another order.", _zipped([manifest, pack, journal])),
        ("manifest-last", "The manifest does not come first.", _zipped([journal, pack, manifest])),
        ("directory", "An entry for a directory.", _zipped([manifest, ("journals/", b""), journal, pack])),
        ("name-upper-case", "A name with a capital letter.", _zipped([manifest, ("Journals", b""), journal, pack])),
        ("name-dots", "A name that leads out of the folder.", _zipped([manifest, ("a/../../b", b""), journal, pack])),
        ("name-absolute", "A name with a solidus first.", _zipped([manifest, ("/etc/passwd", b""), journal, pack])),
        ("name-backslash", "A name with a backslash.", _zipped([manifest, ("a\\b", b""), journal, pack])),
        ("name-long", "A name of 201 characters.", _zipped([manifest, ("a" * 201, b""), journal, pack])),
        ("bytes-after", "A byte after the archive.", good + b"\n"),
        ("bytes-before", "A byte before the archive.", b"#" + good),
        ("bytes-between", "Bytes before the directory that belong to no file.", good[:rows] + b"gap" + good[rows:]),
        ("cut", "The last byte is missing.", good[:-1]),
        ("no-directory", "The directory is missing.", good[:rows]),
        ("checksum", "A checksum that is not the file's.", good[: at - 16] + crc + good[at - 12 :]),
        ("content-changed", "A changed byte in a file.", good.replace(b'{"a":1}', b'{"a":2}')),
        ("flags", "A flag in a header.", bytes(flagged)),
        ("count", "The end record counts one file less.", good[: end + 8] + b"\2\0\2\0" + good[end + 12 :]),
        ("name-differs", "The directory has another name.", good[:last] + b"packs/01" + good[last + 8 :]),
        ("two-of-one-name", "Two files of one name.", good.replace(b"packs/00.json", b"manifest.json")),
        ("empty", "No bytes at all.", b""),
    ]  # fmt: skip


def cases() -> list[Case]:
    """Everything of this module."""
    return [*sealing(), *table(), *container()]
