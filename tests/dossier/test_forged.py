# SPDX-License-Identifier: Apache-2.0
"""A dossier that was forged with care, its manifest made anew by the exporter, is refused by both verifiers."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from servanda.operations.bundles import export_bundle
from servanda.proof.canonical import encode
from servanda.proof.container import write_container
from servanda.proof.envelope import Envelope, Signature, parse_envelope
from tests.dossier.forgery import (
    PARTIES,
    Files,
    assert_refused,
    back_dated,
    checkpoint_of,
    dossier,
    files_of,
    leaves_of,
    manifest_of,
    pins,
    pins_of,
    reframed,
    registers_of,
    remade,
    shared_world,
    signed_manifest,
    small_world,
    verdicts,
    with_leaves,
)
from tests.rig.world import World, signers_of

Leaves = list[bytes]
Change = Callable[[Leaves], Leaves]


def at(number: int, change: Callable[[bytes], bytes]) -> Change:
    """Change one leaf by its number."""
    return lambda leaves: [change(leaf) if n == number else leaf for n, leaf in enumerate(leaves, start=1)]


def resigned(change: Callable[[tuple[Signature, ...]], tuple[Signature, ...]]) -> Callable[[bytes], bytes]:
    def changed(leaf: bytes) -> bytes:
        envelope = parse_envelope(leaf)
        signatures = [
            {"keyid": item.keyid, "sig": base64.b64encode(item.sig).decode(), "type": item.type}
            for item in change(envelope.signatures)
        ]
        payload = base64.b64encode(envelope.payload).decode()
        return encode({"payload": payload, "payloadType": envelope.payload_type, "signatures": signatures})

    return changed


def framed(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    return lambda leaf: reframed(leaf, change)


def set_amount(frame: dict[str, Any]) -> None:
    frame["content"]["lots"][0]["quantity"]["amount"] -= 1


def back_date_cited(frame: dict[str, Any]) -> None:
    frame["receipts"][0]["cosignature"] = back_dated(frame["receipts"][0]["cosignature"])


def birch_leaf(number: int) -> bytes:
    return leaves_of(files_of(dossier()), "birch")[number - 1]


CHANGES: dict[str, tuple[Change, int]] = {
    "an entry dropped": (lambda leaves: leaves[:3] + leaves[4:], 4),
    "an entry repeated": (lambda leaves: leaves[:3] + leaves[2:], 4),
    "two entries reordered": (lambda leaves: [*leaves[:3], leaves[4], leaves[3], *leaves[5:]], 4),
    "the last entry repeated": (lambda leaves: [*leaves, leaves[-1]], 7),
    "the signatures swapped": (at(3, resigned(lambda s: (s[1], s[0]))), 3),
    "the author's signature twice": (at(3, resigned(lambda s: (s[0], s[0]))), 3),
    "the releaser's bytes replaced by the author's": (
        at(3, resigned(lambda s: (s[0], s[1]._replace(sig=s[0].sig)))),
        3,
    ),
    "the releaser's signature dropped": (at(3, resigned(lambda s: s[:1])), 3),
    "another party's entry in the place of one": (lambda leaves: [*leaves[:3], birch_leaf(3), *leaves[4:]], 4),
    "another party's entry at the end": (lambda leaves: [*leaves, birch_leaf(4)], 7),
    "another party's identity in the place of this one's": (lambda leaves: [birch_leaf(1), *leaves[1:]], 1),
    "a cited receipt back-dated": (at(4, framed(back_date_cited)), 4),
    "the time of release changed": (at(5, framed(lambda f: f.update({"released-at": "2026-01-01T00:00:00.000Z"}))), 5),
    "one amount changed": (at(3, framed(set_amount)), 3),
    "the date of the event changed": (at(6, framed(lambda f: f.update({"event-at": "2014-01-09"}))), 6),
    "a head left out": (at(6, framed(lambda f: f.update({"heads": []}))), 6),
    "nonsense in the place of an entry": (at(3, lambda _leaf: b"{}"), 3),
    "an empty line": (lambda leaves: [*leaves[:2], b"", *leaves[2:]], 3),
}


def changed_files(name: str) -> Files:
    files = files_of(dossier())
    return with_leaves(files, "ash", CHANGES[name][0](leaves_of(files, "ash")))


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_journal_under_the_old_manifest_names_the_entry(name: str) -> None:
    assert_refused(write_container(changed_files(name)), f"ash/{CHANGES[name][1]}")


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_journal_under_a_manifest_made_anew_names_the_entry(name: str) -> None:
    assert_refused(remade(changed_files(name)), f"ash/{CHANGES[name][1]}")


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_journal_is_refused_even_if_its_own_centre_signs_it_anew(name: str) -> None:
    files = changed_files(name)
    files["journals/ash/checkpoint.txt"] = checkpoint_of(shared_world(), "ash", leaves_of(files, "ash"))
    found, named = verdicts(remade(files)), f"ash/{CHANGES[name][1]}"
    inadmissible = found.report.inadmissible if found.report else []
    assert named in [item["entry"] for item in inadmissible] or named in found.ours
    assert named in [item["entry"] for item in found.shown["inadmissible"]] or named in found.alone
    # More entries than anybody has receipted contradict nobody: they are shown as inadmissible, without effect.
    assert bool(found.ours) == bool(found.alone) == (named != "ash/7")


# ------------------------------------------------------------------------------- another history, signed by its own


def other_history() -> Files:
    """Ash conspires with the exporter: entry 6 says something else, signed by both officers and by the centre."""
    files, officers = files_of(dossier()), signers_of("ash").officers
    sign = [officers["desk"], officers["chief"]]
    leaves = at(6, lambda leaf: reframed(leaf, lambda f: f["content"].update({"text": "never"}), sign))(
        leaves_of(files, "ash")
    )
    files = with_leaves(files, "ash", leaves)
    return {**files, "journals/ash/checkpoint.txt": checkpoint_of(shared_world(), "ash", leaves)}


def test_another_history_is_refused_by_the_receipts_of_others() -> None:
    assert_refused(remade(other_history()), "ash/6", "cedar")


def test_another_history_is_refused_by_the_heads_of_others_when_their_receipts_are_left_out() -> None:
    files = {path: content for path, content in other_history().items() if not path.startswith("journals/ash/rec")}
    assert_refused(remade(files), "cedar/3", "another root of ash")


# ------------------------------------------------------------------------------------------------------- tails cut off


def cut(world: World, data: bytes, party: str, size: int, *, receipts: bool) -> bytes:
    """The dossier with a journal cut to an older size, for which its party has signed a checkpoint once."""
    files = files_of(data)
    leaves = leaves_of(files, party)[:size]
    files = with_leaves(files, party, leaves) | {
        f"journals/{party}/checkpoint.txt": checkpoint_of(world, party, leaves)
    }
    if not receipts:
        files = {path: c for path, c in files.items() if not path.startswith(f"journals/{party}/receipts/")}
    return remade(files, registers=registers_of(files))


@pytest.mark.parametrize(("party", "size"), [("ash", 5), ("ash", 4), ("birch", 3), ("cedar", 2)])
def test_a_journal_cut_short_is_refused_by_receipts_that_cover_more(party: str, size: int) -> None:
    assert_refused(cut(shared_world(), dossier(), party, size, receipts=True), f"{party}/")


@pytest.mark.parametrize("party", ["ash", "birch"])
def test_a_journal_cut_short_leaves_waiting_whoever_covers_more(party: str) -> None:
    size = {"ash": 5, "birch": 3}[party]
    found = verdicts(cut(shared_world(), dossier(), party, size, receipts=False))
    assert found.report is not None
    assert found.report.complete[party] == size
    waiting = {"ash": "cedar/3", "birch": "ash/6"}[party]
    assert f"{party}/{size + 1}" in found.report.waiting[waiting]
    assert waiting in [item["entry"] for item in found.shown["waiting"]]


@pytest.mark.parametrize(("party", "size"), [("ash", 5), ("ash", 2), ("birch", 3), ("cedar", 2)])
def test_a_journal_cut_short_is_refused_when_more_is_expected(party: str, size: int) -> None:
    data = cut(shared_world(), dossier(), party, size, receipts=False)
    whole = {"ash": 6, "birch": 4, "cedar": 3}[party]
    assert_refused(data, f"{party}/{size + 1}", expected={party: whole})


def test_an_older_cut_that_nothing_contradicts_says_where_it_ends() -> None:
    world = small_world(seen=False)
    whole = export_bundle(world.centres["birch"], "dossier", "2026-01-04T00:00:00Z")
    found = verdicts(cut(world, whole, "ash", 5, receipts=False), pins_of(world))
    assert (found.ours, found.alone) == ("", "")
    assert found.report is not None
    assert found.report.complete["ash"] == 5
    assert {"as-of": "2026-01-04T00:00:00Z", "entries": 5, "journal": "ash"} in found.shown["complete"]


# ------------------------------------------------------------------------------------------------------------ manifests


@pytest.mark.parametrize("signer", ["ash", "cedar"])
def test_a_manifest_signed_by_another_party_is_refused(signer: str) -> None:
    assert_refused(remade(files_of(dossier()), signer=signer), "birch")


def test_a_manifest_in_the_name_of_another_exporter_is_refused() -> None:
    assert_refused(remade(files_of(dossier()), exporter="ash"), "ash")
    assert_refused(remade(files_of(dossier()), exporter="elm"), "elm")


@pytest.mark.parametrize("register", ["custody", "obligations"])
def test_registers_that_do_not_follow_are_refused(register: str) -> None:
    registers = {**manifest_of(files_of(dossier()))["registers"], register: hashlib.sha256(b"").hexdigest()}
    assert_refused(remade(files_of(dossier()), registers=registers), register)


MANIFESTS: dict[str, dict[str, Any]] = {
    "judged at another time than its registers": {"as-of": "2026-01-05T00:00:00Z"},
    "as of no time": {"as-of": "yesterday"},
    "as of a day that does not exist": {"as-of": "2026-02-30T00:00:00Z"},
    "of another agreement": {"agreement": "0" * 64},
    "of another version": {"servanda-bundle": 2},
    "of no known purpose": {"purpose": "gift"},
    "of a courier, with registers": {"purpose": "courier"},
    "without registers": {"registers": {}},
    "with a member more": {"remarks": ""},
    "with journals out of order": {"journals": list(reversed(manifest_of(files_of(dossier()))["journals"]))},
    "with a journal twice": {"journals": [row for row in manifest_of(files_of(dossier()))["journals"] for _ in "ab"]},
    "with a journal left out": {"journals": manifest_of(files_of(dossier()))["journals"][:2]},
    "with files out of order": {"files": list(reversed(manifest_of(files_of(dossier()))["files"]))},
    "with a path that is no text": {"files": [{"path": ["a"], "sha256": "0" * 64, "size": 0}]},
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_that_says_something_else_is_refused(name: str) -> None:
    assert_refused(remade(files_of(dossier()), **MANIFESTS[name]))


@pytest.mark.parametrize("member", ["size", "root"])
def test_a_manifest_that_states_another_size_or_root_of_a_journal_is_refused(member: str) -> None:
    rows = manifest_of(files_of(dossier()))["journals"]
    rows[0][member] = {"size": 5, "root": "0" * 64}[member]
    assert_refused(remade(files_of(dossier()), journals=rows), "ash")


def test_an_entry_in_the_place_of_the_manifest_is_refused() -> None:
    files = files_of(dossier())
    assert_refused(write_container({**files, "manifest.json": leaves_of(files, "birch")[2]}))


def test_a_file_that_is_missing_unlisted_or_of_no_known_name_is_refused() -> None:
    files = files_of(dossier())
    assert_refused(write_container({path: c for path, c in files.items() if not path.endswith("receipts/ash.txt")}))
    assert_refused(write_container({**files, "notes.txt": b"trust me"}))
    assert_refused(remade({**files, "notes.txt": b"trust me"}), "notes.txt")
    for path in ("journals/ash/entries.jsonl", "journals/birch/checkpoint.txt"):
        assert_refused(remade({name: c for name, c in files.items() if name != path}))
    manifest = manifest_of(files)
    assert_refused(write_container({"manifest.json": signed_manifest({**manifest, "files": []}, "birch")}))


# ----------------------------------------------------------------------------------- packs, notes, openings, pins


def test_an_altered_pack_is_refused_whatever_it_is_called() -> None:
    files = files_of(dossier())
    path = next(name for name in files if name.startswith("packs/"))
    altered = files[path].replace(b'"absence":"overdue"', b'"absence":"not-stated"', 1)
    assert altered != files[path]
    assert_refused(remade({**files, path: altered}), path)
    digest = hashlib.sha256(altered).hexdigest()
    rest = {name: content for name, content in files.items() if name != path}
    assert_refused(remade({**rest, f"packs/{digest}.json": altered}))
    assert_refused(remade({**rest, f"packs/{digest}.json": altered}, agreement=digest))
    assert_refused(remade({**files, "packs/" + "0" * 64 + ".json": files[path]}), "packs/0000")


def lines_of(note: bytes) -> tuple[bytes, list[bytes]]:
    text, _, lines = note.partition(b"\n\n")
    return text + b"\n\n", lines.splitlines(keepends=True)


@pytest.mark.parametrize(("by", "journal"), list(permutations(PARTIES, 2)))
def test_a_back_dated_receipt_is_refused(by: str, journal: str) -> None:
    files = files_of(dossier())
    path = f"journals/{journal}/receipts/{by}.txt"
    text, lines = lines_of(files[path])
    assert len(lines) == 2  # Ed25519 and ML-DSA-44
    for index, line in enumerate(lines):
        mark, name, raw = line.decode().split(" ")
        forged = [*lines[:index], f"{mark} {name} {back_dated(raw.strip())}\n".encode(), *lines[index + 1 :]]
        assert_refused(remade({**files, path: text + b"".join(forged)}), journal, by)


def test_a_receipt_in_the_name_of_another_is_refused() -> None:
    files = files_of(dossier())
    cedars = files["journals/ash/receipts/cedar.txt"]
    assert_refused(remade({**files, "journals/ash/receipts/birch.txt": cedars}), "birch")
    assert_refused(remade({**files, "journals/birch/receipts/cedar.txt": cedars}), "birch")
    text, _ = lines_of(cedars)
    own = lines_of(files["journals/ash/checkpoint.txt"])[1]
    assert_refused(remade({**files, "journals/ash/receipts/cedar.txt": text + b"".join(own)}), "cedar")


def test_receipts_that_are_no_notes_are_refused() -> None:
    files = files_of(dossier())
    good = files["journals/ash/receipts/cedar.txt"]
    for content in (b"", b"\n", b"cedar has it\n", good.replace(b"\n6\n", "\n²\n".encode()), good[:-1], good + b"\n"):
        assert_refused(remade({**files, "journals/ash/receipts/cedar.txt": content}), "cedar")


def test_a_checkpoint_of_another_journal_or_by_another_centre_is_refused() -> None:
    files, world = files_of(dossier()), shared_world()
    name = "journals/ash/checkpoint.txt"
    assert_refused(remade({**files, name: files["journals/birch/checkpoint.txt"]}), "ash")
    assert_refused(remade({**files, name: checkpoint_of(world, "ash", leaves_of(files, "ash")[:5])}), "ash")
    text, _ = lines_of(files[name])
    _, lines = lines_of(files["journals/birch/checkpoint.txt"])
    assert_refused(remade({**files, name: text + b"".join(lines)}), "ash")
    _, (_classic, quantum) = lines_of(files[name])
    assert_refused(remade({**files, name: text + quantum}), "ash")


def test_an_opening_of_nothing_is_refused() -> None:
    files = files_of(dossier())
    leaf = hashlib.sha256(b"\0" + leaves_of(files, "ash")[2]).hexdigest()
    opening = {
        "disclosure": "WyJhYWFhYWFhYWFhYWFhYWFhYWFhYWFhIiwibiIsMV0",
        "entry": {"leaf": leaf, "number": 3, "party": "ash"},
    }
    assert_refused(remade({**files, "openings/ash.jsonl": encode(opening) + b"\n"}), "openings/ash.jsonl", "ash/3")
    assert_refused(remade({**files, "openings/ash.jsonl": b"{}\n"}), "openings/ash.jsonl")


def test_a_wrong_or_missing_fingerprint_is_refused() -> None:
    assert_refused(dossier(), "ash/1", fingerprints={**pins(), "ash": "0" * 64})
    assert_refused(dossier(), "cedar", fingerprints={party: pins()[party] for party in ("ash", "birch")})


def test_an_envelope_of_a_manifest_signed_twice_is_refused() -> None:
    files = files_of(dossier())
    envelope = parse_envelope(files["manifest.json"])
    other = parse_envelope(signed_manifest(manifest_of(files), "cedar")).signatures
    both = Envelope(envelope.payload, envelope.payload_type, (*envelope.signatures, *other)).encode()
    assert_refused(write_container({**files, "manifest.json": both}), "birch")
