# SPDX-License-Identifier: Apache-2.0
"""Tables and the record: what is released, who may have the rows, what is said to be held, which rows are proved."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from servanda.agreement.pack import pack_of
from servanda.assembly.tablelines import HomeTables
from servanda.journal.frame import Reference
from servanda.operations import bundles
from servanda.operations.bundles import export_bundle, import_bundle
from servanda.operations.centre import Centre
from servanda.operations.desk import dispatch
from servanda.operations.errors import LineDown, Refusal
from servanda.operations.fetching import Fetcher, table_part
from servanda.operations.rowopenings import RowOpening, row_openings
from servanda.operations.tableworks import state_held
from servanda.operations.verifying import verify_bundle
from servanda.proof.canonical import decode, encode
from servanda.storage.columnar.making import seal_table
from servanda.storage.columnar.store import ColumnarTables
from tests.dossier.forgery import stand_alone
from tests.rig.packs import FORMATS, fields, pack_data
from tests.rig.world import World
from tests.unit.columnar.goods import SECRET, csv_file, form

ROWS = 300
LIST = {
    **FORMATS[0],
    "id": "list",
    "fields": fields(),
    "rows": {**fields(number={"type": "integer"}, word={"type": "string"})},
}


@pytest.fixture
def world() -> World:
    data = pack_data(("ash", "birch", "cedar"))
    return World(pack_of({**data, "formats": [*data["formats"], LIST]}))


@pytest.fixture
def homes(tmp_path: Path) -> dict[str, Path]:
    return {party: tmp_path / party for party in ("ash", "birch", "cedar")}


def sealed(home: Path, *, public: bool = False) -> dict[str, Any]:
    """A table of words in a home; the member `table` of an entry's content."""
    file = csv_file(home.parent / "w.csv", "number,word", *(f"{i},w{i * 7919 % 1009}" for i in range(ROWS)))
    declared = form({"number": {"type": "integer"}, "word": {"type": "string"}}, ())
    facts = seal_table(ColumnarTables(home / "tables"), file, declared, None, SECRET).facts
    return {"root": facts.root, "rows": ROWS, "secret": SECRET.hex() if public else None, "servanda-table": 1}


def declare(world: World, table: dict[str, Any], *open_to: str) -> str:
    centre = world.centres["ash"]
    dispatch(centre, {"command": "table-backed-up", "root": table["root"], "to": "age1…"})
    entry = world.say("ash", "list", {"table": table}, to=["birch", "cedar"], open_to=open_to)
    world.sync()
    return str(entry.place)


class Line:
    """A line that hands on what the other centre's door says, or what it is told to make of it."""

    def __init__(self, world: World, homes: dict[str, Path], peer: str, change: Any = None) -> None:
        self.world, self.homes, self.peer, self.change, self.asked = world, homes, peer, change, 0

    def table(self, party: str, root: str, first: int | None = None) -> bytes:
        self.asked += 1
        if self.change == "down":
            raise LineDown("the line is down")
        data = table_part(self.world.centres[party], HomeTables(self.homes[party]), self.peer, root, first)
        return self.change(data, first) if self.change else data


def fetched(
    world: World, homes: dict[str, Path], entry: str, party: str = "birch", change: Any = None
) -> dict[str, Any]:
    line: Any = Line(world, homes, party, change)
    fetcher = Fetcher(world.centres[party], HomeTables(homes[party]), line)
    fetcher.ask({"entry": entry})
    for thread in threading.enumerate():
        if thread.name == "table":
            thread.join()
    return fetcher.ask({"entry": entry, "told": True})


def test_a_sealed_table_is_released_when_its_secret_is_backed_up_and_a_public_one_at_once(
    world: World, homes: dict[str, Path]
) -> None:
    table = sealed(homes["ash"])
    with pytest.raises(Refusal) as refused:
        world.say("ash", "list", {"table": table}, to=["birch"])
    assert refused.value.code == "no-backup"
    assert declare(world, table) == str(world.centres["ash"].record.log[-1].place)
    world.say("ash", "list", {"table": sealed(homes["cedar"], public=True)}, to=["birch"])


