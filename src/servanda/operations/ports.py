# SPDX-License-Identifier: Apache-2.0
"""What the operations need from the outside: a clock, a store, a courier, and signers.

Each port is one screen. Memory and SQLite implement `Store` under one contract suite (`tests/contracts/`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from servanda.operations.openings import OpeningLine


class StoredReceipt(NamedTuple):
    """The newest receipt that a store holds on one journal by one party and of one kind."""

    journal: str
    by: str
    kind: int
    """Signature type of the cosignature: 0x04 (Ed25519) or 0x06 (ML-DSA-44)."""
    size: int
    line: bytes
    """The signature line of the note, with its newline."""


class StoredDraft(NamedTuple):
    """A draft that waits for review and release."""

    identifier: str
    state: str
    """`draft`, `submitted`, `released` or `withdrawn`."""
    body: bytes
    """Canonical JSON."""


class StoredAdvance(NamedTuple):
    """An entry of a counterpart that is held ahead of its place (spec/line.md, Ahead of a backlog)."""

    journal: str
    number: int
    leaf: bytes
    note: bytes
    """The signed checkpoint of its journal at `number`, under which its inclusion was proved."""
    held_at: str
    """When this centre came to hold it, RFC 3339 UTC."""


class StoredHanding(NamedTuple):
    """One opening of an own entry that is to be handed to one party (spec/line.md, Openings)."""

    number: int
    party: str
    disclosure: str
    held_at: str
    """When that party's centre was known to hold it, RFC 3339 UTC; empty as long as it is not."""


class Writer(Protocol):
    """What may be written inside one transaction. Nothing is visible to readers before it commits."""

    def append(
        self,
        journal: str,
        first: int,
        leaves: Sequence[bytes],
        nodes: Sequence[tuple[int, int, bytes]],
        held_at: str,
    ) -> None:
        """Store `leaves` as entries `first`, `first + 1`, … of `journal`, with the tree nodes that they complete.

        Args:
            journal: party identifier.
            first: number of the first leaf; it must be the size held plus one (a compare-and-swap on the head).
            leaves: envelope bytes.
            nodes: (level, index, hash) of every complete subtree that these leaves finish, level 0 being leaf hashes.
            held_at: when this centre came to hold them, RFC 3339 UTC.

        Raises:
            HeadMoved: the journal's size is not `first - 1`; another instance has written.
        """

    def put_checkpoint(self, journal: str, size: int, note: bytes) -> None:
        """Keep `note` as the checkpoint of `journal` at `size`; those of other sizes stay. One size, one note."""

    def put_receipt(self, receipt: StoredReceipt) -> None:
        """Keep a receipt if it is not older than the one held for the same journal, party and kind."""

    def put_pack(self, digest: str, pack: bytes) -> None:
        """Keep the canonical bytes of a pack. Idempotent."""

    def put_fork(self, journal: str, name: str, proof: bytes) -> None:
        """Keep a proof of a fork. Idempotent by name."""

    def put_opening(self, journal: str, number: int, disclosure: str) -> None:
        """Keep an opening of a sealed field. Idempotent."""

    def put_advance(self, advance: StoredAdvance) -> None:
        """Keep an entry ahead of its place; the first for a place stays."""

    def drop_advances(self, journal: str, numbers: Sequence[int]) -> None:
        """Let go of entries held in advance: they lie in their places now, or in a proof."""

    def put_advance_receipt(self, by: str, number: int, receipt: bytes) -> None:
        """Keep the advance receipt by a party on our entry `number`, an envelope; the first stays."""

    def put_handing(self, handing: StoredHanding) -> None:
        """Insert an opening to be handed, or replace when it came to be held."""

    def put_draft(self, draft: StoredDraft) -> None:
        """Insert or replace a draft."""

    def put_setting(self, name: str, value: bytes) -> None:
        """Insert or replace a named value."""


class Store(Protocol):
    """Everything that a centre keeps, except keys. All reads see committed data only."""

    def transaction(self, *, durable: bool = True) -> AbstractContextManager[Writer]:
        """One atomic unit of work.

        On a clean exit everything is on stable storage before control returns, unless `durable` is False: then it is
        visible, survives the process, and reaches the disk with the next durable one. On an exception nothing changed.

        Raises:
            StoreFull: no space left; the old state is whole.
            StoreDamaged: the store cannot be read or written; a person must look.
        """

    def journals(self) -> dict[str, int]:
        """Size held of every journal that has entries."""

    def leaves(self, journal: str, first: int, limit: int) -> list[bytes]:
        """Up to `limit` leaves from number `first` on, in order."""

    def held_at(self, journal: str, number: int) -> str | None:
        """When this centre came to hold an entry, or None."""

    def node(self, journal: str, level: int, index: int) -> bytes:
        """Hash of the complete subtree of 2**level leaves with the given index.

        Raises:
            KeyError: that subtree is not complete here.
        """

    def checkpoint(self, journal: str, size: int | None = None) -> bytes | None:
        """The checkpoint note held at a size, by default the newest one (greatest size); None if there is none."""

    def receipts(self, journal: str) -> list[StoredReceipt]:
        """All receipts held on a journal, sorted by (by, kind)."""

    def packs(self) -> dict[str, bytes]:
        """All packs held, by digest."""

    def forks(self) -> dict[str, dict[str, bytes]]:
        """All proofs of forks held: journal to name to proof."""

    def openings(self, journal: str) -> list[tuple[int, str]]:
        """All openings held for a journal: (number, disclosure), sorted."""

    def advances(self, journal: str) -> list[StoredAdvance]:
        """All entries of a journal that are held ahead of their place, by number."""

    def advance_receipts(self, by: str) -> dict[int, bytes]:
        """All advance receipts held that a party gave on our entries: number to envelope, by number."""

    def handings(self, party: str | None = None) -> list[StoredHanding]:
        """All openings that are or were to be handed, to one party or to all; sorted."""

    def drafts(self) -> list[StoredDraft]:
        """All drafts, by identifier."""

    def draft(self, identifier: str) -> StoredDraft | None:
        """The draft of that identifier, or None."""

    def setting(self, name: str) -> bytes | None:
        """A named value, or None."""

    def close(self) -> None:
        """Release files and locks."""


