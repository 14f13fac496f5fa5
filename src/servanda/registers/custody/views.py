# SPDX-License-Identifier: Apache-2.0
"""What people see of custody, and the balances document that any other program must compute alike (spec/custody.md)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from servanda.agreement.effects import INTEGER_MAX
from servanda.journal.record import Record
from servanda.journal.threads import Offer
from servanda.proof.canonical import encode
from servanda.registers.custody.fold import CustodyRegister
from servanda.registers.custody.lots import Discrepancy, Figure, Lot, Pool


def balances_document(register: CustodyRegister) -> dict[str, Any]:
    """The balances document of a register that has caught up. All numbers are integers in the unit's smallest step."""
    register.settle()
    lots = [lot for _, lot in sorted(register.holdings.lots.items()) if not lot.ended]
    derived = _derived(lots)
    rows = []
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for lot in lots:
        account = sums[lot.account, lot.quantity.unit]
        amount, basis = lot.quantity.amount, "stated"
        if amount is not None:
            account[0] += amount
        elif lot.name in derived:
            amount, basis = derived[lot.name], "derived"
            account[1] += amount
        else:
            basis = "not-stated"
            account[2] += 1
        rows.append(
            {
                "account": lot.account,
                "amount": amount,
                "basis": basis,
                "kind": lot.kind,
                "lot": str(lot.name),
                "place": lot.place,
                "unit": lot.quantity.unit,
            }
        )
    return {
        "accounts": [
            {"account": account, "derived": _sum(made), "stated": _sum(stated), "unit": unit, "unstated": unknown}
            for (account, unit), (stated, made, unknown) in sorted(sums.items())
        ],
        "discrepancies": [
            {"code": item.code, "entry": str(item.entry), "lot": str(item.lot) if item.lot else None}
            for item in open_discrepancies(register)
        ],
        "lots": rows,
        "servanda-balances": 1,
    }


def _sum(amount: int) -> int | None:
    """A sum as the document states it: null beyond what canonical JSON can say, so that no party can stop the rest."""
    return amount if amount <= INTEGER_MAX else None


def balances_bytes(register: CustodyRegister) -> bytes:
    """Canonical bytes of the balances document."""
    return encode(balances_document(register))


def _derived(lots: list[Lot]) -> dict[Any, int]:
    """Lots that are not stated, but the only such ones of a pool whose total is known: the rest is theirs."""
    pools: dict[int, list[Lot]] = defaultdict(list)
    for lot in lots:
        pools[id(lot.pool)].append(lot)
    found = {}
    for members in pools.values():
        unknown = [lot for lot in members if lot.quantity.amount is None]
        total, stated = members[0].pool.total, _stated(members)
        if len(unknown) == 1 and total is not None and stated <= total:
            found[unknown[0].name] = total - stated
    return found


def _stated(lots: list[Lot]) -> int:
    return sum(lot.quantity.amount for lot in lots if lot.quantity.amount is not None)


def open_discrepancies(register: CustodyRegister) -> list[Discrepancy]:
    """All discrepancies that are open in the whole record, sorted by entry, code and lot."""
    register.settle()
    record, holdings = register.record, register.holdings
    found = {item for item in holdings.discrepancies if item.code != "contested" or item.lot in holdings.lots}
    for lots in holdings.serials.values():
        if len(lots) > 1:
            found.update(Discrepancy(name.place, "duplicate-serial", name) for name in lots.values())
    for lot in holdings.lots.values():
        if lot.account.startswith("disputed/") and not lot.ended:
            found.add(Discrepancy(lot.name.place, "short", lot.name))
    for place in holdings.offers:
        offer = record.threads.offers[place]
        settled = record.threads.accepted(offer, record.whole)
        found.add(Discrepancy(place, "not-settled" if settled else "unanswered", None))
    found.update(_exceeded(holdings.lots.values()))
    return sorted(found, key=lambda item: (item.entry, item.code, item.lot or ()))


def _exceeded(lots: Any) -> list[Discrepancy]:
    pools: dict[int, tuple[Pool, int]] = {}
    for lot in lots:
        if not lot.ended:
            pool, stated = pools.get(id(lot.pool), (lot.pool, 0))
            pools[id(lot.pool)] = (pool, stated + (lot.quantity.amount or 0))
    return [
        Discrepancy(pool.first.place, "pool-exceeded", pool.first)
        for pool, stated in pools.values()
        if pool.total is not None and stated > pool.total
    ]


def figures(register: CustodyRegister) -> list[Figure]:
    """All published figures, each beside the others, by subject, then in the order of their entries."""
    found = [
        Figure(place, place.party, figure)
        for place, (effect, content) in register.holdings.statements.items()
        if effect == "custody.figure"
        for figure in content["figures"]
    ]
    return sorted(found, key=lambda figure: (figure.data["subject"], figure.data["as-of"], figure.entry))


def statements(register: CustodyRegister, effect: str) -> list[tuple[str, dict[str, Any]]]:
    """Content of every entry with one effect (`custody.finding`, `custody.issue`, …), by entry."""
    return [
        (str(place), content)
        for place, (kind, content) in sorted(register.holdings.statements.items())
        if kind == effect
    ]


def declared(register: CustodyRegister) -> list[dict[str, Any]]:
    """The rows of every declaration and of everything found, as last corrected, by entry and row."""
    return [
        {"entry": str(place), "lot": str(name), **row}
        for place, declaration in sorted(register.holdings.declarations.items())
        for name, row in zip(declaration.lots, declaration.rows, strict=True)
    ]


def movements(register: CustodyRegister, effect: str) -> list[dict[str, Any]]:
    """Every offer with one effect (`custody.offer`, `custody.destroy`) and how far it has come, by event date."""
    record, found = register.record, []
    for place, offer in record.threads.offers.items():
        entry = record.entry(place)
        if entry is None or entry.frame is None or record.effect_of(entry) != effect:
            continue
        found.append(
            {
                "entry": str(place),
                "event-at": entry.frame.event_at,
                "from": place.party,
                "named": list(offer.named),
                "state": _progress(record, offer),
                **entry.frame.content,
            }
        )
    return sorted(found, key=lambda item: (item["event-at"].lstrip("./"), item["entry"]))


def _progress(record: Record, offer: Offer) -> str:
    whole = record.whole
    if record.threads.refused(offer, whole):
        return "refused"
    if record.effective(offer, whole):
        return "settled"
    return "accepted, not settled" if record.threads.accepted(offer, whole) else "open"


def fold(record: Record) -> CustodyRegister:
    """Fold a whole record from the beginning."""
    register = CustodyRegister(record)
    register.catch_up()
    return register
