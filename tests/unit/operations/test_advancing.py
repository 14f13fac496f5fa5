# SPDX-License-Identifier: Apache-2.0
"""Does an urgent entry go ahead of a backlog, provably, and without changing what lies where?"""

from __future__ import annotations

import pytest

from servanda.operations import advancing
from servanda.operations.advancing import (
    advances_document,
    take_advance,
)
from servanda.operations.bundles import export_bundle, import_bundle
from servanda.operations.desk import dispatch
from servanda.operations.errors import Conflict, Refusal, TryLater
from servanda.operations.founding import identity_content, state_identity
from servanda.operations.receiving import receive
from servanda.proof.canonical import decode
from servanda.proof.checkpoints import Checkpoint, sign_checkpoint
from servanda.proof.envelope import ADVANCE_TYPE, pae, parse_envelope
from servanda.proof.keys import key_id, verify_ed25519
from servanda.proof.notes import Note
from tests.rig.ahead import advance, alarm, refused, routine, world
from tests.rig.world import ROLES, DirectCourier, hand, roots_of, signer, three


class TestTaking:
    def test_an_urgent_entry_is_held_ahead_of_its_place_and_rings(self) -> None:
        w = world()
        routine(w, 3)
        number = alarm(w)
        size = w.centres["birch"].record.journals["ash"].size
        take_advance(w.centres["birch"], advance(w, number), "ash")
        [held] = dispatch(w.centres["birch"], {"command": "advances"})["held"]
        assert (held["entry"], held["complete"], held["missing"]) == (f"ash/{number}", False, 3)
        assert held["signature"] == "verified"
        assert held["frame"]["content"] == {"text": "Ice on the lake"}
        assert [known.number for known in w.centres["birch"].advances] == [number]
        assert w.centres["birch"].record.journals["ash"].size == size, "it has no place and no effect yet"

    def test_the_receipt_is_by_the_receipt_key_over_that_one_leaf(self) -> None:
        w = world()
        routine(w, 3)
        number = alarm(w)
        envelope = parse_envelope(take_advance(w.centres["birch"], advance(w, number), "ash"))
        key = w.centres["birch"].signers.receipt.public
        assert envelope.payload_type == ADVANCE_TYPE
        assert [s.keyid for s in envelope.signatures] == [key_id(key)]
        verify_ed25519(key, pae(ADVANCE_TYPE, envelope.payload), envelope.signatures[0].sig)
        told = decode(envelope.payload)
        leaf = w.centres["ash"].journal.tree.node(0, number - 1).hex()
        assert told == {
            "agreement": w.pack.digest,
            "by": "birch",
            "held-at": w.centres["birch"].advances[0].held_at,
            "journal": "ash",
            "leaf": leaf,
            "number": number,
        }

    def test_it_is_durable_before_the_receipt_is_signed(self) -> None:
        w = world()
        routine(w, 1)
        centre = w.centres["birch"]
        seen: list[int] = []
        own = centre.signers.receipt

        class Watching:
            algorithm, public = own.algorithm, own.public

            def sign(self, message: bytes) -> bytes:
                seen.append(len(centre.store.advances("ash")))
                return own.sign(message)

        centre.signers = centre.signers._replace(receipt=Watching())
        take_advance(centre, advance(w, alarm(w)), "ash")
        assert seen == [1]

    def test_a_replay_gives_the_same_receipt_and_holds_nothing_twice(self) -> None:
        w = world()
        routine(w, 2)
        sent = advance(w, alarm(w))
        first = take_advance(w.centres["birch"], sent, "ash")
        assert take_advance(w.centres["birch"], sent, "ash") == first
        assert len(w.centres["birch"].advances) == 1

    def test_it_survives_a_restart(self) -> None:
        w = world()
        routine(w, 2)
        number = alarm(w)
        take_advance(w.centres["birch"], advance(w, number), "ash")
        assert [known.number for known in w.reopened("birch").advances] == [number]

    def test_an_entry_signed_by_an_officer_unknown_here_is_kept_and_shown_as_such(self) -> None:
        w = world()
        routine(w, 2)
        centre, guard = w.centres["ash"], signer("ash", "", "guard")
        centre.signers = centre.signers._replace(officers={**centre.signers.officers, "guard": guard})
        roles = {**ROLES, "guard": ("watch",)}
        state_identity(
            centre, identity_content(centre.signers, roots_of("ash"), 2, roles, {"en": "ash"}), roots_of("ash")[:2]
        )
        number = w.alone("ash", "alert", {"text": "Ice"}, author="guard", to=["birch"], precedence="flash").place.number
        take_advance(w.centres["birch"], advance(w, number), "ash")
        assert advances_document(w.centres["birch"])["held"][0]["signature"] == "unknown-key"


