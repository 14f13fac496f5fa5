# SPDX-License-Identifier: Apache-2.0
"""Bundles out and in: the same file is the courier's stick, the backup and the dossier (spec/bundle.md)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from servanda.agreement.errors import PackError
from servanda.agreement.pack import parse_pack
from servanda.journal.acceptance import prepare
from servanda.journal.frame import Hash, Identifier
from servanda.journal.record import Record
from servanda.operations.centre import Centre
from servanda.operations.comparing import keep_proof
from servanda.operations.errors import Conflict, Refusal
from servanda.operations.parallel import judge_on_all_cores, signature_holds
from servanda.operations.ports import Push
from servanda.operations.receipts import take_receipts
from servanda.operations.receiving import LEAVES_MAX, receive
from servanda.proof.canonical import CanonicalError, decode, encode
from servanda.proof.checkpoints import Checkpoint
from servanda.proof.container import ContainerError, read_container, write_container
from servanda.proof.envelope import MANIFEST_TYPE, Envelope, EnvelopeError, Signature, pae, parse_envelope
from servanda.proof.errors import ProofError
from servanda.proof.forks import parse_fork_proof
from servanda.proof.keys import key_id
from servanda.registers.custody.views import balances_bytes
from servanda.registers.obligations.views import obligations_bytes

BUNDLE_BYTES_MAX = 4 * 1024**3 - 1
Size = Annotated[int, Meta(ge=0, le=2**53 - 1)]
_PARTY = "[a-z][a-z0-9-]{0,31}"
_NAME = re.compile(
    rf"packs/(?P<pack>[0-9a-f]{{64}})\.json|proofs/[a-z0-9.-]+\.json|openings/(?P<opened>{_PARTY})\.jsonl"
    rf"|journals/(?P<party>{_PARTY})/(?:(?P<entries>entries\.jsonl)|checkpoint\.txt|receipts/(?P<by>{_PARTY})\.txt)"
)
"""Names of the files of a bundle beside its manifest (spec/bundle.md, Contents)."""


class ListedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file as the manifest lists it; `size` in bytes."""

    path: str
    sha256: Hash
    size: Size


