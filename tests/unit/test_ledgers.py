# SPDX-License-Identifier: Apache-2.0
"""The measurement beside other ledgers compares like with like: one set of postings, the same balances."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from bench.ledgers.postings import balances, decimal, postings, write_all
from bench.ledgers.programs import OURS, PROGRAMS, Absent, run

COUNT = 400


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ledgers")
    write_all(folder, COUNT)
    return folder


def test_the_set_is_the_same_every_time_and_each_transaction_adds_up_to_nothing() -> None:
    assert list(postings(COUNT)) == list(postings(COUNT))
    sums: Counter[int] = Counter()
    for row in postings(COUNT):
        sums[row.transaction] += row.amount
    assert set(sums.values()) == {0}
    assert len(sums) == COUNT // 2


def test_every_syntax_has_every_posting_with_its_amount(written: Path) -> None:
    rows = list(postings(COUNT))
    for name in ("postings.journal", "postings.beancount"):
        lines = [line.split() for line in (written / name).read_text().splitlines() if line.startswith("  ")]
        assert [line[1] for line in lines] == [decimal(row.amount) for row in rows]
    with (written / "postings.csv").open(newline="") as file:
        assert [int(row["hundredths"]) for row in csv.DictReader(file)] == [row.amount for row in rows]
    assert decimal(-5) == "-0.05"


def test_we_come_to_the_balances_to_the_last_hundredth(written: Path) -> None:
    assert run(OURS, written).balances == balances(COUNT)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_so_does_every_other_program_that_is_there(name: str, written: Path) -> None:
    try:
        PROGRAMS[name].version()
    except Absent as reason:
        pytest.skip(str(reason))
    assert run(PROGRAMS[name], written).balances == balances(COUNT)
