# SPDX-License-Identifier: Apache-2.0
"""Are forks weighed as spec/settlement.md says, and does the program say so to a shell?"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.verifier.build import World, archive, canonical, leaf_hash, tree_root
from tests.unit.verifier.cases import accounts, busy_world, declare, state_of, true_registers, verify
from verifier.verify import Malformed, Tree, decode, main, misfit, pattern, read_archive, read_span, roots_of_path


def path_between(leaves: list[bytes], first: int, second: int) -> list[bytes]:
    """RFC 6962 section 2.1.2, but starting with the first root also where that is a whole subtree."""

    def sub(m: int, part: list[bytes], whole: bool) -> list[bytes]:
        if m == len(part):
            return [] if whole else [tree_root(part)]
        k = 1
        while k * 2 < len(part):
            k *= 2
        if m <= k:
            return [*sub(m, part[:k], whole), tree_root(part[k:])]
        return [*sub(m - k, part[k:], False), tree_root(part[:k])]

    path = sub(first, leaves[:second], True)
    return [tree_root(leaves[:first]), *path] if first & (first - 1) == 0 else path


@given(st.integers(2, 70).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n))))
def test_a_consistency_path_leads_to_both_roots(sizes: tuple[int, int]) -> None:
    leaves = [leaf_hash(bytes([i])) for i in range(sizes[1])]
    roots = roots_of_path(*sizes, path_between(leaves, *sizes))
    assert roots == (tree_root(leaves[: sizes[0]]), tree_root(leaves))
    assert [Tree(leaves).root(n) for n in range(len(leaves) + 1)] == [
        tree_root(leaves[:n]) for n in range(len(leaves) + 1)
    ]


def forked() -> tuple[World, bytes, bytes]:
    """Three parties; ana signs another fifth entry than the one that the others hold. Gives two proofs of it."""
    world = World(("ana", "ben", "cas"))
    c = world.centres["ana"]
    declare(world, "ana", 5)
    first_size = world.checkpoint("ana")
    for _ in range(2):
        declare(world, "ana", 1)
    kept = list(c.leaves)
    first = world.checkpoint("ana")
    c.leaves[3:] = []
    for n in (6, 7, 8, 9):
        declare(world, "ana", n, heads=[])
    second = world.checkpoint("ana", 6)
    hashes = [leaf_hash(x) for x in c.leaves]
    path = [x.hex() for x in path_between(hashes, 4, 7)]
    later = world.checkpoint("ana", 7)
    c.leaves[:] = kept
    proof = {"consistency": [], "first": first.decode(), "second": second.decode(), "servanda-fork": 1}
    other = {"consistency": path, "first": first_size.decode(), "second": later.decode(), "servanda-fork": 1}
    return world, canonical(proof), canonical(other)


@pytest.mark.parametrize("which", [1, 2])
def test_entries_of_a_forked_journal_have_effect_as_far_as_others_uphold_them(which: int) -> None:
    world, *proofs = forked()
    declare(world, "ben", 50, sees={"ana": 4, "cas": 3})
    declare(world, "cas", 60, sees={})
    files = world.files() | {"proofs/fork.json": proofs[which - 1]}
    found = verify(world, world.bundle(files))
    assert found.problems == []
    assert found.forks == {"ana": 4}
    assert accounts(found) == {"held/ana": 5, "held/ben": 50, "held/cas": 60}
    after = declare(world, "ben", 70)
    found = verify(world, world.bundle(world.files() | {"proofs/fork.json": proofs[0]}))
    assert found.forks == {"ana": 6}
    assert state_of(found, after) == "admissible"


def test_what_covers_a_suspended_entry_is_suspended_until_a_branch_is_stated() -> None:
    parties = ("ana", "ben", "cas", "dan")
    world = World(parties)
    c = world.centres["ana"]
    declare(world, "ana", 5)
    kept, first = list(c.leaves), world.checkpoint("ana")
    c.leaves.pop()
    declare(world, "ana", 6, heads=[])
    proof = canonical(
        {"consistency": [], "first": first.decode(), "second": world.checkpoint("ana").decode(), "servanda-fork": 1}
    )
    c.leaves[:] = kept
    covers = declare(world, "ben", 50)  # alone: the quorum is two
    found = verify(world, world.bundle(world.files() | {"proofs/fork.json": proof}))
    assert (found.forks, state_of(found, covers)) == ({"ana": 3}, "suspended")
    assert accounts(found) == {}
    branch = {"root": c.root(5).hex(), "size": 5} if len(c.leaves) > 4 else {"root": c.root(4).hex(), "size": 4}
    world.say("ana", "branch", branch, author="root", releaser=None, pack=None, signers=c.roots)
    found = verify(world, world.bundle(world.files() | {"proofs/fork.json": proof}))
    assert accounts(found) == {"held/ana": 5, "held/ben": 50}


def test_what_proves_no_fork_is_refused() -> None:
    world, proof, other = forked()
    good = decode(proof)
    bad: list[Any] = [
        {**good, "second": good["first"]},
        {**good, "consistency": ["0" * 64]},
        {**decode(other), "consistency": decode(other)["consistency"][1:]},
        {**decode(other), "consistency": []},
        {**good, "first": good["second"].replace("\n6\n", "\n5\n")},
        {**good, "first": world.checkpoint("ana", signer="mallory").decode()},
        {"servanda-fork": 1},
    ]
    for value in bad:
        found = verify(world, world.bundle(world.files() | {"proofs/fork.json": canonical(value)}))
        assert [p.where for p in found.problems] == ["proofs/fork.json"]


def arguments(world: World) -> list[str]:
    return [f"--party={p}={f}" for p, f in world.pins.items()]


def test_the_program_prints_what_it_checked_and_leaves_with_zero(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = busy_world()
    declare(world, "ana", 1, author="nobody")
    path = tmp_path / "a.servanda"
    path.write_bytes(world.bundle(world.files(), true_registers(world)))
    assert main([str(path), *arguments(world), "--expect=ana>=12"]) == 0
    text = capsys.readouterr().out
    assert "complete to entry 12 of journal ana, as of 2026-01-04T00:00:00Z" in text
    assert "ana/12 unknown-key nobody" in text
    assert "2 registers recomputed" in text
    assert text.endswith("VERIFIED\n")
    assert main([str(path), *arguments(world), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["verified"] is True
    assert [x["code"] for x in report["inadmissible"]] == ["unknown-key"]


def test_the_program_names_the_first_wrong_place_and_leaves_with_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = busy_world()
    raw = bytearray(world.bundle(world.files()))
    member = next(m for m in read_archive(bytes(raw)) if m.name == "journals/ben/entries.jsonl")
    raw[member.at + 50] ^= 1
    path = tmp_path / "a.servanda"
    path.write_bytes(raw)
    assert main([str(path), *arguments(world), "--first-only"]) == 1
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(f"WRONG journals/ben/entries.jsonl, byte 50 (archive byte {member.at + 50}), entry ben/1: ")


def test_a_proof_outside_the_dossier_is_checked_with_the_keys_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world, proof, _ = forked()
    path, fork = tmp_path / "a.servanda", tmp_path / "fork.json"
    path.write_bytes(world.bundle(world.files()))
    fork.write_bytes(proof)
    assert main([str(path), "--fork", str(fork), *arguments(world)]) == 0
    assert "ana signed two histories" in capsys.readouterr().out
    fork.write_bytes(b"{}")
    assert main([str(path), "--fork", str(fork), *arguments(world)]) == 1


def test_wrong_usage_and_what_cannot_be_read_leave_with_two(tmp_path: Path) -> None:
    assert main([str(tmp_path / "none")]) == 2
    for bad in ("--party=x", "--expect=ana", "--nonsense"):
        with pytest.raises(SystemExit) as left:
            main([str(tmp_path / "none"), bad])
        assert left.value.code == 2


def test_no_bytes_end_in_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = busy_world()
    files = world.files()
    raw = world.bundle(files)
    dice = random.Random(7)
    path = tmp_path / "a.servanda"
    members = {m.name: m.data for m in read_archive(raw)}
    samples = [b"", b"PK\3\4", raw[:100], raw[:-1], raw + b"x", archive({"manifest.json": b"{}"}), archive({})]
    for _ in range(40):
        name = dice.choice(sorted(files))
        data = bytearray(files[name])
        at = dice.randrange(len(data))
        data[at : at + dice.randrange(9)] = dice.randbytes(dice.randrange(9))
        samples += [world.bundle({**files, name: bytes(data)}), archive({**members, name: bytes(data)})]
    for sample in samples:
        path.write_bytes(sample)
        main([str(path), *arguments(world)])
        assert "this program failed" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [b"{ }", b'{"b":1,"a":1}', b'{"a":1,"a":1}', b"1.0", b"1e2", b"-0", b"9007199254740992", b'"\\u0041"', b'"\\ud800"',
     b'\xef\xbb\xbf1', b'"\xff"', b"NaN", b'{"\\u00e9":1}', b"[" * 33 + b"]" * 33, b"[" * 9999, b"9" * 9999, b"1 ", b"",
     '{"é":1}'.encode()],
)  # fmt: skip
def test_json_that_is_not_canonical_is_refused(text: bytes) -> None:
    with pytest.raises(Malformed):
        decode(text)


@pytest.mark.parametrize(
    "text", [b"{}", b"-9007199254740991", '"Ed è 𝄞\\n\\u001f\x7f"'.encode(), b"[" * 32 + b"]" * 32]
)
def test_canonical_json_is_read(text: bytes) -> None:
    decode(text)


@pytest.mark.parametrize(
    "text", ["2014-1", "2014/2015/2016", "..", "2014-01-01T00:00Z", "", "2014-01-01T00:00:00", "/"]
)
def test_what_is_no_date_expression_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        read_span(text)


@pytest.mark.parametrize("text", ["a", "^a", "^(?=a)$", r"^\d$", r"^(a)\1$", "^($", "^[a$"])
def test_a_pattern_outside_the_subset_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        pattern(text)


def test_a_field_schema_tells_values_apart_as_json_does() -> None:
    assert misfit({"enum": [1]}, True, "x")
    assert misfit({"type": "integer"}, True, "x")
    assert misfit({"const": {"a": 1}}, {"a": True}, "x")
    assert misfit({"type": "array", "uniqueItems": True}, [{"a": 1}, {"a": 1}], "x")
    assert not misfit({"type": "array", "uniqueItems": True}, [1, True, "1"], "x")
    assert misfit({"type": "string", "maxLength": 1}, "𝄞𝄞", "x")
    assert not misfit({"type": "string", "maxLength": 1}, "𝄞", "x")
    assert misfit({"type": "string", "pattern": "^a|b$"}, "ab", "x")
    assert misfit({"type": "string", "pattern": "^a$"}, "a\n", "x")
