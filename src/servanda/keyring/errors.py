# SPDX-License-Identifier: Apache-2.0
"""What does the keyring refuse?"""

from __future__ import annotations

from servanda.operations.errors import Refusal


class KeyringError(Refusal):
    """A keyring cannot be opened, read, changed or written as asked; the message names the file and what to do."""

    code = "keyring"
