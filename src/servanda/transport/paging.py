# SPDX-License-Identifier: Apache-2.0
"""How does a page reach a person? Through Apprise: e-mail, SMS and chat gateways (paging.toml in the home).

The addresses carry passwords and tokens. They are in no message and no log of ours, and what Apprise and the HTTP
library below it would log does not leave them.
"""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from servanda.operations.errors import Refusal

if TYPE_CHECKING:
    import apprise

OTHERS = 0o077
"""Permissions of the file that others must not have."""
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_WHERE = re.compile(r"\(at [^()]*\)\Z")
log = logging.getLogger(__name__)


class ApprisePager:
    """Sends pages to the addresses that a file gives for each contact; the file is read anew for every page."""

    def __init__(self, file: Path) -> None:
        """Take addresses from `file`, which need not be there: then nobody is paged."""
        self._file = file

    def contacts(self) -> frozenset[str]:
        """Who has addresses; empty if there is no file.

        Raises:
            Refusal: the file cannot be used (`paging`).
        """
        return frozenset(self._addresses())

    def prepare(self) -> None:
        """Load what sending needs, so that the first page does not wait for it; addresses of no known form are told."""
        try:
            known = self._addresses()
        except Refusal as error:
            log.error("paging: %s", error)
            return
        for contact, addresses in known.items():
            for index, address in enumerate(addresses, start=1):
                if not _usable(address):
                    log.error("paging: address %d of %s is of no form that Apprise knows", index, contact)

    def send(self, contact: str, only: Sequence[int] | None, title: str, body: str) -> list[int]:
        """Send to all addresses of a contact, or `only` some by index; returns the indices that did not take it.

        Raises:
            Refusal: it has none, or the file cannot be used (`paging`).
        """
        addresses = self._addresses().get(contact)
        if not addresses:
            raise Refusal(f"{contact} has no addresses in {self._file.name}", "paging")
        indices = range(len(addresses)) if only is None else [n for n in only if n < len(addresses)]
        return [index for index in indices if not _notified(addresses[index], title, body)]

    def _addresses(self) -> dict[str, list[str]]:
        try:
            mode = self._file.stat().st_mode
            text = self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise Refusal(f"{self._file} cannot be read: {type(error).__name__}", "paging") from None
        if mode & OTHERS:
            raise Refusal(f"{self._file} may be read by others; it holds passwords: chmod 600", "paging")
        return _checked(self._file, text)


def _checked(file: Path, text: str) -> dict[str, list[str]]:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = _WHERE.search(str(error))  # the rest of the message may quote an address
        raise Refusal(f"{file} is not TOML {where[0] if where else ''}", "paging") from None
    for name, addresses in found.items():
        if not _NAME.fullmatch(name):
            raise Refusal(f"{file}: a name that no contact and no officer can have", "paging")
        if not isinstance(addresses, list) or not addresses:
            raise Refusal(f"{file}: {name} is not a list of addresses", "paging")
        if not all(isinstance(address, str) and "://" in address for address in addresses):
            raise Refusal(f"{file}: an address of {name} is not of the form scheme://…", "paging")
    return found


def _usable(address: str) -> bool:
    return _with_apprise(address, lambda service: True)


def _notified(address: str, title: str, body: str) -> bool:
    """Whether one address took the page."""
    return _with_apprise(address, lambda service: bool(service.notify(title=title, body=body)))


def _with_apprise(address: str, use: Callable[[apprise.Apprise], bool]) -> bool:
    for name in ("apprise", "urllib3", "requests"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        import apprise  # slow to import, and a centre without paging.toml never needs it

        service = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False, secure_logging=True))
        return bool(service.add(address)) and use(service)
    except Exception as error:  # noqa: BLE001 - a plug-in may raise anything, and its words may hold the address
        log.error("a plug-in of Apprise failed: %s", type(error).__name__)
        return False
