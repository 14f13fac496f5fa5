# SPDX-License-Identifier: Apache-2.0
"""Bundles out and in: the same file is the courier's stick, the backup and the dossier (spec/bundle.md)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from servanda.agreement.dates import check_instant
from servanda.agreement.errors import PackError
from servanda.agreement.pack import Pack, parse_pack
from servanda.journal.acceptance import prepare
from servanda.journal.frame import Hash, Identifier, Reference
from servanda.journal.record import Record
from servanda.operations.centre import Centre
from servanda.operations.comparing import keep_proof, proof_in_push, proven_party, size_of
from servanda.operations.errors import Conflict, Refusal
from servanda.operations.openings import OpeningLine, keep_openings, parse_opening
from servanda.operations.parallel import judge_on_all_cores, signature_holds
from servanda.operations.ports import Push
from servanda.operations.receipts import take_receipts
from servanda.operations.receiving import LEAVES_MAX, receive
from servanda.operations.rowopenings import keep_row_openings, parse_row_opening, proves, row_openings
from servanda.proof.canonical import CanonicalError, decode, encode
from servanda.proof.checkpoints import Checkpoint
from servanda.proof.container import ContainerError, read_container, write_container
from servanda.proof.envelope import MANIFEST_TYPE, Envelope, EnvelopeError, Signature, pae, parse_envelope
from servanda.proof.forks import parse_fork_proof
from servanda.proof.keys import key_id
from servanda.registers.custody.views import balances_bytes
from servanda.registers.obligations.views import obligations_bytes

BUNDLE_BYTES_MAX = 4 * 1024**3 - 1
PURPOSES = ("courier", "backup", "dossier")
Size = Annotated[int, Meta(ge=0, le=2**53 - 1)]
_PARTY = "[a-z][a-z0-9-]{0,31}"
_NAME = re.compile(
    rf"packs/(?P<pack>[0-9a-f]{{64}})\.json|proofs/[a-z0-9.-]+\.json|(openings|rows)/(?P<opened>{_PARTY})\.jsonl"
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
    """A bundle as read: its manifest, the content of every other file by name, and the manifest's envelope."""

    manifest: BundleManifest
    files: dict[str, bytes]
    envelope: Envelope


