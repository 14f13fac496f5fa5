# SPDX-License-Identifier: Apache-2.0
"""Lots, pools and what is known of them: the state that the custody fold keeps (spec/custody.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from servanda.journal.frame import Place


class LotName(NamedTuple):
    """`party/number/row`: who declared a lot, in which entry, in which row."""

    party: str
    number: int
    row: int

    def __str__(self) -> str:
        """As entries write it."""
        return f"{self.party}/{self.number}/{self.row}"

    @property
    def place(self) -> Place:
        """The entry that the lot comes from."""
        return Place(self.party, self.number)


def parse_lot_name(text: str) -> LotName:
    """Read `party/number/row`; the shape of the effect has been checked before."""
    party, number, row = text.split("/")
    return LotName(party, int(number), int(row))


_ONE = frozenset({"custody.split", "custody.move", "custody.seal", "custody.condition"})
_NAMES = frozenset({"custody.merge", "custody.loss", "custody.consume"})
_HELD = frozenset({"custody.offer", "custody.destroy", "custody.resolve"})


def named_lots(effect: str | None, content: dict[str, Any]) -> list[LotName]:
    """The lots that an entry names, in its order. Only the effect says which members are names of lots."""
    texts: list[str] = []
    if effect in _ONE:
        texts = [content["lot"]]
    elif effect in _NAMES:
        texts = content["lots"]
    elif effect in _HELD:
        texts = [item["lot"] for item in content["lots"]]
    return [parse_lot_name(text) for text in texts]


class Quantity(NamedTuple):
    """An amount in the unit's smallest step; None if it is not stated."""

    amount: int | None
    unit: str


def quantity_of(data: dict[str, Any]) -> Quantity:
    """The quantity that an entry states; a derived amount counts as stated."""
    return Quantity(data.get("amount"), data["unit"])


class Holder(NamedTuple):
    """Who came to hold a lot, and by which offer (None: by declaring or making it)."""

    party: str
    offer: Place | None


@dataclass(slots=True)
class Pool:
    """What a declared, found or residue lot opened: the total that all its lots share, None if not known."""

    first: LotName
    total: int | None


@dataclass(slots=True)
class Lot:
    """One lot as posted so far."""

    name: LotName
    kind: str
    quantity: Quantity
    place: str
    account: str
    pool: Pool
    holders: list[Holder]
    serial: str | None = None
    made_by: Place | None = None
    """The offer whose effect made the lot (a residue, a disputed rest); None if its own entry did."""
    ended: bool = False
    emptied: Place | None = None
    """The handover of which nothing was received; None if the lot ended in its custodian's own journal."""
    gone: Place | None = None
    """Where its custodian recorded it as lost or consumed."""
    destruction: Place | None = None
    """The last offer to destroy it."""
    disputants: tuple[str, ...] = ()
    """Giver and receiver of a disputed rest."""
    offers: list[Place] = field(default_factory=list)
    """Every offer posted on the lot, open or answered: which of them locks it depends on who asks."""
    crossed: dict[Place, list[Place]] = field(default_factory=dict)
    """Offers to resolve that have crossed on this lot, or on one that they also name: each with those it crossed."""


@dataclass(slots=True)
class Declaration:
    """The rows of a declaration as last corrected, and the lot of each."""

    rows: list[dict[str, Any]]
    lots: list[LotName]


class Discrepancy(NamedTuple):
    """Something that does not fit: where it arose, what kind, which lot."""

    entry: Place
    code: str
    lot: LotName | None


class Figure(NamedTuple):
    """A published figure beside others: never added up, never corrected by another."""

    entry: Place
    party: str
    data: dict[str, Any]


@dataclass
class Holdings:
    """Everything that the custody fold knows."""

    lots: dict[LotName, Lot] = field(default_factory=dict)
    declarations: dict[Place, Declaration] = field(default_factory=dict)
    serials: dict[tuple[str, str], dict[str, LotName]] = field(default_factory=dict)
    """(kind, serial) to the lot of each declarer."""
    discrepancies: set[Discrepancy] = field(default_factory=set)
    offers: dict[Place, str] = field(default_factory=dict)
    """Posted offers that have not had their effect: place to effect."""
    statements: dict[Place, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """Figures, findings, issues, seals and conditions: place to (effect, content), as last corrected."""
