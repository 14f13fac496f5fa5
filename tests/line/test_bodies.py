# SPDX-License-Identifier: Apache-2.0
"""Is what does not have the form of spec/line.md refused before the door hears of it, whatever it is?"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servanda.gateway import line as line_module
from servanda.gateway.bodies import BODY_BYTES_MAX, write_push
from servanda.gateway.line import PEER_KEY, line_app
from servanda.operations.errors import Refusal
from servanda.operations.receiving import BYTES_MAX, LEAVES_MAX
from servanda.proof.canonical import encode
from servanda.transport.wire import write_push as write_push_of_the_courier
from tests.line.parts import NOTE, PUSH, Line, NotingDoor

GOOD = write_push(PUSH)
PUSH_PATH = "/v1/journals/syr/entries"


def request(
    method: str, target: str, *parts: bytes, headers: dict[str, str] | None = None, cut: bool = False
) -> tuple[int, dict[str, Any], NotingDoor]:
    """Put one request to the application itself: status, JSON of the answer, and the door."""
    door = NotingDoor({"k": "syr"})
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(k.encode(), v.encode()) for k, v in (headers or {}).items()],
        "state": {PEER_KEY: "k"},
    }
    incoming = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    if cut:
        incoming.append({"type": "http.disconnect"})
    else:
        incoming.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(line_app(door)(scope, receive, send))
    if not sent:
        return 0, {}, door
    start, body = sent
    assert dict(start["headers"])[b"content-length"] == str(len(body["body"])).encode()
    is_json = dict(start["headers"])[b"content-type"] == b"application/json"
    return start["status"], json.loads(body["body"]) if is_json else {}, door


def test_the_body_of_a_push_is_written_alike_on_both_sides_and_as_the_specification_has_it() -> None:
    assert write_push_of_the_courier(PUSH) == GOOD
    head = encode({"checkpoint": NOTE.decode(), "from": 3})
    assert b"\n".join([head, *PUSH.leaves, b""]) == GOOD


def test_a_good_push_is_taken_however_it_is_cut_into_parts() -> None:
    for size in (1, 7, len(GOOD)):
        status, told, door = request("POST", PUSH_PATH, *[GOOD[at : at + size] for at in range(0, len(GOOD), size)])
        assert (status, told["size"]) == (200, 4)
        assert door.calls == [("push", "syr", PUSH)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        GOOD[:-1],
        GOOD + b"\n",
        b"\n" + GOOD,
        b'{"checkpoint":"n","from":0}\n{}\n',
        b'{"checkpoint":"n","from":-1}\n{}\n',
        b'{"checkpoint":"n","from":true}\n{}\n',
        b'{"checkpoint":"n","from":"1"}\n{}\n',
        b'{"checkpoint":1,"from":1}\n{}\n',
        b'{"checkpoint":"n"}\n{}\n',
        b'{"checkpoint":"n","from":1,"more":1}\n{}\n',
        b'{"from":1,"checkpoint":"n"}\n{}\n',
        b'{"checkpoint": "n","from":1}\n{}\n',
        b'{"checkpoint":"n","checkpoint":"n","from":1}\n{}\n',
        b'{"checkpoint":"\xff","from":1}\n{}\n',
        b'["checkpoint","from"]\n{}\n',
        b"[" * 5_000 + b"\n{}\n",
    ],
)
def test_a_body_of_another_form_is_malformed(body: bytes) -> None:
    status, told, door = request("POST", PUSH_PATH, body)
    assert (status, told["code"]) == (400, "malformed")
    assert door.calls == []


@given(body=st.binary(max_size=300))
@settings(deadline=None)
def test_arbitrary_bytes_are_malformed_and_never_reach_the_door(body: bytes) -> None:
    status, told, door = request("POST", PUSH_PATH, body)
    assert (status, told["code"]) == (400, "malformed")
    assert door.calls == []


@given(data=st.data())
@settings(deadline=None)
def test_a_damaged_push_is_malformed_or_means_exactly_its_bytes(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(GOOD)))
    until = data.draw(st.integers(at, min(len(GOOD), at + 4)))
    body = GOOD[:at] + data.draw(st.binary(max_size=4)) + GOOD[until:]
    status, told, door = request("POST", PUSH_PATH, body)
    if status == 200:
        [(_, _, push)] = door.calls
        assert write_push(push) == body  # type: ignore[arg-type]
    else:
        assert (status, told["code"], door.calls) == (400, "malformed", [])


@given(target=st.text(st.characters(max_codepoint=126, min_codepoint=33), max_size=60), data=st.binary(max_size=20))
@settings(deadline=None)
def test_an_arbitrary_address_is_an_error_of_the_client(target: str, data: bytes) -> None:
    for method in ("GET", "POST", "PUT"):
        for start in ("", "/v1/journals/", "/v1/journals/syr/entries", "/v1/packs/", "/v1/relay/", "/v1/relay/usa/"):
            status, _, door = request(method, start + target, data)
            assert status in (400, 404)
            assert door.calls == []


@pytest.mark.parametrize(
    ("target", "call"),
    [
        ("entries?from=1&limit=2", ("pull", "syr", "syr", 1, 2)),
        ("entries?limit=2&from=1", ("pull", "syr", "syr", 1, 2)),
        ("entries?from=1&limit=999999999999999", ("pull", "syr", "syr", 1, LEAVES_MAX)),
        ("consistency?from=0&to=0", ("consistency", "syr", "syr", 0, 0)),
    ],
)
def test_queries_are_read(target: str, call: tuple[object, ...]) -> None:
    status, _, door = request("GET", f"/v1/journals/syr/{target}")
    assert status == 200
    assert door.calls == [call]


@pytest.mark.parametrize(
    "target",
    [
        "entries",
        "entries?",
        "entries?from=1",
        "entries?from=1&limit=2&more=3",
        "entries?from=1&from=1",
        "entries?from=0&limit=2",
        "entries?from=1&limit=0",
        "entries?from=01&limit=2",
        "entries?from=-1&limit=2",
        "entries?from=1e3&limit=2",
        "entries?from=%D9%A1&limit=2",
        "entries?from=1&limit=9999999999999999",
        "consistency?from=1&limit=2",
    ],
)
def test_queries_of_another_form_are_malformed(target: str) -> None:
    status, told, door = request("GET", f"/v1/journals/syr/{target}")
    assert (status, told["code"]) == (400, "malformed")
    assert door.calls == []


def test_more_than_a_thousand_leaves_are_over_size() -> None:
    head = GOOD.split(b"\n")[0] + b"\n"
    status, told, door = request("POST", PUSH_PATH, head + b"{}\n" * (LEAVES_MAX + 1))
    assert (status, told["code"], door.calls) == (413, "over-size", [])
    status, _, _ = request("POST", PUSH_PATH, head + b"{}\n" * LEAVES_MAX)
    assert status == 200


def test_leaves_of_more_than_eight_mebibytes_are_over_size() -> None:
    head = GOOD.split(b"\n")[0] + b"\n"
    status, told, door = request("POST", PUSH_PATH, head, b"x" * BYTES_MAX, b"x\n")
    assert (status, told["code"], door.calls) == (413, "over-size", [])


def test_a_body_that_says_it_is_too_long_is_refused_unread() -> None:
    status, told, door = request("POST", PUSH_PATH, cut=True, headers={"content-length": str(BODY_BYTES_MAX + 1)})
    assert (status, told["code"], door.calls) == (413, "over-size", [])


def test_a_body_that_grows_too_long_is_refused_as_soon_as_it_does() -> None:
    parts = [b"x" * (BODY_BYTES_MAX // 4)] * 4 + [b"x" * 4]
    status, told, door = request("POST", PUSH_PATH, *parts, cut=True)
    assert (status, told["code"], door.calls) == (413, "over-size", [])


def test_a_note_that_is_too_long_is_refused() -> None:
    status, told, door = request("POST", "/v1/journals/syr/receipt", b"x" * (2**20 + 1))
    assert (status, told["code"], door.calls) == (413, "over-size", [])


def test_who_hangs_up_half_way_gets_no_answer_and_does_not_reach_the_door() -> None:
    assert request("POST", PUSH_PATH, GOOD[:20], cut=True)[0] == 0


def test_a_body_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "BODY_SECONDS", 0.01)
    door = NotingDoor({"k": "syr"})
    sent: list[Any] = []
    first = [{"type": "http.request", "body": GOOD[:20], "more_body": True}]

    async def receive() -> Any:
        if first:
            return first.pop()
        return await asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "raw_path": PUSH_PATH.encode(), "query_string": b"", "headers": []}
    asyncio.run(line_app(door)({**scope, "state": {PEER_KEY: "k"}}, receive, send))
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


def test_words_that_json_cannot_say_do_not_break_the_answer(line: Line) -> None:
    def answer() -> object:
        raise Refusal("a lone \ud800 surrogate")

    line.door.answer = answer
    courier = line.courier()
    with pytest.raises(Refusal, match=r"a lone \? surrogate"):
        courier.push("opcw", PUSH)
    courier.close()


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\xff\x00\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /v1/packs/00 HTTP/1.1\r\n\r\n",
        b"POST /v1/journals/syr/entries HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
        b"POST /v1/journals/syr/entries HTTP/1.1\r\nhost: x\r\ncontent-length: 5, 6\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_never_reaches_the_door(line: Line, data: bytes) -> None:
    with line.connect() as connection:
        connection.sendall(data)
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert line.door.calls == []


def test_a_flood_that_is_no_http_is_cut_off_and_never_reaches_the_door(line: Line) -> None:
    with line.connect() as connection:
        try:
            connection.sendall(b"x" * 1_000_000)
            answer = connection.recv(65536)
        except OSError:  # the other side has closed while we were still sending
            answer = b""
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    assert line.door.calls == []


def test_a_head_that_does_not_end_is_cut_off_and_never_reaches_the_door(line: Line) -> None:
    with line.connect() as connection:
        try:
            connection.sendall(b"GET /v1/packs/00 HTTP/1.1\r\nhost: x\r\n")
            for _ in range(100):
                connection.sendall(b"x-filler: 0123456789\r\n" * 100)
            answer = connection.recv(65536)
        except OSError:  # the other side has closed while we were still sending
            answer = b""
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    assert line.door.calls == []


def test_over_sockets_an_oversize_body_is_answered_while_it_is_sent(line: Line) -> None:
    with line.connect() as connection:
        head = f"POST {PUSH_PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: {BODY_BYTES_MAX + 1}\r\n\r\n"
        connection.sendall(head.encode() + b"x" * 10_000)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")
    assert line.door.calls == []


def test_a_push_over_the_limits_is_not_even_sent(line: Line) -> None:
    courier = line.courier()
    for push in (PUSH._replace(leaves=(b"{}",) * 1_001), PUSH._replace(leaves=(b"x" * 2**20,) * 9)):
        with pytest.raises(Refusal) as caught:
            courier.push("opcw", push)
        assert caught.value.code == "over-size"
    assert line.door.calls == []
    courier.close()
