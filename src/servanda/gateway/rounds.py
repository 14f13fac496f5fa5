# SPDX-License-Identifier: Apache-2.0
"""What a centre on duty does again and again by itself: it answers link tests, and escalates what has run out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from servanda.operations.errors import ServandaError

ROUND_SECONDS = 1.0
log = logging.getLogger(__name__)


class Rounds:
    """One thread that carries out each task in turn, once a second, and at once when something has changed."""

    def __init__(self, tasks: Sequence[Callable[[], object]], seconds: float = ROUND_SECONDS) -> None:
        """Prepare.

        Args:
            tasks: each takes no argument, takes the centre's lock itself, and is short; what it cannot do now it does
                in the next round. An error of one keeps none of the others from being carried out.
            seconds: how long the thread rests between rounds.
        """
        self._tasks = tasks
        self._seconds = seconds
        self._changed = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="rounds", daemon=True)

    def start(self) -> None:
        """Begin with a first round at once: what fell due while the centre was down is done now."""
        self._thread.start()

    def changed(self) -> None:
        """Something has come in or gone out: the next round need not wait. Returns at once."""
        self._changed.set()

    def stop(self) -> None:
        """End after the task under way."""
        self._stopping = True
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join(timeout=15)

    def _run(self) -> None:
        while not self._stopping:
            self._changed.clear()
            for task in self._tasks:
                self._carry_out(task)
            self._changed.wait(self._seconds)

    def _carry_out(self, task: Callable[[], object]) -> None:
        try:
            task()
        except ServandaError as error:
            log.warning("%s: %s: %s", getattr(task, "__name__", "task"), error.code, error)
        except Exception:
            log.exception("a round failed: our bug")
