# SPDX-License-Identifier: Apache-2.0
"""What follows from the published record, once nine centres have replayed it."""

from __future__ import annotations

import pytest

from servanda.operations.desk import dispatch
from servanda.registers.custody.views import balances_bytes
from tests.worked_example.replayed import accounting, obligations, replayed


@pytest.mark.parametrize(
    ("name", "status", "days"),
    [
        ("O17", "missed", 174),
        ("O20", "superseded", 138),
        ("O24", "missed", 553),
        ("O11", "met", -1),
        ("O18", "met", -16),
        ("O27", "missed", 57),
        ("O28", "missed", 163),
    ],
)
def test_deadlines_are_judged_by_the_day(name: str, status: str, days: int) -> None:
    row = obligations()[name]
    assert (row["status"], row["days-late"]) == (status, days)


def test_o10_is_partly_met_with_21_of_23_sites() -> None:
    row = obligations()["O10"]
    assert (row["status"], row["extent"], row["extent-latest"]) == ("partly-met", [21, 23], [22, 23])


def test_o20_is_superseded_by_o27_and_keeps_its_first_date() -> None:
    row = obligations()["O20"]
    assert (row["superseded-by"], row["due"], row["first-due"]) == ("O27", "2014-02-05", "2014-02-05")


def test_an_interval_gives_a_range_of_days_and_no_single_number() -> None:
    row = obligations()["O21"]
    assert (row["days-late"], row["days-late-min"], row["days-late-max"]) == (None, 55, 82)


def test_absence_from_a_partial_record_is_not_stated_rather_than_overdue() -> None:
    assert {name for name, row in obligations().items() if row["status"] == "overdue"} == set()
    assert obligations()["O19"]["status"] == "not-stated"


def test_every_declared_tonne_is_destroyed_and_what_is_derived_is_marked() -> None:
    accounts = {(a["account"], a["unit"]): (a["stated"], a["derived"]) for a in accounting()["accounts"]}
    destroyed = [amounts for (account, unit), amounts in accounts.items() if unit == "g"]
    assert sum(stated + derived for stated, derived in destroyed) == 1_328_000_000
    assert accounts["destroyed/fin", "g"] == (12_000_000, 271_600_000)
    assert not [account for account, unit in accounts if unit == "g" and not account.startswith("destroyed/")]


def test_effluent_stands_on_its_own_ledger() -> None:
    accounts = {a["account"]: a["stated"] for a in accounting()["accounts"] if a["unit"] == "g-effluent"}
    assert accounts == {"destroyed/fin": 5_463_000_000, "destroyed/deu": 335_500_000}


def test_competing_totals_stand_side_by_side_with_their_sources() -> None:
    totals = {f["value"]["amount"]: f["source"] for f in accounting()["figures"] if f["subject"] == "total-declared"}
    assert {1_300_000_000, 1_301_300_000, 1_328_000_000, 1_335_000_000} <= set(totals)
    assert all(totals.values())


def test_published_shares_of_destruction_are_kept_by_date() -> None:
    shares = [(f["as-of"], f["value"]["amount"]) for f in accounting()["figures"] if f["subject"] == "destroyed-share"]
    assert ("2014-08-07", 7420) in shares
    assert ("2014-09-04", 9580) in shares
    assert ("2015-06-17", 9880) in shares


def test_issues_stay_outside_the_accounts() -> None:
    data = accounting()
    assert any(issue["count"] == 26 for issue in data["issues"])
    assert any(issue["count"] == 19 and issue["state"] == "open" for issue in data["issues"])


def test_all_nine_centres_compute_the_same_bytes() -> None:
    world, _ = replayed()
    assert len({balances_bytes(centre.custody) for centre in world.centres.values()}) == 1


def test_no_entry_of_the_replay_is_inadmissible_or_waiting() -> None:
    world, _ = replayed()
    for centre in world.centres.values():
        assert [entry.reason for entry in centre.record.log if not entry.admissible] == []
        assert {state.waiting for state in centre.record.journals.values()} == {""}


def test_the_site_seen_by_camera_is_neither_verified_nor_counted_with_those_visited() -> None:
    findings = accounting()["findings"]
    assert {finding["outcome"] for finding in findings} == {"sealed-camera"}


def test_the_sites_that_were_not_visited_are_restricted_by_the_inspector_s_statement() -> None:
    world, entered = replayed()
    for step, place in (("access-22", "site-22"), ("access-23", "site-23")):
        entry = dispatch(world.centres["syr"], {"command": "show", "entry": entered[step]})
        assert (entry["frame"]["content"]["place"], entry["frame"]["content"]["state"]) == (place, "restricted")