class Signer(Protocol):
    """One private key, wherever it lives."""

    @property
    def algorithm(self) -> str:
        """`ed25519` or `ml-dsa-44`."""

    @property
    def public(self) -> bytes:
        """The raw public key (32 or 1,312 bytes)."""

    def sign(self, message: bytes) -> bytes:
        """Sign `message`; the raw signature (64 or 2,420 bytes)."""


class Push(NamedTuple):
    """Leaves of one journal under the checkpoint that proves them (spec/line.md)."""

    journal: str
    first: int
    leaves: tuple[bytes, ...]
    checkpoint: bytes


class Advance(NamedTuple):
    """One entry ahead of a backlog, with the proof that it lies in its journal (spec/line.md, Ahead of a backlog)."""

    journal: str
    number: int
    leaf: bytes
    path: tuple[bytes, ...]
    """Inclusion path of the leaf in the tree of `number` leaves."""
    checkpoint: bytes
    """Signed note of the checkpoint at `number`."""


class PushReply(NamedTuple):
    """What the other centre answers to a push."""

    size: int
    receipt: bytes
    """Signature lines of its receipt over the checkpoint, or empty."""


class RawAnswer(NamedTuple):
    """What a centre answered, byte for byte."""

    status: int
    """Of HTTP."""
    body: bytes


WORDS_CHARACTERS_MAX = 1_000
"""The most characters of one message of the orderwire (spec/line.md)."""


class Words(NamedTuple):
    """What one watch officer says to another over the orderwire, outside the record."""

    officer: str
    text: str


class Courier(Protocol):
    """Carries requests to the centres of counterparts. Blocking; each call has its own deadline.

    All raise `LineDown` (try again later), `Refused` (the other centre's answer is final, with code and message) or
    `Conflict` (it holds a different leaf; carries its signed note).
    """

    def push(self, party: str, push: Push, by: str | None = None) -> PushReply:
        """Hand leaves of our own journal to `party`'s centre, through the relay `by` if one is named."""

    def pull(self, party: str, journal: str, first: int, limit: int) -> Push:
        """Fetch leaves of any journal that `party`'s centre holds; may be empty of leaves."""

    def checkpoint(self, party: str, journal: str) -> bytes:
        """The newest signed note with receipts that `party`'s centre holds of `journal`."""

    def consistency(self, party: str, journal: str, first: int, second: int) -> list[bytes]:
        """A consistency path from the other centre's copy of `journal`."""

    def advance(self, party: str, advance: Advance) -> bytes:
        """Hand one entry of our own journal ahead of its place; returns the advance receipt, an envelope."""

    def openings(self, party: str, openings: Sequence[OpeningLine]) -> frozenset[str]:
        """Hand openings, over the direct line alone; returns the digests of those that `party`'s centre keeps."""

    def table(self, party: str, root: str, first: int | None = None) -> bytes:
        """The header of a table that `party`'s centre opens to us, or its rows from `first` on, packed."""

    def pack(self, party: str, digest: str) -> bytes:
        """The canonical bytes of a pack that `party`'s centre holds."""

    def receipt(self, party: str, journal: str, note: bytes, by: str | None = None) -> bytes:
        """Ask `party`'s centre for both of its receipt lines over `note`, through the relay `by` if one is named."""

    def forward(self, party: str, journal: str, what: str, body: bytes) -> RawAnswer:
        """Post `body` for another party to `party`'s centre, at `entries` or `receipt` of `journal`.

        Raises only `LineDown`: any answer is one.
        """

    def hurry(self, party: str, seconds: float) -> bool:
        """Break off calls to `party`'s centre, by whatever route, on which nothing has moved for so long.

        They fail or are made anew at once. Returns whether there were any.
        """

    def orderwire(self, party: str, words: Words) -> None:
        """Hand words to `party`'s watch, now or not at all."""


Clock = Callable[[], str]
"""Returns the present time as RFC 3339 UTC with milliseconds, `2013-09-21T08:00:00.000Z`."""
