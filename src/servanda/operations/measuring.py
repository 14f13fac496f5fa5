# SPDX-License-Identifier: Apache-2.0
"""Balances judged by errors of measuring: the figures of a balance as terms of an evaluation (spec/accountancy.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from servanda.operations.errors import Refusal
from servanda.registers.custody.accountancy import Sums
from servanda.verification.errors import VerificationError
from servanda.verification.evaluations import evaluation_document

Lines = Sequence[Mapping[str, Any]]
Figure = tuple[str, str, str, str, int | None]
"""Part, name, kind, place, amount."""

_PARTS = {"increase": "receipt", "decrease": "shipment"}


def evaluated(
    errors: Mapping[str, Any] | None, unit: str, beginning: Sums, lines: Lines, ending: Sums | None
) -> dict[str, Any] | None:
    """MUF with its uncertainty; None without errors or a count, or where something is not stated.

    Raises:
        Refusal: the errors have another form, or are out of range (`usage`).
    """
    if errors is None or ending is None:
        return None
    figures = [
        *_inventory("beginning", "beginning", unit, beginning),
        *_flows(unit, lines),
        *_inventory("ending", "ending", unit, ending),
    ]
    if any(figure[4] is None for figure in figures):
        return None
    return _document("material-balance-1", errors, {}, lambda: {"terms": _terms(errors, figures)})


def sequenced(
    errors: Mapping[str, Any], unit: str, inventories: Sequence[Sums], periods: Sequence[Lines]
) -> dict[str, Any] | None:
    """Balances between counts, judged together; None where something is not stated.

    A count is one measurement in the two periods that it divides; its error is that of `ending`.

    Args:
        errors: with `slack` and `limit` of Page's test, else 1/2 and 3, and perhaps `goal`.
        unit: the unit of the balances.
        inventories: one count more than there are periods.
        periods: the lines of each.

    Raises:
        Refusal: as for `evaluated`; a period without uncertainty (`usage`).
    """
    told = []
    for at, ((one, two), lines) in enumerate(zip(pairwise(inventories), periods, strict=True)):
        figures = [
            *_inventory("beginning", f"count-{at}", unit, one),
            *_flows(unit, lines),
            *_inventory("ending", f"count-{at + 1}", unit, two),
        ]
        if any(figure[4] is None for figure in figures):
            return None
        told.append(figures)
    more = {"limit": errors.get("limit", 3), "slack": errors.get("slack", "1/2")}
    more |= {"goal": errors["goal"]} if "goal" in errors else {}
    return _document(
        "material-balance-sequence-1",
        errors,
        more,
        lambda: {"periods": [_terms(errors, figures, counted="ending") for figures in told]},
    )


def _document(method: str, errors: Mapping[str, Any], more: dict[str, Any], inputs: Any) -> dict[str, Any]:
    try:
        return evaluation_document(method, {"sigmas": errors.get("sigmas", 3), **more, **inputs()})
    except (AttributeError, KeyError, TypeError, VerificationError) as error:
        raise Refusal(f"the measurement errors: {error}; see spec/accountancy.md, Errors", "usage") from error


def _inventory(part: str, name: str, unit: str, sums: Sums) -> list[Figure]:
    return [(part, f"{name}/{k}/{p}", k, p, amount) for (k, p, u), amount in sorted(sums.items()) if u == unit]


def _flows(unit: str, lines: Lines) -> list[Figure]:
    return [
        (_PARTS[line["direction"]], f"line/{line['line']}", line["kind"], line["place"], line["amount"])
        for line in lines
        if line["unit"] == unit
    ]


def _terms(errors: Mapping[str, Any], figures: Sequence[Figure], counted: str = "") -> list[dict[str, Any]]:
    return [
        {
            "amount": amount,
            "name": name,
            "part": part,
            **_error_of(errors, counted if counted and part == "beginning" else part, kind, place),
        }
        for part, name, kind, place, amount in figures
    ]


def _error_of(errors: Mapping[str, Any], part: str, kind: str, place: str) -> dict[str, str]:
    """The first of the errors that fits a figure; none fits: it is counted, and without error."""
    wanted = {"kind": kind, "part": part, "place": place}
    for error in errors["errors"]:
        if all(error.get(name, value) == value for name, value in wanted.items()):
            return {
                "random": error["random"],
                "shared": error.get("shared", ""),
                "systematic": error["systematic"],
            }
    return {"random": "0", "shared": "", "systematic": "0"}
