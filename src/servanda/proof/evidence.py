# SPDX-License-Identifier: Apache-2.0
"""Is this what was seen, but for what has been removed? Exhibits in salted parts under one root (spec/evidence.md)."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from servanda.proof.canonical import encode
from servanda.proof.encodings import EncodingError, decode_base64, decode_hash, encode_base64
from servanda.proof.errors import ProofError
from servanda.proof.merkle import Frontier, leaf_hash

SECRET_BYTES = 32
_SALT_LABEL = b"servanda/evidence-part/v1"
_MEMBERS = {"kind", "layout", "parts", "root", "servanda-evidence"}


class EvidenceError(ProofError):
    """A card or an exhibit is not what it is said to be; the message says where."""


class Exhibit(NamedTuple):
    """What a file shows: its kind, its layout, and its parts. `None` stands for a part that looks removed."""

    kind: str
    layout: dict[str, Any]
    parts: Sequence[bytes | None]


def part_salt(secret: bytes, index: int) -> bytes:
    """Return the salt of part `index`; 0 is the layout.

    Raises:
        EvidenceError: the secret has another length.
    """
    if len(secret) != SECRET_BYTES:
        raise EvidenceError(f"the secret of an exhibit is {SECRET_BYTES} bytes")
    return hmac.digest(secret, _SALT_LABEL + index.to_bytes(8, "big"), "sha256")


def _layout(exhibit: Exhibit) -> bytes:
    return encode({"kind": exhibit.kind, "layout": exhibit.layout})


def own_card(exhibit: Exhibit, secret: bytes) -> dict[str, Any]:
    """Return the holder's card of a whole exhibit: its root, and the secret that opens and closes its parts.

    Raises:
        EvidenceError: a part looks removed, or the secret has another length.
    """
    if None in exhibit.parts:
        raise EvidenceError("a part of it looks as if it had been removed already")
    leaves = [part_salt(secret, i) + (part or b"") for i, part in enumerate((_layout(exhibit), *exhibit.parts))]
    root = _root([leaf_hash(leaf) for leaf in leaves])
    head = {"kind": exhibit.kind, "layout": exhibit.layout, "root": root, "servanda-evidence": 1}
    return {**head, "secret": secret.hex()}


def public_card(exhibit: Exhibit, card: Mapping[str, Any], removed: Collection[int]) -> dict[str, Any]:
    """Return the card to hand out with the exhibit without some of its parts.

    Args:
        exhibit: the whole exhibit.
        card: the holder's card.
        removed: numbers of parts, from 1.

    Raises:
        EvidenceError: the card is not that of the exhibit, has no secret, or there is no such part.
    """
    try:
        secret = decode_hash(card["secret"])
    except (EncodingError, KeyError, TypeError) as error:
        raise EvidenceError("only the holder's own card, which has the secret, removes parts") from error
    if own_card(exhibit, secret) != dict(card):
        raise EvidenceError("this card is of another exhibit")
    strange = sorted(set(removed) - set(range(1, len(exhibit.parts) + 1)))
    if strange:
        raise EvidenceError(f"no part {strange[0]}; it has the parts 1 to {len(exhibit.parts)}")
    parts = []
    for index, part in enumerate((_layout(exhibit), *exhibit.parts)):
        salt = part_salt(secret, index)
        gone = index in removed
        hashed = leaf_hash(salt + (part or b"")).hex()
        parts.append({"hash": hashed} if gone else {"salt": encode_base64(salt)})
    return {**{name: value for name, value in card.items() if name != "secret"}, "parts": parts}


def check_exhibit(exhibit: Exhibit, card: Mapping[str, Any], root: str | None = None) -> list[int]:
    """Return the numbers of the parts that have been removed; all the others are what was committed to.

    Args:
        exhibit: what is shown.
        card: the card handed out with it, or the holder's own.
        root: the root that an entry states; None takes that of the card, which proves nothing by itself.

    Raises:
        EvidenceError: the card has another form, or the exhibit is not what the root commits to.
    """
    parts = _parts_of(exhibit, card)
    hashes, removed = [], []
    for index, (said, shown) in enumerate(zip(parts, (_layout(exhibit), *exhibit.parts), strict=True)):
        if set(said) == {"hash"} and index:
            if shown is not None:
                raise EvidenceError(f"part {index} has been removed by its card, and is shown all the same")
            hashes.append(_hash(said["hash"], index))
            removed.append(index)
        elif set(said) == {"salt"} and shown is not None:
            hashes.append(leaf_hash(_salt(said["salt"], index) + shown))
        else:
            raise EvidenceError(f"part {index} looks removed, and its card gives its salt")
    if card.get("root") != (root or card.get("root")) or _root(hashes) != card.get("root"):
        raise EvidenceError("it is not what the root commits to: a part was changed, or it is another exhibit")
    return removed


def _parts_of(exhibit: Exhibit, card: Mapping[str, Any]) -> list[Any]:
    head = (card.get("kind"), card.get("layout"), card.get("servanda-evidence"))
    if head != (exhibit.kind, exhibit.layout, 1):
        raise EvidenceError("the card is of an exhibit of another kind, size or layout")
    if "secret" in card:
        secret = _hash(card["secret"], 0)
        return [{"salt": encode_base64(part_salt(secret, i))} for i in range(len(exhibit.parts) + 1)]
    parts = card.get("parts")
    if set(card) != _MEMBERS or not isinstance(parts, list) or len(parts) != len(exhibit.parts) + 1:
        raise EvidenceError(f"the card has another form, or not {len(exhibit.parts) + 1} parts")
    if not all(isinstance(each, dict) for each in parts):
        raise EvidenceError("a part of the card is neither a salt nor a hash")
    return parts


def _hash(text: object, index: int) -> bytes:
    try:
        return decode_hash(text)
    except (EncodingError, TypeError) as error:
        raise EvidenceError(f"part {index}: no hash") from error


def _salt(text: object, index: int) -> bytes:
    try:
        salt = decode_base64(text)  # type: ignore[arg-type]
    except (EncodingError, TypeError, AttributeError) as error:
        raise EvidenceError(f"part {index}: no salt") from error
    if len(salt) != SECRET_BYTES:
        raise EvidenceError(f"part {index}: a salt has {SECRET_BYTES} bytes")
    return salt


def _root(hashes: Sequence[bytes]) -> str:
    frontier = Frontier()
    for hashed in hashes:
        frontier.append(hashed)
    return frontier.root().hex()
