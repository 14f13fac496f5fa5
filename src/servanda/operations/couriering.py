# SPDX-License-Identifier: Apache-2.0
"""A courier bundle that only those for whom it is written can open (spec/bundle.md, Encrypted to its recipients)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from servanda.operations.bundles import export_bundle
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal
from servanda.operations.handing import rightful

Encrypt = Callable[[bytes, Sequence[bytes]], bytes]
"""Encrypts bytes to X25519 public keys."""


def encryption_keys(centre: Centre, parties: Sequence[str]) -> list[bytes]:
    """The keys to which a bundle for these parties is encrypted, by their newest identities.

    Raises:
        Refusal: one is no other party (`party`), or states no such key (`no-encryption`).
    """
    keys = []
    for party in parties:
        state = centre.record.journals.get(party)
        if state is None or party == centre.party:
            raise Refusal(f"{party} is no other party of the agreement", "party")
        identity = state.identities.latest
        if identity is None or identity.encryption is None:
            raise Refusal(
                f"the identity of {party} states no key for encryption; ask that party to state one", "no-encryption"
            )
        keys.append(identity.encryption)
    return keys


def encrypted_courier(centre: Centre, parties: Sequence[str], purpose: str, encrypt: Encrypt) -> bytes:
    """A courier bundle that these parties can open, with the openings that every one of them may have.

    Raises:
        Refusal: as `encryption_keys`, or it is no courier bundle that is asked for (`usage`).
    """
    if purpose != "courier":
        raise Refusal(f"only a courier bundle is encrypted to its recipients, not a {purpose}", "usage")
    keys = encryption_keys(centre, sorted(set(parties)))
    return encrypt(export_bundle(centre, purpose, handed=rightful(centre, sorted(set(parties)))), keys)
