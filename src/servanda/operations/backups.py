# SPDX-License-Identifier: Apache-2.0
"""Nothing sealed leaves before what opens it lies somewhere else as well (spec/tables.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal

BACKED_UP = "table-backup/"
"""Settings that say to whom the secret of a table has been written in a file of its own."""


def check_backed_up(centre: Centre, content: Mapping[str, Any]) -> None:
    """Nothing sealed is released before its secret is backed up: who loses it can open nothing any more.

    Raises:
        Refusal: the secret of a sealed table has not been written to anybody else (`no-backup`).
    """
    table = content.get("table")
    if not isinstance(table, dict) or table.get("secret") is not None or not table.get("rows"):
        return
    if centre.store.setting(BACKED_UP + str(table.get("root"))) is None:
        raise Refusal(
            f"the secret of the sealed table {str(table.get('root'))[:16]}… is in this home alone: back it up first, "
            "`servanda table secret ROOT FILE --to age1…`",
            "no-backup",
        )
