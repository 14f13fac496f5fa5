# SPDX-License-Identifier: Apache-2.0
"""The thread that lets a centre cite receipts by itself, when something has changed and it helps."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from servanda.operations.centre import Centre
from servanda.operations.citing import cite_if_it_helps
from servanda.operations.errors import ServandaError

CITE_AFTER_SECONDS = 0.005
"""Pushes and receipts go first: a citation is never urgent, and one may serve for several changes."""
log = logging.getLogger(__name__)


class Citations:
    """Cites for one centre."""

    def __init__(self, centre: Centre, released: Callable[[], None]) -> None:
        """Prepare; `released` is called when a citation has been released."""
        self._centre, self._released = centre, released
        self._changed, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="citations", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def changed(self) -> None:
        """Entries or receipts have come in, or gone out: perhaps a citation helps. Returns at once."""
        self._changed.set()

    def stop(self) -> None:
        """End; what could be cited is cited after the next start."""
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
                self._released()
