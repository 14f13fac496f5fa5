# SPDX-License-Identifier: Apache-2.0
"""The calendar is an iCalendar file that other programs read, marked where it is an exercise, the same each time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from servanda.cli.calendars import file_of
from servanda.interchange.ical import Event, calendar_file
from servanda.operations.desk import dispatch
from tests.worked_example.replayed import replayed

AT = datetime(2013, 9, 10, tzinfo=UTC)
DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))
EVENTS = st.builds(
    lambda name, first, days, words, status: Event(
        name, "meeting", first, first + timedelta(days=days), words, words, "planned", status
    ),
    st.from_regex(r"contact-[a-z][a-z0-9-]{0,31}", fullmatch=True),
    DAYS,
    st.integers(0, 31),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=300),
    st.sampled_from(["actual", "exercise", "test"]),
)


@given(events=st.lists(EVENTS, max_size=5, unique_by=lambda event: event.name))
def test_whatever_words_it_has_the_file_is_read_again_as_it_was_made(events: list[Event]) -> None:
    made = calendar_file(events, "ab" * 32, "Title", AT)
    assert made == calendar_file(list(reversed(events)), "ab" * 32, "Title", AT)
    assert all(len(line) <= 75 for line in made.split(b"\r\n"))
    read = {str(one["uid"]).split("@")[0]: one for one in Calendar.from_ical(made).walk("VEVENT")}
    assert set(read) == {event.name for event in events}
    for event in events:
        one = read[event.name]
        assert (one.decoded("dtstart"), one.decoded("dtend")) == (event.first, event.last + timedelta(days=1))
        mark = "" if event.status == "actual" else f"{event.status.upper()}: "
        assert str(one["summary"]) == mark + event.summary


def test_a_line_in_somebody_s_words_is_no_line_of_the_file() -> None:
    words = "Talks\r\nSTATUS:CANCELLED\nEND:VEVENT"
    event = Event("contact-x", "meeting", date(2013, 9, 3), date(2013, 9, 4), words, words, "planned", "actual")
    made = calendar_file([event], "ab" * 32, "Title", AT)
    (one,) = Calendar.from_ical(made).walk("VEVENT")
    assert str(one["status"]) == "TENTATIVE"
    assert made.split(b"\r\n").count(b"END:VEVENT") == 1


def test_the_calendar_of_the_dialogue_has_the_summit_and_what_is_due_and_names_what_has_no_day() -> None:
    world, _ = replayed("us-ru-2013")
    asked = {"command": "calendar", "at": "2013-09-02T12:00:00Z"}
    one, other = (dispatch(centre, asked) for centre in world.centres.values())
    assert one == other
    assert one["left-out"] == ["los-cabos", "patrushev-obama"]
    read = {str(e["uid"]).split("@")[0]: e for e in Calendar.from_ical(file_of(one, "en")).walk("VEVENT")}
    summit = read["contact-moscow-summit"]
    assert (summit.decoded("dtstart"), summit.decoded("dtend")) == (date(2013, 9, 3), date(2013, 9, 5))
    assert str(summit["summary"]).startswith("EXERCISE: ")
    assert str(summit["status"]) == "TENTATIVE"
    assert str(read["contact-june-meeting"]["status"]) == "CONFIRMED"
    assert read["obligation-SUMMIT"].decoded("dtstart") == date(2013, 9, 4)
