# SPDX-License-Identifier: Apache-2.0
"""Which parts make a centre: the only place where stores, transports and keyrings are put together.

A centre lives in one folder, its *home*: `centre.json` (who and where), `keyring.json` (keys, encrypted), `root.json`
(root keys, encrypted; carry it away), `record.db` (everything said), `lock` and `control.sock` while it is on duty.
"""

from __future__ import annotations

from servanda.assembly.clocks import Exercise, exercise_of, read_clock
from servanda.assembly.founding import CHEAP, Founding, found_centre
from servanda.assembly.homes import Card, Settings, read_pack, read_settings
from servanda.assembly.rotation import Rotation
from servanda.assembly.station import Station, pager_at, request, station_at

__all__ = [
    "CHEAP",
    "Card",
    "Exercise",
    "Founding",
    "Rotation",
    "Settings",
    "Station",
    "exercise_of",
    "found_centre",
    "pager_at",
    "read_clock",
    "read_pack",
    "read_settings",
    "request",
    "station_at",
]
