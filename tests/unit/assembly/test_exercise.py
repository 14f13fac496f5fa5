# SPDX-License-Identifier: Apache-2.0
"""An exercise clock runs as fast as it is told from its epoch on, and two with one epoch agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from servanda.assembly import Exercise, clocks, exercise_of
from servanda.operations.errors import Refusal
from tests.unit.operations.test_escalating import warn, world


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> object:
    """Set the true time."""

    def put(seconds: float) -> None:
        moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        monkeypatch.setattr(clocks, "read_clock", lambda: text)

    put(0)
    return put


def test_the_clock_starts_at_the_true_time_and_runs_so_many_times_as_fast(at) -> None:  # type: ignore[no-untyped-def]
    exercise = exercise_of(60, None)
    assert exercise.clock() == "2026-01-01T00:00:00.000Z"
    at(2.5)
    assert exercise.clock() == "2026-01-01T00:02:30.000Z"


def test_centres_that_start_at_other_times_agree_if_they_share_the_epoch(at) -> None:  # type: ignore[no-untyped-def]
    first = exercise_of(3600, "2026-01-01T00:00:00Z")
    at(10)
    second = exercise_of(3600, "2026-01-01T00:00:00Z")
    assert first.clock() == second.clock() == "2026-01-01T10:00:00.000Z"
    assert Exercise(2, "2026-01-01T00:00:00Z").clock() == "2026-01-01T00:00:20.000Z"


@pytest.mark.parametrize("epoch", ["2026-01-01T00:00:01Z", "2025-12-24T23:59:59Z", "yesterday", "2026-02-30T00:00:00Z"])
def test_an_epoch_that_lies_ahead_too_far_back_or_nowhere_is_refused(at, epoch: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Refusal) as caught:
        exercise_of(2, epoch)
    assert caught.value.code == "usage"


def test_on_an_exercise_clock_nothing_is_released_as_actual_and_the_rest_is() -> None:
    w = world()
    w.centres["ash"].exercising = True
    before = w.centres["ash"].journal.size
    with pytest.raises(Refusal) as caught:
        warn(w)
    assert caught.value.code == "exercise-clock"
    assert w.centres["ash"].journal.size == before
    for status in ("exercise", "test"):
        assert warn(w, status).admissible
    citation = w.alone("ash", "citation", {}, author="centre")
    assert citation.admissible
