# SPDX-License-Identifier: Apache-2.0
"""What the desk may ask about the line: the watch list, and every entry that is undelivered, with reason and age."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from servanda.agreement.dates import instant_seconds
from servanda.line.watch import Outlook, Undelivered, Watched, undelivered_entries, watch_list
from servanda.operations.centre import Centre
from servanda.operations.receipts import receipted_size
from servanda.operations.routing import pack_today


def watch(centre: Centre) -> list[Watched]:
    """The watch list now. The caller holds the centre's lock."""
    return watch_list(centre.record, centre.party, _receipted(centre), _outlook(centre))


def undelivered(centre: Centre) -> list[Undelivered]:
    """Every undelivered entry now. The caller holds the centre's lock."""
    return list(undelivered_entries(centre.record, centre.party, _receipted(centre), _outlook(centre)))


def _receipted(centre: Centre) -> dict[str, int]:
    return {party: receipted_size(centre, party) for party in centre.record.journals}


def _outlook(centre: Centre) -> Outlook:
    return Outlook(instant_seconds(centre.clock()), 60 * pack_today(centre).alarm_minutes, centre.line_news())


def _undelivered(centre: Centre, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [item._asdict() for item in undelivered(centre)]


COMMANDS: dict[str, Callable[[Centre, Mapping[str, Any]], Any]] = {"undelivered": _undelivered}
