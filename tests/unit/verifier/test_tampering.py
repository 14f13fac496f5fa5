# SPDX-License-Identifier: Apache-2.0
"""Is every kind of tampering found, and the entry named in which it lies?"""

from __future__ import annotations

import re
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.verifier.build import World, archive, canonical, envelope, leaf_hash
from tests.unit.verifier.cases import busy_world, declare, first, state_of, statuses, true_registers, verify
from verifier.verify import ENTRY_TYPE, read_archive

JOURNAL = "journals/ben/entries.jsonl"


@cache
def honest() -> tuple[World, dict[str, bytes], bytes]:
    world = busy_world()
    files = world.files()
    return world, files, world.bundle(files, true_registers(world))


def test_an_honest_dossier_holds() -> None:
    world, _, raw = honest()
    found = verify(world, raw, {"ana": 11, "ben": 7})
    assert found.problems == []
    assert found.counts["registers recomputed"] == 2
    assert set(statuses(found, "ana") + statuses(found, "ben")) == {"admissible"}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_flipped_byte_anywhere_is_found_and_its_entry_named(data: st.DataObject) -> None:
    world, files, raw = honest()
    members = read_archive(raw)
    member = data.draw(st.sampled_from([*members, None]))
    low, high = (0, len(raw)) if member is None else (member.at, member.at + len(member.data))
    place, bits = data.draw(st.integers(low, high - 1)), data.draw(st.integers(1, 255))
    bad = bytearray(raw)
    bad[place] ^= bits
    found = verify(world, bytes(bad))
    problem = first(found)
    inside = next((m for m in members if m.at <= place < m.at + len(m.data)), None)
    if inside is not None:
        assert (problem.where, problem.offset, problem.archive_offset) == (inside.name, place - inside.at, place)
        match = re.fullmatch(r"journals/([a-z]+)/entries\.jsonl", inside.name)
        if match:
            number = files[inside.name].count(b"\n", 0, place - inside.at) + 1
            assert problem.entry == f"{match[1]}/{number}"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_change_in_a_journal_that_is_not_the_exporters_is_found_though_the_manifest_is_made_anew(
    data: st.DataObject,
) -> None:
    world, files, _ = honest()
    place, bits = data.draw(st.integers(0, len(files[JOURNAL]) - 2)), data.draw(st.integers(1, 255))
    bad = bytearray(files[JOURNAL])
    bad[place] ^= bits
    problem = first(verify(world, world.bundle({**files, JOURNAL: bytes(bad)})))
    number = files[JOURNAL].count(b"\n", 0, place) + 1
    assert problem.where == JOURNAL
    assert problem.entry in (f"ben/{number}", f"ben/{number + 1}" if files[JOURNAL][place : place + 1] == b"\n" else "")


def reordered(leaves: list[bytes]) -> list[bytes]:
    return [*leaves[:3], leaves[4], leaves[3], *leaves[5:]]


@pytest.mark.parametrize(
    ("change", "entry"),
    [
        (lambda x: x[:4] + x[5:], "ben/5"),
        (lambda x: [*x[:5], x[4], *x[5:]], "ben/6"),
        (reordered, "ben/4"),
        (lambda x: x[:-1], "ben/7"),
        (lambda x: [*x, x[-1]], "ben/8"),
        (lambda x: [x[1], *x[1:]], "ben/1"),
    ],
    ids=["dropped", "repeated", "reordered", "cut", "appended", "first entry replaced"],
)
def test_entries_moved_about_are_found_with_the_first_one_out_of_place(change, entry) -> None:  # type: ignore[no-untyped-def]
    world, files, _ = honest()
    leaves = change(files[JOURNAL].split(b"\n")[:-1])
    problem = first(verify(world, world.bundle({**files, JOURNAL: b"".join(x + b"\n" for x in leaves)})))
    assert (problem.where, problem.entry) == (JOURNAL, entry)


def test_a_cut_tail_with_its_own_older_checkpoint_shows_only_to_who_expects_more() -> None:
    world = World()
    older = world.files()
    declare(world, "ben", 5)
    raw = world.bundle(older)
    assert verify(world, raw).problems == []
    problem = first(verify(world, raw, {"ben": 4}))
    assert (problem.where, problem.entry) == (JOURNAL, "ben/4")


def test_the_exporter_who_rewrites_its_own_journal_is_contradicted_by_the_receipts_of_the_other() -> None:
    world = World()
    declare(world, "ana", 5)
    receipts = {name: data for name, data in world.files().items() if "/receipts/" in name}
    world.centres["ana"].leaves.pop()
    declare(world, "ana", 6)
    problem = first(verify(world, world.bundle({**world.files(), **receipts})))
    assert problem.where == "journals/ana/entries.jsonl"
    assert problem.entry == "ana/4"
    assert "ben receipted another root at 4" in problem.what


def test_the_exporter_who_rewrites_its_own_journal_is_contradicted_by_what_the_other_saw() -> None:
    world = World()
    declare(world, "ana", 5)
    seen = declare(world, "ben", 1)
    world.centres["ana"].leaves.pop()
    declare(world, "ana", 6, sees={})
    files = {name: data for name, data in world.files().items() if "/receipts/" not in name}
    found = verify(world, world.bundle(files))
    assert (first(found).entry, first(found).where) == (str(seen), JOURNAL)
    assert state_of(found, seen) == "waiting"


