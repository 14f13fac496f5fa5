# SPDX-License-Identifier: Apache-2.0
"""The handovers fold: shipments announced, lots counted (spec/handovers.md, Effects)."""

from __future__ import annotations

from servanda.agreement.pack import Pack
from servanda.journal.frame import Frame
from servanda.journal.record import Record
from servanda.journal.refusal import Refused
from servanda.journal.state import Entry
from servanda.journal.statements import Statement, Statements
from servanda.journal.threads import Offer


class HandoversRegister:
    """What is on its way and what was counted. Call `catch_up` after the record has judged more entries."""

    def __init__(self, record: Record) -> None:
        """Start empty; nothing of the record is folded yet."""
        self.record = record
        self.statements = Statements(record, ("custody.shipment", "custody.recount"), _rule)
        self.offers: list[Entry] = []
        """Every offer of custody, in the order in which it was judged."""
        self.position = 0

    def catch_up(self) -> None:
        """Fold every entry of the record's log that has not been folded yet."""
        self.statements.catch_up()
        for entry in self.record.log[self.position :]:
            if self.record.effect_of(entry) == "custody.offer":
                self.offers.append(entry)
        self.position = len(self.record.log)

    def check(self, entry: Entry) -> Refused | None:
        """Why an admissible entry would have no effect here, or None. Nothing is changed."""
        return self.statements.check(entry)


def _rule(record: Record, pack: Pack, statement: Statement) -> None:
    offer, frame = _offer(record, statement)
    if statement.effect == "custody.shipment":
        _check_shipment(record, statement, offer)
    else:
        _check_recount(pack, statement, offer, frame)


def _offer(record: Record, statement: Statement) -> tuple[Offer, Frame]:
    """The offer of custody that a statement refers to first; step 5 has seen that it is in the past."""
    entry = record.entry(statement.frame.refers_to[0].place) if statement.frame.refers_to else None
    if entry is None or entry.frame is None or record.effect_of(entry) != "custody.offer":
        raise Refused("no-offer", "a shipment or a recount refers first to the offer of custody that it is about")
    return record.threads.offers[entry.place], entry.frame


def _check_shipment(record: Record, statement: Statement, offer: Offer) -> None:
    if statement.party != offer.author:
        raise Refused("not-giver", f"{offer.author} offers what is shipped, and announces the shipment")
    past = statement.entry.past
    if record.threads.refused(offer, past) or record.lapsed(offer, past) or record.effective(offer, past):
        raise Refused("not-open", f"the offer {offer.place} is no longer open")


def _check_recount(pack: Pack, statement: Statement, offer: Offer, frame: Frame) -> None:
    if statement.party not in offer.signatories:
        raise Refused("not-side", f"{offer.place} is neither by {statement.party} nor to it")
    offered = {item["lot"]: item["quantity"] for item in frame.content["lots"]}
    seen: set[str] = set()
    differs = False
    for item in statement.content["counts"]:
        lot, counted = item["lot"], item["quantity"]
        if lot not in offered:
            raise Refused("not-offered", f"{lot} is not among the lots of {offer.place}")
        if lot in seen:
            raise Refused("twice", f"{lot} is counted twice")
        if counted["unit"] != offered[lot]["unit"]:
            raise Refused("unit", f"{lot} is offered in {offered[lot]['unit']}, not in {counted['unit']}")
        if counted["basis"] != "stated":
            raise Refused("not-counted", f"the count of {lot} is stated, or there is none")
        seen.add(lot)
        differs = differs or counted["amount"] != offered[lot].get("amount", counted["amount"])
    reason = statement.content.get("reason")
    if pack.reasons and (reason not in pack.reasons if reason is not None else differs):
        raise Refused("reason", f"a count that differs has a `reason`, one of {', '.join(sorted(pack.reasons))}")
