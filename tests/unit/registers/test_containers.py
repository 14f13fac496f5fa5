# SPDX-License-Identifier: Apache-2.0
"""Lots within lots (spec/custody.md, Postings 12): what is packed goes with its container."""

from __future__ import annotations

from typing import Any

import pytest

from servanda.journal.state import Entry
from servanda.operations.bundles import export_bundle
from servanda.operations.desk import dispatch
from servanda.operations.errors import Refusal
from servanda.registers.custody.changes import changes_of
from servanda.registers.custody.containers import containers_document
from servanda.registers.custody.views import balances_document
from tests.dossier.forgery import pins_of, verdicts
from tests.rig.depot import accept, depot_world
from tests.rig.pen import write
from tests.rig.tables import balances, faults, group, holdings, part, table
from tests.rig.tables import handover as table_handover
from tests.rig.tables import rows as selection
from tests.rig.world import World, accounts, codes, held, row

CRATE = {"kind": "boat", "place": "store", "quantity": {"amount": 1, "basis": "stated", "unit": "piece"}}
PIECE = CRATE["quantity"]
OUTER, INNER, SALT, MORE, WORKS = (f"ash/3/{n}" for n in range(5))


@pytest.fixture
def world() -> World:
    """Ash has two crates, salt, more salt, and salt elsewhere; all is loose."""
    found = depot_world()
    rows = [CRATE, CRATE, row(70), row(30), row(5, place="works")]
    found.say("ash", "declare", {"lots": rows})
    found.sync()
    return found


def box(world: World, container: str, *lots: str, form: str = "box") -> Entry:
    return world.say("ash", form, {"container": container, "lots": list(lots)})


def nested(world: World) -> None:
    """70 grams in the inner crate, which is in the outer one with 30 grams."""
    box(world, INNER, SALT)
    box(world, OUTER, INNER, MORE)
    world.sync()


def lots(*names: str) -> list[dict[str, Any]]:
    amounts = {SALT: 70, MORE: 30, WORKS: 5}
    return [{"lot": n, "quantity": PIECE} if n in (OUTER, INNER) else held(n, amounts[n]) for n in names]


def handover(world: World, *names: str) -> Entry:
    content = {"lots": lots(*names), "receiver": "birch", "place": "works"}
    made = world.say("ash", "handover", content, named=("birch",))
    world.sync()
    return made


def places(world: World) -> dict[str, str]:
    return {lot["lot"]: lot["place"] for lot in balances_document(world.centres["dune"].custody)["lots"]}


def alike(world: World) -> None:
    world.sync()
    found = verdicts(export_bundle(world.centres["birch"], "dossier", "2026-01-04T00:00:00Z"), pins_of(world))
    assert (found.ours, found.alone) == ("", "")


def test_what_is_in_a_container_is_counted_at_every_level(world: World) -> None:
    nested(world)
    for centre in world.centres.values():
        (outer,) = containers_document(centre.custody.book)
        assert (outer["lot"], outer["within"]) == (OUTER, {"g": 100, "piece": 1})
        inner, more = outer["contents"]
        assert (inner["lot"], inner["within"], inner["contents"][0]["lot"]) == (INNER, {"g": 70}, SALT)
        assert (more["lot"], more["amount"]) == (MORE, 30)
    alike(world)


def test_moving_a_container_takes_its_contents_along(world: World) -> None:
    nested(world)
    world.say("ash", "move", {"lot": OUTER, "place": "harbour"})
    world.sync()
    assert places(world) == {**dict.fromkeys((OUTER, INNER, SALT, MORE), "harbour"), WORKS: "works"}
    with pytest.raises(Refusal, match=f"{SALT} is in {INNER}, which is not named") as caught:
        world.say("ash", "move", {"lot": SALT, "place": "store"})
    assert caught.value.code == "posting/packed"
    alike(world)


def test_what_moves_with_its_container_is_among_the_changes(world: World) -> None:
    nested(world)
    outer = world.say("ash", "move", {"lot": OUTER, "place": "harbour"})
    world.sync()
    told = [change for change in changes_of(world.centres["dune"].record) if change.effect == "custody.move"]
    assert {change.entry for change in told} == {outer.place}
    assert sorted(str(change.lot) for change in told) == [OUTER, INNER, SALT, MORE]


