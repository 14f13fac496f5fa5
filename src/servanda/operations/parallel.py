# SPDX-License-Identifier: Apache-2.0
"""Signatures of many entries verified on all cores: the library releases the interpreter's lock while it computes.

What is checked ahead is only remembered; the steps of `journal.acceptance` still ask for every signature, and anything
that was not checked ahead, or did not verify, is checked there again.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache

from servanda.journal.record import Record
from servanda.journal.state import CheckSignature, Entry, Prepared
from servanda.proof.envelope import pae
from servanda.proof.keys import SignatureInvalid, key_id, verify_ed25519

CHUNK = 200
"""How many entries one thread takes at a time, and how few are not worth a thread."""
SWITCH_SECONDS = 0.0002
"""How soon a thread that comes back from the library gets the lock; the interpreter's 5 ms would leave cores idle."""
Check = tuple[bytes, bytes, bytes]


@lru_cache(maxsize=64)
def signature_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature verifies (RFC 8032). Recent answers are remembered."""
    try:
        verify_ed25519(public, message, signature)
    except SignatureInvalid:
        return False
    return True


class Checker:
    """Checks signatures for one centre; those that it has just made itself, in this process, need no second look."""

    def __init__(self) -> None:
        """Start without any of our own."""
        self._made: deque[Check] = deque(maxlen=16)

    def made(self, public: bytes, message: bytes, signature: bytes) -> None:
        """A key in this process has made this signature."""
        self._made.append((public, message, signature))

    def __call__(self, public: bytes, message: bytes, signature: bytes) -> bool:
        """Whether the signature verifies."""
        return (public, message, signature) in self._made or signature_holds(public, message, signature)


def judge_on_all_cores(record: Record) -> list[Entry]:
    """`record.judge()`, with the signatures of what is pending verified on all cores if there are many."""
    leaves = [prepared for journal in record.journals.values() for prepared in journal.pending]
    if len(leaves) < CHUNK:
        return record.judge()
    keys = {
        key_id(public): public
        for journal in record.journals.values()
        for identity in journal.identities.up_to(journal.size)
        for public in (identity.centre.ed25519, *(officer.public for officer in identity.officers.values()))
    }
    before = record.check
    with checked_ahead(leaves, keys) as check:
        record.check = check
        try:
            return record.judge()
        finally:
            record.check = before


def _checks(leaves: Sequence[Prepared], keys: dict[str, bytes]) -> list[Check]:
    found = []
    for prepared in leaves:
        envelope = prepared.envelope
        if envelope is None:
            continue
        message = pae(envelope.payload_type, envelope.payload)
        found += [
            (keys[signature.keyid], message, signature.sig)
            for signature in envelope.signatures
            if signature.keyid in keys
        ]
    return found


def _verify(checks: Sequence[Check]) -> list[Check]:
    return [check for check in checks if signature_holds(*check)]


@contextmanager
def checked_ahead(
    leaves: Sequence[Prepared], keys: dict[str, bytes], cores: int | None = None
) -> Iterator[CheckSignature]:
    """Verify the signatures of `leaves` on several cores while the caller goes on.

    Args:
        leaves: entries that are about to be judged, in that order.
        keys: public keys by key id; none is trusted by being here.
        cores: how many threads; all cores by default.

    Yields:
        A check that knows what has been verified; it waits for what is under way.
    """
    cores = cores or os.cpu_count() or 1
    known: set[Check] = set()
    interval = sys.getswitchinterval()
    with ThreadPoolExecutor(cores) as pool:
        waiting: list[Future[list[Check]]] = [
            pool.submit(_verify, checks)
            for first in range(0, len(leaves), CHUNK)
            if (checks := _checks(leaves[first : first + CHUNK], keys))
        ]
        waiting.reverse()
        sys.setswitchinterval(SWITCH_SECONDS)

        def holds(public: bytes, message: bytes, signature: bytes) -> bool:
            check = (public, message, signature)
            while check not in known and waiting:
                known.update(waiting.pop().result())
            if check in known:
                known.discard(check)
                return True
            return signature_holds(*check)

        try:
            yield holds
        finally:
            sys.setswitchinterval(interval)
