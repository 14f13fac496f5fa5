# SPDX-License-Identifier: Apache-2.0
"""Link tests: our centre answers those of others by itself, and tests its lines at the pack's interval or when asked.

What is due follows from the record and not from memory: a centre that was down does at its start, once, what is due.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from servanda.agreement.dates import instant_seconds
from servanda.agreement.pack import Pack
from servanda.journal.state import Entry
from servanda.line.link_tests import LinkTest
from servanda.operations.centre import Centre
from servanda.operations.drafting import Draft, send_alone
from servanda.operations.errors import Refusal, TryLater

ANSWER_SECONDS = 10
"""The least time between two answers to one counterpart: whatever it sends, our journal grows no faster."""
ANSWERED_AT_ONCE = 256
"""How many tests one answer refers to at most: as many as a frame may hold references."""
log = logging.getLogger(__name__)


def link_round(centre: Centre, released: Callable[[], None]) -> None:
    """Do what is due about link tests; `released` is called, without the lock, if our journal has grown."""
    with centre.lock:
        made: list[Entry | None] = [*answer_link_tests(centre), schedule_link_test(centre)]
    if any(entry is not None for entry in made):
        released()


def answer_link_tests(centre: Centre) -> list[Entry]:
    """Answer the link tests that address us, one entry for each counterpart that waits (spec/alerts.md, Link tests).

    A counterpart that was answered less than `ANSWER_SECONDS` ago waits for the next time. Nobody is answered while a
    fork of our own journal is open: what we have answered already does not count there.
    """
    pack = _pack(centre)
    if pack is None or centre.party in centre.record.limits:
        return []
    waiting: dict[str, list[LinkTest]] = {}
    for test in centre.link_tests.unanswered(centre.party):
        if test.entry.party in pack.parties:
            waiting.setdefault(test.entry.party, []).append(test)
    made = []
    for party, tests in sorted(waiting.items()):
        last = centre.link_tests.newest_answer(centre.party, party)
        if last is not None and _since(centre, last) in range(ANSWER_SECONDS):
            continue
        try:
            made.append(send_alone(centre, _answer(centre, party, tests)))
        except Refusal as error:
            log.warning("no answer to the link tests of %s: %s: %s", party, error.code, error)
    return made


def _answer(centre: Centre, party: str, tests: Sequence[LinkTest]) -> Draft:
    """The answer to the newest of a party's tests, and with it to the others of its status, the oldest first."""
    newest = tests[-1]
    others = [test for test in tests[:-1] if test.status == newest.status][: ANSWERED_AT_ONCE - 1]
    return Draft(
        format="link-answer",
        subject="",
        event_at=centre.clock()[:10],
        author="centre",
        to=(party,),
        refers_to=tuple(str(test.entry) for test in (newest, *others)),
        status=newest.status,
        exercise_at=newest.exercise_at,
    )


def schedule_link_test(centre: Centre) -> Entry | None:
    """Test all lines if the pack's interval has passed since they were last tested together; None if it has not.

    However long the centre was down, one test is due and not one for each interval.
    """
    pack = _pack(centre)
    parties = met(centre)
    if pack is None or pack.link_test_minutes is None or not parties or centre.party in centre.record.limits:
        return None
    for test in reversed(centre.link_tests.by(centre.party)):
        if set(parties) <= set(test.to):
            # A test dated after now was dated by a clock that has been put back since.
            if 0 <= instant_seconds(centre.clock()) - test.released < 60 * pack.link_test_minutes:
                return None
            break
    return _test(centre, parties)


def met(centre: Centre) -> list[str]:
    """The counterparts whose cards have been taken, as far as they are parties of the pack in force."""
    pack = _pack(centre)
    return [
        party
        for party, state in sorted(centre.record.journals.items())
        if party != centre.party and pack is not None and party in pack.parties and state.identities.latest is not None
    ]


def _test(centre: Centre, parties: Sequence[str]) -> Entry:
    draft = Draft(
        format="link-test",
        subject="",
        event_at=centre.clock()[:10],
        author="centre",
        to=tuple(parties),
        status="test",
    )
    return send_alone(centre, draft)


def _pack(centre: Centre) -> Pack | None:
    record = centre.speaking
    force = record.in_force(record.whole)
    return record.packs[force] if force is not None else None


def _since(centre: Centre, entry: Entry) -> int:
    assert entry.frame is not None
    return instant_seconds(centre.clock()) - instant_seconds(entry.frame.released_at)


def _link_test(centre: Centre, arguments: Mapping[str, Any]) -> dict[str, Any]:
    known = met(centre)
    wanted = sorted({str(party) for party in arguments.get("parties") or known})
    strange = [party for party in wanted if party not in known]
    if strange:
        raise Refusal(f"{', '.join(strange)} has not been met; met are {', '.join(known) or 'none'}", "party")
    if not wanted:
        raise TryLater("there is no line to test: no counterpart has been met, or no pack is in force", "no-line")
    return {"entry": str(_test(centre, wanted).place), "to": wanted}


COMMANDS: dict[str, Callable[[Centre, Mapping[str, Any]], Any]] = {"link-test": _link_test}
"""Commands of the desk (`operations.desk`)."""
