# SPDX-License-Identifier: Apache-2.0
"""Verifying a dossier: everything is derived anew from its leaves, and from nothing but the parties' fingerprints.

The stand-alone program in `verifier/` does the same from the specification alone; the two share no code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date

import msgspec

from servanda.agreement.dates import check_instant
from servanda.journal.record import Record
from servanda.journal.state import JournalState
from servanda.operations.bundles import Bundle, journal_push, parse_origin, read_bundle, record_of
from servanda.operations.errors import Refusal
from servanda.operations.limits import fork_limits
from servanda.operations.receipts import KINDS
from servanda.proof.checkpoints import Checkpoint, verify_checkpoint
from servanda.proof.cosignatures import parse_cosignature, verify_cosignature
from servanda.proof.envelope import pae, parse_envelope
from servanda.proof.errors import ProofError
from servanda.proof.keys import key_id, verify_ed25519
from servanda.proof.notes import KIND_MLDSA44, Note, note_key_id, parse_note
from servanda.registers.custody.views import balances_bytes, balances_document
from servanda.registers.custody.views import fold as fold_custody
from servanda.registers.obligations.views import fold as fold_obligations
from servanda.registers.obligations.views import obligations_bytes, obligations_document

Making = Callable[[Bundle], Record]


class Report(msgspec.Struct, kw_only=True):
    """What a verification found. `wrong` is empty if everything holds."""

    agreement: str = ""
    as_of: str = ""
    exporter: str = ""
    wrong: list[str] = msgspec.field(default_factory=list)
    unpinned: list[str] = msgspec.field(default_factory=list)
    complete: dict[str, int] = msgspec.field(default_factory=dict)
    inadmissible: list[dict[str, str]] = msgspec.field(default_factory=list)
    waiting: dict[str, str] = msgspec.field(default_factory=dict)
    receipts: list[dict[str, object]] = msgspec.field(default_factory=list)
    not_checked: list[str] = msgspec.field(default_factory=list)
    entries: int = 0
    balances: dict[str, object] = msgspec.field(default_factory=dict)
    obligations: list[dict[str, object]] = msgspec.field(default_factory=list)

    @property
    def verified(self) -> bool:
        """Whether nothing is wrong and every journal is pinned to a fingerprint."""
        return not self.wrong and not self.unpinned


def verify_bundle(
    data: bytes,
    fingerprints: Mapping[str, str],
    expected: Mapping[str, int] | None = None,
    making: Making = record_of,
) -> Report:
    """Verify a bundle.

    Args:
        data: the file.
        fingerprints: party to the leaf hash of its entry 1, compared in person.
        expected: party to the size that its journal has at least.
        making: how the record is made from the bundle; several cores may share the work.

    Returns:
        The report; faults are listed in it, not raised.

    Raises:
        Refusal: it is no bundle at all, or refused by the container's byte form.
    """
    bundle = read_bundle(data)
    record = making(bundle)
    report = Report(agreement=bundle.manifest.agreement, as_of=bundle.manifest.as_of, exporter=bundle.manifest.exporter)
    for entry in bundle.manifest.journals:
        _verify_journal(report, bundle, record, entry, fingerprints)
    _verify_manifest(report, bundle, record, data)
    for party, size in (expected or {}).items():
        if report.complete.get(party, 0) < size:
            report.wrong.append(f"the journal of {party} is complete to {report.complete.get(party, 0)}, not to {size}")
    proofs = _proofs(report, bundle, record)
    limits = fork_limits(record, proofs)
    if limits:
        record = _limited(record, limits)
        report.not_checked += [
            f"{journal} has forked: no effect after entry {size}" for journal, size in limits.items()
        ]
    _verify_registers(report, bundle, record)
    return report


def _verify_journal(
    report: Report,
    bundle: Bundle,
    record: Record,
    listed: Mapping[str, object],
    fingerprints: Mapping[str, str],
) -> None:
    party = str(listed.get("party"))
    state = record.journals[party]
    report.complete[party] = state.size
    report.entries += state.size
    pinned = fingerprints.get(party)
    first = state.tree.node(0, 0).hex() if state.size else ""
    if pinned is None:
        report.unpinned.append(party)
    elif pinned != first:
        report.wrong.append(f"entry {party}/1 has fingerprint {first}, not {pinned}")
    if (listed.get("size"), listed.get("root")) != (state.size, state.tree.root().hex()):
        report.wrong.append(f"the manifest states another size or root of {party} than its entries have")
    for entry in state.entries:
        if not entry.admissible:
            report.inadmissible.append({"entry": str(entry.place), "code": str(entry.code), "reason": entry.reason})
    if state.pending:
        report.waiting[f"{party}/{len(state.entries) + 1}"] = state.waiting
    _verify_checkpoint(report, record, state, journal_push(bundle, party).checkpoint)
    _verify_receipts(report, bundle, record, state)


def _verify_checkpoint(report: Report, record: Record, state: JournalState, text: bytes) -> None:
    identity = record.identity_for_size(state.party, state.size)
    try:
        note = parse_note(text)
        if identity is None:
            raise ProofError("no identity holds for this size")
        checkpoint = verify_checkpoint(note, identity.centre.ed25519)
        if checkpoint != Checkpoint(state.origin, state.size, state.tree.root()):
            raise ProofError("it is not that of the entries")
        if not _quantum_holds(note, checkpoint, state.origin, identity.centre.mldsa44):
            report.not_checked.append(f"the checkpoint of {state.party} has no ML-DSA-44 signature")
    except ProofError as error:
        report.wrong.append(f"checkpoint of {state.party} at entry {state.party}/{state.size}: {error}")


def _quantum_holds(note: Note, checkpoint: Checkpoint, name: str, public: bytes) -> bool:
    wanted = note_key_id(name, KIND_MLDSA44, public)
    for signature in note.signatures:
        if signature.name == name and signature.key_id == wanted:
            cosignature = parse_cosignature(signature.key_id + signature.signature, KIND_MLDSA44)
            verify_cosignature(checkpoint, name=name, kind=KIND_MLDSA44, public=public, cosignature=cosignature)
            return True
    return False


def _verify_receipts(report: Report, bundle: Bundle, record: Record, state: JournalState) -> None:
    folder = f"journals/{state.party}/receipts/"
    for path in sorted(name for name in bundle.files if name.startswith(folder)):
        by = path.removeprefix(folder).removesuffix(".txt")
        try:
            note = parse_note(bundle.files[path])
            size = _size_of(note)
            checkpoint = Checkpoint(state.origin, size, state.tree.root(size))
            if note.text != checkpoint.text():
                raise ProofError(f"it is not over the root of {state.party} at size {size}")
            kinds = _verified_kinds(record, by, note, checkpoint)
        except ProofError as error:
            report.wrong.append(f"receipt by {by} on {state.party}: {error}")
            continue
        report.receipts.append({"by": by, "journal": state.party, "kinds": kinds, "size": size})


def _size_of(note: Note) -> int:
    lines = note.text.split("\n")
    if len(lines) != 4 or not lines[1].isdigit() or int(lines[1]) > 2**53:
        raise ProofError("it is not over a checkpoint")
    return int(lines[1])


def _verified_kinds(record: Record, by: str, note: Note, checkpoint: Checkpoint) -> list[str]:
    state = record.journals.get(by)
    name = f"{record.origin(by)}/receipt"
    found = []
    identities = state.identities.up_to(state.size) if state else []
    for signature in note.signatures:
        keys = [(k, key) for i in identities for k, key in zip(KINDS, i.receipt, strict=True)]
        match = [(k, key) for k, key in keys if note_key_id(name, k, key) == signature.key_id]
        if signature.name != name or not match:
            raise ProofError(f"it carries a signature that is not by a receipt key of {by}")
        kind, key = match[0]
        cosignature = parse_cosignature(signature.key_id + signature.signature, kind)
        verify_cosignature(checkpoint, name=name, kind=kind, public=key, cosignature=cosignature)
        found.append("ml-dsa-44" if kind == KIND_MLDSA44 else "ed25519")
    return sorted(set(found))


def _verify_manifest(report: Report, bundle: Bundle, record: Record, data: bytes) -> None:
    from servanda.proof.container import read_container

    envelope = parse_envelope(read_container(data, bytes_max=len(data))["manifest.json"])
    exporter = bundle.manifest.exporter
    state = record.journals.get(exporter)
    identity = state.identities.latest if state else None
    try:
        check_instant(bundle.manifest.as_of)
        if identity is None or [s.keyid for s in envelope.signatures] != [key_id(identity.centre.ed25519)]:
            raise ProofError(f"it is not signed by the centre of {exporter}")
        verify_ed25519(
            identity.centre.ed25519, pae(envelope.payload_type, envelope.payload), envelope.signatures[0].sig
        )
    except ValueError as error:
        report.wrong.append(f"manifest: {error}")


def _proofs(report: Report, bundle: Bundle, record: Record) -> dict[str, dict[str, bytes]]:
    proofs: dict[str, dict[str, bytes]] = {}
    for path, content in bundle.files.items():
        if path.startswith("proofs/"):
            from servanda.proof.forks import ForkError, parse_fork_proof

            try:
                journal = parse_origin(parse_fork_proof(content).first)
            except ForkError as error:
                report.wrong.append(f"{path}: {error}")
                continue
            one = {journal: {path: content}}
            if journal in record.journals and not fork_limits(record, one):
                report.not_checked.append(f"{path} proves no fork of {journal}, or its branch has been named")
            proofs.setdefault(journal, {})[path] = content
    return proofs


def _limited(record: Record, limits: Mapping[str, int]) -> Record:
    from servanda.journal.acceptance import prepare

    again = Record(record.packs[record.agreement], record.check, limits)
    for pack in record.packs.values():
        again.add_pack(pack)
    for party, state in record.journals.items():
        leaves: Sequence[bytes] = [entry.leaf for entry in state.entries] + [item.leaf for item in state.pending]
        again.add_leaves(party, [prepare(leaf) for leaf in leaves])
    again.judge()
    return again


def _verify_registers(report: Report, bundle: Bundle, record: Record) -> None:
    custody, obligations = fold_custody(record), fold_obligations(record)
    try:
        at = date.fromisoformat(bundle.manifest.as_of[:10])
    except ValueError:
        return  # the manifest's fault has been reported
    report.balances = balances_document(custody)
    report.obligations = obligations_document(obligations, at)["obligations"]
    computed = {
        "custody": hashlib.sha256(balances_bytes(custody)).hexdigest(),
        "obligations": hashlib.sha256(obligations_bytes(obligations, at)).hexdigest(),
    }
    for name, digest in bundle.manifest.registers.items():
        if computed.get(name) != digest:
            report.wrong.append(f"the {name} that follow from the entries are not those that the manifest states")
    if not bundle.manifest.registers:
        report.not_checked.append("the manifest states no registers")


__all__ = ["Refusal", "Report", "verify_bundle"]
