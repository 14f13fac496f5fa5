# SPDX-License-Identifier: Apache-2.0
"""What small records have in common: two or three parties who talk, and the verdict on each of their entries."""

from __future__ import annotations

from typing import Any

from making.case import Cases
from making.dossiers import dossier, judged, verdicts
from making.packs import pack
from making.world import World

THREE = ("ash", "birch", "cedar")
FULL: dict[str, Any] = {"condition": None, "extent": "full", "received": []}
YES = {"disposition": "accepted", "reason": "read"}


def add_record(cases: Cases, name: str, sentence: str, world: World, rule: str, *, good: bool = False) -> None:
    """Add a case that is a record without registers, with the verdict on each of its entries."""
    expected = {"verdicts": verdicts(judged(world))}
    if good:
        cases.good(name, sentence, dossier(world, {}), expected, rule)
    else:
        cases.bad(name, sentence, dossier(world, {}), rule, expected)


def text(text: str) -> dict[str, Any]:
    """The content of a note."""
    return {"text": text}


def talk(
    formats: tuple[str, ...] = ("note", "alert"), parties: tuple[str, ...] = ("ash", "birch"), **members: Any
) -> World:
    """A record in which all parties have adopted the same pack."""
    return World(pack(parties, formats, **members))
