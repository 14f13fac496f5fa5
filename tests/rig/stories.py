# SPDX-License-Identifier: Apache-2.0
"""The example drafts of a pack, `examples/<pack>/drafts/NN-PARTY-….json`, entered in order between its centres."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from servanda.agreement.dates import instant_seconds
from servanda.agreement.pack import Pack
from servanda.assembly import read_pack
from servanda.journal.state import Entry
from servanda.operations.drafting import parse_draft, release_draft, send_alone, submit_draft, write_draft
from servanda.registers.alerts.views import alerts_document
from tests.rig.world import World

ROOT = Path(__file__).resolve().parents[2]
AGREEMENTS, EXAMPLES = ROOT / "agreements", ROOT / "examples"
OFFICERS = {"desk-1": "desk", "watch-1": "duty"}
"""Officers that `servanda init` makes, to those of the rig."""
STORIES = sorted(path.parent.name for path in EXAMPLES.glob("*/drafts"))


class Told(NamedTuple):
    """A world after some drafts of a story, and the entry that each became."""

    world: World
    entries: dict[str, Entry]


@cache
def pack_named(name: str) -> Pack:
    return read_pack(AGREEMENTS / name)


def drafts_of(name: str) -> dict[str, dict[str, Any]]:
    """File name without ending to draft, in the order in which they are entered."""
    return {path.stem: json.loads(path.read_bytes()) for path in sorted((EXAMPLES / name / "drafts").glob("*.json"))}


def enter(world: World, party: str, data: dict[str, Any]) -> Entry:
    """Draft, submit and release as the format says; everything is delivered."""
    centre, draft = world.centres[party], parse_draft(data | {"author": OFFICERS[data["author"]]})
    if world.pack.formats[draft.format, 1].release == "one":
        entry = send_alone(centre, draft)
    else:
        identifier = write_draft(centre, draft)
        submit_draft(centre, identifier)
        entry = release_draft(centre, identifier, "chief")
    world.sync()
    return entry


@cache
def founded(name: str) -> World:
    return World(pack_named(name), status="exercise")


@cache
def told(name: str, until: str = "~") -> Told:
    """The story up to the last file whose name is not after `until`. It is shared: whoever goes on clones the world."""
    world = founded(name).clone()
    entries = {
        stem: enter(world, stem.split("-")[1], data) for stem, data in drafts_of(name).items() if stem[:2] <= until
    }
    return Told(world, entries)


def alerts_of(world: World, party: str, minutes: float = 0) -> dict[str, Any]:
    """The alerts document as one centre sees it, so many minutes from now."""
    return alerts_document(world.centres[party].alerts, instant_seconds(world.clock()) + int(60 * minutes))
