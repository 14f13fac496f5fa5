# SPDX-License-Identifier: Apache-2.0
"""Where does the roster of the watch stand? In a TOML file of the home, written by hand or by `servanda roster set`."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from servanda.line.roster import EMPTY, Roster, RosterError, roster_of
from servanda.operations.errors import Refusal


def parse_roster(text: str, name: str) -> Roster:
    """The roster that a text is; `name` says in an error where it stands.

    Raises:
        Refusal: it is none (`roster`).
    """
    try:
        return roster_of(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RosterError, ValueError, OverflowError) as error:
        raise Refusal(f"{name}: {error}", "roster") from error


class RosterFile:
    """The roster in a file; read anew when the file has changed."""

    def __init__(self, file: Path) -> None:
        """Look at `file`, which need not be there: then the roster is empty."""
        self._file = file
        self._read: tuple[int, int] | None = None
        self._roster = EMPTY

    def roster(self) -> Roster:
        """The roster as it stands now.

        Raises:
            Refusal: the file cannot be read, or is no roster (`roster`).
        """
        try:
            found = self._file.stat()
            if (found.st_mtime_ns, found.st_size) != self._read:
                self._roster = parse_roster(self._file.read_text(encoding="utf-8"), str(self._file))
                self._read = (found.st_mtime_ns, found.st_size)
        except FileNotFoundError:
            self._roster, self._read = EMPTY, None
        except (OSError, UnicodeDecodeError) as error:
            raise Refusal(f"{self._file} cannot be read: {error}", "roster") from error
        return self._roster

    def put(self, text: str) -> None:
        """Replace the roster, whole or not at all.

        Raises:
            Refusal: the text is no roster, or the file cannot be written (`roster`); the old one stays.
        """
        parse_roster(text, "not a roster")
        new = self._file.with_name(self._file.name + ".new")
        try:
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            new.replace(self._file)
        except OSError as error:
            raise Refusal(f"{self._file} cannot be written: {error}", "roster") from error
