# SPDX-License-Identifier: Apache-2.0
"""Verifying a dossier: everything is derived anew from its leaves, and from nothing but the parties' fingerprints.

The stand-alone program in `verifier/` does the same from the specification alone; the two share no code.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

import msgspec

from servanda.agreement.dates import instant_seconds
from servanda.journal.acceptance import Inadmissible, check_place, check_signatures, prepare
from servanda.journal.frame import Reference
from servanda.journal.record import Record
from servanda.journal.state import JournalState
from servanda.operations.bundles import (
    Bundle,
    ListedJournal,
    altered_files,
    journal_push,
    read_bundle,
    read_manifest,
    record_of,
    unjudged_record,
)
from servanda.operations.comparing import proven_party
from servanda.operations.errors import Refusal
from servanda.operations.limits import fork_limits
from servanda.operations.receipts import KINDS
from servanda.operations.rowopenings import opening_problem, parse_row_opening
from servanda.proof.canonical import CanonicalError, decode
from servanda.proof.checkpoints import Checkpoint, parse_checkpoint, verify_checkpoint
from servanda.proof.cosignatures import parse_cosignature, verify_cosignature
from servanda.proof.envelope import pae
from servanda.proof.errors import ProofError
from servanda.proof.keys import key_id, verify_ed25519
from servanda.proof.notes import KIND_MLDSA44, Note, NoteSignature, note_key_id, parse_note
from servanda.proof.sealing import digests_of, disclosure_digest
from servanda.registers.custody.views import balances_bytes, balances_document
from servanda.registers.custody.views import fold as fold_custody
from servanda.registers.obligations.views import fold as fold_obligations
from servanda.registers.obligations.views import obligations_bytes, obligations_document

Making = Callable[[Bundle], Record]
NAMED_MAX = 3
"""How many broken entries of one journal a finding names; it counts the rest."""
_LOCAL_MARK, _LOCAL_SIZE, _LOCAL_LENGTHS = b"PK\3\4", 30, struct.Struct("<LH")


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


class _Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    disclosure: str
    entry: Reference


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
        Refusal: it is no bundle at all, or not in its one byte form; the entries that are damaged are named.
    """
    try:
        bundle = read_bundle(data)
    except Refusal as error:
        raise Refusal("; ".join([str(error), *_damage(data)]), error.code) from error
    record = making(bundle)
    report = Report(agreement=bundle.manifest.agreement, as_of=bundle.manifest.as_of, exporter=bundle.manifest.exporter)
    for listed in bundle.manifest.journals:
        _verify_journal(report, bundle, record, listed, fingerprints)
    _verify_manifest(report, bundle, record)
    for party, size in (expected or {}).items():
        there = report.complete.get(party, 0)
        if there < size:
            report.wrong.append(
                f"the journal of {party} ends at {there}, {size} are expected: {party}/{there + 1} is missing"
            )
    proofs = _proofs(report, bundle, record)
    report.wrong += _contradictions(record, proofs)
    _verify_openings(report, bundle, record)
    _verify_rows(report, bundle, record)
    limits = fork_limits(record, proofs)
    if limits:
        record = _limited(record, limits)
        report.not_checked += [
            f"{journal} has forked: no effect after entry {size}" for journal, size in limits.items()
        ]
    _verify_registers(report, bundle, record)
    return report


def _damage(data: bytes) -> list[str]:
    """Which entries are damaged in an archive that is not what its manifest lists, as far as they tell themselves."""
    files = _loosely(data)
    try:
        envelope, manifest = read_manifest(files.pop("manifest.json", b""))
    except Refusal:
        return []  # the damage is in the manifest, or before anything can be read
    altered = [path for path in altered_files(manifest, files) if path.endswith("/entries.jsonl")]
    if not altered:
        return []
    try:
        record = unjudged_record(Bundle(manifest, files, envelope))
    except Refusal as error:
        return [str(error)]
    return [
        _suspects(record, record.journals[listed.party], listed.size)
        for listed in manifest.journals
        if f"journals/{listed.party}/entries.jsonl" in altered
    ]


