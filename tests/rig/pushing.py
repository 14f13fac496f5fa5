# SPDX-License-Identifier: Apache-2.0
"""One round of delivery by the direct route, without threads."""

from __future__ import annotations

from servanda.operations.catching_up import catch_up
from servanda.operations.delivery import Delivery
from servanda.operations.routing import LineState, Route, RouteState

DIRECT = Route("address")


def push_all(delivery: Delivery, party: str) -> bool:
    """Push until everything is receipted; False if an answer brought no new receipt."""
    line = LineState()
    line.follow([DIRECT])
    return delivery._push_all(party, line, RouteState(DIRECT))


def catch_up_with(delivery: Delivery, party: str) -> None:
    """Pull what is lacked of a party's journal from its own centre."""
    catch_up(delivery._centre, delivery._courier, party, party, delivery.received)
