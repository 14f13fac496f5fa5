# SPDX-License-Identifier: Apache-2.0
"""Identities: the first entry of a journal, and rotation under the root threshold (spec/identity.md)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from servanda.journal.state import Entry
from servanda.operations.centre import Centre, Signers
from servanda.operations.drafting import Draft, compose, seal_envelope
from servanda.operations.ports import Signer
from servanda.proof.keys import key_id


def identity_content(
    signers: Signers,
    roots: Sequence[Signer],
    threshold: int,
    roles: Mapping[str, Sequence[str]],
    names: Mapping[str, str],
    tls: Sequence[str] = (),
) -> dict[str, Any]:
    """The content of an identity entry.

    Args:
        signers: the centre's, receipt and officers' keys.
        roots: the root keys, kept offline.
        threshold: how many of them must sign.
        roles: officer id to roles (`author`, `release`, `watch`).
        names: language to display name.
        tls: SHA-256 of the SubjectPublicKeyInfo of each TLS key, lowercase hexadecimal.
    """
    return {
        "centre": _pair(signers.centre, signers.centre_mldsa44),
        "names": dict(names),
        "officers": [
            {
                "custody": "centre",
                "id": name,
                "public": _public(signers.officers[name]),
                "roles": sorted(roles[name]),
                "type": "ed25519",
            }
            for name in sorted(roles)
        ],
        "receipt": _pair(signers.receipt, signers.receipt_mldsa44),
        "root": {
            "keys": [{"public": _public(root), "type": "ed25519"} for root in roots],
            "threshold": threshold,
        },
        "tls": list(tls),
    }


def _public(signer: Signer) -> str:
    return base64.b64encode(signer.public).decode()


def _pair(ed25519: Signer, mldsa44: Signer) -> dict[str, str]:
    return {"ed25519": _public(ed25519), "ml-dsa-44": _public(mldsa44)}


def under_root(centre: Centre, draft: Draft, roots: Sequence[Signer]) -> bytes:
    """The leaf of an entry that the root keys sign: an identity, or the naming of a branch."""
    frame = compose(centre, draft, None)
    return seal_envelope(centre, frame, sorted(roots, key=lambda root: key_id(root.public)))


def state_identity(centre: Centre, content: Mapping[str, Any], roots: Sequence[Signer], subject: str = "") -> Entry:
    """Commit an identity entry signed by `roots`: enough of the root before, and of the root that it states.

    Raises:
        Refusal: too few signatures, or a rule of spec/identity.md is broken; nothing has changed.
    """
    draft = Draft(
        format="identity",
        subject=subject or "Identity",
        event_at=centre.clock()[:10],
        author="root",
        content=dict(content),
    )
    return centre.commit(under_root(centre, draft, roots))


def fingerprint(centre: Centre, party: str | None = None) -> str | None:
    """The leaf hash of a party's entry 1, by which its journal is known; None while it is not held."""
    state = centre.record.journals[party or centre.party]
    return state.tree.node(0, 0).hex() if state.size else None
