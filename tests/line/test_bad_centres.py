# SPDX-License-Identifier: Apache-2.0
"""What does a courier make of centres that are silent, broken, hostile, or simply gone for a moment?"""

from __future__ import annotations

import socket
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servanda.operations.errors import Conflict, LineDown, Refused, ServandaError
from servanda.operations.ports import PushReply
from servanda.proof.canonical import encode
from servanda.transport import https, wire
from servanda.transport.https import HttpsCourier
from tests.line.parts import NOTE, PUSH, RECEIPT, Keys, Line, ScriptedCentre, courier_to

REPLY = encode({"receipt": RECEIPT.decode(), "size": 4})


def http(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{more}content-length: {len(body)}\r\n\r\n".encode() + body


def test_a_server_that_was_restarted_between_two_requests_is_found_again(syr: Keys, opcw: Keys) -> None:
    line = Line(syr, opcw)
    courier = line.courier()
    courier.push("opcw", PUSH)
    line.restart()
    assert courier.push("opcw", PUSH) == PushReply(4, RECEIPT)
    assert len(line.door.calls) == 2
    courier.close()
    line.server.stop()


def test_a_server_that_has_stopped_is_a_line_that_is_down(syr: Keys, opcw: Keys) -> None:
    line = Line(syr, opcw)
    courier = line.courier()
    courier.push("opcw", PUSH)
    line.server.stop()
    line.server.stop()
    with pytest.raises(LineDown) as caught:
        courier.push("opcw", PUSH)
    assert caught.value.code == "line-down"
    courier.close()


def test_a_server_that_stops_finishes_the_request_under_way(syr: Keys, opcw: Keys) -> None:
    line = Line(syr, opcw)
    courier, replies, begun, stopping = line.courier(), [], threading.Event(), threading.Event()

    def answer() -> None:
        begun.set()
        stopping.wait(0.3)

    line.door.answer = answer
    heavy = PUSH._replace(leaves=(b"{}",) * 21)
    thread = threading.Thread(target=lambda: replies.append(courier.push("opcw", heavy)))
    thread.start()
    assert begun.wait(5)
    line.server.stop()
    thread.join()
    assert replies == [PushReply(23, RECEIPT)]
    courier.close()


def test_routes_are_tried_in_order(line: Line, syr: Keys, opcw: Keys) -> None:
    routes = ["https://127.0.0.1:1", "http://nonsense", "https://x:port", "https://127.0.0.1:1/path", line.url]
    courier = HttpsCourier(lambda _: routes, lambda _: frozenset([opcw.spki]), syr.client(opcw), 5)
    assert courier.push("opcw", PUSH).size == 4
    courier.close()


@pytest.mark.parametrize("routes", [[], ["http://x:1"], ["https://"], ["https://u@x:1"], ["https://x:99999"]])
def test_without_a_route_the_line_is_down(syr: Keys, routes: list[str]) -> None:
    courier = HttpsCourier(lambda _: routes, lambda _: frozenset(), syr.client(), 5)
    with pytest.raises(LineDown) as caught:
        courier.push("opcw", PUSH)
    assert caught.value.code == "no-route"


@pytest.mark.parametrize("answers", [(), (b"HTTP/1.1 200 OK\r\ncontent-le",), (http(REPLY)[:-5],)])
def test_a_centre_that_falls_silent_is_given_up_in_time(syr: Keys, opcw: Keys, answers: tuple[bytes, ...]) -> None:
    with ScriptedCentre(opcw.server(syr), *answers, close=False) as centre:
        courier = courier_to(centre.url, syr.client(opcw), opcw.spki, seconds=0.3)
        begin = time.monotonic()
        with pytest.raises(LineDown, match="no answer in time"):
            courier.push("opcw", PUSH)
        assert 0.2 < time.monotonic() - begin < 2
        assert courier._lines["opcw"].kept is None
        courier.close()


def test_a_centre_that_answers_drop_by_drop_is_given_up_all_the_same(syr: Keys, opcw: Keys) -> None:
    class Slow(ScriptedCentre):
        def _serve(self) -> None:
            plain, _ = self._listening.accept()
            connection = self._context.wrap_socket(plain, server_side=True)
            self._open.append(connection)
            stop = time.monotonic() + 3
            while time.monotonic() < stop:
                try:
                    connection.send(b"H")
                except OSError:
                    return
                threading.Event().wait(0.05)

    with Slow(opcw.server(syr)) as centre:
        courier = courier_to(centre.url, syr.client(opcw), opcw.spki, seconds=0.3)
        begin = time.monotonic()
        with pytest.raises(LineDown):
            courier.push("opcw", PUSH)
        assert time.monotonic() - begin < 2
        courier.close()


def test_a_centre_that_does_not_even_shake_hands_is_given_up(syr: Keys, opcw: Keys) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        courier = courier_to(url, syr.client(opcw), opcw.spki, seconds=0.2)
        with pytest.raises(LineDown):
            courier.push("opcw", PUSH)
        courier.close()


def test_a_kept_connection_that_broke_is_tried_once_more_on_a_fresh_one(syr: Keys, opcw: Keys) -> None:
    with ScriptedCentre(opcw.server(syr), http(REPLY), http(REPLY)) as centre:
        courier = courier_to(centre.url, syr.client(opcw), opcw.spki)
        assert courier.push("opcw", PUSH).size == 4
        assert courier.push("opcw", PUSH).size == 4
        assert centre.connections == 2
        with pytest.raises(LineDown):
            courier.push("opcw", PUSH)
        assert centre.connections == 3
        courier.close()


@pytest.mark.parametrize("cut", [0, 1, 10, 20, len(http(REPLY)) - len(REPLY), len(http(REPLY)) - 1])
def test_a_truncated_answer_is_no_answer(syr: Keys, opcw: Keys, cut: int) -> None:
    with ScriptedCentre(opcw.server(syr), http(REPLY)[:cut]) as centre:
        courier = courier_to(centre.url, syr.client(opcw), opcw.spki)
        with pytest.raises(LineDown):
            courier.push("opcw", PUSH)
        assert courier._lines["opcw"].kept is None
        courier.close()


def test_an_answer_in_chunks_is_read(syr: Keys, opcw: Keys) -> None:
    chunks = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n"
    with ScriptedCentre(opcw.server(syr), chunks % (REPLY[:5], len(REPLY) - 5, REPLY[5:])) as centre:
        courier = courier_to(centre.url, syr.client(opcw), opcw.spki)
        assert courier.push("opcw", PUSH) == PushReply(4, RECEIPT)
        courier.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"\x15\x03\x01 no HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + REPLY,
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + http(REPLY),
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"content-length: 0\r\n\r\n",
        http(b"x" * (2**20 + 1)),
        http(b""),
        http(b"[]"),
        http(b'{"receipt":"","size":-1}'),
        http(b'{"receipt":"","size":true}'),
        http(b'{"receipt":1,"size":1}'),
        http(b'{"more":1,"receipt":"","size":1}'),
        http(b'{"size":1,"receipt":""}'),
    ],
)
def test_an_answer_of_another_form_is_a_bad_answer(syr: Keys, opcw: Keys, answer: bytes) -> None:
    with ScriptedCentre(opcw.server(syr), answer) as centre:
        courier = courier_to(centre.url, syr.client(opcw), opcw.spki)
        with pytest.raises(LineDown) as caught:
            courier.push("opcw", PUSH)
        assert caught.value.code == "bad-answer"
        courier.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n" + b"x-filler: 0123456789\r\n" * 5_000,
        b"HTTP/1.1 200 OK\r\nx-filler: " + b"x" * 100_000,
        http(REPLY) + http(REPLY),
    ],
)
def test_a_head_without_end_and_a_second_answer_are_bad_answers(syr: Keys, opcw: Keys, answer: bytes) -> None:
    with ScriptedCentre(opcw.server(syr), answer, close=False) as centre:
        courier = courier_to(centre.url, syr.client(opcw), opcw.spki, seconds=5)
        with pytest.raises(LineDown) as caught:
            courier.push("opcw", PUSH)
        assert caught.value.code == "bad-answer"
        assert courier._lines["opcw"].kept is None
        courier.close()


