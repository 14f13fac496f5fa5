# SPDX-License-Identifier: Apache-2.0
"""Three stations in one process, on their own files, joined by a line on which everything that leaves is noted down.

Each is opened from its home as `servanda serve` opens it, delivers as a centre on duty delivers, and may die at every
write. Whoever dies is opened again from what lay on the disk at that moment.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

from servanda.agreement.pack import parse_pack
from servanda.assembly import Founding, Station, found_centre, founding
from servanda.assembly import station as opened
from servanda.journal import audit
from servanda.journal.audit import audit_record
from servanda.journal.receipting import receipt_time
from servanda.keyring import keyfile
from servanda.keyring.keyfile import Cost, replace_file
from servanda.operations import bundles, parallel
from servanda.operations import centre as centre_module
from servanda.operations.bundles import read_bundle
from servanda.operations.centre import Centre
from servanda.operations.citing import cite_if_it_helps
from servanda.operations.delivery import Delivery
from servanda.operations.door import CentreDoor
from servanda.operations.errors import Conflict, LineDown
from servanda.operations.openings import OpeningLine
from servanda.operations.ports import Advance, Push, PushReply
from servanda.operations.receipts import receipt_name, receipted_size
from servanda.operations.sealing import opened_content
from servanda.proof.checkpoints import Checkpoint, parse_checkpoint
from servanda.proof.notes import KIND_COSIGNATURE, KIND_MLDSA44, parse_note, parse_signature_lines
from tests.faults.mortal import Death, Fate, MortalStore, mortal_file
from tests.rig.ledger import brought_in, payload_of
from tests.rig.packs import lake
from tests.rig.pushing import catch_up_with, countersigned, push_all
from tests.rig.replica import documents, leaves_of, prepared, rebuilt, remembered
from tests.rig.world import accounts

PARTIES = ("ash", "birch", "cedar")
PACK = lake(PARTIES)
OFFICERS = {"desk": ("author",), "chief": ("author", "release"), "duty": ("watch",)}
NO_COST = Cost(8, 1, 1)
PASS, ROOT_PASS = "pass", "root"
KINDS = {KIND_COSIGNATURE: "ed25519", KIND_MLDSA44: "mldsa44"}
T = TypeVar("T")


def found_homes(folder: Path) -> dict[str, str]:
    """The homes of all parties in `folder`; their fingerprints."""
    return {
        party: found_centre(Founding(folder / party, PACK, party, PASS, ROOT_PASS, OFFICERS, cost=NO_COST))
        for party in PARTIES
    }


@contextmanager
def quick_and_mortal(fate: Fate) -> Iterator[None]:
    """Stations die when `fate` says so, and remember what they have parsed and verified once: all of it is pure."""
    with ExitStack() as stack:
        for module, name, value in (
            (founding, "SqliteStore", lambda path: MortalStore(path, fate)),
            (opened, "SqliteStore", lambda path: MortalStore(path, fate)),
            (keyfile, "replace_file", mortal_file(fate, replace_file)),
            (founding, "replace_file", mortal_file(fate, replace_file)),
            (opened, "parse_pack", cache(parse_pack)),
            (centre_module, "parse_pack", cache(parse_pack)),
            (bundles, "parse_pack", cache(parse_pack)),
            (audit, "prepare", prepared),
            (centre_module, "prepare", prepared),
            (parallel, "signature_holds", remembered),
        ):
            stack.enter_context(mock.patch.object(module, name, value))
        yield


@dataclass
class Told:
    """Everything that has left a centre: from then on others may rest on it, whatever becomes of the centre."""

    leaves: dict[tuple[str, int], bytes] = field(default_factory=dict)
    roots: dict[tuple[str, int], bytes] = field(default_factory=dict)
    receipts: set[tuple[str, str, int, bytes]] = field(default_factory=set)

    def copy(self) -> Told:
        return Told(dict(self.leaves), dict(self.roots), set(self.receipts))

    def leaf(self, party: str, number: int, leaf: bytes) -> None:
        assert self.leaves.setdefault((party, number), leaf) == leaf, f"{party}/{number} is used twice"

    def note(self, data: bytes) -> None:
        checkpoint = parse_checkpoint(parse_note(data).text)
        key = (checkpoint.origin, checkpoint.size)
        assert self.roots.setdefault(key, checkpoint.root) == checkpoint.root, f"two roots are signed for {key}"

    def push(self, push: Push) -> None:
        self.note(push.checkpoint)
        for offset, leaf in enumerate(push.leaves):
            self.leaf(push.journal, push.first + offset, leaf)

    def receipt(self, journal: str, size: int, lines: bytes) -> None:
        for signature in parse_signature_lines(lines):
            if signature.name.endswith("/receipt"):
                by = signature.name.split("/")[-2]
                self.receipts.add((by, journal, size, signature.key_id + signature.signature))


class Harbour:
    """The stations of three parties, the line between them, and what was told over it."""

    def __init__(self, homes: Mapping[str, Path], told: Told, fingerprints: Mapping[str, str], fate: Fate) -> None:
        self.fate, self.fingerprints, self.told = fate, fingerprints, told.copy()
        self.stations: dict[str, Station] = {}
        self.deliveries: dict[str, Delivery] = {}
        for party, home in homes.items():
            self.open(party, fate.image(home))

    def open(self, party: str, home: Path) -> None:
        """A station is opened from a home."""
        station = Station(home, PASS)
        self.stations[party] = station
        others = [other for other in PARTIES if other != party]
        self.deliveries[party] = Delivery(station.centre, Wire(self, party), others)
        self.note_down(party)

    def note_down(self, party: str) -> None:
        """What the store of a party holds: it would be the first to be shown after a restart."""
        store = self.stations[party].store
        for journal, size in store.journals().items():
            self.told.note(store.checkpoint(journal) or b"")
            for number, leaf in enumerate(store.leaves(journal, 1, size), start=1):
                self.told.leaf(journal, number, leaf)

    def close(self) -> None:
        for station in self.stations.values():
            station.close()

    def restart(self, death: Death) -> None:
        """Open the party that has died again, from what it left, and see that nothing is lost on which others rest."""
        self.stations[death.party].close()
        self.fate.revived()
        self.open(death.party, death.image)
        self.check_kept(death.party)

    def centre(self, party: str) -> Centre:
        return self.stations[party].centre

    def door(self, party: str) -> CentreDoor:
        return CentreDoor(self.centre(party), lambda: None)

    def act(self, party: str, work: Callable[[], T], waiting: str = "us") -> T:
        """A request to the centre of a party; whoever asks gets the answer unless the centre dies first."""
        with self.fate.request(self.stations[party].home, waiting):
            return work()

    def run(self, step: Callable[[Harbour], None]) -> None:
        """Carry out a step; if a centre dies over it, open that centre again and carry it out once more."""
        while True:
            try:
                return step(self)
            except Death as death:
                self.restart(death)

    # What officers and operators do. Each may be repeated: it looks first what is there already.

    def ask(self, party: str, command: str, **arguments: Any) -> Any:
        return self.act(party, lambda: self.stations[party].handle({"command": command, **arguments}))

    def say(self, party: str, subject: str, form: str, content: dict[str, Any], **members: Any) -> str:
        """Draft, submit and release; after a death, go on where the desk shows it to be."""
        drafts = {d["draft"]["subject"]: d for d in self.ask(party, "drafts", all=True)}
        found = drafts.get(subject)
        if found is None:
            draft = {"format": form, "subject": subject, "event-at": "2014-01-10", "author": "desk", "content": content}
            draft |= {name.replace("_", "-"): value for name, value in members.items()}
            found = {"identifier": self.ask(party, "draft", draft=draft), "state": "draft"}
        identifier = found["identifier"]
        if found["state"] == "draft":
            self.ask(party, "submit", identifier=identifier)
        if found["state"] in ("draft", "submitted"):
            entry = self.ask(party, "release", identifier=identifier, officer="chief")["entry"]
            number = int(entry.partition("/")[2])
            self.told.leaf(party, number, self.stations[party].store.leaves(party, number, 1)[0])
        place = self.place(party, subject)
        assert place is not None, f"{subject} is {found['state']}, and no entry"
        return place

    def place(self, party: str, subject: str) -> str | None:
        """The entry of a party with this subject, as its own centre shows it."""
        centre = self.centre(party)
        entries = centre.speaking.journals[party].entries
        found = [str(e.place) for e in entries if e.frame is not None and e.frame.subject == subject]
        assert len(found) < 2, f"{subject} is said more than once"
        return found[0] if found else None

    def deliver(self, sender: str, receiver: str) -> None:
        """Push until the receiver has receipted everything, however often the line fails."""
        while receipted_size(self.centre(sender), receiver) < self.centre(sender).journal.size:
            with suppress(LineDown):
                delivery = self.deliveries[sender]
                self.act(sender, lambda delivery=delivery: push_all(delivery, receiver))  # type: ignore[misc]

    def catch_up(self, party: str, other: str) -> None:
        """Pull what is lacked, fetch packs, compare heads; once more if the line fails."""
        for _ in range(2):
            with suppress(LineDown):
                delivery = self.deliveries[party]
                return self.act(party, lambda delivery=delivery: catch_up_with(delivery, other))  # type: ignore[misc]
        return None

    def quantum(self, party: str, other: str) -> None:
        """Exchange the post-quantum signatures over everything."""
        while receipted_size(self.centre(party), other, KIND_MLDSA44) < self.centre(party).journal.size:
            self.deliver(party, other)
            delivery = self.deliveries[party]
            self.act(party, lambda delivery=delivery: countersigned(delivery, other))  # type: ignore[misc]

    def settle(self) -> None:
        """Deliver everything, and cite where it helps, until nothing moves."""
        while True:
            before = self.sizes()
            for party in PARTIES:
                for other in PARTIES:
                    if party != other:
                        self.deliver(party, other)
            for party in PARTIES:
                self.act(party, lambda party=party: cite_if_it_helps(self.centre(party)))  # type: ignore[misc]
            if self.sizes() == before:
                return

    def sizes(self) -> dict[str, dict[str, int]]:
        return {party: self.stations[party].store.journals() for party in PARTIES}

    def stick(self, party: str, other: str) -> None:
        """Carry a bundle by hand, with the openings."""
        data = self.ask(party, "export", purpose="courier", openings=True)
        for path, content in read_bundle(base64.b64decode(data)).files.items():
            if path.endswith("/checkpoint.txt"):
                self.told.note(content)
        self.ask(other, "import", data=data)

    # What must hold.

    def check_kept(self, party: str) -> None:
        """Nothing on which others rest is lost: its own entries that have left, and all that it has receipted."""
        centre, store = self.centre(party), self.stations[party].store
        kept = leaves_of(centre)
        for (journal, number), leaf in self.told.leaves.items():
            if journal == party:
                assert kept[party][number - 1 : number] == [leaf], f"{party}/{number} has left, and is lost"
        for by, journal, size, raw in self.told.receipts:
            if by == party:
                assert store.journals().get(journal, 0) >= size, f"{by} has receipted {journal} to {size}, and lost it"
                assert self._verifies(centre, by, journal, size, raw), f"a receipt by {by} on {journal} to {size}"

    def _verifies(self, centre: Centre, by: str, journal: str, size: int, raw: bytes) -> bool:
        """Whether a receipt is over the root of what is held now, under a key that its party has ever stated."""
        state, own = centre.record.journals[journal], centre.record.journals[by]
        checkpoint = Checkpoint(state.origin, size, state.tree.root(size))
        return any(
            receipt_time(checkpoint, receipt_name(centre, by), kind, getattr(identity.receipt, name), raw) is not None
            for identity in own.identities.up_to(own.size)
            for kind, name in KINDS.items()
        )

    def heal(self, party: str) -> None:
        """Everything goes on: who has died says one thing more, and everybody comes to hold everything."""
        if self.centre(party).record.in_force(self.centre(party).record.whole) is not None:
            self.say(party, "after it all", "note", {"text": "calm"})
        self.settle()
        for other in PARTIES:
            if party != other:
                self.catch_up(party, other)
                self.catch_up(other, party)
        self.settle()

    def check_desk(self, party: str) -> None:
        """A draft is released if and only if its entry is in the journal; whoever sealed a member can open it."""
        centre = self.centre(party)
        for draft in self.ask(party, "drafts", all=True):
            assert (draft["state"] == "released") == (self.place(party, draft["draft"]["subject"]) is not None), draft
        for entry in centre.journal.entries:
            assert entry.frame is None or "_sd" not in opened_content(centre, entry), f"{entry.place} cannot be opened"

    def check_agreed(self) -> None:
        """All hold the same journals, and derive the same registers, as does a reader who begins with nothing."""
        for party in PARTIES:
            self.note_down(party)
            self.check_kept(party)
            self.check_desk(party)
            centre, store = self.centre(party), self.stations[party].store
            assert audit_record(centre.record, store.leaves, store.checkpoint) == []
        centres = [self.centre(party) for party in PARTIES]
        leaves, shown = leaves_of(centres[0]), rebuilt(centres[0]).documents()
        for centre in centres:
            assert leaves_of(centre) == leaves, f"{centre.party} holds other journals"
            assert all(state.waiting == "" for state in centre.record.journals.values())
            assert all(entry.admissible for entry in centre.record.log), "what was released is inadmissible"
            assert documents(centre) == shown, f"{centre.party} shows other registers"
        subjects = [(p, payload_of(leaf)["subject"]) for p, held in leaves.items() for leaf in held]
        said = [subject for subject in subjects if subject[1]]
        assert len(said) == len(set(said)), "something was said twice"
        declared = brought_in(leaves, lambda party, number: False, {})
        assert sum(accounts(centres[0]).values()) == declared["g"], "something is counted twice, or lost"


class Wire:
    """The line as the centre of one party sees it: a call of the other's door, which may not come back."""

    def __init__(self, harbour: Harbour, me: str) -> None:
        self._harbour, self._me = harbour, me

    def _ask(self, party: str, question: Callable[[CentreDoor], T], hear: Callable[[T], None]) -> T:
        harbour = self._harbour
        door = harbour.door(party)
        before = len(harbour.fate.writes)
        try:
            answer = harbour.act(party, lambda: question(door), "them")
        except Death as death:
            harbour.restart(death)
            raise LineDown(f"{party} is gone") from death
        hear(answer)  # It has left: from here on it may be anywhere.
        if len(harbour.fate.writes) > before and harbour.fate.loses(len(harbour.fate.writes) - 1):
            raise LineDown("the answer is lost")
        try:
            harbour.act(party, door.judge, "them")
        except Death as death:
            harbour.restart(death)
        return answer

    def push(self, party: str, push: Push, by: str | None = None) -> PushReply:
        self._harbour.told.push(push)
        told = self._harbour.told

        def pushed(door: CentreDoor) -> PushReply:
            reply = door.push(self._me, push)
            door.judge()
            return reply

        return self._ask(
            party,
            pushed,
            lambda reply: told.receipt(push.journal, reply.size, reply.receipt),
        )

    def pull(self, party: str, journal: str, first: int, limit: int) -> Push:
        return self._ask(party, lambda door: door.pull(self._me, journal, first, limit), self._harbour.told.push)

    def checkpoint(self, party: str, journal: str) -> bytes:
        return self._ask(party, lambda door: door.checkpoint(self._me, journal), self._harbour.told.note)

    def consistency(self, party: str, journal: str, first: int, second: int) -> list[bytes]:
        return self._ask(party, lambda door: door.consistency(self._me, journal, first, second), lambda path: None)

    def advance(self, party: str, advance: Advance) -> bytes:
        return self._ask(party, lambda door: door.advance(self._me, advance), lambda receipt: None)

    def openings(self, party: str, openings: Sequence[OpeningLine]) -> frozenset[str]:
        return self._ask(party, lambda door: door.openings(self._me, openings), lambda held: None)

    def receipt(self, party: str, journal: str, note: bytes, by: str | None = None) -> bytes:
        self._harbour.told.note(note)
        size = parse_checkpoint(parse_note(note).text).size
        told = self._harbour.told
        return self._ask(
            party, lambda door: door.receipt(self._me, journal, note), lambda lines: told.receipt(journal, size, lines)
        )

    def pack(self, party: str, digest: str) -> bytes:
        return self._ask(party, lambda door: door.pack(self._me, digest), lambda text: None)


def expect_conflict(work: Callable[[], Any]) -> None:
    """What shows a second history is not taken."""
    try:
        work()
    except Conflict:
        return
    raise AssertionError("a second history was taken")
