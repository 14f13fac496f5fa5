# SPDX-License-Identifier: Apache-2.0
"""What each webhook has still to be told: a position in every journal, kept in the store.

A position moves on only after the receiver has taken the notice, so none is lost by a restart; one that was taken just
before a crash is sent again, under the same identifier. A webhook that is new begins with what comes after it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from servanda.agreement.dates import instant_seconds
from servanda.interchange.webhooks import Notice, Webhook, notice_of
from servanda.operations.centre import Centre
from servanda.operations.errors import ServandaError

PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX = 1.0, 300.0
LOOK_SECONDS = 1.0
STOP_SECONDS = 3.0
SKIP_MAX = 1000
"""After how many entries that a webhook does not want its position is kept all the same."""
log = logging.getLogger(__name__)


class Poster(Protocol):
    """Carries a notice to the address of a webhook."""

    def post(self, hook: Webhook, notice: Notice, timestamp: int) -> None:
        """Post it once; raises `TryLater` if it was not taken."""


class Due(NamedTuple):
    """The next notice, and where its entry lies."""

    notice: Notice
    party: str
    number: int


class Telling:
    """One webhook and how far it has been told."""

    def __init__(self, centre: Centre, hook: Webhook) -> None:
        """Read its position; begin with what comes from now on if it has none."""
        self.hook = hook
        self.trouble = ""
        """What went wrong the last time, or nothing."""
        self.failures = 0
        """How often in a row."""
        self._centre = centre
        self._setting = f"webhook/{hook.name}"
        with centre.lock:
            kept = centre.store.setting(self._setting)
            if kept is None:
                self._position = {party: len(state.entries) for party, state in centre.record.journals.items()}
                self._keep()
            else:
                self._position = msgspec.json.decode(kept, type=dict[str, int])
            self._kept = dict(self._position)

    def next(self) -> Due | None:
        """The next notice that it wants, or None. What it does not want is passed by."""
        with self._centre.lock:
            for party, state in sorted(self._centre.record.journals.items()):
                number = self._position.get(party, 0)
                while number < len(state.entries):
                    entry = state.entries[number]
                    number += 1
                    if self.hook.wants(entry):
                        notice = notice_of(self._centre.record.agreement, entry, party == self._centre.party)
                        return Due(notice, party, number)
                    self._position[party] = number
                    if number - self._kept.get(party, 0) >= SKIP_MAX:
                        self._keep()
        return None

    def waiting(self) -> int:
        """How many notices it has still to be told."""
        with self._centre.lock:
            return sum(
                self.hook.wants(entry)
                for party, state in self._centre.record.journals.items()
                for entry in state.entries[self._position.get(party, 0) :]
            )

    def done(self, due: Due) -> None:
        """The receiver has taken it."""
        with self._centre.lock:
            self._position[due.party] = due.number
            self._keep()

    def _keep(self) -> None:
        with self._centre.store.transaction() as writer:
            writer.put_setting(self._setting, msgspec.json.encode(self._position))
        self._kept = dict(self._position)


class Notices:
    """All webhooks of a centre, each with a thread of its own: one that hangs holds up no other."""

    def __init__(self, centre: Centre, poster: Poster, hooks: Sequence[Webhook]) -> None:
        """Prepare; `start` begins."""
        self._centre = centre
        self._poster = poster
        self.tellings = [Telling(centre, hook) for hook in hooks]
        self._wakes = [threading.Event() for _ in hooks]
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin with what was left over."""
        for telling, wake in zip(self.tellings, self._wakes, strict=True):
            name = f"webhook-{telling.hook.name}"
            self._threads.append(threading.Thread(target=self._run, args=(telling, wake), name=name, daemon=True))
            self._threads[-1].start()

    def changed(self) -> None:
        """Something has come in or gone out. Returns at once; a receiver that is away is not asked any sooner."""
        for wake in self._wakes:
            wake.set()

    def stop(self) -> None:
        """End; a notice under way is ended by its own deadline, or sent again after the next start."""
        self._stopping.set()
        self.changed()
        for thread in self._threads:
            thread.join(timeout=STOP_SECONDS)

    def view(self) -> list[dict[str, Any]]:
        """How each webhook stands."""
        return [
            {"name": t.hook.name, "url": t.hook.url, "waiting": t.waiting(), "trouble": t.trouble or None}
            for t in self.tellings
        ]

    def _run(self, telling: Telling, wake: threading.Event) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            wake.clear()
            try:
                pause = 0.0
                if not self._tell(telling):
                    wake.wait(LOOK_SECONDS)
            except ServandaError as error:
                pause = self._failed(telling, f"{error.code}: {error}")
            except Exception:
                if self._stopping.is_set():  # the store may be closed by now; what was under way is sent again
                    return
                log.exception("a notice of webhook %s failed: our bug", telling.hook.name)
                pause = self._failed(telling, "bug: see the log")

    def _tell(self, telling: Telling) -> bool:
        """Tell the next thing; returns whether there was one."""
        due = telling.next()
        if due is None:
            return False
        self._poster.post(telling.hook, due.notice, instant_seconds(self._centre.clock()))
        telling.done(due)
        telling.trouble = ""
        telling.failures = 0
        return True

    def _failed(self, telling: Telling, trouble: str) -> float:
        """Say what went wrong, once; returns how long to wait."""
        if telling.trouble != trouble:
            log.warning("webhook %s: %s", telling.hook.name, trouble)
        telling.trouble = trouble
        telling.failures += 1
        return min(PAUSE_SECONDS_MAX, PAUSE_SECONDS_MIN * (1 << min(telling.failures - 1, 10)))
