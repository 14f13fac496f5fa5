# SPDX-License-Identifier: Apache-2.0
"""How does a record come to be? Leaf by leaf, by parties that may break every rule; nothing is judged here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from making.keys import Keys, Signatures, keys_of, text_of
from servanda.agreement.formats import BUILT_IN
from servanda.journal.state import Tree
from servanda.keyring.memory import MemorySigner
from servanda.proof.canonical import encode
from servanda.proof.checkpoints import Checkpoint, sign_checkpoint
from servanda.proof.cosignatures import cosign
from servanda.proof.envelope import ENTRY_TYPE, Envelope, Signature, pae
from servanda.proof.keys import key_id
from servanda.proof.merkle import leaf_hash
from servanda.proof.notes import KIND_COSIGNATURE, KIND_MLDSA44, Note

START = datetime(2026, 1, 1, tzinfo=UTC)
_UNDER_NO_PACK = ("identity", "adopt", "branch")
_AUTHORS: dict[str, tuple[str, str | None]] = {
    "two": ("desk", "chief"),
    "one": ("duty", None),
    "centre": ("centre", None),
    "root": ("root", None),
}


@dataclass
class Journal:
    """What one party has said, and what its centre holds of the others."""

    party: str
    keys: Keys
    leaves: list[bytes] = field(default_factory=list)
    tree: Tree = field(default_factory=Tree)
    held: dict[str, int] = field(default_factory=dict)
    stated: dict[str, int] = field(default_factory=dict)
    receipts: dict[str, tuple[int, bytes, int]] = field(default_factory=dict)
    """By whom: the newest receipt on this journal: size, cosignature of type 0x04, timestamp."""

    @property
    def size(self) -> int:
        """How many entries there are."""
        return len(self.leaves)


def identity_content(keys: Keys, threshold: int = 2, **members: Any) -> dict[str, Any]:
    """The content of an identity entry; `members` replace others."""

    def pair(ed25519: MemorySigner, mldsa44: MemorySigner) -> dict[str, str]:
        return {"ed25519": text_of(ed25519.public), "ml-dsa-44": text_of(mldsa44.public)}

    roles = {"chief": ["author", "release"], "desk": ["author"], "duty": ["watch"]}
    return {
        "centre": pair(keys.centre, keys.centre_mldsa44),
        "names": {"en": "a party"},
        "officers": [
            {"custody": "centre", "id": name, "public": text_of(key.public), "roles": roles[name], "type": "ed25519"}
            for name, key in keys.officers.items()
        ],
        "receipt": pair(keys.receipt, keys.receipt_mldsa44),
        "root": {
            "keys": [{"public": text_of(root.public), "type": "ed25519"} for root in keys.roots],
            "threshold": threshold,
        },
        "tls": [],
        **members,
    }


def envelope(payload: bytes, signers: Sequence[MemorySigner], kind: str = ENTRY_TYPE) -> bytes:
    """A leaf, or a manifest: the payload signed by all signers, in this order."""
    message = pae(kind, payload)
    return Envelope(
        payload, kind, tuple(Signature(key_id(s.public), s.sign(message), s.algorithm) for s in signers)
    ).encode()


class World:
    """The parties of one agreement. Unless `online` is false, all hold and receipt at once what one of them says."""

    def __init__(self, pack: dict[str, Any], *, adopted: bool = True, founded: bool = True) -> None:
        """Found the journals of the pack's parties, and let them adopt it."""
        self.packs = {hashlib.sha256(encode(pack)).hexdigest(): pack}
        self.agreement, self.pack = next(iter(self.packs.items()))
        self.force = self.agreement
        self.journals = {party["id"]: Journal(party["id"], keys_of(party["id"])) for party in pack["parties"]}
        self.online = True
        self.minutes = 0
        for party in self.journals if founded else ():
            self.identify(party)
        for party in self.journals if founded and adopted else ():
            self.say(party, "adopt", {"pack": self.agreement})

    def now(self) -> str:
        """The next minute, as an entry states it."""
        self.minutes += 1
        return (START + timedelta(minutes=self.minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def seconds(self) -> int:
        """The present minute in seconds since 1970."""
        return int((START + timedelta(minutes=self.minutes)).timestamp())

    def origin(self, party: str) -> str:
        """The origin of a party's checkpoints."""
        return f"servanda/{self.agreement}/{party}"

    def reference(self, place: str) -> dict[str, Any]:
        """The reference to `party/number`."""
        party, number = place.split("/")
        leaf = leaf_hash(self.journals[party].leaves[int(number) - 1]).hex()
        return {"leaf": leaf, "number": int(number), "party": party}

    def head(self, party: str, size: int) -> dict[str, Any]:
        """The head of a journal at a size."""
        return {"party": party, "root": self.journals[party].tree.root(size).hex(), "size": size}

    def frame(self, party: str, form: str, content: Mapping[str, Any], /, **members: Any) -> dict[str, Any]:
        """The frame of the next entry of `party`; `members` replace others, with `_` for `-`.

        `refers` and `thread` are given as `party/number`; `cite` says by whom receipts are cited.
        """
        journal = self.journals[party]
        act, release = self._form(form)
        author, releaser = _AUTHORS[release]
        members = {name.replace("_", "-"): value for name, value in members.items()}
        cited = [(by, journal.receipts[by]) for by in sorted(members.pop("cite", ()))]
        thread = members.pop("thread", None)
        refers = [self.reference(place) for place in members.pop("refers", ())]
        grown = {p: n for p, n in sorted(journal.held.items()) if n > journal.stated.get(p, 0)}
        return {
            "act": act,
            "agreement": self.agreement,
            "as-stated": None,
            "author": author,
            "content": dict(content),
            "event-at": "2014-01-10",
            "exercise-at": None,
            "format": form,
            "format-version": 1,
            "heads": [] if form == "identity" else [self.head(p, n) for p, n in grown.items()],
            "language": "en",
            "named": [] if act == "offer" else None,
            "number": journal.size + 1,
            "pack": None if form in _UNDER_NO_PACK else self.force,
            "party": party,
            "precedence": "routine",
            "receipts": [{"by": by, "cosignature": text_of(raw), "size": size} for by, (size, raw, _) in cited],
            "refers-to": refers,
            "released-at": self.now(),
            "releaser": releaser,
            "remarks": "",
            "status": "actual",
            "subject": form,
            "thread": None if thread is None else self.reference(thread),
            "to": [],
            "version": 1,
            **members,
        }

    def _form(self, name: str) -> tuple[str, str]:
        if (name, 1) in BUILT_IN:
            return BUILT_IN[name, 1].act, BUILT_IN[name, 1].release
        return next(
            ((f["act"], f["release"]) for f in self.packs[self.force]["formats"] if f["id"] == name), ("notify", "two")
        )

    def signers(self, frame: Mapping[str, Any]) -> list[MemorySigner]:
        """Who has to sign a frame, by the keys that its party has now."""
        keys = self.journals[frame["party"]].keys
        if frame["author"] == "root":
            return sorted(keys.roots, key=lambda root: key_id(root.public))
        if frame["author"] == "centre":
            return [keys.centre]
        return [keys.officers[name] for name in (frame["author"], frame["releaser"]) if name in keys.officers]

    def say(self, party: str, form: str, content: Mapping[str, Any], /, **members: Any) -> str:
        """Append an entry; returns its `party/number`. `signers` says who signs, if not those who have to."""
        signers = members.pop("signers", None)
        frame = self.frame(party, form, content, **members)
        return self.put(party, envelope(encode(frame), signers or self.signers(frame)), frame)

    def put(self, party: str, leaf: bytes, frame: Mapping[str, Any] | None = None) -> str:
        """Append any bytes as the next leaf; returns its `party/number`."""
        journal = self.journals[party]
        journal.leaves.append(leaf)
        journal.tree.append(leaf_hash(leaf))
        for head in frame["heads"] if frame else ():
            journal.stated[head["party"]] = head["size"]
        for other in self.journals if self.online else ():
            self.hold(other, party)
        return f"{party}/{journal.size}"

    def identify(self, party: str, keys: Keys | None = None, **members: Any) -> str:
        """State an identity: the first, or new keys, signed by the roots before and the roots stated."""
        journal = self.journals[party]
        before = journal.keys.roots if journal.size else ()
        journal.keys = keys or journal.keys
        content = members.pop("content", None) or identity_content(journal.keys)
        roots = {key_id(root.public): root for root in (*before, *journal.keys.roots)}
        return self.say(party, "identity", content, signers=[roots[name] for name in sorted(roots)], **members)

    def hold(self, by: str, party: str, size: int | None = None, stamp: int | None = None) -> None:
        """The centre of `by` holds the journal of `party` to `size` and receipts it."""
        journal = self.journals[party]
        size = journal.size if size is None else size
        if by == party or not size:
            return
        self.journals[by].held[party] = size
        journal.receipts[by] = (size, self.receipt(by, party, size, stamp), stamp or self.seconds)

    def receipt(self, by: str, party: str, size: int, stamp: int | None = None) -> bytes:
        """A cosignature of type 0x04 by the receipt key that `by` has now: key ID, timestamp, signature."""
        key = self.journals[by].keys.receipt
        checkpoint = Checkpoint(self.origin(party), size, self.journals[party].tree.root(size))
        name = f"{self.origin(by)}/receipt"
        made = cosign(
            checkpoint,
            name=name,
            kind=KIND_COSIGNATURE,
            timestamp=self.seconds if stamp is None else stamp,
            sign=key.sign,
            public=key.public,
        )
        return made.key_id + made.signature

    def note(self, party: str, size: int | None = None, signatures: Signatures | None = None) -> bytes:
        """The signed checkpoint of a journal, with an ML-DSA-44 signature if these are given."""
        journal = self.journals[party]
        size = journal.size if size is None else size
        checkpoint = Checkpoint(self.origin(party), size, journal.tree.root(size))
        lines = [sign_checkpoint(checkpoint, journal.keys.centre.sign, journal.keys.centre.public)]
        if signatures is not None:
            key = journal.keys.centre_mldsa44
            lines.append(
                cosign(
                    checkpoint,
                    name=checkpoint.origin,
                    kind=KIND_MLDSA44,
                    timestamp=self.seconds,
                    sign=lambda message: signatures.sign(key, message),
                    public=key.public,
                )
            )
        return Note(checkpoint.text(), tuple(lines)).encode()
