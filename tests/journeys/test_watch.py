# SPDX-License-Identifier: Apache-2.0
"""The watch of two centres on duty: alerts, clocks, pages, roster, orderwire, and the exercise clock."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from servanda.proof.canonical import encode
from tests.journeys.terminal import PATIENCE_SECONDS, Operator, eventually, refused, servanda
from tests.line.people import Mailbox, Sink
from tests.rig.packs import ALERTS, channel

HOSTILE = "Boats \x1b[2J adrift"
EXERCISE = {"status": "exercise", "exercise_at": "2026-01-10T09:00:00Z"}
CONTACTS = {"contacts": [{"id": name, "reach": "", "title": name} for name in ("night-desk", "deputy")]}


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    made = Sink()
    yield made
    made.close()


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    made = Mailbox()
    yield made
    made.close()


@pytest.fixture(scope="module")
def watches(folder: Path, sink: Sink, mailbox: Mailbox) -> Iterator[tuple[Operator, Operator]]:
    """Ash and birch on duty under a pack with classes of alerts; birch pages two contacts."""
    file = folder / "channel.json"
    file.write_bytes(encode(channel().data))
    ash, birch = Operator(folder, "ash", file), Operator(folder, "birch", file)
    for operator in (ash, birch):
        operator.init()
    pages = birch.home / "paging.toml"
    pages.write_text(f'watch-1 = ["{sink.url}"]\nnight-desk = ["{mailbox.url}"]\n')
    pages.chmod(0o600)
    ash.serve()
    birch.serve()
    ash.meets(birch)
    birch.meets(ash)
    for operator in (ash, birch):
        operator.says("adopt", {"pack": channel().digest}, **EXERCISE)
    for operator in (ash, birch):
        eventually(lambda operator=operator: bool(operator.reads("status")["pack"]))
    birch.says("contacts", CONTACTS, to=["ash"], **EXERCISE)
    yield ash, birch
    for operator in (ash, birch):
        operator.dies()


def warned(operator: Operator, subject: str = "Boats adrift", **members: Any) -> str:
    to = ["birch"] if operator.party == "ash" else ["ash"]
    content = {"class": "urgent", "text": "t"}
    file = operator.writes(
        "warn", content, author="watch-1", subject=subject, to=to, precedence="flash", **(EXERCISE | members)
    )
    return operator.does("send", file).strip()


def layer(operator: Operator, entry: str) -> dict[str, Any]:
    case = operator.reads("case", entry)
    (question,) = [q for q in case["questions"] if q["entry"] == entry]
    found: dict[str, Any] = question["layers"][0]
    return found


def test_an_alert_goes_through_its_layers_and_is_paged_without_a_word_of_it(
    watches: tuple[Operator, Operator], sink: Sink, mailbox: Mailbox
) -> None:
    ash, birch = watches
    entry = warned(ash, HOSTILE)
    eventually(lambda: layer(ash, entry)["received"] is not None)
    eventually(lambda: len(mailbox.mails) == 1)
    (mail,) = mailbox.mails
    assert "EXERCISE EXERCISE FLASH: something waits at the centre of birch EXERCISE EXERCISE" in mail.replace(
        "\r\n ", " "
    )
    assert "adrift" not in mail
    assert sink.bodies == [], "nobody has the watch by roster: the first contact is paged"
    screen = birch.does("watch", "--once")
    assert f"EXERCISE open        {entry}" in screen
    assert "\x1b" not in screen
    birch.does("opened", entry, "--as", "watch-1")
    birch.does("acknowledge", entry, "--as", "watch-1")
    eventually(lambda: layer(ash, entry)["acknowledged"] is not None)
    assert layer(ash, entry)["opened"]["by"] == ["watch-1"]
    for operator in watches:
        lines = operator.does("case", entry).splitlines()
        assert all(line.startswith("[EXERCISE] ") for line in lines)
        assert any("opened by birch" in line and "[watch-1]" in line for line in lines)
    assert [line for line in birch.does("alerts").splitlines() if "answer by birch" in line]
    assert birch.reads("watch")["waits"] == [
        {"what": "answer", "entry": entry, "status": "exercise", "precedence": "flash", "subject": HOSTILE}
    ]
    at = birch.reads("alerts", "--at", "2031-01-01T00:00:00Z")
    assert {clock["state"] for clock in at["cases"][0]["clocks"]} == {"met", "overdue"}


def test_what_cannot_be_opened_is_refused_with_its_code(watches: tuple[Operator, Operator]) -> None:
    _, birch = watches
    birch.refused(2, "acknowledge", "opened", "birch/1", "--as", "watch-1")
    birch.refused(2, "reference", "opened", "ash/900", "--as", "watch-1")
    birch.refused(2, "no-case", "case", "ash/1")


def test_the_contacts_of_both_are_shown(watches: tuple[Operator, Operator]) -> None:
    ash, _ = watches
    shown = ash.does("contacts")
    assert re.search(r"birch\s+night-desk\s+\[EXERCISE\] night-desk", shown)
    assert re.search(r"ash\s+—\s+has stated no contacts", shown)


def roster(*shifts: tuple[str, float, float]) -> str:
    now = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251

    def at(hours: float) -> str:
        return (now + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")

    return "".join(f'[[shifts]]\nofficer = "{n}"\nfrom = {at(a)}\nto = {at(b)}\n' for n, a, b in shifts)


def test_the_roster_is_set_its_gap_is_told_and_paged_once_and_the_watch_handed_over(
    watches: tuple[Operator, Operator], sink: Sink
) -> None:
    ash, birch = watches
    file = birch.folder / "roster.toml"
    file.write_text("nonsense")
    birch.refused(2, "roster", "roster", "set", file)
    birch.refused(2, "usage", "roster", "set")
    file.write_text(roster(("watch-1", -1, 2), ("release-1", 1, 3), ("ghost", 4, 90)))
    told = birch.does("roster", "set", file)
    assert re.search(r"GAP: nobody from \S+ to 20", told)
    assert "OVERLAP: watch-1 and release-1" in told
    assert "UNFIT: ghost is unknown" in told
    assert "THE NEXT GAP IS NEAR" in told
    eventually(lambda: len(sink.bodies) == 1)
    assert "PRIORITY: something waits at the centre of birch" in sink.bodies[0]
    eventually(lambda: "nobody is on the roster from" in birch.log())
    assert birch.log().count("nobody is on the roster from") == 1
    assert "ROSTER GAP" in birch.does("watch", "--once")
    birch.refused(2, "handover", "handover", "--from", "release-1", "--to", "watch-1")
    said = birch.does("handover", "--from", "watch-1", "--to", "release-1", "--note", "One case is open")
    assert said.startswith("release-1 has the watch since ")
    (made,) = birch.reads("roster")["handovers"]
    assert (made["giver"], made["taker"], made["note"]) == ("watch-1", "release-1", "One case is open")
    assert len(made["open"]) == 1
    assert "HAND OVER: by the roster it is watch-1's watch" in birch.does("watch", "--once")
    assert "No roster is set" in ash.does("watch", "--once")


def test_the_watches_talk_over_the_orderwire_outside_the_record(watches: tuple[Operator, Operator]) -> None:
    ash, birch = watches
    before = ash.reads("status")["journals"]
    ash.refused(2, "usage", "orderwire", "birch", "hello")
    ash.does("orderwire", "birch", "How do you \x07 read?", "--as", "watch-1")
    shown = birch.does("orderwire", "ash")
    assert "not part of the record" in shown
    assert "ash, watch-1: How do you   read?" in shown
    ash.refused(2, "wrong-role", "orderwire", "birch", "hello", "--as", "desk-1")
    ash.refused(2, "party", "orderwire", "elm")
    assert ash.reads("status")["journals"] == before


def test_page_tests_say_which_address_does_not_take_it(
    watches: tuple[Operator, Operator], sink: Sink, mailbox: Mailbox
) -> None:
    ash, birch = watches
    count = len(mailbox.mails)
    done = servanda("page-test", home=birch.home)
    assert (done.returncode, done.stdout) == (0, "night-desk: paged\nwatch-1: paged\n")
    assert "TEST TEST ROUTINE" in mailbox.mails[count]
    mailbox.refusing = True
    done = servanda("page-test", "night-desk", home=birch.home)
    mailbox.refusing = False
    assert (done.returncode, done.stdout) == (1, "night-desk: address 1 did NOT take the page\n")
    assert "SECRET" not in done.stdout + done.stderr
    refused(servanda("page-test", "nobody", home=birch.home), 2, "paging")
    refused(servanda("page-test", home=ash.home), 2, "paging")


def test_a_centre_whose_settings_cannot_be_used_does_not_go_on_duty(watches: tuple[Operator, Operator]) -> None:
    ash, _ = watches
    assert ash.ends() == 0
    (ash.home / "paging.toml").write_text('watch-1 = ["json://127.0.0.1"]\n')
    (ash.home / "paging.toml").chmod(0o644)
    arguments = ("serve", "--passphrase-file", ash.secret)
    refused(servanda(*arguments, home=ash.home), 2, "paging")
    (ash.home / "paging.toml").unlink()
    refused(servanda(*arguments, "--exercise-epoch", "2026-01-01T00:00:00Z", home=ash.home), 2, "usage")
    refused(servanda(*arguments, "--exercise-pace", "60", "--exercise-epoch", "x", home=ash.home), 2, "usage")
    refused(
        servanda(*arguments, "--exercise-pace", "60", "--exercise-epoch", "2199-01-01T00:00:00Z", home=ash.home),
        2,
        "usage",
    )
    ash.serve()


def test_off_duty_the_screen_says_so_and_the_orderwire_is_not_there(watches: tuple[Operator, Operator]) -> None:
    ash, _ = watches
    assert ash.ends() == 0
    assert "OFF DUTY" in ash.does("watch", "--once")
    ash.refused(3, "not-running", "orderwire", "birch")
    entry = warned(ash, "While nobody carries it")
    screen = ash.does("watch", "--once")
    assert "UNDELIVERED to birch: 1; the centre is off duty: nothing is delivered" in screen
    assert entry in screen
    ash.serve()


def test_the_live_screen_is_renewed_and_ends_when_it_is_told_to(watches: tuple[Operator, Operator]) -> None:
    _, birch = watches
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "servanda", "watch", "--home", str(birch.home)]
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm", "COLUMNS": "80", "LINES": "60"}
    live = subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen, seconds = b"", set()
    try:
        while len(seconds) < 3:  # three different times: it is alive
            assert select.select([ours], [], [], PATIENCE_SECONDS)[0], seen.decode(errors="replace")
            seen += os.read(ours, 65536)
            seconds = set(re.findall(rb"Centre of birch   (\S+Z)", seen))
        live.send_signal(signal.SIGINT)
        with suppress(OSError):  # the end of a terminal whose last writer has gone
            while os.read(ours, 65536):
                continue
        assert live.wait(timeout=60) == 0
    finally:
        live.kill()
        live.wait()
        os.close(ours)


def served(operator: Operator, *more: str) -> None:
    """On duty with an exercise clock: the banner comes before anything else is asked."""
    command = [sys.executable, "-m", "servanda", "serve", "--home", str(operator.home)]
    command += ["--passphrase-file", str(operator.secret), *more]
    log = (operator.folder / f"{operator.party}.log").open("a")
    with log:
        operator.duty = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    assert operator.duty.stdout is not None
    said = [operator.duty.stdout.readline() for _ in range(4)]
    assert said[0].startswith(f"{operator.party} on duty"), operator.log()
    assert said[1] == said[3] == "EXERCISE EXERCISE EXERCISE\n"
    assert "600 times as fast" in said[2]


def test_killed_before_a_deadline_a_centre_escalates_at_its_start(watches: tuple[Operator, Operator]) -> None:
    ash, birch = watches
    for operator in watches:
        assert operator.ends() == 0
    epoch = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")  # noqa: TID251
    clock = ("--exercise-pace", "600", "--exercise-epoch", epoch)
    served(ash, *clock)
    entry = warned(ash, "Before the kill")
    assert ash.ends(signal.SIGKILL) == -signal.SIGKILL
    served(birch, *clock)
    served(ash, *clock)

    def steps() -> list[tuple[str, str, int]]:
        case = ash.reads("case", entry)
        (found,) = [c for c in case["clocks"] if c["clock"] == "acknowledge" and c["entry"] == entry]
        return [(found["state"], place.split("/")[0], 0) for place in found["escalations"]]

    eventually(lambda: {party for _, party, _ in steps()} == {"ash", "birch"})
    assert ash.reads("watch")["exercise"] == {"pace": 600, "epoch": epoch}
    assert ash.does("watch", "--once").startswith("EXERCISE EXERCISE: clock 600 times as fast")
    apart = (at(ash) - at(birch)).total_seconds()
    assert abs(apart) < 600 * PATIENCE_SECONDS, "the same clock, as far as two commands are apart"
    content = {"class": ALERTS[0]["id"], "text": "t"}
    actual = ash.writes("warn", content, author="watch-1", to=["birch"], precedence="flash")
    ash.refused(2, "exercise-clock", "send", actual)


def at(operator: Operator) -> datetime:
    return datetime.fromisoformat(operator.reads("watch")["at"])
