# SPDX-License-Identifier: Apache-2.0
"""A bundle that is broken, blown up or for others is refused before anything changes."""

from __future__ import annotations

import io
import zipfile
import zlib
from contextlib import suppress
from functools import cache

import pytest

from servanda.operations.bundles import export_bundle, import_bundle
from servanda.operations.centre import Centre
from servanda.operations.errors import Refusal
from servanda.operations.ports import Push
from servanda.operations.receiving import receive
from servanda.operations.verifying import verify_bundle
from servanda.proof.container import write_container
from tests.bad_input.whole import refused, state_of
from tests.dossier.forgery import (
    PARTIES,
    Files,
    checkpoint_of,
    dossier,
    files_of,
    leaves_of,
    pins,
    remade,
    shared_world,
    small_world,
    stand_alone,
    with_leaves,
)
from tests.rig.packs import lake
from tests.rig.world import World


def newcomer() -> World:
    """A world in which cedar has heard nothing of the small world but the identities."""
    world = small_world()
    fresh = World(lake(PARTIES), adopted=False)
    world.centres["cedar"] = fresh.centres["cedar"]
    return world


def having_met() -> Centre:
    """Cedar's centre after the others' cards were taken: entry 1 of each, and nothing else."""
    world = newcomer()
    cedar = world.centres["cedar"]
    for party in ("ash", "birch"):
        source = world.centres[party]
        receive(cedar, Push(party, 1, tuple(source.store.leaves(party, 1, 1)), source.note_at(1)))
    return cedar


def test_the_whole_bundle_is_taken_and_once_is_enough() -> None:
    cedar = having_met()
    assert import_bundle(cedar, dossier()).entries == {"ash": 5, "birch": 3}
    after = state_of(cedar)
    assert import_bundle(cedar, dossier()).entries == {"ash": 0, "birch": 0}
    assert state_of(cedar) == after


@pytest.mark.parametrize("cut", [0, 1, 29, 30, 1000, 5000, 40_000, -1, -22, -23, -1000])
def test_a_truncated_bundle_is_refused(cut: int) -> None:
    with refused(shared_world().centres["cedar"], "bundle"):
        import_bundle(shared_world().centres["cedar"], dossier()[:cut])


def zipped(*, method: int = zipfile.ZIP_STORED, files: Files | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in (files or files_of(dossier())).items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, method)
    return out.getvalue()


@cache
def bomb() -> bytes:
    """A few kilobytes that deflate to 64 MiB."""
    return zipped(method=zipfile.ZIP_DEFLATED, files={"manifest.json": bytes(2**26)})


def claiming_more() -> bytes:
    """Deflated content under headers that claim to be stored, at its full size."""
    data = bytearray(dossier())
    name = files_of(dossier())["manifest.json"]
    packed = zlib.compress(name)
    at = data.index(name)
    return bytes(data[:at]) + packed + bytes(data[at + len(name) :])


def overlapping() -> bytes:
    """A directory that names one file a thousand times over the same bytes."""
    content = write_container({"manifest.json": bytes(1000)})
    end = content.index(b"PK\1\2")
    entry, tail = content[end:-22], content[-22:]
    count, many = 1000, entry * 1000
    fields = tail[:8] + count.to_bytes(2, "little") * 2 + len(many).to_bytes(4, "little") + tail[16:]
    return content[:end] + many + fields


FOREIGN = {
    "no archive": lambda: b"beware",
    "an archive by another program": zipped,
    "an archive that is deflated": lambda: zipped(method=zipfile.ZIP_DEFLATED),
    "a bomb": bomb,
    "deflated content in the place of stored": claiming_more,
    "one file named a thousand times": overlapping,
    "an archive without a manifest": lambda: write_container({"notes.txt": b""}),
    "a manifest alone": lambda: write_container({"manifest.json": files_of(dossier())["manifest.json"]}),
    "an empty archive": lambda: write_container({}),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_an_archive_of_another_form_is_refused_without_being_inflated(name: str) -> None:
    data = FOREIGN[name]()
    centre = shared_world().centres["cedar"]
    with refused(centre, "bundle"):
        import_bundle(centre, data)
    with pytest.raises(Refusal):
        verify_bundle(data, pins())
    assert stand_alone().Dossier(data, pins(), {}, False).problems


def test_a_bundle_of_another_agreement_is_refused() -> None:
    other = World(lake(PARTIES, quorum=1)).centres["birch"]
    centre = shared_world().centres["cedar"]
    with refused(centre, "agreement", other.record.agreement[:12], centre.record.agreement[:12]):
        import_bundle(centre, export_bundle(other, "courier"))


def test_a_bundle_whose_leaves_no_checkpoint_proves_is_refused() -> None:
    files = files_of(dossier())
    forged = with_leaves(files, "ash", [*leaves_of(files, "ash"), leaves_of(files, "ash")[2]])
    with refused(shared_world().centres["cedar"], "conflict", "ash"):
        import_bundle(shared_world().centres["cedar"], remade(forged))
    forged, cedar = with_leaves(files, "ash", leaves_of(files, "ash")[:-1]), having_met()
    with refused(cedar, "checkpoint", "ash"):
        import_bundle(cedar, remade(forged))


NO_NOTES = (b"", b"\n", b"x", b"a\nb\nc\n\n", b"a\n" + b"9" * 5000 + b"\n\n", b"\xff\n1\n\n\n")


@pytest.mark.parametrize("content", NO_NOTES)
def test_receipts_that_are_no_notes_change_nothing(content: bytes) -> None:
    centre = shared_world().centres["cedar"]
    before = state_of(centre)
    with suppress(Refusal):
        import_bundle(centre, remade({**files_of(dossier()), "journals/ash/receipts/birch.txt": content}))
    assert state_of(centre) == before


def test_a_receipt_that_does_not_verify_is_refused() -> None:
    files, centre = files_of(dossier()), shared_world().centres["cedar"]
    good = files["journals/ash/receipts/birch.txt"]
    text, _, lines = good.partition(b"\n\n")
    forged = b"\n".join([text.split(b"\n")[0], b"5", *text.split(b"\n")[2:]]) + b"\n\n" + lines
    with refused(centre, "receipt", "birch"):
        import_bundle(centre, remade({**files, "journals/ash/receipts/birch.txt": forged}))


def test_a_journal_without_an_identity_is_refused_and_named() -> None:
    files, world = files_of(dossier()), small_world()
    leaves = leaves_of(files, "ash")[1:]
    forged = with_leaves(files, "ash", leaves) | {"journals/ash/checkpoint.txt": checkpoint_of(world, "ash", leaves)}
    with pytest.raises(Refusal, match="ash/1"):
        verify_bundle(remade(forged), pins())
    cedar = World(lake(PARTIES), adopted=False).centres["cedar"]
    imported = import_bundle(cedar, remade(forged))
    assert "ash" in imported.unmet
    assert cedar.record.journals["ash"].size == 0


@pytest.mark.parametrize(
    ("purpose", "as_of"), [("gift", None), ("dossier", "yesterday"), ("dossier", "2026-02-30T00:00:00Z")]
)
def test_a_bundle_for_no_purpose_or_no_time_is_not_made(purpose: str, as_of: str | None) -> None:
    with refused(shared_world().centres["birch"], "usage"):
        export_bundle(shared_world().centres["birch"], purpose, as_of)
