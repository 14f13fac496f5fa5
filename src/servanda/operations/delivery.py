# SPDX-License-Identifier: Apache-2.0
"""Delivery: each counterpart has a thread that pushes what it has not receipted, and catches up on what we lack.

Nothing is dropped: whatever a counterpart has not receipted is pushed again, by the routes that the pack names, in its
order. The pause between attempts grows while none works and ends as soon as anything is heard from the counterpart.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from servanda.line.watch import LineNews
from servanda.operations.advancing import Ahead
from servanda.operations.catching_up import catch_up
from servanda.operations.centre import Centre
from servanda.operations.citing import Citations
from servanda.operations.comparing import exchange_heads
from servanda.operations.errors import LineDown, ServandaError, TryLater
from servanda.operations.handing import Hander
from servanda.operations.linework import watch
from servanda.operations.ports import Courier, Push
from servanda.operations.receipts import receipted_size, take_receipts
from servanda.operations.receiving import BYTES_MAX, LEAVES_MAX
from servanda.operations.routing import LineState, Route, RouteState, pack_today, routes_between
from servanda.proof.notes import KIND_MLDSA44

QUIET_SECONDS = 0.5
CATCH_UP_SECONDS = 10.0
ALARM_ROUND_SECONDS = 0.9
BUG_PAUSE_SECONDS = 1.0
log = logging.getLogger(__name__)

NOT_MET = "its card has not been taken: `servanda meet`"
BUG = "a fault of this centre; its log says more"


def next_push(centre: Centre, party: str) -> Push | None:
    """What `party` has not receipted of our journal, within the limits of one push; None if nothing."""
    first = receipted_size(centre, party) + 1
    if first > centre.journal.size:
        return None
    leaves = centre.store.leaves(centre.party, first, LEAVES_MAX)
    while sum(map(len, leaves)) > BYTES_MAX:
        leaves.pop()
    return Push(centre.party, first, tuple(leaves), centre.note_at(first + len(leaves) - 1))


class Delivery:
    """Delivery to all counterparts of a centre."""

    def __init__(self, centre: Centre, courier: Courier, parties: Sequence[str]) -> None:
        """Prepare delivery to `parties`; `start` begins it."""
        self._centre = centre
        self._courier = courier
        self._ahead, self._hander = Ahead(centre, courier), Hander(centre, courier)
        self._stopping = threading.Event()
        self._citations = Citations(centre, self.released)
        self.on_receipt: Callable[[str, int], None] | None = None
        """Called with party and size when a receipt on our journal has been verified and kept."""
        self.on_alarm: Callable[[str, str], None] | None = None
        """Called once for each outage, with party and reason, when an entry has been undelivered for too long."""
        self.lines = {party: LineState() for party in parties}
        self._alarmed: set[str] = set()
        self._alarms_due = 0.0
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin: one thread for each counterpart, and one that cites."""
        self._centre.line_news = self.news
        self._citations.start()
        for party in self.lines:
            self._begin(f"line-{party}", partial(self._run, party))

    def add(self, party: str) -> None:
        """Begin delivery to one more counterpart, or go by the new addresses of one that is known."""
        if party in self.lines:
            self.heard(party)
            return
        self.lines[party] = LineState()
        self._begin(f"line-{party}", partial(self._run, party))

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """End all threads; what is undelivered stays so and goes out at the next start."""
        self._stopping.set()
        for line in self.lines.values():
            line.wake.set()
        self._citations.stop()
        for thread in self._threads:
            thread.join(timeout=15)
        for prober in [line.prober for line in self.lines.values()]:
            if prober is not None:
                prober.join(timeout=15)
        self._centre.line_news = dict

    def released(self) -> None:
        """Our journal has grown: every line has something to push. Returns at once."""
        for line in self.lines.values():
            if not line.up:
                line.revive(time.monotonic())
            line.wake.set()
        self._citations.changed()

    def heard(self, party: str) -> None:
        """There is a sign of life of a counterpart: no route to it waits any longer. Returns at once."""
        line, now = self.lines.get(party), time.monotonic()
        if line is None:
            return
        if line.stands_still(now) and self._courier.hurry(party, line.patience):
            line.patience *= 2  # what is merely slow must not be broken off again and again
        if line.revive(now):
            line.wake.set()

    def news(self) -> dict[str, LineNews]:
        """What the watch list is told of each line."""
        unmet = {party: LineNews(None, NOT_MET) for party in self._centre.record.journals}
        return unmet | {party: line.news for party, line in list(self.lines.items())}

    def view(self) -> dict[str, dict[str, Any]]:
        """Every line with its routes, as values that JSON can say."""
        return {party: line.view() for party, line in sorted(self.lines.items())}

    def alarm_round(self) -> None:
        """`check_alarms`, but at most once a second: alarms go by minutes, and what is under way goes first."""
        if time.monotonic() >= self._alarms_due:
            self._alarms_due = time.monotonic() + ALARM_ROUND_SECONDS
            self.check_alarms()

    def check_alarms(self) -> None:
        """Raise an alarm for every counterpart to which an entry has been undelivered for too long; once an outage."""
        with self._centre.lock:
            late = {watched.party: watched for watched in watch(self._centre) if watched.alarm}
        begun = late.keys() - self._alarmed
        self._alarmed = set(late)
        for party in sorted(begun):
            watched = late[party]
            told = (watched.undelivered, party, watched.since, watched.reason)
            log.error("%d entries not receipted by %s since %s: %s", *told)
            if self.on_alarm is not None:
                self.on_alarm(party, watched.reason)

    def received(self) -> None:
        """Entries or receipts have come in: perhaps a citation helps. Returns at once."""
        self._citations.changed()

    def _run(self, party: str) -> None:
        line = self.lines[party]
        while True:
            line.wake.clear()  # before the look at what it may have been set for: what is set after that is not lost
            if self._stopping.is_set():
                return
            try:
                self._turn(party, line)
            except Exception:  # whatever it is, this counterpart is not to be without delivery until a restart
                log.exception("delivery to %s: our bug", party)
                line.remark = BUG
                self._stopping.wait(BUG_PAUSE_SECONDS)

    def _turn(self, party: str, line: LineState) -> None:
        """Deliver by a route that works, if one does, and wait for what is next."""
        with self._centre.lock:
            line.follow(routes_between(pack_today(self._centre), self._centre.party, party))
        rest = line.rest(time.monotonic())
        if not line.up and rest > 0:
            line.wake.wait(rest)
            return
        if not self._use_a_route(party, line):
            return
        self._try_earlier(party, line)
        if not line.wake.wait(QUIET_SECONDS):
            self._quantum(party, line)

    def _use_a_route(self, party: str, line: LineState) -> bool:
        """Deliver and catch up by the first route that works; returns whether one did."""
        for state in line.order():
            line.begins(state, time.monotonic())
            try:
                self._serve(party, line, state)
            except ServandaError as error:
                self._failed(party, state, error)
            except Exception:
                log.exception("line to %s by %s: our bug", party, state.route.name)
                state.failed(BUG, time.monotonic())
            else:
                line.worked(state)
                return True
            finally:
                line.asking_since = None
            if self._stopping.is_set():
                return False
        line.down()
        return False

    def _failed(self, party: str, state: RouteState, error: ServandaError) -> None:
        """Keep why a route does not work; a reason that is not new is not logged again."""
        reason = str(error) if isinstance(error, TryLater) else f"{error.code}: {error}"
        if state.failed(reason, time.monotonic()):
            level = logging.INFO if isinstance(error, TryLater) else logging.ERROR
            log.log(level, "line to %s by %s: %s", party, state.route.name, reason)

    def _serve(self, party: str, line: LineState, state: RouteState) -> None:
        source = state.route.by or party
        if not self._push_all(party, line, state):
            # Perhaps its receipt is by a key that we do not know yet: then its newest entries say so.
            catch_up(self._centre, self._courier, party, source, self.received)
            if not self._push_all(party, line, state):
                raise LineDown(f"the answer holds no new receipt by {party}", "no-receipt")
        if line.catch_up_due <= time.monotonic():
            catch_up(self._centre, self._courier, party, source, self.received)
            line.catch_up_due = time.monotonic() + CATCH_UP_SECONDS

    def _try_earlier(self, party: str, line: LineState) -> None:
        """Look whether a route before the one in use works again, beside what is delivered meanwhile."""
        if line.prober is not None:
            return
        for state in line.earlier(time.monotonic()):
            line.prober = threading.Thread(
                target=self._probe, args=(party, line, state), name=f"probe-{party}", daemon=True
            )
            line.prober.start()
            return

    def _probe(self, party: str, line: LineState, state: RouteState) -> None:
        centre = self._centre
        try:
            with centre.lock:
                held = receipted_size(centre, party)
                push = next_push(centre, party) or Push(centre.party, held + 1, (), centre.note_at(held))
            if not self._hand_over(party, state.route, push):
                raise LineDown(f"the answer holds no receipt by {party}", "no-receipt")
            state.worked()
            line.wake.set()
        except ServandaError as error:
            self._failed(party, state, error)
        except Exception:
            log.exception("line to %s by %s: our bug", party, state.route.name)
            state.failed(BUG, time.monotonic())
        finally:
            line.prober = None

    def compare_all(self) -> None:
        """Compare heads with every counterpart that answers now; so a dossier has the newest receipts of all."""
        for party, line in list(self.lines.items()):
            route = line.in_use
            with suppress(TryLater):
                exchange_heads(self._centre, self._courier, (route.by if route else None) or party)

    def _push_all(self, party: str, line: LineState, state: RouteState) -> bool:
        """Push until everything is receipted; returns False if an answer brought no new receipt."""
        while not self._stopping.is_set():
            with self._centre.lock:
                before, push = receipted_size(self._centre, party), next_push(self._centre, party)
            if push is None:
                if state.route.by is None:
                    self._hander.hand(party)
                return True
            if state.route.by is None:
                self._ahead.send(party, push)
            self._hand_over(party, state.route, push)
            with self._centre.lock:
                size = receipted_size(self._centre, party)
            if size <= before:
                return False
            line.carried(state)
            if self.on_receipt is not None:
                self.on_receipt(party, size)
            self.received()
        return True

    def _hand_over(self, party: str, route: Route, push: Push) -> int:
        """Push by one route, verify and keep the receipts that come back; returns how many."""
        reply = self._courier.push(party, push, route.by)
        with self._centre.lock:
            return take_receipts(self._centre, self._centre.party, party, reply.size, reply.receipt)

    def _quantum(self, party: str, line: LineState) -> None:
        """The line is quiet: exchange the post-quantum signatures over everything since the last time."""
        centre, route = self._centre, line.in_use
        with centre.lock:
            size = centre.journal.size
            if receipted_size(centre, party) < size or receipted_size(centre, party, KIND_MLDSA44) >= size:
                return
            note = centre.note_at(size, quantum=True)
        try:
            lines = self._courier.receipt(party, centre.party, note, route.by if route else None)
            with centre.lock:
                take_receipts(centre, centre.party, party, size, lines)
        except ServandaError as error:
            line.remark = f"{error.code}: {error}"
        except Exception:
            log.exception("line to %s: our bug", party)
            line.remark = BUG
        else:
            line.remark = ""
