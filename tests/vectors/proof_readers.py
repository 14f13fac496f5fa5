# SPDX-License-Identifier: Apache-2.0
"""How Servanda reads a case of the formats that need no record: what it finds, or an exception if it refuses."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from servanda.agreement.effects import EFFECTS, effect_validators
from servanda.agreement.errors import PackError
from servanda.agreement.pack import parse_pack
from servanda.journal.acceptance import Inadmissible, check_place, check_signatures, prepare
from servanda.journal.frame import FrameError, parse_frame
from servanda.journal.state import JournalState, RecordState
from servanda.proof import canonical
from servanda.proof.checkpoints import Checkpoint, parse_checkpoint, verify_checkpoint
from servanda.proof.container import read_container
from servanda.proof.cosignatures import CosignatureError, parse_cosignature, verify_cosignature
from servanda.proof.encodings import decode_base64, decode_hash, encode_base64
from servanda.proof.envelope import pae, parse_envelope
from servanda.proof.errors import ProofError
from servanda.proof.keys import key_id, verify_ed25519
from servanda.proof.merkle import Frontier, leaf_hash, verify_consistency, verify_inclusion
from servanda.proof.notes import note_key_id, parse_note, parse_verifier_key, verify_note_ed25519
from servanda.proof.sealing import unseal
from servanda.proof.tables import open_row, table_root, verify_row
from servanda.verification.errors import VerificationError
from servanda.verification.evaluations import holds
from servanda.verification.replay import replay
from tests.dossier.forgery import stand_alone

SHAPES = effect_validators()


def load(folder: Path, name: str = "input.json") -> Any:
    return json.loads((folder / name).read_bytes())


def canonical_json(folder: Path) -> Any:
    text = (folder / "input.json").read_bytes()
    value = canonical.decode(text)
    assert canonical.encode(load(folder, "expected.json")) == text
    return value


def envelope(folder: Path) -> Any:
    read = parse_envelope((folder / "input.json").read_bytes())
    keys = {key_id(raw): raw for raw in map(decode_base64, load(folder, "keys.json"))}
    message = pae(read.payload_type, read.payload)
    for signature in read.signatures:
        if signature.keyid not in keys:
            raise ProofError("signed by an unknown key")
        verify_ed25519(keys[signature.keyid], message, signature.sig)
    return {
        "payload-sha256": hashlib.sha256(read.payload).hexdigest(),
        "payloadType": read.payload_type,
        "signed-by": [signature.keyid for signature in read.signatures],
        "signed-sha256": hashlib.sha256(message).hexdigest(),
    }


def merkle(folder: Path) -> Any:
    claim = load(folder)
    if claim["operation"] == "root":
        hashes = [leaf_hash(bytes.fromhex(leaf)) for leaf in claim["leaves"]]
        tree = Frontier()
        for hashed in hashes:
            tree.append(hashed)
        if tree.root().hex() != claim["root"]:
            raise ProofError("another root")
        return {"leaf-hashes": [hashed.hex() for hashed in hashes], "root": claim["root"]}
    path = [decode_hash(item) for item in claim["path"]]
    if claim["operation"] == "inclusion":
        place = decode_hash(claim["leaf-hash"]), claim["index"], claim["size"]
        verify_inclusion(*place, path, decode_hash(claim["root"]))
        return {"root": claim["root"]}
    roots = decode_hash(claim["first-root"]), decode_hash(claim["second-root"])
    verify_consistency(claim["first-size"], claim["second-size"], path, *roots)
    return {"first-root": claim["first-root"], "second-root": claim["second-root"]}


def note(folder: Path) -> Any:
    read = parse_note((folder / "note.txt").read_bytes())
    verify_note_ed25519(read, parse_verifier_key((folder / "key.txt").read_text()))
    return {"signatures": [signature.name for signature in read.signatures], "text": read.text}


def checkpoint(folder: Path) -> Any:
    read = parse_note((folder / "note.txt").read_bytes())
    found = verify_checkpoint(read, decode_base64((folder / "key.txt").read_text()))
    return {"origin": found.origin, "root": encode_base64(found.root), "size": found.size}


def cosignature(folder: Path) -> Any:
    key = load(folder, "key.json")
    read = parse_note((folder / "note.txt").read_bytes())
    found: Checkpoint = parse_checkpoint(read.text)
    public = base64.b64decode(key["public"])
    known = (key["name"], note_key_id(key["name"], key["type"], public))
    lines = [line for line in read.signatures if (line.name, line.key_id) == known]
    if not lines:
        raise CosignatureError("no line by this key")
    for line in lines:
        cosigned = parse_cosignature(line.key_id + line.signature, key["type"])
        stamp = verify_cosignature(found, name=key["name"], kind=key["type"], public=public, cosignature=cosigned)
    return {"origin": found.origin, "size": found.size, "timestamp": stamp}


def sealing(folder: Path) -> Any:
    return unseal(load(folder, "content.json"), load(folder, "disclosures.json"))


def table(folder: Path) -> Any:
    stated = load(folder, "table.json")
    if (folder / "opening.json").exists():
        opening = (folder / "opening.json").read_bytes()
        return {"value": verify_row(opening, decode_hash(stated["root"]), stated["rows"])}
    secret = bytes.fromhex((folder / "secret.txt").read_text())
    rows = load(folder, "rows.json")
    if table_root(secret, rows) != (decode_hash(stated["root"]), stated["rows"]):
        raise ProofError("another table")
    return {"openings": [json.loads(open_row(secret, rows, row)) for row in range(len(rows))]}


def container(folder: Path) -> Any:
    files = read_container((folder / "input.servanda").read_bytes(), bytes_max=2**20)
    return {
        "files": [
            {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            for name, data in files.items()
        ]
    }


def pack(folder: Path) -> Any:
    read = parse_pack((folder / "pack.json").read_bytes())
    return {
        "digest": read.digest,
        "formats": sorted(item.identifier for item in read.formats.values() if not item.built_in),
        "obligations": sorted(read.obligations),
        "parties": list(read.parties),
    }


def draw(folder: Path) -> Any:
    said = load(folder)
    named = [{party: bytes.fromhex(text) for party, text in said[what].items()} for what in ("commitments", "secrets")]
    drawn = replay(said["terms"], *named)
    strata = {
        name: {
            "positions": list(one.positions),
            "rows": [f"{table}/{row}" for table, row in one.rows],
            "seed": one.seed.hex(),
        }
        for name, one in drawn.strata.items()
    }
    return {"draw": drawn.draw.hex(), "seed": drawn.seed.hex(), "strata": strata}


def evaluation(folder: Path) -> Any:
    document: Any = canonical.decode((folder / "input.json").read_bytes())
    if not holds(document):
        raise VerificationError("the result is not what the method makes of the inputs")
    return document


def effect(folder: Path) -> Any:
    """The act of an effect whose shape the content has, to both readers."""
    said = load(folder)
    name, content = said["effect"], said["content"]
    act, shape = stand_alone().EFFECTS[name]
    problem, other = SHAPES[name].problem(content), stand_alone().misfit(shape, content, "content")
    assert (problem is None) == (other == "")
    if problem is not None:
        raise Inadmissible("content", problem)
    assert act == EFFECTS[name].act
    return {"act": act}


def frame(folder: Path) -> Any:
    read = parse_frame((folder / "frame.json").read_bytes())
    assert read.encode() == (folder / "frame.json").read_bytes()
    return {"flags": list(read.flags)}


def identity(folder: Path) -> Any:
    stated = load(folder, "journal.json")
    record = RecordState(stated["agreement"], signature_holds)
    journal = JournalState(stated["party"], record.origin(stated["party"]))
    prepared = [prepare(leaf) for leaf in (folder / "entries.jsonl").read_bytes().split(b"\n")[:-1]]
    found = []
    for number, one in enumerate(prepared, start=1):
        assert one.frame is not None, one.reason
        check_place(record, journal, number, one.frame)
        identity = check_signatures(record, journal, number, one)
        assert identity is not None
        journal.identities.add(identity)
        found.append(identity.threshold)
    return {"fingerprint": prepared[0].hash.hex(), "thresholds": found}


def signature_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        verify_ed25519(public, message, signature)
    except ProofError:
        return False
    return True


READERS: dict[str, Callable[[Path], Any]] = {
    "canonical-json": canonical_json,
    "checkpoint": checkpoint,
    "container": container,
    "cosignature": cosignature,
    "draw": draw,
    "effect": effect,
    "envelope": envelope,
    "evaluation": evaluation,
    "identity": identity,
    "merkle": merkle,
    "note": note,
    "pack": pack,
    "sealing": sealing,
    "table": table,
}
"""How each format is read."""

REFUSED = (FrameError, Inadmissible, PackError, ProofError, VerificationError)
"""What says that a case is refused."""
