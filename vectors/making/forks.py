# SPDX-License-Identifier: Apache-2.0
"""Cases of the proof that a centre has signed two histories."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from making.case import Case, Cases, shown
from making.dossiers import dossier
from making.keys import ed25519, keys_of, text_of
from making.packs import pack
from making.world import World
from servanda.journal.state import Tree
from servanda.keyring.memory import MemorySigner
from servanda.proof.canonical import encode
from servanda.proof.checkpoints import Checkpoint, sign_checkpoint
from servanda.proof.merkle import consistency_path, leaf_hash
from servanda.proof.notes import Note


class _Histories(NamedTuple):
    """What a party showed to one side and to the other: two trees that part after entry 2."""

    world: World
    one: Tree
    other: Tree

    def note(self, tree: Tree, size: int, signer: MemorySigner | None = None, origin: str | None = None) -> str:
        """A signed checkpoint of a tree at a size."""
        key = signer or self.world.journals["ash"].keys.centre
        checkpoint = Checkpoint(origin or self.world.origin("ash"), size, tree.root(size))
        line = sign_checkpoint(checkpoint, key.sign, key.public)
        return Note(checkpoint.text(), (line,)).encode().decode()

    def path(self, tree: Tree, first: int, second: int, *, whole: bool = True) -> list[str]:
        """The consistency path; with the first root before it where RFC 6962 omits that."""
        path = consistency_path(first, second, tree.node)
        if whole and first & (first - 1) == 0:
            path = [tree.root(first), *path]
        return [node.hex() for node in path]


def _histories() -> _Histories:
    world = World(pack(), founded=False)
    world.identify("ash")
    one, other = Tree(), Tree()
    for number in range(1, 10):
        one.append(leaf_hash(f"entry {number}".encode()))
        other.append(leaf_hash(f"{'entry' if number < 3 else 'another'} {number}".encode()))
    return _Histories(world, one, other)


def _proof(first: str, second: str, path: list[str], **members: Any) -> bytes:
    return encode({"consistency": list(path), "first": first, "second": second, "servanda-fork": 1, **members})


def cases() -> list[Case]:
    """`proof.json` is judged by the centre keys that the identities in `bundle.servanda` state."""
    cases = Cases("fork", "journal")
    h = _histories()
    same = h.note(h.one, 5), h.note(h.other, 5)
    files = {**dossier(h.world, {})}
    for name, sentence, first, second, path, sizes in [
        ("one-size", "Two roots for one size.", *same, [], (5, 5)),
        (
            "older",
            "The tree of 3 entries is not the beginning of that of 5.",
            h.note(h.one, 3),
            same[1],
            h.path(h.other, 3, 5),
            (3, 5),
        ),
        (
            "power-of-two",
            "The first size is a power of two: its root is prepended to the path.",
            h.note(h.one, 4),
            h.note(h.other, 7),
            h.path(h.other, 4, 7),
            (4, 7),
        ),
        (
            "eight-of-nine",
            "The path is as short as can be.",
            h.note(h.one, 8),
            h.note(h.other, 9),
            h.path(h.other, 8, 9),
            (8, 9),
        ),
        ("to-six", "From 6 entries to 9.", h.note(h.one, 6), h.note(h.other, 9), h.path(h.other, 6, 9), (6, 9)),
    ]:
        expected = {
            "first-root": h.one.root(sizes[0]).hex(), "first-size": sizes[0], "party": "ash",
            "second-root": h.other.root(sizes[1]).hex(), "second-size": sizes[1],
        }  # fmt: skip
        cases.good(name, sentence, {**files, "proof.json": _proof(first, second, path)}, expected, "#Proof of a fork")
    _earlier(cases)
    for name, sentence, proof in _bad(h, same):
        cases.bad(name, sentence, {**files, "proof.json": proof}, "#Proof of a fork")
    return cases.made


def _earlier(cases: Cases) -> None:
    h = _histories()
    first, old = h.note(h.one, 5), keys_of("ash")
    h.world.identify("ash", keys_of("ash", "2")._replace(roots=old.roots))
    second = h.note(h.other, 5)
    expected = {
        "first-root": h.one.root(5).hex(), "first-size": 5, "party": "ash",
        "second-root": h.other.root(5).hex(), "second-size": 5,
    }  # fmt: skip
    files = {**dossier(h.world, {}), "proof.json": _proof(first, second, [])}
    sentence = "The first note is signed by a centre key that has been replaced since."
    cases.good("earlier-key", sentence, files, expected, "#Proof of a fork")


def _bad(h: _Histories, same: tuple[str, str]) -> list[tuple[str, str, bytes]]:
    receipt, stranger = h.world.journals["ash"].keys.receipt, ed25519("stranger")
    foreign = f"servanda/{'00' * 32}/ash"
    path = h.path(h.other, 3, 5)
    three = h.note(h.one, 3)
    good: dict[str, Any] = {"consistency": [], "first": same[0], "second": same[1], "servanda-fork": 1}
    return [
        ("no-fork", "The same root twice.", _proof(same[0], same[0], [])),
        ("no-fork-older", "The older tree is the beginning of the newer.", _proof(three, same[0], h.path(h.one, 3, 5))),
        (
            "within-common-part",
            "Both histories begin with the first two entries.",
            _proof(h.note(h.one, 2), same[1], h.path(h.other, 2, 5)),
        ),
        ("one-size-with-path", "A path between two trees of one size.", _proof(*same, path)),
        ("no-path", "Two sizes and no path.", _proof(three, same[1], [])),
        ("other-path", "The path leads to another second root.", _proof(three, same[1], h.path(h.one, 3, 5))),
        ("path-long", "The path has one hash more.", _proof(three, same[1], [*path, path[0]])),
        (
            "path-not-prepended",
            "The first size is a power of two, and its root is not prepended.",
            _proof(h.note(h.one, 4), h.note(h.other, 7), h.path(h.other, 4, 7, whole=False)),
        ),
        ("path-upper-case", "Hashes in upper case.", _proof(three, same[1], [node.upper() for node in path])),
        ("backwards", "The larger tree comes first.", _proof(same[1], three, path)),
        (
            "signed-by-stranger",
            "One note is signed by somebody else.",
            _proof(same[0], h.note(h.other, 5, stranger), []),
        ),
        (
            "signed-by-receipt-key",
            "One note is signed by the party's receipt key.",
            _proof(same[0], h.note(h.other, 5, receipt), []),
        ),
        (
            "not-signed",
            "The root of one note was changed after signing.",
            _proof(same[0], same[0].replace(text_of(h.one.root(5)), text_of(h.other.root(5))), []),
        ),
        ("two-origins", "The notes are of two agreements.", _proof(same[0], h.note(h.other, 5, origin=foreign), [])),
        (
            "other-agreement",
            "Both notes are of an agreement that the bundle is not about.",
            _proof(h.note(h.one, 5, origin=foreign), h.note(h.other, 5, origin=foreign), []),
        ),
        ("version-2", "A proof of another version.", encode({**good, "servanda-fork": 2})),
        ("more-members", "A member that proofs have not.", _proof(*same, [], note="")),
        ("not-canonical", "White space in the proof.", json.dumps(good).encode()),
        ("list", "A list of notes.", shown([*same])),
    ]
