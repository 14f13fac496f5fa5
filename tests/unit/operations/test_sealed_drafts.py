# SPDX-License-Identifier: Apache-2.0
"""A member sealed at release: nobody reads it, its author cannot change it, and it opens to everybody or to nobody."""

from __future__ import annotations

import pytest

from servanda.operations.bundles import export_bundle, import_bundle
from servanda.operations.desk import dispatch
from servanda.operations.drafting import release_draft, submit_draft
from servanda.operations.errors import Refusal
from tests.rig.packs import lake
from tests.rig.world import World


@pytest.fixture
def world() -> World:
    return World(lake())


def shown(world: World, party: str, entry: str) -> object:
    view = dispatch(world.centres[party], {"command": "show", "entry": entry})
    return view.get("opened", view["frame"]["content"])


def test_a_sealed_member_is_read_only_by_its_author_until_it_is_revealed(world: World) -> None:
    entry = str(world.say("ash", "note", {"text": "where it lies"}, seal=("text",)).place)
    world.sync()
    assert shown(world, "ash", entry) == {"text": "where it lies"}
    sealed = shown(world, "birch", entry)
    assert isinstance(sealed, dict)
    assert list(sealed) == ["_sd"]
    identifier = dispatch(world.centres["ash"], {"command": "reveal", "entry": entry, "officer": "desk"})
    submit_draft(world.centres["ash"], identifier)
    release_draft(world.centres["ash"], identifier, "chief")
    world.sync()
    assert shown(world, "birch", entry) == {"text": "where it lies"}


def test_the_same_text_sealed_twice_has_two_digests(world: World) -> None:
    first = world.say("ash", "note", {"text": "again"}, seal=("text",))
    second = world.say("ash", "note", {"text": "again"}, seal=("text",))
    assert first.frame is not None
    assert second.frame is not None
    assert first.frame.content != second.frame.content


def test_what_is_not_there_cannot_be_sealed(world: World) -> None:
    with pytest.raises(Refusal, match="no such member"):
        world.say("ash", "note", {"text": "x"}, seal=("place",))


def test_an_entry_of_another_party_is_not_ours_to_reveal(world: World) -> None:
    entry = str(world.say("ash", "note", {"text": "x"}, seal=("text",)).place)
    world.sync()
    with pytest.raises(Refusal) as refused:
        dispatch(world.centres["birch"], {"command": "reveal", "entry": entry, "officer": "desk"})
    assert refused.value.code == "reveal"


def test_content_that_does_not_fit_is_refused_while_it_is_still_a_draft(world: World) -> None:
    with pytest.raises(Refusal) as refused:
        world.say("ash", "note", {"words": "x"})
    assert refused.value.code == "content"
    assert world.centres["ash"].store.drafts() == [
        d for d in world.centres["ash"].store.drafts() if d.state == "released"
    ]


def test_openings_travel_in_a_backup_and_not_in_a_dossier(world: World) -> None:
    entry = str(world.say("ash", "note", {"text": "where it lies"}, seal=("text",)).place)
    world.sync()
    ash, birch = world.centres["ash"], world.centres["birch"]
    import_bundle(birch, export_bundle(ash, "dossier"))
    assert isinstance(sealed := shown(world, "birch", entry), dict)
    assert list(sealed) == ["_sd"]
    import_bundle(birch, export_bundle(ash, "courier", openings=True))
    assert shown(world, "birch", entry) == {"text": "where it lies"}
