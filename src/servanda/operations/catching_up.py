# SPDX-License-Identifier: Apache-2.0
"""Catching up: what we lack of a counterpart's journal, from its centre or from any other that holds it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from servanda.operations.bundles import take_pack
from servanda.operations.centre import Centre
from servanda.operations.comparing import exchange_heads
from servanda.operations.errors import Conflict, Refusal
from servanda.operations.ports import Courier
from servanda.operations.receiving import LEAVES_MAX, receive

log = logging.getLogger(__name__)


def catch_up(centre: Centre, courier: Courier, party: str, source: str, judged: Callable[[], None]) -> None:
    """Pull what we lack of `party`'s journal, and whatever its entries wait for, from the centre of `source`.

    Args:
        centre: who catches up; its lock is held only while something is written.
        courier: carries the requests.
        party: whose journal is wanted first.
        source: whose centre is asked: the party's own or a relay's, which holds a full copy.
        judged: called after entries have been judged.

    Raises:
        ServandaError: the centre asked does not answer, or what it sends does not hold.
    """
    wanted = [party]
    with centre.lock:
        state = centre.record.journals[party]
        if state.pending:
            wanted += [other for other in centre.record.journals if other not in (party, centre.party)]
    _fetch_packs(centre, courier, source)
    spoiled = [journal for journal in wanted if not _pull(centre, courier, source, journal, judged)]
    exchange_heads(centre, courier, source)
    if spoiled and source != party:
        # From the party itself that is for people to look at, and its line goes on; another relay may have it right.
        raise Refusal(f"{source} has another {', '.join(spoiled)} than its party signed, or than we hold", "conflict")


def _fetch_packs(centre: Centre, courier: Courier, source: str) -> None:
    """An entry that adopts a pack which we lack waits for it: whoever adopted it has it."""
    for state in centre.record.journals.values():
        frame = state.pending[0].frame if state.pending else None
        digest = str(frame.content.get("pack")) if frame is not None and frame.format == "adopt" else ""
        if not digest or digest in centre.record.packs:
            continue
        try:
            text = courier.pack(source, digest)
            with centre.lock:
                take_pack(centre, text)
        except Refusal as error:
            log.warning("pack %s from %s: %s", digest[:12], source, error)


def _pull(centre: Centre, courier: Courier, source: str, journal: str, judged: Callable[[], None]) -> bool:
    """Pull all that there is; returns False if what that centre has cannot be the same journal."""
    while True:
        with centre.lock:
            first = centre.record.journals[journal].size + 1
        if first == 1:
            return True  # a party that has not been met: entry 1 is taken from its card alone
        try:
            push = courier.pull(source, journal, first, LEAVES_MAX)
        except Refusal:
            return True  # that centre holds no more of it than we do
        if not push.leaves:
            return True
        with centre.lock:
            try:
                entries = receive(centre, push, None, limits=False).judged
            except Conflict as conflict:
                log.error("%s as %s has it: %s", journal, source, conflict)
                return False
        if entries:
            judged()
