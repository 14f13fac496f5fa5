# SPDX-License-Identifier: Apache-2.0
"""Do an advance and openings cross the line as spec/line.md has them, and is anything else refused unheard?"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servanda.gateway.bodies import ADVANCE_BYTES_MAX, BODY_BYTES_MAX
from servanda.gateway.line import Door
from servanda.journal.frame import Reference
from servanda.operations.errors import LineDown, Refusal, TryLater
from servanda.operations.openings import OpeningLine
from servanda.operations.ports import Advance, Courier
from servanda.operations.receiving import LEAVES_MAX
from servanda.proof.canonical import encode
from servanda.proof.sealing import disclose
from servanda.transport.wire import write_advance, write_openings
from tests.line.parts import NOTE, Line
from tests.line.test_bodies import request

ADVANCE = Advance("syr", 9, b'{"payload":"eyJ9"}', (b"\x01" * 32, b"\xff" * 32), NOTE)
BODY = write_advance(ADVANCE)
PATH = "/v1/journals/syr/advance"
HEAD: dict[str, Any] = {"checkpoint": NOTE.decode(), "number": 9, "path": ["01" * 32, "ff" * 32]}
OPENINGS = [OpeningLine(disclose(bytes(16), name, 1), Reference("syr", 4, "ab" * 32)) for name in ("a", "b")]
LINES = write_openings(OPENINGS)


def test_an_advance_is_written_as_the_specification_has_it_and_read_as_it_was_written() -> None:
    assert encode(HEAD) + b"\n" + ADVANCE.leaf + b"\n" == BODY
    status, _, door = request("POST", PATH, BODY)
    assert (status, door.calls) == (200, [("advance", "syr", ADVANCE)])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        BODY[:-1],
        BODY + b"{}\n",
        BODY + b"\n",
        encode(HEAD) + b"\n",
        encode(HEAD) + b"\n\n",
        b"\n" + ADVANCE.leaf + b"\n",
        *(
            encode({**HEAD, **changes}) + b"\n{}\n"
            for changes in (
                {"number": 0},
                {"number": True},
                {"number": "9"},
                {"checkpoint": 1},
                {"path": "x"},
                {"path": ["01" * 31]},
                {"path": ["AB" * 32]},
                {"path": [1]},
                {"path": ["01" * 32] * 65},
                {"more": 1},
            )
        ),
        encode({"checkpoint": "n", "number": 9}) + b"\n{}\n",
        b"[" * 5_000 + b"\n{}\n",
    ],
)
def test_an_advance_of_another_form_is_malformed(body: bytes) -> None:
    status, told, door = request("POST", PATH, body)
    assert (status, told["code"], door.calls) == (400, "malformed", [])


@given(body=st.binary(max_size=300))
@settings(deadline=None)
def test_arbitrary_bytes_are_malformed_and_never_reach_the_door(body: bytes) -> None:
    for path in (PATH, "/v1/openings"):
        status, told, door = request("POST", path, body)
        assert (status, told["code"], door.calls) == (400, "malformed", [])


@pytest.mark.parametrize(("path", "limit"), [(PATH, ADVANCE_BYTES_MAX), ("/v1/openings", BODY_BYTES_MAX)])
def test_a_body_that_grows_too_long_is_refused_as_soon_as_it_does(path: str, limit: int) -> None:
    status, told, door = request("POST", path, b"x" * limit, b"x", cut=True)
    assert (status, told["code"], door.calls) == (413, "over-size", [])


def test_openings_are_read_as_they_were_written() -> None:
    status, told, door = request("POST", "/v1/openings", LINES)
    assert (status, told, door.calls) == (200, {"held": ["d"]}, [("openings", "syr", OPENINGS)])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        LINES[:-1],
        LINES + b"\n",
        b'{"disclosure":"x","entry":{"leaf":"' + b"ab" * 32 + b'","number":1,"party":"syr"}}\n',
        LINES.replace(b'"number":4', b'"number":0'),
        LINES.replace(b'"party":"syr"', b'"party":"SYR"'),
        LINES.replace(b'"disclosure"', b'"disclosed"'),
    ],
)
def test_openings_of_another_form_are_malformed(body: bytes) -> None:
    status, told, door = request("POST", "/v1/openings", body)
    assert (status, told["code"], door.calls) == (400, "malformed", [])


def test_more_than_a_thousand_openings_are_over_size() -> None:
    status, told, door = request("POST", "/v1/openings", LINES[: len(LINES) // 2] * (LEAVES_MAX + 1))
    assert (status, told["code"], door.calls) == (413, "over-size", [])


def test_what_may_be_posted_may_not_be_fetched() -> None:
    for path in (PATH, "/v1/openings"):
        status, told, door = request("GET", path)
        assert (status, told["code"], door.calls) == (404, "no-such-path", [])


def test_both_cross_a_real_line(line: Line) -> None:
    courier: Courier = line.courier()
    line.door.answer = lambda: b'{"an":"envelope"}'
    assert courier.advance("opcw", ADVANCE) == b'{"an":"envelope"}'
    line.door.answer = lambda: frozenset({"x", "a"})
    assert courier.openings("opcw", OPENINGS) == {"a", "x"}
    assert line.door.calls == [("advance", "syr", ADVANCE), ("openings", "syr", OPENINGS)]
    courier.close()


def test_a_full_house_is_told_as_such_so_that_the_sender_goes_on_pushing(line: Line) -> None:
    def full() -> object:
        raise TryLater("no room", "advances-full")

    line.door.answer = full
    courier = line.courier()
    with pytest.raises(LineDown) as caught:
        courier.advance("opcw", ADVANCE)
    assert caught.value.code == "advances-full"
    courier.close()


def test_a_leaf_that_is_no_line_is_not_sent(line: Line) -> None:
    courier = line.courier()
    for leaf in (b"", b"two\nlines"):
        with pytest.raises(Refusal, match="is no line") as caught:
            courier.advance("opcw", ADVANCE._replace(leaf=leaf))
        assert caught.value.code == "malformed"
    assert line.door.calls == []
    courier.close()


def test_an_answer_to_openings_that_is_none_is_a_bad_answer(line: Line) -> None:
    courier = line.courier()
    line.door.answer = lambda: [1]
    with pytest.raises(LineDown) as caught:
        courier.openings("opcw", OPENINGS)
    assert caught.value.code == "bad-answer"
    courier.close()


def test_the_door_of_the_tests_is_a_door(line: Line) -> None:
    door: Door = line.door
    assert door.peer_of("nobody") is None
