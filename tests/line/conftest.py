# SPDX-License-Identifier: Apache-2.0
"""One server for each file of tests; a fresh courier and a door without memory for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from servanda.transport.https import HttpsCourier
from tests.line.parts import Keys, Line, make_keys


@pytest.fixture(scope="session")
def syr() -> Keys:
    return make_keys("syr")


@pytest.fixture(scope="session")
def opcw() -> Keys:
    return make_keys("opcw")


@pytest.fixture(scope="session")
def stranger() -> Keys:
    return make_keys("stranger")


@pytest.fixture(scope="module")
def standing_line(syr: Keys, opcw: Keys, stranger: Keys) -> Iterator[Line]:
    """A server whose TLS lets the stranger in, so that the door's own judgement shows."""
    line = Line(syr, opcw, stranger)
    yield line
    line.server.stop()


@pytest.fixture
def line(standing_line: Line) -> Line:
    standing_line.door.calls.clear()
    standing_line.door.answer = lambda: None
    return standing_line


@pytest.fixture
def courier(line: Line) -> Iterator[HttpsCourier]:
    made = line.courier()
    yield made
    made.close()
