# SPDX-License-Identifier: Apache-2.0
"""Do openings reach exactly the parties that their author named when the entry was written?"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from servanda.journal.frame import Place, Reference
from servanda.operations.bundles import export_bundle
from servanda.operations.delivery import Delivery
from servanda.operations.desk import dispatch
from servanda.operations.errors import LineDown, Refusal
from servanda.operations.handing import Hander, outstanding, rightful, take_openings
from servanda.operations.openings import OpeningLine, keep_openings
from servanda.operations.sealing import known_openings
from servanda.proof.sealing import disclose, disclosure_digest, seal
from tests.rig.world import DirectCourier, World, push_all, three

SALT = b"0123456789abcdef"


def world() -> World:
    return three("ash", "birch", "cedar")


def sealed(w: World, *open_to: str, text: str = "where it lies") -> Place:
    return w.say("ash", "note", {"text": text}, to=["birch", "cedar"], seal=("text",), open_to=open_to).place


def opened(w: World, party: str, place: Place) -> list[str]:
    entry = w.centres[party].record.entry(place)
    assert entry is not None
    return known_openings(w.centres[party], entry)


def line(w: World, place: Place, index: int = 0) -> OpeningLine:
    entry = w.centres["ash"].record.entry(place)
    assert entry is not None
    text = known_openings(w.centres["ash"], entry)[index]
    return OpeningLine(text, Reference(place.party, place.number, entry.hash.hex()))


class TestWriting:
    def test_nobody_is_handed_anything_unless_the_draft_says_so(self) -> None:
        w = world()
        sealed(w)
        assert w.centres["ash"].store.handings() == []

    @pytest.mark.parametrize(
        "members",
        [
            {"to": ["birch"], "seal": ("text",), "open_to": ("cedar",)},
            {"to": ["birch"], "open_to": ("birch",)},
            {"to": ["birch"], "seal": ("text",), "open_to": ("birch", "birch")},
            {"to": [], "seal": ("text",), "open_to": ("ash",)},
        ],
    )
    def test_openings_go_only_to_those_addressed_or_named_and_only_of_what_is_sealed(
        self, members: dict[str, object]
    ) -> None:
        w = world()
        size = w.centres["ash"].journal.size
        for call in (w.say, w.alone):
            form = "note" if call == w.say else "alert"
            with pytest.raises(Refusal) as caught:
                call("ash", form, {"text": "x"}, **members)
            assert caught.value.code == "draft"
        assert w.centres["ash"].journal.size == size
        assert w.centres["ash"].store.drafts()[-1].state == "released", "no draft was kept either"

    def test_a_party_that_an_offer_names_may_be_handed_its_openings(self) -> None:
        w = world()
        w.say("ash", "proposal", {"text": "x"}, named=["cedar"], seal=("text",), open_to=("cedar",))
        assert [handing.party for handing in w.centres["ash"].store.handings()] == ["cedar"]

    def test_the_frame_does_not_say_to_whom_openings_go(self) -> None:
        w = world()
        entry = w.centres["ash"].record.entry(sealed(w, "birch"))
        assert entry is not None
        assert b"open" not in entry.frame.encode()  # type: ignore[union-attr]

    def test_what_one_officer_sends_alone_is_sealed_as_well(self) -> None:
        w = world()
        place = w.alone("ash", "alert", {"text": "quietly"}, to=["birch"], seal=("text",), open_to=("birch",)).place
        entry = w.centres["ash"].record.entry(place)
        assert entry is not None
        assert list(entry.frame.content) == ["_sd"]  # type: ignore[union-attr]
        assert len(w.centres["ash"].store.handings("birch")) == 1
        assert dispatch(w.centres["ash"], {"command": "show", "entry": str(place)})["opened"] == {"text": "quietly"}

    def test_to_whom_openings_go_is_durable_with_the_entry(self) -> None:
        w = world()
        place = sealed(w, "birch")
        assert [(h.number, h.party) for h in w.reopened("ash").store.handings()] == [(place.number, "birch")]


class TestHanding:
    def test_only_who_was_named_comes_to_hold_them_and_only_after_the_entry_is_there(self) -> None:
        w = world()
        place = sealed(w, "birch")
        hander = Hander(w.centres["ash"], DirectCourier(w.centres))
        assert hander.hand("birch") == 0, "its centre has not receipted the entry"
        w.sync()
        assert (hander.hand("birch"), hander.hand("cedar")) == (1, 0)
        assert (len(opened(w, "birch", place)), opened(w, "cedar", place)) == (1, [])
        assert outstanding(w.centres["ash"], "birch") == []
        assert dispatch(w.centres["birch"], {"command": "show", "entry": str(place)})["opened"] == {
            "text": "where it lies"
        }

    def test_the_watch_shows_what_is_not_held_yet(self) -> None:
        w = world()
        place = sealed(w, "birch")
        [shown] = [row for row in dispatch(w.centres["ash"], {"command": "status"})["watch"] if row["party"] == "birch"]
        assert shown["openings"] == [{"entry": str(place), "name": "text"}]

    def test_a_line_that_is_down_is_tried_again_and_what_is_held_is_not_sent_again(self) -> None:
        w = world()
        sealed(w, "birch")
        w.sync()
        calls: list[int] = []

        class Cut(DirectCourier):
            def openings(self, party: str, openings: Sequence[OpeningLine]) -> frozenset[str]:
                calls.append(len(openings))
                if len(calls) == 1:
                    raise LineDown("cut")
                return super().openings(party, openings)

        hander = Hander(w.centres["ash"], Cut(w.centres))
        with pytest.raises(LineDown):
            hander.hand("birch")
        assert (hander.hand("birch"), hander.hand("birch"), hander.hand("birch", again=True)) == (1, 0, 0)
        assert calls == [1, 1]

    def test_what_is_not_kept_stays_on_the_watch_and_is_tried_again_only_when_asked(self) -> None:
        w = world()
        sealed(w, "birch")
        w.sync()
        calls: list[int] = []

        class Forgetful(DirectCourier):
            def openings(self, party: str, openings: Sequence[OpeningLine]) -> frozenset[str]:
                calls.append(len(openings))
                return frozenset({"something else"})

        hander = Hander(w.centres["ash"], Forgetful(w.centres))
        assert [hander.hand("birch"), hander.hand("birch"), hander.hand("birch", again=True)] == [0, 0, 0]
        assert calls == [1, 1]
        assert len(outstanding(w.centres["ash"], "birch")) == 1

    def test_a_refusal_is_no_reason_to_stop(self) -> None:
        w = world()
        sealed(w, "birch")
        w.sync()

        class Old(DirectCourier):
            def openings(self, party: str, openings: Sequence[OpeningLine]) -> frozenset[str]:
                raise Refusal("nothing at this address", "no-such-path")

        assert Hander(w.centres["ash"], Old(w.centres)).hand("birch") == 0
        assert len(outstanding(w.centres["ash"], "birch")) == 1

    def test_delivery_hands_them_after_the_push(self) -> None:
        w = world()
        place = sealed(w, "birch")
        push_all(Delivery(w.centres["ash"], DirectCourier(w.centres), ["birch"]), "birch")
        assert len(opened(w, "birch", place)) == 1


class TestTaking:
    def test_an_opening_that_answers_to_no_digest_is_not_kept_and_not_confirmed(self) -> None:
        w = world()
        place = sealed(w)
        w.sync()
        good = line(w, place)
        other = OpeningLine(disclose(SALT, "text", "elsewhere"), good.entry)
        held = take_openings(w.centres["birch"], [other, good], "ash")
        assert held == {disclosure_digest(good.disclosure)}
        assert w.centres["birch"].store.openings("ash") == [(place.number, good.disclosure)]

    @pytest.mark.parametrize("changes", [{"leaf": "00" * 32}, {"number": 1}, {"number": 2**53 - 1}])
    def test_an_opening_of_an_entry_that_is_not_held_so_is_passed_over(self, changes: dict[str, object]) -> None:
        w = world()
        good = line(w, sealed(w))
        w.sync()
        reference = Reference(**{"party": "ash", "number": good.entry.number, "leaf": good.entry.leaf, **changes})  # type: ignore[arg-type]
        assert take_openings(w.centres["birch"], [OpeningLine(good.disclosure, reference)], "ash") == frozenset()
        assert w.centres["birch"].store.openings("ash") == []

    def test_nobody_hands_openings_of_another_partys_entry(self) -> None:
        w = world()
        good = line(w, sealed(w))
        w.sync()
        with pytest.raises(Refusal) as caught:
            take_openings(w.centres["birch"], [good], "cedar")
        assert caught.value.code == "wrong-journal"
        assert w.centres["birch"].store.openings("ash") == []

    def test_handing_twice_is_confirmed_twice_and_kept_once(self) -> None:
        w = world()
        good = line(w, sealed(w))
        w.sync()
        first = take_openings(w.centres["birch"], [good], "ash")
        assert take_openings(w.centres["birch"], [good, good], "ash") == first
        assert len(w.centres["birch"].store.openings("ash")) == 1

    def test_an_opening_within_an_opening_is_kept_in_whatever_order_they_come(self) -> None:
        w = world()
        content, [inner] = seal({"deep": "x"}, {"deep": SALT})
        outer = disclose(SALT, "text", content)  # type: ignore[arg-type]
        place = w.say("ash", "note", {"_sd": [disclosure_digest(outer)]}, to=["birch"]).place
        w.sync()
        entry = w.centres["ash"].record.entry(place)
        assert entry is not None
        reference = Reference("ash", place.number, entry.hash.hex())
        lines = [OpeningLine(inner, reference), OpeningLine(outer, reference)]
        assert keep_openings(w.centres["birch"], lines[:1]) == frozenset()
        assert keep_openings(w.centres["birch"], lines) == {disclosure_digest(inner), disclosure_digest(outer)}


class TestRights:
    def test_a_file_for_several_holds_only_what_every_one_of_them_may_have(self) -> None:
        w = world()
        both, one = sealed(w, "birch", "cedar"), sealed(w, "birch")
        assert [opening.entry.place for opening in rightful(w.centres["ash"], ["birch"])] == [both, one]
        assert [opening.entry.place for opening in rightful(w.centres["ash"], ["birch", "cedar"])] == [both]
        assert [opening.entry.place for opening in rightful(w.centres["ash"], ["cedar"])] == [both]
        assert rightful(w.centres["ash"], []) == []

    def test_what_has_been_handed_stays_a_right(self) -> None:
        w = world()
        place = sealed(w, "birch")
        w.sync()
        Hander(w.centres["ash"], DirectCourier(w.centres)).hand("birch")
        assert [opening.entry.place for opening in rightful(w.centres["ash"], ["birch"])] == [place]

    def test_a_bundle_in_the_clear_carries_none_of_them(self) -> None:
        w = world()
        sealed(w, "birch", text="unmistakable")
        assert b"openings/" not in export_bundle(w.centres["ash"], "courier")