def _loosely(data: bytes) -> dict[str, bytes]:
    """The files of an archive by its local headers alone, whatever its checksums and its directory say."""
    files, at = {}, 0
    while data.startswith(_LOCAL_MARK, at) and at + _LOCAL_SIZE <= len(data):
        size, length = _LOCAL_LENGTHS.unpack_from(data, at + 22)
        start = at + _LOCAL_SIZE + length
        files[data[at + _LOCAL_SIZE : start].decode("ascii", "replace")] = data[start : start + size]
        at = start + size
    return files


def _suspects(record: Record, state: JournalState, size: int) -> str:
    """Where a journal that is not what was signed has been changed; `size` is what was signed."""
    broken = list(_broken(record, state))
    if broken:
        more = f", and {len(broken) - NAMED_MAX} more" if len(broken) > NAMED_MAX else ""
        return f"damaged: {'; '.join(broken[:NAMED_MAX])}{more}"
    if state.size != size:
        return (
            f"{size} entries were signed, {state.size} are there: see entry {state.party}/{min(size, state.size) + 1}"
        )
    return f"the entries {state.party}/1 to {state.party}/{size} each hold by themselves: some are exchanged"


def _broken(record: Record, state: JournalState) -> Iterator[str]:
    """Entries that do not hold by themselves (steps 1 to 4 of spec/entry.md), whatever was judged before them."""
    leaves = [entry.leaf for entry in state.entries] + [item.leaf for item in state.pending]
    for number, leaf in enumerate(leaves, start=1):
        prepared = prepare(leaf)
        if number == 2 and state.identities.before(2) is None:
            return  # entry 1 is broken, and with it all keys
        try:
            if prepared.frame is None:
                raise Inadmissible(str(prepared.code), prepared.reason)
            check_place(record, state, number, prepared.frame)
            check_signatures(record, state, number, prepared)
        except Inadmissible as error:
            yield f"entry {state.party}/{number} ({error.code}: {error})"


def _verify_journal(
    report: Report, bundle: Bundle, record: Record, listed: ListedJournal, fingerprints: Mapping[str, str]
) -> None:
    party = listed.party
    state = record.journals[party]
    report.complete[party] = state.size
    report.entries += state.size
    pinned = fingerprints.get(party)
    first = state.tree.node(0, 0).hex()
    if pinned is None:
        report.unpinned.append(party)
    elif pinned != first:
        report.wrong.append(f"entry {party}/1 has fingerprint {first}, not {pinned}")
    if (listed.size, listed.root) != (state.size, state.tree.root().hex()):
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
            raise ProofError(f"it is not that of the entries; {_suspects(record, state, checkpoint.size)}")
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
            size = parse_checkpoint(note.text).size
            if not 0 < size <= state.size or by == state.party:
                raise ProofError(f"it is over {size} entries; {_suspects(record, state, size)}")
            checkpoint = Checkpoint(state.origin, size, state.tree.root(size))
            if note.text != checkpoint.text():
                where = _suspects(record, state, state.size)
                raise ProofError(f"it is not over the root of {state.party} at entry {state.party}/{size}; {where}")
            kinds = _verified_kinds(record, by, note, checkpoint)
        except ProofError as error:
            report.wrong.append(f"receipt by {by} on {state.party}: {error}")
            continue
        if kinds:
            report.receipts.append({"by": by, "journal": state.party, "kinds": kinds, "size": size})
        else:
            report.not_checked.append(f"the receipt by {by} on {state.party}: the journal of {by} is not there")


def _verified_kinds(record: Record, by: str, note: Note, checkpoint: Checkpoint) -> list[str]:
    """The kinds of the receipts by a party in a note, all verified; empty if its keys are not known here."""
    state = record.journals.get(by)
    if state is None or not state.size:
        return []
    kinds = {_verified_kind(state, f"{state.origin}/receipt", line, checkpoint) for line in note.signatures}
    return sorted("ml-dsa-44" if kind == KIND_MLDSA44 else "ed25519" for kind in kinds)


