# SPDX-License-Identifier: Apache-2.0
"""The kinds of silence provoked one by one between two centres on duty, and what `servanda line` calls each.

Both centres run here, over TLS on the loopback, with every thread that a centre on duty has; only their clock is the
test's own, so that a clock of one minute runs out without a minute of waiting.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from servanda.agreement.pack import Pack, pack_of
from servanda.assembly import CHEAP, Founding, Station, found_centre
from servanda.gateway.duty import Duty
from servanda.transport.control import ask
from tests.journeys.terminal import eventually, free_port, refused, spoken
from tests.rig.packs import channel

OFFICERS = {"desk-1": ("author",), "release-1": ("author", "release"), "watch-1": ("watch",)}
START = datetime(2026, 11, 27, 20, 0, tzinfo=UTC)
MINUTES = {"acknowledge-minutes": 1, "answer-minutes": 1, "names": {"en": "c"}, "precedence": "flash"}
EXERCISE = {"status": "exercise", "exercise-at": "2026-11-27T08:00:00Z"}


def quick() -> Pack:
    """The lake's line with clocks of one minute: an inquiry must be answered, a notice only acknowledged."""
    data = channel(**{"alarm-minutes": 2, "link-test-minutes": 30}).data
    classes = [MINUTES | {"id": "urgent"}, MINUTES | {"id": "notice", "answer-minutes": None}]
    return pack_of(data | {"alerts": classes})


