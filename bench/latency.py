# SPDX-License-Identifier: Apache-2.0
"""From release to a durable Ed25519 receipt: two centres, two processes, mutual TLS on loopback, SQLite with full sync.

The floor is what the protocol cannot do without: two flushes, one round trip, four signatures and four verifications.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bench import floors
from servanda.assembly import CHEAP, Founding, Station, found_centre
from servanda.gateway.duty import Duty
from servanda.operations.drafting import Draft, release_draft, submit_draft, write_draft
from tests.rig.packs import lake

OFFICERS = {"desk": ("author",), "chief": ("author", "release"), "duty": ("watch",)}
Result = TypeVar("Result")
SIGNATURES, VERIFICATIONS, FLUSHES = 4, 4, 2


def measure(entries: int = 300) -> dict[str, Any]:
    """Release `entries` entries one after the other, each once the one before is receipted."""
    return _report(taken(entries))


def taken(entries: int = 300, text: int = 300) -> list[float]:
    """Seconds from each release to its receipt, verified and kept; the next is released then.

    A text of 300 characters makes what is signed about 1 KiB.
    """
    return _between_two(lambda duty: _release(duty, entries, text))


def per_second(entries: int = 1000, text: int = 300) -> float:
    """Entries a second when one is released after the other, until the last one is receipted."""
    return _between_two(lambda duty: entries / _burst(duty, entries, text))


def _between_two(work: Callable[[Duty], Result]) -> Result:
    """Do something at a centre whose counterpart is on duty in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        homes = _found(Path(folder))
        environment = {**os.environ, "SERVANDA_PASSPHRASE": "bench"}
        other = subprocess.Popen(
            [sys.executable, "-m", "servanda", "serve", "--home", str(homes["birch"])],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        station = Station(homes["ash"], "bench")
        duty = Duty(station)
        try:
            while not (homes["birch"] / "control.sock").exists():
                time.sleep(0.05)
            duty.start()
            return work(duty)
        finally:
            duty.stop()
            station.close()
            other.terminate()
            other.wait()


def _found(folder: Path) -> dict[str, Path]:
    pack, homes, cards = lake(("ash", "birch")), {}, {}
    for party in pack.parties:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        homes[party] = folder / party
        found = found_centre(
            Founding(
                homes[party],
                pack,
                party,
                "bench",
                "bench",
                OFFICERS,
                port=port,
                addresses=(f"https://127.0.0.1:{port}",),
                cost=CHEAP,
            )
        )
        station = Station(homes[party], "bench")
        cards[party] = (msgspec.json.encode(station.card()), found)
        station.close()
    for party, other in (("ash", "birch"), ("birch", "ash")):
        station = Station(homes[party], "bench")
        station.meet(*cards[other])
        station.handle({"command": "draft", "draft": _adopt(pack.digest)})
        station.handle({"command": "submit", "identifier": "d1"})
        station.handle({"command": "release", "identifier": "d1", "officer": "chief"})
        station.close()
    return homes


def _adopt(digest: str) -> dict[str, Any]:
    return {"format": "adopt", "subject": "", "event-at": "2026-01-01", "author": "desk", "content": {"pack": digest}}


def _note(text: int) -> Draft:
    content = {"text": "x" * text}
    return Draft(format="note", subject="s", event_at="2026-01-01", author="desk", content=content, to=("birch",))


def _release(duty: Duty, entries: int, text: int) -> list[float]:
    centre, receipted = duty.station.centre, threading.Event()
    size = {"wanted": 0}

    def note(_party: str, reached: int) -> None:
        if reached >= size["wanted"]:
            receipted.set()

    duty.delivery.on_receipt = note
    while centre.record.in_force(centre.record.whole) is None:
        time.sleep(0.05)
    taken = []
    for _ in range(entries):
        draft = _note(text)
        with centre.lock:
            identifier = write_draft(centre, draft)
            submit_draft(centre, identifier)
            size["wanted"] = centre.journal.size + 1
        receipted.clear()
        begun = time.perf_counter()
        with centre.lock:
            release_draft(centre, identifier, "chief")
        duty.delivery.released()
        assert receipted.wait(10)
        taken.append(time.perf_counter() - begun)
    return taken[len(taken) // 10 :]


def _burst(duty: Duty, entries: int, text: int) -> float:
    centre, receipted = duty.station.centre, threading.Event()
    last = {"size": 0}
    duty.delivery.on_receipt = lambda _party, reached: receipted.set() if reached >= last["size"] > 0 else None
    while centre.record.in_force(centre.record.whole) is None:
        time.sleep(0.05)
    drafts = []
    for _ in range(entries):
        draft = _note(text)
        with centre.lock:
            drafts.append(write_draft(centre, draft))
            submit_draft(centre, drafts[-1])
    last["size"] = centre.journal.size + entries
    begun = time.perf_counter()
    for identifier in drafts:
        with centre.lock:
            release_draft(centre, identifier, "chief")
        duty.delivery.released()
    assert receipted.wait(120)
    return time.perf_counter() - begun


def _report(taken: list[float]) -> dict[str, Any]:
    p50, p99 = floors.ranked(taken)
    flush, trip = floors.flush_seconds(), floors.round_trip_seconds()
    sign, verify = floors.sign_seconds(), floors.verify_seconds()
    floor = FLUSHES * flush + trip + SIGNATURES * sign + VERIFICATIONS * verify
    return {
        "release to kept receipt, ms p50": round(p50 * 1e3, 2),
        "release to kept receipt, ms p99": round(p99 * 1e3, 2),
        "floor, ms": round(floor * 1e3, 2),
        "of which flushes / round trip / signing / verifying, ms": " / ".join(
            f"{part * 1e3:.2f}" for part in (FLUSHES * flush, trip, SIGNATURES * sign, VERIFICATIONS * verify)
        ),
        "p50 / floor": round(p50 / floor, 2),
    }


if __name__ == "__main__":
    print(measure())