def test_a_pull_beyond_the_bound_is_not_read(syr: Keys, opcw: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https, "PULL_BYTES_MAX", 1_000)
    with ScriptedCentre(opcw.server(syr), http(b"x" * 1_001)) as centre:
        courier = courier_to(centre.url, syr.client(opcw), opcw.spki)
        with pytest.raises(LineDown) as caught:
            courier.pull("opcw", "syr", 1, 10)
        assert caught.value.code == "bad-answer"
        courier.close()


def test_a_call_under_way_ends_when_the_courier_is_closed(syr: Keys, opcw: Keys) -> None:
    with ScriptedCentre(opcw.server(syr), http(REPLY), close=False) as centre:
        courier = courier_to(centre.url, syr.client(opcw), opcw.spki, seconds=30)
        courier.push("opcw", PUSH)
        failures: list[ServandaError] = []

        def ask() -> None:
            try:
                courier.push("opcw", PUSH)
            except LineDown as error:
                failures.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        while not courier._lines["opcw"].lock.locked() and thread.is_alive():
            pass
        courier.close()
        thread.join(5)
        assert not thread.is_alive()
        assert len(failures) == 1


@pytest.mark.parametrize("status", [400, 404, 413])
def test_a_refusal_carries_code_and_words(status: int) -> None:
    with pytest.raises(Refused, match="no proof") as caught:
        wire.raise_failure(status, encode({"code": "checkpoint", "message": "no proof", "size": 3}))
    assert caught.value.code == "checkpoint"


