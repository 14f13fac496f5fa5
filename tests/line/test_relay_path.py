# SPDX-License-Identifier: Apache-2.0
"""Does a request for another party reach the relay's door byte for byte, and its answer come back byte for byte?"""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servanda.gateway.bodies import write_push
from servanda.operations.errors import Conflict, LineDown, Refusal, Refused, ServandaError, TryLater
from servanda.operations.ports import PushReply, RawAnswer
from servanda.operations.receiving import LEAVES_MAX
from servanda.proof.canonical import encode
from servanda.proof.notes import NOTE_BYTES_MAX
from servanda.transport.https import HttpsCourier
from tests.line.parts import NOTE, PUSH, RECEIPT, Keys, Line
from tests.line.test_bodies import request

GOOD = write_push(PUSH)
PATH = "/v1/relay/usa/journals/syr/entries"


def test_a_push_by_a_relay_reaches_its_door_as_the_bytes_that_a_push_is(line: Line, courier: HttpsCourier) -> None:
    assert courier.push("usa", PUSH, "opcw") == PushReply(4, RECEIPT)
    assert line.door.calls == [("relay", "syr", "usa", "syr", "entries", GOOD)]


def test_a_request_for_receipts_by_a_relay_reaches_its_door(line: Line, courier: HttpsCourier) -> None:
    line.door.answer = lambda: RawAnswer(200, RECEIPT + RECEIPT)
    assert courier.receipt("usa", "syr", NOTE, "opcw") == RECEIPT + RECEIPT
    assert line.door.calls == [("relay", "syr", "usa", "syr", "receipt", NOTE)]


@pytest.mark.parametrize(
    ("answer", "expected", "code"),
    [
        (RawAnswer(400, encode({"code": "checkpoint", "message": "m"})), Refused, "checkpoint"),
        (RawAnswer(404, encode({"code": "wrong-journal", "message": "m"})), Refused, "wrong-journal"),
        (RawAnswer(409, encode({"code": "conflict", "held": NOTE.decode(), "message": "m"})), Conflict, "conflict"),
        (RawAnswer(413, encode({"code": "over-size", "message": "m"})), Refused, "over-size"),
        (RawAnswer(503, encode({"code": "store-full", "message": "m"})), LineDown, "store-full"),
    ],
)
def test_errors_of_the_other_end_keep_their_code(
    line: Line, courier: HttpsCourier, answer: RawAnswer, expected: type[ServandaError], code: str
) -> None:
    line.door.answer = lambda: answer
    with pytest.raises(expected) as caught:
        courier.push("usa", PUSH, "opcw")
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("raised", "expected", "code"),
    [
        (Refusal("m", "no-relay"), Refused, "no-relay"),
        (TryLater("m", "busy"), LineDown, "busy"),
        (LineDown("m", "relay-down"), LineDown, "relay-down"),
    ],
)
def test_so_do_the_relays_own(
    line: Line, courier: HttpsCourier, raised: ServandaError, expected: type[ServandaError], code: str
) -> None:
    def answer() -> object:
        raise raised

    line.door.answer = answer
    with pytest.raises(expected) as caught:
        courier.push("usa", PUSH, "opcw")
    assert caught.value.code == code


def test_a_relay_hands_on_the_bytes_and_gets_status_and_bytes_back(line: Line, courier: HttpsCourier) -> None:
    answer = courier.forward("opcw", "syr", "entries", GOOD)
    assert answer == RawAnswer(200, encode({"receipt": RECEIPT.decode(), "size": 4}))
    assert line.door.calls == [("push", "syr", PUSH)]

    def refuse() -> object:
        raise Refusal("send from 3", "gap")

    line.door.answer = refuse
    assert courier.forward("opcw", "syr", "entries", GOOD) == RawAnswer(
        400, encode({"code": "gap", "message": "send from 3"})
    )


def test_what_is_relayed_and_what_is_ours_do_not_wait_for_one_another(line: Line, courier: HttpsCourier) -> None:
    begun, go = threading.Event(), threading.Event()

    def answer() -> object:
        if line.door.calls[-1][0] != "relay":
            return None
        begun.set()
        go.wait(5)
        return None

    line.door.answer = answer
    thread = threading.Thread(target=courier.push, args=("usa", PUSH, "opcw"))
    thread.start()
    assert begun.wait(5)
    assert courier.push("opcw", PUSH).size == 4  # over another connection, past the call that waits
    assert courier.push("opcw", PUSH._replace(leaves=(b"{}",) * 21)).size == 23  # heavy ones as well
    go.set()
    thread.join(5)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", PATH),
        ("PUT", PATH),
        ("GET", "/v1/relay/usa/journals/syr/checkpoint"),
        ("POST", "/v1/relay/usa/journals/syr/checkpoint"),
        ("GET", "/v1/relay/usa/journals/syr/consistency?from=1&to=2"),
        ("POST", "/v1/relay/usa"),
        ("POST", "/v1/relay//journals/syr/entries"),
        ("POST", "/v1/relay/USA/journals/syr/entries"),
        ("POST", "/v1/relay/opcw/relay/usa/journals/syr/entries"),
        ("GET", f"/v1/relay/usa/packs/{'00' * 32}"),
        ("POST", PATH + "/"),
        ("POST", PATH + "\n"),
    ],
)
def test_nothing_else_is_carried(method: str, target: str) -> None:
    status, told, door = request(method, target, GOOD)
    assert (status, told["code"], door.calls) == (404, "no-such-path", [])


@given(body=st.binary(max_size=300))
@settings(deadline=None)
def test_what_is_no_push_is_not_carried(body: bytes) -> None:
    status, told, door = request("POST", PATH, body)
    assert (status, told["code"], door.calls) == (400, "malformed", [])


def test_what_is_too_much_is_not_carried() -> None:
    head = GOOD.split(b"\n")[0] + b"\n"
    status, told, door = request("POST", PATH, head + b"{}\n" * (LEAVES_MAX + 1))
    assert (status, told["code"], door.calls) == (413, "over-size", [])
    status, told, door = request("POST", "/v1/relay/usa/journals/syr/receipt", b"x" * (NOTE_BYTES_MAX + 1))
    assert (status, told["code"], door.calls) == (413, "over-size", [])


def test_a_stranger_learns_nothing_about_relays_and_its_body_is_not_read(line: Line, stranger: Keys) -> None:
    answers = set()
    for to in ("usa", "nobody", "opcw"):
        with line.connect(stranger) as connection:
            head = f"POST /v1/relay/{to}/journals/syr/entries HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n"
            connection.sendall(head.encode())
            answers.add(connection.recv(65536))
    assert len(answers) == 1
    assert answers.pop().startswith(b"HTTP/1.1 403 ")
    assert line.door.calls == []
