# SPDX-License-Identifier: Apache-2.0
"""The story of an urgent alert, played between real centres: routes, layers, clocks, and one case log on both sides."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("story") / "homes"
    command = [sys.executable, "-m", "servanda", "demo", "urgent-alert", "--json", "--home", str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_both_sides_see_the_same_and_the_dossier_verifies(told: dict[str, Any]) -> None:
    assert told["identical"]
    assert told["verified"]
    assert told["sides"]["rus"]["log"] == told["sides"]["usa"]["log"]
    assert Path(told["dossier"]).is_file()


def test_every_layer_of_the_inquiry_is_there_with_its_signer(told: dict[str, Any]) -> None:
    case = told["sides"]["usa"]
    assert (case["status"], case["state"]) == ("exercise", "closed")
    layer = next(
        layer for question in case["questions"] for layer in question["layers"] if layer["assessed"] is not None
    )
    assert layer["received"] is not None
    assert layer["acknowledged"]["by"] == ["watch-1"]
    assert layer["answered"]["by"] == ["desk-1", "release-1"]
    assert layer["assessed"]["assessment"] == "sufficient"
    assessments = [line for line in case["log"] if line["format"] == "assessment"]
    assert len(assessments) == 2


def test_the_clock_that_ran_out_was_escalated_by_the_senders_centre(told: dict[str, Any]) -> None:
    escalated = [clock for clock in told["sides"]["rus"]["clocks"] if clock["escalations"]]
    assert [clock["clock"] for clock in escalated] == ["acknowledge"]
    log = {line["entry"]: line for line in told["sides"]["usa"]["log"]}
    for place in escalated[0]["escalations"]:
        assert place.startswith("rus/")
        assert log[place]["by"] == ["centre"]
