# SPDX-License-Identifier: Apache-2.0
"""The same message through Servanda and through other systems, in one run, on loopback.

`.venv/bin/python -m bench.peers.run [--write FILE]`. What is needed beside Servanda: Debian's `nats-server` and `nncp`,
`git`, `ssh-keygen`, `openssl`, `node` and `npm`, and the packages `medallion` and `nats-py` (`uv pip install medallion
nats-py`). For Matrix, Synapse: the interpreter that `SYNAPSE_PYTHON` names, or Debian's `matrix-synapse`; where neither
has it, the package `matrix-synapse` is installed into a virtual environment that is removed afterwards (some 300 MB, a
minute or two). What is missing is left out and named. Servanda is measured before and after the others, so that a
machine that slows down shows. Nothing is asked of any address but 127.0.0.1, apart from installing packages.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import latency
from bench.floors import ranked
from bench.peers.processes import MESSAGE, Absent, Measured
from bench.peers.systems import SYSTEMS
from servanda import __version__

COUNTS = {
    "git, signed commit and push": 120,
    "NNCP, a call for each message": 20,
    "NNCP, a call held open": 20,
    "Matrix, federated": 50,
}
HEAD = """# Beside other systems

Made by `.venv/bin/python -m bench.peers.run --write docs/reference/peers.md`; its first lines say what it needs.
A text of 1 KiB in whatever envelope the system puts it, sent when the one before has arrived, on loopback, on one
machine, in one run. The systems do not promise the same, and the table says what each does before it answers: none of
the others hands back a receipt that a third party can check, or asks for a second person. Where we are slower stands
there too. The first tenth of the messages is not counted; where fewer than 100 remain, the 99th percentile is the
slowest of them, and says so.

"""


def measure() -> tuple[list[tuple[str, Measured]], list[tuple[str, str]]]:
    """Everything that can be measured here, and what cannot, with the reason."""
    found, absent = [("Servanda, before", _ours())], []
    for name, system in SYSTEMS.items():
        try:
            with tempfile.TemporaryDirectory() as folder:
                measured = system(Path(folder), COUNTS.get(name, 300))
        except (Absent, OSError, LookupError, ValueError, subprocess.SubprocessError) as reason:
            # One that answers otherwise than it should is left out like one that is missing: the others still count.
            absent.append((name, " ".join((str(reason) or repr(reason)).split())))
        else:
            found.append((name, measured._replace(seconds=measured.seconds[len(measured.seconds) // 10 :])))
    return [*found, ("Servanda, after", _ours())], absent


def _ours() -> Measured:
    settings = "two centres, two processes, TLS 1.3; two signers; flushed on both sides; a receipt, verified and kept"
    size = len(MESSAGE)
    return Measured(__version__, settings, latency.taken(text=size), latency.per_second(text=size))


def page(measured: list[tuple[str, Measured]], absent: list[tuple[str, str]], load: str) -> str:
    """The results as Markdown; of the systems' seconds, those that count."""
    ours = min(ranked(found.seconds)[0] for name, found in measured if name.startswith("Servanda"))
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    lines = [HEAD, f"Machine: {machine}; load average {load}.\n\n"]
    lines.append("| system | version | messages | p50, ms | p99, ms | p50 / ours | messages/s | before it answers |\n")
    lines.append("|---|---|---|---|---|---|---|---|\n")
    for name, found in measured:
        p50, p99 = ranked(found.seconds)
        few = " (slowest)" if len(found.seconds) < 100 else ""
        ratio = p50 / ours
        rate = "" if found.per_second is None else f"{found.per_second:.0f}"
        lines.append(
            f"| {name} | {found.version} | {len(found.seconds)} | {p50 * 1e3:.2f} | {p99 * 1e3:.2f}{few} "
            f"| {ratio:.{1 if ratio >= 1 else 2}f} | {rate} | {found.settings} |\n"
        )
    if absent:
        lines.append("\nNot measured: " + "; ".join(f"{name} ({reason})" for name, reason in absent) + ".\n")
    return "".join(lines)


def main(arguments: list[str]) -> None:
    """Measure, print, and write the page if asked."""
    before = os.getloadavg()[0]
    measured, absent = measure()
    text = page(measured, absent, f"{before:.1f} before, {os.getloadavg()[0]:.1f} after")
    print(text)
    if "--write" in arguments:
        Path(arguments[arguments.index("--write") + 1]).write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
