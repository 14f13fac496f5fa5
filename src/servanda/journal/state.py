# SPDX-License-Identifier: Apache-2.0
"""What a reader holds of each journal, and the questions that the rules ask of it. No rule is decided here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from servanda.agreement.pack import Pack
from servanda.journal.frame import Frame, Place
from servanda.journal.identity import IdentityHistory
from servanda.journal.threads import Attestations, Cut, Offer, Threads, within
from servanda.proof.envelope import Envelope
from servanda.proof.merkle import EMPTY_ROOT, node_hash, root_at

CheckSignature = Callable[[bytes, bytes, bytes], bool]
"""Whether a signature verifies: (public key, message, signature)."""


@dataclass(slots=True)
class Prepared:
    """A leaf after steps 1 and 2: parsed, or with the code of the step that failed."""

    leaf: bytes
    hash: bytes
    envelope: Envelope | None = None
    frame: Frame | None = None
    code: str | None = None
    reason: str = ""


@dataclass
class Entry:
    """One entry as judged. `code` is None if it is admissible, else the stable code of the step that failed."""

    place: Place
    leaf: bytes
    hash: bytes
    frame: Frame | None
    code: str | None
    reason: str
    heads: Mapping[str, int]
    """Effective heads after this entry, without its own journal."""

    @property
    def admissible(self) -> bool:
        """Whether the entry may have effect."""
        return self.code is None

    @cached_property
    def past(self) -> Cut:
        """The cut that this entry's author had: its own earlier entries and what its heads cover."""
        return {**self.heads, self.place.party: self.place.number - 1}

    @cached_property
    def present(self) -> Cut:
        """The past and the entry itself."""
        return {**self.heads, self.place.party: self.place.number}


