# SPDX-License-Identifier: Apache-2.0
"""Published records replayed between centres in one process, each once for all tests that look at it."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from servanda.assembly import read_pack
from servanda.cli.demonstration import texts_in
from servanda.operations.desk import dispatch
from servanda.operations.replay import draft_of, remember, with_sources
from tests.rig.world import World

ROOT = Path(__file__).resolve().parents[2]


@cache
def replayed(name: str = "syria-2013", until: str = "", sources: Path | None = None) -> tuple[World, dict[str, str]]:
    """The world after the last step (or the step named), and what each step became (`operations.replay:remember`)."""
    texts = texts_in(sources) if sources else {}
    world = World(read_pack(ROOT / "agreements" / name), status="exercise")
    entered: dict[str, str] = {}
    for step in tomllib.loads((ROOT / "examples" / name / "replay.toml").read_text())["step"]:
        centre = world.centres[step["party"]]
        draft = draft_of(with_sources(step, texts), entered, "desk")
        identifier = dispatch(centre, {"command": "draft", "draft": draft})
        dispatch(centre, {"command": "submit", "identifier": identifier})
        released = dispatch(centre, {"command": "release", "identifier": identifier, "officer": "chief"})
        remember(step, draft, released["entry"], entered)
        world.sync()
        if step["id"] == until:
            break
    return world, entered


def obligations(at: str = "2026-01-04") -> dict[str, dict[str, Any]]:
    """Rows of the obligations document, by id."""
    world, _ = replayed()
    document = dispatch(world.centres["opcw"], {"command": "obligations", "at": at})
    return {row["id"]: row for row in document["obligations"]}


def accounting() -> dict[str, Any]:
    """The accounting of one centre."""
    world, _ = replayed()
    data: dict[str, Any] = dispatch(world.centres["opcw"], {"command": "accounting"})
    return data
