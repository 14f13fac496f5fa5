# SPDX-License-Identifier: Apache-2.0
"""Files that hold secrets in the clear: read only if nobody but their owner can."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from servanda.operations.errors import Refusal

FILE_BYTES_MAX = 256 * 1024


def read_private(path: Path) -> str | None:
    """The text of a file of mode 0600; None if there is no such file.

    Raises:
        Refusal: others than its owner may read or write it, or it is no text of at most 256 KiB (`file-mode`).
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    try:
        # Asked of the open file, so that no other can take its place in between.
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077 or found.st_uid != os.geteuid():
            raise Refusal(f"{path} holds secrets and is not its owner's alone; `chmod 600 {path}`", "file-mode")
        data = os.read(descriptor, FILE_BYTES_MAX + 1)
    finally:
        os.close(descriptor)
    try:
        if len(data) > FILE_BYTES_MAX:
            raise ValueError(f"more than {FILE_BYTES_MAX} bytes")
        return data.decode()
    except ValueError as error:
        raise Refusal(f"{path} is not a text in UTF-8: {error}", "file-mode") from error
