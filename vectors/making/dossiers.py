# SPDX-License-Identifier: Apache-2.0
"""What is written of a record? A bundle, the fingerprints to judge it by, and what follows from its entries."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from making.case import shown
from making.keys import Signatures, text_of
from making.world import World, envelope
from servanda.agreement.pack import pack_of
from servanda.journal.acceptance import prepare
from servanda.journal.record import Record
from servanda.operations.limits import fork_limits
from servanda.proof.canonical import encode
from servanda.proof.checkpoints import Checkpoint
from servanda.proof.container import write_container
from servanda.proof.cosignatures import cosign
from servanda.proof.envelope import MANIFEST_TYPE
from servanda.proof.keys import SignatureInvalid, verify_ed25519
from servanda.proof.merkle import leaf_hash
from servanda.proof.notes import KIND_MLDSA44
from servanda.registers.custody.views import balances_document
from servanda.registers.custody.views import fold as fold_custody
from servanda.registers.obligations.views import fold as fold_obligations
from servanda.registers.obligations.views import obligations_document

AS_OF = "2026-02-01T00:00:00Z"


def signature_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature verifies."""
    try:
        verify_ed25519(public, message, signature)
    except SignatureInvalid:
        return False
    return True


def judged(world: World, limits: Mapping[str, int] | None = None) -> Record:
    """The record of a world, judged."""
    packs = [pack_of(pack) for pack in world.packs.values()]
    record = Record(packs[0], signature_holds, limits)
    for pack in packs[1:]:
        record.add_pack(pack)
    for party, journal in world.journals.items():
        record.add_leaves(party, [prepare(leaf) for leaf in journal.leaves])
    record.judge()
    return record


def verdicts(record: Record) -> dict[str, list[str]]:
    """For each journal what became of its entries, in their order: `admissible`, `waiting`, or a code."""
    return {
        party: [entry.code or "admissible" for entry in journal.entries] + ["waiting"] * len(journal.pending)
        for party, journal in sorted(record.journals.items())
    }


def documents(world: World, as_of: str = AS_OF, proofs: Sequence[tuple[str, bytes]] = ()) -> dict[str, Any]:
    """The balances document and the obligations document of a world, with its forks taken into account."""
    record = judged(world)
    forks: dict[str, dict[str, bytes]] = {}
    for party, proof in proofs:
        forks.setdefault(party, {})[str(len(forks))] = proof
    limits = fork_limits(record, forks)
    if limits:
        record = judged(world, limits)
    at = date.fromisoformat(as_of[:10])
    return {
        "custody": balances_document(fold_custody(record)),
        "obligations": obligations_document(fold_obligations(record), at),
    }


def digest(document: Any) -> str:
    """SHA-256 of the canonical text of a document."""
    return hashlib.sha256(encode(document)).hexdigest()


def contents(world: World, signatures: Signatures | None = None, *, receipts: bool = True) -> dict[str, bytes]:
    """All files of a bundle but the manifest."""
    files = {f"packs/{name}.json": encode(pack) for name, pack in world.packs.items()}
    for party, journal in world.journals.items():
        if journal.size:
            folder = f"journals/{party}"
            files[f"{folder}/entries.jsonl"] = b"".join(leaf + b"\n" for leaf in journal.leaves)
            files[f"{folder}/checkpoint.txt"] = world.note(party, signatures=signatures)
            for by, (size, raw, stamp) in journal.receipts.items() if receipts else ():
                files[f"{folder}/receipts/{by}.txt"] = _receipt_note(world, party, by, size, raw, stamp, signatures)
    return files


def _receipt_note(
    world: World, party: str, by: str, size: int, raw: bytes, stamp: int, signatures: Signatures | None
) -> bytes:
    checkpoint = Checkpoint(world.origin(party), size, world.journals[party].tree.root(size))
    name, key = f"{world.origin(by)}/receipt", world.journals[by].keys.receipt_mldsa44
    lines = f"— {name} {text_of(raw)}\n"
    if signatures is not None:
        lines += cosign(
            checkpoint,
            name=name,
            kind=KIND_MLDSA44,
            timestamp=stamp,
            sign=lambda message: signatures.sign(key, message),
            public=key.public,
        ).line()
    return f"{checkpoint.text()}\n{lines}".encode()


def manifest(world: World, files: Mapping[str, bytes], registers: Mapping[str, str], **members: Any) -> dict[str, Any]:
    """The manifest of the files; `members` replace others, with `_` for `-`."""
    journals = [(party, journal) for party, journal in sorted(world.journals.items()) if journal.size]
    return {
        "agreement": world.agreement,
        "as-of": AS_OF,
        "exporter": next(iter(world.journals)),
        "files": [
            {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            for path, data in sorted(files.items())
        ],
        "journals": [{"party": p, "root": j.tree.root().hex(), "size": j.size} for p, j in journals],
        "purpose": "dossier" if registers else "courier",
        "registers": dict(registers),
        "servanda-bundle": 1,
        **{name.replace("_", "-"): value for name, value in members.items()},
    }


def sealed(world: World, files: Mapping[str, bytes], value: Mapping[str, Any], signer: Any = None) -> bytes:
    """The bundle of the files and a manifest, signed by the centre of its exporter unless `signer` is given."""
    signed = envelope(encode(dict(value)), [signer or world.journals[value["exporter"]].keys.centre], MANIFEST_TYPE)
    return write_container({**files, "manifest.json": signed})


def fingerprints(world: World) -> bytes:
    """`parties.json`: the leaf hash of entry 1 of every journal, as compared in person."""
    return shown({p: leaf_hash(j.leaves[0]).hex() for p, j in world.journals.items() if j.size})


def dossier(world: World, registers: Mapping[str, Any] | None = None, **members: Any) -> dict[str, bytes]:
    """The files of a case: `bundle.servanda` and `parties.json`.

    Args:
        world: the record.
        registers: documents by name, those that the record gives if None; `{}` for a courier bundle.
        members: members of the manifest that are other than they should be.
    """
    files = contents(world, receipts=False)
    found = documents(world, str(members.get("as_of", AS_OF))) if registers is None else registers
    value = manifest(world, files, {name: digest(document) for name, document in found.items()}, **members)
    return {"bundle.servanda": sealed(world, files, value), "parties.json": fingerprints(world)}
