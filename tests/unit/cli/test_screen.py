# SPDX-License-Identifier: Apache-2.0
"""The watch's screen: 80 columns, no colour, every layer a column of its own, and nobody reads a drill as real."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from servanda.agreement.dates import instant_seconds
from servanda.cli.desk import acknowledge
from servanda.cli.screen import WIDTH, clock_text, screen, span_text, within
from servanda.line.roster import EMPTY, Roster, Shift
from servanda.operations.casework import COMMANDS, facts_of
from servanda.operations.desk import dispatch
from servanda.operations.errors import Refusal
from servanda.operations.standing import watch_view
from tests.rig.world import World
from tests.unit.operations.test_escalating import MINUTE, warn, world

HOSTILE = "\x1b[2J\u202eActual\n\nNothing waits for you.\r" + "界" * 100


def shown(w: World, party: str = "birch", **more: Any) -> list[str]:
    centre = w.centres[party]
    duty = {**watch_view(centre, EMPTY), "trouble": ""}
    return screen({**COMMANDS["watch"](centre, {}), "duty": duty, "exercise": None, **more})


def layers(w: World, party: str = "birch") -> str:
    """The row of layers of the only question, as the party's screen has it."""
    lines = shown(w, party)
    at = next(n for n, line in enumerate(lines) if "acc/rej" in line and "assess" in line and " to " in line)
    return lines[at + 1]


def cells(w: World, party: str = "birch") -> list[str]:
    return layers(w, party).split()[1:]


def test_receipt_opening_acceptance_answer_and_assessment_are_never_one_column() -> None:
    w = world()
    alert = warn(w)
    assert [cell == "-" for cell in cells(w, "ash")] == [False, True, True, True, True, True, True]
    w.sync()
    w.alone("ash", "alert", {"text": "cites"})
    w.sync()
    assert [cell == "-" for cell in cells(w)] == [False, False, True, True, True, True, True]
    for disposition, dashes in (("opened", [False] * 3 + [True] * 4),):
        told = {"disposition": disposition, "reason": ""}
        w.alone("birch", "acknowledge", told, refers_to=[alert.place], to=["ash"])
        assert [cell == "-" for cell in cells(w)] == dashes
    w.alone("birch", "acknowledge", {"disposition": "rejected", "reason": "no"}, refers_to=[alert.place], to=["ash"])
    assert "REJ" in layers(w)
    answer = w.say("birch", "tell", {"text": "t"}, refers_to=[alert.place], to=["ash"])
    w.sync()
    told = {"assessment": "insufficient", "reason": "r"}
    w.say("ash", "assess", told, refers_to=[answer.place], to=["birch"])
    w.sync()
    row = layers(w)
    assert row.count("00:") == 6
    assert "INS" in row
    assert row.rstrip().endswith("-")


@pytest.mark.parametrize(("status", "mark"), [("exercise", "EXERCISE"), ("test", "TEST")])
def test_every_line_about_what_is_not_actual_says_so(status: str, mark: str) -> None:
    w = world()
    warn(w, status, subject="Boats adrift")
    for party in ("ash", "birch"):
        if party == "birch":
            w.sync()
        lines = shown(w, party)
        about = [line for line in lines if any(word in line for word in ("ash/", "Boats", " by birch", "  birch"))]
        assert len(about) >= 4
        assert [line for line in about if not line.startswith(f"{mark} ")] == []


def test_clocks_count_down_and_say_when_they_have_run_out() -> None:
    w = world()
    warn(w)
    w.sync()
    w.clock.seconds += 4 * MINUTE
    assert any("acknowledge by birch: 05:" in line and "left" in line for line in shown(w))
    w.clock.seconds += 10 * MINUTE
    assert any("acknowledge by birch: OVERDUE by 04:" in line for line in shown(w))


def test_what_waits_is_said_in_the_order_of_what_is_to_be_done() -> None:
    w = world()
    alert = warn(w)
    w.sync()

    def waits(party: str) -> list[str]:
        return [item["what"] for item in COMMANDS["watch"](w.centres[party], {})["waits"]]

    assert waits("birch") == ["open", "answer"]
    told = {"disposition": "opened", "reason": ""}
    w.alone("birch", "acknowledge", told, refers_to=[alert.place], to=["ash"])
    assert waits("birch") == ["acknowledge", "answer"]
    w.say("birch", "tell", {"text": "t"}, refers_to=[alert.place], to=["ash"])
    assert waits("birch") == []
    w.sync()
    assert waits("ash") == ["assess"]
    w.say("ash", "close", {"reason": "r"}, refers_to=[alert.place], to=["birch"])
    assert waits("ash") == []
    assert COMMANDS["watch"](w.centres["ash"], {})["open-cases"] == 0


def test_what_is_not_delivered_is_named_with_age_and_reason() -> None:
    w = world()
    warn(w)
    w.clock.seconds += 95
    lines = shown(w, "ash")
    assert "UNDELIVERED to birch: 1; the centre is off duty: nothing is delivered" in lines
    assert any(line.startswith("  ash/") and "flash" in line and "for 01:" in line for line in lines)


