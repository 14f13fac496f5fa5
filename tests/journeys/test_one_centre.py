# SPDX-License-Identifier: Apache-2.0
"""One centre and its operator: every mistake is one line with a code, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.terminal import Operator, pack_file, spoken

NOTE = {"text": "calm"}


@pytest.fixture(scope="module")
def ash(folder: Path) -> Iterator[Operator]:
    """A centre on duty that has adopted the pack."""
    operator = Operator(folder, "ash", pack_file(folder))
    operator.init()
    operator.serve()
    operator.says("adopt", {"pack": operator.reads("status")["agreement"]})
    yield operator
    operator.dies()


def test_a_new_centre_shows_its_fingerprint_and_keeps_its_keys_to_itself(ash: Operator) -> None:
    status = ash.reads("status")
    assert (status["party"], status["fingerprint"]) == ("ash", ash.fingerprint)
    made = {"centre.json", "keyring.json", "root.json", "record.db", "control.sock", "lock"}
    assert {file.name for file in ash.home.iterdir()} >= made
    assert ash.home.stat().st_mode & 0o777 == 0o700
    for name in ("keyring.json", "root.json", "record.db", "control.sock"):
        assert (ash.home / name).stat().st_mode & 0o077 == 0
    for secret in (b"correct horse", b"offline"):
        assert not any(secret in file.read_bytes() for file in ash.home.iterdir() if file.is_file())


def test_usage_is_explained_and_exits_two(ash: Operator) -> None:
    for arguments in (
        ["sing"],
        ["show"],
        ["release", "d1"],
        ["status", "--verbose"],
        ["log", "--limit", "none"],
        ["export", "x", "--purpose", "gift"],
        ["verify", "/nonexistent"],
        ["init", "--party", "ash"],
    ):
        done = spoken(*arguments, home=ash.home)
        assert done.returncode == 2, arguments
        assert "Error: " in done.stderr
        assert "Traceback" not in done.stderr
    assert spoken("--help").returncode == spoken("--version").returncode == 0


def test_the_own_text_is_not_released_by_its_author(ash: Operator) -> None:
    identifier = ash.does("draft", ash.writes("adopt", {"pack": "0" * 64}, author="release-1")).strip()
    ash.does("submit", identifier)
    before = ash.reads("log")
    assert "release-1" in ash.refused(2, "own-release", "release", identifier, "--as", "release-1")
    ash.refused(2, "wrong-role", "release", identifier, "--as", "watch-1")
    ash.refused(2, "unknown-key", "release", identifier, "--as", "admiral")
    assert ash.reads("log") == before
    assert identifier in [draft["identifier"] for draft in ash.reads("drafts")]
    ash.does("withdraw", identifier)
    assert identifier not in [draft["identifier"] for draft in ash.reads("drafts")]
    assert identifier in [draft["identifier"] for draft in ash.reads("drafts", "--all")]
    ash.refused(2, "draft-state", "release", identifier, "--as", "desk-1")
    ash.refused(2, "no-draft", "submit", "d99")


def draft_with(content: bytes, more: bytes = b"") -> bytes:
    return b'{"format":"adopt","subject":"a","event-at":"2014","author":"desk-1","content":%s%s}' % (content, more)


NO_DRAFTS = {
    "nothing": b"",
    "no JSON": b"calm at sea",
    "not UTF-8": b'{"format": "\xff"}',
    "a list": b"[]",
    "a member twice": draft_with(b"{}", b',"subject":"b"'),
    "a member twice within": draft_with(b'{"pack":"a","pack":"b"}'),
    "a lone surrogate": draft_with(b'{"pack":"%s"}' % (b"0" * 64), b',"remarks":"\\ud800"'),
    "an integer of 400 digits": draft_with(b'{"pack":%s}' % (b"9" * 400)),
    "an integer of 5,000 digits": draft_with(b'{"pack":%s}' % (b"9" * 5000)),
    "a fraction": draft_with(b'{"pack":0.5}'),
    "no number": draft_with(b'{"pack":NaN}'),
    "nesting without end": b"[" * 100_000,
    "a member more": draft_with(b"{}", b',"number":3'),
}


@pytest.mark.parametrize("name", NO_DRAFTS)
def test_a_draft_that_cannot_be_read_is_refused_in_one_line(name: str, ash: Operator) -> None:
    file = ash.folder / "bad.json"
    file.write_bytes(NO_DRAFTS[name])
    before = ash.reads("drafts", "--all")
    line = ash.refused(2, "content" if name in ("a fraction", "an integer of 400 digits") else "draft", "draft", file)
    assert len(line) < 700
    assert ash.reads("drafts", "--all") == before


def test_what_cannot_be_sent_is_refused_with_the_code_of_its_verdict(ash: Operator) -> None:
    ash.refused(2, "format", "draft", ash.writes("telegram", NOTE))
    ash.refused(2, "frame", "draft", ash.writes("adopt", {"pack": "0" * 64}, event_at="soon"))
    ash.refused(2, "reference", "draft", ash.writes("adopt", {"pack": "0" * 64}, refers_to=["birch/9"]))
    ash.refused(2, "unknown-key", "draft", ash.writes("adopt", {"pack": "0" * 64}, author="admiral"))
    ash.refused(2, "release", "send", ash.writes("adopt", {"pack": "0" * 64}, author="watch-1"))


def test_what_is_not_there_is_not_shown(ash: Operator) -> None:
    for entry in ("ash/99", "elm/1", "ash", "ash/", "ash/-1", "/1", ""):
        ash.refused(2, "reference", "show", entry)
    ash.refused(2, "usage", "show", "ash/\udcff")
    for day in ("soon", "2014-02-30", "2014-1-1"):
        ash.refused(2, "usage", "obligations", "--at", day)
    ash.refused(2, "no-proof", "fork", "fork-birch-1", ash.folder / "x")
    assert not (ash.folder / "x").exists()


def test_a_date_that_does_not_exist_is_shown_as_stated(ash: Operator) -> None:
    as_stated = {"text": "the thirtieth of February", "weekday": "monday"}
    content = {"pack": ash.reads("status")["agreement"]}
    done = ash.run("draft", ash.writes("adopt", content, event_at="2013-02-30", as_stated=as_stated))
    assert done.returncode == 0
    assert "date-does-not-exist; it is kept as stated" in done.stderr
    draft = done.stdout.strip()
    assert [d["draft"]["event-at"] for d in ash.reads("drafts") if d["identifier"] == draft] == ["2013-02-30"]
    ash.does("withdraw", draft)


def test_export_says_what_it_cannot_write(ash: Operator, tmp_path: Path) -> None:
    done = ash.run("export", tmp_path / "missing" / "x.servanda")
    assert (done.returncode, "Traceback" in done.stderr, done.stderr.count("\n")) == (2, False, 1)
    ash.refused(2, "usage", "export", tmp_path / "x.servanda", "--as-of", "yesterday")
    assert not (tmp_path / "x.servanda").exists()


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff\xff", b"[1]", b"hello"])
def test_a_card_that_is_none_is_refused(text: bytes, ash: Operator) -> None:
    file = ash.folder / "card.bin"
    file.write_bytes(text)
    ash.refused(2, "card", "meet", file, "--fingerprint", "0" * 64)


def test_a_bundle_that_is_none_is_refused(ash: Operator) -> None:
    file = ash.folder / "bundle.bin"
    file.write_bytes(b"PK\3\4 and so on")
    ash.refused(2, "bundle", "import", file)


def test_audit_and_rebuild_find_everything_in_place(ash: Operator) -> None:
    assert ash.reads("audit") == {"wrong": []}
    assert "everything follows from the entries" in ash.does("audit")
    before = ash.reads("status")
    assert "ash: 2 entries" in ash.does("rebuild")
    assert ash.reads("status") == before


def test_check_prints_what_a_program_can_read(ash: Operator, tmp_path: Path) -> None:
    done = spoken("check", ash.pack, "--json")
    assert (done.returncode, json.loads(done.stdout)["digest"]) == (0, ash.reads("status")["agreement"])
    broken = tmp_path / "pack.json"
    broken.write_bytes(ash.pack.read_bytes().replace(b'"quorum":"all"', b'"quorum":"some"'))
    done = spoken("check", broken)
    assert (done.returncode, done.stderr) == (1, "")
    assert "settlement.quorum" in done.stdout
