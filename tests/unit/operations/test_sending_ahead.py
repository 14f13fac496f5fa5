# SPDX-License-Identifier: Apache-2.0
"""Is what is urgent sent ahead of what is not, and is only a receipt that holds kept for it?"""

from __future__ import annotations

from typing import Any

import pytest

from servanda.operations import delivery
from servanda.operations.advancing import (
    ADVANCES_MAX,
    ROUND_MAX,
    Ahead,
    advances_document,
    keep_advance_receipt,
    take_advance,
    urgent_behind,
)
from servanda.operations.delivery import Delivery
from servanda.operations.errors import LineDown, Refusal
from servanda.operations.founding import identity_content, state_identity
from servanda.operations.ports import Advance, Push, PushReply
from servanda.operations.receipts import receipted_size
from servanda.proof.canonical import decode, encode
from servanda.proof.envelope import ADVANCE_TYPE, Envelope, Signature, pae, parse_envelope
from servanda.proof.keys import key_id
from tests.rig.ahead import advance, alarm, first_push, refused, routine, world
from tests.rig.packs import lake
from tests.rig.world import ROLES, DirectCourier, World, hand, push_all, roots_of, signers_of, three


class Noting(DirectCourier):
    """Notes what is sent in which order, and can be down."""

    def __init__(self, w: World) -> None:
        super().__init__(w.centres)
        self.sent: list[tuple[str, int]] = []
        self.down = False

    def push(self, party: str, push: Push, by: str | None = None) -> PushReply:
        self.sent.append(("push", push.first))
        return super().push(party, push)

    def advance(self, party: str, advance: Advance) -> bytes:
        if self.down:
            raise LineDown("cut")
        self.sent.append(("advance", advance.number))
        return super().advance(party, advance)


class TestSending:
    def test_flash_goes_before_immediate_and_the_newest_first(self) -> None:
        w = world()
        routine(w, 2)
        push = first_push(w, 2)
        numbers = [alarm(w, precedence=p) for p in ("flash", "immediate", "priority", "flash", "immediate")]
        order = [numbers[i] for i in (3, 0, 4, 1)]
        assert urgent_behind(w.centres["ash"], "birch", push) == order
        courier = Noting(w)
        assert Ahead(w.centres["ash"], courier).send("birch", push) == 4
        assert courier.sent == [("advance", number) for number in order]
        sent = advances_document(w.centres["ash"])["sent"]
        assert [(row["entry"], row["party"], row["ahead-of"]) for row in sent] == [
            (f"ash/{number}", "birch", number - push.first) for number in sorted(order)
        ]

    def test_a_backlog_that_fits_into_one_push_sends_nothing_ahead(self) -> None:
        w = world()
        routine(w, 2)
        alarm(w)
        assert urgent_behind(w.centres["ash"], "birch", first_push(w, 3)) == []

    def test_only_some_go_ahead_of_one_push_and_after_that_only_what_is_newer(self) -> None:
        w = world()
        routine(w, 1)
        push = first_push(w, 1)
        numbers = [alarm(w, f"{i}") for i in range(ROUND_MAX + 3)]
        ahead = Ahead(w.centres["ash"], DirectCourier(w.centres))
        assert ahead.send("birch", push) == ROUND_MAX
        assert ahead.send("birch", push) == 0
        newest = alarm(w, "the newest")
        assert urgent_behind(w.centres["ash"], "birch", push) == [newest]
        assert newest > numbers[-1]

    def test_no_more_goes_ahead_than_a_counterpart_holds(self) -> None:
        w = world()
        routine(w, 1)
        push = first_push(w, 1)
        ahead = Ahead(w.centres["ash"], DirectCourier(w.centres))
        for index in range(ADVANCES_MAX + 3):
            alarm(w, f"{index}")
            ahead.send("birch", push)
        assert len(w.centres["birch"].advances) == ADVANCES_MAX
        assert urgent_behind(w.centres["ash"], "birch", push) == []

    def test_nothing_goes_past_an_identity_that_the_other_side_lacks(self) -> None:
        w = world()
        centre = w.centres["ash"]
        content = identity_content(signers_of("ash"), roots_of("ash"), 2, ROLES, {"en": "ash again"})
        state_identity(centre, content, roots_of("ash")[:2])
        routine(w, 1)
        push = first_push(w, 1)
        number = alarm(w)
        assert urgent_behind(centre, "birch", push) == []
        w.deliver("ash", "birch", push.first)
        routine(w, 1)
        assert urgent_behind(centre, "birch", first_push(w, 1)) == [number]

    def test_a_party_that_has_our_card_and_receipted_nothing_yet_gets_it_as_well(self) -> None:
        w = World(lake(("ash", "birch")), adopted=False)
        hand(w.centres["ash"], w.centres["birch"])
        w.say("ash", "adopt", {"pack": w.pack.digest})
        w.say("birch", "adopt", {"pack": w.pack.digest})
        hand(w.centres["birch"], w.centres["ash"])
        routine(w, 1)
        number = alarm(w)
        fresh = w.reopened("ash")
        fresh.store._state.journals["ash"].receipts.clear()  # type: ignore[attr-defined]
        assert receipted_size(fresh, "birch") == 0
        push = Push("ash", 1, tuple(fresh.store.leaves("ash", 1, 2)), fresh.note_at(2))
        assert urgent_behind(fresh, "birch", push) == [number]

    def test_a_full_counterpart_or_a_missing_identity_does_not_hold_up_the_push(self) -> None:
        w = world()
        routine(w, 1)
        push = first_push(w, 1)
        alarm(w)

        class Full(DirectCourier):
            def advance(self, party: str, advance: Advance) -> bytes:
                raise LineDown("no room", "advances-full")

        assert Ahead(w.centres["ash"], Full(w.centres)).send("birch", push) == 0

    def test_a_line_that_is_down_is_said_to_be(self) -> None:
        w = world()
        routine(w, 1)
        push = first_push(w, 1)
        alarm(w)
        courier = Noting(w)
        courier.down = True
        with pytest.raises(LineDown):
            Ahead(w.centres["ash"], courier).send("birch", push)

    def test_a_refusal_is_not_asked_for_again(self) -> None:
        w = world()
        routine(w, 1)
        push = first_push(w, 1)
        alarm(w)
        asked: list[int] = []

        class Refusing(DirectCourier):
            def advance(self, party: str, advance: Advance) -> bytes:
                asked.append(advance.number)
                raise Refusal("nothing at this address", "no-such-path")

        ahead = Ahead(w.centres["ash"], Refusing(w.centres))
        assert (ahead.send("birch", push), ahead.send("birch", push)) == (0, 0)
        assert len(asked) == 1


