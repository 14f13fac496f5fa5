# SPDX-License-Identifier: Apache-2.0
"""The command `servanda` in a process that kills itself at one moment of one write: BY NTH MOMENT, then the command.

BY is the function that writes, as in ARCHITECTURE.md; it dies over its NTH write since the process began.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from servanda.assembly import station
from servanda.cli.main import main
from servanda.operations.door import CentreDoor
from tests.faults.mortal import ANSWERING, Fate, MortalStore, Open


class Killer(Fate):
    """Counts the writes of each function, and kills this process over one of them: no handler runs, nothing is said."""

    def __init__(self, by: str, nth: int, moment: str) -> None:
        super().__init__(Path())
        self._at = (by, nth, moment)
        self._counts: Counter[str] = Counter()
        self._thread = threading.local()

    def begin(self, home: Path, by: str, durable: bool) -> Open:
        self._counts[by] += 1
        self._thread.last = Open(self._counts[by], home.name, by)
        return self._thread.last  # type: ignore[no-any-return]

    def describe(self, write: Open, what: str, statements: int) -> None:
        pass

    def reach(self, moment: str, write: Open, home: Path) -> None:
        if (write.by, write.number, moment) == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def answering(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """A request whose answer may never leave."""

        def watched(*arguments: Any) -> Any:
            self._thread.last = None
            answer = work(*arguments)
            if self._thread.last is not None:
                self.reach(ANSWERING, self._thread.last, Path())
            return answer

        return watched


def arm(killer: Killer) -> None:
    """From here on this process is in the killer's hand."""
    station.SqliteStore = lambda path: MortalStore(path, killer)  # type: ignore[assignment, misc]
    for owner, name in ((CentreDoor, "push"), (CentreDoor, "receipt"), (station.Station, "handle")):
        setattr(owner, name, killer.answering(getattr(owner, name)))


if __name__ == "__main__":
    by, nth, moment = sys.argv[1:4]
    arm(Killer(by, int(nth), moment))
    del sys.argv[1:4]
    main()
