# SPDX-License-Identifier: Apache-2.0
"""What people see of custody, and the balances document that any other program must compute alike (spec/custody.md)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from servanda.agreement.effects import INTEGER_MAX
from servanda.journal.frame import Place
from servanda.journal.record import Record
from servanda.journal.threads import Offer
from servanda.proof.canonical import encode
from servanda.registers.custody.fold import CustodyRegister
from servanda.registers.custody.holdings import Discrepancy, Figure
from servanda.registers.custody.inventory import inventory_discrepancies
from servanda.registers.custody.lots import Lot, LotName, Pool
from servanda.registers.custody.rows import Range, joined


def balances_document(register: CustodyRegister) -> dict[str, Any]:
    """The balances document of a register that has caught up. All numbers are integers in the unit's smallest step."""
    register.settle()
    lots = [lot for lot in register.holdings.every() if not lot.ended]
    derived = _derived(lots)
    rows: list[dict[str, Any]] = []
    sums: dict[tuple[str, str], Sums] = defaultdict(Sums)
    follows: LotName | None = None
    for lot in lots:
        row = _row(lot, derived)
        sums[lot.account, lot.quantity.unit].add(row, lot.rows)
        if follows == lot.name and lot.name.place in register.holdings.tables and _alike(rows[-1], row):
            rows[-1]["rows"] = rows[-1].get("rows", 1) + lot.rows
        else:
            rows.append(row if lot.rows == 1 else {**row, "rows": lot.rows})
        follows = lot.name._replace(row=lot.name.row + lot.rows)
    return {
        "accounts": [
            {"account": account, "unit": unit, **total.members()} for (account, unit), total in sorted(sums.items())
        ],
        "discrepancies": [_discrepancy(item) for item in open_discrepancies(register)],
        "lots": rows,
        "servanda-balances": 1,
    }


def _row(lot: Lot, derived: dict[LotName, int]) -> dict[str, Any]:
    """A lot as the document shows it, without how many rows it stands for."""
    amount, unit, bounds, sealed = lot.quantity
    more: dict[str, int] = {}
    if amount is not None:
        basis = "stated"
    elif lot.name in derived:
        amount, basis = derived[lot.name], "derived"
    elif bounds is not None:
        basis, more = "range", {"from": bounds[0], "to": bounds[1]}
    else:
        basis = "sealed" if sealed else "not-stated"
    return {
        "account": lot.account,
        "amount": amount,
        "basis": basis,
        "kind": lot.kind,
        "lot": str(lot.name),
        "place": lot.place,
        "unit": unit,
        **more,
    }


def _discrepancy(item: Discrepancy) -> dict[str, Any]:
    lot = None if item.lot is None else str(item.lot)
    more: dict[str, Any] = {"rows": item.rows} if item.rows > 1 else {}
    if item.about:
        more["kind"], more["place"] = item.about
    return {"code": item.code, "entry": str(item.entry), "lot": lot, **more}


_APART = {"lot": None, "rows": None}


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one | _APART == other | _APART