def test_text_of_a_counterpart_cannot_move_the_cursor_or_make_lines_of_its_own() -> None:
    w = world()
    w.alone("ash", "warn", {"class": "urgent", "text": "t"}, to=("birch",), precedence="flash", subject=HOSTILE)
    w.sync()
    lines = shown(w)
    assert all(len(line) <= WIDTH for line in lines)
    assert not any(c in "".join(lines) for c in "\x1b\r\n\u202e")
    assert "Nothing waits for you." not in lines


def test_many_cases_are_cut_with_their_number_and_the_most_urgent_first() -> None:
    w = world()
    for _ in range(3):
        w.alone("ash", "warn", {"class": "notice", "text": "t"}, to=("birch",), precedence="routine")
    last = warn(w)
    for _ in range(60):
        w.alone("ash", "warn", {"class": "notice", "text": "t"}, to=("birch",), precedence="routine")
    view = COMMANDS["watch"](w.centres["ash"], {})
    assert (view["open-cases"], len(view["cases"])) == (64, 50)
    w.clock.seconds += 6 * MINUTE  # the reminder of the urgent one is due before anything of the others
    assert COMMANDS["watch"](w.centres["ash"], {})["cases"][0]["case"] == str(last.place)
    assert "… and 14 more; `servanda alerts` shows all" in shown(w, "ash")


def test_the_head_says_who_is_on_duty_and_what_is_wrong_with_the_roster() -> None:
    w = world()
    begin = instant_seconds(w.clock()) - 60
    view = {**COMMANDS["watch"](w.centres["ash"], {}), "exercise": {"pace": 60, "epoch": "2026-01-01T00:00:00Z"}}
    roster = Roster((Shift(begin, begin + 3600, "duty"), Shift(begin + 7200, begin + 9000, "chief")))
    lines = screen({**view, "duty": {**watch_view(w.centres["ash"], roster), "trouble": ""}})
    assert lines[0].startswith("EXERCISE EXERCISE: clock 60 times as fast")
    assert any(line.startswith("On duty: duty since 2025-12-31T23:59Z") for line in lines)
    assert any(line.startswith("Next hand-over: 2026-01-01") and line.endswith("to chief") for line in lines)
    assert any(line.startswith("ROSTER GAP: nobody from") for line in lines)
    bad = screen({**view, "duty": {**watch_view(w.centres["ash"], EMPTY), "trouble": "no TOML"}})
    assert "ROSTER CANNOT BE READ: no TOML" in bad
    assert "On duty: NOBODY" in bad


def test_pages_that_have_failed_and_lines_that_are_down_are_on_the_screen() -> None:
    page = {"contact": "watch", "status": "exercise", "precedence": "flash", "since": "2026-01-01T00:00:00.000Z"}
    page |= {"tries": 3, "trouble": "1 of the addresses of watch did not take the page"}
    lines = shown(
        world(),
        lines={"ash": {"up": False, "trouble": "no answer in time"}},
        paging={"contacts": ["watch"], "trouble": "", "pages": [page, {**page, "tries": 0}]},
    )
    assert "Line to ash: DOWN no answer in time" in lines
    assert any(line.startswith("EXERCISE PAGE NOT DELIVERED, 3 tries: to watch") for line in lines)
    assert any(line.startswith("EXERCISE page on its way") for line in lines)
    unset = shown(world(), lines={}, paging={"contacts": [], "trouble": "", "pages": []})
    assert "Nobody is paged: there is no paging.toml in the home" in unset
    broken = shown(world(), lines={}, paging={"contacts": [], "trouble": "chmod 600", "pages": []})
    assert "PAGING CANNOT BE USED: chmod 600" in broken


def test_what_is_broken_stands_above_the_cases_and_is_not_cut() -> None:
    w = world()
    for _ in range(5):
        warn(w)
    trouble = "address: https://192.0.2.1:7102: Connection refused; only the courier is left"
    lines = shown(w, "ash", lines={"birch": {"up": False, "trouble": trouble}})
    cases = next(n for n, line in enumerate(lines) if line.startswith("OPEN CASES"))
    top = " ".join(line.strip() for line in lines[:cases])
    assert f"Line to birch: DOWN {trouble}" in top
    assert any("OFF DUTY" in line for line in shown(w, "ash")[:2])
    small = within(lines, 24)
    assert len(small) == 24
    assert small[:23] == lines[:23]
    assert small[23].startswith(f"… {len(lines) - 23} more lines")
    assert within(small, 24) == small


def test_an_alarm_about_an_exercise_says_so_and_one_that_is_mixed_counts_as_actual() -> None:
    w = world()
    view = {**COMMANDS["watch"](w.centres["ash"], {}), "exercise": None}
    view["duty"] = {**watch_view(w.centres["ash"], EMPTY), "trouble": ""}
    drill = {"entry": "ash/3", "age-seconds": 700, "status": "exercise", "precedence": "flash"}
    item = {"party": "birch", "count": 1, "entries": [drill], "reason": "no answer", "alarm": True}
    assert "EXERCISE ALARM: UNDELIVERED to birch: 1" in screen({**view, "undelivered": [item]})
    for mixed in (
        {"count": 2, "entries": [drill, {**drill, "entry": "ash/4", "status": "actual"}]},
        {"count": 30},  # not all of them are named
    ):
        lines = screen({**view, "undelivered": [item | mixed]})
        assert f"ALARM: UNDELIVERED to birch: {mixed['count']}" in lines


