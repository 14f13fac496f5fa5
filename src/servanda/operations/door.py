# SPDX-License-Identifier: Apache-2.0
"""What counterparts' centres may ask of ours (spec/line.md); each call holds the centre's lock while it needs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from servanda.operations.advancing import take_advance
from servanda.operations.centre import Centre
from servanda.operations.comparing import held_note, keep_proof, proof_in_push, whole_path
from servanda.operations.errors import Conflict, Refusal, TryLater
from servanda.operations.fetching import TableSource, table_part
from servanda.operations.handing import take_openings
from servanda.operations.openings import OpeningLine
from servanda.operations.ports import Advance, Push, PushReply, RawAnswer, Words
from servanda.operations.receiving import BYTES_MAX, LEAVES_MAX, countersign, receive
from servanda.operations.relaying import Relay
from servanda.operations.routing import pack_today, relays_of
from servanda.proof.canonical import encode


class CentreDoor:
    """Answers the requests of the line for one centre."""

    def __init__(
        self,
        centre: Centre,
        on_change: Callable[[], None],
        *,
        relay: Relay | None = None,
        on_heard: Callable[[str], None] = lambda party: None,
        on_words: Callable[[str, Words], None] | None = None,
        tables: TableSource | None = None,
    ) -> None:
        """Answer for `centre`.

        Args:
            centre: whose door it is.
            on_change: called, without the lock, after entries have come in.
            relay: what carries for others, if this centre does.
            on_heard: called with a party, without the lock, whenever there is a sign of life of it.
            on_words: takes what a peer says on the orderwire; None if nobody listens.
            tables: the rows of tables that this centre holds; None if it hands none on.
        """
        self._centre = centre
        self._on_change = on_change
        self._relay = relay
        self._on_heard = on_heard
        self._on_words = on_words
        self._tables = tables

    def peer_of(self, spki_sha256: str) -> str | None:
        """The party whose newest identity states this TLS key, or None."""
        for party, state in self._centre.record.journals.items():
            identity = state.identities.latest
            if identity is not None and spki_sha256 in identity.tls:
                self._on_heard(party)
                return party
        return None

    def push(self, peer: str, push: Push) -> PushReply:
        """Take leaves of the peer's own journal, or of another's from a relay; they are durable before this returns.

        They are judged by `judge`.

        Raises:
            Conflict: another leaf is held; a proof of the fork is kept if there is one.
        """
        with self._centre.lock:
            relayed = peer != push.journal and self._relays(peer, push.journal)
            try:
                reply = receive(self._centre, push, None if relayed else peer, judging=False).reply
            except Conflict:
                with suppress(Refusal):
                    proof = proof_in_push(self._centre, push)
                    if proof is not None:
                        keep_proof(self._centre, push.journal, proof)
                raise
        if relayed:
            self._on_heard(push.journal)
        return reply

    def judge(self) -> None:
        """Judge what pushes have brought; called when their receipts are on their way."""
        with self._centre.lock:
            judged = self._centre.judge()
        if judged:
            self._on_change()

    def _relays(self, peer: str, journal: str) -> bool:
        """Whether we take leaves of a journal from a peer that is not its party (spec/line.md, Relay).

        Entries prove themselves, by the identity that we hold: entry 1 is taken from a card alone, whose fingerprint
        was compared in person.
        """
        state = self._centre.record.journals.get(journal)
        return state is not None and state.size > 0 and peer in relays_of(pack_today(self._centre))

    def relay(self, peer: str, to: str, journal: str, what: str, body: bytes) -> RawAnswer:
        """Carry a request of the peer to another party's centre; slow, for it waits for that one.

        Raises:
            ServandaError: see `servanda.operations.relaying.Relay.carry`.
        """
        if self._relay is None:
            raise Refusal("this centre carries for nobody", "no-relay")
        return self._relay.carry(peer, to, journal, what, body)

    def advance(self, peer: str, advance: Advance) -> bytes:
        """Keep an urgent entry of the peer's own journal ahead of its place; our advance receipt, an envelope."""
        with self._centre.lock:
            receipt = take_advance(self._centre, advance, peer)
        self._on_change()
        return receipt

    def openings(self, peer: str, openings: Sequence[OpeningLine]) -> frozenset[str]:
        """Keep openings of the peer's own entries; the digests of those that are held now."""
        with self._centre.lock:
            return take_openings(self._centre, openings, peer)

    def pull(self, peer: str, journal: str, first: int, limit: int) -> Push:
        """Leaves of a journal that we hold, from `first` on, under a checkpoint with the receipts that we hold."""
        with self._centre.lock:
            state = self._centre.record.journals.get(journal)
            if state is None or not state.size:
                raise Refusal(f"no journal of {journal} is held here", "wrong-journal")
            if not 1 <= first <= state.size + 1:
                raise Refusal(f"{journal} is held to {state.size}", "gap")
            if journal == self._centre.party:
                # Our key of today signs only what reaches the entry that states it: a reader far behind gets all that.
                least = max(1, state.identities.key_since() - first + 1)
                count = max(least, min(limit, LEAVES_MAX))
                leaves = self._centre.store.leaves(journal, first, count)
                while len(leaves) > least and sum(map(len, leaves)) > BYTES_MAX:
                    leaves.pop()
                return Push(journal, first, tuple(leaves), self._centre.note_at(first + len(leaves) - 1))
            # The checkpoint of another's journal proves exactly what lies under it: to its end or not at all.
            return Push(
                journal,
                first,
                tuple(self._centre.store.leaves(journal, first, state.size - first + 1)),
                held_note(self._centre, journal),
            )

    def checkpoint(self, peer: str, journal: str) -> bytes:
        """The newest signed note of a journal, with the receipts held for that size."""
        with self._centre.lock:
            state = self._centre.record.journals.get(journal)
            if state is None or not state.size:
                raise Refusal(f"no journal of {journal} is held here", "wrong-journal")
            receipts = [r.line for r in self._centre.store.receipts(journal) if r.size == state.size]
            return held_note(self._centre, journal) + b"".join(receipts)

    def consistency(self, peer: str, journal: str, first: int, second: int) -> list[bytes]:
        """The path between two sizes of a journal, starting with a node of the older tree."""
        with self._centre.lock:
            state = self._centre.record.journals.get(journal)
            if state is None:
                raise Refusal(f"no journal of {journal} is held here", "wrong-journal")
            return whole_path(state.tree, first, second)

    def receipt(self, peer: str, journal: str, note: bytes) -> bytes:
        """Both receipt lines over a checkpoint of a journal that we hold."""
        with self._centre.lock:
            return countersign(self._centre, journal, note)

    def pack(self, peer: str, digest: str) -> bytes:
        """The canonical bytes of a pack."""
        with self._centre.lock:
            pack = self._centre.record.packs.get(digest)
            if pack is None:
                raise Refusal(f"no pack {digest} is held here", "no-pack")
            return encode(pack.data)

    def table(self, peer: str, root: str, first: int | None) -> bytes:
        """The header of a table that is open to the peer, or its rows from `first` on."""
        if self._tables is None:
            raise Refusal("this centre hands no tables on", "no-table")
        return table_part(self._centre, self._tables, peer, root, first)

    def orderwire(self, peer: str, words: Words) -> None:
        """Words of the peer's watch for ours."""
        if self._on_words is None:
            raise TryLater("nobody listens to the orderwire here", "not-running")
        self._on_words(peer, words)
