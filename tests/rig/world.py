# SPDX-License-Identifier: Apache-2.0
"""Several centres in one process, joined by function calls: real operations, memory stores and a stepped clock."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from servanda.agreement.pack import Pack
from servanda.journal.state import Entry
from servanda.keyring.memory import MemorySigner
from servanda.operations.centre import Centre, Signers
from servanda.operations.citing import cite_if_it_helps
from servanda.operations.delivery import Delivery
from servanda.operations.door import CentreDoor
from servanda.operations.drafting import Draft, release_draft, send_alone, submit_draft, write_draft
from servanda.operations.founding import identity_content, state_identity
from servanda.operations.openings import OpeningLine
from servanda.operations.ports import Advance, Push, PushReply, Store, Words
from servanda.operations.receipts import receipted_size, take_receipts
from servanda.operations.receiving import receive
from servanda.operations.routing import pack_today, routes_between
from servanda.storage.memory.store import MemoryStore
from tests.rig.packs import lake

START = datetime(2026, 1, 1, tzinfo=UTC)


class SteppedClock:
    """A clock that moves on by one second whenever it is read."""

    def __init__(self) -> None:
        self.seconds = 0

    def __call__(self) -> str:
        self.seconds += 1
        return (START + timedelta(seconds=self.seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def signer(*parts: str, algorithm: str = "ed25519") -> MemorySigner:
    """A signer from a seed that the name gives: the same in every run."""
    return MemorySigner.from_seed(algorithm, hashlib.sha256("/".join(parts).encode()).digest())


def signers_of(party: str, generation: str = "") -> Signers:
    return Signers(
        centre=signer(party, generation, "centre"),
        centre_mldsa44=signer(party, generation, "centre", algorithm="ml-dsa-44"),
        receipt=signer(party, generation, "receipt"),
        receipt_mldsa44=signer(party, generation, "receipt", algorithm="ml-dsa-44"),
        officers={name: signer(party, generation, name) for name in ("desk", "chief", "duty")},
    )


ROLES = {"desk": ("author",), "chief": ("author", "release"), "duty": ("watch",)}


def roots_of(party: str, generation: str = "") -> list[MemorySigner]:
    return [signer(party, generation, "root", str(index)) for index in range(3)]


def found(party: str, pack: Pack, store: Store, clock: SteppedClock) -> Centre:
    """Open a centre and state its identity."""
    centre = Centre(party, pack, store, signers_of(party), clock)
    content = identity_content(centre.signers, roots_of(party), 2, ROLES, {"en": party})
    state_identity(centre, content, roots_of(party)[:2])
    return centre


class World:
    """The centres of one agreement. Nothing is delivered until somebody says so."""

    def __init__(self, pack: Pack, *, adopted: bool = True, status: str = "actual") -> None:
        self.pack = pack
        self.clock = SteppedClock()
        self.status = status
        self.centres = {party: found(party, pack, MemoryStore(), self.clock) for party in pack.parties}
        if adopted:
            self.sync()
            for party in pack.parties:
                self.say(party, "adopt", {"pack": pack.digest})
            self.sync()

    def clone(self) -> World:
        """Another world that goes on from here; this one stays as it is."""
        twin = World.__new__(World)
        twin.pack, twin.status, twin.clock = self.pack, self.status, copy.copy(self.clock)
        twin.centres = {party: self.reopened(party, twin.clock) for party in self.centres}
        return twin

    def reopened(self, party: str, clock: SteppedClock | None = None) -> Centre:
        """A centre opened from a copy of a party's store: the same keys, another memory."""
        centre = self.centres[party]
        return Centre(party, centre.pack, copy.deepcopy(centre.store), centre.signers, clock or self.clock)

    def say(self, party: str, form: str, content: dict[str, Any] | None = None, **members: Any) -> Entry:
        """Draft, submit and release one entry by two officers; returns it as judged."""
        centre = self.centres[party]
        identifier = write_draft(centre, self.draft(form, content, **members))
        submit_draft(centre, identifier)
        return release_draft(centre, identifier, "chief")

    def draft(self, form: str, content: dict[str, Any] | None = None, **members: Any) -> Draft:
        members.setdefault("subject", form)
        members.setdefault("event_at", "2014-01-10")
        members.setdefault("author", "desk")
        members.setdefault("status", self.status)
        if members["status"] == "exercise":
            members.setdefault("exercise_at", "2014-01-10T12:00:00Z")
        for name in ("refers_to", "to", "named"):
            if name in members:
                members[name] = tuple(str(value) for value in members[name])
        return Draft(format=form, content=content or {}, **members)

    def alone(self, party: str, form: str, content: dict[str, Any] | None = None, **members: Any) -> Entry:
        """One officer on watch sends an entry."""
        members.setdefault("author", "duty")
        return send_alone(self.centres[party], self.draft(form, content, **members))

    def deliver(self, sender: str, receiver: str, upto: int | None = None) -> int:
        """Push what `receiver` has not receipted of `sender`'s journal, up to number `upto`; take its receipt."""
        source, target = self.centres[sender], self.centres[receiver]
        first = receipted_size(source, receiver) + 1
        last = source.journal.size if upto is None else upto
        if last < first:
            return 0
        leaves = tuple(source.store.leaves(sender, first, last - first + 1))
        reply = receive(target, Push(sender, first, leaves, source.note_at(last)), sender).reply
        take_receipts(source, sender, receiver, reply.size, reply.receipt)
        return len(leaves)

    def sync(self, *, cite: bool = True) -> None:
        """Deliver everything to everybody until nothing moves; the centres cite where it helps."""
        while True:
            moved = sum(self.deliver(a, b) for a in self.centres for b in self.centres if a != b)
            cited = sum(cite_if_it_helps(centre) is not None for centre in self.centres.values()) if cite else 0
            if not moved and not cited:
                return


