# SPDX-License-Identifier: Apache-2.0
"""The record: the journals of one agreement, judged in any order in which each entry comes after its past.

Feed it leaves that lie under valid checkpoints; it says of each entry whether it is admissible, and keeps a log of
judged entries that the registers fold. It touches no store: `operations` hands it the bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from servanda.agreement.dates import instant_seconds
from servanda.agreement.pack import Pack
from servanda.journal.acceptance import (
    Inadmissible,
    Judged,
    Waiting,
    check_content,
    check_heads,
    check_pack,
    check_place,
    check_receipts,
    check_signatures,
)
from servanda.journal.acts import check_act
from servanda.journal.frame import Frame, Place
from servanda.journal.identity import Identity
from servanda.journal.state import CheckSignature, Entry, JournalState, Prepared, RecordState
from servanda.journal.threads import Offer

Verdict = tuple[Entry, Judged | None]
"""An entry as judged, and what its admission adds, if it is admissible."""


class Record(RecordState):
    """A growing record. `log` lists judged entries in the order in which they were judged."""

    def __init__(self, pack: Pack, check: CheckSignature, limits: Mapping[str, int] | None = None) -> None:
        """Start the record of the agreement whose first pack is `pack`.

        Args:
            pack: the first pack; its digest names the agreement.
            check: whether a signature verifies.
            limits: for journals with a proven fork, the number up to which entries have effect (spec/settlement.md).
        """
        super().__init__(agreement=pack.digest, check=check)
        self.log: list[Entry] = []
        self.limits = dict(limits or {})
        self.add_pack(pack)

    def add_pack(self, pack: Pack) -> None:
        """Hold a pack, and open a journal for each party that it names."""
        self.packs[pack.digest] = pack
        for party in pack.parties:
            self.journals.setdefault(party, JournalState(party, self.origin(party)))
        self.forget_force()

    def add_leaves(self, party: str, leaves: Iterable[Prepared]) -> None:
        """Hold more leaves of a journal, in order. Call `judge` afterwards."""
        journal = self.journals[party]
        for prepared in leaves:
            journal.tree.append(prepared.hash)
            journal.pending.append(prepared)
            stated = self._stated_identity(journal, journal.size, prepared)
            if stated is not None:
                journal.identities.add(stated)

    def centre_key(self, party: str, leaves: Sequence[Prepared]) -> bytes | None:
        """The Ed25519 key that signs the checkpoint of a journal once `leaves` are added; nothing is changed.

        None if the journal would have no identity.
        """
        journal = self.journals[party]
        identity = journal.identities.latest
        for offset, prepared in enumerate(leaves):
            if prepared.frame is not None and prepared.frame.format == "identity":
                probe = JournalState(party, journal.origin, tree=journal.tree)
                for known in journal.identities.up_to(journal.size):
                    probe.identities.add(known)
                if identity is not None and identity.number > journal.size:
                    probe.identities.add(identity)
                identity = self._stated_identity(probe, journal.size + offset + 1, prepared) or identity
        return identity.centre.ed25519 if identity else None

    def _stated_identity(self, journal: JournalState, number: int, prepared: Prepared) -> Identity | None:
        """The identity that a leaf states; it rests on nothing but those before it (spec/identity.md)."""
        frame = prepared.frame
        if frame is None or frame.format != "identity":
            return None
        try:
            check_place(self, journal, number, frame)
            return check_signatures(self, journal, number, prepared)
        except Inadmissible:
            return None  # the verdict is given, with its reason, when the entry is judged

    def judge(self) -> list[Entry]:
        """Judge everything that can be judged; returns the newly judged entries in the order they were judged."""
        before = len(self.log)
        moved = True
        while moved:
            moved = False
            for party in sorted(self.journals):
                while self._judge_next(self.journals[party]):
                    moved = True
        return self.log[before:]

    def candidate(self, party: str, prepared: Prepared) -> Verdict:
        """Judge a leaf as if it came next in a journal; nothing is changed.

        Raises:
            Waiting: what it needs is not held.
        """
        journal = self.journals[party]
        return self._verdict(journal, len(journal.entries) + 1, prepared)

    def add_judged(self, party: str, prepared: Prepared, verdict: Verdict) -> None:
        """Hold a leaf whose verdict `candidate` has just given: nothing has been added since, nothing is pending."""
        journal = self.journals[party]
        assert not journal.pending
        assert verdict[0].place.number == journal.size + 1 == len(journal.entries) + 1
        self.add_leaves(party, [prepared])
        journal.pending.clear()
        self._admit(journal, *verdict)

    def _judge_next(self, journal: JournalState) -> bool:
        if not journal.pending:
            return False
        number = len(journal.entries) + 1
        if number > self.limits.get(journal.party, number):
            journal.waiting = "suspended: a fork of this journal is proven"
            return False
        try:
            entry, judged = self._verdict(journal, number, journal.pending[0])
        except Waiting as waiting:
            journal.waiting = str(waiting)
            return False
        journal.waiting = ""
        journal.pending.popleft()
        self._admit(journal, entry, judged)
        return True

    def _admit(self, journal: JournalState, entry: Entry, judged: Judged | None) -> None:
        journal.entries.append(entry)
        if entry.admissible and judged is not None and entry.frame is not None:
            self._enter(journal, entry, entry.frame, judged)
        self.log.append(entry)

    def _verdict(self, journal: JournalState, number: int, prepared: Prepared) -> Verdict:
        place = Place(journal.party, number)
        heads: Mapping[str, int] = journal.heads_after(number - 1)
        if prepared.code is not None or prepared.frame is None:
            code, reason = prepared.code, prepared.reason
            return Entry(place, prepared.leaf, prepared.hash, prepared.frame, code, reason, heads), None
        frame, judged = prepared.frame, None
        code, reason = None, ""
        try:
            check_place(self, journal, number, frame)
            check_signatures(self, journal, number, prepared)
            heads = check_heads(self, journal, number, frame)
            check_receipts(self, journal, number, frame, heads)
            cut = {**heads, journal.party: number - 1}
            pack, form = check_pack(self, frame, cut)
            check_content(frame, form)
            check_act(self, journal, frame, form, pack, cut)
            judged = Judged(cut, form)
        except Inadmissible as error:
            code, reason = error.code, str(error)
        return Entry(place, prepared.leaf, prepared.hash, frame, code, reason, heads), judged

    def _enter(self, journal: JournalState, entry: Entry, frame: Frame, judged: Judged) -> None:
        """Derive what an admissible entry adds to the questions that later rules ask."""
        place = entry.place
        for receipt in frame.receipts:
            journal.cited[receipt.by] = receipt.size
            released = instant_seconds(frame.released_at)
            self.attestations.cite(place, receipt.by, receipt.size, receipt.timestamp, released)
        if frame.act == "offer":
            thread = frame.thread.place if frame.thread else place
            form, named = judged.form, frame.named or ()
            witnesses = frozenset(form.witnesses).intersection(named)
            self.threads.add(Offer(place, thread, named, judged.cut, form.key, witnesses, form.quorum))
        elif frame.format == "adopt" and judged.form.built_in:
            journal.adoptions.append((place.number, frame.content["pack"]))
            self.forget_force()
        elif judged.form.built_in and frame.format in ("accept", "refuse", "condition", "lapse"):
            self._enter_answer(journal, place, frame)

    def _enter_answer(self, journal: JournalState, place: Place, frame: Frame) -> None:
        target = frame.refers_to[0].place
        if frame.format == "condition":
            self.threads.decide(target, place, confirmed=frame.content["outcome"] == "confirmed")
            return
        offer = self.threads.offers[target]
        if frame.format == "lapse":
            offer.lapses[place.party] = place
            return
        journal.answered.add(target)
        if frame.format == "refuse":
            offer.refusals[place.party] = place
        else:
            condition = frame.content["condition"]
            self.threads.accept(offer, place, condition["confirmer"] if condition else None)

    def identity_for_size(self, party: str, size: int) -> Identity | None:
        """The identity whose centre key signs the checkpoint of `size`."""
        return self.journals[party].identities.for_size(size)
