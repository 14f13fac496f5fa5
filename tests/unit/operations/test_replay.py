# SPDX-License-Identifier: Apache-2.0
"""Steps of a replay become drafts: references to earlier steps are put in their place, sources get their texts."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from servanda.cli.demonstration import texts_in
from servanda.operations.errors import Refusal
from servanda.operations.replay import draft_of, remember, with_sources
from servanda.proof.canonical import encode


def step(identifier: str, content: dict[str, Any], **members: Any) -> dict[str, Any]:
    frame = {"id": identifier, "date": "2013-06-17", "clock": "2013-06-17T12:00:00Z", "format": "note", "subject": "s"}
    return {**frame, "party": "ash", "content": content, **members}


def test_a_place_and_a_digest_of_an_earlier_step_are_put_in() -> None:
    entered: dict[str, str] = {}
    first = draft_of(step("first", {"text": "One"}), entered, "desk")
    remember(step("first", {}), first, "ash/3", entered)
    later = {"links": [{"to": "step:first"}], "amends": ["digest:first"], "text": "step by step: first"}
    content = draft_of(step("second", later), entered, "desk")["content"]
    assert content["links"] == [{"to": "ash/3"}]
    assert content["amends"] == [hashlib.sha256(encode({"text": "One"})).hexdigest()]
    assert content["text"] == "step by step: first"


@pytest.mark.parametrize("name", ["step:later", "digest:later"])
def test_a_step_that_has_not_been_entered_cannot_be_referred_to(name: str) -> None:
    with pytest.raises(Refusal, match="later"):
        draft_of(step("first", {"to": name}), {}, "desk")


def test_a_source_gets_the_text_of_the_file_with_its_hash_and_of_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("She said: “No.”\n")
    (tmp_path / "b.md").write_text("Not a text file here.\n")
    texts = texts_in(tmp_path)
    assert list(texts.values()) == ["She said: “No.”\n"]
    (digest,) = texts
    named = step("source", {"file": {"sha256": digest, "size": 20}})
    assert with_sources(named, texts)["content"]["text"] == "She said: “No.”\n"
    assert "text" not in named["content"]
    for other in (step("source", {"file": {"sha256": "0" * 64, "size": 1}}), step("plain", {"file": "a"})):
        assert with_sources(other, texts) is other
