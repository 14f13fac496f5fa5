# SPDX-License-Identifier: Apache-2.0
"""What a counterpart can make our centre do without end does not keep it from everything else."""

from __future__ import annotations

import threading
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from servanda.gateway import watchkeeping
from servanda.gateway.watchkeeping import BATCHES_IN_A_ROUND, Watchkeeping
from servanda.operations import delivery
from servanda.operations.delivery import Delivery
from servanda.operations.escalating import AT_ONCE
from tests.rig.packs import channel
from tests.rig.world import World


@cache
def _founded() -> World:
    return World(channel())


def test_escalations_without_end_leave_a_round_time_for_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    centre = _founded().clone().centres["ash"]
    calls: list[int] = []

    def endless(_centre: Any) -> list[object]:
        calls.append(1)
        assert len(calls) <= BATCHES_IN_A_ROUND, "the round does not end"
        return [object()] * AT_ONCE

    monkeypatch.setattr(watchkeeping, "escalate", endless)
    released: list[int] = []
    station: Any = SimpleNamespace(centre=centre, pager=None, roster=None)
    keeping = Watchkeeping(station, None, lambda: released.append(1))  # type: ignore[arg-type]
    keeping.escalate_due()
    assert len(released) == len(calls) == BATCHES_IN_A_ROUND


def test_a_fault_before_a_route_is_chosen_ends_no_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    centre = _founded().clone().centres["ash"]
    again, calls = threading.Event(), []

    def faulty(_centre: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            again.set()
        raise KeyError("a pack that is not held")

    monkeypatch.setattr(delivery, "pack_today", faulty)
    monkeypatch.setattr(delivery, "BUG_PAUSE_SECONDS", 0.01)
    delivering = Delivery(centre, None, ["birch"])  # type: ignore[arg-type]
    delivering.start()
    try:
        assert again.wait(10), "delivery to birch has ended for good"
    finally:
        delivering.stop()
