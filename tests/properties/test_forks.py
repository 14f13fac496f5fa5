# SPDX-License-Identifier: Apache-2.0
"""A custodian who shows two histories: never two holders, and a proof in the hands of any two who compare."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servanda.journal.state import Entry
from servanda.operations.centre import Centre
from servanda.operations.citing import cite_if_it_helps
from servanda.operations.comparing import exchange_heads, keep_proof
from servanda.operations.drafting import Draft, release_draft, submit_draft, write_draft
from servanda.operations.errors import Conflict, Refusal
from servanda.operations.founding import under_root
from servanda.operations.ports import Push
from servanda.proof.forks import parse_fork_proof, verify_fork_proof
from tests.rig.replica import documents
from tests.rig.world import DirectCourier, World, accounts, hand, held, roots_of, row, three

FULL: dict[str, Any] = {"extent": "full", "received": [], "condition": None}


def say(centre: Centre, form: str, content: dict[str, Any], **members: Any) -> Entry:
    draft = Draft(format=form, subject=form, event_at="2014-01-10", author="desk", content=content, **members)
    identifier = write_draft(centre, draft)
    submit_draft(centre, identifier)
    return release_draft(centre, identifier, "chief")


class Fork:
    """Ash offers one lot to two others, each in a history of its own; both are signed with ash's own keys."""

    def __init__(self, world: World, first: tuple[str, ...], second: tuple[str, ...]) -> None:
        self.world = world
        self.lot = f"{world.say('ash', 'declare', {'lots': [row(10)]}).place}/0"
        world.sync()
        self.common = world.centres["ash"].journal.size
        self.branches = [world.centres["ash"], world.reopened("ash")]
        self.shown = (first, second)
        self.offers = [self._offer(index) for index in range(2)]

    def _offer(self, index: int) -> Entry:
        receiver = self.shown[index][0]
        content = {"lots": [held(self.lot, 10)], "receiver": receiver, "place": "harbour"}
        return say(self.branches[index], "handover", content, named=(receiver,))

    @property
    def others(self) -> dict[str, Centre]:
        return {party: centre for party, centre in self.world.centres.items() if party != "ash"}

    def show(self) -> None:
        """Each branch goes to those who are to see it; the receivers accept, and all exchange what they can."""
        for branch, shown in zip(self.branches, self.shown, strict=True):
            for party in shown:
                hand(branch, self.others[party])
        for offer, shown in zip(self.offers, self.shown, strict=True):
            say(self.others[shown[0]], "accept", FULL, refers_to=(str(offer.place),))
        for _ in range(4):
            for centre in self.others.values():
                cite_if_it_helps(centre)
            for party, centre in self.others.items():
                for other in self.others:
                    if other != party:
                        self.world.deliver(other, party)
                for branch in self.branches:
                    hand(centre, branch)
            for branch, shown in zip(self.branches, self.shown, strict=True):
                cite_if_it_helps(branch)
                for party in shown:
                    hand(branch, self.others[party])

    def holders(self) -> set[str]:
        """Who holds the lot, as any of the others sees it."""
        return {
            account for centre in self.others.values() for account in accounts(centre) if account.startswith("held/")
        }


SHOWN = st.lists(st.sampled_from([0, 1]), min_size=2, max_size=2).map(
    lambda to: tuple(
        (receiver, *(party for party, side in zip(("dogwood", "elm"), to, strict=True) if side == index))
        for index, receiver in enumerate(("birch", "cedar"))
    )
)


@settings(max_examples=8)
@given(SHOWN, st.sampled_from(["all", 2]))
def test_two_receivers_never_both_hold_what_was_shown_to_each(
    shown: tuple[tuple[str, ...], tuple[str, ...]], quorum: Any
) -> None:
    fork = Fork(three("ash", "birch", "cedar", "dogwood", "elm", quorum=quorum), *shown)
    fork.show()
    attesting = [len(parties) - 1 for parties in shown]
    for centre in fork.others.values():
        effective = [
            o for o in centre.record.threads.offers.values() if centre.record.effective(o, centre.record.whole)
        ]
        assert len(effective) <= 1
    assert len(fork.holders() - {"held/ash"}) == (1 if quorum == 2 and max(attesting) == 2 else 0)


@settings(max_examples=10)
@given(SHOWN, st.integers(0, 3), st.integers(0, 3), st.data())
def test_any_two_who_compare_heads_get_a_proof_that_anyone_can_check(
    shown: tuple[tuple[str, ...], tuple[str, ...]], longer_first: int, longer_second: int, data: st.DataObject
) -> None:
    fork = Fork(three("ash", "birch", "cedar", "dogwood", "elm"), *shown)
    for branch, count in zip(fork.branches, (longer_first, longer_second), strict=True):
        for number in range(count):
            say(branch, "note", {"text": str(number)})
    fork.show()
    one, other = (data.draw(st.sampled_from(parties)) for parties in shown)
    courier = DirectCourier(fork.others)
    for asking, asked in ((one, other), (other, one)):
        found = exchange_heads(fork.others[asking], courier, asked)
        assert set(found) == {"ash"}
        proof = fork.others[asking].store.forks()["ash"][found["ash"]]
        key = fork.world.centres["ash"].signers.centre.public
        first, _ = verify_fork_proof(parse_fork_proof(proof), [key])
        assert first.size > fork.common
        assert exchange_heads(fork.others[asking], courier, asked) == found
    for party in set(shown[0]) - {one}:
        assert exchange_heads(fork.others[one], courier, party) == {}


