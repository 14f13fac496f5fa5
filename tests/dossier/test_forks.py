# SPDX-License-Identifier: Apache-2.0
"""A party that signs two histories is convicted by one small file, which anyone can judge; nothing else convicts."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result

from servanda.cli.main import servanda
from servanda.journal.state import Entry
from servanda.operations.bundles import export_bundle, import_bundle
from servanda.operations.centre import Centre
from servanda.operations.comparing import exchange_heads, fork_in, whole_path
from servanda.operations.door import CentreDoor
from servanda.operations.errors import Conflict, Refusal
from servanda.operations.forkcheck import verify_fork
from servanda.operations.ports import Push
from servanda.proof.canonical import decode, encode
from servanda.proof.checkpoints import parse_checkpoint, sign_checkpoint
from servanda.proof.forks import ForkProof, parse_fork_proof
from servanda.proof.notes import Note, parse_note
from tests.dossier.courier import WalkingCourier
from tests.dossier.forgery import PARTIES, files_of, pins_of, remade, stand_alone, verdicts
from tests.rig.packs import lake
from tests.rig.world import World, held, row, signers_of

AS_OF = "2026-01-04T00:00:00Z"


class Swindle(NamedTuple):
    """Ash has handed one lot to birch in one history and to cedar in the other."""

    world: World
    twin: Centre
    """The centre of ash that keeps the second history."""


def honest(begins: int) -> World:
    """Three parties, in agreement up to entry `begins` of ash."""
    world = World(lake(PARTIES))
    world.say("ash", "declare", {"lots": [row(7_000_000)]})
    while world.centres["ash"].journal.size < begins:
        world.say("ash", "note", {"text": "nothing new"})
    world.sync()
    return world


def hand_over(world: World, receiver: str) -> Entry:
    content = {"lots": [held("ash/3/0", 7_000_000)], "receiver": receiver, "place": "harbour"}
    return world.say("ash", "handover", content, named=(receiver,))


def lengthen(world: World, size: int) -> None:
    while world.centres["ash"].journal.size < size:
        world.say("ash", "note", {"text": "all is well"})


def swindle(first: int, second: int) -> Swindle:
    """Birch holds one history to size `first`, cedar the other to size `second`."""
    world = honest(min(first, second) - 1)
    ash = world.centres["ash"]
    twin = Centre("ash", world.pack, copy.deepcopy(ash.store), ash.signers, ash.clock)
    hand_over(world, "birch")
    lengthen(world, first)
    world.deliver("ash", "birch")
    world.centres["ash"] = twin
    hand_over(world, "cedar")
    lengthen(world, second)
    world.deliver("ash", "cedar")
    world.centres["ash"] = ash
    assert [world.centres[p].record.journals["ash"].size for p in ("birch", "cedar")] == [first, second]
    return Swindle(world, twin)


def found_by(world: World, asking: str, asked: str) -> bytes:
    """The proof that one centre finds when it compares heads with another."""
    centre = world.centres[asking]
    names = exchange_heads(centre, WalkingCourier(asking, world.centres), asked)
    assert set(names) == {"ash"}
    return centre.store.forks()["ash"][names["ash"]]


class Files(NamedTuple):
    """A dossier, a proof and the fingerprints, as files."""

    dossier: Path
    proof: Path
    listing: Path
    pins: dict[str, str]


def written(folder: Path, world: World, exporter: str, proof: bytes) -> Files:
    pins = pins_of(world)
    files = Files(folder / "dossier.servanda", folder / "proof.json", folder / "prints.txt", pins)
    files.dossier.write_bytes(export_bundle(world.centres[exporter], "dossier", AS_OF))
    files.proof.write_bytes(proof)
    files.listing.write_text("".join(f"{party}={found}\n" for party, found in pins.items()))
    return files


def ours(files: Files) -> Result:
    arguments = [str(files.dossier), "--parties", str(files.listing), "--fork", str(files.proof)]
    return CliRunner().invoke(servanda, ["verify", *arguments])


def alone(files: Files, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    arguments = [f"--party={party}={found}" for party, found in files.pins.items()]
    status: int = stand_alone().main([str(files.dossier), "--fork", str(files.proof), *arguments])
    return status, capsys.readouterr().out


SIZES = [(4, 4), (6, 6), (8, 8), (4, 5), (4, 8), (5, 7), (5, 8), (7, 8), (8, 9), (8, 16), (6, 16), (9, 11)]


@pytest.mark.parametrize(("first", "second"), [*SIZES, (8, 4), (7, 5), (16, 9)])
def test_two_who_compare_heads_convict_the_third_before_anyone(
    first: int, second: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = swindle(first, second).world
    for asking, asked in (("birch", "cedar"), ("cedar", "birch")):
        proof = found_by(world, asking, asked)
        files = written(tmp_path, world, asking, proof)
        done = ours(files)
        assert (done.exit_code, done.exception) == (0, None)
        assert "the centre of ash signed two histories" in done.output
        status, said = alone(files, capsys)
        assert status == 0
        assert "ash signed two histories" in said
        # The proof travels inside the dossier too, and both draw the same registers from the same limits.
        found = verdicts(files.dossier.read_bytes(), files.pins)
        assert (found.ours, found.alone) == ("", "")
        assert any(path.startswith("proofs/fork-ash") for path in files_of(files.dossier.read_bytes()))


def test_the_proof_says_sizes_and_roots_as_json(tmp_path: Path) -> None:
    world = swindle(5, 8).world
    files = written(tmp_path, world, "birch", found_by(world, "birch", "cedar"))
    arguments = [str(files.dossier), "--parties", str(files.listing), "--fork", str(files.proof), "--json"]
    said = json.loads(CliRunner().invoke(servanda, ["verify", *arguments]).output)
    roots = {world.centres[p].record.journals["ash"].tree.root().hex() for p in ("birch", "cedar")}
    assert said["fork"] is True
    assert (said["party"], said["first-size"], said["second-size"]) == ("ash", 5, 8)
    assert {said["first-root"], said["second-root"]} == roots


def test_those_who_saw_one_history_find_nothing() -> None:
    world = honest(6)
    for asking, asked in (("birch", "cedar"), ("cedar", "birch")):
        assert exchange_heads(world.centres[asking], WalkingCourier(asking, world.centres), asked) == {}
    lengthen(world, 9)
    world.deliver("ash", "cedar")
    for asking, asked in (("birch", "cedar"), ("cedar", "birch")):
        assert exchange_heads(world.centres[asking], WalkingCourier(asking, world.centres), asked) == {}
        assert world.centres[asking].store.forks() == {}


def test_a_push_of_the_other_history_is_refused_and_the_proof_kept() -> None:
    world, twin = swindle(5, 6)
    birch = world.centres["birch"]
    push = Push("ash", 1, tuple(twin.store.leaves("ash", 1, 6)), twin.note_at(6))
    with pytest.raises(Conflict, match="ash/5"):
        CentreDoor(birch, lambda: None).push("ash", push)
    (proof,) = birch.store.forks()["ash"].values()
    assert verify_fork(export_bundle(birch, "dossier"), proof)["party"] == "ash"


def test_a_bundle_that_shows_the_other_history_leaves_ours_whole_and_the_proof_kept() -> None:
    world = swindle(5, 7).world
    birch, cedar = world.centres["birch"], world.centres["cedar"]
    held_before = birch.store.leaves("ash", 1, 100)
    said = world.say("cedar", "note", {"text": "received"})
    imported = import_bundle(birch, export_bundle(cedar, "courier"))
    assert imported.entries == {"ash": 0, "cedar": 1}
    assert birch.store.leaves("ash", 1, 100) == held_before
    assert birch.record.journals["cedar"].size == said.place.number
    (name,) = imported.forks
    assert verify_fork(export_bundle(birch, "dossier"), birch.store.forks()["ash"][name])["party"] == "ash"
    assert import_bundle(birch, export_bundle(cedar, "courier")).entries == {"ash": 0, "cedar": 0}


# ------------------------------------------------------------------------------------------------------------ no proofs


def changed(proof: bytes, **members: Any) -> bytes:
    value: dict[str, Any] = decode(proof)  # type: ignore[assignment]
    return encode({**value, **members})


def resigned(note: bytes, party: str) -> str:
    """The same checkpoint, signed by the centre of another party in the name of its own journal."""
    checkpoint, key = parse_checkpoint(parse_note(note).text), signers_of(party).centre
    signature = sign_checkpoint(checkpoint, key.sign, key.public)
    return Note(checkpoint.text(), (signature,)).encode().decode()


def of_one_history(world: World, first: int, second: int) -> bytes:
    ash = world.centres["ash"]
    path = tuple(whole_path(ash.journal.tree, first, second)) if first < second else ()
    return ForkProof(ash.note_at(first), ash.note_at(second), path).encode()


def other_agreement() -> bytes:
    world = World(lake(PARTIES, quorum=1))
    ash = world.centres["ash"]
    twin = Centre("ash", world.pack, copy.deepcopy(ash.store), ash.signers, ash.clock)
    hand = world.say("ash", "note", {"text": "one"})
    world.centres["ash"] = twin
    assert world.say("ash", "note", {"text": "two"}).hash != hand.hash
    size = ash.journal.size
    return ForkProof(ash.note_at(size), twin.note_at(size), ()).encode()


def flipped_root(note: str) -> str:
    lines = note.split("\n")
    lines[2] = ("B" if lines[2][0] == "A" else "A") + lines[2][1:]
    return "\n".join(lines)


def _with(proof: bytes, **changes: Callable[[Any], Any]) -> bytes:
    value: dict[str, Any] = decode(proof)  # type: ignore[assignment]
    return changed(proof, **{name: change(value[name]) for name, change in changes.items()})


NO_PROOFS: dict[str, Callable[[World, bytes], bytes]] = {
    "one checkpoint twice": lambda w, p: of_one_history(w, 5, 5),
    "two consistent sizes": lambda w, p: of_one_history(w, 4, 5),
    "two consistent sizes, the first a power of two": lambda w, p: of_one_history(w, 2, 5),
    "consistent sizes without a path": lambda w, p: changed(of_one_history(w, 3, 5), consistency=[]),
    "the second note signed by another party": lambda w, p: _with(p, second=lambda n: resigned(n.encode(), "cedar")),
    "both notes signed by another party": lambda w, p: _with(
        p, first=lambda n: resigned(n.encode(), "cedar"), second=lambda n: resigned(n.encode(), "cedar")
    ),
    "another agreement": lambda w, p: other_agreement(),
    "another party's checkpoint": lambda w, p: changed(p, second=w.centres["cedar"].note_at(2).decode()),
    "an altered root in the first note": lambda w, p: _with(p, first=flipped_root),
    "an altered root in the second note": lambda w, p: _with(p, second=flipped_root),
    "the path altered": lambda w, p: _with(p, consistency=lambda path: [*path[:-1], "0" * 64]),
    "the path cut": lambda w, p: _with(p, consistency=lambda path: path[:-1]),
    "the path lengthened": lambda w, p: _with(p, consistency=lambda path: [*path, path[0]]),
    "the path empty": lambda w, p: changed(p, consistency=[]),
    "the notes exchanged": lambda w, p: changed(p, first=decode(p)["second"], second=decode(p)["first"]),  # type: ignore[index,call-overload]
    "a member more": lambda w, p: changed(p, remarks="believe me"),
    "another version": lambda w, p: changed(p, **{"servanda-fork": 2}),
    "not canonical": lambda w, p: p + b"\n",
    "not JSON": lambda w, p: b"ash lies",
    "not UTF-8": lambda w, p: b"\xff\xfe",
    "nothing": lambda w, p: b"",
    "a note that is no checkpoint": lambda w, p: changed(p, first="ash\nlies\n\n"),
    "a path that is no list of hashes": lambda w, p: changed(p, consistency=[1]),
}


@pytest.mark.parametrize("name", NO_PROOFS)
def test_nobody_is_convicted_by(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = swindle(5, 7).world
    proof = found_by(world, "birch", "cedar")
    assert len(parse_fork_proof(proof).consistency) > 1
    files = written(tmp_path, world, "birch", NO_PROOFS[name](world, proof))
    done = ours(files)
    assert done.exit_code == 1, done.output
    assert "no fork is proven" in done.output
    status, said = alone(files, capsys)
    assert status == 1
    assert "NOT VERIFIED" in said
    with pytest.raises(Refusal):
        verify_fork(files.dossier.read_bytes(), files.proof.read_bytes())


def test_no_flipped_byte_leaves_a_proof_a_proof() -> None:
    world = swindle(5, 7).world
    proof = found_by(world, "birch", "cedar")
    record = world.centres["birch"].record
    judged = stand_alone().Dossier(export_bundle(world.centres["birch"], "dossier", AS_OF), pins_of(world), {}, False)
    assert fork_in(record, proof)[0].party == stand_alone().forked_party(proof, judged.journals) == "ash"
    for at in range(len(proof)):
        altered = bytearray(proof)
        altered[at] ^= 1 << at % 8
        with pytest.raises(Refusal):
            fork_in(record, bytes(altered))
        with pytest.raises(stand_alone().Malformed):
            stand_alone().forked_party(bytes(altered), judged.journals)


@pytest.mark.parametrize("name", NO_PROOFS)
def test_a_bundle_that_carries_one_is_refused_and_nothing_is_kept(name: str) -> None:
    world = swindle(5, 7).world
    accused = NO_PROOFS[name](world, found_by(world, "birch", "cedar"))
    innocent = honest(5)
    data = export_bundle(innocent.centres["birch"], "dossier", AS_OF)
    forged = remade({**files_of(data), "proofs/fork-ash-1.json": accused})
    found = verdicts(forged, pins_of(innocent))
    assert "proofs/fork-ash-1.json" in found.ours
    assert "proofs/fork-ash-1.json" in found.alone
    cedar = innocent.centres["cedar"]
    with pytest.raises(Refusal):
        import_bundle(cedar, forged)
    assert cedar.store.forks() == {}
    assert cedar.record.limits == {}


def test_a_dossier_that_does_not_verify_convicts_nobody(tmp_path: Path) -> None:
    world = swindle(4, 4).world
    files = written(tmp_path, world, "birch", found_by(world, "birch", "cedar"))
    files.listing.write_text(files.listing.read_text().replace(files.pins["ash"], "0" * 64))
    assert ours(files).exit_code == 1
