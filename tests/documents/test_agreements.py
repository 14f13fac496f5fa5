# SPDX-License-Identifier: Apache-2.0
"""The packs in agreements/ are what their pages say: in every language, with their sources and their limits named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from servanda.agreement.formats import BUILT_IN
from servanda.agreement.pack import Pack
from servanda.assembly import read_pack
from tests.rig.stories import AGREEMENTS, EXAMPLES, STORIES, drafts_of, pack_named

INDEX = AGREEMENTS / "README.md"
NAMES = sorted(path.parent.name for path in AGREEMENTS.glob("*/pack.toml"))
VARIANT = EXAMPLES / "urgent-alert" / "pack"
TITLES = {
    "early-notification": 2,
    "ict-incidents-2013": 2,
    "launch-notification-1988": 2,
    "unusual-activities": 3,
    "us-ru-2013": 2,
}
REPLAYED = {"us-ru-2013"}
"""Shown by a replay instead of by drafts."""
CHOSEN = {"en": "chosen for exercises", "fr": "choisi", "ru": "выбран", "uk": "вибрано"}
"""What the name of a class says of clocks that no source gives."""
SECTIONS = ["Sources", "Fact, and choice for exercises", "Left out", "Translation"]
UNCONFIRMED = re.compile(r"CBM/|F-number|INMS|iNotify|paragraph (16|17)|Article (16|17)\b|\bpara(graph)?s? 1[67]")
"""Looked for and not confirmed: must not stand in a pack."""


def rows() -> dict[Path, list[str]]:
    """The index: folder of the pack to the cells of its row."""
    found = {}
    for line in INDEX.read_text().splitlines():
        if match := re.match(r"\| \[[^\]]+\]\(([^)]+)\) \|", line):
            found[(INDEX.parent / match[1]).resolve().parent] = [cell.strip() for cell in line.split("|")[1:-1]]
    return found


@cache
def compiled(folder: Path) -> Pack:
    return read_pack(folder)


def texts_in(value: Any, languages: frozenset[str]) -> Iterator[dict[str, str]]:
    """Every object in a pack that has one text for each language."""
    if isinstance(value, dict):
        if set(value) == languages:
            yield value
        else:
            for part in value.values():
                yield from texts_in(part, languages)
    elif isinstance(value, list):
        for part in value:
            yield from texts_in(part, languages)


def schemas_in(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for part in schema.get("properties", {}).values():
        yield from schemas_in(part)
    if "items" in schema:
        yield from schemas_in(schema["items"])


def test_the_index_lists_every_pack_and_the_variant() -> None:
    assert set(rows()) == {AGREEMENTS / name for name in NAMES} | {VARIANT}


@pytest.mark.parametrize("folder", sorted(rows()), ids=lambda folder: folder.name)
def test_a_pack_is_what_the_index_says_to_the_digest(folder: Path) -> None:
    data, row = compiled(folder).data, rows()[folder]
    assert row[-1] == f"`{compiled(folder).digest}`"
    assert row[-2] == str(len(data["formats"]))
    assert row[-3] == ", ".join(data["languages"])
    assert row[-4] == str(len(data["parties"]))


@pytest.mark.parametrize("folder", sorted(rows()), ids=lambda folder: folder.name)
def test_every_text_is_written_in_the_script_of_its_language(folder: Path) -> None:
    data = compiled(folder).data
    found = list(
        texts_in({**data, "formats": [{**f, "fields": None} for f in data["formats"]]}, frozenset(data["languages"]))
    )
    assert len(found) > 2 * len(data["formats"])
    for texts in found:
        for language, text in texts.items():
            cyrillic, latin = len(re.findall("[а-яёіїєґ]", text.lower())), len(re.findall("[a-z]", text.lower()))
            assert text.strip() == text
            if language in ("ru", "uk"):
                assert cyrillic > latin, text
                assert not (language == "ru" and re.search("[іїєґ]", text.lower())), text
                assert not (language == "uk" and re.search("[ыэъё]", text.lower())), text
            elif language == "en":
                assert cyrillic == 0, text


@pytest.mark.parametrize("name", TITLES)
def test_every_field_has_a_title_in_every_language_of_the_pack(name: str) -> None:
    for form in pack_named(name).data["formats"]:
        assert len(form["fields"]["title"].split(" / ")) == TITLES[name]
        for schema in schemas_in(form["fields"]):
            for member in ("title", "description"):
                if member in schema:
                    assert len(schema[member].split(" / ")) == TITLES[name], schema[member]
        for member, schema in form["fields"]["properties"].items():
            assert "title" in schema, f"{form['id']}.{member}"


@pytest.mark.parametrize("name", TITLES)
def test_what_no_source_gives_is_marked_as_chosen(name: str) -> None:
    data = pack_named(name).data
    for texts in [alert["names"] for alert in data["alerts"]]:
        assert all(CHOSEN[language] in text for language, text in texts.items()), texts
    books = [form for form in data["formats"] if form["effect"] == "alerts.coded"]
    assert len(books) == (1 if data.get("codes") else 0)
    assert all("worked example" in book["names"]["en"] for book in books)
    assert "worked example" in data["title"]["en"]


@pytest.mark.parametrize("name", TITLES)
def test_the_page_of_a_pack_names_sources_choices_gaps_and_the_state_of_the_translation(name: str) -> None:
    page = (AGREEMENTS / name / "README.md").read_text()
    heads = re.findall(r"^## (.+)$", page, flags=re.MULTILINE)
    assert [head for head in heads if head in SECTIONS] == SECTIONS
    keys = set(re.findall(r"^\| ([A-Z][A-Z0-9]*) \| [ABC] \| ", page, flags=re.MULTILINE))
    assert keys
    for obligation in pack_named(name).data["obligations"]:
        assert set(obligation["source"].partition("; grade ")[0].split("; ")) <= keys
    assert re.search(r"drafts; a competent reader", page.split("## Translation")[1])


@pytest.mark.parametrize("name", TITLES)
def test_nothing_unconfirmed_stands_in_a_pack_or_its_page(name: str) -> None:
    for path in sorted((AGREEMENTS / name).rglob("*")):
        if path.is_file():
            assert not UNCONFIRMED.search(path.read_text()), path


def test_the_48_hours_of_the_press_are_the_clocks_of_the_request() -> None:
    alert = pack_named("unusual-activities").alert_classes["unusual-activity"]
    assert (alert["answer-minutes"], alert["meeting-minutes"]) == (48 * 60, 48 * 60)


def test_every_question_in_words_has_an_answer_clock() -> None:
    for name in ("ict-incidents-2013", "unusual-activities"):
        pack = pack_named(name)
        for form in pack.data["formats"]:
            if form["effect"] in ("alerts.alert", "alerts.inquiry"):
                for identifier in form["fields"]["properties"]["class"]["enum"]:
                    assert pack.alert_classes[identifier]["answer-minutes"], form["id"]


def test_one_officer_sends_only_what_is_agreed_beforehand_or_technical() -> None:
    alone = {f["id"] for name in TITLES for f in pack_named(name).data["formats"] if f["release"] != "two"}
    assert alone == {"short-message", "technical-indicators"}


@pytest.mark.parametrize("name", STORIES)
def test_every_format_of_a_pack_has_an_example_and_every_example_a_row_on_its_page(name: str) -> None:
    drafts, page = drafts_of(name), (EXAMPLES / name / "README.md").read_text()
    known = {form["id"] for form in pack_named(name).data["formats"]}
    used = {draft["format"] for draft in drafts.values()}
    assert known <= used
    assert used - known <= {key for key, _ in BUILT_IN}
    linked = [int(number) for number in re.findall(r"\]\(drafts/(\d\d)-", page)]
    assert linked == sorted(linked)
    assert {linked[0], linked[-1]} == {1, len(drafts)}
    assert set(STORIES) == set(TITLES) - REPLAYED


@pytest.mark.parametrize("name", STORIES)
def test_every_example_is_marked_as_exercise_and_set_where_it_cannot_be_read_as_real(name: str) -> None:
    for draft in drafts_of(name).values():
        assert draft["status"] == "exercise"
        assert draft["exercise-at"].startswith("2099-")
        assert draft["event-at"].startswith("2099-")


def test_the_variant_with_a_relay_differs_in_parties_and_routes_only() -> None:
    pack, variant = pack_named("ict-incidents-2013").data, compiled(VARIANT).data
    assert {name for name in pack if pack[name] != variant[name]} == {"id", "title", "parties", "line"}
    assert variant["parties"][:2] == pack["parties"]
    (relay,) = variant["parties"][2:]
    assert "invented" in relay["names"]["en"]
    assert {name for name in pack["line"] if pack["line"][name] != variant["line"][name]} == {"routes"}
    assert [route for route in variant["line"]["routes"] if route["kind"] != "relay"] == pack["line"]["routes"]
    assert all(relay["id"] not in form["may-send"] and form["may-send"] for form in variant["formats"])