class TestAfterTheProof:
    """Ash has shown one history to birch, dogwood and elm, another to cedar; then cedar and birch compare."""

    @pytest.fixture
    def fork(self) -> Fork:
        fork = Fork(three("ash", "birch", "cedar", "dogwood", "elm"), ("birch", "dogwood", "elm"), ("cedar",))
        fork.show()
        return fork

    @pytest.fixture
    def proof(self, fork: Fork) -> bytes:
        found = exchange_heads(fork.others["birch"], DirectCourier(fork.others), "cedar")
        return fork.others["birch"].store.forks()["ash"][found["ash"]]

    def test_only_what_the_quorum_upholds_has_effect(self, fork: Fork, proof: bytes) -> None:
        birch, ash = fork.others["birch"], fork.branches[0]
        assert birch.record.limits == {"ash": fork.common}  # one quorum of receipts has been cited, to the common part
        say(ash, "note", {"text": "cites three receipts to the offer"})
        hand(ash, birch)
        state = birch.record.journals["ash"]
        assert birch.record.limits == {"ash": fork.offers[0].place.number}
        assert (len(state.entries), state.size) == (fork.offers[0].place.number, ash.journal.size)
        assert "suspended" in state.waiting

    def test_what_covers_a_suspended_entry_waits_with_it(self, fork: Fork, proof: bytes) -> None:
        birch, dogwood, ash = fork.others["birch"], fork.others["dogwood"], fork.branches[0]
        entry = say(ash, "note", {"text": "after the proof"})
        hand(ash, birch)
        hand(ash, dogwood)
        say(dogwood, "note", {"text": "has not seen the proof"})
        hand(dogwood, birch)
        state = birch.record.journals["dogwood"]
        assert len(state.entries) == state.size - 1
        assert state.waiting == f"entry {entry.place} is not held or not judged yet"

    def test_a_reopened_centre_comes_to_the_same(self, fork: Fork, proof: bytes) -> None:
        birch, ash = fork.others["birch"], fork.branches[0]
        for number in range(3):
            say(ash, "note", {"text": str(number)})
            for party in ("birch", "dogwood", "elm"):
                hand(ash, fork.others[party])
            again = fork.world.reopened("birch")
            assert again.record.limits == birch.record.limits
            assert documents(again) == documents(birch)
            assert len(again.record.log) == len(birch.record.log)

    def test_a_branch_under_the_root_threshold_restores_it(self, fork: Fork, proof: bytes) -> None:
        birch, ash = fork.others["birch"], fork.branches[0]
        say(ash, "note", {"text": "after the proof"})
        self.name_branch(ash)
        hand(ash, birch)
        assert birch.record.limits == {}
        assert len(birch.record.journals["ash"].entries) == ash.journal.size
        say(ash, "note", {"text": "and goes on"})
        hand(ash, birch)
        assert len(birch.record.journals["ash"].entries) == ash.journal.size

    def test_a_branch_named_before_the_fork_restores_nothing(self) -> None:
        world = three("ash", "birch", "cedar", "dogwood", "elm")
        self.name_branch(world.centres["ash"])
        fork = Fork(world, ("birch", "dogwood", "elm"), ("cedar",))
        fork.show()
        exchange_heads(fork.others["birch"], DirectCourier(fork.others), "cedar")
        assert set(fork.others["birch"].record.limits) == {"ash"}

    def test_the_party_itself_names_the_branch_even_if_it_holds_the_proof(self, fork: Fork, proof: bytes) -> None:
        ash, birch = fork.branches[0], fork.others["birch"]
        say(ash, "note", {"text": "not upheld by anybody"})
        keep_proof(ash, "ash", parse_fork_proof(proof))
        assert len(ash.journal.entries) < ash.journal.size
        written = say(ash, "note", {"text": "still speaking"})
        assert written.admissible
        self.name_branch(ash)
        assert len(ash.journal.entries) == ash.journal.size
        hand(ash, birch)
        assert birch.record.limits == {}

    def test_fewer_root_keys_than_the_threshold_restore_nothing(self, fork: Fork, proof: bytes) -> None:
        ash = fork.branches[0]
        with pytest.raises(Refusal, match="1 root keys have signed"):
            self.name_branch(ash, roots=1)

    def test_a_push_of_the_other_history_is_refused_and_leaves_the_proof(self, fork: Fork) -> None:
        birch = fork.others["birch"]
        second = fork.branches[1]
        leaves = tuple(second.store.leaves("ash", fork.common + 1, 99))
        push = Push("ash", fork.common + 1, leaves, second.note_at(second.journal.size))
        with pytest.raises(Conflict):
            DirectCourier(fork.others).push("birch", push)
        assert len(birch.store.forks()["ash"]) == 1
        assert set(birch.record.limits) == {"ash"}

    @staticmethod
    def name_branch(ash: Centre, roots: int = 2) -> None:
        content = {"root": ash.journal.tree.root().hex(), "size": ash.journal.size}
        draft = Draft(format="branch", subject="", event_at="2014-01-10", author="root", content=content)
        ash.commit(under_root(ash, draft, roots_of("ash")[:roots]))
