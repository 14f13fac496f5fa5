# SPDX-License-Identifier: Apache-2.0
"""Gaps, overlaps and unfit officers of a roster are found before they bite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servanda.line.roster import DAY_SECONDS, Roster, Shift, Span, warning
from servanda.operations.errors import Refusal
from servanda.storage.rosterfile import RosterFile, parse_roster

HOUR = 3600
SHIFT = '[[shifts]]\nofficer = "{}"\nfrom = 1970-01-01T{}:00:00Z\nto = 1970-01-01T{}:00:00Z\n'


def roster(*shifts: tuple[str, int, int]) -> Roster:
    return parse_roster("".join(SHIFT.format(n, f"{a:02}", f"{b:02}") for n, a, b in shifts), "test")


def test_a_roster_is_read_and_sorted_by_beginning() -> None:
    found = roster(("b", 8, 16), ("a", 0, 8))
    assert found.shifts == (Shift(0, 8 * HOUR, "a"), Shift(8 * HOUR, 16 * HOUR, "b"))
    assert found.on_duty(8 * HOUR - 1) == found.shifts[0]
    assert found.on_duty(8 * HOUR) == found.shifts[1]
    assert found.next_shift(HOUR) == found.shifts[1]
    assert found.on_duty(16 * HOUR) is None


def test_a_gap_between_shifts_and_the_end_of_the_roster_are_gaps() -> None:
    found = roster(("a", 1, 4), ("b", 6, 8))
    assert found.gaps() == [Span(4 * HOUR, 6 * HOUR), Span(8 * HOUR, None)]
    assert found.next_gap(0) == Span(0, HOUR)
    assert found.next_gap(2 * HOUR) == Span(4 * HOUR, 6 * HOUR)
    assert found.next_gap(5 * HOUR) == Span(4 * HOUR, 6 * HOUR)
    assert found.next_gap(6 * HOUR) == Span(8 * HOUR, None)
    assert found.next_gap(9 * HOUR) == Span(8 * HOUR, None)


def test_a_gap_is_warned_of_a_day_before_it_bites() -> None:
    found = Roster((Shift(0, 10 * DAY_SECONDS, "a"),))
    assert warning(found, 9 * DAY_SECONDS - 1) is None
    assert warning(found, 9 * DAY_SECONDS) == Span(10 * DAY_SECONDS, None)
    assert warning(Roster(()), 0) is None


def test_overlaps_are_found_also_with_a_shift_long_before() -> None:
    found = roster(("a", 0, 20), ("b", 1, 2), ("c", 4, 5))
    assert found.overlaps() == [Span(HOUR, 2 * HOUR, ("a", "b")), Span(4 * HOUR, 5 * HOUR, ("a", "c"))]
    assert found.gaps() == [Span(20 * HOUR, None)]


def test_officers_who_are_unknown_or_have_not_the_role_are_found() -> None:
    found = roster(("desk", 0, 1), ("nobody", 1, 2), ("watch", 2, 3), ("chief", 3, 4))
    roles = {"desk": frozenset({"author"}), "watch": frozenset({"watch"}), "chief": frozenset({"release"})}
    assert found.unfit(roles) == {"desk": "without the role watch", "nobody": "unknown"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shifts = 1",
        "[[shift]]\n",
        "[[shifts]]\n",
        "shifts = [1]",
        SHIFT.format("a", "08", "08"),
        SHIFT.format("a", "09", "08"),
        SHIFT.format("", "08", "09"),
        SHIFT.format("a", "08", "09").replace("Z", ""),
        SHIFT.format("a", "08", "09").replace("Z", "+01:00"),
        SHIFT.format("a", "08", "09").replace("1970-01-01T08:00:00Z", "1970-01-01"),
        SHIFT.format("a", "08", "09") + "note = 1\n",
        SHIFT.format("a", "08", "09") * 5_001,
        "not TOML at all",
    ],
)
def test_what_is_no_roster_is_refused_with_its_reason(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_roster(text, "test")
    assert caught.value.code == "roster"


SHIFTS = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 10)).map(lambda t: Shift(t[0], t[0] + t[1], "x")))


@given(shifts=SHIFTS, now=st.integers(1, 60))
def test_at_every_time_there_is_either_somebody_or_a_gap(shifts: list[Shift], now: int) -> None:
    found = Roster(tuple(sorted(shifts)))
    gap = found.next_gap(now)
    if not shifts:
        assert gap is None
        return
    assert gap is not None
    assert (found.on_duty(now) is None) == (gap.since <= now and (gap.until is None or now < gap.until))
    overlapping = [at for at in range(60) if sum(s.since <= at < s.until for s in shifts) > 1]
    told = [at for at in range(60) if any(o.since <= at < (o.until or 0) for o in found.overlaps())]
    assert told == overlapping


def test_the_file_is_read_anew_when_it_has_changed_and_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    keeper = RosterFile(tmp_path / "roster.toml")
    assert keeper.roster() == Roster(())
    keeper.put(SHIFT.format("a", "08", "09"))
    assert [shift.officer for shift in keeper.roster().shifts] == ["a"]
    assert os.stat(tmp_path / "roster.toml").st_mode & 0o077 == 0
    (tmp_path / "roster.toml").write_text(SHIFT.format("by-hand", "08", "09"))
    assert [shift.officer for shift in keeper.roster().shifts] == ["by-hand"]
    with pytest.raises(Refusal):
        keeper.put("nonsense")
    assert [shift.officer for shift in keeper.roster().shifts] == ["by-hand"]
    (tmp_path / "roster.toml").write_text("nonsense")
    with pytest.raises(Refusal):
        keeper.roster()
    (tmp_path / "roster.toml").write_bytes(b"\xff")
    with pytest.raises(Refusal):
        keeper.roster()
    (tmp_path / "roster.toml").unlink()
    assert keeper.roster() == Roster(())
