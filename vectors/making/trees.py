# SPDX-License-Identifier: Apache-2.0
"""Cases of the Merkle tree, of notes, checkpoints and cosignatures."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from making.case import Case, Cases, shown
from making.keys import Signatures, ed25519, mldsa44, text_of
from servanda.journal.state import Tree
from servanda.proof.checkpoints import Checkpoint
from servanda.proof.cosignatures import Cosignature, ed25519_message, mldsa44_message
from servanda.proof.merkle import EMPTY_ROOT, consistency_path, inclusion_path, leaf_hash, node_hash
from servanda.proof.notes import KIND_COSIGNATURE, KIND_ED25519, KIND_MLDSA44, NoteSignature, VerifierKey, note_key_id

_NONE: dict[str, Any] = {}
_LEAVES = [f"leaf {number}".encode() for number in range(13)]
ORIGIN = f"servanda/{'6b' * 32}/syr"
_RECEIPT = f"servanda/{'6b' * 32}/opcw/receipt"


def _tree(size: int) -> Tree:
    tree = Tree()
    for leaf in _LEAVES[:size]:
        tree.append(leaf_hash(leaf))
    return tree


def merkle() -> list[Case]:
    """`input.json` is a claim about a tree, with `operation` `root`, `inclusion` or `consistency`."""
    cases = Cases("merkle", "journal")
    _roots(cases)
    _inclusions(cases)
    _consistencies(cases)
    return cases.made


def _roots(cases: Cases) -> None:
    def claim(size: int, root: bytes, leaves: list[bytes] | None = None) -> dict[str, bytes]:
        shown_leaves = [leaf.hex() for leaf in (_LEAVES[:size] if leaves is None else leaves)]
        return {"input.json": shown({"leaves": shown_leaves, "operation": "root", "root": root.hex()})}

    for size in (0, 1, 2, 3, 5, 8, 13):
        hashes = [leaf_hash(leaf).hex() for leaf in _LEAVES[:size]]
        expected = {"leaf-hashes": hashes, "root": _tree(size).root().hex()}
        cases.good(f"root-{size}", f"The root of {size} leaves.", claim(size, _tree(size).root()), expected, "#Tree")
    cases.good(
        "root-empty-leaf",
        "A leaf may have no bytes.",
        claim(1, leaf_hash(b""), [b""]),
        {"leaf-hashes": [leaf_hash(b"").hex()], "root": leaf_hash(b"").hex()},
        "#Tree",
    )
    a, b, c = (leaf_hash(leaf) for leaf in _LEAVES[:3])
    bad = [
        ("root-empty-zeros", "The empty tree with a root of zeros.", claim(0, bytes(32))),
        (
            "root-one-as-node",
            "A tree of one leaf has its leaf hash as root, not a node of it.",
            claim(1, node_hash(a, a)),
        ),
        (
            "root-last-doubled",
            "Three leaves, where the last one was doubled.",
            claim(3, node_hash(node_hash(a, b), node_hash(c, c))),
        ),
        ("root-left-heavy", "Three leaves, split one and two.", claim(3, node_hash(a, node_hash(b, c)))),
        ("root-swapped", "Two leaves in the other order.", claim(2, node_hash(b, a))),
        ("root-no-prefix", "Leaf hashes without the prefix 0x00.", claim(1, bytes.fromhex("00" * 32))),
        ("root-other-size", "The root of the first four leaves for five.", claim(5, _tree(4).root())),
    ]
    for name, sentence, files in bad:
        cases.bad(name, sentence, files, "#Tree")


def _inclusions(cases: Cases) -> None:
    def claim(index: int, size: int, changes: Mapping[str, Any] = _NONE) -> dict[str, bytes]:
        tree = _tree(max(size, index + 1))
        path = inclusion_path(index, size, tree.node) if index < size else []
        value = {
            "index": index,
            "leaf-hash": leaf_hash(_LEAVES[index]).hex(),
            "operation": "inclusion",
            "path": [item.hex() for item in path],
            "root": tree.root(size).hex(),
            "size": size,
        }
        return {"input.json": shown({**value, **changes})}

    for index, size in ((0, 1), (0, 2), (1, 2), (2, 3), (0, 8), (5, 8), (6, 7), (12, 13), (4, 13)):
        expected = {"root": _tree(size).root().hex()}
        cases.good(f"inclusion-{index}-of-{size}", f"Leaf {index} of {size}.", claim(index, size), expected, "#Tree")
    path = [item.hex() for item in inclusion_path(5, 8, _tree(8).node)]
    bad: list[tuple[str, str, dict[str, bytes]]] = [
        (
            "inclusion-other-leaf",
            "The path of another leaf.",
            claim(5, 8, {"leaf-hash": leaf_hash(_LEAVES[4]).hex()}),
        ),
        ("inclusion-other-index", "The leaf is said to lie elsewhere.", claim(5, 8, {"index": 4})),
        ("inclusion-outside", "The index is the size.", claim(8, 8)),
        ("inclusion-short", "The path lacks its last hash.", claim(5, 8, {"path": path[:-1]})),
        ("inclusion-long", "The path has one hash more.", claim(5, 8, {"path": [*path, path[0]]})),
        ("inclusion-reversed", "The path from the root down.", claim(5, 8, {"path": path[::-1]})),
        ("inclusion-other-root", "The root of a smaller tree.", claim(5, 8, {"root": _tree(7).root().hex()})),
        ("inclusion-other-size", "The size is said to be another.", claim(5, 8, {"size": 16})),
        ("inclusion-half-hash", "A hash of 16 bytes.", claim(5, 8, {"path": [path[0][:32], *path[1:]]})),
        ("inclusion-of-nothing", "Leaf 0 of an empty tree.", claim(0, 1, {"size": 0, "root": EMPTY_ROOT.hex()})),
    ]
    for name, sentence, files in bad:
        cases.bad(name, sentence, files, "#Tree")


def _consistencies(cases: Cases) -> None:
    def claim(first: int, second: int, changes: Mapping[str, Any] = _NONE) -> dict[str, bytes]:
        tree = _tree(13)
        value = {
            "first-root": tree.root(first).hex(),
            "first-size": first,
            "operation": "consistency",
            "path": [item.hex() for item in consistency_path(first, second, tree.node)],
            "second-root": tree.root(second).hex(),
            "second-size": second,
        }
        return {"input.json": shown({**value, **changes})}

    for first, second in ((1, 2), (1, 8), (2, 5), (3, 7), (4, 7), (4, 8), (6, 8), (7, 13), (8, 8)):
        tree = _tree(13)
        expected = {"first-root": tree.root(first).hex(), "second-root": tree.root(second).hex()}
        sentence = f"The tree of {second} leaves begins with that of {first}."
        cases.good(f"consistency-{first}-{second}", sentence, claim(first, second), expected, "#Tree")
    path = [item.hex() for item in consistency_path(3, 7, _tree(13).node)]
    whole = [_tree(4).root().hex(), *(item.hex() for item in consistency_path(4, 7, _tree(13).node))]
    other = node_hash(leaf_hash(b"x"), leaf_hash(b"y")).hex()
    bad: list[tuple[str, str, dict[str, bytes]]] = [
        ("consistency-other-first", "The older root is another.", claim(3, 7, {"first-root": other})),
        ("consistency-other-second", "The newer root is another.", claim(3, 7, {"second-root": other})),
        ("consistency-empty", "No path where one is needed.", claim(3, 7, {"path": []})),
        ("consistency-short", "The path lacks its last hash.", claim(3, 7, {"path": path[:-1]})),
        ("consistency-long", "The path has one hash more.", claim(3, 7, {"path": [*path, path[0]]})),
        (
            "consistency-with-root",
            "The path starts with the older root, which is a whole subtree.",
            claim(4, 7, {"path": whole}),
        ),
        (
            "consistency-backwards",
            "From the larger tree to the smaller.",
            claim(3, 7, {"first-size": 7, "second-size": 3}),
        ),
        ("consistency-equal-path", "A path between trees of one size.", claim(8, 8, {"path": path})),
        ("consistency-equal-roots", "Two roots for one size.", claim(8, 8, {"first-root": other})),
        ("consistency-half-hash", "A hash of 16 bytes.", claim(3, 7, {"path": [path[0][:32], *path[1:]]})),
    ]
    for name, sentence, files in bad:
        cases.bad(name, sentence, files, "#Tree")


def _line(name: str, text: str, key: tuple[str, ...] = ("note",), kind: int = KIND_ED25519) -> str:
    signer = ed25519(*key)
    return NoteSignature(name, note_key_id(name, kind, signer.public), signer.sign(text.encode())).line()


def note() -> list[Case]:
    """`note.txt` carries a signature of type 0x01 by the key in `key.txt` (a C2SP verifier key)."""
    cases = Cases("note", "journal")
    name, text = "example.org/log", "A note.\n"
    key = VerifierKey(name, KIND_ED25519, ed25519("note").public).encode().encode()
    stranger = _line("example.org/other", text, ("other",))
    own = _line(name, text)
    long = "First line.\n\n— not a signature\n\nLast line, è.\n"
    odd = NoteSignature("example.org/new-kind", b"\x01\x02\x03\x04", b"\xff" * 200).line()
    good = [
        ("one-line", "One line of text, one signature.", text, [own]),
        ("text-with-blank-lines", "Only the last empty line ends the text.", long, [_line(name, long)]),
        (
            "other-signatures",
            "Signatures by keys that the reader does not know are passed over.",
            text,
            [stranger, own, odd],
        ),
    ]
    for case, sentence, body, lines in good:
        expected = {"signatures": [line.split()[1] for line in lines], "text": body}
        cases.good(
            case, sentence, {"note.txt": f"{body}\n{''.join(lines)}".encode(), "key.txt": key}, expected, "#Checkpoint"
        )
    dashed, windows = own.replace("— ", "- "), "A note.\r\n"
    bad = [
        ("text-changed", "The text was changed after signing.", f"A Note.\n\n{own}"),
        ("signature-changed", "One bit of the signature is another.", f"{text}\n{_flipped(own)}"),
        ("not-signed", "Signed by somebody else.", f"{text}\n{stranger}"),
        ("other-name", "The same key under another name.", f"{text}\n{_line('example.org/evil', text)}"),
        ("other-key-same-name", "Another key under the name.", f"{text}\n{_line(name, text, ('other',))}"),
        ("no-blank-line", "No empty line before the signatures.", f"{text}{own}"),
        ("no-signature", "Nothing after the empty line.", f"{text}\n"),
        ("no-last-newline", "The last line does not end.", f"{text}\n{own}".rstrip("\n")),
        ("hyphen", "A hyphen instead of the em dash.", f"{text}\n{dashed}"),
        ("carriage-return", "Lines that end in CR LF.", f"{windows}\n{_line(name, windows)}"),
        ("text-not-ended", "The signature is over the text without its newline.", f"{text}\n{_line(name, 'A note.')}"),
        ("not-base64", "A signature line that is not base64.", f"{text}\n{own.rstrip()}*\n"),
        ("key-id-alone", "A signature line with a key ID and nothing else.", f"{text}\n— {name} AAAAAA==\n"),
    ]
    for case, sentence, body in bad:
        cases.bad(case, sentence, {"note.txt": body.encode(), "key.txt": key}, "#Checkpoint")
    broken = f"{text}\n{own}".encode().replace(b"A note", b"A n\xffte")
    cases.bad("invalid-utf-8", "A byte that is no UTF-8.", {"note.txt": broken, "key.txt": key}, "#Checkpoint")
    return cases.made


def _recoded(line: str, change: Callable[[bytes], bytes]) -> str:
    head, _, encoded = line.rpartition(" ")
    return f"{head} {text_of(change(base64.b64decode(encoded)))}\n"


def _flipped(line: str) -> str:
    return _recoded(line, lambda raw: raw[:20] + bytes([raw[20] ^ 1]) + raw[21:])


def checkpoint() -> list[Case]:
    """`note.txt` is a checkpoint signed by the Ed25519 key in `key.txt` (base64), under its origin as key name."""
    cases = Cases("checkpoint", "journal")
    key = text_of(ed25519("note").public).encode()
    root = text_of(_tree(7).root())

    def note_of(text: str, name: str = ORIGIN, *more: str) -> dict[str, bytes]:
        return {"note.txt": f"{text}\n{_line(name, text)}{''.join(more)}".encode(), "key.txt": key}

    for name, sentence, size, value in [
        ("size-7", "Seven entries.", 7, root),
        ("empty", "No entry yet: size 0 and the root of the empty tree.", 0, text_of(EMPTY_ROOT)),
        ("largest", "The largest size.", 2**53 - 1, root),
    ]:
        expected = {"origin": ORIGIN, "root": value, "size": size}
        cases.good(name, sentence, note_of(f"{ORIGIN}\n{size}\n{value}\n"), expected, "#Checkpoint")
    text = f"{ORIGIN}\n7\n{root}\n"
    more = _line(_RECEIPT, text, ("other",), KIND_COSIGNATURE)
    expected = {"origin": ORIGIN, "root": root, "size": 7}
    cases.good(
        "with-other-lines", "Other signature lines do not matter.", note_of(text, ORIGIN, more), expected, "#Checkpoint"
    )
    bad = [
        ("extension-line", "A line after the root.", f"{text}extension\n"),
        ("leading-zero", "A size with a leading zero.", f"{ORIGIN}\n07\n{root}\n"),
        ("sign", "A size with a plus.", f"{ORIGIN}\n+7\n{root}\n"),
        ("hexadecimal", "A size that is not decimal.", f"{ORIGIN}\n0x7\n{root}\n"),
        ("over-size", "A size of 2^53.", f"{ORIGIN}\n{2**53}\n{root}\n"),
        ("no-size", "The size is missing.", f"{ORIGIN}\n{root}\n"),
        ("root-short", "A root of 31 bytes.", f"{ORIGIN}\n7\n{text_of(bytes(31))}\n"),
        ("root-hexadecimal", "A root in hexadecimal.", f"{ORIGIN}\n7\n{_tree(7).root().hex()}\n"),
        ("root-unpadded", "A root without padding.", f"{ORIGIN}\n7\n{root.rstrip('=')}\n"),
    ]
    for name, sentence, body in bad:
        cases.bad(name, sentence, note_of(body), "#Checkpoint")
    cases.bad("other-name", "Signed under a name that is not the origin.", note_of(text, _RECEIPT), "#Checkpoint")
    other = {"note.txt": f"{text}\n{_line(ORIGIN, text, ('other',))}".encode(), "key.txt": key}
    cases.bad("other-key", "Signed by another key.", other, "#Checkpoint")
    cases.bad(
        "text-changed",
        "The size was changed after signing.",
        {"note.txt": note_of(text)["note.txt"].replace(b"\n7\n", b"\n8\n"), "key.txt": key},
        "#Checkpoint",
    )
    return cases.made


def cosignature(signatures: Signatures) -> list[Case]:
    """`note.txt` is a checkpoint with a cosignature of the type, name and key in `key.json`."""
    cases = Cases("cosignature", "journal")
    made = _Cosigning(signatures)
    for kind, word in ((KIND_COSIGNATURE, "ed25519"), (KIND_MLDSA44, "ml-dsa-44")):
        for name, sentence, stamp in [
            (f"{word}-receipt", "A receipt by another party.", 1_767_225_600),
            (f"{word}-at-zero", "The earliest timestamp.", 0),
            (f"{word}-at-the-end", "The latest timestamp, 2^63 - 1.", 2**63 - 1),
        ]:
            files = made.files(kind, made.line(kind, stamp))
            cases.good(name, sentence, files, {"origin": ORIGIN, "size": 7, "timestamp": stamp}, "#Receipt")
        _bad_cosignatures(cases, made, kind, word)
    own = made.line(KIND_MLDSA44, 1_767_225_600, name=ORIGIN)
    files = made.files(KIND_MLDSA44, own, name=ORIGIN)
    expected = {"origin": ORIGIN, "size": 7, "timestamp": 1_767_225_600}
    cases.good(
        "ml-dsa-44-by-the-centre", "The centre's own, with the origin as key name.", files, expected, "#Checkpoint"
    )
    return cases.made


class _Cosigning:
    """Lines over one checkpoint, by one key of each type."""

    def __init__(self, signatures: Signatures) -> None:
        self.signatures = signatures
        self.checkpoint = Checkpoint(ORIGIN, 7, _tree(7).root())
        self.signers = {KIND_COSIGNATURE: ed25519("receipt"), KIND_MLDSA44: mldsa44("receipt")}

    def sign(self, kind: int, message: bytes) -> bytes:
        signer = self.signers[kind]
        return signer.sign(message) if kind == KIND_COSIGNATURE else self.signatures.sign(signer, message)

    def message(self, kind: int, stamp: int, name: str = _RECEIPT, checkpoint: Checkpoint | None = None) -> bytes:
        of = checkpoint or self.checkpoint
        if kind == KIND_COSIGNATURE:
            return ed25519_message(of, stamp)
        return mldsa44_message(name, stamp, of.origin, 0, of.size, of.root)

    def line(self, kind: int, stamp: int, name: str = _RECEIPT, **changes: Any) -> str:
        """A signature line; `message`, `stated` (timestamp) or `key_id` may be other than they should be."""
        signature = self.sign(kind, changes.get("message") or self.message(kind, stamp, name))
        made = Cosignature(b"", changes.get("stated", stamp), signature)
        key_id = changes.get("key_id") or note_key_id(name, kind, self.signers[kind].public)
        return NoteSignature(name, key_id, made.encode()).line()

    def files(self, kind: int, line: str, name: str = _RECEIPT) -> dict[str, bytes]:
        key = {"name": name, "public": text_of(self.signers[kind].public), "type": kind}
        return {"note.txt": f"{self.checkpoint.text()}\n{line}".encode(), "key.json": shown(key)}


def _bad_cosignatures(cases: Cases, made: _Cosigning, kind: int, word: str) -> None:
    stamp, other = 1_767_225_600, KIND_MLDSA44 + KIND_COSIGNATURE - kind
    later = made.checkpoint._replace(size=8)
    wrong_id = note_key_id(_RECEIPT, KIND_ED25519, made.signers[kind].public)
    own = made.line(kind, stamp)
    bad = [
        ("later", "The timestamp was changed after signing.", made.line(kind, stamp, stated=stamp + 1)),
        (
            "other-size",
            "Made over a checkpoint of another size.",
            made.line(kind, stamp, message=made.message(kind, stamp, checkpoint=later)),
        ),
        (
            "other-message",
            "Made over the message of the other type.",
            made.line(kind, stamp, message=made.message(other, stamp)),
        ),
        (
            "text-alone",
            "Made over the checkpoint's text alone.",
            made.line(kind, stamp, message=made.checkpoint.text().encode()),
        ),
        ("other-key-id", "The key ID is made with another type.", made.line(kind, stamp, key_id=wrong_id)),
        ("other-name", "Made under another name.", made.line(kind, stamp, name=f"servanda/{'6b' * 32}/usa/receipt")),
        ("changed", "One bit of the signature is another.", _flipped(own)),
        ("short", "The last byte is missing.", _recoded(own, lambda raw: raw[:-1])),
        ("long", "A byte after the signature.", _recoded(own, lambda raw: raw + b"\0")),
    ]
    for name, sentence, line in bad:
        cases.bad(f"{word}-{name}", sentence, made.files(kind, line), "#Receipt")
    if kind == KIND_COSIGNATURE:
        raw = made.sign(kind, b"cosignature/v1\ntime 9223372036854775808\n" + made.checkpoint.text().encode())
        late = NoteSignature(
            _RECEIPT, note_key_id(_RECEIPT, kind, made.signers[kind].public), (2**63).to_bytes(8, "big") + raw
        )
        cases.bad(f"{word}-after-the-end", "A timestamp of 2^63.", made.files(kind, late.line()), "#Receipt")


def cases(signatures: Signatures) -> list[Case]:
    """Everything of this module."""
    return [*merkle(), *note(), *checkpoint(), *cosignature(signatures)]
