# SPDX-License-Identifier: Apache-2.0
"""What document 002 says of the direct line between the two centres, on the example of the ICT incidents."""

from __future__ import annotations

from servanda.operations.receipts import receipted_size
from tests.rig.stories import alerts_of, told

ICT = "ict-incidents-2013"


def test_B1_information_goes_over_the_direct_line_and_is_receipted() -> None:
    """002: “exchange information through the existing direct communication channel … Nuclear Risk Reduction
    Centers”.

    Each centre holds the other's whole journal, and each has the other's receipt for its own to the last entry.
    """
    world, entries = told(ICT)
    indicators = entries["01-rus-technical-indicators"]
    assert world.centres["usa"].record.entry(indicators.place).admissible
    for party, other in (("rus", "usa"), ("usa", "rus")):
        centre = world.centres[party]
        assert receipted_size(centre, other) == centre.journal.size > 0
        assert world.centres[other].record.journals[party].size == centre.journal.size


def test_B2_an_urgent_alert_is_acknowledged_answered_assessed_and_closed_by_its_clocks() -> None:
    """002: “urgent alerts to avoid misunderstand and conflict escalation”.

    Receipt, a person's acknowledgement, the answer and its assessment are facts of their own, each with its
    clock; without them the same clock runs out, and the next contact is due to be called. Both centres show the
    same case.
    """
    world, _ = told(ICT)
    (case,) = alerts_of(world, "usa")["cases"]
    assert case == alerts_of(world, "rus")["cases"][0]
    assert case["state"] == "closed"
    assert {clock["state"] for clock in case["clocks"]} == {"met", "stopped"}
    silent, _ = told(ICT, "02")
    (case,) = alerts_of(silent, "usa", minutes=100_000)["cases"]
    assert "overdue" in {clock["state"] for clock in case["clocks"]}
