# SPDX-License-Identifier: Apache-2.0
"""What `servanda new agreement` writes is a pack at once, whatever was answered."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from servanda.agreement.compilation import compile_pack
from servanda.agreement.effects import EFFECTS
from servanda.cli.main import servanda
from servanda.operations.errors import Refusal
from servanda.operations.scaffolding import KITS, Answers, scaffold

IDS = st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=60)


@given(
    identifier=IDS,
    title=TEXTS,
    parties=st.dictionaries(IDS, TEXTS, min_size=2, max_size=5),
    languages=st.lists(st.sampled_from(["en", "ru", "fr", "ar", "zh-Hant"]), min_size=1, max_size=4, unique=True),
    kits=st.lists(st.sampled_from(sorted(KITS)), min_size=1, unique=True),
)
def test_any_answers_make_a_pack_that_passes_the_check(
    identifier: str, title: str, parties: dict[str, str], languages: list[str], kits: list[str]
) -> None:
    files = scaffold(Answers(identifier, title, parties, languages, kits))
    pack = compile_pack({name: content.encode() for name, content in files.items()})
    assert set(pack.parties) == set(parties)
    assert {form["id"] for form in pack.data["formats"]} == {form.identifier for kit in kits for form in KITS[kit]}
    assert pack.data["languages"] == languages


def test_the_examples_that_it_comments_out_are_right_once_the_sign_is_taken_away() -> None:
    answers = Answers("river", "River", {"upper": "Upper", "lower": "Lower"}, ["en", "fr"], ["notices"])
    files = scaffold(answers)
    for name, head in (("obligations.toml", "[[obligations]]"), ("bodies.toml", "[[bodies]]")):
        before, found, after = files[name].partition(f"# {head}")
        assert found
        files[name] = before + head + after.replace("\n# ", "\n")
    pack = compile_pack({name: content.encode() for name, content in files.items()})
    assert (len(pack.data["obligations"]), len(pack.data["bodies"])) == (1, 1)


def test_every_format_of_a_kit_rests_on_an_effect_that_there_is() -> None:
    assert {form.effect for kit in KITS.values() for form in kit} - {None} <= set(EFFECTS)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"identifier": "River"}, "River"),
        ({"parties": {"upper": "Upper"}}, "two parties"),
        ({"parties": {"upper": "Upper", "Lower": "Lower"}}, "Lower"),
        ({"languages": ["en", "en"]}, "once"),
        ({"languages": []}, "once"),
        ({"languages": ["english"]}, "english"),
        ({"kits": ["treaties"]}, "treaties"),
    ],
)
def test_an_answer_that_no_pack_can_have_is_refused_and_named(changed: dict[str, object], named: str) -> None:
    answers = Answers("river", "River", {"upper": "Upper", "lower": "Lower"}, ["en"], ["notices"])
    with pytest.raises(Refusal, match=named):
        scaffold(answers._replace(**changed))


def test_it_asks_for_what_no_option_says_and_writes_into_a_new_folder_only(tmp_path: Path) -> None:
    folder = str(tmp_path / "river")
    typed = "\nRiver\nupper=Upper shore\nlower=Lower shore\n\nen\n\nnotices\nmeetings\n\n"
    done = CliRunner().invoke(servanda, ["new", "agreement", folder], input=typed)
    assert done.exit_code == 0, done.output
    checked = CliRunner().invoke(servanda, ["check", folder])
    assert checked.output.startswith("river edition 1: 2 parties, 7 formats")
    again = CliRunner().invoke(servanda, ["new", "agreement", folder], input=typed)
    assert isinstance(again.exception, Refusal)
