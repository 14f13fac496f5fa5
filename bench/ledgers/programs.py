# SPDX-License-Identifier: Apache-2.0
"""The programs, each run as a process of its own on its own file: balances, seconds, memory, version."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
BEANCOUNT = """
import json, sys
from beancount import loader
from beancount.core import data
entries, errors, _ = loader.load_file(sys.argv[1])
assert not errors, errors[:3]
sums = {}
for entry in entries:
    if isinstance(entry, data.Transaction):
        for posting in entry.postings:
            sums[posting.account] = sums.get(posting.account, 0) + posting.units.number
print(json.dumps({account: int(amount * 100) for account, amount in sums.items() if amount}))
"""


class Absent(Exception):
    """A program is not there; the reason says what to install."""


class Ran(NamedTuple):
    """One run of a program."""

    seconds: float
    processor: float
    """Seconds of processor time, on all cores."""
    mebibytes: float
    balances: dict[str, int]
    told: str
    """What it said on the standard error."""


class Program(NamedTuple):
    """A program beside which we are measured."""

    version: Callable[[], str]
    command: Callable[[Path], list[str]]
    balances: Callable[[str], dict[str, int]]
    does: str


def run(program: Program, folder: Path) -> Ran:
    """Run a program once. Memory is the greatest resident set of the process or of one that it waited for."""
    out, err = folder / "out", folder / "err"
    environment = {**os.environ, "BEANCOUNT_DISABLE_LOAD_CACHE": "1", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    with out.open("wb") as stdout, err.open("wb") as stderr:
        begun = time.perf_counter()
        process = subprocess.Popen(program.command(folder), stdout=stdout, stderr=stderr, env=environment, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Absent(f"status {process.returncode}: {err.read_text()[-300:]}")
    processor = usage.ru_utime + usage.ru_stime
    return Ran(seconds, processor, usage.ru_maxrss / 1024, program.balances(out.read_text()), err.read_text())


def _tool(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Absent(f"Debian's package {package} is not installed")
    return found


def _said(command: list[str], pattern: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    match = re.search(pattern, done.stdout + done.stderr)
    return match[1] if match else "?"


def _hundredths(text: str) -> int:
    return int(Decimal(text.replace(",", "").split()[0]) * 100)


def _of_csv(text: str) -> dict[str, int]:
    rows = csv.reader(io.StringIO(text, newline=""))
    next(rows)
    return {row[0]: _hundredths(row[1]) for row in rows if row and row[0] != "total"}


def _of_tabs(text: str) -> dict[str, int]:
    found = {}
    for line in text.splitlines():
        account, _, amount = line.partition("\t")
        if account.startswith("Assets:"):
            found[account] = _hundredths(amount)
    return {account: amount for account, amount in found.items() if amount}


def _beancount_python() -> str:
    python = os.environ.get("BEANCOUNT_PYTHON")
    if not python:
        raise Absent("BEANCOUNT_PYTHON names no interpreter of an environment with beancount")
    return python


PROGRAMS: dict[str, Program] = {
    "hledger": Program(
        lambda: _said([_tool("hledger", "hledger"), "--version"], r"hledger ([\d.]+)"),
        lambda folder: [
            *(_tool("hledger", "hledger"), "-f", str(folder / "postings.journal"), "balance"),
            *("--flat", "-N", "-O", "csv"),
        ],
        _of_csv,
        "parses the journal, checks that transactions balance, prints all balances",
    ),
    "ledger": Program(
        lambda: _said([_tool("ledger", "ledger"), "--version"], r"Ledger ([\d.]+)"),
        lambda folder: [
            *(_tool("ledger", "ledger"), "-f", str(folder / "postings.journal"), "balance", "--flat", "--no-total"),
            *("--balance-format", "%(account)\t%(display_total)\n"),
        ],
        _of_tabs,
        "the same",
    ),
    "beancount": Program(
        lambda: _said(
            [_beancount_python(), "-c", "import importlib.metadata as m; print(m.version('beancount'))"], r"([\d.]+)"
        ),
        lambda folder: [_beancount_python(), "-c", BEANCOUNT, str(folder / "postings.beancount")],
        lambda text: dict(json.loads(text)),
        "loads and validates the file without its cache, sums the postings in Python",
    ),
}
OURS = Program(
    lambda: "",
    lambda folder: [sys.executable, "-m", "bench.ledgers.ours", str(folder)],
    lambda text: dict(json.loads(text)),
    "founds two centres; reads and checks the CSV, seals it on disk with a salted leaf for each row, signs its root "
    "with two officers' keys into a synced store; sums what is stored, and checks that transactions balance",
)
