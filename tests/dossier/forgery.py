# SPDX-License-Identifier: Apache-2.0
"""A small dossier, the means to forge it, and both verifiers that must not be taken in."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from servanda.journal.state import Tree
from servanda.operations.bundles import export_bundle, read_bundle, record_of
from servanda.operations.comparing import exchange_heads
from servanda.operations.errors import Refusal
from servanda.operations.founding import fingerprint
from servanda.operations.verifying import Report, verify_bundle
from servanda.proof.canonical import decode, encode
from servanda.proof.checkpoints import Checkpoint, sign_checkpoint
from servanda.proof.container import read_container, write_container
from servanda.proof.envelope import MANIFEST_TYPE, Envelope, Signature, pae, parse_envelope
from servanda.proof.keys import key_id
from servanda.proof.merkle import leaf_hash
from servanda.proof.notes import Note
from servanda.registers.custody.views import balances_bytes
from servanda.registers.custody.views import fold as fold_custody
from servanda.registers.obligations.views import fold as fold_obligations
from servanda.registers.obligations.views import obligations_bytes
from tests.dossier.courier import WalkingCourier, exchange_quantum
from tests.rig.packs import lake
from tests.rig.world import World, held, row, signers_of

ROOT = Path(__file__).resolve().parents[2]
PARTIES = ("ash", "birch", "cedar")
Files = dict[str, bytes]


def small_world(*, seen: bool = True) -> World:
    """Three parties: a declaration, a handover settled by citations, a report, an acknowledgement; all receipted.

    Args:
        seen: whether the others have entries that cover the last ones of ash.
    """
    world = World(lake(PARTIES))
    declared = world.say("ash", "declare", {"lots": [row(5_000_000), row(None, "salt")]})
    world.sync()
    lot = f"{declared.place}/0"
    content = {"lots": [held(lot, 5_000_000)], "receiver": "birch", "place": "harbour"}
    offer = world.say("ash", "handover", content, named=("birch",))
    world.sync()
    answer = {"condition": None, "extent": "full", "received": []}
    world.say("birch", "accept", answer, refers_to=(offer.place,))
    world.sync()
    report = world.say("ash", "report", {"text": "done", "performs": [{"extent": "full", "obligation": "FIXED"}]})
    world.sync()
    if seen:
        said = {"disposition": "accepted", "reason": "read"}
        world.alone("cedar", "acknowledge", said, refers_to=(report.place,), to=("ash",))
        world.sync()
    exchange_quantum(world.centres)
    for party, centre in world.centres.items():
        for other in sorted(set(PARTIES) - {party}):
            assert exchange_heads(centre, WalkingCourier(party, world.centres), other) == {}
    return world


@cache
def shared_world() -> World:
    """The small world, for tests that only read it."""
    return small_world()


@cache
def dossier() -> bytes:
    """The dossier that birch makes of the small world."""
    return export_bundle(shared_world().centres["birch"], "dossier", "2026-01-04T00:00:00Z")


def pins_of(world: World) -> dict[str, str]:
    """Every party's fingerprint."""
    return {party: str(fingerprint(world.centres[party])) for party in world.centres}


@cache
def pins() -> dict[str, str]:
    """The fingerprints of the small world."""
    return pins_of(shared_world())


def files_of(data: bytes) -> Files:
    """The files of a bundle."""
    return read_container(data, bytes_max=len(data))


def leaves_of(files: Files, party: str) -> list[bytes]:
    """The leaves of a journal in a bundle."""
    return files[f"journals/{party}/entries.jsonl"].split(b"\n")[:-1]


def with_leaves(files: Files, party: str, leaves: Sequence[bytes]) -> Files:
    """The files with other leaves in one journal, and nothing else changed."""
    return {**files, f"journals/{party}/entries.jsonl": b"".join(leaf + b"\n" for leaf in leaves)}


