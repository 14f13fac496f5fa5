# SPDX-License-Identifier: Apache-2.0
"""Citations: the centre puts receipts into the record when that helps an offer to be settled (spec/settlement.md)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence

from servanda.journal.frame import CitedReceipt, Place
from servanda.journal.state import Entry
from servanda.journal.threads import Offer
from servanda.operations.centre import Centre
from servanda.operations.drafting import Draft, send_alone
from servanda.operations.errors import ServandaError
from servanda.operations.receipts import citable

CITE_AFTER_SECONDS = 0.005
"""Pushes and receipts go first: a citation is never urgent, and one may serve for several changes."""

log = logging.getLogger(__name__)


class Citations:
    """A thread that cites when something has changed and that helps."""

    def __init__(self, centre: Centre, on_cited: Callable[[], None]) -> None:
        """Prepare; `on_cited` is called, without the centre's lock, when a citation has been released."""
        self._centre = centre
        self._on_cited = on_cited
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="citations", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def changed(self) -> None:
        """Entries or receipts have come in or gone out. Returns at once."""
        self._changed.set()

    def stop(self) -> None:
        """End after what is under way."""
        self._stopping.set()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join(timeout=15)

    def _run(self) -> None:
        while True:
            self._changed.wait()
            self._stopping.wait(CITE_AFTER_SECONDS)
            self._changed.clear()
            if self._stopping.is_set():  # after the clearing: `stop` sets that first, and then wakes
                return
            try:
                with self._centre.lock:
                    cited = cite_if_it_helps(self._centre)
            except ServandaError as error:
                log.warning("no citation now: %s", error)
                continue
            except Exception:
                log.exception("no citation now: our bug")
                continue
            if cited is not None:
                self._on_cited()


def cite_if_it_helps(centre: Centre) -> Entry | None:
    """Release a citation if receipts that we hold and have not cited complete a quorum over something of ours.

    Returns:
        The citation, or None if none was called for.
    """
    receipts = citable(centre)
    if not any(_completes(centre, offer, place, receipts) for offer, place in _ours(centre)) and not _uncovered(centre):
        return None
    status, clock = _status(centre)
    draft = Draft(
        format="citation",
        subject="",
        event_at=centre.clock()[:10],
        author="centre",
        status=status,
        exercise_at=clock,
    )
    return send_alone(centre, draft)


def _ours(centre: Centre) -> Iterator[tuple[Offer, Place]]:
    """Our open offers and our acceptances of open ones, with the place that needs attesting."""
    record = centre.record
    for offer in record.threads.offers.values():
        if record.threads.refused(offer, record.whole) or record.threads.crossed(offer, record.whole):
            continue
        acceptance = offer.acceptances.get(centre.party)
        place = offer.place if offer.author == centre.party else acceptance.place if acceptance else None
        if place is not None and not record.settled(offer, record.whole):
            yield offer, place


def _completes(centre: Centre, offer: Offer, place: Place, receipts: Sequence[CitedReceipt]) -> bool:
    record = centre.record
    others = set(record.judged_pack(offer).parties) - offer.signatories
    quorum = record.judged_pack(offer).quorum(len(others))
    number = len(centre.journal.entries)
    cited = {by for by in others if record.attestations.newest(centre.party, by, number) >= place.number}
    held = {receipt.by for receipt in receipts if receipt.by in others and receipt.size >= place.number}
    return len(cited) < quorum <= len(cited | held)


def _uncovered(centre: Centre) -> bool:
    """Whether, where offers may lapse, we hold an acceptance that no entry of ours covers yet."""
    record = centre.record
    covered = centre.journal.heads_after(len(centre.journal.entries))
    return any(
        acceptance.place.number > covered.get(acceptance.place.party, 0)
        for offer in record.threads.offers.values()
        if centre.party not in offer.signatories and record.judged_pack(offer).lapses
        for acceptance in offer.acceptances.values()
    )


def _status(centre: Centre) -> tuple[str, str | None]:
    """The status of our latest entry under the pack: a citation belongs to the same traffic."""
    for entry in reversed(centre.journal.entries):
        if entry.frame is not None and entry.frame.pack is not None:
            return entry.frame.status, entry.frame.exercise_at
    return "actual", None
