# SPDX-License-Identifier: Apache-2.0
"""By which routes a counterpart is reached, and what is known of each (spec/line.md, Routes).

Times are seconds of a clock that only moves forward, given by the caller.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from servanda.agreement.pack import Pack
from servanda.line.watch import LineNews
from servanda.operations.centre import Centre

PAUSE_SECONDS_MIN = 0.2
PAUSE_SECONDS_MAX = 30.0
PATIENCE_SECONDS = 0.5
"""How long a call may stand still, while its counterpart is heard, before it is broken off and made anew."""

NOT_TRIED = "not yet tried"
COURIER_ONLY = "only the courier is left"


class Route(NamedTuple):
    """One route of the pack: `address`, `relay` through the centre of `by`, or `courier`."""

    kind: str
    by: str | None = None

    @property
    def name(self) -> str:
        """`address`, `relay cedar`, `courier`."""
        return f"{self.kind} {self.by}" if self.by else self.kind


def pack_today(centre: Centre) -> Pack:
    """The pack in force in all that is held; before one is in force, the agreement's first."""
    record = centre.record
    return record.packs[record.in_force(record.whole) or record.agreement]


def relays_of(pack: Pack) -> frozenset[str]:
    """The parties whose centres relay."""
    return frozenset(route["by"] for route in pack.routes if route["kind"] == "relay")


def routes_between(pack: Pack, one: str, other: str) -> tuple[Route, ...]:
    """The pack's routes in its order; who is one of the two ends does not relay between them."""
    routes = (Route(route["kind"], route.get("by")) for route in pack.routes)
    return tuple(route for route in routes if route.by not in (one, other))


class RouteState:
    """What is known of one route to one counterpart."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.failure = ""
        """Why it does not work; empty if it works or has not been tried."""
        self.due = 0.0
        """When it is tried again."""
        self._failed_at = 0.0
        self._pause = PAUSE_SECONDS_MIN

    def failed(self, reason: str, now: float) -> bool:
        """It did not work; it is tried again after a pause that doubles. Returns whether the reason is a new one."""
        changed, self.failure = reason != self.failure, reason
        self._failed_at, self.due = now, now + self._pause
        self._pause = min(2 * self._pause, PAUSE_SECONDS_MAX)
        return changed

    def carried(self) -> None:
        """It has carried something there and the answer back: if it fails now, it is soon tried again."""
        self._pause = PAUSE_SECONDS_MIN

    def worked(self) -> None:
        """Everything that there was to do has been done by it."""
        self.failure, self.due, self._pause = "", 0.0, PAUSE_SECONDS_MIN

    def revive(self, now: float) -> None:
        """There is a sign of life: no reason to wait, but for the shortest pause."""
        self._pause = PAUSE_SECONDS_MIN
        self.due = min(self.due, max(now, self._failed_at + PAUSE_SECONDS_MIN))


class LineState:
    """What is known of the line to one counterpart. Its delivery thread decides, others read and wake it."""

    def __init__(self) -> None:
        self.wake = threading.Event()
        self.in_use: Route | None = None
        """The route that worked last, or None while none does."""
        self.remark = ""
        """What is wrong although a route works."""
        self.asking_since: float | None = None
        """Since when the delivery thread has been waiting for a centre."""
        self.patience = PATIENCE_SECONDS
        self.catch_up_due = 0.0
        self.prober: threading.Thread | None = None
        """Tries a route that comes before the one in use."""
        self._states: tuple[RouteState, ...] = ()
        self._courier = False
        self._tried = False

    def follow(self, routes: Sequence[Route]) -> None:
        """Go by these routes from now on; what is known of those that stay is kept."""
        carrying = [route for route in routes if route.kind != "courier"]
        self._courier = len(carrying) < len(routes)
        if [state.route for state in self._states] != carrying:
            known = {state.route: state for state in self._states}
            self._states = tuple(known.get(route) or RouteState(route) for route in carrying)
        if self.in_use not in carrying:
            self.in_use = None
        self._tried = self._tried or not carrying

    @property
    def up(self) -> bool:
        """Whether a route works."""
        return self.in_use is not None

    @property
    def trouble(self) -> str:
        """What is wrong, route by route, in the pack's order; empty if nothing is."""
        if not self._tried:
            return NOT_TRIED
        told = [f"{state.route.name}: {state.failure}" for state in self._states if state.failure]
        if not self.up and self._courier:
            told.append(COURIER_ONLY)
        return "; ".join(told + [self.remark] * bool(self.remark))

    @property
    def news(self) -> LineNews:
        """For the watch list."""
        return LineNews(self.in_use.name if self.in_use else None, self.trouble)

    def view(self) -> dict[str, Any]:
        """The line, and each route that carries with why it does not work, as values that JSON can say."""
        routes = [{"route": state.route.name, "failure": state.failure} for state in self._states]
        return {"up": self.up, "trouble": self.trouble, "route": self.news.route, "routes": routes}

    def order(self) -> list[RouteState]:
        """In which order routes are tried: those that are not known to fail, then the others."""
        return sorted(self._states, key=lambda state: bool(state.failure))

    def earlier(self, now: float) -> Iterable[RouteState]:
        """Routes before the one in use that should be tried again now."""
        for state in self._states:
            if state.route == self.in_use:
                return
            if state.failure and state.due <= now:
                yield state

    def begins(self, state: RouteState, now: float) -> None:
        """The delivery thread goes by this route now; by another than before, it catches up as well."""
        self.asking_since = now
        if self.in_use != state.route:
            self.catch_up_due = 0.0

    def carried(self, state: RouteState) -> None:
        """A route has brought a receipt: it is the one in use."""
        self._tried, self.in_use, self.patience = True, state.route, PATIENCE_SECONDS
        state.carried()

    def worked(self, state: RouteState) -> None:
        """A route has done everything that there was to do."""
        self.carried(state)
        state.worked()

    def down(self) -> None:
        """No route has worked."""
        self._tried, self.in_use, self.catch_up_due = True, None, 0.0

    def rest(self, now: float) -> float:
        """How long until a route is to be tried while none works, in seconds; at most the longest pause."""
        waiting = [state.due - now if state.failure else 0.0 for state in self._states]
        return max(0.0, min(waiting, default=PAUSE_SECONDS_MAX))

    def revive(self, now: float) -> bool:
        """Let every route that fails be tried at once; returns whether there is one."""
        failing = [state for state in self._states if state.failure]
        for state in failing:
            state.revive(now)
        return bool(failing)

    def stands_still(self, now: float) -> bool:
        """Whether a call has been under way for longer than our patience."""
        asking = self.asking_since
        return (asking is not None and now - asking > self.patience) or self.prober is not None
