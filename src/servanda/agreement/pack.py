# SPDX-License-Identifier: Apache-2.0
"""A pack: an agreement as data, as read back from its canonical bytes (spec/pack.md)."""

from __future__ import annotations

import hashlib
from datetime import date
from functools import cached_property
from typing import Any

import msgspec

from servanda.agreement.errors import PackError, Problem
from servanda.agreement.formats import BUILT_IN, Format
from servanda.agreement.rules import pack_problems
from servanda.proof.canonical import CanonicalError, decode, encode

PACK_BYTES_MAX = 8 * 1024 * 1024
ALARM_MINUTES, CONTACTS_DAYS = 10, 365
"""What holds where the pack has no `line` (spec/pack.md)."""

_IMPLEMENTATION = ("not initiated", "minimal", "intermediate", "full")
SCALES: dict[str, dict[str, Any]] = {
    "implementation": {
        "id": "implementation",
        "names": {"en": "Implementation, 0 to 3"},
        "marks": [{"value": value, "names": {"en": word}} for value, word in enumerate(_IMPLEMENTATION)],
    },
    "compliance": {
        "id": "compliance",
        "names": {"en": "Compliance, -1, 0 or +1"},
        "marks": [{"value": value, "names": {}} for value in (-1, 0, 1)],
    },
}
"""The two scales that every pack has unless it has its own of that name (spec/dialogue.md)."""


class Pack(msgspec.Struct, frozen=True, dict=True):
    """A pack that has been checked. `data` is its JSON value, `digest` the SHA-256 of its canonical bytes."""

    digest: str
    data: dict[str, Any]

    @cached_property
    def parties(self) -> tuple[str, ...]:
        """Party ids, sorted."""
        return tuple(sorted(party["id"] for party in self.data["parties"]))

    @cached_property
    def formats(self) -> dict[tuple[str, int], Format]:
        """Built-in formats and the pack's own, by identifier and version."""
        return {**BUILT_IN, **{(f["id"], f["version"]): _format(f) for f in self.data["formats"]}}

    @cached_property
    def units(self) -> dict[str, dict[str, Any]]:
        """Units by id."""
        return {unit["id"]: unit for unit in self.data["units"]}

    @cached_property
    def items(self) -> dict[str, dict[str, Any]]:
        """Items (kinds) by id."""
        return {item["id"]: item for item in self.data["items"]}

    @cached_property
    def places(self) -> frozenset[str]:
        """Place ids."""
        return frozenset(place["id"] for place in self.data["places"])

    @cached_property
    def reasons(self) -> frozenset[str]:
        """Codes by which differences and discrepancies are classed; empty if the pack has none."""
        return frozenset(reason["id"] for reason in self.data.get("reasons", ()))

    @cached_property
    def methods(self) -> frozenset[str]:
        """Codes of methods of destruction; empty if the pack has none."""
        return frozenset(method["id"] for method in self.data.get("methods", ()))

    @cached_property
    def seal_kinds(self) -> dict[str, dict[str, Any]]:
        """Kinds of seals and tags by id."""
        return {kind["id"]: kind for kind in self.data.get("seals", ())}

    def significant(self, item: str, stated: int, counted: int) -> bool:
        """Whether two counts of one kind differ by more than the pack's threshold; without one, whether they differ."""
        row = next((row for row in self.data.get("thresholds", ()) if row["item"] == item), {"part": 0, "of": 1})
        return abs(counted - stated) * int(row["of"]) > int(row["part"]) * stated

    def discrepancy_days(self, code: str) -> int | None:
        """After how many days a discrepancy of that code is overdue; None if the pack gives no clock."""
        clocks = self.data.get("discrepancies")
        if clocks is None:
            return None
        days: int = next((row["days"] for row in clocks["codes"] if row["code"] == code), clocks["days"])
        return days

    @property
    def shipment_days(self) -> int | None:
        """How many days after its expected arrival a shipment is overdue; None if the pack does not say."""
        days: int | None = self.data.get("discrepancies", {}).get("shipment-days")
        return days

    @cached_property
    def obligations(self) -> dict[str, dict[str, Any]]:
        """Obligations by id."""
        return {obligation["id"]: obligation for obligation in self.data["obligations"]}

    @cached_property
    def bodies(self) -> dict[str, dict[str, Any]]:
        """Bodies by id."""
        return {body["id"]: body for body in self.data["bodies"]}

    @cached_property
    def topics(self) -> dict[str, dict[str, Any]]:
        """Topics that the pack names, by id."""
        return {topic["id"]: topic for topic in self.data.get("topics", ())}

    @cached_property
    def scales(self) -> dict[str, dict[str, Any]]:
        """Scales by id: those that come with the software, and the pack's own in their place."""
        return {**SCALES, **{scale["id"]: scale for scale in self.data.get("scales", ())}}

    @cached_property
    def alert_classes(self) -> dict[str, dict[str, Any]]:
        """Classes of alerts by id."""
        return {alert["id"]: alert for alert in self.data["alerts"]}

    @cached_property
    def codes(self) -> dict[tuple[str, int], dict[str, Any]]:
        """Pre-agreed short messages by code word and number."""
        return {(code["word"], code["number"]): code for code in self.data.get("codes", ())}

    @property
    def link_test_minutes(self) -> int | None:
        """Every how many minutes a centre tests each line by itself; None if the pack does not say."""
        value: int | None = self.data.get("line", {}).get("link-test-minutes")
        return value

    @property
    def alarm_minutes(self) -> int:
        """After how many minutes an undelivered entry raises a local alarm."""
        value: int = self.data.get("line", {}).get("alarm-minutes", ALARM_MINUTES)
        return value

    @property
    def contacts_days(self) -> int:
        """After how many days a party's contacts are stale unless stated anew."""
        value: int = self.data.get("line", {}).get("contacts-days", CONTACTS_DAYS)
        return value

    @property
    def routes(self) -> tuple[dict[str, str], ...]:
        """The routes of a line in the pack's order: `address`, `relay` (with `by`), `courier`."""
        return tuple(self.data.get("line", {}).get("routes", ({"kind": "address"}, {"kind": "courier"})))

    @cached_property
    def holidays(self) -> frozenset[date]:
        """Days that are not working days, besides Saturday and Sunday."""
        return frozenset(date.fromisoformat(day) for day in self.data["time"]["holidays"])

    @property
    def working_days(self) -> bool:
        """Whether due rules count working days."""
        return bool(self.data["time"]["days"] == "working")

    @property
    def replaces(self) -> str | None:
        """Digest of the pack that this one amends, or None for the first."""
        value: str | None = self.data["replaces"]
        return value

    def quorum(self, others: int) -> int:
        """How many of `others` other parties must attest before something is settled (spec/settlement.md)."""
        quorum = self.data["settlement"]["quorum"]
        return others if quorum == "all" else min(quorum, others)

    @property
    def lapses(self) -> bool:
        """Whether the other parties may declare a custody offer lapsed."""
        return bool(self.data["settlement"].get("lapse", False))

    def within(self, kind: str, broader: str) -> bool:
        """Whether `kind` is `broader` or a part of it."""
        step: str | None = kind
        while step is not None and step != broader:
            step = self.items[step]["within"] if step in self.items else None
        return step == broader