def test_rows_go_to_whom_the_draft_names_and_to_nobody_else(world: World, homes: dict[str, Path]) -> None:
    table = sealed(homes["ash"])
    source = HomeTables(homes["ash"])
    with pytest.raises(Refusal, match="no table"):
        table_part(world.centres["ash"], source, "birch", table["root"], None)
    declare(world, table, "birch")
    assert table_part(world.centres["ash"], source, "birch", table["root"], None) == source.header(table["root"])
    for peer, root in (("cedar", table["root"]), ("birch", "11" * 32)):
        for first in (None, 0):
            with pytest.raises(Refusal) as refused:
                table_part(world.centres["ash"], source, peer, root, first)
            assert refused.value.code == "no-table"


def test_what_is_fetched_is_said_to_be_held(world: World, homes: dict[str, Path]) -> None:
    table = sealed(homes["ash"])
    entry = declare(world, table, "birch")
    told = fetched(world, homes, entry)
    assert told["state"] == "held", told
    assert ColumnarTables(homes["birch"] / "tables").lines(table["root"], 0, ROWS) == ColumnarTables(
        homes["ash"] / "tables"
    ).lines(table["root"], 0, ROWS)
    world.sync()
    (listed,) = dispatch(world.centres["ash"], {"command": "tables"})
    assert (listed["entry"], listed["held-by"]) == (entry, ["birch"])


class Written(NamedTuple):
    """A line as it goes into a bundle, whatever it says."""

    line: bytes

    def encode(self) -> bytes:
        return self.line


LIES = {
    "another row": lambda data, first: data if first is None else repacked(data, b"w1", b"w2"),
    "no rows": lambda data, first: data if first is None else repacked(data, b"", b"", keep=0),
    "another secret": lambda data, first: data.replace(SECRET.hex().encode(), b"11" * 32) if first is None else data,
    "another root": lambda data, first: data.replace(b'"rows":300', b'"rows":301') if first is None else data,
    "rubbish": lambda data, first: b"rubbish",
}


def repacked(data: bytes, old: bytes, new: bytes, keep: int | None = None) -> bytes:
    import gzip

    return gzip.compress(gzip.decompress(data).replace(old, new)[:keep])


@pytest.mark.parametrize("lie", [*LIES, "down"])
def test_whatever_else_comes_is_not_kept_and_not_said_to_be_held(
    lie: str, world: World, homes: dict[str, Path]
) -> None:
    entry = declare(world, sealed(homes["ash"]), "birch")
    size = world.centres["birch"].journal.size
    told = fetched(world, homes, entry, change=LIES.get(lie, lie))
    assert told["state"] == "failed"
    assert told["trouble"].split(":")[0] in ("table-root", "table-file", "line-down")
    assert ColumnarTables(homes["birch"] / "tables").tables() == []
    assert world.centres["birch"].journal.size == size
    assert fetched(world, homes, entry)["state"] == "held"


def test_only_entries_with_tables_are_held_or_fetched(world: World, homes: dict[str, Path]) -> None:
    note = str(world.say("ash", "note", {"text": "no table"}).place)
    world.sync()
    with pytest.raises(Refusal) as refused:
        fetched(world, homes, note)
    assert refused.value.code == "no-table"
    with pytest.raises(Refusal) as refused:
        state_held(world.centres["birch"], [note])
    assert refused.value.code == "held"
    with pytest.raises(Refusal, match="our own"):
        fetched(world, homes, declare(world, sealed(homes["ash"])), "ash")


def opening(world: World, homes: dict[str, Path], entry: str, root: str, row: int) -> RowOpening:
    place = world.centres["ash"].record.log[-1].place
    judged = world.centres["ash"].record.entry(type(place)("ash", int(entry.partition("/")[2])))
    assert judged is not None
    value = decode(ColumnarTables(homes["ash"] / "tables").opening(root, row))
    assert isinstance(value, dict)
    return RowOpening(Reference("ash", judged.place.number, judged.hash.hex()), value)


