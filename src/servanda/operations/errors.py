# SPDX-License-Identifier: Apache-2.0
"""Errors, classed by what the caller must do.

`Refusal`: this request is wrong, do not repeat it. `TryLater`: nothing is lost, repeat it. `Stopped`: the state needs a
person. Anything else that escapes is our bug.
"""

from __future__ import annotations


class ServandaError(Exception):
    """Root of the errors that operations raise. `code` is stable; see docs/reference/errors.md."""

    code = "error"
    exit_status = 2

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class Refusal(ServandaError):
    """The request or message is wrong and stays wrong: mend it before repeating."""

    code = "refused"
    exit_status = 2


class TryLater(ServandaError):
    """Nothing is wrong with the request; the same call may succeed later."""

    code = "try-later"
    exit_status = 3


class Stopped(ServandaError):
    """The state is unknown or contradictory: the centre stops writing until a person has looked."""

    code = "stopped"
    exit_status = 4


class LineDown(TryLater):
    """The other centre could not be reached, or did not answer in time."""

    code = "line-down"


class StoreFull(TryLater):
    """No space left on the store; the old state is whole."""

    code = "store-full"


class HeadMoved(Stopped):
    """Another instance of this centre has written to the journal."""

    code = "head-moved"


class StoreDamaged(Stopped):
    """The store cannot be read or written as expected."""

    code = "store-damaged"


class Conflict(Stopped):
    """The other centre holds a different leaf at this place; `held` is its signed note."""

    code = "conflict"

    def __init__(self, message: str, held: bytes) -> None:
        super().__init__(message)
        self.held = held


class Refused(Refusal):
    """The other centre refused the message for good."""

    code = "refused-by-counterpart"