@pytest.mark.parametrize("status", [403, 408, 429, 500, 502, 503, 301, 204, 600])
def test_what_may_pass_is_a_line_that_is_down(status: int) -> None:
    with pytest.raises(LineDown) as caught:
        wire.raise_failure(status, b"<html>gateway</html>")
    assert caught.value.code == "line-down"
    with pytest.raises(LineDown) as caught:
        wire.raise_failure(status, encode({"code": "store-full", "message": "full"}))
    assert caught.value.code == "store-full"


def test_a_conflict_without_a_note_is_a_refusal() -> None:
    with pytest.raises(Refused):
        wire.raise_failure(409, encode({"code": "conflict", "message": "so it is"}))
    with pytest.raises(Conflict) as caught:
        wire.raise_failure(409, encode({"code": "conflict", "held": NOTE.decode(), "message": "so it is"}))
    assert caught.value.held == NOTE


def test_the_words_of_the_other_side_cannot_play_with_a_terminal() -> None:
    with pytest.raises(Refused) as caught:
        wire.raise_failure(400, encode({"code": "Bad\n", "message": "a\x1b[2Jb\n" + "c" * 5_000}))
    assert caught.value.code == "refused-by-counterpart"
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) == 1_000


@given(status=st.integers(100, 999).filter(lambda status: status != 200), body=st.binary(max_size=100))
@settings(deadline=None)
def test_any_failure_is_one_of_three(status: int, body: bytes) -> None:
    with pytest.raises((Refused, Conflict, LineDown)):
        wire.raise_failure(status, body)


@given(body=st.binary(max_size=200))
@settings(deadline=None)
def test_arbitrary_answers_are_bad_answers(body: bytes) -> None:
    for read in (wire.read_reply, lambda data: wire.read_pull("syr", 1, data), wire.read_path):
        if read is wire.read_path and not body:
            assert read(body) == []
            continue
        with pytest.raises(LineDown) as caught:
            read(body)
        assert caught.value.code == "bad-answer"


def test_a_pull_that_starts_elsewhere_is_a_bad_answer() -> None:
    body = wire.write_push(PUSH)
    assert wire.read_pull("syr", 3, body) == PUSH
    for first, data in [(4, body), (3, body[:-1]), (3, body + b"\n"), (3, b""), (3, b"\n")]:
        with pytest.raises(LineDown) as caught:
            wire.read_pull("syr", first, data)
        assert caught.value.code == "bad-answer"
