# SPDX-License-Identifier: Apache-2.0
"""The custody fold: entries in, lots and discrepancies out (spec/custody.md, Postings).

Entries come in any order in which each follows its past; the result is the same. A posting that breaks a rule is
refused whole and leaves a discrepancy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from servanda.agreement.pack import Pack
from servanda.journal.frame import Frame, Place
from servanda.journal.record import Record
from servanda.journal.state import Entry
from servanda.journal.threads import Cut, within
from servanda.registers.custody.lots import (
    Declaration,
    Discrepancy,
    Holder,
    Holdings,
    Lot,
    LotName,
    Pool,
    Quantity,
    Refused,
    parse_lot_name,
)
from servanda.registers.custody.rules import (
    check_held,
    check_offered,
    check_place,
    checked_row,
    exists,
    has_effect,
    holder_in,
    is_locked,
)

_STATEMENTS = frozenset(
    {"custody.figure", "custody.finding", "custody.issue", "custody.seal", "custody.condition", "custody.contest"}
)


class _CheckedError(Exception):
    """All rules of a posting hold, and only checking was asked for."""


class CustodyRegister:
    """Who holds what. Call `apply` for every judged entry, in the order of the record's log."""

    def __init__(self, record: Record) -> None:
        """Start empty; nothing of the record is folded yet."""
        self.record = record
        self.holdings = Holdings()
        self.position = 0
        self._only_checking = False

    def catch_up(self) -> None:
        """Fold every entry of the record's log that has not been folded yet."""
        while self.position < len(self.record.log):
            self.apply(self.record.log[self.position])
            self.position += 1

    def settle(self) -> None:
        """Post every offer that has effect in the whole record."""
        for place in list(self.holdings.offers):
            self._settle(place, self.record.whole)

    def _lot(self, text: str, cut: Cut) -> Lot:
        """The lot of that name, with everything posted that has effect within `cut`.

        Raises:
            Refused: `unknown-lot`.
        """
        name = parse_lot_name(text)
        accepted = self.record.threads.acceptances.get(name.place)
        lot = self.holdings.lots.get(name)
        for place in (name.place, accepted.place if accepted else None, lot.offer if lot else None):
            if place is not None and place in self.holdings.offers:
                self._settle(place, cut)
        lot = self.holdings.lots.get(name)
        if lot is None:
            raise Refused("unknown-lot", text)
        return lot

    def _held(self, text: str, entry: Entry, *, unlocked: bool = True) -> Lot:
        lot = self._lot(text, entry.past)
        return check_held(self.record, lot, entry.place.party, entry.past, unlocked=unlocked)

    def apply(self, entry: Entry) -> None:
        """Fold one judged entry. An inadmissible one changes nothing here."""
        frame = entry.frame
        if frame is None or not entry.admissible:
            return
        refused = self.refusal(entry)
        if refused is not None:
            self._discrepancy(entry.place, f"posting/{refused.reason}", self._named_lot(frame))

    def check(self, entry: Entry) -> Refused | None:
        """Why the posting of an admissible entry would be refused, or None. Nothing is posted."""
        self._only_checking = True
        try:
            return self.refusal(entry)
        except _CheckedError:
            return None
        finally:
            self._only_checking = False

    def _from_here_on_write(self) -> None:
        """Stands in every posting between its rules and its effects: above it, nothing has been posted."""
        if self._only_checking:
            raise _CheckedError

    def refusal(self, entry: Entry) -> Refused | None:
        """Post an admissible entry, or say why its posting is refused; then nothing of it has been posted."""
        frame = entry.frame
        assert frame is not None
        effect = self.record.effect_of(entry)
        pack = self.record.packs[frame.pack or self.record.agreement]
        try:
            if effect in _STATEMENTS:
                self._state(entry, frame, effect)
            elif effect in _POSTINGS:
                _POSTINGS[effect](self, entry, frame, pack)
            elif frame.format == "refuse":
                self._refuse(frame)
            elif frame.format == "correct":
                self._correct(entry, frame, pack)
        except Refused as refused:
            return refused
        return None

    def _discrepancy(self, entry: Place, code: str, lot: LotName | None) -> None:
        self.holdings.discrepancies.add(Discrepancy(entry, code, lot))

    def _named_lot(self, frame: Frame) -> LotName | None:
        """The lot that an entry names, if it is exactly one."""
        content = frame.content
        if "lot" in content:
            return parse_lot_name(content["lot"])
        named = [lot if isinstance(lot, str) else lot.get("lot") for lot in content.get("lots", [])]
        return parse_lot_name(named[0]) if len(named) == 1 and named[0] else None

    def _open(self, name: LotName, row: dict[str, Any], quantity: Quantity, account: str, pool: Pool | None) -> Lot:
        lot = Lot(
            name=name,
            kind=row["kind"],
            quantity=quantity,
            place=row["place"],
            account=account,
            pool=pool or Pool(name, quantity.amount),
            holders=[Holder(account.rpartition("/")[2], None)] if account.startswith("held/") else [],
            serial=row.get("serial"),
        )
        self.holdings.lots[name] = lot
        return lot

    # Postings 2: declare, found.
    def _declare(self, entry: Entry, frame: Frame, pack: Pack, account: str) -> None:
        rows = frame.content["lots"]
        quantities = [checked_row(pack, row) for row in rows]
        self._check_serials(entry.place.party, rows)
        self._from_here_on_write()
        names = [LotName(*entry.place, row) for row in range(len(rows))]
        for name, row, quantity in zip(names, rows, quantities, strict=True):
            self._open(name, row, quantity, account, None)
            self._enter_serial(name, row)
        self.holdings.declarations[entry.place] = Declaration(list(rows), names)

    def _check_serials(self, party: str, rows: list[dict[str, Any]]) -> None:
        seen: set[tuple[str, str]] = set()
        for row in rows:
            key = (row["kind"], row.get("serial", ""))
            if key[1] and (key in seen or party in self.holdings.serials.get(key, {})):
                raise Refused("duplicate-serial")
            seen.add(key)

    def _enter_serial(self, name: LotName, row: dict[str, Any]) -> None:
        if "serial" in row:
            self.holdings.serials.setdefault((row["kind"], row["serial"]), {})[name.party] = name

    def _post_declare(self, entry: Entry, frame: Frame, pack: Pack) -> None:
        self._declare(entry, frame, pack, f"held/{entry.place.party}")

    def _post_found(self, entry: Entry, frame: Frame, pack: Pack) -> None:
        self._declare(entry, frame, pack, "found")

    # Postings 3: split.
    def _post_split(self, entry: Entry, frame: Frame, pack: Pack) -> None:
        party, content = entry.place.party, frame.content
        lot = self._held(content["lot"], entry)
        quantities = [checked_row(pack, part) for part in content["parts"]]
        if not all(pack.within(part["kind"], lot.kind) for part in content["parts"]):
            raise Refused("kind")
        amounts = [quantity.amount for quantity in quantities]
        stated = [amount for amount in amounts if amount is not None]
        whole = lot.quantity.amount
        if whole is not None and len(stated) == len(amounts):
            if sum(stated) > whole:
                raise Refused("overdrawn", content["lot"])
            rest: int | None = whole - sum(stated)
        else:
            rest = None
        self._from_here_on_write()
        for row, (part, quantity) in enumerate(zip(content["parts"], quantities, strict=True)):
            self._open(LotName(*entry.place, row), part, quantity, f"held/{party}", lot.pool)
        lot.quantity = Quantity(rest, lot.quantity.unit)
        lot.ended = rest == 0

    # Postings 4: merge.
    def _post_merge(self, entry: Entry, frame: Frame, pack: Pack) -> None:
        party, content = entry.place.party, frame.content
        lots = [self._held(name, entry) for name in content["lots"]]
        if len({lot.name for lot in lots}) != len(lots):
            raise Refused("lot-closed")
        if any(lot.pool is not lots[0].pool for lot in lots):
            raise Refused("pool")
        if content["kind"] not in pack.items or not all(pack.within(lot.kind, content["kind"]) for lot in lots):
            raise Refused("kind")
        check_place(pack, content["place"])
        self._from_here_on_write()
        amounts = [lot.quantity.amount for lot in lots]
        total = None if None in amounts else sum(amount for amount in amounts if amount is not None)
        self._open(
            LotName(*entry.place, 0), content, Quantity(total, lots[0].quantity.unit), f"held/{party}", lots[0].pool
        )
        for lot in lots:
            lot.ended = True

    def _post_move(self, entry: Entry, frame: Frame, pack: Pack) -> None:
        lot = self._held(frame.content["lot"], entry)
        check_place(pack, frame.content["place"])
        self._from_here_on_write()
        lot.place = frame.content["place"]

    def _state(self, entry: Entry, frame: Frame, effect: str) -> None:
        """Figures, findings, issues, seals, conditions and contests move nothing; they stand beside the accounts."""
        if effect in ("custody.seal", "custody.condition"):
            self._held(frame.content["lot"], entry, unlocked=False)
        self._from_here_on_write()
        self.holdings.statements[entry.place] = (effect, frame.content)
        if effect == "custody.contest":
            self._contest(entry, frame)

    # Postings 10: contest.
    def _contest(self, entry: Entry, frame: Frame) -> None:
        for reference in frame.refers_to:
            target = self.record.entry(reference.place)
            content = target.frame.content if target and target.frame else {}
            declared = self.holdings.declarations.get(reference.place)
            for name in declared.lots if declared else []:
                self._discrepancy(entry.place, "contested", name)
            for lot in content.get("lots", []) if isinstance(content.get("lots"), list) else []:
                text = lot if isinstance(lot, str) else lot.get("lot")
                if text and parse_lot_name(text) in self.holdings.lots:
                    self._discrepancy(entry.place, "contested", parse_lot_name(text))

    # Postings 5: offer.
    def _post_offer(self, entry: Entry, frame: Frame, pack: Pack) -> None:
        lots = self._offered(entry, frame)
        check_place(pack, frame.content["place"])
        self._from_here_on_write()
        for lot in lots:
            lot.account = f"transit/{entry.place.party}/{frame.content['receiver']}"
        self._lock(entry, lots, "custody.offer")

    def _offered(self, entry: Entry, frame: Frame) -> list[Lot]:
        lots = []
        for item in frame.content["lots"]:
            lot = self._held(item["lot"], entry)
            check_offered(lot, item["quantity"])
            if lot in lots:
                raise Refused("locked", item["lot"])
            lots.append(lot)
        return lots

    def _lock(self, entry: Entry, lots: list[Lot], effect: str) -> None:
        for lot in lots:
            lot.offer, lot.refusal = entry.place, None
        self.holdings.offers[entry.place] = effect

    # Postings 6: destroy.
    def _post_destroy(self, entry: Entry, frame: Frame, pack: Pack) -> None:
        lots = self._offered(entry, frame)
        for row in frame.content["residue"]:
            checked_row(pack, row)
        check_place(pack, frame.content["place"])
        self._from_here_on_write()
        self._lock(entry, lots, "custody.destroy")
        for lot in lots:
            lot.destruction = entry.place

    # Postings 7: resolve.
    def _post_resolve(self, entry: Entry, frame: Frame, pack: Pack) -> None:
        party, lots = entry.place.party, []
        for item in frame.content["lots"]:
            lot = self._lot(item["lot"], entry.past)
            if not exists(self.record, lot, entry.past):
                raise Refused("unknown-lot", item["lot"])
            disputants = set(lot.disputants)
            if not disputants or {party, *(frame.named or ())} != disputants or holder_in(self.record, lot, entry.past):
                raise Refused("not-custodian", item["lot"])
            if is_locked(self.record, lot, entry.past) or lot in lots:
                raise Refused("locked", item["lot"])
            check_offered(lot, item["quantity"])
            if frame.content["holder"] not in disputants:
                raise Refused("holder")
            lots.append(lot)
        self._from_here_on_write()
        self._lock(entry, lots, "custody.resolve")

    # Postings 8: loss, consume.
    def _post_loss(self, entry: Entry, frame: Frame, pack: Pack) -> None:
        party = entry.place.party
        lots = [self._held(name, entry, unlocked=False) for name in frame.content["lots"]]
        self._from_here_on_write()
        for lot in lots:
            if is_locked(self.record, lot, entry.past):
                self._discrepancy(entry.place, "loss-in-transit", lot.name)
            else:
                lot.account, lot.gone = f"lost/{party}", entry.place

    def _post_consume(self, entry: Entry, frame: Frame, pack: Pack) -> None:
        party = entry.place.party
        lots = [self._held(name, entry) for name in frame.content["lots"]]
        self._from_here_on_write()
        for lot in lots:
            lot.account, lot.gone = f"consumed/{party}", entry.place

    def _refuse(self, frame: Frame) -> None:
        self._from_here_on_write()
        place = frame.refers_to[0].place
        if place not in self.holdings.offers:
            return
        effect = self.holdings.offers.pop(place)
        for lot in self._lots_of(place):
            lot.refusal = Place(frame.party, frame.number)
            if effect == "custody.offer":
                lot.account = f"held/{place.party}"

    def _lots_of(self, place: Place) -> list[Lot]:
        entry = self.record.entry(place)
        assert entry is not None
        assert entry.frame is not None
        return [self.holdings.lots[parse_lot_name(item["lot"])] for item in entry.frame.content["lots"]]

    # Postings 5 to 7, last sentences: what an offer does once it has effect.
    def _settle(self, place: Place, cut: Cut) -> None:
        if not within(cut, place) or not has_effect(self.record, place, cut):
            return
        effect = self.holdings.offers.pop(place)
        entry = self.record.entry(place)
        assert entry is not None
        assert entry.frame is not None
        content = entry.frame.content
        if effect == "custody.offer":
            self._hand_over(place, content)
        elif effect == "custody.destroy":
            for lot in self._lots_of(place):
                lot.account = f"destroyed/{place.party}"
            for row, residue in enumerate(content["residue"]):
                quantity = Quantity(residue["quantity"].get("amount"), residue["quantity"]["unit"])
                made = self._open(LotName(*place, row), residue, quantity, f"held/{place.party}", None)
                made.made_by = place
        else:
            for lot in self._lots_of(place):
                lot.account = f"held/{content['holder']}"
                lot.holders.append(Holder(content["holder"], place))

    def _hand_over(self, place: Place, content: dict[str, Any]) -> None:
        receiver = content["receiver"]
        acceptance = self.record.threads.offers[place].acceptances[receiver].place
        entry = self.record.entry(acceptance)
        assert entry is not None
        assert entry.frame is not None
        answer = entry.frame.content
        for row, lot in enumerate(self._lots_of(place)):
            if answer["extent"] == "part":
                self._keep_rest(lot, LotName(*acceptance, row), answer["received"][row]["quantity"]["amount"], place)
            lot.account, lot.place = f"held/{receiver}", content["place"]
            lot.holders.append(Holder(receiver, place))

    def _keep_rest(self, lot: Lot, name: LotName, received: int, offer: Place) -> None:
        whole = lot.quantity.amount
        rest = None if whole is None else whole - received
        lot.quantity = Quantity(received, lot.quantity.unit)
        lot.ended = received == 0
        if rest == 0:
            return
        account = f"disputed/{offer.party}/{name.party}"
        row = {"kind": lot.kind, "place": lot.place}
        made = self._open(name, row, Quantity(rest, lot.quantity.unit), account, lot.pool)
        made.made_by, made.disputants = offer, (offer.party, name.party)

    # Postings 9: correct.
    def _correct(self, entry: Entry, frame: Frame, pack: Pack) -> None:
        target = self.record.entry(frame.refers_to[0].place)
        assert target is not None
        effect = self.record.effect_of(target)
        content = frame.content["content"]
        if effect != "custody.declare":
            self._from_here_on_write()
        if effect in _STATEMENTS:
            if target.place in self.holdings.statements:
                self.holdings.statements[target.place] = (effect, content)
        elif effect == "custody.declare" and target.place in self.holdings.declarations:
            self._correct_declaration(entry, self.holdings.declarations[target.place], content["lots"], pack)
        elif effect is not None and effect.startswith("custody."):
            self._discrepancy(entry.place, "late-correction", None)

    def _correct_declaration(
        self, entry: Entry, declaration: Declaration, rows: list[dict[str, Any]], pack: Pack
    ) -> None:
        quantities = [checked_row(pack, row) for row in rows]
        self._check_serials(entry.place.party, rows[len(declaration.rows) :])
        self._from_here_on_write()
        for index, name in enumerate(list(declaration.lots)):
            if index >= len(rows):
                self._discrepancy(entry.place, "late-correction", name)
            elif rows[index] != declaration.rows[index]:
                self._correct_row(entry, declaration, index, rows[index], quantities[index])
        for index in range(len(declaration.lots), len(rows)):
            name = LotName(*entry.place, index)
            self._open(name, rows[index], quantities[index], f"held/{entry.place.party}", None)
            self._enter_serial(name, rows[index])
            declaration.lots.append(name)
            declaration.rows.append(rows[index])

    def _correct_row(
        self, entry: Entry, declaration: Declaration, index: int, row: dict[str, Any], quantity: Quantity
    ) -> None:
        name, before = declaration.lots[index], declaration.rows[index]
        lot = self.holdings.lots[name]
        declared = (before["kind"], before["place"], before["quantity"].get("amount"))
        try:
            self._held(str(name), entry)
        except Refused:
            declared = None  # type: ignore[assignment]
        if declared != (lot.kind, lot.place, lot.quantity.amount):
            self._discrepancy(entry.place, "late-correction", name)
            return
        lot.kind, lot.place, lot.quantity = row["kind"], row["place"], quantity
        lot.pool.total = quantity.amount
        declaration.rows[index] = row


Posting = Callable[[CustodyRegister, Entry, Frame, Pack], None]
_POSTINGS: dict[str | None, Posting] = {
    "custody.declare": CustodyRegister._post_declare,
    "custody.found": CustodyRegister._post_found,
    "custody.split": CustodyRegister._post_split,
    "custody.merge": CustodyRegister._post_merge,
    "custody.move": CustodyRegister._post_move,
    "custody.loss": CustodyRegister._post_loss,
    "custody.consume": CustodyRegister._post_consume,
    "custody.offer": CustodyRegister._post_offer,
    "custody.destroy": CustodyRegister._post_destroy,
    "custody.resolve": CustodyRegister._post_resolve,
}
