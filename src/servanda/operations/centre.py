# SPDX-License-Identifier: Apache-2.0
"""One party's centre: its record, its registers, its keys, and the one place where its own journal grows.

A centre is used by one caller at a time; whoever shares it holds `lock`. Nothing in memory changes before the store has
committed, so a failed write leaves the old state whole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from servanda.agreement.dates import instant_seconds
from servanda.agreement.pack import Pack, parse_pack
from servanda.journal.acceptance import prepare
from servanda.journal.frame import Frame
from servanda.journal.record import Record, Verdict
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry, JournalState, Prepared
from servanda.line.contacts import ContactsBook
from servanda.line.link_tests import LinkTests
from servanda.line.regimes import Regimes
from servanda.line.watch import LineNews
from servanda.operations.errors import Refusal, Stopped, StoreDamaged
from servanda.operations.limits import fork_limits
from servanda.operations.parallel import Checker, judge_on_all_cores
from servanda.operations.ports import Clock, Signer, Store, StoredAdvance, StoredDraft, StoredHanding
from servanda.proof.checkpoints import Checkpoint, CheckpointError, parse_checkpoint, sign_checkpoint
from servanda.proof.cosignatures import cosign
from servanda.proof.notes import KIND_MLDSA44, Note, NoteError, parse_note
from servanda.registers.agreements.fold import AgreementsRegister
from servanda.registers.alerts.fold import AlertsRegister
from servanda.registers.alerts.schedule import Schedule
from servanda.registers.books.fold import BooksRegister
from servanda.registers.commitments.fold import CommitmentsRegister
from servanda.registers.custody.fold import CustodyRegister
from servanda.registers.dialogue.fold import DialogueRegister
from servanda.registers.discrepancies.fold import DiscrepanciesRegister
from servanda.registers.handovers.fold import HandoversRegister
from servanda.registers.inspections.fold import InspectionsRegister
from servanda.registers.obligations.fold import ObligationsRegister
from servanda.registers.seals.fold import SealsRegister
from servanda.registers.sites.fold import SitesRegister

LOAD_AT_ONCE = 1000
EXERCISE_EXEMPT = frozenset({"identity", "adopt", "branch", "citation", "link-answer"})
"""What a centre on an exercise clock may still release as actual: what it says is not about the time."""


class Signers(NamedTuple):
    """The keys that a centre signs with. Root keys are kept offline and come in only where they are needed."""

    centre: Signer
    centre_mldsa44: Signer
    receipt: Signer
    receipt_mldsa44: Signer
    officers: Mapping[str, Signer]


class Fold(Protocol):
    """A register, or a part of the line, that says before release what would have no effect there."""

    def catch_up(self) -> None:
        """Fold what the record has judged since."""

    def check(self, entry: Entry) -> Refused | None:
        """Why an admissible entry would have no effect, or None."""


class Centre:
    """A centre that has been opened: everything in its store is judged and folded."""

    def __init__(self, party: str, pack: Pack, store: Store, signers: Signers, clock: Clock) -> None:
        """Open a centre from its store.

        Raises:
            Refusal: `party` is not a party of the pack.
            StoreDamaged: what the store holds does not hang together.
        """
        if party not in pack.parties:
            raise Refusal(
                f"{party} is not a party of {pack.data['id']}; parties are {', '.join(pack.parties)}", "party"
            )
        self.party = party
        self.pack = pack
        self.store = store
        self.signers = signers
        self.clock = clock
        self.exercising = False
        """Whether the clock is that of an exercise: then nothing is released as actual (`EXERCISE_EXEMPT`)."""
        self.lock = threading.RLock()
        self.checker = Checker()
        self.line_news: Callable[[], Mapping[str, LineNews]] = dict
        """What delivery says of each line; nothing while the centre is off duty."""
        self.reload()

    def reload(self) -> None:
        """Throw away everything derived and rebuild it from the store (also after a fork has been proven)."""
        self.forks = self.store.forks()
        self._newest = (0, b"")
        self.record = self._whole = self._load({})
        limits = fork_limits(self.record, self.forks)
        if limits:
            self.record = self._load(limits)
        self.custody = CustodyRegister(self.record)
        self.obligations = ObligationsRegister(self.record)
        self.alerts = AlertsRegister(self.record)
        self.link_tests = LinkTests(self.record)
        self.regimes = Regimes(self.record)
        self.contacts = ContactsBook(self.record)
        self.discrepancies = DiscrepanciesRegister(self.record)
        self.handovers = HandoversRegister(self.record)
        self.seals = SealsRegister(self.record)
        self.sites = SitesRegister(self.record)
        self.books = BooksRegister(self.record)
        self.dialogue = DialogueRegister(self.record)
        self.agreements = AgreementsRegister(self.record)
        self.commitments = CommitmentsRegister(self.record)
        self.inspections = InspectionsRegister(self.record)
        self.checked: tuple[tuple[str, Fold], ...] = (
            *(("link", self.link_tests), ("regime", self.regimes), ("discrepancy", self.discrepancies)),
            *(("handovers", self.handovers), ("sites", self.sites), ("books", self.books)),
            *(("dialogue", self.dialogue), ("agreement", self.agreements), ("commitments", self.commitments)),
            ("inspections", self.inspections),
        )
        """What says before release that an entry would have no effect, by the first word of its codes."""
        self._fold()
        self.schedule = Schedule(self.alerts, self.party)

    def _fold(self) -> None:
        for register in (self.custody, self.obligations, self.alerts, self.contacts, self.seals):
            register.catch_up()
        for _, fold in self.checked:
            fold.catch_up()

    def _load(self, limits: Mapping[str, int]) -> Record:
        record = Record(self.pack, self.checker, limits)
        packs = {digest: parse_pack(text) for digest, text in self.store.packs().items()}
        for digest in sorted(packs):
            record.add_pack(packs[digest])
        for journal, size in self.store.journals().items():
            if journal not in record.journals:
                raise StoreDamaged(f"the store holds a journal of {journal}, which is no party; restore from a bundle")
            for first in range(1, size + 1, LOAD_AT_ONCE):
                record.add_leaves(journal, [prepare(leaf) for leaf in self.store.leaves(journal, first, LOAD_AT_ONCE)])
            if record.journals[journal].size != size:
                raise StoreDamaged(f"the journal of {journal} has gaps; restore it from a bundle")
            self._check_root(record, journal)
        judge_on_all_cores(record)
        return record

    def _check_root(self, record: Record, journal: str) -> None:
        """What was read must have the root that was signed: a rotted byte shows here, before anything rests on it."""
        note = self.store.checkpoint(journal)
        tree = record.journals[journal].tree
        try:
            kept = parse_checkpoint(parse_note(note or b"").text)
        except (NoteError, CheckpointError) as error:
            raise StoreDamaged(f"the checkpoint of {journal} in the store cannot be read: {error}") from error
        if kept.size != tree.size or kept.root != tree.root():
            raise StoreDamaged(f"the journal of {journal} in the store is not that of its checkpoint at {kept.size}")

    @property
    def journal(self) -> JournalState:
        """This party's own journal."""
        return self.record.journals[self.party]

    @property
    def advances(self) -> list[StoredAdvance]:
        """Entries of counterparts that are held ahead of their places: they ring, and have no effect yet."""
        return [held for party in sorted(self.record.journals) for held in self.store.advances(party)]

    @property
    def speaking(self) -> Record:
        """The record that our next entry rests on.

        A proven fork of our own journal does not keep us from writing in it: whoever holds the proof shows what we
        write as suspended, until it is upheld or the branch is named.
        """
        return self._whole if self.party in self.record.limits else self.record

    def note_at(self, size: int, *, quantum: bool = False) -> bytes:
        """The signed checkpoint of our own journal at `size`; with the ML-DSA-44 signature if `quantum`.

        The root for a size never changes, so signing twice is harmless. Below the entry that states today's key the
        note is the one that was signed then: a key says nothing of what came before it.
        """
        if self._newest[0] == size and not quantum:
            return self._newest[1]
        if size < self.journal.identities.key_since() and not quantum:
            kept = self.store.checkpoint(self.party, size)
            if kept is not None:
                return kept
        checkpoint = Checkpoint(self.journal.origin, size, self.journal.tree.root(size))
        signatures = [sign_checkpoint(checkpoint, self.signers.centre.sign, self.signers.centre.public)]
        if quantum:
            signatures.append(
                cosign(
                    checkpoint,
                    name=checkpoint.origin,
                    kind=KIND_MLDSA44,
                    timestamp=instant_seconds(self.clock()),
                    sign=self.signers.centre_mldsa44.sign,
                    public=self.signers.centre_mldsa44.public,
                )
            )
        return Note(checkpoint.text(), tuple(signatures)).encode()

    def commit(
        self,
        leaf: bytes,
        drafts: Sequence[StoredDraft] = (),
        openings: Sequence[str] = (),
        open_to: Sequence[str] = (),
    ) -> Entry:
        """Append a leaf to our own journal: the only way in which it grows.

        Args:
            leaf: the envelope.
            drafts: drafts that change their state with it.
            openings: of its sealed members.
            open_to: parties to which the openings are to be handed.

        Raises:
            Refusal: the leaf would be inadmissible, or its posting refused; nothing has changed.
            HeadMoved: another instance of this centre has written.
            StoreFull: no space; nothing has changed.
        """
        prepared = prepare(leaf)
        verdict = self._admissible(prepared)
        number = self.journal.size + 1
        nodes, root = self.journal.tree.extended([prepared.hash])
        checkpoint = Checkpoint(self.journal.origin, number, root)
        signer = self.record.centre_key(self.party, [prepared])
        if signer != self.signers.centre.public:
            raise Stopped(
                "the centre's key is not the one that its identity states; open the right keyring", "wrong-key"
            )
        with self.store.transaction() as writer:
            # The store refuses a number that it holds already: so no second root of one size is ever signed over it.
            writer.append(self.party, number, [leaf], nodes, self.clock())
            signature = sign_checkpoint(checkpoint, self.signers.centre.sign, self.signers.centre.public)
            note = Note(checkpoint.text(), (signature,)).encode()
            writer.put_checkpoint(self.party, number, note)
            for draft in drafts:
                writer.put_draft(draft)
            for opening in openings:
                writer.put_opening(self.party, number, opening)
                for party in open_to:
                    writer.put_handing(StoredHanding(number, party, opening, ""))
        # Commit point: from here on the entry is released. What follows only brings memory up to date.
        self._newest = (number, note)
        if self.forks or self.journal.pending:
            self.absorb(self.party, [prepared])
        else:
            self.record.add_judged(self.party, prepared, verdict)
            self.absorb(self.party, [])
        return self.record.entry(verdict[0].place) or verdict[0]

    def _admissible(self, prepared: Prepared) -> Verdict:
        verdict = self.speaking.candidate(self.party, prepared)
        entry = verdict[0]
        if not entry.admissible:
            raise Refusal(entry.reason, entry.code)
        if entry.frame is not None:
            self._check_clock(entry.frame)
            refused = self.custody.check(entry)
            if refused is not None:
                raise Refusal(f"custody refuses the posting: {refused.told}", f"posting/{refused.reason}")
            unfit = self.alerts.check(entry)
            if unfit is not None:
                raise Refusal(str(unfit), f"alerts/{unfit.reason}")
            for name, fold in self.checked:
                vain = fold.check(entry)
                if vain is not None:
                    raise Refusal(str(vain), f"{name}/{vain.reason}")
        return verdict

    def _check_clock(self, frame: Frame) -> None:
        if self.exercising and frame.status == "actual" and frame.format not in EXERCISE_EXEMPT:
            raise Refusal(
                f"this centre is on duty with an exercise clock: {frame.format} is released as exercise or test only",
                "exercise-clock",
            )

    def hold_pack(self, pack: Pack) -> None:
        """Hold a pack that the store has committed; judge and fold what waited for it."""
        self.record.add_pack(pack)
        if self._whole is not self.record:
            self._whole.add_pack(pack)
        self.absorb(self.party, [])

    def absorb(self, journal: str, leaves: Sequence[Prepared]) -> list[Entry]:
        """Judge and fold leaves that the store has committed; returns the newly judged entries."""
        self.hold(journal, leaves)
        return self.judge()

    def hold(self, journal: str, leaves: Sequence[Prepared]) -> None:
        """Hold leaves that the store has committed; until `judge` they are pending, like leaves that wait."""
        self.record.add_leaves(journal, leaves)
        if self._whole is not self.record:
            self._whole.add_leaves(journal, leaves)

    def judge(self) -> list[Entry]:
        """Judge and fold what is held and can be judged; returns the newly judged entries."""
        judged = judge_on_all_cores(self.record)
        if self.forks:
            judged += self._look_at_forks()
        self._fold()
        return judged

    def _look_at_forks(self) -> list[Entry]:
        """What arrives may uphold more of a forked journal, or name its branch: then everything is derived anew."""
        if self._whole is not self.record:
            self._whole.judge()
        if fork_limits(self._whole, self.forks) == self.record.limits:
            return []
        known = {entry.place for entry in self.record.log}
        self.reload()
        return [entry for entry in self.record.log if entry.place not in known]
