# SPDX-License-Identifier: Apache-2.0
"""Makes small dossiers from spec/ alone, honest or not: what the verifier is tried with."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import zlib
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

Json = Any
ENTRY = "application/vnd.servanda.entry.v1+json"
MANIFEST = "application/vnd.servanda.manifest.v1+json"


def canonical(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@cache
def key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


@cache
def ml_key(name: str) -> MLDSA44PrivateKey:
    return MLDSA44PrivateKey.from_seed_bytes(hashlib.sha256(name.encode()).digest())


def public(name: str) -> bytes:
    return key(name).public_key().public_bytes_raw()


def ml_public(name: str) -> bytes:
    return ml_key(name).public_key().public_bytes_raw()


def envelope(kind: str, payload: bytes, signers: list[str]) -> bytes:
    pae = b" ".join([b"DSSEv1", str(len(kind)).encode(), kind.encode(), str(len(payload)).encode(), payload])
    rows = [{"keyid": sha(public(s))[:32], "sig": b64(key(s).sign(pae)), "type": "ed25519"} for s in signers]
    return canonical({"payload": b64(payload), "payloadType": kind, "signatures": rows})


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\0" + leaf).digest()


def tree_root(hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\1" + tree_root(hashes[:k]) + tree_root(hashes[k:])).digest()


def note_text(origin: str, size: int, root: bytes) -> bytes:
    return f"{origin}\n{size}\n{b64(root)}\n".encode()


def line(name: str, kind: int, public_key: bytes, signature: bytes) -> str:
    key_id = hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public_key).digest()[:4]
    return f"— {name} {b64(key_id + signature)}\n"


def cosignature(name: str, signer: str, stamp: int, text: bytes) -> str:
    message = b"cosignature/v1\ntime " + str(stamp).encode() + b"\n" + text
    return line(name, 4, public(signer), struct.pack(">Q", stamp) + key(signer).sign(message))


def ml_cosignature(name: str, signer: str, stamp: int, text: bytes) -> str:
    origin, size, root = text.decode().splitlines()
    message = b"subtree/v1\n\0" + bytes([len(name)]) + name.encode() + struct.pack(">Q", stamp)
    message += bytes([len(origin)]) + origin.encode() + struct.pack(">QQ", 0, int(size)) + base64.b64decode(root)
    return line(name, 6, ml_public(signer), struct.pack(">Q", stamp) + ml_key(signer).sign(message))


def archive(files: dict[str, bytes]) -> bytes:
    names = sorted(files, key=lambda n: (n != "manifest.json", n.encode()))
    body, central = b"", b""
    for name in names:
        data, at = files[name], len(body)
        crc, n, raw = zlib.crc32(data), len(name), name.encode()
        sizes = struct.pack("<III", crc, len(data), len(data))
        body += b"PK\3\4" + struct.pack("<HHHHH", 20, 0, 0, 0, 33) + sizes + struct.pack("<HH", n, 0) + raw + data
        central += b"PK\1\2" + struct.pack("<HHHHHH", 20, 20, 0, 0, 0, 33) + sizes
        central += struct.pack("<HHHHHII", n, 0, 0, 0, 0, 0, at) + raw
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, len(names), len(names), len(central), len(body), 0)
    return body + central + end


def pack_format(name: str, act: str = "notify", effect: str | None = None, **more: Json) -> Json:
    base = {"id": name, "version": 1, "act": act, "effect": effect, "names": {"en": name}, "purpose": {"en": name}}
    rules = {"release": "two", "may-send": [], "performs": False, "witnesses": [], "fields": {"type": "object"}}
    return {**base, **rules, **more}


NOTICES = ("declare", "split", "merge", "move", "seal", "condition", "loss", "consume", "found", "contest", "figure")
CUSTODY = dict.fromkeys((*NOTICES, "finding", "issue"), "notify")
CUSTODY |= dict.fromkeys(("offer", "destroy", "resolve"), "offer")


def make_pack(parties: list[str], quorum: Json = "all", **changes: Json) -> Json:
    formats = [
        pack_format("lot-condition" if name == "condition" else name, act, f"custody.{name}")
        for name, act in CUSTODY.items()
    ]
    fields = {
        "type": "object", "additionalProperties": False, "required": ["text"],
        "properties": {
            "text": {"type": "string", "maxLength": 100, "pattern": "^[a-z ]*$"}, "performs": {"type": "array"}},
    }  # fmt: skip
    formats += [
        pack_format("report", fields=fields, performs=True),
        pack_format("watch-note", release="one", fields={"type": "object"}),
        pack_format("plan", "offer"),
        pack_format("plan-b", "offer"),
        pack_format("extend", "offer", "obligations.extend"),
        pack_format("supersede", "offer", "obligations.supersede"),
        pack_format("suspend", "notify", "obligations.suspend"),
    ]
    texts = {"en": "x"}
    return {
        "servanda-pack": 1, "id": "harbour", "edition": "1", "languages": ["en"], "title": texts, "replaces": None,
        "parties": [{"id": p, "names": texts, "role": texts} for p in parties],
        "time": {"zone": "Etc/UTC", "days": "calendar", "holidays": [], "basis": "event"},
        "settlement": {"quorum": quorum, "liars": 0},
        "units": [{"id": u, "names": texts, "symbol": u, "exponent": 0} for u in ("g", "piece")],
        "items": [
            {"id": "agent", "names": texts, "unit": "g", "within": None},
            {"id": "mustard", "names": texts, "unit": "g", "within": "agent"},
            {"id": "shell", "names": texts, "unit": "piece", "within": None},
        ],
        "places": [{"id": p, "names": texts} for p in ("depot", "port")],
        "events": [{"id": "start", "names": texts, "date": "2014-01-01"}],
        "formats": formats, "obligations": [], "bodies": [], "alerts": [], **changes,
    }  # fmt: skip


def obligation(name: str, due: Json, **changes: Json) -> Json:
    texts = {"en": "x"}
    base = {"id": name, "names": texts, "text": texts, "instrument": "I", "obligors": ["ana"], "due": due}
    return {**base, "absence": "overdue", "judged-by": [], "source": "S", **changes}


class Ref(NamedTuple):
    party: str
    number: int
    leaf: str

    @property
    def json(self) -> Json:
        return {"leaf": self.leaf, "number": self.number, "party": self.party}

    def __str__(self) -> str:
        return f"{self.party}/{self.number}"


@dataclass
class Centre:
    party: str
    leaves: list[bytes] = field(default_factory=list)
    heads: dict[str, int] = field(default_factory=dict)
    cited: dict[str, int] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)  # centre and receipt: the key's name
    officers: list[Json] = field(default_factory=list)
    roots: list[str] = field(default_factory=list)

    def root(self, size: int) -> bytes:
        return tree_root([leaf_hash(x) for x in self.leaves[:size]])


def officer(party: str, name: str, *roles: str) -> Json:
    return {
        "custody": "centre",
        "id": name,
        "public": b64(public(f"{party}/{name}")),
        "roles": sorted(roles),
        "type": "ed25519",
    }


class World:
    """Some parties under one agreement, and what each has said."""

    def __init__(
        self, parties: tuple[str, ...] = ("ana", "ben"), pack: Json = None, adopt: bool = True, **pack_changes: Json
    ) -> None:
        self.parties = list(parties)
        self.pack = pack or make_pack(self.parties, **pack_changes)
        self.pack_bytes = canonical(self.pack)
        self.packs = {sha(self.pack_bytes): self.pack_bytes}
        self.agreement = sha(self.pack_bytes)
        self.centres = {p: Centre(p) for p in parties}
        self.clock = 1_600_000_000
        self.in_force: str | None = None
        for p in parties:
            c = self.centres[p]
            c.keys = {"centre": f"{p}/centre", "receipt": f"{p}/receipt"}
            c.roots = [f"{p}/root-1", f"{p}/root-2"]
            c.officers = [
                officer(p, "desk", "author"),
                officer(p, "chief", "release"),
                officer(p, "both", "author", "release"),
                officer(p, "night", "watch"),
            ]
            self.identity(p, signers=c.roots)
        if adopt:
            for p in parties:
                self.say(p, "adopt", {"pack": self.agreement}, act="accept", pack=None)
            self.in_force = self.agreement
            for p in parties:
                self.cite(p)

    def origin(self, party: str) -> str:
        return f"servanda/{self.agreement}/{party}"

    def identity(self, party: str, signers: list[str], **changes: Json) -> Ref:
        c = self.centres[party]
        pair = {w: {"ed25519": b64(public(n)), "ml-dsa-44": b64(ml_public(n))} for w, n in c.keys.items()}
        content = {
            "centre": pair["centre"], "receipt": pair["receipt"], "names": {"en": party}, "officers": c.officers,
            "tls": [],
            "root": {"keys": [{"public": b64(public(r)), "type": "ed25519"} for r in c.roots], "threshold": 2},
        }  # fmt: skip
        options = {"heads": [], "receipts": [], "to": [], "pack": None, "author": "root", "releaser": None, **changes}
        return self.say(party, "identity", content, signers=signers, **options)

    def new_heads(self, party: str, sees: dict[str, int] | None = None) -> list[Json]:
        c, found = self.centres[party], []
        for p in sorted(self.parties):
            size = (sees or {}).get(p, c.heads.get(p, 0) if sees is not None else len(self.centres[p].leaves))
            if p != party and size > c.heads.get(p, 0):
                found.append({"party": p, "root": self.centres[p].root(size).hex(), "size": size})
        return found

    def receipt(self, on: str, by: str, size: int, stamp: int | None = None, signer: str | None = None) -> Json:
        self.clock += 1
        text = note_text(self.origin(on), size, self.centres[on].root(size))
        name = self.origin(by) + "/receipt"
        row = cosignature(name, signer or self.centres[by].keys["receipt"], stamp or self.clock, text)
        return {"by": by, "cosignature": row.split(" ")[2].strip(), "size": size}

    def say(
        self, party: str, form: str, content: Json, signers: list[str] | None = None, sees: Json = None, **changes: Json
    ) -> Ref:
        """Appends an entry. `sees` limits what it newly covers; `changes` replace members of its frame."""
        c = self.centres[party]
        number = len(c.leaves) + 1
        self.clock += 60
        f = {
            "act": "notify", "agreement": self.agreement, "as-stated": None, "author": "desk", "content": content,
            "event-at": "2014-01-02", "exercise-at": None, "format": form, "format-version": 1,
            "heads": self.new_heads(party, sees), "language": "en", "named": None, "number": number,
            "pack": self.in_force, "party": party, "precedence": "routine", "receipts": [], "refers-to": [],
            "released-at": "2026-01-02T03:04:05Z", "releaser": "chief", "remarks": "", "status": "actual",
            "subject": form, "thread": None, "to": [], "version": 1,
            **changes,
        }  # fmt: skip
        f["refers-to"] = [r.json if isinstance(r, Ref) else r for r in f["refers-to"]]
        if isinstance(f["thread"], Ref):
            f["thread"] = f["thread"].json
        if signers is None:
            people = [f["author"]] + ([f["releaser"]] if f["releaser"] else [])
            signers = [c.keys["centre"] if x == "centre" else f"{party}/{x}" for x in people]
        if f["author"] == "root":
            signers = sorted(signers, key=lambda s: sha(public(s)))
        c.leaves.append(envelope(ENTRY, canonical(f), signers))
        for h in f["heads"]:
            c.heads[h["party"]] = h["size"]
        for r in f["receipts"]:
            c.cited[r["by"]] = r["size"]
        return Ref(party, number, leaf_hash(c.leaves[-1]).hex())

    def cite(self, party: str, by: list[str] | None = None, **changes: Json) -> Ref:
        """A citation with fresh receipts of the others on all that the party has said."""
        size = len(self.centres[party].leaves)
        who = [
            p
            for p in sorted(by if by is not None else self.parties)
            if p != party and self.centres[party].cited.get(p, 0) < size
        ]
        receipts = [self.receipt(party, p, size) for p in who]
        options = {"author": "centre", "releaser": None, "receipts": receipts, **changes}
        return self.say(party, "citation", {}, **options)

    def offer(self, party: str, form: str, content: Json, named: list[str], **changes: Json) -> Ref:
        return self.say(party, form, content, act="offer", named=sorted(named), **changes)

    def accept(self, party: str, offer: Ref, received: Json = None, condition: Json = None, **changes: Json) -> Ref:
        content = {"extent": "full" if received is None else "part", "received": received or [], "condition": condition}
        return self.say(party, "accept", content, **{"act": "accept", "refers-to": [offer], **changes})

    def refuse(self, party: str, offer: Ref, **changes: Json) -> Ref:
        return self.say(party, "refuse", {"reason": "no"}, **{"act": "refuse", "refers-to": [offer], **changes})

    def checkpoint(self, party: str, size: int | None = None, signer: str | None = None) -> bytes:
        c = self.centres[party]
        size = len(c.leaves) if size is None else size
        text, name, signer = (
            note_text(self.origin(party), size, c.root(size)),
            self.origin(party),
            signer or c.keys["centre"],
        )
        rows = line(name, 1, public(signer), key(signer).sign(text)) + ml_cosignature(name, signer, 0, text)
        return text + b"\n" + rows.encode()

    def receipt_note(self, on: str, by: str, size: int | None = None) -> bytes:
        c = self.centres[on]
        size = len(c.leaves) if size is None else size
        text, name, signer = (
            note_text(self.origin(on), size, c.root(size)),
            f"{self.origin(by)}/receipt",
            self.centres[by].keys["receipt"],
        )
        rows = cosignature(name, signer, self.clock, text) + ml_cosignature(name, signer, self.clock, text)
        return text + b"\n" + rows.encode()

    def files(self) -> dict[str, bytes]:
        """Everything but the manifest."""
        found = {f"packs/{digest}.json": data for digest, data in self.packs.items()}
        for p, c in self.centres.items():
            found[f"journals/{p}/entries.jsonl"] = b"".join(x + b"\n" for x in c.leaves)
            found[f"journals/{p}/checkpoint.txt"] = self.checkpoint(p)
            for other in self.parties:
                if other != p:
                    found[f"journals/{p}/receipts/{other}.txt"] = self.receipt_note(p, other)
        return found

    def bundle(
        self, files: dict[str, bytes], registers: Json = None, exporter: str | None = None, **changes: Json
    ) -> bytes:
        """Signs a manifest over the files as they are."""
        exporter = exporter or self.parties[0]
        journals = []
        for p in sorted(self.parties):
            if f"journals/{p}/entries.jsonl" in files:
                leaves = files[f"journals/{p}/entries.jsonl"].split(b"\n")[:-1]
                journals.append(
                    {"party": p, "root": tree_root([leaf_hash(x) for x in leaves]).hex(), "size": len(leaves)}
                )
        manifest = {
            "agreement": self.agreement, "as-of": "2026-01-04T00:00:00Z", "exporter": exporter,
            "files": [{"path": n, "sha256": sha(d), "size": len(d)} for n, d in sorted(files.items())],
            "journals": journals, "purpose": "dossier" if registers else "courier", "registers": registers or {},
            "servanda-bundle": 1, **changes,
        }  # fmt: skip
        signed = envelope(MANIFEST, canonical(manifest), [self.centres[exporter].keys["centre"]])
        return archive({**files, "manifest.json": signed})

    @property
    def pins(self) -> dict[str, str]:
        return {p: leaf_hash(c.leaves[0]).hex() for p, c in self.centres.items()}
