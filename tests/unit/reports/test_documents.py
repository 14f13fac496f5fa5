# SPDX-License-Identifier: Apache-2.0
"""Reports as documents: every figure links back to entries, periods cut the record, a summary tells no place."""

from __future__ import annotations

import copy
import json
import re
from datetime import date
from functools import cache
from typing import Any

import pytest

from servanda.operations.desk import dispatch
from servanda.operations.errors import Refusal
from servanda.operations.periods import period_of
from servanda.operations.reporting import PLAIN
from servanda.proof.canonical import encode
from servanda.reports.numbers import amount_text, decimal_text
from servanda.reports.proving import proof_problems
from servanda.reports.summary import place_names, places_told, told
from servanda.reports.words import LANGUAGES
from tests.worked_example.replayed import replayed

SYRIA = "syria-2013"


@cache
def made(kind: str, language: str = "en", period: str | None = None, party: str = "opcw") -> dict[str, Any]:
    """A report of the replay of Syria 2013."""
    centre = replayed(SYRIA)[0].centres[party]
    found: dict[str, Any] = dispatch(
        centre, {"command": "report", "report": kind, "language": language, "period": period}
    )
    return found


def rows(report: dict[str, Any], name: str) -> list[dict[str, Any]]:
    section = next(section for section in report["sections"] if section["id"] == name)
    ids = [column["id"] for column in section["columns"]]
    return [dict(zip(ids, row["cells"], strict=True)) | {"entries": row["entries"]} for row in section["rows"]]


@pytest.mark.parametrize("period", [None, "2014-04", "2014"])
@pytest.mark.parametrize("kind", sorted(PLAIN))
def test_every_figure_of_every_section_links_back_to_entries_and_their_leaf_hashes(
    kind: str, period: str | None
) -> None:
    report, record = made(kind, "en", period), replayed(SYRIA)[0].centres["opcw"].record
    annex = {cited["entry"]: cited["leaf"] for cited in report["annex"]}
    assert report["annex"]
    for section in report["sections"]:
        for row in section["rows"]:
            figures = [cell for cell in row["cells"] if isinstance(cell, dict) and cell["amount"]]
            assert row["entries"] or not figures, (section["id"], row)
            assert set(row["entries"]) <= set(annex)
    for name, leaf in annex.items():
        party, _, number = name.partition("/")
        assert record.journals[party].entries[int(number) - 1].hash.hex() == leaf


def test_all_centres_make_the_same_bytes() -> None:
    assert len({encode(made("monthly-progress", "en", "2014-04", party)) for party in replayed(SYRIA)[0].centres}) == 1


@pytest.mark.parametrize("kind", sorted(PLAIN))
def test_languages_differ_in_words_and_in_no_figure(kind: str) -> None:
    def figures(report: dict[str, Any]) -> list[Any]:
        return [
            (section["id"], [cell for cell in row["cells"] if isinstance(cell, dict | int)], row["entries"])
            for section in report["sections"]
            for row in sorted(section["rows"], key=lambda row: (row["entries"], json.dumps(row["cells"])))
        ]

    english = made(kind, "en", "2014-06")
    for language in ("fr", "ru", "ar"):
        other = made(kind, language, "2014-06")
        assert sorted(map(str, figures(other))) == sorted(map(str, figures(english)))
        assert other["title"] != english["title"]


def test_every_language_has_every_word_with_the_same_gaps() -> None:
    for words in LANGUAGES.values():
        assert words.keys() == LANGUAGES["en"].keys()
        for name, text in words.items():
            assert text
            assert text.count("{}") == LANGUAGES["en"][name].count("{}"), name


def test_a_report_says_that_it_is_an_exercise() -> None:
    report = made("monthly-progress")
    assert report["status"] == "exercise"
    assert report["banner"].startswith("EXERCISE")


def test_the_published_numbers_stand_in_the_report_over_the_whole_record() -> None:
    totals = {
        row["destroyed"]["unit"]: (row["destroyed"]["amount"], row["share"])
        for row in rows(made("monthly-progress"), "cumulative")
    }
    assert totals["g"] == (1_328_000_000, "100.00")
    assert totals["g-effluent"] == (5_798_500_000, "100.00")


def test_a_period_shows_the_record_as_it_was_at_its_end() -> None:
    april, june = made("monthly-progress", "en", "2014-04"), made("monthly-progress", "en", "2014-06")
    assert {row["event-at"] for row in rows(april, "movements")} >= {"2014-04-04", "2014-04-24"}
    assert not [row for row in rows(april, "movements") if row["event-at"].startswith("2014-06")]
    assert [row for row in rows(june, "movements") if row["event-at"] == "2014-06-23"]
    held = {row["account"] for row in rows(april, "totals")}
    assert "held: Syrian Arab Republic" in held
    assert sum(j["entries"] for j in april["complete"]) < sum(j["entries"] for j in june["complete"])
    o20 = {row["known-as"]: row["deadline"] for row in rows(april, "obligations")}["O24"]
    assert o20 == "due"


def test_the_two_bases_of_removal_stand_apart_in_the_report_of_april() -> None:
    bases = {
        row["subject"]: {
            other["basis"].split(",")[0]
            for other in rows(made("monthly-progress", "en", "2014-04"), "figures")
            if other["subject"] == row["subject"]
        }
        for row in rows(made("monthly-progress", "en", "2014-04"), "figures")
    }
    assert bases["removed-share-R"] == {"R"}
    assert bases["removed-or-destroyed-share-RD"] == {"RD"}


