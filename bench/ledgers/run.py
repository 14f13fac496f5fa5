# SPDX-License-Identifier: Apache-2.0
"""The same postings through us and through hledger, ledger and beancount, each as a process of its own.

`.venv/bin/python -m bench.ledgers.run [--quick] [--write FILE]`. What is needed: Debian's `hledger` and `ledger`, and
beancount in an environment of its own, whose interpreter `BEANCOUNT_PYTHON` names. What is missing is left out and
named. Each program reads the same set in its own syntax; all must come to the same balances, to the last unit.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from bench.ledgers.postings import balances, write_all
from bench.ledgers.programs import OURS, PROGRAMS, Absent, Program, Ran, run
from servanda import __version__

COUNTS = (100_000, 1_000_000)
HEAD = """# Beside plain-text ledgers

Made by `.venv/bin/python -m bench.ledgers.run --write docs/reference/ledgers.md`; its first lines say what it needs.
One set of postings from a seed: two to a transaction, 4,000 accounts, one commodity. Each program reads it in its own
syntax, as a process of its own, from the start of the process to its end; ours is run before and after the others, and
the slower run counts. Where other work runs on the machine, processor time says more than the clock. All balances were
the same to the last hundredth, or it says so. Memory is the greatest resident set.

The programs do not promise the same. hledger, ledger and beancount are ledgers for people: they parse a text made to be
written by hand, know prices, lots and dates of their own, and print reports. None of them signs or proves anything. We
read a CSV file, and can prove every row of it afterwards. Where we are slower stands there too.

"""


def measure(count: int) -> tuple[list[tuple[str, str, Program, Ran | None, str]], bool]:
    """Name, version, program, its run (the slower of two for us) or the reason why there is none; whether all agree."""
    expected, found = balances(count), []
    with tempfile.TemporaryDirectory(prefix="ledgers-") as name:
        folder = Path(name)
        write_all(folder, count)
        first = _ours(folder)
        for title, program in PROGRAMS.items():
            try:
                found.append((title, program.version(), program, run(program, folder), ""))
            except (Absent, OSError) as reason:
                found.append((title, "", program, None, " ".join(str(reason).split())))
        ours = max(first, _ours(folder), key=lambda ran: ran.seconds)
        found.insert(0, ("Servanda", __version__, OURS, ours, ""))
    agreed = all(ran is None or ran.balances == expected for _, _, _, ran, _ in found)
    return found, agreed


def _ours(folder: Path) -> Ran:
    for left in ("tables", "record.db", "record.db-wal", "record.db-shm"):
        path = folder / left
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return run(OURS, folder)


def page(counts: tuple[int, ...]) -> str:
    """The results as Markdown."""
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    lines = [HEAD]
    for count in counts:
        load = os.getloadavg()[0]
        found, agreed = measure(count)
        lines.append(f"## {count:,} postings\n\n")
        lines.append(f"{machine}; load average {load:.1f} before, {os.getloadavg()[0]:.1f} after. ")
        lines.append("All balances are the same.\n\n" if agreed else "BALANCES DIFFER.\n\n")
        lines.append("| program | version | seconds | times ours | processor, s | times ours | postings/s ")
        lines.append("| memory, MiB | what it does |\n")
        lines.append("|---|---|---|---|---|---|---|---|---|\n")
        ours = found[0][3]
        assert ours is not None
        for title, version, program, ran, reason in found:
            if ran is None:
                lines.append(f"| {title} | | not measured: {reason} | | | | | | |\n")
                continue
            lines.append(
                f"| {title} | {version} | {ran.seconds:.2f} | {ran.seconds / ours.seconds:.1f} "
                f"| {ran.processor:.2f} | {ran.processor / ours.processor:.1f} "
                f"| {count / ran.seconds:,.0f} | {ran.mebibytes:,.0f} | {program.does} |\n"
            )
        told = json.loads(ours.told.strip().splitlines()[-1])
        parts = ", ".join(f"{name} {told[name]:.2f} s" for name in ("found", "seal", "sign", "balance"))
        lines.append(f"\nOf ours: {parts}; the rest is the start of the interpreter.\n\n")
    return "".join(lines)


def main(arguments: list[str]) -> None:
    """Measure, print, and write the page if asked."""
    text = page((20_000,) if "--quick" in arguments else COUNTS).rstrip("\n") + "\n"
    print(text)
    if "--write" in arguments:
        Path(arguments[arguments.index("--write") + 1]).write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
