# SPDX-License-Identifier: Apache-2.0
"""Verification of a long dossier against the raw rate of the signature library, on one core and on all."""

from __future__ import annotations

import time
from typing import Any

from bench import floors
from bench.journals import absorb, leaves, two_parties
from servanda.operations import parallel
from servanda.operations.bundles import export_bundle
from servanda.operations.founding import fingerprint
from servanda.operations.verifying import verify_bundle


def measure(entries: int = 100_000) -> dict[str, Any]:
    """Verify a dossier with `entries` entries of two signatures."""
    world = two_parties()
    exporter = world.centres["ash"]
    absorb(exporter, list(leaves(exporter, entries)))
    bundle = export_bundle(exporter, "dossier")
    pinned = {party: fingerprint(exporter, party) or "" for party in world.centres}
    count = sum(state.size for state in exporter.record.journals.values())
    found = {"entries": count, "bundle, MB": round(len(bundle) / 1e6, 1)}
    chunk = parallel.CHUNK
    for name, size in (("one core", count + 1), ("all cores", chunk)):
        raw = floors.verify_seconds() if name == "one core" else floors.verify_seconds_all_cores()
        parallel.CHUNK = size  # with fewer leaves than a chunk no thread is started
        begun = time.perf_counter()
        report = verify_bundle(bundle, pinned)
        taken = time.perf_counter() - begun
        assert report.verified, report.wrong
        found[f"entries verified per second, {name}"] = round(count / taken)
        found[f"signatures verified / raw rate, {name}"] = round(2 * count * raw / taken, 2)
    parallel.CHUNK = chunk
    return found


if __name__ == "__main__":
    print(measure())
