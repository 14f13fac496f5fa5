# SPDX-License-Identifier: Apache-2.0
"""Which keys speak for a centre, and what are they called in its keyring?"""

from __future__ import annotations

import base64

from servanda.journal.identity import Identity
from servanda.keyring.keyfile import Keyring
from servanda.operations.centre import Signers
from servanda.operations.errors import Stopped

CENTRE_KEYS = {
    "centre": "ed25519",
    "centre-ml-dsa-44": "ml-dsa-44",
    "receipt": "ed25519",
    "receipt-ml-dsa-44": "ml-dsa-44",
}


ENCRYPTION = "encryption"


"""Secrets of the keyring that are called so, or so and a number, open bundles that are encrypted to us."""


NOT_OFFICERS = ("centre", "receipt", "root", ENCRYPTION)


ROOT_KEYS, ROOT_THRESHOLD = 3, 2


def signers_of(keyring: Keyring, identity: Identity | None = None) -> Signers:
    """The keys that an identity states, wherever the keyring keeps them; those of a new centre if there is none yet."""
    signers = {name: keyring.signer(name) for name in keyring.names()}
    if identity is None:
        officers = {n.removeprefix("officer-"): signer for n, signer in signers.items() if n.startswith("officer-")}
        centre, centre_mldsa44, receipt_key, receipt_mldsa44 = (signers[name] for name in CENTRE_KEYS)
        return Signers(centre, centre_mldsa44, receipt_key, receipt_mldsa44, officers)
    by_public = {signer.public: signer for signer in signers.values()}
    try:
        return Signers(
            by_public[identity.centre.ed25519],
            by_public[identity.centre.mldsa44],
            by_public[identity.receipt.ed25519],
            by_public[identity.receipt.mldsa44],
            {name: by_public[o.public] for name, o in identity.officers.items() if o.public in by_public},
        )
    except KeyError as error:
        raise Stopped(
            "the keyring lacks a key that the newest identity states; restore the right keyring", "wrong-key"
        ) from error


def der(certificate_pem: bytes) -> bytes:
    """The first certificate of a PEM text, as DER."""
    body = b"".join(line for line in certificate_pem.splitlines() if not line.startswith(b"-----"))
    return base64.b64decode(body)