def manifest_of(files: Files) -> dict[str, Any]:
    """What the manifest says."""
    said: dict[str, Any] = decode(parse_envelope(files["manifest.json"]).payload)  # type: ignore[assignment]
    return said


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root of the tree of some leaves."""
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf_hash(leaf))
    return tree.root()


def remade(files: Files, /, *, signer: str = "birch", **said: Any) -> bytes:
    """The bundle with its manifest made anew from the files, and signed by the centre of `signer`.

    Args:
        files: the files; those of journals without entries are not listed as journals.
        signer: whose centre key signs.
        said: members that the manifest states otherwise.
    """
    others = {path: content for path, content in sorted(files.items()) if path != "manifest.json"}
    manifest = manifest_of(files)
    manifest["files"] = [
        {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for path, content in others.items()
    ]
    manifest["journals"] = [
        {"party": party, "root": root_of(leaves).hex(), "size": len(leaves)}
        for path in sorted(others)
        if path.endswith("/entries.jsonl") and (leaves := leaves_of(files, party := path.split("/")[1]))
    ]
    return write_container({**others, "manifest.json": signed_manifest({**manifest, **said}, signer)})


def registers_of(files: Files, at: str = "2026-01-04") -> dict[str, str]:
    """The digests of the registers that follow from the files, as an exporter who has only these would state them."""
    record = record_of(read_bundle(remade(files)))
    documents = {
        "custody": balances_bytes(fold_custody(record)),
        "obligations": obligations_bytes(fold_obligations(record), date.fromisoformat(at)),
    }
    return {name: hashlib.sha256(document).hexdigest() for name, document in documents.items()}


def signed_manifest(manifest: Mapping[str, Any], signer: str) -> bytes:
    """A manifest in an envelope signed by the centre of `signer`."""
    payload, key = encode(dict(manifest)), signers_of(signer).centre
    signature = Signature(key_id(key.public), key.sign(pae(MANIFEST_TYPE, payload)), "ed25519")
    return Envelope(payload, MANIFEST_TYPE, (signature,)).encode()


def checkpoint_of(world: World, party: str, leaves: Sequence[bytes]) -> bytes:
    """A checkpoint over any leaves, signed by the centre that the journal belongs to."""
    origin = world.centres[party].journal.origin
    checkpoint, key = Checkpoint(origin, len(leaves), root_of(leaves)), signers_of(party).centre
    return Note(checkpoint.text(), (sign_checkpoint(checkpoint, key.sign, key.public),)).encode()


def reframed(leaf: bytes, change: Callable[[dict[str, Any]], object], signers: Sequence[Any] = ()) -> bytes:
    """The leaf with its frame changed: signed anew by `signers`, or under the signatures that it had."""
    envelope = parse_envelope(leaf)
    frame: dict[str, Any] = decode(envelope.payload)  # type: ignore[assignment]
    change(frame)
    payload = encode(frame)
    message = pae(envelope.payload_type, payload)
    fresh = tuple(Signature(key_id(key.public), key.sign(message), "ed25519") for key in signers)
    return Envelope(payload, envelope.payload_type, fresh or envelope.signatures).encode()


def back_dated(cosignature: str, seconds: int = 3600) -> str:
    """The base64 of a cosignature whose timestamp is earlier."""
    raw = bytearray(base64.b64decode(cosignature))
    raw[4:12] = (int.from_bytes(raw[4:12], "big") - seconds).to_bytes(8, "big")
    return base64.b64encode(raw).decode()


@cache
def stand_alone() -> ModuleType:
    """The stand-alone verifier as a module."""
    spec = importlib.util.spec_from_file_location("stand_alone_verifier", ROOT / "verifier" / "verify.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Verdicts(NamedTuple):
    """What both verifiers say: findings one a line; empty if they found nothing wrong."""

    ours: str
    alone: str
    report: Report | None
    shown: dict[str, Any]
    """The stand-alone verifier's report as JSON data."""


def verdicts(
    data: bytes, fingerprints: Mapping[str, str] | None = None, expected: Mapping[str, int] | None = None
) -> Verdicts:
    """Let both verifiers judge a bundle."""
    known = dict(pins() if fingerprints is None else fingerprints)
    report, ours = None, ""
    try:
        report = verify_bundle(data, known, expected)
        ours = "\n".join([*report.wrong, *(f"{party} is not pinned" for party in report.unpinned)])
    except Refusal as error:
        ours = str(error)
    judged = stand_alone().Dossier(data, known, dict(expected or {}), False)
    shown = json.loads(json.dumps(stand_alone().report_of(judged)))
    return Verdicts(ours, "\n".join(map(str, judged.problems)), report, shown)


def assert_refused(data: bytes, *named: str, **judging: Any) -> Verdicts:
    """Both verifiers refuse the bundle, and each names all of `named`."""
    found = verdicts(data, **judging)
    assert found.ours, "verify_bundle was taken in"
    assert found.alone, "the stand-alone verifier was taken in"
    for word in named:
        assert word in found.ours
        assert word in found.alone
    return found
