# SPDX-License-Identifier: Apache-2.0
"""Replaying a published record: each step becomes a draft like any other, and goes through the ordinary operations.

The steps come from `examples/*/replay.toml`; see the README there for their keys. Everything is status `exercise`, with
the exercise clock that the step gives.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

from servanda.operations.errors import Refusal
from servanda.proof.canonical import encode

_STEP_LOT = re.compile(r"([a-z0-9][a-z0-9-]*)#(\d+)")
_PLACE, _DIGEST = "step:", "digest:"
STATUS = "exercise"


def draft_of(step: Mapping[str, Any], entered: Mapping[str, str], author: str) -> dict[str, Any]:
    """The draft of one step, as JSON data.

    Args:
        step: the step.
        entered: earlier steps to the entries (`party/number`) that they became.
        author: the officer who drafts.

    Raises:
        Refusal: the step refers to one that has not been entered (`replay`).
    """
    form = step["format"]
    content = _resolve(step.get("content", {}), entered)
    refers = [_entered(name, entered) for name in step.get("refers-to", [])]
    if form in ("accept", "refuse"):
        offer = _entered(step["offer"], entered)
        refers = [offer, *(place for place in refers if place != offer)]
    if form == "accept":
        content = {"condition": None, "extent": "full", "received": [], **content}
    draft = {
        "author": author,
        "content": content,
        "event-at": step["date"],
        "exercise-at": step["clock"],
        "format": form,
        "refers-to": refers,
        "remarks": _remarks(step),
        "status": STATUS,
        "subject": step["subject"],
        "to": list(step.get("to", [])),
    }
    if "named" in step:
        draft["named"] = list(step["named"])
    if "as-stated" in step:
        draft["as-stated"] = {"weekday": None, **step["as-stated"]}
    return draft


def with_sources(step: Mapping[str, Any], texts: Mapping[str, str]) -> Mapping[str, Any]:
    """The step with the text of the file that it names by hash, where the text is at hand.

    Quotations are then looked up in it when they are entered (spec/dialogue.md, `not-in-source`).

    Args:
        step: the step.
        texts: SHA-256 of a file to its text.
    """
    named = step.get("content", {}).get("file")
    if not isinstance(named, Mapping) or named.get("sha256") not in texts:
        return step
    return {**step, "content": {**step["content"], "text": texts[named["sha256"]]}}


def remember(step: Mapping[str, Any], draft: Mapping[str, Any], entry: str, entered: MutableMapping[str, str]) -> None:
    """Note what a step became, so that later steps can refer to its place (`step:ID`) and to its content (`digest:ID`).

    Args:
        step: the step.
        draft: the draft that `draft_of` made of it.
        entry: the entry (`party/number`) that it became.
        entered: what is remembered; changed in place.
    """
    entered[step["id"]] = entry
    entered[_DIGEST + step["id"]] = hashlib.sha256(encode(draft["content"])).hexdigest()


def _remarks(step: Mapping[str, Any]) -> str:
    """Source and grade of steps in built-in formats, whose content has no place for them."""
    return f"source {step['source']}; grade {step.get('grade', '')}" if "source" in step else ""


def _entered(name: str, entered: Mapping[str, str]) -> str:
    if name not in entered:
        raise Refusal(f"the step {name} has not been entered", "replay")
    return entered[name]


def _resolve(value: Any, entered: Mapping[str, str]) -> Any:
    """`step#row` in the place of a lot's name becomes `party/number/row`; `step:ID` a place, `digest:ID` a digest."""
    if isinstance(value, dict):
        return {
            key: _lot(member, entered) if key in ("container", "lot", "lots") else _resolve(member, entered)
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [_resolve(item, entered) for item in value]
    if isinstance(value, str) and value.startswith(_PLACE):
        return _entered(value.removeprefix(_PLACE), entered)
    if isinstance(value, str) and value.startswith(_DIGEST):
        return _entered(value, entered)
    return value


def _lot(value: Any, entered: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_lot(item, entered) for item in value]
    match = _STEP_LOT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return _resolve(value, entered)
    return f"{_entered(match[1], entered)}/{match[2]}"
