# SPDX-License-Identifier: Apache-2.0
"""Two processes that open a home at the same moment: the one waits for the other, for some seconds."""

from __future__ import annotations

import pytest

from servanda.cli.asking import TRIES, patiently
from servanda.operations.errors import Stopped


def test_a_home_that_a_command_has_open_is_tried_again() -> None:
    pauses: list[float] = []

    def attempt() -> str:
        if len(pauses) < 3:
            raise Stopped("open", "two-instances")
        return "on duty"

    assert patiently(attempt, pauses.append) == "on duty"
    assert len(pauses) == 3


@pytest.mark.parametrize(("code", "pauses_made"), [("two-instances", TRIES - 1), ("store-damaged", 0)])
def test_what_stays_wrong_is_told(code: str, pauses_made: int) -> None:
    pauses: list[float] = []

    def attempt() -> str:
        raise Stopped("wrong", code)

    with pytest.raises(Stopped) as stopped:
        patiently(attempt, pauses.append)
    assert stopped.value.code == code
    assert len(pauses) == pauses_made
