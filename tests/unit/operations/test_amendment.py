# SPDX-License-Identifier: Apache-2.0
"""An agreement is amended as it was made: every party adopts the new pack, and until then the old one is in force."""

from __future__ import annotations

import pytest

from servanda.agreement.pack import Pack, pack_of
from servanda.operations.bundles import export_bundle, import_bundle, take_pack
from servanda.operations.errors import Refusal
from servanda.proof.canonical import encode
from tests.rig.packs import pack_data
from tests.rig.replica import documents, rebuilt
from tests.rig.world import World


def amended(world: World, edition: str = "2") -> Pack:
    data = pack_data(world.pack.parties) | {"replaces": world.pack.digest, "edition": edition}
    data["places"] = [*data["places"], {"id": "island", "names": {"en": "island"}}]
    return pack_of(data)


def in_force(world: World) -> set[str | None]:
    return {centre.record.in_force(centre.record.whole) for centre in world.centres.values()}


@pytest.fixture
def world() -> World:
    return World(pack_of(pack_data()))


def test_an_amended_pack_is_in_force_once_every_party_has_adopted_it(world: World) -> None:
    new = amended(world)
    for centre in world.centres.values():
        take_pack(centre, encode(new.data))
    world.say("ash", "adopt", {"pack": new.digest})
    world.sync()
    assert in_force(world) == {world.pack.digest}
    world.say("birch", "adopt", {"pack": new.digest})
    world.sync()
    assert in_force(world) == {new.digest}
    entry = world.say("ash", "note", {"text": "under the new one"})
    assert entry.frame is not None
    assert entry.frame.pack == new.digest


def test_who_lacks_the_pack_waits_and_goes_on_when_it_comes(world: World) -> None:
    new = amended(world)
    take_pack(world.centres["ash"], encode(new.data))
    world.say("ash", "adopt", {"pack": new.digest})
    world.say("ash", "note", {"text": "still under the old one"})
    world.sync()
    birch = world.centres["birch"]
    assert "is not held" in birch.record.journals["ash"].waiting
    take_pack(birch, encode(new.data))
    assert birch.record.journals["ash"].waiting == ""
    assert birch.record.journals["ash"].entries[-1].admissible


def test_a_party_adopts_one_successor_only(world: World) -> None:
    first, second = amended(world, "2"), amended(world, "2 bis")
    for pack in (first, second):
        take_pack(world.centres["ash"], encode(pack.data))
    world.say("ash", "adopt", {"pack": first.digest})
    with pytest.raises(Refusal) as refused:
        world.say("ash", "adopt", {"pack": second.digest})
    assert refused.value.code == "pack"


def test_a_pack_that_amends_nothing_held_is_not_taken(world: World) -> None:
    stranger = pack_of(pack_data() | {"replaces": "0" * 64})
    with pytest.raises(Refusal, match="amends none"):
        take_pack(world.centres["ash"], encode(stranger.data))


def test_who_lacks_the_pack_goes_on_when_a_bundle_brings_it_and_nothing_else(world: World) -> None:
    new = amended(world)
    ash, birch = world.centres["ash"], world.centres["birch"]
    take_pack(ash, encode(new.data))
    world.say("ash", "adopt", {"pack": new.digest})
    world.sync()
    assert "is not held" in birch.record.journals["ash"].waiting
    assert import_bundle(birch, export_bundle(ash, "courier")).entries == {"ash": 0}
    assert birch.record.journals["ash"].waiting == ""
    assert documents(birch) == rebuilt(birch).documents() == documents(ash)
