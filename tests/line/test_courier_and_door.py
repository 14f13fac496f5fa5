# SPDX-License-Identifier: Apache-2.0
"""Does a request of one centre reach the door of another over real sockets, and its answer come back unchanged?"""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from servanda.operations.errors import (
    Conflict,
    LineDown,
    Refusal,
    Refused,
    ServandaError,
    StoreDamaged,
    StoreFull,
)
from servanda.operations.ports import Push, PushReply
from servanda.transport.https import HttpsCourier
from tests.line.parts import NOTE, PUSH, RECEIPT, Line

DIGEST = "6b" * 32


def raising(error: BaseException) -> Callable[[], object]:
    def answer() -> object:
        raise error

    return answer


def test_a_push_reaches_the_door_and_the_receipt_comes_back(line: Line, courier: HttpsCourier) -> None:
    assert courier.push("opcw", PUSH) == PushReply(4, RECEIPT)
    assert line.door.calls == [("push", "syr", PUSH)]


def test_a_push_is_judged_when_its_receipt_is_on_its_way(line: Line, courier: HttpsCourier) -> None:
    judging, received = threading.Event(), threading.Event()

    def judged() -> None:
        judging.set()
        assert received.wait(10)

    line.door.judged = judged
    assert courier.push("opcw", PUSH) == PushReply(4, RECEIPT)
    received.set()
    assert judging.wait(10)


def test_a_push_that_cannot_be_judged_is_receipted_all_the_same(line: Line, courier: HttpsCourier) -> None:
    line.door.judged = raising(RuntimeError("a fault of ours"))
    assert courier.push("opcw", PUSH) == PushReply(4, RECEIPT)
    assert courier.push("opcw", PUSH) == PushReply(4, RECEIPT)


def test_a_push_without_leaves_brings_only_its_checkpoint(line: Line, courier: HttpsCourier) -> None:
    empty = PUSH._replace(leaves=())
    courier.push("opcw", empty)
    assert line.door.calls == [("push", "syr", empty)]


def test_a_push_of_a_thousand_leaves_and_eight_mebibytes_arrives(line: Line, courier: HttpsCourier) -> None:
    leaves = tuple(b"%07d" % n + b"x" * 8_000 for n in range(1_000))
    push = Push("syr", 1, leaves, NOTE)
    assert courier.push("opcw", push).size == 1_000
    assert line.door.calls == [("push", "syr", push)]


def test_a_pull_brings_the_leaves_under_their_note(line: Line, courier: HttpsCourier) -> None:
    assert courier.pull("opcw", "syr", 3, 1_000_000) == PUSH
    assert line.door.calls == [("pull", "syr", "syr", 3, 1_000)]


def test_a_pull_may_be_empty_of_leaves(line: Line, courier: HttpsCourier) -> None:
    line.door.answer = lambda: Push("syr", 5, (), NOTE)
    assert courier.pull("opcw", "syr", 5, 10) == Push("syr", 5, (), NOTE)


def test_checkpoint_receipt_and_pack_travel_as_they_are(line: Line, courier: HttpsCourier) -> None:
    assert courier.checkpoint("opcw", "syr") == NOTE + RECEIPT
    assert courier.receipt("opcw", "syr", NOTE) == RECEIPT + RECEIPT
    assert courier.pack("opcw", DIGEST) == b'{"pack":1}'
    assert line.door.calls == [("checkpoint", "syr", "syr"), ("receipt", "syr", "syr", NOTE), ("pack", "syr", DIGEST)]


def test_a_consistency_path_travels_hash_by_hash(line: Line, courier: HttpsCourier) -> None:
    assert courier.consistency("opcw", "syr", 3, 7) == [b"\x01" * 32, b"\xff" * 32]
    assert line.door.calls == [("consistency", "syr", "syr", 3, 7)]