def test_what_is_not_all_is_never_shown_as_all() -> None:
    from servanda.reports.monthly import share_text

    assert share_text(999_999, 1_000_000) == "99.99"
    assert share_text(2, 3) == "66.66"
    assert share_text(5, 5) == "100.00"


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2014", date(2014, 1, 1), date(2014, 12, 31)),
        ("2014-02", date(2014, 2, 1), date(2014, 2, 28)),
        ("2014-04-01/2014-06-30", date(2014, 4, 1), date(2014, 6, 30)),
    ],
)
def test_periods(text: str, first: date, last: date) -> None:
    assert period_of(text) == (first, last)


@pytest.mark.parametrize("text", ["2014-13", "14", "2014-04-31/2014-05-01", "2014-05-01/2014-04-01", "2014-4", "٢٠١٤"])
def test_a_period_that_is_none_is_refused_with_what_to_give(text: str) -> None:
    with pytest.raises(Refusal, match="is no period: give"):
        period_of(text)


def test_an_unknown_kind_or_language_is_refused() -> None:
    centre = replayed(SYRIA)[0].centres["opcw"]
    with pytest.raises(Refusal, match="no report 'weekly'"):
        dispatch(centre, {"command": "report", "report": "weekly"})
    with pytest.raises(Refusal, match="no language 'xx'"):
        dispatch(centre, {"command": "report", "report": "monthly-progress", "language": "xx"})


# --- Amounts ---


def test_amounts_are_exact_decimals_in_the_signs_of_the_language() -> None:
    assert decimal_text(1_328_000_000_000_001, 6, "en") == "1,328,000,000.000001"
    assert decimal_text(19_800_000, 6, "fr") == "19,8"
    assert decimal_text(-1_500, 3, "en") == "\u22121.5"
    units = {"g": {"exponent": 6, "symbol": "t"}}
    words = LANGUAGES["en"]
    assert amount_text({"amount": None, "unit": "g", "qualifier": "exact"}, units, words, "en") == "not stated"
    assert (
        amount_text({"amount": 10**6, "to": 3 * 10**6, "unit": "g", "qualifier": "about"}, units, words, "en")
        == "about 1 to 3\u00a0t"
    )


# --- The public summary ---


def test_no_name_of_a_place_stands_anywhere_in_the_summary() -> None:
    pack = replayed(SYRIA)[0].pack
    names = place_names(pack)
    assert {"Latakia", "Port Arthur", "Munster", "marchwood", "Рийхимяки"} <= set(names)
    for language in pack.data["languages"]:
        summary = made("public-summary", language)
        text = encode(summary).decode()
        assert [name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE)] == []
        assert all(not cited["subject"] for cited in summary["annex"])


def test_a_kind_that_tells_a_place_is_counted_in_the_broader_one_and_nothing_is_lost() -> None:
    summary = made("public-summary")
    kinds = {row["kind"]: row["amount"]["amount"] for row in rows(summary, "kinds") if row["amount"]["unit"] == "g"}
    assert "Declared chemicals to be removed (all but isopropanol)" in kinds
    assert not [kind for kind in kinds if "Port Arthur" in kind]
    assert sum(kinds.values()) == 1_328_000_000
    assert places_told({"subject": "moved to MUNSTER."}, replayed(SYRIA)[0].pack) == ["Munster", "munster"]
    assert told("Syrian chemicals", ["Syria"]) == []


def test_the_entries_of_a_summary_lie_under_signed_checkpoints() -> None:
    summary = made("public-summary")
    keys = {told["party"]: told["key"] for told in summary["proof"]["checkpoints"]}
    assert len(keys) == 9
    assert proof_problems(summary, keys) == []


def test_the_summary_follows_from_the_record_of_any_party_also_after_it_has_grown() -> None:
    world = replayed(SYRIA)[0].clone()
    summary = dispatch(world.centres["opcw"], {"command": "report", "report": "public-summary"})
    world.say("usa", "statement", {"text": "later"}, to=("rus",))
    world.sync()
    assert dispatch(world.centres["rus"], {"command": "check-summary", "summary": summary}) == []


def forged(change: Any) -> list[str]:
    summary = copy.deepcopy(made("public-summary"))
    change(summary)
    found: list[str] = dispatch(replayed(SYRIA)[0].centres["syr"], {"command": "check-summary", "summary": summary})
    return found


def test_another_total_is_told_by_the_record() -> None:
    def change(summary: dict[str, Any]) -> None:
        summary["sections"][0]["rows"][0]["cells"][2]["amount"] += 1

    assert forged(change) == ["`sections` is not what follows from the record"]


def test_another_leaf_is_told_by_the_proof_alone() -> None:
    summary = copy.deepcopy(made("public-summary"))
    summary["annex"][3]["leaf"] = "00" * 32
    assert proof_problems(summary, {}) == [
        f"entry {summary['annex'][3]['entry']}: the inclusion path leads to another root"
    ]


def test_a_checkpoint_by_another_key_or_of_another_journal_is_told() -> None:
    summary = copy.deepcopy(made("public-summary"))
    keys = {told["party"]: told["key"] for told in summary["proof"]["checkpoints"]}
    assert "checkpoint of usa" in proof_problems(summary, keys | {"usa": keys["rus"]})[0]
    first, second = summary["proof"]["checkpoints"][:2]
    first["note"], first["key"] = second["note"], second["key"]
    assert "it is that of servanda/" in proof_problems(summary, {})[0]


def test_a_row_without_its_path_and_a_file_that_is_no_summary_are_told() -> None:
    summary = copy.deepcopy(made("public-summary"))
    gone = summary["proof"]["paths"].pop()
    assert proof_problems(summary, {}) == [f"entry {gone['entry']}: no proof that it lies under a checkpoint"]
    assert proof_problems({}, {})[0].startswith("the file is no public summary")
    assert forged(lambda summary: summary.pop("complete"))[-1].startswith("the file is no public summary")
