# SPDX-License-Identifier: Apache-2.0
"""Access to places as each party states it, side by side, and where they differ (spec/sites.md)."""

from __future__ import annotations

from typing import NamedTuple

from servanda.journal.frame import Place
from servanda.journal.order import in_order
from servanda.journal.statements import Statement
from servanda.registers.sites.fold import SitesRegister


class Differing(NamedTuple):
    """Two parties' latest statements about one place differ, or a statement was refused."""

    code: str
    entry: Place
    parties: tuple[str, ...]


def access(register: SitesRegister) -> dict[str, dict[str, Statement]]:
    """Place to party to its latest statement."""
    found: dict[str, dict[str, Statement]] = {}
    for said in register.statements.of("sites.access"):
        found.setdefault(said.content["place"], {})[said.party] = said
    return found


def differing(register: SitesRegister) -> list[Differing]:
    """Where the parties do not say the same of a place, by the entry that came last."""
    found = [Differing(f"sites/{reason}", place, (place.party,)) for place, reason in register.statements.refused]
    for by_party in access(register).values():
        if len({said.content["state"] for said in by_party.values()}) > 1:
            last = in_order(said.entry for said in by_party.values())[-1]
            found.append(Differing("access-differs", last.place, tuple(sorted(by_party))))
    return sorted(found)
