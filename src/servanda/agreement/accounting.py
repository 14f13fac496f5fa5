# SPDX-License-Identifier: Apache-2.0
"""Rules for what a pack says of accounting: nested places, witnesses by quorum, thresholds, clocks (spec/pack.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Found = Iterator[tuple[str, str]]


def accounting_problems(data: dict[str, Any]) -> Found:
    """What is wrong with the places, thresholds and clocks of a pack, as (path, reason)."""
    yield from _place_problems(data["places"])
    items, seen = {item["id"] for item in data["items"]}, set()
    for index, row in enumerate(data.get("thresholds", ())):
        path = f"thresholds[{index}]"
        if row["item"] not in items:
            yield f"{path}.item", f"item `{row['item']}` is not among the items"
        if row["item"] in seen:
            yield f"{path}.item", f"`{row['item']}` already has a threshold"
        if row["part"] > row["of"]:
            yield f"{path}.part", f"{row['part']}/{row['of']} is more than the whole"
        seen.add(row["item"])
    codes = [row["code"] for row in data.get("discrepancies", {}).get("codes", ())]
    for index, code in enumerate(codes):
        if code in codes[:index]:
            yield f"discrepancies.codes[{index}].code", f"`{code}` already has a clock"


def broken_chain(by_id: dict[str, dict[str, Any]], row: dict[str, Any]) -> str | None:
    """The first id, going from a row outwards by `within`, that is none of these or that has been met; None if none."""
    chain, step = {row["id"]}, row.get("within")
    while step is not None:
        if step not in by_id or step in chain:
            return str(step)
        chain.add(step)
        step = by_id[step].get("within")
    return None


def _place_problems(places: list[dict[str, Any]]) -> Found:
    by_id = {place["id"]: place for place in places}
    for index, place in enumerate(places):
        step = broken_chain(by_id, place)
        if step is not None:
            told = f"`{place['id']}` is within itself" if step in by_id else f"place `{step}` is not among the places"
            yield f"places[{index}].within", told


def quorum_problems(form: dict[str, Any], path: str) -> Found:
    """Witnesses by quorum: of a destruction only, and who may send it is no witness of it."""
    quorum = form.get("quorum")
    if quorum is None:
        return
    if form["effect"] != "custody.destroy":
        yield f"{path}.quorum", "only a format with effect `custody.destroy` has a quorum of witnesses"
    if quorum > len(form["witnesses"]):
        yield f"{path}.quorum", f"{quorum} of {len(form['witnesses'])} witnesses can never be reached"
    both = set(form["may-send"]) & set(form["witnesses"])
    if not form["may-send"] or both:
        yield f"{path}.quorum", "`may-send` names who destroys, and none of the witnesses is among them"
