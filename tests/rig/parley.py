# SPDX-License-Identifier: Apache-2.0
"""An agreement about talking, for tests: every effect of spec/dialogue.md has a format of its own name."""

from __future__ import annotations

from functools import cache
from typing import Any

from servanda.agreement.dialogue import DIALOGUE_EFFECTS
from servanda.agreement.pack import Pack, pack_of
from servanda.journal.state import Entry
from tests.rig.packs import pack_data
from tests.rig.world import World


def fields_for(shape: dict[str, Any]) -> dict[str, Any]:
    """The loosest field schema that a shape fits: what the shape asks for is then left to the shape."""
    if "enum" in shape:
        return {"type": "string"}
    if shape["type"] == "object":
        members = {name: fields_for(part) for name, part in shape["properties"].items()}
        return {
            "type": "object",
            "properties": members,
            "required": shape["required"],
            "additionalProperties": False,
        }
    if shape["type"] == "array":
        return {"type": "array", "items": fields_for(shape["items"])}
    return {"type": shape["type"]}


def format_of(effect: str) -> dict[str, Any]:
    act, shape = DIALOGUE_EFFECTS[effect]
    name = effect.partition(".")[2] if effect != "commitments.enter" else "commitment"
    return {
        "id": name,
        "version": 1,
        "act": act,
        "effect": effect,
        "names": {"en": name},
        "purpose": {"en": name},
        "release": "two",
        "may-send": [],
        "performs": False,
        "witnesses": [],
        "fields": fields_for(shape),
    }


TALKING = {form["id"]: form for form in map(format_of, DIALOGUE_EFFECTS)}


def body(name: str, within: str | None = None, **members: Any) -> dict[str, Any]:
    return {"id": name, "names": {"en": name}, "members": ["ash", "birch"], "within": within, "cadence": None} | members


def parley(parties: tuple[str, ...] = ("ash", "birch"), *, zone: str = "UTC", **members: Any) -> Pack:
    data = pack_data(parties)
    data |= {
        "id": "parley",
        "time": {**data["time"], "zone": zone},
        "formats": [*(form for form in data["formats"] if form["id"] not in TALKING), *TALKING.values()],
        "topics": [
            {"id": "fish", "names": {"en": "Fishing rights"}, "within": None},
            {"id": "nets", "names": {"en": "Nets"}, "within": "fish"},
        ],
        "bodies": [
            body("commission", every={"count": 6, "unit": "month", "first": "2013-01-31"}),
            body("group", "commission", offices=[{"party": "ash", "office": {"en": "co-chair"}}]),
        ],
        **members,
    }
    return pack_of(data)


@cache
def _adopted(parties: tuple[str, ...], zone: str) -> World:
    return World(parley(parties, zone=zone))


def talks(*parties: str, zone: str = "UTC") -> World:
    """A world in which the agreement is in force; ash and birch if nobody is named."""
    return _adopted(parties or ("ash", "birch"), zone).clone()


def clauses(**texts: str) -> list[dict[str, str]]:
    return [{"id": name, "text": text} for name, text in texts.items()]


def text_of(name: str, language: str = "en", **texts: str) -> dict[str, Any]:
    """The content of a text of one language whose clauses are `texts`."""
    return {
        "document": name,
        "kind": "agreement",
        "title": [{"language": "en", "text": name}],
        "authentic": [language],
        "texts": [{"language": language, "status": "authentic", "clauses": clauses(**(texts or {"c1": "They fish."}))}],
        "amends": [],
        "topics": [],
    }


def accept(world: World, party: str, offer: Entry, condition: dict[str, str] | None = None) -> Entry:
    content = {"extent": "full", "received": [], "condition": condition}
    return world.say(party, "accept", content, refers_to=[offer.place])


def person(office: str, **members: str) -> dict[str, str]:
    return {"office": office, **members}


def statement(words: str, **members: Any) -> dict[str, Any]:
    return {
        "speaker": person("minister"),
        "manner": "on-record",
        "medium": "press conference",
        "quoted": True,
        "on": "2013-09-09",
        "topics": ["fish"],
        "links": [],
        "words": words,
        **members,
    }


def contact(name: str, **members: Any) -> dict[str, Any]:
    return {
        "contact": name,
        "kind": "meeting",
        "state": "held",
        "participants": [],
        "agenda": [],
        "outcomes": [],
        **members,
    }


def task(name: str, **members: Any) -> dict[str, Any]:
    return {"task": name, "text": "Draft it", "by": person("head"), "to": [person("desk")], "topics": [], **members}