class TestAttacks:
    def test_a_forged_inclusion_is_refused(self) -> None:
        w = world()
        routine(w, 4)
        good = advance(w, alarm(w))
        for path in (good.path[:-1], (*good.path, b"\x00" * 32), (b"\x01" * 32, *good.path[1:]), ()):
            error = refused(lambda path=path: take_advance(w.centres["birch"], good._replace(path=path), "ash"))  # type: ignore[misc]
            assert (type(error), error.code) == (Refusal, "inclusion")
        assert w.centres["birch"].advances == []

    def test_another_leaf_of_the_same_place_is_no_part_of_the_tree(self) -> None:
        w = world()
        routine(w, 4)
        twin = w.clone()
        good, other = advance(w, alarm(w)), advance(twin, alarm(twin, "No ice at all"))
        error = refused(lambda: take_advance(w.centres["birch"], good._replace(leaf=other.leaf), "ash"))
        assert error.code == "inclusion"

    def test_a_signature_by_the_right_key_that_does_not_verify_is_refused(self) -> None:
        w = world()
        routine(w, 2)
        good = advance(w, alarm(w))
        head, line = good.checkpoint.rsplit(b" ", 1)
        flipped = line[:20] + (b"A" if line[20:21] != b"A" else b"B") + line[21:]
        bad = good._replace(checkpoint=head + b" " + flipped)
        error = refused(lambda: take_advance(w.centres["birch"], bad, "ash"))
        assert (type(error), error.code) == (Refusal, "checkpoint")

    def test_a_key_that_no_identity_held_states_is_sent_away_until_its_identity_comes(self) -> None:
        w = world()
        routine(w, 2)
        number = alarm(w)
        centre, stranger = w.centres["ash"], signer("nobody")
        checkpoint = Checkpoint(centre.journal.origin, number, centre.journal.tree.root(number))
        note = Note(checkpoint.text(), (sign_checkpoint(checkpoint, stranger.sign, stranger.public),)).encode()
        error = refused(lambda: take_advance(w.centres["birch"], advance(w, number, checkpoint=note), "ash"))
        assert (type(error), error.code) == (TryLater, "earlier-identity")
        assert w.centres["birch"].advances == []

    @pytest.mark.parametrize("note", [b"", b"\xff", b"one\ntwo\n\n", b"a\n1\nb\n\n"])
    def test_what_is_no_checkpoint_is_refused(self, note: bytes) -> None:
        w = world()
        routine(w, 1)
        error = refused(lambda: take_advance(w.centres["birch"], advance(w, alarm(w), checkpoint=note), "ash"))
        assert error.code == "checkpoint"

    def test_a_checkpoint_of_another_size_or_journal_is_refused(self) -> None:
        w = world()
        routine(w, 2)
        number = alarm(w)
        routine(w, 1)
        longer = w.centres["ash"].note_at(number + 1)
        elsewhere = w.centres["birch"].note_at(2)
        for note in (longer, elsewhere):
            error = refused(
                lambda note=note: take_advance(w.centres["birch"], advance(w, number, checkpoint=note), "ash")  # type: ignore[misc]
            )
            assert error.code == "checkpoint"

    def test_nobody_brings_another_partys_journal_or_our_own(self) -> None:
        w = three("ash", "birch", "cedar")
        routine(w, 2)
        number = alarm(w)
        for centre, peer in (("birch", "cedar"), ("ash", "birch"), ("ash", "ash")):
            error = refused(
                lambda centre=centre, peer=peer: take_advance(w.centres[centre], advance(w, number), peer)  # type: ignore[misc]
            )
            assert (type(error), error.code) == (Refusal, "wrong-journal")
        error = refused(lambda: take_advance(w.centres["birch"], advance(w, number, journal="oak"), "oak"))
        assert error.code == "wrong-journal"

    def test_what_is_not_urgent_or_no_entry_or_of_another_place_does_not_go_ahead(self) -> None:
        w = world()
        routine(w, 2)
        number = alarm(w, precedence="priority")
        urgent = alarm(w)
        misplaced = advance(w, urgent)._replace(number=urgent + 1)
        for bad in (advance(w, number), advance(w, urgent, leaf=b"{}"), misplaced):
            error = refused(lambda bad=bad: take_advance(w.centres["birch"], bad, "ash"))  # type: ignore[misc]
            assert error.code == "advance"
        assert w.centres["birch"].advances == []

    def test_an_entry_that_lies_in_its_place_is_not_taken_again(self) -> None:
        w = world()
        number = alarm(w)
        w.deliver("ash", "birch")
        error = refused(lambda: take_advance(w.centres["birch"], advance(w, number), "ash"))
        assert (type(error), error.code) == (Refusal, "in-place")
        assert w.centres["birch"].advances == []

    def test_another_entry_for_a_place_that_is_taken_is_proved_a_fork(self) -> None:
        w = world()
        twin = w.clone()
        number = alarm(w)
        w.deliver("ash", "birch")
        assert alarm(twin, "Another") == number
        error = refused(lambda: take_advance(w.centres["birch"], advance(twin, number), "ash"))
        assert isinstance(error, Conflict)
        assert len(w.centres["birch"].forks["ash"]) == 1

    def test_two_entries_for_one_place_in_advance_are_proved_a_fork(self) -> None:
        w = world()
        routine(w, 2)
        twin = w.clone()
        number = alarm(w)
        assert alarm(twin, "Another") == number
        take_advance(w.centres["birch"], advance(w, number), "ash")
        error = refused(lambda: take_advance(w.centres["birch"], advance(twin, number), "ash"))
        assert isinstance(error, Conflict)
        assert len(w.centres["birch"].forks["ash"]) == 1

    def test_a_party_that_has_shown_two_histories_cannot_fill_the_store_with_more_of_them(self) -> None:
        w = world()
        routine(w, 2)
        twin, third = w.clone(), w.clone()
        number = alarm(w)
        for other in (twin, third):
            alarm(other, f"Another {other}")
        take_advance(w.centres["birch"], advance(w, number), "ash")
        with pytest.raises(Conflict):
            take_advance(w.centres["birch"], advance(twin, number), "ash")
        for other in (w, twin, third):
            error = refused(lambda other=other: take_advance(w.centres["birch"], advance(other, number), "ash"))  # type: ignore[misc]
            assert (type(error), error.code) == (Refusal, "fork")
        assert len(w.centres["birch"].forks["ash"]) == 1
        assert w.centres["birch"].advances == []

    def test_a_flood_ends_at_the_count_and_the_backlog_makes_room_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(advancing, "ADVANCES_MAX", 3)
        w = world()
        routine(w, 1)
        numbers = [alarm(w, f"{i}") for i in range(5)]
        for number in numbers[:3]:
            take_advance(w.centres["birch"], advance(w, number), "ash")
        error = refused(lambda: take_advance(w.centres["birch"], advance(w, numbers[3]), "ash"))
        assert (type(error), error.code) == (TryLater, "advances-full")
        assert take_advance(w.centres["birch"], advance(w, numbers[0]), "ash"), "what is held may be asked again"
        w.deliver("ash", "birch", numbers[2])
        take_advance(w.centres["birch"], advance(w, numbers[4]), "ash")
        assert [known.number for known in w.centres["birch"].advances] == [numbers[4]]

    def test_of_a_checkpoint_only_what_proves_something_is_kept(self) -> None:
        w = world()
        routine(w, 1)
        good = advance(w, alarm(w))
        text, _, line = good.checkpoint.rpartition(b"\n\n")
        junk = b"".join(b"\xe2\x80\x94 ash/%d AAAAAAAA\n" % index for index in range(100))
        take_advance(w.centres["birch"], good._replace(checkpoint=text + b"\n\n" + line + line + junk), "ash")
        assert w.centres["birch"].advances[0].note == good.checkpoint

    def test_a_flood_ends_at_the_bytes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        w = world()
        routine(w, 1)
        sent = [advance(w, alarm(w, "x" * 1000)) for _ in range(3)]
        monkeypatch.setattr(advancing, "ADVANCES_BYTES_MAX", len(sent[0].leaf) + len(sent[1].leaf))
        for one in sent[:2]:
            take_advance(w.centres["birch"], one, "ash")
        assert refused(lambda: take_advance(w.centres["birch"], sent[2], "ash")).code == "advances-full"


