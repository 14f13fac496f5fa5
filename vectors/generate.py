# SPDX-License-Identifier: Apache-2.0
"""Writes the vectors, or with `--check` compares them byte for byte with what would be written.

Everything but the ML-DSA-44 signatures follows from the names of keys and from fixed times; those signatures are kept
in `making/ml-dsa-44.json` and verified whenever they are used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from making import (
    agreements,
    boxes,
    bundles,
    bytable,
    custodies,
    draws,
    duties,
    entries,
    forks,
    frames,
    seals,
    settlements,
    shapes,
    texts,
    trees,
    witnesses,
)
from making.case import Case
from making.keys import Signatures

HERE = Path(__file__).resolve().parent
KEPT = HERE / "making" / "ml-dsa-44.json"


def made(signatures: Signatures) -> list[Case]:
    """Every case, in the order of the pages of the specification."""
    return [
        *texts.cases(),
        *trees.cases(signatures),
        *forks.cases(),
        *seals.cases(),
        *agreements.cases(),
        *frames.cases(),
        *entries.cases(),
        *settlements.cases(),
        *custodies.cases(),
        *bytable.cases(),
        *witnesses.cases(),
        *boxes.cases(),
        *draws.cases(),
        *duties.cases(),
        *shapes.cases(),
        *bundles.cases(signatures),
    ]


def wanted(signatures: Signatures) -> dict[str, bytes]:
    """Every file of every case by its path below `vectors/`, and the signatures kept."""
    files = {f"{case.folder}/{name}": data for case in made(signatures) for name, data in case.files.items()}
    files[str(KEPT.relative_to(HERE))] = signatures.text()
    return files


def present(folders: set[str]) -> Iterator[str]:
    """Paths below `vectors/` of all files in the folders of the formats."""
    for folder in sorted(folders):
        for path in sorted((HERE / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield str(path.relative_to(HERE))


def difference(files: dict[str, bytes]) -> str:
    """The first difference between what is there and what should be; empty if there is none."""
    for path, data in sorted(files.items()):
        if not (HERE / path).is_file():
            return f"vectors/{path} is missing"
        there = (HERE / path).read_bytes()
        if there != data:
            at = next(
                (i for i, (a, b) in enumerate(zip(there, data, strict=False)) if a != b), min(len(there), len(data))
            )
            return f"vectors/{path} differs at byte {at}"
    for path in present({path.split("/")[0] for path in files} - {"making"}):
        if path not in files:
            return f"vectors/{path} is not made by vectors/generate.py"
    return ""


def write(files: dict[str, bytes]) -> None:
    """Write every file, and remove those of cases that there are no longer."""
    for path in present({path.split("/")[0] for path in files} - {"making"}):
        if path not in files:
            (HERE / path).unlink()
            if not any((HERE / path).parent.iterdir()):
                (HERE / path).parent.rmdir()
    for path, data in files.items():
        (HERE / path).parent.mkdir(parents=True, exist_ok=True)
        (HERE / path).write_bytes(data)


def main(arguments: list[str]) -> int:
    """Write or check; returns the exit status."""
    if arguments not in ([], ["--check"]):
        print("usage: generate.py [--check]", file=sys.stderr)
        return 2
    checking = bool(arguments)
    files = wanted(Signatures(KEPT, may_sign=not checking))
    if not checking:
        write(files)
        print(f"{sum(path.endswith('README.md') for path in files)} cases, {sum(map(len, files.values()))} bytes")
        return 0
    found = difference(files)
    if found:
        print(found, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
