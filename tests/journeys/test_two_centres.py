# SPDX-License-Identifier: Apache-2.0
"""Two centres on loopback, each a process: met in person, on duty, killed, back again; nothing is lost on the way."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.terminal import Operator, eventually, refused, servanda
from tests.rig.world import row

Pair = tuple[Operator, Operator]
NOTE = {"text": "calm"}


def size(at: Operator, party: str) -> int:
    """How many entries of a party's journal are judged at a centre."""
    judged: int = next(j["judged"] for j in at.reads("status")["journals"] if j["party"] == party)
    return judged


def receipted(at: Operator, by: str) -> int:
    """To which entry a counterpart has receipted the own journal."""
    found: int = next(j["receipted"] for j in at.reads("status")["journals"] if j["party"] == by)
    return found


def agreed(pair: Pair) -> bool:
    """Whether both hold and have receipted everything of each other."""
    ash, birch = pair
    return all(
        size(one, other.party) == size(other, other.party) == receipted(other, one.party)
        for one, other in ((ash, birch), (birch, ash))
    )


@pytest.fixture(scope="module")
def met(pair: Pair) -> Pair:
    """The two have taken each other's card, after a wrong fingerprint was refused."""
    ash, birch = pair
    card, before = birch.card(), ash.reads("status")
    line = ash.refused(2, "fingerprint", "meet", card, "--fingerprint", "0" * 64)
    assert birch.fingerprint in line
    assert ash.reads("status") == before
    assert next(j["fingerprint"] for j in before["journals"] if j["party"] == "birch") is None
    ash.meets(birch)
    birch.meets(ash)
    return pair


@pytest.fixture(scope="module")
def on_duty(met: Pair) -> Pair:
    for operator in met:
        operator.serve()
    digest = met[0].reads("status")["agreement"]
    for operator in met:
        operator.says("adopt", {"pack": digest})
    eventually(lambda: agreed(met))
    return met


def test_cards_of_somebody_else_are_refused(met: Pair, tmp_path: Path) -> None:
    ash, birch = met
    own = ash.card()
    ash.refused(2, "wrong-journal", "meet", own, "--fingerprint", ash.fingerprint)
    forged = tmp_path / "card.json"
    forged.write_text(birch.card().read_text().replace('"party": "birch"', '"party": "elm"'))
    ash.refused(2, "wrong-journal", "meet", forged, "--fingerprint", birch.fingerprint)


def test_a_home_has_one_process_on_duty(on_duty: Pair) -> None:
    ash, _ = on_duty
    second = servanda("serve", "--passphrase-file", ash.secret, home=ash.home)
    assert "stop it first" in refused(second, 4, "two-instances")
    refused(servanda("serve", "--passphrase-file", ash.secret, "--home", ash.folder), 2, "home")


def test_an_entry_released_here_is_shown_receipted_and_acknowledged_there(on_duty: Pair) -> None:
    ash, birch = on_duty
    entry = ash.says("declare", {"lots": [row(5_000_000)]}, to=["birch"])
    eventually(lambda: size(birch, "ash") == size(ash, "ash"))
    shown = birch.reads("show", entry)
    assert (shown["admissible"], shown["frame"]["content"]) == (True, {"lots": [row(5_000_000)]})
    eventually(lambda: receipted(ash, "birch") >= int(entry.partition("/")[2]))
    assert "acknowledged  not yet" in ash.does("show", entry)
    said = birch.does("acknowledge", entry, "--as", "watch-1").strip()
    eventually(lambda: bool(ash.reads("show", entry)["acknowledged-by"]))
    assert ash.reads("show", entry)["acknowledged-by"] == [said]
    assert f"acknowledged  {said}" in ash.does("show", entry)
    assert "receipted by  birch" in ash.does("show", entry)
    birch.refused(2, "wrong-role", "acknowledge", entry, "--as", "desk-1")
    birch.refused(2, "reference", "acknowledge", "ash/99", "--as", "watch-1")


def test_a_sealed_member_is_opened_over_the_line_to_whom_the_draft_names(on_duty: Pair) -> None:
    ash, birch = on_duty
    entry = ash.says("note", {"text": "by the reeds"}, to=["birch"], seal=["text"], open_to=["birch"])
    kept = ash.says("note", {"text": "nowhere"}, to=["birch"], seal=["text"])
    eventually(lambda: size(birch, "ash") == size(ash, "ash"))
    eventually(lambda: birch.reads("show", entry)["opened"] == {"text": "by the reeds"})
    eventually(lambda: all(row["openings"] == [] for row in ash.reads("status")["watch"]))
    assert list(birch.reads("show", kept)["opened"]) == ["_sd"]
    assert ash.reads("advances") == {"held": [], "sent": []}


