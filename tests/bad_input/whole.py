# SPDX-License-Identifier: Apache-2.0
"""What a refusal must leave behind: a clear code, and the old state whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from servanda.operations.centre import Centre
from servanda.operations.errors import ServandaError
from servanda.registers.custody.views import balances_bytes


def state_of(centre: Centre) -> dict[str, Any]:
    """Everything that a centre keeps and shows, without drafts: those not released are no part of the record."""
    store = centre.store
    return {
        "leaves": {party: store.leaves(party, 1, size) for party, size in store.journals().items()},
        "checkpoints": {party: store.checkpoint(party) for party in centre.record.journals},
        "receipts": {party: store.receipts(party) for party in centre.record.journals},
        "released": [draft for draft in store.drafts() if draft.state == "released"],
        "packs": store.packs(),
        "forks": store.forks(),
        "judged": {party: len(state.entries) for party, state in centre.record.journals.items()},
        "sizes": {party: state.size for party, state in centre.record.journals.items()},
        "balances": balances_bytes(centre.custody),
    }


@contextmanager
def refused(centre: Centre, code: str | tuple[str, ...], *words: str) -> Iterator[None]:
    """The block is refused with this code (or one of these) and these words, and the centre's state stays as it was."""
    before = state_of(centre)
    with pytest.raises(ServandaError) as caught:
        yield
    assert caught.value.code in ((code,) if isinstance(code, str) else code), str(caught.value)
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)
    assert state_of(centre) == before
