# SPDX-License-Identifier: Apache-2.0
"""Cases of whole bundles: what must be verified, and what must be refused."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from making.case import Case, Cases, shown
from making.dossiers import AS_OF, contents, digest, documents, fingerprints, judged, manifest, sealed
from making.keys import Signatures, ed25519, keys_of
from making.packs import obligation, pack
from making.records import FULL
from making.world import World, envelope
from servanda.journal.state import Tree
from servanda.proof.canonical import encode
from servanda.proof.checkpoints import Checkpoint, sign_checkpoint
from servanda.proof.container import write_container
from servanda.proof.envelope import ENTRY_TYPE, MANIFEST_TYPE
from servanda.proof.forks import ForkProof
from servanda.proof.merkle import leaf_hash
from servanda.proof.notes import KIND_MLDSA44, Note, NoteSignature, note_key_id
from servanda.proof.sealing import seal

Files = dict[str, bytes]


def _bundle(world: World, files: Mapping[str, bytes], signer: Any = None, **members: Any) -> Files:
    """A case whose registers are those of the record."""
    proofs = [("ash", data) for path, data in files.items() if path.startswith("proofs/")]
    found = documents(world, str(members.get("as_of", AS_OF)), proofs)
    registers = members.pop("registers", {name: digest(document) for name, document in found.items()})
    value = manifest(world, files, registers, **members)
    return {"bundle.servanda": sealed(world, files, value, signer), "parties.json": fingerprints(world)}


def _expected(world: World, *, receipts: bool, kinds: Sequence[str] = ("ed25519",), **members: Any) -> dict[str, Any]:
    record = judged(world)
    waiting = [
        f"{party}/{len(journal.entries) + 1 + at}"
        for party, journal in sorted(record.journals.items())
        for at in range(len(journal.pending))
    ]
    return {
        "as-of": AS_OF,
        "complete": {party: journal.size for party, journal in world.journals.items() if journal.size},
        "exporter": next(iter(world.journals)),
        "inadmissible": {str(e.place): e.code for j in record.journals.values() for e in j.entries if e.code},
        "receipts": [
            {"by": by, "journal": party, "kinds": list(kinds), "size": journal.receipts[by][0]}
            for party, journal in sorted(world.journals.items())
            for by in (sorted(journal.receipts) if receipts else ())
        ],
        "suspended": [],
        "waiting": waiting,
        **members,
    }


def _lake() -> World:
    rules = [obligation("FIXED", {"date": "2014-03-01", "rule": "fixed"})]
    world = World(pack(("ash", "birch"), ("declare", "handover", "report"), obligations=rules))
    grams = {"amount": 700, "basis": "stated", "unit": "g"}
    lot = world.say("ash", "declare", {"lots": [{"kind": "cargo", "place": "store", "quantity": grams}]}) + "/0"
    content = {"lots": [{"lot": lot, "quantity": grams}], "place": "harbour", "receiver": "birch"}
    offer = world.say("ash", "handover", content, named=["birch"])
    world.say("birch", "accept", FULL, refers=[offer], cite=["ash"])
    world.say("ash", "report", {"performs": [{"extent": "full", "obligation": "FIXED"}], "text": "Handed over."})
    return world


def _good(cases: Cases, signatures: Signatures) -> None:
    world = _lake()
    files = contents(world)
    sentence = "A dossier: registers, checkpoints and receipts, all with Ed25519."
    cases.good("dossier", sentence, _bundle(world, files), _expected(world, receipts=True))
    sentence = "The same with ML-DSA-44 signatures in checkpoints and receipts."
    both = ("ed25519", "ml-dsa-44")
    cases.good(
        "dossier-ml-dsa-44",
        sentence,
        _bundle(world, contents(world, signatures)),
        _expected(world, receipts=True, kinds=both),
    )
    files = contents(world, receipts=False)
    sentence = "A courier bundle states no registers."
    cases.good("courier", sentence, _bundle(world, files, registers={}), _expected(world, receipts=False))
    world = World(pack())
    sealed_content, openings = seal({"text": "The raft leaks."}, {"text": hashlib.sha256(b"raft").digest()})
    note = world.say("ash", "note", sealed_content)
    line = encode({"disclosure": openings[0], "entry": world.reference(note)}) + b"\n"
    files = {**contents(world, receipts=False), "openings/ash.jsonl": line}
    sentence = "A backup with the opening of a sealed field."
    cases.good(
        "backup-with-opening", sentence, _bundle(world, files, purpose="backup"), _expected(world, receipts=False)
    )
    world = World(pack())
    world.say("ash", "note", {"colour": "green"})
    world.say("birch", "adopt", {"pack": hashlib.sha256(b"a pack that nobody shows").hexdigest()})
    world.say("ash", "note", {"text": "It waits."})
    sentence = "Entries that are inadmissible or wait are shown; the dossier holds."
    cases.good("shown-without-effect", sentence, _bundle(world, contents(world)), _expected(world, receipts=True))


def _forked() -> tuple[World, Files]:
    world = World(pack(("ash", "birch", "cedar", "dogwood"), ("declare", "note")))
    grams = {"amount": 10, "basis": "stated", "unit": "g"}
    lots = {"lots": [{"kind": "cargo", "place": "store", "quantity": grams}]}
    world.say("ash", "declare", lots)
    for party in ("birch", "cedar", "dogwood"):
        world.say(party, "note", {"text": "It has seen the declaration."})
    world.online = False
    world.say("ash", "declare", lots)
    world.hold("birch", "ash")
    world.say("birch", "note", {"text": "It alone has seen the second declaration."})
    journal, other = world.journals["ash"], Tree()
    for leaf in [*journal.leaves[:3], b"another entry 4"]:
        other.append(leaf_hash(leaf))
    checkpoint = Checkpoint(world.origin("ash"), 4, other.root())
    line = sign_checkpoint(checkpoint, journal.keys.centre.sign, journal.keys.centre.public)
    proof = ForkProof(world.note("ash", 4), Note(checkpoint.text(), (line,)).encode(), ()).encode()
    return world, {"proofs/ash-4.json": proof}


def _forks(cases: Cases) -> None:
    world, proof = _forked()
    files = {**contents(world, receipts=False), **proof}
    sentence = "A fork is proven: what fewer than two others uphold is suspended, and what covers it."
    expected = _expected(world, receipts=False, exporter="birch", suspended=["ash/4", "birch/4"])
    cases.good("forked", sentence, _bundle(world, files, exporter="birch"), expected, "settlement#Forks")
    plain = documents(world)
    registers = {name: digest(document) for name, document in plain.items()}
    sentence = "A fork is proven; the registers stated are those of a record without one."
    cases.bad(
        "forked-not-counted", sentence, _bundle(world, files, exporter="birch", registers=registers), "settlement#Forks"
    )
    content = {"root": world.journals["ash"].tree.root().hex(), "size": 4}
    world.say("ash", "branch", content)
    files = {**contents(world, receipts=False), **proof}
    sentence = "The party has named the branch that stands: all has effect again."
    expected = _expected(world, receipts=False, exporter="birch")
    cases.good("branch-named", sentence, _bundle(world, files, exporter="birch"), expected, "settlement#Forks")
    world = _alone()
    none = ForkProof(world.note("ash", 1), world.note("ash", 1), ()).encode()
    files = {**contents(world), "proofs/none.json": none}
    sentence = "A proof of a fork that proves none."
    cases.bad("proof-of-nothing", sentence, _bundle(world, files), "journal#Proof of a fork")


def _alone() -> World:
    """One party and its identity: enough for whatever is wrong with the manifest, or a file."""
    world = World(pack(), founded=False)
    world.online = False
    world.identify("ash")
    return world


def _bad_manifests(cases: Cases) -> None:
    world = _alone()
    files = contents(world)
    found = {name: digest(document) for name, document in documents(world).items()}
    value = manifest(world, files, found)
    listed: list[dict[str, Any]] = value["files"]
    journal = value["journals"][0]
    keys = world.journals["ash"].keys
    manifests: list[tuple[str, str, dict[str, Any]]] = [
        ("files-unsorted", "The manifest lists files in another order.", {"files": listed[::-1]}),
        ("file-not-listed", "A file that the manifest does not list.", {"files": listed[1:]}),
        ("file-listed-twice", "A file is listed twice.", {"files": [listed[0], *listed]}),
        (
            "file-missing",
            "The manifest lists a file that is not there.",
            {"files": [*listed, {**listed[0], "path": "proofs/x.json"}]},
        ),
        ("digest-of-file", "Another digest of a file.", {"files": [{**listed[0], "sha256": "00" * 32}, *listed[1:]]}),
        ("size-of-file", "Another size of a file.", {"files": [{**listed[0], "size": 1}, *listed[1:]]}),
        ("root-of-journal", "Another root of a journal.", {"journals": [{**journal, "root": "00" * 32}]}),
        ("size-of-journal", "Another size of a journal.", {"journals": [{**journal, "size": 2}]}),
        ("journal-not-listed", "A journal that the manifest does not list.", {"journals": []}),
        (
            "journal-missing",
            "The manifest lists a journal that is not there.",
            {"journals": [journal, {**journal, "party": "birch"}]},
        ),
        ("exporter-missing", "The exporter's journal is not in the bundle.", {"exporter": "birch"}),
        ("purpose", "A purpose that there is not.", {"purpose": "leak"}),
        ("registers-in-courier", "A courier bundle that states registers.", {"purpose": "courier"}),
        ("as-of", "A time that is not in UTC.", {"as-of": "2026-02-01T00:00:00+01:00"}),
        ("agreement", "Another agreement.", {"agreement": "00" * 32}),
        ("version", "A bundle of another version.", {"servanda-bundle": 2}),
        ("more-members", "A member that manifests have not.", {"note": ""}),
        (
            "custody-register",
            "Another digest of the balances document.",
            {"registers": {**found, "custody": "00" * 32}},
        ),
        (
            "obligations-register",
            "Another digest of the obligations document.",
            {"registers": {**found, "obligations": "00" * 32}},
        ),
    ]
    for name, sentence, changes in manifests:
        bundle = sealed(world, files, {**value, **changes}, keys.centre)
        cases.bad(name, sentence, {"bundle.servanda": bundle, "parties.json": fingerprints(world)}, "#Contents")
    for name, sentence, signer in [
        ("signed-by-receipt-key", "The manifest is signed by the receipt key.", keys.receipt),
        ("signed-by-stranger", "The manifest is signed by somebody else.", ed25519("stranger")),
    ]:
        cases.bad(name, sentence, _bundle(world, files, signer), "#Contents")
    later = envelope(encode({**value, "as-of": "2026-02-01T12:00:00Z"}), [keys.centre], MANIFEST_TYPE)
    signed = envelope(encode(value), [keys.centre], MANIFEST_TYPE)
    mark = b'","payloadType":'
    changed = later[: later.index(mark)] + signed[signed.index(mark) :]
    for name, sentence, data in [
        ("manifest-changed", "The manifest was changed after signing: another hour.", changed),
        (
            "manifest-type",
            "The manifest is in an envelope for entries.",
            envelope(encode(value), [keys.centre], ENTRY_TYPE),
        ),
        ("manifest-bare", "The manifest is not in an envelope.", encode(value)),
    ]:
        bundle = write_container({**files, "manifest.json": data})
        cases.bad(name, sentence, {"bundle.servanda": bundle, "parties.json": fingerprints(world)}, "#Contents")
    short = {"bundle.servanda": _bundle(world, files)["bundle.servanda"][:-1], "parties.json": fingerprints(world)}
    cases.bad("cut", "The last byte of the archive is missing.", short, "#Container")


def _bad_files(cases: Cases) -> None:
    world = _alone()
    files = contents(world)
    agreement = f"packs/{world.agreement}.json"
    checkpoint, entries = "journals/ash/checkpoint.txt", "journals/ash/entries.jsonl"
    other = pack(formats=("note", "alert"))
    stranger = keys_of("stranger").centre
    line = sign_checkpoint(
        Checkpoint(world.origin("ash"), 1, world.journals["ash"].tree.root()), stranger.sign, stranger.public
    )
    forged = Note(Checkpoint(world.origin("ash"), 1, world.journals["ash"].tree.root()).text(), (line,)).encode()
    changes: list[tuple[str, str, dict[str, bytes | None], str]] = [
        ("no-pack", "The first pack is missing.", {agreement: None}, "#Contents"),
        (
            "pack-of-other-digest",
            "A pack under another digest than its own.",
            {f"packs/{'00' * 32}.json": encode(other)},
            "pack",
        ),
        ("unknown-file", "A file that bundles have not.", {"notes/readme.txt": b"x"}, "#Contents"),
        ("no-checkpoint", "The checkpoint is missing.", {checkpoint: None}, "#Contents"),
        (
            "checkpoint-of-stranger",
            "The checkpoint is signed by somebody else.",
            {checkpoint: forged},
            "journal#Checkpoint",
        ),
        ("last-line", "The last entry does not end in a newline.", {entries: files[entries][:-1]}, "#Contents"),
        ("blank-line", "An empty line after the last entry.", {entries: files[entries] + b"\n"}, "#Contents"),
        ("no-entries", "A journal without entries.", {entries: b""}, "#Contents"),
    ]
    for name, sentence, change, rule in changes:
        changed = {path: data for path, data in {**files, **change}.items() if data is not None}
        cases.bad(name, sentence, _bundle(world, changed), rule)
    found = _bundle(world, files)
    cases.bad(
        "other-fingerprint",
        "Entry 1 is not that whose fingerprint was compared.",
        {**found, "parties.json": shown({"ash": "00" * 32})},
        "identity#Fingerprint",
    )
    cases.bad(
        "no-fingerprint",
        "No fingerprint was compared for a journal.",
        {**found, "parties.json": shown({})},
        "identity#Fingerprint",
    )
    expect = {**found, "expect.json": shown({"ash": 2})}
    cases.bad("older-cut", "The reader knows of a later entry: this is an older cut.", expect, "#Contents")


def _bad_journals(cases: Cases, signatures: Signatures) -> None:
    cuts: list[tuple[str, str, Callable[[list[bytes]], list[bytes]]]] = [
        ("entry-dropped", "An entry has been taken out.", lambda lines: [lines[0], lines[2]]),
        ("entry-repeated", "An entry stands twice.", lambda lines: [*lines, lines[-1]]),
        ("entries-swapped", "Two entries have changed places.", lambda lines: [lines[0], lines[2], lines[1]]),
        ("tail-cut", "The last entry has been cut off.", lambda lines: lines[:-1]),
    ]
    for name, sentence, change in cuts:
        world = _alone()
        for note in ("One.", "Two."):
            world.say("ash", "note", {"text": note})
        files = contents(world)
        path = "journals/ash/entries.jsonl"
        lines = change(files[path].split(b"\n")[:-1])
        files[path] = b"".join(line + b"\n" for line in lines)
        tree = Tree()
        for line in lines:
            tree.append(leaf_hash(line))
        listed = [{"party": "ash", "root": tree.root().hex(), "size": len(lines)}]
        cases.bad(name, sentence, _bundle(world, files, journals=listed), "journal#Checkpoint")
    world = _noted()
    files = contents(world)
    checkpoint = world.note("ash", 3)
    sentence = "The checkpoint is of a smaller size than the journal."
    cases.bad(
        "checkpoint-older", sentence, _bundle(world, {**files, "journals/ash/checkpoint.txt": checkpoint}), "#Contents"
    )
    receipt = "journals/ash/receipts/birch.txt"
    by_ash = files["journals/birch/receipts/ash.txt"]
    forged = files[receipt].replace(b"/birch/receipt ", b"/ash/receipt ")
    other = (
        Checkpoint(world.origin("ash"), 4, bytes(32)).text().encode()
        + files[receipt][files[receipt].index(b"\n\n") + 1 :]
    )
    head, _, raw = files[receipt].rpartition(b" ")
    late = bytearray(base64.b64decode(raw))
    late[11] ^= 1
    for name, sentence, data in [
        ("receipt-of-other-journal", "A receipt on another journal.", by_ash),
        ("receipt-of-other-name", "A receipt under another name.", forged),
        ("receipt-over-other-root", "A receipt over a root that the journal has not.", other),
        ("receipt-later", "A receipt whose timestamp was changed.", head + b" " + base64.b64encode(late) + b"\n"),
    ]:
        cases.bad(name, sentence, _bundle(world, {**files, receipt: data}), "journal#Receipt")
    checkpoint = world.note("ash", signatures=signatures)
    key = world.journals["ash"].keys.centre_mldsa44.public
    start = note_key_id(world.origin("ash"), KIND_MLDSA44, key)
    wrong = NoteSignature(world.origin("ash"), start, bytes(8 + 2420)).line().encode()
    unsound = checkpoint[: checkpoint.rindex(b"\xe2\x80\x94")] + wrong
    sentence = "The ML-DSA-44 signature of a checkpoint does not verify."
    cases.bad(
        "checkpoint-ml-dsa-44",
        sentence,
        _bundle(world, {**files, "journals/ash/checkpoint.txt": unsound}),
        "journal#Checkpoint",
    )
    disclosure = seal({"text": "It floats."}, {"text": hashlib.sha256(b"other").digest()})[1][0]
    opening = encode({"disclosure": disclosure, "entry": world.reference("ash/3")}) + b"\n"
    sentence = "An opening that answers to no digest of its entry."
    cases.bad(
        "opening-of-nothing", sentence, _bundle(world, {**files, "openings/ash.jsonl": opening}), "sealing#Sealed field"
    )


def _noted() -> World:
    world = World(pack())
    world.say("ash", "note", {"text": "One."})
    world.say("ash", "note", {"text": "Two."})
    return world


def cases(signatures: Signatures) -> list[Case]:
    """`bundle.servanda` is judged by `parties.json` and, if it is there, `expect.json`."""
    cases = Cases("bundle", "bundle")
    _good(cases, signatures)
    _forks(cases)
    _bad_manifests(cases)
    _bad_files(cases)
    _bad_journals(cases, signatures)
    return cases.made
