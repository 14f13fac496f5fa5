# SPDX-License-Identifier: Apache-2.0
"""Who may sign for a party: each clause of spec/identity.md, and journals that begin badly."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from typing import Any

import pytest

from servanda.journal.acceptance import prepare
from servanda.journal.identity import IdentityError, parse_identity
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal
from servanda.operations.founding import identity_content
from servanda.operations.receiving import receive
from servanda.proof.keys import key_id
from servanda.storage.memory.store import MemoryStore
from tests.rig.pen import frame_value, push_by_hand, seal_by_hand
from tests.rig.world import ROLES, World, roots_of, signer, signers_of, three

Content = dict[str, Any]


@pytest.fixture(scope="module")
def content() -> Content:
    return identity_content(signers_of("ash"), roots_of("ash"), 2, ROLES, {"en": "Ash"}, ["ab" * 32])


def put(*path: Any, value: Any) -> Callable[[Content], None]:
    def change(content: Content) -> None:
        target: Any = content
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value

    return change


def same_key(a: tuple[Any, ...], b: tuple[Any, ...]) -> Callable[[Content], None]:
    def change(content: Content) -> None:
        source: Any = content
        for step in b:
            source = source[step]
        put(*a, value=source)(content)

    return change


def without(*path: Any) -> Callable[[Content], None]:
    def change(content: Content) -> None:
        target: Any = content
        for step in path[:-1]:
            target = target[step]
        del target[path[-1]]

    return change


CHIEF, DESK = ("officers", 0, "public"), ("officers", 1, "public")
BROKEN: dict[str, Callable[[Content], None]] = {
    "a threshold of 0": put("root", "threshold", value=0),
    "a threshold over the number of root keys": put("root", "threshold", value=4),
    "no root key": put("root", "keys", value=[]),
    "seventeen root keys": put(
        "root",
        "keys",
        value=[
            {"public": base64.b64encode(signer("many", str(n)).public).decode(), "type": "ed25519"} for n in range(17)
        ],
    ),
    "two root keys alike": same_key(("root", "keys", 1), ("root", "keys", 0)),
    "a root key of another type": put("root", "keys", 0, "type", value="ml-dsa-44"),
    "a key of 31 bytes": put(*CHIEF, value=base64.b64encode(bytes(31)).decode()),
    "a key that is not base64": put(*CHIEF, value="*" * 44),
    "a key in base64 with stray bits": put(*CHIEF, value=base64.b64encode(bytes(32)).decode()[:-2] + "B="),
    "an ML-DSA-44 key of 1,311 bytes": put("centre", "ml-dsa-44", value=base64.b64encode(bytes(1311)).decode()),
    "no centre key": without("centre"),
    "no ML-DSA-44 receipt key": without("receipt", "ml-dsa-44"),
    "two officers with one id": put("officers", 1, "id", value="chief"),
    "an officer called root": put("officers", 0, "id", value="root"),
    "an officer called centre": put("officers", 0, "id", value="centre"),
    "an officer with a capital letter": put("officers", 0, "id", value="Chief"),
    "an officer without a role": put("officers", 0, "roles", value=[]),
    "an officer with an unknown role": put("officers", 0, "roles", value=["minister"]),
    "roles out of order": put("officers", 0, "roles", value=["release", "author"]),
    "a role twice": put("officers", 0, "roles", value=["author", "author"]),
    "a key that lives nowhere": put("officers", 0, "custody", value="cloud"),
    "two officers with one key": same_key(CHIEF, DESK),
    "an officer with the centre's key": same_key(CHIEF, ("centre", "ed25519")),
    "the centre with the receipt key": same_key(("centre", "ed25519"), ("receipt", "ed25519")),
    "one ML-DSA-44 key for both purposes": same_key(("centre", "ml-dsa-44"), ("receipt", "ml-dsa-44")),
    "a root key that is the centre's": same_key(("root", "keys", 0, "public"), ("centre", "ed25519")),
    "no name": put("names", value={}),
    "an empty name": put("names", "en", value=""),
    "a TLS digest in capitals": put("tls", value=["AB" * 32]),
    "a member that nobody knows": put("motto", value="x"),
}


def test_the_content_that_the_broken_ones_start_from_is_whole(content: Content) -> None:
    identity = parse_identity(content, 1, "2026-01-01T00:00:00Z")
    assert (identity.threshold, len(identity.root_keys), set(identity.officers)) == (2, 3, {"chief", "desk", "duty"})


@pytest.mark.parametrize("name", BROKEN)
def test_an_identity_is_refused_with(name: str, content: Content) -> None:
    broken = copy.deepcopy(content)
    BROKEN[name](broken)
    with pytest.raises(IdentityError):
        parse_identity(broken, 1, "2026-01-01T00:00:00Z")


class TestSignaturesOfIdentities:
    """By the threshold of the root before, and of the root that is stated, sorted by key id, and by nobody else."""

    OLD, NEW = roots_of("ash"), roots_of("ash", "new")

    @pytest.fixture
    def world(self) -> World:
        return three("ash", "birch")

    def leaf(self, world: World, signing: list[Any], stated: list[Any], **members: Any) -> bytes:
        centre = world.centres["ash"]
        stating = identity_content(centre.signers, stated, 2, ROLES, {"en": "Ash"})
        value = frame_value(
            centre, format="identity", act="notify", content=stating, author="root", releaser=None, pack=None
        )
        return seal_by_hand(value | {"heads": [], "receipts": []} | members, signing)

    def verdict(self, world: World, signing: list[Any], stated: list[Any], **members: Any) -> str | None:
        return (
            world.centres["birch"]
            .record.candidate("ash", prepare(self.leaf(world, signing, stated, **members)))[0]
            .code
        )

    @staticmethod
    def by_id(*signing: Any) -> list[Any]:
        return sorted(signing, key=lambda root: key_id(root.public))

    def test_two_of_the_old_suffice_where_the_root_stays(self, world: World) -> None:
        assert self.verdict(world, self.by_id(*self.OLD[:2]), self.OLD) is None

    def test_two_of_the_old_and_two_of_the_new_change_the_root(self, world: World) -> None:
        assert self.verdict(world, self.by_id(*self.OLD[:2], *self.NEW[1:]), self.NEW) is None

    def test_one_key_may_count_for_both(self, world: World) -> None:
        assert self.verdict(world, self.by_id(*self.OLD[:2]), [*self.OLD[:2], self.NEW[0]]) is None

    @pytest.mark.parametrize(
        ("old", "new"), [(1, 2), (2, 1), (0, 2), (2, 0)], ids=["one old", "one new", "no old", "no new"]
    )
    def test_fewer_than_the_threshold_of_either_do_not(self, world: World, old: int, new: int) -> None:
        assert self.verdict(world, self.by_id(*self.OLD[:old], *self.NEW[:new]), self.NEW) == "signature"

    def test_signatures_out_of_order_do_not(self, world: World) -> None:
        assert self.verdict(world, self.by_id(*self.OLD[:2])[::-1], self.OLD) == "signature"

    def test_a_stranger_among_the_signers_spoils_it(self, world: World) -> None:
        assert self.verdict(world, self.by_id(*self.OLD[:2], signer("stranger")), self.OLD) == "signature"

    def test_an_officer_does_not_sign_an_identity(self, world: World) -> None:
        chief = world.centres["ash"].signers.officers["chief"]
        assert self.verdict(world, [chief], self.OLD, author="chief") == "identity"

    def test_the_root_keys_release_nothing_together_with_an_officer(self, world: World) -> None:
        assert self.verdict(world, self.by_id(*self.OLD[:2]), self.OLD, releaser="chief") == "signature"

    @pytest.mark.parametrize(
        "members",
        [
            {"to": ["birch"]},
            {"pack": "00" * 32},
            {"act": "inquire"},
            {"format-version": 2},
            {"refers-to": [{"leaf": "00" * 32, "number": 1, "party": "ash"}]},
            {"heads": [{"party": "birch", "root": "00" * 32, "size": 9}]},
            {"receipts": [{"by": "birch", "cosignature": "A" * 102 + "==", "size": 1}]},
        ],
        ids=lambda members: next(iter(members)),
    )
    def test_it_rests_on_nothing_but_the_identities_before_it(self, world: World, members: dict[str, Any]) -> None:
        assert self.verdict(world, self.by_id(*self.OLD[:2]), self.OLD, **members) == "identity"

    def test_a_stated_identity_that_breaks_a_rule(self, world: World) -> None:
        stated = [self.OLD[0]]  # one key, threshold 2
        assert self.verdict(world, self.by_id(*self.OLD[:2]), stated) == "identity"


class TestJournalsThatBeginBadly:
    """Nothing of them is taken, and the centre that is offered them goes on."""

    @pytest.fixture
    def parts(self) -> tuple[Centre, Centre, list[bytes]]:
        """A centre that holds nothing of ash, ash's own centre, and ash's first three leaves."""
        world = three("ash", "birch")
        ash = world.centres["ash"]
        birch = Centre("birch", world.pack, MemoryStore(), signers_of("birch"), world.clock)
        world.say("ash", "note", {"text": "x"})
        return birch, ash, ash.store.leaves("ash", 1, 3)

    def test_entry_1_that_is_no_identity_makes_everything_after_it_inadmissible(
        self, parts: tuple[Centre, Centre, list[bytes]]
    ) -> None:
        birch, ash, _ = parts
        note = seal_by_hand(frame_value(ash, number=1, heads=[], receipts=[]), [ash.signers.officers["desk"]])
        following = seal_by_hand(frame_value(ash, number=2, heads=[], receipts=[]), [ash.signers.officers["desk"]])
        roots = sorted(roots_of("ash"), key=lambda root: key_id(root.public))[:2]
        stating = identity_content(ash.signers, roots_of("ash"), 2, ROLES, {"en": "Ash"})
        members = {"format": "identity", "author": "root", "releaser": None, "pack": None, "content": stating}
        third = seal_by_hand(frame_value(ash, number=3, heads=[], receipts=[], **members), roots)
        for leaves in ([note, following, third], [b"not an envelope", following, third], [note, third, third]):
            with pytest.raises(Refusal) as refused:
                receive(birch, push_by_hand(ash.journal.origin, leaves, ash.signers.centre), "ash")
            assert refused.value.code == "identity"
        assert birch.store.journals() == {}
        birch.reload()

    def test_the_same_leaves_in_a_record_are_shown_with_their_reason(
        self, parts: tuple[Centre, Centre, list[bytes]]
    ) -> None:
        birch, _, leaves = parts
        judged = birch.absorb("ash", [prepare(leaves[1]), prepare(leaves[1]), prepare(leaves[0])])
        assert [entry.code for entry in judged] == ["misplaced", "identity", "misplaced"]

    def test_leaves_signed_by_another_centre_key_are_refused(self, parts: tuple[Centre, Centre, list[bytes]]) -> None:
        birch, ash, leaves = parts
        with pytest.raises(Refusal) as refused:
            receive(birch, push_by_hand(ash.journal.origin, leaves, signer("stranger")), "ash")
        assert refused.value.code == "checkpoint"
        assert receive(birch, push_by_hand(ash.journal.origin, leaves, ash.signers.centre), "ash").reply.size == 3
