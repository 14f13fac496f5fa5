# SPDX-License-Identifier: Apache-2.0
"""Who may sign for a party: root keys with a threshold, centre and receipt keys, officers (spec/identity.md)."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from servanda.journal.frame import Hash, Identifier
from servanda.proof.keys import key_id

Role = Literal["author", "release", "watch"]


class IdentityError(ValueError):
    """The content of an identity entry breaks a rule of spec/identity.md."""


class _Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    public: str
    type: Literal["ed25519"]


class _Root(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: Annotated[tuple[_Key, ...], Meta(min_length=1, max_length=16)]
    threshold: Annotated[int, Meta(ge=1, le=16)]


class _Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"mldsa44": "ml-dsa-44"}):
    ed25519: str
    mldsa44: str


class _Encryption(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"x25519": "age-x25519"}):
    x25519: str


class _Officer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    custody: Literal["centre", "token", "officer"]
    id: Identifier
    public: str
    roles: Annotated[tuple[Role, ...], Meta(min_length=1, max_length=3)]
    type: Literal["ed25519"]


class _Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    centre: _Pair
    names: Annotated[dict[str, Annotated[str, Meta(min_length=1, max_length=500)]], Meta(min_length=1)]
    officers: Annotated[tuple[_Officer, ...], Meta(max_length=1000)]
    receipt: _Pair
    root: _Root
    tls: Annotated[tuple[Hash, ...], Meta(max_length=16)]
    encryption: _Encryption | msgspec.UnsetType = msgspec.UNSET


class Officer(NamedTuple):
    """One officer: what the key may sign, and where it lives."""

    identifier: str
    public: bytes
    roles: frozenset[str]
    custody: str


class KeyPair(NamedTuple):
    """An Ed25519 and an ML-DSA-44 key for one purpose."""

    ed25519: bytes
    mldsa44: bytes


class Identity(msgspec.Struct, frozen=True, dict=True):
    """What one identity entry states. It holds for entries after it and checkpoints from its number on."""

    number: int
    released_at: str
    root_keys: tuple[bytes, ...]
    threshold: int
    centre: KeyPair
    receipt: KeyPair
    officers: dict[str, Officer]
    names: dict[str, str]
    tls: tuple[str, ...]
    encryption: bytes | None = None
    """The X25519 key to which bundles for this party are encrypted, if it states one."""

    @cached_property
    def root_by_id(self) -> dict[str, bytes]:
        """Root keys by key id."""
        return {key_id(key): key for key in self.root_keys}


def parse_identity(content: dict[str, Any], number: int, released_at: str) -> Identity:
    """Read the content of the identity entry `number`.

    Raises:
        IdentityError: a member or a rule is wrong.
    """
    try:
        stated = msgspec.convert(content, _Content)
    except msgspec.ValidationError as error:
        raise IdentityError(str(error)) from error
    roots = tuple(_raw(key.public, 32, "root key") for key in stated.root.keys)
    if len(set(roots)) != len(roots):
        raise IdentityError("two root keys are alike")
    if stated.root.threshold > len(roots):
        raise IdentityError(f"threshold {stated.root.threshold} is greater than the number of root keys")
    officers: dict[str, Officer] = {}
    for officer in stated.officers:
        if list(officer.roles) != sorted(set(officer.roles)):
            raise IdentityError(f"the roles of officer {officer.id} are not sorted or repeat")
        if officer.id in officers or officer.id in ("root", "centre"):
            raise IdentityError(f"officer id {officer.id} is used twice or reserved")
        public = _raw(officer.public, 32, f"key of officer {officer.id}")
        officers[officer.id] = Officer(officer.id, public, frozenset(officer.roles), officer.custody)
    centre, receipt = _pair(stated.centre, "centre"), _pair(stated.receipt, "receipt")
    sealed = stated.encryption
    encryption = None if sealed is msgspec.UNSET else _raw(sealed.x25519, 32, "encryption key")
    used = [*roots, centre.ed25519, receipt.ed25519, *(officer.public for officer in officers.values())]
    used += [encryption] if encryption is not None else []
    if len(set(used)) != len(used) or centre.mldsa44 == receipt.mldsa44:
        raise IdentityError("one key serves two purposes")
    return Identity(
        number=number,
        released_at=released_at,
        root_keys=roots,
        threshold=stated.root.threshold,
        centre=centre,
        receipt=receipt,
        officers=officers,
        names=dict(stated.names),
        tls=stated.tls,
        encryption=encryption,
    )


def _raw(text: str, length: int, what: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise IdentityError(f"{what} is not base64") from error
    if len(raw) != length or base64.b64encode(raw).decode() != text:
        raise IdentityError(f"{what} is not {length} bytes in base64")
    return raw


def _pair(pair: _Pair, what: str) -> KeyPair:
    return KeyPair(_raw(pair.ed25519, 32, f"{what} key"), _raw(pair.mldsa44, 1312, f"{what} ML-DSA-44 key"))


class IdentityHistory:
    """The identity entries of one journal, oldest first."""

    def __init__(self) -> None:
        self._identities: list[Identity] = []
        self._numbers: list[int] = []

    def add(self, identity: Identity) -> None:
        """Add the next identity entry."""
        self._identities.append(identity)
        self._numbers.append(identity.number)

    def before(self, number: int) -> Identity | None:
        """The identity by which entry `number` is judged: that of the last identity entry with a smaller number."""
        index = bisect_left(self._numbers, number)
        return self._identities[index - 1] if index else None

    def for_size(self, size: int) -> Identity | None:
        """The identity by which a checkpoint of `size` is judged: that of the last identity entry up to it."""
        return self.before(size + 1)

    def up_to(self, number: int) -> list[Identity]:
        """All identities stated in entries 1 to `number`, oldest first."""
        return self._identities[: bisect_left(self._numbers, number + 1)]

    def key_since(self) -> int:
        """The number of the identity entry from which on the newest centre key has held without a break; 0 if none."""
        since = 0
        for identity in reversed(self._identities):
            if identity.centre.ed25519 != self._identities[-1].centre.ed25519:
                break
            since = identity.number
        return since

    @property
    def latest(self) -> Identity | None:
        """The newest identity, or None."""
        return self._identities[-1] if self._identities else None
