# SPDX-License-Identifier: Apache-2.0
"""What was offered, counted and received, side by side, and what differs at a date (spec/handovers.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from servanda.journal.frame import Place
from servanda.journal.state import Entry
from servanda.journal.statements import Statement
from servanda.journal.threads import Offer
from servanda.registers.handovers.fold import HandoversRegister


class Counted(NamedTuple):
    """One lot of an offer with everybody's number, in the unit's smallest step; None where there is none."""

    lot: str
    unit: str
    stated: int | None
    giver: int | None
    """What the giver counted."""
    receiver: int | None
    """What the receiver counted."""
    received: int | None
    """What the acceptance says."""

    def difference(self, number: int | None) -> int | None:
        """A number less what was stated: positive where there is more."""
        return None if number is None or self.stated is None else number - self.stated


class Difference(NamedTuple):
    """Something that does not fit in a handover."""

    code: str
    entry: Place
    lot: str | None
    owner: str
    sides: tuple[str, str]
    significant: bool | None
    since: date | None = None
    """The day from which a shipment is overdue."""


class Handovers:
    """The handovers of a register that has caught up, read at a date."""

    def __init__(
        self, register: HandoversRegister, at: date, kinds: Mapping[str, str], without: Collection[Place] = ()
    ) -> None:
        """Read the register.

        Args:
            register: caught up.
            at: T.
            kinds: the kind of each lot, by its name, as far as it is known: the threshold depends on it.
            without: offers that custody has refused.
        """
        self._register, self._record, self._at, self._kinds = register, register.record, at, kinds
        self._offers = [
            (entry, self._record.threads.offers[entry.place])
            for entry in sorted(register.offers, key=lambda entry: entry.place)
            if entry.place not in without
        ]
        self._about: dict[tuple[Place, str], list[Statement]] = {}
        for said in register.statements.of("custody.shipment", "custody.recount"):
            self._about.setdefault((said.frame.refers_to[0].place, said.effect), []).append(said)

    def document(self) -> list[dict[str, Any]]:
        """Every offer of custody with its shipments and counts, by entry."""
        return [
            {
                "entry": str(offer.place),
                "giver": offer.author,
                "lots": [{**row._asdict(), **self._classed(offer, row)} for row in self.counts(entry, offer)],
                "receiver": offer.named[0],
                "shipments": [self._shipment(offer, said) for said in self._said(offer, "custody.shipment")],
                "state": self._state(offer),
                "tables": self._rows(entry, offer),
            }
            for entry, offer in self._offers
        ]

    def _rows(self, entry: Entry, offer: Offer) -> list[dict[str, Any]]:
        """How many rows of each table were offered and received: rows move whole, each under its own name."""
        answered = self._answer(offer)
        offered = entry.frame.content.get("tables", ()) if entry.frame is not None else ()
        taken = answered.get("tables", ()) if answered is not None and answered["extent"] == "part" else offered
        return [
            {
                "offered": one["count"],
                "received": None if answered is None else other["count"],
                "table": one["table"],
            }
            for one, other in zip(offered, taken, strict=True)
        ]

    def _answer(self, offer: Offer) -> dict[str, Any] | None:
        """What the receiver's acceptance says, if there is one."""
        acceptance = offer.acceptances.get(offer.named[0])
        answer = self._record.entry(acceptance.place) if acceptance else None
        return answer.frame.content if answer is not None and answer.frame is not None else None

    def differences(self) -> list[Difference]:
        """Everything that differs, and every statement that the register has refused."""
        found = [
            Difference(f"handovers/{reason}", place, None, place.party, (place.party, place.party), None)
            for place, reason in self._register.statements.refused
        ]
        for entry, offer in self._offers:
            sides = (offer.author, offer.named[0])
            for row in self.counts(entry, offer):
                found += self._of_counts(offer, row, sides)
            found += [
                Difference("shipment-overdue", said.place, None, offer.author, sides, None, self._latest(offer, said))
                for said in self._said(offer, "custody.shipment")
                if self._overdue(offer, said)
            ]
        return found

    def shortages(self) -> dict[str, bool]:
        """Whether what is short is more than the pack's threshold, by the name of the lot in dispute."""
        found = {}
        for entry, offer in self._offers:
            acceptance = offer.acceptances.get(offer.named[0])
            for index, row in enumerate(self.counts(entry, offer)):
                grave = self._significant(offer, row, row.received)
                if acceptance is not None and grave is not None:
                    found[f"{acceptance.place}/{index}"] = grave
        return found

    def counts(self, entry: Entry, offer: Offer) -> Iterator[Counted]:
        """Each lot that an offer names, with both sides' numbers; rows that it selects are in `_rows`."""
        assert entry.frame is not None
        answered = self._answer(offer)
        given, taken = (self._last_counts(offer, party) for party in (offer.author, offer.named[0]))
        for index, item in enumerate(entry.frame.content["lots"]):
            lot, stated = item["lot"], item["quantity"].get("amount")
            received = None
            if answered is not None:
                received = stated if answered["extent"] == "full" else answered["received"][index]["quantity"]["amount"]
            counted = [by[lot][1] if lot in by else None for by in (given, taken)]
            yield Counted(lot, item["quantity"]["unit"], stated, counted[0], counted[1], received)

    def _of_counts(self, offer: Offer, row: Counted, sides: tuple[str, str]) -> Iterator[Difference]:
        giver, receiver = sides
        if row.receiver is None:
            return
        if row.difference(row.receiver):
            said = self._last_counts(offer, receiver)[row.lot][0]
            grave = self._significant(offer, row, row.receiver)
            yield Difference("difference", said.place, row.lot, giver, sides, grave)
        limit = row.receiver if row.stated is None else min(row.receiver, row.stated)
        if row.received is not None and row.received != limit:
            yield Difference("received-differs", offer.acceptances[receiver].place, row.lot, receiver, sides, None)

    def _said(self, offer: Offer, effect: str) -> list[Statement]:
        return self._about.get((offer.place, effect), [])

    def _last_counts(self, offer: Offer, party: str) -> dict[str, tuple[Statement, int]]:
        """Each lot's last recount by a party."""
        return {
            item["lot"]: (said, item["quantity"]["amount"])
            for said in self._said(offer, "custody.recount")
            if said.party == party
            for item in said.content["counts"]
        }

    def _significant(self, offer: Offer, row: Counted, number: int | None) -> bool | None:
        if number is None or row.stated is None:
            return None
        return self._record.judged_pack(offer).significant(self._kinds.get(row.lot, ""), row.stated, number)

    def _classed(self, offer: Offer, row: Counted) -> dict[str, Any]:
        """The difference that counts, of what was received or else of what the receiver counted, and its class."""
        number = row.received if row.received is not None else row.receiver
        found, grave = row.difference(number), self._significant(offer, row, number)
        return {"class": ("significant" if grave else "minor") if found else None, "difference": found}

    def _state(self, offer: Offer) -> str:
        record, whole = self._record, self._record.whole
        if record.threads.refused(offer, whole):
            return "refused"
        if record.lapsed(offer, whole):
            return "lapsed"
        if record.effective(offer, whole):
            return "received"
        return "accepted, not settled" if record.threads.accepted(offer, whole) else "on its way"

    def _overdue(self, offer: Offer, said: Statement) -> bool:
        """Whether nobody has answered and the shipment is late: nothing returns by that, nothing is taken as lost."""
        return self._state(offer) == "on its way" and self._at > self._latest(offer, said)

    def _latest(self, offer: Offer, said: Statement) -> date:
        """The last day on which a shipment may arrive without being overdue."""
        days = self._record.judged_pack(offer).shipment_days or 0
        return date.fromisoformat(said.content["expected"]) + timedelta(days)

    def _shipment(self, offer: Offer, said: Statement) -> dict[str, Any]:
        return {
            "carrier": said.content["carrier"],
            "entry": str(said.place),
            "expected": said.content["expected"],
            "overdue": self._overdue(offer, said),
            "seals": list(said.content["seals"]),
        }
