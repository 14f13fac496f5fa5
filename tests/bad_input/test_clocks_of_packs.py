# SPDX-License-Identifier: Apache-2.0
"""A pack whose clocks cannot run is refused, with the place in the pack."""

from __future__ import annotations

from typing import Any

import pytest

from servanda.agreement.errors import PackError
from servanda.agreement.pack import pack_of
from tests.rig.packs import ALERTS, pack_data


@pytest.mark.parametrize(
    "name", ["acknowledge-minutes", "answer-minutes", "meeting-minutes", "remind-minutes", "escalate-minutes"]
)
@pytest.mark.parametrize("minutes", [0, -1, 5_256_001, True, "10"])
def test_a_clock_of_no_minutes_fewer_or_too_many_is_refused(name: str, minutes: Any) -> None:
    with pytest.raises(PackError) as caught:
        pack_of(pack_data() | {"alerts": [ALERTS[0] | {name: minutes}]})
    assert any("alerts" in problem.reason and name in problem.reason for problem in caught.value.problems)


@pytest.mark.parametrize("days", [0, -1, 36_501])
def test_contacts_that_are_never_stale_or_always_are_refused(days: int) -> None:
    line = {"alarm-minutes": 10, "contacts-days": days, "link-test-minutes": 60, "routes": [{"kind": "address"}]}
    with pytest.raises(PackError):
        pack_of(pack_data() | {"line": line})