@cache
def _adopted(parties: tuple[str, ...], quorum: Any, liars: int) -> World:
    return World(lake(parties, quorum=quorum, liars=liars))


def hand(source: Centre, target: Centre, upto: int | None = None) -> int:
    """Push what `target` does not hold of the journal of `source`, up to number `upto`, and take its receipt."""
    party, held = source.party, target.record.journals[source.party].size
    last = source.journal.size if upto is None else upto
    leaves = tuple(source.store.leaves(party, held + 1, last - held))
    reply = receive(target, Push(party, held + 1, leaves, source.note_at(max(last, held))), party).reply
    take_receipts(source, party, target.party, reply.size, reply.receipt)
    return len(leaves)


class DirectCourier:
    """A line that is a function call: every centre answers through its own door."""

    def __init__(self, centres: Mapping[str, Centre]) -> None:
        self._doors = {party: CentreDoor(centre, lambda: None) for party, centre in centres.items()}

    def push(self, party: str, push: Push, by: str | None = None) -> PushReply:
        reply = self._doors[party].push(push.journal, push)
        self._doors[party].judge()
        return reply

    def advance(self, party: str, advance: Advance) -> bytes:
        return self._doors[party].advance(advance.journal, advance)

    def openings(self, party: str, openings: Sequence[OpeningLine]) -> frozenset[str]:
        return self._doors[party].openings(openings[0].entry.party, openings)

    def pull(self, party: str, journal: str, first: int, limit: int) -> Push:
        return self._doors[party].pull("", journal, first, limit)

    def checkpoint(self, party: str, journal: str) -> bytes:
        return self._doors[party].checkpoint("", journal)

    def consistency(self, party: str, journal: str, first: int, second: int) -> list[bytes]:
        return self._doors[party].consistency("", journal, first, second)

    def receipt(self, party: str, journal: str, note: bytes, by: str | None = None) -> bytes:
        return self._doors[party].receipt("", journal, note)

    def orderwire(self, party: str, words: Words) -> None:
        self._doors[party].orderwire("", words)


def three(*parties: str, quorum: Any = "all", liars: int = 0) -> World:
    """A world of its own in which the lake agreement is in force: ash, birch and cedar, if nobody else is named."""
    return _adopted(parties or ("ash", "birch", "cedar"), quorum, liars).clone()


def grams(amount: int | None) -> dict[str, Any]:
    """A quantity in grams, or not stated."""
    return (
        {"basis": "not-stated", "unit": "g"} if amount is None else {"amount": amount, "basis": "stated", "unit": "g"}
    )


def row(amount: int | None, kind: str = "cargo", place: str = "store") -> dict[str, Any]:
    return {"kind": kind, "place": place, "quantity": grams(amount)}


def held(lot: str, amount: int | None) -> dict[str, Any]:
    return {"lot": lot, "quantity": grams(amount)}


def accounts(centre: Centre, unit: str = "g") -> dict[str, int]:
    """Account to stated plus derived amount, as one centre sees it."""
    from servanda.registers.custody.views import balances_document

    document = balances_document(centre.custody)
    return {a["account"]: a["stated"] + a["derived"] for a in document["accounts"] if a["unit"] == unit}


def codes(centre: Centre) -> Sequence[str]:
    """The codes of the open discrepancies, as one centre sees them."""
    from servanda.registers.custody.views import open_discrepancies

    return [item.code for item in open_discrepancies(centre.custody)]


def push_all(delivery: Delivery, party: str) -> None:
    """Let a delivery that has not been started push everything to a party, by the first route of the pack."""
    line = delivery.lines[party]
    centre = delivery._centre
    line.follow(routes_between(pack_today(centre), centre.party, party))
    delivery._push_all(party, line, line.order()[0])
