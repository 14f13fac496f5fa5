# SPDX-License-Identifier: Apache-2.0
"""A refusal says what is wrong, where, and what would be right, while the author is there to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from servanda.cli import desk
from servanda.line.roster import RosterError, roster_of
from servanda.operations.drafting import Draft, parse_draft, write_draft
from servanda.operations.errors import Refusal
from tests.rig.packs import lake
from tests.rig.world import World


def note(**members: object) -> Draft:
    told = {"format": "note", "subject": "s", "event-at": "2026-01-01", "author": "desk", "content": {"text": "t"}}
    return parse_draft(told | members)


@pytest.mark.parametrize(
    ("members", "code", "words"),
    [
        ({"to": ["eastland"]}, "addressee", "eastland is not a party of the pack; parties are ash, birch"),
        ({"author": "dsek"}, "unknown-key", "no officer dsek in the identity of ash; officers are "),
        ({"format": "note-9"}, "format", "in the pack in force; it has "),
        ({"status": "excercise"}, "frame", "status is actual, exercise or test"),
        ({"precedence": "imediate"}, "frame", "precedence is routine, priority, immediate or flash"),
    ],
)
def test_a_slip_in_a_draft_is_told_with_what_would_be_right(members: dict[str, object], code: str, words: str) -> None:
    w = World(lake())
    with pytest.raises(Refusal) as refused:
        write_draft(w.centres["ash"], note(**members))
    assert refused.value.code == code
    assert words in str(refused.value)


def test_a_day_that_does_not_exist_is_kept_and_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "d.json"
    monkeypatch.setattr(desk, "ask_home", lambda *_, **__: "d1")
    for day, told in (("2026-02-30", True), ("2026-02-28", False)):
        file.write_text(f'{{"event-at": "{day}"}}')
        result = CliRunner().invoke(desk.draft, ["--home", "none", str(file)])
        assert result.stdout == "d1\n"
        assert ("note: event-at 2026-02-30: date-does-not-exist" in result.stderr) is told


def test_a_time_of_the_roster_in_quotes_is_told_how_to_be_written() -> None:
    shift = {"officer": "watch-1", "from": "2026-11-27T00:00:00Z", "to": "2026-11-28T00:00:00Z"}
    with pytest.raises(RosterError, match="without quotes and with Z"):
        roster_of({"shifts": [shift]})
