# SPDX-License-Identifier: Apache-2.0
"""What the accounts must add up to, worked out from the leaves alone: no code of journal or registers is used."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Payload = dict[str, Any]


def payload_of(leaf: bytes) -> Payload:
    """The payload of an envelope, as plain JSON."""
    value: Payload = json.loads(base64.b64decode(json.loads(leaf)["payload"]))
    return value


def brought_in(
    leaves: Mapping[str, Sequence[bytes]],
    in_effect: Callable[[str, int], bool],
    corrections: Mapping[tuple[str, int], Mapping[str, int]],
) -> Counter[str]:
    """By unit: everything declared, found, left over by destructions that have effect, or added by corrections.

    Args:
        leaves: the entries that count, by party, from number 1 on.
        in_effect: whether the offer at (party, number) has effect among them.
        corrections: what each correction adds to (or takes from) a unit, by its place.
    """
    total: Counter[str] = Counter()
    for party, held in leaves.items():
        for number, leaf in enumerate(held, start=1):
            payload = payload_of(leaf)
            rows = payload["content"].get("lots", []) if payload["format"] in ("declare", "found") else []
            if payload["format"] == "destroy" and in_effect(party, number):
                rows = payload["content"]["residue"]
            for row in rows:
                total[row["quantity"]["unit"]] += row["quantity"].get("amount", 0)
            for unit, amount in corrections.get((party, number), {}).items():
                total[unit] += amount
    return total
