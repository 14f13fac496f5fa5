# SPDX-License-Identifier: Apache-2.0
"""All measurements in one run, as ratios to the floors of this machine: `.venv/bin/python -m bench.run [--quick]`.

Machines differ and stall: only medians of short operations and ratios within one run mean anything.
"""

from __future__ import annotations

import json
import sys

from bench import dossier, floors, growth, latency, receive


def main(quick: bool) -> None:
    """Measure everything and print one JSON document and a table."""
    scale = 10 if quick else 1
    results = {
        "latency": latency.measure(entries=300 // scale + 30),
        "receive": receive.measure(entries=10_000 // scale),
        "dossier": dossier.measure(entries=100_000 // scale),
        "growth": growth.measure([1_000, 10_000, 100_000, *([] if quick else [1_000_000])]),
    }
    print(json.dumps(results, indent=2))
    for name, rows in results.items():
        print(f"\n{name}")
        for key, value in rows.items():
            print(f"  {key:<58} {value}")


if __name__ == "__main__":
    main("--quick" in sys.argv)

__all__ = ["floors", "main"]
