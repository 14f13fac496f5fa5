# SPDX-License-Identifier: Apache-2.0
"""Who has the watch: hand-overs, which the store keeps, beside the roster. The centre's own, no part of the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, cast

import msgspec

from servanda.agreement.dates import instant_seconds, instant_text
from servanda.line.roster import Roster, Span, warning
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal

LAST = "handover/last"
"""Setting that holds the number of the newest hand-over."""
SHOWN = 200
NOTE_CHARACTERS_MAX = 4_000


class Handover(msgspec.Struct, frozen=True, rename="kebab"):
    """One hand-over of the watch."""

    at: str
    giver: str
    taker: str
    note: str
    open: tuple[str, ...]
    """Cases that were open at that moment."""


def roles_of(centre: Centre) -> dict[str, frozenset[str]]:
    """The roles of the officers that our newest identity states."""
    identity = centre.journal.identities.latest
    return {name: officer.roles for name, officer in identity.officers.items()} if identity else {}


def handovers(centre: Centre, count: int = SHOWN) -> list[Handover]:
    """The newest hand-overs, oldest first."""
    last = int(centre.store.setting(LAST) or b"0")
    kept = [centre.store.setting(f"handover/{number}") for number in range(max(1, last - count + 1), last + 1)]
    return [msgspec.json.decode(text, type=Handover) for text in kept if text is not None]


def officer_on_duty(centre: Centre, roster: Roster) -> tuple[str | None, str | None]:
    """Who has the watch, and since when: who took it last, else whose shift the roster says it is."""
    latest = handovers(centre, 1)
    if latest:
        return latest[0].taker, latest[0].at
    shift = roster.on_duty(instant_seconds(centre.clock()))
    return (shift.officer, instant_text(shift.since)) if shift else (None, None)


def hand_over(centre: Centre, roster: Roster, giver: str, taker: str, note: str) -> Handover:
    """The officer on duty hands over, another takes; both are named in what is kept.

    Raises:
        Refusal: the giver has not the watch (`handover`), or the taker is no officer with the role watch.
    """
    roles = roles_of(centre)
    for name in (giver, taker):
        if name not in roles:
            raise Refusal(f"no officer {name} in the identity of {centre.party}", "unknown-key")
    if not roles[taker] & {"watch", "release"}:
        raise Refusal(f"officer {taker} has not the role watch", "wrong-role")
    if giver == taker:
        raise Refusal(f"{giver} hands over to another officer", "handover")
    holder, _ = officer_on_duty(centre, roster)
    if holder is not None and holder != giver and holder in roles:
        raise Refusal(f"{holder} has the watch, not {giver}", "handover")
    if len(note) > NOTE_CHARACTERS_MAX:
        raise Refusal(f"a note has at most {NOTE_CHARACTERS_MAX:,} characters", "handover")
    cases = tuple(str(place) for place, case in sorted(centre.alerts.cases.items()) if not case.closures)
    made = Handover(centre.clock(), giver, taker, note, cases)
    number = int(centre.store.setting(LAST) or b"0") + 1
    with centre.store.transaction() as writer:
        writer.put_setting(f"handover/{number}", msgspec.json.encode(made))
        writer.put_setting(LAST, str(number).encode())
    return made


class RosterKeeper(Protocol):
    """Where the roster stands."""

    def roster(self) -> Roster:
        """The roster as it stands now."""

    def put(self, text: str) -> None:
        """Replace it, whole or not at all."""


def stand(centre: Centre, keeper: RosterKeeper, request: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out a request about the watch: `roster`, `roster-set`, `handover`.

    Raises:
        Refusal: an argument is missing, or what is asked for breaks a rule.
    """
    with centre.lock:
        try:
            match request["command"]:
                case "roster-set":
                    keeper.put(str(request["roster"]))
                case "handover":
                    note = str(request.get("note", ""))
                    made = hand_over(centre, keeper.roster(), request["from"], request["to"], note)
                    return cast("dict[str, Any]", msgspec.to_builtins(made))
        except KeyError as error:
            raise Refusal(f"{request['command']}: argument {error} is missing", "usage") from error
        return roster_view(centre, keeper.roster())


def watch_view(centre: Centre, roster: Roster) -> dict[str, Any]:
    """Who has the watch, until when by the roster, and the gap that is there or comes within a day."""
    now = instant_seconds(centre.clock())
    officer, since = officer_on_duty(centre, roster)
    shift, after = roster.on_duty(now), roster.next_shift(now)
    return {
        "officer": officer,
        "unfit": roster.unfit(roles_of(centre)).get(officer or ""),
        "since": since,
        "by-roster": shift.officer if shift else None,
        "hand-over-due": bool(shift and officer and shift.officer != officer),
        "next-hand-over": instant_text(shift.until) if shift else instant_text(after.since) if after else None,
        "next-officer": after.officer if after else None,
        "gap": span_view(gap) if (gap := warning(roster, now)) else None,
        "roster": bool(roster.shifts),
    }


def roster_view(centre: Centre, roster: Roster) -> dict[str, Any]:
    """The roster with what is wrong with it, and the hand-overs."""
    now = instant_seconds(centre.clock())
    gap = roster.next_gap(now)
    return {
        "at": instant_text(now),
        "shifts": [
            {"officer": s.officer, "from": instant_text(s.since), "to": instant_text(s.until)} for s in roster.shifts
        ],
        "gaps": [span_view(span) for span in roster.gaps()],
        "next-gap": span_view(gap) if gap else None,
        "overlaps": [span_view(span) for span in roster.overlaps()],
        "unfit": roster.unfit(roles_of(centre)),
        "handovers": [msgspec.to_builtins(made) for made in handovers(centre)],
        "watch": watch_view(centre, roster),
    }


def span_view(span: Span) -> dict[str, Any]:
    """A gap or an overlap as shown; `from` is null if it has no beginning, `to` if it has no end."""
    return {
        "from": instant_text(span.since) if span.since else None,
        "to": None if span.until is None else instant_text(span.until),
        "officers": list(span.officers),
    }