class TestInPlace:
    def test_the_ordinary_push_brings_it_again_and_numbers_and_order_are_intact(self) -> None:
        w = world()
        routine(w, 3)
        number = alarm(w)
        routine(w, 2)
        take_advance(w.centres["birch"], advance(w, number), "ash")
        w.deliver("ash", "birch")
        size = w.centres["ash"].journal.size
        assert w.centres["birch"].store.leaves("ash", 1, size) == w.centres["ash"].store.leaves("ash", 1, size)
        assert w.centres["birch"].advances == []
        assert w.centres["birch"].record.journals["ash"].entries[number - 1].admissible

    def test_a_push_that_ends_before_it_leaves_it_where_it_is(self) -> None:
        w = world()
        routine(w, 3)
        number = alarm(w)
        take_advance(w.centres["birch"], advance(w, number), "ash")
        w.deliver("ash", "birch", number - 1)
        assert [known.number for known in w.centres["birch"].advances] == [number]
        w.deliver("ash", "birch")
        assert w.centres["birch"].advances == []

    @pytest.mark.parametrize("after", [0, 1, 4])
    def test_another_entry_in_its_place_is_a_conflict_and_a_proof_of_two_histories(self, after: int) -> None:
        w = world()
        routine(w, 3)
        twin = w.clone()
        number = alarm(w)
        take_advance(w.centres["birch"], advance(w, number), "ash")
        alarm(twin, "Another")
        routine(twin, after)
        before = w.centres["birch"].record.journals["ash"].size
        with pytest.raises(Conflict):
            hand(twin.centres["ash"], w.centres["birch"])
        assert w.centres["birch"].record.journals["ash"].size == before
        assert len(w.centres["birch"].forks["ash"]) == 1
        assert w.centres["birch"].advances == [], "the proof holds what was signed in advance"
        hand(twin.centres["ash"], w.centres["birch"])
        state = w.centres["birch"].record.journals["ash"]
        assert state.size == twin.centres["ash"].journal.size
        assert len(state.entries) < number, "after a proven fork nothing new has effect"

    def test_the_same_entry_after_another_history_is_found_out_as_well(self) -> None:
        w = world()
        twin = w.clone()
        routine(w, 1)
        twin.alone("ash", "alert", {"text": "Nothing new, otherwise"}, to=["birch"])
        number = alarm(w)
        take_advance(w.centres["birch"], advance(w, number), "ash")
        alarm(twin)
        with pytest.raises(Conflict):
            hand(twin.centres["ash"], w.centres["birch"])
        assert len(w.centres["birch"].forks["ash"]) == 1

    def test_a_bundle_with_another_history_names_the_proof(self) -> None:
        w = three("ash", "birch", "cedar")
        routine(w, 2)
        twin = w.clone()
        take_advance(w.centres["birch"], advance(w, alarm(w)), "ash")
        alarm(twin, "Another")
        twin.deliver("ash", "cedar")
        imported = import_bundle(w.centres["birch"], export_bundle(twin.centres["cedar"], "courier"))
        assert imported.forks == sorted(w.centres["birch"].forks["ash"])


def test_a_push_after_an_advance_is_taken_though_it_comes_from_another_carrier() -> None:
    w = three("ash", "birch", "cedar")
    routine(w, 2)
    number = alarm(w)
    take_advance(w.centres["birch"], advance(w, number), "ash")
    w.deliver("ash", "cedar")
    held = w.centres["birch"].record.journals["ash"].size
    pulled = DirectCourier(w.centres).pull("cedar", "ash", held + 1, 100)
    receive(w.centres["birch"], pulled, None, limits=False)
    assert w.centres["birch"].advances == []
