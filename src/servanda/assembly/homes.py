# SPDX-License-Identifier: Apache-2.0
"""What lies in a home, and who may open it? `centre.json`, cards, packs, and the lock."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from servanda.agreement.compilation import compile_pack
from servanda.agreement.errors import PackError, Problem
from servanda.agreement.pack import Pack, parse_pack
from servanda.operations.errors import Refusal, Stopped


class Settings(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """`centre.json`: who this centre is, and where it listens."""

    party: str
    agreement: str
    host: str
    port: int
    addresses: tuple[str, ...]
    """Where counterparts reach it, `https://host:port`, in order of preference."""


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a counterpart is given once. Its fingerprint is not on it: that is compared in person."""

    servanda_card: int
    party: str
    agreement: str
    addresses: tuple[str, ...]
    certificate: str
    leaf: str
    checkpoint: str


def read_pack(path: Path) -> Pack:
    """The pack in a folder of TOML and JSON, or in one compiled file.

    Raises:
        PackError: with every problem, by file and line.
    """
    if path.is_dir():
        files = {
            str(found.relative_to(path)): found.read_bytes()
            for found in sorted(path.rglob("*"))
            if found.is_file() and found.suffix in (".toml", ".json")
        }
        return compile_pack(files)
    if not path.is_file():
        raise PackError([Problem(str(path), 0, "no such file or folder")])
    return parse_pack(path.read_bytes())


def read_settings(home: Path) -> Settings:
    """`centre.json` of a home.

    Raises:
        Refusal: there is none, or it cannot be read.
    """
    try:
        return msgspec.json.decode((home / "centre.json").read_bytes(), type=Settings)
    except FileNotFoundError as error:
        raise Refusal(f"{home} holds no centre; `servanda init` makes one", "home") from error
    except (OSError, msgspec.MsgspecError) as error:
        raise Refusal(f"{home / 'centre.json'} cannot be read: {error}", "home") from error


def take_lock(home: Path) -> int:
    """The lock of a home, as an open descriptor.

    Raises:
        Stopped: another process holds it (`two-instances`).
    """
    descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise Stopped(
            f"another process has {home} open, on duty or for a command; stop it first, or ask it", "two-instances"
        ) from error
    return descriptor