class Sums:
    """The sums of one account in one unit; what is not known exactly is counted apart."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._counted = {"stated": 0, "derived": 0, "not-stated": 0, "sealed": 0, "range": 0}
        self._least = self._most = 0

    def add(self, row: dict[str, Any], rows: int) -> None:
        """Add so many rows that are alike, each as the document shows it."""
        self._counted[row["basis"]] += rows * (1 if row["amount"] is None else row["amount"])
        self._least += rows * row.get("from", 0)
        self._most += rows * row.get("to", 0)

    def members(self) -> dict[str, Any]:
        """As the document shows them."""
        counted = self._counted
        found: dict[str, Any] = {name: _said(counted[name]) for name in ("stated", "derived")}
        found["unstated"] = counted["not-stated"]
        if counted["sealed"]:
            found["sealed"] = counted["sealed"]
        if counted["range"]:
            found["range"] = {"from": _said(self._least), "lots": counted["range"], "to": _said(self._most)}
        return found


def _said(amount: int) -> int | None:
    """A sum as the document states it: null beyond what canonical JSON can say, so that no party can stop the rest."""
    return amount if amount <= INTEGER_MAX else None


def balances_bytes(register: CustodyRegister) -> bytes:
    """Canonical bytes of the balances document."""
    return encode(balances_document(register))


def _derived(lots: list[Lot]) -> dict[LotName, int]:
    """Lots that are not stated, but the only such ones of a pool whose total is known: the rest is theirs."""
    found = {}
    for pool, members in _pools(lots):
        unknown = [lot for lot in members if lot.quantity.amount is None]
        stated = _stated(members)
        if len(unknown) == 1 and pool.total is not None and stated <= pool.total:
            found[unknown[0].name] = pool.total - stated
    return found


def _pools(lots: list[Lot]) -> Iterator[tuple[Pool, list[Lot]]]:
    """Every pool of several lots, or of one of which something may have gone, with its lots that have not ended."""
    pools: dict[int, tuple[Pool, list[Lot]]] = {}
    for lot in lots:
        if lot.pool is not None and not lot.ended:
            pools.setdefault(id(lot.pool), (lot.pool, []))[1].append(lot)
    yield from pools.values()


def _stated(lots: list[Lot]) -> int:
    return sum(lot.quantity.amount for lot in lots if lot.quantity.amount is not None)


def open_discrepancies(register: CustodyRegister) -> list[Discrepancy]:
    """All discrepancies that are open in the whole record, sorted by entry, code and lot; consecutive rows are one."""
    register.settle()
    holdings = register.holdings
    rows: dict[tuple[Place, str, Place], list[Range]] = defaultdict(list)
    found = set()
    for item in _open(register):
        if item.lot is not None and item.lot.place in holdings.tables:
            rows[item.entry, item.code, item.lot.place].append((item.lot.row, item.lot.row + max(item.rows, 1) - 1))
        elif item.code != "contested" or (item.lot in holdings.lots and not item.rows):
            found.add(item)
    for (entry, code, table), ranges in rows.items():
        there = holdings.tables[table].there(joined(ranges)) if code == "contested" else joined(ranges)
        found.update(Discrepancy(entry, code, LotName(*table, first), last - first + 1) for first, last in there)
    return sorted(found, key=lambda item: (item.entry, item.code, item.lot or (), item.about))


def _open(register: CustodyRegister) -> Iterator[Discrepancy]:
    record, holdings = register.record, register.holdings
    yield from holdings.discrepancies
    for lots in holdings.serials.values():
        if len(lots) > 1:
            yield from (Discrepancy(name.place, "duplicate-serial", name) for name in lots.values())
    every = holdings.every()
    for lot in every:
        if lot.account.startswith("disputed/") and not lot.ended:
            yield Discrepancy(
                _short_by(record, lot), "short", lot.name, lot.rows if lot.name not in holdings.lots else 0
            )
    for place in holdings.offers:
        offer = record.threads.offers[place]
        settled = record.threads.accepted(offer, record.whole)
        yield Discrepancy(place, "not-settled" if settled else "unanswered", None)
    for pool, members in _pools(every):
        if pool.total is not None and _stated(members) > pool.total:
            yield Discrepancy(pool.first.place, "pool-exceeded", pool.first)
    yield from inventory_discrepancies(holdings)


def _short_by(record: Record, lot: Lot) -> Place:
    """The acceptance that left a lot in dispute: it names the lot, unless the lot is rows of a table."""
    holder = next(one for one in reversed(lot.holders) if one.disputants)
    if holder.offer is None:
        return lot.name.place
    return record.threads.offers[holder.offer].acceptances[holder.disputants[1]].place


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


def tables(register: CustodyRegister) -> list[dict[str, Any]]:
    """Every declaration by table, with its groups, what it supplements and which lines it corrects, by entry."""
    found = []
    for place in sorted(register.holdings.tables):
        entry = register.record.entry(place)
        assert entry is not None
        assert entry.frame is not None
        content = entry.frame.content
        said: dict[str, Any] = {
            name: content[name] for name in ("deletions", "reason", "supplements") if name in content
        }
        commitment = content["table"]
        found.append(
            {
                "entry": str(place),
                "found": register.record.effect_of(entry) == "custody.found-table",
                "groups": content["groups"],
                "root": commitment["root"],
                "rows": commitment["rows"],
                "sealed": commitment["secret"] is None,
                **said,
            }
        )
    return found


def counts(register: CustodyRegister) -> list[dict[str, Any]]:
    """What every complete count found of each kind and place beside the book, null where it is not exactly known."""
    return [
        {"entry": str(place), **one._asdict()}
        for place, inventory in sorted(register.holdings.inventories.items())
        for one in inventory.counts
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
