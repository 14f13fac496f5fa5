# SPDX-License-Identifier: Apache-2.0
"""A centre that carries the requests of one counterpart to another (spec/line.md, Relay).

It changes no byte in either direction, keeps nothing, and never hands anything to another relay.
"""

from __future__ import annotations

import threading

from servanda.operations.centre import Centre
from servanda.operations.errors import LineDown, Refusal, TryLater
from servanda.operations.ports import Courier, RawAnswer
from servanda.operations.routing import pack_today, relays_of

_HANDED_BACK = frozenset({200, 400, 404, 409, 413, 429, 503})
"""Answers of the other end that concern the caller. What it says about our own key does not."""


class Relay:
    """Carries for one centre; threads may share it."""

    def __init__(self, centre: Centre, courier: Courier) -> None:
        """Carry for `centre` over the lines of `courier`."""
        self._centre = centre
        self._courier = courier
        self._lock = threading.Lock()
        self._under_way: set[tuple[str, str]] = set()

    def carry(self, peer: str, to: str, journal: str, what: str, body: bytes) -> RawAnswer:
        """Hand a request about the peer's own journal to the centre of `to`, and its answer back.

        Args:
            peer: who asks us.
            to: for whom it is.
            journal: whose journal it concerns; the peer's own.
            what: `entries` or `receipt`.
            body: of the request; it is carried as it is.

        Raises:
            Refusal: not the peer's journal (`wrong-journal`); or `to` is no other party, or the pack in force does not
                name us as a relay (`no-relay`).
            TryLater: a request of the same caller to the same end is under way (`busy`), or the other end does not
                answer (`relay-down`).
        """
        if peer != journal:
            raise Refusal(f"{peer} does not bring the journal of {journal}", "wrong-journal")
        with self._centre.lock:
            pack = pack_today(self._centre)
        if self._centre.party not in relays_of(pack):
            raise Refusal(f"the pack in force names no relay {self._centre.party}", "no-relay")
        if to not in pack.parties or to in (peer, self._centre.party):
            raise Refusal(f"nothing is carried to {to} from here: no third party of that name", "no-relay")
        with self._lock:
            if (peer, to) in self._under_way:
                raise TryLater(f"a request to {to} is under way; one at a time", "busy")
            self._under_way.add((peer, to))
        try:
            answer = self._courier.forward(to, journal, what, body)
        except LineDown as error:
            # No more than that: by which addresses we reach a counterpart is between it and us.
            raise LineDown(f"{to} does not answer its relay ({error.code})", "relay-down") from error
        finally:
            with self._lock:
                self._under_way.discard((peer, to))
        if answer.status not in _HANDED_BACK:
            raise LineDown(f"{to} turns its relay away (HTTP {answer.status})", "relay-down")
        return answer