def _verified_kind(state: JournalState, name: str, line: NoteSignature, checkpoint: Checkpoint) -> int:
    identities = state.identities.up_to(state.size)
    for index, identity in enumerate(identities):
        for kind, key in zip(KINDS, identity.receipt, strict=True):
            if line.name != name or note_key_id(name, kind, key) != line.key_id:
                continue
            cosignature = parse_cosignature(line.key_id + line.signature, kind)
            timestamp = verify_cosignature(checkpoint, name=name, kind=kind, public=key, cosignature=cosignature)
            # spec/identity.md 4: the current key, or an earlier one if it signed before it was retired.
            after = identities[index + 1 :]
            if all(key in later.receipt for later in after) or timestamp <= instant_seconds(after[0].released_at):
                return kind
    raise ProofError(f"it carries a signature that is not by a receipt key of {state.party}")


def _verify_manifest(report: Report, bundle: Bundle, record: Record) -> None:
    exporter, envelope = bundle.manifest.exporter, bundle.envelope
    state = record.journals.get(exporter)
    identity = state.identities.latest if state else None
    try:
        if identity is None or [s.keyid for s in envelope.signatures] != [key_id(identity.centre.ed25519)]:
            raise ProofError(f"it is not signed by the centre of {exporter}")
        verify_ed25519(
            identity.centre.ed25519, pae(envelope.payload_type, envelope.payload), envelope.signatures[0].sig
        )
    except ProofError as error:
        report.wrong.append(f"manifest: {error}")


def _proofs(report: Report, bundle: Bundle, record: Record) -> dict[str, dict[str, bytes]]:
    """The proofs of forks that hold, by journal and path."""
    proofs: dict[str, dict[str, bytes]] = {}
    for path, content in bundle.files.items():
        if path.startswith("proofs/"):
            try:
                proofs.setdefault(proven_party(record, content), {})[path] = content
            except Refusal as error:
                report.wrong.append(f"{path}: {error}")
    return proofs


def _contradictions(record: Record, proofs: Mapping[str, object]) -> Iterator[str]:
    """Entries whose author held another history of a journal than the one that is here, where no proof says why."""
    for party, state in sorted(record.journals.items()):
        for number, item in enumerate(state.pending, start=len(state.entries) + 1):
            for head in item.frame.heads if item.frame else ():
                other = record.journals.get(head.party)
                if other is None or other.size < head.size or head.party in proofs:
                    continue
                if other.tree.root(head.size).hex() != head.root:
                    yield (
                        f"entry {party}/{number} saw another root of {head.party} at entry {head.party}/{head.size} "
                        f"than the journal here has: one of the two is false"
                    )


def _verify_openings(report: Report, bundle: Bundle, record: Record) -> None:
    """Each opening answers to a digest in the entry that it names (spec/sealing.md)."""
    for path, content in sorted(bundle.files.items()):
        if not path.startswith("openings/"):
            continue
        *lines, rest = content.split(b"\n")
        for line in [*lines, *([rest] if rest else [])]:
            try:
                opening = msgspec.convert(decode(line), _Opening)
                entry = record.entry(opening.entry.place)
                seals = digests_of(entry.frame.content) if entry and entry.frame else set()
                if entry is None or entry.hash.hex() != opening.entry.leaf or rest:
                    raise ProofError(f"{opening.entry.place} is not the entry that it opens, or its line is not ended")
                if disclosure_digest(opening.disclosure) not in seals:
                    raise ProofError(f"nothing sealed in entry {entry.place} answers to it")
            except (CanonicalError, msgspec.ValidationError, ProofError) as error:
                report.wrong.append(f"{path}: {error}")


def _verify_rows(report: Report, bundle: Bundle, record: Record) -> None:
    """Each opened row is one of the table of the entry that it names (spec/sealing.md, Sealed table)."""
    for path, content in sorted(bundle.files.items()):
        *lines, rest = content.split(b"\n") if path.startswith("rows/") else [b""]
        for line in [*lines, *([rest] if rest else [])]:
            try:
                opening = parse_row_opening(line)
            except Refusal as error:
                report.wrong.append(f"{path}: {error}")
                continue
            problem = opening_problem(opening, record.entry(opening.entry.place))
            problem = "the last line is not ended" if rest else problem
            report.wrong += [f"{path}: {problem}"] if problem else []


def _limited(record: Record, limits: Mapping[str, int]) -> Record:
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
    at = date.fromisoformat(bundle.manifest.as_of[:10])
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