def _format(data: dict[str, Any]) -> Format:
    return Format(
        identifier=data["id"],
        version=data["version"],
        act=data["act"],
        release=data["release"],
        fields=data["fields"],
        effect=data["effect"],
        may_send=frozenset(data["may-send"]),
        performs=data["performs"],
        witnesses=tuple(data["witnesses"]),
        rows=data.get("rows"),
        quorum=data.get("quorum"),
    )


def parse_pack(text: bytes) -> Pack:
    """Read a pack from its canonical bytes, checking all of spec/pack.md.

    Raises:
        PackError: not a pack; `problems` lists why.
    """
    if len(text) > PACK_BYTES_MAX:
        raise PackError([Problem("pack", 0, f"larger than {PACK_BYTES_MAX} bytes")])
    try:
        data = decode(text)
    except CanonicalError as error:
        raise PackError([Problem("pack", 0, str(error))]) from error
    problems = [Problem("pack", 0, f"{path}: {reason}") for path, reason in pack_problems(data)]
    if problems:
        raise PackError(problems)
    assert isinstance(data, dict)
    return Pack(hashlib.sha256(text).hexdigest(), data)


def pack_of(data: dict[str, Any]) -> Pack:
    """The pack whose JSON value is `data`; as `parse_pack` on its canonical bytes.

    Raises:
        PackError: not a pack.
    """
    return parse_pack(encode(data))