class Hands:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> str:
        self.seconds += 0.001
        return (START + timedelta(seconds=self.seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def pass_minutes(self, minutes: float) -> None:
        self.seconds += 60 * minutes


class Post:
    """One centre on duty within this process, or off duty."""

    def __init__(self, folder: Path, party: str, clock: Hands) -> None:
        self.home, self.party, self.clock = folder / party, party, clock
        port = free_port()
        address = f"https://127.0.0.1:{port}"
        founding = Founding(self.home, quick(), party, "here", "offline", OFFICERS, port=port, addresses=(address,))
        self.fingerprint = found_centre(founding._replace(cost=CHEAP))
        self.duty: Duty | None = None

    def begins(self) -> None:
        station = Station(self.home, "here")
        station.centre.clock = self.clock
        self.duty = Duty(station)
        self.duty.start()

    def ends(self) -> None:
        if self.duty is not None:
            self.duty.stop()
            self.duty.station.close()
            self.duty = None

    def asks(self, command: str, **arguments: Any) -> Any:
        return ask(self.home / "control.sock", {"command": command, **arguments})

    def sends(self, form: str, content: dict[str, Any], **members: Any) -> str:
        """What an officer on watch sends alone."""
        return str(self.asks("send", draft=self._draft(form, content, "watch-1", members))["entry"])

    def says(self, form: str, content: dict[str, Any], **members: Any) -> str:
        """What two officers write and release."""
        identifier = self.asks("draft", draft=self._draft(form, content, "desk-1", members))
        self.asks("submit", identifier=identifier)
        return str(self.asks("release", identifier=identifier, officer="release-1")["entry"])

    def _draft(self, form: str, content: dict[str, Any], author: str, members: dict[str, Any]) -> dict[str, Any]:
        members = {name.replace("_", "-"): value for name, value in members.items()}
        return {
            "format": form,
            "subject": form,
            "event-at": "2026-11-27",
            "author": author,
            "content": content,
        } | members

    def line(self) -> dict[str, Any]:
        """`servanda line --json` of the only line there is."""
        done = spoken("line", "--json", home=self.home)
        assert (done.returncode, done.stderr) == (0, "")
        (page,) = json.loads(done.stdout)["lines"]
        return dict(page)

    def kinds(self, status: str = "actual") -> list[str]:
        return [one["kind"] for one in self.line()["silence"][status]]

    def printed(self) -> str:
        done = spoken("line", home=self.home)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


@pytest.fixture(scope="module")
def clock() -> Hands:
    return Hands()


@pytest.fixture(scope="module")
def posts(folder: Path, clock: Hands) -> Iterator[tuple[Post, Post]]:
    """Two centres on duty that have met and have adopted the pack."""
    ash, birch = Post(folder, "ash", clock), Post(folder, "birch", clock)
    try:
        for post in (ash, birch):
            post.begins()
        for one, other in ((ash, birch), (birch, ash)):
            card = json.dumps(other.asks("card"))
            one.asks("meet", card=card, fingerprint=other.fingerprint)
        for post in (ash, birch):
            post.says("adopt", {"pack": post.asks("status")["agreement"]})
        eventually(lambda: all(post.asks("status")["pack"] for post in (ash, birch)))
        yield ash, birch
    finally:
        for post in (ash, birch):
            post.ends()


def held(reader: Post, entry: str) -> bool:
    party, _, number = entry.partition("/")
    judged = {journal["party"]: journal["judged"] for journal in reader.asks("status")["journals"]}
    return int(judged[party]) >= int(number)


def receipted(post: Post) -> bool:
    return bool(post.line()["unreceipted"]["count"] == 0)


def warn(post: Post, kind: str, **members: Any) -> str:
    content = {"class": kind, "text": "t"}
    return post.sends("warn", content, precedence="flash", to=["birch"], **members)


def acknowledge(post: Post, entry: str, at: Post) -> str:
    said = str(post.asks("acknowledge", entries=[entry], officer="watch-1")["entry"])
    eventually(lambda: held(at, said))
    return said


def test_the_lines_are_tested_at_the_interval_and_answered_by_machines(posts: tuple[Post, Post], clock: Hands) -> None:
    ash, birch = posts

    def tested(count: int) -> Callable[[], bool]:
        return lambda: all(p.line()["link-tests"]["by-us"]["answered"] >= count for p in (ash, birch))

    eventually(tested(1))
    clock.pass_minutes(31)
    eventually(tested(2))
    page = ash.line()
    assert page["link-tests"]["by-us"]["tests"] == page["link-tests"]["by-us"]["answered"] == 2
    assert page["link-tests"]["by-us"]["worst"] <= 60
    assert all(one["status"] == "test" for one in page["link-tests"]["by-us"]["history"])


def test_nothing_is_outstanding_when_all_is_well(posts: tuple[Post, Post]) -> None:
    ash, _ = posts
    eventually(lambda: receipted(ash))
    assert ash.kinds() == ash.kinds("exercise") == ash.kinds("test") == ["nothing-outstanding"]
    assert ash.line()["transport"]["up"]


def test_a_test_by_hand_is_answered_too(posts: tuple[Post, Post], clock: Hands) -> None:
    ash, _ = posts
    clock.pass_minutes(1)
    done = spoken("link-test", "birch", "--json", home=ash.home)
    assert done.returncode == 0, done.stderr
    entry = json.loads(done.stdout)["entry"]
    eventually(lambda: ash.line()["link-tests"]["by-us"]["history"][-1]["answer"] is not None)
    assert ash.line()["link-tests"]["by-us"]["history"][-1]["entry"] == entry
    assert f"[TEST] {entry}" in ash.printed()
    refused(spoken("link-test", "elm", home=ash.home), 2, "party")


def test_the_centre_is_up_and_nobody_is_on_duty(posts: tuple[Post, Post], clock: Hands) -> None:
    ash, birch = posts
    alert = warn(ash, "notice")
    eventually(lambda: receipted(ash))
    assert ash.kinds() == ["nothing-outstanding"]
    clock.pass_minutes(1.5)
    assert ash.kinds() == ["nobody-on-duty"]
    (found,) = ash.line()["silence"]["actual"]
    assert {one["what"] for one in found["evidence"]} >= {"question", "receipt", "link-answer"}
    assert found["evidence"][0]["entry"] == alert
    assert "CENTRE UP, NOBODY ON DUTY" in ash.printed()
    acknowledge(birch, alert, ash)
    assert ash.kinds() == ["nothing-outstanding"]


def test_what_is_asked_is_read_and_not_answered(posts: tuple[Post, Post], clock: Hands) -> None:
    ash, birch = posts
    content = {"class": "urgent", "text": "t"}
    asked = ash.says("ask", content, precedence="flash", to=["birch"])
    eventually(lambda: held(birch, asked))
    read = acknowledge(birch, asked, ash)
    assert ash.kinds() == ["nothing-outstanding"]
    clock.pass_minutes(1.5)
    assert ash.kinds() == ["read-not-answered"]
    told = [(one["what"], one["entry"]) for one in ash.line()["silence"]["actual"][0]["evidence"]]
    assert told == [("question", asked), ("acknowledged", read)]
    answer = birch.says("tell", {"text": "a"}, refers_to=[asked], to=["ash"])
    eventually(lambda: held(ash, answer))
    assert ash.kinds() == ["nothing-outstanding"]


def test_the_regime_is_suspended_by_their_notice(posts: tuple[Post, Post]) -> None:
    ash, birch = posts
    content = {"formats": ["ask"], "reason": "r", "since": "2026-11-01", "state": "suspended"}
    notice = birch.says("regime", content, to=["ash"])
    eventually(lambda: held(ash, notice))
    assert ash.kinds() == ["regime-suspended"]
    (found,) = ash.line()["silence"]["actual"]
    assert (found["since"], found["evidence"][0]["entry"]) == ("2026-11-01", notice)
    assert f"birch: ask: suspended since 2026-11-01, by {notice}" in spoken("regime", home=ash.home).stdout
    assert birch.kinds() == ["nothing-outstanding"]
    again = birch.says("regime", content | {"state": "applied", "since": "2026-11-27"}, to=["ash"])
    eventually(lambda: held(ash, again))
    assert ash.kinds() == ["nothing-outstanding"]


def test_an_exercise_that_runs_out_is_a_silence_of_the_exercise_alone(posts: tuple[Post, Post], clock: Hands) -> None:
    ash, birch = posts
    alert = warn(ash, "notice", **EXERCISE)
    eventually(lambda: receipted(ash))
    clock.pass_minutes(1.5)
    assert ash.kinds() == ["nothing-outstanding"]
    assert ash.kinds("exercise") == ["nobody-on-duty"]
    told = ash.printed().splitlines()
    start = next(index for index, row in enumerate(told) if "NOBODY ON DUTY" in row)
    end = next(index for index, row in enumerate(told) if row.startswith("last contact"))
    assert all(row.lstrip().startswith("[EXERCISE] ") for row in told[start:end])
    # What is evidence there and belongs to other traffic says so, so that nothing actual is taken for a drill.
    assert [row for row in told[start:end] if f"[EXERCISE] {alert} " in row]
    assert [row for row in told[start:end] if "[EXERCISE] [TEST] birch/" in row]
    assert [row for row in told[start:end] if "[EXERCISE] [ACTUAL] birch/" in row]
    acknowledge(birch, alert, ash)
    assert ash.kinds("exercise") == ["nothing-outstanding"]


def test_the_counterpart_is_stopped_and_the_line_is_down_until_it_comes_back(
    posts: tuple[Post, Post], clock: Hands
) -> None:
    ash, birch = posts
    eventually(lambda: receipted(ash))
    birch.ends()
    note = ash.says("note", {"text": "does not arrive"}, to=["birch"])
    eventually(lambda: not ash.line()["transport"]["up"])
    assert ash.kinds() == ["nothing-outstanding"]
    clock.pass_minutes(2.5)
    assert ash.kinds() == ["line-down"]
    (found,) = ash.line()["silence"]["actual"]
    assert found["evidence"][0]["entry"] == note
    assert [one["what"] for one in found["evidence"]][-1] == "transport"
    assert "LINE DOWN" in ash.printed()
    clock.pass_minutes(300)
    eventually(lambda: ash.line()["link-tests"]["by-us"]["history"][-1]["answer"] is None)
    birch.begins()
    eventually(lambda: ash.kinds() == ["nothing-outstanding"])
    eventually(lambda: ash.line()["link-tests"]["by-us"]["history"][-1]["answer"] is not None)
    tests = ash.line()["link-tests"]["by-us"]
    assert tests["tests"] == tests["answered"]


def test_a_centre_off_duty_shows_its_lines_too(posts: tuple[Post, Post], tmp_path: Path) -> None:
    ash, _ = posts
    ash.ends()
    secret = tmp_path / "passphrase"
    secret.write_text("here\n")
    done = spoken("line", "birch", "--json", "--passphrase-file", secret, home=ash.home)
    assert done.returncode == 0, done.stderr
    (page,) = json.loads(done.stdout)["lines"]
    assert (page["transport"], page["met"]) == (None, True)
    assert page["silence"]["actual"]
