# SPDX-License-Identifier: Apache-2.0
"""Every case in vectors/ against Servanda, and where there is a record against the independent verifier as well.

The verdict is in the name of a case; what is found must be what is expected.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from servanda.journal.frame import FrameError
from servanda.operations.errors import Refusal
from tests.vectors.proof_readers import READERS, REFUSED, frame, load
from tests.vectors.record_readers import (
    ROOT,
    first_reading,
    forks,
    second_reading,
    second_verdicts,
    settled,
    verdicts,
    verified,
)

VECTORS = ROOT / "vectors"


def cases(*formats: str) -> list[Path]:
    return [folder for form in sorted(formats) for folder in sorted((VECTORS / form).iterdir()) if folder.is_dir()]


def named(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


def fails(folder: Path) -> bool:
    return folder.name.endswith("_fail")


@pytest.mark.parametrize("folder", cases(*READERS), ids=named)
def test_the_case_is_read_as_its_name_says(folder: Path) -> None:
    read = READERS[folder.parent.name]
    if fails(folder):
        with pytest.raises(REFUSED):
            read(folder)
    else:
        assert read(folder) == load(folder, "expected.json")


@pytest.mark.parametrize("folder", cases("frame"), ids=named)
def test_the_frame_is_read_as_its_name_says(folder: Path) -> None:
    if fails(folder):
        with pytest.raises(FrameError) as refused:
            frame(folder)
        assert {"code": refused.value.code} == load(folder, "expected.json")
    else:
        assert frame(folder) == load(folder, "expected.json")


@pytest.mark.parametrize("folder", cases("entry"), ids=named)
def test_every_entry_of_the_record_is_judged_as_expected(folder: Path) -> None:
    expected = load(folder, "expected.json")["verdicts"]
    assert verdicts(folder) == expected
    assert fails(folder) == any(verdict != "admissible" for journal in expected.values() for verdict in journal)


@pytest.mark.parametrize("folder", cases("entry"), ids=named)
def test_the_verifier_judges_every_entry_as_expected(folder: Path) -> None:
    assert second_verdicts(folder) == load(folder, "expected.json")["verdicts"]


BUNDLES = cases("bundle", "custody", "obligations", "settlement")


@pytest.mark.parametrize("folder", BUNDLES, ids=named)
def test_the_bundle_is_verified_or_refused_as_its_name_says(folder: Path) -> None:
    assert verified(folder) is not fails(folder)


@pytest.mark.parametrize("folder", BUNDLES, ids=named)
def test_the_verifier_verifies_or_refuses_the_bundle_as_its_name_says(folder: Path) -> None:
    status = second_reading(folder).status
    assert status in (1, 2) if fails(folder) else status == 0


@pytest.mark.parametrize("folder", [folder for folder in cases("settlement") if not fails(folder)], ids=named)
def test_offers_are_settled_as_expected(folder: Path) -> None:
    assert settled(folder) == load(folder, "expected.json")["offers"]


@pytest.mark.parametrize("folder", cases("fork"), ids=named)
def test_the_fork_is_proven_or_not_as_its_name_says(folder: Path) -> None:
    assert verified(folder), "the bundle beside the proof holds, whatever the proof is worth"
    if fails(folder):
        with pytest.raises(Refusal):
            forks(folder)
    else:
        assert forks(folder) == load(folder, "expected.json")


@pytest.mark.parametrize("folder", cases("fork"), ids=named)
def test_the_verifier_takes_the_proof_of_the_fork_as_its_name_says(folder: Path) -> None:
    status = second_reading(folder).status
    assert status in (1, 2) if fails(folder) else status == 0


@pytest.mark.parametrize(
    "folder", [folder for folder in cases("custody", "obligations") if not fails(folder)], ids=named
)
def test_both_readings_come_to_the_same_document(folder: Path) -> None:
    expected, name = load(folder, "expected.json"), folder.parent.name
    first, second = first_reading(folder), second_reading(folder).report["registers"]
    own = first.balances if name == "custody" else {**expected, "obligations": first.obligations}
    assert own == expected
    assert second[name] == expected


@pytest.mark.parametrize("folder", [folder for folder in cases("bundle") if not fails(folder)], ids=named)
def test_both_readings_find_in_the_bundle_what_is_expected(folder: Path) -> None:
    expected = load(folder, "expected.json")
    report, second = first_reading(folder), second_reading(folder).report
    assert (report.as_of, report.exporter) == (expected["as-of"], expected["exporter"])
    assert report.complete == expected["complete"]
    assert {row["journal"]: row["entries"] for row in second["complete"]} == expected["complete"]
    assert {row["entry"]: row["code"] for row in report.inadmissible} == expected["inadmissible"]
    assert {row["entry"]: row["code"] for row in second["inadmissible"]} == expected["inadmissible"]
    assert sorted(report.receipts, key=lambda row: (str(row["journal"]), str(row["by"]))) == expected["receipts"]
    assert sorted(row["entry"] for row in second["waiting"]) == expected["waiting"]
    assert sorted(second["suspended"]) == expected["suspended"]


FORMATS = sorted({*READERS, "bundle", "custody", "entry", "fork", "frame", "obligations", "settlement"})


def test_no_folder_of_cases_goes_unread() -> None:
    others = {"history", "making", "__pycache__"}
    assert sorted(path.name for path in VECTORS.iterdir() if path.is_dir() and path.name not in others) == FORMATS


@pytest.mark.parametrize("form", FORMATS)
def test_a_format_has_as_many_cases_to_refuse_as_to_accept_and_every_case_says_what_it_is(form: str) -> None:
    folders = cases(form)
    refused = [folder for folder in folders if fails(folder)]
    assert 2 * len(refused) >= len(folders) > 0
    for folder in folders:
        assert (folder / "README.md").read_text().count("\nRule: [") == 1
        assert fails(folder) or (folder / "expected.json").is_file()