class ListedJournal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A journal as the manifest lists it; `size` in entries."""

    party: Identifier
    root: Hash
    size: Size


class BundleManifest(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """What a bundle says of itself; spec/bundle.md."""

    agreement: Hash
    as_of: str
    exporter: Identifier
    files: tuple[ListedFile, ...]
    journals: tuple[ListedJournal, ...]
    purpose: Literal["courier", "backup", "dossier"]
    registers: dict[str, Hash]
    servanda_bundle: Literal[1]


class Bundle(NamedTuple):
    """A bundle as read: its manifest, and the content of every file by name."""

    manifest: BundleManifest
    files: dict[str, bytes]


def export_bundle(centre: Centre, purpose: str, as_of: str | None = None) -> bytes:
    """Everything that this centre holds of the record, in one file.

    Args:
        centre: the exporter.
        purpose: `courier`, `backup` or `dossier`.
        as_of: RFC 3339 instant at which the obligations are judged; now if None.
    """
    instant = as_of or centre.clock()
    files: dict[str, bytes] = {
        f"packs/{digest}.json": encode(pack.data) for digest, pack in centre.record.packs.items()
    }
    journals = []
    for party, state in sorted(centre.record.journals.items()):
        if state.size:
            files |= _journal_files(centre, party)
            journals.append({"party": party, "root": state.tree.root().hex(), "size": state.size})
    for proofs in centre.store.forks().values():
        files |= {f"proofs/{name}.json": proof for name, proof in proofs.items()}
    manifest: dict[str, Any] = {
        "agreement": centre.record.agreement,
        "as-of": instant,
        "exporter": centre.party,
        "files": [
            {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for path, content in sorted(files.items())
        ],
        "journals": journals,
        "purpose": purpose,
        "registers": {} if purpose == "courier" else _register_digests(centre, instant),
        "servanda-bundle": 1,
    }
    payload = encode(manifest)
    signer = centre.signers.centre
    signature = Signature(key_id(signer.public), signer.sign(pae(MANIFEST_TYPE, payload)), signer.algorithm)
    files["manifest.json"] = Envelope(payload, MANIFEST_TYPE, (signature,)).encode()
    return write_container(files)


def _register_digests(centre: Centre, instant: str) -> dict[str, str]:
    return {
        "custody": hashlib.sha256(balances_bytes(centre.custody)).hexdigest(),
        "obligations": hashlib.sha256(
            obligations_bytes(centre.obligations, date.fromisoformat(instant[:10]))
        ).hexdigest(),
    }


def _journal_files(centre: Centre, party: str) -> dict[str, bytes]:
    state = centre.record.journals[party]
    lines: list[bytes] = []
    for first in range(1, state.size + 1, LEAVES_MAX):
        lines += centre.store.leaves(party, first, LEAVES_MAX)
    own = party == centre.party
    note = centre.note_at(state.size, quantum=True) if own else centre.store.checkpoint(party)
    assert note is not None
    folder = f"journals/{party}"
    files = {f"{folder}/entries.jsonl": b"".join(line + b"\n" for line in lines), f"{folder}/checkpoint.txt": note}
    newest: dict[tuple[str, int], list[bytes]] = {}
    for receipt in centre.store.receipts(party):
        newest.setdefault((receipt.by, receipt.size), []).append(receipt.line)
    for (by, size), found in sorted(newest.items()):  # one file a party: that of the greatest size wins
        text = Checkpoint(state.origin, size, state.tree.root(size)).text()
        files[f"{folder}/receipts/{by}.txt"] = text.encode() + b"\n" + b"".join(found)
    openings = centre.store.openings(party)
    if openings:
        files[f"openings/{party}.jsonl"] = b"".join(
            encode(
                {
                    "disclosure": disclosure,
                    "entry": {"leaf": state.entries[number - 1].hash.hex(), "number": number, "party": party},
                }
            )
            + b"\n"
            for number, disclosure in openings
        )
    return files


def read_bundle(data: bytes) -> Bundle:
    """Read a bundle: container and manifest hang together. Who signed it is for `import_bundle` or a verifier.

    Raises:
        Refusal: truncated, not in the one byte form, or the manifest does not list what is there (`bundle`).
    """
    try:
        files = read_container(data, bytes_max=BUNDLE_BYTES_MAX)
        envelope = parse_envelope(files.pop("manifest.json"))
        manifest = msgspec.convert(decode(envelope.payload), BundleManifest)
    except KeyError as error:
        raise Refusal("the bundle has no manifest.json", "bundle") from error
    except (ContainerError, EnvelopeError, CanonicalError, msgspec.ValidationError) as error:
        raise Refusal(f"not a bundle: {error}", "bundle") from error
    if envelope.payload_type != MANIFEST_TYPE or manifest.servanda_bundle != 1:
        raise Refusal("the manifest is of another type or version", "bundle")
    listed = {entry.get("path"): (entry.get("sha256"), entry.get("size")) for entry in manifest.files}
    found = {path: (hashlib.sha256(content).hexdigest(), len(content)) for path, content in files.items()}
    if listed != found:
        wrong = sorted(str(path) for path in listed.keys() ^ found.keys()) or [
            path for path in found if found[path] != listed[path]
        ]
        raise Refusal(f"the bundle's file {wrong[0]} is not what the manifest lists", "bundle")
    return Bundle(manifest, files)


def journal_push(bundle: Bundle, party: str) -> Push:
    """The whole journal of a party in a bundle, as one push.

    Raises:
        Refusal: its files are missing.
    """
    try:
        lines = bundle.files[f"journals/{party}/entries.jsonl"]
        note = bundle.files[f"journals/{party}/checkpoint.txt"]
    except KeyError as error:
        raise Refusal(f"the bundle has no file {error}", "bundle") from error
    return Push(party, 1, tuple(lines.split(b"\n")[:-1]), note)


class Imported(NamedTuple):
    """How many entries of each journal were new, and the proofs of forks that came along or came out."""

    entries: dict[str, int]
    forks: list[str]


def import_bundle(centre: Centre, data: bytes) -> Imported:
    """Take everything from a bundle that this centre does not hold yet. Idempotent.

    Raises:
        Refusal: malformed (`bundle`), or of another agreement (`agreement`); nothing has changed.
    """
    bundle = read_bundle(data)
    if bundle.manifest.agreement != centre.record.agreement:
        raise Refusal(
            f"the bundle is for agreement {bundle.manifest.agreement[:12]}…, this centre keeps "
            f"{centre.record.agreement[:12]}…",
            "agreement",
        )
    take_packs(centre, bundle.files)
    entries, forks = {}, []
    for journal in sorted(str(entry.get("party")) for entry in bundle.manifest.journals):
        if journal != centre.party:
            before = centre.record.journals[journal].size if journal in centre.record.journals else 0
            _take_journal(centre, bundle, journal)
            entries[journal] = centre.record.journals[journal].size - before
    for path, content in bundle.files.items():
        if path.startswith("proofs/"):
            try:
                proof = parse_fork_proof(content)
                journal = parse_origin(proof.first)
                forks.append(keep_proof(centre, journal, proof))
            except ProofError as error:
                raise Refusal(f"{path}: {error}", "bundle") from error
    _take_receipts(centre, bundle)
    return Imported(entries, forks)


def parse_origin(note: bytes) -> str:
    """The party whose journal a note is about: the last part of its origin line."""
    return note.split(b"\n", 1)[0].decode(errors="replace").rpartition("/")[2]


def take_packs(centre: Centre, files: Mapping[str, bytes]) -> None:
    """Keep the packs of a bundle that are not held yet."""
    for path, content in sorted(files.items()):
        if not path.startswith("packs/"):
            continue
        try:
            pack = parse_pack(content)
        except PackError as error:
            raise Refusal(f"{path}: {error}", "bundle") from error
        if pack.digest not in centre.record.packs:
            with centre.store.transaction() as writer:
                writer.put_pack(pack.digest, content)
            centre.record.add_pack(pack)


def _take_journal(centre: Centre, bundle: Bundle, journal: str) -> None:
    whole = journal_push(bundle, journal)
    state = centre.record.journals.get(journal)
    if state is None:
        raise Refusal(f"{journal} is no party of the agreement", "bundle")
    fresh = max(1, state.size)
    try:
        receive(centre, whole._replace(first=fresh, leaves=whole.leaves[fresh - 1 :]), limits=False)
    except Conflict as conflict:
        raise Refusal(f"{conflict}; `servanda compare` makes the proof", "conflict") from conflict


def _take_receipts(centre: Centre, bundle: Bundle) -> None:
    for path, content in sorted(bundle.files.items()):
        parts = path.split("/")
        if len(parts) == 4 and parts[0] == "journals" and parts[2] == "receipts":
            by = parts[3].removesuffix(".txt")
            text, _, lines = content.partition(b"\n\n")
            size = text.split(b"\n")[1]
            if by in centre.record.journals and size.isdigit():
                take_receipts(centre, parts[1], by, int(size), lines)


def record_of(bundle: Bundle) -> Record:
    """The record in a bundle, judged; checkpoints are not looked at (see `operations.verifying`).

    Raises:
        Refusal: a file is missing or malformed.
    """
    packs = {}
    for path, content in sorted(bundle.files.items()):
        if path.startswith("packs/"):
            try:
                pack = parse_pack(content)
            except PackError as error:
                raise Refusal(f"{path}: {error}", "bundle") from error
            packs[pack.digest] = pack
    if bundle.manifest.agreement not in packs:
        raise Refusal("the bundle has not the pack of its agreement", "bundle")
    record = Record(packs[bundle.manifest.agreement], signature_holds)
    for pack in packs.values():
        record.add_pack(pack)
    for entry in bundle.manifest.journals:
        push = journal_push(bundle, str(entry.get("party")))
        if push.journal not in record.journals:
            raise Refusal(f"{push.journal} is no party of the agreement", "bundle")
        record.add_leaves(push.journal, [prepare(leaf) for leaf in push.leaves])
    judge_on_all_cores(record)
    return record