class Tree:
    """A Merkle tree that keeps every node of complete subtrees in memory, for roots and proofs at any size."""

    def __init__(self) -> None:
        self.levels: list[list[bytes]] = [[]]
        self._roots: dict[int, bytes] = {0: EMPTY_ROOT}

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self.levels[0])

    def append(self, hashed: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf hash; returns (level, index, hash) of every subtree it completes, itself first."""
        made = []
        level = 0
        while True:
            if level == len(self.levels):
                self.levels.append([])
            row = self.levels[level]
            row.append(hashed)
            made.append((level, len(row) - 1, hashed))
            if len(row) % 2:
                return made
            hashed = node_hash(row[-2], row[-1])
            level += 1

    def extended(self, hashes: Sequence[bytes]) -> tuple[list[tuple[int, int, bytes]], bytes]:
        """What appending `hashes` would give: the nodes completed, and the root. The tree stays as it is."""
        fresh: dict[tuple[int, int], bytes] = {}

        def node(level: int, index: int) -> bytes:
            return fresh.get((level, index)) or self.levels[level][index]

        size = self.size
        for offset, leaf in enumerate(hashes):
            level, index, hashed = 0, size + offset, leaf
            fresh[level, index] = hashed
            while index % 2:
                hashed = node_hash(node(level, index - 1), hashed)
                level, index = level + 1, index // 2
                fresh[level, index] = hashed
        return [(level, index, hashed) for (level, index), hashed in fresh.items()], root_at(size + len(hashes), node)

    def node(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree."""
        return self.levels[level][index]

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves, of all by default. Recent answers are remembered."""
        size = self.size if size is None else size
        known = self._roots.get(size)
        if known is None:
            known = root_at(size, self.node)
            if len(self._roots) > 256:
                self._roots.clear()
            self._roots[size] = known
        return known


@dataclass
class JournalState:
    """One journal as held: its tree, its judged entries, and the leaves that wait to be judged."""

    party: str
    origin: str
    tree: Tree = field(default_factory=Tree)
    entries: list[Entry] = field(default_factory=list)
    pending: deque[Prepared] = field(default_factory=deque)
    waiting: str = ""
    """Why the first pending leaf cannot be judged yet; empty if nothing waits."""
    identities: IdentityHistory = field(default_factory=IdentityHistory)
    cited: dict[str, int] = field(default_factory=dict)
    adoptions: list[tuple[int, str]] = field(default_factory=list)
    answered: set[Place] = field(default_factory=set)
    """Offers that this party has accepted or refused."""

    @property
    def size(self) -> int:
        """How many leaves are held, judged or not."""
        return self.tree.size

    def heads_after(self, number: int) -> Mapping[str, int]:
        """Effective heads after entry `number`; none after 0."""
        return self.entries[number - 1].heads if number else {}


@dataclass
class RecordState:
    """The journals of one agreement, as far as they are held, and what has been derived from them."""

    agreement: str
    check: CheckSignature
    packs: dict[str, Pack] = field(default_factory=dict)
    journals: dict[str, JournalState] = field(default_factory=dict)
    attestations: Attestations = field(default_factory=Attestations)
    threads: Threads = field(init=False)
    _force: dict[tuple[int, ...], str | None] = field(default_factory=dict)
    _last_adoptions: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.threads = Threads(self.attestations)

    def entry(self, place: Place) -> Entry | None:
        """The judged entry at `place`, or None."""
        journal = self.journals.get(place.party)
        if journal is None or not 0 < place.number <= len(journal.entries):
            return None
        return journal.entries[place.number - 1]

    def origin(self, party: str) -> str:
        """The origin line of a party's checkpoints."""
        return f"servanda/{self.agreement}/{party}"

    @property
    def whole(self) -> Cut:
        """The cut of everything judged."""
        return {party: len(journal.entries) for party, journal in self.journals.items()}

    def forget_force(self) -> None:
        """Packs or adoptions have changed: what is in force must be computed anew."""
        self._force.clear()
        self._last_adoptions = {
            party: journal.adoptions[-1][0] for party, journal in self.journals.items() if journal.adoptions
        }

    def in_force(self, cut: Cut) -> str | None:
        """Digest of the pack in force within `cut` (spec/pack.md, In force), or None before the first."""
        if all(cut.get(party, 0) >= number for party, number in self._last_adoptions.items()):
            key: tuple[int, ...] = ()  # all adoptions there are, the common case
        else:
            key = tuple(
                sum(1 for number, _ in journal.adoptions if number <= cut.get(party, 0))
                for party, journal in sorted(self.journals.items())
            )
        if key not in self._force:
            self._force[key] = self._compute_force(cut)
        return self._force[key]

    def _compute_force(self, cut: Cut) -> str | None:
        adopted: dict[str, set[str]] = {}
        for party, journal in self.journals.items():
            for number, digest in journal.adoptions:
                if number <= cut.get(party, 0):
                    adopted.setdefault(digest, set()).add(party)
        force: str | None = None
        successor: str | None = self.agreement
        while successor is not None:
            pack = self.packs[successor]
            needed = set(pack.parties) | (set(self.packs[force].parties) if force else set())
            if not needed <= adopted.get(successor, set()):
                break
            force = successor
            successor = next(
                (d for d in sorted(adopted) if d in self.packs and self.packs[d].replaces == force and d != force), None
            )
        return force

    def judged_pack(self, offer: Offer) -> Pack:
        """The pack by which an offer is judged."""
        entry = self.entry(offer.place)
        assert entry is not None
        assert entry.frame is not None
        return self.packs[entry.frame.pack or self.agreement]

    def settled(self, offer: Offer, cut: Cut) -> bool:
        """Whether an offer is settled within `cut`."""
        pack = self.judged_pack(offer)
        others = set(pack.parties) - offer.signatories
        quorum = pack.quorum(len(others))
        if not self._may_lapse(offer, pack):
            return self.threads.settled(offer, cut, quorum)
        return self.threads.upheld(
            offer,
            cut,
            lambda place: sum(1 for party in others if self._upholds(party, place, offer, cut)) >= quorum,
        )

    def _may_lapse(self, offer: Offer, pack: Pack) -> bool:
        return pack.lapses and pack.formats[offer.format].effect == "custody.offer"

    def _upholds(self, party: str, place: Place, offer: Offer, cut: Cut) -> bool:
        """Whether an entry of `party` within `cut` covers `place`, and none declares the offer lapsed."""
        journal = self.journals.get(party)
        covered = journal.heads_after(cut.get(party, 0)).get(place.party, 0) if journal else 0
        lapse = offer.lapses.get(party)
        return covered >= place.number and (lapse is None or not within(cut, lapse))

    def lapsed(self, offer: Offer, cut: Cut) -> bool:
        """Whether enough other parties have declared the offer lapsed within `cut`."""
        if not offer.lapses:
            return False
        pack = self.judged_pack(offer)
        others = set(pack.parties) - offer.signatories
        declared = sum(1 for party, place in offer.lapses.items() if party in others and within(cut, place))
        return declared >= max(1, pack.quorum(len(others)))

    def effective(self, offer: Offer, cut: Cut) -> bool:
        """Whether an offer has effect within `cut`."""
        return self.settled(offer, cut) and self.threads.conditions_met(offer, cut) is True

    def effect_of(self, entry: Entry) -> str | None:
        """The effect that an admissible entry's format has, or None."""
        frame = entry.frame
        if frame is None or not entry.admissible:
            return None
        pack = self.packs[frame.pack or self.agreement]
        return pack.formats[(frame.format, frame.format_version)].effect
