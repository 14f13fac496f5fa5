# SPDX-License-Identifier: Apache-2.0
"""Every case in vectors/ against Servanda: its verdict is in its name, and what is found is what is expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vectors.proof_readers import READERS, REFUSED, load

VECTORS = Path(__file__).resolve().parents[2] / "vectors"


def cases(*formats: str) -> list[Path]:
    return [folder for form in sorted(formats) for folder in sorted((VECTORS / form).iterdir()) if folder.is_dir()]


def named(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


@pytest.mark.parametrize("folder", cases(*READERS), ids=named)
def test_the_case_is_read_as_its_name_says(folder: Path) -> None:
    read = READERS[folder.parent.name]
    if folder.name.endswith("_fail"):
        with pytest.raises(REFUSED):
            read(folder)
    else:
        assert read(folder) == load(folder, "expected.json")
