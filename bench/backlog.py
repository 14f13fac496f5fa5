# SPDX-License-Identifier: Apache-2.0
"""A counterpart returns to a long backlog: how soon the newest flash alert is receipted, and what memory it all takes.

Two centres, two processes, mutual TLS on loopback, SQLite with full sync. What the record itself takes in memory is
measured apart, so that what delivery needs beside it can be seen.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.latency import _found
from servanda.assembly import Station
from servanda.gateway.duty import Duty
from servanda.operations.advancing import advances_document
from servanda.operations.drafting import Draft, send_alone
from servanda.operations.receipts import receipted_size

MIB = 1024


def measure(alerts: int = 10_000) -> dict[str, Any]:
    """Queue alerts while the other side is away, the last one flash; then let it return."""
    with tempfile.TemporaryDirectory() as folder:
        homes = _found(Path(folder))
        _meet(homes)
        begun = time.perf_counter()
        number = _queue(homes["ash"], alerts)
        queued = time.perf_counter() - begun
        station = Station(homes["ash"], "bench")
        opened, other = _peak(), _serve(homes["birch"])
        duty = Duty(station)
        try:
            fresh = _peak(other.pid)
            begun = time.perf_counter()
            duty.start()
            ahead = _until(station, lambda: number in station.store.advance_receipts("birch"), begun)
            with station.centre.lock:
                first = receipted_size(station.centre, "birch")
                shown = advances_document(station.centre)["sent"]
            whole = _until(station, lambda: receipted_size(station.centre, "birch") >= number, begun)
            sender, receiver = _peak(), _peak(other.pid)
        finally:
            duty.stop()
            station.close()
            other.terminate()
            other.wait()
        same, held = _compare(homes, number)
        return {
            "alerts queued": alerts,
            "queueing one alert, ms": round(queued / alerts * 1e3, 2),
            "flash alert receipted in advance, ms after the start": round(ahead * 1e3),
            "entries receipted in place then": first,
            "shown to be ahead of": shown[0]["ahead-of"] if shown else 0,
            "everything receipted in place, s": round(whole, 1),
            "both journals byte for byte alike": same,
            "held in advance afterwards": held,
            "sender: peak with the record open / after delivery, MiB": f"{opened // MIB} / {sender // MIB}",
            "receiver: peak empty / after delivery, MiB": f"{fresh // MIB} / {receiver // MIB}",
            "receiver opened anew with the same record: peak, MiB": _reopened(homes["birch"]) // MIB,
        }


def _meet(homes: dict[str, Path]) -> None:
    """Both hold the other's adoption, as if a courier had brought it."""
    stations = {party: Station(home, "bench") for party, home in homes.items()}
    for one, other in (("ash", "birch"), ("birch", "ash")):
        data = stations[one].handle({"command": "export", "purpose": "courier"})
        stations[other].handle({"command": "import", "data": data})
    for station in stations.values():
        station.close()


def _queue(home: Path, alerts: int) -> int:
    """Release the alerts in a process of their own, which is gone when they are counted; the number of the last."""
    code = f"from bench.backlog import queue; queue({str(home)!r}, {alerts})"
    subprocess.run([sys.executable, "-c", code], check=True)
    station = Station(home, "bench")
    size = station.centre.journal.size
    station.close()
    return size


def queue(home: str, alerts: int) -> None:
    """Release `alerts` alerts, the last one of precedence flash."""
    station = Station(Path(home), "bench")
    for index in range(alerts):
        precedence = "flash" if index == alerts - 1 else "routine"
        content = {"text": f"{index} " + "x" * 300}
        send_alone(
            station.centre,
            Draft(
                format="alert",
                subject="s",
                event_at="2026-01-01",
                author="duty",
                content=content,
                to=("birch",),
                precedence=precedence,
            ),
        )
    station.close()


def _serve(home: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "SERVANDA_PASSPHRASE": "bench"}
    process = subprocess.Popen([sys.executable, "-m", "servanda", "serve", "--home", str(home)], env=environment)
    while not (home / "control.sock").exists():
        time.sleep(0.05)
    return process


def _until(station: Station, condition: Callable[[], bool], begun: float) -> float:
    while True:
        with station.centre.lock:
            if condition():
                return time.perf_counter() - begun
        time.sleep(0.005)
        assert time.perf_counter() - begun < 300


def _peak(pid: int | None = None) -> int:
    """The greatest resident size that a process has had, in KiB."""
    for line in Path(f"/proc/{pid or 'self'}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1])
    raise LookupError("no VmHWM")


def _reopened(home: Path) -> int:
    other = _serve(home)
    peak = _peak(other.pid)
    other.terminate()
    other.wait()
    return peak


def _compare(homes: dict[str, Path], number: int) -> tuple[bool, int]:
    stations = {party: Station(home, "bench") for party, home in homes.items()}
    same = stations["ash"].store.leaves("ash", 1, number) == stations["birch"].store.leaves("ash", 1, number)
    held = len(stations["birch"].centre.advances)
    for station in stations.values():
        station.close()
    return same, held


if __name__ == "__main__":
    print(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
