# SPDX-License-Identifier: Apache-2.0
"""What a fold says of an entry that is admissible and yet breaks one of its rules: every register says it alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

Asked = ParamSpec("Asked")


class Refused(Exception):
    """No part of an entry takes effect where this is raised.

    Args:
        reason: a stable word of the page of spec/ that has the rule.
        words: what was wrong, where, and what would be right; empty if the reason says enough.
    """

    def __init__(self, reason: str, words: str = "") -> None:
        super().__init__(words or reason)
        self.reason = reason
        self.words = words

    @property
    def told(self) -> str:
        """The reason, then the words, if there are any."""
        return f"{self.reason}: {self.words}" if self.words else self.reason


def refusal_of(rule: Callable[Asked, object], *asked: Asked.args, **named: Asked.kwargs) -> Refused | None:
    """Why a rule is broken, or None: for a rule that changes nothing, but raises `Refused` or returns what would be."""
    try:
        rule(*asked, **named)
    except Refused as refused:
        return refused
    return None
