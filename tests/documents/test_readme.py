# SPDX-License-Identifier: Apache-2.0
"""What the README shows of the demonstration is what the replay gives, and the commands that it names are there."""

from __future__ import annotations

import re

import pytest

from servanda.assembly import read_pack
from servanda.cli.desk import print_obligations
from servanda.cli.printing import amount_text
from tests.documents.codes import ROOT
from tests.documents.console import steps_of
from tests.worked_example.replayed import accounting, obligations

README = ROOT / "README.md"


def excerpt() -> list[str]:
    text = (
        README.read_text().split("## What the first demonstration ends with")[1].split("```text\n")[1].split("```")[0]
    )
    return [" ".join(line.split()) for line in text.splitlines()]


def test_the_commands_of_the_readme_are_cases_of_run() -> None:
    cases = re.findall(r"^    ([a-z]+)\)", (ROOT / "run").read_text(), flags=re.MULTILINE)
    typed = [step.command for step in steps_of(README)]
    assert typed == [
        "./run demo",
        "./run demo urgent-alert",
        "./run demo us-ru-2013",
        "./run demo world-stockpile",
        "./run check",
    ]
    assert all(command.split()[1] in cases for command in typed)
    examples = [command.split()[2] for command in typed if len(command.split()) > 2]
    assert [name for name in examples if not (ROOT / "examples" / name).is_dir()] == []


def test_the_sums_shown_are_those_of_the_replay() -> None:
    pack = read_pack(ROOT / "agreements" / "syria-2013").data
    units = {unit["id"]: unit for unit in pack["units"]}
    accounts = [account for account in accounting()["accounts"] if account["account"] != "found"]
    for ledger in ("g", "g-effluent", "piece"):
        mine = [account for account in accounts if account["unit"] == ledger]
        gone = [account for account in mine if account["account"].startswith("destroyed/")]
        whole = sum(account["stated"] + account["derived"] for account in mine)
        destroyed = sum(account["stated"] + account["derived"] for account in gone)
        derived = sum(account["derived"] for account in gone)
        told = [amount_text(amount, units[ledger]) for amount in (whole, destroyed, derived)]
        assert f"{ledger} {told[0]} {told[1]} {100 * destroyed / whole:g} % {told[2]}" in excerpt()


def test_the_issues_and_obligations_shown_are_those_of_the_replay(capsys: pytest.CaptureFixture[str]) -> None:
    pack = read_pack(ROOT / "agreements" / "syria-2013").data
    rows = list(obligations().values())
    print_obligations({"at": "2026-01-04", "obligations": rows}, pack)
    printed = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    issues = [f"{issue['issue']} {issue['count']} {issue['state']}" for issue in accounting()["issues"]]
    shown = excerpt()
    assert [line for line in shown if re.match(r"O\d\d ", line)]
    assert [line for line in shown if re.match(r"O\d\d ", line) and line not in printed] == []
    told = [re.sub(r" [a-z]+/\d+$", "", line) for line in shown if re.search(r" (open|closed) [a-z]+/\d+$", line)]
    assert told
    assert [line for line in told if line not in issues] == []
    assert f"EXERCISE. {pack['title']['en']}. Judged by the dates that the sources attest" in " ".join(shown)
