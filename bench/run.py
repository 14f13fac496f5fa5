# SPDX-License-Identifier: Apache-2.0
"""All measurements in one run: `.venv/bin/python -m bench.run [--quick] [--write FILE]`.

Machines differ and stall: only medians of short operations and ratios within one run mean anything.
"""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import backlog, dialogue, dossier, growth, latency, receive, tables

HEAD = """# Measurements

Made by `.venv/bin/python -m bench.run --write docs/reference/measurements.md`; run it on your own machine.
What counts are the ratios: floor and figure are from the same run. Settings: entries of about 1 KiB with two
Ed25519 signatures, both verified; SQLite in WAL mode with full sync; TLS 1.3 with both sides pinned; loopback.
The floor of a receipt is two flushes, one TLS round trip, four signatures and four verifications.

"""
TITLES = {
    "latency": "From release to a durable receipt, verified and kept by the sender",
    "receive": "Receiving in batches of 100, into SQLite",
    "backlog": "A counterpart returns to a backlog whose last entry is a flash alert",
    "dossier": "Verifying a dossier (`servanda verify`)",
    "growth": "As a journal grows",
    "tables": "A declaration of the world's chemical munitions and containers as one table (CSV in, sealed, kept)",
    "dialogue": "Pages of a centre with 200 agreements, in a warm process",
}


def measure(quick: bool) -> dict[str, dict[str, Any]]:
    """Everything; a tenth of it if `quick`."""
    scale = 10 if quick else 1
    return {
        "latency": latency.measure(entries=300 // scale + 30),
        "receive": receive.measure(entries=10_000 // scale),
        "backlog": backlog.measure(alerts=10_000 // scale),
        "dossier": dossier.measure(entries=100_000 // scale),
        "growth": growth.measure([1_000, 10_000, 100_000, *([] if quick else [1_000_000])]),
        "dialogue": dialogue.measure(entries=100_000 // scale),
        "tables": tables.measure(tables.WORLD // scale),
    }


def page(results: dict[str, dict[str, Any]]) -> str:
    """The results as Markdown."""
    lines = [HEAD]
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    lines.append(f"Machine: {machine}; cryptography {version('cryptography')}, apsw {version('apsw')}.\n")
    for name, rows in results.items():
        lines.append(f"\n## {TITLES[name]}\n\n| what | measured |\n|---|---|\n")
        lines += [f"| {key} | {value} |\n" for key, value in rows.items()]
    return "".join(lines)


def main(arguments: list[str]) -> None:
    """Measure, print, and write the page if asked."""
    text = page(measure("--quick" in arguments))
    print(text)
    if "--write" in arguments:
        Path(arguments[arguments.index("--write") + 1]).write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
