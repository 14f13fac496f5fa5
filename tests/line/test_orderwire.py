# SPDX-License-Identifier: Apache-2.0
"""The orderwire: words between watch officers, outside the record, bounded, and gone when the process ends."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servanda.gateway.bodies import Malformed, read_words
from servanda.operations.door import CentreDoor
from servanda.operations.errors import LineDown, Refusal, Refused, TryLater
from servanda.operations.orderwire import BURST, KEPT, Orderwire, cleaned
from servanda.operations.ports import Words
from servanda.transport.https import HttpsCourier
from servanda.transport.wire import write_words
from tests.line.parts import Line
from tests.rig.packs import channel
from tests.rig.world import DirectCourier, World


def raising(error: Exception) -> Callable[[], object]:
    def answer() -> object:
        raise error

    return answer


HELLO = Words("duty", "How do you read?")


@cache
def _founded() -> World:
    return World(channel())


class DeadCourier(DirectCourier):
    def orderwire(self, party: str, words: Words) -> None:
        raise LineDown("no answer in time")


class Pair:
    """Two centres whose watches talk."""

    def __init__(self) -> None:
        self.w = _founded().clone()
        self.now = 0.0
        courier = DirectCourier(self.w.centres)
        self.ash, self.birch = (Orderwire(self.w.centres[p], courier, lambda: self.now) for p in ("ash", "birch"))
        for party, wire in (("ash", self.ash), ("birch", self.birch)):
            courier._doors[party] = CentreDoor(self.w.centres[party], lambda: None, on_words=self._from(party, wire))

    def _from(self, party: str, wire: Orderwire):  # type: ignore[no-untyped-def]
        peer = "birch" if party == "ash" else "ash"
        return lambda _peer, words: wire.hear(peer, words)


def test_both_watches_see_the_same_words_in_order_and_no_entry_is_made() -> None:
    pair = Pair()
    before = {party: len(centre.record.log) for party, centre in pair.w.centres.items()}
    pair.ash.say("birch", HELLO)
    pair.birch.say("ash", Words("chief", "Loud and clear"))
    for wire, peer in ((pair.ash, "birch"), (pair.birch, "ash")):
        said = [(item.party, item.officer, item.text) for item in wire.last(peer)]
        assert said == [("ash", "duty", "How do you read?"), ("birch", "chief", "Loud and clear")]
    assert before == {party: len(centre.record.log) for party, centre in pair.w.centres.items()}
    assert Orderwire(pair.w.reopened("ash"), DirectCourier({})).last("birch") == []


def test_words_from_a_centre_on_an_exercise_clock_say_so() -> None:
    pair = Pair()
    pair.w.centres["ash"].exercising = True
    pair.ash.say("birch", HELLO)
    assert [said.text for said in pair.birch.last("ash")] == ["EXERCISE: How do you read?"]


def test_when_the_line_is_down_it_is_said_and_nothing_is_kept() -> None:
    w = _founded().clone()
    wire = Orderwire(w.centres["ash"], DeadCourier({}))
    with pytest.raises(LineDown):
        wire.say("birch", HELLO)
    assert wire.last("birch") == []


def test_a_counterpart_that_talks_too_much_is_told_so_and_may_go_on_later() -> None:
    pair = Pair()
    for _ in range(BURST):
        pair.birch.hear("ash", HELLO)
    with pytest.raises(TryLater) as caught:
        pair.birch.hear("ash", HELLO)
    assert caught.value.code == "too-many"
    pair.now += 3.5
    pair.birch.hear("ash", HELLO)
    with pytest.raises(TryLater):
        pair.birch.hear("ash", HELLO)


def test_only_the_last_messages_are_kept() -> None:
    pair = Pair()
    for number in range(KEPT + 5):
        pair.now += 10
        pair.birch.hear("ash", Words("duty", f"number {number}"))
    said = pair.birch.last("ash")
    assert len(said) == KEPT
    assert said[0].text == "number 5"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (Words("stranger", "t"), "unknown-key"),
        (Words("desk", "t"), "wrong-role"),
        (Words("duty", "\x07\n\u202e"), "malformed"),
    ],
)
def test_who_is_no_officer_of_the_watch_is_not_heard(words: Words, code: str) -> None:
    pair = Pair()
    for attempt in (lambda: pair.birch.hear("ash", words), lambda: pair.ash.say("birch", words)):
        with pytest.raises(Refusal) as caught:
            attempt()
        assert caught.value.code == code
    assert pair.birch.last("ash") == pair.ash.last("birch") == []


def test_words_to_nobody_are_refused() -> None:
    pair = Pair()
    for party in ("ash", "elm", ""):
        with pytest.raises(Refusal) as caught:
            pair.ash.say(party, HELLO)
        assert caught.value.code == "party"
    with pytest.raises(Refusal):
        pair.ash.say("birch", Words("duty", "x" * 1_001))


def test_a_door_where_nobody_listens_says_so() -> None:
    with pytest.raises(TryLater) as caught:
        CentreDoor(_founded().centres["ash"], lambda: None).orderwire("birch", HELLO)
    assert caught.value.code == "not-running"


@given(text=st.text(max_size=200))
def test_no_sign_that_moves_a_cursor_or_turns_the_writing_is_kept(text: str) -> None:
    found = cleaned(f"a{text}z")
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u2028\u2029\ufeff" for c in found)
    assert not any(c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069" for c in found)


def test_words_travel_over_the_line(line: Line, courier: HttpsCourier) -> None:
    words = Words("watch-1", "Здесь вахта; how do you read?")
    courier.orderwire("opcw", words)
    assert line.door.calls == [("orderwire", "syr", words)]


def test_refusals_and_too_many_come_back_as_they_are(line: Line, courier: HttpsCourier) -> None:
    line.door.answer = raising(TryLater("too many messages in a short time", "too-many"))
    with pytest.raises(LineDown) as later:
        courier.orderwire("opcw", HELLO)
    assert later.value.code == "too-many"
    line.door.answer = raising(Refusal("no officer", "unknown-key"))
    with pytest.raises(Refused) as refused:
        courier.orderwire("opcw", HELLO)
    assert refused.value.code == "unknown-key"


@given(data=st.binary(max_size=200) | st.text(max_size=50).map(lambda t: b'{"officer":"a","text":"%s"}\n' % t.encode()))
def test_arbitrary_bytes_are_malformed_or_words(data: bytes) -> None:
    try:
        words = read_words(data)
    except Malformed:
        return
    assert write_words(words) == data


@pytest.mark.parametrize(
    "body",
    [
        b"{}\n",
        b'{"officer":"a","text":""}\n',
        b'{"officer":1,"text":"t"}\n',
        b'{"officer":"a","text":"%s"}\n' % (b"x" * 1_001),
        b'{"officer":"a","text":"t","to":"b"}\n',
        b'{"officer":"a","text":"t"}',
        b"[]\n",
    ],
)
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_words(body)


def test_over_size_and_wrong_method_are_refused_on_the_line(line: Line) -> None:
    with line.connect() as connection:
        connection.sendall(b"GET /v1/orderwire HTTP/1.1\r\nhost: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 404 ")
        connection.sendall(b"POST /v1/orderwire HTTP/1.1\r\nhost: x\r\ncontent-length: 9000\r\n\r\n" + b"x" * 9000)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")
    assert line.door.calls == []


def test_words_that_are_no_text_are_refused_before_they_are_sent() -> None:
    with pytest.raises(Refusal):
        write_words(Words("duty", "\ud800"))