def export_bundle(
    centre: Centre,
    purpose: str,
    as_of: str | None = None,
    *,
    openings: bool = False,
    handed: Sequence[OpeningLine] = (),
) -> bytes:
    """Everything that this centre holds of the record, in one file.

    Openings of sealed members that have not been revealed in the record go into a backup, and into another bundle only
    if `openings` is true.

    Args:
        centre: the exporter.
        purpose: `courier`, `backup` or `dossier`.
        as_of: RFC 3339 instant at which the obligations are judged; now if None.
        openings: whether all openings held go into a bundle that is no backup.
        handed: openings of our own entries that go into it else.

    Raises:
        Refusal: no such purpose, or `as_of` is no instant in UTC (`usage`).
    """
    instant = as_of or centre.clock()
    try:
        check_instant(instant)
    except ValueError as error:
        raise Refusal(str(error), "usage") from error
    if purpose not in PURPOSES:
        raise Refusal(f"{purpose!r} is none of the purposes {', '.join(PURPOSES)}", "usage")
    files = _record_files(centre, openings=openings or purpose == "backup")
    if handed:
        files.setdefault(f"openings/{centre.party}.jsonl", _lines(handed))
    manifest: dict[str, Any] = {
        "agreement": centre.record.agreement,
        "as-of": instant,
        "exporter": centre.party,
        "files": [
            {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for path, content in sorted(files.items())
        ],
        "journals": [
            {"party": party, "root": state.tree.root().hex(), "size": state.size}
            for party, state in sorted(centre.record.journals.items())
            if state.size
        ],
        "purpose": purpose,
        "registers": {} if purpose == "courier" else _register_digests(centre, instant),
        "servanda-bundle": 1,
    }
    payload = encode(manifest)
    signer = centre.signers.centre
    signature = Signature(key_id(signer.public), signer.sign(pae(MANIFEST_TYPE, payload)), signer.algorithm)
    files["manifest.json"] = Envelope(payload, MANIFEST_TYPE, (signature,)).encode()
    return write_container(files)


def _record_files(centre: Centre, *, openings: bool) -> dict[str, bytes]:
    files = {f"packs/{digest}.json": encode(pack.data) for digest, pack in centre.record.packs.items()}
    for party, state in sorted(centre.record.journals.items()):
        if state.size:
            files |= _journal_files(centre, party)
            files |= _openings_file(centre, party) if openings else {}
            rows = row_openings(centre, party) if openings else []
            files |= {f"rows/{party}.jsonl": b"".join(row.encode() + b"\n" for row in rows)} if rows else {}
    for proofs in centre.store.forks().values():
        files |= {f"proofs/{name}.json": proof for name, proof in proofs.items()}
    return files


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
    return files


def _openings_file(centre: Centre, party: str) -> dict[str, bytes]:
    tree = centre.record.journals[party].tree
    lines = [
        OpeningLine(disclosure, Reference(party, number, tree.node(0, number - 1).hex()))
        for number, disclosure in centre.store.openings(party)
    ]
    return {f"openings/{party}.jsonl": _lines(lines)} if lines else {}


def _lines(openings: Sequence[OpeningLine]) -> bytes:
    return b"".join(opening.encode() + b"\n" for opening in openings)


def read_bundle(data: bytes) -> Bundle:
    """Read a bundle: container and manifest hang together. Who signed it is for a verifier.

    Raises:
        Refusal: truncated, not in the one byte form, or the manifest does not list what is there (`bundle`).
    """
    try:
        files = read_container(data, bytes_max=BUNDLE_BYTES_MAX)
        envelope, manifest = read_manifest(files.pop("manifest.json"))
    except KeyError as error:
        raise Refusal("not a bundle: it has no manifest.json", "bundle") from error
    except ContainerError as error:
        raise Refusal(f"not a bundle: {error}", "bundle") from error
    _check_listed(manifest, files)
    return Bundle(manifest, files, envelope)


def read_manifest(data: bytes) -> tuple[Envelope, BundleManifest]:
    """The envelope and the payload of a manifest; who signed it is not looked at.

    Raises:
        Refusal: it is no manifest (`bundle`).
    """
    try:
        envelope = parse_envelope(data)
        manifest = msgspec.convert(decode(envelope.payload), BundleManifest)
        check_instant(manifest.as_of)
    except (EnvelopeError, CanonicalError, msgspec.ValidationError, ValueError) as error:
        raise Refusal(f"not a bundle: manifest.json: {error}", "bundle") from error
    if envelope.payload_type != MANIFEST_TYPE:
        raise Refusal("not a bundle: manifest.json is an envelope of another type", "bundle")
    if manifest.registers.keys() != (set() if manifest.purpose == "courier" else {"custody", "obligations"}):
        raise Refusal(f"the manifest of a {manifest.purpose} bundle states other registers than it should", "bundle")
    for names in ([file.path for file in manifest.files], [journal.party for journal in manifest.journals]):
        if any(a >= b for a, b in pairwise(names)):
            raise Refusal("the lists of the manifest are not sorted, or repeat", "bundle")
    return envelope, manifest


def altered_files(manifest: BundleManifest, files: Mapping[str, bytes]) -> list[str]:
    """Names of the files that are missing, not listed, or have another digest than the manifest lists, sorted."""
    listed = {file.path: (file.sha256, file.size) for file in manifest.files}
    found = {path: (hashlib.sha256(content).hexdigest(), len(content)) for path, content in files.items()}
    return sorted(path for path in listed.keys() | found.keys() if listed.get(path) != found.get(path))


def _check_listed(manifest: BundleManifest, files: Mapping[str, bytes]) -> None:
    altered = altered_files(manifest, files)
    if altered:
        raise Refusal(f"the bundle's file {altered[0]} is not what the manifest lists", "bundle")
    journals = set()
    for path in files:
        match = _NAME.fullmatch(path)
        if match is None:
            raise Refusal(f"a bundle has no file {path}", "bundle")
        journals |= {match["party"]} - {None}
    if journals != {journal.party for journal in manifest.journals}:
        raise Refusal("the journals in the bundle are not those that the manifest lists", "bundle")


def journal_push(bundle: Bundle, party: str) -> Push:
    """The whole journal of a party in a bundle, as one push.

    Raises:
        Refusal: its files are missing, or its last entry is not ended.
    """
    try:
        lines = bundle.files[f"journals/{party}/entries.jsonl"]
        note = bundle.files[f"journals/{party}/checkpoint.txt"]
    except KeyError as error:
        raise Refusal(f"the bundle has no file {error}", "bundle") from error
    *leaves, rest = lines.split(b"\n")
    if rest or not leaves:
        raise Refusal(f"the line of entry {party}/{len(leaves) + 1} is not ended, or there is none", "bundle")
    return Push(party, 1, tuple(leaves), note)


class Imported(NamedTuple):
    """How many entries of each journal were new, and the proofs of forks that came along or came out."""

    entries: dict[str, int]
    forks: list[str]
    unmet: list[str]
    """Parties whose journals were left out: their fingerprint has not been compared here."""


def import_bundle(centre: Centre, data: bytes) -> Imported:
    """Take everything from a bundle that this centre does not hold yet. Idempotent.

    A journal that shows another history than the one held is left as it is, and the proof of the fork is kept.

    Raises:
        Refusal: malformed (`bundle`), or of another agreement (`agreement`); nothing has changed. Or what is in it is
            not proven by its checkpoints; journals taken before, each under its own checkpoint, stay.
    """
    bundle = read_bundle(data)
    if bundle.manifest.agreement != centre.record.agreement:
        raise Refusal(
            f"the bundle is for agreement {bundle.manifest.agreement[:12]}…, this centre keeps "
            f"{centre.record.agreement[:12]}…",
            "agreement",
        )
    proofs = {path: content for path, content in sorted(bundle.files.items()) if path.startswith("proofs/")}
    proven = []
    if proofs:
        there = unjudged_record(bundle)
        proven = [(proven_party(there, content), content) for content in proofs.values()]
    take_packs(centre, bundle.files)
    entries, forks = {}, []
    unmet = []
    for journal in (listed.party for listed in bundle.manifest.journals):
        if journal == centre.party:
            continue
        before = centre.record.journals[journal].size if journal in centre.record.journals else 0
        if not before:  # whoever states entry 1 is whom we believe for good: that is settled in person, not by a file
            unmet.append(journal)
            continue
        forks += _take_journal(centre, bundle, journal)
        entries[journal] = centre.record.journals[journal].size - before
    forks += [keep_proof(centre, journal, parse_fork_proof(content)) for journal, content in proven]
    _take_receipts(centre, bundle)
    _take_openings(centre, bundle)
    return Imported(entries, forks, unmet)


def _take_openings(centre: Centre, bundle: Bundle) -> None:
    """Keep openings of entries that we hold; one that answers to no digest there is passed over."""
    for path, content in sorted(bundle.files.items()):
        if path.startswith("rows/"):
            rows = [parse_row_opening(line) for line in content.split(b"\n")[:-1]]
            keep_row_openings(centre, [row for row in rows if proves(centre, row)])
        if not path.startswith("openings/"):
            continue
        keep_openings(centre, [parse_opening(line, path, "bundle") for line in content.split(b"\n")[:-1]])


def take_pack(centre: Centre, text: bytes) -> str:
    """Hold a pack from its canonical bytes, and judge what waited for it; returns its digest. Idempotent.

    Raises:
        Refusal: it is no pack, or amends none that is held (`pack`).
    """
    try:
        pack = parse_pack(text)
    except PackError as error:
        raise Refusal(f"not a pack: {error}", "pack") from error
    if pack.digest in centre.record.packs:
        return pack.digest
    if pack.replaces not in centre.record.packs:
        raise Refusal(f"pack {pack.digest[:12]}… amends none that is held here; its `replaces` must name one", "pack")
    with centre.store.transaction() as writer:
        writer.put_pack(pack.digest, text)
    centre.hold_pack(pack)
    return pack.digest


def take_packs(centre: Centre, files: Mapping[str, bytes]) -> None:
    """Keep the packs of a bundle that are not held yet, and judge what waited for them."""
    for digest, pack in _packs(files).items():
        if digest not in centre.record.packs:
            with centre.store.transaction() as writer:
                writer.put_pack(digest, files[f"packs/{digest}.json"])
            centre.hold_pack(pack)


def _take_journal(centre: Centre, bundle: Bundle, journal: str) -> list[str]:
    """Take a journal; returns the name of the proof if it is another history than the one held."""
    whole = journal_push(bundle, journal)
    state = centre.record.journals.get(journal)
    if state is None:
        raise Refusal(f"{journal} is no party of the agreement", "bundle")
    fresh, before = max(1, state.size), set(centre.forks.get(journal, ()))
    try:
        receive(centre, whole._replace(first=fresh, leaves=whole.leaves[fresh - 1 :]), limits=False)
    except Conflict as conflict:
        if proven := centre.forks.get(journal, {}).keys() - before:  # by what was held ahead of its place
            return sorted(proven)
        proof = proof_in_push(centre, whole)
        if proof is None:
            raise Refusal(f"{conflict}, and nothing proves which", "conflict") from conflict
        return [keep_proof(centre, journal, proof)]
    return []


def _take_receipts(centre: Centre, bundle: Bundle) -> None:
    for path, content in sorted(bundle.files.items()):
        match = _NAME.fullmatch(path)
        if match and match["by"] in centre.record.journals and match["party"] in centre.record.journals:
            take_receipts(centre, match["party"], match["by"], size_of(content), content.partition(b"\n\n")[2])


def record_of(bundle: Bundle) -> Record:
    """The record in a bundle, judged; checkpoints are not looked at (see `operations.verifying`).

    Raises:
        Refusal: a file is missing or malformed, or a journal does not begin with an identity.
    """
    record = unjudged_record(bundle)
    for party in (listed.party for listed in bundle.manifest.journals):
        if record.journals[party].identities.before(2) is None:
            raise Refusal(f"entry {party}/1 states no identity that holds", "bundle")
    judge_on_all_cores(record)
    return record


def unjudged_record(bundle: Bundle) -> Record:
    """The record in a bundle, of which nothing is judged yet but the identities that its leaves state.

    Raises:
        Refusal: a file is missing or malformed.
    """
    packs = _packs(bundle.files)
    if bundle.manifest.agreement not in packs:
        raise Refusal("the bundle has not the pack of its agreement", "bundle")
    record = Record(packs[bundle.manifest.agreement], signature_holds)
    for pack in packs.values():
        record.add_pack(pack)
    for listed in bundle.manifest.journals:
        if listed.party not in record.journals:
            raise Refusal(f"{listed.party} is no party of the agreement", "bundle")
        push = journal_push(bundle, listed.party)
        record.add_leaves(push.journal, [prepare(leaf) for leaf in push.leaves])
    return record


def _packs(files: Mapping[str, bytes]) -> dict[str, Pack]:
    """The packs of a bundle by digest; each lies under the name that its digest gives."""
    packs = {}
    for path, content in sorted(files.items()):
        if path.startswith("packs/"):
            try:
                pack = parse_pack(content)
            except PackError as error:
                raise Refusal(f"{path}: {error}", "bundle") from error
            if path != f"packs/{pack.digest}.json":
                raise Refusal(f"{path}: a pack is named by its digest, and this one is {pack.digest}", "bundle")
            packs[pack.digest] = pack
    return packs
