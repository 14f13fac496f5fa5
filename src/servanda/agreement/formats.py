# SPDX-License-Identifier: Apache-2.0
"""Formats: what kind of entry there is, who may send it, and who must sign it (spec/entry.md, spec/pack.md)."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec

from servanda.agreement.effects import LOT, QUANTITY, SELECTIONS
from servanda.agreement.fields import APART, FieldValidator, whole_matches

ACTS = ("notify", "acknowledge", "inquire", "answer", "offer", "accept", "refuse", "correct", "reveal")
RELEASES = ("two", "one", "centre", "root")


class Format(msgspec.Struct, frozen=True, dict=True):
    """One format. `release`: `two` officers, `one`, the `centre`, or the `root` keys."""

    identifier: str
    version: int
    act: str
    release: str
    fields: dict[str, Any]
    effect: str | None = None
    may_send: frozenset[str] = frozenset()
    performs: bool = False
    witnesses: tuple[str, ...] = ()
    quorum: int | None = None
    """How many of the witnesses suffice; None: all."""
    built_in: bool = False
    rows: dict[str, Any] | None = None
    """The schema of one row of a table, where the format's content may have one (spec/pack.md, Rows of a table)."""

    @cached_property
    def validator(self) -> FieldValidator:
        """Checks content against the field schema; built on first use."""
        return FieldValidator(self.fields, sealable=not self.built_in, apart=() if self.rows is None else APART)

    @cached_property
    def row_validator(self) -> FieldValidator:
        """Checks one row of a table; the format has `rows`."""
        assert self.rows is not None
        return FieldValidator(whole_matches(self.rows), sealable=False)

    @property
    def key(self) -> tuple[str, int]:
        """Identifier and version, by which a pack knows it."""
        return self.identifier, self.version


_TEXT = {"type": "string", "minLength": 1, "maxLength": 4000}
_TITLE = {"type": "string", "minLength": 1, "maxLength": 200}
_HASH = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_PARTY = {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,31}$"}


def _fields(**members: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": members,
        "required": sorted(members),
        "additionalProperties": False,
    }


_ACCEPTED = _fields(
    extent={"enum": ["full", "part"]},
    received={"type": "array", "items": _fields(lot=LOT, quantity=QUANTITY)},
    condition={"oneOf": [{"type": "null"}, _fields(confirmer=_PARTY, text=_TEXT)]},
)
_ACCEPT = {**_ACCEPTED, "properties": {**_ACCEPTED["properties"], "reason": _PARTY, "tables": SELECTIONS}}
"""With the code by which the pack classes a difference, where something has not come, and the rows received."""

_BUILT_IN = (
    # (identifier, act, release, fields); the content of an identity is checked by journal.identity
    ("identity", "notify", "root", {"type": "object"}),
    ("adopt", "accept", "two", _fields(pack=_HASH)),
    ("branch", "notify", "root", _fields(root=_HASH, size={"type": "integer", "minimum": 1})),
    ("citation", "notify", "centre", _fields()),
    ("held", "notify", "centre", _fields()),
    (
        "acknowledge",
        "acknowledge",
        "one",
        _fields(disposition={"enum": ["opened", "accepted", "rejected"]}, reason={"type": "string", "maxLength": 4000}),
    ),
    ("accept", "accept", "two", _ACCEPT),
    ("refuse", "refuse", "two", _fields(reason=_TEXT)),
    ("condition", "notify", "two", _fields(outcome={"enum": ["confirmed", "failed"]})),
    ("lapse", "notify", "two", _fields(reason=_TEXT)),
    ("correct", "correct", "two", _fields(content={"type": "object"}, reason=_TEXT)),
    (
        "reveal",
        "reveal",
        "two",
        _fields(disclosures={"type": "array", "items": {"type": "string"}}),
    ),
    # The line's own formats (spec/alerts.md): every agreement has them.
    ("link-test", "inquire", "centre", _fields()),
    ("link-answer", "answer", "centre", _fields()),
    (
        "escalation",
        "notify",
        "centre",
        _fields(
            action={"enum": ["reminder", "escalation"]},
            clock={"enum": ["acknowledge", "answer", "meeting"]},
            contact={"oneOf": [{"type": "null"}, _PARTY]},
            party=_PARTY,
            step={"type": "integer", "minimum": 0, "maximum": 1000},
        ),
    ),
    (
        "contacts",
        "notify",
        "two",
        _fields(
            contacts={
                "type": "array",
                "items": _fields(id=_PARTY, reach={"type": "string", "maxLength": 500}, title=_TITLE),
                "minItems": 1,
                "maxItems": 50,
            }
        ),
    ),
    (
        "regime",
        "notify",
        "two",
        _fields(
            formats={"type": "array", "items": _PARTY, "maxItems": 1000, "uniqueItems": True},
            reason=_TEXT,
            since={"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
            state={"enum": ["applied", "suspended", "voluntary"]},
        ),
    ),
)

BUILT_IN: dict[tuple[str, int], Format] = {
    (name, 1): Format(name, 1, act, release, fields, built_in=True) for name, act, release, fields in _BUILT_IN
}
UNDER_NO_PACK = frozenset({"identity", "adopt", "branch"})
"""Built-in formats whose frame names no pack."""
