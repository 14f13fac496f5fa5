# SPDX-License-Identifier: Apache-2.0
"""What document 000 asks of custody, on the replayed record of the Syrian chemical weapons."""

from __future__ import annotations

from servanda.operations.bundles import export_bundle
from servanda.operations.desk import dispatch
from servanda.registers.custody.views import balances_bytes
from tests.dossier.forgery import pins_of, verdicts
from tests.rig.visits import Visits
from tests.worked_example.replayed import accounting, obligations, replayed

OUTCOMES = {
    "present-matching",
    "present-serials-not-shown",
    "present-serials-differ",
    "seen-from-distance",
    "absent-as-claimed",
    "access-denied",
    "not-attempted",
    "sealed-camera",
}


def test_A1_what_is_turned_over_is_in_custody_and_then_destroyed_and_both_sides_signed_each_handover() -> None:
    """000: “turn over its chemical weapons to international custody, for subsequent destruction”.

    Declared by the one, offered, accepted by the receiver, destroyed before witnesses. Each handover is settled
    by an entry of either side; in the end the declarer holds nothing, and all that was declared is destroyed.
    """
    world, data = replayed()[0], accounting()
    assert {row["from"] for row in data["handovers"]} >= {"syr", "dkno"}
    for row in [*data["handovers"], *data["destructions"]]:
        offer = dispatch(world.centres["opcw"], {"command": "show", "entry": row["entry"]})["offer"]
        assert row["entry"].split("/")[0] == row["from"]
        assert offer["accepted-by"] == offer["named"] == row["named"]
        assert row["from"] not in row["named"]
        assert row["state"] == "settled"
    held = {account["account"] for account in data["accounts"] if account["unit"] == "g"}
    assert all(account.startswith("destroyed/") for account in held)


def test_A2_the_accounting_is_full_and_total_for_every_ledger_with_deadlines_and_discrepancies() -> None:
    """000: “all of it, without delay, and allow a full and total accounting”.

    Double entry: for each ledger, what stands on all accounts is what was declared or found. Deadlines are
    judged to the day, what is contested is listed, and every party's centre computes the same bytes.
    """
    world, data = replayed()[0], accounting()
    for unit in ("g", "piece"):
        stands = sum((a["stated"] or 0) + (a["derived"] or 0) for a in data["accounts"] if a["unit"] == unit)
        said = sum(lot["quantity"].get("amount", 0) for lot in data["declared"] if lot["quantity"]["unit"] == unit)
        assert stands == said > 0
    assert (obligations()["O11"]["days-late"], obligations()["O17"]["days-late"]) == (-1, 174)
    assert [row["code"] for row in data["discrepancies"]] == ["contested"]
    assert data["discrepancies"][0]["lot"] in {lot["lot"] for lot in data["declared"]}
    assert len({balances_bytes(centre.custody) for centre in world.centres.values()}) == 1


def test_A3_what_was_found_is_data_and_two_programs_verify_the_record_offline() -> None:
    """000: “a … means by which it happens quickly and verifiably”.

    What is inspected is drawn by both sides together, and either can compute the draw anew. A finding is one of
    eight outcomes and names its subject. The dossier of the whole record is verified by the software, and by a
    program that shares no code with it, from the parties' fingerprints alone.
    """
    visits = Visits()
    plan = visits.drawn()
    draws = [visits.view(plan, at=party)["draw"] for party in ("ash", "birch")]
    assert draws[0] == draws[1]
    assert draws[0]["state"] == "drawn"
    findings = accounting()["findings"]
    assert findings
    assert {finding["outcome"] for finding in findings} <= OUTCOMES
    world, _ = replayed()
    found = verdicts(export_bundle(world.centres["opcw"], "dossier", "2026-01-04T00:00:00Z"), pins_of(world))
    assert (found.ours, found.alone) == ("", "")
    assert found.report is not None
    assert found.report.inadmissible == []
