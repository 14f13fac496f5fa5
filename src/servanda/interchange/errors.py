# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a file of others, or with the wish to write one."""

from __future__ import annotations


class InterchangeError(ValueError):
    """The file cannot be taken, or the entry cannot be put into this format. `code` is stable."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code