def test_a_trace_tells_of_the_moves_of_its_containers(world: World) -> None:
    nested(world)
    moved = world.say("ash", "move", {"lot": OUTER, "place": "harbour"})
    box(world, INNER, SALT, form="unbox")
    world.say("ash", "move", {"lot": OUTER, "place": "works"})
    world.sync()
    (life,) = dispatch(world.centres["cedar"], {"command": "trace", "lots": [SALT]})["lots"]
    told = [(event["format"], event["entry"]) for event in life["life"]]
    assert [form for form, _ in told] == ["declare", "box", "move", "unbox"]
    assert ("move", str(moved.place)) in told


@pytest.mark.parametrize("names", [(OUTER,), (OUTER, INNER, MORE), (SALT,), (INNER, SALT), (OUTER, SALT, MORE)])
def test_a_container_is_handed_over_with_all_that_is_in_it_or_not_at_all(names: tuple[str, ...], world: World) -> None:
    nested(world)
    with pytest.raises(Refusal) as caught:
        handover(world, *names)
    assert caught.value.code == "posting/packed"
    content = {"lots": lots(*names), "receiver": "birch", "place": "works"}
    entry = write(world.centres["ash"], "handover", content, named=["birch"])
    assert entry is not None
    alike(world)
    assert codes(world.centres["dune"]) == ["posting/packed"]


def test_the_receiver_holds_the_container_and_its_contents_and_unpacks_them(world: World) -> None:
    nested(world)
    offer = handover(world, OUTER, INNER, SALT, MORE)
    accept(world, "birch", offer)
    world.sync()
    (outer,) = containers_document(world.centres["dune"].custody.book)
    assert (outer["account"], outer["place"], outer["within"]) == ("held/birch", "works", {"g": 100, "piece": 1})
    with pytest.raises(Refusal):
        box(world, OUTER, MORE, form="unbox")
    world.say("birch", "unbox", {"container": OUTER, "lots": [INNER, MORE]})
    world.sync()
    (inner,) = containers_document(world.centres["dune"].custody.book)
    assert (inner["lot"], inner["within"]) == (INNER, {"g": 70})
    assert accounts(world.centres["dune"]) == {"held/ash": 5, "held/birch": 100}
    alike(world)


def test_what_does_not_arrive_in_a_container_is_in_dispute_and_no_longer_in_it(world: World) -> None:
    nested(world)
    offer = handover(world, OUTER, INNER, SALT, MORE)
    accept(world, "birch", offer, {"lot": OUTER, "quantity": PIECE}, {"lot": INNER, "quantity": {**PIECE, "amount": 0}},
           held(SALT, 60), held(MORE, 30))  # fmt: skip
    world.sync()
    (outer,) = containers_document(world.centres["dune"].custody.book)
    assert (outer["within"], [one["lot"] for one in outer["contents"]]) == ({"g": 30}, [MORE])
    assert accounts(world.centres["dune"]) == {"held/ash": 5, "held/birch": 90, "disputed/ash/birch": 10}
    world.say("birch", "move", {"lot": SALT, "place": "store"})  # its crate has not come: it is loose
    alike(world)


def test_an_offer_refused_leaves_everything_packed(world: World) -> None:
    nested(world)
    offer = handover(world, OUTER, INNER, SALT, MORE)
    with pytest.raises(Refusal, match="locked"):
        box(world, OUTER, MORE, form="unbox")
    world.say("birch", "refuse", {"reason": "no room"}, refers_to=(offer.place,))
    world.sync()
    (outer,) = containers_document(world.centres["ash"].custody.book)
    assert outer["within"] == {"g": 100, "piece": 1}
    box(world, OUTER, MORE, form="unbox")
    alike(world)


