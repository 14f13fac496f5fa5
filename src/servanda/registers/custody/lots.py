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


class Quantity(NamedTuple):
    """An amount in the unit's smallest step; None if it is not stated, a range, or sealed."""

    amount: int | None
    unit: str
    bounds: tuple[int, int] | None = None
    """Where the amount lies, if it is stated as a range."""
    sealed: bool = False
    """Whether the amount stands in a sealed row."""


def quantity_of(data: dict[str, Any]) -> Quantity:
    """The quantity that an entry states; a derived amount counts as stated."""
    bounds = (data["from"], data["to"]) if data["basis"] == "range" else None
    return Quantity(data.get("amount"), data["unit"], bounds)


def quantity_of_group(group: dict[str, Any]) -> Quantity:
    """The quantity of every row of a group (spec/tables.md)."""
    each = group["each"]
    if isinstance(each, dict):
        return Quantity(None, group["unit"], (each["from"], each["to"]))
    return Quantity(each, group["unit"], sealed=each is None)


class Holder(NamedTuple):
    """Who came to hold a lot, and by which offer (None: by declaring or making it)."""

    party: str
    """Empty while the lot is in dispute."""
    offer: Place | None
    disputants: tuple[str, ...] = ()
    """Giver and receiver of what was offered and not received."""


@dataclass(slots=True)
class Pool:
    """What a declared, found, repacked or residue lot opened, and all its lots share."""

    first: LotName
    declared: int | None
    """None if not known."""
    repacked: int = 0
    """What has gone from it into other pools."""

    @property
    def total(self) -> int | None:
        """How much belongs to it, None if not known."""
        return None if self.declared is None else self.declared - self.repacked


@dataclass(slots=True)
class Lot:
    """One lot as posted so far; or consecutive rows of a table, each of them such a lot."""

    name: LotName
    """Of the first row."""
    kind: str | None
    """None if it is sealed."""
    quantity: Quantity
    """Of each row."""
    place: str | None
    account: str
    pool: Pool | None
    """None for rows that have a pool each, of which nothing has been split off."""
    holders: tuple[Holder, ...]
    rows: int = 1
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
    offers: tuple[Place, ...] = ()
    """Every offer posted on the lot, open or answered: which of them locks it depends on who asks."""
    packed: tuple[tuple[Place, LotName | None], ...] = ()
    """Where it was put into a container or, None, taken out of one; always by its custodian."""
    crossed: dict[Place, list[Place]] = field(default_factory=dict)
    """Offers to resolve that have crossed on this lot, or on one that they also name: each with those it crossed."""

    @property
    def disputants(self) -> tuple[str, ...]:
        """Giver and receiver of the last offer of it that was not received."""
        return next((holder.disputants for holder in reversed(self.holders) if holder.disputants), ())
