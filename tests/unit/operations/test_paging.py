# SPDX-License-Identifier: Apache-2.0
"""Who is paged for what, how often, and with which words: from the record alone, and never with a word of an entry."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servanda.journal.state import Entry
from servanda.operations.errors import Refusal
from servanda.operations.escalating import escalate
from servanda.operations.paging import PRECEDENCES, RETRY_SECONDS_MAX, Page, Paging, page_text
from tests.rig.world import World
from tests.unit.operations.test_escalating import MINUTE, warn, world


class ScriptedPager:
    """Keeps what it is given; addresses by index do not take the page while they are in `broken`."""

    def __init__(self, *known: str) -> None:
        self.known = frozenset(known)
        self.sent: list[tuple[str, str, str]] = []
        self.broken: set[int] = set()
        self.trouble = ""

    def prepare(self) -> None:
        pass

    def contacts(self) -> frozenset[str]:
        if self.trouble:
            raise Refusal(self.trouble, "paging")
        return self.known

    def send(self, contact: str, only: Sequence[int] | None, title: str, body: str) -> list[int]:
        if contact not in self.contacts():
            raise Refusal(f"{contact} has no addresses in paging.toml", "paging")
        missed = [index for index in ([0, 1] if only is None else only) if index in self.broken]
        self.sent.append((contact, title, body))
        return missed


def paging(w: World, party: str, pager: ScriptedPager, officer: str | None = None) -> Paging:
    return Paging(w.centres[party], pager, lambda: officer)


def drain(pages: Paging, now: float = 1e6) -> None:
    """Send everything that waits, with time enough between two pages."""
    while pages.send_due(now) is not None:
        now += RETRY_SECONDS_MAX


def notice(w: World, **members: Any) -> Entry:
    return w.alone("ash", "warn", {"class": "notice", "text": "t"}, to=("birch",), precedence="routine", **members)


def test_a_flash_alert_that_nobody_has_opened_pages_who_is_on_duty_once() -> None:
    w, pager = world(), ScriptedPager("watch", "watch-2")
    pages = paging(w, "birch", pager, officer="watch-2")
    warn(w)
    pages.collect()
    assert pages.view()["pages"] == []
    w.sync()
    pages.collect()
    pages.collect()
    drain(pages)
    assert [(contact, title) for contact, title, _ in pager.sent] == [
        ("watch-2", "FLASH: something waits at the centre of birch")
    ]
    pages.collect()
    assert pages.view()["pages"] == []


def test_without_an_officer_who_has_addresses_the_first_contact_is_paged() -> None:
    w, pager = world(), ScriptedPager("deputy")
    warn(w)
    w.sync()
    pages = paging(w, "birch", pager, officer="watch-9")
    pages.collect()
    drain(pages)
    assert [contact for contact, _, _ in pager.sent] == ["deputy"]


def test_a_question_that_was_opened_before_anybody_could_be_paged_pages_nobody() -> None:
    w, pager = world(), ScriptedPager("watch")
    alert = warn(w)
    w.sync()
    opening = {"disposition": "opened", "reason": ""}
    w.alone("birch", "acknowledge", opening, refers_to=[alert.place], to=["ash"])
    pages = paging(w, "birch", pager)
    pages.collect()
    assert pages.view()["pages"] == []


def test_routine_pages_only_when_its_clock_calls_for_it() -> None:
    w, pager = world(), ScriptedPager("watch", "deputy")
    notice(w)
    w.sync()
    pages = paging(w, "birch", pager)
    pages.collect()
    assert pages.view()["pages"] == []
    w.clock.seconds += 11 * MINUTE
    escalate(w.centres["birch"])
    pages.collect()
    drain(pages)
    assert [(contact, title.split(":")[0]) for contact, title, _ in pager.sent] == [("watch", "ROUTINE")]


def test_each_escalation_pages_the_contact_that_it_names_at_both_sides() -> None:
    w = world()
    warn(w)
    w.sync()
    for party in ("ash", "birch"):
        pager = ScriptedPager("watch", "deputy")
        pages = paging(w, party, pager)
        pages.collect()
        drain(pages)
        pager.sent.clear()
        begun = w.clock.seconds
        for minutes in (11, 14):
            w.clock.seconds = begun + minutes * MINUTE
            escalate(w.centres[party])
            pages.collect()
            drain(pages)
        assert [contact for contact, _, _ in pager.sent] == ["watch", "deputy"]
        w.clock.seconds = begun


def test_a_burst_is_one_page_and_not_one_for_each() -> None:
    w, pager = world(), ScriptedPager("watch")
    for _ in range(30):
        warn(w)
    w.sync()
    pages = paging(w, "birch", pager)
    pages.collect()
    (page,) = pages.view()["pages"]
    assert page["reasons"] == 30
    drain(pages)
    assert len(pager.sent) == 1


def test_what_comes_within_seconds_of_a_page_waits_unless_it_is_more_urgent() -> None:
    w, pager = world(), ScriptedPager("watch")
    pages = paging(w, "birch", pager)
    pages.gap("2026-01-05T00:00:00Z", "actual")
    assert pages.send_due(100.0) == 0.0
    pages.gap("2026-01-06T00:00:00Z", "actual")
    wait = pages.send_due(101.0)
    assert wait == pytest.approx(9.0)
    warn(w)
    w.sync()
    pages.collect()
    assert pages.send_due(101.0) == 0.0
    assert [title.split(":")[0] for _, title, _ in pager.sent] == ["PRIORITY", "FLASH"]


def test_a_page_that_fails_is_kept_logged_shown_and_tried_again_where_it_failed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    w, pager = world(), ScriptedPager("watch")
    warn(w)
    w.sync()
    pages = paging(w, "birch", pager)
    pager.broken = {1}
    pages.collect()
    now, waits = 0.0, []
    with caplog.at_level(logging.WARNING):
        for _ in range(8):
            pages.send_due(now)
            wait = pages.send_due(now)
            assert wait is not None
            waits.append(wait)
            now += wait
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300]
    (shown,) = pages.view()["pages"]
    assert (shown["tries"], shown["left"]) == (8, [1])
    assert "did not take the page" in shown["trouble"]
    assert caplog.text.count("page to watch, flash, try") == 8
    # Killed meanwhile: the page is still there, and goes out when the gateway answers again.
    again = Paging(w.reopened("birch"), pager, lambda: None)
    again.collect()
    pager.broken = set()
    drain(again)
    assert again.view()["pages"] == []


def test_a_crash_between_collecting_and_sending_loses_no_page() -> None:
    w, pager = world(), ScriptedPager("watch")
    warn(w)
    w.sync()
    paging(w, "birch", pager).collect()
    again = Paging(w.reopened("birch"), pager, lambda: None)
    again.collect()
    drain(again)
    assert len(pager.sent) == 1
    third = Paging(w.reopened("birch"), pager, lambda: None)
    third.collect()
    drain(third)
    assert len(pager.sent) == 2, "the second centre's store was another copy: at least once, never not at all"


def test_a_contact_without_addresses_is_no_silent_failure() -> None:
    w, pager = world(), ScriptedPager("watch")
    warn(w)
    w.sync()
    w.clock.seconds += 14 * MINUTE
    escalate(w.centres["birch"])
    pages = paging(w, "birch", pager)
    pages.collect()
    pages.send_due(0.0)
    pages.send_due(0.0)
    assert "deputy has no addresses" in " ".join(page["trouble"] for page in pages.view()["pages"])


def test_settings_that_break_while_on_duty_lose_no_page() -> None:
    w, pager = world(), ScriptedPager("watch")
    pages = paging(w, "birch", pager)
    pager.trouble = "paging.toml may be read by others"
    warn(w)
    w.sync()
    pages.collect()
    pages.send_due(0.0)
    view = pages.view()
    assert view["trouble"] == pager.trouble
    assert [page["trouble"] for page in view["pages"]] == [pager.trouble]
    pager.trouble = ""
    drain(pages)
    assert len(pager.sent) == 1


def test_where_nobody_is_to_be_paged_nothing_is_queued() -> None:
    w = world()
    warn(w)
    w.sync()
    pages = paging(w, "birch", ScriptedPager())
    pages.collect()
    pages.gap("2026-01-05T00:00:00Z", "actual")
    assert pages.view() == {"contacts": [], "pages": [], "trouble": ""}


def test_a_gap_in_the_roster_is_paged_once() -> None:
    w, pager = world(), ScriptedPager("watch")
    pages = paging(w, "birch", pager)
    for _ in range(3):
        pages.gap("2026-01-05T00:00:00Z", "actual")
        drain(pages)
    again = Paging(w.reopened("birch"), pager, lambda: None)
    again.gap("2026-01-05T00:00:00Z", "actual")
    drain(again)
    assert len(pager.sent) == 1


def test_what_comes_in_while_a_page_is_on_its_way_gets_a_page_of_its_own() -> None:
    w, pager = world(), ScriptedPager("watch")
    pages = paging(w, "birch", pager)
    warn(w)
    w.sync()
    pages.collect()
    original = pager.send

    def send(*arguments: Any) -> list[int]:
        if not pager.sent:
            warn(w)
            w.sync()
            pages.collect()
        return original(*arguments)

    pager.send = send  # type: ignore[method-assign]
    pages.send_due(0.0)
    assert [page["reasons"] for page in pages.view()["pages"]] == [1]
    drain(pages)
    assert len(pager.sent) == 2


@pytest.mark.parametrize(("status", "mark"), [("exercise", "EXERCISE"), ("test", "TEST")])
def test_what_is_not_actual_says_so_in_front_and_behind(status: str, mark: str) -> None:
    for text in page_text("birch", status, "flash"):
        assert text.startswith(f"{mark} {mark} ")
        assert text.endswith(f" {mark} {mark}")
    assert all(mark not in text for text in page_text("birch", "actual", "flash"))


def test_an_exercise_and_an_actual_alert_never_share_a_page() -> None:
    w, pager = world(), ScriptedPager("watch")
    warn(w)
    warn(w, "exercise")
    w.sync()
    pages = paging(w, "birch", pager)
    pages.collect()
    drain(pages)
    assert sorted("EXERCISE" in title for _, title, _ in pager.sent) == [False, True]


@given(subject=st.text(max_size=60), text=st.text(max_size=60))
def test_no_word_of_an_entry_reaches_a_page(subject: str, text: str) -> None:
    w, pager = world(), ScriptedPager("watch")
    try:
        w.alone("ash", "warn", {"class": "urgent", "text": text}, to=("birch",), precedence="flash", subject=subject)
    except Refusal:
        return  # no text of JSON
    w.sync()
    pages = paging(w, "birch", pager)
    pages.collect()
    drain(pages)
    assert [(title, body) for _, title, body in pager.sent] == [page_text("birch", "actual", "flash")]


def test_pages_are_ordered_by_urgency_and_the_precedences_are_those_of_the_frame() -> None:
    from servanda.journal.frame import Precedence

    assert Precedence.__args__ == PRECEDENCES  # type: ignore[attr-defined]
    w, pager = world(), ScriptedPager("a", "b")
    pages = paging(w, "birch", pager)
    for contact, precedence in (("a", "routine"), ("b", "flash")):
        pages._queue(contact, "actual", precedence, "ash/1")
    assert isinstance(pages._pages[0], Page)
    drain(pages)
    assert [contact for contact, _, _ in pager.sent] == ["b", "a"]
