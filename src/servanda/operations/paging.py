# SPDX-License-Identifier: Apache-2.0
"""Paging: who must come to the centre is told that something waits there, and nothing else.

What calls for a page follows from the record: an escalation entry of ours that names a contact, and an alert or inquiry
of high precedence that came in and that nobody here has opened. The queue is kept in the store until the page has gone
out, so a crash may page twice and never not at all. Reasons that come together share one page.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from servanda.journal.state import Entry
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal, ServandaError

AT_ARRIVAL = frozenset({"flash", "immediate"})
"""Precedences that page when a question comes in; the others page when a reminder or an escalation falls due."""
PRECEDENCES = ("routine", "priority", "immediate", "flash")
RETRY_SECONDS_MIN, RETRY_SECONDS_MAX = 5.0, 300.0
SAME_CONTACT_SECONDS = 10.0
"""How long after a page to a contact the next one waits, unless it is of higher precedence."""
SETTING = "paging"
NOBODY = "nobody"
"""Whom a page is for if there is neither an officer on duty nor a contact."""
log = logging.getLogger(__name__)


class Pager(Protocol):
    """What carries pages. It never raises or logs an address: those are secrets."""

    def contacts(self) -> frozenset[str]:
        """Who has addresses; empty if nothing is set up.

        Raises:
            Refusal: the settings cannot be read (`paging`).
        """

    def prepare(self) -> None:
        """Load what sending needs; may take seconds."""

    def send(self, contact: str, only: Sequence[int] | None, title: str, body: str) -> list[int]:
        """Send to the contact's addresses, all or `only` some by index; returns the indices that did not take it.

        Raises:
            Refusal: the contact has no addresses, or the settings cannot be read (`paging`).
        """


class Page(msgspec.Struct, rename="kebab"):
    """One page that has not gone out."""

    contact: str
    status: str
    precedence: str
    since: str
    """When it was first called for, RFC 3339 UTC."""
    entry: str
    """The newest entry that calls for it, or the gap in the roster; it is shown here and never sent."""
    reasons: int = 1
    tries: int = 0
    trouble: str = ""
    left: list[int] | None = None
    """Indices of the addresses that have not taken it; None before the first try."""


class _Kept(msgspec.Struct):
    """What the store keeps."""

    seen: dict[str, int] = {}
    """Journal to the number up to which its entries have been looked at."""
    gap: str = ""
    """Start of the gap in the roster that was paged last."""
    pages: list[Page] = []


def page_text(party: str, status: str, precedence: str) -> tuple[str, str]:
    """Title and body of a page. Nothing in them comes from an entry but two words of fixed lists."""
    mark = "" if status == "actual" else status.upper()
    front, behind = (f"{mark} {mark} ", f" {mark} {mark}") if mark else ("", "")
    words = f"{precedence.upper()}: something waits at the centre of {party}"
    return f"{front}{words}{behind}", f"{front}{words}. Read it there.{behind}"


class Paging:
    """The queue of pages of one centre, and the thread that sends them."""

    def __init__(self, centre: Centre, pager: Pager, officer: Callable[[], str | None]) -> None:
        """Prepare; `start` begins.

        Args:
            centre: whose record calls for pages.
            pager: what carries them.
            officer: who is on duty now, or None.
        """
        self._centre, self._pager, self._officer = centre, pager, officer
        kept = centre.store.setting(SETTING)
        self._kept = msgspec.json.decode(kept, type=_Kept) if kept else _Kept()
        self._record: object = None
        self._position = 0
        self._not_before: dict[tuple[str, str], tuple[float, str]] = {}
        """Contact and status to the time (monotonic) before which it is not paged again, and what was sent last."""
        self._sending: Page | None = None
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="paging", daemon=True)

    def collect(self) -> None:
        """Look at what is new in the record, and queue the pages that it calls for."""
        with self._centre.lock:
            record, known = self._centre.record, self._known()
            if self._record is not record:
                self._record, self._position = record, 0
            fresh, self._position = record.log[self._position :], len(record.log)
            before = [(page.contact, page.reasons) for page in self._kept.pages]
            for entry in fresh:
                if entry.place.number > self._kept.seen.get(entry.place.party, 0):
                    self._kept.seen[entry.place.party] = entry.place.number
                    if known is None or known:
                        self._look_at(entry, known)
            if before != [(page.contact, page.reasons) for page in self._kept.pages]:
                self._keep()

    def gap(self, start: str, status: str) -> None:
        """The roster has a gap that begins at `start`: page once."""
        with self._centre.lock:
            known = self._known()
            if self._kept.gap == start or (known is not None and not known):
                return
            self._kept.gap = start
            self._queue(self._on_duty(known), status, "priority", f"roster: {start}")
            self._keep()

    def alarm(self, party: str, status: str) -> None:
        """Something has been undelivered to a party for too long: whoever is on duty must look."""
        with self._centre.lock:
            known = self._known()
            if known is None or known:
                self._queue(self._on_duty(known), status, "immediate", f"line: {party}")
                self._keep()

    def _known(self) -> frozenset[str] | None:
        """Who has addresses; None if that cannot be read now: what calls for a page is queued all the same."""
        try:
            return self._pager.contacts()
        except Refusal:
            return None  # sending fails with the same words, which are logged and shown

    def _look_at(self, entry: Entry, known: frozenset[str] | None) -> None:
        frame, ours = entry.frame, entry.place.party == self._centre.party
        if not entry.admissible or frame is None:
            return
        if ours and frame.format == "escalation":
            contact = frame.content["contact"] or self._on_duty(known)
            self._queue(contact, frame.status, frame.precedence, str(frame.refers_to[0].place))
        elif not ours and frame.precedence in AT_ARRIVAL and self._unopened(entry):
            self._queue(self._on_duty(known), frame.status, frame.precedence, str(entry.place))

    def _unopened(self, entry: Entry) -> bool:
        party, question = self._centre.party, self._centre.alerts.questions.get(entry.place)
        if question is None or entry.frame is None or party not in entry.frame.to:
            return False
        return not question.acknowledgements.get(party) and not question.answers.get(party)

    def _on_duty(self, known: frozenset[str] | None) -> str:
        """Who is paged on arrival: the officer on duty, else our first contact, as far as they have addresses."""
        wanted = [self._officer(), *self._centre.contacts.identifiers(self._centre.party)]
        named = [name for name in wanted if name]
        return next((name for name in named if known is None or name in known), named[0] if named else NOBODY)

    def _queue(self, contact: str, status: str, precedence: str, entry: str) -> None:
        for page in self._kept.pages:
            if (page.contact, page.status) == (contact, status) and page is not self._sending:
                page.precedence = max(page.precedence, precedence, key=PRECEDENCES.index)
                page.reasons, page.entry = page.reasons + 1, entry
                break
        else:
            self._kept.pages.append(Page(contact, status, precedence, self._centre.clock(), entry))
        self._wake.set()

    def _keep(self) -> None:
        with self._centre.store.transaction() as writer:
            writer.put_setting(SETTING, msgspec.json.encode(self._kept))

    def view(self) -> dict[str, Any]:
        """What waits to go out, and what has failed, for the watch."""
        with self._centre.lock:
            pages = [msgspec.to_builtins(page) for page in self._kept.pages]
            try:
                known, trouble = sorted(self._pager.contacts()), ""
            except Refusal as error:
                known, trouble = [], str(error)
        return {"contacts": known, "pages": pages, "trouble": trouble}

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """End; what has not gone out goes out at the next start."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=15)

    def _run(self) -> None:
        self._pager.prepare()
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                wait = self.send_due(time.monotonic())
            except ServandaError as error:
                log.error("paging: %s: %s", error.code, error)
                wait = RETRY_SECONDS_MIN
            except Exception:
                log.exception("paging failed: our bug")
                wait = RETRY_SECONDS_MIN
            self._wake.wait(wait)

    def send_due(self, now: float) -> float | None:
        """Send one page, if one is due at `now` (monotonic seconds).

        Returns:
            After how many seconds to call again; None if nothing waits.
        """
        with self._centre.lock:
            times = [
                (self._time_of(page), -PRECEDENCES.index(page.precedence), n) for n, page in enumerate(self._pages)
            ]
            if not times:
                return None
            ready = sorted((urgency, n) for due, urgency, n in times if due <= now)
            if not ready:
                return max(0.05, min(times)[0] - now)
            page = self._sending = self._pages[ready[0][1]]
        trouble = "broken off"
        try:
            trouble = self._send(page)
        finally:
            with self._centre.lock:
                self._sending = None  # only now: what is called for meanwhile gets a page of its own
                self._after(page, trouble, now)
                self._keep()
        return 0.0

    @property
    def _pages(self) -> list[Page]:
        return self._kept.pages

    def _time_of(self, page: Page) -> float:
        """When a page may go out, monotonic; a higher precedence than the last one waits for nothing but a failure."""
        due, last = self._not_before.get((page.contact, page.status), (0.0, "routine"))
        higher = PRECEDENCES.index(page.precedence) > PRECEDENCES.index(last)
        return 0.0 if higher and not page.tries else due

    def _send(self, page: Page) -> str:
        """Try once; what is wrong in words, or nothing."""
        title, body = page_text(self._centre.party, page.status, page.precedence)
        try:
            page.left = self._pager.send(page.contact, page.left, title, body)
        except Refusal as error:
            return str(error)
        return f"{len(page.left)} of the addresses of {page.contact} did not take the page" if page.left else ""

    def _after(self, page: Page, trouble: str, now: float) -> None:
        key = (page.contact, page.status)
        page.trouble = trouble
        if not trouble:
            self._pages.remove(page)
            self._not_before[key] = (now + SAME_CONTACT_SECONDS, page.precedence)
            return
        page.tries += 1
        pause = min(RETRY_SECONDS_MIN * 2 ** min(page.tries - 1, 16), RETRY_SECONDS_MAX)
        self._not_before[key] = (now + pause, page.precedence)
        log.warning("page to %s, %s, try %d: %s", page.contact, page.precedence, page.tries, trouble)