def test_a_relay_that_answers_is_no_counterpart_that_answers() -> None:
    line = {"up": True, "route": "relay cedar", "trouble": "address: refused"}
    assert "Line to ash: up as far as relay cedar address: refused" in shown(world(), lines={"ash": line})


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "00:00"), (492, "08:12"), (-492, "08:12"), (11_292, "3:08:12"), (184_080, "2 d 03:08")]
)
def test_lengths_of_time_are_read_at_a_glance(seconds: int, text: str) -> None:
    assert span_text(seconds) == text


def test_a_clock_says_how_often_it_was_escalated() -> None:
    clock = {"clock": "answer", "party": "birch", "due": "2026-01-01T00:00:10Z", "escalations": ["ash/3", "ash/4"]}
    assert (
        clock_text(clock, "2026-01-01T00:00:00Z")
        == "answer by birch: 00:10 left, escalated 2x, due 2026-01-01T00:00:10Z"
    )


def test_a_case_is_told_one_fact_a_line_with_time_and_signer() -> None:
    w = world()
    alert = warn(w)
    w.sync()
    w.alone("ash", "alert", {"text": "cites"})
    w.sync()
    opened = COMMANDS["opened"](w.centres["birch"], {"entry": str(alert.place), "officer": "duty"})
    case = COMMANDS["case"](w.centres["birch"], {"entry": opened["entry"]})
    assert case["case"] == str(alert.place)
    whats = [(fact["what"], fact["by"]) for fact in facts_of(case)]
    assert ("warn (notify)", ["duty"]) in whats
    assert ("at the centre of birch", ["receipt key of birch"]) in whats
    assert (f"opened by birch, {opened['entry']}", ["duty"]) in whats
    assert [fact["at"] for fact in case["facts"]] == sorted(fact["at"] for fact in case["facts"])


def test_a_receipt_in_whole_seconds_stands_after_its_release_and_before_what_followed() -> None:
    released, opened = "2026-01-01T00:00:00.400Z", "2026-01-01T00:00:00.900Z"
    line = {"at": released, "entry": "ash/1", "by": ["duty"], "format": "warn", "act": "notify", "subject": "fog"}
    seen = {"at": opened, "entry": "birch/1", "by": ["duty"], "disposition": "opened"}
    layer = {"party": "birch", "received": "2026-01-01T00:00:00Z", "opened": seen}
    layer |= dict.fromkeys(("acknowledged", "answered", "assessed"))
    case = {"log": [line], "questions": [{"entry": "ash/1", "layers": [layer]}], "clocks": []}
    whats = [fact["what"] for fact in facts_of(case)]
    assert whats == ["warn (notify)", "at the centre of birch", "opened by birch, birch/1"]


@pytest.mark.parametrize(
    ("command", "arguments", "code"),
    [
        ("case", {"entry": "ash/1"}, "no-case"),
        ("case", {"entry": "nonsense"}, "reference"),
        ("opened", {"entry": "birch/1", "officer": "duty"}, "acknowledge"),
        ("opened", {"entry": "ash/999", "officer": "duty"}, "reference"),
        ("opened", {"entry": "ash/1", "officer": "desk"}, "wrong-role"),
        ("opened", {"entry": "ash/1", "officer": "nobody"}, "unknown-key"),
        ("alerts", {"at": "yesterday"}, "usage"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_code_and_changes_nothing(
    command: str, arguments: dict[str, Any], code: str
) -> None:
    w = world()
    centre = w.centres["birch"]
    before = centre.journal.size
    with pytest.raises(Refusal) as caught:
        COMMANDS[command](centre, arguments)
    assert caught.value.code == code
    assert centre.journal.size == before


def test_a_second_acknowledgement_that_would_count_for_nothing_is_refused() -> None:
    w = world()
    alert = warn(w)
    w.sync()
    asked = {"command": "acknowledge", "entries": [str(alert.place)], "officer": "duty"}
    first = dispatch(w.centres["birch"], asked)["entry"]
    for again in ({}, {"disposition": "rejected", "reason": "no"}):
        with pytest.raises(Refusal, match=f"accepted for action already, by duty in {first}") as refused:
            dispatch(w.centres["birch"], asked | again)
        assert refused.value.code == "acknowledge"
    case = COMMANDS["case"](w.centres["birch"], {"entry": str(alert.place)})
    assert [fact["what"] for fact in case["facts"] if "for action" in fact["what"]] == [
        f"accepted for action by birch, {first}"
    ]


def test_a_rejection_whose_reason_is_empty_does_not_become_an_acceptance() -> None:
    told = CliRunner().invoke(acknowledge, ["--home", "none", "ash/3", "--as", "watch-1", "--reject", " "])
    assert isinstance(told.exception, Refusal)
    assert "neither a rejection nor an acceptance" in str(told.exception)
