# SPDX-License-Identifier: Apache-2.0
"""A stockpile of the world's size, from its declaration to the verified dossier, between real centres.

The rows are made from a seed; the pack is data (`examples/world-stockpile/pack`). Each phase is timed beside its floor:
what the same bytes cost a program that does nothing else. Everything has status `exercise`.
"""

from __future__ import annotations

import base64
import random
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from servanda.assembly import read_clock, read_pack
from servanda.assembly.tables import (
    balances_by,
    export_table,
    import_table,
    rows_of_serial,
    seal_into,
    tables_at,
    value_of_row,
)
from servanda.cli import stockfloors as floors
from servanda.cli.centres import Centres, Step, patiently
from servanda.cli.stockrows import Declared, Ranges, count_of, selection, without
from servanda.operations.verifying import verify_bundle
from servanda.proof.tables import verify_row

PIECES = 8_670_000
"""Munitions and containers: the size of the world's declared chemical stockpile."""
ONE_SHORT_IN = 1000
CUSTODIAN, DEPOT = "custodian", "custody-depot"


class Phase(NamedTuple):
    """One phase: what was done, how long it took, and its floor, both in seconds; None where nothing compares."""

    name: str
    what: str
    seconds: float
    floor: float | None
    floor_is: str


class Stockpile:
    """The whole demonstration, one method a phase."""

    def __init__(self, base: Path, example: Path, pieces: int, seed: int) -> None:
        """Read the pack; nothing is made yet."""
        self.base, self.pieces, self.seed = base, pieces, seed
        self.centres = Centres(base, read_pack(example / "pack"))
        self.pack = self.centres.pack
        self.declarers = [party for party in self.pack.parties if party != CUSTODIAN]
        self.sites = [place for place in self.pack.places if place != DEPOT]
        self.kinds = list(self.pack.items)
        self.declared: dict[str, Declared] = {}
        self.received: dict[str, Ranges] = {}
        self.phases: list[Phase] = []
        self.begun = read_clock()
        self.dossier = base / "dossier.servanda"
        self.chance = random.Random(seed)  # noqa: S311 - a worked example that anyone can repeat

    @contextmanager
    def phase(self, name: str) -> Iterator[Callable[..., None]]:
        """Time a block; what it yields says what was done, and the floor."""
        said: list[Any] = ["", None, ""]

        def tell(what: str, floor: float | None = None, floor_is: str = "") -> None:
            said[:] = what, floor, floor_is

        begun = time.perf_counter()
        yield tell
        taken = time.perf_counter() - begun
        self.phases.append(Phase(name, said[0], taken, said[1], said[2]))

    def start(self, step: Step) -> None:
        """Make all centres, introduce them, put them on duty, and let them adopt the pack."""
        self.centres.found(step)
        self.centres.introduce()
        self.centres.start(step)

    def adopt(self, step: Step) -> None:
        """All parties adopt the pack."""
        self.centres.adopt(step, self.begun[:10], self.instant())

    def generate(self, step: Step) -> None:
        """Write the inventory of each declarer to a CSV file."""
        each, more = divmod(self.pieces, len(self.declarers))
        for number, party in enumerate(self.declarers):
            step(f"{party}: inventory")
            sites = self.sites[number :: len(self.declarers)]
            rows = each + (number < more)
            floors.make_rows(self.base / f"{party}.csv", party[-1].upper(), rows, sites, self.kinds, self.seed)

    def declare(self, step: Step) -> None:
        """Seal each inventory into a table and declare it in one signed entry."""
        with self.phase("declared and sealed") as tell:
            for party in self.declarers:
                step(f"{party}: seals and declares")
                made, content = seal_into(
                    self.centres.home(party), self.base / f"{party}.csv", self.pack.data, "declaration"
                )
                self.centres.ask(party, "table-backed-up", root=made.facts.root, to="kept for this exercise only")
                entry = self.enter(party, "declaration", "Declaration of all pieces held", content)
                self.declared[party] = Declared(entry, made.facts.root, made.facts.rows, content["groups"])
            tell(f"{self.pieces:,} rows in {len(self.declarers)} tables")
        parse = sum(floors.parsing(self.base / f"{party}.csv") for party in self.declarers)
        self.phases[-1] = self.phases[-1]._replace(
            floor=parse + floors.hashing(self.pieces), floor_is="parsing the files and hashing the rows, one core"
        )

    def hand_rows(self, step: Step) -> None:
        """Hand rows and secrets to the custodian, whose centre derives every root anew."""
        copied = 0.0
        with self.phase("rows handed to the custodian") as tell:
            size = 0
            for party, declared in self.declared.items():
                step(f"{party}: rows to the custodian")
                file = self.base / f"{party}.servanda-table"
                export_table(self.centres.home(party), declared.root, file)
                import_table(self.centres.home(CUSTODIAN), file, declared.root, ())
                size += file.stat().st_size
                copied += floors.copying(file, file.with_suffix(".copy"))
                file.unlink()
            entries = [declared.entry for declared in self.declared.values()]
            patiently(partial(self.centres.ask, CUSTODIAN, "table-held", entries=entries))
            tell(f"{size / 2**20:,.0f} MiB, every root derived anew")
        last = self.phases[-1]
        floor = copied + floors.hashing(self.pieces)
        self.phases[-1] = last._replace(seconds=last.seconds - copied, floor=floor, floor_is="copying and hashing")

    def hand_over(self, step: Step) -> None:
        """A quarter of everything is offered to the custodian, who accepts what came: one in a thousand is short."""
        with self.phase("a quarter handed over") as tell:
            offered = short = 0
            for party, declared in self.declared.items():
                step(f"{party}: consignment")
                ranges = declared.part(0, 1, 4)
                rows = [row for first, last in ranges for row in range(first, last + 1)]
                missing = sorted(self.chance.sample(rows, max(1, len(rows) // ONE_SHORT_IN)))
                self.received[party] = without(ranges, missing)
                content = {
                    "lots": [],
                    "place": DEPOT,
                    "receiver": CUSTODIAN,
                    "tables": [selection(declared.entry, ranges)],
                }
                offer = self.enter(party, "consignment", "A quarter of what is held", content, named=[CUSTODIAN])
                self.accept(CUSTODIAN, offer, [selection(declared.entry, self.received[party])])
                offered, short = offered + len(rows), short + len(missing)
            tell(f"{offered:,} offered, {short:,} short and in dispute")

    def destroy(self, step: Step) -> None:
        """Half of everything is destroyed: what the custodian received, and as much again by those who hold it."""
        with self.phase("half destroyed under witness") as tell:
            destroyed = 0
            for party, declared in self.declared.items():
                step(f"{party}: destruction")
                ranges = declared.part(1, 2, 4)
                content = self._destruction(selection(declared.entry, ranges), self.sites[0], "disassembly")
                offer = self.enter(party, "destruction", "A quarter, by disassembly", content, named=[CUSTODIAN])
                self.accept(CUSTODIAN, offer)
                content = self._destruction(selection(declared.entry, self.received[party]), DEPOT, "closed-chamber")
                offer = self.enter(
                    CUSTODIAN, "custodian-destruction", f"What {party} handed over", content, named=self.declarers
                )
                self.accept(party, offer)
                destroyed += count_of(ranges) + count_of(self.received[party])
            tell(f"{destroyed:,} pieces")

    def _destruction(self, rows: dict[str, Any], place: str, method: str) -> dict[str, Any]:
        return {"evidence": [], "lots": [], "method": method, "place": place, "residue": [], "tables": [rows]}

    def enter(
        self, party: str, form: str, subject: str, content: dict[str, Any], named: list[str] | None = None, **more: Any
    ) -> str:
        """Two officers: one drafts, the other releases; returns the entry's place."""
        draft = {
            "author": "desk-1",
            "content": content,
            "event-at": self.begun[:10],
            "exercise-at": self.instant(),
            "format": form,
            "status": "exercise",
            "subject": subject,
            "to": [other for other in self.pack.parties if other != party],
            **({"named": sorted(named)} if named is not None else {}),
            **more,
        }
        return self.release(party, patiently(partial(self.centres.ask, party, "draft", draft=draft)))

    def release(self, party: str, identifier: str) -> str:
        """A second officer releases a draft; returns the entry's place."""
        self.centres.ask(party, "submit", identifier=identifier)
        asked = partial(self.centres.ask, party, "release", identifier=identifier, officer="release-1")
        return str(patiently(asked)["entry"])

    def accept(self, party: str, offer: str, received: list[dict[str, Any]] | None = None) -> str:
        """A party accepts an offer in full, or in part of its rows."""
        content: dict[str, Any] = {"condition": None, "extent": "full", "received": []}
        if received is not None:
            content = {**content, "extent": "part", "reason": "not-on-board", "tables": received}
        return self.enter(party, "accept", "Accepted", content, **{"refers-to": [offer]})

    def instant(self, minutes: int = 0) -> str:
        """Now, or in so many minutes, RFC 3339 UTC."""
        now = datetime.fromisoformat(read_clock()) + timedelta(minutes=minutes)
        return now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    def day(self, days: int) -> str:
        """The date so many days after the beginning."""
        return (datetime.fromisoformat(self.begun) + timedelta(days=days)).date().isoformat()

    def balance(self, step: Step) -> dict[str, Any]:
        """Balances by party, site, kind and state; the life of pieces; a row opened and checked; each timed."""
        home = self.centres.home(CUSTODIAN)
        step("receipts")
        patiently(self.centres.all_receipted, 300)
        data = self.centres.ask(CUSTODIAN, "holdings")
        timed: dict[str, list[float]] = {}
        with self.phase("balanced by party, site, kind and state") as tell:
            by = ["party", "site", "kind", "state"]
            step("balances")
            rows = balances_by(home, data["lots"], data["roots"], by)
            for names in (["party"], ["kind"], ["site"], ["state"], by):
                with timing(timed, "a balance"):
                    balances_by(home, data["lots"], data["roots"], names)
            tell(f"{len(rows)} balances from {len(data['lots']):,} runs of rows")
        files = [tables_at(home).path(declared.root) / "rows.parquet" for declared in self.declared.values()]
        floor = 6 * floors.grouping(files)
        self.phases[-1] = self.phases[-1]._replace(floor=floor, floor_is="the engine's plain group-by of all rows")
        self._look(home, step, timed)
        return {"balances": rows, "times": timed, "discrepancies": data["discrepancies"]}

    def _look(self, home: Path, step: Step, timed: dict[str, list[float]]) -> None:
        """One piece after the other: found by its serial, its life told, its row opened and checked."""
        step("single pieces")
        for declared in self.declared.values():
            for _ in range(5):
                row = self.chance.randrange(declared.rows)
                value = value_of_row(home, declared.root, f"{declared.entry}/{row}")
                assert value is not None
                with timing(timed, "a trace by serial"):
                    found = [[one["root"], one["row"]] for one in rows_of_serial(home, value["serial"]) if one["exact"]]
                    self.centres.ask(CUSTODIAN, "trace", rows=found, serial=value["serial"])
                with timing(timed, "a row opened and checked"):
                    opening = tables_at(home).opening(declared.root, row)
                    verify_row(opening, bytes.fromhex(declared.root), declared.rows)

    def conclude(self, step: Step) -> dict[str, Any]:
        """The dossier, verified by `servanda verify` from its bytes."""
        with self.phase("dossier written and verified") as tell:
            step("dossier")
            data = base64.b64decode(self.centres.ask(CUSTODIAN, "export", purpose="dossier"))
            self.dossier.write_bytes(data)
            step("verifying")
            report = verify_bundle(data, self.centres.fingerprints)
            tell(f"{report.entries} entries, {len(data) / 2**20:.1f} MiB")
        return {"verified": report.verified, "entries": report.entries, "wrong": report.wrong}

    def peaks(self) -> dict[str, int]:
        """The greatest resident size of each process, bytes."""
        found = {"this process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
        workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        found["its largest worker"] = workers
        for party in self.pack.parties:
            number = (self.centres.home(party) / "pid").read_text().strip()
            for line in Path(f"/proc/{number}/status").read_text().splitlines():
                if line.startswith("VmHWM"):
                    found[f"centre of {party}"] = int(line.split()[1]) * 1024
        return found


@contextmanager
def timing(found: dict[str, list[float]], name: str) -> Iterator[None]:
    """Keep how many seconds a block took."""
    begun = time.perf_counter()
    yield
    found.setdefault(name, []).append(time.perf_counter() - begun)
