# SPDX-License-Identifier: Apache-2.0
"""Which route is tried when: by what has happened, and by a clock that the test moves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from servanda.operations.routing import (
    COURIER_ONLY,
    NOT_TRIED,
    PAUSE_SECONDS_MAX,
    PAUSE_SECONDS_MIN,
    LineState,
    Route,
    RouteState,
)

ADDRESS, CEDAR, DOVE, COURIER = Route("address"), Route("relay", "cedar"), Route("relay", "dove"), Route("courier")


def line(*routes: Route) -> LineState:
    made = LineState()
    made.follow(routes or (ADDRESS, CEDAR, DOVE, COURIER))
    return made


def state(of: LineState, route: Route) -> RouteState:
    return next(state for state in of.order() if state.route == route)


@given(failures=st.integers(1, 60), at=st.floats(0, 1e6))
def test_the_pause_doubles_up_to_its_bound_and_a_sign_of_life_ends_it(failures: int, at: float) -> None:
    of = line()
    for each in of.order():
        for _ in range(failures):
            each.failed("dead", at)
    of.down()
    wanted = min(PAUSE_SECONDS_MIN * 2 ** (failures - 1), PAUSE_SECONDS_MAX)
    assert abs(of.rest(at) - wanted) < 1e-6
    later = at + 0.5
    assert of.revive(later)
    assert of.rest(later) == 0


def test_signs_of_life_without_end_do_not_make_us_try_without_a_pause() -> None:
    of = line(ADDRESS)
    state(of, ADDRESS).failed("dead", 100.0)
    for step in range(10):
        of.revive(100.0 + step / 1000)
    assert abs(of.rest(100.01) - (PAUSE_SECONDS_MIN - 0.01)) < 1e-6


def test_what_carries_something_and_then_fails_is_soon_tried_again() -> None:
    one = RouteState(ADDRESS)
    for _ in range(10):
        one.failed("dead", 0.0)
    one.carried()
    one.failed("dead", 50.0)
    assert one.due == 50.0 + PAUSE_SECONDS_MIN


def test_routes_that_are_not_known_to_fail_come_first_and_each_in_the_packs_order() -> None:
    of = line()
    assert [each.route for each in of.order()] == [ADDRESS, CEDAR, DOVE]
    state(of, ADDRESS).failed("x", 0.0)
    assert [each.route for each in of.order()] == [CEDAR, DOVE, ADDRESS]
    state(of, CEDAR).failed("x", 0.0)
    assert [each.route for each in of.order()] == [DOVE, ADDRESS, CEDAR]


def test_only_routes_before_the_one_in_use_are_tried_beside_it_when_they_are_due() -> None:
    of = line()
    for route in (ADDRESS, DOVE):
        state(of, route).failed("x", 10.0)
    of.worked(state(of, CEDAR))
    assert [each.route for each in of.earlier(10.1)] == []
    assert [each.route for each in of.earlier(11.0)] == [ADDRESS]
    state(of, ADDRESS).worked()
    of.worked(state(of, ADDRESS))
    assert [each.route for each in of.earlier(100.0)] == []


def test_what_is_wrong_is_told_route_by_route_in_the_packs_order() -> None:
    of = line()
    assert of.trouble == NOT_TRIED
    state(of, ADDRESS).failed("no answer", 0.0)
    of.worked(state(of, CEDAR))
    assert (of.up, of.news.route, of.trouble) == (True, "relay cedar", "address: no answer")
    for route in (CEDAR, DOVE):
        state(of, route).failed("gone", 0.0)
    of.down()
    assert of.trouble == f"address: no answer; relay cedar: gone; relay dove: gone; {COURIER_ONLY}"
    assert of.news.route is None
    assert of.view()["routes"][0] == {"route": "address", "failure": "no answer"}


def test_a_reason_that_stays_is_not_a_new_one() -> None:
    one = RouteState(ADDRESS)
    assert [one.failed(reason, 0.0) for reason in ("a", "a", "b", "a")] == [True, False, True, True]


def test_routes_of_a_new_pack_take_over_and_what_is_known_of_those_that_stay_is_kept() -> None:
    of = line(ADDRESS, CEDAR, COURIER)
    state(of, ADDRESS).failed("dead", 0.0)
    of.worked(state(of, CEDAR))
    of.follow((ADDRESS, DOVE, COURIER))
    assert not of.up
    assert [each.route for each in of.order()] == [DOVE, ADDRESS]
    assert state(of, ADDRESS).failure == "dead"
    assert of.rest(0.0) == 0  # dove has not been tried


def test_where_the_pack_knows_the_courier_only_that_is_said_and_nothing_is_tried() -> None:
    of = line(COURIER)
    assert of.trouble == COURIER_ONLY
    assert of.order() == []
    assert of.rest(0.0) == PAUSE_SECONDS_MAX


def test_a_route_that_is_new_in_use_catches_up_at_once() -> None:
    of = line()
    of.catch_up_due = 99.0
    of.begins(state(of, ADDRESS), 1.0)
    assert (of.catch_up_due, of.asking_since) == (0.0, 1.0)
    of.carried(state(of, ADDRESS))
    of.catch_up_due = 99.0
    of.begins(state(of, ADDRESS), 2.0)
    assert of.catch_up_due == 99.0


def test_a_route_is_in_use_as_soon_as_it_has_brought_one_receipt_of_many() -> None:
    of = line()
    state(of, ADDRESS).failed("dead", 0.0)
    of.carried(state(of, CEDAR))
    assert (of.up, of.news.route, of.trouble) == (True, "relay cedar", "address: dead")
