# SPDX-License-Identifier: Apache-2.0
"""The same message through Servanda and through other systems, in one run, on loopback.

`.venv/bin/python -m bench.peers.run [--write FILE]`. What is needed beside Servanda: Debian's `nats-server` and `nncp`,
`node` and `npm`, and the packages `medallion` and `nats-py` (`uv pip install medallion nats-py`). What is missing is
left out and named. Servanda is measured before and after the others, so that a machine that slows down shows.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from pathlib import Path

from bench import latency
from bench.floors import ranked
from bench.peers.systems import SYSTEMS, Absent, Measured
from servanda import __version__

COUNTS = {"git, signed commit and push": 30, "NNCP": 10}
HEAD = """# Beside other systems

Made by `.venv/bin/python -m bench.peers.run --write docs/reference/peers.md`; its first lines say what it needs.
One message of 1 KiB, sent when the one before has arrived, on loopback, on one machine, in one run. The systems do not
promise the same, and the table says what each does before it answers: none of the others hands back a receipt that a
third party can check, or asks for a second person. Where we are slower stands there too.

"""


def measure() -> tuple[list[tuple[str, Measured]], list[tuple[str, str]]]:
    """Everything that can be measured here, and what cannot, with the reason."""
    settings = "two centres, two processes, TLS 1.3; two signers; flushed on both sides; a receipt, verified and kept"
    ours = [("Servanda, before", Measured(__version__, settings, latency.taken(), latency.per_second()))]
    absent = []
    for name, system in SYSTEMS.items():
        try:
            with tempfile.TemporaryDirectory() as folder:
                ours.append((name, system(Path(folder), COUNTS.get(name, 300))))
        except Absent as reason:
            absent.append((name, str(reason)))
    ours.append(("Servanda, after", Measured(__version__, settings, latency.taken(), latency.per_second())))
    return ours, absent


def page(measured: list[tuple[str, Measured]], absent: list[tuple[str, str]]) -> str:
    """The results as Markdown."""
    ours = min(ranked(found.seconds)[0] for name, found in measured if name.startswith("Servanda"))
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    lines = [HEAD, f"Machine: {machine}.\n\n"]
    lines.append("| system | version | p50, ms | p99, ms | p50 / ours | messages/s | before it answers |\n")
    lines.append("|---|---|---|---|---|---|---|\n")
    for name, found in measured:
        p50, p99 = ranked(found.seconds[len(found.seconds) // 10 :])
        rate = "" if found.per_second is None else f"{found.per_second:.0f}"
        lines.append(
            f"| {name} | {found.version} | {p50 * 1e3:.2f} | {p99 * 1e3:.2f} | {p50 / ours:.1f} | {rate} "
            f"| {found.settings} |\n"
        )
    if absent:
        lines.append("\nNot measured: " + "; ".join(f"{name} ({reason})" for name, reason in absent) + ".\n")
    return "".join(lines)


def main(arguments: list[str]) -> None:
    """Measure, print, and write the page if asked."""
    text = page(*measure())
    print(text)
    if "--write" in arguments:
        Path(arguments[arguments.index("--write") + 1]).write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
