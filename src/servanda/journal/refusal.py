# SPDX-License-Identifier: Apache-2.0
"""What a fold says of an entry that is admissible and yet breaks one of its rules: every register says it alike."""

from __future__ import annotations


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