@pytest.mark.parametrize(
    ("raised", "expected", "code"),
    [
        (Refusal("no proof", "checkpoint"), Refused, "checkpoint"),
        (Refusal("send from 3", "gap"), Refused, "gap"),
        (Refusal("too many", "over-size"), Refused, "over-size"),
        (Refusal("no journal", "wrong-journal"), Refused, "wrong-journal"),
        (Refusal("no pack", "no-pack"), Refused, "no-pack"),
        (StoreFull("disk"), LineDown, "store-full"),
        (StoreDamaged("disk"), LineDown, "store-damaged"),
        (ServandaError("odd"), LineDown, "error"),
    ],
)
def test_errors_of_the_door_keep_their_code_and_what_to_do(
    line: Line, courier: HttpsCourier, raised: ServandaError, expected: type[ServandaError], code: str
) -> None:
    line.door.answer = raising(raised)
    with pytest.raises(expected, match=str(raised)) as caught:
        courier.push("opcw", PUSH)
    assert caught.value.code == code
    line.door.answer = lambda: None
    assert courier.push("opcw", PUSH).size == 4  # and the connection is still good


def test_a_conflict_travels_with_the_note_that_proves_it(line: Line, courier: HttpsCourier) -> None:
    line.door.answer = raising(Conflict("another entry syr/3 is held", NOTE))
    with pytest.raises(Conflict, match="another entry syr/3") as caught:
        courier.push("opcw", PUSH)
    assert caught.value.held == NOTE


def test_a_bug_is_logged_here_and_told_there_without_its_words(
    line: Line, courier: HttpsCourier, caplog: pytest.LogCaptureFixture
) -> None:
    line.door.answer = raising(KeyError("secret of ours"))
    with pytest.raises(LineDown) as caught:
        courier.checkpoint("opcw", "syr")
    assert caught.value.code == "bug"
    assert "secret" not in str(caught.value)
    assert "secret of ours" in caplog.text


def test_one_connection_is_kept_for_many_requests(line: Line, courier: HttpsCourier) -> None:
    courier.push("opcw", PUSH)
    kept = courier._lines["opcw"].kept
    for _ in range(5):
        courier.push("opcw", PUSH)
    assert kept is not None
    assert courier._lines["opcw"].kept is kept


def test_threads_share_a_courier(line: Line, courier: HttpsCourier) -> None:
    sizes: list[int] = []

    def run() -> None:
        for first in range(1, 21):
            sizes.append(courier.push("opcw", PUSH._replace(first=first)).size - first)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [1] * 80


def test_light_requests_are_answered_while_another_peers_push_is_under_way(line: Line) -> None:
    begun, go = threading.Event(), threading.Event()
    heavy = PUSH._replace(leaves=(b"{}",) * 21)
    first, second = line.courier(), line.courier()

    def answer() -> None:
        begun.set()
        go.wait(5)

    line.door.answer = answer
    thread = threading.Thread(target=first.push, args=("opcw", heavy))
    thread.start()
    assert begun.wait(5)
    with line.connect() as other:  # the loop is free: it shakes hands and reads, though the door is busy
        other.sendall(b"GET /v1/nothing HTTP/1.1\r\nhost: x\r\n\r\n")
        assert other.recv(65536).startswith(b"HTTP/1.1 404 ")
    go.set()
    thread.join()
    assert second.push("opcw", PUSH).size == 4
    first.close()
    second.close()


def test_a_closed_courier_says_so(line: Line) -> None:
    courier = line.courier()
    courier.push("opcw", PUSH)
    courier.close()
    with pytest.raises(LineDown, match="closed"):
        courier.push("opcw", PUSH)


def test_a_leaf_that_is_no_line_is_not_sent(line: Line, courier: HttpsCourier) -> None:
    for leaf in (b"", b"two\nlines"):
        with pytest.raises(Refusal) as caught:
            courier.push("opcw", PUSH._replace(leaves=(leaf,)))
        assert caught.value.code == "malformed"
    assert line.door.calls == []
