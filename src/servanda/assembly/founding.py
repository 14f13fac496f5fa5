# SPDX-License-Identifier: Apache-2.0
"""How does a new centre come to be? Its home, its keys, and its identity as entry 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from servanda.agreement.pack import Pack
from servanda.assembly.clocks import read_clock
from servanda.assembly.homes import Settings
from servanda.assembly.keys import CENTRE_KEYS, ENCRYPTION, ROOT_KEYS, ROOT_THRESHOLD, der, signers_of
from servanda.keyring import age
from servanda.keyring.keyfile import Cost, create_keyring, replace_file
from servanda.keyring.tls import make_tls
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal
from servanda.operations.founding import fingerprint, identity_content, state_identity
from servanda.proof.canonical import encode
from servanda.proof.certificates import spki_sha256
from servanda.storage.sqlite.store import SqliteStore

CHEAP = Cost(8192, 1, 1)


"""Cost of a key derivation for exercises whose passphrase is no secret: 8 MiB, once."""


class Founding(NamedTuple):
    """What a new centre is made from."""

    home: Path
    pack: Pack
    party: str
    passphrase: str
    root_passphrase: str
    officers: Mapping[str, Sequence[str]]
    host: str = "127.0.0.1"
    port: int = 0
    addresses: tuple[str, ...] = ()
    cost: Cost | None = None
    """Cost of the key derivation; None for the default."""
    encryption: bool = True
    """Whether the identity states a key to which counterparts encrypt bundles; `rotate` can state one later."""


def found_centre(founding: Founding) -> str:
    """Make the home of a new centre and state its identity as entry 1; returns the fingerprint.

    `centre.json` comes last, and makes the home a centre's: whatever breaks off before has said nothing to anybody.

    Raises:
        Refusal: the home already holds a centre, or what is left of one; or the party is not in the pack.
    """
    home = founding.home
    if (home / "centre.json").exists():
        raise Refusal(f"{home} already holds a centre; choose another home", "home")
    left = [name for name in ("keyring.json", "root.json", "record.db") if (home / name).exists()]
    if left:
        reason = f"{home} holds {' and '.join(left)} of a centre without its centre.json"
        raise Refusal(f"{reason}: put that back, or if `init` was broken off there, remove them", "home")
    if founding.party not in founding.pack.parties:
        raise Refusal(f"{founding.party} is none of {', '.join(founding.pack.parties)}", "party")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = {**CENTRE_KEYS, **{f"officer-{name}": "ed25519" for name in founding.officers}}
    keyring = create_keyring(home / "keyring.json", founding.passphrase, names, founding.cost)
    key, certificate = make_tls(f"servanda {founding.party}", datetime.now(UTC))  # noqa: TID251
    keyring.put_secret("tls-key", key)
    keyring.put_secret("tls-certificate", certificate)
    keyring.put_secret(ENCRYPTION, age.new_secret())
    keyring.save()
    roots = {f"root-{index}": "ed25519" for index in range(1, ROOT_KEYS + 1)}
    root = create_keyring(home / "root.json", founding.root_passphrase, roots, founding.cost)
    store = SqliteStore(home / "record.db")
    with store.transaction() as writer:
        writer.put_pack(founding.pack.digest, encode(founding.pack.data))
    centre = Centre(founding.party, founding.pack, store, signers_of(keyring), read_clock)
    party = next(p for p in founding.pack.data["parties"] if p["id"] == founding.party)
    signers = [root.signer(name) for name in sorted(roots)]
    tls = [spki_sha256(der(certificate))]
    opener = age.public_of(keyring.secret(ENCRYPTION)) if founding.encryption else None
    content = identity_content(centre.signers, signers, ROOT_THRESHOLD, founding.officers, party["names"], tls, opener)
    state_identity(centre, content, signers[:ROOT_THRESHOLD], f"Identity of {founding.party}")
    settings = Settings(founding.party, founding.pack.digest, founding.host, founding.port, founding.addresses)
    found = fingerprint(centre)
    store.close()
    replace_file(home / "centre.json", msgspec.json.format(msgspec.json.encode(settings)) + b"\n")
    assert found is not None
    return found
