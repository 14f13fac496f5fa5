# SPDX-License-Identifier: Apache-2.0
"""What time is it, in truth or for an exercise? The clock is read here, and where a certificate is dated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from servanda.agreement.dates import DateExpressionError, check_instant
from servanda.operations.errors import Refusal

EPOCH_DAYS_MAX = 7


"""How far back an exercise may have begun: at the fastest pace its clock is then 69 years ahead."""


def read_clock() -> str:
    """The present time, RFC 3339 UTC with milliseconds. The only place where the clock is read."""
    return instant(datetime.now(UTC))  # noqa: TID251


def instant(moment: datetime) -> str:
    """A moment as RFC 3339 UTC with milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Exercise(NamedTuple):
    """A clock for exercises: it runs `pace` times as fast, and showed the true time at `epoch`."""

    pace: int
    epoch: str

    def clock(self) -> str:
        """The time of the exercise, in the form of `read_clock`."""
        begun, now = datetime.fromisoformat(self.epoch), datetime.fromisoformat(read_clock())
        return instant(begun + (now - begun) * self.pace)


def exercise_of(pace: int, epoch: str | None) -> Exercise:
    """The exercise clock with this pace and epoch, which begins now if none is given.

    Raises:
        Refusal: the epoch is no instant, lies ahead, or too far back (`usage`).
    """
    now = read_clock()
    try:
        begun = check_instant(epoch or now)
    except DateExpressionError as error:
        raise Refusal(str(error), "usage") from error
    ago = datetime.fromisoformat(now) - datetime.fromisoformat(begun)
    if not timedelta(0) <= ago <= EPOCH_DAYS_MAX * timedelta(days=1):
        raise Refusal(f"the epoch {begun} lies ahead, or more than {EPOCH_DAYS_MAX} days back", "usage")
    return Exercise(pace, begun)