def test_a_handover_is_accepted_and_both_count_the_same(on_duty: Pair) -> None:
    ash, birch = on_duty
    lot = ash.says("declare", {"lots": [row(7_000_000)]}) + "/0"
    content = {"lots": [{"lot": lot, "quantity": row(7_000_000)["quantity"]}], "receiver": "birch", "place": "harbour"}
    offer = ash.says("handover", content, named=["birch"])
    ash.refused(2, "own-release", "release", draft_by_release(ash), "--as", "release-1")
    eventually(lambda: size(birch, "ash") == size(ash, "ash"))
    answer = {"condition": None, "extent": "full", "received": []}
    birch.says("accept", answer, refers_to=[offer])
    eventually(lambda: agreed(on_duty))
    assert ash.reads("show", offer)["offer"]["effective"]
    held = [one.reads("accounting") for one in on_duty]
    assert held[0] == held[1]
    assert {lot["account"] for lot in held[0]["lots"]} >= {"held/birch"}
    again = ash.does("draft", ash.writes("handover", content, named=["birch"])).strip()
    ash.does("submit", again)
    assert lot in ash.refused(2, "posting/not-custodian", "release", again, "--as", "release-1")


def draft_by_release(operator: Operator) -> str:
    identifier = operator.does("draft", operator.writes("note", NOTE, author="release-1")).strip()
    operator.does("submit", identifier)
    return identifier


def test_after_a_kill_everything_that_was_said_meanwhile_arrives(on_duty: Pair) -> None:
    ash, birch = on_duty
    assert birch.ends(signal.SIGKILL) == -signal.SIGKILL
    said = [ash.says("note", {"text": f"message {number}"}) for number in range(3)]
    assert receipted(ash, "birch") < int(said[0].partition("/")[2])
    birch.serve()
    eventually(lambda: agreed(on_duty))
    texts = [birch.reads("show", entry)["frame"]["content"]["text"] for entry in said]
    assert texts == ["message 0", "message 1", "message 2"]
    assert [one.reads("audit") for one in on_duty] == [{"wrong": []}] * 2
    assert birch.reads("lines")["ash"]["up"]


READING: dict[str, tuple[str, ...]] = {
    "status": (),
    "log": ("--party", "ash", "--limit", "3"),
    "show": ("ash/1",),
    "drafts": ("--all",),
    "accounting": (),
    "obligations": ("--at", "2014-02-01"),
    "receipts": (),
    "audit": (),
    "lines": (),
    "undelivered": (),
    "line": ("--at", "2026-01-01T00:00:00Z"),
    "regime": (),
}


@pytest.mark.parametrize("command", READING)
def test_what_is_read_is_read_by_people_and_by_programs(command: str, on_duty: Pair) -> None:
    for operator in on_duty:
        data: Any = operator.reads(command, *READING[command])
        assert data or command in ("drafts", "undelivered")
        shown = operator.does(command, *READING[command])
        assert shown.strip()
        assert not shown.lstrip().startswith(("{", "["))


def test_a_dossier_is_verified_by_whoever_has_the_fingerprints(on_duty: Pair, tmp_path: Path) -> None:
    ash, birch = on_duty
    file, listing = tmp_path / "dossier.servanda", tmp_path / "prints.txt"
    assert str(file) in ash.does("export", file, "--as-of", "2014-06-01T00:00:00Z")
    listing.write_text("".join(f"{one.party}={one.fingerprint}\n\n" for one in on_duty))
    done = servanda("verify", file, "--parties", listing, "--expect", f"ash>={size(ash, 'ash')}", cwd=tmp_path)
    assert (done.returncode, done.stderr, done.stdout.splitlines()[-1]) == (0, "", "verified")
    pinned = ("--party", f"ash={ash.fingerprint}", "--party", f"birch={birch.fingerprint}")
    assert servanda("verify", file, *pinned, "--json").returncode == 0
    wrong = {
        "no fingerprint of birch": ("--party", f"ash={ash.fingerprint}"),
        "the wrong fingerprint": (*pinned[:2], "--party", "birch=" + "0" * 64),
        "more expected": (*pinned, "--expect", "ash>=999"),
    }
    for arguments in wrong.values():
        done = servanda("verify", file, *arguments)
        assert (done.returncode, done.stderr) == (1, "")
        assert "NOT VERIFIED" in done.stdout
    for arguments in (("--party", "ash"), ("--expect", "ash>=many"), ("--expect", "ash=3")):
        refused(servanda("verify", file, *arguments), 2, "usage")
    cut = tmp_path / "cut.servanda"
    cut.write_bytes(file.read_bytes()[:-1])
    done = servanda("verify", cut, *pinned)
    assert (done.returncode, done.stderr) == (1, "")
    assert "not verified: not a bundle" in done.stdout


def test_end_of_duty_is_quiet_and_nothing_is_left_behind(on_duty: Pair) -> None:
    for operator in on_duty:
        assert operator.ends() == 0
        assert not (operator.home / "control.sock").exists()
        assert "Traceback" not in operator.log()
        assert operator.reads("audit") == {"wrong": []}
