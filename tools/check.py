# SPDX-License-Identifier: Apache-2.0
"""Everything the gate checks, one after the other; the first failure ends it. `./run check` calls this.

Arguments are names of checks to run; all of them if none is given.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = ROOT / ".venv" / "bin"
PLACES = ("src", "tests", "tools", "bench", "verifier", "vectors")

CHECKS: dict[str, list[str]] = {
    "format": [str(BIN / "ruff"), "format", "--check", "--quiet", *PLACES],
    "lint": [str(BIN / "ruff"), "check", "--quiet", *PLACES],
    "types": [str(BIN / "mypy")],
    "imports": [str(BIN / "lint-imports")],
    "limits": [sys.executable, "tools/tidy.py"],
    "vectors": [sys.executable, "vectors/generate.py", "--check"],
    "tests": [str(BIN / "pytest"), "-n", "2", "--dist", "worksteal"],
}


def main(names: list[str]) -> int:
    """Run the named checks in order; returns the exit status."""
    for name in names or list(CHECKS):
        begun = time.monotonic()
        done = subprocess.run(CHECKS[name], cwd=ROOT, check=False)
        print(f"{name}: {'ok' if done.returncode == 0 else 'FAILED'} ({time.monotonic() - begun:.0f} s)", flush=True)
        if done.returncode:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
