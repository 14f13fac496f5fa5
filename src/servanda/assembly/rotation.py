# SPDX-License-Identifier: Apache-2.0
"""What does a new identity change, and where do its keys come from?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import count
from typing import NamedTuple

from servanda.assembly.keys import NOT_OFFICERS
from servanda.journal.identity import Identity
from servanda.keyring.keyfile import Keyring
from servanda.operations.centre import Signers
from servanda.operations.errors import Refusal


class Rotation(NamedTuple):
    """What a new identity changes."""

    officers: Mapping[str, Sequence[str]] = {}
    """Officers to add, or whose roles change: name to roles."""
    retire: Sequence[str] = ()
    renew: Sequence[str] = ()
    """`centre`, `receipt`, `root`, `encryption`, or names of officers whose keys are renewed."""
    subject: str = "New identity"


def fresh_suffix(number: int, names: Collection[str]) -> str:
    """What the names of the keys for identity entry `number` end in.

    A rotation that broke off, or was refused, has left keys that no identity states; they stay, in nobody's way.
    """
    attempts = (f"-{number}" if attempt == 1 else f"-{number}-{attempt}" for attempt in count(1))
    return next(suffix for suffix in attempts if not any(name.endswith(suffix) for name in names))


def rotated(
    keyring: Keyring, signers: Signers, before: Identity, rotation: Rotation, suffix: str
) -> tuple[Signers, dict[str, Sequence[str]]]:
    """The signers and officers' roles after a rotation; new keys are added to the keyring, which is not saved."""
    roles: dict[str, Sequence[str]] = {name: sorted(officer.roles) for name, officer in before.officers.items()}
    officers = dict(signers.officers)
    for name in (*rotation.retire, *(n for n in rotation.renew if n not in NOT_OFFICERS)):
        if name not in roles:
            raise Refusal(f"no officer {name}; there are {', '.join(sorted(roles))}", "unknown-key")
    for name in rotation.retire:
        del roles[name]
        officers.pop(name, None)
    for name in {*rotation.officers, *rotation.renew} - set(NOT_OFFICERS) - set(rotation.retire):
        roles[name] = rotation.officers.get(name, roles.get(name, ()))
        if name in rotation.renew or name not in officers:
            officers[name] = keyring.add(f"officer-{name}{suffix}", "ed25519")
    changed = signers._replace(officers={name: officers[name] for name in roles})
    if "centre" in rotation.renew:
        changed = changed._replace(
            centre=keyring.add(f"centre{suffix}", "ed25519"),
            centre_mldsa44=keyring.add(f"centre-ml-dsa-44{suffix}", "ml-dsa-44"),
        )
    if "receipt" in rotation.renew:
        changed = changed._replace(
            receipt=keyring.add(f"receipt{suffix}", "ed25519"),
            receipt_mldsa44=keyring.add(f"receipt-ml-dsa-44{suffix}", "ml-dsa-44"),
        )
    return changed, roles
