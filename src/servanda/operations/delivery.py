# SPDX-License-Identifier: Apache-2.0
"""Delivery: each counterpart has a thread that pushes what it has not receipted, and catches up on what we lack.

Nothing is dropped: whatever a counterpart has not receipted is pushed again, after a pause that grows while its line is
down and ends as soon as anything is heard from it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from servanda.operations.advancing import Ahead
from servanda.operations.bundles import take_pack
from servanda.operations.centre import Centre
from servanda.operations.citing import cite_if_it_helps
from servanda.operations.comparing import exchange_heads
from servanda.operations.errors import Conflict, Refusal, ServandaError, TryLater
from servanda.operations.handing import Hander
from servanda.operations.ports import Courier, Push
from servanda.operations.receipts import receipted_size, take_receipts
from servanda.operations.receiving import BYTES_MAX, LEAVES_MAX, receive
from servanda.proof.notes import KIND_MLDSA44

PAUSE_SECONDS_MIN = 0.2
PAUSE_SECONDS_MAX = 30.0
QUIET_SECONDS = 0.5
CATCH_UP_SECONDS = 10.0
CITE_AFTER_SECONDS = 0.005
"""Pushes and receipts go first: a citation is never urgent, and one may serve for several changes."""
log = logging.getLogger(__name__)


class LineState:
    """What the delivery thread of one counterpart knows; read by the watch."""

    def __init__(self) -> None:
        self.up = False
        self.trouble = "not yet tried"
        self.wake = threading.Event()


class Delivery:
    """Delivery to all counterparts of a centre."""

    def __init__(self, centre: Centre, courier: Courier, parties: Sequence[str]) -> None:
        """Prepare delivery to `parties`; `start` begins it."""
        self._centre = centre
        self._courier = courier
        self._ahead = Ahead(centre, courier)
        self._hander = Hander(centre, courier)
        self._stopping = threading.Event()
        self._changed = threading.Event()
        self.on_receipt: Callable[[str, int], None] | None = None
        """Called with party and size when a receipt on our journal has been verified and kept."""
        self.lines = {party: LineState() for party in parties}
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin: one thread for each counterpart, and one that cites."""
        self._begin("citations", self._cite)
        for party in self.lines:
            self._begin(f"line-{party}", partial(self._run, party))

    def add(self, party: str) -> None:
        """Begin delivery to one more counterpart."""
        if party not in self.lines:
            self.lines[party] = LineState()
            self._begin(f"line-{party}", partial(self._run, party))

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """End all threads; what is undelivered stays so and goes out at the next start."""
        self._stopping.set()
        self._changed.set()
        for line in self.lines.values():
            line.wake.set()
        for thread in self._threads:
            thread.join(timeout=15)

    def released(self) -> None:
        """Our journal has grown: every line has something to push. Returns at once."""
        for line in self.lines.values():
            line.wake.set()
        self._changed.set()

    def received(self) -> None:
        """Entries or receipts have come in: perhaps a citation helps. Returns at once."""
        self._changed.set()

    def _cite(self) -> None:
        while True:
            self._changed.wait()
            if self._stopping.wait(CITE_AFTER_SECONDS):
                return
            self._changed.clear()
            try:
                with self._centre.lock:
                    cited = cite_if_it_helps(self._centre)
            except ServandaError as error:
                log.warning("no citation now: %s", error)
                continue
            if cited is not None:
                self.released()

    def _run(self, party: str) -> None:
        line, pause, due = self.lines[party], PAUSE_SECONDS_MIN, 0.0
        while not self._stopping.is_set():
            line.wake.clear()
            try:
                self._push_all(party)
                if due <= 0:
                    self._catch_up(party)
                    due = CATCH_UP_SECONDS
                line.up, line.trouble, pause = True, "", PAUSE_SECONDS_MIN
            except TryLater as error:
                line.up, line.trouble = False, str(error)
                line.wake.wait(pause)
                pause, due = min(pause * 2, PAUSE_SECONDS_MAX), 0.0
                continue
            except ServandaError as error:
                line.trouble = f"{error.code}: {error}"
                log.error("line to %s: %s", party, error)
                self._stopping.wait(PAUSE_SECONDS_MAX / 10)
                due -= PAUSE_SECONDS_MAX / 10
                continue
            if not line.wake.wait(QUIET_SECONDS):
                due -= QUIET_SECONDS
                self._quantum(party)

    def compare_all(self) -> None:
        """Compare heads with every counterpart that answers now; so a dossier has the newest receipts of all."""
        for party in self.lines:
            with suppress(TryLater):
                exchange_heads(self._centre, self._courier, party)

    def _push_all(self, party: str) -> None:
        while not self._stopping.is_set():
            with self._centre.lock:
                push = self.next_push(party)
            if push is None:
                self._hander.hand(party)
                return
            self._ahead.send(party, push)
            reply = self._courier.push(party, push)
            with self._centre.lock:
                kept = take_receipts(self._centre, self._centre.party, party, reply.size, reply.receipt)
            if not kept:
                return  # its identity is not held yet: the receipt cannot be judged, catch up first
            if self.on_receipt is not None:
                self.on_receipt(party, reply.size)
            self.received()

    def next_push(self, party: str) -> Push | None:
        """What `party` has not receipted of our journal, within the limits of one push; None if nothing."""
        centre = self._centre
        first = receipted_size(centre, party) + 1
        if first > centre.journal.size:
            return None
        leaves = centre.store.leaves(centre.party, first, LEAVES_MAX)
        while sum(map(len, leaves)) > BYTES_MAX:
            leaves.pop()
        return Push(centre.party, first, tuple(leaves), centre.note_at(first + len(leaves) - 1))

    def _catch_up(self, party: str) -> None:
        """Pull what we lack of the party's journal, and from it whatever its entries wait for."""
        wanted = [party]
        with self._centre.lock:
            state = self._centre.record.journals[party]
            if state.pending:
                wanted += [other for other in self._centre.record.journals if other not in (party, self._centre.party)]
        self._fetch_packs(party)
        for journal in wanted:
            self._pull(party, journal)
        exchange_heads(self._centre, self._courier, party)
        self._hander.hand(party, again=True)

    def _fetch_packs(self, party: str) -> None:
        """An entry that adopts a pack which we lack waits for it: whoever adopted it has it."""
        for state in self._centre.record.journals.values():
            frame = state.pending[0].frame if state.pending else None
            digest = str(frame.content.get("pack")) if frame is not None and frame.format == "adopt" else ""
            if not digest or digest in self._centre.record.packs:
                continue
            try:
                text = self._courier.pack(party, digest)
                with self._centre.lock:
                    take_pack(self._centre, text)
            except Refusal as error:
                log.warning("pack %s from %s: %s", digest[:12], party, error)

    def _pull(self, party: str, journal: str) -> None:
        while True:
            with self._centre.lock:
                first = self._centre.record.journals[journal].size + 1
            if first == 1:
                return  # a party that has not been met: entry 1 is taken from its card alone
            try:
                push = self._courier.pull(party, journal, first, LEAVES_MAX)
            except Refusal:
                return  # that centre holds no more of it than we do
            if not push.leaves:
                return
            with self._centre.lock:
                try:
                    judged = receive(self._centre, push, None, limits=False).judged
                except Conflict as conflict:
                    log.error("%s as %s has it: %s", journal, party, conflict)
                    return
            if judged:
                self.received()

    def _quantum(self, party: str) -> None:
        """The line is quiet: exchange the post-quantum signatures over everything since the last time."""
        centre = self._centre
        with centre.lock:
            size = centre.journal.size
            if receipted_size(centre, party) < size or receipted_size(centre, party, KIND_MLDSA44) >= size:
                return
            note = centre.note_at(size, quantum=True)
        try:
            lines = self._courier.receipt(party, centre.party, note)
        except ServandaError as error:
            self.lines[party].trouble = str(error)
            return
        with centre.lock:
            take_receipts(centre, centre.party, party, size, lines)
