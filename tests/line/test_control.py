# SPDX-License-Identifier: Apache-2.0
"""Does a command reach the running centre of its home, and its error come back with code and exit status?"""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from servanda.gateway import control
from servanda.gateway.control import ControlServer
from servanda.operations.errors import Refusal, ServandaError, StoreDamaged, StoreFull, TryLater
from servanda.transport import control as calling
from servanda.transport.control import ask


class Odd(ServandaError):
    code = "odd"
    exit_status = 9


ERRORS: dict[str, Exception] = {
    "refuse": Refusal("no such draft", "no-draft"),
    "full": StoreFull("disk"),
    "damaged": StoreDamaged("disk"),
    "odd": Odd("odd"),
    "bug": KeyError("secret"),
}


def dispatch(request: dict[str, Any]) -> object:
    if request.get("do") in ERRORS:
        raise ERRORS[request["do"]]
    return object() if request.get("do") == "unsayable" else {"you": request}


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    server = ControlServer(tmp_path / "control.sock", dispatch)
    server.start()
    yield tmp_path / "control.sock"
    server.stop()
    assert not (tmp_path / "control.sock").exists()


def speak(path: Path, data: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("request_", [{}, {"do": "draft", "words": "Ed è subito\nsera", "n": [1, None, {}]}])
def test_a_request_is_answered(path: Path, request_: dict[str, Any]) -> None:
    assert ask(path, request_) == {"you": request_}


@pytest.mark.parametrize(
    ("do", "kind", "code", "status"),
    [
        ("refuse", Refusal, "no-draft", 2),
        ("full", TryLater, "store-full", 3),
        ("damaged", ServandaError, "store-damaged", 4),
        ("odd", ServandaError, "odd", 9),
        ("bug", ServandaError, "bug", 1),
        ("unsayable", ServandaError, "bug", 1),
    ],
)
def test_an_error_comes_back_as_it_was(path: Path, do: str, kind: type[ServandaError], code: str, status: int) -> None:
    with pytest.raises(kind) as caught:
        ask(path, {"do": do})
    assert (caught.value.code, caught.value.exit_status) == (code, status)
    assert "secret" not in str(caught.value)


def test_only_the_owner_may_open_the_socket(path: Path) -> None:
    mode = path.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


def test_one_connection_may_ask_many_times(path: Path) -> None:
    answers = speak(path, b'{"n":1}\n{"do":"refuse"}\n[]\nnonsense\n{"n":2}\n').splitlines()
    codes = [json.loads(answer).get("error", {}).get("code") for answer in answers]
    assert codes == [None, "no-draft", "malformed", "malformed", None]


def test_many_may_ask_at_once(path: Path) -> None:
    answers: list[object] = []
    threads = [threading.Thread(target=lambda n=n: answers.append(ask(path, {"n": n}))) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer["you"]["n"] for answer in answers) == list(range(20))  # type: ignore[index]


@given(data=st.binary(max_size=100))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arbitrary_lines_are_malformed_or_answered(path: Path, data: bytes) -> None:
    answers = speak(path, data).splitlines()
    assert len(answers) == data.count(b"\n")
    for answer in answers:
        told = json.loads(answer)
        assert "ok" in told or told["error"]["code"] == "malformed"


def test_a_request_beyond_the_bound_is_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "REQUEST_BYTES_MAX", 100)
    assert ask(path, {"words": "x" * 80})
    with pytest.raises(TryLater) as caught:
        ask(path, {"words": "x" * 100})
    assert caught.value.code == "control"


def test_where_nobody_listens_the_centre_is_not_running(tmp_path: Path) -> None:
    with pytest.raises(TryLater) as caught:
        ask(tmp_path / "control.sock", {})
    assert (caught.value.code, caught.value.exit_status) == ("not-running", 3)


def test_a_socket_that_was_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    server = ControlServer(path, dispatch)
    server.start()
    assert ask(path, {"n": 1}) == {"you": {"n": 1}}
    server.stop()
    server.stop()


def test_a_socket_that_somebody_answers_is_left_alone(path: Path) -> None:
    with pytest.raises(Refusal) as caught:
        ControlServer(path, dispatch).start()
    assert caught.value.code == "already-running"
    assert ask(path, {"n": 1}) == {"you": {"n": 1}}


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    path.write_text("precious")
    with pytest.raises(Refusal) as caught:
        ControlServer(path, dispatch).start()
    assert caught.value.code == "cannot-listen"
    assert path.read_text() == "precious"


def test_a_path_that_is_too_long_names_the_remedy(tmp_path: Path) -> None:
    fitting = tmp_path / ("x" * (107 - len(os.fsencode(tmp_path)) - 1))
    server = ControlServer(fitting, dispatch)
    server.start()
    assert ask(fitting, {"n": 1}) == {"you": {"n": 1}}
    server.stop()
    long = fitting.with_name(fitting.name + "x")
    for attempt in (ControlServer(long, dispatch).start, lambda: ask(long, {})):
        with pytest.raises(Refusal, match="shorter home") as caught:
            attempt()
        assert caught.value.code == "path-too-long"


def test_a_request_under_way_is_finished_when_the_server_stops(tmp_path: Path) -> None:
    begun, go = threading.Event(), threading.Event()

    def slow(request: dict[str, Any]) -> object:
        begun.set()
        return go.wait(5)

    path, answers = tmp_path / "control.sock", []
    server = ControlServer(path, slow)
    server.start()
    asking = threading.Thread(target=lambda: answers.append(ask(path, {})))
    asking.start()
    assert begun.wait(5)
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    while path.exists():
        pass
    go.set()
    stopping.join()
    asking.join()
    assert answers == [True]


def test_an_answer_that_makes_no_sense_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        for answer in (b"", b'{"ok":1}', b"{}\n", b"[]\n", b'{"error":{"code":"x"}}\n', b'{"error":1}\n', b"\xff\n"):

            def serve(answer: bytes = answer) -> None:
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

            thread = threading.Thread(target=serve)
            thread.start()
            with pytest.raises(TryLater) as caught:
                ask(path, {})
            assert caught.value.code == "control"
            thread.join()


def test_a_silent_centre_is_given_up_if_a_time_is_given(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        with pytest.raises(TryLater) as caught:
            ask(path, {}, timeout_seconds=0.05)
        assert caught.value.code == "control"


def test_both_sides_agree_on_the_longest_path() -> None:
    assert control.PATH_BYTES_MAX == calling.PATH_BYTES_MAX