WRONG: dict[str, tuple[str, str, tuple[str, ...], str]] = {
    "into itself": ("box", OUTER, (OUTER,), "cycle"),
    "into what is in it": ("box", SALT, (OUTER,), "container"),
    "an outer one into its inner one": ("box", INNER, (OUTER,), "cycle"),
    "into two": ("box", OUTER, (SALT,), "packed"),
    "twice": ("box", OUTER, (WORKS, WORKS), "lot-closed"),
    "from elsewhere": ("box", OUTER, (WORKS,), "place"),
    "what there is not": ("box", OUTER, ("ash/3/9",), "unknown-lot"),
    "out of where it is not": ("unbox", OUTER, (SALT,), "packed"),
    "out twice": ("unbox", OUTER, (MORE, MORE), "lot-closed"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_makes_no_sense_is_refused_alike(name: str, world: World) -> None:
    form, container, names, reason = WRONG[name]
    nested(world)
    with pytest.raises(Refusal) as caught:
        box(world, container, *names, form=form)
    assert caught.value.code == f"posting/{reason}"
    assert write(world.centres["ash"], form, {"container": container, "lots": list(names)}) is not None
    alike(world)
    assert codes(world.centres["dune"]) == [f"posting/{reason}"]


LOOSE: dict[str, tuple[str, dict[str, Any]]] = {
    "a packed lot is split": ("split", {"lot": SALT, "parts": [row(1)]}),
    "a full crate is split": ("split", {"lot": OUTER, "parts": [CRATE]}),
    "packed lots are merged": ("merge", {"lots": [SALT, MORE], "kind": "cargo", "place": "store"}),
    "a packed lot is lost alone": ("loss", {"lots": [SALT], "reason": "r"}),
    "a full crate is lost alone": ("loss", {"lots": [OUTER], "reason": "r"}),
    "a packed lot is used up": ("consume", {"lots": [MORE], "reason": "r"}),
}


@pytest.mark.parametrize("name", LOOSE)
def test_what_is_packed_is_unpacked_first(name: str, world: World) -> None:
    form, content = LOOSE[name]
    nested(world)
    with pytest.raises(Refusal) as caught:
        world.say("ash", form, content)
    assert caught.value.code == "posting/packed"
    assert write(world.centres["ash"], form, content) is not None
    alike(world)


def test_a_container_is_lost_with_all_that_is_in_it(world: World) -> None:
    nested(world)
    world.say("ash", "loss", {"lots": [OUTER, INNER, SALT, MORE], "reason": "sank"})
    world.sync()
    assert accounts(world.centres["dune"]) == {"held/ash": 5, "lost/ash": 100}
    assert containers_document(world.centres["dune"].custody.book) == []
    alike(world)


def test_a_correction_of_what_is_packed_comes_late(world: World) -> None:
    nested(world)
    rows = [{**CRATE, "quantity": {**PIECE, "amount": 2}}, CRATE, row(71), row(30), row(6, place="works")]
    entry = world.say("ash", "correct", {"content": {"lots": rows}, "reason": "r"}, refers_to=("ash/3",))
    world.sync()
    late = [d["lot"] for d in balances_document(world.centres["dune"].custody)["discrepancies"]]
    assert late == [OUTER, SALT]
    assert accounts(world.centres["dune"]) == {"held/ash": 106}
    assert entry.admissible
    alike(world)


# --- Rows of tables ---


def test_rows_of_a_table_are_packed_one_by_one_and_go_with_their_container() -> None:
    world = depot_world()
    made = world.say("ash", "table", table(group(6)))
    crate, inner = f"{made.place}/0", f"{made.place}/2"
    box(world, crate, inner)
    assert holdings(balances(world)) == [(crate, 6, "held/ash", "store")]
    for ranges in ([(1, 3)], [(0, 1)]):
        with pytest.raises(Refusal) as caught:
            world.say("ash", "handover", table_handover("birch", selection(made, *ranges)), named=("birch",))
        assert caught.value.code == "posting/packed"
        content = table_handover("birch", selection(made, *ranges))
        assert write(world.centres["ash"], "handover", content, named=["birch"]) is not None
    world.say("ash", "move", {"lot": crate, "place": "works"})
    moved = {lot: place for lot, _, _, place in holdings(balances(world))}
    assert moved == {crate: "works", f"{made.place}/1": "store", inner: "works", f"{made.place}/3": "store"}
    offer = world.say("ash", "handover", table_handover("birch", selection(made, (0, 3))), named=("birch",))
    world.sync()
    answer = {**part(selection(made, (0, 1))), "reason": "miscount"}
    world.say("birch", "accept", answer, refers_to=(offer.place,))
    assert holdings(balances(world)) == [
        (crate, 2, "held/birch", "harbour"),
        (inner, 1, "disputed/ash/birch", "works"),
        (f"{made.place}/3", 1, "disputed/ash/birch", "store"),
        (f"{made.place}/4", 2, "held/ash", "store"),
    ]
    assert containers_document(world.centres["dune"].custody.book) == []
    told = dispatch(world.centres["cedar"], {"command": "handovers"})["handovers"][-1]
    assert told["tables"] == [{"offered": 4, "received": 2, "table": str(made.place)}]


def test_a_row_that_is_packed_is_corrected_late() -> None:
    world = depot_world()
    made = world.say("ash", "table", table(group(3)))
    box(world, f"{made.place}/0", f"{made.place}/1")
    deletion = {"hash": "0" * 64, "lot": f"{made.place}/1"}
    world.say("ash", "table", table(group(1), deletions=[deletion], reason="typing error"))
    late = [(code, lot) for code, _, lot, _ in faults(balances(world))]
    assert late == [("late-correction", f"{made.place}/1")]
