# SPDX-License-Identifier: Apache-2.0
"""The orderwire: what watch officers say to each other about the line itself, outside the record (spec/line.md).

Kept in memory only, the last few of each counterpart; never mixed with entries. When the line is down nothing is kept
for later: what must not be lost is an entry.
"""

from __future__ import annotations

import time
import unicodedata
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from servanda.journal.state import JournalState
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal, TryLater
from servanda.operations.ports import WORDS_CHARACTERS_MAX, Courier, Words

KEPT = 100
"""How many of the last messages are kept for each counterpart, both ways together."""
BURST, REFILL_SECONDS = 10, 3.0
"""A counterpart may say so many at once, and one more each time so many seconds have passed."""


class Said(NamedTuple):
    """One message, as shown."""

    at: str
    party: str
    officer: str
    text: str


def cleaned(text: str) -> str:
    """The text without what could move a cursor, turn the writing round, or pretend to be a new line."""
    kept = [" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text]
    return "".join(c for c in kept if unicodedata.bidirectional(c) not in _TURNING and c != "\ufeff").strip()


_TURNING = frozenset({"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"})


class Orderwire:
    """Both ends of the orderwire of one centre."""

    def __init__(self, centre: Centre, courier: Courier, seconds: Callable[[], float] = time.monotonic) -> None:
        """Listen and speak for `centre`; `seconds` is a monotonic time, for the rate."""
        self._centre, self._courier, self._seconds = centre, courier, seconds
        self._rings: dict[str, deque[Said]] = {}
        self._allowance: dict[str, tuple[float, float]] = {}

    def hear(self, peer: str, words: Words) -> None:
        """Take a message of a counterpart's watch.

        Raises:
            TryLater: too many in a short time (`too-many`).
            Refusal: the officer is not one of that party's watch (`unknown-key`), or nothing can be read (`malformed`).
        """
        with self._centre.lock:
            self._count(peer)
            _check_officer(self._centre.record.journals[peer], words.officer)
            self._keep(peer, peer, words)

    def say(self, party: str, words: Words) -> None:
        """Hand a message to a counterpart's watch, now or not at all.

        Raises:
            TryLater: the line is down; nothing is kept.
            Refusal: no such counterpart, officer, or text; or the other centre refuses.
        """
        with self._centre.lock:
            self._known(party)
            _check_officer(self._centre.journal, words.officer)
            mark = "EXERCISE: " if self._centre.exercising else ""
            words = words._replace(text=_checked(f"{mark}{_checked(words.text)}"))
        self._courier.orderwire(party, words)
        with self._centre.lock:
            self._keep(party, self._centre.party, words)

    def last(self, party: str) -> list[Said]:
        """The last messages with a counterpart, oldest first."""
        with self._centre.lock:
            self._known(party)
            return list(self._rings.get(party, ()))

    def _known(self, party: str) -> None:
        if party == self._centre.party or party not in self._centre.record.journals:
            raise Refusal(f"{party} is no counterpart", "party")

    def _keep(self, ring: str, by: str, words: Words) -> None:
        said = Said(self._centre.clock(), by, words.officer, _checked(words.text))
        self._rings.setdefault(ring, deque(maxlen=KEPT)).append(said)

    def _count(self, peer: str) -> None:
        now = self._seconds()
        left, since = self._allowance.get(peer, (float(BURST), now))
        left = min(float(BURST), left + (now - since) / REFILL_SECONDS)
        self._allowance[peer] = (max(0.0, left - 1), now)
        if left < 1:
            raise TryLater("too many messages in a short time", "too-many")


def _check_officer(journal: JournalState, name: str) -> None:
    identity = journal.identities.latest
    officer = identity.officers.get(name) if identity else None
    if officer is None:
        raise Refusal(f"no officer of that name in the identity of {journal.party}", "unknown-key")
    if not officer.roles & {"watch", "release"}:
        raise Refusal(f"officer {name} has not the role watch", "wrong-role")


def _checked(text: str) -> str:
    found = cleaned(text)
    if not found or len(text) > WORDS_CHARACTERS_MAX:
        raise Refusal(f"the text has not 1 to {WORDS_CHARACTERS_MAX:,} characters that can be read", "malformed")
    return found


def said_view(said: Said) -> Mapping[str, Any]:
    """A message as JSON has it."""
    return said._asdict()