def test_an_opened_row_is_proved_kept_and_travels(world: World, homes: dict[str, Path]) -> None:
    table = sealed(homes["ash"])
    entry = declare(world, table)
    opened = opening(world, homes, entry, table["root"], 17)
    birch = world.centres["birch"]
    told = dispatch(birch, {"command": "table-check", "opening": opened.encode().decode(), "keep": True})
    assert told == {"entry": entry, "row": 17, "value": {"number": 17, "word": f"w{17 * 7919 % 1009}"}}
    assert row_openings(birch, "ash") == [opened]
    bundle = export_bundle(birch, "courier", openings=True)
    assert verify_bundle(bundle, {}).wrong == []
    import_bundle(world.centres["cedar"], bundle)
    assert row_openings(world.centres["cedar"], "ash") == [opened]
    assert row_openings(world.centres["ash"], "ash") == []


def test_an_opening_of_something_else_proves_nothing(world: World, homes: dict[str, Path]) -> None:
    table = sealed(homes["ash"])
    entry = declare(world, table)
    good = opening(world, homes, entry, table["root"], 17)
    other = {**good.opening, "value": {"number": 17, "word": "another"}}
    wrong = [
        RowOpening(good.entry, other),
        RowOpening(good.entry, {**good.opening, "row": 18}),
        RowOpening(Reference("ash", good.entry.number, "11" * 32), good.opening),
        RowOpening(Reference("ash", 1, good.entry.leaf), good.opening),
        RowOpening(Reference("ash", 999, good.entry.leaf), good.opening),
    ]
    for one in wrong:
        with pytest.raises(Refusal):
            dispatch(world.centres["birch"], {"command": "table-check", "opening": one.encode().decode()})
    for text in ("", "{}", "[]", encode({"entry": {}, "opening": {}}).decode()):
        with pytest.raises(Refusal) as refused:
            dispatch(world.centres["birch"], {"command": "table-check", "opening": text})
        assert refused.value.code == "opening"


def test_both_verifiers_judge_every_opened_row_of_a_dossier(world: World, homes: dict[str, Path]) -> None:
    table = sealed(homes["ash"])
    entry = declare(world, table)
    birch = world.centres["birch"]
    for row in (0, 255, 256, ROWS - 1):
        good = opening(world, homes, entry, table["root"], row)
        assert judged(birch, [good.encode()]) == (True, True)
        shifted = {**good.opening, "row": row ^ 1}
        for wrong in (
            RowOpening(good.entry, {**good.opening, "value": {"number": row, "word": "x"}}),
            RowOpening(good.entry, shifted),
            RowOpening(good.entry, {**good.opening, "path": good.opening["path"][:-1]}),
            RowOpening(good.entry, {**good.opening, "path": [*good.opening["path"], "11" * 32]}),
            RowOpening(Reference("ash", good.entry.number, "11" * 32), good.opening),
            RowOpening(Reference("ash", 1, good.entry.leaf), good.opening),
        ):
            assert judged(birch, [good.encode(), wrong.encode()]) == (False, False)
    for line in (b"", b"{}", good.encode()[:-1], good.encode().replace(b":", b": ", 1)):
        assert judged(birch, [good.encode(), line]) == (False, False)


def judged(centre: Centre, lines: list[bytes]) -> tuple[bool, bool]:
    """Whether our verifier, and the stand-alone one, find nothing wrong in a dossier with these lines."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            bundles, "row_openings", lambda _, party: [Written(line) for line in lines] if party == "ash" else []
        )
        data = export_bundle(centre, "dossier", "2026-01-02T00:00:00Z", openings=True)
    alone = stand_alone().Dossier(data, {}, {}, True)  # no fingerprints
    return verify_bundle(data, {}).wrong == [], not alone.problems
