# SPDX-License-Identifier: Apache-2.0
"""The pages of the dialogue as a desk officer reads them, over the record of the worked example."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from servanda.cli import agreements, dialogue
from servanda.cli.main import servanda
from servanda.operations.desk import dispatch
from servanda.operations.errors import Refusal
from tests.rig.parley import accept, contact, statement, talks, task, text_of
from tests.rig.world import World
from tests.worked_example.replayed import replayed

PAGES = (
    "topics", "topic bmd", "account syria", "sources", "meetings", "bodies", "tasks", "requests", "commitments", "due",
    "commitments --year 2013", "agreement status", "agreement status threat-reduction", "texts", "tasks --open",
    "agreement history threat-reduction",
)  # fmt: skip


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Types a command at a centre of a world; the line between terminal and centre is a function call."""

    def shown(world: World, party: str, *words: str) -> Result:
        def ask(home: Path, passphrase_file: Path | None, command: str, **arguments: Any) -> Any:
            given = {name.replace("_", "-"): value for name, value in arguments.items() if value is not None}
            return json.loads(json.dumps(dispatch(world.centres[party], {"command": command, **given})))

        for module in (dialogue, agreements):
            monkeypatch.setattr(module, "ask_home", ask)
        return CliRunner().invoke(servanda, [*words, "--home", str(tmp_path)])

    return shown


@pytest.mark.parametrize("words", PAGES)
def test_every_page_of_the_worked_example_prints_and_is_the_same_at_both_centres(page: Any, words: str) -> None:
    world, _ = replayed("us-ru-2013")
    told = [page(world, party, *words.split()) for party in ("usa", "rus")]
    assert [result.exit_code for result in told] == [0, 0], told[0].exception
    assert told[0].output == told[1].output
    data = [page(world, party, *words.split(), "--json").output for party in ("usa", "rus")]
    assert data[0] == data[1]
    json.loads(data[0])


def test_the_account_of_september_goes_back_to_los_cabos_in_order(page: Any) -> None:
    world, _ = replayed("us-ru-2013")
    told = page(world, "rus", "account", "securing chemical weapons").output
    steps = (
        "los-cabos, held", "moscow-april-2013", "securing chemical weapons and ensuring", "last Friday (Sept. 5)",
        "every single bit", "telephone conversation", "announced Monday", "indeed discussed", "did not support a draft",
        "renounce the use of force", "Geneva on Thursday",
    )  # fmt: skip
    places = [told.find(step) for step in steps]
    assert -1 not in places
    # What was said in the interview on Tuesday speaks of the week before, and stands there.
    assert [step for _, step in sorted(zip(places, steps, strict=True)) if step != "indeed discussed"] == [
        step for step in steps if step != "indeed discussed"
    ]
    avenue = next(block for block in told.split("\n\n") if "avenue for cooperation" in block)
    assert "counts as position of usa" in avenue
    assert "unnamed-official" in avenue
    assert "weekday-contradicts" in avenue
    documents = page(world, "usa", "agreement", "status", "--json").output
    assert "avenue" not in documents


def test_a_file_without_the_words_quoted_from_it_is_told_and_known_by_its_hash(page: Any, tmp_path: Path) -> None:
    import hashlib

    text = "They spoke of it for months.\r\n"
    file = tmp_path / "article.txt"
    file.write_bytes(text.encode())
    world = talks()
    named = {"sha256": hashlib.sha256(text.encode()).hexdigest(), "size": len(text)}
    source = {"source": "paper", "title": "Article", "medium": "paper", "published": "2013-09-10", "file": named}
    world.say("ash", "source", source)
    world.say("ash", "statement", statement("spoke of it for months", source="paper"))
    assert page(world, "ash", "sources", str(file)).exit_code == 0
    world.say("ash", "statement", statement("spoke of it for years", source="paper"))
    wrong = page(world, "ash", "sources", str(file))
    assert wrong.exit_code == 1
    assert "NOT IN ITS SOURCE paper: ash/5: spoke of it for years" in wrong.output
    other = tmp_path / "other.txt"
    other.write_text("something else")
    assert "no source on record has the file" in page(world, "ash", "sources", str(other)).output


def test_status_says_what_is_missing_and_accept_compares_the_digest(page: Any) -> None:
    world = talks("ash", "birch", "cedar")
    offer = world.say("ash", "text", text_of("pact"), named=["birch", "cedar"])
    world.sync()
    bound = {"confirmer": "ash", "text": "once the ice has gone"}
    accept(world, "birch", offer, bound)
    world.sync()
    told = page(world, "cedar", "agreement", "status", "pact").output
    assert f"{offer.place}: cedar has not accepted" in told
    assert "ash has not decided the condition of birch/3: once the ice has gone" in told
    drafted = page(world, "cedar", "agreement", "accept", str(offer.place), "--digest", "0" * 16, "--as", "desk")
    assert isinstance(drafted.exception, Refusal)
    assert drafted.exception.code == "other-digest"
    digest = json.loads(page(world, "cedar", "agreement", "status", "--json").output)["documents"][0]["texts"][0][
        "digest"
    ]
    drafted = page(world, "cedar", "agreement", "accept", str(offer.place), "--digest", digest, "--as", "desk")
    assert drafted.exit_code == 0, drafted.exception
    alone = page(world, "cedar", "agreement", "accept", "ash/3", "--digest", digest, "--as", "desk", "--condition", "x")
    assert isinstance(alone.exception, Refusal)


def test_what_is_due_comes_from_tasks_obligations_requests_bodies_and_ends(page: Any) -> None:
    world = talks()
    world.say("ash", "task", task("shape-it", due="2014-02-01"))
    world.say("ash", "request", {"text": "A list.", "topics": [], "answer-by": "2014-02-02"}, to=["birch"])
    world.say("ash", "contact", contact("next", body="group", state="planned"), event_at="2014-02-03")
    soon = {**text_of("pact"), "until": "2026-01-31", "warn-days": [60]}
    offer = world.say("ash", "text", soon, named=["birch"])
    world.sync()
    accept(world, "birch", offer)
    world.sync()
    told = page(world, "birch", "due", "--on", "2014-01-31").output
    for word in ("shape-it", "2014-02-02   answer", "2014-02-03   meeting", "2026-01-31   expiry", "obligation"):
        assert word in told
    assert "ENDS IN 30 DAYS" in page(world, "ash", "agreement", "status").output


def test_words_that_are_sealed_are_shown_as_sealed_and_never_as_none(page: Any) -> None:
    world = talks()
    words = {"topic": "fish", "kind": "reservation", "words": "Not for everybody."}
    world.say("ash", "position", words, seal=("words",))
    world.say("ash", "position", {"topic": "nets", "kind": "reservation"})
    world.say("ash", "statement", statement("Not for everybody."), seal=("words",))
    world.sync()
    for party in ("ash", "birch"):
        matrix = page(world, party, "topics").output
        assert "sealed" in matrix
        assert "no words" in matrix
        told = page(world, party, "account", "fish").output
        assert "minister: sealed" in told
        assert "Not for everybody" not in matrix + told + page(world, party, "topic", "fish").output