def test_swapped_signatures_are_inadmissible_when_the_centre_stands_by_them() -> None:
    world = World()
    d = declare(world, "ana", 5, signers=["ana/chief", "ana/desk"])
    found = verify(world)
    assert found.problems == []
    assert state_of(found, d) == "signature"


def test_an_entry_of_another_party_replayed_is_misplaced() -> None:
    world = World()
    d = declare(world, "ben", 5)
    world.centres["ana"].leaves.append(world.centres["ben"].leaves[-1])
    found = verify(world)
    assert statuses(found, "ana")[-1] == "misplaced"
    assert state_of(found, d) == "admissible"


@pytest.mark.parametrize(
    "name",
    ["journals/ben/checkpoint.txt", "journals/ana/receipts/ben.txt", "journals/ben/receipts/ana.txt"],
)
def test_a_note_signed_by_another_key_is_refused_though_the_manifest_is_made_anew(name: str) -> None:
    world, files, _ = honest()
    world = busy_world()
    other = world.centres["ben" if name.endswith(("ben.txt", "checkpoint.txt")) else "ana"]
    other.keys = {"centre": "mallory/centre", "receipt": "mallory/receipt"}
    problem = first(verify(world, honest()[0].bundle({**files, name: world.files()[name]})))
    assert problem.where == name


def test_a_manifest_signed_by_another_key_is_refused() -> None:
    world = busy_world()
    files = world.files()
    world.centres["ana"].keys["centre"] = "mallory/centre"
    problem = first(verify(world, world.bundle(files)))
    assert problem.where == "manifest.json"
    assert "not signed by the centre" in problem.what


@pytest.mark.parametrize("register", ["custody", "obligations"])
def test_a_register_that_the_record_does_not_give_is_named(register: str) -> None:
    world, files, _ = honest()
    registers = {**true_registers(world), register: "0" * 64}
    problem = first(verify(world, world.bundle(files, registers)))
    assert (problem.where, register in problem.what) == ("manifest.json", True)


def test_files_that_are_missing_added_or_of_other_names_are_named() -> None:
    world, files, _ = honest()
    signed = {m.name: m.data for m in read_archive(world.bundle(files))}
    less = {n: d for n, d in signed.items() if n != "journals/ben/checkpoint.txt"}
    assert first(verify(world, archive(less))).where == "journals/ben/checkpoint.txt"
    assert first(verify(world, archive({**signed, "proofs/x.json": b"{}"}))).where == "proofs/x.json"
    assert first(verify(world, world.bundle({**files, "notes/x.txt": b"hello"}))).where == "notes/x.txt"


def test_a_journal_without_a_fingerprint_or_with_another_one_does_not_hold() -> None:
    world, _, raw = honest()
    pins = world.pins
    for changed in ({"ana": pins["ana"]}, {**pins, "ben": pins["ana"]}):
        found = type(verify(world, raw))(raw, changed, {}, False)
        assert (first(found).where, first(found).entry) == (JOURNAL, "ben/1")
    assert type(verify(world, raw))(raw, {}, {}, True).problems == []


def test_a_pack_that_is_not_its_digest_is_refused() -> None:
    world, files, _ = honest()
    name = f"packs/{world.agreement}.json"
    assert first(verify(world, world.bundle({**files, name: files[name] + b" "}))).where == name


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (lambda f: envelope(ENTRY_TYPE, b" " + canonical(f), ["ana/desk", "ana/chief"]), "frame"),
        (lambda f: envelope(ENTRY_TYPE, canonical({**f, "more": 1}), ["ana/desk", "ana/chief"]), "frame"),
        (lambda f: envelope(ENTRY_TYPE, canonical({**f, "version": 2}), ["ana/desk", "ana/chief"]), "version"),
        (lambda f: envelope("text/plain", canonical(f), ["ana/desk", "ana/chief"]), "unreadable"),
        (lambda _: b"", "unreadable"),
        (lambda _: b"[" * 100_000, "unreadable"),
        (lambda _: b'{"payload":"\xff"}', "unreadable"),
        (lambda f: envelope(ENTRY_TYPE, b"{}", ["ana/desk"] * 2), "unreadable"),
    ],
)
def test_whatever_lies_under_a_checkpoint_is_numbered_and_judged(raw, code) -> None:  # type: ignore[no-untyped-def]
    world = World()
    d = declare(world, "ana", 5)
    world.centres["ana"].leaves.pop()
    frame = {
        "act": "notify", "agreement": world.agreement, "author": "desk", "content": {}, "number": d.number
    }  # fmt: skip
    world.centres["ana"].leaves.append(raw(frame))
    after = declare(world, "ana", 6, heads=[])
    found = verify(world)
    assert found.problems == []
    assert found.journals["ana"].entries[3].code == code
    assert state_of(found, after) == "admissible"
    assert leaf_hash(world.centres["ana"].leaves[3]).hex() == found.journals["ana"].entries[3].leaf
