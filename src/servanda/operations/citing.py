# SPDX-License-Identifier: Apache-2.0
"""Citations: the centre puts receipts into the record when that helps.

They help an offer to be settled (spec/settlement.md), or date the provision of a question whose clock runs
(spec/alerts.md, Clocks).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence

from servanda.agreement.dates import instant_seconds
from servanda.journal.frame import CitedReceipt, Place
from servanda.journal.state import Entry
from servanda.journal.threads import Offer
from servanda.operations.centre import Centre
from servanda.operations.drafting import Draft, send_alone
from servanda.operations.errors import ServandaError
from servanda.operations.receipts import citable
from servanda.registers.alerts.clocks import clocks_of

REST_SECONDS = 1
"""How long our journal must have been at rest, by the centre's clock, before receipts are cited for their dates."""

LINK_FORMATS = frozenset({"link-test", "link-answer"})

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
    return _cite(centre)


def cite_provision(centre: Centre) -> Entry | None:
    """Release a citation if receipts that we hold and have not cited date the provision of a question of ours.

    Its clock starts at the receipt, but only once that is cited. The next entry cites by itself: so it is waited until
    our journal has been at rest for a second, and a burst of alerts calls for one citation, not for one each.

    Returns:
        The citation, or None if none was called for, or not yet.
    """
    if not centre.alerts.clocked.get(centre.party) or not at_rest(centre):
        return None
    receipts = citable(centre)
    if not any(_dates(centre, receipt) for receipt in receipts):
        return None
    return _cite(centre)


def at_rest(centre: Centre) -> bool:
    """Whether our journal has not grown within the last second."""
    latest = centre.journal.entries[-1].frame if centre.journal.entries else None
    since = instant_seconds(centre.clock()) - (instant_seconds(latest.released_at) if latest else 0)
    return not 0 <= since < REST_SECONDS


def _dates(centre: Centre, receipt: CitedReceipt) -> bool:
    """Whether a receipt covers a question of ours to its party, or an assessment of one, that no cited receipt does."""
    cited = centre.speaking.journals[centre.party].cited.get(receipt.by, 0)
    for _, place in centre.alerts.clocked_between(centre.party, cited, receipt.size):
        question = centre.alerts.questions[place]
        clocks = clocks_of(centre.alerts, question)
        if any(clock.party == receipt.by and clock.stopped is None for clock in clocks):
            return True
    return False


def _cite(centre: Centre) -> Entry:
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
    """The status of our latest entry under the pack: a citation belongs to the same traffic.

    Link tests and their answers belong to none: they are marked as tests while everything else is actual.
    """
    for entry in reversed(centre.journal.entries):
        if entry.frame is not None and entry.frame.pack is not None and entry.frame.format not in LINK_FORMATS:
            return entry.frame.status, entry.frame.exercise_at
    return "actual", None
