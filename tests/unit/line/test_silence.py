# SPDX-License-Identifier: Apache-2.0
"""The kinds of silence: each named by its evidence, actual and exercise apart, and nothing claimed beyond it."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from servanda.agreement.dates import instant_seconds, instant_text
from servanda.agreement.pack import Pack
from servanda.journal.state import Entry
from servanda.line.silence import LISTED_MAX, WORDS, patience_minutes, transport_words
from servanda.operations.desk import dispatch
from servanda.operations.drafting import Draft, send_alone
from servanda.operations.errors import Refusal
from servanda.operations.link_tests import answer_link_tests
from servanda.operations.ports import Push
from servanda.operations.receiving import receive
from tests.rig.packs import channel
from tests.rig.world import World

MINUTE = 60
URGENT = {"class": "urgent", "text": "t"}
EXERCISE = {"status": "exercise", "exercise_at": "2014-01-10T12:00:00Z"}


@cache
def _founded(parties: tuple[str, ...], alarm: int) -> World:
    w = World(channel(parties, **{"alarm-minutes": alarm}))
    w.sync()
    return w


def world(*parties: str, alarm: int = 10) -> World:
    return _founded(parties or ("ash", "birch"), alarm).clone()


def warn(w: World, party: str = "ash", to: tuple[str, ...] = ("birch",), **members: Any) -> Entry:
    return w.alone(party, "warn", URGENT, to=to, precedence="flash", **members)


def acknowledge(w: World, entry: Entry, disposition: str = "accepted", party: str = "birch") -> Entry:
    content = {"disposition": disposition, "reason": ""}
    return w.alone(party, "acknowledge", content, refers_to=[entry.place], to=[entry.place.party])


def lost(w: World, sender: str, receiver: str) -> None:
    """Everything arrives, but no receipt comes back."""
    source, target = w.centres[sender], w.centres[receiver]
    first = target.record.journals[sender].size + 1
    leaves = tuple(source.store.leaves(sender, first, 1000))
    receive(target, Push(sender, first, leaves, source.note_at(source.journal.size)), sender)


def page(w: World, minutes: float = 0, of: str = "birch", by: str = "ash") -> dict[str, Any]:
    """The page of a line, so many minutes from now."""
    at = instant_text(instant_seconds(w.clock()) + int(minutes * MINUTE))
    (found,) = dispatch(w.centres[by], {"command": "line-status", "party": of, "at": at})["lines"]
    return dict(found)


def kinds(w: World, minutes: float = 0, status: str = "actual", **whom: str) -> list[str]:
    return [one["kind"] for one in page(w, minutes, **whom)["silence"][status]]


def evidence(w: World, minutes: float, kind: str, status: str = "actual") -> dict[str, list[str | None]]:
    """What shows a kind of silence, by what it is; without their newest entry, a sign of life."""
    (found,) = [one for one in page(w, minutes)["silence"][status] if one["kind"] == kind]
    told: dict[str, list[str | None]] = {}
    for one in found["evidence"]:
        told.setdefault(one["what"], []).append(one.get("entry"))
    newest = str(w.centres["ash"].record.journals["birch"].entries[-1].place)
    assert told.pop("newest", [newest]) == [newest]
    return told


def test_nothing_is_outstanding_between_two_centres_that_have_all_of_each_other() -> None:
    w = world()
    assert kinds(w, minutes=10_000) == ["nothing-outstanding"]
    shown = page(w)
    assert shown["unreceipted"] == {
        "by-status": {"actual": 0, "exercise": 0, "test": 0},
        "count": 0,
        "lag-seconds": 0,
        "since": None,
    }
    assert (shown["receipted"], shown["met"], shown["transport"]) == (shown["size"], True, None)


def test_who_has_not_been_met_is_not_called_silent() -> None:
    w = World(channel(), adopted=False)
    assert kinds(w, minutes=10_000) == ["not-met"]
    assert page(w)["last-contact"] is None


# Line down.


def test_a_line_is_down_when_nothing_is_receipted_for_longer_than_the_pack_allows() -> None:
    w = world()
    note = w.say("ash", "note", {"text": "t"})
    assert kinds(w, minutes=9) == ["nothing-outstanding"]
    assert kinds(w, minutes=11) == ["line-down"]
    assert evidence(w, 11, "line-down") == {"unreceipted": [str(note.place)], "receipt": [None]}
    (found,) = page(w, 11)["silence"]["actual"]
    assert note.frame is not None
    assert found["since"] == instant_text(instant_seconds(note.frame.released_at))
    assert "cannot be proved" in found["does-not-prove"]
    w.sync()
    assert kinds(w, minutes=11) == ["nothing-outstanding"]


@pytest.mark.parametrize(("tests", "alarm", "patience"), [(None, 10, 10), (5, 10, 5), (60, 10, 10)])
def test_the_pack_says_how_long_a_receipt_may_take(tests: int | None, alarm: int, patience: int) -> None:
    pack: Pack = channel(**{"link-test-minutes": tests, "alarm-minutes": alarm})
    assert patience_minutes(pack) == patience


def test_an_alert_whose_clock_has_run_out_unreceipted_shows_the_line_down_at_once() -> None:
    w = world(alarm=50)
    warn(w)
    assert kinds(w, minutes=9) == ["nothing-outstanding"]
    assert kinds(w, minutes=11) == ["line-down"]


def test_all_that_waits_is_counted_and_some_of_it_listed() -> None:
    w = world()
    for number in range(LISTED_MAX + 5):
        w.say("ash", "note", {"text": str(number)})
    (found,) = page(w, 11)["silence"]["actual"]
    assert found["count"] == LISTED_MAX + 5
    assert len(evidence(w, 11, "line-down")["unreceipted"]) == LISTED_MAX
    assert page(w, 11)["unreceipted"]["count"] == LISTED_MAX + 5


def test_a_link_test_without_receipt_shows_the_line_down_when_nothing_else_was_sent() -> None:
    w = world()
    dispatch(w.centres["ash"], {"command": "link-test"})
    assert kinds(w, minutes=11) == ["line-down"]
    assert kinds(w, 11, "exercise") == kinds(w, 11, "test") == ["nothing-outstanding"]
    assert page(w, 11)["silence"]["actual"][0]["evidence"][0]["status"] == "test"


def test_the_other_lines_of_a_centre_are_judged_each_for_itself() -> None:
    w = world("ash", "birch", "cedar")
    warn(w, to=("birch", "cedar"))
    w.deliver("ash", "cedar")
    assert kinds(w, 11) == ["line-down"]
    assert kinds(w, 11, of="cedar") == ["nobody-on-duty"]


# Centre up.


def test_a_receipted_alert_that_nobody_acknowledges_in_time_is_nobody_on_duty() -> None:
    w = world()
    alert = warn(w)
    w.sync()
    assert kinds(w, minutes=9) == ["nothing-outstanding"]
    assert kinds(w, minutes=11) == ["nobody-on-duty"]
    assert evidence(w, 11, "nobody-on-duty") == {"question": [str(alert.place)], "receipt": [None]}
    acknowledge(w, alert)
    w.sync()
    assert kinds(w, minutes=11) == ["nothing-outstanding"]


def test_a_link_answer_shows_the_centre_up_when_its_receipts_do_not_come() -> None:
    w = world()
    alert = warn(w)
    dispatch(w.centres["ash"], {"command": "link-test"})
    lost(w, "ash", "birch")
    (answer,) = answer_link_tests(w.centres["birch"])
    lost(w, "birch", "ash")
    assert kinds(w, minutes=11) == ["nobody-on-duty"]
    assert evidence(w, 11, "nobody-on-duty") == {
        "question": [str(alert.place)],
        "receipt": [None],
        "link-answer": [str(answer.place)],
    }


def test_entries_of_theirs_that_cover_ours_show_that_they_came_though_no_receipt_did() -> None:
    w = world()
    alert = warn(w)
    lost(w, "ash", "birch")
    assert kinds(w, minutes=11) == ["line-down"]
    acknowledge(w, alert)
    lost(w, "birch", "ash")
    assert page(w)["unreceipted"]["count"] == 1
    assert kinds(w, minutes=11) == ["nothing-outstanding"]
    w.say("ash", "note", {"text": "of which nothing is heard"})
    assert kinds(w, minutes=11) == ["line-down"]


def test_a_link_answer_from_before_the_alert_shows_nothing_about_it() -> None:
    w = world()
    dispatch(w.centres["ash"], {"command": "link-test"})
    w.sync()
    answer_link_tests(w.centres["birch"])
    w.sync()
    warn(w)
    assert kinds(w, minutes=11) == ["line-down"]


def test_where_an_officer_has_signed_since_it_is_not_said_that_nobody_is_on_duty() -> None:
    w = world()
    before = w.say("birch", "note", {"text": "before"})
    alert = warn(w)
    w.sync()
    assert kinds(w, minutes=11) == ["nobody-on-duty"]
    signed = w.say("birch", "note", {"text": "of something else"})
    w.sync()
    assert kinds(w, minutes=11) == ["not-acknowledged"]
    shown = evidence(w, 11, "not-acknowledged")
    assert (shown["question"], shown["signed"]) == ([str(alert.place)], [str(signed.place)])
    assert str(before.place) not in shown["signed"]


def test_machines_that_write_are_no_officers_on_duty() -> None:
    w = world()
    warn(w)
    dispatch(w.centres["ash"], {"command": "link-test"})
    w.sync()
    answer_link_tests(w.centres["birch"])
    w.sync()
    assert kinds(w, minutes=11) == ["nobody-on-duty"]


def test_an_alert_held_there_and_a_line_that_broke_later_are_both_named_the_gravest_first() -> None:
    w = world()
    warn(w)
    w.sync()
    w.say("ash", "note", {"text": "does not arrive"})
    assert kinds(w, minutes=11) == ["line-down", "nobody-on-duty"]


# Read, not answered.


def test_an_acknowledged_alert_whose_answer_does_not_come_is_read_and_not_answered() -> None:
    w = world()
    alert = warn(w)
    w.sync()
    read = acknowledge(w, alert)
    w.sync()
    assert kinds(w, minutes=59) == ["nothing-outstanding"]
    assert kinds(w, minutes=61) == ["read-not-answered"]
    assert evidence(w, 61, "read-not-answered") == {"question": [str(alert.place)], "acknowledged": [str(read.place)]}
    w.say("birch", "tell", {"text": "a"}, refers_to=[alert.place], to=["ash"])
    w.sync()
    assert kinds(w, minutes=61) == ["nothing-outstanding"]


def test_an_alert_that_was_opened_and_not_acknowledged_is_read_and_not_answered() -> None:
    w = world()
    alert = warn(w)
    w.sync()
    opened = acknowledge(w, alert, "opened")
    w.sync()
    assert kinds(w, minutes=11) == ["read-not-answered"]
    assert evidence(w, 11, "read-not-answered")["opened"] == [str(opened.place)]


def test_after_an_insufficient_answer_the_next_one_is_waited_for() -> None:
    w = world()
    alert = warn(w)
    w.sync()
    answer = w.say("birch", "tell", {"text": "a"}, refers_to=[alert.place], to=["ash"])
    w.sync()
    w.say("ash", "assess", {"assessment": "insufficient", "reason": "r"}, refers_to=[answer.place], to=["birch"])
    w.sync()
    assert kinds(w, minutes=59) == ["nothing-outstanding"]
    assert kinds(w, minutes=61) == ["read-not-answered"]


@pytest.mark.parametrize("ending", ["rejected", "closed"])
def test_what_was_rejected_or_closed_is_not_waited_for(ending: str) -> None:
    w = world()
    alert = warn(w)
    w.sync()
    if ending == "rejected":
        acknowledge(w, alert, "rejected")
    else:
        w.say("ash", "close", {"reason": "r"}, refers_to=[alert.place], to=["birch"])
    w.sync()
    assert kinds(w, minutes=1000) == ["nothing-outstanding"]


def test_what_they_ask_of_us_is_no_silence_of_theirs() -> None:
    w = world()
    warn(w, "birch", to=("ash",))
    w.sync()
    assert kinds(w, minutes=100) == ["nothing-outstanding"]
    assert kinds(w, minutes=100, of="ash", by="birch") == ["nobody-on-duty"]


def test_what_a_third_party_asks_of_them_is_no_silence_towards_us() -> None:
    w = world("ash", "birch", "cedar")
    warn(w, "cedar", to=("birch",))
    w.sync()
    assert kinds(w, minutes=100) == ["nothing-outstanding"]
    assert kinds(w, minutes=100, by="cedar") == ["nobody-on-duty"]


# Suspended.


def regime(w: World, state: str, *formats: str, since: str = "2026-01-01", **members: Any) -> Entry:
    content = {"formats": list(formats), "reason": "r", "since": since, "state": state}
    entry = w.say("birch", "regime", content, to=["ash"], **members)
    w.sync()
    return entry


def test_a_notice_of_suspension_is_named_with_its_entry_and_its_day() -> None:
    w = world()
    entry = regime(w, "suspended", "warn")
    (found,) = page(w)["silence"]["actual"]
    assert (found["kind"], found["since"]) == ("regime-suspended", "2026-01-01")
    assert [(one["what"], one["entry"]) for one in found["evidence"]] == [("notice", str(entry.place))]
    regime(w, "applied", "warn", since="2026-01-02")
    assert kinds(w) == ["nothing-outstanding"]


def test_a_notice_about_many_formats_is_one_piece_of_evidence() -> None:
    w = world()
    names = sorted({name for name, _ in w.pack.formats})
    assert len(names) > LISTED_MAX
    entry = regime(w, "suspended", *names)
    (found,) = page(w)["silence"]["actual"]
    (told,) = found["evidence"]
    assert told["entry"] == str(entry.place)
    assert told["words"].startswith(
        f"suspends {', '.join(names[:LISTED_MAX])} and {len(names) - LISTED_MAX} more since"
    )
    assert len(page(w)["regime"]) == len(names)
    regime(w, "applied", *names[1:])
    ((told,),) = [one["evidence"] for one in page(w)["silence"]["actual"]]
    assert told["words"] == f"suspends {names[0]} since 2026-01-01: r"


def test_a_suspension_announced_for_later_is_not_yet_one() -> None:
    w = world()
    regime(w, "suspended", since="2026-01-03")
    assert kinds(w) == ["nothing-outstanding"]
    assert kinds(w, minutes=3 * 24 * 60) == ["regime-suspended"]


def test_a_suspension_takes_the_place_of_no_other_kind() -> None:
    w = world()
    regime(w, "suspended")
    warn(w)
    w.sync()
    assert kinds(w, minutes=11) == ["nobody-on-duty", "regime-suspended"]


# Exercises and tests.


def test_an_exercise_alert_that_is_overdue_leaves_the_actual_line_as_it_is() -> None:
    w = world()
    warn(w, **EXERCISE)
    w.sync()
    assert kinds(w, minutes=11) == ["nothing-outstanding"]
    assert kinds(w, 11, "exercise") == ["nobody-on-duty"]
    assert kinds(w, 11, "test") == ["nothing-outstanding"]


def test_an_exercise_entry_that_does_not_arrive_is_a_silence_of_the_exercise() -> None:
    w = world()
    w.say("ash", "note", {"text": "t"}, **EXERCISE)
    assert kinds(w, minutes=11) == ["nothing-outstanding"]
    assert kinds(w, 11, "exercise") == ["line-down"]
    assert page(w)["unreceipted"]["by-status"] == {"actual": 0, "exercise": 1, "test": 0}


def test_an_exercise_notice_of_suspension_suspends_nothing_actual() -> None:
    w = world()
    regime(w, "suspended", **EXERCISE)
    assert kinds(w) == ["nothing-outstanding"]
    assert kinds(w, 0, "exercise") == ["regime-suspended"]
    assert [one["status"] for one in page(w)["regime"]] == ["exercise"]


def test_both_kinds_of_traffic_have_their_own_silence_side_by_side() -> None:
    w = world()
    real = warn(w)
    warn(w, **EXERCISE)
    w.sync()
    acknowledge(w, real)
    w.sync()
    assert kinds(w, minutes=61) == ["read-not-answered"]
    # The officer who acknowledged the actual alert is there, and the exercise alert is still not acknowledged.
    assert kinds(w, 61, "exercise") == ["not-acknowledged"]


# What is said.


def test_every_kind_says_what_it_does_not_prove_and_none_says_why() -> None:
    for kind, words in WORDS.items():
        assert words.leaves_open, kind
        said = " ".join(words).lower()
        assert not [word for word in ("refuse", "breach", "violat", "hostile", "ignore") if word in said], kind


def test_kinds_come_in_the_order_of_their_gravity() -> None:
    w = world()
    regime(w, "suspended")
    read, unread = warn(w), warn(w)
    w.sync()
    acknowledge(w, read, "opened")
    w.sync()
    w.say("ash", "note", {"text": "does not arrive"})
    found = kinds(w, minutes=61)
    assert found == ["line-down", "not-acknowledged", "read-not-answered", "regime-suspended"]
    assert found == [kind for kind in WORDS if kind in found]
    assert evidence(w, 61, "not-acknowledged")["question"] == [str(unread.place)]


def test_a_receipt_dated_after_our_time_is_shown() -> None:
    w = world()
    w.clock.seconds += 3600
    w.say("ash", "note", {"text": "t"})
    w.sync()
    w.clock.seconds -= 3600
    assert page(w)["receipt-ahead-seconds"] > 3000
    w.clock.seconds += 4000
    assert page(w)["receipt-ahead-seconds"] == 0


@pytest.mark.parametrize(
    ("arguments", "code"), [({"party": "elm"}, "party"), ({"party": "ash"}, "party"), ({"at": "soon"}, "usage")]
)
def test_bad_questions_are_refused(arguments: dict[str, str], code: str) -> None:
    with pytest.raises(Refusal) as caught:
        dispatch(world().centres["ash"], {"command": "line-status"} | arguments)
    assert caught.value.code == code


def test_the_page_has_the_history_of_link_tests_and_what_had_no_effect() -> None:
    w = world()
    dispatch(w.centres["ash"], {"command": "link-test"})
    w.sync()
    w.clock.seconds += 30
    answer_link_tests(w.centres["birch"])
    w.sync()
    tests = page(w)["link-tests"]
    assert (tests["by-us"]["tests"], tests["by-us"]["answered"]) == (1, 1)
    assert tests["by-us"]["median"] == tests["by-us"]["worst"] == tests["by-us"]["history"][0]["response"] >= 30
    assert (tests["by-them"]["tests"], tests["by-them"]["median"]) == (0, None)
    assert page(w, of="ash", by="birch")["link-tests"]["by-them"] == tests["by-us"]


def test_last_contact_is_the_newest_sign_of_the_other_centre() -> None:
    w = world()
    w.clock.seconds += 100
    send_alone(
        w.centres["birch"],
        Draft(format="citation", subject="", event_at="2026-01-01", author="centre"),
    )
    w.deliver("birch", "ash")
    contact = page(w)["last-contact"]
    assert (contact["what"], contact["clock"]) == (f"birch/{w.centres['birch'].journal.size} came", "ours")
    w.clock.seconds += 100
    w.say("ash", "note", {"text": "t"})
    w.deliver("ash", "birch")
    assert page(w)["last-contact"]["clock"] == "theirs"


def test_a_relay_that_answers_is_not_said_to_be_the_party_behind_it() -> None:
    assert transport_words({"up": True, "route": "address", "trouble": ""}) == "answers now"
    told = transport_words({"up": True, "route": "relay cedar", "trouble": "address: refused"})
    assert "answers now" not in told
    assert "relay cedar answers, and not necessarily the party behind it" in told
    assert transport_words({"up": False, "route": None, "trouble": "refused"}) == "no way now: refused"