def forged(w: World, receipt: bytes, by: str = "birch", kind: str = ADVANCE_TYPE, **changes: Any) -> bytes:
    """A receipt that says something else, signed by that party's receipt key."""
    payload = encode({**decode(parse_envelope(receipt).payload), **changes})  # type: ignore[dict-item]
    key = w.centres[by].signers.receipt
    return Envelope(payload, kind, (Signature(key_id(key.public), key.sign(pae(kind, payload)), "ed25519"),)).encode()


class TestReceipts:
    def test_a_receipt_for_something_else_is_not_kept(self) -> None:
        w = three("ash", "birch", "cedar")
        routine(w, 1)
        number = alarm(w)
        good = take_advance(w.centres["birch"], advance(w, number), "ash")
        bad = [
            forged(w, good, number=number - 1),
            forged(w, good, leaf="00" * 32),
            forged(w, good, by="cedar"),
            forged(w, good, journal="birch"),
            forged(w, good, agreement="00" * 32),
            forged(w, good, more=1),
            forged(w, good, **{"held-at": "yesterday"}),
            forged(w, good, kind="application/vnd.servanda.manifest.v1+json"),
            forged(w, good, "ash"),
            good[:-1],
            b"",
        ]
        for receipt in bad:
            error = refused(lambda receipt=receipt: keep_advance_receipt(w.centres["ash"], "birch", number, receipt))  # type: ignore[misc]
            assert error.code == "receipt"
        assert w.centres["ash"].store.advance_receipts("birch") == {}
        keep_advance_receipt(w.centres["ash"], "birch", number, good)
        assert w.centres["ash"].store.advance_receipts("birch") == {number: good}


def test_a_receipt_is_still_shown_after_its_key_was_renewed() -> None:
    w = world()
    routine(w, 1)
    push = first_push(w, 1)
    number = alarm(w)
    Ahead(w.centres["ash"], DirectCourier(w.centres)).send("birch", push)
    renewed = signers_of("birch", "again")
    birch = w.centres["birch"]
    birch.signers = birch.signers._replace(receipt=renewed.receipt, receipt_mldsa44=renewed.receipt_mldsa44)
    state_identity(
        birch, identity_content(birch.signers, roots_of("birch"), 2, ROLES, {"en": "b"}), roots_of("birch")[:2]
    )
    hand(birch, w.centres["ash"])
    assert [row["entry"] for row in advances_document(w.centres["ash"])["sent"]] == [f"ash/{number}"]


def test_a_returning_counterpart_gets_the_flash_alert_first_and_then_everything_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery, "LEAVES_MAX", 10)
    w = world()
    routine(w, 35)
    number = alarm(w)
    routine(w, 5)
    centre, courier = w.centres["ash"], Noting(w)
    sending = Delivery(centre, courier, ["birch"])
    push_all(sending, "birch")
    kinds = [kind for kind, _ in courier.sent]
    assert courier.sent[0] == ("advance", number)
    assert kinds == ["advance"] + ["push"] * kinds.count("push")
    assert [first for kind, first in courier.sent if kind == "push"] == sorted(
        first for kind, first in courier.sent if kind == "push"
    )
    size = centre.journal.size
    assert w.centres["birch"].store.leaves("ash", 1, size) == centre.store.leaves("ash", 1, size)
    assert list(centre.store.advance_receipts("birch")) == [number]
    assert advances_document(centre)["sent"] == [], "it lies in its place now"


def test_an_alert_released_in_the_middle_of_a_long_delivery_goes_ahead_of_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery, "LEAVES_MAX", 10)
    w = world()
    routine(w, 45)
    centre, late = w.centres["ash"], []

    class Interrupted(Noting):
        def push(self, party: str, push: Push, by: str | None = None) -> PushReply:
            reply = super().push(party, push)
            if not late:
                late.append(alarm(w, "in the middle"))
            return reply

    courier = Interrupted(w)
    push_all(Delivery(centre, courier, ["birch"]), "birch")
    assert courier.sent[1] == ("advance", late[0])
