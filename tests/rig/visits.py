# SPDX-License-Identifier: Apache-2.0
"""A lake on which birch inspects ash: declarations by sealed table, draws, findings, in a few words each."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from servanda.agreement.dates import instant_seconds, instant_text
from servanda.journal.state import Entry
from servanda.operations.backups import BACKED_UP
from servanda.operations.drafting import release_draft, submit_draft, write_draft
from servanda.operations.sealing import draft_reveal
from servanda.proof.canonical import decode
from servanda.proof.tables import open_row, table_root
from servanda.registers.inspections.fold import InspectionsRegister
from servanda.registers.inspections.inspection import Plan
from servanda.registers.inspections.views import inspections_document, plan_document
from servanda.verification.selection import ALGORITHM, commitment, draw_id
from tests.rig.inspecting import shore
from tests.rig.world import World

HOUR = 3600


@cache
def _founded(parties: tuple[str, ...]) -> World:
    return World(shore(parties))


def rows_of(count: int, place: str = "store") -> list[dict[str, Any]]:
    return [{"kind": "boat", "place": place, "serial": f"B-{index}"} for index in range(count)]


def secret_of(*parts: object) -> bytes:
    return hashlib.sha256("/".join(map(str, parts)).encode()).digest()


class Visits:
    """One world, with the entries of an inspection. Everybody holds everything unless `cut`."""

    def __init__(self, rows: int = 20, parties: tuple[str, ...] = ("ash", "birch"), **limits: int) -> None:
        self.world = _founded(parties).clone()
        self.secret = secret_of("table")
        self.rows = rows_of(rows)
        self.cut = False
        self.limits = {"draw-minutes": 60, "opening-minutes": 60, "report-days": 5, "comment-days": 10} | limits
        root, _ = table_root(self.secret, self.rows)
        self.root = root.hex()
        table = {"root": self.root, "rows": rows, "secret": None, "servanda-table": 1}
        with self.world.centres["ash"].store.transaction() as writer:
            writer.put_setting(BACKED_UP + self.root, b"a test keeps it")
        self.table = str(self.say("ash", "list", {"text": "boats", "table": table}).place)
        self.secrets: dict[str, bytes] = {}

    def say(self, party: str, form: str, content: dict[str, Any], **members: Any) -> Entry:
        entry = self.world.say(party, form, content, **members)
        self.sync()
        return entry

    def sync(self) -> None:
        if not self.cut:
            self.world.sync()

    def forge(self, party: str, form: str, content: dict[str, Any], **members: Any) -> Entry:
        """An entry by a centre that has been tampered with: it does not ask its own register."""
        self.world.centres[party].inspections.check = lambda entry: None  # type: ignore[method-assign]
        try:
            return self.say(party, form, content, **members)
        finally:
            del self.world.centres[party].inspections.check  # type: ignore[method-assign]

    def mandate(self, *, accepted: bool = True, **changes: Any) -> Entry:
        parties = self.world.pack.parties
        beside = [{"party": party, "side": "inspector"} for party in parties[2:]]
        content = {
            "inspector": "birch",
            "inspected": "ash",
            "beside": beside,
            "places": [],
            "kinds": [],
            "tables": [],
            "from": "2026-01-01",
            "until": "2026-12-31",
            "limits": self.limits,
        }
        others = tuple(party for party in parties if party != "birch")
        offer = self.say("birch", "permit", content | changes, named=others, to=others)
        for party in others if accepted else ():
            full = {"extent": "full", "received": [], "condition": None}
            self.say(party, "accept", full, refers_to=(offer.place,), to=("birch",))
        return offer

    def in_hours(self, hours: float) -> str:
        return instant_text(instant_seconds(self.world.clock()) + int(hours * HOUR))

    def plan_content(self, sample: int = 5, defects: int = 10, **changes: Any) -> dict[str, Any]:
        count = len(self.rows)
        selected = {"count": count, "root": self.root, "rows": [[0, count - 1]], "table": self.table}
        content = {
            "population": {"lots": [], "places": [], "tables": [selected]},
            "sample": sample,
            "defects": defects,
            "miss": "1/2",
            "algorithm": ALGORITHM,
            "begins": "2026-01-02",
            "ends": "2026-01-03",
            "commit-by": self.in_hours(2),
            "reveal-by": self.in_hours(4),
        } | changes
        return {name: value for name, value in content.items() if value is not None}

    def plan(self, mandate: Entry, **changes: Any) -> Entry:
        return self.say("birch", "visit", self.plan_content(**changes), refers_to=(mandate.place,), to=("ash",))

    def planned(self, plan: Entry, at: str = "birch") -> Plan:
        return self.register(at).plans[plan.place]

    def register(self, at: str = "birch") -> InspectionsRegister:
        return self.world.centres[at].inspections

    def commit_content(self, party: str, plan: Entry, secret: bytes, **changes: Any) -> dict[str, Any]:
        terms = self.planned(plan, party).terms
        assert terms is not None
        name = draw_id(terms)
        return {
            "draw": name.hex(),
            "commitment": commitment(name, party, secret).hex(),
            "sample": terms["strata"][0]["sample"],
            "algorithm": ALGORITHM,
            "secret": secret.hex(),
        } | changes

    def commit(self, party: str, plan: Entry, secret: bytes = b"", **changes: Any) -> Entry:
        secret = secret or secret_of(party, plan.place)
        self.secrets[party] = secret
        others = [name for name in self.world.pack.parties if name != party]
        content = self.commit_content(party, plan, secret, **changes)
        return self.say(party, "bind", content, refers_to=(plan.place,), to=others, seal=("secret",))

    def reveal(self, party: str, own: Entry, *, forged: bool = False) -> Entry:
        centre = self.world.centres[party]
        if forged:
            centre.inspections.check = lambda entry: None  # type: ignore[method-assign]
        try:
            identifier = write_draft(centre, draft_reveal(centre, own.place, ("secret",), "desk"))
            submit_draft(centre, identifier)
            entry = release_draft(centre, identifier, "chief")
        finally:
            if forged:
                del centre.inspections.check  # type: ignore[method-assign]
        self.sync()
        return entry

    def drawn(self, mandate: Entry | None = None, **changes: Any) -> Entry:
        """A plan of which the draw is done."""
        plan = self.plan(mandate or self.mandate(), **changes)
        own = {party: self.commit(party, plan) for party in self.world.pack.parties}
        for party, entry in own.items():
            self.reveal(party, entry)
        return plan

    def found(self, plan: Entry, outcomes: dict[str, str]) -> Entry:
        told = [{"item": item, "outcome": o, "evidence": [], "note": ""} for item, o in outcomes.items()]
        return self.say("birch", "seen", {"findings": told}, refers_to=(plan.place,), to=("ash",))

    def opening(self, proved: list[int], **changes: Any) -> dict[str, Any]:
        opened = [decode(open_row(self.secret, self.rows, row)) for row in proved]
        return {"table": self.table, "openings": opened, "rows": []} | changes

    def now(self, hours: float = 0) -> int:
        return instant_seconds(self.in_hours(hours))

    def view(self, plan: Entry, hours: float = 0, at: str = "birch") -> dict[str, Any]:
        return plan_document(self.register(at), self.planned(plan, at), self.now(hours))

    def document(self, hours: float = 0, at: str = "birch") -> dict[str, Any]:
        return inspections_document(self.register(at), self.now(hours))

    def codes(self, at: str = "birch") -> list[str]:
        return [each["code"] for each in self.document(at=at)["discrepancies"]]
