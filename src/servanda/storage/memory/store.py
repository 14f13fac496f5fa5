# SPDX-License-Identifier: Apache-2.0
"""Where is it kept? In this process, for as long as it lives: for tests, simulation and short-lived readers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from servanda.operations.errors import HeadMoved, StoreDamaged
from servanda.operations.ports import StoredAdvance, StoredDraft, StoredHanding, StoredReceipt


@dataclass
class _Journal:
    """What is held of one journal. `leaves[0]` is entry 1."""

    leaves: list[bytes] = field(default_factory=list)
    held_at: list[str] = field(default_factory=list)
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    checkpoints: dict[int, bytes] = field(default_factory=dict)
    receipts: dict[tuple[str, int], StoredReceipt] = field(default_factory=dict)
    forks: dict[str, bytes] = field(default_factory=dict)
    openings: set[tuple[int, str]] = field(default_factory=set)
    advances: dict[int, StoredAdvance] = field(default_factory=dict)
    placed: set[int] = field(default_factory=set)
    """In a transaction: which of the entries held in advance are let go."""

    def take(self, change: _Journal) -> None:
        """Apply what a transaction collected: what was said first stays, what may be replaced is replaced."""
        self.leaves += change.leaves
        self.held_at += change.held_at
        self.nodes |= change.nodes
        self.checkpoints |= change.checkpoints
        self.forks = change.forks | self.forks
        self.openings |= change.openings
        # First what the transaction let go, then what it put: the first for a place stays.
        self.advances = change.advances | {n: kept for n, kept in self.advances.items() if n not in change.placed}
        for key, receipt in change.receipts.items():
            held = self.receipts.get(key)
            if held is None or receipt.size >= held.size:
                self.receipts[key] = receipt


@dataclass
class _State:
    """Everything held, or everything that one transaction adds."""

    journals: dict[str, _Journal] = field(default_factory=dict)
    packs: dict[str, bytes] = field(default_factory=dict)
    drafts: dict[str, StoredDraft] = field(default_factory=dict)
    settings: dict[str, bytes] = field(default_factory=dict)
    advance_receipts: dict[tuple[str, int], bytes] = field(default_factory=dict)
    handings: dict[tuple[int, str, str], StoredHanding] = field(default_factory=dict)

    def take(self, change: _State) -> None:
        """Apply what a transaction collected. Cannot fail half-way: everything was checked when it was collected."""
        for name, journal in change.journals.items():
            self.journals.setdefault(name, _Journal()).take(journal)
        self.packs = change.packs | self.packs
        self.drafts |= change.drafts
        self.advance_receipts = change.advance_receipts | self.advance_receipts
        self.handings |= change.handings
        self.settings |= change.settings


class _MemoryWriter:
    """Collects the changes of one transaction."""

    def __init__(self, committed: _State) -> None:
        self._committed = committed
        self._change = _State()
        self._over = False

    def finish(self) -> _State:
        """What was collected; nothing more is taken after this."""
        self._over = True
        return self._change

    def _changes(self) -> _State:
        if self._over:
            raise RuntimeError("this transaction is over: nothing written to it now would be kept")
        return self._change

    def _journal(self, name: str) -> _Journal:
        return self._changes().journals.setdefault(name, _Journal())

    def append(
        self,
        journal: str,
        first: int,
        leaves: Sequence[bytes],
        nodes: Sequence[tuple[int, int, bytes]],
        held_at: str,
    ) -> None:
        held, change = self._committed.journals.get(journal, _Journal()), self._journal(journal)
        size = len(held.leaves) + len(change.leaves)
        if first != size + 1:
            raise HeadMoved(f"journal {journal}: asked to append entry {first}, but {size} entries are held")
        added = {(level, index): value for level, index, value in nodes}
        if len(added) != len(nodes) or added.keys() & held.nodes.keys() or added.keys() & change.nodes.keys():
            raise StoreDamaged(f"journal {journal}: a tree node of entries from {first} on is held already")
        change.leaves += leaves
        change.held_at += [held_at] * len(leaves)
        change.nodes |= added

    def put_checkpoint(self, journal: str, size: int, note: bytes) -> None:
        self._journal(journal).checkpoints[size] = note

    def put_receipt(self, receipt: StoredReceipt) -> None:
        # Taken by a journal that holds only this one, so that one rule decides which of two receipts stays.
        self._journal(receipt.journal).take(_Journal(receipts={(receipt.by, receipt.kind): receipt}))

    def put_pack(self, digest: str, pack: bytes) -> None:
        self._changes().packs.setdefault(digest, pack)

    def put_fork(self, journal: str, name: str, proof: bytes) -> None:
        self._journal(journal).forks.setdefault(name, proof)

    def put_opening(self, journal: str, number: int, disclosure: str) -> None:
        self._journal(journal).openings.add((number, disclosure))

    def put_advance(self, advance: StoredAdvance) -> None:
        self._journal(advance.journal).advances.setdefault(advance.number, advance)

    def drop_advances(self, journal: str, numbers: Sequence[int]) -> None:
        change = self._journal(journal)
        change.placed.update(numbers)
        for number in numbers:
            change.advances.pop(number, None)

    def put_advance_receipt(self, by: str, number: int, receipt: bytes) -> None:
        self._changes().advance_receipts.setdefault((by, number), receipt)

    def put_handing(self, handing: StoredHanding) -> None:
        self._changes().handings[handing[:3]] = handing

    def put_draft(self, draft: StoredDraft) -> None:
        self._changes().drafts[draft.identifier] = draft

    def put_setting(self, name: str, value: bytes) -> None:
        self._changes().settings[name] = value


class MemoryStore:
    """The `Store` port in plain dictionaries. A transaction collects changes, which apply on a clean exit only."""

    def __init__(self) -> None:
        self._state = _State()
        self._writing = False

    def _held(self, journal: str) -> _Journal:
        return self._state.journals.get(journal) or _Journal()

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[_MemoryWriter]:
        """One atomic unit of work; see the port.

        Raises:
            RuntimeError: a transaction is open already.
        """
        if self._writing:
            raise RuntimeError("a transaction is open already")
        self._writing = True
        writer = _MemoryWriter(self._state)
        try:
            yield writer
            self._state.take(writer.finish())
        finally:
            writer.finish()
            self._writing = False

    def journals(self) -> dict[str, int]:
        """Size held of every journal that has entries."""
        return {name: len(journal.leaves) for name, journal in self._state.journals.items() if journal.leaves}

    def leaves(self, journal: str, first: int, limit: int) -> list[bytes]:
        """Up to `limit` leaves from number `first` on, in order."""
        start = max(first, 1) - 1
        return self._held(journal).leaves[start : start + max(limit, 0)]

    def held_at(self, journal: str, number: int) -> str | None:
        """When this centre came to hold an entry, or None."""
        times = self._held(journal).held_at
        return times[number - 1] if 1 <= number <= len(times) else None

    def node(self, journal: str, level: int, index: int) -> bytes:
        """Hash of the complete subtree of 2**level leaves with the given index.

        Raises:
            KeyError: that subtree is not complete here.
        """
        return self._held(journal).nodes[level, index]

    def checkpoint(self, journal: str, size: int | None = None) -> bytes | None:
        """The checkpoint note held at a size, by default the newest one (greatest size); None if there is none."""
        checkpoints = self._held(journal).checkpoints
        return checkpoints.get(max(checkpoints, default=0) if size is None else size)

    def receipts(self, journal: str) -> list[StoredReceipt]:
        """All receipts held on a journal, sorted by (by, kind)."""
        return [receipt for _, receipt in sorted(self._held(journal).receipts.items())]

    def packs(self) -> dict[str, bytes]:
        """All packs held, by digest."""
        return dict(self._state.packs)

    def forks(self) -> dict[str, dict[str, bytes]]:
        """All proofs of forks held: journal to name to proof."""
        return {name: dict(journal.forks) for name, journal in self._state.journals.items() if journal.forks}

    def openings(self, journal: str) -> list[tuple[int, str]]:
        """All openings held for a journal: (number, disclosure), sorted."""
        return sorted(self._held(journal).openings)

    def advances(self, journal: str) -> list[StoredAdvance]:
        """All entries of a journal that are held ahead of their place, by number."""
        return [advance for _, advance in sorted(self._held(journal).advances.items())]

    def advance_receipts(self, by: str) -> dict[int, bytes]:
        """All advance receipts held that a party gave on our entries: number to envelope, by number."""
        return {n: receipt for (party, n), receipt in sorted(self._state.advance_receipts.items()) if party == by}

    def handings(self, party: str | None = None) -> list[StoredHanding]:
        """All openings that are or were to be handed, to one party or to all; sorted."""
        return [handing for _, handing in sorted(self._state.handings.items()) if party in (None, handing.party)]

    def drafts(self) -> list[StoredDraft]:
        """All drafts, by identifier."""
        return [draft for _, draft in sorted(self._state.drafts.items())]

    def draft(self, identifier: str) -> StoredDraft | None:
        """The draft of that identifier, or None."""
        return self._state.drafts.get(identifier)

    def setting(self, name: str) -> bytes | None:
        """A named value, or None."""
        return self._state.settings.get(name)

    def close(self) -> None:
        """Nothing to release; what is held stays readable."""
